//! Pipes against a model: every order of reads, writes, and ends that come and go.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::*;

use sundew_vfs::pool::{Holder, Pool};

use crate::Errno;
use crate::pipe::{ATOMIC, CAPACITY, Pipe, ReadEnd, WriteEnd};

#[derive(Debug, Clone)]
enum Step {
    /// Which writer, how many bytes.
    Write(usize, usize),
    Read(usize, usize),
    OpenWriter,
    OpenReader,
    CloseWriter(usize),
    CloseReader(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![
        Just(0_usize),
        1..=8_usize,
        ATOMIC - 2..=ATOMIC + 2,
        CAPACITY - ATOMIC..=CAPACITY + 2,
        1..40_000_usize,
    ];
    prop_oneof![
        8 => (0..3_usize, size.clone()).prop_map(|(who, size)| Step::Write(who, size)),
        8 => (0..3_usize, size).prop_map(|(who, size)| Step::Read(who, size)),
        1 => Just(Step::OpenWriter),
        1 => Just(Step::OpenReader),
        1 => (0..3_usize).prop_map(Step::CloseWriter),
        1 => (0..3_usize).prop_map(Step::CloseReader),
    ]
}

fn memory(bytes: u64) -> Arc<Pool> {
    Pool::new(Holder::Machine, bytes, None)
}

/// Whether somebody was woken.
#[derive(Debug, Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Somebody who waits, and for what.
struct Waiter {
    bell: Arc<Bell>,
    /// Bytes of room that a writer needs; `None` for a reader.
    room: Option<usize>,
}

#[derive(Default)]
struct Model {
    content: VecDeque<u8>,
    next: u8,
    readers: Vec<ReadEnd>,
    writers: Vec<WriteEnd>,
    waiting: Vec<Waiter>,
}

impl Model {
    fn room(&self) -> usize {
        CAPACITY - self.content.len()
    }

    /// Whoever could go on now must have been woken.
    fn nobody_is_forgotten(&mut self) -> Result<(), TestCaseError> {
        let (room, held) = (self.room(), self.content.len());
        let (readers, writers) = (self.readers.len(), self.writers.len());
        for waiter in &self.waiting {
            let ready = match waiter.room {
                Some(needed) => room >= needed || readers == 0,
                None => held > 0 || writers == 0,
            };
            let woken = waiter.bell.0.load(Ordering::Relaxed);
            prop_assert!(woken || !ready, "a wake-up was lost");
        }
        self.waiting
            .retain(|waiter| !waiter.bell.0.load(Ordering::Relaxed));
        Ok(())
    }

    fn wait(&mut self, bell: Arc<Bell>, room: Option<usize>) {
        self.waiting.push(Waiter { bell, room });
    }

    fn write(&mut self, who: usize, size: usize) -> Result<(), TestCaseError> {
        let Some(end) = self.writers.get(who) else {
            return Ok(());
        };
        let data: Vec<u8> = (0..size)
            .map(|at| self.next.wrapping_add(at.to_le_bytes()[0]))
            .collect();
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let answer = end.poll_write(&Context::from_waker(&waker), &data);
        let room = self.room();
        let needed = if size <= ATOMIC { size } else { 1 };
        if self.readers.is_empty() {
            prop_assert_eq!(answer, Poll::Ready(Err(Errno::Epipe)));
        } else if room < needed {
            prop_assert_eq!(answer, Poll::Pending);
            self.wait(bell, Some(needed));
        } else {
            let taken = size.min(room);
            prop_assert_eq!(answer, Poll::Ready(Ok(taken)));
            self.content.extend(data.iter().take(taken));
            self.next = self.next.wrapping_add(taken.to_le_bytes()[0]);
        }
        Ok(())
    }

    fn read(&mut self, who: usize, size: usize) -> Result<(), TestCaseError> {
        let Some(end) = self.readers.get(who) else {
            return Ok(());
        };
        let mut buffer = vec![0; size];
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let answer = end.poll_read(&Context::from_waker(&waker), &mut buffer);
        if size > 0 && self.content.is_empty() && !self.writers.is_empty() {
            prop_assert_eq!(answer, Poll::Pending);
            self.wait(bell, None);
            return Ok(());
        }
        let taken = size.min(self.content.len());
        prop_assert_eq!(answer, Poll::Ready(Ok(taken)));
        let expected: Vec<u8> = self.content.drain(..taken).collect();
        buffer.truncate(taken);
        prop_assert_eq!(buffer, expected);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_pipe_is_a_bounded_queue_with_ends_that_come_and_go(
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let pipe = Pipe::new(1, &memory(u64::MAX));
        let mut model = Model::default();
        model.readers.push(ReadEnd::new(&pipe));
        model.writers.push(WriteEnd::new(&pipe));
        for step in steps {
            match step {
                Step::Write(who, size) => model.write(who, size)?,
                Step::Read(who, size) => model.read(who, size)?,
                Step::OpenWriter if model.writers.len() < 3 => {
                    model.writers.push(WriteEnd::new(&pipe));
                }
                Step::OpenReader if model.readers.len() < 3 => {
                    model.readers.push(ReadEnd::new(&pipe));
                }
                Step::CloseWriter(who) if who < model.writers.len() => {
                    drop(model.writers.remove(who));
                }
                Step::CloseReader(who) if who < model.readers.len() => {
                    drop(model.readers.remove(who));
                }
                _ => {}
            }
            prop_assert!(model.content.len() <= CAPACITY);
            model.nobody_is_forgotten()?;
        }
    }
}

#[test]
fn those_who_waited_and_are_gone_do_not_gather() {
    let pipe = Pipe::new(1, &memory(u64::MAX));
    let (from, _to) = (ReadEnd::new(&pipe), WriteEnd::new(&pipe));
    let stays = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&stays));
    let mut byte = [0];
    assert!(
        from.poll_read(&Context::from_waker(&waker), &mut byte)
            .is_pending()
    );
    let mut gone = Vec::new();
    for _ in 0..10_000 {
        let bell = Arc::new(Bell::default());
        gone.push(Arc::downgrade(&bell));
        let waker = Waker::from(bell);
        assert!(
            from.poll_read(&Context::from_waker(&waker), &mut byte)
                .is_pending()
        );
    }
    let held = gone.iter().filter(|bell| bell.strong_count() > 0).count();
    assert!(held <= 1024, "{held} are held");
    assert!(
        stays.0.load(Ordering::Relaxed),
        "who is still there is asked to say so"
    );
}

#[test]
fn a_machine_without_memory_has_small_pipes_that_work() {
    let memory = memory(10_000);
    let (from, to) = crate::pipe::pair(1, &memory);
    let cx = &Context::from_waker(Waker::noop());
    let mut buffer = vec![0; CAPACITY];
    assert_eq!(to.poll_write(cx, &[1; 9000]), Poll::Ready(Ok(9000)));
    assert_eq!(memory.used(), 9000 - ATOMIC as u64);
    let (other, into) = crate::pipe::pair(2, &memory);
    assert_eq!(into.poll_write(cx, &[1; CAPACITY]), Poll::Ready(Ok(ATOMIC)));
    assert!(into.poll_write(cx, &[1; 6000]).is_pending());
    assert_eq!(other.poll_read(cx, &mut buffer), Poll::Ready(Ok(ATOMIC)));
    assert_eq!(from.poll_read(cx, &mut buffer), Poll::Ready(Ok(9000)));
    assert_eq!(memory.used(), 0);
    assert_eq!(into.poll_write(cx, &[1; 9000]), Poll::Ready(Ok(9000)));
    drop((other, into));
    assert_eq!(memory.used(), 0);
}
