//! `unset`.

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::expand::parameter::split_index;
use crate::shell::Shell;
use crate::variable::{Reference, Value, Variable, is_name};

/// What the options ask for.
#[derive(Default)]
struct Wish {
    functions: bool,
    variables: bool,
    /// References themselves.
    raw: bool,
}

/// What the options ask for, and the names; or the letter that is none.
fn options(bash: bool, args: &[Vec<u8>]) -> Result<(Wish, &[Vec<u8>]), u8> {
    let mut wish = Wish::default();
    let mut rest = args.get(1..).unwrap_or_default();
    while let Some((option, after)) = rest.split_first() {
        let Some(letters) = option
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        rest = after;
        if letters == b"-" {
            break;
        }
        for &letter in letters {
            match letter {
                b'f' => wish.functions = true,
                b'v' => wish.variables = true,
                b'n' if bash => wish.raw = true,
                _ => return Err(letter),
            }
            if !bash {
                // The last one counts.
                (wish.functions, wish.variables) = (letter == b'f', letter == b'v');
            }
        }
    }
    Ok((wish, rest))
}

/// The element that a reference means; a reference to itself is warned of.
async fn referred(
    shell: &Shell,
    proc: &mut Process,
    operand: &[u8],
    itself: bool,
) -> Option<Vec<u8>> {
    match shell.variables.reference(operand).filter(|_| !itself)? {
        Reference::Element(array, index) => Some([array.as_slice(), b"[", &index, b"]"].concat()),
        Reference::Own => {
            shell.warn_of_circle(proc, operand, 2).await;
            None
        }
        Reference::Nothing | Reference::Circle => None,
    }
}

/// What is special about some variables goes with them.
fn lose_meaning(shell: &mut Shell, name: &[u8]) {
    let special = shell.is_bash() && LOSE_MEANING.contains(&name);
    if special && !shell.plain_names.iter().any(|plain| plain == name) {
        shell.plain_names.push(name.to_vec());
    }
}

/// What is no name cannot be unset.
async fn no_name(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], operand: &[u8]) -> u8 {
    let text = if shell.is_bash() {
        [b"`".as_slice(), operand, b"': not a valid identifier"].concat()
    } else {
        [operand, b": bad variable name"].concat()
    };
    shell.builtin_error(proc, args, text, 1).await
}

/// `unset OPTIND` in dash: its new value, nothing, is no number.
async fn without_number(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let status = shell.builtin_error(proc, args, "Illegal number: ", 2).await;
    shell.variables.unset(b"OPTIND");
    shell.special_failed(status)
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let (wish, rest) = match options(shell.is_bash(), args) {
        Ok(read) => read,
        Err(letter) => {
            let usage = "unset: usage: unset [-f] [-v] [-n] [name ...]";
            let status = shell
                .invalid_option(proc, args, &[b'-', letter], usage)
                .await;
            return shell.special_failed(status);
        }
    };
    let Wish {
        functions,
        variables,
        raw,
    } = wish;
    if functions && variables {
        let text = "cannot simultaneously unset a function and a variable";
        return Ok(shell.builtin_error(proc, args, text, 1).await);
    }
    let mut status = 0;
    for operand in rest {
        let referred = referred(shell, proc, operand, raw || functions).await;
        let operand = referred.as_ref().unwrap_or(operand);
        let (name, index) = split_index(operand);
        if functions {
            shell.drop_function(operand);
            continue;
        }
        if !is_name(name) && shell.is_bash() && !variables && !raw {
            // It may name a function, and bash does not mind if it does not.
            shell.drop_function(operand);
            continue;
        }
        if !is_name(name) {
            status = no_name(shell, proc, args, operand).await;
            if !shell.is_bash() {
                return shell.special_failed(2);
            }
            continue;
        }
        let readonly = is_readonly(shell, name);
        if readonly && !(raw && shell.variables.raw(name).is_some_and(is_plain)) {
            let text = [name, b": cannot unset: readonly variable"].concat();
            status = shell.builtin_error(proc, args, text, 1).await;
            continue;
        }
        if raw && shell.variables.raw(name).is_some_and(is_plain) {
            // `-n` is for references.
            continue;
        }
        if let Some(index) = index {
            status = unset_element(shell, proc, args, name, index)
                .await?
                .max(status);
            continue;
        }
        if shell.dialect == Dialect::Dash && name == b"OPTIND" {
            return without_number(shell, proc, args).await;
        }
        lose_meaning(shell, name);
        let known = shell.variables.raw(name).is_some();
        let removed = if raw {
            shell.variables.unset_raw(name)
        } else {
            shell.variables.unset(name)
        };
        if !removed && !shell.is_bash() {
            let text = [name, b": is read only"].concat();
            let status = shell.builtin_error(proc, args, text, 2).await;
            return shell.special_failed(status);
        } else if !removed {
            let text = [name, b": cannot unset: readonly variable"].concat();
            status = shell.builtin_error(proc, args, text, 1).await;
        } else if !known && !variables && shell.is_bash() {
            shell.drop_function(name);
        }
    }
    Ok(status)
}

/// Variables that bash makes up and lets nobody change.
const ALWAYS_READONLY: [&[u8]; 3] = [b"BASHOPTS", b"SHELLOPTS", b"BASH_VERSINFO"];

fn is_readonly(shell: &Shell, name: &[u8]) -> bool {
    let readonly = |variable: &Variable| variable.attributes.readonly;
    shell.is_bash()
        && (ALWAYS_READONLY.contains(&name) || shell.variables.variable(name).is_some_and(readonly))
}

fn is_plain(variable: &Variable) -> bool {
    !variable.attributes.reference
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
    args: &[Vec<u8>],
    name: &[u8],
    index: &[u8],
) -> Result<u8, crate::Flow> {
    let associative = matches!(
        shell
            .variables
            .variable(name)
            .and_then(|variable| variable.value.as_ref()),
        Some(Value::Associative(_))
    );
    // What stands in quotes is expanded here.
    let expanded = match index.iter().any(|byte| b"$`\"'\\".contains(byte)) {
        true if !shell.options.shopt("assoc_expand_once") => {
            let speaking = shell.speaking.take();
            let expanded = shell.expand_text(proc, index).await;
            shell.speaking = speaking;
            let mut expanded = expanded?;
            if associative {
                expanded.retain(|byte| !b"\"'".contains(byte));
            }
            expanded
        }
        _ => index.to_vec(),
    };
    let index = expanded.as_slice();
    if index.is_empty() || shell.variables.variable(name).is_none() {
        return Ok(0);
    }
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
        return Ok(0);
    }
    let number = if associative {
        0
    } else {
        let speaking = shell.speaking.take();
        let number = shell.arithmetic(proc, index).await;
        shell.speaking = speaking;
        number?
    };
    let last = match shell.variables.variable(name).map(|found| &found.value) {
        Some(Some(Value::Scalar(_))) if number != 0 => {
            let text = [name, b": not an array variable"].concat();
            return Ok(shell.builtin_error(proc, args, text, 1).await);
        }
        Some(Some(Value::Indexed(elements))) => {
            elements.last_key_value().map_or(-1, |(key, _)| *key)
        }
        _ => -1,
    };
    if number < 0 && number + last + 1 < 0 {
        let text = [b"[".as_slice(), index, b"]: bad array subscript"].concat();
        return Ok(shell.builtin_error(proc, args, text, 1).await);
    }
    let index = index.to_vec();
    shell
        .variables
        .modify(name, |variable| match &mut variable.value {
            Some(Value::Associative(elements)) => drop(elements.remove(&index)),
            Some(Value::Indexed(elements)) => {
                drop(elements.remove(&if number < 0 {
                    number + last + 1
                } else {
                    number
                }));
            }
            Some(Value::Scalar(_)) if number == 0 => variable.value = None,
            _ => {}
        });
    Ok(0)
}
