//! `--format`: what stands around the number, its width and its digits.

use super::super::float;

/// A format with one `%f` in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Format {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
    /// Negative: to the left.
    pub(super) width: i64,
    pub(super) zeros: bool,
    pub(super) precision: Option<usize>,
}

/// What is wrong with a format, before and behind the format itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) &'static str, pub(super) &'static str);

/// Most digits behind the point, and widest field.
const MAX_NUMBER: usize = 4096;

impl Format {
    pub(super) fn parse(text: &[u8]) -> Result<Self, Wrong> {
        let mut format = Self::default();
        let mut at = literal(text, 0, &mut format.before);
        if text.get(at).is_none() {
            return Err(Wrong("format ", " has no % directive"));
        }
        at += 1;
        let mut left = false;
        while let Some(flag) = text.get(at) {
            match flag {
                b'\'' | b' ' => {}
                b'-' => left = true,
                b'0' => format.zeros = true,
                _ => break,
            }
            at += 1;
        }
        let (width, next) = digits(text, at);
        at = next;
        let width = i64::try_from(width.unwrap_or(0)).unwrap_or(0);
        format.width = if left { -width } else { width };
        if text.get(at) == Some(&b'.') {
            let (precision, next) = digits(text, at + 1);
            at = next;
            format.precision = Some(precision.unwrap_or(0));
        }
        match text.get(at) {
            None => return Err(Wrong("format ", " ends in %")),
            Some(b'f') => at += 1,
            Some(_) => {
                return Err(Wrong(
                    "invalid format ",
                    ", directive must be %[0]['][-][N][.][N]f",
                ));
            }
        }
        let end = literal(text, at, &mut format.after);
        if text.get(end).is_some() {
            return Err(Wrong("format ", " has too many % directives"));
        }
        Ok(format)
    }
}

/// Copies up to a `%` that is none of its own; where that is.
fn literal(text: &[u8], mut at: usize, out: &mut Vec<u8>) -> usize {
    while let Some(&byte) = text.get(at) {
        if byte == b'%' {
            if text.get(at + 1) != Some(&b'%') {
                break;
            }
            at += 1;
        }
        out.push(byte);
        at += 1;
    }
    at
}

fn digits(text: &[u8], at: usize) -> (Option<usize>, usize) {
    let rest = text.get(at..).unwrap_or_default();
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = rest
        .get(..count)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse::<usize>().ok())
        .map(|number| number.min(MAX_NUMBER));
    (number, at + count)
}

/// A number in its place.
pub(super) fn framed(format: Option<&Format>, number: &[u8], padding: i64) -> Vec<u8> {
    let width = usize::try_from(padding.unsigned_abs()).unwrap_or(0);
    let missing = width.saturating_sub(number.len());
    let mut field = Vec::with_capacity(width.max(number.len()));
    if format.is_some_and(|format| format.zeros) && padding > 0 {
        let sign = usize::from(number.first() == Some(&b'-'));
        field.extend_from_slice(number.get(..sign).unwrap_or_default());
        field.extend(std::iter::repeat_n(b'0', missing));
        field.extend_from_slice(number.get(sign..).unwrap_or_default());
    } else if padding > 0 {
        field.extend(std::iter::repeat_n(b' ', missing));
        field.extend_from_slice(number);
    } else {
        field.extend_from_slice(number);
        field.extend(std::iter::repeat_n(b' ', missing));
    }
    match format {
        Some(format) => [format.before.as_slice(), &field, &format.after].concat(),
        None => field,
    }
}

/// `%Lg`.
pub(super) fn general(value: f64) -> String {
    float::format(value, b'g', None, false)
}
