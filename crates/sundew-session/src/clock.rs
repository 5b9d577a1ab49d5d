//! Real time, for machines that run on tokio.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the clock that is handed to everybody else"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use sundew_kernel::clock::Clock;
use sundew_vfs::Timestamp;

/// The host's clock. Sleeping needs a tokio runtime with time enabled.
#[derive(Debug, Clone, Copy)]
pub struct RealTime {
    began: Instant,
}

impl RealTime {
    /// A clock whose monotonic time begins now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

impl Default for RealTime {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealTime {
    fn wall(&self) -> Timestamp {
        // A host that believes it is before 1970 shows 1970.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp {
            secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanos: since.subsec_nanos(),
        }
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }

    fn processor(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The machine's notion of time as the events'.
pub(crate) fn event_time(time: Timestamp) -> sundew_events::Timestamp {
    let secs = u64::try_from(time.secs).unwrap_or(0);
    let micros = secs
        .saturating_mul(1_000_000)
        .saturating_add(u64::from(time.nanos / 1000));
    sundew_events::Timestamp::from_micros(micros)
}
