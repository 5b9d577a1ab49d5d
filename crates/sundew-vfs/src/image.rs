//! The tree every machine starts from: immutable, compact, shared.
//!
//! Nodes, directory entries and names each live in one array; a directory is a run of entries
//! sorted by name, so a lookup is a binary search and the whole costs about a hundred bytes per
//! file. Built by [`ImageBuilder`], nothing changes it afterwards.

mod builder;
mod content;
mod saved;

use crate::{FileType, InodeId, Timestamp};

pub use builder::{ImageBuilder, ImageError};
pub(crate) use content::copy_from;
pub use content::{Backed, Backing, Content};
pub use saved::LoadError;
pub(crate) use saved::sealed as sealed_image;

/// The number of `/`, as ext4 has it.
const ROOT_INO: u64 = 2;

/// The number of the first file after `/`; ext4 reserves those below, 11 is usually `lost+found`.
const FIRST_INO: u64 = 11;

/// What the builder is told about every node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// Permission bits, `07777` at most; more are cut off.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// All three times of the inode.
    pub mtime: Timestamp,
}

impl Default for Attributes {
    /// `0755`, root, 1970.
    fn default() -> Self {
        Self {
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: Timestamp::default(),
        }
    }
}

/// A finished tree; share it as `Arc<Image>`.
#[derive(Debug)]
pub struct Image {
    nodes: Vec<ImageNode>,
    entries: Vec<ImageEntry>,
    names: Vec<u8>,
    contents: Vec<Content>,
    /// Roots of the filesystems that lie in one image; the first is `/`.
    volumes: Vec<NodeIndex>,
    fingerprint: u64,
}

/// Position in [`Image::nodes`]; 0 is the root.
pub(crate) type NodeIndex = u32;

/// Position in [`Image::entries`]: identifies one name of one directory.
pub(crate) type EntryIndex = u32;

#[derive(Debug)]
pub(crate) struct ImageNode {
    pub(crate) attributes: Attributes,
    /// Position in [`Image::volumes`].
    pub(crate) volume: u8,
    pub(crate) nlink: u32,
    pub(crate) kind: ImageKind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum ImageKind {
    Directory {
        first: EntryIndex,
        count: u32,
        parent: NodeIndex,
        name: Name,
    },
    Regular {
        content: u32,
    },
    Symlink {
        target: Name,
    },
    Special {
        file_type: FileType,
        rdev: (u32, u32),
    },
}

/// A run of [`Image::names`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    start: u32,
    len: u16,
}

#[derive(Clone, Copy, Debug)]
struct ImageEntry {
    name: Name,
    node: NodeIndex,
}

impl ImageKind {
    pub(crate) fn file_type(self) -> FileType {
        match self {
            Self::Directory { .. } => FileType::Directory,
            Self::Regular { .. } => FileType::Regular,
            Self::Symlink { .. } => FileType::Symlink,
            Self::Special { file_type, .. } => file_type,
        }
    }
}

impl Image {
    /// How many inodes it has.
    #[must_use]
    pub fn inodes(&self) -> usize {
        self.nodes.len()
    }

    /// The sum of the sizes of its regular files, each counted once; what `df` calls used.
    #[must_use]
    pub fn content_bytes(&self) -> u64 {
        self.contents
            .iter()
            .fold(0, |sum, content| sum.saturating_add(content.len()))
    }

    /// A number that another tree has hardly ever: names, types, attributes and sizes go into it.
    /// Changes saved over one image make no sense over another.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn make_fingerprint(&self) -> u64 {
        let mut sum = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |value: u64| {
            sum = (sum ^ value).wrapping_mul(0x0100_0000_01b3);
            sum ^= sum >> 31;
        };
        self.names.iter().for_each(|byte| add(u64::from(*byte)));
        for entry in &self.entries {
            add(u64::from(entry.node) << 32 | u64::from(entry.name.start));
        }
        for node in &self.nodes {
            let attributes = node.attributes;
            add(u64::from(attributes.uid) << 32 | u64::from(attributes.gid));
            add(u64::from(attributes.mode));
            add(attributes.mtime.secs.cast_unsigned());
        }
        self.contents.iter().for_each(|content| add(content.len()));
        sum
    }

    /// Content of a regular file; `None` for anything else.
    #[must_use]
    pub fn file_content(&self, ino: InodeId) -> Option<&Content> {
        self.content(ino)
    }

    /// The filesystem whose root this is, if it is one.
    pub(crate) fn volume_at(&self, root: InodeId) -> Option<usize> {
        self.volumes
            .iter()
            .position(|index| Self::ino(*index) == root)
    }

    /// How many filesystems lie in it.
    pub(crate) fn volume_count(&self) -> usize {
        self.volumes.len()
    }

    /// The number of `/`.
    pub(crate) const fn root() -> InodeId {
        InodeId(ROOT_INO)
    }

    /// The smallest number no node of this image has.
    pub(crate) fn next_ino(&self) -> u64 {
        FIRST_INO + self.nodes.len() as u64
    }

    pub(crate) fn ino(index: NodeIndex) -> InodeId {
        match index {
            0 => Self::root(),
            index => InodeId(FIRST_INO - 1 + u64::from(index)),
        }
    }

    /// The node of that number with its position.
    pub(crate) fn node(&self, ino: InodeId) -> Option<&ImageNode> {
        let index = match ino.0 {
            ROOT_INO => 0,
            number => number.checked_sub(FIRST_INO - 1).filter(|n| *n > 0)?,
        };
        self.nodes.get(usize::try_from(index).ok()?)
    }

    pub(crate) fn name(&self, name: Name) -> &[u8] {
        let start = name.start as usize;
        self.names
            .get(start..start + usize::from(name.len))
            .unwrap_or_default()
    }

    /// Content of a regular file.
    pub(crate) fn content(&self, ino: InodeId) -> Option<&Content> {
        match self.node(ino)?.kind {
            ImageKind::Regular { content } => self.contents.get(content as usize),
            _ => None,
        }
    }

    /// Names in a directory; 0 for anything else.
    pub(crate) fn entry_count(&self, dir: InodeId) -> usize {
        self.run(dir).1.len()
    }

    /// The entries of a directory by ascending name; none for anything else.
    pub(crate) fn list(
        &self,
        dir: InodeId,
    ) -> impl Iterator<Item = (EntryIndex, &[u8], InodeId, FileType)> {
        let (first, run) = self.run(dir);
        (first..).zip(run).filter_map(|(index, entry)| {
            let node = self.nodes.get(entry.node as usize)?;
            let ino = Self::ino(entry.node);
            Some((index, self.name(entry.name), ino, node.kind.file_type()))
        })
    }

    /// The entry of that name.
    pub(crate) fn lookup(&self, dir: InodeId, name: &[u8]) -> Option<(EntryIndex, InodeId)> {
        let (first, run) = self.run(dir);
        let offset = run
            .binary_search_by(|entry| self.name(entry.name).cmp(name))
            .ok()?;
        let entry = run.get(offset)?;
        Some((
            first + EntryIndex::try_from(offset).ok()?,
            Self::ino(entry.node),
        ))
    }

    fn run(&self, dir: InodeId) -> (EntryIndex, &[ImageEntry]) {
        let Some(ImageKind::Directory { first, count, .. }) = self.node(dir).map(|node| node.kind)
        else {
            return (0, &[]);
        };
        let start = first as usize;
        let run = self.entries.get(start..start + count as usize);
        (first, run.unwrap_or_default())
    }
}
