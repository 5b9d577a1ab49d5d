//! The future that runs a machine: it polls its processes, and keeps the machine to its CPU share.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream};
use sundew_vfs::Errno;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::budget::{Budget, Credit, Queued};
use crate::machine::Kernel;
use crate::observe::Observation;
use crate::process::deeper::Deeper;
use crate::process::exec::{ChildFuture, Image};
use crate::process::state::ProcessState;
use crate::{ExitStatus, Process, lock};

/// Slices after which a program that has not looked up is told of.
const LONG_SLICES: u32 = 250;

/// Runs one machine. Poll it (spawn it) for the machine to live; drop it to end every process.
///
/// It never completes. A poll runs for about [`crate::budget::Limits::slice`] at most; a machine
/// that used up its burst sleeps until its share allows more, and until then nothing of it runs.
#[must_use = "nothing on a machine runs unless its scheduler is polled"]
pub struct Scheduler {
    kernel: Arc<Kernel>,
    tasks: FuturesUnordered<Task>,
    /// CPU time that may still be used at once.
    credit: Credit,
    heavy: Option<Arc<Semaphore>>,
    waiting: Waiting,
}

/// What keeps a machine from running although its processes could.
enum Waiting {
    Nothing,
    /// For the machine's own share, or with others for that of their source.
    Share(BoxFuture<'static, ()>, Option<Queued>),
    Permit(BoxFuture<'static, Option<OwnedSemaphorePermit>>),
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl Scheduler {
    pub(crate) fn new(kernel: Arc<Kernel>, heavy: Option<Arc<Semaphore>>) -> Self {
        let limits = &kernel.limits;
        let mut credit = Credit::full(limits.cpu_burst, limits.cpu_share_percent.max(1) * 10);
        credit.accrue(kernel.clock.monotonic());
        let tasks = FuturesUnordered::new();
        Self {
            kernel,
            tasks,
            credit,
            heavy,
            waiting: Waiting::Nothing,
        }
    }

    fn take_inbox(&mut self, cx: &Context<'_>) {
        let mut inbox = lock(&self.kernel.inbox);
        inbox.waker = Some(cx.waker().clone());
        self.tasks.extend(inbox.tasks.drain(..));
    }

    /// Ends when no task is ready or, because tasks that find the slice over return, when it is over.
    fn poll_tasks(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(())) = Pin::new(&mut self.tasks).poll_next(cx) {
            self.take_inbox(cx);
        }
    }

    /// Lets those whose turn had come when the slice was over be the first of the next one.
    ///
    /// The one that used it up is ready again too and was so before them; were they called at once, of
    /// two that are always ready one would have every slice. So it is passed over as well, behind them.
    fn call_passed_over(&mut self, cx: &mut Context<'_>) {
        let mut known = 0;
        loop {
            let passed_over = lock(&self.kernel.passed_over).len();
            if passed_over == known {
                break;
            }
            known = passed_over;
            self.poll_tasks(cx);
        }
        for waker in std::mem::take(&mut *lock(&self.kernel.passed_over)) {
            waker.wake();
        }
    }

    /// Waits for share and permit where this machine needs them; the permit to hold for the slice.
    fn poll_allowed(&mut self, cx: &mut Context<'_>) -> Poll<Option<OwnedSemaphorePermit>> {
        loop {
            match &mut self.waiting {
                Waiting::Share(sleep, _queued) => {
                    ready!(sleep.as_mut().poll(cx));
                    self.waiting = Waiting::Nothing;
                }
                Waiting::Permit(acquire) => {
                    let permit = ready!(acquire.as_mut().poll(cx));
                    self.waiting = Waiting::Nothing;
                    return Poll::Ready(permit);
                }
                Waiting::Nothing => {
                    let now = self.kernel.clock.monotonic();
                    self.credit.accrue(now);
                    let slice = self.kernel.limits.slice;
                    // Less than a slice is as good as nothing: what accrues while one runs must not
                    // pay for the next.
                    if self.credit.left < slice {
                        // Two slices at once: more would be felt by those who wait behind them, fewer
                        // would only cost wake-ups.
                        let wait = slice * 2 * 100 / self.kernel.limits.cpu_share_percent.max(1);
                        self.waiting = Waiting::Share(self.kernel.clock.sleep(wait), None);
                        continue;
                    }
                    if let Some(source) = &self.kernel.source
                        && !source.allows(now, slice)
                    {
                        let (wait, queued) = source.queue(slice);
                        self.waiting = Waiting::Share(self.kernel.clock.sleep(wait), Some(queued));
                        continue;
                    }
                    let heavy = self.credit.left < self.kernel.limits.cpu_burst / 2;
                    if let Some(semaphore) = self.heavy.as_ref().filter(|_| heavy) {
                        let semaphore = Arc::clone(semaphore);
                        self.waiting = Waiting::Permit(Box::pin(async move {
                            semaphore.acquire_owned().await.ok()
                        }));
                        continue;
                    }
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl Future for Scheduler {
    type Output = std::convert::Infallible;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.take_inbox(cx);
        if this.tasks.is_empty() {
            return Poll::Pending;
        }
        let _permit = ready!(this.poll_allowed(cx));
        let (began, clock) = (this.kernel.clock.processor(), this.kernel.clock.monotonic());
        let end = clock + this.kernel.limits.slice;
        this.kernel.slice_end.store(nanos(end), Ordering::Relaxed);
        this.poll_tasks(cx);
        let used = this.kernel.clock.processor().saturating_sub(began);
        this.credit.spend(used);
        this.kernel.charge_cpu(used);
        this.kernel.load.note(clock + used);
        this.call_passed_over(cx);
        // A task submitted by the last one polled has found no waker to call.
        if !lock(&this.kernel.inbox).tasks.is_empty() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        let orphans = {
            let mut inbox = lock(&self.kernel.inbox);
            inbox.closed = true;
            std::mem::take(&mut inbox.tasks)
        };
        drop(orphans);
        self.tasks.clear();
        let states: Vec<_> = lock(&self.kernel.table)
            .processes
            .values()
            .cloned()
            .collect();
        for state in states.iter().filter(|state| !state.is_resident()) {
            self.kernel
                .finish(state, ExitStatus::Signaled(crate::Signal::KILL));
        }
    }
}

/// Nanoseconds; a machine does not live for the 584 years after which this saturates.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The future of one process, and its life: stopping, ending, becoming another program.
pub(crate) struct Task {
    kernel: Arc<Kernel>,
    state: Arc<ProcessState>,
    future: Option<ChildFuture>,
    /// Parts of the program that wait for one another, and it for the first; the last one runs.
    deeper: Vec<Deeper>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("pid", &self.state.pid)
            .finish_non_exhaustive()
    }
}

impl Task {
    /// Runs the body of a forked child.
    pub(crate) fn fork(kernel: &Arc<Kernel>, state: Arc<ProcessState>, future: ChildFuture) {
        kernel.submit(Self {
            kernel: Arc::clone(kernel),
            state,
            future: Some(future),
            deeper: Vec::new(),
        });
    }

    /// Runs a program in a process made for it.
    pub(crate) fn image(kernel: &Arc<Kernel>, state: Arc<ProcessState>, image: Image) {
        let future = Self::run_image(kernel, &state, image);
        Self::fork(kernel, state, future);
    }

    /// Runs the program at `path` with the arguments and environment that `state` has already.
    pub(crate) fn exec(
        kernel: &Arc<Kernel>,
        state: Arc<ProcessState>,
        path: &[u8],
    ) -> Result<(), Errno> {
        let (args, env) = {
            let inner = lock(&state.inner);
            (inner.args.clone(), inner.env.clone())
        };
        let mut process = Process::new(
            Arc::clone(kernel),
            Arc::clone(&state),
            args.clone(),
            env.clone(),
        );
        let path = path.to_vec();
        let future: ChildFuture = Box::pin(async move {
            let _errno = process.exec(&path, args, env).await;
            ExitStatus::Exited(127)
        });
        Self::fork(kernel, state, future);
        Ok(())
    }

    fn run_image(kernel: &Arc<Kernel>, state: &Arc<ProcessState>, image: Image) -> ChildFuture {
        let run = image.run;
        let mut process =
            Process::new(Arc::clone(kernel), Arc::clone(state), image.args, image.env);
        Box::pin(async move {
            if !image.complaint.is_empty() {
                process.print_error(&image.complaint).await;
            }
            let status = run(&mut process).await;
            process.finish_output(status).await
        })
    }

    /// Ends the process; drops its future first, so that what it held is free.
    fn end(&mut self, status: ExitStatus) -> Poll<()> {
        self.deeper = Vec::new();
        self.future = None;
        self.kernel.finish(&self.state, status);
        Poll::Ready(())
    }

    /// What a pending signal or `execve` asks for, before or after the program ran.
    fn attend(&mut self, cx: &Context<'_>) -> Option<Poll<()>> {
        let mut inner = lock(&self.state.inner);
        inner.set_task(cx.waker());
        // What is stopped ends of `SIGKILL` alone, which lets it go on; of all else when it goes on.
        if inner.stopped.is_some() {
            return Some(Poll::Pending);
        }
        if let Some(signal) = inner.fatal {
            drop(inner);
            return Some(self.end(ExitStatus::Signaled(signal)));
        }
        if let Some(image) = inner.next_image.take() {
            drop(inner);
            // The old program is dropped before the new one is made: nothing accumulates however
            // often a process replaces itself.
            self.deeper = Vec::new();
            self.future = None;
            self.future = Some(Self::run_image(&self.kernel, &self.state, image));
            cx.waker().wake_by_ref();
            return Some(Poll::Pending);
        }
        None
    }

    fn poll_deepest(&mut self, cx: &mut Context<'_>) -> Poll<ExitStatus> {
        loop {
            let answer = match (self.deeper.last_mut(), &mut self.future) {
                (Some(deepest), _) => match deepest.poll(cx) {
                    Poll::Ready(()) => {
                        self.deeper.pop();
                        continue;
                    }
                    Poll::Pending => Poll::Pending,
                },
                (None, Some(future)) => future.as_mut().poll(cx),
                (None, None) => Poll::Pending,
            };
            match self.state.take_deeper() {
                Some(next) => self.deeper.push(next),
                None => return answer,
            }
        }
    }

    fn charge(&self, used: Duration) {
        let spent = self.state.charge_cpu(&self.kernel, used);
        let limits = &self.kernel.limits;
        if spent > limits.process_cpu {
            self.kernel.spend(&self.state, Budget::ProcessCpu);
        } else if let Some(budget) = self.kernel.over_cpu()
            && !self.state.leads_session()
        {
            // However short its processes live, a fork bomb ends here; the login's shell stays.
            self.kernel.spend(&self.state, budget);
        }
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(answer) = self.attend(cx) {
            return answer;
        }
        let now = self.kernel.clock.monotonic();
        if nanos(now) >= self.kernel.slice_end.load(Ordering::Relaxed) {
            lock(&self.kernel.passed_over).push(cx.waker().clone());
            return Poll::Pending;
        }
        if self.future.is_none() {
            return Poll::Ready(());
        }
        let began = self.kernel.clock.processor();
        let answer = self.poll_deepest(cx);
        self.charge(self.kernel.clock.processor().saturating_sub(began));
        let used = self.kernel.clock.monotonic().saturating_sub(now);
        if used > self.kernel.limits.slice * LONG_SLICES {
            let program = lock(&self.state.inner).name.clone();
            self.kernel.observer.observe(Observation::LongSlice {
                pid: self.state.pid,
                program,
                lasted: used,
            });
        }
        match answer {
            Poll::Ready(status) => {
                // A signal that arrived in the last moment counts, as in a real kernel's exit path.
                let fatal = lock(&self.state.inner).fatal;
                self.end(fatal.map_or(status, ExitStatus::Signaled))
            }
            Poll::Pending => self.attend(cx).unwrap_or(Poll::Pending),
        }
    }
}
