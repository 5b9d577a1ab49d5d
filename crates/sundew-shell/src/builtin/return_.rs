//! `return`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::{Flow, Shell};

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if args.len() > 2 && shell.is_bash() {
        return shell.too_many_arguments(proc, args).await;
    }
    shell.around_traps.before_return = shell.status;
    if let Some(text) = args.get(1).filter(|_| !shell.is_bash()) {
        match super::plain_number(text) {
            Some(status) => {
                shell.status = status.to_le_bytes()[0];
                if shell.dialect == sundew_sh_syntax::Dialect::Dash && status > 255 {
                    shell.wide_status = u32::try_from(status).ok();
                }
            }
            None => return shell.illegal_number(proc, args, text).await,
        }
    } else if let Some(text) = args.get(1) {
        match std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok())
        {
            Some(status) => shell.status = status.to_le_bytes()[0],
            None => {
                let text = [text.as_slice(), b": numeric argument required"].concat();
                shell.status = shell.builtin_error(proc, args, text, 2).await;
            }
        }
    }
    if shell.frames.is_empty() && shell.is_bash() {
        let text = "can only `return' from a function or sourced script";
        return Ok(shell.builtin_error(proc, args, text, 2).await);
    }
    // In the trap of `EXIT` dash and ash keep the status before.
    Err(if shell.frames.is_empty() && !shell.leaving {
        Flow::Exit
    } else {
        Flow::Return
    })
}
