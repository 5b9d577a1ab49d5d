//! The lines of a file and the cursor in them.

use super::super::{byte_at, character, column_of};
use super::TAB;

/// Lines without their newlines; the last one is empty if the file ends in a newline.
#[derive(Debug, Clone)]
pub(super) struct Text {
    lines: Vec<Vec<u8>>,
    row: usize,
    /// The cursor, in bytes.
    at: usize,
    /// The column that moving up and down aims at.
    column: usize,
    top: usize,
    bytes: usize,
}

/// Where a text was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nowhere,
    /// Under the cursor only.
    OnlyHere,
    /// Before the cursor.
    Wrapped,
    Ahead,
}

impl Text {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut lines: Vec<Vec<u8>> = bytes
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        if lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(Vec::new());
        }
        Self {
            lines,
            row: 0,
            at: 0,
            column: 0,
            top: 0,
            bytes: bytes.len(),
        }
    }

    /// The file, ending in a newline, and how many lines it has.
    pub(super) fn to_bytes(&self) -> (Vec<u8>, usize) {
        let mut bytes = self.lines.join(&b'\n');
        if bytes.last().is_some_and(|&byte| byte != b'\n') {
            bytes.push(b'\n');
        }
        let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
        (bytes, lines)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn top(&self) -> usize {
        self.top
    }

    pub(super) fn cursor(&self) -> (usize, usize) {
        (self.row, self.at)
    }

    pub(super) fn at(&self, row: usize) -> &[u8] {
        self.lines.get(row).map_or(&[], Vec::as_slice)
    }

    pub(super) fn line(&self) -> &[u8] {
        self.at(self.row)
    }

    /// Brings the cursor's line into the window.
    pub(super) fn scroll(&mut self, height: usize) {
        if self.row < self.top || self.row >= self.top + height {
            self.top = self.row.saturating_sub(height / 2);
        }
    }

    fn moved(&mut self) {
        self.column = column_of(self.line(), self.at, TAB);
    }

    pub(super) fn left(&mut self) {
        if self.at > 0 {
            self.at = self.before();
        } else if self.row > 0 {
            self.row -= 1;
            self.at = self.line().len();
        }
        self.moved();
    }

    /// Where the character before the cursor begins.
    fn before(&self) -> usize {
        let line = self.line();
        let mut at = 0;
        while let Some(rest) = line.get(at..).filter(|_| at < self.at) {
            let next = at + character(rest).max(1);
            if next >= self.at {
                return at;
            }
            at = next;
        }
        at
    }

    pub(super) fn right(&mut self) {
        let rest = self.line().get(self.at..).unwrap_or_default();
        if !rest.is_empty() {
            self.at += character(rest);
        } else if self.row + 1 < self.lines.len() {
            self.row += 1;
            self.at = 0;
        }
        self.moved();
    }

    pub(super) fn up(&mut self, count: usize) {
        self.row = self.row.saturating_sub(count);
        self.at = byte_at(self.line(), self.column, TAB);
    }

    pub(super) fn down(&mut self, count: usize) {
        self.row = (self.row + count).min(self.lines.len().saturating_sub(1));
        self.at = byte_at(self.line(), self.column, TAB);
    }

    pub(super) fn home(&mut self) {
        self.at = 0;
        self.moved();
    }

    pub(super) fn end(&mut self) {
        self.at = self.line().len();
        self.moved();
    }

    pub(super) fn go_to_line(&mut self, line: usize) {
        self.row = line
            .saturating_sub(1)
            .min(self.lines.len().saturating_sub(1));
        self.home();
    }

    /// Inserts a byte; a carriage return is a new line.
    pub(super) fn insert(&mut self, byte: u8) {
        let (row, at) = (self.row, self.at);
        self.bytes += 1;
        if matches!(byte, b'\r' | b'\n') {
            let rest = match self.lines.get_mut(row) {
                Some(line) => line.split_off(at.min(line.len())),
                None => Vec::new(),
            };
            self.lines.insert(row + 1, rest);
            self.row += 1;
            self.at = 0;
        } else if let Some(line) = self.lines.get_mut(row) {
            line.insert(at.min(line.len()), byte);
            self.at += 1;
            // The last line is always empty.
            if row + 1 == self.lines.len() {
                self.lines.push(Vec::new());
            }
        }
        self.moved();
    }

    /// Deletes under the cursor; whether there was anything.
    pub(super) fn delete(&mut self) -> bool {
        let (row, at) = (self.row, self.at);
        let len = character(self.line().get(at..).unwrap_or_default());
        if len > 0 {
            if let Some(line) = self.lines.get_mut(row) {
                line.drain(at..at + len);
            }
            self.bytes = self.bytes.saturating_sub(len);
            return true;
        }
        if row + 1 >= self.lines.len() || (row + 2 == self.lines.len() && !self.line().is_empty()) {
            return false;
        }
        let next = self.lines.remove(row + 1);
        if let Some(line) = self.lines.get_mut(row) {
            line.extend_from_slice(&next);
        }
        self.bytes = self.bytes.saturating_sub(1);
        true
    }

    pub(super) fn backspace(&mut self) -> bool {
        let before = (self.row, self.at);
        self.left();
        before != (self.row, self.at) && {
            self.delete();
            true
        }
    }

    /// Takes the cursor's line out.
    pub(super) fn cut(&mut self) -> Option<Vec<u8>> {
        if self.row + 1 == self.lines.len() {
            return None;
        }
        let line = self.lines.remove(self.row);
        self.bytes = self.bytes.saturating_sub(line.len() + 1);
        self.home();
        Some(line)
    }

    /// Puts lines in front of the cursor's.
    pub(super) fn paste(&mut self, lines: &[Vec<u8>]) {
        for line in lines {
            if self.bytes + line.len() >= super::MAX_FILE_BYTES {
                return;
            }
            self.bytes += line.len() + 1;
            self.lines.insert(self.row, line.clone());
            self.row += 1;
        }
        self.home();
    }

    /// Goes to the next place of a text, whatever its case.
    pub(super) fn find(&mut self, wanted: &[u8]) -> Found {
        let here = (self.row, self.at);
        let rows = self.lines.len();
        for step in 0..=rows {
            let row = (self.row + step) % rows.max(1);
            let from = if step == 0 { self.at + 1 } else { 0 };
            let line = self.at(row);
            let found = line.get(from..).and_then(|rest| {
                rest.windows(wanted.len())
                    .position(|window| window.eq_ignore_ascii_case(wanted))
            });
            if let Some(found) = found {
                let place = (row, from + found);
                (self.row, self.at) = place;
                self.moved();
                return match place.cmp(&here) {
                    std::cmp::Ordering::Equal => Found::OnlyHere,
                    std::cmp::Ordering::Less => Found::Wrapped,
                    std::cmp::Ordering::Greater => Found::Ahead,
                };
            }
        }
        Found::Nowhere
    }

    /// What `^C` says.
    pub(super) fn position(&self) -> Vec<u8> {
        let count = |line: &[u8]| String::from_utf8_lossy(line).chars().count();
        let line = self.line();
        let before: usize = self
            .lines
            .iter()
            .take(self.row)
            .map(|line| count(line) + 1)
            .sum();
        let characters = before + count(line.get(..self.at).unwrap_or_default());
        let all: usize = self.lines.iter().map(|line| count(line) + 1).sum::<usize>() - 1;
        let percent = |part: usize, whole: usize| part * 100 / whole.max(1);
        let (row, rows) = (self.row + 1, self.lines.len());
        let column = column_of(line, self.at, TAB) + 1;
        let columns = column_of(line, line.len(), TAB) + 1;
        format!(
            "line {row:2}/{rows} ({}%), col {column:2}/{columns:2} ({:3}%), char {characters:2}/{all} ({:2}%)",
            percent(row, rows),
            percent(column, columns),
            percent(characters, all),
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_typed_cut_pasted_and_found() {
        let mut text = Text::new(b"");
        for &byte in b"one\rtwo" {
            text.insert(byte);
        }
        assert_eq!(text.to_bytes(), (b"one\ntwo\n".to_vec(), 2));
        text.go_to_line(1);
        let cut = text.cut();
        assert_eq!(cut.as_deref(), Some(b"one".as_slice()));
        text.paste(&[b"one".to_vec(), b"one".to_vec()]);
        assert_eq!(text.to_bytes().0, b"one\none\ntwo\n");
        assert_eq!(text.find(b"ONE"), Found::Wrapped);
        assert_eq!(text.find(b"one"), Found::Ahead);
        assert_eq!(text.find(b"two"), Found::Ahead);
        assert_eq!(text.find(b"two"), Found::OnlyHere);
        assert_eq!(text.find(b"zz"), Found::Nowhere);
        assert_eq!(
            text.position(),
            b"line  3/4 (75%), col  1/ 4 ( 25%), char  8/12 (66%)"
        );
        assert!(text.backspace());
        assert_eq!(text.to_bytes().0, b"one\nonetwo\n");
    }
}
