//! `pgrep` and `pkill`: one executable, two names.

use sundew_kernel::process::Summary;
use sundew_kernel::{ExitStatus, Process, Signal};
use sundew_posix::regex::{Flags, Regex, Syntax, Whole};

use super::{number, print_help, print_version, refuse, signal_of};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::users::Directory;

const SPEC: Spec = Spec::new(
    "acd:eflLnoO:P:iF:g:G:s:t:u:U:vwxVhq:r:",
    &[
        ("delimiter", Arity::Required, "d"),
        ("list-name", Arity::No, "l"),
        ("list-full", Arity::No, "a"),
        ("inverse", Arity::No, "v"),
        ("count", Arity::No, "c"),
        ("full", Arity::No, "f"),
        ("parent", Arity::Required, "P"),
        ("ignore-case", Arity::No, "i"),
        ("newest", Arity::No, "n"),
        ("oldest", Arity::No, "o"),
        ("exact", Arity::No, "x"),
        ("euid", Arity::Required, "u"),
        ("uid", Arity::Required, "U"),
        ("signal", Arity::Required, "signal"),
        ("echo", Arity::No, "e"),
        ("terminal", Arity::Required, "t"),
        ("session", Arity::Required, "s"),
        ("pgroup", Arity::Required, "g"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// What to look for, and what to do with it.
#[derive(Default)]
struct Request {
    pattern: Option<Regex>,
    full: bool,
    list_name: bool,
    list_full: bool,
    count: bool,
    inverse: bool,
    newest: bool,
    oldest: bool,
    echo: bool,
    delimiter: Option<Vec<u8>>,
    parents: Option<Vec<u32>>,
    users: Option<Vec<u32>>,
    sessions: Option<Vec<u32>>,
    groups: Option<Vec<u32>>,
    terminals: Option<Vec<Vec<u8>>>,
}

/// `pgrep` or `pkill`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let kills = proc.base_name() == b"pkill";
    let name = if kills { "pkill" } else { "pgrep" };
    let mut args = proc.args().to_vec();
    let mut signal = Some(Signal::TERM);
    if kills && let Some(found) = take_signal(&mut args) {
        signal = found;
    }
    let users = Directory::load(proc).await;
    let mut request = Request::default();
    let (mut ignore_case, mut exact) = (false, false);
    let mut options = Getopt::new(&SPEC, &args);
    while let Some(option) = options.next() {
        let Opt { key, value, .. } = match option {
            Ok(option) => option,
            Err(error) => return refuse_two(proc, name, &error).await,
        };
        let numbers = || {
            Some(
                list(&value)
                    .iter()
                    .filter_map(|word| number(word))
                    .collect(),
            )
        };
        match key {
            "h" => return print_help(proc, name).await,
            "V" => return print_version(proc, name).await,
            "f" => request.full = true,
            "l" => request.list_name = true,
            "a" => request.list_full = true,
            "c" => request.count = true,
            "v" => request.inverse = true,
            "n" => request.newest = true,
            "o" => request.oldest = true,
            "e" => request.echo = true,
            "i" => ignore_case = true,
            "x" => exact = true,
            "d" => request.delimiter = Some(value),
            "P" => request.parents = numbers(),
            "s" => request.sessions = numbers(),
            "g" => request.groups = numbers(),
            "t" => request.terminals = Some(list(&value)),
            "signal" => match signal_of(&value) {
                Some(found) => signal = found,
                None => return refuse(proc, name, None).await,
            },
            "u" | "U" => {
                let mut ids = Vec::new();
                for word in list(&value) {
                    match users
                        .user(&word)
                        .map(|user| user.uid)
                        .or_else(|| number(&word))
                    {
                        Some(id) => ids.push(id),
                        None => {
                            proc.complain_text([b"invalid user name: ".as_slice(), &word].concat())
                                .await;
                            return ExitStatus::Exited(2);
                        }
                    }
                }
                request.users = Some(ids);
            }
            _ => {}
        }
    }
    let patterns = options.operands();
    if patterns.len() > 1 {
        proc.complain_text("only one pattern can be provided").await;
        return hint(proc, name).await;
    }
    let narrowed = request.parents.is_some()
        || request.users.is_some()
        || request.sessions.is_some()
        || request.groups.is_some()
        || request.terminals.is_some();
    if patterns.is_empty() && !narrowed {
        proc.complain_text("no matching criteria specified").await;
        return hint(proc, name).await;
    }
    if let Some(pattern) = patterns.first() {
        let whole = if exact { Whole::Line } else { Whole::No };
        let flags = Flags {
            ignore_case,
            newline: false,
        };
        match Regex::whole(pattern, Some(Syntax::Extended), flags, whole) {
            Ok(regex) => request.pattern = Some(regex),
            Err(_) => {
                proc.complain_text([b"regex error: ".as_slice(), pattern].concat())
                    .await;
                return ExitStatus::Exited(2);
            }
        }
    }
    let found = matches(proc, &request).await;
    if kills {
        kill(proc, &request, &found, signal).await
    } else {
        show(proc, &request, &found).await
    }
}

/// `-9`, `-KILL`: the first word that is a signal.
fn take_signal(args: &mut Vec<Vec<u8>>) -> Option<Option<Signal>> {
    let at = args.iter().skip(1).position(|word| {
        word.len() > 1
            && word.starts_with(b"-")
            && signal_of(word.get(1..).unwrap_or_default()).is_some()
    })? + 1;
    signal_of(args.remove(at).get(1..).unwrap_or_default())
}

async fn refuse_two(proc: &mut Process, name: &str, error: &crate::getopt::Error) -> ExitStatus {
    refuse(proc, name, Some(error)).await;
    ExitStatus::Exited(2)
}

async fn hint(proc: &mut Process, name: &str) -> ExitStatus {
    proc.print_error(format!("Try `{name} --help' for more information.\n").as_bytes())
        .await;
    ExitStatus::Exited(2)
}

fn list(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|&byte| byte == b',')
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

async fn matches(proc: &Process, request: &Request) -> Vec<Summary> {
    let own = proc.pid();
    let within =
        |list: &Option<Vec<u32>>, id: u32| list.as_ref().is_none_or(|ids| ids.contains(&id));
    let mut found = Vec::new();
    for one in proc.processes() {
        if one.pid == own {
            continue;
        }
        let text = if request.full && !one.args.is_empty() {
            one.args.join(&b' ')
        } else {
            one.name.clone()
        };
        let on_terminal = request
            .terminals
            .as_ref()
            .is_none_or(|names| one.tty.as_ref().is_some_and(|tty| names.contains(tty)));
        let fits = request
            .pattern
            .as_ref()
            .is_none_or(|regex| regex.is_match(&text))
            && within(&request.parents, one.ppid)
            && within(&request.users, one.uid)
            && within(&request.sessions, one.session)
            && within(&request.groups, one.group)
            && on_terminal;
        if fits != request.inverse {
            found.push(one);
        }
        proc.tick().await;
    }
    if request.newest {
        found = found
            .into_iter()
            .max_by_key(|one| (one.started, one.pid))
            .into_iter()
            .collect();
    } else if request.oldest {
        found = found
            .into_iter()
            .min_by_key(|one| (one.started, one.pid))
            .into_iter()
            .collect();
    }
    found
}

async fn show(proc: &mut Process, request: &Request, found: &[Summary]) -> ExitStatus {
    let status = if found.is_empty() {
        ExitStatus::FAILURE
    } else {
        ExitStatus::SUCCESS
    };
    if request.count {
        let _closed = proc.print(format!("{}\n", found.len()).as_bytes()).await;
        return status;
    }
    let delimiter = request.delimiter.as_deref().unwrap_or(b"\n");
    let lines: Vec<Vec<u8>> = found
        .iter()
        .map(|one| {
            let mut line = one.pid.to_string().into_bytes();
            if request.list_full || request.list_name {
                line.push(b' ');
                line.extend(if request.list_full && !one.args.is_empty() {
                    one.args.join(&b' ')
                } else {
                    one.name.clone()
                });
            }
            line
        })
        .collect();
    if !lines.is_empty() {
        let _closed = proc
            .print(&[lines.join(delimiter).as_slice(), b"\n"].concat())
            .await;
    }
    status
}

async fn kill(
    proc: &mut Process,
    request: &Request,
    found: &[Summary],
    signal: Option<Signal>,
) -> ExitStatus {
    let mut done = 0;
    for one in found {
        match proc.kill(one.pid, signal) {
            Ok(()) => {
                done += 1;
                if request.echo {
                    let line = [
                        one.name.as_slice(),
                        format!(" killed (pid {})\n", one.pid).as_bytes(),
                    ]
                    .concat();
                    let _closed = proc.print(&line).await;
                }
            }
            Err(errno) => {
                proc.complain_text(format!(
                    "killing pid {} failed: {}",
                    one.pid,
                    errno.message()
                ))
                .await
            }
        }
    }
    if request.count {
        let _closed = proc.print(format!("{}\n", found.len()).as_bytes()).await;
    }
    if done > 0 {
        ExitStatus::SUCCESS
    } else {
        ExitStatus::FAILURE
    }
}
