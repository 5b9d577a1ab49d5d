//! The order of files in a listing.

use std::cmp::Ordering;

use sundew_vfs::Timestamp;

use super::entry::Entry;
use super::option::{Options, Sort, Time};
use crate::coreutils::version;

pub(super) fn sort(entries: &mut [Entry], options: &Options) {
    if options.sort != Sort::None {
        entries.sort_by(|a, b| {
            let order = compare(a, b, options);
            if options.reverse {
                order.reverse()
            } else {
                order
            }
        });
    }
    if options.directories_first {
        entries.sort_by_key(|entry| !entry.leads_to_directory());
    }
}

fn compare(a: &Entry, b: &Entry, options: &Options) -> Ordering {
    let by_name = || a.name.cmp(&b.name);
    let size = |entry: &Entry| entry.metadata.map_or(0, |metadata| metadata.size);
    match options.sort {
        Sort::Name | Sort::None => by_name(),
        Sort::Size => size(b).cmp(&size(a)).then_with(by_name),
        Sort::Time => time(b, options.time)
            .cmp(&time(a, options.time))
            .then_with(by_name),
        Sort::Version => version::compare(&a.name, &b.name).then_with(by_name),
        Sort::Extension => extension(&a.name)
            .cmp(extension(&b.name))
            .then_with(by_name),
        Sort::Width => {
            let width = |entry: &Entry| options.quoted_width(&entry.name);
            width(a).cmp(&width(b)).then_with(by_name)
        }
    }
}

pub(super) fn time(entry: &Entry, which: Time) -> Timestamp {
    entry
        .metadata
        .map_or_else(Timestamp::default, |metadata| match which {
            Time::Modified | Time::Born => metadata.mtime,
            Time::Accessed => metadata.atime,
            Time::Changed => metadata.ctime,
        })
}

/// From the last dot on; nothing without a dot.
fn extension(name: &[u8]) -> &[u8] {
    let dot = name.iter().rposition(|&byte| byte == b'.');
    dot.and_then(|dot| name.get(dot..)).unwrap_or_default()
}
