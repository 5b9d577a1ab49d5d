//! The SSH library, and the only module that knows it.
//!
//! russh carries the protocol; everything it does not decide well is decided around it (`connection`,
//! `stream`, `backlog`). What cannot be helped from outside, and is left to a transport of our own:
//!
//! - user names and passwords that are not UTF-8 end the connection before they are seen;
//! - a second `ssh-userauth` request is not answered, so clients that send one per attempt hang;
//! - the client's DISCONNECT code and text are dropped;
//! - the last `USERAUTH_FAILURE` still goes out before "Too many authentication failures";
//! - identification lines beyond 255 bytes or not UTF-8 are closed where OpenSSH goes on;
//! - umac, sntrup761 and their kind are missing, hence [`Profile::openssh_9_2_debian_12`];
//! - a channel's first window is 2 MiB where OpenSSH grants it later, and channels count from 2.

pub(crate) mod client;
mod front;
mod handler;
mod outlet;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey, decode_secret_key};
use russh::server::{Config, run_stream};
use russh::{MethodKind, MethodSet, Preferred, SshId, kex};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::backlog::Total;
use crate::boundary::{CloseReason, Connection};
use crate::connection::lost;
use crate::host_key::HostKeys;
use crate::profile::Profile;
use crate::stream::{Life, Tapped};
use front::{Failure, Front};

/// Window of a channel, in bytes: OpenSSH's.
const WINDOW_BYTES: u32 = 2 * 1024 * 1024;

/// Largest packet we ask for, in bytes: OpenSSH's.
const PACKET_BYTES: u32 = 32 * 1024;

/// Messages that wait for the task that moves the packets, in front of the window's own brake.
const QUEUED_MESSAGES: usize = 10;

/// Rejections after which the library itself ends a connection, with words no OpenSSH uses. Reached
/// only through methods that never come to us; one more than [`Profile::max_auth_tries`], for `none`.
const SPARE_REJECTIONS: usize = 1;

/// A persona and its keys, ready to serve connections.
pub(crate) struct Server {
    profile: Profile,
    methods: MethodSet,
    config: Arc<Config>,
    held: Total,
}

impl Server {
    pub(crate) fn new(profile: Profile, host_keys: &HostKeys) -> Result<Self, SetupError> {
        let methods = named(&profile.methods, |name| name.parse::<MethodKind>().ok())?;
        let methods = MethodSet::from(methods.as_slice());
        let preferred = Preferred {
            kex: Cow::Owned(named(&profile.kex, kex_name)?),
            key: Cow::Owned(named(&profile.host_key, |name| {
                name.parse::<Algorithm>().ok()
            })?),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Owned(named(&profile.cipher, |name| name.try_into().ok())?),
            mac: Cow::Owned(named(&profile.mac, |name| name.try_into().ok())?),
            compression: Cow::Owned(named(&profile.compression, |name| name.try_into().ok())?),
        };
        let keys = host_keys
            .texts()
            .map(|text| decode_secret_key(text, None).map_err(|_error| SetupError::HostKey))
            .collect::<Result<Vec<PrivateKey>, SetupError>>()?;
        let tries = usize::try_from(profile.max_auth_tries).unwrap_or(usize::MAX);
        let config = Config {
            server_id: SshId::Standard(Cow::Owned(profile.banner.clone())),
            methods: methods.clone(),
            // Delays like PAM's are made by `Connection::password`, where they hold nobody else up.
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            max_auth_attempts: tries.saturating_add(SPARE_REJECTIONS),
            keys,
            preferred,
            window_size: WINDOW_BYTES,
            maximum_packet_size: PACKET_BYTES,
            event_buffer_size: QUEUED_MESSAGES,
            // Deadlines are `connection`'s: the library's own stop while a handler waits.
            inactivity_timeout: None,
            ..Config::default()
        };
        Ok(Self {
            profile,
            methods,
            config: Arc::new(config),
            held: Total::default(),
        })
    }

    /// The identification line without CR LF.
    pub(crate) fn banner(&self) -> &str {
        &self.profile.banner
    }

    /// Serves one connection until it is over or [`Life::stop`] is cancelled.
    pub(crate) async fn run<S>(
        &self,
        stream: Tapped<S>,
        connection: Arc<dyn Connection>,
        life: Arc<Life>,
    ) -> CloseReason
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let front = Front::new(
            connection,
            life,
            &self.profile,
            self.methods.clone(),
            self.held.clone(),
        );
        let shared = front.shared();
        let ended = match run_stream(Arc::clone(&self.config), stream, front).await {
            Ok(running) => {
                shared.set_handle(running.handle());
                running.await
            }
            Err(failure) => Err(failure),
        };
        shared.join().await;
        // Why we ended it comes before how the library puts it.
        shared.verdict().unwrap_or_else(|| match ended {
            Ok(()) => CloseReason::Client,
            Err(Failure::Stopped) => CloseReason::Lost,
            Err(Failure::Library(error)) => reason(&error),
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// What makes a profile unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupError {
    /// The transport does not know a name of the profile.
    UnknownName(String),
    /// A host key cannot be read.
    HostKey,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName(name) => {
                write!(f, "SSH profile: unknown algorithm or method {name:?}")
            }
            Self::HostKey => f.write_str("SSH host key: cannot be read"),
        }
    }
}

impl std::error::Error for SetupError {}

/// The strict key exchange is no method, and the library reads only those by name.
fn kex_name(name: &str) -> Option<kex::Name> {
    let strict = kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER;
    if name == strict.as_ref() {
        Some(strict)
    } else {
        name.try_into().ok()
    }
}

fn named<T>(names: &[String], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, SetupError> {
    names
        .iter()
        .map(|name| read(name).ok_or_else(|| SetupError::UnknownName(name.clone())))
        .collect()
}

fn reason(error: &russh::Error) -> CloseReason {
    match error {
        russh::Error::IO(error) => lost(error),
        russh::Error::Disconnect | russh::Error::HUP => CloseReason::Client,
        russh::Error::SendError | russh::Error::RecvError => CloseReason::Lost,
        // The library's task is gone without a result: it panicked.
        russh::Error::Join(_) => CloseReason::Fault,
        _ => CloseReason::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_the_library_lacks_is_told() {
        let keys = HostKeys::ephemeral().unwrap();
        let mut profile = Profile::openssh_9_2_debian_12();
        Server::new(profile.clone(), &keys).unwrap();
        profile.mac.push("umac-64@openssh.com".to_owned());
        assert_eq!(
            Server::new(profile, &keys).unwrap_err(),
            SetupError::UnknownName("umac-64@openssh.com".to_owned())
        );
    }
}
