//! Runs text: command strings, scripts, sourced files, traps, `eval`.

use std::borrow::Cow;

use sundew_kernel::{Errno, Fd, Process, STDIN};
use sundew_sh_syntax::{Dialect, Outcome, Parser, Unfinished, Warning};

use crate::shell::{Flow, Run, SEGMENT_COMMANDS, Shell, Source};
use crate::words::Held;

/// What a word of a command line takes as a tree, in bytes.
pub(crate) const NODE_BYTES: usize = 150;

/// Longest text that is run, in bytes; a longer script is cut by `EFBIG`'s words.
pub(crate) const MAX_TEXT_BYTES: usize = 8 << 20;

/// What dash reads of standard input at once, in bytes.
const DASH_BLOCK_BYTES: usize = 8192;

/// What BusyBox reads of standard input at once, in bytes.
const BUSYBOX_BLOCK_BYTES: usize = 1023;

impl Shell {
    /// Runs a whole text, one complete command line after the other, so that what stands before a
    /// syntax error has its effect.
    pub(crate) async fn run_text(&mut self, proc: &mut Process, text: &[u8]) -> Run {
        self.run_text_from(proc, text, 1, super::Place::Shell).await
    }

    /// The same, with the number of its first line; its last command may replace the process.
    pub(crate) async fn run_text_from(
        &mut self,
        proc: &mut Process,
        text: &[u8],
        first_line: u32,
        place: super::Place,
    ) -> Run {
        let outer = self.line;
        let shift = std::mem::take(&mut self.line_shift);
        let run = if self.nested < SEGMENT_COMMANDS {
            self.run_lines(proc, text, first_line, place).await
        } else {
            let text = text.to_vec();
            self.run_nested(proc, move |shell, proc| {
                Box::pin(async move { shell.run_lines(proc, &text, first_line, place).await })
            })
            .await
        };
        self.line_shift = shift;
        if run.is_ok() {
            self.line = outer;
        }
        run
    }

    /// The parser gives a last line its newline: of a long text that would be a copy for each line.
    fn whole_lines<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let whole = text.is_empty() || text.ends_with(b"\n") || text.ends_with(b"\\");
        if whole || !self.is_bash() {
            return Cow::Borrowed(text);
        }
        Cow::Owned([text, b"\n"].concat())
    }

    /// Says what bash warns of while it reads.
    async fn warn(&self, proc: &mut Process, warnings: &[Warning]) {
        for warning in warnings.iter().filter(|_| self.is_bash()) {
            let prefix = self.prefix_at(warning.line());
            let text = [prefix.as_slice(), &warning.message(), b"\n"].concat();
            proc.print_error(&text).await;
        }
    }

    /// `set -v` up to a line that is wrong: bash reads no further than that.
    async fn show_read_to(&self, proc: &mut Process, rest: &[u8], lines: u32) {
        let count = usize::try_from(lines).unwrap_or(0);
        let mut ends = rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let end = ends.nth(count).map_or(rest.len(), |(at, _)| at + 1);
        let end = if self.is_bash() { end } else { rest.len() };
        self.show_read(proc, rest.get(..end).unwrap_or(rest)).await;
    }

    async fn run_lines(
        &mut self,
        proc: &mut Process,
        text: &[u8],
        first_line: u32,
        place: super::Place,
    ) -> Run {
        let mut at = 0;
        let mut line = first_line;
        if self.source == Source::CommandString && self.lines.before == 0 {
            // Of `-c` the first line is 0 for BusyBox.
            self.lines.before = 1;
        }
        let text = self.whole_lines(text);
        loop {
            proc.tick().await;
            let rest = text.get(at..).unwrap_or_default();
            let (outcome, consumed, next_line, nodes) = {
                let mut options = self.syntax_options();
                options.first_line = line;
                if self.options.shopt("expand_aliases") || !self.is_bash() {
                    options.aliases = Some(self);
                }
                let mut parser = Parser::new(rest, &options);
                let outcome = parser.next_command();
                (outcome, parser.consumed(), parser.line(), parser.nodes())
            };
            // What was read is there until it has run.
            let mut held = Held::default();
            if held.pay(proc, nodes.saturating_mul(NODE_BYTES)).is_err() {
                proc.out_of_memory().await;
            }
            match outcome {
                Outcome::Command(command) => {
                    if first_line == 1 || self.in_eval {
                        let read = rest.get(..consumed).unwrap_or_default();
                        self.show_read(proc, read).await;
                    }
                    at += consumed;
                    line = next_line;
                    self.warn(proc, &command.warnings).await;
                    let done = text.get(at..).unwrap_or_default().trim_ascii().is_empty();
                    let place = if done { place } else { super::Place::Shell };
                    if self.options.is_set("noexec") {
                        continue;
                    }
                    self.syntax_failed = false;
                    self.lines.read = next_line;
                    let outermost = first_line == 1 && self.is_outermost_script();
                    let run = self.run_list_in(proc, &command.list, place).await;
                    self.lines.before = self.line;
                    self.go_on_after(run, outermost)?;
                }
                Outcome::End => break,
                Outcome::Incomplete(_) => break,
                Outcome::Error(error) => {
                    if first_line == 1 {
                        let lines = error.line.saturating_sub(line);
                        self.show_read_to(proc, rest, lines).await;
                    }
                    self.syntax_error(proc, &error).await;
                    if error.in_array && self.goes_on_after_syntax_error() && !self.interactive {
                        // No more than the line is given up, as for a failed expansion.
                        at += consumed;
                        line = next_line;
                        self.go_on_after(Err(Flow::Discard), true)?;
                        continue;
                    }
                    self.syntax_failed = true;
                    return Err(if self.interactive {
                        Flow::Abandon
                    } else {
                        Flow::Exit
                    });
                }
            }
        }
        Ok(())
    }

    /// `set -v`: what was read of a script or, in bash, of a `-c` string.
    async fn show_read(&self, proc: &mut Process, read: &[u8]) {
        let shown = match self.source {
            _ if self.in_eval || self.is_sourcing() => self.is_bash(),
            Source::Script => true,
            Source::CommandString => self.is_bash(),
            Source::Stdin | Source::Terminal => false,
        };
        let within = self.indirection > 0 && !self.in_eval && !self.is_sourcing();
        if !shown || !self.options.is_set("verbose") || within {
            return;
        }
        let mut read = read.to_vec();
        if self.is_bash() && !read.ends_with(b"\n") {
            read.push(b'\n');
        }
        proc.print_error(&read).await;
    }

    /// Whether the text of a sourced file is being read.
    fn is_sourcing(&self) -> bool {
        self.frames.last().is_some_and(|frame| !frame.function)
    }

    /// Whether a script runs, and nothing within it.
    fn is_outermost_script(&self) -> bool {
        self.source == Source::Script
            && self.frames.is_empty()
            && self.indirection == 0
            && !self.in_eval
    }

    /// What a text does after one of its command lines: bash goes on after a failed expansion, unless
    /// it is a subshell.
    fn go_on_after(&mut self, run: Run, outermost: bool) -> Run {
        match run {
            Err(Flow::Discard) => {}
            Err(Flow::DiscardAll) if outermost => {}
            other => return other,
        }
        self.status = self.status.max(1);
        if self.subshell > 0 {
            return Err(Flow::Exit);
        }
        Ok(())
    }

    /// Reads one line byte by byte, so that what follows stays for others; `None` at the end.
    pub(crate) async fn read_plain_line(
        &mut self,
        proc: &mut Process,
        fd: Fd,
    ) -> Result<Option<Vec<u8>>, Flow> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match proc.read(fd, &mut byte).await {
                Ok(0) => return Ok((!line.is_empty()).then_some(line)),
                Ok(_) if byte == *b"\n" => return Ok(Some(line)),
                // The shells read past it.
                Ok(_) if byte == [0] => {}
                Ok(_) => line.extend(byte),
                Err(Errno::Eintr) => self.check_interrupt(proc).await?,
                Err(_) => return Ok(None),
            }
            if line.len() > MAX_TEXT_BYTES {
                return Ok(None);
            }
        }
    }

    /// A line of the shell's own standard input. dash and BusyBox read ahead, so that a program they
    /// start finds nothing of what was sent with its command; bash reads a line.
    async fn next_line(&mut self, proc: &mut Process, ahead: &mut Vec<u8>) -> Option<Vec<u8>> {
        let block = match self.dialect {
            Dialect::Bash => return self.read_plain_line(proc, STDIN).await.ok().flatten(),
            Dialect::Dash => DASH_BLOCK_BYTES,
            Dialect::Ash => BUSYBOX_BLOCK_BYTES,
        };
        let mut chunk = vec![0; block];
        let mut searched = 0;
        loop {
            let rest = ahead.get(searched..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let mut line: Vec<u8> = ahead.drain(..=searched + end).collect();
                line.pop();
                return Some(line);
            }
            searched = ahead.len();
            match proc.read(STDIN, &mut chunk).await {
                Ok(0) if ahead.is_empty() => return None,
                Ok(0) => return Some(std::mem::take(ahead)),
                Ok(count) => ahead.extend(chunk.iter().take(count).filter(|byte| **byte != 0)),
                Err(Errno::Eintr) if self.check_interrupt(proc).await.is_ok() => {}
                Err(_) => return None,
            }
            if ahead.len() > MAX_TEXT_BYTES {
                return None;
            }
        }
    }

    /// Reads commands from standard input that is no terminal, and runs them as they come.
    pub(crate) async fn run_stdin(&mut self, proc: &mut Process) -> Run {
        let mut pending: Vec<u8> = Vec::new();
        let mut ahead: Vec<u8> = Vec::new();
        let mut line = 1;
        let mut unfinished: Option<Unfinished> = None;
        loop {
            let next = self.next_line(proc, &mut ahead).await;
            let ended = next.is_none();
            if let Some(next) = next {
                pending.extend_from_slice(&next);
                pending.push(b'\n');
                if self.options.is_set("verbose") {
                    let shown = [next.as_slice(), b"\n"].concat();
                    proc.print_error(&shown).await;
                }
                if unfinished
                    .take_if(|open| open.may_close_with(&next))
                    .is_none()
                    && unfinished.is_some()
                {
                    // Parsed again only when it can be complete.
                    continue;
                }
            }
            let (outcome, next_line) = {
                let mut options = self.syntax_options();
                options.first_line = line;
                options.last = ended;
                if self.options.shopt("expand_aliases") || !self.is_bash() {
                    options.aliases = Some(self);
                }
                let mut parser = Parser::new(&pending, &options);
                (parser.next_command(), parser.line())
            };
            match outcome {
                Outcome::Command(command) => {
                    let text = std::mem::take(&mut pending);
                    self.observe_input(proc, text.strip_suffix(b"\n").unwrap_or(&text));
                    line = next_line;
                    self.warn(proc, &command.warnings).await;
                    if self.options.is_set("noexec") && !self.interactive {
                        continue;
                    }
                    self.lines.read = next_line;
                    let run = self.run_list(proc, &command.list).await;
                    self.lines.before = self.line;
                    self.go_on_after(run, true)?;
                }
                Outcome::End => {
                    pending.clear();
                    line = next_line;
                }
                Outcome::Incomplete(open) => unfinished = Some(open),
                Outcome::Error(error) => {
                    self.observe_input(proc, &pending);
                    self.syntax_error(proc, &error).await;
                    if error.in_array && self.goes_on_after_syntax_error() && !ended {
                        pending.clear();
                        line = next_line;
                        continue;
                    }
                    return Err(Flow::Exit);
                }
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Tells the observer what was handed to the shell.
    pub(crate) fn observe_input(&self, proc: &Process, text: &[u8]) {
        if !text.trim_ascii().is_empty() {
            let observation = sundew_kernel::observe::Observation::ShellInput {
                pid: proc.pid(),
                text: text.to_vec(),
            };
            proc.observe(observation);
        }
    }
}
