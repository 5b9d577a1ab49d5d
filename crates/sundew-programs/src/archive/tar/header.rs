//! Headers of members: ustar, with GNU's long names and POSIX's path records read.

use sundew_vfs::Timestamp;

/// Size of a header and of what members are padded to.
pub(super) const BLOCK: usize = 512;

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: usize,
    pub(super) mtime: Timestamp,
    pub(super) kind: u8,
    pub(super) link: Vec<u8>,
    pub(super) user: Vec<u8>,
    pub(super) group: Vec<u8>,
}

/// What a block turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    Member(Member),
    /// Zeros: the archive ends.
    End,
    /// Anything else.
    Garbage,
}

fn field(block: &[u8], at: usize, length: usize) -> &[u8] {
    let bytes = block.get(at..at + length).unwrap_or_default();
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn octal(block: &[u8], at: usize, length: usize) -> u64 {
    let bytes = block.get(at..at + length).unwrap_or_default();
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        // GNU's base 256, of which the last eight bytes are enough.
        let tail = bytes
            .get(bytes.len().saturating_sub(8)..)
            .unwrap_or_default();
        return tail
            .iter()
            .fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
    }
    let digits = bytes
        .iter()
        .skip_while(|byte| **byte == b' ')
        .take_while(|byte| (b'0'..=b'7').contains(*byte));
    digits.fold(0u64, |value, digit| {
        value.wrapping_mul(8).wrapping_add(u64::from(digit - b'0'))
    })
}

fn checksum(block: &[u8]) -> u64 {
    // The checksum's own field counts as blanks.
    block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u64::from(*byte)
            }
        })
        .sum()
}

/// How long an archive is without the zeros at its end.
pub(super) fn length(archive: &[u8]) -> usize {
    let mut at = 0;
    while let Some(block) = archive.get(at..at + BLOCK)
        && let Block::Member(member) = read(block)
    {
        let size = if matches!(member.kind, b'1' | b'2' | b'5') {
            0
        } else {
            member.size
        };
        at = at.saturating_add(BLOCK + size.div_ceil(BLOCK) * BLOCK);
    }
    at.min(archive.len())
}

/// Reads one block.
pub(super) fn read(block: &[u8]) -> Block {
    if block.iter().all(|byte| *byte == 0) {
        return Block::End;
    }
    if block.len() < BLOCK || octal(block, 148, 8) != checksum(block) {
        return Block::Garbage;
    }
    let mut name = field(block, 0, 100).to_vec();
    let prefix = field(block, 345, 155);
    if field(block, 257, 6) == b"ustar" && !prefix.is_empty() {
        name = [prefix, b"/", &name].concat();
    }
    let small = |at: usize, length: usize| u32::try_from(octal(block, at, length)).unwrap_or(0);
    Block::Member(Member {
        name,
        mode: u16::try_from(octal(block, 100, 8) & 0o7777).unwrap_or(0),
        uid: small(108, 8),
        gid: small(116, 8),
        size: usize::try_from(octal(block, 124, 12)).unwrap_or(usize::MAX),
        mtime: Timestamp {
            secs: i64::try_from(octal(block, 136, 12)).unwrap_or(0),
            nanos: 0,
        },
        kind: block.get(156).copied().unwrap_or(b'0'),
        link: field(block, 157, 100).to_vec(),
        user: field(block, 265, 32).to_vec(),
        group: field(block, 297, 32).to_vec(),
    })
}

/// Writes a header, with GNU's long name before it if need be.
pub(super) fn write(member: &Member, out: &mut Vec<u8>) {
    for (kind, text) in [(b'K', &member.link), (b'L', &member.name)] {
        if text.len() > 100 {
            let mut long = member.clone();
            (long.name, long.kind, long.size, long.link) =
                (b"././@LongLink".to_vec(), kind, text.len() + 1, Vec::new());
            one(&long, out);
            out.extend_from_slice(text);
            out.push(0);
            pad(out);
        }
    }
    one(member, out);
}

/// Fills the last block.
pub(super) fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().div_ceil(BLOCK) * BLOCK, 0);
}

fn one(member: &Member, out: &mut Vec<u8>) {
    let mut block = vec![0; BLOCK];
    let mut put = |at: usize, length: usize, bytes: &[u8]| {
        for (place, byte) in block.iter_mut().skip(at).take(length).zip(bytes) {
            *place = *byte;
        }
    };
    let number = |value: u64, width: usize| format!("{value:0width$o}");
    put(0, 100, &member.name);
    put(100, 8, number(u64::from(member.mode), 7).as_bytes());
    put(108, 8, number(u64::from(member.uid), 7).as_bytes());
    put(116, 8, number(u64::from(member.gid), 7).as_bytes());
    put(124, 12, number(member.size as u64, 11).as_bytes());
    put(
        136,
        12,
        number(u64::try_from(member.mtime.secs).unwrap_or(0), 11).as_bytes(),
    );
    put(156, 1, &[member.kind]);
    put(157, 100, &member.link);
    put(257, 8, b"ustar  ");
    put(265, 31, &member.user);
    put(297, 31, &member.group);
    let sum = format!("{:06o}\0 ", checksum(&block));
    for (place, byte) in block.iter_mut().skip(148).zip(sum.bytes()) {
        *place = byte;
    }
    out.extend_from_slice(&block);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let member = Member {
            name: b"d/f".to_vec(),
            mode: 0o644,
            uid: 0,
            gid: 5,
            size: 3,
            mtime: Timestamp {
                secs: 1_700_000_000,
                nanos: 0,
            },
            kind: b'0',
            link: Vec::new(),
            user: b"root".to_vec(),
            group: b"tty".to_vec(),
        };
        let mut out = Vec::new();
        write(&member, &mut out);
        assert_eq!(out.len(), BLOCK);
        assert_eq!(read(&out), Block::Member(member));
        assert_eq!(read(&[0; BLOCK]), Block::End);
        assert_eq!(read(&[1; BLOCK]), Block::Garbage);
    }
}
