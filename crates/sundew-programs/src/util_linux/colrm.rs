//! `colrm`: columns cut out of every line.

use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Process, STDIN};

use super::letters::{self, Letters};
use crate::getopt::{Arity, Spec};

const SPEC: Spec = Spec::new(
    "+hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "colrm", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut bounds = [0, 0];
    for ((word, which), bound) in line
        .operands
        .iter()
        .zip(["first", "second"])
        .zip(&mut bounds)
    {
        let digits = word.trim_ascii_start();
        let digits = digits.strip_prefix(b"+").unwrap_or(digits);
        let decimal = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        match super::number::<usize>(digits).filter(|_| decimal) {
            Some(number) => *bound = number,
            None => {
                let mut text = [which.as_bytes(), b" argument: '", word, b"'"].concat();
                if decimal {
                    text.extend_from_slice(b": Numerical result out of range");
                }
                return super::fail(proc, text).await;
            }
        }
    }
    let [first, last] = bounds;
    let mut reader = LineReader::new(proc, STDIN);
    while let Ok(Some(line)) = letters::next(proc, &mut reader).await {
        if proc.print(&cut(&line, first, last)).await.is_err() || line.broken.is_some() {
            break;
        }
    }
    proc.status()
}

/// Where the column is after a character.
fn after(column: usize, letter: char) -> usize {
    match letter {
        '\t' => (column + 8) & !7,
        '\x08' => column.saturating_sub(1),
        letter => column + letters::columns(letter),
    }
}

/// A line without the columns from `first` to `last`; zero stands for "none" and for "to the end".
fn cut(line: &Letters, first: usize, last: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut column = 0;
    let mut rest = line.letters.iter().copied().peekable();
    loop {
        let Some(letter) = rest.next() else {
            return out;
        };
        let before = column;
        column = after(column, letter);
        if letter == '\n' || first == 0 || column < first {
            letters::push(&mut out, letter);
            continue;
        }
        // What straddles the first column leaves blanks up to it.
        let blanks = first.saturating_sub(before + 1);
        out.extend(std::iter::repeat_n(b' ', blanks));
        break;
    }
    while last == 0 || column < last {
        match rest.next() {
            None => return out,
            Some('\n') => {
                out.push(b'\n');
                return out;
            }
            Some(letter) => column = after(column, letter),
        }
    }
    if rest.peek().is_some_and(|letter| *letter != '\n') {
        out.extend(std::iter::repeat_n(b' ', column.saturating_sub(last)));
    }
    for letter in rest {
        letters::push(&mut out, letter);
    }
    out
}
