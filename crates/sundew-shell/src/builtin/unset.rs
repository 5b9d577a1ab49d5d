//! `unset`.

use sundew_kernel::Process;

use super::Answer;
use crate::expand::parameter::split_index;
use crate::shell::Shell;
use crate::variable::{Value, is_name};

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let (mut functions, mut variables, mut raw) = (false, false, false);
    let mut rest = args.get(1..).unwrap_or_default();
    while let Some((option, after)) = rest.split_first() {
        match option.as_slice() {
            b"-f" => functions = true,
            b"-v" => variables = true,
            b"-n" => raw = true,
            b"--" => {
                rest = after;
                break;
            }
            option if option.starts_with(b"-") && option.len() > 1 => {
                let usage = "unset: usage: unset [-f] [-v] [-n] [name ...]";
                let status = shell.invalid_option(proc, args, option, usage).await;
                return shell.special_failed(status);
            }
            _ => break,
        }
        rest = after;
    }
    let mut status = 0;
    for operand in rest {
        let (name, index) = split_index(operand);
        if functions {
            shell.functions.remove(operand);
            continue;
        }
        if !is_name(name) && shell.is_bash() && !variables && !raw {
            // It may name a function, and bash does not mind if it does not.
            shell.functions.remove(operand);
            continue;
        }
        if !is_name(name) {
            let text = if shell.is_bash() {
                [b"`".as_slice(), operand, b"': not a valid identifier"].concat()
            } else {
                [operand.as_slice(), b": bad variable name"].concat()
            };
            status = shell.builtin_error(proc, args, text, 1).await;
            if !shell.is_bash() {
                return shell.special_failed(2);
            }
            continue;
        }
        if let Some(index) = index {
            unset_element(shell, proc, name, index).await?;
            continue;
        }
        if shell.is_bash() && LOSE_MEANING.contains(&name) {
            shell.plain_names.push(name.to_vec());
        }
        let known = shell.variables.raw(name).is_some();
        let removed = if raw {
            shell.variables.unset_raw(name)
        } else {
            shell.variables.unset(name)
        };
        if !removed {
            let text = [name, b": cannot unset: readonly variable"].concat();
            status = shell.builtin_error(proc, args, text, 1).await;
        } else if !known && !variables && shell.is_bash() {
            shell.functions.remove(name);
        }
    }
    Ok(status)
}

/// Variables that are ordinary ones once they were unset: bash(1), "Shell Variables".
const LOSE_MEANING: [&[u8]; 9] = [
    b"RANDOM",
    b"SRANDOM",
    b"SECONDS",
    b"EPOCHSECONDS",
    b"EPOCHREALTIME",
    b"BASHPID",
    b"BASH_COMMAND",
    b"BASH_SUBSHELL",
    b"DIRSTACK",
];

async fn unset_element(
    shell: &mut Shell,
    proc: &mut Process,
    name: &[u8],
    index: &[u8],
) -> Result<(), crate::Flow> {
    let associative = matches!(
        shell
            .variables
            .variable(name)
            .and_then(|variable| variable.value.as_ref()),
        Some(Value::Associative(_))
    );
    // In an associative array they are keys.
    if matches!(index, b"@" | b"*") && !associative {
        let emptied = shell
            .variables
            .modify(name, |variable| match &mut variable.value {
                Some(Value::Indexed(elements)) => {
                    elements.clear();
                    true
                }
                _ => false,
            });
        if !emptied {
            shell.variables.unset(name);
        }
        return Ok(());
    }
    let number = if associative {
        0
    } else {
        shell.arithmetic(proc, index).await?
    };
    let index = index.to_vec();
    shell
        .variables
        .modify(name, |variable| match &mut variable.value {
            Some(Value::Associative(elements)) => drop(elements.remove(&index)),
            Some(Value::Indexed(elements)) => {
                let last = elements.last_key_value().map_or(-1, |(key, _)| *key);
                drop(elements.remove(&if number < 0 {
                    number + last + 1
                } else {
                    number
                }));
            }
            Some(Value::Scalar(_)) if number == 0 => variable.value = None,
            _ => {}
        });
    Ok(())
}
