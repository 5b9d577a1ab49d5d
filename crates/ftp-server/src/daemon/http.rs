//! As much of HTTP as the daemon needs: questions to a service of the operator, and a page of numbers.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::de::{self, Deserialize, Deserializer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// An `http://` or `https://` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    is_tls: bool,
    host: String,
    port: u16,
    path: String,
}

impl Url {
    /// Reads an address.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let (is_tls, usual_port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => return None,
        };
        let host = uri.host()?.trim_matches(['[', ']']);
        if host.is_empty() {
            return None;
        }
        Some(Self {
            is_tls,
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(usual_port),
            path: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
        })
    }

    /// Whether nobody can listen: by TLS, or because it does not leave this machine.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
        self.is_tls || self.host == "localhost" || self.host.parse().is_ok_and(is_loopback)
    }
}

/// How services are asked: in the clear, or under TLS by these authorities.
#[derive(Clone, Debug, Default)]
pub struct Trust(Option<Arc<ClientConfig>>);

impl Trust {
    /// What an address needs: for `https` the authorities in this PEM, or the system's.
    ///
    /// # Errors
    ///
    /// What is wrong with the authorities.
    pub fn of(url: &Url, authorities: Option<&[u8]>) -> Result<Self, String> {
        if !url.is_tls {
            return Ok(Self::default());
        }
        let mut roots = RootCertStore::empty();
        match authorities {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate = certificate.map_err(|error| error.to_string())?;
                    roots.add(certificate).map_err(|error| error.to_string())?;
                }
            }
            // What cannot be read of a whole system's is no reason to stop.
            None => drop(
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
            ),
        }
        if roots.is_empty() {
            return Err("there is no authority to trust for `https`".to_owned());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Some(Arc::new(config))))
    }
}

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(url: &Url, trust: &Trust) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
    match &trust.0 {
        None if url.is_tls => Err(io::ErrorKind::Unsupported.into()),
        None => Ok(Box::new(stream)),
        Some(config) => {
            let name = ServerName::try_from(url.host.clone()).map_err(io::Error::other)?;
            let connector = TlsConnector::from(Arc::clone(config));
            Ok(Box::new(connector.connect(name, stream).await?))
        }
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| {
            let text =
                format!("`{text}` is not an address like \"https://auth.example.org/login\"");
            de::Error::custom(text)
        })
    }
}

/// Posts JSON and gives the body of the answer.
///
/// # Errors
///
/// The system's, those of HTTP, [`io::ErrorKind::TimedOut`], and any status but 200.
pub async fn post(url: &Url, trust: &Trust, body: Vec<u8>, time: Duration) -> io::Result<Vec<u8>> {
    let exchange = async {
        let io = TokioIo::new(connect(url, trust).await?);
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
    fn an_address_has_a_host_and_is_one_of_the_web() {
        let url = Url::new("http://[::1]:8080/login?x=1").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("::1", 8080));
        assert_eq!(url.path, "/login?x=1");
        assert_eq!(Url::new("http://localhost").unwrap().port, 80);
        let url = Url::new("https://localhost/").unwrap();
        assert_eq!((url.is_tls, url.port), (true, 443));
        for text in ["localhost", "http://", "ftp://x/", "/x"] {
            assert_eq!(Url::new(text), None, "{text}");
        }
    }
}
