//! `filefrag`, `badblocks`, `e2image`, `e4defrag` and their kin: blocks of ext4.

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::FileType;

use super::cli;
use super::extfs::{BLOCK, VERSION, disk, letters, refuse, trouble};

pub(super) async fn badblocks(proc: &mut Process) -> ExitStatus {
    let read = letters(proc.args(), "b:d:e:fi:o:svwnc:p:h:t:BX");
    let (seen, operands) = match read {
        Ok(read) => read,
        Err(text) => return refuse(proc, "badblocks", &text, 1).await,
    };
    let Some(path) = operands.first() else {
        let text = cli::section("badblocks usage");
        return super::fail(proc, text, 1).await;
    };
    let shown = super::text(path);
    let has = |letter: char| seen.iter().any(|option| option.0 == letter);
    let metadata = match proc.stat(path) {
        Ok(metadata) => metadata,
        Err(errno) => {
            let text = format!(
                "badblocks: {} while trying to determine device size\n",
                errno.message()
            );
            return super::fail(proc, text, 1).await;
        }
    };
    if metadata.file_type == FileType::BlockDevice && proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let text = format!("badblocks: {reason} while trying to determine device size\n");
        return super::fail(proc, text, 1).await;
    }
    let mounted = proc
        .mounts()
        .iter()
        .any(|mount| mount.source.starts_with(path));
    if mounted && (has('w') || has('n')) {
        let text = format!("{shown} is mounted; it's not safe to run badblocks!\n");
        return super::fail(proc, text, 1).await;
    }
    if has('v') {
        let blocks = disk(proc, path).map_or(metadata.size / 1024, |disk| disk.total_kib);
        let text = format!(
            "Checking blocks 0 to {}\nChecking for bad blocks (read-only test): done                                                 \nPass completed, 0 bad blocks found. (0/0/0 errors)\n",
            blocks.saturating_sub(1)
        );
        proc.print_error(text.as_bytes()).await;
    }
    proc.status()
}

pub(super) async fn filefrag(proc: &mut Process) -> ExitStatus {
    const MISSING: u8 = 2;
    let read = letters(proc.args(), "Bb:eEkPsvxX");
    let (seen, operands) = match read {
        Ok(read) => read,
        Err(text) => return refuse(proc, "filefrag", &text, 1).await,
    };
    if operands.is_empty() {
        let text = cli::section("filefrag usage");
        return super::fail(proc, text, 1).await;
    }
    let verbose = seen.iter().any(|option| option.0 == 'v');
    let mut typed = false;
    for path in &operands {
        let metadata = match proc.stat(path) {
            Ok(metadata) => metadata,
            Err(errno) => {
                super::fail(proc, format!("open: {}\n", errno.message()), MISSING).await;
                continue;
            }
        };
        let shown = super::text(path);
        let extents = usize::from(metadata.size > 0);
        let mut out = String::new();
        if verbose {
            let blocks = metadata.size.div_ceil(BLOCK);
            let plural = if blocks == 1 { "" } else { "s" };
            if !typed {
                out.push_str("Filesystem type is: ef53\n");
                typed = true;
            }
            out.push_str(&format!(
                "File size of {shown} is {} ({blocks} block{plural} of {BLOCK} bytes)\n",
                metadata.size
            ));
            if extents > 0 {
                // Where a file lies follows from its number.
                let start = 34_816 + metadata.ino.0 % 8_000_000 * 2;
                out.push_str(" ext:     logical_offset:        physical_offset: length:   expected: flags:\n");
                out.push_str(&format!(
                    "   0: {:>8}..{:>8}: {start:>10}..{:>10}: {blocks:>6}:             last,eof\n",
                    0,
                    blocks - 1,
                    start + blocks - 1
                ));
            }
        }
        let plural = if extents == 1 { "" } else { "s" };
        out.push_str(&format!("{shown}: {extents} extent{plural} found\n"));
        super::put(proc, out).await;
    }
    proc.status()
}

pub(super) async fn e2freefrag(proc: &mut Process) -> ExitStatus {
    let (_, operands) = match letters(proc.args(), "c:h") {
        Ok(read) => read,
        Err(text) => return refuse(proc, "e2freefrag", &text, 1).await,
    };
    let Some(path) = operands.first() else {
        let usage = cli::section("e2freefrag usage");
        let text = format!("e2freefrag: missing device name.\n{usage}");
        return super::fail(proc, text, 1).await;
    };
    if let Some(reason) = trouble(proc, path) {
        let text = format!("e2freefrag: {reason} while opening filesystem\n");
        return super::fail(proc, text, 1).await;
    }
    let Some(disk) = disk(proc, path) else {
        return proc.status();
    };
    let (total, free) = (
        disk.total_kib / 4,
        disk.total_kib.saturating_sub(disk.used_kib) / 4,
    );
    let out = format!(
        "Device: {}\nBlocksize: {BLOCK} bytes\nTotal blocks: {total}\nFree blocks: {free} ({}.0%)\n",
        super::text(path),
        free * 100 / total.max(1)
    );
    super::put(proc, out).await
}

pub(super) async fn e2image(proc: &mut Process) -> ExitStatus {
    proc.print_error(format!("e2image {VERSION}\n").as_bytes())
        .await;
    let (_, operands) = match letters(proc.args(), "b:B:nrsIQafo:O:pc") {
        Ok(read) => read,
        Err(text) => return refuse(proc, "e2image", &text, 1).await,
    };
    let Some(path) = operands.first().filter(|_| operands.len() == 2) else {
        let text = cli::section("e2image usage");
        return super::fail(proc, text, 1).await;
    };
    let reason = trouble(proc, path).unwrap_or_else(|| Errno::Enospc.message().to_owned());
    let text = format!(
        "e2image: {reason} while trying to open {}\nCouldn't find valid filesystem superblock.\n",
        super::text(path)
    );
    super::fail(proc, text, 1).await
}

pub(super) async fn e2undo(proc: &mut Process) -> ExitStatus {
    let (_, operands) = match letters(proc.args(), "fhno:vz:") {
        Ok(read) => read,
        Err(text) => return refuse(proc, "e2undo", &text, 1).await,
    };
    let [undo, _] = operands.as_slice() else {
        let text = cli::section("e2undo usage");
        return super::fail(proc, text, 1).await;
    };
    let reason = proc
        .stat(undo)
        .err()
        .map_or("Not an undo file.", Errno::message);
    let text = format!(
        "e2undo: {reason} while opening undo file `{}'\n",
        super::text(undo)
    );
    super::fail(proc, text, 1).await
}

pub(super) async fn e4crypt(proc: &mut Process) -> ExitStatus {
    let verb = proc.args().get(1).cloned();
    let list = cli::section("e4crypt usage")
        .split_once("\n\n")
        .map_or("", |parts| parts.1);
    let out = match verb.as_deref() {
        None => list.to_owned(),
        Some(b"add_key" | b"get_policy" | b"new_session" | b"set_policy") => {
            let verb = super::text(verb.as_deref().unwrap_or_default());
            let text = format!("Usage:\te4crypt {verb} \n");
            return super::fail(proc, text, 1).await;
        }
        Some(verb) => format!("Unknown command: {}\n\n{list}", super::text(verb)),
    };
    super::put(proc, out).await
}

pub(super) async fn e4defrag(proc: &mut Process) -> ExitStatus {
    let usage = cli::section("e4defrag");
    let (seen, operands) = match letters(proc.args(), "vc") {
        Ok(read) => read,
        Err(text) => {
            proc.print_error(format!("e4defrag: {text}\n").as_bytes())
                .await;
            super::put(proc, usage).await;
            return ExitStatus::FAILURE;
        }
    };
    let usage = format!(
        "e4defrag {VERSION}\nUsage\t: e4defrag [-v] file...| directory...| device...\n\t: e4defrag  -c  file...| directory...| device...\n"
    );
    let Some(path) = operands.first() else {
        super::put(proc, usage).await;
        return ExitStatus::FAILURE;
    };
    let shown = super::text(path);
    super::put(proc, format!("e4defrag {VERSION}\n")).await;
    match proc.stat(path) {
        Err(errno) => {
            let text = format!("\t\"{shown}\": {}\n", errno.message());
            super::fail(proc, text, 1).await
        }
        Ok(_) if seen.iter().any(|option| option.0 == 'c') => {
            let out = "<File>                                         now/best       size/ext\n\n Total/best extents\t\t\t\t1/1\n Average size per extent\t\t\t4 KB\n Fragmentation score\t\t\t\t0\n [0-30 no problem: 31-55 a little bit fragmented: 56- needs defrag]\n";
            let tail = format!(" This file ({shown}) does not need defragmentation.\n Done.\n");
            super::put(proc, format!("{out}{tail}")).await
        }
        Ok(_) => {
            let out = format!(
                "ext4 defragmentation for {shown}\n[1/1]{shown}:\t100%\t[ OK ]\n Success:\t\t\t[1/1]\n"
            );
            super::put(proc, out).await
        }
    }
}

pub(super) async fn mklost_found(proc: &mut Process) -> ExitStatus {
    proc.print_error(format!("mklost+found {VERSION}\n").as_bytes())
        .await;
    if proc.args().len() > 1 {
        return super::fail(proc, "Usage: mklost+found\n", 1).await;
    }
    match proc.make_directory(b"lost+found", 0o700) {
        Ok(()) => proc.status(),
        Err(errno) => super::fail(proc, format!("mkdir: {}\n", errno.message()), 1).await,
    }
}
