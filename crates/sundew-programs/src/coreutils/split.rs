//! split(1).

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Fd, Process};

use super::about;
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;
use crate::size::number;

const SPEC: Spec = Spec::gnu(
    "0123456789C:a:b:del:n:t:ux",
    &[
        ("bytes", Arity::Required, "b"),
        ("lines", Arity::Required, "l"),
        ("line-bytes", Arity::Required, "C"),
        ("number", Arity::Required, "n"),
        ("elide-empty-files", Arity::No, "e"),
        ("unbuffered", Arity::No, "u"),
        ("suffix-length", Arity::Required, "a"),
        ("additional-suffix", Arity::Required, "additional"),
        ("numeric-suffixes", Arity::Optional, "d"),
        ("hex-suffixes", Arity::Optional, "x"),
        ("separator", Arity::Required, "t"),
        ("verbose", Arity::No, "verbose"),
    ],
);

/// Longest suffix, in letters.
const MAX_SUFFIX: usize = 64;

struct Output {
    prefix: Vec<u8>,
    additional: Vec<u8>,
    letters: &'static [u8],
    length: usize,
    verbose: bool,
    count: u64,
    fd: Option<Fd>,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut output = Output {
        prefix: b"x".to_vec(),
        additional: Vec::new(),
        letters: b"abcdefghijklmnopqrstuvwxyz",
        length: 2,
        verbose: false,
        count: 0,
        fd: None,
    };
    let (mut lines, mut bytes, mut chunks, mut separator) = (Some(1000), None, None, b'\n');
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let (key, value) = match option {
            Ok(option) => (option.key, option.value),
            Err(error) => return refuse(proc, &error, 1).await,
        };
        let amount = number(&value, b"bEGKkMmPTYZ0")
            .ok()
            .filter(|amount| *amount > 0);
        match (key, amount) {
            ("b" | "C", Some(amount)) => (bytes, lines) = (Some(amount), None),
            ("l", Some(amount)) => (lines, bytes) = (Some(amount), None),
            ("n", Some(amount)) => chunks = Some(amount),
            ("a", Some(amount)) => {
                output.length = usize::try_from(amount)
                    .unwrap_or(MAX_SUFFIX)
                    .min(MAX_SUFFIX)
            }
            ("b" | "C", None) => {
                return input::complain_word(proc, "invalid number of bytes:", &value).await;
            }
            ("l", None) => {
                return input::complain_word(proc, "invalid number of lines:", &value).await;
            }
            ("n", None) => {
                return input::complain_word(proc, "invalid number of chunks:", &value).await;
            }
            ("a", None) => {
                return input::complain_word(proc, "invalid suffix length:", &value).await;
            }
            ("additional", _) => output.additional = value,
            ("d", _) => output.letters = b"0123456789",
            ("x", _) => output.letters = b"0123456789abcdef",
            ("t", _) => separator = value.first().copied().unwrap_or(b'\n'),
            ("verbose", _) => output.verbose = true,
            ("e" | "u", _) => {}
            ("help" | "version", _) => return about::run(proc, key, "split").await,
            (digit, _) => {
                let digit = digit.parse::<u64>().unwrap_or(0);
                lines = Some(
                    lines
                        .filter(|lines| *lines != 1000)
                        .unwrap_or(0)
                        .saturating_mul(10)
                        .saturating_add(digit),
                );
            }
        }
    }
    let operands = options.operands();
    if let Some(extra) = operands.get(2) {
        return input::extra_operand(proc, extra).await;
    }
    let name = operands
        .first()
        .map_or(b"-".as_slice(), Vec::as_slice)
        .to_vec();
    if let Some(prefix) = operands.get(1) {
        output.prefix.clone_from(prefix);
    }
    let fd = match input::open(proc, &name).await {
        Ok(fd) => fd,
        Err(errno) => {
            let shown = quote::always(proc, &name);
            proc.complain(
                &[b"cannot open ", shown.as_slice(), b" for reading"].concat(),
                errno,
            )
            .await;
            return proc.status();
        }
    };
    if let Some(chunks) = chunks {
        let size = proc.fstat(fd).map_or(0, |found| found.size);
        (bytes, lines) = (Some((size / chunks).max(1)), None);
    }
    // Of `-n` the last part takes what does not divide.
    cut(
        proc,
        fd,
        &mut output,
        bytes,
        lines.unwrap_or(1000).max(1),
        separator,
        chunks.unwrap_or(u64::MAX),
    )
    .await;
    proc.status()
}

async fn cut(
    proc: &mut Process,
    source: Fd,
    output: &mut Output,
    bytes: Option<u64>,
    lines: u64,
    separator: u8,
    most: u64,
) {
    let mut chunk = vec![0; CHUNK];
    // What still fits into the part that is open.
    let mut room = 0u64;
    loop {
        let got = match proc.read(source, &mut chunk).await {
            Ok(0) => break,
            Ok(got) => got,
            Err(errno) => {
                proc.complain(b"read error", errno).await;
                break;
            }
        };
        let mut data = chunk.get(..got).unwrap_or_default();
        while !data.is_empty() {
            if room == 0 && output.count < most {
                if !output.open_next(proc).await {
                    return;
                }
                room = bytes.unwrap_or(lines);
            }
            let last = output.count >= most;
            let end = match bytes {
                _ if last => data.len(),
                Some(_) => usize::try_from(room).unwrap_or(usize::MAX).min(data.len()),
                None => data
                    .iter()
                    .position(|byte| *byte == separator)
                    .map_or(data.len(), |at| at + 1),
            };
            let (part, rest) = data.split_at(end);
            if !last {
                room -= match bytes {
                    Some(_) => part.len() as u64,
                    None => u64::from(part.last() == Some(&separator)),
                };
            }
            if let Some(fd) = output.fd
                && let Err(errno) = proc.write_all(fd, part).await
            {
                let name = output
                    .name(output.count.saturating_sub(1))
                    .unwrap_or_default();
                input::complain(proc, &name, errno).await;
                return;
            }
            data = rest;
        }
    }
    input::close(proc, source);
}

impl Output {
    /// The name of a part: `xaa`, `xab`, …; `None` past the last.
    fn name(&self, mut number: u64) -> Option<Vec<u8>> {
        let base = self.letters.len() as u64;
        let mut suffix = Vec::new();
        for _ in 0..self.length {
            suffix.push(*self.letters.get(usize::try_from(number % base).ok()?)?);
            number /= base;
        }
        suffix.reverse();
        (number == 0).then(|| [self.prefix.as_slice(), &suffix, &self.additional].concat())
    }

    async fn open_next(&mut self, proc: &mut Process) -> bool {
        if let Some(fd) = self.fd.take() {
            // All of it was written.
            let _closed = proc.close(fd);
        }
        let Some(name) = self.name(self.count) else {
            proc.complain_text("output file suffixes exhausted").await;
            return false;
        };
        self.count += 1;
        if self.verbose {
            let line = [
                b"creating file ".as_slice(),
                &quote::always(proc, &name),
                b"\n",
            ]
            .concat();
            // A closed output is reported when the program ends.
            let _reported_at_exit = proc.print(&line).await;
        }
        match proc.open(&name, OpenFlags::CREATE, 0o666).await {
            Ok(fd) => {
                self.fd = Some(fd);
                true
            }
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                false
            }
        }
    }
}
