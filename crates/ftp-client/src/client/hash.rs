//! Hashes of files on the server: HASH where it is offered, the older verbs elsewhere.

use ftp_proto::client::answer::{self, FileHash};
use ftp_proto::command::{Checksum, OptionSetting};
pub use ftp_proto::hash::Algorithm as HashAlgorithm;
use ftp_proto::reply::Class;
use ftp_proto::{Argument, Command, Verb};

use super::{Client, argument};
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};

impl<D: Dial> Client<D> {
    /// The hashes the server says it can make, the best first.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn hash_algorithms(&mut self) -> Result<Vec<HashAlgorithm>, Error> {
        let features = self.features().await?;
        let (_, by_hash) = features
            .get("HASH")
            .map(|feature| answer::hash_algorithms(feature.parameters()))
            .unwrap_or_default();
        let any = placeholder()?;
        Ok(HashAlgorithm::ALL
            .into_iter()
            .filter(|algorithm| {
                by_hash.iter().any(|name| name == algorithm.name())
                    || command(*algorithm, &any)
                        .iter()
                        .any(|(name, _)| features.has(name))
            })
            .collect())
    }

    /// The hash of a file, by the verb the server has for this algorithm.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Cause::Unsupported`] if the server does not offer it.
    pub async fn hash(
        &mut self,
        path: impl AsRef<[u8]>,
        algorithm: HashAlgorithm,
    ) -> Result<FileHash, Error> {
        let phase = Phase::Command(Verb::Hash);
        let path = argument(phase, path)?;
        let features = self.features().await?;
        let by_hash = features
            .get("HASH")
            .map(|feature| answer::hash_algorithms(feature.parameters()));
        if let Some((_, all)) = by_hash
            && all.iter().any(|name| name == algorithm.name())
        {
            return self.hash_by_hash(path, algorithm).await;
        }
        let older = command(algorithm, &path)
            .into_iter()
            .find(|(name, _)| features.has(name));
        let Some((_, command)) = older else {
            return Err(Error::new(phase, Cause::Unsupported(algorithm.name())));
        };
        let phase = Phase::Command(command.verb());
        let reply = self.ask(command).await?;
        match answer::bare_hash(&reply, algorithm.length()) {
            Some(value) => Ok(FileHash {
                algorithm: algorithm.name().to_owned(),
                value,
            }),
            None => Err(Error::new(phase, Cause::Malformed(reply))),
        }
    }

    async fn hash_by_hash(
        &mut self,
        path: Argument,
        algorithm: HashAlgorithm,
    ) -> Result<FileHash, Error> {
        let phase = Phase::Command(Verb::Hash);
        if self.hash_setting != Some(algorithm) {
            let name = argument(phase, "HASH")?;
            let value = argument(phase, algorithm.name())?;
            let setting = OptionSetting::new(name, Some(value));
            let setting =
                setting.ok_or_else(|| Error::new(phase, Cause::Unsupported(algorithm.name())))?;
            self.ask(Command::Opts(setting)).await?;
            self.hash_setting = Some(algorithm);
        }
        let reply = self.exchange(phase, &Command::Hash(path)).await?;
        if reply.code().class() != Class::Completion {
            return Err(Error::new(phase, Cause::Refused(reply)));
        }
        match answer::hash(&reply).filter(|hash| hash.value.len() == algorithm.length()) {
            Some(hash) => Ok(hash),
            None => Err(Error::new(phase, Cause::Malformed(reply))),
        }
    }
}

/// The verbs of servers without HASH, with what the feature list calls them.
fn command(algorithm: HashAlgorithm, path: &Argument) -> Vec<(&'static str, Command)> {
    let sum = || Checksum {
        path: path.clone(),
        part: None,
    };
    match algorithm {
        HashAlgorithm::Crc32 => vec![("XCRC", Command::Xcrc(sum()))],
        HashAlgorithm::Md5 => vec![
            ("XMD5", Command::Xmd5(sum())),
            ("MD5", Command::Md5(path.clone())),
        ],
        HashAlgorithm::Sha1 => vec![
            ("XSHA1", Command::Xsha1(sum())),
            ("XSHA", Command::Xsha(sum())),
        ],
        HashAlgorithm::Sha256 => vec![("XSHA256", Command::Xsha256(sum()))],
        HashAlgorithm::Sha512 => vec![("XSHA512", Command::Xsha512(sum()))],
    }
}

/// A path to look verbs up with.
fn placeholder() -> Result<Argument, Error> {
    argument(Phase::Command(Verb::Hash), "x")
}
