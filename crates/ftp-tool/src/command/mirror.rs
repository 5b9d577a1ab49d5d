//! `mirror`: one directory like another, down or up.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ftp_proto::reply::Code;
use futures_util::future::join_all;

use super::{Tally, manage, walk};
use crate::cli::{CompareBy, Links, Mirror, Verify};
use crate::console::{Event, Name};
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::filter::Filter;
use crate::local::Folder;
use crate::meter::Meter;
use crate::plan::{Action, Compare, Plan, Rules, Skip, Why, plan};
use crate::session::{Facts, Worker, join};
use crate::text::{human_size, printable};
use crate::transfer::{Outcome, blocking, download, upload, verify};
use crate::tree::{Node, RelPath, Tree};
use crate::url::Url;

mod act;
mod crew;

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Down,
    Up,
}

/// One mirror.
struct Run<'a> {
    context: &'a Context,
    options: &'a Mirror,
    way: Way,
    url: Url,
    folder: Folder,
    rules: Rules,
}

pub(super) async fn run(context: &Context, options: &Mirror) -> Result<u8, Failure> {
    let begun = Instant::now();
    let (way, url, path) = match (url(&options.source)?, url(&options.target)?) {
        (Some(url), None) => (Way::Down, url, &options.target),
        (None, Some(url)) => (Way::Up, url, &options.source),
        (Some(_), Some(_)) => {
            let what = "both are URLs; one of them has to be a local directory";
            return Err(Failure::new(Phase::Usage, what));
        }
        (None, None) => {
            let what = "neither is a URL; one begins with ftp://, ftps:// or ftpes://";
            return Err(Failure::new(Phase::Usage, what));
        }
    };
    let make = way == Way::Down && !options.dry_run;
    let folder = Folder::open(Path::new(path), make).map_err(|failure| match way {
        Way::Down if options.dry_run => failure.hint("without -n the directory is made"),
        _ => failure,
    })?;
    let run = Run {
        context,
        options,
        way,
        folder,
        rules: Rules {
            filter: Filter::new(&options.include, &options.exclude),
            delete: options.delete,
            compare: match options.compare {
                CompareBy::Time => Compare::SizeAndTime,
                CompareBy::Size => Compare::Size,
                CompareBy::Hash => Compare::Hash,
            },
        },
        url,
    };
    let server = context.server(&run.url)?;
    // Each connects when it has something to do.
    let most = options.jobs.map_or(crew::MOST, usize::from);
    let mut workers: Vec<Worker> = (0..most)
        .map(|_| Worker::in_series(Arc::clone(&server)))
        .collect();
    let status = run.mirror(&mut workers, begun).await;
    join_all(workers.iter_mut().map(Worker::quit)).await;
    status.map_err(|failure| failure.about(format!("mirror {}", run.url)))
}

fn url(text: &str) -> Result<Option<Url>, Failure> {
    if !Url::is_url(text) {
        return Ok(None);
    }
    Url::parse(text)
        .map(Some)
        .map_err(|error| Failure::new(Phase::Usage, error.to_string()))
}

impl Run<'_> {
    async fn mirror(&self, workers: &mut [Worker], begun: Instant) -> Result<u8, Failure> {
        let (folder, filter) = (self.folder.clone(), self.rules.filter.clone());
        let links = self.links(Way::Up);
        let local = async {
            blocking(move || Ok(folder.walk(&filter, links)))
                .await
                .map_err(|error| Failure::new(Phase::Local, error.to_string()))
        };
        let (local, remote) = tokio::join!(local, self.remote_tree(workers));
        let (local, remote) = (local?, remote?);
        let (source, target) = match self.way {
            Way::Down => (&remote, &local),
            Way::Up => (&local, &remote),
        };
        let plan = plan(source, target, &self.rules);
        self.remarks(source, target, &plan);
        if self.options.dry_run {
            self.show(&plan);
            return Ok(0);
        }
        let mut tally = Tally::default();
        self.act(workers, &plan.clear, &mut tally).await?;
        self.act(workers, &plan.directories, &mut tally).await?;
        let sizes = plan.transfers.iter().map(|action| match action {
            Action::Transfer { size, .. } => size.unwrap_or(0),
            _ => 0,
        });
        let meter = self.context.meter("all", Some(sizes.sum()), 0);
        let known = match self.way {
            Way::Down => &Tree::default(),
            Way::Up => &remote,
        };
        let moved = self
            .transfer(workers, &plan, known, &meter, &mut tally)
            .await;
        meter.bar().finish_and_clear();
        // What is gone from the source is removed last, and only if all else went well.
        self.act(workers, &plan.links, &mut tally).await?;
        let mut removed = plan.clear.len();
        if tally.failed == 0 {
            self.act(workers, &plan.removals, &mut tally).await?;
            removed += plan.removals.len();
        } else if !plan.removals.is_empty() {
            let text = "nothing was deleted, since not everything was transferred";
            self.context.console.note(text);
        }
        self.summary(&plan, moved, removed, &tally, &meter, begun);
        if tally.done == 0 && plan.unchanged > 0 {
            tally.done = 1;
        }
        Ok(tally.status())
    }

    /// What is done with links of the side that is the source when the bytes go this way: only there are
    /// they followed, and on both seen if they are to be the same.
    fn links(&self, source_of: Way) -> Links {
        match self.options.links {
            Links::Follow if self.way != source_of => Links::Skip,
            links => links,
        }
    }

    /// The server's tree, its directories listed by all workers at once.
    async fn remote_tree(&self, workers: &mut [Worker]) -> Result<Tree, Failure> {
        let top = &self.url.path;
        let most = self.options.jobs.map_or(crew::LISTING, usize::from);
        let crew = workers
            .get_mut(..most.min(workers.len()))
            .unwrap_or_default();
        let look = walk::Look {
            top,
            filter: &self.rules.filter,
            links: self.links(Way::Down),
        };
        match walk::with_workers(self.context, crew, look).await {
            Ok(tree) if tree.nodes.is_empty() && !top.is_empty() => {
                // Some servers list what is not there as empty, which must not pass for an empty
                // directory.
                let Some(worker) = workers.first_mut() else {
                    return Ok(tree);
                };
                let entered = worker.session().await?.change_directory(top).await;
                // It is somewhere else now.
                worker.quit().await;
                match entered {
                    Ok(()) => Ok(tree),
                    Err(error) => {
                        self.no_directory(worker, crate::session::failure(error))
                            .await
                    }
                }
            }
            Ok(tree) => Ok(tree),
            Err(failure) => match workers.first_mut() {
                Some(worker) => self.no_directory(worker, failure).await,
                None => Err(failure),
            },
        }
    }

    /// The server's directory cannot be listed: upwards it is made, downwards that is an error.
    async fn no_directory(&self, worker: &mut Worker, failure: Failure) -> Result<Tree, Failure> {
        let refused = failure
            .reply
            .as_ref()
            // 550 by most, 501 by pyftpdlib; what is wrong with it shows when it is made.
            .is_some_and(|reply| {
                let code = reply.code();
                code.number() / 100 == 5 && code != Code::NOT_LOGGED_IN
            });
        if self.way == Way::Down || !refused {
            let hint = format!("sundew ftp ls {}", self.url.at(parent(&self.url.path)));
            return Err(if refused { failure.hint(hint) } else { failure });
        }
        if !self.options.dry_run {
            let path = self.url.path.strip_suffix(b"/").unwrap_or(&self.url.path);
            manage::make_parents(worker.session().await?, path).await?;
        }
        Ok(Tree::default())
    }

    fn remarks(&self, source: &Tree, target: &Tree, plan: &Plan) {
        let console = &self.context.console;
        for (path, skip) in &plan.skipped {
            let why = why_skipped(*skip);
            console.event(&Event::Skipped {
                path: Name(path.as_bytes()),
                why,
            });
            console.note(&format!("{path}: left alone: {why}"));
        }
        for odd in source.unsafe_names.iter().chain(&target.unsafe_names) {
            let why = "the name could lead out of the directory";
            console.event(&Event::Skipped {
                path: Name(&odd.0),
                why,
            });
            console.note(&format!("left out: {odd}"));
        }
        for dark in source.unknown.iter().chain(&target.unknown) {
            console.note(&format!("{dark}/: could not be listed wholly"));
        }
    }

    fn show(&self, plan: &Plan) {
        let all = [
            &plan.clear,
            &plan.directories,
            &plan.transfers,
            &plan.links,
            &plan.removals,
        ];
        for action in all.into_iter().flatten() {
            let (name, words) = words(action);
            self.context.console.event(&Event::Action {
                action: name,
                path: Name(action.path().as_bytes()),
                done: false,
            });
            self.context
                .console
                .say(&format!("{words} {}", action.path()));
        }
        let text = format!("{} files are the same", plan.unchanged);
        self.context.console.note(&text);
    }

    /// Moves all files; gives how many were moved.
    async fn transfer(
        &self,
        workers: &mut [Worker],
        plan: &Plan,
        there: &Tree,
        meter: &Meter,
        tally: &mut Tally,
    ) -> usize {
        let count = match self.options.jobs {
            Some(jobs) => usize::from(jobs),
            None => crew::size(plan, Self::distance(workers)),
        };
        let waiting: Mutex<VecDeque<&Action>> = Mutex::new(plan.transfers.iter().collect());
        let shared = Mutex::new((std::mem::take(tally), 0_usize));
        let open = AtomicUsize::new(workers.iter().filter(|one| one.has_session()).count());
        let work = workers.iter_mut().take(count).map(|worker| async {
            // A server that has no room for one more has room for those that are there.
            if !worker.has_session() {
                match worker.session().await {
                    Ok(_) => {
                        open.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(failure) if failure.is_crowded && open.load(Ordering::Relaxed) > 0 => {
                        return;
                    }
                    // Met again, and tried again, with the first file.
                    Err(_) => {}
                }
            }
            loop {
                let next = waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                let Some(action) = next else { break };
                let begun = Instant::now();
                let result = self.one(worker, action, there, meter).await;
                if let Ok(outcome) = &result {
                    self.tell(action.path(), outcome, begun);
                }
                let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                match result {
                    Ok(outcome) => {
                        shared.0.good();
                        shared.1 += usize::from(outcome != Outcome::Unchanged);
                    }
                    Err(failure) => {
                        let failure = failure.about(action.path());
                        shared.0.bad(self.context, &failure);
                    }
                }
            }
        });
        join_all(work).await;
        let (all, moved) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        *tally = all;
        moved
    }

    /// How far the server is, as the first of its sessions has found it.
    fn distance(workers: &[Worker]) -> Duration {
        let first = workers.first();
        first.map_or(Duration::ZERO, |worker| worker.server().round_trip())
    }

    async fn one(
        &self,
        worker: &mut Worker,
        action: &Action,
        there: &Tree,
        meter: &Meter,
    ) -> Result<Outcome, Failure> {
        let Action::Transfer {
            path,
            size,
            modified,
            why,
        } = action
        else {
            return Ok(Outcome::Unchanged);
        };
        let remote = join(&self.url.path, path.as_bytes());
        if *why == Why::CompareFirst && self.same_content(worker, path, &remote).await? {
            return Ok(Outcome::Unchanged);
        }
        let time =
            |modified: crate::tree::Modified| ftp_proto::time::Timestamp::from_unix(modified.unix);
        // A bar of its own for what takes a while; small files only move the bar of all.
        let own = meter.fork();
        match self.way {
            Way::Down => {
                let job = download::Job {
                    remote,
                    folder: self.folder.clone(),
                    path: path.clone(),
                    facts: Some(Facts {
                        size: *size,
                        modified: modified.map(time),
                        is_directory: false,
                    }),
                    force: true,
                    restart: false,
                    segments: 1,
                    verify: self.options.verify,
                };
                download::to_folder(self.context, worker, &job, &own).await
            }
            Way::Up => {
                let facts = match there.nodes.get(path) {
                    Some(Node::File { size, modified }) => Some(Facts {
                        size: *size,
                        modified: modified.map(time),
                        is_directory: false,
                    }),
                    _ => None,
                };
                let job = upload::Job {
                    folder: self.folder.clone(),
                    path: path.clone(),
                    remote,
                    there: Some(facts),
                    force: true,
                    restart: false,
                    verify: self.options.verify,
                };
                upload::from_folder(self.context, worker, &job, &own).await
            }
        }
    }

    /// Whether both files of the same size have the same checksum.
    async fn same_content(
        &self,
        worker: &mut Worker,
        path: &RelPath,
        remote: &[u8],
    ) -> Result<bool, Failure> {
        let (folder, copy) = (self.folder.clone(), path.clone());
        let (file, stat) = blocking(move || folder.read(&copy))
            .await
            .map_err(|error| Failure::local(&self.folder.display_path(path), &error))?;
        let length = u64::try_from(stat.st_size).unwrap_or(0);
        match verify(worker, remote, file, length, Verify::Always).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.phase == Phase::Verify && failure.what.contains(" here") => {
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    fn tell(&self, path: &RelPath, outcome: &Outcome, begun: Instant) {
        if !self.context.console.is_json() {
            return;
        }
        let url = self.url.at(join(&self.url.path, path.as_bytes()));
        let local = self.folder.display_path(path);
        let local = std::os::unix::ffi::OsStrExt::as_bytes(local.as_os_str());
        let direction = match self.way {
            Way::Down => "down",
            Way::Up => "up",
        };
        super::report(self.context, direction, &url, Some(local), outcome, begun);
    }

    fn summary(
        &self,
        plan: &Plan,
        moved: usize,
        removed: usize,
        tally: &Tally,
        meter: &Meter,
        begun: Instant,
    ) {
        let seconds = begun.elapsed().as_secs_f64();
        let tried = plan.transfers.len();
        let unchanged = plan.unchanged + tried.saturating_sub(moved + tally.failed);
        self.context.console.event(&Event::Summary {
            transferred: moved,
            unchanged,
            removed,
            skipped: plan.skipped.len(),
            failed: tally.failed,
            bytes: meter.total(),
            seconds,
        });
        let mut text = format!(
            "{}: {moved} files, {} in {seconds:.1} s; {unchanged} were the same",
            printable(self.url.to_string().as_bytes()),
            human_size(meter.total()),
        );
        if removed > 0 {
            text += &format!("; {removed} removed");
        }
        if tally.failed > 0 {
            text += &format!("; {} failed", tally.failed);
        }
        self.context.console.note(&text);
    }
}

/// The directory a directory is in, as a URL has it.
fn parent(path: &[u8]) -> Vec<u8> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let end = path.iter().rposition(|byte| *byte == b'/');
    let end = end.map_or(0, |slash| slash + 1);
    path.get(..end).unwrap_or_default().to_vec()
}

const fn words(action: &Action) -> (&'static str, &'static str) {
    match action {
        Action::MakeDirectory(_) => ("make_directory", "make"),
        Action::MakeLink { .. } => ("make_link", "link"),
        Action::Transfer {
            why: Why::CompareFirst,
            ..
        } => ("compare", "compare"),
        Action::Transfer { .. } => ("transfer", "transfer"),
        Action::RemoveFile(_) => ("remove_file", "remove"),
        Action::RemoveDirectory(_) => ("remove_directory", "remove"),
    }
}

const fn why_skipped(skip: Skip) -> &'static str {
    match skip {
        Skip::NotAFile => "a link or device; see --links",
        Skip::LeadsOut => "the link could lead out of the directory",
        Skip::KindsDiffer => "a file on one side and a directory on the other; see --delete",
        Skip::Unknown => "not deleted, because the source is not known there",
    }
}
