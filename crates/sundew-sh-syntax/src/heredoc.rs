//! Here-documents: their bodies stand after the line that asks for them.

use std::sync::{Arc, OnceLock};

use crate::ast::{Bytes, HereDocument, Part, Word};
use crate::lexer::Cursor;
use crate::parser::{Open, Parse, Parser, Stop, Unfinished, Warning};

/// A here-document whose body has not been reached.
#[derive(Debug)]
pub(crate) struct Pending {
    delimiter: Bytes,
    quoted: bool,
    strip_tabs: bool,
    line: u32,
    body: Arc<OnceLock<Word>>,
}

impl Parser<'_> {
    /// Notes a here-document; its body is read at the next newline.
    pub(crate) fn expect_here_document(
        &mut self,
        delimiter: &Word,
        strip_tabs: bool,
        line: u32,
    ) -> HereDocument {
        let mut text = Vec::new();
        let quoted = unquote(&delimiter.parts, &mut text);
        let body = Arc::new(OnceLock::new());
        let delimiter: Bytes = text.into();
        self.pending.push(Pending {
            delimiter: delimiter.clone(),
            quoted,
            strip_tabs,
            line,
            body: Arc::clone(&body),
        });
        HereDocument {
            delimiter,
            quoted,
            strip_tabs,
            body,
        }
    }

    /// Reads the bodies that begin here, after a newline.
    pub(crate) fn read_here_documents(&mut self) -> Parse<()> {
        for pending in std::mem::take(&mut self.pending) {
            let first_line = self.at.line;
            let text = self.body(&pending)?;
            let word = self.body_word(&pending, text, first_line);
            // Nobody else sets it: the only other owner is the tree under construction.
            let _set = pending.body.set(word);
        }
        Ok(())
    }

    fn body(&mut self, pending: &Pending) -> Parse<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            if self.raw().is_none() {
                return self.body_ended(pending).map(|()| text);
            }
            if pending.strip_tabs {
                while self.raw() == Some(b'\t') {
                    self.bump();
                }
            }
            if self.bash() && self.substitutions > 0 && self.ends_in_parenthesis(pending) {
                return Ok(text);
            }
            let start = text.len();
            let newline = self.body_line(!pending.quoted, &mut text);
            if text.get(start..) == Some(&*pending.delimiter) && (newline || self.options.last) {
                text.truncate(start);
                return Ok(text);
            }
            if newline {
                text.push(b'\n');
            }
        }
    }

    /// Appends one line without its newline and says whether there was one. Unless the delimiter
    /// was quoted, a backslash at its end joins the next line to it.
    fn body_line(&mut self, join: bool, text: &mut Vec<u8>) -> bool {
        while let Some(byte) = self.raw() {
            self.bump();
            match byte {
                b'\n' => return true,
                b'\\' if join => match self.raw() {
                    Some(b'\n') => self.bump(),
                    Some(next) => {
                        text.extend_from_slice(&[byte, next]);
                        self.bump();
                    }
                    // At the end of the text it stands for itself.
                    None => text.extend_from_slice(b"\\\\"),
                },
                _ => text.push(byte),
            }
        }
        false
    }

    /// Within `$( )` bash takes a line that begins with the delimiter and has a `)` for the end, though
    /// it warns.
    fn ends_in_parenthesis(&mut self, pending: &Pending) -> bool {
        let rest = self.text.get(self.at.position..).unwrap_or_default();
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let ends = line
            .strip_prefix(&*pending.delimiter)
            .is_some_and(|after| after.contains(&b')'));
        if ends {
            self.warnings.push(Warning::HereDocument {
                line: self.at.line,
                started: pending.line,
                wanted: pending.delimiter.clone(),
            });
            for _ in 0..pending.delimiter.len() {
                self.bump();
            }
        }
        ends
    }

    fn body_ended(&mut self, pending: &Pending) -> Parse<()> {
        if !self.options.last {
            let open = Open::HereDocument {
                delimiter: pending.delimiter.clone(),
                strip_tabs: pending.strip_tabs,
            };
            return Err(Box::new(Stop::Incomplete(Unfinished {
                open,
                line: pending.line,
            })));
        }
        self.warnings.push(Warning::HereDocument {
            // Bash counts the lines it has read, not the one it failed to read.
            line: self.at.line.saturating_sub(1).max(pending.line),
            started: pending.line,
            wanted: pending.delimiter.clone(),
        });
        Ok(())
    }

    fn body_word(&mut self, pending: &Pending, text: Vec<u8>, line: u32) -> Word {
        let plain = pending.quoted || !text.iter().any(|byte| matches!(byte, b'$' | b'`' | b'\\'));
        if text.is_empty() {
            return Word::default();
        }
        if plain {
            return Word {
                parts: vec![Part::Literal(text.into())],
            };
        }
        // Bash reads the expansions of a body when the command runs; so an error in them is not an
        // error of the line.
        let parsed = self.inner(&text, line).and_then(|mut inner| {
            let word = inner.here_document_word();
            self.worked(usize::try_from(inner.work()).unwrap_or(usize::MAX));
            word
        });
        parsed.unwrap_or_else(|_| Word {
            parts: vec![Part::BadSubstitution(text.into())],
        })
    }

    /// Where this parser would be if nothing had been read since.
    pub(crate) fn restore(&mut self, cursor: Cursor) {
        self.at = cursor;
    }
}

/// Appends the text of a delimiter without its quotes; says whether there were any. Nothing in a
/// delimiter is expanded, so expansions stand for their own text.
fn unquote(parts: &[Part], out: &mut Vec<u8>) -> bool {
    let mut quoted = false;
    for part in parts {
        match part {
            Part::Literal(text) => out.extend_from_slice(text),
            Part::Escaped(byte) => {
                out.push(*byte);
                quoted = true;
            }
            Part::SingleQuoted(text) | Part::AnsiQuoted(text) => {
                out.extend_from_slice(text);
                quoted = true;
            }
            Part::DoubleQuoted(parts) | Part::Translated(parts) => {
                unquote(parts, out);
                quoted = true;
            }
            other => out.extend_from_slice(&crate::unparse::part(other)),
        }
    }
    quoted
}
