//! Where files are: the traits, and two implementations of them.
//!
//! Paths arrive absolute and normalised ([`Path`]); they are names below whatever the backend calls
//! its root, never paths of the host.

pub mod disk;
pub(crate) mod extension;
mod hash;
pub mod memory;
pub mod simple;

use std::fs::File;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use ftp_proto::hash::Algorithm;
use ftp_proto::listing::Entry;
use ftp_proto::server::{Abilities, Change, FileError, Path, Placement};
use rustix::io::Errno;
use tokio::sync::Semaphore;

use crate::auth::User;

/// Gives each user their files.
pub trait Backend: Send + Sync + 'static {
    /// What one user sees.
    type Files: Files;

    /// What [`Files`] can do besides the plain things, so that FEAT lists exactly what is served.
    fn abilities(&self) -> Abilities {
        Abilities::NONE
    }

    /// The files of a user who has just logged in.
    ///
    /// # Errors
    ///
    /// Any error refuses the login.
    fn enter(&self, user: &User) -> impl Future<Output = Result<Self::Files, FileError>> + Send;
}

/// A tree of files as one user sees it; clones see the same.
///
/// Three methods are enough for one that is read: `look`, `list` and `read`. Whatever changes something is
/// refused unless written, and what can be made of simpler methods is.
///
/// Dropping a future may leave its change done or not done, never half done.
pub trait Files: Send + Sync + Clone + 'static {
    /// An open file that is read.
    type Reader: Reader;
    /// An open file that is written.
    type Writer: Writer;
    /// An open directory.
    type Lister: Lister;

    /// What is known about a path, links followed; the name is the path's last component.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn look(&self, path: &Path) -> impl Future<Output = Result<Entry, FileError>> + Send;

    /// Opens a directory.
    ///
    /// # Errors
    ///
    /// [`FileError::NotADirectory`] for a file.
    fn list(&self, path: &Path) -> impl Future<Output = Result<Self::Lister, FileError>> + Send;

    /// Opens a file from an offset on; gives the bytes to come, if they are known.
    ///
    /// # Errors
    ///
    /// [`FileError::IsADirectory`], [`FileError::BadOffset`] behind the end, and others.
    fn read(
        &self,
        path: &Path,
        offset: u64,
    ) -> impl Future<Output = Result<(Option<u64>, Self::Reader), FileError>> + Send;

    /// Opens or makes a file.
    ///
    /// # Errors
    ///
    /// [`FileError::IsADirectory`], [`FileError::BadOffset`] behind the end, and others.
    fn write(
        &self,
        path: &Path,
        placement: Placement,
    ) -> impl Future<Output = Result<Self::Writer, FileError>> + Send {
        let _ = (path, placement);
        std::future::ready(Err(FileError::Denied))
    }

    /// Makes a file under a name that did not exist and that begins with `stem`; gives the name.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn write_unique(
        &self,
        directory: &Path,
        stem: &[u8],
    ) -> impl Future<Output = Result<(Vec<u8>, Self::Writer), FileError>> + Send {
        let _ = (directory, stem);
        std::future::ready(Err(FileError::Denied))
    }

    /// Makes a directory.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn make_directory(&self, path: &Path) -> impl Future<Output = Result<(), FileError>> + Send {
        let _ = path;
        std::future::ready(Err(FileError::Denied))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn remove_directory(&self, path: &Path) -> impl Future<Output = Result<(), FileError>> + Send {
        let _ = path;
        std::future::ready(Err(FileError::Denied))
    }

    /// Removes a file or link.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn delete(&self, path: &Path) -> impl Future<Output = Result<(), FileError>> + Send {
        let _ = path;
        std::future::ready(Err(FileError::Denied))
    }

    /// Renames; a file that is in the way is replaced.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn rename(&self, from: &Path, to: &Path) -> impl Future<Output = Result<(), FileError>> + Send {
        let _ = (from, to);
        std::future::ready(Err(FileError::Denied))
    }

    /// Sets times and the mode, what of them is given. [`Abilities::times`], [`Abilities::modes`],
    /// [`Abilities::creation`].
    ///
    /// # Errors
    ///
    /// [`FileError::Unsupported`] unless it is overridden.
    fn change(
        &self,
        path: &Path,
        change: Change,
    ) -> impl Future<Output = Result<(), FileError>> + Send {
        let _ = (path, change);
        std::future::ready(Err(FileError::Unsupported))
    }

    /// Makes a symbolic link that says `target`. [`Abilities::links`].
    ///
    /// # Errors
    ///
    /// [`FileError::Unsupported`] unless it is overridden.
    fn make_link(
        &self,
        target: &[u8],
        path: &Path,
    ) -> impl Future<Output = Result<(), FileError>> + Send {
        let _ = (target, path);
        std::future::ready(Err(FileError::Unsupported))
    }

    /// Bytes that can still be stored in a directory. [`Abilities::space`].
    ///
    /// # Errors
    ///
    /// [`FileError::Unsupported`] unless it is overridden.
    fn space(&self, path: &Path) -> impl Future<Output = Result<u64, FileError>> + Send {
        let _ = path;
        std::future::ready(Err(FileError::Unsupported))
    }

    /// Sets the permission bits that new files do not get in this session, if one is given; gives
    /// those that held before. [`Abilities::umask`].
    ///
    /// # Errors
    ///
    /// [`FileError::Unsupported`] unless it is overridden.
    fn umask(&self, mask: Option<u16>) -> impl Future<Output = Result<u16, FileError>> + Send {
        let _ = mask;
        std::future::ready(Err(FileError::Unsupported))
    }

    /// Copies a file over a new one or another.
    ///
    /// # Errors
    ///
    /// [`FileError`]; the copy may be there in part.
    fn copy(&self, from: &Path, to: &Path) -> impl Future<Output = Result<(), FileError>> + Send {
        extension::copy(self, from, to)
    }

    /// Appends files to one, in order, and deletes each when its bytes are in.
    ///
    /// # Errors
    ///
    /// [`FileError`]; parts that are gone are in the file.
    fn combine(
        &self,
        from: &[Path],
        to: &Path,
    ) -> impl Future<Output = Result<(), FileError>> + Send {
        extension::combine(self, from, to)
    }

    /// Makes a directory and those above it that are missing.
    ///
    /// # Errors
    ///
    /// [`FileError::Exists`] if it was there.
    fn make_directories(&self, path: &Path) -> impl Future<Output = Result<(), FileError>> + Send {
        extension::make_directories(self, path)
    }

    /// Removes a directory with all it holds; links are removed, not followed.
    ///
    /// # Errors
    ///
    /// [`FileError`]; part of it may be gone.
    fn remove_tree(&self, path: &Path) -> impl Future<Output = Result<(), FileError>> + Send {
        extension::remove_tree(self, path)
    }

    /// Bytes of all files in a directory and below it.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn usage(&self, path: &Path) -> impl Future<Output = Result<u64, FileError>> + Send {
        extension::usage(self, path)
    }

    /// Hashes a file from `first` up to `end` or its own end; gives the hash and the offset behind
    /// the last byte.
    ///
    /// # Errors
    ///
    /// [`FileError::BadOffset`] for a part that is not within the file, and others.
    fn hash(
        &self,
        path: &Path,
        algorithm: Algorithm,
        first: u64,
        end: Option<u64>,
    ) -> impl Future<Output = Result<(Vec<u8>, u64), FileError>> + Send {
        extension::hash(self, path, algorithm, first, end)
    }
}

/// An open file that is read from front to back.
pub trait Reader: Send + 'static {
    /// The next bytes; `None` at the end. At most [`CHUNK_BYTES`].
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn read(&mut self) -> impl Future<Output = Result<Option<Bytes>, FileError>> + Send;

    /// The file of the host that is being read, if it is one: the driver then takes the bytes itself,
    /// without copying them if it can, and [`Reader::read`] is not called.
    fn host_file(&self) -> Option<HostFile> {
        None
    }
}

/// An open file that is written from front to back.
///
/// One that is dropped without [`Writer::finish`] was cut: the transfer broke or was aborted.
pub trait Writer: Send + 'static {
    /// The client has said that so many bytes will come (ALLO): room can be made for them. More or
    /// fewer may come.
    ///
    /// # Errors
    ///
    /// [`FileError::NoSpace`] or [`FileError::OverQuota`] if there is not that much: the transfer is
    /// refused before it begins.
    fn expect(&mut self, bytes: u64) -> impl Future<Output = Result<(), FileError>> + Send {
        let _ = bytes;
        std::future::ready(Ok(()))
    }

    /// Writes all of the bytes.
    ///
    /// # Errors
    ///
    /// [`FileError`]; how much was written is not said.
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), FileError>> + Send;

    /// The client has sent everything.
    ///
    /// # Errors
    ///
    /// [`FileError`]; the client is told that the transfer failed.
    fn finish(self) -> impl Future<Output = Result<(), FileError>> + Send;

    /// The file of the host that is being written, if it is one and its bytes may come from the
    /// kernel: the driver then puts the rest of a large file there itself, and reports it to
    /// [`Writer::advance`].
    fn host_file(&self) -> Option<HostFile> {
        None
    }

    /// So many bytes were written to [`Writer::host_file`] from its offset on.
    fn advance(&mut self, bytes: u64) {
        let _ = bytes;
    }
}

/// A file of the host, for a driver that moves its bytes without the backend.
#[derive(Clone, Debug)]
pub struct HostFile {
    /// The file.
    pub file: Arc<File>,
    /// Where the next byte is.
    pub offset: u64,
    /// Bytes there are from there on, or that may be taken.
    pub length: Option<u64>,
    /// Whether its file system lives in memory, so that reading never waits for a disk.
    pub is_memory: bool,
    /// Held during calls that may block.
    pub gate: Arc<Semaphore>,
}

impl HostFile {
    /// Makes a call where it may block.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&File) -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, FileError> {
        let file = Arc::clone(&self.file);
        disk::blocking(&self.gate, move || call(&file)).await
    }
}

/// An open directory.
pub trait Lister: Send + 'static {
    /// Some more entries, without `.` and `..`; `None` at the end. Sorted by name within one batch.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Entry>>, FileError>> + Send;
}

/// Bytes moved between file and socket at a time.
pub const CHUNK_BYTES: usize = 128 * 1024;
