//! Where clients knock: one port on IPv4 and IPv6 at once, or the addresses the operator names.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections the system keeps for us before we take them.
const BACKLOG: u32 = 1024;

/// One or more listening sockets.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<TcpListener>,
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
        Ok(Self {
            sockets: vec![socket],
            turn: 0,
        })
    }

    /// Listens on exactly these addresses; an IPv6 one takes no IPv4 connections.
    ///
    /// # Errors
    ///
    /// The system's, for the first address that cannot be had.
    pub fn bind(addresses: &[SocketAddr]) -> io::Result<Self> {
        let sockets: io::Result<Vec<_>> = addresses
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
            .collect();
        Ok(Self {
            sockets: sockets?,
            turn: 0,
        })
    }

    /// The addresses listened on, with the ports the system chose.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.sockets.iter().map(TcpListener::local_addr).collect()
    }

    /// The next connection. Cancel-safe.
    pub(crate) async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let count = self.sockets.len();
        self.turn = (self.turn + 1) % count.max(1);
        let turn = self.turn;
        poll_fn(|context| {
            let (before, after) = self.sockets.split_at(turn);
            for socket in after.iter().chain(before) {
                if let Poll::Ready(result) = socket.poll_accept(context) {
                    return Poll::Ready(result);
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
