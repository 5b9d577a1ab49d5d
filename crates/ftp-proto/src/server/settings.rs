//! What the operator decides about sessions.

use std::net::IpAddr;
use std::time::Duration;

use super::Required;
use crate::command::Verb;

/// What the operator decides about sessions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The text of the `220`.
    pub greeting: String,
    /// The text of the `215`.
    pub system: String,
    /// What CSID says we are: name and version.
    pub software: (String, String),
    /// How long a logged-in client may be silent. RFC 1123 §4.1.3.2 asks for five minutes or more.
    pub idle: Duration,
    /// How long a client may take to log in.
    pub login: Duration,
    /// Failed logins after which the connection is closed. RFC 2577 §5 advises three to five.
    pub max_login_failures: u32,
    /// Whether and how TLS is offered; without it AUTH and its kin are answered `502`.
    pub tls: Option<TlsRules>,
    /// Verbs that are known but switched off: answered `502`, not in FEAT and HELP.
    pub off: Verbs,
    /// The names HOST may give, compared without case; if there are none, any name will do.
    pub hosts: Vec<String>,
    /// Which other hosts than the client's PORT and EPRT may name, for transfers between servers.
    /// RFC 2577 §3 is why they may not otherwise.
    pub foreign_data: Foreign,
    /// Names that no path may have in it, as patterns of `*`, `?` and `[…]`; refused as not permitted.
    pub denied_names: Vec<Vec<u8>>,
    /// Whether MODE Z is offered; it costs processor time.
    pub deflate: bool,
    /// What the files that are served can do besides the plain things.
    pub abilities: Abilities,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            greeting: "Service ready for new user.".to_owned(),
            system: "UNIX Type: L8".to_owned(),
            software: (
                "ftp-server".to_owned(),
                env!("CARGO_PKG_VERSION").to_owned(),
            ),
            idle: Duration::from_secs(300),
            login: Duration::from_secs(60),
            max_login_failures: 3,
            tls: None,
            off: Verbs::NONE,
            hosts: Vec::new(),
            foreign_data: Foreign::Nobody,
            denied_names: Vec::new(),
            deflate: true,
            abilities: Abilities::ALL,
        }
    }
}

/// Which hosts, besides the client's own, data connections may be to and from (FXP).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Foreign {
    /// None.
    #[default]
    Nobody,
    /// All.
    Anybody,
    /// Those of these networks: an address, and how many of its leading bits count.
    Networks(Vec<(IpAddr, u8)>),
}

impl Foreign {
    /// Whether this host is among them. No group and nobody ever is: it must be one host.
    #[must_use]
    pub fn has(&self, host: IpAddr) -> bool {
        let is_broadcast = matches!(host, IpAddr::V4(host) if host.is_broadcast());
        if host.is_multicast() || host.is_unspecified() || is_broadcast {
            return false;
        }
        match self {
            Self::Nobody => false,
            Self::Anybody => true,
            Self::Networks(networks) => networks
                .iter()
                .any(|(network, bits)| share(*network, host, *bits)),
        }
    }
}

/// Whether so many leading bits of two addresses of one family are the same.
fn share(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let (difference, width) = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (u128::from(one.to_bits() ^ other.to_bits()), 32_u32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    let rest = width.saturating_sub(bits.into());
    difference.checked_shr(rest).unwrap_or(0) == 0
}

/// What files can do besides the plain things; what they cannot is answered `502` or `504` and not
/// in FEAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are as many independent abilities"
)]
pub struct Abilities {
    /// Times can be set: MFMT, SITE UTIME.
    pub times: bool,
    /// The time of creation can be set: MFCT.
    pub creation: bool,
    /// The mode can be set: SITE CHMOD.
    pub modes: bool,
    /// Symbolic links can be made: SITE SYMLINK.
    pub links: bool,
    /// Free space is known: AVBL.
    pub space: bool,
    /// The mask of new files can be set: SITE UMASK.
    pub umask: bool,
}

impl Abilities {
    /// None.
    pub const NONE: Self = Self {
        times: false,
        creation: false,
        modes: false,
        links: false,
        space: false,
        umask: false,
    };

    /// All.
    pub const ALL: Self = Self {
        times: true,
        creation: true,
        modes: true,
        links: true,
        space: true,
        umask: true,
    };
}

/// How TLS is offered. RFC 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsRules {
    /// What every user must have protected; a user's own [`super::Grant::protection`] is added.
    pub required: Required,
    /// Whether the connection begins with TLS, without AUTH (port 990).
    pub implicit: bool,
    /// Whether CCC may end TLS on the control connection.
    pub clear_control: bool,
    /// Whether SSCN and CPSV are offered: being the TLS client of a data connection to another
    /// server. Needs [`Settings::foreign_data`] to be of use.
    pub client_side: bool,
}

impl Default for TlsRules {
    fn default() -> Self {
        Self {
            required: Required::default(),
            implicit: false,
            clear_control: true,
            client_side: true,
        }
    }
}

/// A set of verbs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verbs(u128);

impl Verbs {
    /// None.
    pub const NONE: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub const fn with(self, verb: Verb) -> Self {
        Self(self.0 | 1 << verb as u32)
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one is among them.
    #[must_use]
    pub const fn has(self, verb: Verb) -> bool {
        self.0 & 1 << verb as u32 != 0
    }
}

impl FromIterator<Verb> for Verbs {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Self {
        verbs.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_hosts_are_told_by_their_networks() {
        let host = |text: &str| text.parse::<IpAddr>().unwrap();
        let networks = Foreign::Networks(vec![
            (host("192.0.2.0"), 24),
            (host("2001:db8::"), 32),
            (host("203.0.113.7"), 32),
        ]);
        for (text, is_among) in [
            ("192.0.2.9", true),
            ("192.0.3.9", false),
            ("203.0.113.7", true),
            ("203.0.113.6", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(networks.has(host(text)), is_among, "{text}");
            assert!(!Foreign::Nobody.has(host(text)));
            assert!(Foreign::Anybody.has(host(text)));
        }
        for nobody in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "ff02::1", "::"] {
            assert!(!Foreign::Anybody.has(host(nobody)), "{nobody}");
        }
        assert!(Foreign::Networks(vec![(host("0.0.0.0"), 0)]).has(host("8.8.8.8")));
    }

    #[test]
    fn every_verb_has_its_own_place_in_the_set() {
        for &verb in Verb::ALL {
            let set = Verbs::NONE.with(verb);
            assert!(
                Verb::ALL
                    .iter()
                    .all(|&other| set.has(other) == (other == verb))
            );
        }
    }
}
