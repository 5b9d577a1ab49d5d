//! split(1).

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Fd, Process};

use super::about;
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
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
        ("filter", Arity::Required, "filter"),
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
    /// The number of the first part.
    start: u64,
    /// A command that takes each part instead of a file.
    filter: Option<Vec<u8>>,
    fd: Option<Fd>,
    pipe: Option<crate::text::shell::Pipe>,
}

/// How a number of parts is filled: `-n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunks {
    Bytes,
    Lines,
    RoundRobin,
}

/// `N`, `l/N`, `r/N`, each also with `K/` before the number.
fn chunks(text: &[u8]) -> Option<(Chunks, Option<u64>, u64)> {
    let (kind, rest) = match text {
        [b'l', b'/', rest @ ..] => (Chunks::Lines, rest),
        [b'r', b'/', rest @ ..] => (Chunks::RoundRobin, rest),
        rest => (Chunks::Bytes, rest),
    };
    let count = |text: &[u8]| number(text, b"bEGKkMmPTYZ0").ok().filter(|n| *n > 0);
    match rest.iter().position(|&byte| byte == b'/') {
        Some(at) => {
            let wanted = count(rest.get(..at)?)?;
            let all = count(rest.get(at + 1..)?)?;
            (wanted <= all).then_some((kind, Some(wanted), all))
        }
        None => Some((kind, None, count(rest)?)),
    }
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
        start: 0,
        filter: None,
        fd: None,
        pipe: None,
    };
    let (mut lines, mut bytes, mut parts, mut separator) = (Some(1000), None, None, b'\n');
    let (mut line_bytes, mut cut_by, mut elide) = (None, None, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let (key, value) = match option {
            Ok(option) => (option.key, option.value),
            Err(error) => return refuse(proc, &error, 1).await,
        };
        let amount = number(&value, b"bEGKkMmPTYZ0")
            .ok()
            .filter(|amount| *amount > 0);
        // One way to cut is enough; the digits of a number of lines make one.
        let way = match key {
            "b" | "C" | "l" | "n" => Some(key),
            digit if digit.len() == 1 && digit.parse::<u8>().is_ok() => Some("digits"),
            _ => None,
        };
        if let Some(own) = way
            && cut_by
                .replace(own)
                .is_some_and(|before| before != "digits" || own != "digits")
        {
            proc.complain_text("cannot split in more than one way")
                .await;
            return try_help(proc, 1).await;
        }
        match (key, amount) {
            ("b", Some(amount)) => (bytes, lines) = (Some(amount), None),
            ("C", Some(amount)) => line_bytes = Some(amount),
            ("l", Some(amount)) => (lines, bytes) = (Some(amount), None),
            ("n", _) => match chunks(&value) {
                Some(asked) => parts = Some(asked),
                None if value.iter().all(|byte| *byte == b'0') && !value.is_empty() => {
                    let shown = quote::text(proc, &value);
                    let reason = Errno::Erange.message();
                    let text = [b"invalid number of chunks: ", shown.as_slice(), b": "];
                    let text = [text.concat().as_slice(), reason.as_bytes()].concat();
                    proc.complain_text(text).await;
                    return proc.status();
                }
                None => {
                    return input::complain_word(proc, "invalid number of chunks:", &value).await;
                }
            },
            ("a", None) if value.iter().all(|byte| *byte == b'0') && !value.is_empty() => {}
            ("a", Some(amount)) => {
                output.length = usize::try_from(amount)
                    .unwrap_or(MAX_SUFFIX)
                    .min(MAX_SUFFIX)
            }
            ("b" | "C" | "l", None) => {
                let what: &[u8] = if key == "l" {
                    b"invalid number of lines: "
                } else {
                    b"invalid number of bytes: "
                };
                let mut text = [what, &quote::text(proc, &value)].concat();
                if number(&value, b"bEGKkMmPTYZ0") == Ok(0) {
                    text.extend_from_slice(b": Numerical result out of range");
                }
                proc.complain_text(text).await;
                return proc.status();
            }
            ("a", None) => {
                return input::complain_word(proc, "invalid suffix length:", &value).await;
            }
            ("additional", _) => {
                if value.contains(&b'/') {
                    let shown = quote::text(proc, &value);
                    let tail = b", contains directory separator";
                    let text = [b"invalid suffix ".as_slice(), &shown, tail].concat();
                    proc.complain_text(text).await;
                    return try_help(proc, 1).await;
                }
                output.additional = value;
            }
            ("d" | "x", _) => {
                let base = if key == "d" { 10 } else { 16 };
                output.letters = if key == "d" {
                    b"0123456789"
                } else {
                    b"0123456789abcdef"
                };
                if !value.is_empty() {
                    let start = std::str::from_utf8(&value)
                        .ok()
                        .and_then(|text| u64::from_str_radix(text, base).ok());
                    let Some(start) = start else {
                        return input::complain_word(proc, "invalid start value", &value).await;
                    };
                    output.start = start;
                }
            }
            ("filter", _) => output.filter = Some(value),
            ("t", _) => match value.as_slice() {
                b"" => {
                    proc.complain_text("empty record separator").await;
                    return proc.status();
                }
                [one] => separator = *one,
                b"\\0" => separator = 0,
                _ => {
                    let what = "multi-character separator";
                    return input::complain_word(proc, what, &value).await;
                }
            },
            ("verbose", _) => output.verbose = true,
            ("e", _) => elide = true,
            ("u", _) => {}
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
    if parts.is_some() || line_bytes.is_some() {
        match proc.read_to_end(fd).await {
            Ok((text, _memory)) => {
                let pieces = match parts {
                    Some((kind, _, count)) => by_number(&text, kind, count, separator),
                    None => by_line_bytes(&text, line_bytes.unwrap_or(1), separator),
                };
                if let Some((_, Some(wanted), _)) = parts {
                    let index = usize::try_from(wanted - 1).unwrap_or(usize::MAX);
                    let piece = pieces.get(index).cloned().unwrap_or_default();
                    let _reported_at_exit = proc.print(&piece).await;
                } else {
                    for piece in pieces {
                        if elide && piece.is_empty() {
                            continue;
                        }
                        if !output.open_next(proc).await || !output.put(proc, &piece).await {
                            break;
                        }
                    }
                }
            }
            Err(errno) => proc.complain(b"read error", errno).await,
        }
    } else {
        cut(
            proc,
            fd,
            &mut output,
            bytes,
            lines.unwrap_or(1000).max(1),
            separator,
            u64::MAX,
        )
        .await;
    }
    output.close(proc).await;
    proc.status()
}

/// Most parts that are made of one file; more would have no names.
const MAX_PARTS: u64 = 1 << 16;

/// A number of parts of about the same size.
fn by_number(text: &[u8], kind: Chunks, count: u64, separator: u8) -> Vec<Vec<u8>> {
    let count = usize::try_from(count.min(MAX_PARTS)).unwrap_or(1).max(1);
    let lines = || text.split_inclusive(|&byte| byte == separator);
    let mut pieces: Vec<Vec<u8>> = vec![Vec::new(); count];
    match kind {
        Chunks::RoundRobin => {
            for (line, place) in lines().zip((0..count).cycle()) {
                if let Some(piece) = pieces.get_mut(place) {
                    piece.extend_from_slice(line);
                }
            }
        }
        Chunks::Bytes | Chunks::Lines => {
            // The last part takes what does not divide; a line belongs where it begins.
            let size = (text.len() / count).max(1);
            let mut at = 0;
            let units: Vec<&[u8]> = if kind == Chunks::Lines {
                lines().collect()
            } else {
                text.chunks(1).collect()
            };
            for unit in units {
                let place = (at / size).min(count - 1);
                if let Some(piece) = pieces.get_mut(place) {
                    piece.extend_from_slice(unit);
                }
                at += unit.len();
            }
        }
    }
    pieces
}

/// Whole lines up to a size; longer ones are cut.
fn by_line_bytes(text: &[u8], size: u64, separator: u8) -> Vec<Vec<u8>> {
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for line in text.split_inclusive(|&byte| byte == separator) {
        if let Some(piece) = pieces.last_mut()
            && piece.len() + line.len() <= size
        {
            piece.extend_from_slice(line);
            continue;
        }
        pieces.extend(line.chunks(size).map(<[u8]>::to_vec));
    }
    pieces
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
            if !output.put(proc, part).await {
                return;
            }
            data = rest;
        }
    }
    input::close(proc, source);
}

impl Output {
    /// The name of a part: `xaa`, `xab`, …; `None` past the last.
    fn name(&self, number: u64) -> Option<Vec<u8>> {
        let mut number = number.checked_add(self.start)?;
        let base = self.letters.len() as u64;
        let mut suffix = Vec::new();
        for _ in 0..self.length {
            suffix.push(*self.letters.get(usize::try_from(number % base).ok()?)?);
            number /= base;
        }
        suffix.reverse();
        (number == 0).then(|| [self.prefix.as_slice(), &suffix, &self.additional].concat())
    }

    /// Adds to the part that is open.
    async fn put(&mut self, proc: &mut Process, part: &[u8]) -> bool {
        let Some(fd) = self.pipe.map(|pipe| pipe.fd).or(self.fd) else {
            return true;
        };
        match proc.write_all(fd, part).await {
            Ok(()) => true,
            // The command has read what it wanted.
            Err(Errno::Epipe) if self.pipe.is_some() => true,
            Err(errno) => {
                let name = self.name(self.count.saturating_sub(1)).unwrap_or_default();
                input::complain(proc, &name, errno).await;
                false
            }
        }
    }

    async fn close(&mut self, proc: &mut Process) {
        if let Some(fd) = self.fd.take() {
            // All of it was written.
            let _closed = proc.close(fd);
        }
        if let Some(pipe) = self.pipe.take() {
            let status = crate::text::shell::close(proc, pipe).await;
            if status.code() != 0 {
                let name = self.name(self.count.saturating_sub(1)).unwrap_or_default();
                let text = format!(
                    "with FILE={}, exit {} from command: {}",
                    String::from_utf8_lossy(&name),
                    status.code(),
                    String::from_utf8_lossy(self.filter.as_deref().unwrap_or_default())
                );
                proc.complain_text(text).await;
            }
        }
    }

    async fn open_next(&mut self, proc: &mut Process) -> bool {
        self.close(proc).await;
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
        if let Some(command) = &self.filter {
            proc.env_mut().set(b"FILE", name.clone());
            return match crate::text::shell::open(proc, command, true) {
                Ok(pipe) => {
                    self.pipe = Some(pipe);
                    true
                }
                Err(errno) => {
                    proc.complain(b"failed to run command", errno).await;
                    false
                }
            };
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
