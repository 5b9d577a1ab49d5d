//! Pipelines, background lists, subshells.

use std::sync::Arc;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::signal::Disposition;
use sundew_kernel::{ExitStatus, Fd, Pid, Process, STDIN, STDOUT, Signal};
use sundew_sh_syntax::ast::{AndOr, Command, CommandKind, List, Pipeline, Time};
use sundew_sh_syntax::{Dialect, unparse};

use super::Place;
use crate::shell::{Flow, Run, Shell};
use crate::trap::Condition;

/// Whether a command is `jobs`: where it is all that a child runs, BusyBox leaves it the jobs to show.
pub(crate) fn is_jobs(command: &Command) -> bool {
    match &command.kind {
        CommandKind::Simple(simple) => {
            let first = simple.words.first().and_then(|word| word.as_literal());
            first.is_some_and(|word| *word == *b"jobs")
        }
        CommandKind::Group(list) => is_list_of_jobs(list),
        _ => false,
    }
}

/// The same for a list.
pub(crate) fn is_list_of_jobs(list: &List) -> bool {
    match list.items.as_slice() {
        [item] if item.and_or.rest.is_empty() => match item.and_or.first.commands.as_slice() {
            [only] => is_jobs(only),
            _ => false,
        },
        _ => false,
    }
}

impl Shell {
    pub(super) async fn run_pipeline(
        &mut self,
        proc: &mut Process,
        pipeline: &Pipeline,
        place: Place,
    ) -> Run {
        let timer = pipeline
            .time
            .map(|time| (time, proc.monotonic(), proc.cpu_times()));
        let place = if pipeline.negated || timer.is_some() {
            Place::Shell
        } else {
            place
        };
        let result = match pipeline.commands.as_slice() {
            [] => {
                self.status = 0;
                Ok(())
            }
            [command] if pipeline.negated => {
                self.condition += 1;
                let result = self.run_command(proc, command, Place::Shell).await;
                self.condition -= 1;
                self.set_pipe_status(vec![self.status]);
                result
            }
            [command] => {
                let result = self.run_command(proc, command, place).await;
                self.set_pipe_status(vec![self.status]);
                result
            }
            commands => {
                let negated = u32::from(pipeline.negated);
                self.condition += negated;
                let result = self.run_pipes(proc, pipeline, commands).await;
                self.condition -= negated;
                result
            }
        };
        if pipeline.negated && result.is_ok() {
            self.status = u8::from(self.status == 0);
        }
        if let Some((time, began, cpu)) = timer {
            self.print_times(proc, time, began, cpu).await;
        }
        result
    }

    fn set_pipe_status(&mut self, statuses: Vec<u8>) {
        if self.is_bash() {
            // Most commands leave what the one before left.
            let only = match statuses.as_slice() {
                [only] => Some(*only),
                _ => None,
            };
            if only.is_some() && only == self.pipe_status {
                return;
            }
            self.pipe_status = only;
            let texts = statuses
                .into_iter()
                .map(|status| status.to_string().into_bytes());
            self.variables.set_own_array(b"PIPESTATUS", texts);
        }
    }

    /// What `$PIPESTATUS` holds, for as long as a trap runs.
    pub(super) fn keep_pipe_status(&self) -> Option<(Option<u8>, Option<crate::variable::Value>)> {
        self.is_bash().then(|| {
            let value = self.variables.raw(b"PIPESTATUS");
            (
                self.pipe_status,
                value.and_then(|variable| variable.value.clone()),
            )
        })
    }

    pub(super) fn restore_pipe_status(
        &mut self,
        (only, value): (Option<u8>, Option<crate::variable::Value>),
    ) {
        self.pipe_status = only;
        self.variables
            .modify(b"PIPESTATUS", |variable| variable.value = value);
    }

    async fn run_pipes(
        &mut self,
        proc: &mut Process,
        pipeline: &Pipeline,
        commands: &[Arc<Command>],
    ) -> Run {
        let mut pids = Vec::new();
        let mut input: Option<Fd> = None;
        let count = commands.len();
        let job_control = self.job_control();
        for (index, command) in commands.iter().enumerate() {
            let last = index + 1 == count;
            let ends = if last {
                None
            } else {
                Some(self.new_pipe(proc).await?)
            };
            if last && self.options.shopt("lastpipe") && !job_control {
                return self.run_last_here(proc, commands, input, pids).await;
            }
            let (read, write) = (ends.map(|ends| ends.0), ends.map(|ends| ends.1));
            let group = pids.first().copied();
            let forked = self
                .fork_member(proc, command, (input, read, write), group, true)
                .await;
            for fd in [input, write].into_iter().flatten() {
                let _open = proc.close(fd);
            }
            match forked {
                Ok(pid) => pids.push(pid),
                Err(flow) => {
                    if let Some(fd) = read {
                        let _open = proc.close(fd);
                    }
                    return Err(flow);
                }
            }
            input = read;
        }
        let texts = pipeline
            .commands
            .iter()
            .map(|command| unparse::command(command))
            .collect();
        if !self.traps.is_empty()
            && let Some(last) = commands.last()
        {
            self.command_text = unparse::command(last);
        }
        self.wait_pipeline(proc, &pids, texts).await?;
        self.check_failure(proc).await
    }

    pub(super) async fn new_pipe(&mut self, proc: &mut Process) -> Result<(Fd, Fd), Flow> {
        match proc.pipe() {
            Ok(ends) => Ok(ends),
            Err(errno) => self.cannot(proc, "pipe error", errno).await,
        }
    }

    /// Starts the members of a background pipeline, children of this shell each.
    async fn start_pipes(
        &mut self,
        proc: &mut Process,
        commands: &[Arc<Command>],
    ) -> Result<Vec<Pid>, Flow> {
        let mut pids = Vec::new();
        let mut input: Option<Fd> = None;
        for (index, command) in commands.iter().enumerate() {
            let ends = if index + 1 == commands.len() {
                None
            } else {
                Some(self.new_pipe(proc).await?)
            };
            let (read, write) = (ends.map(|ends| ends.0), ends.map(|ends| ends.1));
            let group = pids.first().copied();
            let forked = self
                .fork_member(proc, command, (input, read, write), group, false)
                .await;
            for fd in [input, write].into_iter().flatten() {
                let _open = proc.close(fd);
            }
            input = read;
            match forked {
                Ok(pid) => pids.push(pid),
                Err(flow) => {
                    if let Some(fd) = read {
                        let _open = proc.close(fd);
                    }
                    return Err(flow);
                }
            }
        }
        Ok(pids)
    }

    /// Starts one member of a pipeline.
    async fn fork_member(
        &mut self,
        proc: &mut Process,
        command: &Arc<Command>,
        (input, unused, output): (Option<Fd>, Option<Fd>, Option<Fd>),
        group: Option<Pid>,
        foreground: bool,
    ) -> Result<Pid, Flow> {
        let simple = matches!(command.kind, CommandKind::Simple(_));
        if simple && self.traps.may_run(Condition::Debug) {
            Box::pin(self.before_command(proc, command)).await?;
        }
        let mut shell = self.to_subshell(proc);
        if self.dialect == Dialect::Ash && is_jobs(command) {
            shell.jobs = self.jobs.clone();
        }
        shell.subshell = self.subshell + u32::from(!simple);
        shell.debugged = simple;
        shell.around_traps.silent_failure = simple;
        let command = Arc::clone(command);
        let job_control = self.job_control();
        let pid = self
            .fork(proc, move |mut child| {
                Box::pin(async move {
                    shell.enter_child(&mut child, job_control, group);
                    if !foreground && !job_control {
                        quiet_background(&mut child, input.is_none()).await;
                    }
                    for (fd, standard) in [(input, STDIN), (output, STDOUT)] {
                        if let Some(fd) = fd {
                            let _open = child.duplicate_to(fd, standard);
                            let _open = child.close(fd);
                        }
                    }
                    if let Some(fd) = unused {
                        let _open = child.close(fd);
                    }
                    let run = shell.run_command(&mut child, &command, Place::Last).await;
                    shell.finish(&mut child, run).await
                })
            })
            .await?;
        self.place_child(proc, pid, group.unwrap_or(pid), foreground);
        Ok(pid)
    }

    /// What a child does first: signals back to their defaults, its process group.
    pub(crate) fn enter_child(
        &mut self,
        child: &mut Process,
        job_control: bool,
        group: Option<Pid>,
    ) {
        child.discard_output();
        self.reset_signals(child);
        if job_control {
            let pid = child.pid();
            let _own = child.set_group(pid, group.unwrap_or(0));
        }
    }

    /// Signals that the shell catches or ignores for itself get their defaults back in a child;
    /// those that a trap ignores stay ignored.
    pub(crate) fn reset_signals(&self, child: &Process) {
        for signal in [
            Signal::INT,
            Signal::QUIT,
            Signal::TERM,
            Signal::TSTP,
            Signal::TTIN,
            Signal::TTOU,
            Signal::CHLD,
            Signal::HUP,
            Signal::USR1,
            Signal::USR2,
            Signal::ALRM,
            Signal::WINCH,
            Signal::PIPE,
        ] {
            let ignored = self
                .traps
                .command(Condition::Signal(signal))
                .is_some_and(<[u8]>::is_empty);
            let wanted = if ignored {
                Disposition::Ignore
            } else {
                Disposition::Default
            };
            if child.disposition(signal) != wanted
                && (ignored || !self.ignored_at_start.contains(&signal))
            {
                child.set_disposition(signal, wanted);
            }
        }
    }

    async fn run_last_here(
        &mut self,
        proc: &mut Process,
        commands: &[Arc<Command>],
        input: Option<Fd>,
        pids: Vec<Pid>,
    ) -> Run {
        let Some((command, before)) = commands.split_last() else {
            return Ok(());
        };
        let texts = before.iter().map(|command| unparse::command(command));
        let number = self.jobs.add(proc.group(), &pids, texts.collect(), true);
        let saved = proc.duplicate_from(STDIN, 10).ok();
        if let Some(fd) = input {
            let _open = proc.duplicate_to(fd, STDIN);
            let _open = proc.close(fd);
        }
        let result = self.run_command(proc, command, Place::Shell).await;
        match saved {
            Some(saved) => {
                let _open = proc.duplicate_to(saved, STDIN);
                let _open = proc.close(saved);
            }
            None => {
                let _open = proc.close(STDIN);
            }
        }
        let last = self.status;
        let ended = self.wait_foreground(proc, number).await;
        let mut statuses: Vec<u8> = ended
            .iter()
            .map(|status| status.map_or(128 + Signal::TSTP.number(), ExitStatus::code))
            .collect();
        statuses.push(last);
        self.status = last;
        if self.options.is_set("pipefail")
            && let Some(failed) = statuses.iter().rev().find(|code| **code != 0)
        {
            self.status = *failed;
        }
        self.set_pipe_status(statuses);
        result
    }

    /// Waits for the processes of a foreground pipeline and sets the status. `texts` are its commands.
    pub(crate) async fn wait_pipeline(
        &mut self,
        proc: &mut Process,
        pids: &[Pid],
        texts: Vec<Vec<u8>>,
    ) -> Run {
        let group = if self.job_control() {
            pids.first().copied().unwrap_or(0)
        } else {
            proc.group()
        };
        let number = self.jobs.add(group, pids, texts, true);
        let statuses = self.wait_foreground(proc, number).await;
        let codes: Vec<u8> = statuses
            .iter()
            .map(|status| status.map_or(128 + Signal::TSTP.number(), ExitStatus::code))
            .collect();
        self.status = codes.last().copied().unwrap_or(0);
        if self.options.is_set("pipefail")
            && let Some(failed) = codes.iter().rev().find(|code| **code != 0)
        {
            self.status = *failed;
        }
        self.set_pipe_status(codes);
        let last = statuses.last().copied().flatten();
        if last.is_none() && self.leaves_loops_when_stopped() {
            return Err(Flow::Break(self.loops));
        }
        let interrupted = last == Some(ExitStatus::Signaled(Signal::INT));
        if interrupted && self.interactive {
            self.drop_interrupts(proc);
            // As bash has it: a loop is left, and a list unless the signal is trapped; an `if`
            // takes its other branch.
            let trapped = self.traps.command(Condition::Signal(Signal::INT)).is_some();
            if trapped && !self.is_bash() {
                return self.run_trap(proc, Condition::Signal(Signal::INT)).await;
            }
            if !self.is_bash() || self.loops > 0 || self.lists > 0 && !trapped {
                return Err(Flow::Abandon);
            }
            return Ok(());
        }
        let caught = interrupted && self.is_terminated_by(proc, Signal::INT);
        if caught && self.deferred_signals.contains(&Signal::INT) {
            // The `^C` that ended the program was for the shell too.
            self.die_after_trap(proc, Signal::INT).await;
        }
        self.replay_signals(proc).await
    }

    /// Whether a job that was stopped (`^Z`) ends the loops it ran in: bash's, the lists around them go on.
    pub(crate) fn leaves_loops_when_stopped(&self) -> bool {
        self.is_bash() && self.interactive && self.loops > 0
    }

    /// The shell has seen the `^C` that its program died of.
    fn drop_interrupts(&mut self, proc: &Process) {
        self.collect_signals(proc);
        self.deferred_signals
            .retain(|signal| *signal != Signal::INT);
    }

    /// Runs the traps of signals that came during a wait.
    async fn replay_signals(&mut self, proc: &mut Process) -> Run {
        for signal in std::mem::take(&mut self.deferred_signals) {
            let condition = Condition::Signal(signal);
            if self
                .traps
                .command(condition)
                .is_some_and(|command| !command.is_empty())
            {
                self.run_trap(proc, condition).await?;
            }
        }
        Ok(())
    }

    /// `list &`
    pub(super) async fn run_background(&mut self, proc: &mut Process, and_or: &Arc<AndOr>) -> Run {
        let pipeline = &and_or.first;
        if and_or.rest.is_empty()
            && pipeline.commands.len() > 1
            && !pipeline.negated
            && pipeline.time.is_none()
        {
            let pids = self.start_pipes(proc, &pipeline.commands).await?;
            let parts = pipeline
                .commands
                .iter()
                .map(|command| unparse::command(command))
                .collect();
            self.started_background(proc, &pids, parts).await;
            return Ok(());
        }
        let only = match pipeline.commands.as_slice() {
            [only] if and_or.rest.is_empty() && !pipeline.negated => Some(only),
            _ => None,
        };
        let simple = only.filter(|only| {
            matches!(only.kind, CommandKind::Simple(_)) && self.traps.may_run(Condition::Debug)
        });
        if let Some(simple) = simple {
            Box::pin(self.before_command(proc, simple)).await?;
        }
        let mut shell = self.to_subshell(proc);
        shell.debugged = simple.is_some();
        let job_control = self.job_control();
        let body = Arc::clone(and_or);
        let pid = self
            .fork(proc, move |mut child| {
                Box::pin(async move {
                    shell.enter_child(&mut child, job_control, None);
                    if !job_control {
                        quiet_background(&mut child, true).await;
                    }
                    let list = List {
                        items: vec![sundew_sh_syntax::ast::ListItem {
                            and_or: body,
                            background: false,
                            newline: false,
                        }],
                    };
                    let run = shell.run_list_in(&mut child, &list, Place::Last).await;
                    shell.finish(&mut child, run).await
                })
            })
            .await?;
        self.place_child(proc, pid, pid, false);
        self.started_background(proc, &[pid], vec![Self::job_text(and_or)])
            .await;
        Ok(())
    }

    /// Takes a background job into the list; bash tells a person its number.
    pub(super) async fn started_background(
        &mut self,
        proc: &mut Process,
        pids: &[Pid],
        parts: Vec<Vec<u8>>,
    ) {
        let (Some(&first), Some(&last)) = (pids.first(), pids.last()) else {
            return;
        };
        self.background = Some(last);
        let group = if self.job_control() {
            first
        } else {
            proc.group()
        };
        if !self.is_bash() {
            self.jobs.forget_told();
        }
        let number = self.jobs.add(group, pids, parts, false);
        if self.interactive && self.is_bash() {
            proc.print_error(format!("[{number}] {last}\n").as_bytes())
                .await;
        }
        self.status = 0;
    }

    /// `( list )`
    pub(super) async fn run_subshell(
        &mut self,
        proc: &mut Process,
        list: &Arc<List>,
        command: &Command,
        place: Place,
    ) -> Run {
        if place == Place::Last && self.traps.none_waits() {
            // This process is nobody's shell any more: it can be the subshell itself.
            self.subshell += 1;
            self.loops = 0;
            self.traps = self.traps_of_subshell(self.is_bash());
            if self.redirect(proc, &command.redirects, None).await.is_err() {
                self.status = if self.is_bash() { 1 } else { 2 };
                return Ok(());
            }
            return match self.run_list_in(proc, list, Place::Last).await {
                Err(Flow::Abandon | Flow::Discard | Flow::DiscardAll) => Err(Flow::Exit),
                other => other,
            };
        }
        let mut shell = self.to_subshell(proc);
        let job_control = self.job_control();
        let (list, redirects) = (Arc::clone(list), command.redirects.clone());
        let text = unparse::command(command);
        let pid = self
            .fork(proc, move |mut child| {
                Box::pin(async move {
                    shell.enter_child(&mut child, job_control, None);
                    if shell.redirect(&mut child, &redirects, None).await.is_err() {
                        return ExitStatus::Exited(if shell.is_bash() { 1 } else { 2 });
                    }
                    let run = shell.run_list_in(&mut child, &list, Place::Last).await;
                    shell.finish(&mut child, run).await
                })
            })
            .await?;
        self.place_child(proc, pid, pid, true);
        self.wait_pipeline(proc, &[pid], vec![text]).await?;
        self.check_failure(proc).await
    }

    async fn print_times(
        &mut self,
        proc: &mut Process,
        time: Time,
        began: std::time::Duration,
        cpu: (std::time::Duration, std::time::Duration),
    ) {
        let real = proc.monotonic().saturating_sub(began);
        let (own, children) = proc.cpu_times();
        let used = (own + children).saturating_sub(cpu.0 + cpu.1);
        let (user, system) = (used * 2 / 3, used / 3);
        let format = self.variables.scalar(b"TIMEFORMAT").map(<[u8]>::to_vec);
        if let (Time::Default, Some(format)) = (time, format) {
            if !format.is_empty() {
                match time_text(&format, [real, user, system]) {
                    Ok(text) => proc.print_error(&text).await,
                    Err(bad) => {
                        let bad = [bad];
                        let text = [
                            b"TIMEFORMAT: `",
                            bad.as_slice(),
                            b"': invalid format character",
                        ];
                        self.complain(proc, text.concat()).await;
                    }
                }
            }
            return;
        }
        let text = match time {
            Time::Posix => format!(
                "real {:.2}\nuser {:.2}\nsys {:.2}\n",
                real.as_secs_f64(),
                user.as_secs_f64(),
                system.as_secs_f64()
            ),
            Time::Default => {
                let shown = |time: std::time::Duration| {
                    format!(
                        "{}m{}.{:03}s",
                        time.as_secs() / 60,
                        time.as_secs() % 60,
                        time.subsec_millis()
                    )
                };
                format!(
                    "\nreal\t{}\nuser\t{}\nsys\t{}\n",
                    shown(real),
                    shown(user),
                    shown(system)
                )
            }
        };
        proc.print_error(text.as_bytes()).await;
    }
}

/// Without job control a background command must not take the keyboard.
async fn quiet_background(child: &mut Process, takes_stdin: bool) {
    child.set_disposition(Signal::INT, Disposition::Ignore);
    child.set_disposition(Signal::QUIT, Disposition::Ignore);
    if !takes_stdin {
        return;
    }
    if let Ok(fd) = child.open(b"/dev/null", OpenFlags::READ, 0).await {
        let _open = child.duplicate_to(fd, STDIN);
        let _open = child.close(fd);
    }
}

/// `$TIMEFORMAT` with its `%R`, `%U`, `%S`, `%P` filled in, and a newline.
///
/// # Errors
///
/// The character behind a `%` that means nothing.
fn time_text(format: &[u8], [real, user, system]: [std::time::Duration; 3]) -> Result<Vec<u8>, u8> {
    let mut text = Vec::new();
    let mut rest = format.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let mut digits = 3;
        if let Some(digit) = rest.next_if(u8::is_ascii_digit) {
            digits = usize::from(digit - b'0').min(3);
        }
        let long = rest.next_if_eq(&b'l').is_some();
        let time = match rest.next() {
            Some(b'R') => real,
            Some(b'U') => user,
            Some(b'S') => system,
            Some(b'P') => {
                let share = (user + system).as_secs_f64() / real.as_secs_f64().max(0.001) * 100.0;
                text.extend(format!("{share:.2}").into_bytes());
                continue;
            }
            Some(b'%') => {
                text.push(b'%');
                continue;
            }
            // At the end it stands for itself.
            None => {
                text.push(b'%');
                break;
            }
            Some(other) => return Err(other),
        };
        let seconds = time.as_secs_f64();
        if long {
            let minutes = time.as_secs() / 60;
            let left = seconds - (minutes * 60) as f64;
            text.extend(format!("{minutes}m{left:.digits$}s").into_bytes());
        } else {
            text.extend(format!("{seconds:.digits$}").into_bytes());
        }
    }
    text.push(b'\n');
    Ok(text)
}
