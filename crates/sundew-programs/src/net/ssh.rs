//! `ssh` and `scp` of OpenSSH 9.2: as far as the first words of the other side.
//!
//! Where somebody wants to go from here is worth knowing; going there is not what this machine is for.
//! A server that answers is left as one that closes the connection leaves a client.

use std::net::SocketAddr;

use sundew_kernel::network::ResolveError;
use sundew_kernel::{ExitStatus, Process, STDIN};
use tokio::io::AsyncReadExt;

use self::remote::Wanted;

mod remote;

/// Where a client gives up.
const FAILED: u8 = 255;
const SSH_USAGE: &str = include_str!("ssh/usage.txt");
const SCP_USAGE: &str = include_str!("ssh/scp-usage.txt");
const VERSION: &str = "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.20 7 Apr 2026\n";
/// Letters of ssh that take an argument.
const SSH_ARGUMENTS: &[u8] = b"BbcDEeFIiJLlmOopQRSWw";
/// Letters of scp that take an argument.
const SCP_ARGUMENTS: &[u8] = b"cDFiJloPSX";
/// The longest first line we read of a server, in bytes; RFC 4253 §4.2 allows 255.
const MAX_BANNER_BYTES: usize = 256;

struct Line {
    port: u16,
    quiet: bool,
    terminal: bool,
    version: bool,
    /// Letters that stand for themselves.
    letters: Vec<u8>,
    operands: Vec<Vec<u8>>,
}

/// Takes a command line apart; the complaint if it cannot be.
fn read(
    args: &[Vec<u8>],
    arguments: &[u8],
    port_letter: u8,
    first_ends: bool,
) -> Result<Line, String> {
    let mut line = Line {
        port: 22,
        quiet: false,
        terminal: false,
        version: false,
        letters: Vec::new(),
        operands: Vec::new(),
    };
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let Some(letters) = word
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            line.operands.push(word.clone());
            continue;
        };
        // Options may follow the destination, but not the command.
        if first_ends && line.operands.len() > 1 {
            line.operands.push(word.clone());
            continue;
        }
        for (at, &letter) in letters.iter().enumerate() {
            if arguments.contains(&letter) || letter == port_letter {
                let rest = letters.get(at + 1..).unwrap_or_default();
                let value = if rest.is_empty() {
                    words.next().map(Vec::as_slice)
                } else {
                    Some(rest)
                };
                let Some(value) = value else {
                    return Err(format!(
                        "option requires an argument -- {}\n",
                        char::from(letter)
                    ));
                };
                if letter == port_letter {
                    let text = String::from_utf8_lossy(value).into_owned();
                    line.port = text
                        .parse()
                        .ok()
                        .filter(|port| *port != 0)
                        .ok_or_else(|| format!("Bad port '{text}'\r\n"))?;
                }
                break;
            }
            line.letters.push(letter);
            match letter {
                b'q' => line.quiet = true,
                b't' => line.terminal = true,
                b'V' => line.version = true,
                b'4' | b'6' | b'A' | b'a' | b'C' | b'f' | b'G' | b'g' | b'K' | b'k' | b'M'
                | b'N' | b'n' | b's' | b'T' | b'v' | b'X' | b'x' | b'Y' | b'y' | b'1' | b'2'
                | b'r' | b'B' | b'3' | b'R' | b'O' => {}
                // scp alone has these, and `t` and `f` of the far side.
                b'd' | b'p' if port_letter == b'P' => {}
                other => return Err(format!("unknown option -- {}\n", char::from(other))),
            }
        }
    }
    Ok(line)
}

pub(super) async fn ssh(proc: &mut Process) -> ExitStatus {
    let line = match read(proc.args(), SSH_ARGUMENTS, b'p', true) {
        Ok(line) => line,
        Err(text) => {
            let usage = if text.starts_with("Bad") {
                ""
            } else {
                SSH_USAGE
            };
            proc.print_error([text.as_str(), usage].concat().as_bytes())
                .await;
            return ExitStatus::Exited(FAILED);
        }
    };
    if line.version {
        proc.print_error(VERSION.as_bytes()).await;
        return ExitStatus::SUCCESS;
    }
    let Some(destination) = line.operands.first() else {
        proc.print_error(SSH_USAGE.as_bytes()).await;
        return ExitStatus::Exited(FAILED);
    };
    if line.operands.len() == 1 && !line.quiet && !proc.is_terminal(STDIN) {
        proc.print_error(
            b"Pseudo-terminal will not be allocated because stdin is not a terminal.\r\n",
        )
        .await;
    }
    let host = destination
        .rsplit(|&byte| byte == b'@')
        .next()
        .unwrap_or(destination)
        .to_vec();
    connect(proc, &host, line.port).await;
    ExitStatus::Exited(FAILED)
}

pub(super) async fn scp(proc: &mut Process) -> ExitStatus {
    let line = match read(proc.args(), SCP_ARGUMENTS, b'P', false) {
        Ok(line) => line,
        Err(text) => {
            proc.print_error([text.as_str(), SCP_USAGE].concat().as_bytes())
                .await;
            return ExitStatus::FAILURE;
        }
    };
    let has = |letter| line.letters.contains(&letter);
    let wanted = Wanted {
        recursive: has(b'r'),
        times: has(b'p'),
        directory: has(b'd'),
    };
    if has(b't') && line.operands.len() == 1 {
        let target = line.operands.first().cloned().unwrap_or_default();
        return remote::sink(proc, &target, wanted).await;
    }
    if has(b'f') && !line.operands.is_empty() {
        return remote::source(proc, &line.operands, wanted).await;
    }
    if line.operands.len() < 2 {
        proc.print_error(SCP_USAGE.as_bytes()).await;
        return ExitStatus::FAILURE;
    }
    let remote = line.operands.iter().find_map(|operand| {
        let at = operand.iter().position(|&byte| byte == b':')?;
        let host = operand
            .get(..at)
            .filter(|host| !host.is_empty() && !host.contains(&b'/'))?;
        Some(
            host.rsplit(|&byte| byte == b'@')
                .next()
                .unwrap_or(host)
                .to_vec(),
        )
    });
    let Some(host) = remote else {
        // Between two places of this machine it is cp(1).
        let mut args = vec![b"cp".to_vec()];
        args.extend(line.operands);
        let env = proc.env().clone();
        let errno = proc.exec(b"/bin/cp", args, env).await;
        proc.complain(b"cp", errno).await;
        return proc.status();
    };
    connect(proc, &host, line.port).await;
    proc.print_error(b"scp: Connection closed\r\n").await;
    ExitStatus::Exited(FAILED)
}

/// Goes as far as the server's first line.
async fn connect(proc: &mut Process, host: &[u8], port: u16) {
    let shown = String::from_utf8_lossy(host).into_owned();
    let network = proc.network();
    let Ok(found) = proc.interruptible(network.resolve(host)).await else {
        return;
    };
    let addresses = match found {
        Ok(addresses) => addresses,
        Err(error) => {
            let reason = match error {
                ResolveError::NotFound => "Name or service not known",
                ResolveError::TimedOut => "Temporary failure in name resolution",
            };
            let text = format!("ssh: Could not resolve hostname {shown}: {reason}\r\n");
            return proc.print_error(text.as_bytes()).await;
        }
    };
    for address in addresses {
        let target = SocketAddr::new(address, port);
        let text = match proc.interruptible(network.connect(target)).await {
            Err(_) => return,
            Ok(Err(errno)) => format!(
                "ssh: connect to host {shown} port {port}: {}\r\n",
                errno.message()
            ),
            Ok(Ok(mut stream)) => {
                let mut banner = vec![0; MAX_BANNER_BYTES];
                let read = proc.interruptible(stream.read(&mut banner)).await;
                let reset = format!("read: {}", sundew_kernel::Errno::Econnreset.message());
                let said = matches!(read, Ok(Ok(count)) if count > 0);
                let how = if said {
                    "Connection closed by remote host"
                } else {
                    &reset
                };
                format!(
                    "kex_exchange_identification: {how}\r\nConnection closed by {address} port {port}\r\n"
                )
            }
        };
        proc.print_error(text.as_bytes()).await;
        if text.starts_with("kex") {
            return;
        }
    }
}
