//! Artifacts on a real disk: what is kept, what is said about it, what a failing disk does.
#![expect(clippy::unwrap_used, reason = "a test crate: helpers fail the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "looks at the files that were made"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use sundew_capture::artifact::sidecar::{MAX_LIST, Sidecar};
use sundew_capture::{Config, Kept, Lost, OpenError, Origin, Outcome, Quota, Reason, Store, Taken};
use sundew_events::{SessionId, Timestamp};
use tempfile::TempDir;

#[tokio::test]
async fn an_artifact_is_named_by_the_hash_of_its_content() {
    let (data, store) = open(|_| {});
    let kept = keep(&store, &[b"#!/bin/sh\n", b"id\n"], Outcome::Complete)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(fs::read(&kept.path).unwrap(), b"#!/bin/sh\nid\n");
    assert_eq!(
        kept.path,
        data.path().join("artifacts").join(hash(b"#!/bin/sh\nid\n"))
    );
    assert_eq!(kept.sha256.to_string(), hash(b"#!/bin/sh\nid\n"));
    assert_eq!(
        (kept.size, kept.duplicate, kept.incomplete),
        (13, false, None)
    );
    assert_eq!(
        names(data.path()),
        [hash(b"#!/bin/sh\nid\n"), sidecar_name(&kept)]
    );
    let mode = fs::metadata(&kept.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "malware must not be executable");
}

#[tokio::test]
async fn a_second_fetch_keeps_one_copy_and_adds_to_the_sidecar() {
    let (data, store) = open(|_| {});
    let first = keep(&store, &[b"x"], Outcome::Incomplete(Reason::Cut))
        .await
        .unwrap()
        .unwrap();
    let used = store.used_bytes();
    let mut writer = store.begin(
        Origin {
            session: Some(SessionId::from_bytes([7; 6])),
            source: Some([198, 51, 100, 7].into()),
            url: Some("ftp://192.0.2.9/b".into()),
            name: Some("/tmp/b".into()),
        },
        at(50),
    );
    writer.write(b"x").await;
    let second = writer
        .finish(Outcome::Complete, at(60))
        .await
        .unwrap()
        .unwrap();
    assert!(second.duplicate && !first.duplicate);
    assert_eq!(first.path, second.path);
    assert_eq!(store.used_bytes(), used);
    assert_eq!(names(data.path()).len(), 2);
    let sidecar = sidecar(&second);
    assert_eq!((sidecar.times, sidecar.complete), (2, true));
    assert_eq!(sidecar.incomplete_reason, None);
    assert_eq!(sidecar.urls, ["ftp://192.0.2.9/a.sh", "ftp://192.0.2.9/b"]);
    assert_eq!(sidecar.names, ["/tmp/b"]);
    assert_eq!(sidecar.sessions, ["070707070707"]);
    assert_eq!(sidecar.sources, ["198.51.100.7"]);
    assert_eq!(sidecar.first_seen, at(0).to_string());
    assert_eq!(sidecar.last_seen, at(60).to_string());
}

#[tokio::test]
async fn many_names_do_not_grow_the_sidecar_without_end() {
    let (_data, store) = open(|_| {});
    let mut last = None;
    for number in 0..MAX_LIST + 5 {
        let name = Some(format!("{number}{}", "n".repeat(5000)).into());
        let mut writer = store.begin(
            Origin {
                name,
                ..Origin::default()
            },
            at(0),
        );
        writer.write(b"x").await;
        last = writer.finish(Outcome::Complete, at(1)).await.unwrap();
    }
    let sidecar = sidecar(&last.unwrap());
    assert_eq!(sidecar.names.len(), MAX_LIST);
    assert!(sidecar.lists_are_cut);
    assert_eq!(sidecar.times, (MAX_LIST + 5) as u64);
    assert_eq!(sidecar.names[0].len(), 2048);
}

#[tokio::test]
async fn a_damaged_sidecar_is_begun_anew() {
    let (_data, store) = open(|_| {});
    let kept = keep(&store, &[b"x"], Outcome::Complete)
        .await
        .unwrap()
        .unwrap();
    fs::write(kept.path.with_extension("json"), b"{\"sha256\":").unwrap();
    keep(&store, &[b"x"], Outcome::Complete).await.unwrap();
    assert_eq!(sidecar(&kept).times, 1);
    assert_eq!(store.losses().sidecars, 0);
}

#[tokio::test]
async fn a_transfer_without_a_byte_leaves_nothing() {
    let (data, store) = open(|_| {});
    assert_eq!(keep(&store, &[], Outcome::Complete).await, Ok(None));
    assert_eq!(
        keep(&store, &[b""], Outcome::Incomplete(Reason::Cut)).await,
        Ok(None)
    );
    assert_eq!(names(data.path()), [""; 0]);
}

#[tokio::test]
async fn beyond_its_limit_an_artifact_is_cut_and_says_so() {
    let (_data, store) = open(|config| config.download_limit = 100_000);
    let mut writer = store.begin(Origin::default(), at(0));
    assert_eq!(writer.write(&[b'a'; 99_999]).await, Taken::All);
    assert_eq!(
        writer.write(b"b").await,
        Taken::All,
        "the limit itself is not beyond it"
    );
    assert_eq!(writer.write(b"c").await, Taken::UpToLimit);
    assert_eq!(writer.write(b"d").await, Taken::UpToLimit);
    let kept = writer
        .finish(Outcome::Complete, at(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((kept.size, kept.incomplete), (100_000, Some(Reason::Limit)));
    assert_eq!(fs::read(&kept.path).unwrap().last(), Some(&b'b'));
    let sidecar = sidecar(&kept);
    assert_eq!(
        (sidecar.complete, sidecar.incomplete_reason.as_deref()),
        (false, Some("limit"))
    );
    assert_eq!(store.losses().artifacts, 0, "a limit is policy, not loss");
}

#[tokio::test]
async fn a_writer_that_is_dropped_keeps_what_it_had() {
    let (data, store) = open(|_| {});
    let mut writer = store.begin(Origin::default(), at(0));
    writer.write(b"half").await;
    drop(writer);
    store.drain().await;
    let path = data.path().join("artifacts").join(hash(b"half"));
    assert_eq!(fs::read(&path).unwrap(), b"half");
    let sidecar: Sidecar =
        serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
    assert_eq!(sidecar.incomplete_reason.as_deref(), Some("abandoned"));
}

#[tokio::test]
async fn a_full_quota_keeps_the_beginning_and_counts_the_rest() {
    let quota = Quota {
        max_bytes: 10,
        min_free_bytes: 0,
    };
    let (_data, store) = open(|config| config.quota = quota);
    let kept = keep(&store, &[b"12345678", b"9012", b"3"], Outcome::Complete).await;
    let kept = kept.unwrap().unwrap();
    assert_eq!((kept.size, kept.incomplete), (8, Some(Reason::Quota)));
    let lost = keep(&store, &[b"abc"], Outcome::Complete).await;
    assert_eq!(
        lost,
        Err(Lost {
            reason: Reason::Quota,
            bytes: 3
        })
    );
    let losses = store.losses();
    assert_eq!((losses.artifacts, losses.bytes), (2, 8));
    assert_eq!(store.used_bytes(), 8);
}

#[tokio::test]
async fn a_disk_at_its_floor_takes_no_artifact() {
    let quota = Quota {
        max_bytes: u64::MAX,
        min_free_bytes: u64::MAX,
    };
    let (data, store) = open(|config| config.quota = quota);
    let lost = keep(&store, &[b"abc"], Outcome::Complete).await;
    assert_eq!(
        lost,
        Err(Lost {
            reason: Reason::Quota,
            bytes: 3
        })
    );
    assert_eq!(names(data.path()), [""; 0]);
}

#[tokio::test]
async fn a_directory_that_vanishes_is_a_loss_and_not_an_error_of_the_transfer() {
    let (data, store) = open(|_| {});
    let mut writer = store.begin(Origin::default(), at(0));
    assert_eq!(writer.write(b"before").await, Taken::All);
    store.drain().await;
    fs::remove_dir_all(data.path().join("artifacts")).unwrap();
    assert_eq!(writer.write(b"after").await, Taken::All);
    let lost = writer.finish(Outcome::Complete, at(1)).await;
    assert_eq!(
        lost,
        Err(Lost {
            reason: Reason::Disk,
            bytes: 11
        })
    );
    let lost = keep(&store, &[b"new"], Outcome::Complete).await;
    assert_eq!(
        lost,
        Err(Lost {
            reason: Reason::Disk,
            bytes: 3
        })
    );
    assert_eq!(store.losses().artifacts, 2);
    assert_eq!(store.used_bytes(), 0, "what is lost takes no quota");
}

#[tokio::test]
async fn a_crash_leaves_incomplete_artifacts_and_no_drafts() {
    let data = TempDir::new().unwrap();
    let artifacts = data.path().join("artifacts");
    fs::create_dir(&artifacts).unwrap();
    fs::write(artifacts.join(".part-0"), b"cut by a crash").unwrap();
    fs::write(artifacts.join(".part-1"), b"").unwrap();
    fs::write(artifacts.join(".part-00.json"), b"{").unwrap();
    let store = Store::open(&Config::under(data.path())).unwrap();
    let new = keep(&store, &[b"new"], Outcome::Complete)
        .await
        .unwrap()
        .unwrap();
    store.drain().await;
    let old = hash(b"cut by a crash");
    let mut wanted = [
        old.clone(),
        format!("{old}.json"),
        hash(b"new"),
        sidecar_name(&new),
    ];
    wanted.sort();
    assert_eq!(names(data.path()), wanted);
    let sidecar: Sidecar =
        serde_json::from_slice(&fs::read(artifacts.join(format!("{old}.json"))).unwrap()).unwrap();
    assert_eq!(sidecar.incomplete_reason.as_deref(), Some("crash"));
    assert_eq!(store.used_bytes(), 17);
}

#[test]
fn a_store_belongs_to_one_process() {
    let (data, store) = open(|_| {});
    let second = Store::open(&Config::under(data.path()));
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    drop(store);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("artifacts"), b"a file").unwrap();
    let error = Store::open(&Config::under(data.path())).unwrap_err();
    assert!(error.to_string().contains("artifacts: "), "{error}");
}

#[tokio::test]
async fn hundreds_of_transfers_at_once_all_come_whole() {
    let (data, store) = open(|_| {});
    let mut transfers = tokio::task::JoinSet::new();
    for number in 0..300_u32 {
        let store = store.clone();
        transfers.spawn(async move {
            let mut writer = store.begin(Origin::default(), at(0));
            for _ in 0..4 {
                writer.write(&number.to_le_bytes().repeat(4096)).await;
                tokio::task::yield_now().await;
            }
            writer
                .finish(Outcome::Complete, at(1))
                .await
                .unwrap()
                .unwrap()
                .size
        });
    }
    let sizes = transfers.join_all().await;
    assert_eq!(sizes, [65_536; 300]);
    assert_eq!(names(data.path()).len(), 600);
}

fn open(change: impl FnOnce(&mut Config)) -> (TempDir, Store) {
    let data = TempDir::new().unwrap();
    let mut config = Config::under(data.path());
    config.quota.min_free_bytes = 0;
    change(&mut config);
    let store = Store::open(&config).unwrap();
    (data, store)
}

async fn keep(store: &Store, chunks: &[&[u8]], outcome: Outcome) -> Result<Option<Kept>, Lost> {
    let url = Some("ftp://192.0.2.9/a.sh".into());
    let mut writer = store.begin(
        Origin {
            url,
            ..Origin::default()
        },
        at(0),
    );
    for chunk in chunks {
        assert_eq!(writer.write(chunk).await, Taken::All);
    }
    writer.finish(outcome, at(1)).await
}

fn sidecar(kept: &Kept) -> Sidecar {
    serde_json::from_slice(&fs::read(kept.path.with_extension("json")).unwrap()).unwrap()
}

fn sidecar_name(kept: &Kept) -> String {
    format!("{}.json", kept.sha256)
}

/// Names in the directory of artifacts, sorted, without the lock.
fn names(data: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(data.join("artifacts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".lock")
        .collect();
    names.sort();
    names
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
