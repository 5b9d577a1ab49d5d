//! Bytes that machines may send to those who look at them: so many of one machine, and of a source and of
//! the sensor so many in an hour.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sundew_vfs::pool::{Holder, OWN_PART};

/// The time in which all that was used comes back.
const COMES_BACK_IN: Duration = Duration::from_secs(3600);
/// How often what came back is counted: every machine asks at every slice.
const COUNTED_EVERY_MILLIS: u64 = 1000;
/// Before the first count.
const NEVER: u64 = u64::MAX;

/// See the module. What is spent here is spent above as well.
#[derive(Debug)]
pub(crate) struct Allowance {
    of: Holder,
    most: u64,
    left: AtomicU64,
    /// When it was last counted what came back, in milliseconds of monotonic time.
    counted_at: AtomicU64,
    above: Option<Arc<Self>>,
}

impl Allowance {
    pub(crate) fn new(of: Holder, most: u64, above: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self {
            of,
            most,
            left: AtomicU64::new(most),
            counted_at: AtomicU64::new(NEVER),
            above,
        })
    }

    /// Who has none left. A source has a part of its own whatever others of the sensor have used.
    pub(crate) fn spent(&self) -> Option<Holder> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Some(self.of);
        }
        let own = self.of == Holder::Source && self.most - left <= self.most / OWN_PART;
        let above = self.above.as_ref().filter(|_| !own);
        above.and_then(|above| above.spent())
    }

    /// Counts bytes that were sent, the last of which may be more than was left.
    pub(crate) fn spend(&self, bytes: u64) {
        self.change(|left| left.saturating_sub(bytes));
        if let Some(above) = &self.above {
            above.spend(bytes);
        }
    }

    /// Gives back what has come back by `now`, here and above. A machine's does not come back.
    pub(crate) fn accrue(&self, now: Duration) {
        if self.of != Holder::Machine {
            self.accrue_own(u64::try_from(now.as_millis()).unwrap_or(NEVER - 1));
        }
        if let Some(above) = &self.above {
            above.accrue(now);
        }
    }

    fn accrue_own(&self, now: u64) {
        let at = self.counted_at.load(Ordering::Relaxed);
        let passed = if at == NEVER {
            0
        } else {
            now.saturating_sub(at)
        };
        if at != NEVER && passed < COUNTED_EVERY_MILLIS {
            return;
        }
        let mine = self
            .counted_at
            .compare_exchange(at, now, Ordering::Relaxed, Ordering::Relaxed);
        if mine.is_ok() && passed > 0 {
            let gained = u128::from(self.most) * u128::from(passed) / COMES_BACK_IN.as_millis();
            let gained = u64::try_from(gained).unwrap_or(u64::MAX);
            self.change(|left| left.saturating_add(gained).min(self.most));
        }
    }

    /// Whether nothing is used.
    pub(crate) fn is_full(&self) -> bool {
        self.left.load(Ordering::Relaxed) == self.most
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        let _before = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(change(left))
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_has_sent_comes_back_within_the_hour() {
        let seconds = Duration::from_secs;
        let sensor = Allowance::new(Holder::Sensor, 1 << 20, None);
        let source = Allowance::new(Holder::Source, 3600, Some(Arc::clone(&sensor)));
        let machine = Allowance::new(Holder::Machine, 5000, Some(Arc::clone(&source)));
        machine.accrue(seconds(10));
        machine.spend(4000);
        assert_eq!(machine.spent(), Some(Holder::Source));
        machine.accrue(seconds(11));
        assert_eq!(machine.spent(), None);
        machine.spend(1000);
        assert_eq!(machine.spent(), Some(Holder::Machine));
        machine.accrue(seconds(3700));
        assert!(source.is_full() && sensor.is_full());
        assert_eq!(machine.spent(), Some(Holder::Machine));
    }

    #[test]
    fn a_source_has_its_part_when_others_have_used_the_sensors() {
        let sensor = Allowance::new(Holder::Sensor, 100, None);
        let greedy = Allowance::new(Holder::Source, 160, Some(Arc::clone(&sensor)));
        let modest = Allowance::new(Holder::Source, 160, Some(Arc::clone(&sensor)));
        greedy.spend(100);
        assert_eq!(greedy.spent(), Some(Holder::Sensor));
        assert_eq!(modest.spent(), None);
        modest.spend(11);
        assert_eq!(modest.spent(), Some(Holder::Sensor));
    }
}
