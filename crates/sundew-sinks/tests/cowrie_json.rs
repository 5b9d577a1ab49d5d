//! `cowrie.json` on a real disk: lines, days, crashes, a full disk.
#![expect(clippy::unwrap_used, reason = "a test crate: helpers fail the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "looks at the files that were made"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use sundew_events::json::{Additions, write_line};
use sundew_events::{Connection, Event, EventKind, Installation, Protocol, SessionId, Timestamp};
use sundew_sinks::{Builder, CowrieJson, Sink as _};
use tempfile::TempDir;

#[test]
fn each_event_is_one_line_as_the_writer_of_events_has_it() {
    let data = TempDir::new().unwrap();
    let mut sink = open(data.path());
    let mut wanted = String::new();
    for number in 0..1000 {
        sink.write(&event(NOON, number)).unwrap();
        write_line(&event(NOON, number), Additions::Keep, &mut wanted);
    }
    sink.flush().unwrap();
    assert_eq!(text(data.path(), "cowrie.json"), wanted);
    drop(sink);
    let mut sink = open(data.path());
    sink.write(&event(NOON, 1000)).unwrap();
    sink.sync().unwrap();
    assert_eq!(
        text(data.path(), "cowrie.json").lines().count(),
        1001,
        "it is appended to"
    );
}

#[test]
fn the_first_event_of_a_new_day_begins_a_new_file() {
    let data = TempDir::new().unwrap();
    let mut sink = open(data.path());
    for (time, number) in [(NOON, 1), (NOON + DAY, 2), (NOON, 3), (NOON + 3 * DAY, 4)] {
        sink.write(&event(time, number)).unwrap();
    }
    sink.flush().unwrap();
    let names = [
        "cowrie.json",
        "cowrie.json.2001-11-21",
        "cowrie.json.2001-11-22",
    ];
    assert_eq!(list(data.path()), names);
    assert_eq!(durations(data.path(), "cowrie.json.2001-11-21"), [1]);
    let late = "a late event of the old day stays in the new file";
    assert_eq!(
        durations(data.path(), "cowrie.json.2001-11-22"),
        [2, 3],
        "{late}"
    );
    assert_eq!(durations(data.path(), "cowrie.json"), [4]);
}

#[test]
fn a_file_of_another_day_is_rotated_after_a_restart_and_none_is_overwritten() {
    let data = TempDir::new().unwrap();
    for number in 1..4 {
        let path = data.path().join("cowrie.json");
        fs::write(&path, format!("{{\"duration_ms\":{number}}}\n")).unwrap();
        set_modified(&path, NOON - DAY);
        let mut sink = open(data.path());
        sink.write(&event(NOON, 9)).unwrap();
        sink.flush().unwrap();
    }
    assert_eq!(
        list(data.path()),
        [
            "cowrie.json",
            "cowrie.json.2001-11-20",
            "cowrie.json.2001-11-20.1",
            "cowrie.json.2001-11-20.2"
        ]
    );
    assert_eq!(durations(data.path(), "cowrie.json.2001-11-20"), [1]);
    assert_eq!(durations(data.path(), "cowrie.json.2001-11-20.2"), [3]);
}

#[test]
fn a_line_cut_by_a_crash_does_not_swallow_the_next() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("cowrie.json"), "{\"whole\":1}\n{\"sess").unwrap();
    let mut sink = open(data.path());
    sink.write(&event(NOON, 1)).unwrap();
    sink.flush().unwrap();
    let mut wanted = "{\"whole\":1}\n{\"sess\n".to_owned();
    write_line(&event(NOON, 1), Additions::Keep, &mut wanted);
    assert_eq!(text(data.path(), "cowrie.json"), wanted);
}

#[test]
fn a_cut_line_of_yesterday_goes_with_yesterdays_file() {
    let data = TempDir::new().unwrap();
    let path = data.path().join("cowrie.json");
    fs::write(&path, "{\"sess").unwrap();
    set_modified(&path, NOON - DAY);
    let mut sink = open(data.path());
    sink.write(&event(NOON, 1)).unwrap();
    sink.flush().unwrap();
    assert_eq!(text(data.path(), "cowrie.json.2001-11-20"), "{\"sess\n");
    assert_eq!(durations(data.path(), "cowrie.json"), [1]);
}

#[test]
fn a_file_that_was_moved_away_is_begun_anew() {
    let data = TempDir::new().unwrap();
    let mut sink = open(data.path());
    sink.write(&event(NOON, 1)).unwrap();
    sink.flush().unwrap();
    fs::rename(data.path().join("cowrie.json"), data.path().join("old")).unwrap();
    sink.sync().unwrap();
    sink.write(&event(NOON, 2)).unwrap();
    sink.flush().unwrap();
    assert_eq!(durations(data.path(), "old"), [1]);
    assert_eq!(durations(data.path(), "cowrie.json"), [2]);
}

#[tokio::test]
async fn a_full_disk_stops_nobody_and_loses_nothing_that_fits_in_memory() {
    let data = TempDir::new().unwrap();
    let path = data.path().join("cowrie.json");
    symlink("/dev/full", &path).unwrap();
    let sink = CowrieJson::open(&path, Additions::Keep).unwrap();
    let (sender, fanout) = Builder::new(sink).limits(1 << 16, 1 << 20).start().unwrap();
    let room = (1 << 16) / size_of::<Event>();
    for number in 0..room as u64 {
        sender.send(event(NOON, number));
    }
    // Waits until the journal has said that it fails, and no longer.
    let pending = event(NOON, room as u64);
    for _ in 0..room {
        sender.send(pending.clone());
    }
    sender.ready().await;
    let was_failing = sender.is_failing();
    let dropped = sender.dropped();
    let repaired = data.path().join("repaired");
    fs::write(&repaired, "").unwrap();
    fs::rename(&repaired, &path).unwrap();
    let report = fanout.shutdown(Duration::from_secs(20)).await;
    assert!(was_failing);
    assert_eq!((report.dropped, report.unwritten), (dropped, Some(0)));
    let written = durations(data.path(), "cowrie.json");
    assert_eq!(written.len() as u64 + dropped, 2 * room as u64);
    assert!(
        written.iter().take(room).copied().eq(0..room as u64),
        "the first to come are there"
    );
}

#[tokio::test]
async fn shutdown_gives_up_on_a_full_disk_at_its_deadline() {
    let data = TempDir::new().unwrap();
    let path = data.path().join("cowrie.json");
    symlink("/dev/full", &path).unwrap();
    let sink = CowrieJson::open(&path, Additions::Keep).unwrap();
    let (sender, fanout) = Builder::new(sink).start().unwrap();
    for number in 0..300 {
        sender.send(event(NOON, number));
    }
    let report = fanout.shutdown(Duration::from_millis(20)).await;
    assert_eq!((report.dropped, report.unwritten), (0, Some(300)));
}

/// 2001-11-21T12:00:00Z, in seconds: before any clock's today, so that reopening never rotates.
const NOON: u64 = 1_006_344_000;
const DAY: u64 = 86_400;

fn open(data: &Path) -> CowrieJson {
    CowrieJson::open(&data.join("cowrie.json"), Additions::Keep).unwrap()
}

/// An event that can be told from others by its duration.
fn event(seconds: u64, number: u64) -> Event {
    let address = ("192.0.2.1".parse().unwrap(), 2222);
    Event {
        connection: Arc::new(Connection::new(
            SessionId::from_bytes([1; 6]),
            Protocol::Ssh,
            address,
            address,
        )),
        installation: Arc::new(Installation {
            sensor: "edge".into(),
            uuid: "3f".into(),
        }),
        timestamp: Timestamp::from_micros(seconds * 1_000_000),
        late: false,
        kind: EventKind::SessionClosed {
            duration_ms: number,
        },
    }
}

fn set_modified(path: &Path, seconds: u64) {
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    fs::File::options()
        .append(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

fn text(data: &Path, name: &str) -> String {
    fs::read_to_string(data.join(name)).unwrap()
}

fn durations(data: &Path, name: &str) -> Vec<u64> {
    text(data, name)
        .lines()
        .map(|line| {
            let (_, rest) = line.split_once("\"duration_ms\":").unwrap();
            rest.split([',', '}']).next().unwrap().parse().unwrap()
        })
        .collect()
}

fn list(data: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
