//! As much of HTTP as the daemon needs: questions to a service of the operator, and a page of numbers.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::de::{self, Deserialize, Deserializer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// An `http://` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    path: String,
}

impl Url {
    /// Reads an address.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        if uri.scheme_str() != Some("http") {
            return None;
        }
        let host = uri.host()?.trim_matches(['[', ']']);
        Some(Self {
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(80),
            path: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
        })
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| {
            let text = format!("`{text}` is not an address like \"http://127.0.0.1:8080/login\"");
            de::Error::custom(text)
        })
    }
}

/// Posts JSON and gives the body of the answer.
///
/// # Errors
///
/// The system's, those of HTTP, [`io::ErrorKind::TimedOut`], and any status but 200.
pub async fn post(url: &Url, body: Vec<u8>, time: Duration) -> io::Result<Vec<u8>> {
    let exchange = async {
        let stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
            .await
            .map_err(io::Error::other)?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&url.path)
            .header("host", format!("{}:{}", url.host, url.port))
            .header("content-type", "application/json")
            .header("connection", "close")
            .body(Full::new(Bytes::from(body)))
            .map_err(io::Error::other)?;
        let answer = async {
            let answer = sender
                .send_request(request)
                .await
                .map_err(io::Error::other)?;
            if answer.status() != StatusCode::OK {
                return Err(io::Error::other(format!("status {}", answer.status())));
            }
            let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES);
            let body = body.collect().await.map_err(io::Error::other)?;
            Ok(body.to_bytes().to_vec())
        };
        // The connection has to be driven; it may end before we have read all it has brought.
        let drive = async {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to a service");
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            answer = answer => answer,
            never = drive => match never {},
        }
    };
    timeout(time, exchange)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A page: its type and text, or nothing for 404.
pub type Page = Option<(&'static str, String)>;

/// Serves pages by their path until it is dropped.
pub async fn serve(
    listener: TcpListener,
    page: impl Fn(&str) -> Page + Clone + Send + Sync + 'static,
) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if clients.len() < MAX_CLIENTS => {
                    clients.spawn(client(stream, page.clone()));
                }
                Ok(_) => tracing::warn!("too many readers of metrics"),
                Err(error) => {
                    tracing::warn!(%error, "metrics: accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = clients.join_next() => {}
        }
    }
}

async fn client(stream: TcpStream, page: impl Fn(&str) -> Page) {
    let answer = |request: Request<Incoming>| {
        let page = match *request.method() {
            Method::GET => page(request.uri().path()),
            _ => None,
        };
        let (status, kind, text) = match page {
            Some((kind, text)) => (StatusCode::OK, kind, text),
            None => (StatusCode::NOT_FOUND, PLAIN, "not found\n".to_owned()),
        };
        let mut answer = Response::new(Full::new(Bytes::from(text)));
        *answer.status_mut() = status;
        let kind = hyper::header::HeaderValue::from_static(kind);
        answer.headers_mut().insert("content-type", kind);
        std::future::ready(Ok::<_, Infallible>(answer))
    };
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    if let Err(error) = connection.await {
        tracing::debug!(%error, "reader of metrics");
    }
}

/// Plain text.
pub const PLAIN: &str = "text/plain; charset=utf-8";

/// Largest answer of a service that is read.
const MAX_ANSWER_BYTES: usize = 65_536;

/// Largest head of a request that is read.
const MAX_HEAD_BYTES: usize = 16_384;

/// Readers of metrics at a time: a few scrapers.
const MAX_CLIENTS: usize = 16;

/// How long a reader may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause after a failed accept, which fails when descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_is_not_https() {
        let url = Url::new("http://[::1]:8080/login?x=1").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("::1", 8080));
        assert_eq!(url.path, "/login?x=1");
        assert_eq!(Url::new("http://localhost").unwrap().port, 80);
        for text in [
            "https://localhost/",
            "localhost",
            "http://",
            "ftp://x/",
            "/x",
        ] {
            assert_eq!(Url::new(text), None, "{text}");
        }
    }
}
