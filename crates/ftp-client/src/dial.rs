//! How names are looked up and connections are made: handed in by whoever knows the network.
//!
//! On the host that is `Tcp`; inside an emulated machine it is the guarded way out. Limits on
//! addresses and on the number of connections live in the implementation.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

/// Looks up names and opens stream connections.
pub trait Dial: Send + Sync {
    /// A connection; dropping it closes it.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The addresses of `host`, in the order in which they should be tried.
    ///
    /// # Errors
    ///
    /// [`ResolveError`]; an empty list is taken for [`ResolveError::NotFound`].
    fn resolve(
        &self,
        host: &[u8],
    ) -> impl Future<Output = Result<Vec<IpAddr>, ResolveError>> + Send;

    /// A connection to `target`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] with the words people are shown.
    fn connect(
        &self,
        target: SocketAddr,
    ) -> impl Future<Output = Result<Self::Stream, ConnectError>> + Send;

    /// Listens for one connection from the peer of `control`, for active mode.
    ///
    /// A dialler that cannot (a proxy, a guarded network) keeps this default, which refuses.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] with the words people are shown.
    fn listen(
        &self,
        control: &Self::Stream,
    ) -> impl Future<Output = Result<Listening<Self::Stream>, ConnectError>> + Send {
        let _unused = control;
        async { Err(ConnectError::new("Operation not supported")) }
    }

    /// Sends one byte as TCP urgent data, behind everything written before.
    ///
    /// For ABOR, which RFC 959 wants to arrive past what the server has not read yet. The default
    /// refuses, and the byte then goes with the others.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`], or what the socket says.
    fn send_urgent(&self, stream: &Self::Stream, byte: u8) -> io::Result<()> {
        let _unused = (stream, byte);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A place where one connection is awaited; dropping it gives the place up.
pub struct Listening<S> {
    /// Where the peer is to connect to.
    pub address: SocketAddr,
    /// The next connection and who made it.
    pub accept: Accept<S>,
}

/// Gives the next connection; each call awaits one.
pub type Accept<S> = Box<
    dyn FnMut() -> Pin<Box<dyn Future<Output = Result<(S, SocketAddr), ConnectError>> + Send>>
        + Send,
>;

impl<D: Dial> Dial for Arc<D> {
    type Stream = D::Stream;

    async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        D::resolve(self, host).await
    }

    async fn connect(&self, target: SocketAddr) -> Result<Self::Stream, ConnectError> {
        D::connect(self, target).await
    }

    fn listen(
        &self,
        control: &Self::Stream,
    ) -> impl Future<Output = Result<Listening<Self::Stream>, ConnectError>> + Send {
        D::listen(self, control)
    }

    fn send_urgent(&self, stream: &Self::Stream, byte: u8) -> io::Result<()> {
        D::send_urgent(self, stream, byte)
    }
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// The name does not exist, or is no name.
    NotFound,
    /// Nobody who might know it answered.
    TimedOut,
}

/// Why no connection was made, in the operating system's words: `Connection refused`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectError(Cow<'static, str>);

impl ConnectError {
    /// The error with these words, as `strerror(3)` has them.
    #[must_use]
    pub fn new(words: impl Into<Cow<'static, str>>) -> Self {
        Self(words.into())
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConnectError {}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self(words(&error))
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "the name does not exist",
            Self::TimedOut => "no answer about the name",
        })
    }
}

impl std::error::Error for ResolveError {}

/// What `strerror(3)` says of the error: Rust's text without its `(os error N)`.
#[must_use]
pub fn words(error: &io::Error) -> Cow<'static, str> {
    let text = error.to_string();
    match (error.raw_os_error(), text.rsplit_once(" (os error ")) {
        (Some(_), Some((words, _))) => words.to_owned().into(),
        _ => text.into(),
    }
}

#[cfg(feature = "net")]
pub use self::tcp::Tcp;

#[cfg(feature = "net")]
mod tcp {
    use std::io;
    use std::net::{IpAddr, SocketAddr};
    use std::sync::Arc;
    use std::time::Duration;

    use socket2::{SockRef, TcpKeepalive};
    use tokio::net::{TcpListener, TcpStream};

    use super::{ConnectError, Dial, Listening, ResolveError};

    /// Idle time before TCP asks whether the peer is still there; below the five minutes after which
    /// most routers forget a connection.
    const KEEP_ALIVE: Duration = Duration::from_secs(120);

    /// The host's own network, through tokio; looking up a name takes a thread of the blocking pool.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Tcp;

    impl Dial for Tcp {
        type Stream = TcpStream;

        async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
            let host = std::str::from_utf8(host).map_err(|_| ResolveError::NotFound)?;
            // The C library tells "no such name" and "no answer" apart only in its own codes, which
            // the standard library does not hand on.
            let found = tokio::net::lookup_host((host, 0))
                .await
                .map_err(|_| ResolveError::NotFound)?;
            Ok(found.map(|address| address.ip()).collect())
        }

        async fn connect(&self, target: SocketAddr) -> Result<Self::Stream, ConnectError> {
            let stream = TcpStream::connect(target).await?;
            // Commands are small and waited for; what cannot be set does no harm.
            stream.set_nodelay(true).ok();
            let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE);
            SockRef::from(&stream).set_tcp_keepalive(&keep_alive).ok();
            Ok(stream)
        }

        fn listen(
            &self,
            control: &Self::Stream,
        ) -> impl Future<Output = Result<Listening<Self::Stream>, ConnectError>> + Send {
            let local = control.local_addr();
            async move {
                let mut local = local?;
                local.set_port(0);
                let listener = Arc::new(TcpListener::bind(local).await?);
                let address = listener.local_addr()?;
                let accept = move || {
                    let listener = listener.clone();
                    let next = async move { Ok(listener.accept().await?) };
                    Box::pin(next) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
                };
                Ok(Listening {
                    address,
                    accept: Box::new(accept),
                })
            }
        }

        fn send_urgent(&self, stream: &Self::Stream, byte: u8) -> io::Result<()> {
            SockRef::from(stream).send_out_of_band(&[byte]).map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_strerror() {
        assert_eq!(
            words(&io::Error::from_raw_os_error(111)),
            "Connection refused"
        );
        assert_eq!(
            words(&io::Error::other("odd (os error 1)")),
            "odd (os error 1)"
        );
    }
}
