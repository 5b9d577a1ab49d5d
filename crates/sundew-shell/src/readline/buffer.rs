//! The line being edited: text, cursor, mark, and what undo takes back.

use super::width;

/// Longest line that can be edited, in bytes; real readline has no limit. Past it the bell rings and
/// nothing is inserted.
pub const MAX_LINE_BYTES: usize = 64 * 1024;
/// Changes that undo remembers; the oldest are forgotten first.
const MAX_UNDO: usize = 2048;
/// Bytes of deleted text that undo remembers.
const MAX_UNDO_BYTES: usize = 256 * 1024;
/// Characters typed in a row that one undo takes back together.
const INSERT_RUN: usize = 20;

/// One step back.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Inserted {
        start: usize,
        end: usize,
    },
    Deleted {
        start: usize,
        text: Vec<u8>,
    },
    /// What follows until the matching end is one step; undo meets the end first.
    Begin,
    End,
}

/// Text, cursor and mark.
#[derive(Debug, Default)]
pub struct Buffer {
    text: Vec<u8>,
    point: usize,
    /// The other end of the region.
    pub mark: usize,
    /// Characters are those of UTF-8.
    pub utf8: bool,
    undo: Vec<Change>,
    undo_bytes: usize,
}

impl Buffer {
    /// An empty line.
    pub fn new(utf8: bool) -> Self {
        Self {
            utf8,
            ..Self::default()
        }
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The cursor, in bytes from the start.
    pub fn point(&self) -> usize {
        self.point
    }

    /// Whether the cursor is behind the last character.
    pub fn at_end(&self) -> bool {
        self.point == self.text.len()
    }

    /// The text before the cursor.
    pub fn before(&self) -> &[u8] {
        self.text.get(..self.point).unwrap_or_default()
    }

    /// Moves the cursor.
    pub fn set_point(&mut self, point: usize) {
        self.point = point.min(self.text.len());
    }

    /// Takes the text out; the buffer is empty then.
    pub fn take(&mut self) -> Vec<u8> {
        self.point = 0;
        self.forget_undo();
        std::mem::take(&mut self.text)
    }

    /// Puts another line here, the cursor behind it, undo forgotten.
    pub fn load(&mut self, text: &[u8]) {
        self.text = text.to_vec();
        self.point = self.text.len();
        self.mark = 0;
        self.forget_undo();
    }

    /// What was done cannot be undone any more.
    pub fn forget_undo(&mut self) {
        self.undo.clear();
        self.undo_bytes = 0;
    }

    /// Inserts at the cursor, which goes behind it; `false` if the line would be too long.
    pub fn insert(&mut self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return true;
        }
        if self.text.len() + bytes.len() > MAX_LINE_BYTES {
            return false;
        }
        let start = self.point;
        self.text.splice(start..start, bytes.iter().copied());
        self.point += bytes.len();
        if self.mark > start {
            self.mark += bytes.len();
        }
        let now = self.point;
        match self.undo.last_mut() {
            Some(Change::Inserted { start: first, end })
                if *end == start && bytes.len() == 1 && start - *first < INSERT_RUN =>
            {
                *end = now;
            }
            _ => self.remember(Change::Inserted { start, end: now }),
        }
        true
    }

    /// Removes `from..to`; what was there. The cursor stays at its character.
    pub fn delete(&mut self, from: usize, to: usize) -> Vec<u8> {
        let (from, to) = (from.min(to), from.max(to).min(self.text.len()));
        if from >= to {
            return Vec::new();
        }
        let removed: Vec<u8> = self.text.drain(from..to).collect();
        let moved = |at: usize| {
            if at >= to {
                at - (to - from)
            } else {
                at.min(from)
            }
        };
        self.point = moved(self.point);
        self.mark = moved(self.mark);
        self.remember(Change::Deleted {
            start: from,
            text: removed.clone(),
        });
        removed
    }

    fn remember(&mut self, change: Change) {
        if let Change::Deleted { text, .. } = &change {
            self.undo_bytes += text.len();
        }
        self.undo.push(change);
        if self.undo.len() > MAX_UNDO || self.undo_bytes > MAX_UNDO_BYTES {
            // Half at once: groups may be torn, which an undo survives.
            for old in self.undo.drain(..self.undo.len() / 2 + 1) {
                if let Change::Deleted { text, .. } = old {
                    self.undo_bytes -= text.len().min(self.undo_bytes);
                }
            }
        }
    }

    /// Makes the changes until [`Buffer::end_group`] one step for undo.
    pub fn begin_group(&mut self) {
        self.remember(Change::Begin);
    }

    /// Ends what [`Buffer::begin_group`] began.
    pub fn end_group(&mut self) {
        self.remember(Change::End);
    }

    /// Takes the last change back; `false` if there is none.
    pub fn undo(&mut self) -> bool {
        let mut depth = 0_u32;
        let mut any = false;
        while let Some(change) = self.undo.pop() {
            any = true;
            match change {
                Change::Inserted { start, end } => {
                    let end = end.min(self.text.len());
                    self.text.drain(start.min(end)..end);
                    self.point = start.min(self.text.len());
                }
                Change::Deleted { start, text } => {
                    self.undo_bytes -= text.len().min(self.undo_bytes);
                    let start = start.min(self.text.len());
                    self.point = start + text.len();
                    self.text.splice(start..start, text);
                }
                Change::End => depth += 1,
                Change::Begin => depth = depth.saturating_sub(1),
            }
            if depth == 0 {
                break;
            }
        }
        self.mark = self.mark.min(self.text.len());
        any
    }

    /// Takes all changes back.
    pub fn revert(&mut self) {
        while self.undo() {}
    }

    /// The text that was typed last, as far as one undo takes it back.
    pub fn last_inserted(&self) -> &[u8] {
        match self.undo.last() {
            Some(Change::Inserted { start, end }) => {
                self.text.get(*start..*end).unwrap_or_default()
            }
            Some(Change::End) => match self.undo.iter().rev().nth(1) {
                Some(Change::Inserted { start, end }) => {
                    self.text.get(*start..*end).unwrap_or_default()
                }
                _ => &[],
            },
            _ => &[],
        }
    }

    /// Puts a blank behind the line, for motions that shall reach its end.
    pub fn push_blank(&mut self) {
        self.text.push(b' ');
    }

    /// Takes it away again.
    pub fn pop_blank(&mut self) {
        self.text.pop();
        self.point = self.point.min(self.text.len());
    }

    /// Bytes that the line and its changes take.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.undo_bytes
    }

    /// Whether anything was changed since the line was put here.
    pub fn changed(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Where the character before the cursor begins.
    pub fn previous(&self, at: usize) -> usize {
        width::previous(&self.text, at, self.utf8)
    }

    /// Where the next character begins.
    pub fn next(&self, at: usize) -> usize {
        width::next(&self.text, at, self.utf8)
    }

    fn word_at(&self, at: usize) -> bool {
        self.text
            .get(at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
    }

    /// Whether a blank or tab is there.
    pub fn blank_at(&self, at: usize) -> bool {
        self.text
            .get(at)
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
    }

    /// The start of the word before `at`; words are letters and digits.
    pub fn word_start(&self, mut at: usize) -> usize {
        while at > 0 && !self.word_at(at - 1) {
            at -= 1;
        }
        while at > 0 && self.word_at(at - 1) {
            at -= 1;
        }
        at
    }

    /// The end of the word after `at`.
    pub fn word_end(&self, mut at: usize) -> usize {
        while at < self.text.len() && !self.word_at(at) {
            at += 1;
        }
        while self.word_at(at) {
            at += 1;
        }
        at
    }

    /// The start of what lies between blanks before `at`.
    pub fn blank_word_start(&self, mut at: usize) -> usize {
        while at > 0 && self.blank_at(at - 1) {
            at -= 1;
        }
        while at > 0 && !self.blank_at(at - 1) {
            at -= 1;
        }
        at
    }

    /// Replaces `from..to` by text of the same length, as one step for undo.
    pub fn replace(&mut self, from: usize, to: usize, with: &[u8]) {
        self.begin_group();
        self.delete(from, to);
        self.point = from;
        self.insert(with);
        self.end_group();
    }
}
