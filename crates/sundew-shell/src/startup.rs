//! What a shell does before its first command: variables from the environment and its own, options,
//! startup files.

use sundew_kernel::signal::Disposition;
use sundew_kernel::{Errno, Process, STDERR, STDIN, Signal};
use sundew_sh_syntax::{Dialect, Outcome, Parser};

use crate::builtin;
use crate::shell::{Flow, Restricted, Run, Shell};
use crate::variable::is_name;

/// `/etc/profile`, `~/.bashrc` and their kin.
const PROFILE: &[u8] = b"/etc/profile";
const SYSTEM_BASHRC: &[u8] = b"/etc/bash.bashrc";

impl Shell {
    /// Variables from the environment, and those that the shell itself sets.
    /// Answers what is to be said of functions that are none.
    pub(crate) fn import_environment(&mut self, proc: &Process) -> Vec<Vec<u8>> {
        let mut complaints = Vec::new();
        for (name, value) in proc.env().iter() {
            if is_name(name) {
                self.variables.set_own(name, value);
                self.variables
                    .modify(name, |variable| variable.attributes.exported = true);
            } else if self.is_bash()
                && let Some(function) = name
                    .strip_prefix(b"BASH_FUNC_")
                    .and_then(|name| name.strip_suffix(b"%%"))
                && value.starts_with(b"() {")
                && !self.import_function(function, value)
            {
                let arg0 = self.arg0.as_slice();
                let first: &[u8] = b": warning: ";
                complaints.push(
                    [
                        arg0,
                        first,
                        function,
                        b": ignoring function definition attempt\n",
                        arg0,
                        b": error importing function definition for `",
                        function,
                        b"'\n",
                    ]
                    .concat(),
                );
            }
        }
        self.ignored_at_start = Signal::all()
            .filter(|signal| proc.disposition(*signal) == Disposition::Ignore)
            .collect();
        if self.is_bash() {
            proc.set_disposition(Signal::QUIT, Disposition::Ignore);
        }
        self.variables.set_own(b"PPID", proc.ppid().to_string());
        self.variables.set_own(b"IFS", *b" \t\n");
        self.variables.set_own(b"OPTIND", *b"1");
        let integer = self.is_bash();
        self.variables
            .modify(b"OPTIND", |variable| variable.attributes.integer = integer);
        // bash has it for a person only.
        if !self.is_bash() {
            self.variables.set_own(b"PS2", *b"> ");
        }
        self.variables.set_own(b"PS4", *b"+ ");
        let directory = self
            .current_directory(proc, false)
            .unwrap_or_else(|_| b"/".to_vec());
        self.variables.set_own(b"PWD", directory);
        if !self.is_bash() {
            let root = proc.credentials().uid == 0;
            let prompt: &[u8] = match (self.dialect, root) {
                (Dialect::Ash, _) => b"\\w \\$ ",
                (_, true) => b"# ",
                (_, false) => b"$ ",
            };
            if self.dialect == Dialect::Dash || self.variables.scalar(b"PS1").is_none() {
                self.variables.set_own(b"PS1", prompt);
            }
            self.set_plain_defaults(proc);
            return complaints;
        }
        self.set_bash_variables(proc);
        complaints
    }

    /// Counts `SHLVL` on or back; a shell that gives its process to a program steps back first.
    pub(crate) fn change_level(&mut self, by: i64) {
        let level: i64 = self
            .variables
            .scalar(b"SHLVL")
            .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
            .unwrap_or(0);
        let level = level.saturating_add(by).max(0);
        self.variables.set_own(b"SHLVL", level.to_string());
        self.variables
            .modify(b"SHLVL", |variable| variable.attributes.exported = true);
    }

    /// What bash sets beside its environment.
    fn set_bash_variables(&mut self, proc: &Process) {
        self.variables
            .modify(b"PWD", |variable| variable.attributes.exported = true);
        self.variables
            .modify(b"OLDPWD", |variable| variable.attributes.exported = true);
        self.change_level(1);
        if self.variables.scalar(b"PATH").is_none() {
            self.variables.set_own(
                b"PATH",
                *b"/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin:.",
            );
        }
        if self.variables.scalar(b"TERM").is_none() {
            self.variables.set_own(b"TERM", *b"dumb");
        }
        if self.variables.scalar(b"_").is_none() {
            self.variables.set_own(b"_", self.arg0.clone());
        }
        let credentials = proc.credentials();
        for (name, value) in [
            (b"BASH".as_slice(), self.own_path(proc)),
            (b"BASH_VERSION", b"5.2.15(1)-release".to_vec()),
            (b"HOSTNAME", proc.hostname()),
            (b"HOSTTYPE", b"x86_64".to_vec()),
            (b"MACHTYPE", b"x86_64-pc-linux-gnu".to_vec()),
            (b"OSTYPE", b"linux-gnu".to_vec()),
            (b"UID", proc.real_ids().0.to_string().into_bytes()),
            (b"EUID", credentials.uid.to_string().into_bytes()),
            (b"OPTERR", b"1".to_vec()),
        ] {
            self.variables.set_own(name, value);
        }
        let groups = if credentials.groups.is_empty() {
            std::slice::from_ref(&credentials.gid)
        } else {
            credentials.groups.as_ref()
        };
        let groups = groups.iter().map(|group| group.to_string().into_bytes());
        self.variables.set_own_array(b"GROUPS", groups);
        let version = ["5", "2", "15", "1", "release", "x86_64-pc-linux-gnu"];
        self.variables.set_own_array(
            b"BASH_VERSINFO",
            version.map(|part| part.as_bytes().to_vec()),
        );
        self.variables.set_own_array(b"DIRSTACK", []);
        for name in [b"UID".as_slice(), b"EUID", b"PPID", b"BASH_VERSINFO"] {
            self.variables
                .modify(name, |variable| variable.attributes.readonly = true);
        }
        for name in [b"UID".as_slice(), b"EUID", b"PPID"] {
            self.variables
                .modify(name, |variable| variable.attributes.integer = true);
        }
    }

    /// What dash and ash set when their environment lacks it.
    pub(crate) fn set_plain_defaults(&mut self, proc: &Process) {
        let path: &[u8] = match self.dialect {
            Dialect::Ash => b"/sbin:/usr/sbin:/bin:/usr/bin",
            _ => b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        };
        let ash = self.dialect == Dialect::Ash;
        if self.variables.scalar(b"PATH").is_none() {
            self.variables.set_own(b"PATH", path);
            self.variables
                .modify(b"PATH", |variable| variable.attributes.exported = ash);
        }
        self.variables
            .modify(b"PWD", |variable| variable.attributes.exported = true);
        if ash {
            if self.variables.scalar(b"HOSTNAME").is_none() {
                let hostname = proc.hostname();
                self.variables.set_own(b"HOSTNAME", hostname);
            }
            self.change_level(1);
        }
    }

    /// A function that `export -f` handed on; nothing but the definition may be there.
    pub(crate) fn import_function(&mut self, name: &[u8], value: &[u8]) -> bool {
        let text = [name, b" ", value].concat();
        let parsed = {
            let options = self.syntax_options();
            let mut parser = Parser::new(&text, &options);
            match parser.next_command() {
                Outcome::Command(line) if parser.consumed() >= text.len() => Some(line.list),
                _ => None,
            }
        };
        let Some(list) = parsed else {
            return false;
        };
        let [item] = list.items.as_slice() else {
            return false;
        };
        let commands = &item.and_or.first.commands;
        let ([command], true) = (commands.as_slice(), item.and_or.rest.is_empty()) else {
            return false;
        };
        let sundew_sh_syntax::ast::CommandKind::Function(function) = &command.kind else {
            return false;
        };
        let imported = crate::shell::Function {
            body: std::sync::Arc::clone(&function.body),
            exported: true,
            readonly: false,
            traced: false,
            file: b"environment".to_vec(),
        };
        self.keep_function(name, imported);
        true
    }

    /// `$BASH`: the path the shell was found at.
    pub(crate) fn own_path(&self, proc: &Process) -> Vec<u8> {
        if self.login {
            return b"/bin/bash".to_vec();
        }
        if self.arg0.contains(&b'/') {
            return self.arg0.clone();
        }
        self.search_path(proc, &self.arg0)
            .unwrap_or_else(|| b"/bin/bash".to_vec())
    }

    /// Options and startup files of this kind of shell.
    pub(crate) async fn prepare(
        &mut self,
        proc: &mut Process,
        no_rc: bool,
        no_profile: bool,
    ) -> Run {
        self.for_person = self.interactive;
        if self.interactive {
            self.prepare_for_person(proc).await;
        }
        if !self.is_bash() {
            self.options.set_shopt("expand_aliases", true);
        }
        if self.login {
            self.options.set_shopt("login_shell", true);
            if !no_profile {
                self.source_if_there(proc, PROFILE).await?;
                let home = self.variables.scalar(b"HOME").unwrap_or_default().to_vec();
                let names: &[&[u8]] = if self.is_bash() {
                    &[b"/.bash_profile", b"/.bash_login", b"/.profile"]
                } else {
                    &[b"/.profile"]
                };
                for name in names {
                    let path = [home.as_slice(), name].concat();
                    if proc.stat(&path).is_ok() {
                        self.source_if_there(proc, &path).await?;
                        break;
                    }
                }
            }
        } else if self.interactive && self.is_bash() && !no_rc {
            self.source_if_there(proc, SYSTEM_BASHRC).await?;
            let home = self.variables.scalar(b"HOME").unwrap_or_default().to_vec();
            self.source_if_there(proc, &[home.as_slice(), b"/.bashrc"].concat())
                .await?;
        } else if let Some(path) = self
            .variables
            .scalar(b"BASH_ENV")
            .filter(|_| self.is_bash())
            .map(<[u8]>::to_vec)
        {
            self.source_if_there(proc, &path).await?;
        }
        if self.restricted == Restricted::AfterStartup {
            self.options.set_shopt("restricted_shell", true);
            self.restrict();
        }
        self.status = 0;
        Ok(())
    }

    /// Whether much is forbidden: bash(1), RESTRICTED SHELL.
    pub(crate) fn is_restricted(&self) -> bool {
        self.restricted == Restricted::Yes
    }

    /// Makes this a restricted shell.
    pub(crate) fn restrict(&mut self) {
        self.restricted = Restricted::Yes;
        for name in [
            b"PATH".as_slice(),
            b"SHELL",
            b"ENV",
            b"BASH_ENV",
            b"HISTFILE",
        ] {
            self.variables
                .modify(name, |variable| variable.attributes.readonly = true);
        }
    }

    pub(crate) async fn source_if_there(&mut self, proc: &mut Process, path: &[u8]) -> Run {
        let Ok(text) = builtin::source::read_script(proc, path).await else {
            return Ok(());
        };
        match builtin::source::run_file(self, proc, path, &text, &[]).await {
            Ok(_) | Err(Flow::Return | Flow::Abandon | Flow::Discard | Flow::DiscardAll) => Ok(()),
            Err(flow) => Err(flow),
        }
    }

    /// Prompts, history, job control: what only a person needs.
    async fn prepare_for_person(&mut self, proc: &mut Process) {
        // Startup files tell by it whether a person is there.
        if self.is_bash() {
            let home = self.variables.scalar(b"HOME").unwrap_or_default();
            let history = [home, b"/.bash_history"].concat();
            for (name, value) in [
                (b"PS1".as_slice(), b"\\s-\\v\\$ ".to_vec()),
                (b"PS2", b"> ".to_vec()),
                (b"HISTFILE", history),
                (b"HISTSIZE", b"500".to_vec()),
                (b"HISTFILESIZE", b"500".to_vec()),
            ] {
                if !self.variables.is_set(name) {
                    self.variables.set_own(name, value);
                }
            }
        }
        self.options.set_shopt("expand_aliases", true);
        if self.is_bash() {
            for option in ["history", "histexpand", "emacs"] {
                self.options.set(option, true);
            }
        }
        let controls = proc.is_terminal(STDIN) || proc.is_terminal(STDERR);
        self.options.set("monitor", controls);
        if !controls && self.is_bash() {
            let arg0 = self.arg0.as_slice();
            let text = format!(
                ": cannot set terminal process group ({}): {}\n",
                proc.group(),
                Errno::Enotty.message()
            );
            let text = [
                arg0,
                text.as_bytes(),
                arg0,
                b": no job control in this shell\n",
            ]
            .concat();
            proc.print_error(&text).await;
        }
        for signal in [
            Signal::TERM,
            Signal::QUIT,
            Signal::TSTP,
            Signal::TTIN,
            Signal::TTOU,
        ] {
            proc.set_disposition(signal, Disposition::Ignore);
        }
        proc.set_disposition(Signal::INT, Disposition::Catch);
        let _leads_already = proc.set_foreground_group(STDIN, proc.group());
    }
}
