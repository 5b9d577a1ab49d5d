//! Log files: a line for each transfer as wu-ftpd had it, and everything that happens as JSON.

mod events;
mod file;
mod xferlog;

use ftp_proto::time::Timestamp;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) use self::events::{end as end_word, refusal as refusal_word};
pub use self::file::LogFile;
use crate::connection::Peer;
use crate::event::{Event, Observer};

/// Writes `log.transfers`.
#[derive(Debug)]
pub struct Transfers(LogFile);

impl Transfers {
    /// Opens the file, behind what it holds.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        LogFile::open(path).map(Self)
    }

    /// The file.
    #[must_use]
    pub const fn file(&self) -> &LogFile {
        &self.0
    }
}

impl Observer for Transfers {
    fn observe(&self, peer: &Peer, event: &Event<'_>) {
        if let Event::TransferEnded(report) = event
            && let Some(line) = xferlog::line(peer, report, now().0)
        {
            self.0.write(line);
        }
    }
}

/// Writes `log.events`.
#[derive(Debug)]
pub struct Events(LogFile);

impl Events {
    /// Opens the file, behind what it holds.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        LogFile::open(path).map(Self)
    }

    /// The file.
    #[must_use]
    pub const fn file(&self) -> &LogFile {
        &self.0
    }
}

impl Observer for Events {
    fn observe(&self, peer: &Peer, event: &Event<'_>) {
        let (time, millis) = now();
        if let Some(line) = events::line(peer, event, time, millis) {
            self.0.write(line);
        }
    }
}

/// The host's clock: seconds, and milliseconds within them.
fn now() -> (Timestamp, u32) {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    (Timestamp::from_unix(seconds), since.subsec_millis())
}
