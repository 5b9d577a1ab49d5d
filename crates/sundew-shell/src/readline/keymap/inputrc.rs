//! Lines of an inputrc file, which `bind` takes too.

use super::Action;
use super::function::{self, Function};

/// A line that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A comment, or nothing.
    Nothing,
    /// `keys: action`; `None` unbinds.
    Bind {
        /// The bytes that the key sends.
        keys: Vec<u8>,
        /// What it does.
        action: Option<Action>,
    },
    /// `set name value`
    Set {
        /// The variable.
        name: Vec<u8>,
        /// What it shall be.
        value: Vec<u8>,
    },
    /// `$if test`
    If(Vec<u8>),
    /// `$else`
    Else,
    /// `$endif`
    EndIf,
    /// `$include file`
    Include(Vec<u8>),
}

/// Why a line means nothing; readline says it behind its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError(pub Vec<u8>);

/// Reads a line.
///
/// # Errors
///
/// A key sequence without its end.
pub fn parse(line: &[u8]) -> Result<Line, ParseError> {
    let line = line.trim_ascii_start();
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(Line::Nothing);
    }
    if let Some(directive) = line.strip_prefix(b"$") {
        let end = directive
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(directive.len());
        let (name, rest) = directive.split_at(end);
        let rest = rest.trim_ascii().to_vec();
        return Ok(match name {
            b"if" => Line::If(rest),
            b"else" => Line::Else,
            b"endif" => Line::EndIf,
            b"include" => Line::Include(rest),
            _ => Line::Nothing,
        });
    }
    if line
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"set "))
    {
        let rest = line.get(4..).unwrap_or_default().trim_ascii();
        let end = rest
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(rest.len());
        let (name, value) = rest.split_at(end);
        let value = value.trim_ascii();
        let value = value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""))
            .unwrap_or(value);
        return Ok(Line::Set {
            name: name.to_vec(),
            value: value.to_vec(),
        });
    }
    binding(line)
}

fn binding(line: &[u8]) -> Result<Line, ParseError> {
    let no_end = || ParseError([line, b": no key sequence terminator"].concat());
    let (keys, rest) = if line.starts_with(b"\"") {
        let end = closing_quote(line).ok_or_else(no_end)?;
        let (quoted, rest) = line.split_at(end + 1);
        (unescape(quoted.get(1..end).unwrap_or_default()), rest)
    } else {
        let colon = line
            .iter()
            .position(|&byte| byte == b':')
            .ok_or_else(no_end)?;
        let (name, rest) = line.split_at(colon);
        (named_key(name.trim_ascii()), rest)
    };
    let rest = rest
        .trim_ascii_start()
        .strip_prefix(b":")
        .ok_or_else(no_end)?;
    let action = rest.trim_ascii();
    let quote = action
        .first()
        .copied()
        .filter(|byte| matches!(byte, b'"' | b'\''));
    if quote.is_some() {
        let end = closing_quote(action).unwrap_or(action.len());
        let text = unescape(action.get(1..end).unwrap_or_default());
        return Ok(Line::Bind {
            keys,
            action: Some(Action::Macro(text)),
        });
    }
    let end = action
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(action.len());
    let function: Option<&'static Function> =
        function::by_name(action.get(..end).unwrap_or_default());
    Ok(Line::Bind {
        keys,
        action: function.map(Action::Run),
    })
}

/// Where the quote that opens the text is closed.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let quote = text.first()?;
    let mut at = 1;
    loop {
        let byte = text.get(at)?;
        match byte {
            b'\\' => at += 1,
            _ if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// `Control-u`, `Meta-Rubout`, `RETURN`: the last character, and what is held with it.
fn named_key(name: &[u8]) -> Vec<u8> {
    let lower = name.to_ascii_lowercase();
    let control = [b"control-".as_slice(), b"ctrl-", b"c-"]
        .iter()
        .any(|prefix| find(&lower, prefix).is_some());
    let meta = [b"meta-".as_slice(), b"m-"]
        .iter()
        .any(|prefix| find(&lower, prefix).is_some());
    let last = match name.iter().rposition(|&byte| byte == b'-') {
        Some(at) if at + 1 < name.len() => name.get(at + 1..).unwrap_or_default(),
        _ => name,
    };
    let byte = match last.to_ascii_lowercase().as_slice() {
        b"del" | b"rubout" => 0x7f,
        b"esc" | b"escape" => 0x1b,
        b"lfd" | b"newline" => b'\n',
        b"ret" | b"return" => b'\r',
        b"space" | b"spc" => b' ',
        b"tab" => b'\t',
        _ => last.first().copied().unwrap_or_default(),
    };
    let byte = if control { controlled(byte) } else { byte };
    if meta { vec![0x1b, byte] } else { vec![byte] }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn controlled(byte: u8) -> u8 {
    if byte == b'?' {
        0x7f
    } else {
        byte.to_ascii_uppercase() & 0x1f
    }
}

/// The bytes that a quoted key sequence or macro stands for.
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let (mut control, mut meta) = (false, false);
        let mut rest_after = rest;
        // `\C-\M-x` and `\M-\C-x` are one key.
        loop {
            let modifier = rest_after.strip_prefix(b"\\").filter(|_| control || meta);
            let body = modifier.unwrap_or(rest_after);
            if let Some(after) = body.strip_prefix(b"C-") {
                control = true;
                rest_after = after;
            } else if let Some(after) = body.strip_prefix(b"M-") {
                meta = true;
                rest_after = after;
            } else {
                break;
            }
        }
        if control || meta {
            let (byte, used) = match rest_after.strip_prefix(b"\\") {
                Some(escape) => {
                    let (byte, used) = escaped(escape);
                    (byte, used + 1)
                }
                None => (rest_after.first().copied(), 1),
            };
            at += rest.len() - rest_after.len() + used;
            if let Some(byte) = byte {
                if meta {
                    out.push(0x1b);
                }
                out.push(if control { controlled(byte) } else { byte });
            }
            continue;
        }
        let (byte, used) = escaped(rest);
        at += used;
        out.extend(byte);
    }
    out
}

/// The byte after a backslash, and how many characters spell it.
fn escaped(rest: &[u8]) -> (Option<u8>, usize) {
    let Some(&letter) = rest.first() else {
        return (None, 0);
    };
    let byte = match letter {
        b'a' => 7,
        b'b' => 8,
        b'd' => 0x7f,
        b'e' => 0x1b,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => return number(rest, 8, 3),
        b'x' => {
            let (byte, used) = number(rest.get(1..).unwrap_or_default(), 16, 2);
            return (byte, used + 1);
        }
        other => other,
    };
    (Some(byte), 1)
}

fn number(text: &[u8], base: u32, most: usize) -> (Option<u8>, usize) {
    let digits = text
        .iter()
        .take(most)
        .map_while(|&byte| char::from(byte).to_digit(base));
    let (value, used) = digits.fold((0_u32, 0), |(value, used), digit| {
        (value * base + digit, used + 1)
    });
    (Some(value.to_le_bytes()[0]), used)
}

/// Bytes as `bind -p` shows them between quotes.
pub fn escape_keys(keys: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &byte in keys {
        match byte {
            0x1b => out.extend_from_slice(b"\\e"),
            0x7f => out.extend_from_slice(b"\\C-?"),
            0..0x20 => {
                out.extend_from_slice(b"\\C-");
                out.push((byte | 0x40).to_ascii_lowercase());
            }
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x80.. => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out
}

/// Bytes as `bind -s` shows a macro between quotes.
pub fn escape_macro(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &byte in text {
        match byte {
            0x1b => out.extend_from_slice(b"\\e"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            11 => out.extend_from_slice(b"\\v"),
            0x7f => out.extend_from_slice(b"\\C-?"),
            0..0x20 => {
                out.extend_from_slice(b"\\C-");
                out.push((byte | 0x40).to_ascii_lowercase());
            }
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_readline_spells_them() {
        let keys = |line: &str| match parse(line.as_bytes()) {
            Ok(Line::Bind { keys, .. }) => keys,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(keys(r#""\C-x\C-r": re-read-init-file"#), b"\x18\x12");
        assert_eq!(keys(r#""\M-x": undo"#), b"\x1bx");
        assert_eq!(keys(r#""\C-\M-x": undo"#), b"\x1b\x18");
        assert_eq!(keys(r#""\e[11~": "hi""#), b"\x1b[11~");
        assert_eq!(keys("Control-u: undo"), b"\x15");
        assert_eq!(keys("Meta-Rubout: undo"), b"\x1b\x7f");
        assert_eq!(keys("TAB: complete"), b"\t");
        assert_eq!(keys(r#""\x41\102\"": undo"#), b"AB\"");
        let wrong = parse(b"zz").unwrap_err();
        assert_eq!(wrong.0, b"zz: no key sequence terminator");
    }

    #[test]
    fn actions_and_variables_are_read() {
        let text = b"a\nb".to_vec();
        assert_eq!(
            parse(br#""x": "a\nb""#),
            Ok(Line::Bind {
                keys: b"x".to_vec(),
                action: Some(Action::Macro(text))
            })
        );
        assert_eq!(
            parse(b"set bell-style none # x"),
            Ok(Line::Set {
                name: b"bell-style".to_vec(),
                value: b"none # x".to_vec()
            })
        );
        assert_eq!(
            parse(b"$if mode=emacs"),
            Ok(Line::If(b"mode=emacs".to_vec()))
        );
    }

    #[test]
    fn keys_are_shown_as_they_are_read() {
        for keys in [b"\x1b[1;5C".as_slice(), b"\x18\x7f", b"\"\\", b"\xff"] {
            assert_eq!(unescape(&escape_keys(keys)), keys);
        }
    }
}
