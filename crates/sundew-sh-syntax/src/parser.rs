//! The entry point: a text, its position, and one complete command line at a time.
//!
//! Recursive descent over bash's grammar. The parser is also its own lexer, because what a
//! character means depends on where it stands; `lexer`, `word` and `heredoc` hold those parts.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::ast::{Bytes, List};
use crate::error::{ErrorKind, SyntaxError, Unclosed};
use crate::heredoc::Pending;
use crate::lexer::{Cursor, Lexed};
use crate::limit::{MAX_DEPTH, MAX_NODES, MAX_REPARSE_DEPTH, MAX_SOURCE_LINE_BYTES};
use crate::option::{Dialect, Options};

mod alias;
mod compound;
mod conditional;
mod list;
mod simple;

pub(crate) use alias::AliasState;

/// Reads commands from a text.
///
/// The text should hold whole lines; at the end of a last text, a missing newline is supplied.
#[derive(Debug)]
pub struct Parser<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    pub(crate) options: Options<'a>,
    /// Length of the text as given, and as first stored (with the newline supplied).
    given: usize,
    stored: usize,
    pub(crate) at: Cursor,
    pub(crate) lookahead: Option<Lexed>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) depth: u32,
    pub(crate) reparse: u32,
    /// Positions of `((` known not to open arithmetic.
    pub(crate) not_arithmetic: HashSet<usize>,
    /// How many `$(` and `<(` are open.
    pub(crate) substitutions: u32,
    pub(crate) aliases: AliasState,
    work: u64,
    /// Words and commands of the command line, counted together with the parsers inside.
    nodes: Rc<Cell<usize>>,
    /// Bytes that were looked at in vain.
    wasted: usize,
}

/// What [`Parser::next_command`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A complete command line.
    Command(CommandLine),
    /// Nothing but blanks and comments is left.
    End,
    /// The text ends within a command, and more may follow. The parser stands before that command:
    /// append to the text from [`Parser::consumed`] on and parse that.
    Incomplete(Unfinished),
    /// A syntax error. The parser stands at the next line, but real shells give up reading here
    /// unless they are interactive.
    Error(SyntaxError),
}

/// One complete command line: everything up to a newline that ends a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The commands; never empty.
    pub list: Arc<List>,
    /// To be printed before anything runs.
    pub warnings: Vec<Warning>,
}

/// Something bash warns of while reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// `here-document at line 1 delimited by end-of-file (wanted `EOF')`
    HereDocument {
        /// The line the message is given for.
        line: u32,
        /// The line of its operator.
        started: u32,
        /// Its delimiter.
        wanted: Bytes,
    },
    /// `command substitution: 1 unterminated here-document`; the body is taken from the lines after.
    Substitution {
        /// The line the message is given for.
        line: u32,
        /// How many.
        count: usize,
    },
}

impl Warning {
    /// The line the message is given for.
    #[must_use]
    pub fn line(&self) -> u32 {
        match self {
            Self::HereDocument { line, .. } | Self::Substitution { line, .. } => *line,
        }
    }

    /// What bash prints after `bash: line 1: `; dash and ash say nothing.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        match self {
            Self::HereDocument {
                started, wanted, ..
            } => {
                let mut text = format!(
                    "warning: here-document at line {started} delimited by end-of-file (wanted `"
                )
                .into_bytes();
                text.extend_from_slice(wanted);
                text.extend_from_slice(b"')");
                text
            }
            Self::Substitution { count, .. } => {
                let plural = if *count == 1 { "" } else { "s" };
                format!("warning: command substitution: {count} unterminated here-document{plural}")
                    .into_bytes()
            }
        }
    }
}

/// Why a text is incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The innermost thing that is open.
    pub open: Open,
    /// The line it was opened on, or the last line.
    pub line: u32,
}

/// What is open at the end of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// A command: `for … do`, `{`, `a |`, a line without its newline.
    Command,
    /// Quotes, braces or parentheses; the character that closes them.
    Closer(u8),
    /// A here-document.
    HereDocument {
        /// The line that ends it.
        delimiter: Bytes,
        /// Whether leading tabs of that line do not count.
        strip_tabs: bool,
    },
}

impl Unfinished {
    /// Whether adding this line (with or without its newline) can close what is open.
    ///
    /// If not, the caller may collect it without parsing the whole text again; this keeps a pasted
    /// here-document of many lines linear.
    #[must_use]
    pub fn may_close_with(&self, line: &[u8]) -> bool {
        match &self.open {
            Open::Command => true,
            Open::Closer(closer) => line.contains(closer),
            Open::HereDocument {
                delimiter,
                strip_tabs,
            } => {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                let tabs = if *strip_tabs {
                    line.iter().take_while(|byte| **byte == b'\t').count()
                } else {
                    0
                };
                // The line before may end in a backslash and join this one, so any line that ends
                // in the delimiter is worth a look.
                line.get(tabs..)
                    .is_some_and(|rest| rest.ends_with(delimiter))
            }
        }
    }
}

/// Why parsing stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    Incomplete(Unfinished),
    Error(SyntaxError),
}

/// The box keeps the result small on the stack of a deep descent.
pub(crate) type Parse<T> = Result<T, Box<Stop>>;

impl<'a> Parser<'a> {
    /// Starts at the beginning of a text.
    #[must_use]
    pub fn new(text: &'a [u8], options: &Options<'a>) -> Self {
        let mut stored = Cow::Borrowed(text);
        // Bash reads a last line as if it ended in a newline: messages then name the line after.
        let newline = options.last
            && options.dialect == Dialect::Bash
            && !text.is_empty()
            && !text.ends_with(b"\n")
            && !text.ends_with(b"\\");
        if newline {
            stored.to_mut().push(b'\n');
        }
        Self {
            given: text.len(),
            stored: stored.len(),
            text: stored,
            options: *options,
            at: Cursor {
                position: 0,
                line: options.first_line,
            },
            lookahead: None,
            pending: Vec::new(),
            warnings: Vec::new(),
            depth: 0,
            reparse: 0,
            not_arithmetic: HashSet::new(),
            substitutions: 0,
            aliases: AliasState::default(),
            work: 0,
            nodes: Rc::default(),
            wasted: 0,
        }
    }

    /// Reads up to the end of the next complete command line, passing over blank lines.
    pub fn next_command(&mut self) -> Outcome {
        let start = self.at;
        self.nodes.set(0);
        match self.command_line() {
            Ok(Some(list)) => Outcome::Command(CommandLine {
                list: Arc::new(list),
                warnings: std::mem::take(&mut self.warnings),
            }),
            Ok(None) => Outcome::End,
            Err(stop) => {
                self.forget();
                match *stop {
                    Stop::Incomplete(unfinished) => {
                        self.at = start;
                        Outcome::Incomplete(unfinished)
                    }
                    Stop::Error(error) => {
                        self.skip_line();
                        Outcome::Error(error)
                    }
                }
            }
        }
    }

    /// How many bytes of the text belong to what has been returned so far.
    #[must_use]
    pub fn consumed(&self) -> usize {
        let left = self.text.len().saturating_sub(self.at.position);
        self.stored.saturating_sub(left).min(self.given)
    }

    /// The line at which the next command is looked for.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.at.line
    }

    /// How many bytes were looked at, counting each look: what the bound on time is tested with.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.work
    }

    /// How many words and commands the last command line has: what its memory is reckoned by.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes.get()
    }

    /// Counts words, or a command as so many of them.
    pub(crate) fn count(&self, nodes: usize) -> Parse<()> {
        let nodes = self.nodes.get().saturating_add(nodes);
        self.nodes.set(nodes);
        if nodes > MAX_NODES {
            return self.too_deep();
        }
        Ok(())
    }

    pub(crate) fn worked(&mut self, bytes: usize) {
        self.work = self.work.saturating_add(bytes as u64);
    }

    /// Counts bytes that were read as something they were not.
    pub(crate) fn waste(&mut self, bytes: usize) -> Parse<()> {
        self.wasted = self.wasted.saturating_add(bytes);
        let levels = usize::try_from(MAX_REPARSE_DEPTH).unwrap_or(usize::MAX);
        if self.wasted > self.text.len().saturating_mul(levels) {
            return self.too_deep();
        }
        Ok(())
    }

    pub(crate) fn bash(&self) -> bool {
        self.options.dialect == Dialect::Bash
    }

    pub(crate) fn dash(&self) -> bool {
        self.options.dialect == Dialect::Dash
    }

    /// A parser for a text inside this one: it ends there, and shares the bounds.
    pub(crate) fn inner<'b>(&self, text: &'b [u8], line: u32) -> Parse<Parser<'b>> {
        if self.reparse >= MAX_REPARSE_DEPTH {
            return self.too_deep();
        }
        let options = Options {
            dialect: self.options.dialect,
            last: true,
            first_line: line,
            extended_globs: self.options.extended_globs,
            aliases: None,
        };
        let mut inner = Parser::new(text, &options);
        inner.depth = self.depth;
        inner.nodes = Rc::clone(&self.nodes);
        inner.reparse = self.reparse.saturating_add(1);
        Ok(inner)
    }

    /// One level down; pair with [`Self::leave`] (not needed on the way out of an error).
    pub(crate) fn enter(&mut self) -> Parse<()> {
        if self.depth >= MAX_DEPTH {
            return self.too_deep();
        }
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub(crate) fn too_deep<T>(&self) -> Parse<T> {
        self.fail(ErrorKind::TooDeep, self.at.line, None)
    }

    pub(crate) fn fail<T>(
        &self,
        kind: ErrorKind,
        line: u32,
        source_line: Option<Bytes>,
    ) -> Parse<T> {
        Err(Box::new(Stop::Error(SyntaxError {
            kind,
            line,
            source_line,
            in_array: false,
        })))
    }

    /// The text ended inside quotes or parentheses opened on `line`.
    pub(crate) fn unclosed<T>(&self, closer: u8, what: Unclosed, line: u32) -> Parse<T> {
        if !self.options.last {
            let open = Open::Closer(closer);
            return Err(Box::new(Stop::Incomplete(Unfinished { open, line })));
        }
        let line = if self.bash() { line } else { self.at.line };
        self.fail(ErrorKind::Unclosed { closer, what }, line, None)
    }

    /// The text ended inside a command.
    pub(crate) fn ended<T>(&self, expecting: Option<&'static str>) -> Parse<T> {
        let line = self.at.line;
        if !self.options.last {
            let open = Open::Command;
            return Err(Box::new(Stop::Incomplete(Unfinished { open, line })));
        }
        if self.bash() && self.substitutions > 0 {
            return self.unclosed(b')', Unclosed::Parenthesis, line);
        }
        self.fail(ErrorKind::UnexpectedEnd { expecting }, line, None)
    }

    /// The line of text on which the byte before `end` stands.
    pub(crate) fn source_line(&self, end: usize) -> Bytes {
        let last = end.saturating_sub(1);
        let before = self.text.get(..last).unwrap_or_default();
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at.saturating_add(1));
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
        rest.get(..length.min(MAX_SOURCE_LINE_BYTES))
            .unwrap_or_default()
            .into()
    }

    fn forget(&mut self) {
        self.lookahead = None;
        self.pending.clear();
        self.warnings.clear();
        self.depth = 0;
        self.reparse = 0;
        self.substitutions = 0;
    }

    fn skip_line(&mut self) {
        while let Some(byte) = self.raw() {
            self.bump();
            if byte == b'\n' {
                break;
            }
        }
    }
}

/// Text in which `$`, backquotes and backslashes count as in a here-document: `$PS1`, `$PS4`. What
/// does not parse is kept as a [`crate::ast::Part::BadSubstitution`].
#[must_use]
pub fn text(text: &[u8], options: &Options<'_>) -> crate::ast::Word {
    let mut parser = Parser::new(text, options);
    // The newline that a last line is given is not part of the text.
    parser.text = Cow::Borrowed(text);
    parser
        .here_document_word()
        .unwrap_or_else(|_| crate::ast::Word {
            parts: vec![crate::ast::Part::BadSubstitution(text.into())],
        })
}
