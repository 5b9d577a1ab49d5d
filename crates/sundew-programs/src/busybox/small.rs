//! Small applets of BusyBox's own shape: `id`, `wc`, `xxd`, `strings`, `ls -l`, `usleep`, `clear`.

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::{FileType, Metadata};

use super::{complain, usage};
use crate::getopt::{Arity, Getopt, Spec};
use crate::mode;
use crate::text::input;
use crate::time::{Shown, Zone};
use crate::users::Directory;

/// Half a year in seconds: older files show their year. BusyBox counts 365 days by two.
const RECENT: i64 = 365 * 86_400 / 2;

async fn cannot_open(proc: &mut Process, name: &str, path: &[u8], errno: Errno) {
    let text = [b"can't open '", path, b"': ", errno.message().as_bytes()].concat();
    complain(proc, name, text).await;
}

pub(super) async fn id(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("gGnruZ", &[]);
    let mut seen = String::new();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(option) => seen.push_str(option.key),
            Err(error) => return usage::refuse_option(proc, b"id", &error).await,
        }
    }
    let users = Directory::load(proc).await;
    let operands = options.operands();
    let own = proc.credentials();
    let (uid, gid, groups) = match operands.first() {
        None => (own.uid, own.gid, own.groups.clone()),
        Some(name) => match users.user(name) {
            Some(user) => (user.uid, user.gid, users.groups_of(user)),
            None => {
                return complain(proc, "id", [b"unknown user ", name.as_slice()].concat()).await;
            }
        },
    };
    let named = seen.contains('n');
    let show = |id: u32, group: bool| -> Vec<u8> {
        if !named {
            return id.to_string().into_bytes();
        }
        if group {
            users.group_text(id)
        } else {
            users.user_text(id)
        }
    };
    let mut list = groups;
    if !operands.is_empty() && !list.contains(&gid) {
        list.insert(0, gid);
    }
    let line = if seen.contains('u') {
        show(uid, false)
    } else if seen.contains('g') {
        show(gid, true)
    } else if seen.contains('G') {
        list.iter()
            .map(|group| show(*group, true))
            .collect::<Vec<_>>()
            .join(&b' ')
    } else {
        let pair = |id: u32, name: Option<&[u8]>| {
            let mut out = id.to_string().into_bytes();
            if let Some(name) = name {
                out.extend([b"(", name, b")"].concat());
            }
            out
        };
        let mut out = [
            b"uid=".as_slice(),
            &pair(uid, users.user_name(uid)),
            b" gid=",
            &pair(gid, users.group_name(gid)),
        ]
        .concat();
        if !list.is_empty() {
            let rest: Vec<Vec<u8>> = list
                .iter()
                .map(|group| pair(*group, users.group_name(*group)))
                .collect();
            out.extend([b" groups=".as_slice(), &rest.join(&b',')].concat());
        }
        out
    };
    let _reported_at_exit = proc.print(&[line.as_slice(), b"\n"].concat()).await;
    proc.status()
}

pub(super) async fn wc(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("clmwL", &[]);
    let mut seen = String::new();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(option) => seen.push_str(option.key),
            Err(error) => return usage::refuse_option(proc, b"wc", &error).await,
        }
    }
    if seen.is_empty() {
        seen.push_str("lwc");
    }
    let operands = options.operands();
    let single = seen.len() == 1 && operands.len() <= 1;
    let named = !operands.is_empty();
    let paths = if named { operands } else { vec![b"-".to_vec()] };
    let mut total = [0u64; 5];
    for path in &paths {
        let counts = match count(proc, path).await {
            Ok(counts) => counts,
            Err(errno) => {
                cannot_open(proc, "wc", path, errno).await;
                proc.set_status(1);
                continue;
            }
        };
        for (sum, count) in total.iter_mut().zip(counts).take(4) {
            *sum += count;
        }
        let [.., widest] = &mut total;
        let [.., wide] = counts;
        *widest = (*widest).max(wide);
        let line = row(&seen, &counts, single, named.then_some(path.as_slice()));
        if proc.print(&line).await.is_err() {
            return proc.status();
        }
    }
    if paths.len() > 1 {
        let line = row(&seen, &total, single, Some(b"total"));
        let _reported_at_exit = proc.print(&line).await;
    }
    proc.status()
}

fn row(seen: &str, counts: &[u64; 5], single: bool, name: Option<&[u8]>) -> Vec<u8> {
    let parts: Vec<String> = ["l", "w", "m", "c", "L"]
        .iter()
        .zip(counts)
        .filter(|(letter, _)| seen.contains(**letter))
        .map(|(_, count)| {
            if single {
                count.to_string()
            } else {
                format!("{count:>9}")
            }
        })
        .collect();
    let text = parts.join(" ");
    let mut out = text.into_bytes();
    if let Some(name) = name {
        out.push(b' ');
        out.extend_from_slice(name);
    }
    out.push(b'\n');
    out
}

/// Lines, words, characters, bytes, the longest line.
async fn count(proc: &Process, path: &[u8]) -> Result<[u64; 5], Errno> {
    let fd = input::open(proc, path).await?;
    let mut chunk = vec![0; 32 * 1024];
    let (mut lines, mut words, mut bytes, mut longest, mut at) = (0, 0, 0u64, 0, 0u64);
    let mut in_word = false;
    let result = loop {
        match proc.read(fd, &mut chunk).await {
            Ok(0) => break Ok(()),
            Ok(count) => {
                for &byte in chunk.get(..count).unwrap_or_default() {
                    bytes += 1;
                    at += 1;
                    if byte == b'\n' {
                        lines += 1;
                        longest = longest.max(at - 1);
                        at = 0;
                    }
                    let blank = byte.is_ascii_whitespace() || byte == 11;
                    if blank {
                        in_word = false;
                    } else if !std::mem::replace(&mut in_word, true) {
                        words += 1;
                    }
                }
            }
            Err(errno) => break Err(errno),
        }
    };
    input::close(proc, fd);
    result?;
    Ok([lines, words, bytes, bytes, longest.max(at)])
}

pub(super) async fn strings(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("afn:ot:", &[]);
    let (mut least, mut name, mut offset) = (4, false, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("f", _)) => name = true,
            Ok(("n", value)) => least = number(&value).unwrap_or(4),
            Ok(("o", _)) => offset = Some(b'o'),
            Ok(("t", value)) => offset = value.first().copied(),
            Ok(_) => {}
            Err(error) => return usage::refuse_option(proc, b"strings", &error).await,
        }
    }
    let operands = options.operands();
    let paths = if operands.is_empty() {
        vec![b"-".to_vec()]
    } else {
        operands
    };
    for path in &paths {
        let fd = match input::open(proc, path).await {
            Ok(fd) => fd,
            Err(errno) => {
                cannot_open(proc, "strings", path, errno).await;
                proc.set_status(1);
                continue;
            }
        };
        let mut chunk = vec![0; 32 * 1024];
        let (mut word, mut at) = (Vec::new(), 0u64);
        loop {
            let count = proc.read(fd, &mut chunk).await.unwrap_or(0);
            // What is left at the end is shown as if something followed.
            let bytes = if count == 0 {
                &b"\0"[..]
            } else {
                chunk.get(..count).unwrap_or_default()
            };
            for &byte in bytes {
                at += 1;
                if byte == b'\t' || byte == b' ' || byte.is_ascii_graphic() {
                    // A line of a sample has no end; it is shown in pieces.
                    if word.len() < input_limit() {
                        word.push(byte);
                    }
                    continue;
                }
                if word.len() >= least {
                    let start = at - 1 - word.len() as u64;
                    let place = match offset {
                        Some(b'o') => format!("{start:7o} "),
                        Some(b'x') => format!("{start:7x} "),
                        Some(_) => format!("{start:7} "),
                        None => String::new(),
                    };
                    let head = if name {
                        [path.as_slice(), b": "].concat()
                    } else {
                        Vec::new()
                    };
                    if proc
                        .print(&[&head, place.as_bytes(), &word, b"\n"].concat())
                        .await
                        .is_err()
                    {
                        return proc.status();
                    }
                }
                word.clear();
            }
            if count == 0 {
                break;
            }
        }
        input::close(proc, fd);
    }
    proc.status()
}

/// Bytes of one string that are kept.
const fn input_limit() -> usize {
    1 << 20
}

fn number(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    match text.strip_prefix("0x") {
        Some(hex) => usize::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn xxd(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("aeg:il:n:o:pc:rs:", &[]);
    let (mut plain, mut include, mut reverse, mut group, mut columns) =
        (false, false, false, 2, None);
    let (mut length, mut skip, mut shift) = (usize::MAX, 0, 0);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("p", _)) => plain = true,
            Ok(("i", _)) => include = true,
            Ok(("r", _)) => reverse = true,
            Ok(("g", value)) => group = number(&value).unwrap_or(2),
            Ok(("c", value)) => {
                columns = number(&value).filter(|columns| (1..=256).contains(columns))
            }
            Ok(("l" | "n", value)) => length = number(&value).unwrap_or(usize::MAX),
            Ok(("s", value)) => skip = number(&value).unwrap_or(0),
            Ok(("o", value)) => shift = number(&value).unwrap_or(0),
            Ok(_) => {}
            Err(error) => return usage::refuse_option(proc, b"xxd", &error).await,
        }
    }
    let operands = options.operands();
    let path = operands.first().map_or(b"-".as_slice(), Vec::as_slice);
    let (bytes, mut memory) = match input::read_all(proc, path).await {
        Ok(read) => read,
        Err(errno) => {
            cannot_open(proc, "xxd", path, errno).await;
            return ExitStatus::FAILURE;
        }
    };
    if memory.grow(bytes.len()).is_err() {
        proc.out_of_memory().await;
    }
    if reverse {
        let out = unhexed(&bytes, plain);
        let _reported_at_exit = proc.print(&out).await;
        return proc.status();
    }
    let bytes = bytes.get(skip.min(bytes.len())..).unwrap_or_default();
    let bytes = bytes.get(..length.min(bytes.len())).unwrap_or_default();
    let columns = columns.unwrap_or(if plain {
        30
    } else if include {
        12
    } else {
        16
    });
    for (number, line) in bytes.chunks(columns).enumerate() {
        let hex = |byte: &u8| format!("{byte:02x}");
        let text = if plain {
            line.iter().map(hex).collect::<String>().into_bytes()
        } else if include {
            line.iter()
                .map(|byte| format!(" 0x{byte:02x},"))
                .collect::<String>()
                .into_bytes()
        } else {
            let mut out = format!("{:08x}: ", skip + shift + number * columns);
            for at in 0..columns {
                out.push_str(&line.get(at).map_or_else(|| "  ".to_owned(), hex));
                if group > 0 && (at + 1) % group == 0 {
                    out.push(' ');
                }
            }
            if group == 0 || columns % group != 0 {
                out.push(' ');
            }
            out.push(' ');
            let mut out = out.into_bytes();
            out.extend(line.iter().map(|byte| {
                if (32..127).contains(byte) {
                    *byte
                } else {
                    b'.'
                }
            }));
            out
        };
        if proc
            .print(&[text.as_slice(), b"\n"].concat())
            .await
            .is_err()
        {
            break;
        }
    }
    proc.status()
}

/// Bytes from their digits; offsets in front and text behind are passed over.
fn unhexed(text: &[u8], plain: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let mut digits = line;
        if !plain {
            let start = line
                .iter()
                .position(|&byte| byte == b':')
                .map_or(0, |at| at + 1);
            digits = line.get(start..).unwrap_or_default();
            let end = digits
                .windows(2)
                .skip(1)
                .position(|pair| pair == b"  ")
                .map_or(digits.len(), |at| at + 1);
            digits = digits.get(..end).unwrap_or_default();
        }
        let values: Vec<u8> = digits
            .iter()
            .filter_map(|byte| char::from(*byte).to_digit(16))
            .filter_map(|value| u8::try_from(value).ok())
            .collect();
        out.extend(
            values
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0u8, |sum, value| sum << 4 | value)),
        );
    }
    out
}

pub(super) async fn clear(proc: &mut Process) -> ExitStatus {
    let _reported_at_exit = proc.print(b"\x1b[H\x1b[J").await;
    proc.status()
}

// ---- ls -l -------------------------------------------------------------------------------------

#[derive(Debug, Default)]
struct List {
    letters: String,
}

impl List {
    fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }
}

const LS: Spec = Spec::new(
    "1AaCxdLHRFplinshrSXvctukZTwg:",
    &[
        ("full-time", Arity::No, "e"),
        ("color", Arity::Optional, "color"),
        ("group-directories-first", Arity::No, "first"),
    ],
);

/// Whether this command line asks for long lines, which BusyBox lays out in its own way.
pub(super) fn is_long(args: &[Vec<u8>]) -> bool {
    args.iter()
        .skip(1)
        .take_while(|word| *word != b"--")
        .any(|word| word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'l'))
}

struct Entry {
    name: Vec<u8>,
    path: Vec<u8>,
    metadata: Metadata,
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn ls(proc: &mut Process) -> ExitStatus {
    let mut list = List::default();
    let mut options = Getopt::new(&LS, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(option) if option.key.len() == 1 => list.letters.push_str(option.key),
            Ok(_) => {}
            Err(error) => return usage::refuse_option(proc, b"ls", &error).await,
        }
    }
    let mut operands = options.operands();
    let many = operands.len() > 1;
    if operands.is_empty() {
        operands.push(b".".to_vec());
    }
    let users = Directory::load(proc).await;
    let zone = Zone::of(proc).await;
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for path in operands {
        let follow = list.has('L') || list.has('H');
        let found = if follow {
            proc.stat(&path)
        } else {
            proc.lstat(&path)
        };
        match found {
            Ok(metadata) => {
                let entry = Entry {
                    name: path.clone(),
                    path,
                    metadata,
                };
                if entry.metadata.is_dir() && !list.has('d') {
                    directories.push(entry);
                } else {
                    files.push(entry);
                }
            }
            Err(errno) => {
                let text = [path.as_slice(), b": ", errno.message().as_bytes()].concat();
                complain(proc, "ls", text).await;
                proc.set_status(1);
            }
        }
    }
    sort(&mut files, &list);
    sort(&mut directories, &list);
    let mut headed = !files.is_empty();
    if !show(proc, &list, &files, &users, &zone).await {
        return proc.status();
    }
    let titled = many || list.has('R');
    directories.reverse();
    while let Some(directory) = directories.pop() {
        proc.tick().await;
        let entries = match proc.read_directory(&directory.path) {
            Ok(entries) => entries,
            Err(errno) => {
                let text = [
                    b"can't open '",
                    directory.path.as_slice(),
                    b"': ",
                    errno.message().as_bytes(),
                ]
                .concat();
                complain(proc, "ls", text).await;
                proc.set_status(1);
                continue;
            }
        };
        let mut names: Vec<Vec<u8>> = entries
            .into_iter()
            .map(|entry| entry.name.to_vec())
            .collect();
        if list.has('a') {
            for dot in [b".".as_slice(), b".."] {
                if !names.iter().any(|name| name == dot) {
                    names.push(dot.to_vec());
                }
            }
        }
        let mut inside: Vec<Entry> = names
            .into_iter()
            .filter(|name| {
                list.has('a')
                    || !name.starts_with(b".")
                    || (list.has('A') && name != b"." && name != b"..")
            })
            .filter_map(|name| {
                let path = [
                    directory.path.trim_ascii(),
                    if directory.path.ends_with(b"/") {
                        b"".as_slice()
                    } else {
                        b"/"
                    },
                    &name,
                ]
                .concat();
                let metadata = if list.has('L') {
                    proc.stat(&path)
                } else {
                    proc.lstat(&path)
                }
                .ok()?;
                Some(Entry {
                    name,
                    path,
                    metadata,
                })
            })
            .collect();
        sort(&mut inside, &list);
        let mut head = Vec::new();
        if titled {
            if std::mem::replace(&mut headed, true) {
                head.push(b'\n');
            }
            head.extend([directory.path.as_slice(), b":\n"].concat());
        }
        let blocks: u64 = inside.iter().map(|entry| entry.metadata.blocks).sum();
        head.extend(if list.has('h') {
            format!("total {:<7}\n", format!("{}K", blocks / 2)).into_bytes()
        } else {
            format!("total {}\n", blocks / 2).into_bytes()
        });
        if proc.print(&head).await.is_err() || !show(proc, &list, &inside, &users, &zone).await {
            return proc.status();
        }
        if list.has('R') {
            let below = inside.into_iter().filter(|entry| {
                entry.metadata.is_dir() && entry.name != b"." && entry.name != b".."
            });
            let mut below: Vec<Entry> = below.collect();
            below.reverse();
            directories.extend(below);
        }
    }
    proc.status()
}

fn sort(entries: &mut [Entry], list: &List) {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    if list.has('S') {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.metadata.size));
    } else if list.has('t') {
        entries.sort_by_key(|entry| {
            std::cmp::Reverse((entry.metadata.mtime.secs, entry.metadata.mtime.nanos))
        });
    }
    if list.has('r') {
        entries.reverse();
    }
}

/// Prints the lines; whether somebody still reads them.
async fn show(
    proc: &mut Process,
    list: &List,
    entries: &[Entry],
    users: &Directory,
    zone: &Zone,
) -> bool {
    let now = proc.now().secs;
    for entry in entries {
        let metadata = &entry.metadata;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut line = String::new();
        if list.has('i') {
            line.push_str(&format!("{:7} ", metadata.ino.0));
        }
        if list.has('s') {
            line.push_str(&format!("{:6} ", metadata.blocks / 2));
        }
        line.push_str(&format!(
            "{:<10} {:4} ",
            mode::letters(metadata),
            metadata.nlink
        ));
        if list.has('n') {
            line.push_str(&format!("{:<8} {:<8} ", metadata.uid, metadata.gid));
        } else {
            line.push_str(&format!(
                "{:<8.8} {:<8.8} ",
                text(&users.user_text(metadata.uid)),
                text(&users.group_text(metadata.gid))
            ));
        }
        let special = matches!(
            metadata.file_type,
            FileType::CharDevice | FileType::BlockDevice
        );
        if special {
            line.push_str(&format!("{:4}, {:3} ", metadata.rdev.0, metadata.rdev.1));
        } else if list.has('h') {
            line.push_str(&format!("{:>9} ", human(metadata.size)));
        } else {
            line.push_str(&format!("{:9} ", metadata.size));
        }
        let moment = if list.has('c') {
            metadata.ctime
        } else if list.has('u') {
            metadata.atime
        } else {
            metadata.mtime
        };
        let format: &[u8] = if list.has('e') {
            b"%Y-%m-%d %H:%M:%S %z"
        } else if (now - moment.secs).abs() < RECENT && moment.secs <= now + 900 {
            b"%b %e %H:%M"
        } else {
            b"%b %e  %Y"
        };
        line.push_str(&text(&Shown::new(moment, zone).format(format)));
        line.push(' ');
        let mut out = line.into_bytes();
        out.extend_from_slice(&entry.name);
        if let Ok(target) = proc.read_link(&entry.path)
            && metadata.is_symlink()
        {
            out.extend([b" -> ", target.as_slice()].concat());
        } else if list.has('F') || (list.has('p') && metadata.is_dir()) {
            out.extend(match metadata.file_type {
                FileType::Directory => Some(b'/'),
                FileType::Fifo => Some(b'|'),
                FileType::Socket => Some(b'='),
                FileType::Regular if metadata.mode & 0o111 != 0 => Some(b'*'),
                _ => None,
            });
        }
        out.push(b'\n');
        if proc.print(&out).await.is_err() {
            return false;
        }
    }
    true
}

/// `1.5K`: one place behind the point.
fn human(size: u64) -> String {
    if size < 1024 {
        return size.to_string();
    }
    let (mut rest, mut unit) = (size * 10 / 1024, 0);
    while rest >= 10 * 1024 && unit < 5 {
        rest /= 1024;
        unit += 1;
    }
    let letter = b"KMGTPE"
        .get(unit)
        .map_or('E', |letter| char::from(*letter));
    format!("{}.{}{letter}", rest / 10, rest % 10)
}
