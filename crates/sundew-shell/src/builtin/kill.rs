//! `kill`, `suspend`.

use std::task::Poll;

use sundew_kernel::{Errno, Pid, Process, Signal};
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::jobs::NoJob;
use crate::job::JobState;
use crate::shell::Shell;
use crate::trap::Condition;

const USAGE: &str = "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n";

/// Columns of bash's table of signals.
const TABLE_COLUMNS: usize = 5;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let status = match shell.dialect {
        Dialect::Bash => run_bash(shell, proc, args).await,
        Dialect::Dash => run_dash(shell, proc, args).await,
        Dialect::Ash => run_ash(shell, proc, args).await,
    };
    give_way().await;
    Ok(status)
}

/// Lets the scheduler look at this process: whoever killed or stopped itself gets no further than
/// here. A tick would not do, which gives way only when the machine's slice is over.
async fn give_way() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The table of `kill -l` and `trap -l`.
pub(super) fn signal_table() -> Vec<u8> {
    let mut text = String::new();
    for (index, signal) in Signal::all().enumerate() {
        let end = if (index + 1).is_multiple_of(TABLE_COLUMNS) {
            '\n'
        } else {
            '\t'
        };
        text.push_str(&format!("{:2}) SIG{}{end}", signal.number(), signal.name()));
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.into_bytes()
}

/// A signal by name or number; `Some(None)` is signal 0, which only asks.
fn signal_of(text: &[u8]) -> Option<Option<Signal>> {
    match Condition::from_name(text)? {
        Condition::Exit => Some(None),
        Condition::Signal(signal) => Some(Some(signal)),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

async fn usage(proc: &mut Process) -> u8 {
    proc.print_error(USAGE.as_bytes()).await;
    2
}

async fn run_bash(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> u8 {
    let mut rest = args.get(1..).unwrap_or_default();
    let mut wish: &[u8] = b"TERM";
    let mut given = false;
    while let Some((arg, after)) = rest.split_first() {
        match arg.as_slice() {
            b"-l" | b"-L" => return list_bash(shell, proc, args, after).await,
            b"-s" | b"-n" => {
                let Some((name, after)) = after.split_first() else {
                    return shell
                        .builtin_error(
                            proc,
                            args,
                            [arg, b": option requires an argument".as_slice()].concat(),
                            1,
                        )
                        .await;
                };
                (wish, given, rest) = (name, true, after);
                continue;
            }
            b"--" => {
                rest = after;
                break;
            }
            b"-?" => return usage(proc).await,
            [b'-', b's' | b'n', name @ ..] => (wish, given) = (name, true),
            [b'-', name @ ..] if !given => (wish, given) = (name, true),
            _ => break,
        }
        rest = after;
    }
    let Some(signal) = signal_of(wish) else {
        return shell
            .builtin_error(
                proc,
                args,
                [wish, b": invalid signal specification"].concat(),
                1,
            )
            .await;
    };
    if rest.is_empty() {
        return usage(proc).await;
    }
    let mut any = false;
    for target in rest {
        proc.tick().await;
        if target.starts_with(b"%") {
            any |= kill_job(shell, proc, args, target, signal).await;
            continue;
        }
        let Some(pid) = number::<i64>(target) else {
            let text = if target.is_empty() {
                b"`': not a pid or valid job spec".to_vec()
            } else {
                [target, b": arguments must be process or job IDs".as_slice()].concat()
            };
            shell.builtin_error(proc, args, text, 1).await;
            continue;
        };
        match send(proc, pid, signal) {
            Ok(()) => any = true,
            Err(errno) => {
                shell
                    .builtin_error(proc, args, format!("({pid}) - {}", errno.message()), 1)
                    .await;
            }
        }
    }
    u8::from(!any)
}

/// kill(2) with all its meanings of the number.
fn send(proc: &Process, pid: i64, signal: Option<Signal>) -> Result<(), Errno> {
    match pid {
        0 => proc.kill_group(proc.group(), signal),
        -1 => {
            let mut result = Err(Errno::Esrch);
            for other in proc.processes() {
                if other.pid > 1 && other.pid != proc.pid() && proc.kill(other.pid, signal).is_ok()
                {
                    result = Ok(());
                }
            }
            result
        }
        pid if pid > 0 => proc.kill(Pid::try_from(pid).map_err(|_| Errno::Esrch)?, signal),
        group => proc.kill_group(
            Pid::try_from(group.unsigned_abs()).map_err(|_| Errno::Esrch)?,
            signal,
        ),
    }
}

/// Signals a job; whether that went well.
async fn kill_job(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    spec: &[u8],
    signal: Option<Signal>,
) -> bool {
    let job = match shell.find_job(spec) {
        Ok(found) => shell.jobs.job(found).cloned(),
        Err(NoJob::Ambiguous(text)) => {
            shell
                .builtin_error(
                    proc,
                    args,
                    [&text, b": ambiguous job spec".as_slice()].concat(),
                    1,
                )
                .await;
            return false;
        }
        Err(NoJob::Unknown) => None,
    };
    let Some(job) = job else {
        let text = match shell.dialect {
            Dialect::Dash => [b"No such job: ", spec].concat(),
            _ => [spec, b": no such job"].concat(),
        };
        shell.builtin_error(proc, args, text, 1).await;
        return false;
    };
    let own_group = job.group != proc.group();
    if shell.dialect == Dialect::Dash && !own_group {
        // dash signals the group that it would have made with job control.
        shell
            .builtin_error(proc, args, format!("{}\n", Errno::Esrch.message()), 1)
            .await;
        return false;
    }
    let to_job = |signal| {
        if own_group {
            return proc.kill_group(job.group, signal).is_ok();
        }
        let sent: Vec<bool> = job
            .members
            .iter()
            .map(|member| proc.kill(member.pid, signal).is_ok())
            .collect();
        sent.contains(&true)
    };
    let sent = to_job(signal);
    // A stopped job would not see its end coming.
    if matches!(job.state(), JobState::Stopped(_))
        && matches!(signal, Some(Signal::TERM | Signal::HUP))
    {
        to_job(Some(Signal::CONT));
    }
    sent
}

async fn list_bash(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    operands: &[Vec<u8>],
) -> u8 {
    let operands = match operands {
        [first, rest @ ..] if first == b"--" => rest,
        // What looks like an option here is passed over.
        [first, rest @ ..] if first.starts_with(b"-") => rest,
        all => all,
    };
    if operands.is_empty() {
        let _checked_at_flush = proc.print(&signal_table()).await;
        return 0;
    }
    let mut status = 0;
    for operand in operands {
        let line = match number::<u32>(operand) {
            Some(0) => Some("EXIT".to_owned()),
            Some(code) => {
                let signal = if code > 128 { code - 128 } else { code };
                Signal::from_number(signal).map(Signal::name)
            }
            None => signal_of(operand).map(|signal| signal.map_or(0, Signal::number).to_string()),
        };
        match line {
            Some(line) => drop(proc.print(format!("{line}\n").as_bytes()).await),
            None => {
                let text = [operand, b": invalid signal specification".as_slice()].concat();
                status = shell.builtin_error(proc, args, text, 1).await;
            }
        }
    }
    status
}

// ---- dash ------------------------------------------------------------------------------------

async fn run_dash(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> u8 {
    let usage =
        "Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]";
    let mut rest = args.get(1..).unwrap_or_default();
    let mut signal = Some(Signal::TERM);
    let mut list = false;
    while let Some((arg, after)) = rest.split_first() {
        let Some(letters) = arg.strip_prefix(b"-").filter(|letters| !letters.is_empty()) else {
            break;
        };
        rest = after;
        match letters {
            b"-" => break,
            b"l" => list = true,
            b"s" => {
                let Some((name, after)) = after.split_first() else {
                    return shell
                        .builtin_error(proc, args, "No arg for -s option", 2)
                        .await;
                };
                let Some(found) = signal_of(name) else {
                    let text = [b"invalid signal number or name: ".as_slice(), name].concat();
                    return shell.builtin_error(proc, args, text, 2).await;
                };
                (signal, rest) = (found, after);
            }
            name => match signal_of(name) {
                Some(found) => signal = found,
                None => return shell.invalid_option(proc, args, arg, "").await,
            },
        }
    }
    if list {
        return list_dash(shell, proc, args, rest.first()).await;
    }
    if rest.is_empty() {
        return shell.builtin_error(proc, args, usage, 2).await;
    }
    let mut status = 0;
    for target in rest {
        proc.tick().await;
        if target.starts_with(b"%") {
            let known = shell.find_job(target).is_ok();
            if !kill_job(shell, proc, args, target, signal).await {
                if !known {
                    return 2;
                }
                status = 1;
            }
            continue;
        }
        let Some(pid) = number::<i64>(target) else {
            return shell
                .builtin_error(
                    proc,
                    args,
                    [b"Illegal number: ".as_slice(), target].concat(),
                    2,
                )
                .await;
        };
        if let Err(errno) = send(proc, pid, signal) {
            // dash 0.5.12 ends this line twice.
            status = shell
                .builtin_error(proc, args, format!("{}\n", errno.message()), 1)
                .await;
        }
    }
    status
}

async fn list_dash(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    operand: Option<&Vec<u8>>,
) -> u8 {
    let name = |code: u32| {
        Signal::from_number(code)
            .filter(|_| code != 16)
            .map(Signal::name)
    };
    let Some(operand) = operand else {
        let lines: String = (0..=64)
            .map(|code| name(code).unwrap_or_else(|| code.to_string()) + "\n")
            .collect();
        let _checked_at_flush = proc.print(lines.as_bytes()).await;
        return 0;
    };
    let Some(code) = number::<u32>(operand) else {
        return shell
            .builtin_error(
                proc,
                args,
                [b"Illegal number: ".as_slice(), operand].concat(),
                2,
            )
            .await;
    };
    match name(if code > 128 { code - 128 } else { code }) {
        Some(name) => {
            let _checked_at_flush = proc.print(format!("{name}\n").as_bytes()).await;
            0
        }
        None => {
            let text = [
                b"invalid signal number or exit status: ".as_slice(),
                operand,
            ]
            .concat();
            shell.builtin_error(proc, args, text, 2).await
        }
    }
}

// ---- BusyBox ---------------------------------------------------------------------------------

/// BusyBox's `kill` is its applet, which complains in its own name.
async fn run_ash(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> u8 {
    let mut rest = args.get(1..).unwrap_or_default();
    let mut signal = Some(Signal::TERM);
    match rest.first().map(Vec::as_slice) {
        Some(b"-l") => return list_ash(proc, rest.get(1..).unwrap_or_default()).await,
        Some(b"--") => rest = rest.get(1..).unwrap_or_default(),
        Some([b'-', name @ ..]) if !name.is_empty() => {
            let (name, after) = match (name, rest.get(1)) {
                (b"s", Some(name)) => (name.as_slice(), 2),
                (name, _) => (name, 1),
            };
            let Some(found) = signal_of(name) else {
                return complain_as_applet(proc, &[b"bad signal name '", name, b"'"].concat())
                    .await;
            };
            signal = found;
            rest = rest.get(after..).unwrap_or_default();
        }
        _ => {}
    }
    if rest.is_empty() {
        return complain_as_applet(proc, b"you need to specify whom to kill").await;
    }
    let mut status = 0;
    // The shell turns job specifications into numbers first: one that is none ends it all.
    for spec in rest.iter().filter(|target| target.starts_with(b"%")) {
        if shell.find_job(spec).is_err() {
            return shell
                .builtin_error(proc, args, [spec, b": no such job".as_slice()].concat(), 2)
                .await;
        }
    }
    for target in rest {
        proc.tick().await;
        if target.starts_with(b"%") {
            status |= u8::from(!kill_job(shell, proc, args, target, signal).await);
            continue;
        }
        let Some(pid) = number::<i64>(target) else {
            status = complain_as_applet(
                proc,
                &[b"invalid number '", target.as_slice(), b"'"].concat(),
            )
            .await;
            continue;
        };
        if let Err(errno) = send(proc, pid, signal) {
            let text = format!("can't kill pid {pid}: {}", errno.message());
            status = complain_as_applet(proc, text.as_bytes()).await;
        }
    }
    status
}

async fn complain_as_applet(proc: &mut Process, text: &[u8]) -> u8 {
    let base = proc.base_name();
    let base = base.strip_prefix(b"-").unwrap_or(base);
    let applet = if matches!(base, b"busybox" | b"") {
        b"sh".to_vec()
    } else {
        base.to_vec()
    };
    proc.print_error(&[applet.as_slice(), b": ", text, b"\n"].concat())
        .await;
    1
}

async fn list_ash(proc: &mut Process, operands: &[Vec<u8>]) -> u8 {
    // BusyBox says POLL for 29.
    let name = |signal: Signal| {
        if signal == Signal::IO {
            "POLL".to_owned()
        } else {
            signal.name()
        }
    };
    if operands.is_empty() {
        let lines: String = Signal::all()
            .take_while(|signal| signal.number() < 32)
            .map(|signal| format!("{:2}) {}\n", signal.number(), name(signal)))
            .collect();
        let _checked_at_flush = proc.print(lines.as_bytes()).await;
        return 0;
    }
    let mut status = 0;
    for operand in operands {
        let line = match number::<u32>(operand) {
            Some(0) => "EXIT".to_owned(),
            Some(code) => {
                let signal = if code > 128 { code - 128 } else { code };
                let named = Signal::from_number(signal).filter(|signal| signal.number() < 32);
                named.map_or_else(|| signal.to_string(), name)
            }
            None => match signal_of(operand) {
                Some(signal) => signal.map_or(0, Signal::number).to_string(),
                None => {
                    status = complain_as_applet(
                        proc,
                        &[b"unknown signal '", operand.as_slice(), b"'"].concat(),
                    )
                    .await;
                    continue;
                }
            },
        };
        let _checked_at_flush = proc.print(format!("{line}\n").as_bytes()).await;
    }
    status
}

// ---- suspend ---------------------------------------------------------------------------------

pub(super) async fn run_suspend(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut force = false;
    let mut rest = args.get(1..).unwrap_or_default();
    while let Some((option, after)) = rest.split_first() {
        match option.as_slice() {
            b"--" => {
                rest = after;
                break;
            }
            b"-f" => force = true,
            [b'-', _, ..] => {
                return Ok(shell
                    .invalid_option(proc, args, option, "suspend: usage: suspend [-f]")
                    .await);
            }
            _ => break,
        }
        rest = after;
    }
    if !rest.is_empty() {
        return Ok(shell
            .builtin_error(proc, args, "too many arguments", 1)
            .await);
    }
    if !force && !shell.job_control() {
        return Ok(shell
            .builtin_error(proc, args, "cannot suspend: no job control", 1)
            .await);
    }
    if !force && shell.login {
        return Ok(shell
            .builtin_error(proc, args, "cannot suspend a login shell", 1)
            .await);
    }
    let _stopped_or_alone = proc.kill(proc.pid(), Some(Signal::STOP));
    give_way().await;
    Ok(0)
}
