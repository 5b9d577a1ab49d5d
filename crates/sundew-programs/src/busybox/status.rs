//! Applets about processes and resources, in BusyBox's own form: ps, free, uptime, df, kill,
//! killall, crontab.

use sundew_kernel::process::Summary;
use sundew_kernel::{Errno, ExitStatus, Pid, Process, STDOUT, Signal};

use super::borrowed::output_of;
use super::{complain, usage};
use crate::getopt::{Getopt, Spec};
use crate::users::Directory;

/// In place of a shift: the unit that suits each number.
const HUMAN: u32 = 63;

/// Columns taken for output that is no terminal: all there are.
const UNLIMITED: usize = usize::MAX;

/// `ps`.
pub(super) async fn ps(proc: &mut Process) -> ExitStatus {
    if let Some(columns) = asked_columns(proc.args()) {
        return ps_columns(proc, &columns).await;
    }
    let users = Directory::load(proc).await;
    let width = match proc.window_size(STDOUT) {
        Ok(size) if size.columns > 0 => usize::from(size.columns),
        _ => UNLIMITED,
    };
    if proc.print(b"PID   USER     COMMAND\n").await.is_err() {
        return proc.status();
    }
    for summary in proc.processes() {
        let user = String::from_utf8_lossy(&users.user_text(summary.uid)).into_owned();
        let mut line = format!("{:>5} {user:<8.8} ", summary.pid).into_bytes();
        line.extend(command(&summary));
        line.truncate(width);
        line.push(b'\n');
        if proc.print(&line).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// The columns that `ps -o` can show: name, heading, width, whether numbers stand to the right.
const COLUMNS: &[(&str, &str, usize, bool)] = &[
    ("user", "USER", 8, false),
    ("group", "GROUP", 8, false),
    ("comm", "COMMAND", 16, false),
    ("args", "COMMAND", 256, false),
    ("pid", "PID", 5, true),
    ("ppid", "PPID", 5, true),
    ("pgid", "PGID", 5, true),
    ("nice", "NI", 5, true),
    ("rgroup", "RGROUP", 8, false),
    ("ruser", "RUSER", 8, false),
    ("tty", "TT", 6, false),
    ("vsz", "VSZ", 4, false),
    ("sid", "SID", 5, true),
    ("stat", "STAT", 4, false),
    ("rss", "RSS", 4, false),
];

/// What stands behind `-o`, in one list.
fn asked_columns(args: &[Vec<u8>]) -> Option<String> {
    let mut asked: Vec<String> = Vec::new();
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let Some(list) = word.strip_prefix(b"-o") else {
            continue;
        };
        let list = if list.is_empty() { words.next()? } else { list };
        asked.push(String::from_utf8_lossy(list).into_owned());
    }
    (!asked.is_empty()).then(|| asked.join(","))
}

/// `ps -o LIST`.
async fn ps_columns(proc: &mut Process, list: &str) -> ExitStatus {
    let mut columns = Vec::new();
    for part in list.split(',') {
        let (name, heading) = part.split_once('=').unwrap_or((part, ""));
        let Some(known) = COLUMNS.iter().find(|column| column.0 == name) else {
            let names: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
            let names = names.join(",");
            let text = format!("bad -o argument '{name}', supported arguments: {names}");
            return complain(proc, "ps", text).await;
        };
        let heading = if part.contains('=') { heading } else { known.1 };
        columns.push((known, heading.to_owned()));
    }
    let users = Directory::load(proc).await;
    let mut rows = vec![
        columns
            .iter()
            .map(|(_, heading)| heading.clone())
            .collect::<Vec<_>>(),
    ];
    for one in proc.processes() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let cells = columns.iter().map(|(column, _)| match column.0 {
            "user" | "ruser" => text(&users.user_text(one.uid)),
            "group" | "rgroup" => text(&users.group_text(one.gid)),
            "comm" => text(&one.name),
            "args" => text(&command(&one)),
            "pid" => one.pid.to_string(),
            "ppid" => one.ppid.to_string(),
            "pgid" => one.group.to_string(),
            "nice" => one.nice.to_string(),
            "tty" => one.tty.as_ref().map_or("?".to_owned(), |tty| {
                let major = u32::from(tty.starts_with(b"pts/")) * 132 + 4;
                let minor = tty.rsplit(|&byte| byte == b'/').next().unwrap_or(tty);
                format!("{major},{}", text(minor))
            }),
            "vsz" => one.vsz_kib.to_string(),
            "sid" => one.session.to_string(),
            "stat" => char::from(one.state).to_string(),
            _ => one.rss_kib.to_string(),
        });
        rows.push(cells.collect());
    }
    for (at, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (place, ((column, _), cell)) in columns.iter().zip(row).enumerate() {
            let width = column.2;
            let cell: String = cell.chars().take(width.max(5)).collect();
            if place > 0 {
                line.push(' ');
            }
            line += &match (at > 0 && column.3, place + 1 == columns.len()) {
                (true, _) => format!("{cell:>width$}"),
                (_, true) => cell,
                _ => format!("{cell:<width$}"),
            };
        }
        line.push('\n');
        if proc.print(line.as_bytes()).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// The command line; before it the name in braces if the two disagree.
fn command(summary: &Summary) -> Vec<u8> {
    let Some(first) = summary.args.first() else {
        return [b"[", summary.name.as_slice(), b"]"].concat();
    };
    let base = first.rsplit(|&byte| byte == b'/').next().unwrap_or(first);
    let base = base.strip_prefix(b"-").unwrap_or(base);
    let line = summary.args.join(&b' ');
    if base.starts_with(&summary.name) {
        return line;
    }
    [b"{", summary.name.as_slice(), b"} ", &line].concat()
}

/// `free`.
pub(super) async fn free(proc: &mut Process) -> ExitStatus {
    let unit = match proc.args().get(1).map(Vec::as_slice) {
        Some(b"-b") => 0,
        Some(b"-m") => 20,
        Some(b"-g") => 30,
        Some(b"-k") | None => 10,
        Some(b"-h") => HUMAN,
        Some(_) => return usage::refuse(proc, b"free").await,
    };
    let show = |kib: u64| match unit {
        HUMAN => format!("{:>12}", human_kib(kib)),
        unit => format!("{:>12}", kib.saturating_mul(1024) >> unit),
    };
    let memory = proc.memory_use();
    let cache = memory.buffers + memory.cached;
    let used = memory
        .total
        .saturating_sub(memory.free)
        .saturating_sub(cache);
    let mut text = String::from(
        "              total        used        free      shared  buff/cache   available\n",
    );
    let fields = [
        memory.total,
        used,
        memory.free,
        memory.shared,
        cache,
        memory.available,
    ];
    text += &format!("Mem:   {}\n", fields.map(show).concat());
    let swap = proc.facts().swap_total_kib;
    text += &format!("Swap:  {}\n", [swap, 0, swap].map(show).concat());
    super::printed(proc, text.as_bytes()).await
}

/// `uptime`.
pub(super) async fn uptime(proc: &mut Process) -> ExitStatus {
    let up = proc.uptime().as_secs() / 60;
    let now = proc.now().secs.rem_euclid(86_400);
    let (days, hours, minutes) = (up / 1440, up / 60 % 24, up % 60);
    let mut text = format!(
        " {:02}:{:02}:{:02} up ",
        now / 3600,
        now / 60 % 60,
        now % 60
    );
    if days > 0 {
        text += &format!("{days} day{}, ", if days == 1 { "" } else { "s" });
    }
    text += &if hours > 0 {
        format!("{hours:>2}:{minutes:02}")
    } else {
        format!("{minutes} min")
    };
    let [one, five, fifteen] = proc
        .load()
        .map(|load| format!("{}.{:02}", load / 100, load % 100));
    text += &format!(
        ",  {} users,  load average: {one}, {five}, {fifteen}\n",
        terminals(proc)
    );
    super::printed(proc, text.as_bytes()).await
}

/// How many terminals somebody is logged in on.
fn terminals(proc: &Process) -> usize {
    let processes = proc.processes();
    let leaders = processes
        .iter()
        .filter(|one| one.tty.is_some() && one.pid == one.session);
    leaders.count()
}

/// `df`: the numbers of the other `df`, in BusyBox's columns.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn df(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("PkmhTait:B:H", &[]);
    let mut letters = String::new();
    let mut kind = None;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(option) if option.key == "t" => kind = Some(option.value),
            Ok(option) => letters.push_str(option.key),
            Err(error) => return usage::refuse_option(proc, b"df", &error).await,
        }
    }
    let has = |letter: char| letters.contains(letter);
    let (human, inodes) = (has('h') || has('H'), has('i'));
    let mut args: Vec<Vec<u8>> = ["df", "-P", "-T", if inodes { "-i" } else { "-k" }]
        .map(|word| word.as_bytes().to_vec())
        .to_vec();
    if has('a') {
        args.push(b"-a".to_vec());
    }
    if let Some(kind) = kind {
        args.extend([b"-t".to_vec(), kind]);
    }
    let operands = options.operands();
    let wanted = operands.len();
    for path in operands {
        if proc.stat(&path).is_ok() {
            args.push(path);
        } else {
            let text = [path.as_slice(), b": can't find mount point"].concat();
            complain(proc, "df", text).await;
            proc.set_status(1);
        }
    }
    let (size, middle) = if inodes {
        ("   Inodes", "     Used Available Use%")
    } else if human {
        ("     Size", "     Used Available Use%")
    } else if has('m') {
        ("1M-blocks", "     Used Available Use%")
    } else if has('P') {
        ("1024-blocks", "   Used Available Capacity")
    } else {
        ("1K-blocks", "     Used Available Use%")
    };
    let kind = if has('T') { "Type       " } else { "" };
    let mut text = format!("Filesystem           {kind}{size} {middle} Mounted on\n");
    let alone = wanted > 0 && args.last().is_some_and(|word| word.starts_with(b"-"));
    let table = if alone {
        Vec::new()
    } else {
        output_of(proc, b"df", args).await
    };
    for line in String::from_utf8_lossy(&table).lines().skip(1) {
        let mut fields = line.split_whitespace();
        let mut next = || fields.next().unwrap_or_default();
        let (device, kind) = (next(), next());
        let numbers = [next(), next(), next()].map(|number| {
            let kib: u64 = number.parse().unwrap_or(0);
            if inodes {
                kib.to_string()
            } else if human {
                human_kib(kib)
            } else if has('m') {
                ((kib + 512) / 1024).to_string()
            } else {
                kib.to_string()
            }
        });
        let [size, used, free] = &numbers;
        let (share, on) = (next(), next());
        text += &if device.len() > 20 && !has('P') {
            format!("{device}\n{:20}", "")
        } else {
            format!("{device:<20}")
        };
        if has('T') {
            text += &format!(" {kind:<10}");
        }
        let share = if share == "-" { "0%" } else { share };
        text += &format!(" {size:>9} {used:>9} {free:>9} {share:>4} {on}\n");
    }
    super::printed(proc, text.as_bytes()).await
}

/// `11.8G`: one place behind the point, rounded at every step.
fn human_kib(kib: u64) -> String {
    if kib == 0 {
        return "0".to_owned();
    }
    let (mut whole, mut tenths) = (kib, 0);
    let mut units = "KMGTPE".chars();
    let mut unit = units.next();
    while whole >= 1024
        && let Some(next) = units.next()
    {
        tenths = (whole % 1024 * 10 + 512) / 1024;
        whole /= 1024;
        if tenths == 10 {
            whole += 1;
            tenths = 0;
        }
        unit = Some(next);
    }
    format!("{whole}.{tenths}{}", unit.unwrap_or('K'))
}

/// `kill`.
pub(super) async fn kill(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut signal = Some(Signal::TERM);
    match words.first().map(Vec::as_slice) {
        Some(b"-l") => {
            let words = words.get(1..).unwrap_or_default().to_vec();
            return signals(proc, &words).await;
        }
        Some(word) if word.len() > 1 && word.starts_with(b"-") => {
            let name = word.get(1..).unwrap_or_default().to_vec();
            words.remove(0);
            match signal_of(&name) {
                Ok(found) => signal = found,
                Err(()) => {
                    let text = [b"bad signal name '".as_slice(), &name, b"'"].concat();
                    return complain(proc, "kill", text).await;
                }
            }
        }
        _ => {}
    }
    if words.is_empty() {
        return complain(proc, "kill", "you need to specify whom to kill").await;
    }
    let mut failed = 0_u8;
    for word in words {
        let Some(pid) = number(&word) else {
            let text = [b"invalid number '".as_slice(), &word, b"'"].concat();
            complain(proc, "kill", text).await;
            failed = failed.saturating_add(1);
            continue;
        };
        if let Err(errno) = send(proc, pid, signal) {
            let text = format!("can't kill pid {pid}: {}", errno.message());
            complain(proc, "kill", text).await;
            failed = failed.saturating_add(1);
        }
    }
    // As many as could not be reached.
    ExitStatus::Exited(failed)
}

/// `kill -l`: all signals, or the names of numbers and the numbers of names.
async fn signals(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    let mut text = String::new();
    if words.is_empty() {
        for signal in Signal::all().filter(|signal| signal.number() < 32) {
            text += &format!("{:>2}) {}\n", signal.number(), signal.name());
        }
    }
    for word in words {
        match (number(word), signal_of(word)) {
            (Some(_), Ok(Some(signal))) => text += &format!("{}\n", signal.name()),
            (None, Ok(Some(signal))) => text += &format!("{}\n", signal.number()),
            _ => {
                let line = [b"unknown signal '", word.as_slice(), b"'"].concat();
                return complain(proc, "kill", line).await;
            }
        }
    }
    super::printed(proc, text.as_bytes()).await
}

fn send(proc: &Process, pid: i64, signal: Option<Signal>) -> Result<(), Errno> {
    let target = Pid::try_from(pid.unsigned_abs()).map_err(|_| Errno::Esrch)?;
    match pid {
        0 => proc.kill_group(proc.group(), signal),
        1.. => proc.kill(target, signal),
        _ => proc.kill_group(target, signal),
    }
}

fn number(word: &[u8]) -> Option<i64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// A signal by name or number; 0 only asks.
fn signal_of(name: &[u8]) -> Result<Option<Signal>, ()> {
    match number(name) {
        Some(0) => Ok(None),
        Some(number) => {
            let number = u32::try_from(number).map_err(|_| ())?;
            Signal::from_number(number).map(Some).ok_or(())
        }
        None => Signal::from_name(name).map(Some).ok_or(()),
    }
}

/// `killall`.
pub(super) async fn killall(proc: &mut Process) -> ExitStatus {
    let (mut signal, mut quiet, mut names) = (Some(Signal::TERM), false, Vec::new());
    for word in proc.args().iter().skip(1) {
        match word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) {
            Some(b"q") => quiet = true,
            Some(b"l") => return signals(proc, &[]).await,
            Some(name) => match signal_of(name) {
                Ok(found) => signal = found,
                Err(()) => {
                    let text = [b"bad signal name '".as_slice(), name, b"'"].concat();
                    return complain(proc, "killall", text).await;
                }
            },
            None => names.push(word.clone()),
        }
    }
    if names.is_empty() {
        return complain(proc, "killall", "you need to specify whom to kill").await;
    }
    let mut status = ExitStatus::SUCCESS;
    for name in names {
        let own = proc.pid();
        let short = name.get(..15).unwrap_or(&name);
        let found: Vec<_> = proc
            .processes()
            .into_iter()
            .filter(|one| one.name == short && one.pid != own)
            .collect();
        if found.is_empty() {
            status = ExitStatus::FAILURE;
            if !quiet {
                complain(
                    proc,
                    "killall",
                    [name.as_slice(), b": no process killed"].concat(),
                )
                .await;
            }
        }
        for one in found {
            if let Err(errno) = proc.kill(one.pid, signal) {
                let text = format!("can't kill pid {}: {}", one.pid, errno.message());
                status = complain(proc, "killall", text).await;
            }
        }
    }
    status
}

/// `crontab`: BusyBox's own spool is not there.
pub(super) async fn crontab(proc: &mut Process) -> ExitStatus {
    let user = Directory::load(proc)
        .await
        .user_text(proc.credentials().uid);
    if proc.args().iter().any(|word| word == b"-l") {
        let text = [
            b"can't open '".as_slice(),
            &user,
            // tidy-allow(errno-word): part of a sentence that no system call answered
            b"': No such file or directory",
        ]
        .concat();
        return complain(proc, "crontab", text).await;
    }
    if let Some(file) = proc.args().get(1).cloned()
        && !file.starts_with(b"-")
        && let Err(errno) = proc.stat(&file)
    {
        let reason = errno.message().as_bytes();
        let text = [b"can't open '".as_slice(), &file, b"': ", reason].concat();
        return complain(proc, "crontab", text).await;
    }
    complain(
        proc,
        "crontab",
        // tidy-allow(errno-word): part of a sentence that no system call answered
        "can't change directory to '/var/spool/cron/crontabs': No such file or directory",
    )
    .await
}
