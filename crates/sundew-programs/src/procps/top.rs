//! `top`: what it shows, and batch mode; a terminal's keys are in [`keys`].

use std::time::Duration;

use sundew_kernel::process::Summary;
use sundew_kernel::{ExitStatus, Pid, Process, STDOUT};

use super::number;
use crate::getopt::{Arity, Getopt, Spec};
use crate::users::Directory;

mod keys;

/// Columns in batch mode when nothing says otherwise.
const BATCH_COLUMNS: usize = 512;

/// The options of top(1); the door has refused what is none of them.
const SPEC: Spec = Spec::new(
    "bcd:E:e:Hin:Oo:p:SsU:u:w::1hV",
    &[
        ("batch-mode", Arity::No, "b"),
        ("cmdline-toggle", Arity::No, "c"),
        ("delay", Arity::Required, "d"),
        ("scale-summary-mem", Arity::Required, "E"),
        ("scale-task-mem", Arity::Required, "e"),
        ("threads-show", Arity::No, "H"),
        ("idle-toggle", Arity::No, "i"),
        ("iterations", Arity::Required, "n"),
        ("list-fields", Arity::No, "O"),
        ("sort-override", Arity::Required, "o"),
        ("pid", Arity::Required, "p"),
        ("accum-time-toggle", Arity::No, "S"),
        ("secure-mode", Arity::No, "s"),
        ("filter-any-user", Arity::Required, "U"),
        ("filter-only-euser", Arity::Required, "u"),
        ("width", Arity::Optional, "w"),
        ("single-cpu-toggle", Arity::No, "1"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

struct Options {
    batch: bool,
    fields: bool,
    rounds: Option<u64>,
    delay: f64,
    /// Only these; empty for all.
    pids: Vec<Pid>,
    user: Option<u32>,
}

impl Options {
    /// Reads the command line; the complaint otherwise.
    async fn read(proc: &Process) -> Result<Self, Vec<u8>> {
        let bad = |what: &str, value: &[u8]| [what.as_bytes(), b" '", value, b"'"].concat();
        let mut read = Self {
            batch: false,
            fields: false,
            rounds: None,
            delay: 3.0,
            pids: Vec::new(),
            user: None,
        };
        // The width may stand in a word of its own.
        let mut wide = false;
        let mut options = Getopt::new(&SPEC, proc.args());
        while let Some(option) = options.next() {
            let option = option.map_err(|error| error.text())?;
            let value = option.value;
            match option.key {
                "b" => read.batch = true,
                "O" => read.fields = true,
                "n" => {
                    let rounds = number::<u64>(&value).filter(|rounds| *rounds > 0);
                    read.rounds =
                        Some(rounds.ok_or_else(|| bad("bad iterations argument", &value))?);
                }
                "d" => {
                    let delay = number::<f64>(&value).filter(|delay| *delay >= 0.0);
                    read.delay = delay.ok_or_else(|| bad("bad delay interval", &value))?;
                }
                "p" => {
                    for word in value.split(|byte| *byte == b',') {
                        let pid = number::<Pid>(word).ok_or_else(|| bad("bad pid", word))?;
                        read.pids.push(pid);
                    }
                }
                "u" | "U" => {
                    let name = value.strip_prefix(b"!").unwrap_or(&value);
                    let users = Directory::load(proc).await;
                    let user = users.user(name).map(|user| user.uid);
                    let uid = user.or_else(|| number(name));
                    read.user = Some(uid.ok_or_else(|| b"Invalid user".to_vec())?);
                }
                "o" => {
                    let name = value.strip_prefix(b"-").or(value.strip_prefix(b"+"));
                    let name = name.unwrap_or(&value);
                    if !FIELDS
                        .iter()
                        .any(|field| field.as_bytes().eq_ignore_ascii_case(name))
                    {
                        return Err(bad("unrecognized field name", name));
                    }
                }
                "w" if !option.has_value => wide = true,
                "w" if number::<u64>(&value).is_none() => {
                    return Err(bad("bad width arg", &value));
                }
                _ => {}
            }
        }
        let operands = options.operands();
        if let Some(word) = operands.first()
            && wide
        {
            return match number::<u64>(word) {
                Some(_) => Ok(read),
                None => Err(bad("bad width arg", word)),
            };
        }
        match operands.first() {
            Some(word) => Err(bad("unknown option", word)),
            None => Ok(read),
        }
    }
}

/// What `-O` lists and `-o` takes.
const FIELDS: [&str; 78] = [
    "PID", "PPID", "UID", "USER", "RUID", "RUSER", "SUID", "SUSER", "GID", "GROUP", "PGRP", "TTY",
    "TPGID", "SID", "PR", "NI", "nTH", "P", "%CPU", "TIME", "TIME+", "%MEM", "VIRT", "SWAP", "RES",
    "CODE", "DATA", "SHR", "nMaj", "nMin", "nDRT", "S", "COMMAND", "WCHAN", "Flags", "CGROUPS",
    "SUPGIDS", "SUPGRPS", "TGID", "OOMa", "OOMs", "ENVIRON", "vMj", "vMn", "USED", "nsIPC",
    "nsMNT", "nsNET", "nsPID", "nsUSER", "nsUTS", "LXC", "RSan", "RSfd", "RSlk", "RSsh", "CGNAME",
    "NU", "LOGID", "EXE", "RSS", "PSS", "PSan", "PSfd", "PSsh", "USS", "ioR", "ioRop", "ioW",
    "ioWop", "AGID", "AGNI", "STARTED", "ELAPSED", "%CUU", "%CUC", "nsCGROUP", "nsTIME",
];

/// `top`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let options = match Options::read(proc).await {
        Ok(options) => options,
        Err(text) => {
            proc.complain_text(text).await;
            return ExitStatus::FAILURE;
        }
    };
    if options.fields {
        let text: Vec<u8> = FIELDS
            .iter()
            .flat_map(|name| [name.as_bytes(), b"\n"].concat())
            .collect();
        let _closed = proc.print(&text).await;
        return proc.status();
    }
    let (batch, rounds, delay) = (options.batch, options.rounds, options.delay);
    if !batch && !proc.is_terminal(STDOUT) {
        // Without TERM it ends before it can say why.
        if proc.env().value(b"TERM").is_some() {
            proc.complain_text("failed tty get").await;
        }
        return ExitStatus::FAILURE;
    }
    let users = Directory::load(proc).await;
    if !batch {
        return keys::run(proc, &users, &options).await;
    }
    let mut left = rounds.unwrap_or(u64::MAX);
    let wait = Duration::from_secs_f64(delay.clamp(0.1, 86_400.0));
    while left > 0 {
        let text = screen(proc, &users, &options).await;
        if proc.print(text.as_bytes()).await.is_err() || proc.flush().await.is_err() {
            break;
        }
        left -= 1;
        if left == 0 || proc.sleep(wait).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// A picture of batch mode.
async fn screen(proc: &Process, users: &Directory, options: &Options) -> String {
    let mut all = proc.processes();
    all.retain(|one| options.pids.is_empty() || options.pids.contains(&one.pid));
    let mut lines: Vec<String> = summary(proc, &all)
        .await
        .into_iter()
        .map(|line| line.into_iter().map(|(_, text)| text).collect())
        .collect();
    lines.push(String::new());
    lines.push(HEADER.to_owned());
    // A user's processes are picked out of the list, not out of the counts.
    all.retain(|one| options.user.is_none_or(|uid| one.uid == uid));
    all.sort_by_key(|one| (one.state != b'R', one.pid));
    lines.extend(all.iter().map(|summary| {
        let task = Task {
            summary,
            share: 0.0,
            command: String::from_utf8_lossy(&summary.name).into_owned(),
        };
        row(proc, users, &task)
    }));
    let columns = proc
        .window_size(STDOUT)
        .ok()
        .filter(|size| size.columns > 0)
        .map_or(BATCH_COLUMNS, |size| usize::from(size.columns));
    let mut text = String::new();
    for line in lines {
        text.extend(line.chars().take(columns));
        text.push('\n');
    }
    text
}

/// The names of the columns.
const HEADER: &str =
    "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND";

/// The lines above the list, in pieces: whether one is emphasized, and its text.
async fn summary(proc: &Process, all: &[Summary]) -> Vec<Vec<(bool, String)>> {
    let count = |states: &[u8]| {
        let count = all.iter().filter(|one| states.contains(&one.state)).count();
        format!(" {count:>3} ")
    };
    let memory = proc.memory_use();
    let swap = proc.facts().swap_total_kib;
    let mib = |kib: u64| format!("{:9.1} ", kib as f64 / 1024.0);
    let percent = |value: f64| format!("{value:5.1} ");
    let busy = f64::from(proc.load().first().copied().unwrap_or(0).min(1000)) / 10.0;
    let line = |head: &str, pairs: &[(String, &str)]| {
        let mut pieces = vec![(false, head.to_owned())];
        for (value, label) in pairs {
            pieces.push((true, value.clone()));
            pieces.push((false, (*label).to_owned()));
        }
        pieces
    };
    let nothing = || percent(0.0);
    vec![
        line(&format!("top -{}", super::uptime::line(proc).await), &[]),
        line(
            "Tasks:",
            &[
                (format!(" {:>3} ", all.len()), "total,"),
                (count(b"R"), "running,"),
                (count(b"SDI"), "sleeping,"),
                (count(b"T"), "stopped,"),
                (count(b"Z"), "zombie"),
            ],
        ),
        line(
            "%Cpu(s):",
            &[
                (percent(busy), "us,"),
                (nothing(), "sy,"),
                (nothing(), "ni,"),
                (percent(100.0 - busy), "id,"),
                (nothing(), "wa,"),
                (nothing(), "hi,"),
                (nothing(), "si,"),
                (nothing(), "st "),
            ],
        ),
        line(
            "MiB Mem :",
            &[
                (mib(memory.total), "total,"),
                (mib(memory.free), "free,"),
                (mib(memory.total.saturating_sub(memory.available)), "used,"),
                (mib(memory.buffers + memory.cached), "buff/cache     "),
            ],
        ),
        line(
            "MiB Swap:",
            &[
                (mib(swap), "total,"),
                (mib(swap), "free,"),
                (mib(0), "used."),
                (mib(memory.available), "avail Mem "),
            ],
        ),
    ]
}

/// A process in the list.
struct Task<'a> {
    summary: &'a Summary,
    /// Percent of a processor.
    share: f64,
    command: String,
}

fn row(proc: &Process, users: &Directory, task: &Task<'_>) -> String {
    let one = task.summary;
    let user = String::from_utf8_lossy(&users.user_text(one.uid)).into_owned();
    let user = if user.len() > 8 {
        user.chars().take(7).chain(['+']).collect()
    } else {
        user
    };
    let nice = one.nice;
    let hundredths = one.cpu.as_millis() / 10;
    let time = format!(
        "{}:{:02}.{:02}",
        hundredths / 6000,
        hundredths / 100 % 60,
        hundredths % 100
    );
    let share = one.rss_kib as f64 * 100.0 / proc.facts().memory_total_kib.max(1) as f64;
    format!(
        "{:>7} {user:<8} {:>3} {nice:>3} {:>7} {:>6} {:>6} {} {:>5.1} {share:>5.1} {time:>9} {}",
        one.pid,
        20 + nice,
        one.vsz_kib,
        one.rss_kib,
        one.rss_kib * 6 / 10,
        char::from(one.state),
        task.share,
        task.command
    )
}
