//! `lslocks`, `lsfd`: files that processes hold.

use super::super::spec;
use super::super::table::{Column, Table, left, number, right};
use super::text_of;
use crate::users::Directory;
use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::FileType;

const LOCK_COLUMNS: &[Column] = &[
    left("COMMAND"),
    number("PID"),
    right("TYPE"),
    right("SIZE"),
    left("INODE").hidden(),
    left("MAJ:MIN").hidden(),
    left("MODE"),
    right("M"),
    number("START"),
    number("END"),
    left("PATH"),
    left("BLOCKER").hidden(),
];

/// Daemons that hold a lock on the file with their number: program and file.
const LOCKED: &[(&str, &str)] = &[("cron", "/run/crond.pid")];

pub(in crate::util_linux) async fn lslocks(proc: &mut Process) -> ExitStatus {
    let line = match super::super::line(proc, "lslocks", &spec::LSLOCKS).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("locks", LOCK_COLUMNS);
    let mut pid = None;
    for option in &line.options {
        match table.option(option.key, &option.value) {
            Ok(_) => {}
            Err(name) => return super::super::unknown_column(proc, &name).await,
        }
        if option.key == "p" {
            match super::super::number::<u32>(&option.value) {
                Some(number) => pid = Some(number),
                None => {
                    return super::super::bad_argument(proc, "invalid PID argument", &option.value)
                        .await;
                }
            }
        }
    }
    for (name, path) in LOCKED {
        let all = proc.processes();
        let Some(one) = all.iter().find(|one| one.name == name.as_bytes()) else {
            continue;
        };
        let Ok(metadata) = proc.stat(path.as_bytes()) else {
            continue;
        };
        if pid.is_some_and(|pid| pid != one.pid) {
            continue;
        }
        let aligned = table.style == super::super::table::Style::Aligned;
        let command = if aligned {
            format!("{name:<15}")
        } else {
            (*name).to_owned()
        };
        let number = if aligned {
            format!("{:>5}", one.pid)
        } else {
            one.pid.to_string()
        };
        table.rows.push(vec![
            command,
            number,
            "FLOCK".to_owned(),
            format!("{}B", metadata.size),
            metadata.ino.to_string(),
            "0:25".to_owned(),
            "WRITE".to_owned(),
            "0".to_owned(),
            "0".to_owned(),
            "0".to_owned(),
            (*path).to_owned(),
            String::new(),
        ]);
    }
    table.print(proc).await
}

const FD_COLUMNS: &[Column] = &[
    left("COMMAND"),
    number("PID"),
    right("USER"),
    right("ASSOC"),
    right("MODE"),
    right("TYPE"),
    right("SOURCE"),
    number("MNTID"),
    number("INODE"),
    left("NAME"),
];

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(in crate::util_linux) async fn lsfd(proc: &mut Process) -> ExitStatus {
    const SPEC: crate::getopt::Spec = crate::getopt::Spec::new(
        "lJno:rup:Q:C:hV",
        &[
            ("threads", crate::getopt::Arity::No, "l"),
            ("json", crate::getopt::Arity::No, "J"),
            ("noheadings", crate::getopt::Arity::No, "n"),
            ("output", crate::getopt::Arity::Required, "o"),
            ("raw", crate::getopt::Arity::No, "r"),
            ("notruncate", crate::getopt::Arity::No, "u"),
            ("pid", crate::getopt::Arity::Required, "p"),
            ("filter", crate::getopt::Arity::Required, "Q"),
            ("counter", crate::getopt::Arity::Required, "C"),
            ("summary", crate::getopt::Arity::Optional, "summary"),
            ("help", crate::getopt::Arity::No, "h"),
            ("version", crate::getopt::Arity::No, "V"),
        ],
    );
    let line = match super::super::line(proc, "lsfd", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("lsfd", FD_COLUMNS);
    let mut pids: Vec<u32> = Vec::new();
    for option in &line.options {
        if let Err(name) = table.option(option.key, &option.value) {
            return super::super::unknown_column(proc, &name).await;
        }
        if option.key == "p" {
            let words = option.value.split(|byte| matches!(byte, b',' | b' '));
            pids.extend(words.filter_map(super::super::number::<u32>));
        }
    }
    let users = Directory::load(proc).await;
    for one in proc.processes() {
        if !pids.is_empty() && !pids.contains(&one.pid) {
            continue;
        }
        proc.tick().await;
        let mut links: Vec<(String, Vec<u8>)> = ["exe", "cwd", "root"]
            .into_iter()
            .map(|name| {
                let shown = if name == "root" { "rtd" } else { name };
                (
                    shown.to_owned(),
                    format!("/proc/{}/{name}", one.pid).into_bytes(),
                )
            })
            .collect();
        let directory = format!("/proc/{}/fd", one.pid).into_bytes();
        let mut numbers: Vec<u32> = proc
            .read_directory(&directory)
            .unwrap_or_default()
            .iter()
            .filter_map(|entry| super::super::number(&entry.name))
            .collect();
        numbers.sort_unstable();
        let paths = numbers.into_iter().map(|fd| {
            let path = format!("/proc/{}/fd/{fd}", one.pid).into_bytes();
            (fd.to_string(), path)
        });
        links.extend(paths);
        for (assoc, path) in links {
            let Ok(target) = proc.read_link(&path) else {
                continue;
            };
            let metadata = proc.stat(&target).ok();
            let kind = match metadata.as_ref().map(|metadata| metadata.file_type) {
                Some(FileType::Directory) => "DIR",
                Some(FileType::CharDevice) => "CHR",
                Some(FileType::BlockDevice) => "BLK",
                Some(FileType::Regular) => "REG",
                _ if target.starts_with(b"pipe:") => "FIFO",
                _ if target.starts_with(b"socket:") => "SOCK",
                _ => "UNKN",
            };
            let mode = if assoc.parse::<u32>().is_ok() {
                "rw-"
            } else {
                "---"
            };
            let source = match kind {
                "FIFO" => "pipefs",
                "SOCK" => "sockfs",
                "CHR" => "devpts",
                _ => "vda1",
            };
            table.rows.push(vec![
                text_of(&one.name),
                one.pid.to_string(),
                text_of(&users.user_text(one.uid)),
                assoc,
                mode.to_owned(),
                kind.to_owned(),
                source.to_owned(),
                "0".to_owned(),
                metadata
                    .map(|metadata| metadata.ino.0.to_string())
                    .unwrap_or_default(),
                text_of(&target),
            ]);
        }
    }
    table.print(proc).await
}
