//! Mounted filesystems: what covers which directory.

use std::sync::Arc;

use super::{Context, Vfs};
use crate::overlay::{Limits, Style, Usage, Volume};
use crate::permission::Credentials;
use crate::pool::Pool;
use crate::{DirEntry, Errno, FileType, InodeId, Metadata, NoSynthetic, Synthetic, Timestamp};

/// `st_dev` of the image until it is mounted with another: `/dev/sda1`.
pub(super) const DEFAULT_DEV: u64 = 0x801;

/// Mounts a machine may have; `ENOSPC` beyond, as with `fs.mount-max`. Each is searched on every
/// step of a path.
const MAX_MOUNTS: usize = 128;

/// A line of `/proc/mounts`, and what is behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// `/dev/sda1`, `proc`, `tmpfs`.
    pub source: Box<[u8]>,
    /// Absolute path of the directory it covers.
    pub target: Box<[u8]>,
    /// `ext4`, `proc`, `tmpfs`.
    pub fs_type: Box<[u8]>,
    /// `rw,relatime`; `ro` is obeyed, of a bind mount where a path leads through it.
    pub options: Box<[u8]>,
    /// `st_dev` of its files; synthetic nodes say their own.
    pub dev: u64,
    /// What is found there.
    pub root: MountRoot,
}

/// What a mount shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MountRoot {
    /// The image; only at `/`.
    Image,
    /// What the image has there, as a filesystem of its own; only where the image says so
    /// ([`ImageBuilder::filesystem`](crate::ImageBuilder::filesystem)).
    Shown,
    /// A fresh writable directory, `01777` like a tmpfs.
    Tree,
    /// A node that the [`Synthetic`] answers for.
    Synthetic(InodeId),
    /// A directory or file that is there already: `mount --bind`.
    Bind(InodeId),
}

/// What a mount is made with, besides its line in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Making {
    /// Permission bits of the root of a [`MountRoot::Tree`].
    pub mode: u16,
    /// Bytes of content it has room for, within the machine's limits.
    pub room: u64,
    /// The times of that root.
    pub now: Timestamp,
}

impl Default for Making {
    /// As tmpfs has it, of 1970.
    fn default() -> Self {
        Self {
            mode: 0o1777,
            room: u64::MAX,
            now: Timestamp::default(),
        }
    }
}

/// A covered directory and what is seen instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) covered: InodeId,
    pub(super) root: InodeId,
    /// Whether the root has a place of its own elsewhere.
    pub(super) bound: bool,
    /// Whether what is bound may not be changed through it.
    pub(super) read_only: bool,
}

/// Whether a mount with these options lets nothing be changed.
fn is_read_only(options: &[u8]) -> bool {
    options
        .split(|&byte| byte == b',')
        .any(|word| word == b"ro")
}

impl MountRoot {
    /// Whether such a mount covers something.
    fn has_point(self) -> bool {
        !matches!(self, Self::Image | Self::Shown)
    }
}

impl Vfs {
    /// Mounts something over a directory; later mounts cover earlier ones. What is mounted this way
    /// belongs to the machine as it starts.
    ///
    /// A target below `/proc` or another synthetic mount needs [`mount_in`](Self::mount_in).
    ///
    /// # Errors
    ///
    /// `ENOENT`, `ENOTDIR`; `EINVAL` for [`MountRoot::Image`] anywhere but at `/`, for others there,
    /// and for [`MountRoot::Shown`] where the image has no filesystem; `ELOOP` for
    /// [`MountRoot::Bind`] of what the target lies in; `ENOSPC` after 128.
    pub fn mount(&mut self, mount: Mount) -> Result<(), Errno> {
        self.mount_made(mount, Making::default())
    }

    /// [`mount`](Self::mount) with more to say about a [`MountRoot::Tree`].
    ///
    /// # Errors
    ///
    /// As [`mount`](Self::mount).
    pub fn mount_made(&mut self, mount: Mount, making: Making) -> Result<(), Errno> {
        self.mount_in(mount, making, &NoSynthetic)?;
        self.born_with = self.mounts.len();
        Ok(())
    }

    /// Mounts something as a user of the machine does: where the target may be synthetic, and gone
    /// when the machine's changes are saved, as after a restart.
    ///
    /// # Errors
    ///
    /// As [`mount`](Self::mount).
    pub fn mount_in(
        &mut self,
        mount: Mount,
        making: Making,
        synthetic: &dyn Synthetic,
    ) -> Result<(), Errno> {
        let creds = Credentials::root();
        let cx = self.mounting(&creds, synthetic);
        let covered = self.resolve(&cx, &mount.target, true)?;
        let is_dir = |ino| Ok::<_, Errno>(self.metadata(&cx, ino)?.is_dir());
        let wants_dir = match mount.root {
            MountRoot::Bind(root) => is_dir(root)?,
            _ => true,
        };
        if is_dir(covered)? != wants_dir {
            return Err(Errno::Enotdir);
        }
        if self.mounts.len() >= MAX_MOUNTS {
            return Err(Errno::Enospc);
        }
        let at_root = covered == self.root();
        if at_root != (mount.root == MountRoot::Image) {
            return Err(Errno::Einval);
        }
        let volume = Volume::new(mount.dev, Style::of(&mount.fs_type), making.room);
        let mut bound = false;
        let root = match mount.root {
            MountRoot::Image | MountRoot::Shown => {
                let index = self.image().volume_at(covered).ok_or(Errno::Einval)?;
                self.overlay.set_volume(index, volume);
                if !at_root {
                    self.shown.push(covered);
                }
                self.mounts.push(mount);
                return Ok(());
            }
            MountRoot::Tree => self.overlay.create_top(volume, making.mode, making.now),
            MountRoot::Synthetic(root) if root.is_synthetic() => root,
            MountRoot::Synthetic(_) => return Err(Errno::Einval),
            MountRoot::Bind(root) => {
                // Points are known by their inodes alone: what lies in itself would have no end.
                if self.lies_in(&cx, covered, root) {
                    return Err(Errno::Eloop);
                }
                bound = true;
                root
            }
        };
        self.points.push(Point {
            covered,
            root,
            bound,
            read_only: bound && is_read_only(&mount.options),
        });
        self.mounts.push(mount);
        Ok(())
    }

    /// Takes away what was mounted last at `target`, an absolute path, or from that source.
    ///
    /// # Errors
    ///
    /// `EINVAL` when nothing is mounted there; `EBUSY` for filesystems of the image, for what has
    /// another mount in it, and, unless `lazy`, for what has open files.
    pub fn unmount(&mut self, target: &[u8], lazy: bool) -> Result<Mount, Errno> {
        let at = self
            .mounts
            .iter()
            .rposition(|mount| &*mount.target == target)
            .ok_or(Errno::Einval)?;
        let mount = self.mounts.get(at).cloned().ok_or(Errno::Einval)?;
        let below = |other: &Mount| {
            other
                .target
                .strip_prefix(target)
                .is_some_and(|rest| rest.starts_with(b"/"))
        };
        let open = mount.root == MountRoot::Tree && !lazy && self.overlay.is_open(mount.dev);
        if !mount.root.has_point() || open || self.mounts.iter().any(below) {
            return Err(Errno::Ebusy);
        }
        let point = self.point_of(at);
        if point >= self.points.len() {
            return Err(Errno::Einval);
        }
        let point = self.points.remove(point);
        self.mounts.remove(at);
        if at < self.born_with {
            self.born_with -= 1;
        }
        if mount.root == MountRoot::Tree {
            self.overlay.remove_top(point.root);
        }
        Ok(mount)
    }

    /// Replaces the options of what was mounted last at `target`: `mount -o remount`.
    ///
    /// # Errors
    ///
    /// `EINVAL` when nothing is mounted there.
    pub fn remount(&mut self, target: &[u8], options: &[u8]) -> Result<(), Errno> {
        let at = self
            .mounts
            .iter()
            .rposition(|mount| &*mount.target == target)
            .ok_or(Errno::Einval)?;
        let point = self.point_of(at);
        let mount = self.mounts.get_mut(at).ok_or(Errno::Einval)?;
        mount.options = options.into();
        if mount.root.has_point()
            && let Some(point) = self.points.get_mut(point)
        {
            point.read_only = point.bound && is_read_only(options);
        }
        Ok(())
    }

    /// Which point belongs to the mount of this position, if it has one.
    fn point_of(&self, at: usize) -> usize {
        let before = self.mounts.iter().take(at);
        before.filter(|mount| mount.root.has_point()).count()
    }

    /// What was put onto the filesystem of this device number since the machine began, and how many
    /// bytes it has room for (`u64::MAX` if only the machine's limits say).
    #[must_use]
    pub fn usage_of(&self, dev: u64) -> (Usage, u64) {
        (self.overlay.usage_of(dev), self.overlay.room_of(dev))
    }

    /// What a computer does to its files when it is switched off and on again: users' mounts are gone, and all
    /// that lay in memory; what was made below the directories in `emptied` is removed.
    pub fn power_cycle(&mut self, emptied: &[&[u8]]) {
        while self.mounts.len() > self.born_with {
            let last = self.mounts.last().map(|mount| mount.target.clone());
            if last.is_none_or(|target| self.unmount(&target, true).is_err()) {
                break;
            }
        }
        self.overlay.forget_memory();
        for path in emptied {
            self.empty(path);
        }
    }

    /// Removes what was made below a directory since the image was, as far as no flags forbid.
    fn empty(&mut self, path: &[u8]) {
        let creds = Credentials::root();
        let cx = self.mounting(&creds, &NoSynthetic);
        let Ok(top) = self.resolve(&cx, path, false) else {
            return;
        };
        let below = |vfs: &Self, dir: InodeId| -> Vec<(InodeId, DirEntry, bool)> {
            let entries = vfs.read_dir(&cx, dir).unwrap_or_default();
            let made = |entry: &DirEntry| !vfs.overlay.is_of_image(entry.ino);
            let made = entries.into_iter().filter(made);
            made.map(|entry| (dir, entry, false)).collect()
        };
        let mut left = below(self, top);
        while let Some((dir, entry, is_empty)) = left.pop() {
            let at = Context { cwd: dir, ..cx };
            let is_dir = entry.file_type == FileType::Directory;
            // What a flag forbids to remove stays.
            let _kept = if !is_dir {
                self.unlink(&at, &entry.name)
            } else if is_empty {
                self.rmdir(&at, &entry.name)
            } else {
                let inside = below(self, entry.ino);
                left.push((dir, entry, true));
                left.extend(inside);
                Ok(())
            };
        }
    }

    /// What outlives a restart: everything but the users' own mounts.
    pub(super) fn restarted(&self) -> Option<Self> {
        if self.mounts.len() <= self.born_with {
            return None;
        }
        let mut copy = self.clone();
        while copy.mounts.len() > copy.born_with {
            let last = copy.mounts.last().map(|mount| mount.target.clone());
            // The last one has nothing mounted in it that is not older, so it can go.
            if last.is_none_or(|target| copy.unmount(&target, true).is_err()) {
                break;
            }
        }
        Some(copy)
    }

    fn mounting<'a>(&self, creds: &'a Credentials, synthetic: &'a dyn Synthetic) -> Context<'a> {
        Context {
            creds,
            synthetic,
            cwd: self.root(),
            now: Timestamp::default(),
        }
    }

    /// Whether `dir` is `above` or below it.
    fn lies_in(&self, cx: &Context<'_>, dir: InodeId, above: InodeId) -> bool {
        let mut at = dir;
        while at != above {
            match self.parent(cx, at) {
                Ok(parent) if parent != at => at = parent,
                _ => return false,
            }
        }
        true
    }

    /// Whether files of this kind of place may be changed: `bound_read_only` if it was reached through a bind
    /// mount that forbids it.
    ///
    /// # Errors
    ///
    /// `EROFS`.
    pub(crate) fn may_change(&self, bound_read_only: bool, at: &Metadata) -> Result<(), Errno> {
        let forbids = |mount: &Mount| {
            let bound = matches!(mount.root, MountRoot::Bind(_));
            mount.dev == at.dev && !bound && is_read_only(&mount.options)
        };
        if !at.ino.is_synthetic() && (bound_read_only || self.mounts.iter().any(forbids)) {
            return Err(Errno::Erofs);
        }
        Ok(())
    }

    /// Whether one gets from `at` to `to` through a bind mount that lets nothing be changed.
    pub(crate) fn crosses_read_only(&self, at: InodeId, to: InodeId) -> bool {
        at != to
            && self
                .points
                .iter()
                .any(|point| point.read_only && point.covered == at && point.root == to)
    }

    /// What is mounted, in the order of mounting.
    #[must_use]
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// Whether the filesystem of this device number was mounted with an option, such as `noexec`.
    #[must_use]
    pub fn has_option(&self, dev: u64, option: &[u8]) -> bool {
        self.mounts
            .iter()
            .find(|mount| mount.dev == dev)
            .is_some_and(|mount| {
                mount
                    .options
                    .split(|&byte| byte == b',')
                    .any(|known| known == option)
            })
    }

    /// Counts the changes for these pools of bytes and inodes too, counted as [`Limits`] counts them. Past
    /// one of them a call answers `EDQUOT`, past the machine's own limits `ENOSPC`.
    pub fn share(&mut self, bytes: Arc<Pool>, inodes: Arc<Pool>) {
        self.overlay.share(bytes, inodes);
    }

    /// Bytes that the pools given to [`share`](Self::share) have left; `u64::MAX` without any.
    #[must_use]
    pub fn shared_room(&self) -> u64 {
        self.overlay.shared_room()
    }

    /// Sets the limits, for a machine whose first changes were the operator's.
    pub fn set_limits(&mut self, limits: Limits) {
        self.overlay.set_limits(limits);
    }

    /// What is seen at a directory that may be covered.
    pub(crate) fn cross(&self, dir: InodeId) -> InodeId {
        let mut at = dir;
        // A root is younger than what it covers, so that one pass in order of age is enough; what is
        // bound shows no mounts that are older.
        for point in &self.points {
            if point.covered == at {
                at = point.root;
            }
        }
        at
    }

    /// The covered directory if this is the root of a mount.
    pub(crate) fn uncross(&self, dir: InodeId) -> InodeId {
        let mut at = dir;
        for point in self.points.iter().rev() {
            if point.root == at && !point.bound {
                at = point.covered;
            }
        }
        at
    }

    /// Whether something is mounted there, or it is the root of something mounted.
    pub(crate) fn is_mount_point(&self, ino: InodeId) -> bool {
        ino == self.root()
            || self.shown.contains(&ino)
            || self
                .points
                .iter()
                .any(|point| point.covered == ino || (point.root == ino && !point.bound))
    }
}
