//! What an event holds in memory, for queues that are bounded in bytes.

use super::{
    Credential, DownloadSource, EventKind, FileDownload, FileUpload, Kex, Login, PublicKey, Stored,
};
use crate::text::Lossy;

impl EventKind {
    /// Bytes on the heap that a stranger can make grow, about; [`size_of`] has the rest.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        match self {
            Self::SessionConnect
            | Self::SessionClosed { .. }
            | Self::SessionParams { .. }
            | Self::ClientSize { .. }
            | Self::WindowChange { .. }
            | Self::BudgetSpent { .. }
            | Self::CaptureLost { .. } => 0,
            Self::ClientVersion { version } => version.as_bytes().len(),
            Self::ClientKex(kex) => kex.held_bytes(),
            Self::ClientFingerprint { username, key } => {
                username.as_bytes().len() + key.held_bytes()
            }
            Self::ClientVar {
                name: one,
                value: other,
            }
            | Self::CommandFailed {
                command: one,
                arguments: other,
            }
            | Self::CommandUnimplemented {
                program: one,
                input: other,
                ..
            } => lengths([one, other]),
            Self::LoginSuccess(login) | Self::LoginFailed(login) => login.held_bytes(),
            Self::CommandInput { input, .. } => lengths([input]),
            Self::FileDownload(download) => download.held_bytes(),
            Self::FileDownloadFailed { url, error } => lengths([url].into_iter().chain(error)),
            Self::FileUpload(upload) => upload.held_bytes(),
            Self::LogClosed(log) => log.ttylog.len() + log.asciicast.len(),
            Self::DirectTcpipRequest { target, origin } => lengths([&target.host, &origin.host]),
            Self::DirectTcpipData { target, data, .. } => {
                lengths([&target.host]) + data.as_bytes().len()
            }
            Self::EgressRefused { target, .. } => lengths([&target.host]),
        }
    }
}

impl Kex {
    fn held_bytes(&self) -> usize {
        let lists = [
            &self.kex,
            &self.host_key,
            &self.cipher,
            &self.mac,
            &self.compression,
            &self.language,
        ];
        let names = lists.into_iter().flatten();
        let count = names.clone().count();
        lengths(names) + count * size_of::<Lossy>() + lengths([&self.algorithms])
    }
}

impl PublicKey {
    fn held_bytes(&self) -> usize {
        lengths([&self.key, &self.algorithm])
            + self.fingerprint.len()
            + self.fingerprint_sha256.len()
    }
}

impl Login {
    fn held_bytes(&self) -> usize {
        let credential = match &self.credential {
            Credential::Password(password) => password.as_bytes().len(),
            Credential::PublicKey(key) => key.held_bytes(),
            Credential::Nothing => 0,
        };
        self.username.as_bytes().len() + credential
    }
}

impl FileDownload {
    fn held_bytes(&self) -> usize {
        let source = match &self.source {
            DownloadSource::Url { url, destfile } => lengths([url].into_iter().chain(destfile)),
            DownloadSource::Stdin => 0,
            DownloadSource::Redirect { destfile } => lengths([destfile]),
        };
        source + self.stored.held_bytes()
    }
}

impl FileUpload {
    fn held_bytes(&self) -> usize {
        lengths([&self.filename, &self.path]) + self.stored.held_bytes()
    }
}

impl Stored {
    fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.outfile.len()
    }
}

fn lengths<'a>(texts: impl IntoIterator<Item = &'a Lossy>) -> usize {
    texts.into_iter().map(|text| text.as_bytes().len()).sum()
}
