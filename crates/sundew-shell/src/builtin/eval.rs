//! `eval`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::{Flow, Shell};

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let words = match args.get(1..) {
        Some([first, rest @ ..]) if first == b"--" => rest,
        Some(words) => words,
        None => &[],
    };
    let text = words.join(&b' ');
    shell.status = 0;
    shell.enter(proc, b"eval").await?;
    let line = shell.line;
    let result = shell
        .run_text_from(proc, &text, line, crate::interp::Place::Shell)
        .await;
    shell.depth = shell.depth.saturating_sub(1);
    match result {
        // A syntax error in the text is the failure of `eval`.
        Err(Flow::Exit) if shell.status == 2 && shell.interactive => Ok(2),
        Err(flow) => Err(flow),
        Ok(()) => Ok(shell.status),
    }
}
