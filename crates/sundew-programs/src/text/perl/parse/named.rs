//! Words: named operators, calls, declarations.

use super::super::ast::{Base, Expr, Scope};
use super::names::{ALONE, CORE, LIST, is_of_topic, unary};
use super::term::topic;
use super::{Outcome, Parser};

impl Parser<'_> {
    #[expect(
        clippy::too_many_lines,
        reason = "a row for each word with a syntax of its own"
    )]
    pub(super) fn named(&mut self, word: &str) -> Outcome<Expr> {
        let start = self.at;
        self.at += word.len();
        // `word =>` is a string whatever the word.
        let after = self.rest().trim_ascii_start();
        if after.starts_with(b"=>") {
            return Ok(Expr::Text(word.as_bytes().to_vec()));
        }
        if matches!(
            word,
            "q" | "qq" | "qw" | "qr" | "qx" | "m" | "s" | "tr" | "y"
        ) {
            let here = self.peek();
            let next = after.first().copied().unwrap_or(0);
            let quotes = if here.is_ascii_whitespace() {
                next.is_ascii_punctuation() && !b"=,;)#".contains(&next)
            } else {
                here.is_ascii_punctuation() && here != b',' && here != b';' && here != b')'
                    || here == 0 && self.at < self.end()
            };
            if quotes {
                return self.quoting(word);
            }
        }
        match word {
            "my" => return self.declaration(Scope::My),
            "our" => return self.declaration(Scope::Our),
            "state" => return self.declaration(Scope::State),
            "local" => return Ok(Expr::Local(Box::new(self.deeper(Self::term)?))),
            "sub" => {
                self.prototype();
                return Ok(Expr::NewSub(self.block()?));
            }
            "do" => {
                self.blanks();
                if self.peek() == b'{' {
                    return Ok(Expr::BlockOf(self.block()?));
                }
                let path = self.unary()?;
                return Ok(Expr::Do("do", vec![path]));
            }
            "eval" => {
                self.blanks();
                if self.peek() == b'{' {
                    return Ok(Expr::Eval(self.block()?));
                }
                let mut list = self.arguments(true)?;
                if list.is_empty() {
                    list.push(topic());
                }
                return Ok(Expr::Do("eval", list));
            }
            "return" => {
                let value = if self.ends_list() {
                    None
                } else {
                    Some(Box::new(self.comma()?))
                };
                return Ok(Expr::Return(value));
            }
            "next" | "last" | "redo" => {
                let label = self.word().filter(|word| {
                    word.bytes().all(|byte| {
                        byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit()
                    })
                });
                self.at += label.as_ref().map_or(0, |label| {
                    self.blanks();
                    label.len()
                });
                return Ok(match word {
                    "last" => Expr::Last(label),
                    "redo" => Expr::Redo(label),
                    _ => Expr::Next(label),
                });
            }
            "print" | "printf" | "say" => return self.print(word),
            "sort" | "map" | "grep" => return self.each(word),
            "__FILE__" => return Ok(Expr::Scalar("0".to_owned())),
            "__LINE__" => return Ok(Expr::Integer(i64::try_from(self.line()).unwrap_or(0))),
            "__PACKAGE__" => return Ok(Expr::Text(b"main".to_vec())),
            "STDIN" | "STDOUT" | "STDERR" => return Ok(Expr::Handle(word.to_owned())),
            _ => {}
        }
        let line = self.line();
        let line_of = |expr| Expr::Line(line, Box::new(expr));
        if word.contains("::") && after.starts_with(b"->")
            || after.starts_with(b"->") && unary(word).is_none()
        {
            return Ok(Expr::Text(word.as_bytes().to_vec()));
        }
        let own = self.known.iter().any(|name| name == word);
        let short = word.strip_prefix("CORE::").unwrap_or(word);
        let short = short.strip_prefix("POSIX::").unwrap_or(short);
        let short = if own && !CORE.contains(&short) {
            ""
        } else {
            short
        };
        if let Some(name) = unary(short) {
            if matches!(name, "defined" | "exists") {
                let start = self.at;
                let parenthesis = self.sign("(");
                if let Some(named) = self.named_code() {
                    if parenthesis {
                        self.expect(")")?;
                    }
                    return Ok(line_of(Expr::Do(name, vec![named])));
                }
                self.at = start;
            }
            let mut list = self.arguments(true)?;
            if list.is_empty() && is_of_topic(name) {
                list.push(topic());
            }
            return Ok(line_of(Expr::Do(name, list)));
        }
        if let Some(name) = LIST.iter().find(|name| **name == short) {
            let alone = ALONE.contains(name);
            if alone {
                if self.peek() == b'(' {
                    self.at += 1;
                    self.list_until(")")?;
                }
                return Ok(line_of(Expr::Do(name, Vec::new())));
            }
            return Ok(line_of(Expr::Do(name, self.arguments(false)?)));
        }
        self.blanks();
        if self.peek() == b'(' {
            self.at += 1;
            return Ok(line_of(Expr::Call(
                word.to_owned(),
                self.list_until(")")?,
                false,
            )));
        }
        let upper = word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if (upper || word.contains("::")) && !self.known.iter().any(|name| name == word) {
            return Ok(Expr::Handle(word.to_owned()));
        }
        // `new Class(list)`
        if word == "new"
            && let Some(class) = self.word()
        {
            self.at += class.len();
            let list = if self.sign("(") {
                self.list_until(")")?
            } else {
                Vec::new()
            };
            return Ok(line_of(Expr::Method(
                Box::new(Expr::Text(class.into_bytes())),
                "new".to_owned(),
                list,
            )));
        }
        if self.starts_term() {
            if self.peek().is_ascii_alphabetic() && !self.known.iter().any(|name| name == word) {
                // `method Class list`: the old way of a call.
                return self.indirect(word, start);
            }
            if !self.known.iter().any(|name| name == word)
                && matches!(self.peek(), b'"' | b'\'' | b'0'..=b'9')
            {
                return Err(self.near());
            }
            return Ok(line_of(Expr::Call(
                word.to_owned(),
                self.arguments(false)?,
                false,
            )));
        }
        if own {
            return Ok(line_of(Expr::Call(word.to_owned(), Vec::new(), false)));
        }
        Ok(line_of(Expr::Handle(word.to_owned())))
    }

    /// Whether an operand can begin here.
    pub(super) fn starts_term(&mut self) -> bool {
        self.blanks();
        let next = self.rest().get(1).copied().unwrap_or(0);
        match self.peek() {
            b'$' | b'@' | b'"' | b'\'' | b'\\' | b'(' | b'[' | b'`' | b'{' => true,
            b'%' | b'&' => next.is_ascii_alphabetic() || b"_${".contains(&next),
            b'-' => next.is_ascii_alphanumeric() || next == b'$',
            b'!' => next != b'=' && next != b'~',
            b'<' => next == b'$' || next == b'<' || next.is_ascii_uppercase(),
            byte if byte.is_ascii_digit() => true,
            byte if byte.is_ascii_alphabetic() || byte == b'_' => !matches!(
                self.word().as_deref(),
                Some(
                    "x" | "eq"
                        | "ne"
                        | "lt"
                        | "gt"
                        | "le"
                        | "ge"
                        | "cmp"
                        | "and"
                        | "or"
                        | "xor"
                        | "if"
                        | "unless"
                        | "while"
                        | "until"
                        | "for"
                        | "foreach"
                )
            ),
            _ => false,
        }
    }

    /// Operands of a builtin or a call.
    pub(super) fn arguments(&mut self, one: bool) -> Outcome<Vec<Expr>> {
        self.blanks();
        if self.peek() == b'(' {
            self.at += 1;
            return self.list_until(")");
        }
        if !self.starts_term() && (one || self.peek() != b'/') {
            return Ok(Vec::new());
        }
        if one {
            return Ok(vec![self.binary(10)?]);
        }
        Ok(match self.comma()? {
            Expr::List(items) => items,
            other => vec![other],
        })
    }

    pub(super) fn declaration(&mut self, scope: Scope) -> Outcome<Expr> {
        self.blanks();
        if self.peek() != b'(' {
            return Ok(Expr::My(vec![self.declared()?], false, scope));
        }
        self.at += 1;
        let mut places = Vec::new();
        while !self.sign(")") {
            places.push(self.declared()?);
            self.sign(",");
        }
        Ok(Expr::My(places, true, scope))
    }

    pub(super) fn declared(&mut self) -> Outcome<Expr> {
        self.blanks();
        let sigil = self.peek();
        if self.keyword("undef") {
            return Ok(Expr::Do("undef", Vec::new()));
        }
        self.at += 1;
        let Some(name) = self.word() else {
            return Err(self.near());
        };
        self.at += name.len();
        match sigil {
            b'$' => Ok(Expr::Scalar(name)),
            b'@' => Ok(Expr::Array(Base::Named(name))),
            b'%' => Ok(Expr::Hash(Base::Named(name))),
            _ => Err(self.near()),
        }
    }

    /// `new Class(list)`, `method Class`.
    fn indirect(&mut self, word: &str, start: usize) -> Outcome<Expr> {
        let class = self.word().unwrap_or_default();
        let known = unary(&class).is_some() || LIST.contains(&class.as_str());
        if known || matches!(class.as_str(), "print" | "my" | "sub" | "return") {
            self.at = start + word.len();
            return Err(self.near());
        }
        let line = self.line();
        self.at += class.len();
        let list = if self.sign("(") {
            self.list_until(")")?
        } else {
            Vec::new()
        };
        let class = Box::new(Expr::Text(class.into_bytes()));
        let call = Expr::Method(class, word.to_owned(), list);
        Ok(Expr::Line(line, Box::new(call)))
    }
}
