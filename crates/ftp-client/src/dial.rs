//! How names are looked up and connections are made: handed in by whoever knows the network.
//!
//! On the host that is [`Tcp`]; inside an emulated machine it is the guarded way out. Deadlines, limits
//! on addresses and on the number of connections live in the implementation.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};

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

impl From<std::io::Error> for ConnectError {
    fn from(error: std::io::Error) -> Self {
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
pub fn words(error: &std::io::Error) -> Cow<'static, str> {
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
    use std::net::{IpAddr, SocketAddr};

    use super::{ConnectError, Dial, ResolveError};

    /// The host's own network, through tokio; looking up a name takes a thread of the blocking pool.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Tcp;

    impl Dial for Tcp {
        type Stream = tokio::net::TcpStream;

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
            Ok(tokio::net::TcpStream::connect(target).await?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_strerror() {
        assert_eq!(
            words(&std::io::Error::from_raw_os_error(111)),
            "Connection refused"
        );
        assert_eq!(
            words(&std::io::Error::other("odd (os error 1)")),
            "odd (os error 1)"
        );
    }
}
