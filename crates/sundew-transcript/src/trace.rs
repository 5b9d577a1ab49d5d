//! `.trace` transcripts: the two sides of a line-based dialogue.
//!
//! ```text
//! # origin: RFC 959 §5.4 order, replies as vsftpd words them
//! S: 220 ready
//! C: USER anna
//! S: 331 Please specify the password.
//! ```
//!
//! One line of the file is one line on the wire, without its CRLF; bytes that are not plain text are
//! escaped as in `.session` files. The dialogue under test plays one side and is fed the other.

use std::path::Path;
use std::{fmt, fs};

use crate::session::parse::{ParseErrorKind, marked_line};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `S:`
    Server,
    /// `C:`
    Client,
}

/// One parsed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Where the dialogue was seen.
    pub origin: String,
    /// What was said, in order.
    pub turns: Vec<Turn>,
}

/// One line on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Line number in the file, from 1.
    pub line: usize,
    /// Who said it.
    pub side: Side,
    /// What, without CRLF.
    pub bytes: Vec<u8>,
}

/// What a trace can be run on: one side of the dialogue, without any I/O.
pub trait Dialogue {
    /// Says everything this side says first, before the other side has spoken; often nothing.
    fn start(&mut self) -> Vec<Vec<u8>>;

    /// Takes one line of the other side, without CRLF, and answers with this side's next lines.
    fn hear(&mut self, line: &[u8]) -> Vec<Vec<u8>>;
}

/// A file that does not follow the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong there.
    pub kind: TraceErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceErrorKind {
    /// The first line is not `# origin: …`.
    NoOrigin,
    /// Neither `S: `, `C: ` nor a comment.
    NoSide,
    /// See [`ParseErrorKind::BadEscape`].
    BadEscape,
}

impl Trace {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The first line that does not follow the grammar.
    pub fn parse(bytes: &[u8]) -> Result<Self, TraceError> {
        let mut lines = bytes.split(|&byte| byte == b'\n').zip(1..);
        let origin = lines
            .next()
            .and_then(|(line, _)| line.strip_prefix(b"# origin: "));
        let origin = origin.ok_or(TraceError {
            line: 1,
            kind: TraceErrorKind::NoOrigin,
        })?;
        let mut turns = Vec::new();
        for (text, line) in lines {
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let error = |kind| TraceError { line, kind };
            let (side, text) = match text.split_at_checked(2) {
                Some((b"S:", rest)) => (Side::Server, rest),
                Some((b"C:", rest)) => (Side::Client, rest),
                _ => return Err(error(TraceErrorKind::NoSide)),
            };
            let text = text.strip_prefix(b" ").unwrap_or(text);
            let bytes =
                marked_line(text).map_err(|_: ParseErrorKind| error(TraceErrorKind::BadEscape))?;
            turns.push(Turn { line, side, bytes });
        }
        Ok(Self {
            origin: String::from_utf8_lossy(origin).into_owned(),
            turns,
        })
    }

    /// Runs a dialogue that plays `side`; the error shows every line up to the first difference.
    ///
    /// # Errors
    ///
    /// A text for people, naming the line of the file.
    pub fn run(&self, side: Side, dialogue: &mut impl Dialogue) -> Result<(), String> {
        let mut said = dialogue.start().into_iter();
        for turn in &self.turns {
            if turn.side == side {
                let got = said.next();
                if got.as_ref() != Some(&turn.bytes) {
                    return Err(difference(turn.line, Some(&turn.bytes), got.as_deref()));
                }
            } else {
                if let Some(extra) = said.next() {
                    return Err(difference(turn.line, None, Some(&extra)));
                }
                said = dialogue.hear(&turn.bytes).into_iter();
            }
        }
        match said.next() {
            Some(extra) => Err(difference(
                self.turns.last().map_or(1, |turn| turn.line),
                None,
                Some(&extra),
            )),
            None => Ok(()),
        }
    }
}

/// Runs every `.trace` file of a directory; the error is the report of every one that differs.
///
/// # Errors
///
/// A text for people; also when the directory cannot be read or holds no trace.
pub fn check_directory<D: Dialogue>(
    directory: &Path,
    side: Side,
    mut dialogue: impl FnMut(&Trace) -> D,
) -> Result<(), String> {
    let mut report = String::new();
    let entries =
        fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "trace")
        })
        .collect();
    files.sort();
    for file in &files {
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let result = match Trace::parse(&bytes) {
            Ok(trace) => trace.run(side, &mut dialogue(&trace)),
            Err(error) => Err(error.to_string()),
        };
        if let Err(text) = result {
            report.push_str(&format!("{}: {text}\n", file.display()));
        }
    }
    match (files.is_empty(), report.is_empty()) {
        (true, _) => Err(format!("{}: no .trace file", directory.display())),
        (false, true) => Ok(()),
        (false, false) => Err(report),
    }
}

fn difference(line: usize, want: Option<&[u8]>, got: Option<&[u8]>) -> String {
    let show = |bytes: Option<&[u8]>| {
        bytes.map_or_else(
            || "nothing".to_owned(),
            |bytes| bytes.escape_ascii().to_string(),
        )
    };
    format!("line {line}\n  want {}\n  got  {}", show(want), show(got))
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.kind {
            TraceErrorKind::NoOrigin => "the first line is not `# origin: …`",
            TraceErrorKind::NoSide => "a line starts with `S: `, `C: ` or `#`",
            TraceErrorKind::BadEscape => "escapes are \\\\ \\t \\r \\e and \\xHH",
        };
        write!(f, "line {}: {text}", self.line)
    }
}

impl std::error::Error for TraceError {}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = b"# origin: none\nS: 220 ready\n# a comment\nC: NOOP\nS: 200 ok\nC: \\\\xff\\xf4\nS: 500 what\n";

    /// A server that knows NOOP.
    struct Server;

    impl Dialogue for Server {
        fn start(&mut self) -> Vec<Vec<u8>> {
            vec![b"220 ready".to_vec()]
        }

        fn hear(&mut self, line: &[u8]) -> Vec<Vec<u8>> {
            let reply: &[u8] = if line == b"NOOP" {
                b"200 ok"
            } else {
                b"500 what"
            };
            vec![reply.to_vec()]
        }
    }

    #[test]
    fn a_dialogue_that_says_what_is_written_passes() {
        let trace = Trace::parse(SAMPLE).unwrap();
        assert_eq!(trace.turns[3].bytes, b"\xff\xf4");
        assert_eq!(trace.run(Side::Server, &mut Server), Ok(()));
    }

    #[test]
    fn a_difference_names_its_line() {
        let text = String::from_utf8_lossy(SAMPLE).replace("200 ok", "200 fine");
        let error = Trace::parse(text.as_bytes())
            .unwrap()
            .run(Side::Server, &mut Server)
            .unwrap_err();
        assert_eq!(error, "line 5\n  want 200 fine\n  got  200 ok");
    }

    #[test]
    fn a_line_nobody_expects_is_a_difference() {
        let text = String::from_utf8_lossy(SAMPLE).replace("S: 500 what\n", "");
        let error = Trace::parse(text.as_bytes())
            .unwrap()
            .run(Side::Server, &mut Server)
            .unwrap_err();
        assert_eq!(error, "line 6\n  want nothing\n  got  500 what");
    }

    #[test]
    fn a_file_that_breaks_the_grammar_names_its_line() {
        for (text, line, kind) in [
            ("S: 220\n", 1, TraceErrorKind::NoOrigin),
            ("# origin: x\nX: y\n", 2, TraceErrorKind::NoSide),
            ("# origin: x\nS: \\\\q\n", 2, TraceErrorKind::BadEscape),
        ] {
            assert_eq!(
                Trace::parse(text.as_bytes()),
                Err(TraceError { line, kind })
            );
        }
    }
}
