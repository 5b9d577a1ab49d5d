//! Who to be on a server: from the URL, `~/.netrc`, the environment, a prompt, in this order.
//!
//! What the outside knows is passed in as [`Sources`], so that the order can be tested without a
//! home directory or a terminal.

use std::fmt;

use crate::netrc::{self, NetrcError};
use crate::secret::Secret;
use crate::url::Url;

/// Name of the environment variable with the user.
pub const USER_VARIABLE: &str = "SUNDEW_FTP_USER";

/// Name of the environment variable with the password; only used with the user beside it, or for a
/// user named elsewhere.
pub const PASSWORD_VARIABLE: &str = "SUNDEW_FTP_PASSWORD";

/// Who to log in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// USER.
    pub user: Vec<u8>,
    /// PASS.
    pub password: Secret,
    /// ACCT, should the server ask for it.
    pub account: Option<Secret>,
    /// Where the password came from; said when the server refuses it.
    pub origin: Origin,
}

/// Where a credential came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The URL itself.
    Url,
    /// `~/.netrc`, or the file that was given instead.
    Netrc,
    /// [`USER_VARIABLE`] and [`PASSWORD_VARIABLE`].
    Environment,
    /// Typed at the terminal.
    Prompt,
    /// Nobody said anything: `anonymous`.
    Anonymous,
}

/// What is known outside of the URL.
#[derive(Default)]
pub struct Sources<'a> {
    /// `--user`.
    pub user: Option<Vec<u8>>,
    /// The bytes of the netrc file, if there is one.
    pub netrc: Option<&'a [u8]>,
    /// The value of [`USER_VARIABLE`].
    pub env_user: Option<Vec<u8>>,
    /// The value of [`PASSWORD_VARIABLE`].
    pub env_password: Option<Secret>,
}

/// Why nobody can be logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialError {
    /// The netrc file has a mistake.
    Netrc(NetrcError),
    /// There is a user without a password, and nobody to ask.
    NoPassword,
    /// Whoever was asked has pressed Ctrl-C.
    Interrupted,
}

/// What came of asking for a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This was typed.
    Typed(Secret),
    /// Ctrl-C.
    Interrupted,
    /// There is no terminal, or nobody at it.
    Nobody,
}

/// Chooses the credential for a server; `ask` gets the question.
///
/// # Errors
///
/// [`CredentialError`].
pub fn choose(
    url: &Url,
    sources: &Sources<'_>,
    ask: impl FnOnce(&str) -> Answer,
) -> Result<Credential, CredentialError> {
    let named = sources.user.clone().or_else(|| url.user.clone());
    if let (Some(user), Some(password)) = (&named, &url.password) {
        return Ok(Credential::new(user, password.clone(), Origin::Url));
    }
    let entry = match sources.netrc {
        None => None,
        Some(file) => {
            netrc::find(file, &url.host, named.as_deref()).map_err(CredentialError::Netrc)?
        }
    };
    if let Some(entry) = entry
        && let Some(user) = named.as_ref().or(entry.login.as_ref())
        && let Some(password) = entry.password
    {
        return Ok(Credential {
            account: entry.account,
            ..Credential::new(user, password, Origin::Netrc)
        });
    }
    let user = named.or_else(|| sources.env_user.clone());
    let Some(user) = user else {
        return Ok(Credential::anonymous());
    };
    if let Some(password) = &sources.env_password {
        return Ok(Credential::new(
            &user,
            password.clone(),
            Origin::Environment,
        ));
    }
    if user == b"anonymous" || user == b"ftp" {
        return Ok(Credential {
            user,
            ..Credential::anonymous()
        });
    }
    let question = format!(
        "Password for {} on {}: ",
        user.escape_ascii(),
        url.host.escape_debug()
    );
    match ask(&question) {
        Answer::Typed(password) => Ok(Credential::new(&user, password, Origin::Prompt)),
        Answer::Interrupted => Err(CredentialError::Interrupted),
        Answer::Nobody => Err(CredentialError::NoPassword),
    }
}

impl Credential {
    /// The guest of RFC 1635.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(b"anonymous", Secret::new(*b"anonymous@"), Origin::Anonymous)
    }

    fn new(user: &[u8], password: Secret, origin: Origin) -> Self {
        Self {
            user: user.to_vec(),
            password,
            account: None,
            origin,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "the URL",
            Self::Netrc => "the netrc file",
            Self::Environment => "the environment",
            Self::Prompt => "the prompt",
            Self::Anonymous => "nowhere: anonymous",
        })
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Netrc(error) => write!(f, "the netrc file, {error}"),
            Self::Interrupted => f.write_str("stopped by Ctrl-C"),
            Self::NoPassword => {
                f.write_str("no password for this user, and no terminal to ask for it at")
            }
        }
    }
}

impl std::error::Error for CredentialError {}

#[cfg(test)]
mod tests {
    use super::*;

    const NETRC: &[u8] = b"machine h login anna password from-netrc\n";

    fn chosen(url: &str, sources: &Sources<'_>) -> (String, String, Origin) {
        let url = Url::parse(url).unwrap();
        let typed = |_: &str| Answer::Typed(Secret::new(*b"typed"));
        let found = choose(&url, sources, typed).unwrap();
        (
            String::from_utf8(found.user).unwrap(),
            String::from_utf8(found.password.expose().to_vec()).unwrap(),
            found.origin,
        )
    }

    fn is(user: &str, password: &str, origin: Origin) -> (String, String, Origin) {
        (user.to_owned(), password.to_owned(), origin)
    }

    #[test]
    fn the_url_comes_before_netrc_before_the_environment_before_a_prompt() {
        let all = Sources {
            netrc: Some(NETRC),
            env_user: Some(b"env".to_vec()),
            env_password: Some(Secret::new(*b"from-env")),
            user: None,
        };
        assert_eq!(chosen("ftp://u:p@h/", &all), is("u", "p", Origin::Url));
        assert_eq!(
            chosen("ftp://h/", &all),
            is("anna", "from-netrc", Origin::Netrc)
        );
        assert_eq!(
            chosen("ftp://g/", &all),
            is("env", "from-env", Origin::Environment)
        );
        assert_eq!(
            chosen("ftp://bob@h/", &all),
            is("bob", "from-env", Origin::Environment)
        );
        let none = Sources::default();
        assert_eq!(
            chosen("ftp://bob@h/", &none),
            is("bob", "typed", Origin::Prompt)
        );
        assert_eq!(chosen("ftp://h/", &none).2, Origin::Anonymous);
    }

    #[test]
    fn a_password_of_the_environment_alone_goes_to_nobody() {
        let sources = Sources {
            env_password: Some(Secret::new(*b"x")),
            ..Sources::default()
        };
        assert_eq!(chosen("ftp://h/", &sources).2, Origin::Anonymous);
    }

    #[test]
    fn a_user_given_apart_comes_first() {
        let sources = Sources {
            user: Some(b"anna".to_vec()),
            netrc: Some(NETRC),
            ..Sources::default()
        };
        assert_eq!(
            chosen("ftp://bob@h/", &sources),
            is("anna", "from-netrc", Origin::Netrc)
        );
    }

    #[test]
    fn without_a_terminal_a_missing_password_is_an_error() {
        let url = Url::parse("ftp://bob@h/").unwrap();
        assert_eq!(
            choose(&url, &Sources::default(), |_| Answer::Nobody),
            Err(CredentialError::NoPassword)
        );
        assert_eq!(
            choose(&url, &Sources::default(), |_| Answer::Interrupted),
            Err(CredentialError::Interrupted)
        );
    }

    #[test]
    fn a_broken_netrc_is_an_error_not_a_guess() {
        let url = Url::parse("ftp://h/").unwrap();
        let sources = Sources {
            netrc: Some(b"machin h login x"),
            ..Sources::default()
        };
        let error = choose(&url, &sources, |_| Answer::Nobody).unwrap_err();
        assert!(error.to_string().contains("line 1"));
    }
}
