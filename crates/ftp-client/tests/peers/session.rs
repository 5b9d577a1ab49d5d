//! The same day's work on every server.

use std::time::Duration;

use ftp_client::client::HashAlgorithm;
use ftp_client::tls::Versions;
use ftp_client::{Client, Config, DataMode, dial::Tcp};
use ftp_proto::listing::Kind as EntryKind;
use ftp_proto::time::Timestamp;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{Kind, Server};

/// A whole session: loopback and small files, so this is a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Larger than all socket buffers on the way, so that a transfer can be interrupted.
const LARGE: usize = 8 * 1024 * 1024;

fn body(size: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(size).collect()
}

async fn start(server: &Server, config: Config) -> Client<Tcp> {
    let mut client = Client::connect(Tcp, config).await.unwrap();
    client.login(&server.login()).await.unwrap();
    client
}

async fn work(server: &Server, config: Config) {
    let kind = server.kind;
    let mut client = start(server, config).await;
    let content = body(300_000);

    let mut upload = client.store("a file").await.unwrap();
    upload.write_all(&content).await.unwrap();
    upload.finish().await.unwrap();
    let stored = std::fs::read(server.data().join("a file")).unwrap();
    assert!(stored == content, "{kind:?}: {} bytes", stored.len());
    assert_eq!(client.size("a file").await.unwrap(), Some(300_000));
    let modified = client.modified("a file").await.unwrap().unwrap();
    assert!(modified > Timestamp::from_unix(1_700_000_000), "{kind:?}");

    extras(&mut client, kind, &content).await;

    let mut append = client.append("a file").await.unwrap();
    append.write_all(b"and more").await.unwrap();
    append.finish().await.unwrap();

    for offset in [0, 1, 299_999, 300_008] {
        let mut download = client.retrieve_from("a file", offset).await.unwrap();
        assert_eq!(download.offset(), offset, "{kind:?}");
        let mut read = Vec::new();
        let all = download.read_to_end(&mut read).await;
        all.unwrap_or_else(|error| panic!("{kind:?} from {offset}: {error}"));
        let whole = [&content[..], b"and more"].concat();
        assert!(
            read == whole[offset as usize..],
            "{kind:?} from {offset}: {} bytes",
            read.len()
        );
        download.finish().await.unwrap();
    }

    let mut rest = client.store_from("a file", 300_000).await.unwrap();
    rest.write_all(b"&& MORE!").await.unwrap();
    rest.finish().await.unwrap();
    let stored = std::fs::read(server.data().join("a file")).unwrap();
    assert!(stored.ends_with(b"&& MORE!"), "{kind:?}");

    client.make_directory("d").await.unwrap();
    client.rename("a file", "d/b").await.unwrap();
    let upload = client.store("d/empty").await.unwrap();
    upload.finish().await.unwrap();
    let listing = client.list("").await.unwrap();
    assert_eq!(listing.unknown, 0, "{kind:?}");
    assert!(
        listing
            .entries
            .iter()
            .any(|e| e.name == b"d" && e.kind == EntryKind::Directory)
    );
    for listing in [
        client.list("d").await.unwrap(),
        client.list_by_list("d").await.unwrap(),
    ] {
        let mut found: Vec<_> = listing
            .entries
            .iter()
            .map(|e| (&e.name[..], e.size))
            .collect();
        found.sort();
        let expected: [(&[u8], _); 2] = [(b"b", Some(300_008)), (b"empty", Some(0))];
        assert_eq!(found, expected, "{kind:?}");
    }
    let mut names = client.names("d").await.unwrap();
    names.sort();
    let names: Vec<_> = names
        .iter()
        .filter_map(|name| name.rsplit(|&b| b == b'/').next())
        .collect();
    assert_eq!(names, [&b"b"[..], b"empty"], "{kind:?}");
    let missing = client.retrieve("nope").await.err().unwrap();
    assert_eq!(missing.code().unwrap().number(), 550, "{kind:?}");

    client.delete("d/b").await.unwrap();
    client.delete("d/empty").await.unwrap();
    client.remove_directory("d").await.unwrap();
    assert!(
        client.list("").await.unwrap().entries.is_empty(),
        "{kind:?}"
    );
    unique(&mut client, kind).await;
    client.noop().await.unwrap();
    client.quit().await.unwrap();
}

/// What only some servers offer.
async fn extras(client: &mut Client<Tcp>, kind: Kind, content: &[u8]) {
    if client.features().await.unwrap().has("MFMT") {
        let time = Timestamp::from_unix(1_600_000_000);
        client.set_modified("a file", time).await.unwrap();
        let modified = client.modified("a file").await.unwrap();
        assert_eq!(modified, Some(time), "{kind:?}");
        let facts = client.facts("a file").await.unwrap();
        assert_eq!(facts.modified, Some(time), "{kind:?}");
    }
    let hashes = client.hash_algorithms().await.unwrap();
    assert_eq!(
        kind == Kind::Proftpd,
        hashes.contains(&HashAlgorithm::Sha256)
    );
    for algorithm in hashes {
        let hash = client.hash("a file", algorithm).await.unwrap();
        if algorithm == HashAlgorithm::Sha256 {
            assert_eq!(hash.value, Sha256::digest(content).to_vec());
        }
    }
}

/// STOU; last, since pure-ftpd (seen in 1.0.50) mistakes a later APPE of the session for another.
async fn unique(client: &mut Client<Tcp>, kind: Kind) {
    let mut upload = client.store_unique().await.unwrap();
    upload.write_all(b"u").await.unwrap();
    let name = upload.unique_name();
    upload.finish().await.unwrap();
    let name = name.unwrap_or_else(|| panic!("{kind:?} names no file"));
    assert_eq!(client.size(&name).await.unwrap(), Some(1), "{kind:?}");
    client.delete(&name).await.unwrap();
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("a session hangs")
}

#[tokio::test]
async fn every_server_in_clear_text() {
    for kind in Kind::ALL {
        let server = Server::start(kind).await;
        within(work(&server, server.config())).await;
        let mut active = server.config();
        active.data_mode = DataMode::Active { announce: None };
        within(work(&server, active)).await;
    }
}

#[tokio::test]
async fn every_server_under_tls_with_resumed_sessions() {
    for kind in Kind::ALL {
        let server = Server::start(kind).await;
        for versions in [Versions::Only12, Versions::Only13] {
            // ProFTPD gives out two tickets and wants them used again, which rustls does not: left
            // to itself, the client goes to 1.2.
            let versions = match (kind, versions) {
                (Kind::Proftpd, Versions::Only13) => Versions::Any,
                (_, versions) => versions,
            };
            let mut options = server.tls();
            options.versions = versions;
            within(work(&server, server.secured(options.clone()))).await;

            // Uploads only: nothing but the server's goodbye brings fresh tickets.
            let mut client = start(&server, server.secured(options)).await;
            for turn in 0..12 {
                let mut upload = client.store("again").await.unwrap();
                upload.write_all(b"again").await.unwrap();
                upload.finish().await.unwrap();
                let info = client.data_tls().unwrap();
                assert_eq!(info.is_tls13, versions == Versions::Only13, "{kind:?}");
                // pure-ftpd hands out no TLS 1.3 tickets and wants none; pyftpdlib no sessions at all.
                let resumes = match kind {
                    Kind::Vsftpd | Kind::Proftpd => true,
                    Kind::PureFtpd => versions == Versions::Only12,
                    Kind::Pyftpdlib => false,
                };
                assert!(
                    info.resumed || !resumes,
                    "{kind:?} {versions:?} transfer {turn}"
                );
            }
            client.delete("again").await.unwrap();
            client.quit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn every_server_goes_on_after_a_transfer_that_was_given_up() {
    for kind in Kind::ALL {
        let server = Server::start(kind).await;
        std::fs::write(server.data().join("large"), body(LARGE)).unwrap();
        for secured in [false, true] {
            let config = if secured {
                server.secured(server.tls())
            } else {
                server.config()
            };
            within(async {
                let mut client = start(&server, config.clone()).await;
                let home = client.working_directory().await.unwrap();
                for abort in [true, false] {
                    let mut download = client.retrieve("large").await.unwrap();
                    let mut some = vec![0; 10_000];
                    download.read_exact(&mut some).await.unwrap();
                    if abort {
                        download.abort().await.unwrap();
                    } else {
                        drop(download);
                    }
                    let path = client.working_directory().await;
                    // ProFTPD may end the session when TLS breaks off.
                    if kind == Kind::Proftpd && secured && !abort && client.is_lost() {
                        client = start(&server, config.clone()).await;
                        continue;
                    }
                    let path = path.unwrap_or_else(|error| {
                        panic!("{kind:?} secured {secured} abort {abort}: {error}")
                    });
                    assert_eq!(path, home, "{kind:?} secured {secured} abort {abort}");
                }
                let mut download = client.retrieve("large").await.unwrap();
                let mut whole = Vec::new();
                download.read_to_end(&mut whole).await.unwrap();
                assert!(whole == body(LARGE), "{kind:?}");
                client.quit().await.unwrap();
            })
            .await;
        }
    }
}
