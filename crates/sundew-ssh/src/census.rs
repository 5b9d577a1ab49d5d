//! How many connections there are, in all and from each source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts connections and refuses those over the limits.
#[derive(Debug)]
pub(crate) struct Census {
    counts: Mutex<HashMap<IpAddr, usize>>,
    max_total: usize,
    max_per_source: usize,
}

/// A connection's place; dropping it makes room.
#[derive(Debug)]
pub(crate) struct Place {
    census: Arc<Census>,
    source: IpAddr,
}

impl Census {
    pub(crate) fn new(max_total: usize, max_per_source: usize) -> Arc<Self> {
        Arc::new(Self {
            counts: Mutex::default(),
            max_total,
            max_per_source,
        })
    }

    /// Takes a place for a connection from `address`, if there is one.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let source = source(address);
        let mut counts = self.lock();
        // At most as many entries as connections, so this sum is short compared to a handshake.
        let total: usize = counts.values().sum();
        let here = counts.get(&source).copied().unwrap_or(0);
        if total >= self.max_total || here >= self.max_per_source {
            return None;
        }
        counts.insert(source, here.saturating_add(1));
        drop(counts);
        Some(Place {
            census: Arc::clone(self),
            source,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.census.lock();
        if let Some(here) = counts.get_mut(&self.source) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

/// Who counts as one source: an IPv4 address, or an IPv6 /64, which one customer has to himself.
pub(crate) fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_and_the_whole_have_limits_and_leaving_makes_room() {
        let census = Census::new(3, 2);
        let first = census.enter(address("192.0.2.1")).unwrap();
        let _second = census.enter(address("::ffff:192.0.2.1")).unwrap();
        assert!(census.enter(address("192.0.2.1")).is_none());
        let _third = census.enter(address("192.0.2.2")).unwrap();
        assert!(census.enter(address("192.0.2.3")).is_none());
        drop(first);
        assert!(census.enter(address("192.0.2.1")).is_some());
        assert_eq!(census.lock().len(), 2);
    }

    #[test]
    fn an_ipv6_customer_is_one_source() {
        let census = Census::new(9, 1);
        let _place = census.enter(address("2001:db8::1")).unwrap();
        assert!(census.enter(address("2001:db8::ffff:1")).is_none());
        assert!(census.enter(address("2001:db8:0:1::1")).is_some());
    }
}
