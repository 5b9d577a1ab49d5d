//! `telnet` and `nc`: a connection between the terminal and somebody else.

use std::net::SocketAddr;

use sundew_kernel::{Errno, ExitStatus, Process};

use super::borrowed::text_of;
use super::{complain, usage};
use crate::net::pipe;

/// telnet's port.
const TELNET: u16 = 23;

/// `telnet`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let operands: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    let Some(host) = operands.first().cloned() else {
        return usage::refuse(proc, b"telnet").await;
    };
    let port = match operands.get(1) {
        Some(word) => match port_of(proc, word).await {
            Some(port) => port,
            None => {
                return complain(
                    proc,
                    "telnet",
                    [b"bad port '".as_slice(), word, b"'"].concat(),
                )
                .await;
            }
        },
        None => TELNET,
    };
    match reach(proc, "telnet", &host, port).await {
        Ok(stream) => {
            let line = [b"Connected to ".as_slice(), &host, b"\n"].concat();
            let _closed = proc.print(&line).await;
            let _closed = proc.flush().await;
            pipe::run(proc, stream, pipe::AtEnd::Close).await;
            proc.status()
        }
        Err(status) => status,
    }
}

/// `nc`.
pub(super) async fn nc(proc: &mut Process) -> ExitStatus {
    let mut operands = Vec::new();
    let mut words = proc.args().iter().skip(1).cloned();
    let mut program = None;
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"-l" | b"-ll" | b"-lk" | b"-k" => {}
            b"-p" | b"-w" | b"-i" | b"-f" => drop(words.next()),
            b"-e" => program = words.next(),
            option if option.len() > 1 && option.starts_with(b"-") => {}
            _ => operands.push(word),
        }
    }
    let (Some(host), Some(port)) = (operands.first().cloned(), operands.get(1).cloned()) else {
        return usage::refuse(proc, b"nc").await;
    };
    let Some(port) = port_of(proc, &port).await else {
        return complain(proc, "nc", [b"bad port '".as_slice(), &port, b"'"].concat()).await;
    };
    match reach(proc, "nc", &host, port).await {
        Ok(stream) if program.is_some() => {
            pipe::run_program(proc, stream, program.into_iter().collect()).await
        }
        Ok(stream) => {
            pipe::run(proc, stream, pipe::AtEnd::KeepReading).await;
            proc.status()
        }
        Err(status) => status,
    }
}

async fn port_of(proc: &Process, word: &[u8]) -> Option<u16> {
    if let Some(port) = std::str::from_utf8(word)
        .ok()
        .and_then(|text| text.parse().ok())
    {
        return Some(port);
    }
    let services = text_of(proc, b"/etc/services").await;
    ftp_client::busybox::service_port(&services, word)
}

/// A connection, or the complaint in BusyBox's words.
async fn reach(
    proc: &mut Process,
    name: &str,
    host: &[u8],
    port: u16,
) -> Result<Box<dyn sundew_kernel::network::Stream>, ExitStatus> {
    let network = proc.network();
    let found = network
        .resolve(host)
        .await
        .ok()
        .and_then(|addresses| addresses.first().copied());
    let Some(ip) = found else {
        let text = [b"bad address '".as_slice(), host, b"'"].concat();
        return Err(complain(proc, name, text).await);
    };
    let connected = proc
        .interruptible(network.connect(SocketAddr::new(ip, port)))
        .await;
    match connected.unwrap_or(Err(Errno::Eintr)) {
        Ok(stream) => Ok(stream),
        Err(errno) => {
            let text = format!("can't connect to remote host ({ip}): {}", errno.message());
            Err(complain(proc, name, text).await)
        }
    }
}
