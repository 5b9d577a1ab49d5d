//! Latencies, and what is said of many of them.

use std::time::Duration;

/// Latencies of operations on a schedule.
#[derive(Debug, Default, Clone)]
pub(crate) struct Samples {
    latencies: Vec<Duration>,
    /// Operations that failed or did not end; they count as [`GIVE_UP`].
    failed: usize,
    first_failure: Option<String>,
}

/// How long one operation may take; what takes longer counts as this and as a failure.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(20);

impl Samples {
    /// Adds an operation that took so long.
    pub(crate) fn add(&mut self, latency: Duration) {
        self.latencies.push(latency);
    }

    /// Adds an operation of a sequence with one every `interval`, which waits for its predecessor.
    ///
    /// While this one was slow, others were due that could not start: they are added with what was
    /// left of the wait. Without them a stall of ten seconds would be one sample among hundreds.
    pub(crate) fn add_in_sequence(&mut self, latency: Duration, interval: Duration) {
        let mut rest = latency;
        loop {
            self.latencies.push(rest);
            match rest.checked_sub(interval) {
                Some(left) if !interval.is_zero() && !left.is_zero() => rest = left,
                _ => return,
            }
        }
    }

    /// Adds an operation that failed.
    pub(crate) fn fail(&mut self, why: impl std::fmt::Display) {
        self.failed += 1;
        self.latencies.push(GIVE_UP);
        self.first_failure.get_or_insert_with(|| why.to_string());
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }

    pub(crate) fn first_failure(&self) -> Option<&str> {
        self.first_failure.as_deref()
    }

    /// Nearest-rank percentiles.
    pub(crate) fn summary(mut self) -> Summary {
        self.latencies.sort_unstable();
        let rank = |percent: usize| {
            let index = (self.latencies.len() * percent)
                .div_ceil(100)
                .saturating_sub(1);
            self.latencies.get(index).copied().unwrap_or_default()
        };
        Summary {
            count: self.latencies.len(),
            failed: self.failed,
            p50: rank(50),
            p99: rank(99),
            max: rank(100),
        }
    }
}

/// What is said of many latencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) failed: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// Milliseconds with as many digits as mean something.
pub(crate) fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    if millis < 10.0 {
        format!("{millis:.2}")
    } else if millis < 1000.0 {
        format!("{millis:.0}")
    } else {
        format!("{:.1} s", millis / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let mut samples = Samples::default();
        for ms in 1..=200 {
            samples.add(Duration::from_millis(ms));
        }
        let summary = samples.summary();
        assert_eq!(summary.p50, Duration::from_millis(100));
        assert_eq!(summary.p99, Duration::from_millis(198));
        assert_eq!(summary.max, Duration::from_millis(200));
    }

    #[test]
    fn a_stall_counts_for_everything_that_was_due_meanwhile() {
        let mut samples = Samples::default();
        samples.add_in_sequence(Duration::from_millis(50), Duration::from_millis(20));
        assert_eq!(samples.latencies, [50, 30, 10].map(Duration::from_millis));
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert_eq!(Samples::default().summary(), Summary::default());
    }

    #[test]
    fn milliseconds_have_the_digits_that_mean_something() {
        assert_eq!(millis(Duration::from_micros(1234)), "1.23");
        assert_eq!(millis(Duration::from_millis(123)), "123");
        assert_eq!(millis(Duration::from_millis(14_250)), "14.2 s");
    }
}
