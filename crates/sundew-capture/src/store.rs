//! The store: its directories, its counters, and order after a crash.
//!
//! One process at a time: a lock file says so, because a second one would take the drafts of the
//! first for left-overs.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::{error, fmt};

use sundew_events::Timestamp;
use tokio::sync::Semaphore;

use crate::artifact::{ArtifactWriter, Origin};
use crate::lane::Lanes;
use crate::quota::{Account, Quota};
use crate::recording::{Recorder, RecordingMeta};
use crate::{artifact, recording};

/// Where to keep what, and how much.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory of artifacts; events name files in it by this path.
    pub artifacts: PathBuf,
    /// Directory of recordings.
    pub recordings: PathBuf,
    /// Limits of both together.
    pub quota: Quota,
    /// Most bytes of one artifact; see [`DEFAULT_DOWNLOAD_LIMIT`].
    pub download_limit: u64,
    /// Most bytes of output in one recording; see [`recording::DEFAULT_OUTPUT_LIMIT`].
    pub recording_limit: u64,
}

impl Config {
    /// The defaults under a data directory: `artifacts/` and `tty/`.
    #[must_use]
    pub fn under(data: &Path) -> Self {
        Self {
            artifacts: data.join("artifacts"),
            recordings: data.join("tty"),
            quota: Quota::default(),
            download_limit: DEFAULT_DOWNLOAD_LIMIT,
            recording_limit: recording::DEFAULT_OUTPUT_LIMIT,
        }
    }
}

/// Default of [`Config::download_limit`], in bytes: droppers fetch binaries of kilobytes to a few
/// megabytes, miners stay under 20 MiB. What is beyond is not kept and the artifact says so.
pub const DEFAULT_DOWNLOAD_LIMIT: u64 = 50 << 20;

/// A handle to the store; clones share it.
#[derive(Debug, Clone)]
pub struct Store(Arc<Shelves>);

impl Store {
    /// Opens the directories, making them if need be, and starts the writer threads.
    ///
    /// Blocks on the disk: call it before the runtime starts. Drafts that a crash left behind are
    /// kept as incomplete, by the writer threads, after this has returned.
    ///
    /// # Errors
    ///
    /// [`OpenError`] names the directory; [`OpenError::InUse`] if another process has it.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| OpenError::Io { path, source }
        };
        make_directory(&config.artifacts).map_err(failed(&config.artifacts))?;
        make_directory(&config.recordings).map_err(failed(&config.recordings))?;
        let lock = take_lock(&config.artifacts)?;
        let artifacts = scan(&config.artifacts).map_err(failed(&config.artifacts))?;
        let recordings = scan(&config.recordings).map_err(failed(&config.recordings))?;
        let used = artifacts.bytes.saturating_add(recordings.bytes);
        let lanes = Lanes::start().map_err(failed(&config.artifacts))?;
        let store = Self(Arc::new(Shelves {
            account: Account::new(config.quota, &config.artifacts, used),
            config: config.clone(),
            commit: Mutex::new(()),
            counters: Counters::default(),
            artifact_budget: Arc::new(Semaphore::new(ARTIFACT_QUEUE_BYTES)),
            recording_budget: Arc::new(Semaphore::new(RECORDING_QUEUE_BYTES)),
            lanes,
            drafts: AtomicU64::new(0),
            _lock: lock,
        }));
        artifact::recover(&store.0, artifacts.drafts);
        recording::recover(&store.0, recordings.drafts);
        Ok(store)
    }

    /// Begins an artifact. Does no I/O: the file is made with the first byte.
    #[must_use]
    pub fn begin(&self, origin: Origin, now: Timestamp) -> ArtifactWriter {
        ArtifactWriter::begin(&self.0, origin, now)
    }

    /// Begins a recording. Does no I/O.
    #[must_use]
    pub fn record(&self, meta: RecordingMeta, now: Timestamp) -> Recorder {
        Recorder::open(&self.0, meta, now)
    }

    /// What could not be kept since the start.
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.0.counters.read()
    }

    /// Bytes that artifacts and recordings take, as far as the quota knows.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.0.account.used()
    }

    /// Waits until everything handed over so far is on disk; for shutdown, after the sessions.
    ///
    /// Cancel-safe: put it under a timeout, a disk may hang.
    pub async fn drain(&self) {
        self.0.lanes.drain().await;
    }
}

/// Why a store could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process uses this directory.
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The directory cannot be made, read or written.
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => {
                write!(
                    f,
                    "{} is locked: another sensor uses this directory",
                    path.display()
                )
            }
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl error::Error for OpenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::InUse { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

/// Why something is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Only a part of it was asked for, and that came.
    Part,
    /// The other side ended the transfer early.
    Cut,
    /// The other side said nothing for too long.
    TimedOut,
    /// It was longer than its limit.
    Limit,
    /// The sensor was shut down.
    Shutdown,
    /// Whoever wrote it went away without a word.
    Abandoned,
    /// The sensor crashed meanwhile.
    Crash,
    /// The disk refused it.
    Disk,
    /// The quota is used up, or the disk has reached its floor.
    Quota,
    /// The disk is slower than what comes in.
    Queue,
}

impl Reason {
    /// The word for events and sidecars.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::Cut => "cut",
            Self::TimedOut => "timeout",
            Self::Limit => "limit",
            Self::Shutdown => "shutdown",
            Self::Abandoned => "abandoned",
            Self::Crash => "crash",
            Self::Disk => "disk",
            Self::Quota => "quota",
            Self::Queue => "queue",
        }
    }
}

/// Something that could not be kept at all. It is counted and logged already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Why.
    pub reason: Reason,
    /// How many bytes it had.
    pub bytes: u64,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes lost: {}", self.bytes, self.reason.as_str())
    }
}

impl error::Error for Lost {}

/// What could not be kept since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Artifacts lost or kept in part because of disk or quota.
    pub artifacts: u64,
    /// Recordings lost or kept in part because of disk, quota or queue.
    pub recordings: u64,
    /// Sidecars that could not be written.
    pub sidecars: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// What the writer threads and the handles share.
#[derive(Debug)]
pub(crate) struct Shelves {
    pub(crate) config: Config,
    pub(crate) account: Account,
    /// Held while a finished file gets its name, so that two threads do not choose the same one.
    pub(crate) commit: Mutex<()>,
    pub(crate) counters: Counters,
    pub(crate) artifact_budget: Arc<Semaphore>,
    pub(crate) recording_budget: Arc<Semaphore>,
    pub(crate) lanes: Lanes,
    drafts: AtomicU64,
    _lock: File,
}

impl Shelves {
    /// A number no other draft of this process has.
    pub(crate) fn draft_number(&self) -> u64 {
        self.drafts.fetch_add(1, Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    artifacts: AtomicU64,
    recordings: AtomicU64,
    sidecars: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn artifact(&self, lost: Lost) {
        let count = bump(&self.artifacts, 1);
        bump(&self.bytes, lost.bytes);
        warn("artifacts", count, lost);
    }

    pub(crate) fn recording(&self, lost: Lost) {
        let count = bump(&self.recordings, 1);
        bump(&self.bytes, lost.bytes);
        warn("recordings", count, lost);
    }

    pub(crate) fn sidecar(&self, error: &io::Error) {
        let count = bump(&self.sidecars, 1);
        if count.is_power_of_two() {
            tracing::warn!(count, %error, "artifact sidecars could not be written");
        }
    }

    fn read(&self) -> Losses {
        Losses {
            artifacts: self.artifacts.load(Ordering::Relaxed),
            recordings: self.recordings.load(Ordering::Relaxed),
            sidecars: self.sidecars.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// Warns the operator at the first loss and whenever the count has doubled: a full disk on a busy
/// sensor would fill the log too.
fn warn(what: &str, count: u64, lost: Lost) {
    if count.is_power_of_two() {
        tracing::warn!(
            count,
            bytes = lost.bytes,
            reason = lost.reason.as_str(),
            "{what} lost"
        );
    }
}

fn bump(counter: &AtomicU64, by: u64) -> u64 {
    counter.fetch_add(by, Ordering::Relaxed).saturating_add(by)
}

/// Begins the name of every file that has not got its final one.
pub(crate) const DRAFT_PREFIX: &str = ".part-";

/// Names tried for one draft before giving up; each left-over of a crash costs one try.
const MAX_TRIES: u32 = 10_000;
const LOCK_NAME: &str = ".lock";
/// Bytes of artifacts that wait for the disk, of all sessions; a writer beyond that waits.
const ARTIFACT_QUEUE_BYTES: usize = 16 << 20;
/// Bytes of recordings that wait for the disk, of all sessions; see [`recording`].
const RECORDING_QUEUE_BYTES: usize = 8 << 20;

/// Makes a file of ours: new, for the owner only. What it holds may be malware.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Makes a draft under a name of its own; left-overs of a crash may still wait under some.
pub(crate) fn create_draft(
    shelves: &Shelves,
    directory: &Path,
    suffix: &str,
) -> io::Result<(File, PathBuf)> {
    let mut tries = 0;
    loop {
        let path = directory.join(format!("{DRAFT_PREFIX}{}{suffix}", shelves.draft_number()));
        match create_new(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < MAX_TRIES => {
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes a rename in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

fn take_lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join(LOCK_NAME);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|source| OpenError::Io {
            path: path.clone(),
            source,
        })?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::InUse { path }),
        Err(errno) => Err(OpenError::Io {
            path,
            source: errno.into(),
        }),
    }
}

struct Scan {
    bytes: u64,
    drafts: Vec<PathBuf>,
}

fn scan(directory: &Path) -> io::Result<Scan> {
    let mut found = Scan {
        bytes: 0,
        drafts: Vec::new(),
    };
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let name = entry.file_name();
        let is_draft = name.as_encoded_bytes().starts_with(DRAFT_PREFIX.as_bytes());
        let is_sidecar = name.as_encoded_bytes().ends_with(b".json");
        if is_draft && is_sidecar {
            // Half a sidecar: the whole one before it is still there.
            fs::remove_file(entry.path())?;
        } else if metadata.is_file() && !is_sidecar {
            found.bytes = found.bytes.saturating_add(metadata.len());
            if is_draft {
                found.drafts.push(entry.path());
            }
        }
    }
    Ok(found)
}
