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

/// A package as dpkg-deb makes it, with these files.
fn package(directory: &std::path::Path, name: &str, compression: &str, files: &[(&str, &str)]) {
    let root = directory.join(format!("{name}.root"));
    std::fs::create_dir_all(root.join("DEBIAN")).unwrap();
    let control = format!(
        "Package: {name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n\
         Description: a package\n with a second line\n"
    );
    std::fs::write(root.join("DEBIAN/control"), control).unwrap();
    for (path, content) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let status = std::process::Command::new("dpkg-deb")
        .args(["--root-owner-group", &format!("-Z{compression}"), "-b"])
        .arg(&root)
        .arg(directory.join(format!("{name}_1.0-1_all.deb")))
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::remove_dir_all(root).unwrap();
}

#[tokio::test]
async fn debian_packages_make_a_machine_that_knows_them() {
    let directory = tempfile::tempdir().unwrap();
    let pool = directory.path().join("pool");
    std::fs::create_dir(&pool).unwrap();
    package(
        &pool,
        "one",
        "xz",
        &[("bin/one", "#!/bin/sh\n"), ("etc/one.conf", "a=1\n")],
    );
    package(&pool, "two", "zstd", &[("usr/share/two/data", "two\n")]);
    let master = "root:*:0:0:root:/root:/bin/bash\n";
    package(
        &pool,
        "three",
        "gzip",
        &[("usr/share/base-passwd/passwd.master", master)],
    );
    let sundew = async |arguments: &[&str]| {
        let output = run(&directory, arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        text(&output.stdout)
    };
    sundew(&["fs", "build", "pool", "all.img"]).await;
    let cat = async |path: &str| sundew(&["fs", "cat", "all.img", path]).await;
    assert_eq!(cat("/bin/one").await, "#!/bin/sh\n");
    assert_eq!(cat("/usr/share/two/data").await, "two\n");
    assert_eq!(cat("/etc/passwd").await, master);
    let list = cat("/var/lib/dpkg/info/one.list").await;
    assert_eq!(list, "/.\n/bin\n/bin/one\n/etc\n/etc/one.conf\n");
    let status = cat("/var/lib/dpkg/status").await;
    assert!(
        status.starts_with("Package: one\nStatus: install ok installed\nVersion: 1.0-1\n"),
        "{status}"
    );
    assert!(
        status.contains(" with a second line\n\nPackage: three\n"),
        "{status}"
    );
    let listed = sundew(&["fs", "ls", "all.img", "/bin"]).await;
    assert!(listed.ends_with("/bin -> usr/bin\n"), "{listed}");

    // A list of names, with the index that a mirror has.
    std::fs::write(
        pool.join("Packages"),
        "Package: two\nFilename: main/t/two_1.0-1_all.deb\n",
    )
    .unwrap();
    std::fs::write(pool.join("wanted"), "# mine\ntwo\tinstall\none\n").unwrap();
    sundew(&["fs", "build", "pool/wanted", "some.img"]).await;
    let difference = sundew(&["fs", "diff", "some.img", "all.img"]).await;
    assert!(
        difference.contains("+ /var/lib/dpkg/info/three.list\n"),
        "{difference}"
    );
    assert!(!difference.contains("one.list"), "{difference}");

    std::fs::write(pool.join("wanted"), "nothing-of-this-name\n").unwrap();
    let refused = run(&directory, &["fs", "build", "pool/wanted", "x.img"]).await;
    assert_ne!(refused.status.code(), Some(0));
    let told = text(&refused.stderr);
    assert!(
        told.contains("no package `nothing-of-this-name` beside it"),
        "{told}"
    );
    let whole = std::fs::read(pool.join("one_1.0-1_all.deb")).unwrap();
    for part in [8, 70, 200, whole.len() - 100] {
        std::fs::write(pool.join("cut.deb"), &whole[..part]).unwrap();
        let refused = run(&directory, &["fs", "build", "pool/cut.deb", "x.img"]).await;
        assert_ne!(refused.status.code(), Some(0), "{part}");
    }
}
