//! A whole session with a server that says any bytes at all: it comes to an end, and nothing panics.
//!
//! Also the body of the fuzz target `ftp_client_session`, which includes this file.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use ftp_client::client::HashAlgorithm;
use ftp_client::dial::{ConnectError, Dial, ResolveError};
use ftp_client::{Client, Config, Error, Login};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Longest time a session may take by the paused clock, in seconds: a few times the longest deadline
/// for each command below.
const MAX_SECONDS: u64 = 10_000;

/// Says its bytes and closes; takes everything.
pub(crate) struct Said(io::Cursor<Vec<u8>>);

/// The first connection says the first part of the bytes, each further one an equal part of the rest.
struct Bytes(Mutex<Vec<Vec<u8>>>);

impl Dial for &Bytes {
    type Stream = Said;

    async fn resolve(&self, _host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        Err(ResolveError::NotFound)
    }

    async fn connect(&self, _target: SocketAddr) -> Result<Said, ConnectError> {
        let next = self.0.lock().ok().and_then(|mut parts| parts.pop());
        let next = next.ok_or_else(|| ConnectError::new("No route to host"))?;
        Ok(Said(io::Cursor::new(next)))
    }
}

/// Runs a session against these bytes.
pub(crate) fn session(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let split = bytes.len() - bytes.len() / 3;
    let (control, data) = bytes.split_at(split);
    let mut parts: Vec<_> = data
        .chunks(data.len() / 4 + 1)
        .map(<[u8]>::to_vec)
        .collect();
    parts.push(control.to_vec());
    let dial = Bytes(Mutex::new(parts));
    let limit = std::time::Duration::from_secs(MAX_SECONDS);
    let ended = runtime.block_on(async {
        // What it comes to is the server's to say; that it comes to something is ours.
        tokio::time::timeout(limit, work(&dial)).await.is_ok()
    });
    assert!(ended, "a session without end");
}

async fn work(dial: &Bytes) -> Result<(), Error> {
    let mut client = Client::connect(dial, Config::new("192.0.2.1")).await?;
    client.login(&Login::new("a", "b")).await?;
    let _size = client.size("a").await?;
    if let Ok(mut download) = client.retrieve_from("a", 3).await {
        let mut body = Vec::new();
        download.read_to_end(&mut body).await.ok();
        download.finish().await.ok();
    }
    client.list("").await.ok();
    client.names("").await.ok();
    if let Ok(mut upload) = client.store("b").await {
        upload.write_all(b"x").await.ok();
        upload.finish().await.ok();
    }
    if let Ok(download) = client.retrieve("c").await {
        download.abort().await.ok();
    }
    client.facts("a").await.ok();
    client.modified("a").await.ok();
    client.hash("a", HashAlgorithm::Sha256).await.ok();
    client.working_directory().await.ok();
    client.quit().await
}

impl AsyncRead for Said {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Said {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
