//! One listed file.

use sundew_kernel::{Errno, Process};
use sundew_vfs::Metadata;

use super::option::Options;
use crate::coreutils::input::join;

/// A file as a listing needs it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    /// `None` if it could not be looked at; shown as `?`.
    pub(super) metadata: Option<Metadata>,
    /// Where a symbolic link leads, and what is there.
    pub(super) target: Option<(Vec<u8>, Option<Metadata>)>,
}

impl Entry {
    pub(super) fn unknown(name: Vec<u8>) -> Self {
        Self {
            name,
            metadata: None,
            target: None,
        }
    }

    /// Whether an operand is a directory to be listed.
    pub(super) fn is_directory(&self) -> bool {
        self.metadata.is_some_and(|metadata| metadata.is_dir())
    }

    /// Whether `-R` goes on here.
    pub(super) fn is_real_directory(&self, _options: &Options) -> bool {
        self.is_directory()
    }

    /// For `--group-directories-first`: links to directories count.
    pub(super) fn leads_to_directory(&self) -> bool {
        self.is_directory()
            || self
                .target
                .as_ref()
                .is_some_and(|(_, found)| found.is_some_and(|found| found.is_dir()))
    }
}

/// An operand: a link to a directory is that directory, unless details are shown.
pub(super) fn of_operand(proc: &Process, name: &[u8], options: &Options) -> Result<Entry, Errno> {
    let follow = options.dereference
        || options.dereference_operands
        || (!options.long() && !options.directory && !options.classify);
    let metadata = if follow {
        proc.stat(name).or_else(|errno| {
            if options.dereference {
                Err(errno)
            } else {
                proc.lstat(name)
            }
        })
    } else {
        proc.lstat(name)
    };
    let mut metadata = metadata?;
    // Without details, a link to something that is no directory is listed as a link.
    if follow && !options.dereference && !options.dereference_operands && !metadata.is_dir() {
        metadata = proc.lstat(name)?;
    }
    Ok(with_target(proc, name.to_vec(), name, metadata))
}

/// A name in a directory.
pub(super) fn of_name(
    proc: &Process,
    directory: &[u8],
    name: Vec<u8>,
    options: &Options,
) -> Result<Entry, (Vec<u8>, Errno)> {
    let path = join(directory, &name);
    let found = if options.dereference {
        proc.stat(&path)
    } else {
        proc.lstat(&path)
    };
    match found {
        Ok(metadata) => Ok(with_target(proc, name, &path, metadata)),
        Err(errno) => Err((name, errno)),
    }
}

fn with_target(proc: &Process, name: Vec<u8>, path: &[u8], metadata: Metadata) -> Entry {
    let target = metadata
        .is_symlink()
        .then(|| proc.read_link(path).ok())
        .flatten()
        .map(|target| (target, proc.stat(path).ok()));
    Entry {
        name,
        metadata: Some(metadata),
        target,
    }
}
