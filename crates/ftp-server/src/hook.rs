//! Hooks around each command of a file server.
//!
//! A [`Hook`] sees a command before it is carried out, and may answer it itself; afterwards it sees
//! which code was answered. Commands that are served while a transfer runs (ABOR, STAT, NOOP, QUIT)
//! go past it, so that no hook can keep a client from stopping a transfer.

use futures_util::future::BoxFuture;

use ftp_proto::{Argument, Code};

use crate::connection::Peer;
use crate::handler::{Answer, Request};

/// What is called around each command; both sides do nothing unless written.
///
/// The session waits for the futures: a slow hook slows its own session and no other.
pub trait Hook: Send + Sync + 'static {
    /// Before a command; an answer given here is sent instead of carrying it out.
    fn before<'a>(
        &'a self,
        visitor: Visitor<'a>,
        request: &'a Request,
    ) -> BoxFuture<'a, Option<Answer>> {
        let _ = (visitor, request);
        Box::pin(std::future::ready(None))
    }

    /// After a command, with the last code that was answered.
    fn after<'a>(
        &'a self,
        visitor: Visitor<'a>,
        request: &'a Request,
        code: Option<Code>,
    ) -> BoxFuture<'a, ()> {
        let _ = (visitor, request, code);
        Box::pin(std::future::ready(()))
    }
}

/// Whose command it is.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// Where from.
    pub peer: &'a Peer,
    /// Who, once logged in.
    pub user: Option<&'a Argument>,
    /// The working directory.
    pub directory: &'a [u8],
}
