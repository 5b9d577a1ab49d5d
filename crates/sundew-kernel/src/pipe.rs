//! Pipes: pipe(7). A bounded buffer with two kinds of ends.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use sundew_vfs::Errno;
use sundew_vfs::pool::{Held, Pool};

use crate::allowance::Allowance;
use crate::lock;
use crate::wait_queue::WaitQueue;

/// Bytes a pipe holds before writers wait; Linux's default.
pub const CAPACITY: usize = 65536;
/// Writes up to this many bytes are never mixed with others; POSIX `PIPE_BUF` on Linux.
pub const ATOMIC: usize = 4096;

#[derive(Debug)]
struct Inner {
    buffer: VecDeque<u8>,
    readers: usize,
    writers: usize,
    /// Counts writers ever, so that the open of a FIFO for reading can tell that one came and went.
    writers_seen: u64,
    readers_seen: u64,
    waiting: WaitQueue,
    /// What it holds beyond [`ATOMIC`] is the machine's memory.
    held: Held,
}

impl Inner {
    /// How much may be written of so many bytes; a machine without memory has small pipes.
    fn room_for(&self, wanted: usize) -> usize {
        let room = CAPACITY - self.buffer.len().min(CAPACITY);
        let after = self.buffer.len() + wanted.min(room);
        let more = (after.saturating_sub(ATOMIC) as u64).saturating_sub(self.held.amount());
        if more > 0 && self.held.pool().full(more).is_some() {
            return ATOMIC - self.buffer.len().min(ATOMIC);
        }
        room
    }

    /// Charges what is held now.
    fn settle(&mut self) {
        let held = self.buffer.len().saturating_sub(ATOMIC);
        self.held.set(held as u64);
        if self.buffer.is_empty() {
            self.buffer.shrink_to(ATOMIC);
        }
    }
}

/// The buffer that both ends share.
#[derive(Debug)]
pub(crate) struct Pipe {
    id: u64,
    /// What those outside may read of it, if they are who reads it.
    allowance: Option<Arc<Allowance>>,
    inner: Mutex<Inner>,
}

impl Pipe {
    /// An empty pipe, whose content is charged to `memory`. `id` is the number shown in `/proc/PID/fd`: `pipe:[ID]`.
    pub(crate) fn new(id: u64, memory: &Arc<Pool>) -> Arc<Self> {
        Self::with(id, memory, None)
    }

    fn with(id: u64, memory: &Arc<Pool>, allowance: Option<Arc<Allowance>>) -> Arc<Self> {
        Arc::new(Self {
            id,
            allowance,
            inner: Mutex::new(Inner {
                buffer: VecDeque::new(),
                readers: 0,
                writers: 0,
                writers_seen: 0,
                readers_seen: 0,
                waiting: WaitQueue::default(),
                held: Held::new(Arc::clone(memory)),
            }),
        })
    }

    /// Waits until a writer has been seen (open of a FIFO for reading).
    pub(crate) fn poll_writer_seen(&self, since: u64, cx: &Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.inner);
        if inner.writers > 0 || inner.writers_seen > since {
            return Poll::Ready(());
        }
        inner.waiting.register(cx.waker());
        Poll::Pending
    }

    /// Waits until a reader has been seen (open of a FIFO for writing).
    pub(crate) fn poll_reader_seen(&self, since: u64, cx: &Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.inner);
        if inner.readers > 0 || inner.readers_seen > since {
            return Poll::Ready(());
        }
        inner.waiting.register(cx.waker());
        Poll::Pending
    }

    /// How many readers and writers have ever been.
    pub(crate) fn seen(&self) -> (u64, u64) {
        let inner = lock(&self.inner);
        (inner.readers_seen, inner.writers_seen)
    }
}

/// A new pipe's two ends.
pub(crate) fn pair(id: u64, memory: &Arc<Pool>) -> (ReadEnd, WriteEnd) {
    let pipe = Pipe::new(id, memory);
    (ReadEnd::new(&pipe), WriteEnd::new(&pipe))
}

/// Both ends of a new pipe that is read outside: what is written is taken from `allowance`.
pub(crate) fn outward(
    id: u64,
    memory: &Arc<Pool>,
    allowance: &Arc<Allowance>,
) -> (ReadEnd, WriteEnd) {
    let pipe = Pipe::with(id, memory, Some(Arc::clone(allowance)));
    (ReadEnd::new(&pipe), WriteEnd::new(&pipe))
}

/// The end that bytes come out of.
#[derive(Debug)]
pub(crate) struct ReadEnd(Arc<Pipe>);

impl ReadEnd {
    pub(crate) fn new(pipe: &Arc<Pipe>) -> Self {
        let mut inner = lock(&pipe.inner);
        inner.readers += 1;
        inner.readers_seen += 1;
        inner.waiting.wake();
        drop(inner);
        Self(Arc::clone(pipe))
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    /// Takes up to `buf.len()` bytes; 0 at the end, when no writer is left.
    pub(crate) fn poll_read(&self, cx: &Context<'_>, buf: &mut [u8]) -> Poll<Result<usize, Errno>> {
        let mut inner = lock(&self.0.inner);
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if inner.buffer.is_empty() {
            if inner.writers == 0 {
                return Poll::Ready(Ok(0));
            }
            inner.waiting.register(cx.waker());
            return Poll::Pending;
        }
        let count = buf.len().min(inner.buffer.len());
        for (to, from) in buf.iter_mut().zip(inner.buffer.drain(..count)) {
            *to = from;
        }
        inner.settle();
        inner.waiting.wake();
        Poll::Ready(Ok(count))
    }

    /// Whether a read would not wait.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.0.inner);
        if inner.buffer.is_empty() && inner.writers > 0 {
            inner.waiting.register(cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl Drop for ReadEnd {
    fn drop(&mut self) {
        let mut inner = lock(&self.0.inner);
        inner.readers -= 1;
        inner.waiting.wake();
    }
}

/// The end that bytes go into.
#[derive(Debug)]
pub(crate) struct WriteEnd(Arc<Pipe>);

impl WriteEnd {
    pub(crate) fn new(pipe: &Arc<Pipe>) -> Self {
        let mut inner = lock(&pipe.inner);
        inner.writers += 1;
        inner.writers_seen += 1;
        inner.waiting.wake();
        drop(inner);
        Self(Arc::clone(pipe))
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    /// Whether those outside read it.
    pub(crate) fn leads_outside(&self) -> bool {
        self.0.allowance.is_some()
    }

    /// Puts in as much of `data` as there is room for; [`Errno::Epipe`] when no reader is left, and
    /// [`Errno::Enospc`] when those outside may read no more, for which the caller kills the writer.
    pub(crate) fn poll_write(&self, cx: &Context<'_>, data: &[u8]) -> Poll<Result<usize, Errno>> {
        let mut inner = lock(&self.0.inner);
        if inner.readers == 0 {
            return Poll::Ready(Err(Errno::Epipe));
        }
        let allowance = self.0.allowance.as_ref();
        if allowance.is_some_and(|allowance| allowance.spent().is_some()) {
            return Poll::Ready(Err(Errno::Enospc));
        }
        let room = inner.room_for(data.len());
        let needed = if data.len() <= ATOMIC { data.len() } else { 1 };
        if room < needed {
            inner.waiting.register(cx.waker());
            return Poll::Pending;
        }
        let (now, _later) = data.split_at(data.len().min(room));
        inner.buffer.extend(now);
        inner.settle();
        inner.waiting.wake();
        if let Some(allowance) = allowance {
            allowance.spend(now.len() as u64);
        }
        Poll::Ready(Ok(now.len()))
    }
}

impl Drop for WriteEnd {
    fn drop(&mut self) {
        let mut inner = lock(&self.0.inner);
        inner.writers -= 1;
        inner.waiting.wake();
    }
}

/// The outside's end of a process's standard output or error.
#[derive(Debug)]
pub struct OutsideReader(pub(crate) ReadEnd);

impl OutsideReader {
    /// The next bytes, at most 32 KiB; `None` at the end. Cancel-safe.
    pub async fn read(&mut self) -> Option<Vec<u8>> {
        let mut buf = vec![0; 32 * 1024];
        let count = poll_fn(|cx| self.0.poll_read(cx, &mut buf))
            .await
            .unwrap_or(0);
        buf.truncate(count);
        (count > 0).then_some(buf)
    }
}

/// The outside's end of a process's standard input. Dropping it is the end of the input.
#[derive(Debug)]
pub struct OutsideWriter(pub(crate) WriteEnd);

impl OutsideWriter {
    /// Writes everything, waiting for room.
    ///
    /// # Errors
    ///
    /// [`Errno::Epipe`] when nobody will read it.
    pub async fn write(&mut self, mut data: &[u8]) -> Result<(), Errno> {
        while !data.is_empty() {
            let count = poll_fn(|cx| self.0.poll_write(cx, data)).await?;
            data = data.get(count..).unwrap_or_default();
        }
        Ok(())
    }
}
