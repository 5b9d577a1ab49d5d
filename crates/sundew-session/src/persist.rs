//! Machines that are kept between visits: one filesystem for each source, on disk.
//!
//! A source is an IPv4 address or an IPv6 /64. While somebody of it is connected, all its connections
//! share one filesystem; when one ends, what was changed is written to a file of its own: aside, synced,
//! renamed, so that there is always a whole one. A file that is damaged, too old, or made over another
//! image is set aside or removed, and the source finds a fresh machine.
#![allow(
    clippy::disallowed_methods,
    reason = "files of the operator's, named after addresses, never after what an attacker sends"
)]

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use sundew_kernel::machine::SharedVfs;
use sundew_vfs::{Context, Credentials, NoSynthetic, RestoreError, Timestamp, Vfs};

use crate::lifetime::Sensor;
use crate::lock;
use crate::session::fresh;
use crate::source::Source;

/// Where machines are kept. Cloning gives another handle to the same place.
#[derive(Debug, Clone)]
pub struct Machines(Arc<Place>);

/// How long and how much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Time without a visit after which a machine is forgotten.
    pub time: Duration,
    /// Bytes of all files together; past it the longest unvisited go first.
    pub bytes: u64,
}

#[derive(Debug)]
struct Place {
    directory: PathBuf,
    keep: Keep,
    /// The filesystems of those who are connected.
    live: Mutex<HashMap<Source, Weak<Mutex<Vfs>>>>,
    /// Held while a file is written: two connections of one source may end at once.
    writing: Mutex<()>,
    /// Passwords that are looked at at once.
    hashing: tokio::sync::Semaphore,
}

impl Source {
    /// What the file of its machine is called.
    fn file_name(self) -> String {
        let (family, bytes) = match &self {
            Self::V4(bytes) => ("4", bytes.as_slice()),
            Self::V6(bytes) => ("6", bytes.as_slice()),
        };
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{family}-{digits}.{EXTENSION}")
    }
}

impl Machines {
    /// Keeps machines in this directory, which is made if need be; forgets those that are too old.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made or read.
    pub fn open_directory(directory: PathBuf, keep: Keep) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        let place = Place {
            directory,
            keep,
            live: Mutex::default(),
            writing: Mutex::default(),
            hashing: tokio::sync::Semaphore::new(HASHES_AT_ONCE),
        };
        place.forget()?;
        Ok(Self(Arc::new(place)))
    }

    /// The filesystem of a source: the one its other connections use, or the one that was kept, or a
    /// fresh one. `None` if there is none to be had.
    pub(crate) async fn open(&self, sensor: &Arc<Sensor>, address: IpAddr) -> Option<SharedVfs> {
        let source = Source::of(address);
        if let Some(live) = self.0.live(source) {
            return Some(live);
        }
        let (place, sensor) = (Arc::clone(&self.0), Arc::clone(sensor));
        let opened = tokio::task::spawn_blocking(move || place.load(&sensor, source)).await;
        let opened = opened.ok().flatten()?;
        let mut live = lock(&self.0.live);
        live.retain(|_, filesystem| filesystem.strong_count() > 0);
        // Another connection may have been faster.
        if let Some(earlier) = live.get(&source).and_then(Weak::upgrade) {
            return Some(earlier);
        }
        live.insert(source, Arc::downgrade(&opened));
        Some(opened)
    }

    /// Whether this is the password that a visitor gave the user on the machine that was kept. A password
    /// that nobody changed is nobody's.
    pub(crate) async fn permits(
        &self,
        sensor: &Arc<Sensor>,
        address: IpAddr,
        user: &[u8],
        password: &[u8],
    ) -> bool {
        let source = Source::of(address);
        let known = self.0.live(source).is_some() || self.0.path(source).exists();
        if !known {
            return false;
        }
        let (Some(kept), Some(pristine)) = (self.open(sensor, address).await, fresh(sensor)) else {
            return false;
        };
        let hash =
            shadow_of(&kept, user).filter(|hash| Some(hash) != shadow_of(&pristine, user).as_ref());
        let Some(hash) = hash else { return false };
        // Each takes 16 MiB and some milliseconds: whoever guesses passwords waits for the others.
        let Ok(_permit) = self.0.hashing.acquire().await else {
            return false;
        };
        let password = password.to_vec();
        let right = move || !hash.is_empty() && sundew_posix::crypt::verify(&password, &hash);
        tokio::task::spawn_blocking(right).await.unwrap_or(false)
    }

    /// Writes what was changed.
    pub(crate) async fn save(&self, address: IpAddr, filesystem: SharedVfs) {
        let (place, source) = (Arc::clone(&self.0), Source::of(address));
        let saved = tokio::task::spawn_blocking(move || {
            let _one_at_a_time = lock(&place.writing);
            let bytes = lock(&filesystem).save();
            // A later connection of this source must not load what is being written.
            place.write(source, &bytes)?;
            drop(filesystem);
            place.forget()
        });
        match saved.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a machine could not be kept"),
            Err(error) => tracing::error!(%error, "a machine could not be kept"),
        }
    }
}

impl Place {
    fn path(&self, source: Source) -> PathBuf {
        self.directory.join(source.file_name())
    }

    fn live(&self, source: Source) -> Option<SharedVfs> {
        lock(&self.live).get(&source).and_then(Weak::upgrade)
    }

    fn load(&self, sensor: &Sensor, source: Source) -> Option<SharedVfs> {
        let _after_the_last_write = lock(&self.writing);
        let path = self.path(source);
        let filesystem = fresh(sensor)?;
        let saved = match read(&path, self.keep.bytes) {
            Ok(Some(saved)) => saved,
            Ok(None) => return Some(filesystem),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a kept machine cannot be read");
                return Some(filesystem);
            }
        };
        if let Err(error) = lock(&filesystem).restore(&saved) {
            self.set_aside(&path, error);
        }
        Some(filesystem)
    }

    /// A file that cannot be used is left for the operator to look at, and out of the way.
    fn set_aside(&self, path: &Path, why: RestoreError) {
        tracing::warn!(path = %path.display(), %why, "a kept machine is set aside");
        if let Err(error) = fs::rename(path, path.with_extension(DAMAGED)) {
            tracing::warn!(path = %path.display(), %error, "nor can it be renamed");
        }
    }

    fn write(&self, source: Source, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(source);
        let temporary = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(&self.directory)?.sync_all()
    }

    /// Removes what is too old, and the oldest of what is too much.
    fn forget(&self) -> io::Result<()> {
        let now = SystemTime::now();
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let path = entry.path();
            let ours = path
                .extension()
                .is_some_and(|extension| [EXTENSION, DAMAGED].map(OsStr::new).contains(&extension));
            let metadata = entry.metadata()?;
            if ours && metadata.is_file() {
                kept.push((metadata.modified()?, metadata.len(), path));
            }
        }
        kept.sort();
        let mut total: u64 = kept.iter().map(|(_, len, _)| len).sum();
        for (modified, len, path) in kept {
            let age = now.duration_since(modified).unwrap_or_default();
            if age > self.keep.time || total > self.keep.bytes {
                fs::remove_file(&path)?;
                total -= len;
            }
        }
        Ok(())
    }
}

/// A whole file of at most `limit` bytes; `None` if there is none.
fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > limit => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "over the quota",
        )),
        Ok(_) => fs::read(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the shadow file of a machine has for a user.
fn shadow_of(filesystem: &SharedVfs, user: &[u8]) -> Option<Vec<u8>> {
    let filesystem = lock(filesystem);
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &NoSynthetic,
        cwd: filesystem.root(),
        now: Timestamp::default(),
    };
    let ino = filesystem.resolve(&cx, b"/etc/shadow", true).ok()?;
    let size = usize::try_from(filesystem.size(ino).ok()?).ok()?;
    let mut text = vec![0; size.min(MAX_SHADOW_BYTES)];
    let count = filesystem.read_at(ino, 0, &mut text).ok()?;
    text.truncate(count);
    text.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        (fields.next()? == user).then(|| fields.next().unwrap_or_default().to_vec())
    })
}

/// Bytes read of a shadow file, which a visitor may have written.
const MAX_SHADOW_BYTES: usize = 256 * 1024;
/// Passwords that are looked at at once, in all.
const HASHES_AT_ONCE: usize = 2;
/// What a kept machine's file is called.
const EXTENSION: &str = "machine";
/// What it is called when it cannot be used.
const DAMAGED: &str = "damaged";

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(bytes: u64) -> Keep {
        Keep {
            time: Duration::from_secs(3600),
            bytes,
        }
    }

    #[test]
    fn a_source_is_an_address_or_a_network() {
        let name = |text: &str| Source::of(text.parse().unwrap()).file_name();
        assert_eq!(name("192.0.2.1"), "4-c0000201.machine");
        assert_eq!(name("::ffff:192.0.2.1"), "4-c0000201.machine");
        assert_eq!(name("2001:db8::1"), name("2001:db8::2"));
        assert_ne!(name("2001:db8::1"), name("2001:db8:0:1::1"));
    }

    #[test]
    fn the_longest_unvisited_go_first_when_there_is_too_much() {
        let directory = tempfile::tempdir().unwrap();
        let machines = Machines::open_directory(directory.path().to_owned(), keep(250)).unwrap();
        let now = SystemTime::now();
        for (number, age) in [(1, 30), (2, 20), (3, 10)] {
            let source = Source::V4([10, 0, 0, number]);
            machines.0.write(source, &[0; 100]).unwrap();
            let path = directory.path().join(source.file_name());
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        fs::write(directory.path().join("notes.txt"), [0; 1000]).unwrap();
        machines.0.forget().unwrap();
        let mut left: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            ["4-0a000002.machine", "4-0a000003.machine", "notes.txt"]
        );
    }
}
