//! `tar x` and `tar t`.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::FileType;

use super::header::{self, BLOCK, Block, Member};
use super::rename;
use super::{FAILURE, Options, fatal, finish};
use crate::archive::codec::Format;
use crate::archive::deflate::Failure;
use crate::text::input;
use crate::time::{Shown, Zone};

/// Longest name that a long-name record may hold; Linux's `PATH_MAX`.
const MAX_NAME: usize = 4096;

pub(super) async fn run(proc: &mut Process, options: &Options) -> ExitStatus {
    let path = options.file.clone().unwrap_or_else(|| b"-".to_vec());
    let (bytes, memory) = match input::read_all(proc, &path).await {
        Ok(read) => read,
        Err(Errno::Enomem) => proc.out_of_memory().await,
        Err(errno) if options.filter.is_some() => return child_failed(proc, &path, errno).await,
        Err(Errno::Eisdir) => {
            // tidy-allow(errno-word): part of a sentence that no system call answered
            proc.complain_text([path.as_slice(), b": Cannot read: Is a directory"].concat())
                .await;
            proc.complain_text(b"At beginning of tape, quitting now")
                .await;
            proc.complain_text(b"Error is not recoverable: exiting now")
                .await;
            return ExitStatus::Exited(FAILURE);
        }
        Err(errno) => return fatal(proc, &path, "Cannot open", errno).await,
    };
    let format = match options.filter {
        Some(b'j') => Some(Format::Bzip2),
        Some(b'J') => Some(Format::Xz),
        _ if options.program.is_some() => {
            let name = options.program.clone().unwrap_or_default();
            return no_filter(proc, &name, false).await;
        }
        Some(b'Z') => return filter_failed(proc, b"\ngzip: stdin: not in gzip format\n", 1).await,
        Some(_) => Some(Format::Gzip),
        None => Format::of(&bytes),
    };
    let (bytes, _memory) = match format {
        None => (bytes, memory),
        Some(format) => match format.unpack(proc, &bytes).await {
            Ok(plain) => plain,
            Err(failure) => return unpack_failed(proc, format, failure).await,
        },
    };
    // Only now: the archive was named from where tar was started.
    if options.mode == b'x' {
        for (_, directory) in &options.moves {
            if let Err(errno) = proc.change_directory(directory) {
                return fatal(proc, directory, "Cannot open", errno).await;
            }
        }
    }
    members(proc, options, &bytes).await
}

async fn child_failed(proc: &mut Process, path: &[u8], errno: Errno) -> ExitStatus {
    let reason = errno.message().as_bytes();
    proc.print_error(&[b"tar (child): ", path, b": Cannot open: ", reason, b"\n"].concat())
        .await;
    proc.print_error(b"tar (child): Error is not recoverable: exiting now\n")
        .await;
    filter_failed(proc, b"", 2).await
}

async fn unpack_failed(proc: &mut Process, format: Format, failure: Failure) -> ExitStatus {
    let (text, status): (&[u8], u8) = match (format, failure) {
        (_, Failure::Memory) => proc.out_of_memory().await,
        (Format::Gzip, Failure::Format) => (b"\ngzip: stdin: not in gzip format\n", 1),
        (Format::Gzip, Failure::Truncated) => (b"\ngzip: stdin: unexpected end of file\n", 1),
        (Format::Gzip, Failure::Corrupt) => (
            b"\ngzip: stdin: invalid compressed data--format violated\n",
            1,
        ),
        (Format::Bzip2, Failure::Format) => (b"bzip2: (stdin) is not a bzip2 file.\n", 2),
        (Format::Bzip2, _) => (b"\nbzip2: Data integrity error when decompressing.\n", 2),
        (Format::Xz, Failure::Format) => (b"xz: (stdin): File format not recognized\n", 1),
        (Format::Xz, Failure::Truncated) => (b"xz: (stdin): Unexpected end of input\n", 1),
        (Format::Xz, Failure::Corrupt) => (b"xz: (stdin): Compressed data is corrupt\n", 1),
    };
    filter_failed(proc, text, status).await
}

/// A program that tar would call and that is not there.
pub(super) async fn no_filter(proc: &mut Process, name: &[u8], packs: bool) -> ExitStatus {
    if packs {
        // The shell that would run it says so.
        let text = [b"/bin/sh: 1: ".as_slice(), name, b": not found\n"].concat();
        return filter_failed(proc, &text, 127).await;
    }
    let name = String::from_utf8_lossy(name);
    let reason = Errno::Enoent.message();
    let text = format!(
        "tar (child): {name}: Cannot exec: {reason}\ntar (child): Error is not recoverable: exiting now\n"
    );
    filter_failed(proc, text.as_bytes(), 2).await
}

async fn filter_failed(proc: &mut Process, text: &[u8], status: u8) -> ExitStatus {
    proc.print_error(text).await;
    proc.complain_text(format!("Child returned status {status}"))
        .await;
    proc.complain_text(b"Error is not recoverable: exiting now")
        .await;
    ExitStatus::Exited(FAILURE)
}

#[expect(
    clippy::too_many_lines,
    reason = "one pass over the members, whose state all belongs together"
)]
async fn members(proc: &mut Process, options: &Options, bytes: &[u8]) -> ExitStatus {
    let mut rest = bytes;
    let mut failed = false;
    let mut first = true;
    // Whether blocks that are no headers are passed over.
    let mut skipping = false;
    let mut long: (Option<Vec<u8>>, Option<Vec<u8>>) = (None, None);
    let mut found = vec![false; options.operands.len()];
    let mut directories = Vec::new();
    let mut stripped = false;
    // Differences end tar with 1, which is no error to be spoken of.
    let mut failed_quietly = false;
    loop {
        proc.tick().await;
        let Some((block, after)) = rest.split_at_checked(BLOCK) else {
            if first {
                proc.complain_text(b"This does not look like a tar archive")
                    .await;
                failed = true;
            }
            break;
        };
        let mut member = match header::read(block) {
            Block::Member(member) => member,
            Block::End => {
                if options.numbers {
                    let number = (bytes.len() - rest.len()) / BLOCK;
                    let line = format!("block {number}: ** Block of NULs **\n");
                    // The kernel reports a failed write at exit.
                    let _reported = proc.print(line.as_bytes()).await;
                }
                let next = after.get(..BLOCK).map(header::read);
                if next != Some(Block::End) {
                    let number = (bytes.len() - after.len()) / BLOCK;
                    let name = proc.name();
                    let line = [
                        name,
                        format!(": A lone zero block at {number}\n").as_bytes(),
                    ]
                    .concat();
                    proc.print_error(&line).await;
                }
                break;
            }
            Block::Garbage => {
                if first {
                    proc.complain_text(b"This does not look like a tar archive")
                        .await;
                }
                if !std::mem::replace(&mut skipping, true) {
                    proc.complain_text(b"Skipping to next header").await;
                }
                (first, failed, rest) = (false, true, after);
                continue;
            }
        };
        (first, skipping) = (false, false);
        let at = bytes.len() - rest.len();
        let size = if matches!(member.kind, b'1' | b'2' | b'5') {
            0
        } else {
            member.size
        };
        let content = after.get(..size);
        if content.is_none()
            && matches!(options.mode, b't' | b'd')
            && wanted(options, &member.name, &mut found)
        {
            // The name was read: it is shown before what lacks is missed.
            let line = shown(options, &member, bytes.len() - rest.len());
            // The kernel reports a failed write at exit.
            let _reported = proc.print(&line).await;
        }
        let Some(content) = content else {
            if options.mode == b'x' {
                proc.complain_text(b"Unexpected EOF in archive").await;
            }
            proc.complain_text(b"Unexpected EOF in archive").await;
            proc.complain_text(b"Error is not recoverable: exiting now")
                .await;
            return ExitStatus::Exited(FAILURE);
        };
        rest = after
            .get(size.div_ceil(BLOCK) * BLOCK..)
            .unwrap_or_default();
        match member.kind {
            b'L' | b'K' => {
                let text = content.split(|&byte| byte == 0).next().unwrap_or_default();
                let text = text.get(..text.len().min(MAX_NAME)).map(<[u8]>::to_vec);
                if member.kind == b'L' {
                    long.0 = text
                } else {
                    long.1 = text
                }
                continue;
            }
            b'x' => {
                long.0 = record(content, b"path").or(long.0);
                long.1 = record(content, b"linkpath").or(long.1);
                continue;
            }
            b'g' => continue,
            _ => {}
        }
        if let Some(name) = long.0.take() {
            member.name = name;
        }
        if let Some(link) = long.1.take() {
            member.link = link;
        }
        if !wanted(options, &member.name, &mut found) {
            continue;
        }
        let original = member.name.clone();
        if !options.renames.is_empty() {
            member.name = rename::name(&options.renames, &member.name);
            member.link = rename::link(&options.renames, &member.link);
        }
        if options.strip > 0 && options.mode == b'x' {
            let parts: Vec<&[u8]> = member
                .name
                .split(|&byte| byte == b'/')
                .skip(options.strip)
                .collect();
            member.name = parts.join(&b'/');
            if member.name.is_empty() {
                continue;
            }
        }
        if options.mode == b't' || options.verbose > 0 {
            let renamed = std::mem::take(&mut member.name);
            member.name = if options.show_transformed {
                renamed.clone()
            } else {
                original
            };
            let line = shown(options, &member, at);
            member.name = renamed;
            // The kernel reports a failed write at exit.
            let _reported = proc.print(&line).await;
        }
        if options.mode == b'd' {
            failed_quietly |= super::compare::run(proc, &member, content).await;
        }
        if options.mode != b'x' {
            continue;
        }
        if member.name.starts_with(b"/") && !options.absolute {
            if !std::mem::replace(&mut stripped, true) {
                proc.complain_text(b"Removing leading `/' from member names")
                    .await;
            }
            let slashes = member.name.iter().take_while(|byte| **byte == b'/').count();
            member.name.drain(..slashes);
        }
        if member
            .name
            .split(|&byte| byte == b'/')
            .any(|part| part == b"..")
            && !options.absolute
        {
            proc.complain_text([member.name.as_slice(), b": Member name contains '..'"].concat())
                .await;
            failed = true;
            continue;
        }
        if let Err((text, errno)) = extract(proc, options, &member, content).await {
            failed = true;
            let line = [
                member.name.as_slice(),
                b": ",
                text,
                b": ",
                errno.message().as_bytes(),
            ]
            .concat();
            proc.complain_text(line).await;
        } else if member.kind == b'5' {
            directories.push(member);
        }
    }
    // Last, as what is put into a directory changes its time.
    for member in directories.iter().rev() {
        attributes(proc, options, member);
    }
    let globs = |name: &[u8]| name.iter().any(|byte| b"*?[".contains(byte));
    let missed = options.operands.iter().zip(&found);
    if !options.wildcards
        && missed
            .filter(|(_, found)| !**found)
            .any(|(name, _)| globs(name))
    {
        for line in [
            "Pattern matching characters used in file names",
            "Use --wildcards to enable pattern matching, or --no-wildcards to suppress this warning",
        ] {
            proc.complain_text(line).await;
        }
    }
    for (name, _) in options
        .operands
        .iter()
        .zip(&found)
        .filter(|(_, found)| !**found)
    {
        failed = true;
        proc.complain_text([name.as_slice(), b": Not found in archive"].concat())
            .await;
    }
    if failed_quietly && !failed {
        return ExitStatus::FAILURE;
    }
    finish(proc, failed).await
}

/// A member's line: with `-R` the number of its first block before it.
fn shown(options: &Options, member: &Member, at: usize) -> Vec<u8> {
    let line = if options.mode == b't' && options.verbose > 0 || options.verbose > 1 {
        listing(options, member)
    } else {
        [member.name.as_slice(), b"\n"].concat()
    };
    if options.numbers {
        return [format!("block {}: ", at / BLOCK).as_bytes(), &line].concat();
    }
    line
}

/// A record of a POSIX extended header.
fn record(content: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let line = content.split(|&byte| byte == b'\n').find_map(|line| {
        let at = line.iter().position(|&byte| byte == b' ')?;
        line.get(at + 1..)?.strip_prefix(key)?.strip_prefix(b"=")
    })?;
    line.get(..line.len().min(MAX_NAME)).map(<[u8]>::to_vec)
}

fn wanted(options: &Options, name: &[u8], found: &mut [bool]) -> bool {
    let plain = name.strip_suffix(b"/").unwrap_or(name);
    let base = plain.rsplit(|&byte| byte == b'/').next().unwrap_or(plain);
    if options
        .exclude
        .iter()
        .any(|glob| glob.matches(plain) || glob.matches(base))
    {
        return false;
    }
    if options.operands.is_empty() {
        return true;
    }
    let mut any = false;
    for (operand, found) in options.operands.iter().zip(found) {
        let operand = operand.strip_suffix(b"/").unwrap_or(operand);
        if options.wildcards {
            let glob = sundew_posix::pattern::Pattern::from_bytes(
                operand,
                sundew_posix::pattern::Options::default(),
            );
            if glob.matches(plain) {
                *found = true;
                any = true;
            }
            continue;
        }
        let below = plain
            .strip_prefix(operand)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
        *found |= below;
        any |= below;
    }
    any
}

pub(super) fn listing(options: &Options, member: &Member) -> Vec<u8> {
    let letter = match member.kind {
        b'5' => 'd',
        b'2' => 'l',
        b'1' => 'h',
        b'3' => 'c',
        b'4' => 'b',
        b'6' => 'p',
        _ => '-',
    };
    let name = |text: &[u8], number: u32| {
        if text.is_empty() || options.numeric {
            number.to_string()
        } else {
            String::from_utf8_lossy(text).into_owned()
        }
    };
    let owner = format!(
        "{}/{}",
        name(&member.user, member.uid),
        name(&member.group, member.gid)
    );
    let size = if matches!(member.kind, b'1' | b'2' | b'5') {
        0
    } else {
        member.size
    }
    .to_string();
    // The columns are 19 wide together until something longer comes.
    let width = 18usize.saturating_sub(owner.len()).max(size.len());
    let permissions = crate::mode::permissions(member.mode);
    let front = format!("{letter}{permissions} {owner} {size:>width$} ");
    let time = Shown::new(member.mtime, &Zone::utc()).format(b"%Y-%m-%d %H:%M");
    let mut line = [front.as_bytes(), &time, b" ", &member.name].concat();
    match member.kind {
        b'2' => line.extend_from_slice(&[b" -> ", member.link.as_slice()].concat()),
        b'1' => line.extend_from_slice(&[b" link to ", member.link.as_slice()].concat()),
        _ => {}
    }
    line.push(b'\n');
    line
}

type Trouble = (&'static [u8], Errno);

async fn extract(
    proc: &mut Process,
    options: &Options,
    member: &Member,
    content: &[u8],
) -> Result<(), Trouble> {
    if options.to_stdout {
        if member.kind == b'0' || member.kind == 0 {
            // The kernel reports a failed write at exit.
            let _reported = proc.print(content).await;
        }
        return Ok(());
    }
    let name = member.name.strip_suffix(b"/").unwrap_or(&member.name);
    if member.kind == b'5' {
        return match proc.make_directory(name, 0o700) {
            Ok(()) => Ok(()),
            Err(Errno::Eexist) if proc.stat(name).is_ok_and(|metadata| metadata.is_dir()) => Ok(()),
            Err(Errno::Enoent) => {
                parents(proc, name);
                proc.make_directory(name, 0o700)
                    .map_err(|errno| (b"Cannot mkdir".as_slice(), errno))
            }
            Err(errno) => Err((b"Cannot mkdir", errno)),
        };
    }
    if let Ok(metadata) = proc.lstat(name) {
        if options.skip_old {
            proc.complain_text([name, b": skipping existing file"].concat())
                .await;
            return Ok(());
        }
        if options.keep_newer && metadata.mtime.secs >= member.mtime.secs {
            let shown = crate::quote::text(proc, name);
            proc.complain_text([b"Current ", shown.as_slice(), b" is newer or same age"].concat())
                .await;
            return Ok(());
        }
        if options.keep {
            return Err((b"Cannot open", Errno::Eexist));
        }
        if !metadata.is_dir() {
            proc.unlink(name)
                .map_err(|errno| (b"Cannot unlink".as_slice(), errno))?;
        }
    } else {
        parents(proc, name);
    }
    match member.kind {
        b'2' => {
            proc.symlink(&member.link, name)
                .map_err(|errno| (b"Cannot create symlink".as_slice(), errno))?;
        }
        b'1' => proc
            .link(&member.link, name, false)
            .map_err(|errno| (b"Cannot hard link".as_slice(), errno))?,
        b'6' => proc
            .make_node(name, FileType::Fifo, member.mode, (0, 0))
            .map_err(|errno| (b"Cannot mkfifo".as_slice(), errno))?,
        b'3' | b'4' => return Err((b"Cannot mknod", Errno::Eperm)),
        _ => {
            let open = proc.open(name, OpenFlags::CREATE, 0o600).await;
            let fd = open.map_err(|errno| (b"Cannot open".as_slice(), errno))?;
            let written = proc.write_all(fd, content).await;
            input::close(proc, fd);
            written.map_err(|errno| (b"Cannot write".as_slice(), errno))?;
        }
    }
    attributes(proc, options, member);
    Ok(())
}

/// Makes the directories that a name needs.
fn parents(proc: &Process, name: &[u8]) {
    for (at, _) in name.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        // One that is there already is fine; another failure shows with the member itself.
        let _made = proc.make_directory(name.get(..at).unwrap_or_default(), 0o777);
    }
}

/// Owner, mode and time; only root may give files away.
fn attributes(proc: &Process, options: &Options, member: &Member) {
    let name = member.name.strip_suffix(b"/").unwrap_or(&member.name);
    // As in the original, what cannot be set is not worth stopping for.
    let is_root = proc.credentials().uid == 0;
    if is_root {
        let _owner = proc.change_owner(name, Some(member.uid), Some(member.gid), false);
    }
    if member.kind != b'2' {
        let mask = if is_root { 0 } else { proc.umask() };
        let _mode = proc.change_mode(name, member.mode & !mask);
    }
    if !options.touch {
        let _time = proc.set_times(name, None, Some(member.mtime), false);
    }
}
