//! `break`, `continue`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::{Flow, Shell};

pub(super) async fn run_break(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    leave(shell, proc, args, Flow::Break).await
}

pub(super) async fn run_continue(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
) -> Answer {
    leave(shell, proc, args, Flow::Continue).await
}

async fn leave(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    flow: fn(u32) -> Flow,
) -> Answer {
    if let Some(text) = args.get(1).filter(|_| !shell.is_bash())
        && super::plain_number(text).is_none_or(|count| count == 0)
    {
        return shell.illegal_number(proc, args, text).await;
    }
    if shell.loops == 0 {
        if shell.is_bash() && !shell.options.is_set("posix") {
            let text = "only meaningful in a `for', `while', or `until' loop";
            shell.builtin_error(proc, args, text, 0).await;
        }
        return Ok(0);
    }
    if args.len() > 2 && shell.is_bash() {
        return shell.too_many_arguments(proc, args).await;
    }
    let count = match args.get(1) {
        None => 1,
        Some(text) => match std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
        {
            Some(count) if count > 0 => u32::try_from(count).unwrap_or(u32::MAX),
            Some(_) => {
                let text = [text.as_slice(), b": loop count out of range"].concat();
                shell.status = shell.builtin_error(proc, args, text, 1).await;
                // All loops are left, as bash has it.
                return Err(Flow::Break(shell.loops));
            }
            None => {
                let text = [text.as_slice(), b": numeric argument required"].concat();
                shell.status = shell.builtin_error(proc, args, text, 128).await;
                return Err(Flow::Exit);
            }
        },
    };
    shell.status = 0;
    Err(flow(count.min(shell.loops)))
}
