//! `HASH.json` beside an artifact: when and from where it came, however often.
//!
//! Replaced as a whole by a rename, so a reader never sees half of one. Lists are bounded: a bot
//! can fetch one file under a million names.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sundew_events::Timestamp;

use super::{Kept, Origin};
use crate::store::{DRAFT_PREFIX, Reason, create_new, sync_directory};

/// Most entries of each list; later ones are left out and `lists_are_cut` says so.
pub const MAX_LIST: usize = 64;

/// Most characters of one URL or name; the rest is left out.
pub const MAX_TEXT_CHARS: usize = 2048;

/// What a sidecar says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// SHA-256 of the artifact, its file name.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether this content came as the whole of a transfer at least once.
    pub complete: bool,
    /// Why it was not whole the last time, as long as it never was.
    pub incomplete_reason: Option<String>,
    /// How often it came.
    pub times: u64,
    /// When the first of its transfers began.
    pub first_seen: String,
    /// When the last of its transfers ended.
    pub last_seen: String,
    /// From where it was fetched.
    pub urls: Vec<String>,
    /// What it was called inside the machine.
    pub names: Vec<String>,
    /// The sessions that brought it.
    pub sessions: Vec<String>,
    /// The addresses of the attackers who brought it.
    pub sources: Vec<String>,
    /// Whether any list had more than [`MAX_LIST`] entries.
    pub lists_are_cut: bool,
}

/// One arrival of an artifact.
pub(super) struct Sighting<'a> {
    pub(super) origin: &'a Origin,
    pub(super) begun: Timestamp,
    pub(super) now: Timestamp,
    pub(super) incomplete: Option<Reason>,
}

/// Adds a sighting to the artifact's sidecar. The caller keeps others from doing so meanwhile.
pub(super) fn update(kept: &Kept, sighting: &Sighting<'_>) -> io::Result<()> {
    let path = kept.path.with_extension("json");
    let mut sidecar = match read(&path) {
        Ok(Some(sidecar)) => sidecar,
        Ok(None) => Sidecar::new(kept, sighting),
        Err(error) => {
            // Damaged, or edited by hand: starting anew loses less than refusing for ever.
            tracing::warn!(path = %path.display(), %error, "a sidecar is not readable, starting anew");
            Sidecar::new(kept, sighting)
        }
    };
    sidecar.add(sighting);
    write(&path, &sidecar)
}

impl Sidecar {
    fn new(kept: &Kept, sighting: &Sighting<'_>) -> Self {
        Self {
            sha256: kept.sha256.to_string(),
            size: kept.size,
            complete: false,
            incomplete_reason: None,
            times: 0,
            first_seen: sighting.begun.to_string(),
            last_seen: String::new(),
            urls: Vec::new(),
            names: Vec::new(),
            sessions: Vec::new(),
            sources: Vec::new(),
            lists_are_cut: false,
        }
    }

    fn add(&mut self, sighting: &Sighting<'_>) {
        self.times = self.times.saturating_add(1);
        // Timestamps have one width, so text order is time order.
        let begun = sighting.begun.to_string();
        if begun < self.first_seen {
            self.first_seen = begun;
        }
        self.last_seen = sighting
            .now
            .to_string()
            .max(std::mem::take(&mut self.last_seen));
        self.complete |= sighting.incomplete.is_none();
        self.incomplete_reason = sighting
            .incomplete
            .filter(|_| !self.complete)
            .map(|reason| reason.as_str().to_owned());
        let origin = sighting.origin;
        let mut cut = push(&mut self.urls, origin.url.as_ref());
        cut |= push(&mut self.names, origin.name.as_ref());
        cut |= push(&mut self.sessions, origin.session.as_ref());
        cut |= push(&mut self.sources, origin.source.as_ref());
        self.lists_are_cut |= cut;
    }
}

/// Adds a text to a list unless it is there; says whether it was left out for want of room.
fn push(list: &mut Vec<String>, text: Option<&impl ToString>) -> bool {
    let Some(text) = text else { return false };
    let text: String = text.to_string().chars().take(MAX_TEXT_CHARS).collect();
    if list.contains(&text) {
        return false;
    }
    if list.len() >= MAX_LIST {
        return true;
    }
    list.push(text);
    false
}

fn read(path: &Path) -> io::Result<Option<Sidecar>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(MAX_SIDECAR_BYTES).read_to_end(&mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}

fn write(path: &Path, sidecar: &Sidecar) -> io::Result<()> {
    let Some((directory, name)) = path.parent().zip(path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut draft_name = std::ffi::OsString::from(DRAFT_PREFIX);
    draft_name.push(name);
    let draft = directory.join(draft_name);
    let mut text = serde_json::to_vec_pretty(sidecar)?;
    text.push(b'\n');
    let written = replace(&draft, path, &text);
    if written.is_err() {
        // Also when it never came to be; there is nothing more to do about it.
        drop(fs::remove_file(&draft));
    }
    written?;
    sync_directory(directory)
}

fn replace(draft: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    // Only one thread at a time writes sidecars, so one there is of a crash.
    drop(fs::remove_file(draft));
    let mut file = create_new(draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(draft, path)
}

/// Most bytes read of a sidecar: full lists of long texts in four-byte characters.
const MAX_SIDECAR_BYTES: u64 = (MAX_LIST * MAX_TEXT_CHARS * 4 * 4) as u64;
