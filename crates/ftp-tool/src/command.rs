//! The commands of `sundew ftp`, one file each.

use std::time::Instant;

use crate::cli::Command;
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
        Command::Get(get) => get::run(context, get).await,
        Command::Put(put) => put::run(context, put).await,
        Command::Cat(cat) => get::cat(context, &cat.urls).await,
        Command::Copy(copy) => copy::run(context, copy).await,
        Command::Ls(ls) => list::ls(context, &ls.url, ls.long).await,
        Command::Tree(tree) => list::tree(context, &tree.url, tree.level).await,
        Command::Mirror(mirror) => mirror::run(context, mirror).await,
        Command::Rm(rm) => manage::rm(context, &rm.urls, rm.recursive).await,
        Command::Mv(mv) => manage::mv(context, &mv.url, &mv.to).await,
        Command::Mkdir(mkdir) => manage::mkdir(context, &mkdir.urls, mkdir.parents).await,
        Command::Shell(shell) => shell::run(context, &shell.url).await,
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
