//! Shell patterns: fnmatch(3), POSIX XCU §2.13, and bash's extended ones (`@(a|b)`).
//!
//! A pattern is compiled from bytes of which each is known to be quoted or not. Characters are
//! those of UTF-8; a byte that belongs to none counts as one character.

use crate::character::{Class, first_character};
use crate::set::Set;

pub mod search;

/// Steps after which a match is given up as none. Plain patterns need at most the product of both
/// lengths; only nested extended ones can come near this.
const MAX_STEPS: u32 = 1 << 20;
/// Deepest nesting of extended patterns; deeper ones are taken literally.
const MAX_DEPTH: usize = 16;

/// One byte of a pattern's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The byte.
    pub byte: u8,
    /// Whether it stands for itself.
    pub quoted: bool,
}

/// What changes the meaning of patterns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether `?(…)`, `*(…)`, `+(…)`, `@(…)`, `!(…)` are special.
    pub extended: bool,
    /// Whether case does not count (`nocasematch`, `nocaseglob`).
    pub ignore_case: bool,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    tokens: Vec<Token>,
    options: Options,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    AnyCharacter,
    AnyString,
    Set(Set),
    Extended(Extended, Vec<Vec<Self>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extended {
    Optional,
    Any,
    Some,
    One,
    Not,
}

impl Pattern {
    /// Whether it is the pattern of nothing, written as nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Compiles a pattern.
    pub fn new(pieces: &[Piece], options: Options) -> Self {
        let closed = if options.extended {
            closed_openers(pieces)
        } else {
            Vec::new()
        };
        let mut parser = Parser {
            pieces,
            at: 0,
            options,
            closed,
        };
        let tokens = parser.sequence(0, false);
        Self { tokens, options }
    }

    /// Compiles a pattern in which a backslash quotes the next byte, as fnmatch(3) takes it.
    pub fn from_bytes(text: &[u8], options: Options) -> Self {
        let mut pieces = Vec::with_capacity(text.len());
        let mut bytes = text.iter().copied();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => match bytes.next() {
                    Some(byte) => pieces.push(Piece { byte, quoted: true }),
                    None => pieces.push(Piece {
                        byte: b'\\',
                        quoted: true,
                    }),
                },
                byte => pieces.push(Piece {
                    byte,
                    quoted: false,
                }),
            }
        }
        Self::new(&pieces, options)
    }

    /// Whether the whole of `subject` matches.
    pub fn matches(&self, subject: &[u8]) -> bool {
        let mut matcher = Matcher {
            options: self.options,
            steps: MAX_STEPS,
        };
        matcher.matches(&self.tokens, subject)
    }

    /// Whether nothing in it is special.
    pub fn is_literal(&self) -> bool {
        self.tokens
            .iter()
            .all(|token| matches!(token, Token::Byte(_)))
    }

    /// The text of a pattern that [`Pattern::is_literal`].
    pub fn literal(&self) -> Option<Vec<u8>> {
        self.tokens
            .iter()
            .map(|token| {
                if let Token::Byte(byte) = token {
                    Some(*byte)
                } else {
                    None
                }
            })
            .collect()
    }

    /// Whether it begins with a dot that stands for itself: only such a pattern finds hidden files.
    pub fn begins_with_dot(&self) -> bool {
        match self.tokens.first() {
            Some(Token::Byte(b'.')) => true,
            Some(Token::Extended(_, branches)) => branches
                .iter()
                .any(|branch| branch.first() == Some(&Token::Byte(b'.'))),
            _ => false,
        }
    }
}

struct Parser<'a> {
    pieces: &'a [Piece],
    at: usize,
    options: Options,
    /// For each piece, whether an extended pattern may begin there. Cleared where one turned out
    /// not to, so that no place is tried twice.
    closed: Vec<bool>,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> Option<Piece> {
        self.pieces.get(self.at + ahead).copied()
    }

    fn is_plain(&self, ahead: usize, byte: u8) -> bool {
        self.peek(ahead)
            == Some(Piece {
                byte,
                quoted: false,
            })
    }

    /// Tokens up to the end, or inside an extended pattern up to `|` or `)`.
    fn sequence(&mut self, depth: usize, nested: bool) -> Vec<Token> {
        let mut tokens = Vec::new();
        while let Some(piece) = self.peek(0) {
            if nested && !piece.quoted && matches!(piece.byte, b'|' | b')') {
                break;
            }
            if let Some(kind) = self.extended_kind(piece)
                && depth < MAX_DEPTH
                && self.closed.get(self.at) == Some(&true)
                && let Some(token) = self.extended(kind, depth)
            {
                tokens.push(token);
                continue;
            }
            self.at += 1;
            let token = match piece.byte {
                byte if piece.quoted => Token::Byte(byte),
                b'*' => Token::AnyString,
                b'?' => Token::AnyCharacter,
                b'[' => self.set().map_or(Token::Byte(b'['), Token::Set),
                byte => Token::Byte(byte),
            };
            // Stars in a row are one star; more would only cost time.
            if token != Token::AnyString || tokens.last() != Some(&Token::AnyString) {
                tokens.push(token);
            }
        }
        tokens
    }

    fn extended_kind(&self, piece: Piece) -> Option<Extended> {
        if !self.options.extended || piece.quoted || !self.is_plain(1, b'(') {
            return None;
        }
        Some(match piece.byte {
            b'?' => Extended::Optional,
            b'*' => Extended::Any,
            b'+' => Extended::Some,
            b'@' => Extended::One,
            b'!' => Extended::Not,
            _ => return None,
        })
    }

    /// An extended pattern; without its closing parenthesis it is none, and nothing is consumed.
    fn extended(&mut self, kind: Extended, depth: usize) -> Option<Token> {
        let start = self.at;
        self.at += 2;
        let mut branches = Vec::new();
        loop {
            branches.push(self.sequence(depth + 1, true));
            match self.peek(0) {
                Some(Piece { byte: b'|', .. }) => self.at += 1,
                Some(_) => {
                    self.at += 1;
                    return Some(Token::Extended(kind, branches));
                }
                None => {
                    self.at = start;
                    if let Some(closed) = self.closed.get_mut(start) {
                        *closed = false;
                    }
                    return None;
                }
            }
        }
    }

    /// A bracket expression, after its `[`; without its `]` it is none, and nothing is consumed.
    fn set(&mut self) -> Option<Set> {
        let start = self.at;
        let mut set = Set::default();
        if self.is_plain(0, b'!') || self.is_plain(0, b'^') {
            set.negate();
            self.at += 1;
        }
        let mut first = true;
        loop {
            let Some(piece) = self.peek(0) else {
                self.at = start;
                return None;
            };
            if piece
                == (Piece {
                    byte: b']',
                    quoted: false,
                })
                && !first
            {
                self.at += 1;
                set.finish(self.options.ignore_case);
                return Some(set);
            }
            first = false;
            if let Some(class) = self.class() {
                set.add_class(class);
                continue;
            }
            if self.is_symbol() {
                self.at += 2;
                let symbol = self.character();
                self.at += 2;
                set.add_range(symbol, symbol);
                continue;
            }
            let low = self.character();
            let ranged =
                self.is_plain(0, b'-') && self.peek(1).is_some() && !self.is_plain(1, b']');
            if ranged {
                self.at += 1;
                let high = self.character();
                set.add_range(low, high);
            } else {
                set.add_range(low, low);
            }
        }
    }

    /// Whether `[=a=]` or `[.a.]` stands here, with one byte within.
    fn is_symbol(&self) -> bool {
        self.is_plain(0, b'[')
            && [b'=', b'.'].into_iter().any(|mark| {
                self.is_plain(1, mark) && self.is_plain(3, mark) && self.is_plain(4, b']')
            })
    }

    /// `[:alpha:]`, if it stands here.
    fn class(&mut self) -> Option<Class> {
        if !(self.is_plain(0, b'[') && self.is_plain(1, b':')) {
            return None;
        }
        let name: Vec<u8> = self
            .pieces
            .get(self.at + 2..)?
            .iter()
            .map(|piece| piece.byte)
            .take_while(u8::is_ascii_alphabetic)
            .collect();
        let end = 2 + name.len();
        if !(self.peek(end)?.byte == b':' && self.peek(end + 1)?.byte == b']') {
            return None;
        }
        let class = match name.as_slice() {
            // Bash's own, which regular expressions spell `\w`.
            b"word" => Class::Word,
            name => Class::from_name(name)?,
        };
        self.at += end + 2;
        Some(class)
    }

    /// One character of a bracket expression. There must be one.
    fn character(&mut self) -> u32 {
        let bytes: Vec<u8> = self
            .pieces
            .get(self.at..)
            .unwrap_or_default()
            .iter()
            .take(4)
            .map(|piece| piece.byte)
            .collect();
        let (character, length) = first_character(&bytes);
        self.at += length.max(1);
        character
    }
}

/// Where an opener such as `@(` has its closing parenthesis, found in one pass.
fn closed_openers(pieces: &[Piece]) -> Vec<bool> {
    let mut closed = vec![false; pieces.len()];
    let mut open = Vec::new();
    let mut previous = None;
    for (at, piece) in pieces.iter().enumerate() {
        let plain = (!piece.quoted).then_some(piece.byte);
        match (previous, plain) {
            (Some(b'?' | b'*' | b'+' | b'@' | b'!'), Some(b'(')) => open.push(at - 1),
            (_, Some(b')')) => {
                if let Some(opener) = open.pop().and_then(|opener: usize| closed.get_mut(opener)) {
                    *opener = true;
                }
            }
            _ => {}
        }
        previous = plain;
    }
    closed
}

struct Matcher {
    options: Options,
    steps: u32,
}

impl Matcher {
    /// Whether `tokens` match the whole of `subject`: linear but for stars, which remember only the
    /// last place to try again, and extended patterns, which recurse within the step bound.
    fn matches(&mut self, tokens: &[Token], subject: &[u8]) -> bool {
        let (mut rest, mut text) = (tokens, subject);
        let mut retry: Option<(&[Token], &[u8])> = None;
        loop {
            if self.steps == 0 {
                return false;
            }
            self.steps -= 1;
            let advanced = match rest.split_first() {
                None if text.is_empty() => return true,
                None => None,
                Some((Token::AnyString, after)) => {
                    if after.is_empty() {
                        return true;
                    }
                    retry = Some((after, text));
                    Some((after, text))
                }
                Some((Token::Extended(kind, branches), after)) => {
                    if self.extended(*kind, branches, after, text) {
                        return true;
                    }
                    None
                }
                Some((token, after)) => one(self.options, token, text)
                    .map(|length| (after, text.get(length..).unwrap_or_default())),
            };
            match (advanced, retry) {
                (Some(next), _) => (rest, text) = next,
                (None, Some((after, from))) if !from.is_empty() => {
                    let (_, length) = first_character(from);
                    let from = from.get(length..).unwrap_or_default();
                    retry = Some((after, from));
                    (rest, text) = (after, from);
                }
                (None, _) => return false,
            }
        }
    }

    fn extended(
        &mut self,
        kind: Extended,
        branches: &[Vec<Token>],
        after: &[Token],
        text: &[u8],
    ) -> bool {
        let ends = (0..=text.len()).rev();
        for end in ends {
            if self.steps == 0 {
                return false;
            }
            let (front, back) = text.split_at(end);
            let fits = match kind {
                Extended::Optional => front.is_empty() || self.any_branch(branches, front),
                Extended::One => self.any_branch(branches, front),
                Extended::Any => front.is_empty() || self.repeated(branches, front),
                Extended::Some => self.repeated(branches, front),
                Extended::Not => !self.any_branch(branches, front),
            };
            if fits && self.matches(after, back) {
                return true;
            }
        }
        false
    }

    fn any_branch(&mut self, branches: &[Vec<Token>], text: &[u8]) -> bool {
        branches.iter().any(|branch| self.matches(branch, text))
    }

    /// Whether `text` is one or more of the branches in a row.
    fn repeated(&mut self, branches: &[Vec<Token>], text: &[u8]) -> bool {
        if self.any_branch(branches, text) {
            return true;
        }
        // reachable[i]: the first i bytes are a row of branches.
        let mut reachable = vec![false; text.len() + 1];
        if let Some(start) = reachable.first_mut() {
            *start = true;
        }
        for end in 1..=text.len() {
            for start in 0..end {
                if self.steps == 0 {
                    return false;
                }
                self.steps -= 1;
                let piece = text.get(start..end).unwrap_or_default();
                if reachable.get(start) == Some(&true) && self.any_branch(branches, piece) {
                    if let Some(here) = reachable.get_mut(end) {
                        *here = true;
                    }
                    break;
                }
            }
        }
        reachable.last() == Some(&true)
    }
}

/// The length of what one simple token matches at the front of `text`.
fn one(options: Options, token: &Token, text: &[u8]) -> Option<usize> {
    let (character, length) = first_character(text);
    if length == 0 {
        return None;
    }
    match token {
        Token::Byte(byte) => {
            let first = *text.first()?;
            let same = if options.ignore_case {
                byte.eq_ignore_ascii_case(&first)
            } else {
                *byte == first
            };
            same.then_some(1)
        }
        Token::AnyCharacter => Some(length),
        Token::Set(set) => set.contains(character).then_some(length),
        Token::AnyString | Token::Extended(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::search::{Side, all};
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, subject: &str) -> bool {
        let options = Options {
            extended: true,
            ignore_case: false,
        };
        Pattern::from_bytes(pattern.as_bytes(), options).matches(subject.as_bytes())
    }

    #[test]
    fn patterns_match_as_bash_does() {
        for (pattern, subject, expected) in [
            ("*", "", true),
            ("*", "abc", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("?", "ü", true),
            ("??", "ü", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a]", "b", true),
            ("[]x]", "]", true),
            ("[a-]", "-", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[[:digit:]]*", "1a", true),
            ("[[:upper:]]", "a", false),
            ("*.sh", "x.sh", true),
            ("*a*b*c*", "xxaxxbxxc", true),
            ("@(a|b)c", "bc", true),
            ("@(a|b)c", "cc", false),
            ("!(*.sh)", "x.c", true),
            ("!(*.sh)", "x.sh", false),
            ("+(ab)", "ababab", true),
            ("+(ab)", "aba", false),
            ("*(a)b", "b", true),
            ("?(a)b", "aab", false),
            ("x@(", "x@(", true),
            ("[ü]", "ü", true),
        ] {
            assert_eq!(
                matches(pattern, subject),
                expected,
                "{pattern} against {subject}"
            );
        }
    }

    #[test]
    fn prefixes_and_suffixes_are_shortest_or_longest() {
        let pattern = Pattern::from_bytes(b"*/", Options::default());
        let prefix = |longest| all(&pattern, b"a/b/c", Side::Prefix, longest);
        assert_eq!((prefix(false), prefix(true)), (Some(2), Some(4)));
        let pattern = Pattern::from_bytes(b".*", Options::default());
        let suffix = |longest| all(&pattern, b"a.b.c", Side::Suffix, longest);
        assert_eq!((suffix(false), suffix(true)), (Some(2), Some(4)));
    }

    #[test]
    fn a_nasty_pattern_ends() {
        assert!(!matches(&"+(+(a)b|+(a))".repeat(4), &"a".repeat(200)));
        assert!(!matches(&"*a".repeat(200), &"a".repeat(150)));
        assert!(!matches(&"*(".repeat(5000), "x"));
    }

    proptest! {
        #[test]
        fn any_pattern_on_any_bytes_ends(pattern: Vec<u8>, subject in proptest::collection::vec(any::<u8>(), 0..40)) {
            let options = Options { extended: true, ignore_case: true };
            Pattern::from_bytes(&pattern, options).matches(&subject);
        }

        #[test]
        fn quoted_bytes_match_themselves(subject: Vec<u8>) {
            let pieces: Vec<Piece> = subject.iter().map(|&byte| Piece { byte, quoted: true }).collect();
            prop_assert!(Pattern::new(&pieces, Options::default()).matches(&subject));
        }
    }
}
