//! The writer thread's side of a recording: its two files, and how they get their names.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sundew_events::{Lossy, SessionId, Sha256Sum, Timestamp};

use super::asciicast::{self, Code};
use super::ttylog::{Direction, InputHash, Op, Record};
use super::{Batch, Closed, RecordingMeta, Stamped, Stream};
use crate::lane::lock;
use crate::store::{Lost, Reason, Shelves, create_draft, create_new, sync_directory};

/// A recording while it is written.
#[derive(Debug)]
pub(super) struct Reel {
    shelves: Arc<Shelves>,
    meta: RecordingMeta,
    command: Option<Lossy>,
    begun: Timestamp,
    state: State,
    hash: InputHash,
    output_bytes: u64,
    /// Bytes of both files, as the quota counts them.
    written: u64,
    missing: u64,
}

#[derive(Debug)]
enum State {
    Blank,
    Running(Files),
    /// The disk or the quota said no; what was written until then is kept.
    Stopped(Option<Files>, Reason),
}

#[derive(Debug)]
struct Files {
    log: (File, PathBuf),
    cast: (File, PathBuf),
    writer: asciicast::Writer,
    /// Lengths without what a failed write may have left.
    log_bytes: u64,
    cast_bytes: u64,
}

impl Reel {
    pub(super) fn new(
        shelves: &Arc<Shelves>,
        meta: RecordingMeta,
        command: Option<Lossy>,
        begun: Timestamp,
    ) -> Self {
        Self {
            shelves: Arc::clone(shelves),
            meta,
            command,
            begun,
            state: State::Blank,
            hash: InputHash::default(),
            output_bytes: 0,
            written: 0,
            missing: 0,
        }
    }

    /// Writes a batch to both files; after a failure it only counts.
    pub(super) fn append(&mut self, batch: &Batch) {
        if matches!(self.state, State::Blank) {
            self.state = match self.start() {
                Ok(files) => State::Running(files),
                Err(reason) => State::Stopped(None, reason),
            };
        }
        let mut state = std::mem::replace(&mut self.state, State::Blank);
        if let State::Running(mut files) = state {
            let (log, cast) = self.encode(&mut files.writer, batch);
            state = match self.write(&mut files, &log, cast.as_bytes()) {
                Ok(()) => {
                    self.account_for(batch);
                    State::Running(files)
                }
                Err(reason) => State::Stopped(Some(files), reason),
            };
        }
        if matches!(state, State::Stopped(..)) {
            self.missing += batch.bytes.len() as u64;
        }
        self.state = state;
    }

    fn start(&mut self) -> Result<Files, Reason> {
        let directory = &self.shelves.config.recordings;
        let suffix = format!("-{}-{}", self.meta.session, self.meta.channel);
        let log_file =
            create_draft(&self.shelves, directory, &suffix).map_err(|error| disk(&error))?;
        let cast_path = cast_of(&log_file.1);
        let cast_file = create_new(&cast_path).map_err(|error| {
            drop(fs::remove_file(&log_file.1));
            disk(&error)
        })?;
        let mut log = Vec::new();
        Record {
            op: Op::Open,
            time: self.begun,
        }
        .encode(&mut log);
        let mut cast = String::new();
        let title = format!(
            "session {} channel {}",
            self.meta.session, self.meta.channel
        );
        let header = asciicast::Header {
            width: self.meta.size.0,
            height: self.meta.size.1,
            begun: self.begun,
            command: self.command.as_ref(),
            term: self.meta.term.as_ref(),
            title: &title,
        };
        let writer = asciicast::Writer::begin(&header, &mut cast);
        let mut files = Files {
            log: log_file,
            cast: (cast_file, cast_path),
            writer,
            log_bytes: 0,
            cast_bytes: 0,
        };
        match self.write(&mut files, &log, cast.as_bytes()) {
            Ok(()) => Ok(files),
            Err(reason) => {
                self.remove(&files);
                Err(reason)
            }
        }
    }

    fn write(&mut self, files: &mut Files, log: &[u8], cast: &[u8]) -> Result<(), Reason> {
        let (log_bytes, cast_bytes) = (log.len() as u64, cast.len() as u64);
        let bytes = log_bytes + cast_bytes;
        self.shelves
            .account
            .reserve(bytes)
            .map_err(|_full| Reason::Quota)?;
        let written = files
            .log
            .0
            .write_all(log)
            .and_then(|()| files.cast.0.write_all(cast));
        if let Err(error) = written {
            self.shelves.account.release(bytes);
            return Err(disk(&error));
        }
        self.written += bytes;
        files.log_bytes += log_bytes;
        files.cast_bytes += cast_bytes;
        Ok(())
    }

    fn encode(&self, writer: &mut asciicast::Writer, batch: &Batch) -> (Vec<u8>, String) {
        let (mut log, mut cast) = (Vec::with_capacity(batch.weight()), String::new());
        let mut rest = &*batch.bytes;
        for (stamped, time) in &batch.records {
            match stamped {
                Stamped::Bytes(stream, length) => {
                    let (data, after) = rest.split_at(*length);
                    rest = after;
                    let op = Op::Write(stream.direction(), data);
                    Record { op, time: *time }.encode(&mut log);
                    // The exec command is in the header, it was not typed.
                    match stream {
                        Stream::Input => writer.bytes(Code::Input, data, *time, &mut cast),
                        Stream::Output => writer.bytes(Code::Output, data, *time, &mut cast),
                        Stream::Interact => {}
                    }
                }
                Stamped::Resize(width, height) => {
                    writer.text(Code::Resize, &format!("{width}x{height}"), *time, &mut cast);
                }
            }
        }
        (log, cast)
    }

    /// Adds what is on disk now to the hash and the size.
    fn account_for(&mut self, batch: &Batch) {
        let mut rest = &*batch.bytes;
        for (stamped, _) in &batch.records {
            if let Stamped::Bytes(stream, length) = stamped {
                let (data, after) = rest.split_at(*length);
                rest = after;
                self.hash.update(Op::Write(stream.direction(), data));
                if *stream == Stream::Output {
                    self.output_bytes += *length as u64;
                }
            }
        }
    }

    /// Ends both files, syncs them and gives them their names.
    pub(super) fn close(
        &mut self,
        incomplete: Option<Reason>,
        dropped: u64,
        now: Timestamp,
    ) -> Result<Closed, Lost> {
        let (files, stopped) = match std::mem::replace(&mut self.state, State::Blank) {
            State::Running(files) => (Some(files), None),
            State::Stopped(files, reason) => (files, Some(reason)),
            State::Blank => (None, None),
        };
        let incomplete = stopped.or(incomplete);
        let missing = self.missing + dropped;
        if missing > 0 || stopped.is_some() {
            let reason = incomplete.unwrap_or(Reason::Disk);
            self.shelves.counters.recording(Lost {
                reason,
                bytes: missing,
            });
        }
        let reason = incomplete.unwrap_or(Reason::Disk);
        let Some(mut files) = files else {
            return Err(Lost {
                reason,
                bytes: missing,
            });
        };
        match self.commit(&mut files, stopped.is_some(), incomplete, now) {
            Ok(closed) => Ok(closed),
            Err(error) => {
                let lost = Lost {
                    reason: disk(&error),
                    bytes: self.output_bytes,
                };
                self.remove(&files);
                self.shelves.counters.recording(lost);
                Err(lost)
            }
        }
    }

    fn commit(
        &mut self,
        files: &mut Files,
        stopped: bool,
        incomplete: Option<Reason>,
        now: Timestamp,
    ) -> io::Result<Closed> {
        if stopped {
            files.log.0.set_len(files.log_bytes)?;
            files.cast.0.set_len(files.cast_bytes)?;
        }
        // On a full disk the end marks may not fit; both formats are readable without.
        if let Err(reason) = self.write_end(files, incomplete, now) {
            tracing::debug!(reason = reason.as_str(), "a recording has no end mark");
        }
        files.log.0.sync_all()?;
        files.cast.0.sync_all()?;
        let shasum = std::mem::take(&mut self.hash).finish();
        let meta = &self.meta;
        let named = claim(
            &self.shelves,
            meta.session,
            meta.channel,
            shasum,
            |name, cast| {
                fs::rename(&files.log.1, name)?;
                files.log.1 = name.to_path_buf();
                fs::rename(&files.cast.1, cast)?;
                files.cast.1 = cast.to_path_buf();
                Ok(())
            },
        )?;
        Ok(Closed {
            ttylog: named.log,
            asciicast: named.cast,
            size: self.output_bytes,
            shasum,
            duplicate: named.duplicate,
            duration: now.since(self.begun),
            incomplete,
        })
    }

    fn write_end(
        &mut self,
        files: &mut Files,
        incomplete: Option<Reason>,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let (mut log, mut cast) = (Vec::new(), String::new());
        Record {
            op: Op::Close,
            time: now,
        }
        .encode(&mut log);
        files.writer.end(now, &mut cast);
        if let Some(reason) = incomplete {
            let remark = format!("incomplete: {}", reason.as_str());
            files.writer.text(Code::Marker, &remark, now, &mut cast);
        }
        self.write(files, &log, cast.as_bytes())
    }

    fn remove(&self, files: &Files) {
        for (_, path) in [&files.log, &files.cast] {
            if let Err(error) = fs::remove_file(path) {
                tracing::debug!(%error, "a draft could not be removed");
            }
        }
        self.shelves.account.release(self.written);
    }
}

impl Stream {
    const fn direction(self) -> Direction {
        match self {
            Self::Input => Direction::Input,
            Self::Output => Direction::Output,
            Self::Interact => Direction::Interact,
        }
    }
}

struct Named {
    log: PathBuf,
    cast: PathBuf,
    duplicate: bool,
}

/// Finds a free name for a finished recording and lets `rename` take it.
fn claim(
    shelves: &Shelves,
    session: SessionId,
    channel: u32,
    shasum: Sha256Sum,
    rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> io::Result<Named> {
    let directory = &shelves.config.recordings;
    let _commit = lock(&shelves.commit);
    let mut name = shasum.to_string();
    let duplicate = directory.join(&name).exists();
    if duplicate {
        name = format!("{shasum}.{session}.{channel}");
    }
    let base = name.clone();
    let mut tries = 1;
    while directory.join(&name).exists() {
        tries += 1;
        if tries > MAX_NAMES {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        name = format!("{base}.{tries}");
    }
    let log = directory.join(&name);
    let cast = cast_of(&log);
    rename(&log, &cast)?;
    sync_directory(directory)?;
    Ok(Named {
        log,
        cast,
        duplicate,
    })
}

/// Gives a recording that a crash cut short the name it would have got. Nothing is added to it:
/// `playlog` and asciicast players take a missing end as the end.
pub(super) fn recover(shelves: &Shelves, path: &Path) {
    match try_recover(shelves, path) {
        Ok(named) => {
            tracing::info!(path = %named.display(), "kept a recording that a crash had cut short");
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a recording of a crash was not kept");
        }
    }
}

fn try_recover(shelves: &Shelves, path: &Path) -> io::Result<PathBuf> {
    let (session, channel) = path
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(read_draft_name)
        .ok_or(io::ErrorKind::InvalidInput)?;
    let hash = hash_input(File::open(path)?)?;
    let named = claim(shelves, session, channel, hash.finish(), |log, cast| {
        fs::rename(path, log)?;
        // The crash may have come between the two.
        let draft = cast_of(path);
        if draft.exists() {
            fs::rename(draft, cast)
        } else {
            Ok(())
        }
    })?;
    Ok(named.log)
}

/// Hashes the input of a ttylog up to the first record that is not whole.
fn hash_input(mut log: File) -> io::Result<InputHash> {
    let mut hash = InputHash::default();
    let mut buffer = Vec::new();
    loop {
        let more = (&mut log).take(READ_BYTES).read_to_end(&mut buffer)?;
        let mut rest = &*buffer;
        while let Ok(Some((record, next))) = Record::decode(rest) {
            hash.update(record.op);
            rest = next;
        }
        let unread = rest.len();
        buffer.drain(..buffer.len() - unread);
        // No record of ours is as long as one read, so a longer rest is not one of ours.
        if more == 0 || unread as u64 > READ_BYTES {
            return Ok(hash);
        }
    }
}

/// The name of the asciicast beside a ttylog.
pub(super) fn cast_of(log: &Path) -> PathBuf {
    let mut path = log.as_os_str().to_owned();
    path.push(".cast");
    path.into()
}

/// Reads `.part-NUMBER-SESSION-CHANNEL`.
fn read_draft_name(name: &str) -> Option<(SessionId, u32)> {
    let mut parts = name
        .strip_prefix(crate::store::DRAFT_PREFIX)?
        .split('-')
        .skip(1);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn disk(error: &io::Error) -> Reason {
    tracing::debug!(%error, "a recording could not be written");
    Reason::Disk
}

/// Bytes read at once of a recording that a crash left behind.
const READ_BYTES: u64 = 64 * 1024;
/// Names tried for one recording: a session has seldom two channels of one number.
const MAX_NAMES: u32 = 1000;
