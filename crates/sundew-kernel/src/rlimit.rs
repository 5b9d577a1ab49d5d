//! What one process may use, as it can set itself: getrlimit(2).
//!
//! Children inherit the limits. They only ever narrow the machine's budget ([`crate::budget`]): who
//! raises a limit is shown the new value, and the budget holds as before.

use std::sync::Arc;

use sundew_vfs::Errno;

use crate::facts::Facts;

/// `RLIM_INFINITY`.
pub const INFINITY: u64 = u64::MAX;

/// `fs.nr_open`: no process, root's included, may be allowed more descriptors.
pub const NR_OPEN: u64 = 1_048_576;

/// What is limited. The order is Linux's numbering and that of `/proc/PID/limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// CPU time in seconds. Past the soft limit `SIGXCPU` every second, past the hard one `SIGKILL`.
    Cpu,
    /// Size of a file that is written, in bytes. Past it `SIGXFSZ` and [`Errno::Efbig`].
    FileSize,
    /// Data segment in bytes. Past it [`Errno::Enomem`].
    Data,
    /// Stack in bytes; shown only.
    Stack,
    /// Core file in bytes; shown only, nothing leaves one.
    Core,
    /// Resident set in bytes; Linux does not enforce it either.
    ResidentSet,
    /// Processes of the real user; root is exempt. Past it `fork` answers [`Errno::Eagain`].
    Processes,
    /// One more than the highest descriptor. Past it [`Errno::Emfile`].
    Descriptors,
    /// Locked memory in bytes; shown only.
    LockedMemory,
    /// Address space in bytes. Past it [`Errno::Enomem`].
    AddressSpace,
    /// File locks; shown only.
    Locks,
    /// Queued signals; shown only.
    PendingSignals,
    /// Bytes in POSIX message queues; shown only.
    MessageQueues,
    /// Ceiling of the nice value; shown only.
    Nice,
    /// Ceiling of the real-time priority; shown only.
    RealTimePriority,
    /// Microseconds of real-time work without a system call; shown only.
    RealTimeTime,
}

/// How many there are: `RLIM_NLIMITS`.
pub const RESOURCES: usize = 16;

impl Resource {
    /// All of them in order.
    pub const ALL: [Self; RESOURCES] = [
        Self::Cpu,
        Self::FileSize,
        Self::Data,
        Self::Stack,
        Self::Core,
        Self::ResidentSet,
        Self::Processes,
        Self::Descriptors,
        Self::LockedMemory,
        Self::AddressSpace,
        Self::Locks,
        Self::PendingSignals,
        Self::MessageQueues,
        Self::Nice,
        Self::RealTimePriority,
        Self::RealTimeTime,
    ];

    /// Name and unit in `/proc/PID/limits`.
    pub(crate) fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Cpu => ("Max cpu time", "seconds"),
            Self::FileSize => ("Max file size", "bytes"),
            Self::Data => ("Max data size", "bytes"),
            Self::Stack => ("Max stack size", "bytes"),
            Self::Core => ("Max core file size", "bytes"),
            Self::ResidentSet => ("Max resident set", "bytes"),
            Self::Processes => ("Max processes", "processes"),
            Self::Descriptors => ("Max open files", "files"),
            Self::LockedMemory => ("Max locked memory", "bytes"),
            Self::AddressSpace => ("Max address space", "bytes"),
            Self::Locks => ("Max file locks", "locks"),
            Self::PendingSignals => ("Max pending signals", "signals"),
            Self::MessageQueues => ("Max msgqueue size", "bytes"),
            Self::Nice => ("Max nice priority", ""),
            Self::RealTimePriority => ("Max realtime priority", ""),
            Self::RealTimeTime => ("Max realtime timeout", "us"),
        }
    }
}

/// A soft limit, which holds, and a hard one, up to which its owner may raise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What holds; [`INFINITY`] for no limit.
    pub soft: u64,
    /// How far it may be raised; only root raises this one.
    pub hard: u64,
}

impl Limit {
    const fn new(soft: u64, hard: u64) -> Self {
        Self { soft, hard }
    }

    const fn both(value: u64) -> Self {
        Self::new(value, value)
    }

    /// What the kernel lets a process with user `uid` make of this limit.
    ///
    /// # Errors
    ///
    /// [`Errno::Einval`] for a soft limit above the hard one, [`Errno::Eperm`] for a hard limit
    /// raised by somebody who is not root, or past [`NR_OPEN`].
    fn change(self, resource: Resource, new: Self, uid: u32) -> Result<Self, Errno> {
        if new.soft > new.hard {
            return Err(Errno::Einval);
        }
        if resource == Resource::Descriptors && new.hard > NR_OPEN {
            return Err(Errno::Eperm);
        }
        if new.hard > self.hard && uid != 0 {
            return Err(Errno::Eperm);
        }
        Ok(new)
    }
}

/// The limits of one process, shared with its parent until one of them changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits(Option<Arc<[Limit; RESOURCES]>>);

impl Limits {
    /// A machine that has changed nothing stores nothing: the limits follow from its memory.
    pub(crate) fn of(&self, resource: Resource, facts: &Facts) -> Limit {
        self.0
            .as_ref()
            .and_then(|all| all.get(resource as usize).copied())
            .unwrap_or_else(|| at_login(resource, facts))
    }

    /// Whether anything was ever set; if not no limit of this process is below the budget.
    pub(crate) fn changed(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn set(
        &mut self,
        resource: Resource,
        new: Limit,
        uid: u32,
        facts: &Facts,
    ) -> Result<(), Errno> {
        let new = self.of(resource, facts).change(resource, new, uid)?;
        let all = self
            .0
            .get_or_insert_with(|| Arc::new(Resource::ALL.map(|each| at_login(each, facts))));
        if let Some(limit) = Arc::make_mut(all).get_mut(resource as usize) {
            *limit = new;
        }
        Ok(())
    }
}

/// The limits of a fresh login on Debian 12: fork(2) derives two from the memory, systemd one, and
/// `pam_limits` takes over what init has.
fn at_login(resource: Resource, facts: &Facts) -> Limit {
    match resource {
        Resource::Core => Limit::new(0, INFINITY),
        Resource::Stack => Limit::new(8 << 20, INFINITY),
        Resource::Descriptors => Limit::new(1024, NR_OPEN),
        Resource::Processes | Resource::PendingSignals => Limit::both(facts.memory_total_kib / 256),
        Resource::LockedMemory => Limit::both(facts.memory_total_kib / 8 * 1024),
        Resource::MessageQueues => Limit::both(819_200),
        Resource::Nice | Resource::RealTimePriority => Limit::both(0),
        Resource::Cpu
        | Resource::FileSize
        | Resource::Data
        | Resource::ResidentSet
        | Resource::AddressSpace
        | Resource::Locks
        | Resource::RealTimeTime => Limit::both(INFINITY),
    }
}
