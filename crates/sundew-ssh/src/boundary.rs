//! The seam: one SSH connection as the rest of Sundew sees it.
//!
//! The front end knows the protocol and nothing about logins, machines or events; whoever implements
//! these traits knows nothing about SSH. No type of the transport library appears here, so the
//! transport can be replaced without anybody else noticing.
//!
//! The synchronous methods are called from the task that moves the connection's packets: they record
//! and decide, and must not block or wait. A panic in any of them ends that connection only.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use crate::kexinit::{KexOffer, NameList};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Both ends of a connection, with IPv4-mapped IPv6 addresses written as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ends {
    /// Where the client connects from.
    pub client: SocketAddr,
    /// The address of ours that it reached.
    pub server: SocketAddr,
}

/// Answers the door: one call for each accepted connection.
pub trait Door: Send + Sync + 'static {
    /// Takes a new connection, or `None` to close it without a word.
    fn open(&self, ends: Ends) -> Option<Arc<dyn Connection>>;

    /// Tells of a connection that was turned away because [`crate::Limits`] were reached.
    fn turned_away(&self, ends: Ends) {
        let _ = ends;
    }
}

/// One SSH connection as the rest of Sundew sees it.
///
/// Calls come in the order of the protocol: [`identified`](Self::identified),
/// [`key_exchange`](Self::key_exchange), login attempts, channels, and exactly once, at the end of
/// everything, [`closed`](Self::closed). Any of them but the last may be missing.
pub trait Connection: Send + Sync + 'static {
    /// The client's first line, without CR LF; also when it is not an SSH identification at all.
    fn identified(&self, line: &[u8]);

    /// What the client's first KEXINIT offered. Not called when no key exchange was begun.
    fn key_exchange(&self, offer: &KexOffer);

    /// The client asked which methods there are (`none`, RFC 4252 §5.2); always refused.
    fn none(&self, user: &[u8]);

    /// Decides a password login.
    ///
    /// The connection waits for the answer, so a delay like PAM's belongs here. The future is dropped
    /// when the connection ends first.
    fn password<'a>(&'a self, user: &'a [u8], password: &'a [u8]) -> BoxFuture<'a, bool>;

    /// Decides a public-key login.
    ///
    /// Asked with [`OfferedKey::proved`] false when the client wants to know whether the key is worth
    /// a signature, and again with `proved` true once the signature was checked: only that second
    /// `true` logs in.
    fn public_key<'a>(&'a self, user: &'a [u8], key: &'a OfferedKey) -> BoxFuture<'a, bool>;

    /// A session channel was asked for; `None` refuses it as sshd refuses the eleventh.
    fn channel(&self) -> Option<Arc<dyn Channel>>;

    /// The client wants a TCP connection made from here (RFC 4254 §7.2). None is ever made.
    fn direct_tcpip(&self, request: &DirectTcpip) -> Forward;

    /// Bytes the client sent into a swallowed connection.
    fn direct_tcpip_data(&self, request: &DirectTcpip, data: &[u8]);

    /// A token that closes the connection when cancelled: an operator's kill, a lifetime, a quota.
    ///
    /// Asked for once, before anything is read.
    fn hangup(&self) -> CancellationToken {
        CancellationToken::new()
    }

    /// The connection is over; nothing is called after this.
    fn closed(&self, reason: CloseReason);
}

/// One session channel (RFC 4254 §6).
///
/// Dropped when the channel is closed. As in sshd, environment, terminal and start are asked for at
/// most until something was started; later requests are refused without asking.
pub trait Channel: Send + Sync + 'static {
    /// Sets an environment variable; sshd takes `LANG` and `LC_*` and refuses others.
    fn env(&self, name: &[u8], value: &[u8]) -> bool;

    /// Allocates a terminal. Asked once.
    fn pty(&self, request: PtyRequest) -> bool;

    /// The client's window has another size now.
    fn resize(&self, columns: u32, rows: u32);

    /// Starts what the channel is for; `None` refuses.
    fn start(&self, start: Start) -> Option<Started>;

    /// The client sends a signal, named without `SIG`.
    fn signal(&self, name: &str);
}

/// A terminal the client asks for (RFC 4254 §6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtyRequest {
    /// The client's `TERM`.
    pub term: Vec<u8>,
    /// Width in characters.
    pub columns: u32,
    /// Height in characters.
    pub rows: u32,
    /// Opcode and argument of each encoded mode, RFC 4254 §8, without the final `TTY_OP_END`.
    pub modes: Vec<(u8, u32)>,
}

/// What a channel is started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The login shell.
    Shell,
    /// One command line.
    Exec(Vec<u8>),
    /// A named subsystem, such as `sftp`.
    Subsystem(Vec<u8>),
}

/// The streams of a started channel, bounded in both directions.
#[derive(Debug)]
pub struct Started {
    /// Takes what the client sends. Dropped at the client's end of file and when the channel closes.
    ///
    /// When it is full the client's window stays shut; see `backlog` for how much is held meanwhile.
    /// Dropping the receiver discards further input, as a closed pipe does.
    pub input: mpsc::Sender<Bytes>,
    /// Gives what the client gets. Not polled while the client's window is full.
    ///
    /// The channel is closed when the last sender is dropped, so whoever still holds one (a
    /// background job with the terminal open) keeps the channel open, as under sshd.
    pub output: mpsc::Receiver<Output>,
}

/// One piece of what a started channel produces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Bytes of standard output or of the terminal.
    Stdout(Bytes),
    /// Bytes of standard error.
    Stderr(Bytes),
    /// How the program ended; sent to the client when the output is over. The last one counts.
    Exit(ExitStatus),
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this status.
    Code(u32),
    /// It was killed.
    Signal {
        /// The signal's name without `SIG`.
        name: String,
        /// Whether a core was dumped.
        core: bool,
    },
}

/// A public key as the client offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedKey {
    /// The signature algorithm named in the request, such as `rsa-sha2-512`.
    pub algorithm: String,
    /// The key in wire format, RFC 4253 §6.6.
    pub blob: Vec<u8>,
    /// Whether the client has proved that it holds the private key.
    pub proved: bool,
}

impl OfferedKey {
    /// The key's own type, such as `ssh-rsa`: the first string of the blob. Empty if there is none.
    pub fn kind(&self) -> &[u8] {
        self.blob
            .split_first_chunk::<4>()
            .and_then(|(length, rest)| {
                rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
            })
            .unwrap_or_default()
    }

    /// The key as a line of `authorized_keys`, without a comment.
    pub fn openssh(&self) -> String {
        let kind = String::from_utf8_lossy(self.kind());
        format!("{kind} {}", crate::host_key::base64(&self.blob))
    }

    /// The MD5 fingerprint as `ssh-keygen -E md5` prints it, without the `MD5:`.
    pub fn md5_fingerprint(&self) -> String {
        let digest = crate::kexinit::md5(&self.blob);
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(":")
    }
}

/// A TCP connection the client wants made from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectTcpip {
    /// Tells several requests of one connection apart.
    pub id: u32,
    /// Name or address to connect to.
    pub host: Vec<u8>,
    /// Port to connect to.
    pub port: u32,
    /// Where the client says the connection originates.
    pub originator_host: Vec<u8>,
    /// Port of the originator.
    pub originator_port: u32,
}

/// What to answer to a [`DirectTcpip`] request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forward {
    /// "Connection refused".
    Refuse,
    /// Accept, hand every byte to [`Connection::direct_tcpip_data`], and never answer.
    Swallow,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client said good-bye or closed its side.
    Client,
    /// The network failed, or the client vanished.
    Lost,
    /// The first line was not an SSH-2 identification.
    BadIdentification,
    /// The client broke the protocol, or no algorithm was common.
    Protocol,
    /// Not logged in in time.
    LoginGrace,
    /// Too many failed logins.
    TooManyFailures,
    /// Nothing was sent by either side for too long.
    Idle,
    /// [`Connection::hangup`] was cancelled.
    Hangup,
    /// The sensor is shutting down.
    Shutdown,
    /// A panic or another fault of ours.
    Fault,
}

impl CloseReason {
    /// The reason in one lower-case word, for logs and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Lost => "lost",
            Self::BadIdentification => "bad-identification",
            Self::Protocol => "protocol",
            Self::LoginGrace => "login-grace",
            Self::TooManyFailures => "too-many-failures",
            Self::Idle => "idle",
            Self::Hangup => "hangup",
            Self::Shutdown => "shutdown",
            Self::Fault => "fault",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_blob_that_lies_about_its_length_has_no_kind() {
        for blob in [
            &b""[..],
            b"\0\0",
            b"\0\0\0\x09ssh-rsa",
            b"\xff\xff\xff\xffx",
        ] {
            let key = OfferedKey {
                algorithm: String::new(),
                blob: blob.to_vec(),
                proved: false,
            };
            assert_eq!(key.kind(), b"");
        }
    }

    #[test]
    fn a_key_is_written_as_openssh_writes_it() {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend_from_slice(&[7; 32]);
        let key = OfferedKey {
            algorithm: "ssh-ed25519".to_owned(),
            blob,
            proved: false,
        };
        assert_eq!(
            key.openssh(),
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
        );
        // From `ssh-keygen -l -E md5` on the line above.
        assert_eq!(
            key.md5_fingerprint(),
            "be:86:90:2b:33:7b:1a:cd:8a:9e:55:64:d7:04:f3:29"
        );
    }
}
