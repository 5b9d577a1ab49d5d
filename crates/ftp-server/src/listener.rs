//! Where clients knock: one port on IPv4 and IPv6 at once, or the addresses the operator names.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A socket, and what is spoken on it first.
#[derive(Debug)]
struct Door {
    socket: TcpListener,
    /// TLS begins at once, without AUTH: the habit of port 990.
    is_implicit_tls: bool,
}

/// A connection that was just accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) is_implicit_tls: bool,
}

/// Connections the system keeps for us before we take them.
const BACKLOG: u32 = 1024;

/// One or more listening sockets.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<Door>,
    /// The socket that is asked first, in turn, so that a busy one does not starve the others.
    turn: usize,
}

impl Listener {
    /// Listens on one port of all addresses, IPv4 and IPv6 at once; port 0 lets the system choose.
    ///
    /// On a machine without IPv6 it listens on IPv4 alone.
    ///
    /// # Errors
    ///
    /// The system's, for a port in use or not permitted.
    pub fn dual_stack(port: u16) -> io::Result<Self> {
        let socket = match TcpSocket::new_v6() {
            Ok(socket) => {
                // The default depends on /proc/sys/net/ipv6/bindv6only.
                rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
                bind(socket, (Ipv6Addr::UNSPECIFIED, port).into())
            }
            Err(error) => Err(error),
        };
        let socket = match socket {
            Err(error) if lacks_ipv6(&error) => {
                bind(TcpSocket::new_v4()?, (Ipv4Addr::UNSPECIFIED, port).into())?
            }
            other => other?,
        };
        Ok(Self::of(vec![socket]))
    }

    /// Listens on exactly these addresses; an IPv6 one takes no IPv4 connections.
    ///
    /// # Errors
    ///
    /// The system's, for the first address that cannot be had.
    pub fn bind(addresses: &[SocketAddr]) -> io::Result<Self> {
        let sockets = addresses
            .iter()
            .map(|&address| {
                let socket = if address.is_ipv6() {
                    let socket = TcpSocket::new_v6()?;
                    rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
                    socket
                } else {
                    TcpSocket::new_v4()?
                };
                bind(socket, address)
            })
            .collect::<io::Result<_>>()?;
        Ok(Self::of(sockets))
    }

    /// Takes the sockets systemd has opened for us (`sd_listen_fds(3)`); `None` if there are none.
    ///
    /// Call it once, early: it reads and removes `LISTEN_FDS` and `LISTEN_PID`.
    ///
    /// # Errors
    ///
    /// The system's; [`io::ErrorKind::InvalidInput`] for a socket that is not a listening TCP one.
    pub fn from_systemd() -> io::Result<Option<Self>> {
        let mut handed = listenfd::ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..handed.len() {
            let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
            let socket = handed.take_tcp_listener(index)?.ok_or_else(invalid)?;
            socket.set_nonblocking(true)?;
            sockets.push(TcpListener::from_std(socket)?);
        }
        Ok((!sockets.is_empty()).then(|| Self::of(sockets)))
    }

    /// Clients of these sockets begin with TLS, without AUTH; needs [`crate::Server::with_tls`].
    #[must_use]
    pub fn implicit_tls(mut self) -> Self {
        for door in &mut self.sockets {
            door.is_implicit_tls = true;
        }
        self
    }

    /// Also listens where another one does.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.sockets.extend(other.sockets);
        self
    }

    fn of(sockets: Vec<TcpListener>) -> Self {
        let door = |socket| Door {
            socket,
            is_implicit_tls: false,
        };
        Self {
            sockets: sockets.into_iter().map(door).collect(),
            turn: 0,
        }
    }

    /// The addresses listened on, with the ports the system chose.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        let doors = self.sockets.iter();
        doors.map(|door| door.socket.local_addr()).collect()
    }

    /// The next connection. Cancel-safe.
    pub(crate) async fn accept(&mut self) -> io::Result<Accepted> {
        let count = self.sockets.len();
        self.turn = (self.turn + 1) % count.max(1);
        let turn = self.turn;
        poll_fn(|context| {
            let (before, after) = self.sockets.split_at(turn);
            for door in after.iter().chain(before) {
                if let Poll::Ready(result) = door.socket.poll_accept(context) {
                    return Poll::Ready(result.map(|(stream, peer)| Accepted {
                        stream,
                        peer,
                        is_implicit_tls: door.is_implicit_tls,
                    }));
                }
            }
            Poll::Pending
        })
        .await
    }
}

fn bind(socket: TcpSocket, address: SocketAddr) -> io::Result<TcpListener> {
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn lacks_ipv6(error: &io::Error) -> bool {
    let missing = [
        rustix::io::Errno::AFNOSUPPORT,
        rustix::io::Errno::ADDRNOTAVAIL,
    ];
    missing
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
