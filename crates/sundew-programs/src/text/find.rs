//! `find` of findutils 4.9.

mod evaluate;
mod expression;
mod format;
mod walk;

use sundew_kernel::{ExitStatus, Process};

use expression::Parsed;

const HELP: &[u8] = include_bytes!("help/find.txt");
const VERSION: &[u8] = include_bytes!("help/find-version.txt");

/// Which links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follow {
    /// `-P`
    Never,
    /// `-H`
    Operands,
    /// `-L`
    Always,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let args = proc.args().get(1..).unwrap_or_default().to_vec();
    let mut follow = Follow::Never;
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        match arg.as_slice() {
            b"-H" => follow = Follow::Operands,
            b"-L" => follow = Follow::Always,
            b"-P" => follow = Follow::Never,
            b"--" => {
                at += 1;
                break;
            }
            b"-D" => at += 1,
            arg if arg.starts_with(b"-O") => {
                if !arg.get(2).is_some_and(u8::is_ascii_digit) {
                    let text = "Please specify a decimal number immediately after -O";
                    proc.complain_text(text).await;
                    return ExitStatus::FAILURE;
                }
            }
            _ => break,
        }
        at += 1;
    }
    let rest = args.get(at..).unwrap_or_default();
    let is_path = |arg: &Vec<u8>| {
        // A lone dash, a closing parenthesis and a comma are names here.
        arg.as_slice() == b"-" || !(arg.starts_with(b"-") || matches!(arg.as_slice(), b"(" | b"!"))
    };
    let count = rest.iter().take_while(|arg| is_path(arg)).count();
    let (paths, words) = rest.split_at(count);
    match words.first().map(Vec::as_slice) {
        Some(b"-help" | b"--help") => return print(proc, HELP).await,
        Some(b"-version" | b"--version") => return print(proc, VERSION).await,
        _ => {}
    }
    let parsed = match Parsed::read(proc, words, follow).await {
        Ok(parsed) => {
            for text in &parsed.warnings {
                let line = [proc.name(), b": warning: ", text, b"\n"].concat();
                proc.print_error(&line).await;
            }
            parsed
        }
        Err(text) => {
            proc.complain_text(text).await;
            return ExitStatus::FAILURE;
        }
    };
    let paths = if paths.is_empty() {
        vec![b".".to_vec()]
    } else {
        paths.to_vec()
    };
    walk::run(proc, parsed, &paths).await
}

async fn print(proc: &mut Process, text: &[u8]) -> ExitStatus {
    // The kernel reports a failed write at exit.
    let _reported = proc.print(text).await;
    ExitStatus::SUCCESS
}

#[cfg(test)]
mod tests;
