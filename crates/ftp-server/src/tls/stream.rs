//! A TCP connection with TLS on it.
//!
//! rustls is driven directly: a data connection has to know whether close_notify came, and CCC has to
//! give the socket back with every byte behind close_notify still unread. For that the wire is handed
//! to rustls one record at a time.

use std::io::{self, BufRead, IoSlice, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, Connection, HandshakeKind, ProtocolVersion, ServerConfig,
    ServerConnection,
};
use tokio::net::TcpStream;

use super::TlsInfo;

/// Header of a record: type, version, length. RFC 8446 §5.1.
const HEADER_BYTES: usize = 5;

/// Longest record with its header. RFC 5246 §6.2.3 allows 2048 bytes more than the text.
const MAX_RECORD_BYTES: usize = HEADER_BYTES + 16_384 + 2048;

/// Bytes taken from the socket at a time: a record and a bit, so that bulk data costs one read each.
const READ_BYTES: usize = 32 * 1024;

/// Bytes rustls keeps for us that are not yet on the wire. Larger than its own 64 KiB, so that one
/// write call takes more.
const WRITE_BUFFER_BYTES: usize = 256 * 1024;

/// TLS over a socket, handshake done.
#[derive(Debug)]
pub(crate) struct TlsStream {
    tcp: TcpStream,
    tls: Connection,
    /// Bytes of the wire, from `seen` on unknown to rustls.
    wire: Vec<u8>,
    seen: usize,
    /// Whether the peer has said close_notify.
    is_ended: bool,
    /// Whether reading leaves what is to be sent unsent.
    keeps_tickets: bool,
}

impl TlsStream {
    /// Shakes hands.
    ///
    /// # Errors
    ///
    /// The socket's; [`io::ErrorKind::InvalidData`] with what rustls disliked, after the alert was
    /// sent.
    pub(crate) async fn accept(tcp: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        Self::shake(tcp, tls.into(), false).await
    }

    /// Shakes hands on a data connection: the tickets of TLS 1.3 go out with the first bytes we send, or
    /// with our close_notify.
    ///
    /// A client that uploads reads nothing; curl closes with the tickets unread, and the system then
    /// throws away what it has not yet sent of the file.
    ///
    /// # Errors
    ///
    /// Those of [`TlsStream::accept`].
    pub(crate) async fn accept_data(tcp: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        Self::shake(tcp, tls.into(), true).await
    }

    /// Shakes hands as the client, with a server whose name does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`TlsStream::accept`].
    pub(crate) async fn connect(tcp: TcpStream, config: Arc<ClientConfig>) -> io::Result<Self> {
        let name = ServerName::IpAddress(tcp.peer_addr()?.ip().into());
        let tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        Self::shake(tcp, tls.into(), false).await
    }

    async fn shake(tcp: TcpStream, mut tls: Connection, is_data: bool) -> io::Result<Self> {
        tls.set_buffer_limit(Some(WRITE_BUFFER_BYTES));
        let mut stream = Self {
            tcp,
            tls,
            wire: Vec::new(),
            seen: 0,
            is_ended: false,
            keeps_tickets: false,
        };
        while stream.tls.is_handshaking() {
            stream.flush().await?;
            if stream.tls.is_handshaking() && !stream.step().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        // Earlier versions have their last word of the handshake to say.
        stream.keeps_tickets =
            is_data && stream.tls.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        if !stream.keeps_tickets {
            stream.flush().await?;
        }
        Ok(stream)
    }

    /// What was agreed on.
    pub(crate) fn info(&self) -> TlsInfo {
        TlsInfo::of(&self.tls)
    }

    /// Whether the handshake resumed an earlier session.
    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The certificate the client showed.
    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        let chain = self.tls.peer_certificates()?;
        chain.first().map(AsRef::as_ref)
    }

    /// Appends some text to `out`, at most about `limit` bytes; 0 after close_notify. Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] if the peer closed without close_notify, so that what came may
    /// be cut short.
    pub(crate) async fn read(&mut self, out: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        loop {
            let mut count = self.take_text(out, limit);
            // More of what is there already makes fewer and larger writes to a disk.
            while count > 0 && count < limit && !self.is_ended && self.advance()? == Step::Record {
                count += self.take_text(out, limit - count);
            }
            if count > 0 || self.is_ended {
                return Ok(count);
            }
            if !self.keeps_tickets {
                self.flush().await?;
            }
            if !self.step().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn take_text(&mut self, out: &mut Vec<u8>, limit: usize) -> usize {
        let mut taken = 0;
        while taken < limit {
            let mut reader = self.tls.reader();
            let Ok(text) = reader.fill_buf() else { break };
            let text = text.get(..limit - taken).unwrap_or(text);
            let count = text.len();
            if count == 0 {
                break;
            }
            out.extend_from_slice(text);
            reader.consume(count);
            taken += count;
        }
        taken
    }

    /// Takes some bytes to be sent by [`TlsStream::flush`]; 0 if it has too many already.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tls.writer().write(bytes)
    }

    /// Puts some of what is to be sent on the wire; gives whether anything is left. Cancel-safe.
    pub(crate) async fn send_some(&mut self) -> io::Result<bool> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Socket(&self.tcp)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => return Ok(self.tls.wants_write()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.tcp.writable().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Puts on the wire what the socket takes without waiting; gives whether that was all.
    pub(crate) fn send_now(&mut self) -> io::Result<bool> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Socket(&self.tcp)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Sends what is to be sent. Cancel-safe.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        while self.send_some().await? {}
        Ok(())
    }

    /// Says close_notify: nothing more will come from us.
    pub(crate) async fn close(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        self.flush().await
    }

    /// Whether the peer has said close_notify, or says it before the socket ends. Throws away text.
    pub(crate) async fn has_ended(&mut self) -> bool {
        let mut dropped = Vec::new();
        while !self.is_ended && matches!(self.step().await, Ok(true)) {
            dropped.clear();
            self.take_text(&mut dropped, usize::MAX);
        }
        self.is_ended
    }

    /// Throws away what has come and nobody will read: a socket closed with unread bytes is reset, and
    /// what we sent last may be lost with it.
    pub(crate) fn discard(&mut self) {
        let mut dropped = Vec::new();
        while !self.is_ended && matches!(self.advance(), Ok(Step::Record)) {
            dropped.clear();
            self.take_text(&mut dropped, usize::MAX);
        }
    }

    /// Whether the peer is the server and we are its client, as with another FTP server.
    pub(crate) const fn is_client(&self) -> bool {
        matches!(self.tls, Connection::Client(_))
    }

    /// Throws away what comes until the peer closes.
    pub(crate) async fn drain(&mut self) {
        let mut dropped = Vec::new();
        while matches!(self.step().await, Ok(true)) {
            dropped.clear();
            self.take_text(&mut dropped, usize::MAX);
        }
    }

    /// The socket, for what TLS does not do: options, and shutting down.
    pub(crate) const fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// Ends TLS and goes on in the clear (CCC, RFC 4217 §9): close_notify both ways, then the socket
    /// and what came behind the peer's.
    ///
    /// A client that goes on in the clear without close_notify is understood as well: lftp does.
    ///
    /// # Errors
    ///
    /// The socket's; the connection is of no use then.
    pub(crate) async fn into_clear(mut self) -> io::Result<(TcpStream, Vec<u8>)> {
        self.close().await?;
        while !self.is_ended {
            // Text between CCC and close_notify has no business here.
            let mut dropped = Vec::new();
            self.take_text(&mut dropped, usize::MAX);
            match self.advance()? {
                Step::Record => {}
                Step::Clear | Step::End => break,
                Step::Blocked => self.tcp.readable().await?,
            }
        }
        self.wire.drain(..self.seen);
        Ok((self.tcp, self.wire))
    }

    /// Hands one record to rustls, waiting for it if need be; `false` at the end of the socket.
    async fn step(&mut self) -> io::Result<bool> {
        loop {
            match self.advance()? {
                Step::Record => return Ok(true),
                Step::End => return Ok(false),
                Step::Clear => return Err(io::ErrorKind::InvalidData.into()),
                Step::Blocked => {
                    if self.wire.is_empty() {
                        // Who waits keeps no buffer.
                        self.wire = Vec::new();
                    }
                    self.tcp.readable().await?;
                }
            }
        }
    }

    /// Hands one record to rustls if there is one.
    fn advance(&mut self) -> io::Result<Step> {
        let length = loop {
            let unseen = self.unseen();
            if unseen.first().is_some_and(|kind| !RECORDS.contains(kind)) {
                return Ok(Step::Clear);
            }
            if let Some(length) = record_length(unseen)
                && unseen.len() >= length
            {
                break length;
            }
            self.wire.drain(..self.seen);
            self.seen = 0;
            self.wire.reserve(READ_BYTES);
            match self.tcp.try_read_buf(&mut self.wire) {
                Ok(0) => return Ok(Step::End),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Step::Blocked);
                }
                Err(error) => return Err(error),
            }
        };
        let end = self.seen + length;
        let mut record = self.wire.get(self.seen..end).unwrap_or_default();
        while !record.is_empty() && !self.is_ended {
            // It takes 4 KiB at most.
            self.tls.read_tls(&mut record)?;
            match self.tls.process_new_packets() {
                Ok(state) => self.is_ended |= state.peer_has_closed(),
                Err(error) => {
                    // The alert, as far as it goes: the peer may be gone.
                    while matches!(self.tls.write_tls(&mut Socket(&self.tcp)), Ok(1..)) {}
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
        self.seen = end;
        if end == self.wire.len() {
            self.seen = 0;
            self.wire.clear();
        }
        Ok(Step::Record)
    }

    fn unseen(&self) -> &[u8] {
        self.wire.get(self.seen..).unwrap_or_default()
    }
}

/// The kinds a record can be of, its first byte. RFC 8446 §5.1, RFC 6520.
const RECORDS: std::ops::RangeInclusive<u8> = 20..=24;

/// What an attempt to go on has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// rustls has seen one record more.
    Record,
    /// What has come is no TLS.
    Clear,
    /// The rest of the record is on its way.
    Blocked,
    /// The socket has ended.
    End,
}

/// The length of the first record with its header, once its header is there. One that claims to be too
/// long is cut, and rustls refuses it.
fn record_length(wire: &[u8]) -> Option<usize> {
    let &[_, _, _, high, low] = wire.first_chunk::<HEADER_BYTES>()?;
    let length = HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
    Some(if length > MAX_RECORD_BYTES {
        HEADER_BYTES
    } else {
        length
    })
}

/// The socket as rustls wants it.
struct Socket<'a>(&'a TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
