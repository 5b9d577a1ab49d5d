//! What all sessions of a sensor share, how many there are, and how they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use sundew_capture::Store;
use sundew_egress::Egress;
use sundew_events::{Connection, Installation, Protocol, SessionId};
use sundew_kernel::aside::Aside;
use sundew_kernel::budget;
use sundew_kernel::clock::Clock;
use sundew_kernel::program::ProgramTable;
use sundew_kernel::secure_shell::SecureShell;
use sundew_persona::Persona;
use sundew_sinks::EventSender;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::clock::event_time;
use crate::persist::Machines;
use crate::policy::Policy;
use crate::session::Session;
use crate::session::since_boot as login_uptime;
use crate::source::{Accounts, Budgets};

/// Processes that come and go between two visits, at most.
const FORKS_PER_VISIT: u64 = 40;
/// Processes that a server starts in an hour by itself: cron, timers.
const FORKS_PER_HOUR: u32 = 37;
/// Highest process number, below Linux's limit by what a visit may need.
const PID_MAX: u32 = 4_190_000;

/// Fills a buffer with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// An address and a port.
pub type Endpoint = (std::net::IpAddr, u16);

/// What a sensor is made of. Everything that varies is handed in here.
pub struct Parts {
    /// The machine that visitors find.
    pub persona: Persona,
    /// The programs on it.
    pub programs: Arc<ProgramTable>,
    /// Its time, and that of the events.
    pub clock: Arc<dyn Clock>,
    /// Where events go.
    pub events: EventSender,
    /// Where artifacts and recordings go.
    pub store: Store,
    /// The way out.
    pub egress: Egress,
    /// Who may log in.
    pub policy: Policy,
    /// Which sensor this is.
    pub installation: Arc<Installation>,
    /// What one machine may use.
    pub machine: budget::Limits,
    /// What machines may use together.
    pub budgets: Budgets,
    /// What one machine may write.
    pub files: sundew_vfs::Limits,
    /// Where machines are kept between visits; `None`: every connection starts from the image.
    pub machines: Option<Machines>,
    /// Session ids, delays and the machines' randomness start here.
    pub random: Random,
    /// The client side of SSH for the machines; `None`: no server is ever reached by it.
    pub secure_shell: Option<Arc<dyn SecureShell>>,
    /// Permits for machines that use much CPU; fewer than cores, so that the others get through.
    pub heavy: Arc<Semaphore>,
    /// The threads that machines run on. They should not be those that carry connections: a program may
    /// compute for long in one piece.
    pub threads: Handle,
}

/// What all sessions share.
pub struct Sensor {
    pub(crate) parts: Parts,
    pub(crate) accounts: Accounts,
    /// Tasks that must end before the sensor may: the ends of sessions, artifacts being finished.
    pub(crate) tracker: TaskTracker,
    stopping: AtomicBool,
    /// Process numbers used up between the machines made so far.
    forks: AtomicU32,
    /// Logins that were let in so far.
    logins: AtomicU32,
    runtime: Handle,
    aside: Aside,
}

impl std::fmt::Debug for Sensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sensor").finish_non_exhaustive()
    }
}

impl Sensor {
    /// A sensor of these parts, whose sessions run on the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            accounts: Accounts::new(parts.budgets),
            parts,
            tracker: TaskTracker::new(),
            stopping: AtomicBool::new(false),
            forks: AtomicU32::new(0),
            logins: AtomicU32::new(0),
            aside: crate::aside::aside(Handle::current()),
            runtime: Handle::current(),
        })
    }

    /// Where machines have done what would keep others waiting.
    pub(crate) fn aside(&self) -> Aside {
        self.aside.clone()
    }

    /// Begins the session of a connection that was just accepted, and tells of it.
    #[must_use]
    pub fn open(
        self: &Arc<Self>,
        protocol: Protocol,
        src: Endpoint,
        dst: Endpoint,
    ) -> Arc<Session> {
        let mut id = [0; 6];
        (self.parts.random)(&mut id);
        let connection = Connection::new(SessionId::from_bytes(id), protocol, src, dst);
        Session::open(self, connection)
    }

    /// Waits until all sessions have said their last word, then cuts the transfers that outlive
    /// them and waits until everything captured is on disk; each for at most `grace`. Front ends
    /// must have closed their connections before.
    pub async fn stop(&self, grace: Duration) {
        self.stopping.store(true, Ordering::Relaxed);
        self.tracker.close();
        let late = |what: &str| tracing::warn!(what, "did not end in time");
        if timeout(grace, self.tracker.wait()).await.is_err() {
            late("sessions");
        }
        if timeout(grace, self.parts.egress.shut_down()).await.is_err() {
            late("transfers");
        }
        if timeout(grace, self.tracker.wait()).await.is_err() {
            late("artifacts");
        }
        if timeout(grace, self.parts.store.drain()).await.is_err() {
            late("captures");
        }
    }

    /// Whether [`Sensor::stop`] was called: what is cut from now on is cut by us.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Runs a task that the sensor waits for when it stops. Works from any thread.
    pub(crate) fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tracker.spawn_on(task, &self.runtime)
    }

    /// The time for events.
    pub(crate) fn now(&self) -> sundew_events::Timestamp {
        event_time(self.parts.clock.wall())
    }

    /// The last process number before a new machine's first: a server goes on forking, so numbers
    /// grow with its uptime and from one visit to the next.
    pub(crate) fn last_pid(&self) -> sundew_kernel::Pid {
        let persona = &self.parts.persona;
        let up = login_uptime(persona.facts.boot_time, self.parts.clock.wall());
        let step = u32::try_from(self.random() % FORKS_PER_VISIT).unwrap_or(0) + 3;
        let visits = self.forks.fetch_add(step, Ordering::Relaxed);
        let hourly = u32::try_from(up.as_secs() / 3600)
            .unwrap_or(0)
            .wrapping_mul(FORKS_PER_HOUR);
        // The kernel counts to 4194304 and begins anew at 300.
        let first = persona.last_pid;
        first + hourly.wrapping_add(visits) % (PID_MAX - first).max(1)
    }

    /// The number of a login, from 0.
    pub(crate) fn next_login(&self) -> u32 {
        self.logins.fetch_add(1, Ordering::Relaxed)
    }

    /// A random number.
    pub(crate) fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.parts.random)(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}
