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
        list: Expr,
        body: Block,
    },
    Block(Option<String>, Block),
    Sub(String, Block),
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
    Joined(Vec<Expr>),
    Scalar(String),
    Array(Base),
    Hash(Base),
    Index(Base, Box<Expr>),
    Key(Base, Box<Expr>),
    Slice(Base, Box<Expr>),
    KeySlice(Base, Box<Expr>),
    /// `(list)[…]`.
    ListSlice(Box<Expr>, Box<Expr>),
    LastIndex(Base),
    Deref(Box<Expr>),
    My(Vec<Expr>, bool),
    Local(Box<Expr>),
    Ref(Box<Expr>),
    NewArray(Vec<Expr>),
    NewHash(Vec<Expr>),
    NewSub(Block),
    Call(String, Vec<Expr>),
    CallOf(Box<Expr>, Vec<Expr>),
    Method(Box<Expr>, String, Vec<Expr>),
    /// A builtin.
    Do(&'static str, Vec<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    DefinedOr(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Flip(Box<Expr>),
    Assign(Option<&'static str>, Box<Expr>, Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    Range(Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    /// By one, before or after.
    Step { up: bool, before: bool, place: Box<Expr> },
    Repeat(Box<Expr>, Box<Expr>),
    Match { target: Option<Box<Expr>>, pattern: Pattern, negated: bool },
    Substitute { target: Option<Box<Expr>>, pattern: Pattern, with: Box<Expr> },
    Translate { target: Option<Box<Expr>>, from: Vec<u8>, to: Vec<u8>, flags: String },
    Compiled(Pattern),
    ReadLine(Box<Expr>),
    FileTest(u8, Box<Expr>),
    Print { kind: &'static str, handle: Option<Box<Expr>>, list: Vec<Expr> },
    Sort(Option<Box<Expr>>, Box<Expr>),
    /// `map` or `grep`: a block or an expression for each element.
    Each { keeps: bool, body: Box<Expr>, list: Box<Expr> },
    BlockOf(Block),
    Eval(Block),
    Command(Box<Expr>),
    Handle(String),
    Return(Option<Box<Expr>>),
    Next(Option<String>),
    Last(Option<String>),
    /// The place a complaint names.
    Line(usize, Box<Expr>),
}
