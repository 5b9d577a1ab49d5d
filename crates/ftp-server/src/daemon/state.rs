//! `process.state`: what was given and taken, and what files hold, from one run to the next.
//!
//! One JSON object, written as a whole to a file beside it that then takes its place.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::login::Logins;
use crate::account::{Counts, Members, Space};

/// The file.
#[derive(Clone, Debug)]
pub struct State {
    path: PathBuf,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    users: BTreeMap<String, Row>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    given: u64,
    taken: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
}

impl State {
    /// The state in this file.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Goes on from what the file says; one that is not there says nothing.
    ///
    /// # Errors
    ///
    /// The system's; [`io::ErrorKind::InvalidData`] for a file that is none of ours, which is then not
    /// overwritten.
    pub fn load(&self, members: &Members) -> io::Result<()> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let content: Content = serde_json::from_slice(&bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        for (name, row) in content.users {
            let space = row.bytes.zip(row.files);
            let counts = Counts {
                given: row.given,
                taken: row.taken,
                space: space.map(|(bytes, files)| Space { bytes, files }),
            };
            members.restore(name.as_bytes(), counts);
        }
        Ok(())
    }

    /// Writes the file anew. Blocks for as long as the disk takes.
    ///
    /// # Errors
    ///
    /// The system's; the file is then what it was.
    pub fn save(&self, members: &Members) -> io::Result<()> {
        let mut content = Content::default();
        for (name, counts) in members.counts() {
            // Names of users come from TOML or JSON, which is text.
            let Ok(name) = String::from_utf8(name) else {
                continue;
            };
            let row = Row {
                given: counts.given,
                taken: counts.taken,
                bytes: counts.space.map(|space| space.bytes),
                files: counts.space.map(|space| space.files),
            };
            content.users.insert(name, row);
        }
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let new = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let mut file: File = options.open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&content)?)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)
    }

    /// Writes the file from time to time; never ends.
    pub async fn keep(self, logins: Arc<Logins>) {
        let mut last = logins.members().counts();
        loop {
            tokio::time::sleep(PERIOD).await;
            let counts = logins.members().counts();
            if counts == last {
                continue;
            }
            let (state, members) = (self.clone(), Arc::clone(&logins));
            let saved = tokio::task::spawn_blocking(move || state.save(members.members())).await;
            match saved {
                Ok(Ok(())) => last = counts,
                Ok(Err(error)) => {
                    tracing::error!(path = %self.path.display(), %error, "state not written");
                }
                Err(error) => tracing::error!(%error, "state not written"),
            }
        }
    }
}

/// How much of what was given and taken a crash may forget.
const PERIOD: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_what_is_not_ours_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(&dir.path().join("state.json"));
        let members = Members::default();
        state.load(&members).unwrap();
        let counts = Counts {
            given: u64::MAX,
            taken: 3,
            space: Some(Space { bytes: 7, files: 2 }),
        };
        members.restore("ännä".as_bytes(), counts);
        members.restore(
            b"bert",
            Counts {
                given: 1,
                ..Counts::default()
            },
        );
        state.save(&members).unwrap();
        let again = Members::default();
        state.load(&again).unwrap();
        let mut all = again.counts();
        all.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(all[1], ("ännä".as_bytes().to_vec(), counts));
        assert_eq!(all[0].1.space, None);
        std::fs::write(dir.path().join("state.json"), "[]").unwrap();
        let error = state.load(&again).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
