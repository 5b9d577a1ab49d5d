//! Calls that change names: `mkdir(2)`, `unlink(2)`, `rename(2)` and their kin.

use super::{Context, Vfs};
use crate::overlay::BirthKind;
use crate::path::MAX_PATH_BYTES;
use crate::permission::{Access, SETUID, check, may_create, may_delete, permits};
use crate::resolve::{Follow, Last, Walked, checked_name};
use crate::{Errno, FileType, InodeId, Metadata};

impl Vfs {
    /// Makes a directory; the umask is already in `mode`.
    ///
    /// # Errors
    ///
    /// `EEXIST`, `ENOENT`, `EACCES`, `EROFS`, `ENOSPC`, `EDQUOT`, and those of resolution.
    pub fn mkdir(&mut self, cx: &Context<'_>, path: &[u8], mode: u16) -> Result<InodeId, Errno> {
        let (dir, name) = self.new_name(cx, path, true)?;
        self.create(cx, &dir, &name, mode & 0o1777, BirthKind::Directory)
    }

    /// Makes a symbolic link; `target` is kept as it is.
    ///
    /// # Errors
    ///
    /// `ENOENT` for an empty target, else as [`mkdir`](Self::mkdir).
    pub fn symlink(
        &mut self,
        cx: &Context<'_>,
        target: &[u8],
        new: &[u8],
    ) -> Result<InodeId, Errno> {
        if target.is_empty() {
            return Err(Errno::Enoent);
        }
        if target.len() > MAX_PATH_BYTES {
            return Err(Errno::Enametoolong);
        }
        if target.contains(&0) {
            return Err(Errno::Einval);
        }
        let (dir, name) = self.new_name(cx, new, false)?;
        self.create(cx, &dir, &name, 0o777, BirthKind::Symlink(target.into()))
    }

    /// Makes a regular file, device, fifo or socket; `rdev` is major and minor.
    ///
    /// # Errors
    ///
    /// `EPERM` for a device without being root or for a directory, `EINVAL` for a link, else as
    /// [`mkdir`](Self::mkdir).
    pub fn mknod(
        &mut self,
        cx: &Context<'_>,
        path: &[u8],
        file_type: FileType,
        mode: u16,
        rdev: (u32, u32),
    ) -> Result<InodeId, Errno> {
        let kind = match file_type {
            FileType::Directory => return Err(Errno::Eperm),
            FileType::Symlink => return Err(Errno::Einval),
            FileType::Regular => BirthKind::Regular,
            FileType::Fifo | FileType::Socket => BirthKind::Special(file_type, (0, 0)),
            FileType::CharDevice | FileType::BlockDevice => BirthKind::Special(file_type, rdev),
        };
        let (dir, name) = self.new_name(cx, path, false)?;
        let is_device = matches!(file_type, FileType::CharDevice | FileType::BlockDevice);
        if is_device && !cx.creds.is_root() {
            return Err(Errno::Eperm);
        }
        self.create(cx, &dir, &name, mode, kind)
    }

    /// Gives a file a further name; `follow_old` as with `AT_SYMLINK_FOLLOW`.
    ///
    /// # Errors
    ///
    /// `EPERM` for a directory and, as `fs.protected_hardlinks` has it, for others' files that the
    /// caller could not write; `EXDEV`, `EMLINK` past 65 000, else as [`mkdir`](Self::mkdir).
    pub fn link(
        &mut self,
        cx: &Context<'_>,
        old: &[u8],
        new: &[u8],
        follow_old: bool,
    ) -> Result<(), Errno> {
        let ino = self.resolve(cx, old, follow_old)?;
        let file = self.metadata(cx, ino)?;
        let walked = self.walk(cx, cx.cwd, new, Follow::Never)?;
        let dir = self.metadata(cx, walked.dir)?;
        let bound_read_only = walked.read_only;
        let name = free_name(walked, false)?;
        if file.dev != dir.dev || ino.is_synthetic() {
            return Err(Errno::Exdev);
        }
        self.may_change(bound_read_only, &dir)?;
        if !cx.creds.owns(&file) && !is_safe_to_link(cx, &file) {
            return Err(Errno::Eperm);
        }
        may_create(&dir, cx.creds)?;
        if file.is_dir() || file.flags.is_pinned() {
            return Err(Errno::Eperm);
        }
        self.overlay.link(dir.ino, &name, ino, cx.now)
    }

    /// Takes away the name of anything but a directory.
    ///
    /// # Errors
    ///
    /// `EISDIR`, `ENOENT`, `EACCES`, `EPERM` where the sticky bit forbids or in `/proc`.
    pub fn unlink(&mut self, cx: &Context<'_>, path: &[u8]) -> Result<(), Errno> {
        let walked = self.walk(cx, cx.cwd, path, Follow::Never)?;
        let Last::Name(name) = walked.last else {
            return Err(Errno::Eisdir);
        };
        checked_name(&name)?;
        let dir = self.metadata(cx, walked.dir)?;
        self.may_change(walked.read_only, &dir)?;
        let victim = self.metadata(cx, walked.node.ok_or(Errno::Enoent)?)?;
        if walked.slash {
            return Err(if victim.is_dir() {
                Errno::Eisdir
            } else {
                Errno::Enotdir
            });
        }
        may_delete(&dir, &victim, cx.creds)?;
        if victim.is_dir() {
            return Err(Errno::Eisdir);
        }
        if dir.ino.is_synthetic() {
            return Err(Errno::Eperm);
        }
        self.overlay.remove(dir.ino, &name, cx.now)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// `ENOTEMPTY`, `ENOTDIR`, `EBUSY` for `/` and mount points, `EINVAL` for `.`, and those of
    /// [`unlink`](Self::unlink).
    pub fn rmdir(&mut self, cx: &Context<'_>, path: &[u8]) -> Result<(), Errno> {
        let walked = self.walk(cx, cx.cwd, path, Follow::Never)?;
        let name = match walked.last {
            Last::Name(name) => name,
            Last::Root => return Err(Errno::Ebusy),
            Last::Dot => return Err(Errno::Einval),
            Last::DotDot => return Err(Errno::Enotempty),
        };
        checked_name(&name)?;
        let dir = self.metadata(cx, walked.dir)?;
        self.may_change(walked.read_only, &dir)?;
        let ino = walked.node.ok_or(Errno::Enoent)?;
        let victim = self.metadata(cx, ino)?;
        may_delete(&dir, &victim, cx.creds)?;
        if !victim.is_dir() {
            return Err(Errno::Enotdir);
        }
        if self.is_mount_point(ino) {
            return Err(Errno::Ebusy);
        }
        if dir.ino.is_synthetic() {
            return Err(Errno::Eperm);
        }
        if !self.overlay.is_empty_dir(ino) {
            return Err(Errno::Enotempty);
        }
        self.overlay.remove(dir.ino, &name, cx.now)
    }

    /// Moves a name, replacing what the new one stood for.
    ///
    /// # Errors
    ///
    /// Those of `rename(2)`: `ENOTEMPTY`, `EISDIR`, `ENOTDIR`, `EINVAL` into itself, `EXDEV` to
    /// another mount, `EBUSY` for mount points, `.` and `..`, and permissions.
    pub fn rename(&mut self, cx: &Context<'_>, old: &[u8], new: &[u8]) -> Result<(), Errno> {
        let from = self.walk(cx, cx.cwd, old, Follow::Never)?;
        let to = self.walk(cx, cx.cwd, new, Follow::Never)?;
        let (from_dir, to_dir) = (self.metadata(cx, from.dir)?, self.metadata(cx, to.dir)?);
        if from_dir.dev != to_dir.dev {
            return Err(Errno::Exdev);
        }
        let (Last::Name(from_name), Last::Name(to_name)) = (&from.last, &to.last) else {
            return Err(Errno::Ebusy);
        };
        self.may_change(from.read_only || to.read_only, &from_dir)?;
        checked_name(from_name)?;
        let ino = from.node.ok_or(Errno::Enoent)?;
        checked_name(to_name)?;
        let source = self.metadata(cx, ino)?;
        if !source.is_dir() && (from.slash || to.slash) {
            return Err(Errno::Enotdir);
        }
        if self.is_within(cx, to.dir, ino) {
            return Err(Errno::Einval);
        }
        if let Some(target) = to.node
            && target != ino
            && self.is_within(cx, from.dir, target)
        {
            return Err(Errno::Enotempty);
        }
        if to.node == Some(ino) {
            return Ok(());
        }
        self.may_rename(cx, (&from_dir, &source), (&to_dir, to.node))?;
        let (from, to) = ((from.dir, &**from_name), (to.dir, &**to_name));
        if self.lookup(cx, to.0, to.1).is_ok() {
            // Replacing works on a full disk, as on a real one; names of the image bound the excess.
            self.overlay.remove(to.0, to.1, cx.now)?;
        } else if !self.overlay.has_room_to_rename(from, to.1) {
            return Err(Errno::Enospc);
        }
        self.overlay.rename(from, to, cx.now)
    }

    /// The checks of a rename that concern permissions, types and what is replaced.
    fn may_rename(
        &self,
        cx: &Context<'_>,
        (from_dir, source): (&Metadata, &Metadata),
        (to_dir, target): (&Metadata, Option<InodeId>),
    ) -> Result<(), Errno> {
        may_delete(from_dir, source, cx.creds)?;
        match target {
            None => may_create(to_dir, cx.creds)?,
            Some(target) => {
                let target = self.metadata(cx, target)?;
                may_delete(to_dir, &target, cx.creds)?;
                match (source.is_dir(), target.is_dir()) {
                    (true, false) => return Err(Errno::Enotdir),
                    (false, true) => return Err(Errno::Eisdir),
                    _ => {}
                }
            }
        }
        if source.is_dir() && from_dir.ino != to_dir.ino {
            // Its `..` changes.
            check(source, cx.creds, Access::Write)?;
        }
        if self.is_mount_point(source.ino) || target.is_some_and(|ino| self.is_mount_point(ino)) {
            return Err(Errno::Ebusy);
        }
        if from_dir.ino.is_synthetic() || to_dir.ino.is_synthetic() {
            return Err(Errno::Eperm);
        }
        // A working directory that was removed takes no new names.
        if to_dir.nlink == 0 {
            return Err(Errno::Enoent);
        }
        match target {
            Some(target) if source.is_dir() && !self.overlay.is_empty_dir(target) => {
                Err(Errno::Enotempty)
            }
            _ => Ok(()),
        }
    }

    /// Whether `dir` is `top` or lies below it.
    fn is_within(&self, cx: &Context<'_>, dir: InodeId, top: InodeId) -> bool {
        let mut at = dir;
        while at != top {
            match self.parent(cx, at) {
                Ok(parent) if parent != at && !parent.is_synthetic() => at = parent,
                _ => return false,
            }
        }
        true
    }

    /// The directory and the name of something to be made there.
    fn new_name(
        &self,
        cx: &Context<'_>,
        path: &[u8],
        is_dir: bool,
    ) -> Result<(Metadata, Box<[u8]>), Errno> {
        let walked = self.walk(cx, cx.cwd, path, Follow::Never)?;
        let dir = self.metadata(cx, walked.dir)?;
        let bound_read_only = walked.read_only;
        let name = free_name(walked, is_dir)?;
        self.may_change(bound_read_only, &dir)?;
        may_create(&dir, cx.creds)?;
        Ok((dir, name))
    }
}

/// The name if nothing has it; only a directory may be asked for with a slash behind it.
fn free_name(walked: Walked, is_dir: bool) -> Result<Box<[u8]>, Errno> {
    match walked.last {
        Last::Name(name) if checked_name(&name).is_err() => Err(Errno::Enametoolong),
        Last::Name(_) if walked.node.is_some() => Err(Errno::Eexist),
        Last::Name(_) if walked.slash && !is_dir => Err(Errno::Enoent),
        Last::Name(name) => Ok(name),
        Last::Root | Last::Dot | Last::DotDot => Err(Errno::Eexist),
    }
}

/// Whether a second name for somebody else's file could do no harm: `may_linkat` of Linux.
fn is_safe_to_link(cx: &Context<'_>, file: &Metadata) -> bool {
    let privileged = file.mode & SETUID != 0 || file.mode & 0o2010 == 0o2010;
    file.is_regular()
        && !privileged
        && permits(file, cx.creds, Access::Read)
        && permits(file, cx.creds, Access::Write)
}
