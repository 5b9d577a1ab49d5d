//! What moves, counted: progress bars, the rate limit, the numbers of the summary.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::rate::Bucket;

/// Counts one transfer (or all of a mirror); clones count together.
#[derive(Clone, Debug)]
pub struct Meter {
    bar: ProgressBar,
    moved: Arc<AtomicU64>,
    /// Of what this is a part.
    whole: Option<Arc<AtomicU64>>,
    limit: Option<Arc<Mutex<Bucket>>>,
}

impl Meter {
    /// A meter that drives this bar and obeys this limit, which others may share.
    #[must_use]
    pub fn new(bar: ProgressBar, limit: Option<Arc<Mutex<Bucket>>>) -> Self {
        Self {
            bar,
            moved: Arc::default(),
            whole: None,
            limit,
        }
    }

    /// A meter that shows nothing and limits nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(ProgressBar::hidden(), None)
    }

    /// A meter with a count of its own, which counts here as well.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            bar: self.bar.clone(),
            moved: Arc::default(),
            whole: Some(Arc::clone(&self.moved)),
            limit: self.limit.clone(),
        }
    }

    /// So many bytes have moved.
    pub fn moved(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.fetch_add(bytes, Ordering::Relaxed);
        }
        self.bar.inc(bytes);
    }

    /// Bytes that have moved so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// How long to wait after so many bytes, so that the rate is kept.
    #[must_use]
    pub fn wait(&self, bytes: usize) -> Duration {
        match &self.limit {
            None => Duration::ZERO,
            Some(limit) => limit
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(bytes, Instant::now()),
        }
    }

    /// Most bytes to move at once, so that the rate is even.
    #[must_use]
    pub fn piece(&self) -> usize {
        match &self.limit {
            None => usize::MAX,
            Some(limit) => limit.lock().unwrap_or_else(PoisonError::into_inner).piece(),
        }
    }

    /// The bar, for its texts.
    #[must_use]
    pub const fn bar(&self) -> &ProgressBar {
        &self.bar
    }
}
