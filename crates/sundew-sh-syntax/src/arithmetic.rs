//! Arithmetic expressions: `$(( ))`, `(( ))`, `let`, subscripts, substrings.
//!
//! The text is what is left after expansion, so names in it are variables still to be read. The
//! grammar and the precedences are C's, with `**`; numbers may carry a base (`16#ff`, `0x1f`,
//! `017`). Evaluation is the shell's, with wrapping 64-bit integers.

mod parse;

pub use parse::parse;

use crate::ast::Bytes;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A number; too large ones have wrapped around, as in bash.
    Number(i64),
    /// A variable, or an array's element.
    Variable(Variable),
    /// `-x`, `+x`, `!x`, `~x`
    Unary(UnaryOperator, Box<Self>),
    /// `a op b`, both sides always evaluated
    Binary(Box<Self>, BinaryOperator, Box<Self>),
    /// `a && b`: the right side is evaluated only if needed
    And(Box<Self>, Box<Self>),
    /// `a || b`: the right side is evaluated only if needed
    Or(Box<Self>, Box<Self>),
    /// `a ? b : c`: only one of them is evaluated
    Choice(Box<Self>, Box<Self>, Box<Self>),
    /// `x = a`, `x += a`, …
    Assign(Variable, Option<BinaryOperator>, Box<Self>),
    /// `++x`, `x++`, `--x`, `x--`
    Step {
        /// What is changed.
        variable: Variable,
        /// Whether it grows.
        increment: bool,
        /// Whether the value is taken before the change.
        postfix: bool,
    },
    /// `a, b`: the value of the last; at least two
    Sequence(Vec<Self>),
}

/// A variable in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Bytes,
    /// The text between `[` and `]`: a key or an expression, as the array is.
    pub index: Option<Bytes>,
}

/// An operator with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// `!`
    Not,
    /// `~`
    Complement,
}

/// An operator with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the C operator of that name")]
pub enum BinaryOperator {
    Power,
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    BitAnd,
    BitXor,
    BitOr,
}

/// Why a text is no expression.
///
/// Bash prints `bash: line 1: TEXT: MESSAGE (error token is "TOKEN")`; `TEXT` is the whole
/// expression without leading blanks, [`ArithmeticError::token`] the rest of it from the error on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArithmeticError {
    /// What is wrong.
    pub kind: ArithmeticErrorKind,
    /// Where in the text the "error token" begins.
    pub offset: usize,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArithmeticErrorKind {
    /// Something follows a complete expression.
    SyntaxInExpression,
    /// A number, name or parenthesis is missing.
    OperandExpected,
    /// An operator that does not exist.
    InvalidOperator,
    /// `1 = 2`
    AssignmentToNonVariable,
    /// A `[` without its `]`.
    BadSubscript,
    /// An open parenthesis is not closed.
    MissingParenthesis,
    /// `?` with nothing between it and `:`, or after it.
    ExpressionExpected,
    /// `?` without `:`
    ColonExpected,
    /// A base below 2 or above 64.
    InvalidBase,
    /// `16#` with nothing behind it.
    InvalidIntegerConstant,
    /// `2#5`, `08`
    ValueTooGreatForBase,
    /// `1a`, `16#@@` and the like.
    InvalidNumber,
    /// Nested more than [`crate::limit::MAX_ARITHMETIC_DEPTH`].
    TooDeep,
}

impl ArithmeticErrorKind {
    /// Bash's words for it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::SyntaxInExpression => "syntax error in expression",
            Self::OperandExpected => "syntax error: operand expected",
            Self::InvalidOperator => "syntax error: invalid arithmetic operator",
            Self::AssignmentToNonVariable => "attempted assignment to non-variable",
            Self::BadSubscript => "bad array subscript",
            Self::MissingParenthesis => "missing `)'",
            Self::ExpressionExpected => "expression expected",
            Self::ColonExpected => "`:' expected for conditional expression",
            Self::InvalidBase => "invalid arithmetic base",
            Self::InvalidIntegerConstant => "invalid integer constant",
            Self::ValueTooGreatForBase => "value too great for base",
            Self::InvalidNumber => "invalid number",
            Self::TooDeep => "expression recursion level exceeded",
        }
    }
}

impl ArithmeticError {
    /// The rest of the text from the error on, which bash calls the error token.
    #[must_use]
    pub fn token<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.offset..).unwrap_or_default()
    }
}
