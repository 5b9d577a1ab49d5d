//! What `$` begins, and process substitution.

use std::sync::Arc;

use crate::ast::{List, Operation, Parameter, ParameterName, Part, Special, Word};
use crate::error::{ErrorKind, Unclosed};
use crate::lexer::{Glance, Operator, Place, is_name_byte, is_name_start};
use crate::parser::{Parse, Parser, Stop, Warning};
use crate::word::{Collector, Within};

impl Parser<'_> {
    /// An expansion, or a `$` that is only itself.
    pub(super) fn dollar(&mut self, quoted: bool, out: &mut Collector) -> Parse<()> {
        let start = self.at.position;
        self.bump();
        let Some(byte) = self.peek() else {
            out.push(b'$');
            return Ok(());
        };
        let part = match byte {
            b'(' => self.parenthesised()?,
            b'{' => self.braced(start, quoted)?,
            b'[' if self.bash() => self.old_arithmetic()?,
            b'\'' if !quoted && !self.dash() => Part::AnsiQuoted(self.ansi_quoted()?),
            b'"' if !quoted && self.bash() => Part::Translated(self.double_quoted()?),
            _ => match self.short_name(byte) {
                Some(name) => Part::Parameter(Box::new(Parameter {
                    name,
                    index: None,
                    indirect: false,
                    braced: false,
                    operation: Operation::Value,
                })),
                None => {
                    out.push(b'$');
                    return Ok(());
                }
            },
        };
        out.part(part);
        Ok(())
    }

    fn short_name(&mut self, byte: u8) -> Option<ParameterName> {
        if is_name_start(byte) {
            return Some(ParameterName::Variable(self.name().into()));
        }
        let name = match byte {
            b'1'..=b'9' => ParameterName::Positional(u32::from(byte.wrapping_sub(b'0'))),
            _ => ParameterName::Special(Special::from_byte(byte)?),
        };
        self.bump();
        Some(name)
    }

    /// Letters, digits and underscores.
    pub(super) fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| is_name_byte(*byte)) {
            self.bump();
            name.push(byte);
        }
        name
    }

    /// `$(`: arithmetic or a command.
    fn parenthesised(&mut self) -> Parse<Part> {
        let line = self.at.line;
        let arithmetic = self.raw_after(1) == Some(b'(');
        if arithmetic && let Some(expression) = self.double_parenthesis()? {
            return Ok(Part::Arithmetic {
                expression,
                brackets: false,
            });
        }
        self.bump();
        if arithmetic && self.bash() {
            return self.deferred(line);
        }
        let list = self.substitution()?;
        Ok(Part::Command(Arc::new(list)))
    }

    /// What follows `$(` if that looked like arithmetic and is none: text up to the `)` that matches.
    fn deferred(&mut self, line: u32) -> Parse<Part> {
        self.enter()?;
        let start = self.at.position;
        let mut out = Collector::default();
        match self.quoted(Within::Arithmetic, &mut out) {
            Ok(()) => {}
            Err(mut stop) => {
                if let Stop::Error(error) = &mut *stop
                    && matches!(error.kind, ErrorKind::Unclosed { closer: b')', .. })
                {
                    error.line = line;
                }
                return Err(stop);
            }
        }
        let text = self.text.get(start..self.at.position).unwrap_or_default();
        let text = text.into();
        self.bump();
        self.leave();
        Ok(Part::Deferred(text))
    }

    /// `((` … `))`, if that is what stands at the position; otherwise the position is unchanged.
    pub(crate) fn double_parenthesis(&mut self) -> Parse<Option<Word>> {
        let before = self.at;
        if self.not_arithmetic.contains(&before.position) {
            return Ok(None);
        }
        let warnings = self.warnings.len();
        let line = self.at.line;
        self.enter()?;
        self.bump();
        self.bump();
        let mut out = Collector::default();
        loop {
            self.quoted(Within::Arithmetic, &mut out)?;
            self.bump();
            if self.eat(b')') {
                self.leave();
                return Ok(Some(Word {
                    parts: out.finish(),
                }));
            }
            if self.bash() {
                break;
            }
            // dash does not think twice: this `)` is part of the expression.
            out.push(b')');
            if self.peek().is_none() {
                return self.unclosed(b')', Unclosed::Arithmetic, line);
            }
        }
        self.leave();
        self.not_arithmetic.insert(before.position);
        self.waste(self.at.position.saturating_sub(before.position))?;
        self.warnings.truncate(warnings);
        self.restore(before);
        Ok(None)
    }

    /// `((` in command position: the first `(` has been read as a token.
    pub(crate) fn arithmetic_command(&mut self) -> Parse<Option<Word>> {
        if self.raw() != Some(b'(') {
            return Ok(None);
        }
        let after = self.at;
        self.at.position = self.at.position.saturating_sub(1);
        let word = self.double_parenthesis()?;
        if word.is_none() {
            self.restore(after);
        } else {
            self.skip();
        }
        Ok(word)
    }

    /// The sections of `for (( ; ; ))`, through its `))`.
    pub(crate) fn arithmetic_sections(&mut self) -> Parse<Vec<Word>> {
        let line = self.at.line;
        let mut sections = Vec::new();
        loop {
            self.skip_section_blanks();
            let mut out = Collector::default();
            self.quoted(Within::ArithmeticSection, &mut out)?;
            sections.push(Word {
                parts: out.finish(),
            });
            if self.eat(b';') {
                continue;
            }
            self.bump();
            if self.eat(b')') {
                return Ok(sections);
            }
            if self.peek().is_none() {
                return self.unclosed(b')', Unclosed::Arithmetic, line);
            }
            self.fill(Place::Argument)?;
            return self.unexpected(None);
        }
    }

    fn skip_section_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n') = self.peek() {
            self.bump();
        }
    }

    /// `$[ … ]`; the position is at the bracket.
    fn old_arithmetic(&mut self) -> Parse<Part> {
        self.enter()?;
        self.bump();
        let mut out = Collector::default();
        self.quoted(Within::Bracket, &mut out)?;
        self.bump();
        self.leave();
        Ok(Part::Arithmetic {
            expression: Word {
                parts: out.finish(),
            },
            brackets: true,
        })
    }

    /// `<(` or `>(`.
    pub(super) fn process_substitution(&mut self, byte: u8) -> Parse<Part> {
        self.bump();
        self.bump();
        let list = Arc::new(self.substitution()?);
        Ok(Part::Process {
            output: byte == b'>',
            list,
        })
    }

    /// Commands up to the `)` that closes them; the opening one has been read.
    fn substitution(&mut self) -> Parse<List> {
        self.enter()?;
        let line = self.at.line;
        let outside = std::mem::take(&mut self.pending);
        // A token may be waiting if this word stands inside `[[ ]]` or an array.
        let waiting = self.lookahead.take();
        self.substitutions = self.substitutions.saturating_add(1);
        let list = self.optional_list()?;
        if !self.take_operator(Operator::Close, Place::Command)? {
            return self.unexpected(Some(")"));
        }
        self.substitutions = self.substitutions.saturating_sub(1);
        self.lookahead = waiting;
        let inside = std::mem::replace(&mut self.pending, outside);
        if !inside.is_empty() {
            // Bash 5.2 takes the bodies from the lines after the substitution.
            self.warnings.push(Warning::Substitution {
                line,
                count: inside.len(),
            });
            self.pending.extend(inside);
        }
        self.leave();
        Ok(list)
    }

    /// Reads the text to its end and forgets it.
    pub(super) fn whole_text(&mut self) -> Parse<()> {
        self.optional_list()?;
        if self.glance(Place::Command)? == Glance::End {
            return Ok(());
        }
        self.unexpected(None)
    }
}
