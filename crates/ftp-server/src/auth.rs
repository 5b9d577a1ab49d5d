//! Who may log in, and what they may do then.

use std::fmt;
use std::future::Future;

use ftp_proto::Argument;
use ftp_proto::listing::mlsx::Access;

use crate::connection::Peer;

/// Decides about logins.
///
/// Unknown users and wrong passwords are answered alike and equally late by
/// [`crate::files::FileServer`]; an implementation should not take longer for the one than for the
/// other.
pub trait Authenticator: Send + Sync + 'static {
    /// Who this is, or `None`.
    fn login(&self, attempt: Attempt<'_>) -> impl Future<Output = Option<User>> + Send;
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
}

/// Somebody who has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name, as it was given.
    pub name: Argument,
    /// What they may do.
    pub access: Access,
}

/// A short list of users with passwords, and perhaps the anonymous one.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    anonymous: Option<Access>,
    users: Vec<Account>,
}

impl Accounts {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `anonymous` and `ftp` in with any password. RFC 1635.
    #[must_use]
    pub const fn with_anonymous(mut self, access: Access) -> Self {
        self.anonymous = Some(access);
        self
    }

    /// Lets one user in; a later one of the same name replaces it.
    #[must_use]
    pub fn with_user(mut self, name: Argument, password: Secret, access: Access) -> Self {
        self.users.retain(|account| account.name != name);
        self.users.push(Account {
            name,
            password,
            access,
        });
        self
    }
}

impl Authenticator for Accounts {
    async fn login(&self, attempt: Attempt<'_>) -> Option<User> {
        let mut access = None;
        // All are compared, so that the time tells nothing about which names there are.
        for account in &self.users {
            let password = account.password.is(attempt.password);
            if account.name == *attempt.user && password {
                access = Some(account.access);
            }
        }
        let is_named = self
            .users
            .iter()
            .any(|account| account.name == *attempt.user);
        let name = attempt.user.as_bytes();
        if !is_named
            && ANONYMOUS
                .iter()
                .any(|other| name.eq_ignore_ascii_case(other))
        {
            access = self.anonymous;
        }
        access.map(|access| User {
            name: attempt.user.clone(),
            access,
        })
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
    fn is(&self, given: &[u8]) -> bool {
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
struct Account {
    name: Argument,
    password: Secret,
    access: Access,
}

/// RFC 1635 §2; `ftp` is what most servers take as well.
const ANONYMOUS: [&[u8]; 2] = [b"anonymous", b"ftp"];

#[cfg(test)]
mod tests {
    use super::*;

    async fn login(accounts: &Accounts, user: &str, password: &str) -> Option<Access> {
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
        };
        accounts.login(attempt).await.map(|user| user.access)
    }

    #[tokio::test]
    async fn names_and_passwords_must_both_fit() {
        let name = Argument::try_from("anna").unwrap();
        let accounts = Accounts::new().with_user(name, Secret::new(*b"pw"), Access::Write);
        assert_eq!(login(&accounts, "anna", "pw").await, Some(Access::Write));
        for (user, password) in [
            ("anna", ""),
            ("anna", "p"),
            ("anna", "pw\0"),
            ("eve", "pw"),
            ("anonymous", "x"),
        ] {
            assert_eq!(login(&accounts, user, password).await, None);
        }
        let accounts = accounts.with_anonymous(Access::Read);
        assert_eq!(login(&accounts, "Anonymous", "").await, Some(Access::Read));
        assert_eq!(login(&accounts, "ftp", "me@").await, Some(Access::Read));
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new(*b"pw")), "…");
    }
}
