//! `getopts`.

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::getopt::{Found, Options, integer};
use super::store::store;
use crate::shell::Shell;
use crate::variable::is_name;

const USAGE: &str = "getopts: usage: getopts optstring name [arg ...]";

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut options = Options::new(args, b"");
    // dash and ash have no options here: `-z` would be the list of letters.
    let operands = if shell.is_bash() {
        if let Some(found @ (Found::Unknown(_) | Found::Missing(_))) = options.next() {
            return Ok(shell.bad_option(proc, args, found, USAGE).await);
        }
        options.operands()
    } else {
        args.get(1..).unwrap_or_default()
    };
    let [letters, name, rest @ ..] = operands else {
        return Ok(usage(shell, proc, args).await);
    };
    let positional = if rest.is_empty() {
        shell.positional.to_vec()
    } else {
        rest.to_vec()
    };
    let step = next(shell, letters, &positional);
    report(shell, proc, letters, &step).await;
    let quiet = letters.first() == Some(&b':');
    let ended = matches!(step.outcome, Outcome::End);
    let refused = matches!(step.outcome, Outcome::Unknown(_) | Outcome::Missing(_));
    let (found, argument) = match step.outcome {
        Outcome::End => (b'?', None),
        Outcome::Option(letter, argument) => (letter, argument),
        Outcome::Unknown(letter) => (b'?', quiet.then(|| vec![letter])),
        Outcome::Missing(letter) if quiet => (b':', Some(vec![letter])),
        Outcome::Missing(_) => (b'?', None),
    };
    let fixed = shell
        .variables
        .variable(b"OPTIND")
        .is_some_and(|variable| variable.attributes.readonly);
    if shell.is_bash() && fixed {
        shell.complain(proc, "OPTIND: readonly variable").await;
    } else {
        shell.variables.set_own(b"OPTIND", step.index.to_string());
    }
    shell.getopts_at = step.at;
    match argument {
        Some(argument) => drop(store(shell, proc, args, b"OPTARG", argument).await?),
        None if shell.is_bash() || refused => drop(shell.variables.unset(b"OPTARG")),
        None if ended && shell.dialect == Dialect::Ash => drop(shell.variables.unset(b"OPTARG")),
        None if ended => {}
        None => shell.variables.set_own(b"OPTARG", Vec::new()),
    }
    if !is_name(name) {
        let text = if shell.is_bash() {
            [b"`".as_slice(), name, b"': not a valid identifier"].concat()
        } else {
            [name.as_slice(), b": bad variable name"].concat()
        };
        return Ok(shell
            .builtin_error(proc, args, text, if shell.is_bash() { 1 } else { 2 })
            .await);
    }
    let status = store(shell, proc, args, name, vec![found]).await?;
    Ok(status.max(u8::from(ended)))
}

async fn usage(shell: &Shell, proc: &mut Process, args: &[Vec<u8>]) -> u8 {
    match shell.dialect {
        Dialect::Bash => proc.print_error(format!("{USAGE}\n").as_bytes()).await,
        Dialect::Dash => {
            shell
                .builtin_error(proc, args, "Usage: getopts optstring var [arg...]", 2)
                .await;
        }
        Dialect::Ash => {
            shell
                .builtin_error(proc, args, "usage: getopts optstring var [arg]", 2)
                .await;
        }
    }
    2
}

/// What the next option is, and where the one after it is looked for.
struct Step {
    outcome: Outcome,
    /// `OPTIND`
    index: usize,
    /// Position in a group of letters; 0 at the start of an argument.
    at: usize,
}

#[derive(Clone)]
enum Outcome {
    End,
    Option(u8, Option<Vec<u8>>),
    Unknown(u8),
    Missing(u8),
}

fn next(shell: &Shell, letters: &[u8], args: &[Vec<u8>]) -> Step {
    let index = shell
        .variables
        .scalar(b"OPTIND")
        .and_then(integer)
        .and_then(|index| usize::try_from(index).ok());
    let mut index = index.unwrap_or(1).max(1);
    // dash and ash name the next argument as soon as they have begun a group of letters.
    let ahead = usize::from(!shell.is_bash());
    if shell.getopts_at > 0 {
        index = (index - ahead).max(1);
    }
    let end = |index| Step {
        outcome: Outcome::End,
        index,
        at: 0,
    };
    let Some(argument) = args.get(index - 1) else {
        return end(index.min(args.len() + 1));
    };
    let mut at = shell.getopts_at;
    if at == 0 || at >= argument.len() {
        if argument == b"--" {
            return end(index + 1);
        }
        if argument.len() < 2 || !argument.starts_with(b"-") {
            return end(index);
        }
        at = 1;
    }
    let letter = argument.get(at).copied().unwrap_or(0);
    let in_group = at + 1 < argument.len();
    let (after, after_at) = if in_group {
        (index + ahead, at + 1)
    } else {
        (index + 1, 0)
    };
    let known = letters
        .iter()
        .position(|&known| known == letter && letter != b':');
    let Some(known) = known else {
        return Step {
            outcome: Outcome::Unknown(letter),
            index: after,
            at: after_at,
        };
    };
    if letters.get(known + 1) != Some(&b':') {
        return Step {
            outcome: Outcome::Option(letter, None),
            index: after,
            at: after_at,
        };
    }
    if in_group {
        let value = argument.get(at + 1..).unwrap_or_default().to_vec();
        return Step {
            outcome: Outcome::Option(letter, Some(value)),
            index: index + 1,
            at: 0,
        };
    }
    match args.get(index) {
        Some(value) => Step {
            outcome: Outcome::Option(letter, Some(value.clone())),
            index: index + 2,
            at: 0,
        },
        None => Step {
            outcome: Outcome::Missing(letter),
            index: index + 1,
            at: 0,
        },
    }
}

/// The complaint about a bad option, unless the script wants to make its own.
async fn report(shell: &Shell, proc: &mut Process, letters: &[u8], step: &Step) {
    let silent = letters.first() == Some(&b':') || shell.variables.scalar(b"OPTERR") == Some(b"0");
    let (letter, bash, others) = match step.outcome {
        Outcome::Unknown(letter) => (letter, "illegal option -- ", ["Illegal option -", ""]),
        Outcome::Missing(letter) => (
            letter,
            "option requires an argument -- ",
            ["No arg for -", " option"],
        ),
        Outcome::End | Outcome::Option(..) => return,
    };
    if silent {
        return;
    }
    let letter = [letter];
    let text = if shell.is_bash() {
        [
            shell.arg0.as_slice(),
            b": ",
            bash.as_bytes(),
            &letter,
            b"\n",
        ]
        .concat()
    } else {
        [others[0].as_bytes(), &letter, others[1].as_bytes(), b"\n"].concat()
    };
    proc.print_error(&text).await;
}
