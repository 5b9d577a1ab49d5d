//! `name=( … )` and subscripts in front of `=`.

use crate::ast::{ArrayElement, Part};
use crate::error::Unclosed;
use crate::lexer::{Place, Token};
use crate::parser::{Parse, Parser, Stop};
use crate::word::{Collector, Until, assignment};

impl Parser<'_> {
    /// A `(` in a word: an array after `name=`, otherwise the word's end (false).
    pub(super) fn array_or_end(&mut self, until: Until, out: &mut Collector) -> Parse<bool> {
        let allowed = self.bash()
            && matches!(until, Until::Blank(Place::Command | Place::Declaration))
            && assignment::may_take_array(out);
        if !allowed {
            return Ok(false);
        }
        let elements = self.array()?;
        out.part(Part::Array(elements));
        Ok(true)
    }

    fn array(&mut self) -> Parse<Vec<ArrayElement>> {
        let line = self.at.line;
        self.enter()?;
        self.bump();
        let mut elements = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'\n') => {
                    self.bump();
                    continue;
                }
                Some(b')') => break,
                None => return self.unclosed(b')', Unclosed::Array, line),
                Some(_) => {}
            }
            let lexed = self.token(Place::Element)?;
            match lexed.token {
                Token::Word(word) => elements.push(ArrayElement::from_word(word)),
                _ => {
                    self.lookahead = Some(lexed);
                    return self.unexpected(None).map_err(|mut stop| {
                        if let Stop::Error(error) = &mut *stop {
                            error.in_array = true;
                        }
                        stop
                    });
                }
            }
        }
        self.bump();
        self.leave();
        Ok(elements)
    }

    /// `[…]` after a name in command position: blanks in it do not end the word.
    pub(super) fn subscript_text(&mut self, out: &mut Collector) -> Parse<()> {
        self.enter()?;
        self.bump();
        out.push(b'[');
        self.unquoted(Until::Bracket, out)?;
        self.bump();
        out.push(b']');
        self.leave();
        Ok(())
    }

    /// `[…]` at the start of an array's element.
    pub(super) fn element_subscript(&mut self, out: &mut Collector) -> Parse<()> {
        self.subscript_text(out)
    }
}
