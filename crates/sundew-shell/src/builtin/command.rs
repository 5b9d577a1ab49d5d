//! `command`, `builtin`: past functions and aliases.

use sundew_kernel::{ExitStatus, Process};

use super::getopt::{Found, Options};
use super::type_::{Scope, Style, not_found, tell};
use super::{Answer, find};
use crate::shell::Shell;

const USAGE: &str = "command: usage: command [-pVv] command [arg ...]";
const BUILTIN_USAGE: &str = "builtin: usage: builtin [shell-builtin [arg ...]]";

/// Where `-p` looks: what getconf(1) calls `PATH`.
const STANDARD_PATH: &[&[u8]] = &[b"/bin", b"/usr/bin"];

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut style = None;
    let mut standard_path = false;
    let mut options = Options::new(args, b"pvV");
    while let Some(found) = options.next() {
        match found {
            Found::Option(b'p', _) => standard_path = true,
            Found::Option(b'v', _) => style = Some(Style::Reusable),
            Found::Option(..) => style = Some(Style::Sentence),
            other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
        }
    }
    if standard_path && shell.is_restricted() {
        return Ok(shell.builtin_error(proc, args, "-p: restricted", 1).await);
    }
    let operands = options.operands();
    match (style, operands.split_first()) {
        (_, None) => Ok(0),
        (Some(style), Some(_)) if shell.is_bash() => {
            let mut any = false;
            for name in operands {
                proc.tick().await;
                let known = tell_in(shell, proc, name, style, standard_path).await;
                if !known {
                    not_found(shell, proc, args, name, style).await;
                }
                any |= known;
            }
            Ok(u8::from(!any))
        }
        // dash and ash look at the first name only.
        (Some(style), Some((name, _))) => {
            if tell(shell, proc, name, Scope::default(), style).await {
                return Ok(0);
            }
            Ok(not_found(shell, proc, args, name, style).await)
        }
        (None, Some((name, _))) => execute(shell, proc, name, operands, standard_path).await,
    }
}

/// Tells what a name is; with `-p` programs are looked for where the system has its own.
async fn tell_in(
    shell: &mut Shell,
    proc: &mut Process,
    name: &[u8],
    style: Style,
    standard_path: bool,
) -> bool {
    if !standard_path {
        return tell(shell, proc, name, Scope::default(), style).await;
    }
    let path = shell.variables.raw(b"PATH").cloned();
    let hashed = std::mem::take(&mut shell.hashed);
    shell.variables.set_own(b"PATH", STANDARD_PATH.join(&b':'));
    let known = tell(shell, proc, name, Scope::default(), style).await;
    shell.hashed = hashed;
    match path {
        Some(path) => shell.variables.modify(b"PATH", |variable| *variable = path),
        None => {
            shell.variables.unset_raw(b"PATH");
        }
    }
    known
}

async fn execute(
    shell: &mut Shell,
    proc: &mut Process,
    name: &[u8],
    operands: &[Vec<u8>],
    standard_path: bool,
) -> Answer {
    if let Some(builtin) = find(shell, name) {
        return builtin.call(shell, proc, operands).await;
    }
    let path = if name.is_empty() {
        None
    } else if name.contains(&b'/') {
        Some(name.to_vec())
    } else if standard_path {
        let candidates = STANDARD_PATH
            .iter()
            .map(|directory| [directory, b"/".as_slice(), name].concat());
        candidates
            .into_iter()
            .find(|candidate| proc.stat(candidate).is_ok())
    } else {
        shell.find_program(proc, name)
    };
    shell.flush_output(proc).await;
    let mut child_shell = shell.to_subshell(proc);
    child_shell.subshell = shell.subshell;
    let job_control = shell.job_control();
    let child_args = operands.to_vec();
    let pid = shell
        .fork(proc, move |mut child| {
            Box::pin(async move {
                child_shell.enter_child(&mut child, job_control, None);
                let _ended = child_shell
                    .become_program(&mut child, path, child_args, &[])
                    .await;
                ExitStatus::Exited(child_shell.status)
            })
        })
        .await?;
    shell.place_child(proc, pid, pid, true);
    shell
        .wait_pipeline(proc, &[pid], vec![operands.join(&b' ')])
        .await?;
    Ok(shell.status)
}

pub(super) async fn run_builtin(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut options = Options::new(args, b"");
    if let Some(found) = options.next() {
        return Ok(shell.bad_option(proc, args, found, BUILTIN_USAGE).await);
    }
    let operands = options.operands();
    let Some(name) = operands.first() else {
        return Ok(0);
    };
    match find(shell, name) {
        Some(builtin) => builtin.call(shell, proc, operands).await,
        None => Ok(shell
            .builtin_error(
                proc,
                args,
                [name, b": not a shell builtin".as_slice()].concat(),
                1,
            )
            .await),
    }
}
