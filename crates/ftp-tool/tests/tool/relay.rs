//! Files from one server to another, past us, in clear text and under TLS.

use ftp_client::dial::Tcp;
use ftp_client::{Client, Config, Login, Security, TlsOptions};
use ftp_server::tls::ClientCertificates;

use crate::server::{Kind, Running};

fn body(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

async fn start(server: &Running, certificate: Option<&str>) -> Client<Tcp> {
    let mut config = Config::new("127.0.0.1");
    config.port = Some(server.port);
    if let Some(certificate) = certificate {
        let options = TlsOptions::with_roots(certificate.as_bytes()).unwrap();
        config.security = Security::Explicit(options);
    }
    let mut client = Client::connect(Tcp, config).await.unwrap();
    client.login(&Login::anonymous()).await.unwrap();
    client
}

#[tokio::test]
async fn a_file_goes_from_one_server_to_another() {
    let (source, target) = (Running::start(Kind::Ours), Running::start(Kind::Pyftpdlib));
    source.put_there("big", body(3_000_000));
    let mut from = start(&source, None).await;
    let mut to = start(&target, None).await;
    from.relay("big", &mut to, "copy").await.unwrap();
    assert!(std::fs::read(target.there("copy")).unwrap() == body(3_000_000));
    // Both are good for more, after a refusal too.
    let error = from.relay("nope", &mut to, "other").await.unwrap_err();
    assert_eq!(error.code().unwrap().number(), 550, "{error}");
    from.noop().await.unwrap();
    to.noop().await.unwrap();
    from.relay("big", &mut to, "again").await.unwrap();
    assert!(std::fs::read(target.there("again")).unwrap() == body(3_000_000));
}

#[tokio::test]
async fn a_file_between_servers_is_protected_if_the_sessions_are() {
    let (source, source_ca) = Running::secured(false, ClientCertificates::Ignored);
    let (target, target_ca) = Running::secured(false, ClientCertificates::Ignored);
    source.put_there("big", body(2_000_000));
    let mut from = start(&source, Some(&source_ca)).await;
    let mut to = start(&target, Some(&target_ca)).await;
    from.relay("big", &mut to, "copy").await.unwrap();
    assert!(std::fs::read(target.there("copy")).unwrap() == body(2_000_000));
    // Our own transfers are as they were.
    let mut download = from.retrieve("big").await.unwrap();
    let mut whole = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut download, &mut whole)
        .await
        .unwrap();
    assert!(whole == body(2_000_000));
    drop(download);
    // Never half in clear text.
    let clear = Running::start(Kind::Ours);
    let mut plain = start(&clear, None).await;
    assert!(from.relay("big", &mut plain, "copy").await.is_err());
    assert!(!clear.there("copy").exists());
}

fn copy(source: &Running, from: &str, to: &str, options: &[&str]) -> std::process::Output {
    let mut words = vec!["copy", "--no-netrc", "--retries", "0"];
    words.extend(options);
    let words: Vec<String> = words
        .iter()
        .chain(&[from, to])
        .map(ToString::to_string)
        .collect();
    crate::server::run(&source.here(""), &words)
}

#[test]
fn the_tool_copies_straight_where_both_are_willing_and_past_itself_otherwise() {
    let (source, target) = (Running::start(Kind::Ours), Running::start(Kind::Pyftpdlib));
    source.put_there("big", body(3_000_000));
    for way in ["direct", "auto", "through"] {
        let to = target.url(way);
        let output = copy(&source, &source.url("big"), &to, &["--by", way, "--force"]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words}");
        assert!(!words.contains("through this computer"), "{words}");
        assert!(std::fs::read(target.there(way)).unwrap() == body(3_000_000));
    }
}

#[test]
fn what_cannot_go_straight_goes_through_this_computer_and_says_so() {
    // One side protects its data and the other does not, so that the two cannot talk to each other.
    let (source, ca) = Running::secured(false, ClientCertificates::Ignored);
    let target = Running::start(Kind::Vsftpd);
    source.put_there("big", body(2_000_000));
    std::fs::write(source.here("ca"), ca).unwrap();
    let from = format!("ftpes://127.0.0.1:{}/big", source.port);
    let direct = copy(
        &source,
        &from,
        &target.url("copy"),
        &["--ca", "ca", "--by", "direct"],
    );
    let words = String::from_utf8(direct.stderr).unwrap();
    assert!(
        !direct.status.success() && words.contains("without --by direct"),
        "{words}"
    );
    assert!(!target.there("copy").exists());
    let output = copy(&source, &from, &target.url("copy"), &["--ca", "ca"]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words}");
    assert!(words.contains("through this computer"), "{words}");
    assert!(std::fs::read(target.there("copy")).unwrap() == body(2_000_000));
}

#[test]
fn a_copy_goes_on_is_checked_and_is_done_then() {
    let (source, target) = (Running::start(Kind::Ours), Running::start(Kind::Ours));
    source.put_there("big", body(1_000_000));
    target.put_there("big", body(400_000));
    let words = ["--json", "--verify", "always"];
    let run = || {
        let output = copy(&source, &source.url("big"), &target.url(""), &words);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        text
    };
    let text = run();
    assert!(text.contains("\"resumed_from\":400000"), "{text}");
    assert!(
        text.contains("\"bytes\":600000") && text.contains("checksum"),
        "{text}"
    );
    assert!(std::fs::read(target.there("big")).unwrap() == body(1_000_000));
    assert!(run().contains("unchanged"));
    // What is not there costs nothing of what is.
    let gone = copy(&source, &source.url("nope"), &target.url("big"), &[]);
    assert_eq!(gone.status.code(), Some(7));
    assert!(std::fs::read(target.there("big")).unwrap() == body(1_000_000));
}
