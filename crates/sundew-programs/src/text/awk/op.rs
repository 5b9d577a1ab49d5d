//! The instructions of the stack machine.

use std::sync::Arc;

use sundew_posix::regex::Regex;

/// A variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Variable {
    Global(usize),
    Local(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
}

/// Where `print` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    Stdout,
    File,
    Append,
    Pipe,
}

/// Where `getline` reads from; but for [`Source::Main`] the name is on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Main,
    File,
    Command,
}

/// What is assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Variable(Variable),
    /// The subscript is on the stack.
    Element(Variable),
    /// The number is on the stack.
    Field,
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    Number(f64),
    Text(Arc<[u8]>),
    /// A regular expression as a value: whether `$0` matches.
    MatchRecord(usize),
    /// A regular expression for a function or `~`.
    Regex(usize),
    Load(Place),
    /// Loads, leaving the subscript or number for a store.
    LoadKeep(Place),
    Store(Place),
    /// `++` and `--`: by how much, and whether the old value counts.
    Step {
        place: Place,
        by: f64,
        old: bool,
    },
    /// An array for a call; replaces a load once it is known.
    PushArray(Variable),
    Pop,
    Arithmetic(Arithmetic),
    Negate,
    Plus,
    Not,
    Concat,
    Compare(Comparison),
    /// `~` with the pattern on top; whether negated.
    Match(bool),
    /// Joins that many subscripts with SUBSEP.
    Join(usize),
    In(Variable),
    Delete(Variable),
    DeleteAll(Variable),
    Jump(usize),
    JumpIfFalse(usize),
    JumpIfTrue(usize),
    /// `&&` and `||`: leaves a truth value and jumps, or drops it.
    AndThen(usize),
    OrElse(usize),
    ToBool,
    /// Starts a loop over subscripts.
    ForStart(Variable),
    /// The next subscript on the stack, or a jump.
    ForNext(usize),
    /// Leaves a loop before its end.
    ForEnd,
    Call {
        function: usize,
        args: usize,
    },
    Builtin {
        name: &'static str,
        args: usize,
    },
    Length(Variable),
    Split {
        array: Variable,
        args: usize,
    },
    /// `sub` and `gsub`: pattern, replacement, then what the place needs, are on the stack.
    Substitute {
        global: bool,
        place: Place,
    },
    Getline {
        source: Source,
        place: Option<Place>,
    },
    Print {
        args: usize,
        destination: Destination,
    },
    Printf {
        args: usize,
        destination: Destination,
    },
    Return,
    Next,
    NextFile,
    Exit,
    /// Begins a range: jumps to the first address if it is outside the range with this number.
    RangeOutside(usize, usize),
    RangeEnter(usize),
    RangeLeave(usize),
    End,
}

#[derive(Debug, Default)]
pub(super) struct Function {
    pub(super) name: Vec<u8>,
    pub(super) start: usize,
    pub(super) params: usize,
    /// Which parameters are arrays.
    pub(super) arrays: Vec<bool>,
    pub(super) defined: bool,
}

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) code: Vec<Op>,
    pub(super) regexes: Vec<Regex>,
    pub(super) functions: Vec<Function>,
    pub(super) globals: Vec<Vec<u8>>,
    pub(super) begin: Option<usize>,
    pub(super) main: Option<usize>,
    pub(super) end: Option<usize>,
    pub(super) ranges: usize,
}
