//! `col`: reverse line feeds and half lines sorted into lines that run downwards only.
//!
//! Lines are counted in halves, as the motions are; the first one is line 0, and what lies above it
//! exists only as long as nothing was printed.

use std::collections::BTreeMap;

use sundew_kernel::budget::Memory;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::letters;
use crate::getopt::{Arity, Getopt, Opt, Spec};

/// Half lines that are kept to go back to, unless `-l` says otherwise.
const KEPT: i64 = 2 * 128;

const SPEC: Spec = Spec::new(
    "bfhl:pxHV",
    &[
        ("no-backspaces", Arity::No, "b"),
        ("fine", Arity::No, "f"),
        ("pass", Arity::No, "p"),
        ("tabs", Arity::No, "h"),
        ("spaces", Arity::No, "x"),
        ("lines", Arity::Required, "l"),
        ("version", Arity::No, "V"),
        ("help", Arity::No, "H"),
    ],
);

/// One character where it was put.
struct Cell {
    column: usize,
    letter: char,
    width: usize,
    /// Of the other character set: behind a shift out.
    shifted: bool,
}

struct Page {
    plain: bool,
    fine: bool,
    pass: bool,
    tabs: bool,
    kept: i64,
    lines: BTreeMap<i64, Vec<Cell>>,
    memory: Memory,
    line: i64,
    column: usize,
    last_width: Option<usize>,
    shifted: bool,
    /// The lowest line that was reached.
    end: i64,
    /// The last line with something on it.
    used: i64,
    /// The line that printing stands in, and whether anything was printed.
    printed: (i64, bool),
    out_shifted: bool,
    warned: bool,
    /// What is still to be said of it.
    warning: Option<&'static str>,
    out: Vec<u8>,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut page = Page {
        plain: false,
        fine: false,
        pass: false,
        tabs: true,
        kept: KEPT,
        lines: BTreeMap::new(),
        memory: proc.memory(),
        line: 0,
        column: 0,
        last_width: None,
        shifted: false,
        end: 0,
        used: 0,
        printed: (0, false),
        out_shifted: false,
        warned: false,
        warning: None,
        out: Vec::new(),
    };
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "b", .. }) => page.plain = true,
            Ok(Opt { key: "f", .. }) => page.fine = true,
            Ok(Opt { key: "p", .. }) => page.pass = true,
            Ok(Opt { key: "h", .. }) => page.tabs = true,
            Ok(Opt { key: "x", .. }) => page.tabs = false,
            Ok(Opt { key: "H", .. }) => return super::help(proc, "col").await,
            Ok(Opt { key: "V", .. }) => return super::version(proc).await,
            Ok(Opt { value, .. }) => match super::number::<u32>(&value) {
                Some(lines) => page.kept = i64::from(lines) * 2,
                None => return super::bad_argument(proc, "bad -l argument", &value).await,
            },
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    if !options.operands().is_empty() {
        return super::bad_usage(proc).await;
    }
    let mut reader = LineReader::new(proc, STDIN);
    loop {
        let line = match reader.next(proc, b'\n').await {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(Errno::Enomem) => proc.out_of_memory().await,
            Err(errno) => {
                proc.complain(b"read failed", errno).await;
                return ExitStatus::FAILURE;
            }
        };
        let taken = page.take_line(&line);
        if let Some(warning) = page.warning.take() {
            proc.complain_text(warning).await;
        }
        if taken.is_err() {
            proc.out_of_memory().await;
        }
        let text = std::mem::take(&mut page.out);
        if proc.print(&text).await.is_err() {
            return proc.status();
        }
    }
    page.finish();
    super::put(proc, &page.out).await
}

impl Page {
    fn take_line(&mut self, line: &[u8]) -> Result<(), Errno> {
        for chunk in line.utf8_chunks() {
            let mut letters = chunk.valid().chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '\x1b' => match letters.next() {
                        Some('\x07') => self.go(self.line - 2),
                        Some('\x08') => self.go(self.line - 1),
                        Some('\x09') => self.go(self.line + 1),
                        _ => {}
                    },
                    letter => self.take(letter)?,
                }
            }
            for byte in chunk.invalid() {
                for letter in format!("\\x{byte:02x}").chars() {
                    self.take(letter)?;
                }
            }
        }
        Ok(())
    }

    fn go(&mut self, line: i64) {
        self.line = line;
        self.end = self.end.max(line);
    }

    fn take(&mut self, letter: char) -> Result<(), Errno> {
        match letter {
            '\x08' => {
                let back = self.last_width.unwrap_or(1);
                self.column = self.column.saturating_sub(back);
            }
            '\r' => self.column = 0,
            '\n' => {
                self.go(self.line + 2);
                self.column = 0;
            }
            '\x0b' => self.go(self.line - 2),
            '\x0e' => self.shifted = true,
            '\x0f' => self.shifted = false,
            '\t' => self.column = (self.column | 7) + 1,
            ' ' => self.column += 1,
            letter if letter.is_control() && !self.pass => {}
            letter => self.put(letter)?,
        }
        Ok(())
    }

    fn put(&mut self, letter: char) -> Result<(), Errno> {
        self.memory.grow(size_of::<Cell>() * 2)?;
        if self.printed.1 && self.line <= self.printed.0 {
            if !self.warned {
                self.warned = true;
                self.warning = Some(if self.line < 0 {
                    "warning: can't back up past first line."
                } else {
                    "warning: can't back up -- line already flushed."
                });
            }
            self.line = self.printed.0 + 1;
        }
        // Without half lines in the output, what lies between two lines belongs to the lower one.
        let place = self.line + i64::from(!self.fine && self.line & 1 != 0);
        let width = letters::columns(letter);
        let cells = self.lines.entry(place).or_default();
        cells.push(Cell {
            column: self.column,
            letter,
            width,
            shifted: self.shifted,
        });
        self.column += width;
        self.last_width = Some(width);
        self.used = self.used.max(place);
        if place - self.printed.0 >= 2 * self.kept {
            self.print_before(place - self.kept);
        }
        Ok(())
    }

    /// Prints the lines above `end`.
    fn print_before(&mut self, end: i64) {
        while let Some(entry) = self.lines.first_entry().filter(|entry| *entry.key() < end) {
            let (place, cells) = entry.remove_entry();
            let from = if self.printed.1 {
                self.printed.0
            } else {
                place.min(0)
            };
            self.blanks(place - from);
            self.show(cells);
            self.printed = (place, true);
        }
    }

    /// Goes down by so many half lines.
    fn blanks(&mut self, halves: i64) {
        let halves = halves + i64::from(!self.fine && halves & 1 != 0);
        for _ in 0..halves / 2 {
            self.out.push(b'\n');
        }
        if halves & 1 != 0 {
            self.out.extend_from_slice(b"\x1b9");
            if halves == 1 {
                self.out.push(b'\r');
            }
        }
    }

    fn show(&mut self, mut cells: Vec<Cell>) {
        cells.sort_by_key(|cell| cell.column);
        let mut at = 0;
        let mut cells = cells.iter().peekable();
        while let Some(cell) = cells.next() {
            let covered = cells.peek().is_some_and(|next| next.column == cell.column);
            if covered && self.plain {
                continue;
            }
            self.space(at, cell.column);
            if cell.shifted != self.out_shifted {
                self.out.push(if cell.shifted { 0x0e } else { 0x0f });
                self.out_shifted = cell.shifted;
            }
            letters::push(&mut self.out, cell.letter);
            if covered {
                self.out.extend(std::iter::repeat_n(0x08, cell.width));
                at = cell.column;
            } else {
                at = cell.column + cell.width;
            }
        }
    }

    /// From one column to another, by tabs where they take the place of more than one blank.
    fn space(&mut self, mut from: usize, to: usize) {
        if self.tabs && to > from + 1 {
            while (from | 7) < to {
                self.out.push(b'\t');
                from = (from | 7) + 1;
            }
        }
        self.out
            .extend(std::iter::repeat_n(b' ', to.saturating_sub(from)));
    }

    fn finish(&mut self) {
        if self.end == 0 && self.column == 0 {
            return;
        }
        self.print_before(i64::MAX);
        if self.out_shifted {
            self.out.push(0x0f);
        }
        let left = self.end - self.used;
        self.blanks(match left {
            left if self.end & 1 != 0 => left + 1,
            0 => 2,
            left => left,
        });
    }
}
