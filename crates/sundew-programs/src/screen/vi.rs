//! BusyBox 1.35's `vi`: insert and command mode, lines to delete, yank and put, search, `:` commands.
//!
//! What it sends is what the original does: the changed part of each row, the cursor, the last line.

mod colon;
mod command;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::{Key, Keys, Raw, character, column_of, shown, size};

/// Largest file that is edited, in bytes.
const MAX_FILE_BYTES: usize = 4 << 20;
/// Longest line behind `:` or `/`, in bytes.
const MAX_COMMAND_BYTES: usize = 128;
/// Largest count before a command.
const MAX_COUNT: usize = 100_000;
/// Columns of a tab.
const TAB: usize = 8;
/// Texts that `u` can bring back.
const MAX_UNDO: usize = 50;
/// Bytes of text up to which they are kept.
const MAX_UNDO_BYTES: usize = 256 << 10;

/// What typed bytes do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Command,
    Insert,
    Replace,
}

/// What is left of the editor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Quit,
}

/// Text that was yanked or deleted.
#[derive(Default)]
struct Yanked {
    text: Vec<u8>,
    /// It is whole lines.
    lines: bool,
}

struct Vi {
    name: Vec<u8>,
    text: Vec<u8>,
    /// The cursor, in bytes.
    dot: usize,
    /// Where the first line of the screen begins.
    top: usize,
    modified: bool,
    read_only: bool,
    mode: Mode,
    yanked: Yanked,
    message: Option<Vec<u8>>,
    /// The last row as it was sent.
    status: Vec<u8>,
    rows: Vec<Vec<u8>>,
    cursor: (usize, usize),
    size: (usize, usize),
    searched: Vec<u8>,
    find: Option<(u8, u8)>,
    undo: Vec<(Vec<u8>, usize)>,
    /// Keys of the last change, for `.`; and those of the one that goes on.
    last: Vec<Key>,
    typed: Vec<Key>,
    replay: std::collections::VecDeque<Key>,
    keys: Keys,
    out: Vec<u8>,
    gone: bool,
}

/// `vi`.
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words = proc
        .args()
        .get(1..)
        .unwrap_or_default()
        .to_vec()
        .into_iter();
    let mut files = Vec::new();
    let mut commands = Vec::new();
    let mut read_only = false;
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"-c" => commands.extend(words.next()),
            b"-R" => read_only = true,
            b"-H" => {}
            number if number.starts_with(b"+") => {
                commands.push(number.get(1..).unwrap_or_default().to_vec());
            }
            _ => files.push(word),
        }
    }
    let Ok(raw) = Raw::begin(proc, STDIN, false) else {
        proc.print_error(b"vi: can't read user input\n").await;
        return ExitStatus::FAILURE;
    };
    if files.is_empty() {
        files.push(Vec::new());
    }
    let _closed = proc.print(b"\x1b[?1049h").await;
    for name in files {
        let mut vi = Vi::open(proc, name, read_only).await;
        for command in &commands {
            vi.colon(proc, command).await;
        }
        vi.edit(proc).await;
        if vi.gone {
            break;
        }
    }
    let rows = size(proc, STDIN).1;
    let end = format!("\x1b[{rows};1H\x1b[K\x1b[?1049l");
    let _closed = proc.print(end.as_bytes()).await;
    let _closed = proc.flush().await;
    raw.end(proc);
    ExitStatus::SUCCESS
}

impl Vi {
    async fn open(proc: &Process, name: Vec<u8>, read_only: bool) -> Self {
        let text = read(proc, &name).await.unwrap_or_default();
        let text = if text.is_empty() {
            b"\n".to_vec()
        } else {
            text
        };
        Self {
            name,
            text,
            dot: 0,
            top: 0,
            modified: false,
            read_only,
            mode: Mode::Command,
            yanked: Yanked::default(),
            message: None,
            status: Vec::new(),
            rows: Vec::new(),
            cursor: (0, 0),
            size: size(proc, STDIN),
            searched: Vec::new(),
            find: None,
            undo: Vec::new(),
            last: Vec::new(),
            typed: Vec::new(),
            replay: std::collections::VecDeque::new(),
            keys: Keys::new(STDIN),
            out: b"\x1b[H\x1b[J".to_vec(),
            gone: false,
        }
    }

    async fn edit(&mut self, proc: &mut Process) {
        loop {
            if self.replay.is_empty() && !self.keys.waiting(proc) {
                self.refresh();
                self.show_status();
            }
            self.send(proc).await;
            let key = self.key(proc).await;
            if self.message.take().is_some() {
                self.show_status();
            }
            match key {
                Key::HangUp => {
                    self.gone = true;
                    return;
                }
                Key::Resize => {
                    self.size = size(proc, STDIN);
                    self.redraw();
                    continue;
                }
                _ => {}
            }
            let next = match self.mode {
                Mode::Command => self.command(proc, key).await,
                Mode::Insert | Mode::Replace => {
                    self.insert_key(key);
                    Next::Go
                }
            };
            if next == Next::Quit {
                self.place();
                if self.message.is_some() {
                    self.show_status();
                }
                self.send(proc).await;
                return;
            }
            self.settle();
        }
    }

    /// The next key: one that `.` repeats, or one that is typed.
    async fn key(&mut self, proc: &Process) -> Key {
        if let Some(key) = self.replay.pop_front() {
            return key;
        }
        let key = self.keys.next(proc).await;
        if self.typed.len() < MAX_FILE_BYTES / 64 {
            self.typed.push(key);
        }
        key
    }

    async fn send(&mut self, proc: &mut Process) {
        if self.replay.is_empty() {
            let out = std::mem::take(&mut self.out);
            let _closed = proc.print(&out).await;
            let _closed = proc.flush().await;
        }
    }

    // ---- lines -----------------------------------------------------------------------------------

    fn line_start(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1)
    }

    /// Where the newline of the line is.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.iter()
            .position(|&byte| byte == b'\n')
            .map_or(self.text.len(), |newline| at + newline)
    }

    fn next_line(&self, at: usize) -> Option<usize> {
        let next = self.line_end(at) + 1;
        (next < self.text.len()).then_some(next)
    }

    fn previous_line(&self, at: usize) -> Option<usize> {
        let start = self.line_start(at);
        start.checked_sub(1).map(|newline| self.line_start(newline))
    }

    fn line_count(&self) -> usize {
        self.text.iter().filter(|&&byte| byte == b'\n').count()
    }

    fn line_number(&self) -> usize {
        let before = self.text.get(..self.dot).unwrap_or_default();
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    /// The start of a line, counted from 1; of the last one if there are not as many.
    fn start_of(&self, number: usize) -> usize {
        let mut at = 0;
        for _ in 1..number {
            match self.next_line(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    /// In command mode the cursor is on a character of its line.
    fn settle(&mut self) {
        if self.text.is_empty() {
            self.text.push(b'\n');
        }
        self.dot = self.dot.min(self.text.len().saturating_sub(1));
        if self.mode == Mode::Command && self.text.get(self.dot) == Some(&b'\n') {
            self.dot = self.before(self.dot);
        }
    }

    /// The character before, within the line.
    fn before(&self, at: usize) -> usize {
        let start = self.line_start(at);
        let mut from = start;
        while from < at {
            let next = from + character(self.text.get(from..at).unwrap_or_default()).max(1);
            if next >= at {
                return from;
            }
            from = next;
        }
        start
    }

    fn keep(&mut self) {
        self.modified = true;
        self.snapshot();
    }

    fn snapshot(&mut self) {
        if self.text.len() > MAX_UNDO_BYTES {
            return;
        }
        if self.undo.len() == MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push((self.text.clone(), self.dot));
    }

    fn insert_key(&mut self, key: Key) {
        match key {
            Key::Escape | Key::Byte(3) => {
                self.mode = Mode::Command;
                self.dot = self.before(self.dot);
                self.last = std::mem::take(&mut self.typed);
            }
            Key::Meta(byte) => {
                // An escape, and a command typed at once behind it.
                self.insert_key(Key::Escape);
                self.keys.put_back(byte);
            }
            Key::Byte(8 | 0x7f) => {
                let from = self.before(self.dot);
                self.text.drain(from..self.dot);
                self.dot = from;
            }
            Key::Byte(byte) if self.text.len() < MAX_FILE_BYTES => {
                let byte = if byte == b'\r' { b'\n' } else { byte };
                let over = self.text.get(self.dot).is_some_and(|&under| under != b'\n');
                if self.mode == Mode::Replace && byte != b'\n' && over {
                    let len = character(self.text.get(self.dot..).unwrap_or_default());
                    self.text.drain(self.dot..self.dot + len);
                }
                self.text.insert(self.dot.min(self.text.len()), byte);
                self.dot += 1;
                self.modified = true;
            }
            Key::Left => self.dot = self.before(self.dot),
            Key::Right => {
                let end = self.line_end(self.dot);
                self.dot = (self.dot + 1).min(end);
            }
            Key::Up | Key::Down => self.vertical(key == Key::Down, 1),
            Key::Home => self.dot = self.line_start(self.dot),
            Key::End => self.dot = self.line_end(self.dot),
            _ => {}
        }
    }

    fn vertical(&mut self, down: bool, count: usize) {
        let start = self.line_start(self.dot);
        let column = self.dot - start;
        let mut at = start;
        for _ in 0..count {
            let next = if down {
                self.next_line(at)
            } else {
                self.previous_line(at)
            };
            match next {
                Some(next) => at = next,
                None => {
                    self.out.push(7);
                    break;
                }
            }
        }
        self.dot = (at + column).min(self.line_end(at));
    }

    // ---- the screen ------------------------------------------------------------------------------

    fn redraw(&mut self) {
        self.out.extend_from_slice(b"\x1b[H\x1b[J");
        self.rows.clear();
        self.status.clear();
    }

    fn refresh(&mut self) {
        let (columns, rows) = self.size;
        let height = rows - 1;
        self.scroll(height);
        let mut changed = false;
        let mut at = Some(self.top);
        self.rows.resize(height, Vec::new());
        let dot_line = self.line_start(self.dot);
        let line = self.text.get(dot_line..).unwrap_or_default();
        let on_tab = self.mode == Mode::Command && self.text.get(self.dot) == Some(&b'\t');
        let column = if on_tab {
            column_of(line, self.dot - dot_line + 1, TAB) - 1
        } else {
            column_of(line, self.dot - dot_line, TAB)
        };
        let offset = (column + 1).saturating_sub(columns);
        let mut cursor = (1, column - offset + 1);
        for row in 0..height {
            let new = match at {
                Some(start) => {
                    if start == dot_line {
                        cursor.0 = row + 1;
                    }
                    let line = self.text.get(start..self.line_end(start));
                    let shown = shown(line.unwrap_or_default(), offset, columns, TAB);
                    at = self.next_line(start);
                    shown
                }
                None => b"~".to_vec(),
            };
            changed |= self.send_row(row, new);
        }
        if changed || cursor != self.cursor {
            self.cursor = cursor;
            self.place();
        }
    }

    /// Sends the part of a row that changed.
    fn send_row(&mut self, row: usize, mut new: Vec<u8>) -> bool {
        let Some(old) = self.rows.get_mut(row) else {
            return false;
        };
        while new.last() == Some(&b' ') {
            new.pop();
        }
        if *old == new {
            return false;
        }
        let len = old.len().max(new.len());
        let byte = |text: &[u8], at: usize| text.get(at).copied().unwrap_or(b' ');
        let ascii = old.is_ascii() && new.is_ascii();
        let first = if ascii {
            (0..len)
                .find(|&at| byte(old, at) != byte(&new, at))
                .unwrap_or(0)
        } else {
            0
        };
        let last = (0..len)
            .rev()
            .find(|&at| !ascii || byte(old, at) != byte(&new, at))
            .unwrap_or(0);
        let part: Vec<u8> = (first..=last).map(|at| byte(&new, at)).collect();
        self.out
            .extend_from_slice(format!("\x1b[{};{}H", row + 1, first + 1).as_bytes());
        self.out.extend_from_slice(&part);
        *old = new;
        true
    }

    fn place(&mut self) {
        let (row, column) = self.cursor;
        self.out
            .extend_from_slice(format!("\x1b[{row};{column}H").as_bytes());
    }

    fn scroll(&mut self, height: usize) {
        let dot_line = self.line_start(self.dot);
        let count = |from: usize, to: usize| {
            let between = self.text.get(from..to).unwrap_or_default();
            between.iter().filter(|&&byte| byte == b'\n').count()
        };
        if dot_line < self.top {
            let above = count(dot_line, self.top);
            self.top = dot_line;
            if above > height / 2 {
                for _ in 0..height / 2 {
                    self.top = self.previous_line(self.top).unwrap_or(self.top);
                }
            }
        } else {
            let below = count(self.top, dot_line);
            if below >= height {
                let far = below - height + 1;
                if far > height / 2 {
                    self.top = dot_line;
                    for _ in 0..height / 2 {
                        self.top = self.previous_line(self.top).unwrap_or(self.top);
                    }
                } else {
                    for _ in 0..far {
                        self.top = self.next_line(self.top).unwrap_or(self.top);
                    }
                }
            }
        }
    }

    fn show_status(&mut self) {
        let text = match &self.message {
            Some(message) => message.clone(),
            None => self.state(),
        };
        if text == self.status {
            return;
        }
        self.last_row(&text);
        self.status = text;
        self.place();
    }

    fn last_row(&mut self, text: &[u8]) {
        self.out
            .extend_from_slice(format!("\x1b[{};1H\x1b[K", self.size.1).as_bytes());
        self.out.extend_from_slice(text);
    }

    fn state(&self) -> Vec<u8> {
        let mode = match self.mode {
            Mode::Command => '-',
            Mode::Insert => 'I',
            Mode::Replace => 'R',
        };
        let name: &[u8] = if self.name.is_empty() {
            b"No file"
        } else {
            &self.name
        };
        let (line, lines) = (self.line_number(), self.line_count());
        let read_only = if self.read_only { " [Readonly]" } else { "" };
        let modified = if self.modified { " [Modified]" } else { "" };
        let percent = line * 100 / lines.max(1);
        let rest = format!("{read_only}{modified} {line}/{lines} {percent}%");
        [format!("{mode} ").as_bytes(), name, rest.as_bytes()].concat()
    }

    fn say(&mut self, text: &str) {
        self.message = Some(text.as_bytes().to_vec());
    }

    /// A message that stands out.
    fn warn(&mut self, text: &[u8]) {
        self.message = Some([b"\x1b[7m".as_slice(), text, b"\x1b[m"].concat());
    }
}

async fn read(proc: &Process, name: &[u8]) -> Result<Vec<u8>, Errno> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let fd = crate::text::input::open_file(proc, name).await?;
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
    crate::text::input::close(proc, fd);
    result
}

async fn write(proc: &Process, name: &[u8], bytes: &[u8]) -> Result<(), Errno> {
    let fd = proc.open(name, OpenFlags::CREATE, 0o666).await?;
    let result = proc.write_all(fd, bytes).await;
    let closed = proc.close(fd);
    result.and(closed)
}
