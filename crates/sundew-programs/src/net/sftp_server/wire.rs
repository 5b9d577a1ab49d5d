//! SFTP's packets, version 3: draft-ietf-secsh-filexfer-02 §3 to §7.

use sundew_kernel::Errno;
use sundew_vfs::{FileType, Metadata};

pub(in crate::net) const INIT: u8 = 1;
pub(in crate::net) const VERSION: u8 = 2;
pub(in crate::net) const OPEN: u8 = 3;
pub(in crate::net) const CLOSE: u8 = 4;
pub(in crate::net) const READ: u8 = 5;
pub(in crate::net) const WRITE: u8 = 6;
pub(in crate::net) const LSTAT: u8 = 7;
pub(in crate::net) const FSTAT: u8 = 8;
pub(in crate::net) const SETSTAT: u8 = 9;
pub(in crate::net) const FSETSTAT: u8 = 10;
pub(in crate::net) const OPENDIR: u8 = 11;
pub(in crate::net) const READDIR: u8 = 12;
pub(in crate::net) const REMOVE: u8 = 13;
pub(in crate::net) const MKDIR: u8 = 14;
pub(in crate::net) const RMDIR: u8 = 15;
pub(in crate::net) const REALPATH: u8 = 16;
pub(in crate::net) const STAT: u8 = 17;
pub(in crate::net) const RENAME: u8 = 18;
pub(in crate::net) const READLINK: u8 = 19;
pub(in crate::net) const SYMLINK: u8 = 20;
pub(in crate::net) const STATUS: u8 = 101;
pub(in crate::net) const HANDLE: u8 = 102;
pub(in crate::net) const DATA: u8 = 103;
pub(in crate::net) const NAME: u8 = 104;
pub(in crate::net) const ATTRS: u8 = 105;
pub(in crate::net) const EXTENDED: u8 = 200;
pub(in crate::net) const EXTENDED_REPLY: u8 = 201;

const HAS_SIZE: u32 = 1;
const HAS_OWNER: u32 = 2;
pub(in crate::net) const HAS_MODE: u32 = 4;
pub(in crate::net) const HAS_TIMES: u32 = 8;
const HAS_MORE: u32 = 0x8000_0000;

/// The length that a packet at the start of `buffer` announces.
pub(in crate::net) fn announced(buffer: &[u8]) -> Option<usize> {
    let digits = buffer.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*digits)).ok()
}

/// Takes the next packet, without its length, off the buffer.
pub(in crate::net) fn packet(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = announced(buffer)?.checked_add(4)?;
    if end > crate::net::sftp_server::MAX_PACKET_BYTES + 4 || buffer.len() < end {
        return None;
    }
    let rest = buffer.split_off(end);
    let mut packet = std::mem::replace(buffer, rest);
    packet.drain(..4);
    Some(packet)
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net) enum Status {
    Ok,
    Eof,
    NoSuchFile,
    Denied,
    Failure,
    BadMessage,
    Unsupported,
}

impl From<Errno> for Status {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::Enoent | Errno::Enotdir | Errno::Ebadf | Errno::Eloop => Self::NoSuchFile,
            Errno::Eperm | Errno::Eacces | Errno::Efault => Self::Denied,
            Errno::Enametoolong | Errno::Einval => Self::BadMessage,
            _ => Self::Failure,
        }
    }
}

impl Status {
    pub(in crate::net) fn packet(self, id: u32) -> Vec<u8> {
        let (code, text) = match self {
            Self::Ok => (0, "Success"),
            Self::Eof => (1, "End of file"),
            Self::NoSuchFile => (2, "No such file"),
            // tidy-allow(errno-word): what OpenSSH calls the status on the wire
            Self::Denied => (3, "Permission denied"),
            Self::Failure => (4, "Failure"),
            Self::BadMessage => (5, "Bad message"),
            Self::Unsupported => (8, "Operation unsupported"),
        };
        let mut writer = Writer::answer(STATUS, id);
        writer.number(code);
        writer.string(text.as_bytes());
        writer.string(b"");
        writer.finish()
    }
}

/// What a request says of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::net) struct Attributes {
    pub(in crate::net) size: Option<u64>,
    pub(in crate::net) owner: Option<(u32, u32)>,
    pub(in crate::net) mode: Option<u16>,
    /// Read, written.
    pub(in crate::net) times: Option<(u32, u32)>,
}

/// Reads a packet from its start.
pub(in crate::net) struct Reader<'a>(pub(in crate::net) &'a [u8]);

impl Reader<'_> {
    pub(in crate::net) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(in crate::net) fn number(&mut self) -> Option<u32> {
        let (digits, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*digits))
    }

    pub(in crate::net) fn long(&mut self) -> Option<u64> {
        let (digits, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*digits))
    }

    pub(in crate::net) fn string(&mut self) -> Option<Vec<u8>> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text.to_vec())
    }

    pub(in crate::net) fn handle(&mut self) -> Option<u32> {
        let text = self.string()?;
        Some(
            text.first_chunk::<4>()
                .map_or(u32::MAX, |digits| u32::from_be_bytes(*digits)),
        )
    }

    pub(in crate::net) fn attributes(&mut self) -> Option<Attributes> {
        let flags = self.number()?;
        let has = |bit| flags & bit != 0;
        let mut attributes = Attributes::default();
        if has(HAS_SIZE) {
            attributes.size = Some(self.long()?);
        }
        if has(HAS_OWNER) {
            attributes.owner = Some((self.number()?, self.number()?));
        }
        if has(HAS_MODE) {
            attributes.mode = u16::try_from(self.number()? & 0xffff).ok();
        }
        if has(HAS_TIMES) {
            attributes.times = Some((self.number()?, self.number()?));
        }
        if has(HAS_MORE) {
            for _ in 0..self.number()?.min(16) {
                self.string()?;
                self.string()?;
            }
        }
        Some(attributes)
    }
}

/// Writes a packet.
pub(in crate::net) struct Writer(Vec<u8>);

impl Writer {
    pub(in crate::net) fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    /// Fields that go into another packet.
    pub(in crate::net) fn list() -> Self {
        Self(Vec::new())
    }

    pub(in crate::net) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(in crate::net) fn answer(kind: u8, id: u32) -> Self {
        let mut writer = Self::new(kind);
        writer.number(id);
        writer
    }

    pub(in crate::net) fn number(&mut self, number: u32) {
        self.0.extend(number.to_be_bytes());
    }

    pub(in crate::net) fn long(&mut self, number: u64) {
        self.0.extend(number.to_be_bytes());
    }

    pub(in crate::net) fn string(&mut self, text: &[u8]) {
        self.number(u32::try_from(text.len()).unwrap_or(0));
        self.0.extend_from_slice(text);
    }

    pub(in crate::net) fn attributes(&mut self, metadata: &Metadata) {
        let kind: u32 = match metadata.file_type {
            FileType::Directory => 0o040_000,
            FileType::Symlink => 0o120_000,
            FileType::CharDevice => 0o020_000,
            FileType::BlockDevice => 0o060_000,
            FileType::Fifo => 0o010_000,
            FileType::Socket => 0o140_000,
            FileType::Regular => 0o100_000,
        };
        self.number(HAS_SIZE | HAS_OWNER | HAS_MODE | HAS_TIMES);
        self.long(metadata.size);
        self.number(metadata.uid);
        self.number(metadata.gid);
        self.number(kind | u32::from(metadata.mode));
        for time in [metadata.atime, metadata.mtime] {
            self.number(u32::try_from(time.secs).unwrap_or(0));
        }
    }

    /// The packet with its length.
    pub(in crate::net) fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len().saturating_sub(4)).unwrap_or(0);
        if let Some(place) = self.0.first_chunk_mut::<4>() {
            *place = length.to_be_bytes();
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::answer(OPEN, 7);
        writer.string(b"/tmp/x");
        writer.number(26);
        writer.number(HAS_MODE);
        writer.number(0o100_755);
        let mut buffer = [writer.finish().as_slice(), b"\0\0"].concat();
        let whole = packet(&mut buffer).unwrap();
        assert_eq!(buffer, b"\0\0");
        let mut reader = Reader(&whole);
        assert_eq!((reader.byte(), reader.number()), (Some(OPEN), Some(7)));
        assert_eq!(reader.string().as_deref(), Some(b"/tmp/x".as_slice()));
        assert_eq!(reader.number(), Some(26));
        assert_eq!(reader.attributes().unwrap().mode, Some(0o100_755));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader(&bytes);
            while reader.string().is_some() {}
            let _any = Reader(&bytes).attributes();
            let _any = packet(&mut bytes.clone());
        }
    }
}
