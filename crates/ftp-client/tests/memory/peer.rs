//! A dialler whose peers are tasks of the test.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard};

use ftp_client::dial::{ConnectError, Dial, ResolveError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

/// Bytes in flight in one direction: small, so that nobody can write ahead of a reader for long.
const IN_FLIGHT: usize = 1024;

/// Hands out prepared connections in order; refuses when there are none left.
#[derive(Default)]
pub(crate) struct Memory {
    streams: Mutex<VecDeque<DuplexStream>>,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Memory {
    /// The other end of the next connection.
    pub(crate) fn expect(&self) -> DuplexStream {
        let (ours, theirs) = duplex(IN_FLIGHT);
        lock(&self.streams).push_back(ours);
        theirs
    }

    pub(crate) fn dialled(&self) -> Vec<String> {
        lock(&self.dialled)
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

impl Dial for Memory {
    type Stream = DuplexStream;

    async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        match host {
            b"ftp.example" => Ok(vec![
                "192.0.2.1".parse().unwrap(),
                "192.0.2.2".parse().unwrap(),
            ]),
            b"six.example" => Ok(vec!["2001:db8::1".parse().unwrap()]),
            b"slow.example" => Err(ResolveError::TimedOut),
            b"empty.example" => Ok(Vec::new()),
            _ => Err(ResolveError::NotFound),
        }
    }

    async fn connect(&self, target: SocketAddr) -> Result<DuplexStream, ConnectError> {
        lock(&self.dialled).push(target);
        let next = lock(&self.streams).pop_front();
        next.ok_or_else(|| ConnectError::new("No route to host"))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// Plays a transcript: `S: ` lines are sent, `C: ` lines must come; then the connection stays open
/// until the client closes it.
pub(crate) fn play(mut stream: DuplexStream, transcript: &'static str) -> JoinHandle<()> {
    tokio::spawn(async move {
        // What was sent ahead of the replies.
        let mut held = Vec::new();
        for line in transcript
            .lines()
            .map(str::trim_start)
            .filter(|line| !line.is_empty())
        {
            if let Some(text) = line.strip_prefix("S: ") {
                stream
                    .write_all(format!("{text}\r\n").as_bytes())
                    .await
                    .unwrap();
            } else {
                let end = loop {
                    if let Some(end) = held.windows(2).position(|two| two == b"\r\n") {
                        break end + 2;
                    }
                    let count = stream.read_buf(&mut held).await.unwrap();
                    assert_ne!(count, 0, "closed before {line}");
                };
                let bytes: Vec<u8> = held.drain(..end).collect();
                // Telnet's Synch before ABOR, which the scripts show as one NUL.
                let bytes = match bytes.strip_prefix(b"\xff\xf4\xff\xf2") {
                    Some(rest) => [b"\0", rest].concat(),
                    None => bytes,
                };
                assert_eq!(
                    format!("C: {}", String::from_utf8_lossy(&bytes).trim_end()),
                    line
                );
            }
        }
        let more = stream.read(&mut [0]).await.unwrap();
        assert!(more == 0 && held.is_empty(), "the client says more");
    })
}

/// Sends the bytes and closes.
pub(crate) fn pour(mut stream: DuplexStream, bytes: &'static [u8]) -> JoinHandle<()> {
    tokio::spawn(async move {
        stream.write_all(bytes).await.ok();
    })
}

/// Sends the bytes again and again until nobody reads any more.
pub(crate) fn flood(mut stream: DuplexStream, bytes: &'static [u8]) -> JoinHandle<()> {
    tokio::spawn(async move { while stream.write_all(bytes).await.is_ok() {} })
}
