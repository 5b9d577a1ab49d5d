//! One control connection: lines in, replies out, and what is known about the client.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ftp_proto::{Reply, line};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::handler::Request;
use crate::limits::Limits;

/// Bytes taken from the socket at a time; lines are joined in the decoder, which has its own limit.
const READ_BUFFER_BYTES: usize = 1024;

/// Answers to Telnet options that may be waiting to be sent, in bytes. Past it further proposals are
/// ignored, which RFC 1123 §4.1.2.12 allows as well as refusing.
const MAX_REFUSAL_BYTES: usize = 300;

/// After our last reply we wait this long for the client to close, throwing away what it sends: a
/// socket closed with unread bytes resets the connection, and the reply may be lost with it.
const LINGER: Duration = Duration::from_secs(1);

/// Most bytes thrown away at the end.
const MAX_LINGER_BYTES: usize = 65_536;

/// What is known about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Number of the connection, unique while the server runs.
    pub id: u64,
    /// The client's address; IPv4 even if it came through an IPv6 socket.
    pub address: SocketAddr,
    /// Our address that the client dialled, in the same family.
    pub local: SocketAddr,
    /// When it came.
    pub since: Instant,
}

/// A control connection, as handlers see it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    peer: Peer,
    limits: Limits,
    stop: CancellationToken,
    decoder: line::Decoder,
    /// Bytes read and not yet decoded.
    input: Vec<u8>,
    /// Bytes that are to be sent; kept here so that a cancelled write loses nothing.
    output: Vec<u8>,
    deadline: Deadline,
}

/// When a client that says nothing is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// [`Limits::idle`] after the last answer.
    Idle,
    /// At this moment.
    At(Instant),
    /// Not at all.
    Never,
}

impl Connection {
    pub(crate) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        id: u64,
        limits: Limits,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let local = stream.local_addr()?;
        stream.set_nodelay(true)?;
        rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
        // Clients send the interrupt before ABOR as urgent data (RFC 959 §4.1.3); read it in place.
        rustix::net::sockopt::set_socket_oobinline(&stream, true)?;
        let now = Instant::now();
        Ok(Self {
            stream,
            peer: Peer {
                id,
                address: canonical(peer),
                local: canonical(local),
                since: now,
            },
            decoder: line::Decoder::new(limits.line_bytes),
            deadline: Deadline::Idle,
            limits,
            stop,
            input: Vec::new(),
            output: Vec::new(),
        })
    }

    /// Who it is.
    #[must_use]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Whether the server is stopping; long work should come to an end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// When the client counts as silent, until its next request; then it is [`Deadline::Idle`] again.
    pub const fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// The limits the server was given.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sends one reply.
    ///
    /// Dropping the future may leave part of it unsent; the rest goes out with the next reply.
    ///
    /// # Errors
    ///
    /// The socket's; [`io::ErrorKind::TimedOut`] if the client does not read for [`Limits::write`].
    pub async fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        tracing::debug!(id = self.peer.id, %reply, "reply");
        reply.encode(&mut self.output);
        self.flush().await
    }

    /// Reads the next line; `None` if the client has closed.
    ///
    /// Cancel-safe: what was read is kept for the next call.
    ///
    /// # Errors
    ///
    /// The socket's.
    pub async fn next_request(&mut self) -> io::Result<Option<Request>> {
        loop {
            if let Some(request) = self.decode() {
                let id = self.peer.id;
                match &request.command {
                    Ok(_) => tracing::info!(id, %request, "request"),
                    Err(error) => tracing::warn!(id, %request, %error, "request not understood"),
                }
                return Ok(Some(request));
            }
            self.flush().await?;
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Completes when the client has been silent for too long, counted from this call.
    pub(crate) fn silence(&self) -> impl Future<Output = ()> + Send + use<> {
        let moment = match self.deadline {
            Deadline::Idle => Instant::now().checked_add(self.limits.idle),
            Deadline::At(moment) => Some(moment),
            Deadline::Never => None,
        };
        async move {
            match moment {
                Some(moment) => sleep_until(moment.into()).await,
                None => std::future::pending().await,
            }
        }
    }

    pub(crate) fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Closes after everything sent has a chance to arrive.
    pub(crate) async fn close(&mut self) {
        let ended = async {
            self.flush().await?;
            self.stream.shutdown().await?;
            let mut left = MAX_LINGER_BYTES;
            while left > 0 {
                self.input.clear();
                match self.fill().await? {
                    0 => break,
                    count => left = left.saturating_sub(count),
                }
            }
            io::Result::Ok(())
        };
        // Nobody is left to be told how the goodbye went.
        if let Ok(Err(error)) = timeout(LINGER, ended).await {
            tracing::trace!(id = self.peer.id, %error, "close");
        }
    }

    /// Reads some bytes; 0 at the end. Cancel-safe.
    async fn fill(&mut self) -> io::Result<usize> {
        self.input.reserve(READ_BUFFER_BYTES);
        loop {
            // Not `AsyncRead`: it takes a short read for an empty socket, but a read also stops
            // short of urgent data. The line end of an ABOR sent as such (Python's ftplib does)
            // would stay unread until the client says something else.
            self.stream.readable().await?;
            match self.stream.try_read_buf(&mut self.input) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }

    fn decode(&mut self) -> Option<Request> {
        let mut input = self.input.as_slice();
        let mut request = None;
        while let Some(event) = self.decoder.decode(&mut input) {
            match event {
                line::Event::Line(line) => request = Some(Request::new(line)),
                line::Event::TooLong => request = Some(Request::too_long()),
                line::Event::Refuse(answer) => {
                    if self.output.len() < MAX_REFUSAL_BYTES {
                        self.output.extend(answer);
                    }
                    continue;
                }
            }
            break;
        }
        let used = self.input.len() - input.len();
        self.input.drain(..used);
        request
    }

    async fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            let write = self.stream.write(&self.output);
            let count = timeout(self.limits.write, write)
                .await
                .map_err(|_| io::ErrorKind::TimedOut)??;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.output.drain(..count);
        }
        Ok(())
    }
}

pub(crate) const fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
