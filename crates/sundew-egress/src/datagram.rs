//! UDP under the policy: what TFTP and `/dev/udp` need, and no more.
//!
//! A socket talks with the one host it was made for, whose address was checked; datagrams from
//! elsewhere are not seen. Every datagram costs a credit that an answer gives back, so that a
//! conversation goes on for ever and a flood ends after a few packets. What is over the credit or too
//! long is lost in silence, as datagrams are.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sundew_kernel::Errno;
use sundew_kernel::network::{Datagrams, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

use crate::connect::{Counted, errno_of};
use crate::policy::canonical;

/// Longest datagram that is sent, in bytes: what fits one Ethernet frame.
pub const MAX_SENT_BYTES: usize = 1472;
/// Longest datagram that is received, in bytes; the rest of a longer one is cut, as recv(2) does.
pub const MAX_RECEIVED_BYTES: usize = 2048;

/// Datagrams a machine may still send; shared by all its sockets.
#[derive(Debug, Clone)]
pub(crate) struct Credit {
    left: Arc<AtomicUsize>,
    most: usize,
}

impl Credit {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            left: Arc::new(AtomicUsize::new(most)),
            most,
        }
    }

    /// Takes one, if there is one.
    fn take(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    /// An answer came.
    fn give_back(&self) {
        let more = |left: usize| (left < self.most).then_some(left + 1);
        // Full is full.
        let _full = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }
}

/// A socket for any port of one host.
pub(crate) struct Socket {
    socket: Counted,
    host: IpAddr,
    credit: Credit,
    longest_wait: Duration,
}

impl Socket {
    pub(crate) fn new(
        socket: Counted,
        host: IpAddr,
        credit: Credit,
        longest_wait: Duration,
    ) -> Self {
        Self {
            socket,
            host,
            credit,
            longest_wait,
        }
    }

    async fn next(&self) -> Result<(u16, Vec<u8>), Errno> {
        let Some((socket, _)) = &self.socket else {
            return std::future::pending().await;
        };
        let mut buffer = vec![0; MAX_RECEIVED_BYTES];
        loop {
            let received = socket.recv_from(&mut buffer).await;
            let (count, from) = received.map_err(|error| errno_of(&error))?;
            if canonical(from.ip()) == self.host {
                self.credit.give_back();
                buffer.truncate(count);
                return Ok((from.port(), buffer));
            }
        }
    }
}

impl Datagrams for Socket {
    fn send<'a>(&'a self, port: u16, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Errno>> {
        Box::pin(async move {
            let Some((socket, _)) = &self.socket else {
                return Ok(());
            };
            if bytes.len() > MAX_SENT_BYTES || !self.credit.take() {
                return Ok(());
            }
            let sent = socket
                .send_to(bytes, SocketAddr::new(self.host, port))
                .await;
            sent.map(drop).map_err(|error| errno_of(&error))
        })
    }

    fn receive(&self, patience: Duration) -> BoxFuture<'_, Result<(u16, Vec<u8>), Errno>> {
        Box::pin(async move {
            let late = Instant::now() + patience.min(self.longest_wait);
            let received = timeout_at(late, self.next()).await;
            received.map_err(|_| Errno::Etimedout)?
        })
    }
}

/// A connected socket as a stream.
pub(crate) struct Connected {
    socket: Counted,
    peer: SocketAddr,
    credit: Credit,
}

impl Connected {
    pub(crate) fn new(socket: Counted, peer: SocketAddr, credit: Credit) -> Self {
        Self {
            socket,
            peer,
            credit,
        }
    }
}

impl Stream for Connected {
    fn peer(&self) -> SocketAddr {
        self.peer
    }
}

impl AsyncRead for Connected {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some((socket, _)) = &self.socket else {
            return Poll::Pending;
        };
        loop {
            let before = buf.filled().len();
            ready!(socket.poll_recv(cx, buf))?;
            self.credit.give_back();
            // An empty datagram is no end of a stream.
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Connected {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some((socket, _)) = &self.socket else {
            return Poll::Ready(Ok(data.len()));
        };
        let piece = data.get(..MAX_SENT_BYTES).unwrap_or(data);
        if !self.credit.take() {
            return Poll::Ready(Ok(piece.len()));
        }
        let sent = socket.poll_send(cx, piece);
        if sent.is_pending() {
            self.credit.give_back();
        }
        sent
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Egress, Limits, Policy};
    use sundew_kernel::network::Network;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UdpSocket;

    fn egress(limits: Limits) -> crate::Guard {
        let policy = Policy {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            ..Policy::default()
        };
        Egress::new(policy, limits).for_attacker(Arc::new(|_| {}))
    }

    #[tokio::test]
    async fn datagrams_go_to_one_host_and_come_from_it_alone() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let other = UdpSocket::bind("127.0.0.2:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let socket = egress(Limits::default())
            .datagrams([127, 0, 0, 1].into())
            .await
            .unwrap();
        socket.send(port, b"hello").await.unwrap();
        let mut buffer = [0; 16];
        let (count, from) = server.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..count], b"hello");
        other.send_to(b"forged", from).await.unwrap();
        server.send_to(b"world", from).await.unwrap();
        let received = socket.receive(Duration::from_secs(20)).await.unwrap();
        assert_eq!(received, (port, b"world".to_vec()));
    }

    #[tokio::test]
    async fn a_flood_ends_and_a_conversation_goes_on() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let target = server.local_addr().unwrap();
        let limits = Limits {
            unanswered_datagrams: 2,
            ..Limits::default()
        };
        let guard = egress(limits);
        let mut stream = guard.connect_datagram(target).await.unwrap();
        for word in ["a", "b", "lost"] {
            stream.write_all(word.as_bytes()).await.unwrap();
        }
        let mut buffer = [0; 16];
        let (_, from) = server.recv_from(&mut buffer).await.unwrap();
        server.send_to(b"answer", from).await.unwrap();
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 6);
        stream.write_all(b"c").await.unwrap();
        for word in ["b", "c"] {
            let (count, _) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..count], word.as_bytes());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_host_takes_datagrams_and_never_answers() {
        let guard =
            Egress::new(Policy::default(), Limits::default()).for_attacker(Arc::new(|_| {}));
        let socket = guard.datagrams([10, 0, 0, 1].into()).await.unwrap();
        socket.send(69, b"hello").await.unwrap();
        let patience = Duration::from_secs(5);
        assert_eq!(socket.receive(patience).await, Err(Errno::Etimedout));
    }
}
