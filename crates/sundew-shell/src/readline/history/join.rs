//! A command of several lines as one history entry: `shopt cmdhist`.

/// Words after which a command goes on without a semicolon.
const GO_ON: &[&[u8]] = &[
    b"do", b"then", b"else", b"elif", b"if", b"while", b"until", b"in", b"{", b"!", b"time",
];

/// Here-documents that one command may have open; more are not looked for.
const MAX_HERE_DOCUMENTS: usize = 16;

/// How a line ended.
#[derive(Default)]
struct State {
    quote: Option<u8>,
    /// Delimiters of here-documents whose text follows.
    here: Vec<Vec<u8>>,
    /// Whether a comment ended the line.
    comment: bool,
}

/// Joins the lines of a command as bash does: with `; `, or a blank where a semicolon would be an
/// error, or a newline within quotes and here-documents.
pub fn join(text: &[u8]) -> Vec<u8> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if !text.contains(&b'\n') {
        return text.to_vec();
    }
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut state = State::default();
    let mut lines = text.split(|&byte| byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        out.extend_from_slice(line);
        if let Some(delimiter) = state.here.first() {
            if line.trim_ascii_start() == delimiter.as_slice() {
                state.here.remove(0);
            }
            out.push(b'\n');
            continue;
        }
        let continued = state.read(line);
        if lines.peek().is_none() {
            if !state.here.is_empty() {
                out.push(b'\n');
            }
            break;
        }
        if continued {
            out.pop();
        } else if state.quote.is_some() || !state.here.is_empty() || state.comment {
            out.push(b'\n');
        } else if goes_on(line) {
            out.push(b' ');
        } else {
            out.extend_from_slice(b"; ");
        }
    }
    out
}

/// The quote that the lines so far leave open.
pub fn open_quote(text: &[u8]) -> Option<u8> {
    let mut state = State::default();
    for line in text.split(|&byte| byte == b'\n') {
        if let Some(delimiter) = state.here.first() {
            if line.trim_ascii_start() == delimiter.as_slice() {
                state.here.remove(0);
            }
            continue;
        }
        state.read(line);
    }
    state.quote
}

impl State {
    /// Looks at a line that is no here-document's; whether it ends in a backslash that continues it.
    fn read(&mut self, line: &[u8]) -> bool {
        let mut at = 0;
        self.comment = false;
        while let Some(&byte) = line.get(at) {
            match (self.quote, byte) {
                (None | Some(b'"'), b'\\') => {
                    if at + 1 == line.len() {
                        return true;
                    }
                    at += 1;
                }
                (Some(open), _) if open == byte => self.quote = None,
                (Some(_), _) => {}
                (None, b'\'' | b'"' | b'`') => self.quote = Some(byte),
                (None, b'#') if starts_word(line, at) => {
                    self.comment = true;
                    return false;
                }
                (None, b'<') => at += self.here_document(line.get(at..).unwrap_or_default()),
                (None, _) => {}
            }
            at += 1;
        }
        false
    }

    /// Notes the delimiter of `<<WORD`; how many bytes to skip.
    fn here_document(&mut self, rest: &[u8]) -> usize {
        if rest.starts_with(b"<<<") {
            return 2;
        }
        let Some(after) = rest.strip_prefix(b"<<") else {
            return 0;
        };
        let word = after.strip_prefix(b"-").unwrap_or(after).trim_ascii_start();
        let end = word.iter().position(|byte| {
            matches!(byte, b' ' | b'\t' | b';' | b'|' | b'&' | b'<' | b'>' | b')')
        });
        let word = word.get(..end.unwrap_or(word.len())).unwrap_or_default();
        let delimiter: Vec<u8> = word
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'"' | b'\'' | b'\\'))
            .collect();
        if !delimiter.is_empty() && self.here.len() < MAX_HERE_DOCUMENTS {
            self.here.push(delimiter);
        }
        1
    }
}

fn starts_word(line: &[u8], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| line.get(before))
        .is_none_or(|byte| matches!(byte, b' ' | b'\t' | b';' | b'&' | b'|' | b'(' | b')'))
}

fn goes_on(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let Some(&last) = line.last() else {
        return true;
    };
    let word = line
        .rsplit(|byte| matches!(byte, b' ' | b'\t' | b';' | b'&' | b'|' | b'('))
        .next()
        .unwrap_or_default();
    // `a)` within `case`.
    let pattern = last == b')' && !line.contains(&b'(');
    matches!(last, b';' | b'|' | b'&' | b'(' | b'{')
        || line.ends_with(b"()")
        || pattern
        || GO_ON.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_as_bash_joins_them() {
        // Recorded from `history` in bash 5.2.15.
        for (typed, kept) in [
            (
                "for i in a\ndo echo $i; done\n",
                "for i in a; do echo $i; done",
            ),
            ("echo \"x\ny\"\n", "echo \"x\ny\""),
            ("cat <<E\nl1\nE\n", "cat <<E\nl1\nE\n"),
            ("echo a \\\nb\n", "echo a b"),
            ("if true\nthen\necho x\nfi\n", "if true; then echo x; fi"),
            ("f() {\necho x\n}\n", "f() { echo x; }"),
            ("true &&\necho x |\ncat\n", "true && echo x | cat"),
            ("while false; do\n:\ndone\n", "while false; do :; done"),
            (
                "case a in\na)\necho q ;;\nesac\n",
                "case a in a) echo q ;; esac",
            ),
            ("(\necho z\n)\n", "( echo z; )"),
            ("ls\n", "ls"),
        ] {
            assert_eq!(String::from_utf8(join(typed.as_bytes())).unwrap(), kept);
        }
    }
}
