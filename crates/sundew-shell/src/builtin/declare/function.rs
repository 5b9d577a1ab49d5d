//! `declare -f`, `declare -F`, `export -f`, `readonly -f`.

use sundew_kernel::Process;
use sundew_sh_syntax::unparse;

use super::show::function_letters;
use super::{Flags, Kind};
use crate::builtin::Answer;
use crate::shell::Shell;

/// `-f` and `-F`
pub(super) async fn functions(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    flags: &Flags,
    names: &[Vec<u8>],
    kind: Kind,
) -> Answer {
    if names.is_empty() {
        return list_functions(shell, proc, flags, kind).await;
    }
    let mut status = 0;
    let changes = kind != Kind::Declare
        || flags.on(b'x')
        || flags.on(b'r')
        || flags.on(b't')
        || flags.off(b't')
        || flags.off(b'x')
        || flags.off(b'r');
    for name in names {
        if name.contains(&b'=') && kind == Kind::Declare {
            status = shell
                .builtin_error(proc, args, "cannot use `-f' to make functions", 1)
                .await;
            continue;
        }
        let Some(function) = shell.functions.get_mut(name) else {
            status = 1;
            if kind == Kind::Declare {
                if flags.on(b'p') {
                    let text = [name, b": not found".as_slice()].concat();
                    shell.builtin_error(proc, args, text, 1).await;
                }
            } else {
                shell
                    .builtin_error(
                        proc,
                        args,
                        [name, b": not a function".as_slice()].concat(),
                        1,
                    )
                    .await;
            }
            continue;
        };
        if changes {
            if flags.off(b'r') && function.readonly {
                let text = [name, b": readonly function".as_slice()].concat();
                status = shell.builtin_error(proc, args, text, 1).await;
                continue;
            }
            function.traced = (function.traced || flags.on(b't')) && !flags.off(b't');
            function.readonly |= kind == Kind::Readonly || flags.on(b'r');
            function.exported = match kind {
                Kind::Export => !flags.on(b'n'),
                _ => (function.exported || flags.on(b'x')) && !flags.off(b'x'),
            };
            continue;
        }
        let mut text = if flags.on(b'F') {
            name.clone()
        } else {
            unparse::function(name, &function.body)
        };
        let letters = function_letters(function);
        if flags.on(b'p') && letters != b"-f" {
            text.extend([b"\ndeclare ", letters.as_slice(), b" ", name].concat());
        }
        text.push(b'\n');
        let _checked_at_flush = proc.print(&text).await;
    }
    Ok(status)
}

async fn list_functions(shell: &Shell, proc: &mut Process, flags: &Flags, kind: Kind) -> Answer {
    let mut text = Vec::new();
    for (name, function) in &shell.functions {
        let only_exported = kind == Kind::Export || flags.on(b'x');
        let only_readonly = kind == Kind::Readonly || flags.on(b'r');
        if (only_exported && !function.exported) || (only_readonly && !function.readonly) {
            continue;
        }
        let letters = function_letters(function);
        if !flags.on(b'F') {
            text.extend(unparse::function(name, &function.body));
            text.push(b'\n');
        }
        if flags.on(b'F') || letters != b"-f" {
            text.extend([b"declare ", letters.as_slice(), b" ", name, b"\n"].concat());
        }
    }
    let _checked_at_flush = proc.print(&text).await;
    Ok(0)
}
