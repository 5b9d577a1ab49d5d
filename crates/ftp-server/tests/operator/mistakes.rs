//! What a newcomer does wrong, and what they are told: one line that says what to do.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::daemon::{Daemon, ftpd};

/// The exit status, and what is said on standard error.
fn told(arguments: &[&str]) -> (Option<i32>, String) {
    let output = ftpd(arguments, "");
    let errors = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), errors)
}

#[test]
fn everything_wrong_on_the_command_line_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "no certificate").unwrap();
    let file = file.to_str().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    for (arguments, code, expected) in [
        (vec![], 2, "no directory to serve: `ftpd .`"),
        (
            vec!["/nonexistent"],
            66,
            "/nonexistent: No such file or directory",
        ),
        (vec![file], 66, "not a directory"),
        (vec!["--port", "99999", here], 2, "not in 0..=65535"),
        (vec!["--port", &taken, here], 71, "another port: --port N"),
        (
            vec!["--listen", "192.0.2.1:0", here],
            71,
            "this machine has no such address",
        ),
        (vec!["--writ", here], 2, "'--write'"),
        (vec!["--user", "anna", here], 2, "expected NAME:PASSWORD"),
        (
            vec!["--user", "anna:", here],
            2,
            "no password behind the colon",
        ),
        (
            vec!["--user", ":secret", here],
            2,
            "the name before the colon",
        ),
        (vec!["--cert", file, here], 2, "--key <FILE>"),
        (
            vec!["--cert", file, "--key", file, here],
            78,
            "no certificate in the file",
        ),
        (
            vec!["--cert", "/nonexistent", "--key", file, here],
            66,
            "/nonexistent: No such file",
        ),
        (
            vec!["--self-signed", "--cert", file, "--key", file, here],
            2,
            "cannot be used with",
        ),
        (vec!["--passive-ports", "1-2", here], 2, "like 50000-50999"),
        (vec!["--metrics", "0.0.0.0:9121", here], 2, "loopback only"),
        (vec!["--log", "[[", here], 78, "log filter `[[`"),
        (
            vec!["--config", "/nonexistent"],
            66,
            "/nonexistent: No such file",
        ),
    ] {
        is_told(&arguments, code, expected);
    }
}

#[test]
fn everything_wrong_with_the_tools_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "no configuration").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, code, expected) in [
        (vec!["check"], 2, "<FILE>"),
        (vec!["check", here], 66, "Is a directory"),
        (vec!["check", file], 78, "file:1:"),
        (vec!["kick"], 2, "<SESSIONS>"),
        (vec!["kick", "anna"], 2, "invalid digit"),
        (
            vec!["ban", "192.0.2.1", "--for", "5 parsecs"],
            2,
            "is not a duration like",
        ),
        (vec!["unban", "x"], 2, "invalid IP address"),
        (
            vec!["who", "--control", "/nonexistent"],
            69,
            "another one: --port N or --control FILE",
        ),
        (vec!["hash"], 2, "no password was given"),
    ] {
        is_told(&arguments, code, expected);
    }
}

fn is_told(arguments: &[&str], code: i32, expected: &str) {
    let (status, errors) = told(arguments);
    assert!(errors.contains(expected), "{arguments:?}: {errors}");
    assert_eq!(status, Some(code), "{arguments:?}: {errors}");
    let is_complaint = |line: &&str| line.starts_with("ftpd: ") || line.starts_with("error: ");
    let complaints = errors.lines().filter(is_complaint);
    assert_eq!(complaints.count(), 1, "{arguments:?}: {errors}");
}

#[test]
fn what_may_not_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key.pem");
    fs::write(&key, "x").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let id = Command::new("id").arg("-u").output().unwrap();
    let program = env!("CARGO_BIN_EXE_ftpd");
    // Root may read everything, so it has to be somebody else.
    let mut command = if id.stdout == b"0\n" {
        // The program may lie where only root gets at it.
        let copy = dir.path().join("ftpd");
        fs::copy(program, &copy).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.arg(copy);
        command
    } else {
        Command::new(program)
    };
    let output = command
        .arg("--cert")
        .arg(&key)
        .arg("--key")
        .arg(&key)
        .arg(dir.path())
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("key.pem: Permission denied"), "{errors}");
    assert_eq!(output.status.code(), Some(66));
}

#[test]
fn help_has_examples_and_every_word_of_them_is_understood() {
    for words in [
        vec!["--help"],
        vec!["kick", "--help"],
        vec!["who", "--help"],
        vec!["check", "--help"],
    ] {
        let output = ftpd(&words, "");
        assert!(output.status.success(), "{words:?}");
    }
    let help = String::from_utf8(ftpd(&["--help"], "").stdout).unwrap();
    for flag in [
        "--write",
        "--port",
        "--user",
        "--tls",
        "--self-signed",
        "--cert",
        "--key",
        "--require-tls",
        "--config",
        "--listen",
        "--passive-ports",
        "--advertise",
        "--metrics",
        "--log",
        "--control",
        "Examples:",
        "Exit status:",
    ] {
        assert!(help.contains(flag), "{flag} in {help}");
    }
    assert!(!help.contains("helper"), "{help}");
}

#[test]
fn a_log_that_nobody_reads_ends_no_session() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftpd"))
        .args([
            "--port",
            "0",
            "--log",
            "debug",
            "--user",
            "a:b",
            "--self-signed",
            "--write",
            ".",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let port: u16 = line.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
    let mut client = crate::client::Client::connect((Ipv4Addr::LOCALHOST, port).into());
    client.log_in("a", "b");
    client.ask("NOOP", "200 ");
    client.ask("QUIT", "221 ");
    let pid = child.id().to_string();
    Command::new("kill").arg(&pid).status().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_first_lines_say_how_to_connect_and_that_works() {
    let server = Daemon::start("");
    let command = server.hint.split("connect with: ").nth(1).unwrap().trim();
    let listing = Command::new("sh")
        .args(["-c", &format!("timeout 20 {command} -sS")])
        .output();
    let listing = String::from_utf8(listing.unwrap().stdout).unwrap();
    assert!(listing.contains("common"), "{listing}");
}
