//! The server's host keys: made on first start, kept in OpenSSH's own format and file names.
//!
//! Independent of the transport, which takes them as text. Existing keys are never replaced: clients
//! remember them, and a file that cannot be read is an error that names it.

mod openssh;

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

pub(crate) use openssh::base64;

/// The three host keys of a stock Debian sshd.
#[derive(Clone)]
pub struct HostKeys {
    keys: Vec<String>,
}

impl HostKeys {
    /// Reads the keys from `directory`, first making those that are missing (mode 0600).
    ///
    /// Blocks on files and, on first start, on finding an RSA key, which takes from a third of a second
    /// to a few seconds: call it before the runtime starts or through `spawn_blocking`.
    ///
    /// # Errors
    ///
    /// [`HostKeyError`] names the file. A key that exists and cannot be read is not replaced.
    pub fn load_or_create(directory: &Path) -> Result<Self, HostKeyError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| HostKeyError::File { path, source }
        };
        fs::create_dir_all(directory).map_err(at(directory))?;
        let mut keys = Vec::new();
        for kind in [Kind::Rsa, Kind::Ecdsa, Kind::Ed25519] {
            let path = directory.join(kind.file_name());
            let text = match fs::read_to_string(&path) {
                Ok(text) if text.starts_with(openssh::BEGIN) => text,
                Ok(_) => return Err(HostKeyError::NotAKey { path }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let made = kind
                        .generate()
                        .map_err(|_unspecified| HostKeyError::Generate)?;
                    let public = path.with_extension("pub");
                    write_whole(&public, 0o644, &made.public).map_err(at(&public))?;
                    write_whole(&path, 0o600, &made.private).map_err(at(&path))?;
                    made.private
                }
                Err(source) => return Err(HostKeyError::File { path, source }),
            };
            keys.push(text);
        }
        Ok(Self { keys })
    }

    /// Makes keys that are kept nowhere: an ECDSA and an Ed25519 key, for tests.
    ///
    /// # Errors
    ///
    /// [`HostKeyError::Generate`] when the cryptographic library fails.
    pub fn ephemeral() -> Result<Self, HostKeyError> {
        let make = |kind: Kind| {
            kind.generate()
                .map(|made| made.private)
                .map_err(|_unspecified| HostKeyError::Generate)
        };
        Ok(Self {
            keys: vec![make(Kind::Ecdsa)?, make(Kind::Ed25519)?],
        })
    }

    /// The keys in OpenSSH's private format.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }
}

impl fmt::Debug for HostKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostKeys").field(&"…").finish()
    }
}

/// Why there are no host keys.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostKeyError {
    /// A file or directory could not be read or written.
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there and holds no OpenSSH private key.
    NotAKey {
        /// Which one.
        path: PathBuf,
    },
    /// The cryptographic library could not make a key.
    Generate,
}

impl fmt::Display for HostKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "host key {}: {source}", path.display()),
            Self::NotAKey { path } => {
                write!(f, "host key {}: not an OpenSSH private key", path.display())
            }
            Self::Generate => f.write_str("host key: generation failed"),
        }
    }
}

impl std::error::Error for HostKeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::NotAKey { .. } | Self::Generate => None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Rsa,
    Ecdsa,
    Ed25519,
}

impl Kind {
    /// sshd's own names, so that an operator finds what he knows.
    fn file_name(self) -> &'static str {
        match self {
            Self::Rsa => "ssh_host_rsa_key",
            Self::Ecdsa => "ssh_host_ecdsa_key",
            Self::Ed25519 => "ssh_host_ed25519_key",
        }
    }

    fn generate(self) -> Result<openssh::Written, Unspecified> {
        match self {
            Self::Rsa => {
                // 3072 bits is what ssh-keygen makes.
                let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa3072)?;
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                openssh::rsa(der.as_ref()).ok_or(Unspecified)
            }
            Self::Ecdsa => loop {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
                let secret: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes()?;
                // One secret in 256 begins with a zero byte, which the file format leaves out, and
                // the transport's library refuses what is then shorter than 32 bytes: a sensor that
                // drew such a key would never start.
                if secret.as_ref().first() != Some(&0) {
                    return Ok(openssh::ecdsa_p256(
                        pair.public_key().as_ref(),
                        secret.as_ref(),
                    ));
                }
            },
            Self::Ed25519 => {
                let pair = Ed25519KeyPair::generate()?;
                let seed: Curve25519SeedBin<'_> = pair.seed()?.as_be_bytes()?;
                Ok(openssh::ed25519(pair.public_key().as_ref(), seed.as_ref()))
            }
        }
    }
}

/// Writes a file that is either absent or whole, whenever the machine stops.
fn write_whole(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("new");
    // Left over from a start that was interrupted.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn keys_are_made_once_private_and_readable_by_ssh_keygen() {
        let directory = tempfile::tempdir().unwrap();
        let first = HostKeys::load_or_create(directory.path()).unwrap();
        let second = HostKeys::load_or_create(directory.path()).unwrap();
        assert!(first.texts().eq(second.texts()));
        for (name, bits) in [("rsa", "3072 "), ("ecdsa", "256 "), ("ed25519", "256 ")] {
            let path = directory.path().join(format!("ssh_host_{name}_key"));
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
            let output = Command::new("ssh-keygen")
                .arg("-y")
                .arg("-f")
                .arg(&path)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert_eq!(
                String::from_utf8(output.stdout).unwrap().trim_end(),
                fs::read_to_string(path.with_extension("pub"))
                    .unwrap()
                    .trim_end()
            );
            let output = Command::new("ssh-keygen")
                .arg("-l")
                .arg("-f")
                .arg(&path)
                .output()
                .unwrap();
            assert!(output.stdout.starts_with(bits.as_bytes()), "{output:?}");
        }
        assert!(!format!("{first:?}").contains("PRIVATE"));
    }

    #[test]
    fn every_key_that_is_made_can_be_served() {
        // Without a second draw four of these would have a secret that begins with a zero byte.
        for _ in 0..1024 {
            let keys = HostKeys::ephemeral().unwrap();
            assert!(crate::transport::Server::new(profile(), &keys).is_ok());
        }
    }

    fn profile() -> crate::Profile {
        crate::Profile::openssh_9_2_debian_12()
    }

    #[test]
    fn a_file_that_is_no_key_is_named_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ssh_host_rsa_key");
        fs::write(&path, "hello").unwrap();
        let error = HostKeys::load_or_create(directory.path()).unwrap_err();
        assert!(error.to_string().contains("ssh_host_rsa_key"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"hello");
    }
}
