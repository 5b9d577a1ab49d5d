//! `shift`.

use sundew_kernel::Process;

use super::Answer;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    if args.len() > 2 && shell.is_bash() {
        return shell.too_many_arguments(proc, args).await;
    }
    if !shell.is_bash() {
        let count = match args.get(1) {
            None => 1,
            Some(text) => match super::plain_number(text) {
                Some(count) => count,
                None => return shell.illegal_number(proc, args, text).await,
            },
        };
        if count <= shell.positional.len() {
            shell.positional.drain(..count);
            return Ok(0);
        }
        if shell.dialect == sundew_sh_syntax::Dialect::Ash {
            return Ok(1);
        }
        let status = shell
            .builtin_error(proc, args, "can't shift that many", 2)
            .await;
        return shell.special_failed(status);
    }
    let count = match args.get(1) {
        None => 1,
        Some(text) => match std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
        {
            Some(count) => count,
            None => {
                let text = [text.as_slice(), b": numeric argument required"].concat();
                return Ok(shell.builtin_error(proc, args, text, 1).await);
            }
        },
    };
    let Ok(count) = usize::try_from(count) else {
        let text = [
            args.get(1).map(Vec::as_slice).unwrap_or_default(),
            b": shift count out of range",
        ]
        .concat();
        return Ok(shell.builtin_error(proc, args, text, 1).await);
    };
    if count > shell.positional.len() {
        if shell.options.shopt("shift_verbose") {
            let shown = count.to_string();
            let text = [shown.as_bytes(), b": shift count out of range"].concat();
            shell.builtin_error(proc, args, text, 1).await;
        }
        return Ok(1);
    }
    shell.positional.drain(..count);
    Ok(0)
}
