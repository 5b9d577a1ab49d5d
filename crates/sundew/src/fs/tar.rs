//! Reading tar archives: ustar, with GNU's and pax's long names; tar(5).

use std::io::{self, Read};

use sundew_vfs::{Attributes, FileType, Timestamp};

/// One member.
pub(super) struct Entry {
    /// Absolute, without `.`, `..` or doubled slashes.
    pub(super) path: Vec<u8>,
    pub(super) attributes: Attributes,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    File(Vec<u8>),
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    Special(FileType, (u32, u32)),
}

/// Names that apply to the next member only.
#[derive(Default)]
struct Long {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Hands every member over, to the end of the archive.
pub(super) fn read(mut from: impl Read, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
    let mut long = Long::default();
    loop {
        let mut head = [0; BLOCK];
        if !fill(&mut from, &mut head)? || head.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let header = Header(&head);
        if !header.is_sound() {
            return Err(bad("not a tar archive, or a damaged one"));
        }
        let size = match long.size.take() {
            Some(size) => size,
            None => header.number(124, 12)?,
        };
        let kind = head[156];
        match kind {
            b'L' => long.path = Some(until_nul(body(&mut from, size, MAX_META_BYTES)?)),
            b'K' => long.target = Some(until_nul(body(&mut from, size, MAX_META_BYTES)?)),
            b'x' => pax(&body(&mut from, size, MAX_META_BYTES)?, &mut long),
            b'g' => drop(body(&mut from, size, MAX_META_BYTES)?),
            _ => {
                let data = match kind {
                    b'0' | 0 | b'7' => body(&mut from, size, MAX_FILE_BYTES)?,
                    _ => Vec::new(),
                };
                let name = long.path.take().unwrap_or_else(|| header.path());
                let target = long.target.take().unwrap_or_else(|| header.text(157, 100));
                if let Some(path) = absolute(&name) {
                    let attributes = header.attributes()?;
                    if let Some(kind) = header.kind(data, target)? {
                        each(Entry {
                            path,
                            attributes,
                            kind,
                        });
                    }
                }
            }
        }
    }
}

struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    fn field(&self, at: usize, len: usize) -> &[u8] {
        self.0.get(at..at + len).unwrap_or_default()
    }

    fn text(&self, at: usize, len: usize) -> Vec<u8> {
        until_nul(self.field(at, len).to_vec())
    }

    /// Octal digits, or GNU's base 256 with the high bit set.
    fn number(&self, at: usize, len: usize) -> io::Result<u64> {
        let field = self.field(at, len);
        if field.first().is_some_and(|byte| byte & 0x80 != 0) {
            let digits = field
                .get(field.len().saturating_sub(8)..)
                .unwrap_or_default();
            return Ok(digits
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
        }
        let text: String = field
            .iter()
            .map(|&byte| char::from(byte))
            .filter(char::is_ascii_digit)
            .collect();
        if text.is_empty() {
            return Ok(0);
        }
        u64::from_str_radix(&text, 8).map_err(|_| bad("a field is not a number"))
    }

    /// The sum of the header's bytes, its own field counted as blanks.
    fn is_sound(&self) -> bool {
        let sum: u64 = (0..)
            .zip(self.0)
            .map(|(at, &byte)| {
                if (148..156).contains(&at) {
                    32
                } else {
                    u64::from(byte)
                }
            })
            .sum();
        self.number(148, 8).is_ok_and(|told| told == sum)
    }

    fn path(&self) -> Vec<u8> {
        let name = self.text(0, 100);
        let prefix = self.text(345, 155);
        if self.field(257, 5) == b"ustar"
            && self.field(257, 8) != b"ustar  \0"
            && !prefix.is_empty()
        {
            [prefix.as_slice(), b"/", &name].concat()
        } else {
            name
        }
    }

    fn attributes(&self) -> io::Result<Attributes> {
        let word = |at, len| Ok::<_, io::Error>(u32::try_from(self.number(at, len)?).unwrap_or(0));
        Ok(Attributes {
            mode: u16::try_from(self.number(100, 8)? & 0o7777).unwrap_or(0),
            uid: word(108, 8)?,
            gid: word(116, 8)?,
            mtime: Timestamp {
                secs: i64::try_from(self.number(136, 12)?).unwrap_or(0),
                nanos: 0,
            },
        })
    }

    fn kind(&self, data: Vec<u8>, target: Vec<u8>) -> io::Result<Option<Kind>> {
        let rdev = || {
            let word = |at| self.number(at, 8).map(|n| u32::try_from(n).unwrap_or(0));
            Ok::<_, io::Error>((word(329)?, word(337)?))
        };
        Ok(Some(match self.0[156] {
            b'0' | 0 | b'7' => Kind::File(data),
            b'1' => match absolute(&target) {
                Some(first) => Kind::HardLink(first),
                None => return Ok(None),
            },
            b'2' if target.is_empty() => return Ok(None),
            b'2' => Kind::Symlink(target),
            b'3' => Kind::Special(FileType::CharDevice, rdev()?),
            b'4' => Kind::Special(FileType::BlockDevice, rdev()?),
            b'5' => Kind::Directory,
            b'6' => Kind::Special(FileType::Fifo, (0, 0)),
            _ => return Ok(None),
        }))
    }
}

/// `LEN KEY=VALUE\n` records.
fn pax(mut text: &[u8], long: &mut Long) {
    while let Some(blank) = text.iter().position(|&byte| byte == b' ') {
        let digits = std::str::from_utf8(text.get(..blank).unwrap_or_default());
        let Some(len) = digits.ok().and_then(|digits| digits.parse::<usize>().ok()) else {
            return;
        };
        let Some((record, rest)) = text.split_at_checked(len).filter(|_| len > blank) else {
            return;
        };
        text = rest;
        let record = record.get(blank + 1..).unwrap_or_default();
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        let Some(equals) = record.iter().position(|&byte| byte == b'=') else {
            continue;
        };
        let (key, value) = record.split_at(equals);
        let value = value.get(1..).unwrap_or_default();
        match key {
            b"path" => long.path = Some(value.to_vec()),
            b"linkpath" => long.target = Some(value.to_vec()),
            b"size" => {
                long.size = std::str::from_utf8(value)
                    .ok()
                    .and_then(|text| text.parse().ok());
            }
            _ => {}
        }
    }
}

/// The path as an image has it; `None` for the root and for what leads out of it.
fn absolute(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len() + 1);
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return None,
            part => {
                out.push(b'/');
                out.extend_from_slice(part);
            }
        }
    }
    (!out.is_empty()).then_some(out)
}

/// The data of a member and what fills its last block.
fn body(from: &mut impl Read, size: u64, most: u64) -> io::Result<Vec<u8>> {
    if size > most {
        return Err(bad("a member is larger than is taken"));
    }
    let mut data = Vec::new();
    let padded = size.next_multiple_of(BLOCK as u64);
    from.take(padded).read_to_end(&mut data)?;
    if (data.len() as u64) < padded {
        return Err(bad("the archive ends too early"));
    }
    data.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    Ok(data)
}

/// Fills the block; `false` at the end of the archive.
fn fill(from: &mut impl Read, block: &mut [u8; BLOCK]) -> io::Result<bool> {
    let count = from.take(BLOCK as u64).read(block)?;
    if count == 0 {
        return Ok(false);
    }
    // Pipes and decompressors give what they have.
    let rest = block.get_mut(count..).unwrap_or_default();
    from.read_exact(rest).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => bad("not a tar archive, or one that ends too early"),
        _ => error,
    })?;
    Ok(true)
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

const BLOCK: usize = 512;
/// Bytes of a long name or of pax records.
const MAX_META_BYTES: u64 = 1 << 20;
/// Bytes of one file: images hold servers, not their databases.
const MAX_FILE_BYTES: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_plain_or_none() {
        assert_eq!(absolute(b"./a//b/"), Some(b"/a/b".to_vec()));
        assert_eq!(absolute(b"a/../../etc"), None);
        assert_eq!(absolute(b"./"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_archive_or_an_error(bytes: Vec<u8>) {
            let _read = read(bytes.as_slice(), &mut |_| {});
        }
    }
}
