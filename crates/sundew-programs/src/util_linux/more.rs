//! `more`, and `less`: without a terminal they copy their input.

use sundew_kernel::{ExitStatus, Process, STDOUT};

use crate::screen;
use crate::text::input;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    copy(proc, "cannot open").await
}

/// `less` words its complaint without its name.
pub(crate) async fn run_less(proc: &mut Process) -> ExitStatus {
    if proc.is_terminal(STDOUT) {
        return screen::less::run(proc).await;
    }
    copy(proc, "").await
}

async fn copy(proc: &mut Process, complaint: &str) -> ExitStatus {
    let args = proc.args().get(1..).unwrap_or_default().to_vec();
    let mut operands: Vec<Vec<u8>> = args
        .into_iter()
        .filter(|arg| arg == b"-" || !(arg.starts_with(b"-") || arg.starts_with(b"+")))
        .collect();
    if operands.is_empty() {
        operands.push(b"-".to_vec());
    }
    if proc.is_terminal(STDOUT) && !complaint.is_empty() {
        return screen::less::more(proc, operands).await;
    }
    let many = operands.len() > 1 && !complaint.is_empty();
    for path in &operands {
        let fd = match input::open(proc, path).await {
            Ok(fd) => fd,
            Err(errno) => {
                let reason = errno.message().as_bytes();
                if complaint.is_empty() {
                    proc.print_error(&[path.as_slice(), b": ", reason, b"\n"].concat())
                        .await;
                    proc.set_status(1);
                } else {
                    proc.complain_text(
                        [complaint.as_bytes(), b" ", path.as_slice(), b": ", reason].concat(),
                    )
                    .await;
                }
                continue;
            }
        };
        if many {
            let head = [b"::::::::::::::\n".as_slice(), path, b"\n::::::::::::::\n"].concat();
            // The kernel reports a failed write at exit.
            let _reported = proc.print(&head).await;
        }
        let mut chunk = vec![0; 4096];
        while let Ok(count @ 1..) = proc.read(fd, &mut chunk).await {
            if proc
                .print(chunk.get(..count).unwrap_or_default())
                .await
                .is_err()
            {
                return proc.status();
            }
        }
        input::close(proc, fd);
    }
    proc.status()
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn without_a_terminal_the_input_is_copied() {
        assert_eq!(run(&["more", "/etc/hostname"], b"").0, "web01\n");
        assert_eq!(
            run(&["less", "/nope"], b""),
            (
                String::new(),
                "/nope: No such file or directory\n".into(),
                1
            )
        );
        assert_eq!(run(&["less"], b"a\n").0, "a\n");
    }
}
