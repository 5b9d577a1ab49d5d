//! What TYPE, STRU and MODE make of a file's bytes on the data connection, both ways.
//!
//! RFC 959 §3.1.1, §3.1.2 and §3.4.2; MODE Z is the zlib format of RFC 1950, as the deflate draft
//! has it. Bytes that need nothing of this ([`Encoding::is_plain`]) should not pass through here.

use std::fmt;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{FromNetwork, ToNetwork};

/// How the bytes of a file stand on a data connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Encoding {
    /// TYPE A: lines end in CRLF.
    pub ascii: bool,
    /// STRU R: lines are records.
    pub records: bool,
    /// MODE.
    pub framing: Framing,
}

/// What MODE puts around the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// MODE S: nothing.
    #[default]
    Stream,
    /// MODE B: blocks with a header.
    Block,
    /// MODE Z.
    Deflate {
        /// 0 (not at all) to 9 (as small as can be).
        level: u8,
    },
}

impl Encoding {
    /// Bytes as they are: TYPE I, STRU F, MODE S.
    pub const PLAIN: Self = Self {
        ascii: false,
        records: false,
        framing: Framing::Stream,
    };

    /// Whether bytes stand as they are, so that they can be moved without being looked at.
    #[must_use]
    pub fn is_plain(self) -> bool {
        self == Self::PLAIN
    }

    /// Whether the end of the bytes is said on the wire, so that a connection that closes without
    /// it was cut.
    #[must_use]
    pub fn marks_end(self) -> bool {
        self.records || self.framing != Framing::Stream
    }
}

/// From a file to the wire.
#[derive(Debug)]
pub struct Encoder {
    encoding: Encoding,
    line_ends: ToNetwork,
    deflate: Option<Compress>,
    /// Bytes between two layers.
    between: Vec<u8>,
}

impl Encoder {
    /// At the beginning of a file.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        let deflate = match encoding.framing {
            Framing::Deflate { level } => Some(Compress::new(
                Compression::new(u32::from(level.min(9))),
                true,
            )),
            Framing::Stream | Framing::Block => None,
        };
        Self {
            encoding,
            line_ends: ToNetwork::default(),
            deflate,
            between: Vec::new(),
        }
    }

    /// Takes the next piece of the file, which may end anywhere, and appends to `out`.
    pub fn encode(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if self.encoding.records {
            self.records(piece, out);
            return;
        }
        let mut between = std::mem::take(&mut self.between);
        between.clear();
        let text = if self.encoding.ascii {
            self.line_ends.convert(piece, &mut between);
            &between
        } else {
            piece
        };
        self.frame(text, 0, out);
        self.between = between;
    }

    /// The file has ended: appends what says so.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        match self.encoding.framing {
            Framing::Block => out.extend([descriptor::EOF, 0, 0]),
            Framing::Stream if self.encoding.records => out.extend([ESCAPE, escaped::EOF]),
            Framing::Deflate { .. } => {
                if self.encoding.records {
                    self.deflate(&[ESCAPE, escaped::EOF], FlushCompress::None, out);
                }
                self.deflate(&[], FlushCompress::Finish, out);
            }
            Framing::Stream => {}
        }
    }

    /// STRU R: each line is a record; what follows the last line end is one without an end.
    fn records(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut between = std::mem::take(&mut self.between);
        for line in piece.split_inclusive(|&byte| byte == b'\n') {
            let (text, ends) = match line.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (line, false),
            };
            // Blocks carry their ends in the header and need no escapes.
            if self.encoding.framing == Framing::Block {
                self.frame(text, if ends { descriptor::EOR } else { 0 }, out);
                continue;
            }
            between.clear();
            for &byte in text {
                if byte == ESCAPE {
                    between.push(ESCAPE);
                }
                between.push(byte);
            }
            if ends {
                between.extend([ESCAPE, escaped::EOR]);
            }
            self.frame(&between, 0, out);
        }
        self.between = between;
    }

    fn frame(&mut self, text: &[u8], mark: u8, out: &mut Vec<u8>) {
        match self.encoding.framing {
            Framing::Stream => out.extend_from_slice(text),
            Framing::Deflate { .. } => self.deflate(text, FlushCompress::None, out),
            Framing::Block => {
                let mut blocks = text.chunks(usize::from(u16::MAX)).peekable();
                if blocks.peek().is_none() && mark != 0 {
                    out.extend([mark, 0, 0]);
                }
                while let Some(block) = blocks.next() {
                    let mark = if blocks.peek().is_none() { mark } else { 0 };
                    let [high, low] = u16::try_from(block.len()).unwrap_or(0).to_be_bytes();
                    out.extend([mark, high, low]);
                    out.extend_from_slice(block);
                }
            }
        }
    }

    fn deflate(&mut self, mut text: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
        let Some(deflate) = &mut self.deflate else {
            return;
        };
        loop {
            out.reserve(text.len().max(MIN_ROOM_BYTES));
            let before = deflate.total_in();
            // It fails only when called behind the end of the stream, which `finish` is.
            let status = deflate.compress_vec(text, out, flush);
            let taken = usize::try_from(deflate.total_in() - before).unwrap_or(usize::MAX);
            text = text.get(taken..).unwrap_or_default();
            let is_done = match (&status, flush) {
                (Ok(Status::StreamEnd) | Err(_), _) => true,
                (Ok(_), FlushCompress::Finish) => false,
                (Ok(_), _) => text.is_empty() && out.len() < out.capacity(),
            };
            if is_done {
                return;
            }
        }
    }
}

/// Most bytes [`Decoder::decode`] appends in one call: a deflated megabyte may hold a gigabyte.
pub const MAX_DECODED_BYTES: usize = 256 * 1024;

/// Least room given to the compressor in one call, in bytes.
const MIN_ROOM_BYTES: usize = 4096;

/// What [`Decoder::decode`] has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The input is used up; more is to come from the wire.
    Hungry,
    /// The limit of one call was met: write what came out, then call again with the rest.
    Full,
    /// The end of the file was said; what follows it does not belong to the file.
    Ended,
}

/// What came is not in the form that was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// An escape of STRU R that means nothing.
    Escape,
    /// Not a deflate stream.
    Deflate,
    /// The connection has closed before the end was said.
    Cut,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Escape => "unknown escape in a record",
            Self::Deflate => "not a deflate stream",
            Self::Cut => "closed before its end",
        })
    }
}

impl std::error::Error for DecodeError {}

/// From the wire to a file.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    line_ends: FromNetwork,
    inflate: Option<Decompress>,
    block: Block,
    /// An escape was read, its meaning not yet.
    escape: bool,
    /// STRU R has said that the file ends; a deflate stream around it still has its own end.
    last_record: bool,
    ended: bool,
    between: Vec<u8>,
}

/// Where in a MODE B stream we are.
#[derive(Clone, Copy, Debug)]
enum Block {
    Header { read: [u8; 3], count: usize },
    Body { mark: u8, left: u16 },
}

const START: Block = Block::Header {
    read: [0; 3],
    count: 0,
};

impl Decoder {
    /// At the beginning of a file.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        let inflate = match encoding.framing {
            Framing::Deflate { .. } => Some(Decompress::new(true)),
            Framing::Stream | Framing::Block => None,
        };
        Self {
            encoding,
            line_ends: FromNetwork::default(),
            inflate,
            block: START,
            escape: false,
            last_record: false,
            ended: false,
            between: Vec::new(),
        }
    }

    /// Takes bytes from the front of `input` and appends to `out`, at most
    /// [`MAX_DECODED_BYTES`] and a few.
    ///
    /// # Errors
    ///
    /// [`DecodeError`]; the transfer cannot go on.
    pub fn decode(
        &mut self,
        input: &mut &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Progress, DecodeError> {
        if self.ended {
            return Ok(Progress::Ended);
        }
        match self.encoding.framing {
            Framing::Stream => {
                let count = input.len().min(MAX_DECODED_BYTES);
                let (piece, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
                *input = rest;
                self.content(piece, out)?;
                Ok(self.progress(!input.is_empty()))
            }
            Framing::Block => self.blocks(input, out),
            Framing::Deflate { .. } => self.inflate(input, out),
        }
    }

    /// The connection has closed: appends what was held back.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Cut`] if the end had to be said and was not.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        self.line_ends.finish(out);
        if self.ended || !self.encoding.marks_end() {
            Ok(())
        } else {
            Err(DecodeError::Cut)
        }
    }

    const fn progress(&self, is_full: bool) -> Progress {
        match (self.ended, is_full) {
            (true, _) => Progress::Ended,
            (false, true) => Progress::Full,
            (false, false) => Progress::Hungry,
        }
    }

    /// Bytes without their framing.
    fn content(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        if self.encoding.records && self.encoding.framing != Framing::Block {
            return self.unescape(piece, out);
        }
        if self.encoding.ascii && !self.encoding.records {
            self.line_ends.convert(piece, out);
        } else {
            out.extend_from_slice(piece);
        }
        Ok(())
    }

    fn unescape(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        for &byte in piece {
            if self.last_record {
                break;
            }
            match (std::mem::take(&mut self.escape), byte) {
                (false, ESCAPE) => self.escape = true,
                (false, byte) | (true, byte @ ESCAPE) => out.push(byte),
                (true, escaped::EOR) => out.push(b'\n'),
                (true, escaped::EOF) => self.last_record = true,
                (true, escaped::BOTH) => {
                    out.push(b'\n');
                    self.last_record = true;
                }
                (true, _) => return Err(DecodeError::Escape),
            }
        }
        self.ended |= self.last_record && self.inflate.is_none();
        Ok(())
    }

    fn blocks(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Progress, DecodeError> {
        let limit = out.len() + MAX_DECODED_BYTES;
        while !self.ended && out.len() < limit {
            match &mut self.block {
                Block::Header { read, count } => {
                    let Some((&byte, rest)) = input.split_first() else {
                        break;
                    };
                    *input = rest;
                    if let Some(place) = read.get_mut(*count) {
                        *place = byte;
                    }
                    *count += 1;
                    if *count == read.len() {
                        let [mark, high, low] = *read;
                        let left = u16::from_be_bytes([high, low]);
                        self.block = Block::Body { mark, left };
                    }
                }
                Block::Body { mark, left: 0 } => {
                    let mark = *mark;
                    self.block = START;
                    if mark & descriptor::EOR != 0 && self.encoding.records {
                        out.push(b'\n');
                    }
                    self.ended = mark & descriptor::EOF != 0;
                }
                Block::Body { mark, left } => {
                    let count = usize::from(*left).min(input.len());
                    let Some((piece, rest)) = input.split_at_checked(count) else {
                        break;
                    };
                    if count == 0 {
                        break;
                    }
                    *input = rest;
                    *left -= u16::try_from(count).unwrap_or(*left);
                    // A restart marker is about the file, not of it (RFC 959 §3.5).
                    if *mark & descriptor::MARKER == 0 {
                        self.content(piece, out)?;
                    }
                }
            }
        }
        // A body that is complete but not yet acted on counts as more to come.
        Ok(self.progress(out.len() >= limit))
    }

    fn inflate(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Progress, DecodeError> {
        let mut between = std::mem::take(&mut self.between);
        between.clear();
        between.reserve(MAX_DECODED_BYTES);
        let Some(inflate) = &mut self.inflate else {
            return Err(DecodeError::Deflate);
        };
        let before = inflate.total_in();
        let status = inflate
            .decompress_vec(input, &mut between, FlushDecompress::None)
            .map_err(|_| DecodeError::Deflate)?;
        let taken = usize::try_from(inflate.total_in() - before).unwrap_or(usize::MAX);
        if taken == 0 && between.is_empty() && !input.is_empty() && status != Status::StreamEnd {
            return Err(DecodeError::Deflate);
        }
        *input = input.get(taken..).unwrap_or_default();
        let is_full = between.len() == between.capacity() || !input.is_empty();
        let is_end = status == Status::StreamEnd;
        self.content(&between, out)?;
        // Memory of a quarter megabyte is not for a session that is done with it.
        self.between = if is_end { Vec::new() } else { between };
        self.ended |= is_end;
        Ok(self.progress(is_full))
    }
}

/// Both ends of a record and of a file are said behind this byte in MODE S. RFC 959 §3.4.1.
const ESCAPE: u8 = 0xff;

/// RFC 959 §3.4.1.
mod escaped {
    pub(super) const EOR: u8 = 1;
    pub(super) const EOF: u8 = 2;
    pub(super) const BOTH: u8 = 3;
}

/// RFC 959 §3.4.2.
mod descriptor {
    pub(super) const EOR: u8 = 128;
    pub(super) const EOF: u8 = 64;
    pub(super) const MARKER: u8 = 16;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(encoding: Encoding, bytes: &[u8], size: usize) -> Vec<u8> {
        let (mut encoder, mut wire) = (Encoder::new(encoding), Vec::new());
        for piece in bytes.chunks(size) {
            encoder.encode(piece, &mut wire);
        }
        encoder.finish(&mut wire);
        wire
    }

    fn decode(encoding: Encoding, wire: &[u8], size: usize) -> Result<Vec<u8>, DecodeError> {
        let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
        for mut piece in wire.chunks(size) {
            while decoder.decode(&mut piece, &mut out)? == Progress::Full {}
        }
        decoder.finish(&mut out)?;
        Ok(out)
    }

    fn all() -> Vec<Encoding> {
        let mut all = Vec::new();
        for ascii in [false, true] {
            for records in [false, true] {
                for framing in [
                    Framing::Stream,
                    Framing::Block,
                    Framing::Deflate { level: 6 },
                ] {
                    all.push(Encoding {
                        ascii,
                        records,
                        framing,
                    });
                }
            }
        }
        all
    }

    #[test]
    fn records_and_blocks_stand_as_rfc_959_has_them() {
        let mut encoding = Encoding::PLAIN;
        encoding.records = true;
        assert_eq!(
            encode(encoding, b"a\n\xff\nb", 100),
            b"a\xff\x01\xff\xff\xff\x01b\xff\x02"
        );
        encoding.framing = Framing::Block;
        assert_eq!(
            encode(encoding, b"a\n\nb", 100),
            b"\x80\0\x01a\x80\0\0\0\0\x01b\x40\0\0"
        );
        encoding.records = false;
        assert_eq!(encode(encoding, b"a\n", 100), b"\0\0\x02a\n\x40\0\0");
        // A restart marker is skipped, an end may stand on a block with content.
        let wire = b"\x10\0\x02xx\0\0\x01a\x40\0\x01b\0\0\x01c";
        assert_eq!(decode(encoding, wire, 2), Ok(b"ab".to_vec()));
    }

    #[test]
    fn a_connection_cut_before_the_end_is_no_success() {
        for encoding in all() {
            let wire = encode(encoding, b"one\ntwo\n", 3);
            let cut = decode(encoding, &wire[..wire.len() - 1], 5);
            if encoding.marks_end() {
                assert_eq!(cut, Err(DecodeError::Cut), "{encoding:?}");
            }
        }
    }

    #[test]
    fn a_bomb_comes_out_in_bounded_pieces() {
        let encoding = Encoding {
            framing: Framing::Deflate { level: 9 },
            ..Encoding::PLAIN
        };
        let wire = encode(encoding, &vec![0; 20_000_000], 1_000_000);
        assert!(wire.len() < 50_000);
        let (mut decoder, mut out, mut total) = (Decoder::new(encoding), Vec::new(), 0);
        let mut input = wire.as_slice();
        loop {
            out.clear();
            let progress = decoder.decode(&mut input, &mut out).unwrap();
            assert!(out.len() <= 2 * MAX_DECODED_BYTES);
            total += out.len();
            if progress == Progress::Ended {
                break;
            }
        }
        assert_eq!(total, 20_000_000);
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(
            bytes in prop::collection::vec(prop::sample::select(&b"\n\xffab"[..]), 0..200),
            cut in 1_usize..40,
            size in 1_usize..40,
        ) {
            for encoding in all() {
                let wire = encode(encoding, &bytes, cut);
                prop_assert_eq!(decode(encoding, &wire, size), Ok(bytes.clone()), "{:?}", encoding);
            }
        }

        #[test]
        fn foreign_bytes_are_read_without_panic(wire in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..40) {
            for encoding in all() {
                let plain = decode(encoding, &wire, size).is_ok_and(|read| read == wire);
                prop_assert!(plain || !encoding.is_plain());
            }
        }
    }
}
