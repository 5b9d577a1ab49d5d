//! A directory of the host.
//!
//! Every name is resolved by the kernel with `openat2(2)` and `RESOLVE_BENEATH` from a descriptor of
//! the served directory, so no `..`, link or race leaves it. Links that stay inside are followed;
//! absolute ones are refused. All calls that may block run on the runtime's blocking threads, a
//! bounded number at a time. Needs Linux 5.6.

mod extra;

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path as HostPath;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ftp_proto::listing::{Entry, Kind};
use ftp_proto::server::{Abilities, Change, FileError, Path, Placement};
use ftp_proto::time::Timestamp;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use tokio::sync::Semaphore;

use super::{Backend, CHUNK_BYTES, Files, HostFile, Lister, Reader, Writer};
use crate::auth::User;

/// Calls that may block, at a time. More only queue at the disk.
const MAX_BLOCKING_CALLS: usize = 32;

/// Directory entries read at a time.
const BATCH_ENTRIES: usize = 512;

/// `f_type` of tmpfs, `statfs(2)`.
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

/// Names tried for STOU before giving up.
const MAX_UNIQUE_TRIES: u32 = 1000;

/// The kernel asks for another try when directories are being moved about; so many are enough.
const MAX_RESOLVE_TRIES: u32 = 16;

/// The served directory; all users see the same.
#[derive(Clone, Debug)]
pub struct Disk {
    root: Arc<OwnedFd>,
    gate: Arc<Semaphore>,
    /// The device of the root, if its file system lives in memory.
    memory: Option<u64>,
}

impl Disk {
    /// What a directory of the host can do, whichever it is.
    pub(crate) const ABILITIES: Abilities = Abilities {
        // Linux sets no creation times.
        creation: false,
        umask: false,
        ..Abilities::ALL
    };

    /// Opens the directory. Blocks, so call it before serving.
    ///
    /// # Errors
    ///
    /// The system's; also if the kernel has no `openat2(2)`.
    pub fn open(directory: &HostPath) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(directory, flags, Mode::empty())?;
        let is_memory = rustix::fs::fstatfs(&root)?.f_type == TMPFS_MAGIC;
        let disk = Self {
            memory: if is_memory {
                Some(rustix::fs::fstat(&root)?.st_dev)
            } else {
                None
            },
            root: Arc::new(root),
            gate: Arc::new(Semaphore::new(MAX_BLOCKING_CALLS)),
        };
        beneath(&disk.root, b".", flags, Mode::empty())?;
        Ok(disk)
    }

    /// Runs one call where it may block.
    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&OwnedFd) -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, FileError> {
        let root = Arc::clone(&self.root);
        blocking(&self.gate, move || call(&root)).await
    }
}

impl Backend for Disk {
    type Files = Self;

    fn abilities(&self) -> Abilities {
        Self::ABILITIES
    }

    async fn enter(&self, _: &User) -> Result<Self, FileError> {
        Ok(self.clone())
    }
}

impl Files for Disk {
    type Reader = DiskReader;
    type Writer = DiskWriter;
    type Lister = DiskLister;

    async fn look(&self, path: &Path) -> Result<Entry, FileError> {
        let path = path.clone();
        self.call(move |root| {
            let file = beneath(root, relative(&path), OFlags::PATH, Mode::empty())?;
            let stat = rustix::fs::fstat(&file)?;
            Ok(entry(path.name().unwrap_or(b"/"), &stat, None))
        })
        .await
    }

    async fn list(&self, path: &Path) -> Result<DiskLister, FileError> {
        let path = path.clone();
        let directory = self
            .call(move |root| {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY;
                Dir::new(beneath(root, relative(&path), flags, Mode::empty())?)
            })
            .await?;
        Ok(DiskLister {
            directory: Some(directory),
            gate: Arc::clone(&self.gate),
        })
    }

    async fn read(&self, path: &Path, offset: u64) -> Result<(Option<u64>, DiskReader), FileError> {
        // Not blocking: a named pipe would keep a thread for ever.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let (file, stat) = match cached(&self.root, relative(path), flags) {
            Some(file) => {
                let file = file.map_err(file_error)?;
                let stat = regular(&file).map_err(file_error)?;
                (file, stat)
            }
            None => {
                let path = path.clone();
                let open = move |root: &OwnedFd| {
                    let file = beneath(root, relative(&path), flags, Mode::empty())?;
                    let stat = regular(&file)?;
                    Ok((file, stat))
                };
                self.call(open).await?
            }
        };
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let left = size.checked_sub(offset).ok_or(FileError::BadOffset)?;
        let reader = DiskReader {
            file: Arc::new(File::from(file)),
            offset,
            left,
            is_memory: self.memory == Some(stat.st_dev),
            gate: Arc::clone(&self.gate),
        };
        Ok((Some(left), reader))
    }

    async fn write(&self, path: &Path, placement: Placement) -> Result<DiskWriter, FileError> {
        let path = path.clone();
        let file = self
            .call(move |root| {
                // What is to be gone on with must be there.
                let create = match placement {
                    Placement::Append | Placement::Replace => OFlags::CREATE,
                    Placement::At(_) => OFlags::empty(),
                };
                let mode = if create.is_empty() {
                    Mode::empty()
                } else {
                    NEW_FILE
                };
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | create;
                let file = beneath(root, relative(&path), flags, mode)?;
                let size = u64::try_from(regular(&file)?.st_size).unwrap_or(0);
                let offset = match placement {
                    Placement::Append => size,
                    Placement::Replace => 0,
                    Placement::At(offset) if offset > size => return Ok(None),
                    Placement::At(offset) => offset,
                };
                // Only now that it is known to be a file.
                rustix::fs::ftruncate(&file, offset)?;
                Ok(Some((file, offset)))
            })
            .await?;
        let (file, offset) = file.ok_or(FileError::BadOffset)?;
        Ok(DiskWriter::new(file, offset, &self.gate))
    }

    async fn write_unique(
        &self,
        directory: &Path,
        stem: &[u8],
    ) -> Result<(Vec<u8>, DiskWriter), FileError> {
        let (directory, stem) = (directory.clone(), stem.to_vec());
        let (name, file) = self
            .call(move |root| {
                let flags = OFlags::PATH | OFlags::DIRECTORY;
                let directory = beneath(root, relative(&directory), flags, Mode::empty())?;
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
                for number in 1..=MAX_UNIQUE_TRIES {
                    let name = [&stem[..], format!(".{number}").as_bytes()].concat();
                    match beneath(&directory, &name, flags, NEW_FILE) {
                        Ok(file) => return Ok((name, file)),
                        Err(Errno::EXIST) => {}
                        Err(errno) => return Err(errno),
                    }
                }
                Err(Errno::EXIST)
            })
            .await?;
        Ok((name, DiskWriter::new(file, 0, &self.gate)))
    }

    async fn make_directory(&self, path: &Path) -> Result<(), FileError> {
        self.in_parent(path, |parent, name| {
            rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o777))
        })
        .await
    }

    async fn remove_directory(&self, path: &Path) -> Result<(), FileError> {
        self.in_parent(path, |parent, name| {
            rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
        })
        .await
    }

    async fn delete(&self, path: &Path) -> Result<(), FileError> {
        self.in_parent(path, |parent, name| {
            rustix::fs::unlinkat(parent, name, AtFlags::empty())
        })
        .await
    }

    async fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        let to = to.clone();
        let root = Arc::clone(&self.root);
        self.in_parent(from, move |parent, name| {
            let (to_parent, to_name) = split(&root, &to)?;
            rustix::fs::renameat(parent, name, to_parent, to_name)
        })
        .await
    }

    async fn change(&self, path: &Path, change: Change) -> Result<(), FileError> {
        if change.created.is_some() {
            return Err(FileError::Unsupported);
        }
        self.in_parent(path, move |parent, name| {
            extra::change(parent, name, change)
        })
        .await
    }

    async fn make_link(&self, target: &[u8], path: &Path) -> Result<(), FileError> {
        let target = target.to_vec();
        self.in_parent(path, move |parent, name| {
            rustix::fs::symlinkat(target.as_slice(), parent, name)
        })
        .await
    }

    async fn space(&self, path: &Path) -> Result<u64, FileError> {
        let path = path.clone();
        self.call(move |root| {
            let file = beneath(root, relative(&path), OFlags::PATH, Mode::empty())?;
            let stat = rustix::fs::fstatvfs(&file)?;
            Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
        })
        .await
    }
}

impl Disk {
    /// Runs a call on the directory that holds `path`, and the last component.
    async fn in_parent(
        &self,
        path: &Path,
        call: impl FnOnce(&OwnedFd, &[u8]) -> Result<(), Errno> + Send + 'static,
    ) -> Result<(), FileError> {
        let path = path.clone();
        self.call(move |root| {
            let (parent, name) = split(root, &path)?;
            call(&parent, name)
        })
        .await
    }
}

/// A file that is read.
#[derive(Debug)]
pub struct DiskReader {
    file: Arc<File>,
    offset: u64,
    left: u64,
    is_memory: bool,
    gate: Arc<Semaphore>,
}

impl Reader for DiskReader {
    async fn read(&mut self) -> Result<Option<Bytes>, FileError> {
        let (file, offset) = (Arc::clone(&self.file), self.offset);
        let bytes = blocking(&self.gate, move || {
            let mut bytes = BytesMut::zeroed(CHUNK_BYTES);
            let count = file.read_at(&mut bytes, offset).map_err(errno)?;
            bytes.truncate(count);
            Ok(bytes.freeze())
        })
        .await?;
        self.offset += bytes.len() as u64;
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    fn host_file(&self) -> Option<HostFile> {
        Some(HostFile {
            file: Arc::clone(&self.file),
            offset: self.offset,
            length: Some(self.left),
            is_memory: self.is_memory,
            gate: Arc::clone(&self.gate),
        })
    }
}

/// A file that is written. If the transfer is cut, what was written stays.
#[derive(Debug)]
pub struct DiskWriter {
    file: Arc<File>,
    offset: u64,
    gate: Arc<Semaphore>,
}

impl DiskWriter {
    fn new(file: OwnedFd, offset: u64, gate: &Arc<Semaphore>) -> Self {
        Self {
            file: Arc::new(File::from(file)),
            offset,
            gate: Arc::clone(gate),
        }
    }
}

impl Writer for DiskWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), FileError> {
        let (file, offset) = (Arc::clone(&self.file), self.offset);
        self.offset += bytes.len() as u64;
        blocking(&self.gate, move || {
            file.write_all_at(&bytes, offset).map_err(errno)
        })
        .await
    }

    async fn finish(self) -> Result<(), FileError> {
        Ok(())
    }

    fn host_file(&self) -> Option<HostFile> {
        Some(HostFile {
            file: Arc::clone(&self.file),
            offset: self.offset,
            length: None,
            is_memory: false,
            gate: Arc::clone(&self.gate),
        })
    }

    fn advance(&mut self, bytes: u64) {
        self.offset += bytes;
    }
}

/// A directory that is read.
#[derive(Debug)]
pub struct DiskLister {
    /// `None` once the end was seen.
    directory: Option<Dir>,
    gate: Arc<Semaphore>,
}

impl Lister for DiskLister {
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, FileError> {
        let Some(mut directory) = self.directory.take() else {
            return Ok(None);
        };
        let (directory, mut batch) = blocking(&self.gate, move || {
            let mut batch = Vec::new();
            while batch.len() < BATCH_ENTRIES {
                let Some(found) = directory.read() else {
                    return Ok((None, batch));
                };
                let found = found?;
                let name = found.file_name();
                if matches!(name.to_bytes(), b"." | b"..") {
                    continue;
                }
                // A file that is gone meanwhile is left out.
                if let Ok(entry) = look_at(&directory, name) {
                    batch.push(entry);
                }
            }
            Ok((Some(directory), batch))
        })
        .await?;
        self.directory = directory;
        batch.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(batch))
    }
}

/// `rw` for all; the umask takes away what the operator does not want.
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);

pub(super) async fn blocking<T: Send + 'static>(
    gate: &Semaphore,
    call: impl FnOnce() -> Result<T, Errno> + Send + 'static,
) -> Result<T, FileError> {
    let _permit = gate.acquire().await.map_err(|_| FileError::Other)?;
    tokio::task::spawn_blocking(call)
        .await
        .map_err(|_| FileError::Other)?
        .map_err(file_error)
}

/// Opens a name below a directory, which it cannot leave.
fn beneath(root: &OwnedFd, name: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let flags = flags | OFlags::CLOEXEC;
    let mut result = Err(Errno::AGAIN);
    for _ in 0..MAX_RESOLVE_TRIES {
        result = rustix::fs::openat2(root, name, flags, mode, resolve);
        if !matches!(result, Err(Errno::AGAIN)) {
            break;
        }
    }
    result
}

/// Opens a name like [`beneath`], if that needs no disk; `None` if it might (Linux 5.12 can tell).
fn cached(root: &OwnedFd, name: &[u8], flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::CACHED;
    let flags = flags | OFlags::CLOEXEC;
    match rustix::fs::openat2(root, name, flags, Mode::empty(), resolve) {
        Err(Errno::AGAIN | Errno::INVAL) => None,
        result => Some(result),
    }
}

/// The directory that holds a path, and its last component. The root has none.
fn split<'a>(root: &OwnedFd, path: &'a Path) -> Result<(OwnedFd, &'a [u8]), Errno> {
    let name = path.name().ok_or(Errno::ACCESS)?;
    let parent = path.parent();
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    Ok((
        beneath(root, relative(&parent), flags, Mode::empty())?,
        name,
    ))
}

fn relative(path: &Path) -> &[u8] {
    match path.as_bytes() {
        b"/" => b".",
        path => path.strip_prefix(b"/").unwrap_or(path),
    }
}

/// What is known about an open file, if it is a regular one.
fn regular(file: &OwnedFd) -> Result<Stat, Errno> {
    let stat = rustix::fs::fstat(file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat),
        FileType::Directory => Err(Errno::ISDIR),
        _ => Err(Errno::ACCESS),
    }
}

fn look_at(directory: &Dir, name: &CStr) -> Result<Entry, Errno> {
    let at = directory.fd()?;
    let stat = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let target = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => rustix::fs::readlinkat(at, name, Vec::new()).ok(),
        _ => None,
    };
    let target = target.map(|target| target.into_bytes());
    Ok(entry(name.to_bytes(), &stat, target))
}

fn entry(name: &[u8], stat: &Stat, target: Option<Vec<u8>>) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link { target },
        _ => Kind::Other,
    };
    let mut entry = Entry::new(name, kind);
    entry.size = u64::try_from(stat.st_size).ok();
    entry.modified = Some(Timestamp::from_unix(stat.st_mtime));
    entry.mode = u16::try_from(stat.st_mode & 0o7777).ok();
    entry.links = Some(stat.st_nlink);
    entry.owner = Some(stat.st_uid.to_string().into_bytes());
    entry.group = Some(stat.st_gid.to_string().into_bytes());
    entry.unique = Some(format!("{:x}g{:x}", stat.st_dev, stat.st_ino).into_bytes());
    entry
}

fn errno(error: io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

fn file_error(errno: Errno) -> FileError {
    match errno {
        Errno::NOENT => FileError::NotFound,
        // XDEV and LOOP are how openat2 says "that would leave the directory".
        Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::XDEV | Errno::LOOP | Errno::NXIO => {
            FileError::Denied
        }
        Errno::NOTDIR => FileError::NotADirectory,
        Errno::ISDIR => FileError::IsADirectory,
        Errno::EXIST => FileError::Exists,
        Errno::NOTEMPTY => FileError::NotEmpty,
        Errno::NOSPC => FileError::NoSpace,
        Errno::DQUOT | Errno::FBIG => FileError::OverQuota,
        Errno::NAMETOOLONG | Errno::INVAL | Errno::ILSEQ => FileError::NameNotAllowed,
        Errno::BUSY | Errno::TXTBSY | Errno::MFILE | Errno::NFILE | Errno::AGAIN => FileError::Busy,
        _ => FileError::Other,
    }
}

#[cfg(test)]
mod tests;
