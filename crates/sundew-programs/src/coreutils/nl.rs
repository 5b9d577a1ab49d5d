//! nl(1).

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "h:b:f:v:i:pl:s:w:n:d:",
    &[
        ("header-numbering", Arity::Required, "h"),
        ("body-numbering", Arity::Required, "b"),
        ("footer-numbering", Arity::Required, "f"),
        ("starting-line-number", Arity::Required, "v"),
        ("line-increment", Arity::Required, "i"),
        ("no-renumber", Arity::No, "p"),
        ("join-blank-lines", Arity::Required, "l"),
        ("number-separator", Arity::Required, "s"),
        ("number-width", Arity::Required, "w"),
        ("number-format", Arity::Required, "n"),
        ("section-delimiter", Arity::Required, "d"),
    ],
);

/// Widest number field, in columns.
const MAX_WIDTH: i64 = 1024;

/// Which lines of a section get a number.
enum Style {
    All,
    NotEmpty,
    None,
    Matching(Regex),
}

impl Style {
    fn parse(text: &[u8]) -> Option<Result<Self, Vec<u8>>> {
        let (&letter, rest) = text.split_first()?;
        Some(Ok(match letter {
            b'a' => Self::All,
            b't' => Self::NotEmpty,
            b'n' => Self::None,
            b'p' => match Regex::new(rest, Syntax::Basic, Flags::default()) {
                Ok(regex) => Self::Matching(regex),
                Err(error) => return Some(Err(error.message().as_bytes().to_vec())),
            },
            _ => return None,
        }))
    }
}

struct Options {
    /// Of header, body and footer.
    styles: [Style; 3],
    start: i64,
    step: i64,
    renumber: bool,
    join: i64,
    separator: Vec<u8>,
    width: usize,
    format: u8,
    delimiter: Vec<u8>,
}

async fn read_options(proc: &mut Process) -> Result<(Options, Vec<Vec<u8>>), ExitStatus> {
    let mut settings = Options {
        styles: [Style::None, Style::NotEmpty, Style::None],
        start: 1,
        step: 1,
        renumber: true,
        join: 1,
        separator: b"\t".to_vec(),
        width: 6,
        format: b'r',
        delimiter: b"\\:".to_vec(),
    };
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let (key, value) = match option {
            Ok(option) => (option.key, option.value),
            Err(error) => return Err(refuse(proc, &error, 1).await),
        };
        match key {
            "h" | "b" | "f" => {
                let (place, name) = match key {
                    "h" => (0, "header"),
                    "b" => (1, "body"),
                    _ => (2, "footer"),
                };
                match Style::parse(&value) {
                    Some(Ok(style)) => {
                        if let Some(old) = settings.styles.get_mut(place) {
                            *old = style;
                        }
                    }
                    Some(Err(text)) => {
                        proc.complain_text(text).await;
                        return Err(proc.status());
                    }
                    None => {
                        let text = format!("invalid {name} numbering style:");
                        input::complain_word(proc, &text, &value).await;
                        return Err(try_help(proc, 1).await);
                    }
                }
            }
            "p" => settings.renumber = false,
            "s" => settings.separator = value,
            "d" => {
                settings.delimiter = match value.as_slice() {
                    [one] => vec![*one, b':'],
                    _ => value,
                }
            }
            "n" => match value.as_slice() {
                b"ln" => settings.format = b'l',
                b"rn" => settings.format = b'r',
                b"rz" => settings.format = b'z',
                _ => {
                    input::complain_word(proc, "invalid line numbering format:", &value).await;
                    return Err(try_help(proc, 1).await);
                }
            },
            "v" => settings.start = integer(proc, "starting line number", &value, i64::MIN).await?,
            "i" => {
                settings.step = integer(proc, "line number increment", &value, i64::MIN).await?;
            }
            "l" => settings.join = integer(proc, "line number of blank lines", &value, 1).await?,
            "w" => {
                let width = integer(proc, "line number field width", &value, 1).await?;
                settings.width = usize::try_from(width.min(MAX_WIDTH)).unwrap_or(1);
            }
            key => return Err(about::run(proc, key, "nl").await),
        }
    }
    Ok((settings, options.operands()))
}

/// A number not under `least`, or the complaint about it.
async fn integer(
    proc: &mut Process,
    what: &str,
    value: &[u8],
    least: i64,
) -> Result<i64, ExitStatus> {
    let text = std::str::from_utf8(value).unwrap_or_default().trim_start();
    let range = match text.parse::<i64>() {
        Ok(number) if number >= least => return Ok(number),
        Ok(_) => Some(Errno::Erange),
        Err(_) => None,
    };
    let shown = quote::text(proc, value);
    let mut line = [b"invalid ", what.as_bytes(), b": ", &shown].concat();
    if let Some(errno) = range {
        line.extend_from_slice(b": ");
        line.extend_from_slice(errno.message().as_bytes());
    }
    proc.complain_text(line).await;
    Err(proc.status())
}

/// The section that a line of delimiters begins, if it is one.
fn section(line: &[u8], delimiter: &[u8]) -> Option<usize> {
    if delimiter.is_empty() {
        return None;
    }
    (1..=3)
        .find(|count| line == delimiter.repeat(*count))
        .map(|count| 3 - count)
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (settings, operands) = match read_options(proc).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let (mut number, mut now, mut blanks) = (settings.start, 1, 0);
    for name in input::or_stdin(operands) {
        let fd = match input::open(proc, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                continue;
            }
        };
        let mut lines = LineReader::new(proc, fd);
        loop {
            let line = match lines.next(proc, b'\n').await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(errno) => {
                    input::complain(proc, &name, errno).await;
                    break;
                }
            };
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let out = if let Some(next) = section(line, &settings.delimiter) {
                now = next;
                if settings.renumber {
                    number = settings.start;
                }
                b"\n".to_vec()
            } else {
                let counts = match settings.styles.get(now) {
                    Some(Style::All) => {
                        blanks += 1;
                        !line.is_empty() || blanks >= settings.join
                    }
                    Some(Style::NotEmpty) => !line.is_empty(),
                    Some(Style::Matching(regex)) => regex.is_match(line),
                    Some(Style::None) | None => false,
                };
                let width = settings.width;
                let head = if counts {
                    blanks = 0;
                    let text = match settings.format {
                        b'l' => format!("{number:<width$}"),
                        b'z' => format!("{number:0width$}"),
                        _ => format!("{number:>width$}"),
                    };
                    number = number.saturating_add(settings.step);
                    [text.as_bytes(), &settings.separator].concat()
                } else {
                    vec![b' '; width + settings.separator.len()]
                };
                [head.as_slice(), line, b"\n"].concat()
            };
            if proc.print(&out).await.is_err() {
                return proc.status();
            }
        }
        input::close(proc, fd);
    }
    proc.status()
}
