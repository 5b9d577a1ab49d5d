//! wc(1).

use sundew_kernel::{Errno, ExitStatus, Fd, Process};
use sundew_vfs::FileType;

use super::about;
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote::{self, Locale};

const SPEC: Spec = Spec::gnu(
    "clLmw",
    &[
        ("bytes", Arity::No, "c"),
        ("chars", Arity::No, "m"),
        ("lines", Arity::No, "l"),
        ("words", Arity::No, "w"),
        ("debug", Arity::No, "debug"),
        ("files0-from", Arity::Required, "files0-from"),
        ("max-line-length", Arity::No, "L"),
    ],
);

#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    lines: bool,
    words: bool,
    chars: bool,
    bytes: bool,
    longest: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    chars: u64,
    bytes: u64,
    longest: u64,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut shown = Shown::default();
    let (mut any, mut list) = (false, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("l", _)) => shown.lines = true,
            Ok(("w", _)) => shown.words = true,
            Ok(("m", _)) => shown.chars = true,
            Ok(("c", _)) => shown.bytes = true,
            Ok(("L", _)) => shown.longest = true,
            Ok(("debug", _)) => continue,
            Ok(("files0-from", value)) => {
                list = Some(value);
                continue;
            }
            Ok((key, _)) => return about::run(proc, key, "wc").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
        any = true;
    }
    if !any {
        shown = Shown {
            lines: true,
            words: true,
            bytes: true,
            ..Shown::default()
        };
    }
    let mut operands = options.operands();
    if let Some(list) = list {
        if let Some(extra) = operands.first() {
            input::refuse_word(proc, "extra operand", extra).await;
            proc.print_error(b"file operands cannot be combined with --files0-from\n")
                .await;
            return proc.status();
        }
        let (names, _memory) = match input::open(proc, &list).await {
            Ok(fd) => match proc.read_to_end(fd).await {
                Ok(read) => read,
                Err(errno) => {
                    input::complain(proc, &list, errno).await;
                    return proc.status();
                }
            },
            Err(errno) => {
                let shown = quote::always(proc, &list);
                proc.complain(
                    &[b"cannot open ", shown.as_slice(), b" for reading"].concat(),
                    errno,
                )
                .await;
                return proc.status();
            }
        };
        operands = names
            .split(|&byte| byte == 0)
            .filter(|name| !name.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        if operands.is_empty() {
            return proc.status();
        }
    }
    count_all(proc, operands, shown).await
}

async fn count_all(proc: &mut Process, operands: Vec<Vec<u8>>, shown: Shown) -> ExitStatus {
    let width = width(proc, &operands, shown);
    let locale = Locale::of(proc);
    let several = operands.len() > 1;
    let mut total = Counts::default();
    let names = if operands.is_empty() {
        vec![None]
    } else {
        operands.into_iter().map(Some).collect()
    };
    for name in names {
        let shown_name = name.as_deref();
        let file = shown_name.unwrap_or(b"-");
        let fd = match input::open(proc, file).await {
            Ok(fd) => fd,
            Err(errno) => {
                input::complain(proc, file, errno).await;
                continue;
            }
        };
        let (counts, error) = count(proc, fd, locale, shown).await;
        input::close(proc, fd);
        if let Some(errno) = error {
            input::complain(proc, file, errno).await;
        }
        total.lines += counts.lines;
        total.words += counts.words;
        total.chars += counts.chars;
        total.bytes += counts.bytes;
        total.longest = total.longest.max(counts.longest);
        if put(proc, &counts, shown, width, shown_name).await.is_err() {
            return proc.status();
        }
    }
    if several {
        // A closed output is reported when the program ends.
        let _reported_at_exit = put(proc, &total, shown, width, Some(b"total")).await;
    }
    proc.status()
}

/// Columns are as wide as the sizes of all files together need; 7 if one has no size.
fn width(proc: &Process, operands: &[Vec<u8>], shown: Shown) -> usize {
    let single = [
        shown.lines,
        shown.words,
        shown.chars,
        shown.bytes,
        shown.longest,
    ]
    .iter()
    .filter(|on| **on)
    .count();
    if operands.len() <= 1 && single == 1 {
        return 1;
    }
    let stdin = [b"-".to_vec()];
    let names = if operands.is_empty() {
        stdin.as_slice()
    } else {
        operands
    };
    let (mut sum, mut least) = (0u64, 1);
    for name in names {
        let found = if name == b"-" {
            proc.fstat(sundew_kernel::STDIN)
        } else {
            proc.stat(name)
        };
        match found {
            Ok(found) if found.file_type == FileType::Regular => {
                sum = sum.saturating_add(found.size)
            }
            Ok(_) => least = 7,
            Err(_) => {}
        }
    }
    sum.to_string().len().max(least)
}

async fn count(
    proc: &mut Process,
    fd: Fd,
    locale: Locale,
    shown: Shown,
) -> (Counts, Option<Errno>) {
    let mut counts = Counts::default();
    let (mut in_word, mut column) = (false, 0u64);
    let mut chunk = vec![0; CHUNK];
    let mut pending: Vec<u8> = Vec::new();
    let error = loop {
        let got = match proc.read(fd, &mut chunk).await {
            Ok(0) => break None,
            Ok(got) => got,
            Err(errno) => break Some(errno),
        };
        counts.bytes += got as u64;
        let data = chunk.get(..got).unwrap_or_default();
        if !(shown.words || shown.chars || shown.longest) {
            counts.lines += data.iter().filter(|byte| **byte == b'\n').count() as u64;
            continue;
        }
        pending.extend_from_slice(data);
        let used = scan(&pending, locale, &mut counts, &mut in_word, &mut column);
        pending.drain(..used);
    };
    counts.words += u64::from(in_word);
    counts.longest = counts.longest.max(column);
    (counts, error)
}

/// Counts whole characters; how many bytes were used. An incomplete character waits for its rest.
fn scan(
    data: &[u8],
    locale: Locale,
    counts: &mut Counts,
    in_word: &mut bool,
    column: &mut u64,
) -> usize {
    let mut used = 0;
    let mut see = |char: Option<char>, byte: u8| match char.unwrap_or(char::from(byte)) {
        '\n' | '\r' | '\x0c' => {
            counts.longest = counts.longest.max(*column);
            *column = 0;
            counts.lines += u64::from(byte == b'\n');
            counts.words += u64::from(std::mem::take(in_word));
        }
        '\t' => {
            *column += 8 - *column % 8;
            counts.words += u64::from(std::mem::take(in_word));
        }
        ' ' => {
            *column += 1;
            counts.words += u64::from(std::mem::take(in_word));
        }
        '\x0b' => counts.words += u64::from(std::mem::take(in_word)),
        shown => {
            if char.is_some_and(|char| !char.is_control())
                || (char.is_none() && shown.is_ascii_graphic())
            {
                *column += 1;
                *in_word = true;
            }
        }
    };
    if locale == Locale::C {
        data.iter().for_each(|&byte| see(None, byte));
        counts.chars += data.len() as u64;
        return data.len();
    }
    for chunk in data.utf8_chunks() {
        for char in chunk.valid().chars() {
            counts.chars += 1;
            see(Some(char), u8::try_from(char).unwrap_or(b'x'));
        }
        used += chunk.valid().len();
        let at_end = used + chunk.invalid().len() == data.len();
        if at_end
            && chunk.invalid().len() < 4
            && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none())
        {
            break;
        }
        used += chunk.invalid().len();
    }
    used
}

async fn put(
    proc: &mut Process,
    counts: &Counts,
    shown: Shown,
    width: usize,
    name: Option<&[u8]>,
) -> Result<(), Errno> {
    let columns = [
        (shown.lines, counts.lines),
        (shown.words, counts.words),
        (shown.chars, counts.chars),
        (shown.bytes, counts.bytes),
        (shown.longest, counts.longest),
    ];
    let texts: Vec<String> = columns
        .iter()
        .filter(|column| column.0)
        .map(|column| format!("{:>width$}", column.1))
        .collect();
    let mut line = texts.join(" ").into_bytes();
    if let Some(name) = name {
        line.push(b' ');
        if name.contains(&b'\n') {
            line.extend(quote::file(proc, name));
        } else {
            line.extend_from_slice(name);
        }
    }
    line.push(b'\n');
    proc.print(&line).await
}
