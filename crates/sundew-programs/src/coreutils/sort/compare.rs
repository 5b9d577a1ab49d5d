//! The orders of sort(1).

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::key::Flags;
use crate::coreutils::version;

/// The order of two keys, `-r` not yet applied.
pub(super) fn by(a: &[u8], b: &[u8], flags: &Flags, salt: u64) -> Ordering {
    if flags.numeric {
        return numeric(a, b);
    }
    if flags.human {
        return human(a).cmp(&human(b)).then_with(|| numeric(a, b));
    }
    if flags.general {
        return general(a).total_cmp_nan_first(general(b));
    }
    if flags.month {
        return month(a).cmp(&month(b));
    }
    if flags.random {
        return hash(a, salt).cmp(&hash(b, salt));
    }
    let (a, b) = if flags.blanks {
        (trimmed(a), trimmed(b))
    } else {
        (a, b)
    };
    if flags.version {
        return version::compare(a, b);
    }
    if flags.dictionary || flags.printing || flags.fold {
        return translated(a, flags).cmp(translated(b, flags));
    }
    a.cmp(b)
}

fn trimmed(text: &[u8]) -> &[u8] {
    let blanks = text
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    text.get(blanks..).unwrap_or_default()
}

fn translated<'a>(text: &'a [u8], flags: &Flags) -> impl Iterator<Item = u8> + use<'a> {
    let flags = *flags;
    text.iter()
        .copied()
        .filter(move |byte| {
            (!flags.dictionary || byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'\t'))
                && (!flags.printing || byte.is_ascii_graphic() || *byte == b' ')
        })
        .map(move |byte| {
            if flags.fold {
                byte.to_ascii_uppercase()
            } else {
                byte
            }
        })
}

/// Sign, digits in front of the point without zeros, digits behind it.
fn parts(text: &[u8]) -> (bool, &[u8], &[u8]) {
    let text = trimmed(text);
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(digits(text));
    let zeros = whole.iter().take_while(|byte| **byte == b'0').count();
    let whole = whole.get(zeros..).unwrap_or_default();
    let fraction = rest.strip_prefix(b".").unwrap_or_default();
    let mut fraction = fraction.get(..digits(fraction)).unwrap_or_default();
    while let Some(shorter) = fraction.strip_suffix(b"0") {
        fraction = shorter;
    }
    (
        negative && !(whole.is_empty() && fraction.is_empty()),
        whole,
        fraction,
    )
}

/// Decimal numbers of any length.
fn numeric(a: &[u8], b: &[u8]) -> Ordering {
    let (negative_a, whole_a, fraction_a) = parts(a);
    let (negative_b, whole_b, fraction_b) = parts(b);
    match (negative_a, negative_b) {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        _ => {}
    }
    let order = whole_a
        .len()
        .cmp(&whole_b.len())
        .then_with(|| whole_a.cmp(whole_b))
        .then_with(|| fraction_a.cmp(fraction_b));
    if negative_a { order.reverse() } else { order }
}

/// The order of magnitude of `2K`, `1G`: the sign times the unit's rank.
fn human(text: &[u8]) -> i32 {
    let (negative, whole, fraction) = parts(text);
    let rest = trimmed(text);
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let unit = rest
        .iter()
        .find(|byte| !(byte.is_ascii_digit() || **byte == b'.'));
    let rank = match unit {
        _ if whole.is_empty() && fraction.is_empty() => 0,
        Some(b'k' | b'K') => 1,
        Some(letter) => b"MGTPEZY"
            .iter()
            .position(|known| known == letter)
            .map_or(0, |at| at + 2),
        None => 0,
    };
    let rank = i32::try_from(rank).unwrap_or(0);
    if negative { -rank } else { rank }
}

/// A floating-point number as strtold(3) reads it: the longest prefix that is one.
fn general(text: &[u8]) -> Option<f64> {
    let text = trimmed(text);
    let most = text.len().min(64);
    (1..=most).rev().find_map(|end| {
        let prefix = std::str::from_utf8(text.get(..end)?).ok()?;
        prefix.parse().ok()
    })
}

trait NanFirst {
    fn total_cmp_nan_first(self, other: Self) -> Ordering;
}

impl NanFirst for Option<f64> {
    /// What is no number comes first, then NaN, then numbers.
    fn total_cmp_nan_first(self, other: Self) -> Ordering {
        match (self, other) {
            (Some(a), Some(b)) => match (a.is_nan(), b.is_nan()) {
                (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
                (a, b) => b.cmp(&a),
            },
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }
}

/// 1 for January; 0 for what is no month.
fn month(text: &[u8]) -> usize {
    const MONTHS: &[&[u8; 3]] = &[
        b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV",
        b"DEC",
    ];
    let start = trimmed(text)
        .get(..3)
        .unwrap_or_default()
        .to_ascii_uppercase();
    MONTHS
        .iter()
        .position(|month| month.as_slice() == start)
        .map_or(0, |at| at + 1)
}

fn hash(text: &[u8], salt: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    salt.hash(&mut hasher);
    text.hash(&mut hasher);
    hasher.finish()
}
