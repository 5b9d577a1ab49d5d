//! `exec`.

use sundew_kernel::{Errno, Process};
use sundew_sh_syntax::Dialect;
use sundew_vfs::FileType;

use super::Answer;
use crate::interp::Lookup;
use crate::shell::{Flow, Shell};

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut rest = args.get(1..).unwrap_or_default();
    let mut name = None;
    let (mut clear, mut login) = (false, false);
    while let Some((first, after)) = rest.split_first() {
        match first.as_slice() {
            // dash has no options here, and BusyBox but one.
            option if shell.dialect == Dialect::Dash && option != b"--" => break,
            option if shell.dialect == Dialect::Ash && !matches!(option, b"--" | b"-a") => {
                if !option.starts_with(b"-") || option.len() < 2 {
                    break;
                }
                let status = shell.invalid_option(proc, args, option, "").await;
                return shell.special_failed(status);
            }
            b"--" => {
                rest = after;
                break;
            }
            b"-c" => clear = true,
            b"-l" => login = true,
            b"-a" => {
                name = after.first().cloned();
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            option if option.starts_with(b"-") && option.len() > 1 => {
                let usage =
                    "exec: usage: exec [-cl] [-a name] [command [argument ...]] [redirection ...]";
                return Ok(shell.invalid_option(proc, args, option, usage).await);
            }
            _ => break,
        }
        rest = after;
    }
    let Some(program) = rest.first().cloned() else {
        shell.keep_redirections = true;
        return Ok(0);
    };
    if shell.is_restricted() {
        return Ok(shell.builtin_error(proc, args, "restricted", 1).await);
    }
    let Lookup::Path(mut path) = shell.look_up_program(proc, &program) else {
        return not_found(shell, proc, &program).await;
    };
    let mut program = program;
    if shell.is_bash() && program.contains(&b'/') && !program.starts_with(b"/") {
        // bash makes it a whole path first.
        let here = shell.current_directory(proc, false).unwrap_or_default();
        let relative = program.strip_prefix(b"./").unwrap_or(&program);
        path = [here.as_slice(), b"/", relative].concat();
        program.clone_from(&path);
    }
    let mut exec_args = rest.to_vec();
    if let (Some(name), Some(first)) = (name, exec_args.first_mut()) {
        *first = name;
    }
    if login && let Some(first) = exec_args.first_mut() {
        first.insert(0, b'-');
    }
    // A subshell in parentheses leaves the count as it is.
    let steps_back = shell.is_bash() && !clear && shell.subshell == 0;
    if steps_back {
        shell.change_level(-1);
    }
    let env = if clear {
        Default::default()
    } else {
        shell.environment_for(&path)
    };
    shell.flush_output(proc).await;
    shell.reset_signals(proc);
    let errno = proc.exec(&path, exec_args, env).await;
    if steps_back {
        shell.change_level(1);
    }
    if errno == Errno::Enoent {
        return not_found(shell, proc, &program).await;
    }
    cannot_execute(shell, proc, args, &program, &path, errno).await
}

/// The file is there and cannot be executed.
async fn cannot_execute(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    program: &[u8],
    path: &[u8],
    errno: Errno,
) -> Answer {
    let is_directory = proc
        .stat(path)
        .is_ok_and(|metadata| metadata.file_type == FileType::Directory);
    let words = if is_directory {
        Errno::Eisdir.message()
    } else {
        errno.message()
    };
    if !shell.is_bash() {
        let text = [program, b": ", Errno::Eacces.message().as_bytes()].concat();
        let status = shell.builtin_error(proc, args, text, 126).await;
        return leave(shell, status);
    }
    shell
        .complain(proc, [path, b": ", words.as_bytes()].concat())
        .await;
    shell
        .complain(
            proc,
            [
                b"exec: ".as_slice(),
                path,
                b": cannot execute: ",
                words.as_bytes(),
            ]
            .concat(),
        )
        .await;
    leave(shell, 126)
}

async fn not_found(shell: &mut Shell, proc: &mut Process, program: &[u8]) -> Answer {
    if shell.is_bash() && program.contains(&b'/') {
        let text = [program, b": ", Errno::Enoent.message().as_bytes()].concat();
        shell.complain(proc, text).await;
    } else {
        let args = [b"exec".to_vec()];
        shell
            .builtin_error(proc, &args, [program, b": not found"].concat(), 127)
            .await;
    }
    leave(shell, 127)
}

/// A shell that is not interactive ends when `exec` fails.
fn leave(shell: &mut Shell, status: u8) -> Answer {
    if shell.interactive || shell.options.shopt("execfail") {
        return Ok(status);
    }
    shell.status = status;
    Err(Flow::Exit)
}
