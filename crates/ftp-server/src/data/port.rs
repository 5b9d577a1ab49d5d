//! The port of passive mode, and whom it lets in.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::net::TcpListener;

use super::Socket;
use crate::connection::canonical;

/// One connection is wanted; a few more so that a stranger cannot fill the queue alone.
const BACKLOG: i32 = 8;

/// A listening port for one data connection.
#[derive(Debug)]
pub(crate) struct Port {
    socket: OwnedFd,
    address: SocketAddr,
}

impl Port {
    /// Opens one on this address: any port of the range, or one of the system's choice.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if the range is used up; the system's.
    pub(crate) fn open(local: IpAddr, range: Option<&RangeInclusive<u16>>) -> io::Result<Self> {
        let Some(range) = range else {
            return Self::bind(local, 0);
        };
        // From a different port each time, so that the next one is not simply the last one plus one.
        let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
        let count = (last + 1).saturating_sub(first);
        let start = random_below(count);
        (0..count)
            .filter_map(|step| u16::try_from(first + (start + step) % count).ok())
            .find_map(|port| Self::bind(local, port).ok())
            .ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    fn bind(local: IpAddr, port: u16) -> io::Result<Self> {
        use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket_with};

        let family = match local {
            IpAddr::V4(_) => AddressFamily::INET,
            IpAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::STREAM, flags, None)?;
        if port != 0 {
            // The last connection of this port may still be in TIME-WAIT.
            rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
        }
        bind(&socket, &SocketAddr::new(local, port))?;
        listen(&socket, BACKLOG)?;
        let address = getsockname(&socket)?;
        let address = SocketAddr::try_from(address)?;
        Ok(Self { socket, address })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection if there is one.
    pub(crate) fn try_accept(&self) -> Result<(Socket, SocketAddr), Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (socket, from) = acceptfrom_with(&self.socket, flags)?;
        let from = from.and_then(|from| SocketAddr::try_from(from).ok());
        let from = from.ok_or(Errno::AFNOSUPPORT)?;
        Ok((Socket::new(socket), canonical(from)))
    }

    /// Tells the runtime of the port, to wait for a client that has not dialled yet.
    pub(crate) fn watch(self) -> io::Result<Accepting> {
        let listener = std::net::TcpListener::from(self.socket);
        Ok(Accepting(TcpListener::from_std(listener)?))
    }
}

/// A port the runtime knows of.
#[derive(Debug)]
pub(crate) struct Accepting(TcpListener);

impl Accepting {
    /// Waits for the next connection. Cancel-safe.
    pub(crate) async fn next(&self) -> io::Result<(Socket, SocketAddr)> {
        let (stream, from) = self.0.accept().await?;
        Ok((Socket::Watched(stream), canonical(from)))
    }
}

/// A number below `count` that a stranger cannot guess: the standard library's random hash keys.
fn random_below(count: u32) -> u32 {
    use std::hash::{BuildHasher, RandomState};

    let random = RandomState::new().hash_one(count) % u64::from(count.max(1));
    u32::try_from(random).unwrap_or(0)
}
