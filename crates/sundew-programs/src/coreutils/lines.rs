//! Small filters of lines: tac(1), nl(1), paste(1), comm(1), fold(1), expand(1), unexpand(1), shuf(1).

use std::cmp::Ordering;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDOUT};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

fn chomp(line: &[u8], end: u8) -> &[u8] {
    line.strip_suffix(&[end]).unwrap_or(line)
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run_tac(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "brs:",
        &[
            ("before", Arity::No, "b"),
            ("regex", Arity::No, "r"),
            ("separator", Arity::Required, "s"),
        ],
    );
    let (mut before, mut separator) = (false, b"\n".to_vec());
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("b", _)) => before = true,
            Ok(("r", _)) => {}
            Ok(("s", value)) => separator = if value.is_empty() { vec![0] } else { value },
            Ok((key, _)) => return about::run(proc, key, "tac").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    for name in input::or_stdin(options.operands()) {
        let read = match input::open(proc, &name).await {
            Ok(fd) => {
                let read = proc.read_to_end(fd).await;
                input::close(proc, fd);
                read
            }
            Err(errno) => {
                let shown = quote::always(proc, &name);
                proc.complain(
                    &[b"failed to open ", shown.as_slice(), b" for reading"].concat(),
                    errno,
                )
                .await;
                continue;
            }
        };
        let (text, _memory) = match read {
            Ok(read) => read,
            Err(Errno::Enomem) => {
                input::exhausted(proc).await;
                return proc.status();
            }
            Err(errno) => {
                let shown = quote::file(proc, &name);
                proc.complain(&[shown.as_slice(), b": read error"].concat(), errno)
                    .await;
                continue;
            }
        };
        let mut end = text.len();
        let mut search = end;
        loop {
            proc.tick().await;
            let window = text.get(..search).unwrap_or_default();
            let found = match separator.as_slice() {
                [byte] => window.iter().rposition(|known| known == byte),
                separator => window
                    .windows(separator.len())
                    .rposition(|window| window == separator),
            };
            // The separator belongs to the record in front of it, with -b to the one behind.
            let start = match found {
                Some(at) if before => at,
                Some(at) => at + separator.len(),
                None => 0,
            };
            if start < end || found.is_none() {
                if proc
                    .print(text.get(start..end).unwrap_or_default())
                    .await
                    .is_err()
                {
                    return proc.status();
                }
                end = start;
            }
            match found {
                Some(at) => search = at,
                None => break,
            }
        }
    }
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run_paste(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "d:sz",
        &[
            ("delimiters", Arity::Required, "d"),
            ("serial", Arity::No, "s"),
            ("zero-terminated", Arity::No, "z"),
        ],
    );
    let (mut delimiters, mut serial, mut end) = (b"\t".to_vec(), false, b'\n');
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("d", value)) => delimiters = value,
            Ok(("s", _)) => serial = true,
            Ok(("z", _)) => end = 0,
            Ok((key, _)) => return about::run(proc, key, "paste").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    // `\0` is no delimiter at all.
    let mut between: Vec<Vec<u8>> = Vec::new();
    let mut bytes = delimiters.iter().copied();
    while let Some(byte) = bytes.next() {
        between.push(match (byte, byte == b'\\') {
            (_, true) => match bytes.next() {
                Some(b'0') => Vec::new(),
                Some(letter) => vec![super::escape::single(letter).unwrap_or(letter)],
                None => vec![b'\\'],
            },
            (byte, false) => vec![byte],
        });
    }
    if between.is_empty() {
        between.push(Vec::new());
    }
    let delimiter = |at: usize| between.get(at % between.len()).cloned().unwrap_or_default();
    let mut readers = Vec::new();
    // Which reader each column takes its lines from: `-` may be given more than once.
    let (mut columns, mut stdin) = (Vec::new(), None);
    for name in input::or_stdin(options.operands()) {
        if let Some(at) = stdin.filter(|_| name == b"-") {
            columns.push(at);
            continue;
        }
        match input::open(proc, &name).await {
            Ok(fd) => {
                columns.push(readers.len());
                if name == b"-" {
                    stdin = Some(readers.len());
                }
                readers.push((LineReader::new(proc, fd), true));
            }
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                if !serial {
                    return proc.status();
                }
            }
        }
    }
    if serial {
        for (reader, _) in &mut readers {
            let mut at = 0;
            while let Ok(Some(line)) = reader.next(proc, end).await {
                let before = if at > 0 {
                    delimiter(at - 1)
                } else {
                    Vec::new()
                };
                if proc
                    .print(&[before.as_slice(), chomp(&line, end)].concat())
                    .await
                    .is_err()
                {
                    return proc.status();
                }
                at += 1;
            }
            if proc.print(&[end]).await.is_err() {
                return proc.status();
            }
        }
        return proc.status();
    }
    loop {
        let mut row = Vec::new();
        let mut any = false;
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                row.extend(delimiter(at - 1));
            }
            let Some((reader, open)) = readers.get_mut(*column) else {
                continue;
            };
            if !*open {
                continue;
            }
            match reader.next(proc, end).await {
                Ok(Some(line)) => {
                    any = true;
                    row.extend_from_slice(chomp(&line, end));
                }
                _ => *open = false,
            }
        }
        row.push(end);
        if !any || proc.print(&row).await.is_err() {
            return proc.status();
        }
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run_comm(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "123z",
        &[
            ("check-order", Arity::No, "check"),
            ("nocheck-order", Arity::No, "no-check"),
            ("output-delimiter", Arity::Required, "delimiter"),
            ("total", Arity::No, "total"),
            ("zero-terminated", Arity::No, "z"),
        ],
    );
    let (mut shown, mut between, mut end, mut total) = ([true; 3], b"\t".to_vec(), b'\n', false);
    let mut check = None;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("1", _)) => shown[0] = false,
            Ok(("2", _)) => shown[1] = false,
            Ok(("3", _)) => shown[2] = false,
            Ok(("z", _)) => end = 0,
            Ok(("total", _)) => total = true,
            Ok(("delimiter", value)) => between = value,
            Ok(("check", _)) => check = Some(true),
            Ok(("no-check", _)) => check = Some(false),
            Ok((key, _)) => return about::run(proc, key, "comm").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    let [first, second] = match operands.as_slice() {
        [] => return input::missing_operand(proc).await,
        [only] => return input::refuse_word(proc, "missing operand after", only).await,
        [first, second] => [first, second],
        [_, _, extra, ..] => return input::extra_operand(proc, extra).await,
    };
    let mut readers = Vec::new();
    for name in [first, second] {
        match input::open(proc, name).await {
            Ok(fd) => readers.push(LineReader::new(proc, fd)),
            Err(errno) => {
                input::complain(proc, name, errno).await;
                return proc.status();
            }
        }
    }
    let [left, right] = readers.as_mut_slice() else {
        return proc.status();
    };
    let mut pair = (
        left.next(proc, end).await.ok().flatten(),
        right.next(proc, end).await.ok().flatten(),
    );
    let mut counts = [0u64; 3];
    // Order is complained of once a file, and by default only after lines without a partner.
    let (mut unpaired, mut disordered) = (false, [false; 2]);
    let mut earlier: [Option<Vec<u8>>; 2] = [None, None];
    loop {
        let order = match &pair {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => chomp(a, end).cmp(chomp(b, end)),
        };
        let (column, line) = match order {
            Ordering::Less => (0, &pair.0),
            Ordering::Greater => (1, &pair.1),
            Ordering::Equal => (2, &pair.0),
        };
        counts[column] += 1;
        if shown[column] {
            let before = shown.iter().take(column).filter(|shown| **shown).count();
            let text = line
                .as_deref()
                .map_or(b"".as_slice(), |line| chomp(line, end));
            let row = [between.repeat(before).as_slice(), text, &[end]].concat();
            if proc.print(&row).await.is_err() {
                return proc.status();
            }
        }
        unpaired |= order.is_ne();
        let sides = [
            (order.is_le(), &mut *left, &mut pair.0),
            (order.is_ge(), &mut *right, &mut pair.1),
        ];
        for (place, (taken, reader, line)) in sides.into_iter().enumerate() {
            if !taken {
                continue;
            }
            let next = reader.next(proc, end).await.ok().flatten();
            // At the end the last two are looked at again: by now it may matter.
            let (before, after) = match &next {
                Some(next) => (line.as_deref(), Some(next.as_slice())),
                None => (earlier[place].as_deref(), line.as_deref()),
            };
            let falls = matches!((before, after), (Some(before), Some(after))
                if chomp(before, end) > chomp(after, end));
            if falls && check.unwrap_or(unpaired) && !disordered[place] {
                disordered[place] = true;
                let text = format!("file {} is not in sorted order", place + 1);
                proc.complain_text(text).await;
                if check == Some(true) {
                    return proc.status();
                }
            }
            earlier[place] = std::mem::replace(line, next);
        }
    }
    if disordered.contains(&true) {
        proc.complain_text("input is not in sorted order").await;
        return proc.status();
    }
    if total {
        let texts: Vec<Vec<u8>> = counts
            .iter()
            .map(|count| count.to_string().into_bytes())
            .collect();
        let line = [
            texts.join(between.as_slice()).as_slice(),
            &between,
            b"total",
            &[end],
        ]
        .concat();
        // A closed output is reported when the program ends.
        let _reported_at_exit = proc.print(&line).await;
    }
    proc.status()
}

/// The options of fold, expand and unexpand: a list of widths and one flag each.
struct Tabs {
    list: Option<Vec<u8>>,
    flags: String,
    operands: Vec<Vec<u8>>,
}

async fn tabs(proc: &mut Process, name: &str, spec: &Spec) -> Result<Tabs, ExitStatus> {
    let mut read = Tabs {
        list: None,
        flags: String::new(),
        operands: Vec::new(),
    };
    let mut args = proc.args().to_vec();
    // `fold -20`, `expand -4`.
    for word in args.iter_mut().skip(1) {
        if let Some(digits) = word
            .strip_prefix(b"-")
            .filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))
        {
            let letter: &[u8] = if name == "fold" { b"-w" } else { b"-t" };
            *word = [letter, digits].concat();
        }
    }
    let mut options = Getopt::new(spec, &args);
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("w" | "t", value)) => read.list = Some(value),
            Ok((key @ ("help" | "version"), _)) => return Err(about::run(proc, key, name).await),
            Ok((key, _)) => read.flags.push_str(key),
            Err(error) => return Err(refuse(proc, &error, 1).await),
        }
    }
    read.operands = input::or_stdin(options.operands());
    Ok(read)
}

pub(crate) async fn run_fold(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "bsw:",
        &[
            ("bytes", Arity::No, "b"),
            ("spaces", Arity::No, "s"),
            ("width", Arity::Required, "w"),
        ],
    );
    let read = match tabs(proc, "fold", &SPEC).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let width = match read.list.as_deref().map(input::decimal) {
        None => 80,
        Some(Some(width)) if width > 0 => usize::try_from(width).unwrap_or(usize::MAX),
        Some(Some(_)) => {
            let shown = quote::text(proc, b"0");
            let reason = Errno::Erange.message();
            let line = [b"invalid number of columns: ", shown.as_slice(), b": "].concat();
            proc.complain_text([&line, reason.as_bytes()].concat())
                .await;
            return proc.status();
        }
        _ => {
            return input::complain_word(
                proc,
                "invalid number of columns:",
                &read.list.unwrap_or_default(),
            )
            .await;
        }
    };
    let (bytes, spaces) = (read.flags.contains('b'), read.flags.contains('s'));
    for name in read.operands {
        let fd = match input::open(proc, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                continue;
            }
        };
        let mut lines = LineReader::new(proc, fd);
        loop {
            match lines.next(proc, b'\n').await {
                Ok(Some(text)) => {
                    if fold(proc, &text, width, bytes, spaces).await.is_err() {
                        return proc.status();
                    }
                }
                Ok(None) => break,
                Err(errno) => {
                    input::complain_reading(proc, &name, errno).await;
                    break;
                }
            }
        }
        input::close(proc, fd);
    }
    proc.status()
}

/// Prints a line in lines of so many columns.
async fn fold(
    proc: &mut Process,
    text: &[u8],
    width: usize,
    bytes: bool,
    spaces: bool,
) -> Result<(), Errno> {
    let (text, end) = match text.strip_suffix(b"\n") {
        Some(text) => (text, b"\n".as_slice()),
        None => (text, b"".as_slice()),
    };
    let mut line: Vec<u8> = Vec::new();
    let mut column = 0;
    for &byte in text {
        let mut next = advance(column, byte, bytes);
        if next > width && !line.is_empty() {
            let blank = line
                .iter()
                .rposition(|byte| matches!(byte, b' ' | b'\t'))
                .filter(|_| spaces);
            let rest = blank.map_or_else(Vec::new, |at| line.split_off(at + 1));
            line.push(b'\n');
            proc.print(&line).await?;
            column = rest
                .iter()
                .fold(0, |column, byte| advance(column, *byte, bytes));
            line = rest;
            next = advance(column, byte, bytes);
        }
        line.push(byte);
        column = next;
    }
    line.extend_from_slice(end);
    proc.print(&line).await
}

fn advance(column: usize, byte: u8, bytes: bool) -> usize {
    match byte {
        _ if bytes => column + 1,
        b'\t' => column + 8 - column % 8,
        8 => column.saturating_sub(1),
        b'\r' => 0,
        _ => column + 1,
    }
}

pub(crate) async fn run_expand(proc: &mut Process) -> ExitStatus {
    retab(proc, "expand", true).await
}

pub(crate) async fn run_unexpand(proc: &mut Process) -> ExitStatus {
    retab(proc, "unexpand", false).await
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn retab(proc: &mut Process, name: &str, expand: bool) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "iat:",
        &[
            ("initial", Arity::No, "i"),
            ("all", Arity::No, "a"),
            ("first-only", Arity::No, "f"),
            ("tabs", Arity::Required, "t"),
        ],
    );
    let read = match tabs(proc, name, &SPEC).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut stops = Vec::new();
    // `/8` and `+8`: how it goes on after the last stop.
    let mut onward = None;
    for part in read
        .list
        .as_deref()
        .unwrap_or(b"8")
        .split(|byte| matches!(byte, b',' | b' '))
    {
        if let [sign @ (b'/' | b'+'), digits @ ..] = part
            && let Some(every) = input::decimal(digits)
                .and_then(|every| usize::try_from(every).ok())
                .filter(|every| *every > 0)
        {
            onward = Some((*sign, every));
            continue;
        }
        match input::decimal(part).and_then(|stop| usize::try_from(stop).ok()) {
            Some(0) => {
                proc.complain_text("tab size cannot be 0").await;
                return proc.status();
            }
            Some(stop) if stops.last().is_some_and(|last| *last >= stop) => {
                proc.complain_text("tab sizes must be ascending").await;
                return proc.status();
            }
            Some(stop) => stops.push(stop),
            None => {
                return input::complain_word(proc, "tab size contains invalid character(s):", part)
                    .await;
            }
        }
    }
    let next_stop = |column: usize| match (stops.as_slice(), onward) {
        ([every], None) => column + every - column % every,
        (list, onward) => list
            .iter()
            .copied()
            .find(|stop| *stop > column)
            .unwrap_or_else(|| match onward {
                None => column + 1,
                Some((b'+', every)) => {
                    let last = list.last().copied().unwrap_or(0);
                    column + every - (column - last) % every
                }
                Some((_, every)) => column + every - column % every,
            }),
    };
    let initial = if expand {
        read.flags.contains('i')
    } else {
        read.flags.contains('f') || (!read.flags.contains('a') && read.list.is_none())
    };
    for name in read.operands {
        let fd = match input::open(proc, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                continue;
            }
        };
        let mut lines = LineReader::new(proc, fd);
        while let Ok(Some(line)) = lines.next(proc, b'\n').await {
            let (mut out, mut column, mut blanks, mut leading) = (Vec::new(), 0, 0usize, true);
            for &byte in &line {
                let blank = byte == b' ' || byte == b'\t';
                leading &= blank;
                let convert = leading || !initial;
                match byte {
                    b'\t' if expand && convert => {
                        let stop = next_stop(column).min(column + 4096);
                        out.extend(std::iter::repeat_n(b' ', stop - column));
                        column = stop;
                    }
                    _ if !expand && blank && convert => {
                        let end = if byte == b'\t' {
                            next_stop(column)
                        } else {
                            column + 1
                        };
                        blanks += end - column;
                        column = end;
                        let at_stop = byte == b'\t' || next_stop(column - 1) == column;
                        // One blank in front of a stop stays a blank.
                        if at_stop && (blanks > 1 || byte == b'\t') {
                            out.push(b'\t');
                            blanks = 0;
                        }
                    }
                    byte => {
                        out.extend(std::iter::repeat_n(b' ', std::mem::take(&mut blanks)));
                        out.push(byte);
                        column = if byte == b'\t' {
                            next_stop(column)
                        } else {
                            column + 1
                        };
                    }
                }
            }
            if proc.print(&out).await.is_err() {
                return proc.status();
            }
        }
        input::close(proc, fd);
    }
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run_shuf(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "ei:n:o:rz",
        &[
            ("echo", Arity::No, "e"),
            ("input-range", Arity::Required, "i"),
            ("head-count", Arity::Required, "n"),
            ("output", Arity::Required, "o"),
            ("random-source", Arity::Required, "source"),
            ("repeat", Arity::No, "r"),
            ("zero-terminated", Arity::No, "z"),
        ],
    );
    /// Longest range, in numbers: each is a line in memory.
    const MAX_RANGE: u64 = 1 << 20;
    let (mut words, mut range, mut most, mut repeat, mut end) =
        (false, None, u64::MAX, false, b'\n');
    let (mut output, mut source) = (None, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("e", _)) => words = true,
            Ok(("i", value)) => {
                let at = value.iter().position(|&byte| byte == b'-');
                let (low, high) = value.split_at(at.unwrap_or(value.len()));
                let bounds = (input::decimal(low), high.get(1..).and_then(input::decimal));
                match bounds {
                    (Some(low), Some(high)) if low <= high.saturating_add(1) => {
                        range = Some((low, high))
                    }
                    _ => return input::complain_word(proc, "invalid input range:", &value).await,
                }
            }
            Ok(("n", value)) => match input::decimal(&value) {
                Some(count) => most = most.min(count),
                None => return input::complain_word(proc, "invalid line count:", &value).await,
            },
            Ok(("r", _)) => repeat = true,
            Ok(("z", _)) => end = 0,
            Ok(("o", value)) => output = Some(value),
            Ok(("source", value)) => source = Some(value),
            Ok((key, _)) => return about::run(proc, key, "shuf").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    let allowed = match (words, range.is_some()) {
        (true, _) => usize::MAX,
        (false, true) => 0,
        (false, false) => 1,
    };
    if let Some(extra) = operands.get(allowed) {
        return input::extra_operand(proc, extra).await;
    }
    if let Some(source) = source
        && let Err(errno) = proc.stat(&source)
    {
        input::complain(proc, &source, errno).await;
        return proc.status();
    }
    let mut memory = proc.memory();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    if words {
        lines = operands;
    } else if let Some((low, high)) = range {
        if high.saturating_sub(low) > MAX_RANGE
            || memory
                .grow(64 * usize::try_from(high - low).unwrap_or(0))
                .is_err()
        {
            input::exhausted(proc).await;
            return proc.status();
        }
        lines.extend((low..=high).map(|number| number.to_string().into_bytes()));
    } else {
        let name = operands.first().map_or(b"-".as_slice(), Vec::as_slice);
        let Some((text, held)) = input::read_all(proc, name).await else {
            return proc.status();
        };
        memory = held;
        if memory.grow(text.len().saturating_mul(8)).is_err() {
            input::exhausted(proc).await;
            return proc.status();
        }
        lines.extend(
            chomp(&text, end)
                .split(|&byte| byte == end)
                .map(<[u8]>::to_vec),
        );
        if text.is_empty() {
            lines.clear();
        }
    }
    if let Some(path) = output {
        // Opened when all is read, so that a file can be shuffled into itself.
        let opened = proc.open(&path, OpenFlags::CREATE, 0o666).await;
        let put = match opened {
            Ok(fd) if fd == STDOUT => Ok(()),
            Ok(fd) => proc.duplicate_to(fd, STDOUT).map(|_| ()),
            Err(errno) => Err(errno),
        };
        if let Err(errno) = put {
            input::complain(proc, &path, errno).await;
            return proc.status();
        }
    }
    let mut printed = 0;
    while printed < most && !lines.is_empty() {
        proc.tick().await;
        let at = usize::try_from(proc.random() % lines.len() as u64).unwrap_or(0);
        let line = if repeat {
            lines.get(at).cloned().unwrap_or_default()
        } else {
            lines.swap_remove(at)
        };
        if proc
            .print(&[line.as_slice(), &[end]].concat())
            .await
            .is_err()
        {
            break;
        }
        printed += 1;
    }
    proc.status()
}
