//! The commands of `sundew ftp`, one file each.

use std::time::Instant;

use crate::cli::{Command, With};
use crate::console::{Event, Name};
use crate::context::Context;
use crate::failure::{Failure, Phase, STATUS_PARTIAL};
use crate::session::{Session, Worker};
use crate::text::human_size;
use crate::transfer::{Outcome, persist};
use crate::url::Url;

mod copy;
mod get;
mod list;
mod manage;
mod mirror;
mod put;
mod shell;
mod walk;

/// How many of several things failed, and how.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    done: usize,
    failed: usize,
    /// The status of the first failure.
    status: u8,
}

impl Tally {
    pub(crate) const fn good(&mut self) {
        self.done += 1;
    }

    pub(crate) fn bad(&mut self, context: &Context, failure: &Failure) {
        context.console.failure(failure);
        self.failed += 1;
        if self.status == 0 {
            self.status = failure.phase.status();
        }
    }

    /// The exit status: that of the failure if there was nothing else.
    pub(crate) const fn status(&self) -> u8 {
        if self.failed > 0 && self.done > 0 {
            STATUS_PARTIAL
        } else {
            self.status
        }
    }
}

/// Does what the command line says; gives the exit status.
pub(crate) async fn run(command: &Command, context: &Context) -> u8 {
    let result = match command {
        Command::Get(With { own, .. }) => get::run(context, own).await,
        Command::Put(With { own, .. }) => put::run(context, own).await,
        Command::Cat(With { own, .. }) => get::cat(context, &own.urls).await,
        Command::Copy(With { own, .. }) => copy::run(context, own).await,
        Command::Ls(With { own, .. }) => list::ls(context, &own.url, own.long).await,
        Command::Tree(With { own, .. }) => list::tree(context, &own.url, own.level).await,
        Command::Mirror(With { own, .. }) => mirror::run(context, own).await,
        Command::Rm(With { own, .. }) => manage::rm(context, &own.urls, own.recursive).await,
        Command::Mv(With { own, .. }) => manage::mv(context, &own.url, &own.to).await,
        Command::Mkdir(With { own, .. }) => manage::mkdir(context, &own.urls, own.parents).await,
        Command::Shell(With { own, .. }) => shell::run(context, &own.url).await,
    };
    match result {
        Ok(status) => status,
        Err(failure) => {
            context.console.failure(&failure);
            failure.phase.status()
        }
    }
}

/// Does something that can be done again, again, as long as it may help.
pub(crate) async fn retried<T>(
    context: &Context,
    worker: &mut Worker,
    mut act: impl AsyncFnMut(&mut Session) -> Result<T, Failure>,
) -> Result<T, Failure> {
    persist(context, worker, None, async |worker| {
        act(worker.session().await?).await
    })
    .await
}

/// A worker for the server of a URL.
pub(crate) fn worker(context: &Context, url: &Url) -> Result<Worker, Failure> {
    context.server(url).map(Worker::new)
}

/// URLs of one server follow each other on one session; says whether two are of the same.
pub(crate) fn same_server(a: &Url, b: &Url) -> bool {
    a.at("") == b.at("")
}

/// Tells of a file that was transferred, or was not.
pub(crate) fn report(
    context: &Context,
    direction: &'static str,
    url: &Url,
    local: Option<&[u8]>,
    outcome: &Outcome,
    begun: Instant,
) {
    let seconds = begun.elapsed().as_secs_f64();
    match outcome {
        Outcome::Unchanged => {
            context.console.event(&Event::Unchanged {
                url: url.to_string(),
            });
            context.console.note(&format!("{url}: the same already"));
        }
        Outcome::Done {
            bytes,
            resumed_from,
            checksum,
        } => {
            context.console.event(&Event::Transferred {
                direction,
                url: url.to_string(),
                local: local.map(Name),
                bytes: *bytes,
                resumed_from: *resumed_from,
                seconds,
                checksum: checksum.clone(),
            });
            let mut text = format!("{url}: {}", human_size(*bytes));
            if *resumed_from > 0 {
                text += &format!(" (after {} from before)", human_size(*resumed_from));
            }
            text += &format!(" in {seconds:.1} s");
            if let Some(checksum) = checksum {
                text += &format!(", {} checked", checksum.algorithm);
            }
            context.console.note(&text);
        }
    }
}

/// A path that a URL has to have.
pub(crate) fn file_of(url: &Url) -> Result<&[u8], Failure> {
    url.file_name().ok_or_else(|| {
        Failure::new(Phase::Usage, format!("{url} names a directory, not a file"))
            .hint("sundew ftp mirror for whole directories, sundew ftp ls to look")
    })
}

/// Where to look when something is not there: the directory above.
pub(crate) fn absent(failure: Failure, url: &Url) -> Failure {
    let refused = failure
        .reply
        .as_ref()
        .is_some_and(|reply| reply.code().number() == 550);
    let path = url.path.strip_suffix(b"/").unwrap_or(&url.path);
    if !refused || path.is_empty() {
        return failure;
    }
    let end = path.iter().rposition(|byte| *byte == b'/');
    let directory = path.get(..end.map_or(0, |end| end + 1));
    let failure = Failure {
        hint: None,
        ..failure
    };
    failure.hint(format!(
        "sundew ftp ls {}",
        url.at(directory.unwrap_or_default())
    ))
}
