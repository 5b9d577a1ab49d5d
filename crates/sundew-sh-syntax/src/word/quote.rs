//! Backslashes, `'…'`, `"…"`, `$'…'` and backquotes.

use crate::ast::{Bytes, Part};
use crate::error::Unclosed;
use crate::limit::MAX_REPARSE_DEPTH;
use crate::parser::{Parse, Parser};
use crate::word::{Collector, Until, Within};

impl Parser<'_> {
    /// A backslash outside quotes; backslash-newline is already gone.
    pub(super) fn backslash(&mut self, out: &mut Collector) {
        self.bump();
        match self.raw() {
            Some(byte) => {
                self.bump();
                out.part(Part::Escaped(byte));
            }
            // At the end of the text it stands for itself, quoted: it would quote what came after.
            None => out.part(Part::Escaped(b'\\')),
        }
    }

    /// A backslash in quoted text: it quotes a few characters and is itself before the others.
    pub(super) fn quoted_backslash(&mut self, within: Within, out: &mut Collector) {
        self.bump();
        let quotes = match self.raw() {
            Some(b'$' | b'`' | b'\\') => true,
            Some(b'"') => within != Within::HereDocument,
            Some(b'}') => within == Within::Brace,
            _ => false,
        };
        if within == Within::Brace && self.bash() && self.raw() == Some(b'\'') {
            // It begins no pair of quotes.
            out.literal.extend_from_slice(b"\\'");
            self.bump();
            return;
        }
        match self.raw() {
            Some(byte) if quotes => {
                self.bump();
                out.part(Part::Escaped(byte));
            }
            _ => out.push(b'\\'),
        }
    }

    pub(super) fn single_quoted(&mut self) -> Parse<Bytes> {
        let line = self.at.line;
        self.bump();
        let start = self.at.position;
        while let Some(byte) = self.raw() {
            if byte == b'\'' {
                let text = self
                    .text
                    .get(start..self.at.position)
                    .unwrap_or_default()
                    .into();
                self.bump();
                return Ok(text);
            }
            self.bump();
        }
        self.unclosed(b'\'', Unclosed::Quote, line)
    }

    /// `'…'` in an arithmetic text: the quotes stay, but hide parentheses.
    pub(super) fn raw_single_quoted(&mut self, out: &mut Collector) -> Parse<()> {
        let text = self.single_quoted()?;
        out.push(b'\'');
        out.literal.extend_from_slice(&text);
        out.push(b'\'');
        Ok(())
    }

    /// `'…'` in `"${x:-…}"`: bash looks for the second quote and lets both stand, with what is
    /// between them expanded.
    pub(super) fn single_quotes_between_double(&mut self, out: &mut Collector) -> Parse<()> {
        let line = self.at.line;
        let text = self.single_quoted()?;
        out.push(b'\'');
        if text.iter().any(|byte| matches!(byte, b'$' | b'`' | b'\\')) {
            let mut inner = self.inner(&text, line)?;
            // The newline that a last line is given is not part of the text.
            inner.text = std::borrow::Cow::Borrowed(&text);
            let word = inner.here_document_word()?;
            self.worked(usize::try_from(inner.work()).unwrap_or(usize::MAX));
            for part in word.parts {
                match part {
                    Part::Literal(text) => out.literal.extend_from_slice(&text),
                    part => out.part(part),
                }
            }
        } else {
            let plain = text.iter().filter(|byte| **byte != b'"');
            out.literal.extend(plain);
        }
        out.push(b'\'');
        Ok(())
    }

    pub(super) fn double_quoted(&mut self) -> Parse<Vec<Part>> {
        let line = self.at.line;
        self.enter()?;
        self.bump();
        let mut out = Collector::default();
        self.quoted(Within::Double, &mut out)?;
        if !self.eat(b'"') {
            return self.unclosed(b'"', Unclosed::Quote, line);
        }
        self.leave();
        Ok(out.finish())
    }

    /// `$'…'`; the position is at the quote.
    pub(super) fn ansi_quoted(&mut self) -> Parse<Bytes> {
        let line = self.at.line;
        self.bump();
        let start = self.at.position;
        while let Some(byte) = self.raw() {
            if byte == b'\'' {
                let text = decode_ansi(self.text.get(start..self.at.position).unwrap_or_default());
                self.bump();
                return Ok(text.into());
            }
            self.bump();
            if byte == b'\\' {
                self.bump();
            }
        }
        self.unclosed(b'\'', Unclosed::Quote, line)
    }

    /// `` `…` ``; `double` tells whether it stands directly between double quotes, where `\"` is
    /// treated too.
    pub(super) fn backquoted(&mut self, double: bool) -> Parse<Part> {
        let line = self.at.line;
        self.bump();
        let mut text = Vec::new();
        let mut typed = Vec::new();
        loop {
            // Joined lines are joined before anything else is looked at.
            let Some(byte) = self.peek() else {
                return self.unclosed(b'`', Unclosed::Backquote, line);
            };
            self.bump();
            if byte == b'`' {
                break;
            }
            typed.push(byte);
            let next = if byte == b'\\' { self.raw() } else { None };
            match next {
                Some(next @ (b'$' | b'`' | b'\\' | b'"')) if next != b'"' || double => {
                    self.bump();
                    typed.push(next);
                    text.push(next);
                }
                _ => text.push(byte),
            }
        }
        if !self.bash() {
            self.check_backquoted(&text, line)?;
        }
        Ok(Part::Backquoted {
            text: text.into(),
            typed: typed.into(),
        })
    }

    /// dash reads the commands between backquotes at once, so an error there is the line's.
    fn check_backquoted(&mut self, text: &[u8], line: u32) -> Parse<()> {
        if self.reparse >= MAX_REPARSE_DEPTH {
            return self.too_deep();
        }
        let mut inner = self.inner(text, line)?;
        let result = inner.whole_text();
        let work = inner.work();
        self.worked(usize::try_from(work).unwrap_or(usize::MAX));
        result
    }

    /// An extended pattern's `( … )`; it stays plain text with whatever is quoted in it.
    pub(super) fn extended_glob(&mut self, out: &mut Collector) -> Parse<()> {
        self.enter()?;
        self.bump();
        out.push(b'(');
        self.unquoted(Until::Parenthesis, out)?;
        self.bump();
        out.push(b')');
        self.leave();
        Ok(())
    }
}

/// Decodes the escapes of `$'…'`; the text ends at a NUL.
fn decode_ansi(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&letter, after)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        rest = after;
        let Some(stop) = decode_escape(letter, &mut rest, &mut out) else {
            break;
        };
        if stop {
            break;
        }
    }
    out
}

/// Decodes one escape; `Some(true)` when it was a NUL, at which the text ends.
fn decode_escape(letter: u8, rest: &mut &[u8], out: &mut Vec<u8>) -> Option<bool> {
    let simple = match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b'e' | b'E' => 0x1b,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' | b'\'' | b'"' | b'?' => letter,
        b'0'..=b'7' => {
            let mut value = u32::from(letter.wrapping_sub(b'0'));
            digits(rest, 8, 2, &mut value);
            return Some(push_or_stop(value & 0xff, out));
        }
        b'x' => {
            let braced = rest.first() == Some(&b'{');
            if braced {
                *rest = rest.get(1..)?;
            }
            let mut value = 0;
            let count = digits(rest, 16, if braced { usize::MAX } else { 2 }, &mut value);
            if braced && rest.first() == Some(&b'}') {
                *rest = rest.get(1..)?;
            }
            if count == 0 {
                out.extend_from_slice(b"\\x");
                return Some(false);
            }
            return Some(push_or_stop(value & 0xff, out));
        }
        b'u' | b'U' => {
            let mut value = 0;
            let count = digits(rest, 16, if letter == b'u' { 4 } else { 8 }, &mut value);
            if count == 0 {
                out.extend_from_slice(&[b'\\', letter]);
                return Some(false);
            }
            if value == 0 {
                return Some(true);
            }
            push_utf8(value, out);
            return Some(false);
        }
        b'c' => {
            let (&byte, after) = rest.split_first()?;
            *rest = after;
            if byte == b'\\' && rest.first() == Some(&b'\\') {
                *rest = rest.get(1..)?;
            }
            let control = if byte == b'?' {
                0x7f
            } else {
                byte.to_ascii_uppercase() & 0x1f
            };
            return Some(push_or_stop(u32::from(control), out));
        }
        _ => {
            out.extend_from_slice(&[b'\\', letter]);
            return Some(false);
        }
    };
    out.push(simple);
    Some(false)
}

fn push_or_stop(value: u32, out: &mut Vec<u8>) -> bool {
    match u8::try_from(value) {
        Ok(0) | Err(_) => true,
        Ok(byte) => {
            out.push(byte);
            false
        }
    }
}

/// Reads up to `most` digits; keeps the low 32 bits.
fn digits(rest: &mut &[u8], base: u32, most: usize, value: &mut u32) -> usize {
    let mut count = 0;
    while count < most {
        let Some((&byte, after)) = rest.split_first() else {
            break;
        };
        let Some(digit) = char::from(byte).to_digit(base) else {
            break;
        };
        *value = value.wrapping_mul(base).wrapping_add(digit);
        *rest = after;
        count = count.saturating_add(1);
    }
    count
}

/// Bash encodes any number below 2^31 in UTF-8's old, longer scheme; past Unicode we write `?`.
fn push_utf8(value: u32, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    let character = char::from_u32(value).unwrap_or('?');
    out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
}
