//! Checksums of local files, in the algorithms servers offer with HASH.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// An algorithm we can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-512.
    Sha512,
    /// SHA-256.
    Sha256,
    /// SHA-1: finds accidents, not attackers.
    Sha1,
    /// MD5: as SHA-1.
    Md5,
}

impl Algorithm {
    /// The algorithm of this name, as draft-bryan-ftp-hash writes them; case and dashes do not count.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain: String = name
            .chars()
            .filter(|c| *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        Some(match plain.as_str() {
            "SHA512" => Self::Sha512,
            "SHA256" => Self::Sha256,
            "SHA1" => Self::Sha1,
            "MD5" => Self::Md5,
            _ => return None,
        })
    }

    /// The checksum of the first `length` bytes of a file. Blocks.
    ///
    /// # Errors
    ///
    /// The system's; [`io::ErrorKind::UnexpectedEof`] for a shorter file.
    pub fn of_file(self, file: &File, length: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Sha512 => digest::<Sha512>(file, length),
            Self::Sha256 => digest::<Sha256>(file, length),
            Self::Sha1 => digest::<Sha1>(file, length),
            Self::Md5 => digest::<Md5>(file, length),
        }
    }
}

fn digest<D: Digest>(file: &File, length: u64) -> io::Result<Vec<u8>> {
    let mut hasher = D::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut at = 0;
    while at < length {
        let most = usize::try_from(length - at).map_or(BUFFER_BYTES, |left| left.min(BUFFER_BYTES));
        let space = buffer.get_mut(..most).unwrap_or_default();
        let count = match file.read_at(space, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(space.get(..count).unwrap_or_default());
        at += u64::try_from(count).unwrap_or(u64::MAX);
    }
    Ok(hasher.finalize().to_vec())
}

const BUFFER_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::console::hex;

    #[test]
    fn known_answers() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdef").unwrap();
        let of = |name: &str| hex(&Algorithm::named(name).unwrap().of_file(&file, 3).unwrap());
        assert_eq!(of("md5"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(of("SHA-1"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of("SHA-256"), sha256);
        assert!(of("sha-512").starts_with("ddaf35a193617abacc417349ae204131"));
        assert!(Algorithm::Md5.of_file(&file, 7).is_err());
        assert_eq!(Algorithm::named("CRC32"), None);
    }
}
