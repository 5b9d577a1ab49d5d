//! Data connections: how they come about, and the bytes that move.

mod announce;
mod port;
mod receive;
mod send;
mod shared;
mod socket;
mod stream;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ftp_proto::server::{DataProtection, FileError, Foreign, TransferEnd};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::account::Meter;
use crate::connection::{Connection, DataTls, Peer};

pub use self::announce::{Advertised, Announce};
pub(crate) use self::port::Port;
pub(crate) use self::receive::receive;
pub(crate) use self::send::{Coder, Form, send, send_at_once};
pub(crate) use self::shared::SharedPorts;
pub(crate) use self::socket::Socket;
pub(crate) use self::stream::DataStream;

/// How data connections are made.
#[derive(Clone, Debug)]
pub struct DataOptions {
    /// Ports for passive mode; `None` for all the dynamic ones, 49152 and up, which is hardest to guess.
    pub ports: Option<RangeInclusive<u16>>,
    /// Whether several clients share each of these ports, told apart by their addresses, so that one
    /// port is enough. Of no use behind a proxy, which hides addresses, and for FXP in passive mode.
    pub shared: bool,
    /// The address a 227 announces: for a server behind address translation.
    pub announce: Announce,
    /// From which others than the control peer data connections may come, for transfers between
    /// servers (FXP). RFC 2577 §4 is why they may not otherwise.
    pub foreign: Foreign,
    /// Whether a protected data connection has to resume the TLS session of its control connection.
    /// Without it a client is known by its address only; with it some clients are locked out, Python's
    /// ftplib among them.
    pub resumed_tls: bool,
    /// How long the client may take to dial, or to be dialled; then `425`.
    pub connect: Duration,
    /// How long not a single byte may move; then `426`.
    pub idle: Duration,
    /// Most bytes of one upload; more is answered `552`. What APPE adds to counts by itself.
    pub max_upload: Option<u64>,
    /// How long one transfer may take in all; then `426`.
    pub total: Option<Duration>,
}

impl Default for DataOptions {
    fn default() -> Self {
        Self {
            ports: None,
            shared: false,
            announce: Announce::default(),
            foreign: Foreign::Nobody,
            resumed_tls: false,
            connect: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            max_upload: None,
            total: None,
        }
    }
}

/// Makes the connections of active mode; the one place where PORT and EPRT lead anywhere.
///
/// The session asks for the control peer's own address and no other, unless the operator allows more.
pub trait Dial: Send + Sync + 'static {
    /// Connects from our address to the client's.
    ///
    /// # Errors
    ///
    /// Any error is answered `425`.
    fn dial(
        &self,
        from: IpAddr,
        to: SocketAddr,
    ) -> impl Future<Output = io::Result<TcpStream>> + Send;
}

/// Dials over the host's network.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDial {
    port: Option<u16>,
}

impl TcpDial {
    /// From any port.
    pub const ANY_PORT: Self = Self { port: None };

    /// From this port, as RFC 959 §3.2 has it and some filters want it (20, which needs privileges).
    /// If it cannot be had, from any.
    #[must_use]
    pub const fn from_port(port: u16) -> Self {
        Self { port: Some(port) }
    }
}

impl Dial for TcpDial {
    async fn dial(&self, from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
        if let Some(port) = self.port {
            let socket = new_socket(to)?;
            // Others dial from it too, to other addresses.
            socket.set_reuseaddr(true)?;
            match socket.bind((from, port).into()) {
                Ok(()) => return socket.connect(to).await,
                Err(error) => tracing::warn!(port, %error, "cannot dial from this port"),
            }
        }
        let socket = new_socket(to)?;
        // From the address the client knows, or its filter drops us.
        socket.bind((from, 0).into())?;
        socket.connect(to).await
    }
}

fn new_socket(to: SocketAddr) -> io::Result<TcpSocket> {
    match to {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }
}

/// What a transfer is held to.
#[derive(Debug)]
pub(crate) struct Traffic<'a> {
    pub(crate) idle: Duration,
    pub(crate) meter: &'a Meter,
}

impl Traffic<'_> {
    /// Most bytes to move at a time, at most so many.
    fn step(&self, most: usize) -> usize {
        self.meter.step().min(most).max(1)
    }

    /// Notes bytes that came out of others and did not move themselves.
    fn inflated(&self, bytes: u64) -> Result<(), TransferEnd> {
        self.meter.inflated(bytes).map_err(TransferEnd::Failed)
    }

    /// Notes bytes that have moved, and waits if it was too fast.
    async fn moved(&self, bytes: usize) -> Result<(), TransferEnd> {
        let moved = self.meter.moved(bytes).await;
        moved.map_err(TransferEnd::Failed)
    }
}

/// How the next data connection comes about.
#[derive(Debug)]
pub(crate) enum Channel {
    Listening(Port),
    Dialling(SocketAddr),
}

/// Who may be at the other end of a data connection, and what it needs.
#[derive(Debug)]
pub(crate) struct Rules {
    peer: Peer,
    /// The proxy the control connection came through.
    proxy: Option<IpAddr>,
    foreign: Foreign,
    resumed_tls: bool,
    protection: Protection,
    connect: Duration,
}

/// What is done to a data connection before bytes move.
#[derive(Debug)]
enum Protection {
    Clear,
    Tls(DataTls),
    /// It was asked for and cannot be had: nothing moves in clear instead.
    Refused,
}

impl Rules {
    /// For this client, protected as PROT has it.
    pub(crate) fn new(
        connection: &Connection,
        options: &DataOptions,
        protection: DataProtection,
    ) -> Self {
        let protection = match (protection, connection.data_tls()) {
            (DataProtection::Clear, _) => Protection::Clear,
            (DataProtection::Server, Some(tls)) => Protection::Tls(tls),
            (DataProtection::Client, Some(tls)) => {
                tls.as_client().map_or(Protection::Refused, Protection::Tls)
            }
            (DataProtection::Server | DataProtection::Client, None) => Protection::Refused,
        };
        Self {
            peer: *connection.peer(),
            proxy: connection.proxy().map(|proxy| proxy.ip()),
            foreign: options.foreign.clone(),
            resumed_tls: options.resumed_tls,
            protection,
            connect: options.connect,
        }
    }

    /// Whether this may be the client; anybody else would be stealing the transfer (RFC 2577 §4).
    fn admit(&self, from: SocketAddr) -> bool {
        let admitted = from.ip() == self.peer.address.ip()
            || self.foreign.has(from.ip())
            || self.proxy.is_some_and(|proxy| proxy == from.ip());
        if !admitted {
            tracing::warn!(id = self.peer.id, %from, "stranger on a data port");
        }
        admitted
    }
}

impl Channel {
    /// The connection, if the client has made it already and nothing is to be agreed on.
    pub(crate) fn open_at_once(&mut self, rules: &Rules) -> Option<Socket> {
        let Self::Listening(port) = self else {
            return None;
        };
        if !matches!(rules.protection, Protection::Clear) || rules.proxy.is_some() {
            return None;
        }
        while let Ok((socket, from)) = port.try_accept() {
            if rules.admit(from) {
                return Some(socket);
            }
        }
        None
    }

    /// Waits for the client or dials it.
    ///
    /// # Errors
    ///
    /// How the transfer ends then.
    pub(crate) async fn open(
        self,
        dial: &impl Dial,
        rules: &Rules,
    ) -> Result<DataStream, TransferEnd> {
        let socket = match timeout(rules.connect, self.connect(dial, rules)).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => {
                tracing::debug!(id = rules.peer.id, %error, "no data connection");
                return Err(TransferEnd::NoConnection);
            }
            Err(_) => return Err(TransferEnd::NoConnection),
        };
        protect(socket, rules).await
    }

    async fn connect(self, dial: &impl Dial, rules: &Rules) -> io::Result<Socket> {
        let port = match self {
            Self::Dialling(to) => {
                let stream = dial.dial(rules.peer.local.ip(), to).await?;
                return Ok(Socket::Watched(stream));
            }
            Self::Listening(port) => port,
        };
        let mut port = Some(port);
        let mut watched = None;
        loop {
            // Most clients have dialled long before they ask for the transfer.
            let (socket, from) = match port.as_mut().map(Port::try_accept) {
                Some(Ok(found)) => found,
                _ => match (&mut watched, port.take()) {
                    (None, Some(port)) => watched.insert(port.watch()?).next().await?,
                    (Some(watched), _) => watched.next().await?,
                    (None, None) => return Err(io::ErrorKind::NotConnected.into()),
                },
            };
            if !rules.admit(from) {
                continue;
            }
            if rules.proxy != Some(from.ip()) {
                return Ok(socket);
            }
            // A load balancer stands between; its header says who it is.
            let stream = socket.into_watched()?;
            let header = crate::proxy::read(&stream).await?;
            if header.is_none_or(|header| rules.admit(header.client)) {
                return Ok(Socket::Watched(stream));
            }
        }
    }
}

/// Puts TLS on a data connection if it needs it.
pub(crate) async fn protect(socket: Socket, rules: &Rules) -> Result<DataStream, TransferEnd> {
    let tls = match &rules.protection {
        Protection::Clear => return Ok(DataStream::Clear(socket)),
        Protection::Refused => return Err(TransferEnd::NotProtected),
        Protection::Tls(tls) => tls,
    };
    let shake = async { tls.shake(socket.into_watched()?, rules.resumed_tls).await };
    match shake.await {
        Ok(stream) => Ok(DataStream::Secure(Box::new(stream))),
        Err(error) => {
            tracing::warn!(id = rules.peer.id, %error, "data connection not protected");
            Err(TransferEnd::NotProtected)
        }
    }
}

/// An error that opening a port ends in.
pub(crate) fn listen_error(error: &io::Error) -> FileError {
    tracing::warn!(%error, "no data port");
    FileError::Busy
}
