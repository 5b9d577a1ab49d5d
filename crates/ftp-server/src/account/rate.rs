//! A speed that several transfers share.

use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes a second.
///
/// Kept as the moment when all that was taken will be paid for: whoever takes bytes moves it onward
/// and waits until it is near. Transfers that share a rate take turns by themselves.
#[derive(Debug)]
pub(super) struct Rate {
    bytes_per_second: NonZeroU64,
    paid: Mutex<Option<Instant>>,
}

impl Rate {
    pub(super) const fn new(bytes_per_second: NonZeroU64) -> Self {
        Self {
            bytes_per_second,
            paid: Mutex::new(None),
        }
    }

    /// Takes bytes; gives how long to wait before taking more.
    pub(super) fn take(&self, bytes: u64, now: Instant) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second.get());
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        // Time in which nothing was taken is lost, but for one burst.
        let floor = now.checked_sub(BURST).unwrap_or(now);
        let from = paid.map_or(floor, |paid| paid.max(floor));
        let until = from.checked_add(cost).unwrap_or(from);
        *paid = Some(until);
        until.saturating_duration_since(now)
    }

    /// Bytes of about a tenth of a second.
    pub(super) fn step(&self) -> usize {
        let tenth = self.bytes_per_second.get() / 10;
        usize::try_from(tenth).unwrap_or(usize::MAX).max(MIN_STEP)
    }
}

/// How much a transfer may be ahead after a pause.
const BURST: Duration = Duration::from_millis(200);

/// Fewer bytes at a time would cost more than they carry.
const MIN_STEP: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_over_time_and_a_pause_earns_a_short_burst_only() {
        let rate = Rate::new(NonZeroU64::new(1000).unwrap());
        let start = Instant::now();
        assert_eq!(rate.take(200, start), Duration::ZERO);
        assert_eq!(rate.take(1000, start), Duration::from_secs(1));
        assert_eq!(rate.take(1000, start), Duration::from_secs(2));
        let later = start + Duration::from_secs(100);
        assert_eq!(rate.take(1200, later), Duration::from_secs(1));
    }

    #[test]
    fn no_number_of_bytes_overflows_the_clock() {
        let rate = Rate::new(NonZeroU64::MIN);
        for _ in 0..3 {
            rate.take(u64::MAX, Instant::now());
        }
        assert_eq!(rate.step(), MIN_STEP);
    }
}
