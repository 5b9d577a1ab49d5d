//! Why something failed: in which phase, for what cause, with what the server said.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ftp_proto::argument::ArgumentError;
use ftp_proto::reply::{Class, Code, ReplyError};
use ftp_proto::{Reply, Verb};

use crate::dial::{ConnectError, ResolveError};

/// The point of a session at which something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The host's name was being looked up.
    Resolve,
    /// The control connection was being made.
    Connect,
    /// The server's first word was awaited.
    Greeting,
    /// AUTH, the TLS handshake of the control connection, PBSZ or PROT.
    Secure,
    /// USER, PASS or ACCT.
    Login,
    /// This command was being sent or answered, and no data connection was involved.
    Command(Verb),
    /// A line of the caller's own was being sent or answered.
    Quote,
    /// The data connection for this command was being made.
    DataConnect(Verb),
    /// The bytes this command asked for were moving.
    Transfer(Verb),
    /// All bytes had moved; the server's last word about this command was awaited.
    Final(Verb),
}

/// What went wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The host has no address.
    Resolve(ResolveError),
    /// No connection was made.
    Connect(ConnectError),
    /// The server said no, or something that does not fit.
    Refused(Reply),
    /// The server closed the connection while it owed a reply.
    Closed,
    /// What the server said is no reply.
    Unreadable(ReplyError),
    /// A connection failed.
    Io(Arc<io::Error>),
    /// TLS failed: certificate, handshake, or an alert of the server.
    Tls(Arc<io::Error>),
    /// Nothing happened for this long.
    Timeout(Duration),
    /// The reply should name an address, a path or a number, and does not.
    Malformed(Reply),
    /// A path or name cannot be sent; nothing was.
    Argument(ArgumentError),
    /// The data connection came from, or would lead to, somebody else than the server.
    ForeignAddress(std::net::SocketAddr),
    /// The data ended early: without TLS's goodbye, or before the size that was expected.
    Truncated {
        /// Bytes that came.
        received: u64,
        /// Bytes that should have come, if that is known.
        expected: Option<u64>,
    },
    /// The server sent more than the named limit of [`crate::Limits`] allows.
    TooMuch {
        /// Its name.
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// Neither the server nor the configuration offers this.
    Unsupported(&'static str),
}

/// Why something failed.
///
/// Cheap to clone; sizes of replies inside are bounded by [`ftp_proto::reply::MAX_REPLY_BYTES`].
#[derive(Clone, Debug)]
pub struct Error(Box<(Phase, Cause)>);

impl Error {
    /// An error of this phase and cause.
    #[must_use]
    pub fn new(phase: Phase, cause: Cause) -> Self {
        Self(Box::new((phase, cause)))
    }

    /// When it happened.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.0
    }

    /// What happened.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.0.1
    }

    /// What the server said, if it said anything.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match self.cause() {
            Cause::Refused(reply) | Cause::Malformed(reply) => Some(reply),
            _ => None,
        }
    }

    /// The code of what the server said.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.reply().map(Reply::code)
    }

    /// Whether the same may succeed later: a 4xx reply, a deadline, a connection that broke.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self.cause() {
            Cause::Refused(reply) => reply.code().class() == Class::TransientFailure,
            Cause::Resolve(error) => *error == ResolveError::TimedOut,
            Cause::Connect(_)
            | Cause::Closed
            | Cause::Io(_)
            | Cause::Timeout(_)
            | Cause::Truncated { .. } => true,
            _ => false,
        }
    }

    /// Whether the control connection is lost and the session with it.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        match self.cause() {
            Cause::Refused(reply) => reply.code() == Code::SERVICE_UNAVAILABLE,
            Cause::Closed | Cause::Unreadable(_) | Cause::Resolve(_) | Cause::Tls(_) => true,
            Cause::Connect(_) => self.phase() == Phase::Connect,
            Cause::Io(_) | Cause::Timeout(_) => {
                !matches!(self.phase(), Phase::DataConnect(_) | Phase::Transfer(_))
            }
            _ => false,
        }
    }

    /// Whether the server has no room for one more session: 421 at the greeting, or one of the
    /// texts that come with 421 and 530 (`too many connections`, `maximum number of clients`).
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        let Some(reply) = self.reply() else {
            return false;
        };
        let early = matches!(self.phase(), Phase::Greeting | Phase::Login);
        if early && reply.code() == Code::SERVICE_UNAVAILABLE {
            return true;
        }
        let text = reply.text().to_ascii_lowercase();
        let says = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
        let about_numbers = says(b"too many") || says(b"maximum number") || says(b"limit reached");
        early && reply.code() == Code::NOT_LOGGED_IN && about_numbers
    }

    /// What a person could try, if anything comes to mind.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match (self.phase(), self.cause()) {
            (Phase::Resolve, _) => Some("check the host name and the network"),
            (Phase::Connect, _) => Some("check host, port and firewall"),
            (Phase::Greeting, Cause::Unreadable(_)) => Some(
                "this is no FTP server; check the port (SFTP, on port 22, is another protocol)",
            ),
            (Phase::Secure, Cause::Tls(_)) => Some(
                "check the certificate; name a CA, pin its fingerprint, or allow it explicitly",
            ),
            (Phase::Secure, Cause::Refused(_)) => Some(
                "the server does not offer TLS this way; try the other of explicit and implicit",
            ),
            (Phase::Login, Cause::Refused(_)) if self.is_crowded() => {
                Some("the server is full; try later or with fewer connections")
            }
            (Phase::Login, _) => Some("check user name and password; some servers want TLS first"),
            (Phase::DataConnect(_), Cause::Refused(reply)) if reply.code().number() == 522 => Some(
                "the server wants TLS on the data connection, with the session of the control connection",
            ),
            (Phase::DataConnect(_), _) => Some(
                "a firewall may block data connections; try the other of passive and active mode",
            ),
            (Phase::Transfer(_) | Phase::Final(_), cause)
                if !matches!(cause, Cause::TooMuch { .. }) =>
            {
                Some("what has arrived is kept; the transfer can be resumed")
            }
            (Phase::Command(_), Cause::Refused(reply)) if reply.code() == Code::NOT_LOGGED_IN => {
                Some("log in first")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve => f.write_str("looking up the host"),
            Self::Connect => f.write_str("connecting"),
            Self::Greeting => f.write_str("greeting"),
            Self::Secure => f.write_str("securing the connection"),
            Self::Login => f.write_str("login"),
            Self::Command(verb) => verb.fmt(f),
            Self::Quote => f.write_str("command"),
            Self::DataConnect(verb) => write!(f, "data connection for {verb}"),
            Self::Transfer(verb) => write!(f, "transfer ({verb})"),
            Self::Final(verb) => write!(f, "end of transfer ({verb})"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Refused(reply) => write!(f, "the server said: {reply}"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Unreadable(error) => error.fmt(f),
            Self::Io(error) => f.write_str(&crate::dial::words(error)),
            Self::Tls(error) => {
                // What our own verifiers say is nothing unexpected.
                let text = error.to_string();
                let text = text.strip_prefix("unexpected error: ").unwrap_or(&text);
                write!(f, "TLS: {text}")
            }
            Self::Timeout(limit) => write!(f, "nothing for {} s", limit.as_secs_f64()),
            Self::Malformed(reply) => write!(f, "cannot make sense of: {reply}"),
            Self::Argument(error) => error.fmt(f),
            Self::ForeignAddress(address) => {
                write!(f, "{address} is not the server's own address")
            }
            Self::Truncated {
                received,
                expected: Some(expected),
            } => write!(f, "only {received} of {expected} bytes came"),
            Self::Truncated {
                received,
                expected: None,
            } => write!(f, "the data was cut off after {received} bytes"),
            Self::TooMuch { limit, value } => write!(f, "more than {value} ({limit})"),
            Self::Unsupported(what) => write!(f, "not offered: {what}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.phase(), self.cause())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.cause() {
            Cause::Resolve(error) => Some(error),
            Cause::Connect(error) => Some(error),
            Cause::Unreadable(error) => Some(error),
            Cause::Io(error) | Cause::Tls(error) => Some(error),
            Cause::Argument(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    /// For the streams of a transfer, whose traits want an [`io::Error`]; [`Error`] is inside.
    fn from(error: Error) -> Self {
        let kind = match error.cause() {
            Cause::Timeout(_) => io::ErrorKind::TimedOut,
            Cause::Closed | Cause::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            Cause::Io(inner) | Cause::Tls(inner) => inner.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
