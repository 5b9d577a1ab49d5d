//! Recordings: what a terminal showed and what was typed, in two formats at once.
//!
//! [`ttylog`] is the format of Cowrie's tools, byte for byte; [`asciicast`] is the one that players
//! in browsers read, with window sizes. Both files are written while the session runs, so a crash
//! loses at most what waited for the disk. The ttylog is named by the SHA-256 of the attacker's
//! input, as Cowrie does it; where Cowrie deletes a second recording of the same input, here it is
//! kept as `HASH.SESSION.CHANNEL`: the answers may differ. The asciicast has the same name and
//! `.cast`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sundew_events::{Lossy, SessionId, Sha256Sum, Timestamp};
use tokio::sync::oneshot;

use crate::lane::{Lane, lock};
use crate::store::{Lost, Reason, Shelves};

pub mod asciicast;
mod reel;
pub mod ttylog;

use reel::Reel;

/// Default of [`Config::recording_limit`](crate::Config::recording_limit), in bytes of output: an
/// hour of busy typing is below 1 MiB. Output beyond it is not recorded and the recording says so;
/// input has a limit of its own, so commands after a flood are still there.
pub const DEFAULT_OUTPUT_LIMIT: u64 = 16 << 20;

/// Most bytes of input in one recording. What is pasted or piped in beyond it is not recorded and
/// the recording says so; uploads through a terminal become artifacts, not recordings.
pub const INPUT_LIMIT: u64 = 4 << 20;

/// Whose terminal is recorded.
#[derive(Debug, Clone)]
pub struct RecordingMeta {
    /// The session.
    pub session: SessionId,
    /// The channel's number within it.
    pub channel: u32,
    /// Columns and rows at the beginning; 80×24 where there is no terminal.
    pub size: (u32, u32),
    /// The terminal's type as the client named it.
    pub term: Option<Lossy>,
    /// The command of an exec request; it is recorded as the first input.
    pub command: Option<Vec<u8>>,
}

/// A recording that was finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The file in the UML format.
    pub ttylog: PathBuf,
    /// The file in asciicast v2.
    pub asciicast: PathBuf,
    /// Bytes of output recorded.
    pub size: u64,
    /// SHA-256 of the input and the exec command.
    pub shasum: Sha256Sum,
    /// Whether a recording of the same input was there already.
    pub duplicate: bool,
    /// From beginning to end.
    pub duration: Duration,
    /// Why it is not whole, if it is not.
    pub incomplete: Option<Reason>,
}

/// Records one channel. Nothing here waits: what the disk cannot take in time is dropped, counted,
/// and the recording says so.
///
/// Dropping it without [`close`](Self::close) keeps the recording as [`Reason::Abandoned`].
#[derive(Debug)]
pub struct Recorder {
    shelves: Arc<Shelves>,
    lane: Lane,
    reel: Arc<Mutex<Reel>>,
    pending: Batch,
    last: Timestamp,
    output_left: u64,
    input_left: u64,
    missing: Missing,
    closed: bool,
}

/// What did not get onto the recording, and why first.
#[derive(Debug, Clone, Copy, Default)]
struct Missing {
    reason: Option<Reason>,
    /// Bytes dropped because the disk was too slow. Those beyond a limit are policy, not loss.
    dropped: u64,
}

impl Recorder {
    pub(crate) fn open(shelves: &Arc<Shelves>, mut meta: RecordingMeta, now: Timestamp) -> Self {
        let command = meta.command.take();
        let shown = command.as_deref().map(Lossy::new);
        let mut recorder = Self {
            lane: shelves.lanes.pick(),
            reel: Arc::new(Mutex::new(Reel::new(shelves, meta, shown, now))),
            shelves: Arc::clone(shelves),
            pending: Batch::default(),
            last: now,
            output_left: shelves.config.recording_limit,
            input_left: INPUT_LIMIT,
            missing: Missing::default(),
            closed: false,
        };
        if let Some(command) = command {
            recorder.take(Stream::Interact, &command, now);
        }
        // The files exist from the beginning on: a recording of a silent session is one too.
        recorder.flush();
        recorder
    }

    /// Records what the attacker typed.
    pub fn input(&mut self, bytes: &[u8], now: Timestamp) {
        self.take(Stream::Input, bytes, now);
        self.flush();
    }

    /// Records what was shown.
    pub fn output(&mut self, bytes: &[u8], now: Timestamp) {
        self.take(Stream::Output, bytes, now);
        self.flush();
    }

    /// Records a new window size. Only the asciicast can hold it.
    pub fn resize(&mut self, width: u32, height: u32, now: Timestamp) {
        self.last = self.last.max(now);
        if self.pending.records.len() < MAX_PENDING_RECORDS {
            self.pending
                .records
                .push((Stamped::Resize(width, height), self.last));
        }
        self.flush();
    }

    /// Finishes the recording and gives it its name.
    ///
    /// If the future is dropped after it was first polled, the recording is kept all the same.
    ///
    /// # Errors
    ///
    /// [`Lost`] if the disk has none of it.
    pub async fn close(mut self, now: Timestamp) -> Result<Closed, Lost> {
        self.last = self.last.max(now);
        let (answer, closed) = oneshot::channel();
        self.queue_close(None, |result| drop(answer.send(result)));
        // Without an answer the job has panicked.
        closed.await.unwrap_or(Err(Lost {
            reason: Reason::Disk,
            bytes: 0,
        }))
    }

    fn queue_close(
        &mut self,
        reason: Option<Reason>,
        then: impl FnOnce(Result<Closed, Lost>) + Send + 'static,
    ) {
        self.closed = true;
        let (reel, batch) = (Arc::clone(&self.reel), std::mem::take(&mut self.pending));
        let (last, dropped) = (self.last, self.missing.dropped);
        let reason = self.missing.reason.or(reason);
        self.lane.run(move || {
            let mut reel = lock(&reel);
            reel.append(&batch);
            then(reel.close(reason, dropped, last));
        });
    }

    fn take(&mut self, stream: Stream, bytes: &[u8], now: Timestamp) {
        // A clock that goes back would make players wait for ever.
        self.last = self.last.max(now);
        let left = match stream {
            Stream::Output => &mut self.output_left,
            Stream::Input | Stream::Interact => &mut self.input_left,
        };
        let fitting = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
        *left -= fitting as u64;
        let (fitting, beyond) = bytes.split_at(fitting);
        if !beyond.is_empty() {
            self.missing.reason.get_or_insert(Reason::Limit);
        }
        for chunk in fitting.chunks(MAX_PENDING_BYTES) {
            if !self.pending.has_room(chunk) {
                self.flush();
            }
            if self.pending.has_room(chunk) {
                self.pending.push(stream, chunk, self.last);
            } else {
                self.missing.reason.get_or_insert(Reason::Queue);
                self.missing.dropped += chunk.len() as u64;
            }
        }
    }

    /// Hands what is pending to the writer thread, if its queue has room.
    fn flush(&mut self) {
        let weight = u32::try_from(self.pending.weight()).unwrap_or(u32::MAX);
        let budget = Arc::clone(&self.shelves.recording_budget);
        let Ok(permit) = budget.try_acquire_many_owned(weight) else {
            return;
        };
        let (reel, batch) = (Arc::clone(&self.reel), std::mem::take(&mut self.pending));
        self.lane.run(move || {
            lock(&reel).append(&batch);
            drop(permit);
        });
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !self.closed {
            self.queue_close(Some(Reason::Abandoned), drop);
        }
    }
}

/// Finishes what a crash left behind, each recording on a writer thread.
pub(crate) fn recover(shelves: &Arc<Shelves>, drafts: Vec<PathBuf>) {
    let (casts, logs): (Vec<_>, Vec<_>) = drafts
        .into_iter()
        .partition(|path| path.extension().is_some_and(|end| end == "cast"));
    for cast in casts
        .iter()
        .filter(|cast| !logs.contains(&cast.with_extension("")))
    {
        if let Err(error) = std::fs::remove_file(cast) {
            tracing::warn!(path = %cast.display(), %error, "half a draft could not be removed");
        }
    }
    for path in logs {
        let lane = shelves.lanes.pick();
        let shelves = Arc::clone(shelves);
        lane.run(move || reel::recover(&shelves, &path));
    }
}

/// Which way recorded bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Input,
    Output,
    Interact,
}

/// Records on their way to the writer thread.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    records: Vec<(Stamped, Timestamp)>,
}

#[derive(Debug, Clone, Copy)]
enum Stamped {
    /// So many of the batch's bytes.
    Bytes(Stream, usize),
    Resize(u32, u32),
}

impl Batch {
    fn has_room(&self, bytes: &[u8]) -> bool {
        self.bytes.len() + bytes.len() <= MAX_PENDING_BYTES
            && self.records.len() < MAX_PENDING_RECORDS
    }

    fn push(&mut self, stream: Stream, bytes: &[u8], time: Timestamp) {
        self.bytes.extend_from_slice(bytes);
        self.records
            .push((Stamped::Bytes(stream, bytes.len()), time));
    }

    /// What it counts for in the queue: never nothing, its job takes room too.
    fn weight(&self) -> usize {
        self.bytes.len() + (self.records.len() + 1) * ttylog::HEADER_BYTES
    }
}

/// Most bytes of one recording that wait for room in the queue, when a slow disk has filled it;
/// more are dropped. Times the number of sessions this is memory.
const MAX_PENDING_BYTES: usize = 32 * 1024;

/// Most records that wait likewise: half as much memory again.
const MAX_PENDING_RECORDS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Store};

    #[tokio::test]
    async fn what_a_slow_disk_cannot_take_is_dropped_and_the_recording_says_so() {
        let data = tempfile::TempDir::new().unwrap();
        let mut config = Config::under(data.path());
        config.quota.min_free_bytes = 0;
        let store = Store::open(&config).unwrap();
        let now = Timestamp::from_micros(1);
        let mut recorder = store.record(meta(), now);
        let shelves = Arc::clone(&recorder.shelves);
        let budget = Arc::clone(&shelves.recording_budget);
        let all = u32::try_from(budget.available_permits()).unwrap();
        let full = budget.try_acquire_many_owned(all).unwrap();
        recorder.output(&[b'1'; MAX_PENDING_BYTES], now);
        recorder.output(b"dropped", now);
        assert_eq!(recorder.pending.bytes.len(), MAX_PENDING_BYTES);
        drop(full);
        recorder.output(b"2", now);
        let closed = recorder.close(now).await.unwrap();
        assert_eq!(closed.size, MAX_PENDING_BYTES as u64 + 1);
        assert_eq!(closed.incomplete, Some(Reason::Queue));
        let losses = store.losses();
        assert_eq!((losses.recordings, losses.bytes), (1, 7));
    }

    #[test]
    fn records_without_bytes_are_bounded_too() {
        let mut batch = Batch::default();
        for _ in 0..MAX_PENDING_RECORDS {
            assert!(batch.has_room(b"x"));
            batch.push(Stream::Input, b"x", Timestamp::from_micros(1));
        }
        assert!(!batch.has_room(b"x"));
    }

    fn meta() -> RecordingMeta {
        RecordingMeta {
            session: SessionId::from_bytes([1; 6]),
            channel: 0,
            size: (80, 24),
            term: None,
            command: None,
        }
    }
}
