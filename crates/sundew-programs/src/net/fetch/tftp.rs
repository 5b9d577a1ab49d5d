//! TFTP: RFC 1350 with the options of RFC 2347, 2348 and 2349.
//!
//! The other side answers from a port of its own, which is kept to. A packet that is not answered is
//! sent again; a block that comes again is acknowledged again.

use std::net::SocketAddr;
use std::time::Duration;

use sundew_kernel::network::Datagrams;
use sundew_kernel::observe::Capture;
use tokio::sync::mpsc;

use super::url::decoded;
use super::{End, Engine, Event, Manner, tell};

pub(super) use self::packet::USUAL_BLOCK;
use self::packet::{Option_, Packet};

mod packet;

/// BusyBox waits so long for its first answer, half as long again for the next.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// How often BusyBox asks.
const TRIES: u32 = 12;
/// How long curl waits for each answer, and how often.
const CURL_WAIT: Duration = Duration::from_secs(6);
const CURL_TRIES: u32 = 50;
/// Error code for what has no code of its own.
const UNDEFINED: u16 = 0;
const DISK_FULL: u16 = 3;
const BAD_OPTION: u16 = 8;

/// The whole transfer.
pub(super) async fn run(
    engine: &Engine,
    events: &mpsc::Sender<Event>,
    capture: &mut Option<Box<dyn Capture>>,
) -> End {
    let url = &engine.request.url;
    let addresses = engine.network.resolve(&url.host).await.unwrap_or_default();
    tell(events, Event::Resolved(addresses.clone())).await;
    let Some(&host) = addresses.first() else {
        return End::Unreachable;
    };
    let target = SocketAddr::new(host, url.port);
    tell(events, Event::Trying(target)).await;
    let socket = match engine.network.datagrams(host).await {
        Ok(socket) => socket,
        Err(errno) => return End::Unsent(errno),
    };
    tell(events, Event::Connected(target)).await;
    let mut transfer = Transfer {
        engine,
        socket,
        port: url.port,
        settled: false,
        last: Vec::new(),
        block: usize::from(USUAL_BLOCK),
    };
    let ended = match &engine.request.upload {
        None => transfer.get(events, capture).await,
        Some(bytes) => transfer.put(events, bytes).await,
    };
    match ended {
        Ok(()) => End::Complete,
        Err(end) => end,
    }
}

struct Transfer<'a> {
    engine: &'a Engine,
    socket: Box<dyn Datagrams>,
    /// Where the other side listens.
    port: u16,
    /// Whether that is the port of this transfer.
    settled: bool,
    /// What was sent last, to be sent again.
    last: Vec<u8>,
    /// Bytes in a full block.
    block: usize,
}

impl Transfer<'_> {
    async fn get(
        &mut self,
        events: &mpsc::Sender<Event>,
        capture: &mut Option<Box<dyn Capture>>,
    ) -> Result<(), End> {
        self.send(Packet::Read(self.file(), self.options(0)))
            .await?;
        let mut expected: u16 = 1;
        let mut begun = false;
        loop {
            let size = match self.receive().await? {
                Packet::Options(options) if !begun => {
                    let size = self.agree(&options).await?;
                    self.send(Packet::Acknowledge(0)).await?;
                    Begun::With(size)
                }
                Packet::Data(number, bytes) if number == expected => Begun::Piece(bytes),
                // Our word got lost: it is said again.
                Packet::Data(number, _) if begun && number == expected.wrapping_sub(1) => {
                    self.again().await?;
                    continue;
                }
                _ => continue,
            };
            if !std::mem::replace(&mut begun, true) {
                let size = if let Begun::With(size) = size {
                    size
                } else {
                    None
                };
                tell(events, Event::Begins(size)).await;
                let observer = &self.engine.observer;
                *capture = Some(observer.download(self.engine.download()));
            }
            let Begun::Piece(bytes) = size else {
                continue;
            };
            let last = bytes.len() < self.block;
            if !self.engine.deliver(events, capture, bytes).await {
                self.complain(DISK_FULL, "Disk full").await?;
                return Err(End::OverLimit);
            }
            self.send(Packet::Acknowledge(expected)).await?;
            if last {
                return Ok(());
            }
            // Large files go round.
            expected = expected.wrapping_add(1);
        }
    }

    async fn put(&mut self, events: &mpsc::Sender<Event>, bytes: &[u8]) -> Result<(), End> {
        let options = self.options(bytes.len());
        self.send(Packet::Write(self.file(), options)).await?;
        let size = bytes.len() as u64;
        let mut rest = bytes;
        let mut waits_for: u16 = 0;
        let mut done = false;
        tell(events, Event::Begins(Some(size))).await;
        loop {
            match self.receive().await? {
                Packet::Options(options) if waits_for == 0 => {
                    self.agree(&options).await?;
                }
                Packet::Acknowledge(number) if number == waits_for => {}
                _ => continue,
            }
            if done {
                return Ok(());
            }
            let (piece, after) = rest.split_at(self.block.min(rest.len()));
            rest = after;
            done = piece.len() < self.block;
            waits_for = waits_for.wrapping_add(1);
            tell(events, Event::Body(piece.to_vec())).await;
            self.send(Packet::Data(waits_for, piece.to_vec())).await?;
        }
    }

    fn file(&self) -> Vec<u8> {
        let path = decoded(&self.engine.request.url.path);
        let mut path = path.strip_prefix(b"/").unwrap_or(&path).to_vec();
        path.retain(|&byte| byte != 0);
        path
    }

    fn options(&self, size: usize) -> Vec<Option_> {
        let block = self.engine.request.block;
        let pair = |name: &str, value: usize| (name.as_bytes().to_vec(), value.to_string().into());
        let size = pair("tsize", size);
        let asked = pair("blksize", usize::from(block));
        match self.engine.request.manner {
            Manner::Curl => vec![size, asked, pair("timeout", 6)],
            _ if block == USUAL_BLOCK => vec![size],
            _ => vec![asked, size],
        }
    }

    /// Takes what the other side agreed to; the size if it says one.
    async fn agree(&mut self, options: &[Option_]) -> Result<Option<u64>, End> {
        let mut size = None;
        for (name, value) in options {
            let number = std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse::<u64>().ok());
            if name.eq_ignore_ascii_case(b"blksize") {
                let most = u64::from(self.engine.request.block);
                let Some(block) = number.filter(|block| (8..=most).contains(block)) else {
                    self.complain(BAD_OPTION, "bad blksize").await?;
                    return Err(End::Tftp(BAD_OPTION, b"bad blksize".to_vec()));
                };
                self.block = usize::try_from(block).unwrap_or(self.block);
            } else if name.eq_ignore_ascii_case(b"tsize") {
                size = number;
            }
        }
        Ok(size)
    }

    async fn complain(&mut self, code: u16, words: &str) -> Result<(), End> {
        self.send(Packet::Error(code, words.as_bytes().to_vec()))
            .await
    }

    async fn send(&mut self, packet: Packet) -> Result<(), End> {
        self.last = packet.to_bytes();
        self.again().await
    }

    async fn again(&self) -> Result<(), End> {
        let sent = self.socket.send(self.port, &self.last).await;
        sent.map_err(End::Unsent)
    }

    /// The next packet of this transfer; asks again while none comes.
    async fn receive(&mut self) -> Result<Packet, End> {
        let (mut wait, tries) = match self.engine.request.manner {
            Manner::Curl => (CURL_WAIT, CURL_TRIES),
            _ => (FIRST_WAIT, TRIES),
        };
        let grows = self.engine.request.manner != Manner::Curl;
        for _ in 0..tries {
            let (port, bytes) = match self.socket.receive(wait).await {
                Ok(received) => received,
                Err(sundew_kernel::Errno::Etimedout) => {
                    self.again().await?;
                    if grows {
                        wait += wait / 2;
                    }
                    continue;
                }
                Err(errno) => return Err(End::Unsent(errno)),
            };
            if self.settled && port != self.port {
                continue;
            }
            let Some(packet) = Packet::parse(&bytes) else {
                continue;
            };
            (self.port, self.settled) = (port, true);
            if let Packet::Error(code, words) = packet {
                return Err(End::Tftp(code, words));
            }
            return Ok(packet);
        }
        // Who comes back later finds that nobody waits.
        let farewell = Packet::Error(UNDEFINED, b"timeout".to_vec()).to_bytes();
        let _gone = self.socket.send(self.port, &farewell).await;
        Err(End::Silent)
    }
}

/// What a packet of a download brings.
enum Begun {
    /// The size, if it was told.
    With(Option<u64>),
    /// A piece.
    Piece(Vec<u8>),
}
