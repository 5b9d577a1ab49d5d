//! The connection is lost at every byte of a session, and a second one completes the file: down, up, in
//! parts and under TLS.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use ftp_client::{Client, Config, Error, Login, Security};
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

use crate::arbitrary;
use crate::peer::Memory;
#[cfg(feature = "tls")]
use crate::secured::{Identity, identity};

const FILE: &[u8] = b"0123456789abcdefghij";

/// Where the second of two parts begins.
const MIDDLE: u64 = 9;

/// The server's end of a connection, good for so many bytes in both directions, together with others.
struct Cut {
    inner: DuplexStream,
    budget: Arc<AtomicUsize>,
}

impl Cut {
    fn left(&self) -> io::Result<usize> {
        match self.budget.load(Ordering::Relaxed) {
            0 => Err(io::ErrorKind::BrokenPipe.into()),
            left => Ok(left),
        }
    }
}

impl AsyncRead for Cut {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let most = this.left()?.min(buf.remaining());
        let mut part = buf.take(most);
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        // The part is initialised memory of the whole.
        let bytes = part.filled().to_vec();
        buf.put_slice(&bytes);
        this.budget.fetch_sub(count, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Cut {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let most = this.left()?.min(buf.len());
        let count = ready!(Pin::new(&mut this.inner).poll_write(cx, &buf[..most]))?;
        this.budget.fetch_sub(count, Ordering::Relaxed);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A server of one file, which survives its sessions.
#[derive(Clone)]
struct Host {
    file: Arc<Mutex<Vec<u8>>>,
    #[cfg(feature = "tls")]
    identity: Option<Arc<Identity>>,
}

impl Host {
    fn with(file: &[u8]) -> Self {
        Self {
            file: Arc::new(Mutex::new(file.to_vec())),
            #[cfg(feature = "tls")]
            identity: None,
        }
    }

    fn file(&self) -> Vec<u8> {
        self.file.lock().unwrap().clone()
    }

    fn config(&self) -> Config {
        let mut config = Config::new("192.0.2.1");
        config.security = Security::Plain;
        #[cfg(feature = "tls")]
        if let Some(identity) = &self.identity {
            let options = ftp_client::TlsOptions::with_roots(identity.pem.as_bytes()).unwrap();
            config.security = Security::Implicit(options);
        }
        config
    }

    async fn secured(&self, stream: Cut) -> io::Result<Box<dyn Stream>> {
        #[cfg(feature = "tls")]
        if let Some(identity) = &self.identity {
            return Ok(Box::new(identity.acceptor.accept(stream).await?));
        }
        Ok(Box::new(stream))
    }

    /// Serves one session with one data connection; all is closed once so many bytes have passed.
    fn serve(&self, dial: &Memory, budget: &Arc<AtomicUsize>) {
        let cut = || Cut {
            inner: dial.expect(),
            budget: Arc::clone(budget),
        };
        let (control, data) = (cut(), cut());
        let host = self.clone();
        tokio::spawn(async move {
            // Whatever fails is the budget's end.
            host.session(control, data).await.ok();
        });
    }

    async fn session(&self, control: Cut, data: Cut) -> io::Result<()> {
        let mut control = self.secured(control).await?;
        let mut data = Some(data);
        let (mut first, mut end) = (0, usize::MAX);
        let mut received = Vec::new();
        say(&mut control, "220 ready\r\n").await?;
        loop {
            while let Some(end_of_line) = received.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = received.drain(..end_of_line + 2).collect();
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
                let reply = match verb {
                    "USER" => "331 password\r\n".to_owned(),
                    "PASS" => "230 in\r\n".to_owned(),
                    "FEAT" => "211-Features\r\n RANG STREAM\r\n211 End\r\n".to_owned(),
                    "TYPE" | "PBSZ" | "PROT" => "200 ok\r\n".to_owned(),
                    "SIZE" => format!("213 {}\r\n", self.file().len()),
                    "EPSV" => "229 (|||5000|)\r\n".to_owned(),
                    "REST" => {
                        first = argument.parse().unwrap();
                        "350 ok\r\n".to_owned()
                    }
                    "RANG" => {
                        let (from, last) = argument.split_once(' ').unwrap();
                        first = from.parse().unwrap();
                        end = last.parse::<usize>().unwrap() + 1;
                        "350 ok\r\n".to_owned()
                    }
                    "RETR" | "STOR" => "150 go\r\n".to_owned(),
                    "QUIT" => "221 bye\r\n".to_owned(),
                    _ => "500 what\r\n".to_owned(),
                };
                say(&mut control, &reply).await?;
                if let Some(data) = data.take_if(|_| matches!(verb, "RETR" | "STOR")) {
                    let data = self.secured(data).await?;
                    self.transfer(verb, data, first, end).await?;
                    say(&mut control, "226 done\r\n").await?;
                }
            }
            if control.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn transfer(
        &self,
        verb: &str,
        mut data: Box<dyn Stream>,
        first: usize,
        end: usize,
    ) -> io::Result<()> {
        if verb == "RETR" {
            let file = self.file();
            data.write_all(&file[first..end.min(file.len())]).await?;
            data.shutdown().await
        } else {
            self.file.lock().unwrap().truncate(first);
            let mut byte = [0];
            while data.read(&mut byte).await? > 0 {
                self.file.lock().unwrap().push(byte[0]);
            }
            data.shutdown().await
        }
    }
}

async fn say(stream: &mut Box<dyn Stream>, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

async fn login(dial: &Arc<Memory>, host: &Host) -> Result<Client<Arc<Memory>>, Error> {
    let mut client = Client::connect(dial.clone(), host.config()).await?;
    client.login(&Login::new("a", "b")).await?;
    Ok(client)
}

/// Fetches what is missing; what came is in `file`, whatever happens.
async fn fetch(dial: &Arc<Memory>, host: &Host, file: &mut Vec<u8>) -> Result<(), Error> {
    let mut client = login(dial, host).await?;
    let size = client.size("f").await?;
    if size == Some(file.len() as u64) {
        return Ok(());
    }
    let mut download = client.retrieve_from("f", file.len() as u64).await?;
    file.truncate(usize::try_from(download.offset()).unwrap());
    let read = download.read_to_end(file).await;
    download.finish().await?;
    assert!(read.is_ok());
    assert_eq!(size, Some(file.len() as u64), "complete, says the client");
    client.quit().await
}

/// Sends what the server misses.
async fn send(dial: &Arc<Memory>, host: &Host) -> Result<(), Error> {
    let mut client = login(dial, host).await?;
    let there = client.size("f").await?.unwrap_or(0);
    let rest = &FILE[usize::try_from(there).unwrap()..];
    if rest.is_empty() {
        return Ok(());
    }
    let mut upload = client.store_from("f", there).await?;
    let written = upload.write_all(rest).await;
    upload.finish().await?;
    assert!(written.is_ok(), "complete, says the client");
    client.quit().await
}

/// Fetches what is missing of one of the two parts.
async fn fetch_part(
    dial: &Arc<Memory>,
    host: &Host,
    begin: u64,
    end: u64,
    part: &mut Vec<u8>,
) -> Result<(), Error> {
    let first = begin + part.len() as u64;
    if first == end {
        return Ok(());
    }
    let mut client = login(dial, host).await?;
    let mut download = client.retrieve_range("f", first, end).await?;
    assert_eq!(download.offset(), first);
    let read = download.read_to_end(part).await;
    download.finish().await?;
    assert!(read.is_ok());
    assert_eq!(part.len() as u64, end - begin, "complete, says the client");
    client.quit().await
}

fn unlimited() -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(usize::MAX))
}

/// One session that ends after so many bytes and one that does not; whether the first was enough.
async fn download_cut_after(host: &Host, cut: usize) -> bool {
    let dial = Arc::new(Memory::default());
    host.serve(&dial, &Arc::new(AtomicUsize::new(cut)));
    let mut file = Vec::new();
    let whole = fetch(&dial, host, &mut file).await.is_ok();
    assert!(FILE.starts_with(&file), "cut after {cut} bytes");
    assert!(!whole || file == FILE, "cut after {cut} bytes");
    let dial = Arc::new(Memory::default());
    host.serve(&dial, &unlimited());
    fetch(&dial, host, &mut file).await.unwrap();
    assert_eq!(file, FILE, "cut after {cut} bytes");
    whole
}

async fn upload_cut_after(host: &Host, cut: usize) -> bool {
    host.file.lock().unwrap().clear();
    let dial = Arc::new(Memory::default());
    host.serve(&dial, &Arc::new(AtomicUsize::new(cut)));
    let whole = send(&dial, host).await.is_ok();
    // The server may still be at it; the next session begins when it is not.
    drop(dial);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(FILE.starts_with(&host.file()), "cut after {cut} bytes");
    assert!(!whole || host.file() == FILE, "cut after {cut} bytes");
    let dial = Arc::new(Memory::default());
    host.serve(&dial, &unlimited());
    send(&dial, host).await.unwrap();
    assert_eq!(host.file(), FILE, "cut after {cut} bytes");
    whole
}

async fn parts_cut_after(host: &Host, cut: usize) -> bool {
    let ends = [(0, MIDDLE), (MIDDLE, FILE.len() as u64)];
    let mut parts = [Vec::new(), Vec::new()];
    let budget = Arc::new(AtomicUsize::new(cut));
    let mut whole = true;
    for ((begin, end), part) in ends.into_iter().zip(&mut parts) {
        let dial = Arc::new(Memory::default());
        host.serve(&dial, &budget);
        whole &= fetch_part(&dial, host, begin, end, part).await.is_ok();
        let begin = usize::try_from(begin).unwrap();
        assert!(FILE[begin..].starts_with(part), "cut after {cut} bytes");
    }
    for ((begin, end), part) in ends.into_iter().zip(&mut parts) {
        let dial = Arc::new(Memory::default());
        host.serve(&dial, &unlimited());
        fetch_part(&dial, host, begin, end, part).await.unwrap();
    }
    assert_eq!(parts.concat(), FILE, "cut after {cut} bytes");
    whole
}

#[tokio::test(start_paused = true)]
async fn a_session_cut_at_any_byte_leaves_a_good_beginning_and_the_next_one_the_file() {
    let host = Host::with(FILE);
    let mut cut = 0;
    while !download_cut_after(&host, cut).await {
        cut += 1;
    }
    assert!(cut > 150, "{cut}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_cut_at_any_byte_is_completed_by_the_next_one() {
    let host = Host::with(b"");
    let mut cut = 0;
    while !upload_cut_after(&host, cut).await {
        cut += 1;
    }
    assert!(cut > 150, "{cut}");
}

#[tokio::test(start_paused = true)]
async fn parts_cut_at_any_byte_are_completed_by_the_next_sessions() {
    let host = Host::with(FILE);
    let mut cut = 0;
    while !parts_cut_after(&host, cut).await {
        cut += 1;
    }
    assert!(cut > 300, "{cut}");
}

/// Under TLS a session has thousands of bytes, most of them of handshakes: one in `STRIDE`, and by
/// turns all of them.
#[cfg(feature = "tls")]
#[tokio::test(start_paused = true)]
async fn under_tls_a_cut_is_never_taken_for_the_end() {
    const STRIDE: usize = 23;
    let secured = |file: &[u8]| Host {
        identity: Some(Arc::new(identity("192.0.2.1"))),
        ..Host::with(file)
    };
    let host = secured(FILE);
    let mut cut = 0;
    while !download_cut_after(&host, cut).await {
        cut += STRIDE;
    }
    assert!(cut > 1500, "{cut}");
    // The last bytes are those of the transfer itself.
    for cut in cut.saturating_sub(3 * STRIDE)..cut {
        download_cut_after(&host, cut).await;
    }
    let host = secured(b"");
    let mut cut = 1;
    while !upload_cut_after(&host, cut).await {
        cut += STRIDE;
    }
    for cut in cut.saturating_sub(3 * STRIDE)..cut {
        upload_cut_after(&host, cut).await;
    }
}

proptest! {
    #[test]
    fn a_server_may_say_anything(
        bytes in "(220 r\r\n(230|331|332|500|226|150|421|2[0-9]{2}|[1-5][0-9]{2}-?)[ -~]{0,12}\r?\n|[0-9 a|()-]{0,9}|\r\n){0,40}",
        raw in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        arbitrary::session(bytes.as_bytes());
        arbitrary::session(&raw);
        arbitrary::session(&[b"220 r\r\n230 in\r\n211 no\r\n", bytes.as_bytes()].concat());
    }
}
