//! The text of a reply line, and the replies to one event: both made so that the usual case, one
//! fixed line, allocates nothing.

use std::hash::{Hash, Hasher};
use std::ops::Deref;

use super::Reply;

/// The text of one line, without LF and NUL.
#[derive(Clone, Debug)]
pub struct Text(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Fixed(&'static [u8]),
    Made(Box<[u8]>),
}

impl Text {
    /// Cleans the bytes of what would end the line.
    fn made(bytes: impl Into<Box<[u8]>>) -> Self {
        let mut bytes = bytes.into();
        for byte in &mut *bytes {
            if matches!(byte, b'\n' | 0) {
                *byte = b'?';
            }
        }
        Self(Kind::Made(bytes))
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Fixed(bytes) => bytes,
            Kind::Made(bytes) => bytes,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        if bytes.iter().any(|byte| matches!(byte, b'\n' | 0)) {
            return Self::made(bytes);
        }
        Self(Kind::Fixed(bytes))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::made(text.into_bytes())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self::made(bytes)
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self::made(bytes)
    }
}

/// No, one or several replies, in the order they are sent.
#[derive(Clone, Debug, Default)]
pub struct Replies(Held);

#[derive(Clone, Debug, Default)]
enum Held {
    #[default]
    None,
    One(Reply),
    More(Vec<Reply>),
}

impl Deref for Replies {
    type Target = [Reply];

    fn deref(&self) -> &[Reply] {
        match &self.0 {
            Held::None => &[],
            Held::One(reply) => std::slice::from_ref(reply),
            Held::More(replies) => replies,
        }
    }
}

impl<'a> IntoIterator for &'a Replies {
    type Item = &'a Reply;
    type IntoIter = std::slice::Iter<'a, Reply>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Replies {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Replies {}

impl From<Reply> for Replies {
    fn from(reply: Reply) -> Self {
        Self(Held::One(reply))
    }
}

impl From<Vec<Reply>> for Replies {
    fn from(replies: Vec<Reply>) -> Self {
        Self(Held::More(replies))
    }
}
