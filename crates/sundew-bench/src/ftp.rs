//! What attackers download from: FTP servers that are slow, silent, unreachable or rude.
//!
//! An address that drops packets is made without touching the firewall: a listener whose queue of
//! connections nobody accepted is full. Linux then ignores further SYNs, so that a client sees what
//! it would see behind a filter: nothing.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// How a download behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Sends the whole body, [`BYTES_PER_SECOND`].
    Slow,
    /// Sends most of the body as slowly, then resets both connections.
    Resetting,
    /// Accepts the connection and never says anything.
    Silent,
    /// Never answers the SYN.
    Dropping,
}

/// Rate of a slow body.
pub(crate) const BYTES_PER_SECOND: usize = 1024;

/// Steps in which a body is sent, per second.
const STEPS_PER_SECOND: usize = 4;

/// One file that will be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Download {
    pub(crate) number: usize,
    pub(crate) manner: Manner,
    /// Body in bytes.
    pub(crate) length: usize,
}

impl Download {
    /// Name of the file on the server.
    pub(crate) fn name(&self) -> String {
        format!("f{}", self.number)
    }

    /// The whole body: no two downloads, of this run or another, begin with the same bytes.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body =
            format!("sundew-bench {} {}\n", std::process::id(), self.number).into_bytes();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::try_from(self.number).unwrap_or_default();
        while body.len() < self.length {
            // xorshift64
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            body.extend_from_slice(&state.to_le_bytes());
        }
        body.truncate(self.length);
        body
    }

    /// How much of the body the server will send.
    pub(crate) fn sent(&self) -> usize {
        match self.manner {
            Manner::Slow => self.length,
            // Early enough that all of them are cut while the measurement runs.
            Manner::Resetting => self.length / 4,
            Manner::Silent | Manner::Dropping => 0,
        }
    }
}

/// The running servers; they end with the runtime.
#[derive(Debug)]
pub(crate) struct Servers {
    serving: SocketAddr,
    silent: SocketAddr,
    dropping: SocketAddr,
    /// Held, never accepted from: together they fill the queue.
    _full: (TcpListener, Vec<TcpStream>),
    progress: Arc<Progress>,
}

/// What the servers have seen.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Bodies whose first byte was sent.
    pub(crate) begun: AtomicUsize,
    /// Bodies sent as far as they should be.
    pub(crate) done: AtomicUsize,
    /// Bodies the client did not want to the end.
    pub(crate) refused: AtomicUsize,
}

impl Servers {
    /// Starts all of them on loopback ports of the system's choice.
    pub(crate) async fn start(downloads: Arc<[Download]>) -> Result<Self> {
        let progress = Arc::new(Progress::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let serving = listener.local_addr()?;
        let shared = Arc::clone(&progress);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let session = serve(stream, Arc::clone(&downloads), Arc::clone(&shared));
                tokio::spawn(async move {
                    // A client that hangs up is not our failure.
                    session.await.unwrap_or_default();
                });
            }
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let silent = listener.local_addr()?;
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        let (dropping, full) = dropping_address().await?;
        Ok(Self {
            serving,
            silent,
            dropping,
            _full: full,
            progress,
        })
    }

    /// Where a download of this manner connects to.
    pub(crate) fn address(&self, manner: Manner) -> SocketAddr {
        match manner {
            Manner::Slow | Manner::Resetting => self.serving,
            Manner::Silent => self.silent,
            Manner::Dropping => self.dropping,
        }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// Makes an address whose SYNs stay unanswered, and makes sure of it.
async fn dropping_address() -> Result<(SocketAddr, (TcpListener, Vec<TcpStream>))> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let listener = socket.listen(1)?;
    let address = listener.local_addr()?;
    let mut held = Vec::new();
    for _ in 0..MAX_QUEUE {
        match timeout(UNANSWERED, TcpStream::connect(address)).await {
            Ok(stream) => held.push(stream?),
            Err(_) => return Ok((address, (listener, held))),
        }
    }
    bail!(
        "a full queue of connections still answers: is net.ipv4.tcp_abort_on_overflow or SYN cookies on?"
    )
}

/// Connections tried before a queue of length one counts as endless.
const MAX_QUEUE: usize = 64;

/// How long a SYN on loopback may stay unanswered before it counts as dropped.
const UNANSWERED: Duration = Duration::from_millis(400);

/// One control connection of the slow and the rude server.
async fn serve(
    stream: TcpStream,
    downloads: Arc<[Download]>,
    progress: Arc<Progress>,
) -> io::Result<()> {
    let ip = stream.local_addr()?.ip();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut passive = None;
    let find = |name: &str| {
        downloads
            .iter()
            .find(|download| download.name() == name.trim_start_matches('/'))
    };
    write.write_all(b"220 ready\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let reply = match verb.to_ascii_uppercase().as_str() {
            "USER" => "331 password".to_owned(),
            "PASS" => "230 in".to_owned(),
            "TYPE" | "CWD" | "NOOP" | "OPTS" => "200 fine".to_owned(),
            "PWD" => "257 \"/\"".to_owned(),
            "SIZE" => find(argument).map_or_else(
                || "550 no".to_owned(),
                |file| format!("213 {}", file.length),
            ),
            "EPSV" | "PASV" => {
                let listener = TcpListener::bind((ip, 0)).await?;
                let port = listener.local_addr()?.port();
                passive = Some(listener);
                if verb.eq_ignore_ascii_case("EPSV") {
                    format!("229 Entering (|||{port}|)")
                } else {
                    let host = ip.to_string().replace('.', ",");
                    format!("227 Entering ({host},{},{})", port >> 8, port & 255)
                }
            }
            "RETR" => match (passive.take(), find(argument)) {
                (Some(listener), Some(file)) => {
                    write.write_all(b"150 here\r\n").await?;
                    let sent = send_body(&listener, file, &progress).await;
                    let counter = if sent.is_ok() {
                        &progress.done
                    } else {
                        &progress.refused
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                    sent?;
                    if file.manner == Manner::Resetting {
                        let stream = lines.into_inner().into_inner().reunite(write);
                        return stream.map_err(io::Error::other)?.set_zero_linger();
                    }
                    "226 done".to_owned()
                }
                _ => "550 no".to_owned(),
            },
            "QUIT" => return write.write_all(b"221 bye\r\n").await,
            _ => "502 no".to_owned(),
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn send_body(listener: &TcpListener, file: &Download, progress: &Progress) -> io::Result<()> {
    let (mut data, _) = timeout(Duration::from_secs(30), listener.accept()).await??;
    let body = file.body();
    let body = body.get(..file.sent()).unwrap_or(&body);
    progress.begun.fetch_add(1, Ordering::Relaxed);
    for chunk in body.chunks(BYTES_PER_SECOND / STEPS_PER_SECOND) {
        data.write_all(chunk).await?;
        sleep(Duration::from_secs(1) / u32::try_from(STEPS_PER_SECOND).unwrap_or(1)).await;
    }
    match file.manner {
        Manner::Resetting => data.set_zero_linger(),
        _ => data.shutdown().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn download(number: usize, manner: Manner, length: usize) -> Download {
        Download {
            number,
            manner,
            length,
        }
    }

    #[test]
    fn bodies_differ_from_their_first_line_on() {
        let bodies = [1, 2].map(|number| download(number, Manner::Slow, 300).body());
        assert_eq!(bodies[0].len(), 300);
        assert_ne!(bodies[0][..24], bodies[1][..24]);
        assert_eq!(bodies[0], download(1, Manner::Slow, 300).body());
    }

    #[tokio::test]
    async fn an_address_that_drops_answers_nobody() {
        let (address, _full) = dropping_address().await.unwrap();
        let attempt = timeout(UNANSWERED, TcpStream::connect(address)).await;
        assert!(attempt.is_err());
    }

    #[tokio::test]
    async fn a_body_is_served_to_the_byte() {
        let file = download(7, Manner::Slow, 200);
        let servers = Servers::start(Arc::from([file.clone()])).await.unwrap();
        let control = TcpStream::connect(servers.address(Manner::Slow))
            .await
            .unwrap();
        let (read, mut write) = control.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut replies = Vec::new();
        for command in ["", "USER a", "PASS b", "TYPE I", "EPSV"] {
            if !command.is_empty() {
                write
                    .write_all(format!("{command}\r\n").as_bytes())
                    .await
                    .unwrap();
            }
            replies.push(lines.next_line().await.unwrap().unwrap());
        }
        let port: u16 = replies[4].split('|').nth(3).unwrap().parse().unwrap();
        let mut data = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        write.write_all(b"RETR f7\r\n").await.unwrap();
        let mut body = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut data, &mut body)
            .await
            .unwrap();
        assert_eq!(body, file.body());
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "150 here");
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "226 done");
        assert_eq!(servers.progress().done.load(Ordering::Relaxed), 1);
    }
}
