//! A data connection: a socket, or TLS over one.

use std::io;
use std::time::Duration;

use ftp_proto::server::TransferEnd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use tokio::io::Interest;
use tokio::time::timeout;

use super::Socket;
use crate::tls::stream::TlsStream;

/// How long another server may take to close a data connection on which it has everything.
const LINGER: Duration = Duration::from_secs(5);

/// A data connection that stands.
#[derive(Debug)]
pub(crate) enum DataStream {
    Clear(Socket),
    Secure(Box<TlsStream>),
}

impl DataStream {
    /// Writes everything; each step forward has the whole idle time.
    pub(crate) async fn write_all(&mut self, mut bytes: &[u8], idle: Duration) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = match self {
                Self::Clear(socket) => {
                    let send = socket.attempt(Interest::WRITABLE, |fd| {
                        rustix::net::send(fd, bytes, SendFlags::NOSIGNAL)
                    });
                    timeout(idle, send).await??
                }
                Self::Secure(stream) => {
                    let count = stream.put(bytes)?;
                    while timeout(idle, stream.send_some()).await?? {}
                    count
                }
            };
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Appends what there is, at most about `limit` bytes; 0 at the end. Cancel-safe.
    ///
    /// # Errors
    ///
    /// The socket's; [`io::ErrorKind::UnexpectedEof`] if TLS was cut short.
    pub(crate) async fn read(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        idle: Duration,
    ) -> io::Result<usize> {
        match self {
            Self::Clear(socket) => {
                let receive = socket.attempt(Interest::READABLE, |fd| {
                    out.reserve(limit);
                    let room = rustix::buffer::spare_capacity(out);
                    let received = rustix::net::recv(fd, room, RecvFlags::empty());
                    if received.is_err() && out.is_empty() {
                        // Who waits keeps no buffer.
                        *out = Vec::new();
                    }
                    received
                });
                let (count, _) = timeout(idle, receive).await??;
                Ok(count)
            }
            Self::Secure(stream) => timeout(idle, stream.read(out, limit)).await?,
        }
    }

    /// Says that everything was sent, which is how the client learns that it has everything.
    pub(crate) async fn finish(mut self, idle: Duration) -> TransferEnd {
        let result = match &mut self {
            Self::Clear(socket) => socket
                .fd()
                .and_then(|fd| half_close(fd).map_err(Into::into)),
            Self::Secure(stream) => match timeout(idle, end(stream)).await {
                Ok(ended) => ended,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            },
        };
        match result {
            Ok(()) => TransferEnd::Complete,
            Err(error) => {
                tracing::debug!(%error, "data connection not closed");
                TransferEnd::Cut
            }
        }
    }
}

/// Ends TLS on both sides, as far as the client still is there.
async fn end(stream: &mut TlsStream) -> io::Result<()> {
    let closed = match stream.close().await {
        Ok(()) => half_close(stream.tcp()).map_err(Into::into),
        Err(error) => Err(error),
    };
    match closed {
        Ok(()) => {
            if stream.is_client() {
                // A server sends tickets when it likes. Closed before they came, the socket would be
                // reset, and the server would lose the end of the file.
                let drained = timeout(LINGER, stream.drain()).await;
                tracing::trace!(is_closed = drained.is_ok(), "other server");
            } else {
                stream.discard();
            }
            Ok(())
        }
        // curl knows from the 150 how long a file is and closes without waiting for our close_notify,
        // but not without its own.
        Err(_) if stream.has_ended().await => Ok(()),
        Err(error) => Err(error),
    }
}

fn half_close(socket: impl std::os::fd::AsFd) -> Result<(), Errno> {
    rustix::net::shutdown(socket, Shutdown::Write)
}
