//! The forms of IBM's systems: MVS (data sets and members) and OS/400. Read only.

use super::{Entry, Kind, next_word};
use crate::address::parse_number;
use crate::time::Timestamp;

/// What the columns of an MVS listing are, as its first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MvsColumns {
    /// `Volume Unit Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname`.
    DataSets,
    /// `Name VV.MM Created Changed Size Init Mod Id`: the members of a partitioned data set.
    Members,
}

/// Reads the line that names the columns.
#[must_use]
pub fn mvs_header(line: &[u8]) -> Option<MvsColumns> {
    let words: Vec<&[u8]> = words(line).collect();
    match words.as_slice() {
        [b"Volume", b"Unit", .., b"Dsname"] => Some(MvsColumns::DataSets),
        [b"Name", b"VV.MM", b"Created", b"Changed", ..] | [b"Name", b"Size", b"TTR", ..] => {
            Some(MvsColumns::Members)
        }
        _ => None,
    }
}

/// Reads one line of MVS; `None` if it does not have this form. Sizes in bytes are not known there.
#[must_use]
pub fn mvs(line: &[u8], columns: MvsColumns) -> Option<Entry> {
    let found: Vec<&[u8]> = words(line).collect();
    let name = found.last()?;
    match (columns, found.as_slice()) {
        (MvsColumns::DataSets, [b"Migrated" | b"ARCIVE", ..]) => Some(file(name)),
        (MvsColumns::DataSets, [b"Pseudo", b"Directory", _]) => {
            Some(Entry::new(*name, Kind::Directory))
        }
        (MvsColumns::DataSets, [_, _, referred, .., organisation, _]) if found.len() >= 6 => {
            let mut entry = match *organisation {
                // Partitioned: a directory of members.
                b"PO" | b"PO-E" => Entry::new(*name, Kind::Directory),
                b"PS" | b"DA" | b"VS" | b"VSAM" | b"PATH" => file(name),
                _ => return None,
            };
            entry.modified = date_by_slashes(referred, b"");
            Some(entry)
        }
        (MvsColumns::Members, [name, version, _, day, clock, ..])
            if version.iter().all(|b| b.is_ascii_digit() || *b == b'.') =>
        {
            let mut entry = file(name);
            entry.modified = Some(date_by_slashes(day, clock)?);
            Some(entry)
        }
        // Members without statistics are a name alone.
        (MvsColumns::Members, [name]) => Some(file(name)),
        _ => None,
    }
}

/// Reads one line of OS/400: `OWNER 77824 02/23/00 15:09:55 *DIR QOpenSys/`; `None` if it does not
/// have this form.
#[must_use]
pub fn os400(line: &[u8]) -> Option<Entry> {
    let (owner, rest) = next_word(line)?;
    let (second, after) = next_word(rest)?;
    let mut entry;
    if second.starts_with(b"*") {
        // Members come without size and date.
        entry = of_type(second, after)?;
    } else {
        let size = parse_number(second)?;
        let (day, after) = next_word(after)?;
        let (clock, after) = next_word(after)?;
        let (kind, name) = next_word(after)?;
        entry = of_type(kind, name)?;
        entry.modified = Some(date_by_slashes(day, clock)?);
        entry.size = Some(size).filter(|_| entry.kind == Kind::File);
    }
    entry.owner = Some(owner.to_vec());
    Some(entry)
}

fn of_type(kind: &[u8], name: &[u8]) -> Option<Entry> {
    let name = name.trim_ascii();
    let (name, slash) = match name.strip_suffix(b"/") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let is_type = kind.len() > 1 && kind.starts_with(b"*");
    if name.is_empty() || !is_type {
        return None;
    }
    Some(match kind {
        b"*DIR" | b"*DDIR" | b"*LIB" | b"*FLR" => Entry::new(name, Kind::Directory),
        // A physical file is a directory of members, and says so by its slash.
        b"*FILE" if slash => Entry::new(name, Kind::Directory),
        b"*STMF" | b"*DSTMF" | b"*FILE" | b"*MEM" | b"*DOC" => file(name),
        b"*SYMLNK" => Entry::new(name, Kind::Link { target: None }),
        _ => Entry::new(name, Kind::Other),
    })
}

fn file(name: &[u8]) -> Entry {
    Entry::new(name, Kind::File)
}

/// `2002/10/11`, or `02/23/00` (month first) with years of two digits from 1970 to 2069; the time
/// of day may be missing.
fn date_by_slashes(day: &[u8], clock: &[u8]) -> Option<Timestamp> {
    let mut fields = day.split(|&byte| byte == b'/');
    let (first, second, third) = (fields.next()?, fields.next()?, fields.next()?);
    let (year, month, date) = if first.len() == 4 {
        (parse_number(first)?, second, third)
    } else {
        let short: u16 = parse_number(third)?;
        let year = match short {
            0..70 => 2000 + short,
            70..100 => 1900 + short,
            whole => whole,
        };
        (year, first, second)
    };
    let mut clock = clock.split(|&byte| byte == b':');
    let mut part = || clock.next().and_then(parse_number).unwrap_or(0);
    let (hour, minute, second) = (part(), part(), part());
    Timestamp::new(
        year,
        parse_number(month)?,
        parse_number(date)?,
        hour,
        minute,
        second,
    )
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
}
