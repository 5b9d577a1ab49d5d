//! `sundew fs`: from a tree of this computer to an image, and back.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::client::{Client, text};
use crate::sensor::{Sensor, run};

#[tokio::test]
async fn an_image_is_built_looked_into_changed_compared_and_run() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    for folder in ["bin", "etc", "root", "tmp", "proc", "dev/pts"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let shell = root.join("bin/bash");
    std::fs::copy("/bin/bash", &shell).unwrap();
    std::fs::set_permissions(&shell, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::copy("/bin/cat", root.join("bin/cat")).unwrap();
    symlink("bash", root.join("bin/sh")).unwrap();
    std::fs::write(root.join("etc/hostname"), "nas7\n").unwrap();
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n").unwrap();
    std::fs::write(root.join("etc/motd"), "first\n").unwrap();

    let sundew = async |arguments: &[&str]| {
        let output = run(&directory, arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        text(&output.stdout)
    };
    let built = sundew(&["fs", "build", "root", "one.img"]).await;
    assert!(built.starts_with("one.img: 13 paths, "), "{built}");
    let status = std::process::Command::new("tar")
        .args(["-czf", "root.tgz", "-C", "root", "."])
        .current_dir(directory.path())
        .status()
        .unwrap();
    assert!(status.success());
    sundew(&["fs", "build", "root.tgz", "two.img"]).await;
    assert_eq!(sundew(&["fs", "diff", "one.img", "two.img"]).await, "");
    assert_eq!(
        sundew(&["fs", "cat", "one.img", "/etc/motd"]).await,
        "first\n"
    );

    std::fs::write(directory.path().join("new"), "second\n").unwrap();
    sundew(&["fs", "put", "two.img", "new", "/etc/motd", "--mode", "600"]).await;
    assert_eq!(
        sundew(&["fs", "diff", "one.img", "two.img"]).await,
        "~ /etc/motd\n"
    );
    let listed = sundew(&["fs", "ls", "two.img", "/etc"]).await;
    assert!(
        listed.contains("-0600     0     0          7 /etc/motd\n"),
        "{listed}"
    );
    let built_in = sundew(&["fs", "ls", "camera", "/bin/sh"]).await;
    assert!(built_in.ends_with("/bin/sh -> busybox\n"), "{built_in}");

    let image = directory.path().join("two.img");
    let config = format!("[machine]\nimage = {:?}\n", image.to_str().unwrap());
    let mut sensor = Sensor::start_with(&config).await;
    let output = Client::of(&sensor)
        .exec("/bin/cat /etc/motd /etc/hostname; pwd")
        .await;
    assert_eq!(text(&output.stdout), "second\nnas7\n/root\n", "{output:?}");
    sensor.stop().await;
}

#[tokio::test]
async fn what_is_no_image_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("x"), "hello").unwrap();
    for arguments in [
        &["fs", "ls", "x"][..],
        &["fs", "import", "x", "y"],
        &["fs", "build", "x", "y"],
        &["fs", "cat", "nowhere", "/x"],
    ] {
        let output = run(&directory, arguments).await;
        assert_eq!(output.status.code(), Some(73), "{arguments:?}: {output:?}");
        let error = text(&output.stderr);
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
