//! `jobs`, `fg`, `bg`, `disown`.

use sundew_kernel::{ExitStatus, Process, STDIN, Signal};
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::declare::show::single_quote;
use crate::job::{Job, JobState};
use crate::shell::{Flow, Shell};

mod show;

use show::plain_lines;
pub(super) use show::{Form, bash_lines};

/// Why a job specification leads to no job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoJob {
    /// None fits.
    Unknown,
    /// Several begin with this text, or contain it.
    Ambiguous(Vec<u8>),
}

impl Shell {
    /// The number of the job meant by `spec`, with or without `%`.
    pub(super) fn find_job(&self, spec: &[u8]) -> Result<u32, NoJob> {
        let text = spec.strip_prefix(b"%").unwrap_or(spec);
        let number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        if !number && !matches!(text, b"" | b"%" | b"+" | b"-") {
            if !self.is_bash() && !self.job_control() {
                // Without job control the others do not keep the text.
                return Err(NoJob::Unknown);
            }
            let part = text.strip_prefix(b"?");
            let wanted = part.unwrap_or(text);
            let fits = |job: &&Job| match part {
                Some(part) => job
                    .text
                    .windows(part.len().max(1))
                    .any(|window| window == part),
                None => job.text.starts_with(text),
            };
            if self.jobs.iter().filter(fits).count() > 1 {
                return Err(NoJob::Ambiguous(wanted.to_vec()));
            }
        }
        self.jobs.find(spec).ok_or(NoJob::Unknown)
    }

    /// Forgets the jobs that ended while nobody watched, as a shell without job control does.
    fn drop_ended(&mut self) {
        if !self.is_bash() || self.interactive || self.job_control() {
            return;
        }
        let ended: Vec<u32> = self
            .jobs
            .iter()
            .filter(|job| matches!(job.state(), JobState::Done(_)))
            .map(|job| job.number)
            .collect();
        self.settle(&ended);
    }

    /// Marks jobs as told of, and forgets those that ended.
    pub(super) fn settle(&mut self, numbers: &[u32]) {
        for &number in numbers {
            if let Some(job) = self.jobs.job_mut(number) {
                job.told = true;
            }
        }
        self.jobs.forget_told();
    }
}

pub(super) async fn run_jobs(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut form = Form::Short;
    let (mut running, mut stopped, mut changed) = (false, false, false);
    let mut specs = args.get(1..).unwrap_or_default();
    while let Some((option, rest)) = specs.split_first() {
        let Some(letters) = option
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        specs = rest;
        if letters == b"-" {
            break;
        }
        for &letter in letters {
            match letter {
                b'l' => form = Form::Long,
                b'p' => form = Form::PidOnly,
                b'r' if shell.is_bash() => running = true,
                b's' if shell.is_bash() => stopped = true,
                b'n' if shell.is_bash() => changed = true,
                b'x' if shell.is_bash() => {
                    if form != Form::Short || running || stopped || changed {
                        let text = "no other options allowed with `-x'";
                        return Ok(shell.builtin_error(proc, args, text, 1).await);
                    }
                    return run_with_groups(shell, proc, specs).await;
                }
                _ => {
                    let usage =
                        "jobs: usage: jobs [-lnprs] [jobspec ...] or jobs -x command [args]";
                    return Ok(shell
                        .invalid_option(proc, args, &[b'-', letter], usage)
                        .await);
                }
            }
        }
    }
    shell.reap(proc).await;
    shell.drop_ended();
    shell.listed_jobs_at = shell.typed_lines;
    let (numbers, status) = match meant(shell, proc, args, specs).await {
        Ok(meant) => meant,
        Err(status) => return Ok(status),
    };
    let mut text = Vec::new();
    let mut shown = Vec::new();
    for number in numbers {
        let Some(job) = shell.jobs.job(number) else {
            continue;
        };
        let state = job.state();
        let wanted = (!running || state == JobState::Running)
            && (!stopped || matches!(state, JobState::Stopped(_)))
            && (!changed || !job.told);
        if wanted {
            text.extend(if shell.is_bash() {
                bash_lines(shell, job, form)
            } else {
                plain_lines(shell, job, form)
            });
            shown.push(number);
        }
    }
    if form != Form::PidOnly {
        shell.settle(&shown);
    }
    let _checked_at_flush = proc.print(&text).await;
    Ok(status)
}

/// The jobs that the operands name, or all, and the status so far.
async fn meant(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    specs: &[Vec<u8>],
) -> Result<(Vec<u32>, u8), u8> {
    if specs.is_empty() {
        return Ok((all_jobs(shell), 0));
    }
    let mut status = 0;
    let mut numbers = Vec::new();
    for spec in specs {
        match shell.find_job(spec) {
            Ok(number) => numbers.push(number),
            Err(why) => {
                status = no_such_job(shell, proc, args, Some(spec), &why).await;
                if !shell.is_bash() {
                    return Err(status);
                }
            }
        }
    }
    Ok((numbers, status))
}

/// The jobs in the order in which they are listed: dash and ash show the current one first.
fn all_jobs(shell: &Shell) -> Vec<u32> {
    let background = shell.jobs.iter().filter(|job| !job.foreground);
    let mut numbers: Vec<u32> = background.map(|job| job.number).collect();
    if !shell.is_bash() {
        numbers.reverse();
    }
    numbers
}

/// `jobs -x`: runs a command in which job specifications are replaced by the numbers of their groups.
async fn run_with_groups(shell: &mut Shell, proc: &mut Process, words: &[Vec<u8>]) -> Answer {
    let replaced: Vec<Vec<u8>> = words
        .iter()
        .map(|word| {
            let job = word
                .starts_with(b"%")
                .then(|| shell.find_job(word).ok())
                .flatten();
            let job = job.and_then(|number| shell.jobs.job(number));
            let pid = job
                .and_then(|job| job.members.first())
                .map(|member| member.pid.to_string().into_bytes());
            single_quote(shell.dialect, &pid.unwrap_or_else(|| word.clone()))
        })
        .collect();
    shell.enter(proc).await?;
    let result = shell.run_text(proc, &replaced.join(&b' ')).await;
    shell.depth = shell.depth.saturating_sub(1);
    result.map(|()| shell.status)
}

/// `%3: no such job`, as each shell words it; the status.
async fn no_such_job(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    spec: Option<&Vec<u8>>,
    why: &NoJob,
) -> u8 {
    let shown = spec.map(Vec::as_slice);
    match shell.dialect {
        Dialect::Bash => {
            if let NoJob::Ambiguous(text) = why {
                shell
                    .builtin_error(
                        proc,
                        args,
                        [text, b": ambiguous job spec".as_slice()].concat(),
                        1,
                    )
                    .await;
            }
            let names_it_once = args
                .first()
                .is_some_and(|name| matches!(name.as_slice(), b"fg" | b"bg" | b"kill"));
            if names_it_once && matches!(why, NoJob::Ambiguous(_)) {
                return 1;
            }
            let spec = shown.unwrap_or(b"current");
            shell
                .builtin_error(proc, args, [spec, b": no such job"].concat(), 1)
                .await
        }
        dialect => {
            let text = match (shown, why, dialect) {
                (None | Some(b"%" | b"%%" | b"%+"), ..) => b"No current job".to_vec(),
                (Some(b"%-"), ..) => b"No previous job".to_vec(),
                (Some(spec), NoJob::Ambiguous(_), Dialect::Dash) => [spec, b": ambiguous"].concat(),
                (Some(spec), _, Dialect::Dash) => [b"No such job: ", spec].concat(),
                (Some(spec), NoJob::Ambiguous(_), _) => [spec, b": ambiguous"].concat(),
                (Some(spec), ..) => [spec, b": no such job"].concat(),
            };
            shell.builtin_error(proc, args, text, 2).await
        }
    }
}

/// Options of `fg` and `bg`: none but `--`.
async fn specs_of<'a>(
    shell: &Shell,
    proc: &mut Process,
    args: &'a [Vec<u8>],
    usage: &str,
) -> Result<&'a [Vec<u8>], u8> {
    match args.get(1..).unwrap_or_default() {
        [first, rest @ ..] if first == b"--" => Ok(rest),
        [first, ..] if first.len() > 1 && first.starts_with(b"-") => Err(shell
            .invalid_option(proc, args, first.get(..2).unwrap_or(first), usage)
            .await),
        all => Ok(all),
    }
}

/// The job to put into the foreground or background, or the status to give up with.
async fn job_to_continue(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    spec: Option<&Vec<u8>>,
) -> Result<Job, u8> {
    let found = match spec {
        Some(spec) => shell.find_job(spec),
        None => shell.jobs.current().ok_or(NoJob::Unknown),
    };
    let job = match found {
        Ok(_) if !shell.is_bash() && !shell.job_control() => {
            let shown = spec.map_or(b"(null)".as_slice(), Vec::as_slice);
            let text = [b"job ", shown, b" not created under job control"].concat();
            return Err(shell.builtin_error(proc, args, text, 2).await);
        }
        Ok(number) => shell.jobs.job(number).cloned(),
        Err(why) => return Err(no_such_job(shell, proc, args, spec, &why).await),
    };
    let Some(job) = job else {
        return Err(no_such_job(shell, proc, args, spec, &NoJob::Unknown).await);
    };
    if job.group == proc.group() {
        let text = if shell.is_bash() {
            format!("job {} started without job control", job.number)
        } else {
            "job (null) not created under job control".to_owned()
        };
        return Err(shell
            .builtin_error(proc, args, text, if shell.is_bash() { 1 } else { 2 })
            .await);
    }
    if matches!(job.state(), JobState::Done(_)) {
        return Err(shell
            .builtin_error(proc, args, "job has terminated", 1)
            .await);
    }
    Ok(job)
}

/// Lets the processes of a job go on.
fn resume(shell: &mut Shell, proc: &Process, number: u32, foreground: bool) {
    let Some(job) = shell.jobs.job_mut(number) else {
        return;
    };
    job.foreground = foreground;
    job.told = true;
    for member in &mut job.members {
        if matches!(member.state, JobState::Stopped(_)) {
            member.state = JobState::Running;
        }
    }
    let group = job.group;
    if foreground {
        let _not_a_terminal = proc.set_foreground_group(STDIN, group);
    }
    let _already_gone = proc.kill_group(group, Some(Signal::CONT));
}

pub(super) async fn run_fg(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if shell.is_bash() && !shell.job_control() {
        return Ok(shell.builtin_error(proc, args, "no job control", 1).await);
    }
    let specs = match specs_of(shell, proc, args, "fg: usage: fg [job_spec]").await {
        Ok(specs) => specs,
        Err(status) => return Ok(status),
    };
    shell.reap(proc).await;
    let job = match job_to_continue(shell, proc, args, specs.first()).await {
        Ok(job) => job,
        Err(status) => return Ok(status),
    };
    let _checked_at_flush = proc.print(&[job.text.as_slice(), b"\n"].concat()).await;
    shell.flush_output(proc).await;
    resume(shell, proc, job.number, true);
    let statuses = shell.wait_foreground(proc, job.number).await;
    let last = statuses.last().copied().flatten();
    if last == Some(ExitStatus::Signaled(Signal::INT)) && shell.interactive {
        shell.status = 130;
        return Err(Flow::Abandon);
    }
    if last.is_none() && shell.leaves_loops_when_stopped() {
        shell.status = 128 + Signal::TSTP.number();
        return Err(Flow::Break(shell.loops));
    }
    Ok(last.map_or(128 + Signal::TSTP.number(), ExitStatus::code))
}

pub(super) async fn run_bg(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if shell.is_bash() && !shell.job_control() {
        return Ok(shell.builtin_error(proc, args, "no job control", 1).await);
    }
    let specs = match specs_of(shell, proc, args, "bg: usage: bg [job_spec ...]").await {
        Ok(specs) => specs,
        Err(status) => return Ok(status),
    };
    shell.reap(proc).await;
    let specs: Vec<Option<&Vec<u8>>> = if specs.is_empty() {
        vec![None]
    } else {
        specs.iter().map(Some).collect()
    };
    let mut status = 0;
    for spec in specs {
        match job_to_continue(shell, proc, args, spec).await {
            Err(failed) => status = failed,
            Ok(job) if job.state() == JobState::Running && shell.is_bash() => {
                let text = format!("job {} already in background", job.number);
                shell.builtin_error(proc, args, text, 0).await;
            }
            Ok(job) => {
                let head = match shell.dialect {
                    Dialect::Bash => format!("[{}]{} ", job.number, shell.jobs.mark(job.number)),
                    _ => format!("[{}] ", job.number),
                };
                let end: &[u8] = if shell.is_bash() { b" &\n" } else { b"\n" };
                let _checked_at_flush = proc
                    .print(&[head.as_bytes(), &job.text, end].concat())
                    .await;
                resume(shell, proc, job.number, false);
            }
        }
    }
    Ok(status)
}

pub(super) async fn run_disown(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let (mut all, mut keep, mut running) = (false, false, false);
    let mut specs = args.get(1..).unwrap_or_default();
    while let Some((option, rest)) = specs.split_first() {
        let Some(letters) = option
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        specs = rest;
        if letters == b"-" {
            break;
        }
        for &letter in letters {
            match letter {
                b'a' => all = true,
                b'h' => keep = true,
                b'r' => running = true,
                _ => {
                    let usage = "disown: usage: disown [-h] [-ar] [jobspec ... | pid ...]";
                    return Ok(shell
                        .invalid_option(proc, args, &[b'-', letter], usage)
                        .await);
                }
            }
        }
    }
    shell.reap(proc).await;
    let mut status = 0;
    let mut numbers = Vec::new();
    if specs.is_empty() && (all || running) {
        let wanted = |job: &&Job| !running || job.state() == JobState::Running;
        numbers = shell
            .jobs
            .iter()
            .filter(wanted)
            .map(|job| job.number)
            .collect();
    } else if specs.is_empty() {
        match shell.jobs.current() {
            Some(number) => numbers.push(number),
            None => status = no_such_job(shell, proc, args, None, &NoJob::Unknown).await,
        }
    }
    for spec in specs {
        let pid = std::str::from_utf8(spec)
            .ok()
            .and_then(|text| text.parse().ok());
        match pid
            .and_then(|pid| shell.jobs.of_pid(pid))
            .map(|job| Ok(job.number))
            .unwrap_or_else(|| shell.find_job(spec))
        {
            Ok(number) => numbers.push(number),
            Err(why) => status = no_such_job(shell, proc, args, Some(spec), &why).await,
        }
    }
    for number in numbers {
        if keep {
            if let Some(job) = shell.jobs.job_mut(number) {
                job.no_hangup = true;
            }
        } else {
            shell.jobs.remove(number);
        }
    }
    Ok(status)
}

/// A job as dash and ash tell of it.
pub(crate) fn plain_job_lines(shell: &Shell, job: &Job) -> Vec<u8> {
    plain_lines(shell, job, Form::Short)
}
