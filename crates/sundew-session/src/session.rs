//! One connection: from its first byte to its last event.
//!
//! A front end opens it with [`Sensor::open`], tells it what its client says, asks it whether a
//! login succeeds, and gets channels from it. The machine is made when the first channel starts and
//! is the same for all of them; it ends with the connection.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use sundew_events::event::{Credential, Kex, Login, PublicKey, Target};
use sundew_events::{Connection, Escaped, EventKind, Literal, SessionId};
use sundew_kernel::Pid;
use sundew_kernel::machine::{Config, Machine, SharedVfs};
use sundew_persona::users::User;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::lifetime::Sensor;
use crate::lock;
use crate::record::{Reporter, Watcher, refusal};
use channel::Channel;
use log::{Failures, Logged};
pub(crate) use login::since_boot;

mod account;
pub mod channel;
mod log;
mod login;
mod mode;
mod stream;

/// One connection, whatever its protocol.
///
/// Nothing here waits but [`Session::password`]. Without [`Session::closed`] it is over when the
/// last handle is dropped.
#[derive(Debug)]
pub struct Session {
    pub(crate) reporter: Arc<Reporter>,
    /// Who is logged in.
    user: Mutex<Vec<u8>>,
    running: Arc<Mutex<Option<Running>>>,
    /// The filesystem that is kept for this source, once somebody has logged in.
    kept: Arc<Mutex<Option<SharedVfs>>>,
    /// The tasks of its channels.
    pub(crate) channels: TaskTracker,
    next_channel: AtomicU32,
    forwarded: AtomicU32,
    /// Passwords that were wrong.
    failures: Mutex<Failures>,
    /// The login as the machine's logs have it.
    logged: Arc<Mutex<Option<Logged>>>,
    /// Cancelled when the connection is gone.
    pub(crate) gone: CancellationToken,
    closed: AtomicBool,
    began: Duration,
}

/// The connection's machine and the task that runs it.
#[derive(Debug)]
struct Running {
    machine: Machine,
    _scheduler: AbortOnDropHandle<()>,
}

impl Session {
    pub(crate) fn open(sensor: &Arc<Sensor>, connection: Connection) -> Arc<Self> {
        let reporter = Reporter::new(sensor, connection);
        reporter.event(EventKind::SessionConnect);
        Arc::new(Self {
            began: sensor.parts.clock.monotonic(),
            reporter,
            user: Mutex::default(),
            running: Arc::default(),
            kept: Arc::default(),
            channels: TaskTracker::new(),
            next_channel: AtomicU32::new(0),
            forwarded: AtomicU32::new(0),
            failures: Mutex::default(),
            logged: Arc::default(),
            gone: CancellationToken::new(),
            closed: AtomicBool::new(false),
        })
    }

    /// Cancelled when the connection should be closed from our side: its machine broke.
    #[must_use]
    pub fn hangup(&self) -> CancellationToken {
        self.reporter.hangup.clone()
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.reporter.connection.session()
    }

    /// The client said which software it is.
    pub fn client_version(&self, line: &[u8]) {
        let version = Escaped::new(line.trim_ascii());
        self.reporter.event(EventKind::ClientVersion { version });
    }

    /// The client began a key exchange.
    pub fn client_kex(&self, kex: Kex) {
        self.reporter.event(EventKind::ClientKex(Box::new(kex)));
    }

    /// Decides a password login. A wrong one takes its time, as under PAM.
    pub async fn password(&self, user: &[u8], password: &[u8]) -> bool {
        let sensor = self.sensor();
        let mut permitted = sensor.parts.policy.permits(user, password);
        if !permitted && let Some(machines) = &sensor.parts.machines {
            // Who changed a password on a machine that was kept gets in with it.
            let source = self.reporter.connection.src().0;
            permitted = machines.permits(sensor, source, user, password).await;
        }
        self.told(
            permitted,
            user,
            Credential::Password(Escaped::new(password)),
        );
        if permitted {
            *lock(&self.user) = user.to_vec();
            if let Some(machines) = &sensor.parts.machines {
                let source = self.reporter.connection.src().0;
                let kept = machines.open(sensor, source).await;
                *lock(&self.kept) = kept;
            }
        } else {
            lock(&self.failures).add(user, sensor.parts.clock.wall());
            let spread = sensor.random() % (2 * FAIL_SPREAD_MS);
            let delay = FAIL_DELAY_MS
                .saturating_sub(FAIL_SPREAD_MS)
                .saturating_add(spread);
            sensor.parts.clock.sleep(Duration::from_millis(delay)).await;
        }
        permitted
    }

    /// A public key was offered. None gets in; each is told of.
    pub fn public_key(&self, user: &[u8], key: PublicKey) -> bool {
        self.reporter.event(EventKind::ClientFingerprint {
            username: Escaped::new(user),
            key: key.clone(),
        });
        self.told(false, user, Credential::PublicKey(key));
        false
    }

    fn told(&self, permitted: bool, user: &[u8], credential: Credential) {
        let login = Login {
            username: Escaped::new(user),
            credential,
        };
        self.reporter.event(if permitted {
            EventKind::LoginSuccess(login)
        } else {
            EventKind::LoginFailed(login)
        });
    }

    /// A forwarded connection was asked for.
    pub fn forward(&self, target: Target, origin: Target) {
        if self.forwarded.fetch_add(1, Ordering::Relaxed) < MAX_FORWARD_EVENTS {
            self.reporter
                .event(EventKind::DirectTcpipRequest { target, origin });
        }
    }

    /// Data came for a forwarded connection that leads nowhere.
    pub fn forwarded(&self, target: Target, channel: u32, data: &[u8]) {
        if self.forwarded.fetch_add(1, Ordering::Relaxed) < MAX_FORWARD_EVENTS {
            self.reporter.event(EventKind::DirectTcpipData {
                target,
                data: Literal::new(data),
                channel,
            });
        }
    }

    /// Opens a channel.
    pub fn channel(self: &Arc<Self>) -> Arc<Channel> {
        let number = self.next_channel.fetch_add(1, Ordering::Relaxed);
        Channel::new(Arc::clone(self), number)
    }

    /// The connection is gone. Its channels end, what they leave is kept, then the last event is
    /// sent; all that in the background.
    pub fn closed(&self) {
        if self.closed.swap(true, Ordering::Relaxed) {
            return;
        }
        self.gone.cancel();
        self.channels.close();
        let sensor = self.sensor();
        let now = sensor.parts.clock.monotonic();
        let lasted = now.saturating_sub(self.began);
        let (reporter, channels) = (Arc::clone(&self.reporter), self.channels.clone());
        let running = Arc::clone(&self.running);
        let (kept, logged) = (Arc::clone(&self.kept), Arc::clone(&self.logged));
        drop(sensor.spawn(async move {
            if timeout(END_GRACE, channels.wait()).await.is_err() {
                tracing::warn!(session = %reporter.connection.session(), "channels did not end");
            }
            // The machine ends here.
            let ended = lock(&running).take();
            if let Some(running) = ended {
                let now = reporter.sensor.parts.clock.wall();
                if let Some(logged) = lock(&logged).take() {
                    logged.end(&running.machine, now);
                }
                if reporter.ended().is_some() {
                    account::reboot(&running.machine, &reporter.sensor.parts.persona, now);
                }
            }
            let kept = lock(&kept).take();
            let machines = &reporter.sensor.parts.machines;
            if let (Some(kept), Some(machines)) = (kept, machines) {
                machines.save(reporter.connection.src().0, kept).await;
            }
            reporter.last_event(EventKind::SessionClosed {
                duration_ms: u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
            });
        }));
    }

    pub(crate) fn sensor(&self) -> &Arc<Sensor> {
        &self.reporter.sensor
    }

    /// Who is logged in.
    pub(crate) fn user(&self) -> Vec<u8> {
        lock(&self.user).clone()
    }

    /// The connection's machine, made at the first call; `None` when the connection is gone.
    pub(crate) fn machine(&self) -> Option<Machine> {
        if self.gone.is_cancelled() {
            return None;
        }
        let mut running = lock(&self.running);
        if let Some(running) = &*running {
            return Some(running.machine.clone());
        }
        let (machine, scheduler) = self.make_machine()?;
        let (hangup, session) = (self.hangup(), self.id());
        let task = self.sensor().parts.threads.spawn(async move {
            // A fault in one program ends this connection and no other.
            if AssertUnwindSafe(scheduler).catch_unwind().await.is_err() {
                tracing::error!(%session, "the machine broke; its connection is closed");
                hangup.cancel();
            }
        });
        *running = Some(Running {
            machine: machine.clone(),
            _scheduler: AbortOnDropHandle::new(task),
        });
        Some(machine)
    }

    /// Tells the machine's logs of the login, at the first channel.
    fn log_in(&self, machine: &Machine, user: &User, (pid, tty): (Pid, Option<&[u8]>)) {
        let mut logged = lock(&self.logged);
        if logged.is_some() {
            return;
        }
        let sensor = self.sensor();
        let persona = &sensor.parts.persona;
        let number = persona.first_session().wrapping_add(sensor.next_login());
        machine.set_login_session(number);
        let place = log::Place {
            machine,
            persona,
            user,
            connection: &self.reporter.connection,
            pid,
            number,
            tty,
            now: sensor.parts.clock.wall(),
        };
        *logged = Logged::begin(&place, &lock(&self.failures));
    }

    fn make_machine(&self) -> Option<(Machine, sundew_kernel::scheduler::Scheduler)> {
        let sensor = self.sensor();
        let parts = &sensor.parts;
        let kept = lock(&self.kept).clone();
        let persona = &parts.persona;
        let (facts, residents) = match kept.as_ref().and_then(account::booted) {
            Some(boot) if boot > persona.facts.boot_time.secs => persona.booted_at(boot),
            _ => (Arc::clone(&persona.facts), persona.residents.clone()),
        };
        let vfs = match kept {
            Some(kept) => kept,
            None => fresh(sensor)?,
        };
        let source = sensor
            .accounts
            .of(self.reporter.connection.src().0, parts.clock.monotonic());
        source.totals().count(&mut lock(&vfs));
        Some(Machine::new(Config {
            vfs,
            programs: Arc::clone(&parts.programs),
            facts,
            clock: Arc::clone(&parts.clock),
            network: Arc::new(parts.egress.for_attacker(refusal(&self.reporter))),
            observer: Arc::new(Watcher(Arc::clone(&self.reporter))),
            limits: parts.machine.clone(),
            seed: sensor.random(),
            residents,
            sockets: parts.persona.sockets.clone(),
            last_pid: sensor.last_pid(),
            heavy: Some(Arc::clone(&parts.heavy)),
            source: Some(source),
            aside: Some(sensor.aside()),
            secure_shell: parts.secure_shell.clone(),
        }))
    }
}

/// A filesystem fresh from the image.
pub(crate) fn fresh(sensor: &Sensor) -> Option<SharedVfs> {
    let now = sensor.parts.clock.wall();
    match sensor.parts.persona.filesystem_at(sensor.parts.files, now) {
        Ok(vfs) => Some(Arc::new(Mutex::new(vfs))),
        Err(errno) => {
            tracing::error!(?errno, "the persona's mounts do not fit its image");
            None
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.closed();
    }
}

/// How long a wrong password takes on average: `pam_unix`'s two seconds.
const FAIL_DELAY_MS: u64 = 2000;

/// By how much libpam varies it at most, up and down: half of it.
const FAIL_SPREAD_MS: u64 = 1000;

/// How long the channels of a connection that is gone may take to put away what they have.
const END_GRACE: Duration = Duration::from_secs(10);

/// Events about forwarding that one connection may cause. Spammers send thousands of mails through
/// one; the first hundreds tell what there is to tell.
const MAX_FORWARD_EVENTS: u32 = 500;
