//! `more`, and `less`: without a terminal they copy their input.

use sundew_kernel::{ExitStatus, Process, STDIN, STDOUT};
use sundew_vfs::FileType;

use crate::screen;
use crate::screen::more::Wish;
use crate::text::input;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    copy(proc, "cannot open").await
}

/// What `less --version` prints.
const LESS_VERSION: &[u8] = b"less 590 (GNU regular expressions)\nCopyright (C) 1984-2021  Mark Nudelman\n\nless comes with NO WARRANTY, to the extent permitted by law.\nFor information about the terms of redistribution,\nsee the file named README in the less distribution.\nHome page: https://greenwoodsoftware.com/less\n";

/// `less` words its complaint without its name.
pub(crate) async fn run_less(proc: &mut Process) -> ExitStatus {
    if proc.is_terminal(STDOUT) {
        return screen::less::run(proc).await;
    }
    let wants_version = |word: &Vec<u8>| matches!(word.as_slice(), b"-V" | b"--version");
    if proc.args().iter().skip(1).any(wants_version) {
        // The kernel reports a failed write at exit.
        let _reported = proc.print(LESS_VERSION).await;
        return proc.status();
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

fn is_directory(proc: &Process, path: &[u8]) -> bool {
    let found = proc.stat(path);
    found.is_ok_and(|metadata| metadata.file_type == FileType::Directory)
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
        if is_directory(proc, path) {
            let text: &[&[u8]] = if more {
                &[b"\n*** ", path, b": directory ***\n\n"]
            } else {
                &[path, b" is a directory\n"]
            };
            // The kernel reports a failed write at exit.
            let _reported = proc.print(&text.concat()).await;
            continue;
        }
        let fd = match input::open(proc, path).await {
            Ok(fd) => fd,
            Err(errno) => {
                let reason = errno.message().as_bytes();
                if complaint.is_empty() {
                    // Without a terminal it complains where it would have shown the file.
                    let line = [path.as_slice(), b": ", reason, b"\n"].concat();
                    let _reported = proc.print(&line).await;
                } else {
                    proc.complain_text(
                        [complaint.as_bytes(), b" ", path.as_slice(), b": ", reason].concat(),
                    )
                    .await;
                    proc.set_status(0);
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
                "/nope: No such file or directory\n".into(),
                String::new(),
                0
            )
        );
        assert_eq!(run(&["less"], b"a\n").0, "a\n");
    }
}
