//! `export`, `readonly` and `local` as dash and ash have them: no attributes, no arrays.

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Kind;
use super::operand::Operand;
use super::show::single_quote;
use crate::builtin::Answer;
use crate::shell::Shell;
use crate::variable::is_name;

/// Unlike in bash a new local of dash begins with the value that it hides; in BusyBox it is unset.
fn make_local(shell: &mut Shell, name: &[u8]) {
    let mut local = shell.variables.raw(name).cloned().unwrap_or_default();
    if shell.dialect == Dialect::Ash {
        local.value = None;
    }
    shell
        .variables
        .modify_local(name, |variable| *variable = local);
}

pub(super) async fn run(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    kind: Kind,
) -> Answer {
    if kind == Kind::Local && !shell.variables.in_function() {
        let status = shell
            .builtin_error(proc, args, "not in a function", 2)
            .await;
        return shell.special_failed(status);
    }
    let mut operands = args.get(1..).unwrap_or_default();
    let mut remove = false;
    while let Some((option, rest)) = operands.split_first() {
        // `local` has no options: what looks like one is a bad name.
        let letters = match option.strip_prefix(b"-") {
            Some(letters) if !letters.is_empty() && kind != Kind::Local => letters,
            _ => break,
        };
        operands = rest;
        if letters == b"-" {
            break;
        }
        for &letter in letters {
            match letter {
                b'p' => {}
                b'n' if kind == Kind::Export && shell.dialect == Dialect::Ash => remove = true,
                _ => {
                    let status = shell.invalid_option(proc, args, &[b'-', letter], "").await;
                    return shell.special_failed(status);
                }
            }
        }
    }
    if operands.is_empty() && kind != Kind::Local {
        let text = listing(shell, kind);
        let _checked_at_flush = proc.print(&text).await;
        return Ok(0);
    }
    for text in operands {
        if kind == Kind::Local && text == b"-" {
            continue;
        }
        let operand = Operand::parse(text);
        if !is_name(operand.name) || operand.index.is_some() || operand.append {
            let name = text.split(|&byte| byte == b'=').next().unwrap_or_default();
            let text = [name, b": bad variable name"].concat();
            let status = if kind == Kind::Local && operand.value.is_some() {
                shell.complain(proc, text).await;
                2
            } else {
                shell.builtin_error(proc, args, text, 2).await
            };
            return shell.special_failed(status);
        }
        let (name, value) = (operand.name, operand.value);
        let readonly = shell
            .variables
            .raw(name)
            .is_some_and(|variable| variable.attributes.readonly);
        if readonly && value.is_some() {
            let status = shell
                .builtin_error(proc, args, [name, b": is read only"].concat(), 2)
                .await;
            return shell.special_failed(status);
        }
        if kind == Kind::Local && !shell.variables.is_local(name) {
            make_local(shell, name);
        }
        if let Some(value) = value {
            shell.assign(proc, name, value.to_vec()).await?;
        }
        shell.variables.modify(name, |variable| match kind {
            Kind::Export => variable.attributes.exported = !remove,
            Kind::Readonly => variable.attributes.readonly = true,
            Kind::Declare | Kind::Local => {}
        });
    }
    Ok(0)
}

/// `export x='1'`
fn listing(shell: &Shell, kind: Kind) -> Vec<u8> {
    let command: &[u8] = if kind == Kind::Export {
        b"export "
    } else {
        b"readonly "
    };
    let mut text = Vec::new();
    for (name, variable) in shell.variables.visible() {
        let shown = if kind == Kind::Export {
            variable.attributes.exported
        } else {
            variable.attributes.readonly
        };
        if !shown {
            continue;
        }
        text.extend([command, name].concat());
        if let Some(value) = variable.scalar() {
            text.extend([b"=", single_quote(shell.dialect, value).as_slice()].concat());
        }
        text.push(b'\n');
    }
    text
}
