//! How a transfer ends badly, and the words BusyBox has for it.

use std::net::IpAddr;

use super::host::Words;
use crate::dial::ConnectError;

/// Why the program gives up; everything but [`Failure::BrokenPipe`] is one line on stderr and exit
/// status 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `-P` or the part behind the colon is no port and no service.
    BadPort(Vec<u8>),
    /// HOST has no address.
    BadAddress(Vec<u8>),
    /// No control or no data connection.
    Connect {
        /// Where to.
        address: IpAddr,
        /// Why not.
        error: ConnectError,
    },
    /// The server closed, or said what does not fit.
    Unexpected {
        /// The command that was being answered, if the text names it.
        to: Option<&'static str>,
        /// The server's line up to the first byte that is not printable ASCII, or `EOF`.
        line: Vec<u8>,
    },
    /// A number in a reply is none.
    InvalidNumber(Vec<u8>),
    /// A number in a reply is too large.
    OutOfRange {
        /// The number.
        number: u32,
        /// The largest that would do.
        maximum: u32,
    },
    /// `-c`, and the local file cannot be looked at.
    Stat(Words),
    /// The local file cannot be opened.
    Open {
        /// As typed.
        path: Vec<u8>,
        /// The operating system's words.
        words: Words,
    },
    /// Reading the body failed.
    Read(Words),
    /// Writing the body failed.
    Write(Words),
    /// Writing to nobody: the original dies of SIGPIPE.
    BrokenPipe,
}

impl Failure {
    /// What stands behind `ftpget: `, without the line's end; server bytes in it may be anything.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let quoted = |before: &str, bytes: &[u8]| [before.as_bytes(), b" '", bytes, b"'"].concat();
        match self {
            Self::BadPort(port) => quoted("bad port", port),
            Self::BadAddress(host) => quoted("bad address", host),
            // The original names IPv4 addresses only.
            Self::Connect { address, error } => match address {
                IpAddr::V4(ip) => format!("can't connect to remote host ({ip}): {error}").into(),
                IpAddr::V6(_) => format!("can't connect to remote host: {error}").into(),
            },
            Self::Unexpected { to, line } => {
                let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
                let before = format!("unexpected server response{to}: ");
                [before.as_bytes(), line].concat()
            }
            Self::InvalidNumber(text) => quoted("invalid number", text),
            Self::OutOfRange { number, maximum } => {
                format!("number {number} is not in 0..{maximum} range").into()
            }
            Self::Stat(words) => format!("stat: {words}").into(),
            Self::Open { path, words } => [
                &quoted("can't open", path),
                b": ".as_slice(),
                words.as_bytes(),
            ]
            .concat(),
            Self::Read(words) => format!("read error: {words}").into(),
            Self::Write(words) => format!("write error: {words}").into(),
            Self::BrokenPipe => b"broken pipe".to_vec(),
        }
    }
}
