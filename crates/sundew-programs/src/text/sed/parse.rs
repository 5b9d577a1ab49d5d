//! Reads scripts.
//!
//! All `-e` and `-f` make one script; complaints name the part they are about, with the number of
//! characters (or the line) read so far.

mod substitution;

use std::collections::HashMap;

use sundew_posix::regex::{Flags, Regex, Syntax};

use super::command::{Action, Address, Command, Range, Substitution};
use super::{BAD_USAGE, Options, PANIC};
use crate::replacement::character_length;
use crate::replacement::{Part, parts};
use crate::text::pattern_check;
use substitution::{strip_backslashes, unescape};

/// Deepest nesting of `{`.
const MAX_DEPTH: usize = 1000;

/// One `-e` or `-f`.
#[derive(Debug)]
pub(super) struct Chunk {
    text: Vec<u8>,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Expression(usize),
    File(Vec<u8>),
}

impl Chunk {
    pub(super) fn expression(text: Vec<u8>, number: usize) -> Self {
        Self {
            text,
            origin: Origin::Expression(number),
        }
    }

    pub(super) fn file(path: Vec<u8>, mut text: Vec<u8>) -> Self {
        if text.last() == Some(&b'\n') {
            text.pop();
        }
        if text.starts_with(b"#!") {
            // An interpreter line is a comment even if it begins as "#n" would.
            text.insert(1, b' ');
        }
        Self {
            text,
            origin: Origin::File(path),
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self.origin, Origin::File(_))
    }
}

/// A script ready to run.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// Files that `w` writes.
    pub(super) sinks: Vec<Vec<u8>>,
    /// Whether the first line is `#n`.
    pub(super) quiet: bool,
}

/// A complaint and the status to end with.
type Failure = (Vec<u8>, u8);

impl Script {
    pub(super) fn parse(chunks: Vec<Chunk>, options: &Options) -> Result<Self, Failure> {
        let mut text = Vec::new();
        let mut starts = Vec::new();
        for chunk in &chunks {
            if !starts.is_empty() {
                text.push(b'\n');
            }
            starts.push(text.len());
            text.extend_from_slice(&chunk.text);
        }
        let quiet = text.starts_with(b"#n") && matches!(text.get(2), None | Some(b'\n'));
        let mut parser = Parser {
            text,
            at: 0,
            chunks,
            starts,
            extended: options.extended,
            sandbox: options.sandbox,
            commands: Vec::new(),
            blocks: Vec::new(),
            labels: HashMap::new(),
            jumps: Vec::new(),
            sinks: Vec::new(),
        };
        parser.script()?;
        Ok(Self {
            commands: parser.commands,
            sinks: parser.sinks,
            quiet,
        })
    }
}

struct Parser {
    text: Vec<u8>,
    at: usize,
    chunks: Vec<Chunk>,
    starts: Vec<usize>,
    extended: bool,
    sandbox: bool,
    commands: Vec<Command>,
    blocks: Vec<usize>,
    labels: HashMap<Vec<u8>, usize>,
    jumps: Vec<(usize, Vec<u8>)>,
    sinks: Vec<Vec<u8>>,
}

impl Parser {
    fn fail<T>(&self, text: impl AsRef<[u8]>) -> Result<T, Failure> {
        Err(self.failure(self.at, text))
    }

    fn failure(&self, at: usize, text: impl AsRef<[u8]>) -> Failure {
        let index = self
            .starts
            .iter()
            .rposition(|&start| start < at || start == 0)
            .unwrap_or(0);
        let start = self.starts.get(index).copied().unwrap_or(0);
        let length = self.chunks.get(index).map_or(0, |chunk| chunk.text.len());
        let place = at.saturating_sub(start).min(length);
        let prefix = match self.chunks.get(index).map(|chunk| &chunk.origin) {
            Some(Origin::File(path)) => {
                let read = self.text.get(start..at).unwrap_or_default();
                // A newline just read belongs to the line it ends.
                let lines = 1 + read.iter().filter(|&&byte| byte == b'\n').count()
                    - usize::from(read.last() == Some(&b'\n'));
                [
                    b"file ",
                    path.as_slice(),
                    format!(" line {lines}: ").as_bytes(),
                ]
                .concat()
            }
            Some(Origin::Expression(number)) => {
                format!("-e expression #{number}, char {place}: ").into_bytes()
            }
            None => Vec::new(),
        };
        ([&prefix, text.as_ref()].concat(), BAD_USAGE)
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.text.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | 0x0b | 0x0c | b'\r')) {
            self.at += 1;
        }
    }

    fn next_nonblank(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.next()
    }

    fn script(&mut self) -> Result<(), Failure> {
        loop {
            while self
                .peek()
                .is_some_and(|byte| byte == b';' || byte.is_ascii_whitespace())
            {
                self.at += 1;
            }
            if self.peek().is_none() {
                break;
            }
            if self.peek() == Some(b'#') {
                self.skip_line();
                continue;
            }
            self.command()?;
        }
        if !self.blocks.is_empty() {
            let (text, status) = self.failure(0, b"unmatched `{'");
            return Err((text, status));
        }
        for (index, label) in std::mem::take(&mut self.jumps) {
            let target = if label.is_empty() {
                Some(self.commands.len())
            } else {
                self.labels.get(&label).copied()
            };
            let Some(target) = target else {
                return Err((
                    [b"can't find label for jump to `", label.as_slice(), b"'"].concat(),
                    PANIC,
                ));
            };
            if let Some(command) = self.commands.get_mut(index) {
                match &mut command.action {
                    Action::Branch(to)
                    | Action::BranchIfReplaced(to)
                    | Action::BranchUnlessReplaced(to) => *to = target,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn command(&mut self) -> Result<(), Failure> {
        let first = self.address(false)?;
        let mut second = None;
        self.skip_blanks();
        if first.is_some() && self.peek() == Some(b',') {
            self.at += 1;
            self.skip_blanks();
            second = self.address(true)?;
            if second.is_none() {
                // The character that is no address was read.
                self.at += 1;
                return self.fail(b"unexpected `,'");
            }
        }
        if matches!(first, Some(Address::Zero)) && !matches!(second, Some(Address::Regex(_))) {
            self.at += usize::from(self.peek().is_some());
            return self.fail(b"invalid usage of line address 0");
        }
        let mut negated = false;
        self.skip_blanks();
        while self.peek() == Some(b'!') {
            self.at += 1;
            if negated {
                return self.fail(b"multiple `!'s");
            }
            negated = true;
            self.skip_blanks();
        }
        let range = if matches!(first, Some(Address::Zero)) {
            Range::Active(None)
        } else {
            Range::Waiting
        };
        let Some(letter) = self.next() else {
            return self.fail(b"missing command");
        };
        let has_address = first.is_some();
        let has_range = second.is_some();
        let index = self.commands.len();
        self.commands.push(Command {
            first,
            second,
            range,
            begun: false,
            negated,
            action: Action::Nothing,
        });
        let action = self.action(letter, index, has_address, has_range)?;
        if let Some(command) = self.commands.get_mut(index) {
            command.action = action;
        }
        Ok(())
    }

    // ---- addresses -----------------------------------------------------------------------------

    fn address(&mut self, second: bool) -> Result<Option<Address>, Failure> {
        let Some(byte) = self.peek() else {
            return Ok(None);
        };
        match byte {
            b'/' | b'\\' => {
                self.at += 1;
                let delimiter = if byte == b'\\' {
                    self.next()
                } else {
                    Some(b'/')
                };
                let Some(delimiter) = delimiter else {
                    return self.fail(b"unexpected `,'");
                };
                let Some(pattern) = self.delimited(delimiter, true) else {
                    return self.fail(b"unterminated address regex");
                };
                let mut flags = Flags::default();
                loop {
                    self.skip_blanks();
                    match self.peek() {
                        Some(b'I') => flags.ignore_case = true,
                        Some(b'M') => flags.newline = true,
                        _ => break,
                    }
                    self.at += 1;
                }
                Ok(Some(Address::Regex(self.regex(&pattern, flags)?)))
            }
            b'0'..=b'9' => {
                let number = self.number();
                self.skip_blanks();
                if self.peek() == Some(b'~') && !second {
                    self.at += 1;
                    self.skip_blanks();
                    let step = self.number();
                    return Ok(Some(if step == 0 {
                        Address::Line(number)
                    } else {
                        Address::Step(number, step)
                    }));
                }
                Ok(Some(if number == 0 && !second {
                    Address::Zero
                } else {
                    Address::Line(number)
                }))
            }
            b'+' | b'~' if second => {
                self.at += 1;
                if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                    return self.fail(b"expected number");
                }
                let number = self.number();
                Ok(Some(if byte == b'+' {
                    Address::Plus(number)
                } else {
                    Address::Multiple(number)
                }))
            }
            b'+' | b'~' => {
                self.at += 1;
                self.number();
                self.fail(b"invalid usage of +N or ~N as first address")
            }
            b'$' => {
                self.at += 1;
                Ok(Some(Address::Last))
            }
            _ => Ok(None),
        }
    }

    fn number(&mut self) -> u64 {
        let mut value = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            value = value
                .saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'));
        }
        value
    }

    /// An empty pattern is the last one used.
    fn regex(&self, pattern: &[u8], flags: Flags) -> Result<Option<Regex>, Failure> {
        if pattern.is_empty() {
            return Ok(None);
        }
        let pattern = unescape(pattern, true);
        let syntax = if self.extended {
            Syntax::Extended
        } else {
            Syntax::Basic
        };
        let regex = match Regex::new(&pattern, syntax, flags) {
            Ok(regex) => regex,
            Err(error) => return self.fail(error.message()),
        };
        if pattern_check::has_bare_class(&pattern) {
            return Err((
                b"character class syntax is [[:space:]], not [:space:]".to_vec(),
                PANIC,
            ));
        }
        Ok(Some(regex))
    }

    /// Text up to the delimiter, which is consumed. A backslash before the delimiter is taken away;
    /// in a pattern `\n` becomes a newline, and brackets hide the delimiter.
    fn delimited(&mut self, delimiter: u8, regex: bool) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut bracket = false;
        while let Some(byte) = self.next() {
            if byte == delimiter && !bracket {
                return Some(out);
            }
            match byte {
                b'\n' if regex || !bracket => {
                    self.at -= 1;
                    return None;
                }
                b'\\' => match self.next()? {
                    b'n' if regex => out.push(b'\n'),
                    b'\n' => out.push(b'\n'),
                    next if next == delimiter && (regex || next != b'&') => out.push(next),
                    next => out.extend_from_slice(&[b'\\', next]),
                },
                b'[' if regex && !bracket => {
                    bracket = true;
                    out.push(byte);
                    if self.peek() == Some(b'^') {
                        out.extend(self.next());
                    }
                    if self.peek() == Some(b']') {
                        out.extend(self.next());
                    }
                }
                b'[' if bracket && matches!(self.peek(), Some(b':' | b'.' | b'=')) => {
                    out.push(byte);
                    let kind = self.next()?;
                    out.push(kind);
                    let rest = self.text.get(self.at..)?;
                    if let Some(end) = rest.windows(2).position(|pair| pair == [kind, b']']) {
                        out.extend_from_slice(rest.get(..end + 2)?);
                        self.at += end + 2;
                    }
                }
                b']' => {
                    bracket = false;
                    out.push(byte);
                }
                byte => out.push(byte),
            }
        }
        None
    }

    // ---- commands ------------------------------------------------------------------------------

    #[expect(clippy::too_many_lines, reason = "one arm for each command of sed")]
    fn action(
        &mut self,
        letter: u8,
        index: usize,
        addressed: bool,
        ranged: bool,
    ) -> Result<Action, Failure> {
        let one_address = |parser: &Self| {
            if ranged {
                parser.fail(b"command only uses one address")
            } else {
                Ok(())
            }
        };
        let action = match letter {
            b'{' => {
                if self.blocks.len() >= MAX_DEPTH {
                    return self.fail(b"unmatched `{'");
                }
                self.blocks.push(index);
                return Ok(Action::Block(0));
            }
            b'}' => {
                if addressed {
                    return self
                        .fail(b"} doesn't want any addresses")
                        .or_else(|_: Failure| self.fail(b"unexpected `}'"));
                }
                let Some(opening) = self.blocks.pop() else {
                    return self.fail(b"unexpected `}'");
                };
                if let Some(Command {
                    action: Action::Block(end),
                    ..
                }) = self.commands.get_mut(opening)
                {
                    *end = index;
                }
                Action::Nothing
            }
            b':' => {
                if addressed {
                    return self.fail(b": doesn't want any addresses");
                }
                self.skip_blanks();
                let label = self.label();
                if label.is_empty() {
                    return self.fail(b"\":\" lacks a label");
                }
                self.labels.insert(label, index);
                return Ok(Action::Nothing);
            }
            b'#' => {
                if addressed {
                    return self.fail(b"comments don't accept any addresses");
                }
                self.skip_line();
                return Ok(Action::Nothing);
            }
            b'b' | b't' | b'T' => {
                self.skip_blanks();
                let label = self.label();
                self.jumps.push((index, label));
                // A blank ends a label, and the next command may follow at once.
                return Ok(match letter {
                    b'b' => Action::Branch(0),
                    b't' => Action::BranchIfReplaced(0),
                    _ => Action::BranchUnlessReplaced(0),
                });
            }
            b'a' | b'i' | b'c' => {
                let text = self.text_argument()?;
                return Ok(match letter {
                    b'a' => Action::Append(text),
                    b'i' => Action::Insert(text),
                    _ => Action::Change(text),
                });
            }
            b'r' | b'R' | b'w' | b'W' => {
                if self.sandbox {
                    return self.fail(b"e/r/w commands disabled in sandbox mode");
                }
                let name = self.file_name()?;
                return Ok(match letter {
                    b'r' => Action::ReadFile(name),
                    b'R' => Action::ReadLine(name),
                    b'w' => Action::Write(self.sink(name)),
                    _ => Action::WriteFirst(self.sink(name)),
                });
            }
            b'e' => {
                if self.sandbox {
                    return self.fail(b"e/r/w commands disabled in sandbox mode");
                }
                self.skip_blanks();
                return Ok(Action::Execute(self.rest_of_line()));
            }
            b'l' | b'L' | b'q' | b'Q' => {
                if matches!(letter, b'q' | b'Q') {
                    one_address(self)?;
                }
                self.skip_blanks();
                let number = self
                    .peek()
                    .is_some_and(|byte| byte.is_ascii_digit())
                    .then(|| self.number());
                let status = number
                    .unwrap_or(0)
                    .to_le_bytes()
                    .first()
                    .copied()
                    .unwrap_or(0);
                match letter {
                    b'q' => Action::Quit(status),
                    b'Q' => Action::QuitSilently(status),
                    _ => Action::List(
                        number.map(|number| usize::try_from(number).unwrap_or(usize::MAX)),
                    ),
                }
            }
            b's' => return self.substitution(),
            b'y' => self.translation()?,
            b'v' => {
                let version = self.label();
                if version.first().is_some_and(|byte| *byte > b'4') {
                    return self.fail(b"expected newer version of sed");
                }
                Action::Nothing
            }
            letter => match simple(letter) {
                Some(action) => action,
                None => {
                    return self.fail([b"unknown command: `".as_slice(), &[letter], b"'"].concat());
                }
            },
        };
        self.end_of_command()?;
        Ok(action)
    }

    fn end_of_command(&mut self) -> Result<(), Failure> {
        match self.next_nonblank() {
            None | Some(b'\n' | b';') => Ok(()),
            Some(b'}' | b'#') => {
                self.at -= 1;
                Ok(())
            }
            Some(_) => self.fail(b"extra characters after command"),
        }
    }

    fn label(&mut self) -> Vec<u8> {
        self.skip_blanks();
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| !byte.is_ascii_whitespace() && byte != b';' && byte != b'}')
        {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default().to_vec()
    }

    fn rest_of_line(&mut self) -> Vec<u8> {
        let start = self.at;
        self.skip_line();
        let line = self.text.get(start..self.at).unwrap_or_default().to_vec();
        self.at += 1;
        line
    }

    fn file_name(&mut self) -> Result<Vec<u8>, Failure> {
        self.skip_blanks();
        let start = self.at;
        self.skip_line();
        let name = self.text.get(start..self.at).unwrap_or_default().to_vec();
        if name.is_empty() {
            return self.fail(b"missing filename in r/R/w/W commands");
        }
        Ok(name)
    }

    fn sink(&mut self, name: Vec<u8>) -> usize {
        if let Some(known) = self.sinks.iter().position(|sink| *sink == name) {
            return known;
        }
        self.sinks.push(name);
        self.sinks.len() - 1
    }

    /// The text of `a`, `i`, `c`: on the next line after a backslash, or on this one.
    fn text_argument(&mut self) -> Result<Vec<u8>, Failure> {
        self.skip_blanks();
        match self.peek() {
            None | Some(b'\n') => return self.fail("expected \\ after `a', `c' or `i'"),
            Some(b'\\') => {
                let after = self.text.get(self.at + 1..).unwrap_or_default();
                let blanks = after
                    .iter()
                    .take_while(|byte| matches!(byte, b' ' | b'\t'))
                    .count();
                match after.get(blanks) {
                    Some(b'\n') => self.at += blanks + 2,
                    None => {
                        self.at = self.text.len();
                        return Ok(Vec::new());
                    }
                    // `a\text` keeps its leading blanks.
                    Some(_) => self.at += 1,
                }
            }
            Some(_) => {}
        }
        let mut raw = Vec::new();
        while let Some(byte) = self.next() {
            match byte {
                b'\n' => break,
                b'\\' => {
                    raw.push(byte);
                    raw.extend(self.next());
                }
                byte => raw.push(byte),
            }
        }
        let mut text = strip_backslashes(&unescape(&raw, false));
        text.push(b'\n');
        Ok(text)
    }
}

fn simple(letter: u8) -> Option<Action> {
    Some(match letter {
        b'=' => Action::Number,
        b'd' => Action::Delete,
        b'D' => Action::DeleteFirst,
        b'F' => Action::FileName,
        b'g' => Action::GetHold,
        b'G' => Action::AppendHold,
        b'h' => Action::Hold,
        b'H' => Action::HoldAppend,
        b'n' => Action::Next,
        b'N' => Action::NextAppend,
        b'p' => Action::Print,
        b'P' => Action::PrintFirst,
        b'x' => Action::Exchange,
        b'z' => Action::Zap,
        _ => return None,
    })
}
