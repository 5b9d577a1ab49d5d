//! TLS: what is trusted, and one set of sessions for each control connection.
//!
//! RFC 4217. Data connections are made with the configuration and the name of their control
//! connection, so that they resume its session, which many servers insist on (vsftpd answers 522
//! otherwise), and are checked against the same host. Sessions of two control connections are never
//! mixed. A ticket of TLS 1.3 is good for one connection, so fresh ones are taken from every data
//! connection, uploads included.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Sessions kept for one control connection: all tickets a server hands out at once, and then some.
const KEPT_SESSIONS: usize = 32;

/// How TLS is done: what is trusted, which versions, who we are.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    trust: Trust,
    identity: Option<Arc<Identity>>,
    /// Which versions are offered.
    pub versions: Versions,
    /// The name the certificate must be for, if it is not the host's.
    pub server_name: Option<String>,
    /// Whether data connections are protected as well.
    pub data: DataProtection,
}

/// Which versions of TLS are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// 1.2 and 1.3.
    #[default]
    Any,
    /// 1.2 only: for servers whose 1.3 is broken.
    Only12,
    /// 1.3 only.
    Only13,
}

/// Whether data connections are protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataProtection {
    /// PROT P; a server that refuses it is an error.
    #[default]
    Private,
    /// PROT C: names of files are hidden, what is in them is not.
    Clear,
}

/// What one connection ended up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// TLS 1.3 rather than 1.2.
    pub is_tls13: bool,
    /// The session of an earlier connection was resumed.
    pub resumed: bool,
}

#[derive(Clone, Debug)]
enum Trust {
    Roots(Arc<RootCertStore>),
    Fingerprints(Vec<[u8; 32]>),
    Anyone,
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl TlsOptions {
    /// Trusts the certificate authorities of the system.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the system has none.
    pub fn system() -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        // One unreadable certificate among hundreds is not worth an error, having none is.
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let text = "the system has no certificate authorities";
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        Ok(Self::trusting(Trust::Roots(Arc::new(roots))))
    }

    /// Trusts these authorities (or this very certificate) and no others; PEM.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if there is no certificate in it, or a broken one.
    pub fn with_roots(pem: &[u8]) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(invalid)?;
        }
        Ok(Self::trusting(Trust::Roots(Arc::new(roots))))
    }

    /// Trusts certificates with one of these SHA-256 fingerprints, whoever signed them and whatever
    /// their names and dates are.
    #[must_use]
    pub fn pinned(fingerprints: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self::trusting(Trust::Fingerprints(fingerprints.into_iter().collect()))
    }

    /// Trusts anybody: safe from those who listen, not from those who stand between.
    #[must_use]
    pub const fn insecure() -> Self {
        Self::trusting(Trust::Anyone)
    }

    const fn trusting(trust: Trust) -> Self {
        Self {
            trust,
            identity: None,
            versions: Versions::Any,
            server_name: None,
            data: DataProtection::Private,
        }
    }

    /// Shows this certificate (chain and key in PEM) to servers that ask for one.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if chain or key cannot be read.
    pub fn identified_by(mut self, chain: &[u8], key: &[u8]) -> io::Result<Self> {
        self.identity = Some(Arc::new(Identity {
            chain: certificates(chain)?,
            key: PrivateKeyDer::from_pem_slice(key).map_err(invalid)?,
        }));
        Ok(self)
    }

    fn client_config(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions: &[_] = match self.versions {
            Versions::Any => &[&rustls::version::TLS13, &rustls::version::TLS12],
            Versions::Only12 => &[&rustls::version::TLS12],
            Versions::Only13 => &[&rustls::version::TLS13],
        };
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)?;
        let builder = match &self.trust {
            Trust::Roots(roots) => {
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(roots.clone(), provider).build();
                let verifier =
                    verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(Telling(verifier)))
            }
            Trust::Fingerprints(_) | Trust::Anyone => {
                let pins = match &self.trust {
                    Trust::Fingerprints(pins) => Some(pins.clone()),
                    Trust::Roots(_) | Trust::Anyone => None,
                };
                let verifier = Arc::new(Pinned { pins, provider });
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
            }
        };
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?
            }
        };
        config.resumption = Resumption::in_memory_sessions(KEPT_SESSIONS);
        Ok(config)
    }
}

/// Reads a SHA-256 fingerprint as tools print it: 64 hexadecimal digits, colons or blanks between
/// them ignored.
#[must_use]
pub fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect();
    <[u8; 32]>::try_from(bytes)
        .ok()
        .filter(|_| digits.len() == 64)
}

/// TLS of one control connection and its data connections.
pub(crate) struct TlsSession {
    connector: TlsConnector,
    name: ServerName<'static>,
    pub(crate) data: DataProtection,
}

impl TlsSession {
    pub(crate) fn new(options: &TlsOptions, host: &str) -> io::Result<Self> {
        let name = options.server_name.as_deref().unwrap_or(host);
        let name = name.strip_suffix('.').unwrap_or(name).to_owned();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(options.client_config().map_err(invalid)?)),
            name: ServerName::try_from(name).map_err(invalid)?,
            data: options.data,
        })
    }

    /// The handshake; dropping the future closes the connection.
    pub(crate) fn handshake<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        stream: S,
    ) -> impl Future<Output = io::Result<TlsStream<S>>> + Send + 'static {
        self.connector.connect(self.name.clone(), stream)
    }
}

/// What a finished handshake came to.
pub(crate) fn info<S>(stream: &TlsStream<S>) -> TlsInfo {
    let (_, connection) = stream.get_ref();
    TlsInfo {
        is_tls13: connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3),
        resumed: connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
    }
}

/// Trusts certificates as authorities do, and says of one that is refused why, and what to pin.
#[derive(Debug)]
struct Telling(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Telling {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(why) => rustls::Error::General(format!(
                "{}, its SHA-256 is {}",
                words(&why),
                hex(&Sha256::digest(end_entity.as_ref()))
            )),
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// What is wrong with a certificate, for people.
fn words(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "the certificate is signed by nobody who is trusted".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another host".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet".to_owned()
        }
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        other => format!("the certificate is not acceptable ({other})"),
    }
}

/// Trusts certificates by their fingerprint, or all of them; signatures are checked either way, so
/// that whoever shows the certificate also has its key.
#[derive(Debug)]
struct Pinned {
    pins: Option<Vec<[u8; 32]>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen: [u8; 32] = Sha256::digest(end_entity.as_ref()).into();
        match &self.pins {
            Some(pins) if !pins.contains(&seen) => Err(rustls::Error::General(format!(
                "the certificate is not the pinned one, its SHA-256 is {}",
                hex(&seen)
            ))),
            Some(_) | None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn certificates(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(invalid)?;
    if found.is_empty() {
        let text = "there is no certificate in it";
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(found)
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_tools_print_them() {
        let expected = [0xab; 32];
        assert_eq!(parse_fingerprint(&"ab".repeat(32)), Some(expected));
        assert_eq!(parse_fingerprint(&vec!["AB"; 32].join(":")), Some(expected));
        for bad in ["", "ab", &"ab".repeat(33), &"a".repeat(63), &"x".repeat(64)] {
            assert_eq!(parse_fingerprint(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_pem_is_refused() {
        assert!(TlsOptions::with_roots(b"").is_err());
        assert!(TlsOptions::insecure().identified_by(b"x", b"y").is_err());
    }
}
