//! Lines typed before: what is kept, what `~/.bash_history` holds.

mod expand;
mod join;

use std::collections::VecDeque;
use std::sync::Arc;

use super::editor::Kept;
pub use expand::{ExpandError, Expanded, words};
pub use join::{join, open_quote};

/// Lines kept when `$HISTSIZE` does not say less, as in real bash.
pub const DEFAULT_LINES: usize = 500;
/// Lines kept whatever `$HISTSIZE` says; more would be memory that nobody reads again.
pub const MAX_LINES: usize = 10_000;
/// Bytes kept in all; the oldest lines go first.
pub const MAX_BYTES: usize = 1 << 20;

/// Which lines `$HISTCONTROL` keeps out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Control {
    /// Those that begin with a blank.
    pub ignore_space: bool,
    /// Those that repeat the last.
    pub ignore_dups: bool,
    /// Equal ones before are removed.
    pub erase_dups: bool,
}

impl Control {
    /// Reads `$HISTCONTROL`.
    pub fn read(value: &[u8]) -> Self {
        let mut control = Self::default();
        for word in value.split(|&byte| byte == b':') {
            match word {
                b"ignorespace" => control.ignore_space = true,
                b"ignoredups" => control.ignore_dups = true,
                b"ignoreboth" => {
                    control.ignore_space = true;
                    control.ignore_dups = true;
                }
                b"erasedups" => control.erase_dups = true,
                _ => {}
            }
        }
        control
    }
}

/// Lines typed before, numbered from 1 on.
#[derive(Debug, Clone)]
pub struct History {
    /// Shared with the subshells, which can list them too.
    lines: Arc<VecDeque<Vec<u8>>>,
    /// When each was typed, in seconds since 1970; 0 where nobody knows.
    times: Arc<VecDeque<i64>>,
    /// The time that the next line gets.
    clock: i64,
    /// Lines that were dropped at the front.
    dropped: usize,
    bytes: usize,
    limit: usize,
    /// Lines added since the file was last read or written.
    new: usize,
    /// What one line's editing leaves to the next: killed text, the last search.
    pub(super) kept: Kept,
    /// The last `!?string?` and the last `:s/old/new/`.
    expansion: expand::Memory,
}

impl Default for History {
    fn default() -> Self {
        Self {
            lines: Arc::default(),
            times: Arc::default(),
            clock: 0,
            dropped: 0,
            bytes: 0,
            limit: DEFAULT_LINES,
            new: 0,
            kept: Kept::default(),
            expansion: expand::Memory::default(),
        }
    }
}

impl History {
    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number and text of each line.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &[u8])> {
        let first = self.first();
        self.lines
            .iter()
            .enumerate()
            .map(move |(index, line)| (first + index, line.as_slice()))
    }

    /// Sets the time that lines get from now on, in seconds since 1970.
    pub fn set_clock(&mut self, seconds: i64) {
        self.clock = seconds;
    }

    /// When the line of this number was typed, if that is known.
    pub fn time(&self, number: usize) -> Option<i64> {
        let time = self.times.get(number.checked_sub(self.first())?)?;
        (*time != 0).then_some(*time)
    }

    /// The number of the oldest line.
    pub fn first(&self) -> usize {
        self.dropped + 1
    }

    /// The number that the next line gets.
    pub fn next_number(&self) -> usize {
        self.first() + self.lines.len()
    }

    /// The line at `index` from the oldest.
    pub fn at(&self, index: usize) -> Option<&[u8]> {
        self.lines.get(index).map(Vec::as_slice)
    }

    /// The line of this number.
    pub fn line(&self, number: usize) -> Option<&[u8]> {
        self.at(number.checked_sub(self.first())?)
    }

    /// The last line.
    pub fn last(&self) -> Option<&[u8]> {
        self.lines.back().map(Vec::as_slice)
    }

    /// Keeps at most so many lines: `$HISTSIZE`; negative or unreadable keeps [`MAX_LINES`].
    pub fn set_limit(&mut self, lines: Option<usize>) {
        self.limit = lines.unwrap_or(MAX_LINES).min(MAX_LINES);
        let over = self.lines.len().saturating_sub(self.limit);
        self.trim();
        if over > 0 {
            // Readline numbers anew from how many it dropped.
            self.dropped = over - 1;
        }
    }

    /// Adds a line as `$HISTCONTROL` allows; whether it was kept.
    pub fn add(&mut self, line: &[u8], control: Control) -> bool {
        let blank = line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if (control.ignore_space && blank) || (control.ignore_dups && self.last() == Some(line)) {
            return false;
        }
        if control.erase_dups {
            let before = self.lines.len();
            let kept: Vec<bool> = self.lines.iter().map(|known| known != line).collect();
            let mut keep = kept.iter();
            Arc::make_mut(&mut self.lines).retain(|_| keep.next().copied().unwrap_or(true));
            let mut keep = kept.iter();
            Arc::make_mut(&mut self.times).retain(|_| keep.next().copied().unwrap_or(true));
            self.new = self.new.min(self.lines.len());
            if self.lines.len() != before {
                self.bytes = self.lines.iter().map(Vec::len).sum();
            }
        }
        self.push(line);
        true
    }

    /// Adds a line whatever it is: `history -s`, `history -r`.
    pub fn push(&mut self, line: &[u8]) {
        if self.limit == 0 {
            return;
        }
        self.bytes += line.len();
        Arc::make_mut(&mut self.lines).push_back(line.to_vec());
        Arc::make_mut(&mut self.times).push_back(self.clock);
        self.new += 1;
        self.trim();
    }

    /// Puts another text in the place of the last line: its command goes on. `shopt cmdhist`
    pub fn replace_last(&mut self, text: &[u8]) {
        if let Some(last) = Arc::make_mut(&mut self.lines).back_mut() {
            self.bytes = self.bytes - last.len() + text.len();
            *last = text.to_vec();
            self.trim();
        }
    }

    /// Removes the last line: what `history -s` does to itself, and a line that was expanded only.
    pub fn pop(&mut self) -> Option<Vec<u8>> {
        let line = Arc::make_mut(&mut self.lines).pop_back()?;
        Arc::make_mut(&mut self.times).pop_back();
        self.bytes -= line.len();
        self.new = self.new.saturating_sub(1);
        Some(line)
    }

    /// Removes the line of this number; `false` if there is none.
    pub fn delete(&mut self, number: usize) -> bool {
        let Some(index) = number.checked_sub(self.first()) else {
            return false;
        };
        let Some(line) = Arc::make_mut(&mut self.lines).remove(index) else {
            return false;
        };
        Arc::make_mut(&mut self.times).remove(index);
        self.bytes -= line.len();
        self.new = self.new.min(self.lines.len());
        true
    }

    /// What it takes, in bytes.
    #[must_use]
    pub(crate) fn weight(&self) -> usize {
        const LINE_BYTES: usize = 48;
        self.lines
            .len()
            .saturating_mul(LINE_BYTES)
            .saturating_add(self.bytes)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.lines = Arc::default();
        self.times = Arc::default();
        self.bytes = 0;
        self.dropped = 0;
        self.new = 0;
    }

    fn trim(&mut self) {
        while self.lines.len() > self.limit || (self.bytes > MAX_BYTES && self.lines.len() > 1) {
            let Some(line) = Arc::make_mut(&mut self.lines).pop_front() else {
                break;
            };
            Arc::make_mut(&mut self.times).pop_front();
            self.bytes -= line.len();
            self.dropped += 1;
        }
        self.new = self.new.min(self.lines.len());
    }

    /// Adds the lines of a history file; lines that are times (`#1700000000`) are those of the lines
    /// behind them.
    pub fn load(&mut self, file: &[u8]) {
        let now = self.clock;
        self.clock = 0;
        let body = file.strip_suffix(b"\n").unwrap_or(file);
        if body.is_empty() {
            return;
        }
        for line in body.split(|&byte| byte == b'\n') {
            let time = line.len() > 1
                && line.first() == Some(&b'#')
                && line.iter().skip(1).all(u8::is_ascii_digit);
            if time {
                let digits = line
                    .get(1..)
                    .and_then(|digits| std::str::from_utf8(digits).ok());
                self.clock = digits.and_then(|text| text.parse().ok()).unwrap_or(0);
            } else if !line.is_empty() {
                self.push(line);
            }
        }
        self.clock = now;
        self.new = 0;
    }

    /// All lines as a history file holds them, with their times if that is asked for.
    pub fn to_bytes(&self, times: bool) -> Vec<u8> {
        self.bytes_from(0, times)
    }

    /// The lines added since the file was read or written last, as it holds them.
    pub fn new_to_bytes(&self, times: bool) -> Vec<u8> {
        self.bytes_from(self.lines.len() - self.new, times)
    }

    fn bytes_from(&self, skip: usize, times: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (line, time) in self.lines.iter().zip(self.times.iter()).skip(skip) {
            if times && *time != 0 {
                bytes.extend_from_slice(format!("#{time}\n").as_bytes());
            }
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        bytes
    }

    /// How many lines are new since the file was read or written last.
    pub fn new_lines(&self) -> usize {
        self.new
    }

    /// The file has everything now.
    pub fn mark_saved(&mut self) {
        self.new = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(history: &History) -> Vec<&[u8]> {
        history.iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn control_keeps_repetitions_and_indented_lines_out() {
        let mut history = History::default();
        let control = Control::read(b"ignoreboth");
        for line in ["a", "a", " b", "c", "a"] {
            history.add(line.as_bytes(), control);
        }
        assert_eq!(texts(&history), [b"a", b"c", b"a"]);
        history.add(b"c", Control::read(b"erasedups"));
        assert_eq!(texts(&history), [b"a", b"a", b"c"]);
    }

    #[test]
    fn numbers_go_on_when_old_lines_are_dropped() {
        let mut history = History::default();
        history.set_limit(Some(2));
        for line in ["a", "b", "c"] {
            history.add(line.as_bytes(), Control::default());
        }
        assert_eq!(
            history.iter().collect::<Vec<_>>(),
            [(2, b"b".as_slice()), (3, b"c")]
        );
        assert_eq!(history.next_number(), 4);
        assert!(!history.delete(1));
        assert!(history.delete(2));
    }

    #[test]
    fn a_history_file_is_read_and_written() {
        let mut history = History::default();
        history.load(b"one\n#1700000000\ntwo\n");
        history.set_clock(1_700_000_009);
        history.add(b"three", Control::default());
        assert_eq!(history.to_bytes(false), b"one\ntwo\nthree\n");
        assert_eq!(history.new_to_bytes(false), b"three\n");
        assert_eq!(
            history.to_bytes(true),
            b"one\n#1700000000\ntwo\n#1700000009\nthree\n"
        );
        assert_eq!(
            (history.time(1), history.time(2)),
            (None, Some(1_700_000_000))
        );
    }

    #[test]
    fn bytes_stay_bounded() {
        let mut history = History::default();
        for _ in 0..100 {
            history.add(&vec![b'x'; 60_000], Control::default());
        }
        assert!(history.to_bytes(false).len() <= MAX_BYTES + 100);
    }
}
