//! `wait`.

use sundew_kernel::process::WaitFor;
use sundew_kernel::status::ChildEvent;
use sundew_kernel::{Errno, ExitStatus, Pid, Process, Signal};
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::jobs::{Form, NoJob, bash_lines};
use crate::job::{Job, JobState};
use crate::shell::{Flow, Shell};
use crate::trap::Condition;
use crate::variable::is_name;

const USAGE: &str = "wait: usage: wait [-fn] [-p var] [id ...]";

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Job(u32),
    Process(Pid),
}

/// What ended a wait for something to happen.
enum Waited {
    /// A child changed its state.
    Changed,
    /// There is no child left.
    Alone,
    /// A trap ran: the status to return.
    Interrupted(u8),
}

/// What the arguments ask for.
#[derive(Debug, Default)]
struct Wish {
    /// `-n`: one of them is enough.
    any: bool,
    /// `-p`: the variable that gets the process number.
    variable: Option<Vec<u8>>,
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut operands = args.get(1..).unwrap_or_default();
    let mut wish = Wish::default();
    while let Some((option, rest)) = operands.split_first() {
        let Some(letters) = option
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        operands = rest;
        if letters == b"-" {
            break;
        }
        let mut letters = letters;
        while let Some((&letter, after)) = letters.split_first() {
            letters = after;
            match letter {
                b'n' if shell.dialect != Dialect::Dash => wish.any = true,
                b'f' if shell.is_bash() => {}
                b'p' if shell.is_bash() => {
                    let name = if after.is_empty() {
                        operands.first().map(Vec::as_slice)
                    } else {
                        Some(after)
                    };
                    let Some(name) = name else {
                        shell
                            .builtin_error(proc, args, "-p: option requires an argument", 2)
                            .await;
                        proc.print_error(format!("{USAGE}\n").as_bytes()).await;
                        return Ok(2);
                    };
                    if after.is_empty() {
                        operands = operands.get(1..).unwrap_or_default();
                    }
                    wish.variable = Some(name.to_vec());
                    letters = b"";
                }
                _ => {
                    return Ok(shell
                        .invalid_option(proc, args, &[b'-', letter], USAGE)
                        .await);
                }
            }
        }
    }
    if let Some(name) = &wish.variable {
        if !is_name(name) {
            let text = [b"`", name.as_slice(), b"': not a valid identifier"].concat();
            return Ok(shell.builtin_error(proc, args, text, 1).await);
        }
        shell.variables.unset(name);
    }
    shell.flush_output(proc).await;
    match (wish.any, operands.is_empty()) {
        (true, _) => wait_any(shell, proc, args, operands, &wish).await,
        (false, true) => wait_all(shell, proc).await,
        (false, false) => wait_each(shell, proc, args, operands, &wish).await,
    }
}

/// Waits until something happens to a child, or a signal comes that has a trap.
async fn wait_once(shell: &mut Shell, proc: &mut Process) -> Result<Waited, Flow> {
    match proc.wait(WaitFor::Any, true, true).await {
        Ok(Some((pid, event))) => {
            shell.jobs.update(pid, event);
            Ok(Waited::Changed)
        }
        Ok(None) => Ok(Waited::Changed),
        Err(Errno::Eintr) => {
            let mut interrupted = None;
            while let Some(signal) = proc.take_signal() {
                let condition = Condition::Signal(signal);
                let trapped = shell
                    .traps
                    .command(condition)
                    .is_some_and(|command| !command.is_empty());
                if trapped {
                    interrupted = interrupted.or(Some(128 + signal.number()));
                    shell.run_trap(proc, condition).await?;
                } else if signal == Signal::INT && shell.interactive {
                    shell.status = 130;
                    proc.print_error(b"\n").await;
                    return Err(Flow::Abandon);
                } else if shell.is_terminated_by(proc, signal) {
                    shell.die_after_trap(proc, signal).await;
                }
            }
            Ok(interrupted.map_or(Waited::Changed, Waited::Interrupted))
        }
        Err(_) => Ok(Waited::Alone),
    }
}

/// `wait`: for all of them.
async fn wait_all(shell: &mut Shell, proc: &mut Process) -> Answer {
    shell.reap(proc).await;
    while shell
        .jobs
        .iter()
        .any(|job| job.state() == JobState::Running)
    {
        match wait_once(shell, proc).await? {
            Waited::Changed => shell.tell_after_wait(proc).await,
            Waited::Alone => break,
            Waited::Interrupted(status) => return Ok(status),
        }
    }
    let ended: Vec<Job> = shell
        .jobs
        .iter()
        .filter(|job| matches!(job.state(), JobState::Done(_)))
        .cloned()
        .collect();
    for job in ended {
        if shell.is_bash() || shell.interactive {
            finish(shell, proc, &job).await;
        } else if let Some(job) = shell.jobs.job_mut(job.number) {
            // `jobs` still shows it.
            job.told = true;
        }
        if shell.is_bash() && shell.interactive {
            // Of those that had ended before nobody is told.
            shell.settle(&[job.number]);
        }
    }
    Ok(0)
}

/// `wait ID…`: the status is that of the last.
async fn wait_each(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    operands: &[Vec<u8>],
    wish: &Wish,
) -> Answer {
    let mut status = 0;
    for operand in operands {
        let target = match target_of(shell, proc, args, operand).await {
            Ok(target) => target,
            Err(refused) => {
                status = refused;
                continue;
            }
        };
        status = loop {
            if let Some((pid, status)) = state_of(shell, proc, target).await {
                if let Some(name) = &wish.variable {
                    shell
                        .assign(proc, name, pid.to_string().into_bytes())
                        .await?;
                }
                shell.tell_after_wait(proc).await;
                break status;
            }
            match wait_once(shell, proc).await? {
                Waited::Changed => {}
                Waited::Alone => break 127,
                Waited::Interrupted(status) => return Ok(status),
            }
        };
    }
    Ok(status)
}

/// `wait -n`: for the first that ends.
async fn wait_any(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    operands: &[Vec<u8>],
    wish: &Wish,
) -> Answer {
    let mut among = Vec::new();
    for operand in operands {
        let job = match (shell.find_job(operand), pid_of(operand)) {
            (_, Some(pid)) => shell.jobs.of_pid(pid).map(|job| job.number),
            (Ok(number), None) => Some(number),
            (Err(_), None) => None,
        };
        match job {
            Some(number) => among.push(number),
            None => {
                shell
                    .builtin_error(
                        proc,
                        args,
                        [operand, b": no such job".as_slice()].concat(),
                        127,
                    )
                    .await;
            }
        }
    }
    if !operands.is_empty() && among.is_empty() {
        return Ok(127);
    }
    loop {
        let candidates = || {
            shell
                .jobs
                .iter()
                .filter(|job| among.is_empty() || among.contains(&job.number))
        };
        let ended = candidates()
            .find(|job| matches!(job.state(), JobState::Done(_)))
            .cloned();
        let none_runs = !candidates().any(|job| job.state() == JobState::Running);
        if let Some(job) = ended {
            let last = job.members.last().map_or(0, |member| member.pid);
            let status = match job.state() {
                JobState::Done(status) => status.code(),
                _ => 0,
            };
            finish(shell, proc, &job).await;
            shell.tell_after_wait(proc).await;
            // Told of or not: the next `wait -n` must not find it again.
            shell.settle(&[job.number]);
            if let Some(name) = &wish.variable {
                shell
                    .assign(proc, name, last.to_string().into_bytes())
                    .await?;
            }
            return Ok(status);
        }
        if none_runs {
            return Ok(127);
        }
        match wait_once(shell, proc).await? {
            Waited::Changed => {}
            Waited::Alone => return Ok(127),
            Waited::Interrupted(status) => return Ok(status),
        }
    }
}

fn pid_of(operand: &[u8]) -> Option<Pid> {
    let digits = !operand.is_empty() && operand.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(operand)
        .ok()
        .filter(|_| digits)?
        .parse()
        .ok()
}

/// What an operand means, or the status it ends with.
async fn target_of(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    operand: &[u8],
) -> Result<Target, u8> {
    if let Some(pid) = pid_of(operand) {
        let known = shell.jobs.of_pid(pid).is_some() || is_remembered(shell, pid);
        if known {
            return Ok(Target::Process(pid));
        }
        if shell.is_bash() {
            let text = [b"pid ", operand, b" is not a child of this shell"].concat();
            shell.builtin_error(proc, args, text, 127).await;
        }
        return Err(127);
    }
    if operand.starts_with(b"%") {
        let why = match shell.find_job(operand) {
            Ok(number) => return Ok(Target::Job(number)),
            Err(why) => why,
        };
        let (text, status) = match (shell.dialect, why) {
            (Dialect::Bash, NoJob::Ambiguous(text)) => {
                shell
                    .builtin_error(
                        proc,
                        args,
                        [&text, b": ambiguous job spec".as_slice()].concat(),
                        1,
                    )
                    .await;
                ([operand, b": no such job"].concat(), 127)
            }
            (Dialect::Bash, _) => ([operand, b": no such job"].concat(), 127),
            (_, NoJob::Unknown) if operand == b"%-" && !shell.is_bash() => {
                (b"No previous job".to_vec(), 2)
            }
            (Dialect::Dash, _) => ([b"No such job: ", operand].concat(), 2),
            (Dialect::Ash, _) => ([operand, b": no such job"].concat(), 2),
        };
        return Err(shell.builtin_error(proc, args, text, status).await);
    }
    let (text, status) = match shell.dialect {
        Dialect::Bash => (
            [b"`", operand, b"': not a pid or valid job spec"].concat(),
            1,
        ),
        _ => ([b"Illegal number: ", operand].concat(), 2),
    };
    Err(shell.builtin_error(proc, args, text, status).await)
}

/// Whether this child ended and its status is still known.
fn is_remembered(shell: &mut Shell, pid: Pid) -> bool {
    let Some(status) = shell.jobs.take_remembered(pid) else {
        return false;
    };
    shell.jobs.update(pid, ChildEvent::Ended(status));
    true
}

/// Process and status, if it does not run any more.
async fn state_of(shell: &mut Shell, proc: &mut Process, target: Target) -> Option<(Pid, u8)> {
    let job = match target {
        Target::Job(number) => shell.jobs.job(number).cloned()?,
        Target::Process(pid) => match shell.jobs.of_pid(pid) {
            Some(job) => job.clone(),
            None => {
                let status = shell.jobs.take_remembered(pid)?;
                // It may be asked for again.
                shell.jobs.update(pid, ChildEvent::Ended(status));
                return Some((pid, status.code()));
            }
        },
    };
    let last = job.members.last()?;
    let (pid, state) = match target {
        Target::Job(_) => (last.pid, job.state()),
        Target::Process(pid) => (
            pid,
            job.members.iter().find(|member| member.pid == pid)?.state,
        ),
    };
    let status = match state {
        JobState::Running => return None,
        JobState::Stopped(signal) => 128 + signal.number(),
        JobState::Done(status) => status.code(),
    };
    if matches!(job.state(), JobState::Done(_)) {
        finish(shell, proc, &job).await;
    }
    Some((pid, status))
}

/// A job that was waited for: the line that tells how it was killed, and the end of its entry. At an
/// interactive shell both come with the next prompt.
async fn finish(shell: &mut Shell, proc: &mut Process, job: &Job) {
    if shell.interactive {
        return;
    }
    if shell.is_bash() && shell.job_control() {
        // A script with `set -m` is told at once.
        if !job.told {
            let line = bash_lines(shell, job, Form::Short);
            proc.print_error(&line).await;
        }
        shell.settle(&[job.number]);
        return;
    }
    if let JobState::Done(ExitStatus::Signaled(signal)) = job.state()
        && !matches!(signal, Signal::INT | Signal::PIPE)
    {
        let description = signal.description();
        if !shell.is_bash() {
            proc.print_error(format!("{description}\n").as_bytes())
                .await;
        } else if signal != Signal::TERM {
            let pid = job.members.first().map_or(0, |member| member.pid);
            let text = [format!("{pid:5} {description:<24}").as_bytes(), &job.text].concat();
            shell.complain(proc, text).await;
        }
    }
    if shell.is_bash() {
        shell.settle(&[job.number]);
    } else if let Some(job) = shell.jobs.job_mut(job.number) {
        // `jobs` still shows it.
        job.told = true;
    }
}
