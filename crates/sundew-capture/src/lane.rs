//! The writer threads: jobs of one file always on the same thread, in order.
//!
//! Dedicated threads rather than a runtime's blocking pool: order comes for free, and a disk that
//! hangs holds up nothing but these threads. The queue itself is unbounded, its content is not:
//! jobs with data carry a permit of a byte budget, and besides those each open file has one job,
//! its last.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::{io, thread};

use tokio::sync::oneshot;

/// Threads that write. One `fsync` stops one of them; more would only queue inside the disk.
const THREADS: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// All writer threads. They end when this and every [`Lane`] are gone and their jobs are done.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    next: AtomicUsize,
}

/// The way to one writer thread.
#[derive(Debug, Clone)]
pub(crate) struct Lane(mpsc::Sender<Job>);

impl Lanes {
    pub(crate) fn start() -> io::Result<Self> {
        let lanes = (0..THREADS).map(start_thread).collect::<io::Result<_>>()?;
        Ok(Self {
            lanes,
            next: AtomicUsize::new(0),
        })
    }

    /// A lane for a new file: the threads take turns.
    pub(crate) fn pick(&self) -> Lane {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % THREADS;
        self.lanes[turn].clone()
    }

    /// Waits until every job queued so far is done.
    pub(crate) async fn drain(&self) {
        let barriers: Vec<_> = self
            .lanes
            .iter()
            .map(|lane| {
                let (done, wait) = oneshot::channel::<()>();
                lane.run(move || drop(done));
                wait
            })
            .collect();
        for barrier in barriers {
            // The sender is dropped rather than used, so this always ends in an error.
            drop(barrier.await);
        }
    }
}

impl Lane {
    /// Queues a job; it runs after all earlier ones of this lane.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        // The thread lives as long as a sender does, so this cannot fail.
        drop(self.0.send(Box::new(job)));
    }
}

/// Locks a mutex whose data is used by one lane at a time; a panic there must not spread.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start_thread(number: usize) -> io::Result<Lane> {
    let (sender, jobs) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name(format!("capture-{number}"))
        .spawn(move || {
            for job in jobs {
                if catch_unwind(AssertUnwindSafe(job)).is_err() {
                    // Whoever waits for the job's answer sees its channel closed and counts a loss.
                    tracing::error!("a capture job panicked; its file is lost");
                }
            }
        })?;
    Ok(Lane(sender))
}
