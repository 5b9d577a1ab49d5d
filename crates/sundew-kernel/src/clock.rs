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
    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}
