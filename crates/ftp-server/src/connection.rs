//! One control connection: lines in, replies out, and what is known about the client.

mod spare;

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ftp_proto::command::Verb;
use ftp_proto::reply::Class;
use ftp_proto::{Code, Reply, line};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::event::{Event, Observer};
use crate::handler::{Disconnect, Request};
use crate::limits::Limits;
use crate::tls::stream::TlsStream;
use crate::tls::{ClientTls, Tls, TlsInfo};

/// Bytes taken from the socket at a time; lines are joined in the decoder, which has its own limit.
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// Answers to Telnet options that may be waiting to be sent, in bytes. Past it further proposals are
/// ignored, which RFC 1123 §4.1.2.12 allows as well as refusing.
const MAX_REFUSAL_BYTES: usize = 300;

/// Replies to lines that came together go out together, up to so many bytes.
const MAX_QUEUED_BYTES: usize = 16 * 1024;

/// After our last reply we wait this long for the client to close, throwing away what it sends: a
/// socket closed with unread bytes resets the connection, and the reply may be lost with it.
const LINGER: Duration = Duration::from_secs(1);

/// Most bytes thrown away at the end.
const MAX_LINGER_BYTES: usize = 65_536;

/// What is known about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Number of the connection, unique while the server runs.
    pub id: u64,
    /// The client's address; IPv4 even if it came through an IPv6 socket. Behind a trusted proxy, what
    /// the proxy says.
    pub address: SocketAddr,
    /// Our address that the client dialled, in the same family.
    pub local: SocketAddr,
    /// When it came.
    pub since: Instant,
}

/// A control connection, as handlers see it.
pub struct Connection {
    wire: Wire,
    peer: Peer,
    /// The address the data connections of this client come from, if that is a proxy's.
    proxy: Option<SocketAddr>,
    limits: Arc<Limits>,
    end: Arc<End>,
    decoder: line::Decoder,
    /// Bytes read, those before `decoded` not needed any more.
    input: Vec<u8>,
    decoded: usize,
    /// Bytes that are to be sent; kept here so that a cancelled write loses nothing.
    output: Vec<u8>,
    deadline: Deadline,
    tls: Option<Tls>,
    secure: Option<Box<Secure>>,
    observer: Arc<dyn Observer>,
    last_code: Option<Code>,
    /// Of the last line that was read, if it was a command.
    last_verb: Option<Verb>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// What a client under TLS has besides.
#[derive(Debug)]
struct Secure {
    info: TlsInfo,
    client: ClientTls,
}

/// What the bytes go over.
#[derive(Debug)]
enum Wire {
    Clear(TcpStream),
    Secure(Box<TlsStream>),
    /// A handshake failed, or one was dropped half way.
    Lost,
}

/// How a connection is ended from outside.
#[derive(Debug)]
pub(crate) struct End {
    /// Cancelled when the server stops, and when the operator ends this connection.
    stop: CancellationToken,
    is_cut: AtomicBool,
    cut: Notify,
}

impl End {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self {
            stop,
            is_cut: AtomicBool::new(false),
            cut: Notify::new(),
        }
    }

    /// Ends it, without waiting for a transfer.
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.cut.notify_one();
        self.stop.cancel();
    }

    /// Waits until the operator ends it.
    pub(crate) async fn was_cut(&self) {
        while !self.is_cut.load(Ordering::Acquire) {
            self.cut.notified().await;
        }
    }

    /// Why it ends, if it does.
    pub(crate) fn why(&self) -> Option<Disconnect> {
        if self.is_cut.load(Ordering::Acquire) {
            return Some(Disconnect::Operator);
        }
        self.stop.is_cancelled().then_some(Disconnect::Shutdown)
    }
}

/// When a client that says nothing is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// [`Limits::idle`] after the last answer.
    Idle,
    /// At this moment.
    At(Instant),
    /// Not at all.
    Never,
}

/// What a server knows of a connection that it has just accepted.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    /// The proxy's own address if it came through one.
    pub(crate) proxy: Option<SocketAddr>,
    pub(crate) id: u64,
}

impl Connection {
    pub(crate) fn new(
        arrival: Arrival,
        limits: Arc<Limits>,
        tls: Option<Tls>,
        end: Arc<End>,
        observer: Arc<dyn Observer>,
    ) -> io::Result<Self> {
        let stream = arrival.stream;
        // A reply is smaller than a segment; waiting for more to send costs 40 ms a command.
        stream.set_nodelay(true)?;
        rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
        // Clients send the interrupt before ABOR as urgent data (RFC 959 §4.1.3); read it in place.
        rustix::net::sockopt::set_socket_oobinline(&stream, true)?;
        Ok(Self {
            wire: Wire::Clear(stream),
            peer: Peer {
                id: arrival.id,
                address: canonical(arrival.peer),
                local: canonical(arrival.local),
                since: Instant::now(),
            },
            proxy: arrival.proxy.map(canonical),
            decoder: line::Decoder::new(limits.line_bytes),
            deadline: Deadline::Idle,
            limits,
            end,
            input: Vec::new(),
            decoded: 0,
            output: Vec::new(),
            tls,
            secure: None,
            observer,
            last_code: None,
            last_verb: None,
        })
    }

    /// Who it is.
    #[must_use]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What TLS has agreed on, if the connection is under it.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        match &self.wire {
            Wire::Secure(_) => self.secure.as_deref().map(|secure| &secure.info),
            Wire::Clear(_) | Wire::Lost => None,
        }
    }

    /// Whether the server has a certificate, so that [`Connection::start_tls`] can work.
    #[must_use]
    pub const fn offers_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Tells those who watch the server.
    pub fn report(&self, event: &Event<'_>) {
        self.observer.observe(&self.peer, event);
    }

    /// The code of the last reply.
    #[must_use]
    pub const fn last_code(&self) -> Option<Code> {
        self.last_code
    }

    /// Whether the server is stopping; long work should come to an end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.end.stop.is_cancelled()
    }

    /// Who else may end it.
    pub(crate) const fn end(&self) -> &Arc<End> {
        &self.end
    }

    /// When the client counts as silent, until its next request; then it is [`Deadline::Idle`] again.
    pub const fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// The limits the server was given.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Answers with one reply. If the client has sent further lines already, it goes out together with
    /// the replies to those; who has long work to do calls [`Connection::flush`] first.
    ///
    /// Dropping the future may leave part of it unsent; the rest goes out with the next reply.
    ///
    /// # Errors
    ///
    /// The socket's; [`io::ErrorKind::TimedOut`] if the client does not read for [`Limits::write`].
    pub async fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        self.queue(reply);
        if self.decoded < self.input.len() && self.output.len() < MAX_QUEUED_BYTES {
            return Ok(());
        }
        self.flush().await
    }

    /// Puts a reply behind those that are to be sent, and sends nothing.
    pub(crate) fn queue(&mut self, reply: &Reply) {
        tracing::debug!(id = self.peer.id, %reply, "reply");
        spare::lend(&mut self.output);
        reply.encode(&mut self.output);
        self.last_code = Some(reply.code());
        self.report(&Event::Reply(reply.code()));
        if let Some(verb) = self.last_verb
            && reply.code().class() != Class::Preliminary
        {
            let code = reply.code();
            self.report(&Event::Answered { verb, code });
        }
    }

    /// Sends every reply that waits. Cancel-safe: what is not sent goes out with the next.
    ///
    /// # Errors
    ///
    /// The socket's; [`io::ErrorKind::TimedOut`] if the client does not read for [`Limits::write`].
    pub async fn flush(&mut self) -> io::Result<()> {
        if !self.flush_at_once()? {
            // Boxed: who waits for the next request would hold room for it.
            Box::pin(self.flush_in_time()).await?;
        }
        spare::take_back(&mut self.output);
        Ok(())
    }

    /// Sends what the socket takes without waiting, most of the time everything; says whether it was.
    fn flush_at_once(&mut self) -> io::Result<bool> {
        let sent = match &mut self.wire {
            Wire::Clear(_) if self.output.is_empty() => return Ok(true),
            Wire::Clear(stream) => stream.try_write(&self.output),
            Wire::Secure(stream) => {
                let taken = stream.put(&self.output)?;
                self.output.drain(..taken);
                return Ok(stream.send_now()? && self.output.is_empty());
            }
            Wire::Lost => return Ok(self.output.is_empty()),
        };
        match sent {
            Ok(count) => drop(self.output.drain(..count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(self.output.is_empty())
    }

    async fn flush_in_time(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            let step = write_some(&mut self.wire, &self.output);
            let count = timeout(self.limits.write, step)
                .await
                .map_err(|_| io::ErrorKind::TimedOut)??;
            self.output.drain(..count);
        }
        if let Wire::Secure(stream) = &mut self.wire {
            timeout(self.limits.write, stream.flush())
                .await
                .map_err(|_| io::ErrorKind::TimedOut)??;
        }
        Ok(())
    }

    /// Reads the next line; `None` if the client has closed.
    ///
    /// Cancel-safe: what was read is kept for the next call.
    ///
    /// # Errors
    ///
    /// The socket's.
    pub async fn next_request(&mut self) -> io::Result<Option<Request>> {
        loop {
            if let Some(request) = self.buffered_request() {
                return Ok(Some(request));
            }
            self.flush().await?;
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The next line, if it was read already.
    pub(crate) fn buffered_request(&mut self) -> Option<Request> {
        let request = self.decode()?;
        let id = self.peer.id;
        self.report(&Event::Request(&request));
        self.last_verb = match &request.command {
            Ok(command) => Some(command.verb()),
            Err(error) => error.verb(),
        };
        match &request.command {
            Ok(_) => tracing::info!(id, %request, "request"),
            Err(error) => tracing::warn!(id, %request, %error, "request not understood"),
        }
        Some(request)
    }

    /// Puts TLS on the connection: call it after the reply to AUTH, which is sent first. What the
    /// client sent in the clear behind its AUTH is dropped, or somebody between could put commands
    /// into the protected session (CVE-2011-0411).
    ///
    /// # Errors
    ///
    /// The handshake's; the connection is of no use then.
    pub async fn start_tls(&mut self) -> io::Result<()> {
        let tls = self.tls.clone().ok_or(io::ErrorKind::Unsupported)?;
        self.flush().await?;
        self.forget_input();
        let Wire::Clear(stream) = mem::replace(&mut self.wire, Wire::Lost) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let client = tls.for_one_client();
        let handshake = TlsStream::accept(stream, client.control.clone());
        let stream = timeout(self.limits.handshake, handshake)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        let info = stream.info();
        tracing::info!(id = self.peer.id, version = %info.version, cipher = info.cipher, "tls");
        self.secure = Some(Box::new(Secure { info, client }));
        self.wire = Wire::Secure(Box::new(stream));
        Ok(())
    }

    /// Takes TLS off again (CCC): call it after the reply, which is sent first. Data connections go on
    /// as PROT says.
    ///
    /// # Errors
    ///
    /// The socket's; the connection is of no use then.
    pub async fn end_tls(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.forget_input();
        let Wire::Secure(stream) = mem::replace(&mut self.wire, Wire::Lost) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let (stream, rest) = timeout(self.limits.handshake, stream.into_clear())
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        self.input = rest;
        self.wire = Wire::Clear(stream);
        Ok(())
    }

    /// What the data connections of this client need.
    pub(crate) fn data_tls(&self) -> Option<DataTls> {
        let secure = self.secure.as_deref()?;
        let certificate = secure.info.certificates.first();
        Some(DataTls {
            side: Side::Server(Arc::clone(&secure.client.data)),
            certificate: certificate.map(|certificate| certificate.as_ref().to_vec()),
            handshake: self.limits.handshake,
        })
    }

    /// The address data connections come from if the client came through a proxy.
    pub(crate) const fn proxy(&self) -> Option<SocketAddr> {
        self.proxy
    }

    /// The moment at which the client will have been silent for too long, counted from this call.
    pub(crate) fn silent_at(&self) -> Option<Instant> {
        match self.deadline {
            Deadline::Idle => Instant::now().checked_add(self.limits.idle),
            Deadline::At(moment) => Some(moment),
            Deadline::Never => None,
        }
    }

    pub(crate) fn stop_token(&self) -> &CancellationToken {
        &self.end.stop
    }

    /// Closes after everything sent has a chance to arrive.
    pub(crate) async fn close(&mut self) {
        let ended = async {
            self.flush().await?;
            match &mut self.wire {
                Wire::Clear(stream) => stream.shutdown().await?,
                Wire::Secure(stream) => {
                    stream.close().await?;
                    rustix::net::shutdown(stream.tcp(), rustix::net::Shutdown::Write)?;
                }
                Wire::Lost => return Ok(()),
            }
            let mut left = MAX_LINGER_BYTES;
            while left > 0 {
                self.input.clear();
                match self.fill().await? {
                    0 => break,
                    count => left = left.saturating_sub(count),
                }
            }
            io::Result::Ok(())
        };
        // Nobody is left to be told how the goodbye went.
        if let Ok(Err(error)) = timeout(LINGER, ended).await {
            tracing::trace!(id = self.peer.id, %error, "close");
        }
    }

    fn forget_input(&mut self) {
        self.input = Vec::new();
        self.decoded = 0;
        self.decoder = line::Decoder::new(self.limits.line_bytes);
    }

    /// Reads some bytes; 0 at the end. Cancel-safe.
    async fn fill(&mut self) -> io::Result<usize> {
        if self.decoded == self.input.len() {
            self.decoded = 0;
            spare::take_back(&mut self.input);
        }
        match &mut self.wire {
            Wire::Clear(stream) => loop {
                // Not `AsyncRead`: it takes a short read for an empty socket, but a read also stops
                // short of urgent data. The line end of an ABOR sent as such (Python's ftplib does)
                // would stay unread until the client says something else.
                stream.readable().await?;
                match read_now(stream, &mut self.input) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => return result,
                }
            },
            Wire::Secure(stream) => {
                // Boxed: not every client has TLS.
                let read = Box::pin(stream.read(&mut self.input, READ_BUFFER_BYTES));
                match read.await {
                    // Many clients close without a word after QUIT.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                    read => read,
                }
            }
            Wire::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn decode(&mut self) -> Option<Request> {
        let mut input = self.input.get(self.decoded..).unwrap_or_default();
        let mut request = self.decoder.plain_line(&mut input).map(Request::new);
        while request.is_none()
            && let Some(event) = self.decoder.decode(&mut input)
        {
            match event {
                line::Event::Line(line) => request = Some(Request::new(line)),
                line::Event::TooLong => request = Some(Request::too_long()),
                line::Event::Refuse(answer) => {
                    if self.output.len() < MAX_REFUSAL_BYTES {
                        self.output.extend(answer);
                    }
                }
            }
        }
        self.decoded = self.input.len() - input.len();
        request
    }
}

/// TLS for the data connections of one client.
#[derive(Clone, Debug)]
pub(crate) struct DataTls {
    side: Side,
    /// What the client showed on the control connection.
    certificate: Option<Vec<u8>>,
    handshake: Duration,
}

/// Who begins the handshake.
#[derive(Clone, Debug)]
enum Side {
    /// The peer.
    Server(Arc<rustls::ServerConfig>),
    /// We: the peer is another server.
    Client(Arc<rustls::ClientConfig>),
}

impl DataTls {
    /// The same for a transfer between servers, of which we are the TLS client (SSCN, CPSV).
    pub(crate) fn as_client(&self) -> Option<Self> {
        Some(Self {
            side: Side::Client(crate::tls::client_config().ok()?),
            certificate: None,
            handshake: self.handshake,
        })
    }

    /// Shakes hands on a data connection; `resumes` if it has to resume the session of the control
    /// connection.
    ///
    /// # Errors
    ///
    /// The handshake's; [`io::ErrorKind::PermissionDenied`] if the client is not the one of the
    /// control connection as far as TLS can tell.
    pub(crate) async fn shake(&self, stream: TcpStream, resumes: bool) -> io::Result<TlsStream> {
        let shake = async {
            match &self.side {
                Side::Server(config) => TlsStream::accept_data(stream, Arc::clone(config)).await,
                Side::Client(config) => TlsStream::connect(stream, Arc::clone(config)).await,
            }
        };
        let mut stream = timeout(self.handshake, shake)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        if matches!(self.side, Side::Client(_)) {
            return Ok(stream);
        }
        let is_same = self.certificate.as_deref() == stream.certificate();
        if is_same && (stream.is_resumed() || !resumes) {
            return Ok(stream);
        }
        stream.close().await?;
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

async fn write_some(wire: &mut Wire, bytes: &[u8]) -> io::Result<usize> {
    let count = match wire {
        Wire::Clear(stream) => stream.write(bytes).await?,
        Wire::Secure(stream) => match stream.put(bytes)? {
            0 => {
                stream.flush().await?;
                stream.put(bytes)?
            }
            count => count,
        },
        Wire::Lost => return Err(io::ErrorKind::NotConnected.into()),
    };
    if count == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(count)
}

/// Appends what the socket has to `input`, by way of one buffer per thread: a client that says nothing
/// for most of the time needs none of its own.
fn read_now(stream: &TcpStream, input: &mut Vec<u8>) -> io::Result<usize> {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER_BYTES]);
    }
    BUFFER.with_borrow_mut(|buffer| {
        let count = stream.try_read(buffer)?;
        spare::lend(input);
        input.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    })
}

pub(crate) const fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
