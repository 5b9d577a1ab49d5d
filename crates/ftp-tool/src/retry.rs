//! When to try again, and when to leave it.

use std::time::Duration;

/// How often and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Attempts in a row without a byte gained before it is given up; 1: no second one.
    pub attempts: u32,
    /// Wait before the second attempt.
    pub first_wait: Duration,
    /// Longest wait.
    pub longest_wait: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// Counts the attempts of one job.
#[derive(Clone, Debug)]
pub struct Retry {
    policy: Policy,
    /// Attempts since something was gained.
    failed: u32,
}

impl Retry {
    /// Nothing tried yet.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self { policy, failed: 0 }
    }

    /// An attempt failed in a way that may pass. How long to wait before the next, or `None`: leave it.
    ///
    /// `gained`: whether bytes were transferred, which makes it a new beginning. `dice` from 0 to 1
    /// spreads clients that lost the same server: the wait is between half and all of its length.
    pub fn failed(&mut self, gained: bool, dice: f64) -> Option<Duration> {
        if gained {
            self.failed = 0;
        }
        self.failed += 1;
        if self.failed >= self.policy.attempts {
            return None;
        }
        let doubled = 2_u32.saturating_pow(self.failed - 1);
        let wait = self
            .policy
            .first_wait
            .saturating_mul(doubled)
            .min(self.policy.longest_wait);
        Some(wait.mul_f64(0.5 + 0.5 * dice.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(attempts: u32) -> Policy {
        Policy {
            attempts,
            ..Policy::default()
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut retry = Retry::new(policy(10));
        let waits: Vec<u64> = std::iter::from_fn(|| retry.failed(false, 1.0))
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn a_gain_is_a_new_beginning() {
        let mut retry = Retry::new(policy(3));
        assert!(retry.failed(false, 0.0).is_some() && retry.failed(false, 0.0).is_some());
        assert_eq!(retry.failed(true, 1.0), Some(Duration::from_secs(1)));
        assert!(retry.failed(false, 0.0).is_some());
        assert_eq!(retry.failed(false, 0.0), None);
    }

    #[test]
    fn one_attempt_means_no_second() {
        assert_eq!(Retry::new(policy(1)).failed(true, 0.5), None);
    }

    #[test]
    fn the_dice_halve_a_wait_at_most() {
        let wait = Retry::new(policy(5)).failed(false, 0.0);
        assert_eq!(wait, Some(Duration::from_millis(500)));
    }
}
