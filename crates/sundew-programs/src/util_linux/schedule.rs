//! `renice`, `ionice`, `taskset`, `chrt`: who gets the processor and the disk, and when.
//!
//! The machine's scheduler knows no priorities: what is set is kept and shown, and has no effect that could
//! be seen, as with little load on a real machine.

use sundew_kernel::process::Summary;
use sundew_kernel::{Errno, ExitStatus, Pid, Process};

use crate::getopt::{Arity, Getopt, Spec};
use crate::users::Directory;

fn pid_of(text: &[u8]) -> Option<Pid> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether there is such a process; 0 is the caller.
fn exists(proc: &Process, pid: Pid) -> bool {
    pid == 0 || proc.processes().iter().any(|other| other.pid == pid)
}

pub(crate) async fn renice(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match words.first().map(Vec::as_slice) {
        Some(b"-h" | b"--help") => return super::help(proc, "renice").await,
        Some(b"-v" | b"-V" | b"--version") => return super::version(proc).await,
        _ => {}
    }
    if words
        .first()
        .is_some_and(|word| matches!(word.as_slice(), b"-n" | b"--priority" | b"--relative"))
    {
        words.remove(0);
    }
    if words.len() < 2 {
        proc.complain_text("not enough arguments").await;
        return crate::getopt::try_help(proc, 1).await;
    }
    let priority = words.remove(0);
    let Some(priority) = std::str::from_utf8(&priority)
        .ok()
        .and_then(|text| text.parse::<i32>().ok())
    else {
        let text = [b"invalid priority '", priority.as_slice(), b"'"].concat();
        proc.complain_text(text).await;
        return crate::getopt::try_help(proc, 1).await;
    };
    let mut whose = Whose::Process;
    for word in &words {
        match word.as_slice() {
            b"-p" | b"--pid" => whose = Whose::Process,
            b"-g" | b"--pgrp" => whose = Whose::Group,
            b"-u" | b"--user" => whose = Whose::User,
            word => {
                let Some(id) = whose.id(proc, word).await else {
                    let text = [b"bad ", whose.name().as_bytes(), b" value: ", word].concat();
                    proc.complain_text(text).await;
                    continue;
                };
                let name = whose.name();
                match set_niceness(proc, whose, id, priority) {
                    Ok((old, new)) => {
                        let line =
                            format!("{id} ({name}) old priority {old}, new priority {new}\n");
                        let _reported_at_exit = proc.print(line.as_bytes()).await;
                    }
                    Err((what, errno)) => {
                        let text = format!(
                            "failed to {what} priority for {id} ({name}): {}",
                            errno.message()
                        );
                        proc.complain_text(text).await;
                    }
                }
            }
        }
    }
    proc.status()
}

/// Whose priority is meant: getpriority(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Process,
    Group,
    User,
}

impl Whose {
    const fn name(self) -> &'static str {
        match self {
            Self::Process => "process ID",
            Self::Group => "process group ID",
            Self::User => "user ID",
        }
    }

    async fn id(self, proc: &mut Process, word: &[u8]) -> Option<u32> {
        if self == Self::User {
            let users = Directory::load(proc).await;
            if let Some(user) = users.user(word) {
                return Some(user.uid);
            }
        }
        pid_of(word)
    }

    fn has(self, id: u32, one: &Summary) -> bool {
        id == match self {
            Self::Process => one.pid,
            Self::Group => one.group,
            Self::User => one.uid,
        }
    }
}

/// The lowest niceness of those that are meant, before and after; else what failed, and why.
fn set_niceness(
    proc: &Process,
    whose: Whose,
    id: u32,
    value: i32,
) -> Result<(i32, i32), (&'static str, Errno)> {
    let id = if whose == Whose::Process && id == 0 {
        proc.pid()
    } else {
        id
    };
    let lowest = || {
        let all = proc.processes().into_iter();
        let meant = all.filter(|one| whose.has(id, one));
        meant.map(|one| (one.nice, one.pid)).min()
    };
    let Some((old, _)) = lowest() else {
        return Err(("get", Errno::Esrch));
    };
    for one in proc.processes() {
        if whose.has(id, &one) {
            let set = proc.set_niceness(one.pid, value);
            set.map_err(|errno| ("set", errno))?;
        }
    }
    let new = lowest().map_or(value, |(nice, _)| nice);
    Ok((old, new))
}

pub(crate) async fn ionice(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "+c:hn:p:P:tu:V",
        &[
            ("class", Arity::Required, "c"),
            ("classdata", Arity::Required, "n"),
            ("help", Arity::No, "h"),
            ("ignore", Arity::No, "t"),
            ("pid", Arity::Required, "p"),
            ("pgid", Arity::Required, "p"),
            ("uid", Arity::Required, "p"),
            ("version", Arity::No, "V"),
        ],
    );
    const CLASSES: [&str; 4] = ["none", "realtime", "best-effort", "idle"];
    let (mut set, mut pids) = (false, Vec::new());
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return super::refuse(proc, &error).await,
        };
        match option.key {
            "c" => {
                set = true;
                let class = option.value.to_ascii_lowercase();
                let known = matches!(class.as_slice(), [b'0'..=b'3'])
                    || CLASSES.iter().any(|name| name.as_bytes() == class);
                if !known {
                    let number = matches!(class.first(), Some(b'0'..=b'9'));
                    let text: &[u8] = if number {
                        b"unknown prio class "
                    } else {
                        b"unknown scheduling class: '"
                    };
                    let end: &[u8] = if number { b"" } else { b"'" };
                    proc.complain_text([text, &option.value, end].concat())
                        .await;
                    if !number {
                        return ExitStatus::FAILURE;
                    }
                }
            }
            "n" => set = true,
            "p" | "P" | "u" => pids.push(option.value),
            "h" => return super::help(proc, "ionice").await,
            "V" => return super::version(proc).await,
            _ => {}
        }
    }
    let words = getopt.operands();
    if pids.is_empty() && !words.is_empty() {
        return super::become_command(proc, words).await;
    }
    if pids.is_empty() {
        pids.push(b"0".to_vec());
    } else {
        pids.extend(words);
    }
    for word in &pids {
        let Some(pid) = pid_of(word) else {
            proc.complain_text([b"invalid PID argument: '", word.as_slice(), b"'"].concat())
                .await;
            return ExitStatus::FAILURE;
        };
        if !exists(proc, pid) {
            let text = format!(
                "{} failed: {}",
                if set { "ioprio_set" } else { "ioprio_get" },
                Errno::Esrch.message()
            );
            proc.complain_text(text).await;
            return ExitStatus::FAILURE;
        }
        if !set {
            let _reported_at_exit = proc.print(b"none: prio 0\n").await;
        }
    }
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(crate) async fn taskset(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "+achpV",
        &[
            ("all-tasks", Arity::No, "a"),
            ("cpu-list", Arity::No, "c"),
            ("help", Arity::No, "h"),
            ("pid", Arity::No, "p"),
            ("version", Arity::No, "V"),
        ],
    );
    let (mut list, mut by_pid) = (false, false);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("c") => list = true,
            Ok("p") => by_pid = true,
            Ok("h") => return super::help(proc, "taskset").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let mut words = getopt.operands();
    let count = proc.facts().cpu.count.clamp(1, 64);
    let shown = |mask: u64| {
        if !list {
            return format!("{mask:x}");
        }
        if count == 1 {
            "0".to_owned()
        } else {
            format!("0-{}", count - 1)
        }
    };
    let all = u64::MAX >> (64 - count);
    let what = if list { "list" } else { "mask" };
    match (by_pid, words.as_slice()) {
        (true, [pid]) => {
            let Some(number) = pid_of(pid) else {
                proc.complain_text([b"invalid PID argument: '", pid.as_slice(), b"'"].concat())
                    .await;
                return ExitStatus::FAILURE;
            };
            if !exists(proc, number) {
                let text = format!(
                    "failed to get pid {number}'s affinity: {}",
                    Errno::Esrch.message()
                );
                proc.complain_text(text).await;
                return ExitStatus::FAILURE;
            }
            let line = format!("pid {number}'s current affinity {what}: {}\n", shown(all));
            let _reported_at_exit = proc.print(line.as_bytes()).await;
            proc.status()
        }
        (_, [_, ..]) if words.len() >= 2 => {
            let mask = words.remove(0);
            let hex = mask.strip_prefix(b"0x").unwrap_or(&mask);
            let good = if list {
                mask.iter()
                    .all(|byte| byte.is_ascii_digit() || b"-,:".contains(byte))
            } else {
                hex.iter()
                    .all(|byte| byte.is_ascii_hexdigit() || *byte == b',')
            };
            if !good {
                let kind: &[u8] = if list {
                    b"failed to parse CPU list: "
                } else {
                    b"failed to parse CPU mask: "
                };
                proc.complain_text([kind, &mask].concat()).await;
                return ExitStatus::FAILURE;
            }
            if !by_pid {
                return super::become_command(proc, words).await;
            }
            let pid = words.first().and_then(|word| pid_of(word)).unwrap_or(0);
            let text = String::from_utf8_lossy(&mask).into_owned();
            let lines = format!(
                "pid {pid}'s current affinity {what}: {}\npid {pid}'s new affinity {what}: {text}\n",
                shown(all)
            );
            let _reported_at_exit = proc.print(lines.as_bytes()).await;
            proc.status()
        }
        _ => super::bad_usage(proc).await,
    }
}

pub(crate) async fn chrt(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "+abdD:efiphmoP:T:rRvV",
        &[
            ("help", Arity::No, "h"),
            ("pid", Arity::No, "p"),
            ("max", Arity::No, "m"),
        ],
    );
    let (mut by_pid, mut limits) = (false, false);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("p") => by_pid = true,
            Ok("m") => limits = true,
            Ok("h") => return super::help(proc, "chrt").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    if limits {
        let mut text = String::new();
        for (name, most) in [
            ("OTHER", 0),
            ("FIFO", 99),
            ("RR", 99),
            ("BATCH", 0),
            ("IDLE", 0),
            ("DEADLINE", 0),
        ] {
            let name = format!("SCHED_{name}");
            text.push_str(&format!(
                "{name:<15} min/max priority\t: {}/{most}\n",
                most.min(1)
            ));
        }
        let _reported_at_exit = proc.print(text.as_bytes()).await;
        return proc.status();
    }
    let mut words = getopt.operands();
    match (by_pid, words.as_slice()) {
        (true, [pid]) => {
            let pid = pid_of(pid).unwrap_or(0);
            if !exists(proc, pid) {
                let text = format!(
                    "failed to get pid {pid}'s policy: {}",
                    Errno::Esrch.message()
                );
                proc.complain_text(text).await;
                return ExitStatus::FAILURE;
            }
            let text = format!(
                "pid {pid}'s current scheduling policy: SCHED_OTHER\npid {pid}'s current scheduling priority: 0\n"
            );
            let _reported_at_exit = proc.print(text.as_bytes()).await;
            proc.status()
        }
        (true, [_, _]) => ExitStatus::SUCCESS,
        (false, [_, _, ..]) => {
            words.remove(0);
            super::become_command(proc, words).await
        }
        _ => super::bad_usage(proc).await,
    }
}

/// `flock`: a command while a file is locked. Locks of other processes are not kept by the machine,
/// so every lock is got at once.
pub(crate) async fn flock(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "+sexnoFuw:E:c:hV",
        &[
            ("shared", Arity::No, "s"),
            ("exclusive", Arity::No, "x"),
            ("unlock", Arity::No, "u"),
            ("nonblocking", Arity::No, "n"),
            ("nonblock", Arity::No, "n"),
            ("nb", Arity::No, "n"),
            ("timeout", Arity::Required, "w"),
            ("wait", Arity::Required, "w"),
            ("conflict-exit-code", Arity::Required, "E"),
            ("close", Arity::No, "o"),
            ("no-fork", Arity::No, "F"),
            ("verbose", Arity::No, "verbose"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("h") => return super::help(proc, "flock").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let mut words = getopt.operands();
    if words.is_empty() {
        proc.complain_text("not enough arguments").await;
        return crate::getopt::try_help(proc, 64).await;
    }
    let path = words.remove(0);
    if words.is_empty() {
        // The number of an open descriptor.
        let open = pid_of(&path).is_some_and(|fd| proc.is_open(fd as sundew_kernel::Fd));
        if open {
            return ExitStatus::SUCCESS;
        }
        let text = [b"bad file descriptor: '", path.as_slice(), b"'"].concat();
        proc.complain_text(text).await;
        return ExitStatus::Exited(65);
    }
    let flags = sundew_kernel::descriptor::OpenFlags {
        create: true,
        ..sundew_kernel::descriptor::OpenFlags::READ
    };
    if let Err(errno) = proc.open(&path, flags, 0o666).await
        && errno != Errno::Eisdir
    {
        let text = [
            b"cannot open lock file ",
            path.as_slice(),
            b": ",
            errno.message().as_bytes(),
        ]
        .concat();
        proc.complain_text(text).await;
        return ExitStatus::Exited(66);
    }
    if words
        .first()
        .is_some_and(|word| word == b"-c" || word == b"--command")
    {
        words.remove(0);
        if words.len() != 1 {
            proc.complain_text("-c requires exactly one command argument")
                .await;
            return ExitStatus::Exited(64);
        }
        let shell = proc.env().value(b"SHELL").unwrap_or(b"/bin/sh").to_vec();
        words.insert(0, b"-c".to_vec());
        words.insert(0, shell);
    }
    let _run_or_complained = super::become_command(proc, words).await;
    ExitStatus::Exited(69)
}
