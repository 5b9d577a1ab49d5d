//! What the operator sees: first start, second start, the end, mistakes.

use std::fs;

use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::client::{Client, text};
use crate::event::ids;
use crate::sensor::{Sensor, run, until};

#[tokio::test]
async fn a_second_start_is_the_same_machine() {
    let mut sensor = Sensor::start_in(tempfile::tempdir().unwrap()).await;
    assert!(sensor.greeting.len() <= 10, "{:?}", sensor.greeting);
    assert!(
        fs::read_to_string(sensor.path("sundew.toml"))
            .unwrap()
            .contains("#download_limit = 52428800")
    );
    assert!(sensor.path("userdb.txt").is_file());
    let name = Client::of(&sensor).exec("hostname").await.stdout;
    assert!(name.len() > 2, "{name:?}");
    let files = [
        "machine.toml",
        "keys/ssh_host_rsa_key",
        "keys/ssh_host_ed25519_key",
    ];
    let first = files.map(|file| fs::read(sensor.path(file)).unwrap());
    sensor.stop().await;
    let Sensor { directory, .. } = sensor;
    let mut sensor = Sensor::start_in(directory).await;
    assert_eq!(
        files.map(|file| fs::read(sensor.path(file)).unwrap()),
        first
    );
    assert_eq!(Client::of(&sensor).exec("hostname").await.stdout, name);
    let events = sensor.stop().await;
    assert!(
        events
            .iter()
            .all(|event| event["uuid"] == events[0]["uuid"])
    );
}

#[tokio::test]
async fn a_signal_ends_open_sessions_within_the_grace_and_loses_no_event() {
    let mut sensor = Sensor::start_with("[shutdown]\ngrace_seconds = 0\n").await;
    let client = Client::of(&sensor);
    let _visitor = client.start(&[], &["sleep 1000"]);
    sensor.event("cowrie.command.input").await;
    let events = sensor.stop().await;
    assert_eq!(
        ids(&events)[events.len() - 2..],
        ["cowrie.log.closed", "cowrie.session.closed"]
    );
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut sensor = Sensor::start_with("[shutdown]\ngrace_seconds = 1000\n").await;
    let client = Client::of(&sensor);
    let _visitor = client.start(&[], &["sleep 1000"]);
    sensor.event("cowrie.command.input").await;
    sensor.signal(Signal::TERM);
    // The first was noticed when the door is shut.
    let address = sensor.address;
    until("the shut door", || {
        std::net::TcpStream::connect(address).err()
    })
    .await;
    sensor.signal(Signal::TERM);
    assert_eq!(sensor.end().await.code(), Some(143));
}

#[tokio::test]
async fn an_address_in_use_is_named_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&directory, &["up", "--ssh", &address]).await;
    assert_eq!(output.status.code(), Some(71), "{output:?}");
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains(&address) && said.contains("--ssh ADDR:PORT"),
        "{said}"
    );
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_named_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let output = run(&directory, &["up", "--data", "file/data", "--ssh", "off"]).await;
    assert_eq!(output.status.code(), Some(73), "{output:?}");
    let said = text(&output.stderr);
    assert!(
        said.lines().count() == 1 && said.contains("file/data") && said.contains("--data"),
        "{said}"
    );
}

#[tokio::test]
async fn a_mistake_in_the_configuration_is_named_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("d");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("sundew.toml"), "[egress]\nalow = []\n").unwrap();
    for command in ["up", "check"] {
        let output = run(&directory, &[command, "--data", "d"]).await;
        assert_eq!(output.status.code(), Some(78), "{output:?}");
        let expected = "sundew: d/sundew.toml:2:1: unknown key `alow`, did you mean `allow`?\n";
        assert_eq!(text(&output.stderr), expected);
    }
    fs::write(data.join("sundew.toml"), "").unwrap();
    fs::write(data.join("userdb.txt"), "root:x:*\nroot\n").unwrap();
    let output = run(&directory, &["check", "--data", "d"]).await;
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    assert_eq!(
        text(&output.stderr),
        "sundew: d/userdb.txt:2: expected user:x:password\n"
    );
    fs::remove_file(data.join("userdb.txt")).unwrap();
    let output = run(&directory, &["check", "--data", "d"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[tokio::test]
async fn two_sensors_do_not_share_a_directory() {
    let sensor = Sensor::start().await;
    let output = run(&sensor.directory, &["--ssh", "127.0.0.1:0"]).await;
    assert_eq!(output.status.code(), Some(73), "{output:?}");
    assert!(
        text(&output.stderr).contains("another sensor uses this directory"),
        "{output:?}"
    );
    drop(TcpStream::connect(sensor.address).await.unwrap());
}
