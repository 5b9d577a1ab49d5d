//! One file over several connections at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::MissedTickBehavior;

use super::blocking;
use super::download::{Job, pump};
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::meter::Meter;
use crate::mover::Place;
use crate::part::{Part, Range, cut};
use crate::session::{self, Worker};

/// Files below this size are not worth a second connection, in bytes.
pub const WORTHWHILE_BYTES: u64 = 2 * LEAST_BYTES;

/// The smallest segment, in bytes.
const LEAST_BYTES: u64 = 1024 * 1024;

/// How often it is noted down what has come.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// What the workers share.
struct Shared {
    waiting: VecDeque<Range>,
    /// What is complete.
    done: Vec<Range>,
    /// What is on its way: where it began, and how much has come.
    moving: Vec<(u64, Meter)>,
    failures: Vec<Failure>,
}

/// Gets these ranges of a file, each over a connection of its own.
///
/// # Errors
///
/// The worst failure of any worker, if something is still missing then.
pub async fn fill(
    context: &Context,
    worker: &mut Worker,
    job: &Job,
    part: &Arc<Part>,
    gaps: Vec<Range>,
    meter: &Meter,
) -> Result<(), Failure> {
    let size = part.version().size.unwrap_or(0);
    let pieces = cut(&gaps, u64::from(job.segments), LEAST_BYTES);
    let count = pieces.len().min(usize::from(job.segments));
    let shared = Mutex::new(Shared {
        waiting: pieces.into(),
        done: crate::part::missing(size, &gaps),
        moving: Vec::new(),
        failures: Vec::new(),
    });
    let mut workers: Vec<Worker> = (1..count)
        .map(|_| Worker::new(Arc::clone(worker.server())))
        .collect();
    {
        let all = std::iter::once(worker).chain(&mut workers);
        let work = join_all(all.map(|worker| work(context, worker, job, part, &shared, meter)));
        let mut work = std::pin::pin!(work);
        let mut ticks = tokio::time::interval(NOTE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = &mut work => break,
                _ = ticks.tick() => note(part, &shared).await,
            }
        }
    }
    for worker in &mut workers {
        worker.quit().await;
    }
    note(part, &shared).await;
    let mut shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    if shared.waiting.is_empty() {
        return Ok(());
    }
    // What will not pass decides whether it is tried again.
    shared.failures.sort_by_key(|failure| failure.may_pass);
    let lost = || Failure::new(Phase::Transfer, "a segment is missing").passing();
    Err(shared.failures.into_iter().next().unwrap_or_else(lost))
}

/// Takes ranges until there are none left, or this worker's connection fails.
async fn work(
    context: &Context,
    worker: &mut Worker,
    job: &Job,
    part: &Part,
    shared: &Mutex<Shared>,
    meter: &Meter,
) {
    loop {
        let own = meter.fork();
        let range = {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(range) = shared.waiting.pop_front() else {
                return;
            };
            shared.moving.push((range.start, own.clone()));
            range
        };
        let result = one(context, worker, job, part, range, &own).await;
        let came = Range {
            start: range.start,
            end: range.end.min(range.start + own.total()),
        };
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.moving.retain(|(start, _)| *start != range.start);
        if came.end > came.start {
            shared.done.push(came);
        }
        if came.end < range.end {
            shared.waiting.push_front(Range {
                start: came.end,
                end: range.end,
            });
        }
        if let Err(failure) = result {
            shared.failures.push(failure);
            drop(shared);
            worker.lose();
            return;
        }
    }
}

async fn one(
    context: &Context,
    worker: &mut Worker,
    job: &Job,
    part: &Part,
    range: Range,
    meter: &Meter,
) -> Result<(), Failure> {
    let size = part.version().size;
    let file = part
        .clone_file()
        .map_err(|error| Failure::new(Phase::Local, error.to_string()))?;
    let session = worker.session().await?;
    let is_range = session.serves_ranges().await.map_err(session::failure)?;
    let mut download = session
        .retrieve_range(&job.remote, range.start, range.end)
        .await
        .map_err(session::failure)?;
    if download.offset() != range.start {
        let what = "the server does not send from the middle of a file";
        return Err(Failure::new(Phase::Transfer, what).hint("-j 1 --restart"));
    }
    let length = range.end - range.start;
    let place = Place::At(file, range.start);
    let moved = pump(&mut download, place, length, context.common.timeout, meter).await?;
    if moved < length {
        // Why is in the server's last word, if it has one.
        download.finish().await.map_err(session::failure)?;
        let what = format!("{moved} of {length} bytes of a segment came");
        return Err(Failure::new(Phase::Transfer, what).passing());
    }
    // With RANG, or at the end of the file, the server has no more to send.
    let ended = if is_range || size == Some(range.end) {
        download.finish().await.map(drop)
    } else {
        download.abort().await
    };
    // The bytes are here; a session that is in doubt is replaced.
    if ended.is_err() {
        worker.lose();
    }
    Ok(())
}

async fn note(part: &Arc<Part>, shared: &Mutex<Shared>) {
    let done = {
        let shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let moving = shared.moving.iter().map(|(start, meter)| Range {
            start: *start,
            end: start + meter.total(),
        });
        shared
            .done
            .iter()
            .copied()
            .chain(moving)
            .collect::<Vec<_>>()
    };
    let part = Arc::clone(part);
    // Without the note a later attempt does more than it has to, no more.
    blocking(move || part.write_note(Some(&done))).await.ok();
}
