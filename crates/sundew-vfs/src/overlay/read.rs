//! Reading through the overlay: a changed node first, else the image's.

use super::file::BLOCK_BYTES;
use super::no_bytes;
use super::node::{Body, Node, Place};
use super::{Overlay, Style};
use crate::image::{Content, Image, ImageKind, ImageNode};
use crate::{DirEntry, Errno, FileFlags, FileType, InodeId, Metadata};

/// An inode wherever its truth is.
pub(super) enum View<'a> {
    Image(&'a ImageNode),
    Changed(&'a Node),
}

impl Overlay {
    pub(super) fn view(&self, ino: InodeId) -> Result<View<'_>, Errno> {
        if let Some(node) = self.nodes.get(&ino) {
            return Ok(View::Changed(node));
        }
        if self.gone.contains(&ino) {
            return Err(Errno::Enoent);
        }
        self.image.node(ino).map(View::Image).ok_or(Errno::Enoent)
    }

    pub(crate) fn metadata(&self, ino: InodeId) -> Result<Metadata, Errno> {
        let mut metadata = match self.view(ino)? {
            View::Changed(node) => changed_metadata(ino, node),
            View::Image(node) => self.image_metadata(ino, node),
        };
        match self.style(metadata.dev) {
            Style::Disk if metadata.is_dir() => {
                metadata.size = self.size_on_disk(ino);
                metadata.blocks = metadata.size / 512;
            }
            Style::Disk => {}
            Style::Memory if metadata.is_dir() => {
                metadata.size = (self.entry_count(ino) + 2) * DIRENT_BYTES;
                metadata.blocks = 0;
            }
            Style::Memory if metadata.is_symlink() => metadata.blocks = 0,
            Style::Memory => {}
            Style::Kernel => {
                metadata.blocks = 0;
                if !metadata.is_regular() {
                    metadata.size = 0;
                }
            }
        }
        Ok(metadata)
    }

    /// Bytes of a directory on ext4, whose blocks hold eight bytes and the name for each entry, and are three
    /// quarters full behind a block of hashes once there is more than one. From the number of names alone:
    /// every step of a path asks for it.
    fn size_on_disk(&self, dir: InodeId) -> u64 {
        let bytes = self.entry_count(dir).saturating_mul(ENTRY_BYTES);
        if bytes <= BLOCK_BYTES {
            return BLOCK_BYTES;
        }
        (1 + bytes.div_ceil(BLOCK_BYTES / 4 * 3)) * BLOCK_BYTES
    }

    /// Names in a directory, without `.` and `..`.
    fn entry_count(&self, dir: InodeId) -> u64 {
        let in_image = self.image.entry_count(dir);
        let count = match self.nodes.get(&dir).map(|node| &node.body) {
            Some(Body::Directory(d)) => d.added.len() + in_image.saturating_sub(d.removed.len()),
            _ => in_image,
        };
        count as u64
    }

    fn image_metadata(&self, ino: InodeId, node: &ImageNode) -> Metadata {
        let file_type = node.kind.file_type();
        let (size, rdev) = match node.kind {
            ImageKind::Directory { .. } => (BLOCK_BYTES, (0, 0)),
            ImageKind::Regular { .. } => (self.base(ino).map_or(0, Content::len), (0, 0)),
            ImageKind::Symlink { target } => (self.image.name(target).len() as u64, (0, 0)),
            ImageKind::Special { rdev, .. } => (0, rdev),
        };
        let time = self.base_time(ino, node.attributes.mtime);
        Metadata {
            ino,
            dev: self.image_dev(node.volume),
            file_type,
            mode: node.attributes.mode,
            uid: node.attributes.uid,
            gid: node.attributes.gid,
            nlink: node.nlink,
            size,
            blocks: sectors(file_type, size, size.div_ceil(BLOCK_BYTES)),
            rdev,
            atime: self.read_time(ino).unwrap_or(time),
            mtime: time,
            ctime: time,
            flags: FileFlags::default(),
        }
    }

    pub(crate) fn file_type(&self, ino: InodeId) -> Result<FileType, Errno> {
        Ok(match self.view(ino)? {
            View::Changed(node) => node.body.file_type(),
            View::Image(node) => node.kind.file_type(),
        })
    }

    pub(crate) fn read_link(&self, ino: InodeId) -> Result<&[u8], Errno> {
        match self.view(ino)? {
            View::Changed(Node {
                body: Body::Symlink(target),
                ..
            }) => Ok(target),
            View::Image(ImageNode {
                kind: ImageKind::Symlink { target },
                ..
            }) => Ok(self.image.name(*target)),
            _ => Err(Errno::Einval),
        }
    }

    /// What `name` means in `dir`; `ENOTDIR` when that is no directory.
    pub(crate) fn lookup(&self, dir: InodeId, name: &[u8]) -> Result<InodeId, Errno> {
        let directory = match self.view(dir)? {
            View::Changed(node) => match &node.body {
                Body::Directory(directory) => Some(directory),
                _ => return Err(Errno::Enotdir),
            },
            View::Image(node) if node.kind.file_type() == FileType::Directory => None,
            View::Image(_) => return Err(Errno::Enotdir),
        };
        if let Some(ino) = directory.and_then(|directory| directory.added.get(name)) {
            return Ok(*ino);
        }
        let (entry, ino) = self.image.lookup(dir, name).ok_or(Errno::Enoent)?;
        match directory {
            Some(directory) if directory.removed.contains(&entry) => Err(Errno::Enoent),
            _ => Ok(ino),
        }
    }

    /// All names by ascending bytes.
    pub(crate) fn read_dir(&self, dir: InodeId) -> Result<Vec<DirEntry>, Errno> {
        let directory = match self.view(dir)? {
            View::Changed(Node {
                body: Body::Directory(directory),
                ..
            }) => Some(directory),
            View::Image(node) if node.kind.file_type() == FileType::Directory => None,
            _ => return Err(Errno::Enotdir),
        };
        let mut entries: Vec<DirEntry> = self
            .image
            .list(dir)
            .filter(|(index, ..)| !directory.is_some_and(|d| d.removed.contains(index)))
            .map(|(_, name, ino, file_type)| DirEntry {
                name: name.into(),
                ino,
                file_type,
            })
            .collect();
        if let Some(directory) = directory.filter(|directory| !directory.added.is_empty()) {
            for (name, ino) in &directory.added {
                entries.push(DirEntry {
                    name: name.clone(),
                    ino: *ino,
                    file_type: self.file_type(*ino)?,
                });
            }
            entries.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(entries)
    }

    pub(crate) fn is_empty_dir(&self, dir: InodeId) -> bool {
        let in_image = self.image.entry_count(dir);
        match self.nodes.get(&dir).map(|node| &node.body) {
            Some(Body::Directory(d)) => d.added.is_empty() && d.removed.len() == in_image,
            _ => in_image == 0,
        }
    }

    /// Where a directory hangs: parent and name. `None` for `/`, for the top of a mounted tree,
    /// and for one that was removed.
    pub(crate) fn place(&self, dir: InodeId) -> Option<(InodeId, &[u8])> {
        if dir == Image::root() {
            return None;
        }
        match self.nodes.get(&dir) {
            Some(Node {
                body: Body::Directory(directory),
                ..
            }) => match &directory.place {
                Place::At(parent, name) => return Some((*parent, name)),
                Place::Top | Place::Removed => return None,
                Place::AsInImage => {}
            },
            Some(_) => return None,
            None if self.gone.contains(&dir) => return None,
            None => {}
        }
        match self.image.node(dir)?.kind {
            ImageKind::Directory { parent, name, .. } => {
                Some((Image::ino(parent), self.image.name(name)))
            }
            _ => None,
        }
    }

    pub(crate) fn read_at(
        &self,
        ino: InodeId,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize, Errno> {
        match self.view(ino)? {
            View::Changed(node) => match &node.body {
                Body::Regular(file) => Ok(file.read_at(self.base(ino), offset, buf)),
                other => Err(no_bytes(other.file_type())),
            },
            View::Image(node) => match self.base(ino) {
                Some(content) => Ok(content.read_at(offset, buf)),
                None => Err(no_bytes(node.kind.file_type())),
            },
        }
    }
}

fn changed_metadata(ino: InodeId, node: &Node) -> Metadata {
    let file_type = node.body.file_type();
    let (size, blocks, rdev) = match &node.body {
        Body::Regular(file) => (file.size(), file.apparent_blocks(), (0, 0)),
        Body::Directory(_) => (BLOCK_BYTES, 1, (0, 0)),
        Body::Symlink(target) => (target.len() as u64, 1, (0, 0)),
        Body::Special { rdev, .. } => (0, 0, *rdev),
    };
    Metadata {
        ino,
        dev: node.dev,
        file_type,
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
        nlink: node.nlink,
        size,
        blocks: sectors(file_type, size, blocks),
        rdev,
        atime: node.atime,
        mtime: node.mtime,
        ctime: node.ctime,
        flags: node.flags,
    }
}

/// What a name takes in a directory on a disk: the mean of a Debian.
const ENTRY_BYTES: u64 = 20;

/// What a name adds to the size of a directory in memory: `BOGO_DIRENT_SIZE` of Linux's tmpfs.
const DIRENT_BYTES: u64 = 20;

/// `st_blocks` of so many blocks; ext4 keeps link targets under 60 bytes in the inode itself.
fn sectors(file_type: FileType, size: u64, blocks: u64) -> u64 {
    if file_type == FileType::Symlink && size < 60 {
        0
    } else {
        blocks * (BLOCK_BYTES / 512)
    }
}
