//! From a path to an inode: `path_resolution(7)` as Linux does it.
//!
//! One loop without recursion: what is still to be walked is a stack of at most [`MAX_LINKS`] + 1
//! pieces, the path and the targets of links met on the way.

use crate::path::{MAX_LINKS, MAX_NAME_BYTES, MAX_PATH_BYTES, check_path, split_first};
use crate::permission::{Access, STICKY, check};
use crate::vfs::{Context, Vfs};
use crate::{Errno, InodeId, Metadata};

/// What to do with a symbolic link at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Follow {
    /// Leave it, even before a slash: calls that change names.
    Never,
    /// Leave it unless a slash follows: `lstat(2)`.
    BeforeSlash,
    /// Go on: `stat(2)`.
    Always,
    /// Go on, but stop before a last name with a slash behind it: `open(2)` with `O_CREAT`, which
    /// refuses that whether the name exists or not.
    Creating,
    /// The same without following: with `O_EXCL` or `O_NOFOLLOW`.
    CreatingHere,
}

impl Follow {
    /// Whether the last component is left to the caller instead of being looked up.
    fn defers(self, name: &[u8], slash: bool) -> bool {
        match self {
            // Calls that change names have other errors to report first.
            Self::Never => name.len() > MAX_NAME_BYTES,
            Self::Creating | Self::CreatingHere => slash && !matches!(name, b"." | b".."),
            Self::BeforeSlash | Self::Always => false,
        }
    }

    /// Whether a link is followed.
    fn follows(self, is_last: bool, slash: bool) -> bool {
        match self {
            Self::Never | Self::CreatingHere => !is_last,
            Self::BeforeSlash => !is_last || slash,
            Self::Always | Self::Creating => true,
        }
    }
}

/// The last component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Last {
    /// The path was `/`, or ended in a link to it.
    Root,
    Dot,
    DotDot,
    Name(Box<[u8]>),
}

/// The last component of a walk with [`Follow::Never`], refused if no directory could have it.
pub(crate) fn checked_name(name: &[u8]) -> Result<&[u8], Errno> {
    if name.len() > MAX_NAME_BYTES {
        return Err(Errno::Enametoolong);
    }
    Ok(name)
}

/// Where a path leads.
#[derive(Clone, Debug)]
pub(crate) struct Walked {
    /// The directory the last component was looked up in.
    pub(crate) dir: InodeId,
    pub(crate) last: Last,
    /// What it names; `None` when all but the last component exists.
    pub(crate) node: Option<InodeId>,
    /// A slash follows the last component.
    pub(crate) slash: bool,
    /// The way led through a bind mount that lets nothing be changed. Not known of a working directory.
    pub(crate) read_only: bool,
}

impl Vfs {
    /// Walks `path` from `start`, or from the root if it is absolute.
    ///
    /// Only the last component may be missing; what [`Follow::defers`] says may be there or not. Whether the result suits (a directory before a
    /// slash) is for the caller to say, because calls differ in the error.
    pub(crate) fn walk(
        &self,
        cx: &Context<'_>,
        start: InodeId,
        path: &[u8],
        follow: Follow,
    ) -> Result<Walked, Errno> {
        check_path(path)?;
        let mut pending = Pending::new(path);
        let mut at = if path.starts_with(b"/") {
            self.root()
        } else {
            start
        };
        let mut links = 0;
        let mut walked = Walked {
            dir: at,
            last: Last::Root,
            node: Some(at),
            slash: true,
            read_only: false,
        };
        while let Some(name) = pending.next() {
            let dir = self.metadata(cx, at)?;
            if !dir.is_dir() {
                return Err(Errno::Enotdir);
            }
            check(&dir, cx.creds, Access::Execute)?;
            let is_last = pending.is_last();
            let slash = pending.has_slash();
            let (last, node, crossed) = if is_last && follow.defers(&name, slash) {
                (Last::Name(name.into()), None, false)
            } else {
                self.step(cx, at, name)?
            };
            let read_only = walked.read_only || crossed;
            walked = Walked {
                dir: at,
                last,
                node,
                slash,
                read_only,
            };
            let Some(node) = node else {
                return if is_last {
                    Ok(walked)
                } else {
                    Err(Errno::Enoent)
                };
            };
            if follow.follows(is_last, slash)
                && let Some(target) = self.link_target(cx, &dir, node)?
            {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::Eloop);
                }
                match target {
                    Target::Node(target) => {
                        at = self.cross(target);
                        walked.node = Some(at);
                    }
                    Target::Path(target) => {
                        if target.starts_with(b"/") {
                            at = self.root();
                            // In case nothing but slashes is left.
                            walked = Walked {
                                dir: at,
                                last: Last::Root,
                                node: Some(at),
                                slash: true,
                                read_only: false,
                            };
                        }
                        pending.push(target);
                    }
                }
            } else {
                at = node;
            }
        }
        Ok(walked)
    }

    /// One component further, mount points crossed, and whether one of them was a read-only bind mount.
    fn step(
        &self,
        cx: &Context<'_>,
        at: InodeId,
        name: Vec<u8>,
    ) -> Result<(Last, Option<InodeId>, bool), Errno> {
        match name.as_slice() {
            b"." => Ok((Last::Dot, Some(at), false)),
            b".." => Ok((Last::DotDot, Some(self.parent(cx, at)?), false)),
            long if long.len() > MAX_NAME_BYTES => Err(Errno::Enametoolong),
            plain => {
                let (node, read_only) = match self.lookup(cx, at, plain) {
                    Ok(node) => {
                        let seen = self.cross(node);
                        (Some(seen), self.crosses_read_only(node, seen))
                    }
                    Err(Errno::Enoent) => (None, false),
                    Err(errno) => return Err(errno),
                };
                Ok((Last::Name(name.into()), node, read_only))
            }
        }
    }

    pub(crate) fn lookup(
        &self,
        cx: &Context<'_>,
        dir: InodeId,
        name: &[u8],
    ) -> Result<InodeId, Errno> {
        if dir.is_synthetic() {
            cx.synthetic.lookup(dir, name)
        } else {
            self.overlay.lookup(dir, name)
        }
    }

    /// `..` of a directory; of `/`, itself.
    pub(crate) fn parent(&self, cx: &Context<'_>, dir: InodeId) -> Result<InodeId, Errno> {
        let dir = self.uncross(dir);
        if dir == self.root() {
            return Ok(dir);
        }
        let parent = if dir.is_synthetic() {
            cx.synthetic.parent(dir)?
        } else {
            self.overlay.place(dir).ok_or(Errno::Enoent)?.0
        };
        Ok(self.cross(parent))
    }

    /// Where a link leads; `None` for anything that is no link.
    ///
    /// In a sticky directory open to all, links of others are not followed, not even by root:
    /// `fs.protected_symlinks` is on in Debian; see `proc_sys_fs(5)`.
    fn link_target(
        &self,
        cx: &Context<'_>,
        dir: &Metadata,
        node: InodeId,
    ) -> Result<Option<Target>, Errno> {
        let meta = self.metadata(cx, node)?;
        if !meta.is_symlink() {
            return Ok(None);
        }
        let open_to_all = dir.mode & (STICKY | 0o002) == STICKY | 0o002;
        if open_to_all && meta.uid != cx.creds.uid && meta.uid != dir.uid {
            return Err(Errno::Eacces);
        }
        if node.is_synthetic()
            && let Some(target) = cx.synthetic.follow(node)
        {
            return Ok(Some(Target::Node(target)));
        }
        let target = self.read_link_ino(cx, node)?;
        if target.is_empty() {
            return Err(Errno::Enoent);
        }
        if target.len() > MAX_PATH_BYTES {
            return Err(Errno::Enametoolong);
        }
        Ok(Some(Target::Path(target)))
    }
}

enum Target {
    Node(InodeId),
    Path(Vec<u8>),
}

/// What is still to be walked, the innermost link's target last.
struct Pending<'p> {
    path: &'p [u8],
    /// Targets with how much of each was walked.
    targets: Vec<(Vec<u8>, usize)>,
}

impl<'p> Pending<'p> {
    fn new(path: &'p [u8]) -> Self {
        Self {
            path,
            targets: Vec::new(),
        }
    }

    fn push(&mut self, target: Vec<u8>) {
        self.targets.push((target, 0));
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        while let Some((target, walked)) = self.targets.last_mut() {
            let left = target.get(*walked..).unwrap_or_default();
            if let Some((name, rest)) = split_first(left) {
                let name = name.to_vec();
                *walked = target.len() - rest.len();
                return Some(name);
            }
            // Its slashes count for the component before it, which was asked for already.
            self.targets.pop();
        }
        let (name, rest) = split_first(self.path)?;
        self.path = rest;
        Some(name.to_vec())
    }

    fn left(&self) -> impl Iterator<Item = &[u8]> {
        self.targets
            .iter()
            .map(|(target, walked)| target.get(*walked..).unwrap_or_default())
            .chain([self.path])
    }

    fn is_last(&self) -> bool {
        self.left().all(|text| split_first(text).is_none())
    }

    fn has_slash(&self) -> bool {
        self.left().any(|text| !text.is_empty())
    }
}
