//! The library's callbacks, turned into calls of the boundary.
//!
//! They run in the task that moves the connection's packets. Whenever one waits, it waits for
//! [`Life::stop`] as well.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use russh::kex::dh::groups::{DH_GROUP14, DH_GROUP15, DH_GROUP16, DhGroup};
use russh::keys::{Algorithm, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Handle, Handler, Msg, PublicKeyOffer, Response, Session,
    VerifiedPublicKey,
};
use russh::{
    Channel as Wire, ChannelId, ChannelOpenFailure, ChannelWriteHalf, Disconnect, MethodSet, Pty,
    Sig,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::outlet::{ChannelOutlet, signal_name};
use super::{PACKET_BYTES, WINDOW_BYTES};
use crate::auth::{self, Attempts};
use crate::backlog::{Backlog, Pressure, Total};
use crate::boundary::{
    Channel, CloseReason, Connection, DirectTcpip, Forward, OfferedKey, PtyRequest, Start,
};
use crate::profile::Profile;
use crate::pump::pump;
use crate::stream::Life;

/// Swallowed TCP connections one connection may have at a time. OpenSSH names none; a browser behind a
/// SOCKS proxy stays under this.
const MAX_TUNNELS: usize = 64;

/// A refill this small keeps the client's window as good as shut, and can still be followed by a
/// larger one: the library refills only when data arrive.
const TRICKLE_BYTES: u32 = 2;

/// How long a packet waits for a program that does not read, while output goes on between packets.
const PRESSURE_PAUSE: Duration = Duration::from_millis(50);

/// What OpenSSH answers to a session channel it does not open, and to a forward nobody answers.
const OPEN_FAILED: u32 = 2;

/// Why a callback ends the connection.
#[derive(Debug)]
pub(super) enum Failure {
    /// [`Life::stop`] was cancelled.
    Stopped,
    /// The library gave up.
    Library(russh::Error),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::Library(error)
    }
}

/// What outlives the library's task.
#[derive(Clone)]
pub(super) struct Shared(Arc<SharedState>);

struct SharedState {
    handle: OnceLock<Handle>,
    verdict: OnceLock<CloseReason>,
    pumps: TaskTracker,
}

impl Shared {
    /// The way to send a message from outside a callback; exists once the library's task runs.
    pub(super) fn set_handle(&self, handle: Handle) {
        let _first = self.0.handle.set(handle);
    }

    /// Why we ended the connection, if we did.
    pub(super) fn verdict(&self) -> Option<CloseReason> {
        self.0.verdict.get().copied()
    }

    /// Waits for the connection's pumps; their channels are gone with the library's task.
    pub(super) async fn join(&self) {
        self.0.pumps.close();
        self.0.pumps.wait().await;
    }

    fn judge(&self, reason: CloseReason) {
        let _first = self.0.verdict.set(reason);
    }
}

/// One connection's callbacks.
pub(super) struct Front {
    connection: Arc<dyn Connection>,
    life: Arc<Life>,
    shared: Shared,
    methods: MethodSet,
    max_sessions: usize,
    attempts: Attempts,
    sessions: HashMap<ChannelId, SessionChannel>,
    tunnels: HashMap<ChannelId, DirectTcpip>,
    tunnels_opened: u32,
    held: Total,
    /// Ends every pump when the library's task is over, however it ends.
    pumps: CancellationToken,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.pumps.cancel();
    }
}

struct SessionChannel {
    channel: Arc<dyn Channel>,
    /// Taken when something is started.
    outlet: Option<ChannelWriteHalf<Msg>>,
    backlog: Arc<Backlog>,
    terminal: bool,
    closed: CancellationToken,
}

impl Drop for SessionChannel {
    fn drop(&mut self) {
        self.closed.cancel();
        self.backlog.discard();
    }
}

impl Front {
    pub(super) fn new(
        connection: Arc<dyn Connection>,
        life: Arc<Life>,
        profile: &Profile,
        methods: MethodSet,
        held: Total,
    ) -> Self {
        let shared = SharedState {
            handle: OnceLock::new(),
            verdict: OnceLock::new(),
            pumps: TaskTracker::new(),
        };
        Self {
            connection,
            life,
            shared: Shared(Arc::new(shared)),
            methods,
            max_sessions: profile.max_sessions,
            attempts: Attempts::new(profile.max_auth_tries),
            sessions: HashMap::new(),
            tunnels: HashMap::new(),
            tunnels_opened: 0,
            held,
            pumps: CancellationToken::new(),
        }
    }

    pub(super) fn shared(&self) -> Shared {
        self.shared.clone()
    }

    async fn unless_stopped<T>(
        &self,
        future: impl Future<Output = T> + Send,
    ) -> Result<T, Failure> {
        self.life
            .stop
            .run_until_cancelled(future)
            .await
            .ok_or(Failure::Stopped)
    }

    /// Begins a login attempt; `Some` is the answer to one that must not be made.
    async fn begin(&mut self, user: &str) -> Result<Option<Auth>, Failure> {
        let Err(first) = self.attempts.begin(user.as_bytes()) else {
            return Ok(None);
        };
        let first = String::from_utf8_lossy(&first);
        let text = format!(
            "Change of username or service not allowed: ({first},ssh-connection) -> ({user},ssh-connection)"
        );
        self.disconnect(text, CloseReason::Protocol).await?;
        Ok(Some(self.rejection()))
    }

    /// The answer to a failed attempt; the last one is followed by the end.
    async fn failed(&mut self, none: bool) -> Result<Auth, Failure> {
        if self.attempts.failed(none) == auth::Failure::TooMany {
            self.disconnect(
                "Too many authentication failures".to_owned(),
                CloseReason::TooManyFailures,
            )
            .await?;
        }
        Ok(self.rejection())
    }

    async fn answer(&mut self, accepted: bool) -> Result<Auth, Failure> {
        if accepted {
            Ok(Auth::Accept)
        } else {
            self.failed(false).await
        }
    }

    /// Without the whole list the library would strike the method off it.
    fn rejection(&self) -> Auth {
        Auth::Reject {
            proceed_with_methods: Some(self.methods.clone()),
            partial_success: false,
        }
    }

    async fn disconnect(&self, text: String, reason: CloseReason) -> Result<(), Failure> {
        self.shared.judge(reason);
        let handle = self.shared.0.handle.get().ok_or(Failure::Stopped)?;
        // Before login nothing else is queued, so this does not wait for the task it runs in.
        self.unless_stopped(handle.disconnect(Disconnect::ProtocolError, text, String::new()))
            .await??;
        Ok(())
    }

    async fn ask_key(
        &self,
        user: &str,
        key: &PublicKey,
        algorithm: &Algorithm,
        proved: bool,
    ) -> Result<bool, Failure> {
        let blob = key.to_bytes().map_err(russh::Error::from)?;
        let key = OfferedKey {
            algorithm: algorithm.to_string(),
            blob,
            proved,
        };
        self.unless_stopped(self.connection.public_key(user.as_bytes(), &key))
            .await
    }

    fn start(&mut self, id: ChannelId, start: Start, session: &mut Session) -> Result<(), Failure> {
        let started = self.sessions.get_mut(&id).and_then(|channel| {
            // As in sshd, only one thing is started on a channel.
            let half = channel.outlet.take()?;
            let started = channel.channel.start(start)?;
            Some((
                half,
                started,
                Arc::clone(&channel.backlog),
                channel.closed.clone(),
            ))
        });
        let Some((half, started, backlog, closed)) = started else {
            return Ok(session.channel_failure(id)?);
        };
        session.channel_success(id)?;
        let outlet = ChannelOutlet {
            half,
            handle: session.handle(),
        };
        let life = Arc::clone(&self.life);
        let shared = self.shared.clone();
        self.shared.0.pumps.spawn(async move {
            let pump = closed.run_until_cancelled(pump(started, backlog, outlet));
            if AssertUnwindSafe(pump).catch_unwind().await.is_err() {
                shared.judge(CloseReason::Fault);
                life.stop.cancel();
            }
        });
        Ok(())
    }

    /// Holds the connection back while a channel's program does not read; see `backlog`.
    async fn brake(&self, backlog: &Backlog) -> Result<(), Failure> {
        match backlog.pressure() {
            Pressure::None => Ok(()),
            // Not in time is the expected answer.
            Pressure::Soft => self
                .unless_stopped(timeout(PRESSURE_PAUSE, backlog.relief()))
                .await
                .map(drop),
            Pressure::Hard => self.unless_stopped(backlog.relief()).await,
        }
    }
}

impl Handler for Front {
    type Error = Failure;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        self.connection.none(user.as_bytes());
        self.failed(true).await
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        let accepted = self
            .unless_stopped(
                self.connection
                    .password(user.as_bytes(), password.as_bytes()),
            )
            .await?;
        self.answer(accepted).await
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        let accepted = self
            .ask_key(user, offer.public_key, offer.algorithm, false)
            .await?;
        self.answer(accepted).await
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        let accepted = self
            .ask_key(user, key.public_key, key.algorithm, true)
            .await?;
        self.answer(accepted).await
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        _response: Option<Response<'a>>,
    ) -> Result<Auth, Failure> {
        if let Some(rejection) = self.begin(user).await? {
            return Ok(rejection);
        }
        self.failed(false).await
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Failure> {
        self.life.log_in();
        Ok(())
    }

    async fn lookup_dh_gex_group(
        &mut self,
        wanted: &russh::client::GexParams,
    ) -> Result<Option<DhGroup>, Failure> {
        // The smallest fixed group that is allowed and, up to 3072 bits, as large as wanted: each
        // doubling costs this task eight times as long, and the client chooses.
        let group = match (
            wanted.min_group_size(),
            wanted.preferred_group_size().min(wanted.max_group_size()),
        ) {
            (..=2048, ..=2048) => Some(DH_GROUP14),
            (..=3072, _) if wanted.max_group_size() >= 3072 => Some(DH_GROUP15),
            (..=2048, _) => Some(DH_GROUP14),
            (..=4096, _) if wanted.max_group_size() >= 4096 => Some(DH_GROUP16),
            _ => None,
        };
        Ok(group)
    }

    async fn channel_open_session(
        &mut self,
        channel: Wire<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Failure> {
        let taken = if self.sessions.len() < self.max_sessions {
            self.connection.channel()
        } else {
            None
        };
        let Some(taken) = taken else {
            reply.reject(open_failed("open failed")).await;
            return Ok(());
        };
        let id = channel.id();
        // The reading half is dropped: everything comes through callbacks, and an unread half would
        // stall the connection.
        let (_, half) = channel.split();
        let session = SessionChannel {
            channel: taken,
            outlet: Some(half),
            backlog: Arc::new(Backlog::new(self.held.clone())),
            terminal: false,
            closed: self.pumps.child_token(),
        };
        self.sessions.insert(id, session);
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Wire<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        originator_address: &str,
        originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Failure> {
        self.tunnels_opened = self.tunnels_opened.saturating_add(1);
        let request = DirectTcpip {
            id: self.tunnels_opened,
            host: host_to_connect.as_bytes().to_vec(),
            port: port_to_connect,
            originator_host: originator_address.as_bytes().to_vec(),
            originator_port,
        };
        let answer = self.connection.direct_tcpip(&request);
        if answer == Forward::Swallow && self.tunnels.len() < MAX_TUNNELS {
            self.tunnels.insert(channel.id(), request);
            reply.accept().await;
        } else {
            reply.reject(open_failed("Connection refused")).await;
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Failure> {
        self.sessions.remove(&channel);
        self.tunnels.remove(&channel);
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Failure> {
        if let Some(session) = self.sessions.get(&channel) {
            session.backlog.end();
        }
        Ok(())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Failure> {
        if let Some(session) = self.sessions.get(&channel) {
            session.backlog.push(data);
            let backlog = Arc::clone(&session.backlog);
            return self.brake(&backlog).await;
        }
        if let Some(request) = self.tunnels.get(&channel) {
            self.connection.direct_tcpip_data(request, data);
        }
        Ok(())
    }

    fn adjust_window(&mut self, _channel: ChannelId, _current: u32) -> u32 {
        // The library has one target for all channels of a connection, so one that is stuck slows the
        // refills of the others.
        if self
            .sessions
            .values()
            .all(|session| session.backlog.pressure() == Pressure::None)
        {
            WINDOW_BYTES
        } else {
            TRICKLE_BYTES
        }
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let taken = self
            .sessions
            .get(&channel)
            .filter(|session| session.outlet.is_some())
            .is_some_and(|session| session.channel.env(name.as_bytes(), value.as_bytes()));
        reply(session, channel, taken)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Failure> {
        let Some(waiting) = self
            .sessions
            .get_mut(&channel)
            .filter(|session| session.outlet.is_some())
        else {
            return reply(session, channel, false);
        };
        if waiting.terminal {
            self.shared.judge(CloseReason::Protocol);
            let text = "Protocol error: you already have a pty.";
            return Ok(session.disconnect(Disconnect::ProtocolError, text, "")?);
        }
        let request = PtyRequest {
            term: term.as_bytes().to_vec(),
            columns,
            rows,
            modes: modes
                .iter()
                .map(|(mode, value)| (*mode as u8, *value))
                .filter(|(mode, _)| *mode != 0)
                .collect(),
        };
        waiting.terminal = waiting.channel.pty(request);
        let taken = waiting.terminal;
        reply(session, channel, taken)
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let known = self.sessions.get(&channel);
        if let Some(resized) = known {
            resized.channel.resize(columns, rows);
        }
        let taken = known.is_some();
        reply(session, channel, taken)
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Failure> {
        self.start(channel, Start::Shell, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Failure> {
        self.start(channel, Start::Exec(data.to_vec()), session)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Failure> {
        self.start(channel, Start::Subsystem(name.as_bytes().to_vec()), session)
    }

    async fn signal(
        &mut self,
        channel: ChannelId,
        signal: Sig,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let known = self.sessions.get(&channel);
        if let Some(signalled) = known {
            signalled.channel.signal(signal_name(&signal));
        }
        let taken = known.is_some();
        reply(session, channel, taken)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single_connection: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), Failure> {
        // sshd without xauth refuses; the library would not answer at all.
        reply(session, channel, false)
    }

    async fn agent_request(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<bool, Failure> {
        // On by default in sshd. The agent is the client's; nothing is ever asked of it.
        Ok(self.sessions.contains_key(&channel))
    }
}

fn open_failed(text: &str) -> ChannelOpenFailure {
    ChannelOpenFailure::Other {
        code: OPEN_FAILED,
        reason: text.to_owned(),
    }
}

fn reply(session: &mut Session, channel: ChannelId, taken: bool) -> Result<(), Failure> {
    if taken {
        session.channel_success(channel)?;
    } else {
        session.channel_failure(channel)?;
    }
    Ok(())
}

const _: () = assert!(PACKET_BYTES <= WINDOW_BYTES);
