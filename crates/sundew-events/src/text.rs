//! Attacker bytes, and the three ways in which they are shown as text.
//!
//! Bytes stay bytes until an event is written: another sink may want the original. Which of the
//! three ways a field uses is Cowrie's choice, field by field, and consumers match on it; so the
//! way is part of the field's type. None of the three lets a control byte reach a log unescaped
//! except [`Lossy`], where the JSON writer escapes it.

use std::fmt::{self, Write as _};

/// Longest value an event keeps, in bytes. The longest ever reported by Cowrie is a whole script
/// of 16 KiB; a stranger can send more, and every sink pays for it. What is beyond is cut, and the
/// event names the field in `sundew_cut`.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

macro_rules! shown_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, Hash)]
        pub struct $name(Kept);

        impl $name {
            /// Keeps a copy of the bytes, up to [`MAX_TEXT_BYTES`] of them.
            #[must_use]
            pub fn new(bytes: &[u8]) -> Self {
                Self(Kept::new(bytes))
            }

            /// The bytes as they came, possibly cut.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0.bytes
            }

            /// Whether there were more bytes than were kept.
            #[must_use]
            pub const fn is_cut(&self) -> bool {
                self.0.cut
            }
        }

        impl From<&[u8]> for $name {
            fn from(bytes: &[u8]) -> Self {
                Self::new(bytes)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text.as_bytes())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text.as_bytes())
            }
        }

        impl From<Vec<u8>> for $name {
            fn from(bytes: Vec<u8>) -> Self {
                Self::new(&bytes)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "b\"{}\"", self.as_bytes().escape_ascii())
            }
        }
    };
}

shown_bytes! {
    /// Bytes shown one by one: outside 0x20–0x7e as `\xNN`, a backslash doubled.
    ///
    /// Nothing is lost: the text can be turned back. User names, passwords, the client's version.
    Escaped
}

shown_bytes! {
    /// Bytes shown as UTF-8, with U+FFFD for what is not: command lines, variables, names, URLs.
    ///
    /// Bad sequences are replaced as Python's `errors="replace"` does it: one U+FFFD for each
    /// longest beginning of a valid sequence.
    Lossy
}

shown_bytes! {
    /// Bytes shown as a Python bytes literal, `b'GET / HTTP/1.0\r\n'`: forwarded traffic.
    ///
    /// As in Python the quote is `'`, unless the bytes hold a `'` and no `"`.
    Literal
}

impl fmt::Display for Escaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| match byte {
            b'\\' => f.write_str(r"\\"),
            b' '..=b'~' => f.write_char(char::from(*byte)),
            _ => write!(f, r"\x{byte:02x}"),
        })
    }
}

impl fmt::Display for Lossy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
            b'"'
        } else {
            b'\''
        };
        write!(f, "b{}", char::from(quote))?;
        for &byte in bytes {
            match byte {
                b'\\' => f.write_str(r"\\"),
                b'\t' => f.write_str(r"\t"),
                b'\n' => f.write_str(r"\n"),
                b'\r' => f.write_str(r"\r"),
                _ if byte == quote => write!(f, r"\{}", char::from(byte)),
                b' '..=b'~' => f.write_char(char::from(byte)),
                _ => write!(f, r"\x{byte:02x}"),
            }?;
        }
        f.write_char(char::from(quote))
    }
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Kept {
    bytes: Box<[u8]>,
    cut: bool,
}

impl Kept {
    fn new(bytes: &[u8]) -> Self {
        let kept = bytes.get(..MAX_TEXT_BYTES).unwrap_or(bytes);
        Self {
            bytes: kept.into(),
            cut: kept.len() < bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escaped_text_is_printable_ascii_and_turns_back(bytes: Vec<u8>) {
            let text = Escaped::new(&bytes).to_string();
            prop_assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(unescape(text.as_bytes()), bytes);
        }

        #[test]
        fn a_literal_turns_back(bytes: Vec<u8>) {
            let text = Literal::new(&bytes).to_string();
            prop_assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(unescape(&text.as_bytes()[2..text.len() - 1]), bytes);
        }

        #[test]
        fn text_that_is_utf8_is_shown_as_it_is(text in "\\PC*") {
            prop_assert_eq!(Lossy::from(text.as_str()).to_string(), text);
        }
    }

    #[test]
    fn bytes_beyond_the_limit_are_cut_and_said_to_be() {
        let whole = vec![b'a'; MAX_TEXT_BYTES];
        assert!(!Lossy::new(&whole).is_cut());
        let more = vec![b'a'; MAX_TEXT_BYTES + 1];
        let cut = Lossy::new(&more);
        assert!(cut.is_cut());
        assert_eq!(cut.as_bytes().len(), MAX_TEXT_BYTES);
    }

    /// The inverse of both escapes, written without looking at them.
    fn unescape(text: &[u8]) -> Vec<u8> {
        let mut rest = text.iter().copied();
        let mut bytes = Vec::new();
        while let Some(byte) = rest.next() {
            if byte != b'\\' {
                bytes.push(byte);
                continue;
            }
            bytes.push(match rest.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'x') => {
                    let digits: String = rest.by_ref().take(2).map(char::from).collect();
                    u8::from_str_radix(&digits, 16).unwrap()
                }
                Some(byte) => byte,
                None => panic!("a backslash at the end"),
            });
        }
        bytes
    }
}
