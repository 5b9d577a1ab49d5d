//! One line being typed: bytes in, bytes for the terminal out. No terminal, no shell, no clock.
//!
//! After readline 8.2 in emacs mode with its default keys, as bash 5.2 uses it.

mod command;
mod listing;
mod search;
#[cfg(test)]
mod tests;
mod vi;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::buffer::{Buffer, MAX_LINE_BYTES};
use super::display::{Display, Picture};
use super::history::History;
use super::key::{self, Command};
use super::keymap::{Action, Settings, Which, function};
use super::terminal::Terminal;
use super::width;
pub use listing::{Completion, Shown};
use search::Search;
pub use vi::Vi;

/// Killed texts that can be yanked.
const MAX_KILLS: usize = 10;
/// Changed history lines that are kept while another is being edited, in bytes.
const MAX_EDITED_BYTES: usize = 256 * 1024;
/// Largest numeric argument; a larger one rings the bell.
const MAX_ARGUMENT: i64 = 1_000_000;

/// What one line's editing leaves to the next.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Killed texts, the last on top.
    pub kills: Vec<Vec<u8>>,
    /// What was searched for last.
    pub last_search: Option<Vec<u8>>,
    /// The history line that `^O` asked to be shown next.
    pub next_index: Option<usize>,
    /// The last completion found nothing.
    pub completion_failed: bool,
    /// What a macro still has to type.
    pub typing: VecDeque<u8>,
    /// The keyboard macro, and the one that is being recorded.
    pub keyboard_macro: Vec<u8>,
    /// See above.
    pub recording: Option<Vec<u8>>,
    /// What vi mode remembers.
    pub vi: Vi,
}

/// Bytes that macros may have in store; one that types itself ends there.
const MAX_TYPING_BYTES: usize = 64 * 1024;
/// Longest keyboard macro, in bytes.
const MAX_MACRO_BYTES: usize = 16 * 1024;

/// What a byte led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// More keys are awaited.
    Continue,
    /// The line is complete.
    Accept(Vec<u8>),
    /// `^D` on an empty line.
    End,
    /// The word before the cursor is to be completed: answer with [`Editor::complete`].
    Complete(Want, Among),
    /// The shell is to run a command of `bind -x`.
    Shell(Vec<u8>),
    /// The shell is to change the line: answer with [`Editor::replace`].
    Ask(Command),
}

/// What a completion is looked for among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// What fits the place in the line.
    Anything,
    /// Commands.
    Commands,
    /// Files.
    Files,
    /// Hosts.
    Hosts,
    /// Users.
    Users,
    /// Variables.
    Variables,
    /// What a pattern matches.
    Globbed,
    /// The files that begin with the word, which may be a pattern already.
    GlobbedStart,
}

/// What a completion is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// As much as the matches have in common.
    Insert,
    /// The list of matches.
    List,
    /// All matches, one after the other.
    All,
    /// The match this many further on, at each key.
    Next(i64),
}

/// What the next byte is for.
#[derive(Debug)]
enum Mode {
    /// A key.
    Key,
    /// What follows these, with which longer keys begin.
    Keys(Vec<u8>),
    /// To be inserted as it is.
    Quoted,
    /// The character to go to.
    Find { forward: bool, count: i64 },
    /// The text to search the history for, which is typed in place of the line.
    AskSearch(search::Asked),
    /// Pasted text.
    Paste(Vec<u8>),
    /// A search.
    Search(Search),
    /// What a key of vi mode wants to know.
    Vi(vi::Awaited),
    /// Whether a long list shall be shown, or go on.
    Question(listing::Question),
}

/// What the last key was, where the next one depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Last {
    Other,
    Kill,
    /// A yank of the kill this far below the top, whose text begins there.
    Yank {
        depth: usize,
        start: usize,
    },
    /// Words taken from this many lines back.
    YankArg {
        back: usize,
        start: usize,
        inserted: bool,
        nth: Option<i64>,
    },
    Complete {
        changed: bool,
        /// What a key completes among that lists at its second press.
        by: Option<Among>,
    },
    /// One match of a menu stands in the line.
    Menu(listing::Menu),
}

/// A numeric argument.
#[derive(Debug, Clone, Copy)]
struct Argument {
    negative: bool,
    value: Option<i64>,
}

impl Argument {
    fn count(self) -> i64 {
        let value = self.value.unwrap_or(1);
        if self.negative { -value } else { value }
    }
}

/// One line being typed.
#[derive(Debug)]
pub struct Editor {
    display: Display,
    /// The prompt, and without the sign of the mode.
    prompt: Vec<u8>,
    bare_prompt: Vec<u8>,
    /// Shown in place of the prompt: a search, an argument.
    message: Option<Vec<u8>>,
    buffer: Buffer,
    kept: Kept,
    mode: Mode,
    argument: Option<Argument>,
    last: Last,
    last_byte: Option<u8>,
    overwrite: bool,
    /// Whether the region between mark and cursor stands out.
    region: bool,
    /// The screen lags behind: more text was waiting when the last was inserted.
    dirty: bool,
    /// The first bytes of a character.
    partial: Vec<u8>,
    /// The history line being edited; past the last for the new line.
    index: usize,
    /// History lines as they were left, and the new line.
    edited: BTreeMap<usize, Buffer>,
    /// Columns and rows.
    size: (u16, u16),
    settings: Arc<Settings>,
    keymap: Which,
    /// What a key completes among that lists at its second press.
    completing: Option<Among>,
    /// Typed characters replace others: `R` of vi mode.
    replacing: bool,
}

impl Editor {
    /// Begins a line: shows the prompt, and what the line `begins` with.
    pub fn new(setup: Setup<'_>, begins: Option<&[u8]>, history: &mut History) -> Self {
        let mut kept = std::mem::take(&mut history.kept);
        let mut editor = Self {
            display: Display::new(setup.terminal, setup.columns, setup.utf8),
            prompt: setup.prompt.to_vec(),
            bare_prompt: setup.prompt.to_vec(),
            message: None,
            buffer: Buffer::new(setup.utf8),
            mode: Mode::Key,
            argument: None,
            last: Last::Other,
            last_byte: None,
            overwrite: false,
            region: false,
            dirty: false,
            partial: Vec::new(),
            index: history.len(),
            edited: BTreeMap::new(),
            size: (setup.columns, setup.rows.max(2)),
            settings: Arc::clone(setup.settings),
            keymap: setup.keymap,
            replacing: false,
            completing: None,
            kept: Kept::default(),
        };
        if let Some(next) = kept.next_index.take() {
            if let Some(line) = history.at(next) {
                editor.index = next;
                editor.buffer.load(line);
            } else if next > history.len() {
                editor.ding();
            }
        }
        if let Some(text) = begins {
            editor.buffer.insert(text);
        }
        editor.kept = kept;
        editor.begin_vi_line();
        editor.prompt = editor.prompt_with_mode();
        editor.show_all();
        editor
    }

    /// What is to be sent to the terminal.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.display.out)
    }

    /// Ends the line; what it leaves to the next goes to `history`.
    pub fn close(self, history: &mut History) {
        history.kept = self.kept;
    }

    /// The line so far and the cursor in it.
    pub fn line(&self) -> (&[u8], usize) {
        (self.buffer.text(), self.buffer.point())
    }

    /// The terminal may have another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        if (columns, rows.max(2)) == self.size {
            return;
        }
        self.size = (columns, rows.max(2));
        let prompt = self.message.clone().unwrap_or_else(|| self.prompt.clone());
        let picture = picture(&prompt, &self.buffer, self.region);
        self.display.resize(columns, &picture);
    }

    /// The terminal's `key` for it interrupts: shows that, and goes below the line.
    pub fn interrupt(&mut self, key: u8) {
        self.catch_up();
        if self.settings.is_on("echo-control-characters") {
            let shown: &[u8] = match key {
                0..0x20 | 0x7f => &[b'^', key ^ 0x40],
                _ => &[key],
            };
            self.display.out.extend_from_slice(shown);
        }
        self.display.leave_rows();
    }

    /// Takes one typed byte; `more` says whether another one waits already.
    pub fn feed(&mut self, byte: u8, more: bool, history: &mut History) -> Outcome {
        let repeated = self.last_byte.replace(byte) == Some(byte);
        match std::mem::replace(&mut self.mode, Mode::Key) {
            Mode::Key => self.keys(vec![byte], more, repeated, history),
            Mode::Keys(mut keys) => {
                keys.push(byte);
                self.keys(keys, more, false, history)
            }
            Mode::Quoted => self.quoted(byte),
            Mode::Find { forward, count } => {
                self.find(byte, forward, count);
                self.done(Last::Other)
            }
            Mode::AskSearch(asked) => self.asked_key(asked, byte, history),
            Mode::Paste(text) => self.paste(text, byte),
            Mode::Search(search) => self.search_key(search, byte, more, history),
            Mode::Vi(awaited) => self.awaited(awaited, byte),
            Mode::Question(question) => self.answer_question(question, byte),
        }
    }

    /// How long a key may wait for the rest of a longer one: `keyseq-timeout`.
    pub fn key_time(&self) -> Option<std::time::Duration> {
        let Mode::Keys(keys) = &self.mode else {
            return None;
        };
        self.lookup(keys).0?;
        let millis: u64 = std::str::from_utf8(self.settings.variable("keyseq-timeout"))
            .ok()?
            .parse()
            .ok()?;
        (millis > 0).then(|| std::time::Duration::from_millis(millis.min(60_000)))
    }

    /// No longer key came: the shorter one was meant.
    pub fn key_timeout(&mut self, history: &mut History) -> Outcome {
        match std::mem::replace(&mut self.mode, Mode::Key) {
            Mode::Keys(keys) => match self.lookup(&keys).0 {
                Some(action) => self.act_on(action, &keys, false, false, history),
                None => Outcome::Continue,
            },
            mode => {
                self.mode = mode;
                Outcome::Continue
            }
        }
    }

    /// The next byte that a macro types.
    pub fn typed_by_macro(&mut self) -> Option<u8> {
        self.kept.typing.pop_front()
    }

    /// Takes a byte from the terminal: a keyboard macro that is being recorded has it too.
    pub fn record(&mut self, byte: u8) {
        // What is inserted together with what came before it is not recorded, as readline has it.
        let batched = self.dirty
            && self
                .lookup(&[byte])
                .0
                .is_some_and(|action| is(&action, Command::SelfInsert));
        if let Some(recording) = self.kept.recording.as_mut().filter(|_| !batched)
            && recording.len() < MAX_MACRO_BYTES
        {
            recording.push(byte);
        }
    }

    /// What these bytes do, and whether longer keys begin with them.
    fn lookup(&self, keys: &[u8]) -> (Option<Action>, bool) {
        let found = self.settings.keymap(self.keymap).find(keys);
        let (mut action, mut longer) = (found.action.cloned(), found.longer);
        // Bash's own: `bind` lists neither.
        let hidden = match (self.keymap, keys) {
            (Which::ViInsert, b"\x1b") => Some(Command::ViMovementMode),
            (Which::ViCommand, b"*" | b"=" | b"\\") => Some(Command::ViComplete),
            _ => None,
        };
        if let Some(command) = hidden.filter(|_| action.is_none()) {
            action = function::of_command(command).map(Action::Run);
        }
        for (known, command) in key::of_terminal(&self.display.terminal()) {
            if known == keys && action.is_none() {
                action = function::of_command(command).map(Action::Run);
            }
            longer |= known.len() > keys.len() && known.starts_with(keys);
        }
        (action, longer)
    }

    fn keys(
        &mut self,
        mut keys: Vec<u8>,
        more: bool,
        repeated: bool,
        history: &mut History,
    ) -> Outcome {
        let byte = keys.last().copied().unwrap_or_default();
        let first = keys.len() == 1;
        if byte == 0 && first && self.dirty {
            // Readline loses a NUL that comes together with text.
            if !more {
                self.catch_up();
            }
            return Outcome::Continue;
        }
        if let Some(argument) = self.argument.filter(|_| first) {
            if byte.is_ascii_digit() {
                return self.argument_digit(argument, byte);
            }
            if byte == b'-' && argument.value.is_none() && !argument.negative {
                return self.show_argument(Argument {
                    negative: true,
                    value: None,
                });
            }
        }
        let (action, longer) = self.lookup(&keys);
        if longer {
            if first {
                self.hide_argument();
                self.catch_up();
            }
            self.mode = Mode::Keys(keys);
            return Outcome::Continue;
        }
        let Some(action) = action else {
            // A shorter key may have been meant.
            for len in (1..keys.len()).rev() {
                let (Some(action), _) = self.lookup(keys.get(..len).unwrap_or_default()) else {
                    continue;
                };
                for &rest in keys.iter().skip(len).rev() {
                    self.kept.typing.push_front(rest);
                }
                keys.truncate(len);
                return self.act_on(action, &keys, more, false, history);
            }
            self.hide_argument();
            self.catch_up();
            if self.commands() && keys == b"\x1b\x1b" {
                return self.done(Last::Other);
            }
            return self.run(Command::Unbound, byte, history);
        };
        self.act_on(action, &keys, more, repeated, history)
    }

    fn hide_argument(&mut self) {
        if self.argument.is_some() && self.message.take().is_some() {
            self.show();
        }
    }

    fn act_on(
        &mut self,
        action: Action,
        keys: &[u8],
        more: bool,
        repeated: bool,
        history: &mut History,
    ) -> Outcome {
        let byte = keys.last().copied().unwrap_or_default();
        let function = match action {
            Action::Run(function) => function,
            Action::Macro(text) => {
                self.hide_argument();
                self.catch_up();
                self.type_text(&text);
                return Outcome::Continue;
            }
            Action::Shell(command) => {
                self.hide_argument();
                self.catch_up();
                self.argument = None;
                return Outcome::Shell(command);
            }
        };
        match function.command {
            Command::DigitArgument | Command::ViArgDigit => {
                let argument = self.argument.unwrap_or(Argument {
                    negative: false,
                    value: None,
                });
                self.show_argument(argument);
                if byte == b'-' {
                    return self.show_argument(Argument {
                        negative: true,
                        value: None,
                    });
                }
                return self.argument_digit(argument, byte);
            }
            Command::DoLowercaseVersion => {
                let mut lower = keys.to_vec();
                if let Some(last) = lower.last_mut() {
                    *last = last.to_ascii_lowercase();
                }
                if lower != keys {
                    return self.keys(lower, more, repeated, history);
                }
            }
            Command::SelfInsert => {
                self.hide_argument();
                return self.self_insert(byte, more);
            }
            Command::EndKbdMacro => {
                if let Some(recording) = &mut self.kept.recording {
                    recording.truncate(recording.len().saturating_sub(keys.len()));
                }
            }
            _ => {}
        }
        self.hide_argument();
        self.catch_up();
        self.note_vi_key(keys);
        let ends = matches!(function.command, Command::DeleteChar | Command::ViEofMaybe);
        if ends && byte == 4 && self.buffer.text().is_empty() && !repeated {
            return Outcome::End;
        }
        self.run(function.command, byte, history)
    }

    /// What a macro types, before all else.
    fn type_text(&mut self, text: &[u8]) {
        if self.kept.typing.len() + text.len() > MAX_TYPING_BYTES {
            self.kept.typing.clear();
            return self.ding();
        }
        for &byte in text.iter().rev() {
            self.kept.typing.push_front(byte);
        }
    }

    fn quoted(&mut self, byte: u8) -> Outcome {
        self.partial.push(byte);
        let first = self.partial.first().copied().unwrap_or(byte);
        if self.buffer.utf8 && self.partial.len() < width::expected_len(first) {
            self.mode = Mode::Quoted;
            return Outcome::Continue;
        }
        let character = std::mem::take(&mut self.partial);
        self.insert_repeated(&character);
        self.done(Last::Other)
    }

    fn argument_digit(&mut self, argument: Argument, byte: u8) -> Outcome {
        let value = argument.value.unwrap_or(0) * 10 + i64::from(byte.saturating_sub(b'0'));
        if value > MAX_ARGUMENT {
            self.message = None;
            self.argument = None;
            self.ding();
            self.show();
            return Outcome::Continue;
        }
        self.show_argument(Argument {
            value: Some(value),
            ..argument
        })
    }

    fn show_argument(&mut self, argument: Argument) -> Outcome {
        self.catch_up();
        self.argument = Some(argument);
        self.message = Some(format!("(arg: {}) ", argument.count()).into_bytes());
        self.show();
        Outcome::Continue
    }

    fn self_insert(&mut self, byte: u8, more: bool) -> Outcome {
        if !self.partial.is_empty() && byte & 0xc0 != 0x80 {
            // What was to become a character did not: readline forgets it.
            self.partial.clear();
        }
        self.partial.push(byte);
        let first = self.partial.first().copied().unwrap_or(byte);
        if self.buffer.utf8 && self.partial.len() < width::expected_len(first) {
            return Outcome::Continue;
        }
        let character = std::mem::take(&mut self.partial);
        let quick = self.buffer.at_end()
            && !self.replacing
            && !self.dirty
            && !self.region
            && self.argument.is_none()
            && !more
            && character.len() == 1;
        let more = more && !self.replacing;
        self.region = false;
        if !self.insert_repeated(&character) {
            return self.done(Last::Other);
        }
        // Text that comes together with the next key does not part one kill from another.
        if !(more && self.last == Last::Kill) {
            self.last = Last::Other;
        }
        self.argument = None;
        if more {
            self.dirty = true;
        } else if !(quick && self.message.is_none() && self.display.append(byte)) {
            self.show();
        }
        Outcome::Continue
    }

    fn insert_repeated(&mut self, character: &[u8]) -> bool {
        let count = usize::try_from(self.count()).unwrap_or(0);
        let bytes = character.len().saturating_mul(count);
        if bytes > MAX_LINE_BYTES {
            self.ding();
            return false;
        }
        if self.replacing {
            for _ in 0..count {
                self.overstrike(character);
            }
            return true;
        }
        if self.overwrite {
            let mut end = self.buffer.point();
            for _ in 0..count {
                end = self.buffer.next(end);
            }
            self.buffer.begin_group();
            self.buffer.delete(self.buffer.point(), end);
        }
        let fits = self.buffer.insert(&character.repeat(count));
        if self.overwrite {
            self.buffer.end_group();
        }
        if !fits {
            self.ding();
        }
        fits
    }

    fn paste(&mut self, mut text: Vec<u8>, byte: u8) -> Outcome {
        const END: &[u8] = b"\x1b[201~";
        text.push(byte);
        if !text.ends_with(END) && text.len() < MAX_LINE_BYTES {
            self.mode = Mode::Paste(text);
            return Outcome::Continue;
        }
        let body = text.strip_suffix(END).unwrap_or(&text);
        let body: Vec<u8> = body
            .iter()
            .map(|&byte| if byte == b'\r' { b'\n' } else { byte })
            .collect();
        let start = self.buffer.point();
        if self.buffer.insert(&body) {
            self.buffer.mark = start;
            self.region = !body.is_empty();
        } else {
            self.ding();
        }
        self.last = Last::Other;
        self.argument = None;
        self.show();
        Outcome::Continue
    }

    // ---- what commands use -----------------------------------------------------------------------

    fn count(&self) -> i64 {
        self.argument.map_or(1, Argument::count)
    }

    fn ding(&mut self) {
        if self.settings.variable("bell-style") != b"none" {
            self.display.out.push(7);
        }
    }

    /// Ends a command: the screen follows.
    fn done(&mut self, last: Last) -> Outcome {
        self.last = last;
        self.argument = None;
        self.vi_check();
        self.show();
        Outcome::Continue
    }

    fn catch_up(&mut self) {
        self.partial.clear();
        if self.dirty {
            self.show();
        }
    }

    fn show(&mut self) {
        self.dirty = false;
        let prompt = self.message.as_deref().unwrap_or(&self.prompt);
        self.display
            .show(&picture(prompt, &self.buffer, self.region));
    }

    fn show_all(&mut self) {
        self.dirty = false;
        let prompt = self.message.as_deref().unwrap_or(&self.prompt);
        self.display
            .show_all(&picture(prompt, &self.buffer, self.region));
    }

    fn accept(&mut self) -> Outcome {
        if self.keymap != Which::Emacs {
            self.done_inserting();
        }
        self.region = false;
        self.message = None;
        self.argument = None;
        self.show();
        self.display.finish();
        Outcome::Accept(self.buffer.take())
    }

    // ---- history ---------------------------------------------------------------------------------

    /// The line at `index` as it would be shown: changed, from the history, or the new one.
    fn line_at<'a>(&'a self, index: usize, history: &'a History) -> &'a [u8] {
        if index == self.index {
            return self.buffer.text();
        }
        self.edited
            .get(&index)
            .map_or_else(|| history.at(index).unwrap_or_default(), Buffer::text)
    }

    fn go_to_line(&mut self, index: usize, history: &History) {
        if index == self.index {
            return;
        }
        let utf8 = self.buffer.utf8;
        let next = self.edited.remove(&index).unwrap_or_else(|| {
            let mut buffer = Buffer::new(utf8);
            buffer.load(history.at(index).unwrap_or_default());
            buffer
        });
        let left = std::mem::replace(&mut self.buffer, next);
        self.buffer.set_point(usize::MAX);
        let held: usize = self.edited.values().map(Buffer::bytes).sum();
        let is_new = self.index == history.len();
        if is_new || (left.changed() && held + left.bytes() <= MAX_EDITED_BYTES) {
            self.edited.insert(self.index, left);
        }
        self.index = index;
        if self.commands() {
            self.buffer.set_point(0);
        }
    }
}

/// What a line begins with.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// What keys do.
    pub settings: &'a Arc<Settings>,
    /// Where keys are looked up at first.
    pub keymap: Which,
    /// The terminal.
    pub terminal: Terminal,
    /// Its width.
    pub columns: u16,
    /// Its height.
    pub rows: u16,
    /// Whether the locale's characters are those of UTF-8.
    pub utf8: bool,
    /// The prompt.
    pub prompt: &'a [u8],
}

fn is(action: &Action, command: Command) -> bool {
    matches!(action, Action::Run(function) if function.command == command)
}

fn picture<'a>(prompt: &'a [u8], buffer: &'a Buffer, region: bool) -> Picture<'a> {
    let (point, mark) = (buffer.point(), buffer.mark.min(buffer.text().len()));
    Picture {
        prompt,
        line: buffer.text(),
        point,
        region: region.then_some((point.min(mark), point.max(mark))),
    }
}
