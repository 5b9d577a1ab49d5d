//! What happens in a server, told to whoever watches: metrics, transfer logs, the list of sessions.
//!
//! An [`Observer`] only looks. Whoever wants to decide is a [`crate::Handler`], a
//! [`crate::hook::Hook`] or an [`crate::auth::Authenticator`].

use std::time::Duration;

use ftp_proto::command::Verb;
use ftp_proto::server::{Path, TransferEnd};
use ftp_proto::{Argument, Code};

use crate::auth::{Denied, User};
use crate::connection::Peer;
use crate::handler::{Disconnect, Request};

/// Sees everything that happens.
///
/// It is called on the task of the session, so it must be quick: count, or put into a bounded queue.
pub trait Observer: Send + Sync + 'static {
    /// Something has happened to this client.
    fn observe(&self, peer: &Peer, event: &Event<'_>);
}

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection was let in.
    Accepted,
    /// A connection was turned away before its greeting.
    Refused(Refusal),
    /// A line has come.
    Request(&'a Request),
    /// A reply goes out.
    Reply(Code),
    /// It is the answer to a command, not a preliminary one; comes right after [`Event::Reply`].
    Answered {
        /// The last command that was read.
        verb: Verb,
        /// The answer.
        code: Code,
    },
    /// Somebody has logged in.
    LoggedIn(&'a User),
    /// A login was refused.
    LoginFailed {
        /// From USER.
        user: &'a Argument,
        /// Why, which the client is not told.
        why: Denied,
    },
    /// A transfer has begun.
    TransferBegan(&'a TransferStart),
    /// A transfer has ended, one way or another.
    TransferEnded(&'a TransferReport),
    /// A connection that was let in is gone.
    Disconnected(&'a Disconnect),
}

/// Why a connection was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There are too many in all.
    Full,
    /// There are too many from this address.
    FullForAddress,
    /// The address is banned, or from nowhere that is let in.
    Address,
}

/// What a transfer moves, known when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferStart {
    /// Whose it is.
    pub user: Argument,
    /// Whether that is somebody without a password.
    pub is_anonymous: bool,
    /// The file or directory.
    pub path: Path,
    /// Which way.
    pub direction: Direction,
    /// Whether line ends are converted.
    pub ascii: bool,
    /// The offset of REST.
    pub offset: u64,
}

/// What a transfer has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferReport {
    /// What it was.
    pub start: TransferStart,
    /// Bytes on the network, without those of TLS.
    pub bytes: u64,
    /// From the preliminary reply to the end.
    pub took: Duration,
    /// How it ended.
    pub end: TransferEnd,
}

/// Which way bytes go, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// A file to the client.
    Sent,
    /// A file from the client.
    Received,
    /// A listing to the client.
    Listed,
}

impl Direction {
    /// A word for logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Listed => "listed",
        }
    }
}

/// Watches nothing.
impl Observer for () {
    fn observe(&self, _: &Peer, _: &Event<'_>) {}
}

/// Tells each in turn.
impl Observer for Vec<std::sync::Arc<dyn Observer>> {
    fn observe(&self, peer: &Peer, event: &Event<'_>) {
        for observer in self {
            observer.observe(peer, event);
        }
    }
}
