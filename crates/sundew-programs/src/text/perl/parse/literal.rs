//! Numbers and quoting operators.

use super::super::ast::{Expr, Pattern};
use super::quote::{self, Delimited};
use super::{Failure, Outcome, Parser};

impl Parser<'_> {
    pub(super) fn number(&mut self) -> Expr {
        let rest = self.rest();
        let radix = match rest.get(..2) {
            Some(b"0x" | b"0X") => Some((2, 16)),
            Some(b"0b" | b"0B") => Some((2, 2)),
            Some([b'0', b'0'..=b'7']) => Some((1, 8)),
            _ => None,
        };
        if let Some((skip, radix)) = radix {
            self.at += skip;
            let mut value: i64 = 0;
            while let Some(digit) = char::from(self.peek())
                .to_digit(radix)
                .or((self.peek() == b'_').then_some(u32::MAX))
            {
                if digit != u32::MAX {
                    value = value
                        .wrapping_mul(i64::from(radix))
                        .wrapping_add(i64::from(digit));
                }
                self.at += 1;
            }
            return Expr::Integer(value);
        }
        let mut text = String::new();
        let mut float = false;
        loop {
            let byte = self.peek();
            let next = self.rest().get(1).copied().unwrap_or(0);
            match byte {
                b'0'..=b'9' => text.push(char::from(byte)),
                b'_' => {}
                b'.' if !float && next != b'.' => {
                    float = true;
                    text.push('.');
                }
                b'e' | b'E'
                    if next.is_ascii_digit()
                        || (matches!(next, b'-' | b'+')
                            && self.rest().get(2).is_some_and(u8::is_ascii_digit)) =>
                {
                    float = true;
                    text.push('e');
                    self.at += 1;
                    text.push(char::from(next));
                }
                _ => break,
            }
            self.at += 1;
        }
        match text.parse::<i64>() {
            Ok(value) if !float => Expr::Integer(value),
            _ => Expr::Number(text.parse().unwrap_or(0.0)),
        }
    }

    /// Text up to the delimiter that closes; the opening one is passed already.
    pub(super) fn delimited(&mut self, open: u8) -> Outcome<Delimited> {
        let (found, passed) = quote::delimited(self.rest(), open).ok_or_else(|| {
            Failure::Other(format!(
                "Can't find string terminator {} anywhere before EOF",
                quote::shown(open)
            ))
        })?;
        self.at += passed;
        Ok(found)
    }

    pub(super) fn flags(&mut self) -> String {
        let rest = self.rest();
        let end = rest
            .iter()
            .position(|byte| !byte.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let flags = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        self.at += end;
        flags
    }

    pub(super) fn matching(&mut self, text: &[u8], open: u8) -> Outcome<Expr> {
        let flags = self.flags();
        let text = if open == b'\'' {
            Expr::Text(text.to_vec())
        } else {
            quote::pattern(text, self.level(), self.line())?
        };
        let pattern = Pattern {
            text: Box::new(text),
            flags,
        };
        Ok(Expr::Match {
            target: None,
            pattern,
            negated: false,
        })
    }

    /// The delimiter of a quoting operator; blanks may come before it.
    pub(super) fn opening(&mut self) -> u8 {
        self.blanks();
        let open = self.peek();
        self.at += 1;
        open
    }

    /// `q`, `qq`, `qw`, `qr`, `qx`, `m`, `s`, `tr`, `y`.
    pub(super) fn quoting(&mut self, word: &str) -> Outcome<Expr> {
        let open = self.opening();
        let first = self.delimited(open)?.text;
        Ok(match word {
            "q" => Expr::Text(quote::single(&first, open)),
            "qq" => quote::double(&first, self.level(), self.line())?,
            "qx" => Expr::Command(Box::new(quote::double(&first, self.level(), self.line())?)),
            "qw" => Expr::List(
                first
                    .split(u8::is_ascii_whitespace)
                    .filter(|word| !word.is_empty())
                    .map(|word| Expr::Text(word.to_vec()))
                    .collect(),
            ),
            "m" => self.matching(&first, open)?,
            "qr" => match self.matching(&first, open)? {
                Expr::Match { pattern, .. } => Expr::Compiled(pattern),
                other => other,
            },
            _ => {
                let second_open = if quote::closing(open) == open {
                    open
                } else {
                    self.opening()
                };
                let second = self.delimited(second_open)?.text;
                let flags = self.flags();
                if word != "s" {
                    return Ok(Expr::Translate {
                        target: None,
                        from: quote::range(&first),
                        to: quote::range(&second),
                        flags,
                    });
                }
                let with = if flags.contains('e') {
                    let code = [b"do {".as_slice(), &second, b"\n}"].concat();
                    super::inner(&code, self.level(), self.line())?
                } else if open == b'\'' {
                    Expr::Text(second)
                } else {
                    quote::double(&second, self.level(), self.line())?
                };
                let pattern = Pattern {
                    text: Box::new(quote::pattern(&first, self.level(), self.line())?),
                    flags,
                };
                Expr::Substitute {
                    target: None,
                    pattern,
                    with: Box::new(with),
                }
            }
        })
    }
}
