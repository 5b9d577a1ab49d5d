//! `enable`, and the builtins of line editing: `bind`, `complete`, `compgen`, `compopt`.

mod bind;
mod completion;

pub(crate) use bind::bindings;
pub(crate) use completion::specified;

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::getopt::{Found, Options};
use super::{Answer, TABLE};
use crate::shell::Shell;

const USAGE: &str = "enable: usage: enable [-a] [-dnps] [-f filename] [name ...]";
const COMPOPT_USAGE: &str = "compopt: usage: compopt [-o|+o option] [-DEI] [name ...]";

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let (mut all, mut off, mut print, mut special) = (false, false, false, false);
    let mut unload = false;
    let mut file = None;
    let mut options = Options::new(args, b"adnpsf:");
    while let Some(found) = options.next() {
        match found {
            Found::Option(b'a', _) => all = true,
            Found::Option(b'n', _) => off = true,
            Found::Option(b'p', _) => print = true,
            Found::Option(b's', _) => special = true,
            Found::Option(b'f', value) => file = Some(value),
            Found::Option(..) => unload = true,
            other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
        }
    }
    if (unload || file.is_some()) && shell.is_restricted() {
        return Ok(shell.builtin_error(proc, args, "restricted", 1).await);
    }
    let names = options.operands();
    if let Some(file) = file {
        // tidy-allow(errno-word): the dynamic loader's sentence
        let reason = b": cannot open shared object file: No such file or directory";
        let text = [
            b"cannot open shared object ".as_slice(),
            file,
            b": ",
            file,
            reason,
        ]
        .concat();
        return Ok(shell.builtin_error(proc, args, text, 1).await);
    }
    if names.is_empty() || print {
        let _checked_at_flush = proc
            .print(listing(shell, all, off, special).as_bytes())
            .await;
        return Ok(0);
    }
    let mut status = 0;
    for name in names {
        if !is_builtin(name) {
            status = shell
                .builtin_error(
                    proc,
                    args,
                    [name.as_slice(), b": not a shell builtin"].concat(),
                    1,
                )
                .await;
            continue;
        }
        if unload {
            let text = [name.as_slice(), b": not dynamically loaded"].concat();
            status = shell.builtin_error(proc, args, text, 1).await;
            continue;
        }
        shell.disabled.retain(|disabled| disabled != name);
        if off {
            shell.disabled.push(name.clone());
        }
    }
    Ok(status)
}

// The table is looked at in functions that are not async: it names the futures of those that are.

fn is_builtin(name: &[u8]) -> bool {
    TABLE
        .iter()
        .any(|builtin| builtin.name.as_bytes() == name && builtin.dialects.contains(&Dialect::Bash))
}

fn listing(shell: &Shell, all: bool, off: bool, special: bool) -> String {
    let mut text = String::new();
    for builtin in TABLE
        .iter()
        .filter(|builtin| builtin.dialects.contains(&Dialect::Bash))
    {
        let disabled = shell
            .disabled
            .iter()
            .any(|disabled| disabled == builtin.name.as_bytes());
        if (all || disabled == off) && (builtin.special || !special) {
            text.push_str(if disabled { "enable -n " } else { "enable " });
            text.push_str(builtin.name);
            text.push('\n');
        }
    }
    text
}

/// `bind`, `complete`, `compgen`, `compopt`.
pub(super) async fn run_nothing(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    match args.first().map(Vec::as_slice) {
        Some(b"complete") => completion::run_complete(shell, proc, args).await,
        Some(b"compgen") => completion::run_compgen(shell, proc, args).await,
        Some(b"compopt") => run_compopt(shell, proc, args).await,
        _ => bind::run(shell, proc, args).await,
    }
}

async fn run_compopt(shell: &Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut options = Options::new(args, b"o:DEI");
    while let Some(found) = options.next() {
        if !matches!(found, Found::Option(..)) {
            return Ok(shell.bad_option(proc, args, found, COMPOPT_USAGE).await);
        }
    }
    let Some(name) = options.operands().first() else {
        return Ok(shell
            .builtin_error(proc, args, "not currently executing completion function", 1)
            .await);
    };
    if shell.completions.contains_key(name) {
        return Ok(0);
    }
    Ok(shell
        .builtin_error(
            proc,
            args,
            [name.as_slice(), b": no completion specification"].concat(),
            1,
        )
        .await)
}
