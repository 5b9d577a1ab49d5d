//! `${…}`.

use crate::ast::{
    CaseChange, Index, Operation, Parameter, ParameterName, Part, ReplaceWhere, Special, Trim, Word,
};
use crate::lexer::{is_name_byte, is_name_start};
use crate::option::Dialect;
use crate::parser::{Parse, Parser};
use crate::word::{Collector, Until, Within};

impl Parser<'_> {
    /// `${…}`; the position is at the brace, `start` at the dollar.
    pub(super) fn braced(&mut self, start: usize, quoted: bool) -> Parse<Part> {
        self.enter()?;
        self.bump();
        let parameter = self.parameter(quoted)?;
        let closed = parameter.is_some() && self.peek() == Some(b'}');
        if !closed {
            // Bash finds out when it runs; here only the end matters.
            let mut out = Collector::default();
            if quoted {
                self.quoted(Within::Brace, &mut out)?;
            } else {
                self.unquoted(Until::Brace, &mut out)?;
            }
        }
        self.bump();
        self.leave();
        match parameter {
            Some(parameter) if closed => Ok(Part::Parameter(Box::new(parameter))),
            _ => {
                let text = self.text.get(start..self.at.position).unwrap_or_default();
                Ok(Part::BadSubstitution(text.into()))
            }
        }
    }

    /// What stands between the braces, up to the `}`; `None` where bash says "bad substitution".
    fn parameter(&mut self, quoted: bool) -> Parse<Option<Parameter>> {
        let length = self.at_length();
        if length {
            self.bump();
        }
        let indirect = !length && self.bash() && self.at_indirection();
        if indirect {
            self.bump();
        }
        let Some(name) = self.parameter_name() else {
            return Ok(None);
        };
        let mut index = None;
        if self.bash() && matches!(name, ParameterName::Variable(_)) && self.peek() == Some(b'[') {
            index = self.index()?;
            if index.is_none() {
                return Ok(None);
            }
        }
        let mut parameter = Parameter {
            name,
            index,
            indirect,
            braced: true,
            operation: Operation::Value,
        };
        if length {
            parameter.operation = Operation::Length;
            return Ok(Some(parameter));
        }
        if self.names_or_keys(&mut parameter) {
            return Ok(Some(parameter));
        }
        let Some(operation) = self.operation(quoted)? else {
            return Ok(None);
        };
        parameter.operation = operation;
        Ok(Some(parameter))
    }

    /// Whether a `#` here asks for a length, and is not the parameter `$#`.
    fn at_length(&mut self) -> bool {
        if self.peek() != Some(b'#') {
            return false;
        }
        match self.raw_after(1) {
            Some(byte) if is_name_byte(byte) => true,
            Some(byte) => Special::from_byte(byte).is_some() && self.raw_after(2) == Some(b'}'),
            None => false,
        }
    }

    /// Whether a `!` here asks for an indirection, and is not the parameter `$!`.
    fn at_indirection(&mut self) -> bool {
        if self.peek() != Some(b'!') {
            return false;
        }
        match self.raw_after(1) {
            Some(byte) if is_name_byte(byte) => true,
            Some(b'@' | b'*' | b'#' | b'?') => {
                matches!(self.raw_after(2), Some(b'}' | b':'))
            }
            _ => false,
        }
    }

    fn parameter_name(&mut self) -> Option<ParameterName> {
        let byte = self.peek()?;
        if is_name_start(byte) {
            return Some(ParameterName::Variable(self.name().into()));
        }
        if byte.is_ascii_digit() {
            let mut number = 0_u32;
            while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
                self.bump();
                number = number
                    .saturating_mul(10)
                    .saturating_add(u32::from(digit.wrapping_sub(b'0')));
            }
            return Some(match number {
                0 => ParameterName::Special(Special::Name),
                _ => ParameterName::Positional(number),
            });
        }
        let special = Special::from_byte(byte)?;
        self.bump();
        Some(ParameterName::Special(special))
    }

    /// `[…]`; the position is at the bracket. `None` if a `}` comes first.
    fn index(&mut self) -> Parse<Option<Index>> {
        self.enter()?;
        self.bump();
        let mut out = Collector::default();
        self.unquoted(Until::BraceOrBracket, &mut out)?;
        self.leave();
        if !self.eat(b']') {
            return Ok(None);
        }
        let word = Word {
            parts: out.finish(),
        };
        if word.parts.is_empty() {
            return Ok(None);
        }
        Ok(Some(match word.as_literal() {
            Some(b"@") => Index::At,
            Some(b"*") => Index::Star,
            _ => Index::Word(word),
        }))
    }

    /// `${!x*}`, `${!x@}`, `${!a[@]}`, `${!a[*]}`.
    fn names_or_keys(&mut self, parameter: &mut Parameter) -> bool {
        if !parameter.indirect || !matches!(parameter.name, ParameterName::Variable(_)) {
            return false;
        }
        let next = self.peek();
        match (&parameter.index, next) {
            (None, Some(mark @ (b'*' | b'@'))) if self.raw_after(1) == Some(b'}') => {
                self.bump();
                parameter.operation = Operation::Names { at: mark == b'@' };
            }
            (Some(index @ (Index::At | Index::Star)), Some(b'}')) => {
                parameter.operation = Operation::Keys {
                    at: *index == Index::At,
                };
                parameter.index = None;
            }
            _ => return false,
        }
        parameter.indirect = false;
        true
    }

    fn operation(&mut self, quoted: bool) -> Parse<Option<Operation>> {
        let Some(byte) = self.peek() else {
            // The caller looks for the `}` and finds out.
            return Ok(None);
        };
        let more = self.options.dialect != Dialect::Dash;
        let operation = match byte {
            b'}' => Operation::Value,
            b'-' | b'=' | b'?' | b'+' => self.use_value(false, quoted)?,
            b':' => {
                self.bump();
                match self.peek() {
                    Some(b'-' | b'=' | b'?' | b'+') => self.use_value(true, quoted)?,
                    Some(b'}') | None => return Ok(None),
                    Some(_) if more => self.substring()?,
                    Some(_) => return Ok(None),
                }
            }
            b'#' | b'%' => self.trim(byte)?,
            b'/' if more => self.replace()?,
            b'^' | b',' | b'~' if self.bash() => self.case_change(byte)?,
            b'@' if self.bash() => {
                self.bump();
                match self.peek() {
                    // Whether there is such a letter is asked of a parameter that is set.
                    Some(b'}') | None => Operation::Transform(0),
                    Some(letter) if letter.is_ascii_alphanumeric() => {
                        self.bump();
                        Operation::Transform(letter)
                    }
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(operation))
    }

    /// `-`, `=`, `?` and `+` with their word.
    fn use_value(&mut self, colon: bool, quoted: bool) -> Parse<Operation> {
        let mark = self.peek();
        self.bump();
        let mut out = Collector::default();
        // Quotes quote in a message even between quotes.
        if quoted && !(self.bash() && mark == Some(b'?')) {
            self.quoted(Within::Brace, &mut out)?;
        } else {
            self.unquoted(Until::Brace, &mut out)?;
        }
        let mut word = Word {
            parts: out.finish(),
        };
        if !quoted {
            super::assignment::mark_leading_tilde(&mut word);
        }
        Ok(match mark {
            Some(b'-') => Operation::Default { colon, word },
            Some(b'=') => Operation::Assign { colon, word },
            Some(b'?') => Operation::Error { colon, word },
            _ => Operation::Alternative { colon, word },
        })
    }

    /// Text in which quotes quote, wherever the expansion stands.
    fn operand(&mut self, until: Until) -> Parse<Word> {
        let mut out = Collector::default();
        self.unquoted(until, &mut out)?;
        Ok(Word {
            parts: out.finish(),
        })
    }

    fn trim(&mut self, byte: u8) -> Parse<Operation> {
        self.bump();
        let trim = match (byte, self.eat(byte)) {
            (b'#', false) => Trim::ShortestPrefix,
            (b'#', true) => Trim::LongestPrefix,
            (_, false) => Trim::ShortestSuffix,
            (_, true) => Trim::LongestSuffix,
        };
        Ok(Operation::Trim(trim, self.operand(Until::Brace)?))
    }

    fn replace(&mut self) -> Parse<Operation> {
        self.bump();
        let place = match self.peek() {
            Some(b'/') => ReplaceWhere::All,
            Some(b'#') => ReplaceWhere::Prefix,
            Some(b'%') => ReplaceWhere::Suffix,
            _ => ReplaceWhere::First,
        };
        if place != ReplaceWhere::First {
            self.bump();
        }
        // A slash right behind `//` is what is looked for.
        let slash = place == ReplaceWhere::All && self.eat(b'/');
        let mut pattern = self.operand(Until::BraceOrSlash)?;
        if slash {
            let mut parts = vec![Part::Literal(b"/".as_slice().into())];
            parts.append(&mut pattern.parts);
            pattern.parts = parts;
        }
        let replacement = if self.eat(b'/') {
            Some(self.operand(Until::Brace)?)
        } else {
            None
        };
        Ok(Operation::Replace {
            place,
            pattern,
            replacement,
        })
    }

    fn case_change(&mut self, byte: u8) -> Parse<Operation> {
        self.bump();
        let change = match (byte, self.eat(byte)) {
            (b'^', false) => CaseChange::UpperFirst,
            (b'^', true) => CaseChange::UpperAll,
            (b',', false) => CaseChange::LowerFirst,
            (b',', true) => CaseChange::LowerAll,
            (_, false) => CaseChange::ToggleFirst,
            (_, true) => CaseChange::ToggleAll,
        };
        let pattern = self.operand(Until::Brace)?;
        Ok(Operation::Case(
            change,
            (!pattern.parts.is_empty()).then_some(pattern),
        ))
    }

    fn substring(&mut self) -> Parse<Operation> {
        let offset = self.operand(Until::BraceOrColon)?;
        let length = if self.eat(b':') {
            Some(self.operand(Until::Brace)?)
        } else {
            None
        };
        Ok(Operation::Substring { offset, length })
    }
}
