//! A directory of this computer, and nothing outside of it.
//!
//! Every path is resolved by the kernel from a descriptor of the directory, with `openat2(2)` and
//! `RESOLVE_BENEATH`: a link that a server got us to write into, or that somebody swaps in meanwhile,
//! leads nowhere else. The calls block; callers run them on the runtime's blocking threads.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, UTIME_OMIT,
};
use rustix::io::Errno;

use crate::cli::Links;
use crate::failure::{Failure, Phase};
use crate::filter::Filter;
use crate::tree::{MAX_TREE_ENTRIES, Modified, Node, RelPath, Tree, UnsafeName};

/// An opened directory; clones share it.
#[derive(Clone, Debug)]
pub struct Folder {
    fd: Arc<OwnedFd>,
    path: PathBuf,
}

impl Folder {
    /// Opens a directory; `make`: creates it, and those above it, if it is not there.
    ///
    /// # Errors
    ///
    /// [`Phase::Local`].
    pub fn open(path: &Path, make: bool) -> Result<Self, Failure> {
        if make {
            std::fs::create_dir_all(path).map_err(|error| Failure::local(path, &error))?;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| Failure::local(path, &errno.into()))?;
        Ok(Self {
            fd: Arc::new(fd),
            path: path.to_owned(),
        })
    }

    /// The path of something in it, for messages.
    #[must_use]
    pub fn display_path(&self, path: &RelPath) -> PathBuf {
        self.path.join(std::ffi::OsStr::from_bytes(path.as_bytes()))
    }

    /// What is at the path, links followed as long as they stay inside.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn stat(&self, path: &RelPath) -> io::Result<Stat> {
        let fd = self.resolve(path, OFlags::PATH, Mode::empty())?;
        Ok(rustix::fs::fstat(fd)?)
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    ///
    /// The system's; [`io::ErrorKind::InvalidInput`] for what is not a regular file.
    pub fn read(&self, path: &RelPath) -> io::Result<(File, Stat)> {
        // Not blocking: a named pipe would keep the thread for ever.
        let fd = self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
        let stat = rustix::fs::fstat(&fd)?;
        if kind(&stat) != FileType::RegularFile {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        Ok((File::from(fd), stat))
    }

    /// Makes a directory; one that is there already is fine.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn make_directory(&self, path: &RelPath) -> io::Result<()> {
        let parent = self.parent(path)?;
        match rustix::fs::mkdirat(&parent, path.name(), Mode::from_raw_mode(0o777)) {
            Err(Errno::EXIST) if kind(&self.stat(path)?) == FileType::Directory => Ok(()),
            result => Ok(result?),
        }
    }

    /// Removes a file or a link.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn remove_file(&self, path: &RelPath) -> io::Result<()> {
        let parent = self.parent(path)?;
        Ok(rustix::fs::unlinkat(parent, path.name(), AtFlags::empty())?)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn remove_directory(&self, path: &RelPath) -> io::Result<()> {
        let parent = self.parent(path)?;
        Ok(rustix::fs::unlinkat(
            parent,
            path.name(),
            AtFlags::REMOVEDIR,
        )?)
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn make_link(&self, path: &RelPath, text: &[u8]) -> io::Result<()> {
        let parent = self.parent(path)?;
        Ok(rustix::fs::symlinkat(text, parent, path.name())?)
    }

    /// Everything below it that the filter lets through; our own partial files are left out. Links that
    /// lead out of the directory, or back to where they stand, are never followed.
    #[must_use]
    pub fn walk(&self, filter: &Filter, links: Links) -> Tree {
        let mut tree = Tree::default();
        let mut open = vec![RelPath::top()];
        while let Some(directory) = open.pop() {
            let full = tree.nodes.len() > MAX_TREE_ENTRIES;
            if full
                || self
                    .walk_one(&directory, (filter, links), &mut tree, &mut open)
                    .is_err()
            {
                tree.unknown.push(directory);
            }
        }
        tree
    }

    fn walk_one(
        &self,
        directory: &RelPath,
        (filter, links): (&Filter, Links),
        tree: &mut Tree,
        open: &mut Vec<RelPath>,
    ) -> io::Result<()> {
        let fd = self.resolve(directory, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        for entry in Dir::read_from(&fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") || crate::part::is_part(name) {
                continue;
            }
            let Ok(path) = directory.join(name) else {
                tree.unsafe_names.push(UnsafeName(name.to_vec()));
                continue;
            };
            let stat = match rustix::fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Gone meanwhile.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            let stat = match (kind(&stat), links) {
                (FileType::Symlink, Links::Copy) => {
                    let text = rustix::fs::readlinkat(&fd, name, Vec::new())?;
                    tree.nodes.insert(path, Node::Link(text.into_bytes()));
                    continue;
                }
                (FileType::Symlink, Links::Follow) => self.behind(&path).unwrap_or(stat),
                _ => stat,
            };
            let node = match kind(&stat) {
                FileType::Directory => {
                    if !filter.enters(path.as_bytes()) {
                        continue;
                    }
                    open.push(path.clone());
                    Node::Directory
                }
                FileType::RegularFile => Node::File {
                    size: u64::try_from(stat.st_size).ok(),
                    modified: Some(Modified {
                        unix: stat.st_mtime,
                        precision: 1,
                    }),
                },
                _ => Node::Other,
            };
            tree.nodes.insert(path, node);
        }
        Ok(())
    }

    /// What a link leads to; `None` if that is outside, nothing, or a directory the link is in.
    fn behind(&self, path: &RelPath) -> Option<Stat> {
        let found = self.stat(path).ok()?;
        let mut above = path.clone();
        while kind(&found) == FileType::Directory && !above.as_bytes().is_empty() {
            above = above.parent();
            let one = self.stat(&above).ok()?;
            if (one.st_dev, one.st_ino) == (found.st_dev, found.st_ino) {
                return None;
            }
        }
        Some(found)
    }

    /// The directory a path is in.
    pub(crate) fn parent(&self, path: &RelPath) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        self.resolve(&path.parent(), flags, Mode::empty())
    }

    fn resolve(&self, path: &RelPath, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let name = match path.as_bytes() {
            b"" => &b"."[..],
            name => name,
        };
        for _ in 0..MAX_RESOLVE_TRIES {
            let flags = flags | OFlags::CLOEXEC;
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
            match rustix::fs::openat2(self.fd.as_fd(), name, flags, mode, resolve) {
                // The kernel asks for another try while directories are being moved about.
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::XDEV) => {
                    return Err(io::Error::other("a link leads out of the directory"));
                }
                result => return Ok(result?),
            }
        }
        Err(Errno::AGAIN.into())
    }
}

/// Splits a path the user gave into its directory and its name.
///
/// # Errors
///
/// [`Phase::Local`] if it has no name (`/`, `..`).
pub fn split(path: &Path) -> Result<(PathBuf, RelPath), Failure> {
    let name = path
        .file_name()
        .and_then(|name| RelPath::own(name.as_bytes()))
        .ok_or_else(|| {
            Failure::new(
                Phase::Local,
                format!("{}: not the name of a file", path.display()),
            )
        })?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((directory, name))
}

/// Sets the time of the last change, the one of the last access left alone.
///
/// # Errors
///
/// The system's.
pub fn set_modified(file: &File, unix: i64) -> io::Result<()> {
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: unix,
            tv_nsec: 0,
        },
    };
    Ok(rustix::fs::futimens(file, &times)?)
}

/// The kind of what was looked at.
#[must_use]
pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// What is at a path the user gave, links followed; `None` if nothing is.
#[must_use]
pub fn look(path: &Path) -> Option<Stat> {
    rustix::fs::statat(CWD, path, AtFlags::empty()).ok()
}

/// Seconds since 1970.
#[must_use]
pub fn now_unix() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

const MAX_RESOLVE_TRIES: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        text.split('/').fold(RelPath::top(), |path, name| {
            path.join(name.as_bytes()).unwrap()
        })
    }

    #[test]
    fn a_walk_finds_files_and_leaves_links_and_partial_files() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::create_dir(dir.path().join("skip")).unwrap();
        std::fs::write(dir.path().join("a/x"), "123").unwrap();
        std::fs::write(dir.path().join("a/.x.part"), "12").unwrap();
        std::fs::write(dir.path().join("skip/y"), "1").unwrap();
        std::os::unix::fs::symlink("/etc", dir.path().join("out")).unwrap();
        let filter = Filter::new(&[], &["skip/"]);
        let tree = Folder::open(dir.path(), false)
            .unwrap()
            .walk(&filter, Links::Skip);
        let names: Vec<String> = tree.nodes.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["a", "a/x", "out"]);
        assert_eq!(tree.nodes[&path("out")], Node::Other);
        assert!(matches!(
            tree.nodes[&path("a/x")],
            Node::File { size: Some(3), .. }
        ));
    }

    #[test]
    fn a_link_out_of_the_directory_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("d")).unwrap();
        let folder = Folder::open(dir.path(), false).unwrap();
        assert!(folder.read(&path("d/x")).is_err());
        assert!(folder.make_directory(&path("d/new")).is_err());
        assert!(folder.remove_file(&path("d/x")).is_err());
        assert!(folder.remove_file(&path("d")).is_ok() && outside.path().join("x").exists());
    }

    #[test]
    fn paths_are_split_into_directory_and_name() {
        let (directory, name) = split(Path::new("a/b")).unwrap();
        assert_eq!(
            (directory.as_path(), name.name()),
            (Path::new("a"), &b"b"[..])
        );
        assert_eq!(split(Path::new("b")).unwrap().0, Path::new("."));
        assert!(split(Path::new("..")).is_err() && split(Path::new("/")).is_err());
    }
}
