//! `more`, and `less`: without a terminal they copy their input.

use sundew_kernel::{ExitStatus, Process, STDIN, STDOUT};

use crate::screen;
use crate::screen::more::Wish;
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

/// What the options of `more` ask for.
fn wish(words: &[Vec<u8>]) -> Wish {
    let mut wish = Wish::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            [b'+', b'/', pattern @ ..] => wish.pattern = Some(pattern.to_vec()),
            [b'+', line @ ..] => wish.line = number(line).unwrap_or(0),
            b"-n" | b"--lines" => wish.rows = words.next().and_then(|word| number(word)),
            [b'-', b'n', rows @ ..] => wish.rows = number(rows),
            b"--silent" => wish.hints = true,
            b"--exit-on-eof" => wish.ends = true,
            b"--squeeze" => wish.squeeze = true,
            b"--clean-print" | b"--print-over" => wish.clears = true,
            [b'-', letters @ ..] if !letters.starts_with(b"-") => {
                wish.hints |= letters.contains(&b'd');
                wish.ends |= letters.contains(&b'e');
                wish.squeeze |= letters.contains(&b's');
                wish.clears |= letters.contains(&b'p') || letters.contains(&b'c');
            }
            _ => {}
        }
    }
    wish
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

async fn copy(proc: &mut Process, complaint: &str) -> ExitStatus {
    let args = proc.args().get(1..).unwrap_or_default().to_vec();
    let mut operands: Vec<Vec<u8>> = args
        .into_iter()
        .filter(|arg| arg == b"-" || !(arg.starts_with(b"-") || arg.starts_with(b"+")))
        .collect();
    let more = !complaint.is_empty();
    if operands.is_empty() && more && proc.is_terminal(STDIN) {
        let text = b"more: bad usage\nTry 'more --help' for more information.\n";
        proc.print_error(text).await;
        return ExitStatus::FAILURE;
    }
    if operands.is_empty() {
        operands.push(b"-".to_vec());
    }
    if proc.is_terminal(STDOUT) && more {
        let wish = wish(proc.args().get(1..).unwrap_or_default());
        // `-n` has a word of its own.
        if wish.rows.is_some() && operands.len() > 1 {
            operands.retain(|word| number(word) != wish.rows);
        }
        return screen::more::run(proc, operands, wish).await;
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
