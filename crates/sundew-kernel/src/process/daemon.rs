//! What the first process does for others: starts daemons again, ends the machine.

use std::time::Duration;

use sundew_vfs::Errno;

use super::Process;
use crate::observe::Observation;
use crate::{Pid, lock};

/// How a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It comes up again.
    Reboot,
    /// It is switched off.
    Off,
    /// It stands still.
    Halt,
}

impl Process {
    /// Starts a daemon that the machine had when it was booted and that does not run any more: a new
    /// number, listening where it did. `Ok(None)` if the machine knows no such daemon.
    ///
    /// # Errors
    ///
    /// [`Errno::Eagain`] past the process limit.
    pub fn start_daemon(&self, executable: &[u8]) -> Result<Option<Pid>, Errno> {
        let base = |path: &[u8]| path.rsplit(|&byte| byte == b'/').next().map(<[u8]>::to_vec);
        let (residents, sockets) = &self.kernel.booted;
        let wanted = base(executable);
        let Some(known) = residents
            .iter()
            .find(|one| !one.executable.is_empty() && base(&one.executable) == wanted)
        else {
            return Ok(None);
        };
        let pid = self.kernel.new_pid()?;
        let mut resident = known.clone();
        resident.pid = pid;
        resident.session = pid;
        resident.started = self.uptime();
        resident.cpu = Duration::from_millis(20);
        self.kernel.add_resident(resident);
        let mut open = lock(&self.kernel.sockets);
        for socket in sockets.iter().filter(|socket| socket.pid == known.pid) {
            let mut socket = socket.clone();
            socket.pid = pid;
            socket.inode = self.kernel.next_pipe();
            open.push(socket);
        }
        Ok(Some(pid))
    }

    /// Ends the machine: reboot(2). Returns; what runs goes on until whoever runs the machine ends it.
    ///
    /// # Errors
    ///
    /// [`Errno::Eperm`] for all but root.
    pub fn power(&self, power: Power) -> Result<(), Errno> {
        if !self.credentials().is_root() {
            return Err(Errno::Eperm);
        }
        self.observe(Observation::Power {
            pid: self.state.pid,
            power,
        });
        Ok(())
    }
}
