//! Who is logged in, for SITE WHO of a server that nobody else keeps the books of.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ftp_proto::Argument;

use crate::connection::Peer;

/// The users of one server, by the number of their connection.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<BTreeMap<u64, Guest>>);

#[derive(Debug)]
struct Guest {
    name: Argument,
    address: IpAddr,
    since: Instant,
}

/// One user who is there; gone when it is dropped.
#[derive(Debug)]
pub(super) struct Present {
    presence: Arc<Presence>,
    id: u64,
}

impl Presence {
    pub(super) fn enter(self: &Arc<Self>, peer: &Peer, name: &Argument) -> Present {
        let guest = Guest {
            name: name.clone(),
            address: peer.address.ip(),
            since: peer.since,
        };
        self.guests().insert(peer.id, guest);
        Present {
            presence: Arc::clone(self),
            id: peer.id,
        }
    }

    pub(super) fn lines(&self, now: Instant) -> Vec<String> {
        let guests = self.guests();
        let line = |guest: &Guest| {
            let age = now.saturating_duration_since(guest.since).as_secs();
            format!("{} {} {age}s", guest.name, guest.address)
        };
        guests.values().map(line).collect()
    }

    fn guests(&self) -> MutexGuard<'_, BTreeMap<u64, Guest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.presence.guests().remove(&self.id);
    }
}
