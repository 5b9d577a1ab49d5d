//! The journal's thread: from the queue to the disk, then to the other sinks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sundew_events::Event;

use super::lossy::Offer;
use super::{SYNC_EVERY, Shared, persist, weight};
use crate::sink::{Sink, SinkError};

/// Writes until the end; gives the number of events that were left.
pub(super) fn run(shared: &Shared, mut journal: Box<dyn Sink>, offers: &[Offer]) -> u64 {
    let _end = End(shared);
    let mut synced = Instant::now();
    let mut dirty = false;
    while let Some(batch) = next_batch(shared, dirty.then_some(synced)) {
        dirty |= !batch.is_empty();
        if let Err(left) = write_batch(shared, journal.as_mut(), batch, offers) {
            return left;
        }
        if dirty && synced.elapsed() >= SYNC_EVERY {
            match journal.sync() {
                Ok(()) => dirty = false,
                Err(error) => tracing::error!(%error, "{} could not be synced", journal.name()),
            }
            synced = Instant::now();
        }
    }
    let name = journal.name().to_owned();
    let complain = |error: &SinkError| tracing::error!(%error, "{name} could not be synced");
    persist(shared, || journal.sync(), complain);
    0
}

/// However the thread ends, nobody may wait for it any more: not even if the journal has panicked.
struct End<'s>(&'s Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the journal panicked; no more events are written");
        }
        self.0.stop(Duration::ZERO);
    }
}

/// Waits for events, or for the time to sync; `None` at the end.
fn next_batch(shared: &Shared, unsynced_since: Option<Instant>) -> Option<Vec<Event>> {
    let mut state = shared.lock();
    while state.queue.is_empty() {
        if state.stop_at.is_some() {
            return None;
        }
        let waited = unsynced_since.map_or(Duration::ZERO, |since| since.elapsed());
        if waited >= SYNC_EVERY {
            return Some(Vec::new());
        }
        state = shared.wait(state, SYNC_EVERY.saturating_sub(waited));
    }
    let count = state.queue.len().min(BATCH_EVENTS);
    Some(state.queue.drain(..count).collect())
}

/// Writes a batch and offers it to the sinks. If the end comes before it is written, gives the
/// number of events left, those in the queue included.
fn write_batch(
    shared: &Shared,
    journal: &mut dyn Sink,
    batch: Vec<Event>,
    offers: &[Offer],
) -> Result<(), u64> {
    let events = batch.len() as u64;
    let mut written = true;
    for event in &batch {
        written = written && insist(shared, journal, |journal| journal.write(event));
    }
    written = written && insist(shared, journal, |journal| journal.flush());
    if !written {
        // Some of the batch may be on disk; counting all of it as left is the cautious answer.
        return Err(events + left_in_queue(shared));
    }
    release(shared, batch.iter().map(weight).sum());
    for event in batch {
        let event = Arc::new(event);
        offers.iter().for_each(|offer| offer.make(&event));
    }
    Ok(())
}

/// Calls the journal until it succeeds, saying so to senders and operator when it does not.
fn insist(
    shared: &Shared,
    journal: &mut dyn Sink,
    mut call: impl FnMut(&mut dyn Sink) -> Result<(), SinkError>,
) -> bool {
    let mut tries = 0_u32;
    let name = journal.name().to_owned();
    let succeeded = persist(
        shared,
        || call(journal),
        |error| {
            if tries == 0 {
                shared.lock().failing = true;
                // Sessions go on without their events rather than wait for the operator.
                shared.room.notify_waiters();
                tracing::error!(%error, "{name} cannot be written; events wait in memory");
            }
            tries = tries.saturating_add(1);
        },
    );
    if succeeded && tries > 0 {
        let mut state = shared.lock();
        state.failing = false;
        let dropped = state.dropped;
        drop(state);
        tracing::warn!(tries, dropped, "{name} can be written again");
    }
    succeeded
}

fn release(shared: &Shared, bytes: usize) {
    let mut state = shared.lock();
    state.queued_bytes = state.queued_bytes.saturating_sub(bytes);
    let room = state.queued_bytes < shared.limits.soft;
    drop(state);
    if room {
        shared.room.notify_waiters();
    }
}

fn left_in_queue(shared: &Shared) -> u64 {
    shared.lock().queue.len() as u64
}

/// Events written between two looks at the queue.
const BATCH_EVENTS: usize = 256;
