//! Reading a line from a person: keys, the editing buffer, history, completion.
//!
//! The editing itself ([`editor`]) takes bytes and returns bytes. Here it meets the terminal: its
//! modes, its size, its signals. After GNU readline 8.2 as bash 5.2 uses it; dash has no line
//! editing, and BusyBox's is simpler.

pub mod buffer;
pub mod busybox;
mod complete;
pub mod display;
pub mod editor;
pub mod history;
pub mod key;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod width;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sundew_kernel::signal::Disposition;
use sundew_kernel::tty::Termios;
use sundew_kernel::tty::termios::{ECHO, ICANON, ICRNL, INLCR, VLNEXT, VMIN, VTIME};
use sundew_kernel::{Errno, Fd, Process, STDIN, Signal};

use crate::shell::Shell;
use busybox::Simple;
use editor::{Completion, Editor, Outcome, Setup, Want};
pub use history::History;
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
}

/// Switches brackets around pasted text on.
const BRACKETS_ON: &[u8] = b"\x1b[?2004h";
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
        let input = if self.edits_lines(proc) {
            self.edit_line(proc, prompt, termios).await
        } else {
            self.read_plainly(proc, prompt).await
        };
        match input {
            Input::Line(line) if self.interactive && self.options.is_set("histexpand") => {
                Input::Line(self.expand_history(proc, line).await)
            }
            input => input,
        }
    }

    /// Expands `!`; a line that changed is shown. One that cannot be expanded, or was only to be
    /// shown, is empty then.
    async fn expand_history(&mut self, proc: &mut Process, line: Vec<u8>) -> Vec<u8> {
        match self.history.expand(&line) {
            Ok(None) => line,
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
        let mut session = Session {
            terminal: Terminal::of(&term),
            brackets: self.is_bash() && Terminal::of(&term).brackets,
            echo: termios.local_has(ECHO),
            bash: self.is_bash(),
            before: termios,
            fd: STDIN,
        };
        let dispositions = [Signal::INT, Signal::WINCH]
            .map(|signal| (signal, proc.set_disposition(signal, Disposition::Catch)));
        session.begin(proc).await;
        let setup = Setup {
            terminal: session.terminal,
            columns: size.columns,
            rows: size.rows,
            utf8: self.is_utf8(),
            prompt,
        };
        let mut editor = if self.is_bash() {
            LineEditor::Readline(Box::new(Editor::new(setup, &mut self.history)))
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
            match proc.read(session.fd, &mut byte).await {
                Ok(0) => return Input::End,
                Ok(_) => {}
                Err(Errno::Eintr) => {
                    if self.interrupted(proc) {
                        editor.interrupt();
                        session.show(proc, editor.take_output()).await;
                        return Input::Interrupted;
                    }
                    if let Ok(size) = proc.window_size(session.fd) {
                        editor.resize(size.columns, size.rows);
                        session.show(proc, editor.take_output()).await;
                    }
                    continue;
                }
                Err(_) => return Input::End,
            }
            proc.tick().await;
            let [byte] = byte;
            let more = proc
                .readable(session.fd)
                .now_or_never()
                .is_some_and(|ready| ready.is_ok());
            match editor.feed(byte, more, &mut self.history) {
                Outcome::Continue => {}
                Outcome::Accept(line) => {
                    session.show(proc, editor.take_output()).await;
                    return Input::Line(line);
                }
                Outcome::End => return Input::End,
                Outcome::Complete(want) => {
                    let line = editor.before_cursor();
                    let completion = self.complete(proc, &line).await;
                    editor.complete(want, &completion);
                }
            }
            session.show(proc, editor.take_output()).await;
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

    fn before_cursor(&self) -> Vec<u8> {
        let (line, point) = match self {
            Self::Readline(editor) => editor.line(),
            Self::BusyBox(editor) => editor.line(),
        };
        line.get(..point).unwrap_or_default().to_vec()
    }

    fn complete(&mut self, want: Want, completion: &Completion) {
        match self {
            Self::Readline(editor) => editor.complete(want, completion),
            Self::BusyBox(editor) => editor.complete(want, completion),
        }
    }

    fn interrupt(&mut self) {
        match self {
            Self::Readline(editor) => editor.interrupt(),
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
}

impl Session {
    async fn begin(&self, proc: &mut Process) {
        let mut raw = self.before.clone();
        raw.local &= !(ICANON | ECHO);
        raw.input &= !(ICRNL | INLCR);
        raw.keys[VMIN] = 1;
        raw.keys[VTIME] = 0;
        raw.keys[VLNEXT] = 0;
        let _not_a_terminal_any_more = proc.set_termios(self.fd, raw, false);
        if self.brackets {
            proc.print_error(BRACKETS_ON).await;
        }
    }

    async fn end(&self, proc: &mut Process, input: &Input) {
        let _not_a_terminal_any_more = proc.set_termios(self.fd, self.before.clone(), false);
        let mut last = Vec::new();
        if self.brackets {
            last.extend_from_slice(BRACKETS_OFF);
            match input {
                Input::Line(_) if self.echo => {}
                Input::Line(_) | Input::End => last.push(b'\n'),
                // As readline cleans up in its signal handler, and bash then starts anew.
                Input::Interrupted => {
                    let end: &[u8] = if self.echo { b"" } else { b"\n" };
                    last = [BRACKETS_OFF, end, BRACKETS_ON, BRACKETS_OFF, end].concat();
                }
            }
        }
        if *input == Input::Interrupted {
            last.push(b'\n');
        }
        if !last.is_empty() {
            proc.print_error(&last).await;
        }
    }

    /// Sends what shows the line; nothing of it where the terminal did not show what is typed.
    async fn show(&self, proc: &mut Process, output: Vec<u8>) {
        if self.echo || !self.bash {
            self.send(proc, output).await;
        } else if output.ends_with(b"^C") {
            self.send(proc, b"^C".to_vec()).await;
        }
    }

    async fn send(&self, proc: &mut Process, output: Vec<u8>) {
        if !output.is_empty() {
            proc.print_error(&output).await;
        }
    }
}
