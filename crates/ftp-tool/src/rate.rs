//! A rate limit: how long to wait before so many bytes may pass.

use std::time::{Duration, Instant};

/// Bytes per second, as `--limit-rate` takes them: `500k`, `2M`, `1.5M`.
///
/// # Errors
///
/// A sentence for the user.
pub fn parse_rate(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no rate; examples: 500k, 2M, 100000");
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (text.get(..text.len() - 1), 1024.0),
        Some(b'm' | b'M') => (text.get(..text.len() - 1), 1024.0 * 1024.0),
        Some(b'g' | b'G') => (text.get(..text.len() - 1), 1024.0 * 1024.0 * 1024.0),
        _ => (Some(text), 1.0),
    };
    let digits = digits.unwrap_or_default();
    let plain = !digits.is_empty()
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let rate = number * factor;
    if !plain || !(1.0..=1e15).contains(&rate) {
        return Err(wrong());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "between 1 and 1e15, as checked above"
    )]
    Ok(rate as u64)
}

/// Bytes that may pass now, and how fast more of them come.
#[derive(Debug)]
pub struct Bucket {
    /// Bytes per second.
    rate: f64,
    /// Bytes that may pass at once; below nought: bytes that have passed too early.
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A limit of so many bytes per second, from now on.
    #[must_use]
    pub fn new(bytes_per_second: u64, now: Instant) -> Self {
        let rate = bytes_per_second.max(1) as f64;
        Self {
            rate,
            level: rate * BURST_SECONDS,
            at: now,
        }
    }

    /// Lets `bytes` pass; the caller waits so long before it goes on.
    #[must_use]
    pub fn take(&mut self, bytes: usize, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.level = (self.level + passed * self.rate).min(self.rate * BURST_SECONDS);
        let bytes = bytes as f64;
        self.level -= bytes;
        Duration::from_secs_f64((-self.level / self.rate).max(0.0))
    }

    /// The largest piece worth moving at once, so that the rate is even.
    #[must_use]
    pub fn piece(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "clamped to a range that fits"
        )]
        let piece = (self.rate * BURST_SECONDS).clamp(1024.0, 1024.0 * 1024.0) as usize;
        piece
    }
}

/// How much of a second's bytes may come at once.
const BURST_SECONDS: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_with_their_units() {
        assert_eq!(parse_rate("100"), Ok(100));
        assert_eq!(parse_rate("500k"), Ok(500 * 1024));
        assert_eq!(parse_rate("1.5M"), Ok(1_572_864));
        for bad in ["", "k", "-1", "0", "1e3", "inf", "1T", "nan"] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ten_seconds_worth_of_bytes_take_ten_seconds() {
        let start = Instant::now();
        let mut now = start;
        let mut bucket = Bucket::new(1000, now);
        for _ in 0..100 {
            now += bucket.take(100, now);
        }
        let taken = now - start;
        assert!((9.5..10.5).contains(&taken.as_secs_f64()), "{taken:?}");
    }

    #[test]
    fn time_that_passed_is_not_saved_up() {
        let start = Instant::now();
        let mut bucket = Bucket::new(1000, start);
        let later = start + Duration::from_secs(60);
        assert_eq!(bucket.take(100, later), Duration::ZERO);
        assert!(bucket.take(1000, later) > Duration::from_millis(900));
    }
}
