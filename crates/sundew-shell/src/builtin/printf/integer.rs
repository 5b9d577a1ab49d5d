//! strtoimax(3) and strtoumax(3) with base 0.

/// What they say about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The value; a negative one in two's complement.
    pub(super) value: u64,
    /// Bytes that belong to the number.
    pub(super) length: usize,
    /// Whether the number does not fit; the value is the nearest that does.
    pub(super) out_of_range: bool,
}

/// Reads the longest prefix that is a number.
pub(super) fn parse(text: &[u8], signed: bool) -> Parsed {
    let mut rest = text.trim_ascii_start();
    let negative = rest.first() == Some(&b'-');
    if matches!(rest.first(), Some(b'-' | b'+')) {
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut radix = 10;
    if let [b'0', b'x' | b'X', digit, ..] = rest
        && digit.is_ascii_hexdigit()
    {
        radix = 16;
        rest = rest.get(2..).unwrap_or_default();
    } else if rest.first() == Some(&b'0') {
        radix = 8;
    }
    let mut value = 0u64;
    let mut overflow = false;
    let mut count = 0;
    for &byte in rest {
        let Some(digit) = char::from(byte).to_digit(radix) else {
            break;
        };
        count += 1;
        match value
            .checked_mul(radix.into())
            .and_then(|value| value.checked_add(digit.into()))
        {
            Some(next) => value = next,
            None => overflow = true,
        }
    }
    let length = if count == 0 {
        0
    } else {
        text.len() - rest.len() + count
    };
    let limit = u64::from_ne_bytes(i64::MAX.to_ne_bytes()) + u64::from(negative);
    if signed && (overflow || value > limit) {
        return Parsed {
            value: limit,
            length,
            out_of_range: true,
        };
    }
    if overflow {
        return Parsed {
            value: u64::MAX,
            length,
            out_of_range: true,
        };
    }
    let value = if negative {
        value.wrapping_neg()
    } else {
        value
    };
    Parsed {
        value,
        length,
        out_of_range: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_is_told_by_the_prefix() {
        assert_eq!(parse(b" -0x10", true).value, 16u64.wrapping_neg());
        assert_eq!(
            parse(b"08", true),
            Parsed {
                value: 0,
                length: 1,
                out_of_range: false
            }
        );
        assert_eq!(parse(b"x", true).length, 0);
        assert_eq!(
            parse(b"0x", true),
            Parsed {
                value: 0,
                length: 1,
                out_of_range: false
            }
        );
    }

    #[test]
    fn too_large_becomes_the_largest() {
        let largest = parse(b"99999999999999999999", true);
        assert!(largest.out_of_range);
        assert_eq!(largest.value, 9_223_372_036_854_775_807);
        assert_eq!(parse(b"-9223372036854775808", true).value, 1 << 63);
        assert!(!parse(b"-9223372036854775808", true).out_of_range);
        assert_eq!(parse(b"-1", false).value, u64::MAX);
    }
}
