//! `colcrt`: underlining of nroff on lines of its own, for screens that cannot underline.

use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Fd, Process, STDIN};

use super::letters::{self, Letters};
use crate::getopt::{Arity, Getopt, Opt, Spec};

/// The longest line it knows; what is to the right of it is lost, as with the original.
const MAX_COLUMNS: usize = 132;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "2hV",
        &[
            ("no-underlining", Arity::No, "no-underlining"),
            ("half-lines", Arity::No, "2"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    let (mut plain, mut halves) = (false, false);
    let mut args = proc.args().to_vec();
    // A lone dash is an option here, not standard input.
    args.retain(|word| {
        plain |= word == b"-";
        word != b"-"
    });
    let mut options = Getopt::new(&SPEC, &args);
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "h", .. }) => return super::help(proc, "colcrt").await,
            Ok(Opt { key: "V", .. }) => return super::version(proc).await,
            Ok(Opt { key: "2", .. }) => halves = true,
            Ok(_) => plain = true,
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        show(proc, STDIN, plain, halves).await;
    }
    for path in &operands {
        let Some(fd) = letters::open(proc, path).await else {
            return ExitStatus::FAILURE;
        };
        show(proc, fd, plain, halves).await;
        // It was open for reading: nothing is lost.
        let _closed = proc.close(fd);
    }
    proc.status()
}

async fn show(proc: &mut Process, fd: Fd, plain: bool, halves: bool) {
    let mut reader = LineReader::new(proc, fd);
    let mut first = true;
    while let Ok(Some(line)) = letters::next(proc, &mut reader).await {
        let mut out = Vec::new();
        if first && halves {
            out.push(b'\n');
        }
        if line.letters == ['\n'] && !first {
            if halves {
                out.push(b'\n');
            }
        } else {
            rows(&line, plain, halves, &mut out);
        }
        first = false;
        if proc.print(&out).await.is_err() || line.broken.is_some() {
            return;
        }
    }
}

/// A line and the half line below it.
fn rows(line: &Letters, plain: bool, halves: bool, out: &mut Vec<u8>) {
    let (mut text, mut under) = (Vec::new(), Vec::new());
    let mut column = 0;
    for &letter in &line.letters {
        match letter {
            // Motions by half lines take the rest of the line with them: seen in 2.38.1.
            '\x1b' => break,
            '\t' => column = (column + 8) & !7,
            '_' if column < MAX_COLUMNS => {
                if !plain {
                    under.resize(column, ' ');
                    under.push('-');
                }
                column += 1;
            }
            letter if letter.is_control() => {}
            ' ' => column += 1,
            letter if column < MAX_COLUMNS => {
                text.resize(column, ' ');
                text.push(letter);
                column += 1;
            }
            _ => column += 1,
        }
    }
    let ended: &[u8] = match line.letters.last() {
        Some('\n') => b"\n",
        _ => b"",
    };
    text.iter().for_each(|letter| letters::push(out, *letter));
    out.extend_from_slice(ended);
    if halves || !under.is_empty() {
        under.iter().for_each(|letter| letters::push(out, *letter));
        out.extend_from_slice(ended);
    }
}
