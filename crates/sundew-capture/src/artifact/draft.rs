//! The writer thread's side of an artifact: the file without a name, and how it gets one.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sundew_events::{Sha256Sum, Timestamp};

use super::sidecar::{self, Sighting};
use super::{Kept, Origin};
use crate::lane::lock;
use crate::store::{Lost, Reason, Shelves, create_draft, sync_directory};

/// An artifact while it is written. Its file appears with its first byte.
#[derive(Debug)]
pub(super) struct Draft {
    shelves: Arc<Shelves>,
    origin: Origin,
    file: Option<(File, PathBuf)>,
    hash: Sha256,
    size: u64,
    /// Why the rest was not written, and how many bytes that were.
    stopped: Option<Reason>,
    missing: u64,
}

impl Draft {
    pub(super) fn new(shelves: &Arc<Shelves>, origin: Origin) -> Self {
        Self {
            shelves: Arc::clone(shelves),
            origin,
            file: None,
            hash: Sha256::new(),
            size: 0,
            stopped: None,
            missing: 0,
        }
    }

    /// Writes bytes; after a failure it only counts them, because a hole would be worse.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        let length = bytes.len() as u64;
        if self.stopped.is_none() {
            match self.try_append(bytes, length) {
                Ok(()) => {
                    self.hash.update(bytes);
                    self.size += length;
                    return;
                }
                Err(reason) => self.stopped = Some(reason),
            }
        }
        self.missing += length;
    }

    fn try_append(&mut self, bytes: &[u8], length: u64) -> Result<(), Reason> {
        self.shelves
            .account
            .reserve(length)
            .map_err(|_full| Reason::Quota)?;
        let written = self.open_file().and_then(|file| file.write_all(bytes));
        written.map_err(|error| {
            tracing::debug!(%error, "an artifact could not be written");
            self.shelves.account.release(length);
            Reason::Disk
        })
    }

    fn open_file(&mut self) -> io::Result<&mut File> {
        let (file, _) = match &mut self.file {
            Some(open) => open,
            closed => {
                let directory = &self.shelves.config.artifacts;
                closed.insert(create_draft(&self.shelves, directory, "")?)
            }
        };
        Ok(file)
    }

    /// Syncs the file and gives it its name and sidecar.
    pub(super) fn finish(
        &mut self,
        incomplete: Option<Reason>,
        begun: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Kept>, Lost> {
        let incomplete = self.stopped.or(incomplete);
        if self.missing > 0 {
            let reason = incomplete.unwrap_or(Reason::Disk);
            let lost = Lost {
                reason,
                bytes: self.missing,
            };
            self.shelves.counters.artifact(lost);
            if self.size == 0 {
                self.discard();
                return Err(lost);
            }
        }
        let Some((file, path)) = self.file.take() else {
            return Ok(None);
        };
        let sha256 = Sha256Sum::from_bytes(std::mem::take(&mut self.hash).finalize().into());
        match self.commit(&file, &path, sha256) {
            Ok((path, duplicate)) => {
                let sighting = Sighting {
                    origin: &self.origin,
                    begun,
                    now,
                    incomplete,
                };
                let kept = Kept {
                    sha256,
                    size: self.size,
                    duplicate,
                    path,
                    incomplete,
                };
                self.note(&kept, &sighting);
                Ok(Some(kept))
            }
            Err(error) => {
                tracing::debug!(%error, "an artifact could not be named");
                self.file = Some((file, path));
                self.discard();
                let lost = Lost {
                    reason: Reason::Disk,
                    bytes: self.size,
                };
                self.shelves.counters.artifact(lost);
                Err(lost)
            }
        }
    }

    /// Gives the file its final name; says whether that name was there already.
    fn commit(&self, file: &File, draft: &Path, sha256: Sha256Sum) -> io::Result<(PathBuf, bool)> {
        if self.stopped.is_some() {
            // A write that failed half-way may have left bytes that are not in the hash.
            file.set_len(self.size)?;
        }
        file.sync_all()?;
        let directory = &self.shelves.config.artifacts;
        let path = directory.join(sha256.to_string());
        let _commit = lock(&self.shelves.commit);
        // A file of another size is not that content, whatever damaged it: ours replaces it.
        if fs::metadata(&path).is_ok_and(|old| old.len() == self.size) {
            fs::remove_file(draft)?;
            self.shelves.account.release(self.size);
            return Ok((path, true));
        }
        fs::rename(draft, &path)?;
        sync_directory(directory)?;
        Ok((path, false))
    }

    fn note(&self, kept: &Kept, sighting: &Sighting<'_>) {
        let _commit = lock(&self.shelves.commit);
        if let Err(error) = sidecar::update(kept, sighting) {
            self.shelves.counters.sidecar(&error);
        }
    }

    fn discard(&mut self) {
        if let Some((_, path)) = self.file.take() {
            if let Err(error) = fs::remove_file(&path) {
                tracing::debug!(%error, "a draft could not be removed");
            }
            self.shelves.account.release(self.size);
        }
    }
}

/// Keeps a draft that a crash left behind. Where it came from is forgotten.
pub(super) fn recover(shelves: &Arc<Shelves>, path: &Path) {
    if let Err(error) = try_recover(shelves, path) {
        tracing::warn!(path = %path.display(), %error, "a draft of a crash could not be kept");
    }
}

fn try_recover(shelves: &Arc<Shelves>, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let written = Timestamp::from_system(metadata.modified()?);
    if metadata.len() == 0 {
        return fs::remove_file(path);
    }
    let mut draft = Draft::new(shelves, Origin::default());
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        draft.hash.update(&buffer[..count]);
        // The quota knows these bytes already: they were there when the store was opened.
        draft.size += count as u64;
    }
    draft.file = Some((file, path.to_path_buf()));
    match draft.finish(Some(Reason::Crash), written, written) {
        Ok(_) => tracing::info!("kept an artifact that a crash had interrupted"),
        Err(lost) => tracing::warn!(%lost, "an artifact that a crash had interrupted"),
    }
    Ok(())
}

const READ_BYTES: usize = 64 * 1024;
