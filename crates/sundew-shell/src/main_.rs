//! From a command line to a running shell: `-c TEXT`, a script, standard input, a terminal.

use futures_util::future::BoxFuture;
use sundew_kernel::observe::Observation;
use sundew_kernel::program::Program;
use sundew_kernel::signal::Disposition;
use sundew_kernel::{Errno, ExitStatus, Process, STDERR, STDIN, Signal};
use sundew_sh_syntax::{Dialect, Outcome, Parser};

use crate::builtin;
use crate::interp::Place;
use crate::prompt::PromptKind;
use crate::readline::Input;
use crate::readline::history::Control;
use crate::shell::{Flow, Run, Shell, Source};
use crate::variable::is_name;

/// The shells of a machine. `/bin/sh` is a link to `dash` on Debian; BusyBox runs `ash`.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "bash",
        run: |proc| main(proc, Dialect::Bash),
    },
    Program {
        name: "dash",
        run: |proc| main(proc, Dialect::Dash),
    },
    Program {
        name: "ash",
        run: |proc| main(proc, Dialect::Ash),
    },
];

/// `/etc/profile`, `~/.bashrc` and their kin.
const PROFILE: &[u8] = b"/etc/profile";
const SYSTEM_BASHRC: &[u8] = b"/etc/bash.bashrc";

/// What BusyBox's shell says to a person.
const ASH_BANNER: &[u8] =
    b"\n\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell (ash)\n\
    Enter 'help' for a list of built-in commands.\n\n";

/// What the command line asks for.
#[derive(Debug, Default)]
struct Invocation {
    login: bool,
    interactive: bool,
    command: bool,
    stdin: bool,
    no_rc: bool,
    no_profile: bool,
    posix: bool,
    switches: Vec<(Vec<u8>, bool)>,
    shopts: Vec<(Vec<u8>, bool)>,
    operands: Vec<Vec<u8>>,
}

/// Why a command line is none.
enum Refusal {
    Version,
    Help,
    Invalid(Vec<u8>),
    Missing(Vec<u8>),
}

fn main(proc: &mut Process, dialect: Dialect) -> BoxFuture<'_, ExitStatus> {
    Box::pin(async move {
        let name = proc.name().to_vec();
        let invocation = match Invocation::read(proc.args(), dialect) {
            Ok(invocation) => invocation,
            Err(refusal) => return refuse(proc, dialect, &name, refusal).await,
        };
        let mut shell = Shell::new(proc, dialect, name);
        shell.login = invocation.login;
        // What the system calls its own: sh is bash in its POSIX mode.
        if invocation.posix {
            shell.options.set("posix", true);
        }
        let run = shell.start(proc, invocation).await;
        shell.leave(proc, run).await
    })
}

async fn refuse(proc: &mut Process, dialect: Dialect, name: &[u8], refusal: Refusal) -> ExitStatus {
    match refusal {
        Refusal::Version => {
            let text = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n\
                        Copyright (C) 2022 Free Software Foundation, Inc.\n\
                        License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>\n\n\
                        This is free software; you are free to change and redistribute it.\n\
                        There is NO WARRANTY, to the extent permitted by law.\n";
            let _checked_at_exit = proc.print(text.as_bytes()).await;
            ExitStatus::SUCCESS
        }
        Refusal::Help => {
            let text = [
                b"GNU bash, version 5.2.15(1)-release-(x86_64-pc-linux-gnu)\nUsage:\t".as_slice(),
                name,
                b" [GNU long option] [option] ...\n\t",
                name,
                b" [GNU long option] [option] script-file ...\n",
            ]
            .concat();
            let _checked_at_exit = proc.print(&text).await;
            ExitStatus::SUCCESS
        }
        Refusal::Invalid(option) => {
            let text = match dialect {
                Dialect::Bash => {
                    let usage = [
                        b"Usage:\t".as_slice(),
                        name,
                        b" [GNU long option] [option] ...\n\t",
                        name,
                        b" [GNU long option] [option] script-file ...\n",
                    ]
                    .concat();
                    [name, b": ", &option, b": invalid option\n", &usage].concat()
                }
                Dialect::Dash => [name, b": 0: Illegal option ", &option, b"\n"].concat(),
                Dialect::Ash => [name, b": illegal option ", &option, b"\n"].concat(),
            };
            proc.print_error(&text).await;
            ExitStatus::Exited(2)
        }
        Refusal::Missing(option) => {
            let text = match dialect {
                Dialect::Bash => {
                    [name, b": ", &option, b": option requires an argument\n"].concat()
                }
                Dialect::Dash => [name, b": 0: ", &option, b" requires an argument\n"].concat(),
                Dialect::Ash => [name, b": ", &option, b" requires an argument\n"].concat(),
            };
            proc.print_error(&text).await;
            ExitStatus::Exited(2)
        }
    }
}

impl Invocation {
    fn read(args: &[Vec<u8>], dialect: Dialect) -> Result<Self, Refusal> {
        let mut invocation = Self::default();
        let (name, mut rest) = match args.split_first() {
            Some((name, rest)) => (name.as_slice(), rest),
            None => (b"sh".as_slice(), args),
        };
        invocation.login = name.starts_with(b"-");
        let base = name.rsplit(|&byte| byte == b'/').next().unwrap_or(name);
        invocation.posix = dialect == Dialect::Bash && base == b"sh";
        while let Some((arg, after)) = rest.split_first() {
            let (sign, letters) = match arg.split_first() {
                Some((sign @ (b'-' | b'+'), letters)) if !letters.is_empty() => (*sign, letters),
                Some((b'-', _)) => {
                    rest = after;
                    break;
                }
                _ => break,
            };
            rest = after;
            if arg == b"--" {
                break;
            }
            if let Some(long) = letters
                .strip_prefix(b"-")
                .filter(|_| sign == b'-' && dialect == Dialect::Bash)
            {
                invocation.read_long(long, arg, &mut rest)?;
                continue;
            }
            for letter in letters {
                invocation.read_letter(*letter, sign == b'-', arg, &mut rest, dialect)?;
            }
        }
        invocation.operands = rest.to_vec();
        Ok(invocation)
    }

    fn read_long(&mut self, long: &[u8], arg: &[u8], rest: &mut &[Vec<u8>]) -> Result<(), Refusal> {
        match long {
            b"login" => self.login = true,
            b"norc" => self.no_rc = true,
            b"noprofile" => self.no_profile = true,
            b"posix" => self.posix = true,
            b"noediting" | b"verbose" | b"debugger" | b"restricted" => {}
            b"rcfile" | b"init-file" => *rest = rest.get(1..).unwrap_or_default(),
            b"version" => return Err(Refusal::Version),
            b"help" => return Err(Refusal::Help),
            _ => return Err(Refusal::Invalid(arg.to_vec())),
        }
        Ok(())
    }

    fn read_letter(
        &mut self,
        letter: u8,
        on: bool,
        _arg: &[u8],
        rest: &mut &[Vec<u8>],
        dialect: Dialect,
    ) -> Result<(), Refusal> {
        let shown = vec![if on { b'-' } else { b'+' }, letter];
        match letter {
            b'c' if on => self.command = true,
            b'l' if on => self.login = true,
            b'i' if on => self.interactive = true,
            b's' if on => self.stdin = true,
            b'o' | b'O' => {
                let Some((name, after)) = rest.split_first() else {
                    return Err(Refusal::Missing(shown));
                };
                let list = if letter == b'o' {
                    &mut self.switches
                } else {
                    &mut self.shopts
                };
                list.push((name.clone(), on));
                *rest = after;
            }
            b'D' | b'r' if dialect == Dialect::Bash => {}
            _ => {
                let known = crate::option::SET_OPTIONS
                    .iter()
                    .find(|option| option.letter == letter);
                match known {
                    Some(option) => self.switches.push((option.name.as_bytes().to_vec(), on)),
                    None => return Err(Refusal::Invalid(shown)),
                }
            }
        }
        Ok(())
    }
}

impl Shell {
    async fn start(&mut self, proc: &mut Process, invocation: Invocation) -> Run {
        self.import_environment(proc);
        for (name, on) in &invocation.switches {
            if let Ok(name) = std::str::from_utf8(name) {
                self.options.set(name, *on);
            }
        }
        for (name, on) in &invocation.shopts {
            if let Ok(name) = std::str::from_utf8(name) {
                self.options.set_shopt(name, *on);
            }
        }
        let mut operands = invocation.operands.into_iter();
        if invocation.command {
            let Some(text) = operands.next() else {
                let text = [self.arg0.as_slice(), b": -c: option requires an argument\n"].concat();
                proc.print_error(&text).await;
                self.status = 2;
                return Err(Flow::Exit);
            };
            self.source = Source::CommandString;
            if let Some(name) = operands.next() {
                self.arg0 = name;
            }
            self.positional = operands.collect();
            self.interactive = invocation.interactive;
            self.prepare(proc, invocation.no_rc, invocation.no_profile)
                .await?;
            self.execution_string = Some(text.clone());
            self.observe_input(proc, &text);
            return self.run_text_from(proc, &text, 1, Place::Last).await;
        }
        if !invocation.stdin
            && let Some(path) = operands.next()
        {
            self.positional = operands.collect();
            return self
                .run_script(proc, path, invocation.no_rc, invocation.no_profile)
                .await;
        }
        self.positional = operands.collect();
        let on_terminal = proc.is_terminal(STDIN) && proc.is_terminal(STDERR);
        self.interactive = invocation.interactive || on_terminal;
        self.source = if self.interactive {
            Source::Terminal
        } else {
            Source::Stdin
        };
        self.prepare(proc, invocation.no_rc, invocation.no_profile)
            .await?;
        if self.interactive {
            self.converse(proc).await
        } else {
            self.run_stdin(proc).await
        }
    }

    async fn run_script(
        &mut self,
        proc: &mut Process,
        path: Vec<u8>,
        no_rc: bool,
        no_profile: bool,
    ) -> Run {
        self.source = Source::Script;
        let text = match builtin::source::read_script(proc, &path).await {
            Err(Errno::Enoent) if !path.contains(&b'/') => match self.search_path(proc, &path) {
                Some(found) => builtin::source::read_script(proc, &found).await,
                None => Err(Errno::Enoent),
            },
            result => result,
        };
        let text = match text {
            Ok(text) => text,
            Err(errno) => return self.cannot_open_script(proc, &path, errno).await,
        };
        if text
            .iter()
            .take(80)
            .take_while(|byte| **byte != b'\n')
            .any(|byte| *byte == 0)
        {
            let text = [
                self.arg0.as_slice(),
                b": ",
                &path,
                b": cannot execute binary file\n",
            ]
            .concat();
            if self.is_bash() {
                proc.print_error(
                    &[
                        path.as_slice(),
                        b": ",
                        &path,
                        b": cannot execute binary file\n",
                    ]
                    .concat(),
                )
                .await;
            } else {
                proc.print_error(&text).await;
            }
            self.status = 126;
            return Err(Flow::Exit);
        }
        self.arg0 = path;
        self.prepare(proc, no_rc, no_profile).await?;
        proc.observe(Observation::ShellInput {
            pid: proc.pid(),
            text: text.strip_suffix(b"\n").unwrap_or(&text).to_vec(),
        });
        self.run_text_from(proc, &text, 1, Place::Last).await
    }

    async fn cannot_open_script(&mut self, proc: &mut Process, path: &[u8], errno: Errno) -> Run {
        let name = self.arg0.clone();
        let text = match (self.dialect, errno) {
            (Dialect::Bash, Errno::Eisdir) => {
                [path, b": ", path, b": ", errno.message().as_bytes(), b"\n"].concat()
            }
            (Dialect::Bash, _) => [
                name.as_slice(),
                b": ",
                path,
                b": ",
                errno.message().as_bytes(),
                b"\n",
            ]
            .concat(),
            (Dialect::Dash, Errno::Enoent) => [
                name.as_slice(),
                b": 0: cannot open ",
                path,
                b": No such file\n",
            ]
            .concat(),
            (Dialect::Dash, _) => [
                name.as_slice(),
                b": 0: cannot open ",
                path,
                b": ",
                errno.message().as_bytes(),
                b"\n",
            ]
            .concat(),
            (Dialect::Ash, _) => [
                name.as_slice(),
                b": can't open '",
                path,
                b"': ",
                errno.message().as_bytes(),
                b"\n",
            ]
            .concat(),
        };
        proc.print_error(&text).await;
        self.status = match (self.dialect, errno) {
            (Dialect::Dash, _) => 2,
            (_, Errno::Enoent) => 127,
            _ => 126,
        };
        Err(Flow::Exit)
    }

    /// Variables from the environment, and those that the shell itself sets.
    fn import_environment(&mut self, proc: &Process) {
        for (name, value) in proc.env().iter() {
            if is_name(name) {
                self.variables.set_own(name, value);
                self.variables
                    .modify(name, |variable| variable.attributes.exported = true);
            }
        }
        self.ignored_at_start = Signal::all()
            .filter(|signal| proc.disposition(*signal) == Disposition::Ignore)
            .collect();
        self.variables.set_own(b"PPID", proc.ppid().to_string());
        self.variables.set_own(b"IFS", *b" \t\n");
        self.variables.set_own(b"OPTIND", *b"1");
        self.variables.set_own(b"PS2", *b"> ");
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
            self.variables.set_own(b"PS1", prompt);
            return;
        }
        self.variables
            .modify(b"PWD", |variable| variable.attributes.exported = true);
        self.variables
            .modify(b"OLDPWD", |variable| variable.attributes.exported = true);
        let level: i64 = self
            .variables
            .scalar(b"SHLVL")
            .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
            .unwrap_or(0);
        self.variables.set_own(b"SHLVL", (level + 1).to_string());
        self.variables
            .modify(b"SHLVL", |variable| variable.attributes.exported = true);
        if self.variables.scalar(b"PATH").is_none() {
            self.variables.set_own(
                b"PATH",
                *b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            );
        }
        let credentials = proc.credentials();
        for (name, value) in [
            (b"BASH".as_slice(), b"/bin/bash".to_vec()),
            (b"BASH_VERSION", b"5.2.15(1)-release".to_vec()),
            (b"HOSTNAME", proc.facts().hostname.clone()),
            (b"HOSTTYPE", b"x86_64".to_vec()),
            (b"MACHTYPE", b"x86_64-pc-linux-gnu".to_vec()),
            (b"OSTYPE", b"linux-gnu".to_vec()),
            (b"UID", credentials.uid.to_string().into_bytes()),
            (b"EUID", credentials.uid.to_string().into_bytes()),
            (b"OPTERR", b"1".to_vec()),
        ] {
            self.variables.set_own(name, value);
        }
        let groups = credentials
            .groups
            .iter()
            .map(|group| group.to_string().into_bytes());
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

    /// Options and startup files of this kind of shell.
    async fn prepare(&mut self, proc: &mut Process, no_rc: bool, no_profile: bool) -> Run {
        self.for_person = self.interactive;
        if self.interactive {
            // Startup files tell by it whether a person is there.
            if self.is_bash() {
                let home = self.variables.scalar(b"HOME").unwrap_or_default();
                let history = [home, b"/.bash_history"].concat();
                for (name, value) in [
                    (b"PS1".as_slice(), b"\\s-\\v\\$ ".to_vec()),
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
            self.options.set("monitor", proc.is_terminal(STDIN));
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
        self.status = 0;
        Ok(())
    }

    async fn source_if_there(&mut self, proc: &mut Process, path: &[u8]) -> Run {
        let Ok(text) = builtin::source::read_script(proc, path).await else {
            return Ok(());
        };
        match builtin::source::run_file(self, proc, path, &text, &[]).await {
            Ok(_) | Err(Flow::Return | Flow::Abandon) => Ok(()),
            Err(flow) => Err(flow),
        }
    }

    /// Reads commands from a person until the end of the input.
    async fn converse(&mut self, proc: &mut Process) -> Run {
        if self.dialect == Dialect::Ash {
            proc.print_error(ASH_BANNER).await;
        }
        self.load_history(proc).await;
        loop {
            match self.converse_once(proc).await {
                Ok(true) => {}
                Ok(false) => {
                    let word: &[u8] = match (self.is_bash(), self.login) {
                        (true, true) => b"logout\n",
                        (true, false) => b"exit\n",
                        (false, _) => b"\n",
                    };
                    proc.print_error(word).await;
                    return Ok(());
                }
                Err(Flow::Exit) => return Err(Flow::Exit),
                Err(_) => {
                    self.loops = 0;
                    self.depth = 0;
                    self.condition = 0;
                    self.frames.clear();
                }
            }
        }
    }

    /// One command from a person; `false` at the end of the input.
    async fn converse_once(&mut self, proc: &mut Process) -> Result<bool, Flow> {
        self.tell_of_jobs(proc).await;
        let command = self.variables.scalar(b"PROMPT_COMMAND").map(<[u8]>::to_vec);
        if let Some(command) = command.filter(|_| self.is_bash()) {
            let status = self.status;
            self.run_text(proc, &command).await?;
            self.status = status;
        }
        let mut text: Vec<u8> = Vec::new();
        let mut kind = PromptKind::Ps1;
        loop {
            let prompt = self.prompt(proc, kind).await;
            let line = match self.read_line(proc, &prompt).await {
                Input::Line(line) => line,
                Input::Interrupted => {
                    self.status = 130;
                    return Ok(true);
                }
                Input::End if text.is_empty() => return Ok(false),
                Input::End => {
                    let error = self.syntax_at_end(&text);
                    if let Some(error) = error {
                        self.syntax_error(proc, &error).await;
                    }
                    return Ok(true);
                }
            };
            text.extend_from_slice(&line);
            text.push(b'\n');
            let outcome = {
                let mut options = self.syntax_options();
                options.first_line = 1;
                options.last = false;
                options.aliases = Some(self);
                Parser::new(&text, &options).next_command()
            };
            match outcome {
                Outcome::Incomplete(_) => {
                    kind = PromptKind::Ps2;
                    continue;
                }
                Outcome::End => {
                    self.remember(&text);
                    return Ok(true);
                }
                Outcome::Error(error) => {
                    self.remember(&text);
                    self.observe_input(proc, text.strip_suffix(b"\n").unwrap_or(&text));
                    self.syntax_error(proc, &error).await;
                    return Ok(true);
                }
                Outcome::Command(command) => {
                    self.remember(&text);
                    self.observe_input(proc, text.strip_suffix(b"\n").unwrap_or(&text));
                    self.run_list(proc, &command.list).await?;
                    self.check_interrupt(proc).await?;
                    return Ok(true);
                }
            }
        }
    }

    fn remember(&mut self, text: &[u8]) {
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        if self.options.is_set("history") && !line.trim_ascii().is_empty() {
            let control = Control::read(self.variables.scalar(b"HISTCONTROL").unwrap_or_default());
            self.history
                .add(&crate::readline::history::join(line), control);
        }
    }

    fn syntax_at_end(&self, text: &[u8]) -> Option<sundew_sh_syntax::SyntaxError> {
        let mut options = self.syntax_options();
        options.first_line = 1;
        match Parser::new(text, &options).next_command() {
            Outcome::Error(error) => Some(error),
            _ => None,
        }
    }

    /// The end of the shell: its `EXIT` trap, its history, its background jobs.
    async fn leave(&mut self, proc: &mut Process, run: Run) -> ExitStatus {
        let status = self.finish(proc, run).await;
        if self.interactive && self.is_bash() {
            self.save_history(proc).await;
        }
        status
    }
}
