//! HTTP/1.1 over an open connection: RFC 9112.

use sundew_kernel::network::Stream;
use sundew_kernel::observe::Capture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::body::Body;
use super::tls::{self, TlsFailure};
use super::{End, Engine, Event, Head, Request, Scheme, part, tell};

/// Longest response head, in bytes; curl's is 100 KiB for a line.
const MAX_HEAD_BYTES: usize = 100 * 1024;
/// Bytes read from the connection at once.
const CHUNK_BYTES: usize = 16 * 1024;

impl Engine {
    /// The whole exchange.
    pub(super) async fn http(
        &self,
        mut stream: Box<dyn Stream>,
        events: &mpsc::Sender<Event>,
        capture: &mut Option<Box<dyn Capture>>,
    ) -> End {
        match self.request.url.scheme {
            Scheme::Http => {}
            Scheme::Https => {
                if self.request.proxy.is_some()
                    && let Err(end) = self.tunnel(&mut stream).await
                {
                    return end;
                }
                match self.secure(stream, events).await {
                    Ok(secured) => stream = secured,
                    Err(failure) => return End::Tls(failure),
                }
            }
            // Over a proxy it is asked for as any page is.
            Scheme::Ftp | Scheme::Tftp => {}
        }
        tell(events, Event::Asking).await;
        let request = self.request.bytes();
        if stream.write_all(&request).await.is_err() || stream.flush().await.is_err() {
            return End::NoResponse;
        }
        let mut buffer = Vec::new();
        let head = loop {
            match read_head(&mut stream, &mut buffer).await {
                Ok(head) if head.status / 100 == 1 => {}
                Ok(head) => break head,
                Err(end) => return end,
            }
        };
        let good = head.status / 100 == 2;
        tell(events, Event::Head(head.clone())).await;
        let has_body = self.request.method != b"HEAD";
        if good && has_body {
            let kept = self.observer.download(self.download());
            *capture = Some(part::of(kept, part::is_part(&head)));
        } else if !has_body || !self.request.wants_error_body {
            return if good {
                End::Complete
            } else {
                End::Status(head.status)
            };
        }
        let mut body = Body::of(&head);
        loop {
            match body.next(&mut stream, &mut buffer).await {
                Ok(Some(piece)) => {
                    if !self.deliver(events, capture, piece).await {
                        return End::OverLimit;
                    }
                }
                Ok(None) if good => return End::Complete,
                Ok(None) => return End::Status(head.status),
                Err(end) => return end,
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
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        let target = match (&self.proxy, self.url.scheme) {
            (Some(_), Scheme::Http | Scheme::Ftp) => &self.url.text,
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
pub(super) async fn read_more(
    stream: &mut Box<dyn Stream>,
    buffer: &mut Vec<u8>,
) -> Result<usize, End> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let count = stream.read(&mut chunk).await.map_err(|_| End::Cut)?;
    buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
    Ok(count)
}
