//! Terms: variables, calls, lists, quotes.

use super::super::ast::{Base, Expr};
use super::quote;
use super::{Failure, MAX_CHAIN, Outcome, Parser, Pending};

pub(super) fn topic() -> Expr {
    Expr::Scalar("_".to_owned())
}

impl Parser<'_> {
    pub(super) fn term(&mut self) -> Outcome<Expr> {
        self.blanks();
        let first = self.peek();
        let term = match first {
            b'0'..=b'9' => self.number(),
            b'.' if self.rest().get(1).is_some_and(u8::is_ascii_digit) => self.number(),
            b'"' | b'\'' | b'`' => {
                self.at += 1;
                let text = self.delimited(first)?.text;
                match first {
                    b'\'' => Expr::Text(quote::single(&text, b'\'')),
                    b'`' => {
                        Expr::Command(Box::new(quote::double(&text, self.level(), self.line())?))
                    }
                    _ => quote::double(&text, self.level(), self.line())?,
                }
            }
            b'$' => self.dollar()?,
            b'@' => {
                self.at += 1;
                let base = self.base()?;
                match self.peek() {
                    b'[' => Expr::Slice(base, Box::new(self.subscript_list("[", "]")?)),
                    b'{' => Expr::KeySlice(base, Box::new(self.subscript_list("{", "}")?)),
                    _ => Expr::Array(base),
                }
            }
            b'%' => {
                self.at += 1;
                Expr::Hash(self.base()?)
            }
            b'&' => self.ampersand()?,
            b'(' => self.parenthesis()?,
            b'[' => {
                self.at += 1;
                Expr::NewArray(self.list_until("]")?)
            }
            b'{' => {
                self.at += 1;
                Expr::NewHash(self.list_until("}")?)
            }
            b'*' => {
                self.at += 1;
                self.typeglob()?
            }
            b'<' => self.angle()?,
            b'/' => {
                self.at += 1;
                let text = self.delimited(b'/')?.text;
                self.matching(&text, b'/')?
            }
            _ => match self.word() {
                Some(word) => self.named(&word)?,
                None => return Err(self.near()),
            },
        };
        self.postfix(term)
    }

    /// What follows a term: subscripts, calls and methods.
    fn postfix(&mut self, mut term: Expr) -> Outcome<Expr> {
        for _ in 0..MAX_CHAIN {
            let rest = self.rest();
            let direct = matches!(term, Expr::Index(..) | Expr::Key(..) | Expr::CallOf(..));
            let blanks = rest.len() - rest.trim_ascii_start().len();
            let next = rest.get(blanks..).unwrap_or_default();
            if next.starts_with(b"->") {
                self.at += blanks + 2;
                self.blanks();
                term = self.arrow(term)?;
            } else if direct && rest.starts_with(b"[") {
                term = Expr::Index(
                    Base::Of(Box::new(term)),
                    Box::new(self.subscript("[", "]")?),
                );
            } else if direct && rest.starts_with(b"{") {
                term = Expr::Key(Base::Of(Box::new(term)), Box::new(self.key()?));
            } else if direct && rest.starts_with(b"(") {
                self.at += 1;
                term = Expr::CallOf(Box::new(term), self.list_until(")")?);
            } else {
                return Ok(term);
            }
        }
        Err(Failure::Other("Out of memory during parse".to_owned()))
    }

    fn arrow(&mut self, term: Expr) -> Outcome<Expr> {
        let of = |term| Base::Of(Box::new(term));
        Ok(match self.peek() {
            b'[' => Expr::Index(of(term), Box::new(self.subscript("[", "]")?)),
            b'{' => Expr::Key(of(term), Box::new(self.key()?)),
            b'(' => {
                self.at += 1;
                Expr::CallOf(Box::new(term), self.list_until(")")?)
            }
            b'@' => {
                self.expect("@*")?;
                Expr::Array(of(term))
            }
            b'%' => {
                self.expect("%*")?;
                Expr::Hash(of(term))
            }
            b'$' if self.rest().starts_with(b"$*") => {
                self.at += 2;
                Expr::Deref(Box::new(term))
            }
            b'$' => {
                self.at += 1;
                let Base::Named(name) = self.base()? else {
                    return Err(self.near());
                };
                let list = if self.sign("(") {
                    self.list_until(")")?
                } else {
                    Vec::new()
                };
                let name = Box::new(Expr::Scalar(name));
                Expr::MethodOf(Box::new(term), name, list)
            }
            _ => {
                let Some(name) = self.word() else {
                    return Err(self.near());
                };
                self.at += name.len();
                let list = if self.peek() == b'(' {
                    self.at += 1;
                    self.list_until(")")?
                } else {
                    Vec::new()
                };
                let line = self.line();
                Expr::Line(line, Box::new(Expr::Method(Box::new(term), name, list)))
            }
        })
    }

    fn parenthesis(&mut self) -> Outcome<Expr> {
        self.at += 1;
        let items = self.list_until(")")?;
        let list = Expr::List(items);
        if self.peek() == b'[' {
            let index = self.subscript_list("[", "]")?;
            return Ok(Expr::ListSlice(Box::new(list), Box::new(index)));
        }
        Ok(list)
    }

    /// `<HANDLE>`, `<$handle>`, `<>` and here-documents.
    fn angle(&mut self) -> Outcome<Expr> {
        let rest = self.rest();
        if rest.starts_with(b"<<")
            && rest
                .get(2)
                .is_some_and(|byte| byte.is_ascii_alphabetic() || b"\"'~_".contains(byte))
        {
            return self.here_document();
        }
        let end = rest.iter().position(|&byte| byte == b'>');
        let inner = end
            .and_then(|end| rest.get(1..end))
            .unwrap_or_default()
            .to_vec();
        if end.is_none() {
            return Err(self.near());
        }
        self.at += inner.len() + 2;
        let name = String::from_utf8_lossy(&inner).into_owned();
        if let Some(variable) = name.strip_prefix('$')
            && variable
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Ok(Expr::ReadLine(Box::new(Expr::Scalar(variable.to_owned()))));
        }
        if name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Ok(Expr::ReadLine(Box::new(Expr::Handle(name))));
        }
        let pattern = quote::double(&inner, self.level(), self.line())?;
        Ok(Expr::Do("glob", vec![pattern]))
    }

    fn here_document(&mut self) -> Outcome<Expr> {
        self.at += 2;
        let indented = self.peek() == b'~';
        if indented {
            self.at += 1;
        }
        let quote = self.peek();
        let tag = if matches!(quote, b'"' | b'\'') {
            self.at += 1;
            self.delimited(quote)?.text
        } else {
            let word = self.word().unwrap_or_default();
            self.at += word.len();
            word.into_bytes()
        };
        // The body is read now, from behind this line; when the line ends it is passed over.
        let line_end = self.rest().iter().position(|&byte| byte == b'\n');
        let line_end = line_end.unwrap_or(self.rest().len());
        let index = self.documents.len();
        self.documents.push(Vec::new());
        let raw = quote == b'\'';
        let mut ahead = Parser::new(self.text, self.level(), self.first_line);
        ahead.at = (self.at + line_end + 1).min(self.text.len());
        // Documents already waiting on this line come first.
        for waiting in &self.pending {
            ahead.pending.push(Pending {
                tag: waiting.tag.clone(),
                raw: waiting.raw,
                indented: waiting.indented,
                index: usize::MAX,
            });
        }
        ahead.pending.push(Pending {
            tag: tag.clone(),
            raw,
            indented,
            index: 0,
        });
        ahead.documents.push(Vec::new());
        ahead.take_documents();
        let body = ahead.documents.pop().unwrap_or_default();
        self.pending.push(Pending {
            tag,
            raw,
            indented,
            index,
        });
        if raw {
            Ok(Expr::Text(body))
        } else {
            quote::double(&body, self.level(), self.line() + 1)
        }
    }

    /// `*NAME` and `*{"NAME"}`.
    fn typeglob(&mut self) -> Outcome<Expr> {
        let braces = self.peek() == b'{';
        if braces {
            self.at += 1;
            let inner = self.expression()?;
            self.expect("}")?;
            return Ok(inner);
        }
        match self.word() {
            Some(name) => {
                self.at += name.len();
                let name = name.strip_prefix("main::").unwrap_or(&name);
                Ok(Expr::Glob(name.to_owned()))
            }
            None => Err(self.near()),
        }
    }
}
