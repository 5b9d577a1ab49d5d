//! Building an [`Image`] path by path.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use super::{Attributes, Content, Image, ImageEntry, ImageKind, ImageNode, Name, NodeIndex};
use crate::path::{MAX_NAME_BYTES, MAX_PATH_BYTES};
use crate::{FileType, Timestamp};

/// Collects nodes by absolute path; [`finish`](Self::finish) makes the image.
///
/// Missing parents appear as `0755 root` directories; naming such a directory later sets its
/// attributes, naming any node twice is an error. Paths are plain: no `.` or `..`, and symbolic
/// links on the way are not followed.
#[derive(Debug)]
pub struct ImageBuilder {
    nodes: Vec<Draft>,
    contents: Vec<Content>,
    names: Interner,
    /// Roots of filesystems.
    volumes: Vec<NodeIndex>,
    /// The times of directories that are only implied.
    implied: Timestamp,
}

/// Why a node could not be added; holds the path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// Not absolute, too long, or with an empty, `.` or `..` component or a NUL.
    BadPath(Box<[u8]>),
    /// Something of that name is already there.
    Exists(Box<[u8]>),
    /// A component on the way is no directory.
    NotADirectory(Box<[u8]>),
    /// The node to link to is missing or a directory.
    BadLink(Box<[u8]>),
    /// A device must be a device, fifo or socket.
    BadType(Box<[u8]>),
    /// More nodes or bytes of names than 32-bit positions can tell apart.
    TooLarge(Box<[u8]>),
}

#[derive(Debug)]
struct Draft {
    attributes: Attributes,
    nlink: u32,
    kind: DraftKind,
}

#[derive(Debug)]
enum DraftKind {
    Directory {
        entries: BTreeMap<Box<[u8]>, NodeIndex>,
        parent: NodeIndex,
        name: Name,
        implied: bool,
    },
    Other(ImageKind),
}

impl ImageBuilder {
    /// An image with nothing but `/`.
    #[must_use]
    pub fn new() -> Self {
        let mut names = Interner::default();
        let name = names.intern(b"").unwrap_or(Name { start: 0, len: 0 });
        Self {
            nodes: vec![Draft {
                attributes: Attributes::default(),
                nlink: 2,
                kind: DraftKind::Directory {
                    entries: BTreeMap::new(),
                    parent: 0,
                    name,
                    implied: true,
                },
            }],
            contents: Vec::new(),
            names,
            volumes: vec![0],
            implied: Timestamp::default(),
        }
    }

    /// Gives directories that are implied from now on these times.
    #[must_use]
    pub fn dated(mut self, implied: Timestamp) -> Self {
        self.implied = implied;
        self
    }

    /// Adds a directory, or describes one that so far was only implied.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn directory(&mut self, path: &[u8], attributes: Attributes) -> Result<(), ImageError> {
        if path == b"/" {
            return self.describe(0, path, attributes);
        }
        let (parent, name) = self.parent(path)?;
        match self.child(parent, name) {
            Some(index) => self.describe(index, path, attributes),
            None => {
                let index = self.make_directory(parent, name, path)?;
                self.describe(index, path, attributes)
            }
        }
    }

    /// Gives a directory that is there this time if its own is earlier: something was put into it then.
    pub fn touch(&mut self, path: &[u8], at: Timestamp) {
        let index = if path == b"/" {
            Some(0)
        } else {
            let found = self.parent(path).ok();
            found.and_then(|(parent, name)| self.child(parent, name))
        };
        if let Some(draft) = index.and_then(|index| self.nodes.get_mut(index as usize))
            && matches!(draft.kind, DraftKind::Directory { .. })
        {
            draft.attributes.mtime = draft.attributes.mtime.max(at);
        }
    }

    /// Says that a directory that is there is the root of a filesystem of its own: a mount with
    /// [`MountRoot::Shown`](crate::MountRoot::Shown) gives all below it its device number.
    ///
    /// # Errors
    ///
    /// [`ImageError::NotADirectory`] for anything but a directory, [`ImageError::TooLarge`] after 255.
    pub fn filesystem(&mut self, path: &[u8]) -> Result<(), ImageError> {
        let (parent, name) = self.parent(path)?;
        let index = self
            .child(parent, name)
            .filter(|index| {
                matches!(
                    self.nodes.get(*index as usize).map(|draft| &draft.kind),
                    Some(DraftKind::Directory { .. })
                )
            })
            .ok_or_else(|| ImageError::NotADirectory(path.into()))?;
        if self.volumes.len() > usize::from(u8::MAX) {
            return Err(ImageError::TooLarge(path.into()));
        }
        if !self.volumes.contains(&index) {
            self.volumes.push(index);
        }
        Ok(())
    }

    /// Adds a regular file.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn file(
        &mut self,
        path: &[u8],
        attributes: Attributes,
        content: Content,
    ) -> Result<(), ImageError> {
        let index =
            u32::try_from(self.contents.len()).map_err(|_| ImageError::TooLarge(path.into()))?;
        self.add(path, attributes, ImageKind::Regular { content: index })?;
        self.contents.push(content);
        Ok(())
    }

    /// Adds a symbolic link; its mode is always `0777`.
    ///
    /// # Errors
    ///
    /// See [`ImageError`]; an empty target or one over [`MAX_PATH_BYTES`] is a
    /// [`BadPath`](ImageError::BadPath).
    pub fn symlink(
        &mut self,
        path: &[u8],
        attributes: Attributes,
        target: &[u8],
    ) -> Result<(), ImageError> {
        if target.is_empty() || target.len() > MAX_PATH_BYTES || target.contains(&0) {
            return Err(ImageError::BadPath(target.into()));
        }
        let target = self.intern(target, path)?;
        let attributes = Attributes {
            mode: 0o777,
            ..attributes
        };
        self.add(path, attributes, ImageKind::Symlink { target })
    }

    /// Adds a device, fifo or socket; `rdev` is major and minor, zeros for the latter two.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn device(
        &mut self,
        path: &[u8],
        attributes: Attributes,
        file_type: FileType,
        rdev: (u32, u32),
    ) -> Result<(), ImageError> {
        match file_type {
            FileType::Regular | FileType::Directory | FileType::Symlink => {
                Err(ImageError::BadType(path.into()))
            }
            FileType::CharDevice | FileType::BlockDevice | FileType::Fifo | FileType::Socket => {
                self.add(path, attributes, ImageKind::Special { file_type, rdev })
            }
        }
    }

    /// Gives a second name to a node that is not a directory.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn hard_link(&mut self, existing: &[u8], new: &[u8]) -> Result<(), ImageError> {
        let (dir, name) = self.parent(existing)?;
        let index = self
            .child(dir, name)
            .ok_or_else(|| ImageError::BadLink(existing.into()))?;
        match self.draft(index) {
            Some(Draft {
                kind: DraftKind::Other(_),
                nlink,
                ..
            }) => *nlink += 1,
            _ => return Err(ImageError::BadLink(existing.into())),
        }
        let (parent, name) = self.parent(new)?;
        let linked = self.enter(parent, name, index, new);
        if linked.is_err()
            && let Some(draft) = self.draft(index)
        {
            draft.nlink -= 1;
        }
        linked
    }

    /// Lays everything out in its final arrays.
    #[must_use]
    pub fn finish(self) -> Arc<Image> {
        let mut nodes = Vec::with_capacity(self.nodes.len());
        let mut entries = Vec::with_capacity(self.nodes.len());
        let volume_of = volumes_of(&self.nodes, &self.volumes);
        let mut names = self.names;
        for (draft, volume) in self.nodes.into_iter().zip(volume_of) {
            let kind = match draft.kind {
                DraftKind::Other(kind) => kind,
                DraftKind::Directory {
                    entries: children,
                    parent,
                    name,
                    ..
                } => {
                    // Both fit: every entry was counted and every name interned when it was added.
                    let first = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                    let count = u32::try_from(children.len()).unwrap_or(0);
                    entries.extend(children.iter().filter_map(|(name, node)| {
                        let name = names.intern(name)?;
                        Some(ImageEntry { name, node: *node })
                    }));
                    ImageKind::Directory {
                        first,
                        count,
                        parent,
                        name,
                    }
                }
            };
            nodes.push(ImageNode {
                attributes: draft.attributes,
                volume,
                nlink: draft.nlink,
                kind,
            });
        }
        let mut names = names.bytes;
        names.shrink_to_fit();
        let mut contents = self.contents;
        contents.shrink_to_fit();
        entries.shrink_to_fit();
        let mut image = Image {
            nodes,
            entries,
            names,
            contents,
            volumes: self.volumes,
            fingerprint: 0,
        };
        image.fingerprint = image.make_fingerprint();
        Arc::new(image)
    }

    fn draft(&mut self, index: NodeIndex) -> Option<&mut Draft> {
        self.nodes.get_mut(index as usize)
    }

    fn child(&self, dir: NodeIndex, name: &[u8]) -> Option<NodeIndex> {
        match &self.nodes.get(dir as usize)?.kind {
            DraftKind::Directory { entries, .. } => entries.get(name).copied(),
            DraftKind::Other(_) => None,
        }
    }

    fn describe(
        &mut self,
        index: NodeIndex,
        path: &[u8],
        given: Attributes,
    ) -> Result<(), ImageError> {
        match self.draft(index) {
            Some(Draft {
                attributes,
                kind: DraftKind::Directory { implied, .. },
                ..
            }) if *implied => {
                *implied = false;
                *attributes = given;
                attributes.mode &= 0o7777;
                Ok(())
            }
            _ => Err(ImageError::Exists(path.into())),
        }
    }

    /// The directory `path` lies in, made if need be, and its last component.
    fn parent<'p>(&mut self, path: &'p [u8]) -> Result<(NodeIndex, &'p [u8]), ImageError> {
        let bad = || ImageError::BadPath(path.into());
        let relative = path.strip_prefix(b"/").ok_or_else(bad)?;
        if path.len() > MAX_PATH_BYTES || path.contains(&0) {
            return Err(bad());
        }
        let mut components = relative.split(|byte| *byte == b'/').peekable();
        let mut dir = 0;
        while let Some(name) = components.next() {
            if matches!(name, b"" | b"." | b"..") || name.len() > MAX_NAME_BYTES {
                return Err(bad());
            }
            if components.peek().is_none() {
                return Ok((dir, name));
            }
            dir = match self.child(dir, name) {
                Some(index) => index,
                None => self.make_directory(dir, name, path)?,
            };
        }
        Err(bad())
    }

    fn make_directory(
        &mut self,
        parent: NodeIndex,
        name: &[u8],
        path: &[u8],
    ) -> Result<NodeIndex, ImageError> {
        let interned = self.intern(name, path)?;
        let index = self.next_index(path)?;
        self.enter(parent, name, index, path)?;
        self.nodes.push(Draft {
            attributes: Attributes {
                mtime: self.implied,
                ..Attributes::default()
            },
            nlink: 2,
            kind: DraftKind::Directory {
                entries: BTreeMap::new(),
                parent,
                name: interned,
                implied: true,
            },
        });
        if let Some(parent) = self.draft(parent) {
            parent.nlink += 1;
        }
        Ok(index)
    }

    fn add(
        &mut self,
        path: &[u8],
        attributes: Attributes,
        kind: ImageKind,
    ) -> Result<(), ImageError> {
        let (parent, name) = self.parent(path)?;
        self.intern(name, path)?;
        let index = self.next_index(path)?;
        self.enter(parent, name, index, path)?;
        self.nodes.push(Draft {
            attributes: Attributes {
                mode: attributes.mode & 0o7777,
                ..attributes
            },
            nlink: 1,
            kind: DraftKind::Other(kind),
        });
        Ok(())
    }

    fn enter(
        &mut self,
        dir: NodeIndex,
        name: &[u8],
        node: NodeIndex,
        path: &[u8],
    ) -> Result<(), ImageError> {
        self.intern(name, path)?;
        let Some(Draft {
            kind: DraftKind::Directory { entries, .. },
            ..
        }) = self.draft(dir)
        else {
            return Err(ImageError::NotADirectory(path.into()));
        };
        if entries.contains_key(name) {
            return Err(ImageError::Exists(path.into()));
        }
        entries.insert(name.into(), node);
        Ok(())
    }

    fn next_index(&self, path: &[u8]) -> Result<NodeIndex, ImageError> {
        u32::try_from(self.nodes.len()).map_err(|_| ImageError::TooLarge(path.into()))
    }

    fn intern(&mut self, name: &[u8], path: &[u8]) -> Result<Name, ImageError> {
        self.names
            .intern(name)
            .ok_or_else(|| ImageError::TooLarge(path.into()))
    }
}

/// The filesystem of every node: that of the directory it was first named in, unless it is a root.
fn volumes_of(nodes: &[Draft], roots: &[NodeIndex]) -> Vec<u8> {
    let mut found = vec![0; nodes.len()];
    // A parent comes before its children, so one pass is enough.
    for (index, draft) in nodes.iter().enumerate() {
        if let Some(root) = roots.iter().position(|root| *root as usize == index)
            && let (Some(own), Ok(root)) = (found.get_mut(index), u8::try_from(root))
        {
            *own = root;
        }
        let own = found.get(index).copied().unwrap_or(0);
        if let DraftKind::Directory { entries, .. } = &draft.kind {
            for child in entries.values() {
                if let Some(child) = found.get_mut(*child as usize) {
                    *child = own;
                }
            }
        }
    }
    found
}

impl Default for ImageBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, why) = match self {
            Self::BadPath(path) => (path, "not a plain absolute path"),
            Self::Exists(path) => (path, "already there"),
            Self::NotADirectory(path) => (path, "lies below something that is no directory"),
            Self::BadLink(path) => (path, "cannot be linked to"),
            Self::BadType(path) => (path, "neither device nor fifo nor socket"),
            Self::TooLarge(path) => (path, "does not fit, the image is full"),
        };
        write!(f, "{}: {why}", path.escape_ascii())
    }
}

impl std::error::Error for ImageError {}

/// Every name once: `README` and `changelog.gz` occur thousands of times in a real tree.
#[derive(Default, Debug)]
struct Interner {
    bytes: Vec<u8>,
    known: HashMap<Box<[u8]>, Name>,
}

impl Interner {
    fn intern(&mut self, name: &[u8]) -> Option<Name> {
        if let Some(known) = self.known.get(name) {
            return Some(*known);
        }
        let interned = Name {
            start: u32::try_from(self.bytes.len()).ok()?,
            len: u16::try_from(name.len()).ok()?,
        };
        self.bytes.extend_from_slice(name);
        self.known.insert(name.into(), interned);
        Some(interned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &[u8]) -> Content {
        Content::Bytes(Arc::from(text))
    }

    #[test]
    fn parents_are_implied_and_may_be_described_later() {
        let mut image = ImageBuilder::new();
        let plain = Attributes::default();
        image.file(b"/a/b/c", plain, text(b"x")).unwrap();
        let private = Attributes {
            mode: 0o700,
            ..plain
        };
        image.directory(b"/a", private).unwrap();
        assert_eq!(
            image.directory(b"/a", private),
            Err(ImageError::Exists((*b"/a").into()))
        );
        let image = image.finish();
        let (_, a) = image.lookup(Image::root(), b"a").unwrap();
        let node = image.node(a).unwrap();
        assert_eq!(node.attributes.mode, 0o700);
        assert_eq!(node.nlink, 3);
        assert_eq!(image.inodes(), 4);
    }

    #[test]
    fn bad_paths_are_refused() {
        let mut image = ImageBuilder::new();
        let plain = Attributes::default();
        for path in [&b""[..], b"a", b"/a/", b"//a", b"/./a", b"/a/..", b"/a\0b"] {
            assert_eq!(
                image.file(path, plain, text(b"")),
                Err(ImageError::BadPath(path.into()))
            );
        }
        image.file(b"/f", plain, text(b"")).unwrap();
        assert_eq!(
            image.file(b"/f/g", plain, text(b"")),
            Err(ImageError::NotADirectory((*b"/f/g").into()))
        );
        assert_eq!(
            image.device(b"/d", plain, FileType::Regular, (0, 0)),
            Err(ImageError::BadType((*b"/d").into()))
        );
    }

    #[test]
    fn hard_links_share_a_node() {
        let mut image = ImageBuilder::new();
        image
            .file(b"/bin/bzip2", Attributes::default(), text(b"x"))
            .unwrap();
        image.hard_link(b"/bin/bzip2", b"/bin/bzcat").unwrap();
        assert!(image.hard_link(b"/bin", b"/sbin").is_err());
        assert!(image.hard_link(b"/bin/bzip2", b"/bin/bzcat").is_err());
        let image = image.finish();
        let (_, bin) = image.lookup(Image::root(), b"bin").unwrap();
        let names: Vec<_> = image
            .list(bin)
            .map(|(_, name, ino, _)| (name, ino))
            .collect();
        assert_eq!(names[0].0, b"bzcat");
        assert_eq!(names[0].1, names[1].1);
        assert_eq!(image.node(names[0].1).unwrap().nlink, 2);
    }
}
