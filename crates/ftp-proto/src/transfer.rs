//! How file bytes travel: TYPE, STRU and MODE, and the conversion that TYPE A asks for.
//!
//! RFC 959 §3.1 to §3.4; MODE Z is the "deflate" draft. Parsing and writing here are of the
//! parameters; which of them a server offers is the server's business. [`codec`] is the whole of what
//! they do to a file's bytes.

pub mod codec;

pub use self::codec::{DecodeError, Decoder, Encoder, Encoding, Framing, Progress};

/// The representation type. RFC 959 §3.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `A`: lines end in CRLF on the wire.
    Ascii(Format),
    /// `E`: EBCDIC.
    Ebcdic(Format),
    /// `I`: bytes as they are.
    Image,
    /// `L n`: logical bytes of n bits, 1 to 255; `L 8` is as good as [`Type::Image`].
    Local(u8),
}

/// Vertical format control of character types. RFC 959 §3.1.1.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `N`, and what a missing format means.
    NonPrint,
    /// `T`.
    Telnet,
    /// `C`: carriage control (ASA).
    CarriageControl,
}

/// The file structure. RFC 959 §3.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Structure {
    /// `F`.
    File,
    /// `R`.
    Record,
    /// `P`.
    Page,
}

/// The transmission mode. RFC 959 §3.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// `S`.
    Stream,
    /// `B`.
    Block,
    /// `C`.
    Compressed,
    /// `Z`: deflate, by the draft.
    Deflate,
}

impl Type {
    /// Reads the argument of TYPE, letters in any case.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut words = words(text);
        let (letter, second) = (words.next()?, words.next());
        if words.next().is_some() {
            return None;
        }
        match (letter, second) {
            (b"A" | b"a", format) => Format::parse(format).map(Self::Ascii),
            (b"E" | b"e", format) => Format::parse(format).map(Self::Ebcdic),
            // Some clients send a format here as well ("TYPE I N"), which means nothing.
            (b"I" | b"i", _) => Some(Self::Image),
            // Some write them as one word; seven bits are ASCII, as pyftpdlib has it.
            (b"L7" | b"l7", None) => Some(Self::Ascii(Format::NonPrint)),
            (b"L8" | b"l8", None) => Some(Self::Local(8)),
            (b"L" | b"l", Some(size)) => match crate::address::parse_number(size)? {
                0 => None,
                bits => Some(Self::Local(bits)),
            },
            _ => None,
        }
    }

    /// Appends the argument of TYPE to `out`; the default format is left out.
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Ascii(format) => {
                out.push(b'A');
                format.write(out);
            }
            Self::Ebcdic(format) => {
                out.push(b'E');
                format.write(out);
            }
            Self::Image => out.push(b'I'),
            Self::Local(bits) => out.extend(format!("L {bits}").into_bytes()),
        }
    }
}

impl Default for Type {
    /// ASCII non-print, RFC 959 §5.1.
    fn default() -> Self {
        Self::Ascii(Format::NonPrint)
    }
}

impl Format {
    fn parse(word: Option<&[u8]>) -> Option<Self> {
        match word {
            None | Some(b"N" | b"n") => Some(Self::NonPrint),
            Some(b"T" | b"t") => Some(Self::Telnet),
            Some(b"C" | b"c") => Some(Self::CarriageControl),
            Some(_) => None,
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::NonPrint => {}
            Self::Telnet => out.extend(*b" T"),
            Self::CarriageControl => out.extend(*b" C"),
        }
    }
}

impl Structure {
    /// Reads the argument of STRU, in any case.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text.trim_ascii() {
            b"F" | b"f" => Some(Self::File),
            b"R" | b"r" => Some(Self::Record),
            b"P" | b"p" => Some(Self::Page),
            _ => None,
        }
    }

    /// The argument of STRU.
    #[must_use]
    pub const fn letter(self) -> u8 {
        match self {
            Self::File => b'F',
            Self::Record => b'R',
            Self::Page => b'P',
        }
    }
}

impl Mode {
    /// Reads the argument of MODE, in any case.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text.trim_ascii() {
            b"S" | b"s" => Some(Self::Stream),
            b"B" | b"b" => Some(Self::Block),
            b"C" | b"c" => Some(Self::Compressed),
            b"Z" | b"z" => Some(Self::Deflate),
            _ => None,
        }
    }

    /// The argument of MODE.
    #[must_use]
    pub const fn letter(self) -> u8 {
        match self {
            Self::Stream => b'S',
            Self::Block => b'B',
            Self::Compressed => b'C',
            Self::Deflate => b'Z',
        }
    }
}

/// Turns Unix text into what TYPE A sends: LF becomes CRLF.
///
/// An LF that already follows a CR is left alone, as vsftpd and ProFTPD do, so that a DOS text
/// arrives as it is instead of with doubled CRs.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToNetwork {
    after_cr: bool,
}

impl ToNetwork {
    /// Converts one piece, which may end anywhere; appends to `out` at most twice its length.
    pub fn convert(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &byte in piece {
            if byte == b'\n' && !self.after_cr {
                out.push(b'\r');
            }
            out.push(byte);
            self.after_cr = byte == b'\r';
        }
    }
}

/// Turns what TYPE A sends into Unix text: CRLF becomes LF, every other byte stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromNetwork {
    pending_cr: bool,
}

impl FromNetwork {
    /// Converts one piece; a CR at its end is held back until the next piece or
    /// [`FromNetwork::finish`].
    pub fn convert(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &byte in piece {
            if self.pending_cr && byte != b'\n' {
                out.push(b'\r');
            }
            self.pending_cr = byte == b'\r';
            if !self.pending_cr {
                out.push(byte);
            }
        }
    }

    /// Writes the CR that was held back, if there is one.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.pending_cr) {
            out.push(b'\r');
        }
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn types_are_read_in_any_case_with_and_without_format() {
        assert_eq!(Type::parse(b"a"), Some(Type::Ascii(Format::NonPrint)));
        assert_eq!(Type::parse(b"A n"), Some(Type::Ascii(Format::NonPrint)));
        assert_eq!(Type::parse(b"E T"), Some(Type::Ebcdic(Format::Telnet)));
        assert_eq!(Type::parse(b"I"), Some(Type::Image));
        assert_eq!(Type::parse(b"L 8"), Some(Type::Local(8)));
        for bad in [
            &b""[..],
            b"L",
            b"L 0",
            b"L 256",
            b"X",
            b"A Q",
            b"A N N",
            b"AN",
        ] {
            assert_eq!(Type::parse(bad), None);
        }
    }

    fn to_network(text: &[u8], size: usize) -> Vec<u8> {
        let (mut convert, mut out) = (ToNetwork::default(), Vec::new());
        for piece in text.chunks(size) {
            convert.convert(piece, &mut out);
        }
        out
    }

    fn from_network(text: &[u8], size: usize) -> Vec<u8> {
        let (mut convert, mut out) = (FromNetwork::default(), Vec::new());
        for piece in text.chunks(size) {
            convert.convert(piece, &mut out);
        }
        convert.finish(&mut out);
        out
    }

    #[test]
    fn line_ends_are_converted_across_pieces() {
        for size in 1..6 {
            assert_eq!(to_network(b"a\nb\r\nc\rd\n", size), b"a\r\nb\r\nc\rd\r\n");
            assert_eq!(
                from_network(b"a\r\nb\r\rc\r\r\nd\r", size),
                b"a\nb\r\rc\r\nd\r"
            );
        }
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(text in prop::collection::vec(prop::sample::select(&b"\nab"[..]), 0..50), size in 1_usize..5) {
            prop_assert_eq!(from_network(&to_network(&text, size), size), text);
        }
    }
}
