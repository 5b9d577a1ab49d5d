//! Command and process substitution.

use std::sync::Arc;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::WaitFor;
use sundew_kernel::status::ChildEvent;
use sundew_kernel::{Errno, Fd, Process, STDIN, STDOUT};
use sundew_sh_syntax::ast::{CommandKind, List, RedirectKind};
use sundew_sh_syntax::{Dialect, Outcome, Parser, unparse};

use super::MAX_FIELD_BYTES;
use crate::interp::pipeline::is_list_of_jobs;
use crate::interp::text::NODE_BYTES;
use crate::shell::{Flow, Shell};
use crate::words::Held;

impl Shell {
    /// The output of a list run in a subshell, without its last newlines.
    pub(super) async fn substitute(
        &mut self,
        proc: &mut Process,
        list: &Arc<List>,
    ) -> Result<Vec<u8>, Flow> {
        if let Some(word) = only_input(list) {
            return self.substitute_file(proc, &word).await;
        }
        if let Some((again, _held)) = self.as_bash_keeps_it(proc, list).await {
            return self.substitute_list(proc, again, 0).await;
        }
        let first = first_line(list).saturating_add_signed(self.line_shift);
        let moved = i32::try_from(i64::from(self.line) - i64::from(first)).unwrap_or(0);
        // bash counts the lines of a substitution from the command it stands in.
        let shift = if self.is_bash() {
            self.line_shift.saturating_add(moved)
        } else {
            self.line_shift
        };
        self.substitute_list(proc, Arc::clone(list), shift).await
    }

    /// bash keeps a substitution as its own printer shows it and parses that when it runs: its lines are
    /// those of that text. `None` where that makes no difference.
    async fn as_bash_keeps_it(&self, proc: &mut Process, list: &List) -> Option<(Arc<List>, Held)> {
        if !self.is_bash() || is_one_line(list) {
            return None;
        }
        let text = unparse::substituted(list);
        let (list, nodes) = {
            let mut options = self.syntax_options();
            options.first_line = self.line.max(1);
            let mut parser = Parser::new(&text, &options);
            let (mut items, mut nodes) = (Vec::new(), 0);
            loop {
                match parser.next_command() {
                    Outcome::Command(line) => items.extend(line.list.items.iter().cloned()),
                    Outcome::End => break,
                    Outcome::Incomplete(_) | Outcome::Error(_) => return None,
                }
                nodes += parser.nodes();
            }
            (List { items }, nodes)
        };
        let mut held = Held::default();
        if held.pay(proc, nodes.saturating_mul(NODE_BYTES)).is_err() {
            proc.out_of_memory().await;
        }
        Some((Arc::new(list), held))
    }

    async fn substitute_list(
        &mut self,
        proc: &mut Process,
        list: Arc<List>,
        shift: i32,
    ) -> Result<Vec<u8>, Flow> {
        let shown = self.dialect == Dialect::Ash && is_list_of_jobs(&list);
        let jobs = shown.then(|| self.jobs.clone());
        self.capture(proc, move |shell, child| {
            Box::pin(async move {
                if let Some(jobs) = jobs {
                    shell.jobs = jobs;
                }
                shell.line_shift = shift;
                shell.run_list(child, &list).await
            })
        })
        .await
    }

    /// The same for the text between backquotes, which is parsed when it runs.
    pub(super) async fn substitute_text(
        &mut self,
        proc: &mut Process,
        text: &[u8],
    ) -> Result<Vec<u8>, Flow> {
        let first = match self.dialect {
            Dialect::Bash => self.line.max(1),
            Dialect::Dash => 1,
            // BusyBox counts from the command that ran before what it reads now.
            Dialect::Ash => self.lines.before,
        };
        let parsed = {
            let mut options = self.syntax_options();
            options.first_line = first;
            let mut parser = Parser::new(text, &options);
            match parser.next_command() {
                Outcome::Command(line) if parser.consumed() >= text.len() => Some(line.list),
                _ => None,
            }
        };
        if let Some(list) = parsed {
            if let Some(word) = only_input(&list) {
                return self.substitute_file(proc, &word).await;
            }
            return self.substitute_list(proc, list, 0).await;
        }
        let text = text.to_vec();
        self.capture(proc, move |shell, child| {
            Box::pin(async move {
                let place = crate::interp::Place::Shell;
                shell.in_substitution = true;
                shell.in_eval = false;
                shell.run_text_from(child, &text, first, place).await
            })
        })
        .await
    }

    /// `$(< file)`.
    async fn substitute_file(
        &mut self,
        proc: &mut Process,
        word: &sundew_sh_syntax::ast::Word,
    ) -> Result<Vec<u8>, Flow> {
        if self.options.is_set("verbose") && self.is_bash() {
            let shown = [b"< ".as_slice(), &unparse::word(word), b"\n"].concat();
            proc.print_error(&shown).await;
        }
        let path = self.expand_string(proc, word).await?;
        match proc.open(&path, OpenFlags::READ, 0).await {
            Ok(fd) => {
                let (output, _nulls) = collect(proc, fd).await;
                let _open = proc.close(fd);
                self.substitution_status = Some(0);
                Ok(output)
            }
            Err(errno) => {
                let text = [path.as_slice(), b": ", errno.message().as_bytes()].concat();
                self.complain(proc, text).await;
                self.substitution_status = Some(1);
                self.status = 1;
                Ok(Vec::new())
            }
        }
    }

    async fn capture<F>(&mut self, proc: &mut Process, body: F) -> Result<Vec<u8>, Flow>
    where
        F: for<'a> FnOnce(
                &'a mut Self,
                &'a mut Process,
            ) -> futures_util::future::BoxFuture<'a, crate::shell::Run>
            + Send
            + 'static,
    {
        let (read, write) = match proc.pipe() {
            Ok(ends) => ends,
            Err(errno) => {
                return self
                    .cannot(proc, "cannot make pipe for command substitution", errno)
                    .await;
            }
        };
        let mut shell = self.to_subshell(proc);
        shell.indirection += 1;
        if self.dialect == Dialect::Ash {
            // BusyBox lists the traps of the shell to `$(trap)`, but not to `(trap)`.
            shell.traps = self.traps.to_subshell(true);
        }
        let child = self
            .fork(proc, move |mut child| {
                Box::pin(async move {
                    shell.reset_signals(&child);
                    let _open = child.close(read);
                    let _open = child.duplicate_to(write, STDOUT);
                    let _open = child.close(write);
                    if !shell.options.shopt("inherit_errexit")
                        && !shell.options.is_set("posix")
                        && shell.dialect != Dialect::Dash
                    {
                        shell.options.set("errexit", false);
                    }
                    let run = body(&mut shell, &mut child).await;
                    shell.finish(&mut child, run).await
                })
            })
            .await;
        let _open = proc.close(write);
        let pid = match child {
            Ok(pid) => pid,
            Err(flow) => {
                let _open = proc.close(read);
                return Err(flow);
            }
        };
        let (output, nulls) = collect(proc, read).await;
        if nulls && self.is_bash() {
            self.complain(
                proc,
                "warning: command substitution: ignored null byte in input",
            )
            .await;
        }
        let _open = proc.close(read);
        let status = self.wait_for(proc, pid).await;
        self.substitution_status = Some(status);
        self.status = status;
        self.check_interrupt(proc).await?;
        Ok(output)
    }

    /// Waits for one child that is no job.
    pub(crate) async fn wait_for(&mut self, proc: &mut Process, pid: sundew_kernel::Pid) -> u8 {
        loop {
            match proc.wait(WaitFor::Pid(pid), false, true).await {
                Ok(Some((_, ChildEvent::Ended(status)))) => return status.code(),
                Ok(_) => {}
                Err(Errno::Eintr) => self.collect_signals(proc),
                Err(_) => return 127,
            }
        }
    }

    /// `<(list)`: the path of a descriptor that the list writes to, or reads from.
    pub(super) async fn process_substitution(
        &mut self,
        proc: &mut Process,
        list: &Arc<List>,
        output: bool,
    ) -> Result<Vec<u8>, Flow> {
        let (read, write) = match proc.pipe() {
            Ok(ends) => ends,
            Err(errno) => {
                return self
                    .cannot(proc, "cannot make pipe for process substitution", errno)
                    .await;
            }
        };
        let (ours, theirs, standard) = if output {
            (write, read, STDIN)
        } else {
            (read, write, STDOUT)
        };
        let again = self.as_bash_keeps_it(proc, list).await;
        let mut shell = self.to_subshell(proc);
        if again.is_some() {
            shell.line_shift = 0;
        }
        let (list, held) = again.unwrap_or_else(|| (Arc::clone(list), Held::default()));
        let pid = self
            .fork(proc, move |mut child| {
                Box::pin(async move {
                    shell.reset_signals(&child);
                    let _open = child.close(ours);
                    let _open = child.duplicate_to(theirs, standard);
                    let _open = child.close(theirs);
                    let run = shell.run_list(&mut child, &list).await;
                    drop(held);
                    shell.finish(&mut child, run).await
                })
            })
            .await;
        let _open = proc.close(theirs);
        self.background = Some(pid?);
        // A high number, out of the way of redirections; bash counts down from 63.
        let fd = high_descriptor(proc, ours);
        self.process_descriptors(fd);
        Ok(format!("/dev/fd/{fd}").into_bytes())
    }
}

fn high_descriptor(proc: &Process, fd: Fd) -> Fd {
    for high in (10..=63).rev() {
        if !proc.is_open(high) && proc.duplicate_to(fd, high).is_ok() {
            let _open = proc.close(fd);
            return high;
        }
    }
    fd
}

/// Everything up to the end, without NUL bytes and the last newlines.
/// What can be read from a descriptor, without NUL bytes and last newlines; whether there were any of
/// the former.
async fn collect(proc: &mut Process, fd: Fd) -> (Vec<u8>, bool) {
    let mut nulls = false;
    let mut output = Vec::new();
    let mut memory = proc.memory();
    let mut chunk = vec![0; 32 * 1024];
    loop {
        match proc.read(fd, &mut chunk).await {
            Ok(0) => break,
            Ok(count) => {
                if memory.grow(count).is_err() || output.len() > MAX_FIELD_BYTES {
                    proc.out_of_memory().await;
                }
                let before = output.len();
                output.extend(chunk.iter().take(count).copied().filter(|byte| *byte != 0));
                nulls |= output.len() - before < count;
            }
            Err(Errno::Eintr) if !proc.has_signal() => {}
            Err(_) => break,
        }
    }
    while output.last() == Some(&b'\n') {
        output.pop();
    }
    (output, nulls)
}

/// The file of `$(< file)`.
fn only_input(list: &List) -> Option<sundew_sh_syntax::ast::Word> {
    let [item] = list.items.as_slice() else {
        return None;
    };
    let pipeline = &item.and_or.first;
    let [command] = pipeline.commands.as_slice() else {
        return None;
    };
    let (CommandKind::Simple(simple), [redirect]) = (&command.kind, command.redirects.as_slice())
    else {
        return None;
    };
    let bare = simple.words.is_empty()
        && simple.assignments.is_empty()
        && !pipeline.negated
        && !item.background;
    match &redirect.kind {
        RedirectKind::Input(word) if bare && item.and_or.rest.is_empty() => Some(word.clone()),
        _ => None,
    }
}

/// Whether bash's printer puts a list onto one line, where it was written too.
fn is_one_line(list: &List) -> bool {
    let line = first_line(list);
    list.items.iter().all(|item| {
        let and_or = &item.and_or;
        let pipelines =
            std::iter::once(&and_or.first).chain(and_or.rest.iter().map(|(_, rest)| rest));
        pipelines
            .flat_map(|pipeline| &pipeline.commands)
            .all(|command| {
                command.line == line
                    && matches!(command.kind, CommandKind::Simple(_))
                    && command
                        .redirects
                        .iter()
                        .all(|redirect| !matches!(redirect.kind, RedirectKind::HereDocument(_)))
            })
    })
}

/// The line of the first command of a list.
fn first_line(list: &List) -> u32 {
    let first = list.items.first().map(|item| &item.and_or.first);
    first
        .and_then(|pipeline| pipeline.commands.first())
        .map_or(0, |command| command.line)
}
