//! Fields in the making: bytes with their origin.

use sundew_kernel::{Errno, Process};
use sundew_posix::pattern::Piece;

use crate::words::Held;

/// What a field takes beside its bytes and their origins, the allocator's shares included.
const DRAFT_BYTES: usize = 96;

/// Where a byte came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Typed without quotes: a pattern character may be one, no splitting.
    Literal,
    /// From an unquoted expansion: patterns and splitting.
    Expanded,
    /// Quoted: nothing special.
    Quoted,
}

/// One field in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) bytes: Vec<u8>,
    pub(crate) marks: Vec<Mark>,
    /// Whether quotes were there, so that it is a field even if empty.
    pub(crate) quoted: bool,
}

impl Draft {
    pub(crate) fn push(&mut self, byte: u8, mark: Mark) {
        self.bytes.push(byte);
        self.marks.push(mark);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, Mark)> {
        self.bytes.iter().copied().zip(self.marks.iter().copied())
    }

    pub(crate) fn pieces(&self) -> Vec<Piece> {
        self.iter()
            .map(|(byte, mark)| Piece {
                byte,
                quoted: mark == Mark::Quoted,
            })
            .collect()
    }
}

/// The fields that a word has become so far; the last one still grows.
#[derive(Debug)]
pub(crate) struct Drafts {
    pub(crate) fields: Vec<Draft>,
    bytes: usize,
    held: Held,
}

impl Default for Drafts {
    fn default() -> Self {
        Self {
            fields: vec![Draft::default()],
            bytes: 0,
            held: Held::default(),
        }
    }
}

impl Drafts {
    /// Bytes in all fields.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Pays for what it has become: each byte has its origin beside it.
    pub(crate) fn pay(&mut self, proc: &Process) -> Result<(), Errno> {
        let used = self.bytes.saturating_mul(2);
        let used = used.saturating_add(self.fields.len().saturating_mul(DRAFT_BYTES));
        self.held.pay(proc, used)
    }

    /// The fields, and what is to be held as long as they live.
    pub(crate) fn into_parts(self) -> (Vec<Draft>, Held) {
        (self.fields, self.held)
    }

    pub(crate) fn push(&mut self, text: &[u8], mark: Mark) {
        self.bytes += text.len();
        if let Some(last) = self.fields.last_mut() {
            last.bytes.extend_from_slice(text);
            last.marks.resize(last.bytes.len(), mark);
        }
    }

    /// Adds quoted text; even an empty one makes a field.
    pub(crate) fn push_quoted(&mut self, text: &[u8]) {
        self.push(text, Mark::Quoted);
        if let Some(last) = self.fields.last_mut() {
            last.quoted = true;
        }
    }

    /// Adds the result of an expansion.
    pub(crate) fn push_expanded(&mut self, text: &[u8], quoted: bool) {
        self.push(text, if quoted { Mark::Quoted } else { Mark::Expanded });
    }

    /// Ends a field and begins the next, as between the elements of `"$@"`.
    pub(crate) fn next_field(&mut self, quoted: bool) {
        self.fields.push(Draft {
            quoted,
            ..Draft::default()
        });
    }

    /// All fields joined.
    pub(crate) fn into_string(self, separator: &[u8]) -> Vec<u8> {
        let fields: Vec<Vec<u8>> = self.fields.into_iter().map(|field| field.bytes).collect();
        fields.join(separator)
    }

    /// All fields as one pattern, joined by blanks.
    pub(crate) fn into_pieces(self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                pieces.push(Piece {
                    byte: b' ',
                    quoted: true,
                });
            }
            pieces.extend(field.pieces());
        }
        pieces
    }
}
