//! Reading replies from a server that may be broken or hostile.

use std::fmt;

use super::{Code, Reply};
use crate::line;

/// Longest line of a reply, in bytes without its end. Real ones stay under 1 KiB; a long path in a
/// 257 may come near 5 KiB. A longer one ends the connection with [`ReplyError::TooLong`].
pub const MAX_REPLY_LINE_BYTES: usize = 8192;

/// Most bytes of one reply, all lines together. HELP texts and login messages of real servers stay
/// under 16 KiB; past the limit: [`ReplyError::TooLong`].
pub const MAX_REPLY_BYTES: usize = 65_536;

/// Most lines of one reply, skipped ones included, so that a server dripping empty lines comes to an
/// end; past the limit: [`ReplyError::TooLong`].
pub const MAX_REPLY_LINES: usize = 1024;

/// Most bytes taken without a reply coming out: the longest reply and as much again for line ends and
/// Telnet options. It ends what the other limits cannot see: a line that never ends, a flood of
/// options. Past the limit: [`ReplyError::TooLong`].
pub const MAX_UNANSWERED_BYTES: usize = 2 * MAX_REPLY_BYTES;

/// How to find the last line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// RFC 959 §4.2: what begins with `ddd-` ends with the same `ddd` and a blank.
    Standard,
    /// The first line that begins with a digit and has a blank in column 4 is the reply, everything
    /// before it is skipped. BusyBox `ftpget` reads so (seen in 1.35).
    FirstFinalLine,
}

/// Why no further reply can be read; the connection is of no use afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// One of [`MAX_REPLY_LINE_BYTES`], [`MAX_REPLY_BYTES`] and [`MAX_REPLY_LINES`] was passed.
    TooLong,
    /// The line should be (or have been followed by) a final one and carries no code between 100 and
    /// 699.
    BadCode {
        /// The line, without its end.
        line: Vec<u8>,
    },
}

/// Joins lines to replies.
#[derive(Clone, Debug)]
pub struct Reader {
    grammar: Grammar,
    state: State,
    lines: usize,
    bytes: usize,
    /// The first line since the last reply that belongs to none.
    stray: Option<Vec<u8>>,
}

impl Reader {
    /// A reader before its first line.
    #[must_use]
    pub const fn new(grammar: Grammar) -> Self {
        Self {
            grammar,
            state: State::Between,
            lines: 0,
            bytes: 0,
            stray: None,
        }
    }

    /// The first line since the last reply that carries no code and was skipped: what a peer says that
    /// speaks another protocol.
    #[must_use]
    pub fn stray(&self) -> Option<&[u8]> {
        self.stray.as_deref()
    }

    /// Takes one line without its end; gives the reply if this was its last one.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]; the reader is in its first state afterwards.
    pub fn push_line(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        self.lines += 1;
        self.bytes = self.bytes.saturating_add(line.len());
        let result = if self.lines > MAX_REPLY_LINES || self.bytes > MAX_REPLY_BYTES {
            Err(ReplyError::TooLong)
        } else {
            match self.grammar {
                Grammar::Standard => Ok(self.standard(line)),
                Grammar::FirstFinalLine => first_final_line(line),
            }
        };
        if !matches!(result, Ok(None)) {
            *self = Self::new(self.grammar);
        }
        result
    }

    fn standard(&mut self, line: &[u8]) -> Option<Reply> {
        let parts = split(line);
        match (&mut self.state, parts) {
            (State::Between, Some((code, Mark::Last, text))) => Some(Reply::new(code, text)),
            (State::Between, Some((code, Mark::More, text))) => {
                self.state = State::Within {
                    code,
                    before: vec![text.to_vec()],
                };
                None
            }
            // Some servers begin their banner with lines that carry no code.
            (State::Between, None) => {
                if !line.is_empty() && self.stray.is_none() {
                    self.stray = Some(line.to_vec());
                }
                None
            }
            (State::Within { code, before }, Some((this, mark, text))) if this == *code => {
                match mark {
                    Mark::Last => Some(Reply::multi(*code, std::mem::take(before), text)),
                    Mark::More => {
                        before.push(text.to_vec());
                        None
                    }
                }
            }
            (State::Within { before, .. }, _) => {
                before.push(line.to_vec());
                None
            }
        }
    }
}

/// Reads replies from bytes: a [`line::Decoder`] and a [`Reader`] together.
///
/// Telnet options proposed by the server are ignored; no FTP server is known to need an answer.
#[derive(Clone, Debug)]
pub struct Decoder {
    lines: line::Decoder,
    reader: Reader,
    /// Bytes taken since the last reply.
    unanswered: usize,
}

impl Decoder {
    /// A decoder before the first byte.
    #[must_use]
    pub const fn new(grammar: Grammar) -> Self {
        Self {
            lines: line::Decoder::new(MAX_REPLY_LINE_BYTES),
            reader: Reader::new(grammar),
            unanswered: 0,
        }
    }

    /// Whether bytes were taken that are part of a reply not yet complete.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        self.unanswered > 0
    }

    /// As [`Reader::stray`].
    #[must_use]
    pub fn stray(&self) -> Option<&[u8]> {
        self.reader.stray()
    }

    /// Takes bytes from the front of `input` until a reply is complete or nothing is left.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]; the connection is of no use afterwards.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Reply>, ReplyError> {
        loop {
            let before = input.len();
            let event = self.lines.decode(input);
            let used = before.saturating_sub(input.len());
            self.unanswered = self.unanswered.saturating_add(used);
            match event {
                Some(line::Event::Line(line)) => {
                    if let Some(reply) = self.reader.push_line(&line)? {
                        self.unanswered = 0;
                        return Ok(Some(reply));
                    }
                }
                Some(line::Event::TooLong) => return Err(ReplyError::TooLong),
                Some(line::Event::Refuse(_)) => {}
                None if self.unanswered > MAX_UNANSWERED_BYTES => return Err(ReplyError::TooLong),
                None => return Ok(None),
            }
        }
    }

    /// Takes a last line that came without its end: call it when the server has closed.
    ///
    /// # Errors
    ///
    /// As [`Decoder::decode`].
    pub fn finish(&mut self) -> Result<Option<Reply>, ReplyError> {
        match self.lines.take_partial() {
            Some(line) => self.reader.push_line(&line),
            None => Ok(None),
        }
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the server's reply is too long"),
            Self::BadCode { line } => {
                write!(
                    f,
                    "the server's reply has no valid code: {}",
                    line.escape_ascii()
                )
            }
        }
    }
}

impl std::error::Error for ReplyError {}

#[derive(Clone, Debug)]
enum State {
    Between,
    Within { code: Code, before: Vec<Vec<u8>> },
}

enum Mark {
    More,
    Last,
}

fn split(line: &[u8]) -> Option<(Code, Mark, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = Code::parse(digits)?;
    match rest.split_first() {
        // The code alone, as some servers end their multi-line replies.
        None => Some((code, Mark::Last, rest)),
        Some((b' ', text)) => Some((code, Mark::Last, text)),
        Some((b'-', text)) => Some((code, Mark::More, text)),
        Some(_) => None,
    }
}

fn first_final_line(line: &[u8]) -> Result<Option<Reply>, ReplyError> {
    let [b'0'..=b'9', _, _, b' ', text @ ..] = line else {
        return Ok(None);
    };
    let code = line.get(..3).and_then(Code::parse);
    let code = code.ok_or_else(|| ReplyError::BadCode {
        line: line.to_vec(),
    })?;
    Ok(Some(Reply::new(code, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(grammar: Grammar, wire: &[u8]) -> Vec<Result<Reply, ReplyError>> {
        let mut decoder = Decoder::new(grammar);
        let mut input = wire;
        let mut found = Vec::new();
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(reply)) => found.push(Ok(reply)),
                Ok(None) => return found,
                Err(error) => found.push(Err(error)),
            }
        }
    }

    fn one(wire: &str) -> Reply {
        read(Grammar::Standard, wire.as_bytes()).remove(0).unwrap()
    }

    #[test]
    fn lines_dashed_throughout_are_one_reply() {
        let reply = one("226-Options: -a\r\n226-2 matches\r\n226 done\r\n");
        let lines: Vec<_> = reply.lines().collect();
        assert_eq!(lines, [&b"Options: -a"[..], b"2 matches", b"done"]);
    }

    #[test]
    fn other_codes_inside_a_multi_line_reply_are_text() {
        let reply = one("230-Hello\r\n220 odd\r\n230 done\r\n");
        assert_eq!(reply.code(), Code::LOGGED_IN);
        assert_eq!(reply.inner_lines().next(), Some(&b" 220 odd"[..]));
    }

    #[test]
    fn a_code_alone_is_a_reply_and_lines_before_the_first_code_are_skipped() {
        assert_eq!(one("welcome\r\n\r\n220\r\n"), Reply::new(Code::READY, ""));
    }

    #[test]
    fn a_line_that_never_ends_and_a_flood_of_options_come_to_an_end() {
        for piece in [&b"x"[..], b"220-", b"\xff\xfb\x01", b"\n"] {
            let mut decoder = Decoder::new(Grammar::Standard);
            let flood = piece.repeat(64);
            let turns = MAX_UNANSWERED_BYTES / flood.len() + 2;
            let found = (0..turns).find_map(|_| decoder.decode(&mut &flood[..]).err());
            assert_eq!(found, Some(ReplyError::TooLong), "{piece:?}");
        }
    }

    #[test]
    fn busybox_takes_the_first_line_with_a_blank_in_column_four() {
        let found = read(
            Grammar::FirstFinalLine,
            b"230-Hello\r\n220 odd\r\n230 done\r\n",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], Ok(Reply::new(Code::READY, "odd")));
        assert_eq!(
            read(Grammar::FirstFinalLine, b"1zz x\r\n"),
            [Err(ReplyError::BadCode {
                line: b"1zz x".to_vec()
            })]
        );
    }

    #[test]
    fn endless_replies_come_to_an_end() {
        let long_line = vec![b'x'; MAX_REPLY_LINE_BYTES + 1];
        let wire = [&long_line[..], b"\r\n"].concat();
        assert_eq!(read(Grammar::Standard, &wire), [Err(ReplyError::TooLong)]);
        let many = b"230-x\r\n".repeat(MAX_REPLY_LINES + 1);
        assert_eq!(read(Grammar::Standard, &many), [Err(ReplyError::TooLong)]);
        let stray = b"\n".repeat(MAX_REPLY_LINES + 1);
        assert_eq!(
            read(Grammar::FirstFinalLine, &stray),
            [Err(ReplyError::TooLong)]
        );
    }

    #[test]
    fn a_last_line_without_its_end_counts_when_the_server_has_closed() {
        let mut decoder = Decoder::new(Grammar::FirstFinalLine);
        assert_eq!(decoder.decode(&mut &b"421 too many"[..]), Ok(None));
        assert_eq!(
            decoder.finish(),
            Ok(Some(Reply::new(Code::SERVICE_UNAVAILABLE, "too many")))
        );
        assert_eq!(decoder.finish(), Ok(None));
    }
}
