//! `trap`.

use std::collections::BTreeMap;

use sundew_kernel::signal::Disposition;
use sundew_kernel::{Process, Signal};
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::declare::show::single_quote;
use super::kill::signal_table;
use crate::shell::Shell;
use crate::trap::Condition;

const USAGE: &str = "trap: usage: trap [-lp] [[arg] signal_spec ...]";

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut operands = args.get(1..).unwrap_or_default();
    let (mut table, mut print) = (false, false);
    while let Some((option, rest)) = operands.split_first() {
        let Some(letters) = option
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        operands = rest;
        if letters == b"-" {
            break;
        }
        for &letter in letters {
            match letter {
                b'l' if shell.is_bash() => table = true,
                b'p' if shell.is_bash() => print = true,
                _ => {
                    let status = shell
                        .invalid_option(proc, args, &[b'-', letter], USAGE)
                        .await;
                    return shell.special_failed(status);
                }
            }
        }
    }
    if table {
        let _checked_at_flush = proc.print(&signal_table()).await;
        return Ok(0);
    }
    if print || operands.is_empty() {
        return list(shell, proc, args, operands).await;
    }
    let Some((command, conditions)) = split(shell, operands) else {
        if shell.is_bash() {
            proc.print_error(format!("{USAGE}\n").as_bytes()).await;
            return Ok(2);
        }
        return Ok(refuse(
            shell,
            proc,
            args,
            operands.first().map(Vec::as_slice).unwrap_or_default(),
        )
        .await);
    };
    let mut status = 0;
    for name in conditions {
        match condition(shell, name) {
            Some(condition) => set(shell, proc, condition, command),
            None => {
                status = refuse(shell, proc, args, name).await;
                if shell.dialect == Dialect::Dash {
                    break;
                }
            }
        }
    }
    Ok(status)
}

/// Names of conditions.
type Conditions<'a> = &'a [Vec<u8>];

/// The command (`None` to reset) and the conditions; nothing if it is no way to call `trap`.
fn split<'a>(shell: &Shell, operands: &'a [Vec<u8>]) -> Option<(Option<&'a [u8]>, Conditions<'a>)> {
    let (first, rest) = operands.split_first()?;
    let number = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    let known = condition(shell, first).is_some();
    if known && (number || rest.is_empty()) {
        return Some((None, operands));
    }
    if rest.is_empty() {
        return None;
    }
    Some((if first == b"-" { None } else { Some(first) }, rest))
}

/// The condition of this name, if this shell knows it.
fn condition(shell: &Shell, name: &[u8]) -> Option<Condition> {
    let found = Condition::from_name(name)?;
    let known = match shell.dialect {
        Dialect::Bash => true,
        Dialect::Dash => !name
            .get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"SIG")),
        // BusyBox has no names for the real-time signals.
        Dialect::Ash => {
            name.first().is_some_and(u8::is_ascii_digit)
                || !matches!(found, Condition::Signal(signal) if signal.number() > 31)
        }
    };
    let own = shell.is_bash()
        || matches!(found, Condition::Exit | Condition::Signal(_))
        || found == Condition::Err && shell.dialect == Dialect::Ash;
    (known && own).then_some(found)
}

async fn refuse(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], name: &[u8]) -> u8 {
    if shell.dialect == Dialect::Dash {
        proc.print_error(&[b"trap: ", name, b": bad trap\n"].concat())
            .await;
        return 1;
    }
    shell
        .builtin_error(
            proc,
            args,
            [name, b": invalid signal specification"].concat(),
            1,
        )
        .await
}

async fn list(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], names: &[Vec<u8>]) -> Answer {
    let mut wanted = Vec::new();
    let mut status = 0;
    for name in names {
        match condition(shell, name) {
            Some(condition) => wanted.push(condition),
            None => status = refuse(shell, proc, args, name).await,
        }
    }
    let listed = listed(shell);
    let mut text = Vec::new();
    if names.is_empty() {
        for (condition, command) in &listed {
            text.extend(line(shell, *condition, command));
        }
    }
    for wish in wanted {
        if let Some(command) = listed.get(&wish) {
            text.extend(line(shell, wish, command));
        }
    }
    let _checked_at_flush = proc.print(&text).await;
    Ok(status)
}

/// The traps that are set, and for bash without a person what was ignored when it started.
fn listed(shell: &Shell) -> BTreeMap<Condition, &[u8]> {
    let mut all = BTreeMap::new();
    if shell.is_bash() && !shell.interactive {
        for signal in &shell.ignored_at_start {
            all.insert(Condition::Signal(*signal), b"".as_slice());
        }
    }
    all.extend(shell.traps.listed());
    all
}

fn line(shell: &Shell, condition: Condition, command: &[u8]) -> Vec<u8> {
    let name = match condition {
        Condition::Signal(signal) if shell.dialect == Dialect::Ash && signal.number() > 31 => {
            signal.number().to_string().into_bytes()
        }
        _ => condition.name(shell.is_bash() && !shell.options.is_set("posix")),
    };
    [
        b"trap -- ",
        single_quote(shell.dialect, command).as_slice(),
        b" ",
        &name,
        b"\n",
    ]
    .concat()
}

/// Keeps the command, and tells the kernel what shall happen when the signal comes.
fn set(shell: &mut Shell, proc: &Process, condition: Condition, command: Option<&[u8]>) {
    let Condition::Signal(signal) = condition else {
        shell.traps.set(condition, command.map(<[u8]>::to_vec));
        shell.catch_terminating(proc);
        return;
    };
    // POSIX: what was ignored when a shell that nobody types at was started stays ignored.
    if !shell.interactive && shell.ignored_at_start.contains(&signal) {
        return;
    }
    shell.traps.set(condition, command.map(<[u8]>::to_vec));
    if matches!(signal, Signal::KILL | Signal::STOP) {
        return;
    }
    let disposition = match command {
        Some(b"") => Disposition::Ignore,
        Some(_) => Disposition::Catch,
        None => usual_disposition(shell, signal),
    };
    proc.set_disposition(signal, disposition);
    shell.catch_terminating(proc);
}

/// What the shell does about a signal without a trap.
fn usual_disposition(shell: &Shell, signal: Signal) -> Disposition {
    match signal {
        Signal::INT if shell.interactive => Disposition::Catch,
        Signal::TERM if shell.interactive => Disposition::Ignore,
        Signal::QUIT if shell.interactive || shell.is_bash() => Disposition::Ignore,
        Signal::TSTP | Signal::TTIN | Signal::TTOU if shell.interactive => Disposition::Ignore,
        _ => Disposition::Default,
    }
}
