//! What runs on the other side, and the bytes to and fro.

use std::future::pending;

use futures_util::future::{Either, select};
use sundew_kernel::secure_shell::{Purpose, Received, Receiver, Sender, Terminal, Wanted};
use sundew_kernel::signal::Disposition;
use sundew_kernel::tty::termios::{
    ECHO, ECHOE, ECHOK, ECHONL, ICANON, ICRNL, IEXTEN, IGNCR, INLCR, ISIG, ISTRIP, IXANY, IXON,
    OPOST,
};
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDERR, STDIN, STDOUT, Signal};

use super::login::LoggedIn;
use super::option::{Level, Line};

/// Bytes moved at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Runs what is wanted; the status of it.
pub(super) async fn run(
    proc: &mut Process,
    line: &Line,
    mut login: LoggedIn,
    host: &[u8],
    terminal: bool,
) -> ExitStatus {
    let host = String::from_utf8_lossy(host).into_owned();
    if line.no_command {
        // `-N`, and whatever only forwards: it stays until the other side or a signal ends it.
        return pending().await;
    }
    let command = if line.command.is_empty() {
        line.said.command.clone().unwrap_or_default()
    } else {
        line.command.join(&b' ')
    };
    let purpose = if line.subsystem {
        Purpose::Subsystem(command)
    } else if command.is_empty() {
        Purpose::Shell
    } else {
        Purpose::Command(command)
    };
    let size = proc
        .window_size(STDIN)
        .map_or((80, 24), |size| (size.columns, size.rows));
    let wanted = Wanted {
        purpose,
        terminal: terminal.then(|| Terminal {
            name: proc.env().value(b"TERM").unwrap_or(b"dumb").to_vec(),
            size,
        }),
    };
    let opened = proc.interruptible(login.connection.session(wanted)).await;
    let Ok(Ok((sender, receiver))) = opened else {
        let (address, port) = (login.peer.ip(), login.peer.port());
        let text = format!("Connection closed by {address} port {port}\r\n");
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::Exited(super::FAILED);
    };
    let settings = terminal.then(|| proc.termios(STDIN).ok()).flatten();
    if let Some(mut raw) = settings.clone() {
        raw.input &= !(ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXANY);
        raw.input |= 0o4;
        raw.local &= !(ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHONL | IEXTEN);
        raw.output &= !OPOST;
        // A terminal that does not take it works by lines.
        let _lines = proc.set_termios(STDIN, raw, false);
        proc.set_disposition(Signal::WINCH, Disposition::Catch);
    }
    let status = carry(proc, line, sender, receiver, terminal).await;
    if let Some(settings) = settings {
        // As above.
        let _lines = proc.set_termios(STDIN, settings, false);
    }
    let shown = line.said.level.unwrap_or(Level::Info) >= Level::Info;
    match status {
        Some(status) => {
            if terminal && shown {
                let text = format!("Connection to {host} closed.\r\n");
                proc.print_error(text.as_bytes()).await;
            }
            ExitStatus::Exited(status)
        }
        None => {
            let text = format!("Connection to {host} closed by remote host.\r\n");
            proc.print_error(text.as_bytes()).await;
            ExitStatus::Exited(super::FAILED)
        }
    }
}

/// Moves bytes until the other side is done; its status, if it told one.
async fn carry(
    proc: &Process,
    line: &Line,
    mut sender: Box<dyn Sender>,
    mut receiver: Box<dyn Receiver>,
    terminal: bool,
) -> Option<u8> {
    let mut status = None;
    let output = async {
        while let Some(received) = receiver.next().await {
            match received {
                Received::Output(bytes) => put(proc, STDOUT, &bytes).await?,
                Received::Error(bytes) => put(proc, STDERR, &bytes).await?,
                Received::Status(code) => status = Some(u8::try_from(code & 0xff).unwrap_or(1)),
                Received::Signal(_) => status = Some(super::FAILED),
                Received::Refused if line.subsystem => {
                    let text = b"subsystem request failed on channel 0\r\n";
                    put(proc, STDERR, text).await?;
                    status = Some(super::FAILED);
                    break;
                }
                Received::Refused => {}
            }
        }
        Ok::<(), Errno>(())
    };
    let input = async {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut fresh = true;
        let mut open = !line.no_input;
        while open {
            match proc.read(STDIN, &mut chunk).await {
                Ok(0) => open = false,
                Ok(count) => {
                    let bytes = chunk.get(..count).unwrap_or_default();
                    // The escape that works by hand: `~.` at the start of a line.
                    if terminal && fresh && bytes.starts_with(b"~.") {
                        return;
                    }
                    fresh = bytes.last().is_some_and(|byte| b"\r\n".contains(byte))
                        || fresh && bytes == b"~";
                    open = sender.send(bytes).await.is_ok();
                }
                Err(Errno::Eintr) => {
                    while let Some(signal) = proc.take_signal() {
                        if signal == Signal::WINCH
                            && let Ok(size) = proc.window_size(STDIN)
                        {
                            sender.resize((size.columns, size.rows)).await;
                        }
                    }
                }
                Err(_) => open = false,
            }
        }
        sender.end().await;
        pending::<()>().await;
    };
    let escaped = {
        let (output, input) = (Box::pin(output), Box::pin(input));
        match select(output, input).await {
            Either::Left((_written, _)) => false,
            Either::Right(((), _)) => true,
        }
    };
    if escaped { Some(super::FAILED) } else { status }
}

async fn put(proc: &Process, fd: Fd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match proc.write(fd, bytes).await {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            // The window's new size; whoever reads the terminal looks at it.
            Err(Errno::Eintr) => {
                let _window = proc.take_signal();
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
