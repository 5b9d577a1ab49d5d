//! The data directory: made at the first start, reused at every other.
//!
//! | path | what |
//! |---|---|
//! | `sundew.toml` | the configuration, commented |
//! | `userdb.txt` | who may log in |
//! | `machine.toml` | what makes this machine differ from others: keep it secret and keep it |
//! | `keys/` | host keys |
//! | `artifacts/`, `tty/` | what was captured |
//! | `log/cowrie.json` | the events |

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use sundew_persona::Origin;
use sundew_session::policy::{self, Policy};
use sundew_ssh::HostKeys;
use sundew_vfs::Timestamp;

use crate::config::{self, Config};
use crate::failure::{Failure, Status};

/// A data directory.
#[derive(Debug, Clone)]
pub struct Data(PathBuf);

/// `machine.toml`: made once, at random.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    seed: String,
    born: i64,
    /// The installation's UUID, in every event.
    pub uuid: String,
}

impl Data {
    /// The directory at `path`, which need not exist.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the directory and the files that people edit, where they are missing.
    ///
    /// # Errors
    ///
    /// The file that cannot be made.
    pub fn prepare(&self) -> Result<(), Failure> {
        make_directory(&self.0)?;
        make_directory(&self.0.join("log"))?;
        create_once(&self.0.join("sundew.toml"), config::TEMPLATE, 0o644)?;
        create_once(&self.0.join("userdb.txt"), policy::DEFAULT, 0o644)
    }

    /// The configuration; the defaults if there is no file.
    ///
    /// # Errors
    ///
    /// `FILE:LINE:COLUMN: mistake`, or why it cannot be read.
    pub fn config(&self) -> Result<Config, Failure> {
        let path = self.0.join("sundew.toml");
        match fs::read(&path) {
            Ok(bytes) => config::parse(&bytes).map_err(|error| {
                Failure::new(Status::Config, format!("{}:{error}", path.display()))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(unusable(&path, &error)),
        }
    }

    /// Who may log in.
    ///
    /// # Errors
    ///
    /// As [`Data::config`].
    pub fn policy(&self) -> Result<Policy, Failure> {
        let path = self.0.join("userdb.txt");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                policy::DEFAULT.as_bytes().to_vec()
            }
            Err(error) => return Err(unusable(&path, &error)),
        };
        Policy::parse(&text).map_err(|error| {
            let text = format!("{}:{}: {}", path.display(), error.line, error.mistake);
            Failure::new(Status::Config, text)
        })
    }

    /// The host keys, made where they are missing.
    ///
    /// # Errors
    ///
    /// The file that cannot be made or read.
    pub fn host_keys(&self) -> Result<HostKeys, Failure> {
        HostKeys::load_or_create(&self.0.join("keys"))
            .map_err(|error| Failure::new(Status::Files, error.to_string()))
    }

    /// What makes this machine itself, made where it is missing.
    ///
    /// # Errors
    ///
    /// The file that cannot be made, or a mistake in it.
    pub fn identity(&self) -> Result<Identity, Failure> {
        let path = self.0.join("machine.toml");
        let born = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let text = format!(
            "# What makes this machine differ from others: its name, addresses, hardware, age.\n\
             # Made at random at the first start. Whoever has it can recognise this sensor.\n\
             seed = \"{}\"\nborn = {born}\nuuid = \"{}\"\n",
            hex(&random::<32>()?),
            uuid(random()?)
        );
        create_once(&path, &text, 0o600)?;
        let text = fs::read_to_string(&path).map_err(|error| unusable(&path, &error))?;
        let wrong = |what: &str| {
            let text = format!("{}: {what}; remove it to get a new machine", path.display());
            Failure::new(Status::Config, text)
        };
        let identity: Identity = toml::from_str(&text)
            .map_err(|error| wrong(error.message().lines().next().unwrap_or("not readable")))?;
        unhex(&identity.seed).ok_or_else(|| wrong("`seed` is not 64 hexadecimal digits"))?;
        Ok(identity)
    }

    /// What the persona is made from.
    #[must_use]
    pub fn origin(&self, identity: &Identity) -> Origin {
        let born = Timestamp {
            secs: identity.born,
            nanos: 0,
        };
        let mut origin = Origin::new(unhex(&identity.seed).unwrap_or_default(), born);
        let public = fs::read_dir(self.0.join("keys"))
            .into_iter()
            .flatten()
            .flatten();
        let mut paths: Vec<_> = public.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "pub"));
        paths.sort();
        origin.host_keys = paths
            .iter()
            .filter_map(|path| fs::read(path).ok())
            .map(|line| line.trim_ascii_end().to_vec())
            .collect();
        origin
    }
}

fn make_directory(path: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(path)
        .map_err(|error| unusable(path, &error))
}

/// Writes a file that is not there yet.
fn create_once(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    match file {
        Ok(mut file) => file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| unusable(path, &error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    let hint = "choose another directory with --data DIR";
    Failure::new(
        Status::Files,
        format!("{}: {error}; {hint}", path.display()),
    )
}

/// Random bytes from the cryptographic library.
///
/// # Errors
///
/// When it has none, which no working system shows.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_unspecified| {
        Failure::new(Status::Internal, "the system gives no random bytes")
    })?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// A random UUID, RFC 9562 version 4.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    let mut text = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_look_finds_the_same_machine() {
        let directory = tempfile::tempdir().unwrap();
        let data = Data::at(directory.path().join("deep/data"));
        data.prepare().unwrap();
        let first = data.identity().unwrap();
        let second = data.identity().unwrap();
        assert_eq!(
            (&first.seed, first.born, &first.uuid),
            (&second.seed, second.born, &second.uuid)
        );
        assert_eq!(first.uuid.len(), 36);
        assert_eq!(first.uuid.as_bytes()[14], b'4');
    }

    #[test]
    fn a_broken_identity_says_which_file() {
        let directory = tempfile::tempdir().unwrap();
        let data = Data::at(directory.path().to_owned());
        fs::write(
            directory.path().join("machine.toml"),
            "seed = \"12\"\nborn = 1\nuuid = \"x\"\n",
        )
        .unwrap();
        let failure = data.identity().unwrap_err();
        assert_eq!(failure.code(), 78);
        assert!(
            failure.to_string().contains("machine.toml: `seed` is not"),
            "{failure}"
        );
    }
}
