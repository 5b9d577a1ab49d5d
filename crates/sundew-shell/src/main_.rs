//! From a command line to a running shell: `-c TEXT`, a script, standard input, a terminal.

use futures_util::future::BoxFuture;
use sundew_kernel::observe::Observation;
use sundew_kernel::program::Program;
use sundew_kernel::{Errno, ExitStatus, Process, STDERR, STDIN};
use sundew_sh_syntax::Dialect;

use crate::builtin;
use crate::interp::Place;
use crate::shell::{Flow, Restricted, Run, Shell, Source};

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

/// What bash lists after an option that it does not know.
const LONG_OPTIONS: &[u8] = b"GNU long options:\n\t--debug\n\t--debugger\n\t--dump-po-strings\n\
    \t--dump-strings\n\t--help\n\t--init-file\n\t--login\n\t--noediting\n\t--noprofile\n\t--norc\n\
    \t--posix\n\t--pretty-print\n\t--rcfile\n\t--restricted\n\t--verbose\n\t--version\n\
    Shell options:\n\t-ilrsD or -c command or -O shopt_option\t\t(invocation only)\n\
    \t-abefhkmnptuvxBCEHPT or -o option\n";

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
    restricted: bool,
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
        if invocation.restricted {
            shell.restricted = Restricted::AfterStartup;
        }
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
                        LONG_OPTIONS,
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
        let plain = base.strip_prefix(b"-").unwrap_or(base);
        invocation.restricted = dialect == Dialect::Bash && plain == b"rbash";
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
            b"restricted" => self.restricted = true,
            b"noediting" | b"verbose" | b"debugger" => {}
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
                let known = letter == b'O'
                    || crate::option::SET_OPTIONS
                        .iter()
                        .any(|option| option.name.as_bytes() == name.as_slice());
                if !known && dialect != Dialect::Bash {
                    return Err(Refusal::Invalid([shown.as_slice(), b" ", name].concat()));
                }
                list.push((name.clone(), on));
                *rest = after;
            }
            b'r' if dialect == Dialect::Bash => self.restricted |= on,
            b'D' if dialect == Dialect::Bash => {}
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
    /// bash refuses names that are no options before it does anything.
    async fn check_options(&mut self, proc: &mut Process, invocation: &Invocation) -> Run {
        if self.is_bash() {
            let unknown = |known: &dyn Fn(&str) -> bool, name: &[u8]| {
                !std::str::from_utf8(name).is_ok_and(known)
            };
            let option = |name: &str| crate::option::SET_OPTIONS.iter().any(|it| it.name == name);
            let shopt = |name: &str| crate::option::SHOPT_OPTIONS.iter().any(|it| it.0 == name);
            let wrong = invocation
                .switches
                .iter()
                .find(|(name, _)| unknown(&option, name));
            let text = match wrong {
                Some((name, _)) => {
                    Some([b"bash: ", name.as_slice(), b": invalid option name"].concat())
                }
                None => invocation
                    .shopts
                    .iter()
                    .find(|(name, _)| unknown(&shopt, name))
                    .map(|(name, _)| [name.as_slice(), b": invalid shell option name"].concat()),
            };
            if let Some(text) = text {
                let line = [self.arg0.as_slice(), b": line 0: ", &text, b"\n"].concat();
                proc.print_error(&line).await;
                self.status = 2;
                return Err(Flow::Exit);
            }
        }
        Ok(())
    }

    async fn start(&mut self, proc: &mut Process, invocation: Invocation) -> Run {
        // A shell with a set-id bit gives the right up unless it is told to keep it; BusyBox's keeps it.
        let keeps = |(name, on): &(Vec<u8>, bool)| *on && name == b"privileged";
        if self.dialect != Dialect::Ash && !invocation.switches.iter().any(keeps) {
            proc.drop_set_id();
        }
        for complaint in self.import_environment(proc) {
            proc.print_error(&complaint).await;
        }
        self.check_options(proc, &invocation).await?;
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
                let what: &[u8] = match self.dialect {
                    Dialect::Bash => b": -c: option requires an argument\n",
                    Dialect::Dash => b": 0: -c requires an argument\n",
                    Dialect::Ash => b": -c requires an argument\n",
                };
                let text = [self.arg0.as_slice(), what].concat();
                proc.print_error(&text).await;
                self.status = 2;
                return Err(Flow::Exit);
            };
            self.source = Source::CommandString;
            if let Some(name) = operands.next() {
                self.arg0 = name;
            }
            self.positional = operands.collect::<Vec<_>>().into();
            self.interactive = invocation.interactive;
            self.prepare(proc, invocation.no_rc, invocation.no_profile)
                .await?;
            self.execution_string = Some(text.clone().into());
            self.observe_input(proc, &text);
            return self.run_text_from(proc, &text, 1, Place::Last).await;
        }
        if !invocation.stdin
            && let Some(path) = operands.next()
        {
            self.positional = operands.collect::<Vec<_>>().into();
            return self
                .run_script(proc, path, invocation.no_rc, invocation.no_profile)
                .await;
        }
        self.positional = operands.collect::<Vec<_>>().into();
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
        // The others read what they are given.
        let mut first = text.iter().take(80).take_while(|byte| **byte != b'\n');
        if self.is_bash() && (text.starts_with(b"\x7fELF") || first.any(|byte| *byte == 0)) {
            let text = [
                &path,
                b": ".as_slice(),
                &path,
                b": cannot execute binary file\n",
            ];
            proc.print_error(&text.concat()).await;
            self.status = 126;
            return Err(Flow::Exit);
        }
        let mut text = text;
        text.retain(|byte| *byte != 0);
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
            // dash opens a directory and reads nothing.
            (Dialect::Dash, Errno::Eisdir) => {
                self.status = 0;
                return Err(Flow::Exit);
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
            (Dialect::Ash, _) => 2,
            (_, Errno::Enoent) => 127,
            _ => 126,
        };
        Err(Flow::Exit)
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
