//! `/proc` and the like: nodes whose truth lives elsewhere.
//!
//! The filesystem stores nothing about them. Whoever calls passes the [`Synthetic`] in, and the
//! filesystem adds what is common: path rules, permission bits, mount points.

use crate::{DirEntry, Errno, InodeId, Metadata};

/// Answers for the nodes whose id has [`InodeId::SYNTHETIC`] set.
///
/// Names and types can change between two calls (a process ends); permission bits are checked by
/// the filesystem against [`metadata`](Self::metadata).
pub trait Synthetic {
    /// What `stat(2)` says.
    ///
    /// # Errors
    ///
    /// `ENOENT` once it is gone.
    fn metadata(&self, node: InodeId) -> Result<Metadata, Errno>;

    /// The node of that name; never asked for `.`.
    ///
    /// # Errors
    ///
    /// `ENOENT` for an unknown name.
    fn lookup(&self, dir: InodeId, name: &[u8]) -> Result<InodeId, Errno>;

    /// All names, without `.` and `..`.
    ///
    /// # Errors
    ///
    /// `ENOENT` once it is gone.
    fn read_dir(&self, dir: InodeId) -> Result<Vec<DirEntry>, Errno>;

    /// The target of a link.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is none.
    fn read_link(&self, node: InodeId) -> Result<Vec<u8>, Errno>;

    /// The whole content at the moment of opening.
    ///
    /// # Errors
    ///
    /// Whatever the real file answers: `EIO`, `EACCES`, `EINVAL`.
    fn content(&self, node: InodeId) -> Result<Vec<u8>, Errno>;

    /// The directory above, for `..`; not asked for the root of a mount.
    ///
    /// # Errors
    ///
    /// `ENOENT` once it is gone.
    fn parent(&self, dir: InodeId) -> Result<InodeId, Errno> {
        self.lookup(dir, b"..")
    }

    /// Where following the link leads without reading its text, if it is such a link.
    ///
    /// `/proc/PID/exe` and `/proc/PID/fd/N` lead to their file even after its name is gone.
    fn follow(&self, link: InodeId) -> Option<InodeId> {
        let _ = link;
        None
    }
}

/// A machine without synthetic nodes.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoSynthetic;

impl Synthetic for NoSynthetic {
    fn metadata(&self, _: InodeId) -> Result<Metadata, Errno> {
        Err(Errno::Enoent)
    }

    fn lookup(&self, _: InodeId, _: &[u8]) -> Result<InodeId, Errno> {
        Err(Errno::Enoent)
    }

    fn read_dir(&self, _: InodeId) -> Result<Vec<DirEntry>, Errno> {
        Err(Errno::Enoent)
    }

    fn read_link(&self, _: InodeId) -> Result<Vec<u8>, Errno> {
        Err(Errno::Enoent)
    }

    fn content(&self, _: InodeId) -> Result<Vec<u8>, Errno> {
        Err(Errno::Enoent)
    }
}
