//! util-linux's `more` 2.38 on a terminal.
//!
//! It counts the rows that lines take, shows a prompt below them, and goes on behind the end of the
//! file with empty lines until somebody leaves.

use sundew_kernel::{Errno, ExitStatus, Process, STDERR, STDIN, STDOUT};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::less::read;
use super::{Key, Keys, Raw, byte_at, column_of, shown, size};

/// Rows that `d` scrolls at first.
const SCROLL_ROWS: usize = 11;
/// Longest pattern or command, in bytes.
const MAX_ANSWER_BYTES: usize = 1024;
/// Largest number before a command.
const MAX_NUMBER: usize = 100_000_000;
/// What stands around what was run from here.
const RULE: &[u8] = b"------------------------\n";
/// What is said of a key that does nothing, under `-d`.
const HINT: &[u8] = b"[Press space to continue, 'q' to quit.]";

const HELP: &str = "Most commands optionally preceded by integer argument k.  Defaults in brackets.
Star (*) indicates argument becomes new default.
-------------------------------------------------------------------------------
<space>                 Display next k lines of text [current screen size]
z                       Display next k lines of text [current screen size]*
<return>                Display next k lines of text [1]*
d or ctrl-D             Scroll k lines [current scroll size, initially 11]*
q or Q or <interrupt>   Exit from more
s                       Skip forward k lines of text [1]
f                       Skip forward k screenfuls of text [1]
b or ctrl-B             Skip backwards k screenfuls of text [1]
'                       Go to place where previous search started
=                       Display current line number
/<regular expression>   Search for kth occurrence of regular expression [1]
n                       Search for kth occurrence of last r.e [1]
!<cmd> or :!<cmd>       Execute <cmd> in a subshell
v                       Start up '/usr/bin/vi' at current line
ctrl-L                  Redraw screen
:n                      Go to kth next file [1]
:p                      Go to kth previous file [1]
:f                      Display current file name and line number
.                       Repeat previous command
-------------------------------------------------------------------------------
";

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// Rows of a page, where not the window's.
    pub(crate) rows: Option<usize>,
    /// The line to begin with.
    pub(crate) line: usize,
    /// What to look for first.
    pub(crate) pattern: Option<Vec<u8>>,
    /// `-e`: leaves at the end.
    pub(crate) ends: bool,
    /// `-d`: says what keys there are.
    pub(crate) hints: bool,
    /// `-s`: several empty lines are one.
    pub(crate) squeeze: bool,
    /// `-p`: clears the screen first.
    pub(crate) clears: bool,
}

/// The file that is shown.
struct Pager {
    wish: Wish,
    files: Vec<Vec<u8>>,
    at: usize,
    bytes: Vec<u8>,
    /// Bytes shown, and the line they end in.
    done: usize,
    line: usize,
    rows: usize,
    columns: usize,
    page: usize,
    scroll: usize,
    /// Where the last search began: the byte and the line.
    context: (usize, usize),
    /// Where the page on the screen begins.
    top: (usize, usize),
    pattern: Option<Regex>,
    /// The cursor stands behind a prompt of so many columns.
    prompted: usize,
    plain: bool,
    last: (u8, Option<usize>),
}

/// What comes next.
enum Next {
    /// Another command, behind a prompt.
    Prompt,
    /// Another command, where the cursor is.
    Wait,
    /// So many rows, then a prompt.
    Show(usize),
    Leave,
}

/// util-linux's `more` on a terminal.
pub(crate) async fn run(proc: &mut Process, files: Vec<Vec<u8>>, wish: Wish) -> ExitStatus {
    let (columns, rows) = size(proc, STDOUT);
    let fd = if proc.is_terminal(STDIN) {
        STDIN
    } else {
        STDERR
    };
    let Ok(raw) = Raw::begin(proc, fd, false) else {
        return ExitStatus::FAILURE;
    };
    let term = proc.env().value(b"TERM").unwrap_or(b"dumb");
    let plain = term == b"dumb" || term.is_empty();
    let page = wish.rows.unwrap_or(rows.saturating_sub(1)).max(1);
    let mut pager = Pager {
        wish,
        files,
        at: 0,
        bytes: Vec::new(),
        done: 0,
        line: 0,
        rows,
        columns,
        page,
        scroll: SCROLL_ROWS,
        context: (0, 0),
        top: (0, 0),
        pattern: None,
        prompted: 0,
        plain,
        last: (b' ', None),
    };
    let mut keys = Keys::new(fd);
    pager.all(proc, &mut keys, &raw).await;
    let _closed = proc.flush().await;
    raw.end(proc);
    proc.status()
}

impl Pager {
    async fn all(&mut self, proc: &mut Process, keys: &mut Keys, raw: &Raw) {
        let mut first = true;
        while self.at < self.files.len() {
            if !self.open(proc).await {
                self.at += 1;
                continue;
            }
            let mut rows = self.page;
            if std::mem::take(&mut first) {
                if self.wish.clears {
                    self.put(proc, b"\x1b[H\x1b[2J\r").await;
                }
                rows = self.begin(proc, rows).await;
            }
            if self.files.len() > 1 {
                let name = self.name().to_vec();
                let head = [b"::::::::::::::\n".as_slice(), &name, b"\n::::::::::::::\n"];
                self.put(proc, &head.concat()).await;
                rows = rows.saturating_sub(3);
            }
            match self.file(proc, keys, raw, rows).await {
                Some(next) => self.at = next,
                None => return,
            }
        }
    }

    /// `+N` and `+/PATTERN`; the rows that are left.
    async fn begin(&mut self, proc: &mut Process, rows: usize) -> usize {
        let lines = self.wish.line.saturating_sub(1);
        for _ in 0..lines {
            self.skip_line();
        }
        if let Some(pattern) = self.wish.pattern.take() {
            self.pattern = compile(&pattern);
            if self.find(1) {
                self.put(proc, b"\n...skipping\n").await;
            }
        }
        rows
    }

    fn name(&self) -> &[u8] {
        self.files.get(self.at).map_or(&[], Vec::as_slice)
    }

    async fn open(&mut self, proc: &mut Process) -> bool {
        let name = self.name().to_vec();
        match read(proc, &name).await {
            Ok(bytes) => {
                self.bytes = bytes;
                (self.done, self.line) = (0, 0);
                (self.context, self.top) = ((0, 0), (0, 0));
                true
            }
            Err(Errno::Eisdir) => {
                let text = [b"\n*** ".as_slice(), &name, b": directory ***\n\n"].concat();
                self.put(proc, &text).await;
                false
            }
            Err(errno) => {
                let why = errno.message().as_bytes();
                proc.complain_text([b"cannot open ".as_slice(), &name, b": ", why].concat())
                    .await;
                false
            }
        }
    }

    /// One file; the next one, or nothing to leave.
    async fn file(
        &mut self,
        proc: &mut Process,
        keys: &mut Keys,
        raw: &Raw,
        rows: usize,
    ) -> Option<usize> {
        let mut next = Next::Show(rows);
        let mut number: Option<usize> = None;
        loop {
            match next {
                Next::Leave => {
                    self.erase(proc).await;
                    return None;
                }
                Next::Show(rows) => {
                    self.show(proc, rows).await;
                    if self.at_end() && self.wish.ends {
                        return Some(self.at + 1);
                    }
                    self.prompt(proc).await;
                }
                Next::Prompt => self.prompt(proc).await,
                Next::Wait => {}
            }
            let _closed = proc.flush().await;
            let key = match keys.next(proc).await {
                Key::Byte(digit @ b'0'..=b'9') => {
                    let value = number.unwrap_or(0) * 10 + usize::from(digit - b'0');
                    number = Some(value.min(MAX_NUMBER));
                    next = Next::Wait;
                    continue;
                }
                Key::Byte(byte) => byte,
                Key::HangUp => return None,
                Key::Resize => {
                    (self.columns, self.rows) = size(proc, STDOUT);
                    next = Next::Wait;
                    continue;
                }
                _ => {
                    next = self.refuse(proc).await;
                    continue;
                }
            };
            let mut count = number.take();
            let mut key = key;
            if key == b'.' {
                (key, count) = self.last;
            }
            self.last = (key, count);
            if key == b':' {
                match self.colon(proc, keys, raw, count).await {
                    Ok(then) => next = then,
                    Err(to) => return Some(to),
                }
                continue;
            }
            next = self.command(proc, keys, raw, (key, count)).await;
        }
    }

    /// `:n` and its like; the file to go to instead.
    async fn colon(
        &mut self,
        proc: &mut Process,
        keys: &mut Keys,
        raw: &Raw,
        count: Option<usize>,
    ) -> Result<Next, usize> {
        let Key::Byte(second) = keys.next(proc).await else {
            return Ok(Next::Wait);
        };
        Ok(match second {
            b'n' | b'p' => {
                let count = count.unwrap_or(1).max(1);
                let last = self.files.len().saturating_sub(1);
                let to = if second == b'n' {
                    self.at.saturating_add(count)
                } else {
                    self.at.saturating_sub(count)
                };
                if to > last && self.at == last {
                    return Ok(Next::Leave);
                }
                let to = to.min(last);
                self.leave_for(proc, to, second == b'n').await;
                return Err(to);
            }
            b'q' | b'Q' => Next::Leave,
            b'f' => {
                self.erase(proc).await;
                let line = format!("\" line {}", self.line);
                let text = [b"\"".as_slice(), self.name(), line.as_bytes()].concat();
                self.say(proc, &text).await;
                Next::Wait
            }
            b'!' => self.shell(proc, keys, raw).await,
            _ => self.refuse(proc).await,
        })
    }

    async fn command(
        &mut self,
        proc: &mut Process,
        keys: &mut Keys,
        raw: &Raw,
        (key, count): (u8, Option<usize>),
    ) -> Next {
        match key {
            b' ' => Next::Show(count.unwrap_or(self.page)),
            b'z' => {
                self.page = count.unwrap_or(self.page).max(1);
                Next::Show(self.page)
            }
            b'\r' | b'\n' => {
                // A number counts for pages from then on.
                self.page = count.unwrap_or(self.page).max(1);
                Next::Show(count.unwrap_or(1).max(1))
            }
            b'd' | 4 => {
                self.scroll = count.unwrap_or(self.scroll).max(1);
                Next::Show(self.scroll)
            }
            b'q' | b'Q' | 3 => Next::Leave,
            b's' => self.skip(proc, count.unwrap_or(1)).await,
            b'f' | 6 => {
                let lines = count.unwrap_or(1).saturating_mul(self.page);
                self.skip(proc, lines).await
            }
            b'b' | 2 => self.back(proc, count.unwrap_or(1).max(1)).await,
            b'=' => {
                self.erase(proc).await;
                let text = self.line.to_string();
                self.say(proc, text.as_bytes()).await;
                Next::Wait
            }
            b'h' | b'?' => {
                self.erase(proc).await;
                self.put(proc, HELP.as_bytes()).await;
                Next::Prompt
            }
            b'/' => {
                self.erase(proc).await;
                let Some(pattern) = self.answer(proc, keys, b"/").await else {
                    return Next::Leave;
                };
                if !pattern.is_empty() {
                    self.pattern = compile(&pattern);
                }
                self.search(proc, count.unwrap_or(1)).await
            }
            b'n' => self.search(proc, count.unwrap_or(1)).await,
            b'\'' => {
                self.erase(proc).await;
                self.put(proc, b"\n***Back***\n\n\r").await;
                (self.done, self.line) = self.context;
                Next::Show(self.page)
            }
            12 => {
                self.prompted = 0;
                self.put(proc, b"\x1b[H\x1b[2J\r\r").await;
                (self.done, self.line) = self.top;
                Next::Show(self.page)
            }
            b'!' => self.shell(proc, keys, raw).await,
            b'v' => self.edit(proc, raw).await,
            _ => self.refuse(proc).await,
        }
    }

    async fn refuse(&mut self, proc: &mut Process) -> Next {
        if self.wish.hints {
            self.erase(proc).await;
            self.say(
                proc,
                &[
                    b"\x1b[7m",
                    b"[Press 'h' for instructions.]".as_slice(),
                    b"\x1b[27m",
                ]
                .concat(),
            )
            .await;
        }
        Next::Wait
    }

    // ---- where it is -----------------------------------------------------------------------------

    fn at_end(&self) -> bool {
        self.done >= self.bytes.len()
    }

    /// Passes over a line, or what is left of it.
    fn skip_line(&mut self) {
        let rest = self.bytes.get(self.done..).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        let len = rest.iter().position(|&byte| byte == b'\n');
        self.done += len.map_or(rest.len(), |len| len + 1);
        self.line += 1;
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes
            .strip_suffix(b"\n")
            .unwrap_or(&self.bytes)
            .split(|&byte| byte == b'\n')
    }

    fn go_to_line(&mut self, line: usize) {
        let before: usize = self.lines().take(line).map(|line| line.len() + 1).sum();
        self.done = before.min(self.bytes.len());
        self.line = line;
    }

    /// Goes two lines in front of the match that is so many on.
    fn find(&mut self, count: usize) -> bool {
        let Some(pattern) = &self.pattern else {
            return false;
        };
        let found = {
            let hits = self.lines().enumerate().skip(self.line);
            let mut hits = hits.filter(|(_, line)| pattern.is_match(line));
            hits.nth(count.saturating_sub(1)).map(|(index, _)| index)
        };
        let Some(found) = found else { return false };
        self.context = (self.done, self.line);
        let to = found.saturating_sub(2).max(self.line);
        self.go_to_line(to);
        true
    }

    async fn search(&mut self, proc: &mut Process, count: usize) -> Next {
        if self.pattern.is_none() {
            self.erase(proc).await;
            let text = b"\x1b[7mNo previous regular expression\x1b[27m";
            self.say(proc, text).await;
            return Next::Wait;
        }
        let before = self.line;
        if self.find(count) {
            let skipped = self.line - before;
            self.put(proc, b"\r").await;
            self.erase(proc).await;
            if skipped > 0 {
                let plural = if skipped == 1 { "" } else { "s" };
                let text = format!("\n...skipping {skipped} line{plural}\n\r");
                self.put(proc, text.as_bytes()).await;
            } else {
                self.put(proc, b"\n").await;
            }
            return Next::Show(self.page);
        }
        self.erase(proc).await;
        self.say(proc, b"\x1b[7mPattern not found\x1b[27m").await;
        Next::Wait
    }

    async fn skip(&mut self, proc: &mut Process, lines: usize) -> Next {
        let lines = lines.max(1);
        self.put(proc, b"\r").await;
        self.erase(proc).await;
        let plural = if lines == 1 { "" } else { "s" };
        let text = format!("\n...skipping {lines} line{plural}\n\r");
        self.put(proc, text.as_bytes()).await;
        for _ in 0..lines {
            self.skip_line();
        }
        Next::Show(self.page)
    }

    async fn back(&mut self, proc: &mut Process, pages: usize) -> Next {
        self.erase(proc).await;
        let plural = if pages == 1 { "" } else { "s" };
        let text = format!("...back {pages} page{plural}\n\r");
        self.put(proc, text.as_bytes()).await;
        let lines = self.page.saturating_mul(pages.saturating_add(1));
        self.go_to_line(self.line.saturating_sub(lines + 1));
        Next::Show(self.page)
    }

    async fn leave_for(&mut self, proc: &mut Process, to: usize, forward: bool) {
        self.put(proc, b"\r").await;
        self.erase(proc).await;
        let name = self.files.get(to).cloned().unwrap_or_default();
        let way: &[u8] = if forward { b"" } else { b"back " };
        let text = [
            b"\n...Skipping ".as_slice(),
            b"\n...Skipping ",
            way,
            b"to file ",
            &name,
            b"\n\n\r",
        ];
        self.put(proc, &text.concat()).await;
    }

    // ---- what is shown ---------------------------------------------------------------------------

    async fn put(&mut self, proc: &mut Process, text: &[u8]) {
        let _closed = proc.print(text).await;
    }

    /// Words that stand where the prompt stood.
    async fn say(&mut self, proc: &mut Process, text: &[u8]) {
        self.prompted = text.len();
        self.put(proc, text).await;
    }

    async fn erase(&mut self, proc: &mut Process) {
        let columns = std::mem::take(&mut self.prompted);
        if columns == 0 {
            return;
        }
        if self.plain {
            let text = [b"\r".as_slice(), &b" ".repeat(columns), b"\r"].concat();
            return self.put(proc, &text).await;
        }
        self.put(proc, b"\r\x1b[K").await;
    }

    async fn prompt(&mut self, proc: &mut Process) {
        let mut text = b"--More--".to_vec();
        if self.at_end() {
            let end: &[u8] = match self.files.get(self.at + 1) {
                Some(_) | None if self.plain => b"(END)",
                _ => b"\r\x1b[K(END)",
            };
            text.extend_from_slice(end);
        } else if self.name() != b"-" {
            let percent = self.done * 100 / self.bytes.len().max(1);
            text.extend_from_slice(format!("({percent}%)").as_bytes());
        }
        if self.wish.hints {
            text.extend_from_slice(HINT);
        }
        self.prompted = text.len();
        let shown = if self.plain {
            text
        } else {
            [b"\x1b[7m".as_slice(), &text, b"\x1b[27m"].concat()
        };
        self.put(proc, &shown).await;
    }

    async fn show(&mut self, proc: &mut Process, rows: usize) {
        let mut out = Vec::new();
        let mut left = rows;
        let mut prompted = std::mem::take(&mut self.prompted);
        if prompted > 0 {
            out.push(b'\r');
        }
        self.top = (self.done, self.line);
        let mut empty = false;
        while left > 0 {
            let rest = self.bytes.get(self.done..).unwrap_or_default();
            if rest.is_empty() {
                if self.wish.ends {
                    break;
                }
                out.extend_from_slice(self.rest_of(std::mem::take(&mut prompted), 0).as_bytes());
                out.push(b'\n');
                left -= 1;
                continue;
            }
            let newline = rest.iter().position(|&byte| byte == b'\n');
            let len = newline.unwrap_or(rest.len());
            let line = rest.get(..len).unwrap_or_default();
            let was_empty = std::mem::replace(&mut empty, line.is_empty());
            if self.wish.squeeze && was_empty && line.is_empty() {
                self.skip_line();
                continue;
            }
            let fits = if self.plain {
                len
            } else {
                byte_at(line, self.columns, 8).max(1).min(len.max(1))
            };
            let text = line.get(..fits).unwrap_or_default();
            let over = std::mem::take(&mut prompted);
            // A tab takes nothing away from the prompt that it passes over.
            let tab = text.iter().take(over).any(|&byte| byte == b'\t');
            let rest = match (tab, self.plain) {
                (true, false) => {
                    out.extend_from_slice(b"\x1b[K");
                    String::new()
                }
                _ => self.rest_of(over, column_of(text, text.len(), 8)),
            };
            if tab && self.plain {
                out.extend_from_slice(&shown(text, 0, self.columns, 8));
            } else {
                out.extend_from_slice(text);
            }
            let whole = fits == len;
            self.done += fits + usize::from(whole && newline.is_some());
            self.line += usize::from(whole);
            out.extend_from_slice(rest.as_bytes());
            out.push(b'\n');
            left -= 1;
        }
        self.put(proc, &out).await;
    }

    /// Takes away what a shorter line leaves of the prompt.
    fn rest_of(&self, prompted: usize, columns: usize) -> String {
        match prompted.saturating_sub(columns) {
            0 => String::new(),
            rest if self.plain => " ".repeat(rest),
            _ => "\x1b[K".to_owned(),
        }
    }

    // ---- other programs --------------------------------------------------------------------------

    /// A line of answer, shown as it is typed; nothing if nobody is there any more.
    async fn answer(
        &mut self,
        proc: &mut Process,
        keys: &mut Keys,
        sign: &[u8],
    ) -> Option<Vec<u8>> {
        self.say(proc, sign).await;
        let mut text = Vec::new();
        loop {
            let _closed = proc.flush().await;
            match keys.next(proc).await {
                Key::Byte(b'\r' | b'\n') => {
                    self.prompted = text.len() + 1;
                    return Some(text);
                }
                Key::Byte(8 | 0x7f) => {
                    if text.pop().is_none() {
                        return Some(Vec::new());
                    }
                    self.put(proc, b"\x08 \x08").await;
                }
                Key::Byte(3) | Key::HangUp => return None,
                Key::Byte(byte) if text.len() < MAX_ANSWER_BYTES => {
                    text.push(byte);
                    self.put(proc, &[byte]).await;
                }
                _ => {}
            }
        }
    }

    async fn shell(&mut self, proc: &mut Process, keys: &mut Keys, raw: &Raw) -> Next {
        self.erase(proc).await;
        let Some(command) = self.answer(proc, keys, b"!").await else {
            return Next::Leave;
        };
        self.put(proc, b"\n").await;
        let _closed = proc.flush().await;
        self.prompted = 0;
        raw.pause(proc);
        let _its_status_is_not_ours = crate::text::shell::system(proc, &command).await;
        raw.again(proc, false);
        self.put(proc, RULE).await;
        Next::Prompt
    }

    async fn edit(&mut self, proc: &mut Process, raw: &Raw) -> Next {
        self.erase(proc).await;
        let editor = ["VISUAL", "EDITOR"]
            .iter()
            .find_map(|name| proc.env().value(name.as_bytes()))
            .unwrap_or(b"/usr/bin/vi")
            .to_vec();
        let name = self.name().to_vec();
        let line = format!(" -c {} ", self.line.saturating_sub(self.rows / 2).max(1));
        let command = [editor.as_slice(), line.as_bytes(), &name].concat();
        self.put(proc, &command).await;
        if proc.stat(&editor).is_err() {
            self.put(proc, b"exec failed\n").await;
        } else {
            let _closed = proc.flush().await;
            raw.pause(proc);
            let _its_status_is_not_ours = crate::text::shell::system(proc, &command).await;
            raw.again(proc, false);
        }
        self.put(proc, RULE).await;
        Next::Prompt
    }
}

fn compile(pattern: &[u8]) -> Option<Regex> {
    Regex::new(pattern, Syntax::Basic, Flags::default()).ok()
}
