//! One output line as it stands in a transcript, and back.
//!
//! A line of ordinary text stands as it is. Anything an editor or a diff would damage or hide
//! (control bytes, bytes that are not UTF-8, a blank at the end, no newline at the end) and anything
//! that would read as grammar stands in the escaped form: a backslash, then the line with C escapes,
//! and `\c` at its end if no newline followed.

use std::fmt::Write as _;

use super::parse::ParseErrorKind;

/// First two bytes that mean something at the start of a transcript line.
const MARKS: [&str; 7] = ["$ ", "> ", "< ", "! ", "!~ ", "? ", "~ "];

/// Splits output into lines that keep their newline; the last one may lack it.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n')
}

/// Writes one line of output, given with its newline if it had one. The result has none.
pub(super) fn encode(line: &[u8]) -> String {
    let (body, ended) = match line.strip_suffix(b"\n") {
        Some(body) => (body, true),
        None => (line, false),
    };
    if ended
        && let Ok(text) = std::str::from_utf8(body)
        && is_plain(text)
    {
        return text.to_owned();
    }
    let mut out = String::from("\\");
    for chunk in body.utf8_chunks() {
        for character in chunk.valid().chars() {
            escape(character, &mut out);
        }
        for byte in chunk.invalid() {
            hex(*byte, &mut out);
        }
    }
    // A blank at the end of a line is invisible, and editors strip it.
    if out.ends_with(' ') {
        out.pop();
        out.push_str("\\x20");
    }
    if !ended {
        out.push_str("\\c");
    }
    out
}

/// Reads one line of output back: the inverse of [`encode`].
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, ParseErrorKind> {
    let Some(escaped) = text.strip_prefix(b"\\") else {
        let mut line = text.to_vec();
        line.push(b'\n');
        return Ok(line);
    };
    let mut line = Vec::with_capacity(escaped.len());
    let mut rest = escaped.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'\\' {
            line.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'\\') => line.push(b'\\'),
            Some(b't') => line.push(b'\t'),
            Some(b'r') => line.push(b'\r'),
            Some(b'e') => line.push(0x1b),
            Some(b'x') => {
                let digits = [rest.next(), rest.next()];
                line.push(byte_of(digits).ok_or(ParseErrorKind::BadEscape)?);
            }
            Some(b'c') if rest.len() == 0 => return Ok(line),
            _ => return Err(ParseErrorKind::BadEscape),
        }
    }
    line.push(b'\n');
    Ok(line)
}

fn is_plain(text: &str) -> bool {
    !text.starts_with('\\')
        && !text.ends_with([' ', '\t'])
        && !MARKS.iter().any(|mark| text.starts_with(mark))
        // A mark whose line is otherwise empty: editors strip the blank after it.
        && !["!", "#", "<", ">", "$"].contains(&text)
        && !text.starts_with("# ")
        && !text.chars().any(|c| c.is_control() && c != '\t')
}

fn escape(character: char, out: &mut String) {
    match character {
        '\\' => out.push_str("\\\\"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        '\x1b' => out.push_str("\\e"),
        c if c.is_control() => {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                hex(byte, out);
            }
        }
        c => out.push(c),
    }
}

fn hex(byte: u8, out: &mut String) {
    // Writing to a String cannot fail.
    write!(out, "\\x{byte:02x}").unwrap_or_default();
}

fn byte_of(digits: [Option<&u8>; 2]) -> Option<u8> {
    let [Some(&high), Some(&low)] = digits else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_lines_stand_as_they_are() {
        for line in [
            "2",
            "-rw-r--r-- 1 root",
            "a\tb",
            "#!/bin/sh",
            "  indented",
            "é",
            "$x",
            "",
        ] {
            assert_eq!(encode(format!("{line}\n").as_bytes()), line);
        }
    }

    #[test]
    fn what_an_editor_would_damage_is_escaped() {
        assert_eq!(encode(b"blank \n"), "\\blank\\x20");
        assert_eq!(encode(b"$ not a command\n"), "\\$ not a command");
        assert_eq!(encode(b"# not a comment\n"), "\\# not a comment");
        assert_eq!(encode(b"no newline"), "\\no newline\\c");
        assert_eq!(encode(b"\xff\x00\x1b[0m\n"), "\\\\xff\\x00\\e[0m");
        assert_eq!(encode(b"\\n\n"), "\\\\\\n");
    }

    #[test]
    fn a_bad_escape_is_an_error() {
        for text in ["\\\\q", "\\\\x4", "\\\\xzz", "\\a\\cb", "\\\\"] {
            assert!(decode(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(body in any::<Vec<u8>>()) {
            for line in lines(&body) {
                let text = encode(line);
                prop_assert!(!text.contains('\n'));
                prop_assert_eq!(decode(text.as_bytes()).unwrap(), line);
            }
        }
    }
}
