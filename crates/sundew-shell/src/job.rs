//! Jobs: process groups that run in the background or are stopped, and the wait for all of them.

use std::fmt::Write as _;

use sundew_kernel::process::WaitFor;
use sundew_kernel::status::ChildEvent;
use sundew_kernel::tty::Termios;
use sundew_kernel::{ExitStatus, Fd, Pid, Process, Signal};

use crate::shell::Shell;

/// Statuses of ended children that `wait PID` may still ask for; POSIX asks for `CHILD_MAX`.
const MAX_REMEMBERED: usize = 512;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It runs.
    Running,
    /// A signal stopped it.
    Stopped(Signal),
    /// It ended.
    Done(ExitStatus),
}

/// One process of a job.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its number.
    pub pid: Pid,
    /// What it does.
    pub state: JobState,
}

/// One job.
#[derive(Debug, Clone)]
pub struct Job {
    /// `%N`.
    pub number: u32,
    /// Its process group, or the shell's own without job control.
    pub group: Pid,
    /// Its processes in the order of the pipeline.
    pub members: Vec<Member>,
    /// The command as `jobs` prints it.
    pub text: Vec<u8>,
    /// The command of each process.
    pub parts: Vec<Vec<u8>>,
    /// Whether the change of state has been told.
    pub told: bool,
    /// Whether it runs in the foreground now.
    pub foreground: bool,
    /// `disown -h`.
    pub no_hangup: bool,
}

impl Job {
    /// What the job does: it runs while one of its processes does, and ends as its last one does.
    pub fn state(&self) -> JobState {
        let mut state = self
            .members
            .last()
            .map_or(JobState::Done(ExitStatus::SUCCESS), |member| member.state);
        for member in &self.members {
            match member.state {
                JobState::Running => return JobState::Running,
                JobState::Stopped(signal) => state = JobState::Stopped(signal),
                JobState::Done(_) => {}
            }
        }
        state
    }

    /// `Running`, `Stopped`, `Done`, `Exit 3`, `Terminated`.
    pub fn state_text(&self) -> String {
        match self.state() {
            JobState::Running => "Running".to_owned(),
            JobState::Stopped(_) => "Stopped".to_owned(),
            JobState::Done(ExitStatus::Exited(0)) => "Done".to_owned(),
            JobState::Done(ExitStatus::Exited(code)) => format!("Exit {code}"),
            JobState::Done(ExitStatus::Signaled(signal)) => signal.description(),
        }
    }
}

/// The jobs of one shell.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    list: Vec<Job>,
    /// Numbers of the current job, the one before, …, the most recent last.
    recent: Vec<u32>,
    /// Ended children that belong to no listed job.
    remembered: Vec<(Pid, ExitStatus)>,
    /// The terminal's settings when the last line had been typed.
    pub(crate) terminal: Option<Termios>,
}

impl Jobs {
    /// All jobs in order of number.
    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.list.iter()
    }

    /// The job of this number.
    pub fn job(&self, number: u32) -> Option<&Job> {
        self.list.iter().find(|job| job.number == number)
    }

    /// The job of this number, to change.
    pub fn job_mut(&mut self, number: u32) -> Option<&mut Job> {
        self.list.iter_mut().find(|job| job.number == number)
    }

    /// The job this process belongs to.
    pub fn of_pid(&self, pid: Pid) -> Option<&Job> {
        self.list
            .iter()
            .find(|job| job.members.iter().any(|member| member.pid == pid))
    }

    /// Adds a job of these processes and their commands; it becomes the current one. Its number.
    pub fn add(&mut self, group: Pid, pids: &[Pid], parts: Vec<Vec<u8>>, foreground: bool) -> u32 {
        let number = self.list.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        let members = pids
            .iter()
            .map(|&pid| Member {
                pid,
                state: JobState::Running,
            })
            .collect();
        let text = parts.join(b" | ".as_slice());
        self.list.push(Job {
            number,
            group,
            members,
            text,
            parts,
            told: true,
            foreground,
            no_hangup: false,
        });
        if !foreground {
            self.make_current(number);
        }
        number
    }

    /// Removes a job.
    pub fn remove(&mut self, number: u32) {
        self.list.retain(|job| job.number != number);
        self.recent.retain(|known| *known != number);
    }

    /// Makes a job the one that `%+` means.
    pub fn make_current(&mut self, number: u32) {
        self.recent.retain(|known| *known != number);
        self.recent.push(number);
    }

    /// The number of the current job (`%+`).
    pub fn current(&self) -> Option<u32> {
        let stopped = self.recent.iter().rev().find(|number| {
            self.job(**number)
                .is_some_and(|job| matches!(job.state(), JobState::Stopped(_)))
        });
        stopped.or_else(|| self.recent.last()).copied()
    }

    /// The number of the job before the current one (`%-`).
    pub fn previous(&self) -> Option<u32> {
        let current = self.current();
        self.recent
            .iter()
            .rev()
            .find(|number| Some(**number) != current)
            .copied()
    }

    /// `+`, `-` or a blank, as `jobs` marks a job.
    pub fn mark(&self, number: u32) -> char {
        if self.current() == Some(number) {
            '+'
        } else if self.previous() == Some(number) {
            '-'
        } else {
            ' '
        }
    }

    /// The number of the job meant by `%1`, `%%`, `%+`, `%-`, `%text`, `%?text`.
    pub fn find(&self, spec: &[u8]) -> Option<u32> {
        let spec = spec.strip_prefix(b"%").unwrap_or(spec);
        match spec {
            b"" | b"%" | b"+" => self.current(),
            b"-" => self.previous(),
            _ => {
                if let Some(number) = std::str::from_utf8(spec)
                    .ok()
                    .and_then(|text| text.parse().ok())
                {
                    return self.job(number).map(|job| job.number);
                }
                let found = self.list.iter().find(|job| match spec.strip_prefix(b"?") {
                    Some(part) => job
                        .text
                        .windows(part.len().max(1))
                        .any(|window| window == part),
                    None => job.text.starts_with(spec),
                });
                found.map(|job| job.number)
            }
        }
    }

    /// Takes in what happened to a child.
    pub fn update(&mut self, pid: Pid, event: ChildEvent) {
        let state = match event {
            ChildEvent::Ended(status) => JobState::Done(status),
            ChildEvent::Stopped(signal) => JobState::Stopped(signal),
            ChildEvent::Continued => JobState::Running,
        };
        let mut stopped = None;
        for job in &mut self.list {
            for member in job.members.iter_mut().filter(|member| member.pid == pid) {
                member.state = state;
                job.told = matches!(state, JobState::Running);
                if matches!(state, JobState::Stopped(_)) {
                    stopped = Some(job.number);
                }
            }
        }
        if let Some(number) = stopped {
            self.make_current(number);
        }
        if let ChildEvent::Ended(status) = event
            && self.of_pid(pid).is_none()
        {
            if self.remembered.len() >= MAX_REMEMBERED {
                self.remembered.remove(0);
            }
            self.remembered.push((pid, status));
        }
    }

    /// The status of a child that ended and belongs to no listed job; it is forgotten.
    pub fn take_remembered(&mut self, pid: Pid) -> Option<ExitStatus> {
        let index = self
            .remembered
            .iter()
            .position(|(known, _)| *known == pid)?;
        Some(self.remembered.remove(index).1)
    }

    /// Removes jobs that ended and were told of; their statuses stay for `wait PID`.
    pub fn forget_told(&mut self) {
        let ended: Vec<Job> = self
            .list
            .iter()
            .filter(|job| job.told && matches!(job.state(), JobState::Done(_)))
            .cloned()
            .collect();
        for job in ended {
            self.remove(job.number);
            for member in job.members {
                if let JobState::Done(status) = member.state {
                    self.update(member.pid, ChildEvent::Ended(status));
                }
            }
        }
    }
}

/// The terminal's descriptor that job control uses: standard error's copy, or standard input.
const TERMINAL: Fd = 0;

impl Shell {
    /// Whether pipelines get process groups of their own.
    pub fn job_control(&self) -> bool {
        self.options.is_set("monitor") && !self.without_jobs
    }

    /// Takes in all that happened to children, without waiting.
    pub async fn reap(&mut self, proc: &Process) {
        while let Ok(Some((pid, event))) = proc.wait(WaitFor::Any, true, false).await {
            self.jobs.update(pid, event);
        }
    }

    /// Waits for a job in the foreground; gives it the terminal and takes it back. The statuses of
    /// its processes, or `None` for those that were stopped.
    pub async fn wait_foreground(
        &mut self,
        proc: &mut Process,
        number: u32,
    ) -> Vec<Option<ExitStatus>> {
        loop {
            let Some(job) = self.jobs.job(number) else {
                return Vec::new();
            };
            match job.state() {
                JobState::Running => {}
                _ => break,
            }
            match proc.wait(WaitFor::Any, true, true).await {
                Ok(Some((pid, event))) => self.jobs.update(pid, event),
                Ok(None) => {}
                // A trapped signal: its command runs when this one is over.
                Err(sundew_kernel::Errno::Eintr) => self.note_signals(proc).await,
                Err(_) => break,
            }
        }
        if self.job_control() {
            let _not_a_terminal = proc.set_foreground_group(TERMINAL, proc.group());
        }
        self.restore_terminal(proc, number);
        if self.interactive && self.options.shopt("checkwinsize") {
            self.learn_window_size(proc);
        }
        let Some(job) = self.jobs.job(number) else {
            return Vec::new();
        };
        let statuses = job
            .members
            .iter()
            .map(|member| match member.state {
                JobState::Done(status) => Some(status),
                _ => None,
            })
            .collect();
        self.tell_of_foreground(proc, number).await;
        self.tell_after_wait(proc).await;
        statuses
    }

    /// After a job that was stopped or killed bash sets the terminal as it was before.
    fn restore_terminal(&self, proc: &Process, number: u32) {
        let left = self.jobs.job(number).is_some_and(|job| {
            matches!(
                job.state(),
                JobState::Stopped(_) | JobState::Done(ExitStatus::Signaled(_))
            )
        });
        if left
            && self.is_bash()
            && self.interactive
            && let Some(before) = self.jobs.terminal.clone()
        {
            let _not_a_terminal_any_more = proc.set_termios(TERMINAL, before, false);
        }
    }

    /// Signals that interrupt a wait are kept, and the wait goes on, unless one of them ends the shell.
    async fn note_signals(&mut self, proc: &mut Process) {
        self.collect_signals(proc);
        let mut signals = self.deferred_signals.iter().copied();
        // The program has `^C` too: the shell follows it.
        let ending =
            signals.find(|signal| *signal != Signal::INT && self.is_terminated_by(proc, *signal));
        if let Some(signal) = ending {
            self.die_after_trap(proc, signal).await;
        }
    }

    /// After a foreground job: the line that says how it was stopped or killed.
    async fn tell_of_foreground(&mut self, proc: &mut Process, number: u32) {
        let Some(job) = self.jobs.job(number).cloned() else {
            return;
        };
        match job.state() {
            JobState::Stopped(_) => {
                if let Some(job) = self.jobs.job_mut(number) {
                    job.foreground = false;
                    job.told = true;
                }
                self.jobs.make_current(number);
                let start: &[u8] = if self.is_bash() { b"\n" } else { b"" };
                let line = [start, &self.job_line(number, false), b"\n"].concat();
                proc.print_error(&line).await;
            }
            JobState::Running => {}
            JobState::Done(status) => {
                self.jobs.remove(number);
                self.tell_of_death(proc, &job, status).await;
            }
        }
    }

    async fn tell_of_death(&mut self, proc: &mut Process, job: &Job, status: ExitStatus) {
        let ExitStatus::Signaled(signal) = status else {
            return;
        };
        if signal == Signal::PIPE {
            return;
        }
        if signal == Signal::INT {
            // The others run a trap instead.
            if self.interactive && (self.is_bash() || !self.has_command_for(signal)) {
                proc.print_error(b"\n").await;
            }
            return;
        }
        let text = signal.description();
        let trapped = self
            .traps
            .command(crate::trap::Condition::Signal(signal))
            .is_some();
        if !self.is_bash() || self.interactive || trapped || signal == Signal::TERM {
            proc.print_error(format!("{text}\n").as_bytes()).await;
            return;
        }
        // A script says which process of which command it was.
        let mut lines = Vec::new();
        for (index, (member, part)) in job.members.iter().zip(&job.parts).enumerate() {
            let state = match member.state {
                JobState::Done(ExitStatus::Exited(0)) => "Done".to_owned(),
                JobState::Done(ExitStatus::Exited(code)) => format!("Exit {code}"),
                JobState::Done(ExitStatus::Signaled(signal)) => signal.description(),
                JobState::Running => "Running".to_owned(),
                JobState::Stopped(_) => "Stopped".to_owned(),
            };
            let bar = if index > 0 { "| " } else { "" };
            let indent = if index > 0 { "\n     " } else { "" };
            lines.extend_from_slice(format!("{indent}{} {state:<23} {bar}", member.pid).as_bytes());
            lines.extend_from_slice(part);
        }
        self.complain(proc, lines).await;
    }

    /// A job as `jobs` shows it, without its newline.
    pub fn job_line(&self, number: u32, with_pid: bool) -> Vec<u8> {
        let Some(job) = self.jobs.job(number) else {
            return Vec::new();
        };
        if !self.is_bash() {
            let mut line = crate::builtin::plain_job_lines(self, job);
            line.pop();
            return line;
        }
        let mut line = format!("[{number}]{}  ", self.jobs.mark(number));
        if with_pid {
            let _infallible = write!(
                line,
                "{} ",
                job.members.last().map_or(0, |member| member.pid)
            );
        }
        let _infallible = write!(line, "{:<24}", job.state_text());
        let mut line = line.into_bytes();
        line.extend_from_slice(&job.text);
        if job.state() == JobState::Running {
            line.extend_from_slice(b" &");
        }
        line
    }

    /// After it waited, bash tells of whatever else has ended or was stopped, and not only at its prompt.
    pub async fn tell_after_wait(&mut self, proc: &mut Process) {
        if self.is_bash() && self.interactive {
            self.tell_of_jobs(proc).await;
        }
    }

    /// Before a prompt: tells of background jobs that ended or were stopped.
    pub async fn tell_of_jobs(&mut self, proc: &mut Process) {
        self.reap(proc).await;
        let news: Vec<u32> = self
            .jobs
            .iter()
            .filter(|job| !job.told && job.state() != JobState::Running)
            .map(|job| job.number)
            .collect();
        for number in news {
            let dead = self
                .jobs
                .job(number)
                .is_some_and(|job| matches!(job.state(), JobState::Done(_)));
            // Without job control bash forgets what ended and says nothing.
            let silent = self.is_bash() && dead && !self.options.is_set("monitor");
            if self.interactive && !silent {
                let start: &[u8] = if self.is_bash() && !dead { b"\n" } else { b"" };
                // As bash ends what it may say at any moment.
                let end: &[u8] = match self.options.is_set("notify") {
                    true if self.is_bash() => b"\r\n",
                    _ => b"\n",
                };
                let line = [start, &self.job_line(number, false), end].concat();
                proc.print_error(&line).await;
            }
            if let Some(job) = self.jobs.job_mut(number) {
                job.told = true;
            }
        }
        self.jobs.forget_told();
    }

    /// Puts a new child into its group, and that group into the foreground if it is to be.
    pub fn place_child(&self, proc: &Process, pid: Pid, group: Pid, foreground: bool) {
        if !self.job_control() {
            return;
        }
        let _already_gone = proc.set_group(pid, group);
        if foreground && pid == group {
            let _not_a_terminal = proc.set_foreground_group(TERMINAL, group);
        }
    }
}
