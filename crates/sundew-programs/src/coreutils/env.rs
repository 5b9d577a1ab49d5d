//! env(1) and printenv(1).

use sundew_kernel::{ExitStatus, Process};

use super::{about, input, launch};
use crate::getopt::{Arity, Error, Getopt, Spec, refuse};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "+C:iS:u:v0",
    &[
        ("ignore-environment", Arity::No, "i"),
        ("null", Arity::No, "0"),
        ("unset", Arity::Required, "u"),
        ("chdir", Arity::Required, "C"),
        ("default-signal", Arity::Optional, "signal"),
        ("ignore-signal", Arity::Optional, "signal"),
        ("block-signal", Arity::Optional, "signal"),
        ("list-signal-handling", Arity::No, "signal"),
        ("debug", Arity::No, "v"),
        ("split-string", Arity::Required, "S"),
    ],
);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let locale = quote::Locale::of(proc);
    let (mut zero, mut clear, mut directory, mut unset) = (false, false, None, Vec::new());
    let mut options = Getopt::new(&SPEC, proc.args());
    let mut operands = Vec::new();
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("i", _)) => clear = true,
            Ok(("0", _)) => zero = true,
            Ok(("u", value)) => unset.push(value),
            Ok(("C", value)) => directory = Some(value),
            Ok(("S", value)) => operands.extend(split(&value)),
            Ok(("v" | "signal", _)) => {}
            Ok((key, _)) => return about::run(proc, key, "env").await,
            Err(error) => return refuse_blank(proc, &error).await,
        }
    }
    operands.append(&mut options.operands());
    if operands.first().is_some_and(|first| first == b"-") {
        operands.remove(0);
        clear = true;
    }
    if clear {
        proc.env_mut().clear();
    }
    for name in unset {
        if name.is_empty() || name.contains(&b'=') {
            let shown = quote::text(proc, &name);
            proc.complain(
                &[b"cannot unset ", shown.as_slice()].concat(),
                sundew_kernel::Errno::Einval,
            )
            .await;
            return ExitStatus::Exited(125);
        }
        proc.env_mut().unset(&name);
    }
    let mut command = operands.into_iter().peekable();
    while let Some(word) = command.next_if(|word| word.contains(&b'=')) {
        let at = word
            .iter()
            .position(|&byte| byte == b'=')
            .unwrap_or(word.len());
        let (name, value) = word.split_at(at);
        proc.env_mut().set(name, value.get(1..).unwrap_or_default());
    }
    let command: Vec<Vec<u8>> = command.collect();
    if command.is_empty() {
        return list(proc, zero, directory.is_some()).await;
    }
    if zero {
        input::refuse_text(proc, "cannot specify --null (-0) with command").await;
        return ExitStatus::Exited(125);
    }
    if let Some(directory) = directory
        && let Err(errno) = proc.change_directory(&directory)
    {
        input::complain_about(proc, "cannot change directory to", &directory, errno).await;
        return ExitStatus::Exited(125);
    }
    let spaced = command.first().is_some_and(|name| name.contains(&b' '));
    let status = launch::launch(proc, locale, "", command).await;
    if spaced && status == ExitStatus::Exited(127) {
        let line = [
            proc.name(),
            b": use -[v]S to pass options in shebang lines\n",
        ]
        .concat();
        proc.print_error(&line).await;
    }
    status
}

/// A blank among the options comes from a `#!` line.
async fn refuse_blank(proc: &mut Process, error: &Error) -> ExitStatus {
    if *error != Error::Invalid(b' ') {
        return refuse(proc, error, 125).await;
    }
    proc.complain_text(error.text()).await;
    proc.complain_text("use -[v]S to pass options in shebang lines")
        .await;
    crate::getopt::try_help(proc, 125).await
}

async fn list(proc: &mut Process, zero: bool, directory: bool) -> ExitStatus {
    if directory {
        input::refuse_text(proc, "must specify command with --chdir (-C)").await;
        return ExitStatus::Exited(125);
    }
    let end = if zero { b"\0" } else { b"\n" };
    let text: Vec<u8> = proc
        .env()
        .iter()
        .flat_map(|(name, value)| [name, b"=", value, end].concat())
        .collect();
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&text).await;
    proc.status()
}

/// The words of `-S`: quotes and backslashes as in a shell, no expansions.
fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let (mut word, mut quote): (Option<Vec<u8>>, Option<u8>) = (None, None);
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(mark), byte) if mark == byte => quote = None,
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, b' ' | b'\t' | b'\n') => words.extend(word.take()),
            (None | Some(b'"'), b'\\') => match bytes.next() {
                Some(b'_') if quote.is_none() => words.extend(word.take()),
                Some(letter) => {
                    let byte = match letter {
                        b'n' => b'\n',
                        b't' => b'\t',
                        letter => letter,
                    };
                    word.get_or_insert_default().push(byte);
                }
                None => {}
            },
            (_, byte) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

pub(crate) async fn run_printenv(proc: &mut Process) -> ExitStatus {
    let mut zero = false;
    let mut options = Getopt::new(&Spec::gnu("+0", &[("null", Arity::No, "0")]), proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("0") => zero = true,
            Ok(key) => return about::run(proc, key, "printenv").await,
            Err(error) => return refuse(proc, &error, 2).await,
        }
    }
    let names = options.operands();
    if names.is_empty() {
        return list(proc, zero, false).await;
    }
    let mut text = Vec::new();
    for name in names {
        match proc.env().value(&name) {
            Some(value) => {
                text.extend_from_slice(value);
                text.push(if zero { 0 } else { b'\n' });
            }
            None => proc.set_status(1),
        }
    }
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&text).await;
    proc.status()
}
