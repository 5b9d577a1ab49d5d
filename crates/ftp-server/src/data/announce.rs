//! The address a 227 shows: our own, or the one by which clients reach us through address translation.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ipnet::IpNet;

/// How long the address of a name is used before it is looked up again. A line with a changing address
/// changes it about once a day.
const NAME_LIFETIME: Duration = Duration::from_secs(60);

/// How long a look-up may take; then the last address is used, or our own.
const LOOKUP: Duration = Duration::from_secs(5);

/// What is announced to whom. The default is our own address to everybody.
#[derive(Clone, Debug, Default)]
pub struct Announce {
    rules: Vec<(IpNet, Advertised)>,
    otherwise: Advertised,
    names: Arc<Mutex<HashMap<String, (Ipv4Addr, Instant)>>>,
}

/// One address to announce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Advertised {
    /// The one the client has dialled.
    #[default]
    Own,
    /// This one.
    Address(Ipv4Addr),
    /// That of a host name, looked up anew every minute.
    Name(String),
}

impl Announce {
    /// The same to everybody.
    #[must_use]
    pub fn always(advertised: Advertised) -> Self {
        Self {
            otherwise: advertised,
            ..Self::default()
        }
    }

    /// Something else to clients of this network; the first network that fits counts.
    #[must_use]
    pub fn to(mut self, network: IpNet, advertised: Advertised) -> Self {
        self.rules.push((network, advertised));
        self
    }

    /// What a client is shown for a port of ours. EPSV shows no address, so an IPv6 one stays.
    pub(crate) async fn shown(&self, client: IpAddr, ours: SocketAddr) -> SocketAddr {
        if !ours.is_ipv4() {
            return ours;
        }
        let mut rules = self.rules.iter();
        let rule = rules.find(|(network, _)| network.contains(&client));
        let address = match rule.map_or(&self.otherwise, |(_, advertised)| advertised) {
            Advertised::Own => None,
            Advertised::Address(address) => Some(*address),
            Advertised::Name(name) => self.look_up(name).await,
        };
        address.map_or(ours, |address| (address, ours.port()).into())
    }

    async fn look_up(&self, name: &str) -> Option<Ipv4Addr> {
        let known = {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.get(name).copied()
        };
        if let Some((address, since)) = known
            && since.elapsed() < NAME_LIFETIME
        {
            return Some(address);
        }
        let found = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((name, 0))).await;
        let found = match found {
            Ok(Ok(mut addresses)) => addresses.find_map(|address| match address.ip() {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            }),
            Ok(Err(_)) | Err(_) => None,
        };
        let Some(address) = found else {
            tracing::warn!(name, "no address for the name that is to be announced");
            return known.map(|(address, _)| address);
        };
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned(), (address, Instant::now()));
        Some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_network_is_shown_its_own_address() {
        let outside = Advertised::Address(Ipv4Addr::new(192, 0, 2, 1));
        let announce = Announce::always(outside)
            .to("10.0.0.0/8".parse().unwrap(), Advertised::Own)
            .to(
                "127.0.0.0/8".parse().unwrap(),
                Advertised::Name("localhost".to_owned()),
            );
        let ours: SocketAddr = "10.1.1.1:4000".parse().unwrap();
        for (client, shown) in [
            ("8.8.8.8", "192.0.2.1:4000"),
            ("10.2.3.4", "10.1.1.1:4000"),
            ("127.0.0.1", "127.0.0.1:4000"),
        ] {
            let client = client.parse().unwrap();
            assert_eq!(announce.shown(client, ours).await.to_string(), shown);
        }
        let ours: SocketAddr = "[2001:db8::1]:4000".parse().unwrap();
        assert_eq!(announce.shown("8.8.8.8".parse().unwrap(), ours).await, ours);
    }
}
