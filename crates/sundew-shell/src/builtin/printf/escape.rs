//! Backslash escapes of formats and of `%b`.

use sundew_sh_syntax::Dialect;

/// Where the escape stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the format.
    Format,
    /// In an argument of `%b`.
    Argument,
}

/// What an escape means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Escaped {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A backslash, and a complaint.
    Missing(&'static str),
    /// `\c`: the end of all output.
    Stop,
}

/// Reads what follows a backslash: its meaning, and how many bytes belong to it.
pub(super) fn unescape(rest: &[u8], dialect: Dialect, place: Place) -> (Escaped, usize) {
    let argument = place == Place::Argument;
    let Some(&letter) = rest.first() else {
        return (Escaped::Bytes(b"\\".to_vec()), 0);
    };
    let byte = |byte: u8| (Escaped::Bytes(vec![byte]), 1);
    match letter {
        b'a' => byte(7),
        b'b' => byte(8),
        b'e' => byte(0x1b),
        b'E' if dialect == Dialect::Bash => byte(0x1b),
        b'f' => byte(0x0c),
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'v' => byte(0x0b),
        b'\\' => byte(b'\\'),
        b'\'' | b'"' | b'?' if dialect == Dialect::Bash && !argument => byte(letter),
        b'c' if argument || dialect == Dialect::Ash => (Escaped::Stop, 1),
        b'0'..=b'7' => {
            let most = if argument && letter == b'0' { 4 } else { 3 };
            let (value, length) = number(rest, 8, most);
            (Escaped::Bytes(vec![value.to_le_bytes()[0]]), length)
        }
        b'x' if dialect != Dialect::Dash => {
            match number(rest.get(1..).unwrap_or_default(), 16, 2) {
                (_, 0) if dialect == Dialect::Bash => {
                    (Escaped::Missing("missing hex digit for \\x"), 0)
                }
                (_, 0) => (Escaped::Bytes(b"\\".to_vec()), 0),
                (value, length) => (Escaped::Bytes(vec![value.to_le_bytes()[0]]), length + 1),
            }
        }
        b'u' | b'U' if dialect == Dialect::Bash => {
            let most = if letter == b'u' { 4 } else { 8 };
            match number(rest.get(1..).unwrap_or_default(), 16, most) {
                (_, 0) if letter == b'u' => (Escaped::Missing("missing unicode digit for \\u"), 0),
                (_, 0) => (Escaped::Missing("missing unicode digit for \\U"), 0),
                (value, length) => {
                    let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                    (
                        Escaped::Bytes(character.to_string().into_bytes()),
                        length + 1,
                    )
                }
            }
        }
        _ => (Escaped::Bytes(b"\\".to_vec()), 0),
    }
}

/// Up to `most` digits: their value and number.
fn number(text: &[u8], radix: u32, most: usize) -> (u32, usize) {
    let mut value = 0u32;
    let mut length = 0;
    for &byte in text.iter().take(most) {
        let Some(digit) = char::from(byte).to_digit(radix) else {
            break;
        };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        length += 1;
    }
    (value, length)
}
