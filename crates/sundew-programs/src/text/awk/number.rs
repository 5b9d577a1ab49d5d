//! Numbers in text: strtod(3), and back.

/// The number at the front of `text` after blanks, and how many bytes it takes with them.
pub(super) fn prefix(text: &[u8]) -> (f64, usize) {
    let blanks = text
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let rest = text.get(blanks..).unwrap_or_default();
    let signed = matches!(rest.first(), Some(b'+' | b'-'));
    let negative = rest.first() == Some(&b'-');
    let body = rest.get(usize::from(signed)..).unwrap_or_default();
    let (value, length) = unsigned(body);
    if length == 0 {
        return (0.0, 0);
    }
    (
        if negative { -value } else { value },
        blanks + usize::from(signed) + length,
    )
}

fn unsigned(text: &[u8]) -> (f64, usize) {
    let starts = |word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|front| front.eq_ignore_ascii_case(word))
    };
    if starts(b"infinity") {
        return (f64::INFINITY, 8);
    }
    if starts(b"inf") {
        return (f64::INFINITY, 3);
    }
    if starts(b"nan") {
        return (f64::NAN, 3);
    }
    if starts(b"0x") {
        let digits: Vec<u32> = text
            .get(2..)
            .unwrap_or_default()
            .iter()
            .map_while(|&byte| char::from(byte).to_digit(16))
            .collect();
        if !digits.is_empty() {
            let value = digits
                .iter()
                .fold(0.0, |value, digit| value * 16.0 + f64::from(*digit));
            return (value, 2 + digits.len());
        }
    }
    let digits = |from: usize| {
        text.iter()
            .skip(from)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let whole = digits(0);
    let mut length = whole;
    let mut fraction = 0;
    if text.get(length) == Some(&b'.') {
        fraction = digits(length + 1);
        length += 1 + fraction;
    }
    if whole + fraction == 0 {
        return (0.0, 0);
    }
    if matches!(text.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let number = text
        .get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .unwrap_or_default();
    (number.parse().unwrap_or(0.0), length)
}

/// The number that the whole of `text` is, blanks around it allowed.
pub(super) fn whole(text: &[u8]) -> Option<f64> {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if !first.is_ascii_digit() && !matches!(first, b'+' | b'-' | b'.') {
        return None;
    }
    let (value, length) = prefix(text);
    let rest = text.get(length..)?;
    (length > 0 && rest.iter().all(u8::is_ascii_whitespace)).then_some(value)
}

/// The whole number that mawk prints without its format: one that fits an int.
pub(super) fn as_int(value: f64) -> Option<i32> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the comparison tells whether it fitted"
    )]
    let int = value as i32;
    (f64::from(int) == value).then_some(int)
}
