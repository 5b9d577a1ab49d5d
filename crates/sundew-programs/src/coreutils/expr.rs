//! expr(1).

use sundew_kernel::{ExitStatus, Process};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::{about, input};
use crate::quote;

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 200;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match words.first().map(Vec::as_slice) {
        Some(b"--help") if words.len() == 1 => return about::run(proc, "help", "expr").await,
        Some(b"--version") if words.len() == 1 => return about::run(proc, "version", "expr").await,
        Some(b"--") => {
            words.remove(0);
        }
        _ => {}
    }
    if words.is_empty() {
        input::missing_operand(proc).await;
        return ExitStatus::Exited(2);
    }
    let mut parser = Parser {
        proc,
        words: &words,
        at: 0,
        depth: 0,
    };
    let value = match parser.or(true) {
        Ok(value) if parser.at == words.len() => value,
        Ok(_) => {
            let shown = quote::text(proc, words.get(parser.at).map_or(b"", Vec::as_slice));
            proc.complain_text([b"syntax error: unexpected argument ", shown.as_slice()].concat())
                .await;
            return ExitStatus::Exited(2);
        }
        Err(text) => {
            proc.complain_text(text).await;
            return ExitStatus::Exited(2);
        }
    };
    let status = u8::from(is_null(&value));
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&[value.as_slice(), b"\n"].concat()).await;
    ExitStatus::Exited(status)
}

/// Empty, or a number that is zero.
fn is_null(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    value.is_empty() || (!digits.is_empty() && digits.iter().all(|&byte| byte == b'0'))
}

struct Parser<'a> {
    proc: &'a Process,
    words: &'a [Vec<u8>],
    at: usize,
    depth: usize,
}

type Value = Result<Vec<u8>, Vec<u8>>;

impl Parser<'_> {
    fn next_is(&mut self, word: &[u8]) -> bool {
        let is = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is);
        is
    }

    fn one_of<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        words
            .iter()
            .find(|word| self.next_is(word.as_bytes()))
            .copied()
    }

    /// `needed`: whether the value counts; what is skipped is not computed.
    fn or(&mut self, needed: bool) -> Value {
        let mut left = self.and(needed)?;
        while self.next_is(b"|") {
            let right = self.and(needed && is_null(&left))?;
            if is_null(&left) {
                left = if is_null(&right) {
                    b"0".to_vec()
                } else {
                    right
                };
            }
        }
        Ok(left)
    }

    fn and(&mut self, needed: bool) -> Value {
        let mut left = self.comparison(needed)?;
        while self.next_is(b"&") {
            let right = self.comparison(needed && !is_null(&left))?;
            if is_null(&left) || is_null(&right) {
                left = b"0".to_vec();
            }
        }
        Ok(left)
    }

    fn comparison(&mut self, needed: bool) -> Value {
        let mut left = self.sum(needed)?;
        while let Some(operator) = self.one_of(&["<=", "<", "==", "=", "!=", ">=", ">"]) {
            let right = self.sum(needed)?;
            let order = match (number(&left), number(&right)) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => left.cmp(&right),
            };
            let holds = match operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                ">=" => order.is_ge(),
                _ => order.is_gt(),
            };
            left = u8::from(holds).to_string().into_bytes();
        }
        Ok(left)
    }

    fn arithmetic(&self, needed: bool, left: &[u8], right: &[u8], operator: &str) -> Value {
        if !needed {
            return Ok(left.to_vec());
        }
        let (Some(a), Some(b)) = (number(left), number(right)) else {
            return Err(b"non-integer argument".to_vec());
        };
        if b == 0 && matches!(operator, "/" | "%") {
            return Err(b"division by zero".to_vec());
        }
        let value = match operator {
            "+" => a.checked_add(b),
            "-" => a.checked_sub(b),
            "*" => a.checked_mul(b),
            "/" => a.checked_div(b),
            _ => a.checked_rem(b),
        };
        // The real one goes on with numbers of any length.
        value
            .map(|value| value.to_string().into_bytes())
            .ok_or_else(|| b"memory exhausted".to_vec())
    }

    fn sum(&mut self, needed: bool) -> Value {
        let mut left = self.product(needed)?;
        while let Some(operator) = self.one_of(&["+", "-"]) {
            let right = self.product(needed)?;
            left = self.arithmetic(needed, &left, &right, operator)?;
        }
        Ok(left)
    }

    fn product(&mut self, needed: bool) -> Value {
        let mut left = self.matching(needed)?;
        while let Some(operator) = self.one_of(&["*", "/", "%"]) {
            let right = self.matching(needed)?;
            left = self.arithmetic(needed, &left, &right, operator)?;
        }
        Ok(left)
    }

    fn matching(&mut self, needed: bool) -> Value {
        let mut left = self.function(needed)?;
        while self.next_is(b":") {
            let pattern = self.function(needed)?;
            if needed {
                left = matched(&left, &pattern)?;
            }
        }
        Ok(left)
    }

    fn function(&mut self, needed: bool) -> Value {
        if self.next_is(b"+") {
            return self.word();
        }
        if self.next_is(b"length") {
            let text = self.function(needed)?;
            return Ok(characters(&text).len().to_string().into_bytes());
        }
        if self.next_is(b"match") {
            let (text, pattern) = (self.function(needed)?, self.function(needed)?);
            return matched(&text, &pattern);
        }
        if self.next_is(b"index") {
            let (text, wanted) = (self.function(needed)?, self.function(needed)?);
            let wanted = characters(&wanted);
            let at = characters(&text)
                .iter()
                .position(|char| wanted.contains(char));
            return Ok(at.map_or(0, |at| at + 1).to_string().into_bytes());
        }
        if self.next_is(b"substr") {
            let (text, start, length) = (
                self.function(needed)?,
                self.function(needed)?,
                self.function(needed)?,
            );
            let size = |value: &[u8]| {
                number(value)
                    .and_then(|value| usize::try_from(value).ok())
                    .unwrap_or(0)
            };
            let (start, length) = (size(&start), size(&length));
            if start == 0 {
                return Ok(Vec::new());
            }
            let chars = characters(&text);
            return Ok(chars
                .into_iter()
                .skip(start - 1)
                .take(length)
                .collect::<Vec<_>>()
                .concat());
        }
        self.primary(needed)
    }

    fn primary(&mut self, needed: bool) -> Value {
        if self.next_is(b"(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(b"memory exhausted".to_vec());
            }
            let value = self.or(needed)?;
            self.depth -= 1;
            if self.next_is(b")") {
                return Ok(value);
            }
            let (what, word) = match self.words.get(self.at) {
                None => ("syntax error: expecting ')' after ", self.words.last()),
                Some(word) => ("syntax error: expecting ')' instead of ", Some(word)),
            };
            let shown = quote::text(self.proc, word.map_or(b"", Vec::as_slice));
            return Err([what.as_bytes(), &shown].concat());
        }
        if self.next_is(b")") {
            return Err(b"syntax error: unexpected ')'".to_vec());
        }
        self.word()
    }

    fn word(&mut self) -> Value {
        match self.words.get(self.at) {
            Some(word) => {
                self.at += 1;
                Ok(word.clone())
            }
            None => {
                let shown = quote::text(self.proc, self.words.last().map_or(b"", Vec::as_slice));
                Err([b"syntax error: missing argument after ", shown.as_slice()].concat())
            }
        }
    }
}

fn number(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain
        .then(|| std::str::from_utf8(text).ok()?.parse().ok())
        .flatten()
}

/// Characters, or bytes that are none.
fn characters(text: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.first() {
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let whole = rest
            .get(..length)
            .filter(|char| std::str::from_utf8(char).is_ok());
        let (char, after) = rest.split_at(whole.map_or(1, <[u8]>::len));
        out.push(char);
        rest = after;
    }
    out
}

/// What a pattern matches at the front: the first group, or how many characters.
fn matched(text: &[u8], pattern: &[u8]) -> Value {
    let regex = Regex::new(pattern, Syntax::Basic, Flags::default())
        .map_err(|error| error.to_string().into_bytes())?;
    // The leftmost match begins at the front if any does.
    let groups = regex
        .find(text, 0, false)
        .filter(|groups| groups.start() == 0);
    Ok(match groups {
        Some(groups) if groups.count() > 1 => groups.bytes(1, text).unwrap_or_default().to_vec(),
        Some(groups) => {
            let length = text
                .get(..groups.end())
                .map_or(0, |text| characters(text).len());
            length.to_string().into_bytes()
        }
        // With a group in the pattern nothing is the empty text.
        None if regex.group_count() > 0 => Vec::new(),
        None => b"0".to_vec(),
    })
}
