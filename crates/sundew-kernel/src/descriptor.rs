//! What a descriptor refers to: open file descriptions and the table that names them, open(2).

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, ready};

use sundew_vfs::pool::Held;
use sundew_vfs::{Credentials, Errno, InodeId, NoSynthetic, Synthetic as _, Timestamp, Vfs};
use tokio::io::ReadBuf;

use crate::budget::Budget;
use crate::device::Device;
use crate::machine::Kernel;
use crate::network::Stream;
use crate::observe::{Observation, Written};
use crate::pipe::{self, ReadEnd, WriteEnd};
use crate::procfs::View;
use crate::tty::Tty;
use crate::{Fd, Pid, lock};

/// How to open a file: the flags of open(2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenFlags {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// `O_APPEND`.
    pub append: bool,
    /// `O_CREAT`.
    pub create: bool,
    /// `O_EXCL`.
    pub exclusive: bool,
    /// `O_TRUNC`.
    pub truncate: bool,
    /// `O_DIRECTORY`.
    pub directory: bool,
    /// `O_NOFOLLOW`.
    pub no_follow: bool,
    /// Opened by a shell's redirection: what is written is reported when it is closed.
    pub redirection: bool,
}

impl OpenFlags {
    /// `O_RDONLY`.
    pub const READ: Self = Self {
        read: true,
        write: false,
        append: false,
        create: false,
        exclusive: false,
        truncate: false,
        directory: false,
        no_follow: false,
        redirection: false,
    };
    /// `O_WRONLY`.
    pub const WRITE: Self = Self {
        read: false,
        write: true,
        ..Self::READ
    };
    /// `O_WRONLY | O_CREAT | O_TRUNC`: what `>` does.
    pub const CREATE: Self = Self {
        create: true,
        truncate: true,
        ..Self::WRITE
    };
    /// `O_WRONLY | O_CREAT | O_APPEND`: what `>>` does.
    pub const APPEND: Self = Self {
        create: true,
        append: true,
        ..Self::WRITE
    };
    /// `O_RDWR | O_CREAT`: what `<>` does.
    pub const READ_WRITE: Self = Self {
        read: true,
        write: true,
        create: true,
        ..Self::READ
    };
}

/// An open file description, shared by all descriptors made from it by `dup` and `fork`.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) kind: Kind,
    pub(crate) flags: OpenFlags,
    /// What `/proc/PID/fd/N` shows.
    pub(crate) path: Vec<u8>,
    /// What it takes of the machine's open files and of its memory.
    _place: (Held, Held),
}

/// Bytes of memory that an open file is charged: itself, its path, and what is behind it.
const OPEN_FILE_BYTES: u64 = 1024;
/// Bytes that an end of a pipe is charged: half of what a pipe holds without being charged for it.
const PIPE_END_BYTES: u64 = (pipe::ATOMIC / 2) as u64;

#[derive(Debug)]
pub(crate) enum Kind {
    File(OpenFile),
    Directory(InodeId),
    /// Content made up at the first read, as `/proc` does: `< /proc/self/cmdline` shows the program
    /// that reads, not the shell that opened it.
    Snapshot {
        ino: InodeId,
        /// Who opened it.
        viewer: Pid,
        content: OnceLock<Vec<u8>>,
        offset: Mutex<u64>,
    },
    PipeRead(ReadEnd),
    PipeWrite(WriteEnd),
    /// Both ends of a FIFO opened for reading and writing.
    PipeBoth(ReadEnd, WriteEnd),
    Tty(Arc<Tty>),
    Device(Device, InodeId),
    Socket(Socket),
}

/// A regular file. Holds the inode alive.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) ino: InodeId,
    pub(crate) offset: Mutex<u64>,
    kernel: Weak<Kernel>,
    /// Who opened it and whether anything was written, for the report at close.
    opened_by: Pid,
    written: Mutex<bool>,
    /// Path, and whether it is written at its end.
    report: Option<(Vec<u8>, bool)>,
}

impl OpenFile {
    /// Takes a reference on `ino`, which the caller has just opened under the filesystem's lock.
    pub(crate) fn new(
        kernel: &Arc<Kernel>,
        ino: InodeId,
        opened_by: Pid,
        report: Option<(Vec<u8>, bool)>,
    ) -> Self {
        Self {
            ino,
            offset: Mutex::new(0),
            kernel: Arc::downgrade(kernel),
            opened_by,
            written: Mutex::new(false),
            report,
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let Some(kernel) = self.kernel.upgrade() else {
            return;
        };
        let written = *lock(&self.written);
        match self.report.take().filter(|_| written) {
            // The report takes the reference over.
            Some((path, append)) => kernel.observer.observe(Observation::RedirectWritten {
                pid: self.opened_by,
                path,
                append,
                file: Arc::new(Written::new(self.kernel.clone(), self.ino)),
            }),
            None => lock(&kernel.fs).release(self.ino),
        }
    }
}

/// A connection. The lock is held only while it is polled.
pub(crate) struct Socket(Mutex<Box<dyn Stream>>);

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}

impl Socket {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self(Mutex::new(stream))
    }
}

fn network_errno(error: &std::io::Error) -> Errno {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Errno::Epipe,
        std::io::ErrorKind::TimedOut => Errno::Etimedout,
        _ => Errno::Econnreset,
    }
}

impl Description {
    /// An open file.
    ///
    /// # Errors
    ///
    /// [`Errno::Enfile`] when the machine has no room for another.
    pub(crate) fn new(
        kernel: &Kernel,
        kind: Kind,
        flags: OpenFlags,
        path: Vec<u8>,
    ) -> Result<Arc<Self>, Errno> {
        let mut count = Held::new(Arc::clone(&kernel.open_files));
        let mut memory = Held::new(Arc::clone(&kernel.memory));
        let bytes = match kind {
            Kind::PipeRead(_) | Kind::PipeWrite(_) | Kind::PipeBoth(..) => {
                OPEN_FILE_BYTES + PIPE_END_BYTES
            }
            _ => OPEN_FILE_BYTES,
        };
        if let Err(of) = count.grow(1).and_then(|()| memory.grow(bytes)) {
            kernel.reached(0, Budget::OpenFiles, of);
            return Err(Errno::Enfile);
        }
        Ok(Arc::new(Self {
            kind,
            flags,
            path,
            _place: (count, memory),
        }))
    }

    pub(crate) fn poll_read(
        &self,
        kernel: &Kernel,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<Result<usize, Errno>> {
        if !self.flags.read {
            return Poll::Ready(Err(Errno::Ebadf));
        }
        Poll::Ready(match &self.kind {
            Kind::File(file) => {
                let mut offset = lock(&file.offset);
                let mut fs = lock(&kernel.fs);
                let result = fs.read_at(file.ino, *offset, buf);
                if let Ok(count) = result {
                    // Once for each time through it is enough to know of.
                    if *offset == 0 {
                        fs.touch_atime(file.ino, kernel.clock.wall());
                    }
                    *offset += count as u64;
                }
                result
            }
            Kind::Directory(_) => Err(Errno::Eisdir),
            Kind::Snapshot {
                ino,
                viewer,
                content,
                offset,
            } => {
                let view = View::new(kernel, *viewer);
                let content = content.get_or_init(|| view.content(*ino).unwrap_or_default());
                let mut offset = lock(offset);
                let start = usize::try_from(*offset)
                    .unwrap_or(usize::MAX)
                    .min(content.len());
                let rest = content.get(start..).unwrap_or_default();
                let count = rest.len().min(buf.len());
                for (to, from) in buf.iter_mut().zip(rest) {
                    *to = *from;
                }
                *offset += count as u64;
                Ok(count)
            }
            Kind::PipeRead(end) | Kind::PipeBoth(end, _) => ready!(end.poll_read(cx, buf)),
            Kind::PipeWrite(_) => Err(Errno::Ebadf),
            Kind::Tty(tty) => ready!(tty.poll_read(cx, buf)),
            Kind::Device(device, _) => Ok(device.read(kernel, buf)),
            Kind::Socket(socket) => {
                let mut buf = ReadBuf::new(buf);
                let mut stream = lock(&socket.0);
                match ready!(Pin::new(&mut **stream).poll_read(cx, &mut buf)) {
                    Ok(()) => Ok(buf.filled().len()),
                    Err(error) => Err(network_errno(&error)),
                }
            }
        })
    }

    pub(crate) fn poll_write(
        &self,
        kernel: &Kernel,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, Errno>> {
        if !self.flags.write {
            return Poll::Ready(Err(Errno::Ebadf));
        }
        Poll::Ready(match &self.kind {
            Kind::File(file) => self.write_file(kernel, file, data),
            Kind::Directory(_) => Err(Errno::Eisdir),
            Kind::Snapshot { ino, .. } => crate::procfs::write(kernel, *ino, data),
            Kind::PipeWrite(end) | Kind::PipeBoth(_, end) => ready!(end.poll_write(cx, data)),
            Kind::PipeRead(_) => Err(Errno::Ebadf),
            Kind::Tty(tty) => ready!(tty.poll_write(cx, data)),
            Kind::Device(device, _) => device.write(data),
            Kind::Socket(socket) => {
                let mut stream = lock(&socket.0);
                ready!(Pin::new(&mut **stream).poll_write(cx, data))
                    .map_err(|error| network_errno(&error))
            }
        })
    }

    fn write_file(&self, kernel: &Kernel, file: &OpenFile, data: &[u8]) -> Result<usize, Errno> {
        let now = kernel.clock.wall();
        let mut offset = lock(&file.offset);
        let mut fs = lock(&kernel.fs);
        if self.flags.append {
            *offset = size_of(&fs, file.ino)?;
        }
        let count = fs.write_at(file.ino, *offset, data, now)?;
        *offset += count as u64;
        if count > 0 {
            *lock(&file.written) = true;
        }
        Ok(count)
    }

    /// Whether a read would not wait.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        match &self.kind {
            Kind::PipeRead(end) | Kind::PipeBoth(end, _) => end.poll_ready(cx),
            Kind::Tty(tty) => tty.poll_ready(cx),
            _ => Poll::Ready(()),
        }
    }

    /// The terminal behind it, if it is one.
    /// Whether what is written is sent to the other side.
    pub(crate) fn leads_outside(&self) -> bool {
        match &self.kind {
            Kind::Tty(_) => true,
            Kind::PipeWrite(end) | Kind::PipeBoth(_, end) => end.leads_outside(),
            _ => false,
        }
    }

    pub(crate) fn tty(&self) -> Option<&Arc<Tty>> {
        match &self.kind {
            Kind::Tty(tty) => Some(tty),
            _ => None,
        }
    }
}

/// The size of a regular file that is open, whoever may look at it.
fn size_of(fs: &Vfs, ino: InodeId) -> Result<u64, Errno> {
    let creds = Credentials::root();
    let now = Timestamp::default();
    let cx = sundew_vfs::Context {
        creds: &creds,
        synthetic: &NoSynthetic,
        cwd: fs.root(),
        now,
    };
    Ok(fs.metadata(&cx, ino)?.size)
}

/// One row of a descriptor table.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) description: Arc<Description>,
    pub(crate) close_on_exec: bool,
}

/// The descriptors of one process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table(BTreeMap<Fd, Entry>);

impl Table {
    pub(crate) fn get(&self, fd: Fd) -> Result<&Entry, Errno> {
        self.0.get(&fd).ok_or(Errno::Ebadf)
    }

    pub(crate) fn get_mut(&mut self, fd: Fd) -> Result<&mut Entry, Errno> {
        self.0.get_mut(&fd).ok_or(Errno::Ebadf)
    }

    /// The lowest free number from `least` on.
    pub(crate) fn lowest(&self, least: Fd) -> Fd {
        let mut fd = least;
        for &taken in self.0.range(least..).map(|(fd, _)| fd) {
            if taken != fd {
                break;
            }
            fd += 1;
        }
        fd
    }

    /// Gives the lowest free number from `least` on, [`Errno::Emfile`] past `limit`.
    pub(crate) fn add(
        &mut self,
        least: Fd,
        limit: usize,
        description: Arc<Description>,
    ) -> Result<Fd, Errno> {
        let limit = Fd::try_from(limit).unwrap_or(Fd::MAX);
        let fd = self.lowest(least);
        if fd >= limit {
            return Err(Errno::Emfile);
        }
        self.0.insert(
            fd,
            Entry {
                description,
                close_on_exec: false,
            },
        );
        Ok(fd)
    }

    /// Puts `entry` at `fd`; what was there.
    pub(crate) fn replace(&mut self, fd: Fd, entry: Entry) -> Option<Entry> {
        self.0.insert(fd, entry)
    }

    pub(crate) fn remove(&mut self, fd: Fd) -> Result<Entry, Errno> {
        self.0.remove(&fd).ok_or(Errno::Ebadf)
    }

    /// Takes out what is closed by `execve`. The caller drops it outside its lock.
    pub(crate) fn take_close_on_exec(&mut self) -> Vec<Entry> {
        let doomed: Vec<Fd> = self
            .0
            .iter()
            .filter(|(_, entry)| entry.close_on_exec)
            .map(|(&fd, _)| fd)
            .collect();
        doomed
            .into_iter()
            .filter_map(|fd| self.0.remove(&fd))
            .collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Fd, &Entry)> {
        self.0.iter().map(|(&fd, entry)| (fd, entry))
    }
}
