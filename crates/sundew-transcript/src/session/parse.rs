//! The grammar of a `.session` file, read and written.
//!
//! | line | meaning |
//! |---|---|
//! | `# KEY: VALUE` | head, before the first command; `origin` is required |
//! | `# TEXT` | a comment on the command that follows |
//! | `$ TEXT` | a command |
//! | `> TEXT` | the command goes on: here-documents, functions |
//! | `< TEXT` | a line of standard input |
//! | `TEXT` | a line of standard output |
//! | `~ PATTERN` | a line of standard output where `*` stands for any text |
//! | `! TEXT` | a line of standard error, `!~ PATTERN` likewise with a pattern |
//! | `? N` | exit status, left out when 0 |
//!
//! Standard output comes first, then standard error: which came first on a terminal is not said.
//! Blank lines at the end of a step only separate; one that is output is written `\`.

use std::fmt;

use super::text;

/// Head keys a file may have: a misspelt one is an error, not a comment.
///
/// `origin` says which real system answered; `oracle: no, REASON` that the file cannot be replayed
/// on a development machine; the rest is for whoever builds the machine.
pub const HEAD_KEYS: [&str; 4] = ["origin", "oracle", "persona", "user"];

/// One parsed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Key and value of each head line, in order.
    pub head: Vec<(String, String)>,
    /// The commands, in order.
    pub steps: Vec<Step>,
}

/// One command and what it should answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Line number of the `$` line, from 1.
    pub line: usize,
    /// Comment lines above it, without the `# `.
    pub comments: Vec<Vec<u8>>,
    /// The command, continuation lines joined by newlines.
    pub command: Vec<u8>,
    /// Standard input.
    pub stdin: Vec<u8>,
    /// Standard output, line by line.
    pub stdout: Vec<Expected>,
    /// Standard error, line by line.
    pub stderr: Vec<Expected>,
    /// Exit status.
    pub status: i32,
}

/// One expected line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Exactly these bytes, with their newline if there is one.
    Exact(Vec<u8>),
    /// A whole line, newline included, where `*` matches any text.
    Pattern(Vec<u8>),
}

/// A file that does not follow the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong there.
    pub kind: ParseErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// No `# origin:` in the head.
    NoOrigin,
    /// A head key that is not in [`HEAD_KEYS`].
    UnknownKey,
    /// Something other than a head line, a comment or a command before the first command.
    OutputBeforeCommand,
    /// Output after `?`, or standard output after standard error.
    OutOfOrder,
    /// An unknown escape, or half of one.
    BadEscape,
    /// Not a number after `?`.
    BadStatus,
}

impl Session {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The first line that does not follow the grammar.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::default();
        for (index, line) in text::lines(bytes).enumerate() {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            reader.line(index + 1, line).map_err(|kind| ParseError {
                line: index + 1,
                kind,
            })?;
        }
        reader.finish()
    }

    /// Writes the file that [`Session::parse`] reads back to an equal value, line numbers apart.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, value) in &self.head {
            out.extend_from_slice(format!("# {key}: {value}\n").as_bytes());
        }
        for step in &self.steps {
            out.push(b'\n');
            step.encode(&mut out);
        }
        out
    }

    /// The value of a head line.
    #[must_use]
    pub fn head(&self, key: &str) -> Option<&str> {
        self.head
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.as_str())
    }
}

impl Step {
    fn encode(&self, out: &mut Vec<u8>) {
        for comment in &self.comments {
            push_line(out, b"# ", comment);
        }
        for (index, line) in self.command.split(|&byte| byte == b'\n').enumerate() {
            push_line(out, if index == 0 { b"$ " } else { b"> " }, line);
        }
        for line in text::lines(&self.stdin) {
            push_line(out, b"< ", text::encode(line).as_bytes());
        }
        let last = self.stdout.len().wrapping_sub(1);
        for (index, line) in self.stdout.iter().enumerate() {
            match line {
                // At the end of a step a blank line would read as a separator.
                Expected::Exact(line) if line == b"\n" && index == last => {
                    push_line(out, b"", b"\\")
                }
                Expected::Exact(line) => push_line(out, b"", text::encode(line).as_bytes()),
                Expected::Pattern(pattern) => push_line(out, b"~ ", pattern),
            }
        }
        for line in &self.stderr {
            match line {
                Expected::Exact(line) => push_line(out, b"! ", text::encode(line).as_bytes()),
                Expected::Pattern(pattern) => push_line(out, b"!~ ", pattern),
            }
        }
        if self.status != 0 {
            push_line(out, b"? ", self.status.to_string().as_bytes());
        }
    }
}

/// Writes a mark and its text; no line ends in a blank, which editors strip.
fn push_line(out: &mut Vec<u8>, mark: &[u8], text: &[u8]) {
    out.extend_from_slice(if text.is_empty() {
        mark.trim_ascii_end()
    } else {
        mark
    });
    out.extend_from_slice(text);
    out.push(b'\n');
}

/// Which part of a step the next line may belong to; they come in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    #[default]
    Head,
    Command,
    Stdin,
    Stdout,
    Stderr,
    Status,
}

#[derive(Debug, Default)]
struct Reader {
    head: Vec<(String, String)>,
    steps: Vec<Step>,
    comments: Vec<Vec<u8>>,
    /// Blank lines not yet known to be output or separators.
    blanks: usize,
    part: Part,
}

impl Reader {
    fn line(&mut self, number: usize, line: &[u8]) -> Result<(), ParseErrorKind> {
        if line.is_empty() {
            self.blanks += 1;
            return Ok(());
        }
        if let Some(comment) = marked(line, b"#") {
            return self.comment(comment);
        }
        if let Some(command) = marked(line, b"$") {
            self.blanks = 0;
            self.part = Part::Command;
            self.steps.push(Step {
                line: number,
                comments: std::mem::take(&mut self.comments),
                command: command.to_vec(),
                stdin: Vec::new(),
                stdout: Vec::new(),
                stderr: Vec::new(),
                status: 0,
            });
            return Ok(());
        }
        self.answer(line)
    }

    fn comment(&mut self, comment: &[u8]) -> Result<(), ParseErrorKind> {
        self.blanks = 0;
        if self.part == Part::Head && self.comments.is_empty() {
            let text = String::from_utf8_lossy(comment);
            if let Some((key, value)) = text.split_once(": ")
                && !key.contains(' ')
            {
                if !HEAD_KEYS.contains(&key) {
                    return Err(ParseErrorKind::UnknownKey);
                }
                self.head.push((key.to_owned(), value.to_owned()));
                return Ok(());
            }
        }
        self.comments.push(comment.to_vec());
        Ok(())
    }

    fn answer(&mut self, line: &[u8]) -> Result<(), ParseErrorKind> {
        let blanks = std::mem::take(&mut self.blanks);
        let Some(step) = self.steps.last_mut() else {
            return Err(ParseErrorKind::OutputBeforeCommand);
        };
        if !self.comments.is_empty() {
            return Err(ParseErrorKind::OutputBeforeCommand);
        }
        // Once there is output, `> ` and `< ` are output too: diff(1) writes them.
        let part = if self.part < Part::Stdin
            && let Some(more) = marked(line, b">")
        {
            step.command.push(b'\n');
            step.command.extend_from_slice(more);
            Part::Command
        } else if self.part < Part::Stdout
            && let Some(input) = marked(line, b"<")
        {
            step.stdin.extend(text::decode(input)?);
            Part::Stdin
        } else if let Some(pattern) = marked(line, b"!~") {
            step.stderr.push(Expected::Pattern(pattern.to_vec()));
            Part::Stderr
        } else if let Some(error) = marked(line, b"!") {
            step.stderr.push(Expected::Exact(text::decode(error)?));
            Part::Stderr
        } else if let Some(status) = marked(line, b"?") {
            let status = std::str::from_utf8(status)
                .ok()
                .and_then(|text| text.parse().ok());
            step.status = status.ok_or(ParseErrorKind::BadStatus)?;
            Part::Status
        } else {
            let blank = Expected::Exact(b"\n".to_vec());
            step.stdout.extend(std::iter::repeat_n(blank, blanks));
            step.stdout.push(match marked(line, b"~") {
                Some(pattern) => Expected::Pattern(pattern.to_vec()),
                None => Expected::Exact(text::decode(line)?),
            });
            Part::Stdout
        };
        if part < self.part || self.part == Part::Status {
            return Err(ParseErrorKind::OutOfOrder);
        }
        self.part = part;
        Ok(())
    }

    fn finish(self) -> Result<Session, ParseError> {
        let session = Session {
            head: self.head,
            steps: self.steps,
        };
        if session.head("origin").is_none() {
            return Err(ParseError {
                line: 1,
                kind: ParseErrorKind::NoOrigin,
            });
        }
        Ok(session)
    }
}

/// Reads a line that has no newline of its own, as traces hold them.
pub(crate) fn marked_line(text: &[u8]) -> Result<Vec<u8>, ParseErrorKind> {
    let mut line = text::decode(text)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(line)
}

/// The text after a mark and a blank, or the empty text after a mark that ends the line.
fn marked<'a>(line: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(mark)?;
    if rest.is_empty() {
        // `~` or `?` alone is output: only marks that can have an empty text stand alone.
        return matches!(mark, b"!" | b"#" | b">" | b"<" | b"$").then_some(rest);
    }
    rest.strip_prefix(b" ")
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoOrigin => "the head lacks `# origin: SYSTEM`",
            Self::UnknownKey => "unknown head key (origin, oracle, persona, user)",
            Self::OutputBeforeCommand => "output without a `$ ` command above it",
            Self::OutOfOrder => "the order is: output, `! ` errors, `? ` status",
            Self::BadEscape => "escapes are \\\\ \\t \\r \\e \\xHH, and \\c at the end",
            Self::BadStatus => "`? ` wants a number",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
# origin: bash 5.2, GNU coreutils 9.1

# Counts newlines, not lines.
$ cat > f << 'E'
> one
>
> two
> E

$ wc -l; wc -l nope
< a
< \\b\\c
1
! wc: nope: No such file or directory
? 1

$ printf 'a\\n\\nb\\n\\n'
a

b
\\

$ date +%s; nope
~ 1*
!~ *: line 1: nope: *
? 127
";

    #[test]
    fn a_file_is_read_into_steps() {
        let session = Session::parse(SAMPLE.as_bytes()).unwrap();
        assert_eq!(session.head("origin"), Some("bash 5.2, GNU coreutils 9.1"));
        assert_eq!(session.steps.len(), 4);
        let step = &session.steps[0];
        assert_eq!(
            (step.line, step.command.as_slice()),
            (4, &b"cat > f << 'E'\none\n\ntwo\nE"[..])
        );
        let step = &session.steps[1];
        assert_eq!((step.stdin.as_slice(), step.status), (&b"a\nb"[..], 1));
        assert_eq!(step.stdout, [Expected::Exact(b"1\n".to_vec())]);
        let blank = Expected::Exact(b"\n".to_vec());
        assert_eq!(session.steps[2].stdout[1], blank);
        assert_eq!(session.steps[2].stdout[3], blank);
        assert_eq!(session.steps[3].stdout, [Expected::Pattern(b"1*".to_vec())]);
    }

    #[test]
    fn after_output_the_marks_of_diff_are_output() {
        let text = b"# origin: b\n$ diff a b\n1c1\n< one\n---\n> two\n? 1\n";
        let session = Session::parse(text).unwrap();
        assert_eq!(session.steps[0].stdout.len(), 4);
        assert!(session.steps[0].stdin.is_empty());
        let again = Session::parse(&session.encode()).unwrap();
        assert_eq!(again.steps[0].stdout, session.steps[0].stdout);
    }

    #[test]
    fn a_file_is_written_as_it_was_read() {
        let session = Session::parse(SAMPLE.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(session.encode()).unwrap(), SAMPLE);
    }

    #[test]
    fn a_file_that_breaks_the_grammar_names_its_line() {
        let kind = |text: &str| Session::parse(text.as_bytes()).unwrap_err();
        for (text, line, want) in [
            ("$ true\n", 1, ParseErrorKind::NoOrigin),
            ("# orign: bash\n", 1, ParseErrorKind::UnknownKey),
            ("# origin: b\nout\n", 2, ParseErrorKind::OutputBeforeCommand),
            (
                "# origin: b\n$ a\n! err\nout\n",
                4,
                ParseErrorKind::OutOfOrder,
            ),
            (
                "# origin: b\n$ a\n? 1\nout\n",
                4,
                ParseErrorKind::OutOfOrder,
            ),
            ("# origin: b\n$ a\n? one\n", 3, ParseErrorKind::BadStatus),
            ("# origin: b\n$ a\n\\\\q\n", 3, ParseErrorKind::BadEscape),
        ] {
            assert_eq!(kind(text), ParseError { line, kind: want }, "{text}");
        }
    }
}
