//! `/bin/kill` of procps 4.0.2.

use sundew_kernel::{Errno, ExitStatus, Pid, Process, Signal};

use super::{help, number, print_help, print_version, signal_of};

/// `kill`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut signal = Some(Signal::TERM);
    let mut is_signal = true;
    while let Some(word) = words.first().cloned() {
        match word.as_slice() {
            b"--help" | b"-h" => return print_help(proc, "kill").await,
            b"--version" | b"-V" => return print_version(proc, "kill").await,
            b"-l" | b"--list" => return list(proc, words.get(1).cloned()).await,
            b"-L" | b"--table" => return table(proc).await,
            b"--" => {
                words.remove(0);
                break;
            }
            b"-s" | b"--signal" | b"-q" => {
                words.remove(0);
                let Some(name) = words.first().cloned() else {
                    return usage(proc).await;
                };
                if word != b"-q" {
                    match signal_of(&name) {
                        Some(found) => signal = found,
                        // Found out by kill(2), of each process.
                        None => is_signal = false,
                    }
                }
                words.remove(0);
            }
            option if option.starts_with(b"-") && option.len() > 1 => {
                let name = option.get(1..).unwrap_or_default();
                match signal_of(name) {
                    Some(found) => signal = found,
                    None if number::<u32>(name).is_some() => is_signal = false,
                    None => {
                        return bad_signal(proc, name.get(..1).unwrap_or_default()).await;
                    }
                }
                words.remove(0);
                // What follows is not looked at for options: -1 is everybody.
                break;
            }
            _ => break,
        }
    }
    if words.is_empty() {
        return usage(proc).await;
    }
    for word in words {
        let Some(pid) = number::<i64>(&word) else {
            proc.complain_text([b"failed to parse argument: '".as_slice(), &word, b"'"].concat())
                .await;
            return ExitStatus::FAILURE;
        };
        let sent = if is_signal {
            send(proc, pid, signal)
        } else {
            Err(Errno::Einval)
        };
        if let Err(errno) = sent {
            proc.complain_text(format!("({pid}): {}", errno.message()))
                .await;
        }
    }
    proc.status()
}

/// As kill(2): a group for negative numbers.
fn send(proc: &Process, pid: i64, signal: Option<Signal>) -> Result<(), Errno> {
    let target = Pid::try_from(pid.unsigned_abs()).map_err(|_| Errno::Esrch)?;
    match pid {
        0 => proc.kill_group(proc.group(), signal),
        1.. => proc.kill(target, signal),
        -1 => {
            let own = proc.pid();
            for one in proc
                .processes()
                .into_iter()
                .filter(|one| one.pid > 1 && one.pid != own && !one.kernel_thread)
            {
                // Those that may not be signalled are passed over.
                let _not_ours = proc.kill(one.pid, signal);
            }
            Ok(())
        }
        _ => proc.kill_group(target, signal),
    }
}

async fn usage(proc: &mut Process) -> ExitStatus {
    proc.print_error(help("kill")).await;
    ExitStatus::FAILURE
}

async fn bad_signal(proc: &mut Process, name: &[u8]) -> ExitStatus {
    proc.complain_text(
        [b"invalid argument ".as_slice(), name, b"\n"]
            .concat()
            .trim_ascii_end(),
    )
    .await;
    usage(proc).await
}

/// The names as procps has them.
fn names() -> impl Iterator<Item = (u8, String)> {
    Signal::all()
        .filter(|signal| signal.number() < 32)
        .map(|signal| {
            let name = if signal == Signal::IO {
                "POLL".to_owned()
            } else {
                signal.name()
            };
            (signal.number(), name)
        })
}

async fn list(proc: &mut Process, which: Option<Vec<u8>>) -> ExitStatus {
    let text = match which {
        Some(which) => match signal_of(&which) {
            Some(Some(signal)) if number::<u32>(&which).is_some() => format!("{}\n", signal.name()),
            Some(Some(signal)) => format!("{}\n", signal.number()),
            _ => {
                proc.print_error(
                    &[
                        proc.name(),
                        b": unknown signal name ",
                        which.as_slice(),
                        b"\n",
                    ]
                    .concat(),
                )
                .await;
                return proc.status();
            }
        },
        None => {
            let all: Vec<String> = names().map(|(_, name)| name).collect();
            let rows: Vec<String> = all.chunks(16).map(|row| row.join(" ") + "\n").collect();
            rows.concat()
        }
    };
    let _closed = proc.print(text.as_bytes()).await;
    proc.status()
}

async fn table(proc: &mut Process) -> ExitStatus {
    let cells: Vec<String> = names()
        .map(|(number, name)| format!("{number:>2} {name:<8}"))
        .collect();
    let rows: Vec<String> = cells
        .chunks(7)
        .map(|row| row.join(" ").trim_end().to_owned() + "\n")
        .collect();
    let _closed = proc.print(rows.concat().as_bytes()).await;
    proc.status()
}
