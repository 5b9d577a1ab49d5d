//! Files and descriptors: open(2), read(2), write(2), stat(2) and their kin.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use sundew_vfs::{
    Access, Context, DirEntry, Errno, FileFlags, FileType, InodeId, Metadata, OpenOptions,
    Timestamp, Vfs,
};

use super::Process;
use crate::budget::{Budget, Holder};
use crate::descriptor::{Description, Entry, Kind, OpenFile, OpenFlags, Socket};
use crate::device::Device;
use crate::network::Stream;
use crate::pipe::{self, ReadEnd, WriteEnd};
use crate::procfs::{self, Special, View};
use crate::{Fd, Pid, Signal, lock};

/// Bytes that count as one tick of work when read or written.
const BYTES_PER_TICK: usize = 4096;

/// Where to move a file's offset: lseek(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// From the start.
    Start(u64),
    /// From where it is.
    Current(i64),
    /// From the end.
    End(i64),
}

impl Process {
    /// Runs `call` on the filesystem as this process sees it. Nothing else of the machine may be
    /// locked, and the call must be short.
    pub(crate) fn with_fs<T>(&self, call: impl FnOnce(&mut Vfs, &Context<'_>) -> T) -> T {
        let (creds, cwd) = {
            let inner = lock(&self.state.inner);
            (Arc::clone(&inner.credentials), inner.directory)
        };
        let view = View::new(&self.kernel, self.state.pid);
        let cx = Context {
            creds: &creds,
            synthetic: &view,
            cwd,
            now: self.kernel.clock.wall(),
        };
        call(&mut lock(&self.kernel.fs), &cx)
    }

    /// Reports that there is no room for files. What the source has used up is a quota, which does not
    /// bind root: for root the disk is full.
    fn no_room(&self, errno: Errno, budget: Budget) -> Errno {
        match errno {
            Errno::Enospc => self.kernel.reached(self.pid(), budget, Holder::Machine),
            Errno::Edquot => {
                self.kernel.reached(self.pid(), budget, Holder::Source);
                if self.credentials().uid == 0 {
                    return Errno::Enospc;
                }
            }
            _ => {}
        }
        errno
    }

    pub(super) fn description(&self, fd: Fd) -> Result<Arc<Description>, Errno> {
        Ok(Arc::clone(
            &lock(&self.state.inner).fds.get(fd)?.description,
        ))
    }

    // ---- reading and writing -------------------------------------------------------------------

    /// Reads up to `buf.len()` bytes; 0 at the end.
    ///
    /// # Errors
    ///
    /// Whatever read(2) answers.
    pub async fn read(&self, fd: Fd, buf: &mut [u8]) -> Result<usize, Errno> {
        let description = self.description(fd)?;
        let count = loop {
            self.check_background_read(&description).await?;
            let read = self.wait_on(|cx| {
                // Stopped within the read, and continued in the background.
                if self.in_background(&description).is_some() {
                    return Poll::Ready(Ok(None));
                }
                self.noting_rest(&description, description.poll_read(&self.kernel, cx, buf))
                    .map_ok(Some)
            });
            if let Some(count) = read.await? {
                break count;
            }
        };
        self.work(count).await;
        Ok(count)
    }

    /// The process group, if it is not the one in the foreground of the terminal that it reads from or
    /// writes to.
    fn in_background(&self, description: &Description) -> Option<Pid> {
        let tty = description.tty()?;
        let (group, own) = {
            let inner = lock(&self.state.inner);
            let own = inner.tty.as_ref().is_some_and(|own| Arc::ptr_eq(own, tty));
            (inner.group, own)
        };
        let foreground = tty.foreground();
        (own && foreground != group && foreground != 0).then_some(group)
    }

    /// Waits until a read would not wait.
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Eintr`].
    pub async fn readable(&self, fd: Fd) -> Result<(), Errno> {
        let description = self.description(fd)?;
        self.wait_on(|cx| self.noting_rest(&description, description.poll_ready(cx).map(Ok)))
            .await
    }

    /// Passes `answer` on. If a session's leader has to wait for its terminal, what it did for the
    /// line before is done, and its CPU account is settled.
    fn noting_rest<T>(&self, description: &Description, answer: Poll<T>) -> Poll<T> {
        if answer.is_pending() && description.tty().is_some() && self.state.leads_session() {
            self.state.settle_account();
        }
        answer
    }

    /// Writes what there is room for, at least a byte. When nobody can read it the process gets
    /// `SIGPIPE`, and [`Errno::Epipe`] if that is ignored or caught.
    ///
    /// # Errors
    ///
    /// Whatever write(2) answers.
    pub async fn write(&self, fd: Fd, data: &[u8]) -> Result<usize, Errno> {
        let description = self.description(fd)?;
        let allowed = match &description.kind {
            Kind::File(file) if lock(&self.state.inner).limits.changed() => {
                let offset = if description.flags.append {
                    self.metadata_of(file.ino)?.size
                } else {
                    *lock(&file.offset)
                };
                self.check_file_size(offset, data.len()).await?
            }
            _ => data.len(),
        };
        let data = data.get(..allowed).unwrap_or(data);
        self.check_background_write(&description).await?;
        let result = self
            .wait_on(|cx| description.poll_write(&self.kernel, cx, data))
            .await;
        match result {
            Ok(count) => {
                self.work(count).await;
                Ok(count)
            }
            Err(Errno::Epipe) => {
                self.kernel.signal(&self.state, Signal::PIPE);
                if lock(&self.state.inner).fatal.is_some() {
                    self.die().await;
                }
                Err(Errno::Epipe)
            }
            Err(errno @ (Errno::Enospc | Errno::Edquot))
                if matches!(description.kind, Kind::File(_)) =>
            {
                Err(self.no_room(errno, Budget::Files))
            }
            Err(Errno::Enospc) if description.leads_outside() => {
                self.kernel.spend(&self.state, Budget::Output);
                self.die().await
            }
            Err(errno) => Err(errno),
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    ///
    /// Whatever write(2) answers; some of it may have been written then.
    pub async fn write_all(&self, fd: Fd, mut data: &[u8]) -> Result<(), Errno> {
        while !data.is_empty() {
            let count = self.write(fd, data).await?;
            data = data.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Charges the work of moving `bytes`.
    async fn work(&self, bytes: usize) {
        let weight = u32::try_from(bytes / BYTES_PER_TICK)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        if self.slice_over(weight.saturating_mul(4)) {
            let mut yielded = false;
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

    /// A background process that reads from its terminal is stopped until it is in the foreground.
    async fn check_background_read(&self, description: &Description) -> Result<(), Errno> {
        while let Some(group) = self.in_background(description) {
            if self.disposition(Signal::TTIN) == crate::signal::Disposition::Ignore {
                return Err(Errno::Eio);
            }
            self.stop_in_background(group, Signal::TTIN).await?;
        }
        Ok(())
    }

    /// With `stty tostop` one that writes to its terminal is stopped as well.
    async fn check_background_write(&self, description: &Description) -> Result<(), Errno> {
        while description.tty().is_some_and(|tty| tty.stops_writers())
            && self.disposition(Signal::TTOU) != crate::signal::Disposition::Ignore
            && let Some(group) = self.in_background(description)
        {
            self.stop_in_background(group, Signal::TTOU).await?;
        }
        Ok(())
    }

    /// Sends the signal to the group and waits until this process goes on.
    async fn stop_in_background(&self, group: Pid, signal: Signal) -> Result<(), Errno> {
        self.kernel.signal_group(group, signal);
        let mut stopped = false;
        self.wait_on(|cx| {
            if std::mem::replace(&mut stopped, true) {
                return Poll::Ready(Ok(()));
            }
            // Polled again when the process is continued.
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Moves the offset; what it is then.
    ///
    /// # Errors
    ///
    /// [`Errno::Espipe`] for what has no offset, [`Errno::Einval`] before the start.
    pub fn seek(&self, fd: Fd, to: Seek) -> Result<u64, Errno> {
        let description = self.description(fd)?;
        let (offset, size) = match &description.kind {
            Kind::File(file) => (&file.offset, self.metadata_of(file.ino)?.size),
            Kind::Snapshot {
                offset, content, ..
            } => (offset, content.get().map_or(0, Vec::len) as u64),
            Kind::Device(..) => return Ok(0),
            _ => return Err(Errno::Espipe),
        };
        let mut offset = lock(offset);
        let (base, delta) = match to {
            Seek::Start(position) => (position, 0),
            Seek::Current(delta) => (*offset, delta),
            Seek::End(delta) => (size, delta),
        };
        *offset = base.checked_add_signed(delta).ok_or(Errno::Einval)?;
        Ok(*offset)
    }

    // ---- descriptors ---------------------------------------------------------------------------

    /// Opens a file; the lowest free descriptor. `mode` counts for a new file, before the umask.
    /// Waits only for the other side of a FIFO.
    ///
    /// # Errors
    ///
    /// Whatever open(2) answers.
    pub async fn open(&self, path: &[u8], flags: OpenFlags, mode: u16) -> Result<Fd, Errno> {
        // A long list of files is opened without another call that waits.
        self.tick().await;
        let kind = self
            .open_kind(path, flags, mode)
            .await
            .map_err(|errno| self.no_room(errno, Budget::Inodes))?;
        let description = match kind {
            Opened::Description(description) => description,
            Opened::Kind(kind) => {
                let path = match &kind {
                    Kind::Tty(tty) => tty.path(),
                    _ => self.absolute(path),
                };
                Description::new(&self.kernel, kind, flags, path)?
            }
        };
        self.add_description(0, description)
    }

    fn add_description(&self, least: Fd, description: Arc<Description>) -> Result<Fd, Errno> {
        let limit = self.most_descriptors();
        let added = lock(&self.state.inner).fds.add(least, limit, description);
        if added == Err(Errno::Emfile) {
            self.kernel
                .reached(self.pid(), Budget::Descriptors, Holder::Process);
        }
        added
    }

    async fn open_kind(&self, path: &[u8], flags: OpenFlags, mode: u16) -> Result<Opened, Errno> {
        let options = OpenOptions {
            read: flags.read,
            write: flags.write,
            append: flags.append,
            create: flags.create,
            exclusive: flags.exclusive,
            truncate: flags.truncate,
            directory: flags.directory,
            no_follow: flags.no_follow,
            mode: mode & !self.umask(),
        };
        let report = flags
            .redirection
            .then(|| (self.absolute(path), flags.append));
        let pid = self.pid();
        let (metadata, file) = self.with_fs(|fs, cx| {
            let opened = fs.open(cx, path, options)?;
            let plain =
                opened.metadata.file_type == FileType::Regular && !procfs::is_synthetic(opened.ino);
            let file = plain.then(|| {
                fs.retain(opened.ino);
                OpenFile::new(&self.kernel, opened.ino, pid, report)
            });
            Ok((opened.metadata, file))
        })?;
        if let Some(file) = file {
            return Ok(Opened::Kind(Kind::File(file)));
        }
        let ino = metadata.ino;
        match procfs::special(&self.kernel, ino) {
            Some(Special::Content) => {
                return Ok(Opened::Kind(Kind::Snapshot {
                    ino,
                    viewer: self.pid(),
                    content: std::sync::OnceLock::new(),
                    offset: std::sync::Mutex::new(0),
                }));
            }
            Some(Special::Descriptor(description)) => return Ok(Opened::Description(description)),
            Some(Special::Terminal(tty)) => return Ok(Opened::Kind(Kind::Tty(tty))),
            None => {}
        }
        match metadata.file_type {
            FileType::Directory => Ok(Opened::Kind(Kind::Directory(ino))),
            FileType::CharDevice => self.open_device(metadata.rdev, ino),
            FileType::Fifo => self.open_fifo(ino, flags).await,
            _ => Err(Errno::Enxio),
        }
    }

    fn open_device(&self, rdev: (u32, u32), ino: InodeId) -> Result<Opened, Errno> {
        if rdev == (5, 0) {
            let tty = lock(&self.state.inner).tty.clone().ok_or(Errno::Enxio)?;
            return Ok(Opened::Kind(Kind::Tty(tty)));
        }
        let device = Device::from_numbers(rdev).ok_or(Errno::Enxio)?;
        Ok(Opened::Kind(Kind::Device(device, ino)))
    }

    async fn open_fifo(&self, ino: InodeId, flags: OpenFlags) -> Result<Opened, Errno> {
        let fifo = self.kernel.fifo(ino);
        let (readers, writers) = fifo.seen();
        Ok(Opened::Kind(match (flags.read, flags.write) {
            (true, true) => Kind::PipeBoth(ReadEnd::new(&fifo), WriteEnd::new(&fifo)),
            (true, false) => {
                let end = ReadEnd::new(&fifo);
                self.wait_on(|cx| fifo.poll_writer_seen(writers, cx).map(Ok))
                    .await?;
                Kind::PipeRead(end)
            }
            _ => {
                let end = WriteEnd::new(&fifo);
                self.wait_on(|cx| fifo.poll_reader_seen(readers, cx).map(Ok))
                    .await?;
                Kind::PipeWrite(end)
            }
        }))
    }

    /// A descriptor for a connection.
    ///
    /// # Errors
    ///
    /// [`Errno::Emfile`], [`Errno::Enfile`].
    pub fn add_stream(&self, stream: Box<dyn Stream>) -> Result<Fd, Errno> {
        let path = format!("socket:[{}]", self.kernel.next_pipe()).into_bytes();
        let flags = OpenFlags {
            read: true,
            write: true,
            ..OpenFlags::READ
        };
        let kind = Kind::Socket(Socket::new(stream));
        self.add_description(0, Description::new(&self.kernel, kind, flags, path)?)
    }

    /// Closes a descriptor.
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`].
    pub fn close(&self, fd: Fd) -> Result<(), Errno> {
        let entry = lock(&self.state.inner).fds.remove(fd)?;
        drop(entry);
        Ok(())
    }

    /// Makes `to` refer to what `from` refers to: dup2(2).
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`].
    pub fn duplicate_to(&self, from: Fd, to: Fd) -> Result<(), Errno> {
        if to as usize >= self.most_descriptors() {
            return Err(Errno::Ebadf);
        }
        let description = self.description(from)?;
        if from == to {
            return Ok(());
        }
        let entry = Entry {
            description,
            close_on_exec: false,
        };
        let replaced = lock(&self.state.inner).fds.replace(to, entry);
        drop(replaced);
        Ok(())
    }

    /// The lowest free descriptor from `least` on becomes a copy: `fcntl(F_DUPFD)`.
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`], [`Errno::Emfile`].
    pub fn duplicate_from(&self, fd: Fd, least: Fd) -> Result<Fd, Errno> {
        let description = self.description(fd)?;
        self.add_description(least, description)
    }

    /// Whether `execve` closes this descriptor.
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`].
    pub fn set_close_on_exec(&self, fd: Fd, close: bool) -> Result<(), Errno> {
        lock(&self.state.inner).fds.get_mut(fd)?.close_on_exec = close;
        Ok(())
    }

    /// Whether the descriptor is open.
    pub fn is_open(&self, fd: Fd) -> bool {
        self.description(fd).is_ok()
    }

    /// The numbers of all open descriptors.
    pub fn descriptors(&self) -> Vec<Fd> {
        lock(&self.state.inner)
            .fds
            .iter()
            .map(|(fd, _)| fd)
            .collect()
    }

    /// A pipe: its end for reading and its end for writing.
    ///
    /// # Errors
    ///
    /// [`Errno::Emfile`], [`Errno::Enfile`].
    pub fn pipe(&self) -> Result<(Fd, Fd), Errno> {
        let id = self.kernel.next_pipe();
        let path = format!("pipe:[{id}]").into_bytes();
        let (read, write) = pipe::pair(id, &self.kernel.memory);
        let open = |kind, flags| Description::new(&self.kernel, kind, flags, path.clone());
        let read = open(Kind::PipeRead(read), OpenFlags::READ)?;
        let write = open(Kind::PipeWrite(write), OpenFlags::WRITE)?;
        let read = self.add_description(0, read)?;
        match self.add_description(0, write) {
            Ok(write) => Ok((read, write)),
            Err(errno) => {
                self.close(read)?;
                Err(errno)
            }
        }
    }

    // ---- names ---------------------------------------------------------------------------------

    /// `path` made absolute by text alone: `.` and `..` are resolved, links are not.
    pub fn absolute(&self, path: &[u8]) -> Vec<u8> {
        let mut parts: Vec<&[u8]> = Vec::new();
        let directory = if path.starts_with(b"/") {
            Vec::new()
        } else {
            self.directory().unwrap_or_default()
        };
        for part in directory
            .split(|&byte| byte == b'/')
            .chain(path.split(|&byte| byte == b'/'))
        {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        [b"/".as_slice(), &parts.join(&b'/')].concat()
    }

    fn metadata_of(&self, ino: InodeId) -> Result<Metadata, Errno> {
        self.with_fs(|fs, cx| fs.metadata(cx, ino))
    }

    /// What is at `path`, links followed.
    ///
    /// # Errors
    ///
    /// Whatever stat(2) answers.
    pub fn stat(&self, path: &[u8]) -> Result<Metadata, Errno> {
        self.with_fs(|fs, cx| fs.stat(cx, path))
    }

    /// What is at `path`, a link itself if it is one.
    ///
    /// # Errors
    ///
    /// Whatever lstat(2) answers.
    pub fn lstat(&self, path: &[u8]) -> Result<Metadata, Errno> {
        self.with_fs(|fs, cx| fs.lstat(cx, path))
    }

    /// What a descriptor refers to.
    ///
    /// # Errors
    ///
    /// [`Errno::Ebadf`].
    pub fn fstat(&self, fd: Fd) -> Result<Metadata, Errno> {
        let description = self.description(fd)?;
        match &description.kind {
            Kind::File(file) => self.metadata_of(file.ino),
            Kind::Directory(ino) | Kind::Device(_, ino) | Kind::Snapshot { ino, .. } => {
                self.metadata_of(*ino)
            }
            Kind::Tty(tty) => self.stat(&tty.path()),
            Kind::PipeRead(_) | Kind::PipeWrite(_) | Kind::PipeBoth(..) => {
                Ok(procfs::anonymous(FileType::Fifo, &self.credentials()))
            }
            Kind::Socket(_) => Ok(procfs::anonymous(FileType::Socket, &self.credentials())),
        }
    }

    /// The entries of a directory, without `.` and `..`, in no particular order.
    ///
    /// # Errors
    ///
    /// Whatever opendir(3) answers.
    pub fn read_directory(&self, path: &[u8]) -> Result<Vec<DirEntry>, Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            // A real process has the directory open meanwhile, and sees it.
            let mut inner = lock(&self.state.inner);
            inner.listing = procfs::lists_own(self.pid(), ino).then(|| inner.fds.lowest(0));
            drop(inner);
            fs.read_dir(cx, ino)
        })
    }

    /// A regular file's content without opening it, at most 64 KiB: `/etc/passwd` and its kin, the head
    /// of a script.
    ///
    /// # Errors
    ///
    /// Whatever open(2) answers.
    pub fn read_small_file(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            fs.access(cx, ino, Access::Read)?;
            let mut content = vec![0; 64 * 1024];
            let count = fs.read_at(ino, 0, &mut content)?;
            content.truncate(count);
            Ok(content)
        })
    }

    /// Where a symbolic link leads.
    ///
    /// # Errors
    ///
    /// Whatever readlink(2) answers.
    pub fn read_link(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let ino = self.with_fs(|fs, cx| fs.resolve(cx, path, false))?;
        if let Some(target) = procfs::shown_link(&self.kernel, ino) {
            return Ok(target);
        }
        self.with_fs(|fs, cx| fs.read_link(cx, path))
    }

    /// The absolute path without links: realpath(3). The last part must exist if `must_exist`.
    ///
    /// # Errors
    ///
    /// Whatever stat(2) answers on the way.
    pub fn real_path(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            if let Some(path) = fs.path_of(ino) {
                return Ok(path);
            }
            Err(Errno::Einval)
        })
    }

    /// Whether access is allowed: access(2).
    ///
    /// # Errors
    ///
    /// [`Errno::Eacces`] and whatever the path's resolution answers.
    pub fn access(&self, path: &[u8], access: Access) -> Result<(), Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            fs.access(cx, ino, access)
        })
    }

    /// Makes a directory; `mode` before the umask.
    ///
    /// # Errors
    ///
    /// Whatever mkdir(2) answers.
    pub fn make_directory(&self, path: &[u8], mode: u16) -> Result<(), Errno> {
        let mode = mode & !self.umask();
        self.with_fs(|fs, cx| fs.mkdir(cx, path, mode).map(drop))
            .map_err(|errno| self.no_room(errno, Budget::Inodes))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// Whatever rmdir(2) answers.
    pub fn remove_directory(&self, path: &[u8]) -> Result<(), Errno> {
        self.with_fs(|fs, cx| fs.rmdir(cx, path).map(drop))
    }

    /// Removes a name that is not a directory.
    ///
    /// # Errors
    ///
    /// Whatever unlink(2) answers.
    pub fn unlink(&self, path: &[u8]) -> Result<(), Errno> {
        self.with_fs(|fs, cx| fs.unlink(cx, path).map(drop))
    }

    /// Gives a file a second name.
    ///
    /// # Errors
    ///
    /// Whatever link(2) answers.
    pub fn link(&self, old: &[u8], new: &[u8], follow: bool) -> Result<(), Errno> {
        self.with_fs(|fs, cx| fs.link(cx, old, new, follow).map(drop))
            .map_err(|errno| self.no_room(errno, Budget::Inodes))
    }

    /// Makes a symbolic link at `new` to `target`.
    ///
    /// # Errors
    ///
    /// Whatever symlink(2) answers.
    pub fn symlink(&self, target: &[u8], new: &[u8]) -> Result<(), Errno> {
        self.with_fs(|fs, cx| fs.symlink(cx, target, new).map(drop))
            .map_err(|errno| self.no_room(errno, Budget::Inodes))
    }

    /// Renames; an existing `new` is replaced.
    ///
    /// # Errors
    ///
    /// Whatever rename(2) answers.
    pub fn rename(&self, old: &[u8], new: &[u8]) -> Result<(), Errno> {
        self.with_fs(|fs, cx| fs.rename(cx, old, new).map(drop))
            .map_err(|errno| self.no_room(errno, Budget::Inodes))
    }

    /// Makes a FIFO or device; `mode` before the umask.
    ///
    /// # Errors
    ///
    /// Whatever mknod(2) answers.
    pub fn make_node(
        &self,
        path: &[u8],
        kind: FileType,
        mode: u16,
        rdev: (u32, u32),
    ) -> Result<(), Errno> {
        let mode = mode & !self.umask();
        self.with_fs(|fs, cx| fs.mknod(cx, path, kind, mode, rdev).map(drop))
            .map_err(|errno| self.no_room(errno, Budget::Inodes))
    }

    // ---- attributes ----------------------------------------------------------------------------

    /// Changes the mode bits; links are followed.
    ///
    /// # Errors
    ///
    /// Whatever chmod(2) answers.
    pub fn change_mode(&self, path: &[u8], mode: u16) -> Result<(), Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            match procfs::terminal(&self.kernel, ino) {
                Some(tty) => {
                    let owner = fs.metadata(cx, ino)?.uid;
                    if !cx.creds.is_root() && cx.creds.uid != owner {
                        return Err(Errno::Eperm);
                    }
                    tty.set_mode(mode);
                    Ok(())
                }
                None => fs.chmod(cx, ino, mode),
            }
        })
    }

    /// Changes the flags that chattr(1) shows; links are not followed.
    ///
    /// # Errors
    ///
    /// Whatever the request `FS_IOC_SETFLAGS` of ioctl_iflags(2) answers.
    pub fn change_flags(&self, path: &[u8], flags: FileFlags) -> Result<(), Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, false)?;
            fs.set_flags(cx, ino, flags)
        })
    }

    /// Changes owner and group where given.
    ///
    /// # Errors
    ///
    /// Whatever chown(2) answers.
    pub fn change_owner(
        &self,
        path: &[u8],
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> Result<(), Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, follow)?;
            fs.chown(cx, ino, uid, gid)
        })
    }

    /// Changes access and modification times where given.
    ///
    /// # Errors
    ///
    /// Whatever utimensat(2) answers.
    pub fn set_times(
        &self,
        path: &[u8],
        accessed: Option<Timestamp>,
        modified: Option<Timestamp>,
        follow: bool,
    ) -> Result<(), Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, follow)?;
            fs.set_times(cx, ino, accessed, modified)
        })
    }

    /// Cuts or extends an open file.
    ///
    /// # Errors
    ///
    /// [`Errno::Einval`] for what is not a file open for writing; whatever ftruncate(2) answers.
    pub fn truncate(&self, fd: Fd, length: u64) -> Result<(), Errno> {
        let description = self.description(fd)?;
        match &description.kind {
            Kind::File(file) if description.flags.write => {
                self.check_length(length)?;
                self.with_fs(|fs, cx| fs.truncate(file.ino, length, cx.now).map(drop))
            }
            _ => Err(Errno::Einval),
        }
    }

    /// Bytes and inodes that this machine's users have added to the filesystem.
    pub fn disk_usage(&self) -> sundew_vfs::Usage {
        self.with_fs(|fs, _| fs.usage())
    }
}

/// What an open leads to.
enum Opened {
    Kind(Kind),
    /// `/dev/stdin` and `/proc/self/fd/N` are the descriptor itself, not a new one.
    Description(Arc<Description>),
}
