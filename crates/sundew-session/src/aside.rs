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
