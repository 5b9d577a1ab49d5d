//! `[user.NAME]` and `[anonymous]`: what somebody may do.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;

use argon2::PasswordHash;
use ftp_proto::permission::{Override, Permissions, Rights};
use ftp_proto::server;
use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::unit::{Proportion, Size, Span};
use crate::account::{Allowance, Ratio};
use crate::auth::{Rules, TlsNeed};

/// One user, or the anonymous one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserSection {
    /// As `ftpd hash` prints it; every user but the anonymous one has one.
    pub password: Option<Hash>,
    /// Whether they are let in.
    pub enabled: bool,
    /// The directory that is `/`.
    pub root: Option<PathBuf>,
    /// pyftpdlib's letters.
    pub permissions: Option<Letters>,
    /// Other letters in some directories and below.
    pub directories: BTreeMap<Directory, Letters>,
    /// Networks they may come from.
    pub networks: Vec<IpNet>,
    /// SHA-256 of certificates that stand for the password.
    pub certificates: Vec<Fingerprint>,
    /// How long they may be silent.
    pub idle: Option<Span>,
    /// Lines shown after the login.
    pub welcome: Vec<String>,
    /// What has to be under TLS.
    pub tls: Option<TlsKey>,
    /// Sessions at a time.
    pub sessions: Option<u32>,
    /// Sessions at a time from one address.
    pub sessions_per_address: Option<u32>,
    /// Bytes a second to the client.
    pub download_rate: Option<Size>,
    /// Bytes a second from the client.
    pub upload_rate: Option<Size>,
    /// Bytes in the user's files.
    pub quota_bytes: Option<Size>,
    /// The user's files.
    pub quota_files: Option<u64>,
    /// Given to taken.
    pub ratio: Option<Proportion>,
    /// Bytes that may be taken before anything was given.
    pub ratio_credit: Option<Size>,
}

impl Default for UserSection {
    fn default() -> Self {
        Self {
            password: None,
            enabled: true,
            root: None,
            permissions: None,
            directories: BTreeMap::new(),
            networks: Vec::new(),
            certificates: Vec::new(),
            idle: None,
            welcome: Vec::new(),
            tls: None,
            sessions: None,
            sessions_per_address: None,
            download_rate: None,
            upload_rate: None,
            quota_bytes: None,
            quota_files: None,
            ratio: None,
            ratio_credit: None,
        }
    }
}

impl UserSection {
    /// What may be done where.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        let general = self.permissions.map_or(Rights::READ, |letters| letters.0);
        let others = self
            .directories
            .iter()
            .map(|(directory, letters)| Override {
                directory: directory.0.clone(),
                rights: letters.0,
                recursive: true,
            });
        others.fold(Permissions::new(general), Permissions::with_override)
    }

    /// Where from and how; `least` is what holds for everybody.
    #[must_use]
    pub fn rules(&self, least: TlsKey, is_anonymous: bool) -> Rules {
        Rules {
            root: self.root.clone(),
            networks: self.networks.clone(),
            tls: self.tls.unwrap_or_default().or(least).need(),
            is_anonymous,
        }
    }

    /// How much.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        let rate = |size: Option<Size>| size.and_then(|Size(bytes)| NonZeroU64::new(bytes));
        Allowance {
            sessions: self.sessions,
            sessions_per_address: self.sessions_per_address,
            download_rate: rate(self.download_rate),
            upload_rate: rate(self.upload_rate),
            quota_bytes: self.quota_bytes.map(|Size(bytes)| bytes),
            quota_files: self.quota_files,
            ratio: self.ratio.map(|ratio| Ratio {
                upload: ratio.upload,
                download: ratio.download,
                credit: self.ratio_credit.map_or(0, |Size(bytes)| bytes),
            }),
        }
    }
}

/// `"none"`, `"control"`, `"data"` or `"both"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsKey {
    /// Nothing.
    #[default]
    None,
    /// Commands and replies.
    Control,
    /// Files and listings.
    Data,
    /// Everything.
    Both,
}

impl TlsKey {
    /// Both of what two keys ask for.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, one) | (one, Self::None) => one,
            (Self::Control, Self::Control) => Self::Control,
            (Self::Data, Self::Data) => Self::Data,
            (_, _) => Self::Both,
        }
    }

    /// The same for the server.
    #[must_use]
    pub const fn need(self) -> TlsNeed {
        match self {
            Self::None => TlsNeed::None,
            Self::Control => TlsNeed::Control,
            Self::Data => TlsNeed::Data,
            Self::Both => TlsNeed::Both,
        }
    }
}

/// Rights by their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letters(pub Rights);

impl<'de> Deserialize<'de> for Letters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

/// A directory as the user sees it: absolute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Directory(pub server::Path);

impl<'de> Deserialize<'de> for Directory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let path = server::Path::root().join(text.as_bytes()).ok();
        path.filter(|_| text.starts_with('/'))
            .map(Self)
            .ok_or_else(|| {
                let text =
                    format!("`{text}` is not a directory as the user sees it, like \"/incoming\"");
                de::Error::custom(text)
            })
    }
}

/// The SHA-256 of a certificate: 64 hexadecimal digits, with or without colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads the digits.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut digits = text.chars().filter(|digit| *digit != ':');
        let mut bytes = [0_u8; 32];
        for byte in &mut bytes {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not a SHA-256 of 64 hexadecimal digits"
            ))
        })
    }
}

/// A password that was hashed with argon2; it prints as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(Box<str>);

impl Hash {
    /// Checks the form and the cost of a hash.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        let wrong = || format!("not a hash as `ftpd hash` prints it ({EXAMPLE})");
        let hash = PasswordHash::new(text).map_err(|_| wrong())?;
        let params = argon2::Params::try_from(&hash).map_err(|_| wrong())?;
        let is_argon2 = argon2::Algorithm::try_from(hash.algorithm.as_str()).is_ok();
        if !is_argon2 || hash.salt.is_none() || hash.hash.is_none() {
            return Err(wrong());
        }
        if params.m_cost() > MAX_HASH_KIB || params.t_cost() > MAX_HASH_PASSES {
            return Err(format!(
                "this hash costs more than {MAX_HASH_KIB} KiB or {MAX_HASH_PASSES} passes for each login"
            ));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(de::Error::custom)
    }
}

const EXAMPLE: &str = "$argon2id$v=19$…";

/// Memory and passes a single check may cost: more would let a handful of logins stop the machine.
const MAX_HASH_KIB: u32 = 256 * 1024;
const MAX_HASH_PASSES: u32 = 16;
