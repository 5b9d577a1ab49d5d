//! Who a process is: users, groups, sessions, directory, terminal.

use std::sync::Arc;

use sundew_vfs::{Credentials, Errno};

use super::Process;
use crate::tty::{Termios, WindowSize};
use crate::{Fd, Pid, Signal, lock};

impl Process {
    /// Its number.
    pub fn pid(&self) -> Pid {
        self.state.pid
    }

    /// Its parent's number.
    pub fn ppid(&self) -> Pid {
        lock(&self.state.inner).ppid
    }

    /// Its process group.
    pub fn group(&self) -> Pid {
        lock(&self.state.inner).group
    }

    /// Its session.
    pub fn session(&self) -> Pid {
        lock(&self.state.inner).session
    }

    /// Moves a process (itself or a child) to a group: setpgid(2). `group` 0 makes it a leader.
    ///
    /// # Errors
    ///
    /// [`Errno::Esrch`], [`Errno::Eperm`].
    pub fn set_group(&self, pid: Pid, group: Pid) -> Result<(), Errno> {
        let target = self.kernel.process(pid).ok_or(Errno::Esrch)?;
        let mut inner = lock(&target.inner);
        if pid != self.pid() && inner.ppid != self.pid() {
            return Err(Errno::Esrch);
        }
        if inner.session == pid {
            return Err(Errno::Eperm);
        }
        inner.group = if group == 0 { pid } else { group };
        Ok(())
    }

    /// Becomes the leader of a new session without a terminal: setsid(2).
    ///
    /// # Errors
    ///
    /// [`Errno::Eperm`] for a group leader.
    pub fn new_session(&self) -> Result<Pid, Errno> {
        let mut inner = lock(&self.state.inner);
        if inner.group == self.state.pid {
            return Err(Errno::Eperm);
        }
        inner.session = self.state.pid;
        inner.group = self.state.pid;
        let tty = inner.tty.take();
        drop(inner);
        drop(tty);
        Ok(self.state.pid)
    }

    /// Effective user and groups.
    pub fn credentials(&self) -> Arc<Credentials> {
        Arc::clone(&lock(&self.state.inner).credentials)
    }

    /// Becomes somebody else; who may do that is the caller's question (`su`, `sudo` ask it).
    /// Real, effective and saved ids become the same.
    pub fn set_credentials(&self, credentials: Credentials) {
        let mut inner = lock(&self.state.inner);
        inner.real = (credentials.uid, credentials.gid);
        inner.saved = inner.real;
        inner.credentials = Arc::new(credentials);
    }

    /// Real user and group: getuid(2), getgid(2). They differ from the effective ones in a program with
    /// set-id bits.
    pub fn real_ids(&self) -> (u32, u32) {
        lock(&self.state.inner).real
    }

    /// Sets real, effective and saved user; `None` leaves one as it is: setresuid(2).
    ///
    /// # Errors
    ///
    /// [`Errno::Eperm`] for somebody else than root who asks for another user than one of his three; nothing
    /// is changed then.
    pub fn set_users(&self, ids: [Option<u32>; 3]) -> Result<(), Errno> {
        let mut inner = lock(&self.state.inner);
        let old = [inner.real.0, inner.credentials.uid, inner.saved.0];
        let [real, effective, saved] = chosen(old, ids, inner.credentials.is_root())?;
        inner.real.0 = real;
        inner.saved.0 = saved;
        Arc::make_mut(&mut inner.credentials).uid = effective;
        Ok(())
    }

    /// The same for groups: setresgid(2).
    ///
    /// # Errors
    ///
    /// As [`Process::set_users`].
    pub fn set_groups(&self, ids: [Option<u32>; 3]) -> Result<(), Errno> {
        let mut inner = lock(&self.state.inner);
        let old = [inner.real.1, inner.credentials.gid, inner.saved.1];
        let [real, effective, saved] = chosen(old, ids, inner.credentials.is_root())?;
        inner.real.1 = real;
        inner.saved.1 = saved;
        Arc::make_mut(&mut inner.credentials).gid = effective;
        Ok(())
    }

    /// Gives set-id rights up for good: the effective and saved ids become the real ones.
    pub fn drop_set_id(&self) {
        let (uid, gid) = self.real_ids();
        // The group first: who is no longer root may not. One's real ids are always allowed.
        let _allowed = self.set_groups([None, Some(gid), Some(gid)]);
        let _allowed = self.set_users([None, Some(uid), Some(uid)]);
    }

    /// The mode bits that new files do not get.
    pub fn umask(&self) -> u16 {
        lock(&self.state.inner).umask
    }

    /// Sets the mask; what it was.
    pub fn set_umask(&self, mask: u16) -> u16 {
        std::mem::replace(&mut lock(&self.state.inner).umask, mask & 0o777)
    }

    /// The working directory's path.
    ///
    /// # Errors
    ///
    /// [`Errno::Enoent`] when it was removed.
    pub fn directory(&self) -> Result<Vec<u8>, Errno> {
        let directory = lock(&self.state.inner).directory;
        self.with_fs(|fs, cx| match fs.path_of(directory) {
            Some(path) => Ok(path),
            None => crate::procfs::path_of(cx.synthetic, directory).ok_or(Errno::Enoent),
        })
    }

    /// Changes the working directory.
    ///
    /// # Errors
    ///
    /// Whatever chdir(2) answers.
    pub fn change_directory(&self, path: &[u8]) -> Result<(), Errno> {
        let ino = self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            if fs.metadata(cx, ino)?.file_type != sundew_vfs::FileType::Directory {
                return Err(Errno::Enotdir);
            }
            fs.access(cx, ino, sundew_vfs::Access::Execute)?;
            Ok(ino)
        })?;
        let path = self
            .with_fs(|fs, _| fs.path_of(ino))
            .unwrap_or_else(|| self.absolute(path));
        let mut inner = lock(&self.state.inner);
        inner.directory = ino;
        inner.directory_path = path;
        Ok(())
    }

    // ---- terminals -----------------------------------------------------------------------------

    /// Whether the descriptor is a terminal.
    pub fn is_terminal(&self, fd: Fd) -> bool {
        self.description(fd)
            .is_ok_and(|description| description.tty().is_some())
    }

    /// `/dev/pts/N` of a terminal's descriptor.
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Enotty`].
    pub fn terminal_path(&self, fd: Fd) -> Result<Vec<u8>, Errno> {
        self.with_tty(fd, |tty| tty.path())
    }

    /// A terminal's settings: tcgetattr(3).
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Enotty`].
    pub fn termios(&self, fd: Fd) -> Result<Termios, Errno> {
        self.with_tty(fd, |tty| tty.termios())
    }

    /// Changes a terminal's settings: tcsetattr(3). With `flush`, unread input is forgotten.
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Enotty`].
    pub fn set_termios(&self, fd: Fd, termios: Termios, flush: bool) -> Result<(), Errno> {
        self.with_tty(fd, |tty| tty.set_termios(termios, flush))
    }

    /// A terminal's size.
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Enotty`].
    pub fn window_size(&self, fd: Fd) -> Result<WindowSize, Errno> {
        self.with_tty(fd, |tty| tty.size())
    }

    /// Sets a terminal's size (`stty rows`).
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Enotty`].
    pub fn set_window_size(&self, fd: Fd, size: WindowSize) -> Result<(), Errno> {
        let foreground = self.with_tty(fd, |tty| tty.set_size(size).then(|| tty.foreground()))?;
        if let Some(group) = foreground {
            self.kernel.signal_group(group, Signal::WINCH);
        }
        Ok(())
    }

    /// The group that the terminal's keys signal: tcgetpgrp(3).
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Enotty`].
    pub fn foreground_group(&self, fd: Fd) -> Result<Pid, Errno> {
        self.with_tty(fd, |tty| tty.foreground())
    }

    /// Gives the terminal to a group: tcsetpgrp(3).
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Enotty`].
    pub fn set_foreground_group(&self, fd: Fd, group: Pid) -> Result<(), Errno> {
        self.with_tty(fd, |tty| tty.set_foreground(group))
    }

    /// The path of the controlling terminal.
    pub fn controlling_terminal(&self) -> Option<Vec<u8>> {
        lock(&self.state.inner).tty.as_ref().map(|tty| tty.path())
    }

    fn with_tty<T>(&self, fd: Fd, call: impl FnOnce(&crate::tty::Tty) -> T) -> Result<T, Errno> {
        let description = self.description(fd)?;
        let tty = description.tty().ok_or(Errno::Enotty)?;
        Ok(call(tty))
    }
}

/// What setresuid(2) and setresgid(2) make of three ids.
fn chosen(old: [u32; 3], new: [Option<u32>; 3], root: bool) -> Result<[u32; 3], Errno> {
    let known = |id: Option<u32>| id.is_none_or(|id| old.contains(&id));
    if !root && !new.into_iter().all(known) {
        return Err(Errno::Eperm);
    }
    let [real, effective, saved] = old;
    let [new_real, new_effective, new_saved] = new;
    Ok([
        new_real.unwrap_or(real),
        new_effective.unwrap_or(effective),
        new_saved.unwrap_or(saved),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_root_exchanges_his_three_ids_and_gets_no_other() {
        let old = [1000, 1000, 0];
        assert_eq!(chosen(old, [None, Some(0), None], false), Ok([1000, 0, 0]));
        assert_eq!(chosen(old, [Some(5), None, None], false), Err(Errno::Eperm));
        assert_eq!(chosen(old, [Some(5); 3], true), Ok([5; 3]));
        assert_eq!(chosen(old, [None; 3], false), Ok(old));
    }
}
