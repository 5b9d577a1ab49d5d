//! Data connections: the port that listens, the dialling, and the bytes that move.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::BytesMut;
use ftp_proto::server::{FileError, TransferEnd};
use ftp_proto::transfer::{FromNetwork, ToNetwork};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::backend::{CHUNK_BYTES, Reader, Writer};
use crate::connection::canonical;

/// How data connections are made.
#[derive(Clone, Debug)]
pub struct DataOptions {
    /// Ports for passive mode; `None` lets the system choose, which is hardest to guess.
    pub ports: Option<RangeInclusive<u16>>,
    /// The address a 227 announces instead of our own: for a server behind address translation.
    pub announce: Option<Ipv4Addr>,
    /// How long the client may take to dial, or to be dialled; then `425`.
    pub connect: Duration,
    /// How long not a single byte may move; then `426`.
    pub idle: Duration,
}

impl Default for DataOptions {
    fn default() -> Self {
        Self {
            ports: None,
            announce: None,
            connect: Duration::from_secs(30),
            idle: Duration::from_secs(120),
        }
    }
}

/// Makes the connections of active mode; the one place where PORT and EPRT lead anywhere.
///
/// The session asks for the control peer's own address and no other.
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
pub struct TcpDial;

impl Dial for TcpDial {
    async fn dial(&self, from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = match to {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // From the address the client knows, or its filter drops us.
        socket.bind((from, 0).into())?;
        socket.connect(to).await
    }
}

/// How the next data connection comes about.
#[derive(Debug)]
pub(crate) enum Channel {
    Listening(TcpListener),
    Dialling(SocketAddr),
}

impl Channel {
    /// Waits for the client or dials it; `None` if nothing came about in time.
    pub(crate) async fn open(
        self,
        dial: &impl Dial,
        local: IpAddr,
        peer: IpAddr,
        options: &DataOptions,
    ) -> Option<TcpStream> {
        let opened = async {
            match self {
                Self::Dialling(to) => dial.dial(local, to).await,
                Self::Listening(listener) => loop {
                    let (stream, from) = listener.accept().await?;
                    // Anybody else would be stealing the transfer (RFC 2577 §4).
                    if canonical(from).ip() == peer {
                        return Ok(stream);
                    }
                    tracing::warn!(%from, "stranger on a data port");
                },
            }
        };
        match timeout(options.connect, opened).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "no data connection");
                None
            }
            Err(_) => None,
        }
    }
}

/// Opens a port for passive mode on the address the client dialled.
pub(crate) fn listen(local: IpAddr, options: &DataOptions) -> io::Result<TcpListener> {
    let bind = |port| {
        let socket = match local {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.bind((local, port).into())?;
        // One connection is wanted; a few more so that a stranger cannot fill the queue alone.
        socket.listen(8)
    };
    let Some(ports) = &options.ports else {
        return bind(0);
    };
    // From a different port each time, so that the next one is not simply the last one plus one.
    let (first, last) = (u32::from(*ports.start()), u32::from(*ports.end()));
    let count = (last + 1).saturating_sub(first);
    let start = random_below(count);
    (0..count)
        .filter_map(|step| u16::try_from(first + (start + step) % count).ok())
        .find_map(|port| bind(port).ok())
        .ok_or_else(|| io::ErrorKind::AddrInUse.into())
}

/// The address a 227 shows for this listener.
pub(crate) fn announced(listener: &TcpListener, options: &DataOptions) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    Ok(match options.announce {
        Some(announce) if address.is_ipv4() => (announce, address.port()).into(),
        Some(_) | None => address,
    })
}

/// Sends a file to its end.
pub(crate) async fn send(
    mut stream: TcpStream,
    mut reader: impl Reader,
    ascii: bool,
    idle: Duration,
) -> TransferEnd {
    let mut converter = ToNetwork::default();
    let mut converted = Vec::new();
    loop {
        let bytes = match reader.read().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(error) => return TransferEnd::Failed(error),
        };
        let piece = if ascii {
            converted.clear();
            converter.convert(&bytes, &mut converted);
            &converted
        } else {
            &bytes[..]
        };
        if write_all(&mut stream, piece, idle).await.is_err() {
            return TransferEnd::Cut;
        }
    }
    finish(stream, idle).await
}

/// Writes everything; each step forward has the whole idle time.
pub(crate) async fn write_all(
    stream: &mut TcpStream,
    mut bytes: &[u8],
    idle: Duration,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = timeout(idle, stream.write(bytes)).await??;
        bytes = bytes.get(count..).unwrap_or_default();
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

/// Closes the data connection, which is how the client learns that it has everything.
pub(crate) async fn finish(mut stream: TcpStream, idle: Duration) -> TransferEnd {
    match timeout(idle, stream.shutdown()).await {
        Ok(Ok(())) => TransferEnd::Complete,
        Ok(Err(_)) | Err(_) => TransferEnd::Cut,
    }
}

/// Receives a file until the client closes.
pub(crate) async fn receive(
    mut stream: TcpStream,
    mut writer: impl Writer,
    ascii: bool,
    idle: Duration,
) -> TransferEnd {
    let mut converter = FromNetwork::default();
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK_BYTES);
        match timeout(idle, stream.read_buf(&mut buffer)).await {
            Ok(Ok(0)) => break,
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return TransferEnd::Cut,
        }
        let bytes = buffer.split().freeze();
        let bytes = if ascii {
            let mut converted = Vec::with_capacity(bytes.len());
            converter.convert(&bytes, &mut converted);
            converted.into()
        } else {
            bytes
        };
        if let Err(error) = writer.write(bytes).await {
            return TransferEnd::Failed(error);
        }
    }
    let mut rest = Vec::new();
    converter.finish(&mut rest);
    let result = match rest.is_empty() {
        true => Ok(()),
        false => writer.write(rest.into()).await,
    };
    match result {
        Ok(()) => writer
            .finish()
            .await
            .map_or_else(TransferEnd::Failed, |()| TransferEnd::Complete),
        Err(error) => TransferEnd::Failed(error),
    }
}

/// A number below `count` that a stranger cannot guess: the standard library's random hash keys.
fn random_below(count: u32) -> u32 {
    use std::hash::{BuildHasher, RandomState};

    let random = RandomState::new().hash_one(count) % u64::from(count.max(1));
    u32::try_from(random).unwrap_or(0)
}

/// An error that opening a port ends in.
pub(crate) fn listen_error(error: &io::Error) -> FileError {
    tracing::warn!(%error, "no data port");
    FileError::Busy
}
