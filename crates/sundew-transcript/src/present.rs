//! How a wrong answer is shown: the file, the line, what was wanted, what came.

use crate::session::parse::Expected;

/// Adds the lines of one stream under a heading, marked like in the transcript.
pub(crate) fn block(out: &mut String, heading: &str, lines: &[String]) {
    out.push_str("  ");
    out.push_str(heading);
    if lines.is_empty() {
        out.push_str(" nothing");
    }
    out.push('\n');
    for line in lines {
        out.push_str("    ");
        out.push_str(line);
        out.push('\n');
    }
}

/// True when the bytes are exactly the expected lines.
pub(crate) fn agrees<'a>(expected: &[Expected], mut got: impl Iterator<Item = &'a [u8]>) -> bool {
    expected
        .iter()
        .all(|want| got.next().is_some_and(|line| line_agrees(want, line)))
        && got.next().is_none()
}

/// True when one line, with its newline, is the expected one.
pub(crate) fn line_agrees(want: &Expected, line: &[u8]) -> bool {
    match want {
        Expected::Exact(text) => text == line,
        Expected::Pattern(pattern) => line
            .strip_suffix(b"\n")
            .is_some_and(|body| matches(pattern, body)),
    }
}

/// Matches a pattern whose `*` stand for any bytes, in time linear in pattern times text.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut pieces = pattern.split(|&byte| byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&[u8]> = pieces.collect();
    let Some(last) = pieces.pop() else {
        // No star at all.
        return rest.is_empty();
    };
    for piece in pieces {
        // The earliest place is as good as any: what follows a star may start anywhere.
        match find(rest, piece) {
            Some(end) => rest = rest.get(end..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Where the first occurrence of `piece` ends.
fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() {
        return Some(0);
    }
    text.windows(piece.len())
        .position(|window| window == piece)
        .map(|at| at + piece.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, want) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a*b*c", "aXbYbZc", true),
            ("*: line *: nope", "bash: line 1: nope", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                want,
                "{pattern} on {text}"
            );
        }
    }
}
