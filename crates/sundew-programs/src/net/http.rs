//! A download over HTTP/1.1 (RFC 9112) that outlives the program which asked for it.
//!
//! The transfer is a task on the network; the program takes [`Event`]s from a bounded queue. When
//! the program is gone the transfer goes on, for the sample's sake. `https` is the same over TLS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::Either;
use sundew_kernel::network::{Network, Stream};
use sundew_kernel::observe::{Capture, Download, DownloadEnd, Observer};
use sundew_kernel::{Errno, Process};
use sundew_vfs::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

mod body;
mod tls;
mod url;

use self::body::Body;
pub(crate) use self::tls::{CertificateFault, TlsFailure};
pub(crate) use self::url::{Scheme, Url, UrlError};

/// Events that may wait for the program: what it has not shown yet.
const PENDING_EVENTS: usize = 4;
/// Longest response head, in bytes; curl's is 100 KiB for a line.
const MAX_HEAD_BYTES: usize = 100 * 1024;
/// Bytes read from the connection at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// What to ask for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Whom to ask.
    pub(crate) url: Url,
    /// `GET`, `HEAD`, `POST`.
    pub(crate) method: Vec<u8>,
    /// The whole head but its first line and the empty line, each line with CRLF.
    pub(crate) headers: Vec<u8>,
    /// What is posted.
    pub(crate) body: Vec<u8>,
    /// Where the program will put it, for the record.
    pub(crate) destination: Vec<u8>,
    /// Whether bodies of failures are shown to the program, as curl does.
    pub(crate) wants_error_body: bool,
    /// Whether a faulty certificate ends the transfer.
    pub(crate) checks_certificate: bool,
    /// An HTTP proxy to go through: host and port.
    pub(crate) proxy: Option<(Vec<u8>, u16)>,
}

/// How the transfer goes, in order.
#[derive(Debug)]
pub(crate) enum Event {
    /// The name's addresses; none if it has none.
    Resolved(Vec<IpAddr>),
    /// An attempt begins.
    Trying(SocketAddr),
    /// It failed.
    Unreachable(SocketAddr, Errno),
    /// It succeeded.
    Connected(SocketAddr),
    /// The other side's certificate is faulty; the worst first.
    Faulty(Vec<CertificateFault>),
    /// The connection is as secure as the scheme wants it, and the request goes out.
    Asking,
    /// The response's head.
    Head(Head),
    /// A piece of the body.
    Body(Vec<u8>),
    /// Nothing more comes.
    End(End),
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything came.
    Complete,
    /// No address, or none that answers.
    Unreachable,
    /// The other side closed or broke the connection before the response's head.
    NoResponse,
    /// The body was cut.
    Cut,
    /// What came is no HTTP.
    NotHttp,
    /// There is no secured connection.
    Tls(TlsFailure),
    /// The proxy leads nowhere; its status.
    NoTunnel(u16),
    /// The scheme is not spoken.
    Unspoken,
    /// More than is kept.
    OverLimit,
}

/// The head of a response.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// `HTTP/1.1 200 OK`, then the header lines, as they came without line ends.
    pub(crate) lines: Vec<Vec<u8>>,
    /// The status.
    pub(crate) status: u16,
    /// Length of the body if it was told.
    pub(crate) length: Option<u64>,
}

impl Head {
    /// The value of a header; the name in lower case.
    pub(crate) fn value(&self, name: &str) -> Option<&[u8]> {
        self.lines.iter().skip(1).find_map(|line| {
            let at = line.iter().position(|&byte| byte == b':')?;
            let (key, value) = line.split_at(at);
            key.eq_ignore_ascii_case(name.as_bytes())
                .then(|| value.get(1..).unwrap_or_default().trim_ascii())
        })
    }

    /// What stands behind the status: `Not Found`.
    pub(crate) fn reason(&self) -> &[u8] {
        let line = self.lines.first().map_or(b"".as_slice(), Vec::as_slice);
        line.splitn(3, |&byte| byte == b' ')
            .nth(2)
            .unwrap_or_default()
    }

    /// Whether it leads elsewhere, and where to.
    pub(crate) fn redirect(&self) -> Option<&[u8]> {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
            .then(|| self.value("location"))
            .flatten()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let lines: Vec<Vec<u8>> = bytes
            .split(|&byte| byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec())
            .take_while(|line| !line.is_empty())
            .collect();
        let first = lines.first()?;
        let rest = first.strip_prefix(b"HTTP/")?;
        let status = rest.split(|&byte| byte == b' ').nth(1)?;
        let status = std::str::from_utf8(status).ok()?.parse().ok()?;
        let mut head = Self {
            lines,
            status,
            length: None,
        };
        head.length = head
            .value("content-length")
            .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        if matches!(status, 204 | 304) {
            head.length = Some(0);
        }
        Some(head)
    }
}

/// A running transfer, seen from its program.
pub(crate) struct Fetch {
    events: mpsc::Receiver<Event>,
    /// The transfer itself when it could not be left to the network.
    inline: Option<futures_util::future::BoxFuture<'static, ()>>,
}

impl Fetch {
    /// Starts a transfer.
    pub(crate) fn start(proc: &Process, request: Request) -> Self {
        let engine = Engine {
            request,
            network: proc.network(),
            observer: proc.observer(),
            now: proc.now(),
        };
        let (sender, events) = mpsc::channel(PENDING_EVENTS);
        if proc
            .network()
            .run_transfer(Box::pin(engine.clone().run(sender)))
            .is_ok()
        {
            return Self {
                events,
                inline: None,
            };
        }
        // Too many already outlive their programs: this one ends with its own.
        let (sender, events) = mpsc::channel(PENDING_EVENTS);
        Self {
            events,
            inline: Some(Box::pin(engine.run(sender))),
        }
    }

    /// The next event; [`End::Cut`] again and again after the last.
    pub(crate) async fn next(&mut self) -> Event {
        if let Some(engine) = &mut self.inline {
            let event = std::pin::pin!(self.events.recv());
            match futures_util::future::select(engine, event).await {
                Either::Right((event, _)) => return event.unwrap_or(Event::End(End::Cut)),
                Either::Left(((), _)) => {}
            }
            self.inline = None;
        }
        self.events.recv().await.unwrap_or(Event::End(End::Cut))
    }
}

#[derive(Clone)]
struct Engine {
    request: Request,
    network: Arc<dyn Network>,
    observer: Arc<dyn Observer>,
    now: Timestamp,
}

impl Engine {
    async fn run(self, events: mpsc::Sender<Event>) {
        let mut capture = None;
        let end = self.fetch(&events, &mut capture).await;
        let (end, told) = match end {
            Ok(end) => (end, None),
            Err(status) => (End::Complete, Some(format!("HTTP status {status}"))),
        };
        self.settle(capture, end, told).await;
        tell(&events, Event::End(end)).await;
    }

    /// Says how it ended to whoever keeps samples.
    async fn settle(&self, capture: Option<Box<dyn Capture>>, end: End, told: Option<String>) {
        let outcome = match (end, told, &capture) {
            (End::Complete, None, _) => DownloadEnd::Complete,
            (End::Complete, Some(told), _) => DownloadEnd::Failed(told),
            (End::OverLimit, ..) => DownloadEnd::Incomplete("limit".to_owned()),
            (end, _, Some(_)) => DownloadEnd::Incomplete(format!("{end:?}")),
            (end, _, None) => DownloadEnd::Failed(format!("{end:?}")),
        };
        let capture = capture.unwrap_or_else(|| self.observer.download(self.download()));
        capture.end(outcome).await;
    }

    fn download(&self) -> Download {
        Download {
            url: self.request.url.text.clone(),
            destination: self.request.destination.clone(),
        }
    }

    /// `Err` with the status of a response that is no success.
    async fn fetch(
        &self,
        events: &mpsc::Sender<Event>,
        capture: &mut Option<Box<dyn Capture>>,
    ) -> Result<End, u16> {
        let Some(mut stream) = self.connect(events).await else {
            return Ok(End::Unreachable);
        };
        match self.request.url.scheme {
            Scheme::Http => {}
            Scheme::Https => {
                if self.request.proxy.is_some()
                    && let Err(end) = self.tunnel(&mut stream).await
                {
                    return Ok(end);
                }
                match self.secure(stream, events).await {
                    Ok(secured) => stream = secured,
                    Err(failure) => return Ok(End::Tls(failure)),
                }
            }
            Scheme::Ftp => return Ok(End::Unspoken),
        }
        tell(events, Event::Asking).await;
        let request = self.request.bytes();
        if stream.write_all(&request).await.is_err() || stream.flush().await.is_err() {
            return Ok(End::NoResponse);
        }
        let mut buffer = Vec::new();
        let head = loop {
            match read_head(&mut stream, &mut buffer).await {
                Ok(head) if head.status / 100 == 1 => {}
                Ok(head) => break head,
                Err(end) => return Ok(end),
            }
        };
        let good = head.status / 100 == 2;
        tell(events, Event::Head(head.clone())).await;
        let has_body = self.request.method != b"HEAD";
        if good && has_body {
            *capture = Some(self.observer.download(self.download()));
        } else if !has_body || !self.request.wants_error_body {
            return if good {
                Ok(End::Complete)
            } else {
                Err(head.status)
            };
        }
        let mut body = Body::of(&head);
        loop {
            match body.next(&mut stream, &mut buffer).await {
                Ok(Some(piece)) => {
                    if let Some(capture) = capture
                        && !capture.write(&piece).await
                    {
                        return Ok(End::OverLimit);
                    }
                    tell(events, Event::Body(piece)).await;
                }
                Ok(None) if good => return Ok(End::Complete),
                Ok(None) => return Err(head.status),
                Err(end) => return Ok(end),
            }
        }
    }

    /// Asks the proxy for a way to the host: RFC 9110 §9.3.6.
    async fn tunnel(&self, stream: &mut Box<dyn Stream>) -> Result<(), End> {
        let url = &self.request.url;
        let place = [&url.host, format!(":{}", url.port).as_bytes()].concat();
        let request = [
            b"CONNECT ".as_slice(),
            &place,
            b" HTTP/1.1\r\nHost: ",
            &place,
            b"\r\nProxy-Connection: Keep-Alive\r\n\r\n",
        ]
        .concat();
        let sent = stream.write_all(&request).await;
        sent.map_err(|_| End::NoResponse)?;
        let head = read_head(stream, &mut Vec::new()).await?;
        if head.status / 100 == 2 {
            Ok(())
        } else {
            Err(End::NoTunnel(head.status))
        }
    }

    async fn secure(
        &self,
        stream: Box<dyn Stream>,
        events: &mpsc::Sender<Event>,
    ) -> Result<Box<dyn Stream>, TlsFailure> {
        let Request {
            url,
            checks_certificate,
            ..
        } = &self.request;
        let (outcome, faults) = tls::secure(stream, &url.host, *checks_certificate, self.now).await;
        if !faults.is_empty() {
            tell(events, Event::Faulty(faults)).await;
        }
        outcome
    }

    async fn connect(&self, events: &mpsc::Sender<Event>) -> Option<Box<dyn Stream>> {
        let url = &self.request.url;
        let (host, port) = match &self.request.proxy {
            Some((host, port)) => (host, *port),
            None => (&url.host, url.port),
        };
        let addresses = self.network.resolve(host).await.unwrap_or_default();
        tell(events, Event::Resolved(addresses.clone())).await;
        for ip in addresses {
            let target = SocketAddr::new(ip, port);
            tell(events, Event::Trying(target)).await;
            match self.network.connect(target).await {
                Ok(stream) => {
                    tell(events, Event::Connected(target)).await;
                    return Some(stream);
                }
                Err(errno) => tell(events, Event::Unreachable(target, errno)).await,
            }
        }
        None
    }
}

/// Tells the program, if it is still there.
async fn tell(events: &mpsc::Sender<Event>, event: Event) {
    let _gone = events.send(event).await;
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        let target = match (&self.proxy, self.url.scheme) {
            (Some(_), Scheme::Http) => &self.url.text,
            _ => &self.url.path,
        };
        let line = [&self.method, b" ".as_slice(), target, b" HTTP/1.1\r\n"].concat();
        [&line, self.headers.as_slice(), b"\r\n", &self.body].concat()
    }
}

/// Reads up to the empty line; what follows it stays in the buffer.
async fn read_head(stream: &mut Box<dyn Stream>, buffer: &mut Vec<u8>) -> Result<Head, End> {
    loop {
        if let Some(end) = end_of_head(buffer) {
            let rest = buffer.split_off(end);
            let head = std::mem::replace(buffer, rest);
            return Head::parse(&head).ok_or(End::NotHttp);
        }
        let looks_wrong = !buffer.starts_with(b"HTTP/") && buffer.len() >= 5;
        if looks_wrong || buffer.len() > MAX_HEAD_BYTES {
            return Err(End::NotHttp);
        }
        if read_more(stream, buffer).await.unwrap_or(0) == 0 {
            return Err(End::NoResponse);
        }
    }
}

fn end_of_head(buffer: &[u8]) -> Option<usize> {
    let position = |wanted: &[u8]| {
        buffer
            .windows(wanted.len())
            .position(|window| window == wanted)
            .map(|at| at + wanted.len())
    };
    match (position(b"\r\n\r\n"), position(b"\n\n")) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Appends what comes next; 0 at the end.
async fn read_more(stream: &mut Box<dyn Stream>, buffer: &mut Vec<u8>) -> Result<usize, End> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let count = stream.read(&mut chunk).await.map_err(|_| End::Cut)?;
    buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
    Ok(count)
}
