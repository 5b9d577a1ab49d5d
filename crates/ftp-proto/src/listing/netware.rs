//! The forms of NetWare, `d [R----F--] owner 512 Jan 16 18:53 name`, and of EPLF,
//! `+i8388621.48594,m825718503,r,s280,<TAB>name`. Read only.

use super::{Entry, Kind, next_word, unix};
use crate::address::parse_number;
use crate::time::Timestamp;

/// Reads one line of NetWare; `None` if it does not have this form.
#[must_use]
pub fn parse(line: &[u8], now: Timestamp) -> Option<Entry> {
    let (letter, rest) = next_word(line)?;
    let kind = match letter {
        b"d" => Kind::Directory,
        b"-" => Kind::File,
        _ => return None,
    };
    let rest = rest.trim_ascii_start().strip_prefix(b"[")?;
    let end = rest.iter().position(|&byte| byte == b']')?;
    let (rights, rest) = rest.split_at_checked(end)?;
    if !rights
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b' '))
    {
        return None;
    }
    let (owner, rest) = next_word(rest.get(1..)?)?;
    let (size, rest) = next_word(rest)?;
    let size = parse_number(size)?;
    let (modified, name) = unix::parse_date(rest, now)?;
    // Blanks before the name vary, its own are lost.
    let name = name.trim_ascii_start();
    if name.is_empty() {
        return None;
    }
    let mut entry = Entry::new(name, kind);
    entry.size = Some(size).filter(|_| entry.kind == Kind::File);
    entry.owner = Some(owner.to_vec());
    entry.modified = Some(modified);
    Some(entry)
}

/// Reads one line of EPLF; `None` if it does not have this form.
#[must_use]
pub fn parse_eplf(line: &[u8]) -> Option<Entry> {
    let line = line.strip_prefix(b"+")?;
    let tab = line.iter().position(|&byte| byte == b'\t')?;
    let (facts, name) = line.split_at_checked(tab)?;
    let name = name.get(1..).filter(|name| !name.is_empty())?;
    let mut entry = Entry::new(name, Kind::Other);
    for fact in facts.split(|&byte| byte == b',') {
        match fact {
            [b'r'] => entry.kind = Kind::File,
            b"/" => entry.kind = Kind::Directory,
            [b's', size @ ..] => entry.size = parse_number(size),
            [b'm', time @ ..] => {
                entry.modified = parse_number::<u32>(time)
                    .map(|seconds| Timestamp::from_unix(i64::from(seconds)));
            }
            [b'i', identity @ ..] if !identity.is_empty() => {
                entry.unique = Some(identity.to_vec());
            }
            _ => {}
        }
    }
    Some(entry)
}
