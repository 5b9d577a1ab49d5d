//! How busy a machine is: the processes that want a processor, and the averages that `uptime` shows.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::lock;

/// Minutes of the three averages.
const MINUTES: [f64; 3] = [1.0, 5.0, 15.0];

/// The load of one machine.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Processes that were put aside while they computed.
    ready: AtomicU32,
    average: Mutex<Average>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Average {
    /// Monotonic.
    at: Duration,
    ready: u32,
    over: [f64; 3],
}

impl Average {
    /// The averages at a later time, when as many were ready as were last counted.
    fn until(self, now: Duration) -> Self {
        let minutes = now.saturating_sub(self.at).as_secs_f64() / 60.0;
        let mut next = Self { at: now, ..self };
        for (value, period) in next.over.iter_mut().zip(MINUTES) {
            let kept = (-minutes / period).exp();
            *value = *value * kept + f64::from(self.ready) * (1.0 - kept);
        }
        next
    }
}

impl Load {
    /// How many want a processor and have none.
    pub(crate) fn ready(&self) -> u32 {
        self.ready.load(Ordering::Relaxed)
    }

    pub(crate) fn enter(&self) {
        self.ready.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.ready.fetch_sub(1, Ordering::Relaxed);
    }

    /// Called whenever the machine has run, so that what is ready now counts until the next time.
    pub(crate) fn note(&self, now: Duration) {
        let ready = self.ready();
        let mut average = lock(&self.average);
        if average.ready != ready {
            *average = average.until(now);
            average.ready = ready;
        }
    }

    /// The averages over 1, 5 and 15 minutes, in hundredths.
    pub(crate) fn hundredths(&self, now: Duration) -> [u32; 3] {
        let average = lock(&self.average).until(now);
        average.over.map(rounded)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to some hundred thousand: a mean of counts of processes"
)]
fn rounded(value: f64) -> u32 {
    (value * 100.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_computes_for_a_minute_counts_as_it_does_on_linux() {
        let load = Load::default();
        let minute = Duration::from_secs(60);
        load.note(minute);
        load.enter();
        load.note(minute);
        assert_eq!(load.hundredths(2 * minute), [63, 18, 6]);
        load.leave();
        load.note(2 * minute);
        assert_eq!(load.hundredths(3 * minute), [23, 15, 6]);
        assert_eq!(load.hundredths(500 * minute), [0, 0, 0]);
    }
}
