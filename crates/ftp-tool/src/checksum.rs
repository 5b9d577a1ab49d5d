//! Checksums of local files, in the algorithms servers offer with HASH.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use ftp_client::client::HashAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// The checksum of the first `length` bytes of a file. Blocks.
///
/// # Errors
///
/// The system's; [`io::ErrorKind::UnexpectedEof`] for a shorter file.
pub fn of_file(algorithm: HashAlgorithm, file: &File, length: u64) -> io::Result<Vec<u8>> {
    match algorithm {
        HashAlgorithm::Crc32 => {
            let mut hasher = crc32fast::Hasher::new();
            read(file, length, |bytes| hasher.update(bytes))?;
            Ok(hasher.finalize().to_be_bytes().to_vec())
        }
        HashAlgorithm::Md5 => digest::<Md5>(file, length),
        HashAlgorithm::Sha1 => digest::<Sha1>(file, length),
        HashAlgorithm::Sha256 => digest::<Sha256>(file, length),
        HashAlgorithm::Sha512 => digest::<Sha512>(file, length),
    }
}

fn digest<D: Digest>(file: &File, length: u64) -> io::Result<Vec<u8>> {
    let mut hasher = D::new();
    read(file, length, |bytes| hasher.update(bytes))?;
    Ok(hasher.finalize().to_vec())
}

/// Gives the first `length` bytes to `take`, in pieces.
fn read(file: &File, length: u64, mut take: impl FnMut(&[u8])) -> io::Result<()> {
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
        take(space.get(..count).unwrap_or_default());
        at += u64::try_from(count).unwrap_or(u64::MAX);
    }
    Ok(())
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
        let of = |algorithm| hex(&of_file(algorithm, &file, 3).unwrap());
        assert_eq!(of(HashAlgorithm::Crc32), "352441c2");
        assert_eq!(of(HashAlgorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
        let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(of(HashAlgorithm::Sha1), sha1);
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of(HashAlgorithm::Sha256), sha256);
        assert!(of(HashAlgorithm::Sha512).starts_with("ddaf35a193617abacc417349ae204131"));
        assert!(of_file(HashAlgorithm::Md5, &file, 7).is_err());
    }
}
