//! A file system as a list of paths: what images are built from and compared as.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sundew_kernel::executable::{Kind, elf_head_of};
use sundew_vfs::{
    Attributes, Content, Context, Credentials, Errno, FileType, Image, ImageBuilder, ImageError,
    InodeId, Limits, NoSynthetic, Timestamp, Vfs,
};

/// One path.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) attributes: Attributes,
    pub(super) kind: NodeKind,
}

#[derive(Debug, Clone)]
pub(super) enum NodeKind {
    Directory,
    File(Content),
    Symlink(Vec<u8>),
    /// Another name of the file at this path.
    HardLink(Vec<u8>),
    Special(FileType, (u32, u32)),
}

/// Absolute paths without a slash at the end; `/` itself is not among them.
#[derive(Debug, Default)]
pub(super) struct Tree(pub(super) BTreeMap<Vec<u8>, Node>);

impl Tree {
    /// Adds or replaces. What is no directory takes away everything below it.
    pub(super) fn put(&mut self, path: Vec<u8>, node: Node) {
        if !matches!(node.kind, NodeKind::Directory) {
            self.remove_below(&path);
        }
        self.0.insert(path, node);
    }

    /// Removes a path and all below it.
    pub(super) fn remove(&mut self, path: &[u8]) {
        self.0.remove(path);
        self.remove_below(path);
    }

    /// Removes what lies below a path.
    pub(super) fn remove_below(&mut self, path: &[u8]) {
        let inside = [path, b"/"].concat();
        let doomed: Vec<_> = self
            .0
            .range(inside.clone()..)
            .take_while(|(known, _)| known.starts_with(&inside))
            .map(|(known, _)| known.clone())
            .collect();
        for path in doomed {
            self.0.remove(&path);
        }
    }

    /// The image of it. A hard link to what was replaced later becomes an empty file.
    pub(super) fn image(&self) -> Result<Arc<Image>, ImageError> {
        let mut builder = ImageBuilder::new();
        let links = |node: &Node| matches!(node.kind, NodeKind::HardLink(_));
        for (path, node) in self.0.iter().filter(|(_, node)| !links(node)) {
            let attributes = node.attributes;
            match &node.kind {
                NodeKind::Directory => builder.directory(path, attributes)?,
                NodeKind::File(content) => builder.file(path, attributes, content.clone())?,
                NodeKind::Symlink(target) => builder.symlink(path, attributes, target)?,
                NodeKind::Special(file_type, rdev) => {
                    builder.device(path, attributes, *file_type, *rdev)?;
                }
                NodeKind::HardLink(_) => {}
            }
        }
        for (path, node) in &self.0 {
            if let NodeKind::HardLink(first) = &node.kind
                && builder.hard_link(first, path).is_err()
            {
                builder.file(path, node.attributes, Content::Bytes(Arc::from([])))?;
            }
        }
        Ok(builder.finish())
    }

    /// The paths of an image.
    pub(super) fn of(image: &Arc<Image>) -> Result<Self, Errno> {
        let vfs = Vfs::new(Arc::clone(image), Limits::default());
        let creds = Credentials::root();
        let cx = Context {
            creds: &creds,
            synthetic: &NoSynthetic,
            cwd: vfs.root(),
            now: Timestamp::default(),
        };
        let mut tree = Self::default();
        let mut names: HashMap<InodeId, Vec<u8>> = HashMap::new();
        let mut folders = vec![(vfs.root(), Vec::new())];
        while let Some((folder, above)) = folders.pop() {
            for entry in vfs.read_dir(&cx, folder)? {
                let path = [above.as_slice(), b"/", &entry.name].concat();
                let metadata = vfs.metadata(&cx, entry.ino)?;
                let attributes = Attributes {
                    mode: metadata.mode,
                    uid: metadata.uid,
                    gid: metadata.gid,
                    mtime: metadata.mtime,
                };
                let first = names.get(&entry.ino).cloned();
                let kind = match (metadata.file_type, first) {
                    (FileType::Directory, _) => {
                        folders.push((entry.ino, path.clone()));
                        NodeKind::Directory
                    }
                    (_, Some(first)) => NodeKind::HardLink(first),
                    (FileType::Regular, None) => {
                        let content = image.file_content(entry.ino).ok_or(Errno::Eio)?;
                        NodeKind::File(content.clone())
                    }
                    (FileType::Symlink, None) => {
                        NodeKind::Symlink(vfs.read_link_ino(&cx, entry.ino)?)
                    }
                    (other, None) => NodeKind::Special(other, metadata.rdev),
                };
                names.entry(entry.ino).or_insert_with(|| path.clone());
                tree.0.insert(path, Node { attributes, kind });
            }
        }
        Ok(tree)
    }
}

/// What an image keeps of a file's bytes.
///
/// An ELF file that this program has a command for becomes that command: a head with its mark and noise
/// of the same length. Of other binaries and of what is very long the beginning is kept.
pub(super) fn content(path: &[u8], bytes: Vec<u8>, runs: &dyn Fn(&[u8]) -> bool) -> Content {
    let len = bytes.len() as u64;
    if bytes.starts_with(b"\x7fELF") {
        return executable(path, len, runs).unwrap_or_else(|| shortened(path, bytes));
    }
    if bytes.len() > MAX_TEXT_BYTES {
        return shortened(path, bytes);
    }
    Content::Bytes(bytes.into())
}

/// The command that a file of this name is, if there is one.
pub(super) fn executable(path: &[u8], len: u64, runs: &dyn Fn(&[u8]) -> bool) -> Option<Content> {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let kind = if name.starts_with(b"busybox") {
        Kind::Static
    } else {
        Kind::Program
    };
    let name: &[u8] = if name.starts_with(b"busybox") {
        b"busybox"
    } else {
        name
    };
    runs(name).then(|| Content::Generated {
        head: elf_head_of(name, kind, len).into(),
        seed: noise(path),
        len,
    })
}

/// The first bytes and noise.
pub(super) fn shortened(path: &[u8], mut bytes: Vec<u8>) -> Content {
    let len = bytes.len() as u64;
    bytes.truncate(HEAD_BYTES);
    Content::Generated {
        head: bytes.into(),
        seed: noise(path),
        len,
    }
}

/// FNV-1a of the path.
pub(super) fn noise(path: &[u8]) -> u64 {
    path.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Longest file that is kept whole: larger than any configuration and most scripts.
const MAX_TEXT_BYTES: usize = 256 * 1024;
/// What is kept of others: enough for `file` and `head`.
const HEAD_BYTES: usize = 4096;
