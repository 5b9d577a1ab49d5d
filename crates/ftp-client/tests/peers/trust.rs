//! What TLS refuses, on a real server.

use std::sync::{Arc, Mutex};

use ftp_client::tls::{DataProtection, Versions};
use ftp_client::{Cause, Client, Config, Listener, Phase, Said, Security, TlsOptions, dial::Tcp};
use ftp_proto::Verb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{Kind, Server, Wish};

async fn attempt(server: &Server, options: TlsOptions) -> Result<(), ftp_client::Error> {
    let mut client = Client::connect(Tcp, server.secured(options)).await?;
    client.login(&server.login()).await?;
    let mut read = Vec::new();
    client
        .retrieve("a")
        .await?
        .read_to_end(&mut read)
        .await
        .unwrap();
    assert_eq!(read, b"echo one\n");
    client.quit().await
}

#[tokio::test]
async fn only_trusted_certificates_are_taken() {
    let server = Server::start(Kind::Vsftpd).await;
    std::fs::write(server.data().join("a"), b"echo one\n").unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut wrong_name = server.tls();
    wrong_name.server_name = Some("ftp.example".into());
    let refused = [
        TlsOptions::with_roots(other.cert.pem().as_bytes()).unwrap(),
        TlsOptions::pinned([[0; 32]]),
        wrong_name,
    ];
    for options in refused {
        let error = attempt(&server, options).await.unwrap_err();
        assert_eq!(error.phase(), Phase::Secure);
        assert!(matches!(error.cause(), Cause::Tls(_)), "{error}");
    }
    // The refusal names the fingerprint to pin.
    let error = attempt(&server, TlsOptions::pinned([[0; 32]]))
        .await
        .unwrap_err();
    let text = error.to_string();
    let seen = text.rsplit(' ').next().unwrap();
    let pin = ftp_client::tls::parse_fingerprint(seen).expect(&text);
    attempt(&server, TlsOptions::pinned([pin])).await.unwrap();
    attempt(&server, TlsOptions::insecure()).await.unwrap();
    attempt(&server, server.tls()).await.unwrap();
}

#[tokio::test]
async fn a_session_in_clear_text_stays_so_and_tls_first_needs_a_server_that_does_it() {
    let server = Server::start(Kind::Vsftpd).await;
    let client = Client::connect(Tcp, server.config()).await.unwrap();
    assert_eq!(client.control_tls(), None);
    drop(client);
    let mut config = server.secured(server.tls());
    config.security = Security::Implicit(server.tls());
    let error = Client::connect(Tcp, config).await.unwrap_err();
    assert_eq!(error.phase(), Phase::Secure);
}

#[tokio::test]
async fn the_command_channel_can_be_cleared() {
    let server = Server::start(Kind::Proftpd).await;
    std::fs::write(server.data().join("a"), b"echo one\n").unwrap();
    let mut client = Client::connect(Tcp, server.secured(server.tls()))
        .await
        .unwrap();
    client.login(&server.login()).await.unwrap();
    client.clear_command_channel().await.unwrap();
    assert_eq!(client.control_tls(), None);
    assert_eq!(client.working_directory().await.unwrap(), b"/");
    let mut read = Vec::new();
    let mut download = client.retrieve("a").await.unwrap();
    download.read_to_end(&mut read).await.unwrap();
    drop(download);
    assert_eq!(read, b"echo one\n");
    assert!(client.data_tls().is_some(), "data stays protected");
}

/// A file up and down twice, so that sessions are resumed.
async fn round_trips(server: &Server, config: Config) -> Result<(), ftp_client::Error> {
    let mut client = Client::connect(Tcp, config).await?;
    client.login(&server.login()).await?;
    for _ in 0..2 {
        let mut upload = client.store("b").await?;
        upload.write_all(b"echo two\n").await.ok();
        upload.finish().await?;
        let mut download = client.retrieve("b").await?;
        let mut read = Vec::new();
        download.read_to_end(&mut read).await.ok();
        download.finish().await?;
        assert_eq!(read, b"echo two\n");
        assert!(client.data_tls().is_some());
    }
    client.delete("b").await?;
    client.quit().await
}

#[tokio::test]
async fn tls_comes_first_where_the_server_wants_it_so() {
    let wish = Wish {
        implicit: true,
        ..Wish::default()
    };
    // pure-ftpd knows AUTH TLS only.
    for kind in [Kind::Vsftpd, Kind::Proftpd, Kind::Pyftpdlib] {
        let server = Server::start_with(kind, wish).await;
        for versions in [Versions::Only12, Versions::Only13] {
            let mut options = server.tls();
            // With TLS first the name of ProFTPD is not known before; its tickets are soon used up.
            options.versions = match kind {
                Kind::Proftpd => Versions::Only12,
                _ => versions,
            };
            let mut config = server.secured(options.clone());
            config.security = Security::Implicit(options);
            let done = round_trips(&server, config).await;
            done.unwrap_or_else(|error| panic!("{kind:?} {versions:?}: {error}"));
        }
    }
}

#[tokio::test]
async fn servers_that_want_a_certificate_are_shown_one() {
    for implicit in [false, true] {
        let wish = Wish {
            implicit,
            certificates: true,
            ..Wish::default()
        };
        // pure-ftpd of Debian asks its clients for none.
        for kind in [Kind::Vsftpd, Kind::Proftpd, Kind::Pyftpdlib] {
            let server = Server::start_with(kind, wish).await;
            for versions in [Versions::Only12, Versions::Only13] {
                let attempt = |mut options: TlsOptions| {
                    options.versions = match kind {
                        Kind::Proftpd => Versions::Only12,
                        _ => versions,
                    };
                    let mut config = server.secured(options.clone());
                    if implicit {
                        config.security = Security::Implicit(options);
                    }
                    round_trips(&server, config)
                };
                let (chain, key) = &server.client;
                let known = server.tls().identified_by(chain, key).unwrap();
                let done = attempt(known).await;
                done.unwrap_or_else(|error| panic!("{kind:?} {versions:?}: {error}"));
                let error = attempt(server.tls()).await.expect_err("nobody was let in");
                // Under 1.3 the server says so only after the handshake.
                assert!(error.ends_session(), "{kind:?} {versions:?}: {error}");
                let own = rcgen::generate_simple_self_signed(["me".to_owned()]).unwrap();
                let key = own.signing_key.serialize_pem();
                let unknown = server.tls();
                let unknown = unknown.identified_by(own.cert.pem().as_bytes(), key.as_bytes());
                let error = attempt(unknown.unwrap()).await;
                error.expect_err("a stranger was let in");
            }
        }
    }
}

#[tokio::test]
async fn data_go_in_clear_text_only_where_that_is_asked_for() {
    for kind in [Kind::Vsftpd, Kind::PureFtpd, Kind::Pyftpdlib] {
        let server = Server::start(kind).await;
        std::fs::write(server.data().join("a"), b"echo one\n").unwrap();
        let mut options = server.tls();
        options.data = DataProtection::Clear;
        let mut client = Client::connect(Tcp, server.secured(options)).await.unwrap();
        client.login(&server.login()).await.unwrap();
        let mut read = Vec::new();
        let mut download = client.retrieve("a").await.unwrap();
        download.read_to_end(&mut read).await.unwrap();
        drop(download);
        assert_eq!(read, b"echo one\n");
        assert!(client.control_tls().is_some(), "{kind:?}");
        assert_eq!(client.data_tls(), None, "{kind:?}");
        client.quit().await.unwrap();
    }
}

/// The commands of a short session.
async fn said_to(server: &Server, mut config: Config) -> String {
    let heard = Arc::new(Mutex::new(String::new()));
    let notes = Arc::clone(&heard);
    config.listener = Some(Listener::new(move |said| {
        let mut notes = notes.lock().unwrap();
        match said {
            Said::Client(line) => *notes += &format!("> {}\n", String::from_utf8_lossy(line)),
            Said::Server(reply) => *notes += &format!("< {}\n", reply.code()),
        }
    }));
    let mut client = Client::connect(Tcp, config).await.unwrap();
    client.login(&server.login()).await.unwrap();
    let mut read = Vec::new();
    let mut download = client.retrieve("a").await.unwrap();
    download.read_to_end(&mut read).await.unwrap();
    drop(download);
    client.quit().await.unwrap();
    heard.lock().unwrap().clone()
}

#[tokio::test]
async fn host_clnt_and_pret_are_said_where_they_are_known() {
    let wish = Wish {
        hosts: true,
        ..Wish::default()
    };
    let server = Server::start_with(Kind::Proftpd, wish).await;
    std::fs::write(server.data().join("a"), "main").unwrap();
    std::fs::write(server.other().join("a"), "other").unwrap();
    let mut config = server.config();
    config.virtual_host = Some("other.example".into());
    let mut client = Client::connect(Tcp, config.clone()).await.unwrap();
    client.login(&server.login()).await.unwrap();
    assert_eq!(client.size("a").await.unwrap(), Some(5));
    client.quit().await.unwrap();
    config.virtual_host = Some("nobody.example".into());
    let error = Client::connect(Tcp, config).await.unwrap_err();
    assert_eq!(error.phase(), Phase::Command(Verb::Host));
    assert_eq!(error.code().unwrap().number(), 504, "{error}");

    let said = said_to(&server, server.config()).await;
    assert!(said.contains("> CLNT sundew\n"), "{said}");
    let server = Server::start(Kind::PureFtpd).await;
    std::fs::write(server.data().join("a"), "main").unwrap();
    let said = said_to(&server, server.config()).await;
    assert!(said.contains("> PRET RETR a\n< 200\n"), "{said}");
}
