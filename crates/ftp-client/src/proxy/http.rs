//! HTTP CONNECT: RFC 9110 §9.3.6, with basic credentials (RFC 7617).

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Destination;
use super::names::Names;
use crate::dial::{ConnectError, Dial, ResolveError};

/// Most bytes of a proxy's answer, in bytes: status line and headers. Past the limit the connection
/// is given up.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// A [`Dial`] through an HTTP proxy that another [`Dial`] leads to.
#[derive(Debug)]
pub struct HttpConnect<D> {
    through: D,
    proxy: SocketAddr,
    authorization: Option<String>,
    names: Names,
}

impl<D: Dial> HttpConnect<D> {
    /// Through the proxy at this address.
    #[must_use]
    pub fn new(through: D, proxy: SocketAddr) -> Self {
        Self {
            through,
            proxy,
            authorization: None,
            names: Names::default(),
        }
    }

    /// With basic credentials; the proxy connection is not encrypted.
    #[must_use]
    pub fn with_credentials(mut self, user: &str, password: &str) -> Self {
        self.authorization = Some(base64(format!("{user}:{password}").as_bytes()));
        self
    }

    fn request(&self, target: SocketAddr) -> String {
        let port = target.port();
        let authority = match self.names.destination(target.ip()) {
            Destination::Name(name) => format!("{}:{port}", String::from_utf8_lossy(&name)),
            Destination::Address(ip) => SocketAddr::new(ip, port).to_string(),
        };
        let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if let Some(authorization) = &self.authorization {
            request += &format!("Proxy-Authorization: Basic {authorization}\r\n");
        }
        request + "\r\n"
    }
}

impl<D: Dial> Dial for HttpConnect<D> {
    type Stream = D::Stream;

    async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        let address = self.names.address(host).ok_or(ResolveError::NotFound)?;
        Ok(vec![address])
    }

    async fn connect(&self, target: SocketAddr) -> Result<Self::Stream, ConnectError> {
        let mut stream = self.through.connect(self.proxy).await?;
        stream.write_all(self.request(target).as_bytes()).await?;
        let mut answer = Vec::new();
        // Byte by byte: what follows the headers belongs to the server.
        while !answer.ends_with(b"\r\n\r\n") && !answer.ends_with(b"\n\n") {
            if answer.len() == MAX_ANSWER_BYTES {
                return Err(ConnectError::new("HTTP proxy: the answer is too long"));
            }
            answer.push(stream.read_u8().await?);
        }
        let line = answer
            .split(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        let status = line.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        if line.starts_with(b"HTTP/1.") && status.first() == Some(&b'2') && status.len() == 3 {
            return Ok(stream);
        }
        let line = line.trim_ascii().escape_ascii();
        Err(ConnectError::new(format!("HTTP proxy: {line}")))
    }
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0_usize, |word, index| {
            word << 8 | usize::from(chunk.get(index).copied().unwrap_or_default())
        });
        for place in 0..4 {
            let letter = ALPHABET.get(word >> (18 - 6 * place) & 63);
            text.push(match letter {
                Some(&letter) if place <= chunk.len() => char::from(letter),
                _ => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_written_in_base_64() {
        for (text, expected) in [
            ("", ""),
            ("a", "YQ=="),
            ("ab", "YWI="),
            ("abc", "YWJj"),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
