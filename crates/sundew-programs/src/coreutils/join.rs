//! join(1): lines of two sorted files that have a field in common.

use std::cmp::Ordering;

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Fd, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "a:e:i1:2:j:o:t:v:z",
    &[
        ("ignore-case", Arity::No, "i"),
        ("check-order", Arity::No, "check-order"),
        ("nocheck-order", Arity::No, "nocheck-order"),
        ("zero-terminated", Arity::No, "z"),
        ("header", Arity::No, "header"),
    ],
);

/// A field of the output: of which file, which one; file 0 is the common field.
type Field = (usize, usize);

#[derive(Debug)]
struct Options {
    unpaired: [bool; 2],
    paired: bool,
    empty: Vec<u8>,
    fold: bool,
    keys: [usize; 2],
    output: Option<Vec<Field>>,
    auto: bool,
    tab: Option<Vec<u8>>,
    header: bool,
    check: Option<bool>,
    end: u8,
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        unpaired: [false; 2],
        paired: true,
        empty: Vec::new(),
        fold: false,
        keys: [0; 2],
        output: None,
        auto: false,
        tab: None,
        header: false,
        check: None,
        end: b'\n',
    };
    let mut chosen: [Option<usize>; 2] = [None; 2];
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return refuse(proc, &error, 1).await,
        };
        let value = option.value;
        let wrong: Option<&str> = match option.key {
            "a" | "v" => match value.as_slice() {
                [number @ (b'1' | b'2')] => {
                    settings.unpaired[usize::from(*number - b'1')] = true;
                    settings.paired &= option.key == "a";
                    None
                }
                _ => Some("invalid field number:"),
            },
            "1" | "2" | "j" => match key(&value) {
                Some(at) => {
                    let places: &[usize] = match option.key {
                        "1" => &[0],
                        "2" => &[1],
                        _ => &[0, 1],
                    };
                    for &place in places {
                        let old = chosen.get(place).copied().flatten();
                        if let Some(old) = old.filter(|old| *old != at) {
                            let text = format!("incompatible join fields {}, {}", old + 1, at + 1);
                            proc.complain_text(text).await;
                            return proc.status();
                        }
                        if let Some(slot) = chosen.get_mut(place) {
                            *slot = Some(at);
                        }
                    }
                    if option.key != "2" {
                        settings.keys[0] = at;
                    }
                    if option.key != "1" {
                        settings.keys[1] = at;
                    }
                    None
                }
                None => Some("invalid field number:"),
            },
            "e" => {
                settings.empty = value.clone();
                None
            }
            "i" => {
                settings.fold = true;
                None
            }
            "z" => {
                settings.end = 0;
                None
            }
            "header" => {
                settings.header = true;
                None
            }
            "check-order" | "nocheck-order" => {
                settings.check = Some(option.key == "check-order");
                None
            }
            "o" if value == b"auto" => {
                settings.auto = true;
                None
            }
            "o" => match fields(&value) {
                Ok(list) => {
                    settings.output.get_or_insert_default().extend(list);
                    None
                }
                Err(word) => {
                    let text = "invalid file number in field spec:";
                    let text = if word.first().is_some_and(|byte| matches!(byte, b'0'..=b'2')) {
                        "invalid field specifier:"
                    } else {
                        text
                    };
                    return input::complain_word(proc, text, &word).await;
                }
            },
            "t" => match value.as_slice() {
                [] => {
                    settings.tab = Some(b"\n".to_vec());
                    None
                }
                b"\\0" => {
                    settings.tab = Some(vec![0]);
                    None
                }
                [_] => {
                    settings.tab = Some(value.clone());
                    None
                }
                _ => {
                    let word = quote::text(proc, &value);
                    proc.complain_text([b"multi-character tab ", word.as_slice()].concat())
                        .await;
                    return proc.status();
                }
            },
            key => return about::run(proc, key, "join").await,
        };
        if let Some(text) = wrong {
            return input::complain_word(proc, text, &value).await;
        }
    }
    let mut operands = options.operands();
    // The forms `-o LIST LIST …` and `-j1` of old are not read.
    if operands.len() < 2 {
        match operands.pop() {
            None => return input::missing_operand(proc).await,
            Some(last) => {
                let word = quote::text(proc, &last);
                proc.complain_text([b"missing operand after ", word.as_slice()].concat())
                    .await;
                return try_help(proc, 1).await;
            }
        }
    }
    if let Some(extra) = operands.get(2) {
        // Quoted before the locale is asked for its marks.
        proc.complain_text([b"extra operand '".as_slice(), extra, b"'"].concat())
            .await;
        return try_help(proc, 1).await;
    }
    join(proc, &settings, &operands).await;
    proc.status()
}

fn key(text: &[u8]) -> Option<usize> {
    let number = input::decimal(text)?;
    usize::try_from(number).ok()?.checked_sub(1)
}

fn fields(text: &[u8]) -> Result<Vec<Field>, Vec<u8>> {
    text.split(|byte| matches!(byte, b',' | b' ' | b'\t'))
        .map(|word| match word {
            b"0" => Ok((0, 0)),
            [file @ (b'1' | b'2'), b'.', rest @ ..] => {
                let at = key(rest).ok_or_else(|| word.to_vec())?;
                Ok((usize::from(file - b'0'), at))
            }
            _ => Err(word.to_vec()),
        })
        .collect()
}

/// A line in its fields.
#[derive(Debug, Clone)]
struct Line {
    text: Vec<u8>,
    fields: Vec<Vec<u8>>,
}

struct Side {
    fd: Fd,
    name: Vec<u8>,
    reader: LineReader,
    number: u64,
    current: Option<Line>,
    disordered: bool,
}

impl Side {
    async fn open(proc: &mut Process, name: &[u8]) -> Option<Self> {
        match input::open(proc, name).await {
            Ok(fd) => Some(Self {
                fd,
                name: name.to_vec(),
                reader: LineReader::new(proc, fd),
                number: 0,
                current: None,
                disordered: false,
            }),
            Err(errno) => {
                input::complain(proc, name, errno).await;
                None
            }
        }
    }

    /// Goes to the next line; complains of one that is out of order.
    async fn advance(
        &mut self,
        proc: &mut Process,
        options: &Options,
        which: usize,
        unpairable: bool,
    ) -> bool {
        let next = match self.reader.next(proc, options.end).await {
            Ok(next) => next,
            Err(errno) => {
                input::complain(proc, &self.name, errno).await;
                None
            }
        };
        self.number += 1;
        let next = next.map(|mut text| {
            if text.last() == Some(&options.end) {
                text.pop();
            }
            let fields = split(&text, options);
            Line { text, fields }
        });
        if let (Some(before), Some(after)) = (&self.current, &next)
            && (options.check == Some(true) || (options.check.is_none() && unpairable))
            && !self.disordered
            && !(options.header && self.number == 2)
            && compare(options, [before, after], [which, which]) == Ordering::Greater
        {
            self.disordered = true;
            let text = format!(":{}: is not sorted: ", self.number);
            let line = [self.name.as_slice(), text.as_bytes(), &after.text].concat();
            proc.complain_text(line).await;
            if options.check == Some(true) {
                // Asked for, it is fatal.
                return false;
            }
        }
        self.current = next;
        true
    }
}

fn split(text: &[u8], options: &Options) -> Vec<Vec<u8>> {
    match &options.tab {
        Some(tab) => text
            .split(|byte| tab.first() == Some(byte))
            .map(<[u8]>::to_vec)
            .collect(),
        None => text
            .split(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
            .filter(|field| !field.is_empty())
            .map(<[u8]>::to_vec)
            .collect(),
    }
}

fn compare(options: &Options, lines: [&Line; 2], sides: [usize; 2]) -> Ordering {
    let [left, right] = [0, 1].map(|at| {
        let field = lines[at].fields.get(options.keys[sides[at]]);
        let field = field.map_or(b"".as_slice(), Vec::as_slice);
        if options.fold {
            field.to_ascii_lowercase()
        } else {
            field.to_vec()
        }
    });
    left.cmp(&right)
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn join(proc: &mut Process, options: &Options, operands: &[Vec<u8>]) {
    let (Some(first), Some(second)) = (operands.first(), operands.get(1)) else {
        return;
    };
    if first == b"-" && second == b"-" {
        proc.complain(b"both files cannot be standard input", Errno::Enoent)
            .await;
        return;
    }
    let Some(mut left) = Side::open(proc, first).await else {
        return;
    };
    let Some(mut right) = Side::open(proc, second).await else {
        return;
    };
    // Only when a line has no partner, wrong order may be why.
    let mut unpairable = false;
    if !left.advance(proc, options, 0, unpairable).await {
        return;
    }
    if !right.advance(proc, options, 1, unpairable).await {
        return;
    }
    let mut widths = [0; 2];
    for (width, side) in widths.iter_mut().zip([&left, &right]) {
        *width = side.current.as_ref().map_or(0, |line| line.fields.len());
    }
    if options.header && (left.current.is_some() || right.current.is_some()) {
        let shown = show(
            options,
            [left.current.as_ref(), right.current.as_ref()],
            widths,
        );
        let _reported_at_exit = proc.print(&shown).await;
        if !left.advance(proc, options, 0, unpairable).await {
            return;
        }
        if !right.advance(proc, options, 1, unpairable).await {
            return;
        }
    }
    let mut memory = proc.memory();
    loop {
        proc.tick().await;
        let order = match (&left.current, &right.current) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => compare(options, [a, b], [0, 1]),
        };
        if order != Ordering::Equal {
            let (side, which) = if order == Ordering::Less {
                (&mut left, 0)
            } else {
                (&mut right, 1)
            };
            unpairable = true;
            if options.unpaired[which] {
                let mut lines = [None, None];
                lines[which] = side.current.as_ref();
                if proc.print(&show(options, lines, widths)).await.is_err() {
                    return;
                }
            }
            if !side.advance(proc, options, which, unpairable).await {
                return;
            }
            continue;
        }
        // All lines of the second file with this field, for every one of the first.
        let mut group = Vec::new();
        let Some(common) = right.current.clone() else {
            break;
        };
        while let Some(line) = right.current.take() {
            if compare(options, [&common, &line], [1, 1]) != Ordering::Equal {
                right.current = Some(line);
                break;
            }
            if memory.grow(line.text.len() * 2).is_err() {
                input::exhausted(proc).await;
                return;
            }
            right.current = Some(line.clone());
            group.push(line);
            if !right.advance(proc, options, 1, unpairable).await {
                return;
            }
        }
        while let Some(line) = left.current.clone() {
            if compare(options, [&line, &common], [0, 1]) != Ordering::Equal {
                break;
            }
            for other in group.iter().filter(|_| options.paired) {
                if proc
                    .print(&show(options, [Some(&line), Some(other)], widths))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            if !left.advance(proc, options, 0, unpairable).await {
                return;
            }
        }
    }
    for side in [&left, &right] {
        input::close(proc, side.fd);
    }
    if left.disordered || right.disordered {
        proc.complain_text("input is not in sorted order").await;
    }
}

fn show(options: &Options, lines: [Option<&Line>; 2], widths: [usize; 2]) -> Vec<u8> {
    let tab = options.tab.as_deref().unwrap_or(b" ");
    let field = |file: usize, at: usize| {
        let found = lines[file].and_then(|line| line.fields.get(at));
        found
            .filter(|text| !text.is_empty())
            .unwrap_or(&options.empty)
            .clone()
    };
    let common = if lines[0].is_some() {
        field(0, options.keys[0])
    } else {
        field(1, options.keys[1])
    };
    let mut parts = Vec::new();
    if let Some(list) = &options.output {
        for &(file, at) in list {
            parts.push(if file == 0 {
                common.clone()
            } else {
                field(file - 1, at)
            });
        }
    } else {
        parts.push(common);
        for file in [0, 1] {
            let count = if options.auto {
                widths[file]
            } else {
                lines[file].map_or(0, |line| line.fields.len())
            };
            parts.extend(
                (0..count)
                    .filter(|&at| at != options.keys[file])
                    .map(|at| field(file, at)),
            );
        }
    }
    let mut out = parts.join(tab);
    out.push(options.end);
    out
}
