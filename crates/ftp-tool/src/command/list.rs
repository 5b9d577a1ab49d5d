//! `ls` and `tree`.

use ftp_client::Error;
use ftp_client::client::Listing;
use ftp_proto::listing::{Entry, Kind};
use ftp_proto::time::Timestamp;

use super::walk::{self, Look};
use super::{absent, retried, worker};
use crate::console::{Event, Name};
use crate::context::Context;
use crate::failure::Failure;
use crate::filter::Filter;
use crate::session::{Session, facts, failure};
use crate::text::printable;
use crate::tree::Node;
use crate::url::Url;

pub(super) async fn ls(context: &Context, url: &Url, long: bool) -> Result<u8, Failure> {
    let mut worker = worker(context, url)?;
    let listing = retried(context, &mut worker, async |session| {
        match session.list(&url.path).await {
            Err(error) if is_refused(&error) => match file_alone(session, url).await {
                Some(entry) => Ok(Listing {
                    entries: vec![entry],
                    unknown: 0,
                }),
                None => Err(failure(error)),
            },
            other => other.map_err(failure),
        }
    })
    .await
    .map_err(|failure| absent(failure, url).about(format!("ls {url}")))?;
    let mut entries = listing.entries;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    for entry in &entries {
        show(context, entry, long);
    }
    if listing.unknown > 0 {
        let text = format!(
            "{} lines of the listing were not understood",
            listing.unknown
        );
        context.console.note(&text);
    }
    worker.quit().await;
    Ok(0)
}

fn is_refused(error: &Error) -> bool {
    error.reply().is_some() && !error.ends_session()
}

/// What `ls` shows of a file: itself.
async fn file_alone(session: &mut Session, url: &Url) -> Option<Entry> {
    let name = url.file_name()?;
    let facts = facts(session, &url.path).await.ok()?;
    if facts.is_directory || (facts.size.is_none() && facts.modified.is_none()) {
        return None;
    }
    let mut entry = Entry::new(name, Kind::File);
    entry.size = facts.size;
    entry.modified = facts.modified;
    Some(entry)
}

/// One entry, as a line or as JSON.
pub(super) fn show(context: &Context, entry: &Entry, long: bool) {
    let (letter, kind) = kind(&entry.kind);
    let target = match &entry.kind {
        Kind::Link { target } => target.as_deref(),
        _ => None,
    };
    context.console.event(&Event::Entry {
        path: Name(&entry.name),
        kind,
        size: entry.size,
        modified: entry.modified.map(iso),
        target: target.map(Name),
    });
    let mut name = printable(&entry.name);
    if entry.kind == Kind::Directory {
        name.push('/');
    }
    if !long {
        context.console.say(&name);
        return;
    }
    if let Some(target) = target {
        name += " -> ";
        name += &printable(target);
    }
    let size = entry
        .size
        .map_or_else(|| "-".to_owned(), |size| size.to_string());
    let time = entry.modified.map_or_else(|| "-".to_owned(), plain_time);
    context
        .console
        .say(&format!("{letter} {size:>14} {time:16} {name}"));
}

const fn kind(kind: &Kind) -> (char, &'static str) {
    match kind {
        Kind::File => ('-', "file"),
        Kind::Directory | Kind::Current | Kind::Parent => ('d', "directory"),
        Kind::Link { .. } => ('l', "link"),
        Kind::Other => ('?', "other"),
    }
}

/// RFC 3339.
fn iso(time: Timestamp) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn plain_time(time: Timestamp) -> String {
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute()
    )
}

pub(super) async fn tree(
    context: &Context,
    url: &Url,
    levels: Option<usize>,
) -> Result<u8, Failure> {
    let mut worker = worker(context, url)?;
    let filter = Filter::default();
    let tree = retried(context, &mut worker, async |session| {
        walk::remote(session, Look::everything(&url.path, &filter), levels).await
    })
    .await
    .map_err(|failure| failure.about(format!("tree {url}")))?;
    let (mut files, mut directories) = (0_usize, 0_usize);
    for (path, node) in &tree.nodes {
        let (kind, size, end) = match node {
            Node::File { size, .. } => ("file", *size, ""),
            Node::Directory => ("directory", None, "/"),
            Node::Link(_) | Node::Other => ("other", None, ""),
        };
        match node {
            Node::Directory => directories += 1,
            Node::File { .. } | Node::Link(_) | Node::Other => files += 1,
        }
        context.console.event(&Event::Entry {
            path: Name(path.as_bytes()),
            kind,
            size,
            modified: None,
            target: None,
        });
        let indent = "  ".repeat(path.depth().saturating_sub(1));
        let name = printable(path.name());
        context.console.say(&format!("{indent}{name}{end}"));
    }
    for odd in &tree.unsafe_names {
        context.console.note(&format!("left out: {odd}"));
    }
    for dark in &tree.unknown {
        context
            .console
            .note(&format!("{dark}: not, or not wholly, understood"));
    }
    let text = format!("{directories} directories, {files} files");
    context.console.note(&text);
    worker.quit().await;
    Ok(0)
}

/// `;type=d`: the names in a directory.
pub(super) async fn names(context: &Context, url: &Url) -> Result<(), Failure> {
    let mut worker = worker(context, url)?;
    let names = retried(context, &mut worker, async |session| {
        session.names(&url.path).await.map_err(failure)
    })
    .await?;
    for name in &names {
        context.console.event(&Event::Entry {
            path: Name(name),
            kind: "other",
            size: None,
            modified: None,
            target: None,
        });
        context.console.say(&printable(name));
    }
    worker.quit().await;
    Ok(())
}
