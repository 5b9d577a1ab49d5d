//! Recordings on a real disk, read back in both formats and by Cowrie's own player.
//!
//! The player comes from the PyPI package `cowrie`, which `scripts/test` installs into
//! `target/peers/venv`; `SUNDEW_PEERS` names another directory of such programs.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test crate: helpers fail the test"
)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "looks at the files that were made, and starts a player on them"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sundew_capture::recording::INPUT_LIMIT;
use sundew_capture::recording::ttylog::{Direction, Op, Record};
use sundew_capture::{Closed, Config, Quota, Reason, Recorder, RecordingMeta, Store};
use sundew_events::{SessionId, Timestamp};
use tempfile::TempDir;

#[tokio::test]
async fn cowries_player_shows_what_the_attacker_saw() {
    let (_data, store) = open(|_| {});
    let closed = shell(&store, [7; 6]).await;
    let shown = b"root@nas:~# id\r\nuid=0(root) caf\xc3\xa9 \xff\r\nroot@nas:~# ";
    assert_eq!(play(&["-m", "0"], &closed.ttylog), shown);
    assert_eq!(play(&["-m", "0", "-i"], &closed.ttylog), b"id\r");
}

#[tokio::test]
async fn cowries_player_shows_the_command_of_an_exec() {
    let (_data, store) = open(|_| {});
    let mut meta = meta([7; 6]);
    meta.command = Some(b"uname -a".to_vec());
    let mut recorder = store.record(meta, at(0));
    recorder.output(b"Linux nas\n", at(1));
    let closed = recorder.close(at(2)).await.unwrap();
    assert_eq!(play(&["-m", "0"], &closed.ttylog), b"uname -aLinux nas\n");
    assert_eq!(closed.shasum.to_string(), hash(b"uname -a"));
    let cast = fs::read_to_string(&closed.asciicast).unwrap();
    assert!(
        cast.lines()
            .next()
            .unwrap()
            .contains("\"command\":\"uname -a\""),
        "{cast}"
    );
}

#[tokio::test]
async fn cowries_own_hash_of_the_input_is_the_name() {
    let (_data, store) = open(|_| {});
    let mut meta = meta([7; 6]);
    meta.command = Some(b"sh".to_vec());
    let mut recorder = store.record(meta, at(0));
    recorder.output(b"$ ", at(1));
    recorder.input(b"id\r\xff", at(1));
    let closed = recorder.close(at(2)).await.unwrap();
    let script =
        "import sys; from cowrie.core.ttylog import ttylog_inputhash as h; print(h(sys.argv[1]))";
    let mut python = Command::new(peer("python3"));
    python.args(["-c", script]).arg(&closed.ttylog);
    let output = python.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let hash = String::from_utf8(output.stdout).unwrap();
    assert_eq!(hash.trim(), closed.shasum.to_string());
    assert_eq!(
        closed.ttylog.file_name().unwrap().to_str(),
        Some(hash.trim())
    );
}

#[tokio::test]
async fn a_recording_says_what_the_event_needs() {
    let (data, store) = open(|_| {});
    let closed = shell(&store, [7; 6]).await;
    let name = hash(b"id\r");
    assert_eq!(closed.ttylog, data.path().join("tty").join(&name));
    assert_eq!(
        closed.asciicast,
        data.path().join("tty").join(format!("{name}.cast"))
    );
    assert_eq!(closed.shasum.to_string(), name);
    assert_eq!(closed.size, 49);
    assert_eq!((closed.duplicate, closed.incomplete), (false, None));
    assert_eq!(closed.duration, Duration::from_millis(2500));
    let bytes = fs::read(&closed.ttylog).unwrap();
    let records = records(&bytes);
    assert_eq!(
        records.first().unwrap(),
        &Record {
            op: Op::Open,
            time: at(0)
        }
    );
    assert_eq!(records[1].op, Op::Write(Direction::Output, b"root@nas:~# "));
    assert_eq!(
        records[2],
        Record {
            op: Op::Write(Direction::Input, b"i"),
            time: at(1)
        }
    );
    let end = Timestamp::from_micros(at(2).as_micros() + 500_000);
    assert_eq!(
        records.last().unwrap(),
        &Record {
            op: Op::Close,
            time: end
        }
    );
}

#[tokio::test]
async fn the_asciicast_has_the_window_sizes_too() {
    let (_data, store) = open(|_| {});
    let closed = shell(&store, [7; 6]).await;
    let text = fs::read_to_string(&closed.asciicast).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["version"], 2);
    assert_eq!(
        (&lines[0]["width"], &lines[0]["height"]),
        (&80.into(), &24.into())
    );
    assert_eq!(lines[0]["env"]["TERM"], "xterm-256color");
    assert!(text.contains("[2.000000,\"r\",\"132x43\"]"), "{text}");
    let output: String = lines[1..]
        .iter()
        .filter(|line| line[1] == "o")
        .map(|line| line[2].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        output,
        "root@nas:~# id\r\nuid=0(root) café \u{fffd}\r\nroot@nas:~# "
    );
}

#[tokio::test]
async fn a_second_recording_of_the_same_input_is_kept_beside_the_first() {
    let (_data, store) = open(|_| {});
    let first = shell(&store, [7; 6]).await;
    let second = shell(&store, [8; 6]).await;
    let third = shell(&store, [8; 6]).await;
    assert_eq!(
        [first.duplicate, second.duplicate, third.duplicate],
        [false, true, true]
    );
    assert_eq!(first.shasum, second.shasum);
    let name = first.shasum;
    assert!(
        second.ttylog.ends_with(format!("{name}.080808080808.0")),
        "{second:?}"
    );
    assert!(
        third.ttylog.ends_with(format!("{name}.080808080808.0.2")),
        "{third:?}"
    );
    assert!(
        second
            .asciicast
            .ends_with(format!("{name}.080808080808.0.cast")),
        "{second:?}"
    );
    for closed in [first, second, third] {
        assert!(
            closed.ttylog.exists() && closed.asciicast.exists(),
            "{closed:?}"
        );
    }
}

#[tokio::test]
async fn a_silent_session_has_a_recording_too() {
    let (_data, store) = open(|_| {});
    let closed = store
        .record(meta([7; 6]), at(0))
        .close(at(1))
        .await
        .unwrap();
    assert_eq!(closed.size, 0);
    assert_eq!(closed.shasum.to_string(), hash(b""));
    assert_eq!(records(&fs::read(&closed.ttylog).unwrap()).len(), 2);
}

#[tokio::test]
async fn a_flood_of_output_does_not_hide_the_commands_after_it() {
    let (_data, store) = open(|config| config.recording_limit = 50_000);
    let mut recorder = store.record(meta([7; 6]), at(0));
    recorder.output(&[b'y'; 49_000], at(1));
    recorder.output(&[b'y'; 49_000], at(1));
    recorder.input(b"whoami\r", at(2));
    recorder.output(b"root", at(2));
    let closed = recorder.close(at(3)).await.unwrap();
    assert_eq!(
        (closed.size, closed.incomplete),
        (50_000, Some(Reason::Limit))
    );
    assert_eq!(closed.shasum.to_string(), hash(b"whoami\r"));
    assert!(
        fs::read_to_string(&closed.asciicast)
            .unwrap()
            .contains("\"m\",\"incomplete: limit\"")
    );
    assert_eq!(store.losses().recordings, 0, "a limit is policy, not loss");
}

#[tokio::test]
async fn input_has_a_limit_of_its_own() {
    let (_data, store) = open(|_| {});
    let mut recorder = store.record(meta([7; 6]), at(0));
    let block = vec![b'x'; 1 << 20];
    for _ in 0..5 {
        recorder.input(&block, at(1));
        store.drain().await;
    }
    let closed = recorder.close(at(3)).await.unwrap();
    assert_eq!(closed.incomplete, Some(Reason::Limit));
    let input = vec![b'x'; usize::try_from(INPUT_LIMIT).unwrap()];
    assert_eq!(closed.shasum.to_string(), hash(&input));
}

#[tokio::test]
async fn a_full_quota_keeps_the_beginning_of_a_recording() {
    let quota = Quota {
        max_bytes: 4096,
        min_free_bytes: 0,
    };
    let (_data, store) = open(|config| config.quota = quota);
    let mut recorder = store.record(meta([7; 6]), at(0));
    recorder.output(b"shown", at(1));
    recorder.output(&[b'y'; 5000], at(1));
    recorder.output(b"later", at(1));
    let closed = recorder.close(at(3)).await.unwrap();
    assert_eq!((closed.size, closed.incomplete), (5, Some(Reason::Quota)));
    assert_eq!(play(&["-m", "0"], &closed.ttylog), b"shown");
    let losses = store.losses();
    assert_eq!((losses.recordings, losses.bytes), (1, 5005));
}

#[tokio::test]
async fn a_directory_that_vanishes_is_a_loss_and_not_an_error_of_the_session() {
    let (data, store) = open(|_| {});
    fs::remove_dir_all(data.path().join("tty")).unwrap();
    let mut recorder = store.record(meta([7; 6]), at(0));
    recorder.output(b"shown", at(1));
    let lost = recorder.close(at(3)).await.unwrap_err();
    assert_eq!((lost.reason, lost.bytes), (Reason::Disk, 5));
    assert_eq!(store.losses().recordings, 1);
}

#[tokio::test]
async fn a_recorder_that_is_dropped_keeps_its_recording() {
    let (data, store) = open(|_| {});
    let mut recorder = store.record(meta([7; 6]), at(0));
    recorder.input(b"id\r", at(1));
    drop(recorder);
    store.drain().await;
    let log = fs::read(data.path().join("tty").join(hash(b"id\r"))).unwrap();
    assert_eq!(records(&log).len(), 3);
}

#[tokio::test]
async fn a_crash_leaves_recordings_with_their_names() {
    let data = TempDir::new().unwrap();
    let tty = data.path().join("tty");
    fs::create_dir(&tty).unwrap();
    let mut log = Vec::new();
    Record {
        op: Op::Open,
        time: at(0),
    }
    .encode(&mut log);
    Record {
        op: Op::Write(Direction::Input, b"id\r"),
        time: at(0),
    }
    .encode(&mut log);
    let cut = log.len();
    Record {
        op: Op::Write(Direction::Output, b"uid=0"),
        time: at(0),
    }
    .encode(&mut log);
    fs::write(tty.join(".part-4-070707070707-1"), &log[..cut + 26]).unwrap();
    fs::write(tty.join(".part-4-070707070707-1.cast"), b"{}\n").unwrap();
    fs::write(tty.join(".part-5-070707070707-2.cast"), b"{}\n").unwrap();
    let store = Store::open(&Config::under(data.path())).unwrap();
    store.drain().await;
    let mut names: Vec<_> = fs::read_dir(&tty)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let name = hash(b"id\r");
    assert_eq!(names, [name.clone(), format!("{name}.cast")]);
}

#[tokio::test]
async fn a_clock_that_goes_back_never_makes_a_player_wait() {
    let (_data, store) = open(|_| {});
    let mut recorder = store.record(meta([7; 6]), at(10));
    recorder.output(b"a", at(12));
    recorder.output(b"b", at(3));
    let closed = recorder.close(at(1)).await.unwrap();
    assert_eq!(closed.duration, Duration::from_secs(2));
    let bytes = fs::read(&closed.ttylog).unwrap();
    assert!(records(&bytes).is_sorted_by_key(|record| record.time));
}

/// A short session of a shell; 49 bytes of output, `id` typed.
async fn shell(store: &Store, session: [u8; 6]) -> Closed {
    let mut recorder: Recorder = store.record(meta(session), at(0));
    recorder.output(b"root@nas:~# ", at(0));
    recorder.input(b"i", at(1));
    recorder.output(b"i", at(1));
    recorder.input(b"d", at(1));
    recorder.output(b"d", at(1));
    recorder.input(b"\r", at(2));
    recorder.output(b"\r\nuid=0(root) caf\xc3", at(2));
    recorder.resize(132, 43, at(2));
    recorder.output(b"\xa9 \xff\r\nroot@nas:~# ", at(2));
    let end = Timestamp::from_micros(at(2).as_micros() + 500_000);
    recorder.close(end).await.unwrap()
}

fn meta(session: [u8; 6]) -> RecordingMeta {
    RecordingMeta {
        session: SessionId::from_bytes(session),
        channel: 0,
        size: (80, 24),
        term: Some("xterm-256color".into()),
        command: None,
    }
}

fn open(change: impl FnOnce(&mut Config)) -> (TempDir, Store) {
    let data = TempDir::new().unwrap();
    let mut config = Config::under(data.path());
    config.quota.min_free_bytes = 0;
    change(&mut config);
    let store = Store::open(&config).unwrap();
    (data, store)
}

fn records(mut rest: &[u8]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    while let Some((record, next)) = Record::decode(rest).unwrap() {
        records.push(record);
        rest = next;
    }
    records
}

fn play(options: &[&str], log: &Path) -> Vec<u8> {
    let mut playlog = Command::new(peer("playlog"));
    let output = playlog
        .args(options)
        .arg(log)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    output.stdout
}

fn peer(name: &str) -> PathBuf {
    let directory = std::env::var_os("SUNDEW_PEERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/venv/bin"),
        PathBuf::from,
    );
    let path = directory.join(name);
    if !path.exists() {
        panic!(
            "{} is missing: run scripts/test, which installs it",
            path.display()
        );
    }
    path
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros((1_795_228_144 + seconds) * 1_000_000)
}
