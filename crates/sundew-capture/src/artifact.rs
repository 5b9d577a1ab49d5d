//! Artifacts: what an attacker brought in, kept once, named by its SHA-256.
//!
//! A file is written under a draft name, synced, and only then renamed to its hash, and the
//! directory is synced after it: a name that is a hash always has the whole content of that hash.
//! Beside it `HASH.json` says where it came from ([`sidecar`]). What is not whole is kept too, and
//! says so.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sundew_events::{Lossy, SessionId, Sha256Sum, Timestamp};
use tokio::sync::oneshot;

use crate::lane::{Lane, lock};
use crate::store::{Lost, Reason, Shelves};

mod draft;
pub mod sidecar;

use draft::Draft;

/// Where an artifact comes from; for its sidecar.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The session that brought it.
    pub session: Option<SessionId>,
    /// The attacker's address.
    pub source: Option<IpAddr>,
    /// The URL it was fetched from.
    pub url: Option<Lossy>,
    /// Its name inside the machine.
    pub name: Option<Lossy>,
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it came.
    Complete,
    /// It ended early.
    Incomplete(Reason),
}

/// What became of bytes offered to [`ArtifactWriter::write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// They are queued for the disk.
    All,
    /// The limit is reached, what is beyond was not taken. The artifact will be incomplete; more
    /// writes are useless.
    UpToLimit,
}

/// An artifact that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of what was kept.
    pub sha256: Sha256Sum,
    /// Bytes kept.
    pub size: u64,
    /// Whether this content was there already.
    pub duplicate: bool,
    /// Its file.
    pub path: PathBuf,
    /// Why it is not whole, if it is not. The disk or the limit may be the reason although the
    /// transfer was [`Outcome::Complete`].
    pub incomplete: Option<Reason>,
}

/// Takes the bytes of one artifact.
///
/// Dropping it without [`finish`](Self::finish) keeps what was written as
/// [`Reason::Abandoned`].
#[derive(Debug)]
pub struct ArtifactWriter {
    shelves: Arc<Shelves>,
    lane: Lane,
    draft: Arc<Mutex<Draft>>,
    begun: Timestamp,
    taken: u64,
    over_limit: bool,
    finished: bool,
}

impl ArtifactWriter {
    pub(crate) fn begin(shelves: &Arc<Shelves>, origin: Origin, now: Timestamp) -> Self {
        Self {
            lane: shelves.lanes.pick(),
            draft: Arc::new(Mutex::new(Draft::new(shelves, origin))),
            shelves: Arc::clone(shelves),
            begun: now,
            taken: 0,
            over_limit: false,
            finished: false,
        }
    }

    /// Queues bytes for the disk, waiting only while too much of all artifacts is queued already.
    ///
    /// A disk that fails is not reported here but by [`finish`](Self::finish): the transfer should
    /// go on as if nothing was wrong, the attacker must not notice.
    ///
    /// Not cancel-safe: if dropped, a beginning of the bytes may have been taken.
    pub async fn write(&mut self, bytes: &[u8]) -> Taken {
        let room = self
            .shelves
            .config
            .download_limit
            .saturating_sub(self.taken);
        let fitting = usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len()));
        let (fitting, beyond) = bytes.split_at(fitting);
        for chunk in fitting.chunks(MAX_CHUNK_BYTES) {
            let weight = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            let budget = Arc::clone(&self.shelves.artifact_budget);
            // The semaphore is never closed.
            let permit = budget.acquire_many_owned(weight).await.ok();
            let (draft, chunk) = (Arc::clone(&self.draft), Box::<[u8]>::from(chunk));
            self.taken = self.taken.saturating_add(u64::from(weight));
            self.lane.run(move || {
                lock(&draft).append(&chunk);
                drop(permit);
            });
        }
        self.over_limit |= !beyond.is_empty();
        if self.over_limit {
            Taken::UpToLimit
        } else {
            Taken::All
        }
    }

    /// Bytes taken so far.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// Gives the artifact its name; `None` if there was not a single byte.
    ///
    /// If the future is dropped after it was first polled, the artifact is kept all the same.
    ///
    /// # Errors
    ///
    /// [`Lost`] if nothing of it could be kept. A part that could is not an error, see
    /// [`Kept::incomplete`].
    pub async fn finish(mut self, outcome: Outcome, now: Timestamp) -> Result<Option<Kept>, Lost> {
        let (answer, finished) = oneshot::channel();
        self.queue_finish(outcome, now, |result| drop(answer.send(result)));
        // Without an answer the job has panicked.
        finished.await.unwrap_or(Err(Lost {
            reason: Reason::Disk,
            bytes: self.taken,
        }))
    }

    fn queue_finish(
        &mut self,
        outcome: Outcome,
        now: Timestamp,
        then: impl FnOnce(Result<Option<Kept>, Lost>) + Send + 'static,
    ) {
        self.finished = true;
        let incomplete = match outcome {
            _ if self.over_limit => Some(Reason::Limit),
            Outcome::Complete => None,
            Outcome::Incomplete(reason) => Some(reason),
        };
        let (draft, begun) = (Arc::clone(&self.draft), self.begun);
        self.lane
            .run(move || then(lock(&draft).finish(incomplete, begun, now)));
    }
}

impl Drop for ArtifactWriter {
    fn drop(&mut self) {
        if !self.finished {
            let outcome = Outcome::Incomplete(Reason::Abandoned);
            // There is no clock here; the beginning is the only time known.
            self.queue_finish(outcome, self.begun, drop);
        }
    }
}

/// Keeps what a crash left behind as incomplete, each on a writer thread.
pub(crate) fn recover(shelves: &Arc<Shelves>, drafts: Vec<PathBuf>) {
    for path in drafts {
        let lane = shelves.lanes.pick();
        let shelves = Arc::clone(shelves);
        lane.run(move || draft::recover(&shelves, &path));
    }
}

/// Longest piece handed to a writer thread at once, in bytes; a longer write becomes several, so
/// that the artifacts of many sessions take turns.
const MAX_CHUNK_BYTES: usize = 64 * 1024;
