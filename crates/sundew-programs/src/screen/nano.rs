//! `nano` 7.2: open, edit, write out, cut and paste, search.
//!
//! What stands on the screen is nano's; the order in which changes are sent is simpler.

mod asking;
mod picture;
mod text;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::{Key, Keys, Raw, Rows, size};
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
