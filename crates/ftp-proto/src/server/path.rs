//! Paths as clients see them: absolute, normalised, below a root that `..` cannot leave.

use crate::address;
use crate::server::FileError;

/// Longest path, in bytes; Linux' `PATH_MAX`. A longer one is answered `553`.
pub const MAX_PATH_BYTES: usize = 4096;

/// An absolute path without `.`, `..`, empty components and NUL; `/` is the root of what is served.
///
/// It says nothing about links: whoever maps it to files must still keep them below the root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<u8>);

impl Path {
    /// `/`.
    #[must_use]
    pub fn root() -> Self {
        Self(b"/".to_vec())
    }

    /// Resolves what a client wrote against this directory.
    ///
    /// # Errors
    ///
    /// [`FileError::NameNotAllowed`] if the result is longer than [`MAX_PATH_BYTES`] or holds NUL.
    pub fn join(&self, written: &[u8]) -> Result<Self, FileError> {
        let mut path = if written.starts_with(b"/") {
            Self::root()
        } else {
            self.clone()
        };
        for component in written.split(|&byte| byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." => path = path.parent(),
                name => path.push(name),
            }
            if path.0.len() > MAX_PATH_BYTES || component.contains(&0) {
                return Err(FileError::NameNotAllowed);
            }
        }
        Ok(path)
    }

    /// The directory above; the root is its own.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.iter().rposition(|&byte| byte == b'/') {
            None | Some(0) => Self::root(),
            Some(slash) => Self(self.0.iter().copied().take(slash).collect()),
        }
    }

    /// The last component; `None` for the root.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        self.components().last()
    }

    /// The components from the root down; none for the root.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .split(|&byte| byte == b'/')
            .filter(|component| !component.is_empty())
    }

    /// The path, beginning with `/`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is this directory or lies below it.
    #[must_use]
    pub fn is_in(&self, directory: &Self) -> bool {
        match self.0.strip_prefix(directory.as_bytes()) {
            Some(rest) => directory.0 == b"/" || rest.is_empty() || rest.starts_with(b"/"),
            None => false,
        }
    }

    /// The path as a 257 quotes it.
    pub(super) fn quoted(&self) -> Vec<u8> {
        address::quote(&self.0)
    }

    fn push(&mut self, name: &[u8]) {
        if self.0.last() != Some(&b'/') {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(name);
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn join(directory: &str, written: &str) -> String {
        let directory = Path::root().join(directory.as_bytes()).unwrap();
        directory.join(written.as_bytes()).unwrap().to_string()
    }

    #[test]
    fn dots_and_slashes_are_resolved_and_the_root_is_never_left() {
        assert_eq!(join("/", "a//b/./c"), "/a/b/c");
        assert_eq!(join("/a/b", "../c"), "/a/c");
        assert_eq!(join("/a/b", "/c/"), "/c");
        assert_eq!(join("/a", "../../../etc/passwd"), "/etc/passwd");
        assert_eq!(join("/a", ".."), "/");
        assert_eq!(join("/a", "..."), "/a/...");
    }

    #[test]
    fn a_path_cannot_grow_without_end() {
        let mut path = Path::root();
        let name = vec![b'x'; 1000];
        for _ in 0..4 {
            path = path.join(&name).unwrap();
        }
        assert_eq!(path.join(&name), Err(FileError::NameNotAllowed));
    }

    proptest! {
        #[test]
        fn joined_paths_are_normal(directory in "[a./]{0,12}", written in "[a./ ]{0,20}") {
            let path = Path::root().join(directory.as_bytes()).unwrap().join(written.as_bytes()).unwrap();
            prop_assert!(path.as_bytes().starts_with(b"/"));
            prop_assert!(path.components().all(|name| name != b"." && name != b".."));
            prop_assert_eq!(Path::root().join(path.as_bytes()), Ok(path));
        }
    }
}
