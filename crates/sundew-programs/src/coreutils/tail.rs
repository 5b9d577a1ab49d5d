//! tail(1).

use std::collections::VecDeque;
use std::time::Duration;

use sundew_kernel::budget::Memory;
use sundew_kernel::process::{LineReader, Seek};
use sundew_kernel::{Errno, ExitStatus, Fd, Process};
use sundew_vfs::{FileType, InodeId};

use super::about;
use super::head::{Headers, UNITS, header, invalid_count};
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;
use crate::size::{NumberError, number};

const SPEC: Spec = Spec::gnu(
    "c:n:f::Fqs:vz0123456789",
    &[
        ("bytes", Arity::Required, "c"),
        ("follow", Arity::Optional, "f"),
        ("lines", Arity::Required, "n"),
        ("max-unchanged-stats", Arity::Required, "ignored"),
        ("pid", Arity::Required, "pid"),
        ("quiet", Arity::No, "q"),
        ("retry", Arity::No, "retry"),
        ("silent", Arity::No, "q"),
        ("sleep-interval", Arity::Required, "s"),
        ("verbose", Arity::No, "v"),
        ("zero-terminated", Arity::No, "z"),
    ],
);

struct Options {
    count: u64,
    bytes: bool,
    from_start: bool,
    delimiter: u8,
    follow: bool,
    /// By name rather than descriptor: `-F`.
    by_name: bool,
    retry: bool,
    interval: Duration,
    pid: Option<u32>,
    headers: Headers,
}

/// A followed file.
struct Followed {
    name: Vec<u8>,
    fd: Option<Fd>,
    identity: Option<(u64, InodeId)>,
    size: u64,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        count: 10,
        bytes: false,
        from_start: false,
        delimiter: b'\n',
        follow: false,
        by_name: false,
        retry: false,
        interval: Duration::from_secs(1),
        pid: None,
        headers: Headers::Several,
    };
    let mut args = proc.args().to_vec();
    if args.len() <= 3
        && args
            .get(1)
            .is_some_and(|first| old_style(first, &mut settings))
    {
        args.remove(1);
    }
    let mut options = Getopt::new(&SPEC, &args);
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok((key @ ("c" | "n"), value)) => {
                settings.bytes = key == "c";
                settings.from_start = value.starts_with(b"+");
                match number(value.strip_prefix(b"-").unwrap_or(&value), UNITS) {
                    Ok(count) => settings.count = count,
                    Err(NumberError::TooLarge) => settings.count = u64::MAX,
                    Err(_) => {
                        let word = value.strip_prefix(b"-").unwrap_or(&value);
                        return invalid_count(proc, word, settings.bytes).await;
                    }
                }
            }
            Ok(("f", value)) => {
                settings.follow = true;
                if !value.is_empty() {
                    const WORDS: &[(&str, bool)] = &[("descriptor", false), ("name", true)];
                    match input::choose(proc, "--follow", &value, WORDS).await {
                        Some(by_name) => settings.by_name = by_name,
                        None => return proc.status(),
                    }
                }
            }
            Ok(("F", _)) => {
                (settings.follow, settings.by_name, settings.retry) = (true, true, true);
            }
            Ok(("retry", _)) => settings.retry = true,
            Ok(("q", _)) => settings.headers = Headers::Never,
            Ok(("v", _)) => settings.headers = Headers::Always,
            Ok(("z", _)) => settings.delimiter = 0,
            Ok(("s", value)) => match std::str::from_utf8(&value)
                .ok()
                .and_then(|text| text.parse::<f64>().ok())
            {
                Some(seconds) if seconds >= 0.0 => {
                    settings.interval = Duration::from_secs_f64(seconds.clamp(0.1, 1e6))
                }
                _ => return input::complain_word(proc, "invalid number of seconds:", &value).await,
            },
            Ok(("pid", value)) => {
                match input::decimal(&value).and_then(|pid| u32::try_from(pid).ok()) {
                    Some(pid) => settings.pid = Some(pid),
                    None => return input::complain_word(proc, "invalid PID:", &value).await,
                }
            }
            Ok(("ignored", _)) => {}
            Ok((key @ ("help" | "version"), _)) => return about::run(proc, key, "tail").await,
            Ok((digit, _)) => {
                proc.complain_text(format!("option used in invalid context -- {digit}"))
                    .await;
                return proc.status();
            }
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    show_all(proc, input::or_stdin(options.operands()), &settings).await
}

/// `-5`, `+5`, `-20c`, `-5f`: only with at most one file.
fn old_style(word: &[u8], settings: &mut Options) -> bool {
    let (from_start, rest) = match word {
        [b'+', rest @ ..] => (true, rest),
        [b'-', rest @ ..] => (false, rest),
        _ => return false,
    };
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, letters) = rest.split_at(end);
    let (kind, follow) = match letters {
        [] => (b'l', false),
        [b'f'] => (b'l', true),
        [kind @ (b'l' | b'c' | b'b')] => (*kind, false),
        [kind @ (b'l' | b'c' | b'b'), b'f'] => (*kind, true),
        _ => return false,
    };
    if digits.is_empty() && (letters.is_empty() || !from_start) {
        return false;
    }
    let count = if digits.is_empty() {
        10
    } else {
        input::decimal(digits).unwrap_or(u64::MAX)
    };
    settings.bytes = kind != b'l';
    settings.count = count.saturating_mul(if kind == b'b' { 512 } else { 1 });
    settings.from_start = from_start;
    settings.follow = follow;
    true
}

async fn show_all(proc: &mut Process, names: Vec<Vec<u8>>, settings: &Options) -> ExitStatus {
    let headed = match settings.headers {
        Headers::Always => true,
        Headers::Never => false,
        Headers::Several => names.len() > 1,
    };
    let mut first = true;
    let mut followed = Vec::new();
    for name in names {
        let mut file = Followed {
            name,
            fd: None,
            identity: None,
            size: 0,
        };
        match input::open(proc, &file.name).await {
            Ok(fd) => {
                if headed {
                    header(proc, &file.name, &mut first).await;
                }
                match show(proc, fd, settings).await {
                    Ok(()) => file.fd = Some(fd),
                    Err(Some(Errno::Enomem)) => {
                        input::exhausted(proc).await;
                        return proc.status();
                    }
                    Err(Some(errno)) => {
                        let shown = if file.name == b"-" {
                            b"standard input".as_slice()
                        } else {
                            &file.name
                        };
                        let shown = shown.to_vec();
                        input::complain_about(proc, "error reading", &shown, errno).await;
                        if settings.follow && errno == Errno::Eisdir {
                            let shown = quote::file(proc, &file.name);
                            let text = [
                                shown.as_slice(),
                                b": cannot follow end of this type of file",
                            ]
                            .concat();
                            proc.complain_text(text).await;
                        }
                    }
                    Err(None) => return proc.status(),
                }
                remember(proc, &mut file);
                if !settings.follow {
                    input::close(proc, fd);
                }
            }
            Err(errno) => {
                let shown = quote::always(proc, &file.name);
                proc.complain(
                    &[b"cannot open ", shown.as_slice(), b" for reading"].concat(),
                    errno,
                )
                .await;
            }
        }
        followed.push(file);
    }
    if settings.follow {
        return follow(proc, followed, settings, headed).await;
    }
    proc.status()
}

fn remember(proc: &Process, file: &mut Followed) {
    if let Some(metadata) = file.fd.and_then(|fd| proc.fstat(fd).ok()) {
        file.identity = Some((metadata.dev, metadata.ino));
        file.size = metadata.size;
    }
}

/// Prints the end; `Err(None)` when printing no longer works.
async fn show(proc: &mut Process, fd: Fd, settings: &Options) -> Result<(), Option<Errno>> {
    if settings.from_start {
        return from_start(proc, fd, settings).await;
    }
    let regular = proc
        .fstat(fd)
        .is_ok_and(|found| found.file_type == FileType::Regular && found.size > 0);
    if settings.bytes && regular {
        // The front of a file need not be read.
        let back = i64::try_from(settings.count).unwrap_or(i64::MAX);
        if proc.seek(fd, Seek::End(-back)).is_err() {
            proc.seek(fd, Seek::Start(0))?;
        }
        return pour(proc, fd).await;
    }
    if settings.bytes {
        return last_bytes(proc, fd, settings.count).await;
    }
    let mut lines = LineReader::new(proc, fd);
    let mut memory = proc.memory();
    let mut kept: VecDeque<Vec<u8>> = VecDeque::new();
    while let Some(line) = lines.next(proc, settings.delimiter).await? {
        keep(&mut kept, &mut memory, line, settings.count)?;
    }
    for line in kept {
        proc.print(&line).await.map_err(|_| None)?;
    }
    Ok(())
}

fn keep(
    kept: &mut VecDeque<Vec<u8>>,
    memory: &mut Memory,
    line: Vec<u8>,
    most: u64,
) -> Result<(), Errno> {
    memory.grow(line.len() + size_of::<Vec<u8>>())?;
    kept.push_back(line);
    if kept.len() as u64 > most
        && let Some(line) = kept.pop_front()
    {
        memory.shrink(line.len() + size_of::<Vec<u8>>());
    }
    Ok(())
}

async fn last_bytes(proc: &mut Process, fd: Fd, count: u64) -> Result<(), Option<Errno>> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let mut memory = proc.memory();
    let mut kept: Vec<u8> = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let got = proc.read(fd, &mut chunk).await?;
        if got == 0 {
            break;
        }
        memory.grow(got)?;
        kept.extend_from_slice(chunk.get(..got).unwrap_or_default());
        // Cut now and then, not at each read.
        if kept.len() / 2 > most.max(CHUNK) {
            let spare = kept.len() - most;
            kept.drain(..spare);
            memory.shrink(spare);
        }
    }
    let from = kept.len().saturating_sub(most);
    proc.print(kept.get(from..).unwrap_or_default())
        .await
        .map_err(|_| None)
}

async fn from_start(proc: &mut Process, fd: Fd, settings: &Options) -> Result<(), Option<Errno>> {
    let mut skip = settings.count.saturating_sub(1);
    let mut chunk = vec![0; CHUNK];
    while skip > 0 {
        let got = proc.read(fd, &mut chunk).await?;
        let data = chunk.get(..got).unwrap_or_default();
        if data.is_empty() {
            return Ok(());
        }
        let mut from = data.len();
        if settings.bytes {
            from = data.len().min(usize::try_from(skip).unwrap_or(usize::MAX));
            skip -= from as u64;
        } else {
            for (at, _) in data
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == settings.delimiter)
            {
                skip -= 1;
                if skip == 0 {
                    from = at + 1;
                    break;
                }
            }
        }
        proc.print(data.get(from..).unwrap_or_default())
            .await
            .map_err(|_| None)?;
    }
    pour(proc, fd).await
}

async fn pour(proc: &mut Process, fd: Fd) -> Result<(), Option<Errno>> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let got = proc.read(fd, &mut chunk).await?;
        if got == 0 {
            return Ok(());
        }
        proc.print(chunk.get(..got).unwrap_or_default())
            .await
            .map_err(|_| None)?;
    }
}

/// Prints what is added to the files until killed, or until `--pid` is gone.
async fn follow(
    proc: &mut Process,
    mut files: Vec<Followed>,
    settings: &Options,
    headed: bool,
) -> ExitStatus {
    // Descriptors of pipes and of standard input are at their end for good.
    files.retain(|file| {
        let regular = file
            .fd
            .and_then(|fd| proc.fstat(fd).ok())
            .is_none_or(|found| {
                // A device such as /dev/null may have more to say at any time.
                matches!(found.file_type, FileType::Regular | FileType::CharDevice)
            });
        regular && (file.fd.is_some() || settings.retry)
    });
    if files.is_empty() {
        if proc.status() != ExitStatus::SUCCESS {
            proc.complain_text("no files remaining").await;
        }
        return proc.status();
    }
    let mut last = files.len() - 1;
    loop {
        if proc.flush().await.is_err() || proc.sleep(settings.interval).await.is_err() {
            return proc.status();
        }
        let gone = settings
            .pid
            .is_some_and(|pid| proc.kill(pid, None) == Err(Errno::Esrch));
        for (at, file) in files.iter_mut().enumerate() {
            if settings.by_name {
                look_again(proc, file).await;
            }
            let Some(fd) = file.fd else { continue };
            let size = proc.fstat(fd).map_or(file.size, |found| found.size);
            if size == file.size {
                continue;
            }
            if size < file.size {
                let shown = quote::file(proc, &file.name);
                let line = [proc.name(), b": ", &shown, b": file truncated\n"].concat();
                proc.print_error(&line).await;
                // A regular file can be rewound.
                let _rewound = proc.seek(fd, Seek::Start(0));
            }
            file.size = size;
            if headed && last != at {
                header(proc, &file.name, &mut false).await;
                last = at;
            }
            if pour(proc, fd).await == Err(None) {
                return proc.status();
            }
        }
        if gone {
            return proc.status();
        }
    }
}

/// With `-F`: is the name still the same file?
async fn look_again(proc: &mut Process, file: &mut Followed) {
    let found = proc
        .stat(&file.name)
        .ok()
        .map(|found| (found.dev, found.ino));
    if found == file.identity {
        return;
    }
    let shown = quote::always(proc, &file.name);
    let had = file.identity.is_some();
    file.identity = found;
    if let Some(fd) = file.fd.take() {
        input::close(proc, fd);
    }
    if found.is_none() {
        let line = [
            proc.name(),
            b": ",
            &shown,
            // tidy-allow(errno-word): part of a sentence that no system call answered
            b" has become inaccessible: No such file or directory\n",
        ]
        .concat();
        proc.print_error(&line).await;
        return;
    }
    let what: &[u8] = if had {
        b" has been replaced;  following new file\n"
    } else {
        b" has appeared;  following new file\n"
    };
    let line = [proc.name(), b": ", &shown, what].concat();
    proc.print_error(&line).await;
    file.fd = input::open(proc, &file.name).await.ok();
    file.size = 0;
}
