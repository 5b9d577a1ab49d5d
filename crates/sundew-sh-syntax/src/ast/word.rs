//! Words: literal text, quotes and expansions.

use std::sync::Arc;

use super::{ArrayElement, Bytes, List};

/// A word: parts that stand side by side.
///
/// An empty word has no parts; `""` has one, an empty [`Part::DoubleQuoted`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// In order.
    pub parts: Vec<Part>,
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Plain text. Outside quotes its `*`, `?`, `[` (and extended patterns) are pattern
    /// characters; inside quotes it is text.
    Literal(Bytes),
    /// `\x`: this byte stands for itself.
    Escaped(u8),
    /// `'…'`
    SingleQuoted(Bytes),
    /// `$'…'`, decoded; ends at an embedded NUL, as in bash.
    AnsiQuoted(Bytes),
    /// `"…"`
    DoubleQuoted(Vec<Self>),
    /// `$"…"`, which without a message catalogue is `"…"`.
    Translated(Vec<Self>),
    /// `~` or `~name` where a tilde is expanded: at the start of a word, after `=` and `:` in an
    /// assignment. Holds what follows the tilde.
    Tilde(Bytes),
    /// `$name`, `${…}`
    Parameter(Box<Parameter>),
    /// `${…}` with something between the braces that bash refuses when it runs (`bad
    /// substitution`). Holds the whole text, from `$` to `}`; also a here-document's expansions that
    /// do not parse.
    BadSubstitution(Bytes),
    /// `$( … )`
    Command(Arc<List>),
    /// `` `…` ``: the text between, backslashes already treated, to be parsed when it runs, as
    /// bash does (a syntax error in it is the substitution's, not the line's).
    Backquoted {
        /// What to parse.
        text: Bytes,
        /// What was typed between the backquotes.
        typed: Bytes,
    },
    /// `$(( … ) … )`: bash only looks for the parenthesis that closes it, and finds out that it is
    /// commands and no arithmetic when it runs. The text between `$(` and `)`.
    Deferred(Bytes),
    /// `$(( … ))` or `$[ … ]`: expanded as if between double quotes, then evaluated.
    Arithmetic {
        /// The expression's text.
        expression: Word,
        /// Whether it was the old form `$[ … ]`.
        brackets: bool,
    },
    /// `<( … )` and `>( … )`
    Process {
        /// Whether it is `>( … )`: the command reads what is written to the file.
        output: bool,
        /// What runs.
        list: Arc<List>,
    },
    /// `( … )` right after `name=` in an argument of a declaring builtin (`declare a=(1 2)`).
    /// Always the last part; see [`Word::to_assignment`].
    Array(Vec<ArrayElement>),
}

/// A parameter expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Whose value.
    pub name: ParameterName,
    /// What stands between `[` and `]`.
    pub index: Option<Index>,
    /// `${!name…}`: the value names the parameter meant. Never set together with
    /// [`Operation::Names`] or [`Operation::Keys`].
    pub indirect: bool,
    /// Whether braces were written; `$x` differs from `${x}` in print only.
    pub braced: bool,
    /// What is done with the value.
    pub operation: Operation,
}

/// Whose value an expansion takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterName {
    /// A variable.
    Variable(Bytes),
    /// `$1`, `${12}`; never 0.
    Positional(u32),
    /// A special parameter.
    Special(Special),
}

/// The special parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// `$@`
    At,
    /// `$*`
    Star,
    /// `$#`
    Count,
    /// `$?`
    Status,
    /// `$-`
    Options,
    /// `$$`
    Process,
    /// `$!`
    Background,
    /// `$0`
    Name,
}

impl Special {
    /// The character that names it.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::At => b'@',
            Self::Star => b'*',
            Self::Count => b'#',
            Self::Status => b'?',
            Self::Options => b'-',
            Self::Process => b'$',
            Self::Background => b'!',
            Self::Name => b'0',
        }
    }

    /// The parameter that the character names.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            b'@' => Self::At,
            b'*' => Self::Star,
            b'#' => Self::Count,
            b'?' => Self::Status,
            b'-' => Self::Options,
            b'$' => Self::Process,
            b'!' => Self::Background,
            b'0' => Self::Name,
            _ => return None,
        })
    }
}

/// The subscript of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Index {
    /// `[@]`
    At,
    /// `[*]`
    Star,
    /// An arithmetic expression, or a key if the array is associative: only the running shell
    /// knows which.
    Word(Word),
}

/// What a parameter expansion does with the value.
///
/// `colon` tells `:-` from `-`: whether an empty value counts as unset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `${x}`
    Value,
    /// `${#x}`
    Length,
    /// `${x:-word}`
    Default {
        /// Whether empty counts as unset.
        colon: bool,
        /// Taken instead.
        word: Word,
    },
    /// `${x:=word}`
    Assign {
        /// Whether empty counts as unset.
        colon: bool,
        /// Assigned and taken instead.
        word: Word,
    },
    /// `${x:?word}`
    Error {
        /// Whether empty counts as unset.
        colon: bool,
        /// The message; empty means the standard one.
        word: Word,
    },
    /// `${x:+word}`
    Alternative {
        /// Whether empty counts as unset.
        colon: bool,
        /// Taken if there is a value.
        word: Word,
    },
    /// `${x#pattern}`, `${x##pattern}`, `${x%pattern}`, `${x%%pattern}`
    Trim(Trim, Word),
    /// `${x/pattern/replacement}`
    Replace {
        /// Which matches.
        place: ReplaceWhere,
        /// What to look for.
        pattern: Word,
        /// `None` if the second `/` is missing: matches are deleted.
        replacement: Option<Word>,
    },
    /// `${x^pattern}` and its kin; without a pattern, every character.
    Case(CaseChange, Option<Word>),
    /// `${x:offset}`, `${x:offset:length}`: arithmetic expressions.
    Substring {
        /// From where.
        offset: Word,
        /// How much; `None` is the rest.
        length: Option<Word>,
    },
    /// `${x@Q}`: the operator's letter.
    Transform(u8),
    /// `${!prefix*}` and `${!prefix@}`: names of variables. The prefix is the parameter's name.
    Names {
        /// Whether it was `@`.
        at: bool,
    },
    /// `${!array[@]}` and `${!array[*]}`: the keys. `index` is absent.
    Keys {
        /// Whether it was `@`.
        at: bool,
    },
}

/// Which end is trimmed, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trim {
    /// `#`
    ShortestPrefix,
    /// `##`
    LongestPrefix,
    /// `%`
    ShortestSuffix,
    /// `%%`
    LongestSuffix,
}

/// Which matches are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplaceWhere {
    /// `/`
    First,
    /// `//`
    All,
    /// `/#`
    Prefix,
    /// `/%`
    Suffix,
}

/// How case changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseChange {
    /// `^`
    UpperFirst,
    /// `^^`
    UpperAll,
    /// `,`
    LowerFirst,
    /// `,,`
    LowerAll,
    /// `~`
    ToggleFirst,
    /// `~~`
    ToggleAll,
}
