//! `print`, `sort`, `map` and `grep`, whose first word may be a handle or a block.

use super::super::ast::Expr;
use super::names::{LIST, unary};
use super::term::topic;
use super::{Outcome, Parser};

impl Parser<'_> {
    /// `print {handle} list`, `print HANDLE list`, `print $handle list`.
    pub(super) fn print(&mut self, word: &str) -> Outcome<Expr> {
        let kind = match word {
            "printf" => "printf",
            "say" => "say",
            _ => "print",
        };
        self.blanks();
        let parenthesis = self.peek() == b'(';
        if parenthesis {
            self.at += 1;
            self.blanks();
        }
        let handle = self.print_handle()?;
        let list = if parenthesis {
            self.list_until(")")?
        } else if self.ends_list() {
            Vec::new()
        } else {
            match self.comma()? {
                Expr::List(items) => items,
                one => vec![one],
            }
        };
        let list = if list.is_empty() { vec![topic()] } else { list };
        Ok(Expr::Print { kind, handle, list })
    }

    pub(super) fn print_handle(&mut self) -> Outcome<Option<Box<Expr>>> {
        let start = self.at;
        if self.peek() == b'{' {
            self.at += 1;
            let handle = self.expression()?;
            self.expect("}")?;
            return Ok(Some(Box::new(handle)));
        }
        if let Some(word) = self.word()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && !word.starts_with("__")
            && !self.known.contains(&word)
        {
            self.at += word.len();
            self.blanks();
            if !matches!(self.peek(), b'(' | b',' | b'.' | b'-') {
                return Ok(Some(Box::new(Expr::Handle(word))));
            }
            self.at = start;
        }
        if self.peek() == b'$'
            && self
                .rest()
                .get(1)
                .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        {
            self.at += 1;
            let name = self.word().unwrap_or_default();
            self.at += name.len();
            if self.peek() == b' ' {
                self.blanks();
                let next = self.rest().get(1).copied().unwrap_or(0);
                let begins = match self.peek() {
                    b'$' | b'@' | b'"' | b'\'' => true,
                    b'<' => next == b'<',
                    byte if byte.is_ascii_alphabetic() => self.starts_term() && !self.ends_list(),
                    _ => false,
                };
                if begins {
                    return Ok(Some(Box::new(Expr::Scalar(name))));
                }
            }
            self.at = start;
        }
        Ok(None)
    }

    /// `sort`, `map` and `grep`.
    pub(super) fn each(&mut self, word: &str) -> Outcome<Expr> {
        self.blanks();
        let parenthesis = self.sign("(");
        self.blanks();
        let start = self.at;
        let mut body = None;
        if self.peek() == b'{' {
            // A block, unless it reads as a hash that a comma follows.
            let block = self.block();
            match block {
                Ok(block) if !self.sign(",") => body = Some(Expr::BlockOf(block)),
                _ => self.at = start,
            }
        } else if word == "sort" {
            if self.peek() == b'$' {
                let variable = self.term()?;
                if self.starts_term() {
                    body = Some(Expr::CallOf(Box::new(variable), Vec::new()));
                } else {
                    self.at = start;
                }
            } else if let Some(name) = self.word() {
                let known = unary(&name).is_some()
                    || LIST.contains(&name.as_str())
                    || matches!(name.as_str(), "map" | "grep" | "qw" | "sort");
                self.at += name.len();
                if !known && self.starts_term() && self.peek() != b'(' {
                    body = Some(Expr::Call(name, Vec::new(), false));
                } else {
                    self.at = start;
                }
            }
        }
        if body.is_none() && word != "sort" {
            body = Some(self.assignment()?);
            self.expect(",")?;
        }
        let list = if parenthesis {
            Expr::List(self.list_until(")")?)
        } else if self.ends_list() {
            Expr::List(Vec::new())
        } else {
            self.comma()?
        };
        let list = Box::new(list);
        Ok(match (word, body) {
            ("sort", body) => Expr::Sort(body.map(Box::new), list),
            (word, body) => Expr::Each {
                keeps: word == "grep",
                body: Box::new(body.unwrap_or(Expr::Integer(1))),
                list,
            },
        })
    }
}
