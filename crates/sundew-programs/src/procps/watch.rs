//! `watch`: the command again and again, on a cleared screen.

use std::time::Duration;

use sundew_kernel::process::{Spawn, WaitFor};
use sundew_kernel::{ExitStatus, Process};

use super::{help, print_help, print_version};

/// `watch`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter()
        .peekable();
    let mut seconds = 2.0_f64;
    while let Some(option) = words.next_if(|word| word.starts_with(b"-")) {
        match option.as_slice() {
            b"--help" | b"-h" => return print_help(proc, "watch").await,
            b"--version" | b"-v" => return print_version(proc, "watch").await,
            b"-n" | b"--interval" => {
                seconds = words
                    .next()
                    .and_then(|word| super::number(&word))
                    .unwrap_or(seconds)
            }
            short if short.starts_with(b"-n") => {
                seconds = super::number(short.get(2..).unwrap_or_default()).unwrap_or(seconds)
            }
            _ => {}
        }
    }
    let command: Vec<Vec<u8>> = words.collect();
    if command.is_empty() {
        proc.print_error(help("watch")).await;
        return ExitStatus::FAILURE;
    }
    if proc.env().value(b"TERM").is_none() {
        proc.print_error(b"Error opening terminal: unknown.\n")
            .await;
        return ExitStatus::FAILURE;
    }
    let command = command.join(&b' ');
    let host = proc.facts().hostname.clone();
    loop {
        let head = [
            format!("\x1b[H\x1b[2J\x1b[3JEvery {seconds:.1}s: ").as_bytes(),
            &command,
            b"    ",
            &host,
            b"\n\n",
        ]
        .concat();
        if proc.print(&head).await.is_err() || proc.flush().await.is_err() {
            return proc.status();
        }
        let args = [b"sh".as_slice(), b"-c", &command]
            .map(<[u8]>::to_vec)
            .to_vec();
        match proc.spawn(Spawn {
            path: b"/bin/sh".to_vec(),
            args,
            env: proc.env().clone(),
        }) {
            // Whatever became of it, the next round comes.
            Ok(pid) => drop(proc.wait(WaitFor::Pid(pid), false, true).await),
            Err(_) => return ExitStatus::FAILURE,
        }
        if proc
            .sleep(Duration::from_secs_f64(seconds.clamp(0.1, 4_294_967.0)))
            .await
            .is_err()
        {
            return proc.status();
        }
    }
}
