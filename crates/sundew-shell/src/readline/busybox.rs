//! BusyBox's line editing: bytes in, bytes for the terminal out.
//!
//! After BusyBox 1.35 as Debian builds it. It knows no terminfo, redraws from the prompt whenever
//! that is simpler, and asks the terminal where the cursor is.

use std::time::Duration;

use super::buffer::MAX_LINE_BYTES;
use super::editor::{Among, Completion, Outcome, Want};
use super::history::History;
use super::width;

/// Asks the terminal for the cursor's place; its answer is read and ignored.
const WHERE_IS_THE_CURSOR: &[u8] = b"\x1b[6n";
/// Clears to the end of the screen.
const CLEAR: &[u8] = b"\x1b[J";
/// Longest sequence of bytes that a key sends.
const MAX_KEY_BYTES: usize = 16;
/// How long an escape waits for the rest of a key.
const KEY_WAIT: Duration = Duration::from_millis(50);
/// Largest character that is shown; others show as `?`: `CONFIG_LAST_SUPPORTED_WCHAR`.
const LAST_SHOWN: char = '\u{2ff}';

/// One line being typed.
#[derive(Debug)]
pub struct Simple {
    prompt: Vec<u8>,
    columns: usize,
    utf8: bool,
    text: Vec<u8>,
    /// The cursor, in bytes.
    point: usize,
    /// The cursor's column and row below the prompt's.
    column: usize,
    row: usize,
    index: usize,
    /// The new line, while an old one is shown.
    new_line: Vec<u8>,
    /// The key that is being received, and the first bytes of a character.
    key: Vec<u8>,
    partial: Vec<u8>,
    listing: bool,
    out: Vec<u8>,
}

impl Simple {
    /// Begins a line: shows the prompt. `more` says whether input waits already.
    pub fn new(prompt: &[u8], columns: u16, utf8: bool, more: bool, history: &History) -> Self {
        let prompt: Vec<u8> = prompt
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, 1 | 2))
            .collect();
        let mut simple = Self {
            prompt,
            columns: usize::from(columns).max(2),
            utf8,
            text: Vec::new(),
            point: 0,
            column: 0,
            row: 0,
            index: history.len(),
            new_line: Vec::new(),
            key: Vec::new(),
            partial: Vec::new(),
            listing: false,
            out: Vec::new(),
        };
        simple.put_prompt();
        if !more {
            simple.out.extend_from_slice(WHERE_IS_THE_CURSOR);
        }
        simple
    }

    /// What is to be sent to the terminal.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// The line so far and the cursor in it.
    pub fn line(&self) -> (&[u8], usize) {
        (&self.text, self.point)
    }

    /// `^C` was typed.
    pub fn interrupt(&mut self) {
        self.out.extend_from_slice(b"^C");
    }

    /// The terminal has another width.
    pub fn resize(&mut self, columns: u16) {
        self.columns = usize::from(columns).max(2);
        self.redraw(self.point);
    }

    /// How long the rest of a key is waited for.
    pub fn key_time(&self) -> Option<Duration> {
        (!self.key.is_empty()).then_some(KEY_WAIT)
    }

    /// The rest of a key did not come: an escape alone does nothing.
    pub fn key_timeout(&mut self) -> Outcome {
        self.key.clear();
        Outcome::Continue
    }

    /// Takes one typed byte.
    pub fn feed(&mut self, byte: u8, history: &History) -> Outcome {
        if !self.key.is_empty() {
            self.key.push(byte);
            return self.sequence(history);
        }
        let listing = std::mem::take(&mut self.listing);
        match byte {
            0x1b => self.key.push(byte),
            b'\r' | b'\n' => {
                self.go_to_end();
                if self.column != 0 {
                    self.out.push(b'\n');
                }
                return Outcome::Accept(std::mem::take(&mut self.text));
            }
            1 => self.back_to(0),
            2 => self.back_to(self.previous(self.point)),
            4 if self.text.is_empty() => return Outcome::End,
            4 => self.delete(),
            5 => self.go_to_end(),
            6 => self.forward(),
            8 | 0x7f => self.backspace(),
            9 => {
                self.listing = listing;
                let want = if listing { Want::List } else { Want::Insert };
                return Outcome::Complete(want, Among::Anything);
            }
            11 => {
                self.text.truncate(self.point);
                self.out.extend_from_slice(CLEAR);
            }
            12 => {
                self.out.extend_from_slice(b"\x1b[H\x1b[J");
                self.row = 0;
                self.redraw(self.point);
            }
            14 => self.show_line(true, history),
            16 => self.show_line(false, history),
            21 if self.point == 0 => {}
            21 => {
                self.text.drain(..self.point);
                self.redraw(0);
            }
            23 => self.rub_out_word(),
            0x20..0x7f | 0x80.. => self.insert(byte),
            _ => {}
        }
        Outcome::Continue
    }

    fn sequence(&mut self, history: &History) -> Outcome {
        let key = self.key.clone();
        let Some((&last, body)) = key.split_last() else {
            return Outcome::Continue;
        };
        match body {
            b"\x1b" => match last {
                b'[' | b'O' => return Outcome::Continue,
                b'b' => self.word_left(),
                b'f' => self.word_right(),
                b'd' => {
                    let start = self.point;
                    self.word_right();
                    let count = self
                        .text
                        .get(start..self.point)
                        .map_or(0, |text| self.characters(text));
                    self.back_to(start);
                    for _ in 0..count {
                        self.delete();
                    }
                }
                8 | 0x7f => {
                    let end = self.point;
                    self.word_left();
                    let count = self
                        .text
                        .get(self.point..end)
                        .map_or(0, |text| self.characters(text));
                    for _ in 0..count {
                        self.delete();
                    }
                }
                _ => {}
            },
            _ if (last.is_ascii_digit() || last == b';') && key.len() < MAX_KEY_BYTES => {
                return Outcome::Continue;
            }
            b"\x1b[" | b"\x1bO" => match last {
                b'A' => self.show_line(false, history),
                b'B' => self.show_line(true, history),
                b'C' => self.forward(),
                b'D' => self.back_to(self.previous(self.point)),
                b'H' => self.back_to(0),
                b'F' => self.go_to_end(),
                _ => {}
            },
            b"\x1b[1" | b"\x1b[7" if last == b'~' => self.back_to(0),
            b"\x1b[4" | b"\x1b[8" if last == b'~' => self.go_to_end(),
            b"\x1b[3" if last == b'~' => self.delete(),
            b"\x1b[1;5" | b"\x1b[1;3" if last == b'C' => self.word_right(),
            b"\x1b[1;5" | b"\x1b[1;3" if last == b'D' => self.word_left(),
            _ => {}
        }
        self.key.clear();
        Outcome::Continue
    }

    /// Answers [`Outcome::Complete`].
    pub fn complete(&mut self, want: Want, completion: &Completion) {
        let more = completion.shown.len() > 1;
        if completion.shown.is_empty() {
            self.out.push(7);
            return;
        }
        if want == Want::List {
            self.list(completion);
            self.redraw(self.point);
            return;
        }
        if more {
            self.out.push(7);
            self.listing = true;
        }
        let mut word = completion.common.clone();
        if !more {
            word.extend_from_slice(&completion.suffix);
        }
        if !word.is_empty() && self.text.len() + word.len() <= MAX_LINE_BYTES {
            let end = completion.start + word.len();
            self.text.splice(completion.start..self.point, word);
            self.redraw(end);
        }
    }

    fn list(&mut self, completion: &Completion) {
        let names: Vec<Vec<u8>> = completion
            .shown
            .iter()
            .map(|shown| {
                [
                    shown.name.as_slice(),
                    if shown.directory { b"/" } else { b"" },
                ]
                .concat()
            })
            .collect();
        let widest = names
            .iter()
            .map(|name| width::of(name, self.utf8))
            .max()
            .unwrap_or(0)
            + 2;
        let across = (self.columns / widest).max(1);
        let down = names.len().div_ceil(across);
        self.out.push(b'\n');
        for row in 0..down {
            let mut at = row;
            for _ in 1..across {
                let Some(name) = names.get(at).filter(|_| at + down < names.len()) else {
                    break;
                };
                self.out.extend_from_slice(name);
                let padding = widest.saturating_sub(width::of(name, self.utf8));
                self.out.resize(self.out.len() + padding, b' ');
                at += down;
            }
            self.out
                .extend_from_slice(names.get(at).map_or(b"".as_slice(), Vec::as_slice));
            self.out.push(b'\n');
        }
        self.row = 0;
    }

    // ---- the screen ------------------------------------------------------------------------------

    fn put_prompt(&mut self) {
        self.out.extend_from_slice(&self.prompt);
        let last = self
            .prompt
            .rsplit(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        self.column = width::of(&without_escapes(last), self.utf8) % self.columns;
        self.row = 0;
    }

    fn redraw(&mut self, point: usize) {
        if self.row > 0 {
            self.out
                .extend_from_slice(format!("\x1b[{}A", self.row).as_bytes());
        }
        self.out.push(b'\r');
        self.put_prompt();
        self.point = 0;
        self.go_to_end();
        self.out.extend_from_slice(CLEAR);
        self.back_to(point);
    }

    /// Shows the character at the cursor, which goes behind it.
    fn forward(&mut self) {
        let rest = self.text.get(self.point..).unwrap_or_default();
        let (len, _) = width::character(rest, self.utf8);
        let bytes = rest.get(..len).unwrap_or_default().to_vec();
        if bytes.is_empty() {
            return;
        }
        self.point += len;
        match std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.chars().next())
        {
            Some(shown) if shown <= LAST_SHOWN => self.out.extend_from_slice(&bytes),
            None if !self.utf8 => self.out.extend_from_slice(&bytes),
            _ => self.out.push(b'?'),
        }
        self.column += 1;
        if self.column >= self.columns {
            self.column = 0;
            self.row += 1;
            self.out.extend_from_slice(b"\r\n");
        }
    }

    fn go_to_end(&mut self) {
        while self.point < self.text.len() {
            self.forward();
        }
    }

    fn back_to(&mut self, point: usize) {
        let count = self
            .text
            .get(point..self.point)
            .map_or(0, |text| self.characters(text));
        self.point = point.min(self.point);
        if count <= self.column {
            self.column -= count;
            if count <= 4 {
                self.out.resize(self.out.len() + count, 8);
            } else {
                self.out
                    .extend_from_slice(format!("\x1b[{count}D").as_bytes());
            }
            return;
        }
        let over = count - self.column;
        let rows = over.div_ceil(self.columns);
        self.column = rows * self.columns - over;
        self.row = self.row.saturating_sub(rows);
        self.out
            .extend_from_slice(format!("\r\x1b[{rows}A").as_bytes());
        if self.column > 0 {
            self.out
                .extend_from_slice(format!("\x1b[{}C", self.column).as_bytes());
        }
    }

    // ---- the line --------------------------------------------------------------------------------

    fn characters(&self, text: &[u8]) -> usize {
        let mut at = 0;
        let mut count = 0;
        while at < text.len() {
            at += width::character(text.get(at..).unwrap_or_default(), self.utf8)
                .0
                .max(1);
            count += 1;
        }
        count
    }

    fn previous(&self, at: usize) -> usize {
        width::previous(&self.text, at, self.utf8)
    }

    fn insert(&mut self, byte: u8) {
        self.partial.push(byte);
        let first = self.partial.first().copied().unwrap_or(byte);
        if self.utf8
            && self.partial.len() < width::expected_len(first)
            && (self.partial.len() == 1 || byte & 0xc0 == 0x80)
        {
            return;
        }
        let mut character = std::mem::take(&mut self.partial);
        if self.utf8 && std::str::from_utf8(&character).is_err() {
            // What is no character is typed as one that says so.
            character = vec![b'?'];
        }
        if self.text.len() + character.len() > MAX_LINE_BYTES {
            return;
        }
        let after = self.point + character.len();
        self.text.splice(self.point..self.point, character);
        self.go_to_end();
        self.back_to(after);
    }

    fn delete(&mut self) {
        let (len, _) = width::character(self.text.get(self.point..).unwrap_or_default(), self.utf8);
        if len == 0 {
            return;
        }
        let point = self.point;
        self.text.drain(point..point + len);
        self.go_to_end();
        self.out.extend_from_slice(CLEAR);
        self.back_to(point);
    }

    fn backspace(&mut self) {
        if self.point > 0 {
            self.back_to(self.previous(self.point));
            self.delete();
        }
    }

    fn byte_before(&self) -> Option<u8> {
        self.text.get(self.point.checked_sub(1)?).copied()
    }

    fn rub_out_word(&mut self) {
        while self
            .byte_before()
            .is_some_and(|byte| byte.is_ascii_whitespace())
        {
            self.backspace();
        }
        while self
            .byte_before()
            .is_some_and(|byte| !byte.is_ascii_whitespace())
        {
            self.backspace();
        }
    }

    fn word_left(&mut self) {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        while self.byte_before().is_some_and(|byte| !is_word(byte)) {
            self.back_to(self.previous(self.point));
        }
        while self.byte_before().is_some_and(is_word) {
            self.back_to(self.previous(self.point));
        }
    }

    fn word_right(&mut self) {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
        while self.text.get(self.point).is_some_and(|byte| !is_word(byte)) {
            self.forward();
        }
        while self.text.get(self.point).is_some_and(is_word) {
            self.forward();
        }
    }

    fn show_line(&mut self, down: bool, history: &History) {
        let to = if down {
            Some(self.index + 1).filter(|to| *to <= history.len())
        } else {
            self.index.checked_sub(1)
        };
        let Some(to) = to else {
            self.out
                .extend_from_slice(if down { b"\x07" } else { b"\x07\x07" });
            return;
        };
        if self.index == history.len() {
            self.new_line = self.text.clone();
        }
        self.index = to;
        self.text = history
            .at(to)
            .map_or_else(|| self.new_line.clone(), <[u8]>::to_vec);
        self.redraw(self.text.len());
    }
}

/// Text without escape sequences, which take no room.
fn without_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == 0x1b {
            let _bracket = bytes.next();
            let _rest = bytes.by_ref().find(u8::is_ascii_alphabetic);
        } else {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readline::editor::Shown;

    /// Types each step; what was sent after each, as recorded from BusyBox 1.35 (newlines as written,
    /// before the terminal makes two bytes of them).
    fn check(history: &[&str], steps: &[(&[u8], &[u8])]) {
        let mut past = History::default();
        for line in history {
            past.push(line.as_bytes());
        }
        let mut simple = Simple::new(b"$ ", 80, true, false, &past);
        assert_eq!(simple.take_output(), b"$ \x1b[6n");
        for (keys, expected) in steps {
            for key in *keys {
                simple.feed(*key, &past);
            }
            let got = simple.take_output();
            assert_eq!(
                got.escape_ascii().to_string(),
                expected.escape_ascii().to_string(),
                "after {}",
                keys.escape_ascii()
            );
        }
    }

    #[test]
    fn keys_are_answered_with_the_bytes_of_busybox() {
        check(
            &[],
            &[
                (b"echo hi", b"echo hi"),
                (b"\x01", b"\x1b[7D"),
                (b"\x05", b"echo hi"),
                (b"\x02\x02", b"\x08\x08"),
                (b"X", b"Xhi\x08\x08"),
                (b"YZ", b"Yhi\x08\x08Zhi\x08\x08"),
                (b"\x7f", b"\x08hi\x1b[J\x08\x08"),
                (b"\x1b[3~", b"i\x1b[J\x08"),
                (b"\x0b", b"\x1b[J"),
                (b"\x15", b"\r$ \x1b[J"),
                (b"\x1b[1;3R", b""),
                (b"abc \x01", b"abc \x08\x08\x08\x08"),
                (
                    b"\x1bd",
                    b"abc\x08\x08\x08bc \x1b[J\x08\x08\x08c \x1b[J\x08\x08 \x1b[J\x08",
                ),
                (b"\x0c", b"\x1b[H\x1b[J\r$  \x1b[J\x08"),
            ],
        );
    }

    #[test]
    fn history_is_shown_by_redrawing() {
        check(
            &["echo one", "echo two two"],
            &[
                (b"\x1b[A", b"\r$ echo two two\x1b[J"),
                (b"\x1b[A", b"\r$ echo one\x1b[J"),
                (b"\x1b[A", b"\x07\x07"),
                (b"\x1b[B\x1b[B", b"\r$ echo two two\x1b[J\r$ \x1b[J"),
                (b"\x1b[B", b"\x07"),
            ],
        );
    }

    #[test]
    fn a_line_wraps_with_a_newline_of_its_own() {
        let long = [b'x'; 77];
        check(
            &[],
            &[
                (&long, &long),
                (b"y", b"y\r\n"),
                (b"zw", b"zw"),
                (b"\x7f\x7f", b"\x08\x1b[J\x08\x1b[J"),
                (b"\x7f", b"\r\x1b[1A\x1b[79C\x1b[J"),
                (b"\x01", b"\x1b[77D"),
            ],
        );
    }

    #[test]
    fn wide_characters_show_as_question_marks() {
        check(
            &[],
            &[
                ("hé中".as_bytes(), "hé?".as_bytes()),
                (b"\x02\x02", b"\x08\x08"),
            ],
        );
    }

    #[test]
    fn the_second_tab_lists() {
        let past = History::default();
        let mut simple = Simple::new(b"$ ", 80, true, true, &past);
        let shown = ["alpha", "alpine"].map(|name| Shown {
            name: name.as_bytes().to_vec(),
            directory: false,
            sign: None,
        });
        let completion = Completion {
            start: 3,
            common: b"alp".to_vec(),
            shown: shown.to_vec(),
            ..Completion::default()
        };
        for key in b"ls al" {
            simple.feed(*key, &past);
        }
        simple.take_output();
        for expected in [
            b"\x07\r$ ls alp\x1b[J".as_slice(),
            b"\nalpha   alpine\n\r$ ls alp\x1b[J",
        ] {
            let Outcome::Complete(want, _) = simple.feed(9, &past) else {
                panic!("no completion")
            };
            simple.complete(want, &completion);
            assert_eq!(simple.take_output(), expected);
        }
    }
}
