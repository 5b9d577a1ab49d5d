//! Replies: their codes, their one-line and multi-line grammar, reading and writing.
//!
//! RFC 959 §4.2, RFC 1123 §4.1.2.11, RFC 2389 §3.2. Reads what peers really send: `226-` on every
//! line, a code without text, lines without a code before the first one, a bare LF. Writes only the
//! standard form. What a reply *means* to a dialogue is in [`crate::client`] and [`crate::server`].

mod code;
mod read;
mod text;

use std::fmt;

pub use self::code::{Class, Code};
pub use self::read::{
    Decoder, Grammar, MAX_REPLY_BYTES, MAX_REPLY_LINE_BYTES, MAX_REPLY_LINES, MAX_UNANSWERED_BYTES,
    Reader, ReplyError,
};
pub use self::text::{Replies, Text};
use crate::line;

/// One reply: a code and one or more lines of text.
///
/// Lines never hold LF or NUL, and inner lines never begin with three digits (they are padded with
/// a blank instead, as RFC 959 §4.2 asks), so whatever text a reply is made from, it cannot forge
/// a second one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    code: Code,
    before: Vec<Text>,
    last: Text,
}

impl Reply {
    /// A reply of one line.
    #[must_use]
    pub fn new(code: Code, text: impl AsRef<[u8]>) -> Self {
        Self::with(code, text.as_ref())
    }

    /// A reply of one line; a fixed text is not copied.
    #[must_use]
    pub fn with(code: Code, text: impl Into<Text>) -> Self {
        Self {
            code,
            before: Vec::new(),
            last: text.into(),
        }
    }

    /// A reply of several lines: those before the last one, then the last.
    ///
    /// RFC 2389 and RFC 3659 want the inner lines of feature and fact lists to begin with one blank;
    /// it is part of the line here.
    #[must_use]
    pub fn multi<L: AsRef<[u8]>>(
        code: Code,
        before: impl IntoIterator<Item = L>,
        last: impl AsRef<[u8]>,
    ) -> Self {
        let before = before
            .into_iter()
            .enumerate()
            .map(|(index, line)| {
                let line = line.as_ref();
                // The first line stands behind its own code and needs no padding.
                if index > 0 && starts_with_code(line) {
                    [b" ", line].concat().into()
                } else {
                    line.into()
                }
            })
            .collect();
        Self {
            code,
            before,
            last: last.as_ref().into(),
        }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// All lines of text, without codes.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.before
            .iter()
            .map(|text| &**text)
            .chain(std::iter::once(&*self.last))
    }

    /// The lines between the first and the last: the list in replies to FEAT, MLST and STAT.
    pub fn inner_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.before.iter().skip(1).map(|text| &**text)
    }

    /// The text of the last line, without the code.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.last
    }

    /// The last line as it stood on the wire: code, blank, text.
    #[must_use]
    pub fn last_line(&self) -> Vec<u8> {
        [self.code.to_string().as_bytes(), b" ", &self.last].concat()
    }

    /// Appends the reply to `out` as it goes on the wire.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for (index, text) in self.before.iter().enumerate() {
            if index == 0 {
                out.extend(self.code.digits());
                out.push(b'-');
            }
            line::encode(text, out);
        }
        out.extend(self.code.digits());
        out.push(b' ');
        line::encode(&self.last, out);
    }
}

impl fmt::Display for Reply {
    /// Writes the last line, what is not printable ASCII escaped: fit for a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.last.escape_ascii())
    }
}

/// Whether an inner line could be taken for the start of a reply line.
fn starts_with_code(line: &[u8]) -> bool {
    line.get(..3)
        .is_some_and(|head| head.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(reply: &Reply) -> Vec<u8> {
        let mut out = Vec::new();
        reply.encode(&mut out);
        out
    }

    #[test]
    fn one_line_is_code_blank_text() {
        assert_eq!(
            encoded(&Reply::new(Code::OKAY, "Command okay.")),
            b"200 Command okay.\r\n"
        );
    }

    #[test]
    fn several_lines_are_dashed_at_the_start_and_blank_at_the_end() {
        let reply = Reply::multi(Code::SYSTEM_STATUS, ["Features:", " MDTM", " SIZE"], "End");
        assert_eq!(
            encoded(&reply),
            b"211-Features:\r\n MDTM\r\n SIZE\r\n211 End\r\n"
        );
        let inner: Vec<_> = reply.inner_lines().collect();
        assert_eq!(inner, [b" MDTM", b" SIZE"]);
    }

    #[test]
    fn a_text_with_line_ends_cannot_forge_a_reply() {
        let reply = Reply::new(Code::PATHNAME, "\"a\r\n230 Logged in\"");
        assert_eq!(encoded(&reply), b"257 \"a\r\0?230 Logged in\"\r\n");
        let reply = Reply::multi(Code::SYSTEM_STATUS, ["x", "211 y"], "z");
        assert_eq!(encoded(&reply), b"211-x\r\n 211 y\r\n211 z\r\n");
    }

    fn any_reply() -> impl Strategy<Value = Reply> {
        let text = prop::collection::vec(any::<u8>(), 0..30);
        (
            100_u16..700,
            prop::collection::vec(text.clone(), 0..4),
            text,
        )
            .prop_map(|(code, before, last)| Reply::multi(Code::new(code).unwrap(), before, last))
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(reply in any_reply(), size in 1_usize..9) {
            let wire = encoded(&reply);
            let mut decoder = Decoder::new(Grammar::Standard);
            let mut read = Vec::new();
            for mut piece in wire.chunks(size) {
                while let Some(reply) = decoder.decode(&mut piece).unwrap() {
                    read.push(reply);
                }
            }
            prop_assert_eq!(read, [reply]);
        }

        #[test]
        fn foreign_bytes_are_read_without_panic(bytes in prop::collection::vec(prop::sample::select(&b"0123-- \r\n\xffa"[..]), 0..200)) {
            crate::fuzz::reply(&bytes);
        }
    }
}
