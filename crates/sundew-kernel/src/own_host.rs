//! Connections of a machine to itself: its own daemons greet whoever comes over the loopback, and nothing
//! leaves the machine. What is not the machine's own goes on to the network it was given.
//!
//! A daemon says its first line, hears the answer's first line and hangs up: enough to be found by
//! `nc`, `curl telnet://` and `/dev/tcp`, not enough to log in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use sundew_vfs::Errno;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

use crate::machine::Kernel;
use crate::network::{Datagrams, Network, ResolveError, Stream};
use crate::socket::Protocol;

/// Bytes on their way in one direction of such a connection.
const PIPE_BYTES: usize = 4096;
/// Bytes a daemon hears before it hangs up: RFC 4253 §4.2 allows a first line of 255.
const HEARD_BYTES: usize = 255;

/// A machine's network with the machine itself in it.
pub(crate) struct OwnHost {
    outside: Arc<dyn Network>,
    /// Ports that daemons listen on, with the line they say first.
    listeners: Vec<(u16, Vec<u8>)>,
    addresses: Vec<IpAddr>,
}

impl OwnHost {
    pub(crate) fn new(kernel: &Kernel) -> Self {
        let sockets = kernel.sockets().into_iter();
        let listening = sockets.filter(|one| one.protocol == Protocol::Tcp && one.remote.is_none());
        let mut listeners: Vec<(u16, Vec<u8>)> = listening
            .filter_map(|one| {
                let owner = kernel.process(one.pid)?.summary(kernel).name;
                // Others take what is said and keep silent.
                let says = if owner == b"sshd" || owner == b"dropbear" {
                    kernel.facts.ssh_identification.clone()
                } else {
                    Vec::new()
                };
                Some((one.local.port(), says))
            })
            .collect();
        listeners.dedup();
        let own = kernel.facts.interfaces.iter();
        let addresses = own.filter_map(|one| Some(IpAddr::from(one.ipv4?.0)));
        Self {
            outside: Arc::clone(&kernel.network),
            listeners,
            addresses: addresses.collect(),
        }
    }

    /// What the machine's own daemon at that end says first, if there is one.
    fn greeting(&self, target: SocketAddr) -> Option<Vec<u8>> {
        let ip = target.ip().to_canonical();
        let own = ip.is_loopback() || ip.is_unspecified() || self.addresses.contains(&ip);
        let mut listeners = self.listeners.iter().filter(|_| own);
        let found = listeners.find(|(port, _)| *port == target.port());
        found.map(|(_, says)| says.clone())
    }
}

impl Network for OwnHost {
    fn resolve(&self, host: &[u8]) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        match numeric(host) {
            Some(address) => Box::pin(std::future::ready(Ok(vec![address.into()]))),
            None => self.outside.resolve(host),
        }
    }

    fn connect(&self, target: SocketAddr) -> BoxFuture<'static, Result<Box<dyn Stream>, Errno>> {
        let Some(greeting) = self.greeting(target) else {
            return self.outside.connect(target);
        };
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let served = self.outside.run_transfer(Box::pin(serve(far, greeting)));
        let answer = served.map(|()| Box::new(Own { near, peer: target }) as Box<dyn Stream>);
        Box::pin(std::future::ready(answer.map_err(|_| Errno::Econnrefused)))
    }

    fn run_transfer(&self, transfer: BoxFuture<'static, ()>) -> Result<(), Errno> {
        self.outside.run_transfer(transfer)
    }

    fn datagrams(&self, host: IpAddr) -> BoxFuture<'static, Result<Box<dyn Datagrams>, Errno>> {
        self.outside.datagrams(host)
    }

    fn connect_datagram(
        &self,
        target: SocketAddr,
    ) -> BoxFuture<'static, Result<Box<dyn Stream>, Errno>> {
        self.outside.connect_datagram(target)
    }
}

/// One daemon's side. Whoever hears nothing more of the other side hangs up too.
async fn serve(mut far: DuplexStream, greeting: Vec<u8>) {
    if far.write_all(&greeting).await.is_err() {
        return;
    }
    let mut heard = 0;
    while heard < HEARD_BYTES {
        match far.read_u8().await {
            Ok(b'\n') if !greeting.is_empty() => break,
            Ok(_) => heard += 1,
            Err(_) => return,
        }
    }
}

/// The program's side.
struct Own {
    near: DuplexStream,
    peer: SocketAddr,
}

impl Stream for Own {
    fn peer(&self) -> SocketAddr {
        self.peer
    }
}

impl AsyncRead for Own {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.near).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Own {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.near).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.near).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.near).poll_shutdown(cx)
    }
}

/// An IPv4 address in the shapes of inet_aton(3): `127.1`, `0x7f000001`, `2130706433`, `0177.0.0.1`.
pub fn numeric(text: &[u8]) -> Option<Ipv4Addr> {
    let text = std::str::from_utf8(text).ok()?;
    let parts: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|part| *part > 255) {
        return None;
    }
    let room = 32 - 8 * u32::try_from(first.len()).ok()?;
    if u64::from(*last) >> room != 0 {
        return None;
    }
    let high = first
        .iter()
        .zip([24, 16, 8])
        .fold(0, |sum, (part, shift)| sum | part << shift);
    Some(Ipv4Addr::from(high | last))
}

fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_many_shapes() {
        let local = Some(Ipv4Addr::LOCALHOST);
        for text in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
        ] {
            assert_eq!(numeric(text.as_bytes()), local, "{text}");
        }
        assert_eq!(numeric(b"0"), Some(Ipv4Addr::UNSPECIFIED));
        for text in [
            "",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.256",
            "web01",
            "1.",
            "+1",
            "0x",
            "4294967296",
        ] {
            assert_eq!(numeric(text.as_bytes()), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_daemon_greets_hears_a_line_and_hangs_up() {
        let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
        let served = serve(far, b"SSH-2.0-x\r\n".to_vec());
        let asked = async {
            near.write_all(b"SSH-2.0-y\r\n").await.unwrap();
            let mut all = Vec::new();
            near.read_to_end(&mut all).await.unwrap();
            all
        };
        let ((), all) = futures_util::future::join(served, asked).await;
        assert_eq!(all, b"SSH-2.0-x\r\n");
    }
}
