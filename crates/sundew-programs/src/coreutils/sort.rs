//! sort(1).
//!
//! Everything is kept in memory and charged to the machine: endless input ends in `memory exhausted`.

mod compare;
mod key;

use std::cmp::Ordering;

use sundew_kernel::budget::Memory;
use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDOUT};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;
use key::{Flags, Key};

const SPEC: Spec = Spec::gnu(
    "-bcCdfghik:mMno:rRsS:t:T:uVy:z",
    &[
        ("ignore-leading-blanks", Arity::No, "b"),
        ("check", Arity::Optional, "check"),
        ("compress-program", Arity::Required, "ignored"),
        ("debug", Arity::No, "debug"),
        ("dictionary-order", Arity::No, "d"),
        ("ignore-case", Arity::No, "f"),
        ("files0-from", Arity::Required, "files0-from"),
        ("general-numeric-sort", Arity::No, "g"),
        ("ignore-nonprinting", Arity::No, "i"),
        ("key", Arity::Required, "k"),
        ("merge", Arity::No, "m"),
        ("month-sort", Arity::No, "M"),
        ("numeric-sort", Arity::No, "n"),
        ("human-numeric-sort", Arity::No, "h"),
        ("version-sort", Arity::No, "V"),
        ("random-sort", Arity::No, "R"),
        ("random-source", Arity::Required, "random-source"),
        ("sort", Arity::Required, "sort"),
        ("output", Arity::Required, "o"),
        ("reverse", Arity::No, "r"),
        ("stable", Arity::No, "s"),
        ("batch-size", Arity::Required, "batch-size"),
        ("buffer-size", Arity::Required, "S"),
        ("field-separator", Arity::Required, "t"),
        ("temporary-directory", Arity::Required, "T"),
        ("unique", Arity::No, "u"),
        ("zero-terminated", Arity::No, "z"),
        ("parallel", Arity::Required, "parallel"),
    ],
);

struct Options {
    keys: Vec<Key>,
    flags: Flags,
    separator: Option<u8>,
    unique: bool,
    stable: bool,
    check: Option<bool>,
    output: Option<Vec<u8>>,
    end: u8,
    salt: u64,
}

/// Comparisons between two looks at the clock; a merge of that many lines takes well under a slice.
const RUN: usize = 256;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (settings, operands) = match read(proc).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut memory = proc.memory();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let names = input::or_stdin(operands);
    if settings.check.is_some() && names.len() > 1 {
        let extra = quote::always(proc, names.get(1).map_or(b"", Vec::as_slice));
        let letter = if settings.check == Some(true) {
            "c"
        } else {
            "C"
        };
        let tail = format!(" not allowed with -{letter}");
        proc.complain_text([b"extra operand ", extra.as_slice(), tail.as_bytes()].concat())
            .await;
        return ExitStatus::Exited(2);
    }
    for name in &names {
        match load(proc, name, settings.end, &mut lines, &mut memory).await {
            Ok(()) => {}
            Err(Errno::Enomem) => {
                input::exhausted(proc).await;
                return ExitStatus::Exited(2);
            }
            Err(errno) => {
                let shown = quote::file(proc, name);
                let what: &[u8] = if errno == Errno::Eisdir {
                    b"read failed: "
                } else {
                    b"cannot read: "
                };
                proc.complain(&[what, &shown].concat(), errno).await;
                return ExitStatus::Exited(2);
            }
        }
    }
    if let Some(loud) = settings.check {
        let name = names.first().map_or(b"-".as_slice(), Vec::as_slice);
        return check(proc, &lines, &settings, name, loud).await;
    }
    let sorted = merge_sort(proc, lines, &settings).await;
    write(proc, &sorted, &settings).await
}

async fn load(
    proc: &mut Process,
    name: &[u8],
    end: u8,
    lines: &mut Vec<Vec<u8>>,
    memory: &mut Memory,
) -> Result<(), Errno> {
    let fd = input::open(proc, name).await?;
    let mut reader = LineReader::new(proc, fd);
    while let Some(mut line) = reader.next(proc, end).await? {
        if line.last() == Some(&end) {
            line.pop();
        }
        // Twice the list of lines: sorting needs a second one.
        memory.grow(line.capacity() + 2 * size_of::<Vec<u8>>())?;
        lines.push(line);
    }
    input::close(proc, fd);
    Ok(())
}

/// Sorts runs, then merges them; the machine's other users get their turn in between.
async fn merge_sort(proc: &Process, lines: Vec<Vec<u8>>, settings: &Options) -> Vec<Vec<u8>> {
    let mut runs: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut lines = lines.into_iter();
    loop {
        let mut run: Vec<Vec<u8>> = lines.by_ref().take(RUN).collect();
        if run.is_empty() {
            break;
        }
        run.sort_by(|a, b| compare(a, b, settings));
        proc.tick().await;
        runs.push(run);
    }
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(first) = pairs.next() {
            merged.push(match pairs.next() {
                Some(second) => merge(proc, first, second, settings).await,
                None => first,
            });
        }
        runs = merged;
    }
    runs.pop().unwrap_or_default()
}

async fn merge(
    proc: &Process,
    first: Vec<Vec<u8>>,
    second: Vec<Vec<u8>>,
    settings: &Options,
) -> Vec<Vec<u8>> {
    let mut out = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    loop {
        proc.tick().await;
        let next = match (first.peek(), second.peek()) {
            (Some(a), Some(b)) if compare(a, b, settings) == Ordering::Greater => second.next(),
            (Some(_), _) => first.next(),
            (None, _) => second.next(),
        };
        match next {
            Some(line) => out.push(line),
            None => return out,
        }
    }
}

/// The order of two lines: by the keys, then whole unless `-s` or `-u`.
fn compare(a: &[u8], b: &[u8], settings: &Options) -> Ordering {
    let order = by_keys(a, b, settings);
    if order != Ordering::Equal || settings.stable || settings.unique {
        return order;
    }
    let last = a.cmp(b);
    if settings.flags.reverse {
        last.reverse()
    } else {
        last
    }
}

fn by_keys(a: &[u8], b: &[u8], settings: &Options) -> Ordering {
    if settings.keys.is_empty() {
        let order = compare::by(a, b, &settings.flags, settings.salt);
        return if settings.flags.reverse {
            order.reverse()
        } else {
            order
        };
    }
    for key in &settings.keys {
        let (left, right) = (key.of(a, settings.separator), key.of(b, settings.separator));
        let order = compare::by(left, right, &key.flags, settings.salt);
        if order != Ordering::Equal {
            return if key.flags.reverse {
                order.reverse()
            } else {
                order
            };
        }
    }
    Ordering::Equal
}

async fn check(
    proc: &mut Process,
    lines: &[Vec<u8>],
    settings: &Options,
    name: &[u8],
    loud: bool,
) -> ExitStatus {
    for (number, pair) in (2..).zip(lines.windows(2)) {
        proc.tick().await;
        let [before, after] = pair else { continue };
        let order = compare(before, after, settings);
        if order == Ordering::Greater || (settings.unique && order == Ordering::Equal) {
            if loud {
                let head = [name, format!(":{number}: disorder: ").as_bytes(), after].concat();
                proc.complain_text(head).await;
            }
            return ExitStatus::FAILURE;
        }
    }
    ExitStatus::SUCCESS
}

/// Whether `--check=WORD` names the first line out of order.
async fn is_loud(proc: &mut Process, word: &[u8]) -> Result<bool, ExitStatus> {
    const WORDS: [(&str, bool); 3] = [
        ("quiet", false),
        ("silent", false),
        ("diagnose-first", true),
    ];
    let fits = WORDS
        .iter()
        .find(|(name, _)| name.as_bytes().starts_with(word));
    if let Some((_, loud)) = fits {
        return Ok(*loud || word.is_empty());
    }
    let shown = quote::text(proc, word);
    let option = quote::text(proc, b"--check");
    let text = [b"invalid argument ".as_slice(), &shown, b" for ", &option].concat();
    proc.complain_text(text).await;
    let quoted = |name: &[u8]| quote::text(proc, name);
    let list = [
        b"Valid arguments are:\n  - ".as_slice(),
        &quoted(b"quiet"),
        b", ",
        &quoted(b"silent"),
        b"\n  - ",
        &quoted(b"diagnose-first"),
        b"\n",
    ]
    .concat();
    proc.print_error(&list).await;
    Err(crate::getopt::try_help(proc, 1).await)
}

async fn write(proc: &mut Process, lines: &[Vec<u8>], settings: &Options) -> ExitStatus {
    if let Some(name) = &settings.output {
        let result = match proc.open(name, OpenFlags::CREATE, 0o666).await {
            Ok(fd) => proc.duplicate_to(fd, STDOUT),
            Err(errno) => Err(errno),
        };
        if let Err(errno) = result {
            let shown = quote::file(proc, name);
            proc.complain(&[b"open failed: ", shown.as_slice()].concat(), errno)
                .await;
            return ExitStatus::Exited(2);
        }
    }
    let mut previous: Option<&Vec<u8>> = None;
    for line in lines {
        proc.tick().await;
        if settings.unique
            && previous.is_some_and(|previous| by_keys(previous, line, settings) == Ordering::Equal)
        {
            continue;
        }
        previous = Some(line);
        if proc.print(line).await.is_err() || proc.print(&[settings.end]).await.is_err() {
            return ExitStatus::Exited(2);
        }
    }
    match proc.flush().await {
        Ok(()) => proc.status(),
        Err(_) => ExitStatus::Exited(2),
    }
}

/// Reads the command line; `Err` is the status to end with.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
async fn read(proc: &mut Process) -> Result<(Options, Vec<Vec<u8>>), ExitStatus> {
    let mut settings = Options {
        keys: Vec::new(),
        flags: Flags::default(),
        separator: None,
        unique: false,
        stable: false,
        check: None,
        output: None,
        end: b'\n',
        salt: proc.random(),
    };
    let mut operands = Vec::new();
    let mut old_key: Option<Key> = None;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let (key, value) = match option {
            Ok(option) => (option.key, option.value),
            Err(error) => return Err(refuse(proc, &error, 2).await),
        };
        match key {
            "" => match key::old_style(&value) {
                Some(key) => old_key = Some(key),
                None => operands.push(value),
            },
            "c" => settings.check = Some(true),
            "C" => settings.check = Some(false),
            "check" => settings.check = Some(is_loud(proc, &value).await?),
            "k" => match Key::parse(&value) {
                Ok(key) => settings.keys.push(key),
                Err((text, word)) => {
                    input::complain_word(proc, text, &word).await;
                    return Err(ExitStatus::Exited(2));
                }
            },
            "m" | "debug" | "T" | "ignored" | "y" => {}
            "o" => settings.output = Some(value),
            "s" => settings.stable = true,
            "parallel" if crate::size::number(&value, b"") == Ok(0) => {
                proc.complain_text("number in parallel must be nonzero")
                    .await;
                return Err(ExitStatus::Exited(2));
            }
            "S" | "parallel" => {
                if crate::size::number(value.strip_suffix(b"%").unwrap_or(&value), b"EgGkKmMPtTYZb")
                    .is_err()
                {
                    let name = if key == "S" { "-S" } else { "--parallel" };
                    let shown = quote::always(proc, &value);
                    let text = [format!("invalid {name} argument ").as_bytes(), &shown].concat();
                    proc.complain_text(text).await;
                    return Err(ExitStatus::Exited(2));
                }
            }
            "t" => settings.separator = Some(separator(proc, &value).await?),
            "u" => settings.unique = true,
            "z" => settings.end = 0,
            "batch-size" => {
                let small = crate::size::number(&value, b"").is_ok_and(|size| size < 2);
                if small {
                    let shown = quote::text(proc, &value);
                    let text = [b"invalid --batch-size argument ".as_slice(), &shown].concat();
                    proc.complain_text(text).await;
                    let least = quote::text(proc, b"2");
                    let text = [b"minimum --batch-size argument is ".as_slice(), &least].concat();
                    proc.complain_text(text).await;
                    return Err(ExitStatus::Exited(2));
                }
            }
            "files0-from" | "random-source" if value != b"-" && proc.stat(&value).is_err() => {
                let shown = quote::file(proc, &value);
                let why = proc.stat(&value).err().unwrap_or(Errno::Enoent);
                proc.complain(&[b"open failed: ", shown.as_slice()].concat(), why)
                    .await;
                return Err(ExitStatus::Exited(2));
            }
            "random-source" => {}
            "files0-from" => {
                let Some((names, _memory)) = input::read_all(proc, &value).await else {
                    return Err(ExitStatus::Exited(2));
                };
                operands.extend(
                    names
                        .split(|&byte| byte == 0)
                        .filter(|name| !name.is_empty())
                        .map(<[u8]>::to_vec),
                );
            }
            "sort" => {
                const WORDS: &[(&str, u8)] = &[
                    ("general-numeric", b'g'),
                    ("human-numeric", b'h'),
                    ("month", b'M'),
                    ("numeric", b'n'),
                    ("random", b'R'),
                    ("version", b'V'),
                ];
                match input::choose(proc, "--sort", &value, WORDS).await {
                    Some(letter) => settings.flags.set(letter),
                    None => return Err(proc.status()),
                };
            }
            "help" | "version" => return Err(about::run(proc, key, "sort").await),
            letter => {
                settings
                    .flags
                    .set(letter.as_bytes().first().copied().unwrap_or_default());
            }
        }
    }
    operands.append(&mut options.operands());
    settings.keys.extend(old_key);
    for key in &mut settings.keys {
        if key.flags.is_default() {
            key.flags = settings.flags;
        }
    }
    let clash = settings
        .keys
        .iter()
        .map(|key| &key.flags)
        .chain([&settings.flags])
        .find_map(Flags::clash);
    if let Some(letters) = clash {
        proc.complain_text(format!("options '-{letters}' are incompatible"))
            .await;
        return Err(ExitStatus::Exited(2));
    }
    Ok((settings, operands))
}

async fn separator(proc: &mut Process, value: &[u8]) -> Result<u8, ExitStatus> {
    match value {
        [] => proc.complain_text("empty tab").await,
        [byte] => return Ok(*byte),
        b"\\0" => return Ok(0),
        value => {
            let shown = quote::text(proc, value);
            proc.complain_text([b"multi-character tab ", shown.as_slice()].concat())
                .await;
        }
    }
    Err(ExitStatus::Exited(2))
}
