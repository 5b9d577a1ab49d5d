//! The deadlines of bytes on the way.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::config::Limits;

/// What time has brought.
pub(super) enum Event {
    /// The control connection wants a sign of life.
    KeepAlive,
    /// This deadline is over.
    Over(Duration),
}

/// Timers that are only looked at when nothing moves, so that a fast transfer never reads a clock.
pub(super) struct Watch {
    stall: Timer,
    /// What `stall` is set to after the first byte.
    between: Duration,
    progressed: bool,
    whole: Option<Timer>,
    keep_alive: Option<Timer>,
    /// Set by the final reply.
    after_final: Option<Timer>,
}

struct Timer {
    sleep: Pin<Box<Sleep>>,
    limit: Duration,
}

impl Watch {
    pub(super) fn new(limits: &Limits, keep_alive: Option<Duration>) -> Self {
        Self {
            stall: Timer::new(limits.first_byte),
            between: limits.stall,
            progressed: false,
            whole: limits.whole.map(Timer::new),
            keep_alive: keep_alive.map(Timer::new),
            after_final: None,
        }
    }

    pub(super) const fn progress(&mut self) {
        self.progressed = true;
    }

    /// No more signs of life: the server does not bear them.
    pub(super) fn leave_alone(&mut self) {
        self.keep_alive = None;
    }

    pub(super) fn confirmed(&mut self, limit: Duration) {
        self.after_final = Some(Timer::new(limit));
    }

    /// Ready each time a sign of life is due.
    pub(super) fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = &mut self.keep_alive
            && timer.is_over(cx)
        {
            timer.restart(timer.limit);
            return Poll::Ready(());
        }
        Poll::Pending
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.poll_keep_alive(cx).is_ready() {
            return Poll::Ready(Event::KeepAlive);
        }
        for timer in self.whole.iter_mut().chain(&mut self.after_final) {
            if timer.is_over(cx) {
                return Poll::Ready(Event::Over(timer.limit));
            }
        }
        while self.stall.is_over(cx) {
            if !std::mem::take(&mut self.progressed) {
                return Poll::Ready(Event::Over(self.stall.limit));
            }
            self.stall.restart(self.between);
        }
        Poll::Pending
    }
}

impl Timer {
    fn new(limit: Duration) -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(limit)),
            limit,
        }
    }

    fn restart(&mut self, limit: Duration) {
        self.limit = limit;
        let until = Instant::now() + limit;
        self.sleep.as_mut().reset(until);
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.sleep.as_mut().poll(cx).is_ready()
    }
}
