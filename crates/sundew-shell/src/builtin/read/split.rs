//! A line into the values of variables: POSIX `read`, with the last variable taking the rest.

/// One byte that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Character {
    pub(super) byte: u8,
    /// Whether a backslash stood before it.
    pub(super) quoted: bool,
}

/// The line as it is.
pub(super) fn text(line: &[Character]) -> Vec<u8> {
    line.iter().map(|character| character.byte).collect()
}

/// Exactly `count` values.
pub(super) fn fields(line: &[Character], separators: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut values = Vec::with_capacity(count);
    let mut rest = skip_blanks(line, separators);
    for _ in 1..count {
        let (word, after) = word(rest, separators);
        values.push(text(word));
        rest = after;
    }
    let (single, after) = word(rest, separators);
    let last = if after.is_empty() {
        single
    } else {
        strip_blanks(rest, separators)
    };
    values.push(text(last));
    values
}

/// As many values as there are: `read -a`.
pub(super) fn words(line: &[Character], separators: &[u8]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let mut rest = skip_blanks(line, separators);
    while !rest.is_empty() {
        let (word, after) = word(rest, separators);
        values.push(text(word));
        rest = after;
    }
    values
}

fn is_separator(character: &Character, separators: &[u8]) -> bool {
    !character.quoted && separators.contains(&character.byte)
}

fn is_blank(character: &Character, separators: &[u8]) -> bool {
    is_separator(character, separators) && matches!(character.byte, b' ' | b'\t' | b'\n')
}

fn skip_blanks<'a>(line: &'a [Character], separators: &[u8]) -> &'a [Character] {
    let count = line
        .iter()
        .take_while(|character| is_blank(character, separators))
        .count();
    line.get(count..).unwrap_or_default()
}

fn strip_blanks<'a>(line: &'a [Character], separators: &[u8]) -> &'a [Character] {
    let count = line
        .iter()
        .rev()
        .take_while(|character| is_blank(character, separators))
        .count();
    line.get(..line.len() - count).unwrap_or_default()
}

/// The first word, and what follows its separator.
fn word<'a>(line: &'a [Character], separators: &[u8]) -> (&'a [Character], &'a [Character]) {
    let end = line
        .iter()
        .position(|character| is_separator(character, separators))
        .unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let rest = skip_blanks(rest, separators);
    match rest.split_first() {
        Some((first, after)) if is_separator(first, separators) => {
            (word, skip_blanks(after, separators))
        }
        _ => (word, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, separators: &str, count: usize) -> Vec<String> {
        let line: Vec<Character> = line
            .bytes()
            .map(|byte| Character {
                byte,
                quoted: false,
            })
            .collect();
        let values = fields(&line, separators.as_bytes(), count);
        values
            .into_iter()
            .map(|value| String::from_utf8(value).unwrap())
            .collect()
    }

    #[test]
    fn the_last_variable_takes_the_rest() {
        assert_eq!(read(" a b  c d ", " \t\n", 2), ["a", "b  c d"]);
        assert_eq!(read("a:b::c:", ":", 2), ["a", "b::c:"]);
        assert_eq!(read("a", " ", 3), ["a", "", ""]);
    }

    #[test]
    fn a_separator_behind_the_last_word_vanishes() {
        assert_eq!(read("a:", ":", 2), ["a", ""]);
        assert_eq!(read("a:b:", ":", 2), ["a", "b"]);
        assert_eq!(read("a:b: ", ": ", 2), ["a", "b"]);
        assert_eq!(read(" a ", "", 1), [" a "]);
    }
}
