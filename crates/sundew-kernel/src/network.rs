//! The machine's way out, handed in: names, connections, and transfers that outlive their process.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sundew_vfs::Errno;
use tokio::io::{AsyncRead, AsyncWrite};

/// Why a name has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolveError {
    /// The name does not exist.
    NotFound,
    /// No server answered in time.
    TimedOut,
}

/// What the machine can ask of the network. In production `sundew-egress`, which checks every
/// address; in tests whatever the test wants.
pub trait Network: Send + Sync + 'static {
    /// The addresses of `host`, a name or an address literal; bounded in number and time.
    fn resolve(&self, host: &[u8]) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>>;

    /// A TCP connection to `target`; bounded in time.
    ///
    /// # Errors
    ///
    /// What connect(2) would answer. A target that policy refuses looks like an unreachable host.
    fn connect(&self, target: SocketAddr) -> BoxFuture<'static, Result<Box<dyn Stream>, Errno>>;

    /// Runs `transfer` to its end whatever becomes of the process that asked for it, so that a
    /// sample is kept whole when the attacker leaves. The implementation bounds the number of such
    /// transfers and their time, and drops a transfer that exceeds it.
    ///
    /// # Errors
    ///
    /// [`Errno::Eagain`] when too many run already.
    fn run_transfer(&self, transfer: BoxFuture<'static, ()>) -> Result<(), Errno>;

    /// A UDP socket for datagrams to and from any port of one host, as TFTP needs it.
    ///
    /// # Errors
    ///
    /// What sendto(2) would answer. A target that policy refuses takes datagrams and never answers.
    fn datagrams(&self, _host: IpAddr) -> BoxFuture<'static, Result<Box<dyn Datagrams>, Errno>> {
        Box::pin(std::future::ready(Err(Errno::Enetunreach)))
    }

    /// A connected UDP socket: each write is a datagram, each read brings one.
    ///
    /// # Errors
    ///
    /// As [`Network::datagrams`].
    fn connect_datagram(
        &self,
        _target: SocketAddr,
    ) -> BoxFuture<'static, Result<Box<dyn Stream>, Errno>> {
        Box::pin(std::future::ready(Err(Errno::Enetunreach)))
    }
}

/// A UDP socket that talks with one host. Datagrams may get lost at any time, those over the
/// limits of the way out among them.
pub trait Datagrams: Send + Sync + 'static {
    /// Sends one to this port.
    ///
    /// # Errors
    ///
    /// What sendto(2) answers.
    fn send<'a>(&'a self, port: u16, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Errno>>;

    /// The next one and the port it came from.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`Errno::Etimedout`] when none came for so long; else what recvfrom(2) answers.
    fn receive(&self, patience: Duration) -> BoxFuture<'_, Result<(u16, Vec<u8>), Errno>>;
}

/// An open TCP connection, or a connected UDP socket.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static {
    /// The other side's address.
    fn peer(&self) -> SocketAddr;
}

pub use crate::own_host::numeric;

/// A network on which no name resolves and no address answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNetwork;

impl Network for NoNetwork {
    fn resolve(&self, host: &[u8]) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let literal = std::str::from_utf8(host)
            .ok()
            .and_then(|text| text.parse().ok());
        let answer = match literal {
            Some(address) => Ok(vec![address]),
            None if host == b"localhost" => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
            None => Err(ResolveError::NotFound),
        };
        Box::pin(std::future::ready(answer))
    }

    fn connect(&self, target: SocketAddr) -> BoxFuture<'static, Result<Box<dyn Stream>, Errno>> {
        let errno = if target.ip().is_loopback() {
            Errno::Econnrefused
        } else {
            Errno::Enetunreach
        };
        Box::pin(std::future::ready(Err(errno)))
    }

    fn run_transfer(&self, _transfer: BoxFuture<'static, ()>) -> Result<(), Errno> {
        Err(Errno::Eagain)
    }
}
