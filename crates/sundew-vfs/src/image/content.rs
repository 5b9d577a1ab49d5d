//! Bytes of the regular files of an image.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Bytes that an image lies in, such as a mapped file; they must never change.
pub type Backing = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// What a regular file of the image holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Stored bytes.
    Bytes(Arc<[u8]>),
    /// Bytes that stay where the image was read from.
    Backed(Backed),
    /// A beginning (a magic number, a table of sections) and then noise that depends on `seed` and
    /// the offset alone, so that a large binary costs nothing and reads the same every time.
    Generated {
        /// The first bytes; cut off at `len`.
        head: Arc<[u8]>,
        /// Chooses the noise.
        seed: u64,
        /// Size of the file in bytes.
        len: u64,
    },
    /// A text and then blank lines up to the size that the file has elsewhere.
    Padded {
        /// The text; cut off at `len`.
        text: Arc<[u8]>,
        /// Size of the file in bytes.
        len: u64,
    },
}

/// A run of a [`Backing`].
#[derive(Clone)]
pub struct Backed {
    backing: Backing,
    range: Range<usize>,
}

impl Backed {
    pub(super) fn new(backing: &Backing, range: Range<usize>) -> Self {
        Self {
            backing: Arc::clone(backing),
            range,
        }
    }

    /// The bytes; none if the run does not lie in the backing.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        (*self.backing)
            .as_ref()
            .get(self.range.clone())
            .unwrap_or_default()
    }
}

impl fmt::Debug for Backed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backed").field(&self.range).finish()
    }
}

impl Content {
    /// Size in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Backed(backed) => backed.bytes().len() as u64,
            Self::Generated { len, .. } | Self::Padded { len, .. } => *len,
        }
    }

    /// Whether there is no byte in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` from `offset` on and says how many bytes there were: fewer only at the end.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> usize {
        let left = self.len().saturating_sub(offset);
        let wanted = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        let Some(buf) = buf.get_mut(..wanted) else {
            return 0;
        };
        match self {
            Self::Bytes(bytes) => copy_from(bytes, offset, buf),
            Self::Backed(backed) => copy_from(backed.bytes(), offset, buf),
            Self::Generated { head, seed, .. } => {
                let copied = copy_from(head, offset, buf);
                if let Some(rest) = buf.get_mut(copied..) {
                    fill_noise(*seed, offset.saturating_add(copied as u64), rest);
                }
                wanted
            }
            Self::Padded { text, .. } => {
                let copied = copy_from(text, offset, buf);
                if let Some(rest) = buf.get_mut(copied..) {
                    rest.fill(b'\n');
                }
                wanted
            }
        }
    }
}

/// Copies what `source` has from `offset` on, as far as `buf` goes.
pub(crate) fn copy_from(source: &[u8], offset: u64, buf: &mut [u8]) -> usize {
    let tail = usize::try_from(offset)
        .ok()
        .and_then(|offset| source.get(offset..))
        .unwrap_or_default();
    let count = tail.len().min(buf.len());
    if let (Some(to), Some(from)) = (buf.get_mut(..count), tail.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

/// Eight bytes at a time; a read may begin inside a word.
fn fill_noise(seed: u64, offset: u64, buf: &mut [u8]) {
    let mut word = offset / 8;
    let mut skip = usize::from((offset % 8).to_le_bytes()[0]);
    let mut rest = buf;
    while !rest.is_empty() {
        let bytes = noise(seed, word).to_le_bytes();
        let piece = bytes.get(skip..).unwrap_or_default();
        let count = piece.len().min(rest.len());
        let (now, later) = rest.split_at_mut(count);
        for (to, from) in now.iter_mut().zip(piece) {
            *to = *from;
        }
        rest = later;
        word = word.wrapping_add(1);
        skip = 0;
    }
}

/// SplitMix64: each counter value gives an independent-looking word, so reads need no state.
fn noise(seed: u64, counter: u64) -> u64 {
    let mut word = seed.wrapping_add(counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_bytes_do_not_depend_on_how_they_are_read() {
        let content = Content::Generated {
            head: Arc::from(*b"\x7fELF\x02\x01\x01"),
            seed: 7,
            len: 1000,
        };
        let mut whole = vec![0; 2000];
        assert_eq!(content.read_at(0, &mut whole), 1000);
        assert!(whole.starts_with(b"\x7fELF\x02\x01\x01"));
        for offset in 0..1000 {
            let mut piece = [0; 13];
            let count = content.read_at(offset as u64, &mut piece);
            assert_eq!(count, (1000 - offset).min(13));
            assert_eq!(piece[..count], whole[offset..offset + count]);
        }
        assert_eq!(content.read_at(u64::MAX, &mut whole), 0);
    }

    #[test]
    fn a_padded_text_ends_in_blank_lines() {
        let content = Content::Padded {
            text: Arc::from(*b"one\n"),
            len: 7,
        };
        let mut buf = [b'-'; 9];
        assert_eq!(content.read_at(0, &mut buf), 7);
        assert_eq!(&buf, b"one\n\n\n\n--");
        assert_eq!(content.read_at(5, &mut buf), 2);
        assert_eq!(content.read_at(7, &mut buf), 0);
    }

    #[test]
    fn a_head_longer_than_the_file_is_cut() {
        let content = Content::Generated {
            head: Arc::from(*b"abcdef"),
            seed: 0,
            len: 3,
        };
        let mut buf = [b'-'; 5];
        assert_eq!(content.read_at(0, &mut buf), 3);
        assert_eq!(&buf, b"abc--");
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(noise(1, 0), noise(2, 0));
        assert_ne!(noise(1, 0), noise(1, 1));
    }
}
