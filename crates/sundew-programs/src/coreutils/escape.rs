//! Backslash escapes of echo(1), printf(1) and tr(1).

/// Replaces the escapes of `echo -e` and `printf %b`; whether `\c` ended the output.
pub(crate) fn echo(text: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&letter, after)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        match letter {
            b'c' => return (out, true),
            b'0' => {
                let (value, length) = octal(after, 3);
                out.push(value);
                rest = after.get(length..).unwrap_or_default();
                continue;
            }
            b'1'..=b'7' => {
                let (value, length) = octal(rest, 3);
                out.push(value);
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            b'x' => {
                let (value, length) = hex(after, 2);
                if length > 0 {
                    out.push(u8::try_from(value).unwrap_or_default());
                    rest = after.get(length..).unwrap_or_default();
                    continue;
                }
                out.extend_from_slice(b"\\x");
            }
            letter => match single(letter) {
                Some(byte) => out.push(byte),
                None => out.extend([b'\\', letter]),
            },
        }
        rest = after;
    }
    (out, false)
}

/// The byte that a letter behind a backslash stands for.
pub(crate) fn single(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 7,
        b'b' => 8,
        b'e' => 27,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        _ => return None,
    })
}

/// An octal number of at most `most` digits, its low eight bits, and how many digits it has.
pub(crate) fn octal(text: &[u8], most: usize) -> (u8, usize) {
    let digits = text
        .iter()
        .take(most)
        .take_while(|byte| (b'0'..=b'7').contains(byte))
        .count();
    let value = text
        .iter()
        .take(digits)
        .fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'));
    let [low, ..] = value.to_le_bytes();
    (low, digits)
}

/// A hexadecimal number of at most `most` digits, and how many it has.
pub(crate) fn hex(text: &[u8], most: usize) -> (u32, usize) {
    let digits: Vec<u32> = text
        .iter()
        .take(most.min(8))
        .map_while(|&byte| char::from(byte).to_digit(16))
        .collect();
    (
        digits.iter().fold(0, |value, digit| value << 4 | digit),
        digits.len(),
    )
}
