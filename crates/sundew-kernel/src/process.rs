//! A process as its program sees it: the system calls, and the helpers that every program needs.
//!
//! Calls that may wait are `async` and cancel-safe: what was not read or written stays where it was.
//! A call that waits answers [`Errno::Eintr`] when a caught signal arrives.

mod aside;
pub mod daemon;
pub(crate) mod deeper;
pub mod exec;
mod file;
mod identity;
mod input;
mod journal;
mod limit;
mod listen;
mod mount;
mod output;
mod preload;
mod priority;
pub(crate) mod state;

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use sundew_vfs::{Errno, Timestamp};

use crate::budget::{Budget, Memory};
use crate::environment::Environment;
use crate::facts::Facts;
use crate::machine::Kernel;
use crate::network::Network;
use crate::observe::{Capture, Download, Observation, Observer};
use crate::secure_shell::SecureShell;
use crate::signal::Disposition;
use crate::status::ChildEvent;
use crate::{Pid, Signal, lock};
pub use exec::Spawn;
pub use file::Seek;
pub use input::{LineReader, MAX_LINE_BYTES};
pub use mount::{Filesystem, MountLine};
use output::Output;
pub use state::Summary;
use state::{Life, ProcessState};

/// Which children `wait` waits for: waitpid(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// Any child.
    Any,
    /// This one.
    Pid(Pid),
    /// Any of this process group.
    Group(Pid),
}

/// One process, given to the program that runs in it.
#[derive(Debug)]
pub struct Process {
    kernel: Arc<Kernel>,
    state: Arc<ProcessState>,
    args: Vec<Vec<u8>>,
    env: Environment,
    output: Output,
    status: u8,
    ticks: AtomicU32,
}

/// Bytes of a packet filter's rules, as text: some thousand rules, more than any script sets.
pub const MAX_FILTER_BYTES: usize = 128 * 1024;

/// Every so many ticks the clock is read; small enough that even costly ticks keep a slice short.
const TICKS_PER_LOOK: u32 = 16;

impl Process {
    pub(crate) fn new(
        kernel: Arc<Kernel>,
        state: Arc<ProcessState>,
        args: Vec<Vec<u8>>,
        env: Environment,
    ) -> Self {
        Self {
            kernel,
            state,
            args,
            env,
            output: Output::default(),
            status: 0,
            ticks: AtomicU32::new(0),
        }
    }

    /// Its arguments, the name first.
    pub fn args(&self) -> &[Vec<u8>] {
        &self.args
    }

    /// Changes the arguments that the program sees, not what `ps` shows.
    pub fn set_args(&mut self, args: Vec<Vec<u8>>) {
        self.args = args;
    }

    /// The name it was started by, whole, as GNU programs put before a complaint.
    pub fn name(&self) -> &[u8] {
        self.args.first().map_or(b"", Vec::as_slice)
    }

    /// The last component of the name it was started by.
    pub fn base_name(&self) -> &[u8] {
        let name = self.name();
        name.rsplit(|&byte| byte == b'/').next().unwrap_or(name)
    }

    /// Its environment.
    pub fn env(&self) -> &Environment {
        &self.env
    }

    /// Its environment, to change; children started with it see the change.
    pub fn env_mut(&mut self) -> &mut Environment {
        &mut self.env
    }

    /// What is true of the machine.
    pub fn facts(&self) -> &Facts {
        &self.kernel.facts
    }

    /// The machine's name: that of the facts, or what it was changed to.
    pub fn hostname(&self) -> Vec<u8> {
        self.kernel.hostname()
    }

    /// sethostname(2).
    ///
    /// # Errors
    ///
    /// `EPERM` for anybody but root, `EINVAL` past [`MAX_HOSTNAME`](crate::machine::MAX_HOSTNAME) bytes.
    pub fn set_hostname(&self, name: &[u8]) -> Result<(), Errno> {
        if self.credentials().uid != 0 {
            return Err(Errno::Eperm);
        }
        if name.len() > crate::machine::MAX_HOSTNAME {
            return Err(Errno::Einval);
        }
        *lock(&self.kernel.hostname) = Some(name.to_vec());
        Ok(())
    }

    /// The way out, and to the machine's own daemons.
    pub fn network(&self) -> Arc<dyn Network> {
        Arc::new(crate::own_host::OwnHost::new(&self.kernel))
    }

    /// The client side of SSH, if the machine has one.
    pub fn secure_shell(&self) -> Option<Arc<dyn SecureShell>> {
        self.kernel.secure_shell.clone()
    }

    /// Reports something to the observer.
    pub fn observe(&self, observation: Observation) {
        self.kernel.observer.observe(observation);
    }

    /// Begins to keep what is fetched from elsewhere.
    pub fn capture(&self, download: Download) -> Box<dyn Capture> {
        self.kernel.observer.download(download)
    }

    /// Where observations and captured bytes go, for work that outlives this process.
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.kernel.observer)
    }

    /// The machine's packet filter as text: whatever was last given to
    /// [`set_packet_filter`](Self::set_packet_filter). It filters nothing; it is remembered.
    pub fn packet_filter(&self, v6: bool) -> Vec<u8> {
        let filters = lock(&self.kernel.packet_filters);
        filters.get(usize::from(v6)).cloned().unwrap_or_default()
    }

    /// Replaces the packet filter's text.
    ///
    /// # Errors
    ///
    /// [`Errno::Enomem`] for more than [`MAX_FILTER_BYTES`].
    pub fn set_packet_filter(&self, v6: bool, text: Vec<u8>) -> Result<(), Errno> {
        if text.len() > MAX_FILTER_BYTES {
            return Err(Errno::Enomem);
        }
        let mut filters = lock(&self.kernel.packet_filters);
        if let Some(own) = filters.get_mut(usize::from(v6)) {
            *own = text;
        }
        Ok(())
    }

    // ---- time and budgets ----------------------------------------------------------------------

    /// The time of day in UTC.
    pub fn now(&self) -> Timestamp {
        self.kernel.clock.wall()
    }

    /// Time since some fixed moment; never goes back.
    pub fn monotonic(&self) -> Duration {
        self.kernel.clock.monotonic()
    }

    /// Time since boot.
    pub fn uptime(&self) -> Duration {
        self.kernel.uptime()
    }

    /// CPU time used by this process, and by its children that were waited for.
    pub fn cpu_times(&self) -> (Duration, Duration) {
        (self.state.cpu(), lock(&self.state.inner).children_cpu)
    }

    /// A number for `$RANDOM`, `mktemp`, `shuf`: not secret, different on each machine.
    pub fn random(&self) -> u64 {
        self.kernel.random()
    }

    /// Waits.
    ///
    /// # Errors
    ///
    /// [`Errno::Eintr`] when a caught signal arrives first.
    pub async fn sleep(&self, duration: Duration) -> Result<(), Errno> {
        let mut sleep = self.kernel.clock.sleep(duration);
        self.wait_on(|cx| sleep.as_mut().poll(cx).map(Ok)).await
    }

    /// Waits for `future`, or answers [`Errno::Eintr`] when a caught signal arrives first; the
    /// future is dropped then.
    ///
    /// # Errors
    ///
    /// [`Errno::Eintr`] as said.
    pub async fn interruptible<T>(&self, future: impl Future<Output = T>) -> Result<T, Errno> {
        let mut future = std::pin::pin!(future);
        self.wait_on(|cx| future.as_mut().poll(cx).map(Ok)).await
    }

    /// Every loop that a stranger controls passes through here: others get their turn when this
    /// machine's slice is over.
    pub async fn tick(&self) {
        if self.slice_over(1) {
            let mut yielded = false;
            let _ready = state::Ready::new(&self.kernel, &self.state);
            poll_fn(|cx| {
                if std::mem::replace(&mut yielded, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    /// Counts `weight` ticks; whether the machine's slice is over.
    fn slice_over(&self, weight: u32) -> bool {
        let ticks = self.ticks.load(Ordering::Relaxed).saturating_add(weight);
        if ticks < TICKS_PER_LOOK {
            self.ticks.store(ticks, Ordering::Relaxed);
            return false;
        }
        self.ticks.store(0, Ordering::Relaxed);
        let now = crate::scheduler::nanos(self.kernel.clock.monotonic());
        now >= self.kernel.slice_end.load(Ordering::Relaxed)
    }

    /// An account for memory whose size a stranger decides. Grow it before the data grows; when that
    /// fails call [`Process::out_of_memory`] or complain as the real program does.
    pub fn memory(&self) -> Memory {
        Memory::new(
            Arc::clone(&self.kernel.memory),
            Arc::clone(&self.state.memory),
        )
    }

    /// Ends the process as the kernel does when memory runs out: it is killed.
    pub async fn out_of_memory(&self) -> ! {
        self.kernel.spend(&self.state, Budget::Memory);
        self.die().await
    }

    /// Waits for the end that a signal has in store for this process.
    async fn die(&self) -> ! {
        pending::<()>().await;
        unreachable_forever()
    }

    /// Polls `operation` until it is ready, unless a caught signal arrives.
    async fn wait_on<T>(
        &self,
        mut operation: impl FnMut(&mut Context<'_>) -> Poll<Result<T, Errno>>,
    ) -> Result<T, Errno> {
        poll_fn(|cx| match operation(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending if self.has_signal() => Poll::Ready(Err(Errno::Eintr)),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    // ---- signals -------------------------------------------------------------------------------

    /// Says what shall happen when `signal` arrives; what was said before.
    pub fn set_disposition(&self, signal: Signal, disposition: Disposition) -> Disposition {
        let mut inner = lock(&self.state.inner);
        if disposition != Disposition::Catch {
            inner.pending &= !signal.bit();
        }
        inner
            .dispositions
            .insert(signal, disposition)
            .unwrap_or_default()
    }

    /// What happens when `signal` arrives.
    pub fn disposition(&self, signal: Signal) -> Disposition {
        lock(&self.state.inner)
            .dispositions
            .get(&signal)
            .copied()
            .unwrap_or_default()
    }

    /// Takes the caught signal with the lowest number that has arrived.
    pub fn take_signal(&self) -> Option<Signal> {
        let mut inner = lock(&self.state.inner);
        let signal = Signal::from_number(inner.pending.trailing_zeros() + 1)?;
        inner.pending &= !signal.bit();
        Some(signal)
    }

    /// Whether a caught signal has arrived.
    pub fn has_signal(&self) -> bool {
        lock(&self.state.inner).pending != 0
    }

    /// Sends a signal to a process; with `None` only asks whether that would be allowed: kill(2).
    ///
    /// # Errors
    ///
    /// [`Errno::Esrch`], [`Errno::Eperm`].
    pub fn kill(&self, pid: Pid, signal: Option<Signal>) -> Result<(), Errno> {
        let target = self.kernel.process(pid).ok_or(Errno::Esrch)?;
        self.may_signal(&target)?;
        if let Some(signal) = signal {
            self.kernel.signal(&target, signal);
        }
        Ok(())
    }

    /// Sends a signal to every process of a group.
    ///
    /// # Errors
    ///
    /// [`Errno::Esrch`] when there is none, [`Errno::Eperm`] when none may be signalled.
    pub fn kill_group(&self, group: Pid, signal: Option<Signal>) -> Result<(), Errno> {
        let members = self.kernel.members(group);
        if members.is_empty() {
            return Err(Errno::Esrch);
        }
        let mut allowed = false;
        for target in members
            .iter()
            .filter(|target| self.may_signal(target).is_ok())
        {
            allowed = true;
            if let Some(signal) = signal {
                self.kernel.signal(target, signal);
            }
        }
        if allowed { Ok(()) } else { Err(Errno::Eperm) }
    }

    fn may_signal(&self, target: &ProcessState) -> Result<(), Errno> {
        let own = [self.real_ids().0, self.credentials().uid];
        let theirs = {
            let inner = lock(&target.inner);
            [inner.real.0, inner.saved.0]
        };
        if own[1] == 0 || own.iter().any(|id| theirs.contains(id)) {
            return Ok(());
        }
        Err(Errno::Eperm)
    }

    /// Ends itself by `signal`, default action, whatever disposition was set; does not return.
    pub async fn die_of(&self, signal: Signal) -> ! {
        self.set_disposition(signal, Disposition::Default);
        self.kernel.signal(&self.state, signal);
        self.die().await
    }

    // ---- children ------------------------------------------------------------------------------

    /// Waits until a child ends, or stops or goes on if `untraced`: waitpid(2). `Ok(None)` with
    /// `hang` false when nothing has happened yet.
    ///
    /// # Errors
    ///
    /// [`Errno::Echild`] when there is no such child, [`Errno::Eintr`].
    pub async fn wait(
        &self,
        target: WaitFor,
        untraced: bool,
        hang: bool,
    ) -> Result<Option<(Pid, ChildEvent)>, Errno> {
        self.wait_on(|cx| {
            // Registered first: a change between the look and the wait is not lost.
            lock(&self.state.inner).child_waiters.register(cx.waker());
            match self.look_at_children(target, untraced) {
                Ok(Some(found)) => Poll::Ready(Ok(Some(found))),
                Ok(None) if hang => Poll::Pending,
                Ok(None) => Poll::Ready(Ok(None)),
                Err(errno) => Poll::Ready(Err(errno)),
            }
        })
        .await
    }

    fn look_at_children(
        &self,
        target: WaitFor,
        untraced: bool,
    ) -> Result<Option<(Pid, ChildEvent)>, Errno> {
        let candidates: Vec<Arc<ProcessState>> = {
            let table = lock(&self.kernel.table);
            match target {
                WaitFor::Pid(pid) => table.processes.get(&pid).cloned().into_iter().collect(),
                _ => table.processes.values().cloned().collect(),
            }
        };
        let mut any = false;
        for child in candidates {
            let mut inner = lock(&child.inner);
            let wanted = match target {
                WaitFor::Group(group) => inner.group == group,
                WaitFor::Any | WaitFor::Pid(_) => true,
            };
            if inner.ppid != self.state.pid || child.is_resident() || !wanted {
                continue;
            }
            any = true;
            if let Life::Ended(status) = inner.life {
                let spent = child.cpu() + inner.children_cpu;
                drop(inner);
                self.kernel.reap(&child);
                lock(&self.state.inner).children_cpu += spent;
                self.state.charge_child(spent);
                return Ok(Some((child.pid, ChildEvent::Ended(status))));
            }
            if untraced && inner.continued {
                inner.continued = false;
                return Ok(Some((child.pid, ChildEvent::Continued)));
            }
            if untraced && let Some(signal) = inner.stopped.filter(|_| !inner.stop_reported) {
                inner.stop_reported = true;
                return Ok(Some((child.pid, ChildEvent::Stopped(signal))));
            }
        }
        if any { Ok(None) } else { Err(Errno::Echild) }
    }

    /// The sockets of the machine.
    pub fn sockets(&self) -> Vec<crate::socket::SocketInfo> {
        self.kernel.sockets()
    }

    /// What went through an interface since boot.
    pub fn traffic(&self, interface: &crate::facts::Interface) -> crate::socket::Traffic {
        self.kernel.traffic(interface)
    }

    /// How the machine's memory is used, in KiB.
    pub fn memory_use(&self) -> crate::procfs::MemoryUse {
        self.kernel.memory_use()
    }

    /// Load averages over 1, 5 and 15 minutes, in hundredths.
    pub fn load(&self) -> [u32; 3] {
        self.kernel.load()
    }

    /// Whether the machine has room for another process.
    pub fn process_room(&self) -> bool {
        self.kernel.process_room()
    }

    /// Whether the machine has a program of this name, whatever its executables.
    pub fn has_program(&self, name: &[u8]) -> bool {
        self.kernel.programs.by_name(name).is_some()
    }

    /// All processes of the machine in order of number.
    pub fn processes(&self) -> Vec<Summary> {
        let states: Vec<_> = lock(&self.kernel.table)
            .processes
            .values()
            .cloned()
            .collect();
        let mut all: Vec<Summary> = states
            .iter()
            .map(|state| state.summary(&self.kernel))
            .collect();
        // `mount --bind /empty /proc/PID` hides a process from whoever reads `/proc`.
        let covered = self.covered_processes();
        all.retain(|summary| !covered.contains(&summary.pid));
        if let Some(own) = all.iter_mut().find(|summary| summary.pid == self.state.pid) {
            own.state = b'R';
        }
        all
    }
}

/// Never reached: the task of a dying process is dropped while it waits.
#[expect(
    clippy::panic,
    reason = "a process that is dropped at this await cannot come here"
)]
fn unreachable_forever() -> ! {
    panic!("a dead process was polled")
}
