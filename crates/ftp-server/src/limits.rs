//! What a stranger may use up, all in one place.

use std::time::Duration;

/// Limits of a [`crate::Server`]; the defaults suit a small machine on the open internet.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Control connections at a time, all clients together. One more is told `421` and closed.
    pub connections: usize,
    /// Control connections at a time from one address. One more is told `421` and closed.
    pub connections_per_address: usize,
    /// Longest command line in bytes; a longer one is answered `500` and skipped.
    pub line_bytes: usize,
    /// How long a client may be silent before it is told `421` and closed. A handler can set another
    /// deadline with [`crate::Connection::set_deadline`].
    pub idle: Duration,
    /// How long a reply may take to be sent; a client that does not read is closed.
    pub write: Duration,
    /// How long a TLS handshake or a proxy's first line may take; then the connection is closed.
    pub handshake: Duration,
    /// How long requests and transfers under way may go on after the server was told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 64,
            line_bytes: ftp_proto::line::MAX_LINE_BYTES,
            idle: Duration::from_secs(300),
            write: Duration::from_secs(30),
            handshake: Duration::from_secs(20),
            grace: Duration::from_secs(10),
        }
    }
}
