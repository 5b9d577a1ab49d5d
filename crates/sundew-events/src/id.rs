//! Session ids and content hashes: the two names by which records find each other.
//!
//! Neither is made here: the random bytes of an id and the digest of a content are passed in.

use std::fmt;
use std::str::FromStr;

/// The name of one connection: 12 lowercase hexadecimal digits.
///
/// Cowrie takes them from a random UUID; here the caller passes six random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 6]);

impl SessionId {
    /// Makes an id of six bytes, which should come from a random source.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The six bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

/// The SHA-256 of a content; its hexadecimal form is the content's file name in every store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256Sum([u8; 32]);

impl Sha256Sum {
    /// Wraps a finished digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Text that is not the lowercase hexadecimal form of an id or hash of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotHex;

impl fmt::Display for NotHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not lowercase hexadecimal of the expected length")
    }
}

impl std::error::Error for NotHex {}

macro_rules! hex_text {
    ($name:ident, $length:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NotHex;

            fn from_str(text: &str) -> Result<Self, NotHex> {
                let mut bytes = [0; $length];
                read_hex(text, &mut bytes)?;
                Ok(Self(bytes))
            }
        }
    };
}

hex_text!(SessionId, 6);
hex_text!(Sha256Sum, 32);

fn read_hex(text: &str, bytes: &mut [u8]) -> Result<(), NotHex> {
    if text.len() != bytes.len() * 2 {
        return Err(NotHex);
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = pair
            .iter()
            .try_fold(0, |value, digit| Some(value << 4 | hex_digit(*digit)?))
            .ok_or(NotHex)?;
    }
    Ok(())
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        // Uppercase is refused: an id must have one spelling, or joins on it miss rows.
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_session_id_that_was_written_is_read_back(bytes: [u8; 6]) {
            let id = SessionId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().len(), 12);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn a_hash_that_was_written_is_read_back(bytes: [u8; 32]) {
            let sum = Sha256Sum::from_bytes(bytes);
            prop_assert_eq!(sum.to_string().parse(), Ok(sum));
        }

        #[test]
        fn any_other_text_is_refused_without_panic(text in "\\PC{0,20}") {
            if let Ok(id) = text.parse::<SessionId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn uppercase_and_wrong_lengths_are_not_ids() {
        for text in [
            "",
            "F8DE375319D0",
            "f8de375319d",
            "f8de375319d00",
            "f8de375319é",
        ] {
            assert_eq!(text.parse::<SessionId>(), Err(NotHex), "{text}");
        }
    }
}
