//! `less` 590 on a terminal: a file, a screen at a time.

mod asking;

use std::ops::Range;

use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN, STDOUT};
use sundew_posix::regex::Regex;

use super::{Key, Keys, Raw, shown, size};
use crate::text::input;

/// Largest file that is shown, in bytes; the rest is not.
const MAX_FILE_BYTES: usize = 8 << 20;
/// Longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 1024;
/// Largest number before a command.
const MAX_NUMBER: usize = 100_000_000;
const BEGIN: &[u8] = b"\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\r";
const END: &[u8] = b"\r\x1b[K\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t";
pub(super) const CLEAR: &[u8] = b"\r\x1b[K";
/// What stands behind the end of a file.
const TILDE: &[u8] = b"\x1b[1m~\x1b[0m";

/// A row of the screen: the line it belongs to, counted from 0, and which bytes.
struct Row {
    line: usize,
    bytes: Range<usize>,
}

struct File {
    name: Vec<u8>,
    bytes: Vec<u8>,
}

struct Pager {
    fd: Fd,
    files: Vec<File>,
    at: usize,
    rows: Vec<Row>,
    /// The first row on the screen, and how many there are below it.
    top: usize,
    height: usize,
    columns: usize,
    numbers: bool,
    chop: bool,
    ignore_case: bool,
    quit_at_end: bool,
    pattern: Option<Regex>,
    forward: bool,
    /// The next prompt names the file.
    named: bool,
    /// The second that it is, and in which the bell rang last.
    second: i64,
    rung: Option<i64>,
    /// The rows on the screen are not those that an option makes.
    changed: bool,
    /// The cursor is at the start of the empty last row.
    clean: bool,
    out: Vec<u8>,
}

/// `less`.
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc
        .env()
        .value(b"LESS")
        .unwrap_or_default()
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    words.extend(proc.args().iter().skip(1).cloned());
    let has = |letter: u8| {
        words.iter().any(|word| {
            word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&letter)
        })
    };
    let mut pager = Pager {
        fd: STDIN,
        files: Vec::new(),
        at: 0,
        rows: Vec::new(),
        top: 0,
        height: 23,
        columns: 80,
        numbers: has(b'N'),
        chop: has(b'S'),
        ignore_case: has(b'i') || has(b'I'),
        quit_at_end: has(b'F'),
        pattern: None,
        forward: true,
        named: true,
        second: 0,
        rung: None,
        changed: false,
        clean: true,
        out: Vec::new(),
    };
    let first = words
        .iter()
        .find_map(|word| word.strip_prefix(b"+").map(<[u8]>::to_vec));
    let mut names: Vec<Vec<u8>> = words
        .into_iter()
        .filter(|word| word == b"-" || !(word.starts_with(b"-") || word.starts_with(b"+")))
        .collect();
    if names.is_empty() {
        if proc.is_terminal(STDIN) {
            let text = b"Missing filename (\"less --help\" for help)\n";
            proc.print_error(text).await;
            return ExitStatus::SUCCESS;
        }
        names.push(b"-".to_vec());
    }
    if !pager.open(proc, names).await {
        return ExitStatus::FAILURE;
    }
    if proc.is_terminal(STDIN) {
        pager.page(proc, first).await;
    } else if let Ok(fd) = proc
        .open(b"/dev/tty", sundew_kernel::descriptor::OpenFlags::READ, 0)
        .await
    {
        pager.fd = fd;
        pager.page(proc, first).await;
        input::close(proc, fd);
    }
    proc.status()
}

impl Pager {
    /// Reads the files; `false` if there is none to show.
    async fn open(&mut self, proc: &mut Process, names: Vec<Vec<u8>>) -> bool {
        for name in names {
            match read(proc, &name).await {
                Ok(bytes) => {
                    let name = if name == b"-" { Vec::new() } else { name };
                    self.files.push(File { name, bytes });
                }
                Err(Errno::Eisdir) => {
                    proc.print_error(&[name.as_slice(), b" is a directory\n"].concat())
                        .await;
                }
                Err(errno) => {
                    let why = errno.message().as_bytes();
                    proc.print_error(&[name.as_slice(), b": ", why, b"\n"].concat())
                        .await;
                }
            }
        }
        !self.files.is_empty()
    }

    async fn page(&mut self, proc: &mut Process, first: Option<Vec<u8>>) {
        (self.columns, self.height) = size(proc, STDOUT);
        self.height -= 1;
        self.lay_out();
        if self.quit_at_end && self.rows.len() <= self.height && self.files.len() == 1 {
            let bytes = self.files.first().map(|file| file.bytes.clone());
            let _closed = proc.print(&bytes.unwrap_or_default()).await;
            return;
        }
        let Ok(raw) = Raw::begin(proc, self.fd, true) else {
            return;
        };
        let mut keys = Keys::new(self.fd);
        self.out.extend_from_slice(BEGIN);
        match first.as_deref() {
            Some(b"G") => self.top = self.last_top(),
            Some([b'/', pattern @ ..]) => {
                self.pattern = self.compile(pattern);
                let found = self.search_from(0, true);
                self.top = found.unwrap_or(0);
            }
            _ => {}
        }
        self.print_rows(self.top..(self.top + self.height).min(self.rows.len()));
        self.commands(proc, &mut keys, &raw).await;
        self.out.extend_from_slice(END);
        self.send(proc).await;
        raw.end(proc);
    }

    async fn send(&mut self, proc: &mut Process) {
        let out = std::mem::take(&mut self.out);
        let _closed = proc.print(&out).await;
        let _closed = proc.flush().await;
    }

    /// Until `q`.
    async fn commands(&mut self, proc: &mut Process, keys: &mut Keys, raw: &Raw) {
        let mut number: Option<usize> = None;
        self.prompt();
        loop {
            self.send(proc).await;
            let key = keys.next(proc).await;
            if let Key::Byte(digit @ b'0'..=b'9') = key {
                if number.is_none() {
                    self.out.extend_from_slice(b"\r\x1b[K:");
                }
                let value = number.unwrap_or(0) * 10 + usize::from(digit - b'0');
                number = Some(value.min(MAX_NUMBER));
                self.echo(digit);
                continue;
            }
            self.out.extend_from_slice(CLEAR);
            self.clean = true;
            let count = number.take();
            self.second = proc.now().secs;
            match key {
                Key::Byte(b'q' | b'Q') | Key::HangUp => {
                    self.out.truncate(self.out.len() - CLEAR.len());
                    return;
                }
                Key::Byte(b'Z') => {
                    if keys.next(proc).await == Key::Byte(b'Z') {
                        return;
                    }
                }
                Key::Byte(sign @ (b'/' | b'?')) => {
                    if !self.ask_pattern(proc, keys, sign).await {
                        return;
                    }
                }
                Key::Byte(b':') => {
                    if !self.colon(proc, keys).await {
                        return;
                    }
                }
                Key::Byte(b'-') => self.toggle(proc, keys).await,
                Key::Byte(b'v') => self.edit(proc, raw).await,
                Key::Byte(b'F') => self.follow(proc, keys).await,
                Key::Byte(b'=' | 7) => {
                    let text = self.position();
                    self.tell(proc, keys, &text).await;
                }
                Key::Byte(b'&' | b'|' | b'!' | b'h' | b'H') => {
                    self.tell(proc, keys, b"Command not available").await;
                }
                Key::Suspend => {
                    self.out.truncate(self.out.len() - CLEAR.len());
                    self.out.extend_from_slice(END);
                    self.send(proc).await;
                    raw.suspend(proc).await;
                    self.out.extend_from_slice(BEGIN);
                    self.repaint();
                }
                Key::Resize => {
                    (self.columns, self.height) = size(proc, STDOUT);
                    self.height -= 1;
                    self.lay_out();
                    self.repaint();
                }
                key => self.go(key, count),
            }
            if keys.has_given_back() {
                continue;
            }
            if std::mem::take(&mut self.changed) {
                self.out.extend_from_slice(b"\x1b[H\x1b[2J\x1b[H");
                self.repaint();
            }
            self.prompt();
        }
    }

    fn go(&mut self, key: Key, count: Option<usize>) {
        let page = self.height;
        let half = self.height.div_ceil(2);
        match key {
            Key::Byte(b' ' | b'f' | 6 | 22) | Key::PageDown => self.forward(count.unwrap_or(page)),
            Key::Byte(b'b' | 2) | Key::PageUp | Key::Meta(b'v') => {
                self.back(count.unwrap_or(page));
            }
            Key::Byte(b'j' | b'e' | b'\r' | b'\n' | 5 | 14) | Key::Down => {
                self.forward(count.unwrap_or(1));
            }
            Key::Byte(b'k' | b'y' | 25 | 16 | 11) | Key::Up => self.back(count.unwrap_or(1)),
            Key::Byte(b'd' | 4) => self.forward(count.unwrap_or(half)),
            Key::Byte(b'u' | 21) => self.back(count.unwrap_or(half)),
            Key::Byte(b'g' | b'<') | Key::Home | Key::Meta(b'<') => {
                self.jump(self.row_of_line(count.unwrap_or(1)));
            }
            Key::Byte(b'G' | b'>') | Key::End | Key::Meta(b'>') => match count {
                Some(line) => self.jump(self.row_of_line(line)),
                None => self.jump_to_end(),
            },
            Key::Byte(b'p' | b'%') => {
                let percent = count.unwrap_or(0).min(100);
                let wanted = self.bytes().len() * percent / 100;
                let row = self.rows.partition_point(|row| row.bytes.end < wanted);
                self.jump(row.min(self.rows.len().saturating_sub(1)));
            }
            Key::Byte(b'r' | b'R' | 12 | 18) => self.repaint(),
            Key::Byte(sign @ (b'n' | b'N')) => {
                let forward = self.forward == (sign == b'n');
                self.out.push(if forward { b'/' } else { b'?' });
                self.out.extend_from_slice(CLEAR);
                let from = if forward { self.top + 1 } else { self.top };
                match self.search_from(from, forward) {
                    Some(row) => self.jump(row),
                    None => self.out.push(7),
                }
            }
            _ => self.out.push(7),
        }
    }

    // ---- what the screen shows -------------------------------------------------------------------

    fn bytes(&self) -> &[u8] {
        self.files.get(self.at).map_or(&[], |file| &file.bytes)
    }

    /// Parts the file into rows.
    fn lay_out(&mut self) {
        let mut rows = Vec::new();
        let width = if self.numbers {
            self.columns.saturating_sub(8).max(1)
        } else {
            self.columns
        };
        let bytes = self.bytes();
        let mut start = 0;
        let mut line = 0;
        while start < bytes.len() {
            let rest = bytes.get(start..).unwrap_or_default();
            let len = rest.iter().position(|&byte| byte == b'\n');
            let end = start + len.unwrap_or(rest.len());
            let mut from = start;
            loop {
                let text = bytes.get(from..end).unwrap_or_default();
                let fits = if self.chop {
                    text.len()
                } else {
                    super::byte_at(text, width, 8)
                };
                let to = if fits == 0 { end } else { from + fits };
                rows.push(Row {
                    line,
                    bytes: from..to,
                });
                from = to;
                if from >= end {
                    break;
                }
            }
            start = end + 1;
            line += 1;
        }
        self.rows = rows;
    }

    fn row(&self, index: usize) -> Vec<u8> {
        let Some(row) = self.rows.get(index) else {
            return TILDE.to_vec();
        };
        let text = self.bytes().get(row.bytes.clone()).unwrap_or_default();
        let mut line = Vec::new();
        if self.numbers {
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
        let Some(pattern) = &self.pattern else {
            line.extend(shown(text, 0, width, 8));
            return line;
        };
        let mut done = 0;
        while let Some(found) = pattern
            .find(text, done, done > 0)
            .filter(|found| found.end() > found.start())
        {
            let before = text.get(done..found.start()).unwrap_or_default();
            line.extend(shown(before, 0, width, 8));
            line.extend_from_slice(b"\x1b[7m");
            let part = text.get(found.start()..found.end()).unwrap_or_default();
            line.extend(shown(part, 0, width, 8));
            line.extend_from_slice(b"\x1b[27m");
            done = found.end();
        }
        line.extend(shown(text.get(done..).unwrap_or_default(), 0, width, 8));
        line
    }

    fn print_rows(&mut self, rows: Range<usize>) {
        for index in rows {
            let row = self.row(index);
            self.out.extend_from_slice(&row);
            self.out.push(b'\n');
        }
        self.clean = true;
    }

    fn at_end(&self) -> bool {
        self.top + self.height >= self.rows.len()
    }

    /// Rings once a second at most.
    fn bell_at_end(&mut self) {
        if self.rung.replace(self.second) != Some(self.second) {
            self.out.push(7);
        }
    }

    fn last_top(&self) -> usize {
        self.rows.len().saturating_sub(self.height)
    }

    fn forward(&mut self, count: usize) {
        if self.at_end() {
            self.bell_at_end();
            self.clean = false;
            return;
        }
        let bottom = self.top + self.height;
        let to = (bottom + count).min(self.rows.len());
        self.print_rows(bottom..to);
        self.top = to - self.height;
    }

    fn back(&mut self, count: usize) {
        if self.top == 0 {
            self.bell_at_end();
            self.clean = false;
            return;
        }
        let to = self.top.saturating_sub(count);
        if self.top - to > self.height {
            self.top = to;
            return self.repaint();
        }
        for index in (to..self.top).rev() {
            let row = self.row(index);
            self.out.extend_from_slice(b"\x1b[H\x1bM");
            self.out.extend_from_slice(&row);
            self.out.push(b'\n');
        }
        self.top = to;
        self.go_to_bottom();
    }

    fn go_to_bottom(&mut self) {
        let row = self.height + 1;
        self.out
            .extend_from_slice(format!("\x1b[{row};1H").as_bytes());
        self.clean = false;
    }

    fn repaint(&mut self) {
        self.out.extend_from_slice(b"\x1b[H\x1b[2J\x1b[H");
        self.print_rows(self.top..self.top + self.height);
    }

    /// Brings a row to the top.
    fn jump(&mut self, row: usize) {
        if row == self.top {
            self.clean = false;
            if row == 0 {
                self.bell_at_end();
            }
        } else if row < self.top {
            self.back(self.top - row);
        } else if row - self.top <= self.height {
            let bottom = self.top + self.height;
            self.print_rows(bottom..row + self.height);
            self.top = row;
        } else {
            self.out.extend_from_slice(b"...skipping...\n");
            self.top = row;
            self.print_rows(row..row + self.height);
        }
    }

    fn jump_to_end(&mut self) {
        let last = self.last_top();
        if self.at_end() {
            self.clean = false;
        } else {
            self.out.extend_from_slice(b"...skipping...\n");
            self.top = last;
            self.print_rows(last..self.rows.len());
        }
    }

    fn row_of_line(&self, line: usize) -> usize {
        let wanted = line.saturating_sub(1);
        let row = self.rows.partition_point(|row| row.line < wanted);
        row.min(self.rows.len().saturating_sub(1))
    }

    fn prompt(&mut self) {
        if !std::mem::take(&mut self.clean) {
            self.out.extend_from_slice(CLEAR);
        }
        let mut text = Vec::new();
        if std::mem::take(&mut self.named)
            && let Some(file) = self.files.get(self.at)
        {
            text.extend_from_slice(&file.name);
            if self.files.len() > 1 {
                let of = format!(" (file {} of {})", self.at + 1, self.files.len());
                text.extend_from_slice(of.as_bytes());
            }
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
        }
        if text.is_empty() {
            self.out.extend_from_slice(b":\x1b[K");
        } else {
            self.out
                .extend([b"\x1b[7m".as_slice(), &text, b"\x1b[27m\x1b[K"].concat());
        }
    }

    fn echo(&mut self, byte: u8) {
        self.out
            .extend_from_slice(&[0x1b, b'[', b'K', byte, 8, byte]);
    }
}

pub(super) async fn read(proc: &Process, name: &[u8]) -> Result<Vec<u8>, Errno> {
    let fd = input::open(proc, name).await?;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 16 << 10];
    let result = loop {
        match proc.read(fd, &mut chunk).await {
            Ok(count @ 1..) if bytes.len() < MAX_FILE_BYTES => {
                bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
            }
            Ok(_) => break Ok(bytes),
            Err(errno) => break Err(errno),
        }
    };
    input::close(proc, fd);
    result
}
