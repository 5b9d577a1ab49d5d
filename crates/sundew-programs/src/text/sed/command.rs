//! What a script consists of.

use crate::replacement::Part;
use sundew_posix::regex::Regex;

/// The place of a line.
#[derive(Debug, Clone)]
pub(super) enum Address {
    Line(u64),
    /// `first~step`.
    Step(u64, u64),
    Last,
    /// A regular expression; none means the last one used.
    Regex(Option<Regex>),
    /// Line 0, as in `0,/x/`.
    Zero,
    /// `addr,+N`.
    Plus(u64),
    /// `addr,~N`.
    Multiple(u64),
}

/// Where a range is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Before its first line.
    Waiting,
    /// Within; the last line if it is known.
    Active(Option<u64>),
    /// A range from line 0 that is over.
    Closed,
}

#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) first: Option<Address>,
    pub(super) second: Option<Address>,
    pub(super) range: Range,
    /// Whether the range has begun once already.
    pub(super) begun: bool,
    pub(super) negated: bool,
    pub(super) action: Action,
}

/// Where `w` writes to: an index into the script's files.
pub(super) type Sink = usize;

#[derive(Debug, Clone)]
pub(super) enum Action {
    /// `{`: where to go on if the address does not match.
    Block(usize),
    /// `}`, `:` and comments.
    Nothing,
    Number,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    /// `b`: where to go on.
    Branch(usize),
    BranchIfReplaced(usize),
    BranchUnlessReplaced(usize),
    Delete,
    DeleteFirst,
    Execute(Vec<u8>),
    FileName,
    GetHold,
    AppendHold,
    Hold,
    HoldAppend,
    List(Option<usize>),
    Next,
    NextAppend,
    Print,
    PrintFirst,
    Quit(u8),
    QuitSilently(u8),
    ReadFile(Vec<u8>),
    ReadLine(Vec<u8>),
    Substitute(Box<Substitution>),
    Write(Sink),
    WriteFirst(Sink),
    Exchange,
    Translate(Vec<(Vec<u8>, Vec<u8>)>),
    Zap,
}

#[derive(Debug, Clone)]
pub(super) struct Substitution {
    pub(super) regex: Option<Regex>,
    pub(super) replacement: Vec<Part>,
    pub(super) global: bool,
    pub(super) number: u64,
    pub(super) print: bool,
    pub(super) execute: bool,
    pub(super) write: Option<Sink>,
}
