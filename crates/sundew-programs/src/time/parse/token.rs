//! The words of a date.

use sundew_vfs::Timestamp;

use super::Half;
use crate::time::{MONTHS, WEEKDAYS, Zone};

/// Longest word, in bytes; no word that means something is longer.
const MAX_WORD: usize = 20;
/// Half a year, in seconds: how far away the zone's other name is looked for.
const HALF_YEAR: i64 = 182 * 86400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) value: i64,
    /// Digits it was written with, which tell `0930` from `930`.
    pub(super) digits: usize,
    pub(super) signed: bool,
    pub(super) negative: bool,
    pub(super) decimal: bool,
    pub(super) nanos: u32,
}

impl Number {
    pub(super) fn of(value: i64) -> Self {
        Self {
            value,
            digits: 1,
            signed: false,
            negative: false,
            decimal: false,
            nanos: 0,
        }
    }

    pub(super) fn zero() -> Self {
        Self::of(0)
    }
}

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Years,
    Months,
    /// As many days.
    Days(i64),
    /// As many seconds.
    Seconds(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Number(Number),
    Month(i64),
    /// Days since Sunday.
    Day(i64),
    Ordinal(i64),
    Unit(Unit),
    /// Days from today.
    Shift(i64),
    /// `ago` and `hence`: what a count before it is multiplied by.
    Ago(i64),
    Half(Half),
    /// Seconds east of Greenwich.
    Zone(i64),
    /// The same, of a zone that has summer time now: the offset of its winter.
    Summer(i64),
    /// A name of the machine's own zone.
    Local(i64),
    /// The letter `T`: a zone, or what stands between an ISO date and its time.
    Military,
    Dst,
    Sign(u8),
}

/// Takes a text apart; `None` where a word means nothing.
pub(super) fn read(text: &[u8], now: Timestamp, zone: &Zone) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if byte.is_ascii_whitespace() || byte == 0x0b {
            rest = after;
        } else if byte.is_ascii_digit() || byte == b'+' || byte == b'-' {
            let mut digits = rest;
            if !byte.is_ascii_digit() {
                digits = after.trim_ascii_start();
                if !digits.first().is_some_and(u8::is_ascii_digit) {
                    // A sign before something else is passed over.
                    rest = digits;
                    continue;
                }
            }
            let (number, behind) = number(digits, byte)?;
            out.push(Token::Number(number));
            rest = behind;
        } else if byte.is_ascii_alphabetic() {
            let length = rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'.')
                .count();
            let (word, behind) = rest.split_at_checked(length)?;
            let word = word.get(..word.len().min(MAX_WORD)).unwrap_or_default();
            out.push(self::word(&word.to_ascii_uppercase(), now, zone)?);
            rest = behind;
        } else if byte == b'(' {
            rest = comment(rest);
        } else {
            out.push(Token::Sign(byte));
            rest = after;
        }
    }
    Some(out)
}

/// What stands behind a text in parentheses.
fn comment(text: &[u8]) -> &[u8] {
    let mut depth = 0usize;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return text.get(at + 1..).unwrap_or_default();
        }
    }
    b""
}

fn number(text: &[u8], sign: u8) -> Option<(Number, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, mut rest) = text.split_at_checked(digits)?;
    let negative = sign == b'-';
    let mut value = whole.iter().try_fold(0i64, |value, digit| {
        value
            .checked_mul(10)?
            .checked_add(i64::from(digit.wrapping_sub(b'0')))
    })?;
    if negative {
        value = -value;
    }
    let mut nanos = 0;
    let mut decimal = false;
    if let Some(fraction) = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b","))
        && fraction.first().is_some_and(u8::is_ascii_digit)
    {
        decimal = true;
        let digits = fraction
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (fraction, behind) = fraction.split_at_checked(digits)?;
        rest = behind;
        let mut digits = fraction.iter().chain(std::iter::repeat(&b'0'));
        for _ in 0..9 {
            let digit = digits.next().map_or(0, |digit| digit.wrapping_sub(b'0'));
            nanos = nanos * 10 + u32::from(digit);
        }
        if negative && nanos > 0 {
            // The fraction always counts forward.
            value = value.checked_sub(1)?;
            nanos = 1_000_000_000 - nanos;
        }
    }
    let number = Number {
        value,
        digits,
        signed: !sign.is_ascii_digit(),
        negative,
        decimal,
        nanos,
    };
    Some((number, rest))
}

fn word(word: &[u8], now: Timestamp, zone: &Zone) -> Option<Token> {
    let word = std::str::from_utf8(word).ok()?;
    match word {
        "AM" | "A.M." => return Some(Token::Half(Half::Morning)),
        "PM" | "P.M." => return Some(Token::Half(Half::Afternoon)),
        "SEPT" => return Some(Token::Month(9)),
        "TUES" => return Some(Token::Day(2)),
        "WEDNES" => return Some(Token::Day(3)),
        "THUR" | "THURS" => return Some(Token::Day(4)),
        "DST" => return Some(Token::Dst),
        "AGO" => return Some(Token::Ago(-1)),
        "HENCE" => return Some(Token::Ago(1)),
        _ => {}
    }
    let short = word.len() == 3 || (word.len() == 4 && word.ends_with('.'));
    let named = |names: &[&str]| {
        names.iter().position(|name| {
            let name = name.to_ascii_uppercase();
            name == word || (short && word.get(..3) == name.get(..3))
        })
    };
    if let Some(month) = named(&MONTHS) {
        return Some(Token::Month(i64::try_from(month).ok()? + 1));
    }
    if let Some(day) = named(&WEEKDAYS) {
        return Some(Token::Day(i64::try_from(day).ok()?));
    }
    if let Some(found) = zone_name(word, now, zone) {
        return Some(found);
    }
    if let Some(unit) = unit(word).or_else(|| unit(word.strip_suffix('S')?)) {
        return Some(Token::Unit(unit));
    }
    let ordinals = [
        "THIS", "NEXT", "", "THIRD", "FOURTH", "FIFTH", "SIXTH", "SEVENTH", "EIGHTH", "NINTH",
        "TENTH", "ELEVENTH", "TWELFTH",
    ];
    if let Some(at) = ordinals.iter().position(|name| *name == word) {
        return Some(Token::Ordinal(i64::try_from(at).ok()?));
    }
    match word {
        "TOMORROW" => return Some(Token::Shift(1)),
        "YESTERDAY" => return Some(Token::Shift(-1)),
        "TODAY" | "NOW" => return Some(Token::Shift(0)),
        "LAST" => return Some(Token::Ordinal(-1)),
        "FIRST" => return Some(Token::Ordinal(1)),
        "T" => return Some(Token::Military),
        _ => {}
    }
    if let [letter] = word.as_bytes() {
        return military(*letter);
    }
    let bare: String = word.chars().filter(|char| *char != '.').collect();
    (bare != word)
        .then(|| zone_name(&bare, now, zone))
        .flatten()
}

/// The letters of navigators: hours east of Greenwich.
fn military(letter: u8) -> Option<Token> {
    let hours = match letter {
        b'A'..=b'I' => i64::from(letter - b'A') + 1,
        b'K'..=b'M' => i64::from(letter - b'K') + 10,
        b'N'..=b'Y' => -i64::from(letter - b'N') - 1,
        b'Z' => 0,
        _ => return None,
    };
    Some(Token::Zone(hours * 3600))
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "YEAR" => Unit::Years,
        "MONTH" => Unit::Months,
        "FORTNIGHT" => Unit::Days(14),
        "WEEK" => Unit::Days(7),
        "DAY" => Unit::Days(1),
        "HOUR" => Unit::Seconds(3600),
        "MINUTE" | "MIN" => Unit::Seconds(60),
        "SECOND" | "SEC" => Unit::Seconds(1),
        _ => return None,
    })
}

fn zone_name(word: &str, now: Timestamp, zone: &Zone) -> Option<Token> {
    if matches!(word, "GMT" | "UT" | "UTC") {
        return Some(Token::Zone(0));
    }
    for away in [0, HALF_YEAR] {
        let (offset, name) = zone.offset(Timestamp {
            secs: now.secs.saturating_add(away),
            nanos: 0,
        });
        if name.eq_ignore_ascii_case(word) {
            return Some(Token::Local(offset));
        }
    }
    let (minutes, summer) = match word {
        "WET" => (0, false),
        "WEST" | "BST" => (0, true),
        "ART" | "BRT" => (-3 * 60, false),
        "BRST" => (-3 * 60, true),
        "NST" => (-(3 * 60 + 30), false),
        "NDT" => (-(3 * 60 + 30), true),
        "AST" | "CLT" => (-4 * 60, false),
        "ADT" | "CLST" => (-4 * 60, true),
        "EST" => (-5 * 60, false),
        "EDT" => (-5 * 60, true),
        "CST" => (-6 * 60, false),
        "CDT" => (-6 * 60, true),
        "MST" => (-7 * 60, false),
        "MDT" => (-7 * 60, true),
        "PST" => (-8 * 60, false),
        "PDT" => (-8 * 60, true),
        "AKST" => (-9 * 60, false),
        "AKDT" => (-9 * 60, true),
        "HST" | "HAST" => (-10 * 60, false),
        "HADT" => (-10 * 60, true),
        "SST" => (-12 * 60, false),
        "WAT" | "CET" | "MET" | "MEZ" => (60, false),
        "CEST" | "MEST" | "MESZ" => (60, true),
        "EET" | "CAT" | "SAST" => (2 * 60, false),
        "EEST" => (2 * 60, true),
        "EAT" | "MSK" => (3 * 60, false),
        "MSD" => (3 * 60, true),
        "IST" => (5 * 60 + 30, false),
        "SGT" => (8 * 60, false),
        "KST" | "JST" => (9 * 60, false),
        "GST" => (10 * 60, false),
        "NZST" => (12 * 60, false),
        "NZDT" => (12 * 60, true),
        _ => return None,
    };
    Some(if summer {
        Token::Summer(minutes * 60)
    } else {
        Token::Zone(minutes * 60)
    })
}
