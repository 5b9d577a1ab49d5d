//! head(1).

use std::collections::VecDeque;

use sundew_kernel::process::{LineReader, Seek};
use sundew_kernel::{Errno, ExitStatus, Fd, Process};

use super::about;
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;
use crate::size::{NumberError, number};

const SPEC: Spec = Spec::gnu(
    "c:n:qvz0123456789",
    &[
        ("bytes", Arity::Required, "c"),
        ("lines", Arity::Required, "n"),
        ("quiet", Arity::No, "q"),
        ("silent", Arity::No, "q"),
        ("verbose", Arity::No, "v"),
        ("zero-terminated", Arity::No, "z"),
    ],
);

/// Letters that multiply a count.
pub(super) const UNITS: &[u8] = b"bkKmMGTPEZY0";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Headers {
    /// With more than one file.
    Several,
    Always,
    Never,
}

struct Options {
    count: u64,
    bytes: bool,
    /// All but the last `count`.
    from_end: bool,
    delimiter: u8,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        count: 10,
        bytes: false,
        from_end: false,
        delimiter: b'\n',
    };
    let mut headers = Headers::Several;
    let mut args = proc.args().to_vec();
    if let Some(first) = args.get(1).cloned() {
        match old_style(&first, &mut settings, &mut headers) {
            Ok(true) => {
                args.remove(1);
            }
            Ok(false) => {}
            Err(text) => {
                proc.complain_text(text).await;
                return crate::getopt::try_help(proc, 1).await;
            }
        }
    }
    let mut options = Getopt::new(&SPEC, &args);
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok((key @ ("c" | "n"), value)) => {
                settings.bytes = key == "c";
                let digits = value.strip_prefix(b"-");
                settings.from_end = digits.is_some();
                match number(digits.unwrap_or(&value), UNITS) {
                    Ok(count) => settings.count = count,
                    Err(NumberError::TooLarge) => settings.count = u64::MAX,
                    Err(_) => return invalid_count(proc, &value, settings.bytes).await,
                }
            }
            Ok(("q", _)) => headers = Headers::Never,
            Ok(("v", _)) => headers = Headers::Always,
            Ok(("z", _)) => settings.delimiter = 0,
            Ok((key @ ("help" | "version"), _)) => return about::run(proc, key, "head").await,
            Ok((digit, _)) => {
                proc.complain_text(format!("invalid trailing option -- {digit}"))
                    .await;
                return crate::getopt::try_help(proc, 1).await;
            }
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = input::or_stdin(options.operands());
    let headed = headers == Headers::Always || (headers == Headers::Several && operands.len() > 1);
    let mut first = true;
    for name in operands {
        let fd = match input::open(proc, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                let shown = quote::always(proc, &name);
                proc.complain(
                    &[b"cannot open ", shown.as_slice(), b" for reading"].concat(),
                    errno,
                )
                .await;
                continue;
            }
        };
        if headed {
            header(proc, &name, &mut first).await;
        }
        let result = show(proc, fd, &settings).await;
        input::close(proc, fd);
        match result {
            Ok(()) => {}
            Err(Some(Errno::Enomem)) => {
                input::exhausted(proc).await;
                return proc.status();
            }
            Err(Some(errno)) => {
                input::complain_about(proc, "error reading", shown_name(&name), errno).await
            }
            Err(None) => return proc.status(),
        }
    }
    proc.status()
}

fn shown_name(name: &[u8]) -> &[u8] {
    if name == b"-" {
        b"standard input"
    } else {
        name
    }
}

/// `==> NAME <==`; a blank line in front of all but the first.
pub(super) async fn header(proc: &mut Process, name: &[u8], first: &mut bool) {
    let blank: &[u8] = if std::mem::replace(first, false) {
        b""
    } else {
        b"\n"
    };
    let line = [blank, b"==> ", shown_name(name), b" <==\n"].concat();
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
}

/// `NAME: invalid number of lines: ‘x’`.
pub(super) async fn invalid_count(proc: &mut Process, word: &[u8], bytes: bool) -> ExitStatus {
    let what = if bytes {
        "invalid number of bytes:"
    } else {
        "invalid number of lines:"
    };
    input::complain_word(proc, what, word).await
}

/// `-5`, `-20c`, `-3kqv`: the first word only. Whether it was one.
fn old_style(word: &[u8], settings: &mut Options, headers: &mut Headers) -> Result<bool, Vec<u8>> {
    let Some(rest) = word
        .strip_prefix(b"-")
        .filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))
    else {
        return Ok(false);
    };
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, letters) = rest.split_at(end);
    let mut factor: u64 = 1;
    for letter in letters {
        match letter {
            b'c' => (settings.bytes, factor) = (true, 1),
            b'b' => (settings.bytes, factor) = (true, 512),
            b'k' => (settings.bytes, factor) = (true, 1024),
            b'm' => (settings.bytes, factor) = (true, 1 << 20),
            b'l' => settings.bytes = false,
            b'q' => *headers = Headers::Never,
            b'v' => *headers = Headers::Always,
            b'z' => settings.delimiter = 0,
            letter => return Err([b"invalid trailing option -- ".as_slice(), &[*letter]].concat()),
        }
    }
    settings.count = input::decimal(digits)
        .unwrap_or(u64::MAX)
        .saturating_mul(factor);
    Ok(true)
}

/// Prints the beginning; `Err(None)` when printing no longer works.
async fn show(proc: &mut Process, fd: Fd, settings: &Options) -> Result<(), Option<Errno>> {
    match (settings.from_end, settings.bytes) {
        (false, true) => first_bytes(proc, fd, settings.count).await,
        (false, false) => first_lines(proc, fd, settings).await,
        (true, true) => {
            let (all, _memory) = proc.read_to_end(fd).await?;
            let keep = all
                .len()
                .saturating_sub(usize::try_from(settings.count).unwrap_or(usize::MAX));
            proc.print(all.get(..keep).unwrap_or_default())
                .await
                .map_err(|_| None)
        }
        (true, false) => all_but_last(proc, fd, settings).await,
    }
}

async fn first_bytes(proc: &mut Process, fd: Fd, count: u64) -> Result<(), Option<Errno>> {
    let mut left = count;
    let mut chunk = vec![0; CHUNK];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let got = proc
            .read(fd, chunk.get_mut(..most).unwrap_or_default())
            .await?;
        if got == 0 {
            break;
        }
        left -= got as u64;
        proc.print(chunk.get(..got).unwrap_or_default())
            .await
            .map_err(|_| None)?;
    }
    Ok(())
}

async fn first_lines(proc: &mut Process, fd: Fd, settings: &Options) -> Result<(), Option<Errno>> {
    let mut left = settings.count;
    let mut chunk = vec![0; CHUNK];
    while left > 0 {
        let got = proc.read(fd, &mut chunk).await?;
        let data = chunk.get(..got).unwrap_or_default();
        if data.is_empty() {
            break;
        }
        let mut end = data.len();
        for (at, _) in data
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == settings.delimiter)
        {
            left -= 1;
            if left == 0 {
                end = at + 1;
                break;
            }
        }
        proc.print(data.get(..end).unwrap_or_default())
            .await
            .map_err(|_| None)?;
        if left == 0 && end < got {
            // What was read too much goes back where that is possible, for whoever reads on.
            let back = i64::try_from(got - end).unwrap_or(0);
            let _pipes_cannot = proc.seek(fd, Seek::Current(-back));
        }
    }
    Ok(())
}

async fn all_but_last(proc: &mut Process, fd: Fd, settings: &Options) -> Result<(), Option<Errno>> {
    let mut lines = LineReader::new(proc, fd);
    let mut memory = proc.memory();
    let mut kept: VecDeque<Vec<u8>> = VecDeque::new();
    while let Some(line) = lines.next(proc, settings.delimiter).await? {
        memory.grow(line.len() + size_of::<Vec<u8>>())?;
        kept.push_back(line);
        if kept.len() as u64 > settings.count
            && let Some(line) = kept.pop_front()
        {
            memory.shrink(line.len() + size_of::<Vec<u8>>());
            proc.print(&line).await.map_err(|_| None)?;
        }
    }
    Ok(())
}
