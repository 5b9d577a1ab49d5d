//! `set`.

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::option::SET_OPTIONS;
use crate::shell::{Shell, Source};
use crate::words::Words;

const USAGE: &str = "set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]";

/// The options of dash, in its order: name, letter (0 for none).
const DASH_OPTIONS: &[(&str, u8)] = &[
    ("errexit", b'e'),
    ("noglob", b'f'),
    ("ignoreeof", b'I'),
    ("interactive", b'i'),
    ("monitor", b'm'),
    ("noexec", b'n'),
    ("stdin", b's'),
    ("xtrace", b'x'),
    ("verbose", b'v'),
    ("vi", b'V'),
    ("emacs", b'E'),
    ("noclobber", b'C'),
    ("allexport", b'a'),
    ("notify", b'b'),
    ("nounset", b'u'),
    ("privileged", b'p'),
    ("nolog", 0),
    ("debug", 0),
];

/// The options of BusyBox's ash, in its order.
const ASH_OPTIONS: &[(&str, u8)] = &[
    ("errexit", b'e'),
    ("noglob", b'f'),
    ("ignoreeof", b'I'),
    ("monitor", b'm'),
    ("noexec", b'n'),
    ("xtrace", b'x'),
    ("verbose", b'v'),
    ("noclobber", b'C'),
    ("allexport", b'a'),
    ("notify", b'b'),
    ("nounset", b'u'),
    ("errtrace", 0),
    ("vi", b'V'),
    ("pipefail", 0),
];

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let operands = args.get(1..).unwrap_or_default();
    if operands.is_empty() {
        let text = shell.set_listing();
        let _checked_at_flush = proc.print(&text).await;
        return Ok(0);
    }
    // bash looks at all letters before it changes anything.
    if shell.is_bash()
        && let Some(option) = first_invalid(operands)
    {
        return Ok(shell.invalid_option(proc, args, &option, USAGE).await);
    }
    let mut index = 0;
    let mut replaces = false;
    while let Some(arg) = operands.get(index) {
        let (sign, letters) = match arg.split_first() {
            Some((b'-', [])) => {
                shell.options.set("xtrace", false);
                shell.options.set("verbose", false);
                index += 1;
                break;
            }
            Some((b'-', b"-")) => {
                index += 1;
                replaces = true;
                break;
            }
            Some((&sign @ (b'-' | b'+'), letters)) => (sign, letters),
            _ => break,
        };
        index += 1;
        for &letter in letters {
            if letter == b'o' {
                let name = operands.get(index).filter(|name| {
                    !shell.is_bash() || !name.starts_with(b"-") && !name.starts_with(b"+")
                });
                match name {
                    Some(name) => {
                        index += 1;
                        if !shell.switch(proc, args, name, sign == b'-').await {
                            return refuse_name(shell, proc, args, sign, name).await;
                        }
                    }
                    None => {
                        let text = listing(shell, sign == b'-');
                        let _checked_at_flush = proc.print(&text).await;
                    }
                }
                continue;
            }
            let known = option_of_letter(shell, letter);
            // ash says which sign it was, dash always says `-`.
            let shown = if shell.dialect == Dialect::Dash {
                b'-'
            } else {
                sign
            };
            match known {
                Some("restricted") if sign == b'+' && shell.is_restricted() => {
                    let status = shell.invalid_option(proc, args, b"+r", USAGE).await;
                    return shell.special_failed(status.min(1));
                }
                Some(name) => {
                    shell
                        .switch(proc, args, name.as_bytes(), sign == b'-')
                        .await;
                }
                None => {
                    let status = shell
                        .invalid_option(proc, args, &[shown, letter], USAGE)
                        .await;
                    return shell.special_failed(status);
                }
            }
        }
    }
    if replaces || index < operands.len() {
        shell.positional = Words::copy(proc, operands.get(index..).unwrap_or_default()).await;
    }
    Ok(0)
}

/// The first letter that is no option, with its sign.
fn first_invalid(operands: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut rest = operands.iter();
    while let Some(arg) = rest.next() {
        let (&sign, letters) = arg.split_first()?;
        if !matches!(sign, b'-' | b'+') || letters.is_empty() || arg == b"--" {
            return None;
        }
        for &letter in letters {
            if letter == b'o' {
                if rest
                    .as_slice()
                    .first()
                    .is_some_and(|name| !name.starts_with(b"-") && !name.starts_with(b"+"))
                {
                    rest.next();
                }
            } else if letter != b'r' && !SET_OPTIONS.iter().any(|option| option.letter == letter) {
                return Some(vec![sign, letter]);
            }
        }
    }
    None
}

/// The long name behind a letter.
fn option_of_letter(shell: &Shell, letter: u8) -> Option<&'static str> {
    let find = |table: &'static [(&'static str, u8)]| {
        table
            .iter()
            .find(|option| option.1 == letter && letter != 0)
            .map(|option| option.0)
    };
    match shell.dialect {
        // There is a letter and no name for it.
        Dialect::Bash if letter == b'r' => Some("restricted"),
        Dialect::Bash => SET_OPTIONS
            .iter()
            .find(|option| option.letter == letter)
            .map(|option| option.name),
        Dialect::Dash => find(DASH_OPTIONS),
        Dialect::Ash => find(ASH_OPTIONS),
    }
}

async fn refuse_name(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    sign: u8,
    name: &[u8],
) -> Answer {
    match shell.dialect {
        Dialect::Bash => Ok(shell
            .builtin_error(proc, args, [name, b": invalid option name"].concat(), 2)
            .await),
        Dialect::Dash => {
            let status = shell
                .builtin_error(proc, args, [b"Illegal option -o ", name].concat(), 2)
                .await;
            shell.special_failed(status)
        }
        Dialect::Ash => Ok(shell
            .builtin_error(
                proc,
                args,
                [b"illegal option ", [sign].as_slice(), b"o ", name].concat(),
                1,
            )
            .await),
    }
}

impl Shell {
    /// Switches an option by its long name, with what follows from it; whether there is one.
    pub(in crate::builtin) async fn switch(
        &mut self,
        proc: &mut Process,
        args: &[Vec<u8>],
        name: &[u8],
        on: bool,
    ) -> bool {
        let Ok(name) = std::str::from_utf8(name) else {
            return false;
        };
        let exists = match self.dialect {
            Dialect::Bash => SET_OPTIONS.iter().any(|option| option.name == name),
            Dialect::Dash => DASH_OPTIONS.iter().any(|option| option.0 == name),
            Dialect::Ash => ASH_OPTIONS.iter().any(|option| option.0 == name),
        };
        if !exists {
            let restricted = name == "restricted" && on;
            if restricted {
                self.restrict();
            }
            return restricted;
        }
        match name {
            "vi" if on => drop(self.options.set("emacs", false)),
            "emacs" if on => drop(self.options.set("vi", false)),
            // A person cannot switch off the execution of what is typed.
            "noexec" if self.interactive => return true,
            "monitor" if on && !self.is_bash() && !proc.is_terminal(0) => {
                self.builtin_error(proc, args, "can't access tty; job control turned off", 0)
                    .await;
                return true;
            }
            "monitor" => self.without_jobs = false,
            _ => {}
        }
        self.options.set(name, on);
        true
    }
}

/// `set -o` (`readable`) and `set +o`.
fn listing(shell: &Shell, readable: bool) -> Vec<u8> {
    let names: Vec<&str> = match shell.dialect {
        Dialect::Bash => SET_OPTIONS.iter().map(|option| option.name).collect(),
        Dialect::Dash => DASH_OPTIONS.iter().map(|option| option.0).collect(),
        Dialect::Ash => ASH_OPTIONS.iter().map(|option| option.0).collect(),
    };
    let mut text = String::new();
    if shell.dialect == Dialect::Dash && readable {
        text.push_str("Current option settings\n");
    }
    for name in names {
        let on = match name {
            "interactive" => shell.interactive,
            "stdin" => matches!(shell.source, Source::Stdin | Source::Terminal),
            name => shell.options.is_set(name),
        };
        text.push_str(&option_line(name, on, readable, shell.is_bash()));
    }
    text.into_bytes()
}

/// One line of `set -o` or `set +o`.
pub(super) fn option_line(name: &str, on: bool, readable: bool, bash: bool) -> String {
    match (readable, bash) {
        (true, true) => format!("{name:<15}\t{}\n", if on { "on" } else { "off" }),
        (true, false) => format!("{name:<16}{}\n", if on { "on" } else { "off" }),
        (false, _) => format!("set {}o {name}\n", if on { '-' } else { '+' }),
    }
}
