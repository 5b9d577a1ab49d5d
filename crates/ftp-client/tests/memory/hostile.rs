//! Peers that want to keep us for ever or make us grow.

use std::time::Duration;

use ftp_client::busybox::ftpget;

use crate::host::{Record, words};
use crate::peer::{Memory, flood, play, pour};

const PATIENCE: Duration = Duration::from_secs(30);

/// The standard error of an `ftpget` whose server begins like this, for ever.
async fn flooded(bytes: &'static [u8]) -> String {
    let (dial, mut host) = (Memory::default(), Record::default());
    flood(dial.expect(), bytes);
    let args = words("192.0.2.1 a");
    let run = ftpget(&dial, &mut host, &args);
    let status = tokio::time::timeout(PATIENCE, run)
        .await
        .expect("ftpget hangs");
    assert_eq!(status, 1);
    host.stderr
}

#[tokio::test]
async fn a_server_that_never_comes_to_the_point_is_taken_for_closed() {
    for bytes in [
        &b"220-x\r\n"[..],
        b"\n",
        b"x",
        b"\0",
        b"220-",
        b"\xff\xfb\x01",
    ] {
        let said = flooded(bytes).await;
        assert_eq!(
            said, "ftpget: unexpected server response: EOF\n",
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn a_reply_without_end_is_a_reply_that_fits_the_buffer() {
    // `220 220 220 …` counts as a greeting; what lies unread behind it stops the first command.
    assert_eq!(
        flooded(b"220 ").await,
        "ftpget: unexpected server response: EOF\n"
    );
    let said = flooded(b"421 ").await;
    assert!(
        said.starts_with("ftpget: unexpected server response: 421 421 "),
        "{said}"
    );
    assert!(said.len() < 1100, "{}", said.len());
}

#[tokio::test]
async fn a_body_without_end_stops_where_the_host_says() {
    let dial = Memory::default();
    let mut host = Record {
        limit: 1_000_000,
        ..Record::default()
    };
    play(dial.expect(), crate::sample::UP_TO_RETR);
    flood(dial.expect(), &[b'x'; 512]);
    let args = words("192.0.2.1 a");
    let run = ftpget(&dial, &mut host, &args);
    let status = tokio::time::timeout(PATIENCE, run)
        .await
        .expect("ftpget hangs");
    assert_eq!(
        (status, &host.stderr[..]),
        (1, "ftpget: write error: File too large\n")
    );
    let last = host.events.last().unwrap();
    assert_eq!(
        *last,
        format!(
            "incomplete {}: write error: File too large",
            host.body.len()
        )
    );
    assert!(host.body.len() > 900_000);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_program_closes_its_connections() {
    let (dial, mut host) = (Memory::default(), Record::default());
    let server = play(
        dial.expect(),
        "S: 220 ready
         C: USER anonymous",
    );
    let args = words("192.0.2.1 a");
    let run = ftpget(&dial, &mut host, &args);
    // Nobody answers USER: the program waits until its caller has had enough.
    tokio::time::timeout(Duration::from_millis(50), run)
        .await
        .unwrap_err();
    tokio::time::timeout(PATIENCE, server)
        .await
        .expect("still open")
        .unwrap();
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_told_from_a_silent_one() {
    let (dial, mut host) = (Memory::default(), Record::default());
    pour(dial.expect(), b"");
    assert_eq!(ftpget(&dial, &mut host, &words("192.0.2.1 a")).await, 1);
    assert_eq!(host.stderr, "ftpget: unexpected server response: EOF\n");
}

#[tokio::test]
async fn a_transfer_can_run_as_a_task_of_its_own() {
    let dial = std::sync::Arc::new(Memory::default());
    pour(dial.expect(), b"421 full\r\n");
    let task = tokio::spawn(async move {
        let mut host = Record::default();
        let status = ftpget(&*dial, &mut host, &words("192.0.2.1 a")).await;
        (status, host.stderr)
    });
    let (status, said) = task.await.unwrap();
    assert_eq!(
        (status, &said[..]),
        (1, "ftpget: unexpected server response: 421 full\n")
    );
}
