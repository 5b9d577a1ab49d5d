//! A source finds its machine again, if the operator wants that.

use crate::client::Client;
use crate::sensor::{Sensor, until};

const PERSIST: &str = "[machine]\npersist = true\n";

fn kept(sensor: &Sensor) -> Vec<std::path::PathBuf> {
    let folder = std::fs::read_dir(sensor.path("machines"));
    let mut paths: Vec<_> = folder
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn is_named(path: &std::path::Path, extension: &str) -> bool {
    path.extension().is_some_and(|known| known == extension)
}

#[tokio::test]
async fn files_and_accounts_are_there_on_return_and_a_damaged_machine_is_set_aside() {
    let mut sensor = Sensor::start_with(PERSIST).await;
    let client = Client::of(&sensor);
    let output = client
        .exec("echo planted > /root/.k; echo one >> /etc/motd")
        .await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let file = until("a kept machine", || {
        kept(&sensor)
            .into_iter()
            .find(|path| is_named(path, "machine"))
    })
    .await;
    let output = client.exec("cat /root/.k; rm /root/.k").await;
    assert_eq!(output.stdout, b"planted\n", "{output:?}");
    sensor.stop().await;

    // A power failure in the middle of a disk that lies about syncing.
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let mut sensor = Sensor::start_in(sensor.directory).await;
    let client = Client::of(&sensor);
    let output = client.exec("cat /root/.k /etc/motd | grep -c one").await;
    assert_eq!(output.stdout, b"0\n", "{output:?}");
    assert!(kept(&sensor).iter().any(|path| is_named(path, "damaged")));
    sensor.stop().await;
}

#[tokio::test]
async fn without_the_wish_every_connection_finds_a_pristine_machine() {
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    client.exec("echo planted > /root/.k").await;
    let output = client.exec("ls -A /root").await;
    assert_eq!(output.stdout, b".bashrc\n.profile\n", "{output:?}");
    assert!(kept(&sensor).is_empty());
    sensor.stop().await;
}

#[tokio::test]
async fn a_password_that_was_set_on_a_kept_machine_lets_its_visitor_in() {
    // One that the default policy refuses.
    const REFUSED: &str = "123456";
    let mut sensor = Sensor::start_with(PERSIST).await;
    let refused = Client::with_passwords(&sensor, &[REFUSED]).exec("id").await;
    assert_ne!(refused.status.code(), Some(0), "{refused:?}");
    let output = Client::of(&sensor)
        .exec(&format!("echo root:{REFUSED} | chpasswd"))
        .await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    until("a kept machine", || {
        kept(&sensor)
            .into_iter()
            .find(|path| is_named(path, "machine"))
    })
    .await;
    let output = Client::with_passwords(&sensor, &[REFUSED])
        .exec("id -un")
        .await;
    assert_eq!(output.stdout, b"root\n", "{output:?}");
    sensor.stop().await;
}

#[tokio::test]
async fn a_restart_ends_the_connection_and_leaves_what_lay_on_the_disk() {
    let mut sensor = Sensor::start_with(PERSIST).await;
    let client = Client::of(&sensor);
    let plant = "echo kept > /root/kept; echo gone > /run/gone; mkdir /tmp/gone /dev/shm/gone; reboot; sleep 1000";
    let output = client.exec(plant).await;
    // What OpenSSH says of a connection that the other side closed.
    assert_eq!(output.status.code(), Some(255), "{output:?}");
    until("a kept machine", || {
        kept(&sensor)
            .into_iter()
            .find(|path| is_named(path, "machine"))
    })
    .await;
    let look = "ls -A /run/gone /tmp /dev/shm; cat /root/kept; cut -d. -f1 /proc/uptime";
    let output = client.exec(look).await;
    let said = crate::client::text(&output.stdout);
    assert!(
        said.contains("kept\n") && !said.contains("gone"),
        "{output:?}"
    );
    let up: u32 = said.lines().last().unwrap().parse().unwrap();
    assert!(up < 120, "{up}");
    let stderr = crate::client::text(&output.stderr);
    assert!(stderr.contains("cannot access '/run/gone'"), "{output:?}");
    sensor.stop().await;
}
