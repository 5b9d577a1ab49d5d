//! Nesting without a deep stack: a part of a program that runs as a future of its own.
//!
//! A future that awaits another one polls it, so that what is nested a thousand times takes a thousand
//! frames of the host's stack at each poll. What is handed to [`Process::deeper`] is polled by the
//! scheduler instead, while the future that waits for it is not polled at all.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

use super::Process;
use crate::lock;

/// What runs in place of the future that asked for it.
pub(crate) struct Deeper(BoxFuture<'static, ()>);

impl Deeper {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl fmt::Debug for Deeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deeper")
    }
}

impl Process {
    /// Runs `body` on a stack of its own and waits for it. The body has the process meanwhile and gives
    /// it back; not to be used within a `select`, since the caller is not polled until then.
    pub async fn deeper<T, F>(&mut self, body: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(Self) -> BoxFuture<'static, (Self, T)>,
    {
        let hollow = Self::new(
            Arc::clone(&self.kernel),
            Arc::clone(&self.state),
            Vec::new(),
            crate::environment::Environment::default(),
        );
        let own = std::mem::replace(self, hollow);
        let result = Arc::new(Mutex::new(None));
        let told = Arc::clone(&result);
        let run = body(own);
        lock(&self.state.inner).deeper = Some(Deeper(Box::pin(async move {
            let done = run.await;
            *lock(&told) = Some(done);
        })));
        let (own, answer) = poll_fn(|_cx| match lock(&result).take() {
            Some(done) => Poll::Ready(done),
            None => Poll::Pending,
        })
        .await;
        *self = own;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExitStatus;
    use crate::budget::Limits;
    use crate::program::Program;
    use crate::testing::run;

    /// Counts down by recursion, each level a future of its own.
    fn down(proc: &mut Process, left: u32) -> BoxFuture<'_, u32> {
        Box::pin(async move {
            proc.tick().await;
            if left == 0 {
                return 0;
            }
            let below = proc.deeper(move |mut proc| {
                Box::pin(async move {
                    let count = down(&mut proc, left - 1).await;
                    (proc, count)
                })
            });
            below.await + 1
        })
    }

    async fn dive(proc: &mut Process) -> ExitStatus {
        let count = down(proc, 100_000).await;
        let name = proc.name().to_vec();
        ExitStatus::Exited(u8::from(count != 100_000 || name != b"dive"))
    }

    #[test]
    fn a_hundred_thousand_levels_fit_any_stack() {
        const PROGRAMS: &[Program] = &[Program {
            name: "dive",
            run: |proc| Box::pin(dive(proc)),
        }];
        let finished = run(PROGRAMS, &["dive"], b"", Limits::default());
        assert_eq!(finished.status, Some(ExitStatus::SUCCESS));
    }
}
