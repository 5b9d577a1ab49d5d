//! Brace expansion: one word becomes several, before anything else is expanded.
//!
//! `{a,b}` and `{1..10..2}` on the unquoted plain text of a word; what is quoted or expanded stays
//! whole. The words are made one by one, as they are asked for: a few letters stand for any number
//! of them, and whoever keeps them pays for them.

use std::sync::Arc;

use crate::ast::{ParameterName, Part, Word};
use crate::lexer::is_name_byte;
use crate::limit::{MAX_DEPTH, MAX_SEQUENCE_WORDS};
use crate::word::mark_leading_tilde;

/// The words that a word stands for; itself if it has no braces.
#[must_use]
pub fn expand(word: &Word) -> Words {
    let has_brace = |part: &Part| matches!(part, Part::Literal(text) if text.contains(&b'{'));
    if !word.parts.iter().any(has_brace) {
        return whole(word);
    }
    let units = units(word);
    let closers = closers(&units);
    let text = Text {
        units: &units,
        closers: &closers,
    };
    let row = row(&text, 0, units.len(), 0);
    Words {
        count: row.count,
        next: 0,
        source: Source::Row(row),
    }
}

/// The word alone, whatever braces it has: what `set +B` makes of it.
#[must_use]
pub fn whole(word: &Word) -> Words {
    Words {
        source: Source::Word(word.clone()),
        next: 0,
        count: 1,
    }
}

/// What a word expands to, first to last.
#[derive(Debug)]
pub struct Words {
    source: Source,
    next: u64,
    count: u64,
}

#[derive(Debug)]
enum Source {
    Word(Word),
    Row(Row),
}

impl Words {
    /// How many are left; `u64::MAX` stands for more.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.count.saturating_sub(self.next)
    }
}

impl Iterator for Words {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        if self.next >= self.count {
            return None;
        }
        let index = self.next;
        self.next = self.next.saturating_add(1);
        Some(match &mut self.source {
            Source::Word(word) => std::mem::take(word),
            Source::Row(row) => {
                let mut units = Vec::new();
                row.word(index, &mut units);
                to_word(units)
            }
        })
    }
}

/// A byte of plain text, or something that braces do not see into.
#[derive(Debug, Clone)]
enum Unit {
    Byte(u8),
    Whole(Arc<Part>),
}

/// Pieces one behind the other: the last one's choices come fastest.
#[derive(Debug)]
struct Row {
    pieces: Vec<Piece>,
    count: u64,
}

#[derive(Debug)]
struct Piece {
    kind: Kind,
    /// How many choices it has.
    count: u64,
    /// How many words the pieces behind it make of each.
    stride: u64,
}

#[derive(Debug)]
enum Kind {
    Plain(Vec<Unit>),
    Sequence(Sequence),
    /// Rows of which one stands, and how many choices those up to it have together.
    Choice(Vec<(Row, u64)>),
}

/// `1..10..2`, `a..e`.
#[derive(Debug)]
struct Sequence {
    start: i128,
    step: i128,
    letters: bool,
    width: usize,
}

impl Row {
    fn new(mut pieces: Vec<Piece>) -> Self {
        let mut count = 1u64;
        for piece in pieces.iter_mut().rev() {
            piece.stride = count;
            count = count.saturating_mul(piece.count);
        }
        Self { pieces, count }
    }

    /// Adds the word of this number.
    fn word(&self, index: u64, out: &mut Vec<Unit>) {
        for piece in &self.pieces {
            let choices = index.checked_div(piece.stride).unwrap_or(0);
            let choice = choices.checked_rem(piece.count).unwrap_or(0);
            match &piece.kind {
                Kind::Plain(units) => out.extend_from_slice(units),
                Kind::Sequence(sequence) => sequence.item(choice, out),
                Kind::Choice(rows) => {
                    let at = rows.partition_point(|(_, end)| *end <= choice);
                    let before = at.checked_sub(1).and_then(|before| rows.get(before));
                    let begin = before.map_or(0, |(_, end)| *end);
                    if let Some((row, _)) = rows.get(at) {
                        row.word(choice.saturating_sub(begin), out);
                    }
                }
            }
        }
    }
}

impl Sequence {
    fn item(&self, index: u64, out: &mut Vec<Unit>) {
        let value = self.start + i128::from(index) * self.step;
        let width = self.width;
        match (self.letters, u8::try_from(value)) {
            // The backslash between `Z` and `a` quotes nothing and is gone.
            (true, Ok(b'\\')) => {
                out.push(Unit::Whole(Arc::new(Part::SingleQuoted(Vec::new().into()))))
            }
            (true, Ok(byte)) => out.push(Unit::Byte(byte)),
            _ => {
                let text = if value < 0 {
                    format!("-{:0>1$}", -value, width.saturating_sub(1))
                } else {
                    format!("{value:0>width$}")
                };
                out.extend(text.bytes().map(Unit::Byte));
            }
        }
    }
}

struct Text<'a> {
    units: &'a [Unit],
    /// For each `{`, its `}`.
    closers: &'a [Option<usize>],
}

impl Text<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        match self.units.get(at) {
            Some(Unit::Byte(byte)) => Some(*byte),
            _ => None,
        }
    }

    fn closer(&self, at: usize) -> Option<usize> {
        self.closers.get(at).copied().flatten()
    }
}

fn units(word: &Word) -> Vec<Unit> {
    let mut units = Vec::new();
    for part in &word.parts {
        match part {
            Part::Literal(text) => units.extend(text.iter().map(|byte| Unit::Byte(*byte))),
            other => units.push(Unit::Whole(Arc::new(other.clone()))),
        }
    }
    units
}

fn closers(units: &[Unit]) -> Vec<Option<usize>> {
    let mut closers = vec![None; units.len()];
    let mut open = Vec::new();
    for (at, unit) in units.iter().enumerate() {
        match unit {
            Unit::Byte(b'{') => open.push(at),
            Unit::Byte(b'}') => {
                if let Some(slot) = open.pop().and_then(|from| closers.get_mut(from)) {
                    *slot = Some(at);
                }
            }
            _ => {}
        }
    }
    closers
}

fn row(text: &Text<'_>, from: usize, to: usize, depth: u32) -> Row {
    let mut pieces = Vec::new();
    let mut plain = Vec::new();
    let mut at = from;
    while at < to {
        let brace = text.byte(at) == Some(b'{');
        let close = if brace {
            text.closer(at).filter(|close| *close < to)
        } else {
            None
        };
        let found = match close {
            Some(close) if depth < MAX_DEPTH => braces(text, at, close, depth),
            _ => None,
        };
        match (found, close) {
            (Some(piece), Some(close)) => {
                push_plain(&mut pieces, &mut plain);
                pieces.push(piece);
                at = close;
            }
            _ => plain.extend(text.units.get(at).cloned()),
        }
        at = at.saturating_add(1);
    }
    push_plain(&mut pieces, &mut plain);
    Row::new(pieces)
}

fn push_plain(pieces: &mut Vec<Piece>, plain: &mut Vec<Unit>) {
    if !plain.is_empty() {
        pieces.push(Piece {
            kind: Kind::Plain(std::mem::take(plain)),
            count: 1,
            stride: 1,
        });
    }
}

/// What stands between a `{` and its `}`; `None` if they are plain text.
fn braces(text: &Text<'_>, open: usize, close: usize, depth: u32) -> Option<Piece> {
    let first = open.saturating_add(1);
    let mut starts = vec![first];
    let mut at = first;
    while at < close {
        match text.byte(at) {
            Some(b',') => starts.push(at.saturating_add(1)),
            Some(b'{') => at = text.closer(at).unwrap_or(at),
            _ => {}
        }
        at = at.saturating_add(1);
    }
    if starts.len() < 2 {
        return sequence(text, first, close);
    }
    let mut rows = Vec::with_capacity(starts.len());
    let mut count = 0u64;
    for (which, start) in starts.iter().enumerate() {
        let next = starts.get(which.saturating_add(1));
        let end = next.map_or(close, |next| next.saturating_sub(1));
        let row = row(text, *start, end, depth.saturating_add(1));
        count = count.saturating_add(row.count);
        rows.push((row, count));
    }
    Some(Piece {
        kind: Kind::Choice(rows),
        count,
        stride: 1,
    })
}

/// Longest text between the braces of a sequence: three numbers of 64 bits and the dots, with room
/// for leading zeros. Longer texts are not looked at, which keeps deep nesting linear.
const MAX_SEQUENCE_BYTES: usize = 96;

fn sequence(text: &Text<'_>, from: usize, to: usize) -> Option<Piece> {
    if to.saturating_sub(from) > MAX_SEQUENCE_BYTES {
        return None;
    }
    let bytes: Option<Vec<u8>> = (from..to).map(|at| text.byte(at)).collect();
    let bytes = bytes?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let mut fields = text.split("..");
    let (first, last) = (fields.next()?, fields.next()?);
    let step = match fields.next() {
        Some(step) => step.parse::<i64>().ok()?,
        None => 1,
    };
    if fields.next().is_some() {
        return None;
    }
    let (letters, start, end) = match (letter(first), letter(last)) {
        (Some(first), Some(last)) => (true, i64::from(first), i64::from(last)),
        _ => (false, first.parse::<i64>().ok()?, last.parse::<i64>().ok()?),
    };
    let step = i128::from(step.unsigned_abs().max(1));
    let (start, end) = (i128::from(start), i128::from(end));
    let count = u64::try_from((end - start).abs() / step + 1).ok()?;
    if count > MAX_SEQUENCE_WORDS {
        return None;
    }
    Some(Piece {
        kind: Kind::Sequence(Sequence {
            start,
            step: if end < start { -step } else { step },
            letters,
            width: if letters { 0 } else { width(first, last) },
        }),
        count,
        stride: 1,
    })
}

fn letter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii_alphabetic() => Some(*byte),
        _ => None,
    }
}

/// Numbers are padded to one width if either has a leading zero.
fn width(first: &str, last: &str) -> usize {
    let padded = |text: &str| {
        let digits = text.trim_start_matches(['-', '+']);
        digits.len() > 1 && digits.starts_with('0')
    };
    if padded(first) || padded(last) {
        first.len().max(last.len())
    } else {
        0
    }
}

fn to_word(units: Vec<Unit>) -> Word {
    let mut parts = Vec::new();
    let mut literal = Vec::new();
    for unit in units {
        match unit {
            Unit::Byte(byte) => literal.push(byte),
            Unit::Whole(part) => {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal).into()));
                }
                parts.push((*part).clone());
            }
        }
        // What stands behind a `$name` may belong to the name now: `{$a,b}c`.
        let name = match parts.last_mut() {
            Some(Part::Parameter(parameter)) if !parameter.braced && literal.len() == 1 => {
                match &mut parameter.name {
                    ParameterName::Variable(name) => Some(name),
                    _ => None,
                }
            }
            _ => None,
        };
        if let Some(name) = name
            && literal.iter().all(|byte| is_name_byte(*byte))
        {
            *name = [name.as_ref(), &std::mem::take(&mut literal)]
                .concat()
                .into();
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal.into()));
    }
    let mut word = Word { parts };
    mark_leading_tilde(&mut word);
    word
}
