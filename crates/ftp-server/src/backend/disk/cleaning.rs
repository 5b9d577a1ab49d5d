//! Work that is left when an upload is dropped, and whoever waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// What one session has still to clean up. Its next call waits, so that it finds things as it left them.
#[derive(Debug, Default)]
pub(super) struct Cleaning {
    pending: AtomicUsize,
    done: Notify,
}

/// One piece of work; counted until it is done or given up.
struct Piece(Arc<Cleaning>);

impl Drop for Piece {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::Release);
        self.0.done.notify_waiters();
    }
}

impl Cleaning {
    /// Does something where it may block.
    pub(super) fn run(self: &Arc<Self>, work: impl FnOnce() -> Result<(), Errno> + Send + 'static) {
        self.pending.fetch_add(1, Ordering::Relaxed);
        let piece = Piece(Arc::clone(self));
        let work = move || {
            if let Err(errno) = work() {
                tracing::warn!(%errno, "an upload was left behind");
            }
            drop(piece);
        };
        match Handle::try_current() {
            // Its end is waited for by `settled`, and by the runtime's own.
            Ok(runtime) => drop(runtime.spawn_blocking(work)),
            Err(_) => work(),
        }
    }

    /// Waits until nothing is left to do.
    pub(super) async fn settled(&self) {
        while self.pending.load(Ordering::Acquire) > 0 {
            let done = self.done.notified();
            if self.pending.load(Ordering::Acquire) > 0 {
                done.await;
            }
        }
    }
}
