//! `pack` and `unpack`.

use super::format::MAX_TEXT_BYTES;
use super::value::Value;

/// Most of one letter; perl's end with memory.
const MAX_COUNT: usize = 1 << 16;

/// One letter of a template and how often.
fn template(text: &[u8]) -> Vec<(u8, Option<usize>)> {
    let mut letters = Vec::new();
    let mut rest = text;
    while let Some((&letter, after)) = rest.split_first() {
        rest = after;
        if letter.is_ascii_whitespace() {
            continue;
        }
        while let Some((b'<' | b'>' | b'!', after)) = rest.split_first() {
            rest = after;
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (count, after) = rest.split_at(digits);
        let count = String::from_utf8_lossy(count)
            .parse()
            .ok()
            .map(|count: usize| count.min(MAX_COUNT));
        rest = after;
        if let Some(after) = rest.strip_prefix(b"*") {
            rest = after;
            letters.push((letter, None));
        } else {
            letters.push((letter, Some(count.unwrap_or(1))));
        }
    }
    letters
}

/// Bytes of an integer's letter, and whether the highest comes first.
fn integer(letter: u8) -> Option<(usize, bool)> {
    Some(match letter {
        b'c' | b'C' => (1, false),
        b's' | b'S' | b'v' => (2, false),
        b'n' => (2, true),
        b'l' | b'L' | b'V' | b'i' | b'I' => (4, false),
        b'N' => (4, true),
        b'q' | b'Q' | b'j' | b'J' => (8, false),
        _ => return None,
    })
}

/// `pack` with `a A Z H h C c S s n v L l N V Q q w x`. `None` is a text that is too long.
pub(super) fn pack(form: &[u8], values: &[Value]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut values = values.iter().cloned();
    for (letter, count) in template(form) {
        if out.len() > MAX_TEXT_BYTES {
            return None;
        }
        match letter {
            b'a' | b'A' | b'Z' => {
                let text = values.next().unwrap_or_default().bytes();
                let width = count.unwrap_or(text.len() + usize::from(letter == b'Z'));
                let fill = if letter == b'A' { b' ' } else { 0 };
                out.extend(
                    text.iter()
                        .copied()
                        .chain(std::iter::repeat(fill))
                        .take(width),
                );
            }
            b'H' | b'h' => {
                let digits = values.next().unwrap_or_default().bytes();
                for pair in digits.chunks(2) {
                    let digit = |at: usize| {
                        pair.get(at)
                            .and_then(|byte| char::from(*byte).to_digit(16))
                            .unwrap_or(0)
                    };
                    let (high, low) = if letter == b'H' {
                        (digit(0), digit(1))
                    } else {
                        (digit(1), digit(0))
                    };
                    out.push(u8::try_from(high * 16 + low).unwrap_or(0));
                }
            }
            b'x' => out.extend(std::iter::repeat_n(0, count.unwrap_or(0))),
            b'U' | b'W' => {
                for value in values.by_ref().take(count.unwrap_or(usize::MAX)) {
                    super::parse::push_character(
                        u32::try_from(value.integer()).unwrap_or(0xfffd),
                        &mut out,
                    );
                }
            }
            letter => {
                let Some((size, big)) = integer(letter) else {
                    continue;
                };
                for value in values.by_ref().take(count.unwrap_or(usize::MAX)) {
                    let bytes = value.integer().to_le_bytes();
                    let own = bytes.iter().copied().take(size);
                    if big {
                        out.extend(own.rev());
                    } else {
                        out.extend(own);
                    }
                }
            }
        }
    }
    Some(out)
}

/// The reverse of [`pack`].
pub(super) fn unpack(form: &[u8], mut bytes: &[u8]) -> Vec<Value> {
    let mut out = Vec::new();
    for (letter, count) in template(form) {
        match letter {
            b'a' | b'A' | b'Z' => {
                let (own, rest) = bytes.split_at(count.unwrap_or(bytes.len()).min(bytes.len()));
                bytes = rest;
                out.push(Value::text(match letter {
                    b'A' => own.trim_ascii_end(),
                    b'Z' => own.split(|byte| *byte == 0).next().unwrap_or_default(),
                    _ => own,
                }));
            }
            b'H' => {
                let digits = count.unwrap_or(bytes.len() * 2);
                let (own, rest) = bytes.split_at(digits.div_ceil(2).min(bytes.len()));
                bytes = rest;
                let mut text: String = own.iter().map(|byte| format!("{byte:02x}")).collect();
                text.truncate(digits);
                out.push(Value::text(text));
            }
            b'x' => bytes = bytes.get(count.unwrap_or(0)..).unwrap_or_default(),
            letter => {
                let Some((size, big)) = integer(letter) else {
                    continue;
                };
                for _ in 0..count.unwrap_or(usize::MAX) {
                    let Some((own, rest)) = bytes.split_at_checked(size) else {
                        break;
                    };
                    bytes = rest;
                    let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
                    let value = if big {
                        own.iter().fold(0, fold)
                    } else {
                        own.iter().rev().fold(0, fold)
                    };
                    out.push(Value::Int(value.cast_signed()));
                }
            }
        }
    }
    out
}
