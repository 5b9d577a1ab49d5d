//! The stream the transport gets: the client's socket with our hands around it.
//!
//! It replays what was read to judge the first line, swallows the identification the transport writes
//! (the real one has been sent already: some clients wait for it before they say anything), taps the
//! first KEXINIT, notes when something last moved, and can be cut off. The transport runs in a task
//! of its own that cannot be aborted from outside; cutting its stream is how it is ended.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::boundary::Connection;
use crate::kexinit::{Scan, Scanner};
use crate::toll::Toll;

/// What the tasks of one connection tell each other.
#[derive(Debug)]
pub(crate) struct Life {
    /// Cancelled: everything of this connection ends now.
    pub(crate) stop: CancellationToken,
    pub(crate) toll: Arc<Toll>,
    begun: Instant,
    /// Milliseconds from `begun` to the last byte in either direction.
    moved: AtomicU64,
    logged_in: AtomicBool,
    /// We have sent our last byte.
    finished: AtomicBool,
    changed: Notify,
}

impl Life {
    pub(crate) fn new(toll: Arc<Toll>) -> Arc<Self> {
        Arc::new(Self {
            stop: CancellationToken::new(),
            toll,
            begun: Instant::now(),
            moved: AtomicU64::new(0),
            logged_in: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            changed: Notify::new(),
        })
    }

    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// When a byte last moved, to the millisecond.
    pub(crate) fn moved(&self) -> Instant {
        self.begun + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }

    pub(crate) fn log_in(&self) {
        self.toll.log_in();
        self.logged_in.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    pub(crate) fn logged_in(&self) -> bool {
        self.logged_in.load(Ordering::Relaxed)
    }

    pub(crate) fn finished(&self) -> bool {
        self.finished.load(Ordering::Relaxed)
    }

    /// Waits for a change of [`logged_in`](Self::logged_in) or [`finished`](Self::finished). For one
    /// waiter.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn touch(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(elapsed, Ordering::Relaxed);
    }

    fn finish(&self) {
        self.finished.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }
}

/// See the module.
pub(crate) struct Tapped<S> {
    inner: S,
    replay: Bytes,
    swallow: Bytes,
    scanner: Option<Scanner>,
    connection: Arc<dyn Connection>,
    life: Arc<Life>,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> Tapped<S> {
    /// `line` is the client's identification without its line end, `banner` what we have already
    /// sent, with its line end.
    pub(crate) fn new(
        inner: S,
        line: &[u8],
        banner: Bytes,
        connection: Arc<dyn Connection>,
        life: Arc<Life>,
    ) -> Self {
        Self {
            inner,
            replay: Bytes::from([line, b"\r\n"].concat()),
            swallow: banner,
            scanner: Some(Scanner::default()),
            connection,
            stopped: Box::pin(life.stop.clone().cancelled_owned()),
            life,
        }
    }

    fn scan(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(scanner) = &mut self.scanner else {
            return Ok(());
        };
        match scanner.feed(bytes) {
            Scan::More => return Ok(()),
            Scan::Offer(offer) => self.connection.key_exchange(&offer),
            Scan::GaveUp => {}
            // The transport would wait for bytes that never come.
            Scan::Malformed => return Err(io::ErrorKind::InvalidData.into()),
        }
        self.scanner = None;
        Ok(())
    }

    fn check_stopped(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.stopped.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.check_stopped(context)?;
        if this.replay.has_remaining() {
            let length = this.replay.len().min(buffer.remaining());
            buffer.put_slice(&this.replay.split_to(length));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        if !read.is_empty() {
            this.life.touch();
            this.scan(read)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.check_stopped(context)?;
        if this.swallow.has_remaining() {
            let length = this.swallow.len().min(bytes.len());
            if bytes.get(..length) != this.swallow.get(..length) {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            this.swallow.advance(length);
            return Poll::Ready(Ok(length));
        }
        let written = ready!(Pin::new(&mut this.inner).poll_write(context, bytes))?;
        this.life.touch();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
        self.life.finish();
        Poll::Ready(Ok(()))
    }
}
