//! What a stranger may use of ours: one process, one machine, all machines of one source, all there are.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sundew_vfs::pool::{Held, Pool};
use sundew_vfs::{Errno, Vfs};

pub use sundew_vfs::pool::Holder;

use crate::allowance::Allowance;
use crate::lock;

/// Which budget was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// CPU time of one process.
    ProcessCpu,
    /// CPU time of the whole machine.
    MachineCpu,
    /// CPU time of all machines of a source.
    SourceCpu,
    /// Memory held by processes.
    Memory,
    /// Bytes sent to the other side.
    Output,
    /// Processes at a time.
    Processes,
    /// Bytes of files.
    Files,
    /// Files.
    Inodes,
    /// Descriptors of one process.
    Descriptors,
    /// Open files of all processes.
    OpenFiles,
}

impl Budget {
    /// Its name for the operator: `process_cpu`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProcessCpu => "process_cpu",
            Self::MachineCpu => "machine_cpu",
            Self::SourceCpu => "source_cpu",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Processes => "processes",
            Self::Files => "files",
            Self::Inodes => "inodes",
            Self::Descriptors => "descriptors",
            Self::OpenFiles => "open_files",
        }
    }
}

/// The limits of one machine.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Live processes, zombies included. Past it `fork` answers `EAGAIN`.
    pub processes: usize,
    /// Open descriptors of one process (`ulimit -n`). Past it `open` answers `EMFILE`.
    pub descriptors: usize,
    /// Open files of all processes together. Past it `open` and `pipe` answer `ENFILE`.
    pub open_files: usize,
    /// Memory that programs may hold together, in bytes. Past it the asking process is killed.
    pub memory_bytes: u64,
    /// CPU time of one process and of the children it waited for. Past it the process is killed; a
    /// login's shell on a terminal is interrupted first, and its account begins anew whenever it
    /// waits for what is typed.
    pub process_cpu: Duration,
    /// CPU time of the whole machine. Past it every process that uses the CPU is killed,
    /// but for the leaders of sessions, and `fork` answers `EAGAIN`. It grows slowly with the machine's
    /// age.
    pub machine_cpu: Duration,
    /// CPU time that a machine may use at once before it is slowed to [`Limits::cpu_share_percent`].
    pub cpu_burst: Duration,
    /// The share of one core that a machine gets in the long run, in percent.
    pub cpu_share_percent: u32,
    /// The longest stretch for which a machine runs before others get their turn.
    pub slice: Duration,
    /// Bytes that terminals and pipes may send to the other side in all. Past it writers are killed.
    pub output_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            processes: 200,
            descriptors: 1024,
            open_files: 8192,
            memory_bytes: 64 << 20,
            process_cpu: Duration::from_secs(5),
            machine_cpu: Duration::from_secs(120),
            cpu_burst: Duration::from_millis(500),
            cpu_share_percent: 20,
            slice: Duration::from_micros(200),
            output_bytes: 256 << 20,
        }
    }
}

/// Memory charged to the machine for as long as this value lives. Programs that hold data whose
/// size a stranger decides (sort, tac, shell variables) grow one of these first.
#[derive(Debug)]
pub struct Memory {
    machine: Held,
    /// Of the process it is for, which may have set itself a limit.
    process: Held,
}

impl Memory {
    pub(crate) fn new(machine: Arc<Pool>, process: Arc<Pool>) -> Self {
        Self {
            machine: Held::new(machine),
            process: Held::new(process),
        }
    }

    /// Charges `bytes` more.
    ///
    /// # Errors
    ///
    /// [`Errno::Enomem`] when the process's own limit, the machine's budget or what it has together with
    /// others does not allow it; nothing is charged then.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Errno> {
        let bytes = bytes as u64;
        let enomem = |_| Errno::Enomem;
        self.process.grow(bytes).map_err(enomem)?;
        self.machine
            .grow(bytes)
            .inspect_err(|_| self.process.shrink(bytes))
            .map_err(enomem)
    }

    /// Gives `bytes` back, at most what is held.
    pub fn shrink(&mut self, bytes: usize) {
        self.machine.shrink(bytes as u64);
        self.process.shrink(bytes as u64);
    }

    /// Bytes held.
    pub fn held(&self) -> u64 {
        self.machine.amount()
    }
}

/// What machines may use together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Together {
    /// Live processes. Past it `fork` answers `EAGAIN`.
    pub processes: u64,
    /// Memory of programs, in bytes. Past it the asking process is killed.
    pub memory_bytes: u64,
    /// Bytes of changed files, counted as [`sundew_vfs::Limits::max_bytes`]. Past it users read `EDQUOT`,
    /// and root, whom no quota binds, `ENOSPC`.
    pub file_bytes: u64,
    /// Files made; answered alike.
    pub inodes: u64,
    /// Bytes sent to the other side, which come back within an hour. Past it writers are killed.
    pub output_bytes: u64,
}

impl Default for Together {
    /// What one source may use.
    fn default() -> Self {
        Self {
            processes: 1000,
            memory_bytes: 256 << 20,
            file_bytes: 512 << 20,
            inodes: 1 << 18,
            output_bytes: 1 << 30,
        }
    }
}

impl Together {
    /// What all sources may use: what a small host has.
    #[must_use]
    pub fn all() -> Self {
        Self {
            processes: 20_000,
            memory_bytes: 1 << 30,
            file_bytes: 2 << 30,
            inodes: 1 << 21,
            output_bytes: 16 << 30,
        }
    }
}

/// What machines use together.
#[derive(Debug)]
pub struct Totals {
    pub(crate) processes: Arc<Pool>,
    pub(crate) memory: Arc<Pool>,
    file_bytes: Arc<Pool>,
    inodes: Arc<Pool>,
    pub(crate) output: Arc<Allowance>,
}

impl Totals {
    /// Nothing used yet, of these limits. What is counted here is counted in `above` too.
    #[must_use]
    pub fn new(of: Holder, limits: Together, above: Option<&Self>) -> Self {
        let pool = |limit, above: Option<&Arc<Pool>>| Pool::new(of, limit, above.map(Arc::clone));
        Self {
            processes: pool(limits.processes, above.map(|above| &above.processes)),
            memory: pool(limits.memory_bytes, above.map(|above| &above.memory)),
            file_bytes: pool(limits.file_bytes, above.map(|above| &above.file_bytes)),
            inodes: pool(limits.inodes, above.map(|above| &above.inodes)),
            output: Allowance::new(
                of,
                limits.output_bytes,
                above.map(|above| Arc::clone(&above.output)),
            ),
        }
    }

    /// Counts the changes of a file system here.
    pub fn count(&self, filesystem: &mut Vfs) {
        filesystem.share(Arc::clone(&self.file_bytes), Arc::clone(&self.inodes));
    }
}

/// The CPU time that the machines of one source may use together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceCpu {
    /// CPU time after which what computes is killed and `fork` answers `EAGAIN`. It comes back with time,
    /// at a tenth of the share.
    pub time: Duration,
    /// CPU time that may be used at once before the machines are slowed to the share.
    pub burst: Duration,
    /// The share of one core that they get in the long run, in percent.
    pub share_percent: u32,
}

impl Default for SourceCpu {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(600),
            burst: Duration::from_secs(2),
            share_percent: 50,
        }
    }
}

/// What the machines of one source address use together.
#[derive(Debug)]
pub struct Account {
    totals: Totals,
    /// CPU time at once, and in all.
    cpu: Mutex<(Credit, Credit)>,
    share_percent: u32,
    /// Whether the second is used up.
    exhausted: AtomicBool,
    /// Machines that wait for their share.
    waiting: AtomicU32,
}

impl Account {
    /// Nothing used yet.
    #[must_use]
    pub fn new(totals: Totals, cpu: SourceCpu) -> Self {
        let share = cpu.share_percent.max(1);
        Self {
            totals,
            cpu: Mutex::new((
                Credit::full(cpu.burst, share * 10),
                Credit::full(cpu.time, share),
            )),
            share_percent: share,
            exhausted: AtomicBool::new(false),
            waiting: AtomicU32::new(0),
        }
    }

    /// What is counted beside CPU time.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether nothing is held against this source any more, so that it may be forgotten.
    #[must_use]
    pub fn is_settled(&self, now: Duration) -> bool {
        let mut cpu = lock(&self.cpu);
        cpu.0.accrue(now);
        cpu.1.accrue(now);
        self.totals.output.accrue(now);
        cpu.0.is_full() && cpu.1.is_full() && self.totals.output.is_full()
    }

    /// Whether a machine may run for `slice` now.
    pub(crate) fn allows(&self, now: Duration, slice: Duration) -> bool {
        self.totals.output.accrue(now);
        let mut cpu = lock(&self.cpu);
        cpu.0.accrue(now);
        cpu.1.accrue(now);
        let exhausted = cpu.1.left < slice;
        self.exhausted.store(exhausted, Ordering::Relaxed);
        cpu.0.left >= slice
    }

    pub(crate) fn charge(&self, used: Duration) {
        let mut cpu = lock(&self.cpu);
        cpu.0.spend(used);
        cpu.1.spend(used);
        if cpu.1.left.is_zero() {
            self.exhausted.store(true, Ordering::Relaxed);
        }
    }

    /// Whether its CPU time is used up, as of the last look or charge.
    pub(crate) fn exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }

    /// Notes that one more machine waits for its share; how long it shall, so that all that wait get theirs.
    pub(crate) fn queue(self: &Arc<Self>, slice: Duration) -> (Duration, Queued) {
        let others = self.waiting.fetch_add(1, Ordering::Relaxed);
        let slices = slice.saturating_mul(others.saturating_add(2));
        let wait = slices.saturating_mul(100) / self.share_percent;
        (wait, Queued(Arc::clone(self)))
    }
}

/// A machine that waits for its source's share.
#[derive(Debug)]
pub(crate) struct Queued(Arc<Account>);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// CPU time that may be used, which comes back with time.
#[derive(Debug)]
pub(crate) struct Credit {
    pub(crate) left: Duration,
    most: Duration,
    /// How much comes back in each thousand of real time.
    permille: u32,
    /// When it was last counted; `None` before the first look.
    at: Option<Duration>,
}

impl Credit {
    pub(crate) fn full(most: Duration, permille: u32) -> Self {
        Self {
            left: most,
            most,
            permille,
            at: None,
        }
    }

    /// Credits what has come back since the last time.
    pub(crate) fn accrue(&mut self, now: Duration) {
        let passed = self.at.map_or(Duration::ZERO, |at| now.saturating_sub(at));
        self.at = Some(now);
        let gained = passed.saturating_mul(self.permille) / 1000;
        self.left = self.left.saturating_add(gained).min(self.most);
    }

    pub(crate) fn spend(&mut self, used: Duration) {
        self.left = self.left.saturating_sub(used);
    }

    fn is_full(&self) -> bool {
        self.left == self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_when_its_holder_goes() {
        let pool = Pool::new(Holder::Machine, 100, None);
        let free = Pool::new(Holder::Process, u64::MAX, None);
        let mut first = Memory::new(Arc::clone(&pool), Arc::clone(&free));
        first.grow(80).unwrap();
        let mut second = Memory::new(Arc::clone(&pool), Arc::clone(&free));
        assert_eq!(second.grow(30), Err(Errno::Enomem));
        drop(first);
        second.grow(30).unwrap();
        assert_eq!((pool.used(), free.used()), (30, 30));
    }

    #[test]
    fn a_process_with_a_limit_of_its_own_takes_nothing_from_others() {
        let machine = Pool::new(Holder::Machine, 100, None);
        let own = Pool::new(Holder::Process, u64::MAX, None);
        own.set_limit(10);
        let mut memory = Memory::new(Arc::clone(&machine), Arc::clone(&own));
        assert_eq!(memory.grow(11), Err(Errno::Enomem));
        memory.grow(10).unwrap();
        drop(memory);
        assert_eq!((machine.used(), own.used()), (0, 0));
    }

    #[test]
    fn what_a_source_computes_is_held_against_it_until_its_share_has_paid_for_it() {
        let seconds = Duration::from_secs;
        let limits = Together::default();
        let cpu = SourceCpu {
            time: seconds(10),
            burst: seconds(2),
            share_percent: 50,
        };
        let account = Arc::new(Account::new(Totals::new(Holder::Source, limits, None), cpu));
        let slice = Duration::from_millis(1);
        assert!(account.allows(seconds(100), slice));
        account.charge(seconds(3));
        assert!(!account.allows(seconds(100), slice) && !account.exhausted());
        assert!(account.allows(seconds(101), slice));
        account.charge(seconds(9));
        assert!(account.exhausted() && !account.is_settled(seconds(102)));
        // A tenth of the half of a core: two seconds pay for a tenth of one.
        assert!(account.allows(seconds(104), slice) && !account.exhausted());
        assert!(account.is_settled(seconds(302)));
    }

    #[test]
    fn the_more_machines_of_a_source_wait_the_longer_each_does() {
        let totals = Totals::new(Holder::Source, Together::default(), None);
        let account = Arc::new(Account::new(totals, SourceCpu::default()));
        let slice = Duration::from_millis(1);
        let (first, _held) = account.queue(slice);
        let (second, held) = account.queue(slice);
        assert!(second > first);
        drop(held);
        assert_eq!(account.queue(slice).0, second);
    }
}
