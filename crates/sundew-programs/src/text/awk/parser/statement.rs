//! Statements.

use super::{Failure, Loop, Parser};
use crate::text::awk::lexer::Token;
use crate::text::awk::op::{Destination, Op, Place};

impl Parser {
    /// `{ … }`.
    pub(super) fn block(&mut self) -> Result<(), Failure> {
        self.expect("{")?;
        self.skip_ends();
        while !self.is_mark("}") {
            self.statement()?;
            self.skip_ends();
        }
        self.advance();
        Ok(())
    }

    fn statement(&mut self) -> Result<(), Failure> {
        self.deeper()?;
        match self.token().clone() {
            Token::Mark("{") => self.block()?,
            Token::Mark(";") => self.advance(),
            Token::Keyword(keyword @ ("if" | "while" | "for" | "do")) => {
                self.advance();
                match keyword {
                    "if" => self.if_statement()?,
                    "while" => self.while_statement()?,
                    "for" => self.for_statement()?,
                    _ => self.do_statement()?,
                }
            }
            _ => {
                self.simple_statement()?;
                self.end_of_statement()?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn end_of_statement(&mut self) -> Result<(), Failure> {
        match self.token() {
            Token::Newline if *self.token_ahead(1) == Token::End => Err(self.unexpected()),
            Token::Newline | Token::Mark(";") => {
                self.advance();
                Ok(())
            }
            Token::Mark("}") => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    /// The statement behind a condition, which may be on the next line.
    fn body(&mut self) -> Result<(), Failure> {
        self.skip_newlines();
        self.statement()
    }

    fn if_statement(&mut self) -> Result<(), Failure> {
        self.expect("(")?;
        self.expression()?;
        self.expect(")")?;
        let otherwise = self.emit(Op::JumpIfFalse(0));
        self.body()?;
        let start = self.at;
        self.skip_ends();
        if self.is_keyword("else") {
            self.advance();
            let end = self.emit(Op::Jump(0));
            self.aim_here(otherwise);
            self.body()?;
            self.aim_here(end);
        } else {
            self.at = start;
            self.aim_here(otherwise);
        }
        Ok(())
    }

    fn while_statement(&mut self) -> Result<(), Failure> {
        self.expect("(")?;
        let start = self.here();
        self.expression()?;
        self.expect(")")?;
        let out = self.emit(Op::JumpIfFalse(0));
        self.loops.push(Loop::default());
        self.body()?;
        self.emit(Op::Jump(start));
        self.aim_here(out);
        let end = self.here();
        self.close_loop(start, end);
        Ok(())
    }

    fn do_statement(&mut self) -> Result<(), Failure> {
        let start = self.here();
        self.loops.push(Loop::default());
        self.body()?;
        self.skip_ends();
        if !self.is_keyword("while") {
            return Err(self.unexpected());
        }
        self.advance();
        self.expect("(")?;
        let condition = self.here();
        self.expression()?;
        self.expect(")")?;
        self.emit(Op::JumpIfTrue(start));
        let end = self.here();
        self.close_loop(condition, end);
        if matches!(self.token(), Token::Newline | Token::Mark(";")) {
            self.advance();
        }
        Ok(())
    }

    fn close_loop(&mut self, again: usize, end: usize) {
        let Some(closed) = self.loops.pop() else {
            return;
        };
        for at in closed.breaks {
            self.aim(at, end);
        }
        for at in closed.continues {
            self.aim(at, again);
        }
    }

    fn for_statement(&mut self) -> Result<(), Failure> {
        self.expect("(")?;
        if let (Token::Name(name), Token::Keyword("in"), Token::Name(array), Token::Mark(")")) = (
            self.token().clone(),
            self.token_ahead(1).clone(),
            self.token_ahead(2).clone(),
            self.token_ahead(3).clone(),
        ) {
            for _ in 0..4 {
                self.advance();
            }
            return self.for_in(&name, &array);
        }
        if !self.is_mark(";") {
            self.simple_statement()?;
        }
        self.expect(";")?;
        self.skip_newlines();
        let condition = self.here();
        let mut out = None;
        if !self.is_mark(";") {
            self.expression()?;
            out = Some(self.emit(Op::JumpIfFalse(0)));
        }
        self.expect(";")?;
        self.skip_newlines();
        let into = self.emit(Op::Jump(0));
        let step = self.here();
        if !self.is_mark(")") {
            self.simple_statement()?;
        }
        self.expect(")")?;
        self.emit(Op::Jump(condition));
        self.aim_here(into);
        self.loops.push(Loop::default());
        self.body()?;
        self.emit(Op::Jump(step));
        if let Some(out) = out {
            self.aim_here(out);
        }
        let end = self.here();
        self.close_loop(step, end);
        Ok(())
    }

    fn for_in(&mut self, name: &[u8], array: &[u8]) -> Result<(), Failure> {
        let array = self.array(array);
        let variable = self.variable(name);
        self.emit(Op::ForStart(array));
        let next = self.emit(Op::ForNext(0));
        self.emit(Op::Store(Place::Variable(variable)));
        self.emit(Op::Pop);
        self.loops.push(Loop::default());
        self.body()?;
        self.emit(Op::Jump(next));
        // Where the subscripts run out, and where `break` leads.
        self.aim_here(next);
        let end = self.here();
        self.emit(Op::ForEnd);
        self.close_loop(next, end);
        Ok(())
    }

    fn simple_statement(&mut self) -> Result<(), Failure> {
        let Token::Keyword(keyword) = self.token().clone() else {
            self.expression()?;
            self.emit(Op::Pop);
            return Ok(());
        };
        match keyword {
            "print" | "printf" => {
                self.advance();
                self.print(keyword == "printf")?;
            }
            "break" | "continue" => {
                if self.loops.is_empty() {
                    let text = format!("{keyword} statement outside of loop");
                    return Err(self.complaint(text.as_bytes()));
                }
                self.advance();
                let at = self.emit(Op::Jump(0));
                if let Some(inner) = self.loops.last_mut() {
                    let list = if keyword == "break" {
                        &mut inner.breaks
                    } else {
                        &mut inner.continues
                    };
                    list.push(at);
                }
            }
            "next" | "nextfile" => {
                if !self.in_rule && self.function.is_none() {
                    return Err(self.complaint(format!("improper use of {keyword}").as_bytes()));
                }
                self.advance();
                self.emit(if keyword == "next" {
                    Op::Next
                } else {
                    Op::NextFile
                });
            }
            "exit" => {
                self.advance();
                if self.ends_here() {
                    self.emit(Op::Number(f64::NAN));
                } else {
                    self.expression()?;
                }
                self.emit(Op::Exit);
            }
            "return" => {
                if self.function.is_none() {
                    return Err(self.complaint(b"return outside function body"));
                }
                self.advance();
                if self.ends_here() {
                    self.emit(Op::Text(b"".as_slice().into()));
                } else {
                    self.expression()?;
                }
                self.emit(Op::Return);
            }
            "delete" => {
                self.advance();
                self.delete()?;
            }
            "getline" => {
                self.expression()?;
                self.emit(Op::Pop);
            }
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    fn ends_here(&self) -> bool {
        matches!(
            self.token(),
            Token::Newline | Token::End | Token::Mark(";" | "}")
        )
    }

    fn delete(&mut self) -> Result<(), Failure> {
        let Token::Name(name) = self.token().clone() else {
            return Err(self.unexpected());
        };
        self.advance();
        let array = self.array(&name);
        if self.take_mark("[") {
            self.subscript()?;
            self.expect("]")?;
            self.emit(Op::Delete(array));
        } else {
            self.emit(Op::DeleteAll(array));
        }
        Ok(())
    }

    fn print(&mut self, formatted: bool) -> Result<(), Failure> {
        let mut args = 0;
        let outer = std::mem::replace(&mut self.no_greater, true);
        if self.is_mark("(") && self.parenthesis_is_the_list() {
            self.advance();
            self.no_greater = false;
            while !self.is_mark(")") {
                self.expression()?;
                args += 1;
                if !self.take_mark(",") {
                    break;
                }
                self.skip_newlines();
            }
            self.expect(")")?;
        } else if !self.ends_here() && !matches!(self.token(), Token::Mark(">" | ">>" | "|")) {
            self.expression()?;
            args = 1;
            while self.take_mark(",") {
                self.skip_newlines();
                self.expression()?;
                args += 1;
            }
        }
        self.no_greater = true;
        let destination = match self.token() {
            Token::Mark(">") => Destination::File,
            Token::Mark(">>") => Destination::Append,
            Token::Mark("|") => Destination::Pipe,
            _ => Destination::Stdout,
        };
        if destination != Destination::Stdout {
            self.advance();
            // A comparison cannot follow, but a choice can.
            let operand = self.ternary()?;
            if let super::expression::Operand::Place(place) = operand {
                self.emit(Op::Load(place));
            }
        }
        self.no_greater = outer;
        if formatted && args == 0 {
            return Err(self.complaint(b"no arguments in call to printf"));
        }
        self.emit(if formatted {
            Op::Printf { args, destination }
        } else {
            Op::Print { args, destination }
        });
        Ok(())
    }

    /// Whether what follows the matching parenthesis ends the list of values.
    fn parenthesis_is_the_list(&self) -> bool {
        let mut depth = 0usize;
        for (index, word) in self.words.iter().enumerate().skip(self.at) {
            match word.token {
                Token::Mark("(") => depth += 1,
                Token::Mark(")") => {
                    depth -= 1;
                    if depth == 0 {
                        let after = self
                            .words
                            .get(index + 1)
                            .map_or(&Token::End, |word| &word.token);
                        return matches!(
                            after,
                            Token::Newline | Token::End | Token::Mark(";" | "}" | ">" | ">>" | "|")
                        );
                    }
                }
                Token::End => return false,
                _ => {}
            }
        }
        false
    }
}
