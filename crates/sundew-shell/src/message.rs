//! Complaints in the words of each dialect: who says it, on which line.

use sundew_kernel::Process;
use sundew_sh_syntax::{Dialect, SyntaxError};

use crate::shell::{Flow, Run, Shell, Source};

impl Shell {
    /// What stands in front of a complaint: `bash: line 1: `, `-bash: `, `sh: 1: `.
    pub fn prefix(&self) -> Vec<u8> {
        self.prefix_at(self.line)
    }

    /// The same for another line.
    pub fn prefix_at(&self, line: u32) -> Vec<u8> {
        let mut prefix = self.speaker().to_vec();
        prefix.extend_from_slice(b": ");
        match self.dialect {
            Dialect::Bash if self.for_person => {}
            Dialect::Bash if self.options.shopt("gnu_errfmt") => {
                prefix.pop();
                prefix.extend_from_slice(format!("{line}: ").as_bytes());
            }
            Dialect::Bash => prefix.extend_from_slice(format!("line {line}: ").as_bytes()),
            Dialect::Dash => {
                prefix.extend_from_slice(format!("{line}: ").as_bytes());
                if let Some(context) = self.context() {
                    prefix.extend([context, b": "].concat());
                }
            }
            Dialect::Ash => match self.context() {
                Some(context) => {
                    prefix.extend([context, b": "].concat());
                    prefix.extend(self.line_in_busybox(line));
                }
                // What stands in a script belongs to a command, the script.
                None if self.source == Source::Script => {
                    prefix.extend(self.line_in_busybox(line));
                }
                None => {}
            },
        }
        prefix
    }

    /// The `eval` or the sourced file that dash and ash name in complaints.
    fn context(&self) -> Option<&[u8]> {
        if self.in_eval {
            return Some(b"eval");
        }
        let sourced = self.frames.iter().rev().find(|frame| !frame.function)?;
        Some(&sourced.file)
    }

    /// `line 3: `, but not to a person. BusyBox counts the lines of `-c` from 0.
    pub(crate) fn line_in_busybox(&self, line: u32) -> Vec<u8> {
        if self.for_person {
            return Vec::new();
        }
        format!("line {}: ", self.line_as_busybox_counts(line)).into_bytes()
    }

    /// The number that BusyBox gives this line.
    pub(crate) fn line_as_busybox_counts(&self, line: u32) -> u32 {
        let sourced = !self.in_eval && self.context().is_some();
        let from_zero = self.source == Source::CommandString && !sourced;
        line.saturating_sub(u32::from(from_zero))
    }

    /// What BusyBox's own routines call the program: the name it was started by, without directories.
    pub(crate) fn applet_name(&self) -> &[u8] {
        let name = match self.source {
            Source::Script | Source::CommandString => self.started_as.as_slice(),
            Source::Stdin | Source::Terminal => &self.arg0,
        };
        let name = name.strip_prefix(b"-").unwrap_or(name);
        name.rsplit(|&byte| byte == b'/').next().unwrap_or(name)
    }

    /// The file or shell that complaints name: where the running function was defined, or the file
    /// that is sourced. To a person it is always the shell.
    fn speaker(&self) -> &[u8] {
        match self.frames.last() {
            Some(frame) if self.is_bash() && !self.for_person => &frame.file,
            _ => &self.arg0,
        }
    }

    /// Complains: prefix, text, newline.
    pub async fn complain(&self, proc: &mut Process, text: impl AsRef<[u8]> + Send) {
        let line = [self.prefix().as_slice(), text.as_ref(), b"\n"].concat();
        proc.print_error(&line).await;
    }

    /// Complains, sets the status and gives up the command line: see `Shell::giving_up`.
    ///
    /// # Errors
    ///
    /// Always.
    pub async fn fatal(
        &mut self,
        proc: &mut Process,
        status: u8,
        text: impl AsRef<[u8]> + Send,
    ) -> Run {
        self.complain(proc, text).await;
        self.status = status;
        if self.is_bash() && !self.interactive && self.options.is_set("errexit") {
            // What complains looks at `set -e` itself.
            return Err(Flow::Exit);
        }
        let flow = self.giving_up(Flow::Discard);
        if flow == Flow::Exit && self.is_bash() {
            self.status = self.fatal_status();
        }
        Err(flow)
    }

    /// The status of an error that ends the shell: 127 where it runs a `-c` string, as bash has it.
    pub(crate) fn fatal_status(&self) -> u8 {
        match self.source {
            Source::CommandString
                if !self.interactive && self.subshell == 0 && !self.options.is_set("errexit") =>
            {
                127
            }
            _ => 1,
        }
    }

    /// How a command is given up: an interactive shell goes back to its prompt, bash goes on with
    /// what `in_bash` says, any other shell ends.
    pub(crate) fn giving_up(&self, in_bash: Flow) -> Flow {
        if self.interactive {
            Flow::Abandon
        } else if self.goes_on_after_syntax_error() {
            in_bash
        } else {
            Flow::Exit
        }
    }

    /// Prints a syntax error; the status becomes 2.
    pub async fn syntax_error(&mut self, proc: &mut Process, error: &SyntaxError) {
        for message in error.messages(self.dialect, self.interactive) {
            let mut line = match self.dialect {
                Dialect::Bash if self.in_substitution => {
                    [self.speaker(), b": command substitution: "].concat()
                }
                Dialect::Bash if self.for_person => [self.arg0.as_slice(), b": "].concat(),
                Dialect::Bash if self.in_eval => [self.speaker(), b": eval: "].concat(),
                Dialect::Bash if self.source == Source::CommandString && self.frames.is_empty() => {
                    [self.arg0.as_slice(), b": -c: "].concat()
                }
                Dialect::Bash => [self.speaker(), b": "].concat(),
                Dialect::Dash | Dialect::Ash => self.prefix_at(error.line),
            };
            if self.is_bash() && (!self.for_person || self.in_substitution) {
                line.extend_from_slice(format!("line {}: ", error.line).as_bytes());
            }
            line.extend_from_slice(&message);
            line.push(b'\n');
            proc.print_error(&line).await;
            if self.is_bash() && self.options.is_set("errexit") && !self.interactive {
                // The first sentence ends it.
                self.status = 2;
                return;
            }
        }
        // As bash 5.2 has it: what is wrong within `[[ ]]` ends the shell with the status before.
        let unclosed_array = matches!(
            error.kind,
            sundew_sh_syntax::ErrorKind::Unclosed {
                what: sundew_sh_syntax::error::Unclosed::Array,
                ..
            }
        );
        // What is left open within a word leaves a failure of before as it was.
        let open_word = matches!(
            error.kind,
            sundew_sh_syntax::ErrorKind::Unclosed {
                what: sundew_sh_syntax::error::Unclosed::Quote
                    | sundew_sh_syntax::error::Unclosed::Backquote
                    | sundew_sh_syntax::error::Unclosed::Brace
                    | sundew_sh_syntax::error::Unclosed::Arithmetic,
                ..
            }
        );
        if (unclosed_array || error.in_array) && self.is_bash() {
            self.status = 1;
        } else if open_word && self.is_bash() && !self.interactive && self.status != 0 {
            // As it was.
        } else if self.in_eval
            || !matches!(
                &error.kind,
                sundew_sh_syntax::ErrorKind::Conditional(text) if !text.starts_with(b"unexpected EOF")
            )
            || self.interactive
        {
            self.status = 2;
        }
    }
}
