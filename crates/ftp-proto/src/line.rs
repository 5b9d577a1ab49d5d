//! Lines of the control connection: framing, Telnet bytes and the limit on their length.
//!
//! RFC 959 §2.3 and RFC 1123 §4.1.2.12 make the control connection a Telnet connection, so bytes
//! are not simply split at CRLF. Reads what clients send in practice: CRLF, a bare LF, CR NUL
//! (RFC 2640 §2.1: a CR that belongs to a name), doubled and undoubled 255, option negotiation,
//! and the interrupt that precedes ABOR. What a line says is not decided here; see
//! [`crate::command`] and [`crate::reply`].
//!
//! ```text
//!            CR             LF: line            IAC
//!   Text ─────────▶ Cr ───────────────▶ Text ─────────▶ Iac ──┬─ WILL.. ▶ Option ─▶ Text
//!    ▲               │ NUL, other: CR kept                    ├─ SB ▶ Sub ⇄ SubIac ─▶ Text
//!    └───────────────┘                                        └─ IP ▶ Interrupted ─▶ Text
//! ```

/// Longest line we keep, in bytes without its end.
///
/// RFC 959 names no limit; real clients stay under 1 KiB and real servers take 512 to 8192. A
/// longer line is skipped to its end and reported once as [`Event::TooLong`].
pub const MAX_LINE_BYTES: usize = 4096;

/// Longest Telnet subnegotiation we skip, in bytes.
///
/// No option that could be meant for an FTP server comes near it. After that many bytes the rest
/// is taken as text again, so that a lost `IAC SE` does not swallow the session.
pub const MAX_SUBNEGOTIATION_BYTES: usize = 512;

/// What the decoder found in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// One line without its end, Telnet bytes taken out.
    Line(Vec<u8>),
    /// A line longer than the limit has ended; its bytes are gone.
    TooLong,
    /// The peer proposed a Telnet option; these three bytes refuse it (RFC 1123 §4.1.2.12).
    Refuse([u8; 3]),
}

/// Cuts a byte stream into lines; memory is bounded by the limit given to [`Decoder::new`].
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    state: State,
    content: Content,
}

impl Decoder {
    /// A decoder that keeps lines of at most `limit` bytes; usually [`MAX_LINE_BYTES`].
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            state: State::Text,
            content: Content::Kept(Vec::new()),
        }
    }

    /// Takes bytes from the front of `input` until something is found or nothing is left.
    ///
    /// Call it again with the same slice until it returns `None`. How the bytes were cut into
    /// segments makes no difference.
    pub fn decode(&mut self, input: &mut &[u8]) -> Option<Event> {
        if let Some(line) = self.plain_line(input) {
            return Some(Event::Line(line.to_vec()));
        }
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            if let Some(event) = self.step(byte) {
                return Some(event);
            }
        }
        None
    }

    /// Takes a whole line with nothing special in it, which nearly all are, from the front of `input`
    /// without copying it. If that is not what stands there, nothing is taken, and
    /// [`Decoder::decode`] has to look.
    pub fn plain_line<'a>(&self, input: &mut &'a [u8]) -> Option<&'a [u8]> {
        let is_between_lines = matches!(self.state, State::Text)
            && matches!(&self.content, Content::Kept(bytes) if bytes.is_empty());
        if !is_between_lines {
            return None;
        }
        let special = |&byte: &u8| matches!(byte, b'\n' | b'\r' | telnet::IAC);
        let end = input.iter().position(special)?;
        let (line, rest) = input.split_at_checked(end)?;
        let rest = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.strip_prefix(b"\n"))?;
        if line.len() > self.limit {
            return None;
        }
        *input = rest;
        Some(line)
    }

    /// What stands before a line end that never came: call it when the peer has closed.
    ///
    /// `None` if nothing is pending or the pending line is over the limit.
    pub fn take_partial(&mut self) -> Option<Vec<u8>> {
        self.state = State::Text;
        match self.content.take() {
            Content::Kept(bytes) if !bytes.is_empty() => Some(bytes),
            Content::Kept(_) | Content::Skipped => None,
        }
    }

    fn step(&mut self, byte: u8) -> Option<Event> {
        match std::mem::replace(&mut self.state, State::Text) {
            State::Text => self.text(byte),
            State::Cr => match byte {
                b'\n' => Some(self.end_line()),
                0 => {
                    self.keep(b'\r');
                    None
                }
                other => {
                    self.keep(b'\r');
                    self.text(other)
                }
            },
            State::Iac => self.telnet(byte),
            State::Option(answer) => {
                answer.map(|answer| Event::Refuse([telnet::IAC, answer, byte]))
            }
            State::Sub { seen } if seen >= MAX_SUBNEGOTIATION_BYTES => self.text(byte),
            State::Sub { seen } => {
                self.state = if byte == telnet::IAC {
                    State::SubIac { seen }
                } else {
                    State::Sub { seen: seen + 1 }
                };
                None
            }
            State::SubIac { seen } => {
                if byte != telnet::SE {
                    self.state = State::Sub { seen: seen + 2 };
                }
                None
            }
            // The Synch that follows "interrupt process" is IAC DM with IAC as urgent data: unless
            // the socket keeps urgent data in line, the DM arrives alone.
            State::Interrupted if byte == telnet::DM => None,
            State::Interrupted => self.text(byte),
        }
    }

    fn text(&mut self, byte: u8) -> Option<Event> {
        match byte {
            b'\n' => return Some(self.end_line()),
            b'\r' => self.state = State::Cr,
            telnet::IAC => self.state = State::Iac,
            other => self.keep(other),
        }
        None
    }

    fn telnet(&mut self, byte: u8) -> Option<Event> {
        match byte {
            telnet::IAC => self.keep(telnet::IAC),
            telnet::WILL => self.state = State::Option(Some(telnet::DONT)),
            telnet::DO => self.state = State::Option(Some(telnet::WONT)),
            telnet::WONT | telnet::DONT => self.state = State::Option(None),
            telnet::SB => self.state = State::Sub { seen: 0 },
            telnet::IP => self.state = State::Interrupted,
            telnet::SE.. => {}
            // No Telnet command: a client that does not double 255 sent it within a Latin-1 name.
            other => {
                self.keep(telnet::IAC);
                return self.text(other);
            }
        }
        None
    }

    fn keep(&mut self, byte: u8) {
        let Content::Kept(bytes) = &mut self.content else {
            return;
        };
        if bytes.len() < self.limit {
            bytes.push(byte);
        } else {
            self.content = Content::Skipped;
        }
    }

    fn end_line(&mut self) -> Event {
        match self.content.take() {
            Content::Kept(bytes) => Event::Line(bytes),
            Content::Skipped => Event::TooLong,
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(MAX_LINE_BYTES)
    }
}

/// Appends `line` and CRLF to `out`, so that [`Decoder`] reads the same line back.
///
/// 255 is doubled and CR becomes CR NUL. An LF cannot be expressed and is written as `?`: better a
/// wrong character in a text than a second line that the peer takes for a reply of ours.
pub fn encode(line: &[u8], out: &mut Vec<u8>) {
    let is_special = |byte: &u8| matches!(*byte, telnet::IAC | b'\r' | b'\n');
    let plain = line.iter().position(is_special).unwrap_or(line.len());
    let (plain, rest) = line.split_at_checked(plain).unwrap_or((line, &[]));
    out.extend_from_slice(plain);
    for &byte in rest {
        match byte {
            telnet::IAC => out.extend([telnet::IAC, telnet::IAC]),
            b'\r' => out.extend(*b"\r\0"),
            b'\n' => out.push(b'?'),
            other => out.push(other),
        }
    }
    out.extend(*b"\r\n");
}

#[derive(Clone, Copy, Debug)]
enum State {
    Text,
    /// A CR was read and not yet kept.
    Cr,
    Iac,
    /// The option byte is next; the value is the verb that refuses it, if it needs an answer.
    Option(Option<u8>),
    Sub {
        seen: usize,
    },
    SubIac {
        seen: usize,
    },
    Interrupted,
}

#[derive(Clone, Debug)]
enum Content {
    Kept(Vec<u8>),
    /// The line went over the limit.
    Skipped,
}

impl Content {
    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Kept(Vec::new()))
    }
}

/// RFC 854.
mod telnet {
    pub(super) const SE: u8 = 240;
    pub(super) const DM: u8 = 242;
    pub(super) const IP: u8 = 244;
    pub(super) const SB: u8 = 250;
    pub(super) const WILL: u8 = 251;
    pub(super) const WONT: u8 = 252;
    pub(super) const DO: u8 = 253;
    pub(super) const DONT: u8 = 254;
    pub(super) const IAC: u8 = 255;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode_all(bytes: &[u8]) -> Vec<Event> {
        let mut decoder = Decoder::default();
        let mut input = bytes;
        std::iter::from_fn(|| decoder.decode(&mut input)).collect()
    }

    fn line(text: &str) -> Event {
        Event::Line(text.as_bytes().to_vec())
    }

    #[test]
    fn crlf_and_a_bare_lf_both_end_a_line() {
        assert_eq!(
            decode_all(b"NOOP\r\nQUIT\n\r\n"),
            [line("NOOP"), line("QUIT"), line("")]
        );
    }

    #[test]
    fn a_cr_that_ends_no_line_is_kept() {
        assert_eq!(
            decode_all(b"a\r\0b\r\n\rc\r\r\n"),
            [line("a\rb"), line("\rc\r")]
        );
    }

    #[test]
    fn options_are_refused_and_taken_out_of_the_line() {
        assert_eq!(
            decode_all(b"NO\xff\xfd\x06O\xff\xfb\x18P\xff\xfc\x01\xff\xfe\x01\r\n"),
            [
                Event::Refuse([255, 252, 6]),
                Event::Refuse([255, 254, 24]),
                line("NOOP")
            ]
        );
    }

    #[test]
    fn abor_is_read_behind_an_interrupt_with_and_without_its_urgent_byte() {
        assert_eq!(decode_all(b"\xff\xf4\xff\xf2ABOR\r\n"), [line("ABOR")]);
        assert_eq!(decode_all(b"\xff\xf4\xf2ABOR\r\n"), [line("ABOR")]);
    }

    #[test]
    fn a_subnegotiation_is_skipped_and_a_lost_end_does_not_swallow_the_session() {
        assert_eq!(
            decode_all(b"\xff\xfa\x18\x00x\ny\xff\xff\xff\xf0NOOP\r\n"),
            [line("NOOP")]
        );
        let mut bytes = b"\xff\xfa".to_vec();
        bytes.extend(vec![b'x'; MAX_SUBNEGOTIATION_BYTES]);
        bytes.extend(b"\r\nNOOP\r\n");
        assert_eq!(decode_all(&bytes), [line(""), line("NOOP")]);
    }

    #[test]
    fn byte_255_is_read_doubled_and_undoubled() {
        assert_eq!(
            decode_all(b"\xff\xffa\xffb\n\xff\r\n"),
            [
                Event::Line(b"\xffa\xffb".to_vec()),
                Event::Line(b"\xff".to_vec())
            ]
        );
    }

    #[test]
    fn a_line_over_the_limit_is_reported_once_and_the_next_one_is_read() {
        let mut bytes = vec![b'a'; MAX_LINE_BYTES];
        bytes.extend(b"\r\n");
        bytes.extend(vec![b'b'; 100 * MAX_LINE_BYTES]);
        bytes.extend(b"\r\nNOOP\r\n");
        assert_eq!(
            decode_all(&bytes),
            [
                Event::Line(vec![b'a'; MAX_LINE_BYTES]),
                Event::TooLong,
                line("NOOP")
            ]
        );
    }

    #[test]
    fn a_line_without_end_can_be_taken_when_the_peer_has_closed() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode(&mut &b"421 too many"[..]), None);
        assert_eq!(decoder.take_partial(), Some(b"421 too many".to_vec()));
        assert_eq!(decoder.take_partial(), None);
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(
            lines in prop::collection::vec(prop::collection::vec(any::<u8>().prop_filter("LF", |b| *b != b'\n'), 0..40), 0..5),
        ) {
            let mut wire = Vec::new();
            for line in &lines {
                encode(line, &mut wire);
            }
            let expected: Vec<_> = lines.into_iter().map(Event::Line).collect();
            prop_assert_eq!(decode_all(&wire), expected);
        }

        #[test]
        fn how_bytes_are_cut_into_segments_makes_no_difference(
            bytes in prop::collection::vec(prop::sample::select(&b"\r\n\0aA \xff\xf0\xf2\xf4\xfa\xfb\xfd\xfe"[..]), 0..200),
            size in 1_usize..8,
        ) {
            let mut decoder = Decoder::new(16);
            let mut whole = Vec::new();
            let mut input = &bytes[..];
            while let Some(event) = decoder.decode(&mut input) {
                whole.push(event);
            }
            let mut decoder = Decoder::new(16);
            let mut pieces = Vec::new();
            for mut piece in bytes.chunks(size) {
                while let Some(event) = decoder.decode(&mut piece) {
                    pieces.push(event);
                }
            }
            prop_assert_eq!(whole, pieces);
        }

        #[test]
        fn no_line_is_longer_than_the_limit(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut decoder = Decoder::new(8);
            let mut input = &bytes[..];
            while let Some(event) = decoder.decode(&mut input) {
                if let Event::Line(line) = event {
                    prop_assert!(line.len() <= 8);
                }
            }
        }
    }
}
