//! The face: what system calls need, in their own terms.
//!
//! Paths in, inodes or an [`Errno`] out, permissions checked in the name of [`Context::creds`].
//! Opening, changing names, and changing attributes are in files of their own.

mod attribute;
mod mount;
mod name;
mod open;

use std::sync::Arc;

use crate::image::Image;
use crate::overlay::{Grown, Limits, Overlay, RestoreError, Usage};
use crate::permission::{Access, Credentials, check};
use crate::resolve::Follow;
use crate::{DirEntry, Errno, InodeId, Metadata, Synthetic, Timestamp};

pub use mount::{Making, Mount, MountRoot};
pub use open::{OpenOptions, Opened};

use mount::Point;

/// One machine's filesystem.
///
/// Cheap until it is changed; a clone is a copy of the changes.
#[derive(Clone, Debug)]
pub struct Vfs {
    pub(crate) overlay: Overlay,
    mounts: Vec<Mount>,
    points: Vec<Point>,
    /// Roots of mounted filesystems that lie in the image.
    shown: Vec<InodeId>,
    /// How many of the mounts were there when the machine started.
    born_with: usize,
}

/// Who calls, from where, when, and what `/proc` says at that moment.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Effective ids.
    pub creds: &'a Credentials,
    /// Answers for synthetic nodes.
    pub synthetic: &'a dyn Synthetic,
    /// Where relative paths start; for the `…at` calls, the descriptor's directory.
    pub cwd: InodeId,
    /// What new times are set to.
    pub now: Timestamp,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("creds", &self.creds)
            .field("cwd", &self.cwd)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Vfs {
    /// A machine as the image has it, with nothing mounted.
    #[must_use]
    pub fn new(image: Arc<Image>, limits: Limits) -> Self {
        Self {
            overlay: Overlay::new(image, limits, mount::DEFAULT_DEV),
            mounts: Vec::new(),
            points: Vec::new(),
            shown: Vec::new(),
            born_with: 0,
        }
    }

    /// The inode of `/`.
    #[must_use]
    pub fn root(&self) -> InodeId {
        Image::root()
    }

    /// The image this machine started from.
    #[must_use]
    pub fn image(&self) -> &Arc<Image> {
        self.overlay.image()
    }

    /// What this machine changed. Takes time in proportion to it.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.overlay.usage()
    }

    /// How much it may change.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.overlay.limits()
    }

    /// Everything this machine changed, as bytes for [`restore`](Self::restore): files that are open
    /// and have no name are left out. Takes time and memory in proportion to the changes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.restarted()
            .map_or_else(|| self.overlay.save(), |machine| machine.overlay.save())
    }

    /// Takes over what [`save`](Self::save) gave, on a machine that is fresh from the same image with
    /// the same mounts.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]; the machine is as before then.
    pub fn restore(&mut self, saved: &[u8]) -> Result<(), RestoreError> {
        self.overlay.restore(saved)
    }

    /// The inode a path leads to, from [`Context::cwd`].
    ///
    /// # Errors
    ///
    /// Those of `path_resolution(7)`: `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP` after
    /// [`MAX_LINKS`](crate::path::MAX_LINKS), `ENAMETOOLONG`; `EINVAL` for a NUL inside.
    pub fn resolve(
        &self,
        cx: &Context<'_>,
        path: &[u8],
        follow_last: bool,
    ) -> Result<InodeId, Errno> {
        self.resolve_at(cx, cx.cwd, path, follow_last)
    }

    /// [`resolve`](Self::resolve) from another directory.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn resolve_at(
        &self,
        cx: &Context<'_>,
        dir: InodeId,
        path: &[u8],
        follow_last: bool,
    ) -> Result<InodeId, Errno> {
        let follow = if follow_last {
            Follow::Always
        } else {
            Follow::BeforeSlash
        };
        let walked = self.walk(cx, dir, path, follow)?;
        let node = walked.node.ok_or(Errno::Enoent)?;
        if walked.slash && !self.metadata(cx, node)?.is_dir() {
            return Err(Errno::Enotdir);
        }
        Ok(node)
    }

    /// What `fstat(2)` says.
    ///
    /// # Errors
    ///
    /// `ENOENT` for an inode that is gone.
    pub fn metadata(&self, cx: &Context<'_>, ino: InodeId) -> Result<Metadata, Errno> {
        if ino.is_synthetic() {
            cx.synthetic.metadata(ino)
        } else {
            self.overlay.metadata(ino)
        }
    }

    /// What `stat(2)` says: links are followed.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn stat(&self, cx: &Context<'_>, path: &[u8]) -> Result<Metadata, Errno> {
        self.metadata(cx, self.resolve(cx, path, true)?)
    }

    /// What `lstat(2)` says: of a link at the end, the link itself.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn lstat(&self, cx: &Context<'_>, path: &[u8]) -> Result<Metadata, Errno> {
        self.metadata(cx, self.resolve(cx, path, false)?)
    }

    /// Names in a directory, by ascending bytes; without `.` and `..`.
    ///
    /// # Errors
    ///
    /// `EACCES` without read permission, `ENOTDIR`, `ENOENT`.
    pub fn read_dir(&self, cx: &Context<'_>, ino: InodeId) -> Result<Vec<DirEntry>, Errno> {
        let meta = self.metadata(cx, ino)?;
        if !meta.is_dir() {
            return Err(Errno::Enotdir);
        }
        check(&meta, cx.creds, Access::Read)?;
        if ino.is_synthetic() {
            cx.synthetic.read_dir(ino)
        } else {
            self.overlay.read_dir(ino)
        }
    }

    /// The target of the link at the end of `path`.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is none; else as [`resolve`](Self::resolve).
    pub fn read_link(&self, cx: &Context<'_>, path: &[u8]) -> Result<Vec<u8>, Errno> {
        self.read_link_ino(cx, self.resolve(cx, path, false)?)
    }

    /// The target of a link.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is none.
    pub fn read_link_ino(&self, cx: &Context<'_>, ino: InodeId) -> Result<Vec<u8>, Errno> {
        if ino.is_synthetic() {
            cx.synthetic.read_link(ino)
        } else {
            self.overlay.read_link(ino).map(<[u8]>::to_vec)
        }
    }

    /// The absolute path of a directory, as `getcwd(3)` finds it; `None` once it was removed.
    ///
    /// Below a synthetic mount only its root is known here; see [`path_in`](Self::path_in).
    #[must_use]
    pub fn path_of(&self, dir: InodeId) -> Option<Vec<u8>> {
        self.path_by(dir, |_| None)
    }

    /// [`path_of`](Self::path_of), synthetic directories included.
    #[must_use]
    pub fn path_in(&self, cx: &Context<'_>, dir: InodeId) -> Option<Vec<u8>> {
        self.path_by(dir, |dir| {
            let parent = cx.synthetic.parent(dir).ok()?;
            let entries = cx.synthetic.read_dir(parent).ok()?;
            let entry = entries.into_iter().find(|entry| entry.ino == dir)?;
            Some((parent, entry.name))
        })
    }

    fn path_by(
        &self,
        dir: InodeId,
        place: impl Fn(InodeId) -> Option<(InodeId, Box<[u8]>)>,
    ) -> Option<Vec<u8>> {
        let mut names: Vec<Box<[u8]>> = Vec::new();
        let mut at = self.uncross(dir);
        while at != self.root() {
            // Real trees cannot be this deep: every level costs at least two bytes of a path that
            // somebody once walked in pieces. It also ends a loop in what a `Synthetic` says.
            if names.len() > MAX_DEPTH {
                return None;
            }
            let (parent, name) = if at.is_synthetic() {
                place(at)?
            } else {
                let (parent, name) = self.overlay.place(at)?;
                (parent, name.into())
            };
            names.push(name);
            at = self.uncross(parent);
        }
        if names.is_empty() {
            return Some(b"/".to_vec());
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        Some(path)
    }

    /// Whether the caller may do that, by the mode bits.
    ///
    /// # Errors
    ///
    /// `EACCES` when not, `EROFS` for writing where nobody may, `ENOENT` when it is gone.
    pub fn access(&self, cx: &Context<'_>, ino: InodeId, access: Access) -> Result<(), Errno> {
        let meta = self.metadata(cx, ino)?;
        if access == Access::Write && (meta.is_regular() || meta.is_dir()) {
            self.may_change(false, &meta)?;
        }
        check(&meta, cx.creds, access)
    }

    /// Gives files of the image other contents and times than the image has: logs that have grown since
    /// it was made, shared by all machines that start now. For a file system nobody has changed yet.
    pub fn grow(&mut self, grown: Arc<Grown>) {
        self.overlay.set_grown(grown);
    }

    /// The size that a file of the image had when the machine started; `None` for others.
    #[must_use]
    pub fn image_size(&self, ino: InodeId) -> Option<u64> {
        self.overlay.base(ino).map(crate::Content::len)
    }

    /// Whether this is a file of the image whose content nobody has changed.
    #[must_use]
    pub fn is_untouched(&self, ino: InodeId) -> bool {
        self.overlay.is_untouched(ino)
    }

    /// Size of a regular file, for appending; 0 for anything else that exists.
    ///
    /// # Errors
    ///
    /// `ENOENT` when it is gone or synthetic.
    pub fn size(&self, ino: InodeId) -> Result<u64, Errno> {
        let meta = self.overlay.metadata(ino)?;
        Ok(if meta.is_regular() { meta.size } else { 0 })
    }

    /// Notes that somebody has it open: it outlives its names until the last
    /// [`release`](Self::release). Working directories count too.
    pub fn retain(&mut self, ino: InodeId) {
        if !ino.is_synthetic() {
            self.overlay.retain(ino);
        }
    }

    /// Takes one [`retain`](Self::retain) back; one too many does nothing.
    pub fn release(&mut self, ino: InodeId) {
        if !ino.is_synthetic() {
            self.overlay.release(ino);
        }
    }

    /// Reads bytes of a regular file; 0 at its end. Permission was checked by opening.
    ///
    /// # Errors
    ///
    /// `EISDIR`; `EINVAL` for other types and synthetic nodes; `ENOENT` when it is gone.
    pub fn read_at(&self, ino: InodeId, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        if ino.is_synthetic() {
            return Err(Errno::Einval);
        }
        self.overlay.read_at(ino, offset, buf)
    }

    /// Writes bytes of a regular file; fewer than given when the quota ends in between.
    ///
    /// Holes read as zeros and cost nothing; the first write to a range of the image's file copies
    /// that range alone. See [`strip_set_id`](Self::strip_set_id) for writes of users.
    ///
    /// # Errors
    ///
    /// `ENOSPC` when not a byte fits, `EFBIG` past 16 TiB, `EISDIR`, `EINVAL`, `ENOENT`.
    pub fn write_at(
        &mut self,
        ino: InodeId,
        offset: u64,
        data: &[u8],
        now: Timestamp,
    ) -> Result<usize, Errno> {
        if ino.is_synthetic() {
            return Err(Errno::Einval);
        }
        self.overlay.write_at(ino, offset, data, now)
    }

    /// Cuts or extends a regular file; an extension is a hole.
    ///
    /// # Errors
    ///
    /// `EFBIG` past 16 TiB, `EISDIR`, `EINVAL`, `ENOENT`.
    pub fn truncate(&mut self, ino: InodeId, len: u64, now: Timestamp) -> Result<(), Errno> {
        if ino.is_synthetic() {
            return Err(Errno::Einval);
        }
        self.overlay.truncate(ino, len, now)
    }
}

/// Levels after which [`Vfs::path_of`] gives up.
const MAX_DEPTH: usize = 1 << 16;
