//! A new or changed inode.

use std::collections::{BTreeMap, BTreeSet};

use super::file::FileData;
use crate::image::EntryIndex;
use crate::{FileFlags, FileType, InodeId, Timestamp};

/// An inode as this machine has it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) dev: u64,
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) nlink: u32,
    pub(crate) atime: Timestamp,
    pub(crate) mtime: Timestamp,
    pub(crate) ctime: Timestamp,
    pub(crate) flags: FileFlags,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Regular(FileData),
    Directory(Directory),
    Symlink(Box<[u8]>),
    Special {
        file_type: FileType,
        rdev: (u32, u32),
    },
}

/// How a directory differs from the image; a new one differs from nothing.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) place: Place,
    /// Names the image does not have here, or that stand for something else now.
    pub(crate) added: BTreeMap<Box<[u8]>, InodeId>,
    /// Names of the image that are gone or stand for something else. Bounded by the image, and
    /// never charged: removing must work on a full disk.
    pub(crate) removed: BTreeSet<EntryIndex>,
}

/// Where a directory hangs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Where the image says.
    AsInImage,
    /// Under that name there.
    At(InodeId, Box<[u8]>),
    /// The root of a mounted tree: above it is the covered directory, which is not ours to know.
    Top,
    /// Nowhere: removed, but still somebody's working directory.
    Removed,
}

impl Directory {
    pub(crate) fn at(place: Place) -> Self {
        Self {
            place,
            added: BTreeMap::new(),
            removed: BTreeSet::new(),
        }
    }
}

impl Body {
    pub(crate) fn file_type(&self) -> FileType {
        match self {
            Self::Regular(_) => FileType::Regular,
            Self::Directory(_) => FileType::Directory,
            Self::Symlink(_) => FileType::Symlink,
            Self::Special { file_type, .. } => *file_type,
        }
    }
}

impl Node {
    /// Content or names changed.
    pub(crate) fn modified(&mut self, now: Timestamp) {
        self.mtime = now;
        self.ctime = now;
    }
}
