//! An overlay as bytes, and back: how a machine's changes outlive its processes.
//!
//! Little-endian throughout. A head (magic, the image's fingerprint), the body, and at the end a
//! checksum of all before it: what was cut short or damaged is told from what is whole. Writing and
//! reading stand side by side; who keeps the bytes must write them whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::file::FileData;
use super::node::{Body, Directory, Node, Place};
use super::{BLOCK_BYTES, Overlay};
use crate::{FileFlags, FileType, InodeId, Timestamp};

/// The first bytes of a saved overlay; the digit counts formats.
const MAGIC: &[u8; 8] = b"overlay2";
/// Bytes of the checksum at the end.
const CHECKSUM_BYTES: usize = 8;

/// Why saved changes cannot be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreError {
    /// Not a saved overlay, or one of another format.
    Format,
    /// Its end is missing, or some of it was changed.
    Damaged,
    /// It belongs to another image.
    OtherImage,
    /// It holds more than the limits allow.
    TooLarge,
    /// The machine has changes of its own already.
    NotFresh,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "not a saved machine of this version",
            Self::Damaged => "cut short or damaged",
            Self::OtherImage => "made over another image",
            Self::TooLarge => "larger than the limits allow",
            Self::NotFresh => "the machine has changes already",
        })
    }
}

impl std::error::Error for RestoreError {}

impl Overlay {
    /// Everything that was changed. Files without a name are left out: who had them open is gone.
    pub(crate) fn save(&self) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        out.0.extend_from_slice(MAGIC);
        out.u64(self.image.fingerprint());
        out.u64(self.next);
        let kept: BTreeMap<_, _> = self
            .nodes
            .iter()
            .filter(|(_, node)| node.nlink > 0)
            .map(|(ino, node)| (ino.0, node))
            .collect();
        let nameless = self
            .nodes
            .iter()
            .filter(|(ino, node)| node.nlink == 0 && self.is_of_image(**ino));
        let gone: BTreeSet<u64> = nameless
            .map(|(ino, _)| ino.0)
            .chain(self.gone.iter().map(|ino| ino.0))
            .collect();
        out.u64(gone.len() as u64);
        gone.iter().for_each(|ino| out.u64(*ino));
        out.u64(kept.len() as u64);
        for (ino, node) in kept {
            out.u64(ino);
            out.node(node);
        }
        let sum = checksum(&out.0);
        out.u64(sum);
        out.0
    }

    /// Takes saved changes over.
    pub(crate) fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let fresh = self.gone.is_empty() && self.handles.is_empty() && self.inodes == 0;
        if !fresh {
            return Err(RestoreError::NotFresh);
        }
        if !bytes.starts_with(MAGIC) {
            return Err(RestoreError::Format);
        }
        let body = bytes
            .len()
            .checked_sub(CHECKSUM_BYTES)
            .and_then(|end| bytes.split_at_checked(end));
        let Some((body, sum)) = body else {
            return Err(RestoreError::Damaged);
        };
        if sum != checksum(body).to_le_bytes() {
            return Err(RestoreError::Damaged);
        }
        let mut reader = Reader(body.get(MAGIC.len()..).unwrap_or_default());
        if reader.u64()? != self.image.fingerprint() {
            return Err(RestoreError::OtherImage);
        }
        let mut restored = self.clone();
        restored.next = reader.u64()?.max(self.next);
        for _ in 0..reader.u64()? {
            restored.gone.insert(InodeId(reader.u64()?));
        }
        for _ in 0..reader.u64()? {
            let ino = InodeId(reader.u64()?);
            let node = reader.node()?;
            if !restored.is_of_image(ino) && !matches!(node.place(), Some(Place::Top)) {
                restored.inodes += 1;
            }
            restored.bytes += node.charge(restored.is_of_image(ino));
            restored.nodes.insert(ino, node);
        }
        if !reader.0.is_empty() {
            return Err(RestoreError::Damaged);
        }
        if restored.bytes > self.limits.max_bytes || restored.inodes > self.limits.max_inodes {
            return Err(RestoreError::TooLarge);
        }
        restored.recount();
        restored.shares = std::mem::take(&mut self.shares);
        *self = restored;
        self.settle();
        Ok(())
    }
}

impl Node {
    fn place(&self) -> Option<&Place> {
        match &self.body {
            Body::Directory(directory) => Some(&directory.place),
            _ => None,
        }
    }

    /// What the quota counts for it.
    pub(super) fn charge(&self, of_image: bool) -> u64 {
        match &self.body {
            Body::Regular(file) => file.charged_blocks() * BLOCK_BYTES,
            Body::Directory(directory) => directory
                .added
                .keys()
                .map(|name| super::entry_bytes(name))
                .sum(),
            Body::Symlink(target) if !of_image => target.len() as u64,
            Body::Symlink(_) | Body::Special { .. } => 0,
        }
    }
}

/// These bytes as the body of an overlay over the image with this fingerprint, with the right checksum: for
/// fuzzers.
pub(crate) fn sealed(fingerprint: u64, body: &[u8]) -> Vec<u8> {
    let mut out = [MAGIC.as_slice(), &fingerprint.to_le_bytes(), body].concat();
    let sum = checksum(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// FNV-1a over words: fast, and every changed or missing byte shows.
fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64 ^ bytes.len() as u64;
    for word in bytes.chunks(8) {
        let mut padded = [0; 8];
        for (to, from) in padded.iter_mut().zip(word) {
            *to = *from;
        }
        sum = (sum ^ u64::from_le_bytes(padded)).wrapping_mul(0x0100_0000_01b3);
        sum ^= sum >> 29;
    }
    sum
}

struct Writer(Vec<u8>);

impl Writer {
    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn time(&mut self, time: Timestamp) {
        self.0.extend_from_slice(&time.secs.to_le_bytes());
        self.u32(time.nanos);
    }

    fn node(&mut self, node: &Node) {
        self.u64(node.dev);
        for value in [
            u32::from(node.mode),
            node.uid,
            node.gid,
            node.nlink,
            node.flags.0,
        ] {
            self.u32(value);
        }
        for time in [node.atime, node.mtime, node.ctime] {
            self.time(time);
        }
        match &node.body {
            Body::Regular(file) => {
                self.u32(0);
                let (size, base_len, chunks) = file.parts();
                self.u64(size);
                self.u64(base_len);
                self.u64(chunks.len() as u64);
                for (index, chunk) in chunks {
                    self.u64(*index);
                    self.bytes(chunk);
                }
            }
            Body::Directory(directory) => {
                self.u32(1);
                self.directory(directory);
            }
            Body::Symlink(target) => {
                self.u32(2);
                self.bytes(target);
            }
            Body::Special { file_type, rdev } => {
                self.u32(3);
                self.u32(file_type.mode_bits());
                self.u32(rdev.0);
                self.u32(rdev.1);
            }
        }
    }

    fn directory(&mut self, directory: &Directory) {
        match &directory.place {
            Place::AsInImage => self.u32(0),
            Place::At(parent, name) => {
                self.u32(1);
                self.u64(parent.0);
                self.bytes(name);
            }
            Place::Top => self.u32(2),
            Place::Removed => self.u32(3),
        }
        self.u64(directory.added.len() as u64);
        for (name, ino) in &directory.added {
            self.bytes(name);
            self.u64(ino.0);
        }
        self.u64(directory.removed.len() as u64);
        directory.removed.iter().for_each(|entry| self.u32(*entry));
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RestoreError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(RestoreError::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RestoreError> {
        self.take(N)?
            .first_chunk()
            .copied()
            .ok_or(RestoreError::Damaged)
    }

    fn u64(&mut self) -> Result<u64, RestoreError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, RestoreError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn bytes(&mut self) -> Result<&'a [u8], RestoreError> {
        let count = usize::try_from(self.u64()?).map_err(|_| RestoreError::Damaged)?;
        self.take(count)
    }

    fn time(&mut self) -> Result<Timestamp, RestoreError> {
        Ok(Timestamp {
            secs: i64::from_le_bytes(self.array()?),
            nanos: self.u32()?,
        })
    }

    fn node(&mut self) -> Result<Node, RestoreError> {
        Ok(Node {
            dev: self.u64()?,
            mode: u16::try_from(self.u32()?).map_err(|_| RestoreError::Damaged)?,
            uid: self.u32()?,
            gid: self.u32()?,
            nlink: self.u32()?,
            flags: FileFlags(self.u32()?),
            atime: self.time()?,
            mtime: self.time()?,
            ctime: self.time()?,
            body: self.body()?,
        })
    }

    fn body(&mut self) -> Result<Body, RestoreError> {
        Ok(match self.u32()? {
            0 => {
                let (size, base_len) = (self.u64()?, self.u64()?);
                let mut chunks = BTreeMap::new();
                for _ in 0..self.u64()? {
                    let index = self.u64()?;
                    chunks.insert(index, self.bytes()?.to_vec());
                }
                Body::Regular(
                    FileData::from_parts(size, base_len, chunks).ok_or(RestoreError::Damaged)?,
                )
            }
            1 => Body::Directory(self.directory()?),
            2 => Body::Symlink(self.bytes()?.into()),
            3 => {
                let bits = self.u32()?;
                let file_type = SPECIAL
                    .into_iter()
                    .find(|kind| kind.mode_bits() == bits)
                    .ok_or(RestoreError::Damaged)?;
                Body::Special {
                    file_type,
                    rdev: (self.u32()?, self.u32()?),
                }
            }
            _ => return Err(RestoreError::Damaged),
        })
    }

    fn directory(&mut self) -> Result<Directory, RestoreError> {
        let place = match self.u32()? {
            0 => Place::AsInImage,
            1 => Place::At(InodeId(self.u64()?), self.bytes()?.into()),
            2 => Place::Top,
            3 => Place::Removed,
            _ => return Err(RestoreError::Damaged),
        };
        let mut directory = Directory::at(place);
        for _ in 0..self.u64()? {
            let name = self.bytes()?.into();
            directory.added.insert(name, InodeId(self.u64()?));
        }
        for _ in 0..self.u64()? {
            directory.removed.insert(self.u32()?);
        }
        Ok(directory)
    }
}

/// What is neither file, directory nor link.
const SPECIAL: [FileType; 4] = [
    FileType::CharDevice,
    FileType::BlockDevice,
    FileType::Fifo,
    FileType::Socket,
];
