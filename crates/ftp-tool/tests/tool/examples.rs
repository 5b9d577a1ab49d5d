//! The examples of `ftp-client`, run against our own server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ftp_server::tls::ClientCertificates;

use crate::secure::socks;
use crate::server::{Kind, Running, finish};

fn place(ours: &Running) -> String {
    format!("localhost:{}", ours.port)
}

/// Runs an example, which has to succeed.
fn run_example(ours: &Running, name: &str, words: &[&str]) -> String {
    let output = outcome(ours, name, words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {said}");
    String::from_utf8(output.stdout).unwrap() + &said
}

fn outcome(ours: &Running, name: &str, words: &[&str]) -> Output {
    let child = Command::new(example(name))
        .args(words)
        .current_dir(ours.here(""))
        .env("SSL_CERT_FILE", ours.here("ca.pem"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    finish(child)
}

/// Cargo has built the examples if it tests everything; if it tests this package alone, they are built
/// here.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap();
    let program = built.join("examples").join(name);
    if !program.exists() {
        let target = built.parent().unwrap();
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--locked",
                "--examples",
                "-p",
                "ftp-client",
                "--target-dir",
            ])
            .arg(target)
            .status();
        assert!(status.unwrap().success(), "the examples do not build");
    }
    program
}

fn body(size: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(size).collect()
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn a_download_shows_progress_and_goes_on_where_it_was() {
    let ours = Running::start(Kind::Ours);
    let whole = body(500_000);
    fs::write(ours.there("file"), &whole).unwrap();
    let said = run_example(&ours, "download", &[&place(&ours), "file"]);
    assert!(said.contains("500000 of 500000 bytes"), "{said}");
    assert!(read(ours.here("file")) == whole);
    // The beginning is not asked for again.
    let mut part = whole[..300_000].to_vec();
    part[0] = b'!';
    fs::write(ours.here("part"), part).unwrap();
    run_example(&ours, "download", &[&place(&ours), "file", "part"]);
    let came = read(ours.here("part"));
    assert!(came[0] == b'!' && came[1..] == whole[1..]);
    let refused = outcome(&ours, "download", &[&place(&ours), "nope"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("550"), "{said}");
}

#[test]
fn a_directory_is_mirrored() {
    let ours = Running::start(Kind::Ours);
    fs::create_dir_all(ours.there("pub/deep/er")).unwrap();
    for number in 0..20 {
        let name = format!("pub/deep/f{number}");
        fs::write(ours.there(&name), body(number * 1000)).unwrap();
    }
    fs::write(ours.there("pub/deep/er/last"), "x").unwrap();
    run_example(&ours, "mirror", &[&place(&ours), "pub"]);
    for number in 0..20 {
        assert!(read(ours.here(&format!("deep/f{number}"))) == body(number * 1000));
    }
    assert_eq!(read(ours.here("deep/er/last")), b"x");
}

#[test]
fn commands_of_ones_own_are_answered() {
    let ours = Running::start(Kind::Ours);
    let words = [&place(&ours), "NOOP", "XYZZY", "SITE HELP"];
    let said = run_example(&ours, "custom_command", &words);
    assert!(
        said.contains("200 ") && said.contains("500 ") && said.contains("CHMOD"),
        "{said}"
    );
}

#[test]
fn a_file_goes_up_over_tls_without_async() {
    let (ours, certificate) = Running::secured(false, ClientCertificates::Ignored);
    fs::write(ours.here("ca.pem"), certificate).unwrap();
    fs::write(ours.here("file"), body(700_000)).unwrap();
    let words = [&place(&ours), "anonymous", "a@b", "file", "stored"];
    run_example(&ours, "blocking", &words);
    assert!(read(ours.there("stored")) == body(700_000));
}

#[test]
fn a_socks5_proxy_is_gone_through_for_names_and_both_connections() {
    let ours = Running::start(Kind::Ours);
    fs::write(ours.there("file"), "12345").unwrap();
    let proxy = format!("127.0.0.1:{}", socks());
    let place = format!("ftp.example:{}", ours.port);
    let said = run_example(&ours, "through_socks5", &[&proxy, &place]);
    assert!(said.contains("5 file"), "{said}");
}
