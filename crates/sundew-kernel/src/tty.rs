//! A terminal: the line discipline between what is typed and what programs read, termios(3).

pub mod discipline;
pub mod termios;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};

use sundew_vfs::Errno;

use crate::allowance::Allowance;
use crate::machine::Kernel;
use crate::wait_queue::WaitQueue;
use crate::{Pid, Signal, lock};
use discipline::Discipline;
pub use termios::Termios;

/// Bytes of output a terminal holds before writers wait.
const OUTPUT_CAPACITY: usize = 64 * 1024;

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Width in characters.
    pub columns: u16,
    /// Height in lines.
    pub rows: u16,
}

impl Default for WindowSize {
    fn default() -> Self {
        Self {
            columns: 80,
            rows: 24,
        }
    }
}

/// One terminal, as the processes on it see it.
#[derive(Debug)]
pub(crate) struct Tty {
    index: u32,
    /// What may still be sent to the other side.
    allowance: Arc<Allowance>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    discipline: Discipline,
    size: WindowSize,
    foreground: Pid,
    session: Pid,
    /// Permission bits of the device.
    mode: u16,
    output: VecDeque<u8>,
    hung_up: bool,
    waiting: WaitQueue,
    master: WaitQueue,
}

impl Tty {
    /// A terminal whose output is taken from `allowance`.
    pub(crate) fn new(index: u32, size: WindowSize, allowance: &Arc<Allowance>) -> Arc<Self> {
        Arc::new(Self {
            index,
            allowance: Arc::clone(allowance),
            inner: Mutex::new(Inner {
                discipline: Discipline::default(),
                size,
                foreground: 0,
                session: 0,
                mode: 0o620,
                output: VecDeque::new(),
                hung_up: false,
                waiting: WaitQueue::default(),
                master: WaitQueue::default(),
            }),
        })
    }

    /// N of `/dev/pts/N`.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// `/dev/pts/N`.
    pub(crate) fn path(&self) -> Vec<u8> {
        format!("/dev/pts/{}", self.index).into_bytes()
    }

    /// Permission bits of the device.
    pub(crate) fn mode(&self) -> u16 {
        lock(&self.inner).mode
    }

    pub(crate) fn set_mode(&self, mode: u16) {
        lock(&self.inner).mode = mode & 0o7777;
    }

    /// Whether those in the background are stopped when they write.
    pub(crate) fn stops_writers(&self) -> bool {
        lock(&self.inner)
            .discipline
            .termios()
            .local_has(termios::TOSTOP)
    }

    pub(crate) fn poll_read(&self, cx: &Context<'_>, buf: &mut [u8]) -> Poll<Result<usize, Errno>> {
        let mut inner = lock(&self.inner);
        if let Some(count) = inner.discipline.read(buf) {
            inner.master.wake();
            return Poll::Ready(Ok(count));
        }
        if inner.hung_up {
            return Poll::Ready(Ok(0));
        }
        inner.waiting.register(cx.waker());
        Poll::Pending
    }

    /// Whether a read would not wait.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.inner);
        if inner.discipline.has_input() || inner.hung_up {
            return Poll::Ready(());
        }
        inner.waiting.register(cx.waker());
        Poll::Pending
    }

    /// Writes as much of `data` as there is room for. `Enobufs` is never an answer; a spent output
    /// budget is [`Errno::Enospc`], for which the caller kills the writer.
    pub(crate) fn poll_write(&self, cx: &Context<'_>, data: &[u8]) -> Poll<Result<usize, Errno>> {
        let mut guard = lock(&self.inner);
        let inner = &mut *guard;
        if inner.hung_up {
            return Poll::Ready(Err(Errno::Eio));
        }
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.allowance.spent().is_some() {
            return Poll::Ready(Err(Errno::Enospc));
        }
        let room = OUTPUT_CAPACITY.saturating_sub(inner.output.len());
        if room < 16 || inner.discipline.output_stopped() {
            inner.waiting.register(cx.waker());
            return Poll::Pending;
        }
        // A byte may become several (tabs, newlines); half the room is always enough but for tabs,
        // which may overshoot the capacity by a bounded amount.
        let (now, _later) = data.split_at(data.len().min(room / 2));
        inner.discipline.write(now, &mut inner.output);
        self.allowance.spend(now.len() as u64);
        inner.master.wake();
        Poll::Ready(Ok(now.len()))
    }

    pub(crate) fn termios(&self) -> Termios {
        lock(&self.inner).discipline.termios().clone()
    }

    /// Changes the settings; with `flush`, input not yet read is forgotten (`TCSAFLUSH`).
    pub(crate) fn set_termios(&self, termios: Termios, flush: bool) {
        let mut inner = lock(&self.inner);
        inner.discipline.set_termios(termios);
        if flush {
            inner.discipline.flush_input();
        }
        // Bytes typed ahead under the other mode may be readable now.
        inner.waiting.wake();
    }

    pub(crate) fn size(&self) -> WindowSize {
        lock(&self.inner).size
    }

    /// Sets the window size; whether it changed.
    pub(crate) fn set_size(&self, size: WindowSize) -> bool {
        let mut inner = lock(&self.inner);
        let changed = inner.size != size;
        inner.size = size;
        changed
    }

    pub(crate) fn foreground(&self) -> Pid {
        lock(&self.inner).foreground
    }

    pub(crate) fn set_foreground(&self, group: Pid) {
        lock(&self.inner).foreground = group;
    }

    pub(crate) fn session(&self) -> Pid {
        lock(&self.inner).session
    }

    pub(crate) fn set_session(&self, session: Pid) {
        lock(&self.inner).session = session;
    }

    /// The other side is gone: reads end, writes fail.
    pub(crate) fn hang_up(&self) {
        let mut inner = lock(&self.inner);
        inner.hung_up = true;
        inner.waiting.wake();
        inner.master.wake();
    }

    fn accept(&self, cx: &Context<'_>, data: &[u8]) -> Poll<(usize, Vec<Signal>)> {
        let mut guard = lock(&self.inner);
        let inner = &mut *guard;
        if inner.hung_up {
            return Poll::Ready((data.len(), Vec::new()));
        }
        let mut signals = Vec::new();
        let mut taken = 0;
        for &byte in data {
            if !inner.discipline.has_room() {
                break;
            }
            taken += 1;
            let echo_room = inner.output.len() < OUTPUT_CAPACITY;
            let mut scrap = VecDeque::new();
            let echo = if echo_room {
                &mut inner.output
            } else {
                &mut scrap
            };
            signals.extend(inner.discipline.input(byte, echo));
        }
        inner.waiting.wake();
        inner.master.wake();
        if taken == 0 && !data.is_empty() {
            inner.master.register(cx.waker());
            return Poll::Pending;
        }
        Poll::Ready((taken, signals))
    }

    fn poll_output(&self, cx: &Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut inner = lock(&self.inner);
        // What `^S` holds is echo too.
        let held = inner.discipline.output_stopped() && !inner.hung_up;
        if inner.output.is_empty() || held {
            if inner.hung_up {
                return Poll::Ready(None);
            }
            inner.master.register(cx.waker());
            return Poll::Pending;
        }
        let count = inner.output.len().min(32 * 1024);
        let bytes = inner.output.drain(..count).collect();
        inner.waiting.wake();
        Poll::Ready(Some(bytes))
    }
}

/// The outside's end of a terminal: what is typed goes in, what is shown comes out. Dropping it
/// hangs the terminal up.
#[derive(Debug)]
pub struct Master {
    pub(crate) tty: Arc<Tty>,
    pub(crate) kernel: Weak<Kernel>,
}

impl Master {
    /// Types `data`, waiting while too much typed input is unread. Keys that make signals (`^C`)
    /// take effect at once.
    pub async fn input(&self, mut data: &[u8]) {
        while !data.is_empty() {
            let (count, signals) = poll_fn(|cx| self.tty.accept(cx, data)).await;
            data = data.get(count..).unwrap_or_default();
            if let Some(kernel) = self.kernel.upgrade() {
                for signal in signals {
                    kernel.signal_group(self.tty.foreground(), signal);
                }
            }
        }
    }

    /// The next bytes to show, at most 32 KiB; `None` when the terminal was hung up. Cancel-safe.
    pub async fn output(&self) -> Option<Vec<u8>> {
        poll_fn(|cx| self.tty.poll_output(cx)).await
    }

    /// What is to be shown and has not been taken yet; does not wait.
    pub fn pending_output(&self) -> Vec<u8> {
        lock(&self.tty.inner).output.drain(..).collect()
    }

    /// Tells the terminal its new size; the foreground processes get `SIGWINCH`.
    pub fn resize(&self, size: WindowSize) {
        if self.tty.set_size(size)
            && let Some(kernel) = self.kernel.upgrade()
        {
            kernel.signal_group(self.tty.foreground(), Signal::WINCH);
        }
    }

    /// `/dev/pts/N`.
    pub fn path(&self) -> Vec<u8> {
        self.tty.path()
    }

    /// Changes the settings, as the modes of an SSH `pty-req` ask.
    pub fn set_termios(&self, termios: Termios) {
        self.tty.set_termios(termios, false);
    }

    /// The settings.
    pub fn termios(&self) -> Termios {
        self.tty.termios()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        self.tty.hang_up();
        if let Some(kernel) = self.kernel.upgrade() {
            kernel.hang_up(&self.tty);
        }
    }
}
