//! `less` 590 on a terminal: a file, a screen at a time.

mod asking;
mod line;
mod options;
mod painting;

use std::ops::Range;

use sundew_kernel::signal::Disposition;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN, STDOUT, Signal};
use sundew_posix::regex::Regex;

use self::options::Wish;
use super::{Key, Keys, Raw, size};
use crate::text::input;

/// Largest file that is shown, in bytes; the rest is not.
const MAX_FILE_BYTES: usize = 8 << 20;
/// Longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 1024;
/// Largest number before a command.
const MAX_NUMBER: usize = 100_000_000;
/// Most digits of it.
const MAX_DIGITS: usize = 9;
const BEGIN: &[u8] = b"\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\r";
const END: &[u8] = b"\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t";
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

/// Places that were marked: the file and its line, counted from 0.
#[derive(Default)]
struct Marks {
    named: std::collections::BTreeMap<u8, (usize, usize)>,
    last: usize,
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
    wish: Wish,
    pattern: Option<Regex>,
    /// What is found is not in reverse.
    dark: bool,
    /// Only lines with this are shown.
    filter: Option<Regex>,
    marks: Marks,
    /// How far `d` and `z` go, if it was said.
    half: Option<usize>,
    window: Option<usize>,
    /// The file did not fill the screen, and nothing stands below it.
    short: bool,
    /// The end of a file was asked for once more.
    ended: bool,
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
    let (wish, mut names) = match Wish::parse(proc) {
        Ok(wish) => wish,
        Err(text) => {
            proc.print_error(&text).await;
            return ExitStatus::FAILURE;
        }
    };
    let first = wish.first.clone();
    let mut pager = Pager {
        fd: STDIN,
        files: Vec::new(),
        at: 0,
        rows: Vec::new(),
        top: 0,
        height: 23,
        columns: 80,
        wish,
        pattern: None,
        dark: false,
        filter: None,
        marks: Marks::default(),
        half: None,
        window: None,
        ended: false,
        short: false,
        forward: true,
        named: true,
        second: 0,
        rung: None,
        changed: false,
        clean: true,
        out: Vec::new(),
    };
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
        if self.wish.one_screen && self.rows.len() <= self.height && self.files.len() == 1 {
            self.out.push(b'\r');
            self.print_rows(0..self.rows.len());
            self.out.extend_from_slice(CLEAR);
            return self.send(proc).await;
        }
        let Ok(raw) = Raw::begin(proc, self.fd, true) else {
            return;
        };
        let interrupt = proc.set_disposition(Signal::INT, Disposition::Catch);
        let mut keys = Keys::new(self.fd);
        if self.allowed(proc, &mut keys).await {
            self.out.extend_from_slice(self.begins());
            match first.as_deref() {
                None => self.print_rows(0..self.height.min(self.rows.len())),
                Some(command) => self.start(proc, &mut keys, command).await,
            }
            self.short = self.rows.len() < self.height;
            self.commands(proc, &mut keys, &raw).await;
            self.out.extend_from_slice(CLEAR);
            self.out.extend_from_slice(self.ends());
        }
        self.send(proc).await;
        proc.set_disposition(Signal::INT, interrupt);
        raw.end(proc);
    }

    fn begins(&self) -> &'static [u8] {
        if self.wish.in_place {
            b"\x1b[?1h\x1b=\r"
        } else {
            BEGIN
        }
    }

    fn ends(&self) -> &'static [u8] {
        if self.wish.in_place {
            b"\x1b[?1l\x1b>"
        } else {
            END
        }
    }

    /// Asks about a file that is no text.
    async fn allowed(&mut self, proc: &mut Process, keys: &mut Keys) -> bool {
        if self.wish.force || !line::is_binary(self.bytes()) {
            return true;
        }
        let name = self.files.get(self.at).map_or(&[][..], |file| &file.name);
        let text = [b"\"", name, b"\" may be a binary file.  See it anyway? "].concat();
        self.out.extend_from_slice(&text);
        self.send(proc).await;
        let key = keys.next(proc).await;
        self.out.push(b'\n');
        matches!(key, Key::Byte(b'y' | b'Y'))
    }

    /// The command of `+`, in front of the first screen.
    async fn start(&mut self, proc: &mut Process, keys: &mut Keys, command: &[u8]) {
        self.out.extend_from_slice(CLEAR);
        let rows = self.height;
        match command {
            [b'G' | b'>', ..] => self.top = self.last_top(),
            [b'F', ..] => {
                self.top = self.last_top();
                self.print_rows(self.top..(self.top + rows).min(self.rows.len()));
                self.named = true;
                return self.follow(proc, keys).await;
            }
            [b'/', pattern @ ..] => {
                self.out.push(b'/');
                for &byte in pattern {
                    self.echo(byte);
                }
                self.out.extend_from_slice(CLEAR);
                self.pattern = self.compile(pattern);
                match self.search_from(0, true) {
                    Some(row) => self.top = row,
                    None => {
                        self.print_rows(0..rows.min(self.rows.len()));
                        return self.tell(proc, keys, b"Pattern not found").await;
                    }
                }
                self.out
                    .extend_from_slice(format!("\x1b[{};1H", rows + 1).as_bytes());
                return self.print_rows(self.top..self.top + rows);
            }
            digits if digits.iter().any(u8::is_ascii_digit) => {
                self.out.push(b':');
                let mut line = 0;
                for &digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
                    self.echo(digit);
                    line = (line * 10 + usize::from(digit - b'0')).min(MAX_NUMBER);
                }
                self.out.extend_from_slice(CLEAR);
                self.top = self.row_of_line(line);
            }
            _ => {}
        }
        let end = if self.top == 0 {
            rows.min(self.rows.len())
        } else {
            self.top + rows
        };
        self.print_rows(self.top..end);
    }

    async fn send(&mut self, proc: &mut Process) {
        let out = std::mem::take(&mut self.out);
        let _closed = proc.print(&out).await;
        let _closed = proc.flush().await;
    }

    /// Until `q`.
    async fn commands(&mut self, proc: &mut Process, keys: &mut Keys, raw: &Raw) {
        let mut typed: Vec<u8> = Vec::new();
        self.prompt();
        loop {
            self.send(proc).await;
            let key = keys.next(proc).await;
            match key {
                Key::Byte(digit @ b'0'..=b'9') => {
                    if typed.is_empty() {
                        self.out.extend_from_slice(b"\r\x1b[K:");
                    }
                    if typed.len() < MAX_DIGITS {
                        typed.push(digit);
                    }
                    self.echo(digit);
                    continue;
                }
                Key::Byte(8 | 0x7f) if typed.pop().is_some() => {
                    self.out.extend_from_slice(b"\x08\x1b[K");
                    if typed.is_empty() {
                        self.clean = false;
                        self.prompt();
                    }
                    continue;
                }
                _ => {}
            }
            let number = (!typed.is_empty()).then(|| {
                let value = typed.iter().fold(0, |value, digit| {
                    value * 10 + usize::from(digit.saturating_sub(b'0'))
                });
                value.min(MAX_NUMBER)
            });
            typed.clear();
            if !is_command(key) {
                self.out.push(7);
                self.clean = false;
                self.prompt();
                continue;
            }
            if key == Key::Interrupt {
                self.out.push(7);
                self.repaint();
                self.prompt();
                continue;
            }
            self.out.extend_from_slice(CLEAR);
            self.clean = true;
            let count = number;
            self.second = proc.now().secs;
            if !self.command(proc, (keys, raw), (key, count)).await {
                return;
            }
            if std::mem::take(&mut self.ended) {
                self.out.extend_from_slice(CLEAR);
                return;
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

    /// One command; `false` to leave.
    async fn command(
        &mut self,
        proc: &mut Process,
        (keys, raw): (&mut Keys, &Raw),
        (key, count): (Key, Option<usize>),
    ) -> bool {
        match key {
            Key::Byte(b'q' | b'Q') | Key::HangUp => {
                self.out.truncate(self.out.len() - CLEAR.len());
                return false;
            }
            Key::Byte(b'm') => self.mark(proc, keys).await,
            Key::Byte(b'\'') => self.back_to_mark(proc, keys).await,
            Key::Meta(b'u') => self.darken(),
            Key::Byte(b'V') => self.tell(proc, keys, b"less 590").await,
            Key::Byte(b'&') => {
                if !self.ask_filter(proc, keys).await {
                    return false;
                }
            }
            Key::Byte(b'!') => self.shell(proc, keys, raw).await,
            Key::Byte(b'|') => self.pipe(proc, keys, raw).await,
            Key::Byte(b'h' | b'H') => self.help(proc, keys).await,
            Key::Byte(sign @ (b'n' | b'N')) => self.again(proc, keys, sign).await,
            Key::Byte(b'_') => self.tell_option(proc, keys).await,
            Key::Byte(b'Z') => {
                if keys.next(proc).await == Key::Byte(b'Z') {
                    return false;
                }
            }
            Key::Byte(sign @ (b'/' | b'?')) => {
                if !self.ask_pattern(proc, keys, sign).await {
                    return false;
                }
            }
            Key::Byte(b':') => {
                if !self.colon(proc, keys).await {
                    return false;
                }
            }
            Key::Byte(b'-') => self.toggle(proc, keys).await,
            Key::Byte(b'v') => self.edit(proc, raw).await,
            Key::Byte(b'F') => self.follow(proc, keys).await,
            Key::Byte(b'=' | 7) => {
                let text = self.position();
                self.tell(proc, keys, &text).await;
            }
            Key::Suspend => self.suspend(proc, raw).await,
            Key::Resize => {
                (self.columns, self.height) = size(proc, STDOUT);
                self.height -= 1;
                self.lay_out();
                self.repaint();
            }
            key => self.go(key, count),
        }
        true
    }

    async fn suspend(&mut self, proc: &mut Process, raw: &Raw) {
        self.out.extend_from_slice(self.ends());
        self.send(proc).await;
        raw.suspend(proc).await;
        self.out.extend_from_slice(self.begins());
        self.changed = true;
    }

    /// `m`.
    async fn mark(&mut self, proc: &mut Process, keys: &mut Keys) {
        self.out.extend_from_slice(b"set mark: ");
        self.send(proc).await;
        if let Key::Byte(name @ b'!'..=b'~') = keys.next(proc).await {
            let line = self.line_at(self.top);
            self.marks.named.insert(name, (self.at, line));
        }
        self.skip_to(self.top);
    }

    /// `'`.
    async fn back_to_mark(&mut self, proc: &mut Process, keys: &mut Keys) {
        self.out.extend_from_slice(b"goto mark: ");
        self.send(proc).await;
        let mark = keys.next(proc).await;
        self.out.extend_from_slice(CLEAR);
        if !self.go_to_mark(mark) {
            self.tell(proc, keys, b"Mark not set").await;
        }
    }

    /// `ESC u`: shows what is found, or not.
    fn darken(&mut self) {
        self.dark = !self.dark;
        let text = b" \x1b[KESC\x08\x08\x08ESC\x1b[Ku\x08u";
        self.out.extend_from_slice(text);
        self.show_again();
    }

    fn go(&mut self, key: Key, count: Option<usize>) {
        let page = self.height;
        let half = self.half.unwrap_or(self.height.div_ceil(2));
        let window = self.window.unwrap_or(page);
        match key {
            Key::Byte(b' ' | b'f' | 6 | 22) | Key::PageDown => {
                self.forward(count.unwrap_or(window))
            }
            Key::Byte(letter @ (b'z' | b'w')) => {
                self.window = count.or(self.window);
                let window = self.window.unwrap_or(page);
                if letter == b'z' {
                    self.forward(window);
                } else {
                    self.back(window);
                }
            }
            Key::Byte(b'b' | 2) | Key::PageUp | Key::Meta(b'v') => {
                self.back(count.unwrap_or(window));
            }
            Key::Byte(b'j' | b'e' | b'\r' | b'\n' | 5 | 14) | Key::Down => {
                self.forward(count.unwrap_or(1));
            }
            Key::Byte(b'k' | b'y' | 25 | 16 | 11) | Key::Up => self.back(count.unwrap_or(1)),
            Key::Byte(letter @ (b'd' | 4 | b'u' | 21)) => {
                self.half = count.or(self.half);
                let half = count.unwrap_or(half);
                if matches!(letter, b'd' | 4) {
                    self.forward(half);
                } else {
                    self.back(half);
                }
            }
            Key::Byte(b'g' | b'<') | Key::Home | Key::Meta(b'<') => {
                self.leap(self.row_of_line(count.unwrap_or(1)));
            }
            Key::Byte(b'G' | b'>') | Key::End | Key::Meta(b'>') => match count {
                Some(line) => self.leap(self.row_of_line(line)),
                None => {
                    self.marks.last = self.line_at(self.top);
                    self.jump_to_end();
                }
            },
            Key::Byte(b'p' | b'%') => {
                let percent = count.unwrap_or(0).min(100);
                let wanted = self.bytes().len() * percent / 100;
                let row = self.rows.partition_point(|row| row.bytes.end < wanted);
                self.leap(row.min(self.rows.len().saturating_sub(1)));
            }
            Key::Byte(b'r' | b'R' | 12 | 18) => self.skip_to(self.top),
            _ => self.out.push(7),
        }
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

/// Whether a key is one that does something.
fn is_command(key: Key) -> bool {
    match key {
        Key::Byte(byte) => matches!(
            byte,
            b' '..=b'#' | b'%'..=b'\'' | b'-' | b'/' | b':' | b'<'..=b'?' | b'F'..=b'H' | b'N' | b'Q'
                | b'R' | b'V' | b'Z' | b'_' | b'b' | b'd'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'
                | b'q' | b'r' | b'u'..=b'w' | b'y' | b'z' | b'|' | 2 | 4..=7 | b'\n'..=b'\r' | 14
                | 16 | 18 | 21 | 22 | 25
        ),
        Key::Meta(byte) => matches!(byte, b'v' | b'<' | b'>' | b'u'),
        _ => true,
    }
}
