//! A directory of the host.
//!
//! Every name is resolved by the kernel with `openat2(2)` and `RESOLVE_BENEATH` from a descriptor of
//! the served directory, so no `..`, link or race leaves it. Which links that stay inside are followed,
//! and how uploads are stored, [`DiskOptions`] says; absolute links are refused. All calls that may
//! block run on the runtime's blocking threads, a bounded number at a time. Needs Linux 5.6.

mod cleaning;
mod extra;
mod options;
mod resolve;
mod upload;

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path as HostPath;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::{Bytes, BytesMut};
use ftp_proto::listing::{Entry, Kind};
use ftp_proto::server::{Abilities, Change, FileError, Path, Placement};
use ftp_proto::time::Timestamp;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, RenameFlags, Stat};
use rustix::io::Errno;
use tokio::sync::Semaphore;

use self::cleaning::Cleaning;
pub use self::options::{DiskOptions, Durability, Links, Partial, Uploads};
pub use self::upload::DiskWriter;
use self::upload::Rules;
use super::{Backend, CHUNK_BYTES, Files, HostFile, Lister, Reader};
use crate::auth::User;

/// Calls that may block, at a time. More only queue at the disk.
const MAX_BLOCKING_CALLS: usize = 32;

/// Bytes of names read from a directory at a time: what the C library asks for.
const NAMES_BYTES: usize = 32 * 1024;

/// Entries that are returned at a time, at least: then as many more as were read with them.
const BATCH_ENTRIES: usize = 256;

/// `f_type` of tmpfs, `statfs(2)`.
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

/// The mode of new directories, before the umask.
const NEW_DIRECTORY: u16 = 0o777;

/// No umask: that of the process holds.
const UNMASKED: u16 = u16::MAX;

/// The served directory; all users see the same.
#[derive(Clone, Debug)]
pub struct Disk {
    root: Arc<OwnedFd>,
    gate: Arc<Semaphore>,
    options: Arc<DiskOptions>,
    /// The device of the root, if its file system lives in memory.
    memory: Option<u64>,
    process_umask: u16,
    session: Arc<OneSession>,
}

/// What clones of one session's files share.
#[derive(Debug)]
struct OneSession {
    /// [`UNMASKED`], or what the operator or SITE UMASK has set.
    umask: AtomicU16,
    cleaning: Arc<Cleaning>,
}

impl OneSession {
    fn new(options: &DiskOptions) -> Arc<Self> {
        Arc::new(Self {
            umask: AtomicU16::new(options.umask.unwrap_or(UNMASKED)),
            cleaning: Arc::default(),
        })
    }
}

impl Disk {
    /// Opens the directory. Blocks, so call it before serving.
    ///
    /// # Errors
    ///
    /// The system's; also if the kernel has no `openat2(2)`.
    pub fn open(directory: &HostPath) -> io::Result<Self> {
        Self::open_with(directory, DiskOptions::default())
    }

    /// Opens the directory with the operator's wishes. Blocks, so call it before serving.
    ///
    /// # Errors
    ///
    /// The system's; also if the kernel has no `openat2(2)`.
    pub fn open_with(
        directory: &HostPath,
        options: impl Into<Arc<DiskOptions>>,
    ) -> io::Result<Self> {
        let options = options.into();
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
            process_umask: extra::process_umask(),
            session: OneSession::new(&options),
            options,
        };
        resolve::open(
            &disk.root,
            &Path::root(),
            flags,
            Mode::empty(),
            Links::Inside,
        )?;
        Ok(disk)
    }

    /// What a directory of the host can do with these options, whichever it is.
    pub(crate) const fn abilities_of(options: &DiskOptions) -> Abilities {
        Abilities {
            // Linux sets no creation times.
            creation: false,
            links: upload::makes_links(options.links),
            ..Abilities::ALL
        }
    }

    /// Runs one call where it may block.
    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&OwnedFd, Links) -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, FileError> {
        self.run(move |root, rules| call(root, rules.options.links).map_err(file_error))
            .await
    }

    /// Runs one call where it may block, behind what this session has still to clean up.
    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&OwnedFd, &Rules) -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, FileError> {
        self.session.cleaning.settled().await;
        let (root, rules) = (Arc::clone(&self.root), self.rules());
        run(&self.gate, move || call(&root, &rules)).await
    }

    fn rules(&self) -> Rules {
        Rules {
            options: Arc::clone(&self.options),
            umask: self.mask(),
        }
    }

    fn mask(&self) -> Option<u16> {
        Some(self.session.umask.load(Ordering::Relaxed)).filter(|mask| *mask != UNMASKED)
    }

    /// Refuses what would store something if the disk is too full for it.
    fn check_space(root: &OwnedFd, options: &DiskOptions) -> Result<(), FileError> {
        if options.keep_free > 0 && upload::free(root, options.keep_free).map_err(file_error)? == 0
        {
            return Err(FileError::NoSpace);
        }
        Ok(())
    }
}

impl Backend for Disk {
    type Files = Self;

    fn abilities(&self) -> Abilities {
        Self::abilities_of(&self.options)
    }

    async fn enter(&self, _: &User) -> Result<Self, FileError> {
        Ok(Self {
            session: OneSession::new(&self.options),
            ..self.clone()
        })
    }
}

impl Files for Disk {
    type Reader = DiskReader;
    type Writer = DiskWriter;
    type Lister = DiskLister;

    async fn look(&self, path: &Path) -> Result<Entry, FileError> {
        let path = path.clone();
        self.call(move |root, links| {
            let file = resolve::open(root, &path, OFlags::PATH, Mode::empty(), links)?;
            let stat = rustix::fs::fstat(&file)?;
            Ok(entry(path.name().unwrap_or(b"/"), &stat, None))
        })
        .await
    }

    async fn list(&self, path: &Path) -> Result<DiskLister, FileError> {
        let path = path.clone();
        let directory = self
            .call(move |root, links| {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY;
                resolve::open(root, &path, flags, Mode::empty(), links)
            })
            .await?;
        Ok(DiskLister {
            directory: Some(directory),
            sweeps: self.options.uploads.atomic,
            gate: Arc::clone(&self.gate),
        })
    }

    async fn read(&self, path: &Path, offset: u64) -> Result<(Option<u64>, DiskReader), FileError> {
        self.session.cleaning.settled().await;
        // Not blocking: a named pipe would keep a thread for ever.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let (file, stat) = match resolve::cached(&self.root, path, flags, self.options.links) {
            Some(file) => {
                let file = file.map_err(file_error)?;
                let stat = regular(&file).map_err(file_error)?;
                (file, stat)
            }
            None => {
                let path = path.clone();
                let open = move |root: &OwnedFd, links| {
                    let file = resolve::open(root, &path, flags, Mode::empty(), links)?;
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
        let opened = self
            .run(move |root, rules| {
                Self::check_space(root, &rules.options)?;
                upload::open(root, &path, placement, rules)
            })
            .await?;
        Ok(self.writer(opened))
    }

    async fn write_unique(
        &self,
        directory: &Path,
        stem: &[u8],
    ) -> Result<(Vec<u8>, DiskWriter), FileError> {
        let (directory, stem) = (directory.clone(), stem.to_vec());
        let (name, opened) = self
            .run(move |root, rules| {
                Self::check_space(root, &rules.options)?;
                upload::open_unique(root, &directory, &stem, rules)
            })
            .await?;
        Ok((name, self.writer(opened)))
    }

    async fn make_directory(&self, path: &Path) -> Result<(), FileError> {
        let mask = self.mask();
        self.in_parent(path, move |parent, name| {
            let mode = Mode::from_raw_mode((NEW_DIRECTORY & !mask.unwrap_or(0)).into());
            rustix::fs::mkdirat(parent, name, mode)?;
            if mask.is_some() {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY;
                let made = resolve::open_in(parent, name, flags, Mode::empty())?;
                rustix::fs::fchmod(&made, mode)?;
            }
            Ok(())
        })
        .await
    }

    async fn remove_directory(&self, path: &Path) -> Result<(), FileError> {
        self.in_parent(path, |parent, name| {
            let remove = || rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR);
            match remove() {
                Err(Errno::NOTEMPTY) if upload::sweep_all(parent, name)? => remove(),
                result => result,
            }
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
        let (links, overwrite) = (self.options.links, self.options.uploads.overwrite);
        self.in_parent(from, move |parent, name| {
            let (to_parent, to_name) = resolve::parent(&root, &to, links)?;
            if !overwrite {
                let flags = RenameFlags::NOREPLACE;
                return rustix::fs::renameat_with(parent, name, to_parent, to_name, flags);
            }
            rustix::fs::renameat(parent, name, to_parent, to_name)
        })
        .await
    }

    async fn change(&self, path: &Path, change: Change) -> Result<(), FileError> {
        if change.created.is_some() {
            return Err(FileError::Unsupported);
        }
        if path.name().is_none() {
            return Err(FileError::Denied);
        }
        let path = path.clone();
        self.call(move |root, links| {
            let file = resolve::open(root, &path, OFlags::PATH, Mode::empty(), links)?;
            extra::change(&file, change)
        })
        .await
    }

    async fn make_link(&self, target: &[u8], path: &Path) -> Result<(), FileError> {
        if !self.abilities().links {
            return Err(FileError::Unsupported);
        }
        let target = extra::link_text(target, path)?;
        self.in_parent(path, move |parent, name| {
            rustix::fs::symlinkat(target.as_slice(), parent, name)
        })
        .await
    }

    async fn space(&self, path: &Path) -> Result<u64, FileError> {
        let (path, keep) = (path.clone(), self.options.keep_free);
        self.call(move |root, links| {
            let file = resolve::open(root, &path, OFlags::PATH, Mode::empty(), links)?;
            upload::free(&file, keep)
        })
        .await
    }

    async fn umask(&self, mask: Option<u16>) -> Result<u16, FileError> {
        let old = self.mask().unwrap_or(self.process_umask);
        if let Some(mask) = mask {
            self.session.umask.store(mask & 0o777, Ordering::Relaxed);
        }
        Ok(old)
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
        self.call(move |root, links| {
            let (parent, name) = resolve::parent(root, &path, links)?;
            call(&parent, name)
        })
        .await
    }

    fn writer(&self, opened: upload::Opened) -> DiskWriter {
        DiskWriter::new(opened, self.rules(), &self.gate, &self.session.cleaning)
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

/// A directory that is read.
#[derive(Debug)]
pub struct DiskLister {
    /// `None` once the end was seen.
    directory: Option<OwnedFd>,
    /// Whether uploads that were left behind are removed on the way.
    sweeps: bool,
    gate: Arc<Semaphore>,
}

impl Lister for DiskLister {
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, FileError> {
        let Some(directory) = self.directory.take() else {
            return Ok(None);
        };
        let sweeps = self.sweeps;
        let (directory, mut batch) = blocking(&self.gate, move || {
            let mut names = Vec::with_capacity(NAMES_BYTES);
            let mut names = RawDir::new(&directory, names.spare_capacity_mut());
            let mut batch = Vec::new();
            let is_end = loop {
                match names.next() {
                    Some(Ok(found)) => {
                        batch.extend(list_one(&directory, found.file_name(), sweeps));
                    }
                    // The directory itself was removed.
                    None | Some(Err(Errno::NOENT)) => break true,
                    Some(Err(errno)) => return Err(errno),
                }
                // Names that were read already and are not in this batch would be lost.
                if batch.len() >= BATCH_ENTRIES && names.is_buffer_empty() {
                    break false;
                }
            };
            Ok(((!is_end).then_some(directory), batch))
        })
        .await?;
        self.directory = directory;
        batch.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(batch))
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    gate: &Semaphore,
    call: impl FnOnce() -> Result<T, Errno> + Send + 'static,
) -> Result<T, FileError> {
    run(gate, move || call().map_err(file_error)).await
}

async fn run<T: Send + 'static>(
    gate: &Semaphore,
    call: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let _permit = gate.acquire().await.map_err(|_| FileError::Other)?;
    tokio::task::spawn_blocking(call)
        .await
        .map_err(|_| FileError::Other)?
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

/// What a listing shows of a name in a directory. A file that is gone meanwhile is left out.
fn list_one(directory: &OwnedFd, name: &CStr, sweeps: bool) -> Option<Entry> {
    if matches!(name.to_bytes(), b"." | b"..") {
        return None;
    }
    if !resolve::is_hidden(name.to_bytes()) {
        return look_at(directory, name).ok();
    }
    if sweeps && let Err(errno) = upload::sweep(directory, name.to_bytes()) {
        tracing::debug!(%errno, "not swept");
    }
    None
}

fn look_at(at: &OwnedFd, name: &CStr) -> Result<Entry, Errno> {
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
