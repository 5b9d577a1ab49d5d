//! e2fsprogs 1.47.0: the root filesystem is mounted, so it can be looked at and not touched.

use sundew_kernel::facts::Disk;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::{FileType, Timestamp};

use super::cli;
use crate::time::{Shown, Zone};

pub(super) const VERSION: &str = "1.47.0 (5-Feb-2023)";
/// Bytes of a block.
pub(super) const BLOCK: u64 = 4096;
/// Blocks of a group.
const GROUP_BLOCKS: u64 = 32_768;
/// What e2fsck ends with after a trouble of its own, and after a wrong command line.
const OPERATIONAL: u8 = 8;
const USAGE: u8 = 16;

/// Letters with their values, and operands.
type Read = (Vec<(char, String)>, Vec<Vec<u8>>);

/// Letters and operands, by getopt's string; or the complaint.
pub(super) fn letters(args: &[Vec<u8>], spec: &str) -> Result<Read, String> {
    let (mut seen, mut operands) = (Vec::new(), Vec::new());
    let mut words = args.iter().skip(1).cloned();
    while let Some(word) = words.next() {
        if word == b"--" {
            break;
        }
        let Some(rest) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            operands.push(word);
            continue;
        };
        let mut rest = rest.iter().copied();
        while let Some(letter) = rest.next() {
            let letter = char::from(letter);
            let Some(at) = spec.find(letter).filter(|_| letter != ':') else {
                return Err(format!("invalid option -- '{letter}'"));
            };
            let mut value = String::new();
            if spec.get(at + 1..).is_some_and(|tail| tail.starts_with(':')) {
                let own: Vec<u8> = rest.by_ref().collect();
                let own = Some(own)
                    .filter(|own| !own.is_empty())
                    .or_else(|| words.next());
                match own {
                    Some(own) => value = super::text(&own),
                    None => return Err(format!("option requires an argument -- '{letter}'")),
                }
            }
            seen.push((letter, value));
        }
    }
    operands.extend(words);
    Ok((seen, operands))
}

/// The filesystem of a device.
pub(super) fn disk(proc: &Process, path: &[u8]) -> Option<Disk> {
    let disks = &proc.facts().disks;
    disks.iter().find(|disk| disk.device == path).cloned()
}

/// Why a device cannot be read as a filesystem; nothing if it can.
pub(super) fn trouble(proc: &Process, path: &[u8]) -> Option<String> {
    match proc.stat(path) {
        Err(errno) => Some(errno.message().to_owned()),
        Ok(metadata) if metadata.file_type == FileType::Directory => {
            Some(Errno::Eisdir.message().to_owned())
        }
        Ok(metadata) if metadata.file_type == FileType::BlockDevice => {
            if proc.credentials().uid != 0 {
                Some(Errno::Eacces.message().to_owned())
            } else if disk(proc, path).is_some() {
                None
            } else {
                Some("Bad magic number in super-block".to_owned())
            }
        }
        Ok(metadata) if metadata.size < 2 * 1024 => {
            Some("Attempt to read block from filesystem resulted in short read".to_owned())
        }
        Ok(_) => Some("Bad magic number in super-block".to_owned()),
    }
}

/// `NAME: TEXT`, the usage, and the status.
pub(super) async fn refuse(proc: &mut Process, name: &str, text: &str, status: u8) -> ExitStatus {
    cli::refuse(proc, name, text, status).await
}

pub(super) fn usage(proc: &Process, name: &str) -> String {
    let own = super::text(proc.base_name());
    let text = cli::section(&format!("{name} usage"));
    text.replacen(&format!("Usage: {name}"), &format!("Usage: {own}"), 1)
}

/// `mke2fs`, `mkfs.ext4` and the like.
pub(super) async fn mke2fs(proc: &mut Process) -> ExitStatus {
    let own = super::text(proc.base_name());
    let read = letters(
        proc.args(),
        "b:ce:g:i:jl:m:no:qr:s:t:d:vC:DE:FG:I:J:KL:M:N:O:R:ST:U:Vz:",
    );
    let (seen, operands) = match read {
        Ok(read) => read,
        Err(text) => {
            let text = format!("{own}: {text}\n{}", usage(proc, "mke2fs"));
            return super::fail(proc, text, 1).await;
        }
    };
    let has = |letter: char| seen.iter().any(|option| option.0 == letter);
    if has('V') {
        let text = format!("mke2fs {VERSION}\n\tUsing EXT2FS Library version 1.47.0\n");
        return super::fail(proc, text, 0).await;
    }
    let Some(path) = operands.first() else {
        let text = usage(proc, "mke2fs");
        return super::fail(proc, text, 1).await;
    };
    if !has('q') {
        proc.print_error(format!("mke2fs {VERSION}\n").as_bytes())
            .await;
    }
    let shown = super::text(path);
    let metadata = match proc.stat(path) {
        Ok(metadata) => metadata,
        Err(Errno::Enoent) if operands.len() < 2 => {
            let text = format!("The file {shown} does not exist and no size was specified.\n");
            return super::fail(proc, text, 1).await;
        }
        Err(errno) => {
            let text = format!("{own}: {} while setting up superblock\n", errno.message());
            return super::fail(proc, text, 1).await;
        }
    };
    let mounted = proc
        .mounts()
        .iter()
        .any(|mount| &*mount.source == path.as_slice());
    if mounted {
        let text = format!("{shown} is mounted; will not make a filesystem here!\n");
        return super::fail(proc, text, 1).await;
    }
    if metadata.file_type == FileType::BlockDevice {
        let busy = proc
            .mounts()
            .iter()
            .any(|mount| mount.source.starts_with(path));
        let text = if proc.credentials().uid != 0 {
            let reason = Errno::Eacces.message();
            format!("Could not open {shown}: {reason}\n")
        } else if busy {
            format!(
                "{shown} is apparently in use by the system; will not make a filesystem here!\n"
            )
        } else {
            format!(
                "{own}: Device size reported to be zero.  Invalid partition specified, or\n\tpartition table wasn't reread after running fdisk, due to\n\ta modified partition being busy and in use.  You may need to reboot\n\tto re-read your partition table.\n\n"
            )
        };
        return super::fail(proc, text, 1).await;
    }
    let blocks = metadata.size / 1024;
    if blocks < 64 {
        let text = format!(
            "{own}: inode_size (256) * inodes_count (0) too big for a\n\tfilesystem with {} blocks, specify higher inode_ratio (-i)\n\tor lower inode count (-N).\n\n",
            metadata.size / BLOCK
        );
        return super::fail(proc, text, 1).await;
    }
    made(proc, metadata.size).await
}

/// What making a filesystem in a file says.
async fn made(proc: &mut Process, bytes: u64) -> ExitStatus {
    const SMALL: u64 = 512 << 20;
    let size = if bytes < SMALL { 1024 } else { BLOCK };
    let (blocks, per_group) = (bytes / size, size * 8);
    let ratio = if bytes < SMALL { 4096 } else { 16_384 };
    let groups = blocks.div_ceil(per_group).max(1);
    let inodes = (bytes / ratio).div_ceil(groups).next_multiple_of(8) * groups;
    let mut id = format!("{:016x}{:016x}", proc.random(), proc.random());
    id.truncate(32);
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    let uuid = parts
        .map(|(start, end)| id.get(start..end).unwrap_or_default())
        .join("-");
    let mut backups: Vec<u64> = Vec::new();
    for group in 1..groups {
        let power_of = |base: u64| {
            let mut at = base;
            while at < group {
                at *= base;
            }
            at == group
        };
        if group == 1 || power_of(3) || power_of(5) || power_of(7) {
            backups.push(group * per_group + u64::from(size == 1024));
        }
    }
    let unit = if size == 1024 { "1k" } else { "4k" };
    let mut out = format!("Creating filesystem with {blocks} {unit} blocks and {inodes} inodes\n");
    if !backups.is_empty() {
        let list: Vec<String> = backups.iter().map(u64::to_string).collect();
        out.push_str(&format!(
            "Filesystem UUID: {uuid}\nSuperblock backups stored on blocks: \n\t{}\n",
            list.join(", ")
        ));
    }
    let journal = if bytes < 8 << 20 {
        None
    } else {
        Some((blocks / 64).clamp(1024, 16_384))
    };
    out.push_str("\nAllocating group tables: done                            \nWriting inode tables: done                            \n");
    if let Some(journal) = journal {
        out.push_str(&format!("Creating journal ({journal} blocks): done\n"));
    }
    out.push_str("Writing superblocks and filesystem accounting information: done\n\n");
    super::put(proc, out).await
}

pub(super) async fn e2fsck(proc: &mut Process) -> ExitStatus {
    let own = super::text(proc.base_name());
    let read = letters(proc.args(), "panyrcC:B:dE:fvtFVM:b:I:j:P:l:L:N:SsDkz:");
    let (seen, operands) = match read {
        Ok(read) => read,
        Err(text) => {
            let text = format!("{own}: {text}\n{}", usage(proc, "e2fsck"));
            return super::fail(proc, text, USAGE).await;
        }
    };
    let has = |letter: char| seen.iter().any(|option| option.0 == letter);
    if has('V') {
        let text = format!("e2fsck {VERSION}\n\tUsing EXT2FS Library version 1.47.0, 5-Feb-2023\n");
        return super::fail(proc, text, 0).await;
    }
    let Some(path) = operands.first() else {
        let text = usage(proc, "e2fsck");
        return super::fail(proc, text, USAGE).await;
    };
    let quiet = has('p') || has('a');
    if !quiet {
        proc.print_error(format!("e2fsck {VERSION}\n").as_bytes())
            .await;
    }
    let shown = super::text(path);
    let decided = ['n', 'y', 'p', 'a'].iter().any(|letter| has(*letter));
    if !decided && !proc.is_terminal(0) {
        let text = "e2fsck: need terminal for interactive repairs\n";
        return super::fail(proc, text, OPERATIONAL).await;
    }
    let device = disk(proc, path);
    if let Some(disk) = device.as_ref().filter(|_| proc.credentials().uid == 0) {
        if !has('n') {
            let text = format!("{shown} is mounted.\ne2fsck: Cannot continue, aborting.\n\n\n");
            return super::fail(proc, text, OPERATIONAL).await;
        }
        let files = disk.inodes_used;
        let out = format!(
            "Warning!  {shown} is mounted.\nWarning: skipping journal recovery because doing a read-only filesystem check.\n{shown}: clean, {files}/{} files, {}/{} blocks\n",
            disk.inodes,
            disk.used_kib / 4,
            disk.total_kib / 4
        );
        return super::put(proc, out).await;
    }
    let reason = trouble(proc, path).unwrap_or_default();
    let opening = format!("e2fsck: {reason} while trying to open {shown}\n");
    let text = if reason.starts_with("Bad magic") {
        format!(
            "ext2fs_open2: Bad magic number in super-block\ne2fsck: Superblock invalid, trying backup blocks...\n{opening}\nThe superblock could not be read or does not describe a valid ext2/ext3/ext4\nfilesystem.  If the device is valid and it really contains an ext2/ext3/ext4\nfilesystem (and not swap or ufs or something else), then the superblock\nis corrupt, and you might try running e2fsck with an alternate superblock:\n    e2fsck -b 8193 <device>\n or\n    e2fsck -b 32768 <device>\n\n"
        )
    } else if reason == Errno::Eacces.message() {
        format!("{opening}You must have r/w access to the filesystem or be root\n")
    } else if reason == Errno::Enoent.message() {
        format!("{opening}Possibly non-existent device?\n")
    } else {
        format!("{opening}Could this be a zero-length partition?\n")
    };
    super::fail(proc, text, OPERATIONAL).await
}

/// What the superblock says.
pub(super) async fn superblock(proc: &Process, disk: &Disk) -> String {
    let zone = Zone::of(proc).await;
    let fstab = super::text(&proc.read_small_file(b"/etc/fstab").unwrap_or_default());
    let uuid = fstab.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        words.next()?.strip_prefix("UUID=").map(str::to_owned)
    });
    let born = proc
        .stat(b"/lost+found")
        .map_or(0, |metadata| metadata.mtime.secs);
    let time = |secs: i64| {
        let moment = Timestamp { secs, nanos: 0 };
        super::text(&Shown::new(moment, &zone).format(b"%a %b %e %H:%M:%S %Y"))
    };
    let booted = proc.facts().boot_time.secs;
    let blocks = disk.total_kib / 4;
    let groups = blocks.div_ceil(GROUP_BLOCKS).max(1);
    let rows: Vec<(&str, String)> = vec![
        ("Filesystem volume name:", "<none>".into()),
        ("Last mounted on:", super::text(&disk.mount_point)),
        ("Filesystem UUID:", uuid.unwrap_or_default()),
        ("Filesystem magic number:", "0xEF53".into()),
        ("Filesystem revision #:", "1 (dynamic)".into()),
        ("Filesystem features:", "has_journal ext_attr resize_inode dir_index filetype needs_recovery extent 64bit flex_bg sparse_super large_file huge_file dir_nlink extra_isize metadata_csum".into()),
        ("Filesystem flags:", "signed_directory_hash ".into()),
        ("Default mount options:", "user_xattr acl".into()),
        ("Filesystem state:", "clean".into()),
        ("Errors behavior:", "Continue".into()),
        ("Filesystem OS type:", "Linux".into()),
        ("Inode count:", disk.inodes.to_string()),
        ("Block count:", blocks.to_string()),
        ("Reserved block count:", (blocks / 20).to_string()),
        ("Overhead clusters:", (blocks / 45).to_string()),
        ("Free blocks:", (disk.total_kib.saturating_sub(disk.used_kib) / 4).to_string()),
        ("Free inodes:", disk.inodes.saturating_sub(disk.inodes_used).to_string()),
        ("First block:", "0".into()),
        ("Block size:", BLOCK.to_string()),
        ("Fragment size:", BLOCK.to_string()),
        ("Group descriptor size:", "64".into()),
        ("Reserved GDT blocks:", "1024".into()),
        ("Blocks per group:", GROUP_BLOCKS.to_string()),
        ("Fragments per group:", GROUP_BLOCKS.to_string()),
        ("Inodes per group:", (disk.inodes / groups).to_string()),
        ("Inode blocks per group:", (disk.inodes / groups / 16).to_string()),
        ("Flex block group size:", "16".into()),
        ("Filesystem created:", time(born)),
        ("Last mount time:", time(booted + 2)),
        ("Last write time:", time(booted + 1)),
        ("Mount count:", "3".into()),
        ("Maximum mount count:", "-1".into()),
        ("Last checked:", time(born)),
        ("Check interval:", "0 (<none>)".into()),
        ("Lifetime writes:", format!("{} GB", disk.used_kib / (1 << 20) + 3)),
        ("Reserved blocks uid:", "0 (user root)".into()),
        ("Reserved blocks gid:", "0 (group root)".into()),
        ("First inode:", "11".into()),
        ("Inode size:", "256".into()),
        ("Required extra isize:", "32".into()),
        ("Desired extra isize:", "32".into()),
        ("Journal inode:", "8".into()),
        ("Default directory hash:", "half_md4".into()),
        ("Journal backup:", "inode blocks".into()),
        ("Checksum type:", "crc32c".into()),
    ];
    let lines = rows
        .iter()
        .map(|(name, value)| format!("{name:<26}{value}\n"));
    lines.collect()
}

/// `tune2fs`, `e2label`.
pub(super) async fn tune2fs(proc: &mut Process) -> ExitStatus {
    let own = super::text(proc.base_name());
    if own == "e2label" || own == "findfs" {
        let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
        let Some(path) = words.first().filter(|_| words.len() < 3) else {
            return super::fail(proc, "Usage: e2label device [newlabel]\n", 1).await;
        };
        if let Some(reason) = trouble(proc, path) {
            let text = format!(
                "e2label: {reason} while trying to open {}\nCouldn't find valid filesystem superblock.\n",
                super::text(path)
            );
            return super::fail(proc, text, 1).await;
        }
        return if words.len() == 1 {
            super::put(proc, "\n").await
        } else {
            proc.status()
        };
    }
    let read = letters(proc.args(), "c:e:fg:i:jlm:o:r:s:u:C:E:I:J:L:M:O:Q:T:U:z:");
    let (seen, operands) = match read {
        Ok(read) => read,
        Err(text) => {
            super::put(proc, format!("tune2fs {VERSION}\n")).await;
            return refuse(proc, "tune2fs", &text, 1).await;
        }
    };
    let Some(path) = operands.first().filter(|_| !seen.is_empty()) else {
        let text = cli::section("tune2fs usage");
        proc.print_error(text.as_bytes()).await;
        super::put(proc, format!("tune2fs {VERSION}\n")).await;
        return ExitStatus::FAILURE;
    };
    super::put(proc, format!("tune2fs {VERSION}\n")).await;
    let shown = super::text(path);
    if let Some(reason) = trouble(proc, path) {
        let text = format!(
            "tune2fs: {reason} while trying to open {shown}\nCouldn't find valid filesystem superblock.\n"
        );
        return super::fail(proc, text, 1).await;
    }
    let disk = disk(proc, path);
    for (letter, value) in &seen {
        let text = match letter {
            'l' => match &disk {
                Some(disk) => superblock(proc, disk).await,
                None => String::new(),
            },
            'c' => format!("Setting maximal mount count to {value}\n"),
            'i' => format!("Setting interval between checks to {value} seconds\n"),
            'm' => format!("Setting reserved blocks percentage to {value}%\n"),
            _ => String::new(),
        };
        super::put(proc, text).await;
    }
    proc.status()
}

/// `dumpe2fs`, `e2mmpstatus`.
pub(super) async fn dumpe2fs(proc: &mut Process) -> ExitStatus {
    const NOT_FOUND: u8 = 2;
    const SHORT_READ: u8 = 36;
    let own = super::text(proc.base_name());
    let read = letters(proc.args(), "bfghimxVo:");
    if own == "dumpe2fs" {
        proc.print_error(format!("dumpe2fs {VERSION}\n").as_bytes())
            .await;
    }
    let (seen, operands) = match read {
        Ok(read) => read,
        Err(text) => return refuse(proc, &own, &text, 1).await,
    };
    let has = |letter: char| seen.iter().any(|option| option.0 == letter);
    if has('V') {
        return super::fail(proc, "\tUsing EXT2FS Library version 1.47.0\n", 0).await;
    }
    let Some(path) = operands.first() else {
        let text =
            format!("Usage: {own} [-bfghimxV] [-o superblock=<num>] [-o blocksize=<num>] device\n");
        return super::fail(proc, text, 1).await;
    };
    let shown = super::text(path);
    if let Some(reason) = trouble(proc, path) {
        let status = match reason.as_str() {
            reason if reason == Errno::Enoent.message() => NOT_FOUND,
            reason if reason == Errno::Eacces.message() => 13,
            reason if reason.starts_with("Bad magic") => 50,
            _ => SHORT_READ,
        };
        let text = format!("{own}: {reason} while trying to open {shown}\n");
        proc.print_error(text.as_bytes()).await;
        super::put(proc, "Couldn't find valid filesystem superblock.\n").await;
        return ExitStatus::Exited(status);
    }
    let Some(disk) = disk(proc, path) else {
        return proc.status();
    };
    let mut out = superblock(proc, &disk).await;
    out.push_str("Journal features:         journal_incompat_revoke journal_64bit journal_checksum_v3\nTotal journal size:       256M\nTotal journal blocks:     65536\nMax transaction length:   65536\nFast commit length:       0\n\n\n");
    if !has('h') {
        let blocks = disk.total_kib / 4;
        let groups = blocks.div_ceil(GROUP_BLOCKS).max(1);
        let inodes = disk.inodes / groups;
        for group in 0..groups {
            proc.tick().await;
            let (first, last) = (
                group * GROUP_BLOCKS,
                ((group + 1) * GROUP_BLOCKS).min(blocks) - 1,
            );
            out.push_str(&format!("Group {group}: (Blocks {first}-{last}) csum {:#06x} [ITABLE_ZEROED]\n  {} free blocks, {inodes} free inodes, 0 directories, {inodes} unused inodes\n", (group * 40_503) & 0xffff, last - first + 1));
        }
    }
    super::put(proc, out).await
}

pub(super) async fn resize2fs(proc: &mut Process) -> ExitStatus {
    let read = letters(proc.args(), "d:fFhMPpS:bsz:");
    proc.print_error(format!("resize2fs {VERSION}\n").as_bytes())
        .await;
    let (seen, operands) = match read {
        Ok(read) => read,
        Err(text) => return refuse(proc, "resize2fs", &text, 1).await,
    };
    let Some(path) = operands.first() else {
        let text = cli::section("resize2fs usage");
        return super::fail(proc, text, 1).await;
    };
    let shown = super::text(path);
    match proc.stat(path) {
        Err(errno) => {
            let text = format!("open: {} while opening {shown}\n", errno.message());
            return super::fail(proc, text, 1).await;
        }
        Ok(metadata)
            if metadata.file_type == FileType::BlockDevice && proc.credentials().uid != 0 =>
        {
            let text = format!("open: {} while opening {shown}\n", Errno::Eacces.message());
            return super::fail(proc, text, 1).await;
        }
        Ok(_) => {}
    }
    let Some(disk) = disk(proc, path) else {
        let text = format!(
            "resize2fs: Bad magic number in super-block while trying to open {shown}\nCouldn't find valid filesystem superblock.\n"
        );
        return super::fail(proc, text, 1).await;
    };
    let blocks = disk.total_kib / 4;
    if seen.iter().any(|option| option.0 == 'P') {
        let least = disk.used_kib / 4 * 11 / 10;
        return super::put(
            proc,
            format!("Estimated minimum size of the filesystem: {least}\n"),
        )
        .await;
    }
    if operands.len() > 1 {
        let text = format!(
            "Filesystem at {shown} is mounted on {}; on-line resizing required\nresize2fs: On-line shrinking not supported\n",
            super::text(&disk.mount_point)
        );
        return super::fail(proc, text, 1).await;
    }
    let text = format!("The filesystem is already {blocks} (4k) blocks long.  Nothing to do!\n\n");
    super::put(proc, text).await
}
