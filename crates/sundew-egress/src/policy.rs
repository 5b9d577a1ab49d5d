//! Which addresses an attacker may reach through us.
//!
//! Refused by default is everything that is not globally routable, in IPv4, in IPv6 and in every
//! form in which an IPv4 address hides in an IPv6 one. Sources: the IANA special-purpose address
//! registries (RFC 6890 and its updates), RFC 4291 §2.5.5, RFC 6052, RFC 3056, RFC 4380.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// A range of addresses: `127.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not an address or network such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct ParseNetworkError(String);

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseNetworkError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) => digits.parse().map_err(|_| error())?,
            None => widest,
        };
        if prefix > widest {
            return Err(error());
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Network {
    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    const fn v6(segments: [u16; 8], prefix: u8) -> Self {
        let [a, b, c, d, e, f, g, h] = segments;
        Self {
            address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)),
            prefix,
        }
    }

    /// Whether `address` lies in this range. IPv4 and IPv6 never match each other.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other, width) = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), u128::from(other.to_bits()), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        let host_bits = u32::from(width - self.prefix.min(width));
        own.checked_shr(host_bits).unwrap_or(0) == other.checked_shr(host_bits).unwrap_or(0)
    }
}

/// What is not reachable over the public internet, or not a single host.
const SPECIAL: &[Network] = &[
    Network::v4(0, 0, 0, 0, 8),
    Network::v4(10, 0, 0, 0, 8),
    Network::v4(100, 64, 0, 0, 10),
    Network::v4(127, 0, 0, 0, 8),
    Network::v4(169, 254, 0, 0, 16),
    Network::v4(172, 16, 0, 0, 12),
    Network::v4(192, 0, 0, 0, 24),
    Network::v4(192, 0, 2, 0, 24),
    Network::v4(192, 31, 196, 0, 24),
    Network::v4(192, 52, 193, 0, 24),
    Network::v4(192, 88, 99, 0, 24),
    Network::v4(192, 168, 0, 0, 16),
    Network::v4(192, 175, 48, 0, 24),
    Network::v4(198, 18, 0, 0, 15),
    Network::v4(198, 51, 100, 0, 24),
    Network::v4(203, 0, 113, 0, 24),
    Network::v4(224, 0, 0, 0, 4),
    Network::v4(240, 0, 0, 0, 4),
    // Unspecified, loopback and the old IPv4-compatible range.
    Network::v6([0; 8], 96),
    // Discard-only.
    Network::v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    // Teredo's and other protocol assignments, benchmarking, ORCHID.
    Network::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    Network::v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    Network::v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    // Segment routing.
    Network::v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),
    // NAT64 for local use.
    Network::v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
    // Unique local, link-local, site-local, multicast.
    Network::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    Network::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    Network::v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
    Network::v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
];

/// The IPv4 address inside an IPv6 one: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056),
/// Teredo's client (RFC 4380), translated (RFC 2765).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(join(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(join(!high, !low)),
        _ => None,
    }
}

/// Which addresses may be dialled.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Exceptions of the operator's: these may be dialled although they are special.
    pub allow: Vec<Network>,
    /// These may not be dialled although they are public. Stronger than `allow`.
    pub deny: Vec<Network>,
    /// The sensor's own addresses, never dialled unless `allow` says so.
    pub own: Vec<IpAddr>,
    /// Nothing may be dialled at all.
    pub closed: bool,
}

impl Policy {
    /// Whether `address` may be dialled.
    pub fn permits(&self, address: IpAddr) -> bool {
        let inner = match address {
            IpAddr::V6(v6) => embedded(v6).map(IpAddr::V4),
            IpAddr::V4(_) => None,
        };
        let matches = |networks: &[Network]| {
            networks.iter().any(|network| {
                network.contains(address) || inner.is_some_and(|inner| network.contains(inner))
            })
        };
        if self.closed || matches(&self.deny) {
            return false;
        }
        // An exception is meant for the address as written, or for the host behind a mapped one.
        if matches(&self.allow) {
            return true;
        }
        let own =
            self.own.contains(&address) || inner.is_some_and(|inner| self.own.contains(&inner));
        !own && !matches(SPECIAL)
    }
}

/// The address as the host would dial it: an IPv4-mapped one is the IPv4 address.
pub fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn permits(policy: &Policy, address: &str) -> bool {
        policy.permits(address.parse().unwrap())
    }

    #[test]
    fn special_addresses_are_refused_in_every_dress() {
        let policy = Policy::default();
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001:0:4136:e378:8000:63bf:80ff:fffe",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:0:127.0.0.1",
            "100::1",
            "3fff::1",
        ] {
            assert!(!permits(&policy, address), "{address} must be refused");
        }
    }

    #[test]
    fn public_addresses_are_permitted() {
        let policy = Policy::default();
        for address in [
            "1.1.1.1",
            "9.9.9.9",
            "172.15.0.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2a00:1450::5",
        ] {
            assert!(permits(&policy, address), "{address} must be permitted");
        }
    }

    #[test]
    fn the_operator_may_allow_and_deny() {
        let policy = Policy {
            allow: vec!["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
            deny: vec!["10.9.0.0/16".parse().unwrap(), "1.1.1.1".parse().unwrap()],
            ..Policy::default()
        };
        assert!(permits(&policy, "127.0.0.1"));
        assert!(permits(&policy, "::ffff:127.0.0.1"));
        assert!(!permits(&policy, "127.0.0.2"));
        assert!(permits(&policy, "10.1.1.1"));
        assert!(!permits(&policy, "10.9.1.1"));
        assert!(!permits(&policy, "1.1.1.1"));
        let closed = Policy {
            closed: true,
            ..policy
        };
        assert!(!permits(&closed, "10.1.1.1"));
    }

    #[test]
    fn own_addresses_are_refused() {
        let policy = Policy {
            own: vec!["5.6.7.8".parse().unwrap()],
            ..Policy::default()
        };
        assert!(!permits(&policy, "5.6.7.8"));
        assert!(!permits(&policy, "::ffff:5.6.7.8"));
        assert!(permits(&policy, "5.6.7.9"));
    }

    #[test]
    fn a_network_needs_a_sound_prefix() {
        for text in [
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "x",
            "10.0.0.0/",
            "/8",
            "",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn mapping_an_address_never_makes_it_permitted(bits: u32) {
            let policy = Policy::default();
            let v4 = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(policy.permits(IpAddr::V4(v4)), policy.permits(IpAddr::V6(v4.to_ipv6_mapped())));
        }

        #[test]
        fn any_text_is_a_network_or_an_error(text: String) {
            if let Ok(network) = text.parse::<Network>() {
                prop_assert!(network.to_string().parse::<Network>().is_ok());
            }
        }
    }
}
