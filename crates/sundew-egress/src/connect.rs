//! The guarded connection: checked, pinned, counted, bounded in time.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use sundew_kernel::Errno;
use sundew_kernel::network::{Datagrams, Network, ResolveError, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::datagram::{Connected, Credit, Socket};
use crate::limit::Limits;
use crate::policy::{Policy, canonical};
use crate::resolve::Resolver;

/// Told of every target that was refused.
pub type Refusal = Arc<dyn Fn(SocketAddr) + Send + Sync>;

/// The way out of all machines of a sensor.
#[derive(Debug, Clone)]
pub struct Egress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    policy: Policy,
    limits: Limits,
    resolver: Resolver,
    connections: Arc<Semaphore>,
    transfers: Arc<Semaphore>,
    running: TaskTracker,
    stop: CancellationToken,
}

impl Egress {
    /// A way out under this policy and these limits. Must be made inside a runtime.
    pub fn new(policy: Policy, limits: Limits) -> Self {
        Self(Arc::new(Shared {
            policy,
            resolver: Resolver::system(limits.resolve),
            connections: Arc::new(Semaphore::new(limits.connections)),
            transfers: Arc::new(Semaphore::new(limits.transfers)),
            limits,
            running: TaskTracker::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// The network of one machine; `refused` is told of every target that policy forbids.
    pub fn for_attacker(&self, refused: Refusal) -> Guard {
        Guard {
            shared: Arc::clone(&self.0),
            connections: Arc::new(Semaphore::new(self.0.limits.connections_per_machine)),
            transfers: Arc::new(Semaphore::new(self.0.limits.transfers_per_machine)),
            credit: Credit::new(self.0.limits.unanswered_datagrams),
            refused,
        }
    }

    /// Transfers that run beyond the life of their process.
    pub fn transfers(&self) -> usize {
        self.0.running.len()
    }

    /// Stops: transfers that run are dropped, which marks their samples as cut. Waits until they are
    /// gone.
    pub async fn shut_down(&self) {
        self.0.stop.cancel();
        self.0.running.close();
        self.0.running.wait().await;
    }
}

/// One machine's way out.
#[derive(Clone)]
pub struct Guard {
    shared: Arc<Shared>,
    connections: Arc<Semaphore>,
    transfers: Arc<Semaphore>,
    credit: Credit,
    refused: Refusal,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

impl Network for Guard {
    fn resolve(&self, host: &[u8]) -> BoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let (resolver, host) = (self.shared.resolver.clone(), host.to_vec());
        Box::pin(async move { resolver.resolve(&host).await })
    }

    fn connect(&self, target: SocketAddr) -> BoxFuture<'static, Result<Box<dyn Stream>, Errno>> {
        let guard = self.clone();
        Box::pin(async move { guard.dial(target).await })
    }

    fn run_transfer(&self, transfer: BoxFuture<'static, ()>) -> Result<(), Errno> {
        let own = Arc::clone(&self.transfers)
            .try_acquire_owned()
            .map_err(|_| Errno::Eagain)?;
        let common = Arc::clone(&self.shared.transfers)
            .try_acquire_owned()
            .map_err(|_| Errno::Eagain)?;
        let (deadline, stop) = (self.shared.limits.transfer, self.shared.stop.clone());
        self.shared.running.spawn(async move {
            let _permits = (own, common);
            tokio::select! {
                () = stop.cancelled() => {}
                _ended_or_late = timeout(deadline, transfer) => {}
            }
        });
        Ok(())
    }

    fn datagrams(&self, host: IpAddr) -> BoxFuture<'static, Result<Box<dyn Datagrams>, Errno>> {
        let guard = self.clone();
        Box::pin(async move {
            let target = SocketAddr::new(canonical(host), 0);
            let socket = guard.udp(target).await?;
            let socket = Socket::new(
                socket,
                target.ip(),
                guard.credit,
                guard.shared.limits.connect,
            );
            Ok(Box::new(socket) as Box<dyn Datagrams>)
        })
    }

    fn connect_datagram(
        &self,
        target: SocketAddr,
    ) -> BoxFuture<'static, Result<Box<dyn Stream>, Errno>> {
        let guard = self.clone();
        Box::pin(async move {
            let target = SocketAddr::new(canonical(target.ip()), target.port());
            let socket = guard.udp(target).await?;
            if let Some((socket, _)) = &socket {
                let connected = socket.connect(target).await;
                connected.map_err(|error| errno_of(&error))?;
            }
            Ok(Box::new(Connected::new(socket, target, guard.credit)) as Box<dyn Stream>)
        })
    }
}

/// A counted UDP socket; none for a target that is refused, which looks like one that never answers.
pub(crate) type Counted = Option<(UdpSocket, (OwnedSemaphorePermit, OwnedSemaphorePermit))>;

impl Guard {
    async fn udp(&self, target: SocketAddr) -> Result<Counted, Errno> {
        if !self.shared.policy.permits(target.ip()) {
            (self.refused)(target);
            return Ok(None);
        }
        let permits = self.permits()?;
        let any: IpAddr = if target.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        let socket = UdpSocket::bind((any, 0)).await;
        Ok(Some((socket.map_err(|error| errno_of(&error))?, permits)))
    }

    fn permits(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Errno> {
        let busy = |_| Errno::Etimedout;
        let own = Arc::clone(&self.connections)
            .try_acquire_owned()
            .map_err(busy)?;
        let common = Arc::clone(&self.shared.connections)
            .try_acquire_owned()
            .map_err(busy)?;
        Ok((own, common))
    }

    async fn dial(&self, target: SocketAddr) -> Result<Box<dyn Stream>, Errno> {
        let target = SocketAddr::new(canonical(target.ip()), target.port());
        if !self.shared.policy.permits(target.ip()) {
            return self.refuse(target).await;
        }
        let permits = self.permits()?;
        let socket = timeout(self.shared.limits.connect, TcpStream::connect(target))
            .await
            .map_err(|_| Errno::Etimedout)?
            .map_err(|error| errno_of(&error))?;
        // Small commands must not wait for their acknowledgement.
        socket.set_nodelay(true).map_err(|error| errno_of(&error))?;
        Ok(Box::new(Connection {
            socket,
            peer: target,
            _permits: permits,
        }))
    }

    /// What an unreachable target looks like. The machine's own loopback has nobody listening.
    async fn refuse(&self, target: SocketAddr) -> Result<Box<dyn Stream>, Errno> {
        (self.refused)(target);
        if target.ip().is_loopback() || target.ip().is_unspecified() {
            return Err(Errno::Econnrefused);
        }
        sleep(self.shared.limits.unreachable).await;
        Err(Errno::Ehostunreach)
    }
}

pub(crate) fn errno_of(error: &io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Errno::Econnrefused,
        io::ErrorKind::ConnectionReset => Errno::Econnreset,
        io::ErrorKind::HostUnreachable => Errno::Ehostunreach,
        io::ErrorKind::NetworkUnreachable => Errno::Enetunreach,
        _ => Errno::Etimedout,
    }
}

/// An open connection, counted for as long as it lives.
#[derive(Debug)]
struct Connection {
    socket: TcpStream,
    peer: SocketAddr,
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Stream for Connection {
    fn peer(&self) -> SocketAddr {
        self.peer
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn refusals() -> (Refusal, Arc<Mutex<Vec<SocketAddr>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        (
            Arc::new(move |target| sink.lock().unwrap().push(target)),
            seen,
        )
    }

    #[tokio::test]
    async fn loopback_is_the_machines_own_unless_the_operator_allows_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let (refused, seen) = refusals();
        let guard = Egress::new(Policy::default(), Limits::default()).for_attacker(refused);
        assert_eq!(guard.connect(target).await.err(), Some(Errno::Econnrefused));
        assert_eq!(*seen.lock().unwrap(), [target]);

        let policy = Policy {
            allow: vec!["127.0.0.1".parse().unwrap()],
            ..Policy::default()
        };
        let guard = Egress::new(policy, Limits::default()).for_attacker(refusals().0);
        let mut stream = guard.connect(target).await.unwrap();
        let (mut served, _) = listener.accept().await.unwrap();
        served.write_all(b"hello").await.unwrap();
        drop(served);
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_target_looks_unreachable_and_is_reported() {
        let (refused, seen) = refusals();
        let guard = Egress::new(Policy::default(), Limits::default()).for_attacker(refused);
        let target: SocketAddr = "10.0.0.1:21".parse().unwrap();
        assert_eq!(guard.connect(target).await.err(), Some(Errno::Ehostunreach));
        assert_eq!(*seen.lock().unwrap(), [target]);
    }

    #[tokio::test]
    async fn connections_of_one_machine_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let policy = Policy {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            ..Policy::default()
        };
        let limits = Limits {
            connections_per_machine: 1,
            ..Limits::default()
        };
        let guard = Egress::new(policy, limits).for_attacker(refusals().0);
        let first = guard.connect(target).await.unwrap();
        assert_eq!(guard.connect(target).await.err(), Some(Errno::Etimedout));
        drop(first);
        assert!(guard.connect(target).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_transfer_outlives_its_process_until_its_deadline_or_the_shutdown() {
        let egress = Egress::new(Policy::default(), Limits::default());
        let guard = egress.for_attacker(refusals().0);
        let dropped = Arc::new(());
        let held = Arc::clone(&dropped);
        guard
            .run_transfer(Box::pin(async move {
                let _held = held;
                sleep(Duration::from_secs(1_000_000)).await;
            }))
            .unwrap();
        drop(guard);
        tokio::task::yield_now().await;
        assert_eq!(egress.transfers(), 1);
        egress.shut_down().await;
        assert_eq!(Arc::strong_count(&dropped), 1);
    }

    #[tokio::test]
    async fn names_that_are_none_are_not_asked_of_anybody() {
        let guard = Egress::new(Policy::default(), Limits::default()).for_attacker(refusals().0);
        for name in ["", "a b", "x\u{0}y", "-\n"] {
            assert_eq!(
                guard.resolve(name.as_bytes()).await,
                Err(ResolveError::NotFound)
            );
        }
        assert_eq!(
            guard.resolve(b"LOCALHOST").await,
            Ok(vec![IpAddr::from([127, 0, 0, 1])])
        );
    }
}
