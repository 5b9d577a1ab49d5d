//! Sessions with a server: how one is opened, and what goes wrong in the words of [`Failure`].

use std::fmt::{self, Write as _};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ftp_client::{Cause, Client, Config, Error, Login, Phase as Step};
use ftp_proto::Verb;
use ftp_proto::listing::{Entry, Kind};
use ftp_proto::time::Timestamp;
use tokio::sync::Semaphore;

use crate::credential::{Credential, Origin};
use crate::failure::{Failure, Phase};
use crate::route::Route;
use crate::text::printable;
use crate::tree::Modified;
use crate::url::Url;

/// A session.
pub type Session = Client<Route>;

/// How sessions with one server are opened.
#[derive(Debug)]
pub struct Server {
    /// The server's URL; its path is of no account.
    pub url: Url,
    /// Where to, how secured, how patient.
    pub config: Config,
    /// Direct, or through a proxy.
    pub route: Route,
    /// Who to be.
    pub credential: Credential,
    /// Whether MODE Z is asked for.
    pub compresses: bool,
    idle: Idle,
    /// Whether there was a connection, once.
    reached: AtomicBool,
    /// Room for sessions that are being opened.
    opening: Semaphore,
    /// Microseconds the last connection took to be made.
    round_trip: AtomicU64,
}

/// A session that nobody uses at the moment, where sessions are kept.
#[derive(Default)]
struct Idle {
    keeps: AtomicBool,
    session: Mutex<Option<Session>>,
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Idle {{ keeps: {:?} }}", self.keeps)
    }
}

impl Server {
    /// How to open sessions with this server.
    #[must_use]
    pub fn new(url: Url, config: Config, route: Route, credential: Credential) -> Self {
        Self {
            url,
            config,
            route,
            credential,
            compresses: false,
            idle: Idle::default(),
            reached: AtomicBool::new(false),
            opening: Semaphore::new(MAX_OPENING),
            round_trip: AtomicU64::new(0),
        }
    }

    /// From now on, [`Worker::quit`] hands its session on to the next worker instead of ending it.
    pub fn keep_sessions(&self) {
        self.idle.keeps.store(true, Ordering::Relaxed);
    }

    /// How far the server is: what the last connection took to be made.
    #[must_use]
    pub fn round_trip(&self) -> Duration {
        Duration::from_micros(self.round_trip.load(Ordering::Relaxed))
    }

    fn take_idle(&self) -> Option<Session> {
        let mut idle = self
            .idle
            .session
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.take().filter(|session| !session.is_lost())
    }

    /// Connects and logs in.
    ///
    /// # Errors
    ///
    /// Resolve, connect, TLS and login.
    pub async fn open(&self) -> Result<Session, Failure> {
        let config = self.config.clone();
        // Closed it never is.
        let turn = self.opening.acquire().await.ok();
        let mut session = Client::connect(self.route.clone(), config)
            .await
            .map_err(|error| self.unreached(error))?;
        drop(turn);
        self.reached.store(true, Ordering::Relaxed);
        let micros = u64::try_from(session.connect_time().as_micros()).unwrap_or(u64::MAX);
        self.round_trip.store(micros, Ordering::Relaxed);
        let credential = &self.credential;
        let mut login = Login::new(&*credential.user, credential.password.expose());
        login.account = credential
            .account
            .as_ref()
            .map(|account| account.expose().to_vec());
        if let Err(error) = session.login(&login).await {
            return Err(self.refused(error));
        }
        if self.compresses {
            let level = Some(COMPRESSION_LEVEL);
            session.set_compression(level).await.map_err(failure)?;
        }
        Ok(session)
    }

    /// A server that was never reached is waited for in vain, more likely than not.
    fn unreached(&self, error: Error) -> Failure {
        let crowded = error.is_crowded();
        let mut failure = failure(error);
        failure.may_pass &= crowded || self.reached.load(Ordering::Relaxed);
        failure
    }

    /// Says who was refused, and what else to try.
    fn refused(&self, error: Error) -> Failure {
        let crowded = error.is_crowded();
        let is_login = error.phase() == Step::Login && error.reply().is_some();
        let mut failure = failure(error);
        if crowded {
            return failure.passing();
        }
        if is_login {
            let credential = &self.credential;
            let user = printable(&credential.user);
            failure.what = match credential.origin {
                Origin::Anonymous => "the server wants a user name".to_owned(),
                origin => format!("user {user}, password from {origin}, is not accepted"),
            };
            failure.hint = Some(match credential.origin {
                Origin::Anonymous => format!(
                    "--user NAME, or {}://NAME@{}/…",
                    self.url.scheme.name(),
                    self.url.host
                ),
                Origin::Netrc => "the entry of this host in the netrc file, or --no-netrc".into(),
                Origin::Url | Origin::Environment | Origin::Prompt => {
                    "another password; some servers want TLS first: ftpes://".into()
                }
            });
        }
        failure
    }
}

/// A worker's session, opened when it is needed and again when it was lost.
pub struct Worker {
    server: Arc<Server>,
    session: Option<Session>,
    in_series: bool,
}

impl Worker {
    /// A worker without a session yet.
    #[must_use]
    pub const fn new(server: Arc<Server>) -> Self {
        Self {
            server,
            session: None,
            in_series: false,
        }
    }

    /// A worker for many files, each of which may be prepared while the one before it is on its way.
    #[must_use]
    pub const fn in_series(server: Arc<Server>) -> Self {
        let mut worker = Self::new(server);
        worker.in_series = true;
        worker
    }

    /// Whether it has a session that is not known to be lost.
    #[must_use]
    pub fn has_session(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| !session.is_lost())
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// The session.
    ///
    /// # Errors
    ///
    /// Those of [`Server::open`].
    pub async fn session(&mut self) -> Result<&mut Session, Failure> {
        if self.session.as_ref().is_some_and(Client::is_lost) {
            self.session = None;
        }
        match &mut self.session {
            Some(session) => Ok(session),
            // A new one; the borrow checker does not see that the other arm has returned.
            session @ None => {
                let mut fresh = match self.server.take_idle() {
                    Some(idle) => idle,
                    None => self.server.open().await?,
                };
                fresh.config_mut().look_ahead = self.in_series;
                Ok(session.insert(fresh))
            }
        }
    }

    /// Forgets the session: what it would say next is not known.
    pub fn lose(&mut self) {
        self.session = None;
    }

    /// Ends the session in good manners, or hands it on.
    pub async fn quit(&mut self) {
        let idle = &self.server.idle;
        if idle.keeps.load(Ordering::Relaxed) {
            let mut held = idle.session.lock().unwrap_or_else(PoisonError::into_inner);
            if held.is_none() {
                *held = self.session.take();
                return;
            }
        }
        self.end().await;
    }

    /// Ends the session in good manners.
    pub async fn end(&mut self) {
        if let Some(session) = self.session.take().filter(|session| !session.is_lost()) {
            // All work is done by now.
            session.quit().await.ok();
        }
    }
}

/// Sessions with one server that are opened at once. vsftpd lets 32 wait to be greeted and leaves those
/// beyond waiting for ever: their connection is made, as far as they can see.
const MAX_OPENING: usize = 16;

/// How hard MODE Z tries: what zlib itself takes for a good bargain.
const COMPRESSION_LEVEL: u8 = 6;

/// An error of the client in our words.
pub fn failure(error: Error) -> Failure {
    let phase = match error.phase() {
        Step::Resolve => Phase::Resolve,
        Step::Connect | Step::Greeting => Phase::Connect,
        Step::Secure => Phase::Tls,
        Step::Login => Phase::Login,
        Step::Command(verb) => match verb {
            Verb::Retr | Verb::Stor | Verb::Appe | Verb::Rest => Phase::Transfer,
            Verb::List | Verb::Mlsd | Verb::Nlst => Phase::List,
            _ => Phase::Command,
        },
        Step::DataConnect(verb) | Step::Transfer(verb) | Step::Final(verb) => match verb {
            Verb::List | Verb::Mlsd | Verb::Nlst => Phase::List,
            _ => Phase::Transfer,
        },
        _ => Phase::Command,
    };
    // Under TLS 1.3 a server says only after the handshake, in the midst of whatever comes next, that
    // it does not know us.
    let phase = match error.cause() {
        Cause::Tls(_) => Phase::Tls,
        _ => phase,
    };
    let mut what = error.phase().to_string();
    match error.cause() {
        Cause::Refused(_) => what.push_str(", refused"),
        cause => write!(what, ": {cause}").unwrap_or_default(),
    }
    let mut failure = Failure::new(phase, what);
    if let Some(reply) = error.reply() {
        failure = failure.reply(reply.clone());
    }
    if let Cause::Tls(cause) = error.cause()
        && let Some(hint) = tls_hint(cause)
    {
        failure = failure.hint(hint);
    }
    if let Some(hint) = error.hint() {
        failure = failure.hint(hint);
    }
    failure.is_crowded = error.is_crowded();
    failure.may_pass = error.is_temporary() || failure.is_crowded;
    failure
}

/// What to try after a handshake that failed.
fn tls_hint(error: &io::Error) -> Option<String> {
    let text = error.to_string();
    if wants_certificate(error) {
        return Some("--cert FILE --key FILE".to_owned());
    }
    if let Some((_, seen)) = text.split_once("SHA-256 is ") {
        return Some(format!(
            "--ca FILE with whoever signed it; --pin {seen} if that is the right one; --insecure"
        ));
    }
    if text.contains("UnrecognisedName") {
        // ProFTPD, where several hosts share an address.
        return Some(
            "the name the server has for itself in the URL, instead of another one".into(),
        );
    }
    // Clear text where TLS should be.
    let speaks_clear = ["InvalidContentType", "InvalidMessage", "corrupt message"]
        .iter()
        .any(|word| text.contains(word));
    speaks_clear.then(|| "the server does not begin with TLS: ftpes://, or another port".to_owned())
}

/// Whether the server misses our certificate.
fn wants_certificate(error: &io::Error) -> bool {
    // TLS 1.2 has no alert of its own for it: RFC 5246 §7.4.6 makes it a handshake failure.
    let text = error.to_string();
    ["CertificateRequired", "HandshakeFailure"]
        .iter()
        .any(|alert| text.contains(alert))
}

/// An error of reading or writing a transfer, which has the client's inside.
pub fn stream_failure(error: io::Error) -> Failure {
    let kind = error.kind();
    match error.into_inner().map(|inner| inner.downcast::<Error>()) {
        Some(Ok(error)) => failure(*error),
        Some(Err(other)) => Failure::new(Phase::Transfer, other.to_string()).passing(),
        None => Failure::new(Phase::Transfer, kind.to_string()).passing(),
    }
}

/// What is known of one remote file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Bytes.
    pub size: Option<u64>,
    /// Last change.
    pub modified: Option<Timestamp>,
    /// It is a directory.
    pub is_directory: bool,
}

/// Asks for size and time: with MLST where the server has it, else with SIZE and MDTM.
///
/// # Errors
///
/// Those of the connection; what the server does not know is `None`.
pub async fn facts(session: &mut Session, path: &[u8]) -> Result<Facts, Failure> {
    if session.features().await.map_err(failure)?.has("MLST") {
        match session.facts(path).await {
            Ok(entry) if entry.size.is_some() || entry.kind != Kind::File => {
                return Ok(Facts {
                    size: entry.size,
                    modified: entry.modified,
                    is_directory: is_directory(&entry),
                });
            }
            Ok(_) => {}
            // It may still be there: RETR says.
            Err(error) if error.reply().is_some() && !error.ends_session() => {}
            Err(error) => return Err(failure(error)),
        }
    }
    let (size, modified) = session.size_and_modified(path).await.map_err(failure)?;
    Ok(Facts {
        size,
        modified,
        is_directory: false,
    })
}

/// Whether an entry is a directory to enter.
#[must_use]
pub const fn is_directory(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::Directory)
}

/// The time of an entry with the precision its listing has.
///
/// `exact`: the listing was MLSD's. LIST writes minutes for half a year back and days beyond.
#[must_use]
pub fn modified(entry: &Entry, exact: bool) -> Option<Modified> {
    let time = entry.modified?;
    let precision = match (exact, time.hour(), time.minute(), time.second()) {
        (true, ..) => 1,
        (false, 0, 0, 0) => 86_400,
        (false, _, _, 0) => 60,
        (false, ..) => 1,
    };
    Some(Modified {
        unix: time.to_unix(),
        precision,
    })
}

/// A path below a directory of the server: `dir` as the URL has it, `below` relative to it.
#[must_use]
pub fn join(dir: &[u8], below: &[u8]) -> Vec<u8> {
    let mut path = dir.to_vec();
    if !path.is_empty() && !path.ends_with(b"/") && !below.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(below);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_with_one_slash() {
        assert_eq!(join(b"", b"a"), b"a");
        assert_eq!(join(b"/", b"a"), b"/a");
        assert_eq!(join(b"d", b"a/b"), b"d/a/b");
        assert_eq!(join(b"d/", b"a"), b"d/a");
        assert_eq!(join(b"d", b""), b"d");
    }

    #[test]
    fn times_of_list_are_as_good_as_they_look() {
        let at = |hour, minute, second, exact| {
            let mut entry = Entry::new("x", Kind::File);
            entry.modified = Timestamp::new(2024, 5, 6, hour, minute, second);
            modified(&entry, exact).unwrap().precision
        };
        assert_eq!(at(0, 0, 0, false), 86_400);
        assert_eq!(at(1, 2, 0, false), 60);
        assert_eq!(at(1, 2, 3, false), 1);
        assert_eq!(at(0, 0, 0, true), 1);
    }
}
