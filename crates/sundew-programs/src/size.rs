//! Sizes for people, and numbers with unit letters: gnulib's human_readable and xstrtoumax.

/// How sizes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Display {
    /// In units of so many bytes, rounded up.
    Units(u64),
    /// The same, with the unit's name behind the number, as `--block-size=M` has it.
    Named(u64),
    /// `1.5K`: powers of 1024.
    Human,
    /// `1.5k`: powers of 1000.
    Si,
}

impl Display {
    /// `bytes` as this style shows it, rounded up as df, du and ls do.
    pub(crate) fn show(self, bytes: u64) -> String {
        match self {
            Self::Units(unit) => bytes.div_ceil(unit.max(1)).to_string(),
            Self::Named(unit) => format!("{}{}", bytes.div_ceil(unit.max(1)), unit_name(unit)),
            Self::Human => scaled(bytes, 1024),
            Self::Si => scaled(bytes, 1000),
        }
    }

    /// From the argument of `--block-size`: `human-readable`, `si`, `1M`, `K`.
    ///
    /// # Errors
    ///
    /// What is wrong with the number.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, NumberError> {
        match text {
            b"human-readable" => Ok(Self::Human),
            b"si" => Ok(Self::Si),
            text => match number(
                text.strip_prefix(b"'").unwrap_or(text),
                b"eEgGkKmMpPtTyYzZ0",
            ) {
                Ok(0) => Err(NumberError::Invalid),
                Ok(unit) if text.first().is_some_and(u8::is_ascii_alphabetic) => {
                    Ok(Self::Named(unit))
                }
                Ok(unit) => Ok(Self::Units(unit)),
                Err(error) => Err(error),
            },
        }
    }
}

/// `K`, `MB`: what a unit without a number is called.
fn unit_name(unit: u64) -> String {
    for (base, letters, end) in [(1024u64, "KMGTPE", ""), (1000, "kMGTPE", "B")] {
        let mut power = 1u64;
        for letter in letters.chars() {
            power = power.saturating_mul(base);
            if power == unit {
                return format!("{letter}{end}");
            }
        }
    }
    String::new()
}

fn scaled(bytes: u64, base: u64) -> String {
    if bytes < base {
        return bytes.to_string();
    }
    let letters = if base == 1024 { "KMGTPE" } else { "kMGTPE" };
    let mut unit: u128 = 1;
    let bytes = u128::from(bytes);
    let base = u128::from(base);
    for letter in letters.chars() {
        unit *= base;
        let tenths = (bytes * 10).div_ceil(unit);
        if tenths < 100 {
            return format!("{}.{}{letter}", tenths / 10, tenths % 10);
        }
        let whole = bytes.div_ceil(unit);
        if whole < base || letter == 'E' {
            return format!("{whole}{letter}");
        }
    }
    bytes.to_string()
}

/// Why a number was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// No number.
    Invalid,
    /// A number, but a unit that is none behind it.
    BadSuffix,
    /// More than 64 bits.
    TooLarge,
}

/// A decimal number with an optional unit out of `suffixes`; `0` among them allows `kB` and `KiB`.
///
/// # Errors
///
/// As [`NumberError`] says.
pub(crate) fn number(text: &[u8], suffixes: &[u8]) -> Result<u64, NumberError> {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let mut value: u64 = 0;
    let mut overflow = false;
    for &digit in digits {
        match value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit - b'0')))
        {
            Some(next) => value = next,
            None => overflow = true,
        }
    }
    if digits.is_empty() {
        // A bare unit stands for one of it.
        if suffix
            .first()
            .is_none_or(|letter| !suffixes.contains(letter))
        {
            return Err(NumberError::Invalid);
        }
        value = 1;
    }
    let factor = match suffix {
        [] => 1,
        [letter, rest @ ..] => {
            if !suffixes.contains(letter) {
                return Err(NumberError::BadSuffix);
            }
            let base: u64 = match rest {
                [] => 1024,
                b"iB" if suffixes.contains(&b'0') => 1024,
                b"B" | b"D" if suffixes.contains(&b'0') => 1000,
                _ => return Err(NumberError::BadSuffix),
            };
            match letter {
                b'b' => 512,
                b'B' => 1024,
                b'c' => 1,
                b'w' => 2,
                letter => {
                    let power = match letter.to_ascii_lowercase() {
                        b'k' => 1,
                        b'm' => 2,
                        b'g' => 3,
                        b't' => 4,
                        b'p' => 5,
                        b'e' => 6,
                        b'z' => 7,
                        b'y' => 8,
                        _ => return Err(NumberError::BadSuffix),
                    };
                    base.checked_pow(power).ok_or(NumberError::TooLarge)?
                }
            }
        }
    };
    if overflow {
        return Err(NumberError::TooLarge);
    }
    value.checked_mul(factor).ok_or(NumberError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_round_up_as_ls_shows_them() {
        for (bytes, expected) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (10_137, "9.9K"),
            (10_138, "10K"),
            (1_048_575, "1.0M"),
            (5_000_000_000, "4.7G"),
        ] {
            assert_eq!(Display::Human.show(bytes), expected);
        }
        assert_eq!(Display::Si.show(1500), "1.5k");
        assert_eq!(Display::Units(1024).show(1025), "2");
    }

    #[test]
    fn numbers_take_units() {
        assert_eq!(number(b"10K", b"kKmM0"), Ok(10_240));
        assert_eq!(number(b"1kB", b"kKmM0"), Ok(1000));
        assert_eq!(number(b"2b", b"bkKmM0"), Ok(1024));
        assert_eq!(number(b"abc", b"kK"), Err(NumberError::Invalid));
        assert_eq!(number(b"1x", b"kK"), Err(NumberError::BadSuffix));
        assert_eq!(
            number(b"99999999999999999999", b""),
            Err(NumberError::TooLarge)
        );
    }
}
