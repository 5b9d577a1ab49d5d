//! Brace expansion: one word becomes several, before anything else is expanded.
//!
//! `{a,b}` and `{1..10..2}` on the unquoted plain text of a word; what is quoted or expanded stays
//! whole. A word whose expansion would pass the limits stays as typed.

use crate::ast::{ParameterName, Part, Word};
use crate::lexer::is_name_byte;
use crate::limit::{MAX_BRACE_BYTES, MAX_BRACE_WORDS, MAX_DEPTH};
use crate::word::mark_leading_tilde;

/// The words that a word stands for; itself if it has no braces.
#[must_use]
pub fn expand(word: &Word) -> Vec<Word> {
    let has_brace = |part: &Part| matches!(part, Part::Literal(text) if text.contains(&b'{'));
    if !word.parts.iter().any(has_brace) {
        return vec![word.clone()];
    }
    let units = units(word);
    let mut budget = Budget {
        words: MAX_BRACE_WORDS,
        bytes: MAX_BRACE_BYTES,
    };
    let closers = closers(&units);
    match expand_units(
        &Text {
            units: &units,
            closers: &closers,
        },
        0,
        units.len(),
        &mut budget,
        0,
    ) {
        Some(words) => words.into_iter().map(to_word).collect(),
        None => vec![word.clone()],
    }
}

/// A byte of plain text, or something that braces do not see into.
#[derive(Clone)]
enum Unit {
    Byte(u8),
    Whole(std::sync::Arc<Part>),
}

struct Budget {
    words: usize,
    bytes: usize,
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
            other => units.push(Unit::Whole(std::sync::Arc::new(other.clone()))),
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

/// `None` if the budget is spent.
fn expand_units(
    text: &Text<'_>,
    from: usize,
    to: usize,
    budget: &mut Budget,
    depth: u32,
) -> Option<Vec<Vec<Unit>>> {
    let mut words: Vec<Vec<Unit>> = vec![Vec::new()];
    let mut at = from;
    while at < to {
        let brace = text.byte(at) == Some(b'{');
        let close = if brace {
            text.closer(at).filter(|close| *close < to)
        } else {
            None
        };
        let choices = match close {
            Some(close) if depth < MAX_DEPTH => choices(text, at, close, budget, depth)?,
            _ => None,
        };
        match (choices, close) {
            (Some(choices), Some(close)) => {
                words = multiply(&words, &choices, budget)?;
                at = close;
            }
            _ => {
                let unit = text.units.get(at)?;
                for word in &mut words {
                    budget.bytes = budget.bytes.checked_sub(1)?;
                    word.push(unit.clone());
                }
            }
        }
        at = at.saturating_add(1);
    }
    Some(words)
}

fn multiply(
    words: &[Vec<Unit>],
    choices: &[Vec<Unit>],
    budget: &mut Budget,
) -> Option<Vec<Vec<Unit>>> {
    let count = words.len().checked_mul(choices.len())?;
    if count > budget.words {
        return None;
    }
    let mut product = Vec::with_capacity(count);
    for word in words {
        for choice in choices {
            let length = word.len().saturating_add(choice.len());
            budget.bytes = budget.bytes.checked_sub(length)?;
            product.push(word.iter().chain(choice).cloned().collect());
        }
    }
    Some(product)
}

/// What stands between a `{` and its `}`; the inner `None` if they are plain text.
fn choices(
    text: &Text<'_>,
    open: usize,
    close: usize,
    budget: &mut Budget,
    depth: u32,
) -> Option<Option<Vec<Vec<Unit>>>> {
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
        return sequence(text, first, close, budget);
    }
    let mut all = Vec::new();
    for (which, start) in starts.iter().enumerate() {
        let next = starts.get(which.saturating_add(1));
        let end = next.map_or(close, |next| next.saturating_sub(1));
        all.extend(expand_units(
            text,
            *start,
            end,
            budget,
            depth.saturating_add(1),
        )?);
        if all.len() > budget.words {
            return None;
        }
    }
    Some(Some(all))
}

/// `1..10..2`, `a..e`.
fn sequence(
    text: &Text<'_>,
    from: usize,
    to: usize,
    budget: &mut Budget,
) -> Option<Option<Vec<Vec<Unit>>>> {
    if to.saturating_sub(from) > MAX_SEQUENCE_BYTES {
        return Some(None);
    }
    let bytes: Option<Vec<u8>> = (from..to).map(|at| text.byte(at)).collect();
    let Some(items) = bytes
        .as_deref()
        .and_then(|bytes| numbers(bytes, budget.words))
    else {
        return Some(None);
    };
    let Items::All(items) = items else {
        return None;
    };
    let total: usize = items.iter().map(Vec::len).sum();
    budget.bytes = budget.bytes.checked_sub(total)?;
    Some(Some(
        items
            .into_iter()
            .map(|item| match item.as_slice() {
                // The backslash between `Z` and `a` quotes nothing and is gone.
                b"\\" => vec![Unit::Whole(std::sync::Arc::new(Part::SingleQuoted(
                    Vec::new().into(),
                )))],
                _ => item.into_iter().map(Unit::Byte).collect(),
            })
            .collect(),
    ))
}

/// Longest text between the braces of a sequence: three numbers of 64 bits and the dots, with room
/// for leading zeros. Longer texts are not looked at, which keeps deep nesting linear.
const MAX_SEQUENCE_BYTES: usize = 96;

enum Items {
    All(Vec<Vec<u8>>),
    TooMany,
}

fn numbers(bytes: &[u8], most: usize) -> Option<Items> {
    let text = std::str::from_utf8(bytes).ok()?;
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
    let width = if letters { 0 } else { width(first, last) };
    let step = i128::from(step.unsigned_abs().max(1));
    let (start, end) = (i128::from(start), i128::from(end));
    let count = (end - start).abs() / step;
    if count >= i128::try_from(most).unwrap_or(i128::MAX) {
        return Some(Items::TooMany);
    }
    let signed = if end < start { -step } else { step };
    let items = (0..=count).map(|index| {
        let value = start + index * signed;
        match (letters, u8::try_from(value)) {
            (true, Ok(byte)) => vec![byte],
            _ if value < 0 => format!("-{:0>1$}", -value, width.saturating_sub(1)).into_bytes(),
            _ => format!("{value:0>width$}").into_bytes(),
        }
    });
    Some(Items::All(items.collect()))
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
