//! From sessions to sinks: one journal that loses nothing it can help, other sinks behind it.
//!
//! ```text
//!  sessions ─ send ─► queue ─► journal thread ─ write ─► journal
//!                    (bytes)         └─ offer ─► queue ─► sink thread ─► sink   (one each)
//!                                               (events)
//! ```
//!
//! [`EventSender::send`] never waits, so the journal's queue has two limits. Beyond the first,
//! [`EventSender::ready`] waits: a session that calls it between two reads of its client is slowed
//! down to the disk's pace and nothing is lost. Beyond the second, events are dropped and counted.
//! While the journal *fails*, as on a full disk, nobody waits: sessions go on, what does not fit
//! below the first limit is dropped and counted, and everything that does is written once the disk
//! takes it again.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use sundew_events::Event;
use tokio::sync::{Notify, oneshot};

use crate::sink::{Sink, SinkError};

mod journal;
mod lossy;

use lossy::LossySink;

/// Bytes of events in the journal's queue from which on [`EventSender::ready`] waits: some 50,000
/// events, a second's work of a slow disk.
pub const SOFT_LIMIT_BYTES: usize = 32 << 20;

/// Bytes of events in the journal's queue beyond which events are dropped. Sessions that never call
/// [`EventSender::ready`] can fill the room between the limits.
pub const HARD_LIMIT_BYTES: usize = 128 << 20;

/// Events that wait for one sink beside the journal; more are dropped and counted.
pub const SINK_QUEUE_EVENTS: usize = 8192;

/// Names the journal and the sinks before they start.
pub struct Builder {
    journal: Box<dyn Sink>,
    sinks: Vec<Box<dyn Sink>>,
    limits: Limits,
}

/// The running sinks. Dropping it ends them within a second; [`shutdown`](Self::shutdown) is
/// the orderly way.
#[derive(Debug)]
pub struct Fanout {
    shared: Arc<Shared>,
    journal: Option<oneshot::Receiver<u64>>,
    sinks: Vec<(Arc<str>, oneshot::Receiver<u64>)>,
}

/// Hands events to the sinks; clones share the queue.
#[derive(Debug, Clone)]
pub struct EventSender(Arc<Shared>);

/// What did not get through, told at shutdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events that never got into the journal's queue.
    pub dropped: u64,
    /// Events in the queue that could not be written before the deadline; `None` if the journal
    /// did not even answer, as on a disk that hangs.
    pub unwritten: Option<u64>,
    /// Events each sink has missed; `None` if it did not answer before the deadline.
    pub sinks: Vec<(String, Option<u64>)>,
}

impl Builder {
    /// Begins with the sink that must not lose events.
    #[must_use]
    pub fn new(journal: impl Sink + 'static) -> Self {
        let limits = Limits {
            soft: SOFT_LIMIT_BYTES,
            hard: HARD_LIMIT_BYTES,
        };
        Self {
            journal: Box::new(journal),
            sinks: Vec::new(),
            limits,
        }
    }

    /// Adds a sink that is offered what the journal has.
    #[must_use]
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Replaces [`SOFT_LIMIT_BYTES`] and [`HARD_LIMIT_BYTES`].
    #[must_use]
    pub const fn limits(mut self, soft_bytes: usize, hard_bytes: usize) -> Self {
        self.limits = Limits {
            soft: soft_bytes,
            hard: hard_bytes,
        };
        self
    }

    /// Starts a thread for the journal and one for each sink.
    ///
    /// # Errors
    ///
    /// If the system has no more threads.
    pub fn start(self) -> io::Result<(EventSender, Fanout)> {
        let shared = Arc::new(Shared {
            limits: self.limits,
            state: Mutex::default(),
            wake: Condvar::new(),
            room: Notify::new(),
        });
        let mut offers = Vec::new();
        let mut answers = Vec::new();
        for sink in self.sinks {
            let (offer, answer) = LossySink::start(sink, Arc::clone(&shared))?;
            answers.push((Arc::clone(&offer.name), answer));
            offers.push(offer);
        }
        let (done, journal) = oneshot::channel();
        let (writer, reader) = (self.journal, Arc::clone(&shared));
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                let unwritten = journal::run(&reader, writer, &offers);
                if done.send(unwritten).is_err() {
                    tracing::debug!(unwritten, "the journal has ended, nobody waited for it");
                }
            })?;
        let fanout = Fanout {
            shared: Arc::clone(&shared),
            journal: Some(journal),
            sinks: answers,
        };
        Ok((EventSender(shared), fanout))
    }
}

impl EventSender {
    /// Queues an event for the journal. Never waits and never fails; what there is no room for is
    /// dropped, counted and reported to the operator.
    pub fn send(&self, event: Event) {
        let weight = weight(&event);
        let mut state = self.0.lock();
        let limit = if state.failing {
            self.0.limits.soft
        } else {
            self.0.limits.hard
        };
        if state.stop_at.is_some() || state.queued_bytes.saturating_add(weight) > limit {
            state.dropped = state.dropped.saturating_add(1);
            let dropped = state.dropped;
            drop(state);
            if dropped.is_power_of_two() {
                tracing::error!(dropped, "events were dropped: the journal does not keep up");
            }
            return;
        }
        state.queued_bytes += weight;
        state.queue.push_back(event);
        let first = state.queue.len() == 1;
        drop(state);
        if first {
            self.0.wake.notify_all();
        }
    }

    /// Waits while the journal is behind but making progress; call it between two reads of a
    /// client. Returns at once in all but the rarest cases.
    ///
    /// Cancel-safe.
    pub async fn ready(&self) {
        loop {
            let notified = self.0.room.notified();
            let mut notified = std::pin::pin!(notified);
            // From here on a notification is not missed.
            notified.as_mut().enable();
            if self.has_room() {
                return;
            }
            notified.await;
        }
    }

    /// Events dropped since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }

    /// Whether the journal refuses events at the moment, as on a full disk.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.0.lock().failing
    }

    fn has_room(&self) -> bool {
        let state = self.0.lock();
        state.failing || state.stop_at.is_some() || state.queued_bytes < self.0.limits.soft
    }
}

impl Fanout {
    /// Takes no more events, writes and syncs those that are queued, ends the threads.
    ///
    /// Ends after `deadline` even if the disk does not answer.
    pub async fn shutdown(mut self, deadline: Duration) -> Report {
        let stop_at = self.shared.stop(deadline);
        // A moment longer than the threads' own deadline, so that they can say what is left.
        let answer_by = tokio::time::Instant::from_std(stop_at + ANSWER_GRACE);
        let mut report = Report {
            dropped: 0,
            unwritten: None,
            sinks: Vec::new(),
        };
        if let Some(journal) = self.journal.take() {
            report.unwritten = answer(journal, answer_by).await;
        }
        for (name, sink) in std::mem::take(&mut self.sinks) {
            report
                .sinks
                .push((name.to_string(), answer(sink, answer_by).await));
        }
        report.dropped = self.shared.lock().dropped;
        report
    }
}

impl Drop for Fanout {
    fn drop(&mut self) {
        self.shared.stop(DROP_DEADLINE);
    }
}

async fn answer(wait: oneshot::Receiver<u64>, by: tokio::time::Instant) -> Option<u64> {
    tokio::time::timeout_at(by, wait).await.ok()?.ok()
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    soft: usize,
    hard: usize,
}

/// What the senders and the threads share.
#[derive(Debug)]
struct Shared {
    limits: Limits,
    state: Mutex<State>,
    /// Wakes the threads: an event in an empty queue, or the end.
    wake: Condvar,
    /// Wakes those who wait in [`EventSender::ready`].
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Event>,
    queued_bytes: usize,
    dropped: u64,
    failing: bool,
    /// Set when no more events are taken: until then the threads may go on writing.
    stop_at: Option<Instant>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits on `wake`, at most that long.
    fn wait<'s>(&self, state: MutexGuard<'s, State>, most: Duration) -> MutexGuard<'s, State> {
        let (state, _) = self
            .wake
            .wait_timeout(state, most)
            .unwrap_or_else(PoisonError::into_inner);
        state
    }

    fn stop(&self, deadline: Duration) -> Instant {
        let mut state = self.lock();
        let stop_at = *state
            .stop_at
            .get_or_insert_with(|| Instant::now() + deadline);
        drop(state);
        self.wake.notify_all();
        self.room.notify_waiters();
        stop_at
    }

    /// Waits between two tries of a sink that failed; says whether there is time for another.
    fn may_retry(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let end = state.stop_at.map_or(until, |stop_at| until.min(stop_at));
            if now >= end {
                return state.stop_at.is_none_or(|stop_at| now < stop_at);
            }
            state = self.wait(state, end - now);
        }
    }
}

/// Calls a sink until it succeeds or the end has come; says which.
fn persist(
    shared: &Shared,
    mut call: impl FnMut() -> Result<(), SinkError>,
    mut failed: impl FnMut(&SinkError),
) -> bool {
    let mut pause = FIRST_PAUSE;
    loop {
        match call() {
            Ok(()) => return true,
            Err(error) => failed(&error),
        }
        if !shared.may_retry(pause) {
            return false;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What an event counts for in the queue, in bytes.
fn weight(event: &Event) -> usize {
    size_of::<Event>() + event.kind.held_bytes()
}

/// How long written events may stay unsynced.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Pauses between tries double from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long the threads may go on when nobody waits for them.
const DROP_DEADLINE: Duration = Duration::from_secs(1);
/// How long shutdown waits for the threads' answers beyond its deadline.
const ANSWER_GRACE: Duration = Duration::from_millis(250);
