//! One session with one server.
//!
//! ```text
//! connect ─▶ login ─▶ ┌ retrieve │ store │ list ─▶ bytes ─▶ finish ┐ ─▶ quit
//!                     │ size, rename, delete, hash, command …      │
//!                     └──────────────◀─────────────────────────────┘
//! ```
//!
//! Replies are judged as RFC 959 §5.4 and RFC 1123 §4.1.2.11 ask, by their first digit; a step that
//! fails names its phase and carries what the server said. Every wait has a deadline
//! ([`Limits`](crate::Limits)).
//!
//! **Giving up in the middle.** Every method may be dropped at any point, and so may a
//! [`Download`](crate::Download) or [`Upload`](crate::Upload): the next method first reads the
//! replies that are still owed. What the server did of the command that was given up is unknown.
//!
//! [`crate::busybox`] does not go through here, because it has to read replies as loosely as BusyBox
//! does.

mod active;
mod command;
mod fence;
mod hash;
mod list;
mod open;
mod passive;
mod relay;
#[cfg(feature = "tls")]
mod secure;

use std::fmt;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ftp_proto::argument::Argument;
#[cfg(feature = "tls")]
use ftp_proto::command::Protection;
use ftp_proto::reply::{Class, Code};
use ftp_proto::transfer::Type;
use ftp_proto::{Command, Reply, Verb};

pub use self::command::Features;
pub use self::hash::HashAlgorithm;
pub use self::list::Listing;
pub(crate) use self::open::Opened;
use crate::config::{Config, Pipelining, Security};
use crate::dial::{Dial, ResolveError};
use crate::error::{Cause, Error, Phase};
use crate::wire::Wire;

/// Addresses of one host that are tried before giving up. More is a name that does not mean one
/// server.
const MAX_ADDRESSES: usize = 8;

/// A session with one server.
pub struct Client<D: Dial> {
    dial: D,
    config: Config,
    wire: Wire<D::Stream>,
    peer: SocketAddr,
    connect_time: Duration,
    greeting: Reply,
    #[cfg(feature = "tls")]
    tls: Option<crate::tls::TlsSession>,
    #[cfg(feature = "tls")]
    last_data_tls: Option<crate::tls::TlsInfo>,
    /// The level PROT was accepted for; `None` before.
    #[cfg(feature = "tls")]
    protection: Option<Protection>,
    features: Option<Features>,
    representation: Option<Type>,
    /// MODE Z was accepted, at this level for what we send.
    deflate: Option<u8>,
    /// What OPTS HASH was set to.
    hash_setting: Option<HashAlgorithm>,
    /// A passive data connection was made in this session, so the way is free.
    data_proven: bool,
    /// A transfer was begun and its last reply not read, so far as is known; and how many
    /// keep-alives were sent meanwhile.
    unfinished: Option<usize>,
    /// Keep-alives that were not answered when the transfer's last reply came.
    late_keep_alives: usize,
    /// EPSV was sent behind the last transfer's command, and its reply is not read.
    asked_ahead: bool,
    /// The reply to EPSV, if that was sent together with what announces the transfer.
    passive_reply: Option<Reply>,
    /// SSCN is on.
    dials_as_client: bool,
    pipelines: bool,
    /// The greeting is that of a server which reads commands only between transfers.
    is_sequential: bool,
    lost: bool,
}

/// Who logs in.
#[derive(Clone)]
pub struct Login {
    /// For USER.
    pub user: Vec<u8>,
    /// For PASS, if the server asks.
    pub password: Vec<u8>,
    /// For ACCT, if the server asks.
    pub account: Option<Vec<u8>>,
}

impl Login {
    /// A user with a password.
    #[must_use]
    pub fn new(user: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            account: None,
        }
    }

    /// `anonymous`, with a guest's password as RFC 1635 §3 describes it.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new("anonymous", "anonymous@")
    }
}

impl fmt::Debug for Login {
    /// Never shows the password or the account.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}, …)", self.user.escape_ascii())
    }
}

impl<D: Dial> Client<D> {
    /// Connects, reads the greeting, names the virtual host and secures the connection, as far as the
    /// configuration says so.
    ///
    /// # Errors
    ///
    /// [`Error`] in the phases resolve, connect, greeting and secure; a server that says 421 is
    /// [`Cause::Refused`] in the greeting.
    pub async fn connect(dial: D, config: Config) -> Result<Self, Error> {
        let begun = tokio::time::Instant::now();
        let (stream, peer) = dial_host(&dial, &config).await?;
        let connect_time = begun.elapsed();
        let pipelines = config.pipelining == Pipelining::On;
        let wire = Wire::new(stream, config.listener.clone());
        let mut client = Self {
            dial,
            config,
            wire,
            peer,
            connect_time,
            greeting: Reply::new(Code::READY, ""),
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "tls")]
            last_data_tls: None,
            #[cfg(feature = "tls")]
            protection: None,
            features: None,
            representation: None,
            deflate: None,
            hash_setting: None,
            data_proven: false,
            unfinished: None,
            late_keep_alives: 0,
            asked_ahead: false,
            passive_reply: None,
            dials_as_client: false,
            pipelines,
            is_sequential: pipelines,
            lost: false,
        };
        #[cfg(feature = "tls")]
        if let Security::Implicit(options) = client.config.security.clone() {
            client.handshake(&options).await?;
        }
        let greeting = client.next_final(Phase::Greeting).await?;
        client.greeting = accepted(Phase::Greeting, greeting)?;
        client.pipelines |= client.config.pipelining == Pipelining::Auto
            && !loses_early_commands(client.greeting.text());
        client.is_sequential |= client.config.pipelining == Pipelining::Auto
            && reads_between_transfers(client.greeting.text());
        if let Some(host) = client.config.virtual_host.clone() {
            let host = argument(Phase::Command(Verb::Host), host)?;
            client.ask(Command::Host(host)).await?;
        }
        match client.config.security.clone() {
            Security::Plain => {}
            #[cfg(feature = "tls")]
            Security::Implicit(_) => {}
            #[cfg(feature = "tls")]
            Security::Explicit(options) => client.secure(&options).await?,
        }
        Ok(client)
    }

    /// Logs in: USER, then PASS and ACCT as far as the server asks; then secures data connections if
    /// the session is secured, and asks for UTF-8 names if the server offers them.
    ///
    /// May be called again after a refusal. Returns the server's words of welcome.
    ///
    /// # Errors
    ///
    /// [`Error`] in the phases login and secure.
    pub async fn login(&mut self, login: &Login) -> Result<Reply, Error> {
        let user = argument(Phase::Login, login.user.as_slice())?;
        self.features = self.config.lessons.features(&login.user);
        self.representation = None;
        self.hash_setting = None;
        let mut reply = self.exchange(Phase::Login, &Command::User(user)).await?;
        if matches!(reply.code().number(), 331 | 336) {
            let password = match login.password.as_slice() {
                [] => None,
                password => Some(argument(Phase::Login, password)?),
            };
            reply = self
                .exchange(Phase::Login, &Command::Pass(password))
                .await?;
        }
        if reply.code() == Code::NEED_ACCOUNT
            && let Some(account) = &login.account
        {
            let account = argument(Phase::Login, account.as_slice())?;
            reply = self.exchange(Phase::Login, &Command::Acct(account)).await?;
        }
        let welcome = accepted(Phase::Login, reply)?;
        #[cfg(feature = "tls")]
        self.protect_data().await?;
        self.introduce().await?;
        if let Some(features) = &self.features {
            self.config.lessons.note_features(&login.user, features);
        }
        Ok(welcome)
    }

    /// The server's first words.
    #[must_use]
    pub const fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// Where the control connection leads.
    #[must_use]
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// What it took to find and reach the server, before it spoke: about a round trip, if its name was
    /// known and its first address answered.
    #[must_use]
    pub const fn connect_time(&self) -> Duration {
        self.connect_time
    }

    /// The configuration this session was made with; [`Client::config_mut`] changes what comes next.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Changes deadlines, limits and the data mode for what comes next.
    pub const fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// Whether the control connection is lost, so that nothing but dropping the client makes sense.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost || self.wire.is_closed()
    }

    /// What TLS of the last data connection came to; `None` before the first and in clear text.
    #[cfg(feature = "tls")]
    #[must_use]
    pub const fn data_tls(&self) -> Option<crate::tls::TlsInfo> {
        self.last_data_tls
    }

    /// QUIT, the server's answer, and the end of the connection.
    ///
    /// # Errors
    ///
    /// [`Error`]; all work is done by then and most callers ignore it.
    pub async fn quit(mut self) -> Result<(), Error> {
        let said = self.exchange(Phase::Command(Verb::Quit), &Command::Quit);
        let said = said.await;
        let mut transport = self.wire.transport;
        let end = tokio::io::AsyncWriteExt::shutdown(&mut transport);
        // The server may have closed first, which is as good.
        tokio::time::timeout(self.config.limits.connect, end)
            .await
            .ok();
        said.map(drop)
    }

    /// Sends a command and reads its final reply, which has to be positive.
    pub(crate) async fn ask(&mut self, command: Command) -> Result<Reply, Error> {
        let phase = Phase::Command(command.verb());
        let reply = self.exchange(phase, &command).await?;
        accepted(phase, reply)
    }

    /// Sends a command and reads its final reply, whatever it says.
    ///
    /// A 421 and whatever ends the session is an error.
    pub(crate) async fn exchange(
        &mut self,
        phase: Phase,
        command: &Command,
    ) -> Result<Reply, Error> {
        self.settle(phase).await?;
        self.wire.queue(command);
        self.next_final(phase).await
    }

    /// Sends commands ahead of their replies, if the server bears that, and gives the replies in
    /// order.
    pub(crate) async fn exchange_all(
        &mut self,
        phase: Phase,
        commands: &[Command],
    ) -> Result<Vec<Reply>, Error> {
        self.settle(phase).await?;
        let mut replies = Vec::with_capacity(commands.len());
        if self.pipelines {
            for command in commands {
                self.wire.queue(command);
            }
            for _ in commands {
                replies.push(self.next_final(phase).await?);
            }
        } else {
            for command in commands {
                replies.push(self.exchange(phase, command).await?);
            }
        }
        Ok(replies)
    }

    /// Reads the replies that are still owed for what was given up.
    pub(crate) async fn settle(&mut self, phase: Phase) -> Result<(), Error> {
        if self.is_lost() {
            return Err(Error::new(phase, Cause::Closed));
        }
        if self.unfinished.is_some() {
            self.fence(phase).await?;
        }
        self.catch_up(phase).await?;
        // Asked for in vain: whatever comes now is no transfer.
        self.asked_ahead = false;
        self.passive_reply = None;
        while self.wire.conversation.owed() > 0 {
            self.next_final(phase).await?;
        }
        Ok(())
    }

    /// Sends what is queued and reads replies until a final one.
    pub(crate) async fn next_final(&mut self, phase: Phase) -> Result<Reply, Error> {
        self.next_final_within(phase, self.config.limits.reply)
            .await
    }

    pub(crate) async fn next_final_within(
        &mut self,
        phase: Phase,
        limit: Duration,
    ) -> Result<Reply, Error> {
        let wire = &mut self.wire;
        let next = async {
            loop {
                let reply = poll_fn(|cx| wire.poll_exchange(cx)).await?;
                if reply.code().class() != Class::Preliminary {
                    return Ok(reply);
                }
            }
        };
        let result = match tokio::time::timeout(limit, next).await {
            Ok(result) => result,
            Err(_elapsed) => {
                // Another protocol's greeting says more than the time that passed after it.
                let stray = wire.stray().filter(|_| phase == Phase::Greeting);
                Err(stray.unwrap_or(Cause::Timeout(limit)))
            }
        };
        let result = match result {
            Ok(reply) if reply.code() == Code::SERVICE_UNAVAILABLE => Err(Cause::Refused(reply)),
            other => other,
        };
        result.map_err(|cause| self.fail(phase, cause))
    }

    /// Makes the error and notes whether it ends the session.
    pub(crate) fn fail(&mut self, phase: Phase, cause: Cause) -> Error {
        let error = Error::new(phase, cause);
        self.lost |= error.ends_session();
        error
    }
}

impl<D: Dial> fmt::Debug for Client<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("peer", &self.peer)
            .field("lost", &self.is_lost())
            .finish_non_exhaustive()
    }
}

/// A reply that says yes.
pub(crate) fn accepted(phase: Phase, reply: Reply) -> Result<Reply, Error> {
    match reply.code().class() {
        Class::Completion => Ok(reply),
        _ => Err(Error::new(phase, Cause::Refused(reply))),
    }
}

/// Bytes that can be sent as they are.
pub(crate) fn argument(phase: Phase, bytes: impl AsRef<[u8]>) -> Result<Argument, Error> {
    Argument::new(bytes.as_ref()).map_err(|error| Error::new(phase, Cause::Argument(error)))
}

/// Runs the future, at most for that long.
pub(crate) async fn within<T>(
    phase: Phase,
    limit: Duration,
    future: impl Future<Output = Result<T, Cause>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, future).await {
        Ok(result) => result.map_err(|cause| Error::new(phase, cause)),
        Err(_elapsed) => Err(Error::new(phase, Cause::Timeout(limit))),
    }
}

/// The control connection to the first address of the host that answers.
async fn dial_host<D: Dial>(dial: &D, config: &Config) -> Result<(D::Stream, SocketAddr), Error> {
    let limit = config.limits.connect;
    let host = config.host.trim_start_matches('[').trim_end_matches(']');
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => {
            let found = async { dial.resolve(host.as_bytes()).await.map_err(Cause::Resolve) };
            within(Phase::Resolve, limit, found).await?
        }
    };
    let mut error = Error::new(Phase::Resolve, Cause::Resolve(ResolveError::NotFound));
    for address in addresses.into_iter().take(MAX_ADDRESSES) {
        let target = SocketAddr::new(address, config.effective_port());
        let made = async { dial.connect(target).await.map_err(Cause::Connect) };
        match within(Phase::Connect, limit, made).await {
            Ok(stream) => return Ok((stream, target)),
            Err(failure) => error = failure,
        }
    }
    Err(error)
}

/// Whether the greeting names a server known to serve one command after the other, transfers included.
/// Others answer 450 (ProFTPD) or 500 (pure-ftpd) to what comes during a transfer, or drop the transfer
/// for it (pyftpdlib).
fn reads_between_transfers(greeting: &[u8]) -> bool {
    // The last two are the daemons of the BSDs and their descendants on Linux and Solaris.
    [&b"vsFTPd"[..], b"FTP server (Version", b"FTP server (SunOS"]
        .iter()
        .any(|name| greeting.windows(name.len()).any(|window| window == *name))
}

/// Whether the greeting names a server known to lose commands that come before it is ready for them;
/// lftp has learned the same list.
fn loses_early_commands(greeting: &[u8]) -> bool {
    [&b"icrosoft FTP Service"[..], b"MadGoat", b"MikroTik"]
        .iter()
        .any(|name| greeting.windows(name.len()).any(|window| window == *name))
}
