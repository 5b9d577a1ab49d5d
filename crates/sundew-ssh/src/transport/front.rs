//! The state of one connection's callbacks, and what they have in common.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use russh::keys::{Algorithm, PublicKey};
use russh::server::{Auth, Handle, Msg, Session};
use russh::{ChannelId, ChannelWriteHalf, Disconnect, MethodSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::outlet::ChannelOutlet;
use crate::auth::{self, Attempts};
use crate::backlog::{Backlog, Pressure, Total};
use crate::boundary::{Channel, CloseReason, Connection, DirectTcpip, OfferedKey, Start};
use crate::profile::Profile;
use crate::pump::pump;
use crate::stream::Life;

/// How long a packet waits for a program that does not read, while output goes on between packets.
const PRESSURE_PAUSE: Duration = Duration::from_millis(50);

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

    pub(super) fn judge(&self, reason: CloseReason) {
        let _first = self.0.verdict.set(reason);
    }
}

/// One connection's callbacks.
pub(super) struct Front {
    pub(super) connection: Arc<dyn Connection>,
    pub(super) life: Arc<Life>,
    shared: Shared,
    methods: MethodSet,
    pub(super) max_sessions: usize,
    attempts: Attempts,
    pub(super) sessions: HashMap<ChannelId, SessionChannel>,
    pub(super) tunnels: HashMap<ChannelId, DirectTcpip>,
    pub(super) tunnels_opened: u32,
    pub(super) held: Total,
    /// Ends every pump when the library's task is over, however it ends.
    pub(super) pumps: CancellationToken,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.pumps.cancel();
    }
}

/// One session channel's part of the connection's state; dropping it ends its pump.
pub(super) struct SessionChannel {
    pub(super) channel: Arc<dyn Channel>,
    /// Taken when something is started.
    pub(super) outlet: Option<ChannelWriteHalf<Msg>>,
    pub(super) backlog: Arc<Backlog>,
    pub(super) terminal: bool,
    pub(super) closed: CancellationToken,
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

    pub(super) async fn unless_stopped<T>(
        &self,
        future: impl Future<Output = T> + Send,
    ) -> Result<T, Failure> {
        self.life.toll.rest();
        self.life
            .stop
            .run_until_cancelled(future)
            .await
            .ok_or(Failure::Stopped)
    }

    /// Begins a login attempt; `Some` is the answer to one that must not be made.
    pub(super) async fn begin(&mut self, user: &str) -> Result<Option<Auth>, Failure> {
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
    pub(super) async fn failed(&mut self, none: bool) -> Result<Auth, Failure> {
        if self.attempts.failed(none) == auth::Failure::TooMany {
            self.disconnect(
                "Too many authentication failures".to_owned(),
                CloseReason::TooManyFailures,
            )
            .await?;
        }
        Ok(self.rejection())
    }

    pub(super) async fn answer(&mut self, accepted: bool) -> Result<Auth, Failure> {
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

    pub(super) async fn ask_key(
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

    pub(super) fn start(
        &mut self,
        id: ChannelId,
        start: Start,
        session: &mut Session,
    ) -> Result<(), Failure> {
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
    pub(super) async fn brake(&self, backlog: &Backlog) -> Result<(), Failure> {
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
