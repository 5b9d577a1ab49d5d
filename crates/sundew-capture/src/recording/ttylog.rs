//! The tty log format of User Mode Linux, which Cowrie's `playlog` plays.
//!
//! Records of a 24-byte little-endian header (`int32 op, uint32 tty, int32 length, int32 direction,
//! uint32 seconds, uint32 microseconds`), each followed by `length` bytes. The tty is always 0.
//! Window sizes have no place in it; they are in the asciicast of the same recording.

use sha2::{Digest as _, Sha256};
use sundew_events::{Sha256Sum, Timestamp};

/// Bytes of a record's header.
pub const HEADER_BYTES: usize = 24;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it records.
    pub op: Op<'a>,
    /// When.
    pub time: Timestamp,
}

/// What a record records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op<'a> {
    /// The recording begins.
    Open,
    /// The recording ends; what follows is not played.
    Close,
    /// Bytes passed.
    Write(Direction, &'a [u8]),
}

/// Which way bytes passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the attacker.
    Input,
    /// To the attacker.
    Output,
    /// The command of an exec request.
    Interact,
}

/// Bytes that do not continue as a tty log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotARecord;

impl<'a> Record<'a> {
    /// Appends the record. Data longer than a header can say (2 GiB) is cut there.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (op, direction, data): (u32, u32, &[u8]) = match self.op {
            Op::Open => (OP_OPEN, 0, &[]),
            Op::Close => (OP_CLOSE, 0, &[]),
            Op::Write(direction, data) => (OP_WRITE, direction.number(), data),
        };
        let length = i32::try_from(data.len()).unwrap_or(i32::MAX).unsigned_abs();
        let (seconds, micros) = self.time.split();
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        for word in [op, 0, length, direction, small(seconds), small(micros)] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(data.get(..length as usize).unwrap_or(data));
    }

    /// Reads one record; gives it and the rest, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`NotARecord`] if the bytes end within a record or hold an operation that is not written
    /// here.
    pub fn decode(bytes: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, NotARecord> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let (header, rest) = bytes.split_at_checked(HEADER_BYTES).ok_or(NotARecord)?;
        let mut words = header.chunks_exact(4).map(|word| {
            word.iter()
                .rev()
                .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
        });
        let mut word = || words.next().ok_or(NotARecord);
        let (op, _tty, length, direction) = (word()?, word()?, word()?, word()?);
        let (seconds, micros) = (word()?, word()?);
        let (data, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or(NotARecord)?;
        let op = match (op, direction) {
            (OP_OPEN, _) => Op::Open,
            (OP_CLOSE, _) => Op::Close,
            (OP_WRITE, 1) => Op::Write(Direction::Input, data),
            (OP_WRITE, 2) => Op::Write(Direction::Output, data),
            (OP_WRITE, 3) => Op::Write(Direction::Interact, data),
            _ => return Err(NotARecord),
        };
        let time = Timestamp::from_micros(u64::from(seconds) * 1_000_000 + u64::from(micros));
        Ok(Some((Self { op, time }, rest)))
    }
}

impl Direction {
    const fn number(self) -> u32 {
        match self {
            Self::Input => 1,
            Self::Output => 2,
            Self::Interact => 3,
        }
    }
}

/// The hash that names a recording: SHA-256 over everything written that is not output.
#[derive(Debug, Clone, Default)]
pub struct InputHash(Sha256);

impl InputHash {
    /// Adds a record to it.
    pub fn update(&mut self, op: Op<'_>) {
        if let Op::Write(Direction::Input | Direction::Interact, data) = op {
            self.0.update(data);
        }
    }

    /// The hash of all records so far.
    #[must_use]
    pub fn finish(self) -> Sha256Sum {
        Sha256Sum::from_bytes(self.0.finalize().into())
    }
}

const OP_OPEN: u32 = 1;
const OP_CLOSE: u32 = 2;
const OP_WRITE: u32 = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_we_write_we_read(
            kind in 0..5,
            data: Vec<u8>,
            micros in 0..u64::from(u32::MAX) * 1_000_000,
            after: Vec<u8>,
        ) {
            let op = match kind {
                0 => Op::Open,
                1 => Op::Close,
                2 => Op::Write(Direction::Input, &data),
                3 => Op::Write(Direction::Output, &data),
                _ => Op::Write(Direction::Interact, &data),
            };
            let record = Record { op, time: Timestamp::from_micros(micros) };
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            bytes.extend_from_slice(&after);
            prop_assert_eq!(Record::decode(&bytes), Ok(Some((record, &*after))));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let mut rest = &*bytes;
            while let Ok(Some((_, next))) = Record::decode(rest) {
                prop_assert!(next.len() < rest.len());
                rest = next;
            }
        }
    }

    #[test]
    fn a_header_has_the_layout_of_user_mode_linux() {
        let mut bytes = Vec::new();
        let time = Timestamp::from_micros(0x0102_0304 * 1_000_000 + 0x0506);
        Record {
            op: Op::Write(Direction::Output, b"hi"),
            time,
        }
        .encode(&mut bytes);
        let header = b"\x03\0\0\0\0\0\0\0\x02\0\0\0\x02\0\0\0\x04\x03\x02\x01\x06\x05\0\0";
        assert_eq!(bytes, [&header[..], b"hi"].concat());
    }

    #[test]
    fn a_record_cut_short_is_not_a_record() {
        let mut bytes = Vec::new();
        let time = Timestamp::from_micros(7);
        Record {
            op: Op::Write(Direction::Input, b"hello"),
            time,
        }
        .encode(&mut bytes);
        for length in 1..bytes.len() {
            assert_eq!(
                Record::decode(&bytes[..length]),
                Err(NotARecord),
                "{length}"
            );
        }
    }
}
