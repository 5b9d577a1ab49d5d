//! Names that stand for themselves until the proxy is asked.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use super::Destination;

/// Names remembered. A client deals with a handful of hosts; past the limit a new one is not found.
const MAX_NAMES: usize = 4096;

/// First of the addresses given out; the range is reserved and routed nowhere. RFC 1112 §4.
const BASE: u32 = 0xF000_0000;

/// Longest name, in bytes. RFC 1035 §2.3.4, and all a SOCKS request can carry.
const MAX_NAME_BYTES: usize = 255;

#[derive(Debug, Default)]
pub(super) struct Names(Mutex<Vec<Vec<u8>>>);

impl Names {
    /// The address that stands for this name; `None` for what is no name.
    pub(super) fn address(&self, name: &[u8]) -> Option<IpAddr> {
        let is_name = (1..=MAX_NAME_BYTES).contains(&name.len())
            && name
                .iter()
                .all(|byte| byte.is_ascii_graphic() && *byte != b':');
        if !is_name {
            return None;
        }
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match names.iter().position(|known| known == name) {
            Some(index) => index,
            None if names.len() == MAX_NAMES => return None,
            None => {
                names.push(name.to_vec());
                names.len() - 1
            }
        };
        let offset = u32::try_from(index).ok()?;
        Some(IpAddr::V4(Ipv4Addr::from(BASE + offset)))
    }

    /// What to tell the proxy.
    pub(super) fn destination(&self, address: IpAddr) -> Destination {
        if let IpAddr::V4(v4) = address
            && let Some(index) = u32::from(v4).checked_sub(BASE)
        {
            let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let found = usize::try_from(index)
                .ok()
                .and_then(|index| names.get(index));
            if let Some(name) = found {
                return Destination::Name(name.clone());
            }
        }
        Destination::Address(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_address_and_an_address_stays_itself() {
        let names = Names::default();
        let first = names.address(b"ftp.example").unwrap();
        assert_eq!(
            names.address(b"other.example").unwrap().to_string(),
            "240.0.0.1"
        );
        assert_eq!(names.address(b"ftp.example"), Some(first));
        let name = |address| match names.destination(address) {
            Destination::Name(name) => String::from_utf8(name).unwrap(),
            Destination::Address(address) => address.to_string(),
        };
        assert_eq!(name(first), "ftp.example");
        assert_eq!(name("192.0.2.1".parse().unwrap()), "192.0.2.1");
        assert_eq!(name("240.0.1.0".parse().unwrap()), "240.0.1.0");
        for bad in [&b""[..], b"a b", b"a\r\nb", b"::1"] {
            assert_eq!(names.address(bad), None);
        }
    }
}
