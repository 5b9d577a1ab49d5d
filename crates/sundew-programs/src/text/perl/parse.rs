//! From Perl's text to [`Expr`]: one pass without a token list, for what a slash or a brace means
//! depends on what came before (perlop(1), perlsyn(1)).

use std::cell::Cell;
use std::sync::Arc;

use super::ast::{Block, Expr, Kind, Pattern, Statement};
use super::stack::Stack;

mod listing;
mod literal;
mod named;
mod names;
mod operator;
mod quote;
mod statement;
mod term;
mod variable;

/// Nested expressions and blocks; perl itself has no bound but memory.
const MAX_DEPTH: usize = 400;
/// Subs whose names are kept while a text is read.
const MAX_KNOWN: usize = 512;
/// Subscripts, calls and bindings in a row, which nest to the left.
const MAX_CHAIN: usize = 30;

/// Why the text is no program, without place.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something unexpected, near this text.
    Near(String),
    /// A whole complaint that needs ` at X line N.` behind it.
    Other(String),
    /// A complaint of `use strict`, after which compilation is aborted.
    Strict(String),
    /// A term where an operator should be: its kind, the text around, the term with its blanks.
    Missing(&'static str, String, String),
    /// A bracket that is never closed.
    Unclosed,
    /// One that was never opened.
    Unopened,
}

/// A failure and its line.
pub(super) type Fault = (Failure, usize);

/// A text being read.
pub(super) struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    stack: Stack,
    /// The line that the text begins on.
    first_line: usize,
    /// A place and its line, for the next question to begin at.
    counted: Cell<(usize, usize)>,
    /// Subs and constants whose names were seen.
    known: Vec<String>,
    /// A here-document's bodies begin behind the next line's end.
    pending: Vec<Pending>,
    documents: Vec<Vec<u8>>,
}

struct Pending {
    tag: Vec<u8>,
    raw: bool,
    indented: bool,
    index: usize,
}

pub(super) use self::names::SCALAR;
pub(super) use self::quote::push_character;

/// Whether `require` finds a module.
pub(super) fn is_known(name: &str) -> bool {
    let name = name.trim_end_matches(".pm").replace('/', "::");
    MODULES.contains(&name.as_str())
}

/// Reads a whole program.
pub(super) fn program(text: &[u8], first_line: usize) -> Result<Block, Fault> {
    let mut parser = Parser::new(text, (0, Stack::here()), first_line);
    parser.known = defined_subs(text);
    let outcome = parser.statements(true);
    // What is missing at the end is missing on the last line that has something.
    if parser.at >= text.len() {
        parser.at = text.trim_ascii_end().len();
    }
    let line = parser.line();
    outcome.map_err(|failure| (failure, line))
}

/// Names that the text defines subs of, for calls that stand before them.
fn defined_subs(text: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.split(|byte| matches!(byte, b'\n' | b';' | b'}' | b'{')) {
        let Some(rest) = line.trim_ascii_start().strip_prefix(b"sub ") else {
            continue;
        };
        let rest = rest.trim_ascii_start();
        let end = rest
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !name.is_empty() {
            names.push(String::from_utf8_lossy(name).into_owned());
        }
        if names.len() >= MAX_KNOWN {
            break;
        }
    }
    names
}

/// An expression inside a string.
fn inner(text: &[u8], depth: (usize, Stack), line: usize) -> Result<Expr, Failure> {
    let mut parser = Parser::new(text, depth, line);
    parser.deeper(Parser::expression)
}

type Outcome<T> = Result<T, Failure>;

impl<'a> Parser<'a> {
    fn new(text: &'a [u8], (depth, stack): (usize, Stack), line: usize) -> Self {
        Self {
            text,
            at: 0,
            depth,
            stack,
            first_line: line,
            counted: Cell::new((0, line)),
            known: Vec::new(),
            pending: Vec::new(),
            documents: Vec::new(),
        }
    }

    fn line(&self) -> usize {
        let (from, line) = self.counted.get();
        let (from, line) = if from <= self.at {
            (from, line)
        } else {
            (0, self.first_line)
        };
        let passed = self.text.get(from..self.at).unwrap_or_default();
        let line = line + passed.iter().filter(|&&byte| byte == b'\n').count();
        self.counted.set((self.at, line));
        line
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH || self.stack.is_spent() {
            return Err(Failure::Other("Out of memory during parse".to_owned()));
        }
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What a text inside of this one goes on from.
    fn level(&self) -> (usize, Stack) {
        (self.depth, self.stack)
    }

    fn end(&self) -> usize {
        self.text.len()
    }

    fn peek(&self) -> u8 {
        self.rest().first().copied().unwrap_or(0)
    }

    /// Passes blanks, comments and POD; takes here-documents at line ends.
    fn blanks(&mut self) {
        loop {
            match self.peek() {
                b'\n' => {
                    self.at += 1;
                    self.take_documents();
                    if self.peek() == b'='
                        && self.rest().get(1).is_some_and(u8::is_ascii_alphabetic)
                    {
                        let end = find(self.rest(), b"\n=cut");
                        self.at = end.map_or(self.text.len(), |end| self.at + end + 5);
                    }
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' => {
                    while !matches!(self.peek(), b'\n') && self.at < self.text.len() {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn take_documents(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let mut body = Vec::new();
            while self.at < self.text.len() {
                let rest = self.rest();
                let end = rest
                    .iter()
                    .position(|&byte| byte == b'\n')
                    .unwrap_or(rest.len());
                let line = rest.get(..end).unwrap_or_default().to_vec();
                self.at = (self.at + end + 1).min(self.text.len());
                let bare = if pending.indented {
                    line.trim_ascii_start()
                } else {
                    &line
                };
                if bare == pending.tag {
                    break;
                }
                body.extend_from_slice(bare);
                body.push(b'\n');
            }
            if let Some(document) = self.documents.get_mut(pending.index) {
                *document = body;
            }
        }
    }

    /// Whether a sign comes next; passes it.
    fn sign(&mut self, sign: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(sign.as_bytes());
        if found {
            self.at += sign.len();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Outcome<()> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.near())
        }
    }

    /// What is unexpected here, with the word before it.
    fn near(&mut self) -> Failure {
        self.blanks();
        if self.at >= self.text.len() {
            return Failure::Near(String::new());
        }
        let before = self
            .text
            .get(..self.at)
            .unwrap_or_default()
            .trim_ascii_end();
        let start = token_start(before);
        let end = self.at + token_length(self.rest());
        let text = |from: usize, to: usize| {
            String::from_utf8_lossy(self.text.get(from..to).unwrap_or_default()).into_owned()
        };
        let shown = text(start, end);
        let term = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'"' | b'\'');
        let variable = matches!(self.text.get(start), Some(b'$' | b'@'));
        let kind = match self.peek() {
            b'"' | b'\'' => "String",
            b'0'..=b'9' => "Number",
            b'$' => "Scalar",
            _ => "",
        };
        if !kind.is_empty() && (variable || before.last().is_some_and(term)) {
            return Failure::Missing(kind, shown, text(before.len(), end));
        }
        Failure::Near(shown)
    }

    /// The word that comes next, not passed.
    fn word(&mut self) -> Option<String> {
        self.blanks();
        let rest = self.rest();
        if !rest
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        {
            return None;
        }
        let mut end = 0;
        while let Some(byte) = rest.get(end) {
            if byte.is_ascii_alphanumeric() || *byte == b'_' {
                end += 1;
            } else if rest.get(end..).is_some_and(|tail| tail.starts_with(b"::")) {
                end += 2;
            } else {
                break;
            }
        }
        Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
    }

    /// Passes this word if it comes next.
    fn keyword(&mut self, word: &str) -> bool {
        let found = self.word().is_some_and(|next| next == word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn block(&mut self) -> Outcome<Block> {
        self.expect("{")?;
        let block = self.deeper(|parser| parser.statements(false))?;
        self.blanks();
        if self.at >= self.text.len() {
            return Err(Failure::Unclosed);
        }
        self.expect("}")?;
        Ok(block)
    }
}

/// Where the last word or sign of a text begins.
fn token_start(text: &[u8]) -> usize {
    let Some(last) = text.last() else {
        return 0;
    };
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if matches!(last, b'"' | b'\'') {
        let inner = text.get(..text.len() - 1).unwrap_or_default();
        return inner.iter().rposition(|byte| byte == last).unwrap_or(0);
    }
    if !word(last) {
        return text.len() - 1;
    }
    let start = text
        .iter()
        .rposition(|byte| !word(byte))
        .map_or(0, |at| at + 1);
    match start.checked_sub(1).and_then(|at| text.get(at)) {
        Some(b'$' | b'@' | b'%' | b'&') => start - 1,
        _ => start,
    }
}

/// How long the word or sign at the beginning of a text is.
fn token_length(text: &[u8]) -> usize {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match text {
        [quote @ (b'"' | b'\''), rest @ ..] => rest
            .iter()
            .position(|byte| byte == quote)
            .map_or(text.len(), |at| at + 2),
        [b'$' | b'@' | b'%', rest @ ..] => 1 + rest.iter().take_while(|byte| word(byte)).count(),
        [first, ..] if word(first) => text.iter().take_while(|byte| word(byte)).count(),
        _ => text.len().min(1),
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

/// Modules of perl-base that do nothing here, or whose work is built in.
const MODULES: &[&str] = &[
    "strict",
    "warnings",
    "utf8",
    "vars",
    "feature",
    "lib",
    "integer",
    "bytes",
    "constant",
    "parent",
    "base",
    "overload",
    "Socket",
    "IO::Socket",
    "IO::Socket::INET",
    "IO::Handle",
    "IO::File",
    "IO::Select",
    "IO::Seekable",
    "IO",
    "POSIX",
    "Fcntl",
    "Carp",
    "Exporter",
    "Cwd",
    "File::Basename",
    "File::Path",
    "File::Spec",
    "File::Temp",
    "Getopt::Long",
    "List::Util",
    "Scalar::Util",
    "Errno",
    "Config",
    "Text::ParseWords",
    "Text::Tabs",
    "Text::Wrap",
    "Tie::Hash",
    "Symbol",
    "SelectSaver",
    "Hash::Util",
    "IPC::Open2",
    "IPC::Open3",
    "v5",
    "locale",
    "re",
];
