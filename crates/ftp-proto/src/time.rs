//! Times as FTP writes them, and the little calendar that listings need.
//!
//! RFC 3659 §2.3: `YYYYMMDDHHMMSS[.frac]`, always UTC. No clock is read here; times come in as
//! seconds since 1970-01-01 00:00 UTC.

/// A moment in UTC, to the second; the calendar is the proleptic Gregorian one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Timestamp {
    /// The moment, if the fields name one: year 0 to 9999, second up to 60 for a leap second.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Self> {
        let fits = year <= 9999
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        fits.then_some(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
    }

    /// The moment so many seconds after (or before) 1970; clamped to the years 0 to 9999.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        let seconds = seconds.clamp(MIN_UNIX, MAX_UNIX);
        let days = seconds.div_euclid(86_400);
        let within = seconds.rem_euclid(86_400);
        // Days are counted from 0000-03-01, so that the leap day ends a year.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or_default(),
            month: small(month),
            day: small(day),
            hour: small(within / 3600),
            minute: small(within / 60 % 60),
            second: small(within % 60),
        }
    }

    /// Seconds since 1970; a leap second counts as the first of the next minute.
    #[must_use]
    pub fn to_unix(self) -> i64 {
        let month = i64::from(self.month);
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let march_month = (month + 9) % 12;
        let day_of_year = (153 * march_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        days * 86_400
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(self.second)
    }

    /// Reads `YYYYMMDDHHMMSS`, with a fraction that is checked and dropped.
    ///
    /// Some servers of the last century wrote the year 2000 as `19100`; that is not read.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (whole, rest) = text.split_at_checked(14)?;
        let fraction_fits = match rest.split_first() {
            None => true,
            Some((b'.', digits)) => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
            Some(_) => false,
        };
        let field = |from, to| crate::address::parse_number::<u16>(whole.get(from..to)?);
        let byte = |from, to| field(from, to).and_then(|value| u8::try_from(value).ok());
        if !fraction_fits {
            return None;
        }
        Self::new(
            field(0, 4)?,
            byte(4, 6)?,
            byte(6, 8)?,
            byte(8, 10)?,
            byte(10, 12)?,
            byte(12, 14)?,
        )
    }

    /// Appends `YYYYMMDDHHMMSS` to `out`.
    pub fn write(self, out: &mut Vec<u8>) {
        push_number(self.year.into(), 4, b'0', out);
        for part in [self.month, self.day, self.hour, self.minute, self.second] {
            push_number(part.into(), 2, b'0', out);
        }
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, from 1.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    /// The hour, 0 to 23.
    #[must_use]
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// The minute.
    #[must_use]
    pub const fn minute(self) -> u8 {
        self.minute
    }

    /// The second, 0 to 60.
    #[must_use]
    pub const fn second(self) -> u8 {
        self.second
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:04}{:02}{:02}{:02}{:02}{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

/// Appends a number in decimal, filled up in front to a width; `write!` takes several times as long.
pub(crate) fn push_number(value: u64, width: usize, fill: u8, out: &mut Vec<u8>) {
    // 2^64 has twenty digits.
    let mut digits = [fill; 20];
    let mut rest = value;
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    let shown = used.max(width.min(digits.len()));
    out.extend_from_slice(digits.get(digits.len() - shown..).unwrap_or_default());
}

/// English abbreviations, January first: what `ls` and every FTP server write.
pub(crate) const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// 0000-01-01 00:00:00 UTC.
const MIN_UNIX: i64 = -62_167_219_200;
/// 9999-12-31 23:59:59 UTC.
const MAX_UNIX: i64 = 253_402_300_799;

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// A calendar field, which always fits.
fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_filled_and_never_cut() {
        let number = |value, width, fill| {
            let mut out = Vec::new();
            push_number(value, width, fill, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(number(0, 1, b' '), "0");
        assert_eq!(number(7, 3, b' '), "  7");
        assert_eq!(number(7, 2, b'0'), "07");
        assert_eq!(number(12_345, 2, b'0'), "12345");
        assert_eq!(number(u64::MAX, 12, b' '), u64::MAX.to_string());
    }

    #[test]
    fn known_moments_agree_with_date() {
        // From `date -u -d @N +%Y%m%d%H%M%S`.
        for (unix, text) in [
            (0, "19700101000000"),
            (951_782_400, "20000229000000"),
            (1_709_164_799, "20240228235959"),
            (4_107_542_400, "21000301000000"),
            (-1, "19691231235959"),
            (MIN_UNIX, "00000101000000"),
            (MAX_UNIX, "99991231235959"),
        ] {
            assert_eq!(Timestamp::from_unix(unix).to_string(), text);
            assert_eq!(Timestamp::parse(text.as_bytes()).unwrap().to_unix(), unix);
        }
    }

    #[test]
    fn moments_that_do_not_exist_are_refused() {
        for bad in [
            &b"20230229000000"[..],
            b"20231301000000",
            b"20230101240000",
            b"20230101000061",
            b"2023010100000",
            b"20230101000000.",
            b"20230101000000x",
            b"+0230101000000",
        ] {
            assert_eq!(Timestamp::parse(bad), None);
        }
        assert!(Timestamp::parse(b"19980615100045.014").is_some());
        assert!(Timestamp::parse(b"19981231235960").is_some());
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(unix in MIN_UNIX..=MAX_UNIX) {
            let moment = Timestamp::from_unix(unix);
            prop_assert_eq!(moment.to_unix(), unix);
            prop_assert_eq!(Timestamp::parse(moment.to_string().as_bytes()), Some(moment));
        }
    }
}
