//! printf(3) with awk's values.

use super::value::Value;

/// Widest field or precision; mawk's buffer has 8192 bytes.
const MAX_WIDTH: usize = 8000;

/// One number by CONVFMT or OFMT.
pub(super) fn number(format: &[u8], value: f64) -> Vec<u8> {
    sprintf(format, &[Value::Number(value)], b"%.6g").unwrap_or_default()
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
}

/// What is wrong with a format and its arguments.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mistake {
    /// There are too few arguments.
    Missing,
    /// This conversion, counted from 1, does not exist.
    Conversion(usize),
}

/// The formatted text; or as much of it as came before a mistake.
pub(super) fn sprintf(
    format: &[u8],
    args: &[Value],
    convert: &[u8],
) -> Result<Vec<u8>, (Vec<u8>, Mistake)> {
    let mut out = Vec::new();
    match put_all(&mut out, format, args, convert) {
        Ok(()) => Ok(out),
        Err(mistake) => Err((out, mistake)),
    }
}

fn put_all(
    out: &mut Vec<u8>,
    format: &[u8],
    args: &[Value],
    convert: &[u8],
) -> Result<(), Mistake> {
    let mut args = args.iter();
    let mut conversions = 0;
    let mut at = 0;
    while let Some(&byte) = format.get(at) {
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        if format.get(at) == Some(&b'%') {
            out.push(b'%');
            at += 1;
            continue;
        }
        let start = at - 1;
        conversions += 1;
        let mut flags = Flags::default();
        while let Some(&flag) = format.get(at) {
            match flag {
                b'-' => flags.left = true,
                b'+' => flags.plus = true,
                b' ' => flags.space = true,
                b'#' => flags.alternate = true,
                b'0' => flags.zero = true,
                _ => break,
            }
            at += 1;
        }
        let mut size = |at: &mut usize, left: &mut bool| -> Result<Option<usize>, Mistake> {
            if format.get(*at) == Some(&b'*') {
                *at += 1;
                let value = clamp(args.next().ok_or(Mistake::Missing)?.number());
                *left |= value < 0;
                return Ok(Some(
                    usize::try_from(value.unsigned_abs())
                        .unwrap_or(MAX_WIDTH)
                        .min(MAX_WIDTH),
                ));
            }
            let mut value = None;
            while let Some(digit @ b'0'..=b'9') = format.get(*at) {
                *at += 1;
                value = Some((value.unwrap_or(0) * 10 + usize::from(digit - b'0')).min(MAX_WIDTH));
            }
            Ok(value)
        };
        let width = size(&mut at, &mut flags.left)?.unwrap_or(0);
        let mut precision = None;
        if format.get(at) == Some(&b'.') {
            at += 1;
            precision = Some(size(&mut at, &mut false)?.unwrap_or(0));
        }
        while matches!(format.get(at), Some(b'l' | b'h' | b'L' | b'q')) {
            at += 1;
        }
        let Some(&conversion) = format.get(at) else {
            out.extend_from_slice(format.get(start..).unwrap_or_default());
            break;
        };
        at += 1;
        if !b"scdiouxXeEfFgG".contains(&conversion) {
            return Err(Mistake::Conversion(conversions));
        }
        let value = args.next().ok_or(Mistake::Missing)?;
        let text = convert_one(conversion, flags, precision, value, convert);
        let numeric = !matches!(conversion, b's' | b'c');
        let int_with_precision =
            precision.is_some() && matches!(conversion, b'd' | b'i' | b'o' | b'x' | b'X' | b'u');
        pad(out, &text, width, flags, numeric && !int_with_precision);
    }
    Ok(())
}

/// A number as the int that mawk makes of it.
fn clamp(value: f64) -> i64 {
    if value.is_nan() {
        return i64::from(i32::MIN);
    }
    #[expect(clippy::cast_possible_truncation, reason = "clamped before")]
    let int = value.clamp(-f64::from(i32::MAX), f64::from(i32::MAX)) as i64;
    int
}

fn pad(out: &mut Vec<u8>, text: &[u8], width: usize, flags: Flags, may_zero: bool) {
    let missing = width.saturating_sub(text.len());
    if flags.left {
        out.extend_from_slice(text);
        out.resize(out.len() + missing, b' ');
    } else if flags.zero && may_zero {
        let sign = usize::from(matches!(text.first(), Some(b'-' | b'+' | b' ')));
        let (front, back) = text.split_at(sign.min(text.len()));
        out.extend_from_slice(front);
        out.resize(out.len() + missing, b'0');
        out.extend_from_slice(back);
    } else {
        out.resize(out.len() + missing, b' ');
        out.extend_from_slice(text);
    }
}

fn convert_one(
    conversion: u8,
    flags: Flags,
    precision: Option<usize>,
    value: &Value,
    convert: &[u8],
) -> Vec<u8> {
    match conversion {
        b'c' => match value {
            Value::Text(text) => {
                // Of an empty text it is the byte that ends it.
                vec![text.first().copied().unwrap_or(0)]
            }
            value => vec![
                clamp(value.number())
                    .to_le_bytes()
                    .first()
                    .copied()
                    .unwrap_or_default(),
            ],
        },
        b's' => {
            let mut text = value.to_text(convert).to_vec();
            if let Some(precision) = precision {
                text.truncate(precision);
            }
            text
        }
        b'd' | b'i' => {
            let int = clamp(value.number());
            signed(
                int < 0,
                digits(int.unsigned_abs().to_string(), precision),
                flags,
            )
        }
        b'o' | b'x' | b'X' | b'u' => {
            let int = u64::try_from(clamp(value.number())).unwrap_or(0);
            let text = match conversion {
                b'o' => format!("{int:o}"),
                b'x' => format!("{int:x}"),
                b'X' => format!("{int:X}"),
                _ => int.to_string(),
            };
            let prefix = match conversion {
                b'o' if flags.alternate && int > 0 => "0",
                b'x' if flags.alternate && int > 0 => "0x",
                b'X' if flags.alternate && int > 0 => "0X",
                _ => "",
            };
            [prefix.as_bytes(), &digits(text, precision)].concat()
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let number = value.number();
            signed(
                number.is_sign_negative(),
                floating(conversion, flags, precision, number.abs()),
                flags,
            )
        }
        other => vec![b'%', other],
    }
}

fn digits(text: String, precision: Option<usize>) -> Vec<u8> {
    let missing = precision.unwrap_or(1).saturating_sub(text.len());
    [vec![b'0'; missing], text.into_bytes()].concat()
}

fn signed(negative: bool, text: Vec<u8>, flags: Flags) -> Vec<u8> {
    let sign: &[u8] = match (negative, flags.plus, flags.space) {
        (true, ..) => b"-",
        (false, true, _) => b"+",
        (false, false, true) => b" ",
        (false, false, false) => b"",
    };
    [sign, &text].concat()
}

fn floating(conversion: u8, flags: Flags, precision: Option<usize>, value: f64) -> Vec<u8> {
    let precision = precision.unwrap_or(6).min(1000);
    let upper = conversion.is_ascii_uppercase();
    let text = if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        "inf".to_owned()
    } else {
        match conversion.to_ascii_lowercase() {
            b'f' => format!("{value:.precision$}"),
            b'e' => exponential(value, precision),
            _ => general(value, precision.max(1), flags.alternate),
        }
    };
    if upper {
        text.to_uppercase().into_bytes()
    } else {
        text.into_bytes()
    }
}

fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let scientific = exponential(value, precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i64 = exponent.parse().unwrap_or(0);
    let limit = i64::try_from(precision).unwrap_or(i64::MAX);
    let trim = |text: &str| {
        if alternate || !text.contains('.') {
            return text.to_owned();
        }
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if power < -4 || power >= limit {
        return format!("{}e{exponent}", trim(mantissa));
    }
    let decimals = usize::try_from(limit - 1 - power).unwrap_or(0);
    trim(&format!("{value:.decimals$}"))
}
