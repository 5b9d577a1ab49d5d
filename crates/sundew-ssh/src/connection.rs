//! The life of one connection: first lines, transport, deadlines, end.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::boundary::{CloseReason, Connection};
use crate::identification::{Reader, Step};
use crate::listener::Limits;
use crate::stream::{Life, Tapped};
use crate::toll::{Toll, Tolled};
use crate::transport::Server;

/// How long a client may take to close its side after we have sent our last byte. Closing at once
/// could reset the connection under bytes it has not read yet.
const LINGER: Duration = Duration::from_secs(2);

/// How long the tasks of a connection may take to notice that it was stopped.
const UNWIND: Duration = Duration::from_secs(5);

/// Serves one connection to its end and reports it; `force` ends it from outside.
pub(crate) async fn serve<S>(
    socket: S,
    server: &Server,
    limits: &Limits,
    connection: Arc<dyn Connection>,
    toll: Arc<Toll>,
    force: &CancellationToken,
) -> CloseReason
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let life = Life::new(toll);
    // Should this future be dropped, the transport's own task ends too.
    let _stop = life.stop.clone().drop_guard();
    let work = AssertUnwindSafe(talk(socket, server, &connection, &life)).catch_unwind();
    tokio::pin!(work);
    let reason = tokio::select! {
        // What the client did counts before what we were about to do.
        biased;
        end = &mut work => end.unwrap_or(CloseReason::Fault),
        cut = watch(limits, &*connection, &life, force) => {
            life.stop.cancel();
            let end = timeout(UNWIND, work).await;
            match (cut, end) {
                (Cut::Because(reason), _) => reason,
                (Cut::Lingered, Ok(Ok(reason))) => reason,
                (Cut::Lingered, _) => CloseReason::Fault,
            }
        }
    };
    life.stop.cancel();
    reason
}

/// Why the watch ended a connection.
enum Cut {
    /// For this reason.
    Because(CloseReason),
    /// We were done, the client did not close: the reason is the one for which we were done.
    Lingered,
}

async fn watch(
    limits: &Limits,
    connection: &dyn Connection,
    life: &Life,
    force: &CancellationToken,
) -> Cut {
    let hangup = connection.hangup();
    let mut finished = None;
    loop {
        let idle = life.moved() + limits.idle;
        let grace = life.begun() + limits.login_grace;
        let now = Instant::now();
        if life.finished() {
            let closed = *finished.get_or_insert(now) + LINGER;
            if now >= closed {
                return Cut::Lingered;
            }
        } else if !life.logged_in() && now >= grace {
            return Cut::Because(CloseReason::LoginGrace);
        } else if now >= idle {
            return Cut::Because(CloseReason::Idle);
        }
        let next = match finished {
            Some(since) => since + LINGER,
            None if life.logged_in() => idle,
            None => idle.min(grace),
        };
        tokio::select! {
            () = hangup.cancelled() => return Cut::Because(CloseReason::Hangup),
            () = force.cancelled() => return Cut::Because(CloseReason::Shutdown),
            () = life.changed() => {}
            () = sleep_until(next) => {}
        }
    }
}

async fn talk<S>(
    mut socket: S,
    server: &Server,
    connection: &Arc<dyn Connection>,
    life: &Arc<Life>,
) -> CloseReason
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let banner = Bytes::from(format!("{}\r\n", server.banner()));
    let line = match greet(&mut socket, &banner, &**connection).await {
        Ok(Ok(line)) => line,
        Ok(Err(reason)) => return reason,
        Err(error) => return lost(&error),
    };
    let stream = Tapped::new(
        Tolled::new(socket, Arc::clone(&life.toll)),
        &line,
        banner,
        Arc::clone(connection),
        Arc::clone(life),
    );
    server
        .run(stream, Arc::clone(connection), Arc::clone(life))
        .await
}

/// Exchanges identifications as OpenSSH does: ours at once, then theirs, a line of text if it is bad.
///
/// One byte at a time, as OpenSSH does: it costs a few dozen system calls, and what a refused client
/// sent beyond its line stays unread, which turns the close into a reset on both.
async fn greet<S>(
    socket: &mut S,
    banner: &[u8],
    connection: &dyn Connection,
) -> io::Result<Result<Vec<u8>, CloseReason>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    socket.write_all(banner).await?;
    socket.flush().await?;
    let mut reader = Reader::default();
    let mut byte = [0; 1];
    loop {
        if socket.read(&mut byte).await? == 0 {
            return Ok(Err(CloseReason::Client));
        }
        match reader.feed(&byte) {
            Step::More => {}
            Step::Accepted { line, .. } => {
                connection.identified(&line);
                return Ok(Ok(line));
            }
            Step::Refused { line, refusal } => {
                connection.identified(&line);
                socket.write_all(refusal.text()).await?;
                socket.flush().await?;
                return Ok(Err(CloseReason::BadIdentification));
            }
        }
    }
}

/// Whose fault a failed read or write is.
pub(crate) fn lost(error: &io::Error) -> CloseReason {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => CloseReason::Client,
        io::ErrorKind::InvalidData => CloseReason::Protocol,
        _ => CloseReason::Lost,
    }
}
