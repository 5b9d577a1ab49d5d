//! What the screen of `less` shows, and how it gets from one place to another.

use std::ops::Range;

use super::{CLEAR, Pager, Row, TILDE, line};
use crate::screen::Key;

impl Pager {
    pub(super) fn bytes(&self) -> &[u8] {
        self.files.get(self.at).map_or(&[], |file| &file.bytes)
    }

    /// Parts the file into rows.
    pub(super) fn lay_out(&mut self) {
        let mut rows = Vec::new();
        let width = if self.wish.numbers {
            self.columns.saturating_sub(8).max(1)
        } else {
            self.columns
        };
        let bytes = self.bytes();
        let mut start = 0;
        let mut number = 0;
        while start < bytes.len() {
            let rest = bytes.get(start..).unwrap_or_default();
            let len = rest.iter().position(|&byte| byte == b'\n');
            let next = start + len.unwrap_or(rest.len());
            let whole = bytes.get(start..next).unwrap_or_default();
            // The return in front of a newline is not shown.
            let end = next - usize::from(whole.ends_with(b"\r"));
            let mut from = start;
            let shown = self
                .filter
                .as_ref()
                .is_none_or(|filter| filter.is_match(whole));
            loop {
                if !shown {
                    break;
                }
                let text = bytes.get(from..end).unwrap_or_default();
                let fits = if self.wish.chop {
                    text.len()
                } else {
                    line::fits(text, width, self.wish.colours)
                };
                let to = if fits == 0 { end } else { from + fits };
                rows.push(Row {
                    line: number,
                    bytes: from..to,
                });
                from = to;
                if from >= end {
                    break;
                }
            }
            start = next + 1;
            number += 1;
        }
        self.rows = rows;
    }

    pub(super) fn row(&self, index: usize) -> Vec<u8> {
        let Some(row) = self.rows.get(index) else {
            return if self.wish.no_tildes {
                Vec::new()
            } else {
                TILDE.to_vec()
            };
        };
        let text = self.bytes().get(row.bytes.clone()).unwrap_or_default();
        let mut line = Vec::new();
        if self.wish.numbers {
            let first = index
                .checked_sub(1)
                .and_then(|before| self.rows.get(before))
                .is_none_or(|before| before.line != row.line);
            let number = if first {
                format!("{:7} ", row.line + 1)
            } else {
                " ".repeat(8)
            };
            line.extend_from_slice(number.as_bytes());
        }
        let width = self.columns.saturating_sub(line.len());
        let mut matches = Vec::new();
        let mut done = 0;
        while let Some(found) = self
            .pattern
            .as_ref()
            .filter(|_| !self.dark)
            .and_then(|pattern| pattern.find(text, done, done > 0))
            .filter(|found| found.end() > found.start())
        {
            matches.push(found.start()..found.end());
            done = found.end();
        }
        line.extend(line::drawn(text, width, self.wish.colours, &matches));
        line
    }

    /// Whether the terminal is in its last column behind a row, and the line goes on.
    pub(super) fn goes_on(&self, index: usize) -> bool {
        let (Some(row), Some(next)) = (self.rows.get(index), self.rows.get(index + 1)) else {
            return false;
        };
        let text = self.bytes().get(row.bytes.clone()).unwrap_or_default();
        let margin = if self.wish.numbers { 8 } else { 0 };
        row.line == next.line && line::width(text, self.wish.colours) + margin >= self.columns
    }

    pub(super) fn print_rows(&mut self, rows: Range<usize>) {
        for index in rows {
            let row = self.row(index);
            self.out.extend_from_slice(&row);
            if self.goes_on(index) {
                self.out.extend_from_slice(b" \x08");
            } else {
                self.out.push(b'\n');
            }
        }
        self.clean = true;
    }

    pub(super) fn line_at(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, |row| row.line)
    }

    /// Goes to a mark; `false` if there is none.
    pub(super) fn go_to_mark(&mut self, mark: Key) -> bool {
        match mark {
            Key::Byte(b'^') => self.leap(0),
            Key::Byte(b'$') => {
                self.marks.last = self.line_at(self.top);
                self.jump_to_end();
            }
            Key::Byte(b'\'') => self.leap(self.row_of_line(self.marks.last + 1)),
            Key::Byte(name) => {
                let Some(&(_, line)) = self
                    .marks
                    .named
                    .get(&name)
                    .filter(|(file, _)| *file == self.at)
                else {
                    return false;
                };
                self.leap(self.row_of_line(line + 1));
            }
            _ => self.clean = false,
        }
        true
    }

    /// Goes to a row and remembers where it was.
    pub(super) fn leap(&mut self, row: usize) {
        self.marks.last = self.line_at(self.top);
        self.jump(row);
    }

    /// Fills the screen, if a short file did not.
    pub(super) fn fill(&mut self) {
        if std::mem::take(&mut self.short) {
            self.skip_to(self.top);
        }
    }

    /// Shows a whole screen from a row on.
    pub(super) fn skip_to(&mut self, row: usize) {
        self.out.extend_from_slice(b"...skipping...\n");
        self.top = row;
        self.short = false;
        self.print_rows(row..row + self.height);
    }

    pub(super) fn at_end(&self) -> bool {
        self.top + self.height >= self.rows.len()
    }

    /// Rings once a second at most.
    pub(super) fn bell_at_end(&mut self) {
        if self.rung.replace(self.second) != Some(self.second) {
            self.out.push(7);
        }
    }

    pub(super) fn last_top(&self) -> usize {
        self.rows.len().saturating_sub(self.height)
    }

    pub(super) fn forward(&mut self, count: usize) {
        if self.at_end() {
            if self.wish.leave_at_second_end {
                self.ended = true;
                return;
            }
            self.bell_at_end();
            self.clean = false;
            return;
        }
        let bottom = self.top + self.height;
        let to = (bottom + count).min(self.rows.len());
        self.print_rows(bottom..to);
        self.top = to - self.height;
    }

    pub(super) fn back(&mut self, count: usize) {
        if self.top == 0 {
            self.fill();
            self.bell_at_end();
            self.clean = false;
            return;
        }
        let to = self.top.saturating_sub(count);
        if self.top - to > self.height {
            self.top = to;
            return self.repaint();
        }
        self.paint_back(to..self.top);
        self.top = to;
    }

    pub(super) fn paint_back(&mut self, rows: Range<usize>) {
        for index in rows.rev() {
            let row = self.row(index);
            self.out.extend_from_slice(b"\x1b[H\x1bM");
            self.out.extend_from_slice(&row);
            if !self.goes_on(index) {
                self.out.push(b'\n');
            }
        }
        self.go_to_bottom();
    }

    pub(super) fn go_to_bottom(&mut self) {
        let row = self.height + 1;
        self.out
            .extend_from_slice(format!("\x1b[{row};1H").as_bytes());
        self.clean = false;
    }

    pub(super) fn repaint(&mut self) {
        self.short = false;
        self.out.extend_from_slice(b"\x1b[H\x1b[2J\x1b[H");
        self.print_rows(self.top..self.top + self.height);
    }

    /// Brings a row to the top.
    pub(super) fn jump(&mut self, row: usize) {
        if row == self.top {
            self.clean = false;
            if row == 0 {
                self.bell_at_end();
            }
        } else if row + self.height < self.top {
            self.out.extend_from_slice(b"\x1b[H\x1b[2J");
            self.top = row;
            self.paint_back(row..row + self.height);
        } else if row < self.top {
            self.back(self.top - row);
        } else if row - self.top <= self.height {
            let bottom = self.top + self.height;
            self.print_rows(bottom..row + self.height);
            self.top = row;
        } else {
            self.skip_to(row);
        }
    }

    pub(super) fn jump_to_end(&mut self) {
        let last = self.last_top();
        if self.at_end() {
            self.clean = false;
        } else {
            self.out.extend_from_slice(b"...skipping...\n");
            self.top = last;
            self.print_rows(last..self.rows.len());
        }
    }

    pub(super) fn row_of_line(&self, line: usize) -> usize {
        let wanted = line.saturating_sub(1);
        let row = self.rows.partition_point(|row| row.line < wanted);
        row.min(self.rows.len().saturating_sub(1))
    }

    pub(super) fn prompt(&mut self) {
        if !std::mem::take(&mut self.clean) {
            self.out.extend_from_slice(CLEAR);
        }
        if self.wish.leave_at_end && self.at_end() && self.at + 1 == self.files.len() {
            self.ended = true;
        }
        let mut text = Vec::new();
        let named = std::mem::take(&mut self.named);
        if let Some(file) = self
            .files
            .get(self.at)
            .filter(|_| named || self.wish.long_prompt)
        {
            text.extend_from_slice(&file.name);
            if self.files.len() > 1 {
                let of = format!(" (file {} of {})", self.at + 1, self.files.len());
                text.extend_from_slice(of.as_bytes());
            }
        }
        if self.wish.long_prompt {
            text.extend_from_slice(self.lines_shown().as_bytes());
        }
        if self.at_end() {
            if !text.is_empty() {
                text.push(b' ');
            }
            text.extend_from_slice(b"(END)");
            if let Some(next) = self.files.get(self.at + 1) {
                text.extend_from_slice(b" - Next: ");
                text.extend_from_slice(&next.name);
            }
        } else if self.wish.long_prompt || self.wish.percent {
            if !text.is_empty() {
                text.push(b' ');
            }
            text.extend_from_slice(format!("{}%", self.percent()).as_bytes());
        }
        if self.filter.is_some() {
            self.out.extend_from_slice(b"& ");
        }
        if text.is_empty() {
            self.out.extend_from_slice(b":\x1b[K");
        } else {
            self.out
                .extend([b"\x1b[7m".as_slice(), &text, b"\x1b[27m\x1b[K"].concat());
        }
    }

    pub(super) fn echo(&mut self, byte: u8) {
        self.out
            .extend_from_slice(&[0x1b, b'[', b'K', byte, 8, byte]);
    }
}
