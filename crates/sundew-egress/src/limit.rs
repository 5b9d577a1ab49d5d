//! How much one attacker, and the whole sensor, may use of the network.

use std::time::Duration;

/// The limits of the way out.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections that one machine may have open or be opening at once.
    pub connections_per_machine: usize,
    /// Connections that all machines may have open or be opening at once.
    pub connections: usize,
    /// Transfers that one machine may have running beyond the life of their process.
    pub transfers_per_machine: usize,
    /// Transfers of all machines.
    pub transfers: usize,
    /// How long a name may take to resolve. As glibc: two tries of five seconds.
    pub resolve: Duration,
    /// How long a connection may take to open. Linux gives up after 127 s.
    pub connect: Duration,
    /// How long a transfer may run in all.
    pub transfer: Duration,
    /// Datagrams that one machine may send beyond those it was answered. The way out is a client's: it
    /// must not be a source of floods, and whoever answers wants to be talked to.
    pub unanswered_datagrams: usize,
    /// How long a target that is refused seems to be tried before it is unreachable, as a router
    /// takes its time to say so.
    pub unreachable: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_per_machine: 64,
            connections: 4096,
            transfers_per_machine: 32,
            transfers: 2048,
            resolve: Duration::from_secs(10),
            connect: Duration::from_secs(127),
            transfer: Duration::from_secs(3600),
            unanswered_datagrams: 256,
            unreachable: Duration::from_millis(3100),
        }
    }
}
