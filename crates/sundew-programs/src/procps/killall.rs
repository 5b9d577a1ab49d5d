//! `killall` of psmisc.

use sundew_kernel::{ExitStatus, Process, Signal};

use super::{help, signal_of};

/// `killall`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut signal = Some(Signal::TERM);
    let (mut quiet, mut verbose, mut ignore_case, mut names) = (false, false, false, Vec::new());
    let (mut words, mut only_names) = (
        proc.args()
            .iter()
            .skip(1)
            .cloned()
            .collect::<Vec<_>>()
            .into_iter(),
        false,
    );
    while let Some(word) = words.next() {
        if only_names || !word.starts_with(b"-") || word.len() < 2 {
            names.push(word);
            continue;
        }
        match word.as_slice() {
            b"--" => only_names = true,
            b"-q" | b"--quiet" => quiet = true,
            b"-v" | b"--verbose" => verbose = true,
            b"-I" | b"--ignore-case" => ignore_case = true,
            b"-e" | b"--exact" | b"-w" | b"--wait" | b"-i" | b"-r" | b"-g" => {}
            b"-l" | b"--list" => {
                let all: Vec<String> = Signal::all()
                    .filter(|signal| signal.number() < 32)
                    .map(|signal| match signal {
                        Signal::IO => "POLL".to_owned(),
                        other => other.name(),
                    })
                    .collect();
                let rows: Vec<String> = all.chunks(16).map(|row| row.join(" ") + "\n").collect();
                let _closed = proc.print(rows.concat().as_bytes()).await;
                return proc.status();
            }
            b"-s" | b"--signal" | b"-u" | b"--user" => {
                let Some(value) = words.next() else {
                    return usage(proc).await;
                };
                if word.starts_with(b"-s") || word.starts_with(b"--s") {
                    match signal_of(&value) {
                        Some(found) => signal = found,
                        None => return unknown(proc, &value).await,
                    }
                }
            }
            option => match signal_of(option.get(1..).unwrap_or_default()) {
                Some(found) => signal = found,
                None => return unknown(proc, option.get(1..).unwrap_or_default()).await,
            },
        }
    }
    if names.is_empty() {
        return usage(proc).await;
    }
    let own = proc.pid();
    for name in names {
        let base = name.rsplit(|&byte| byte == b'/').next().unwrap_or(&name);
        let short = base.get(..15).unwrap_or(base);
        let same =
            |other: &[u8]| other == short || ignore_case && other.eq_ignore_ascii_case(short);
        let found: Vec<_> = proc
            .processes()
            .into_iter()
            .filter(|one| same(&one.name) && one.pid != own && !one.kernel_thread)
            .collect();
        if found.is_empty() {
            proc.set_status(1);
            if !quiet {
                proc.print_error(&[name.as_slice(), b": no process found\n"].concat())
                    .await;
            }
        }
        for one in found {
            let text = match proc.kill(one.pid, signal) {
                Ok(()) if verbose => format!(
                    "Killed {}({}) with signal {}\n",
                    String::from_utf8_lossy(&name),
                    one.pid,
                    signal.map_or(0, Signal::number)
                ),
                Ok(()) => continue,
                Err(errno) => {
                    proc.set_status(1);
                    format!(
                        "{}({}): {}\n",
                        String::from_utf8_lossy(&name),
                        one.pid,
                        errno.message()
                    )
                }
            };
            proc.print_error(text.as_bytes()).await;
        }
    }
    proc.status()
}

async fn usage(proc: &mut Process) -> ExitStatus {
    proc.print_error(help("killall")).await;
    ExitStatus::FAILURE
}

async fn unknown(proc: &mut Process, name: &[u8]) -> ExitStatus {
    proc.print_error(&[name, b": unknown signal; killall -l lists signals.\n"].concat())
        .await;
    ExitStatus::FAILURE
}
