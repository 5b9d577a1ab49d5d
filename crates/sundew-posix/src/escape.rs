//! Text with marks: backslash escapes as BusyBox reads them for `echo -e`, and words quoted for a shell.

/// `'…'` around a word, so that any shell reads it back whatever it holds: a quote within becomes `'\''`.
#[must_use]
pub fn single_quoted(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len() + 2);
    out.push(b'\'');
    for &byte in word {
        if byte == b'\'' {
            out.extend_from_slice(b"'\\''");
        } else {
            out.push(byte);
        }
    }
    out.push(b'\'');
    out
}

/// Replaces the escapes of a text; whether `\c` ended it, and all output with it.
///
/// Up to three octal digits may follow the backslash, with or without a zero in front; two
/// hexadecimal ones `\x`. A value over 255 ends a digit earlier. What is no escape stays as it is.
#[must_use]
pub fn busybox_echo(text: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&escape, after)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        let simple = match escape {
            b'a' => Some(7),
            b'b' => Some(8),
            b'e' => Some(0x1b),
            b'f' => Some(0x0c),
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'v' => Some(0x0b),
            b'\\' => Some(b'\\'),
            _ => None,
        };
        if let Some(simple) = simple {
            out.push(simple);
            rest = after;
            continue;
        }
        match escape {
            b'c' => return (out, true),
            b'0' => {
                let (value, behind) = digits(after, 8, 3);
                out.push(value.unwrap_or(0));
                rest = behind;
            }
            b'1'..=b'7' => {
                let (value, behind) = digits(rest, 8, 3);
                out.push(value.unwrap_or(0));
                rest = behind;
            }
            b'x' => match digits(after, 16, 2) {
                (Some(value), behind) => {
                    out.push(value);
                    rest = behind;
                }
                (None, _) => out.push(b'\\'),
            },
            _ => out.push(b'\\'),
        }
    }
    (out, false)
}

/// A number of at most so many digits that fits a byte, and what follows it.
fn digits(text: &[u8], base: u32, most: usize) -> (Option<u8>, &[u8]) {
    let mut value = None;
    let mut rest = text;
    for _ in 0..most {
        let Some((&letter, after)) = rest.split_first() else {
            break;
        };
        let Some(digit) = char::from(letter).to_digit(base) else {
            break;
        };
        let sum = u32::from(value.unwrap_or(0_u8)) * base + digit;
        let Ok(sum) = u8::try_from(sum) else { break };
        value = Some(sum);
        rest = after;
    }
    (value, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_read_as_by_the_original() {
        let said = |text: &str| busybox_echo(text.as_bytes());
        assert_eq!(
            said(r"\147\1a\18\400\x4\xzz\0147\08\e"),
            (b"g\x01a\x018 0\x04\\xzzg\08\x1b".to_vec(), false)
        );
        assert_eq!(said(r"a\cb"), (b"a".to_vec(), true));
        assert_eq!(said(r"\u0041\"), (br"\u0041\".to_vec(), false));
    }
}
