//! Who machines belong to: source addresses, and what the machines of each use together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sundew_kernel::budget::{Account, Holder, SourceCpu, Together, Totals};

use crate::lock;

/// An IPv4 address or an IPv6 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    V4([u8; 4]),
    /// The first half: a host has a /64 to itself.
    V6([u8; 8]),
}

impl Source {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                Self::V6(address.octets().first_chunk().copied().unwrap_or_default())
            }
        }
    }
}

/// What sources may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// The machines of one source together.
    pub source: Together,
    /// Their CPU time.
    pub source_cpu: SourceCpu,
    /// All machines together.
    pub sensor: Together,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            source: Together::default(),
            source_cpu: SourceCpu::default(),
            sensor: Together::all(),
        }
    }
}

/// The accounts of those who have machines, and of those whose last ones are not paid for.
#[derive(Debug)]
pub(crate) struct Accounts {
    budgets: Budgets,
    all: Totals,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    accounts: HashMap<Source, Arc<Account>>,
    /// From how many accounts on it is time to forget some.
    sweep_at: usize,
}

impl Accounts {
    pub(crate) fn new(budgets: Budgets) -> Self {
        Self {
            budgets,
            all: Totals::new(Holder::Sensor, budgets.sensor, None),
            known: Mutex::default(),
        }
    }

    /// The account of a source; `now` is monotonic.
    pub(crate) fn of(&self, address: IpAddr, now: Duration) -> Arc<Account> {
        let mut known = lock(&self.known);
        if known.accounts.len() >= known.sweep_at {
            known.sweep(now);
        }
        let account = known
            .accounts
            .entry(Source::of(address))
            .or_insert_with(|| {
                let totals = Totals::new(Holder::Source, self.budgets.source, Some(&self.all));
                Arc::new(Account::new(totals, self.budgets.source_cpu))
            });
        Arc::clone(account)
    }
}

impl Known {
    /// Forgets who has no machine and has paid, and if need be who has not.
    fn sweep(&mut self, now: Duration) {
        let idle = |account: &Arc<Account>| Arc::strong_count(account) == 1;
        self.accounts
            .retain(|_, account| !idle(account) || !account.is_settled(now));
        if self.accounts.len() >= MAX_IDLE_ACCOUNTS {
            self.accounts.retain(|_, account| !idle(account));
        }
        self.sweep_at = self.accounts.len().saturating_mul(2).max(SWEEP_AT_LEAST);
    }
}

/// Accounts from which on those are forgotten that are in debt but have no machine: some MiB of memory.
const MAX_IDLE_ACCOUNTS: usize = 1 << 15;
/// Accounts below which none is looked for to forget.
const SWEEP_AT_LEAST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_source_keeps_its_account_and_shares_it_with_nobody() {
        let accounts = Accounts::new(Budgets::default());
        let first = accounts.of(address(1), Duration::ZERO);
        let second = accounts.of(address(2), Duration::ZERO);
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(
            &first,
            &accounts.of(address(1), Duration::ZERO)
        ));
    }

    #[test]
    fn accounts_of_those_who_left_are_forgotten() {
        let accounts = Accounts::new(Budgets::default());
        let here = accounts.of(address(0), Duration::ZERO);
        for number in 1..100_000 {
            accounts.of(address(number), Duration::ZERO);
        }
        assert!(lock(&accounts.known).accounts.len() <= 2 * SWEEP_AT_LEAST);
        assert!(Arc::ptr_eq(&here, &accounts.of(address(0), Duration::ZERO)));
    }
}
