//! Who may do what: owner, group, other, root, and the sticky bit.
//!
//! `path_resolution(7)`, `credentials(7)`. No capabilities and no ACLs: the machine has neither.

use crate::{Errno, FileFlags, Metadata};

/// Set-user-ID.
pub const SETUID: u16 = 0o4000;
/// Set-group-ID; on a directory, new files take its group.
pub const SETGID: u16 = 0o2000;
/// Sticky: in such a directory only owners remove names.
pub const STICKY: u16 = 0o1000;

/// In whose name a call is made: the effective ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Effective user.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl Credentials {
    /// The superuser, without supplementary groups.
    #[must_use]
    pub const fn root() -> Self {
        Self {
            uid: 0,
            gid: 0,
            groups: Vec::new(),
        }
    }

    /// Whether permission bits do not bind.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Whether the effective or a supplementary group is `gid`.
    #[must_use]
    pub fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }

    /// Whether it may change attributes of that file.
    #[must_use]
    pub fn owns(&self, meta: &Metadata) -> bool {
        self.is_root() || self.uid == meta.uid
    }
}

/// What is wanted of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Its bytes, or its names.
    Read,
    /// To change bytes or names.
    Write,
    /// To run it, or to look up names in it.
    Execute,
}

/// Whether the mode bits allow it.
///
/// Root may everything but run a file without any execute bit. Exactly one class counts: an owner
/// whom the owner bits refuse is refused even where "other" would be allowed.
#[must_use]
pub fn permits(meta: &Metadata, creds: &Credentials, access: Access) -> bool {
    if creds.is_root() {
        return access != Access::Execute || meta.is_dir() || meta.mode & 0o111 != 0;
    }
    let class = if creds.uid == meta.uid {
        meta.mode >> 6
    } else if creds.in_group(meta.gid) {
        meta.mode >> 3
    } else {
        meta.mode
    };
    let bit = match access {
        Access::Read => 4,
        Access::Write => 2,
        Access::Execute => 1,
    };
    class & bit != 0
}

/// [`permits`], as a system call answers it.
pub(crate) fn check(meta: &Metadata, creds: &Credentials, access: Access) -> Result<(), Errno> {
    if access == Access::Write && meta.flags.has(FileFlags::IMMUTABLE) {
        Err(Errno::Eperm)
    } else if permits(meta, creds, access) {
        Ok(())
    } else {
        Err(Errno::Eacces)
    }
}

/// Whether names may be added to `dir`.
pub(crate) fn may_create(dir: &Metadata, creds: &Credentials) -> Result<(), Errno> {
    check(dir, creds, Access::Write)?;
    check(dir, creds, Access::Execute)
}

/// Whether the name of `victim` may be taken out of `dir`: `EPERM` where only the sticky bit forbids.
pub(crate) fn may_delete(
    dir: &Metadata,
    victim: &Metadata,
    creds: &Credentials,
) -> Result<(), Errno> {
    may_create(dir, creds)?;
    if dir.flags.has(FileFlags::APPEND) || victim.flags.is_pinned() {
        return Err(Errno::Eperm);
    }
    let sticky = dir.mode & STICKY != 0;
    if sticky && !creds.owns(victim) && !creds.owns(dir) {
        return Err(Errno::Eperm);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileType, InodeId, Timestamp};

    fn meta(mode: u16, uid: u32, gid: u32) -> Metadata {
        let epoch = Timestamp::default();
        Metadata {
            ino: InodeId(2),
            dev: 0,
            file_type: FileType::Regular,
            mode,
            uid,
            gid,
            nlink: 1,
            size: 0,
            blocks: 0,
            rdev: (0, 0),
            atime: epoch,
            mtime: epoch,
            ctime: epoch,
            flags: FileFlags::default(),
        }
    }

    fn user(uid: u32, groups: &[u32]) -> Credentials {
        Credentials {
            uid,
            gid: uid,
            groups: groups.to_vec(),
        }
    }

    #[test]
    fn only_the_first_matching_class_counts() {
        let file = meta(0o047, 1000, 100);
        assert!(!permits(&file, &user(1000, &[]), Access::Read));
        assert!(permits(&file, &user(1, &[100]), Access::Read));
        assert!(!permits(&file, &user(1, &[100]), Access::Write));
        assert!(permits(&file, &user(1, &[]), Access::Write));
    }

    #[test]
    fn root_reads_anything_and_runs_what_somebody_may_run() {
        let file = meta(0o000, 1000, 100);
        assert!(permits(&file, &Credentials::root(), Access::Write));
        assert!(!permits(&file, &Credentials::root(), Access::Execute));
        let script = meta(0o001, 1000, 100);
        assert!(permits(&script, &Credentials::root(), Access::Execute));
    }

    #[test]
    fn in_a_sticky_directory_only_owners_remove() {
        let tmp = meta(0o1777, 0, 0);
        let file = meta(0o666, 1000, 1000);
        assert_eq!(may_delete(&tmp, &file, &user(1000, &[])), Ok(()));
        assert_eq!(may_delete(&tmp, &file, &Credentials::root()), Ok(()));
        assert_eq!(may_delete(&tmp, &file, &user(1001, &[])), Err(Errno::Eperm));
    }
}
