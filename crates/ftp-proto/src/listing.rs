//! Directory listings: the entry, and its Unix, DOS, MLSx, VMS, NetWare, EPLF, MVS and OS/400 forms.
//!
//! The Unix form (that of `ls -l`) is a habit, not a standard; it and MLSx (RFC 3659 §7) are written
//! and read, the others are only read. A line that is none of them is reported,
//! never guessed. Names come as the server sent them: whether one may be *used* as a local name is
//! [`Entry::is_plain_name`].

pub mod dos;
pub mod glob;
pub mod mainframe;
pub mod mlsx;
pub mod netware;
mod reader;
pub mod unix;
pub mod vms;

pub use self::reader::Reader;

use crate::time::Timestamp;

/// One file, directory or link, with what is known about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The name, or in the reply to MLST the path.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: Option<u64>,
    /// Last change.
    pub modified: Option<Timestamp>,
    /// Creation.
    pub created: Option<Timestamp>,
    /// Permission bits, at most `0o7777`.
    pub mode: Option<u16>,
    /// Number of links.
    pub links: Option<u64>,
    /// Owner, a name or a number.
    pub owner: Option<Vec<u8>>,
    /// Group, a name or a number.
    pub group: Option<Vec<u8>>,
    /// Equal for two names of the same file. RFC 3659 §7.5.2.
    pub unique: Option<Vec<u8>>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// The listed directory itself.
    Current,
    /// Its parent.
    Parent,
    /// A symbolic link.
    Link {
        /// Where it points, if that is said.
        target: Option<Vec<u8>>,
    },
    /// A device, pipe, socket or what only the server knows.
    Other,
}

/// What one line of a listing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// An entry.
    Entry(Entry),
    /// `total 8`, or a blank line.
    Filler,
    /// None of the forms; to be counted, not to be fatal.
    Unknown,
}

impl Entry {
    /// An entry of which only name and kind are known.
    #[must_use]
    pub fn new(name: impl Into<Vec<u8>>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            size: None,
            modified: None,
            created: None,
            mode: None,
            links: None,
            owner: None,
            group: None,
            unique: None,
        }
    }

    /// Whether the name is one path component that stays in its directory on any system.
    ///
    /// Refuses `.`, `..`, separators of Unix and Windows, drive letters, control characters
    /// (CVE-2010-2251, CVE-2010-2252, CVE-2026-27699: names a server gave, used as they were).
    #[must_use]
    pub fn is_plain_name(&self) -> bool {
        let name = self.name.as_slice();
        let drive = matches!(name, [letter, b':', ..] if letter.is_ascii_alphabetic());
        !matches!(name, b"" | b"." | b"..")
            && !drive
            && !name
                .iter()
                .any(|&byte| matches!(byte, b'/' | b'\\' | 0x7f) || byte < b' ')
    }
}

/// Reads one line of the reply to LIST, without its end, in whichever form it is.
///
/// `now` gives the year to dates that come without one.
#[must_use]
pub fn parse_line(line: &[u8], now: Timestamp) -> Line {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_total = line.strip_prefix(b"total ").is_some_and(|rest| {
        rest.iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b' ')
    });
    if is_total || line.trim_ascii().is_empty() || vms::is_frame(line) {
        return Line::Filler;
    }
    unix::parse(line, now)
        .or_else(|| dos::parse(line))
        .or_else(|| dos::parse_os2(line))
        .or_else(|| netware::parse_eplf(line))
        .or_else(|| netware::parse(line, now))
        .or_else(|| vms::parse(line))
        .or_else(|| mainframe::os400(line))
        .map_or(Line::Unknown, Line::Entry)
}

/// Names go into lines; a line end within one must not make a second line.
fn push_name(name: &[u8], out: &mut Vec<u8>) {
    out.extend(name.iter().map(|&byte| match byte {
        b'\r' | b'\n' | 0 => b'?',
        other => other,
    }));
}

/// The next run of non-blanks and what follows it, blanks before the run skipped.
fn next_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let end = text
        .iter()
        .position(|&byte| byte == b' ')
        .unwrap_or(text.len());
    text.split_at_checked(end)
        .filter(|(word, _)| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_leave_their_directory_are_not_plain() {
        for name in ["", ".", "..", "a/b", "a\\b", "C:x", "a\nb", "\x7f"] {
            assert!(!Entry::new(name, Kind::File).is_plain_name(), "{name:?}");
        }
        for name in ["a", "...", ".ssh", "a b", "ä:x"] {
            assert!(Entry::new(name, Kind::File).is_plain_name(), "{name:?}");
        }
    }

    #[test]
    fn fillers_are_told_from_garbage() {
        let now = Timestamp::from_unix(0);
        assert_eq!(parse_line(b"total 12\r", now), Line::Filler);
        assert_eq!(parse_line(b"", now), Line::Filler);
        assert_eq!(parse_line(b"hello", now), Line::Unknown);
    }

    proptest! {
        #[test]
        fn foreign_lines_are_read_without_panic(
            line in "[-dl]?[rwxsStT-]{0,9}[+.]?( [0-9]{1,5}| [a-z]{1,8}| Jan| Feb 29| 12:34| 2024| <DIR>|  |->|,|[ -~]){0,12}",
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            crate::fuzz::listing(line.as_bytes());
            crate::fuzz::listing(&bytes);
        }
    }
}
