//! One connection, from when it was accepted to its end.
//!
//! Nearly all of its time a client says nothing, and what its task is made of is held all the while. So
//! what happens once (arriving, the greeting, the end) is boxed: the task then has room for the wait and
//! for the answer to a request, and for nothing else.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Instant;

use ftp_proto::{Code, Reply};
use futures_util::FutureExt;
use tokio::time::{Sleep, sleep_until, timeout};
use tokio_util::sync::WaitForCancellationFuture;

use super::{Opened, Seat, Seats, TOO_MANY_OF_ONE};
use crate::connection::{Arrival, Connection, Deadline};
use crate::event::{Event, Observer, Refusal};
use crate::handler::{Disconnect, Handler, Request};
use crate::limits::Limits;
use crate::listener::Accepted;
use crate::proxy;
use crate::tls::Tls;

/// A connection that was accepted, and what it takes along from its server.
pub(super) struct Guest<H> {
    pub(super) accepted: Accepted,
    /// `None` if a proxy stands between and has yet to say whose seat it is.
    pub(super) seat: Option<Seat>,
    pub(super) handler: Arc<H>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) limits: Arc<Limits>,
    pub(super) tls: Option<Tls>,
    pub(super) opened: Opened,
    pub(super) seats: Seats,
    pub(super) id: u64,
}

/// One that can be talked to.
struct Visitor<H> {
    handler: Arc<H>,
    connection: Box<Connection>,
    _opened: Opened,
    _seat: Seat,
}

/// The life of a connection.
pub(super) async fn visit<H: Handler>(guest: Box<Guest<H>>) {
    if let Some(visitor) = Box::pin(guest.arrive()).await {
        attend(visitor).await;
    }
}

impl<H: Handler> Guest<H> {
    /// Finds out who it is, from the proxy's header if it is to have one, and begins implicit TLS.
    async fn arrive(self: Box<Self>) -> Option<Visitor<H>> {
        let Self {
            accepted,
            seat,
            handler,
            observer,
            limits,
            tls,
            opened,
            seats,
            id,
        } = *self;
        let is_direct = seat.is_some();
        let most = limits.connections_per_address;
        let (peer, is_implicit_tls) = (accepted.peer, accepted.is_implicit_tls);
        let arrived = async {
            let arrival = arrival(accepted, id, is_direct, &limits).await?;
            let end = Arc::clone(&opened.end);
            Connection::new(arrival, Arc::clone(&limits), tls, end, observer)
        };
        let mut connection = match arrived.await {
            Ok(connection) => Box::new(connection),
            Err(error) => {
                lost(id, peer, &error);
                return None;
            }
        };
        let seat = seat.or_else(|| seats.take(connection.peer().address.ip(), most));
        let Some(seat) = seat else {
            connection.report(&Event::Refused(Refusal::FullForAddress));
            let reply = Reply::new(Code::SERVICE_UNAVAILABLE, TOO_MANY_OF_ONE);
            if connection.reply(&reply).await.is_ok() {
                connection.close().await;
            }
            return None;
        };
        if is_implicit_tls && let Err(error) = connection.start_tls().await {
            lost(id, peer, &error);
            return None;
        }
        Some(Visitor {
            handler,
            connection,
            _opened: opened,
            _seat: seat,
        })
    }
}

fn lost(id: u64, peer: SocketAddr, error: &io::Error) {
    tracing::debug!(id, %peer, %error, "lost before its greeting");
}

async fn arrival(
    accepted: Accepted,
    id: u64,
    is_direct: bool,
    limits: &Limits,
) -> io::Result<Arrival> {
    let stream = accepted.stream;
    let mut arrival = Arrival {
        local: stream.local_addr()?,
        peer: accepted.peer,
        proxy: None,
        id,
        stream,
    };
    if !is_direct {
        arrival.proxy = Some(arrival.peer);
        let header = timeout(limits.handshake, proxy::read(&arrival.stream))
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        if let Some(header) = header {
            (arrival.peer, arrival.local) = (header.client, header.local);
        }
    }
    Ok(arrival)
}

async fn attend<H: Handler>(mut visitor: Visitor<H>) {
    let (handler, connection) = (&*visitor.handler, &mut *visitor.connection);
    connection.report(&Event::Accepted);
    match Box::pin(greet(handler, connection)).await {
        Ok(mut session) => {
            let why = converse(handler, &mut session, connection).await;
            Box::pin(part(handler, session, connection, why)).await;
        }
        Err(why) => gone(connection, &why),
    }
}

async fn greet<H: Handler>(
    handler: &H,
    connection: &mut Connection,
) -> Result<Box<H::Session>, Disconnect> {
    guarded(handler.on_connect(connection)).await.map(Box::new)
}

async fn part<H: Handler>(
    handler: &H,
    mut session: Box<H::Session>,
    connection: &mut Connection,
    why: Disconnect,
) {
    if why.is_ours()
        && let Some(reply) = handler.on_close(&mut session, &why)
        && let Err(error) = connection.reply(&reply).await
    {
        let id = connection.peer().id;
        tracing::debug!(id, %error, "last reply not sent");
    }
    connection.close().await;
    let left = AssertUnwindSafe(handler.on_disconnect(*session, connection, &why));
    if left.catch_unwind().await.is_err() {
        tracing::error!(id = connection.peer().id, "on_disconnect panicked");
    }
    gone(connection, &why);
}

fn gone(connection: &Connection, why: &Disconnect) {
    let peer = connection.peer();
    connection.report(&Event::Disconnected(why));
    // Where "accepted" comes from, so that one filter shows both.
    tracing::info!(
        target: "ftp_server::server",
        id = peer.id, peer = %peer.address, %why, "disconnected"
    );
}

/// Requests and answers until there is a reason to end.
async fn converse<H: Handler>(
    handler: &H,
    session: &mut H::Session,
    connection: &mut Connection,
) -> Disconnect {
    let stop = connection.stop_token().clone();
    // Both are kept from one request to the next: setting an alarm anew for each would cost more
    // than answering a NOOP does.
    let mut stopped = pin!(stop.cancelled());
    let mut alarm = pin!(sleep_until(
        (Instant::now() + connection.limits().idle).into()
    ));
    loop {
        let request = match wait(connection, stopped.as_mut(), alarm.as_mut()).await {
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

async fn wait(
    connection: &mut Connection,
    stopped: Pin<&mut WaitForCancellationFuture<'_>>,
    alarm: Pin<&mut Sleep>,
) -> Result<Request, Disconnect> {
    if let Some(why) = connection.end().why() {
        return Err(why);
    }
    if let Some(request) = connection.buffered_request() {
        return Ok(request);
    }
    let silent_at = connection.silent_at();
    tokio::select! {
        biased;
        () = stopped => Err(connection.end().why().unwrap_or(Disconnect::Shutdown)),
        request = connection.next_request() => match request {
            Ok(Some(request)) => Ok(request),
            Ok(None) => Err(Disconnect::Client),
            Err(error) => Err(Disconnect::Error(error.kind())),
        },
        () = until(silent_at, alarm) => Err(Disconnect::Idle),
    }
}

/// Waits for a moment with an alarm that may be set to an earlier one, which it then leaves as it is.
async fn until(moment: Option<Instant>, mut alarm: Pin<&mut Sleep>) {
    let Some(moment) = moment.map(tokio::time::Instant::from) else {
        return std::future::pending().await;
    };
    if alarm.deadline() > moment {
        alarm.as_mut().reset(moment);
    }
    loop {
        alarm.as_mut().await;
        if tokio::time::Instant::now() >= moment {
            return;
        }
        alarm.as_mut().reset(moment);
    }
}

/// A hook's result; a panic in it becomes the end of this connection.
///
/// No `async fn`, whose future would have room for the hook's twice: as its argument, and while it runs.
fn guarded<T>(
    hook: impl Future<Output = io::Result<T>>,
) -> impl Future<Output = Result<T, Disconnect>> {
    AssertUnwindSafe(hook)
        .catch_unwind()
        .map(|result| match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Disconnect::Error(error.kind())),
            Err(_) => Err(Disconnect::Panic),
        })
}
