//! `rev`: lines back to front, character by character.

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process};

use crate::text::input;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut operands = proc.args().get(1..).unwrap_or_default().to_vec();
    if operands.is_empty() {
        operands.push(b"-".to_vec());
    }
    for path in &operands {
        let fd = match input::open(proc, path).await {
            Ok(fd) => fd,
            Err(errno) => {
                let reason = errno.message().as_bytes();
                proc.complain_text([b"cannot open ", path.as_slice(), b": ", reason].concat())
                    .await;
                continue;
            }
        };
        let mut reader = LineReader::new(proc, fd);
        loop {
            let line = match reader.next(proc, b'\n').await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(Errno::Enomem) => proc.out_of_memory().await,
                Err(errno) => {
                    proc.complain(path, errno).await;
                    break;
                }
            };
            if proc.print(&reversed(&line)).await.is_err() {
                return proc.status();
            }
        }
        input::close(proc, fd);
    }
    proc.status()
}

/// A line's characters in reverse; its newline stays at the end.
fn reversed(line: &[u8]) -> Vec<u8> {
    let (text, end) = match line.strip_suffix(b"\n") {
        Some(text) => (text, b"\n".as_slice()),
        None => (line, b"".as_slice()),
    };
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for chunk in text.utf8_chunks() {
        pieces.extend(
            chunk
                .valid()
                .chars()
                .map(|letter| letter.to_string().into_bytes()),
        );
        pieces.extend(chunk.invalid().iter().map(|byte| vec![*byte]));
    }
    pieces.reverse();
    [pieces.concat().as_slice(), end].concat()
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn characters_are_reversed_and_newlines_stay() {
        assert_eq!(run(&["rev"], "abc\nüx\nz".as_bytes()).0, "cba\nxü\nz");
        assert_eq!(
            run(&["rev", "/nope"], b"").1,
            "rev: cannot open /nope: No such file or directory\n"
        );
    }
}
