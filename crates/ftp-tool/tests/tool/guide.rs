//! The commands of the guide and of `--help`, run as they stand there.

use std::fs;
use std::process::Command;

use serde_json::Value;

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

#[test]
fn the_fields_of_json_are_those_of_the_guide() {
    let server = Running::start(Kind::Ours);
    server.put_there("pub/x", "1");
    server.put_there("pub/y", "2");
    fs::create_dir(server.here("m")).unwrap();
    fs::write(server.here("m/old"), "x").unwrap();
    let mut said = String::new();
    for words in [
        vec!["ls", "URL/pub/"],
        vec!["get", "URL/pub/x"],
        vec!["get", "URL/pub/x"],
        vec!["get", "URL/nope"],
        vec!["mirror", "--delete", "URL/pub/", "m"],
        vec!["mkdir", "URL/new/"],
    ] {
        let words = [words, vec!["--json"]].concat();
        said += &String::from_utf8(server.run(&words).stdout).unwrap();
    }
    let mut seen = Vec::new();
    for line in said.lines() {
        let Value::Object(object) = serde_json::from_str(line).unwrap() else {
            panic!("{line}");
        };
        let event = object["event"].as_str().unwrap();
        let row = GUIDE
            .lines()
            .find(|row| row.starts_with(&format!("| `{event}` |")));
        let fields = row.unwrap_or_else(|| panic!("{event} is not in the guide"));
        // What stands in parentheses are values.
        let mut plain = String::new();
        let mut depth = 0;
        for c in fields.chars() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                c if depth == 0 => plain.push(c),
                _ => {}
            }
        }
        let mut told: Vec<&str> = plain.split('`').skip(3).step_by(2).collect();
        let mut found: Vec<&str> = object.keys().map(String::as_str).collect();
        found.retain(|key| *key != "event");
        told.sort_unstable();
        found.sort_unstable();
        assert_eq!(told, found, "{event}");
        seen.push(event.to_owned());
    }
    for event in [
        "entry",
        "transferred",
        "unchanged",
        "error",
        "summary",
        "action",
    ] {
        assert!(
            seen.iter().any(|found| found == event),
            "{event} was not seen: {said}"
        );
    }
}
