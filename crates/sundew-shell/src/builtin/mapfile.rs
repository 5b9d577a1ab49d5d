//! `mapfile`, `readarray`: lines into an array.

use sundew_kernel::process::{LineReader, MAX_LINE_BYTES};
use sundew_kernel::{Errno, Fd, Process, STDIN};

use super::Answer;
use super::getopt::{Found, Options, integer};
use super::store::check_writable;
use crate::expand::transform::quote;
use crate::shell::{Flow, Shell};
use crate::variable::{Value, is_name, to_indexed};

const USAGE: &str = "usage: mapfile [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]";

/// Lines between two calls of the callback unless `-c` says otherwise; bash's.
const QUANTUM: usize = 5000;

/// What the options ask for.
struct Request<'a> {
    delimiter: u8,
    /// Lines to read; 0 for all.
    count: usize,
    /// Index of the first line; without one the array is emptied first.
    origin: Option<i64>,
    skip: usize,
    trim: bool,
    fd: Fd,
    callback: Option<&'a [u8]>,
    quantum: usize,
    array: &'a [u8],
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let request = match requested(shell, proc, args).await {
        Ok(request) => request,
        Err(status) => return Ok(status),
    };
    let status = check_writable(shell, proc, args, request.array).await;
    if status != 0 {
        return Ok(status);
    }
    let is_associative = shell
        .variables
        .variable(request.array)
        .is_some_and(|variable| matches!(variable.value, Some(Value::Associative(_))));
    if is_associative {
        let text = [request.array, b": not an indexed array"].concat();
        return Ok(shell.builtin_error(proc, args, text, 1).await);
    }
    shell.variables.modify(request.array, |variable| {
        let elements = to_indexed(variable);
        if request.origin.is_none() {
            elements.clear();
        }
    });
    fill(shell, proc, &request).await
}

async fn requested<'a>(
    shell: &Shell,
    proc: &mut Process,
    args: &'a [Vec<u8>],
) -> Result<Request<'a>, u8> {
    let mut request = Request {
        delimiter: b'\n',
        count: 0,
        origin: None,
        skip: 0,
        trim: false,
        fd: STDIN,
        callback: None,
        quantum: QUANTUM,
        array: b"MAPFILE",
    };
    let name = args
        .first()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .unwrap_or_default();
    let usage = format!("{name}: {}", USAGE.replace("mapfile", &name));
    let mut options = Options::new(args, b"d:u:n:O:tC:c:s:");
    while let Some(found) = options.next() {
        let Found::Option(letter, value) = found else {
            return Err(shell.bad_option(proc, args, found, &usage).await);
        };
        let number = || integer(value).and_then(|number| usize::try_from(number).ok());
        let accepted = match letter {
            b'd' => {
                request.delimiter = value.first().copied().unwrap_or(0);
                Ok(())
            }
            b't' => {
                request.trim = true;
                Ok(())
            }
            b'C' => {
                request.callback = Some(value);
                Ok(())
            }
            b'n' => number()
                .map(|count| request.count = count)
                .ok_or("invalid line count"),
            b's' => number()
                .map(|count| request.skip = count)
                .ok_or("invalid line count"),
            b'c' => number()
                .filter(|quantum| *quantum > 0)
                .map(|quantum| request.quantum = quantum)
                .ok_or("invalid callback quantum"),
            b'O' => integer(value)
                .filter(|origin| *origin >= 0)
                .map(|origin| request.origin = Some(origin))
                .ok_or("invalid array origin"),
            _ => number()
                .and_then(|fd| Fd::try_from(fd).ok())
                .map(|fd| request.fd = fd)
                .ok_or("invalid file descriptor specification"),
        };
        if let Err(text) = accepted {
            return Err(shell
                .builtin_error(proc, args, [value, b": ", text.as_bytes()].concat(), 1)
                .await);
        }
    }
    check(shell, proc, args, &mut request, options.operands()).await?;
    Ok(request)
}

/// Takes the array's name; the complaints that come before anything is read.
async fn check<'a>(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    request: &mut Request<'a>,
    operands: &'a [Vec<u8>],
) -> Result<(), u8> {
    if !proc.is_open(request.fd) {
        let text = format!(
            "{}: invalid file descriptor: {}",
            request.fd,
            Errno::Ebadf.message()
        );
        return Err(shell.builtin_error(proc, args, text, 1).await);
    }
    if let Some(array) = operands.first() {
        if array.is_empty() {
            return Err(shell
                .builtin_error(proc, args, "empty array variable name", 2)
                .await);
        }
        if !is_name(array) {
            let text = [b"`".as_slice(), array, b"': not a valid identifier"].concat();
            return Err(shell.builtin_error(proc, args, text, 1).await);
        }
        request.array = array;
    }
    Ok(())
}

async fn fill(shell: &mut Shell, proc: &mut Process, request: &Request<'_>) -> Answer {
    let mut lines = Lines::new(proc, request);
    for _ in 0..request.skip {
        if lines.next(shell, proc).await?.is_none() {
            return Ok(0);
        }
    }
    let mut index = request.origin.unwrap_or(0);
    let mut read = 0usize;
    while request.count == 0 || read < request.count {
        let Some(mut line) = lines.next(shell, proc).await? else {
            break;
        };
        read += 1;
        if request.trim && line.last() == Some(&request.delimiter) {
            line.pop();
        }
        // A string ends at its first NUL.
        let end = line.iter().position(|&byte| byte == 0);
        line.truncate(end.unwrap_or(line.len()));
        if let Some(callback) = request.callback
            && read.is_multiple_of(request.quantum)
        {
            let call = [
                callback,
                b" ",
                index.to_string().as_bytes(),
                b" ",
                &quote(&line),
            ]
            .concat();
            shell.run_text(proc, &call).await?;
        }
        // Whether it may be written was asked before the first line.
        let _writable = shell.variables.set_element(request.array, index, line);
        index = index.saturating_add(1);
        if shell.charge_memory().is_err() {
            proc.out_of_memory().await;
        }
    }
    Ok(0)
}

/// Reads lines: ahead if all are wanted, else byte by byte.
enum Lines {
    Ahead(LineReader, u8),
    Exactly(Fd, u8),
}

impl Lines {
    fn new(proc: &Process, request: &Request<'_>) -> Self {
        if request.count == 0 {
            Self::Ahead(LineReader::new(proc, request.fd), request.delimiter)
        } else {
            Self::Exactly(request.fd, request.delimiter)
        }
    }

    /// The next line with its delimiter; `None` at the end and on an error, which bash keeps silent.
    async fn next(
        &mut self,
        shell: &mut Shell,
        proc: &mut Process,
    ) -> Result<Option<Vec<u8>>, Flow> {
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            let result = match self {
                Self::Ahead(reader, delimiter) => reader.next(proc, *delimiter).await,
                Self::Exactly(fd, _) => match proc.read(*fd, &mut byte).await {
                    Ok(0) => return Ok((!line.is_empty()).then_some(line)),
                    Ok(_) => Ok(Some(byte.to_vec())),
                    Err(errno) => Err(errno),
                },
            };
            match (result, &*self) {
                (Ok(next), Self::Ahead(..)) => return Ok(next),
                (Ok(_), Self::Exactly(_, delimiter)) => {
                    line.extend(byte);
                    if byte[0] == *delimiter || line.len() >= MAX_LINE_BYTES {
                        return Ok(Some(line));
                    }
                }
                (Err(Errno::Eintr), _) => shell.check_interrupt(proc).await?,
                (Err(_), _) => return Ok(None),
            }
        }
    }
}
