//! The argument of a command line: bytes that were checked once and can be sent as they are.
//!
//! RFC 959 §5.3.2, RFC 2640 §2.1. Names are bytes, not text: what is not UTF-8 is kept. CR is
//! refused although RFC 2640 allows it in names (as CR NUL), because every client library that
//! let it through has had a command-injection bug.

use std::fmt;

/// Non-empty bytes without CR, LF or NUL; the only way in is [`Argument::new`].
///
/// Leading, inner and trailing blanks belong to the argument (RFC 3659 §2.2). Byte 255 is allowed;
/// [`crate::line::encode`] doubles it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Argument(Box<[u8]>);

/// Why bytes are no argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentError {
    /// There are no bytes.
    Empty,
    /// One byte would end or corrupt the command line.
    Forbidden {
        /// The byte: CR, LF or NUL.
        byte: u8,
        /// Its position, counted from 0.
        at: usize,
    },
}

impl Argument {
    /// Checks the bytes and keeps them.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for no bytes and for CR, LF and NUL.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, ArgumentError> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Err(ArgumentError::Empty);
        }
        match bytes.iter().position(|byte| FORBIDDEN.contains(byte)) {
            None => Ok(Self(bytes)),
            Some(at) => Err(ArgumentError::Forbidden {
                byte: bytes.get(at).copied().unwrap_or_default(),
                at,
            }),
        }
    }

    /// The bytes as they stood on the line.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the bytes away.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_vec()
    }
}

impl AsRef<[u8]> for Argument {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&str> for Argument {
    type Error = ArgumentError;

    fn try_from(text: &str) -> Result<Self, ArgumentError> {
        Self::new(text.as_bytes())
    }
}

impl fmt::Display for Argument {
    /// Writes the bytes as text, what is not printable ASCII escaped: fit for a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the argument is empty"),
            Self::Forbidden { byte, at } => {
                write!(
                    f,
                    "byte {byte:#04x} at position {at} cannot stand in an FTP command"
                )
            }
        }
    }
}

impl std::error::Error for ArgumentError {}

/// Bytes that end a line or that peers are known to cut a name at.
const FORBIDDEN: [u8; 3] = [b'\r', b'\n', 0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_belong_to_the_argument() {
        let argument = Argument::new(&b" a b "[..]).unwrap();
        assert_eq!(argument.as_bytes(), b" a b ");
    }

    #[test]
    fn bytes_that_would_end_the_line_are_refused_with_their_place() {
        for byte in [b'\r', b'\n', 0] {
            assert_eq!(
                Argument::new(vec![b'a', byte, b'b']),
                Err(ArgumentError::Forbidden { byte, at: 1 })
            );
        }
        assert_eq!(Argument::new(Vec::new()), Err(ArgumentError::Empty));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_kept() {
        let argument = Argument::new(&b"\xff\xe4"[..]).unwrap();
        assert_eq!(argument.as_bytes(), b"\xff\xe4");
        assert_eq!(argument.to_string(), "\\xff\\xe4");
    }
}
