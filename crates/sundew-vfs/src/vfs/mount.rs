//! Mounted filesystems: what covers which directory.

use super::{Context, Vfs};
use crate::overlay::{Limits, Style, Volume};
use crate::permission::Credentials;
use crate::{Errno, InodeId, NoSynthetic, Synthetic, Timestamp};

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
    /// `rw,relatime`; for show.
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
}

/// A covered directory and what is seen instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) covered: InodeId,
    pub(super) root: InodeId,
}

impl Vfs {
    /// Mounts something over a directory; later mounts cover earlier ones.
    ///
    /// A target below `/proc` or another synthetic mount needs [`mount_in`](Self::mount_in).
    ///
    /// # Errors
    ///
    /// `ENOENT`, `ENOTDIR`; `EINVAL` for [`MountRoot::Image`] anywhere but at `/`, for others there,
    /// and for [`MountRoot::Shown`] where the image has no filesystem; `ENOSPC` after 128.
    pub fn mount(&mut self, mount: Mount) -> Result<(), Errno> {
        self.mount_in(mount, &NoSynthetic)
    }

    /// [`mount`](Self::mount) where the target may be synthetic, such as `/sys/fs/cgroup`.
    ///
    /// # Errors
    ///
    /// As [`mount`](Self::mount).
    pub fn mount_in(&mut self, mount: Mount, synthetic: &dyn Synthetic) -> Result<(), Errno> {
        let cx = Context {
            creds: &Credentials::root(),
            synthetic,
            cwd: self.root(),
            now: Timestamp::default(),
        };
        let covered = self.resolve(&cx, &mount.target, true)?;
        if !self.metadata(&cx, covered)?.is_dir() {
            return Err(Errno::Enotdir);
        }
        if self.mounts.len() >= MAX_MOUNTS {
            return Err(Errno::Enospc);
        }
        let at_root = covered == self.root();
        if at_root != (mount.root == MountRoot::Image) {
            return Err(Errno::Einval);
        }
        let volume = Volume {
            dev: mount.dev,
            style: Style::of(&mount.fs_type),
        };
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
            MountRoot::Tree => self.overlay.create_top(volume, 0o1777),
            MountRoot::Synthetic(root) if root.is_synthetic() => root,
            MountRoot::Synthetic(_) => return Err(Errno::Einval),
        };
        self.points.push(Point { covered, root });
        self.mounts.push(mount);
        Ok(())
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

    /// Sets the limits, for a machine whose first changes were the operator's.
    pub fn set_limits(&mut self, limits: Limits) {
        self.overlay.set_limits(limits);
    }

    /// What is seen at a directory that may be covered.
    pub(crate) fn cross(&self, dir: InodeId) -> InodeId {
        let mut at = dir;
        // A root is younger than what it covers, so that one pass in order of age is enough.
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
            if point.root == at {
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
                .any(|point| point.covered == ino || point.root == ino)
    }
}
