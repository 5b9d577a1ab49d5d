//! `cowrie.json`: one line per event, appended whole, rotated at midnight UTC.
//!
//! The day is that of the events, not of a clock: the first event of a new day ends the old file.
//! A late event of the old day stays in the new file, as it does in Cowrie.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sundew_events::json::{Additions, write_line};
use sundew_events::timestamp::Day;
use sundew_events::{Event, Timestamp};

use crate::sink::{Sink, SinkError};

/// The sink that writes `cowrie.json`.
#[derive(Debug)]
pub struct CowrieJson {
    path: PathBuf,
    additions: Additions,
    file: File,
    /// The day of the file's last line, as far as is known; an empty file has none.
    day: Option<Day>,
    /// Whole lines, of which `written` bytes are in the file.
    lines: String,
    written: usize,
    dirty: bool,
}

impl CowrieJson {
    /// Opens the file for appending, making it if need be.
    ///
    /// A last line that a crash cut short is ended, so that the next one stands alone.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, read or repaired.
    pub fn open(path: &Path, additions: Additions) -> io::Result<Self> {
        let mut file = open_append(path)?;
        // Before the repair, which counts as a change of today.
        let metadata = file.metadata()?;
        repair(&mut file)?;
        let day = if metadata.is_file() && metadata.len() > 0 {
            Some(Timestamp::from_system(metadata.modified()?).day())
        } else {
            None
        };
        Ok(Self {
            path: path.to_path_buf(),
            additions,
            file,
            day,
            lines: String::new(),
            written: 0,
            dirty: false,
        })
    }

    fn push_out(&mut self) -> io::Result<()> {
        while let Some(rest) = self
            .lines
            .as_bytes()
            .get(self.written..)
            .filter(|r| !r.is_empty())
        {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.written += count;
                    self.dirty = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.lines.clear();
        self.written = 0;
        Ok(())
    }

    /// Pushes out; if that fails, tries once more in case another file has taken the place.
    fn push_out_somewhere(&mut self) -> io::Result<()> {
        self.push_out().or_else(|error| {
            if self.follow()? {
                self.push_out()
            } else {
                Err(error)
            }
        })
    }

    /// Opens the path again if it is not our file any more: moved by a log rotation of the
    /// operator's, or on a disk that was exchanged.
    fn follow(&mut self) -> io::Result<bool> {
        let ours = self.file.metadata()?;
        let is_ours = |there: &fs::Metadata| there.dev() == ours.dev() && there.ino() == ours.ino();
        if fs::metadata(&self.path).as_ref().is_ok_and(is_ours) {
            return Ok(false);
        }
        let mut file = open_append(&self.path)?;
        repair(&mut file)?;
        self.file = file;
        // A line that is torn between the two files must be whole in the new one.
        let done = self
            .lines
            .as_bytes()
            .get(..self.written)
            .unwrap_or_default();
        self.written = done
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        self.dirty = true;
        sync_parent(&self.path)?;
        Ok(true)
    }

    /// Moves the file away under the day that has ended, and begins a new one.
    fn rotate(&mut self, ended: Day) -> io::Result<()> {
        self.push_out_somewhere()?;
        self.file.sync_data().or_else(cannot_sync)?;
        self.dirty = false;
        match free_name(&self.path, ended).and_then(|name| fs::rename(&self.path, name)) {
            Ok(()) => self.file = open_append(&self.path)?,
            // Better one file too long than none.
            Err(error) => tracing::warn!(%error, "the events file could not be rotated"),
        }
        // Not an error: trying again would rotate the new file too.
        if let Err(error) = sync_parent(&self.path) {
            tracing::warn!(%error, "the events file's directory could not be synced");
        }
        Ok(())
    }
}

impl Sink for CowrieJson {
    fn name(&self) -> &'static str {
        "cowrie-json"
    }

    fn write(&mut self, event: &Event) -> Result<(), SinkError> {
        let day = event.timestamp.day();
        match self.day {
            Some(current) if day > current => {
                self.rotate(current)?;
                self.day = Some(day);
            }
            Some(_) => {}
            None => self.day = Some(day),
        }
        if self.lines.len() >= FLUSH_AT_BYTES {
            self.push_out_somewhere()?;
        }
        write_line(event, self.additions, &mut self.lines);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(self.push_out_somewhere()?)
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.follow()?;
        self.push_out_somewhere()?;
        if self.dirty {
            self.file.sync_data().or_else(cannot_sync)?;
            self.dirty = false;
        }
        Ok(())
    }
}

/// Pipes and devices cannot be synced, and need not be.
fn cannot_sync(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::InvalidInput {
        Ok(())
    } else {
        Err(error)
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    // The passwords in it are not everybody's; a log shipper can be in the group.
    OpenOptions::new()
        .append(true)
        .read(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

/// Ends a last line that has no LF.
fn repair(file: &mut File) -> io::Result<()> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        return Ok(());
    }
    tracing::warn!("the last line of cowrie.json was cut by a crash");
    file.write_all(b"\n")
}

/// `cowrie.json.2026-11-21`, or with `.1`, `.2`, … if that is taken.
fn free_name(path: &Path, day: Day) -> io::Result<PathBuf> {
    let named = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{day}{suffix}"));
        PathBuf::from(name)
    };
    let taken = |name: &PathBuf| fs::symlink_metadata(name).is_ok();
    std::iter::once(named(""))
        .chain((1..MAX_NAMES).map(|number| named(&format!(".{number}"))))
        .find(|name| !taken(name))
        .ok_or_else(|| io::ErrorKind::AlreadyExists.into())
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Bytes of lines that are collected before they are written even without a flush.
const FLUSH_AT_BYTES: usize = 64 * 1024;
/// Names tried for one day's file: so many restarts around midnight are none.
const MAX_NAMES: u32 = 1000;
