//! Floating point as C's `long double` (bash) and `double` (dash, BusyBox) have it: reading text to
//! the nearest number, and writing a number's exact decimal digits.

use std::cmp::Ordering;

/// A floating-point format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// Bits of the mantissa.
    bits: u32,
    /// Exponent of the largest number's leading bit; the smallest normal one's is `1 - max`.
    max: i32,
    /// Whether `%a` shows four bits in front of the point, as for the x87 format, or one.
    whole_digit: bool,
}

/// x87 extended precision.
pub(super) const LONG_DOUBLE: Format = Format {
    bits: 64,
    max: 16383,
    whole_digit: true,
};
/// IEEE 754 binary64.
pub(super) const DOUBLE: Format = Format {
    bits: 53,
    max: 1023,
    whole_digit: false,
};

/// Most significant digits of an input that are looked at one by one; further ones only break ties.
const MAX_INPUT_DIGITS: usize = 1200;
/// Decimal exponents beyond which every number is infinite or zero.
const MAX_DECIMAL_EXPONENT: i64 = 6000;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Float {
    negative: bool,
    size: Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// `mantissa * 2^exponent`; 0 for zero.
    Finite {
        mantissa: u64,
        exponent: i32,
    },
    Infinite,
    NotANumber,
}

/// What strtold(3) says about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parsed {
    /// Its value.
    pub(super) value: Float,
    /// Bytes that belong to the number.
    pub(super) length: usize,
    /// Whether the number is too large or too small for the format.
    pub(super) out_of_range: bool,
}

impl Float {
    /// A whole number.
    pub(super) fn from_integer(value: u64) -> Self {
        Self {
            negative: false,
            size: Size::Finite {
                mantissa: value,
                exponent: 0,
            },
        }
    }

    /// Reads the longest prefix that is a number.
    pub(super) fn parse(text: &[u8], format: Format) -> Parsed {
        let mut rest = text.trim_ascii_start();
        let negative = rest.first() == Some(&b'-');
        if matches!(rest.first(), Some(b'-' | b'+')) {
            rest = rest.get(1..).unwrap_or_default();
        }
        let before = text.len() - rest.len();
        let lower = rest.to_ascii_lowercase();
        let special = [
            (b"infinity".as_slice(), Size::Infinite),
            (b"inf", Size::Infinite),
            (b"nan", Size::NotANumber),
        ];
        for (word, size) in special {
            if lower.starts_with(word) {
                let value = Self { negative, size };
                return Parsed {
                    value,
                    length: before + word.len(),
                    out_of_range: false,
                };
            }
        }
        let read = if lower.starts_with(b"0x") {
            hexadecimal(&lower)
        } else {
            None
        };
        match read.or_else(|| decimal(&lower)) {
            None => {
                let value = Self {
                    negative: false,
                    size: Size::Finite {
                        mantissa: 0,
                        exponent: 0,
                    },
                };
                Parsed {
                    value,
                    length: 0,
                    out_of_range: false,
                }
            }
            Some((numerator, denominator, power, length)) => {
                let (size, out_of_range) = round(numerator, denominator, power, format);
                Parsed {
                    value: Self { negative, size },
                    length: before + length,
                    out_of_range,
                }
            }
        }
    }

    /// Whether it has a sign.
    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether it is neither infinite nor not a number.
    pub(super) fn is_finite(&self) -> bool {
        matches!(self.size, Size::Finite { .. })
    }

    /// A measure of what [`Float::format`] costs.
    pub(super) fn weight(&self) -> u32 {
        match self.size {
            Size::Finite { exponent, .. } => exponent.unsigned_abs() / 256,
            Size::Infinite | Size::NotANumber => 0,
        }
    }

    /// The text of the number without its sign, by conversion letter (`f`, `e`, `g`, `a`, lower case).
    pub(super) fn format(
        &self,
        conversion: u8,
        precision: Option<usize>,
        alternate: bool,
        format: Format,
    ) -> Vec<u8> {
        let (mantissa, exponent) = match self.size {
            Size::Infinite => return b"inf".to_vec(),
            Size::NotANumber => return b"nan".to_vec(),
            Size::Finite { mantissa, exponent } => (mantissa, exponent),
        };
        if conversion == b'a' {
            return hexadecimal_text(mantissa, exponent, precision, alternate, format);
        }
        let digits = Digits::new(mantissa, exponent);
        let precision = precision.unwrap_or(6);
        match conversion {
            b'f' => digits.fixed(precision, alternate),
            b'e' => digits.scientific(precision, alternate),
            _ => digits.general(precision.max(1), alternate),
        }
    }
}

// ---- reading -----------------------------------------------------------------------------------

type Rational = (Big, Big, i32, usize);

/// Digits with a point and an exponent: numerator, denominator, power of two, length.
fn decimal(text: &[u8]) -> Option<Rational> {
    let (digits, scale, mut length) = digits_with_point(text, 10)?;
    let mut exponent = scale;
    if text.get(length) == Some(&b'e')
        && let Some((value, after)) = exponent_at(text, length + 1)
    {
        exponent = exponent.saturating_add(value);
        length = after;
    }
    let kept = digits.get(..MAX_INPUT_DIGITS).unwrap_or(&digits);
    exponent = exponent.saturating_add(i64::try_from(digits.len() - kept.len()).unwrap_or(0));
    let mut numerator = Big::default();
    for &digit in kept {
        numerator.multiply_add(10, u32::from(digit));
    }
    if digits
        .get(kept.len()..)
        .is_some_and(|rest| rest.iter().any(|&digit| digit != 0))
    {
        numerator.multiply_add(10, 1);
        exponent -= 1;
    }
    let mut denominator = Big::one();
    let exponent = exponent.clamp(-MAX_DECIMAL_EXPONENT - 1200, MAX_DECIMAL_EXPONENT);
    let scaled = if exponent < 0 {
        &mut denominator
    } else {
        &mut numerator
    };
    for _ in 0..exponent.unsigned_abs() {
        scaled.multiply_add(10, 0);
    }
    Some((numerator, denominator, 0, length))
}

fn hexadecimal(text: &[u8]) -> Option<Rational> {
    let body = text.get(2..)?;
    let (digits, scale, mut length) = digits_with_point(body, 16)?;
    let mut power = scale.saturating_mul(4);
    if body.get(length) == Some(&b'p')
        && let Some((value, after)) = exponent_at(body, length + 1)
    {
        power = power.saturating_add(value);
        length = after;
    }
    let kept = digits.get(..64).unwrap_or(&digits);
    power = power.saturating_add(4 * i64::try_from(digits.len() - kept.len()).unwrap_or(0));
    let mut numerator = Big::default();
    for &digit in kept {
        numerator.multiply_add(16, u32::from(digit));
    }
    let power = i32::try_from(power.clamp(-40_000, 40_000)).unwrap_or(0);
    Some((numerator, Big::one(), power, length + 2))
}

/// The digits, the exponent of the base that the last one stands at, and where they end.
fn digits_with_point(text: &[u8], radix: u32) -> Option<(Vec<u8>, i64, usize)> {
    let (mut digits, mut scale, mut point, mut any, mut length) =
        (Vec::new(), 0i64, false, false, 0);
    for (index, &byte) in text.iter().enumerate() {
        if byte == b'.' && !point {
            point = true;
            if any {
                length = index + 1;
            }
            continue;
        }
        let Some(digit) = char::from(byte)
            .to_digit(radix)
            .and_then(|digit| u8::try_from(digit).ok())
        else {
            break;
        };
        any = true;
        scale -= i64::from(point);
        if digit != 0 || !digits.is_empty() {
            digits.push(digit);
        }
        length = index + 1;
    }
    any.then_some((digits, scale, length))
}

fn exponent_at(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let rest = text.get(at..)?;
    let negative = rest.first() == Some(&b'-');
    let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
    let count = rest
        .iter()
        .skip(sign)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if count == 0 {
        return None;
    }
    let mut value = 0i64;
    for byte in rest.iter().skip(sign).take(count) {
        value = value
            .saturating_mul(10)
            .saturating_add(i64::from(byte - b'0'))
            .min(1_000_000_000);
    }
    Some((if negative { -value } else { value }, at + sign + count))
}

/// The nearest number of the format, and whether it was out of range.
fn round(mut numerator: Big, mut denominator: Big, power: i32, format: Format) -> (Size, bool) {
    let zero = Size::Finite {
        mantissa: 0,
        exponent: 0,
    };
    if numerator.is_zero() {
        return (zero, false);
    }
    let bits = |big: &Big| i32::try_from(big.bits()).unwrap_or(i32::MAX);
    // Scaled so that the quotient lies in [1, 2).
    let mut exponent = bits(&numerator) - bits(&denominator);
    if exponent < 0 {
        numerator.shift_left(exponent.unsigned_abs());
    } else {
        denominator.shift_left(exponent.unsigned_abs());
    }
    if numerator.compare(&denominator) == Ordering::Less {
        numerator.shift_left(1);
        exponent -= 1;
    }
    let exponent = exponent + power;
    if exponent > format.max {
        return (Size::Infinite, true);
    }
    let least = 1 - format.max;
    let lost = (least - exponent).max(0);
    let count = i32::try_from(format.bits).unwrap_or(64) - lost;
    if count < 0 {
        return (zero, true);
    }
    let mut mantissa: u64 = 0;
    for _ in 0..count {
        mantissa <<= 1;
        if numerator.compare(&denominator) != Ordering::Less {
            numerator.subtract(&denominator);
            mantissa |= 1;
        }
        numerator.shift_left(1);
    }
    let half = numerator.compare(&denominator);
    let inexact = !numerator.is_zero();
    let mut exponent = exponent - count + 1;
    let up = half == Ordering::Greater || half == Ordering::Equal && mantissa & 1 == 1;
    if up {
        match mantissa.checked_add(1) {
            Some(next) => mantissa = next,
            None => {
                mantissa = 1 << 63;
                exponent += 1;
            }
        }
    }
    (Size::Finite { mantissa, exponent }, lost > 0 && inexact)
}

// ---- writing -----------------------------------------------------------------------------------

/// The exact decimal digits of a number: `0.d1d2d3… * 10^point`, none for zero.
struct Digits {
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    fn new(mantissa: u64, exponent: i32) -> Self {
        let mut big = Big::from_u64(mantissa);
        if big.is_zero() {
            return Self {
                digits: Vec::new(),
                point: 1,
            };
        }
        let spare = mantissa
            .trailing_zeros()
            .min(exponent.min(0).unsigned_abs());
        let exponent = exponent + i32::try_from(spare).unwrap_or(0);
        big = Big::from_u64(mantissa >> spare);
        let mut fraction = 0;
        if exponent >= 0 {
            big.shift_left(exponent.unsigned_abs());
        } else {
            fraction = i64::from(-exponent);
            for _ in 0..exponent.unsigned_abs() {
                big.multiply_add(5, 0);
            }
        }
        let digits = big.into_decimal();
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) - fraction;
        Self { digits, point }
    }

    /// Keeps `count` digits, the last one rounded half to even.
    fn rounded(&self, count: i64) -> Self {
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        if count >= length {
            return Self {
                digits: self.digits.clone(),
                point: self.point,
            };
        }
        let Ok(keep) = usize::try_from(count) else {
            return Self {
                digits: Vec::new(),
                point: self.point,
            };
        };
        let (kept, rest) = self.digits.split_at(keep);
        let mut digits = kept.to_vec();
        let mut point = self.point;
        let exact_half = rest.first() == Some(&5) && rest.iter().skip(1).all(|&digit| digit == 0);
        let up = match rest.first() {
            Some(&digit) if exact_half => {
                digits.last().is_some_and(|last| last % 2 == 1) && digit == 5
            }
            Some(&digit) => digit >= 5,
            None => false,
        };
        if up {
            let nines = digits.iter().rev().take_while(|&&digit| digit == 9).count();
            let at = digits.len() - nines;
            for digit in digits.iter_mut().skip(at) {
                *digit = 0;
            }
            match at.checked_sub(1).and_then(|index| digits.get_mut(index)) {
                Some(digit) => *digit += 1,
                None => {
                    digits.insert(0, 1);
                    point += 1;
                }
            }
        }
        Self { digits, point }
    }

    fn digit(&self, index: i64) -> u8 {
        b'0' + usize::try_from(index)
            .ok()
            .and_then(|index| self.digits.get(index))
            .copied()
            .unwrap_or(0)
    }

    fn fixed(&self, precision: usize, alternate: bool) -> Vec<u8> {
        let decimals = i64::try_from(precision).unwrap_or(i64::MAX / 2);
        let rounded = if self.digits.is_empty() {
            self.rounded(0)
        } else {
            self.rounded(self.point + decimals)
        };
        let rounded = if rounded.digits.is_empty() {
            Self {
                digits: Vec::new(),
                point: 1,
            }
        } else {
            rounded
        };
        let mut text = Vec::new();
        if rounded.point <= 0 {
            text.push(b'0');
        } else {
            text.extend((0..rounded.point).map(|index| rounded.digit(index)));
        }
        if precision > 0 || alternate {
            text.push(b'.');
        }
        text.extend((0..decimals).map(|index| rounded.digit(rounded.point + index)));
        text
    }

    fn scientific(&self, precision: usize, alternate: bool) -> Vec<u8> {
        let decimals = i64::try_from(precision).unwrap_or(i64::MAX / 2);
        let rounded = self.rounded(decimals + 1);
        let mut text = vec![rounded.digit(0)];
        if precision > 0 || alternate {
            text.push(b'.');
        }
        text.extend((1..=decimals).map(|index| rounded.digit(index)));
        let exponent = if rounded.digits.is_empty() {
            0
        } else {
            rounded.point - 1
        };
        let sign = if exponent < 0 { '-' } else { '+' };
        text.extend(format!("e{sign}{:02}", exponent.unsigned_abs()).into_bytes());
        text
    }

    fn general(&self, precision: usize, alternate: bool) -> Vec<u8> {
        let wanted = i64::try_from(precision).unwrap_or(i64::MAX / 2);
        let rounded = self.rounded(wanted);
        let exponent = if rounded.digits.is_empty() {
            0
        } else {
            rounded.point - 1
        };
        let (body, tail) = if exponent < -4 || exponent >= wanted {
            let text = self.scientific(precision - 1, alternate);
            let at = text
                .iter()
                .position(|&byte| byte == b'e')
                .unwrap_or(text.len());
            let (body, tail) = text.split_at(at);
            (body.to_vec(), tail.to_vec())
        } else {
            let decimals = usize::try_from(wanted - 1 - exponent).unwrap_or(0);
            (self.fixed(decimals, alternate), Vec::new())
        };
        let mut body = body;
        if !alternate && body.contains(&b'.') {
            while body.last() == Some(&b'0') {
                body.pop();
            }
            if body.last() == Some(&b'.') {
                body.pop();
            }
        }
        body.extend(tail);
        body
    }
}

/// `%a`
fn hexadecimal_text(
    mantissa: u64,
    exponent: i32,
    precision: Option<usize>,
    alternate: bool,
    format: Format,
) -> Vec<u8> {
    // The leading digit's bits, then as many whole digits as the mantissa has.
    let lead = if format.whole_digit { 4 } else { 1 };
    let nibbles = usize::try_from((format.bits - lead).div_ceil(4)).unwrap_or(0);
    let (mut value, mut power) = (0u128, 0i32);
    if mantissa != 0 {
        let shift = mantissa.leading_zeros();
        let top = u128::from(mantissa) << shift;
        let shown = lead + u32::try_from(nibbles).unwrap_or(0) * 4;
        value = if shown >= 64 {
            top << (shown - 64)
        } else {
            top >> (64 - shown)
        };
        power = exponent + 64 - i32::try_from(shift + lead).unwrap_or(0);
    }
    let mut count = nibbles;
    if let Some(precision) = precision
        && precision < nibbles
    {
        let dropped = u32::try_from((nibbles - precision) * 4).unwrap_or(0);
        let (half, rest) = (1u128 << (dropped - 1), value & ((1u128 << dropped) - 1));
        value >>= dropped;
        if rest > half || rest == half && value & 1 == 1 {
            value += 1;
        }
        count = precision;
    }
    let lead_digit = value >> (count * 4);
    let fraction = value & ((1u128 << (count * 4)) - 1);
    let mut fraction = if count > 0 {
        format!("{fraction:0count$x}")
    } else {
        String::new()
    };
    match precision {
        Some(precision) => fraction.extend(std::iter::repeat_n(
            '0',
            precision.saturating_sub(fraction.len()),
        )),
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
    }
    let point = if fraction.is_empty() && !alternate {
        ""
    } else {
        "."
    };
    format!("0x{lead_digit:x}{point}{fraction}p{power:+}").into_bytes()
}

// ---- numbers of any length ---------------------------------------------------------------------

/// A natural number, its lowest 32 bits first, without zeros on top.
#[derive(Debug, Clone, Default)]
struct Big(Vec<u32>);

impl Big {
    fn one() -> Self {
        Self(vec![1])
    }

    fn from_u64(value: u64) -> Self {
        let mut big = Self(vec![low(value), low(value >> 32)]);
        big.trim();
        big
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn bits(&self) -> u32 {
        let top = self.0.last().map_or(0, |top| 32 - top.leading_zeros());
        u32::try_from(self.0.len().saturating_sub(1) * 32).unwrap_or(0) + top
    }

    fn multiply_add(&mut self, factor: u32, add: u32) {
        let mut carry = u64::from(add);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = low(carry);
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(low(carry));
        }
    }

    fn shift_left(&mut self, count: u32) {
        if self.is_zero() {
            return;
        }
        let bits = count % 32;
        if bits > 0 {
            self.multiply_add(1 << bits, 0);
        }
        let limbs = usize::try_from(count / 32).unwrap_or(0);
        if limbs > 0 {
            self.0.splice(0..0, std::iter::repeat_n(0, limbs));
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Subtracts a number that is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let (value, first) = limb.overflowing_sub(other.0.get(index).copied().unwrap_or(0));
            let (value, second) = value.overflowing_sub(u32::from(borrow));
            *limb = value;
            borrow = first || second;
        }
        self.trim();
    }

    /// Its decimal digits as numbers, none for zero.
    fn into_decimal(mut self) -> Vec<u8> {
        const CHUNK: u64 = 1_000_000_000;
        let mut digits = Vec::new();
        while !self.is_zero() {
            let mut rest = 0u64;
            for limb in self.0.iter_mut().rev() {
                let value = rest << 32 | u64::from(*limb);
                *limb = low(value / CHUNK);
                rest = value % CHUNK;
            }
            self.trim();
            for _ in 0..9 {
                digits.push(u8::try_from(rest % 10).unwrap_or(0));
                rest /= 10;
            }
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        digits.reverse();
        digits
    }
}

fn low(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, conversion: u8, precision: Option<usize>, format: Format) -> String {
        let parsed = Float::parse(text.as_bytes(), format);
        assert_eq!(parsed.length, text.len(), "{text}");
        let sign = if parsed.value.is_negative() { "-" } else { "" };
        sign.to_owned()
            + &String::from_utf8(parsed.value.format(conversion, precision, false, format)).unwrap()
    }

    #[test]
    fn digits_are_those_of_the_exact_value() {
        assert_eq!(
            show("0.1", b'f', Some(20), LONG_DOUBLE),
            "0.10000000000000000000"
        );
        assert_eq!(
            show("0.1", b'f', Some(20), DOUBLE),
            "0.10000000000000000555"
        );
        assert_eq!(
            show("1e22", b'f', Some(0), DOUBLE),
            "10000000000000000000000"
        );
        assert_eq!(show("-3.14159", b'f', Some(2), LONG_DOUBLE), "-3.14");
        assert_eq!(show("0.5", b'f', Some(0), LONG_DOUBLE), "0");
        assert_eq!(show("1.5", b'f', Some(0), LONG_DOUBLE), "2");
        assert_eq!(show("9.96", b'f', Some(1), LONG_DOUBLE), "10.0");
        assert_eq!(show("0.06", b'f', Some(1), LONG_DOUBLE), "0.1");
    }

    #[test]
    fn exponents_and_shortest_forms_are_those_of_c() {
        assert_eq!(show("12345.678", b'e', Some(3), LONG_DOUBLE), "1.235e+04");
        assert_eq!(show("0", b'e', None, LONG_DOUBLE), "0.000000e+00");
        assert_eq!(show("100000", b'g', None, LONG_DOUBLE), "100000");
        assert_eq!(show("1000000", b'g', None, LONG_DOUBLE), "1e+06");
        assert_eq!(show("0.0001", b'g', None, LONG_DOUBLE), "0.0001");
        assert_eq!(show("0.00001", b'g', None, LONG_DOUBLE), "1e-05");
        assert_eq!(show("999999.5", b'g', None, LONG_DOUBLE), "1e+06");
    }

    #[test]
    fn hexadecimal_digits_depend_on_the_format() {
        assert_eq!(show("1", b'a', None, LONG_DOUBLE), "0x8p-3");
        assert_eq!(
            show("0.1", b'a', None, LONG_DOUBLE),
            "0xc.ccccccccccccccdp-7"
        );
        assert_eq!(show("1.999", b'a', Some(2), LONG_DOUBLE), "0xf.fep-3");
        assert_eq!(show("0.1", b'a', None, DOUBLE), "0x1.999999999999ap-4");
        assert_eq!(show("0", b'a', None, DOUBLE), "0x0p+0");
        assert_eq!(show("0x1.8p3", b'f', Some(1), DOUBLE), "12.0");
    }

    #[test]
    fn doubles_are_read_as_rust_reads_them() {
        for text in [
            "1.7976931348623157e308",
            "2.2250738585072014e-308",
            "5e-324",
            "123456789.987654321",
            "8.5e-10",
        ] {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(show(text, b'e', Some(17), DOUBLE), {
                let shown = format!("{expected:.17e}");
                let (digits, exponent) = shown.split_once('e').unwrap();
                let exponent: i32 = exponent.parse().unwrap();
                format!(
                    "{digits}e{}{:02}",
                    if exponent < 0 { '-' } else { '+' },
                    exponent.abs()
                )
            });
        }
        assert!(Float::parse(b"1e400", DOUBLE).out_of_range);
        assert!(Float::parse(b"1e-5000", LONG_DOUBLE).out_of_range);
        assert_eq!(Float::parse(b"1.5x", DOUBLE).length, 3);
        assert_eq!(Float::parse(b"x", DOUBLE).length, 0);
        assert_eq!(Float::parse(b"1e", DOUBLE).length, 1);
    }
}
