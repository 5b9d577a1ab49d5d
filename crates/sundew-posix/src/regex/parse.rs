//! Patterns as trees: the grammars of regcomp(3), quirks included.

use super::{Error, Flags, Syntax};
use crate::character::{Class, cases, first_character};
use crate::set::Set;

/// Deepest nesting of groups and repetitions.
const MAX_DEPTH: usize = 200;
/// Most repetitions in an interval: `RE_DUP_MAX`.
const MAX_REPEAT: u32 = 0x7fff;
/// Longest name between `[:` and `:]`; glibc's buffer.
const MAX_NAME: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Empty,
    /// One character's bytes.
    Literal(Vec<u8>),
    Set(Box<Set>),
    Any,
    Assert(Assertion),
    BackReference(usize),
    Group(usize, Box<Self>),
    Sequence(Vec<Self>),
    Choice(Vec<Self>),
    Repeat {
        node: Box<Self>,
        least: u32,
        most: Option<u32>,
        depth: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assertion {
    LineStart,
    LineEnd,
    BufferStart,
    BufferEnd,
    WordStart,
    WordEnd,
    WordBoundary,
    NotWordBoundary,
    NoWordBefore,
    NoWordAfter,
}

#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) groups: usize,
    pub(super) back_references: bool,
}

pub(super) fn literal(text: &[u8], flags: Flags) -> Parsed {
    let mut nodes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (character, length) = first_character(rest);
        let (bytes, after) = rest.split_at(length.max(1).min(rest.len()));
        nodes.push(character_node(character, bytes, flags));
        rest = after;
    }
    Parsed {
        node: Node::Sequence(nodes),
        groups: 0,
        back_references: false,
    }
}

pub(super) fn parse(pattern: &[u8], syntax: Syntax, flags: Flags) -> Result<Parsed, Error> {
    let mut parser = Parser {
        pattern,
        at: 0,
        syntax,
        flags,
        groups: 0,
        closed: Vec::new(),
        back_references: false,
        after_opening: true,
    };
    let node = parser.choice(0)?;
    if parser.at < pattern.len() {
        // Only a closing parenthesis stops a choice before the end.
        return Err(Error::ClosingParenthesis);
    }
    Ok(Parsed {
        node,
        groups: parser.groups,
        back_references: parser.back_references,
    })
}

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    syntax: Syntax,
    flags: Flags,
    groups: usize,
    closed: Vec<usize>,
    back_references: bool,
    /// Whether a basic `^` is an anchor here.
    after_opening: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Character,
    Escaped(u8),
    Any,
    Star,
    Plus,
    Question,
    OpenInterval,
    OpenGroup,
    CloseGroup,
    Or,
    Bracket,
    BackReference(usize),
    Assert(Assertion),
    Class(Class, bool),
    TrailingBackslash,
}

impl Parser<'_> {
    fn extended(&self) -> bool {
        matches!(self.syntax, Syntax::Extended | Syntax::Egrep | Syntax::Awk)
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.pattern.get(self.at + ahead).copied()
    }

    /// The token here and its length in bytes.
    fn token(&self) -> (Token, usize) {
        let Some(byte) = self.byte(0) else {
            return (Token::End, 0);
        };
        let extended = self.extended();
        let token = match byte {
            b'\\' => return self.escape(),
            b'.' => Token::Any,
            b'*' => Token::Star,
            b'[' => Token::Bracket,
            b'+' if extended => Token::Plus,
            b'?' if extended => Token::Question,
            b'{' if extended && self.syntax != Syntax::Awk => Token::OpenInterval,
            b'(' if extended => Token::OpenGroup,
            b')' if extended => Token::CloseGroup,
            b'|' if extended => Token::Or,
            b'\n' if matches!(self.syntax, Syntax::Grep | Syntax::Egrep) => Token::Or,
            b'^' if extended || self.after_opening => Token::Assert(Assertion::LineStart),
            b'$' if extended || self.dollar_is_anchor() => Token::Assert(Assertion::LineEnd),
            _ => Token::Character,
        };
        (token, 1)
    }

    fn dollar_is_anchor(&self) -> bool {
        match (self.byte(1), self.byte(2)) {
            (None, _) | (Some(b'\\'), Some(b')' | b'|')) => true,
            (Some(b'\n'), _) => self.syntax == Syntax::Grep,
            _ => false,
        }
    }

    fn escape(&self) -> (Token, usize) {
        let Some(byte) = self.byte(1) else {
            return (Token::TrailingBackslash, 1);
        };
        if self.syntax == Syntax::Awk {
            let (value, length) = awk_escape(self.pattern.get(self.at..).unwrap_or_default());
            return (Token::Escaped(value), length);
        }
        let basic = !self.extended();
        let token = match byte {
            b'(' if basic => Token::OpenGroup,
            b')' if basic => Token::CloseGroup,
            b'|' if basic => Token::Or,
            b'{' if basic => Token::OpenInterval,
            b'+' if basic => Token::Plus,
            b'?' if basic => Token::Question,
            b'1'..=b'9' => Token::BackReference(usize::from(byte - b'0')),
            b'<' => Token::Assert(Assertion::WordStart),
            b'>' => Token::Assert(Assertion::WordEnd),
            b'b' => Token::Assert(Assertion::WordBoundary),
            b'B' => Token::Assert(Assertion::NotWordBoundary),
            b'`' => Token::Assert(Assertion::BufferStart),
            b'\'' => Token::Assert(Assertion::BufferEnd),
            b'w' => Token::Class(Class::Word, false),
            b'W' => Token::Class(Class::Word, true),
            b's' => Token::Class(Class::Space, false),
            b'S' => Token::Class(Class::Space, true),
            byte => Token::Escaped(byte),
        };
        (token, 2)
    }

    fn choice(&mut self, depth: usize) -> Result<Node, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::Memory);
        }
        let mut branches = vec![self.sequence(depth)?];
        while let (Token::Or, length) = self.token() {
            self.at += length;
            self.after_opening = true;
            branches.push(self.sequence(depth)?);
        }
        Ok(match branches.pop() {
            Some(only) if branches.is_empty() => only,
            Some(last) => {
                branches.push(last);
                Node::Choice(branches)
            }
            None => Node::Empty,
        })
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, Error> {
        let mut nodes = Vec::new();
        // Whether an operator here would have nothing to repeat.
        let mut bare = true;
        loop {
            let (token, length) = self.token();
            match token {
                Token::End | Token::Or => break,
                Token::CloseGroup if depth > 0 => break,
                Token::CloseGroup if !self.extended() => return Err(Error::ClosingParenthesis),
                Token::CloseGroup if self.syntax == Syntax::Extended => {
                    return Err(Error::ClosingParenthesis);
                }
                _ => {}
            }
            if matches!(
                token,
                Token::Star | Token::Plus | Token::Question | Token::OpenInterval
            ) {
                if let Some(node) = self.operator(token, length, bare, &mut nodes)? {
                    nodes.push(node);
                    bare = false;
                }
                continue;
            }
            self.at += length;
            let was_opening = std::mem::replace(&mut self.after_opening, false);
            if let Token::Assert(assertion) = token {
                // After an anchor comes a new expression: `^*` is an anchor and a star.
                nodes.push(Node::Assert(assertion));
                self.after_opening = was_opening;
                bare = true;
                continue;
            }
            let node = self.atom(token, length, depth)?;
            nodes.push(node);
            bare = false;
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.pop().unwrap_or(Node::Empty),
            _ => Node::Sequence(nodes),
        })
    }

    fn atom(&mut self, token: Token, length: usize, depth: usize) -> Result<Node, Error> {
        Ok(match token {
            Token::Any => Node::Any,
            Token::Bracket => self.bracket()?,
            Token::OpenGroup => self.group(depth)?,
            Token::Class(class, negated) => Node::Set(Box::new(Set::class(class, negated))),
            Token::BackReference(number) => {
                if !self.closed.contains(&number) {
                    return Err(Error::BackReference);
                }
                self.back_references = true;
                Node::BackReference(number)
            }
            Token::TrailingBackslash => return Err(Error::TrailingBackslash),
            Token::Escaped(byte) if byte >= 0x80 && self.syntax != Syntax::Awk => {
                self.at -= 1;
                self.literal_here()
            }
            Token::Escaped(byte) => character_node(u32::from(byte), &[byte], self.flags),
            _ => {
                self.at -= length;
                self.literal_here()
            }
        })
    }

    fn literal_here(&mut self) -> Node {
        let rest = self.pattern.get(self.at..).unwrap_or_default();
        let (character, length) = first_character(rest);
        self.at += length.max(1);
        character_node(
            character,
            rest.get(..length).unwrap_or_default(),
            self.flags,
        )
    }

    fn group(&mut self, depth: usize) -> Result<Node, Error> {
        self.groups += 1;
        let number = self.groups;
        self.after_opening = true;
        let inner = self.choice(depth + 1)?;
        let (Token::CloseGroup, length) = self.token() else {
            return Err(Error::Parenthesis);
        };
        self.at += length;
        self.after_opening = false;
        self.closed.push(number);
        Ok(Node::Group(number, Box::new(inner)))
    }

    /// An operator: applied to the last node, or a node of its own where it has nothing to repeat.
    fn operator(
        &mut self,
        token: Token,
        length: usize,
        bare: bool,
        nodes: &mut Vec<Node>,
    ) -> Result<Option<Node>, Error> {
        if bare {
            return self.bare_operator(token, length);
        }
        self.after_opening = false;
        let start = self.at;
        self.at += length;
        let (least, most) = match token {
            Token::Star => (0, None),
            Token::Plus => (1, None),
            Token::Question => (0, Some(1)),
            _ => match self.interval()? {
                Some(bounds) => bounds,
                None => {
                    self.at = start + length;
                    return Ok(Some(character_node(u32::from(b'{'), b"{", self.flags)));
                }
            },
        };
        let Some(node) = nodes.pop() else {
            return Ok(None);
        };
        Ok(Some(repeat(node, least, most)?))
    }

    fn bare_operator(&mut self, token: Token, length: usize) -> Result<Option<Node>, Error> {
        match (self.syntax, token) {
            (Syntax::Extended | Syntax::Awk, _) | (Syntax::Basic, Token::OpenInterval) => {
                Err(Error::Repetition)
            }
            // It is left out; an interval that is none stands for itself.
            (Syntax::Egrep, Token::OpenInterval) => {
                let start = self.at;
                self.at += length;
                if self.interval()?.is_some() {
                    return Ok(None);
                }
                self.at = start + length;
                Ok(Some(character_node(u32::from(b'{'), b"{", self.flags)))
            }
            (Syntax::Egrep, _) => {
                self.at += length;
                Ok(None)
            }
            _ => {
                self.at += length;
                self.after_opening = false;
                let byte = self.pattern.get(self.at - 1).copied().unwrap_or(b'*');
                Ok(Some(character_node(u32::from(byte), &[byte], self.flags)))
            }
        }
    }

    /// The bounds of an interval after its `{`, through its end; `None` where the grammar takes what
    /// is no interval literally.
    fn interval(&mut self) -> Result<Option<(u32, Option<u32>)>, Error> {
        let lenient = self.syntax == Syntax::Egrep;
        let (first, stop) = self.number();
        let least = match (first, stop) {
            (Number::None, Stop::Comma) => Number::Some(0),
            (Number::None, Stop::Close) => return Err(Error::BraceContent),
            (number, _) => number,
        };
        let (most, stop) = match (least, stop) {
            (Number::Bad, _) | (_, Stop::Close) => (least, stop),
            (_, Stop::Comma) => self.number(),
            (_, Stop::End) => (Number::Bad, stop),
        };
        if least == Number::Bad || most == Number::Bad {
            return match stop {
                _ if lenient => Ok(None),
                Stop::End => Err(Error::Brace),
                _ => Err(Error::BraceContent),
            };
        }
        let (Number::Some(least), Stop::Close) = (least, stop) else {
            return Err(Error::BraceContent);
        };
        let most = if let Number::Some(most) = most {
            Some(most)
        } else {
            None
        };
        if most.is_some_and(|most| least > most) {
            return Err(Error::BraceContent);
        }
        if most.unwrap_or(least) > MAX_REPEAT {
            return Err(Error::TooBig);
        }
        Ok(Some((least, most)))
    }

    fn number(&mut self) -> (Number, Stop) {
        let mut number = Number::None;
        loop {
            let Some(byte) = self.byte(0) else {
                return (Number::Bad, Stop::End);
            };
            self.at += 1;
            match byte {
                b',' => return (number, Stop::Comma),
                b'}' if self.extended() => return (number, Stop::Close),
                b'\\' if !self.extended() && self.byte(0) == Some(b'}') => {
                    self.at += 1;
                    return (number, Stop::Close);
                }
                b'0'..=b'9' => {
                    let digit = u32::from(byte - b'0');
                    number = match number {
                        Number::None => Number::Some(digit),
                        Number::Some(value) => {
                            Number::Some((value * 10 + digit).min(MAX_REPEAT + 1))
                        }
                        Number::Bad => Number::Bad,
                    };
                }
                _ => number = Number::Bad,
            }
        }
    }

    // ---- brackets ------------------------------------------------------------------------------

    fn bracket(&mut self) -> Result<Node, Error> {
        let mut set = Set::default();
        if self.byte(0) == Some(b'^') {
            set.negate();
            self.at += 1;
        }
        if self.byte(0).is_none() {
            return Err(Error::BadPattern);
        }
        let mut first = true;
        loop {
            if !first && self.byte(0) == Some(b']') {
                self.at += 1;
                break;
            }
            let start = self.element(first)?;
            first = false;
            if self.byte(0).is_none() {
                return Err(Error::Bracket);
            }
            let low = match start {
                Element::Class(class) => {
                    set.add_class(class);
                    continue;
                }
                Element::Character(character) => character,
            };
            if self.byte(0) == Some(b'-') {
                match self.byte(1) {
                    None => return Err(Error::Bracket),
                    Some(b']') => {}
                    Some(_) => {
                        self.at += 1;
                        let Element::Character(high) = self.element(true)? else {
                            return Err(Error::Range);
                        };
                        if low > high {
                            return Err(Error::Range);
                        }
                        set.add_range(low, high);
                        if self.byte(0).is_none() {
                            return Err(Error::Bracket);
                        }
                        continue;
                    }
                }
            }
            set.add_range(low, low);
        }
        set.finish(self.flags.ignore_case);
        if self.flags.newline && set.is_negated() {
            set.remove_newline();
        }
        Ok(Node::Set(Box::new(set)))
    }

    fn element(&mut self, accept_hyphen: bool) -> Result<Element, Error> {
        match (self.byte(0), self.byte(1)) {
            (Some(b'['), Some(kind @ (b':' | b'.' | b'='))) => return self.named(kind),
            (Some(b'-'), Some(next)) if !accept_hyphen && next != b']' => return Err(Error::Range),
            (Some(b'\\'), Some(_)) if self.syntax == Syntax::Awk => {
                let (value, length) = awk_escape(self.pattern.get(self.at..).unwrap_or_default());
                self.at += length;
                return Ok(Element::Character(u32::from(value)));
            }
            _ => {}
        }
        let (character, length) = first_character(self.pattern.get(self.at..).unwrap_or_default());
        if length == 0 {
            return Err(Error::Bracket);
        }
        self.at += length;
        Ok(Element::Character(character))
    }

    /// `[:alpha:]`, `[.x.]` or `[=x=]`.
    fn named(&mut self, kind: u8) -> Result<Element, Error> {
        let rest = self.pattern.get(self.at + 2..).unwrap_or_default();
        let Some(length) = rest
            .windows(2)
            .take(MAX_NAME)
            .position(|pair| pair == [kind, b']'])
        else {
            return Err(Error::Bracket);
        };
        let name = rest.get(..length).unwrap_or_default();
        self.at += length + 4;
        if kind == b':' {
            let class = Class::from_name(name).ok_or(Error::ClassName)?;
            let folds = self.flags.ignore_case && matches!(class, Class::Upper | Class::Lower);
            return Ok(Element::Class(if folds { Class::Alpha } else { class }));
        }
        let (character, length) = first_character(name);
        if length == 0 || length != name.len() {
            return Err(Error::Collation);
        }
        Ok(Element::Character(character))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    None,
    Some(u32),
    Bad,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Comma,
    Close,
    End,
}

enum Element {
    Class(Class),
    Character(u32),
}

fn character_node(character: u32, bytes: &[u8], flags: Flags) -> Node {
    if flags.ignore_case {
        let (lower, upper) = cases(character);
        if lower != upper {
            return Node::Set(Box::new(Set::folded(character)));
        }
    }
    Node::Literal(bytes.to_vec())
}

/// A repetition; simple ones of simple ones become one, so that `a****` is not deep.
fn repeat(node: Node, least: u32, most: Option<u32>) -> Result<Node, Error> {
    let simple = |least: u32, most: Option<u32>| least <= 1 && matches!(most, None | Some(1));
    match node {
        Node::Repeat {
            node,
            least: inner_least,
            most: inner_most,
            depth,
        } if simple(least, most) && simple(inner_least, inner_most) => {
            let most = if most.is_none() || inner_most.is_none() {
                None
            } else {
                Some(1)
            };
            Ok(Node::Repeat {
                node,
                least: least.min(inner_least),
                most,
                depth,
            })
        }
        node => {
            let depth = if let Node::Repeat { depth, .. } = &node {
                depth + 1
            } else {
                1
            };
            if depth > MAX_DEPTH {
                return Err(Error::Memory);
            }
            Ok(Node::Repeat {
                node: Box::new(node),
                least,
                most,
                depth,
            })
        }
    }
}

/// The byte that an escape of mawk stands for, and the length of the escape.
fn awk_escape(text: &[u8]) -> (u8, usize) {
    let Some(&byte) = text.get(1) else {
        return (b'\\', 1);
    };
    let value = match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'0'..=b'7' => {
            let digits = text
                .iter()
                .skip(1)
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte));
            let (value, count) = digits.fold((0u8, 0), |(value, count), digit| {
                (value.wrapping_mul(8).wrapping_add(digit - b'0'), count + 1)
            });
            return (value, 1 + count);
        }
        byte => byte,
    };
    (value, 2)
}
