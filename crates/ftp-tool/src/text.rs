//! Bytes of strangers, made fit for a terminal; sizes for people.

/// The bytes as text: UTF-8 stays, control characters (of terminals and of text direction) and what
/// is not UTF-8 are written as `\xNN` or `\u{…}`.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            // U+202A to U+202E and U+2066 to U+2069 turn the direction: `gpj.exe` would read `exe.jpg`.
            let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if c.is_control() || turns {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// `1.5 MiB`.
#[must_use]
pub fn human_size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_stay_and_escape_sequences_do_not() {
        assert_eq!(printable("größe 文".as_bytes()), "größe 文");
        assert_eq!(printable(b"a\x1b[2Jb\r\n"), "a\\u{1b}[2Jb\\r\\n");
        assert_eq!(printable(b"\xff\xc3"), "\\xff\\xc3");
        assert_eq!(printable("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    }
}
