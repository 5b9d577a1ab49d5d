//! `SOURCE... TARGET`: where cp, mv, ln and install put things.

use sundew_kernel::Process;

use super::input;
use crate::quote;

/// What `-t` and `-T` said.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) directory: Option<Vec<u8>>,
    pub(super) no_directory: bool,
}

/// One thing to do.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) source: Vec<u8>,
    pub(super) target: Vec<u8>,
    /// The directory that the target is put into; empty if it is the target itself.
    pub(super) directory: Vec<u8>,
}

/// Pairs each source with its target; `None` after a complaint. With `whole` the source's whole path
/// is kept below the directory (`cp --parents`).
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn settle(
    proc: &mut Process,
    mut operands: Vec<Vec<u8>>,
    place: &Place,
    whole: bool,
) -> Option<Vec<Job>> {
    let needed = if place.directory.is_some() { 1 } else { 2 };
    if operands.len() < needed {
        match operands.first() {
            Some(only) => {
                let only = quote::always(proc, only);
                let text = [b"missing destination file operand after ", only.as_slice()].concat();
                proc.complain_text(text).await;
                crate::getopt::try_help(proc, 1).await
            }
            None => input::refuse_text(proc, "missing file operand").await,
        };
        return None;
    }
    if place.no_directory {
        if place.directory.is_some() {
            input::refuse_text(
                proc,
                "cannot combine --target-directory (-t) and --no-target-directory (-T)",
            )
            .await;
            return None;
        }
        if let Some(extra) = operands.get(2) {
            input::extra_operand(proc, extra).await;
            return None;
        }
    }
    let directory = match &place.directory {
        Some(directory) => {
            if !is_directory(proc, directory) {
                let errno = proc
                    .stat(directory)
                    .err()
                    .unwrap_or(sundew_kernel::Errno::Enotdir);
                // The words differ from one program to the other.
                let is_enotdir = errno == sundew_kernel::Errno::Enotdir;
                let own = proc.base_name();
                let what = if own == b"install" || own == b"ln" && !is_enotdir {
                    "failed to access"
                } else {
                    "target directory"
                };
                input::complain_about(proc, what, directory, errno).await;
                return None;
            }
            directory.clone()
        }
        None => {
            let last = operands.pop()?;
            if !place.no_directory && is_directory(proc, &last) {
                last
            } else if operands.len() > 1 {
                let errno = proc
                    .stat(&last)
                    .err()
                    .unwrap_or(sundew_kernel::Errno::Enotdir);
                let shown = quote::always(proc, &last);
                proc.complain(&[b"target ", shown.as_slice()].concat(), errno)
                    .await;
                return None;
            } else {
                let source = operands.pop()?;
                return Some(vec![Job {
                    source,
                    target: last,
                    directory: Vec::new(),
                }]);
            }
        }
    };
    Some(
        operands
            .into_iter()
            .map(|source| {
                let name = if whole {
                    input::trim_slashes(&source)
                } else {
                    input::base(&source)
                };
                // `cp -r .. dir` copies into dir itself.
                let target = if name == b".." || name == b"." && !whole {
                    input::join(&directory, if name == b".." { b"." } else { name })
                } else {
                    input::join(&directory, name)
                };
                Job {
                    source,
                    target,
                    directory: directory.clone(),
                }
            })
            .collect(),
    )
}

fn is_directory(proc: &Process, path: &[u8]) -> bool {
    proc.stat(path).is_ok_and(|found| found.is_dir())
}
