//! Words in the form of an assignment, and the tildes that are expanded in them.

use crate::ast::{ArrayElement, Assignment, Part, Value, Word};
use crate::lexer::{is_name, is_name_byte, is_name_start};
use crate::option::Dialect;
use crate::word::Collector;

impl Word {
    /// The word as `name=value`, `name[index]=value` or with `+=`; `None` if it has no such form.
    ///
    /// The parser has already done this for words in front of a command; it is here for the
    /// arguments of `export`, `declare`, `local` and `readonly`.
    #[must_use]
    pub fn to_assignment(&self) -> Option<Assignment> {
        let head = Head::find(&self.parts)?;
        let value = match head.value.as_slice() {
            [Part::Array(elements)] => Value::Array(elements.clone()),
            _ => {
                let mut word = Self { parts: head.value };
                mark_tildes_in_value(&mut word);
                Value::Scalar(word)
            }
        };
        Some(Assignment {
            name: head.name.into(),
            index: head.index.map(|parts| Self { parts }),
            append: head.append,
            value,
        })
    }
}

/// A word taken apart at its `=`.
struct Head {
    name: Vec<u8>,
    index: Option<Vec<Part>>,
    append: bool,
    value: Vec<Part>,
}

impl Head {
    fn find(parts: &[Part]) -> Option<Self> {
        let (first, others) = parts.split_first()?;
        let Part::Literal(text) = first else {
            return None;
        };
        let length = text.iter().position(|byte| !is_name_byte(*byte))?;
        let (name, rest) = text.split_at_checked(length)?;
        if !is_name(name) {
            return None;
        }
        let name = name.to_vec();
        if let Some(inside) = rest.strip_prefix(b"[") {
            return Self::subscripted(name, inside, others);
        }
        let (append, value) = equals(rest)?;
        Some(Self {
            name,
            index: None,
            append,
            value: with_literal(value, others),
        })
    }

    /// `inside` follows the `[`.
    fn subscripted(name: Vec<u8>, inside: &[u8], others: &[Part]) -> Option<Self> {
        let mut index = Vec::new();
        let mut nest = 0_usize;
        let first = Part::Literal(inside.into());
        let mut parts = std::iter::once(&first).chain(others);
        while let Some(part) = parts.next() {
            let Part::Literal(text) = part else {
                index.push(part.clone());
                continue;
            };
            let Some(close) = closing_bracket(text, &mut nest) else {
                push_literal(&mut index, text);
                continue;
            };
            let (before, after) = text.split_at_checked(close)?;
            push_literal(&mut index, before);
            let (append, value) = equals(after.get(1..)?)?;
            let rest: Vec<Part> = parts.cloned().collect();
            let value = with_literal(value, &rest);
            return Some(Self {
                name,
                index: Some(index),
                append,
                value,
            });
        }
        None
    }
}

/// Strips `=` or `+=`.
fn equals(text: &[u8]) -> Option<(bool, &[u8])> {
    if let Some(value) = text.strip_prefix(b"+=") {
        return Some((true, value));
    }
    text.strip_prefix(b"=").map(|value| (false, value))
}

fn with_literal(text: &[u8], others: &[Part]) -> Vec<Part> {
    let mut parts = Vec::new();
    push_literal(&mut parts, text);
    parts.extend_from_slice(others);
    parts
}

fn push_literal(parts: &mut Vec<Part>, text: &[u8]) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.into()));
    }
}

fn closing_bracket(text: &[u8], nest: &mut usize) -> Option<usize> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'[' => *nest = nest.saturating_add(1),
            b']' if *nest == 0 => return Some(at),
            b']' => *nest = nest.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Whether what was collected is a name that a `[` may follow as a subscript.
pub(super) fn may_take_subscript(out: &Collector) -> bool {
    out.parts.is_empty() && is_name(&out.literal)
}

/// Whether what was collected is `name=` or `name[…]=` (or `+=`), so that `(` opens an array.
pub(super) fn may_take_array(out: &Collector) -> bool {
    if out.literal.last() != Some(&b'=') {
        return false;
    }
    if out.parts.is_empty() && !out.literal.contains(&b'[') {
        return equals_at_end(&out.literal).is_some_and(is_name);
    }
    let mut parts = out.parts.clone();
    push_literal(&mut parts, &out.literal);
    Head::find(&parts).is_some_and(|head| head.value.is_empty())
}

fn equals_at_end(text: &[u8]) -> Option<&[u8]> {
    let name = text.strip_suffix(b"=")?;
    Some(name.strip_suffix(b"+").unwrap_or(name))
}

impl ArrayElement {
    /// Sorts an element into `[index]=value` and plain words.
    pub(super) fn from_word(word: Word) -> Self {
        let Some(Part::Literal(text)) = word.parts.first() else {
            return Self::Word(word);
        };
        let Some(inside) = text.strip_prefix(b"[") else {
            return Self::Word(word);
        };
        let others = word.parts.get(1..).unwrap_or_default();
        match Head::subscripted(Vec::new(), inside, others) {
            Some(head) => {
                let mut value = Word { parts: head.value };
                mark_tildes_in_value(&mut value);
                Self::At {
                    index: Word {
                        parts: head.index.unwrap_or_default(),
                    },
                    append: head.append,
                    value,
                }
            }
            None => Self::Word(word),
        }
    }
}

/// Marks the tildes of a word of a command: the leading one, and in bash those of an assignment.
pub(crate) fn mark_tilde(word: &mut Word, dialect: Dialect) {
    mark_leading_tilde(word);
    let Some(Part::Literal(text)) = word.parts.first() else {
        return;
    };
    let Some(end) = text.iter().position(|byte| !is_name_byte(*byte)) else {
        return;
    };
    let starts_name = text.first().is_some_and(|byte| is_name_start(*byte));
    let Some((_, value)) = text.get(end..).and_then(equals) else {
        return;
    };
    if !starts_name || dialect != Dialect::Bash {
        return;
    }
    let head = text.len().saturating_sub(value.len());
    let (head, value) = text.split_at(head);
    let mut tail = Word {
        parts: with_literal(value, word.parts.get(1..).unwrap_or_default()),
    };
    mark_tildes_in_value(&mut tail);
    let mut parts = vec![Part::Literal(head.into())];
    for part in tail.parts {
        // Literals that stayed plain join the head again: adjacent ones never occur.
        match (parts.last_mut(), part) {
            (Some(Part::Literal(before)), Part::Literal(after)) => {
                *before = [&**before, &*after].concat().into();
            }
            (_, part) => parts.push(part),
        }
    }
    word.parts = parts;
}

/// Marks a tilde at the start of a word.
pub(crate) fn mark_leading_tilde(word: &mut Word) {
    let Some(Part::Literal(text)) = word.parts.first() else {
        return;
    };
    let more = word.parts.len() > 1;
    if let Some(marked) = tilde(text, more, false) {
        word.parts.splice(0..1, marked);
    }
}

/// Marks tildes at the start of a value and after each `:` in it.
fn mark_tildes_in_value(word: &mut Word) {
    let last = word.parts.len().saturating_sub(1);
    let mut parts = Vec::with_capacity(word.parts.len());
    let mut start = true;
    for (at, part) in std::mem::take(&mut word.parts).into_iter().enumerate() {
        match part {
            Part::Literal(text) => {
                mark_colons(&text, start, at < last, &mut parts);
                start = text.last() == Some(&b':');
            }
            other => {
                parts.push(other);
                start = false;
            }
        }
    }
    word.parts = parts;
}

/// Splits a literal at its colons and marks the tildes that begin the pieces.
fn mark_colons(text: &[u8], start: bool, more: bool, parts: &mut Vec<Part>) {
    let mut literal: Vec<u8> = Vec::new();
    let pieces = text.split(|byte| *byte == b':').count();
    for (at, piece) in text.split(|byte| *byte == b':').enumerate() {
        if at > 0 {
            literal.push(b':');
        }
        let last = at.saturating_add(1) == pieces;
        let marked = if at > 0 || start {
            tilde(piece, more && last, true)
        } else {
            None
        };
        match marked {
            Some(marked) => {
                push_literal(parts, &literal);
                literal.clear();
                for part in marked {
                    match part {
                        Part::Literal(rest) => literal.extend_from_slice(&rest),
                        other => parts.push(other),
                    }
                }
            }
            None => literal.extend_from_slice(piece),
        }
    }
    push_literal(parts, &literal);
}

/// `~name/rest` as a tilde and its rest. `more` says that something that is not plain text follows
/// the literal: the name must then end within it.
fn tilde(text: &[u8], more: bool, _value: bool) -> Option<Vec<Part>> {
    let text = text.strip_prefix(b"~")?;
    let end = text
        .iter()
        .position(|byte| *byte == b'/')
        .unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let named = name
        .iter()
        .all(|byte| is_name_byte(*byte) || matches!(byte, b'-' | b'.' | b'+'));
    if !named || (rest.is_empty() && more) {
        return None;
    }
    let mut parts = vec![Part::Tilde(name.into())];
    push_literal(&mut parts, rest);
    Some(parts)
}
