//! Where the machines' uninterruptible work is done: on a blocking thread, a piece at a time.

use std::sync::Arc;

use sundew_kernel::aside::{Aside, Length};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Pieces of a length at once. A short one may keep a core busy for a tenth of a second, and the runtime needs
/// the others; whoever waits is served in order, and no machine has more than one piece waiting.
const PIECES_AT_ONCE: usize = 1;

/// A place for work on this runtime's blocking threads.
pub(crate) fn aside(runtime: Handle) -> Aside {
    let short = Arc::new(Semaphore::new(PIECES_AT_ONCE));
    let long = Arc::new(Semaphore::new(PIECES_AT_ONCE));
    Aside::new(move |work, length| {
        let permits = Arc::clone(match length {
            Length::Short => &short,
            Length::Long => &long,
        });
        let threads = runtime.clone();
        // It ends with the runtime, or with its piece.
        drop(runtime.spawn(async move {
            if let Ok(_permit) = permits.acquire_owned().await {
                // A piece that panics has told nobody, which is what its machine then hears.
                threads.spawn_blocking(work).await.unwrap_or_default();
            }
        }));
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_takes_seconds_keeps_nothing_short_waiting_and_a_panic_nobody() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let aside = aside(runtime.handle().clone());
        let (release, held) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let long = tell.clone();
        let work = move || {
            // Held until the short ones are done, or the test is given up.
            let _released = held.recv_timeout(PATIENCE);
            long.send("long").unwrap();
        };
        aside.run(Box::new(work), Length::Long);
        let broken: sundew_kernel::aside::Work = Box::new(|| panic!("a piece that breaks"));
        aside.run(broken, Length::Short);
        for _ in 0..3 {
            let tell = tell.clone();
            aside.run(Box::new(move || tell.send("short").unwrap()), Length::Short);
        }
        for _ in 0..3 {
            assert_eq!(told.recv_timeout(PATIENCE), Ok("short"));
        }
        release.send(()).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok("long"));
        runtime.shutdown_timeout(PATIENCE);
    }

    const PATIENCE: Duration = Duration::from_secs(30);
}
