//! Files in memory: for tests, and the shortest complete example of a backend.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use ftp_proto::listing::{Entry, Kind};
use ftp_proto::server::{Abilities, Change, FileError, Path, Placement};
use ftp_proto::time::Timestamp;

use super::{Backend, CHUNK_BYTES, Files, Lister, Reader, Writer};
use crate::auth::User;

/// A tree in memory; clones share it and all users see the same.
#[derive(Clone, Debug)]
pub struct Memory {
    tree: Arc<Mutex<Tree>>,
    /// What the session has set with SITE UMASK.
    umask: Arc<AtomicU16>,
}

#[derive(Debug)]
struct Tree {
    nodes: BTreeMap<Path, Node>,
    /// Bytes of all files, and how many they may become.
    used: u64,
    limit: u64,
}

#[derive(Clone, Debug)]
struct Node {
    content: Content,
    modified: Timestamp,
    created: Timestamp,
    mode: u16,
}

impl Node {
    fn new(content: Content, now: Timestamp, umask: u16) -> Self {
        let mode = match content {
            Content::Directory => 0o777,
            Content::File(_) => 0o666,
        } & !umask;
        Self {
            content,
            modified: now,
            created: now,
            mode,
        }
    }
}

#[derive(Clone, Debug)]
enum Content {
    Directory,
    File(Vec<u8>),
}

impl Memory {
    /// An empty tree whose files may hold `limit` bytes together; more is answered as a full disk.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        let root = Node::new(Content::Directory, Timestamp::from_unix(0), UMASK);
        Self {
            tree: Arc::new(Mutex::new(Tree {
                nodes: BTreeMap::from([(Path::root(), root)]),
                used: 0,
                limit,
            })),
            umask: Arc::new(AtomicU16::new(UMASK)),
        }
    }

    fn mask(&self) -> u16 {
        self.umask.load(Ordering::Relaxed)
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        // Whoever panicked while holding it has changed at most one node.
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tree {
    fn node(&self, path: &Path) -> Result<&Node, FileError> {
        self.nodes.get(path).ok_or(FileError::NotFound)
    }

    fn directory(&self, path: &Path) -> Result<(), FileError> {
        match self.node(path)?.content {
            Content::Directory => Ok(()),
            Content::File(_) => Err(FileError::NotADirectory),
        }
    }

    fn file(&mut self, path: &Path) -> Result<&mut Vec<u8>, FileError> {
        let node = self.nodes.get_mut(path).ok_or(FileError::NotFound)?;
        match &mut node.content {
            Content::Directory => Err(FileError::IsADirectory),
            Content::File(bytes) => Ok(bytes),
        }
    }

    /// Puts a node where none is, into a directory.
    fn add(&mut self, path: &Path, content: Content, umask: u16) -> Result<(), FileError> {
        self.directory(&path.parent())?;
        if self.nodes.contains_key(path) {
            return Err(FileError::Exists);
        }
        let node = Node::new(content, now(), umask);
        self.nodes.insert(path.clone(), node);
        Ok(())
    }

    fn children(&self, directory: &Path) -> impl Iterator<Item = (&Path, &Node)> {
        self.nodes
            .iter()
            .filter(move |(path, _)| **path != *directory && path.parent() == *directory)
    }

    fn truncate(&mut self, path: &Path, length: usize) -> Result<(), FileError> {
        let bytes = self.file(path)?;
        let gone = bytes.len().saturating_sub(length) as u64;
        bytes.truncate(length);
        self.used = self.used.saturating_sub(gone);
        Ok(())
    }
}

impl Backend for Memory {
    type Files = Self;

    fn abilities(&self) -> Abilities {
        Abilities {
            links: false,
            ..Abilities::ALL
        }
    }

    async fn enter(&self, _: &User) -> Result<Self, FileError> {
        Ok(Self {
            tree: Arc::clone(&self.tree),
            umask: Arc::new(AtomicU16::new(self.mask())),
        })
    }
}

impl Files for Memory {
    type Reader = MemoryReader;
    type Writer = MemoryWriter;
    type Lister = MemoryLister;

    async fn look(&self, path: &Path) -> Result<Entry, FileError> {
        Ok(entry(path, self.tree().node(path)?))
    }

    async fn list(&self, path: &Path) -> Result<MemoryLister, FileError> {
        let tree = self.tree();
        tree.directory(path)?;
        let entries = tree.children(path).map(|(path, node)| entry(path, node));
        Ok(MemoryLister(Some(entries.collect())))
    }

    async fn read(
        &self,
        path: &Path,
        offset: u64,
    ) -> Result<(Option<u64>, MemoryReader), FileError> {
        let mut tree = self.tree();
        let bytes = tree.file(path)?;
        let offset = usize::try_from(offset).map_err(|_| FileError::BadOffset)?;
        let rest = bytes.get(offset..).ok_or(FileError::BadOffset)?;
        let rest = Bytes::copy_from_slice(rest);
        Ok((Some(rest.len() as u64), MemoryReader(rest)))
    }

    async fn write(&self, path: &Path, placement: Placement) -> Result<MemoryWriter, FileError> {
        let mut tree = self.tree();
        match placement {
            // What is to be gone on with must be there.
            Placement::At(_) | Placement::Within { .. } => {}
            Placement::Replace | Placement::Append => {
                match tree.add(path, Content::File(Vec::new()), self.mask()) {
                    Ok(()) | Err(FileError::Exists) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let length = tree.file(path)?.len();
        let at = match placement {
            Placement::Append => length,
            Placement::Replace => 0,
            Placement::At(offset) | Placement::Within { first: offset, .. } => {
                let offset = usize::try_from(offset).map_err(|_| FileError::BadOffset)?;
                if offset > length {
                    return Err(FileError::BadOffset);
                }
                offset
            }
        };
        if !matches!(placement, Placement::Within { .. }) {
            tree.truncate(path, at)?;
        }
        Ok(MemoryWriter {
            memory: self.clone(),
            path: path.clone(),
            at,
        })
    }

    async fn write_unique(
        &self,
        directory: &Path,
        stem: &[u8],
    ) -> Result<(Vec<u8>, MemoryWriter), FileError> {
        let mut tree = self.tree();
        for number in 1_u32..=u32::MAX {
            let name = [stem, format!(".{number}").as_bytes()].concat();
            let path = directory.join(&name)?;
            match tree.add(&path, Content::File(Vec::new()), self.mask()) {
                Ok(()) => {
                    let memory = self.clone();
                    return Ok((
                        name,
                        MemoryWriter {
                            memory,
                            path,
                            at: 0,
                        },
                    ));
                }
                Err(FileError::Exists) => {}
                Err(error) => return Err(error),
            }
        }
        Err(FileError::Exists)
    }

    async fn make_directory(&self, path: &Path) -> Result<(), FileError> {
        self.tree().add(path, Content::Directory, self.mask())
    }

    async fn remove_directory(&self, path: &Path) -> Result<(), FileError> {
        let mut tree = self.tree();
        tree.directory(path)?;
        if tree.children(path).next().is_some() {
            return Err(FileError::NotEmpty);
        }
        if *path == Path::root() {
            return Err(FileError::Denied);
        }
        tree.nodes.remove(path);
        Ok(())
    }

    async fn delete(&self, path: &Path) -> Result<(), FileError> {
        let mut tree = self.tree();
        tree.truncate(path, 0)?;
        tree.nodes.remove(path);
        Ok(())
    }

    async fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        let mut tree = self.tree();
        tree.node(from)?;
        tree.directory(&to.parent())?;
        let below = |path: &Path| {
            path.as_bytes()
                .strip_prefix(from.as_bytes())
                .filter(|rest| rest.is_empty() || rest.starts_with(b"/"))
                .map(<[u8]>::to_vec)
        };
        if *from == Path::root() || (from != to && below(to).is_some()) {
            return Err(FileError::NameNotAllowed);
        }
        let moved: Vec<_> = tree
            .nodes
            .keys()
            .filter_map(|path| Some((path.clone(), below(path)?)))
            .collect();
        if from != to && tree.nodes.contains_key(to) {
            tree.truncate(to, 0)?;
            tree.nodes.remove(to);
        }
        for (old, rest) in moved {
            let new = Path::root().join(&[to.as_bytes(), &rest].concat())?;
            if let Some(node) = tree.nodes.remove(&old) {
                tree.nodes.insert(new, node);
            }
        }
        Ok(())
    }

    async fn change(&self, path: &Path, change: Change) -> Result<(), FileError> {
        let mut tree = self.tree();
        let node = tree.nodes.get_mut(path).ok_or(FileError::NotFound)?;
        node.modified = change.modified.unwrap_or(node.modified);
        node.created = change.created.unwrap_or(node.created);
        node.mode = change.mode.unwrap_or(node.mode);
        Ok(())
    }

    async fn space(&self, path: &Path) -> Result<u64, FileError> {
        let tree = self.tree();
        tree.node(path)?;
        Ok(tree.limit.saturating_sub(tree.used))
    }

    async fn umask(&self, mask: Option<u16>) -> Result<u16, FileError> {
        Ok(match mask {
            Some(mask) => self.umask.swap(mask & 0o777, Ordering::Relaxed),
            None => self.mask(),
        })
    }
}

/// The bytes as they were when the file was opened.
#[derive(Debug)]
pub struct MemoryReader(Bytes);

impl Reader for MemoryReader {
    async fn read(&mut self) -> Result<Option<Bytes>, FileError> {
        let count = self.0.len().min(CHUNK_BYTES);
        Ok((count > 0).then(|| self.0.split_to(count)))
    }
}

/// Writes to a file; one that was removed meanwhile is an error.
#[derive(Debug)]
pub struct MemoryWriter {
    memory: Memory,
    path: Path,
    at: usize,
}

impl Writer for MemoryWriter {
    async fn expect(&mut self, bytes: u64) -> Result<(), FileError> {
        let tree = self.memory.tree();
        if tree.used.saturating_add(bytes) > tree.limit {
            return Err(FileError::NoSpace);
        }
        Ok(())
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), FileError> {
        let mut tree = self.memory.tree();
        let (at, room) = (self.at, tree.limit.saturating_sub(tree.used));
        let file = tree.file(&self.path)?;
        let over = at.min(file.len());
        let more = (over + bytes.len()).saturating_sub(file.len()) as u64;
        if more > room {
            return Err(FileError::NoSpace);
        }
        let end = file.len().min(over + bytes.len());
        file.splice(over..end, bytes.iter().copied());
        tree.used += more;
        self.at = over + bytes.len();
        if let Some(node) = tree.nodes.get_mut(&self.path) {
            node.modified = now();
        }
        Ok(())
    }

    async fn finish(self) -> Result<(), FileError> {
        Ok(())
    }
}

/// The entries as they were when the directory was opened.
#[derive(Debug)]
pub struct MemoryLister(Option<Vec<Entry>>);

impl Lister for MemoryLister {
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, FileError> {
        Ok(self.0.take())
    }
}

fn entry(path: &Path, node: &Node) -> Entry {
    let (kind, size) = match &node.content {
        Content::Directory => (Kind::Directory, None),
        Content::File(bytes) => (Kind::File, Some(bytes.len() as u64)),
    };
    let mut entry = Entry::new(path.name().unwrap_or(b"/"), kind);
    entry.size = size;
    entry.modified = Some(node.modified);
    entry.created = Some(node.created);
    entry.mode = Some(node.mode);
    entry
}

/// The bits new files do not get.
const UMASK: u16 = 0o022;

fn now() -> Timestamp {
    crate::files::timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::root().join(text.as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn a_full_memory_refuses_and_deleting_makes_room() {
        let memory = Memory::new(4);
        let mut writer = memory.write(&path("a"), Placement::Replace).await.unwrap();
        writer.write(Bytes::from_static(b"1234")).await.unwrap();
        let more = writer.write(Bytes::from_static(b"5")).await;
        assert_eq!(more, Err(FileError::NoSpace));
        memory.delete(&path("a")).await.unwrap();
        let mut writer = memory.write(&path("b"), Placement::Replace).await.unwrap();
        assert_eq!(writer.write(Bytes::from_static(b"5")).await, Ok(()));
    }

    #[tokio::test]
    async fn a_directory_moves_with_what_it_holds_but_not_into_itself() {
        let memory = Memory::new(100);
        memory.make_directory(&path("a")).await.unwrap();
        memory
            .write(&path("a/f"), Placement::Replace)
            .await
            .unwrap();
        assert_eq!(
            memory.rename(&path("a"), &path("a/b")).await,
            Err(FileError::NameNotAllowed)
        );
        memory.rename(&path("a"), &path("c")).await.unwrap();
        assert!(memory.look(&path("c/f")).await.is_ok());
        assert_eq!(memory.look(&path("a/f")).await, Err(FileError::NotFound));
        assert_eq!(
            memory.remove_directory(&path("c")).await,
            Err(FileError::NotEmpty)
        );
    }
}
