//! Words: unquoted text, quoted text, and what ends each.
//!
//! Two loops read everything. [`Parser::unquoted`] is used where quotes quote and blanks may end
//! the text; [`Parser::quoted`] where the text behaves as between double quotes. What ends the text
//! is the [`Until`] or [`Within`] they are given.

use crate::ast::{Part, Word};
use crate::error::Unclosed;
use crate::lexer::Place;
use crate::parser::{Parse, Parser};

mod array;
mod assignment;
mod dollar;
mod parameter;
mod quote;

pub(crate) use assignment::{mark_leading_tilde, mark_tilde};

/// What ends unquoted text. The ending character is left in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// A blank or operator.
    Blank(Place),
    /// `}`
    Brace,
    /// `}` or `/`
    BraceOrSlash,
    /// `}` or a `:` that is not part of `?:`
    BraceOrColon,
    /// The `]` of a subscript.
    Bracket,
    /// The `]` of a subscript in `${…}`, or `}`.
    BraceOrBracket,
    /// The `)` of an extended pattern.
    Parenthesis,
    /// A blank outside parentheses: the right side of `=~`.
    Regex,
}

/// What ends text that is quoted by its surroundings. The ending character is left in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// `"`
    Double,
    /// The `}` of an expansion between double quotes.
    Brace,
    /// The end of the text.
    HereDocument,
    /// `)` of `((`
    Arithmetic,
    /// `)` or `;` of `for ((`
    ArithmeticSection,
    /// `]` of `$[`
    Bracket,
}

/// Parts being collected; adjacent plain text becomes one part.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(crate) parts: Vec<Part>,
    pub(crate) literal: Vec<u8>,
}

impl Collector {
    pub(crate) fn push(&mut self, byte: u8) {
        self.literal.push(byte);
    }

    pub(crate) fn part(&mut self, part: Part) {
        self.flush();
        self.parts.push(part);
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts
                .push(Part::Literal(std::mem::take(&mut self.literal).into()));
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Part> {
        self.flush();
        self.parts
    }
}

impl Parser<'_> {
    /// A word of a command, with its tildes marked.
    pub(crate) fn plain_word(&mut self, place: Place) -> Parse<Word> {
        let mut out = Collector::default();
        if place == Place::Element && self.peek() == Some(b'[') {
            self.element_subscript(&mut out)?;
        }
        self.unquoted(Until::Blank(place), &mut out)?;
        let mut word = Word {
            parts: out.finish(),
        };
        if place == Place::Element {
            // `(a=~)` is no assignment.
            mark_leading_tilde(&mut word);
        } else {
            mark_tilde(&mut word, self.options.dialect);
        }
        Ok(word)
    }

    /// The right side of `=~`.
    pub(crate) fn regex_word(&mut self) -> Parse<Word> {
        let mut out = Collector::default();
        self.unquoted(Until::Regex, &mut out)?;
        Ok(Word {
            parts: out.finish(),
        })
    }

    /// The body of a here-document: the whole text.
    pub(crate) fn here_document_word(&mut self) -> Parse<Word> {
        let mut out = Collector::default();
        self.quoted(Within::HereDocument, &mut out)?;
        Ok(Word {
            parts: out.finish(),
        })
    }

    /// Unquoted text up to its end.
    pub(crate) fn unquoted(&mut self, until: Until, out: &mut Collector) -> Parse<()> {
        let line = self.at.line;
        let mut nest = Nest::default();
        loop {
            self.run(out, is_plain_unquoted);
            let Some(byte) = self.peek() else {
                return self.unquoted_end(until, line);
            };
            if nest.ends(until, byte) {
                return Ok(());
            }
            match byte {
                b'\\' => self.backslash(out),
                b'\'' => {
                    let text = self.single_quoted()?;
                    out.part(Part::SingleQuoted(text));
                }
                b'"' => {
                    let parts = self.double_quoted()?;
                    out.part(Part::DoubleQuoted(parts));
                }
                b'`' => {
                    let part = self.backquoted(false)?;
                    out.part(part);
                }
                b'$' => self.dollar(false, out)?,
                _ => {
                    if !self.structural(until, byte, out)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Characters that are special in some unquoted texts; false if the word ends here.
    fn structural(&mut self, until: Until, byte: u8, out: &mut Collector) -> Parse<bool> {
        let blank = matches!(until, Until::Blank(_));
        match byte {
            b'<' | b'>' if blank && self.at_process_substitution() => {
                let part = self.process_substitution(byte)?;
                out.part(part);
                return Ok(true);
            }
            b'(' if blank => {
                if self.options.extended_globs && opens_extended_glob(out) {
                    self.extended_glob(out)?;
                    return Ok(true);
                }
                return self.array_or_end(until, out);
            }
            b'[' if until == Until::Blank(Place::Command)
                && self.bash()
                && assignment::may_take_subscript(out) =>
            {
                self.subscript_text(out)?;
                return Ok(true);
            }
            b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')' | b'<' | b'>' if blank => {
                return Ok(false);
            }
            _ => {}
        }
        out.push(byte);
        self.bump();
        Ok(true)
    }

    fn unquoted_end(&self, until: Until, line: u32) -> Parse<()> {
        match until {
            Until::Blank(_) | Until::Regex => Ok(()),
            Until::Brace | Until::BraceOrSlash | Until::BraceOrColon | Until::BraceOrBracket => {
                self.unclosed(b'}', Unclosed::Brace, line)
            }
            Until::Bracket => self.unclosed(b']', Unclosed::Bracket, line),
            Until::Parenthesis => self.unclosed(b')', Unclosed::Parenthesis, line),
        }
    }

    /// Text quoted by its surroundings, up to its end.
    pub(crate) fn quoted(&mut self, within: Within, out: &mut Collector) -> Parse<()> {
        let line = self.at.line;
        let mut nest = 0_usize;
        loop {
            self.run(out, is_plain_quoted);
            let Some(byte) = self.peek() else {
                return self.quoted_end(within, line);
            };
            match byte {
                b'"' if within == Within::Double => return Ok(()),
                b'}' if within == Within::Brace => return Ok(()),
                b']' if within == Within::Bracket && nest == 0 => return Ok(()),
                b')' if within.is_parenthesised() && nest == 0 => return Ok(()),
                b';' if within == Within::ArithmeticSection && nest == 0 => return Ok(()),
                b'\\' => self.quoted_backslash(within, out),
                b'`' => {
                    let part = self.backquoted(within == Within::Double)?;
                    out.part(part);
                }
                b'$' => self.dollar(true, out)?,
                // The others do not quote in an expression.
                b'"' if within.is_parenthesised() && !self.bash() => {
                    out.push(byte);
                    self.bump();
                }
                b'"' if within != Within::HereDocument => {
                    let parts = self.double_quoted()?;
                    out.part(Part::DoubleQuoted(parts));
                }
                b'\'' if within.is_parenthesised() => self.raw_single_quoted(out)?,
                b'\'' if within == Within::Brace && self.bash() => {
                    self.single_quotes_between_double(out)?;
                }
                _ => {
                    match (within, byte) {
                        (Within::Bracket, b'[') => nest = nest.saturating_add(1),
                        (Within::Bracket, b']') => nest = nest.saturating_sub(1),
                        (_, b'(') if within.is_parenthesised() => nest = nest.saturating_add(1),
                        (_, b')') if within.is_parenthesised() => nest = nest.saturating_sub(1),
                        _ => {}
                    }
                    out.push(byte);
                    self.bump();
                }
            }
        }
    }

    fn quoted_end(&self, within: Within, line: u32) -> Parse<()> {
        match within {
            Within::HereDocument => Ok(()),
            Within::Double => self.unclosed(b'"', Unclosed::Quote, line),
            // dash only sees the quotes around it.
            Within::Brace => self.unclosed(b'}', Unclosed::Quote, line),
            Within::Arithmetic | Within::ArithmeticSection => {
                self.unclosed(b')', Unclosed::Arithmetic, line)
            }
            Within::Bracket => self.unclosed(b']', Unclosed::Bracket, line),
        }
    }

    /// Takes plain bytes at once.
    fn run(&mut self, out: &mut Collector, plain: fn(u8) -> bool) {
        let rest = self.text.get(self.at.position..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !plain(*byte))
            .unwrap_or(rest.len());
        out.literal
            .extend_from_slice(rest.get(..length).unwrap_or_default());
        self.at.position = self.at.position.saturating_add(length);
        self.worked(length);
    }
}

impl Within {
    fn is_parenthesised(self) -> bool {
        matches!(self, Self::Arithmetic | Self::ArithmeticSection)
    }
}

/// Brackets open inside an unquoted text.
#[derive(Default)]
struct Nest {
    brackets: usize,
    questions: usize,
}

impl Nest {
    /// Whether this byte ends the text; if not, counts it.
    fn ends(&mut self, until: Until, byte: u8) -> bool {
        let (open, close) = match until {
            Until::BraceOrBracket if byte == b'}' => return true,
            Until::Bracket | Until::BraceOrBracket => (b'[', b']'),
            Until::Regex | Until::BraceOrColon | Until::Parenthesis => (b'(', b')'),
            Until::Blank(_) => return false,
            Until::Brace => return byte == b'}',
            Until::BraceOrSlash => return matches!(byte, b'}' | b'/'),
        };
        if byte == open {
            self.brackets = self.brackets.saturating_add(1);
            return false;
        }
        if byte == close && self.brackets > 0 {
            self.brackets = self.brackets.saturating_sub(1);
            return false;
        }
        match until {
            Until::Regex => {
                self.brackets == 0 && matches!(byte, b' ' | b'\t' | b'\n' | b')' | b';' | b'&')
            }
            Until::BraceOrColon => match byte {
                b'}' => true,
                b'?' => {
                    self.questions = self.questions.saturating_add(1);
                    false
                }
                b':' if self.questions > 0 => {
                    self.questions = self.questions.saturating_sub(1);
                    false
                }
                b':' => self.brackets == 0,
                _ => false,
            },
            _ => byte == close,
        }
    }
}

/// Whether `(` here belongs to an extended pattern: one of `?*+@!` stands in front.
fn opens_extended_glob(out: &Collector) -> bool {
    matches!(out.literal.last(), Some(b'?' | b'*' | b'+' | b'@' | b'!'))
}

fn is_plain_unquoted(byte: u8) -> bool {
    // `]`, `}`, `/`, `:` and `?` end or nest some texts; they take the slow path in all.
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b',' | b'=' | b'%' | b'@' | b'+')
        || byte >= 0x80
}

fn is_plain_quoted(byte: u8) -> bool {
    !matches!(
        byte,
        b'"' | b'}' | b']' | b'[' | b')' | b'(' | b';' | b'\\' | b'`' | b'$' | b'\'' | b'\n'
    )
}
