//! cut(1).

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Fd, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "b:c:d:f:nsz",
    &[
        ("bytes", Arity::Required, "b"),
        ("characters", Arity::Required, "c"),
        ("fields", Arity::Required, "f"),
        ("delimiter", Arity::Required, "d"),
        ("only-delimited", Arity::No, "s"),
        ("output-delimiter", Arity::Required, "output-delimiter"),
        ("complement", Arity::No, "complement"),
        ("zero-terminated", Arity::No, "z"),
    ],
);

struct Options {
    /// First and last of each range, from 1, in order, not touching.
    ranges: Vec<(u64, u64)>,
    fields: bool,
    delimiter: u8,
    only_delimited: bool,
    between: Option<Vec<u8>>,
    end: u8,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut list, mut fields) = (None, false);
    let (mut delimiter, mut only, mut between, mut complement, mut end) =
        (None, false, None, false, b'\n');
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok((key @ ("b" | "c" | "f"), value)) => {
                if list.replace(value).is_some() {
                    return input::refuse_text(proc, "only one list may be specified").await;
                }
                fields = key == "f";
            }
            Ok(("d", value)) => {
                if value.len() > 1 {
                    return input::refuse_text(proc, "the delimiter must be a single character")
                        .await;
                }
                delimiter = Some(value.first().copied().unwrap_or(0));
            }
            Ok(("n", _)) => {}
            Ok(("s", _)) => only = true,
            Ok(("z", _)) => end = 0,
            Ok(("output-delimiter", value)) => {
                between = Some(if value.is_empty() { vec![0] } else { value })
            }
            Ok(("complement", _)) => complement = true,
            Ok((key, _)) => return about::run(proc, key, "cut").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let Some(list) = list else {
        return input::refuse_text(
            proc,
            "you must specify a list of bytes, characters, or fields",
        )
        .await;
    };
    if !fields && delimiter.is_some() {
        let text = "an input delimiter may be specified only when operating on fields";
        return input::refuse_text(proc, text).await;
    }
    if !fields && only {
        let text = "suppressing non-delimited lines makes sense\n\tonly when operating on fields";
        return input::refuse_text(proc, text).await;
    }
    let ranges = match ranges(&list, fields) {
        Ok(ranges) if complement => complemented(&ranges),
        Ok(ranges) => ranges,
        Err(Refused::Text(text)) => return input::refuse_text(proc, text).await,
        Err(Refused::Word(text, word)) => return input::refuse_word(proc, text, &word).await,
        Err(Refused::TooLarge(word)) => {
            let word = quote::text(proc, &word);
            let what: &[u8] = if fields {
                b"field number "
            } else {
                b"byte/character offset "
            };
            proc.complain_text([what, &word, b" is too large"].concat())
                .await;
            return crate::getopt::try_help(proc, 1).await;
        }
    };
    let delimiter = delimiter.unwrap_or(b'\t');
    let between = between.or(fields.then(|| vec![delimiter]));
    let settings = Options {
        ranges,
        fields,
        delimiter,
        only_delimited: only,
        between,
        end,
    };
    for name in input::or_stdin(options.operands()) {
        let result = match input::open(proc, &name).await {
            Ok(fd) => {
                let result = cut(proc, fd, &settings).await;
                input::close(proc, fd);
                result
            }
            Err(errno) => Err(Some(errno)),
        };
        match result {
            Ok(()) => {}
            Err(Some(Errno::Enomem)) => {
                input::exhausted(proc).await;
                return proc.status();
            }
            Err(Some(errno)) => input::complain(proc, &name, errno).await,
            Err(None) => return proc.status(),
        }
    }
    proc.status()
}

enum Refused {
    Text(&'static str),
    Word(&'static str, Vec<u8>),
    TooLarge(Vec<u8>),
}

/// `1,3-5,7-`.
fn ranges(list: &[u8], fields: bool) -> Result<Vec<(u64, u64)>, Refused> {
    let zero = if fields {
        "fields are numbered from 1"
    } else {
        "byte/character positions are numbered from 1"
    };
    let value = if fields {
        "invalid field value"
    } else {
        "invalid byte/character position"
    };
    let range = if fields {
        "invalid field range"
    } else {
        "invalid byte or character range"
    };
    let number = |text: &[u8]| -> Result<u64, Refused> {
        if let Some(at) = text.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(Refused::Word(
                value,
                text.get(at..).unwrap_or_default().to_vec(),
            ));
        }
        match input::decimal(text) {
            Some(u64::MAX) | None => Err(Refused::TooLarge(text.to_vec())),
            Some(number) => Ok(number),
        }
    };
    let mut all = Vec::new();
    for part in list.split(|byte| matches!(byte, b',' | b' ' | b'\t')) {
        if part.is_empty() {
            return Err(Refused::Text(zero));
        }
        let (first, last) = match part.iter().position(|&byte| byte == b'-') {
            None => {
                let only = number(part)?;
                (only, only)
            }
            Some(at) => {
                let (first, last) = part.split_at(at);
                let last = last.get(1..).unwrap_or_default();
                if first.is_empty() && last.is_empty() {
                    return Err(Refused::Text("invalid range with no endpoint: -"));
                }
                if last.contains(&b'-') {
                    return Err(Refused::Text(range));
                }
                let first = if first.is_empty() { 1 } else { number(first)? };
                let last = if last.is_empty() {
                    u64::MAX
                } else {
                    number(last)?
                };
                (first, last)
            }
        };
        if first == 0 {
            return Err(Refused::Text(zero));
        }
        if last < first {
            return Err(Refused::Text("invalid decreasing range"));
        }
        all.push((first, last));
    }
    all.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (first, last) in all {
        // Neighbours stay apart: --output-delimiter goes between them.
        match merged.last_mut().filter(|known| first <= known.1) {
            Some(known) => known.1 = known.1.max(last),
            None => merged.push((first, last)),
        }
    }
    Ok(merged)
}

fn complemented(ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut out = Vec::new();
    let mut next = 1;
    for &(first, last) in ranges {
        if next < first {
            out.push((next, first - 1));
        }
        next = last.saturating_add(1);
    }
    if next < u64::MAX {
        out.push((next, u64::MAX));
    }
    out
}

async fn cut(proc: &mut Process, fd: Fd, settings: &Options) -> Result<(), Option<Errno>> {
    let mut lines = LineReader::new(proc, fd);
    while let Some(mut line) = lines.next(proc, settings.end).await? {
        if line.last() == Some(&settings.end) {
            line.pop();
        }
        let shown = if settings.fields {
            let Some(shown) = fields(&line, settings) else {
                continue;
            };
            shown
        } else {
            bytes(&line, settings)
        };
        proc.print(&[shown.as_slice(), &[settings.end]].concat())
            .await
            .map_err(|_| None)?;
    }
    Ok(())
}

fn bytes(line: &[u8], settings: &Options) -> Vec<u8> {
    let index = |position: u64| {
        usize::try_from(position)
            .unwrap_or(usize::MAX)
            .min(line.len())
    };
    let parts: Vec<&[u8]> = settings
        .ranges
        .iter()
        .filter_map(|&(first, last)| line.get(index(first - 1)..index(last)))
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(settings.between.as_deref().unwrap_or_default())
}

/// `None` for a line that is not shown.
fn fields(line: &[u8], settings: &Options) -> Option<Vec<u8>> {
    if !line.contains(&settings.delimiter) {
        return (!settings.only_delimited).then(|| line.to_vec());
    }
    let mut ranges = settings.ranges.iter().peekable();
    let mut parts: Vec<&[u8]> = Vec::new();
    for (number, field) in (1u64..).zip(line.split(|&byte| byte == settings.delimiter)) {
        while ranges.next_if(|range| range.1 < number).is_some() {}
        match ranges.peek() {
            None => break,
            Some(range) if range.0 <= number => parts.push(field),
            Some(_) => {}
        }
    }
    Some(parts.join(settings.between.as_deref().unwrap_or_default()))
}
