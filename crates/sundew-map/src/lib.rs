//! A file as memory: mapped, so that many who read it share its pages and the system can drop them.
//!
//! A mapped file that somebody cuts short ends the process that reads it, and one that somebody writes
//! to changes under a `&[u8]`. So what is mapped is never the file itself but a copy that has no name and,
//! once it is mapped, no open descriptor: nobody can reach it. On file systems that share blocks between
//! copies (btrfs, XFS) the copy takes no room.
//!
//! What the bytes mean is checked by whoever maps them, after the copy was made.
#![allow(
    clippy::disallowed_methods,
    reason = "reads a file the operator named; nothing an attacker sends comes here"
)]

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;

use memmap2::{Mmap, MmapOptions};

/// The bytes of a file, read-only, for as long as this value lives.
#[derive(Debug)]
pub struct Mapped(Mmap);

impl Mapped {
    /// Copies a file of at most `most` bytes aside, into `directory`, and maps the copy.
    ///
    /// # Errors
    ///
    /// Those of reading the file and of writing to the directory; [`io::ErrorKind::FileTooLarge`] past
    /// `most`, [`io::ErrorKind::UnexpectedEof`] for an empty file.
    pub fn copy_of(file: &Path, directory: &Path, most: u64) -> io::Result<Self> {
        let mut file = File::open(file)?;
        // `O_TMPFILE`, or a file whose name is removed before anybody is told of it.
        let mut copy = tempfile::tempfile_in(directory)?;
        let len = file.metadata()?.len();
        if len > most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // A file that grows meanwhile is cut; whoever reads the copy finds it damaged.
        let copied = io::copy(&mut io::Read::take(&mut file, len), &mut copy)?;
        if copied == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        copy.seek(SeekFrom::Start(0))?;
        #[expect(unsafe_code, reason = "the one place: see the head of this file")]
        // SAFETY: the file has no name and `copy` is the only descriptor of it; it is closed when this
        // function returns, so nobody can write to the file or cut it while it is mapped.
        let map = unsafe { MmapOptions::new().map(&copy)? };
        Ok(Self(map))
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_happens_to_the_file_does_not_reach_the_copy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let map = Mapped::copy_of(&path, directory.path(), 1 << 20).unwrap();
        std::fs::write(&path, b"short").unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(0)
            .unwrap();
        assert_eq!(map.as_ref(), vec![7; 100_000]);
        let names = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(names, 1, "the copy has no name");
    }

    #[test]
    fn too_much_and_nothing_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image");
        let map =
            |most| Mapped::copy_of(&path, directory.path(), most).map_err(|error| error.kind());
        assert_eq!(map(1).unwrap_err(), io::ErrorKind::NotFound);
        std::fs::write(&path, b"").unwrap();
        assert_eq!(map(1).unwrap_err(), io::ErrorKind::UnexpectedEof);
        std::fs::write(&path, b"ab").unwrap();
        assert_eq!(map(1).unwrap_err(), io::ErrorKind::FileTooLarge);
        assert_eq!(map(2).unwrap().as_ref(), b"ab");
    }
}
