//! TLS with scripted peers: goodbyes, names, refusals, and who may be believed.

use std::sync::Arc;
use std::time::Duration;

use ftp_client::tls::Versions;
use ftp_client::{Cause, Client, Config, Error, Phase, Security, TlsOptions};
use ftp_proto::Verb;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};
use tokio_rustls::server::TlsStream;

use crate::client::{Session, config};
use crate::peer::Memory;

/// More than any deadline below.
const PATIENCE: Duration = Duration::from_secs(30);

type Secure = TlsStream<DuplexStream>;

/// A server's certificate, and TLS with it.
pub(crate) struct Identity {
    pub(crate) pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

pub(crate) fn identity(name: &str) -> Identity {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let pem = made.cert.pem();
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = made.signing_key.serialize_pem();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Identity {
        pem,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

/// The configuration of a session with 192.0.2.1 that trusts these.
fn trusting(identities: &[&Identity], versions: Versions) -> Config {
    let pem: String = identities.iter().map(|one| one.pem.as_str()).collect();
    let mut options = TlsOptions::with_roots(pem.as_bytes()).unwrap();
    options.versions = versions;
    let mut config = config();
    config.security = Security::Explicit(options);
    config
}

async fn hear<S: AsyncReadExt + Unpin>(stream: &mut S, text: &str) {
    let mut bytes = vec![0; text.len()];
    stream.read_exact(&mut bytes).await.expect(text);
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

async fn say<S: AsyncWriteExt + Unpin>(stream: &mut S, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

/// The control connection up to the handshake.
async fn secured(mut stream: DuplexStream, acceptor: TlsAcceptor) -> Secure {
    say(&mut stream, "220 ready\r\n").await;
    hear(&mut stream, "AUTH TLS\r\n").await;
    say(&mut stream, "234 go\r\n").await;
    acceptor.accept(stream).await.unwrap()
}

/// The control connection up to the moment a transfer of `a` is asked for.
async fn up_to(verb: &str, stream: DuplexStream, acceptor: TlsAcceptor) -> Secure {
    let mut control = secured(stream, acceptor).await;
    hear(&mut control, "TYPE I\r\n").await;
    say(&mut control, "200 ok\r\n").await;
    hear(&mut control, "PBSZ 0\r\n").await;
    say(&mut control, "200 ok\r\n").await;
    hear(&mut control, "PROT P\r\n").await;
    say(&mut control, "200 ok\r\n").await;
    hear(&mut control, "EPSV\r\n").await;
    say(&mut control, "229 (|||5000|)\r\n").await;
    hear(&mut control, &format!("{verb} a\r\n")).await;
    control
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(PATIENCE, what).await;
    ended.expect("a session hangs")
}

async fn start(dial: &Arc<Memory>, config: Config) -> Session {
    within(Client::connect(dial.clone(), config)).await.unwrap()
}

async fn read_all(client: &mut Session, expected: Option<u64>) -> Result<Vec<u8>, Error> {
    let mut download = client.retrieve("a").await?;
    if let Some(bytes) = expected {
        download = download.expecting(bytes);
    }
    let mut body = Vec::new();
    // What reading meets, `finish` tells in full.
    download.read_to_end(&mut body).await.ok();
    download.finish().await.map(|_| body)
}

#[tokio::test]
async fn goodbye_is_said_on_data_connections_in_both_directions() {
    for versions in [Versions::Only12, Versions::Only13] {
        for (verb, body) in [
            ("RETR", "body"),
            ("RETR", ""),
            ("STOR", "body"),
            ("STOR", ""),
        ] {
            let server = identity("192.0.2.1");
            let dial = Arc::new(Memory::default());
            let (control, data) = (dial.expect(), dial.expect());
            let acceptor = server.acceptor.clone();
            let ended: JoinHandle<Vec<u8>> = tokio::spawn(async move {
                let mut control = up_to(verb, control, acceptor.clone()).await;
                say(&mut control, "150 go\r\n").await;
                let mut data = acceptor.accept(data).await.unwrap();
                if verb == "RETR" {
                    say(&mut data, body).await;
                    data.shutdown().await.unwrap();
                }
                // A connection that just closes is an error here, a goodbye is not.
                let mut received = Vec::new();
                let end = data.read_to_end(&mut received).await;
                end.unwrap_or_else(|error| panic!("{verb} {body:?}: {error}"));
                data.shutdown().await.ok();
                say(&mut control, "226 done\r\n").await;
                received
            });
            let mut client = start(&dial, trusting(&[&server], versions)).await;
            if verb == "RETR" {
                let read = within(read_all(&mut client, None)).await.unwrap();
                assert_eq!(read, body.as_bytes());
                assert_eq!(within(ended).await.unwrap(), b"");
            } else {
                let mut upload = within(client.store("a")).await.unwrap();
                upload.write_all(body.as_bytes()).await.unwrap();
                within(upload.finish()).await.unwrap();
                assert_eq!(within(ended).await.unwrap(), body.as_bytes());
            }
        }
    }
}

#[tokio::test]
async fn data_cut_off_without_goodbye_is_whole_only_if_somebody_has_said_how_long_it_is() {
    // What the 150 says, what the caller expects, whether four bytes are the whole.
    let cases = [
        ("150 go", None, false),
        ("150 go (4 bytes)", None, true),
        ("150 go (5 bytes)", None, false),
        ("150 go", Some(4), true),
        ("150 go", Some(9), false),
    ];
    for (word, expected, is_whole) in cases {
        let server = identity("192.0.2.1");
        let dial = Arc::new(Memory::default());
        let (control, data) = (dial.expect(), dial.expect());
        let acceptor = server.acceptor.clone();
        let script = tokio::spawn(async move {
            let mut control = up_to("RETR", control, acceptor.clone()).await;
            say(&mut control, &format!("{word}\r\n")).await;
            let mut data = acceptor.accept(data).await.unwrap();
            say(&mut data, "body").await;
            // Closed, and no goodbye.
            drop(data);
            say(&mut control, "226 done\r\n").await;
            hear(&mut control, "PWD\r\n").await;
            say(&mut control, "257 \"/\"\r\n").await;
            control
        });
        let mut client = start(&dial, trusting(&[&server], Versions::Any)).await;
        match within(read_all(&mut client, expected)).await {
            Ok(body) => assert!(is_whole && body == b"body", "{word} {expected:?}"),
            Err(error) => {
                assert!(!is_whole, "{word} {expected:?}: {error}");
                assert!(
                    matches!(error.cause(), Cause::Truncated { received: 4, .. }),
                    "{error}"
                );
                assert!(error.is_temporary() && !error.ends_session());
            }
        }
        // The session is good for more.
        assert_eq!(within(client.working_directory()).await.unwrap(), b"/");
        within(script).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_refuses_to_protect_data_gets_none() {
    for (pbsz, prot) in [
        ("200 ok", "536 no"),
        ("503 what", "503 PBSZ first"),
        ("200 ok", "431 later"),
    ] {
        let server = identity("192.0.2.1");
        let dial = Arc::new(Memory::default());
        let control = dial.expect();
        let acceptor = server.acceptor.clone();
        let script = tokio::spawn(async move {
            let mut control = secured(control, acceptor).await;
            hear(&mut control, "TYPE I\r\n").await;
            say(&mut control, "200 ok\r\n").await;
            hear(&mut control, "PBSZ 0\r\n").await;
            say(&mut control, &format!("{pbsz}\r\n")).await;
            hear(&mut control, "PROT P\r\n").await;
            say(&mut control, &format!("{prot}\r\n")).await;
            let mut rest = Vec::new();
            control.read_to_end(&mut rest).await.ok();
            rest
        });
        let mut client = start(&dial, trusting(&[&server], Versions::Any)).await;
        let error = within(read_all(&mut client, None)).await.unwrap_err();
        assert_eq!(error.phase(), Phase::Secure, "{error}");
        let code = prot.split(' ').next().unwrap();
        assert_eq!(error.code().unwrap().to_string(), code);
        drop(client);
        let rest = within(script).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "", "nothing was asked for");
        assert_eq!(dial.dialled().len(), 1);
    }
}

#[tokio::test]
async fn data_connections_are_checked_against_the_control_host_too() {
    let (server, other, stranger) = (
        identity("192.0.2.1"),
        identity("ftp.example"),
        identity("192.0.2.1"),
    );
    // Whose certificate the data connection shows; `None` is no TLS at all.
    for shown in [Some(&server), Some(&other), Some(&stranger), None] {
        let dial = Arc::new(Memory::default());
        let (control, data) = (dial.expect(), dial.expect());
        let acceptor = server.acceptor.clone();
        let data_acceptor = shown.map(|identity| identity.acceptor.clone());
        let script = tokio::spawn(async move {
            let mut control = up_to("RETR", control, acceptor).await;
            say(&mut control, "150 go\r\n").await;
            match data_acceptor {
                Some(acceptor) => {
                    if let Ok(mut data) = acceptor.accept(data).await {
                        data.write_all(b"body").await.ok();
                        data.shutdown().await.ok();
                    }
                }
                None => {
                    let mut data = data;
                    data.write_all(b"body in clear text, a whole record of it\r\n")
                        .await
                        .ok();
                }
            }
            control.write_all(b"226 done\r\n").await.ok();
            control
        });
        // The other certificate is trusted, but is for another host.
        let config = trusting(&[&server, &other], Versions::Any);
        let mut client = start(&dial, config).await;
        let result = within(read_all(&mut client, None)).await;
        if std::ptr::eq(shown.map_or(std::ptr::null(), |one| one), &raw const server) {
            assert_eq!(result.unwrap(), b"body");
        } else {
            let error = result.unwrap_err();
            assert_eq!(error.phase(), Phase::DataConnect(Verb::Retr), "{error}");
            assert!(matches!(error.cause(), Cause::Tls(_)), "{error}");
        }
        script.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_end_meets_its_deadline() {
    let server = identity("192.0.2.1");
    let config = trusting(&[&server], Versions::Any);
    let limits = config.limits;
    // On the control connection.
    let dial = Arc::new(Memory::default());
    let mut control = dial.expect();
    let script = tokio::spawn(async move {
        say(&mut control, "220 ready\r\n").await;
        hear(&mut control, "AUTH TLS\r\n").await;
        say(&mut control, "234 go\r\n").await;
        control.read_to_end(&mut Vec::new()).await.ok();
    });
    let connecting = Client::connect(dial.clone(), config.clone());
    let error = connecting.await.unwrap_err();
    assert_eq!(error.phase(), Phase::Secure, "{error}");
    assert!(matches!(error.cause(), Cause::Timeout(limit) if *limit == limits.connect));
    script.await.unwrap();
    // On a data connection.
    let dial = Arc::new(Memory::default());
    let (control, data) = (dial.expect(), dial.expect());
    let acceptor = server.acceptor.clone();
    let script = tokio::spawn(async move {
        let mut control = up_to("RETR", control, acceptor).await;
        say(&mut control, "150 go\r\n").await;
        let mut data = data;
        data.read_to_end(&mut Vec::new()).await.ok();
        control
    });
    let mut client = Client::connect(dial.clone(), config).await.unwrap();
    let error = read_all(&mut client, None).await.unwrap_err();
    assert_eq!(error.phase(), Phase::DataConnect(Verb::Retr), "{error}");
    assert!(matches!(error.cause(), Cause::Timeout(limit) if *limit == limits.first_byte));
    script.await.unwrap();
}
