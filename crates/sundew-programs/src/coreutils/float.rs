//! Floating-point numbers as printf(3) writes them: `%f`, `%e`, `%g`, `%a`.

/// Most digits behind the point; a larger precision is cut to it.
pub(crate) const MAX_PRECISION: usize = 4096;

/// Formats without width and sign flags.
pub(crate) fn format(
    value: f64,
    conversion: u8,
    precision: Option<usize>,
    alternate: bool,
) -> String {
    let upper = conversion.is_ascii_uppercase();
    let text = if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        (if value < 0.0 { "-inf" } else { "inf" }).to_owned()
    } else {
        let digits = precision.unwrap_or(6).min(MAX_PRECISION);
        match conversion.to_ascii_lowercase() {
            b'f' => format!("{value:.digits$}"),
            b'e' => exponent(value, digits),
            b'a' => hexadecimal(value),
            _ => shortest(value, digits.max(1), alternate),
        }
    };
    if upper {
        text.to_ascii_uppercase()
    } else {
        text
    }
}

/// `1.5e+03`: at least two digits of exponent.
fn exponent(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.abs())
}

/// `%g`: whichever is shorter, without zeros at the end unless `alternate`.
fn shortest(value: f64, digits: usize, alternate: bool) -> String {
    let scientific = exponent(value, digits - 1);
    let power: i32 = scientific
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0);
    let digits = i32::try_from(digits).unwrap_or(i32::MAX);
    let trim = |text: &str| -> String {
        if alternate || !text.contains('.') {
            return text.to_owned();
        }
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if power < -4 || power >= digits {
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
        return format!("{}e{power}", trim(mantissa));
    }
    let behind = usize::try_from(digits - 1 - power).unwrap_or(0);
    trim(&format!("{value:.behind$}"))
}

/// `0x8p-3`, normalized as the x87's long double is.
fn hexadecimal(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value == 0.0 {
        return format!("{sign}0x0p+0");
    }
    let bits = value.to_bits();
    let power = i64::try_from(bits >> 52 & 0x7ff).unwrap_or(0) - 1023;
    // 64 bits of mantissa, the first of them 1: four in front of the point.
    let mantissa = (bits & ((1 << 52) - 1) | 1 << 52) << 11;
    let (whole, rest) = (
        mantissa >> 60,
        format!("{:015x}", mantissa & ((1 << 60) - 1)),
    );
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    let power = power - 3;
    let plus = if power < 0 { "" } else { "+" };
    format!("{sign}0x{whole:x}{point}{rest}p{plus}{power}")
}

/// A number as strtold(3) reads it: decimal or hexadecimal, how many bytes it has.
pub(crate) fn parse(text: &str) -> Option<(f64, usize)> {
    let start = text.len() - text.trim_start().len();
    let body = text.get(start..)?;
    let signs = usize::from(body.starts_with(['-', '+']));
    let digits = body.get(signs..)?;
    let negative = body.starts_with('-');
    let sign = |value: f64| if negative { -value } else { value };
    if let Some(hex) = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        let count = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        let value = hex.bytes().take(count).fold(0.0, |value, byte| {
            value * 16.0 + f64::from(char::from(byte).to_digit(16).unwrap_or(0))
        });
        if count > 0 {
            return Some((sign(value), start + signs + 2 + count));
        }
    }
    let most = digits.len().min(400);
    (1..=most).rev().find_map(|end| {
        let prefix = digits.get(..end)?;
        // Rust's own words for infinity are those of C as well.
        let value: f64 = prefix
            .parse()
            .ok()
            .filter(|_| !prefix.starts_with(['+', '-']))?;
        Some((sign(value), start + signs + end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_in_c() {
        for (value, conversion, precision, expected) in [
            (1.23456, b'f', Some(2), "1.23"),
            (12345.678, b'e', None, "1.234568e+04"),
            (0.0001, b'g', None, "0.0001"),
            (0.00001, b'g', None, "1e-05"),
            (1e6, b'g', None, "1e+06"),
            (123456.0, b'g', None, "123456"),
            (1.0, b'a', None, "0x8p-3"),
            (f64::INFINITY, b'F', None, "INF"),
        ] {
            assert_eq!(format(value, conversion, precision, false), expected);
        }
        assert_eq!(parse("12.5abc"), Some((12.5, 4)));
        assert_eq!(parse("0x1f"), Some((31.0, 4)));
        assert_eq!(parse("x"), None);
    }
}
