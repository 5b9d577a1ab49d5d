//! What the kernel knows of one process, whatever program runs in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use sundew_vfs::pool::{Held, Pool};
use sundew_vfs::{Credentials, InodeId};

use crate::budget::Holder;
use crate::descriptor::Table;
use crate::environment::Environment;
use crate::machine::{Kernel, Resident};
use crate::rlimit::Limits;
use crate::scheduler::nanos;
use crate::signal::Disposition;
use crate::tty::Tty;
use crate::wait_queue::WaitQueue;
use crate::{ExitStatus, Pid, Signal, lock};

/// One process.
#[derive(Debug)]
pub(crate) struct ProcessState {
    pub(crate) pid: Pid,
    /// Monotonic time of its start; for residents, time after boot.
    pub(crate) started: Duration,
    resident: Option<Resident>,
    /// Nanoseconds.
    cpu: AtomicU64,
    account: Account,
    /// Whether it was put aside while it computed.
    ready: AtomicBool,
    /// CPU time, in nanoseconds, from which on its limit has to be looked at.
    pub(crate) cpu_mark: AtomicU64,
    /// What its program holds.
    pub(crate) memory: Arc<Pool>,
    pub(crate) inner: Mutex<Inner>,
}

/// Whether a process runs or has ended and waits for its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Running,
    Ended(ExitStatus),
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) ppid: Pid,
    pub(crate) group: Pid,
    pub(crate) session: Pid,
    pub(crate) credentials: Arc<Credentials>,
    /// Real user and group: who started it, whatever set-id bits its program has.
    pub(crate) real: (u32, u32),
    /// Saved user and group: what the effective ones were when the program was started.
    pub(crate) saved: (u32, u32),
    /// Who logged in, whoever he became since: `/proc/PID/loginuid`.
    pub(crate) login_uid: u32,
    /// The descriptor by which the process reads the directory of its own descriptors.
    pub(crate) listing: Option<crate::Fd>,
    pub(crate) umask: u16,
    pub(crate) limits: Limits,
    /// -20 to 19.
    pub(crate) nice: i32,
    pub(crate) directory: InodeId,
    /// Where that was when it was entered, for `/proc/PID/cwd`.
    pub(crate) directory_path: Vec<u8>,
    pub(crate) fds: Table,
    pub(crate) tty: Option<Arc<Tty>>,
    pub(crate) dispositions: HashMap<Signal, Disposition>,
    /// Caught signals that the program has not taken yet, one bit each.
    pub(crate) pending: u64,
    /// A signal that ends the process as soon as its task is polled.
    pub(crate) fatal: Option<Signal>,
    pub(crate) stopped: Option<Signal>,
    /// Whether the parent has seen that it stopped.
    pub(crate) stop_reported: bool,
    /// Whether it was continued and the parent has not seen that.
    pub(crate) continued: bool,
    pub(crate) life: Life,
    /// At most 15 bytes: `/proc/PID/comm`.
    pub(crate) name: Vec<u8>,
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) env: Environment,
    pub(crate) executable: Vec<u8>,
    /// Who waits for its end from outside.
    pub(crate) end_waiters: WaitQueue,
    /// Who of it waits for its children.
    pub(crate) child_waiters: WaitQueue,
    task: Option<Waker>,
    /// What its task shall run next: set by `execve`.
    pub(crate) next_image: Option<crate::process::exec::Image>,
    /// CPU time of children that were waited for.
    pub(crate) children_cpu: Duration,
    /// What its arguments and environment take of the machine's memory, here and in its program.
    pub(crate) text: Option<Held>,
    /// What its task shall run before it goes on.
    pub(super) deeper: Option<super::deeper::Deeper>,
}

/// What a new process starts with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) pid: Pid,
    pub(crate) ppid: Pid,
    pub(crate) group: Pid,
    pub(crate) session: Pid,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) umask: u16,
    pub(crate) directory: InodeId,
    pub(crate) directory_path: Vec<u8>,
    pub(crate) fds: Table,
    pub(crate) tty: Option<Arc<Tty>>,
    pub(crate) started: Duration,
    pub(crate) env: Environment,
    pub(crate) args: Vec<Vec<u8>>,
}

impl ProcessState {
    /// What the program asked to be run before it goes on, since the last call.
    pub(crate) fn take_deeper(&self) -> Option<super::deeper::Deeper> {
        lock(&self.inner).deeper.take()
    }

    pub(crate) fn start(start: Start) -> Arc<Self> {
        Arc::new(Self {
            pid: start.pid,
            started: start.started,
            resident: None,
            cpu: AtomicU64::new(0),
            account: Account::default(),
            ready: AtomicBool::new(false),
            cpu_mark: AtomicU64::new(u64::MAX),
            memory: Pool::new(Holder::Process, u64::MAX, None),
            inner: Mutex::new(Inner {
                ppid: start.ppid,
                group: start.group,
                session: start.session,
                real: (start.credentials.uid, start.credentials.gid),
                saved: (start.credentials.uid, start.credentials.gid),
                login_uid: start.credentials.uid,
                listing: None,
                credentials: start.credentials,
                umask: start.umask,
                limits: Limits::default(),
                nice: 0,
                directory: start.directory,
                directory_path: start.directory_path,
                fds: start.fds,
                tty: start.tty,
                dispositions: HashMap::new(),
                pending: 0,
                fatal: None,
                stopped: None,
                stop_reported: false,
                continued: false,
                life: Life::Running,
                name: Vec::new(),
                args: start.args,
                env: start.env,
                executable: Vec::new(),
                end_waiters: WaitQueue::default(),
                child_waiters: WaitQueue::default(),
                task: None,
                next_image: None,
                children_cpu: Duration::ZERO,
                text: None,
                deeper: None,
            }),
        })
    }

    pub(crate) fn resident(resident: Resident) -> Arc<Self> {
        let credentials = Credentials {
            uid: resident.uid,
            gid: resident.gid,
            groups: vec![resident.gid],
        };
        let mut state = Self::start(Start {
            pid: resident.pid,
            ppid: resident.ppid,
            group: resident.session,
            session: resident.session,
            credentials: Arc::new(credentials),
            umask: 0o022,
            directory: InodeId(0),
            directory_path: b"/".to_vec(),
            fds: Table::default(),
            tty: None,
            started: resident.started,
            env: Environment::new(),
            args: resident.args.clone(),
        });
        if let Some(state) = Arc::get_mut(&mut state) {
            state.cpu = AtomicU64::new(u64::try_from(resident.cpu.as_nanos()).unwrap_or(u64::MAX));
            if let Ok(inner) = state.inner.get_mut() {
                inner.name = resident.name.clone();
                inner.executable = resident.executable.clone();
                inner.nice = nice_of(&resident.state);
            }
            state.resident = Some(resident);
        }
        state
    }

    pub(crate) fn is_resident(&self) -> bool {
        self.resident.is_some()
    }

    pub(crate) fn as_resident(&self) -> Option<&Resident> {
        self.resident.as_ref()
    }

    pub(crate) fn is_kernel_thread(&self) -> bool {
        self.resident
            .as_ref()
            .is_some_and(|resident| resident.args.is_empty())
    }

    /// Whether it is the first process of a session: a login's shell.
    pub(crate) fn leads_session(&self) -> bool {
        lock(&self.inner).session == self.pid
    }

    pub(crate) fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu.load(Ordering::Relaxed))
    }

    /// Adds CPU time; what the account of this process holds then.
    pub(crate) fn charge_cpu(self: &Arc<Self>, kernel: &Kernel, time: Duration) -> Duration {
        let before = self.cpu.fetch_add(nanos(time), Ordering::Relaxed);
        let spent = before.saturating_add(nanos(time));
        if spent >= self.cpu_mark.load(Ordering::Relaxed) {
            self.past_cpu_mark(kernel, Duration::from_nanos(spent));
        }
        self.account.charge(time)
    }

    /// Charges CPU time of a child that was waited for. Unlike its own it does not end the process
    /// at once, but with the next of its own that is charged.
    pub(crate) fn charge_child(&self, time: Duration) {
        self.account.charge(time);
    }

    /// A login's shell waits for what is typed next: what it did until now is settled.
    pub(crate) fn settle_account(&self) {
        self.account.spent.store(0, Ordering::Relaxed);
        self.account.warned.store(false, Ordering::Relaxed);
    }

    /// Gives the process its allowance once more, with a warning; whether it was not warned already.
    pub(crate) fn warn(&self) -> bool {
        self.account.spent.store(0, Ordering::Relaxed);
        !self.account.warned.swap(true, Ordering::Relaxed)
    }
}

/// A process that wants the processor and waits for its turn, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Ready<'p>(&'p Kernel, &'p ProcessState);

impl<'p> Ready<'p> {
    pub(crate) fn new(kernel: &'p Kernel, state: &'p ProcessState) -> Self {
        kernel.load.enter();
        state.ready.store(true, Ordering::Relaxed);
        Self(kernel, state)
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        self.0.load.leave();
        self.1.ready.store(false, Ordering::Relaxed);
    }
}

/// The CPU time that is held against a process: its own and that of the children it waited for.
#[derive(Debug, Default)]
struct Account {
    /// Nanoseconds.
    spent: AtomicU64,
    warned: AtomicBool,
}

impl Account {
    fn charge(&self, time: Duration) -> Duration {
        let time = nanos(time);
        let before = self.spent.fetch_add(time, Ordering::Relaxed);
        Duration::from_nanos(before.saturating_add(time))
    }
}

impl Inner {
    /// Remembers whom to wake when a signal arrives.
    pub(crate) fn set_task(&mut self, waker: &Waker) {
        match &self.task {
            Some(known) if known.will_wake(waker) => {}
            _ => self.task = Some(waker.clone()),
        }
    }

    pub(crate) fn wake_task(&mut self) {
        if let Some(waker) = &self.task {
            waker.wake_by_ref();
        }
    }
}

/// What `ps` shows of a process.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its number.
    pub pid: Pid,
    /// Its parent.
    pub ppid: Pid,
    /// Its process group.
    pub group: Pid,
    /// Its session.
    pub session: Pid,
    /// Its terminal's foreground group; 0 without a terminal.
    pub foreground: Pid,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// `pts/0`, or nothing.
    pub tty: Option<Vec<u8>>,
    /// `/proc/PID/comm`.
    pub name: Vec<u8>,
    /// Its arguments; empty for kernel threads and zombies.
    pub args: Vec<Vec<u8>>,
    /// State letter: `R`, `S`, `T`, `Z`, `I`.
    pub state: u8,
    /// Flags that `ps` shows behind the letter, residents only.
    pub flags: Vec<u8>,
    /// Start, after boot.
    pub started: Duration,
    /// CPU time used.
    pub cpu: Duration,
    /// Virtual memory in KiB.
    pub vsz_kib: u64,
    /// Resident memory in KiB.
    pub rss_kib: u64,
    /// Niceness, -20 to 19.
    pub nice: i32,
    /// Whether it is a kernel thread.
    pub kernel_thread: bool,
}

/// The niceness that goes with a state as `ps` writes it.
fn nice_of(state: &[u8]) -> i32 {
    if state.contains(&b'<') {
        -20
    } else if state.contains(&b'N') {
        5
    } else {
        0
    }
}

impl ProcessState {
    /// What `ps` shows.
    /// Has a process count as running while somebody looks.
    pub(crate) fn while_running<T>(&self, look: impl FnOnce() -> T) -> T {
        let before = self.ready.swap(true, Ordering::Relaxed);
        let seen = look();
        self.ready.store(before, Ordering::Relaxed);
        seen
    }

    pub(crate) fn summary(&self, kernel: &Kernel) -> Summary {
        let inner = lock(&self.inner);
        let (vsz_kib, rss_kib) = self.resident.as_ref().map_or_else(
            || memory_of(&inner.name, self.pid),
            |resident| (resident.vsz_kib, resident.rss_kib),
        );
        let resident_state = self
            .resident
            .as_ref()
            .map(|resident| resident.state.as_slice());
        let state = match (inner.life, inner.stopped, resident_state) {
            (Life::Ended(_), _, _) => b'Z',
            (_, Some(_), _) => b'T',
            (_, _, Some(state)) => state.first().copied().unwrap_or(b'S'),
            _ if self.ready.load(Ordering::Relaxed) => b'R',
            _ => b'S',
        };
        Summary {
            pid: self.pid,
            ppid: inner.ppid,
            group: inner.group,
            session: inner.session,
            foreground: match (&inner.tty, &self.resident) {
                (Some(tty), _) => tty.foreground(),
                // The getty of a console is in its foreground.
                (None, Some(resident)) if resident.tty.is_some() => inner.group,
                _ => 0,
            },
            uid: inner.credentials.uid,
            gid: inner.credentials.gid,
            tty: match (&inner.tty, &self.resident) {
                (Some(tty), _) => Some(format!("pts/{}", tty.index()).into_bytes()),
                (None, Some(resident)) => resident.tty.clone(),
                (None, None) => None,
            },
            name: inner.name.clone(),
            args: if state == b'Z' {
                Vec::new()
            } else {
                inner.args.clone()
            },
            state,
            flags: match resident_state {
                Some(state) => state.get(1..).unwrap_or_default().to_vec(),
                None if inner.nice > 0 => b"N".to_vec(),
                None if inner.nice < 0 => b"<".to_vec(),
                None => Vec::new(),
            },
            nice: inner.nice,
            started: if self.resident.is_some() {
                self.started
            } else {
                kernel.since_boot(self.started)
            },
            cpu: match &self.resident {
                Some(resident) => {
                    let life = kernel.uptime().saturating_sub(resident.started);
                    self.cpu() + life * resident.busy_ppm / 1_000_000
                }
                None => self.cpu(),
            },
            vsz_kib: if state == b'Z' { 0 } else { vsz_kib },
            rss_kib: if state == b'Z' { 0 } else { rss_kib },
            kernel_thread: self.is_kernel_thread(),
        }
    }
}

/// Believable sizes in KiB: typical of a program on amd64, with a little scatter from the process
/// number so that two copies differ as real ones do.
fn memory_of(name: &[u8], pid: Pid) -> (u64, u64) {
    let (vsz, rss) = match name {
        b"bash" => (4_608, 3_712),
        b"sh" | b"dash" => (2_576, 904),
        b"ps" => (8_064, 4_096),
        b"busybox" | b"ftpget" | b"ftpput" | b"tftp" => (2_400, 1_020),
        b"wget" | b"curl" => (21_400, 7_900),
        b"sudo" | b"su" => (10_200, 5_100),
        _ => (5_456, 1_792),
    };
    (
        vsz,
        rss + u64::from(pid.wrapping_mul(2_654_435_761) >> 28) * 4,
    )
}
