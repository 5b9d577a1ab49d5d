//! What one user may use up: sessions, speed, space, and the ratio of what they give to what they
//! take.
//!
//! An [`Account`] is shared by all sessions of its user. [`Members`] hands them out, and keeps the
//! counts when the rules are read anew.

mod rate;

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ftp_proto::server::FileError;

use self::rate::Rate;
use crate::event::Direction;

/// What a user may use up. The default is no limit at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Sessions at a time.
    pub sessions: Option<u32>,
    /// Sessions at a time from one address.
    pub sessions_per_address: Option<u32>,
    /// Bytes a second to the client, all sessions together.
    pub download_rate: Option<NonZeroU64>,
    /// Bytes a second from the client, all sessions together.
    pub upload_rate: Option<NonZeroU64>,
    /// Bytes that the user's files may hold.
    pub quota_bytes: Option<u64>,
    /// Files the user may have.
    pub quota_files: Option<u64>,
    /// How much may be taken for what was given.
    pub ratio: Option<Ratio>,
}

/// Bytes that may be taken for bytes that were given. What is counted lives in [`Members`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// For so many bytes sent by the client …
    pub upload: NonZeroU64,
    /// … it may take so many.
    pub download: u64,
    /// Bytes it may take before it has given anything.
    pub credit: u64,
}

/// The accounts of all users, by name.
#[derive(Debug, Default)]
pub struct Members {
    accounts: Mutex<HashMap<Vec<u8>, Arc<Account>>>,
}

impl Members {
    /// The account of a user; with other rules than before, what was counted stays.
    pub fn account(&self, name: &[u8], allowance: &Allowance) -> Arc<Account> {
        let mut accounts = lock(&self.accounts);
        if accounts.len() >= MAX_IDLE_ACCOUNTS {
            accounts.retain(|_, account| Arc::strong_count(account) > 1 || account.owes());
        }
        let tally = match accounts.get(name) {
            Some(account) if account.allowance == *allowance => return Arc::clone(account),
            Some(account) => Arc::clone(&account.tally),
            None => Arc::default(),
        };
        let account = Arc::new(Account::with_tally(allowance.clone(), tally));
        accounts.insert(name.to_vec(), Arc::clone(&account));
        account
    }

    /// What was counted for each user for whom anything was, to be kept over a restart.
    #[must_use]
    pub fn counts(&self) -> Vec<(Vec<u8>, Counts)> {
        let accounts = lock(&self.accounts);
        let counts = accounts
            .iter()
            .map(|(name, account)| (name.clone(), account.counts()));
        counts
            .filter(|(_, counts)| *counts != Counts::default())
            .collect()
    }

    /// Goes on from what was counted before.
    pub fn restore(&self, name: &[u8], counts: Counts) {
        let tally = Tally {
            given: counts.given,
            taken: counts.taken,
            space: counts.space,
            ..Tally::default()
        };
        let account = Account::with_tally(Allowance::default(), Arc::new(Mutex::new(tally)));
        lock(&self.accounts).insert(name.to_vec(), Arc::new(account));
    }

    /// Forgets what users' files hold, so that they are counted again when it matters next: of one user,
    /// or of all. Gives the number of users.
    pub fn recount(&self, name: Option<&[u8]>) -> usize {
        let accounts = lock(&self.accounts);
        let known = accounts
            .iter()
            .filter(|(other, _)| name.is_none_or(|name| name == other.as_slice()));
        let forgotten = known.filter(|(_, account)| lock(&account.tally).space.take().is_some());
        forgotten.count()
    }
}

/// What is counted for a user from one session to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes the client has given, for the ratio.
    pub given: u64,
    /// Bytes the client has taken, for the ratio.
    pub taken: u64,
    /// What the user's files hold, for the quota; `None` until they were counted.
    pub space: Option<Space>,
}

/// One user's limits and what of them is used.
#[derive(Debug)]
pub struct Account {
    allowance: Allowance,
    download: Option<Rate>,
    upload: Option<Rate>,
    tally: Arc<Mutex<Tally>>,
}

#[derive(Debug, Default)]
struct Tally {
    sessions: HashMap<IpAddr, u32>,
    /// What the user's files hold; `None` until they were counted.
    space: Option<Space>,
    /// Bytes the client has taken and given.
    taken: u64,
    given: u64,
}

/// What files take up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes in them.
    pub bytes: u64,
    /// How many they are.
    pub files: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self::new(Allowance::default())
    }
}

impl Account {
    /// An account nobody has used.
    #[must_use]
    pub fn new(allowance: Allowance) -> Self {
        Self::with_tally(allowance, Arc::default())
    }

    fn with_tally(allowance: Allowance, tally: Arc<Mutex<Tally>>) -> Self {
        Self {
            download: allowance.download_rate.map(Rate::new),
            upload: allowance.upload_rate.map(Rate::new),
            allowance,
            tally,
        }
    }

    /// The limits.
    #[must_use]
    pub const fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let tally = lock(&self.tally);
        Counts {
            given: tally.given,
            taken: tally.taken,
            space: tally.space,
        }
    }

    /// Whether forgetting it would forget what was given and taken.
    fn owes(&self) -> bool {
        let tally = lock(&self.tally);
        (tally.given, tally.taken) != (0, 0)
    }

    /// Begins a session; `None` if there are as many as there may be.
    #[must_use]
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let mut tally = lock(&self.tally);
        let from_there = tally.sessions.get(&address).copied().unwrap_or(0);
        let (limit, limit_there) = (self.allowance.sessions, self.allowance.sessions_per_address);
        // All addresses are gone through only for a user who is limited, and so has few.
        let in_all = || tally.sessions.values().sum::<u32>();
        if limit.is_some_and(|limit| in_all() >= limit)
            || limit_there.is_some_and(|limit| from_there >= limit)
        {
            return None;
        }
        tally.sessions.insert(address, from_there + 1);
        Some(Seat {
            tally: Arc::clone(&self.tally),
            address,
        })
    }

    /// Whether there is a quota whose use was not counted yet.
    #[must_use]
    pub fn wants_count(&self) -> bool {
        self.has_quota() && lock(&self.tally).space.is_none()
    }

    /// Whether there is a quota.
    #[must_use]
    pub const fn has_quota(&self) -> bool {
        self.allowance.quota_bytes.is_some() || self.allowance.quota_files.is_some()
    }

    /// Notes what the user's files hold.
    pub fn counted(&self, space: Space) {
        lock(&self.tally).space = Some(space);
    }

    /// What the user's files hold, if that is counted.
    #[must_use]
    pub fn space(&self) -> Option<Space> {
        lock(&self.tally).space
    }

    /// Whether one more file would be too many.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let space = self.space().unwrap_or_default();
        self.allowance
            .quota_files
            .is_some_and(|limit| space.files >= limit)
    }

    /// Notes that a file was this large before something was done to it, and is that large now; `None`
    /// for a file that does not exist.
    pub fn changed(&self, before: Option<u64>, after: Option<u64>) {
        if let Some(space) = &mut lock(&self.tally).space {
            space.bytes = space.bytes.saturating_sub(before.unwrap_or(0));
            space.bytes = space.bytes.saturating_add(after.unwrap_or(0));
            space.files = space.files.saturating_sub(before.is_some().into());
            space.files = space.files.saturating_add(after.is_some().into());
        }
    }

    /// Whether so many more bytes fit into the quota.
    #[must_use]
    pub fn fits(&self, bytes: u64) -> bool {
        let space = self.space().unwrap_or_default();
        self.allowance
            .quota_bytes
            .is_none_or(|limit| space.bytes.saturating_add(bytes) <= limit)
    }

    /// Whether the client has given enough to take so many bytes.
    #[must_use]
    pub fn may_take(&self, bytes: u64) -> bool {
        let tally = lock(&self.tally);
        self.allowance.ratio.is_none_or(|ratio| {
            let earned = u128::from(tally.given) * u128::from(ratio.download)
                / u128::from(ratio.upload.get());
            let earned = earned.saturating_add(ratio.credit.into());
            u128::from(tally.taken) + u128::from(bytes) <= earned
        })
    }

    fn rate(&self, direction: Direction) -> Option<&Rate> {
        match direction {
            Direction::Sent | Direction::Listed => self.download.as_ref(),
            Direction::Received => self.upload.as_ref(),
        }
    }
}

/// A session that counts as long as this lives.
#[derive(Debug)]
pub struct Seat {
    tally: Arc<Mutex<Tally>>,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut tally = lock(&self.tally);
        if let Some(count) = tally.sessions.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                tally.sessions.remove(&self.address);
            }
        }
    }
}

/// Counts the bytes of one transfer and holds it to the rates and the quota of its account.
#[derive(Debug)]
pub struct Meter {
    account: Arc<Account>,
    direction: Direction,
    moved: AtomicU64,
    /// Bytes that came out of those that have moved, and more than they.
    inflated: AtomicU64,
}

impl Meter {
    /// A meter at zero.
    #[must_use]
    pub const fn new(account: Arc<Account>, direction: Direction) -> Self {
        Self {
            account,
            direction,
            moved: AtomicU64::new(0),
            inflated: AtomicU64::new(0),
        }
    }

    /// Bytes moved so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Most bytes to move between two calls of [`Meter::moved`], for the rate to be even.
    #[must_use]
    pub fn step(&self) -> usize {
        self.account
            .rate(self.direction)
            .map_or(usize::MAX, Rate::step)
    }

    /// Notes bytes that have moved, and waits as long as the rate asks.
    ///
    /// # Errors
    ///
    /// [`FileError::OverQuota`] when they are more than the quota holds.
    pub async fn moved(&self, bytes: usize) -> Result<(), FileError> {
        self.note(bytes)?;
        if let Some(rate) = self.account.rate(self.direction) {
            // The clock of the runtime, which a test can stop.
            let now = tokio::time::Instant::now().into_std();
            let wait = rate.take(bytes as u64, now);
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        }
        Ok(())
    }

    /// Notes bytes that have moved, without a thought to the rate.
    pub(crate) fn note(&self, bytes: usize) -> Result<(), FileError> {
        let bytes = bytes as u64;
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.charge(bytes)
    }

    /// Notes bytes that came out of others and did not move themselves: they take up room all the same.
    pub(crate) fn inflated(&self, bytes: u64) -> Result<(), FileError> {
        self.inflated.fetch_add(bytes, Ordering::Relaxed);
        self.charge(bytes)
    }

    /// Whether bytes may move as fast as they can.
    pub(crate) fn has_no_rate(&self) -> bool {
        self.account.rate(self.direction).is_none()
    }

    fn charge(&self, bytes: u64) -> Result<(), FileError> {
        let allowance = &self.account.allowance;
        match self.direction {
            Direction::Listed => {}
            Direction::Sent if allowance.ratio.is_none() => {}
            Direction::Sent => lock(&self.account.tally).taken += bytes,
            Direction::Received if allowance.ratio.is_none() && !self.account.has_quota() => {}
            Direction::Received => {
                let mut tally = lock(&self.account.tally);
                tally.given += bytes;
                if let (Some(space), Some(limit)) = (&mut tally.space, allowance.quota_bytes) {
                    space.bytes = space.bytes.saturating_add(bytes);
                    if space.bytes > limit {
                        return Err(FileError::OverQuota);
                    }
                }
            }
        }
        Ok(())
    }

    /// The transfer is over: the bytes that were counted are replaced by what the file holds now.
    /// `before` is what it held, unless that was given back when the transfer began.
    pub fn settle(&self, before: Option<u64>, after: Option<u64>) {
        if self.direction == Direction::Received
            && self.account.allowance.quota_bytes.is_some()
            && let Some(space) = &mut lock(&self.account.tally).space
        {
            let inflated = self.inflated.load(Ordering::Relaxed);
            let counted = self.bytes().saturating_add(inflated);
            space.bytes = space.bytes.saturating_sub(counted);
        }
        self.account.changed(before, after);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Only counts are behind these locks; one that is half changed is still a count.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accounts kept although nobody of theirs is logged in; about 300 bytes each. Past it those without a
/// ratio are forgotten, and the next login counts their files again.
const MAX_IDLE_ACCOUNTS: usize = 16_384;

#[cfg(test)]
mod tests;
