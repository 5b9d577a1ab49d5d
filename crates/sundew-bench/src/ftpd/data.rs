//! The files that are served: one large, many small, a long directory, and a place to write to.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// Bytes of the large file.
pub(crate) const BIG_BYTES: usize = 256 << 20;

/// Bytes of the one that fifty sessions fetch.
pub(crate) const MIDDLE_BYTES: usize = 8 << 20;

/// Bytes of a small file, and how many there are.
pub(crate) const SMALL_BYTES: usize = 4096;
pub(crate) const SMALL_FILES: usize = 1000;

/// Entries of the long directory.
pub(crate) const ENTRIES: usize = 10_000;

/// The directory of one benchmark; gone when dropped.
#[derive(Debug)]
pub(crate) struct Data {
    directory: TempDir,
}

impl Data {
    /// Makes everything, in memory if the machine has such a place: disks are not what is compared.
    pub(crate) fn make() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_path_buf()
        } else {
            std::env::temp_dir()
        };
        let directory = tempfile::Builder::new()
            .prefix("sundew-bench-")
            .tempdir_in(parent)?;
        let data = Self { directory };
        data.fill().context("cannot make the files to be served")?;
        Ok(data)
    }

    fn fill(&self) -> Result<()> {
        let root = self.root();
        for directory in [self.directory.path(), &root] {
            fs::create_dir_all(directory)?;
            fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
        }
        for directory in ["small", "list", "pub"] {
            fs::create_dir_all(root.join(directory))?;
        }
        fs::write(root.join("big"), block(BIG_BYTES))?;
        fs::write(root.join("middle"), block(MIDDLE_BYTES))?;
        for number in 0..SMALL_FILES {
            fs::write(root.join(format!("small/f{number:04}")), block(SMALL_BYTES))?;
        }
        for number in 0..ENTRIES {
            fs::write(root.join(format!("list/entry-{number:05}.dat")), b"")?;
        }
        // Anonymous clients of the other servers are this user.
        if let Some((user, group)) = user("ftp") {
            chown(root.join("pub"), Some(user), Some(group))?;
        }
        let cert = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        let (key, cert) = (cert.signing_key.serialize_pem(), cert.cert.pem());
        fs::write(self.file("key.pem"), &key)?;
        fs::write(self.file("cert.pem"), &cert)?;
        fs::write(self.file("both.pem"), key + &cert)?;
        fs::set_permissions(self.file("both.pem"), fs::Permissions::from_mode(0o600))?;
        fs::create_dir_all(self.file("empty"))?;
        Ok(())
    }

    /// What is served.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    /// A file beside it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Removes what was uploaded.
    pub(crate) fn clean(&self) -> Result<()> {
        for entry in fs::read_dir(self.root().join("pub"))? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }
}

/// Bytes in which a lost, doubled or swapped piece shows: no period a buffer size could hide behind.
pub(crate) fn block(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut period = Vec::with_capacity(PERIOD);
    while period.len() < PERIOD {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        period.extend_from_slice(&state.to_le_bytes());
    }
    period.truncate(PERIOD);
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let left = length - bytes.len();
        bytes.extend_from_slice(&period[..left.min(PERIOD)]);
    }
    bytes
}

/// A prime.
const PERIOD: usize = 65_521;

/// User and group number of a name in `/etc/passwd`.
fn user(name: &str) -> Option<(u32, u32)> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    let line = text
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
