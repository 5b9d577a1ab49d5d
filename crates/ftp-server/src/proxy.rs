//! The PROXY protocol: who the client is when a load balancer stands between.
//!
//! HAProxy's `proxy-protocol.txt`, versions 1 (a line of text) and 2 (binary). Only headers from
//! proxies the operator trusts are read at all; from everybody else the first bytes are FTP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use tokio::net::TcpStream;

use crate::connection::canonical;

/// Longest header of version 1, CRLF included, as the specification has it.
const MAX_LINE_BYTES: usize = 107;

/// First bytes of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes of version 2 before the addresses.
const HEAD_BYTES: usize = 16;

/// Longest part behind the head that is read, in bytes. Addresses need 36; the rest are additions
/// that tell about TLS and the like, and 536 is what the specification guarantees to fit at once.
const MAX_TAIL_BYTES: usize = 536;

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct Trusted(Vec<IpNet>);

impl Trusted {
    /// Nobody.
    #[must_use]
    pub const fn nobody() -> Self {
        Self(Vec::new())
    }

    /// Whether this is one of them; IPv4 addresses mapped into IPv6 count as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromIterator<IpNet> for Trusted {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// Who a header says the client is, and which address it dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) client: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// More bytes are needed, this many at least in all.
    Short(usize),
    /// It is none.
    Bad,
}

/// Reads the header off a connection, and nothing behind it; `None` if the proxy speaks for itself.
///
/// # Errors
///
/// The socket's; [`io::ErrorKind::InvalidData`] for anything that is no header.
pub(crate) async fn read(stream: &TcpStream) -> io::Result<Option<Header>> {
    let mut seen = [0; HEAD_BYTES + MAX_TAIL_BYTES];
    let mut wanted = 1;
    loop {
        stream.readable().await?;
        let count = match rustix::net::recv(stream, &mut seen, rustix::net::RecvFlags::PEEK) {
            Ok((count, _)) => count,
            Err(rustix::io::Errno::AGAIN) => {
                // Clears the readiness that was none.
                forget_readiness(stream)?;
                continue;
            }
            Err(errno) => return Err(errno.into()),
        };
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if count < wanted {
            // The rest is on its way; peeking again at once would only burn the processor.
            tokio::time::sleep(PEEK_PAUSE).await;
            continue;
        }
        match parse(seen.get(..count).unwrap_or_default()) {
            Ok((header, length)) => {
                take(stream, length)?;
                return Ok(header);
            }
            Err(HeaderError::Short(least)) => wanted = least,
            Err(HeaderError::Bad) => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Between two looks at a header that came in pieces, which a proxy has no reason to send.
const PEEK_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

fn forget_readiness(stream: &TcpStream) -> io::Result<()> {
    match stream.try_io(tokio::io::Interest::READABLE, || {
        Err::<(), _>(io::ErrorKind::WouldBlock.into())
    }) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        result => result,
    }
}

fn take(stream: &TcpStream, length: usize) -> io::Result<()> {
    let mut taken = [0; HEAD_BYTES + MAX_TAIL_BYTES];
    let mut left = length;
    while left > 0 {
        let piece = taken.get_mut(..left).ok_or(io::ErrorKind::InvalidData)?;
        left -= stream.try_read(piece)?;
    }
    Ok(())
}

/// Reads a header from the front of `bytes`; also gives its length.
fn parse(bytes: &[u8]) -> Result<(Option<Header>, usize), HeaderError> {
    let signature = bytes.get(..SIGNATURE.len()).unwrap_or(bytes);
    if SIGNATURE.starts_with(signature) {
        return parse_binary(bytes);
    }
    let start = bytes.get(..6).unwrap_or(bytes);
    if !b"PROXY ".starts_with(start) {
        return Err(HeaderError::Bad);
    }
    let line = bytes.get(..MAX_LINE_BYTES).unwrap_or(bytes);
    let Some(end) = line.windows(2).position(|pair| pair == b"\r\n") else {
        return Err(if bytes.len() < MAX_LINE_BYTES {
            HeaderError::Short(bytes.len() + 1)
        } else {
            HeaderError::Bad
        });
    };
    let text = line.get(..end).and_then(|line| str::from_utf8(line).ok());
    let header = parse_line(text.ok_or(HeaderError::Bad)?)?;
    Ok((header, end + 2))
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 4000 21`.
fn parse_line(line: &str) -> Result<Option<Header>, HeaderError> {
    let mut words = line.split(' ').skip(1);
    let family = words.next().ok_or(HeaderError::Bad)?;
    if family == "UNKNOWN" {
        return Ok(None);
    }
    let mut address = || -> Option<IpAddr> {
        let address: IpAddr = words.next()?.parse().ok()?;
        let fits = match family {
            "TCP4" => address.is_ipv4(),
            "TCP6" => address.is_ipv6(),
            _ => false,
        };
        fits.then_some(address)
    };
    let (client, local) = (address(), address());
    let mut port = || -> Option<u16> { words.next()?.parse().ok() };
    let (client_port, local_port) = (port(), port());
    match (client, local, client_port, local_port, words.next()) {
        (Some(client), Some(local), Some(client_port), Some(local_port), None) => {
            Ok(Some(Header {
                client: canonical((client, client_port).into()),
                local: canonical((local, local_port).into()),
            }))
        }
        _ => Err(HeaderError::Bad),
    }
}

fn parse_binary(bytes: &[u8]) -> Result<(Option<Header>, usize), HeaderError> {
    let Some((head, tail)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
        return Err(HeaderError::Short(HEAD_BYTES));
    };
    let &[.., command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_TAIL_BYTES {
        return Err(HeaderError::Bad);
    }
    let Some(tail) = tail.get(..length) else {
        return Err(HeaderError::Short(HEAD_BYTES + length));
    };
    let header = match (command, family) {
        // LOCAL: the proxy's own check of our health.
        (0x20, _) => None,
        (0x21, 0x11) => {
            let (client, tail) = tail.split_first_chunk::<4>().ok_or(HeaderError::Bad)?;
            let (local, tail) = tail.split_first_chunk::<4>().ok_or(HeaderError::Bad)?;
            Some(ports(
                Ipv4Addr::from(*client).into(),
                Ipv4Addr::from(*local).into(),
                tail,
            )?)
        }
        (0x21, 0x21) => {
            let (client, tail) = tail.split_first_chunk::<16>().ok_or(HeaderError::Bad)?;
            let (local, tail) = tail.split_first_chunk::<16>().ok_or(HeaderError::Bad)?;
            Some(ports(
                Ipv6Addr::from(*client).into(),
                Ipv6Addr::from(*local).into(),
                tail,
            )?)
        }
        // Not TCP, or nothing the proxy could tell.
        (0x21, 0x00) => None,
        _ => return Err(HeaderError::Bad),
    };
    Ok((header, HEAD_BYTES + length))
}

fn ports(client: IpAddr, local: IpAddr, tail: &[u8]) -> Result<Header, HeaderError> {
    let Some(&[a, b, c, d]) = tail.first_chunk::<4>() else {
        return Err(HeaderError::Bad);
    };
    Ok(Header {
        client: canonical((client, u16::from_be_bytes([a, b])).into()),
        local: canonical((local, u16::from_be_bytes([c, d])).into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(client: &str, local: &str) -> Option<Header> {
        Some(Header {
            client: client.parse().unwrap(),
            local: local.parse().unwrap(),
        })
    }

    #[test]
    fn the_line_of_version_1_is_read_to_its_end_and_no_further() {
        let bytes = b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 21\r\nUSER x\r\n";
        let expected = header("192.0.2.1:4000", "192.0.2.2:21");
        assert_eq!(parse(bytes), Ok((expected, 40)));
        let bytes = b"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 1 21\r\n";
        let expected = header("[2001:db8::1]:1", "192.0.2.2:21");
        assert_eq!(parse(bytes), Ok((expected, bytes.len())));
        let bytes = b"PROXY UNKNOWN ffff::1 whatever\r\n";
        assert_eq!(parse(bytes), Ok((None, bytes.len())));
    }

    #[test]
    fn what_is_no_header_is_refused_at_once() {
        for bad in [
            &b"USER anna\r\n"[..],
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4000\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 21 x\r\n",
            b"PROXY TCP4 2001:db8::1 192.0.2.2 4000 21\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 65536\r\n",
            b"PROXY TCP5 192.0.2.1 192.0.2.2 4000 21\r\n",
            b"PROXY\n",
            &[b"PROXY ", &[b'x'; 200][..]].concat(),
            &[SIGNATURE, &[0x21, 0x11, 0xff, 0xff][..]].concat(),
            &[SIGNATURE, &[0x31, 0x11, 0, 0][..]].concat(),
            &[SIGNATURE, &[0x21, 0x11, 0, 4, 1, 2, 3, 4][..]].concat(),
        ] {
            assert_eq!(parse(bad), Err(HeaderError::Bad), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn every_beginning_of_a_header_asks_for_more() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 21\r\n".to_vec();
        let mut binary = SIGNATURE.to_vec();
        binary.extend([
            0x21, 0x11, 0, 15, 192, 0, 2, 1, 192, 0, 2, 2, 15, 160, 0, 21,
        ]);
        binary.extend([1, 2, 3]);
        for whole in [&line, &binary] {
            let expected = header("192.0.2.1:4000", "192.0.2.2:21");
            assert_eq!(parse(whole), Ok((expected, whole.len())));
            for length in 1..whole.len() {
                let result = parse(&whole[..length]);
                assert!(matches!(result, Err(HeaderError::Short(least)) if least > length));
            }
        }
    }
}
