//! The accept loop, the loop of one connection, and the end of both.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use ftp_proto::{Code, Reply};
use futures_util::FutureExt;
use tokio::net::TcpStream;
use tokio::task::{Id, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Deadline, canonical};
use crate::handler::{Disconnect, Handler, Request, Service};
use crate::limits::Limits;
use crate::listener::Listener;

/// Pause after a failed accept. It fails when descriptors have run out; trying again at once would
/// only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A service: a [`Handler`], its limits, and the way to stop it.
#[derive(Debug)]
pub struct Server<H> {
    handler: Arc<H>,
    limits: Limits,
    stop: CancellationToken,
}

impl<H: Handler> Server<H> {
    /// A server that is not listening yet.
    pub fn new(handler: H, limits: Limits) -> Self {
        Self {
            handler: Arc::new(handler),
            limits,
            stop: CancellationToken::new(),
        }
    }

    /// Cancelling it stops the server: listeners close, idle sessions are told `421`, and whatever is
    /// under way has [`Limits::grace`] to end.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Serves until it is stopped; returns when the last connection has ended.
    ///
    /// # Errors
    ///
    /// The handler's, from [`Handler::service_start`]; errors of single connections are logged.
    pub async fn serve(self, mut listener: Listener) -> io::Result<()> {
        let addresses = listener.addresses()?;
        tracing::info!(?addresses, "listening");
        self.handler.service_start(&Service { addresses }).await?;
        let mut guests = Guests::default();
        let mut next_id = 1_u64;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(ended) = guests.tasks.join_next_with_id() => guests.remove(ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        self.admit(stream, canonical(peer), next_id, &mut guests);
                        next_id = next_id.wrapping_add(1);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "accept failed");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        tracing::info!(connections = guests.tasks.len(), "stopping");
        let all_ended = async { while guests.tasks.join_next().await.is_some() {} };
        if timeout(self.limits.grace, all_ended).await.is_err() {
            tracing::warn!(connections = guests.tasks.len(), "closed after grace");
            guests.tasks.shutdown().await;
        }
        Ok(())
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, id: u64, guests: &mut Guests) {
        let too_many = guests.tasks.len() >= self.limits.connections
            || guests.from(peer.ip()) >= self.limits.connections_per_address;
        if too_many {
            tracing::warn!(%peer, "refused, too many connections");
            let mut text = Vec::new();
            Reply::new(Code::SERVICE_UNAVAILABLE, "Too many connections.").encode(&mut text);
            // It fits into the empty buffer of a new socket; if not, closing says enough.
            if let Err(error) = stream.try_write(&text) {
                tracing::trace!(%peer, %error, "refusal not sent");
            }
            return;
        }
        let connection = Connection::new(
            stream,
            peer,
            id,
            self.limits.clone(),
            self.stop.child_token(),
        );
        match connection {
            Ok(connection) => {
                tracing::info!(id, %peer, "accepted");
                guests.add(peer.ip(), attend(Arc::clone(&self.handler), connection));
            }
            Err(error) => tracing::warn!(%peer, %error, "lost before its greeting"),
        }
    }
}

/// The tasks of open connections, counted by address.
#[derive(Default)]
struct Guests {
    tasks: JoinSet<()>,
    addresses: HashMap<Id, IpAddr>,
    counts: HashMap<IpAddr, usize>,
}

impl Guests {
    fn from(&self, address: IpAddr) -> usize {
        self.counts.get(&address).copied().unwrap_or(0)
    }

    fn add(&mut self, address: IpAddr, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.addresses.insert(handle.id(), address);
        *self.counts.entry(address).or_default() += 1;
    }

    fn remove(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "connection task failed");
                error.id()
            }
        };
        let Some(address) = self.addresses.remove(&id) else {
            return;
        };
        if let Some(count) = self.counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&address);
            }
        }
    }
}

/// The life of one connection.
async fn attend<H: Handler>(handler: Arc<H>, mut connection: Connection) {
    let peer = *connection.peer();
    let greeted = guarded(handler.on_connect(&mut connection)).await;
    let mut session = match greeted {
        Ok(session) => session,
        Err(why) => {
            tracing::info!(id = peer.id, peer = %peer.address, %why, "disconnected");
            return;
        }
    };
    let why = converse(&*handler, &mut session, &mut connection).await;
    if why.is_ours()
        && let Some(reply) = handler.on_close(&mut session, &why)
        && let Err(error) = connection.reply(&reply).await
    {
        tracing::debug!(id = peer.id, %error, "last reply not sent");
    }
    connection.close().await;
    let left = AssertUnwindSafe(handler.on_disconnect(session, &connection, &why));
    if left.catch_unwind().await.is_err() {
        tracing::error!(id = peer.id, "on_disconnect panicked");
    }
    tracing::info!(id = peer.id, peer = %peer.address, %why, "disconnected");
}

/// Requests and answers until there is a reason to end.
async fn converse<H: Handler>(
    handler: &H,
    session: &mut H::Session,
    connection: &mut Connection,
) -> Disconnect {
    loop {
        let request = match wait(connection).await {
            Ok(request) => request,
            Err(why) => return why,
        };
        connection.set_deadline(Deadline::Idle);
        let answer = match guarded(handler.on_request(session, request, connection)).await {
            Ok(answer) => answer,
            Err(why) => return why,
        };
        if let Some(reply) = &answer.reply
            && let Err(error) = connection.reply(reply).await
        {
            return Disconnect::Error(error.kind());
        }
        if answer.close {
            return Disconnect::Answered;
        }
    }
}

async fn wait(connection: &mut Connection) -> Result<Request, Disconnect> {
    let stop = connection.stop_token();
    let silence = connection.silence();
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Disconnect::Shutdown),
        request = connection.next_request() => match request {
            Ok(Some(request)) => Ok(request),
            Ok(None) => Err(Disconnect::Client),
            Err(error) => Err(Disconnect::Error(error.kind())),
        },
        () = silence => Err(Disconnect::Idle),
    }
}

/// A hook's result; a panic in it becomes the end of this connection.
async fn guarded<T>(hook: impl Future<Output = io::Result<T>>) -> Result<T, Disconnect> {
    match AssertUnwindSafe(hook).catch_unwind().await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Disconnect::Error(error.kind())),
        Err(_) => Err(Disconnect::Panic),
    }
}
