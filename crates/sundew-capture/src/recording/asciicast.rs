//! asciicast v2: a header line, then one JSON array per event.
//!
//! The format wants UTF-8 and terminals split characters wherever a packet ends, so the bytes of an
//! unfinished character wait for the next event. What is not UTF-8 becomes U+FFFD; the exact bytes
//! are in the ttylog of the same recording.

use std::time::Duration;

use sundew_events::json::write_string;
use sundew_events::{Lossy, Timestamp};

/// The kinds of asciicast events that are written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Shown by the terminal.
    Output,
    /// Typed.
    Input,
    /// The window changed; the data is `COLUMNSxROWS`.
    Resize,
    /// A remark of the recorder.
    Marker,
}

/// What the header says.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// Columns at the beginning.
    pub width: u32,
    /// Rows at the beginning.
    pub height: u32,
    /// When the recording began.
    pub begun: Timestamp,
    /// The command of an exec request.
    pub command: Option<&'a Lossy>,
    /// The terminal's type as the client named it.
    pub term: Option<&'a Lossy>,
    /// A title.
    pub title: &'a str,
}

/// Writes the lines of one recording.
#[derive(Debug)]
pub struct Writer {
    begun: Timestamp,
    output: Carry,
    input: Carry,
}

impl Writer {
    /// Begins a recording with its header line.
    #[must_use]
    pub fn begin(header: &Header<'_>, out: &mut String) -> Self {
        let Header {
            width,
            height,
            begun,
            ..
        } = header;
        let (seconds, _) = begun.split();
        out.push_str(&format!(
            "{{\"version\":2,\"width\":{width},\"height\":{height},\"timestamp\":{seconds}"
        ));
        if let Some(command) = header.command {
            out.push_str(",\"command\":");
            write_string(command, out);
        }
        out.push_str(",\"title\":");
        write_string(&header.title, out);
        if let Some(term) = header.term {
            out.push_str(",\"env\":{\"TERM\":");
            write_string(term, out);
            out.push('}');
        }
        out.push_str("}\n");
        Self {
            begun: *begun,
            output: Carry::default(),
            input: Carry::default(),
        }
    }

    /// Appends output or input; nothing if the bytes only begin a character.
    pub fn bytes(&mut self, code: Code, bytes: &[u8], time: Timestamp, out: &mut String) {
        let carry = if code == Code::Input {
            &mut self.input
        } else {
            &mut self.output
        };
        let text = carry.take(bytes);
        if !text.is_empty() {
            self.text(code, &text, time, out);
        }
    }

    /// Appends an event with a text of ours.
    pub fn text(&self, code: Code, text: &str, time: Timestamp, out: &mut String) {
        let since: Duration = time.since(self.begun);
        let (seconds, micros) = (since.as_secs(), since.subsec_micros());
        out.push_str(&format!("[{seconds}.{micros:06},\"{}\",", code.letter()));
        write_string(&text, out);
        out.push_str("]\n");
    }

    /// Ends the recording: what was left of unfinished characters is shown as U+FFFD.
    pub fn end(&mut self, time: Timestamp, out: &mut String) {
        for code in [Code::Output, Code::Input] {
            let carry = if code == Code::Input {
                &mut self.input
            } else {
                &mut self.output
            };
            if carry.end() {
                self.text(code, "\u{fffd}", time, out);
            }
        }
    }
}

impl Code {
    const fn letter(self) -> char {
        match self {
            Self::Output => 'o',
            Self::Input => 'i',
            Self::Resize => 'r',
            Self::Marker => 'm',
        }
    }
}

/// Joins characters that were split between two events. Holds at most three bytes.
#[derive(Debug, Default)]
struct Carry(Vec<u8>);

impl Carry {
    fn take(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let joined = std::mem::take(&mut self.0);
        let mut text = String::with_capacity(joined.len());
        let mut rest = &*joined;
        loop {
            let error = match str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    return text;
                }
                Err(error) => error,
            };
            let (valid, bad) = rest.split_at(error.valid_up_to());
            text.push_str(&String::from_utf8_lossy(valid));
            let Some(length) = error.error_len() else {
                self.0 = bad.to_vec();
                return text;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            rest = bad.get(length..).unwrap_or_default();
        }
    }

    fn end(&mut self) -> bool {
        !std::mem::take(&mut self.0).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn splitting_bytes_anywhere_changes_no_character(
            bytes: Vec<u8>,
            cuts in proptest::collection::vec(0_usize..64, 0..8),
        ) {
            check_split(&bytes, &cuts)?;
        }

        #[test]
        fn splitting_text_anywhere_changes_no_character(
            text in "\\PC{0,40}",
            cuts in proptest::collection::vec(0_usize..64, 0..8),
        ) {
            check_split(text.as_bytes(), &cuts)?;
        }
    }

    fn check_split(bytes: &[u8], cuts: &[usize]) -> Result<(), TestCaseError> {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut carry = Carry::default();
        let mut text = String::new();
        for pair in cuts.windows(2) {
            text.push_str(&carry.take(&bytes[pair[0]..pair[1]]));
            prop_assert!(carry.0.len() <= 3);
        }
        if carry.end() {
            text.push('\u{fffd}');
        }
        prop_assert_eq!(text, String::from_utf8_lossy(bytes));
        Ok(())
    }

    #[test]
    fn lines_are_those_of_the_format() {
        let at = |micros: u64| Timestamp::from_micros(1_795_228_144_000_000 + micros);
        let mut out = String::new();
        let header = Header {
            width: 80,
            height: 24,
            begun: at(0),
            command: Some(&"id; \"x\"".into()),
            term: Some(&"xterm".into()),
            title: "t",
        };
        let mut writer = Writer::begin(&header, &mut out);
        writer.bytes(Code::Output, b"caf\xc3", at(5), &mut out);
        writer.bytes(Code::Input, b"\xff\r", at(6), &mut out);
        writer.bytes(Code::Output, b"\xa9", at(1_500_000), &mut out);
        writer.text(Code::Resize, "132x43", at(2_000_000), &mut out);
        writer.bytes(Code::Output, b"\xe2", at(2_000_001), &mut out);
        writer.end(at(3_000_000), &mut out);
        let wanted = r#"{"version":2,"width":80,"height":24,"timestamp":1795228144,"command":"id; \"x\"","title":"t","env":{"TERM":"xterm"}}
[0.000005,"o","caf"]
[0.000006,"i","\ufffd\r"]
[1.500000,"o","\u00e9"]
[2.000000,"r","132x43"]
[3.000000,"o","\ufffd"]
"#;
        assert_eq!(out, wanted);
    }
}
