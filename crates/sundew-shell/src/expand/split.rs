//! Field splitting: POSIX XCU §2.6.5.

use super::draft::{Draft, Drafts, Mark};

/// Splits what unquoted expansions brought in at the bytes of `ifs`. Fields that are empty and were
/// not quoted vanish.
pub(super) fn split(drafts: Drafts, ifs: &[u8]) -> Vec<Draft> {
    let mut fields = Vec::new();
    for draft in drafts.fields {
        split_one(draft, ifs, &mut fields);
    }
    fields
}

fn split_one(draft: Draft, ifs: &[u8], fields: &mut Vec<Draft>) {
    let splits = |byte: u8, mark: Mark| mark == Mark::Expanded && ifs.contains(&byte);
    if !draft.iter().any(|(byte, mark)| splits(byte, mark)) {
        if draft.quoted || !draft.bytes.is_empty() {
            fields.push(draft);
        }
        return;
    }
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n');
    let mut field = Draft::default();
    let mut state = State::Start;
    for (byte, mark) in draft.iter() {
        if !splits(byte, mark) {
            field.push(byte, mark);
            state = State::InField;
        } else if is_blank(byte) {
            if state == State::InField {
                fields.push(std::mem::take(&mut field));
                state = State::AfterBlanks;
            }
        } else {
            // A separator ends a field, an empty one if need be; blanks before it have ended it
            // already and belong to the separator.
            if state != State::AfterBlanks {
                let ended = std::mem::take(&mut field);
                fields.push(Draft {
                    quoted: true,
                    ..ended
                });
            }
            state = State::Start;
        }
    }
    if state == State::InField {
        field.quoted |= draft.quoted;
        fields.push(field);
    }
}

/// Where in the text the splitter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
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
        let mut drafts = Drafts::default();
        drafts.push(text.as_bytes(), Mark::Expanded);
        let fields = split(drafts, ifs.as_bytes());
        fields
            .into_iter()
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
        let mut drafts = Drafts::default();
        drafts.push(b"a b", Mark::Quoted);
        drafts.push(b" c", Mark::Expanded);
        assert_eq!(split(drafts, b" ").len(), 2);
    }
}
