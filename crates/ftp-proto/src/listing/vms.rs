//! The form of OpenVMS: `NAME.TXT;1  12/15  14-NOV-2022 12:34:56  [GROUP,OWNER]  (RWED,RWED,RE,)`.
//! Read only.
//!
//! Long names stand alone on their line, the rest follows on the next one. The size is in blocks of
//! 512 bytes, so the number of bytes is not known. Versions (`;1`) belong to the name.

use super::{Entry, Kind, next_word};
use crate::address::parse_number;
use crate::time::{MONTHS, Timestamp};

/// Reads one whole line, without its end; `None` if it does not have this form.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Entry> {
    let (name, rest) = next_word(line)?;
    let name = parse_name(name)?;
    let (size, after_size) = next_word(rest)?;
    // Without the right to look, the size is a text in place of all columns.
    let (day, clock, rest) = if is_blocks(size) {
        let (day, rest) = next_word(after_size)?;
        let (clock, rest) = next_word(rest).unwrap_or((b"", b""));
        (day, clock, rest)
    } else {
        let (clock, rest) = next_word(after_size).unwrap_or((b"", b""));
        (size, clock, rest)
    };
    let mut entry = entry(name);
    entry.modified = Some(parse_moment(day, clock)?);
    let owner = rest.trim_ascii_start();
    if let Some(inner) = owner.strip_prefix(b"[")
        && let Some(end) = inner.iter().position(|&byte| byte == b']')
    {
        let inner = inner.get(..end)?;
        let mut parts = inner.splitn(2, |&byte| byte == b',');
        let first = parts.next().map(<[u8]>::to_vec);
        match parts.next() {
            Some(owner) => {
                entry.group = first;
                entry.owner = Some(owner.to_vec());
            }
            None => entry.owner = first,
        }
    }
    Some(entry)
}

/// Whether this line is a name alone, so that the next one continues it.
#[must_use]
pub fn is_name_alone(line: &[u8]) -> bool {
    !line.starts_with(b" ") && parse_name(line.trim_ascii_end()).is_some()
}

/// Whether this line stands around the entries: `Directory …`, `Total of …`, `Grand total of …`.
#[must_use]
pub fn is_frame(line: &[u8]) -> bool {
    [&b"Directory "[..], b"Total of ", b"Grand total of "]
        .iter()
        .any(|start| line.starts_with(start) && !line.contains(&b';'))
}

/// A name with type and version; the version is what tells this form from all others.
fn parse_name(word: &[u8]) -> Option<&[u8]> {
    let semicolon = word.iter().rposition(|&byte| byte == b';')?;
    let (name, version) = word.split_at_checked(semicolon)?;
    let version: Option<u32> = parse_number(version.get(1..)?);
    let fits = !name.is_empty() && !word.contains(&b' ') && name.contains(&b'.');
    version.filter(|_| fits).map(|_| word)
}

fn entry(word: &[u8]) -> Entry {
    let dot_dir = word
        .windows(5)
        .rposition(|window| window.eq_ignore_ascii_case(b".DIR;"));
    match dot_dir.and_then(|at| word.get(..at)) {
        // `X.DIR;1` is the directory X.
        Some(name) if !name.is_empty() => Entry::new(name, Kind::Directory),
        _ => Entry::new(word, Kind::File),
    }
}

fn is_blocks(word: &[u8]) -> bool {
    !word.is_empty()
        && word
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'/')
}

fn parse_moment(day: &[u8], clock: &[u8]) -> Option<Timestamp> {
    let mut fields = day.split(|&byte| byte == b'-');
    let (date, month, year) = (fields.next()?, fields.next()?, fields.next()?);
    let month = MONTHS
        .iter()
        .zip(1_u8..)
        .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(month))?
        .1;
    let mut clock = clock
        .split(|&byte| byte == b'.')
        .next()?
        .split(|&byte| byte == b':');
    let mut part = || clock.next().and_then(parse_number).unwrap_or(0);
    let (hour, minute, second) = (part(), part(), part());
    let year = parse_number(year)?;
    Timestamp::new(year, month, parse_number(date)?, hour, minute, second)
}
