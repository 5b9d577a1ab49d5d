//! Downloads: `ftpget` on the machine, a real server elsewhere, the sample kept.

use std::net::SocketAddr;

use ftp_server::auth::Accounts;
use ftp_server::backend::disk::Disk;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::{Limits, Listener, Server};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::client::{Client, text};
use crate::event::{check, only};
use crate::ftp::{Ftp, sample};
use crate::sensor::{PATIENCE, Sensor};

pub(crate) const ALLOW: &str = "[egress]\nallow = [\"127.0.0.1\"]\n";

/// The artifact an event names.
pub(crate) fn artifact(sensor: &Sensor, event: &Value) -> Vec<u8> {
    std::fs::read(
        sensor
            .directory
            .path()
            .join(event["outfile"].as_str().unwrap()),
    )
    .unwrap()
}

fn sidecar(sensor: &Sensor, event: &Value) -> Value {
    let path = sensor
        .directory
        .path()
        .join(format!("{}.json", event["outfile"].as_str().unwrap()));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn ftpget_brings_a_file_to_the_machine_and_to_the_store() {
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("bot.sh"), sample()).unwrap();
    let accounts = Accounts::new().with_anonymous(Rights::READ);
    let backend = Disk::open(files.path()).unwrap();
    let server = Server::new(
        FileServer::new(accounts, backend, FileOptions::default()),
        Limits::default(),
    );
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let listener = Listener::bind(&[any]).unwrap();
    let port = listener.addresses().unwrap()[0].port();
    let stop = server.stop_token();
    let serving = tokio::spawn(server.serve(listener));

    let mut sensor = Sensor::start_with(ALLOW).await;
    let client = Client::of(&sensor);
    let command = format!(
        "cd /tmp; ftpget -P {port} 127.0.0.1 x bot.sh; echo $?; ls -s x >/dev/null && echo there"
    );
    let output = client.exec(&command).await;
    assert_eq!(text(&output.stdout), "0\nthere\n", "{output:?}");
    let events = sensor.stop().await;
    sensor.lines().iter().for_each(|line| check(line));
    let event = only(&events, "cowrie.session.file_download");
    assert_eq!(event["url"], format!("ftp://127.0.0.1:{port}/bot.sh"));
    assert_eq!(event["destfile"], "x");
    assert_eq!(event["complete"], true);
    assert!(event.get("late").is_none());
    assert_eq!(artifact(&sensor, event), sample());
    let sidecar = sidecar(&sensor, event);
    assert_eq!(sidecar["complete"], true);
    assert_eq!(sidecar["urls"][0], event["url"]);
    assert_eq!(sidecar["sessions"][0], event["session"]);
    stop.cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_visitor_who_leaves_in_mid_transfer_leaves_the_whole_sample() {
    let ftp = Ftp::start().await;
    let mut sensor = Sensor::start_with(ALLOW).await;
    let client = Client::of(&sensor);
    let mut visitor = client.start(&[], &[&format!("ftpget -P {} 127.0.0.1 x bot", ftp.port())]);
    timeout(PATIENCE, ftp.half.notified()).await.unwrap();
    visitor.kill().await.unwrap();
    sensor.event("cowrie.session.closed").await;
    ftp.go_on.notify_one();
    let event = sensor.event("cowrie.session.file_download").await;
    assert_eq!(
        (&event["late"], &event["complete"]),
        (&true.into(), &true.into())
    );
    assert_eq!(artifact(&sensor, &event), sample());
    sensor.stop().await;
}

#[tokio::test]
async fn an_interrupted_transfer_leaves_the_whole_sample() {
    let ftp = Ftp::start().await;
    let mut sensor = Sensor::start_with(ALLOW).await;
    let client = Client::of(&sensor);
    let mut visitor = client.start(&["-tt"], &[]);
    let (mut keys, mut screen) = (
        visitor.stdin.take().unwrap(),
        visitor.stdout.take().unwrap(),
    );
    keys.write_all(format!("ftpget -P {} 127.0.0.1 x bot\n", ftp.port()).as_bytes())
        .await
        .unwrap();
    timeout(PATIENCE, ftp.half.notified()).await.unwrap();
    keys.write_all(b"\x03").await.unwrap();
    // What is typed before the prompt is back would be lost: ^C flushes.
    let mut shown = Vec::new();
    let interrupted = async {
        while !text(&shown).contains("^C") {
            assert!(
                screen.read_buf(&mut shown).await.unwrap() > 0,
                "{}",
                text(&shown)
            );
        }
    };
    timeout(PATIENCE, interrupted).await.unwrap();
    keys.write_all(b"echo rc=$?\nexit\n").await.unwrap();
    timeout(PATIENCE, screen.read_to_end(&mut shown))
        .await
        .unwrap()
        .unwrap();
    assert!(text(&shown).contains("rc=130"), "{}", text(&shown));
    ftp.go_on.notify_one();
    let event = sensor.event("cowrie.session.file_download").await;
    assert_eq!(event["complete"], true);
    assert_eq!(artifact(&sensor, &event), sample());
    sensor.stop().await;
}

#[tokio::test]
async fn a_transfer_that_the_end_of_the_sensor_cuts_is_marked() {
    let ftp = Ftp::start().await;
    let mut sensor = Sensor::start_with(&format!("{ALLOW}[shutdown]\ngrace_seconds = 0\n")).await;
    let client = Client::of(&sensor);
    let _visitor = client.start(&[], &[&format!("ftpget -P {} 127.0.0.1 x bot", ftp.port())]);
    timeout(PATIENCE, ftp.half.notified()).await.unwrap();
    let events = sensor.stop().await;
    let event = only(&events, "cowrie.session.file_download");
    assert_eq!(
        (&event["complete"], &event["incomplete_reason"]),
        (&false.into(), &"shutdown".into())
    );
    let kept = artifact(&sensor, event);
    assert!(
        sample().starts_with(&kept) && kept.len() <= sample().len() / 2,
        "{}",
        kept.len()
    );
}

#[tokio::test]
async fn a_server_that_never_speaks_leaves_a_failed_download_when_the_sensor_ends() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut sensor = Sensor::start_with(&format!("{ALLOW}[shutdown]\ngrace_seconds = 0\n")).await;
    let client = Client::of(&sensor);
    let _visitor = client.start(&[], &[&format!("ftpget -P {port} 127.0.0.1 x bot")]);
    let _dialled = timeout(PATIENCE, silent.accept()).await.unwrap().unwrap();
    let events = sensor.stop().await;
    let failed = only(&events, "cowrie.session.file_download.failed");
    assert_eq!(failed["url"], format!("ftp://127.0.0.1:{port}/bot"));
    assert_eq!(failed["error"], "shutdown");
}

#[tokio::test]
async fn a_private_target_looks_unreachable_and_is_told_of() {
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    let output = client.exec("ftpget 192.168.77.7 x bot").await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "ftpget: can't connect to remote host (192.168.77.7): No route to host\n"
    );
    let events = sensor.stop().await;
    sensor.lines().iter().for_each(|line| check(line));
    let refused = only(&events, "sundew.egress.refused");
    assert!(
        refused.to_string().contains("\"192.168.77.7\""),
        "{refused}"
    );
    let failed = only(&events, "cowrie.session.file_download.failed");
    assert_eq!(failed["url"], "ftp://192.168.77.7/bot");
}

#[tokio::test]
async fn the_loopback_of_the_host_is_not_that_of_the_machine() {
    let ftp = Ftp::start().await;
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    let port = ftp.port();
    let output = client
        .exec(&format!("ftpget -P {port} 127.0.0.1 x bot"))
        .await;
    assert_eq!(
        text(&output.stderr),
        "ftpget: can't connect to remote host (127.0.0.1): Connection refused\n"
    );
    let events = sensor.stop().await;
    let failed = only(&events, "cowrie.session.file_download.failed");
    assert_eq!(failed["url"], format!("ftp://127.0.0.1:{port}/bot"));
    only(&events, "sundew.egress.refused");
}
