//! `tar c`.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::{FileType, Metadata};

use super::extract::no_filter;
use super::header::{self, BLOCK, Member};
use super::{Options, fatal, finish};
use crate::archive::codec::Format;
use crate::text::input;
use crate::users::Directory;

/// What archives are padded to: twenty blocks.
const RECORD: usize = 20 * BLOCK;

#[expect(clippy::too_many_lines, reason = "one walk from operands to members")]
pub(super) async fn run(proc: &mut Process, options: &Options) -> ExitStatus {
    let mut output = None;
    if let Some(path) = &options.file {
        match proc.open(path, OpenFlags::CREATE, 0o666).await {
            Ok(fd) => output = Some(fd),
            Err(errno) => return fatal(proc, path, "Cannot open", errno).await,
        }
    }
    if let Some(directory) = &options.directory
        && let Err(errno) = proc.change_directory(directory)
    {
        return fatal(proc, directory, "Cannot open", errno).await;
    }
    let mut memory = proc.memory();
    let mut archive = Vec::new();
    let mut failed = false;
    let users = Directory::load(proc).await;
    let mut stripped = false;
    let mut waiting: Vec<Vec<u8>> = options.operands.iter().rev().cloned().collect();
    while let Some(path) = waiting.pop() {
        proc.tick().await;
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
        if path.starts_with(b"/") && !options.absolute && !std::mem::replace(&mut stripped, true) {
            proc.complain_text(b"Removing leading `/' from member names")
                .await;
        }
        let member = member(proc, &users, &path, &metadata, options.absolute);
        let content = if metadata.is_regular() {
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
        if options.verbose > 0 {
            let slash: &[u8] = if metadata.is_dir() && !path.ends_with(b"/") {
                b"/"
            } else {
                b""
            };
            let line = [path.as_slice(), slash, b"\n"].concat();
            if output.is_some() {
                // The kernel reports a failed write at exit.
                let _reported = proc.print(&line).await;
            } else {
                proc.print_error(&line).await;
            }
        }
        header::write(
            &Member {
                size: content.len(),
                ..member
            },
            &mut archive,
        );
        archive.extend_from_slice(&content);
        header::pad(&mut archive);
        if metadata.is_dir() {
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
        Some(b's') => return no_filter(proc, "zstd").await,
        _ if !options.auto => None,
        _ if ends(b"gz") => Some(Format::Gzip),
        _ if ends(b"bz2") || ends(b"tbz") => Some(Format::Bzip2),
        _ if ends(b"xz") => Some(Format::Xz),
        _ => None,
    };
    // Held until the archive is written.
    let mut _packed_memory = None;
    if let Some(format) = format {
        let level = if format == Format::Bzip2 { 9 } else { 6 };
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
    finish(proc, failed).await
}

fn member(
    proc: &Process,
    users: &Directory,
    path: &[u8],
    metadata: &Metadata,
    absolute: bool,
) -> Member {
    let mut name = path.to_vec();
    if !absolute {
        let slashes = name.iter().take_while(|byte| **byte == b'/').count();
        name.drain(..slashes);
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
    let link = if kind == b'2' {
        proc.read_link(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    Member {
        name,
        mode: metadata.mode & 0o7777,
        uid: metadata.uid,
        gid: metadata.gid,
        size: 0,
        mtime: metadata.mtime,
        kind,
        link,
        user: users.user_name(metadata.uid).unwrap_or_default().to_vec(),
        group: users.group_name(metadata.gid).unwrap_or_default().to_vec(),
    }
}
