//! What a protocol author writes: hooks that see requests and give answers.

mod line;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;

use ftp_proto::{Code, Command, CommandError, Reply};

pub use self::line::Line;
use crate::connection::Connection;

/// The hooks of a service.
///
/// A panic in one of them ends that connection with `421` and no other. Errors are those of the
/// connection and end it.
pub trait Handler: Send + Sync + 'static {
    /// What is kept for one connection.
    type Session: Send;

    /// The listeners stand, nobody is let in yet.
    ///
    /// # Errors
    ///
    /// Any error keeps the service from starting.
    fn service_start(&self, service: &Service) -> impl Future<Output = io::Result<()>> + Send {
        let _ = service;
        std::future::ready(Ok(()))
    }

    /// A client is there; greet it here.
    fn on_connect(
        &self,
        connection: &mut Connection,
    ) -> impl Future<Output = io::Result<Self::Session>> + Send;

    /// A line has come, understood or not: [`Request::command`] says which, and the session goes on
    /// either way unless the answer closes it.
    fn on_request(
        &self,
        session: &mut Self::Session,
        request: Request,
        connection: &mut Connection,
    ) -> impl Future<Output = io::Result<Answer>> + Send;

    /// What to say to a client whose connection is closed for a reason of ours.
    fn on_close(&self, session: &mut Self::Session, why: &Disconnect) -> Option<Reply> {
        let _ = (session, why);
        Some(Reply::new(Code::SERVICE_UNAVAILABLE, UNAVAILABLE))
    }

    /// The connection is gone. Runs once for every successful [`Handler::on_connect`].
    fn on_disconnect(
        &self,
        session: Self::Session,
        connection: &Connection,
        why: &Disconnect,
    ) -> impl Future<Output = ()> + Send {
        let _ = (session, connection, why);
        std::future::ready(())
    }
}

/// What [`Handler::service_start`] is told.
#[derive(Clone, Debug)]
pub struct Service {
    /// The addresses clients can dial.
    pub addresses: Vec<SocketAddr>,
}

/// One line of a client.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The line without its end; empty if it was too long to keep.
    pub line: Line,
    /// What it says, or why it says nothing.
    pub command: Result<Command, CommandError>,
}

impl Request {
    /// Reads a line without its end.
    #[must_use]
    pub fn new(line: impl Into<Line>) -> Self {
        let line = line.into();
        let command = Command::parse(&line);
        Self { line, command }
    }

    /// The request for a line that was over the limit.
    #[must_use]
    pub const fn too_long() -> Self {
        Self {
            line: Line::EMPTY,
            command: Err(CommandError::TooLong),
        }
    }
}

impl fmt::Display for Request {
    /// Writes the line for a log, what is not printable ASCII escaped, a password as `…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.line.get(..4).unwrap_or(&self.line);
        if verb.eq_ignore_ascii_case(b"PASS") {
            f.write_str("PASS …")
        } else {
            write!(f, "{}", self.line.escape_ascii())
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({self})")
    }
}

/// The end of a request: one reply, and whether the connection goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `None` if the handler has sent all replies itself, with [`Connection::reply`].
    pub reply: Option<Reply>,
    /// Whether the connection is closed then.
    pub close: bool,
}

impl Answer {
    /// One reply; the connection goes on.
    #[must_use]
    pub fn reply(code: Code, text: impl AsRef<[u8]>) -> Self {
        Self {
            reply: Some(Reply::new(code, text)),
            close: false,
        }
    }

    /// One last reply.
    #[must_use]
    pub fn close(code: Code, text: impl AsRef<[u8]>) -> Self {
        Self {
            reply: Some(Reply::new(code, text)),
            close: true,
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disconnect {
    /// An answer closed it.
    Answered,
    /// The client closed it.
    Client,
    /// The client was silent for too long.
    Idle,
    /// The server is stopping.
    Shutdown,
    /// The operator has ended it, with [`crate::Controls::disconnect`].
    Operator,
    /// The connection broke, or a hook returned this error.
    Error(io::ErrorKind),
    /// A hook panicked.
    Panic,
}

impl Disconnect {
    /// Whether it was for a reason of ours, so that the client ought to be told.
    pub(crate) const fn is_ours(&self) -> bool {
        match self {
            Self::Idle | Self::Shutdown | Self::Operator | Self::Panic => true,
            Self::Answered | Self::Client | Self::Error(_) => false,
        }
    }
}

impl fmt::Display for Disconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("closed"),
            Self::Client => f.write_str("closed by client"),
            Self::Idle => f.write_str("idle"),
            Self::Shutdown => f.write_str("server stops"),
            Self::Operator => f.write_str("ended by the operator"),
            Self::Error(kind) => write!(f, "{kind}"),
            Self::Panic => f.write_str("panic"),
        }
    }
}

/// The text of RFC 959 §5.4 for `421`.
pub(crate) const UNAVAILABLE: &str = "Service not available, closing control connection.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_get_into_the_log() {
        assert_eq!(Request::new(b"pass secret".to_vec()).to_string(), "PASS …");
        assert_eq!(Request::new(b"NOOP\xff".to_vec()).to_string(), "NOOP\\xff");
    }
}
