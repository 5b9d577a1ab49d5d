//! Opening files, `open(2)`, up to the point where a descriptor is made.

use super::{Context, Vfs};
use crate::overlay::{Birth, BirthKind};
use crate::permission::{Access, SETGID, STICKY, check, may_create};
use crate::resolve::{Follow, Last};
use crate::{Errno, FileFlags, FileType, InodeId, Metadata};

/// The flags of `open(2)`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct OpenOptions {
    /// To read.
    pub read: bool,
    /// To write.
    pub write: bool,
    /// To write at the end; implies `write`.
    pub append: bool,
    /// Make a regular file where there is none.
    pub create: bool,
    /// With `create`: fail where there is something, be it a dangling link.
    pub exclusive: bool,
    /// Cut a regular file to nothing.
    pub truncate: bool,
    /// Fail unless it is a directory.
    pub directory: bool,
    /// Fail when the last component is a link.
    pub no_follow: bool,
    /// Of a new file, the umask already applied.
    pub mode: u16,
}

/// What was opened. The caller retains it for as long as it has a descriptor for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Which inode.
    pub ino: InodeId,
    /// Whether it was made by this call.
    pub created: bool,
    /// Its attributes, after truncation.
    pub metadata: Metadata,
}

impl Vfs {
    /// Opens a path: resolves it, makes the file if asked, checks permission, truncates.
    ///
    /// A new file may be opened for writing whatever its mode. Devices and fifos are found, not
    /// opened: that is the kernel's part. Truncating a synthetic file is left to it as well.
    ///
    /// # Errors
    ///
    /// Those of `open(2)`: `ENOENT`, `EEXIST`, `EISDIR`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENXIO` for
    /// a socket, `EROFS`, `ENOSPC`, `EDQUOT`, `EINVAL` for `create` with `directory`.
    pub fn open(
        &mut self,
        cx: &Context<'_>,
        path: &[u8],
        options: OpenOptions,
    ) -> Result<Opened, Errno> {
        if options.create && options.directory {
            return Err(Errno::Einval);
        }
        let follow = match (options.create, options.no_follow || options.exclusive) {
            (true, false) => Follow::Creating,
            (true, true) => Follow::CreatingHere,
            (false, _) if options.no_follow => Follow::BeforeSlash,
            (false, _) => Follow::Always,
        };
        let walked = self.walk(cx, cx.cwd, path, follow)?;
        if options.create && walked.slash && matches!(walked.last, Last::Name(_)) {
            return Err(Errno::Eisdir);
        }
        let dir = self.metadata(cx, walked.dir)?;
        match (walked.node, walked.last) {
            (Some(ino), _) => {
                let found = (ino, walked.slash, walked.read_only);
                self.open_existing(cx, &dir, found, options)
            }
            (None, Last::Name(name)) if options.create => {
                self.may_change(walked.read_only, &dir)?;
                may_create(&dir, cx.creds)?;
                let ino = self.create(cx, &dir, &name, options.mode, BirthKind::Regular)?;
                Ok(Opened {
                    ino,
                    created: true,
                    metadata: self.metadata(cx, ino)?,
                })
            }
            (None, _) => Err(Errno::Enoent),
        }
    }

    fn open_existing(
        &mut self,
        cx: &Context<'_>,
        dir: &Metadata,
        (ino, slash, read_only): (InodeId, bool, bool),
        options: OpenOptions,
    ) -> Result<Opened, Errno> {
        let mut metadata = self.metadata(cx, ino)?;
        let writes = options.write || options.append || options.truncate;
        if options.create && options.exclusive {
            return Err(Errno::Eexist);
        }
        match metadata.file_type {
            FileType::Symlink if options.directory => return Err(Errno::Enotdir),
            FileType::Symlink => return Err(Errno::Eloop),
            FileType::Directory if writes || options.create => return Err(Errno::Eisdir),
            FileType::Directory => {}
            _ if slash || options.directory => return Err(Errno::Enotdir),
            _ => {}
        }
        if options.create {
            refuse_planted(cx, dir, &metadata)?;
        }
        if options.read {
            check(&metadata, cx.creds, Access::Read)?;
        }
        if writes {
            if metadata.is_regular() {
                self.may_change(read_only, &metadata)?;
            }
            check(&metadata, cx.creds, Access::Write)?;
            let only_grows = metadata.flags.has(FileFlags::APPEND);
            if only_grows && (options.truncate || !options.append) {
                return Err(Errno::Eperm);
            }
        }
        if metadata.file_type == FileType::Socket {
            return Err(Errno::Enxio);
        }
        if options.truncate && metadata.is_regular() && !ino.is_synthetic() {
            self.overlay.truncate(ino, 0, cx.now)?;
            self.strip_set_id(cx, ino);
            metadata = self.metadata(cx, ino)?;
        }
        Ok(Opened {
            ino,
            created: false,
            metadata,
        })
    }

    /// Makes a node in a directory the caller may write to; the group follows a set-group-ID
    /// directory.
    pub(super) fn create(
        &mut self,
        cx: &Context<'_>,
        dir: &Metadata,
        name: &[u8],
        mode: u16,
        kind: BirthKind,
    ) -> Result<InodeId, Errno> {
        if dir.ino.is_synthetic() {
            // What the kernel answers in /proc, root or not.
            return Err(Errno::Enoent);
        }
        let inherits = dir.mode & SETGID != 0;
        let gid = if inherits { dir.gid } else { cx.creds.gid };
        let inherited = match kind {
            BirthKind::Directory if inherits => SETGID,
            _ => 0,
        };
        let birth = Birth {
            mode: mode | inherited,
            uid: cx.creds.uid,
            gid,
            now: cx.now,
            kind,
        };
        let ino = self.overlay.create(dir.ino, name, birth)?;
        self.overlay.modified(dir.ino, cx.now)?;
        Ok(ino)
    }
}

/// `O_CREAT` on somebody else's file or fifo in a sticky directory that others may write is refused
/// even to root: `fs.protected_regular` is 2 and `fs.protected_fifos` 1 in Debian; see
/// `proc_sys_fs(5)`.
fn refuse_planted(cx: &Context<'_>, dir: &Metadata, file: &Metadata) -> Result<(), Errno> {
    let writable = match file.file_type {
        FileType::Regular => 0o022,
        FileType::Fifo => 0o002,
        _ => return Ok(()),
    };
    let planted = dir.mode & STICKY != 0
        && dir.mode & writable != 0
        && file.uid != cx.creds.uid
        && file.uid != dir.uid;
    if planted {
        return Err(Errno::Eacces);
    }
    Ok(())
}
