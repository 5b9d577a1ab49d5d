//! Channels: what is asked for and what comes back.

use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Client, finish, start, text};
use crate::sensor::{LONG, sensor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exec_keeps_standard_error_apart_and_gives_the_status() {
    let sensor = sensor().await;
    let output = Client::new(sensor.addresses[0]).run(&[], &["both"]).await;
    assert_eq!(text(&output.stdout), "to stdout\n");
    assert_eq!(text(&output.stderr), "to stderr\n");
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_program_has_a_signal_and_no_status() {
    let sensor = sensor().await;
    let output = Client::new(sensor.addresses[0])
        .run(&["-v"], &["killed", "KILL"])
        .await;
    assert_eq!(output.status.code(), Some(255));
    assert!(
        text(&output.stderr).contains("rtype exit-signal"),
        "{}",
        text(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn input_ends_where_the_clients_does() {
    let sensor = sensor().await;
    let input = b"a\0b\xff\r\n".to_vec();
    let output = Client::new(sensor.addresses[0])
        .run_with_input(&[], &["cat"], input.clone())
        .await;
    assert_eq!(output.stdout, input, "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environment_terminal_and_a_new_size_arrive() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    // `script` gives the client a terminal, whose size is changed from outside through its name.
    let ssh = client.command(&["-tt", "-o", "SendEnv=LC_TEST FOO"], &["resized"]);
    let words: Vec<String> = std::iter::once(ssh.as_std().get_program())
        .chain(ssh.as_std().get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let tty = client.path().join("tty");
    let inner = format!(
        "stty cols 81 rows 25; tty >{}; exec {}",
        tty.display(),
        words.join(" ")
    );
    let mut script = tokio::process::Command::new("script");
    script
        .args(["-qec", &inner, "/dev/null"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    script
        .env("LC_TEST", "c d")
        .env("FOO", "bar")
        .env("TERM", "vt220")
        .kill_on_drop(true);
    script.env("SHELL", "/bin/sh");
    script.envs(
        ssh.as_std()
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let child = start(&mut script);
    assert_eq!(
        sensor.seen.line("pty").await,
        "pty vt220 81x25 echo Some(1)"
    );
    assert_eq!(sensor.seen.line("env LC").await, "env LC_TEST c d");
    assert_eq!(sensor.seen.line("env FOO").await, "env FOO bar");
    sensor.seen.line("exec resized").await;
    let tty = std::fs::read_to_string(&tty).unwrap();
    let resize = tokio::process::Command::new("stty")
        .args(["-F", tty.trim_end(), "cols", "100", "rows", "30"])
        .status()
        .await
        .unwrap();
    assert!(resize.success());
    // One call sets the columns, another the rows.
    sensor.seen.line("resize 100x30").await;
    let output = finish(child).await;
    assert!(
        text(&output.stdout).contains("100x30\r\n"),
        "{}",
        text(&output.stdout)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_subsystem_is_a_failure_and_no_end() {
    let sensor = sensor().await;
    let output = Client::new(sensor.addresses[0])
        .run(&["-s"], &["sftp"])
        .await;
    assert_eq!(output.status.code(), Some(255));
    assert!(
        text(&output.stderr).contains("subsystem request failed"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(sensor.seen.line("subsystem").await, "subsystem sftp");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_of_one_connection_live_side_by_side() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let socket = client.path().join("control");
    let path = format!("ControlPath={}", socket.display());
    let master = start(
        client
            .command(&["-o", &path, "-o", "ControlMaster=yes"], &["cat"])
            .stdin(Stdio::piped()),
    );
    sensor.seen.line("exec cat").await;
    for word in ["one", "two"] {
        let output = client.run(&["-o", &path], &["echo", word]).await;
        assert_eq!(
            text(&output.stdout),
            format!("{word}\n"),
            "{}",
            text(&output.stderr)
        );
    }
    let mut master = master;
    let mut stdin = master.stdin.take().unwrap();
    stdin.write_all(b"still here").await.unwrap();
    drop(stdin);
    assert_eq!(text(&finish(master).await.stdout), "still here");
    assert_eq!(
        sensor
            .seen
            .lines()
            .iter()
            .filter(|line| line.starts_with("open"))
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tcp_forwards_are_refused_or_swallowed_and_never_made() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let refused = client.run(&["-v", "-W", "192.0.2.1:80"], &[]).await;
    assert!(
        text(&refused.stderr).contains("open failed: connect failed: Connection refused"),
        "{refused:?}"
    );
    let mut child = start(
        client
            .command(&["-W", "mx.example:25"], &[])
            .stdin(Stdio::piped()),
    );
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"EHLO me\r\n").await.unwrap();
    assert_eq!(
        sensor.seen.line("forwarded").await,
        r"forwarded 25 EHLO me\r\n"
    );
    drop(child);
    assert_eq!(
        sensor.seen.line("forward 192").await,
        "forward 192.0.2.1 80"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_vanishes_takes_its_channels_with_it() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let mut child = start(client.command(&[], &["hold"]).stdin(Stdio::piped()));
    sensor.seen.line("exec hold").await;
    child.start_kill().unwrap();
    sensor.seen.line("channel closed").await;
    sensor.seen.line("closed").await;
    sensor.seen.go.notify_one();
    sensor.seen.line("output gone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_the_boundary_ends_one_connection() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let mut other = start(client.command(&[], &["cat"]).stdin(Stdio::piped()));
    sensor.seen.line("exec cat").await;
    let output = client.run(&[], &["fault"]).await;
    assert_eq!(output.status.code(), Some(255));
    assert_eq!(sensor.seen.line("closed").await, "closed fault");
    let output = client.run_as("faulty", &[], &["echo", "hi"]).await;
    assert_eq!(output.status.code(), Some(255));
    drop(other.stdin.take());
    assert_eq!(finish(other).await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_banner_comes_without_waiting_for_the_clients() {
    let sensor = sensor().await;
    let mut socket = TcpStream::connect(sensor.addresses[0]).await.unwrap();
    let mut line = [0; 41];
    timeout(LONG, socket.read_exact(&mut line))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(text(&line), "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n");
    drop(socket);
    assert_eq!(sensor.seen.line("closed").await, "closed client");
}
