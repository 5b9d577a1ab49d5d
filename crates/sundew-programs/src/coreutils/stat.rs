//! stat(1).

use sundew_kernel::{Errno, ExitStatus, Process, STDIN};
use sundew_vfs::{Metadata, Mount};

use super::{about, escape, input, rm};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::mode;
use crate::quote;
use crate::time::{Shown, Zone};
use crate::users::Directory;

const SPEC: Spec = Spec::gnu(
    "c:fLt",
    &[
        ("dereference", Arity::No, "L"),
        ("file-system", Arity::No, "f"),
        ("format", Arity::Required, "c"),
        ("printf", Arity::Required, "printf"),
        ("terse", Arity::No, "t"),
        ("cached", Arity::Required, "cached"),
    ],
);

const LONG: &str =
    "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nDevice: %Hd,%Ld\tInode: %-10i  Links: %-5h";
const OWNER: &str = "\nAccess: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: %w\n";
const TERSE: &str = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n";
const FS_LONG: &str = "  File: \"%n\"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: %-10s Fundamental block size: %S\nBlocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d\n";
const FS_TERSE: &str = "%n %i %l %t %s %S %b %f %a %c %d\n";

/// Widest field of a format.
const MAX_WIDTH: usize = 4096;

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, then one file after the other"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut follow, mut filesystem, mut terse, mut format, mut escapes) =
        (false, false, false, None, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("L", _)) => follow = true,
            Ok(("f", _)) => filesystem = true,
            Ok(("t", _)) => terse = true,
            Ok(("c", value)) => {
                (format, escapes) = (Some([value.as_slice(), b"\n"].concat()), false)
            }
            Ok(("printf", value)) => (format, escapes) = (Some(value), true),
            Ok(("cached", value)) => {
                const WORDS: &[(&str, u8)] = &[("default", 0), ("never", 1), ("always", 2)];
                if input::choose(proc, "--cached", &value, WORDS)
                    .await
                    .is_none()
                {
                    return proc.status();
                }
            }
            Ok((key, _)) => return about::run(proc, key, "stat").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    let names = Directory::load(proc).await;
    let zone = Zone::of(proc).await;
    for path in operands {
        let found = match (path.as_slice(), follow || filesystem) {
            (b"-", _) => proc.fstat(STDIN),
            (path, true) => proc.stat(path),
            (path, false) => proc.lstat(path),
        };
        let metadata = match found {
            Ok(metadata) => metadata,
            Err(errno) => {
                let what = if filesystem {
                    "cannot read file system information for"
                } else {
                    "cannot statx"
                };
                input::complain_about(proc, what, &path, errno).await;
                continue;
            }
        };
        let device = matches!(
            metadata.file_type,
            sundew_vfs::FileType::CharDevice | sundew_vfs::FileType::BlockDevice
        );
        let middle = if device { " Device type: %Hr,%Lr" } else { "" };
        let text = match (&format, filesystem, terse) {
            (Some(format), ..) => format.clone(),
            (None, true, true) => FS_TERSE.into(),
            (None, true, false) => FS_LONG.into(),
            (None, false, true) => TERSE.into(),
            (None, false, false) => [LONG, middle, OWNER].concat().into_bytes(),
        };
        let plain = format.is_none() && !filesystem && !terse;
        if !filesystem && format.as_ref().is_some_and(|format| has(format, b"%C")) {
            // tidy-allow(errno-word): there is no SELinux, whatever the file
            input::complain_about(
                proc,
                "failed to get security context of",
                &path,
                Errno::Enodata,
            )
            .await;
        }
        for letter in odd_escapes(&text).iter().filter(|_| escapes) {
            let line = [
                proc.name(),
                b": warning: unrecognized escape '\\",
                &[*letter],
                b"'\n",
            ];
            let line = line.concat();
            proc.print_error(&line).await;
        }
        let file = File {
            proc,
            path: &path,
            metadata: &metadata,
            names: &names,
            zone: &zone,
        };
        let mut shown = Vec::new();
        if plain {
            // Only here a name stands without quotes.
            shown.extend_from_slice(&[b"  File: ".as_slice(), &path].concat());
            if let Some(target) = file.target() {
                shown.extend_from_slice(&[b" -> ".as_slice(), &target].concat());
            }
            shown.push(b'\n');
        }
        shown.extend(file.fill(&text, escapes, filesystem));
        if proc.print(&shown).await.is_err() {
            break;
        }
    }
    proc.status()
}

fn has(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

/// The letters behind backslashes that mean nothing.
fn odd_escapes(format: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'\\'
            && let Some(letter) = bytes.next()
            && !b"abefnrtvx\"\\01234567".contains(&letter)
        {
            out.push(letter);
        }
    }
    out
}

struct File<'a> {
    proc: &'a Process,
    path: &'a [u8],
    metadata: &'a Metadata,
    names: &'a Directory,
    zone: &'a Zone,
}

impl File<'_> {
    #[expect(
        clippy::too_many_lines,
        reason = "one pass over a format, which only makes sense as a whole"
    )]
    fn fill(&self, format: &[u8], escapes: bool, filesystem: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = format;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte == b'\\' && escapes {
                let (&letter, after) = rest.split_first().unwrap_or((&b'\\', &[]));
                let hex = after
                    .iter()
                    .take_while(|byte| byte.is_ascii_hexdigit())
                    .take(2)
                    .count();
                if letter == b'x' && hex > 0 {
                    let (digits, after) = after.split_at(hex);
                    let digits = std::str::from_utf8(digits).unwrap_or_default();
                    out.push(u8::from_str_radix(digits, 16).unwrap_or_default());
                    rest = after;
                } else if (b'0'..=b'7').contains(&letter) {
                    let (value, length) = escape::octal(rest, 3);
                    out.push(value);
                    rest = rest.get(length..).unwrap_or_default();
                } else {
                    out.push(escape::single(letter).unwrap_or(letter));
                    rest = after;
                }
                continue;
            }
            if byte != b'%' {
                out.push(byte);
                continue;
            }
            let flags = rest
                .iter()
                .take_while(|byte| b"-0+ #'I".contains(byte))
                .count();
            let (flags, after) = rest.split_at(flags);
            let number = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (width, mut after) = after.split_at(number(after));
            let mut precision = None;
            if let Some(behind) = after.strip_prefix(b".") {
                let (digits, behind) = behind.split_at(number(behind));
                precision = input::decimal(digits).and_then(|value| usize::try_from(value).ok());
                after = behind;
            }
            let part = match after {
                [part @ (b'H' | b'L'), b'd' | b'r', ..] => {
                    after = after.get(1..).unwrap_or_default();
                    Some(*part)
                }
                _ => None,
            };
            let Some((&letter, after)) = after.split_first() else {
                out.push(b'%');
                break;
            };
            rest = after;
            if letter == b'\n' && rest.is_empty() && !escapes {
                // The newline is not the user's: the sign was the last of the format.
                out.extend_from_slice(b"%\n");
                continue;
            }
            if letter == b'%' {
                out.push(b'%');
                continue;
            }
            let field = if filesystem {
                self.filesystem(letter)
            } else {
                self.field(letter, part, precision)
            };
            let mut text = field.unwrap_or_else(|| b"?".to_vec());
            if let Some(precision) = precision.filter(|_| b"nNAUGF".contains(&letter)) {
                text.truncate(precision);
            }
            if flags.contains(&b'+') && letter == b's' {
                text.insert(0, b'+');
            }
            if flags.contains(&b'#') && b"a".contains(&letter) {
                text.insert(0, b'0');
            }
            let width = input::decimal(width)
                .and_then(|width| usize::try_from(width).ok())
                .unwrap_or(0)
                .min(MAX_WIDTH);
            let pad = width.saturating_sub(text.len());
            if flags.contains(&b'-') {
                out.extend(text);
                out.extend(std::iter::repeat_n(b' ', pad));
            } else {
                let fill = if flags.contains(&b'0') { b'0' } else { b' ' };
                out.extend(std::iter::repeat_n(fill, pad));
                out.extend(text);
            }
        }
        out
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one thing from top to bottom, in the order of the manual"
    )]
    fn field(&self, letter: u8, part: Option<u8>, precision: Option<usize>) -> Option<Vec<u8>> {
        let Metadata {
            ino,
            dev,
            file_type,
            mode,
            uid,
            gid,
            nlink,
            size,
            blocks,
            rdev,
            atime,
            mtime,
            ctime,
            flags: _,
        } = *self.metadata;
        let time = |when| Shown::new(when, self.zone).format(b"%Y-%m-%d %H:%M:%S.%N %z");
        let seconds = |when: sundew_vfs::Timestamp| match precision {
            Some(digits) => format!(
                "{}.{}",
                when.secs,
                format!("{:09}", when.nanos)
                    .get(..digits.min(9))
                    .unwrap_or("")
            ),
            None => when.secs.to_string(),
        };
        let text = match letter {
            b'n' => return Some(self.path.to_vec()),
            b'N' => {
                let style = self.proc.env().value(b"QUOTING_STYLE");
                let locale = quote::Locale::of(self.proc);
                let quoted = |name: &[u8]| match style {
                    Some(b"c" | b"c-maybe") => quote::c_string(name, locale),
                    Some(b"escape") => quote::c_escaped(name, locale),
                    Some(b"literal") => name.to_vec(),
                    Some(b"shell" | b"shell-escape") => quote::shell(name, locale, false),
                    Some(b"locale" | b"clocale") => quote::text_in(locale, name),
                    _ => quote::shell(name, locale, true),
                };
                let mut text = quoted(self.path);
                if let Some(target) = self.target() {
                    text.extend_from_slice(b" -> ");
                    text.extend(quoted(&target));
                }
                return Some(text);
            }
            b'x' => return Some(time(atime)),
            b'y' => return Some(time(mtime)),
            b'z' => return Some(time(ctime)),
            // The filesystem keeps no time of birth; that of the last change is the oldest it has.
            b'w' => return Some(time(mtime.min(ctime))),
            b'm' => {
                return Some(
                    self.mount()
                        .map(|mount| mount.target.to_vec())
                        .unwrap_or_else(|| b"/".to_vec()),
                );
            }
            b'U' => return Some(self.names.user_name(uid).unwrap_or(b"UNKNOWN").to_vec()),
            b'G' => return Some(self.names.group_name(gid).unwrap_or(b"UNKNOWN").to_vec()),
            b'F' => rm::kind(self.metadata).to_owned(),
            b's' => size.to_string(),
            b'a' => format!("{mode:o}"),
            b'A' => mode::letters(self.metadata),
            b'u' => uid.to_string(),
            b'g' => gid.to_string(),
            b'i' => ino.to_string(),
            b'h' => nlink.to_string(),
            b'f' => format!("{:x}", file_type.mode_bits() | u32::from(mode)),
            b'd' => match part {
                Some(b'H') => (dev >> 8 & 0xfff).to_string(),
                Some(_) => (dev & 0xff).to_string(),
                None => dev.to_string(),
            },
            b'D' => format!("{dev:x}"),
            b'r' => match part {
                Some(b'H') => rdev.0.to_string(),
                Some(_) => rdev.1.to_string(),
                None => (u64::from(rdev.0) << 8 | u64::from(rdev.1)).to_string(),
            },
            b't' => format!("{:x}", rdev.0),
            b'T' => format!("{:x}", rdev.1),
            b'b' => blocks.to_string(),
            b'B' => "512".to_owned(),
            b'o' => "4096".to_owned(),
            b'C' => "?".to_owned(),
            b'X' => seconds(atime),
            b'Y' => seconds(mtime),
            b'Z' => seconds(ctime),
            b'W' => seconds(mtime.min(ctime)),
            _ => return None,
        };
        Some(text.into_bytes())
    }

    /// Where a link points.
    fn target(&self) -> Option<Vec<u8>> {
        let link = self.metadata.is_symlink();
        link.then(|| self.proc.read_link(self.path).ok()).flatten()
    }

    fn mount(&self) -> Option<Mount> {
        let path = self.proc.real_path(self.path).ok()?;
        super::df::mount_of(&self.proc.mounts(), &path)
    }

    fn filesystem(&self, letter: u8) -> Option<Vec<u8>> {
        let mount = self.mount();
        let kind = mount
            .as_ref()
            .map_or(b"ext4".as_slice(), |mount| &mount.fs_type)
            .to_vec();
        let space = super::df::space(self.proc, mount.as_ref());
        let (magic, name): (u32, &[u8]) = match kind.as_slice() {
            b"ext4" | b"ext3" | b"ext2" => (0xef53, b"ext2/ext3"),
            b"tmpfs" | b"devtmpfs" => (0x0102_1994, b"tmpfs"),
            b"proc" => (0x9fa0, b"proc"),
            b"sysfs" => (0x6265_6572, b"sysfs"),
            b"devpts" => (0x1cd1, b"devpts"),
            _ => (0, &kind),
        };
        let blocks = |kib: u64| (kib / 4).to_string();
        let text = match letter {
            b'n' => return Some(self.path.to_vec()),
            b'T' => return Some(name.to_vec()),
            b'i' => format!(
                "{:x}",
                self.metadata.dev.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ),
            b'l' => "255".to_owned(),
            b't' => format!("{magic:x}"),
            b's' | b'S' => "4096".to_owned(),
            b'b' => blocks(space.total),
            b'f' => blocks(space.total - space.used.min(space.total)),
            b'a' => blocks(space.available),
            b'c' => space.inodes.to_string(),
            b'd' => (space.inodes - space.inodes_used.min(space.inodes)).to_string(),
            _ => return None,
        };
        Some(text.into_bytes())
    }
}
