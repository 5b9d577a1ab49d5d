//! SOCKS5: RFC 1928, with user and password as in RFC 1929.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Destination;
use super::names::Names;
use crate::dial::{ConnectError, Dial, ResolveError};

/// A [`Dial`] through a SOCKS5 proxy that another [`Dial`] leads to.
#[derive(Debug)]
pub struct Socks5<D> {
    through: D,
    proxy: SocketAddr,
    credentials: Option<(Vec<u8>, Vec<u8>)>,
    names: Names,
}

impl<D: Dial> Socks5<D> {
    /// Through the proxy at this address.
    #[must_use]
    pub fn new(through: D, proxy: SocketAddr) -> Self {
        Self {
            through,
            proxy,
            credentials: None,
            names: Names::default(),
        }
    }

    /// With a user and a password, of which the protocol carries 255 bytes each.
    #[must_use]
    pub fn with_credentials(
        mut self,
        user: impl Into<Vec<u8>>,
        password: impl Into<Vec<u8>>,
    ) -> Self {
        self.credentials = Some((user.into(), password.into()));
        self
    }

    async fn ask(&self, stream: &mut D::Stream, target: SocketAddr) -> Result<(), ConnectError> {
        let methods: &[u8] = match self.credentials {
            None => &[VERSION, 1, NO_AUTHENTICATION],
            Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
        };
        stream.write_all(methods).await?;
        let mut chosen = [0; 2];
        stream.read_exact(&mut chosen).await?;
        match (chosen, &self.credentials) {
            ([VERSION, NO_AUTHENTICATION], _) => {}
            ([VERSION, USER_AND_PASSWORD], Some((user, password))) => {
                let mut request = vec![1];
                push_counted(user, &mut request)?;
                push_counted(password, &mut request)?;
                stream.write_all(&request).await?;
                let mut status = [0; 2];
                stream.read_exact(&mut status).await?;
                let [_, 0] = status else {
                    return Err(ConnectError::new("SOCKS: wrong user or password"));
                };
            }
            _ => return Err(ConnectError::new("SOCKS: no common authentication")),
        }
        let mut request = vec![VERSION, CONNECT, 0];
        match self.names.destination(target.ip()) {
            Destination::Address(IpAddr::V4(ip)) => {
                request.push(IPV4);
                request.extend(ip.octets());
            }
            Destination::Address(IpAddr::V6(ip)) => {
                request.push(IPV6);
                request.extend(ip.octets());
            }
            Destination::Name(name) => {
                request.push(NAME);
                push_counted(&name, &mut request)?;
            }
        }
        request.extend(target.port().to_be_bytes());
        stream.write_all(&request).await?;
        let mut head = [0; 4];
        stream.read_exact(&mut head).await?;
        let [_, status, _, kind] = head;
        if status != 0 {
            return Err(ConnectError::new(refusal(status)));
        }
        // The address the proxy connects from: of no interest, but it has to be read.
        let length = match kind {
            IPV4 => 4,
            IPV6 => 16,
            NAME => usize::from(stream.read_u8().await?),
            _ => return Err(ConnectError::new("SOCKS: malformed answer")),
        };
        let mut rest = vec![0; length + 2];
        stream.read_exact(&mut rest).await?;
        Ok(())
    }
}

impl<D: Dial> Dial for Socks5<D> {
    type Stream = D::Stream;

    async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        let address = self.names.address(host).ok_or(ResolveError::NotFound)?;
        Ok(vec![address])
    }

    async fn connect(&self, target: SocketAddr) -> Result<Self::Stream, ConnectError> {
        let mut stream = self.through.connect(self.proxy).await?;
        self.ask(&mut stream, target).await?;
        Ok(stream)
    }

    fn send_urgent(&self, stream: &Self::Stream, byte: u8) -> std::io::Result<()> {
        // The proxy would hand it on in line, or not at all.
        let _unused = (stream, byte);
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

fn push_counted(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ConnectError> {
    let count = u8::try_from(bytes.len())
        .map_err(|_| ConnectError::new("SOCKS: a name or password is longer than 255 bytes"))?;
    out.push(count);
    out.extend(bytes);
    Ok(())
}

/// The words for a refusal, those of the system where it has some. RFC 1928 §6.
const fn refusal(status: u8) -> &'static str {
    match status {
        2 => "SOCKS: connection not allowed",
        3 => "Network is unreachable",
        4 => "No route to host",
        5 => "Connection refused",
        6 => "Connection timed out",
        7 => "SOCKS: command not supported",
        8 => "SOCKS: address type not supported",
        _ => "SOCKS: general failure",
    }
}

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
