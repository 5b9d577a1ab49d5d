//! `.terminal` files: what was typed at a terminal, and every byte it showed.
//!
//! ```text
//! # origin: bash 5.2, on a terminal of 80 columns
//!
//! $ TERM=xterm bash
//! > \e[?2004hroot@pg-dev21:~#\x20
//! < echo hi\r
//! > echo hi\r\n\e[?2004l\rhi\r\n\e[?2004hroot@pg-dev21:~#\x20
//! ```
//!
//! A `$` line starts a conversation with a fresh machine: variables of the environment, then the
//! program. `<` is typed when the one before has been answered, `>` is what came of it; a step without
//! one shows nothing. `. 1.5` waits so many seconds, `@ 100x30` gives the terminal that many columns and
//! rows. Bytes that are no text are written as C escapes; `\#` stands for any number.

use std::fmt::Write as _;
use std::time::Duration;

/// One program on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The line it starts on, from 1.
    pub line: usize,
    /// Added to the environment of a login.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// The program and its arguments.
    pub args: Vec<Vec<u8>>,
    /// What is shown before anything is typed.
    pub greeting: Shown,
    /// What is done, and what is shown then.
    pub steps: Vec<(Act, Shown)>,
}

/// What a person does at a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Types these bytes.
    Type(Vec<u8>),
    /// Looks on.
    Wait(Duration),
    /// Makes the window another size.
    Resize {
        /// Its width in characters.
        columns: u16,
        /// Its height in characters.
        rows: u16,
    },
}

/// Bytes on a terminal, in which numbers may differ from run to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Number,
}

/// A line that is none of a `.terminal` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "line {}: none of `$ `, `< `, `. `, `@ ` and `> `",
            self.line
        )
    }
}

impl std::error::Error for ParseError {}

/// Reads a file.
///
/// # Errors
///
/// At the first line that does not belong where it stands.
pub fn parse(text: &str) -> Result<Vec<Conversation>, ParseError> {
    let mut all: Vec<Conversation> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let error = ParseError { line: index + 1 };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix("$ ") {
            all.push(Conversation::new(index + 1, head));
            continue;
        }
        let Some(now) = all.last_mut() else {
            return Err(error);
        };
        if line == ">" {
            // Nothing is shown; said on purpose.
        } else if let Some(act) = Act::parse(line) {
            now.steps.push((act, Shown::default()));
        } else if let Some(shown) = line.strip_prefix("> ") {
            let place = now
                .steps
                .last_mut()
                .map_or(&mut now.greeting, |(_, shown)| shown);
            *place = Shown::parse(shown);
        } else {
            return Err(error);
        }
    }
    Ok(all)
}

impl Conversation {
    fn new(line: usize, head: &str) -> Self {
        let mut env = Vec::new();
        let mut args = Vec::new();
        for word in head.split(' ') {
            match word.split_once('=') {
                Some((name, value)) if args.is_empty() => {
                    env.push((name.as_bytes().to_vec(), Shown::parse(value).into_bytes()));
                }
                _ => args.push(Shown::parse(word).into_bytes()),
            }
        }
        Self {
            line,
            env,
            args,
            greeting: Shown::default(),
            steps: Vec::new(),
        }
    }

    /// What is done, step by step.
    #[must_use]
    pub fn acts(&self) -> Vec<&Act> {
        self.steps.iter().map(|(act, _)| act).collect()
    }

    /// The same conversation with other answers: first what comes unasked, then one for each step.
    /// Where `again` has other numbers of several digits, any number will do.
    #[must_use]
    pub fn with_answers(&self, answers: &[Vec<u8>], again: &[Vec<u8>]) -> Self {
        let shown = |index: usize| {
            let get = |all: &[Vec<u8>]| all.get(index).cloned().unwrap_or_default();
            Shown::of_both(&get(answers), &get(again))
        };
        let acts = self.steps.iter().map(|(act, _)| act.clone());
        Self {
            greeting: shown(0),
            steps: acts
                .enumerate()
                .map(|(index, act)| (act, shown(index + 1)))
                .collect(),
            ..self.clone()
        }
    }

    /// Compares with what was shown: the greeting, then an answer to each step. Says what differs, or
    /// nothing.
    #[must_use]
    pub fn differences(&self, answers: &[Vec<u8>]) -> String {
        let mut report = String::new();
        let wanted = std::iter::once((String::new(), &self.greeting)).chain(
            self.steps
                .iter()
                .map(|(act, shown)| (act.to_string(), shown)),
        );
        for (index, (act, shown)) in wanted.enumerate() {
            let got = answers.get(index).map(Vec::as_slice).unwrap_or_default();
            if !shown.matches(got) {
                let _to_a_string = writeln!(
                    report,
                    "  {act}\n    want {shown}\n    got  {}",
                    encode(got)
                );
            }
        }
        report
    }
}

impl Act {
    fn parse(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ')?;
        match kind {
            "<" => Some(Self::Type(Shown::parse(rest).into_bytes())),
            "." => Duration::try_from_secs_f64(rest.parse().ok()?)
                .ok()
                .map(Self::Wait),
            "@" => {
                let (columns, rows) = rest.split_once('x')?;
                Some(Self::Resize {
                    columns: columns.parse().ok()?,
                    rows: rows.parse().ok()?,
                })
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Type(bytes) => write!(f, "< {}", encode(bytes)),
            Self::Wait(time) => write!(f, ". {}", time.as_secs_f64()),
            Self::Resize { columns, rows } => write!(f, "@ {columns}x{rows}"),
        }
    }
}

impl std::fmt::Display for Conversation {
    /// The lines it is read from, without comments.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("$")?;
        for (name, value) in &self.env {
            write!(
                f,
                " {}={}",
                escape(name),
                escape(value).replace(' ', "\\x20")
            )?;
        }
        for arg in &self.args {
            write!(f, " {}", escape(arg).replace(' ', "\\x20"))?;
        }
        writeln!(f, "\n> {}", self.greeting)?;
        for (act, shown) in &self.steps {
            writeln!(f, "{act}")?;
            if shown.matches(b"") {
                writeln!(f, ">")?;
            } else {
                writeln!(f, "> {shown}")?;
            }
        }
        Ok(())
    }
}

impl Shown {
    /// These bytes; a number of [`FREE_DIGITS`] digits that is another one in `again` may be any.
    fn of_both(bytes: &[u8], again: &[u8]) -> Self {
        let digits = |bytes: &[u8]| {
            bytes
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        let (mut one, mut other) = (bytes, again);
        while let Some((&byte, rest)) = one.split_first() {
            let (here, there) = (digits(one), digits(other));
            if here >= FREE_DIGITS && there >= FREE_DIGITS && one.get(..here) != other.get(..there)
            {
                pieces.push(Piece::Bytes(std::mem::take(&mut plain)));
                pieces.push(Piece::Number);
                one = one.get(here..).unwrap_or_default();
                other = other.get(there..).unwrap_or_default();
                continue;
            }
            let step = here.max(1);
            plain.extend(one.iter().take(step));
            one = one.get(step..).unwrap_or(rest);
            other = if byte == other.first().copied().unwrap_or_default() {
                other.get(step..).unwrap_or_default()
            } else {
                // What follows cannot be told apart from what differs.
                b""
            };
        }
        pieces.push(Piece::Bytes(plain));
        Self(pieces)
    }

    fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'\\' {
                bytes.push(byte);
                continue;
            }
            let Some((&escape, after)) = rest.split_first() else {
                break;
            };
            rest = after;
            match escape {
                b'#' => {
                    pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
                    pieces.push(Piece::Number);
                }
                b'e' => bytes.push(0x1b),
                b'r' => bytes.push(b'\r'),
                b'n' => bytes.push(b'\n'),
                b't' => bytes.push(b'\t'),
                b'x' => {
                    let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                    let code = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
                    bytes.push(code.unwrap_or(b'?'));
                    rest = rest.get(2..).unwrap_or_default();
                }
                other => bytes.push(other),
            }
        }
        pieces.push(Piece::Bytes(bytes));
        Self(pieces)
    }

    fn into_bytes(self) -> Vec<u8> {
        let bytes = self.0.into_iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Number => Vec::new(),
        });
        bytes.collect::<Vec<_>>().concat()
    }

    /// Whether these are the bytes.
    #[must_use]
    pub fn matches(&self, mut bytes: &[u8]) -> bool {
        for piece in &self.0 {
            let length = match piece {
                Piece::Bytes(wanted) => match bytes.starts_with(wanted) {
                    true => wanted.len(),
                    false => return false,
                },
                Piece::Number => {
                    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
                    match digits.count() {
                        0 => return false,
                        count => count,
                    }
                }
            };
            bytes = bytes.get(length..).unwrap_or_default();
        }
        bytes.is_empty()
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => escape(bytes),
            Piece::Number => "\\#".to_owned(),
        });
        f.write_str(&keep_last_blank(pieces.collect()))
    }
}

/// Digits from which on a number may be a process: fewer are columns of the screen.
const FREE_DIGITS: usize = 3;

/// Bytes as they stand in a file.
fn encode(bytes: &[u8]) -> String {
    keep_last_blank(escape(bytes))
}

/// Editors take blanks away at the end of a line.
fn keep_last_blank(mut line: String) -> String {
    if line.ends_with(' ') {
        line.pop();
        line.push_str("\\x20");
    }
    line
}

fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\x1b' => out.push_str("\\e"),
                '\r' => out.push_str("\\r"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\\' => out.push_str("\\\\"),
                character if character.is_control() => {
                    let _to_a_string = write!(out, "\\x{:02x}", u32::from(character));
                }
                character => out.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _to_a_string = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_is_told_apart_and_numbers_are_not() {
        let text =
            "# origin: x\n\n$ TERM=dumb bash -i\n> \\e[1m\\x20\n< sleep 9 &\\r\n> [1] \\#\\r\\n\n";
        let [only] = parse(text).unwrap().try_into().unwrap();
        assert_eq!(only.env, [(b"TERM".to_vec(), b"dumb".to_vec())]);
        assert_eq!(only.acts(), [&Act::Type(b"sleep 9 &\r".to_vec())]);
        let right = [b"\x1b[1m ".to_vec(), b"[1] 4711\r\n".to_vec()];
        assert_eq!(only.differences(&right), "");
        let wrong = [b"\x1b[1m ".to_vec(), b"[1] x\r\n".to_vec()];
        assert!(only.differences(&wrong).contains("want [1] \\#"));
        assert_eq!(parse("hello"), Err(ParseError { line: 1 }));
    }

    #[test]
    fn what_is_recorded_is_read_again() {
        let text = "$ TERM=x\\x20y bash\n> [1] \\#\\r\\n\n. 1.5\n>\n@ 90x20\n> \\e[3@\n";
        let [only] = parse(text).unwrap().try_into().unwrap();
        let answers = |pid: &str| {
            let job = format!("[1] {pid}\r\n").into_bytes();
            vec![job, Vec::new(), b"\x1b[3@".to_vec()]
        };
        let again = only.with_answers(&answers("4711"), &answers("881"));
        assert_eq!(again.to_string(), text);
        assert_eq!(again.differences(&answers("99")), "");
        let exact = only.with_answers(&answers("4711"), &answers("4711"));
        assert_ne!(exact.differences(&answers("99")), "");
    }
}
