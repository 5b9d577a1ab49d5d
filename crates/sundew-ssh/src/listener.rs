//! Accepting connections on several addresses, within limits, until told to stop.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::boundary::{CloseReason, Door, Ends};
use crate::census::{self, Census, Place};
use crate::connection;
use crate::host_key::HostKeys;
use crate::profile::Profile;
use crate::toll::{Toll, Tolls};
use crate::transport::{Server, SetupError};

/// Connections the kernel may queue for us on each address. OpenSSH asks for 128.
const LISTEN_QUEUE: i32 = 128;

/// Pause after an accept that failed for want of descriptors or memory: the connection stays queued,
/// so accepting again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How long connections may take to end after they were cut.
const CUT_GRACE: Duration = Duration::from_secs(10);

/// What a stranger may use up, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time to log in (`LoginGraceTime`); the connection is closed in silence after it.
    pub login_grace: Duration,
    /// Time without a byte in either direction after which a connection is closed. Longer than the
    /// five minutes after which NAT tables forget.
    pub idle: Duration,
    /// Connections in all. At some 60 kB each before the machine behind it counts.
    pub max_connections: usize,
    /// Connections from one IPv4 address or IPv6 /64. Generous: a botnet's whole fleet may sit behind
    /// one address, and every one of them is evidence.
    pub max_per_source: usize,
    /// How long sessions may go on after the listener was told to stop.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            login_grace: Duration::from_secs(120),
            idle: Duration::from_secs(15 * 60),
            max_connections: 4096,
            max_per_source: 1024,
            shutdown_grace: Duration::from_secs(5),
        }
    }
}

/// Sockets that listen; connections wait in the kernel until [`serve`](Self::serve).
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    server: Arc<Server>,
    limits: Limits,
}

impl Listener {
    /// Prepares the persona and binds all addresses, or none.
    ///
    /// An IPv6 address takes IPv6 only, so `0.0.0.0:22` and `[::]:22` go together. Must be called
    /// inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BindError`] names the address, or says what is wrong with the profile or the keys.
    pub fn bind(
        addresses: &[SocketAddr],
        profile: Profile,
        host_keys: &HostKeys,
        limits: Limits,
    ) -> Result<Self, BindError> {
        let server = Server::new(profile, host_keys).map_err(BindError::Setup)?;
        let mut sockets = Vec::with_capacity(addresses.len());
        let mut bound = Vec::with_capacity(addresses.len());
        for &address in addresses {
            let (socket, address) =
                listen(address).map_err(|source| BindError::Address { address, source })?;
            sockets.push(socket);
            bound.push(address);
        }
        Ok(Self {
            sockets,
            addresses: bound,
            server: Arc::new(server),
            limits,
        })
    }

    /// Where it listens, in the order given, with the ports the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Accepts connections until `stop`, then closes the sockets, lets sessions go on for
    /// [`Limits::shutdown_grace`], and cuts what is left. Returns when the last one is gone.
    ///
    /// Dropping the future closes everything at once.
    pub async fn serve(self, door: Arc<dyn Door>, stop: CancellationToken) {
        let force = CancellationToken::new();
        let _force = force.clone().drop_guard();
        let tracker = TaskTracker::new();
        let reception = Arc::new(Reception {
            server: self.server,
            census: Census::new(self.limits.max_connections, self.limits.max_per_source),
            tolls: Tolls::default(),
            limits: self.limits,
            door,
            tracker: tracker.clone(),
            force: force.clone(),
        });
        let mut accepting = JoinSet::new();
        for socket in self.sockets {
            let reception = Arc::clone(&reception);
            let stop = stop.clone();
            accepting.spawn(async move {
                let accept = accept(&socket, |socket, client| reception.receive(socket, client));
                stop.run_until_cancelled(accept).await;
            });
        }
        stop.cancelled().await;
        while accepting.join_next().await.is_some() {}
        tracker.close();
        if timeout(reception.limits.shutdown_grace, tracker.wait())
            .await
            .is_err()
        {
            force.cancel();
            if timeout(CUT_GRACE, tracker.wait()).await.is_err() {
                tracing::warn!(
                    connections = tracker.len(),
                    "connections did not end when cut"
                );
            }
        }
    }
}

/// Why nothing listens.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// An address could not be bound.
    Address {
        /// Which one.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The profile or the host keys are unusable.
    Setup(SetupError),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, source } => write!(f, "cannot listen on {address}: {source}"),
            Self::Setup(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address { source, .. } => Some(source),
            Self::Setup(error) => Some(error),
        }
    }
}

/// What every accepted connection needs.
struct Reception {
    server: Arc<Server>,
    limits: Limits,
    census: Arc<Census>,
    tolls: Tolls,
    door: Arc<dyn Door>,
    tracker: TaskTracker,
    force: CancellationToken,
}

impl Reception {
    fn receive(self: &Arc<Self>, socket: TcpStream, client: SocketAddr) {
        let Ok(server) = socket.local_addr() else {
            return; // It was reset while it waited.
        };
        let ends = Ends {
            client: canonical(client),
            server: canonical(server),
        };
        match self.census.enter(ends.client.ip()) {
            Some(place) => {
                let reception = Arc::clone(self);
                self.tracker
                    .spawn(async move { reception.connected(socket, ends, place).await });
            }
            None => {
                turn_away(socket);
                self.guarded(ends, |door| door.turned_away(ends));
            }
        }
    }

    async fn connected(&self, socket: TcpStream, ends: Ends, _place: Place) {
        let Some(connection) = self.guarded(ends, |door| door.open(ends)).flatten() else {
            return;
        };
        // A keystroke and its echo are a packet each.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, client = %ends.client, "no TCP_NODELAY");
        }
        let serve = connection::serve(
            socket,
            &self.server,
            &self.limits,
            Arc::clone(&connection),
            Toll::new(self.tolls.account(census::source(ends.client.ip()))),
            &self.force,
        );
        let reason = AssertUnwindSafe(serve)
            .catch_unwind()
            .await
            .unwrap_or(CloseReason::Fault);
        if reason == CloseReason::Fault {
            tracing::error!(client = %ends.client, "connection ended by a fault of ours");
        }
        self.guarded(ends, |_door| connection.closed(reason));
    }

    /// Runs somebody else's code; a panic in it costs this connection only.
    fn guarded<T>(&self, ends: Ends, act: impl FnOnce(&dyn Door) -> T) -> Option<T> {
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| act(&*self.door)));
        if result.is_err() {
            tracing::error!(client = %ends.client, "panic while opening or closing a connection");
        }
        result.ok()
    }
}

/// Where connections come from; a seam for tests.
trait Accept {
    type Socket;
    async fn next(&self) -> io::Result<(Self::Socket, SocketAddr)>;
}

impl Accept for TcpListener {
    type Socket = TcpStream;
    async fn next(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.accept().await
    }
}

/// Accepts for ever. No error ends it: each either concerns one connection only, or passes.
async fn accept<A: Accept>(source: &A, receive: impl Fn(A::Socket, SocketAddr)) {
    loop {
        match source.next().await {
            Ok((socket, client)) => receive(socket, client),
            Err(error) if concerns_one(&error) => {
                tracing::debug!(%error, "connection gone before accept")
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Errors of a connection that went away while it was queued; accept(2) lists them under "Error handling".
fn concerns_one(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkDown,
        NetworkUnreachable,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
    )
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // As sshd: a restart must not wait for old connections to time out.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(LISTEN_QUEUE)?;
    let socket = TcpListener::from_std(socket.into())?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// Says what OpenSSH says when `MaxStartups` is reached, if the socket takes it at once.
fn turn_away(socket: TcpStream) {
    if let Ok(mut socket) = socket.into_std() {
        // A best effort to somebody who is turned away; the socket does not block.
        let _unsent = io::Write::write(&mut socket, b"Exceeded MaxStartups\r\n");
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Script(Mutex<Vec<io::Result<u8>>>);

    impl Accept for Script {
        type Socket = u8;
        async fn next(&self) -> io::Result<(u8, SocketAddr)> {
            let next = self.0.lock().unwrap().pop();
            match next {
                Some(result) => result.map(|socket| (socket, ([127, 0, 0, 1], 1).into())),
                None => std::future::pending().await,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn accept_survives_running_out_of_descriptors() {
        const EMFILE: i32 = 24;
        let script = vec![
            Ok(2),
            Err(io::ErrorKind::ConnectionAborted.into()),
            Err(io::Error::from_raw_os_error(EMFILE)),
            Err(io::Error::from_raw_os_error(EMFILE)),
            Ok(1),
        ];
        let accepted = Mutex::new(Vec::new());
        let begun = tokio::time::Instant::now();
        let script = Script(Mutex::new(script));
        let run = accept(&script, |socket, _| {
            accepted.lock().unwrap().push((socket, begun.elapsed()));
        });
        assert!(timeout(Duration::from_secs(60), run).await.is_err());
        let accepted = accepted.into_inner().unwrap();
        assert_eq!(accepted[0], (1, Duration::ZERO));
        assert_eq!(accepted[1].0, 2);
        assert!(accepted[1].1 >= ACCEPT_PAUSE * 2, "{accepted:?}");
    }
}
