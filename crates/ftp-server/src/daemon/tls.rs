//! `[tls]`: from files to what the server shows.

use std::path::Path;

use super::config;
use super::{Failure, FailureKind};
use crate::tls::{ClientCertificates, Identity, Tls, TlsOptions};

/// What the section asks for; `None` without a certificate.
pub(super) fn offer(section: &config::Tls) -> Result<Option<Tls>, Failure> {
    let Some((identity, options)) = load(section)? else {
        return Ok(None);
    };
    if section.self_signed {
        tracing::warn!("the certificate is made for this run; clients have to accept it unseen");
    }
    let tls = Tls::new(identity, &options);
    tls.map(Some).map_err(|error| about(section, &error))
}

/// Reads the files again. One that was made at the start stays: clients may have accepted it.
pub(super) fn reload(tls: &Tls, section: &config::Tls) -> Result<(), Failure> {
    if section.self_signed {
        return Ok(());
    }
    let Some((identity, options)) = load(section)? else {
        return Err(Failure::new(
            FailureKind::Config,
            "TLS cannot be given up without a restart",
        ));
    };
    let changed = tls.reload(identity, &options);
    changed.map_err(|error| about(section, &error))
}

/// Reads and checks the files.
pub(super) fn load(section: &config::Tls) -> Result<Option<(Identity, TlsOptions)>, Failure> {
    let identity = match (&section.certificate, &section.key) {
        (Some(certificate), Some(key)) => {
            let identity = Identity::from_pem(&read(certificate)?, &read(key)?);
            identity.map_err(|error| about(section, &error))?
        }
        _ if section.self_signed => {
            let made = Identity::self_signed(&names());
            made.map_err(|error| about(section, &error))?.0
        }
        _ => return Ok(None),
    };
    let authorities = section
        .client_authorities
        .as_deref()
        .map(read)
        .transpose()?;
    let client_certificates = match authorities {
        None => ClientCertificates::Ignored,
        Some(pem) if section.client_required => ClientCertificates::Required(pem),
        Some(pem) => ClientCertificates::Asked(pem),
    };
    let options = TlsOptions {
        only_tls13: section.only_tls13,
        client_certificates,
    };
    Ok(Some((identity, options)))
}

fn about(section: &config::Tls, error: &dyn std::fmt::Display) -> Failure {
    let file = section
        .certificate
        .as_ref()
        .map(|path| path.display().to_string());
    let text = match file {
        Some(file) => format!("{file}: {error}"),
        None => error.to_string(),
    };
    Failure::new(FailureKind::Config, text)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::new(FailureKind::Input, format!("{}: {error}", path.display())))
}

/// What a certificate of ours is made for: this host, as it calls itself and as it is dialled here.
fn names() -> Vec<String> {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    if !host.is_empty() && !names.contains(&host) {
        names.push(host);
    }
    names
}
