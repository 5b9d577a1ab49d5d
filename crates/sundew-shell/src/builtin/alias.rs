//! `alias`, `unalias`.

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::declare::show::single_quote;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut operands = args.get(1..).unwrap_or_default();
    let mut all = operands.is_empty();
    if shell.is_bash() {
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
            if let Some(&letter) = letters.iter().find(|&&letter| letter != b'p') {
                let usage = "alias: usage: alias [-p] [name[=value] ... ]";
                return Ok(shell
                    .invalid_option(proc, args, &[b'-', letter], usage)
                    .await);
            }
            all = true;
        }
        if all {
            // With `-p` names are not looked at.
            operands = &[];
        }
        all |= operands.is_empty();
    }
    let mut status = 0;
    if all {
        let mut names: Vec<&Vec<u8>> = shell.aliases.keys().collect();
        if !shell.is_bash() {
            names.sort_by_key(|name| bucket(name));
        }
        let text: Vec<u8> = names
            .into_iter()
            .flat_map(|name| line(shell, name))
            .collect();
        let _checked_at_flush = proc.print(&text).await;
    }
    for operand in operands {
        // The name is at least one byte: `=x` is a name without a value.
        let sign = operand
            .iter()
            .skip(1)
            .position(|&byte| byte == b'=')
            .map(|at| at + 1);
        let (name, value) = match sign {
            Some(at) => (operand.get(..at).unwrap_or_default(), operand.get(at + 1..)),
            None => (operand.as_slice(), None),
        };
        match value {
            Some(_)
                if shell.is_bash()
                    && name
                        .iter()
                        .any(|byte| b" \t\n|&;()<>/$`'\"\\".contains(byte)) =>
            {
                let text = [b"`", name, b"': invalid alias name"].concat();
                status = shell.builtin_error(proc, args, text, 1).await;
            }
            Some(value) => {
                shell.aliases.insert(name.to_vec(), value.to_vec());
            }
            None if shell.aliases.contains_key(name) => {
                let text = line(shell, name);
                let _checked_at_flush = proc.print(&text).await;
            }
            None => status = not_found(shell, proc, args, name).await,
        }
    }
    Ok(status)
}

pub(super) async fn run_unalias(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let usage = "unalias: usage: unalias [-a] name [name ...]";
    let mut operands = args.get(1..).unwrap_or_default();
    let mut all = false;
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
        if let Some(&letter) = letters.iter().find(|&&letter| letter != b'a') {
            return Ok(shell
                .invalid_option(proc, args, &[b'-', letter], usage)
                .await);
        }
        all = true;
    }
    if all {
        shell.aliases.clear();
        return Ok(0);
    }
    if operands.is_empty() && shell.is_bash() {
        proc.print_error(format!("{usage}\n").as_bytes()).await;
        return Ok(2);
    }
    let mut status = 0;
    for name in operands {
        if shell.aliases.remove(name).is_none() {
            status = not_found(shell, proc, args, name).await;
        }
    }
    Ok(status)
}

async fn not_found(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], name: &[u8]) -> u8 {
    if shell.is_bash() {
        return shell
            .builtin_error(proc, args, [name, b": not found"].concat(), 1)
            .await;
    }
    let command = args.first().map(Vec::as_slice).unwrap_or_default();
    proc.print_error(&[command, b": ", name, b" not found\n"].concat())
        .await;
    1
}

/// As it is listed; only bash's can be read back as a command.
fn line(shell: &Shell, name: &[u8]) -> Vec<u8> {
    let value = shell
        .aliases
        .get(name)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let start: &[u8] = match (shell.dialect, name.starts_with(b"-")) {
        (Dialect::Bash, true) => b"alias -- ",
        (Dialect::Bash, false) => b"alias ",
        _ => b"",
    };
    [
        start,
        name,
        b"=",
        &single_quote(shell.dialect, value),
        b"\n",
    ]
    .concat()
}

/// Where dash's table keeps a name: the listing is in this order.
fn bucket(name: &[u8]) -> u32 {
    let first = name.first().map_or(0, |&byte| u32::from(byte) << 4);
    name.iter()
        .fold(first, |hash, &byte| hash.wrapping_add(u32::from(byte)))
        % 39
}
