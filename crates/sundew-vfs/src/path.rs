//! Limits of names and paths, and cutting a path into components.

use crate::Errno;

/// Longest name of a directory entry, in bytes: `NAME_MAX`. A longer one is `ENAMETOOLONG`.
pub const MAX_NAME_BYTES: usize = 255;

/// Longest path, in bytes without a final NUL: `PATH_MAX - 1`. A longer one is `ENAMETOOLONG`.
pub const MAX_PATH_BYTES: usize = 4095;

/// Symbolic links followed in one resolution; one more is `ELOOP`. See `path_resolution(7)`.
pub const MAX_LINKS: usize = 40;

/// Refuses what no system call accepts: empty, too long, or with a NUL inside.
///
/// A NUL cannot reach a real kernel; here it can, because names are slices.
pub(crate) fn check_path(path: &[u8]) -> Result<(), Errno> {
    if path.is_empty() {
        return Err(Errno::Enoent);
    }
    if path.len() > MAX_PATH_BYTES {
        return Err(Errno::Enametoolong);
    }
    if path.contains(&0) {
        return Err(Errno::Einval);
    }
    Ok(())
}

/// The first component of `text` and what follows it, or `None` when only slashes are left.
///
/// The rest keeps its leading slash, so that a trailing slash can be told from none.
pub(crate) fn split_first(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = text.iter().position(|byte| *byte != b'/')?;
    let text = text.get(start..)?;
    let end = text
        .iter()
        .position(|byte| *byte == b'/')
        .unwrap_or(text.len());
    text.split_at_checked(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_keep_the_slash_that_follows() {
        assert_eq!(
            split_first(b"//usr//bin/"),
            Some((&b"usr"[..], &b"//bin/"[..]))
        );
        assert_eq!(split_first(b"/bin"), Some((&b"bin"[..], &b""[..])));
        assert_eq!(split_first(b"///"), None);
        assert_eq!(split_first(b""), None);
    }

    #[test]
    fn paths_have_a_length_and_no_nul() {
        assert_eq!(check_path(b""), Err(Errno::Enoent));
        assert_eq!(check_path(&[b'/'; 4095]), Ok(()));
        assert_eq!(check_path(&[b'/'; 4096]), Err(Errno::Enametoolong));
        assert_eq!(check_path(b"a\0b"), Err(Errno::Einval));
    }
}
