//! `eval`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let words = match args.get(1..) {
        Some([first, rest @ ..]) if first == b"--" => rest,
        Some([first, ..]) if shell.is_bash() && first.len() > 1 && first.starts_with(b"-") => {
            let usage = "eval: usage: eval [arg ...]";
            let option = first.get(..2).unwrap_or(first);
            return Ok(shell.invalid_option(proc, args, option, usage).await);
        }
        Some(words) => words,
        None => &[],
    };
    let text = words.join(&b' ');
    shell.status = 0;
    shell.enter(proc).await?;
    let line = match shell.dialect {
        // dash counts the lines of the text itself.
        sundew_sh_syntax::Dialect::Dash => 1,
        _ => shell.line,
    };
    shell.indirection += 1;
    let outer = std::mem::replace(&mut shell.in_eval, true);
    let result = shell
        .run_text_from(proc, &text, line, crate::interp::Place::Shell)
        .await;
    shell.in_eval = outer;
    shell.indirection -= 1;
    shell.depth = shell.depth.saturating_sub(1);
    match result {
        // A syntax error in the text is the failure of `eval`; it ends a shell of POSIX.
        Err(_)
            if std::mem::take(&mut shell.syntax_failed) && shell.goes_on_after_syntax_error() =>
        {
            Ok(shell.status)
        }
        Err(flow) => Err(flow),
        Ok(()) => Ok(shell.status),
    }
}
