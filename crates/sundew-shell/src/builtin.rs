//! Builtins: the table, and one file for each.

use futures_util::future::BoxFuture;
use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use crate::shell::{Flow, Shell};
pub(crate) use declare::show::single_quote;
pub(crate) use declare::show::{bucket_order, hash_of, shown_key};
pub(crate) use enable::{bindings, specified};
pub(crate) use jobs::plain_job_lines;
pub(crate) use type_::is_keyword;

mod alias;
mod break_;
mod cd;
mod command;
mod declare;
mod dirs;
mod echo;
mod enable;
mod eval;
mod exec;
mod exit;
mod fc;
mod getopt;
mod getopts;
mod hash;
mod help;
mod history;
mod jobs;
mod kill;
mod let_;
mod mapfile;
mod printf;
mod pwd;
mod read;
mod return_;
mod set;
mod shift;
mod shopt;
pub(crate) mod source;
mod store;
mod test_;
mod times;
mod trap;
mod true_;
mod type_;
mod ulimit;
mod umask;
mod unset;
mod wait;

/// What a builtin answers: its status, or what it does to the order of commands.
pub type Answer = Result<u8, Flow>;

/// One builtin. It prints with `proc.print`, and the shell flushes before redirections are undone.
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Whether it is a special builtin of POSIX: assignments in front of it stay in dash.
    pub special: bool,
    /// Which shells have it.
    pub dialects: &'static [Dialect],
    /// What it does; the arguments begin with its name.
    pub run: for<'a> fn(&'a mut Shell, &'a mut Process, &'a [Vec<u8>]) -> BoxFuture<'a, Answer>,
}

impl Builtin {
    /// Runs it, or shows its help where that is asked for.
    pub(crate) async fn call(
        &self,
        shell: &mut Shell,
        proc: &mut Process,
        args: &[Vec<u8>],
    ) -> Answer {
        match help::of_builtin(shell, proc, args).await {
            Some(status) => Ok(status),
            None => (self.run)(shell, proc, args).await,
        }
    }
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builtin")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

const ALL: &[Dialect] = &[Dialect::Bash, Dialect::Dash, Dialect::Ash];
const BASH: &[Dialect] = &[Dialect::Bash];
const BASH_ASH: &[Dialect] = &[Dialect::Bash, Dialect::Ash];

macro_rules! builtins {
    ($($name:literal, $special:literal, $dialects:expr, $run:path;)*) => {
        /// Every builtin, in order of names.
        pub const TABLE: &[Builtin] = &[
            $(Builtin { name: $name, special: $special, dialects: $dialects, run: |shell, proc, args| Box::pin($run(shell, proc, args)) }),*
        ];
    };
}

builtins! {
    ".", true, ALL, source::run;
    ":", true, ALL, true_::run;
    "[", false, ALL, test_::run_bracket;
    "alias", false, ALL, alias::run;
    "bg", false, ALL, jobs::run_bg;
    "bind", false, BASH, enable::run_nothing;
    "break", true, ALL, break_::run_break;
    "builtin", false, BASH, command::run_builtin;
    "caller", false, BASH, source::run_caller;
    "cd", false, ALL, cd::run;
    "command", false, ALL, command::run;
    "compgen", false, BASH, enable::run_nothing;
    "complete", false, BASH, enable::run_nothing;
    "compopt", false, BASH, enable::run_nothing;
    "continue", true, ALL, break_::run_continue;
    "declare", false, BASH, declare::run;
    "dirs", false, BASH, dirs::run_dirs;
    "disown", false, BASH, jobs::run_disown;
    "echo", false, ALL, echo::run;
    "enable", false, BASH, enable::run;
    "eval", true, ALL, eval::run;
    "exec", true, ALL, exec::run;
    "exit", true, ALL, exit::run;
    "export", true, ALL, declare::run_export;
    "false", false, ALL, true_::run_false;
    "fc", false, BASH, fc::run;
    "fg", false, ALL, jobs::run_fg;
    "getopts", false, ALL, getopts::run;
    "hash", false, ALL, hash::run;
    "help", false, BASH_ASH, help::run;
    "history", false, BASH_ASH, history::run;
    "jobs", false, ALL, jobs::run_jobs;
    "kill", false, ALL, kill::run;
    "let", false, BASH_ASH, let_::run;
    "local", false, ALL, declare::run_local;
    "logout", false, BASH, exit::run_logout;
    "mapfile", false, BASH, mapfile::run;
    "popd", false, BASH, dirs::run_popd;
    "printf", false, ALL, printf::run;
    "pushd", false, BASH, dirs::run_pushd;
    "pwd", false, ALL, pwd::run;
    "read", false, ALL, read::run;
    "readarray", false, BASH, mapfile::run;
    "readonly", true, ALL, declare::run_readonly;
    "return", true, ALL, return_::run;
    "set", true, ALL, set::run;
    "shift", true, ALL, shift::run;
    "shopt", false, BASH, shopt::run;
    "source", true, BASH_ASH, source::run;
    "suspend", false, BASH, kill::run_suspend;
    "test", false, ALL, test_::run;
    "times", true, ALL, times::run;
    "trap", true, ALL, trap::run;
    "true", false, ALL, true_::run;
    "type", false, ALL, type_::run;
    "typeset", false, BASH, declare::run;
    "ulimit", false, ALL, ulimit::run;
    "umask", false, ALL, umask::run;
    "unalias", false, ALL, alias::run_unalias;
    "unset", true, ALL, unset::run;
    "wait", false, ALL, wait::run;
}

/// The builtin of this name, if this shell has it and it is not switched off.
pub fn find(shell: &Shell, name: &[u8]) -> Option<&'static Builtin> {
    let builtin = TABLE
        .iter()
        .find(|builtin| builtin.name.as_bytes() == name)?;
    let has =
        builtin.dialects.contains(&shell.dialect) && !shell.disabled.iter().any(|off| off == name);
    has.then_some(builtin)
}

/// Digits, as the special builtins of dash and ash want them.
fn plain_number(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    let number: i32 = text.parse().ok()?;
    usize::try_from(number)
        .ok()
        .filter(|_| !text.starts_with('+'))
}

/// Whether arguments of this command in the form of assignments are expanded as such.
pub(crate) fn takes_assignments(name: &[u8]) -> bool {
    matches!(
        name,
        b"declare" | b"typeset" | b"local" | b"export" | b"readonly" | b"alias"
    )
}

impl Shell {
    /// `NAME: TEXT` after the shell's prefix; the status to return.
    pub(crate) async fn builtin_error(
        &self,
        proc: &mut Process,
        args: &[Vec<u8>],
        text: impl AsRef<[u8]> + Send,
        status: u8,
    ) -> u8 {
        let name = args.first().map(Vec::as_slice).unwrap_or_default();
        let (arg0, text) = (self.arg0.as_slice(), text.as_ref());
        let line = match self.dialect {
            Dialect::Bash => {
                self.complain(proc, [name, b": ", text].concat()).await;
                return status;
            }
            Dialect::Dash => {
                let line = format!(": {}: ", self.line);
                [arg0, line.as_bytes(), name, b": "].concat()
            }
            // BusyBox names the line behind the builtin.
            Dialect::Ash => {
                let line = self.line_in_busybox(self.line);
                [arg0, b": ", name, b": ", &line].concat()
            }
        };
        proc.print_error(&[line.as_slice(), text, b"\n"].concat())
            .await;
        status
    }

    /// A special builtin of dash or ash with a bad number ends the shell.
    pub(crate) async fn illegal_number(
        &mut self,
        proc: &mut Process,
        args: &[Vec<u8>],
        text: &[u8],
    ) -> Answer {
        let complaint = [b"Illegal number: ".as_slice(), text].concat();
        let status = self.builtin_error(proc, args, complaint, 2).await;
        self.special_failed(status)
    }

    /// `NAME: too many arguments`, which gives up the whole line in bash.
    pub(crate) async fn too_many_arguments(
        &mut self,
        proc: &mut Process,
        args: &[Vec<u8>],
    ) -> Answer {
        self.status = self
            .builtin_error(proc, args, "too many arguments", 1)
            .await;
        Err(self.giving_up(Flow::DiscardAll))
    }

    /// `NAME: -x: invalid option`, then the usage line; status 2.
    pub(crate) async fn invalid_option(
        &self,
        proc: &mut Process,
        args: &[Vec<u8>],
        option: &[u8],
        usage: &str,
    ) -> u8 {
        match self.dialect {
            Dialect::Bash => {
                self.builtin_error(proc, args, [option, b": invalid option"].concat(), 2)
                    .await;
                proc.print_error(format!("{usage}\n").as_bytes()).await;
            }
            Dialect::Dash => {
                let letter = option.get(..2).unwrap_or(option);
                self.builtin_error(
                    proc,
                    args,
                    [b"Illegal option ".as_slice(), letter].concat(),
                    2,
                )
                .await;
            }
            Dialect::Ash => {
                let letter = option.get(..2).unwrap_or(option);
                self.builtin_error(
                    proc,
                    args,
                    [b"illegal option ".as_slice(), letter].concat(),
                    2,
                )
                .await;
            }
        }
        2
    }
}
