//! How much may be kept, and how much of the disk must stay free.
//!
//! The events journal shares the disk with artifacts and recordings and has priority: captures
//! stop while the journal still has room. The free space is asked of the file system, so what
//! others write counts too.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Default of [`Quota::max_bytes`].
pub const DEFAULT_MAX_BYTES: u64 = 10 * GIB;

/// Default of [`Quota::min_free_bytes`]: days of events for a busy sensor (300 bytes each).
pub const DEFAULT_MIN_FREE_BYTES: u64 = GIB / 2;

/// The operator's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Most bytes of artifacts and recordings together. Sidecars do not count.
    pub max_bytes: u64,
    /// Bytes of the file system that captures leave free.
    pub min_free_bytes: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            max_bytes: DEFAULT_MAX_BYTES,
            min_free_bytes: DEFAULT_MIN_FREE_BYTES,
        }
    }
}

/// The quota's state: what is used. Shared by all writer threads.
#[derive(Debug)]
pub(crate) struct Account {
    quota: Quota,
    directory: PathBuf,
    used: AtomicU64,
    unchecked: AtomicU64,
}

/// The quota has no room for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Account {
    /// Starts with the bytes that are there already.
    pub(crate) fn new(quota: Quota, directory: &Path, used: u64) -> Self {
        Self {
            quota,
            directory: directory.to_path_buf(),
            used: AtomicU64::new(used),
            // The first reservation asks the file system.
            unchecked: AtomicU64::new(CHECK_EVERY_BYTES),
        }
    }

    /// Takes room for some bytes about to be written.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<(), Full> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.quota.max_bytes;
        if fits && self.leaves_enough_free(bytes) {
            return Ok(());
        }
        self.release(bytes);
        Err(Full)
    }

    /// Gives back room of bytes that were removed or never written.
    pub(crate) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes kept.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn leaves_enough_free(&self, bytes: u64) -> bool {
        let unchecked = self.unchecked.fetch_add(bytes, Ordering::Relaxed);
        if unchecked.saturating_add(bytes) < CHECK_EVERY_BYTES {
            return true;
        }
        let enough = match rustix::fs::statvfs(&self.directory) {
            Ok(stat) => {
                let free = stat.f_bavail.saturating_mul(stat.f_frsize);
                free.saturating_sub(bytes) >= self.quota.min_free_bytes
            }
            // A file system that cannot answer will refuse the write itself, if it must.
            Err(_) => true,
        };
        // While there is too little, every reservation asks again.
        let unchecked = if enough { 0 } else { CHECK_EVERY_BYTES };
        self.unchecked.store(unchecked, Ordering::Relaxed);
        enough
    }
}

const GIB: u64 = 1 << 30;
/// Bytes written between two questions to the file system: far less than any sensible floor.
const CHECK_EVERY_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn account(max_bytes: u64, min_free_bytes: u64, used: u64) -> Account {
        Account::new(
            Quota {
                max_bytes,
                min_free_bytes,
            },
            Path::new("/"),
            used,
        )
    }

    #[test]
    fn what_is_there_already_counts_and_what_goes_is_given_back() {
        let account = account(100, 0, 60);
        assert_eq!(account.reserve(41), Err(Full));
        assert_eq!(account.used(), 60);
        assert_eq!(account.reserve(40), Ok(()));
        assert_eq!(account.reserve(1), Err(Full));
        account.release(40);
        assert_eq!(account.reserve(1), Ok(()));
    }

    #[test]
    fn a_disk_below_its_floor_takes_nothing() {
        let account = account(u64::MAX, u64::MAX, 0);
        assert_eq!(account.reserve(1), Err(Full));
        assert_eq!(account.reserve(1), Err(Full), "the answer is not forgotten");
    }
}
