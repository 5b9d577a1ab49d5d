//! A tree of files, here or there: what is known of each path before anything is moved.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use ftp_proto::listing::Entry;

pub use self::trail::Trail;

mod trail;

/// Most entries of one tree; a listing that goes on is an error, not memory.
pub const MAX_TREE_ENTRIES: usize = 1_000_000;

/// Deepest directory below the top that is entered; servers have been seen that list themselves
/// within themselves.
pub const MAX_TREE_DEPTH: usize = 100;

/// Longest relative path, in bytes; what no system stores is not asked for.
pub const MAX_PATH_BYTES: usize = 4096;

/// A path relative to the top of a tree: plain components between slashes.
///
/// The only ways in are [`RelPath::top`], [`RelPath::join`] and [`RelPath::own`], so a `RelPath` never leaves the tree.
/// Ordered so that what is in a directory follows it at once.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct RelPath(Vec<u8>);

impl Ord for RelPath {
    fn cmp(&self, other: &Self) -> Ordering {
        // No component has a byte below a blank, so a slash is made the least of all.
        let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
        self.0.iter().map(rank).cmp(other.0.iter().map(rank))
    }
}

impl PartialOrd for RelPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A name that may not be used below a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafeName(pub Vec<u8>);

impl RelPath {
    /// The top itself.
    #[must_use]
    pub const fn top() -> Self {
        Self(Vec::new())
    }

    /// The path of `name` within this directory.
    ///
    /// # Errors
    ///
    /// [`UnsafeName`]: `..`, separators, drive letters, control characters, and paths longer than
    /// [`MAX_PATH_BYTES`] or deeper than [`MAX_TREE_DEPTH`].
    pub fn join(&self, name: &[u8]) -> Result<Self, UnsafeName> {
        let unsafe_name = || UnsafeName(name.to_vec());
        let plain = Entry::new(name, ftp_proto::listing::Kind::File).is_plain_name();
        if !plain || self.0.len() + name.len() >= MAX_PATH_BYTES || self.depth() >= MAX_TREE_DEPTH {
            return Err(unsafe_name());
        }
        let mut path = self.0.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        Ok(Self(path))
    }

    /// One name the user gave: anything but a separator, NUL and the two special names.
    #[must_use]
    pub fn own(name: &[u8]) -> Option<Self> {
        let usable = !matches!(name, b"" | b"." | b"..")
            && name.len() < MAX_PATH_BYTES
            && !name.iter().any(|byte| matches!(byte, b'/' | 0));
        usable.then(|| Self(name.to_vec()))
    }

    /// The bytes, slashes between components; empty for the top.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The last component; empty for the top.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.0
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
    }

    /// The directory it is in; the top for the top.
    #[must_use]
    pub fn parent(&self) -> Self {
        let end = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        Self(self.0.get(..end).unwrap_or_default().to_vec())
    }

    /// Whether a link at this path that says `text` stays within the tree, whatever other links of the
    /// tree are on its way: it is relative, and goes up, if at all, at its beginning only.
    #[must_use]
    pub fn keeps_link(&self, text: &[u8]) -> bool {
        if text.is_empty() || text.starts_with(b"/") || text.iter().any(u8::is_ascii_control) {
            return false;
        }
        let mut up = 0;
        let mut goes_down = false;
        for name in text.split(|byte| *byte == b'/') {
            match name {
                b"" | b"." => {}
                b".." if goes_down => return false,
                b".." => up += 1,
                _ => goes_down = true,
            }
        }
        up <= self.parent().depth()
    }

    /// Number of components.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.0.is_empty() {
            0
        } else {
            self.0.iter().filter(|byte| **byte == b'/').count() + 1
        }
    }

    /// Whether this lies within `other`, or is it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        other.0.is_empty()
            || self
                .0
                .strip_prefix(other.0.as_slice())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }
}

impl fmt::Display for RelPath {
    /// Fit for a terminal: what is not printable is escaped, other languages are not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::text::printable(&self.0))
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", crate::text::printable(&self.0))
    }
}

impl fmt::Display for UnsafeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no name of a file within a directory",
            crate::text::printable(&self.0)
        )
    }
}

impl std::error::Error for UnsafeName {}

/// When a file was changed, in seconds since 1970, and how well that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modified {
    /// Seconds since 1970 UTC.
    pub unix: i64,
    /// The true time lies within so many seconds after `unix`: 1 for MLSD, 60 or a day for LIST.
    pub precision: i64,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A file.
    File {
        /// Bytes, if known.
        size: Option<u64>,
        /// Last change, if known.
        modified: Option<Modified>,
    },
    /// A directory.
    Directory,
    /// A link, and where it points. Only where links are wanted as links.
    Link(Vec<u8>),
    /// A link, device or what else is not transferred.
    Other,
}

/// Everything below one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// What is where; the top is not in it.
    pub nodes: BTreeMap<RelPath, Node>,
    /// Directories that could not be listed: what is in them is unknown, not absent.
    pub unknown: Vec<RelPath>,
    /// Names that were left out because they cannot be used.
    pub unsafe_names: Vec<UnsafeName>,
    /// Directories that are links and were entered, and where those lead: absolute, or empty if unknown.
    pub followed: BTreeMap<RelPath, Vec<u8>>,
}

impl Tree {
    /// The way to a directory.
    #[must_use]
    pub fn trail(&self, directory: &RelPath) -> Trail {
        let followed = self.followed.iter();
        let links = followed.filter(|(link, _)| directory.is_within(link));
        links
            .map(|(link, real)| (link.clone(), real.clone()))
            .collect()
    }

    /// Whether it is known what is at this path.
    #[must_use]
    pub fn knows(&self, path: &RelPath) -> bool {
        !self.unknown.iter().any(|dark| path.is_within(dark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out() {
        let top = RelPath::top();
        for name in ["..", ".", "", "/etc", "a/b", "a\\b", "c:x", "a\0", "a\n"] {
            assert!(top.join(name.as_bytes()).is_err(), "{name:?}");
        }
        assert!(top.join(&[b'x'; MAX_PATH_BYTES]).is_err());
    }

    #[test]
    fn paths_have_parents_names_and_depths() {
        let a = RelPath::top().join(b"a").unwrap();
        let b = a.join(b"b").unwrap();
        assert_eq!(
            (b.as_bytes(), b.name(), b.depth()),
            (&b"a/b"[..], &b"b"[..], 2)
        );
        assert_eq!((b.parent(), a.parent()), (a.clone(), RelPath::top()));
        assert!(b.is_within(&a) && b.is_within(&b) && a.is_within(&RelPath::top()));
        assert!(!RelPath::top().join(b"ab").unwrap().is_within(&a));
    }

    #[test]
    fn contents_follow_their_directory() {
        let a = RelPath::top().join(b"a").unwrap();
        let within = a.join(b"x").unwrap();
        let beside = RelPath::top().join(b"a b").unwrap();
        assert!(a < within && within < beside);
    }

    #[test]
    fn depth_is_bounded() {
        let mut path = RelPath::top();
        for _ in 0..MAX_TREE_DEPTH {
            path = path.join(b"d").unwrap();
        }
        assert!(path.join(b"d").is_err());
    }
}
