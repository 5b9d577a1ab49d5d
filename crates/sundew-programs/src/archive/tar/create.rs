//! `tar c`, `tar r`, `tar u`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::{FileType, InodeId, Metadata, Timestamp};

use super::extract::no_filter;
use super::header::{self, BLOCK, Member};
use super::rename;
use super::{Options, fatal, finish};
use crate::archive::codec::Format;
use crate::text::input;
use crate::users::Directory;

/// What archives are padded to: twenty blocks.
const RECORD: usize = 20 * BLOCK;

#[expect(clippy::too_many_lines, reason = "one walk from operands to members")]
pub(super) async fn run(proc: &mut Process, options: &Options) -> ExitStatus {
    let mut output = None;
    let mut archive = Vec::new();
    if let Some(path) = &options.file {
        if options.mode != b'c' {
            // What is there stays, but for the zeros at its end.
            match input::read_all(proc, path).await {
                Ok((bytes, _memory)) => {
                    let length = header::length(&bytes);
                    archive.extend_from_slice(bytes.get(..length).unwrap_or_default());
                }
                Err(Errno::Enoent) => {}
                Err(errno) => return fatal(proc, path, "Cannot open", errno).await,
            }
        }
        match proc.open(path, OpenFlags::CREATE, 0o666).await {
            Ok(fd) => output = Some(fd),
            Err(errno) => return fatal(proc, path, "Cannot open", errno).await,
        }
    }
    let itself = output
        .and_then(|fd| proc.fstat(fd).ok())
        .filter(Metadata::is_regular)
        .map(|found| (found.dev, found.ino));
    let mut memory = proc.memory();
    let mut failed = false;
    let users = Directory::load(proc).await;
    let mut stripped = false;
    let mut linked: HashMap<(u64, InodeId), Vec<u8>> = HashMap::new();
    let mut operands = options.operands.iter().enumerate();
    let mut waiting: Vec<Vec<u8>> = Vec::new();
    let mut stored = Vec::new();
    let mut index = options.index.as_ref().map(|_| Vec::new());
    let began = proc.now();
    loop {
        proc.tick().await;
        let Some(path) = waiting.pop() else {
            let Some((number, operand)) = operands.next() else {
                break;
            };
            for (_, directory) in options.moves.iter().filter(|(at, _)| *at == number) {
                if let Err(errno) = proc.change_directory(directory) {
                    return fatal(proc, directory, "Cannot open", errno).await;
                }
            }
            waiting.push(operand.clone());
            continue;
        };
        let leading = leading(&path);
        if leading > 0 && !options.absolute && !std::mem::replace(&mut stripped, true) {
            let prefix = path.get(..leading).unwrap_or_default();
            let shown: &[u8] = if prefix.iter().all(|byte| *byte == b'/') {
                b"/"
            } else {
                prefix
            };
            let text = [
                b"Removing leading `".as_slice(),
                shown,
                b"' from member names",
            ];
            proc.complain_text(text.concat()).await;
        }
        let found = if options.follow {
            proc.stat(&path)
        } else {
            proc.lstat(&path)
        };
        let metadata = match found {
            Ok(metadata) => metadata,
            Err(errno) => {
                failed = true;
                let text = [
                    path.as_slice(),
                    b": Cannot stat: ",
                    errno.message().as_bytes(),
                ]
                .concat();
                proc.complain_text(text).await;
                continue;
            }
        };
        let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or(&path);
        if options
            .exclude
            .iter()
            .any(|glob| glob.matches(base) || glob.matches(&path))
        {
            continue;
        }
        if itself == Some((metadata.dev, metadata.ino)) {
            let line = [
                proc.name(),
                b": ",
                path.as_slice(),
                b": file is the archive; not dumped\n",
            ]
            .concat();
            proc.print_error(&line).await;
            continue;
        }
        if options
            .newer
            .is_some_and(|since| metadata.mtime.secs < since)
            && metadata.is_regular()
            && !options.operands.contains(&path)
        {
            continue;
        }
        let mut member = member(proc, &users, &path, &metadata, options);
        if metadata.is_regular() && metadata.nlink > 1 {
            match linked.entry((metadata.dev, metadata.ino)) {
                Entry::Occupied(earlier) => {
                    (member.kind, member.link) = (b'1', earlier.get().clone());
                }
                Entry::Vacant(free) => {
                    free.insert(member.name.clone());
                }
            }
        }
        let content = if metadata.is_regular() && member.kind != b'1' {
            match input::read_all(proc, &path).await {
                Ok((content, _memory)) => content,
                Err(errno) => {
                    failed = true;
                    let text = [
                        path.as_slice(),
                        b": Cannot open: ",
                        errno.message().as_bytes(),
                    ]
                    .concat();
                    proc.complain_text(text).await;
                    continue;
                }
            }
        } else {
            Vec::new()
        };
        if memory.grow(content.len() + 2 * BLOCK).is_err() {
            proc.out_of_memory().await;
        }
        member.size = content.len();
        if options.verbose > 0 {
            let slash: &[u8] = if metadata.is_dir() && !path.ends_with(b"/") {
                b"/"
            } else {
                b""
            };
            let line = if options.verbose > 1 {
                super::extract::listing(options, &member)
            } else if options.show_transformed {
                [member.name.as_slice(), b"\n"].concat()
            } else {
                [path.as_slice(), slash, b"\n"].concat()
            };
            if let Some(index) = &mut index {
                index.extend_from_slice(&line);
            } else if output.is_some() {
                // The kernel reports a failed write at exit.
                let _reported = proc.print(&line).await;
            } else {
                proc.print_error(&line).await;
            }
        }
        header::write(&member, &mut archive);
        archive.extend_from_slice(&content);
        header::pad(&mut archive);
        if options.remove {
            stored.push((path.clone(), metadata.is_dir()));
        }
        if metadata.is_dir() && !options.no_recursion {
            let mut entries = proc.read_directory(&path).unwrap_or_default();
            entries.reverse();
            let slash: &[u8] = if path.ends_with(b"/") { b"" } else { b"/" };
            waiting.extend(
                entries
                    .iter()
                    .map(|entry| [&path, slash, &entry.name].concat()),
            );
        }
    }
    archive.resize((archive.len() + 2 * BLOCK).div_ceil(RECORD) * RECORD, 0);
    let ends = |suffix: &[u8]| {
        options
            .file
            .as_ref()
            .is_some_and(|file| file.ends_with(suffix))
    };
    let format = match options.filter {
        Some(b'z') => Some(Format::Gzip),
        Some(b'j') => Some(Format::Bzip2),
        Some(b'J') => Some(Format::Xz),
        _ if options.program.is_some() => {
            let name = options.program.clone().unwrap_or_default();
            return no_filter(proc, &name, true).await;
        }
        _ if !options.auto => None,
        _ if ends(b"gz") => Some(Format::Gzip),
        _ if ends(b"bz2") || ends(b"tbz") => Some(Format::Bzip2),
        _ if ends(b"xz") => Some(Format::Xz),
        _ => None,
    };
    // Held until the archive is written.
    let mut _packed_memory = None;
    if let Some(format) = format {
        let usual = if format == Format::Bzip2 { 9 } else { 6 };
        let level = options.level.unwrap_or(usual);
        let Ok((packed, memory)) = format.pack(proc, &archive, level).await else {
            proc.out_of_memory().await
        };
        (archive, _packed_memory) = (packed, Some(memory));
    }
    let written = match output {
        Some(fd) => proc.write_all(fd, &archive).await,
        None => proc.print(&archive).await,
    };
    if let (Err(errno), Some(path)) = (written, &options.file) {
        return fatal(proc, path, "Cannot write", errno).await;
    }
    for (path, directory) in stored.iter().rev() {
        let removed = if *directory {
            proc.remove_directory(path)
        } else {
            proc.unlink(path)
        };
        if let Err(errno) = removed {
            failed = true;
            let reason = errno.message().as_bytes();
            proc.complain_text([path, b": Cannot unlink: ".as_slice(), reason].concat())
                .await;
        }
    }
    if let (Some(index), Some(path)) = (index, &options.index)
        && let Ok(fd) = proc.open(path, OpenFlags::CREATE, 0o666).await
    {
        // As in the original, nothing is said of a list that cannot be kept.
        let _written = proc.write_all(fd, &index).await;
        let _closed = proc.close(fd);
    }
    if options.totals {
        let bytes = archive.len();
        let spent = proc.now();
        let micros = (spent.secs - began.secs).saturating_mul(1_000_000)
            + (i64::from(spent.nanos) - i64::from(began.nanos)) / 1000;
        // Never less than the original's own start takes.
        let micros = usize::try_from(micros.max(200)).unwrap_or(200);
        let rate = kibibytes(bytes.saturating_mul(1_000_000) / micros);
        let line = format!(
            "Total bytes written: {bytes} ({}, {rate}/s)\n",
            kibibytes(bytes)
        );
        proc.print_error(line.as_bytes()).await;
    }
    finish(proc, failed).await
}

/// `10KiB`, as `--totals` has it.
fn kibibytes(bytes: usize) -> String {
    let mut value = bytes;
    let mut units = ["", "KiB", "MiB", "GiB"].into_iter().peekable();
    let mut unit = units.next().unwrap_or_default();
    while value >= 1024
        && let Some(next) = units.next()
    {
        value = value.div_ceil(1024);
        unit = next;
    }
    format!("{value}{unit}")
}

/// How much of a name is left out: slashes, and everything up to the last `..`.
fn leading(path: &[u8]) -> usize {
    let mut length = 0;
    let mut at = 0;
    for part in path.split_inclusive(|&byte| byte == b'/') {
        at += part.len();
        if part == b"../" || (part == b"/" && length + 1 == at) {
            length = at;
        }
    }
    length
}

fn member(
    proc: &Process,
    users: &Directory,
    path: &[u8],
    metadata: &Metadata,
    options: &Options,
) -> Member {
    let mut name = path.to_vec();
    if !options.absolute {
        name.drain(..leading(path));
        if name.is_empty() {
            name.extend_from_slice(b".");
        }
    }
    let kind = match metadata.file_type {
        FileType::Directory => b'5',
        FileType::Symlink => b'2',
        FileType::CharDevice => b'3',
        FileType::BlockDevice => b'4',
        FileType::Fifo => b'6',
        FileType::Regular | FileType::Socket => b'0',
    };
    if kind == b'5' && !name.ends_with(b"/") {
        name.push(b'/');
    }
    let mut link = if kind == b'2' {
        proc.read_link(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    if !options.renames.is_empty() {
        name = rename::name(&options.renames, &name);
        link = rename::link(&options.renames, &link);
    }
    Member {
        name,
        mode: match &options.permissions {
            Some(change) => change.apply(metadata.mode, metadata.is_dir(), 0),
            None => metadata.mode,
        } & 0o7777,
        uid: metadata.uid,
        gid: metadata.gid,
        size: 0,
        mtime: options
            .mtime
            .map_or(metadata.mtime, |secs| Timestamp { secs, nanos: 0 }),
        kind,
        link,
        user: match &options.owner {
            Some(owner) => owner.clone(),
            None => users.user_name(metadata.uid).unwrap_or_default().to_vec(),
        },
        group: match &options.group {
            Some(group) => group.clone(),
            None => users.group_name(metadata.gid).unwrap_or_default().to_vec(),
        },
    }
}
