//! What is rarer of psmisc 23.6: `prtstat`, `pslog`, `peekfd`.

use sundew_kernel::{ExitStatus, Process};

use super::cli;
use super::process::base;

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn prtstat(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let (mut raw, mut pid) = (false, None);
    for word in words {
        match word.as_str() {
            "-V" | "--version" => {
                return super::fail(proc, cli::section("prtstat version"), 0).await;
            }
            "-r" | "--raw" => raw = true,
            option if option.starts_with('-') => {
                let text = match option.strip_prefix("--") {
                    Some(name) => format!("unrecognized option '--{name}'"),
                    None => format!("invalid option -- '{}'", option.get(1..2).unwrap_or("-")),
                };
                return cli::refuse(proc, "prtstat", &text, 1).await;
            }
            word => match word.parse::<u32>() {
                Ok(number) => pid = Some(number),
                Err(_) => return super::fail(proc, "Invalid process id\n", 1).await,
            },
        }
    }
    let Some(pid) = pid else {
        let usage = cli::section("prtstat usage").replace("Invalid option\n", "");
        return super::fail(
            proc,
            format!("You must provide at least one PID.\n{usage}"),
            1,
        )
        .await;
    };
    let Some(one) = proc.processes().into_iter().find(|one| one.pid == pid) else {
        let text = format!("Process with pid {pid} does not exist.\n");
        return super::fail(proc, text, 1).await;
    };
    let state = match one.state {
        b'R' => "R (running)",
        b'T' => "T (stopped)",
        b'Z' => "Z (zombie)",
        b'I' => "I (idle)",
        _ => "S (sleeping)",
    };
    let name = super::text(&one.name);
    let seconds = one.cpu.as_secs_f64();
    let out = if raw {
        let row =
            |a: &str, x: String, b: &str, y: String| format!("{a:>12}: {x:<15}\t{b:>22}: {y}\n");
        [
            row("pid", pid.to_string(), "comm", name),
            row(
                "state",
                char::from(one.state).to_string(),
                "ppid",
                one.ppid.to_string(),
            ),
            row(
                "pgrp",
                one.group.to_string(),
                "session",
                one.session.to_string(),
            ),
        ]
        .concat()
    } else {
        format!(
            "Process: {name:<14}\t\tState: {state}\n  CPU#:  0  \t\tTTY: 0:0\tThreads: 1\nProcess, Group and Session IDs\n  Process ID: {pid}\t\t  Parent ID: {}\n    Group ID: {}\t\t Session ID: {}\n  T Group ID: -1\n\nPage Faults\n  This Process    (minor major): {:>8}  {:>8}\n  Child Processes (minor major): {:>8}  {:>8}\nCPU Times\n  This Process    (user system guest blkio): {:>6.2} {:>6.2} {:>6.2} {:>6.2}\n  Child processes (user system guest):       {:>6.2} {:>6.2} {:>6.2}\nMemory\n  Vsize:       {:<10}\n  RSS:         {:<10} \t\t RSS Limit: 18446744073709 MB\n  Code Start:  0x1       \t\t Code Stop:  0x1       \n  Stack Start: 0         \n  Stack Pointer (ESP): {:>10}\t Inst Pointer (EIP): {:>10}\nScheduling\n  Policy: normal\n  Nice:   {} \t\t RT Priority: 0 (non RT)\n",
            one.ppid,
            one.group,
            one.session,
            0,
            0,
            0,
            0,
            seconds * 0.7,
            seconds * 0.3,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            megabytes(one.vsz_kib),
            megabytes(one.rss_kib),
            0,
            0,
            one.nice
        )
    };
    super::put(proc, out).await
}

fn megabytes(kib: u64) -> String {
    let bytes = kib * 1024;
    if bytes >= 1_000_000 {
        format!("{} MB", bytes / 1_000_000)
    } else {
        format!("{} kB", bytes / 1000)
    }
}

pub(super) async fn pslog(proc: &mut Process) -> ExitStatus {
    const FAILED: u8 = 255;
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let Some(word) = words.first() else {
        let usage = cli::section("pslog usage");
        let usage = usage
            .get(usage.find("Usage").unwrap_or(0)..)
            .unwrap_or_default();
        return super::fail(proc, usage, FAILED).await;
    };
    if matches!(word.as_str(), "-V" | "--version") {
        return super::fail(proc, cli::section("pslog version"), 0).await;
    }
    let Ok(pid) = base(word).parse::<u32>() else {
        let text = cli::section("pslog usage").replace('%', word);
        return super::fail(proc, text, FAILED).await;
    };
    let directory = format!("/proc/{pid}/fd");
    let mut out = format!("Pid no {pid}:\n");
    for entry in proc
        .read_directory(directory.as_bytes())
        .unwrap_or_default()
    {
        let path = [directory.as_bytes(), b"/", &entry.name].concat();
        let target = proc
            .read_link(&path)
            .map(|target| super::text(&target))
            .unwrap_or_default();
        if target.ends_with(".log") || target.starts_with("/var/log/") {
            out.push_str(&format!("Log path: {target}\n"));
        }
    }
    super::put(proc, out).await
}

pub(super) async fn peekfd(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let usage = cli::section("peekfd usage");
    if words.iter().any(|word| word == "-V" || word == "--version") {
        let text = "peekfd (PSmisc) 23.6\nCopyright (C) 2007 Trent Waddington\n\nPSmisc comes with ABSOLUTELY NO WARRANTY.\nThis is free software, and you are welcome to redistribute it under\nthe terms of the GNU General Public License.\nFor more information about these matters, see the files named COPYING.\n";
        return super::fail(proc, text, 1).await;
    }
    let pid = words.iter().find(|word| !word.starts_with('-'));
    let Some(pid) = pid else {
        return super::fail(proc, usage, 1).await;
    };
    let text = format!("Error attaching to pid {pid}\n");
    super::fail(proc, text, 1).await
}
