//! Field splitting: POSIX XCU §2.6.5.

use super::draft::{Draft, Mark};

/// Splits what unquoted expansions brought in at the bytes of `ifs`, a field at a time. Fields that are
/// empty and were not quoted vanish.
pub(super) fn split(draft: Draft, ifs: &[u8]) -> Split<'_> {
    let separates = |(byte, mark)| mark == Mark::Expanded && ifs.contains(&byte);
    if draft.iter().any(separates) {
        Split::Pieces {
            draft,
            ifs,
            at: 0,
            state: State::Start,
        }
    } else {
        Split::Whole(Some(draft).filter(|draft| draft.quoted || !draft.bytes.is_empty()))
    }
}

/// The fields of a [`Draft`].
pub(super) enum Split<'a> {
    /// Nothing in it separates.
    Whole(Option<Draft>),
    Pieces {
        draft: Draft,
        ifs: &'a [u8],
        at: usize,
        state: State,
    },
}

impl Iterator for Split<'_> {
    type Item = Draft;

    fn next(&mut self) -> Option<Draft> {
        let (draft, ifs, at, state) = match self {
            Self::Whole(field) => return field.take(),
            Self::Pieces {
                draft,
                ifs,
                at,
                state,
            } => (draft, ifs, at, state),
        };
        let mut field = Draft::default();
        while let (Some(&byte), Some(&mark)) = (draft.bytes.get(*at), draft.marks.get(*at)) {
            *at += 1;
            if mark != Mark::Expanded || !ifs.contains(&byte) {
                field.push(byte, mark);
                *state = State::InField;
            } else if matches!(byte, b' ' | b'\t' | b'\n') {
                if *state == State::InField {
                    *state = State::AfterBlanks;
                    return Some(field);
                }
            } else {
                // A separator ends a field, an empty one if need be; blanks before it have ended it
                // already and belong to the separator.
                let ends = *state != State::AfterBlanks;
                *state = State::Start;
                if ends {
                    field.quoted = true;
                    return Some(field);
                }
            }
        }
        if *state != State::InField {
            return None;
        }
        *state = State::Start;
        field.quoted |= draft.quoted;
        Some(field)
    }
}

/// Where in the text the splitter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// At the start, or behind a separator that is no blank.
    Start,
    InField,
    /// Blanks have ended a field.
    AfterBlanks,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str, ifs: &str) -> Vec<String> {
        let mut draft = Draft::default();
        for byte in text.bytes() {
            draft.push(byte, Mark::Expanded);
        }
        split(draft, ifs.as_bytes())
            .map(|field| String::from_utf8(field.bytes).unwrap())
            .collect()
    }

    #[test]
    fn blanks_separate_and_vanish() {
        assert_eq!(fields("  a  b\tc\n", " \t\n"), ["a", "b", "c"]);
        assert_eq!(fields("   ", " "), Vec::<String>::new());
    }

    #[test]
    fn other_separators_make_empty_fields() {
        assert_eq!(fields("a::b:", ":"), ["a", "", "b"]);
        assert_eq!(fields(":a", ":"), ["", "a"]);
        assert_eq!(fields("a : b", " :"), ["a", "b"]);
        assert_eq!(fields("a :: b", " :"), ["a", "", "b"]);
    }

    #[test]
    fn quoted_bytes_stay_together() {
        let mut draft = Draft::default();
        for byte in *b"a b" {
            draft.push(byte, Mark::Quoted);
        }
        draft.push(b' ', Mark::Expanded);
        draft.push(b'c', Mark::Expanded);
        assert_eq!(split(draft, b" ").count(), 2);
    }
}
