//! `ul`: underscores and overstriking as a terminal shows them.

use std::mem;

use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Fd, Process, STDIN};

use super::letters;
use super::terminal;
use crate::getopt::{Arity, Spec};

const SPEC: Spec = Spec::new(
    "it:T:hV",
    &[
        ("indicated", Arity::No, "i"),
        ("terminal", Arity::Required, "t"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// Columns of a line that are kept; what lies further to the right is not shown.
const MAX_COLUMNS: usize = 64 * 1024;

const ALTERNATIVE: u8 = 1;
const RAISED: u8 = 2;
const LOWERED: u8 = 4;
const UNDERLINED: u8 = 8;
const BOLD: u8 = 16;

/// A line as it grows, and what the terminal understands.
struct Screen {
    strings: Option<&'static str>,
    indicated: bool,
    cells: Vec<(Option<char>, u8)>,
    column: usize,
    mode: u8,
    half: i8,
    /// Lines that the cursor was moved up.
    up: u8,
    out: Vec<u8>,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "ul", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let asked = line.value("t").or_else(|| line.value("T"));
    let named = asked
        .or_else(|| proc.env().value(b"TERM"))
        .map(<[u8]>::to_vec);
    if named.is_none() {
        proc.print_error(b"ul: trouble reading terminfo\n").await;
    }
    let known = named.and_then(|name| String::from_utf8(name).ok());
    let mut screen = Screen {
        strings: known
            .and_then(|name| terminal::known(name.as_bytes()))
            .filter(|name| *name != "dumb"),
        indicated: line.has("i"),
        cells: Vec::new(),
        column: 0,
        mode: 0,
        half: 0,
        up: 0,
        out: Vec::new(),
    };
    if line.operands.is_empty()
        && let Err(status) = filter(proc, STDIN, &mut screen).await
    {
        return status;
    }
    for path in &line.operands {
        let Some(fd) = letters::open(proc, path).await else {
            return ExitStatus::FAILURE;
        };
        let result = filter(proc, fd, &mut screen).await;
        // It was open for reading: nothing is lost.
        let _closed = proc.close(fd);
        if let Err(status) = result {
            return status;
        }
    }
    proc.status()
}

async fn filter(proc: &mut Process, fd: Fd, screen: &mut Screen) -> Result<(), ExitStatus> {
    let mut reader = LineReader::new(proc, fd);
    while let Ok(Some(line)) = letters::next(proc, &mut reader).await {
        let mut letters = line.letters.iter().copied();
        while let Some(letter) = letters.next() {
            if letter != '\x1b' {
                screen.take(letter);
                continue;
            }
            let code = letters.next().unwrap_or('\u{ff}');
            if !screen.escape(code) {
                let text = format!(
                    "unknown escape sequence in input: 33, {:o}",
                    u32::from(code)
                );
                return Err(super::fail(proc, text).await);
            }
        }
        let text = mem::take(&mut screen.out);
        if proc.print(&text).await.is_err() {
            return Err(proc.status());
        }
        if line.broken.is_some() {
            break;
        }
    }
    if !screen.cells.is_empty() {
        screen.flush();
    }
    let text = mem::take(&mut screen.out);
    proc.print(&text).await.map_err(|_| proc.status())
}

impl Screen {
    fn string(&self, name: &str) -> &'static str {
        self.strings
            .and_then(|terminal| terminal::string(terminal, name))
            .unwrap_or_default()
    }

    fn take(&mut self, letter: char) {
        match letter {
            '\x08' => self.column = self.column.saturating_sub(1),
            '\t' => self.go((self.column + 8) & !7),
            '\r' => self.column = 0,
            '\x0e' => self.mode |= ALTERNATIVE,
            '\x0f' => self.mode &= !ALTERNATIVE,
            '\n' => self.flush(),
            '\x0c' => {
                self.flush();
                self.out.push(0x0c);
            }
            ' ' => self.go(self.column + 1),
            letter if letter.is_control() => {}
            letter => self.put(letter),
        }
    }

    /// Moves to a column; the line reaches at least as far.
    fn go(&mut self, column: usize) {
        self.column = column.min(MAX_COLUMNS);
        if self.cells.len() < self.column {
            self.cells.resize(self.column, (None, 0));
        }
    }

    fn put(&mut self, letter: char) {
        let at = self.column;
        let mode = self.mode;
        let columns = letters::columns(letter).max(1);
        self.go(at + columns);
        let Some(cell) = self.cells.get_mut(at) else {
            return;
        };
        match cell.0 {
            Some(_) if letter == '_' => cell.1 |= UNDERLINED | mode,
            None => *cell = (Some(letter), mode),
            Some('_') => *cell = (Some(letter), UNDERLINED | mode),
            Some(there) if there == letter => cell.1 |= BOLD | mode,
            Some(_) => cell.1 = mode,
        }
        for covered in self.cells.iter_mut().take(at + columns).skip(at + 1) {
            covered.0 = Some('\0');
        }
    }

    /// What follows an escape character; whether it is known.
    fn escape(&mut self, code: char) -> bool {
        match (code, self.half) {
            ('8', 0) => (self.mode, self.half) = (self.mode | RAISED, -1),
            ('8', 1..) => (self.mode, self.half) = (self.mode & !LOWERED, self.half - 1),
            ('9', 0) => (self.mode, self.half) = (self.mode | LOWERED, 1),
            ('9', ..0) => (self.mode, self.half) = (self.mode & !RAISED, self.half + 1),
            ('9', _) => {
                self.half = 0;
                self.forward();
            }
            ('7' | '8', _) => {
                self.half = 0;
                self.up = self.up.saturating_add(1);
                self.forward();
                let up = self.string("cuu1").repeat(2);
                self.out.extend_from_slice(up.as_bytes());
                self.up = self.up.saturating_add(1);
            }
            _ => return false,
        }
        true
    }

    /// To the same column of the next line.
    fn forward(&mut self) {
        let (column, end) = (self.column, self.cells.len());
        self.flush();
        self.cells.resize(end, (None, 0));
        self.column = column;
    }

    /// Shows the line.
    fn flush(&mut self) {
        let cells = mem::take(&mut self.cells);
        let mut last = 0;
        for (letter, mode) in &cells {
            if *letter == Some('\0') {
                continue;
            }
            if !self.indicated && *mode != last {
                self.change(last, *mode);
                last = *mode;
            }
            match letter {
                Some(letter) => letters::push(&mut self.out, *letter),
                None if self.up > 0 => {
                    let right = self.string("cuf1").as_bytes();
                    self.out.extend_from_slice(right);
                }
                None => self.out.push(b' '),
            }
        }
        if last != 0 {
            self.change(last, 0);
        }
        self.out.push(b'\n');
        if self.indicated && cells.iter().any(|cell| cell.1 != 0) {
            let marks = cells.iter().map(|cell| match cell.1 {
                0 => b' ',
                ALTERNATIVE => b'g',
                RAISED => b'^',
                LOWERED => b'v',
                UNDERLINED => b'_',
                BOLD => b'!',
                _ => b'X',
            });
            let marks: Vec<u8> = marks.collect();
            self.out.extend_from_slice(marks.trim_ascii_end());
            self.out.push(b'\n');
        }
        self.column = 0;
        self.up = self.up.saturating_sub(1);
    }

    fn change(&mut self, from: u8, to: u8) {
        let mut names = Vec::new();
        match from {
            0 => {}
            UNDERLINED => names.push("rmul"),
            _ => names.push("sgr0"),
        }
        match to {
            0 => {}
            ALTERNATIVE => names.push("rev"),
            RAISED | LOWERED => names.push("dim"),
            UNDERLINED => names.push("smul"),
            BOLD => names.push("bold"),
            _ => names.push("smso"),
        }
        for name in names {
            let string = self.string(name).as_bytes();
            self.out.extend_from_slice(string);
        }
    }
}
