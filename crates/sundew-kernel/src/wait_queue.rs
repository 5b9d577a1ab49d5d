//! Who waits for something: wakers kept beside the state they wait for, under the same lock.

use std::task::Waker;

/// The tasks to poll again when the state beside this queue changes.
///
/// Bounded by the machine's process limit: a task registers one waker at a time.
#[derive(Debug, Default)]
pub(crate) struct WaitQueue(Vec<Waker>);

impl WaitQueue {
    /// Remembers `waker`, once.
    pub(crate) fn register(&mut self, waker: &Waker) {
        if !self.0.iter().any(|known| known.will_wake(waker)) {
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
