//! `chattr` and `lsattr` of e2fsprogs 1.47: the flags of `ioctl_iflags(2)` on the root filesystem.

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::{FileFlags, Metadata};

use super::{fail, print};

const USAGE: &str =
    "Usage: chattr [-RVf] [-+=aAcCdDeijPsStTuFx] [-p project] [-v version] files...\n";
const BANNER: &[u8] = b"chattr 1.47.0 (5-Feb-2023)\n";

/// Letters in the order in which `lsattr` shows them, and their bits.
const LETTERS: [(u8, u32); 22] = [
    (b's', 0x1),
    (b'u', 0x2),
    (b'S', 0x8),
    (b'D', 0x1_0000),
    (b'i', FileFlags::IMMUTABLE.0),
    (b'a', FileFlags::APPEND.0),
    (b'd', 0x40),
    (b'A', 0x80),
    (b'c', 0x4),
    (b'E', 0x800),
    (b'j', 0x4000),
    (b'I', 0x1000),
    (b't', 0x8000),
    (b'T', 0x2_0000),
    (b'e', EXTENTS),
    (b'C', 0x80_0000),
    (b'x', 0x200_0000),
    (b'F', 0x4000_0000),
    (b'N', 0x1000_0000),
    (b'P', 0x2000_0000),
    (b'V', 0x10_0000),
    (b'm', 0x400),
];
/// Letters that `chattr` takes.
const CHANGEABLE: &[u8] = b"aAcCdDeijPsStTuFx";
/// Every file of an ext4 filesystem has it.
const EXTENTS: u32 = 0x8_0000;
/// Depth to which `-R` follows directories: deeper than any path reaches.
const MAX_DEPTH: usize = 256;

#[derive(Default)]
struct Change {
    add: u32,
    remove: u32,
    exactly: Option<u32>,
    recursive: bool,
    verbose: bool,
    quiet: bool,
}

/// `chattr`.
pub(super) async fn chattr(proc: &mut Process) -> ExitStatus {
    let (mut change, mut named, mut files) = (Change::default(), false, Vec::new());
    let args: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut words = args.into_iter();
    while let Some(word) = words.next() {
        let (sign, letters) = word
            .split_first()
            .map_or((0, b"".as_slice()), |(first, rest)| (*first, rest));
        if !files.is_empty() || !b"-+=".contains(&sign) {
            files.push(word);
            continue;
        }
        if sign == b'=' {
            named = true;
            change.exactly.get_or_insert(0);
        }
        for letter in letters {
            match letter {
                b'R' if sign == b'-' => change.recursive = true,
                b'V' if sign == b'-' => change.verbose = true,
                b'f' if sign == b'-' => change.quiet = true,
                b'p' | b'v' if sign == b'-' => drop(words.next()),
                letter if CHANGEABLE.contains(letter) => {
                    named = true;
                    let bit = bit(*letter);
                    match sign {
                        b'+' => change.add |= bit,
                        b'-' => change.remove |= bit,
                        _ => change.exactly = Some(change.exactly.unwrap_or(0) | bit),
                    }
                }
                _ => return fail(proc, USAGE, 1).await,
            }
        }
    }
    if files.is_empty() && !named {
        return fail(proc, USAGE, 1).await;
    }
    if !named {
        return fail(proc, "Must use '-v', =, - or +\n", 1).await;
    }
    if change.add & change.remove != 0 {
        return fail(proc, "Can't both set and unset same flag.\n", 1).await;
    }
    if change.exactly.is_some() && change.add | change.remove != 0 {
        return fail(proc, "= is incompatible with - and +\n", 1).await;
    }
    if files.is_empty() {
        return fail(proc, USAGE, 1).await;
    }
    if change.verbose {
        proc.print_error(BANNER).await;
    }
    for file in files {
        apply(proc, &change, &file).await;
    }
    proc.status()
}

fn bit(letter: u8) -> u32 {
    LETTERS
        .iter()
        .find(|(own, _)| *own == letter)
        .map_or(0, |(_, bit)| *bit)
}

async fn apply(proc: &mut Process, change: &Change, top: &[u8]) {
    let mut todo = vec![(top.to_vec(), 0)];
    while let Some((path, depth)) = todo.pop() {
        proc.tick().await;
        let metadata = match proc.lstat(&path) {
            Ok(metadata) => metadata,
            Err(errno) => {
                complain(proc, change, errno, "while trying to stat", &path).await;
                continue;
            }
        };
        let outcome = match flags_of(&metadata) {
            // Links in a tree are passed over.
            Err(_) if depth > 0 => Ok(()),
            Err(errno) => Err((errno, "while reading flags on")),
            Ok(before) => {
                let after = change
                    .exactly
                    .unwrap_or((before | change.add) & !change.remove);
                if change.verbose {
                    let shown = shown(after);
                    let text = [b"Flags of ".as_slice(), &path, b" set as ", &shown, b"\n"];
                    let _closed = proc.print(&text.concat()).await;
                }
                proc.change_flags(&path, FileFlags(after & !EXTENTS))
                    .map_err(|errno| (errno, "while setting flags on"))
            }
        };
        if let Err((errno, doing)) = outcome {
            complain(proc, change, errno, doing, &path).await;
        }
        if change.recursive && metadata.is_dir() && depth < MAX_DEPTH {
            for entry in proc.read_directory(&path).unwrap_or_default() {
                if !matches!(&*entry.name, b"." | b"..") {
                    todo.push(([&path, b"/".as_slice(), &entry.name].concat(), depth + 1));
                }
            }
        }
    }
}

async fn complain(proc: &mut Process, change: &Change, errno: Errno, doing: &str, path: &[u8]) {
    proc.set_status(1);
    if !change.quiet {
        let words = format!("chattr: {} {doing} ", errno.message());
        let text = [words.as_bytes(), path, b"\n"].concat();
        proc.print_error(&text).await;
    }
}

/// What a filesystem with flags answers.
fn flags_of(metadata: &Metadata) -> Result<u32, Errno> {
    if metadata.ino.is_synthetic() {
        return Err(Errno::Enotty);
    }
    if !metadata.is_dir() && !metadata.is_regular() {
        return Err(Errno::Eopnotsupp);
    }
    Ok(metadata.flags.0 | EXTENTS)
}

fn shown(flags: u32) -> Vec<u8> {
    LETTERS
        .iter()
        .map(|(letter, bit)| if flags & bit != 0 { *letter } else { b'-' })
        .collect()
}

/// `lsattr`.
pub(super) async fn lsattr(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let has = |letter: u8| {
        words
            .iter()
            .any(|word| word.starts_with(b"-") && word.contains(&letter))
    };
    let (alone, all, recursive) = (has(b'd'), has(b'a'), has(b'R'));
    let mut files: Vec<Vec<u8>> = words
        .iter()
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    if files.is_empty() {
        files.push(b".".to_vec());
    }
    for file in files {
        let metadata = match proc.lstat(&file) {
            Ok(metadata) => metadata,
            Err(errno) => {
                let words = format!("lsattr: {} while trying to stat ", errno.message());
                proc.set_status(1);
                proc.print_error(&[words.as_bytes(), &file, b"\n"].concat())
                    .await;
                continue;
            }
        };
        if !metadata.is_dir() || alone {
            list_one(proc, &file, &metadata).await;
        } else {
            list(proc, &file, all, recursive).await;
        }
    }
    proc.status()
}

async fn list(proc: &mut Process, top: &[u8], all: bool, recursive: bool) {
    let mut todo = vec![(top.to_vec(), 0)];
    while let Some((directory, depth)) = todo.pop() {
        if depth > 0 {
            print(proc, [b"\n".as_slice(), &directory, b":\n"].concat()).await;
        }
        for entry in proc.read_directory(&directory).unwrap_or_default() {
            proc.tick().await;
            if entry.name.starts_with(b".") && !all {
                continue;
            }
            let path = [&directory, b"/".as_slice(), &entry.name].concat();
            let Ok(metadata) = proc.lstat(&path) else {
                continue;
            };
            list_one(proc, &path, &metadata).await;
            let inner = metadata.is_dir() && !matches!(&*entry.name, b"." | b"..");
            if recursive && inner && depth < MAX_DEPTH {
                todo.push((path, depth + 1));
            }
        }
        if depth > 0 {
            print(proc, "\n").await;
        }
    }
}

async fn list_one(proc: &mut Process, path: &[u8], metadata: &Metadata) {
    match flags_of(metadata) {
        Ok(flags) => {
            print(proc, [&shown(flags), b" ".as_slice(), path, b"\n"].concat()).await;
        }
        Err(errno) => {
            let words = format!("lsattr: {} While reading flags on ", errno.message());
            proc.set_status(1);
            proc.print_error(&[words.as_bytes(), path, b"\n"].concat())
                .await;
        }
    }
}
