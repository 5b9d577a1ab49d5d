//! Much data, and who waits for whom.

use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::{Client, finish, start, text};
use crate::sensor::{checksum, pattern, sensor};

const MIB: usize = 1024 * 1024;

/// Nothing moved for this long: the other side is waiting.
const STALL: Duration = Duration::from_secs(2);

/// More than both windows, the client's own buffers and the pipes hold, and far less than is sent.
const HELD: u64 = 12 * MIB as u64;

fn sums(bytes: &[u8]) -> String {
    format!("{} {}", bytes.len(), checksum(0, bytes))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_megabytes_each_way_arrive_whole() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let output = client.run(&[], &["pattern", "52428800"]).await;
    let wanted: Vec<u8> = pattern(100_000)
        .into_iter()
        .cycle()
        .take(50 * MIB)
        .collect();
    // The last piece is shorter and begins anew, like every piece.
    assert_eq!(output.stdout.len(), wanted.len());
    assert!(output.stdout == wanted);
    let output = client.run_with_input(&[], &["count"], wanted.clone()).await;
    assert_eq!(text(&output.stderr), sums(&wanted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_does_not_read_stops_the_client_and_loses_nothing() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let mut child = start(client.command(&[], &["hold"]).stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    let sent = pattern(64 * MIB);
    let mut rest = sent.as_slice();
    while let Ok(written) = timeout(STALL, stdin.write(rest)).await {
        rest = &rest[written.unwrap()..];
        assert!(!rest.is_empty(), "the client was never stopped");
    }
    assert!(
        ((sent.len() - rest.len()) as u64) < HELD,
        "{} bytes were taken",
        sent.len() - rest.len()
    );
    // Once the program reads, everything goes on and arrives.
    sensor.seen.go.notify_one();
    let write = async move {
        stdin.write_all(rest).await.unwrap();
        drop(stdin);
    };
    let ((), output) = tokio::join!(write, finish(child));
    assert_eq!(text(&output.stderr), sums(&sent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_writes_before_it_reads_does_not_wait_for_ever() {
    let sensor = sensor().await;
    let sent = pattern(12 * MIB);
    let client = Client::new(sensor.addresses[0]);
    let output = client
        .run_with_input(&[], &["talk", "16000000"], sent.clone())
        .await;
    assert_eq!(output.stdout.len(), 16_000_000);
    assert_eq!(text(&output.stderr), sums(&sent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_stops_its_program_and_no_other_channel() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let path = format!("ControlPath={}", client.path().join("control").display());
    let master = start(
        client
            .command(&["-o", &path, "-o", "ControlMaster=yes"], &["cat"])
            .stdin(Stdio::piped()),
    );
    sensor.seen.line("exec cat").await;
    let mut child = start(&mut client.command(&["-o", &path], &["pattern", "52428800"]));
    let mut before = u64::MAX;
    // Reads nothing until the program has stopped writing.
    for _ in 0..60 {
        let written = sensor.seen.written.load(Ordering::Relaxed);
        if written > 0 && written == before {
            break;
        }
        before = written;
        let _never = timeout(STALL, std::future::pending::<()>()).await;
    }
    assert!(before < HELD, "{before} bytes were written to nobody");
    let output = client.run(&["-o", &path], &["echo", "hello"]).await;
    assert_eq!(text(&output.stdout), "hello\n", "{}", text(&output.stderr));
    let mut got = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut got)
        .await
        .unwrap();
    assert_eq!(got.len(), 50 * MIB);
    drop(master);
}
