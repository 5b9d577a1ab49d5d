//! uniq(1).

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDOUT};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::size::number;

const SPEC: Spec = Spec::gnu(
    "-0123456789Dcdf:is:uw:z",
    &[
        ("count", Arity::No, "c"),
        ("repeated", Arity::No, "d"),
        ("all-repeated", Arity::Optional, "D"),
        ("group", Arity::Optional, "group"),
        ("ignore-case", Arity::No, "i"),
        ("unique", Arity::No, "u"),
        ("skip-fields", Arity::Required, "f"),
        ("skip-chars", Arity::Required, "s"),
        ("check-chars", Arity::Required, "w"),
        ("zero-terminated", Arity::No, "z"),
    ],
);

/// Where blank lines set groups apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    None,
    Prepend,
    Separate,
    Append,
    Both,
}

struct Options {
    count: bool,
    unique: bool,
    repeated: bool,
    all_repeated: bool,
    group: bool,
    apart: Apart,
    ignore_case: bool,
    fields: usize,
    chars: usize,
    most: usize,
    delimiter: u8,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        count: false,
        unique: true,
        repeated: true,
        all_repeated: false,
        group: false,
        apart: Apart::None,
        ignore_case: false,
        fields: 0,
        chars: 0,
        most: usize::MAX,
        delimiter: b'\n',
    };
    let mut operands = Vec::new();
    let mut selected = false;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let (key, value) = match option {
            Ok(option) => (option.key, option.value),
            Err(error) => return refuse(proc, &error, 1).await,
        };
        match key {
            "" => operands.push(value),
            "c" => (settings.count, selected) = (true, true),
            "d" => (settings.unique, selected) = (false, true),
            "u" => (settings.repeated, selected) = (false, true),
            "D" => {
                const WORDS: &[(&str, Apart)] = &[
                    ("none", Apart::None),
                    ("prepend", Apart::Prepend),
                    ("separate", Apart::Separate),
                ];
                (settings.unique, settings.all_repeated, selected) = (false, true, true);
                if !value.is_empty() {
                    match input::choose(proc, "--all-repeated", &value, WORDS).await {
                        Some(apart) => settings.apart = apart,
                        None => return proc.status(),
                    }
                }
            }
            "group" => {
                const WORDS: &[(&str, Apart)] = &[
                    ("prepend", Apart::Prepend),
                    ("append", Apart::Append),
                    ("separate", Apart::Separate),
                    ("both", Apart::Both),
                ];
                settings.group = true;
                settings.apart = Apart::Separate;
                if !value.is_empty() {
                    match input::choose(proc, "--group", &value, WORDS).await {
                        Some(apart) => settings.apart = apart,
                        None => return proc.status(),
                    }
                }
            }
            "i" => settings.ignore_case = true,
            "z" => settings.delimiter = 0,
            "f" | "s" | "w" => {
                let what = match key {
                    "f" => "invalid number of fields to skip",
                    "s" => "invalid number of bytes to skip",
                    _ => "invalid number of bytes to compare",
                };
                let count = match number(&value, b"") {
                    Ok(count) => usize::try_from(count).unwrap_or(usize::MAX),
                    Err(crate::size::NumberError::TooLarge) => usize::MAX,
                    Err(_) => {
                        let shown = crate::quote::file(proc, &value);
                        proc.complain_text([&shown, b": ".as_slice(), what.as_bytes()].concat())
                            .await;
                        return proc.status();
                    }
                };
                match key {
                    "f" => settings.fields = count,
                    "s" => settings.chars = count,
                    _ => settings.most = count,
                }
            }
            "help" | "version" => return about::run(proc, key, "uniq").await,
            digit => {
                let digit = digit.parse::<usize>().unwrap_or(0);
                settings.fields = settings.fields.saturating_mul(10).saturating_add(digit);
            }
        }
    }
    operands.append(&mut options.operands());
    if let Some(extra) = operands.get(2) {
        return input::extra_operand(proc, extra).await;
    }
    if settings.group && selected {
        return input::refuse_text(proc, "--group is mutually exclusive with -c/-d/-D/-u").await;
    }
    if settings.count && settings.all_repeated {
        return input::refuse_text(
            proc,
            "printing all duplicated lines and repeat counts is meaningless",
        )
        .await;
    }
    filter(proc, &operands, &settings).await
}

async fn filter(proc: &mut Process, operands: &[Vec<u8>], settings: &Options) -> ExitStatus {
    let source = operands.first().map_or(b"-".as_slice(), Vec::as_slice);
    let fd = match input::open(proc, source).await {
        Ok(fd) => fd,
        Err(errno) => {
            input::complain(proc, source, errno).await;
            return proc.status();
        }
    };
    if let Some(target) = operands.get(1).filter(|target| *target != b"-") {
        let opened = proc.open(target, OpenFlags::CREATE, 0o666).await;
        let result = match opened {
            Ok(to) => proc.duplicate_to(to, STDOUT),
            Err(errno) => Err(errno),
        };
        if let Err(errno) = result {
            input::complain(proc, target, errno).await;
            return proc.status();
        }
    }
    let mut lines = LineReader::new(proc, fd);
    let mut previous: Option<Vec<u8>> = None;
    let (mut repeats, mut groups) = (0u64, 0u64);
    loop {
        let Ok(line) = next(proc, &mut lines, source, settings).await else {
            return proc.status();
        };
        let same = match (&previous, &line) {
            (Some(previous), Some(line)) => {
                equal(key(previous, settings), key(line, settings), settings)
            }
            _ => false,
        };
        let ended = line.is_none();
        // Where it is the same how many follow, the first is not kept back.
        let at_once = settings.unique && settings.repeated && !settings.count;
        let result = if settings.group {
            group(proc, line.as_deref(), same, &mut groups, settings).await
        } else if at_once && !settings.all_repeated {
            match line.as_deref().filter(|_| !same) {
                Some(line) => put(proc, line, settings).await,
                None => Ok(()),
            }
        } else if settings.all_repeated {
            all_repeated(
                proc,
                previous.as_deref(),
                same,
                &mut repeats,
                &mut groups,
                settings,
            )
            .await
        } else {
            match previous.as_deref().filter(|_| !same) {
                Some(previous) => one(proc, previous, std::mem::take(&mut repeats), settings).await,
                None => {
                    repeats += u64::from(same);
                    Ok(())
                }
            }
        };
        if ended || result.is_err() {
            return proc.status();
        }
        // Of equal lines the first is shown.
        if !same || settings.all_repeated || settings.group {
            previous = line;
        }
    }
}

/// The next line without its end.
///
/// # Errors
///
/// One that was told of.
async fn next(
    proc: &mut Process,
    lines: &mut LineReader,
    source: &[u8],
    settings: &Options,
) -> Result<Option<Vec<u8>>, Errno> {
    match lines.next(proc, settings.delimiter).await {
        Ok(line) => Ok(line.map(|mut line| {
            if line.last() == Some(&settings.delimiter) {
                line.pop();
            }
            line
        })),
        Err(errno) => {
            if errno == Errno::Enomem {
                input::exhausted(proc).await;
            } else {
                let shown = crate::quote::always(proc, source);
                proc.complain(&[b"error reading ", shown.as_slice()].concat(), errno)
                    .await;
            }
            Err(errno)
        }
    }
}

async fn put(proc: &mut Process, line: &[u8], settings: &Options) -> Result<(), Errno> {
    proc.print(&[line, &[settings.delimiter]].concat()).await
}

async fn one(
    proc: &mut Process,
    line: &[u8],
    repeats: u64,
    settings: &Options,
) -> Result<(), Errno> {
    if !(if repeats > 0 {
        settings.repeated
    } else {
        settings.unique
    }) {
        return Ok(());
    }
    if settings.count {
        proc.print(format!("{:7} ", repeats + 1).as_bytes()).await?;
    }
    put(proc, line, settings).await
}

/// Prints `line` as it comes; a blank line between groups.
async fn group(
    proc: &mut Process,
    line: Option<&[u8]>,
    same: bool,
    groups: &mut u64,
    settings: &Options,
) -> Result<(), Errno> {
    let Some(line) = line else {
        if *groups > 0 && matches!(settings.apart, Apart::Append | Apart::Both) {
            put(proc, b"", settings).await?;
        }
        return Ok(());
    };
    if !same {
        let first = *groups == 0;
        if !first || matches!(settings.apart, Apart::Prepend | Apart::Both) {
            put(proc, b"", settings).await?;
        }
        *groups += 1;
    }
    put(proc, line, settings).await
}

/// Prints `previous` if it is one of several.
async fn all_repeated(
    proc: &mut Process,
    previous: Option<&[u8]>,
    same: bool,
    repeats: &mut u64,
    groups: &mut u64,
    settings: &Options,
) -> Result<(), Errno> {
    let starts = same && *repeats == 0;
    let shown = same || *repeats > 0;
    *repeats = if same { *repeats + 1 } else { 0 };
    let Some(previous) = previous.filter(|_| shown) else {
        return Ok(());
    };
    if starts {
        if settings.apart == Apart::Prepend || (settings.apart == Apart::Separate && *groups > 0) {
            put(proc, b"", settings).await?;
        }
        *groups += 1;
    }
    put(proc, previous, settings).await
}

/// The part of a line that is compared.
fn key<'a>(line: &'a [u8], settings: &Options) -> &'a [u8] {
    let mut rest = line;
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    for _ in 0..settings.fields {
        if rest.is_empty() {
            break;
        }
        let start = rest
            .iter()
            .position(|byte| !blank(byte))
            .unwrap_or(rest.len());
        rest = rest.get(start..).unwrap_or_default();
        let end = rest.iter().position(blank).unwrap_or(rest.len());
        rest = rest.get(end..).unwrap_or_default();
    }
    rest = rest
        .get(settings.chars.min(rest.len())..)
        .unwrap_or_default();
    rest.get(..settings.most.min(rest.len()))
        .unwrap_or_default()
}

fn equal(a: &[u8], b: &[u8], settings: &Options) -> bool {
    if settings.ignore_case {
        a.eq_ignore_ascii_case(b)
    } else {
        a == b
    }
}
