//! `sprintf`.

use super::number::{general, shown};
use super::value::Value;

/// Widest field and longest precision; perl's end with memory.
const MAX_WIDTH: usize = 1 << 16;
/// Longest text that is made, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 32 << 20;

/// Formats values: perlfunc(1), sprintf. `None` is a text that is too long.
#[expect(
    clippy::too_many_lines,
    reason = "one directive, from its flags to its padding"
)]
pub(super) fn sprintf(format: &[u8], values: &[Value]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut values = values.iter().cloned();
    let mut at = 0;
    while let Some(&byte) = format.get(at) {
        if out.len() > MAX_TEXT_BYTES {
            return None;
        }
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let start = at;
        let (mut left, mut zero, mut plus, mut space, mut alternate) =
            (false, false, false, false, false);
        while let Some(&flag) = format.get(at) {
            match flag {
                b'-' => left = true,
                b'0' => zero = true,
                b'+' => plus = true,
                b' ' => space = true,
                b'#' => alternate = true,
                _ => break,
            }
            at += 1;
        }
        let mut read_number = |at: &mut usize| -> Option<i64> {
            if format.get(*at) == Some(&b'*') {
                *at += 1;
                return Some(values.next().unwrap_or_default().integer());
            }
            let rest = format.get(*at..).unwrap_or_default();
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let text = String::from_utf8_lossy(rest.get(..count).unwrap_or_default()).into_owned();
            *at += count;
            text.parse().ok()
        };
        let width = read_number(&mut at);
        left |= width.is_some_and(|width| width < 0);
        let width = usize::try_from(width.unwrap_or(0).unsigned_abs())
            .unwrap_or(0)
            .min(MAX_WIDTH);
        let mut precision = None;
        if format.get(at) == Some(&b'.') {
            at += 1;
            let number = read_number(&mut at).unwrap_or(0);
            precision = usize::try_from(number)
                .ok()
                .map(|number| number.min(MAX_WIDTH));
        }
        while matches!(format.get(at), Some(b'l' | b'h' | b'q' | b'L' | b'V')) {
            at += 1;
        }
        let Some(&letter) = format.get(at) else {
            out.push(b'%');
            out.extend_from_slice(format.get(start..).unwrap_or_default());
            break;
        };
        at += 1;
        if letter == b'%' {
            out.push(b'%');
            continue;
        }
        let value = values.next().unwrap_or_default();
        let signed = |negative: bool| {
            if negative {
                "-"
            } else if plus {
                "+"
            } else if space {
                " "
            } else {
                ""
            }
        };
        let (sign, body) = match letter {
            b'c' => {
                let mut text = Vec::new();
                super::parse::push_character(
                    u32::try_from(value.integer()).unwrap_or(0xfffd),
                    &mut text,
                );
                (String::new(), text)
            }
            b's' => {
                let mut text = value.bytes();
                text.truncate(precision.unwrap_or(usize::MAX));
                (String::new(), text)
            }
            b'd' | b'i' => {
                let number = value.integer();
                let digits = number.unsigned_abs().to_string();
                (signed(number < 0).to_owned(), padded(&digits, precision))
            }
            b'u' | b'x' | b'X' | b'o' | b'b' | b'B' => {
                #[expect(
                    clippy::cast_sign_loss,
                    reason = "%x of a negative number shows its two's complement"
                )]
                let number = value.integer() as u64;
                let (digits, prefix) = match letter {
                    b'u' => (number.to_string(), ""),
                    b'x' => (format!("{number:x}"), "0x"),
                    b'X' => (format!("{number:X}"), "0X"),
                    b'o' => (format!("{number:o}"), "0"),
                    _ => (format!("{number:b}"), "0b"),
                };
                let prefix = if alternate && number != 0 { prefix } else { "" };
                (prefix.to_owned(), padded(&digits, precision))
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                let number = value.number();
                let size = number.abs();
                let text = if !number.is_finite() {
                    shown(size)
                } else {
                    match letter.to_ascii_lowercase() {
                        b'f' => format!("{size:.*}", precision.unwrap_or(6)),
                        b'e' => exponential(size, precision.unwrap_or(6)),
                        _ => general(size, precision.unwrap_or(6), alternate),
                    }
                };
                let text = if letter.is_ascii_uppercase() {
                    text.to_uppercase()
                } else {
                    text
                };
                (
                    signed(number.is_sign_negative() && number != 0.0).to_owned(),
                    text.into_bytes(),
                )
            }
            b'v' => {
                at += 1;
                let text = value.bytes();
                // `$^V` is a version already.
                let version = text.strip_prefix(b"v").map(<[u8]>::to_vec);
                if let Some(version) = version.filter(|rest| rest.contains(&b'.')) {
                    out.extend(version);
                    continue;
                }
                let text: Vec<String> = text.iter().map(u8::to_string).collect();
                (String::new(), text.join(".").into_bytes())
            }
            other => (String::new(), vec![b'%', other]),
        };
        let fill = width.saturating_sub(sign.len() + body.len());
        let zero = zero && !left && !(precision.is_some() && b"diuxXob".contains(&letter));
        let pad = |byte: u8| std::iter::repeat_n(byte, fill);
        if !left && !zero {
            out.extend(pad(b' '));
        }
        out.extend_from_slice(sign.as_bytes());
        if zero {
            out.extend(pad(b'0'));
        }
        out.extend(body);
        if left {
            out.extend(pad(b' '));
        }
    }
    Some(out)
}

fn padded(digits: &str, precision: Option<usize>) -> Vec<u8> {
    let zeros = precision.unwrap_or(0).saturating_sub(digits.len());
    [vec![b'0'; zeros], digits.as_bytes().to_vec()].concat()
}

fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
