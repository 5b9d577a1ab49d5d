//! A download that is not whole yet: `.NAME.part` and what is known of it.
//!
//! Bytes go into a hidden file beside the target, which replaces the target in one step once all of
//! them are there. `.NAME.part.json` says which remote file (size and time) the bytes are of, and
//! which ranges have come; a later attempt goes on only if the server still has that file.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;

use ftp_proto::time::Timestamp;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::local::{self, Folder};
use crate::tree::RelPath;

/// Files from this size on are worth a note when the transfer begins, so that even a killed process
/// can be gone on from; smaller ones are noted only when it fails. In bytes.
pub const NOTED_FROM_BYTES: u64 = 1024 * 1024;

/// Most bytes of a note that are read.
const MAX_NOTE_BYTES: u64 = 64 * 1024;

/// Most bytes of a name that are kept in the name of its partial file; ext4 stores 255.
const MAX_STEM_BYTES: usize = 220;

/// What tells one version of a remote file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Version {
    /// Bytes, if the server says.
    pub size: Option<u64>,
    /// Last change, if the server says.
    pub modified: Option<Timestamp>,
}

/// Bytes that have come or are to come: from, up to but not including.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

/// A partial file, opened.
#[derive(Debug)]
pub struct Part {
    directory: OwnedFd,
    name: Vec<u8>,
    stem: Vec<u8>,
    file: File,
    version: Version,
}

#[derive(Serialize, Deserialize)]
struct Note {
    size: Option<u64>,
    /// `YYYYMMDDHHMMSS`, UTC.
    modified: Option<String>,
    /// What has come; without it, all from the beginning to the end of the file.
    done: Option<Vec<Range>>,
}

impl Part {
    /// Opens the partial file of a target, and says which ranges of this version are in it already.
    ///
    /// `resume`: whether to go on with what is there; otherwise, or when it is of another version,
    /// it is emptied.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn open(
        folder: &Folder,
        path: &RelPath,
        version: Version,
        resume: bool,
    ) -> io::Result<(Self, Vec<Range>)> {
        let directory = folder.parent(path)?;
        let stem = stem(path.name());
        // Nobody's link is followed, and what is no regular file is refused.
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&directory, &stem, flags, Mode::from_raw_mode(0o666))?;
        rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another process is transferring it"))?;
        let stat = rustix::fs::fstat(&fd)?;
        if local::kind(&stat) != FileType::RegularFile {
            return Err(io::Error::other("the partial file is no regular file"));
        }
        let part = Self {
            directory,
            name: path.name().to_vec(),
            stem,
            file: File::from(fd),
            version,
        };
        let length = u64::try_from(stat.st_size).unwrap_or(0);
        let done = match part.note() {
            Some(note) if resume => note.ranges(version, length),
            _ => Vec::new(),
        };
        if done.is_empty() && length > 0 {
            part.file.set_len(0)?;
        }
        Ok((part, done))
    }

    /// The version it is of.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Another handle of the file.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn clone_file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Keeps the part for a later attempt; says how many bytes are in it. An empty one is removed,
    /// and one that was noted down in ranges keeps that note.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn keep(&self) -> io::Result<u64> {
        let length = self.file.metadata()?.len();
        if length == 0 {
            self.discard();
        } else if self.note().is_none() {
            self.write_note(None)?;
        }
        Ok(length)
    }

    /// The file, to be written at any place.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Notes down what has come; `None`: the bytes are written in order, so the length of the file
    /// says it.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn write_note(&self, done: Option<&[Range]>) -> io::Result<()> {
        let mut text = Vec::new();
        let modified = self.version.modified.map(|modified| {
            modified.write(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let note = Note {
            size: self.version.size,
            modified,
            done: done.map(<[Range]>::to_vec),
        };
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let fd = rustix::fs::openat(&self.directory, note_name(&self.stem), flags, mode)?;
        File::from(fd).write_all(&serde_json::to_vec(&note)?)
    }

    /// All bytes are there: the partial file becomes the target.
    ///
    /// # Errors
    ///
    /// The system's; the partial file is still there then.
    pub fn finish(&self) -> io::Result<()> {
        // One that is replaced keeps its permissions.
        if let Ok(old) = rustix::fs::statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW)
            && local::kind(&old) == FileType::RegularFile
        {
            rustix::fs::fchmod(&self.file, Mode::from_raw_mode(old.st_mode & 0o7777))?;
        }
        if let Some(modified) = self.version.modified {
            local::set_modified(&self.file, modified.to_unix())?;
        }
        rustix::fs::renameat(&self.directory, &self.stem, &self.directory, &self.name)?;
        self.forget_note();
        Ok(())
    }

    /// Removes the partial file.
    pub fn discard(&self) {
        // Whatever is left is emptied at the next attempt.
        rustix::fs::unlinkat(&self.directory, &self.stem, AtFlags::empty()).unwrap_or_default();
        self.forget_note();
    }

    /// Its name, for messages.
    #[must_use]
    pub fn part_name(&self) -> &[u8] {
        &self.stem
    }

    fn forget_note(&self) {
        // There is none for a small file.
        rustix::fs::unlinkat(&self.directory, note_name(&self.stem), AtFlags::empty())
            .unwrap_or_default();
    }

    fn note(&self) -> Option<Note> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.directory, note_name(&self.stem), flags, Mode::empty());
        let mut text = Vec::new();
        File::from(fd.ok()?)
            .take(MAX_NOTE_BYTES)
            .read_to_end(&mut text)
            .ok()?;
        serde_json::from_slice(&text).ok()
    }
}

impl Note {
    /// What can be gone on from, if this is the version.
    fn ranges(self, version: Version, length: u64) -> Vec<Range> {
        let modified = self
            .modified
            .as_ref()
            .and_then(|text| Timestamp::parse(text.as_bytes()));
        // Without size and time nothing says that it is the same file.
        let known = version.size.is_some() || version.modified.is_some();
        if !known || self.size != version.size || modified != version.modified {
            return Vec::new();
        }
        let all = || {
            vec![Range {
                start: 0,
                end: length,
            }]
        };
        let mut done = self.done.unwrap_or_else(all);
        done.retain(|range| range.start < range.end && range.end <= length);
        done
    }
}

/// What is still to come of `size` bytes, in order.
#[must_use]
pub fn missing(size: u64, done: &[Range]) -> Vec<Range> {
    let mut done = done.to_vec();
    done.sort_by_key(|range| range.start);
    let mut missing = Vec::new();
    let mut at = 0;
    for range in done {
        if range.start > at {
            missing.push(Range {
                start: at,
                end: range.start.min(size),
            });
        }
        at = at.max(range.end);
    }
    if at < size {
        missing.push(Range {
            start: at,
            end: size,
        });
    }
    missing.retain(|range| range.start < range.end);
    missing
}

/// Cuts ranges into about `pieces` of at least `least` bytes each.
#[must_use]
pub fn cut(ranges: &[Range], pieces: u64, least: u64) -> Vec<Range> {
    let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let length = total.div_ceil(pieces.max(1)).max(least).max(1);
    let mut cut = Vec::new();
    for range in ranges {
        let mut start = range.start;
        while start < range.end {
            let left = range.end - start;
            // A rest too small for a piece of its own goes with the one before it.
            let end = if left < length + least {
                range.end
            } else {
                start + length
            };
            cut.push(Range { start, end });
            start = end;
        }
    }
    cut
}

/// Whether a name is that of a partial file or of its note.
#[must_use]
pub fn is_part(name: &[u8]) -> bool {
    name.starts_with(b".") && (name.ends_with(b".part") || name.ends_with(b".part.json"))
}

fn stem(name: &[u8]) -> Vec<u8> {
    let mut stem = b".".to_vec();
    match name.get(..MAX_STEM_BYTES) {
        None => stem.extend_from_slice(name),
        Some(start) => {
            stem.extend_from_slice(start);
            // FNV-1a: tells long names with the same beginning apart.
            let hash = name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
            stem.extend_from_slice(format!("~{hash:016x}").as_bytes());
        }
    }
    stem.extend_from_slice(b".part");
    stem
}

fn note_name(stem: &[u8]) -> Vec<u8> {
    [stem, b".json"].concat()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use proptest::prelude::*;

    use super::*;

    fn version(size: u64, second: u8) -> Version {
        Version {
            size: Some(size),
            modified: Timestamp::new(2024, 1, 2, 3, 4, second),
        }
    }

    fn open(dir: &std::path::Path, version: Version, resume: bool) -> (Part, Vec<Range>) {
        let folder = Folder::open(dir, false).unwrap();
        let path = RelPath::top().join(b"x").unwrap();
        Part::open(&folder, &path, version, resume).unwrap()
    }

    #[test]
    fn a_part_is_gone_on_with_only_for_the_same_version() {
        let dir = tempfile::tempdir().unwrap();
        let range = Range { start: 0, end: 4 };
        // One at a time: an opened part is locked.
        let begin = || {
            let (part, done) = open(dir.path(), version(10, 1), true);
            part.file().write_all_at(b"abcd", 0).unwrap();
            part.write_note(Some(&[range])).unwrap();
            done
        };
        assert_eq!(begin(), []);
        assert_eq!(open(dir.path(), version(10, 1), true).1, [range]);
        assert_eq!(open(dir.path(), version(10, 2), true).1, []);
        begin();
        assert_eq!(open(dir.path(), version(11, 1), true).1, []);
        begin();
        assert_eq!(open(dir.path(), version(10, 1), false).1, []);
        begin();
        assert_eq!(open(dir.path(), Version::default(), true).1, []);
    }

    #[test]
    fn a_finished_part_replaces_the_target_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x"), "old").unwrap();
        let (part, _) = open(dir.path(), version(NOTED_FROM_BYTES, 1), true);
        part.file().write_all_at(b"new", 0).unwrap();
        assert_eq!(std::fs::read(dir.path().join("x")).unwrap(), b"old");
        part.finish().unwrap();
        assert_eq!(std::fs::read(dir.path().join("x")).unwrap(), b"new");
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        let time = std::fs::metadata(dir.path().join("x"))
            .unwrap()
            .modified()
            .unwrap();
        let unix = version(1, 1).modified.unwrap().to_unix();
        let unix = std::time::Duration::from_secs(u64::try_from(unix).unwrap());
        assert_eq!(time, std::time::SystemTime::UNIX_EPOCH + unix);
    }

    #[test]
    fn without_ranges_the_length_says_what_has_come() {
        let dir = tempfile::tempdir().unwrap();
        let (part, _) = open(dir.path(), version(10, 1), true);
        part.write_note(None).unwrap();
        part.file().write_all_at(b"abcd", 0).unwrap();
        drop(part);
        assert_eq!(
            open(dir.path(), version(10, 1), true).1,
            [Range { start: 0, end: 4 }]
        );
    }

    #[test]
    fn a_part_is_one_process_s_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let _held = open(dir.path(), version(10, 1), true);
        let folder = Folder::open(dir.path(), false).unwrap();
        let path = RelPath::top().join(b"x").unwrap();
        assert!(Part::open(&folder, &path, version(10, 1), true).is_err());
    }

    #[test]
    fn a_part_that_is_a_link_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join(".x.part")).unwrap();
        let folder = Folder::open(dir.path(), false).unwrap();
        let path = RelPath::top().join(b"x").unwrap();
        assert!(Part::open(&folder, &path, version(1, 1), true).is_err());
    }

    #[test]
    fn long_names_have_parts_of_their_own_that_fit() {
        let (a, b) = (vec![b'n'; 255], [vec![b'n'; 254], vec![b'm']].concat());
        assert_ne!(stem(&a), stem(&b));
        assert!(note_name(&stem(&a)).len() <= 255 && is_part(&stem(&a)));
    }

    proptest! {
        #[test]
        fn what_is_missing_and_what_is_done_make_the_whole(
            size in 0..100_u64,
            done in prop::collection::vec((0..100_u64, 0..100_u64), 0..6),
            pieces in 0..8_u64,
            least in 0..30_u64,
        ) {
            let done: Vec<Range> = done
                .into_iter()
                .map(|(a, b)| Range { start: a.min(b), end: a.max(b) })
                .collect();
            let missing = cut(&missing(size, &done), pieces, least);
            for at in 0..size {
                let within = |ranges: &[Range]| {
                    ranges.iter().filter(|range| (range.start..range.end).contains(&at)).count()
                };
                let expected = usize::from(within(&done) == 0);
                prop_assert_eq!(within(&missing), expected);
            }
            prop_assert!(missing.iter().all(|range| range.end <= size));
        }
    }
}
