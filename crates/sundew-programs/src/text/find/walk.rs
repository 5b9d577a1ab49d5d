//! Goes through directories.

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::Metadata;

use super::Follow;
use super::evaluate::Evaluator;
use super::expression::Parsed;
use crate::waiting::Waiting;

/// Deepest directory that is entered, as paths have an end.
const MAX_DEPTH: u64 = 2048;

/// A file that was come to.
pub(super) struct Visit<'a> {
    pub(super) path: &'a [u8],
    /// Bytes of the path that the operand takes.
    pub(super) operand: usize,
    pub(super) depth: u64,
    pub(super) metadata: &'a Metadata,
}

/// What is still to be done.
enum Task {
    Enter {
        path: Vec<u8>,
        depth: u64,
    },
    /// A directory whose contents were visited first.
    Leave {
        path: Vec<u8>,
        depth: u64,
        metadata: Box<Metadata>,
    },
}

pub(super) async fn run(proc: &mut Process, parsed: Parsed, paths: &[Vec<u8>]) -> ExitStatus {
    let mut evaluator = Evaluator::new(parsed);
    for path in paths {
        walk(proc, &mut evaluator, path).await;
        if evaluator.quit {
            break;
        }
    }
    evaluator.finish(proc).await;
    if evaluator.failed {
        ExitStatus::FAILURE
    } else {
        ExitStatus::SUCCESS
    }
}

/// `‘path’: reason`.
pub(super) async fn complain(proc: &mut Process, path: &[u8], errno: Errno) {
    let text = [
        "‘".as_bytes(),
        path,
        "’: ".as_bytes(),
        errno.message().as_bytes(),
    ]
    .concat();
    proc.complain_text(text).await;
}

async fn walk(proc: &mut Process, evaluator: &mut Evaluator, operand: &[u8]) {
    let mut tasks = Waiting::new(proc);
    let path = operand.to_vec();
    tasks
        .push(proc, Task::Enter { path, depth: 0 }, operand.len())
        .await;
    let mut root_device = None;
    while let Some(task) = tasks.pop() {
        proc.tick().await;
        if evaluator.quit {
            return;
        }
        let (path, depth) = match task {
            Task::Leave {
                path,
                depth,
                metadata,
            } => {
                visit(proc, evaluator, operand, &path, depth, &metadata).await;
                continue;
            }
            Task::Enter { path, depth } => (path, depth),
        };
        let follows = match evaluator.parsed.follow {
            Follow::Always => true,
            Follow::Operands => depth == 0,
            Follow::Never => false,
        };
        let found = if follows {
            proc.stat(&path).or_else(|_| proc.lstat(&path))
        } else {
            proc.lstat(&path)
        };
        let metadata = match found {
            Ok(metadata) => metadata,
            Err(errno) => {
                evaluator.failed = true;
                complain(proc, &path, errno).await;
                continue;
            }
        };
        let device = *root_device.get_or_insert(metadata.dev);
        let inside =
            evaluator.parsed.max_depth.is_none_or(|most| depth < most) && depth < MAX_DEPTH;
        let same_device = !evaluator.parsed.one_filesystem || metadata.dev == device;
        let mut enters = metadata.is_dir() && inside && same_device;
        if evaluator.parsed.contents_first {
            let leave = Task::Leave {
                path: path.clone(),
                depth,
                metadata: Box::new(metadata),
            };
            let bytes = path.len() + size_of::<Metadata>();
            tasks.push(proc, leave, bytes).await;
        } else {
            evaluator.prune = false;
            visit(proc, evaluator, operand, &path, depth, &metadata).await;
            enters &= !evaluator.prune;
        }
        if !enters || evaluator.quit {
            continue;
        }
        match entries(proc, &path) {
            Ok(names) => {
                let slash: &[u8] = if path.ends_with(b"/") { b"" } else { b"/" };
                for name in names.iter().rev() {
                    let (path, depth) = ([&path, slash, name].concat(), depth + 1);
                    let bytes = path.len();
                    tasks.push(proc, Task::Enter { path, depth }, bytes).await;
                }
            }
            Err(errno) => {
                evaluator.failed = true;
                complain(proc, &path, errno).await;
            }
        }
    }
}

/// The names in a directory that may be read.
fn entries(proc: &Process, path: &[u8]) -> Result<Vec<Box<[u8]>>, Errno> {
    let entries = proc.read_directory(path)?;
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}

async fn visit(
    proc: &mut Process,
    evaluator: &mut Evaluator,
    operand: &[u8],
    path: &[u8],
    depth: u64,
    metadata: &Metadata,
) {
    if depth < evaluator.parsed.min_depth {
        return;
    }
    let visit = Visit {
        path,
        operand: operand.len(),
        depth,
        metadata,
    };
    evaluator.evaluate(proc, &visit).await;
}
