//! `read`: one line, byte by byte, so that what follows stays for the next command.

mod split;

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use sundew_kernel::process::MAX_LINE_BYTES;
use sundew_kernel::tty::Termios;
use sundew_kernel::tty::termios::{ECHO, ICANON};
use sundew_kernel::{Errno, Fd, Process, STDIN};
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::getopt::{Found, Options, integer};
use super::store::{check_writable, is_target, store};
use crate::shell::{Flow, Shell};
use crate::variable::{Value, is_name};
use split::Character;

const USAGE: &str = "read: usage: read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]";

/// Status after a timeout: as if `SIGALRM` had ended it.
const TIMED_OUT: u8 = 142;

/// What the options ask for.
struct Request<'a> {
    raw: bool,
    /// `-e`: with readline, on a terminal.
    edited: bool,
    /// `-i`: what is there to be edited.
    initial: &'a [u8],
    silent: bool,
    prompt: &'a [u8],
    array: Option<&'a [u8]>,
    delimiter: u8,
    /// Most characters; with `exactly` the delimiter does not end the line.
    count: Option<usize>,
    exactly: bool,
    timeout: Option<Duration>,
    fd: Fd,
    names: &'a [Vec<u8>],
}

impl Request<'_> {
    fn new() -> Self {
        Self {
            raw: false,
            edited: false,
            initial: b"",
            silent: false,
            prompt: b"",
            array: None,
            delimiter: b'\n',
            count: None,
            exactly: false,
            timeout: None,
            fd: STDIN,
            names: &[],
        }
    }
}

/// Whether `$TMOUT` counts: for terminals and pipes, not for files.
fn is_waited_for(proc: &Process, fd: Fd) -> bool {
    !proc
        .fstat(fd)
        .is_ok_and(|metadata| metadata.file_type == sundew_vfs::FileType::Regular)
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut request = match requested(shell, proc, args).await {
        Ok(request) => request,
        Err(status) => return Ok(status),
    };
    if shell.is_bash() && request.timeout.is_none() {
        let set = shell.variables.scalar(b"TMOUT").and_then(seconds);
        request.timeout =
            set.filter(|time| *time > Duration::ZERO && is_waited_for(proc, request.fd));
    }
    if request.timeout == Some(Duration::ZERO) {
        return Ok(u8::from(!is_ready(proc, request.fd).await));
    }
    if request.edited && shell.is_bash() && request.fd == STDIN && proc.is_terminal(STDIN) {
        return edited(shell, proc, args, &request).await;
    }
    let terminal = prepare_terminal(proc, &request).await;
    let result = read_line(shell, proc, &request).await;
    if let Some(settings) = terminal {
        // The terminal may be gone by now.
        let _gone = proc.set_termios(request.fd, settings, false);
    }
    let (line, status) = match result? {
        Ok(read) => read,
        Err(errno) => {
            let text = format!("read error: {}: {}", request.fd, errno.message());
            return Ok(shell.builtin_error(proc, args, text, 1).await);
        }
    };
    if status == TIMED_OUT && !shell.is_bash() {
        return Ok(1);
    }
    let assigned = assign(shell, proc, args, &request, &line).await?;
    Ok(status.max(assigned))
}

/// `read -e`: the line is edited as one at the prompt is.
async fn edited(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    request: &Request<'_>,
) -> Answer {
    shell.line_to_edit = Some(request.initial.to_vec()).filter(|text| !text.is_empty());
    let line = match shell.edit_line_for(proc, request.prompt).await {
        crate::readline::Input::Line(line) => line,
        crate::readline::Input::End | crate::readline::Input::TimedOut => return Ok(1),
        crate::readline::Input::Interrupted => {
            shell.status = 130;
            return Err(Flow::Abandon);
        }
    };
    let characters: Vec<Character> = line
        .into_iter()
        .map(|byte| Character {
            byte,
            quoted: false,
        })
        .collect();
    assign(shell, proc, args, request, &characters).await
}

async fn requested<'a>(
    shell: &Shell,
    proc: &mut Process,
    args: &'a [Vec<u8>],
) -> Result<Request<'a>, u8> {
    let letters: &[u8] = match shell.dialect {
        Dialect::Bash => b"ersa:d:i:n:p:t:u:N:",
        Dialect::Dash => b"p:r",
        Dialect::Ash => b"p:u:rt:n:sd:",
    };
    let mut request = Request::new();
    let mut options = Options::new(args, letters);
    while let Some(found) = options.next() {
        let Found::Option(letter, value) = found else {
            return Err(shell.bad_option(proc, args, found, USAGE).await);
        };
        let accepted = match letter {
            b'r' | b'e' | b's' => {
                request.raw |= letter == b'r';
                request.edited |= letter == b'e';
                request.silent |= letter == b's';
                Ok(())
            }
            b'a' => {
                request.array = Some(value);
                Ok(())
            }
            b'd' => {
                request.delimiter = value.first().copied().unwrap_or(0);
                Ok(())
            }
            b'p' => {
                request.prompt = value;
                Ok(())
            }
            b'i' => {
                request.initial = value;
                Ok(())
            }
            b'n' | b'N' => {
                request.exactly = letter == b'N';
                let count = integer(value).and_then(|count| usize::try_from(count).ok());
                count
                    .map(|count| request.count = Some(count))
                    .ok_or(("invalid number", "invalid count"))
            }
            b't' => seconds(value)
                .map(|timeout| request.timeout = Some(timeout))
                .ok_or(("invalid timeout specification", "invalid timeout")),
            b'u' => integer(value)
                .and_then(|fd| Fd::try_from(fd).ok())
                .map(|fd| request.fd = fd)
                .ok_or((
                    "invalid file descriptor specification",
                    "invalid file descriptor",
                )),
            _ => Ok(()),
        };
        if let Err((bash, ash)) = accepted {
            let status = if shell.is_bash() { 1 } else { 2 };
            let text = if shell.is_bash() {
                [value, b": ", bash.as_bytes()].concat()
            } else {
                ash.into()
            };
            return Err(shell.builtin_error(proc, args, text, status).await);
        }
    }
    request.names = options.operands();
    check(shell, proc, args, &request).await?;
    Ok(request)
}

/// The complaints that come before anything is read.
async fn check(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    request: &Request<'_>,
) -> Result<(), u8> {
    if !proc.is_open(request.fd) && shell.is_bash() {
        let text = format!(
            "{}: invalid file descriptor: {}",
            request.fd,
            Errno::Ebadf.message()
        );
        return Err(shell.builtin_error(proc, args, text, 1).await);
    }
    if request.names.is_empty() && shell.dialect == Dialect::Dash {
        return Err(shell.builtin_error(proc, args, "arg count", 2).await);
    }
    let bad = match (request.array, request.names.first()) {
        (Some(array), _) => Some(array).filter(|array| !is_name(array)),
        (None, Some(name)) => Some(name.as_slice()).filter(|name| !is_target(shell, name)),
        (None, None) => None,
    };
    let Some(bad) = bad else { return Ok(()) };
    let (text, status) = match shell.dialect {
        Dialect::Bash => (
            [b"`".as_slice(), bad, b"': not a valid identifier"].concat(),
            1,
        ),
        Dialect::Dash => ([bad, b": bad variable name"].concat(), 2),
        Dialect::Ash => {
            // BusyBox's `read` says this in the applet's name, without a line.
            let said = [
                shell.applet_name(),
                b": read: '",
                bad,
                b"': bad variable name\n",
            ]
            .concat();
            proc.print_error(&said).await;
            return Err(1);
        }
    };
    Err(shell.builtin_error(proc, args, text, status).await)
}

/// `2`, `0.5`, `.5`
fn seconds(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if text.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let micros: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(6)
        .collect();
    Some(Duration::from_secs(whole) + Duration::from_micros(micros.parse().ok()?))
}

/// Whether a read would not wait: `read -t 0`.
async fn is_ready(proc: &Process, fd: Fd) -> bool {
    let ready = pin!(proc.readable(fd));
    match select(ready, std::future::ready(())).await {
        Either::Left((result, _)) => result.is_ok(),
        Either::Right(_) => false,
    }
}

/// Shows the prompt and sets the terminal; its settings from before if they must be restored.
async fn prepare_terminal(proc: &mut Process, request: &Request<'_>) -> Option<Termios> {
    let before = proc.termios(request.fd).ok()?;
    if !request.prompt.is_empty() {
        let _checked_at_flush = proc.flush().await;
        proc.print_error(request.prompt).await;
    }
    let by_bytes = request.count.is_some() || request.delimiter != b'\n';
    if !request.silent && !by_bytes {
        return None;
    }
    let mut settings = before.clone();
    if request.silent {
        settings.local &= !ECHO;
    }
    if by_bytes {
        settings.local &= !ICANON;
    }
    proc.set_termios(request.fd, settings, false).ok()?;
    Some(before)
}

/// The characters that were read, and the status: 1 at the end of the input.
async fn read_line(
    shell: &mut Shell,
    proc: &mut Process,
    request: &Request<'_>,
) -> Result<Result<(Vec<Character>, u8), Errno>, Flow> {
    let deadline = request.timeout.map(|timeout| proc.monotonic() + timeout);
    let mut memory = proc.memory();
    let mut line: Vec<Character> = Vec::new();
    let mut escaped = false;
    let mut taken = 0;
    while request
        .count
        .is_none_or(|count| taken < count || is_partial(&line))
    {
        let byte = match next_byte(proc, request.fd, deadline).await {
            Ok(Next::Byte(byte)) => byte,
            Ok(Next::End) => return Ok(Ok((line, 1))),
            Ok(Next::TimedOut) => return Ok(Ok((line, TIMED_OUT))),
            Err(Errno::Eintr) => {
                shell.check_interrupt(proc).await?;
                continue;
            }
            Err(errno) => return Ok(Err(errno)),
        };
        if escaped {
            escaped = false;
            if byte != b'\n' {
                line.push(Character { byte, quoted: true });
                taken += 1;
            }
            continue;
        }
        if byte == b'\\' && !request.raw {
            escaped = true;
            continue;
        }
        if byte == request.delimiter && !request.exactly {
            break;
        }
        if byte == 0 {
            continue;
        }
        taken += usize::from(byte & 0xc0 != 0x80);
        line.push(Character {
            byte,
            quoted: false,
        });
        if line.len().is_multiple_of(4096) && memory.grow(4096 * size_of::<Character>()).is_err() {
            proc.out_of_memory().await;
        }
        // What is longer ends here, as if it were the end of the input.
        if line.len() > MAX_LINE_BYTES {
            return Ok(Ok((line, 1)));
        }
    }
    Ok(Ok((line, 0)))
}

/// Whether the line ends within a character of UTF-8.
fn is_partial(line: &[Character]) -> bool {
    let tail = line
        .iter()
        .rev()
        .take_while(|character| character.byte & 0xc0 == 0x80)
        .count();
    let lead = line
        .iter()
        .rev()
        .nth(tail)
        .map_or(0, |character| character.byte);
    let wanted = match lead {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => 0,
    };
    tail < wanted
}

enum Next {
    Byte(u8),
    End,
    TimedOut,
}

async fn next_byte(proc: &Process, fd: Fd, deadline: Option<Duration>) -> Result<Next, Errno> {
    if let Some(deadline) = deadline {
        // Waiting for the byte and reading it are two steps, so that no byte is lost to the clock.
        let left = deadline.saturating_sub(proc.monotonic());
        match select(pin!(proc.readable(fd)), pin!(proc.sleep(left))).await {
            Either::Left((result, _)) => result?,
            Either::Right((result, _)) => {
                result?;
                return Ok(Next::TimedOut);
            }
        }
    }
    let mut byte = [0];
    Ok(match proc.read(fd, &mut byte).await? {
        0 => Next::End,
        _ => Next::Byte(byte[0]),
    })
}

async fn assign(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    request: &Request<'_>,
    line: &[Character],
) -> Answer {
    let separators = shell.field_separators();
    if let Some(array) = request.array {
        let status = check_writable(shell, proc, args, array).await;
        if status != 0 {
            return Ok(status);
        }
        let words = split::words(line, &separators);
        let elements: BTreeMap<i64, Vec<u8>> = (0..).zip(words).collect();
        shell.variables.modify(array, |variable| {
            variable.value = Some(Value::Indexed(elements))
        });
        return Ok(0);
    }
    if request.names.is_empty() {
        return store(shell, proc, args, b"REPLY", split::text(line)).await;
    }
    let values = if request.exactly {
        let mut values = vec![Vec::new(); request.names.len()];
        if let Some(first) = values.first_mut() {
            *first = split::text(line);
        }
        values
    } else {
        split::fields(line, &separators, request.names.len())
    };
    let mut status = 0;
    for (name, value) in request.names.iter().zip(values) {
        if !is_target(shell, name) {
            let text = [b"`".as_slice(), name, b"': not a valid identifier"].concat();
            return Ok(shell
                .builtin_error(proc, &[b"read".to_vec()], text, 1)
                .await);
        }
        status = store(shell, proc, args, name, value).await?;
        if status != 0 {
            break;
        }
    }
    Ok(status)
}
