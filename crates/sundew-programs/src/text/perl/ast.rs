//! A parsed Perl program.

use std::sync::Arc;

/// Statements in order, a scope of their own.
pub(super) type Block = Arc<Vec<Statement>>;

/// A statement and the line it begins on.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Expr(Expr),
    /// Conditions with their blocks, and the last `else`.
    If(Vec<(Expr, Block)>, Option<Block>),
    While {
        label: Option<String>,
        condition: Expr,
        body: Block,
        step: Option<Expr>,
        first: Option<Expr>,
        /// `do {} while`: the body comes first.
        body_first: bool,
    },
    Foreach {
        label: Option<String>,
        variable: String,
        /// Whether the variable is the loop's own.
        own: bool,
        list: Expr,
        body: Block,
    },
    Block(Option<String>, Block),
    Sub(String, Block),
    Begin(Block),
    End(Block),
    /// The package of what follows, or of a block.
    Package(String, Option<Block>),
    Use {
        name: String,
        operands: Vec<Expr>,
        /// `no`.
        off: bool,
    },
}

/// How a variable is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    My,
    Our,
    State,
}

/// Where an array or hash comes from.
#[derive(Debug)]
pub(super) enum Base {
    Named(String),
    /// A reference.
    Of(Box<Expr>),
}

/// A piece of a pattern or a replacement operator.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: Box<Expr>,
    pub(super) flags: String,
}

#[derive(Debug)]
pub(super) enum Expr {
    Number(f64),
    Integer(i64),
    Text(Vec<u8>),
    /// Pieces of a string in double quotes.
    Joined(Vec<Self>),
    Scalar(String),
    Array(Base),
    Hash(Base),
    Index(Base, Box<Self>),
    Key(Base, Box<Self>),
    Slice(Base, Box<Self>),
    KeySlice(Base, Box<Self>),
    /// `(list)[…]`.
    ListSlice(Box<Self>, Box<Self>),
    LastIndex(Base),
    Deref(Box<Self>),
    /// Variables, and whether they stand in parentheses.
    My(Vec<Self>, bool, Scope),
    Local(Box<Self>),
    Ref(Box<Self>),
    NewArray(Vec<Self>),
    NewHash(Vec<Self>),
    NewSub(Block),
    /// A sub by name; the last word: whether `&` stands before it.
    Call(String, Vec<Self>, bool),
    /// `\&name`, `defined &name`.
    Named(String),
    CallOf(Box<Self>, Vec<Self>),
    Method(Box<Self>, String, Vec<Self>),
    /// `$object->$name(…)`.
    MethodOf(Box<Self>, Box<Self>, Vec<Self>),
    /// A builtin.
    Do(&'static str, Vec<Self>),
    Binary(&'static str, Box<Self>, Box<Self>),
    /// Operators that bind to the left, one after the other, `&&`, `||` and `//` among them.
    Chain(Box<Self>, Vec<(&'static str, Self)>),
    Not(Box<Self>),
    Minus(Box<Self>),
    Flip(Box<Self>),
    Assign(Option<&'static str>, Box<Self>, Box<Self>),
    Choice(Box<Self>, Box<Self>, Box<Self>),
    Range(Box<Self>, Box<Self>),
    List(Vec<Self>),
    /// By one, before or after.
    Step {
        up: bool,
        before: bool,
        place: Box<Self>,
    },
    Repeat(Box<Self>, Box<Self>),
    Match {
        target: Option<Box<Self>>,
        pattern: Pattern,
        negated: bool,
    },
    Substitute {
        target: Option<Box<Self>>,
        pattern: Pattern,
        with: Box<Self>,
    },
    Translate {
        target: Option<Box<Self>>,
        from: Vec<u8>,
        to: Vec<u8>,
        flags: String,
    },
    Compiled(Pattern),
    ReadLine(Box<Self>),
    FileTest(u8, Box<Self>),
    Print {
        kind: &'static str,
        handle: Option<Box<Self>>,
        list: Vec<Self>,
    },
    Sort(Option<Box<Self>>, Box<Self>),
    /// `map` or `grep`: a block or an expression for each element.
    Each {
        keeps: bool,
        body: Box<Self>,
        list: Box<Self>,
    },
    BlockOf(Block),
    Eval(Block),
    Command(Box<Self>),
    Handle(String),
    /// `*NAME`.
    Glob(String),
    Return(Option<Box<Self>>),
    Next(Option<String>),
    Last(Option<String>),
    Redo(Option<String>),
    /// The place a complaint names.
    Line(usize, Box<Self>),
}
