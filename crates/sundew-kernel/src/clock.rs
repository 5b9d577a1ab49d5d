//! Time, handed in: the machine never reads the host's clock.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sundew_vfs::Timestamp;

/// The machine's source of time.
pub trait Clock: Send + Sync + 'static {
    /// The time of day, as seconds and nanoseconds since 1970 in UTC.
    fn wall(&self) -> Timestamp;
    /// Time since some fixed moment before the machine started; never goes back.
    fn monotonic(&self) -> Duration;
    /// Processor time of the thread that asks, which passes only while it runs: what a machine is charged, so
    /// that a host with much to do does not make its visitors poorer.
    fn processor(&self) -> Duration {
        self.monotonic()
    }
    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}
