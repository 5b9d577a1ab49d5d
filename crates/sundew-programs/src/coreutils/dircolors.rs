//! dircolors(1): the built-in colours as shell commands.

use sundew_kernel::{ExitStatus, Process};

use super::{about, input, ls};
use crate::getopt::{Arity, Getopt, Spec, refuse};

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "bcp",
        &[
            ("bourne-shell", Arity::No, "b"),
            ("sh", Arity::No, "b"),
            ("csh", Arity::No, "c"),
            ("c-shell", Arity::No, "c"),
            ("print-database", Arity::No, "p"),
            ("print-ls-colors", Arity::No, "ls"),
        ],
    );
    let mut syntax = None;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok(key @ ("b" | "c" | "p" | "ls")) => syntax = Some(key),
            Ok(key) => return about::run(proc, key, "dircolors").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    // A database of one's own is read and taken to say what the built-in one says.
    if let Some(name) = options.operands().first()
        && let Err(errno) = proc.stat(name)
    {
        input::complain(proc, name, errno).await;
        return proc.status();
    }
    let shell = proc.env().value(b"SHELL").map(<[u8]>::to_vec);
    let syntax = match (syntax, shell) {
        (Some(syntax), _) => syntax,
        (None, None) => {
            proc.complain_text("no SHELL environment variable, and no shell type option given")
                .await;
            return proc.status();
        }
        (None, Some(shell)) if shell.ends_with(b"csh") => "c",
        (None, Some(_)) => "b",
    };
    let colors = if ls::knows_terminal(proc) {
        ls::DATABASE
    } else {
        ""
    };
    let text = match syntax {
        "c" => format!("setenv LS_COLORS '{colors}'\n"),
        "b" => format!("LS_COLORS='{colors}';\nexport LS_COLORS\n"),
        _ => colors
            .split_terminator(':')
            .filter_map(|rule| rule.split_once('='))
            .map(|(key, color)| format!("{} {color}\n", key.trim_start_matches('*')))
            .collect(),
    };
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(text.as_bytes()).await;
    proc.status()
}
