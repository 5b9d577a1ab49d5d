//! numfmt(1): numbers with and without units.

use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Process, STDIN};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

mod format;
mod scale;

use format::Format;
use scale::{From, Round, To};

const SPEC: Spec = Spec::gnu(
    "d:z",
    &[
        ("from", Arity::Required, "from"),
        ("from-unit", Arity::Required, "from-unit"),
        ("to", Arity::Required, "to"),
        ("to-unit", Arity::Required, "to-unit"),
        ("round", Arity::Required, "round"),
        ("padding", Arity::Required, "padding"),
        ("suffix", Arity::Required, "suffix"),
        ("grouping", Arity::No, "grouping"),
        ("delimiter", Arity::Required, "d"),
        ("field", Arity::Required, "field"),
        ("debug", Arity::No, "debug"),
        ("-debug", Arity::No, "devdebug"),
        ("header", Arity::Optional, "header"),
        ("format", Arity::Required, "format"),
        ("invalid", Arity::Required, "invalid"),
        ("zero-terminated", Arity::No, "z"),
    ],
);

/// What numfmt ends with when a number could not be converted.
const FAILED: u8 = 2;
/// Widest padding; a stranger's number decides.
const MAX_PADDING: i64 = 1 << 16;

/// What becomes of what is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Invalid {
    Abort,
    Fail,
    Warn,
    Ignore,
}

#[derive(Debug)]
struct Settings {
    from: From,
    from_unit: u64,
    to: To,
    to_unit: u64,
    round: Round,
    /// Positive: to the right.
    padding: i64,
    auto_padding: bool,
    suffix: Option<Vec<u8>>,
    delimiter: Option<u8>,
    fields: Vec<(u64, u64)>,
    header: u64,
    format: Option<Format>,
    invalid: Invalid,
    end: u8,
    debug: bool,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Settings {
        from: From::None,
        from_unit: 1,
        to: To::None,
        to_unit: 1,
        round: Round::FromZero,
        padding: 0,
        auto_padding: false,
        suffix: None,
        delimiter: None,
        fields: vec![(1, 1)],
        header: 0,
        format: None,
        invalid: Invalid::Abort,
        end: b'\n',
        debug: false,
    };
    let mut grouping = false;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return refuse(proc, &error, 1).await,
        };
        let value = option.value;
        match option.key {
            "from" => match input::choose(proc, "--from", &value, From::WORDS).await {
                Some(from) => settings.from = from,
                None => return proc.status(),
            },
            "to" => match input::choose(proc, "--to", &value, To::WORDS).await {
                Some(to) => settings.to = to,
                None => return proc.status(),
            },
            "round" => match input::choose(proc, "--round", &value, Round::WORDS).await {
                Some(round) => settings.round = round,
                None => return proc.status(),
            },
            "invalid" => {
                const WORDS: &[(&str, Invalid)] = &[
                    ("abort", Invalid::Abort),
                    ("fail", Invalid::Fail),
                    ("warn", Invalid::Warn),
                    ("ignore", Invalid::Ignore),
                ];
                match input::choose(proc, "--invalid", &value, WORDS).await {
                    Some(invalid) => settings.invalid = invalid,
                    None => return proc.status(),
                }
            }
            key @ ("from-unit" | "to-unit") => match scale::unit_size(&value) {
                Some(size) if key == "from-unit" => settings.from_unit = size,
                Some(size) => settings.to_unit = size,
                None => return input::complain_word(proc, "invalid unit size:", &value).await,
            },
            "padding" => {
                let number = std::str::from_utf8(&value).ok();
                match number.and_then(|text| text.parse::<i64>().ok()) {
                    Some(padding) if padding != 0 => {
                        settings.padding = padding.clamp(-MAX_PADDING, MAX_PADDING);
                    }
                    _ => {
                        return input::complain_word(proc, "invalid padding value", &value).await;
                    }
                }
            }
            "suffix" => settings.suffix = Some(value),
            "grouping" => grouping = true,
            "d" => match value.as_slice() {
                [one] => settings.delimiter = Some(*one),
                [] => settings.delimiter = Some(0),
                _ => {
                    let text = "the delimiter must be a single character";
                    proc.complain_text(text).await;
                    return proc.status();
                }
            },
            "field" => match fields(&value) {
                Ok(list) => settings.fields = list,
                Err(Wrong::Word(text, word)) => {
                    return input::refuse_word(proc, text, word).await;
                }
                Err(Wrong::Text(text)) => return input::refuse_text(proc, text).await,
            },
            "header" if option.has_value => {
                match input::decimal(&value).filter(|lines| *lines > 0) {
                    Some(lines) => settings.header = lines,
                    None => {
                        return input::complain_word(proc, "invalid header value", &value).await;
                    }
                }
            }
            "header" => settings.header = 1,
            "format" => match Format::parse(&value) {
                Ok(format) => settings.format = Some(format),
                Err(error) => {
                    let shown = quote::text(proc, &value);
                    let text = [error.0.as_bytes(), &shown, error.1.as_bytes()].concat();
                    proc.complain_text(text).await;
                    return proc.status();
                }
            },
            "z" => settings.end = 0,
            "debug" | "devdebug" => settings.debug = true,
            key => return about::run(proc, key, "numfmt").await,
        }
    }
    if settings.format.is_some() && grouping {
        proc.complain_text("--grouping cannot be combined with --format")
            .await;
        return proc.status();
    }
    if grouping && settings.to != To::None {
        proc.complain_text("grouping cannot be combined with --to")
            .await;
        return proc.status();
    }
    if let Some(format) = &settings.format
        && format.width != 0
    {
        settings.padding = format.width;
    }
    if settings.debug && settings.is_idle(grouping) {
        complain_line(proc, b"no conversion option specified").await;
    }
    settings.auto_padding = settings.padding == 0 && settings.delimiter.is_none();
    convert(proc, &settings, options.operands()).await
}

impl Settings {
    /// Whether nothing is to be converted.
    fn is_idle(&self, grouping: bool) -> bool {
        self.from == From::None
            && self.to == To::None
            && !grouping
            && self.padding == 0
            && self.from_unit == 1
            && self.to_unit == 1
            && self.suffix.is_none()
            && self.format.is_none()
    }

    fn takes(&self, field: u64) -> bool {
        self.fields
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&field))
    }
}

/// A complaint that does not make the program fail.
async fn complain_line(proc: &mut Process, text: &[u8]) {
    let line = [proc.name(), b": ", text, b"\n"].concat();
    proc.print_error(&line).await;
}

async fn convert(proc: &mut Process, settings: &Settings, operands: Vec<Vec<u8>>) -> ExitStatus {
    let mut all_good = true;
    if operands.is_empty() {
        let mut lines = LineReader::new(proc, STDIN);
        let mut number = 0;
        loop {
            let line = match lines.next(proc, settings.end).await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(errno) => {
                    proc.complain(b"error reading input", errno).await;
                    break;
                }
            };
            number += 1;
            let bare = line.strip_suffix(&[settings.end]).unwrap_or(&line);
            let ended = bare.len() != line.len();
            if number <= settings.header {
                if proc.print(&line).await.is_err() {
                    break;
                }
                continue;
            }
            match one_line(proc, settings, bare, ended).await {
                Some(good) => all_good &= good,
                None => return proc.status(),
            }
        }
    } else {
        if settings.debug && settings.header > 0 {
            complain_line(proc, b"--header ignored with command-line input").await;
        }
        for word in &operands {
            match one_line(proc, settings, word, true).await {
                Some(good) => all_good &= good,
                None => return proc.status(),
            }
        }
    }
    if !all_good && !matches!(settings.invalid, Invalid::Warn | Invalid::Ignore) {
        proc.set_status(FAILED);
    }
    proc.status()
}

/// Converts the fields of a line; whether all were numbers, `None` to stop here.
async fn one_line(
    proc: &mut Process,
    settings: &Settings,
    line: &[u8],
    ended: bool,
) -> Option<bool> {
    let mut out = Vec::with_capacity(line.len() + 8);
    let (mut rest, mut field, mut good) = (line, 0u64, true);
    loop {
        field += 1;
        let (prefix, text, tail) = next_field(rest, settings.delimiter);
        if settings.takes(field) {
            // Blanks in front of a field are room for it.
            let room = if settings.auto_padding && (!prefix.is_empty() || field > 1) {
                i64::try_from(prefix.len() + text.len()).unwrap_or(0)
            } else {
                0
            };
            let separator: &[u8] = if field > 1 && settings.delimiter.is_none() {
                prefix.get(..1).unwrap_or_default()
            } else {
                b""
            };
            match scale::number(proc, settings, text) {
                Ok(shown) => {
                    let padding = if settings.padding == 0 && room > 0 {
                        room - i64::try_from(separator.len()).unwrap_or(0)
                    } else {
                        settings.padding
                    };
                    out.extend_from_slice(separator);
                    out.extend(format::framed(settings.format.as_ref(), &shown, padding));
                }
                Err(text_of_error) => {
                    if settings.invalid == Invalid::Abort {
                        let _reported_at_exit = proc.print(&out).await;
                        let _flushed = proc.flush().await;
                        complain_line(proc, &text_of_error).await;
                        proc.set_status(FAILED);
                        return None;
                    }
                    if settings.invalid != Invalid::Ignore {
                        let _flushed = proc.flush().await;
                        complain_line(proc, &text_of_error).await;
                    }
                    good = false;
                    out.extend_from_slice(prefix);
                    out.extend_from_slice(text);
                }
            }
        } else {
            out.extend_from_slice(prefix);
            out.extend_from_slice(text);
        }
        let Some(tail) = tail else { break };
        if let Some(delimiter) = settings.delimiter {
            out.push(delimiter);
        }
        rest = tail;
    }
    if ended {
        out.push(settings.end);
    }
    proc.print(&out).await.ok()?;
    Some(good)
}

/// Blanks in front, the field, and what follows it if anything does.
fn next_field(line: &[u8], delimiter: Option<u8>) -> (&[u8], &[u8], Option<&[u8]>) {
    if let Some(delimiter) = delimiter {
        return match line.iter().position(|&byte| byte == delimiter) {
            Some(at) => (
                b"",
                line.get(..at).unwrap_or_default(),
                Some(line.get(at + 1..).unwrap_or_default()),
            ),
            None => (b"", line, None),
        };
    }
    let is_blank = |byte: &u8| matches!(*byte, b' ' | b'\t' | b'\n');
    let blanks = line.iter().take_while(|byte| is_blank(byte)).count();
    let (prefix, rest) = line.split_at(blanks);
    let end = rest.iter().position(is_blank).unwrap_or(rest.len());
    let (text, tail) = rest.split_at(end);
    (prefix, text, (!tail.is_empty()).then_some(tail))
}

enum Wrong<'a> {
    Word(&'static str, &'a [u8]),
    Text(&'static str),
}

/// A list of ranges as cut(1) reads it.
fn fields(list: &[u8]) -> Result<Vec<(u64, u64)>, Wrong<'_>> {
    let mut ranges = Vec::new();
    for part in list.split(|byte| matches!(byte, b',' | b' ' | b'\t')) {
        let number = |text: &[u8]| -> Result<Option<u64>, Wrong<'_>> {
            if text.is_empty() {
                return Ok(None);
            }
            match input::decimal(text) {
                Some(0) => Err(Wrong::Text("fields are numbered from 1")),
                Some(number) => Ok(Some(number)),
                None => Err(Wrong::Text("")),
            }
        };
        let invalid = |wrong: Wrong<'_>| match wrong {
            Wrong::Text("") => Wrong::Word("invalid field value", part),
            Wrong::Text(text) => Wrong::Text(text),
            Wrong::Word(text, _) => Wrong::Word(text, part),
        };
        let range = match part.iter().position(|&byte| byte == b'-') {
            Some(at) => {
                let first = number(part.get(..at).unwrap_or_default()).map_err(invalid)?;
                let last = number(part.get(at + 1..).unwrap_or_default()).map_err(invalid)?;
                (first.unwrap_or(1), last.unwrap_or(u64::MAX))
            }
            None => match number(part).map_err(invalid)? {
                Some(field) => (field, field),
                None => return Err(Wrong::Text("fields are numbered from 1")),
            },
        };
        if range.0 > range.1 {
            return Err(Wrong::Text("invalid decreasing range"));
        }
        ranges.push(range);
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn units_come_and_go() {
        assert_eq!(
            run(&["numfmt", "--to=iec", "1023", "1025", "1000000"], b"").0,
            "1023\n1.1K\n977K\n"
        );
        assert_eq!(
            run(&["numfmt", "--from=auto", "1Ki", "2K"], b"").0,
            "1024\n2000\n"
        );
        let (_, error, status) = run(&["numfmt", "1K"], b"");
        assert!(error.contains("rejecting suffix in input"), "{error}");
        assert_eq!(status, 2);
    }
}
