//! Files that OpenSSH's own `scp` and `sftp` bring and take.

use serde_json::Value;

use crate::client::{Client, text};
use crate::download::artifact;
use crate::event::{check, only};
use crate::ftp::sample;
use crate::sensor::Sensor;

/// What one connection brings the next one finds.
const PERSIST: &str = "[machine]\npersist = true\n";

/// Checks that the one upload was kept whole, and that nothing else was.
fn kept(sensor: &Sensor, events: &[Value], path: &str) {
    sensor.lines().iter().for_each(|line| check(line));
    let event = only(events, "cowrie.session.file_upload");
    assert_eq!(event["destfile"], path);
    assert_eq!(event["filename"], path.rsplit('/').next().unwrap());
    assert_eq!(event["complete"], true, "{event}");
    assert_eq!(artifact(sensor, event), sample());
    let others = events
        .iter()
        .filter(|event| event["eventid"] == "cowrie.session.file_download");
    assert_eq!(others.count(), 0);
}

#[tokio::test]
async fn scp_brings_a_file_by_sftp_and_by_the_old_protocol_and_takes_it_again() {
    for protocol in ["-s", "-O"] {
        let files = tempfile::tempdir().unwrap();
        let (there, back) = (files.path().join("bot"), files.path().join("back"));
        std::fs::write(&there, sample()).unwrap();
        let mut sensor = Sensor::start_with(PERSIST).await;
        let client = Client::of(&sensor);
        let address = sensor.address.ip();
        let (there, back) = (there.to_str().unwrap(), back.to_str().unwrap());
        let place = format!("root@{address}:/tmp/bot");
        let output = client.copy("scp", &[protocol, there, &place], "").await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let output = client.copy("scp", &[protocol, &place, back], "").await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(std::fs::read(back).unwrap(), sample());
        let events = sensor.stop().await;
        kept(&sensor, &events, "/tmp/bot");
    }
}

#[tokio::test]
async fn scp_brings_a_tree_with_its_modes_and_times() {
    for protocol in ["-s", "-O"] {
        let files = tempfile::tempdir().unwrap();
        let tree = files.path().join("tree");
        std::fs::create_dir_all(tree.join("sub")).unwrap();
        std::fs::write(tree.join("sub/bot"), sample()).unwrap();
        let mut sensor = Sensor::start_with(PERSIST).await;
        let client = Client::of(&sensor);
        let place = format!("root@{}:/tmp", sensor.address.ip());
        let output = client
            .copy(
                "scp",
                &[protocol, "-rp", tree.to_str().unwrap(), &place],
                "",
            )
            .await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let back = files.path().join("back");
        let place = format!("root@{}:/tmp/tree", sensor.address.ip());
        let output = client
            .copy("scp", &[protocol, "-r", &place, back.to_str().unwrap()], "")
            .await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(std::fs::read(back.join("sub/bot")).unwrap(), sample());
        let events = sensor.stop().await;
        kept(&sensor, &events, "/tmp/tree/sub/bot");
    }
}

#[tokio::test]
async fn sftp_works_on_the_machines_files() {
    let files = tempfile::tempdir().unwrap();
    let there = files.path().join("bot");
    std::fs::write(&there, sample()).unwrap();
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    let batch = format!(
        "pwd\nmkdir /tmp/d\ncd /tmp/d\nput {} x\nchmod 700 x\nrename x y\nsymlink y z\nls -1\nrm z\nls -ln y\nget nope\nrmdir /nope\n",
        there.display()
    );
    let place = format!("root@{}", sensor.address.ip());
    let output = client.copy("sftp", &[&place], &batch).await;
    let shown = text(&output.stdout);
    assert!(
        shown.contains("Remote working directory: /root\n"),
        "{output:?}"
    );
    assert!(shown.contains("ls -1\ny\nz\n"), "{shown}");
    assert!(
        shown.contains("-rwx------    ? root     root       160000 "),
        "{shown}"
    );
    let said = text(&output.stderr);
    assert!(said.contains("File \"/tmp/d/nope\" not found."), "{said}");
    assert!(
        said.contains("remote rmdir \"/nope\": No such file"),
        "{said}"
    );
    assert!(!said.contains("unsupported"), "{said}");
    let events = sensor.stop().await;
    kept(&sensor, &events, "/tmp/d/x");
}

#[tokio::test]
async fn a_subsystem_that_is_not_there_is_refused() {
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    let output = client.run(&["-s"], &["netconf"], "").await;
    assert_eq!(output.status.code(), Some(255), "{output:?}");
    sensor.stop().await;
}
