//! `exit`, `logout`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::{Flow, Shell};

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if shell.interactive && shell.is_bash() && shell.subshell == 0 {
        let word: &[u8] = if shell.login { b"logout\n" } else { b"exit\n" };
        proc.print_error(word).await;
    }
    leave(shell, proc, args).await
}

pub(super) async fn run_logout(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if !shell.login {
        return Ok(shell
            .builtin_error(proc, args, "not login shell: use `exit'", 1)
            .await);
    }
    leave(shell, proc, args).await
}

async fn leave(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if let Some(text) = args.get(1) {
        match std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok())
        {
            Some(_) if args.len() > 2 => {
                return Ok(shell
                    .builtin_error(proc, args, "too many arguments", 1)
                    .await);
            }
            Some(status) => shell.status = status.to_le_bytes()[0],
            None => {
                let text = if shell.is_bash() {
                    [text.as_slice(), b": numeric argument required"].concat()
                } else {
                    [b"Illegal number: ".as_slice(), text].concat()
                };
                shell.status = shell.builtin_error(proc, args, text, 2).await;
            }
        }
    }
    Err(Flow::Exit)
}
