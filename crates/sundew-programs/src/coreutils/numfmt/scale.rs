//! Numbers with units: reading, rounding, writing.

use sundew_kernel::Process;

use super::{Settings, format};
use crate::quote;

/// Letters of the powers, from the first.
const LETTERS: &[u8] = b"KMGTPEZY";
/// Most digits in front of the point that are written without a unit.
const MAX_DIGITS: usize = 18;

/// How suffixes of the input are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    None,
    Auto,
    Si,
    Iec,
    IecI,
}

impl From {
    pub(super) const WORDS: &[(&str, Self)] = &[
        ("none", Self::None),
        ("auto", Self::Auto),
        ("si", Self::Si),
        ("iec", Self::Iec),
        ("iec-i", Self::IecI),
    ];
}

/// Which suffixes the output has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    None,
    Si,
    Iec,
    IecI,
}

impl To {
    pub(super) const WORDS: &[(&str, Self)] = &[
        ("none", Self::None),
        ("si", Self::Si),
        ("iec", Self::Iec),
        ("iec-i", Self::IecI),
    ];
}

/// Where a number that lies between goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    Up,
    Down,
    FromZero,
    TowardsZero,
    Nearest,
}

impl Round {
    pub(super) const WORDS: &[(&str, Self)] = &[
        ("up", Self::Up),
        ("down", Self::Down),
        ("from-zero", Self::FromZero),
        ("towards-zero", Self::TowardsZero),
        ("nearest", Self::Nearest),
    ];

    fn apply(self, value: f64) -> f64 {
        match self {
            Self::Up => value.ceil(),
            Self::Down => value.floor(),
            Self::FromZero if value < 0.0 => value.floor(),
            Self::FromZero => value.ceil(),
            Self::TowardsZero => value.trunc(),
            Self::Nearest => value.round(),
        }
    }
}

/// `--from-unit`, `--to-unit`: a whole number with a unit such as `K` or `Ki`.
pub(super) fn unit_size(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = if number.is_empty() {
        1
    } else {
        std::str::from_utf8(number).ok()?.parse().ok()?
    };
    let base: u64 = match unit {
        [] => 1,
        [_] => 1000,
        [_, b'i'] => 1024,
        _ => return None,
    };
    let power = match unit.first() {
        None => 0,
        Some(letter) => LETTERS.iter().position(|known| known == letter)? + 1,
    };
    let size = number.checked_mul(base.checked_pow(u32::try_from(power).ok()?)?)?;
    (size > 0 && !text.is_empty()).then_some(size)
}

/// A field as it is to be shown, without padding; else the complaint.
pub(super) fn number(
    proc: &Process,
    settings: &Settings,
    field: &[u8],
) -> Result<Vec<u8>, Vec<u8>> {
    let mut text = field;
    if let Some(suffix) = &settings.suffix
        && text.len() > suffix.len()
    {
        text = text.strip_suffix(suffix.as_slice()).unwrap_or(text);
    }
    let (value, precision) = read(proc, settings.from, text)?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "units are small; the original computes in floating point as well"
    )]
    let scaled = if settings.from_unit == 1 && settings.to_unit == 1 {
        value
    } else {
        value * settings.from_unit as f64 / settings.to_unit as f64
    };
    let user = settings.format.as_ref().and_then(|format| format.precision);
    let magnitude = integer_digits(scaled);
    if settings.to == To::None && magnitude + user.unwrap_or(precision) > MAX_DIGITS {
        let shown = format::general(scaled);
        let text = if user.unwrap_or(precision) > 0 {
            format!(
                "value/precision too large to be printed: '{shown}/{}' (consider using --to)",
                user.unwrap_or(precision)
            )
        } else {
            format!("value too large to be printed: '{shown}' (consider using --to)")
        };
        return Err(text.into_bytes());
    }
    let mut shown = write(settings, scaled, user, precision);
    if let Some(suffix) = &settings.suffix {
        shown.extend_from_slice(suffix);
    }
    Ok(shown)
}

fn integer_digits(value: f64) -> usize {
    let mut left = value.abs();
    let mut digits = 0;
    while left >= 10.0 && digits < 64 {
        left /= 10.0;
        digits += 1;
    }
    digits
}

/// Value and digits behind the point; else the complaint.
fn read(proc: &Process, from: From, text: &[u8]) -> Result<(f64, usize), Vec<u8>> {
    let said = |words: &str| {
        let shown = quote::text(proc, text);
        [words.as_bytes(), b" ", &shown].concat()
    };
    let negative = text.first() == Some(&b'-');
    let body = text.get(usize::from(negative)..).unwrap_or_default();
    let whole = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = whole;
    let mut precision = 0;
    if body.get(whole) == Some(&b'.') {
        let rest = body.get(whole + 1..).unwrap_or_default();
        precision = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        end = whole + 1 + precision;
        if precision == 0 {
            return Err(said("invalid number:"));
        }
    }
    if whole == 0 && precision == 0 {
        return Err(said("invalid number:"));
    }
    let (digits, suffix) = body.split_at(end);
    let value: f64 = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| said("invalid number:"))?;
    let value = if negative { -value } else { value };
    // Blanks may stand between number and suffix.
    let blanks = suffix
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let suffix = suffix.get(blanks..).unwrap_or_default();
    let Some((letter, mut rest)) = suffix.split_first() else {
        return Ok((value, precision));
    };
    let Some(power) = LETTERS.iter().position(|known| known == letter) else {
        return Err(said("invalid suffix in input:"));
    };
    if from == From::None {
        let shown = quote::text(proc, text);
        return Err([
            b"rejecting suffix in input: ".as_slice(),
            &shown,
            b" (consider using --from)",
        ]
        .concat());
    }
    let mut base: f64 = match from {
        From::Iec | From::IecI => 1024.0,
        _ => 1000.0,
    };
    if from == From::Auto && rest.first() == Some(&b'i') {
        base = 1024.0;
        rest = rest.get(1..).unwrap_or_default();
    }
    if from == From::IecI {
        match rest.split_first() {
            Some((b'i', tail)) => rest = tail,
            _ => {
                let shown = quote::text(proc, text);
                return Err([
                    b"missing 'i' suffix in input: ".as_slice(),
                    &shown,
                    b" (e.g Ki/Mi/Gi)",
                ]
                .concat());
            }
        }
    }
    if !rest.is_empty() {
        let (shown, left) = (quote::text(proc, text), quote::text(proc, rest));
        return Err([b"invalid suffix in input ".as_slice(), &shown, b": ", &left].concat());
    }
    let power = i32::try_from(power + 1).unwrap_or(0);
    // A unit makes a whole number of the digits behind the point, but for what is left of them.
    let value = value * base.powi(power);
    Ok((value, if value.fract() == 0.0 { 0 } else { precision }))
}

fn write(settings: &Settings, value: f64, user: Option<usize>, precision: usize) -> Vec<u8> {
    if settings.to == To::None {
        let digits = user.unwrap_or(precision);
        let shift = 10f64.powi(i32::try_from(digits).unwrap_or(0));
        let rounded = settings.round.apply(value * shift) / shift;
        return format!("{rounded:.digits$}").into_bytes();
    }
    let base: f64 = if settings.to == To::Si {
        1000.0
    } else {
        1024.0
    };
    let (mut value, mut power) = (value, 0usize);
    while value.abs() >= base && power < LETTERS.len() {
        value /= base;
        power += 1;
    }
    let digits = match user {
        Some(user) => user.min(power * 3),
        None => usize::from(value.abs() < 10.0 && power > 0),
    };
    let shift = 10f64.powi(i32::try_from(digits).unwrap_or(0));
    let mut rounded = settings.round.apply(value * shift) / shift;
    let mut show_point = match user {
        Some(_) => true,
        None => rounded != 0.0 && rounded.abs() < 10.0 && power > 0,
    };
    if rounded.abs() >= base && power < LETTERS.len() {
        rounded /= base;
        power += 1;
        show_point = user.is_some() || (rounded.abs() < 10.0 && power > 0);
    }
    let shown_digits = match user {
        Some(user) => user,
        None => usize::from(show_point),
    };
    let mut text = format!("{rounded:.shown_digits$}").into_bytes();
    if let Some(letter) = power.checked_sub(1).and_then(|at| LETTERS.get(at)) {
        text.push(*letter);
        if settings.to == To::IecI {
            text.push(b'i');
        }
    }
    text
}
