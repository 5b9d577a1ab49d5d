//! What stands between quotes.

use super::super::ast::Expr;
use super::super::stack::Stack;
use super::{Failure, Parser};

/// A quoted text without its delimiters, backslashes kept.
pub(super) struct Delimited {
    pub(super) text: Vec<u8>,
}

/// What closes a delimiter.
pub(super) fn closing(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        b'<' => b'>',
        other => other,
    }
}

/// A delimiter as complaints show it.
pub(super) fn shown(open: u8) -> String {
    let close = char::from(closing(open));
    if close == '"' {
        "'\"'".to_owned()
    } else {
        format!("\"{close}\"")
    }
}

/// The text up to the closing delimiter, and how much was passed.
pub(super) fn delimited(rest: &[u8], open: u8) -> Option<(Delimited, usize)> {
    let close = closing(open);
    let (mut text, mut level, mut at) = (Vec::new(), 0, 0);
    loop {
        let byte = *rest.get(at)?;
        at += 1;
        if byte == b'\\' {
            let next = *rest.get(at)?;
            at += 1;
            // An escaped delimiter is the delimiter, unless it means something in a pattern.
            let plain = next == close && close == open && b"/!,#~%`;:=".contains(&close);
            if !plain {
                text.push(b'\\');
            }
            text.push(next);
            continue;
        }
        if byte == close && level == 0 {
            return Some((Delimited { text }, at));
        }
        if close != open && byte == open {
            level += 1;
        } else if close != open && byte == close {
            level -= 1;
        }
        text.push(byte);
    }
}

/// Single quotes: only the backslash and the delimiter can be escaped.
pub(super) fn single(text: &[u8], open: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\\'
            && let Some(next) = bytes.peek().copied()
            && (next == b'\\' || next == open || next == closing(open))
        {
            out.push(next);
            bytes.next();
            continue;
        }
        out.push(byte);
    }
    out
}

/// Double quotes: escapes and variables.
pub(super) fn double(text: &[u8], depth: (usize, Stack), line: usize) -> Result<Expr, Failure> {
    pieces(text, depth, line, false)
}

/// A pattern: variables only; what a backslash means is the pattern's affair.
pub(super) fn pattern(text: &[u8], depth: (usize, Stack), line: usize) -> Result<Expr, Failure> {
    pieces(text, depth, line, true)
}

#[expect(
    clippy::too_many_lines,
    reason = "one pass over a string, escape by escape"
)]
fn pieces(text: &[u8], depth: (usize, Stack), line: usize, pattern: bool) -> Result<Expr, Failure> {
    let mut parts = Vec::new();
    let mut plain: Vec<u8> = Vec::new();
    // `\U…\E` and the like: what they do, and where the parts begin.
    let mut casing: Vec<(&'static str, usize)> = Vec::new();
    // `\u` and `\l`: what they do to the piece that comes next.
    let mut once: Option<(&'static str, usize)> = None;
    let mut at = 0;
    let flush = |plain: &mut Vec<u8>, parts: &mut Vec<Expr>| {
        if !plain.is_empty() {
            parts.push(Expr::Text(std::mem::take(plain)));
        }
    };
    let end_case = |casing: &mut Vec<(&'static str, usize)>, parts: &mut Vec<Expr>| {
        if let Some((name, from)) = casing.pop() {
            let inner = parts.split_off(from.min(parts.len()));
            parts.push(Expr::Do(name, vec![Expr::Joined(inner)]));
        }
    };
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied();
        if let Some((name, from)) = once
            && parts.len() > from
        {
            let inner = parts.split_off(from);
            parts.push(Expr::Do(name, vec![Expr::Joined(inner)]));
            once = None;
        } else if let Some((name, _)) = once
            && let Some(first) = plain.first_mut()
        {
            *first = if name == "ucfirst" {
                first.to_ascii_uppercase()
            } else {
                first.to_ascii_lowercase()
            };
            once = None;
        }
        match byte {
            b'\\' => {
                let case = match next {
                    Some(b'U') => Some("uc"),
                    Some(b'L') => Some("lc"),
                    Some(b'Q') => Some("quotemeta"),
                    _ => None,
                };
                let letter = match next {
                    Some(b'u') => Some("ucfirst"),
                    Some(b'l') => Some("lcfirst"),
                    _ => None,
                };
                if let (Some(name), false) = (letter, pattern) {
                    flush(&mut plain, &mut parts);
                    once = Some((name, parts.len()));
                    at += 2;
                } else if let Some(name) = case {
                    flush(&mut plain, &mut parts);
                    casing.push((name, parts.len()));
                    at += 2;
                } else if next == Some(b'E') {
                    flush(&mut plain, &mut parts);
                    end_case(&mut casing, &mut parts);
                    at += 2;
                } else if pattern {
                    plain.push(byte);
                    plain.extend(next);
                    at += 2;
                } else {
                    at += 1 + escape(text.get(at + 1..).unwrap_or_default(), &mut plain);
                }
            }
            b'$' | b'@' if begins_variable(text.get(at..).unwrap_or_default(), pattern) => {
                flush(&mut plain, &mut parts);
                let rest = text.get(at..).unwrap_or_default();
                let mut parser = Parser::new(rest, depth, line);
                let variable = parser.deeper(|parser| parser.variable_in_string(pattern))?;
                at += parser.at;
                parts.push(variable);
            }
            byte => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    flush(&mut plain, &mut parts);
    if let Some((name, from)) = once
        && parts.len() > from
    {
        let inner = parts.split_off(from);
        parts.push(Expr::Do(name, vec![Expr::Joined(inner)]));
    }
    while !casing.is_empty() {
        end_case(&mut casing, &mut parts);
    }
    Ok(match parts.len() {
        0 => Expr::Text(Vec::new()),
        1 if matches!(parts.first(), Some(Expr::Text(_))) => {
            parts.pop().unwrap_or(Expr::Text(Vec::new()))
        }
        _ => Expr::Joined(parts),
    })
}

fn begins_variable(text: &[u8], pattern: bool) -> bool {
    let next = text.get(1).copied().unwrap_or(0);
    let name = next.is_ascii_alphabetic() || matches!(next, b'_' | b'{' | b'$' | b':');
    if text.first() == Some(&b'@') {
        return next.is_ascii_alphabetic() || matches!(next, b'_' | b'{' | b'$');
    }
    if next == b'#' {
        return matches!(text.get(2), Some(b'{' | b'$'))
            || text.get(2).is_some_and(u8::is_ascii_alphabetic);
    }
    if pattern && next == b'{' {
        return true;
    }
    if next == b':' {
        return text.get(2) == Some(&b':');
    }
    name && !(pattern && next == b'$')
        || next.is_ascii_digit()
        || next == b'&'
        || next == b'+' && text.get(2) == Some(&b'{')
        || !pattern
            && matches!(
                next,
                b'@' | b'!'
                    | b'0'
                    | b','
                    | b'.'
                    | b';'
                    | b'/'
                    | b'\\'
                    | b'^'
                    | b'`'
                    | b'\''
                    | b']'
                    | b'<'
                    | b'>'
                    | b'?'
                    | b'('
            )
            && (next != b'^' || text.get(2).is_some_and(u8::is_ascii_uppercase))
}

/// One escape of a double-quoted string behind its backslash; answers what was passed.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(&first) = rest.first() else {
        out.push(b'\\');
        return 0;
    };
    let simple = match first {
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'a' => Some(7),
        b'b' => Some(8),
        b'e' => Some(27),
        b'f' => Some(12),
        _ => None,
    };
    if let Some(byte) = simple {
        out.push(byte);
        return 1;
    }
    match first {
        b'0'..=b'7' => {
            let digits = rest
                .iter()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .count();
            let value = rest
                .iter()
                .take(digits)
                .fold(0_u32, |sum, byte| sum * 8 + u32::from(byte - b'0'));
            out.push(u8::try_from(value & 0xff).unwrap_or(0));
            digits
        }
        b'x' if rest.get(1) == Some(&b'{') => {
            let end = rest
                .iter()
                .position(|&byte| byte == b'}')
                .unwrap_or(rest.len());
            let digits = String::from_utf8_lossy(rest.get(2..end).unwrap_or_default()).into_owned();
            let value = u32::from_str_radix(digits.trim(), 16).unwrap_or(0);
            push_character(value, out);
            (end + 1).min(rest.len())
        }
        b'x' => {
            let digits = rest
                .iter()
                .skip(1)
                .take(2)
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            let text =
                String::from_utf8_lossy(rest.get(1..=digits).unwrap_or_default()).into_owned();
            out.push(u8::from_str_radix(&text, 16).unwrap_or(0));
            digits + 1
        }
        b'c' => {
            out.push(rest.get(1).copied().unwrap_or(b'@').to_ascii_uppercase() ^ 64);
            2
        }
        other => {
            out.push(other);
            1
        }
    }
}

/// A character by its number: a byte up to 255, UTF-8 above.
pub(in super::super) fn push_character(value: u32, out: &mut Vec<u8>) {
    match u8::try_from(value) {
        Ok(byte) => out.push(byte),
        Err(_) => {
            let letter = char::from_u32(value).unwrap_or('\u{fffd}');
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// The characters of one side of `tr`, ranges written out.
pub(super) fn range(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'\\' {
            at += 1 + escape(text.get(at + 1..).unwrap_or_default(), &mut plain);
            continue;
        }
        if byte == b'-'
            && let (Some(&from), Some(&to)) = (plain.last(), text.get(at + 1))
            && from < to
        {
            plain.extend(from + 1..=to);
            at += 2;
            continue;
        }
        plain.push(byte);
        at += 1;
    }
    plain
}
