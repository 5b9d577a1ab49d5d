//! What a session is to be like: where it leads, how it is secured, how patient it is.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ftp_proto::Reply;
use ftp_proto::time::Timestamp;

use crate::client::Features;
#[cfg(feature = "tls")]
use crate::tls::TlsOptions;

/// Port of the control connection. RFC 959 §3.2 by way of the registry.
pub const FTP_PORT: u16 = 21;
/// Port of the control connection when TLS comes first.
pub const FTPS_PORT: u16 = 990;

/// Where a session leads and how it behaves.
///
/// Clones share what is learned about the host (that EPSV does not get through, for one), so a
/// clone per session is right for sessions with the same host.
#[derive(Clone, Debug)]
pub struct Config {
    /// A name or an address, as [`crate::Dial::resolve`] takes it; also what the certificate must
    /// be for.
    pub host: String,
    /// The port; `None` is 21, or 990 when TLS comes first.
    pub port: Option<u16>,
    /// Clear or TLS.
    pub security: Security,
    /// Who opens data connections.
    pub data_mode: DataMode,
    /// Where passive data connections may lead, and where active ones may come from.
    pub data_address: DataAddress,
    /// The name sent with HOST before the login, for servers with several hosts on one address.
    pub virtual_host: Option<String>,
    /// The name sent with CLNT if the server asks for one by its feature list.
    pub client_name: Option<String>,
    /// Whether commands may be sent ahead of replies.
    pub pipelining: Pipelining,
    /// For sessions that do one passive transfer after the other: EPSV for the next one is sent behind
    /// the command of the last, which saves a round trip each. Done only with servers known to read it
    /// after the transfer and not in the middle of it, or with [`Pipelining::On`].
    pub look_ahead: bool,
    /// Who is told what is said on the control connection, passwords left out.
    pub listener: Option<Listener>,
    /// A NOOP is sent this often while a transfer runs, so that neither the server nor a router on
    /// the way takes the control connection for dead. `None` sends none, and a server that refuses one
    /// gets no more.
    pub keep_alive: Option<Duration>,
    /// Deadlines and sizes.
    pub limits: Limits,
    /// What time it is, for dates that come without a year.
    pub now: fn() -> Timestamp,
    pub(crate) lessons: Arc<Lessons>,
}

/// One utterance on a control connection.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// A command line, without its end; in place of a password stands `…`.
    Client(&'a [u8]),
    /// A reply.
    Server(&'a Reply),
}

/// Is told what is said on control connections, in the order in which this end says and reads it.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(Said<'_>) + Send + Sync>);

impl Listener {
    /// Calls this for each command and reply; it should be quick.
    #[must_use]
    pub fn new(listen: impl Fn(Said<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listen))
    }

    pub(crate) fn tell(&self, said: Said<'_>) {
        (self.0)(said);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// How the connections are secured. There is no fall-back from TLS to clear text.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Security {
    /// Clear text.
    #[default]
    Plain,
    /// AUTH TLS right after the greeting; RFC 4217. A server that refuses it is an error.
    #[cfg(feature = "tls")]
    Explicit(TlsOptions),
    /// TLS from the first byte, usually on port 990.
    #[cfg(feature = "tls")]
    Implicit(TlsOptions),
}

/// Who opens data connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataMode {
    /// The client: EPSV, and PASV where that fails. RFC 1579.
    #[default]
    Passive,
    /// The client, with PASV only.
    PassiveV4,
    /// The server: EPRT, and PORT where that fails.
    Active {
        /// The address to announce, if it is not that of the control connection: behind a router.
        announce: Option<IpAddr>,
    },
}

/// Which addresses are accepted for data connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataAddress {
    /// The control peer's only: an address in a 227 is ignored (CVE-2020-8284).
    #[default]
    ControlPeer,
    /// Whatever the server says or whoever dials in: transfers between two servers, and clusters.
    Any,
}

/// Whether commands may be sent ahead of replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pipelining {
    /// Unless the greeting names a server known to lose commands that come early.
    #[default]
    Auto,
    /// Never.
    Off,
    /// Always.
    On,
}

/// Deadlines and sizes. Every wait has one; what is over a size is [`crate::Cause::TooMuch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To look up the host, to make one connection, and for one TLS handshake.
    pub connect: Duration,
    /// To make a data connection after EPSV, before PASV is tried instead. Short: routers that only
    /// know PASV swallow it.
    pub extended_passive: Duration,
    /// From a command to its reply, and between the end of the data and the last reply.
    pub reply: Duration,
    /// From the server's word that data comes to the first byte of it, and how long the server may
    /// take to dial in active mode.
    pub first_byte: Duration,
    /// Without a byte moving. Noticed between once and twice this time.
    pub stall: Duration,
    /// For one whole transfer; `None` sets no end as long as bytes move.
    pub whole: Option<Duration>,
    /// From the server's word that all is sent to the end of the data.
    pub after_final: Duration,
    /// Bytes of one listing.
    pub listing_bytes: u64,
    /// Entries of one listing.
    pub listing_entries: usize,
}

/// What was learned about a host.
#[derive(Debug, Default)]
pub(crate) struct Lessons {
    no_extended_passive: AtomicBool,
    no_list_options: AtomicBool,
    no_look_ahead: AtomicBool,
    no_keep_alive: AtomicBool,
    /// What FEAT said to this user.
    features: Mutex<Option<(Vec<u8>, Features)>>,
    #[cfg(feature = "tls")]
    no_tls13: AtomicBool,
}

impl Config {
    /// A configuration for this host, everything else as most people want it: clear text, passive.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            security: Security::Plain,
            data_mode: DataMode::Passive,
            data_address: DataAddress::ControlPeer,
            virtual_host: None,
            client_name: None,
            pipelining: Pipelining::Auto,
            look_ahead: false,
            listener: None,
            keep_alive: Some(Duration::from_secs(45)),
            limits: Limits::default(),
            now: system_time,
            lessons: Arc::default(),
        }
    }

    /// As [`Config::new`], with a port behind the host: `ftp.example.org:2121`, `192.0.2.1:21`,
    /// `[2001:db8::1]:21`; without one, as [`Config::new`]. What is no port is taken for a part of the
    /// name, which then is not found.
    #[must_use]
    pub fn at(place: &str) -> Self {
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().ok())
            }
            _ => (place, None),
        };
        let host = if port.is_some() { host } else { place };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        Self {
            port,
            ..Self::new(bare.unwrap_or(host))
        }
    }

    /// The port a session goes to.
    #[must_use]
    pub fn effective_port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::Plain => FTP_PORT,
            #[cfg(feature = "tls")]
            Security::Explicit(_) => FTP_PORT,
            #[cfg(feature = "tls")]
            Security::Implicit(_) => FTPS_PORT,
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            extended_passive: Duration::from_secs(5),
            // Servers delay a refused login by up to 10 s, and hashing a large file takes its time.
            reply: Duration::from_secs(60),
            first_byte: Duration::from_secs(60),
            stall: Duration::from_secs(60),
            whole: None,
            after_final: Duration::from_secs(15),
            // A million names of common length.
            listing_bytes: 128 * 1024 * 1024,
            listing_entries: 1_000_000,
        }
    }
}

impl Lessons {
    pub(crate) fn avoid_extended_passive(&self) {
        self.no_extended_passive.store(true, Ordering::Relaxed);
    }

    pub(crate) fn avoids_extended_passive(&self) -> bool {
        self.no_extended_passive.load(Ordering::Relaxed)
    }

    #[cfg(feature = "tls")]
    pub(crate) fn avoid_tls13(&self) {
        self.no_tls13.store(true, Ordering::Relaxed);
    }

    #[cfg(feature = "tls")]
    pub(crate) fn avoids_tls13(&self) -> bool {
        self.no_tls13.load(Ordering::Relaxed)
    }

    pub(crate) fn avoid_look_ahead(&self) {
        self.no_look_ahead.store(true, Ordering::Relaxed);
    }

    pub(crate) fn avoids_look_ahead(&self) -> bool {
        self.no_look_ahead.load(Ordering::Relaxed)
    }

    pub(crate) fn avoid_keep_alive(&self) {
        self.no_keep_alive.store(true, Ordering::Relaxed);
    }

    pub(crate) fn avoids_keep_alive(&self) -> bool {
        self.no_keep_alive.load(Ordering::Relaxed)
    }

    pub(crate) fn note_features(&self, user: &[u8], features: &Features) {
        let mut known = self.features.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((user.to_vec(), features.clone()));
    }

    pub(crate) fn features(&self, user: &[u8]) -> Option<Features> {
        let known = self.features.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|(of, _)| of == user);
        known.map(|(_, features)| features.clone())
    }

    pub(crate) fn avoid_list_options(&self) {
        self.no_list_options.store(true, Ordering::Relaxed);
    }

    pub(crate) fn avoids_list_options(&self) -> bool {
        self.no_list_options.load(Ordering::Relaxed)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the default clock of a library for the host; whoever lives elsewhere sets another"
)]
fn system_time() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    Timestamp::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_with_or_without_a_port() {
        for (place, host, port) in [
            ("ftp.example.org", "ftp.example.org", None),
            ("ftp.example.org:2121", "ftp.example.org", Some(2121)),
            ("192.0.2.1:21", "192.0.2.1", Some(21)),
            ("2001:db8::1", "2001:db8::1", None),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("[2001:db8::1]:990", "2001:db8::1", Some(990)),
            ("h:ftp", "h:ftp", None),
            ("h:99999", "h:99999", None),
        ] {
            let config = Config::at(place);
            assert_eq!((config.host.as_str(), config.port), (host, port), "{place}");
        }
    }
}
