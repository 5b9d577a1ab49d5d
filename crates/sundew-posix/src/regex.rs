//! Regular expressions: regcomp(3) in GNU's dialects, on bytes, in bounded time.
//!
//! Characters are those of UTF-8. Without back-references a search costs at most the product of
//! program and subject, each pair being looked at once, and answers the leftmost longest match;
//! with them, and for very long subjects, it is given up after [`MAX_STEPS`]. Captures follow the
//! order of alternatives within the longest match, not POSIX's rule for each subexpression.
//!
//! A library was turned down: those that find the longest match explore every path, and run into
//! their bound on patterns as plain as `.*a.*b` where this one does not.

mod compile;
mod matcher;
mod parse;

use compile::Program;
use parse::{Assertion, Node};

/// Steps after which a search is given up; some tens of milliseconds.
pub const MAX_STEPS: u32 = 1 << 22;

/// Which grammar a pattern is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Basic, with GNU's `\+ \? \|`: `sed`, `expr`.
    Basic,
    /// Extended: `sed -E`, `[[ =~ ]]`, `find -regextype posix-extended`.
    Extended,
    /// `grep`: basic, but a leading interval is literal.
    Grep,
    /// `grep -E`: extended, but misplaced operators and unfinished intervals are taken literally or left out.
    Egrep,
    /// `mawk`: extended, with escapes of strings (also in brackets), without intervals and back-references.
    Awk,
}

/// What changes the meaning of a pattern.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Whether case does not count: `REG_ICASE`.
    pub ignore_case: bool,
    /// Whether `^` and `$` also match at newlines, which `.` and `[^a]` do not match: `REG_NEWLINE`.
    pub newline: bool,
}

/// What a match has to be besides: `grep -w`, `grep -x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// Nothing.
    No,
    /// Without a character of a word before and after.
    Word,
    /// From the start of a line to its end.
    Line,
}

/// Why a pattern does not compile: the codes of regcomp(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// `REG_BADPAT`
    BadPattern,
    /// `REG_ECOLLATE`
    Collation,
    /// `REG_ECTYPE`
    ClassName,
    /// `REG_EESCAPE`
    TrailingBackslash,
    /// `REG_ESUBREG`
    BackReference,
    /// `REG_EBRACK`
    Bracket,
    /// `REG_EPAREN`
    Parenthesis,
    /// `REG_EBRACE`
    Brace,
    /// `REG_BADBR`
    BraceContent,
    /// `REG_ERANGE`
    Range,
    /// `REG_ESPACE`: also what is nested or repeated beyond our bounds.
    Memory,
    /// `REG_BADRPT`
    Repetition,
    /// `REG_ESIZE`
    TooBig,
    /// `REG_ERPAREN`
    ClosingParenthesis,
}

impl Error {
    /// What regerror(3) prints.
    pub const fn message(self) -> &'static str {
        match self {
            Self::BadPattern => "Invalid regular expression",
            Self::Collation => "Invalid collation character",
            Self::ClassName => "Invalid character class name",
            Self::TrailingBackslash => "Trailing backslash",
            Self::BackReference => "Invalid back reference",
            Self::Bracket => "Unmatched [, [^, [:, [., or [=",
            Self::Parenthesis => "Unmatched ( or \\(",
            Self::Brace => "Unmatched \\{",
            Self::BraceContent => "Invalid content of \\{\\}",
            Self::Range => "Invalid range end",
            Self::Memory => "Memory exhausted",
            Self::Repetition => "Invalid preceding regular expression",
            Self::TooBig => "Regular expression too big",
            Self::ClosingParenthesis => "Unmatched ) or \\)",
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}

/// Where a match and its groups lie, as byte offsets into the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups(Vec<Option<(usize, usize)>>);

impl Groups {
    /// Start and end of a group; 0 is the whole match.
    pub fn span(&self, group: usize) -> Option<(usize, usize)> {
        self.0.get(group).copied().flatten()
    }

    /// Where the match starts.
    pub fn start(&self) -> usize {
        self.span(0).map_or(0, |(start, _)| start)
    }

    /// Where the match ends.
    pub fn end(&self) -> usize {
        self.span(0).map_or(0, |(_, end)| end)
    }

    /// The bytes of a group of the same `subject`; `None` if it took no part.
    pub fn bytes<'s>(&self, group: usize, subject: &'s [u8]) -> Option<&'s [u8]> {
        let (start, end) = self.span(group)?;
        subject.get(start..end)
    }

    /// How many groups there are, the whole match included.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// What a search that may be given up answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// A match.
    Found(Groups),
    /// None.
    Missing,
    /// Given up after [`MAX_STEPS`]; to be taken as none.
    GaveUp,
}

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub struct Regex {
    program: Program,
}

impl Regex {
    /// Compiles `pattern`.
    ///
    /// # Errors
    ///
    /// What regcomp(3) answers.
    pub fn new(pattern: &[u8], syntax: Syntax, flags: Flags) -> Result<Self, Error> {
        let parsed = parse::parse(pattern, syntax, flags)?;
        Ok(Self {
            program: compile::compile(&parsed, flags)?,
        })
    }

    /// A regular expression that matches exactly these bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] for a text that is too long.
    pub fn literal(text: &[u8], flags: Flags) -> Result<Self, Error> {
        Self::whole(text, None, flags, Whole::No)
    }

    /// Compiles `pattern`, or a text without a grammar, to match at the bounds that `whole` names.
    ///
    /// # Errors
    ///
    /// As [`Regex::new`].
    pub fn whole(
        pattern: &[u8],
        syntax: Option<Syntax>,
        flags: Flags,
        whole: Whole,
    ) -> Result<Self, Error> {
        let mut parsed = match syntax {
            Some(syntax) => parse::parse(pattern, syntax, flags)?,
            None => parse::literal(pattern, flags),
        };
        let bounds = match whole {
            Whole::No => None,
            Whole::Word => Some((Assertion::NoWordBefore, Assertion::NoWordAfter)),
            Whole::Line => Some((Assertion::LineStart, Assertion::LineEnd)),
        };
        if let Some((before, after)) = bounds {
            parsed.node =
                Node::Sequence(vec![Node::Assert(before), parsed.node, Node::Assert(after)]);
        }
        Ok(Self {
            program: compile::compile(&parsed, flags)?,
        })
    }

    /// The leftmost longest match at or after `start`; a search given up counts as none. What lies
    /// before `start` is seen by `^`, `\<` and `\b`. With `not_bol` the subject's start is no start
    /// of a line: `REG_NOTBOL`.
    pub fn find(&self, subject: &[u8], start: usize, not_bol: bool) -> Option<Groups> {
        match self.search(subject, start, not_bol) {
            Search::Found(groups) => Some(groups),
            Search::Missing | Search::GaveUp => None,
        }
    }

    /// As [`Regex::find`], telling a search given up from none found.
    pub fn search(&self, subject: &[u8], start: usize, not_bol: bool) -> Search {
        matcher::search(&self.program, subject, start, not_bol, false)
    }

    /// Whether there is a match anywhere.
    pub fn is_match(&self, subject: &[u8]) -> bool {
        matches!(
            matcher::search(&self.program, subject, 0, false, true),
            Search::Found(_)
        )
    }

    /// Groups in the pattern, the whole match not counted: `re_nsub`.
    pub fn group_count(&self) -> usize {
        self.program.groups
    }
}

/// Compiles and searches whatever comes: the entry point for a fuzzer. The first byte chooses the
/// grammar, the first NUL ends the pattern.
///
/// # Panics
///
/// If a match does not lie in its subject, which would be our mistake.
pub fn fuzz(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let syntax = match choice % 5 {
        0 => Syntax::Basic,
        1 => Syntax::Extended,
        2 => Syntax::Grep,
        3 => Syntax::Egrep,
        _ => Syntax::Awk,
    };
    let flags = Flags {
        ignore_case: choice & 64 != 0,
        newline: choice & 128 != 0,
    };
    let end = rest
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(rest.len());
    let (pattern, subject) = rest.split_at(end);
    if let Ok(regex) = Regex::new(pattern, syntax, flags)
        && let Some(groups) = regex.find(subject, 0, false)
    {
        assert!(
            groups.start() <= groups.end() && groups.end() <= subject.len(),
            "a match lies in its subject"
        );
    }
}

#[cfg(test)]
mod tests;
