//! `pwdx`: the directories that processes are in.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{number, print_help, print_version, refuse};

/// `pwdx`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match words.first().map(Vec::as_slice) {
        None => return refuse(proc, "pwdx", None).await,
        Some(b"-h" | b"--help") => return print_help(proc, "pwdx").await,
        Some(b"-V" | b"--version") => return print_version(proc, "pwdx").await,
        Some(_) => {}
    }
    let mut failed = false;
    for word in words {
        let pid: Option<u32> = number(word.strip_prefix(b"/proc/").unwrap_or(&word));
        let Some(pid) = pid.filter(|pid| *pid > 0) else {
            let text = [b"invalid process id: ".as_slice(), &word].concat();
            proc.complain_text(&text).await;
            return ExitStatus::FAILURE;
        };
        let link = proc.read_link(format!("/proc/{pid}/cwd").as_bytes());
        let text = match link {
            Ok(path) => path,
            Err(errno) => {
                failed = true;
                let words = if errno == Errno::Enoent {
                    Errno::Esrch.message()
                } else {
                    errno.message()
                };
                words.as_bytes().to_vec()
            }
        };
        let line = [&word, b": ".as_slice(), &text, b"\n"].concat();
        if failed && !line.contains(&b'/') {
            proc.print_error(&line).await;
        } else if proc.print(&line).await.is_err() {
            return proc.status();
        }
    }
    if failed {
        ExitStatus::FAILURE
    } else {
        ExitStatus::SUCCESS
    }
}
