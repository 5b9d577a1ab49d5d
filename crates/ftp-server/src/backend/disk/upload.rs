//! A file on its way to the disk: where it is written meanwhile, and what becomes of it at the end.
//!
//! An atomic upload is written under a name nobody is shown, beside its own, and is locked with
//! `flock(2)`. One that a crash has left behind is known by having no lock, and is removed when its
//! directory is listed or removed.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use ftp_proto::server::{FileError, Path, Placement};
use rustix::fs::{
    AtFlags, Dir, FallocateFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat,
};
use rustix::io::Errno;
use tokio::sync::Semaphore;

use super::cleaning::Cleaning;
use super::resolve::{self, hidden_name, is_hidden};
use super::{DiskOptions, Durability, Links, Partial, errno, file_error, regular};
use crate::backend::{HostFile, Writer};

/// `rw` for all; the umask takes away what is not wanted.
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);

/// Names tried for STOU before giving up.
const MAX_UNIQUE_TRIES: u32 = 1000;

/// How long nothing was written to an upload without a lock before it counts as left behind, in
/// seconds: one is not locked in the moment it is made.
const LEFT_BEHIND_SECONDS: i64 = 60;

/// What an upload needs to know.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) options: Arc<DiskOptions>,
    /// Set by the operator or the client; otherwise the process has one.
    pub(super) umask: Option<u16>,
}

impl Rules {
    fn mode(&self) -> Mode {
        match self.umask {
            Some(mask) => NEW_FILE & !Mode::from_raw_mode(mask.into()),
            None => NEW_FILE,
        }
    }
}

/// A file that is open for writing.
#[derive(Debug)]
pub(super) struct Opened {
    file: OwnedFd,
    offset: u64,
    ending: Option<Ending>,
}

/// What is to be done at the end.
#[derive(Debug)]
struct Ending {
    /// The directory, and the name the file is to have in it.
    directory: OwnedFd,
    name: Vec<u8>,
    place: Place,
    partial: Partial,
    durability: Durability,
}

/// Where a file is while it is written.
#[derive(Debug)]
enum Place {
    /// Under its own name; removed if it is cut and its part is not wanted.
    Own { is_removable: bool },
    /// Under a hidden one.
    Hidden { name: Vec<u8>, form: Form },
}

/// What a hidden file is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A file under a name that was free, or another meanwhile.
    New,
    /// One in the place of another, with its mode.
    Instead { mode: u32 },
    /// One under a name that must be free.
    Unique,
}

/// Opens or makes a file.
pub(super) fn open(
    root: &OwnedFd,
    path: &Path,
    placement: Placement,
    rules: &Rules,
) -> Result<Opened, FileError> {
    let uploads = &rules.options.uploads;
    let is_new = placement == Placement::Replace;
    let must_be_new = is_new && !uploads.overwrite;
    let needs_directory = uploads.durability == Durability::Directory
        || (is_new && (uploads.atomic || uploads.partial == Partial::Remove));
    if !needs_directory {
        let (file, offset) = in_place(root, path, placement, rules)?;
        let ending = (uploads.durability != Durability::None)
            .then(|| {
                ending(
                    &file,
                    None,
                    Place::Own {
                        is_removable: false,
                    },
                    rules,
                )
            })
            .transpose()?;
        return Ok(Opened {
            file,
            offset,
            ending,
        });
    }
    let (directory, name) = resolve::parent(root, path, rules.options.links).map_err(file_error)?;
    let old = match resolve::stat_in(&directory, name) {
        Ok(stat) => Some(stat),
        Err(Errno::NOENT) => None,
        Err(errno) => return Err(file_error(errno)),
    };
    if must_be_new && old.is_some() {
        return Err(FileError::Exists);
    }
    let is_link = old.is_some_and(|old| FileType::from_raw_mode(old.st_mode).is_symlink());
    if is_new && uploads.atomic && !is_link {
        return hidden(directory, name, old.as_ref(), rules);
    }
    let (file, offset) = in_place(root, path, placement, rules)?;
    let place = Place::Own {
        is_removable: is_new && !is_link,
    };
    let ending = ending(&file, Some((directory, name)), place, rules)?;
    Ok(Opened {
        file,
        offset,
        ending: Some(ending),
    })
}

fn ending(
    file: &OwnedFd,
    home: Option<(OwnedFd, &[u8])>,
    place: Place,
    rules: &Rules,
) -> Result<Ending, FileError> {
    let uploads = &rules.options.uploads;
    let (directory, name) = match home {
        Some((directory, name)) => (directory, name.to_vec()),
        // Not asked for its name.
        None => (
            file.try_clone().map_err(|error| file_error(errno(error)))?,
            Vec::new(),
        ),
    };
    Ok(Ending {
        directory,
        name,
        place,
        partial: uploads.partial,
        durability: uploads.durability,
    })
}

/// Opens or makes a file under its own name.
fn in_place(
    root: &OwnedFd,
    path: &Path,
    placement: Placement,
    rules: &Rules,
) -> Result<(OwnedFd, u64), FileError> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    let links = rules.options.links;
    let file = match placement {
        Placement::Append | Placement::Replace => make(root, path, placement, rules),
        // What is to be gone on with must be there.
        Placement::At(_) | Placement::Within { .. } => {
            resolve::open(root, path, flags, Mode::empty(), links)
        }
    };
    let file = file.map_err(file_error)?;
    let size = regular(&file).map_err(file_error)?.st_size;
    let size = u64::try_from(size).unwrap_or(0);
    let offset = match placement {
        Placement::Append => size,
        Placement::Replace => 0,
        Placement::At(offset) | Placement::Within { first: offset, .. } => offset,
    };
    if offset > size {
        return Err(FileError::BadOffset);
    }
    // Only now that it is known to be a file.
    if offset < size && !matches!(placement, Placement::Within { .. }) {
        rustix::fs::ftruncate(&file, offset).map_err(file_error)?;
    }
    Ok((file, offset))
}

/// Opens a file, or makes it with the mode it is to have.
fn make(
    root: &OwnedFd,
    path: &Path,
    placement: Placement,
    rules: &Rules,
) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    let links = rules.options.links;
    if placement == Placement::Replace && !rules.options.uploads.overwrite {
        let flags = flags | OFlags::CREATE | OFlags::EXCL;
        let file = resolve::open(root, path, flags, rules.mode(), links)?;
        if rules.umask.is_some() {
            rustix::fs::fchmod(&file, rules.mode())?;
        }
        return Ok(file);
    }
    if rules.umask.is_none() {
        return resolve::open(root, path, flags | OFlags::CREATE, NEW_FILE, links);
    }
    // Which of both it is, is only known if it is tried.
    let new = flags | OFlags::CREATE | OFlags::EXCL;
    match resolve::open(root, path, new, rules.mode(), links) {
        Ok(file) => {
            rustix::fs::fchmod(&file, rules.mode())?;
            Ok(file)
        }
        Err(Errno::EXIST | Errno::LOOP) => {
            resolve::open(root, path, flags | OFlags::CREATE, rules.mode(), links)
        }
        Err(errno) => Err(errno),
    }
}

/// Makes a file that takes its name at the end.
fn hidden(
    directory: OwnedFd,
    name: &[u8],
    old: Option<&Stat>,
    rules: &Rules,
) -> Result<Opened, FileError> {
    let form = match old {
        None if rules.options.uploads.overwrite => Form::New,
        None => Form::Unique,
        Some(_) => {
            // Whoever may not write to a file may not replace it either.
            let flags = OFlags::WRONLY | OFlags::NONBLOCK;
            let old = resolve::open_in(&directory, name, flags, Mode::empty());
            let old = regular(&old.map_err(file_error)?).map_err(file_error)?;
            Form::Instead {
                mode: old.st_mode & 0o777,
            }
        }
    };
    let random = RandomState::new().hash_one(name);
    let hidden = hidden_name(format!("{random:016x}").as_bytes());
    let file = make_hidden(&directory, &hidden, rules).map_err(file_error)?;
    if let (Form::Instead { .. }, Some(old)) = (form, old) {
        let (owner, group) = (
            rustix::fs::Uid::from_raw(old.st_uid),
            rustix::fs::Gid::from_raw(old.st_gid),
        );
        // Only root can; for everybody else the new file is theirs.
        if let Err(errno) = rustix::fs::fchown(&file, Some(owner), Some(group)) {
            tracing::trace!(%errno, "owner of the replaced file not kept");
        }
    }
    let place = Place::Hidden { name: hidden, form };
    let ending = ending(&file, Some((directory, name)), place, rules)?;
    Ok(Opened {
        file,
        offset: 0,
        ending: Some(ending),
    })
}

fn make_hidden(directory: &OwnedFd, name: &[u8], rules: &Rules) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let file = resolve::open_in(directory, name, flags, rules.mode())?;
    if rules.umask.is_some() {
        rustix::fs::fchmod(&file, rules.mode())?;
    }
    // A file system without locks has its leftovers cleaned by age alone.
    if let Err(errno) = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        tracing::debug!(%errno, "upload not locked");
    }
    Ok(file)
}

/// Makes a file under a name that begins with `stem` and that nothing has.
pub(super) fn open_unique(
    root: &OwnedFd,
    directory: &Path,
    stem: &[u8],
    rules: &Rules,
) -> Result<(Vec<u8>, Opened), FileError> {
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let links = rules.options.links;
    let directory =
        resolve::open(root, directory, flags, Mode::empty(), links).map_err(file_error)?;
    for number in 1..=MAX_UNIQUE_TRIES {
        let name = [stem, format!(".{number}").as_bytes()].concat();
        if is_hidden(&name) {
            return Err(FileError::NameNotAllowed);
        }
        let made = if rules.options.uploads.atomic {
            // The hidden name is held by nobody else, so both are ours.
            match resolve::stat_in(&directory, &name) {
                Ok(_) => Err(Errno::EXIST),
                Err(Errno::NOENT) => {
                    let hidden = hidden_name(&name);
                    make_hidden(&directory, &hidden, rules).map(|file| {
                        let form = Form::Unique;
                        (file, Place::Hidden { name: hidden, form })
                    })
                }
                Err(errno) => Err(errno),
            }
        } else {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
            let file = resolve::open_in(&directory, &name, flags, rules.mode());
            file.and_then(|file| {
                if rules.umask.is_some() {
                    rustix::fs::fchmod(&file, rules.mode())?;
                }
                Ok((file, Place::Own { is_removable: true }))
            })
        };
        match made {
            Ok((file, place)) => {
                let ending = ending(&file, Some((directory, &name)), place, rules)?;
                let ending = Some(ending).filter(Ending::matters);
                let opened = Opened {
                    file,
                    offset: 0,
                    ending,
                };
                return Ok((name, opened));
            }
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(file_error(errno)),
        }
    }
    Err(FileError::Exists)
}

impl Ending {
    /// Whether there is anything to do.
    fn matters(&self) -> bool {
        self.durability != Durability::None
            || self.partial == Partial::Remove
            || matches!(self.place, Place::Hidden { .. })
    }

    /// All bytes are there.
    fn complete(&self, file: &File) -> Result<(), Errno> {
        if let Place::Hidden {
            form: Form::Instead { mode },
            ..
        } = self.place
        {
            rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?;
        }
        if self.durability != Durability::None {
            rustix::fs::fsync(file)?;
        }
        if let Place::Hidden { name, form } = &self.place {
            self.reveal(name, *form)?;
        }
        if self.durability == Durability::Directory {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let directory = rustix::fs::openat(&self.directory, c".", flags, Mode::empty())?;
            rustix::fs::fsync(&directory)?;
        }
        Ok(())
    }

    fn reveal(&self, hidden: &[u8], form: Form) -> Result<(), Errno> {
        let (directory, name) = (&self.directory, self.name.as_slice());
        if form == Form::Unique {
            let flags = RenameFlags::NOREPLACE;
            return rustix::fs::renameat_with(directory, hidden, directory, name, flags);
        }
        rustix::fs::renameat(directory, hidden, directory, name)
    }

    /// The upload was cut, aborted or could not be completed.
    fn cut(&self, file: &File) -> Result<(), Errno> {
        match &self.place {
            Place::Own { is_removable } => {
                let is_ours = || {
                    let (there, ours) = (
                        resolve::stat_in(&self.directory, &self.name)?,
                        rustix::fs::fstat(file)?,
                    );
                    Ok((there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino))
                };
                if *is_removable && self.partial == Partial::Remove && is_ours()? {
                    self.unlink(&self.name)?;
                }
            }
            Place::Hidden { name, form } => {
                let is_empty = rustix::fs::fstat(file)?.st_size == 0;
                let is_kept = self.partial == Partial::Keep
                    && !is_empty
                    && !matches!(form, Form::Instead { .. });
                // A part takes the name only if nothing has it.
                if !is_kept || self.reveal(name, Form::Unique).is_err() {
                    self.unlink(name)?;
                }
            }
        }
        Ok(())
    }

    fn unlink(&self, name: &[u8]) -> Result<(), Errno> {
        rustix::fs::unlinkat(&self.directory, name, AtFlags::empty())
    }
}

/// A file that is written.
///
/// What becomes of it when it is dropped before its end, [`Partial`] says. That happens behind the
/// scenes; the session that has dropped it waits for it before it does anything else.
#[derive(Debug)]
pub struct DiskWriter {
    file: Arc<File>,
    offset: u64,
    gate: Arc<Semaphore>,
    ending: Option<Ending>,
    is_preallocated: bool,
    rules: Rules,
    cleaning: Arc<Cleaning>,
}

impl DiskWriter {
    pub(super) fn new(
        opened: Opened,
        rules: Rules,
        gate: &Arc<Semaphore>,
        cleaning: &Arc<Cleaning>,
    ) -> Self {
        Self {
            file: Arc::new(File::from(opened.file)),
            offset: opened.offset,
            gate: Arc::clone(gate),
            ending: opened.ending,
            is_preallocated: false,
            rules,
            cleaning: Arc::clone(cleaning),
        }
    }
}

impl Writer for DiskWriter {
    async fn expect(&mut self, bytes: u64) -> Result<(), FileError> {
        if !self.rules.options.uploads.preallocate || bytes == 0 {
            return Ok(());
        }
        let (file, offset) = (Arc::clone(&self.file), self.offset);
        let keep_free = self.rules.options.keep_free;
        // Set before: what was set aside in part is given back as well.
        self.is_preallocated = true;
        super::blocking(&self.gate, move || {
            if free(&*file, keep_free)? < bytes {
                return Err(Errno::NOSPC);
            }
            match rustix::fs::fallocate(&*file, FallocateFlags::KEEP_SIZE, offset, bytes) {
                // Not every file system can.
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
                result => result,
            }
        })
        .await
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), FileError> {
        let (file, offset) = (Arc::clone(&self.file), self.offset);
        self.offset += bytes.len() as u64;
        super::blocking(&self.gate, move || {
            file.write_all_at(&bytes, offset).map_err(errno)
        })
        .await
    }

    async fn finish(mut self) -> Result<(), FileError> {
        let (ending, is_preallocated) = (self.ending.take(), self.is_preallocated);
        self.is_preallocated = false;
        if ending.is_none() && !is_preallocated {
            return Ok(());
        }
        let file = Arc::clone(&self.file);
        super::blocking(&self.gate, move || {
            if is_preallocated {
                give_back(&file)?;
            }
            let Some(ending) = ending else {
                return Ok(());
            };
            ending.complete(&file).inspect_err(|_| {
                if let Err(errno) = ending.cut(&file) {
                    tracing::warn!(%errno, "an upload was left behind");
                }
            })
        })
        .await
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

impl Drop for DiskWriter {
    fn drop(&mut self) {
        let (ending, is_preallocated) = (self.ending.take(), self.is_preallocated);
        let ending = ending.filter(Ending::matters);
        if ending.is_none() && !is_preallocated {
            return;
        }
        let file = Arc::clone(&self.file);
        self.cleaning.run(move || {
            if is_preallocated {
                give_back(&file)?;
            }
            ending.map_or(Ok(()), |ending| ending.cut(&file))
        });
    }
}

/// Frees what was set aside behind the end of a file.
fn give_back(file: &File) -> Result<(), Errno> {
    let size = rustix::fs::fstat(file)?.st_size;
    rustix::fs::ftruncate(file, u64::try_from(size).unwrap_or(0))
}

/// Bytes that can still be stored where a file is.
pub(super) fn free(file: impl std::os::fd::AsFd, keep: u64) -> Result<u64, Errno> {
    let stat = rustix::fs::fstatvfs(file)?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    Ok(free.saturating_sub(keep))
}

/// Removes an upload that nobody is writing any more; says whether it did.
pub(super) fn sweep(directory: impl std::os::fd::AsFd, name: &[u8]) -> Result<bool, Errno> {
    let directory = directory.as_fd();
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let age = crate::files::timestamp()
        .to_unix()
        .saturating_sub(stat.st_mtime);
    if !FileType::from_raw_mode(stat.st_mode).is_file() || age < LEFT_BEHIND_SECONDS {
        return Ok(false);
    }
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(false);
    }
    rustix::fs::unlinkat(directory, name, AtFlags::empty())?;
    tracing::info!(name = %name.escape_ascii(), "removed an upload that was left behind");
    Ok(true)
}

/// Removes what was left behind in a directory that holds nothing else; says whether it is empty now.
pub(super) fn sweep_all(parent: &OwnedFd, name: &[u8]) -> Result<bool, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut directory = Dir::new(resolve::open_in(parent, name, flags, Mode::empty())?)?;
    let mut found = Vec::new();
    while let Some(entry) = directory.read() {
        let entry = entry?;
        match entry.file_name().to_bytes() {
            b"." | b".." => {}
            name if is_hidden(name) => found.push(name.to_vec()),
            _ => return Ok(false),
        }
    }
    for name in found {
        if !sweep(directory.fd()?, &name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether links can be made: nobody follows them otherwise.
pub(super) const fn makes_links(links: Links) -> bool {
    !matches!(links, Links::Never)
}
