//! What `help` of bash 5.2 has to say, from `topics.txt`.

/// Recorded from the program: `== NAME`, a line of usage, a line of description, then the text, whose
/// lines are empty or indented.
const TEXT: &str = include_str!("topics.txt");

/// One thing that help is given on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Topic<'a> {
    /// A builtin's or keyword's name.
    pub(super) name: &'a str,
    pub(super) usage: &'a str,
    /// The one line of `help -d`.
    pub(super) line: &'a str,
    /// The rest, indented, without its last newline.
    pub(super) text: &'a str,
}

/// All of them, in the order of the list.
pub(super) fn topics() -> impl Iterator<Item = Topic<'static>> {
    let entries = TEXT.trim_end_matches('\n').split("\n== ");
    entries.skip(1).filter_map(|entry| {
        let (name, rest) = entry.split_once('\n')?;
        let (usage, rest) = rest.split_once('\n')?;
        let (line, text) = rest.split_once('\n')?;
        Some(Topic {
            name,
            usage,
            line,
            text,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_a_usage_a_line_and_a_text_of_whole_lines() {
        assert_eq!(topics().count(), 76);
        for topic in topics() {
            assert!(
                !topic.usage.is_empty() && !topic.line.starts_with(' '),
                "{topic:?}"
            );
            assert!(topic.text.starts_with("    "), "{topic:?}");
        }
    }

    #[test]
    fn every_builtin_of_bash_is_a_topic() {
        use crate::builtin::TABLE;
        use sundew_sh_syntax::Dialect;

        for builtin in TABLE.iter().filter(|b| b.dialects.contains(&Dialect::Bash)) {
            assert!(
                topics().any(|topic| topic.name == builtin.name),
                "{builtin:?}"
            );
        }
    }
}
