//! Terms: variables, calls, lists, quotes.

use super::super::ast::{Base, Expr, Pattern};
use super::quote::{self, Delimited};
use super::{Failure, Outcome, Parser, Pending};

/// Builtins that take one operand, `$_` if none is given where that makes sense.
const UNARY: &[&str] = &[
    "defined", "ref", "scalar", "lc", "uc", "lcfirst", "ucfirst", "length", "chr", "ord", "int",
    "abs", "sqrt", "sin", "cos", "exp", "log", "hex", "oct", "rand", "srand", "quotemeta", "chomp",
    "chop", "exists", "delete", "each", "keys", "values", "shift", "pop", "caller", "undef",
    "chdir", "rmdir", "readlink", "close", "fileno", "eof", "exit", "umask", "sleep", "localtime",
    "gmtime", "alarm", "require", "stat", "lstat", "readdir", "closedir", "fc", "pos", "chroot",
    "getpwnam", "getpwuid", "gethostbyname", "inet_aton", "inet_ntoa", "getprotobyname", "lock", "readline",
];
/// Builtins that take a list.
const LIST: &[&str] = &[
    "push", "unshift", "splice", "join", "split", "reverse", "die", "warn", "sprintf", "substr",
    "index", "rindex", "open", "opendir", "unlink", "mkdir", "rename", "chmod", "chown", "utime",
    "system", "exec", "kill", "wait", "waitpid", "fork", "time", "times", "getppid", "binmode",
    "select", "sysopen", "syswrite", "sysread", "read", "seek", "tell", "truncate", "pack",
    "unpack", "bless", "wantarray", "link", "symlink", "atan2", "setsid", "getuid", "socket",
    "connect", "sockaddr_in", "shutdown", "recv", "send", "vec", "flock", "pipe", "printf_", "lstat_", "local_",
    "sum", "max", "min", "first_", "uniq", "basename", "dirname", "getcwd", "cwd", "strftime", "floor", "ceil",
    "encode_base64", "decode_base64", "usleep", "blessed", "shuffle", "getlogin", "setpgrp", "getpgrp", "ioctl", "fcntl", "syscall",
];
/// Those of [`UNARY`] that mean `$_` when they stand alone.
const OF_TOPIC: &[&str] = &[
    "lc", "uc", "lcfirst", "ucfirst", "length", "chr", "ord", "int", "abs", "sqrt", "sin", "cos",
    "exp", "log", "hex", "oct", "quotemeta", "chomp", "chop", "defined", "ref", "stat", "lstat",
    "readlink", "rmdir", "fc",
];

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
                    b'`' => Expr::Command(Box::new(quote::double(&text, self.depth)?)),
                    _ => quote::double(&text, self.depth)?,
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
        loop {
            let rest = self.rest();
            let direct = matches!(
                term,
                Expr::Index(..) | Expr::Key(..) | Expr::CallOf(..)
            );
            let blanks = rest.len() - rest.trim_ascii_start().len();
            let next = rest.get(blanks..).unwrap_or_default();
            if next.starts_with(b"->") {
                self.at += blanks + 2;
                self.blanks();
                term = self.arrow(term)?;
            } else if direct && rest.starts_with(b"[") {
                term = Expr::Index(Base::Of(Box::new(term)), Box::new(self.subscript("[", "]")?));
            } else if direct && rest.starts_with(b"{") {
                term = Expr::Key(Base::Of(Box::new(term)), Box::new(self.key()?));
            } else if direct && rest.starts_with(b"(") {
                self.at += 1;
                term = Expr::CallOf(Box::new(term), self.list_until(")")?);
            } else {
                return Ok(term);
            }
        }
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
                let code = self.dollar()?;
                let mut list = vec![term];
                if self.sign("(") {
                    list.extend(self.list_until(")")?);
                }
                Expr::CallOf(Box::new(code), list)
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

    fn subscript(&mut self, open: &str, close: &str) -> Outcome<Expr> {
        self.expect(open)?;
        let inner = self.expression()?;
        self.expect(close)?;
        Ok(inner)
    }

    fn subscript_list(&mut self, open: &str, close: &str) -> Outcome<Expr> {
        self.expect(open)?;
        Ok(Expr::List(self.list_until(close)?))
    }

    /// `{word}`, `{-word}` or `{expression}`.
    fn key(&mut self) -> Outcome<Expr> {
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
    fn list_until(&mut self, close: &str) -> Outcome<Vec<Expr>> {
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
    fn base(&mut self) -> Outcome<Base> {
        match self.peek() {
            b'$' => {
                self.at += 1;
                let inner = self.base()?;
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
    fn dollar(&mut self) -> Outcome<Expr> {
        self.at += 1;
        if self.peek() == b'#' && self.rest().get(1).is_some_and(|byte| b"{$_".contains(byte) || byte.is_ascii_alphabetic()) {
            self.at += 1;
            return Ok(Expr::LastIndex(self.base()?));
        }
        // `$$` alone is the process; `$$name` a reference.
        let alone = self.peek() == b'$'
            && !self.rest().get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || b"_{$:".contains(byte));
        if alone {
            self.at += 1;
            return Ok(Expr::Scalar("$".to_owned()));
        }
        let base = self.base()?;
        self.subscripted(base)
    }

    fn subscripted(&mut self, base: Base) -> Outcome<Expr> {
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
            Some(b'{') => !pattern || !rest.get(1).is_some_and(|byte| byte.is_ascii_digit() || *byte == b','),
            Some(b'[') => rest.get(1).is_some_and(|byte| {
                byte.is_ascii_digit() || *byte == b'$' || (*byte == b'-' && rest.get(2).is_some_and(u8::is_ascii_digit))
            }),
            _ => false,
        };
        if is_array {
            return Ok(match self.peek() {
                b'[' if subscript(self.rest()) => Expr::Slice(base, Box::new(self.subscript_list("[", "]")?)),
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

    /// `&name(…)` and `&$code(…)`.
    fn ampersand(&mut self) -> Outcome<Expr> {
        self.at += 1;
        if let Some(name) = self.word() {
            self.at += name.len();
            let list = if self.sign("(") { self.list_until(")")? } else { vec![Expr::Array(Base::Named("_".to_owned()))] };
            return Ok(Expr::Call(name, list));
        }
        let Base::Of(code) = self.base()? else {
            return Err(self.near());
        };
        let list = if self.sign("(") { self.list_until(")")? } else { Vec::new() };
        Ok(Expr::CallOf(code, list))
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
        if rest.starts_with(b"<<") && rest.get(2).is_some_and(|byte| byte.is_ascii_alphabetic() || b"\"'~_".contains(byte)) {
            return self.here_document();
        }
        let end = rest.iter().position(|&byte| byte == b'>');
        let inner = end.and_then(|end| rest.get(1..end)).unwrap_or_default().to_vec();
        if end.is_none() {
            return Err(self.near());
        }
        self.at += inner.len() + 2;
        let name = String::from_utf8_lossy(&inner).into_owned();
        if let Some(variable) = name.strip_prefix('$')
            && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Ok(Expr::ReadLine(Box::new(Expr::Scalar(variable.to_owned()))));
        }
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(Expr::ReadLine(Box::new(Expr::Handle(name))));
        }
        let pattern = quote::double(&inner, self.depth)?;
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
        let rest = self.rest().to_vec();
        let line_end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let index = self.documents.len();
        self.documents.push(Vec::new());
        let raw = quote == b'\'';
        let mut ahead = Parser {
            text: self.text,
            at: (self.at + line_end + 1).min(self.text.len()),
            depth: self.depth,
            pending: vec![Pending { tag: tag.clone(), raw, indented, index: 0 }],
            documents: vec![Vec::new()],
        };
        // Documents already waiting on this line come first.
        for waiting in &self.pending {
            ahead.pending.insert(0, Pending { tag: waiting.tag.clone(), raw: waiting.raw, indented: waiting.indented, index: usize::MAX });
        }
        ahead.take_documents();
        let body = ahead.documents.pop().unwrap_or_default();
        self.pending.push(Pending { tag, raw, indented, index });
        if raw { Ok(Expr::Text(body)) } else { quote::double(&body, self.depth) }
    }

    fn number(&mut self) -> Expr {
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
            while let Some(digit) = char::from(self.peek()).to_digit(radix).or((self.peek() == b'_').then_some(u32::MAX)) {
                if digit != u32::MAX {
                    value = value.wrapping_mul(i64::from(radix)).wrapping_add(i64::from(digit));
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
                b'e' | b'E' if next.is_ascii_digit() || (matches!(next, b'-' | b'+') && self.rest().get(2).is_some_and(u8::is_ascii_digit)) => {
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
            Failure::Other(format!("Can't find string terminator {} anywhere before EOF", quote::shown(open)))
        })?;
        self.at += passed;
        Ok(found)
    }

    fn flags(&mut self) -> String {
        let rest = self.rest();
        let end = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
        let flags = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        self.at += end;
        flags
    }

    fn matching(&mut self, text: &[u8], open: u8) -> Outcome<Expr> {
        let flags = self.flags();
        let text = if open == b'\'' { Expr::Text(text.to_vec()) } else { quote::pattern(text, self.depth)? };
        let pattern = Pattern { text: Box::new(text), flags };
        Ok(Expr::Match { target: None, pattern, negated: false })
    }

    /// The delimiter of a quoting operator; blanks may come before it.
    fn opening(&mut self) -> u8 {
        self.blanks();
        let open = self.peek();
        self.at += 1;
        open
    }

    /// `q`, `qq`, `qw`, `qr`, `qx`, `m`, `s`, `tr`, `y`.
    fn quoting(&mut self, word: &str) -> Outcome<Expr> {
        let open = self.opening();
        let first = self.delimited(open)?.text;
        Ok(match word {
            "q" => Expr::Text(quote::single(&first, open)),
            "qq" => quote::double(&first, self.depth)?,
            "qx" => Expr::Command(Box::new(quote::double(&first, self.depth)?)),
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
                let second_open = if quote::closing(open) == open { open } else { self.opening() };
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
                    super::inner(&code, self.depth)?
                } else if open == b'\'' {
                    Expr::Text(second)
                } else {
                    quote::double(&second, self.depth)?
                };
                let pattern = Pattern { text: Box::new(quote::pattern(&first, self.depth)?), flags };
                Expr::Substitute { target: None, pattern, with: Box::new(with) }
            }
        })
    }

    #[expect(clippy::too_many_lines, reason = "a row for each word with a syntax of its own")]
    fn named(&mut self, word: &str) -> Outcome<Expr> {
        let start = self.at;
        self.at += word.len();
        // `word =>` is a string whatever the word.
        let after = self.rest().trim_ascii_start();
        if after.starts_with(b"=>") {
            return Ok(Expr::Text(word.as_bytes().to_vec()));
        }
        if matches!(word, "q" | "qq" | "qw" | "qr" | "qx" | "m" | "s" | "tr" | "y") {
            let here = self.peek();
            let next = after.first().copied().unwrap_or(0);
            let quotes = if here.is_ascii_whitespace() {
                next.is_ascii_punctuation() && !b"=,;)#".contains(&next)
            } else {
                here.is_ascii_punctuation() && here != b',' && here != b';' && here != b')'
            };
            if quotes {
                return self.quoting(word);
            }
        }
        match word {
            "my" | "our" | "state" => return self.declaration(),
            "local" => return Ok(Expr::Local(Box::new(self.term()?))),
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
                let value = if self.ends_list() { None } else { Some(Box::new(self.comma()?)) };
                return Ok(Expr::Return(value));
            }
            "next" | "last" | "redo" => {
                let label = self.word().filter(|word| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit()));
                self.at += label.as_ref().map_or(0, |label| { self.blanks(); label.len() });
                return Ok(if word == "last" { Expr::Last(label) } else { Expr::Next(label) });
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
        if word.contains("::") && after.starts_with(b"->") || after.starts_with(b"->") && !UNARY.contains(&word) {
            return Ok(Expr::Text(word.as_bytes().to_vec()));
        }
        let short = word.strip_prefix("CORE::").unwrap_or(word);
        let short = short.strip_prefix("POSIX::").unwrap_or(short);
        if let Some(name) = UNARY.iter().find(|name| **name == short) {
            let mut list = self.arguments(true)?;
            if list.is_empty() && OF_TOPIC.contains(name) {
                list.push(topic());
            }
            return Ok(line_of(Expr::Do(name, list)));
        }
        if let Some(name) = LIST.iter().find(|name| **name == short) {
            let alone = matches!(*name, "time" | "wait" | "fork" | "getppid" | "wantarray" | "times" | "setsid" | "getuid");
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
            return Ok(line_of(Expr::Call(word.to_owned(), self.list_until(")")?)));
        }
        let upper = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if upper || word.contains("::") {
            return Ok(Expr::Handle(word.to_owned()));
        }
        // `new Class(list)`
        if word == "new"
            && let Some(class) = self.word()
        {
            self.at += class.len();
            let list = if self.sign("(") { self.list_until(")")? } else { Vec::new() };
            return Ok(line_of(Expr::Method(Box::new(Expr::Text(class.into_bytes())), "new".to_owned(), list)));
        }
        if self.starts_term() {
            if self.peek().is_ascii_alphabetic() {
                self.at = start;
                let rest = self.rest();
                let rest = rest.get(..40).unwrap_or(rest);
                return Err(Failure::Near(String::from_utf8_lossy(rest).into_owned()));
            }
            return Ok(line_of(Expr::Call(word.to_owned(), self.arguments(false)?)));
        }
        Ok(line_of(Expr::Call(word.to_owned(), Vec::new())))
    }

    /// Whether an operand can begin here.
    fn starts_term(&mut self) -> bool {
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
                Some("x" | "eq" | "ne" | "lt" | "gt" | "le" | "ge" | "cmp" | "and" | "or" | "xor" | "if" | "unless" | "while" | "until" | "for" | "foreach")
            ),
            _ => false,
        }
    }

    /// Operands of a builtin or a call.
    fn arguments(&mut self, one: bool) -> Outcome<Vec<Expr>> {
        self.blanks();
        if self.peek() == b'(' {
            self.at += 1;
            return self.list_until(")");
        }
        if !self.starts_term() && !(!one && self.peek() == b'/') {
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

    fn declaration(&mut self) -> Outcome<Expr> {
        self.blanks();
        if self.peek() != b'(' {
            return Ok(Expr::My(vec![self.declared()?], false));
        }
        self.at += 1;
        let mut places = Vec::new();
        while !self.sign(")") {
            places.push(self.declared()?);
            self.sign(",");
        }
        Ok(Expr::My(places, true))
    }

    fn declared(&mut self) -> Outcome<Expr> {
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

    /// `print {handle} list`, `print HANDLE list`, `print $handle list`.
    fn print(&mut self, word: &str) -> Outcome<Expr> {
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

    fn print_handle(&mut self) -> Outcome<Option<Box<Expr>>> {
        let start = self.at;
        if self.peek() == b'{' {
            self.at += 1;
            let handle = self.expression()?;
            self.expect("}")?;
            return Ok(Some(Box::new(handle)));
        }
        if let Some(word) = self.word()
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && !word.starts_with("__")
        {
            self.at += word.len();
            self.blanks();
            if !matches!(self.peek(), b'(' | b',' | b'.' | b'-') {
                return Ok(Some(Box::new(Expr::Handle(word))));
            }
            self.at = start;
        }
        if self.peek() == b'$' && self.rest().get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
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
    fn each(&mut self, word: &str) -> Outcome<Expr> {
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
                let known = UNARY.contains(&name.as_str()) || LIST.contains(&name.as_str()) || matches!(name.as_str(), "map" | "grep" | "qw" | "sort");
                self.at += name.len();
                if !known && self.starts_term() && self.peek() != b'(' {
                    body = Some(Expr::Call(name, Vec::new()));
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
