//! Resource limits: getrlimit(2), prlimit(2), and where they bite.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sundew_vfs::Errno;

use super::Process;
use super::state::{Life, ProcessState};
use crate::machine::Kernel;
use crate::rlimit::{INFINITY, Limit, Resource};
use crate::scheduler::nanos;
use crate::{Pid, Signal, lock};

impl Process {
    /// A limit of this process.
    pub fn limit(&self, resource: Resource) -> Limit {
        self.state.limit(&self.kernel, resource)
    }

    /// Sets a limit of this process; children that are started from now on inherit it.
    ///
    /// # Errors
    ///
    /// [`Errno::Einval`] for a soft limit above the hard one, [`Errno::Eperm`] for a hard limit that
    /// somebody else than root raises, or one of descriptors past
    /// [`NR_OPEN`](crate::rlimit::NR_OPEN).
    pub fn set_limit(&self, resource: Resource, limit: Limit) -> Result<(), Errno> {
        let uid = self.credentials().uid;
        self.state.set_limit(&self.kernel, resource, limit, uid)
    }

    /// The limit of any process, which `new` replaces if it is given: prlimit(2).
    ///
    /// # Errors
    ///
    /// [`Errno::Esrch`]; [`Errno::Eperm`] for a process of somebody else unless root asks; those of
    /// [`Process::set_limit`].
    pub fn limit_of(
        &self,
        pid: Pid,
        resource: Resource,
        new: Option<Limit>,
    ) -> Result<Limit, Errno> {
        let target = self.kernel.process(pid).ok_or(Errno::Esrch)?;
        let uid = self.credentials().uid;
        if uid != 0 && uid != lock(&target.inner).credentials.uid {
            return Err(Errno::Eperm);
        }
        let old = target.limit(&self.kernel, resource);
        if let Some(new) = new {
            target.set_limit(&self.kernel, resource, new, uid)?;
        }
        Ok(old)
    }

    /// How many descriptors this process may have: its own limit, within the machine's budget.
    pub(super) fn most_descriptors(&self) -> usize {
        let own = usize::try_from(self.limit(Resource::Descriptors).soft).unwrap_or(usize::MAX);
        own.min(self.kernel.limits.descriptors)
    }

    /// Whether another process of the same user is within the limit. Root is exempt, as on Linux.
    ///
    /// # Errors
    ///
    /// [`Errno::Eagain`].
    pub(super) fn check_process_limit(&self) -> Result<(), Errno> {
        let uid = {
            let inner = lock(&self.state.inner);
            if !inner.limits.changed() {
                return Ok(());
            }
            inner.real.0
        };
        if uid == 0 {
            return Ok(());
        }
        let limit = self.limit(Resource::Processes).soft;
        let states: Vec<_> = lock(&self.kernel.table)
            .processes
            .values()
            .cloned()
            .collect();
        let own = states
            .iter()
            .filter(|state| lock(&state.inner).real.0 == uid)
            .count();
        if own as u64 >= limit {
            return Err(Errno::Eagain);
        }
        Ok(())
    }

    /// How many of `wanted` bytes from `offset` on may be written to a file.
    ///
    /// # Errors
    ///
    /// [`Errno::Efbig`] when none may, after `SIGXFSZ` was sent.
    pub(super) async fn check_file_size(&self, offset: u64, wanted: usize) -> Result<usize, Errno> {
        let limit = self.limit(Resource::FileSize).soft;
        if limit == INFINITY || wanted == 0 {
            return Ok(wanted);
        }
        let room = limit.saturating_sub(offset);
        if room == 0 {
            self.kernel.signal(&self.state, Signal::XFSZ);
            if lock(&self.state.inner).fatal.is_some() {
                self.die().await;
            }
            return Err(Errno::Efbig);
        }
        Ok(wanted.min(usize::try_from(room).unwrap_or(usize::MAX)))
    }

    /// Whether a file may be made `length` bytes long; `SIGXFSZ` is sent if not.
    ///
    /// # Errors
    ///
    /// [`Errno::Efbig`].
    pub(super) fn check_length(&self, length: u64) -> Result<(), Errno> {
        if length > self.limit(Resource::FileSize).soft {
            self.kernel.signal(&self.state, Signal::XFSZ);
            return Err(Errno::Efbig);
        }
        Ok(())
    }
}

impl ProcessState {
    pub(crate) fn limit(&self, kernel: &Kernel, resource: Resource) -> Limit {
        lock(&self.inner).limits.of(resource, &kernel.facts)
    }

    fn set_limit(
        &self,
        kernel: &Kernel,
        resource: Resource,
        limit: Limit,
        uid: u32,
    ) -> Result<(), Errno> {
        lock(&self.inner)
            .limits
            .set(resource, limit, uid, &kernel.facts)?;
        match resource {
            Resource::Cpu => self.watch_cpu(limit),
            Resource::AddressSpace | Resource::Data => self.watch_memory(kernel),
            _ => {}
        }
        Ok(())
    }

    /// Takes over what the parent's limits say about CPU and memory.
    pub(crate) fn watch_limits(&self, kernel: &Kernel) {
        if lock(&self.inner).limits.changed() {
            self.watch_cpu(self.limit(kernel, Resource::Cpu));
            self.watch_memory(kernel);
        }
    }

    fn watch_cpu(&self, limit: Limit) {
        // A limit of no seconds counts as one, as in Linux.
        let first = match limit.soft {
            INFINITY => u64::MAX,
            seconds => nanos(Duration::from_secs(seconds.max(1))),
        };
        self.cpu_mark.store(first, Ordering::Relaxed);
    }

    /// What programs hold is their data; the address space has what the program itself takes too.
    fn watch_memory(&self, kernel: &Kernel) {
        let data = self.limit(kernel, Resource::Data).soft;
        let space = match self.limit(kernel, Resource::AddressSpace).soft {
            INFINITY => INFINITY,
            bytes => bytes.saturating_sub(self.summary(kernel).vsz_kib * 1024),
        };
        self.memory.set_limit(data.min(space));
    }

    /// Called when the process has used `spent` of CPU, which is past its mark.
    pub(crate) fn past_cpu_mark(self: &Arc<Self>, kernel: &Kernel, spent: Duration) {
        let limit = self.limit(kernel, Resource::Cpu);
        if lock(&self.inner).life != Life::Running {
            return;
        }
        if spent.as_secs() >= limit.hard.max(1) {
            kernel.signal(self, Signal::KILL);
            return;
        }
        // Again after another second.
        let next = spent.saturating_add(Duration::from_secs(1));
        self.cpu_mark.store(nanos(next), Ordering::Relaxed);
        kernel.signal(self, Signal::XCPU);
    }
}
