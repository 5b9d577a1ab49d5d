//! What a client has sent into a channel and the program has not taken yet.
//!
//! The transport library refills a channel's window when data *arrive*, not when they are taken, and
//! its only brake is to stop reading the whole connection, output included. A program that writes
//! before it reads would then wait for a client that waits for the program. So the brake comes in
//! three steps: above [`SOFT_BYTES`] the window is refilled by two bytes at a time and each packet
//! waits for a moment; above [`HARD_BYTES`], which only a client that ignores its window reaches soon,
//! or when all connections together hold more than [`TOTAL_BYTES`], the connection is not read at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

/// Above this a channel's window is throttled, in bytes. Larger than a pipe (64 KiB), so that a
/// program that reads at all never notices.
pub(crate) const SOFT_BYTES: usize = 256 * 1024;

/// Above this the connection is not read, in bytes: one window already granted, one refill that was
/// under way, and as much again for the trickle.
pub(crate) const HARD_BYTES: usize = 4 * 1024 * 1024;

/// What all backlogs of a listener may hold together, in bytes; above it the soft limit is hard.
pub(crate) const TOTAL_BYTES: usize = 64 * 1024 * 1024;

/// Largest piece handed to a program, in bytes.
const PIECE_BYTES: usize = 32 * 1024;

/// Bytes held by all backlogs together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Total(Arc<AtomicUsize>);

impl Total {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The input of one channel between its arrival and the program.
#[derive(Debug)]
pub(crate) struct Backlog {
    state: Mutex<State>,
    total: Total,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct State {
    bytes: BytesMut,
    end: bool,
    /// Nobody will take anything any more.
    discarding: bool,
}

/// How a connection has to treat the packet that just filled a backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// Go on.
    None,
    /// Wait for a moment, keep the window shut.
    Soft,
    /// Wait until there is room.
    Hard,
}

impl Backlog {
    pub(crate) fn new(total: Total) -> Self {
        Self {
            state: Mutex::default(),
            total,
            filled: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Keeps what arrived; drops it after [`discard`](Self::discard) or end of file.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.discarding || state.end {
            return;
        }
        state.bytes.extend_from_slice(bytes);
        self.total.0.fetch_add(bytes.len(), Ordering::Relaxed);
        drop(state);
        self.filled.notify_one();
    }

    /// The client will send no more.
    pub(crate) fn end(&self) {
        self.lock().end = true;
        self.filled.notify_one();
    }

    /// The program will take no more: forgets what is held and what is still to come.
    pub(crate) fn discard(&self) {
        let mut state = self.lock();
        state.discarding = true;
        self.forget(&mut state);
        drop(state);
        self.drained.notify_one();
    }

    /// Takes the next piece; `None` at the end. Cancel-safe. For one taker.
    pub(crate) async fn take(&self) -> Option<Bytes> {
        loop {
            {
                let mut state = self.lock();
                if !state.bytes.is_empty() {
                    return Some(self.piece(&mut state));
                }
                if state.end || state.discarding {
                    return None;
                }
            }
            self.filled.notified().await;
        }
    }

    /// Where this backlog stands.
    pub(crate) fn pressure(&self) -> Pressure {
        let held = self.lock().bytes.len();
        if held > HARD_BYTES || (held > SOFT_BYTES && self.total.bytes() > TOTAL_BYTES) {
            Pressure::Hard
        } else if held > SOFT_BYTES {
            Pressure::Soft
        } else {
            Pressure::None
        }
    }

    /// Waits until there is no pressure. For one waiter.
    pub(crate) async fn relief(&self) {
        while self.pressure() != Pressure::None {
            self.drained.notified().await;
        }
    }

    fn piece(&self, state: &mut State) -> Bytes {
        let length = state.bytes.len().min(PIECE_BYTES);
        let piece = state.bytes.split_to(length).freeze();
        if state.bytes.is_empty() {
            // Gives a large allocation back once the last piece of it is gone.
            state.bytes = BytesMut::new();
        }
        self.total.0.fetch_sub(length, Ordering::Relaxed);
        self.drained.notify_one();
        piece
    }

    fn forget(&self, state: &mut State) {
        let held = std::mem::take(&mut state.bytes).len();
        self.total.0.fetch_sub(held, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that could panic runs under the lock, so a poisoned state is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        let mut state = std::mem::take(&mut *self.lock());
        self.forget(&mut state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_in_comes_out_in_pieces_and_then_the_end() {
        let total = Total::default();
        let backlog = Backlog::new(total.clone());
        let sent: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        for part in sent.chunks(777) {
            backlog.push(part);
        }
        backlog.end();
        backlog.push(b"late");
        assert_eq!(total.bytes(), sent.len());
        let mut got = Vec::new();
        while let Some(piece) = backlog.take().await {
            assert!(piece.len() <= PIECE_BYTES);
            got.extend_from_slice(&piece);
        }
        assert_eq!(got, sent);
        assert_eq!(total.bytes(), 0);
    }

    #[tokio::test]
    async fn pressure_rises_with_the_backlog_and_falls_when_it_is_discarded() {
        let backlog = Backlog::new(Total::default());
        assert_eq!(backlog.pressure(), Pressure::None);
        backlog.push(&vec![0; SOFT_BYTES + 1]);
        assert_eq!(backlog.pressure(), Pressure::Soft);
        backlog.push(&vec![0; HARD_BYTES]);
        assert_eq!(backlog.pressure(), Pressure::Hard);
        backlog.discard();
        backlog.relief().await;
        assert_eq!(backlog.take().await, None);
        backlog.push(b"x");
        assert_eq!(backlog.total.bytes(), 0);
    }

    #[test]
    fn the_sum_over_all_channels_makes_the_soft_limit_hard_and_is_given_back() {
        let total = Total::default();
        let others: Vec<Backlog> = (0..TOTAL_BYTES / HARD_BYTES)
            .map(|_| Backlog::new(total.clone()))
            .collect();
        for backlog in &others {
            backlog.push(&vec![0; HARD_BYTES]);
        }
        let backlog = Backlog::new(total.clone());
        backlog.push(&vec![0; SOFT_BYTES]);
        assert_eq!(backlog.pressure(), Pressure::None);
        backlog.push(b"x");
        assert_eq!(backlog.pressure(), Pressure::Hard);
        drop(others);
        assert_eq!(backlog.pressure(), Pressure::Soft);
        drop(backlog);
        assert_eq!(total.bytes(), 0);
    }
}
