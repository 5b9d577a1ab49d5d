//! `cpio` of GNU cpio 2.13: copy-out, copy-in and pass-through, in the formats newc and odc.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};
use sundew_vfs::{FileType, InodeId, Timestamp};

/// Bytes moved at once, and what an archive is filled up to.
const BLOCK_BYTES: usize = 512;
/// Longest name in an archive, in bytes: `PATH_MAX`.
const MAX_NAME_BYTES: usize = 4096;
/// What a newc header begins with, and how long it is.
const NEWC: &[u8] = b"070701";
const NEWC_BYTES: usize = 110;
/// The same for the old portable format.
const ODC: &[u8] = b"070707";
const ODC_BYTES: usize = 76;
const TRAILER: &[u8] = b"TRAILER!!!";
const USAGE: &str = "Usage: cpio [-?] [--help] [--usage] [--version]\n";

#[derive(Debug, Default)]
struct Options {
    mode: Option<u8>,
    newc: bool,
    odc: bool,
    directories: bool,
    times: bool,
    replaces: bool,
    lists: bool,
    verbose: bool,
    quiet: bool,
    nul: bool,
    absolute: bool,
    file: Option<Vec<u8>>,
    operands: Vec<Vec<u8>>,
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
fn read(args: &[Vec<u8>]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix(b"--") {
            let long = String::from_utf8_lossy(long).into_owned();
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.as_bytes().to_vec())),
                None => (long.clone(), None),
            };
            match name.as_str() {
                "create" => options.mode = Some(b'o'),
                "extract" => options.mode = Some(b'i'),
                "pass-through" => options.mode = Some(b'p'),
                "list" => options.lists = true,
                "make-directories" => options.directories = true,
                "preserve-modification-time" => options.times = true,
                "unconditional" => options.replaces = true,
                "verbose" => options.verbose = true,
                "quiet" => options.quiet = true,
                "null" => options.nul = true,
                "absolute-filenames" => options.absolute = true,
                "no-absolute-filenames" | "reset-access-time" | "dereference" | "sparse" => {}
                "format" => match value
                    .or_else(|| words.next().cloned())
                    .unwrap_or_default()
                    .as_slice()
                {
                    b"newc" | b"crc" => options.newc = true,
                    b"odc" => options.odc = true,
                    b"bin" | b"ustar" | b"tar" => {}
                    other => {
                        let other = String::from_utf8_lossy(other);
                        return Err(format!(
                            "cpio: invalid archive format '{other}'; valid formats are:\ncrc newc odc bin ustar tar (all-caps also recognized)\n"
                        ));
                    }
                },
                "file" => options.file = value.or_else(|| words.next().cloned()),
                _ => {
                    return Err(format!(
                        "cpio: unrecognized option '--{long}'\nTry 'cpio --help' or 'cpio --usage' for more information.\n"
                    ));
                }
            }
            continue;
        }
        let Some(letters) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            options.operands.push(word.clone());
            continue;
        };
        for (at, &letter) in letters.iter().enumerate() {
            match letter {
                b'o' | b'i' | b'p' => options.mode = Some(letter),
                b't' => options.lists = true,
                b'd' => options.directories = true,
                b'm' => options.times = true,
                b'u' => options.replaces = true,
                b'v' => options.verbose = true,
                b'0' => options.nul = true,
                b'c' => options.odc = true,
                b'a' | b'L' | b'B' | b'l' | b'n' | b'k' | b'b' | b's' | b'S' | b'r' | b'A' => {}
                b'H' | b'F' | b'O' | b'I' | b'D' | b'E' | b'R' | b'C' | b'W' | b'M' => {
                    let rest = letters.get(at + 1..).unwrap_or_default();
                    let value = if rest.is_empty() {
                        words.next().cloned()
                    } else {
                        Some(rest.to_vec())
                    };
                    let Some(value) = value else {
                        let letter = char::from(letter);
                        return Err(format!(
                            "cpio: option requires an argument -- '{letter}'\nTry 'cpio --help' or 'cpio --usage' for more information.\n"
                        ));
                    };
                    match letter {
                        b'H' if value.eq_ignore_ascii_case(b"newc")
                            || value.eq_ignore_ascii_case(b"crc") =>
                        {
                            options.newc = true
                        }
                        b'H' if value.eq_ignore_ascii_case(b"odc") => options.odc = true,
                        b'F' | b'O' | b'I' => options.file = Some(value),
                        _ => {}
                    }
                    break;
                }
                other => {
                    let other = char::from(other);
                    return Err(format!(
                        "cpio: invalid option -- '{other}'\nTry 'cpio --help' or 'cpio --usage' for more information.\n"
                    ));
                }
            }
        }
    }
    Ok(options)
}

/// One member.
#[derive(Debug, Default, Clone)]
struct Member {
    name: Vec<u8>,
    ino: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    links: u64,
    mtime: u64,
    size: u64,
}

impl Member {
    fn head(&self, newc: bool) -> Vec<u8> {
        let length = self.name.len() as u64 + 1;
        let mut out = Vec::new();
        if newc {
            out.extend_from_slice(NEWC);
            let fields = [
                self.ino,
                self.mode.into(),
                self.uid.into(),
                self.gid.into(),
                self.links,
                self.mtime,
                self.size,
                8,
                1,
                0,
                0,
                length,
                0,
            ];
            for field in fields {
                out.extend(format!("{:08X}", field & 0xffff_ffff).into_bytes());
            }
        } else {
            out.extend_from_slice(ODC);
            let octal = |value: u64, width: usize| {
                let text = format!("{value:0width$o}");
                let cut = text.len().saturating_sub(width);
                text.get(cut..).unwrap_or_default().to_owned()
            };
            for (value, width) in [
                (0o4001, 6),
                (self.ino, 6),
                (self.mode.into(), 6),
                (self.uid.into(), 6),
                (self.gid.into(), 6),
                (self.links, 6),
                (0, 6),
                (self.mtime, 11),
                (length, 6),
                (self.size, 11),
            ] {
                out.extend(octal(value, width).into_bytes());
            }
        }
        out.extend_from_slice(&self.name);
        out.push(0);
        pad(&mut out, newc);
        out
    }
}

/// Fills up to four bytes, as newc wants it.
fn pad(out: &mut Vec<u8>, newc: bool) {
    while newc && !out.len().is_multiple_of(4) {
        out.push(0);
    }
}

fn kind(file_type: FileType) -> u32 {
    match file_type {
        FileType::Directory => 0o040_000,
        FileType::Symlink => 0o120_000,
        FileType::CharDevice => 0o020_000,
        FileType::BlockDevice => 0o060_000,
        FileType::Fifo => 0o010_000,
        FileType::Socket => 0o140_000,
        FileType::Regular => 0o100_000,
    }
}

/// An archive that is read.
struct Archive {
    fd: sundew_kernel::Fd,
    buffer: Vec<u8>,
    taken: u64,
}

impl Archive {
    async fn exactly(&mut self, proc: &Process, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            let mut chunk = vec![0; 16 * 1024];
            match proc.read(self.fd, &mut chunk).await {
                Ok(0) | Err(_) => return None,
                Ok(read) => self
                    .buffer
                    .extend_from_slice(chunk.get(..read).unwrap_or_default()),
            }
        }
        let rest = self.buffer.split_off(count);
        self.taken += count as u64;
        Some(std::mem::replace(&mut self.buffer, rest))
    }

    async fn align(&mut self, proc: &Process, newc: bool) {
        let over = usize::try_from(self.taken % 4).unwrap_or(0);
        if newc && over > 0 {
            // At the end there may be nothing left to pass over.
            let _end = self.exactly(proc, 4 - over).await;
        }
    }

    /// The next member and whether it is newc's; `None` at the end.
    async fn next(&mut self, proc: &Process) -> Result<Option<(Member, bool)>, &'static str> {
        let magic = self
            .exactly(proc, 6)
            .await
            .ok_or("premature end of archive")?;
        let newc = magic == NEWC || magic == b"070702";
        if !newc && magic != ODC {
            return Err("premature end of archive");
        }
        let length = if newc { NEWC_BYTES } else { ODC_BYTES } - 6;
        let head = self
            .exactly(proc, length)
            .await
            .ok_or("premature end of archive")?;
        let mut at = 0;
        let mut field = |width: usize| {
            let text = head.get(at..at + width).unwrap_or_default();
            at += width;
            let text = std::str::from_utf8(text).unwrap_or_default();
            u64::from_str_radix(text, if newc { 16 } else { 8 }).unwrap_or(0)
        };
        let mut member = Member::default();
        let name_length;
        let small = |value: u64| u32::try_from(value).unwrap_or(0);
        if newc {
            member.ino = field(8);
            member.mode = small(field(8));
            member.uid = small(field(8));
            member.gid = small(field(8));
            member.links = field(8);
            member.mtime = field(8);
            member.size = field(8);
            let _devices = (field(8), field(8), field(8), field(8));
            name_length = field(8);
        } else {
            let _device = field(6);
            member.ino = field(6);
            member.mode = small(field(6));
            member.uid = small(field(6));
            member.gid = small(field(6));
            member.links = field(6);
            let _rdev = field(6);
            member.mtime = field(11);
            name_length = field(6);
            member.size = field(11);
        }
        let name_length = usize::try_from(name_length).unwrap_or(0);
        if name_length == 0 || name_length > MAX_NAME_BYTES {
            return Err("premature end of archive");
        }
        let mut name = self
            .exactly(proc, name_length)
            .await
            .ok_or("premature end of archive")?;
        name.pop();
        self.align(proc, newc).await;
        if name == TRAILER {
            return Ok(None);
        }
        member.name = name;
        Ok(Some((member, newc)))
    }
}

/// `cpio`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    if proc.args().iter().any(|word| word == b"--version") {
        let text = "cpio (GNU cpio) 2.13\nCopyright (C) 2017 Free Software Foundation, Inc.\nLicense GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>.\nThis is free software: you are free to change and redistribute it.\nThere is NO WARRANTY, to the extent permitted by law.\n\nWritten by Phil Nelson, David MacKenzie, John Oleynick,\nand Sergey Poznyakoff.\n";
        // Whoever does not want the text needs no complaint about it.
        let _closed = proc.print(text.as_bytes()).await;
        return proc.status();
    }
    let options = match read(proc.args()) {
        Ok(options) => options,
        Err(complaint) => {
            proc.print_error(complaint.as_bytes()).await;
            return ExitStatus::Exited(2);
        }
    };
    match options.mode {
        Some(b'o') => create(proc, &options).await,
        Some(b'p') => pass(proc, &options).await,
        Some(_) => extract(proc, &options).await,
        None if options.lists => extract(proc, &options).await,
        None => {
            let text = format!(
                "cpio: You must specify one of -oipt options.\nTry 'cpio --help' or 'cpio --usage' for more information.\n{}",
                if options.quiet { USAGE } else { "" }
            );
            proc.print_error(text.as_bytes()).await;
            ExitStatus::Exited(2)
        }
    }
}

async fn blocks(proc: &mut Process, options: &Options, bytes: u64) {
    if options.quiet {
        return;
    }
    let count = bytes.div_ceil(BLOCK_BYTES as u64);
    let text = format!("{count} block{}\n", if count == 1 { "" } else { "s" });
    proc.print_error(text.as_bytes()).await;
}

fn member(proc: &Process, name: &[u8]) -> Result<(Member, FileType), Errno> {
    let metadata = proc.lstat(name)?;
    let plain = metadata.file_type == FileType::Regular;
    let shown = name
        .strip_prefix(b"./")
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name);
    let member = Member {
        name: shown.to_vec(),
        ino: metadata.ino.0 & !InodeId::SYNTHETIC,
        mode: kind(metadata.file_type) | u32::from(metadata.mode),
        uid: metadata.uid,
        gid: metadata.gid,
        links: metadata.nlink.into(),
        mtime: u64::try_from(metadata.mtime.secs).unwrap_or(0),
        size: if plain { metadata.size } else { 0 },
    };
    Ok((member, metadata.file_type))
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn create(proc: &mut Process, options: &Options) -> ExitStatus {
    let out = match &options.file {
        Some(path) => match proc.open(path, OpenFlags::CREATE, 0o666).await {
            Ok(fd) => fd,
            Err(errno) => {
                proc.complain(&[b"Cannot open ".as_slice(), path].concat(), errno)
                    .await;
                return ExitStatus::Exited(2);
            }
        },
        None => 1,
    };
    // Without a format the old binary one is written by the real one; it is read by nobody else.
    let newc = options.newc;
    let end = if options.nul { 0 } else { b'\n' };
    let mut names = LineReader::new(proc, STDIN);
    let mut written = 0_u64;
    while let Ok(Some(mut name)) = names.next(proc, end).await {
        if name.last() == Some(&end) {
            name.pop();
        }
        if name.is_empty() {
            continue;
        }
        let (mut head, file_type) = match member(proc, &name) {
            Ok(found) => found,
            Err(errno) => {
                proc.complain(&[b"".as_slice(), &name, b": Cannot stat"].concat(), errno)
                    .await;
                proc.set_status(2);
                continue;
            }
        };
        let mut body = Vec::new();
        if file_type == FileType::Symlink {
            body = proc.read_link(&name).unwrap_or_default();
            head.size = body.len() as u64;
        }
        let mut memory = proc.memory();
        if file_type == FileType::Regular {
            if memory
                .grow(usize::try_from(head.size).unwrap_or(usize::MAX))
                .is_err()
            {
                proc.out_of_memory().await;
            }
            match proc.open(&name, OpenFlags::READ, 0).await {
                Ok(fd) => {
                    body = proc
                        .read_to_end(fd)
                        .await
                        .map(|(text, _)| text)
                        .unwrap_or_default();
                    // Opened above.
                    let _open = proc.close(fd);
                    head.size = body.len() as u64;
                }
                Err(errno) => {
                    proc.complain(&[b"".as_slice(), &name, b": Cannot open"].concat(), errno)
                        .await;
                    proc.set_status(2);
                    continue;
                }
            }
        }
        pad(&mut body, newc);
        let head = head.head(newc);
        if options.verbose {
            proc.print_error(&[name.as_slice(), b"\n"].concat()).await;
        }
        if proc.write_all(out, &head).await.is_err() || proc.write_all(out, &body).await.is_err() {
            return ExitStatus::Exited(2);
        }
        written += (head.len() + body.len()) as u64;
    }
    let last = Member {
        name: TRAILER.to_vec(),
        links: 1,
        ..Member::default()
    };
    let mut tail = last.head(newc);
    written += tail.len() as u64;
    let whole = written.div_ceil(BLOCK_BYTES as u64) * BLOCK_BYTES as u64;
    tail.resize(
        tail.len() + usize::try_from(whole - written).unwrap_or(0),
        0,
    );
    if proc.write_all(out, &tail).await.is_err() {
        return ExitStatus::Exited(2);
    }
    blocks(proc, options, whole).await;
    proc.status()
}

/// Where a member goes: not out of the directory somebody is in, unless that is wanted.
fn destination(options: &Options, name: &[u8]) -> Vec<u8> {
    let mut name = name;
    while let Some(rest) = name.strip_prefix(b"/")
        && !options.absolute
        && options.mode == Some(b'i')
    {
        name = rest;
    }
    name.to_vec()
}

async fn extract(proc: &mut Process, options: &Options) -> ExitStatus {
    let fd = match &options.file {
        Some(path) => match proc.open(path, OpenFlags::READ, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                proc.complain(&[b"Cannot open ".as_slice(), path].concat(), errno)
                    .await;
                return ExitStatus::Exited(2);
            }
        },
        None => STDIN,
    };
    let mut archive = Archive {
        fd,
        buffer: Vec::new(),
        taken: 0,
    };
    loop {
        let (member, newc) = match archive.next(proc).await {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(complaint) => {
                proc.print_error(format!("cpio: {complaint}\n").as_bytes())
                    .await;
                return ExitStatus::Exited(2);
            }
        };
        let wanted = options.operands.is_empty()
            || options.operands.iter().any(|pattern| {
                let pattern = sundew_posix::pattern::Pattern::from_bytes(
                    pattern,
                    sundew_posix::pattern::Options::default(),
                );
                pattern.matches(&member.name)
            });
        let fine = take(proc, &mut archive, &member, options, wanted).await;
        archive.align(proc, newc).await;
        if fine.is_none() {
            proc.print_error(b"cpio: premature end of archive\n").await;
            return ExitStatus::Exited(2);
        }
    }
    let taken = archive.taken;
    blocks(proc, options, taken).await;
    proc.status()
}

/// Takes one member out, or passes over it; `None` when the archive ends in it.
async fn take(
    proc: &mut Process,
    archive: &mut Archive,
    member: &Member,
    options: &Options,
    wanted: bool,
) -> Option<()> {
    let name = destination(options, &member.name);
    let mut out = None;
    let (kind, mode) = (
        member.mode & 0o170_000,
        u16::try_from(member.mode & 0o7777).unwrap_or(0),
    );
    if wanted && options.lists {
        let line = if options.verbose {
            long(proc, member).await
        } else {
            [member.name.as_slice(), b"\n"].concat()
        };
        let _closed = proc.print(&line).await;
    } else if wanted {
        if options.verbose {
            proc.print_error(&[name.as_slice(), b"\n"].concat()).await;
        }
        out = place(proc, &name, member, options, kind, mode).await;
    }
    let mut left = member.size;
    let mut link = Vec::new();
    while left > 0 {
        let count = usize::try_from(left.min(16 * 1024)).unwrap_or(16 * 1024);
        let piece = archive.exactly(proc, count).await?;
        left -= count as u64;
        if let Some(fd) = out {
            if let Err(errno) = proc.write_all(fd, &piece).await {
                proc.complain(&[b"write error".as_slice()].concat(), errno)
                    .await;
                proc.set_status(2);
            }
        } else if kind == 0o120_000 && link.len() < MAX_NAME_BYTES {
            link.extend(piece);
        }
    }
    if let Some(fd) = out {
        // Opened by `place`.
        let _open = proc.close(fd);
    }
    if wanted && !options.lists {
        if kind == 0o120_000 && !link.is_empty() {
            if options.replaces {
                // It is not there, or the link says so.
                let _absent = proc.unlink(&name);
            }
            if let Err(errno) = proc.symlink(&link, &name) {
                proc.complain(&[b"cannot make symlink ".as_slice(), &name].concat(), errno)
                    .await;
                proc.set_status(2);
            }
        } else if options.times && out.is_some() {
            let time = Timestamp {
                secs: i64::try_from(member.mtime).unwrap_or(0),
                nanos: 0,
            };
            // As far as the file may be changed.
            let _times = proc.set_times(&name, Some(time), Some(time), true);
        }
    }
    Some(())
}

/// Makes what a member is; the descriptor of a regular file.
async fn place(
    proc: &mut Process,
    name: &[u8],
    member: &Member,
    options: &Options,
    kind: u32,
    mode: u16,
) -> Option<sundew_kernel::Fd> {
    if options.directories {
        let ends: Vec<usize> = name
            .iter()
            .enumerate()
            .filter(|(at, byte)| **byte == b'/' && *at > 0)
            .map(|(at, _)| at)
            .collect();
        for end in ends {
            // It is there already, or what follows fails.
            let _there = proc.make_directory(name.get(..end).unwrap_or_default(), 0o777);
        }
    }
    if kind == 0o040_000 {
        if let Err(errno) = proc.make_directory(name, mode)
            && errno != Errno::Eexist
        {
            proc.complain(&[b"".as_slice(), name, b": Cannot mkdir"].concat(), errno)
                .await;
            proc.set_status(2);
        }
        return None;
    }
    if kind != 0o100_000 {
        return None;
    }
    if let Ok(there) = proc.lstat(name) {
        let newer = u64::try_from(there.mtime.secs).unwrap_or(0) >= member.mtime;
        if newer && !options.replaces {
            let text = [
                b"cpio: ".as_slice(),
                name,
                b" not created: newer or same age version exists\n",
            ]
            .concat();
            proc.print_error(&text).await;
            return None;
        }
        // It is there: looked at above.
        let _there = proc.unlink(name);
    }
    match proc.open(name, OpenFlags::CREATE, mode).await {
        Ok(fd) => {
            // The mask does not count for members.
            let _own = proc.change_mode(name, mode);
            Some(fd)
        }
        Err(errno) => {
            proc.complain(&[b"".as_slice(), name, b": Cannot open"].concat(), errno)
                .await;
            proc.set_status(2);
            None
        }
    }
}

/// A line as `ls -l` has it.
async fn long(proc: &Process, member: &Member) -> Vec<u8> {
    let users = crate::users::Directory::load(proc).await;
    let mut mode = String::new();
    mode.push(match member.mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o010_000 => 'p',
        _ => '-',
    });
    for (shift, letters) in (0..9).rev().zip("rwxrwxrwx".chars()) {
        mode.push(if member.mode >> shift & 1 == 1 {
            letters
        } else {
            '-'
        });
    }
    let when = jiff::Timestamp::from_second(i64::try_from(member.mtime).unwrap_or(0));
    let when = when.map(|time| time.strftime("%b %e  %Y").to_string());
    let shown = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let line = format!(
        "{mode} {:>3} {:<8} {:<8} {:>8} {} ",
        member.links,
        shown(users.user_text(member.uid)),
        shown(users.group_text(member.gid)),
        member.size,
        when.unwrap_or_default()
    );
    [line.as_bytes(), &member.name, b"\n"].concat()
}

async fn pass(proc: &mut Process, options: &Options) -> ExitStatus {
    let Some(target) = options.operands.first().cloned() else {
        proc.print_error(
            b"cpio: Too few arguments\nTry 'cpio --help' or 'cpio --usage' for more information.\n",
        )
        .await;
        return ExitStatus::Exited(2);
    };
    let end = if options.nul { 0 } else { b'\n' };
    let mut names = LineReader::new(proc, STDIN);
    let mut bytes = 0;
    while let Ok(Some(mut name)) = names.next(proc, end).await {
        if name.last() == Some(&end) {
            name.pop();
        }
        if name.is_empty() {
            continue;
        }
        let (found, file_type) = match member(proc, &name) {
            Ok(found) => found,
            Err(errno) => {
                proc.complain(&[b"".as_slice(), &name, b": Cannot stat"].concat(), errno)
                    .await;
                proc.set_status(2);
                continue;
            }
        };
        let to = [target.as_slice(), b"/", &found.name].concat();
        if options.verbose {
            proc.print_error(&[to.as_slice(), b"\n"].concat()).await;
        }
        let (kind, mode) = (
            found.mode & 0o170_000,
            u16::try_from(found.mode & 0o7777).unwrap_or(0),
        );
        let out = place(proc, &to, &found, options, kind, mode).await;
        if let Some(out) = out
            && let Ok(from) = proc.open(&name, OpenFlags::READ, 0).await
        {
            let mut chunk = vec![0; 16 * 1024];
            while let Ok(count @ 1..) = proc.read(from, &mut chunk).await {
                if proc
                    .write_all(out, chunk.get(..count).unwrap_or_default())
                    .await
                    .is_err()
                {
                    proc.set_status(2);
                    break;
                }
                bytes += count as u64;
            }
            // Opened above.
            let _open = (proc.close(from), proc.close(out));
        } else if file_type == FileType::Symlink {
            let link = proc.read_link(&name).unwrap_or_default();
            if let Err(errno) = proc.symlink(&link, &to) {
                proc.complain(&to, errno).await;
                proc.set_status(2);
            }
        }
    }
    blocks(proc, options, bytes).await;
    proc.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_as_long_as_their_formats_say() {
        let member = Member {
            name: b"ab".to_vec(),
            mode: 0o100_644,
            links: 1,
            ..Member::default()
        };
        assert_eq!(
            member.head(true).len(),
            (NEWC_BYTES + 3).next_multiple_of(4)
        );
        assert_eq!(member.head(false).len(), ODC_BYTES + 3);
        assert!(member.head(true).starts_with(b"07070100000000000081A4"));
    }
}
