//! `debugfs`, which looks into the root filesystem.

use sundew_kernel::{ExitStatus, Process};

use super::extfs::{VERSION, letters, refuse, superblock, trouble};

pub(super) async fn debugfs(proc: &mut Process) -> ExitStatus {
    let read = letters(proc.args(), "wcb:s:f:R:VDd:iz:");
    proc.print_error(format!("debugfs {VERSION}\n").as_bytes())
        .await;
    let (seen, operands) = match read {
        Ok(read) => read,
        Err(text) => return refuse(proc, "debugfs", &text, 1).await,
    };
    if seen.iter().any(|option| option.0 == 'V') {
        return super::fail(proc, "\tUsing EXT2FS Library version 1.47.0\n", 0).await;
    }
    let mut open = false;
    if let Some(path) = operands.first() {
        match trouble(proc, path) {
            Some(reason) => {
                let text = format!(
                    "debugfs: {reason} while trying to open {}\n",
                    super::text(path)
                );
                proc.print_error(text.as_bytes()).await;
            }
            None => open = true,
        }
    }
    let request = seen
        .iter()
        .find(|option| option.0 == 'R')
        .map(|option| option.1.clone());
    if let Some(request) = request {
        answer(proc, &request, open).await;
        return proc.status();
    }
    let mut lines = sundew_kernel::process::LineReader::new(proc, 0);
    loop {
        super::put(proc, "debugfs:  ").await;
        let _flushed = proc.flush().await;
        let Ok(Some(line)) = lines.next(proc, b'\n').await else {
            super::put(proc, "\n").await;
            return proc.status();
        };
        let line = super::text(line.trim_ascii());
        if matches!(line.as_str(), "quit" | "q" | "exit") {
            return proc.status();
        }
        if !line.is_empty() {
            answer(proc, &line, open).await;
        }
    }
}

/// One request to debugfs.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn answer(proc: &mut Process, request: &str, open: bool) {
    const KNOWN: &[&str] = &[
        "ls",
        "cat",
        "stat",
        "stats",
        "dump",
        "cd",
        "pwd",
        "show_super_stats",
        "imap",
        "testb",
        "ncheck",
        "icheck",
        "lsdel",
        "logdump",
        "htree",
        "blocks",
        "rdump",
        "rm",
        "write",
        "mkdir",
        "ln",
        "unlink",
        "kill_file",
        "clri",
        "freei",
        "seti",
        "close",
        "ex",
        "extents",
        "filefrag",
    ];
    let mut words = request.split_whitespace();
    let verb = words.next().unwrap_or_default();
    if !KNOWN.contains(&verb) {
        let text =
            format!("debugfs: Unknown request \"{verb}\".  Type \"?\" for a request list.\n");
        proc.print_error(text.as_bytes()).await;
        return;
    }
    if !open {
        proc.print_error(format!("{verb}: Filesystem not open\n").as_bytes())
            .await;
        return;
    }
    let path = words.last().unwrap_or("/").to_owned();
    match verb {
        "cat" => match super::read(proc, path.as_bytes()).await {
            Ok(text) => {
                super::put(proc, text).await;
            }
            Err(_) => {
                let text = format!("{path}: File not found by ext2_lookup \n");
                proc.print_error(text.as_bytes()).await;
            }
        },
        "ls" => {
            let mut entries = proc.read_directory(path.as_bytes()).unwrap_or_default();
            entries.retain(|entry| !matches!(&*entry.name, b"." | b".."));
            let own = proc
                .stat(path.as_bytes())
                .map_or(2, |metadata| metadata.ino.0);
            let mut out = format!(" {own}  (12) .    {own}  (12) ..   ");
            for entry in entries {
                let length = (8 + entry.name.len()).next_multiple_of(4);
                out.push_str(&format!(
                    " {}  ({length}) {}   ",
                    entry.ino.0,
                    super::text(&entry.name)
                ));
            }
            out.push('\n');
            super::put(proc, out).await;
        }
        "pwd" => {
            super::put(
                proc,
                "[pwd]   INODE:      2  PATH: /\n[root]  INODE:      2  PATH: /\n",
            )
            .await;
        }
        "lsdel" => {
            super::put(
                proc,
                " Inode  Owner  Mode    Size      Blocks   Time deleted\n0 deleted inodes found.\n",
            )
            .await;
        }
        "stats" | "show_super_stats" => {
            let disk = proc.facts().disks.first().cloned();
            if let Some(disk) = disk {
                let out = superblock(proc, &disk).await;
                super::put(proc, out).await;
            }
        }
        "write" | "rm" | "mkdir" | "ln" | "unlink" | "kill_file" | "clri" | "freei" | "seti" => {
            let text = format!("{verb}: Filesystem opened read/only\n");
            proc.print_error(text.as_bytes()).await;
        }
        "stat" => match proc.lstat(path.as_bytes()) {
            Ok(metadata) => {
                let out = format!(
                    "Inode: {}   Type: {}    Mode:  {:04o}   Flags: 0x80000\nGeneration: 0    Version: 0x00000000:00000001\nUser: {:>5}   Group: {:>5}   Project:     0   Size: {}\nFile ACL: 0\nLinks: {}   Blockcount: {}\nFragment:  Address: 0    Number: 0    Size: 0\n",
                    metadata.ino.0,
                    if metadata.is_dir() {
                        "directory"
                    } else {
                        "regular"
                    },
                    metadata.mode,
                    metadata.uid,
                    metadata.gid,
                    metadata.size,
                    metadata.nlink,
                    metadata.blocks
                );
                super::put(proc, out).await;
            }
            Err(_) => {
                let text = format!("{path}: File not found by ext2_lookup \n");
                proc.print_error(text.as_bytes()).await;
            }
        },
        _ => {}
    }
}
