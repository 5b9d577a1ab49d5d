//! `kill` as dash 0.5.12 has it.

use sundew_kernel::{Process, Signal};

use super::{kill_job, number, send, signal_of};
use crate::shell::Shell;

/// `kill` of dash.
pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> u8 {
    let usage =
        "Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]";
    let mut rest = args.get(1..).unwrap_or_default();
    let mut signal = Some(Signal::TERM);
    let mut list = false;
    while let Some((arg, after)) = rest.split_first() {
        let Some(letters) = arg.strip_prefix(b"-").filter(|letters| !letters.is_empty()) else {
            break;
        };
        rest = after;
        match letters {
            b"-" => break,
            b"l" => list = true,
            b"s" => {
                let Some((name, after)) = after.split_first() else {
                    return shell
                        .builtin_error(proc, args, "No arg for -s option", 2)
                        .await;
                };
                let Some(found) = signal_of(name) else {
                    let text = [b"invalid signal number or name: ".as_slice(), name].concat();
                    return shell.builtin_error(proc, args, text, 2).await;
                };
                (signal, rest) = (found, after);
            }
            name => match signal_of(name) {
                Some(found) => signal = found,
                None => return shell.invalid_option(proc, args, arg, "").await,
            },
        }
    }
    if list {
        return list_dash(shell, proc, args, rest.first()).await;
    }
    if rest.is_empty() {
        return shell.builtin_error(proc, args, usage, 2).await;
    }
    let mut status = 0;
    for target in rest {
        proc.tick().await;
        if target.starts_with(b"%") {
            let known = shell.find_job(target).is_ok();
            if known && !shell.job_control() {
                // Without job control there is no group of that number.
                let text = format!("{}\n", sundew_kernel::Errno::Esrch.message());
                status = shell.builtin_error(proc, args, text, 1).await;
                continue;
            }
            if !kill_job(shell, proc, args, target, signal).await {
                if !known {
                    return 2;
                }
                status = 1;
            }
            continue;
        }
        let Some(pid) = number::<i64>(target) else {
            return shell
                .builtin_error(
                    proc,
                    args,
                    [b"Illegal number: ".as_slice(), target].concat(),
                    2,
                )
                .await;
        };
        if let Err(errno) = send(proc, pid, signal) {
            // dash 0.5.12 ends this line twice.
            status = shell
                .builtin_error(proc, args, format!("{}\n", errno.message()), 1)
                .await;
        }
    }
    status
}

async fn list_dash(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    operand: Option<&Vec<u8>>,
) -> u8 {
    let name = |code: u32| {
        Signal::from_number(code)
            .filter(|_| code != 16)
            .map(Signal::name)
    };
    let Some(operand) = operand else {
        let lines: String = (0..=64)
            .map(|code| name(code).unwrap_or_else(|| code.to_string()) + "\n")
            .collect();
        let _checked_at_flush = proc.print(lines.as_bytes()).await;
        return 0;
    };
    let Some(code) = number::<u32>(operand) else {
        return shell
            .builtin_error(
                proc,
                args,
                [b"Illegal number: ".as_slice(), operand].concat(),
                2,
            )
            .await;
    };
    match name(if code > 128 { code - 128 } else { code }) {
        Some(name) => {
            let _checked_at_flush = proc.print(format!("{name}\n").as_bytes()).await;
            0
        }
        None => {
            let text = [
                b"invalid signal number or exit status: ".as_slice(),
                operand,
            ]
            .concat();
            shell.builtin_error(proc, args, text, 2).await
        }
    }
}
