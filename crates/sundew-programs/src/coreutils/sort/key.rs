//! Sort keys: `-k 2,3nr`, `+1 -2`.

use crate::coreutils::input::decimal;

/// How a key is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) blanks: bool,
    pub(super) dictionary: bool,
    pub(super) fold: bool,
    pub(super) general: bool,
    pub(super) human: bool,
    pub(super) printing: bool,
    pub(super) month: bool,
    pub(super) numeric: bool,
    pub(super) reverse: bool,
    pub(super) random: bool,
    pub(super) version: bool,
}

impl Flags {
    /// Sets the option of a letter; whether it is one.
    pub(super) fn set(&mut self, letter: u8) -> bool {
        match letter {
            b'b' => self.blanks = true,
            b'd' => self.dictionary = true,
            b'f' => self.fold = true,
            b'g' => self.general = true,
            b'h' => self.human = true,
            b'i' => self.printing = true,
            b'M' => self.month = true,
            b'n' => self.numeric = true,
            b'r' => self.reverse = true,
            b'R' => self.random = true,
            b'V' => self.version = true,
            _ => return false,
        }
        true
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The letters of orders that exclude each other.
    pub(super) fn clash(&self) -> Option<String> {
        let text = self.dictionary || self.printing;
        let kinds = [
            (text, if self.dictionary { 'd' } else { 'i' }),
            (self.general, 'g'),
            (self.human, 'h'),
            (self.month, 'M'),
            (self.numeric, 'n'),
            (self.random, 'R'),
            (self.version, 'V'),
        ];
        let set: Vec<char> = kinds
            .iter()
            .filter(|kind| kind.0)
            .map(|kind| kind.1)
            .collect();
        let harmless = set.len() == 2 && text && (self.random || self.version);
        (set.len() > 1 && !harmless).then(|| set.into_iter().collect())
    }
}

/// A part of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Field and character, from 0.
    start: (usize, usize),
    start_blanks: bool,
    /// Field and character behind the end, from 0; a character of 0 means the field's end.
    end: Option<(usize, usize)>,
    end_blanks: bool,
    pub(super) flags: Flags,
}

type Refused = (&'static str, Vec<u8>);

impl Key {
    /// Reads `F[.C][OPTS][,F[.C][OPTS]]`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Refused> {
        let bad = |what: &'static str, word: &[u8]| (what, word.to_vec());
        let mut flags = Flags::default();
        let (field, mut rest) = number(text).ok_or_else(|| {
            bad(
                "invalid number at field start: invalid count at start of",
                text,
            )
        })?;
        if field == 0 {
            return Err(bad(
                "field number is zero: invalid field specification",
                text,
            ));
        }
        let mut char = 1;
        if let Some(after) = rest.strip_prefix(b".") {
            let found = number(after)
                .ok_or_else(|| bad("invalid number after '.': invalid count at start of", after))?;
            if found.0 == 0 {
                return Err(bad(
                    "character offset is zero: invalid field specification",
                    text,
                ));
            }
            (char, rest) = found;
        }
        let (start_blanks, after) = letters(rest, &mut flags);
        rest = after;
        let (mut end, mut end_blanks) = (None, false);
        if let Some(after) = rest.strip_prefix(b",") {
            let (field, after) = number(after)
                .ok_or_else(|| bad("invalid number after ',': invalid count at start of", after))?;
            if field == 0 {
                return Err(bad(
                    "field number is zero: invalid field specification",
                    text,
                ));
            }
            rest = after;
            let mut last = 0;
            if let Some(after) = rest.strip_prefix(b".") {
                let found = number(after).ok_or_else(|| {
                    bad("invalid number after '.': invalid count at start of", after)
                })?;
                (last, rest) = found;
            }
            end = Some((field - 1, last));
            let (blanks, after) = letters(rest, &mut flags);
            end_blanks = blanks;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(bad(
                "stray character in field spec: invalid field specification",
                text,
            ));
        }
        Ok(Self {
            start: (field - 1, char - 1),
            start_blanks,
            end,
            end_blanks,
            flags,
        })
    }

    /// The key's part of `line`.
    pub(super) fn of<'a>(&self, line: &'a [u8], separator: Option<u8>) -> &'a [u8] {
        let blanks = self.flags.blanks;
        let mut start = field_start(line, self.start.0, separator);
        if self.start_blanks || blanks {
            start = skip_blanks(line, start);
        }
        start = (start.saturating_add(self.start.1)).min(line.len());
        let end = match self.end {
            None => line.len(),
            Some((field, 0)) => field_end(line, field, separator),
            Some((field, char)) => {
                let mut at = field_start(line, field, separator);
                if self.end_blanks || blanks {
                    at = skip_blanks(line, at);
                }
                at.saturating_add(char).min(line.len())
            }
        };
        line.get(start..end.max(start)).unwrap_or_default()
    }
}

/// `+F.C`: the old way, fields from 0.
pub(super) fn old_style(text: &[u8]) -> Option<Key> {
    let rest = text.strip_prefix(b"+")?;
    let (field, mut rest) = number(rest)?;
    let mut char = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        (char, rest) = number(after)?;
    }
    let mut flags = Flags::default();
    let (start_blanks, rest) = letters(rest, &mut flags);
    rest.is_empty().then_some(Key {
        start: (field, char),
        start_blanks,
        end: None,
        end_blanks: false,
        flags,
    })
}

fn number(text: &[u8]) -> Option<(usize, &[u8])> {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let value = decimal(digits)
        .and_then(|value| usize::try_from(value).ok())
        .unwrap_or(usize::MAX);
    Some((value, rest))
}

/// Reads option letters; whether `b` was among them, which counts for this end alone.
fn letters<'a>(text: &'a [u8], flags: &mut Flags) -> (bool, &'a [u8]) {
    let (mut blanks, mut rest) = (false, text);
    while let Some((&letter, after)) = rest.split_first() {
        if letter == b'b' {
            blanks = true;
        } else if !flags.set(letter) {
            break;
        }
        rest = after;
    }
    (blanks, rest)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t' || byte == b'\n'
}

fn skip_blanks(line: &[u8], from: usize) -> usize {
    let rest = line.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is_blank(**byte)).count()
}

/// Where field `count` (from 0) begins; without a separator its leading blanks belong to it.
fn field_start(line: &[u8], count: usize, separator: Option<u8>) -> usize {
    let mut at = 0;
    for _ in 0..count {
        if at >= line.len() {
            break;
        }
        at = match separator {
            Some(separator) => match find(line, at, |byte| byte == separator) {
                Some(found) => found + 1,
                None => line.len(),
            },
            None => end_of_word(line, at),
        };
    }
    at
}

fn field_end(line: &[u8], count: usize, separator: Option<u8>) -> usize {
    let start = field_start(line, count, separator);
    match separator {
        Some(separator) => find(line, start, |byte| byte == separator).unwrap_or(line.len()),
        None => end_of_word(line, start),
    }
}

fn end_of_word(line: &[u8], from: usize) -> usize {
    let word = skip_blanks(line, from);
    find(line, word, is_blank).unwrap_or(line.len())
}

fn find(line: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    line.get(from..)?
        .iter()
        .position(|byte| wanted(*byte))
        .map(|at| from + at)
}
