//! Who may log in, and what they may do then.

pub mod gate;

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ftp_proto::Argument;
use ftp_proto::permission::Permissions;
use ftp_proto::server::{Grant, Required};
pub use ipnet::IpNet;

use crate::account::{Account, Seat};
use crate::connection::Peer;
use crate::tls::TlsInfo;

/// Decides about logins.
///
/// Unknown users and wrong passwords are answered alike and equally late by
/// [`crate::files::FileServer`]; an implementation should not take longer for the one than for the
/// other. [`gate::Gate`] puts limits and bans around any of them.
pub trait Authenticator: Send + Sync + 'static {
    /// Who this is.
    ///
    /// # Errors
    ///
    /// [`Denied`]; the client is answered the same whatever the reason.
    fn login(&self, attempt: Attempt<'_>) -> impl Future<Output = Result<User, Denied>> + Send;

    /// Whether a client is greeted at all; one that is not is told `421` and closed.
    fn admits(&self, peer: &Peer) -> bool {
        let _ = peer;
        true
    }

    /// How long after it was asked a wrong login is answered; called once for each one. `None` leaves
    /// it to [`crate::files::FileOptions::login_delay`].
    fn failure_delay(&self, peer: &Peer, user: &Argument, why: Denied) -> Option<Duration> {
        let _ = (peer, user, why);
        None
    }

    /// Who this is by the certificate of the TLS session alone, which was found good. An error asks
    /// for the password; [`Attempt::password`] is empty.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    fn login_by_certificate(
        &self,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<User, Denied>> + Send {
        let _ = attempt;
        std::future::ready(Err(Denied::Wrong))
    }
}

/// What a client has shown.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// From USER.
    pub user: &'a Argument,
    /// From PASS; empty if none was given.
    pub password: &'a [u8],
    /// Where it comes from.
    pub peer: &'a Peer,
    /// The TLS of the control connection, with the certificates the client has shown.
    pub tls: Option<&'a TlsInfo>,
}

impl<A: Authenticator> Authenticator for Arc<A> {
    fn login(&self, attempt: Attempt<'_>) -> impl Future<Output = Result<User, Denied>> + Send {
        A::login(self, attempt)
    }

    fn admits(&self, peer: &Peer) -> bool {
        A::admits(self, peer)
    }

    fn failure_delay(&self, peer: &Peer, user: &Argument, why: Denied) -> Option<Duration> {
        A::failure_delay(self, peer, user, why)
    }

    fn login_by_certificate(
        &self,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<User, Denied>> + Send {
        A::login_by_certificate(self, attempt)
    }
}

/// Why somebody is not let in; only logs tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No such user, or not this password.
    #[error("wrong user or password")]
    Wrong,
    /// Not from this address.
    #[error("not from this address")]
    Network,
    /// Not without TLS.
    #[error("not without TLS")]
    NotSecure,
    /// The user has as many sessions as they may have.
    #[error("too many sessions")]
    TooMany,
    /// The address is banned for guessing.
    #[error("banned")]
    Banned,
    /// Whoever knows could not be asked, or has no files for the user.
    #[error("cannot be checked")]
    Unavailable,
}

impl Denied {
    /// Whether it looks like guessing, and counts towards a ban.
    #[must_use]
    pub const fn is_guess(self) -> bool {
        matches!(self, Self::Wrong | Self::Network | Self::Banned)
    }
}

/// Somebody who has logged in.
#[derive(Clone, Debug)]
pub struct User {
    /// The name, as it was given.
    pub name: Argument,
    /// What they may do, and where.
    pub permissions: Permissions,
    /// Where and how they may do it.
    pub rules: Rules,
    /// What they may use up, shared by all their sessions.
    pub account: Arc<Account>,
    /// How long they may be silent, if it is not [`ftp_proto::server::Settings::idle`].
    pub idle: Option<Duration>,
    /// Lines to show before the last one of the `230`.
    pub welcome: Vec<String>,
    /// Their place among the sessions that may be, given up when the last clone is dropped.
    pub seat: Option<Arc<Seat>>,
}

impl User {
    /// A user without rules and limits.
    pub fn new(name: Argument, permissions: impl Into<Permissions>) -> Self {
        Self {
            name,
            permissions: permissions.into(),
            rules: Rules::default(),
            account: Arc::default(),
            idle: None,
            welcome: Vec::new(),
            seat: None,
        }
    }

    /// What the dialogue has to know.
    #[must_use]
    pub fn grant(&self) -> Grant {
        Grant {
            permissions: self.permissions.clone(),
            protection: Required {
                control: self.rules.tls.control(),
                data: self.rules.tls.data(),
            },
            idle: self.idle,
            welcome: self.welcome.clone(),
            directory: None,
        }
    }
}

/// Where a user belongs and how they must come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The directory that is `/` for them, for backends that have directories of the host.
    pub root: Option<PathBuf>,
    /// Networks they may come from; empty for all.
    pub networks: Vec<IpNet>,
    /// What has to be under TLS.
    pub tls: TlsNeed,
    /// Whether they came without a password of their own, which logs mark.
    pub is_anonymous: bool,
}

impl Rules {
    /// Whether an address is among the networks.
    #[must_use]
    pub fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.is_empty() || self.networks.iter().any(|net| net.contains(&address))
    }
}

/// What of a session has to be under TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsNeed {
    /// Nothing.
    #[default]
    None,
    /// Commands and replies, so the password.
    Control,
    /// Files and listings.
    Data,
    /// Everything.
    Both,
}

impl TlsNeed {
    /// Whether commands must be under TLS.
    #[must_use]
    pub const fn control(self) -> bool {
        matches!(self, Self::Control | Self::Both)
    }

    /// Whether files must be under TLS.
    #[must_use]
    pub const fn data(self) -> bool {
        matches!(self, Self::Data | Self::Both)
    }
}

/// A short list of users with passwords, and perhaps the anonymous one.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    anonymous: Option<Permissions>,
    users: Vec<Entry>,
}

impl Accounts {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `anonymous` and `ftp` in with any password. RFC 1635.
    #[must_use]
    pub fn with_anonymous(mut self, permissions: impl Into<Permissions>) -> Self {
        self.anonymous = Some(permissions.into());
        self
    }

    /// Lets one user in; a later one of the same name replaces it.
    #[must_use]
    pub fn with_user(
        mut self,
        name: Argument,
        password: Secret,
        permissions: impl Into<Permissions>,
    ) -> Self {
        self.users.retain(|account| account.name != name);
        self.users.push(Entry {
            name,
            password,
            permissions: permissions.into(),
        });
        self
    }
}

impl Authenticator for Accounts {
    async fn login(&self, attempt: Attempt<'_>) -> Result<User, Denied> {
        let mut permissions = None;
        let mut is_anonymous = false;
        // All are compared, so that the time tells nothing about which names there are.
        for account in &self.users {
            let password = account.password.is(attempt.password);
            if account.name == *attempt.user && password {
                permissions = Some(&account.permissions);
            }
        }
        let is_named = self
            .users
            .iter()
            .any(|account| account.name == *attempt.user);
        let name = attempt.user.as_bytes();
        if !is_named && ANONYMOUS.contains(&name) {
            permissions = self.anonymous.as_ref();
            is_anonymous = true;
        }
        let permissions = permissions.cloned().ok_or(Denied::Wrong)?;
        let mut user = User::new(attempt.user.clone(), permissions);
        user.rules.is_anonymous = is_anonymous;
        Ok(user)
    }
}

/// A password of our own users; it prints as `…`.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Keeps the password.
    #[must_use]
    pub fn new(password: impl Into<Box<[u8]>>) -> Self {
        Self(password.into())
    }

    /// Compares in a time that depends on the length of `given` only.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        let mut differs = u8::from(self.0.len() != given.len());
        let ours = self.0.iter().chain(std::iter::repeat(&0));
        for (ours, given) in ours.zip(given) {
            differs |= ours ^ given;
        }
        differs == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[derive(Clone, Debug)]
struct Entry {
    name: Argument,
    password: Secret,
    permissions: Permissions,
}

/// RFC 1635 §2; `ftp` is what most servers take as well. Names of users tell capitals from others, and
/// these do too, as pyftpdlib has it.
pub(crate) const ANONYMOUS: [&[u8]; 2] = [b"anonymous", b"ftp"];

#[cfg(test)]
mod tests {
    use ftp_proto::permission::Rights;

    use super::*;

    async fn login(accounts: &Accounts, user: &str, password: &str) -> Option<Permissions> {
        let peer = Peer {
            id: 1,
            address: "127.0.0.1:1".parse().unwrap(),
            local: "127.0.0.1:2".parse().unwrap(),
            since: std::time::Instant::now(),
        };
        let attempt = Attempt {
            user: &Argument::try_from(user).unwrap(),
            password: password.as_bytes(),
            peer: &peer,
            tls: None,
        };
        accounts
            .login(attempt)
            .await
            .ok()
            .map(|user| user.permissions)
    }

    #[tokio::test]
    async fn names_and_passwords_must_both_fit() {
        let name = Argument::try_from("anna").unwrap();
        let accounts = Accounts::new().with_user(name, Secret::new(*b"pw"), Rights::ALL);
        assert_eq!(
            login(&accounts, "anna", "pw").await,
            Some(Rights::ALL.into())
        );
        for (user, password) in [
            ("anna", ""),
            ("anna", "p"),
            ("anna", "pw\0"),
            ("eve", "pw"),
            ("anonymous", "x"),
        ] {
            assert_eq!(login(&accounts, user, password).await, None);
        }
        let accounts = accounts.with_anonymous(Rights::READ);
        assert_eq!(
            login(&accounts, "anonymous", "").await,
            Some(Rights::READ.into())
        );
        assert_eq!(
            login(&accounts, "ftp", "me@").await,
            Some(Rights::READ.into())
        );
        assert_eq!(login(&accounts, "Anonymous", "").await, None);
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new(*b"pw")), "…");
    }
}
