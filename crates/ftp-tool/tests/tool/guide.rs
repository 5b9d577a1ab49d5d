//! The commands of the guide and of `--help`, run as they stand there.

use std::fs;
use std::process::Command;

use crate::server::{Kind, Running};

const GUIDE: &str = include_str!("../../../../docs/guide/ftp.md");

#[test]
fn the_examples_of_the_guide_work_as_they_stand() {
    let server = Running::start(Kind::Ours);
    server.put_there("README", "read me\n");
    server.put_there("pub/image.iso", vec![7; 3_000_000]);
    server.put_there("pub/old/a.iso", "1");
    server.put_there("pub/notes.txt", "2");
    fs::create_dir_all(server.there("incoming")).unwrap();
    let other = Running::start(Kind::Ours);
    fs::create_dir_all(other.there("incoming")).unwrap();
    fs::write(server.here("report.pdf"), "pdf").unwrap();
    fs::create_dir(server.here("site")).unwrap();
    fs::write(server.here("site/index.html"), "<p>").unwrap();
    let bin = server.here("bin");
    fs::create_dir(&bin).unwrap();
    let program = format!(
        "#!/bin/sh\n[ \"$1\" = ftp ] && shift\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_sundew-ftp")
    );
    fs::write(bin.join("sundew"), program).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(bin.join("sundew"), executable).unwrap();
    let mut count = 0;
    for block in GUIDE.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let script = block
            .replace("ftp://ftp.example.org/", &server.url(""))
            .replace("ftp://mirror.example.org/", &other.url(""));
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let output = Command::new("sh")
            .args(["-ec", &script])
            .current_dir(server.here(""))
            .env("PATH", path)
            .env("HOME", server.here(""))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{script}\n{said}");
        count += 1;
    }
    assert!(count >= 5, "the guide has lost its examples");
    assert!(server.there("incoming/report.pdf").exists());
    assert!(server.there("htdocs/index.html").exists());
    assert!(other.there("incoming/image.iso").exists());
}

#[test]
fn the_exit_statuses_of_the_guide_are_those_of_the_help() {
    let help = Command::new(env!("CARGO_BIN_EXE_sundew-ftp"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let statuses = help.split("Exit status:\n").nth(1).unwrap();
    for line in statuses.lines().filter(|line| !line.trim().is_empty()) {
        let (status, meaning) = line.trim().split_once("  ").unwrap();
        let row = format!("| {status} | {} |", meaning.trim());
        assert!(GUIDE.contains(&row), "{row}");
    }
}
