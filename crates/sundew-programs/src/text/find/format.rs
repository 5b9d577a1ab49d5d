//! `-printf` and `-ls`.

use sundew_kernel::Process;
use sundew_vfs::{FileType, Timestamp};

use super::evaluate::{base_name, parent};
use super::walk::Visit;
use crate::mode;
use crate::time::{Shown, Zone};
use crate::users::Directory;

/// What a format makes of a file.
pub(super) fn printf(
    proc: &Process,
    format: &[u8],
    visit: &Visit<'_>,
    users: &Directory,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = format.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => out.push(b'\n'),
                Some(b't') => out.push(b'\t'),
                Some(b'r') => out.push(b'\r'),
                Some(b'a') => out.push(7),
                Some(b'b') => out.push(8),
                Some(b'f') => out.push(12),
                Some(b'v') => out.push(11),
                Some(b'\\') => out.push(b'\\'),
                Some(b'c') => return out,
                Some(digit @ b'0'..=b'7') => {
                    let mut value = u32::from(digit - b'0');
                    for _ in 0..2 {
                        let Some(digit) = bytes.next_if(|byte| (b'0'..=b'7').contains(byte)) else {
                            break;
                        };
                        value = value * 8 + u32::from(digit - b'0');
                    }
                    out.extend(value.to_le_bytes().first());
                }
                Some(other) => out.extend_from_slice(&[b'\\', other]),
                None => out.push(b'\\'),
            },
            b'%' => {
                let mut flags = String::new();
                while let Some(flag) = bytes
                    .next_if(|byte| matches!(byte, b'-' | b'0'..=b'9' | b'.' | b'#' | b'+' | b' '))
                {
                    flags.push(char::from(flag));
                }
                let Some(directive) = bytes.next() else {
                    out.push(b'%');
                    break;
                };
                let second = matches!(directive, b'T' | b'A' | b'C' | b'B')
                    .then(|| bytes.next())
                    .flatten();
                let text = directive_text(proc, directive, second, visit, users);
                // Only numbers are filled up with zeros.
                let zeros = matches!(directive, b'd' | b'm');
                padded(&mut out, &text, &flags, zeros);
            }
            byte => out.push(byte),
        }
    }
    out
}

fn padded(out: &mut Vec<u8>, text: &[u8], flags: &str, zeros: bool) {
    let left = flags.contains('-');
    let digits: String = flags
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    let width: usize = digits.parse().unwrap_or(0);
    let missing = width.min(4096).saturating_sub(text.len());
    let fill = if zeros && digits.starts_with('0') && !left {
        b'0'
    } else {
        b' '
    };
    if left {
        out.extend_from_slice(text);
        out.resize(out.len() + missing, b' ');
    } else {
        out.resize(out.len() + missing, fill);
        out.extend_from_slice(text);
    }
}

fn directive_text(
    proc: &Process,
    directive: u8,
    second: Option<u8>,
    visit: &Visit<'_>,
    users: &Directory,
) -> Vec<u8> {
    let metadata = visit.metadata;
    let number = |value: u64| value.to_string().into_bytes();
    match directive {
        b'%' => b"%".to_vec(),
        b'p' => visit.path.to_vec(),
        b'P' => {
            let rest = visit.path.get(visit.operand..).unwrap_or_default();
            rest.strip_prefix(b"/").unwrap_or(rest).to_vec()
        }
        b'H' => visit.path.get(..visit.operand).unwrap_or_default().to_vec(),
        b'f' => base_name(visit.path).to_vec(),
        b'h' => parent(visit.path).to_vec(),
        b's' => number(metadata.size),
        b'b' => number(metadata.blocks),
        b'k' => number(metadata.blocks.div_ceil(2)),
        b'd' => number(visit.depth),
        b'D' => number(metadata.dev),
        b'i' => number(metadata.ino.number()),
        b'n' => number(u64::from(metadata.nlink)),
        b'm' => format!("{:o}", metadata.mode & 0o7777).into_bytes(),
        b'M' => mode::letters(metadata).into_bytes(),
        b'u' => users.user_text(metadata.uid),
        b'g' => users.group_text(metadata.gid),
        b'U' => number(u64::from(metadata.uid)),
        b'G' => number(u64::from(metadata.gid)),
        b'l' if metadata.file_type == FileType::Symlink => {
            proc.read_link(visit.path).unwrap_or_default()
        }
        b'l' => Vec::new(),
        b'y' => vec![type_letter(metadata.file_type)],
        b'Y' => match proc.stat(visit.path) {
            Ok(other) => vec![type_letter(other.file_type)],
            Err(_) => b"N".to_vec(),
        },
        b'F' => {
            let path = proc.absolute(visit.path);
            let mounts = proc.mounts();
            let under = mounts
                .iter()
                .filter(|mount| path.starts_with(&mount.target));
            under
                .max_by_key(|mount| mount.target.len())
                .map(|mount| mount.fs_type.to_vec())
                .unwrap_or_default()
        }
        b'S' => b"1".to_vec(),
        b't' => moment(metadata.mtime, None),
        b'a' => moment(metadata.atime, None),
        b'c' => moment(metadata.ctime, None),
        b'T' => moment(metadata.mtime, second),
        b'A' => moment(metadata.atime, second),
        b'C' => moment(metadata.ctime, second),
        other => vec![b'%', other],
    }
}

fn moment(moment: Timestamp, letter: Option<u8>) -> Vec<u8> {
    let shown = Shown::new(moment, &Zone::utc());
    let nanos = format!("{:09}0", moment.nanos);
    match letter {
        None => [
            &shown.format(b"%a %b %e %H:%M:%S."),
            nanos.as_bytes(),
            &shown.format(b" %Y"),
        ]
        .concat(),
        Some(b'@') => format!("{}.{nanos}", moment.secs).into_bytes(),
        Some(b'S') => [&shown.format(b"%S"), b".".as_slice(), nanos.as_bytes()].concat(),
        Some(b'T') => [
            &shown.format(b"%H:%M:%S"),
            b".".as_slice(),
            nanos.as_bytes(),
        ]
        .concat(),
        Some(b'+') => [
            &shown.format(b"%Y-%m-%d+%H:%M:%S"),
            b".".as_slice(),
            nanos.as_bytes(),
        ]
        .concat(),
        Some(letter) => shown.format(&[b'%', letter]),
    }
}

fn type_letter(file_type: FileType) -> u8 {
    match file_type {
        FileType::Regular => b'f',
        FileType::Directory => b'd',
        FileType::Symlink => b'l',
        FileType::CharDevice => b'c',
        FileType::BlockDevice => b'b',
        FileType::Fifo => b'p',
        FileType::Socket => b's',
    }
}

/// A line as `ls -dils` would show it.
pub(super) fn listing(proc: &Process, visit: &Visit<'_>, users: &Directory) -> Vec<u8> {
    /// Half a year, after which the year is shown instead of the time.
    const RECENT: i64 = 15_778_476;
    let metadata = visit.metadata;
    let shown = Shown::new(metadata.mtime, &Zone::utc());
    let age = proc.now().secs - metadata.mtime.secs;
    let time = if (0..RECENT).contains(&age) {
        shown.format(b"%b %e %H:%M")
    } else {
        shown.format(b"%b %e  %Y")
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let size = match metadata.file_type {
        FileType::CharDevice | FileType::BlockDevice => {
            format!("{:>3}, {:>3}", metadata.rdev.0, metadata.rdev.1)
        }
        _ => format!("{:>8}", metadata.size),
    };
    let front = format!(
        "{:>9} {:>6} {} {:>3} {:<8} {:<8} {size} ",
        metadata.ino.number(),
        metadata.blocks.div_ceil(2),
        mode::letters(metadata),
        metadata.nlink,
        text(users.user_text(metadata.uid)),
        text(users.group_text(metadata.gid)),
    );
    let mut line = [front.as_bytes(), &time, b" ", visit.path].concat();
    if metadata.file_type == FileType::Symlink {
        line.extend_from_slice(b" -> ");
        line.extend_from_slice(&proc.read_link(visit.path).unwrap_or_default());
    }
    line.push(b'\n');
    line
}
