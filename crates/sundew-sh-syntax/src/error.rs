//! What is wrong with a text, and each shell's words for it.

use crate::ast::Bytes;
use crate::option::Dialect;

/// A text that no shell would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The line that the message names.
    pub line: u32,
    /// The line of text that bash repeats below the message when it is not interactive.
    pub source_line: Option<Bytes>,
    /// Whether it stands between the parentheses of an array.
    pub in_array: bool,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// A token that cannot stand where it stands.
    Unexpected {
        /// The token.
        token: UnexpectedToken,
        /// What dash and ash say they expected.
        expecting: Option<&'static str>,
    },
    /// The text ended within a command.
    UnexpectedEnd {
        /// What dash and ash say they expected.
        expecting: Option<&'static str>,
    },
    /// The text ended within quotes, braces or parentheses.
    Unclosed {
        /// The closing character.
        closer: u8,
        /// What it would have closed, for dash and ash.
        what: Unclosed,
    },
    /// Something is wrong inside `[[ ]]`: bash's sentences for it, a line each, possibly none. Bash
    /// 5.2 stops reading there as after any syntax error, but with status 0.
    Conditional(Bytes),
    /// `for ((` without two semicolons; holds the text with its parentheses.
    ArithmeticFor {
        /// bash's complaint: an expression or a `;` is missing.
        missing: &'static str,
        /// The text, from `((` to `))`.
        text: Bytes,
    },
    /// dash and ash complain about a `for` variable or a function's name while reading.
    BadName(&'static str),
    /// Deeper than [`crate::limit::MAX_DEPTH`] or [`crate::limit::MAX_REPARSE_DEPTH`].
    TooDeep,
}

/// A token that cannot stand where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnexpectedToken {
    /// The end of a line.
    Newline,
    /// A reserved word or an operator other than a redirection.
    Keyword(Bytes),
    /// A redirection operator, or the number in front of it.
    Redirection(Bytes),
    /// Any other word, as typed.
    Word(Bytes),
}

impl UnexpectedToken {
    fn text(&self) -> &[u8] {
        match self {
            Self::Newline => b"newline",
            Self::Keyword(text) | Self::Redirection(text) | Self::Word(text) => text,
        }
    }
}

/// What was open when the text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclosed {
    /// `name=(`: bash fails with another status.
    Array,
    /// A quoted string.
    Quote,
    /// Backquotes.
    Backquote,
    /// `${`
    Brace,
    /// `$((` or `((`
    Arithmetic,
    /// `$(`, `<(`, an array or an extended glob.
    Parenthesis,
    /// A subscript.
    Bracket,
}

impl SyntaxError {
    /// The message, line by line, without what the shell puts in front of each (`bash: -c: line
    /// 1: `, `dash: 1: `, `ash: `).
    ///
    /// Bash repeats the offending line only if it is not `interactive`.
    #[must_use]
    pub fn messages(&self, dialect: Dialect, interactive: bool) -> Vec<Vec<u8>> {
        match dialect {
            Dialect::Bash => self.bash(interactive),
            Dialect::Dash => vec![self.dash()],
            Dialect::Ash => vec![self.ash()],
        }
    }

    fn bash(&self, interactive: bool) -> Vec<Vec<u8>> {
        let first = match &self.kind {
            ErrorKind::Unexpected { token, .. } => join(&[
                b"syntax error near unexpected token `",
                &printable(token.text()),
                b"'",
            ]),
            ErrorKind::UnexpectedEnd { .. } => b"syntax error: unexpected end of file".to_vec(),
            ErrorKind::Unclosed { closer, .. } => join(&[
                b"unexpected EOF while looking for matching `",
                &[*closer],
                b"'",
            ]),
            ErrorKind::Conditional(sentences) => {
                let lines = sentences.split(|byte| *byte == b'\n');
                return lines
                    .filter(|line| !line.is_empty())
                    .map(<[u8]>::to_vec)
                    .collect();
            }
            ErrorKind::ArithmeticFor { missing, text } => {
                return vec![
                    join(&[b"syntax error: ", missing.as_bytes()]),
                    join(&[b"syntax error: `", text, b"'"]),
                ];
            }
            ErrorKind::BadName(what) => what.as_bytes().to_vec(),
            ErrorKind::TooDeep => b"memory exhausted".to_vec(),
        };
        let mut lines = vec![first];
        if let (false, Some(source)) = (interactive, &self.source_line) {
            lines.push(join(&[b"`", source, b"'"]));
        }
        lines
    }

    fn dash(&self) -> Vec<u8> {
        let mut text = match &self.kind {
            ErrorKind::Unexpected { token, .. } => match token {
                UnexpectedToken::Newline => b"newline unexpected".to_vec(),
                UnexpectedToken::Redirection(_) => b"redirection unexpected".to_vec(),
                UnexpectedToken::Word(_) => b"word unexpected".to_vec(),
                UnexpectedToken::Keyword(text) => join(&[b"\"", text, b"\" unexpected"]),
            },
            ErrorKind::UnexpectedEnd { .. } => b"end of file unexpected".to_vec(),
            ErrorKind::Unclosed { what, .. } => match what {
                Unclosed::Quote => "Unterminated quoted string",
                Unclosed::Backquote => "EOF in backquote substitution",
                Unclosed::Brace => "Missing '}'",
                Unclosed::Arithmetic => "Missing '))'",
                Unclosed::Parenthesis | Unclosed::Array => {
                    "end of file unexpected (expecting \")\")"
                }
                Unclosed::Bracket => "end of file unexpected (expecting \"]\")",
            }
            .into(),
            ErrorKind::BadName(what) => what.as_bytes().to_vec(),
            ErrorKind::Conditional(_) | ErrorKind::ArithmeticFor { .. } | ErrorKind::TooDeep => {
                b"out of memory".to_vec()
            }
        };
        text.extend_from_slice(&self.expecting());
        join(&[b"Syntax error: ", &text])
    }

    fn ash(&self) -> Vec<u8> {
        let mut text = match &self.kind {
            ErrorKind::Unexpected { token, .. } => match token {
                UnexpectedToken::Newline => b"unexpected newline".to_vec(),
                UnexpectedToken::Redirection(_) => b"unexpected redirection".to_vec(),
                UnexpectedToken::Word(_) => b"unexpected word".to_vec(),
                UnexpectedToken::Keyword(text) => join(&[b"unexpected \"", text, b"\""]),
            },
            ErrorKind::UnexpectedEnd { .. } => b"unexpected end of file".to_vec(),
            ErrorKind::Unclosed { what, .. } => match what {
                Unclosed::Quote => "unterminated quoted string",
                Unclosed::Backquote => "EOF in backquote substitution",
                Unclosed::Brace => "missing '}'",
                Unclosed::Arithmetic => "missing '))'",
                Unclosed::Parenthesis | Unclosed::Array => {
                    "unexpected end of file (expecting \")\")"
                }
                Unclosed::Bracket => "unexpected end of file (expecting \"]\")",
            }
            .into(),
            ErrorKind::BadName(what) => what.to_ascii_lowercase().into_bytes(),
            ErrorKind::Conditional(_) | ErrorKind::ArithmeticFor { .. } | ErrorKind::TooDeep => {
                b"out of memory".to_vec()
            }
        };
        text.extend_from_slice(&self.expecting());
        join(&[b"syntax error: ", &text])
    }

    fn expecting(&self) -> Vec<u8> {
        match &self.kind {
            // A word stands without quotes: (expecting word)
            ErrorKind::Unexpected {
                expecting: Some(what @ "word"),
                ..
            }
            | ErrorKind::UnexpectedEnd {
                expecting: Some(what @ "word"),
            } => join(&[b" (expecting ", what.as_bytes(), b")"]),
            ErrorKind::Unexpected {
                expecting: Some(what),
                ..
            }
            | ErrorKind::UnexpectedEnd {
                expecting: Some(what),
            } => join(&[b" (expecting \"", what.as_bytes(), b"\")"]),
            _ => Vec::new(),
        }
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let message = self.bash(true).concat();
        write!(
            f,
            "line {}: {}",
            self.line,
            String::from_utf8_lossy(&message)
        )
    }
}

impl std::error::Error for SyntaxError {}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Bash prints a token with control characters as `$'…'`.
fn printable(text: &[u8]) -> Vec<u8> {
    if !text.iter().any(|byte| byte.is_ascii_control()) {
        return text.to_vec();
    }
    let mut out = b"$'".to_vec();
    for &byte in text {
        match byte {
            0x1b => out.extend_from_slice(b"\\E"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0b => out.extend_from_slice(b"\\v"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\\' | b'\'' => out.extend_from_slice(&[b'\\', byte]),
            _ if byte.is_ascii_control() => {
                out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
            }
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
    out
}
