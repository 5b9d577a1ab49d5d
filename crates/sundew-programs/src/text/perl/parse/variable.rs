//! Variables, elements and slices.

use super::super::ast::{Base, Expr};
use super::{Outcome, Parser};

impl Parser<'_> {
    pub(super) fn subscript(&mut self, open: &str, close: &str) -> Outcome<Expr> {
        self.expect(open)?;
        let inner = self.expression()?;
        self.expect(close)?;
        Ok(inner)
    }

    pub(super) fn subscript_list(&mut self, open: &str, close: &str) -> Outcome<Expr> {
        self.expect(open)?;
        Ok(Expr::List(self.list_until(close)?))
    }

    /// `{word}`, `{-word}` or `{expression}`.
    pub(super) fn key(&mut self) -> Outcome<Expr> {
        self.expect("{")?;
        let start = self.at;
        self.blanks();
        let minus = self.peek() == b'-';
        if minus {
            self.at += 1;
        }
        if let Some(word) = self.word() {
            self.at += word.len();
            if self.sign("}") {
                let word = if minus { format!("-{word}") } else { word };
                return Ok(Expr::Text(word.into_bytes()));
            }
        }
        self.at = start;
        let inner = self.expression()?;
        self.expect("}")?;
        Ok(inner)
    }

    /// The rest of a list and its end.
    pub(super) fn list_until(&mut self, close: &str) -> Outcome<Vec<Expr>> {
        if self.sign(close) {
            return Ok(Vec::new());
        }
        let inner = self.expression()?;
        self.expect(close)?;
        Ok(match inner {
            Expr::List(items) => items,
            one => vec![one],
        })
    }

    /// What follows a sigil: a name, `{name}`, `{ expression }` or `$reference`.
    pub(super) fn base(&mut self) -> Outcome<Base> {
        match self.peek() {
            b'$' => {
                self.at += 1;
                let inner = self.deeper(Self::base)?;
                Ok(Base::Of(Box::new(match inner {
                    Base::Named(name) => Expr::Scalar(name),
                    Base::Of(expr) => Expr::Deref(expr),
                })))
            }
            b'{' => {
                let start = self.at;
                self.at += 1;
                self.blanks();
                if self.peek() == b'^' {
                    self.at += 1;
                }
                if let Some(word) = self.word() {
                    self.at += word.len();
                    if self.sign("}") {
                        return Ok(Base::Named(word));
                    }
                }
                self.at = start + 1;
                let inner = self.expression()?;
                self.expect("}")?;
                Ok(Base::Of(Box::new(inner)))
            }
            _ => {
                let rest = self.rest();
                if rest.starts_with(b"::") {
                    self.at += 2;
                }
                let here = self.peek();
                if here.is_ascii_alphabetic() || here == b'_' {
                    let word = self.word().unwrap_or_default();
                    self.at += word.len();
                    let word = word.strip_prefix("main::").unwrap_or(&word);
                    return Ok(Base::Named(word.to_owned()));
                }
                if here.is_ascii_digit() {
                    let start = self.at;
                    while self.peek().is_ascii_digit() {
                        self.at += 1;
                    }
                    let name = self.text.get(start..self.at).unwrap_or_default();
                    return Ok(Base::Named(String::from_utf8_lossy(name).into_owned()));
                }
                if here == b'^' && self.rest().get(1).is_some_and(u8::is_ascii_uppercase) {
                    let letter = self.rest().get(1).copied().unwrap_or(b'W');
                    self.at += 2;
                    return Ok(Base::Named(format!("^{}", char::from(letter))));
                }
                if here.is_ascii_punctuation() {
                    self.at += 1;
                    return Ok(Base::Named(char::from(here).to_string()));
                }
                Err(self.near())
            }
        }
    }

    /// A scalar, or an element of something.
    pub(super) fn dollar(&mut self) -> Outcome<Expr> {
        self.at += 1;
        if self.peek() == b'#'
            && self
                .rest()
                .get(1)
                .is_some_and(|byte| b"{$_".contains(byte) || byte.is_ascii_alphabetic())
        {
            self.at += 1;
            return Ok(Expr::LastIndex(self.base()?));
        }
        // `$$` alone is the process; `$$name` a reference.
        let alone = self.peek() == b'$'
            && !self
                .rest()
                .get(1)
                .is_some_and(|byte| byte.is_ascii_alphabetic() || b"_{$:".contains(byte));
        if alone {
            self.at += 1;
            return Ok(Expr::Scalar("$".to_owned()));
        }
        let base = self.base()?;
        self.subscripted(base)
    }

    pub(super) fn subscripted(&mut self, base: Base) -> Outcome<Expr> {
        Ok(match self.peek() {
            b'[' => Expr::Index(base, Box::new(self.subscript("[", "]")?)),
            b'{' => Expr::Key(base, Box::new(self.key()?)),
            _ => match base {
                Base::Named(name) => Expr::Scalar(name),
                Base::Of(expr) => Expr::Deref(expr),
            },
        })
    }

    /// A variable inside a string, with its subscripts; in a pattern `[` may begin a class.
    pub(super) fn variable_in_string(&mut self, pattern: bool) -> Outcome<Expr> {
        let is_array = self.peek() == b'@';
        self.at += 1;
        if !is_array && self.peek() == b'#' {
            self.at += 1;
            return Ok(Expr::LastIndex(self.base()?));
        }
        let base = self.base()?;
        let subscript = |rest: &[u8]| match rest.first() {
            Some(b'{') => {
                !pattern
                    || !rest
                        .get(1)
                        .is_some_and(|byte| byte.is_ascii_digit() || *byte == b',')
            }
            Some(b'[') => rest.get(1).is_some_and(|byte| {
                byte.is_ascii_digit()
                    || *byte == b'$'
                    || (*byte == b'-' && rest.get(2).is_some_and(u8::is_ascii_digit))
            }),
            _ => false,
        };
        if is_array {
            return Ok(match self.peek() {
                b'[' if subscript(self.rest()) => {
                    Expr::Slice(base, Box::new(self.subscript_list("[", "]")?))
                }
                b'{' => Expr::KeySlice(base, Box::new(self.subscript_list("{", "}")?)),
                _ => Expr::Array(base),
            });
        }
        let mut term = if subscript(self.rest()) {
            self.subscripted(base)?
        } else {
            match base {
                Base::Named(name) => Expr::Scalar(name),
                Base::Of(expr) => Expr::Deref(expr),
            }
        };
        loop {
            let rest = self.rest();
            let arrow = rest.starts_with(b"->") && matches!(rest.get(2), Some(b'[' | b'{'));
            let direct = matches!(term, Expr::Index(..) | Expr::Key(..)) && subscript(rest);
            if !arrow && !direct {
                return Ok(term);
            }
            if arrow {
                self.at += 2;
            }
            let base = Base::Of(Box::new(term));
            term = if self.peek() == b'[' {
                Expr::Index(base, Box::new(self.subscript("[", "]")?))
            } else {
                Expr::Key(base, Box::new(self.key()?))
            };
        }
    }

    /// `&name` where the sub itself is meant and not its call.
    pub(super) fn named_code(&mut self) -> Option<Expr> {
        self.blanks();
        let start = self.at;
        if self.peek() != b'&' || self.rest().get(1) == Some(&b'&') {
            return None;
        }
        self.at += 1;
        if let Some(name) = self.word() {
            self.at += name.len();
            self.blanks();
            if self.peek() != b'(' {
                return Some(Expr::Named(name));
            }
        }
        self.at = start;
        None
    }

    /// `&name(…)` and `&$code(…)`.
    pub(super) fn ampersand(&mut self) -> Outcome<Expr> {
        self.at += 1;
        if let Some(name) = self.word() {
            self.at += name.len();
            let list = if self.sign("(") {
                self.list_until(")")?
            } else {
                vec![Expr::Array(Base::Named("_".to_owned()))]
            };
            return Ok(Expr::Call(name, list, true));
        }
        let Base::Of(code) = self.base()? else {
            return Err(self.near());
        };
        let list = if self.sign("(") {
            self.list_until(")")?
        } else {
            vec![Expr::Array(Base::Named("_".to_owned()))]
        };
        Ok(Expr::CallOf(code, list))
    }
}
