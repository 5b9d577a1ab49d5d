//! A sink beside the journal: a bounded queue, a thread, and a count of what did not fit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Instant;
use std::{io, thread};

use sundew_events::Event;
use tokio::sync::oneshot;

use super::{SINK_QUEUE_EVENTS, SYNC_EVERY, Shared, persist};
use crate::sink::{Sink, SinkError};

/// Where the journal's thread offers events to one sink.
pub(super) struct Offer {
    pub(super) name: Arc<str>,
    queue: SyncSender<Arc<Event>>,
    missed: Arc<AtomicU64>,
}

impl Offer {
    /// Queues the event, or counts it as missed if the sink is too slow.
    pub(super) fn make(&self, event: &Arc<Event>) {
        if self.queue.try_send(Arc::clone(event)).is_ok() {
            return;
        }
        let missed = self.missed.fetch_add(1, Ordering::Relaxed) + 1;
        if missed.is_power_of_two() {
            tracing::warn!(
                sink = &*self.name,
                missed,
                "a sink misses events: it is too slow"
            );
        }
    }
}

/// The sink's thread.
pub(super) struct LossySink {
    sink: Box<dyn Sink>,
    name: Arc<str>,
    events: Receiver<Arc<Event>>,
    missed: Arc<AtomicU64>,
    shared: Arc<Shared>,
}

impl LossySink {
    /// Starts it; its last answer is the number of events it has missed.
    pub(super) fn start(
        sink: Box<dyn Sink>,
        shared: Arc<Shared>,
    ) -> io::Result<(Offer, oneshot::Receiver<u64>)> {
        let name: Arc<str> = sink.name().into();
        let (queue, events) = mpsc::sync_channel(SINK_QUEUE_EVENTS);
        let missed = Arc::new(AtomicU64::new(0));
        let offer = Offer {
            name: Arc::clone(&name),
            queue,
            missed: Arc::clone(&missed),
        };
        let (done, answer) = oneshot::channel();
        let thread_name = format!("sink-{name}");
        let running = Self {
            sink,
            name,
            events,
            missed,
            shared,
        };
        thread::Builder::new().name(thread_name).spawn(move || {
            let name = Arc::clone(&running.name);
            if let Err(missed) = done.send(running.run()) {
                tracing::debug!(
                    sink = &*name,
                    missed,
                    "a sink has ended, nobody waited for it"
                );
            }
        })?;
        Ok((offer, answer))
    }

    /// Ends when the journal's thread has: then nobody offers events any more.
    fn run(mut self) -> u64 {
        let mut synced = Instant::now();
        loop {
            match self.events.recv_timeout(SYNC_EVERY) {
                Ok(event) => {
                    if !self.insist(|sink| sink.write(&event)) {
                        self.miss_the_rest();
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if synced.elapsed() >= SYNC_EVERY {
                self.insist(|sink| sink.sync());
                synced = Instant::now();
            }
        }
        self.insist(|sink| sink.sync());
        self.missed.load(Ordering::Relaxed)
    }

    fn insist(&mut self, mut call: impl FnMut(&mut dyn Sink) -> Result<(), SinkError>) -> bool {
        let (sink, name) = (self.sink.as_mut(), &self.name);
        let mut tries = 0_u32;
        persist(
            &self.shared,
            || call(sink),
            |error| {
                if tries == 0 {
                    tracing::warn!(sink = &**name, %error, "a sink fails and is tried again");
                }
                tries = tries.saturating_add(1);
            },
        )
    }

    fn miss_the_rest(&self) {
        // The one that could not be written is gone from the queue already.
        let rest = self.events.try_iter().count() as u64 + 1;
        self.missed.fetch_add(rest, Ordering::Relaxed);
    }
}
