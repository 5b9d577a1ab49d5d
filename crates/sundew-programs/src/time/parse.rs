//! Dates as people write them: the `-d` of date(1) and touch(1), gnulib's parse_datetime.
//!
//! Reads ISO dates, `MM/DD/YYYY`, `4 May 2023`, times, zones, weekdays, `@SECONDS`, and relative
//! items (`2 days ago`, `next week`, `yesterday`).

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, ToSpan};
use sundew_vfs::Timestamp;

use super::{MONTHS, Zone, civil};

/// Longest text that is looked at, in bytes; a longer one is no date.
const MAX_BYTES: usize = 1024;

/// The moment that `text` names, seen from `now`; `None` if it names none.
pub(crate) fn parse(text: &[u8], now: Timestamp, zone: &Zone) -> Option<Timestamp> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return epoch(seconds);
    }
    let mut reader = Reader {
        found: Found::default(),
        words: words(text)?,
        at: 0,
    };
    reader.read()?;
    reader.found.moment(now, zone)
}

fn epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let secs: i64 = whole.trim().parse().ok()?;
    let nanos = nanos(fraction)?;
    if secs < 0 && nanos > 0 {
        return Some(Timestamp {
            secs: secs - 1,
            nanos: 1_000_000_000 - nanos,
        });
    }
    Some(Timestamp { secs, nanos })
}

fn nanos(fraction: &str) -> Option<u32> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").get(..9)?.parse().ok()
}

/// What a text is made of.
#[derive(Debug, Clone, PartialEq)]
enum Word {
    Number { text: String, sign: Option<char> },
    Name(String),
    Sign(char),
}

fn words(text: &str) -> Option<Vec<Word>> {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<Word> = Vec::new();
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        let run = |class: fn(&char) -> bool, from: usize| -> String {
            chars
                .get(from..)
                .unwrap_or_default()
                .iter()
                .take_while(|char| class(char))
                .collect()
        };
        if char.is_whitespace() || char == ',' {
            at += 1;
        } else if char == '(' {
            at += 1 + chars.get(at..)?.iter().position(|&char| char == ')')?;
        } else if char.is_ascii_digit() {
            let text = run(char::is_ascii_digit, at);
            at += text.len();
            out.push(Word::Number { text, sign: None });
        } else if (char == '+' || char == '-')
            && chars
                .get(at + 1)
                .is_some_and(|next| next.is_ascii_digit() || *next == ' ')
        {
            at += 1;
            while chars.get(at) == Some(&' ') {
                at += 1;
            }
            let text = run(char::is_ascii_digit, at);
            at += text.len();
            if text.is_empty() {
                return None;
            }
            out.push(Word::Number {
                text,
                sign: Some(char),
            });
        } else if char.is_ascii_alphabetic() {
            let text = run(|char| char.is_ascii_alphabetic() || *char == '.', at);
            at += text.len();
            out.push(Word::Name(text.trim_end_matches('.').to_ascii_lowercase()));
        } else if matches!(char, ':' | '/' | '.' | '-' | '+') {
            at += 1;
            out.push(Word::Sign(char));
        } else {
            return None;
        }
    }
    Some(out)
}

#[derive(Debug, Default)]
struct Found {
    date: Option<(i16, i8, i8)>,
    time: Option<(i8, i8, i8, u32)>,
    /// Seconds east of Greenwich.
    offset: Option<i64>,
    weekday: Option<(i64, i8)>,
    months: i64,
    days: i64,
    seconds: i64,
    relative: bool,
    midnight: bool,
}

impl Found {
    fn moment(&self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let here = now.secs + self.offset.unwrap_or_else(|| zone.offset(now).0);
        let base = civil(here);
        let date = match self.date {
            Some((year, month, day)) => Date::new(year, month, day).ok()?,
            None => base.date(),
        };
        let timeless =
            self.time.is_none() && (self.midnight || self.date.is_some() || self.weekday.is_some());
        let (time, nanos) = match self.time {
            Some((hour, minute, second, nanos)) => {
                (Time::new(hour, minute, second, 0).ok()?, nanos)
            }
            None if timeless => (Time::midnight(), 0),
            None if self.relative => (base.time(), now.nanos),
            None => (Time::midnight(), 0),
        };
        let mut at: DateTime = date.to_datetime(time);
        if self.months != 0 {
            // A day that the month does not have runs over into the next one, as with mktime(3).
            let first = at.date().first_of_month().to_datetime(at.time());
            let over = i64::from(at.day()) - 1;
            at = first
                .checked_add(span(self.months, Span::try_months)?)
                .and_then(|month| month.checked_add(over.days()))
                .ok()?;
        }
        at = at.checked_add(span(self.days, Span::try_days)?).ok()?;
        if let Some((ordinal, day)) = self.weekday {
            let today = i64::from(at.weekday().to_sunday_zero_offset());
            let ahead = (i64::from(day) - today).rem_euclid(7);
            // `next monday` on a Monday is a week ahead, on other days simply the next one.
            let weeks = if ordinal > 0 && ahead != 0 {
                ordinal - 1
            } else {
                ordinal
            };
            at = at
                .checked_add(span(ahead + weeks.checked_mul(7)?, Span::try_days)?)
                .ok()?;
        }
        let local = jiff::tz::Offset::UTC.to_timestamp(at).ok()?.as_second();
        let secs = match self.offset {
            Some(offset) => local.checked_sub(offset)?,
            None => zone.moment_of(local),
        };
        Some(Timestamp {
            secs: secs.checked_add(self.seconds)?,
            nanos,
        })
    }
}

fn span(count: i64, unit: fn(Span, i64) -> Result<Span, jiff::Error>) -> Option<Span> {
    unit(0.days(), count).ok()
}

struct Reader {
    found: Found,
    words: Vec<Word>,
    at: usize,
}

impl Reader {
    fn read(&mut self) -> Option<()> {
        while let Some(word) = self.words.get(self.at).cloned() {
            match word {
                Word::Number { text, sign } => self.number(&text, sign)?,
                Word::Name(name) => {
                    self.at += 1;
                    self.name(&name)?;
                }
                Word::Sign(_) => return None,
            }
        }
        Some(())
    }

    fn sign(&self, ahead: usize) -> Option<char> {
        match self.words.get(self.at + ahead) {
            Some(Word::Sign(char)) => Some(*char),
            Some(Word::Number { sign, .. }) => *sign,
            _ => None,
        }
    }

    fn digits(&self, ahead: usize) -> Option<&str> {
        match self.words.get(self.at + ahead) {
            Some(Word::Number { text, .. }) => Some(text),
            _ => None,
        }
    }

    fn follower(&self, ahead: usize) -> Option<&str> {
        match self.words.get(self.at + ahead) {
            Some(Word::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn number(&mut self, text: &str, sign: Option<char>) -> Option<()> {
        if sign.is_none() {
            if self.sign(1) == Some(':') {
                return self.clock();
            }
            if self.sign(1) == Some('-') && self.digits(1).is_some() && self.sign(2) == Some('-') {
                let (month, day) = (self.digits(1)?.parse().ok()?, self.digits(2)?.parse().ok()?);
                self.at += 3;
                if self.follower(0) == Some("t") {
                    self.at += 1;
                }
                return self.set_date(year(text)?, month, day);
            }
            if self.sign(1) == Some('/') {
                return self.slashes(text);
            }
        }
        let value: i64 = text.parse().ok()?;
        let value = if sign == Some('-') { -value } else { value };
        if let Some(name) = self.follower(1).map(str::to_owned) {
            if let Some(half) = (sign.is_none())
                .then_some(())
                .and_then(|()| meridian(&name))
            {
                self.at += 2;
                return self.set_time(twelve(i8::try_from(value).ok()?, half)?, 0, 0, 0);
            }
            if let Some(month) = month(&name) {
                self.at += 2;
                return self.day_of_month(i8::try_from(value).ok()?, month);
            }
            if self.unit(&name, value).is_some() {
                self.at += 2;
                if self.follower(0) == Some("ago") {
                    self.at += 1;
                    // Taken back once and once more, so that it counts the other way.
                    self.unit(&name, value.checked_mul(-2)?)?;
                }
                return Some(());
            }
        }
        self.at += 1;
        if sign.is_some() && self.found.time.is_some() && self.found.offset.is_none() {
            return self.zone_offset(text, sign);
        }
        match (sign, text.len()) {
            (None, 8) => {
                let (month, day) = (text.get(4..6)?.parse().ok()?, text.get(6..8)?.parse().ok()?);
                self.set_date(year(text.get(..4)?)?, month, day)
            }
            (None, 4) if self.found.date.is_some() && self.found.time.is_some() => {
                self.found.date.as_mut()?.0 = year(text)?;
                Some(())
            }
            (None, 3 | 4) => {
                let split = text.len() - 2;
                self.set_time(
                    text.get(..split)?.parse().ok()?,
                    text.get(split..)?.parse().ok()?,
                    0,
                    0,
                )
            }
            (None, 1 | 2) => self.set_time(i8::try_from(value).ok()?, 0, 0, 0),
            _ => None,
        }
    }

    fn clock(&mut self) -> Option<()> {
        let hour: i8 = self.digits(0)?.parse().ok()?;
        let minute = self.digits(2)?.parse().ok()?;
        self.at += 3;
        let (mut second, mut fraction) = (0, 0);
        if self.sign(0) == Some(':') && self.digits(0).is_none() {
            second = self.digits(1)?.parse().ok()?;
            self.at += 2;
            if self.sign(0) == Some('.') {
                fraction = nanos(self.digits(1)?)?;
                self.at += 2;
            }
        }
        let mut hour = hour;
        if let Some(half) = self.follower(0).and_then(meridian) {
            hour = twelve(hour, half)?;
            self.at += 1;
        }
        self.set_time(hour, minute, second, fraction)
    }

    /// `+02:00`, `-0500`, `+2`.
    fn zone_offset(&mut self, text: &str, sign: Option<char>) -> Option<()> {
        let (hours, mut minutes): (i64, i64) = match text.len() {
            1 | 2 => (text.parse().ok()?, 0),
            4 => (text.get(..2)?.parse().ok()?, text.get(2..)?.parse().ok()?),
            _ => return None,
        };
        if self.sign(0) == Some(':') && self.digits(1).is_some() {
            minutes = self.digits(1)?.parse().ok()?;
            self.at += 2;
        }
        let seconds = hours * 3600 + minutes * 60;
        self.found.offset = Some(if sign == Some('-') { -seconds } else { seconds });
        (seconds <= 24 * 3600).then_some(())
    }

    fn slashes(&mut self, first: &str) -> Option<()> {
        let second = self.digits(2)?.to_owned();
        let third = (self.sign(3) == Some('/'))
            .then(|| self.digits(4))
            .flatten()
            .map(str::to_owned);
        self.at += if third.is_some() { 5 } else { 3 };
        match third {
            Some(day) if first.len() == 4 => {
                self.set_date(year(first)?, second.parse().ok()?, day.parse().ok()?)
            }
            Some(last) => self.set_date(year(&last)?, first.parse().ok()?, second.parse().ok()?),
            None => None,
        }
    }

    fn day_of_month(&mut self, day: i8, month: i8) -> Option<()> {
        let next = self
            .digits(0)
            .filter(|text| text.len() == 4 && self.sign(1) != Some(':'));
        let year = match next.map(str::to_owned) {
            Some(text) => {
                self.at += 1;
                year(&text)?
            }
            None => return None,
        };
        self.set_date(year, month, day)
    }

    fn name(&mut self, name: &str) -> Option<()> {
        match name {
            "now" => self.found.relative = true,
            "today" => self.unit("day", 0)?,
            "yesterday" => self.unit("day", -1)?,
            "tomorrow" => self.unit("day", 1)?,
            "midnight" => self.found.midnight = true,
            "noon" => self.set_time(12, 0, 0, 0)?,
            "utc" | "gmt" | "z" | "ut" => self.found.offset = Some(0),
            "est" => self.found.offset = Some(-5 * 3600),
            "pst" => self.found.offset = Some(-8 * 3600),
            "cet" => self.found.offset = Some(3600),
            "t" => {}
            "last" | "next" | "this" => {
                let ordinal = match name {
                    "last" => -1,
                    "next" => 1,
                    _ => 0,
                };
                let unit = self.follower(0)?.to_owned();
                self.at += 1;
                if let Some(day) = weekday(&unit) {
                    self.found.weekday = Some((ordinal, day));
                } else {
                    self.unit(&unit, ordinal)?;
                }
            }
            name => {
                if let Some(day) = weekday(name) {
                    self.found.weekday = Some((0, day));
                } else if let Some(month) = month(name) {
                    let day = self.digits(0)?.parse().ok()?;
                    self.at += 1;
                    if self.sign(0) != Some(':')
                        && self.digits(0).is_some()
                        && self.sign(1) == Some(':')
                    {
                        // `May 4 10:11:12 2023`: the year stands behind the time.
                        self.found.date = Some((2000, month, day));
                    } else {
                        self.day_of_month(day, month)?;
                    }
                } else {
                    self.unit(name, 1)?;
                    if self.follower(0) == Some("ago") {
                        self.at += 1;
                        self.unit(name, -2)?;
                    }
                }
            }
        }
        Some(())
    }

    fn unit(&mut self, name: &str, count: i64) -> Option<()> {
        let found = &mut self.found;
        let (target, factor) = match name.strip_suffix('s').unwrap_or(name) {
            "year" => (&mut found.months, 12),
            "month" => (&mut found.months, 1),
            "fortnight" => (&mut found.days, 14),
            "week" => (&mut found.days, 7),
            "day" => (&mut found.days, 1),
            "hour" => (&mut found.seconds, 3600),
            "minute" | "min" => (&mut found.seconds, 60),
            "second" | "sec" => (&mut found.seconds, 1),
            _ => return None,
        };
        *target = target.checked_add(count.checked_mul(factor)?)?;
        found.relative = true;
        Some(())
    }

    fn set_date(&mut self, year: i16, month: i8, day: i8) -> Option<()> {
        self.found
            .date
            .replace((year, month, day))
            .is_none()
            .then_some(())
    }

    fn set_time(&mut self, hour: i8, minute: i8, second: i8, nanos: u32) -> Option<()> {
        self.found
            .time
            .replace((hour, minute, second, nanos))
            .is_none()
            .then_some(())
    }
}

fn year(text: &str) -> Option<i16> {
    let year: i16 = text.parse().ok()?;
    Some(match (text.len(), year) {
        (2, 0..=68) => year + 2000,
        (2, _) => year + 1900,
        _ => year,
    })
}

fn month(name: &str) -> Option<i8> {
    let at = MONTHS.iter().position(|month| {
        let month = month.to_ascii_lowercase();
        month == name || month.get(..3) == Some(name) || (name == "sept" && month == "september")
    })?;
    i8::try_from(at + 1).ok()
}

fn weekday(name: &str) -> Option<i8> {
    const DAYS: [&str; 7] = [
        "sunday",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
    ];
    let at = DAYS
        .iter()
        .position(|day| *day == name || (name.len() >= 3 && day.get(..name.len()) == Some(name)))?;
    i8::try_from(at).ok()
}

fn meridian(name: &str) -> Option<i8> {
    match name {
        "am" | "a.m" => Some(0),
        "pm" | "p.m" => Some(12),
        _ => None,
    }
}

fn twelve(hour: i8, half: i8) -> Option<i8> {
    (1..=12).contains(&hour).then_some(hour % 12 + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_mean_what_gnu_date_takes_them_to_mean() {
        // Wednesday, 2024-11-20 10:00:00 UTC.
        let now = Timestamp {
            secs: 1_732_096_800,
            nanos: 0,
        };
        for (text, expected) in [
            ("2023-05-04 10:11:12", Some(1_683_195_072)),
            ("2023-05-04T10:11:12Z", Some(1_683_195_072)),
            ("2023-05-04 12:11:12 +0200", Some(1_683_195_072)),
            ("2023-05-04 12:11:12+02:00", Some(1_683_195_072)),
            ("20230504", Some(1_683_158_400)),
            ("05/04/2023", Some(1_683_158_400)),
            ("4 May 2023", Some(1_683_158_400)),
            ("May 4, 2023 10:11:12", Some(1_683_195_072)),
            ("May 4 10:11:12 2023", Some(1_683_195_072)),
            ("Thu May  4 10:11:12 UTC 2023", Some(1_683_195_072)),
            ("@1683195072", Some(1_683_195_072)),
            ("now", Some(1_732_096_800)),
            ("yesterday", Some(1_732_010_400)),
            ("2 days ago", Some(1_731_924_000)),
            ("-1 hour", Some(1_732_093_200)),
            ("+1 week", Some(1_732_701_600)),
            ("next month", Some(1_734_688_800)),
            ("last year", Some(1_700_474_400)),
            ("next monday", Some(1_732_492_800)),
            ("friday", Some(1_732_233_600)),
            ("12:30", Some(1_732_105_800)),
            ("3pm", Some(1_732_114_800)),
            ("", Some(1_732_060_800)),
            ("nonsense", None),
            ("2023-13-01", None),
            ("25:00", None),
        ] {
            let got = parse(text.as_bytes(), now, &Zone::utc()).map(|moment| moment.secs);
            assert_eq!(got, expected, "{text:?}");
        }
    }
}
