//! What a source's key exchanges may cost.
//!
//! The library works out a key exchange in the task that moves the connection's packets: some
//! milliseconds at once, tens of them with the groups that a client may choose, and as often as it asks
//! for new keys. So that a storm of them takes nothing from others, the time that the transports of a
//! source compute is counted. A source that owes more than [`BURST`] is not read from until it has been
//! paid off at [`SHARE_PERCENT`] of a core; a connection that has logged in and costs nothing since is
//! read from all the same.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How much of a core a source's transports may take for long.
const SHARE_PERCENT: u32 = 20;

/// What a source may owe before it waits: some twenty logins at once with the slowest kind of key, any
/// number with the others, which take too little to be noticed. Unoptimised arithmetic takes thirty times
/// as long.
const BURST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 60_000 } else { 100 });

/// Work shorter than this delays nobody and is not counted; moving a packet takes microseconds.
const NOTICED: Duration = Duration::from_millis(1);

/// Accounts beyond which those that owe nothing, and have no connection, are forgotten.
const KEPT_ACCOUNTS: usize = 1024;

/// The accounts of all sources.
#[derive(Debug, Default)]
pub(crate) struct Tolls(Mutex<HashMap<IpAddr, Arc<Account>>>);

impl Tolls {
    /// The account of a source, as `census::source` names it.
    pub(crate) fn account(&self, source: IpAddr) -> Arc<Account> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= KEPT_ACCOUNTS {
            // What is owed is paid off by time alone, so the rest is as few as have lately computed.
            accounts.retain(|_, account| Arc::strong_count(account) > 1 || !account.owes_nothing());
        }
        Arc::clone(accounts.entry(source).or_default())
    }
}

/// What one source owes.
#[derive(Debug, Default)]
pub(crate) struct Account(Mutex<Debt>);

#[derive(Debug, Default)]
struct Debt {
    owed: Duration,
    /// When `owed` was right.
    at: Option<tokio::time::Instant>,
}

impl Account {
    fn debt(&self) -> MutexGuard<'_, Debt> {
        let mut debt = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = tokio::time::Instant::now();
        if let Some(at) = debt.at.replace(now) {
            let paid = now
                .saturating_duration_since(at)
                .saturating_mul(SHARE_PERCENT)
                / 100;
            debt.owed = debt.owed.saturating_sub(paid);
        }
        debt
    }

    fn owes_nothing(&self) -> bool {
        self.debt().owed.is_zero()
    }

    fn charge(&self, cost: Duration) {
        let mut debt = self.debt();
        debt.owed = debt.owed.saturating_add(cost);
    }

    /// How long until so much is paid that the source may go on.
    fn wait(&self) -> Duration {
        let over = self.debt().owed.saturating_sub(BURST);
        over.saturating_mul(100) / SHARE_PERCENT
    }
}

/// One connection's part of its source's account.
#[derive(Debug)]
pub(crate) struct Toll {
    account: Arc<Account>,
    begun: Instant,
    /// Nanoseconds from `begun` to when the transport was last given bytes, or 0 while it does not work
    /// on any.
    since: AtomicU64,
    /// It has logged in and cost nothing since.
    exempt: AtomicBool,
}

impl Toll {
    pub(crate) fn new(account: Arc<Account>) -> Arc<Self> {
        Arc::new(Self {
            account,
            begun: Instant::now(),
            since: AtomicU64::new(0),
            exempt: AtomicBool::new(false),
        })
    }

    /// The transport has got bytes to work on.
    fn work(&self) {
        let now = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.since.store(now.max(1), Ordering::Relaxed);
    }

    /// The transport is done with what it got, or is about to wait for somebody else.
    pub(crate) fn rest(&self) {
        let since = self.since.swap(0, Ordering::Relaxed);
        if since == 0 {
            return;
        }
        let spent = self
            .begun
            .elapsed()
            .saturating_sub(Duration::from_nanos(since));
        if spent >= NOTICED {
            self.exempt.store(false, Ordering::Relaxed);
            self.account.charge(spent);
        }
    }

    /// What comes now is not a login's work any more.
    pub(crate) fn log_in(&self) {
        self.rest();
        self.exempt.store(true, Ordering::Relaxed);
    }

    fn wait(&self) -> Duration {
        if self.exempt.load(Ordering::Relaxed) {
            Duration::ZERO
        } else {
            self.account.wait()
        }
    }
}

/// A socket that is not read from while its source owes too much.
pub(crate) struct Tolled<S> {
    inner: S,
    toll: Arc<Toll>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Tolled<S> {
    pub(crate) fn new(inner: S, toll: Arc<Toll>) -> Self {
        Self {
            inner,
            toll,
            waiting: None,
        }
    }

    fn poll_paid(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            let wait = self.toll.wait();
            if wait.is_zero() {
                return Poll::Ready(());
            }
            tracing::debug!(?wait, "a source computes too much; its connections wait");
            self.waiting = Some(Box::pin(sleep(wait)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tolled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        this.toll.rest();
        ready!(this.poll_paid(context));
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        this.toll.work();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tolled<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.toll.rest();
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A connection with one byte that waits to be read.
    async fn connection(account: &Arc<Account>) -> (Tolled<tokio::io::DuplexStream>, Arc<Toll>) {
        let (mut client, server) = tokio::io::duplex(8);
        client.write_all(b"x").await.unwrap();
        let toll = Toll::new(Arc::clone(account));
        (Tolled::new(server, Arc::clone(&toll)), toll)
    }

    async fn seconds_to_read(socket: &mut Tolled<tokio::io::DuplexStream>) -> u64 {
        let begun = tokio::time::Instant::now();
        socket.read_u8().await.unwrap();
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn who_owes_too_much_waits_and_others_do_not() {
        let tolls = Tolls::default();
        let busy = tolls.account([192, 0, 2, 1].into());
        busy.charge(BURST + Duration::from_secs(3));
        let (mut own, _) = connection(&busy).await;
        let (mut other, _) = connection(&tolls.account([192, 0, 2, 2].into())).await;
        assert_eq!(seconds_to_read(&mut other).await, 0);
        assert_eq!(seconds_to_read(&mut own).await, 15);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_logged_in_is_read_from_until_it_costs_something_itself() {
        let account = Arc::new(Account::default());
        let (mut quiet, toll) = connection(&account).await;
        toll.log_in();
        let (mut rekeying, again) = connection(&account).await;
        again.log_in();
        again.work();
        std::thread::sleep(NOTICED * 2);
        again.rest();
        account.charge(BURST + Duration::from_secs(1));
        assert_eq!(seconds_to_read(&mut quiet).await, 0);
        assert!(seconds_to_read(&mut rekeying).await >= 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_transport_computes_is_charged_and_what_it_waits_for_is_not() {
        let account = Arc::new(Account::default());
        let (mut socket, toll) = connection(&account).await;
        socket.read_u8().await.unwrap();
        std::thread::sleep(NOTICED * 2);
        toll.rest();
        std::thread::sleep(NOTICED * 20);
        toll.rest();
        let owed = account.debt().owed;
        assert!(owed >= NOTICED * 2, "{owed:?}");
        assert_eq!(toll.since.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_that_are_paid_off_are_forgotten() {
        let tolls = Tolls::default();
        tolls
            .account([10, 0, 0, 0].into())
            .charge(Duration::from_secs(1));
        let kept = tolls.account([10, 0, 0, 1].into());
        for number in 0..u32::try_from(KEPT_ACCOUNTS).unwrap() * 2 {
            tolls.account(IpAddr::from((0x0b00_0000 + number).to_be_bytes()));
        }
        let count = tolls.0.lock().unwrap().len();
        assert!(count <= KEPT_ACCOUNTS + 1, "{count}");
        assert!(!tolls.account([10, 0, 0, 0].into()).owes_nothing());
        assert!(Arc::ptr_eq(&kept, &tolls.account([10, 0, 0, 1].into())));
    }
}
