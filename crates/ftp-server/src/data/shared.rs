//! Passive ports that several clients share: whose a connection is, its address says.
//!
//! Each port listens from its first use on, and takes in a connection only for an address that waits
//! for one. Two sessions of one address wait on different ports; when there are no more, the next is
//! refused, since nobody could tell them apart.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Socket;
use super::port::OwnPort;
use crate::connection::canonical;

/// Connections the system keeps for us before we take them: of many clients at once.
const BACKLOG: i32 = 1024;

/// How long to wait when the system has no descriptor for one more connection.
const PAUSE: Duration = Duration::from_millis(100);

/// The ports of one server.
#[derive(Debug, Default)]
pub(crate) struct SharedPorts {
    halls: Mutex<HashMap<SocketAddr, Arc<Hall>>>,
    seats: AtomicU64,
}

/// One port that listens.
#[derive(Debug)]
struct Hall {
    address: SocketAddr,
    waiting: Arc<Waiting>,
    task: JoinHandle<()>,
}

impl Drop for Hall {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who waits on a port: by address the number of the seat, and the way to it.
#[derive(Debug, Default)]
struct Waiting(Mutex<HashMap<IpAddr, (u64, oneshot::Sender<Arrived>)>>);

/// A connection, and where it is from.
type Arrived = (Socket, SocketAddr);

/// A client's turn on a port; given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    hall: Arc<Hall>,
    client: IpAddr,
    number: u64,
    arrived: oneshot::Receiver<Arrived>,
}

impl SharedPorts {
    /// A port of ours on this address on which nobody else waits from the client's.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if there is none.
    pub(crate) fn seat(
        &self,
        ports: &RangeInclusive<u16>,
        local: IpAddr,
        client: IpAddr,
    ) -> io::Result<Seat> {
        let number = self.seats.fetch_add(1, Ordering::Relaxed);
        let mut ports = ports.clone();
        ports
            .find_map(|port| self.hall((local, port).into())?.seat(client, number))
            .ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    /// The port, listening; `None` if somebody else has it.
    fn hall(&self, address: SocketAddr) -> Option<Arc<Hall>> {
        let mut halls = self.halls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hall) = halls.get(&address) {
            return Some(Arc::clone(hall));
        }
        let opened = OwnPort::bind(address.ip(), address.port(), BACKLOG).and_then(Hall::open);
        let hall = opened
            .inspect_err(|error| tracing::warn!(%address, %error, "no shared data port"))
            .ok()?;
        let hall = Arc::new(hall);
        halls.insert(address, Arc::clone(&hall));
        Some(hall)
    }
}

impl Hall {
    fn open(port: OwnPort) -> io::Result<Self> {
        let address = port.address();
        let waiting = Arc::new(Waiting::default());
        let task = tokio::spawn(usher(port.watch()?, Arc::clone(&waiting)));
        Ok(Self {
            address,
            waiting,
            task,
        })
    }

    fn seat(self: Arc<Self>, client: IpAddr, number: u64) -> Option<Seat> {
        let (way, arrived) = oneshot::channel();
        {
            let mut waiting = lock(&self.waiting);
            if waiting.contains_key(&client) {
                return None;
            }
            waiting.insert(client, (number, way));
        }
        Some(Seat {
            hall: self,
            client,
            number,
            arrived,
        })
    }
}

/// Hands each connection to whoever waits for it.
async fn usher(listener: TcpListener, waiting: Arc<Waiting>) {
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "shared data port");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let from = canonical(from);
        let seat = lock(&waiting).remove(&from.ip());
        let Some((_, way)) = seat else {
            tracing::warn!(%from, "stranger on a shared data port");
            continue;
        };
        if way.send((Socket::Watched(stream), from)).is_err() {
            tracing::debug!(%from, "came too late");
        }
    }
}

impl Seat {
    pub(crate) fn address(&self) -> SocketAddr {
        self.hall.address
    }

    /// The connection, if it is there.
    pub(crate) fn try_take(&mut self) -> Result<Arrived, Errno> {
        self.arrived.try_recv().map_err(|error| match error {
            oneshot::error::TryRecvError::Empty => Errno::AGAIN,
            oneshot::error::TryRecvError::Closed => Errno::NOTCONN,
        })
    }

    /// Waits for the connection. Cancel-safe.
    pub(crate) async fn take(&mut self) -> io::Result<Arrived> {
        let arrived = (&mut self.arrived).await;
        arrived.map_err(|_| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut waiting = lock(&self.hall.waiting);
        if waiting
            .get(&self.client)
            .is_some_and(|(number, _)| *number == self.number)
        {
            waiting.remove(&self.client);
        }
    }
}

fn lock(
    waiting: &Waiting,
) -> std::sync::MutexGuard<'_, HashMap<IpAddr, (u64, oneshot::Sender<Arrived>)>> {
    // A map that was left in the middle of one insertion is still a map.
    waiting.0.lock().unwrap_or_else(PoisonError::into_inner)
}
