//! The same server for programs without a runtime of their own: hooks are plain functions, and the
//! server is started, stopped and waited for from any thread.
//!
//! Nothing of the protocol is here twice. A [`Blocking`] handler is an ordinary [`crate::Handler`]
//! whose hooks run on threads, one for each request under way; clients that say nothing need none.
//! [`start`] runs any handler, [`crate::files::FileServer`] as well, on threads it owns.

use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use ftp_proto::{Code, Reply};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Peer};
use crate::handler::{self, Answer, Disconnect, Request, Service, UNAVAILABLE};
use crate::listener::Listener;
use crate::server::Server;
use crate::tls::TlsInfo;

/// The hooks of a service, as plain functions; see [`crate::Handler`] for each.
///
/// They may block. A panic in one ends that connection with `421` and no other.
pub trait Handler: Send + Sync + 'static {
    /// What is kept for one connection.
    type Session: Send + 'static;

    /// The listeners stand, nobody is let in yet.
    ///
    /// # Errors
    ///
    /// Any error keeps the service from starting.
    fn service_start(&self, service: &Service) -> io::Result<()> {
        let _ = service;
        Ok(())
    }

    /// A client is there; greet it here. It may be asked for its first requests at once.
    ///
    /// # Errors
    ///
    /// Those of the connection end it.
    fn on_connect(&self, client: &mut Client) -> io::Result<Self::Session>;

    /// A line has come, understood or not.
    ///
    /// # Errors
    ///
    /// Those of the connection end it.
    fn on_request(
        &self,
        session: &mut Self::Session,
        request: Request,
        client: &mut Client,
    ) -> io::Result<Answer>;

    /// What to say to a client whose connection is closed for a reason of ours. Must not block.
    fn on_close(&self, session: &mut Self::Session, why: &Disconnect) -> Option<Reply> {
        let _ = (session, why);
        Some(Reply::new(Code::SERVICE_UNAVAILABLE, UNAVAILABLE))
    }

    /// The connection is gone.
    fn on_disconnect(&self, session: Self::Session, peer: &Peer, why: &Disconnect) {
        let _ = (session, peer, why);
    }
}

/// A connection, as blocking hooks see it.
#[derive(Debug)]
pub struct Client {
    peer: Peer,
    tls: Option<TlsInfo>,
    stop: CancellationToken,
    wishes: mpsc::Sender<Wish>,
}

/// What a hook wants of its connection, which lives on the runtime.
#[derive(Debug)]
enum Wish {
    Reply(Reply, oneshot::Sender<io::Result<()>>),
    NextRequest(oneshot::Sender<io::Result<Option<Request>>>),
}

impl Client {
    /// Who it is.
    #[must_use]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What TLS has agreed on, if the connection is under it.
    #[must_use]
    pub const fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_ref()
    }

    /// Whether the server is stopping; long work should come to an end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Sends one reply; waits while the client does not read.
    ///
    /// # Errors
    ///
    /// The socket's; [`io::ErrorKind::TimedOut`] if the client does not read for
    /// [`crate::Limits::write`].
    pub fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        self.wish(Wish::Reply(reply.clone(), done), answer)
    }

    /// Waits for the next line; `None` if the client has closed.
    ///
    /// # Errors
    ///
    /// The socket's; [`io::ErrorKind::TimedOut`] if the client says nothing for
    /// [`crate::Limits::idle`].
    pub fn next_request(&mut self) -> io::Result<Option<Request>> {
        let (done, answer) = oneshot::channel();
        self.wish(Wish::NextRequest(done), answer)
    }

    fn wish<T>(&self, wish: Wish, answer: oneshot::Receiver<io::Result<T>>) -> io::Result<T> {
        let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
        self.wishes.blocking_send(wish).map_err(|_| gone())?;
        answer.blocking_recv().map_err(|_| gone())?
    }
}

/// A handler whose hooks block, as one for [`Server`].
#[derive(Debug)]
pub struct Blocking<H>(Arc<H>);

impl<H: Handler> Blocking<H> {
    /// Runs these hooks.
    pub fn new(handler: H) -> Self {
        Self(Arc::new(handler))
    }

    /// Runs one hook on a thread and does meanwhile what it wants of the connection.
    async fn call<T: Send + 'static>(
        &self,
        connection: &mut Connection,
        hook: impl FnOnce(&H, &mut Client) -> T + Send + 'static,
    ) -> io::Result<T> {
        let (wishes, mut wished) = mpsc::channel(1);
        let mut client = Client {
            peer: *connection.peer(),
            tls: connection.tls().cloned(),
            stop: connection.stop_token().clone(),
            wishes,
        };
        let handler = Arc::clone(&self.0);
        let mut thread = tokio::task::spawn_blocking(move || hook(&handler, &mut client));
        loop {
            tokio::select! {
                biased;
                Some(wish) = wished.recv() => fulfil(wish, connection).await,
                result = &mut thread => return match result {
                    Ok(value) => Ok(value),
                    Err(error) => match error.try_into_panic() {
                        // The driver knows what a panic of a hook means.
                        Ok(panic) => resume_unwind(panic),
                        Err(_) => Err(io::ErrorKind::ConnectionAborted.into()),
                    },
                },
            }
        }
    }
}

async fn fulfil(wish: Wish, connection: &mut Connection) {
    // A hook that has panicked meanwhile wants no answer.
    match wish {
        Wish::Reply(reply, done) => drop(done.send(connection.reply(&reply).await)),
        Wish::NextRequest(done) => {
            let idle = connection.limits().idle;
            let stop = connection.stop_token().clone();
            let next = async {
                tokio::select! {
                    () = stop.cancelled() => Err(io::ErrorKind::ConnectionAborted.into()),
                    next = timeout(idle, connection.next_request()) => {
                        next.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                    }
                }
            };
            drop(done.send(next.await));
        }
    }
}

impl<H: Handler> handler::Handler for Blocking<H> {
    /// Empty only after a hook has panicked with it.
    type Session = Option<H::Session>;

    async fn service_start(&self, service: &Service) -> io::Result<()> {
        let (handler, service) = (Arc::clone(&self.0), service.clone());
        tokio::task::spawn_blocking(move || handler.service_start(&service))
            .await
            .map_err(io::Error::other)?
    }

    async fn on_connect(&self, connection: &mut Connection) -> io::Result<Self::Session> {
        let hook = |handler: &H, client: &mut Client| handler.on_connect(client);
        self.call(connection, hook).await?.map(Some)
    }

    async fn on_request(
        &self,
        session: &mut Self::Session,
        request: Request,
        connection: &mut Connection,
    ) -> io::Result<Answer> {
        let Some(mut own) = session.take() else {
            return Err(io::ErrorKind::ConnectionAborted.into());
        };
        let hook = move |handler: &H, client: &mut Client| {
            let answer = handler.on_request(&mut own, request, client);
            (answer, own)
        };
        let (answer, own) = self.call(connection, hook).await?;
        *session = Some(own);
        answer
    }

    fn on_close(&self, session: &mut Self::Session, why: &Disconnect) -> Option<Reply> {
        match session {
            Some(session) => self.0.on_close(session, why),
            None => Some(Reply::new(Code::SERVICE_UNAVAILABLE, UNAVAILABLE)),
        }
    }

    async fn on_disconnect(
        &self,
        session: Self::Session,
        connection: &Connection,
        why: &Disconnect,
    ) {
        let Some(session) = session else { return };
        let (handler, peer, why) = (Arc::clone(&self.0), *connection.peer(), why.clone());
        let hook = move || handler.on_disconnect(session, &peer, &why);
        if let Err(error) = tokio::task::spawn_blocking(hook).await {
            tracing::error!(%error, "on_disconnect");
        }
    }
}

/// Starts a server on threads of its own; `listen` opens its listener there.
///
/// # Errors
///
/// The system's, and those of `listen`.
pub fn start<H: handler::Handler>(
    server: Server<H>,
    listen: impl FnOnce() -> io::Result<Listener> + Send + 'static,
) -> io::Result<Running> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let stop = server.stop_token();
    let (tell, told) = sync_channel(1);
    let thread = thread::Builder::new()
        .name("ftp-server".to_owned())
        .spawn(move || {
            let served = runtime.block_on(async {
                let listening = listen().and_then(|listener| Ok((listener.addresses()?, listener)));
                match listening {
                    Ok((addresses, listener)) => {
                        // Whoever started us waits for this.
                        drop(tell.send(Ok(addresses)));
                        server.serve(listener).await
                    }
                    Err(error) => {
                        drop(tell.send(Err(error)));
                        Ok(())
                    }
                }
            });
            // Threads still in a hook are left behind.
            runtime.shutdown_background();
            served
        })?;
    let addresses = told
        .recv()
        .map_err(|_| io::ErrorKind::ConnectionAborted)??;
    Ok(Running {
        addresses,
        stop,
        thread: Some(thread),
    })
}

/// A server that was started; dropping it stops it and waits for its end.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    stop: CancellationToken,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// The addresses clients can dial.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Tells it to stop; see [`Server::stop_token`]. Can be called from a signal handler's thread by a
    /// clone of [`Running::stopper`].
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Something to stop it with from elsewhere.
    #[must_use]
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    ///
    /// Those of [`Server::serve`].
    pub fn wait(mut self) -> io::Result<()> {
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the server has panicked")),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Err(error) = self.join() {
            tracing::error!(%error, "server");
        }
    }
}
