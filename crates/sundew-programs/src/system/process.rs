//! What is rarer of procps 4.0.2: `skill`, `snice`, `slabtop`, `pidwait`, `tload`.

use std::time::Duration;

use sundew_kernel::process::Summary;
use sundew_kernel::{Errno, ExitStatus, Process, Signal};

use super::cli::{self, Order};
use crate::users::Directory;

/// How often a process that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(200);

pub(super) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Names of signals in two rows, as `skill -l` has them.
const NAMES: &str = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT\nCHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS\n";

/// What the expressions of skill and snice choose.
#[derive(Debug, Default)]
struct Chosen {
    pids: Vec<u32>,
    names: Vec<Vec<u8>>,
    users: Vec<u32>,
    terminals: Vec<Vec<u8>>,
}

impl Chosen {
    fn has(&self, one: &Summary) -> bool {
        let terminal = one.tty.as_ref();
        (self.pids.is_empty() || self.pids.contains(&one.pid))
            && (self.names.is_empty() || self.names.contains(&one.name))
            && (self.users.is_empty() || self.users.contains(&one.uid))
            && (self.terminals.is_empty()
                || terminal.is_some_and(|tty| self.terminals.contains(tty)))
    }

    fn is_empty(&self) -> bool {
        self.pids.is_empty()
            && self.names.is_empty()
            && self.users.is_empty()
            && self.terminals.is_empty()
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn skill(proc: &mut Process) -> ExitStatus {
    let nice = proc.base_name() == b"snice";
    let own = if nice { "snice" } else { "skill" };
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let users = Directory::load(proc).await;
    let mut chosen = Chosen::default();
    let (mut signal, mut priority, mut dry, mut verbose) = (Signal::TERM, 4, false, false);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-h" | "--help" => return super::put(proc, cli::section(own)).await,
            "-V" | "--version" => {
                return super::put(proc, cli::section(&format!("{own} version"))).await;
            }
            "-l" | "--list" => return super::put(proc, NAMES).await,
            "-L" | "--table" => {
                let names = NAMES.split_whitespace().enumerate();
                let mut out = String::new();
                for (at, name) in names {
                    let number = at + 1;
                    let end = if number % 7 == 0 { "\n" } else { "" };
                    if end.is_empty() {
                        out.push_str(&format!("{number:>2} {name:<8}"));
                    } else {
                        out.push_str(&format!("{number:>2} {name}\n"));
                    }
                }
                return super::put(proc, out.trim_end().to_owned() + "     \n").await;
            }
            "-n" | "--no-action" => dry = true,
            "-v" | "--verbose" => verbose = true,
            "-f" | "-i" | "-w" | "--fast" | "--interactive" | "--warnings" => {}
            "-c" | "--command" => chosen.names.extend(words.next().map(String::into_bytes)),
            "-p" | "--pid" => chosen
                .pids
                .extend(words.next().and_then(|pid| pid.parse::<u32>().ok())),
            "-t" | "--tty" => chosen
                .terminals
                .extend(words.next().map(String::into_bytes)),
            "-u" | "--user" => {
                let name = words.next().unwrap_or_default();
                let uid = users.user(name.as_bytes()).map(|user| user.uid);
                match uid.or_else(|| name.parse().ok()) {
                    Some(uid) => chosen.users.push(uid),
                    None => return super::fail(proc, cli::section(own), 1).await,
                }
            }
            text if nice
                && text.starts_with(['+', '-'])
                && text
                    .get(1..)
                    .is_some_and(|digits| digits.parse::<i32>().is_ok()) =>
            {
                priority = text.trim_start_matches('+').parse().unwrap_or(4);
            }
            text if text.starts_with('-') => {
                let name = text.trim_start_matches('-');
                let name = name.strip_prefix("SIG").unwrap_or(name);
                let found = match name.parse() {
                    Ok(number) => Signal::from_number(number),
                    Err(_) => Signal::from_name(name.as_bytes()),
                };
                match found {
                    Some(found) if !nice => signal = found,
                    _ => {
                        let text = if text.starts_with("--") {
                            format!("unrecognized option '{text}'")
                        } else {
                            let letter = text.chars().nth(1).unwrap_or('-');
                            format!("invalid option -- '{letter}'")
                        };
                        return cli::refuse(proc, own, &text, 1).await;
                    }
                }
            }
            text => {
                // A number, a terminal, a user, or else a command.
                if let Ok(pid) = text.parse() {
                    chosen.pids.push(pid);
                } else if proc.stat(format!("/dev/{text}").as_bytes()).is_ok() {
                    chosen.terminals.push(text.as_bytes().to_vec());
                } else if let Some(user) = users.user(text.as_bytes()) {
                    chosen.users.push(user.uid);
                } else {
                    chosen.names.push(text.as_bytes().to_vec());
                }
            }
        }
    }
    if chosen.is_empty() {
        return super::fail(proc, cli::section(own), 1).await;
    }
    let all: Vec<Summary> = proc.processes();
    let own_pid = proc.pid();
    for one in all
        .into_iter()
        .filter(|one| one.pid != own_pid && chosen.has(one))
    {
        if dry {
            super::put(proc, format!("{}\n", one.pid)).await;
            continue;
        }
        let done = if nice {
            proc.set_niceness(one.pid, priority).map(|_| ())
        } else {
            proc.kill(one.pid, Some(signal))
        };
        match done {
            Ok(()) if verbose => {
                let tty = one
                    .tty
                    .as_ref()
                    .map_or_else(|| "?".to_owned(), |tty| super::text(tty));
                let user = super::text(&users.user_text(one.uid));
                let line = format!(
                    "{tty:<8} {user:<8} {:>5} {}\n",
                    one.pid,
                    super::text(&one.name)
                );
                super::put(proc, line).await;
            }
            Ok(()) => {}
            Err(errno) => {
                let line = format!("{own}: {}: {}\n", one.pid, errno.message());
                proc.print_error(line.as_bytes()).await;
            }
        }
    }
    proc.status()
}

pub(super) async fn slabtop(proc: &mut Process) -> ExitStatus {
    let _line = match cli::read(proc, "slabtop", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    // The kernel's table is for root alone; this kernel was built without it.
    let errno = if proc.credentials().uid == 0 {
        Errno::Enoent
    } else {
        Errno::Eacces
    };
    let text = format!(
        "slabtop: Unable to create slabinfo structure: {}\n",
        errno.message()
    );
    super::fail(proc, text, 1).await
}

/// `pidwait`: waits until what `pgrep` finds is gone.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn pidwait(proc: &mut Process) -> ExitStatus {
    const USAGE: u8 = 2;
    let line = match cli::read(proc, "pidwait", USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty()
        && ![
            "euid", "uid", "group", "parent", "pgroup", "session", "terminal", "pidfile",
        ]
        .iter()
        .any(|name| line.has(name))
    {
        let text =
            "pidwait: no matching criteria specified\nTry `pidwait --help' for more information.\n";
        return super::fail(proc, text, USAGE).await;
    }
    if line.operands.len() > 1 {
        let text = "pidwait: only one pattern can be provided\nTry `pidwait --help' for more information.\n";
        return super::fail(proc, text, USAGE).await;
    }
    let users = Directory::load(proc).await;
    let list = |name: &str| -> Option<Vec<String>> {
        let value = line.value(name)?;
        Some(super::text(value).split(',').map(str::to_owned).collect())
    };
    let wanted_users = list("euid").or_else(|| list("uid"));
    let parents = list("parent");
    let pattern = line
        .operands
        .first()
        .map(|word| super::text(word))
        .unwrap_or_default();
    let regex = sundew_posix::regex::Regex::new(
        pattern.as_bytes(),
        sundew_posix::regex::Syntax::Extended,
        sundew_posix::regex::Flags {
            ignore_case: line.has("ignore-case"),
            ..Default::default()
        },
    );
    let regex = match regex {
        Ok(regex) => regex,
        Err(error) => {
            let text = format!("pidwait: {}\n", error.message());
            return super::fail(proc, text, USAGE).await;
        }
    };
    let own = proc.pid();
    let found: Vec<Summary> = proc
        .processes()
        .into_iter()
        .filter(|one| one.pid != own)
        .filter(|one| {
            let subject = if line.has("full") {
                one.args.join(&b' ')
            } else {
                one.name.clone()
            };
            let whole = regex.find(&subject, 0, false);
            whole.is_some_and(|found| {
                !line.has("exact") || (found.start() == 0 && found.end() == subject.len())
            })
        })
        .filter(|one| {
            wanted_users.as_ref().is_none_or(|names| {
                names.iter().any(|name| {
                    let uid = users.user(name.as_bytes()).map(|user| user.uid);
                    uid.or_else(|| name.parse().ok()) == Some(one.uid)
                })
            })
        })
        .filter(|one| {
            parents
                .as_ref()
                .is_none_or(|pids| pids.iter().any(|pid| pid.parse() == Ok(one.ppid)))
        })
        .collect();
    if found.is_empty() {
        return ExitStatus::FAILURE;
    }
    if line.has("count") {
        super::put(proc, format!("{}\n", found.len())).await;
    }
    for one in found {
        if line.has("echo") {
            let text = format!("waiting for {} (pid {})\n", super::text(&one.name), one.pid);
            super::put(proc, text).await;
            let _flushed = proc.flush().await;
        }
        while proc
            .processes()
            .iter()
            .any(|other| other.pid == one.pid && other.state != b'Z')
        {
            if proc.sleep(LOOK).await.is_err() {
                return ExitStatus::FAILURE;
            }
        }
    }
    proc.status()
}

pub(super) async fn tload(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "tload", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let delay = match line.value("delay") {
        Some(text) => match super::number::<f64>(text).filter(|delay| *delay >= 1.0) {
            Some(delay) => Duration::from_secs_f64(delay.min(86_400.0)),
            None => {
                return super::fail(proc, "tload: delay must be positive integer\n", 1).await;
            }
        },
        None => Duration::from_secs(5),
    };
    let size = proc.window_size(1).ok();
    let (columns, lines) = size.map_or((80, 25), |size| {
        (
            usize::from(size.columns).max(20),
            usize::from(size.rows).max(5),
        )
    });
    let mut history: Vec<u32> = Vec::new();
    loop {
        let [one, five, fifteen] = proc.load();
        history.push(one);
        if history.len() > columns {
            history.remove(0);
        }
        // A star for the load, a rule for each whole number, so many lines to one.
        let scale = (lines / 4).max(1);
        let mut screen = vec![vec![b' '; columns]; lines];
        for (at, load) in history.iter().enumerate() {
            let height = usize::try_from(*load).unwrap_or(0) * scale / 100;
            for row in 0..lines.min(height + 1) {
                let mark = if row == height {
                    b'*'
                } else if row % scale == 0 {
                    b'='
                } else {
                    b'-'
                };
                let cell = screen
                    .get_mut(lines - 1 - row)
                    .and_then(|cells| cells.get_mut(at));
                if let Some(cell) = cell {
                    *cell = mark;
                }
            }
        }
        let show = |load: u32| format!("{}.{:02}", load / 100, load % 100);
        let head = format!(" {}, {}, {}", show(one), show(five), show(fifteen));
        if let Some(row) = screen.first_mut() {
            for (cell, byte) in row.iter_mut().zip(head.bytes()) {
                *cell = byte;
            }
        }
        let out = [b"\x1b[H".as_slice(), &screen.concat()].concat();
        if proc.print(&out).await.is_err() || proc.flush().await.is_err() {
            return proc.status();
        }
        if proc.sleep(delay).await.is_err() {
            return proc.status();
        }
    }
}
