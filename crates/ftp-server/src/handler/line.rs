//! The bytes of one line of a client, kept where most of them need no memory of their own.

use std::fmt;
use std::ops::Deref;

/// Longest line kept in place, in bytes: as many as fit into the room a longer one's address takes
/// anyway. `RETR` and a short name are shorter.
const SHORT_BYTES: usize = 22;

/// One line without its end.
#[derive(Clone)]
pub struct Line(Kept);

#[derive(Clone)]
enum Kept {
    Short {
        length: u8,
        bytes: [u8; SHORT_BYTES],
    },
    Long(Box<[u8]>),
}

impl Line {
    /// A line of no bytes.
    pub(super) const EMPTY: Self = Self(Kept::Short {
        length: 0,
        bytes: [0; SHORT_BYTES],
    });

    fn short(line: &[u8]) -> Option<Self> {
        let mut bytes = [0; SHORT_BYTES];
        bytes.get_mut(..line.len())?.copy_from_slice(line);
        let length = u8::try_from(line.len()).ok()?;
        Some(Self(Kept::Short { length, bytes }))
    }
}

impl Deref for Line {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Kept::Long(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Line {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for Line {
    fn from(line: &[u8]) -> Self {
        Self::short(line).unwrap_or_else(|| Self(Kept::Long(line.into())))
    }
}

impl From<Vec<u8>> for Line {
    fn from(line: Vec<u8>) -> Self {
        Self::short(&line).unwrap_or_else(|| Self(Kept::Long(line.into_boxed_slice())))
    }
}

/// With other lines, and with bytes of any kind.
impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Line {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for Line {}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_any_length_is_kept_whole() {
        assert_eq!(size_of::<Line>(), 24);
        for length in [0, 1, SHORT_BYTES, SHORT_BYTES + 1, 300] {
            let bytes = vec![b'x'; length];
            assert_eq!(*Line::from(&bytes[..]), bytes[..]);
            assert_eq!(Line::from(bytes.clone()), Line::from(&bytes[..]));
        }
    }
}
