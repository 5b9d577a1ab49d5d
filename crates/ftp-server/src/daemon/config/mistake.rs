//! What is wrong with a configuration file, in one line: file, line, column, key, what was expected.

use std::fmt;
use std::path::{Path, PathBuf};

/// A mistake and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// Counted in characters from 1.
    pub column: usize,
    /// In one line.
    pub text: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            text,
        } = self;
        write!(f, "{}:{line}:{column}: {text}", file.display())
    }
}

impl std::error::Error for Mistake {}

impl Mistake {
    /// A mistake at a byte of the text.
    pub(super) fn at(file: &Path, text: &str, byte: usize, problem: String) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let in_line = before.get(start..).unwrap_or_default();
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: in_line.chars().count() + 1,
            text: problem,
        }
    }

    /// A mistake in the value of a key, which is looked for in the text.
    pub(super) fn about(file: &Path, text: &str, key: &str, problem: String) -> Self {
        let is_key = |line: &str| {
            line.trim_start()
                .trim_start_matches('[')
                .strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with(['=', ']', '.']))
        };
        let mut byte = 0;
        for line in text.split_inclusive('\n') {
            if is_key(line) {
                let blanks = line.len() - line.trim_start().len();
                return Self::at(file, text, byte + blanks, problem);
            }
            byte += line.len();
        }
        Self::at(file, text, 0, problem)
    }

    /// What the TOML reader says, in our words.
    pub(super) fn toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let byte = error.span().map_or(0, |span| span.start);
        let key = key_before(text, byte);
        Self::at(file, text, byte, words(error.message(), key))
    }
}

/// Reads bytes as text.
pub(super) fn text_of<'a>(file: &Path, bytes: &'a [u8]) -> Result<&'a str, Mistake> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let valid = String::from_utf8_lossy(valid);
        Mistake::at(file, &valid, valid.len(), "not UTF-8".to_owned())
    })
}

/// The key whose value begins at a byte, if one does.
fn key_before(text: &str, byte: usize) -> Option<&str> {
    let line = text.get(..byte)?.rsplit('\n').next()?;
    let key = line.trim_end().strip_suffix('=')?.trim();
    (!key.is_empty() && !key.contains(['"', '=', '{'])).then_some(key)
}

/// One line for what the reader says.
fn words(message: &str, key: Option<&str>) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = rest.split('`').skip(1).step_by(2);
        let unknown = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        return match nearest(unknown, &known) {
            Some(near) => format!("unknown key `{unknown}`, did you mean `{near}`?"),
            None if known.is_empty() => format!("unknown key `{unknown}`"),
            None => format!("unknown key `{unknown}`; known here: {}", known.join(", ")),
        };
    }
    let line = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    match key {
        Some(key) => format!("`{key}`: {line}"),
        None => line,
    }
}

/// The known name that is a slip away.
fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let limit = (unknown.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (distance(unknown, name), *name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().take(MAX_KEY_CHARS).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (place, b) in row.iter_mut().skip(1).zip(other.chars()) {
            let above = *place;
            left = (diagonal + usize::from(a != b))
                .min(above + 1)
                .min(left + 1);
            diagonal = above;
            *place = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Characters of a key that are compared: ours are shorter, a file's may be anything.
const MAX_KEY_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["connections", "connections_per_address"];
        assert_eq!(nearest("conections", &known), Some("connections"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn the_place_is_counted_as_an_editor_does() {
        let mistake = Mistake::at(Path::new("f"), "aä\nöx", 6, "oops".to_owned());
        assert_eq!(mistake.to_string(), "f:2:2: oops");
        let text = "[tls]\n  key = 'x'\n";
        let mistake = Mistake::about(Path::new("f"), text, "key", "gone".to_owned());
        assert_eq!(mistake.to_string(), "f:2:3: gone");
    }
}
