//! Trees of files, one visit at a time: fts(3) as far as rm, chmod, chown and du need it.

use sundew_kernel::{Errno, Process};
use sundew_vfs::Metadata;

use super::input::join;
use crate::waiting::Waiting;

/// Why a file is visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A directory, before its entries.
    Before,
    /// A directory, after its entries.
    After,
    /// Anything else.
    File,
    /// A directory whose entries cannot be read; it is visited once more as [`Stage::After`].
    Unreadable(Errno),
    /// It cannot be looked at.
    Missing(Errno),
}

/// One file of a tree.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) path: Vec<u8>,
    /// `None` if it cannot be looked at.
    pub(crate) metadata: Option<Metadata>,
    pub(crate) stage: Stage,
    /// 0 for the operand itself.
    pub(crate) depth: usize,
}

/// Which symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// None: `-P`.
    Never,
    /// The operand: `-H`.
    Operand,
    /// All: `-L`.
    Always,
}

enum Step {
    Look {
        path: Vec<u8>,
        depth: usize,
    },
    After {
        path: Vec<u8>,
        metadata: Metadata,
        depth: usize,
    },
}

/// A walk through one tree. Memory is charged for what is still to come.
pub(crate) struct Walk {
    steps: Waiting<Step>,
    /// A directory that was just announced and will be read next.
    pending: Option<(Vec<u8>, Metadata, usize)>,
    follow: Follow,
    recursive: bool,
    root: Option<Vec<u8>>,
}

impl Walk {
    /// A walk from `root`; without `recursive` directories are not entered.
    pub(crate) fn new(proc: &Process, root: &[u8], follow: Follow, recursive: bool) -> Self {
        Self {
            steps: Waiting::new(proc),
            pending: None,
            follow,
            recursive,
            root: Some(root.to_vec()),
        }
    }

    /// Whether the directory just visited will be entered, and visited again afterwards.
    pub(crate) fn enters(&self) -> bool {
        self.pending.is_some()
    }

    /// Leaves out the entries of the directory just visited.
    pub(crate) fn skip(&mut self) {
        self.pending = None;
    }

    /// The next visit; `None` when all is done.
    #[expect(
        clippy::too_many_lines,
        reason = "one thing from top to bottom, in the order of the manual"
    )]
    pub(crate) async fn next(&mut self, proc: &Process) -> Option<Visit> {
        proc.tick().await;
        if let Some((path, metadata, depth)) = self.pending.take() {
            match proc.read_directory(&path) {
                Ok(mut entries) => {
                    self.push(
                        proc,
                        Step::After {
                            path: path.clone(),
                            metadata,
                            depth,
                        },
                    )
                    .await;
                    entries.reverse();
                    for entry in entries {
                        let path = join(&path, &entry.name);
                        self.push(
                            proc,
                            Step::Look {
                                path,
                                depth: depth + 1,
                            },
                        )
                        .await;
                    }
                }
                Err(errno) => {
                    self.push(
                        proc,
                        Step::After {
                            path: path.clone(),
                            metadata,
                            depth,
                        },
                    )
                    .await;
                    let stage = Stage::Unreadable(errno);
                    return Some(Visit {
                        path,
                        metadata: Some(metadata),
                        stage,
                        depth,
                    });
                }
            }
        }
        if let Some(path) = self.root.take() {
            self.push(proc, Step::Look { path, depth: 0 }).await;
        }
        let (path, depth) = match self.steps.pop()? {
            Step::After {
                path,
                metadata,
                depth,
            } => {
                return Some(Visit {
                    path,
                    metadata: Some(metadata),
                    stage: Stage::After,
                    depth,
                });
            }
            Step::Look { path, depth } => (path, depth),
        };
        let follow = match self.follow {
            Follow::Never => false,
            Follow::Operand => depth == 0,
            Follow::Always => true,
        };
        let looked = if follow {
            proc.stat(&path).or_else(|_| proc.lstat(&path))
        } else {
            proc.lstat(&path)
        };
        let metadata = match looked {
            Ok(metadata) => metadata,
            Err(errno) => {
                return Some(Visit {
                    path,
                    metadata: None,
                    stage: Stage::Missing(errno),
                    depth,
                });
            }
        };
        let stage = if metadata.is_dir() {
            Stage::Before
        } else {
            Stage::File
        };
        if metadata.is_dir() && self.recursive {
            self.pending = Some((path.clone(), metadata, depth));
        }
        Some(Visit {
            path,
            metadata: Some(metadata),
            stage,
            depth,
        })
    }

    async fn push(&mut self, proc: &Process, step: Step) {
        let (Step::Look { path, .. } | Step::After { path, .. }) = &step;
        let bytes = path.len();
        self.steps.push(proc, step, bytes).await;
    }
}
