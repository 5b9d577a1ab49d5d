//! The port of passive mode, and whom it lets in.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::net::TcpListener;

use super::Socket;
use super::shared::{Seat, SharedPorts};
use crate::connection::canonical;

/// One connection is wanted; a few more so that a stranger cannot fill the queue alone.
const BACKLOG: i32 = 8;

/// Ports nobody has registered for anything. RFC 6335 §6.
const DYNAMIC_PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// Ports of those that are tried before the system is asked. Most of them taken means a busy server,
/// and then one guess in two still finds one.
const MAX_GUESSES: usize = 16;

/// Where the client is to dial for its data connection.
#[derive(Debug)]
pub(crate) enum Port {
    /// A port for it alone.
    Own(OwnPort),
    /// A turn on a port that others use too.
    Shared(Seat),
}

impl Port {
    /// A turn on a shared port for a client at this address.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if it waits on each of them already.
    pub(crate) fn share(
        shared: &SharedPorts,
        ports: &RangeInclusive<u16>,
        local: IpAddr,
        client: IpAddr,
    ) -> io::Result<Self> {
        shared.seat(ports, local, client).map(Self::Shared)
    }

    /// A port of its own.
    ///
    /// # Errors
    ///
    /// As [`OwnPort::open`].
    pub(crate) fn open(local: IpAddr, range: Option<&RangeInclusive<u16>>) -> io::Result<Self> {
        OwnPort::open(local, range).map(Self::Own)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Own(port) => port.address(),
            Self::Shared(seat) => seat.address(),
        }
    }

    /// The next connection if there is one.
    pub(crate) fn try_accept(&mut self) -> Result<(Socket, SocketAddr), Errno> {
        match self {
            Self::Own(port) => port.try_accept(),
            Self::Shared(seat) => seat.try_take(),
        }
    }

    /// Tells the runtime of the port, to wait for a client that has not dialled yet.
    pub(crate) fn watch(self) -> io::Result<Accepting> {
        match self {
            Self::Own(port) => port.watch().map(Accepting::Own),
            Self::Shared(seat) => Ok(Accepting::Shared(seat)),
        }
    }
}

/// A listening port for one data connection.
#[derive(Debug)]
pub(crate) struct OwnPort {
    socket: OwnedFd,
    address: SocketAddr,
}

impl OwnPort {
    /// Opens one on this address: any port of the range, or any at all.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if the range is used up; the system's.
    fn open(local: IpAddr, range: Option<&RangeInclusive<u16>>) -> io::Result<Self> {
        let Some(range) = range else {
            return Self::open_any(local);
        };
        // From a different port each time, so that the next one is not simply the last one plus one.
        let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
        let count = (last + 1).saturating_sub(first);
        let start = random_below(count);
        (0..count)
            .filter_map(|step| u16::try_from(first + (start + step) % count).ok())
            .find_map(|port| Self::bind(local, port, BACKLOG).ok())
            .ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    /// Opens one that nobody can guess.
    ///
    /// Left to itself the system avoids every port of a connection that was closed within the last
    /// minute, and searches longer the more there are: with thousands of small files, ten times as
    /// long as sending one of them takes. A port that is asked for by its number may be such a one.
    fn open_any(local: IpAddr) -> io::Result<Self> {
        let (first, count) = (*DYNAMIC_PORTS.start(), DYNAMIC_PORTS.len());
        let count = u32::try_from(count).unwrap_or(1);
        (0..MAX_GUESSES)
            .filter_map(|_| first.checked_add(u16::try_from(random_below(count)).ok()?))
            .find_map(|port| Self::bind(local, port, BACKLOG).ok())
            .map_or_else(|| Self::bind(local, 0, BACKLOG), Ok)
    }

    pub(super) fn bind(local: IpAddr, port: u16, backlog: i32) -> io::Result<Self> {
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
        listen(&socket, backlog)?;
        let address = match port {
            0 => SocketAddr::try_from(getsockname(&socket)?)?,
            port => SocketAddr::new(local, port),
        };
        Ok(Self { socket, address })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection if there is one.
    fn try_accept(&self) -> Result<(Socket, SocketAddr), Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (socket, from) = acceptfrom_with(&self.socket, flags)?;
        let from = from.and_then(|from| SocketAddr::try_from(from).ok());
        let from = from.ok_or(Errno::AFNOSUPPORT)?;
        Ok((Socket::new(socket), canonical(from)))
    }

    /// Tells the runtime of the port, to wait for a client that has not dialled yet.
    pub(super) fn watch(self) -> io::Result<TcpListener> {
        TcpListener::from_std(std::net::TcpListener::from(self.socket))
    }
}

/// A port the runtime knows of.
#[derive(Debug)]
pub(crate) enum Accepting {
    Own(TcpListener),
    Shared(Seat),
}

impl Accepting {
    /// Waits for the next connection. Cancel-safe.
    pub(crate) async fn next(&mut self) -> io::Result<(Socket, SocketAddr)> {
        match self {
            Self::Own(listener) => {
                let (stream, from) = listener.accept().await?;
                Ok((Socket::Watched(stream), canonical(from)))
            }
            Self::Shared(seat) => seat.take().await,
        }
    }
}

/// A number below `count` that a stranger cannot guess: the standard library's random hash keys.
fn random_below(count: u32) -> u32 {
    use std::hash::{BuildHasher, RandomState};

    let random = RandomState::new().hash_one(count) % u64::from(count.max(1));
    u32::try_from(random).unwrap_or(0)
}
