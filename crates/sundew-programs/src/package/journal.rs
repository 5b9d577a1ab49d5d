//! `journalctl` of systemd 252 on a machine whose journal keeps nothing.

use sundew_kernel::{ExitStatus, Process};

use super::{fail, help, print};

pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    for word in &words {
        match word.as_slice() {
            b"-h" | b"--help" => return print(proc, help("journalctl")).await,
            b"--version" => return print(proc, super::service::VERSION).await,
            b"--disk-usage" => {
                return print(
                    proc,
                    "Archived and active journals take up 0B in the file system.\n",
                )
                .await;
            }
            b"--rotate" | b"--flush" | b"--sync" => return proc.status(),
            word if word.starts_with(b"--vacuum-") => {
                let text = "Vacuuming done, freed 0B of archived journals from /var/log/journal.\n";
                return fail(proc, text, 0).await;
            }
            b"--list-boots" => return fail(proc, "No journal files were found.\n", 1).await,
            _ => {}
        }
    }
    proc.print_error(b"No journal files were found.\n").await;
    print(proc, "-- No entries --\n").await
}
