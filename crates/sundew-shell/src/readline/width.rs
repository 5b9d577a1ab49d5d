//! Characters in a string of bytes and the columns they take: UTF-8 as a terminal shows it.

use sundew_posix::width::columns;

/// Length in bytes and width in columns of the character at the start of `bytes`. A byte that begins
/// no character is one of its own, one column wide.
pub fn character(bytes: &[u8], utf8: bool) -> (usize, usize) {
    let Some(&first) = bytes.first() else {
        return (0, 0);
    };
    if first < 0x80 || !utf8 {
        return (1, 1);
    }
    let len = expected_len(first);
    let decoded = bytes
        .get(..len)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    match decoded.and_then(|text| text.chars().next()) {
        Some(character) => (len, columns(character)),
        None => (1, 1),
    }
}

/// Length of the UTF-8 sequence that `first` begins; 1 if it begins none.
pub fn expected_len(first: u8) -> usize {
    match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

/// Where the character before `at` begins.
pub fn previous(text: &[u8], at: usize, utf8: bool) -> usize {
    if at == 0 {
        return 0;
    }
    if utf8 {
        for back in 1..=4.min(at) {
            let start = at - back;
            if text
                .get(start)
                .is_some_and(|byte| !(0x80..0xc0).contains(byte))
            {
                let whole = character(text.get(start..).unwrap_or_default(), true).0 == back;
                return if whole { start } else { at - 1 };
            }
        }
    }
    at - 1
}

/// Where the character after the one at `at` begins.
pub fn next(text: &[u8], at: usize, utf8: bool) -> usize {
    let mut at = at + character(text.get(at..).unwrap_or_default(), utf8).0;
    // What combines belongs to the character before it.
    while utf8 && at < text.len() {
        match character(text.get(at..).unwrap_or_default(), true) {
            (len, 0) if len > 0 => at += len,
            _ => break,
        }
    }
    at.min(text.len())
}

/// Columns of `text` on the screen.
pub fn of(text: &[u8], utf8: bool) -> usize {
    let mut rest = text;
    let mut total = 0;
    while !rest.is_empty() {
        let (len, width) = character(rest, utf8);
        total += width;
        rest = rest.get(len.max(1)..).unwrap_or_default();
    }
    total
}
