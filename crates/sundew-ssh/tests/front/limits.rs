//! Deadlines, caps and the end.

use std::time::Duration;

use sundew_ssh::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Client, finish, start, text};
use crate::sensor::{LONG, Sensor, sensor, sensor_with};

const SHORT: Duration = Duration::from_millis(300);

async fn read_to_end(socket: &mut TcpStream) -> String {
    let mut got = Vec::new();
    let _end = timeout(LONG, socket.read_to_end(&mut got))
        .await
        .expect("the server never closed");
    text(&got)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_log_in_in_time_is_closed_in_silence() {
    let limits = Limits {
        login_grace: SHORT,
        ..Limits::default()
    };
    let sensor = sensor_with(&["127.0.0.1:0"], limits).await;
    for first in [&b""[..], b"SSH-2.0-slow", b"SSH-2.0-slow\r\n"] {
        let mut socket = TcpStream::connect(sensor.addresses[0]).await.unwrap();
        socket.write_all(first).await.unwrap();
        assert!(!read_to_end(&mut socket).await.contains("Invalid"));
    }
    // A decision that never comes does not hold the deadline up.
    let output = Client::new(sensor.addresses[0])
        .run_as("slow", &[], &["echo", "hi"])
        .await;
    assert_eq!(output.status.code(), Some(255));
    let closed: Vec<String> = sensor
        .seen
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("closed"))
        .collect();
    assert_eq!(closed, ["closed login-grace"; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_session_is_closed_after_the_idle_time() {
    let limits = Limits {
        idle: Duration::from_secs(3),
        ..Limits::default()
    };
    let sensor = sensor_with(&["127.0.0.1:0"], limits).await;
    let client = Client::new(sensor.addresses[0]);
    let mut child = start(
        client
            .command(&[], &["hold"])
            .stdin(std::process::Stdio::piped()),
    );
    let stdin = child.stdin.take();
    assert_eq!(sensor.seen.line("closed").await, "closed idle");
    assert_eq!(finish(child).await.status.code(), Some(255));
    drop(stdin);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_can_be_hung_up() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let mut child = start(
        client
            .command(&[], &["hold"])
            .stdin(std::process::Stdio::piped()),
    );
    let stdin = child.stdin.take();
    sensor.seen.line("exec hold").await;
    sensor.seen.hangup.cancel();
    assert_eq!(sensor.seen.line("closed").await, "closed hangup");
    assert_eq!(finish(child).await.status.code(), Some(255));
    drop(stdin);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_too_many_is_turned_away_in_openssh_words() {
    let limits = Limits {
        max_per_source: 2,
        ..Limits::default()
    };
    let sensor = sensor_with(&["127.0.0.1:0"], limits).await;
    let mut places = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(sensor.addresses[0]).await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), b'S');
        places.push(socket);
    }
    let mut third = TcpStream::connect(sensor.addresses[0]).await.unwrap();
    assert_eq!(read_to_end(&mut third).await, "Exceeded MaxStartups\r\n");
    assert_eq!(sensor.seen.line("turned").await, "turned away 127.0.0.1");
    places.pop();
    sensor.seen.line("closed").await;
    let output = Client::new(sensor.addresses[0])
        .run(&[], &["echo", "room"])
        .await;
    assert_eq!(text(&output.stdout), "room\n");
}

async fn ended(mut sensor: Sensor) {
    timeout(LONG, &mut sensor.task)
        .await
        .expect("the listener never ended")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_listener_lets_sessions_finish() {
    let sensor = sensor_with(
        &["127.0.0.1:0"],
        Limits {
            shutdown_grace: LONG,
            ..Limits::default()
        },
    )
    .await;
    let client = Client::new(sensor.addresses[0]);
    let mut child = start(
        client
            .command(&[], &["cat"])
            .stdin(std::process::Stdio::piped()),
    );
    sensor.seen.line("exec cat").await;
    sensor.stop.cancel();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"last words").await.unwrap();
    drop(stdin);
    assert_eq!(text(&finish(child).await.stdout), "last words");
    assert_eq!(sensor.seen.line("closed").await, "closed client");
    assert!(TcpStream::connect(sensor.addresses[0]).await.is_err());
    ended(sensor).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_listener_cuts_sessions_after_the_grace() {
    let sensor = sensor_with(
        &["127.0.0.1:0"],
        Limits {
            shutdown_grace: SHORT,
            ..Limits::default()
        },
    )
    .await;
    let client = Client::new(sensor.addresses[0]);
    let mut child = start(
        client
            .command(&[], &["hold"])
            .stdin(std::process::Stdio::piped()),
    );
    let stdin = child.stdin.take();
    sensor.seen.line("exec hold").await;
    sensor.stop.cancel();
    assert_eq!(finish(child).await.status.code(), Some(255));
    assert_eq!(sensor.seen.line("closed").await, "closed shutdown");
    drop(stdin);
    ended(sensor).await;
}
