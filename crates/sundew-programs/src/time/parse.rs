//! Dates as people write them: the `-d` of date(1) and touch(1), with the grammar of gnulib's
//! parse_datetime, whose odd corners (`31 Jan 10:30` is no date, `12:00 -2 hours` a zone) are kept.

mod token;

use sundew_vfs::Timestamp;

use super::{Zone, days_of, fields};
use token::{Number, Token};

/// Longest text that is looked at, in bytes; a longer one is no date.
const MAX_BYTES: usize = 1024;
/// The longest that a zone may be off Greenwich, in minutes.
const MAX_ZONE_MINUTES: i64 = 24 * 60;

/// The moment that `text` names, seen from `now`; `None` if it names none.
pub(crate) fn parse(text: &[u8], now: Timestamp, zone: &Zone) -> Option<Timestamp> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut reader = Reader {
        found: Found::new(now, zone),
        tokens: token::read(text, now, zone)?,
        at: 0,
    };
    if let Some(Token::Sign(b'@')) = reader.peek(0) {
        return reader.epoch();
    }
    if reader.tokens.is_empty() {
        reader.tokens.push(Token::Number(Number::zero()));
    }
    while reader.peek(0).is_some() {
        reader.item()?;
    }
    reader.found.moment(zone)
}

/// The zone of a text that begins with `TZ="NAME"`, and what stands behind it.
pub(crate) fn zone_prefix(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.trim_ascii_start().strip_prefix(b"TZ=\"")?;
    let mut name = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (&next, after) = rest.split_first()?;
                if next != b'"' && next != b'\\' {
                    return None;
                }
                name.push(next);
                rest = after;
            }
            byte => name.push(byte),
        }
    }
}

/// Which half of the day an hour is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

/// What a text has said so far.
#[derive(Debug)]
struct Found {
    dates: usize,
    days: usize,
    times: usize,
    zones: usize,
    summers: usize,
    relative: bool,
    /// The year and the digits it was written with.
    year: (i64, usize),
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    half: Option<Half>,
    /// Seconds east of Greenwich.
    offset: i64,
    ordinal: i64,
    weekday: i64,
    add: Added,
}

/// Relative items, added up.
#[derive(Debug, Default, Clone, Copy)]
struct Added {
    years: i64,
    months: i64,
    days: i64,
    seconds: i64,
    nanos: i64,
}

impl Found {
    fn new(now: Timestamp, zone: &Zone) -> Self {
        let here = fields(now.secs.saturating_add(zone.offset(now).0));
        Self {
            dates: 0,
            days: 0,
            times: 0,
            zones: 0,
            summers: 0,
            relative: false,
            year: (here.year, 0),
            month: here.month,
            day: here.day,
            hour: here.hour,
            minute: here.minute,
            second: here.second,
            nanos: now.nanos,
            half: None,
            offset: 0,
            ordinal: 0,
            weekday: 0,
            add: Added::default(),
        }
    }

    fn moment(&self, zone: &Zone) -> Option<Timestamp> {
        if [self.times, self.dates, self.days, self.summers, self.zones]
            .iter()
            .any(|count| *count > 1)
        {
            return None;
        }
        let year = match self.year {
            (year, 2) if year < 69 => year + 2000,
            (year, 2) => year + 1900,
            (year, _) => year,
        };
        let timed = self.times > 0 || (self.relative && self.dates == 0 && self.days == 0);
        let (hour, minute, second, nanos) = if timed {
            let hour = match self.half {
                None if (0..24).contains(&self.hour) => self.hour,
                Some(half) if (1..=12).contains(&self.hour) => {
                    self.hour % 12 + if half == Half::Afternoon { 12 } else { 0 }
                }
                _ => return None,
            };
            (hour, self.minute, self.second, self.nanos)
        } else {
            (0, 0, 0, 0)
        };
        let mut day = days_of(year, self.month, self.day)?;
        // What the calendar or the clock would carry over is no date.
        let shown = fields(day.checked_mul(86400)?);
        if (shown.year, shown.month, shown.day) != (year, self.month, self.day)
            || !(0..60).contains(&minute)
            || !(0..60).contains(&second)
        {
            return None;
        }
        if self.days > 0 && self.dates == 0 {
            // 1970-01-01 was a Thursday.
            let today = (day + 4).rem_euclid(7);
            let later = i64::from(self.ordinal > 0 && today != self.weekday);
            let weeks = self.ordinal.checked_sub(later)?.checked_mul(7)?;
            day = day.checked_add((self.weekday - today).rem_euclid(7).checked_add(weeks)?)?;
        }
        let add = self.add;
        if (add.years, add.months, add.days) != (0, 0, 0) {
            let date = fields(day.checked_mul(86400)?);
            let months = date
                .year
                .checked_add(add.years)?
                .checked_mul(12)?
                .checked_add(date.month - 1)?
                .checked_add(add.months)?;
            day = days_of(months.div_euclid(12), months.rem_euclid(12) + 1, date.day)?
                .checked_add(add.days)?;
        }
        let local = day
            .checked_mul(86400)?
            .checked_add(hour * 3600 + minute * 60 + second)?;
        let start = if self.zones > 0 {
            local.checked_sub(self.offset)?
        } else {
            zone.moment_of(local)
        };
        let nanos = i64::from(nanos).checked_add(add.nanos)?;
        Some(Timestamp {
            secs: start
                .checked_add(add.seconds)?
                .checked_add(nanos.div_euclid(1_000_000_000))?,
            nanos: u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?,
        })
    }

    /// A number that stands alone: a year behind a date, else a day or a time of day.
    fn digits(&mut self, number: Number) {
        if self.dates > 0
            && self.year.1 == 0
            && !self.relative
            && (self.times > 0 || number.digits > 2)
        {
            self.year = (number.value, number.digits);
        } else if number.digits > 4 {
            self.dates += 1;
            self.day = number.value % 100;
            self.month = number.value / 100 % 100;
            self.year = (number.value / 10_000, number.digits - 4);
        } else {
            self.times += 1;
            (self.hour, self.minute) = if number.digits <= 2 {
                (number.value, 0)
            } else {
                (number.value / 100, number.value % 100)
            };
            (self.second, self.nanos, self.half) = (0, 0, None);
        }
    }

    fn time(&mut self, hour: i64, minute: i64, seconds: Number, half: Option<Half>) {
        self.times += 1;
        (self.hour, self.minute, self.second) = (hour, minute, seconds.value);
        (self.nanos, self.half) = (seconds.nanos, half);
    }

    fn date(&mut self, year: Option<(i64, usize)>, month: i64, day: i64) {
        self.dates += 1;
        self.year = year.unwrap_or(self.year);
        (self.month, self.day) = (month, day);
    }

    fn zone(&mut self, seconds: i64) {
        self.zones += 1;
        self.offset = seconds;
    }

    fn weekday(&mut self, ordinal: i64, weekday: i64) {
        self.days += 1;
        (self.ordinal, self.weekday) = (ordinal, weekday);
    }

    /// `count` units, `factor` times (-1 for `ago`).
    fn relative(&mut self, unit: token::Unit, count: Number, factor: i64) -> Option<()> {
        self.relative = true;
        let amount = count.value.checked_mul(factor)?;
        let add = &mut self.add;
        let (target, size) = match unit {
            token::Unit::Years => (&mut add.years, 1),
            token::Unit::Months => (&mut add.months, 1),
            token::Unit::Days(size) => (&mut add.days, size),
            token::Unit::Seconds(size) => {
                add.nanos = add.nanos.checked_add(i64::from(count.nanos) * factor)?;
                (&mut add.seconds, size)
            }
        };
        *target = target.checked_add(amount.checked_mul(size)?)?;
        Some(())
    }
}

struct Reader {
    found: Found,
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.at + ahead).copied()
    }

    /// The next token, if it is a number that has no sign and is whole.
    fn plain(&self, ahead: usize) -> Option<Number> {
        match self.peek(ahead) {
            Some(Token::Number(number)) if !number.signed && !number.decimal => Some(number),
            _ => None,
        }
    }

    /// The next token, if it is a whole number with a sign.
    fn signed(&self, ahead: usize) -> Option<Number> {
        match self.peek(ahead) {
            Some(Token::Number(number)) if number.signed && !number.decimal => Some(number),
            _ => None,
        }
    }

    fn is(&self, ahead: usize, byte: u8) -> bool {
        self.peek(ahead) == Some(Token::Sign(byte))
    }

    fn epoch(&self) -> Option<Timestamp> {
        let Some(Token::Number(number)) = self.peek(1) else {
            return None;
        };
        if self.peek(2).is_some() {
            return None;
        }
        Some(Timestamp {
            secs: number.value,
            nanos: number.nanos,
        })
    }

    fn item(&mut self) -> Option<()> {
        let token = self.peek(0)?;
        match token {
            Token::Number(number) if number.signed || number.decimal => self.counted(number),
            Token::Number(number) => self.number(number),
            Token::Month(month) => self.month(month),
            Token::Day(day) => {
                self.at += 1;
                if self.is(0, b',') {
                    self.at += 1;
                }
                self.found.weekday(0, day);
                Some(())
            }
            Token::Ordinal(ordinal) => {
                match self.peek(1)? {
                    Token::Day(day) => {
                        self.at += 2;
                        self.found.weekday(ordinal, day);
                    }
                    Token::Unit(_) => {
                        self.at += 1;
                        self.unit(Number::of(ordinal))?;
                    }
                    _ => return None,
                }
                Some(())
            }
            Token::Unit(_) => self.unit(Number::of(1)),
            Token::Shift(days) => {
                self.at += 1;
                self.found
                    .relative(token::Unit::Days(1), Number::of(days), 1)
            }
            Token::Zone(seconds) => self.zone(seconds),
            Token::Military => self.zone(-7 * 3600),
            Token::Summer(seconds) => {
                self.at += 1;
                self.found.zone(seconds + 3600);
                Some(())
            }
            Token::Local(seconds) => {
                self.at += 1;
                if self.peek(0) == Some(Token::Dst) {
                    self.at += 1;
                }
                self.found.zone(seconds);
                Some(())
            }
            Token::Dst | Token::Ago(_) | Token::Half(_) | Token::Sign(_) => None,
        }
    }

    /// The unit here, counted, perhaps with `ago` behind it.
    fn unit(&mut self, count: Number) -> Option<()> {
        let Some(Token::Unit(unit)) = self.peek(0) else {
            return None;
        };
        if count.decimal && unit != token::Unit::Seconds(1) {
            return None;
        }
        self.at += 1;
        let factor = match self.peek(0) {
            Some(Token::Ago(factor)) => {
                self.at += 1;
                factor
            }
            _ => 1,
        };
        self.found.relative(unit, count, factor)
    }

    /// A signed or fractional number, which only a unit can follow.
    fn counted(&mut self, number: Number) -> Option<()> {
        self.at += 1;
        self.unit(number)
    }

    fn zone(&mut self, seconds: i64) -> Option<()> {
        let bare = self.peek(0) == Some(Token::Military);
        self.at += 1;
        if self.peek(0) == Some(Token::Dst) && !bare {
            self.at += 1;
            self.found.zone(seconds + 3600);
            return Some(());
        }
        if let Some(number) = self.signed(0) {
            if matches!(self.peek(1), Some(Token::Unit(_))) {
                self.found.zone(seconds);
                return self.counted(number);
            }
            if bare {
                return None;
            }
            let more = self.zone_offset()?;
            self.found.zone(seconds + more);
            return Some(());
        }
        self.found.zone(seconds);
        Some(())
    }

    /// `+0200`, `-5`, `+02:00`: seconds east of Greenwich.
    fn zone_offset(&mut self) -> Option<i64> {
        let number = self.signed(0)?;
        self.at += 1;
        let mut minutes = None;
        if self.is(0, b':') {
            minutes = Some(self.plain(1)?.value);
            self.at += 2;
        }
        let value = number.value;
        let total = match minutes {
            None if number.digits <= 2 => value.checked_mul(60)?,
            None => (value / 100).checked_mul(60)?.checked_add(value % 100)?,
            Some(minutes) => {
                let minutes = if number.negative { -minutes } else { minutes };
                value.checked_mul(60)?.checked_add(minutes)?
            }
        };
        (total.abs() <= MAX_ZONE_MINUTES).then_some(total * 60)
    }

    fn optional_zone(&mut self) -> Option<()> {
        if self.signed(0).is_some() {
            let offset = self.zone_offset()?;
            self.found.zone(offset);
        }
        Some(())
    }

    /// What begins with a number without a sign.
    fn number(&mut self, number: Number) -> Option<()> {
        match self.peek(1) {
            Some(Token::Half(half)) => {
                self.at += 2;
                self.found.time(number.value, 0, Number::zero(), Some(half));
                Some(())
            }
            Some(Token::Sign(b':')) => self.clock(),
            Some(Token::Sign(b'/')) => self.slashes(number),
            Some(Token::Day(day)) => {
                self.at += 2;
                self.found.weekday(number.value, day);
                Some(())
            }
            Some(Token::Unit(_)) => {
                self.at += 1;
                self.unit(number)
            }
            Some(Token::Month(month)) => {
                self.at += 2;
                if let Some(year) = self.plain(0) {
                    self.at += 1;
                    self.found
                        .date(Some((year.value, year.digits)), month, number.value);
                } else if let Some(year) = self.signed(0) {
                    self.at += 1;
                    self.found
                        .date(Some((-year.value, year.digits)), month, number.value);
                } else {
                    self.found.date(None, month, number.value);
                }
                Some(())
            }
            Some(Token::Number(next)) if next.signed && !next.decimal => {
                if let Some(third) = self.signed(2) {
                    self.at += 3;
                    self.found.date(
                        Some((number.value, number.digits)),
                        -next.value,
                        -third.value,
                    );
                    if self.peek(0) == Some(Token::Military) {
                        self.at += 1;
                        return self.iso_time();
                    }
                    return Some(());
                }
                self.at += 1;
                if matches!(self.peek(1), Some(Token::Unit(_))) {
                    self.found.digits(number);
                    return self.counted(next);
                }
                self.found.time(number.value, 0, Number::zero(), None);
                self.optional_zone()
            }
            _ => {
                self.at += 1;
                self.found.digits(number);
                Some(())
            }
        }
    }

    /// The time behind the `T` of an ISO date.
    fn iso_time(&mut self) -> Option<()> {
        let hour = self.plain(0)?;
        if self.is(1, b':') {
            let before = self.found.half;
            self.clock()?;
            return (self.found.half == before).then_some(());
        }
        // An hour alone needs a zone to be a time; otherwise the `T` was one.
        self.signed(1)?;
        self.at += 1;
        self.found.time(hour.value, 0, Number::zero(), None);
        self.optional_zone()
    }

    fn clock(&mut self) -> Option<()> {
        let (hour, minute) = (self.plain(0)?, self.plain(2)?);
        self.at += 3;
        let mut seconds = Number::zero();
        if self.is(0, b':') {
            match self.peek(1)? {
                Token::Number(number) if !number.signed => seconds = number,
                _ => return None,
            }
            self.at += 2;
        }
        if let Some(Token::Half(half)) = self.peek(0) {
            self.at += 1;
            self.found
                .time(hour.value, minute.value, seconds, Some(half));
            return Some(());
        }
        self.found.time(hour.value, minute.value, seconds, None);
        self.optional_zone()
    }

    /// `MM/DD`, `MM/DD/YY` or `YYYY/MM/DD`.
    fn slashes(&mut self, first: Number) -> Option<()> {
        let second = self.plain(2)?;
        self.at += 3;
        if !self.is(0, b'/') {
            self.found.date(None, first.value, second.value);
            return Some(());
        }
        let third = self.plain(1)?;
        self.at += 2;
        if first.digits >= 4 {
            let year = Some((first.value, first.digits));
            self.found.date(year, second.value, third.value);
        } else {
            let year = Some((third.value, third.digits));
            self.found.date(year, first.value, second.value);
        }
        Some(())
    }

    /// What begins with the name of a month.
    fn month(&mut self, month: i64) -> Option<()> {
        if let Some(day) = self.plain(1) {
            self.at += 2;
            if self.is(0, b',') {
                let year = self.plain(1)?;
                self.at += 2;
                self.found
                    .date(Some((year.value, year.digits)), month, day.value);
            } else {
                self.found.date(None, month, day.value);
            }
            return Some(());
        }
        let (day, year) = (self.signed(1)?, self.signed(2)?);
        self.at += 3;
        self.found
            .date(Some((-year.value, year.digits)), month, -day.value);
        Some(())
    }
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
