//! Numbers as texts, and texts as numbers.

/// The number that a text begins with, and whether all of it is one.
pub(super) fn numeric(text: &[u8]) -> (f64, bool) {
    let text = text.trim_ascii();
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let mut end = digits(sign);
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    let word = String::from_utf8_lossy(text.get(sign..).unwrap_or_default()).to_ascii_lowercase();
    let named = if word.starts_with("inf") {
        Some(f64::INFINITY)
    } else if word.starts_with("nan") {
        Some(f64::NAN)
    } else {
        None
    };
    if let Some(number) = named {
        let negative = text.first() == Some(&b'-');
        return (if negative { -number } else { number }, true);
    }
    let number = std::str::from_utf8(text.get(..end).unwrap_or_default()).ok();
    let parsed = number.and_then(|number| number.parse().ok());
    (parsed.unwrap_or(0.0), parsed.is_some() && end == text.len())
}

/// A float as perl prints it: `%.15g`.
pub(super) fn shown(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    general(number, 15, false)
}

/// `%g` with so many significant digits; `keep` leaves trailing zeros.
pub(super) fn general(number: f64, digits: usize, keep: bool) -> String {
    let digits = digits.max(1);
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:.*e}", digits - 1, number);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        if keep || !text.contains('.') {
            text.to_owned()
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    if exponent < -4 || exponent >= i32::try_from(digits).unwrap_or(i32::MAX) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(mantissa), exponent.abs());
    }
    let places = usize::try_from(i32::try_from(digits).unwrap_or(0) - 1 - exponent).unwrap_or(0);
    trim(&format!("{number:.places$}"))
}
