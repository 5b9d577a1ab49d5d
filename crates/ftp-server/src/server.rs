//! The accept loop: who is let in, and how all of it ends.

mod visit;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ftp_proto::{Code, Reply};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::visit::Guest;
use crate::connection::{End, Peer, canonical};
use crate::event::{Event, Observer, Refusal};
use crate::handler::{Handler, Service};
use crate::limits::Limits;
use crate::listener::{Accepted, Listener};
use crate::live::Live;
use crate::proxy::Trusted;
use crate::tls::Tls;

/// Pause after a failed accept. It fails when descriptors have run out; trying again at once would
/// only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A service: a [`Handler`], its limits, and the way to stop it.
pub struct Server<H> {
    handler: Arc<H>,
    observer: Arc<dyn Observer>,
    tls: Option<Tls>,
    controls: Controls,
    stop: CancellationToken,
}

/// Changes a [`Server`] while it runs, and ends single connections. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Controls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Live<Limits>,
    proxies: Live<Trusted>,
    /// How to end each connection that is open, by its number.
    ends: Mutex<HashMap<u64, Arc<End>>>,
}

impl Controls {
    fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner {
            limits: Live::new(limits),
            proxies: Live::new(Trusted::nobody()),
            ends: Mutex::default(),
        }))
    }

    /// From now on new connections have these limits; those that are open keep theirs. The grace of a
    /// stop is that of the last call.
    pub fn set_limits(&self, limits: Limits) {
        self.0.limits.store(limits);
    }

    /// From now on these load balancers are believed, as by [`Server::behind`].
    pub fn set_proxies(&self, proxies: Trusted) {
        self.0.proxies.store(proxies);
    }

    /// Ends one connection, whose number is [`Peer::id`]: the client is told `421`. Its request under
    /// way is finished first, but a [`crate::files::FileServer`] cuts its transfer. Says whether there
    /// is such a connection.
    #[must_use]
    pub fn disconnect(&self, id: u64) -> bool {
        let end = self.ends().get(&id).cloned();
        end.inspect(|end| end.cut()).is_some()
    }

    fn ends(&self) -> MutexGuard<'_, HashMap<u64, Arc<End>>> {
        // Whoever panicked while holding it has added or removed one entry.
        self.0.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end of a new connection.
    fn open(&self, id: u64, stop: CancellationToken) -> Opened {
        let end = Arc::new(End::new(stop));
        self.ends().insert(id, Arc::clone(&end));
        Opened {
            controls: self.clone(),
            id,
            end,
        }
    }
}

/// A connection that can be ended as long as this lives.
struct Opened {
    controls: Controls,
    id: u64,
    end: Arc<End>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.controls.ends().remove(&self.id);
    }
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("controls", &self.controls)
            .finish_non_exhaustive()
    }
}

impl<H: Handler> Server<H> {
    /// A server that is not listening yet.
    pub fn new(handler: H, limits: Limits) -> Self {
        Self {
            handler: Arc::new(handler),
            observer: Arc::new(()),
            tls: None,
            controls: Controls::new(limits),
            stop: CancellationToken::new(),
        }
    }

    /// Lets somebody watch.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Offers TLS; keep a clone to change the certificate while the server runs.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Believes these load balancers about who the client is. A connection from one of them has to
    /// begin with a PROXY header, and is closed without; from anybody else a header is not read.
    #[must_use]
    pub fn behind(self, proxies: Trusted) -> Self {
        self.controls.set_proxies(proxies);
        self
    }

    /// The way to change limits and to end single connections while the server runs.
    #[must_use]
    pub fn controls(&self) -> Controls {
        self.controls.clone()
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
        let mut tasks = JoinSet::new();
        let seats = Seats::default();
        let mut next_id = 1_u64;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "connection task failed");
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => {
                        self.admit(accepted, next_id, &seats, &mut tasks);
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
        tracing::info!(connections = tasks.len(), "stopping");
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        let grace = self.controls.0.limits.load().grace;
        if timeout(grace, all_ended).await.is_err() {
            tracing::warn!(connections = tasks.len(), "closed after grace");
            tasks.shutdown().await;
        }
        Ok(())
    }

    fn admit(&self, accepted: Accepted, id: u64, seats: &Seats, tasks: &mut JoinSet<()>) {
        let peer = canonical(accepted.peer);
        let limits = self.controls.0.limits.load();
        let is_proxied = self.controls.0.proxies.load().contains(peer.ip());
        let seat = if tasks.len() >= limits.connections {
            Err(Refusal::Full)
        } else if is_proxied {
            // Whose seat it is will be known when the header was read.
            Ok(None)
        } else {
            let most = limits.connections_per_address;
            let seat = seats.take(peer.ip(), most).map(Some);
            seat.ok_or(Refusal::FullForAddress)
        };
        let seat = match seat {
            Ok(seat) => seat,
            Err(why) => {
                let local = accepted.stream.local_addr();
                let stranger = Peer {
                    id,
                    address: peer,
                    local: local.map_or(peer, canonical),
                    since: Instant::now(),
                };
                self.observer.observe(&stranger, &Event::Refused(why));
                refuse(&accepted.stream, peer, why);
                return;
            }
        };
        tracing::info!(id, %peer, "accepted");
        let guest = Guest {
            accepted,
            seat,
            handler: Arc::clone(&self.handler),
            limits,
            observer: Arc::clone(&self.observer),
            tls: self.tls.clone(),
            opened: self.controls.open(id, self.stop.child_token()),
            seats: seats.clone(),
            id,
        };
        tasks.spawn(visit::visit(Box::new(guest)));
    }
}

/// What a client is told if its address has connections enough; pyftpdlib's words.
const TOO_MANY_OF_ONE: &str = "Too many connections from the same IP address.";

fn refuse(stream: &TcpStream, peer: SocketAddr, why: Refusal) {
    tracing::warn!(%peer, "refused, too many connections");
    let words = match why {
        Refusal::FullForAddress => TOO_MANY_OF_ONE,
        _ => "Too many connections.",
    };
    let mut text = Vec::new();
    Reply::new(Code::SERVICE_UNAVAILABLE, words).encode(&mut text);
    // It fits into the empty buffer of a new socket; if not, closing says enough.
    if let Err(error) = stream.try_write(&text) {
        tracing::trace!(%peer, %error, "refusal not sent");
    }
}

/// How many connections there are from each address.
#[derive(Clone, Default)]
struct Seats(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Seats {
    /// A seat for this address, if it has fewer than so many.
    fn take(&self, address: IpAddr, most: usize) -> Option<Seat> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat {
            seats: self.clone(),
            address,
        })
    }
}

/// One connection of an address; dropped when it ends.
struct Seat {
    seats: Seats,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
