//! `nano` 7.2: open, edit, write out, cut and paste, search.
//!
//! What stands on the screen is nano's; the order in which changes are sent is simpler.

mod text;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::{Key, Keys, Raw, Rows, column_of, shown, size};
use text::Text;

/// Largest file that is edited, in bytes.
const MAX_FILE_BYTES: usize = 4 << 20;
/// Longest answer to a question, in bytes.
const MAX_ANSWER_BYTES: usize = 4096;
/// Columns of a tab.
const TAB: usize = 8;
/// What nano asks the terminal for when it begins.
const BEGIN: &[u8] =
    b"\x1b[?2004h\x1b[?1049h\x1b[22;0;0t\x1b[1;24r\x1b(B\x1b[m\x1b[4l\x1b[?7h\x1b[39;49m\
\x1b[?1h\x1b=\x1b[?1h\x1b=\x1b[?25l\x1b[39;49m\x1b(B\x1b[m\x1b[H\x1b[2J";
/// Terminals that terminfo describes here.
const TERMINALS: &[&str] = &[
    "xterm", "linux", "vt100", "vt102", "vt220", "vt52", "ansi", "screen", "tmux", "rxvt", "dumb",
    "Eterm", "cons25", "cygwin", "hurd", "mach", "pcansi", "sun", "wsvt25", "wsvt25m",
];

/// The two rows of keys below: what is pressed, what it does.
type Shortcuts = &'static [(&'static str, &'static str)];

const MAIN: Shortcuts = &[
    ("^G", "Help"),
    ("^X", "Exit"),
    ("^O", "Write Out"),
    ("^R", "Read File"),
    ("^W", "Where Is"),
    ("^\\", "Replace"),
    ("^K", "Cut"),
    ("^U", "Paste"),
    ("^T", "Execute"),
    ("^J", "Justify"),
    ("^C", "Location"),
    ("^/", "Go To Line"),
    ("M-U", "Undo"),
    ("M-E", "Redo"),
    ("M-A", "Set Mark"),
    ("M-6", "Copy"),
    ("M-]", "To Bracket"),
    ("^Q", "Where Was"),
];
const WRITE: Shortcuts = &[
    ("^G", "Help"),
    ("^C", "Cancel"),
    ("M-D", "DOS Format"),
    ("M-M", "Mac Format"),
    ("M-A", "Append"),
    ("M-P", "Prepend"),
    ("M-B", "Backup File"),
    ("^T", "Browse"),
];
const SEARCH: Shortcuts = &[
    ("^G", "Help"),
    ("^C", "Cancel"),
    ("M-C", "Case Sens"),
    ("M-R", "Reg.exp."),
    ("M-B", "Backwards"),
    ("^R", "Replace"),
    ("^P", "Older"),
    ("^N", "Newer"),
    ("^T", "Go To Line"),
];
const ANSWER: Shortcuts = &[("^G", "Help"), ("^C", "Cancel")];
const HELP: &[&str] = &[
    "Main nano help text",
    "",
    " The nano editor is designed to emulate the functionality and ease-of-use of",
    " the UW Pico text editor.  There are four main sections of the editor.  The",
    " top line shows the program version, the current filename being edited, and",
    " whether or not the file has been modified.  Next is the main editor window",
    " showing the file being edited.  The status line is the third line from the",
    " bottom and shows important messages.  The bottom two lines show the most",
    " commonly used shortcuts in the editor.",
    "",
    " ^G   (F1)     Display this help text",
    " ^X   (F2)     Close the current buffer / Exit from nano",
    " ^O   (F3)     Write the current buffer (or the marked region) to disk",
    " ^R   (Ins)    Insert another file into current buffer (or into new buffer)",
    " ^W   (F6)     Search forward for a string or a regular expression",
    " ^K   (F9)     Cut current line (or marked region) and store it in cutbuffer",
    " ^U   (F10)    Paste the contents of cutbuffer at current cursor position",
    " ^C   (F11)    Report the position of the cursor",
];

/// `nano`.
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut files = Vec::new();
    let mut view = false;
    let mut line = None;
    let args = proc.args().get(1..).unwrap_or_default().to_vec();
    let mut only_files = false;
    for arg in args {
        match arg.as_slice() {
            _ if only_files => files.push(arg),
            b"--" => only_files = true,
            b"-V" | b"--version" => {
                let text = b" GNU nano, version 7.2\n (C) 2023 the Free Software Foundation and various contributors\n";
                let _closed = proc.print(text).await;
                return ExitStatus::SUCCESS;
            }
            b"-v" | b"--view" => view = true,
            number if number.starts_with(b"+") => {
                line = std::str::from_utf8(number.get(1..).unwrap_or_default())
                    .ok()
                    .and_then(|number| number.split(',').next()?.parse::<usize>().ok());
            }
            option if option.len() > 1 && option.starts_with(b"-") => {}
            _ => files.push(arg),
        }
    }
    if let Some(problem) = no_terminal(proc) {
        proc.print_error(&problem).await;
        return ExitStatus::FAILURE;
    }
    let Ok(raw) = Raw::begin(proc, STDIN, false) else {
        proc.print_error(b"Standard input is not a terminal\n")
            .await;
        return ExitStatus::FAILURE;
    };
    if files.is_empty() {
        files.push(Vec::new());
    }
    let _closed = proc.print(BEGIN).await;
    let mut cut = Vec::new();
    for file in files {
        let mut editor = Editor::open(proc, file, view).await;
        editor.cut = std::mem::take(&mut cut);
        if let Some(line) = line {
            editor.text.go_to_line(line);
        }
        let alive = editor.edit(proc).await;
        cut = editor.cut;
        if !alive {
            break;
        }
    }
    let rows = size(proc, STDIN).1;
    let end = format!("\x1b[{rows};1H\x1b[?1049l\x1b[23;0;0t\r\x1b[?1l\x1b>\x1b[?2004l");
    let _closed = proc.print(end.as_bytes()).await;
    let _closed = proc.flush().await;
    raw.end(proc);
    ExitStatus::SUCCESS
}

/// Why there is nothing to show a screen on.
fn no_terminal(proc: &Process) -> Option<Vec<u8>> {
    let term = proc.env().value(b"TERM").unwrap_or_default();
    let family = term.split(|&byte| byte == b'-').next().unwrap_or_default();
    let known = TERMINALS.iter().any(|known| known.as_bytes() == family);
    if term.is_empty() || !known {
        let name: &[u8] = if term.is_empty() { b"unknown" } else { term };
        return Some([b"Error opening terminal: ".as_slice(), name, b".\n"].concat());
    }
    (!proc.is_terminal(STDIN)).then(|| b"Standard input is not a terminal\n".to_vec())
}

/// What a question was answered with.
enum Answer {
    Text(Vec<u8>),
    Cancelled,
    HangUp,
}

struct Editor {
    text: Text,
    name: Vec<u8>,
    view: bool,
    modified: bool,
    message: Vec<u8>,
    /// The message on the screen, and for how many keys it stays there.
    shown_message: Vec<u8>,
    life: u8,
    cut: Vec<Vec<u8>>,
    /// The last key cut a line, and the next one adds to it.
    cutting: bool,
    searched: Vec<u8>,
    rows: Rows,
    keys: Keys,
    pasting: bool,
    undo: Vec<Text>,
    redo: Vec<Text>,
    /// The last change was typing, and the next one is one change with it.
    typing: bool,
}

/// Keys after which a message goes.
const MESSAGE_KEYS: u8 = 20;
/// Changes that can be undone.
const MAX_UNDO: usize = 50;
/// Bytes of text up to which changes are kept.
const MAX_UNDO_BYTES: usize = 256 << 10;

impl Editor {
    async fn open(proc: &mut Process, name: Vec<u8>, view: bool) -> Self {
        let mut editor = Self {
            text: Text::new(b""),
            name,
            view,
            modified: false,
            message: Vec::new(),
            shown_message: Vec::new(),
            life: 0,
            cut: Vec::new(),
            cutting: false,
            searched: Vec::new(),
            rows: Rows::default(),
            keys: Keys::new(STDIN),
            pasting: false,
            undo: Vec::new(),
            redo: Vec::new(),
            typing: false,
        };
        let name = editor.name.clone();
        if name.is_empty() {
            return editor;
        }
        match read(proc, &name).await {
            Ok(bytes) => {
                editor.text = Text::new(&bytes);
                let lines = bytes.iter().filter(|&&byte| byte == b'\n').count()
                    + usize::from(bytes.last().is_some_and(|&byte| byte != b'\n'));
                editor.message = counted("Read", lines);
            }
            Err(Errno::Enoent) => {
                let parent = name.iter().rposition(|&byte| byte == b'/');
                let parent = parent.and_then(|at| name.get(..at.max(1)));
                editor.message = match parent {
                    Some(parent) if proc.stat(parent).is_err() => {
                        [b"Path '".as_slice(), parent, b"' does not exist"].concat()
                    }
                    _ => b"New File".to_vec(),
                };
            }
            Err(Errno::Eisdir) => {
                editor.message = [b"\"".as_slice(), &name, b"\" is a directory"].concat();
                editor.name.clear();
            }
            Err(errno) => {
                let why = errno.message().as_bytes();
                editor.message = [b"Error reading ".as_slice(), &name, b": ", why].concat();
                editor.name.clear();
            }
        }
        editor
    }

    /// Until the file is left; `false` if there is nobody any more.
    async fn edit(&mut self, proc: &mut Process) -> bool {
        loop {
            if !self.keys.waiting(proc) {
                self.show(proc, MAIN, None).await;
            }
            if self.message != self.shown_message {
                self.shown_message.clone_from(&self.message);
                self.life = MESSAGE_KEYS;
            }
            let key = self.keys.next(proc).await;
            if self.pasting {
                match key {
                    Key::PasteEnd => self.pasting = false,
                    Key::Byte(byte) => self.insert(byte),
                    Key::HangUp => return false,
                    _ => {}
                }
                continue;
            }
            self.life = self.life.saturating_sub(1);
            if self.life == 0 {
                self.message.clear();
            }
            let cutting = std::mem::take(&mut self.cutting);
            match key {
                Key::HangUp => return false,
                Key::Resize => self.rows.forget(),
                Key::Paste => {
                    self.keep();
                    self.pasting = true;
                }
                Key::Byte(0x18) => match self.leave(proc).await {
                    Some(alive) => return alive,
                    None => continue,
                },
                Key::Byte(0x0b) if self.may_change() => {
                    self.keep();
                    self.cut_line(cutting);
                }
                Key::Byte(byte @ (0x20.. | b'\t' | b'\r')) if byte != 0x7f => {
                    if self.may_change() {
                        if !std::mem::replace(&mut self.typing, byte != b'\r') {
                            self.keep();
                        }
                        self.typing = byte != b'\r';
                        self.insert(byte);
                    }
                    continue;
                }
                key => {
                    if !self.command(proc, key).await {
                        return false;
                    }
                }
            }
            self.typing = false;
        }
    }

    async fn command(&mut self, proc: &mut Process, key: Key) -> bool {
        let page = size(proc, STDIN).1.saturating_sub(6).max(1);
        match key {
            Key::Byte(2) | Key::Left => self.text.left(),
            Key::Byte(6) | Key::Right => self.text.right(),
            Key::Byte(16) | Key::Up => self.text.up(1),
            Key::Byte(14) | Key::Down => self.text.down(1),
            Key::Byte(1) | Key::Home => self.text.home(),
            Key::Byte(5) | Key::End => self.text.end(),
            Key::Byte(0x19) | Key::PageUp => self.text.up(page),
            Key::Byte(0x16) | Key::PageDown => self.text.down(page),
            Key::Meta(b'\\' | b'|') => self.text.go_to_line(1),
            Key::Meta(b'/' | b'?') => self.text.go_to_line(usize::MAX),
            Key::Byte(3) => self.message = self.text.position(),
            Key::Byte(12) => self.rows.forget(),
            Key::Byte(8 | 0x7f) if self.may_change() => {
                self.keep();
                self.modified |= self.text.backspace();
            }
            Key::Byte(4) | Key::Delete if self.may_change() => {
                self.keep();
                self.modified |= self.text.delete();
            }
            Key::Byte(21) if self.may_change() => {
                self.keep();
                self.modified |= !self.cut.is_empty();
                self.text.paste(&self.cut);
            }
            Key::Meta(b'6' | b'^') => {
                self.cut = vec![self.text.line().to_vec()];
                self.text.down(1);
            }
            Key::Meta(b'u') => self.undo(),
            Key::Meta(b'e') => self.redo(),
            Key::Byte(7) => return self.help(proc).await,
            Key::Byte(15) => return !matches!(self.write_out(proc).await, Some(false)),
            Key::Byte(18) => return self.read_in(proc).await,
            Key::Byte(23) => return self.search(proc).await,
            Key::Meta(b'w') => self.find(),
            Key::Byte(31) => return self.go_to(proc).await,
            Key::Byte(8 | 0x7f | 4 | 21) | Key::Delete => {}
            Key::Byte(byte @ 0..0x20) => {
                self.message = format!("Unbound key: ^{}", char::from(byte | 0x40)).into_bytes();
            }
            Key::Meta(byte) => {
                let byte = char::from(byte.to_ascii_uppercase());
                self.message = format!("Unbound key: M-{byte}").into_bytes();
            }
            _ => {}
        }
        true
    }

    fn may_change(&mut self) -> bool {
        if self.view {
            self.message = b"Key is invalid in view mode".to_vec();
        }
        !self.view
    }

    fn insert(&mut self, byte: u8) {
        if self.view || self.text.bytes() >= MAX_FILE_BYTES {
            return;
        }
        self.modified = true;
        self.text.insert(byte);
    }

    fn keep(&mut self) {
        if self.text.bytes() > MAX_UNDO_BYTES {
            return;
        }
        if self.undo.len() == MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push(self.text.clone());
        self.redo.clear();
    }

    fn undo(&mut self) {
        match self.undo.pop() {
            Some(before) => {
                self.redo.push(std::mem::replace(&mut self.text, before));
                self.message = b"Undid change".to_vec();
            }
            None => self.message = b"Nothing to undo".to_vec(),
        }
    }

    fn redo(&mut self) {
        match self.redo.pop() {
            Some(after) => {
                self.undo.push(std::mem::replace(&mut self.text, after));
                self.message = b"Redid change".to_vec();
            }
            None => self.message = b"Nothing to redo".to_vec(),
        }
    }

    fn cut_line(&mut self, more: bool) {
        if !more {
            self.cut.clear();
        }
        match self.text.cut() {
            Some(line) => {
                self.cut.push(line);
                self.modified = true;
            }
            None => self.message = b"Nothing was cut".to_vec(),
        }
        self.cutting = true;
    }

    // ---- questions -------------------------------------------------------------------------------

    /// `^X`: whether the reader is still there, when the file is left.
    async fn leave(&mut self, proc: &mut Process) -> Option<bool> {
        if !self.modified {
            return Some(true);
        }
        loop {
            self.ask_to_save(proc).await;
            match self.keys.next(proc).await {
                Key::Byte(b'y' | b'Y') => {
                    return match self.write_out(proc).await {
                        Some(true) => Some(true),
                        Some(false) => Some(false),
                        None => None,
                    };
                }
                Key::Byte(b'n' | b'N') => return Some(true),
                Key::Byte(3) => {
                    self.message = b"Cancelled".to_vec();
                    return None;
                }
                Key::HangUp => return Some(false),
                _ => {}
            }
        }
    }

    /// Asks where to, and writes; `None` if it was not written.
    async fn write_out(&mut self, proc: &mut Process) -> Option<bool> {
        let name = self.name.clone();
        let to = match self.ask(proc, b"File Name to Write: ", &name, WRITE).await {
            Answer::Text(to) if !to.is_empty() => to,
            Answer::HangUp => return Some(false),
            Answer::Text(_) | Answer::Cancelled => {
                self.message = b"Cancelled".to_vec();
                return None;
            }
        };
        if to != self.name && proc.stat(&to).is_ok() {
            let question = [b"File \"".as_slice(), &to, b"\" exists; OVERWRITE? "].concat();
            self.ask_yes_or_no(proc, &question).await;
            if !matches!(self.keys.next(proc).await, Key::Byte(b'y' | b'Y')) {
                self.message = b"Cancelled".to_vec();
                return None;
            }
        }
        let (bytes, lines) = self.text.to_bytes();
        match write(proc, &to, &bytes).await {
            Ok(()) => {
                self.message = counted("Wrote", lines);
                self.name = to;
                self.modified = false;
                Some(true)
            }
            Err(errno) => {
                let why = errno.message().as_bytes();
                self.message = [b"Error writing ".as_slice(), &to, b": ", why].concat();
                None
            }
        }
    }

    async fn read_in(&mut self, proc: &mut Process) -> bool {
        let question = b"File to insert [from ./]: ";
        match self.ask(proc, question, b"", ANSWER).await {
            Answer::HangUp => return false,
            Answer::Cancelled => self.message = b"Cancelled".to_vec(),
            Answer::Text(name) => match read(proc, &name).await {
                Ok(bytes) => {
                    self.keep();
                    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
                    for &byte in &bytes {
                        self.insert(if byte == b'\n' { b'\r' } else { byte });
                    }
                    self.message = counted("Read", lines);
                }
                Err(Errno::Enoent) => {
                    self.message = [b"File \"".as_slice(), &name, b"\" not found"].concat();
                }
                Err(errno) => {
                    let why = errno.message().as_bytes();
                    self.message = [b"Error reading ".as_slice(), &name, b": ", why].concat();
                }
            },
        }
        true
    }

    async fn search(&mut self, proc: &mut Process) -> bool {
        let question = if self.searched.is_empty() {
            b"Search: ".to_vec()
        } else {
            [b"Search [".as_slice(), &self.searched, b"]: "].concat()
        };
        match self.ask(proc, &question, b"", SEARCH).await {
            Answer::HangUp => return false,
            Answer::Cancelled => self.message = b"Cancelled".to_vec(),
            Answer::Text(text) => {
                if !text.is_empty() {
                    self.searched = text;
                }
                self.find();
            }
        }
        true
    }

    fn find(&mut self) {
        if self.searched.is_empty() {
            self.message = b"No current search pattern".to_vec();
            return;
        }
        self.message = match self.text.find(&self.searched) {
            text::Found::Nowhere => [b"\"".as_slice(), &self.searched, b"\" not found"].concat(),
            text::Found::OnlyHere => b"This is the only occurrence".to_vec(),
            text::Found::Wrapped => b"Search Wrapped".to_vec(),
            text::Found::Ahead => Vec::new(),
        };
    }

    async fn go_to(&mut self, proc: &mut Process) -> bool {
        let question = b"Enter line number, column number: ";
        match self.ask(proc, question, b"", ANSWER).await {
            Answer::HangUp => return false,
            Answer::Cancelled => self.message = b"Cancelled".to_vec(),
            Answer::Text(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                let number = text
                    .split(',')
                    .next()
                    .and_then(|text| text.trim().parse().ok());
                match number {
                    Some(line) => self.text.go_to_line(line),
                    None => self.message = b"Invalid line or column number".to_vec(),
                }
            }
        }
        true
    }

    async fn help(&mut self, proc: &mut Process) -> bool {
        let (columns, rows) = size(proc, STDIN);
        let mut out = b"\x1b[?25l".to_vec();
        for row in 1..=rows {
            let line = row.checked_sub(1).and_then(|at| HELP.get(at));
            let line = line.copied().unwrap_or_default();
            let text = if row == 1 {
                reversed(&centred(line.as_bytes(), columns))
            } else if row == rows {
                b"\x1b(B\x1b[0;7m^X\x1b(B\x1b[m Close".to_vec()
            } else {
                shown(line.as_bytes(), 0, columns, TAB)
            };
            self.rows.update(row, text, &mut out);
        }
        let _closed = proc.print(&out).await;
        let _closed = proc.flush().await;
        loop {
            match self.keys.next(proc).await {
                Key::Byte(0x18 | b'q') => return true,
                Key::HangUp => return false,
                _ => {}
            }
        }
    }

    async fn ask(
        &mut self,
        proc: &mut Process,
        question: &[u8],
        begin: &[u8],
        shortcuts: Shortcuts,
    ) -> Answer {
        let mut answer = begin.to_vec();
        loop {
            if !self.keys.waiting(proc) {
                let line = [question, &answer].concat();
                self.show(proc, shortcuts, Some(&line)).await;
            }
            match self.keys.next(proc).await {
                Key::HangUp => return Answer::HangUp,
                Key::Byte(3) => return Answer::Cancelled,
                Key::Byte(b'\r' | b'\n') => return Answer::Text(answer),
                Key::Byte(8 | 0x7f) => {
                    answer.pop();
                    while answer.last().is_some_and(|byte| byte & 0xc0 == 0x80) {
                        answer.pop();
                    }
                }
                Key::Byte(11 | 21) => answer.clear(),
                Key::Byte(byte @ 0x20..) if answer.len() < MAX_ANSWER_BYTES => answer.push(byte),
                Key::Resize => self.rows.forget(),
                _ => {}
            }
        }
    }

    async fn ask_to_save(&mut self, proc: &mut Process) {
        self.ask_yes_or_no(proc, b"Save modified buffer? ").await;
    }

    async fn ask_yes_or_no(&mut self, proc: &mut Process, question: &[u8]) {
        let (columns, rows) = size(proc, STDIN);
        let mut out = b"\x1b[?25l".to_vec();
        let line = reversed(&padded(question, columns));
        self.rows.update(rows - 2, line, &mut out);
        let yes = b"\x1b(B\x1b[0;7m Y\x1b(B\x1b[m Yes".to_vec();
        self.rows.update(rows - 1, yes, &mut out);
        let no =
            b"\x1b(B\x1b[0;7m N\x1b(B\x1b[m No            \x1b(B\x1b[0;7m^C\x1b(B\x1b[m Cancel"
                .to_vec();
        self.rows.update(rows, no, &mut out);
        let at = question.len() + 1;
        out.extend_from_slice(format!("\x1b[{};{at}H\x1b[?12l\x1b[?25h", rows - 2).as_bytes());
        let _closed = proc.print(&out).await;
        let _closed = proc.flush().await;
    }

    // ---- the screen ------------------------------------------------------------------------------

    /// Shows everything that changed; a question has the cursor at its end.
    async fn show(&mut self, proc: &mut Process, shortcuts: Shortcuts, question: Option<&[u8]>) {
        let (columns, rows) = size(proc, STDIN);
        let mut out = b"\x1b[?25l".to_vec();
        let height = rows.saturating_sub(4).max(1);
        self.text.scroll(height);
        let status = match question {
            Some(question) => reversed(&padded(question, columns)),
            None if self.message.is_empty() => Vec::new(),
            None => self.status(columns),
        };
        self.rows.update(rows - 2, status, &mut out);
        let title = self.title(columns);
        self.rows.update(1, title, &mut out);
        for (row, text) in [rows - 1, rows]
            .into_iter()
            .zip(keys_of(shortcuts, columns))
        {
            self.rows.update(row, text, &mut out);
        }
        let (row, at) = self.text.cursor();
        let column = column_of(self.text.line(), at, TAB);
        // Long lines are shown a part at a time.
        let room = columns.saturating_sub(9).max(1);
        let from = if column + 1 < columns {
            0
        } else {
            column / room * room
        };
        for index in 0..height {
            let line = self.text.at(self.text.top() + index);
            let from = if self.text.top() + index == row {
                from
            } else {
                0
            };
            let mut text = shown(line, from, columns, TAB);
            if column_of(line, line.len(), TAB) > from + columns {
                text.pop();
                text.extend_from_slice(b"\x1b(B\x1b[0;7m>\x1b(B\x1b[m");
            }
            self.rows.update(index + 2, text, &mut out);
        }
        let (row, column) = match question {
            Some(question) => (rows - 2, column_of(question, question.len(), TAB) + 1),
            None => (row - self.text.top() + 2, column - from + 1),
        };
        out.extend_from_slice(format!("\x1b[{row};{column}H\x1b[?12l\x1b[?25h").as_bytes());
        let _closed = proc.print(&out).await;
        let _closed = proc.flush().await;
    }

    fn status(&self, columns: usize) -> Vec<u8> {
        let text = [b"[ ".as_slice(), &self.message, b" ]"].concat();
        let blanks = columns.saturating_sub(text.len()) / 2;
        let alarm = self.message.starts_with(b"Error") || self.message.ends_with(b"view mode");
        let text = if alarm {
            [
                b"\x1b(B\x1b[0;1m\x1b[37m\x1b[41m".as_slice(),
                &text,
                b"\x1b[39;49m\x1b(B\x1b[m",
            ]
            .concat()
        } else {
            reversed(&text)
        };
        [vec![b' '; blanks], text].concat()
    }

    fn title(&self, columns: usize) -> Vec<u8> {
        let name: &[u8] = if self.name.is_empty() {
            b"New Buffer"
        } else {
            &self.name
        };
        let taken = 15 + if self.view { 7 } else { 10 };
        let room = columns.saturating_sub(taken);
        let before = 15 + room.saturating_sub(name.len()) / 2;
        let mut line = b"  GNU nano 7.2 ".to_vec();
        line.resize(before.max(15), b' ');
        line.extend_from_slice(&shown(name, 0, room, TAB));
        if self.modified {
            line.extend_from_slice(b" *");
        }
        if self.view {
            line.resize(columns.saturating_sub(6).max(line.len()), b' ');
            line.extend_from_slice(b"View");
        }
        reversed(&padded(&line, columns))
    }
}

fn reversed(text: &[u8]) -> Vec<u8> {
    [b"\x1b(B\x1b[0;7m".as_slice(), text, b"\x1b(B\x1b[m"].concat()
}

fn padded(text: &[u8], columns: usize) -> Vec<u8> {
    let mut line = shown(text, 0, columns, TAB);
    let width = column_of(text, text.len(), TAB);
    line.resize(line.len() + columns.saturating_sub(width), b' ');
    line
}

fn centred(text: &[u8], columns: usize) -> Vec<u8> {
    let blanks = columns.saturating_sub(text.len()) / 2;
    padded(&[vec![b' '; blanks], text.to_vec()].concat(), columns)
}

/// The two rows of keys, as wide as nano makes their columns.
fn keys_of(shortcuts: Shortcuts, columns: usize) -> [Vec<u8>; 2] {
    let most = (columns + 40) / 20 * 2;
    let count = most.min(shortcuts.len()).max(2);
    let width = columns / count.div_ceil(2);
    [0, 1].map(|row| {
        let mut line = Vec::new();
        let mine = shortcuts.iter().take(count).skip(row).step_by(2);
        for (key, what) in mine {
            line.extend_from_slice(&reversed(key.as_bytes()));
            let room = width.saturating_sub(key.len());
            let text = format!(" {what:<room$}", room = room.saturating_sub(1));
            line.extend(text.bytes().take(room));
        }
        line
    })
}

fn counted(what: &str, lines: usize) -> Vec<u8> {
    let plural = if lines == 1 { "" } else { "s" };
    format!("{what} {lines} line{plural}").into_bytes()
}

async fn read(proc: &Process, name: &[u8]) -> Result<Vec<u8>, Errno> {
    let fd = crate::text::input::open_file(proc, name).await?;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 16 << 10];
    let result = loop {
        match proc.read(fd, &mut chunk).await {
            Ok(0) => break Ok(bytes),
            Ok(count) => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(errno) => break Err(errno),
        }
        if bytes.len() >= MAX_FILE_BYTES {
            break Err(Errno::Efbig);
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
