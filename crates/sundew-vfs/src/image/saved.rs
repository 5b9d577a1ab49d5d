//! An image as bytes, and back: what `sundew fs build` writes.
//!
//! Little-endian: a magic, the nodes in order, each with its path, and a checksum at the end. A file is
//! a path and its attributes rather than the arrays in memory: it can be read by another version, and a
//! damaged one can do no more than fail.

use std::fmt;
use std::sync::Arc;

use super::{
    Attributes, Backed, Backing, Content, Image, ImageBuilder, ImageError, ImageKind, NodeIndex,
};
use crate::{FileType, Timestamp};

/// The first bytes of a saved image; the digit counts formats.
const MAGIC: &[u8; 8] = b"vfsimag1";
const CHECKSUM_BYTES: usize = 8;
/// Most nodes of an image that is read: ten times a full server installation.
const MAX_NODES: u64 = 4 << 20;

/// Why bytes are no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// Not an image, or one of another format.
    Format,
    /// Cut short or changed.
    Damaged,
    /// A node does not fit.
    Node(ImageError),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str("not an image of this version"),
            Self::Damaged => f.write_str("cut short or damaged"),
            Self::Node(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<ImageError> for LoadError {
    fn from(error: ImageError) -> Self {
        Self::Node(error)
    }
}

impl Image {
    /// The image as bytes for [`Image::load`].
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let mut first_names: Vec<Option<Vec<u8>>> = vec![None; self.nodes.len()];
        let mut records = 0_u64;
        let mut body = Vec::new();
        // Breadth first: a directory comes before what is in it.
        let mut folders = std::collections::VecDeque::from([(0, Vec::new())]);
        self.record(&mut body, 0, b"/", &mut records);
        while let Some((folder, path)) = folders.pop_front() {
            let dir = Self::ino(folder);
            for (_, name, ino, _) in self.list(dir) {
                let index = u32::try_from(ino.0 - super::FIRST_INO + 1).unwrap_or(0);
                let path = [path.as_slice(), b"/", name].concat();
                let known = first_names.get_mut(index as usize);
                match known {
                    Some(Some(first)) => {
                        records += 1;
                        body.push(5);
                        string(&mut body, &path);
                        string(&mut body, first);
                    }
                    Some(slot) => {
                        *slot = Some(path.clone());
                        self.record(&mut body, index, &path, &mut records);
                    }
                    None => {}
                }
                if matches!(
                    self.nodes.get(index as usize).map(|node| node.kind),
                    Some(ImageKind::Directory { .. })
                ) {
                    folders.push_back((index, path));
                }
            }
        }
        out.extend_from_slice(&records.to_le_bytes());
        out.extend_from_slice(&body);
        let sum = checksum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    fn record(&self, out: &mut Vec<u8>, index: NodeIndex, path: &[u8], records: &mut u64) {
        let Some(node) = self.nodes.get(index as usize) else {
            return;
        };
        *records += 1;
        let root = index != 0 && self.volumes.contains(&index);
        out.push(match node.kind {
            ImageKind::Directory { .. } if root => 1,
            ImageKind::Directory { .. } => 0,
            ImageKind::Regular { .. } => 2,
            ImageKind::Symlink { .. } => 3,
            ImageKind::Special { .. } => 4,
        });
        string(out, path);
        let a = node.attributes;
        out.extend_from_slice(&a.mode.to_le_bytes());
        out.extend_from_slice(&a.uid.to_le_bytes());
        out.extend_from_slice(&a.gid.to_le_bytes());
        out.extend_from_slice(&a.mtime.secs.to_le_bytes());
        out.extend_from_slice(&a.mtime.nanos.to_le_bytes());
        match node.kind {
            ImageKind::Directory { .. } => {}
            ImageKind::Regular { content } => match self.contents.get(content as usize) {
                Some(Content::Generated { head, seed, len }) => {
                    out.push(1);
                    string(out, head);
                    out.extend_from_slice(&seed.to_le_bytes());
                    out.extend_from_slice(&len.to_le_bytes());
                }
                Some(Content::Padded { text, len }) => {
                    out.push(2);
                    string(out, text);
                    out.extend_from_slice(&len.to_le_bytes());
                }
                Some(Content::Bytes(bytes)) => {
                    out.push(0);
                    string(out, bytes);
                }
                Some(Content::Backed(backed)) => {
                    out.push(0);
                    string(out, backed.bytes());
                }
                None => {
                    out.push(0);
                    string(out, b"");
                }
            },
            ImageKind::Symlink { target } => string(out, self.name(target)),
            ImageKind::Special { file_type, rdev } => {
                out.extend_from_slice(&file_type.mode_bits().to_le_bytes());
                out.extend_from_slice(&rdev.0.to_le_bytes());
                out.extend_from_slice(&rdev.1.to_le_bytes());
            }
        }
    }

    /// Reads what [`Image::save`] wrote.
    ///
    /// # Errors
    ///
    /// [`LoadError`].
    pub fn load(bytes: &[u8]) -> Result<Arc<Self>, LoadError> {
        Self::read(bytes, None)
    }

    /// The same, but what files hold stays where it is: a mapped image costs memory for its names only.
    ///
    /// # Errors
    ///
    /// [`LoadError`].
    pub fn load_backed(backing: &Backing) -> Result<Arc<Self>, LoadError> {
        Self::read((**backing).as_ref(), Some(backing))
    }

    fn read(bytes: &[u8], backing: Option<&Backing>) -> Result<Arc<Self>, LoadError> {
        if !bytes.starts_with(MAGIC) {
            return Err(LoadError::Format);
        }
        let (body, sum) = bytes
            .len()
            .checked_sub(CHECKSUM_BYTES)
            .and_then(|end| bytes.split_at_checked(end))
            .ok_or(LoadError::Damaged)?;
        if sum != checksum(body).to_le_bytes() {
            return Err(LoadError::Damaged);
        }
        let mut reader = Reader {
            rest: body.get(MAGIC.len()..).unwrap_or_default(),
            end: body.len(),
            backing,
        };
        let count = u64::from_le_bytes(reader.array()?);
        if count > MAX_NODES {
            return Err(LoadError::Damaged);
        }
        let mut builder = ImageBuilder::new();
        for _ in 0..count {
            reader.node(&mut builder)?;
        }
        if !reader.rest.is_empty() {
            return Err(LoadError::Damaged);
        }
        Ok(builder.finish())
    }
}

/// These bytes as the body of an image, with the magic before it and the right checksum behind: for fuzzers,
/// which would not find it.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut out = [MAGIC.as_slice(), body].concat();
    let sum = checksum(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// FNV-1a over words, as for saved overlays.
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

struct Reader<'a> {
    rest: &'a [u8],
    /// Where `rest` ends, counted from the start of the image.
    end: usize,
    backing: Option<&'a Backing>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], LoadError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(LoadError::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        self.take(N)?
            .first_chunk()
            .copied()
            .ok_or(LoadError::Damaged)
    }

    fn string(&mut self) -> Result<&'a [u8], LoadError> {
        let count = u64::from_le_bytes(self.array()?);
        self.take(usize::try_from(count).map_err(|_| LoadError::Damaged)?)
    }

    fn node(&mut self, builder: &mut ImageBuilder) -> Result<(), LoadError> {
        let [kind] = self.array()?;
        let path = self.string()?;
        if kind == 5 {
            let existing = self.string()?;
            return Ok(builder.hard_link(existing, path)?);
        }
        let attributes = Attributes {
            mode: u16::from_le_bytes(self.array()?),
            uid: u32::from_le_bytes(self.array()?),
            gid: u32::from_le_bytes(self.array()?),
            mtime: Timestamp {
                secs: i64::from_le_bytes(self.array()?),
                nanos: u32::from_le_bytes(self.array()?),
            },
        };
        match kind {
            0 => builder.directory(path, attributes)?,
            1 => {
                builder.directory(path, attributes)?;
                builder.filesystem(path)?;
            }
            2 => {
                let [form] = self.array()?;
                let bytes = self.string()?;
                let end = self.end.saturating_sub(self.rest.len());
                let start = end.saturating_sub(bytes.len());
                let content = match (form, self.backing) {
                    (0, Some(backing)) => Content::Backed(Backed::new(backing, start..end)),
                    (0, None) => Content::Bytes(bytes.into()),
                    (1, _) => Content::Generated {
                        head: bytes.into(),
                        seed: u64::from_le_bytes(self.array()?),
                        len: u64::from_le_bytes(self.array()?),
                    },
                    (2, _) => Content::Padded {
                        text: bytes.into(),
                        len: u64::from_le_bytes(self.array()?),
                    },
                    _ => return Err(LoadError::Damaged),
                };
                builder.file(path, attributes, content)?;
            }
            3 => builder.symlink(path, attributes, self.string()?)?,
            4 => {
                let bits = u32::from_le_bytes(self.array()?);
                let file_type = [
                    FileType::CharDevice,
                    FileType::BlockDevice,
                    FileType::Fifo,
                    FileType::Socket,
                ]
                .into_iter()
                .find(|kind| kind.mode_bits() == bits)
                .ok_or(LoadError::Damaged)?;
                let rdev = (
                    u32::from_le_bytes(self.array()?),
                    u32::from_le_bytes(self.array()?),
                );
                builder.device(path, attributes, file_type, rdev)?;
            }
            _ => return Err(LoadError::Damaged),
        }
        Ok(())
    }
}
