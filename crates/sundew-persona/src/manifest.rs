//! The data a machine is made from, as text: reading `tree.txt`, `config.txt`, `own.txt` and
//! `lists.txt`.
//!
//! `tree.txt` has a line per node, fields separated by single blanks, `#` lines ignored. A name or
//! target writes a blank, backslash or control character as `\ooo`. A directory comes before what is
//! in it; the other lines belong to the directory line above them.
//!
//! ```text
//! D PATH MODE OWNER MTIME                     a directory; MODE octal, OWNER `-` for root or UID:GID
//! F NAME MODE OWNER MTIME KIND [SIZE]         a regular file; see `FileKind` for KIND. A text or script
//!                                             with a SIZE is filled up to it with blank lines
//! L NAME MTIME TARGET                         a symbolic link
//! H NAME PATH                                 another name of an earlier file
//! ```
//!
//! MTIME is seconds since 1970, or `+N`: N seconds after the machine was installed.
//!
//! The next two hold contents: a line `=== PATH`, and all up to the next such line is that file.
//! `lists.txt` has a section for each package with the files it has brought; each line is the number of
//! bytes it shares with the line before, a blank, and the rest.

use std::collections::BTreeMap;

use sundew_kernel::executable::Kind;

/// One line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Absolute path.
    pub path: Vec<u8>,
    /// What is there.
    pub node: Node,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory(Attributes),
    /// A regular file. A text shorter than the size is padded to it.
    File(Attributes, FileKind, Option<u64>),
    /// A symbolic link.
    Symlink {
        /// When it was made.
        mtime: Mtime,
        /// Where it leads, not resolved.
        target: Vec<u8>,
    },
    /// Another name of the file at this path.
    HardLink(Vec<u8>),
}

/// Mode, owner and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// Permission bits.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last change of content.
    pub mtime: Mtime,
}

/// A time in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mtime {
    /// Seconds since 1970: the time a package gives its file.
    Packaged(i64),
    /// Seconds after the installation began.
    Installed(i64),
}

/// What a regular file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// `program:NAME SIZE`, `static:NAME SIZE`, `library:NAME SIZE`, `arm:NAME SIZE`: an ELF file.
    Elf {
        /// What sort of ELF file.
        kind: Kind,
        /// Name of its program.
        name: Vec<u8>,
        /// Size in bytes.
        size: u64,
    },
    /// `command:INTERPRETER:NAME`: a script that is a program of ours; its body may be in `own.txt`.
    Command {
        /// Path after `#!`.
        interpreter: Vec<u8>,
        /// Name of its program.
        name: Vec<u8>,
    },
    /// `script:INTERPRETER`: a script that is nothing but a script.
    Script {
        /// Path after `#!`.
        interpreter: Vec<u8>,
    },
    /// `config`: contents in `config.txt`.
    Config,
    /// `own`: contents in `own.txt`.
    Own,
    /// `made`: written from the facts of the machine.
    Made,
    /// `list`: the files of a package, in `lists.txt`.
    List,
    /// `md5sums`: a digest for each regular file of a package.
    Sums,
    /// `text`: a text nobody reads, of which we keep the name only.
    Text,
    /// `pem`: a certificate.
    Pem,
    /// `zone`: a compiled time zone, in `zones.txt`.
    Zone,
    /// `empty`.
    Empty,
    /// `blob:HEX SIZE`: a binary that begins with these bytes.
    Blob {
        /// Its first bytes.
        magic: Vec<u8>,
        /// Size in bytes.
        size: u64,
    },
}

/// Why the data cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The first field is none of `D`, `F`, `L`, `H`.
    UnknownLine,
    /// A field is missing.
    MissingField,
    /// There are more fields than this line has.
    ExtraField,
    /// A number, mode, owner or time does not parse.
    BadNumber,
    /// The kind of a file is unknown.
    UnknownKind,
    /// A `\` without three octal digits up to `\377`.
    BadEscape,
    /// An entry before the first directory, or a relative path where an absolute one belongs.
    NoDirectory,
    /// Content before the first `=== PATH` line.
    NoSection,
    /// Two sections of one path.
    DuplicateSection,
}

impl std::fmt::Display for ManifestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let problem = match self.problem {
            Problem::UnknownLine => "expected D, F, L or H",
            Problem::MissingField => "a field is missing",
            Problem::ExtraField => "a field too many",
            Problem::BadNumber => "not a number, mode, owner or time",
            Problem::UnknownKind => "unknown kind of file",
            Problem::BadEscape => "expected three octal digits after \\",
            Problem::NoDirectory => "not within a directory",
            Problem::NoSection => "text before the first === line",
            Problem::DuplicateSection => "this path has a section already",
        };
        write!(f, "line {}: {problem}", self.line)
    }
}

impl std::error::Error for ManifestError {}

/// Reads a `tree.txt`.
///
/// # Errors
///
/// The first line that is not as the module's head describes.
pub fn tree(text: &[u8]) -> Result<Vec<Entry>, ManifestError> {
    let mut entries = Vec::new();
    let mut directory: Option<Vec<u8>> = None;
    for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let entry = entry(line, directory.as_deref()).map_err(|problem| ManifestError {
            line: number,
            problem,
        })?;
        if let Node::Directory(_) = entry.node {
            directory = Some(entry.path.clone());
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Reads a `config.txt` or `own.txt` into contents by path. Lines before the first section must be
/// comments.
///
/// # Errors
///
/// [`Problem::NoSection`] and [`Problem::DuplicateSection`].
pub fn sections(text: &[u8]) -> Result<BTreeMap<&[u8], &[u8]>, ManifestError> {
    let mut found = BTreeMap::new();
    // Path, and where its content begins and so far ends.
    let mut open: Option<(&[u8], usize, usize)> = None;
    let mut at = 0;
    for (number, line) in (1..).zip(text.split_inclusive(|&byte| byte == b'\n')) {
        let error = |problem| {
            Err(ManifestError {
                line: number,
                problem,
            })
        };
        let end = at + line.len();
        if let Some(path) = line.strip_prefix(b"=== ") {
            let path = path.trim_ascii_end();
            if found.contains_key(path) || open.is_some_and(|(known, ..)| known == path) {
                return error(Problem::DuplicateSection);
            }
            if let Some((path, start, end)) = open.replace((path, end, end)) {
                found.insert(path, text.get(start..end).unwrap_or_default());
            }
        } else if let Some((.., open_end)) = &mut open {
            *open_end = end;
        } else if !line.starts_with(b"#") {
            return error(Problem::NoSection);
        }
        at = end;
    }
    if let Some((path, start, end)) = open {
        found.insert(path, text.get(start..end).unwrap_or_default());
    }
    Ok(found)
}

/// A section of `lists.txt` as the file it stands for; `None` if a line does not parse.
pub fn list(section: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let mut before: usize = 0;
    for line in section.split(|&byte| byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        let blank = line.iter().position(|&byte| byte == b' ')?;
        let (same, rest) = line.split_at_checked(blank)?;
        let same: usize = std::str::from_utf8(same).ok()?.parse().ok()?;
        let start = all.len();
        let shared = all.get(before..before.checked_add(same)?)?.to_vec();
        all.extend(shared);
        all.extend_from_slice(rest.get(1..)?);
        all.push(b'\n');
        before = start;
    }
    Some(all)
}

fn entry(line: &[u8], directory: Option<&[u8]>) -> Result<Entry, Problem> {
    let mut fields = line.split(|&byte| byte == b' ');
    let mut field = || fields.next().ok_or(Problem::MissingField);
    let kind = field()?;
    let name = unescape(field()?)?;
    let (path, node) = match kind {
        b"D" if name.starts_with(b"/") => (name, Node::Directory(attributes(&mut field)?)),
        b"D" => return Err(Problem::NoDirectory),
        b"F" => {
            let attributes = attributes(&mut field)?;
            let kind = file_kind(field()?, &mut field)?;
            let size = match (&kind, field()) {
                (_, Err(_)) => None,
                (
                    FileKind::Command { .. }
                    | FileKind::Script { .. }
                    | FileKind::Text
                    | FileKind::Pem,
                    Ok(size),
                ) => Some(number(text(size)?)?),
                (_, Ok(_)) => return Err(Problem::ExtraField),
            };
            (join(directory, &name)?, Node::File(attributes, kind, size))
        }
        b"L" => {
            let mtime = mtime(field()?)?;
            (
                join(directory, &name)?,
                Node::Symlink {
                    mtime,
                    target: unescape(field()?)?,
                },
            )
        }
        b"H" => (join(directory, &name)?, Node::HardLink(unescape(field()?)?)),
        _ => return Err(Problem::UnknownLine),
    };
    if field().is_ok() {
        Err(Problem::ExtraField)
    } else {
        Ok(Entry { path, node })
    }
}

fn join(directory: Option<&[u8]>, name: &[u8]) -> Result<Vec<u8>, Problem> {
    let directory = directory.ok_or(Problem::NoDirectory)?;
    let directory = if directory == b"/" { b"" } else { directory };
    Ok([directory, b"/", name].concat())
}

type Fields<'a, 'f> = &'f mut dyn FnMut() -> Result<&'a [u8], Problem>;

fn attributes(field: Fields<'_, '_>) -> Result<Attributes, Problem> {
    let mode = u16::from_str_radix(text(field()?)?, 8).map_err(|_| Problem::BadNumber)?;
    let owner = text(field()?)?;
    let (uid, gid) = match owner.split_once(':') {
        None if owner == "-" => (0, 0),
        None => return Err(Problem::BadNumber),
        Some((uid, gid)) => (number(uid)?, number(gid)?),
    };
    Ok(Attributes {
        mode,
        uid,
        gid,
        mtime: mtime(field()?)?,
    })
}

fn mtime(field: &[u8]) -> Result<Mtime, Problem> {
    let field = text(field)?;
    match field.strip_prefix('+') {
        Some(after) => number(after).map(Mtime::Installed),
        None => number(field).map(Mtime::Packaged),
    }
}

fn file_kind(kind: &[u8], field: Fields<'_, '_>) -> Result<FileKind, Problem> {
    let mut parts = kind.splitn(3, |&byte| byte == b':');
    let kind = parts.next().unwrap_or_default();
    let mut part = || parts.next().ok_or(Problem::MissingField).and_then(unescape);
    let mut size = || number(text(field()?)?);
    Ok(match kind {
        b"program" => FileKind::Elf {
            kind: Kind::Program,
            name: part()?,
            size: size()?,
        },
        b"static" => FileKind::Elf {
            kind: Kind::Static,
            name: part()?,
            size: size()?,
        },
        b"arm" => FileKind::Elf {
            kind: Kind::StaticArm,
            name: part()?,
            size: size()?,
        },
        b"library" => FileKind::Elf {
            kind: Kind::Library,
            name: part()?,
            size: size()?,
        },
        b"command" => FileKind::Command {
            interpreter: part()?,
            name: part()?,
        },
        b"script" => FileKind::Script {
            interpreter: part()?,
        },
        b"config" => FileKind::Config,
        b"own" => FileKind::Own,
        b"made" => FileKind::Made,
        b"list" => FileKind::List,
        b"md5sums" => FileKind::Sums,
        b"text" => FileKind::Text,
        b"pem" => FileKind::Pem,
        b"zone" => FileKind::Zone,
        b"empty" => FileKind::Empty,
        b"blob" => FileKind::Blob {
            magic: hex(&part()?)?,
            size: size()?,
        },
        _ => return Err(Problem::UnknownKind),
    })
}

fn text(field: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(field).map_err(|_| Problem::BadNumber)
}

fn number<T: std::str::FromStr>(field: &str) -> Result<T, Problem> {
    field.parse().map_err(|_| Problem::BadNumber)
}

fn hex(field: &[u8]) -> Result<Vec<u8>, Problem> {
    field
        .chunks(2)
        .map(|pair| u8::from_str_radix(text(pair)?, 16).map_err(|_| Problem::BadNumber))
        .collect()
}

fn unescape(field: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut pieces = field.split(|&byte| byte == b'\\');
    let mut out = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(3).ok_or(Problem::BadEscape)?;
        let digits = std::str::from_utf8(digits).map_err(|_| Problem::BadEscape)?;
        out.push(u8::from_str_radix(digits, 8).map_err(|_| Problem::BadEscape)?);
        out.extend_from_slice(rest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tree_of_every_sort_of_line_is_read() {
        let text =
            b"# head\nD /etc 755 - +28\nF a\\040b 640 0:42 12 config\nF ls 755 - 1 program:ls 99\n\
            L mtab +15 ../proc\nH c /etc/a\n";
        let entries = tree(text).unwrap();
        assert_eq!(entries.len(), 5);
        assert_eq!(entries[1].path, b"/etc/a b");
        let attributes = Attributes {
            mode: 0o640,
            uid: 0,
            gid: 42,
            mtime: Mtime::Packaged(12),
        };
        assert_eq!(
            entries[1].node,
            Node::File(attributes, FileKind::Config, None)
        );
        assert_eq!(
            entries[3].node,
            Node::Symlink {
                mtime: Mtime::Installed(15),
                target: b"../proc".to_vec()
            }
        );
        assert_eq!(entries[4].node, Node::HardLink(b"/etc/a".to_vec()));
    }

    #[test]
    fn errors_name_the_line_and_the_reason() {
        for (text, problem) in [
            ("Q x", Problem::UnknownLine),
            ("D etc 755 - 1", Problem::NoDirectory),
            ("F x 644 - 1 empty", Problem::NoDirectory),
            ("D / 755 - 1\nF x 644 - 1 strange", Problem::UnknownKind),
            ("D / 755 - 1\nF x 644 - 1 program:x", Problem::MissingField),
            ("D / 758 - 1", Problem::BadNumber),
            ("D / 755 0 1", Problem::BadNumber),
            ("D / 755 - 1 more", Problem::ExtraField),
            ("D / 755 - 1\nF x 644 - 1 own 7", Problem::ExtraField),
            ("D / 755 - 1\nF x 644 - 1 text big", Problem::BadNumber),
            ("D /\\9 755 - 1", Problem::BadEscape),
        ] {
            let line = text.lines().count();
            assert_eq!(
                tree(text.as_bytes()),
                Err(ManifestError { line, problem }),
                "{text}"
            );
        }
    }

    #[test]
    fn sections_end_where_the_next_begins() {
        let found = sections(b"# head\n=== /a\none\ntwo\n=== /b\n=== /c\nx").unwrap();
        assert_eq!(found[b"/a".as_slice()], b"one\ntwo\n");
        assert_eq!(found[b"/b".as_slice()], b"");
        assert_eq!(found[b"/c".as_slice()], b"x");
        assert_eq!(sections(b"x\n").unwrap_err().problem, Problem::NoSection);
        let twice = sections(b"=== /a\n=== /a\n").unwrap_err();
        assert_eq!((twice.line, twice.problem), (2, Problem::DuplicateSection));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_tree_or_an_error(bytes: Vec<u8>) {
            let _tree = tree(&bytes);
            let _sections = sections(&bytes);
        }
    }

    #[test]
    fn lists_share_the_beginnings_of_their_lines() {
        assert_eq!(
            list(b"0 /.\n1 bin\n4 /ls\n").unwrap(),
            b"/.\n/bin\n/bin/ls\n"
        );
        for bad in [&b"x\n"[..], b"1 a\n", b"0 a\n9 b\n", b" a\n"] {
            assert_eq!(list(bad), None);
        }
    }
}
