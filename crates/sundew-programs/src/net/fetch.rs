//! A download over HTTP, FTP or TFTP that outlives the program which asked for it.
//!
//! The transfer is a task on the network; the program takes [`Event`]s from a bounded queue. When
//! the program is gone the transfer goes on, for the sample's sake. `https` is `http` over TLS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::Either;
use sundew_kernel::network::{Network, Stream};
use sundew_kernel::observe::{Capture, Download, DownloadEnd, Observer};
use sundew_kernel::{Errno, Process};
use sundew_vfs::Timestamp;
use tokio::sync::mpsc;

mod body;
mod ftp;
mod http;
mod part;
mod tftp;
mod tls;
mod url;

pub(crate) use self::ftp::Manner;
pub(crate) use self::tls::{CertificateFault, TlsFailure, secure};
pub(crate) use self::url::{Scheme, Url, UrlError, decoded};

/// Events that may wait for the program: what it has not shown yet.
const PENDING_EVENTS: usize = 4;

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
    /// Whose way of FTP and TFTP it is.
    pub(crate) manner: Manner,
    /// What is sent over FTP and TFTP instead of something being fetched.
    pub(crate) upload: Option<Vec<u8>>,
    /// User and password for FTP, unless the URL has them.
    pub(crate) login: Option<(Vec<u8>, Vec<u8>)>,
    /// At which byte an FTP transfer begins.
    pub(crate) offset: u64,
    /// Size of TFTP's blocks.
    pub(crate) block: u16,
}

/// What a request is unless more is said.
pub(crate) fn request(url: &Url, destination: &[u8]) -> Request {
    Request {
        url: url.clone(),
        method: b"GET".to_vec(),
        headers: Vec::new(),
        body: Vec::new(),
        destination: destination.to_vec(),
        wants_error_body: false,
        checks_certificate: true,
        proxy: None,
        manner: Manner::Wget,
        upload: None,
        login: None,
        offset: 0,
        block: tftp::USUAL_BLOCK,
    }
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
    /// A line goes to an FTP server.
    Sent(Vec<u8>),
    /// An FTP server's reply: its code and its lines.
    Reply(u16, Vec<Vec<u8>>),
    /// The data connection leads there.
    Data(SocketAddr),
    /// An FTP or TFTP transfer begins; the size if it was told.
    Begins(Option<u64>),
    /// A piece of the body.
    Body(Vec<u8>),
    /// Nothing more comes.
    End(End),
}

/// How a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything came.
    Complete,
    /// An HTTP status that is no success.
    Status(u16),
    /// The FTP server lets nobody of that name in.
    Denied(u16),
    /// The FTP server has no such directory.
    NoDirectory(u16),
    /// The FTP server has no such file, or does not take it.
    NoFile(u16),
    /// The FTP server does not do as it should.
    Refused(u16),
    /// The TFTP server's complaint: code and words.
    Tftp(u16, Vec<u8>),
    /// The TFTP server does not answer.
    Silent,
    /// The network did not take a datagram.
    Unsent(Errno),
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

    /// Whether the connection can carry another request.
    pub(crate) fn keeps_open(&self) -> bool {
        let first = self.lines.first().map_or(b"".as_slice(), Vec::as_slice);
        let word = self.value("connection").unwrap_or_default();
        let framed = self.length.is_some() || self.value("transfer-encoding").is_some();
        first.starts_with(b"HTTP/1.1") && framed && !word.eq_ignore_ascii_case(b"close")
    }

    /// The name that `Content-Disposition` gives the file, without directories.
    pub(crate) fn file_name(&self) -> Option<Vec<u8>> {
        let value = self.value("content-disposition")?;
        let name = value
            .split(|&byte| byte == b';')
            .find_map(|part| part.trim_ascii().strip_prefix(b"filename="))?
            .trim_ascii();
        let name = name.strip_prefix(b"\"").unwrap_or(name);
        let name = name.strip_suffix(b"\"").unwrap_or(name);
        let name = name.rsplit(|byte| b"/\\".contains(byte)).next()?;
        let usable = !name.is_empty() && name != b"." && name != b".." && !name.contains(&0);
        usable.then(|| name.to_vec())
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
        // Asking whether something is there is no download.
        let asks = self.request.method == b"HEAD" && matches!(end, End::Complete | End::Status(_));
        if self.request.upload.is_none() && !asks {
            self.settle(capture, &end).await;
        }
        // The program has seen the status; for it the exchange is whole.
        let end = match end {
            End::Status(_) => End::Complete,
            end => end,
        };
        tell(&events, Event::End(end)).await;
    }

    /// Says how it ended to whoever keeps samples.
    async fn settle(&self, capture: Option<Box<dyn Capture>>, end: &End) {
        let reason = match end {
            End::Status(status) => format!("HTTP status {status}"),
            End::Denied(code) | End::NoDirectory(code) | End::NoFile(code) | End::Refused(code) => {
                format!("FTP reply {code}")
            }
            End::Tftp(code, _) => format!("TFTP error {code}"),
            End::OverLimit => "limit".to_owned(),
            other => format!("{other:?}"),
        };
        let outcome = match (end, &capture) {
            (End::Complete, _) => DownloadEnd::Complete,
            (End::Status(_), _) | (_, None) if *end != End::OverLimit => {
                DownloadEnd::Failed(reason)
            }
            _ => DownloadEnd::Incomplete(reason),
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

    async fn fetch(
        &self,
        events: &mpsc::Sender<Event>,
        capture: &mut Option<Box<dyn Capture>>,
    ) -> End {
        let scheme = self.request.url.scheme;
        if scheme == Scheme::Tftp {
            return tftp::run(self, events, capture).await;
        }
        let Some(stream) = self.connect(events).await else {
            return End::Unreachable;
        };
        if scheme == Scheme::Ftp && self.request.proxy.is_none() {
            return ftp::run(self, stream, events, capture).await;
        }
        self.http(stream, events, capture).await
    }

    /// Hands a piece to whoever keeps samples and to the program; whether more is wanted.
    async fn deliver(
        &self,
        events: &mpsc::Sender<Event>,
        capture: &mut Option<Box<dyn Capture>>,
        piece: Vec<u8>,
    ) -> bool {
        if let Some(capture) = capture
            && !capture.write(&piece).await
        {
            return false;
        }
        tell(events, Event::Body(piece)).await;
        true
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
