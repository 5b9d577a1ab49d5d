//! What the machine reports about those who use it. Names of events are given elsewhere.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sundew_vfs::{Errno, InodeId};

use crate::machine::Kernel;
use crate::process::daemon::Power;
use crate::{Pid, lock};

/// Something an observer of the machine may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Text handed to a shell: a line typed, an exec string, the text after `sh -c`, a script.
    ShellInput {
        /// The process that reads it.
        pid: Pid,
        /// The text, unexpanded, without its final newline.
        text: Vec<u8>,
    },
    /// A line that a program other than a shell read from a person.
    ProgramInput {
        /// The process that read it.
        pid: Pid,
        /// The program's name.
        program: Vec<u8>,
        /// The line, without its newline.
        text: Vec<u8>,
    },
    /// A word that leads to no program.
    CommandNotFound {
        /// The shell that looked for it.
        pid: Pid,
        /// The command and its arguments after expansion.
        args: Vec<Vec<u8>>,
    },
    /// A program was started.
    Exec {
        /// Its process.
        pid: Pid,
        /// The path of its executable.
        path: Vec<u8>,
        /// Its arguments, the name first.
        args: Vec<Vec<u8>>,
    },
    /// An executable that the machine has no program for was run: a binary brought in from outside.
    ForeignExecutable {
        /// Its process.
        pid: Pid,
        /// Where it lies.
        path: Vec<u8>,
    },
    /// A program of the machine that is not emulated was run; the visitor was told that he may not.
    MissingProgram {
        /// The process that asked for it.
        pid: Pid,
        /// Where it lies.
        path: Vec<u8>,
        /// Its arguments, the name first.
        args: Vec<Vec<u8>>,
    },
    /// A program computed for long without a look at whether others are due: a fault of ours, which its
    /// machine's thread felt.
    LongSlice {
        /// The process.
        pid: Pid,
        /// Its program.
        program: Vec<u8>,
        /// For how long.
        lasted: Duration,
    },
    /// A file opened by a shell redirection was closed after something was written to it.
    RedirectWritten {
        /// The process that wrote.
        pid: Pid,
        /// Its absolute path.
        path: Vec<u8>,
        /// Whether it was written at its end (`>>`): more is likely to come.
        append: bool,
        /// The file itself, which may lose its name or be written again.
        file: Arc<Written>,
    },
    /// The machine is to end.
    Power {
        /// The process that asked for it.
        pid: Pid,
        /// How.
        power: Power,
    },
    /// A process exceeded a budget and was ended.
    BudgetSpent {
        /// The process.
        pid: Pid,
        /// Which budget.
        budget: crate::budget::Budget,
        /// Whose it is.
        of: crate::budget::Holder,
    },
}

/// A file that somebody wrote, held so that its content can be read even when its name is gone. It
/// keeps its place in the quota for as long as this value lives.
#[derive(Debug)]
pub struct Written {
    kernel: Weak<Kernel>,
    ino: InodeId,
}

impl Written {
    /// Takes over a reference on `ino`.
    pub(crate) fn new(kernel: Weak<Kernel>, ino: InodeId) -> Self {
        Self { kernel, ino }
    }

    /// Its content now, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`Errno::Enoent`] when the machine is gone.
    pub fn read(&self, limit: usize) -> Result<Vec<u8>, Errno> {
        let kernel = self.kernel.upgrade().ok_or(Errno::Enoent)?;
        let fs = lock(&kernel.fs);
        let size = usize::try_from(fs.size(self.ino)?).unwrap_or(usize::MAX);
        let mut content = vec![0; size.min(limit)];
        let count = fs.read_at(self.ino, 0, &mut content)?;
        content.truncate(count);
        Ok(content)
    }
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.ino == other.ino && self.kernel.ptr_eq(&other.kernel)
    }
}

impl Eq for Written {}

impl Drop for Written {
    fn drop(&mut self) {
        if let Some(kernel) = self.kernel.upgrade() {
            lock(&kernel.fs).release(self.ino);
        }
    }
}

/// What is fetched from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Where from: `ftp://host:port/path`.
    pub url: Vec<u8>,
    /// Where to, as the attacker named it; empty for standard output.
    pub destination: Vec<u8>,
}

/// What a client sends by a file protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its absolute path.
    pub path: Vec<u8>,
    /// Over which protocol.
    pub via: UploadProtocol,
}

/// A protocol by which a client sends files into the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadProtocol {
    /// `sftp-server`.
    Sftp,
    /// `scp -t`.
    Scp,
}

/// How a download ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadEnd {
    /// The peer said that everything was sent.
    Complete,
    /// All that was asked for came, which was the file without its beginning.
    Part,
    /// Something is missing; why, in one line.
    Incomplete(String),
    /// Nothing was transferred; why, in one line.
    Failed(String),
}

/// Keeps the bytes of one download. Dropping it without [`Capture::end`] means that the transfer
/// was cut.
pub trait Capture: Send + 'static {
    /// Keeps a piece. `false` when the limit is reached and no more is wanted.
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, bool>;
    /// Says how it ended.
    fn end(self: Box<Self>, end: DownloadEnd) -> BoxFuture<'static, ()>;
}

/// Where observations and captured bytes go. Must not block: it is called from the machine.
pub trait Observer: Send + Sync + 'static {
    /// Takes one observation.
    fn observe(&self, observation: Observation);
    /// Begins to keep a download.
    fn download(&self, download: Download) -> Box<dyn Capture>;
    /// Begins to keep what a client sends.
    fn upload(&self, _upload: Upload) -> Box<dyn Capture> {
        Box::new(NoObserver)
    }
}

/// Forgets everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _observation: Observation) {}
    fn download(&self, _download: Download) -> Box<dyn Capture> {
        Box::new(Self)
    }
}

impl Capture for NoObserver {
    fn write<'a>(&'a mut self, _bytes: &'a [u8]) -> BoxFuture<'a, bool> {
        Box::pin(std::future::ready(true))
    }
    fn end(self: Box<Self>, _end: DownloadEnd) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
