//! `pwd`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut physical = shell.options.is_set("physical");
    for option in args.iter().skip(1) {
        match option.as_slice() {
            b"-L" => physical = false,
            b"-P" => physical = true,
            b"--" => break,
            option if option.starts_with(b"-") && option.len() > 1 => {
                return Ok(shell
                    .invalid_option(proc, args, option, "pwd: usage: pwd [-LP]")
                    .await);
            }
            _ => break,
        }
    }
    let path = match shell.current_directory(proc, physical) {
        Ok(path) => path,
        // The others say where they think they are.
        Err(_) if !shell.is_bash() && !physical => {
            let known = shell.variables.scalar(b"PWD");
            known.unwrap_or_default().to_vec()
        }
        Err(errno) => {
            let text = format!(
                "error retrieving current directory: getcwd: cannot access parent directories: {}",
                errno.message()
            );
            return Ok(shell.builtin_error(proc, args, text, 1).await);
        }
    };
    let _checked_at_flush = proc.print(&[path.as_slice(), b"\n"].concat()).await;
    Ok(0)
}
