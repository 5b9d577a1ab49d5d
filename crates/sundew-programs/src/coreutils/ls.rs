//! ls(1), dir(1), vdir(1).
//!
//! Options are read in [`option`], the order of files is [`order`]'s, colours are [`color`]'s and
//! [`layout`] sets columns.

mod color;
mod entry;
mod layout;
mod option;
mod order;

use std::collections::HashSet;

use sundew_kernel::budget::Memory;
use sundew_kernel::{ExitStatus, Process};

use super::input;
use crate::quote;
use crate::users::Directory;
pub(super) use color::DATABASE;
use entry::Entry;
pub(super) use option::knows_terminal;
use option::{Format, Hidden, Options};

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    list(proc, option::Program::Ls).await
}

pub(crate) async fn run_dir(proc: &mut Process) -> ExitStatus {
    list(proc, option::Program::Dir).await
}

pub(crate) async fn run_vdir(proc: &mut Process) -> ExitStatus {
    list(proc, option::Program::Vdir).await
}

/// Bytes charged for a listed file besides its name.
const ENTRY_BYTES: usize = size_of::<Entry>();

/// What one run needs everywhere.
struct Listing {
    options: Options,
    names: Directory,
    memory: Memory,
    /// Something was printed: the next directory is set apart by a blank line.
    printed: bool,
    headings: bool,
    status: u8,
}

async fn list(proc: &mut Process, program: option::Program) -> ExitStatus {
    let (options, operands) = match option::read(proc, program).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let names = if options.format == Format::Long {
        Directory::load(proc).await
    } else {
        Directory::default()
    };
    let headings = options.recursive || operands.len() > 1;
    let memory = proc.memory();
    let mut listing = Listing {
        options,
        names,
        memory,
        printed: false,
        headings,
        status: 0,
    };
    let operands = if operands.is_empty() {
        vec![b".".to_vec()]
    } else {
        operands
    };
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for name in operands {
        match entry::of_operand(proc, &name, &listing.options) {
            Ok(entry) if entry.is_directory() && !listing.options.directory => {
                directories.push(entry)
            }
            Ok(entry) => files.push(entry),
            Err(errno) => {
                input::complain_about(proc, "cannot access", &name, errno).await;
                listing.status = 2;
            }
        }
    }
    order::sort(&mut files, &listing.options);
    order::sort(&mut directories, &listing.options);
    if !files.is_empty() {
        if !layout::print(
            proc,
            &files,
            &listing.options,
            &listing.names,
            Some(&directories),
        )
        .await
        {
            return proc.status();
        }
        listing.printed = true;
    }
    visit(proc, &mut listing, directories).await;
    ExitStatus::Exited(listing.status)
}

/// Lists directories, and with `-R` what is below them.
async fn visit(proc: &mut Process, listing: &mut Listing, directories: Vec<Entry>) {
    let mut seen = HashSet::new();
    let mut waiting: Vec<(Vec<u8>, bool)> = directories
        .into_iter()
        .rev()
        .map(|entry| (entry.name, true))
        .collect();
    while let Some((path, is_operand)) = waiting.pop() {
        proc.tick().await;
        if listing.options.recursive && listing.options.dereference {
            // A loop of links would never end.
            if let Ok(found) = proc.stat(&path)
                && !seen.insert((found.dev, found.ino))
            {
                continue;
            }
        }
        let entries = match read(proc, listing, &path).await {
            Ok(entries) => entries,
            Err(errno) => {
                input::complain_about(proc, "cannot open directory", &path, errno).await;
                listing.status = if is_operand { 2 } else { listing.status.max(1) };
                continue;
            }
        };
        if !heading(proc, listing, &path).await
            || !layout::print(proc, &entries, &listing.options, &listing.names, None).await
        {
            return;
        }
        listing.printed = true;
        if listing.options.recursive {
            let below = entries.into_iter().rev().filter(|entry| {
                entry.is_real_directory(&listing.options)
                    && entry.name != b"."
                    && entry.name != b".."
            });
            for entry in below {
                let below = input::join(&path, &entry.name);
                if listing.memory.grow(below.len() + ENTRY_BYTES).is_err() {
                    proc.out_of_memory().await;
                }
                waiting.push((below, false));
            }
        }
    }
}

async fn heading(proc: &mut Process, listing: &Listing, path: &[u8]) -> bool {
    if !listing.headings {
        return true;
    }
    let blank: &[u8] = if listing.printed { b"\n" } else { b"" };
    let shown = if listing.options.shell_quotes() {
        let force = path.contains(&b':');
        quote::shell(path, listing.options.locale, force)
    } else {
        listing.options.quoted(path)
    };
    proc.print(&[blank, &shown, b":\n"].concat()).await.is_ok()
}

/// The entries to show of a directory, in order.
async fn read(
    proc: &mut Process,
    listing: &mut Listing,
    path: &[u8],
) -> Result<Vec<Entry>, sundew_kernel::Errno> {
    let found = proc.read_directory(path)?;
    let mut entries = Vec::new();
    let mut names: Vec<Vec<u8>> = Vec::new();
    if listing.options.hidden == Hidden::All {
        names.extend([b".".to_vec(), b"..".to_vec()]);
    }
    names.extend(found.into_iter().map(|entry| entry.name.into_vec()));
    for name in names {
        proc.tick().await;
        if listing.options.hides(&name) {
            continue;
        }
        if listing.memory.grow(name.len() + ENTRY_BYTES).is_err() {
            proc.out_of_memory().await;
        }
        match entry::of_name(proc, path, name, &listing.options) {
            Ok(entry) => entries.push(entry),
            Err((name, errno)) => {
                let full = input::join(path, &name);
                input::complain_about(proc, "cannot access", &full, errno).await;
                listing.status = listing.status.max(1);
                entries.push(Entry::unknown(name));
            }
        }
    }
    order::sort(&mut entries, &listing.options);
    Ok(entries)
}
