//! The word before the cursor, and what is expected where it stands.

/// Characters that end a word.
const BREAKS: &[u8] = b" \t\n\"'><=;|&(:@";

/// The word to complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it begins in the line, behind an opening quote.
    pub(super) start: usize,
    /// The open quote.
    pub(super) quote: Option<u8>,
    /// Its text without quoting.
    pub(super) text: Vec<u8>,
    /// Whether a command is expected here.
    pub(super) command: bool,
    /// Whether an `@` stands before it.
    pub(super) host: bool,
    /// Whether it stands behind a backquote, and nothing is put behind it.
    pub(super) backquoted: bool,
    /// Whether it is an argument of `cd`.
    pub(super) of_cd: bool,
    /// Whether its last `$` stands for itself.
    pub(super) escaped_dollar: bool,
}

/// Finds the word at the end of `line` and whether it stands where a command does.
pub(super) fn word_at_end(line: &[u8]) -> Word {
    let mut quote = None;
    let mut start = 0;
    let mut quoted_from = 0;
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        match (quote, byte) {
            (None | Some(b'"'), b'\\') => at += 1,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                quoted_from = at + 1;
            }
            (None, _) if BREAKS.contains(&byte) => start = at + 1,
            (None, _) => {}
        }
        at += 1;
    }
    let mut start = if quote.is_some() {
        quoted_from
    } else {
        start.min(line.len())
    };
    let backquoted = quote.is_none() && line.get(start) == Some(&b'`');
    start += usize::from(backquoted);
    let before = line
        .get(..start - usize::from(quote.is_some()))
        .unwrap_or_default();
    let raw = line.get(start..).unwrap_or_default();
    Word {
        start,
        quote,
        text: without_quotes(raw, quote),
        command: command_follows(before),
        host: before.ends_with(b"@"),
        backquoted,
        of_cd: before.trim_ascii_end() == b"cd",
        escaped_dollar: raw
            .iter()
            .rposition(|&byte| byte == b'$')
            .and_then(|at| at.checked_sub(1))
            .is_some_and(|at| raw.get(at) == Some(&b'\\')),
    }
}

/// Whether what follows `before` is a command's name.
pub(super) fn command_follows(before: &[u8]) -> bool {
    let trimmed = before.trim_ascii_end();
    let Some(&last) = trimmed.last() else {
        return true;
    };
    if matches!(last, b';' | b'|' | b'&' | b'(' | b'`' | b'{')
        && !trimmed.ends_with(b">&")
        && !trimmed.ends_with(b">|")
    {
        return true;
    }
    if trimmed.len() == before.len() {
        return false;
    }
    // Assignments may stand before it. After `if` or `!` bash 5.2 expects no command.
    let word = trimmed
        .rsplit(|byte| byte.is_ascii_whitespace())
        .next()
        .unwrap_or_default();
    let rest = trimmed
        .get(..trimmed.len() - word.len())
        .unwrap_or_default();
    let name = word
        .iter()
        .position(|&byte| byte == b'=')
        .and_then(|at| word.get(..at));
    name.is_some_and(crate::variable::is_name) && command_follows(rest)
}

pub(super) fn without_quotes(raw: &[u8], quote: Option<u8>) -> Vec<u8> {
    if quote == Some(b'\'') {
        return raw.to_vec();
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    let mut inner = None;
    while let Some(byte) = bytes.next() {
        match (inner, byte) {
            (Some(b'\''), b'\'') => inner = None,
            (Some(b'\''), _) => text.push(byte),
            (_, b'\\') => text.extend(bytes.next()),
            (None, b'\'' | b'"') if quote.is_none() => inner = Some(byte),
            (Some(b'"'), b'"') => inner = None,
            _ => text.push(byte),
        }
    }
    text
}

/// Where the name of an unfinished `$name` or `${name` at the end of `text` begins.
pub(super) fn variable_start(text: &[u8]) -> Option<usize> {
    let dollar = text.iter().rposition(|&byte| byte == b'$')?;
    let name = dollar + 1 + usize::from(text.get(dollar + 1) == Some(&b'{'));
    let plain = text
        .get(name..)?
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    plain.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_the_cursor_is_found_in_quotes_and_behind_operators() {
        let word = |line: &str| word_at_end(line.as_bytes());
        assert_eq!(
            word("ls al"),
            Word {
                start: 3,
                quote: None,
                text: b"al".to_vec(),
                command: false,
                host: false,
                backquoted: false,
                of_cd: false,
                escaped_dollar: false,
            }
        );
        assert!(word("ls; al").command);
        assert!(word("a | b").command);
        assert!(!word("if tr").command);
        assert!(word("A=1 B=2 tr").command);
        assert!(!word("echo if tr").command);
        assert!(!word("ls > al").command);
        assert_eq!(word("ls \"be").start, 4);
        assert_eq!(word("ls \"be").quote, Some(b'"'));
        assert_eq!(word("ls be\\ f").text, b"be f");
        assert_eq!(word("A=al").start, 2);
    }
}
