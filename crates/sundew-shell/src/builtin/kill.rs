//! `kill`, `suspend`.

use std::task::Poll;

use sundew_kernel::signal::Disposition;
use sundew_kernel::{Errno, Pid, Process, Signal};
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::jobs::NoJob;
use crate::job::JobState;
use crate::shell::Shell;
use crate::trap::Condition;

mod busybox;
mod dash;

const USAGE: &str = "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n";

/// Columns of bash's table of signals.
const TABLE_COLUMNS: usize = 5;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let status = match shell.dialect {
        Dialect::Bash => run_bash(shell, proc, args).await,
        Dialect::Dash => dash::run(shell, proc, args).await,
        Dialect::Ash => busybox::run(shell, proc, args).await,
    };
    shell.has_killed = shell.interactive;
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
        let own = pid == i64::from(proc.pid()) && signal == Some(Signal::INT);
        if own && shell.subshell > 0 && proc.disposition(Signal::INT) == Disposition::Default {
            // A subshell of bash ends of it when its next command begins.
            proc.set_disposition(Signal::INT, Disposition::Catch);
        }
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
    let goes_on = signal == Some(Signal::CONT);
    if shell.is_bash() && !goes_on && matches!(job.state(), JobState::Stopped(_)) {
        // Its state is news again, as it is now.
        let line = [b"\n", shell.job_line(job.number, false).as_slice(), b"\n"].concat();
        shell.killed_jobs.extend_from_slice(&line);
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
        return shell.too_many_arguments(proc, args).await;
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
