//! What TLS refuses, on a real server.

use ftp_client::{Cause, Client, Phase, Security, TlsOptions, dial::Tcp};
use tokio::io::AsyncReadExt;

use crate::server::{Kind, Server};

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
