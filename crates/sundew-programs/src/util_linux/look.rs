//! `look`: lines of a sorted file that begin with a word.

use std::cmp::Ordering;

use sundew_kernel::{Errno, ExitStatus, Process};

use crate::getopt::{Arity, Spec};
use crate::text::input;

const SPEC: Spec = Spec::new(
    "adft:hV",
    &[
        ("alternative", Arity::No, "a"),
        ("alphanum", Arity::No, "d"),
        ("ignore-case", Arity::No, "f"),
        ("terminate", Arity::Required, "t"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// What is looked for, and how lines are compared with it.
struct Sought {
    word: Vec<u8>,
    alphanumeric: bool,
    fold: bool,
}

impl Sought {
    fn counts(&self, byte: u8) -> bool {
        !self.alphanumeric || byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'\t')
    }

    /// How the beginning of a line stands to the word.
    fn compare(&self, line: &[u8]) -> Ordering {
        let fold = |byte: u8| {
            if self.fold {
                byte.to_ascii_lowercase()
            } else {
                byte
            }
        };
        let letters = line.iter().copied().filter(|byte| self.counts(*byte));
        let head = letters.take(self.word.len()).map(fold);
        head.cmp(self.word.iter().copied().map(fold))
    }
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "look", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let default = if line.has("a") {
        b"/usr/share/dict/web2".to_vec()
    } else {
        let named = proc.env().value(b"WORDLIST");
        named.unwrap_or(b"/usr/share/dict/words").to_vec()
    };
    let (mut word, file, plain) = match line.operands.as_slice() {
        [word] => (word.clone(), default, true),
        [word, file] => (word.clone(), file.clone(), false),
        _ => return super::bad_usage(proc).await,
    };
    if let Some(end) = line.value("t").and_then(<[u8]>::first)
        && let Some(at) = word.iter().position(|byte| byte == end)
    {
        word.truncate(at + 1);
    }
    let mut sought = Sought {
        word: Vec::new(),
        alphanumeric: line.has("d") || plain,
        fold: line.has("f") || plain,
    };
    word.retain(|byte| sought.counts(*byte));
    sought.word = word;
    let (text, mut memory) = match input::read_all(proc, &file).await {
        // A file is mapped, which neither a directory nor an empty file can be.
        Ok((text, _)) if text.is_empty() => return refuse(proc, &file, Errno::Einval).await,
        Ok(read) => read,
        Err(Errno::Eisdir) => return refuse(proc, &file, Errno::Enodev).await,
        Err(errno) => return refuse(proc, &file, errno).await,
    };
    let count = text.split(|byte| *byte == b'\n').count();
    if memory
        .grow(count.saturating_mul(size_of::<&[u8]>()))
        .is_err()
    {
        proc.out_of_memory().await;
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let body = |line: &[u8]| sought.compare(line.strip_suffix(b"\n").unwrap_or(line));
    let first = lines.partition_point(|line| body(line) == Ordering::Less);
    let mut found = false;
    for line in lines.get(first..).unwrap_or_default() {
        proc.tick().await;
        if body(line) != Ordering::Equal || proc.print(line).await.is_err() {
            break;
        }
        found = true;
    }
    ExitStatus::Exited(u8::from(!found))
}

async fn refuse(proc: &mut Process, file: &[u8], errno: Errno) -> ExitStatus {
    proc.complain(file, errno).await;
    ExitStatus::FAILURE
}
