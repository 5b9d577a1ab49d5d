//! How connections are made: directly, or through a proxy.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use ftp_client::dial::{ConnectError, Dial, Listening, ResolveError, Tcp};
use ftp_client::proxy::{HttpConnect, Socks5};
use tokio::net::TcpStream;

use crate::text::printable;

/// Directly, or through a proxy; clones share what a proxy has learned.
#[derive(Clone, Debug)]
pub enum Route {
    /// Straight to the server.
    Direct,
    /// Through SOCKS5; names are looked up by the proxy.
    Socks(Arc<Socks5<Tcp>>),
    /// Through HTTP CONNECT.
    Http(Arc<HttpConnect<Tcp>>),
}

impl Route {
    /// Through the proxy of this URL: `socks5://[USER:PASSWORD@]HOST:PORT` or `http://…`.
    ///
    /// Looks the proxy's name up, and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// A sentence for the user, without the password.
    pub fn through(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or("expected socks5://HOST:PORT or http://HOST:PORT")?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (login.split_once(':').or(Some((login, ""))), place),
            None => (None, rest),
        };
        let address = place
            .to_socket_addrs()
            .map_err(|error| format!("{}: {error}", printable(place.as_bytes())))?
            .next()
            .ok_or("the proxy has no address")?;
        match scheme {
            "socks5" | "socks5h" => {
                let proxy = Socks5::new(Tcp, address);
                let proxy = match login {
                    Some((user, password)) => proxy.with_credentials(user, password),
                    None => proxy,
                };
                Ok(Self::Socks(Arc::new(proxy)))
            }
            "http" => {
                let proxy = HttpConnect::new(Tcp, address);
                let proxy = match login {
                    Some((user, password)) => proxy.with_credentials(user, password),
                    None => proxy,
                };
                Ok(Self::Http(Arc::new(proxy)))
            }
            _ => Err("expected socks5://HOST:PORT or http://HOST:PORT".to_owned()),
        }
    }
}

impl Dial for Route {
    type Stream = TcpStream;

    async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        match self {
            Self::Direct => Tcp.resolve(host).await,
            Self::Socks(proxy) => proxy.resolve(host).await,
            Self::Http(proxy) => proxy.resolve(host).await,
        }
    }

    async fn connect(&self, target: SocketAddr) -> Result<TcpStream, ConnectError> {
        match self {
            Self::Direct => Tcp.connect(target).await,
            Self::Socks(proxy) => proxy.connect(target).await,
            Self::Http(proxy) => proxy.connect(target).await,
        }
    }

    async fn listen(&self, control: &TcpStream) -> Result<Listening<TcpStream>, ConnectError> {
        match self {
            Self::Direct => Tcp.listen(control).await,
            Self::Socks(_) | Self::Http(_) => {
                Err(ConnectError::new("active mode does not go through a proxy"))
            }
        }
    }

    fn send_urgent(&self, stream: &TcpStream, byte: u8) -> io::Result<()> {
        match self {
            Self::Direct => Tcp.send_urgent(stream, byte),
            Self::Socks(_) | Self::Http(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_its_url_and_its_password_is_not_repeated() {
        assert!(matches!(
            Route::through("socks5://u:p@127.0.0.1:1080"),
            Ok(Route::Socks(_))
        ));
        assert!(matches!(
            Route::through("http://127.0.0.1:3128/"),
            Ok(Route::Http(_))
        ));
        for bad in [
            "127.0.0.1:1080",
            "ftp://127.0.0.1:1",
            "socks5://u:hunter2@nowhere",
        ] {
            let error = Route::through(bad).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
