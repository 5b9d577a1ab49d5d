//! The dialogue with a person: prompt, line, command, and again.

use sundew_kernel::{Process, STDIN};
use sundew_sh_syntax::{Dialect, ErrorKind, Outcome, Parser};

use crate::prompt::PromptKind;
use crate::readline::Input;
use crate::shell::{Flow, Run, Shell};

/// What BusyBox's shell says to a person.
const ASH_BANNER: &[u8] =
    b"\n\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell (ash)\n\
    Enter 'help' for a list of built-in commands.\n\n";

impl Shell {
    /// Reads commands from a person until the end of the input.
    pub(crate) async fn converse(&mut self, proc: &mut Process) -> Run {
        if self.dialect == Dialect::Ash {
            proc.print_error(ASH_BANNER).await;
        }
        self.load_history(proc).await;
        let mut ends = 0;
        loop {
            match self.converse_once(proc).await {
                Ok(true) => ends = 0,
                Ok(false) if ends < self.ignored_ends() => {
                    ends += 1;
                    let word = if self.login { "logout" } else { "exit" };
                    let text = format!("Use \"{word}\" to leave the shell.\n");
                    proc.print_error(text.as_bytes()).await;
                }
                Ok(false) => {
                    let word: &[u8] = match (self.is_bash(), self.login) {
                        (true, true) => b"logout\n",
                        (true, false) => b"exit\n",
                        (false, _) => b"\n",
                    };
                    proc.print_error(word).await;
                    self.typed_lines += 1;
                    if self.warned_of_jobs(proc).await {
                        continue;
                    }
                    return Ok(());
                }
                Err(Flow::Exit) => return Err(Flow::Exit),
                Err(_) => {
                    self.pasted_lines.clear();
                    self.loops = 0;
                    self.lists = 0;
                    self.indirection = 0;
                    self.in_eval = false;
                    self.traps.running.clear();
                    self.variables.leave_functions();
                    self.depth = 0;
                    self.condition = 0;
                    self.frames.clear();
                }
            }
        }
    }

    /// One command from a person; `false` at the end of the input.
    pub(crate) async fn converse_once(&mut self, proc: &mut Process) -> Result<bool, Flow> {
        self.tell_before_prompt(proc).await;
        self.learn_window_size(proc);
        // Lines pasted behind the one before run without a prompt.
        let mut text: Vec<u8> = std::mem::take(&mut self.pasted);
        let mut pasted = !text.is_empty();
        if !pasted {
            self.run_prompt_commands(proc).await?;
        }
        let mut kind = PromptKind::Ps1;
        let mut remembered = false;
        loop {
            if !std::mem::take(&mut pasted) {
                let prompt = self.prompt(proc, kind).await;
                self.open_quote = crate::readline::history::open_quote(&text);
                let line = match self.typed_line(proc, &prompt).await {
                    Input::Line(line) => line,
                    Input::Interrupted => {
                        self.status = 130;
                        return Ok(true);
                    }
                    Input::TimedOut => {
                        let text = b"\x07timed out waiting for input: auto-logout\n";
                        proc.print_error(text).await;
                        return Err(Flow::Exit);
                    }
                    Input::End if text.is_empty() => return Ok(false),
                    Input::End => return self.run_unfinished(proc, &text).await,
                };
                let first = text.is_empty();
                text.extend_from_slice(&line);
                text.push(b'\n');
                if self.options.is_set("verbose") {
                    let shown = [line.as_slice(), b"\n"].concat();
                    proc.print_error(&shown).await;
                }
                self.typed_lines += 1;
                if first {
                    remembered = self.remember(&line);
                } else {
                    self.remember_more(&text, &line, remembered);
                }
            }
            let first_line = first_line(self.typed_lines, &text);
            let (outcome, consumed) = {
                let mut options = self.syntax_options();
                options.first_line = first_line;
                options.last = false;
                options.aliases = Some(self);
                let mut parser = Parser::new(&text, &options);
                (parser.next_command(), parser.consumed())
            };
            match outcome {
                Outcome::Incomplete(_) => {
                    kind = PromptKind::Ps2;
                    continue;
                }
                Outcome::End => return Ok(true),
                Outcome::Error(error) => {
                    self.observe_input(proc, text.strip_suffix(b"\n").unwrap_or(&text));
                    self.syntax_error(proc, &error).await;
                    if self.dialect == Dialect::Dash {
                        // The rest of the line is not read, and its newline not counted.
                        self.typed_lines = self.typed_lines.saturating_sub(1);
                    }
                    return Ok(true);
                }
                Outcome::Command(command) => {
                    self.pasted = text.split_off(consumed.min(text.len()));
                    self.observe_input(proc, text.strip_suffix(b"\n").unwrap_or(&text));
                    self.show_ps0(proc).await;
                    self.commands_typed = self.commands_typed.wrapping_add(1);
                    self.run_list(proc, &command.list).await?;
                    self.check_interrupt(proc).await?;
                    return Ok(true);
                }
            }
        }
    }

    /// What is to be told of jobs before a prompt.
    async fn tell_before_prompt(&mut self, proc: &mut Process) {
        if !std::mem::take(&mut self.has_killed) {
            self.tell_of_jobs(proc).await;
        }
        let killed = std::mem::take(&mut self.killed_jobs);
        if !killed.is_empty() {
            proc.print_error(&killed).await;
        }
    }

    /// The next line: lines that are pasted together come one after the other.
    async fn typed_line(&mut self, proc: &mut Process, prompt: &[u8]) -> Input {
        if let Some(line) = self.pasted_lines.pop_front() {
            return Input::Line(line);
        }
        match self.read_line(proc, prompt).await {
            Input::Line(line) if self.is_bash() && line.contains(&b'\n') => {
                let mut lines = line.split(|&byte| byte == b'\n').map(<[u8]>::to_vec);
                let first = lines.next().unwrap_or_default();
                self.pasted_lines.extend(lines);
                Input::Line(first)
            }
            input => input,
        }
    }

    /// How many `^D` in a row bash does not take for the end: `$IGNOREEOF`, 10 if that is no number.
    fn ignored_ends(&self) -> u32 {
        const DEFAULT: u32 = 10;
        match self.variables.scalar(b"IGNOREEOF") {
            Some(value) if self.is_bash() => std::str::from_utf8(value)
                .ok()
                .and_then(|value| value.trim().parse().ok())
                .unwrap_or(DEFAULT),
            None if self.is_bash() && self.options.is_set("ignoreeof") => DEFAULT,
            _ => 0,
        }
    }

    /// `$PROMPT_COMMAND`, before a prompt.
    async fn run_prompt_commands(&mut self, proc: &mut Process) -> Result<(), Flow> {
        let commands = if self.is_bash() {
            self.elements(b"PROMPT_COMMAND")
        } else {
            Vec::new()
        };
        for command in commands {
            let status = self.status;
            self.run_text(proc, &command).await?;
            self.status = status;
        }
        Ok(())
    }

    /// `$COLUMNS` and `$LINES` follow the terminal, under `checkwinsize` and for readline.
    pub(crate) fn learn_window_size(&mut self, proc: &Process) {
        if !self.is_bash() {
            return;
        }
        let Ok(size) = proc.window_size(STDIN) else {
            return;
        };
        for (name, value) in [(b"COLUMNS".as_slice(), size.columns), (b"LINES", size.rows)] {
            let value = value.to_string().into_bytes();
            if value != b"0" && self.variables.scalar(name) != Some(value.as_slice()) {
                self.variables.set_own(name, value);
            }
        }
    }

    /// `$PS0`, shown between reading a command and running it.
    pub(crate) async fn show_ps0(&mut self, proc: &mut Process) {
        let text = self.variables.scalar(b"PS0").unwrap_or_default().to_vec();
        if text.is_empty() || !self.is_bash() {
            return;
        }
        let mut shown = self.prompt_text(proc, text).await;
        shown.retain(|byte| !matches!(byte, 1 | 2));
        proc.print_error(&shown).await;
    }

    /// The end of the input within a command: a here-document ends there, all else is an error.
    pub(crate) async fn run_unfinished(
        &mut self,
        proc: &mut Process,
        text: &[u8],
    ) -> Result<bool, Flow> {
        let outcome = {
            let mut options = self.syntax_options();
            options.first_line = first_line(self.typed_lines, text);
            Parser::new(text, &options).next_command()
        };
        match outcome {
            Outcome::Error(error) => {
                self.syntax_error(proc, &error).await;
                if !self.is_bash() {
                    return Ok(true);
                }
                // Bash leaves then: the end of the input was met. Its parser passes over what is left
                // of the line first, which is another one.
                if matches!(error.kind, ErrorKind::Unclosed { closer, .. } if closer != b')') {
                    let prompt = self.prompt(proc, PromptKind::Ps2).await;
                    if matches!(self.read_line(proc, &prompt).await, Input::Line(_)) {
                        return Err(Flow::Exit);
                    }
                }
                return Ok(false);
            }
            Outcome::Command(command) => {
                for warning in &command.warnings {
                    let line = [
                        self.prefix_at(warning.line()).as_slice(),
                        &warning.message(),
                        b"\n",
                    ]
                    .concat();
                    proc.print_error(&line).await;
                }
                self.run_list(proc, &command.list).await?;
            }
            Outcome::End | Outcome::Incomplete(_) => {}
        }
        Ok(true)
    }

    /// Adds the first line of a command to the history; whether it was kept.
    pub(crate) fn remember(&mut self, text: &[u8]) -> bool {
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        if line.trim_ascii().is_empty() {
            return false;
        }
        self.remember_line(line)
    }

    /// Adds another line of the command whose lines so far are `text`; its first was `remembered` or
    /// not.
    fn remember_more(&mut self, text: &[u8], line: &[u8], remembered: bool) {
        if !self.is_bash() || !self.options.shopt("cmdhist") {
            if !line.is_empty() {
                self.remember_line(line);
            }
            return;
        }
        if !remembered {
            return;
        }
        let lines = text.strip_suffix(b"\n").unwrap_or(text);
        let joined = if self.options.shopt("lithist") {
            lines.to_vec()
        } else {
            crate::readline::history::join(lines)
        };
        self.history.replace_last(&joined);
    }
}

/// The number of the first line of `text`, whose last line is the `typed`th.
fn first_line(typed: u32, text: &[u8]) -> u32 {
    let lines = text.iter().filter(|&&byte| byte == b'\n').count();
    let lines = u32::try_from(lines).unwrap_or(u32::MAX);
    typed.saturating_add(1).saturating_sub(lines).max(1)
}
