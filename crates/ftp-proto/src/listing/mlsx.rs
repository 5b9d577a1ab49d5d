//! The form of MLST and MLSD: `type=file;size=9; name`.
//!
//! RFC 3659 §7.2. Facts nobody knows are skipped, as §7.2 asks of clients; times are UTC.

use super::{Entry, Kind, push_name};
use crate::address::parse_number;
use crate::permission::{Right, Rights};
use crate::time::{Timestamp, push_number};

/// A fact we can write, with its name as FEAT and OPTS MLST spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// `type`.
    Type,
    /// `perm`.
    Perm,
    /// `size`.
    Size,
    /// `modify`.
    Modify,
    /// `create`.
    Create,
    /// `unique`.
    Unique,
    /// `unix.mode`, in octal; not of the RFC, but what clients read.
    UnixMode,
    /// `unix.uid`, or `UNIX.owner` where a name may stand as well.
    UnixOwner,
    /// `unix.gid`, or `UNIX.group` where a name may stand as well.
    UnixGroup,
}

impl Fact {
    /// All facts, in the order they are written.
    ///
    /// The first four stand as pyftpdlib has them: there are clients that look for just that.
    pub const ALL: [Self; 9] = [
        Self::Type,
        Self::Perm,
        Self::Size,
        Self::Modify,
        Self::Create,
        Self::Unique,
        Self::UnixMode,
        Self::UnixOwner,
        Self::UnixGroup,
    ];

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Size => "size",
            Self::Modify => "modify",
            Self::Create => "create",
            Self::Perm => "perm",
            Self::Unique => "unique",
            Self::UnixMode => "unix.mode",
            Self::UnixOwner => "unix.uid",
            Self::UnixGroup => "unix.gid",
        }
    }

    /// The fact with this name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        let aliases = [
            (&b"unix.owner"[..], Self::UnixOwner),
            (b"unix.group", Self::UnixGroup),
        ];
        Self::ALL
            .into_iter()
            .map(|fact| (fact.name().as_bytes(), fact))
            .chain(aliases)
            .find_map(|(known, fact)| known.eq_ignore_ascii_case(name).then_some(fact))
    }

    /// Appends `name=value;` if the value is known.
    fn write(self, entry: &Entry, rights: Rights, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.name().as_bytes());
        out.push(b'=');
        let is_known = match self {
            Self::Type => {
                out.extend_from_slice(match &entry.kind {
                    Kind::File => b"file",
                    Kind::Directory => b"dir",
                    Kind::Current => b"cdir",
                    Kind::Parent => b"pdir",
                    Kind::Link { .. } => b"OS.unix=symlink",
                    Kind::Other => b"OS.unix=special",
                });
                true
            }
            Self::Size => match (&entry.kind, entry.size) {
                // Of a directory it is what the file system says, as pyftpdlib gives it.
                (Kind::File | Kind::Directory | Kind::Current, Some(size)) => {
                    push_number(size, 1, b'0', out);
                    true
                }
                _ => false,
            },
            Self::Modify => push_time(entry.modified, out),
            Self::Create => push_time(entry.created, out),
            Self::Perm => {
                push_permitted(&entry.kind, rights, out);
                true
            }
            Self::Unique => push_value(entry.unique.as_deref(), out),
            Self::UnixMode => entry.mode.is_some_and(|mode| {
                out.extend(
                    [9, 6, 3, 0].map(|shift| b'0' + u8::try_from(mode >> shift & 7).unwrap_or(0)),
                );
                true
            }),
            Self::UnixOwner => push_value(entry.owner.as_deref(), out),
            Self::UnixGroup => push_value(entry.group.as_deref(), out),
        };
        if is_known {
            out.push(b';');
        } else {
            out.truncate(start);
        }
    }
}

fn push_time(time: Option<Timestamp>, out: &mut Vec<u8>) -> bool {
    time.inspect(|time| time.write(out)).is_some()
}

/// Values are cleaned of the characters that separate facts.
fn push_value(value: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
    let Some(value) = value else { return false };
    out.extend(value.iter().map(|&byte| match byte {
        b';' | b' ' | b'\r' | b'\n' | 0 => b'_',
        other => other,
    }));
    true
}

/// The letters of the `perm` fact, RFC 3659 §7.5.5, for what a user has rights to.
fn push_permitted(kind: &Kind, rights: Rights, out: &mut Vec<u8>) {
    let letters: &[(Right, u8)] = match kind {
        Kind::File => &[
            (Right::Append, b'a'),
            (Right::Delete, b'd'),
            (Right::Rename, b'f'),
            (Right::Retrieve, b'r'),
            (Right::Store, b'w'),
        ],
        Kind::Directory | Kind::Current | Kind::Parent => &[
            (Right::Store, b'c'),
            (Right::Delete, b'd'),
            (Right::Enter, b'e'),
            (Right::Rename, b'f'),
            (Right::List, b'l'),
            (Right::Make, b'm'),
            (Right::Delete, b'p'),
        ],
        Kind::Link { .. } | Kind::Other => &[],
    };
    let letters = letters.iter().filter(|(right, _)| rights.has(*right));
    out.extend(letters.map(|(_, letter)| *letter));
}

/// Appends the facts, a blank and the name, without a line end.
///
/// Values are cleaned of the characters that separate facts.
pub fn write(entry: &Entry, facts: &[Fact], rights: Rights, out: &mut Vec<u8>) {
    for fact in facts {
        fact.write(entry, rights, out);
    }
    out.push(b' ');
    push_name(&entry.name, out);
}

/// Reads one line without its end; `None` if it does not have this form.
///
/// The kind is [`Kind::Other`] unless a `type` fact says more.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Entry> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let blank = line.iter().position(|&byte| byte == b' ')?;
    let (facts, name) = line.split_at_checked(blank)?;
    let name = name.get(1..).filter(|name| !name.is_empty())?;
    let mut entry = Entry::new(name, Kind::Other);
    if facts.is_empty() {
        return Some(entry);
    }
    for pair in facts.strip_suffix(b";")?.split(|&byte| byte == b';') {
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        let (key, value) = pair.split_at_checked(equals)?;
        let value = value.get(1..)?;
        match Fact::parse(key) {
            Some(Fact::Type) => entry.kind = parse_kind(value),
            Some(Fact::Size) => entry.size = parse_number(value),
            Some(Fact::Modify) => entry.modified = Timestamp::parse(value),
            Some(Fact::Create) => entry.created = Timestamp::parse(value),
            Some(Fact::Unique) => entry.unique = Some(value.into()),
            Some(Fact::UnixMode) => entry.mode = parse_mode(value),
            Some(Fact::UnixOwner) => entry.owner = Some(value.into()),
            Some(Fact::UnixGroup) => entry.group = Some(value.into()),
            Some(Fact::Perm) | None => {}
        }
    }
    Some(entry)
}

fn parse_kind(value: &[u8]) -> Kind {
    let lower = value.to_ascii_lowercase();
    match lower.as_slice() {
        b"file" => Kind::File,
        b"dir" => Kind::Directory,
        b"cdir" => Kind::Current,
        b"pdir" => Kind::Parent,
        b"os.unix=symlink" => Kind::Link { target: None },
        // ProFTPD and pure-ftpd put the target here.
        _ => match lower.strip_prefix(b"os.unix=slink") {
            Some([]) => Kind::Link { target: None },
            Some([b':', target @ ..]) => Kind::Link {
                target: value.get(value.len() - target.len()..).map(Into::into),
            },
            Some(_) | None => Kind::Other,
        },
    }
}

fn parse_mode(value: &[u8]) -> Option<u16> {
    parse_number::<u32>(value)?;
    let text = std::str::from_utf8(value).ok()?;
    u16::from_str_radix(text, 8)
        .ok()
        .filter(|&mode| mode <= 0o7777)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unknown_facts_are_skipped_and_the_name_keeps_its_blanks() {
        let entry = parse(b"Type=file;Size=9;x.y=1;Modify=20240310120000.5;  a b ").unwrap();
        assert_eq!(entry.name, b" a b ");
        assert_eq!(entry.kind, Kind::File);
        assert_eq!(entry.size, Some(9));
        assert_eq!(entry.modified.unwrap().to_string(), "20240310120000");
        assert_eq!(parse(b" only-a-name").unwrap().kind, Kind::Other);
        let entry = parse(b"type=OS.unix=slink:/A;UNIX.mode=0777; l").unwrap();
        assert_eq!(
            entry.kind,
            Kind::Link {
                target: Some(b"/A".to_vec())
            }
        );
    }

    #[test]
    fn lines_without_a_name_or_with_broken_facts_are_refused() {
        for line in [
            &b""[..],
            b"type=file;",
            b"type=file; ",
            b"type=file name",
            b"type; name",
        ] {
            assert_eq!(parse(line), None);
        }
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(name in "[ -~]{1,12}", kind in 0_usize..4, size in any::<u64>(), unix in 0_i64..4_000_000_000, mode in 0_u16..=0o7777, write_access in any::<bool>()) {
            let kinds = [Kind::File, Kind::Directory, Kind::Current, Kind::Link { target: None }];
            let mut entry = Entry::new(name, kinds[kind].clone());
            entry.size = (kind == 0).then_some(size);
            entry.modified = Some(Timestamp::from_unix(unix));
            entry.created = Some(Timestamp::from_unix(unix / 2));
            entry.mode = Some(mode);
            entry.owner = Some(b"0".to_vec());
            entry.group = Some(b"staff".to_vec());
            entry.unique = Some(b"8g1".to_vec());
            let rights = if write_access { Rights::ALL } else { Rights::READ };
            let mut out = Vec::new();
            write(&entry, &Fact::ALL, rights, &mut out);
            prop_assert_eq!(parse(&out), Some(entry));
        }
    }
}
