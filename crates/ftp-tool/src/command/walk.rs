//! A directory of the server and everything below it.

use std::sync::{Mutex, PoisonError};

use ftp_proto::listing::Kind;
use futures_util::future::join_all;
use tokio::sync::Notify;

use super::retried;
use crate::cli::Links;
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::filter::Filter;
use crate::session::{self, Session, Worker, failure, join};
use crate::tree::{MAX_TREE_ENTRIES, Node, RelPath, Trail, Tree, UnsafeName};

mod link;

/// What a walk looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    /// The directory on the server.
    pub(super) top: &'a [u8],
    pub(super) filter: &'a Filter,
    pub(super) links: Links,
}

impl<'a> Look<'a> {
    /// Everything below a directory, links not followed.
    pub(super) const fn everything(top: &'a [u8], filter: &'a Filter) -> Self {
        Self {
            top,
            filter,
            links: Links::Skip,
        }
    }
}

/// Lists everything below the top, or so many levels of it. What cannot be listed, apart from the top
/// itself, is noted as unknown.
pub(super) async fn remote(
    session: &mut Session,
    look: Look<'_>,
    levels: Option<usize>,
) -> Result<Tree, Failure> {
    let mut tree = Tree::default();
    let mut open = vec![RelPath::top()];
    while let Some(directory) = open.pop() {
        if tree.nodes.len() > MAX_TREE_ENTRIES {
            tree.unknown.push(directory);
            continue;
        }
        let trail = tree.trail(&directory);
        match one(session, look, (&directory, &trail), &mut tree).await {
            Ok(found) => {
                let deeper = levels.is_none_or(|levels| directory.depth() + 1 < levels);
                if deeper {
                    open.extend(found);
                }
            }
            Err(failure) if directory == RelPath::top() || session.is_lost() => {
                return Err(failure);
            }
            Err(_refused) => tree.unknown.push(directory),
        }
    }
    Ok(tree)
}

/// Lists one directory into the tree; gives the directories in it.
pub(super) async fn one(
    session: &mut Session,
    look: Look<'_>,
    (directory, trail): (&RelPath, &Trail),
    tree: &mut Tree,
) -> Result<Vec<RelPath>, Failure> {
    let features = session.features().await.map_err(failure)?;
    let exact = features.has("MLST") || features.has("MLSD");
    let at = join(look.top, directory.as_bytes());
    let listing = session.list(&at).await.map_err(failure)?;
    if listing.unknown > 0 {
        // Something is there that was not understood: it must not count as absent.
        tree.unknown.push(directory.clone());
    }
    let mut directories = Vec::new();
    let mut links = Vec::new();
    for entry in listing.entries {
        let path = match directory.join(&entry.name) {
            Ok(path) => path,
            Err(UnsafeName(name)) => {
                tree.unsafe_names.push(UnsafeName(name));
                continue;
            }
        };
        let node = match &entry.kind {
            Kind::Directory => {
                if !look.filter.enters(path.as_bytes()) {
                    continue;
                }
                directories.push(path.clone());
                Node::Directory
            }
            Kind::File => Node::File {
                size: entry.size,
                modified: session::modified(&entry, exact),
            },
            Kind::Link { target } if look.links != Links::Skip => {
                links.push((path, target.clone()));
                continue;
            }
            _ => Node::Other,
        };
        tree.nodes.insert(path, node);
    }
    match look.links {
        Links::Skip => {}
        Links::Copy => link::texts(session, &at, links, tree).await?,
        Links::Follow => {
            let found = link::follow(session, look, (directory, trail), links, tree).await?;
            directories.extend(found);
        }
    }
    Ok(directories)
}

/// What the workers of a walk share.
struct Shared {
    open: Vec<RelPath>,
    /// Directories that are being listed.
    busy: usize,
    tree: Tree,
    failure: Option<Failure>,
    /// Workers that have had a session.
    open_sessions: usize,
}

/// As [`remote`], the directories listed by all workers at once; retried as the options say.
pub(super) async fn with_workers(
    context: &Context,
    workers: &mut [Worker],
    look: Look<'_>,
) -> Result<Tree, Failure> {
    let shared = Mutex::new(Shared {
        open: vec![RelPath::top()],
        busy: 0,
        tree: Tree::default(),
        failure: None,
        open_sessions: 0,
    });
    let changed = Notify::new();
    let work = workers
        .iter_mut()
        .map(|worker| work(context, worker, look, &shared, &changed));
    join_all(work).await;
    let shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    match shared.failure {
        Some(failure) => Err(failure),
        None => Ok(shared.tree),
    }
}

/// Whether the worker has a session, or at least nobody else has one: a server that has no room for one
/// more has room for those that are there, and they take the directory.
async fn joins(worker: &mut Worker, directory: &RelPath, shared: &Mutex<Shared>) -> bool {
    if worker.has_session() {
        return true;
    }
    let result = worker.session().await.map(drop);
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    match result {
        Ok(()) => shared.open_sessions += 1,
        Err(failure) if failure.is_crowded && shared.open_sessions > 0 => {
            shared.busy -= 1;
            shared.open.push(directory.clone());
            return false;
        }
        // Met again, and tried again, with the listing.
        Err(_) => {}
    }
    true
}

async fn work(
    context: &Context,
    worker: &mut Worker,
    look: Look<'_>,
    shared: &Mutex<Shared>,
    changed: &Notify,
) {
    loop {
        let mut wake = std::pin::pin!(changed.notified());
        wake.as_mut().enable();
        let next = {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if shared.failure.is_some() || (shared.open.is_empty() && shared.busy == 0) {
                return;
            }
            let next = shared.open.pop();
            shared.busy += usize::from(next.is_some());
            next.map(|directory| (shared.tree.trail(&directory), directory))
        };
        let Some((trail, directory)) = next else {
            wake.await;
            continue;
        };
        if !joins(worker, &directory, shared).await {
            changed.notify_waiters();
            return;
        }
        let mut found = Tree::default();
        let listed = retried(context, worker, async |session| {
            found = Tree::default();
            one(session, look, (&directory, &trail), &mut found).await
        })
        .await;
        {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.busy -= 1;
            match listed {
                Ok(mut below) => shared.open.append(&mut below),
                Err(failure) if directory == RelPath::top() => shared.failure = Some(failure),
                Err(_refused) => shared.tree.unknown.push(directory),
            }
            shared.tree.nodes.append(&mut found.nodes);
            shared.tree.unknown.append(&mut found.unknown);
            shared.tree.unsafe_names.append(&mut found.unsafe_names);
            shared.tree.followed.append(&mut found.followed);
            if shared.tree.nodes.len() > MAX_TREE_ENTRIES {
                let what = format!("more than {MAX_TREE_ENTRIES} entries");
                shared.failure = Some(Failure::new(Phase::List, what));
            }
        }
        changed.notify_waiters();
    }
}
