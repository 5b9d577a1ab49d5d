//! Microseconds since 1970, and the text that Cowrie writes for them.
//!
//! The clock is read elsewhere. Dates are the proleptic Gregorian calendar in UTC, without leap
//! seconds, as every Unix clock counts.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in UTC, in whole microseconds since 1970-01-01T00:00:00Z.
///
/// Displays as `2026-11-21T02:29:04.271125Z`: always six decimals, always `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(u64);

/// A calendar day in UTC; displays as `2026-11-21`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(u64);

impl Timestamp {
    /// Makes a timestamp of microseconds since 1970; later than the year 9999 becomes its end,
    /// because a fifth digit would break the consumers' parsers.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(if micros > LAST_MICROS {
            LAST_MICROS
        } else {
            micros
        })
    }

    /// Converts a system time; a clock set before 1970 reads as 1970.
    #[must_use]
    pub fn from_system(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The whole seconds since 1970 and the microseconds within the second.
    #[must_use]
    pub const fn split(self) -> (u64, u64) {
        (self.0 / MICROS_PER_SECOND, self.0 % MICROS_PER_SECOND)
    }

    /// The day in UTC.
    #[must_use]
    pub const fn day(self) -> Day {
        Day(self.0 / MICROS_PER_DAY)
    }

    /// The time passed since `earlier`, nothing if the clock went back.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = self.split();
        let second_of_day = seconds % SECONDS_PER_DAY;
        write!(
            f,
            "{}T{:02}:{:02}:{:02}.{micros:06}Z",
            self.day(),
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60,
        )
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Counting from 1 March of the year 0 puts the leap day last in its year, which makes the
        // lengths of all months before it a linear function.
        let days = self.0 + DAYS_FROM_MARCH_OF_YEAR_0_TO_1970;
        let era = days / DAYS_PER_400_YEARS;
        let day_of_era = days % DAYS_PER_400_YEARS;
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

const MICROS_PER_SECOND: u64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
const MICROS_PER_DAY: u64 = SECONDS_PER_DAY * MICROS_PER_SECOND;
const DAYS_PER_400_YEARS: u64 = 146_097;
const DAYS_FROM_MARCH_OF_YEAR_0_TO_1970: u64 = 719_468;
/// 9999-12-31T23:59:59.999999Z.
const LAST_MICROS: u64 = 253_402_300_799_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    // origin: `TZ=UTC date -d @SECONDS` of coreutils 9.1
    #[test]
    fn dates_agree_with_coreutils() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (68_169_599, "1972-02-28T23:59:59"),
            (68_169_600, "1972-02-29T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_800, "2000-03-01T00:00:00"),
            (1_735_689_599, "2024-12-31T23:59:59"),
            (1_795_228_144, "2026-11-21T02:29:04"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (253_402_300_799, "9999-12-31T23:59:59"),
        ] {
            let stamp = Timestamp::from_micros(seconds * 1_000_000 + 42);
            assert_eq!(stamp.to_string(), format!("{text}.000042Z"));
        }
    }

    #[test]
    fn moments_outside_four_digit_years_are_held_at_the_border() {
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Timestamp::from_system(before).as_micros(), 0);
        let far = Timestamp::from_micros(u64::MAX);
        assert_eq!(far.to_string(), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_time_passed() {
        let (early, late) = (Timestamp::from_micros(5), Timestamp::from_micros(9));
        assert_eq!(late.since(early), Duration::from_micros(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
