//! `let`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let rest = match args.get(1..).unwrap_or_default() {
        [first, rest @ ..] if first == b"--" => rest,
        rest => rest,
    };
    let Some(expressions) = Some(rest).filter(|rest| !rest.is_empty()) else {
        return Ok(shell
            .builtin_error(proc, args, "expression expected", 1)
            .await);
    };
    let mut value = 0;
    for expression in expressions {
        value = match shell.try_arithmetic(proc, expression).await {
            Ok(value) => value,
            Err((complaint, flow)) if complaint.is_empty() => return Err(flow),
            Err((complaint, _)) => return Ok(shell.builtin_error(proc, args, complaint, 1).await),
        };
    }
    Ok(u8::from(value == 0))
}
