//! Reading a line from a person: keys, the editing buffer, history, completion.
//!
//! The editing itself ([`editor`]) takes bytes and returns bytes. Here it meets the terminal: its
//! modes, its size, its signals. After GNU readline 8.2 as bash 5.2 uses it; dash has no line
//! editing, and BusyBox's is simpler.

mod bound;
pub mod buffer;
pub mod busybox;
mod complete;
pub mod display;
pub mod editor;
pub mod history;
pub mod key;
pub mod keymap;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod width;

use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use sundew_kernel::signal::Disposition;
use sundew_kernel::tty::Termios;
use sundew_kernel::tty::termios::{ECHO, ICANON, ICRNL, INLCR, VINTR, VLNEXT, VMIN, VTIME};
use sundew_kernel::{Errno, Fd, Process, STDIN, Signal};

use crate::shell::Shell;
use busybox::Simple;
use editor::{Completion, Editor, Outcome, Setup, Want};
pub use history::History;
use keymap::Which;
use terminal::Terminal;

/// What a person answered to a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A line, without its newline.
    Line(Vec<u8>),
    /// `^D` on an empty line, or a hang-up. Who says `exit` or `logout` is the caller.
    End,
    /// `^C`: it was shown, and the cursor is on a new line.
    Interrupted,
    /// Nothing was typed for `$TMOUT` seconds.
    TimedOut,
}

/// Switches brackets around pasted text on.
const BRACKETS_ON: &[u8] = b"\x1b[?2004h";
/// Longest `$TMOUT` that is waited for: a year.
const MAX_TIMEOUT_SECONDS: u64 = 365 * 86_400;
/// Switches them off; readline adds the carriage return.
const BRACKETS_OFF: &[u8] = b"\x1b[?2004l\r";

impl Shell {
    /// Shows `prompt` and reads a line from standard input, byte by byte: what was typed ahead is
    /// left for whatever the line runs.
    ///
    /// Takes the signals that arrive meanwhile; those that have a trap are left for it.
    pub async fn read_line(&mut self, proc: &mut Process, prompt: &[u8]) -> Input {
        let Ok(termios) = proc.termios(STDIN) else {
            return self.read_plainly(proc, prompt).await;
        };
        // BusyBox edits nothing where the terminal does not show what is typed.
        let shown = self.is_bash() || termios.local_has(ECHO);
        let input = if shown && self.edits_lines(proc) {
            self.edit_line(proc, prompt, termios).await
        } else {
            self.read_plainly(proc, prompt).await
        };
        self.history.set_clock(proc.now().secs);
        match input {
            Input::Line(line)
                if self.is_bash() && self.interactive && self.options.is_set("histexpand") =>
            {
                Input::Line(self.expand_history(proc, line).await)
            }
            input => input,
        }
    }

    /// Expands `!`; a line that changed is shown, or edited under `histverify`. One that cannot be
    /// expanded, or was only to be shown, is empty then.
    async fn expand_history(&mut self, proc: &mut Process, line: Vec<u8>) -> Vec<u8> {
        // `!(` is a pattern then.
        let pattern = self.options.shopt("extglob") && line.windows(2).any(|two| two == b"!(");
        match self.history.expand(&line, self.open_quote) {
            _ if pattern => line,
            Ok(None) => line,
            Ok(Some(expanded)) if self.options.shopt("histverify") => {
                self.line_to_edit = Some(expanded.line);
                Vec::new()
            }
            Ok(Some(expanded)) => {
                proc.print_error(&[expanded.line.as_slice(), b"\n"].concat())
                    .await;
                if expanded.print_only {
                    self.remember_line(&expanded.line);
                    return Vec::new();
                }
                expanded.line
            }
            Err(error) => {
                self.complain(proc, error.0).await;
                if self.options.shopt("histreedit") {
                    self.line_to_edit = Some(line);
                }
                Vec::new()
            }
        }
    }

    /// Without line editing: the terminal's own.
    async fn read_plainly(&mut self, proc: &mut Process, prompt: &[u8]) -> Input {
        let visible: Vec<u8> = prompt
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, 1 | 2))
            .collect();
        proc.print_error(&visible).await;
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            match proc.read(STDIN, &mut byte).await {
                Ok(0) if line.is_empty() => return Input::End,
                Ok(0) => return Input::Line(line),
                Ok(_) if byte == *b"\n" => return Input::Line(line),
                Ok(_) if line.len() < buffer::MAX_LINE_BYTES => line.extend_from_slice(&byte),
                Ok(_) => {}
                Err(Errno::Eintr) => {
                    if self.interrupted(proc) {
                        proc.print_error(b"\n").await;
                        return Input::Interrupted;
                    }
                }
                Err(_) => return Input::End,
            }
        }
    }

    /// [`Shell::read_line`] for `read -e`, boxed: a builtin is part of what completion lists.
    pub(crate) fn edit_line_for<'a>(
        &'a mut self,
        proc: &'a mut Process,
        prompt: &'a [u8],
    ) -> BoxFuture<'a, Input> {
        Box::pin(self.read_line(proc, prompt))
    }

    async fn edit_line(&mut self, proc: &mut Process, prompt: &[u8], termios: Termios) -> Input {
        let size = proc.window_size(STDIN).unwrap_or_default();
        let term = self.variables.scalar(b"TERM").unwrap_or(b"dumb").to_vec();
        if self.is_bash() {
            self.read_init_files(proc).await;
        }
        let settings = Arc::clone(&self.keys);
        let mut session = Session {
            terminal: Terminal::of(&term),
            brackets: self.is_bash()
                && Terminal::of(&term).brackets
                && settings.is_on("enable-bracketed-paste"),
            echo: termios.local_has(ECHO),
            bash: self.is_bash(),
            before: termios,
            fd: STDIN,
            may_time_out: self.interactive,
        };
        let mut caught = vec![Signal::WINCH];
        // What is ignored is no business of the editor's.
        let ignored = proc.disposition(Signal::INT) == Disposition::Ignore;
        caught.extend((!ignored).then_some(Signal::INT));
        // `set -b`: jobs are told of while somebody types.
        let news = self.is_bash() && self.interactive && self.options.is_set("notify");
        caught.extend(news.then_some(Signal::CHLD));
        let dispositions: Vec<(Signal, Disposition)> = caught
            .into_iter()
            .map(|signal| (signal, proc.set_disposition(signal, Disposition::Catch)))
            .collect();
        session.begin(proc).await;
        let setup = Setup {
            terminal: session.terminal,
            columns: size.columns,
            rows: size.rows,
            utf8: self.is_utf8(),
            prompt,
            settings: &settings,
            keymap: if self.options.is_set("vi") {
                Which::ViInsert
            } else {
                Which::Emacs
            },
        };
        let begin = self.line_to_edit.take();
        let mut editor = if self.is_bash() {
            let editor = Editor::new(setup, begin.as_deref(), &mut self.history);
            LineEditor::Readline(Box::new(editor))
        } else {
            let more = input_waits(proc, session.fd);
            LineEditor::BusyBox(Simple::new(
                prompt,
                size.columns,
                setup.utf8,
                more,
                &self.history,
            ))
        };
        let input = self.edit(proc, &mut editor, &mut session).await;
        if let LineEditor::Readline(editor) = editor {
            editor.close(&mut self.history);
        }
        session.end(proc, &input).await;
        self.jobs.terminal = Some(session.before.clone());
        if input == Input::Interrupted {
            // The trap comes before the new line; in the others it stands in its place.
            let trapped = self.has_command_for(Signal::INT);
            if self.is_bash() || trapped {
                self.run_signal_traps(proc).await;
            }
            if self.is_bash() || !trapped {
                proc.print_error(b"\n").await;
            }
        }
        for (signal, disposition) in dispositions {
            proc.set_disposition(signal, disposition);
        }
        input
    }

    /// Feeds keys to the editor until the line ends.
    async fn edit(
        &mut self,
        proc: &mut Process,
        editor: &mut LineEditor,
        session: &mut Session,
    ) -> Input {
        session.send(proc, editor.take_output()).await;
        loop {
            let mut byte = [0];
            let typed = editor.typed_by_macro();
            let late = match editor.key_time().filter(|_| typed.is_none()) {
                Some(time) => {
                    let arrived = pin!(proc.readable(session.fd));
                    matches!(
                        select(arrived, pin!(proc.sleep(time))).await,
                        Either::Right((Ok(()), _))
                    )
                }
                None => false,
            };
            let read = match typed {
                Some(typed) => {
                    byte = [typed];
                    Ok(1)
                }
                None if late => Ok(1),
                None => match self.type_or_leave(proc, session, &mut byte).await {
                    Some(read) => read,
                    None => return Input::TimedOut,
                },
            };
            match read {
                Ok(0) => return Input::End,
                Ok(_) => {}
                Err(Errno::Eintr) => {
                    if self.interrupted(proc) {
                        editor.interrupt(session.before.keys[VINTR]);
                        session.show(proc, editor.take_output()).await;
                        return Input::Interrupted;
                    }
                    if self.is_bash() && self.options.is_set("notify") {
                        self.tell_of_jobs(proc).await;
                    }
                    self.learn_window_size(proc);
                    if let Ok(size) = proc.window_size(session.fd) {
                        editor.resize(size.columns, size.rows);
                        session.show(proc, editor.take_output()).await;
                    }
                    if self.is_bash() && self.deferred_signals.contains(&Signal::WINCH) {
                        self.run_signal_traps(proc).await;
                    }
                    continue;
                }
                Err(_) => return Input::End,
            }
            proc.tick().await;
            let [byte] = byte;
            let more = typed.is_none() && input_waits(proc, session.fd);
            if typed.is_none() && !late {
                editor.record(byte);
            }
            let outcome = if late {
                editor.key_timeout(&mut self.history)
            } else {
                editor.feed(byte, more, &mut self.history)
            };
            match outcome {
                Outcome::Continue => {}
                Outcome::Accept(line) => {
                    session.show(proc, editor.take_output()).await;
                    return Input::Line(line);
                }
                Outcome::End => return Input::End,
                Outcome::Complete(want, among) => {
                    let line = editor.before_cursor();
                    let completion = self.complete(proc, &line, among).await;
                    editor.complete(want, &completion);
                }
                Outcome::Shell(command) => self.run_bound(proc, editor, session, &command).await,
                Outcome::Ask(command) => self.change_line(proc, editor, session, command).await,
            }
            session.show(proc, editor.take_output()).await;
        }
    }

    /// Reads a byte; `None` if `$TMOUT` seconds pass before.
    async fn type_or_leave(
        &self,
        proc: &Process,
        session: &Session,
        byte: &mut [u8; 1],
    ) -> Option<Result<usize, Errno>> {
        let seconds = self
            .variables
            .scalar(b"TMOUT")
            .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<u64>().ok())
            .filter(|seconds| *seconds > 0 && session.may_time_out);
        if let Some(seconds) = seconds {
            let time = std::time::Duration::from_secs(seconds.min(MAX_TIMEOUT_SECONDS));
            match select(pin!(proc.readable(session.fd)), pin!(proc.sleep(time))).await {
                Either::Left((Err(errno), _)) | Either::Right((Err(errno), _)) => {
                    return Some(Err(errno));
                }
                Either::Left((Ok(_), _)) => {}
                Either::Right((Ok(()), _)) => return None,
            }
        }
        Some(proc.read(session.fd, byte).await)
    }

    /// Runs what is set for the signals that came while a line was edited.
    async fn run_signal_traps(&mut self, proc: &mut Process) {
        for signal in std::mem::take(&mut self.deferred_signals) {
            let condition = crate::trap::Condition::Signal(signal);
            // Boxed: a trap may read a line.
            let run: BoxFuture<'_, _> = Box::pin(self.run_trap(proc, condition));
            let _only_a_new_prompt_follows = run.await;
            self.flush_output(proc).await;
        }
    }

    /// Takes the caught signals that concern the line; whether `^C` was among them. The others are
    /// the shell's: it looks at them when the line is over.
    fn interrupted(&mut self, proc: &Process) -> bool {
        let mut interrupted = false;
        while let Some(signal) = proc.take_signal() {
            interrupted |= signal == Signal::INT;
            let condition = crate::trap::Condition::Signal(signal);
            // An interrupt without a trap ends the line and nothing else.
            if signal != Signal::INT || self.traps.command(condition).is_some() {
                self.deferred_signals.push(signal);
            }
        }
        interrupted
    }

    fn is_utf8(&self) -> bool {
        let set = |name: &[u8]| {
            self.variables
                .scalar(name)
                .filter(|value| !value.is_empty())
        };
        let locale = set(b"LC_ALL")
            .or_else(|| set(b"LC_CTYPE"))
            .or_else(|| set(b"LANG"))
            .unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        locale.ends_with(b"utf-8") || locale.ends_with(b"utf8")
    }
}

/// Whether a read would not wait.
fn input_waits(proc: &Process, fd: Fd) -> bool {
    proc.readable(fd)
        .now_or_never()
        .is_some_and(|ready| ready.is_ok())
}

/// The editor of the shell.
enum LineEditor {
    Readline(Box<Editor>),
    BusyBox(Simple),
}

impl LineEditor {
    fn take_output(&mut self) -> Vec<u8> {
        match self {
            Self::Readline(editor) => editor.take_output(),
            Self::BusyBox(editor) => editor.take_output(),
        }
    }

    fn feed(&mut self, byte: u8, more: bool, history: &mut History) -> Outcome {
        match self {
            Self::Readline(editor) => editor.feed(byte, more, history),
            Self::BusyBox(editor) => editor.feed(byte, history),
        }
    }

    fn key_time(&self) -> Option<std::time::Duration> {
        match self {
            Self::Readline(editor) => editor.key_time(),
            Self::BusyBox(editor) => editor.key_time(),
        }
    }

    fn key_timeout(&mut self, history: &mut History) -> Outcome {
        match self {
            Self::Readline(editor) => editor.key_timeout(history),
            Self::BusyBox(editor) => editor.key_timeout(),
        }
    }

    fn before_cursor(&self) -> Vec<u8> {
        let (line, point) = match self {
            Self::Readline(editor) => editor.line(),
            Self::BusyBox(editor) => editor.line(),
        };
        line.get(..point).unwrap_or_default().to_vec()
    }

    fn typed_by_macro(&mut self) -> Option<u8> {
        match self {
            Self::Readline(editor) => editor.typed_by_macro(),
            Self::BusyBox(_) => None,
        }
    }

    fn record(&mut self, byte: u8) {
        if let Self::Readline(editor) = self {
            editor.record(byte);
        }
    }

    fn complete(&mut self, want: Want, completion: &Completion) {
        match self {
            Self::Readline(editor) => editor.complete(want, completion),
            Self::BusyBox(editor) => editor.complete(want, completion),
        }
    }

    fn interrupt(&mut self, key: u8) {
        match self {
            Self::Readline(editor) => editor.interrupt(key),
            Self::BusyBox(editor) => editor.interrupt(),
        }
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        match self {
            Self::Readline(editor) => editor.resize(columns, rows),
            Self::BusyBox(editor) => editor.resize(columns),
        }
    }
}

/// The terminal while a line is edited.
struct Session {
    terminal: Terminal,
    brackets: bool,
    /// Whether the terminal showed what is typed before: if not, neither does the editor.
    echo: bool,
    bash: bool,
    before: Termios,
    fd: Fd,
    /// Whether `$TMOUT` counts.
    may_time_out: bool,
}

impl Session {
    async fn begin(&self, proc: &mut Process) {
        self.make_raw(proc);
        if self.brackets {
            proc.print_error(BRACKETS_ON).await;
        }
    }

    fn make_raw(&self, proc: &Process) {
        let mut raw = self.before.clone();
        raw.local &= !(ICANON | ECHO);
        raw.input &= !(ICRNL | INLCR);
        raw.keys[VMIN] = 1;
        raw.keys[VTIME] = 0;
        raw.keys[VLNEXT] = 0;
        let _not_a_terminal_any_more = proc.set_termios(self.fd, raw, false);
    }

    async fn end(&self, proc: &mut Process, input: &Input) {
        let _not_a_terminal_any_more = proc.set_termios(self.fd, self.before.clone(), false);
        let mut last = Vec::new();
        if self.brackets {
            last.extend_from_slice(BRACKETS_OFF);
            match input {
                Input::Line(_) if self.echo => {}
                Input::TimedOut => {}
                Input::Line(_) | Input::End => last.push(b'\n'),
                // As readline cleans up in its signal handler, and bash then starts anew.
                Input::Interrupted => {
                    let end: &[u8] = if self.echo { b"" } else { b"\n" };
                    last = [BRACKETS_OFF, end, BRACKETS_ON, BRACKETS_OFF, end].concat();
                }
            }
        }
        if !last.is_empty() {
            proc.print_error(&last).await;
        }
    }

    /// Sends what shows the line; nothing of it where the terminal did not show what is typed.
    async fn show(&self, proc: &mut Process, output: Vec<u8>) {
        if self.echo || !self.bash {
            self.send(proc, output).await;
        } else if let [.., b'^', key] = output.as_slice()
            && *key ^ 0x40 == self.before.keys[VINTR]
        {
            self.send(proc, vec![b'^', *key]).await;
        }
    }

    async fn send(&self, proc: &mut Process, output: Vec<u8>) {
        if !output.is_empty() {
            proc.print_error(&output).await;
        }
    }
}
