//! `[[ … ]]`: a grammar of its own, with words that end differently.

use super::{Parse, Parser, Stop};
use crate::ast::{Bytes, CommandKind, Conditional, ConditionalOperator, Word};
use crate::error::ErrorKind;
use crate::lexer::Place;
use crate::unparse;

/// A token inside `[[ ]]`.
enum Token {
    Word(Word),
    /// `(`, `)`, `&&`, `||`, `<`, `>`, or what has no place here: `;`, `&`, `|`, a newline.
    Operator(&'static [u8]),
    /// `]]`
    End,
    EndOfText,
}

impl Parser<'_> {
    pub(super) fn conditional(&mut self) -> Parse<CommandKind> {
        let line = self.at.line;
        self.skip();
        let expression = self.conditional_or()?;
        self.skip_conditional_newlines();
        match self.conditional_token()? {
            Token::End => Ok(CommandKind::Conditional(expression)),
            Token::EndOfText if self.options.last => self.fail(
                ErrorKind::Conditional(b"unexpected EOF while looking for `]]'".as_slice().into()),
                line,
                None,
            ),
            Token::Word(_) => self.bad_conditional(&[b"syntax error in conditional expression"]),
            other => self.bad_conditional(&[
                b"syntax error in conditional expression: unexpected token `",
                &text(&other),
                b"'",
            ]),
        }
    }

    fn conditional_or(&mut self) -> Parse<Conditional> {
        let first = self.conditional_and()?;
        // Flat, not nested: a long chain must not make a deep tree.
        let mut all = Vec::new();
        while self.conditional_operator(b"||") {
            all.push(self.conditional_and()?);
        }
        Ok(if all.is_empty() {
            first
        } else {
            Conditional::Or(chain(first, all))
        })
    }

    fn conditional_and(&mut self) -> Parse<Conditional> {
        let first = self.conditional_term()?;
        let mut all = Vec::new();
        while self.conditional_operator(b"&&") {
            all.push(self.conditional_term()?);
        }
        Ok(if all.is_empty() {
            first
        } else {
            Conditional::And(chain(first, all))
        })
    }

    /// Takes `&&` or `||`.
    fn conditional_operator(&mut self, operator: &[u8; 2]) -> bool {
        self.skip_conditional_newlines();
        let [first, second] = *operator;
        let found = self.raw() == Some(first) && self.raw_after(1) == Some(second);
        if found {
            self.bump();
            self.bump();
        }
        found
    }

    fn conditional_term(&mut self) -> Parse<Conditional> {
        self.enter()?;
        let term = self.conditional_primary()?;
        self.leave();
        Ok(term)
    }

    fn conditional_primary(&mut self) -> Parse<Conditional> {
        self.skip_conditional_newlines();
        let word = match self.conditional_token()? {
            Token::Word(word) => word,
            Token::Operator(b"(") => return self.conditional_parenthesis(),
            // Bash 5.2 says nothing at all here.
            Token::End => return self.bad_conditional(&[]),
            other => {
                return self.bad_conditional(&[
                    b"unexpected token `",
                    &text(&other),
                    b"' in conditional command",
                ]);
            }
        };
        match word.as_literal() {
            Some(b"!") => Ok(Conditional::Not(Box::new(self.conditional_term()?))),
            Some([b'-', letter]) if is_unary(*letter) => {
                let operator: Bytes = [b'-', *letter].as_slice().into();
                match self.conditional_token()? {
                    Token::Word(operand) => Ok(Conditional::Unary(operator, operand)),
                    other => self.bad_conditional(&[
                        b"unexpected argument `",
                        &text(&other),
                        b"' to conditional unary operator",
                    ]),
                }
            }
            _ => self.conditional_binary(word),
        }
    }

    fn conditional_parenthesis(&mut self) -> Parse<Conditional> {
        let inside = match self.conditional_or() {
            Ok(inside) => inside,
            Err(mut stop) => {
                // Bash goes on to miss the parenthesis.
                if let Stop::Error(error) = &mut *stop
                    && let ErrorKind::Conditional(sentences) = &mut error.kind
                {
                    let between: &[u8] = if sentences.is_empty() { b"" } else { b"\n" };
                    *sentences = [sentences, between, b"expected `)'"].concat().into();
                }
                return Err(stop);
            }
        };
        self.skip_conditional_newlines();
        match self.conditional_token()? {
            Token::Operator(b")") => Ok(Conditional::Parenthesised(Box::new(inside))),
            other => {
                self.bad_conditional(&[b"unexpected token `", &text(&other), b"', expected `)'"])
            }
        }
    }

    /// What follows a word that is not a unary operator.
    fn conditional_binary(&mut self, left: Word) -> Parse<Conditional> {
        let before = self.at;
        let operator = match self.conditional_token()? {
            Token::End | Token::Operator(b"&&" | b"||" | b")") => {
                self.restore(before);
                return Ok(Conditional::Word(left));
            }
            Token::Operator(b"<") => ConditionalOperator::Before,
            Token::Operator(b">") => ConditionalOperator::After,
            Token::Word(word) => match word.as_literal().and_then(operator) {
                Some(operator) => operator,
                None => return self.bad_conditional(&[b"conditional binary operator expected"]),
            },
            other @ (Token::Operator(_) | Token::EndOfText) => {
                return self.bad_conditional(&[
                    b"unexpected token `",
                    &text(&other),
                    b"', conditional binary operator expected",
                ]);
            }
        };
        let right = if operator == ConditionalOperator::Regex {
            self.skip_blanks();
            match self.regex_word()? {
                word if word.parts.is_empty() => self.conditional_token()?,
                word if word.as_literal() == Some(b"]]") => Token::End,
                word => Token::Word(word),
            }
        } else {
            // Here alone extended globs need no option.
            let outside = std::mem::replace(&mut self.options.extended_globs, true);
            let token = self.conditional_token();
            self.options.extended_globs = outside;
            token?
        };
        match right {
            Token::Word(right) => Ok(Conditional::Binary(Box::new((left, operator, right)))),
            other => self.bad_conditional(&[
                b"unexpected argument `",
                &text(&other),
                b"' to conditional binary operator",
            ]),
        }
    }

    fn skip_conditional_newlines(&mut self) {
        loop {
            self.skip_blanks();
            if !self.eat(b'\n') {
                return;
            }
        }
    }

    fn conditional_token(&mut self) -> Parse<Token> {
        const OPERATORS: [&[u8]; 10] = [
            b"&&", b"||", b"(", b")", b"<", b">", b";", b"&", b"|", b"\n",
        ];
        self.skip_blanks();
        if self.peek().is_none() {
            return if self.options.last {
                Ok(Token::EndOfText)
            } else {
                self.ended(None)
            };
        }
        if !self.at_process_substitution() || !matches!(self.raw(), Some(b'<' | b'>')) {
            for operator in OPERATORS {
                let rest = self.text.get(self.at.position..).unwrap_or_default();
                if rest.starts_with(operator) {
                    // A newline stays: the line number of a message about it is its own.
                    if operator != b"\n" {
                        operator.iter().for_each(|_| self.bump());
                    }
                    return Ok(Token::Operator(operator));
                }
            }
        }
        let word = self.plain_word(Place::Argument)?;
        if word.as_literal() == Some(b"]]") {
            return Ok(Token::End);
        }
        Ok(Token::Word(word))
    }

    fn bad_conditional<T>(&self, sentence: &[&[u8]]) -> Parse<T> {
        if !self.options.last && self.raw().is_none() {
            return self.ended(None);
        }
        self.fail(
            ErrorKind::Conditional(sentence.concat().into()),
            self.at.line,
            None,
        )
    }
}

fn chain(first: Conditional, rest: Vec<Conditional>) -> Vec<Conditional> {
    std::iter::once(first).chain(rest).collect()
}

fn text(token: &Token) -> Vec<u8> {
    match token {
        Token::Word(word) => unparse::word(word),
        Token::Operator(b"\n") => b"newline".to_vec(),
        Token::Operator(operator) => operator.to_vec(),
        Token::End => b"]]".to_vec(),
        Token::EndOfText => b"EOF".to_vec(),
    }
}

/// The letters of `test`'s unary operators.
fn is_unary(letter: u8) -> bool {
    b"abcdefghknoprstuvwxzGLNORS".contains(&letter)
}

fn operator(word: &[u8]) -> Option<ConditionalOperator> {
    Some(match word {
        b"=" | b"==" => ConditionalOperator::Match(word.into()),
        b"!=" => ConditionalOperator::NoMatch,
        b"=~" => ConditionalOperator::Regex,
        b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge" | b"-nt" | b"-ot" | b"-ef" => {
            ConditionalOperator::Named(word.into())
        }
        _ => return None,
    })
}
