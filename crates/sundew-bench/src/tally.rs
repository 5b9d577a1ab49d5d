//! What became of the downloads: whole, marked incomplete, cut without a mark, lost.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::ftp::{Download, Manner};

/// Where a target keeps what it captured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shelf<'a> {
    /// Files of any name; a JSON sidecar beside each says whether it is complete.
    Sidecars(&'a Path),
    /// Files of any name and nothing more.
    Bare(&'a Path),
}

/// The count.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Bodies that were sent to the end.
    pub(crate) sent_whole: usize,
    /// Of those: found whole.
    pub(crate) whole: usize,
    /// Bodies that were cut by a reset.
    pub(crate) sent_cut: usize,
    /// Of those: found as far as they came and marked incomplete.
    pub(crate) marked: usize,
    /// Found in part without a mark, of either kind.
    pub(crate) unmarked: usize,
    /// Not found at all.
    pub(crate) lost: usize,
}

impl Tally {
    /// Compares every captured file with every body that was sent.
    pub(crate) fn of(shelf: Shelf<'_>, downloads: &[Download]) -> Self {
        let (Shelf::Sidecars(directory) | Shelf::Bare(directory)) = shelf;
        let mut found: HashMap<usize, Found> = HashMap::new();
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(bytes) = fs::read(&path) else {
                continue;
            };
            let Some(download) = downloads.iter().find(|download| is_from(&bytes, download)) else {
                continue;
            };
            let marked = matches!(shelf, Shelf::Sidecars(_)) && is_marked_incomplete(&path);
            let this = judge(&bytes, download, marked);
            let best = found.entry(download.number).or_insert(this);
            *best = (*best).max(this);
        }
        let mut tally = Self::default();
        for download in downloads {
            let found = found.get(&download.number).copied();
            match (download.manner, found) {
                (Manner::Silent | Manner::Dropping, _) => continue,
                (Manner::Slow, Some(Found::Whole)) => tally.whole += 1,
                (Manner::Resetting, Some(Found::Marked)) => tally.marked += 1,
                (_, Some(_)) => tally.unmarked += 1,
                (_, None) => tally.lost += 1,
            }
            match download.manner {
                Manner::Slow => tally.sent_whole += 1,
                _ => tally.sent_cut += 1,
            }
        }
        tally
    }

    /// True when there is nothing left to wait for.
    pub(crate) fn is_settled(&self) -> bool {
        self.whole == self.sent_whole && self.marked == self.sent_cut
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            sent_whole,
            whole,
            sent_cut,
            marked,
            unmarked,
            lost,
        } = self;
        write!(
            f,
            "{whole} of {sent_whole} whole, {marked} of {sent_cut} cut ones marked incomplete"
        )?;
        write!(f, ", {unmarked} partial without a mark, {lost} lost")
    }
}

/// Download events in a log, by how they ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) downloaded: usize,
    pub(crate) failed: usize,
}

impl Events {
    /// Counts them; lines that are no JSON count as nothing.
    pub(crate) fn of(log: &Path) -> Self {
        let mut events = Self::default();
        let log = fs::read(log).unwrap_or_default();
        for line in log.split(|&byte| byte == b'\n') {
            let event: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
            let id = event
                .get("eventid")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            events.downloaded += usize::from(id.ends_with(".session.file_download"));
            events.failed += usize::from(id.ends_with(".session.file_download.failed"));
        }
        events
    }
}

/// From worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Unmarked,
    Marked,
    Whole,
}

fn judge(bytes: &[u8], download: &Download, marked: bool) -> Found {
    if marked {
        Found::Marked
    } else if bytes.len() == download.length {
        Found::Whole
    } else {
        Found::Unmarked
    }
}

/// True for the body or a beginning of it that holds at least its first line.
fn is_from(bytes: &[u8], download: &Download) -> bool {
    let body = download.body();
    bytes.contains(&b'\n') && body.starts_with(bytes)
}

/// Reads `HASH.json` beside `HASH`.
fn is_marked_incomplete(artifact: &Path) -> bool {
    let sidecar = fs::read(artifact.with_extension("json")).unwrap_or_default();
    let sidecar: serde_json::Value = serde_json::from_slice(&sidecar).unwrap_or_default();
    sidecar.get("complete").and_then(serde_json::Value::as_bool) == Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn download_events_are_counted_by_their_end() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let lines = [
            "session.file_download",
            "session.file_download.failed",
            "session.connect",
        ];
        let lines = lines.map(|id| format!("{{\"eventid\":\"x.{id}\"}}\n"));
        fs::write(&log, lines.concat() + "{\"eventid").unwrap();
        assert_eq!(
            Events::of(&log),
            Events {
                downloaded: 1,
                failed: 1
            }
        );
    }

    #[test]
    fn every_fate_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let manners = [
            Manner::Slow,
            Manner::Slow,
            Manner::Slow,
            Manner::Resetting,
            Manner::Resetting,
            Manner::Silent,
        ];
        let download = |(number, manner)| Download {
            number,
            manner,
            length: 400,
        };
        let downloads: Vec<Download> = manners.into_iter().enumerate().map(download).collect();
        let put = |number: usize, length: usize, sidecar: &str| {
            let path = directory.path().join(format!("{number:064x}"));
            fs::write(&path, &downloads[number].body()[..length]).unwrap();
            fs::write(path.with_extension("json"), sidecar).unwrap();
        };
        put(0, 400, r#"{"complete":true}"#);
        put(1, 200, r#"{"complete":true}"#);
        put(3, 100, r#"{"complete":false}"#);
        let tally = Tally::of(Shelf::Sidecars(directory.path()), &downloads);
        let want = Tally {
            sent_whole: 3,
            whole: 1,
            sent_cut: 2,
            marked: 1,
            unmarked: 1,
            lost: 2,
        };
        assert_eq!(tally, want);
        let bare = Tally::of(Shelf::Bare(directory.path()), &downloads);
        assert_eq!((bare.marked, bare.unmarked), (0, 2));
    }
}
