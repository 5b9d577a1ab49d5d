//! Where keys reach beyond the line: commands of `bind -x`, expansions of the line, inputrc files.

use std::sync::Arc;

use sundew_kernel::Process;
use sundew_kernel::descriptor::OpenFlags;

use super::editor::Editor;
use super::key::Command;
use super::keymap::{Settings, Which, inputrc, keymap_by_name};
use super::{LineEditor, Session};
use crate::shell::Shell;

/// Bytes of an inputrc file that are read.
const MAX_INPUTRC_BYTES: usize = 64 * 1024;
/// `$include` within `$include`.
const MAX_INCLUDES: u32 = 8;
/// `$if` within `$if`.
const MAX_CONDITIONS: usize = 32;

impl Shell {
    /// Runs a command of `bind -x`; it sees the line as `$READLINE_LINE` and may change it.
    pub(super) async fn run_bound(
        &mut self,
        proc: &mut Process,
        editor: &mut LineEditor,
        session: &Session,
        command: &[u8],
    ) {
        let LineEditor::Readline(editor) = editor else {
            return;
        };
        editor.clear_line();
        session.show(proc, editor.take_output()).await;
        let (line, point) = editor.line();
        let (line, point) = (line.to_vec(), point.to_string().into_bytes());
        self.variables.set_own(b"READLINE_LINE", line);
        self.variables.set_own(b"READLINE_POINT", point);
        for name in [b"READLINE_LINE".as_slice(), b"READLINE_POINT"] {
            self.variables
                .modify(name, |variable| variable.attributes.exported = true);
        }
        self.run_for_editor(proc, command).await;
        let text = |name: &[u8]| self.variables.scalar(name).unwrap_or_default().to_vec();
        let (line, point) = (text(b"READLINE_LINE"), text(b"READLINE_POINT"));
        let point = String::from_utf8_lossy(&point).parse().unwrap_or(0);
        for name in [b"READLINE_LINE".as_slice(), b"READLINE_POINT"] {
            self.variables.unset(name);
        }
        editor.set_line(&line, point);
        editor.show_again();
    }

    /// Boxed: a command may end in completion, which lists builtins.
    async fn run_for_editor(&mut self, proc: &mut Process, command: &[u8]) {
        let status = self.status;
        let run: futures_util::future::BoxFuture<'_, _> = Box::pin(self.run_text(proc, command));
        let _only_the_line_matters = run.await;
        self.flush_output(proc).await;
        self.status = status;
    }

    /// Does to the line what only the shell can.
    pub(super) async fn change_line(
        &mut self,
        proc: &mut Process,
        editor: &mut LineEditor,
        session: &Session,
        command: Command,
    ) {
        let LineEditor::Readline(editor) = editor else {
            return;
        };
        let (line, point) = editor.line();
        let line = line.to_vec();
        match command {
            Command::TildeExpand => {
                let (line, point) = self.with_home(proc, &line, point);
                editor.set_line(&line, point);
                editor.show_again_in_place();
            }
            Command::HistoryExpandLine => {
                let line = self.with_history(&line);
                editor.replace(&line);
            }
            Command::AliasExpandLine => editor.replace(&self.with_alias(line)),
            Command::HistoryAndAliasExpandLine => {
                let line = self.with_history(&line);
                editor.replace(&self.with_alias(line));
            }
            Command::ShellExpandLine => {
                let line = self.with_history(&line);
                let line = self.with_alias(line);
                let expanded = self.expand_text(proc, &line).await.unwrap_or(line);
                editor.replace(&expanded);
            }
            Command::EditAndExecuteCommand | Command::ViEditAndExecuteCommand => {
                self.edit_elsewhere(proc, editor, session, &line).await;
            }
            Command::MagicSpace => {
                let expanded = self.with_history(&line);
                let behind = line.len().saturating_sub(point);
                editor.set_line(&expanded, expanded.len().saturating_sub(behind));
                editor.type_blank();
            }
            Command::DumpFunctions | Command::DumpVariables | Command::DumpMacros => {
                let letter = match command {
                    Command::DumpFunctions => b'P',
                    Command::DumpVariables => b'V',
                    _ => b'S',
                };
                let vi = self.options.is_set("vi");
                let which = if vi { Which::ViInsert } else { Which::Emacs };
                let listed = crate::builtin::bindings(&self.keys, which, letter);
                proc.print_error(&[b"\r\n", listed.as_slice()].concat())
                    .await;
                editor.show_again();
            }
            Command::ReReadInitFile => {
                self.read_inputrc = false;
                self.read_init_files(proc).await;
                editor.replace(&line);
            }
            _ => editor.replace(&line),
        }
    }

    async fn edit_elsewhere(
        &mut self,
        proc: &mut Process,
        editor: &mut Editor,
        session: &Session,
        line: &[u8],
    ) {
        editor.leave_below();
        session.show(proc, editor.take_output()).await;
        if !line.is_empty() {
            self.remember_line(line);
        }
        self.remember_line(b"fc");
        let _not_a_terminal = proc.set_termios(session.fd, session.before.clone(), false);
        let vi = self.options.is_set("vi");
        let edit: &[u8] = if vi {
            b"fc -e \"${VISUAL:-${EDITOR:-$(command -v editor || echo vi)}}\""
        } else {
            b"fc -e \"${VISUAL:-${EDITOR:-$(command -v editor || echo emacs)}}\""
        };
        self.run_for_editor(proc, edit).await;
        session.make_raw(proc);
        editor.set_line(b"", 0);
        editor.show_again();
    }

    fn with_history(&mut self, line: &[u8]) -> Vec<u8> {
        match self.history.expand(line, None) {
            Ok(Some(expanded)) => expanded.line,
            Ok(None) | Err(_) => line.to_vec(),
        }
    }

    fn with_alias(&self, line: Vec<u8>) -> Vec<u8> {
        let start = line
            .iter()
            .position(|byte| !byte.is_ascii_whitespace())
            .unwrap_or(0);
        let end = line
            .iter()
            .skip(start)
            .position(u8::is_ascii_whitespace)
            .map_or(line.len(), |len| start + len);
        let (before, rest) = line.split_at(start);
        let (word, rest) = rest.split_at(end - start);
        match self.aliases.get(word) {
            Some(text) => [before, text, rest].concat(),
            None => line,
        }
    }

    /// The line with the word at the cursor expanded, if it begins with `~`.
    fn with_home(&self, proc: &Process, line: &[u8], point: usize) -> (Vec<u8>, usize) {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let before = line.get(..point).unwrap_or(line);
        let start = before.iter().rposition(blank).map_or(0, |at| at + 1);
        let end = line
            .iter()
            .skip(start)
            .position(blank)
            .map_or(line.len(), |len| start + len);
        let word = line.get(start..end).unwrap_or_default();
        let expanded = self.expand_tilde(proc, word);
        let mut line = line.to_vec();
        let point = start + expanded.len();
        line.splice(start..end, expanded);
        (line, point)
    }

    /// Reads `$INPUTRC`, `~/.inputrc` or `/etc/inputrc`, once.
    pub(crate) async fn read_init_files(&mut self, proc: &mut Process) {
        if std::mem::replace(&mut self.read_inputrc, true) {
            return;
        }
        let named = self.variables.scalar(b"INPUTRC").map(<[u8]>::to_vec);
        let home = self.variables.scalar(b"HOME").unwrap_or_default();
        let own = named.unwrap_or_else(|| [home, b"/.inputrc"].concat());
        if !self.read_init_file(proc, &own, 0).await {
            self.read_init_file(proc, b"/etc/inputrc", 0).await;
        }
    }

    /// Reads one; whether it was there.
    pub(crate) async fn read_init_file(
        &mut self,
        proc: &mut Process,
        path: &[u8],
        depth: u32,
    ) -> bool {
        let Ok(fd) = proc.open(path, OpenFlags::READ, 0).await else {
            return false;
        };
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        while text.len() < MAX_INPUTRC_BYTES {
            match proc.read(fd, &mut chunk).await {
                Ok(count) if count > 0 => {
                    text.extend_from_slice(chunk.get(..count).unwrap_or_default());
                }
                _ => break,
            }
        }
        let _was_open = proc.close(fd);
        // Whether each `$if` holds, the outermost first.
        let mut conditions: Vec<bool> = Vec::new();
        for line in text.split(|&byte| byte == b'\n') {
            let holds = conditions.iter().all(|holds| *holds);
            match inputrc::parse(line) {
                Ok(inputrc::Line::If(test)) if conditions.len() < MAX_CONDITIONS => {
                    conditions.push(self.inputrc_test(&test));
                }
                Ok(inputrc::Line::Else) => {
                    if let Some(last) = conditions.last_mut() {
                        *last = !*last;
                    }
                }
                Ok(inputrc::Line::EndIf) => {
                    conditions.pop();
                }
                Ok(inputrc::Line::Include(path)) if holds && depth < MAX_INCLUDES => {
                    Box::pin(self.read_init_file(proc, &path, depth + 1)).await;
                }
                Ok(line) if holds => {
                    self.bind_line(line, None);
                }
                _ => {}
            }
            proc.tick().await;
        }
        true
    }

    fn inputrc_test(&self, test: &[u8]) -> bool {
        if let Some(mode) = test.strip_prefix(b"mode=") {
            let vi = self.options.is_set("vi");
            return (mode == b"vi") == vi;
        }
        if let Some(wanted) = test.strip_prefix(b"term=") {
            let term = self.variables.scalar(b"TERM").unwrap_or(b"dumb");
            let family = term.split(|&byte| byte == b'-').next();
            return term == wanted || family == Some(wanted);
        }
        test.eq_ignore_ascii_case(b"bash")
    }

    /// Does what a line of an inputrc file says; the name of a variable that there is none of.
    pub(crate) fn bind_line(
        &mut self,
        line: inputrc::Line,
        which: Option<Which>,
    ) -> Option<Vec<u8>> {
        let vi = self.options.is_set("vi");
        let settings: &mut Settings = Arc::make_mut(&mut self.keys);
        let default = if vi { Which::ViInsert } else { Which::Emacs };
        match line {
            inputrc::Line::Bind { keys, action } => {
                let chosen = keymap_by_name(settings.variable("keymap"));
                let chosen = chosen.filter(|chosen| *chosen != Which::Emacs);
                let which = which.or(chosen).unwrap_or(default);
                settings.keymap_mut(which).bind(&keys, action);
            }
            inputrc::Line::Set { name, value } => {
                if name.eq_ignore_ascii_case(b"editing-mode") {
                    let vi = value.eq_ignore_ascii_case(b"vi");
                    self.options.set("vi", vi);
                    self.options.set("emacs", !vi);
                }
                if !settings.set(&name, &value) {
                    return Some(name);
                }
            }
            _ => {}
        }
        None
    }
}
