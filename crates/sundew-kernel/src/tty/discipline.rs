//! The line discipline: what typed bytes become, and what written bytes look like. No tasks, no
//! locks: a state machine after Linux's `N_TTY`.

use std::collections::VecDeque;

use super::termios::{
    ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, ICANON, ICRNL, IEXTEN, IGNCR, INLCR, ISIG, ISTRIP,
    IUTF8, IXANY, IXON, NOFLSH, OCRNL, ONLCR, OPOST, VEOF, VEOL, VEOL2, VERASE, VINTR, VKILL,
    VLNEXT, VMIN, VQUIT, VREPRINT, VSTART, VSTOP, VSUSP, VWERASE, XTABS,
};
use super::{Signal, Termios};

/// Longest line that can be typed, in bytes; Linux's `N_TTY_BUF_SIZE` less one. What follows is
/// dropped until the line ends.
pub const MAX_LINE: usize = 4095;
/// Typed bytes that may wait unread before the other side is asked to wait.
const MAX_READY: usize = 16 * 1024;

/// A piece of input that a canonical read returns at once.
#[derive(Debug)]
struct Line {
    bytes: VecDeque<u8>,
}

/// The state of one terminal's line discipline.
#[derive(Debug, Default)]
pub struct Discipline {
    termios: Termios,
    /// The line being typed.
    editing: Vec<u8>,
    /// Lines ready to be read; an empty one is an end of file.
    lines: VecDeque<Line>,
    ready_bytes: usize,
    literal_next: bool,
    stopped: bool,
    /// Column of the cursor, for tabs.
    column: usize,
    /// Column at which the line being typed began.
    line_start: usize,
}

impl Discipline {
    /// The settings.
    pub fn termios(&self) -> &Termios {
        &self.termios
    }

    /// Changes the settings. A line that is being typed becomes readable when canonical mode ends.
    pub fn set_termios(&mut self, termios: Termios) {
        let was_canonical = self.termios.local_has(ICANON);
        self.termios = termios;
        if was_canonical && !self.termios.local_has(ICANON) && !self.editing.is_empty() {
            let line = std::mem::take(&mut self.editing);
            self.push_ready(line);
        }
        if !self.termios.input_has(IXON) {
            self.stopped = false;
        }
    }

    /// Forgets what was typed and not read.
    pub fn flush_input(&mut self) {
        self.editing.clear();
        self.lines.clear();
        self.ready_bytes = 0;
        self.literal_next = false;
    }

    /// Whether `^S` holds the output.
    pub fn output_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether more typed bytes are welcome.
    pub fn has_room(&self) -> bool {
        self.ready_bytes < MAX_READY
    }

    /// Whether a read would return at once.
    pub fn has_input(&self) -> bool {
        !self.lines.is_empty() || self.raw_read_returns_nothing()
    }

    /// Reads up to `buf.len()` bytes, in canonical mode at most one line; `None` when there is
    /// nothing yet, `Some(0)` at an end of file.
    pub fn read(&mut self, buf: &mut [u8]) -> Option<usize> {
        let canonical = self.termios.local_has(ICANON);
        let mut count = 0;
        while let Some(line) = self.lines.front_mut() {
            let take = line.bytes.len().min(buf.len() - count);
            for (to, from) in buf.iter_mut().skip(count).zip(line.bytes.drain(..take)) {
                *to = from;
            }
            count += take;
            self.ready_bytes -= take;
            if line.bytes.is_empty() {
                self.lines.pop_front();
            }
            if canonical || count == buf.len() {
                return Some(count);
            }
        }
        (count > 0 || self.raw_read_returns_nothing()).then_some(count)
    }

    fn raw_read_returns_nothing(&self) -> bool {
        !self.termios.local_has(ICANON) && self.termios.keys.get(VMIN) == Some(&0)
    }

    /// Takes one typed byte; what it shows is added to `echo`. Returns the signal it makes.
    pub fn input(&mut self, byte: u8, echo: &mut VecDeque<u8>) -> Option<Signal> {
        let byte = self.map_input(byte)?;
        if self.literal_next {
            self.literal_next = false;
            if self.termios.local_has(ECHO) && self.termios.local_has(ECHOCTL) {
                // The caret shown for the literal-next key stays; the character replaces it.
                self.show(byte, echo);
            }
            self.add(byte);
            return None;
        }
        if self.termios.input_has(IXON) {
            if self.termios.is_key(VSTART, byte) {
                self.stopped = false;
                return None;
            }
            if self.termios.is_key(VSTOP, byte) {
                self.stopped = true;
                return None;
            }
            if self.stopped && self.termios.input_has(IXANY) {
                self.stopped = false;
            }
        }
        if self.termios.local_has(ISIG)
            && let Some(signal) = self.signal_of(byte)
        {
            if !self.termios.local_has(NOFLSH) {
                self.flush_input();
                // Nobody has seen that yet, and nobody will.
                echo.clear();
            }
            self.stopped = false;
            if self.termios.local_has(ECHO) {
                self.show(byte, echo);
            }
            return Some(signal);
        }
        if self.termios.local_has(ICANON) {
            self.edit(byte, echo);
        } else {
            if self.termios.local_has(ECHO) {
                self.show(byte, echo);
            }
            self.push_ready(vec![byte]);
        }
        None
    }

    /// Shows written bytes on the terminal.
    pub fn write(&mut self, data: &[u8], output: &mut VecDeque<u8>) {
        for &byte in data {
            self.put(byte, output);
        }
    }

    fn map_input(&self, byte: u8) -> Option<u8> {
        let byte = if self.termios.input_has(ISTRIP) {
            byte & 0x7f
        } else {
            byte
        };
        match byte {
            b'\r' if self.termios.input_has(IGNCR) => None,
            b'\r' if self.termios.input_has(ICRNL) => Some(b'\n'),
            b'\n' if self.termios.input_has(INLCR) => Some(b'\r'),
            _ => Some(byte),
        }
    }

    fn signal_of(&self, byte: u8) -> Option<Signal> {
        [
            (VINTR, Signal::INT),
            (VQUIT, Signal::QUIT),
            (VSUSP, Signal::TSTP),
        ]
        .into_iter()
        .find(|&(index, _)| self.termios.is_key(index, byte))
        .map(|(_, signal)| signal)
    }

    /// Canonical mode: one key of a line that is being typed.
    fn edit(&mut self, byte: u8, echo: &mut VecDeque<u8>) {
        let termios = &self.termios;
        let extended = termios.local_has(IEXTEN);
        if termios.is_key(VERASE, byte) {
            self.erase_character(echo);
        } else if extended && termios.is_key(VWERASE, byte) {
            self.erase_word(echo);
        } else if termios.is_key(VKILL, byte) {
            self.kill_line(byte, echo);
        } else if extended && termios.is_key(VLNEXT, byte) {
            self.literal_next = true;
            if termios.local_has(ECHO) && termios.local_has(ECHOCTL) {
                echo.extend(b"^\x08");
            }
        } else if extended && termios.is_key(VREPRINT, byte) && termios.local_has(ECHO) {
            self.reprint(byte, echo);
        } else if termios.is_key(VEOF, byte) {
            let line = std::mem::take(&mut self.editing);
            self.push_ready(line);
        } else {
            let ends = byte == b'\n' || termios.is_key(VEOL, byte) || termios.is_key(VEOL2, byte);
            if self.editing.is_empty() {
                self.line_start = self.column;
            }
            if termios.local_has(ECHO) || (byte == b'\n' && termios.local_has(ECHONL)) {
                self.show(byte, echo);
            }
            self.add(byte);
            if ends {
                let line = std::mem::take(&mut self.editing);
                self.push_ready(line);
            }
        }
    }

    fn add(&mut self, byte: u8) {
        if self.termios.local_has(ICANON) {
            if self.editing.len() < MAX_LINE || byte == b'\n' {
                self.editing.push(byte);
            }
        } else {
            self.push_ready(vec![byte]);
        }
    }

    fn push_ready(&mut self, bytes: Vec<u8>) {
        self.ready_bytes += bytes.len();
        self.lines.push_back(Line {
            bytes: bytes.into(),
        });
    }

    /// Removes the last character of the line; the bytes that were removed.
    fn pop_character(&mut self) -> Option<u8> {
        let mut last = self.editing.pop()?;
        if self.termios.input_has(IUTF8) {
            while (0x80..0xc0).contains(&last) {
                let Some(previous) = self.editing.pop() else {
                    break;
                };
                last = previous;
            }
        }
        Some(last)
    }

    fn erase_character(&mut self, echo: &mut VecDeque<u8>) {
        let before = self.width_of_line();
        if self.pop_character().is_some() {
            self.rub_out(before - self.width_of_line().min(before), echo);
        }
    }

    fn erase_word(&mut self, echo: &mut VecDeque<u8>) {
        let before = self.width_of_line();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        let mut seen_word = false;
        while let Some(&last) = self.editing.last() {
            if is_word(last) {
                seen_word = true;
            } else if seen_word {
                break;
            }
            self.pop_character();
        }
        self.rub_out(before - self.width_of_line().min(before), echo);
    }

    fn kill_line(&mut self, byte: u8, echo: &mut VecDeque<u8>) {
        let width = self.width_of_line();
        self.editing.clear();
        if !self.termios.local_has(ECHO) {
            return;
        }
        if self.termios.local_has(ECHOKE) && self.termios.local_has(ECHOE) {
            self.rub_out(width, echo);
        } else {
            self.show(byte, echo);
            if self.termios.local_has(ECHOK) {
                self.put(b'\n', echo);
            }
        }
    }

    fn reprint(&mut self, byte: u8, echo: &mut VecDeque<u8>) {
        self.show(byte, echo);
        self.put(b'\n', echo);
        self.line_start = 0;
        for byte in self.editing.clone() {
            self.show(byte, echo);
        }
    }

    /// Columns that the line being typed takes on the screen.
    fn width_of_line(&self) -> usize {
        let mut column = self.line_start;
        for &byte in &self.editing {
            column += match byte {
                b'\t' => 8 - column % 8,
                0..0x20 | 0x7f if self.termios.local_has(ECHOCTL) => 2,
                0..0x20 | 0x7f => 0,
                0x80..0xc0 if self.termios.input_has(IUTF8) => 0,
                _ => 1,
            };
        }
        column - self.line_start
    }

    fn rub_out(&mut self, columns: usize, echo: &mut VecDeque<u8>) {
        if !self.termios.local_has(ECHO) {
            return;
        }
        for _ in 0..columns {
            echo.extend(b"\x08 \x08");
            self.column = self.column.saturating_sub(1);
        }
    }

    /// Echoes one typed byte, control characters as `^X`.
    fn show(&mut self, byte: u8, echo: &mut VecDeque<u8>) {
        let control = byte < 0x20 || byte == 0x7f;
        if control && !matches!(byte, b'\n' | b'\t') && self.termios.local_has(ECHOCTL) {
            self.put(b'^', echo);
            self.put(byte ^ 0x40, echo);
        } else {
            self.put(byte, echo);
        }
    }

    /// Output processing of one byte.
    fn put(&mut self, byte: u8, output: &mut VecDeque<u8>) {
        if !self.termios.output_has(OPOST) {
            output.push_back(byte);
            return;
        }
        match byte {
            b'\n' if self.termios.output_has(ONLCR) => {
                output.extend(b"\r\n");
                self.column = 0;
            }
            b'\r' if self.termios.output_has(OCRNL) => output.push_back(b'\n'),
            b'\r' => {
                output.push_back(b'\r');
                self.column = 0;
            }
            b'\t' => {
                let width = 8 - self.column % 8;
                if self.termios.output & XTABS == XTABS {
                    output.extend(std::iter::repeat_n(b' ', width));
                } else {
                    output.push_back(b'\t');
                }
                self.column += width;
            }
            b'\x08' => {
                output.push_back(byte);
                self.column = self.column.saturating_sub(1);
            }
            _ => {
                output.push_back(byte);
                let shows = byte >= 0x20 && !(0x80..0xc0).contains(&byte);
                self.column += usize::from(shows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(discipline: &mut Discipline, bytes: &[u8]) -> (String, Vec<Signal>) {
        let mut echo = VecDeque::new();
        let signals = bytes
            .iter()
            .filter_map(|&byte| discipline.input(byte, &mut echo))
            .collect();
        (
            String::from_utf8_lossy(&echo.into_iter().collect::<Vec<_>>()).into_owned(),
            signals,
        )
    }

    fn read(discipline: &mut Discipline) -> Option<Vec<u8>> {
        let mut buf = [0; 64];
        discipline.read(&mut buf).map(|count| buf[..count].to_vec())
    }

    #[test]
    fn a_line_is_readable_when_it_ends() {
        let mut discipline = Discipline::default();
        assert_eq!(type_in(&mut discipline, b"ab").0, "ab");
        assert_eq!(read(&mut discipline), None);
        assert_eq!(type_in(&mut discipline, b"\r").0, "\r\n");
        assert_eq!(read(&mut discipline).unwrap(), b"ab\n");
    }

    #[test]
    fn erase_word_and_kill_rub_out_what_they_remove() {
        let mut discipline = Discipline::default();
        assert_eq!(type_in(&mut discipline, b"ls -l\x7f").0, "ls -l\x08 \x08");
        assert_eq!(
            type_in(&mut discipline, b"foo\x17").0,
            "foo\x08 \x08\x08 \x08\x08 \x08"
        );
        type_in(&mut discipline, b"\x15echo\n");
        assert_eq!(read(&mut discipline).unwrap(), b"echo\n");
    }

    #[test]
    fn an_umlaut_is_one_character_to_erase() {
        let mut discipline = Discipline::default();
        let mut termios = discipline.termios().clone();
        termios.input |= IUTF8;
        discipline.set_termios(termios);
        assert_eq!(
            type_in(&mut discipline, "aü\x7f\n".as_bytes()).0,
            "aü\x08 \x08\r\n"
        );
        assert_eq!(read(&mut discipline).unwrap(), b"a\n");
    }

    #[test]
    fn control_c_shows_itself_forgets_the_line_and_makes_a_signal() {
        let mut discipline = Discipline::default();
        let (echo, signals) = type_in(&mut discipline, b"abc\x03");
        assert_eq!((echo.as_str(), signals), ("^C", vec![Signal::INT]));
        type_in(&mut discipline, b"\n");
        assert_eq!(read(&mut discipline).unwrap(), b"\n");
    }

    #[test]
    fn end_of_file_is_an_empty_read_on_an_empty_line_only() {
        let mut discipline = Discipline::default();
        type_in(&mut discipline, b"ab\x04");
        assert_eq!(read(&mut discipline).unwrap(), b"ab");
        type_in(&mut discipline, b"\x04");
        assert_eq!(read(&mut discipline).unwrap(), b"");
    }

    #[test]
    fn raw_mode_hands_over_bytes_as_they_come() {
        let mut discipline = Discipline::default();
        let mut raw = discipline.termios().clone();
        raw.local &= !(ICANON | ECHO);
        discipline.set_termios(raw);
        assert_eq!(type_in(&mut discipline, b"x\x04\x7f").0, "");
        assert_eq!(read(&mut discipline).unwrap(), b"x\x04\x7f");
    }

    #[test]
    fn a_line_of_any_length_stays_bounded() {
        let mut discipline = Discipline::default();
        type_in(&mut discipline, &vec![b'x'; 100_000]);
        type_in(&mut discipline, b"\n");
        let mut buf = vec![0; 200_000];
        assert_eq!(discipline.read(&mut buf), Some(MAX_LINE + 1));
    }
}
