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
