//! TLS under a download: RFC 8446 and RFC 5246 by rustls, over the machine's network.
//!
//! The other side's certificate is checked against Mozilla's authorities, which is what Debian's
//! `ca-certificates` holds; whether a fault ends the transfer is the program's decision
//! (`curl -k`, `wget --no-check-certificate`). The machine's clock decides what has expired.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, IpAddr, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sundew_kernel::network::Stream;
use sundew_vfs::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateFault {
    /// Signed by itself.
    SelfSigned,
    /// Signed by nobody we know.
    UnknownIssuer,
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// It is another host's.
    WrongName,
    /// Anything else: a bad signature, a revoked key, a wrong purpose.
    Other,
}

/// Why there is no secured connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsFailure {
    /// The certificate is not good, and that matters.
    Certificate,
    /// What answered does not speak TLS.
    NotTls,
    /// The other side ended the connection.
    Closed,
    /// The other side refused: an alert.
    Refused,
}

/// A secured connection, or why there is none; and what is wrong with the certificate.
pub(crate) async fn secure(
    stream: Box<dyn Stream>,
    host: &[u8],
    check: bool,
    now: Timestamp,
) -> (Result<Box<dyn Stream>, TlsFailure>, Vec<CertificateFault>) {
    let peer = stream.peer();
    let fault = Arc::new(Mutex::new(Vec::new()));
    let name = std::str::from_utf8(host)
        .ok()
        .and_then(|host| ServerName::try_from(host.to_owned()).ok())
        // A name that no certificate can hold, such as one with an underscore at an end.
        .unwrap_or(ServerName::IpAddress(IpAddr::from(peer.ip())));
    let Some(config) = config(check, Arc::clone(&fault), now) else {
        return (Err(TlsFailure::Refused), Vec::new());
    };
    let outcome = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    let fault = fault
        .lock()
        .map_or_else(|_| Vec::new(), |fault| fault.clone());
    let outcome = match outcome {
        Ok(stream) => Ok(Box::new(Secured { stream, peer }) as Box<dyn Stream>),
        Err(error) => Err(failure(&error)),
    };
    (outcome, fault)
}

fn failure(error: &io::Error) -> TlsFailure {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    {
        Some(Error::InvalidCertificate(_)) => TlsFailure::Certificate,
        Some(Error::AlertReceived(_) | Error::PeerIncompatible(_)) => TlsFailure::Refused,
        Some(_) => TlsFailure::NotTls,
        None => TlsFailure::Closed,
    }
}

/// `None` if the cryptography offers no version of TLS, which it does.
fn config(
    check: bool,
    fault: Arc<Mutex<Vec<CertificateFault>>>,
    now: Timestamp,
) -> Option<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let inner = authorities(&provider)?;
    let time = Arc::new(Now(u64::try_from(now.secs).unwrap_or(0)));
    let verifier = Verifier {
        inner,
        check,
        fault,
    };
    Some(
        ClientConfig::builder_with_details(provider, time)
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
    )
}

/// The authorities, made once: some hundred kilobytes.
fn authorities(provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    static AUTHORITIES: OnceLock<Option<Arc<WebPkiServerVerifier>>> = OnceLock::new();
    AUTHORITIES
        .get_or_init(|| {
            let roots = RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            };
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                .build()
                .ok()
        })
        .clone()
}

/// The machine's time.
#[derive(Debug)]
struct Now(u64);

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

/// Notes what is wrong with the certificate, and lets it pass if nobody minds.
#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    check: bool,
    fault: Arc<Mutex<Vec<CertificateFault>>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let Err(error) = verdict else {
            return Ok(ServerCertVerified::assertion());
        };
        if let Ok(mut fault) = self.fault.lock() {
            let first = fault_of(&error, end_entity);
            *fault = vec![first];
            // A chain that leads nowhere hides that the name is wrong, too.
            let named = ParsedCertificate::try_from(end_entity)
                .is_ok_and(|certificate| verify_server_name(&certificate, server_name).is_ok());
            if !named && first != CertificateFault::WrongName {
                fault.push(CertificateFault::WrongName);
            }
        }
        if self.check {
            Err(error)
        } else {
            Ok(ServerCertVerified::assertion())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn fault_of(error: &Error, certificate: &[u8]) -> CertificateFault {
    let Error::InvalidCertificate(error) = error else {
        return CertificateFault::Other;
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateFault::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFault::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::WrongName
        }
        // An authority's own certificate in a server's place is reported as such by webpki.
        _ if is_self_signed(certificate) => CertificateFault::SelfSigned,
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        _ => CertificateFault::Other,
    }
}

/// Whether issuer and subject of an X.509 certificate (RFC 5280 §4.1) are the same bytes.
fn is_self_signed(certificate: &[u8]) -> bool {
    names(certificate).is_some_and(|(issuer, subject)| issuer == subject)
}

fn names(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut fields, _) = element(certificate)?;
    let (tag, _, rest) = element(fields)?;
    // The version is optional and comes first.
    if tag == EXPLICIT_VERSION {
        fields = rest;
    }
    let (_, _serial, rest) = element(fields)?;
    let (_, _algorithm, rest) = element(rest)?;
    let (_, issuer, rest) = element(rest)?;
    let (_, _validity, rest) = element(rest)?;
    let (_, subject, _) = element(rest)?;
    Some((issuer, subject))
}

const EXPLICIT_VERSION: u8 = 0xa0;

/// Tag, content and what follows of the first DER element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let digits = rest.get(..count).filter(|digits| digits.len() <= 4)?;
        let length = digits
            .iter()
            .fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
        (length, rest.get(count..)?)
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// A secured connection that ends as a plain one does.
struct Secured {
    stream: TlsStream<Box<dyn Stream>>,
    peer: SocketAddr,
}

impl Stream for Secured {
    fn peer(&self) -> SocketAddr {
        self.peer
    }
}

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            // Many servers end without saying so; wget and curl take that as the end.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::ServerConfig;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio_rustls::TlsAcceptor;

    struct Pipe(DuplexStream);

    impl Stream for Pipe {
        fn peer(&self) -> SocketAddr {
            SocketAddr::from(([192, 0, 2, 1], 443))
        }
    }

    impl AsyncRead for Pipe {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Pipe {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    const NOW: Timestamp = Timestamp {
        secs: 1_795_161_600,
        nanos: 0,
    };

    /// A server with a certificate of its own making that says `hello` and leaves without a word.
    fn server(far: DuplexStream) {
        let made = rcgen::generate_simple_self_signed(vec!["evil.example".to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        tokio::spawn(async move {
            let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(far).await else {
                return;
            };
            stream.write_all(b"hello").await.unwrap();
            stream.flush().await.unwrap();
        });
    }

    #[tokio::test]
    async fn who_trusts_anybody_reads_what_a_self_signed_server_says() {
        let (near, far) = tokio::io::duplex(4096);
        server(far);
        let (stream, faults) = secure(Box::new(Pipe(near)), b"evil.example", false, NOW).await;
        assert_eq!(faults, [CertificateFault::SelfSigned]);
        let mut text = Vec::new();
        stream.unwrap().read_to_end(&mut text).await.unwrap();
        assert_eq!(text, b"hello");
    }

    #[tokio::test]
    async fn who_checks_is_told_all_that_is_wrong() {
        let (near, far) = tokio::io::duplex(4096);
        server(far);
        let (stream, faults) = secure(Box::new(Pipe(near)), b"10.1.2.3", true, NOW).await;
        assert_eq!(stream.err(), Some(TlsFailure::Certificate));
        assert_eq!(
            faults,
            [CertificateFault::SelfSigned, CertificateFault::WrongName]
        );
    }

    #[tokio::test]
    async fn a_server_that_does_not_speak_tls_is_told_from_one_that_leaves() {
        let (near, mut far) = tokio::io::duplex(4096);
        far.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let (stream, _) = secure(Box::new(Pipe(near)), b"a", true, NOW).await;
        assert_eq!(stream.err(), Some(TlsFailure::NotTls));
        let (near, far) = tokio::io::duplex(4096);
        drop(far);
        let (stream, _) = secure(Box::new(Pipe(near)), b"a", true, NOW).await;
        assert_eq!(stream.err(), Some(TlsFailure::Closed));
    }
}
