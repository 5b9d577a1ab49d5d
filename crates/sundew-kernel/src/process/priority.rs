//! Niceness: getpriority(2), setpriority(2). The machine's scheduler has its own idea of who is next; what is set
//! is inherited and shown.

use sundew_vfs::Errno;

use super::Process;
use crate::{Pid, lock};

/// Least and most.
const NICENESS: std::ops::RangeInclusive<i32> = -20..=19;

impl Process {
    /// The niceness of a process; 0 is this one.
    ///
    /// # Errors
    ///
    /// [`Errno::Esrch`].
    pub fn niceness(&self, pid: Pid) -> Result<i32, Errno> {
        let pid = if pid == 0 { self.pid() } else { pid };
        let target = self.kernel.process(pid).ok_or(Errno::Esrch)?;
        let nice = lock(&target.inner).nice;
        Ok(nice)
    }

    /// Sets the niceness of a process, held to -20 to 19; 0 is this one. What it was before.
    ///
    /// # Errors
    ///
    /// [`Errno::Esrch`]; [`Errno::Eperm`] for a process of somebody else and [`Errno::Eacces`] for a lower
    /// value, unless root asks.
    pub fn set_niceness(&self, pid: Pid, value: i32) -> Result<i32, Errno> {
        let pid = if pid == 0 { self.pid() } else { pid };
        let value = value.clamp(*NICENESS.start(), *NICENESS.end());
        let target = self.kernel.process(pid).ok_or(Errno::Esrch)?;
        let uid = self.credentials().uid;
        let mut inner = lock(&target.inner);
        if uid != 0 && uid != inner.credentials.uid {
            return Err(Errno::Eperm);
        }
        if uid != 0 && value < inner.nice {
            return Err(Errno::Eacces);
        }
        Ok(std::mem::replace(&mut inner.nice, value))
    }
}
