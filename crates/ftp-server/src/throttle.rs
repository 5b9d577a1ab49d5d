//! Guessing passwords made slow: answers are held back, and an address that goes on is banned.
//!
//! RFC 2577 §5. Nothing here depends on whether a name exists, so neither an answer nor its time tells
//! a client which names do. A name is slowed down, never locked: a lock would let a stranger keep its
//! owner out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::live::Live;

/// How guessing is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottleOptions {
    /// How long the answer to a wrong login is held back, counted from when it was asked.
    pub delay: Duration,
    /// From the fourth failure of an address or the eleventh of a name within the window on, each
    /// doubles the delay, up to this.
    pub max_delay: Duration,
    /// Failures of one address within the window after which it is banned; 0 bans nobody.
    pub failures: u32,
    /// How long a failure counts.
    pub window: Duration,
    /// How long a ban lasts.
    pub ban: Duration,
}

impl Default for ThrottleOptions {
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(16),
            failures: 20,
            window: Duration::from_secs(600),
            ban: Duration::from_secs(3600),
        }
    }
}

/// Who has failed, and who is banned.
#[derive(Debug)]
pub struct Throttle {
    options: Live<ThrottleOptions>,
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    addresses: HashMap<IpAddr, Record>,
    names: HashMap<Vec<u8>, Record>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    failures: u32,
    last: Instant,
    banned_until: Option<Instant>,
}

/// An address that is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ban {
    /// The address; of IPv6 the first one of its /64.
    pub address: IpAddr,
    /// How much longer.
    pub left: Duration,
}

impl Throttle {
    /// Nobody has failed yet.
    #[must_use]
    pub fn new(options: ThrottleOptions) -> Self {
        Self {
            options: Live::new(options),
            tables: Mutex::default(),
        }
    }

    /// How guessing is answered.
    #[must_use]
    pub fn options(&self) -> ThrottleOptions {
        ThrottleOptions::clone(&self.options.load())
    }

    /// From now on it is answered so. What was counted stays, and bans end when they were to end.
    pub fn set_options(&self, options: ThrottleOptions) {
        self.options.store(options);
    }

    /// Whether an address is banned.
    #[must_use]
    pub fn is_banned(&self, address: IpAddr, now: Instant) -> bool {
        let tables = self.tables();
        let record = tables.addresses.get(&subscriber(address));
        record.is_some_and(|record| record.is_banned(now))
    }

    /// Notes a wrong login; gives how long its answer is to be held back, counted from when it was
    /// asked.
    pub fn failed(&self, address: IpAddr, name: &[u8], now: Instant) -> Duration {
        let options = &*self.options.load();
        let mut tables = self.tables();
        let by_name = note(&mut tables.names, name.to_vec(), options, now).failures;
        let record = note(&mut tables.addresses, subscriber(address), options, now);
        if options.failures > 0 && record.failures >= options.failures && !record.is_banned(now) {
            record.banned_until = now.checked_add(options.ban);
            tracing::warn!(%address, failures = record.failures, "banned");
        }
        let by_address = record.failures.saturating_sub(PATIENCE);
        let by_name = by_name.saturating_sub(PATIENCE_WITH_NAMES);
        let doublings = by_address.max(by_name).min(16);
        let delay = options.delay.saturating_mul(1 << doublings);
        delay.min(options.max_delay.max(options.delay))
    }

    /// Notes a right login: the address has shown that it is no guesser.
    pub fn succeeded(&self, address: IpAddr) {
        let mut tables = self.tables();
        let key = subscriber(address);
        if let Some(record) = tables.addresses.get(&key)
            && record.banned_until.is_none()
        {
            tables.addresses.remove(&key);
        }
    }

    /// The bans that are on, by address.
    #[must_use]
    pub fn bans(&self, now: Instant) -> Vec<Ban> {
        let tables = self.tables();
        let mut bans: Vec<_> = tables
            .addresses
            .iter()
            .filter_map(|(&address, record)| {
                let left = record.banned_until?.checked_duration_since(now)?;
                Some(Ban { address, left })
            })
            .collect();
        bans.sort_unstable();
        bans
    }

    /// Bans an address, or the /64 of an IPv6 one, for so long, whatever it has done.
    pub fn ban(&self, address: IpAddr, time: Duration, now: Instant) {
        let options = &*self.options.load();
        let mut tables = self.tables();
        let record = note(&mut tables.addresses, subscriber(address), options, now);
        record.banned_until = now.checked_add(time);
        tracing::warn!(%address, "banned by the operator");
    }

    /// Lifts a ban; says whether there was one.
    pub fn lift(&self, address: IpAddr) -> bool {
        let removed = self.tables().addresses.remove(&subscriber(address));
        removed.is_some_and(|record| record.banned_until.is_some())
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Whoever panicked while holding it has changed one record at most.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn is_banned(&self, now: Instant) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }

    fn is_over(&self, options: &ThrottleOptions, now: Instant) -> bool {
        !self.is_banned(now) && now.saturating_duration_since(self.last) >= options.window
    }
}

fn note<'a, K: Eq + Hash + Clone>(
    table: &'a mut HashMap<K, Record>,
    key: K,
    options: &ThrottleOptions,
    now: Instant,
) -> &'a mut Record {
    if table.len() >= MAX_RECORDS && !table.contains_key(&key) {
        make_room(table, options, now);
    }
    let fresh = Record {
        failures: 0,
        last: now,
        banned_until: None,
    };
    let record = table.entry(key).or_insert(fresh);
    if record.is_over(options, now) || record.banned_until.is_some_and(|until| until <= now) {
        *record = fresh;
    }
    record.failures = record.failures.saturating_add(1);
    record.last = now;
    record
}

/// Forgets what no longer counts; if that is nothing, the half that was quiet longest.
fn make_room<K: Eq + Hash + Clone>(
    table: &mut HashMap<K, Record>,
    options: &ThrottleOptions,
    now: Instant,
) {
    table.retain(|_, record| !record.is_over(options, now));
    if table.len() < MAX_RECORDS {
        return;
    }
    let mut times: Vec<_> = table.values().map(|record| record.last).collect();
    let middle = times.len() / 2;
    let (_, &mut median, _) = times.select_nth_unstable(middle);
    table.retain(|_, record| record.last > median);
}

/// Failures of one address that are no guessing yet: people mistype, and most clients give up a
/// connection after three.
const PATIENCE: u32 = 3;

/// The same for a name. More of them, since they may come from many addresses, and the name's owner
/// waits as well.
const PATIENCE_WITH_NAMES: u32 = 10;

/// What one subscriber holds: an IPv4 address, or an IPv6 /64, in which anybody has addresses enough
/// to be a new one for every guess.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(network).into()
        }
    }
}

/// Addresses, and names, that are remembered; about 100 bytes each. A guesser with more of them than
/// this pushes out its own oldest ones first.
const MAX_RECORDS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn throttle() -> Throttle {
        Throttle::new(ThrottleOptions {
            delay: 2 * SECOND,
            max_delay: 5 * SECOND,
            failures: 6,
            window: 100 * SECOND,
            ban: 1000 * SECOND,
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_failure_waits_longer_until_the_address_is_banned_and_the_ban_expires() {
        let (throttle, now) = (throttle(), Instant::now());
        let guesser = address("192.0.2.1");
        for (name, delay) in [(b"a", 2), (b"b", 2), (b"c", 2), (b"d", 4), (b"e", 5)] {
            assert_eq!(throttle.failed(guesser, name, now), delay * SECOND);
        }
        assert!(!throttle.is_banned(guesser, now));
        assert_eq!(throttle.failed(guesser, b"f", now), 5 * SECOND);
        assert!(throttle.is_banned(guesser, now));
        assert!(!throttle.is_banned(address("192.0.2.2"), now));
        let ban = Ban {
            address: guesser,
            left: 1000 * SECOND,
        };
        assert_eq!(throttle.bans(now), [ban]);
        let later = now + 1000 * SECOND;
        assert!(!throttle.is_banned(guesser, later));
        assert_eq!(throttle.failed(guesser, b"d", later), 2 * SECOND);
    }

    #[test]
    fn a_name_under_attack_is_slowed_down_for_everybody_and_locked_for_nobody() {
        let (throttle, now) = (throttle(), Instant::now());
        for last in 1..=11 {
            throttle.failed(IpAddr::from([192, 0, 2, last]), b"root", now);
        }
        let own = address("198.51.100.1");
        assert_eq!(throttle.failed(own, b"root", now), 5 * SECOND);
        assert!(!throttle.is_banned(own, now));
    }

    #[test]
    fn old_failures_are_forgotten_and_a_right_login_wipes_them() {
        let (throttle, now) = (throttle(), Instant::now());
        let own = address("192.0.2.1");
        throttle.failed(own, b"a", now);
        assert_eq!(throttle.failed(own, b"a", now + 100 * SECOND), 2 * SECOND);
        throttle.succeeded(own);
        assert_eq!(throttle.failed(own, b"z", now + 101 * SECOND), 2 * SECOND);
    }

    #[test]
    fn a_64_of_ipv6_is_one_address_and_a_mapped_one_is_ipv4() {
        let (throttle, now) = (throttle(), Instant::now());
        let hosts = ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3"];
        for host in hosts.into_iter().cycle().take(6) {
            throttle.failed(address(host), b"a", now);
        }
        assert!(throttle.is_banned(address("2001:db8::9"), now));
        assert!(!throttle.is_banned(address("2001:db8:0:1::9"), now));
        for _ in 0..6 {
            throttle.failed(address("::ffff:192.0.2.1"), b"a", now);
        }
        assert!(throttle.is_banned(address("192.0.2.1"), now));
        assert!(throttle.lift(address("192.0.2.1")));
        assert!(!throttle.lift(address("192.0.2.1")));
    }

    #[test]
    fn a_stranger_with_many_addresses_does_not_fill_the_memory() {
        let (throttle, now) = (throttle(), Instant::now());
        let count = u32::try_from(MAX_RECORDS).unwrap() + 10;
        for number in 0..count {
            let when = now + Duration::from_micros(number.into());
            throttle.failed(IpAddr::from(number.to_be_bytes()), b"a", when);
        }
        assert!(throttle.tables().addresses.len() <= MAX_RECORDS);
    }
}
