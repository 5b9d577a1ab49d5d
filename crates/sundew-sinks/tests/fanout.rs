//! The queues: who waits, who is dropped, and what shutdown promises.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test crate: helpers fail the test"
)]

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Waker};
use std::time::Duration;

use sundew_events::{Connection, Event, EventKind, Installation, Protocol, SessionId, Timestamp};
use sundew_sinks::fanout::SINK_QUEUE_EVENTS;
use sundew_sinks::{Builder, Sink, SinkError};

#[tokio::test]
async fn every_sink_gets_every_event_in_order_and_is_synced_at_the_end() {
    let (journal, written) = Fake::open();
    let (other, offered) = Fake::open();
    let (sender, fanout) = Builder::new(journal).sink(other).start().unwrap();
    for number in 0..2000 {
        sender.send(event(number));
    }
    let report = fanout.shutdown(LONG).await;
    assert_eq!((report.dropped, report.unwritten), (0, Some(0)));
    assert_eq!(report.sinks, [("fake".to_owned(), Some(0))]);
    for seen in [written, offered] {
        let seen: Vec<_> = seen.iter().collect();
        assert_eq!(seen.last(), Some(&Seen::Sync));
        assert!(events(&seen).eq(0..2000));
    }
}

#[tokio::test]
async fn whoever_asks_waits_for_a_slow_journal_and_nothing_is_lost() {
    let (journal, written, gate) = Fake::gated();
    let (sender, fanout) = Builder::new(journal).limits(1, HARD).start().unwrap();
    assert!(poll_once(sender.ready()), "an empty queue has room");
    sender.send(event(0));
    {
        let mut ready = pin!(sender.ready());
        let mut context = Context::from_waker(Waker::noop());
        assert!(ready.as_mut().poll(&mut context).is_pending());
        gate.send(()).unwrap();
        tokio::time::timeout(LONG, ready).await.unwrap();
    }
    drop(gate);
    let report = fanout.shutdown(LONG).await;
    assert_eq!((report.dropped, report.unwritten), (0, Some(0)));
    assert!(events(&written.iter().collect::<Vec<_>>()).eq(0..1));
}

#[tokio::test]
async fn beyond_the_hard_limit_events_are_dropped_and_counted() {
    let (journal, written, gate) = Fake::gated();
    let room = 3 * size_of::<Event>();
    let (sender, fanout) = Builder::new(journal).limits(room, room).start().unwrap();
    for number in 0..10 {
        sender.send(event(number));
    }
    assert_eq!(sender.dropped(), 7);
    drop(gate);
    assert_eq!(fanout.shutdown(LONG).await.dropped, 7);
    assert!(events(&written.iter().collect::<Vec<_>>()).eq(0..3));
}

#[tokio::test]
async fn a_slow_sink_misses_events_and_the_journal_does_not_wait_for_it() {
    let (journal, written) = Fake::open();
    let (slow, offered, gate) = Fake::gated();
    let (sender, fanout) = Builder::new(journal).sink(slow).start().unwrap();
    let count = SINK_QUEUE_EVENTS as u64 + 2000;
    for number in 0..count {
        sender.send(event(number));
    }
    let mut seen = Vec::new();
    while events(&seen).last() != Some(count - 1) {
        seen.push(written.recv_timeout(LONG).unwrap());
    }
    assert!(events(&seen).eq(0..count));
    drop(gate);
    let report = fanout.shutdown(LONG).await;
    let missed = report.sinks[0].1.unwrap();
    assert!(missed > 1000, "{missed}");
    let offered: Vec<_> = offered.iter().collect();
    assert_eq!(events(&offered).count() as u64 + missed, count);
}

#[tokio::test]
async fn events_are_synced_soon_after_they_came() {
    let (journal, written) = Fake::open();
    let (sender, fanout) = Builder::new(journal).start().unwrap();
    sender.send(event(0));
    assert_eq!(written.recv_timeout(LONG).unwrap(), Seen::Event(0));
    assert_eq!(
        written.recv_timeout(LONG).unwrap(),
        Seen::Sync,
        "without a second event"
    );
    fanout.shutdown(LONG).await;
}

#[tokio::test]
async fn after_shutdown_events_are_counted_as_dropped_and_nobody_waits() {
    let (journal, _written) = Fake::open();
    let (sender, fanout) = Builder::new(journal).limits(0, HARD).start().unwrap();
    fanout.shutdown(LONG).await;
    sender.send(event(0));
    assert_eq!(sender.dropped(), 1);
    assert!(poll_once(sender.ready()));
}

#[tokio::test]
async fn a_journal_that_hangs_does_not_hang_the_shutdown() {
    let (journal, _written, gate) = Fake::gated();
    let (sender, fanout) = Builder::new(journal).start().unwrap();
    sender.send(event(0));
    let report = tokio::time::timeout(LONG, fanout.shutdown(Duration::from_millis(1))).await;
    assert_eq!(report.unwrap().unwritten, None);
    drop(gate);
}

#[tokio::test]
async fn a_journal_that_panics_lets_nobody_wait() {
    let (sender, fanout) = Builder::new(Panics).limits(1, HARD).start().unwrap();
    sender.send(event(0));
    tokio::time::timeout(LONG, sender.ready()).await.unwrap();
    assert_eq!(fanout.shutdown(LONG).await.unwritten, None);
}

/// Long enough for any machine, short enough for a test that hangs.
const LONG: Duration = Duration::from_secs(20);
const HARD: usize = 1 << 20;

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Event(u64),
    Sync,
}

/// A sink that tells what it sees, and waits for the gate before each event.
struct Fake {
    seen: Sender<Seen>,
    gate: Receiver<()>,
}

impl Fake {
    fn gated() -> (Self, Receiver<Seen>, Sender<()>) {
        let (seen, watch) = mpsc::channel();
        let (opener, gate) = mpsc::channel();
        (Self { seen, gate }, watch, opener)
    }

    fn open() -> (Self, Receiver<Seen>) {
        let (fake, watch, _opener) = Self::gated();
        (fake, watch)
    }
}

impl Sink for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn write(&mut self, event: &Event) -> Result<(), SinkError> {
        // A gate whose opener is gone stays open.
        self.gate.recv().unwrap_or_default();
        let EventKind::SessionClosed { duration_ms } = event.kind else {
            panic!("{event:?}")
        };
        drop(self.seen.send(Seen::Event(duration_ms)));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        drop(self.seen.send(Seen::Sync));
        Ok(())
    }
}

struct Panics;

impl Sink for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    fn write(&mut self, _event: &Event) -> Result<(), SinkError> {
        panic!("on purpose")
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn events(seen: &[Seen]) -> impl Iterator<Item = u64> {
    seen.iter().filter_map(|seen| match seen {
        Seen::Event(number) => Some(*number),
        Seen::Sync => None,
    })
}

fn poll_once(future: impl Future<Output = ()>) -> bool {
    pin!(future)
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_ready()
}

/// An event that can be told from others by its duration.
fn event(number: u64) -> Event {
    let address = ("192.0.2.1".parse().unwrap(), 2222);
    Event {
        connection: Arc::new(Connection::new(
            SessionId::from_bytes([1; 6]),
            Protocol::Ssh,
            address,
            address,
        )),
        installation: Arc::new(Installation {
            sensor: "edge".into(),
            uuid: "3f".into(),
        }),
        timestamp: Timestamp::from_micros(1_795_262_400_000_000),
        late: false,
        kind: EventKind::SessionClosed {
            duration_ms: number,
        },
    }
}
