//! TLS: what the server shows, what it asks of clients, and the sessions of one control connection.
//!
//! RFC 4217. The server is the TLS server on every connection, also on those it dials in active mode.
//!
//! A data connection proves that it belongs to its control connection by resuming that one's TLS
//! session. Nothing in TLS 1.2 says *which* session was resumed, so every control connection has a
//! store of its own: what resumes out of it is born of it.

mod foreign;
mod session;
pub(crate) mod stream;

use std::error::Error;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{Connection, ProtocolVersion, RootCertStore, ServerConfig};

pub(crate) use self::foreign::client_config;
use self::session::Sessions;

pub use rustls;

/// Tickets given to a control connection under TLS 1.3. One is enough for clients that use it again
/// for each data connection; the second is for those that use each once.
const CONTROL_TICKETS: usize = 2;

/// Tickets given to a data connection, for clients that want a fresh one for the next.
const DATA_TICKETS: usize = 1;

/// A certificate chain and its key.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads PEM: the server's certificate first, then those that signed it; the key may stand in the
    /// same text.
    ///
    /// # Errors
    ///
    /// [`TlsError::Pem`], [`TlsError::NoCertificate`], [`TlsError::NoKey`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = read_certificates(certificates)?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        let key = match PrivateKeyDer::from_pem_slice(key) {
            Ok(key) => key,
            Err(pem::Error::NoItemsFound) => return Err(TlsError::NoKey),
            Err(error) => return Err(TlsError::Pem(error)),
        };
        Ok(Self { chain, key })
    }

    /// Makes a certificate that nobody has signed, for these names and addresses; also gives it and
    /// its key as PEM, to be kept.
    ///
    /// # Errors
    ///
    /// [`TlsError::Generate`] for a name that cannot be in a certificate.
    pub fn self_signed(names: &[String]) -> Result<(Self, SelfSigned), TlsError> {
        let made = rcgen::generate_simple_self_signed(names).map_err(TlsError::Generate)?;
        let pem = SelfSigned {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        };
        let identity = Self::from_pem(pem.certificate.as_bytes(), pem.key.as_bytes())?;
        Ok((identity, pem))
    }
}

/// What [`Identity::self_signed`] made, as PEM.
#[derive(Clone)]
pub struct SelfSigned {
    /// The certificate; clients that are to trust it need this.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfSigned")
            .field("certificate", &self.certificate)
            .field("key", &"…")
            .finish()
    }
}

/// What is asked of clients.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// Refuse TLS 1.2, whose handshakes show certificates to whoever listens.
    pub only_tls13: bool,
    /// Certificates of clients.
    pub client_certificates: ClientCertificates,
}

/// Whether clients show a certificate.
#[derive(Clone, Debug, Default)]
pub enum ClientCertificates {
    /// They are not asked.
    #[default]
    Ignored,
    /// They are asked; one that is shown has to be signed by one of these authorities (PEM).
    Asked(Vec<u8>),
    /// None without one signed by these authorities (PEM) gets past the handshake.
    Required(Vec<u8>),
}

/// The TLS side of a server; clones are the same one, so that a clone can be kept for reloading.
#[derive(Clone, Debug)]
pub struct Tls {
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// Ready for handshakes.
    ///
    /// # Errors
    ///
    /// [`TlsError`], if key and certificate are no pair or the authorities cannot be read.
    pub fn new(identity: Identity, options: &TlsOptions) -> Result<Self, TlsError> {
        let config = configure(identity, options)?;
        Ok(Self {
            current: Arc::new(RwLock::new(Arc::new(config))),
        })
    }

    /// From now on another certificate is shown; connections that stand keep theirs.
    ///
    /// # Errors
    ///
    /// Those of [`Tls::new`]; nothing has changed then.
    pub fn reload(&self, identity: Identity, options: &TlsOptions) -> Result<(), TlsError> {
        let config = Arc::new(configure(identity, options)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// The two configurations of one control connection.
    pub(crate) fn for_one_client(&self) -> ClientTls {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let mut control = ServerConfig::clone(&current);
        control.session_storage = Arc::new(Sessions::default());
        let mut data = control.clone();
        data.send_tls13_tickets = DATA_TICKETS;
        ClientTls {
            control: Arc::new(control),
            data: Arc::new(data),
        }
    }
}

/// The configurations of one client; they share a session store nobody else has.
#[derive(Clone, Debug)]
pub(crate) struct ClientTls {
    pub(crate) control: Arc<ServerConfig>,
    pub(crate) data: Arc<ServerConfig>,
}

/// A connection's TLS, as far as a handler may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// The version.
    pub version: TlsVersion,
    /// The cipher suite as IANA names it, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
    /// The client's certificate and those behind it, verified; empty if it showed none.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The name the client asked for (SNI).
    pub server_name: Option<String>,
}

impl TlsInfo {
    /// Whether the client has shown a certificate, which was found good then.
    #[must_use]
    pub const fn is_certified(&self) -> bool {
        !self.certificates.is_empty()
    }

    /// What a finished handshake has agreed on.
    pub(crate) fn of(tls: &Connection) -> Self {
        let suite = tls.negotiated_cipher_suite();
        Self {
            version: match tls.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
                _ => TlsVersion::Tls13,
            },
            cipher: match suite.and_then(|suite| suite.suite().as_str()) {
                // rustls has names of its own for these three.
                Some("TLS13_AES_256_GCM_SHA384") => "TLS_AES_256_GCM_SHA384",
                Some("TLS13_AES_128_GCM_SHA256") => "TLS_AES_128_GCM_SHA256",
                Some("TLS13_CHACHA20_POLY1305_SHA256") => "TLS_CHACHA20_POLY1305_SHA256",
                Some(name) => name,
                None => "unknown",
            },
            certificates: tls.peer_certificates().unwrap_or_default().to_vec(),
            server_name: match tls {
                Connection::Server(tls) => tls.server_name().map(str::to_owned),
                Connection::Client(_) => None,
            },
        }
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        })
    }
}

/// Why TLS cannot be offered.
#[derive(Debug)]
pub enum TlsError {
    /// A text is not PEM.
    Pem(pem::Error),
    /// There is no certificate in the text.
    NoCertificate,
    /// There is no private key in the text.
    NoKey,
    /// Key and certificate are no pair, or of a kind that is not supported.
    Identity(rustls::Error),
    /// The authorities for client certificates cannot be used.
    Authorities(VerifierBuilderError),
    /// No certificate could be made.
    Generate(rcgen::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => write!(f, "not PEM: {error}"),
            Self::NoCertificate => f.write_str("no certificate in the file"),
            Self::NoKey => f.write_str("no private key in the file"),
            Self::Identity(error) => write!(f, "certificate and key: {error}"),
            Self::Authorities(error) => write!(f, "authorities of client certificates: {error}"),
            Self::Generate(error) => write!(f, "cannot make a certificate: {error}"),
        }
    }
}

impl Error for TlsError {}

fn configure(identity: Identity, options: &TlsOptions) -> Result<ServerConfig, TlsError> {
    // Named, not taken from the process: who links us may have another one installed.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[_] = if options.only_tls13 {
        &[&rustls::version::TLS13]
    } else {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    };
    let verifier = verifier(&options.client_certificates, &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(TlsError::Identity)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)
        .map_err(TlsError::Identity)?;
    config.send_tls13_tickets = CONTROL_TICKETS;
    Ok(config)
}

fn verifier(
    wanted: &ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let (pem, is_required) = match wanted {
        ClientCertificates::Ignored => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientCertificates::Asked(pem) => (pem, false),
        ClientCertificates::Required(pem) => (pem, true),
    };
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(pem)? {
        roots.add(certificate).map_err(TlsError::Identity)?;
    }
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    if !is_required {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(TlsError::Authorities)
}

fn read_certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(TlsError::Pem)
}
