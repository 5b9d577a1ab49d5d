//! FTP as wget, curl and BusyBox's wget speak it: RFC 959, RFC 2428, RFC 3659.
//!
//! The three differ in the order of their commands, which servers log. The dialogue's bytes are
//! `ftp-proto`'s; the data connection goes to the host the control connection leads to.

use ftp_client::ftp_proto::address;
use ftp_client::ftp_proto::argument::Argument;
use ftp_client::ftp_proto::client::{Conversation, answer};
use ftp_client::ftp_proto::reply::{Class, Reply};
use sundew_kernel::network::Stream;
use sundew_kernel::observe::Capture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::url::decoded;
use super::{End, Engine, Event, part, tell};

/// Bytes read from a connection at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Whose way of speaking it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// GNU Wget.
    Wget,
    /// curl.
    Curl,
    /// BusyBox's wget.
    Busybox,
}

impl Manner {
    /// Whom one is without a name.
    const fn anonymous(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Wget => (b"anonymous", b"-wget@"),
            Self::Curl => (b"anonymous", b"ftp@example.com"),
            Self::Busybox => (b"anonymous", b"busybox@"),
        }
    }
}

/// The whole dialogue.
pub(super) async fn run(
    engine: &Engine,
    stream: Box<dyn Stream>,
    events: &mpsc::Sender<Event>,
    capture: &mut Option<Box<dyn Capture>>,
) -> End {
    let mut control = Control {
        engine,
        stream,
        conversation: Conversation::new(),
        events,
    };
    match control.transfer(capture).await {
        Ok(end) | Err(end) => end,
    }
}

struct Control<'a> {
    engine: &'a Engine,
    stream: Box<dyn Stream>,
    conversation: Conversation,
    events: &'a mpsc::Sender<Event>,
}

/// Where in the tree of the server the file lies.
struct Place {
    /// Directories to change to, in order.
    directories: Vec<Vec<u8>>,
    /// The file; empty for a directory.
    file: Vec<u8>,
}

impl Control<'_> {
    async fn transfer(&mut self, capture: &mut Option<Box<dyn Capture>>) -> Result<End, End> {
        let manner = self.engine.request.manner;
        self.log_in().await?;
        let mut home = b"/".to_vec();
        if manner == Manner::Wget {
            self.ask(b"SYST").await?;
        }
        if manner != Manner::Busybox {
            let reply = self.ask(b"PWD").await?;
            home = address::unquote(reply.text()).unwrap_or(home);
        }
        let place = self.place(&home);
        if manner != Manner::Curl {
            self.binary().await?;
        }
        for directory in &place.directories {
            let reply = self.ask(&[b"CWD ".as_slice(), directory].concat()).await?;
            if reply.code().class() != Class::Completion {
                return Err(End::NoDirectory(number(&reply)));
            }
        }
        if self.engine.request.method == b"HEAD" && manner == Manner::Curl {
            return self.facts(&place.file).await;
        }
        let upload = self.engine.request.upload.clone();
        let mut size = None;
        let data = if manner == Manner::Curl {
            let data = self.data().await?;
            if place.file.is_empty() {
                self.ask(b"TYPE A").await?;
            } else {
                self.binary().await?;
                if upload.is_none() {
                    size = self.size(&place.file).await?;
                }
            }
            data
        } else {
            if !place.file.is_empty() {
                size = self.size(&place.file).await?;
            }
            self.data().await?
        };
        if let Some(bytes) = upload {
            return self.store(data, &place.file, &bytes).await;
        }
        self.retrieve(data, &place.file, size, capture).await
    }

    async fn log_in(&mut self) -> Result<(), End> {
        let greeting = self.reply().await?;
        if greeting.code().class() != Class::Completion {
            return Err(End::Refused(number(&greeting)));
        }
        let request = &self.engine.request;
        let (user, password) = match &request.url.userinfo {
            Some(info) => {
                let mut parts = info.splitn(2, |&byte| byte == b':').map(decoded);
                (
                    parts.next().unwrap_or_default(),
                    parts.next().unwrap_or_default(),
                )
            }
            None => request.login.clone().unwrap_or_else(|| {
                let (user, password) = request.manner.anonymous();
                (user.to_vec(), password.to_vec())
            }),
        };
        let mut reply = self.ask(&[b"USER ".as_slice(), &user].concat()).await?;
        if reply.code().class() == Class::Intermediate {
            reply = self.ask(&[b"PASS ".as_slice(), &password].concat()).await?;
        }
        if reply.code().class() == Class::Completion {
            Ok(())
        } else {
            Err(End::Denied(number(&reply)))
        }
    }

    /// The URL's path as each of the three takes it.
    fn place(&self, home: &[u8]) -> Place {
        let path = decoded(&self.engine.request.url.path);
        let path = path.strip_prefix(b"/").unwrap_or(&path);
        let (folder, file) = match path.iter().rposition(|&byte| byte == b'/') {
            Some(at) => (
                path.get(..at.max(1)).unwrap_or_default(),
                path.get(at + 1..).unwrap_or_default(),
            ),
            None => (b"".as_slice(), path),
        };
        let directories = match self.engine.request.manner {
            Manner::Busybox => {
                return Place {
                    directories: Vec::new(),
                    file: path.to_vec(),
                };
            }
            _ if folder.is_empty() => Vec::new(),
            Manner::Wget if folder.starts_with(b"/") => vec![folder.to_vec()],
            Manner::Wget => vec![[home.strip_suffix(b"/").unwrap_or(home), b"/", folder].concat()],
            Manner::Curl => {
                let root = folder.starts_with(b"/").then(|| b"/".to_vec());
                let parts = folder.split(|&byte| byte == b'/');
                let parts = parts.filter(|part| !part.is_empty()).map(<[u8]>::to_vec);
                root.into_iter().chain(parts).collect()
            }
        };
        Place {
            directories,
            file: file.to_vec(),
        }
    }

    async fn binary(&mut self) -> Result<(), End> {
        let reply = self.ask(b"TYPE I").await?;
        if reply.code().class() == Class::Completion {
            Ok(())
        } else {
            Err(End::Refused(number(&reply)))
        }
    }

    async fn size(&mut self, file: &[u8]) -> Result<Option<u64>, End> {
        let reply = self.ask(&[b"SIZE ".as_slice(), file].concat()).await?;
        Ok(answer::size(&reply))
    }

    /// `curl -I`.
    async fn facts(&mut self, file: &[u8]) -> Result<End, End> {
        if !file.is_empty() {
            self.ask(&[b"MDTM ".as_slice(), file].concat()).await?;
            self.binary().await?;
            self.size(file).await?;
            self.ask(b"REST 0").await?;
        }
        self.ask(b"QUIT").await?;
        Ok(End::Complete)
    }

    /// Asks for a data connection and opens it.
    async fn data(&mut self) -> Result<Box<dyn Stream>, End> {
        let peer = self.stream.peer();
        let extended = self.engine.request.manner == Manner::Curl || peer.is_ipv6();
        let mut port = None;
        let mut code = 0;
        if extended {
            let reply = self.ask(b"EPSV").await?;
            code = number(&reply);
            port = Some(reply.text())
                .filter(|_| code == 229)
                .and_then(address::scan_extended_passive);
        }
        if port.is_none() && peer.is_ipv4() {
            let reply = self.ask(b"PASV").await?;
            code = number(&reply);
            port = Some(reply.text())
                .filter(|_| code == 227)
                .and_then(address::scan_passive)
                .map(|address| address.port());
        }
        let Some(port) = port else {
            return Err(End::Refused(code));
        };
        let mut target = peer;
        target.set_port(port);
        tell(self.events, Event::Data(target)).await;
        let connected = self.engine.network.connect(target).await;
        connected.map_err(|_| End::Refused(425))
    }

    async fn retrieve(
        &mut self,
        mut data: Box<dyn Stream>,
        file: &[u8],
        size: Option<u64>,
        capture: &mut Option<Box<dyn Capture>>,
    ) -> Result<End, End> {
        let offset = self.engine.request.offset;
        if offset > 0 {
            let reply = self.ask(format!("REST {offset}").as_bytes()).await?;
            if reply.code().class() != Class::Intermediate {
                return Err(End::Refused(number(&reply)));
            }
        }
        let reply = if file.is_empty() {
            self.ask(b"LIST").await?
        } else {
            self.ask(&[b"RETR ".as_slice(), file].concat()).await?
        };
        if reply.code().class() != Class::Preliminary {
            return Err(End::NoFile(number(&reply)));
        }
        let size = size.or_else(|| answer::announced_size(&reply));
        tell(self.events, Event::Begins(size)).await;
        let observer = &self.engine.observer;
        let kept = observer.download(self.engine.download());
        *capture = Some(part::of(kept, offset > 0));
        let mut received = offset;
        let mut chunk = vec![0; CHUNK_BYTES];
        let whole = loop {
            match data.read(&mut chunk).await {
                Ok(0) => break true,
                Err(_) => break false,
                Ok(count) => {
                    received += count as u64;
                    let piece = chunk.get(..count).unwrap_or_default().to_vec();
                    if !self.engine.deliver(self.events, capture, piece).await {
                        return Err(End::OverLimit);
                    }
                }
            }
        };
        drop(data);
        // Some servers close before they say that all was sent; the size says it, too.
        let said = self.reply().await;
        let good = said.is_ok_and(|reply| reply.code().class() == Class::Completion);
        if !whole || !good && size != Some(received) {
            return Err(End::Cut);
        }
        self.leave().await;
        Ok(End::Complete)
    }

    async fn store(
        &mut self,
        mut data: Box<dyn Stream>,
        file: &[u8],
        bytes: &[u8],
    ) -> Result<End, End> {
        let reply = self.ask(&[b"STOR ".as_slice(), file].concat()).await?;
        if reply.code().class() != Class::Preliminary {
            return Err(End::NoFile(number(&reply)));
        }
        let sent = data.write_all(bytes).await;
        let closed = data.shutdown().await;
        drop(data);
        let reply = self.reply().await?;
        if sent.is_err() || closed.is_err() || reply.code().class() != Class::Completion {
            return Err(End::Cut);
        }
        self.leave().await;
        Ok(End::Complete)
    }

    /// Says good-bye, for whom that is the custom, without waiting for what is said to it.
    async fn leave(&mut self) {
        if self.engine.request.manner != Manner::Wget {
            let _gone = self.stream.write_all(b"QUIT\r\n").await;
        }
    }

    /// Sends a line and reads the reply.
    async fn ask(&mut self, line: &[u8]) -> Result<Reply, End> {
        // A line break in a name would be a second command.
        let one_line: Vec<u8> = line
            .iter()
            .map(|&byte| {
                if b"\r\n\0".contains(&byte) {
                    b'?'
                } else {
                    byte
                }
            })
            .collect();
        let words = Argument::new(one_line.clone()).map_err(|_| End::Refused(0))?;
        self.conversation.queue_line(&words);
        let outgoing = self.conversation.outgoing().to_vec();
        self.conversation.sent(outgoing.len());
        tell(self.events, Event::Sent(one_line)).await;
        let sent = self.stream.write_all(&outgoing).await;
        sent.map_err(|_| End::NoResponse)?;
        self.reply().await
    }

    /// The next reply.
    async fn reply(&mut self) -> Result<Reply, End> {
        let mut buffer = [0; 2048];
        loop {
            let next = self.conversation.next_reply();
            if let Some(reply) = next.map_err(|_| End::NoResponse)? {
                let lines = reply.lines().map(<[u8]>::to_vec).collect();
                tell(self.events, Event::Reply(number(&reply), lines)).await;
                return Ok(reply);
            }
            match self.stream.read(&mut buffer).await {
                Ok(count @ 1..) => self
                    .conversation
                    .receive(buffer.get(..count).unwrap_or_default()),
                _ => return Err(End::NoResponse),
            }
        }
    }
}

/// A reply's code.
fn number(reply: &Reply) -> u16 {
    let digits = reply.code().digits();
    digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
}
