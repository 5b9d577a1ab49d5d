//! Who waits for something: wakers kept beside the state they wait for, under the same lock.

use std::task::Waker;

/// The tasks to poll again when the state beside this queue changes.
///
/// A task that ended while it waited leaves its waker behind: when there are [`MOST`], all are woken, and
/// those that are still there register again.
#[derive(Debug, Default)]
pub(crate) struct WaitQueue(Vec<Waker>);

impl WaitQueue {
    /// Remembers `waker`, once.
    pub(crate) fn register(&mut self, waker: &Waker) {
        if !self.0.iter().any(|known| known.will_wake(waker)) {
            if self.0.len() >= MOST {
                self.wake();
            }
            self.0.push(waker.clone());
        }
    }

    /// Wakes everybody; they register again if what they want is still not there.
    pub(crate) fn wake(&mut self) {
        for waker in self.0.drain(..) {
            waker.wake();
        }
    }
}

/// Wakers kept at once: more than tasks of a machine wait for one thing, and some tens of KiB.
const MOST: usize = 1000;
