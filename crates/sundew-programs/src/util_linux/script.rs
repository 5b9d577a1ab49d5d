//! `script`, `scriptreplay`, `scriptlive`: sessions on record.

use std::time::Duration;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDERR, STDOUT};

use super::spec;
use crate::text::{input, shell};
use crate::time::{Shown, Zone};

/// Bytes copied at once.
const CHUNK: usize = 4096;
/// Longest pause that a replay makes; a stranger's file says how long.
const MAX_PAUSE: f64 = 3600.0;

pub(super) async fn script(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "script", &spec::SCRIPT).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let named = ["B", "I", "O"].iter().find_map(|key| line.value(key));
    let path = line
        .operands
        .first()
        .cloned()
        .or_else(|| named.map(<[u8]>::to_vec))
        .unwrap_or_else(|| b"typescript".to_vec());
    let quiet = line.has("q");
    let is_link = proc
        .lstat(&path)
        .is_ok_and(|metadata| metadata.nlink > 1 || proc.read_link(&path).is_ok());
    if is_link && path == b"typescript" && line.operands.is_empty() {
        let text = b"output file `typescript' is a link\nUse --force if you really want to use it.\nProgram not started.";
        proc.complain_text(text).await;
        return ExitStatus::FAILURE;
    }
    if !quiet {
        let text = [
            b"Script started, output log file is '".as_slice(),
            &path,
            b"'.\n",
        ]
        .concat();
        super::put(proc, text).await;
    }
    let flags = if line.has("a") {
        OpenFlags::APPEND
    } else {
        OpenFlags::CREATE
    };
    let log = match proc.open(&path, flags, 0o666).await {
        Ok(log) => log,
        Err(errno) => {
            proc.flush().await.unwrap_or_default();
            proc.complain(&[b"cannot open ".as_slice(), &path].concat(), errno)
                .await;
            if !quiet {
                super::put(proc, "Script done.\n").await;
            }
            return ExitStatus::FAILURE;
        }
    };
    let _kept = proc.set_close_on_exec(log, true);
    let zone = Zone::of(proc).await;
    let terminal = proc.is_terminal(STDOUT);
    let command = line.value("c").map(<[u8]>::to_vec);
    let head = header(proc, &zone, command.as_deref(), terminal);
    let _logged = proc.write_all(log, &head).await;
    let own_shell = proc.env().value(b"SHELL").filter(|shell| !shell.is_empty());
    let own_shell = own_shell.unwrap_or(b"/bin/sh").to_vec();
    let words = match &command {
        Some(command) => vec![own_shell, b"-c".to_vec(), command.clone()],
        None => vec![own_shell, b"-i".to_vec()],
    };
    let _flushed = proc.flush().await;
    // A command's output passes through; a shell keeps the terminal for itself.
    let recorded = command.is_some() && path != b"/dev/null";
    let status = match run(proc, words, recorded.then_some(log)).await {
        Ok(status) => status,
        Err(errno) => {
            proc.complain(b"fork failed", errno).await;
            return ExitStatus::FAILURE;
        }
    };
    let at = Shown::new(proc.now(), &zone).format(b"%Y-%m-%d %H:%M:%S%:z");
    let tail = format!(" [COMMAND_EXIT_CODE=\"{}\"]\n", status.code());
    let tail = [b"\nScript done on ".as_slice(), &at, tail.as_bytes()].concat();
    let _logged = proc.write_all(log, &tail).await;
    if !quiet {
        super::put(proc, "Script done.\n").await;
    }
    if line.has("e") { status } else { proc.status() }
}

fn header(proc: &Process, zone: &Zone, command: Option<&[u8]>, terminal: bool) -> Vec<u8> {
    let at = Shown::new(proc.now(), zone).format(b"%Y-%m-%d %H:%M:%S%:z");
    let mut facts: Vec<Vec<u8>> = Vec::new();
    if let Some(command) = command {
        facts.push([b"COMMAND=\"".as_slice(), command, b"\""].concat());
    }
    if terminal {
        let term = proc.env().value(b"TERM").unwrap_or_default();
        facts.push([b"TERM=\"".as_slice(), term, b"\""].concat());
        if let Ok(tty) = proc.terminal_path(STDOUT) {
            facts.push([b"TTY=\"".as_slice(), &tty, b"\""].concat());
        }
        if let Ok(size) = proc.window_size(STDOUT) {
            let text = format!("COLUMNS=\"{}\" LINES=\"{}\"", size.columns, size.rows);
            facts.push(text.into_bytes());
        }
    } else {
        facts.push(b"<not executed on terminal>".to_vec());
    }
    [
        b"Script started on ".as_slice(),
        &at,
        b" [",
        &facts.join(&b' '),
        b"]\n",
    ]
    .concat()
}

/// Runs the command to its end; with a log its output goes there as well.
async fn run(
    proc: &mut Process,
    words: Vec<Vec<u8>>,
    log: Option<Fd>,
) -> Result<ExitStatus, Errno> {
    let Some(log) = log else {
        let pid = proc.fork(move |mut child| {
            Box::pin(async move { super::become_command(&mut child, words).await })
        })?;
        return Ok(shell::wait(proc, pid).await);
    };
    let (from, to) = proc.pipe()?;
    let started = proc.fork(move |mut child| {
        Box::pin(async move {
            let _close = child.close(from);
            for fd in [STDOUT, STDERR] {
                if let Err(errno) = child.duplicate_to(to, fd) {
                    child.complain(b"dup2", errno).await;
                }
            }
            let _close = child.close(to);
            super::become_command(&mut child, words).await
        })
    });
    let _closed = proc.close(to);
    let pid = started?;
    let screen = proc.is_terminal(STDOUT);
    let mut chunk = vec![0; CHUNK];
    while let Ok(got) = proc.read(from, &mut chunk).await {
        let bytes = chunk.get(..got).unwrap_or_default().to_vec();
        if bytes.is_empty() {
            break;
        }
        // As a terminal would have shown it.
        let mut shown = Vec::with_capacity(bytes.len());
        for &byte in &bytes {
            if byte == b'\n' {
                shown.push(b'\r');
            }
            shown.push(byte);
        }
        let _logged = proc.write_all(log, &shown).await;
        // The terminal adds the carriage returns to what is on it.
        let out = if screen { &bytes } else { &shown };
        if proc.print(out).await.is_err() || proc.flush().await.is_err() {
            break;
        }
    }
    let _closed = proc.close(from);
    Ok(shell::wait(proc, pid).await)
}

pub(super) async fn scriptreplay(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "scriptreplay", &spec::SCRIPTREPLAY).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut operands = line.operands.clone().into_iter();
    let timing = match line.value("t").or_else(|| line.value("T")) {
        Some(path) => path.to_vec(),
        None => match operands.next() {
            Some(path) => path,
            None => return super::fail(proc, "timing file not specified").await,
        },
    };
    let named = ["s", "O", "B", "I"].iter().find_map(|key| line.value(key));
    let log = named
        .map(<[u8]>::to_vec)
        .or_else(|| operands.next())
        .unwrap_or_else(|| b"typescript".to_vec());
    let divisor = operands
        .next()
        .or_else(|| line.value("d").map(<[u8]>::to_vec));
    let divisor = match divisor {
        Some(word) => match super::number::<f64>(&word).filter(|value| *value > 0.0) {
            Some(divisor) => divisor,
            None => return super::bad_argument(proc, "failed to parse number", &word).await,
        },
        None => 1.0,
    };
    let longest = line
        .value("m")
        .and_then(super::number::<f64>)
        .unwrap_or(MAX_PAUSE);
    let fd = match proc.open(&timing, OpenFlags::READ, 0).await {
        Ok(fd) => fd,
        Err(errno) => return super::cannot(proc, "cannot open", &timing, errno).await,
    };
    let (text, _memory) = match input::read_all(proc, &log).await {
        Ok(read) => read,
        Err(errno) => return super::cannot(proc, "cannot open", &log, errno).await,
    };
    // The first line of a record tells when it was made.
    let start = text
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(text.len(), |at| at + 1);
    let mut rest = text.get(start..).unwrap_or_default();
    let mut steps = LineReader::new(proc, fd);
    while let Ok(Some(step)) = steps.next(proc, b'\n').await {
        let step = String::from_utf8_lossy(&step).into_owned();
        let mut words = step.split_whitespace().peekable();
        let stream = words.next_if(|word| word.len() == 1 && word.chars().all(char::is_alphabetic));
        let delay = words.next().and_then(|word| word.parse::<f64>().ok());
        let count = words.next().and_then(|word| word.parse::<usize>().ok());
        if stream.is_some_and(|stream| stream != "O") {
            continue;
        }
        let (Some(delay), Some(count)) = (delay, count) else {
            let text = [timing.as_slice(), b": unexpected timing file format"].concat();
            return super::fail(proc, text).await;
        };
        let pause = (delay / divisor).clamp(0.0, longest.clamp(0.0, MAX_PAUSE));
        if proc.sleep(Duration::from_secs_f64(pause)).await.is_err() {
            break;
        }
        let (now, later) = rest.split_at(count.min(rest.len()));
        rest = later;
        if proc.print(now).await.is_err() || proc.flush().await.is_err() {
            break;
        }
    }
    super::put(proc, "\n").await
}

pub(super) async fn scriptlive(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "scriptlive", &spec::SCRIPTREPLAY).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty() && !line.has("t") && !line.has("T") {
        return super::fail(proc, "timing file not specified").await;
    }
    if !proc.is_terminal(sundew_kernel::STDIN) {
        return super::fail(proc, "stdin is not a terminal").await;
    }
    let path = line
        .value("t")
        .or_else(|| line.value("T"))
        .map(<[u8]>::to_vec);
    let path = path
        .or_else(|| line.operands.first().cloned())
        .unwrap_or_default();
    let errno = proc.stat(&path).err().unwrap_or(Errno::Einval);
    super::cannot(proc, "cannot open", &path, errno).await
}
