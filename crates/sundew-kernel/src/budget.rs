//! The limits of one machine: what a stranger may use of ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sundew_vfs::Errno;

/// Which budget was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// CPU time of one process.
    ProcessCpu,
    /// CPU time of the whole machine.
    MachineCpu,
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
}

impl Budget {
    /// Its name for the operator: `process_cpu`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProcessCpu => "process_cpu",
            Self::MachineCpu => "machine_cpu",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Processes => "processes",
            Self::Files => "files",
            Self::Inodes => "inodes",
            Self::Descriptors => "descriptors",
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

/// The memory that the processes of one machine hold together, or one of them holds, in bytes.
#[derive(Debug)]
pub(crate) struct MemoryPool {
    used: AtomicU64,
    limit: AtomicU64,
}

impl MemoryPool {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicU64::new(0),
            limit: AtomicU64::new(limit),
        })
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Replaces the limit; what is held already stays.
    pub(crate) fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    fn take(&self, bytes: u64) -> Result<(), Errno> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.limit.load(Ordering::Relaxed) {
            self.give_back(bytes);
            return Err(Errno::Enomem);
        }
        Ok(())
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Memory charged to the machine for as long as this value lives. Programs that hold data whose
/// size a stranger decides (sort, tac, shell variables) grow one of these first.
#[derive(Debug)]
pub struct Memory {
    machine: Arc<MemoryPool>,
    /// The process it is for, which may have set itself a limit.
    process: Arc<MemoryPool>,
    held: u64,
}

impl Memory {
    pub(crate) fn new(machine: Arc<MemoryPool>, process: Arc<MemoryPool>) -> Self {
        Self {
            machine,
            process,
            held: 0,
        }
    }

    /// Charges `bytes` more.
    ///
    /// # Errors
    ///
    /// [`Errno::Enomem`] when the machine's budget or the process's own limit does not allow it;
    /// nothing is charged then.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Errno> {
        let bytes = bytes as u64;
        self.process.take(bytes)?;
        self.machine
            .take(bytes)
            .inspect_err(|_| self.process.give_back(bytes))?;
        self.held += bytes;
        Ok(())
    }

    /// Gives `bytes` back, at most what is held.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = (bytes as u64).min(self.held);
        self.held -= bytes;
        self.machine.give_back(bytes);
        self.process.give_back(bytes);
    }

    /// Bytes held.
    pub fn held(&self) -> u64 {
        self.held
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.machine.give_back(self.held);
        self.process.give_back(self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_when_its_holder_goes() {
        let pool = MemoryPool::new(100);
        let free = MemoryPool::new(u64::MAX);
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
        let machine = MemoryPool::new(100);
        let own = MemoryPool::new(u64::MAX);
        own.set_limit(10);
        let mut memory = Memory::new(Arc::clone(&machine), Arc::clone(&own));
        assert_eq!(memory.grow(11), Err(Errno::Enomem));
        memory.grow(10).unwrap();
        drop(memory);
        assert_eq!((machine.used(), own.used()), (0, 0));
    }
}
