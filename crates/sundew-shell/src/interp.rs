//! Runs the syntax tree.
//!
//! Everything here runs in a shell's process; what needs a process of its own (pipelines,
//! subshells, background lists, programs) is forked with a copy of the shell.

mod assign;
mod compound;
pub(crate) mod conditional;
mod coprocess;
mod function;
pub(crate) mod pipeline;
mod program;
mod simple;
pub(crate) mod text;

use std::sync::atomic::Ordering;

use futures_util::future::BoxFuture;
use sundew_kernel::process::exec::ChildFuture;
use sundew_kernel::{Errno, Pid, Process, Signal};
use sundew_sh_syntax::ast::{self, AndOr, Command, CommandKind, Junction, List, Pipeline};
use sundew_sh_syntax::{Dialect, unparse};

use crate::redirect::{RedirectFailed, Undo};
use crate::shell::{
    Flow, MAX_CALL_DEPTH, MAX_DASH_CALLS, Run, SEGMENT_BYTES, SEGMENT_COMMANDS, Shell,
};
use crate::trap::Condition;
pub(crate) use simple::Lookup;
pub(crate) use text::MAX_TEXT_BYTES as MAX_SCRIPT_BYTES;

/// How long bash waits before it tries `fork` again: 1, 2, 4, 8 seconds.
const FORK_RETRIES: u32 = 4;

/// Whether a command may replace the process it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a shell that goes on afterwards.
    Shell,
    /// At the end of a child's life: a program may be executed in place.
    Last,
}

/// A future in a place of its own, which is made there: what it takes is not on the stack of all that
/// are nested in one another.
fn apart<'a, T, F>(make: impl FnOnce() -> F) -> BoxFuture<'a, T>
where
    F: Future<Output = T> + Send + 'a,
{
    Box::pin(make())
}

impl Shell {
    /// Runs a list.
    pub(crate) fn run_list<'a>(
        &'a mut self,
        proc: &'a mut Process,
        list: &'a List,
    ) -> BoxFuture<'a, Run> {
        self.run_list_in(proc, list, Place::Shell)
    }

    /// Runs a list; its last command may replace the process.
    pub(crate) fn run_list_in<'a>(
        &'a mut self,
        proc: &'a mut Process,
        list: &'a List,
        place: Place,
    ) -> BoxFuture<'a, Run> {
        Box::pin(async move {
            let count = list.items.len();
            let several = u32::from(count > 1);
            self.lists += several;
            let result = self.run_items(proc, list, place).await;
            self.lists = self.lists.saturating_sub(several);
            result
        })
    }

    async fn run_items(&mut self, proc: &mut Process, list: &List, place: Place) -> Run {
        let count = list.items.len();
        for (index, item) in list.items.iter().enumerate() {
            proc.tick().await;
            if self.coprocess.is_some() {
                self.forget_coprocess(proc, false);
            }
            let place = if index + 1 == count {
                place
            } else {
                Place::Shell
            };
            if item.background {
                self.run_background(proc, &item.and_or).await?;
            } else {
                self.run_and_or(proc, &item.and_or, place).await?;
            }
        }
        Ok(())
    }

    async fn run_and_or(&mut self, proc: &mut Process, and_or: &AndOr, place: Place) -> Run {
        if and_or.rest.is_empty() {
            return self.run_pipeline(proc, &and_or.first, place).await;
        }
        self.lists += 1;
        let result = self.run_junctions(proc, and_or, place).await;
        self.lists = self.lists.saturating_sub(1);
        result
    }

    async fn run_junctions(&mut self, proc: &mut Process, and_or: &AndOr, place: Place) -> Run {
        self.run_tested(proc, &and_or.first).await?;
        for (index, (junction, pipeline)) in and_or.rest.iter().enumerate() {
            let wanted = match junction {
                Junction::And => self.status == 0,
                Junction::Or => self.status != 0,
            };
            if !wanted {
                continue;
            }
            let last = index + 1 == and_or.rest.len();
            if last {
                self.run_pipeline(proc, pipeline, place).await?;
            } else {
                self.run_tested(proc, pipeline).await?;
            }
        }
        Ok(())
    }

    /// Runs a pipeline whose failure is looked at and does not end the shell under `set -e`.
    async fn run_tested(&mut self, proc: &mut Process, pipeline: &Pipeline) -> Run {
        self.condition += 1;
        let result = self.run_pipeline(proc, pipeline, Place::Shell).await;
        self.condition -= 1;
        result
    }

    /// The same for the condition of a loop or an `if`.
    async fn run_condition(&mut self, proc: &mut Process, list: &List) -> Run {
        self.condition += 1;
        let result = self.run_list(proc, list).await;
        self.condition -= 1;
        result
    }

    /// Runs one command.
    pub(crate) fn run_command<'a>(
        &'a mut self,
        proc: &'a mut Process,
        command: &'a Command,
        place: Place,
    ) -> BoxFuture<'a, Run> {
        Box::pin(async move {
            if self.nested >= SEGMENT_COMMANDS {
                let command = command.clone();
                return self
                    .run_nested(proc, move |shell, proc| {
                        Box::pin(async move { shell.run_command(proc, &command, place).await })
                    })
                    .await;
            }
            self.nested += 1;
            let run = self.run_counted(proc, command, place).await;
            self.nested = self.nested.saturating_sub(1);
            run
        })
    }

    async fn run_counted(&mut self, proc: &mut Process, command: &Command, place: Place) -> Run {
        proc.tick().await;
        self.check_interrupt(proc).await?;
        if self.options.is_set("noexec") && !self.interactive {
            return Ok(());
        }
        self.line = command.line.saturating_add_signed(self.line_shift);
        if (!self.traps.is_empty() || self.around_traps.hidden > 0)
            && !std::mem::take(&mut self.debugged)
        {
            Box::pin(self.before_command(proc, command)).await?;
        }
        match &command.kind {
            CommandKind::Simple(simple) => {
                return self.run_simple(proc, simple, command, place).await;
            }
            CommandKind::Function(function) => {
                return apart(|| self.define_function(proc, function)).await;
            }
            CommandKind::Subshell(list) => {
                return apart(|| self.run_subshell(proc, list, command, place)).await;
            }
            _ => {}
        }
        if command.redirects.is_empty() {
            return apart(|| self.run_compound(proc, &command.kind)).await;
        }
        let mut undo = Undo::default();
        let redirected = self
            .redirect(proc, &command.redirects, Some(&mut undo))
            .await;
        let result = match redirected {
            Ok(()) => apart(|| self.run_compound(proc, &command.kind)).await,
            Err(RedirectFailed(Some(flow))) => Err(flow),
            Err(RedirectFailed(None)) => {
                self.status = self.redirection_status();
                self.check_failure(proc).await
            }
        };
        self.flush_output(proc).await;
        undo.restore(proc);
        result
    }

    /// The traps of a subshell: those on commands stay where `functrace` and `errtrace` say so.
    pub(crate) fn traps_of_subshell(&self, listed: bool) -> crate::trap::Traps {
        let mut traps = self.traps.to_subshell(listed);
        let shown = std::mem::take(&mut traps.inherited);
        for (condition, option) in [
            (Condition::Debug, "functrace"),
            (Condition::Return, "functrace"),
            (Condition::Err, "errtrace"),
        ] {
            if self.is_bash()
                && self.options.is_set(option)
                && let Some(command) = self.traps.command(condition)
            {
                traps.set(condition, Some(command.to_vec()));
            }
        }
        traps.inherited = shown;
        traps
    }

    /// With traps set: keeps the text of the command for `$BASH_COMMAND`, and runs the `DEBUG` trap.
    pub(crate) async fn before_command(&mut self, proc: &mut Process, command: &Command) -> Run {
        let text = match &command.kind {
            CommandKind::Simple(_)
            | CommandKind::Arithmetic(_)
            | CommandKind::Conditional(_)
            | CommandKind::Subshell(_) => unparse::command(command),
            CommandKind::For(each) | CommandKind::Select(each) => {
                self.for_head(&command.kind, each)
            }
            CommandKind::Case(case) => {
                [b"case ".as_slice(), &unparse::word(&case.word), b" in "].concat()
            }
            _ => return Ok(()),
        };
        // Within a trap it stays what it was.
        if self.traps.running.is_empty() {
            self.command_text = text;
        }
        // A loop's head is told of before each turn.
        let own = !matches!(
            command.kind,
            CommandKind::For(_) | CommandKind::Select(_) | CommandKind::Subshell(_)
        );
        if own && self.traps.may_run(Condition::Debug) {
            self.run_trap(proc, Condition::Debug).await?;
        }
        Ok(())
    }

    /// `for NAME in WORDS`
    pub(crate) fn for_head(&self, kind: &CommandKind, each: &ast::For) -> Vec<u8> {
        let keyword: &[u8] = match kind {
            CommandKind::Select(_) => b"select ",
            _ => b"for ",
        };
        let mut text = [keyword, &each.name, b" in"].concat();
        match &each.words {
            Some(words) => {
                for word in words {
                    text.push(b' ');
                    text.extend(unparse::word(word));
                }
            }
            None => text.extend_from_slice(b" \"$@\""),
        }
        text
    }

    /// Writes what builtins printed, before descriptors change.
    pub(crate) async fn flush_output(&self, proc: &mut Process) {
        let _reported_by_the_builtin = proc.flush().await;
        proc.discard_output();
    }

    /// After a command that failed: the `ERR` trap, and the end under `set -e`.
    pub(crate) async fn check_failure(&mut self, proc: &mut Process) -> Run {
        if self.status == 0 || self.condition > 0 {
            return Ok(());
        }
        if self.traps.command(Condition::Err).is_some() {
            self.run_trap(proc, Condition::Err).await?;
        }
        self.check_errexit()
    }

    /// The end under `set -e` after a command that failed.
    pub(crate) fn check_errexit(&self) -> Run {
        if self.status != 0 && self.condition == 0 && self.options.is_set("errexit") {
            Err(Flow::Exit)
        } else {
            Ok(())
        }
    }

    /// Takes caught signals: traps run, `^C` leaves the command of an interactive shell.
    pub(crate) async fn check_interrupt(&mut self, proc: &mut Process) -> Run {
        if !proc.has_signal() && self.deferred_signals.is_empty() {
            return Ok(());
        }
        let mut deferred = std::mem::take(&mut self.deferred_signals).into_iter();
        while let Some(signal) = deferred.next().or_else(|| proc.take_signal()) {
            if signal == Signal::CHLD {
                self.reap(proc).await;
            }
            match self.traps.command(Condition::Signal(signal)) {
                Some(command) if !command.is_empty() => {
                    self.run_trap(proc, Condition::Signal(signal)).await?;
                }
                _ if signal == Signal::INT && self.interactive => {
                    self.status = 130;
                    proc.print_error(b"\n").await;
                    return Err(Flow::Abandon);
                }
                None if self.is_terminated_by(proc, signal) => {
                    self.die_after_trap(proc, signal).await;
                }
                None if signal == Signal::INT && self.subshell > 0 && self.is_bash() => {
                    self.status = 130;
                    return Err(Flow::Exit);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Within a wait: signals stay pending for [`Shell::check_interrupt`], unless nothing is set for
    /// them, in which case they must not interrupt the wait for ever.
    pub(crate) fn collect_signals(&mut self, proc: &Process) {
        let mut kept = Vec::new();
        while let Some(signal) = proc.take_signal() {
            kept.push(signal);
        }
        self.deferred_signals.extend(kept);
    }

    /// Runs the command of a trap; the status is what it was before.
    pub(crate) async fn run_trap(&mut self, proc: &mut Process, condition: Condition) -> Run {
        // What runs for a signal is not interrupted by another one.
        let signal = |condition: &Condition| matches!(condition, Condition::Signal(_));
        if self.traps.running.contains(&condition)
            || signal(&condition) && self.traps.running.iter().any(signal)
        {
            return Ok(());
        }
        let Some(command) = self.traps.command(condition).map(<[u8]>::to_vec) else {
            return Ok(());
        };
        let status = self.status;
        let statuses = self.keep_pipe_status();
        let kept = self.traps.running.len();
        if condition != Condition::Exit {
            self.traps.running.push(condition);
        }
        self.indirection += 1;
        let line = match condition {
            Condition::Signal(_) | Condition::Exit => 1,
            _ => self.line,
        };
        let result = self.run_text_from(proc, &command, line, Place::Shell).await;
        self.indirection -= 1;
        self.traps.running.truncate(kept);
        if !matches!(result, Err(Flow::Exit)) {
            self.status = status;
        }
        if let Some(statuses) = statuses {
            self.restore_pipe_status(statuses);
        }
        result
    }

    /// Forks with bash's patience: when the machine has no process left it complains and tries
    /// again some seconds later.
    pub(crate) async fn fork(
        &mut self,
        proc: &mut Process,
        body: impl FnOnce(Process) -> ChildFuture + Send + 'static,
    ) -> Result<Pid, Flow> {
        // The child has a copy of the buffer of printed text; it must not be printed twice.
        self.flush_output(proc).await;
        if self.no_memory.swap(false, Ordering::Relaxed) {
            return self.cannot(proc, "fork", Errno::Enomem).await;
        }
        if proc.process_room() {
            match proc.fork(body) {
                Ok(pid) => return Ok(pid),
                Err(errno) => return self.cannot(proc, "fork", errno).await,
            }
        }
        for retry in 0..FORK_RETRIES {
            self.complain(proc, format!("fork: retry: {}", Errno::Eagain.message()))
                .await;
            let _interrupted = proc.sleep(std::time::Duration::from_secs(1 << retry)).await;
            if proc.process_room() {
                match proc.fork(body) {
                    Ok(pid) => return Ok(pid),
                    Err(errno) => return self.cannot(proc, "fork", errno).await,
                }
            }
        }
        self.status = 254;
        self.complain(proc, format!("fork: {}", Errno::Eagain.message()))
            .await;
        Err(if self.interactive {
            Flow::Abandon
        } else {
            Flow::Exit
        })
    }

    /// Complains that a system call failed and gives the command up.
    pub(crate) async fn cannot<T>(
        &mut self,
        proc: &mut Process,
        what: &str,
        errno: Errno,
    ) -> Result<T, Flow> {
        self.status = 1;
        self.complain(proc, format!("{what}: {}", errno.message()))
            .await;
        Err(if self.interactive {
            Flow::Abandon
        } else {
            Flow::Exit
        })
    }

    /// The end of a subshell: its `EXIT` trap, and its status.
    pub(crate) async fn finish(
        &mut self,
        proc: &mut Process,
        run: Run,
    ) -> sundew_kernel::ExitStatus {
        // `return` and `break` outside of anything end a subshell with the status they set.
        let _left = run;
        if self.is_bash() && self.subshell == 0 && proc.has_signal() {
            // What came with the last command ends the shell as it would have before another one.
            let _status_is_set = self.check_interrupt(proc).await;
        }
        if let Some(command) = self.traps.take_exit() {
            let status = self.status;
            self.indirection += u32::from(self.subshell > 0);
            self.leaving = true;
            if self.run_text(proc, &command).await != Err(Flow::Exit) {
                self.status = status;
            }
        }
        self.flush_output(proc).await;
        sundew_kernel::ExitStatus::Exited(self.status)
    }

    /// Guards recursion: functions, `eval`, sourced files.
    pub(crate) async fn enter(&mut self, proc: &mut Process) -> Run {
        if self.dialect == Dialect::Dash && self.depth >= MAX_DASH_CALLS {
            let text = format!("Maximum function recursion depth ({MAX_DASH_CALLS}) reached");
            return self.fatal(proc, 2, text).await;
        }
        if self.depth >= MAX_CALL_DEPTH {
            proc.die_of(Signal::SEGV).await;
        }
        self.depth += 1;
        Ok(())
    }

    /// Runs what may be nested without end: here or, if much is nested already, as a future of its own,
    /// so that recursion does not fill the host's stack.
    pub(crate) async fn run_nested<T, F>(&mut self, proc: &mut Process, body: F) -> T
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Self, &'a mut Process) -> BoxFuture<'a, T> + Send + 'static,
    {
        if self.nested < SEGMENT_COMMANDS {
            return body(self, proc).await;
        }
        let mut memory = proc.memory();
        if memory.grow(SEGMENT_BYTES).is_err() {
            proc.die_of(Signal::SEGV).await;
        }
        let hollow = Self::new(proc, self.dialect, Vec::new());
        let mut shell = std::mem::replace(self, hollow);
        let nested = std::mem::take(&mut shell.nested);
        let run = proc.deeper(move |mut proc| {
            Box::pin(async move {
                let run = body(&mut shell, &mut proc).await;
                (proc, (shell, run))
            })
        });
        let (shell, run) = run.await;
        *self = shell;
        self.nested = nested;
        drop(memory);
        run
    }

    /// The text of a pipeline or list, as `jobs` prints it.
    pub(crate) fn job_text(and_or: &AndOr) -> Vec<u8> {
        unparse::and_or(and_or)
    }
}
