//! One machine's changes over the image, and what they cost.
//!
//! This level knows inodes and names, not paths, permissions or mounts. A node is copied from the
//! image when it is first changed: its attributes and, of its content, nothing but the chunk that
//! is written; of its names, nothing but those added or removed. Synthetic ids never come here.

mod file;
mod node;
mod read;
mod saved;
mod volume;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::image::{Content, Image, ImageKind};
use crate::pool::{Held, Pool};
use crate::{Errno, FileFlags, FileType, InodeId, Timestamp};

use file::{BLOCK_BYTES, FileData};
pub(crate) use node::{Body, Directory, Node, Place};
use read::View;
pub use saved::RestoreError;
pub(crate) use saved::sealed as sealed_overlay;

/// How much a machine may change.
///
/// At a limit, what would grow answers `ENOSPC`; removing always works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of changed content in blocks of 4 KiB, of link targets and of names.
    pub max_bytes: u64,
    /// New inodes. Changed ones of the image are not counted: there is an end to them.
    pub max_inodes: u64,
}

impl Default for Limits {
    /// 256 MiB and 65 536 inodes: room for a few downloads and an unpacked archive.
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            max_inodes: 1 << 16,
        }
    }
}

/// What a machine changed so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// Counted as [`Limits::max_bytes`] is.
    pub bytes: u64,
    /// Counted as [`Limits::max_inodes`] is.
    pub inodes: u64,
    /// Inodes of the image that were changed or removed; not limited, the image bounds them.
    pub image_inodes: u64,
}

/// What a name in a directory is charged beyond its length: the entry in our table.
const ENTRY_BYTES: u64 = 64;

/// Names a file may have, as on ext4; one more is `EMLINK`.
const MAX_NAMES: u32 = 65_000;

#[derive(Clone, Debug)]
pub(crate) struct Overlay {
    image: Arc<Image>,
    /// What files of the image hold instead of what the image says.
    grown: Arc<Grown>,
    /// The filesystems: those of the image in its order, then mounted trees.
    volumes: Vec<Volume>,
    nodes: HashMap<InodeId, Node>,
    /// When files of the image were read, of which nothing else has changed. Not kept: as with `lazytime`,
    /// it is in memory only.
    read: BTreeMap<InodeId, Timestamp>,
    /// Inodes of the image without names and handles.
    gone: HashSet<InodeId>,
    /// How often each inode is open.
    handles: HashMap<InodeId, u32>,
    next: u64,
    limits: Limits,
    bytes: u64,
    inodes: u64,
    shares: Shares,
}

/// What the changes take of amounts that several machines have together. A copy of a file system takes
/// nothing of them.
#[derive(Debug, Default)]
struct Shares(Option<(Held, Held)>);

impl Clone for Shares {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl Shares {
    /// Bytes that may still be taken.
    fn room(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(u64::MAX, |(bytes, _)| bytes.pool().room())
    }

    fn inode_room(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(u64::MAX, |(_, inodes)| inodes.pool().room())
    }

    fn set(&mut self, bytes: u64, inodes: u64) {
        if let Some((held_bytes, held_inodes)) = &mut self.0 {
            held_bytes.set(bytes);
            held_inodes.set(inodes);
        }
    }
}

/// Files of an image that have grown since it was made: what they hold, and when they last changed.
pub type Grown = BTreeMap<InodeId, (Content, Timestamp)>;

/// A filesystem, as far as `stat` tells them apart.
/// Files of the image whose time of reading a machine remembers: 40 bytes each, for the few that somebody
/// looks at.
const MAX_READ_TIMES: usize = 1024;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume {
    /// `st_dev`.
    pub(crate) dev: u64,
    pub(crate) style: Style,
    /// Bytes of content it has room for, within [`Limits`]: a tmpfs's `size`.
    pub(crate) room: u64,
    /// Bytes of changed content on it, in blocks.
    pub(crate) used: u64,
}

impl Volume {
    pub(crate) fn new(dev: u64, style: Style, room: u64) -> Self {
        Self {
            dev,
            style,
            room,
            used: 0,
        }
    }
}

/// How a kind of filesystem counts sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// In blocks on a disk.
    Disk,
    /// In memory: tmpfs, devtmpfs.
    Memory,
    /// Not at all: sysfs, cgroup2.
    Kernel,
}

impl Style {
    pub(crate) fn of(fs_type: &[u8]) -> Self {
        match fs_type {
            b"tmpfs" | b"devtmpfs" | b"ramfs" => Self::Memory,
            b"sysfs" | b"cgroup" | b"cgroup2" | b"securityfs" | b"debugfs" | b"tracefs"
            | b"configfs" | b"pstore" | b"bpf" | b"efivarfs" => Self::Kernel,
            _ => Self::Disk,
        }
    }
}

/// What [`Overlay::create`] makes a node of.
pub(crate) struct Birth {
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) now: Timestamp,
    pub(crate) kind: BirthKind,
}

pub(crate) enum BirthKind {
    Regular,
    Directory,
    Symlink(Box<[u8]>),
    Special(FileType, (u32, u32)),
}

impl Overlay {
    pub(crate) fn new(image: Arc<Image>, limits: Limits, image_dev: u64) -> Self {
        Self {
            next: image.next_ino(),
            volumes: vec![Volume::new(image_dev, Style::Disk, u64::MAX); image.volume_count()],
            image,
            grown: Arc::default(),
            nodes: HashMap::new(),
            read: BTreeMap::new(),
            gone: HashSet::new(),
            handles: HashMap::new(),
            limits,
            bytes: 0,
            inodes: 0,
            shares: Shares::default(),
        }
    }

    /// Counts the changes for these pools of bytes and inodes too.
    pub(crate) fn share(&mut self, bytes: Arc<Pool>, inodes: Arc<Pool>) {
        self.shares = Shares(Some((Held::new(bytes), Held::new(inodes))));
        self.settle();
    }

    /// Tells the pools what is held now.
    fn settle(&mut self) {
        self.shares.set(self.bytes, self.inodes);
    }

    /// Bytes that the pools have left.
    pub(crate) fn shared_room(&self) -> u64 {
        self.shares.room()
    }

    pub(crate) fn usage(&self) -> Usage {
        let changed = self.nodes.keys().filter(|ino| self.is_of_image(**ino));
        Usage {
            bytes: self.bytes,
            inodes: self.inodes,
            image_inodes: (changed.count() + self.gone.len()) as u64,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Says which filesystem the one of this position in the image is. Those below it that were not
    /// mounted themselves follow `/`.
    pub(crate) fn set_volume(&mut self, index: usize, volume: Volume) {
        let before = self.volumes.first().map(|root| root.dev);
        for (at, known) in self.volumes.iter_mut().enumerate() {
            if at == index || (index == 0 && Some(known.dev) == before) {
                *known = volume;
            }
        }
    }

    /// `st_dev` of a node of the image.
    pub(crate) fn image_dev(&self, volume: u8) -> u64 {
        self.volumes
            .get(usize::from(volume))
            .map_or(0, |volume| volume.dev)
    }

    /// How the filesystem of this number counts.
    pub(crate) fn style(&self, dev: u64) -> Style {
        self.volumes
            .iter()
            .find(|volume| volume.dev == dev)
            .map_or(Style::Disk, |volume| volume.style)
    }

    pub(crate) fn image(&self) -> &Arc<Image> {
        &self.image
    }

    /// What a file of the image holds as the machine started.
    pub(crate) fn base(&self, ino: InodeId) -> Option<&Content> {
        match self.grown.get(&ino) {
            Some((content, _)) => Some(content),
            None => self.image.content(ino),
        }
    }

    fn base_time(&self, ino: InodeId, of_image: Timestamp) -> Timestamp {
        self.grown.get(&ino).map_or(of_image, |(_, time)| *time)
    }

    pub(crate) fn set_grown(&mut self, grown: Arc<Grown>) {
        self.grown = grown;
    }

    /// The node, copied from the image if this is its first change.
    pub(crate) fn change(&mut self, ino: InodeId) -> Result<&mut Node, Errno> {
        if !self.nodes.contains_key(&ino) {
            let copy = self.copy_of(ino)?;
            self.nodes.insert(ino, copy);
        }
        self.nodes.get_mut(&ino).ok_or(Errno::Enoent)
    }

    fn copy_of(&self, ino: InodeId) -> Result<Node, Errno> {
        let View::Image(node) = self.view(ino)? else {
            return Err(Errno::Eio);
        };
        let body = match node.kind {
            ImageKind::Directory { .. } => Body::Directory(Directory::at(Place::AsInImage)),
            ImageKind::Regular { .. } => Body::Regular(
                self.base(ino)
                    .map_or_else(FileData::default, FileData::over),
            ),
            ImageKind::Symlink { target } => Body::Symlink(self.image.name(target).into()),
            ImageKind::Special { file_type, rdev } => Body::Special { file_type, rdev },
        };
        let mut attributes = node.attributes;
        attributes.mtime = self.base_time(ino, attributes.mtime);
        Ok(Node {
            dev: self.image_dev(node.volume),
            mode: attributes.mode,
            uid: attributes.uid,
            gid: attributes.gid,
            nlink: node.nlink,
            atime: self.read_time(ino).unwrap_or(attributes.mtime),
            mtime: attributes.mtime,
            ctime: attributes.mtime,
            flags: FileFlags::default(),
            body,
        })
    }

    /// When a file of the image was last read.
    fn read_time(&self, ino: InodeId) -> Option<Timestamp> {
        self.read.get(&ino).copied()
    }

    /// Notes that a file of the image was read; past [`MAX_READ_TIMES`] of them others are as if they never were.
    pub(crate) fn note_read(&mut self, ino: InodeId, now: Timestamp) {
        if self.read.len() < MAX_READ_TIMES || self.read.contains_key(&ino) {
            self.read.insert(ino, now);
        }
    }

    /// The node if this machine already has its own copy.
    pub(crate) fn changed(&mut self, ino: InodeId) -> Option<&mut Node> {
        self.nodes.get_mut(&ino)
    }

    fn change_dir(&mut self, dir: InodeId) -> Result<(&mut Node, Arc<Image>), Errno> {
        let image = Arc::clone(&self.image);
        if self.file_type(dir)? != FileType::Directory {
            return Err(Errno::Enotdir);
        }
        Ok((self.change(dir)?, image))
    }

    /// Makes a node and names it `name` in `dir`, where no such name may be.
    pub(crate) fn create(
        &mut self,
        dir: InodeId,
        name: &[u8],
        birth: Birth,
    ) -> Result<InodeId, Errno> {
        // A removed directory that is still somebody's working directory takes no new names.
        let parent = self.metadata(dir)?;
        if parent.nlink == 0 {
            return Err(Errno::Enoent);
        }
        let own = match &birth.kind {
            BirthKind::Symlink(target) => target.len() as u64,
            _ => 0,
        };
        self.charge(own + entry_bytes(name), 1)?;
        let ino = InodeId(self.next);
        self.next += 1;
        let is_dir = matches!(birth.kind, BirthKind::Directory);
        self.nodes.insert(ino, born(birth, parent.dev, dir, name));
        self.enter(dir, name, ino, is_dir)?;
        Ok(ino)
    }

    /// A directory that hangs nowhere, for a mount; not charged.
    pub(crate) fn create_top(&mut self, volume: Volume, mode: u16, now: Timestamp) -> InodeId {
        let dev = volume.dev;
        self.volumes.push(volume);
        let ino = InodeId(self.next);
        self.next += 1;
        let birth = Birth {
            mode,
            uid: 0,
            gid: 0,
            now,
            kind: BirthKind::Directory,
        };
        let mut node = born(birth, dev, ino, b"");
        node.body = Body::Directory(Directory::at(Place::Top));
        self.nodes.insert(ino, node);
        ino
    }

    /// A further name for a node that is no directory.
    pub(crate) fn link(
        &mut self,
        dir: InodeId,
        name: &[u8],
        ino: InodeId,
        now: Timestamp,
    ) -> Result<(), Errno> {
        if self.metadata(dir)?.nlink == 0 || self.metadata(ino)?.nlink == 0 {
            return Err(Errno::Enoent);
        }
        if self.metadata(ino)?.nlink >= MAX_NAMES {
            return Err(Errno::Emlink);
        }
        self.charge(entry_bytes(name), 0)?;
        let node = self.change(ino)?;
        node.nlink += 1;
        node.ctime = now;
        self.enter(dir, name, ino, false)?;
        self.modified(dir, now)
    }

    pub(crate) fn modified(&mut self, ino: InodeId, now: Timestamp) -> Result<(), Errno> {
        self.change(ino)?.modified(now);
        Ok(())
    }

    /// Takes a name away and, if it was the last, the node with it once nobody has it open.
    pub(crate) fn remove(
        &mut self,
        dir: InodeId,
        name: &[u8],
        now: Timestamp,
    ) -> Result<(), Errno> {
        let ino = self.lookup(dir, name)?;
        let is_dir = self.file_type(ino)? == FileType::Directory;
        self.leave(dir, name, is_dir)?;
        self.modified(dir, now)?;
        let node = self.change(ino)?;
        node.ctime = now;
        if let Body::Directory(directory) = &mut node.body {
            node.nlink = 0;
            directory.place = Place::Removed;
        } else {
            node.nlink = node.nlink.saturating_sub(1);
        }
        self.collect(ino);
        Ok(())
    }

    /// Moves a name; what the new one stood for must have been removed before.
    pub(crate) fn rename(
        &mut self,
        from: (InodeId, &[u8]),
        to: (InodeId, &[u8]),
        now: Timestamp,
    ) -> Result<(), Errno> {
        let ino = self.lookup(from.0, from.1)?;
        let is_dir = self.file_type(ino)? == FileType::Directory;
        self.leave(from.0, from.1, is_dir)?;
        self.bytes += entry_bytes(to.1);
        self.settle();
        self.enter(to.0, to.1, ino, is_dir)?;
        self.modified(from.0, now)?;
        self.modified(to.0, now)?;
        let node = self.change(ino)?;
        node.ctime = now;
        if let Body::Directory(directory) = &mut node.body {
            directory.place = Place::At(to.0, to.1.into());
        }
        Ok(())
    }

    /// Whether a rename to `name` fits, given what leaving the old one frees.
    pub(crate) fn has_room_to_rename(&self, from: (InodeId, &[u8]), name: &[u8]) -> bool {
        let freed = match self.nodes.get(&from.0).map(|node| &node.body) {
            Some(Body::Directory(d)) if d.added.contains_key(from.1) => entry_bytes(from.1),
            _ => 0,
        };
        let needed = entry_bytes(name);
        needed <= freed
            || (self.bytes + (needed - freed) <= self.limits.max_bytes
                && needed - freed <= self.shares.room())
    }

    pub(crate) fn write_at(
        &mut self,
        ino: InodeId,
        offset: u64,
        data: &[u8],
        now: Timestamp,
    ) -> Result<usize, Errno> {
        let left = self.limits.max_bytes.saturating_sub(self.bytes);
        let own = left.min(self.room_for(ino)) / BLOCK_BYTES;
        let shared = self.shares.room() / BLOCK_BYTES;
        self.with_file(ino, |node, file, base| {
            let written = file
                .write_at(base, offset, data, own.min(shared))
                .map_err(|errno| match errno {
                    Errno::Enospc if shared < own => Errno::Edquot,
                    errno => errno,
                })?;
            if written > 0 {
                node(now);
            }
            Ok(written)
        })
    }

    pub(crate) fn truncate(&mut self, ino: InodeId, len: u64, now: Timestamp) -> Result<(), Errno> {
        self.with_file(ino, |node, file, _| {
            file.truncate(len)?;
            node(now);
            Ok(())
        })
    }

    /// Runs `work` on the bytes of a file and charges what it took; the first argument of `work`
    /// notes the time of a change.
    fn with_file<T>(
        &mut self,
        ino: InodeId,
        work: impl FnOnce(
            &mut dyn FnMut(Timestamp),
            &mut FileData,
            Option<&Content>,
        ) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let (image, grown) = (Arc::clone(&self.image), Arc::clone(&self.grown));
        let base = match grown.get(&ino) {
            Some((content, _)) => Some(content),
            None => image.content(ino),
        };
        let node = self.change(ino)?;
        let dev = node.dev;
        let (mtime, ctime) = (&mut node.mtime, &mut node.ctime);
        let file = match &mut node.body {
            Body::Regular(file) => file,
            other => return Err(no_bytes(other.file_type())),
        };
        let before = file.charged_blocks();
        let result = work(
            &mut |now| {
                *mtime = now;
                *ctime = now;
            },
            file,
            base,
        );
        let after = file.charged_blocks();
        self.bytes = self.bytes + after * BLOCK_BYTES - before * BLOCK_BYTES;
        self.count_used(dev, after * BLOCK_BYTES, before * BLOCK_BYTES);
        if after != before {
            self.settle();
        }
        result
    }

    pub(crate) fn retain(&mut self, ino: InodeId) {
        *self.handles.entry(ino).or_insert(0) += 1;
    }

    pub(crate) fn release(&mut self, ino: InodeId) {
        if let Some(count) = self.handles.get_mut(&ino) {
            *count -= 1;
            if *count == 0 {
                self.handles.remove(&ino);
                self.collect(ino);
            }
        }
    }

    // What the above are made of.

    pub(crate) fn is_of_image(&self, ino: InodeId) -> bool {
        ino.0 < self.image.next_ino()
    }

    /// Whether this is a regular file of the image with the content it has there.
    pub(crate) fn is_untouched(&self, ino: InodeId) -> bool {
        let Some(base) = self.base(ino) else {
            return false;
        };
        match self.nodes.get(&ino).map(|node| &node.body) {
            None => true,
            Some(Body::Regular(data)) => data.charged_blocks() == 0 && data.size() == base.len(),
            Some(Body::Directory(_) | Body::Symlink(_) | Body::Special { .. }) => false,
        }
    }

    fn charge(&mut self, bytes: u64, inodes: u64) -> Result<(), Errno> {
        let shared = bytes <= self.shares.room() && inodes <= self.shares.inode_room();
        let bytes = self.bytes.saturating_add(bytes);
        let inodes = self.inodes.saturating_add(inodes);
        if bytes > self.limits.max_bytes || inodes > self.limits.max_inodes {
            return Err(Errno::Enospc);
        }
        if !shared {
            return Err(Errno::Edquot);
        }
        self.bytes = bytes;
        self.inodes = inodes;
        self.settle();
        Ok(())
    }

    /// Adds a charged name.
    fn enter(
        &mut self,
        dir: InodeId,
        name: &[u8],
        ino: InodeId,
        is_dir: bool,
    ) -> Result<(), Errno> {
        let (node, _) = self.change_dir(dir)?;
        if let Body::Directory(directory) = &mut node.body {
            directory.added.insert(name.into(), ino);
        }
        if is_dir {
            node.nlink += 1;
        }
        Ok(())
    }

    /// Takes a name out and gives back what it was charged.
    fn leave(&mut self, dir: InodeId, name: &[u8], is_dir: bool) -> Result<(), Errno> {
        let (node, image) = self.change_dir(dir)?;
        let mut freed = 0;
        if let Body::Directory(directory) = &mut node.body {
            if directory.added.remove(name).is_some() {
                freed = entry_bytes(name);
            } else if let Some((entry, _)) = image.lookup(dir, name) {
                directory.removed.insert(entry);
            }
        }
        if is_dir {
            node.nlink = node.nlink.saturating_sub(1);
        }
        self.bytes -= freed;
        self.settle();
        Ok(())
    }

    /// Forgets a node without names and handles.
    fn collect(&mut self, ino: InodeId) {
        let dead = self.nodes.get(&ino).is_some_and(|node| node.nlink == 0);
        if !dead || self.handles.contains_key(&ino) {
            return;
        }
        let Some(node) = self.nodes.remove(&ino) else {
            return;
        };
        let of_image = self.is_of_image(ino);
        self.bytes -= match node.body {
            Body::Regular(file) => {
                let freed = file.charged_blocks() * BLOCK_BYTES;
                self.count_used(node.dev, 0, freed);
                freed
            }
            Body::Symlink(target) if !of_image => target.len() as u64,
            Body::Symlink(_) | Body::Directory(_) | Body::Special { .. } => 0,
        };
        if of_image {
            self.gone.insert(ino);
        } else {
            self.inodes -= 1;
        }
        self.settle();
    }
}

fn born(birth: Birth, dev: u64, parent: InodeId, name: &[u8]) -> Node {
    let mut nlink = 1;
    let body = match birth.kind {
        BirthKind::Regular => Body::Regular(FileData::default()),
        BirthKind::Directory => {
            nlink = 2;
            Body::Directory(Directory::at(Place::At(parent, name.into())))
        }
        BirthKind::Symlink(target) => Body::Symlink(target),
        BirthKind::Special(file_type, rdev) => Body::Special { file_type, rdev },
    };
    Node {
        dev,
        mode: birth.mode & 0o7777,
        uid: birth.uid,
        gid: birth.gid,
        nlink,
        atime: birth.now,
        mtime: birth.now,
        ctime: birth.now,
        flags: FileFlags::default(),
        body,
    }
}

fn entry_bytes(name: &[u8]) -> u64 {
    ENTRY_BYTES + name.len() as u64
}

/// Why something that is not a regular file cannot be read or written here.
fn no_bytes(file_type: FileType) -> Errno {
    match file_type {
        FileType::Directory => Errno::Eisdir,
        _ => Errno::Einval,
    }
}
