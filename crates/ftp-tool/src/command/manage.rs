//! `rm`, `mv`, `mkdir`.

use super::walk::{self, Look};
use super::{Tally, retried, worker};
use crate::console::{Event, Name};
use crate::context::Context;
use crate::failure::{Failure, Phase};
use crate::filter::Filter;
use crate::session::{Session, failure, join};
use crate::text::printable;
use crate::tree::Node;
use crate::url::Url;

pub(super) async fn rm(context: &Context, urls: &[Url], recursive: bool) -> Result<u8, Failure> {
    let mut tally = Tally::default();
    for url in urls {
        let result = rm_one(context, url, recursive).await;
        match result {
            Ok(()) => tally.good(),
            Err(failure) => tally.bad(context, &failure.about(format!("rm {url}"))),
        }
    }
    Ok(tally.status())
}

async fn rm_one(context: &Context, url: &Url, recursive: bool) -> Result<(), Failure> {
    let path = url.path.strip_suffix(b"/").unwrap_or(&url.path).to_vec();
    if path.is_empty() {
        let what = "the URL has no path, and the login directory is not removed";
        return Err(Failure::new(Phase::Usage, what));
    }
    let mut worker = worker(context, url)?;
    let session = worker.session().await?;
    if url.is_directory() && !recursive {
        session
            .remove_directory(&path)
            .await
            .map_err(|error| failure(error).hint("-r removes what is in it as well"))?;
        done(context, "remove_directory", &path);
    } else if !recursive {
        session
            .delete(&path)
            .await
            .map_err(|error| failure(error).hint("for a directory: -r"))?;
        done(context, "remove_file", &path);
    } else if session.delete(&path).await.is_ok() {
        done(context, "remove_file", &path);
    } else {
        remove_all(context, session, &path).await?;
    }
    worker.quit().await;
    Ok(())
}

/// Contents first. Links are removed, not followed.
async fn remove_all(context: &Context, session: &mut Session, top: &[u8]) -> Result<(), Failure> {
    let filter = Filter::default();
    let look = Look::everything(top, &filter);
    let tree = walk::remote(session, look, None).await?;
    if let Some(odd) = tree.unsafe_names.first() {
        return Err(Failure::new(Phase::List, odd.to_string())
            .hint("remove it by another way; nothing was removed"));
    }
    if let Some(dark) = tree.unknown.first() {
        let what = format!("{dark} cannot be listed; nothing was removed");
        return Err(Failure::new(Phase::List, what));
    }
    for (path, node) in tree.nodes.iter().rev() {
        let path = join(top, path.as_bytes());
        if matches!(node, Node::Directory) {
            session.remove_directory(&path).await.map_err(failure)?;
            done(context, "remove_directory", &path);
        } else {
            session.delete(&path).await.map_err(failure)?;
            done(context, "remove_file", &path);
        }
    }
    session.remove_directory(top).await.map_err(failure)?;
    done(context, "remove_directory", top);
    Ok(())
}

fn done(context: &Context, action: &'static str, path: &[u8]) {
    context.console.event(&Event::Action {
        action,
        path: Name(path),
        done: true,
    });
}

pub(super) async fn mv(context: &Context, url: &Url, to: &str) -> Result<u8, Failure> {
    let from = url.path.strip_suffix(b"/").unwrap_or(&url.path).to_vec();
    if from.is_empty() {
        return Err(Failure::new(
            Phase::Usage,
            "the URL names nothing to rename",
        ));
    }
    let to = destination(&from, to)?;
    let mut worker = worker(context, url)?;
    let session = worker.session().await?;
    session
        .rename(&from, &to)
        .await
        .map_err(|error| failure(error).about(format!("mv {url}")))?;
    done(context, "rename", &to);
    worker.quit().await;
    Ok(0)
}

/// A name alone stays in the directory; a path is taken as it is; a URL is refused.
fn destination(from: &[u8], to: &str) -> Result<Vec<u8>, Failure> {
    if Url::is_url(to) {
        let what = "the new path is one on the same server, not a URL";
        return Err(Failure::new(Phase::Usage, what));
    }
    if to.contains('/') {
        return Ok(to.as_bytes().to_vec());
    }
    let end = from.iter().rposition(|byte| *byte == b'/');
    let directory = from.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
    Ok([directory, to.as_bytes()].concat())
}

pub(super) async fn mkdir(context: &Context, urls: &[Url], parents: bool) -> Result<u8, Failure> {
    let mut tally = Tally::default();
    for url in urls {
        let path = url.path.strip_suffix(b"/").unwrap_or(&url.path);
        let made = async {
            let mut worker = worker(context, url)?;
            retried(context, &mut worker, async |session| {
                if parents {
                    make_parents(session, path).await
                } else {
                    let hint = "-p, if it is there already or those above are missing";
                    let made = session.make_directory(path).await;
                    made.map(drop).map_err(|error| failure(error).hint(hint))
                }
            })
            .await?;
            worker.quit().await;
            Ok(())
        };
        match made.await {
            Ok(()) => {
                done(context, "make_directory", path);
                tally.good();
            }
            Err(failure) => {
                let failure: Failure = failure;
                tally.bad(context, &failure.about(format!("mkdir {url}")));
            }
        }
    }
    Ok(tally.status())
}

/// Makes a directory and those above it; what is there already is fine.
pub(super) async fn make_parents(session: &mut Session, path: &[u8]) -> Result<(), Failure> {
    let mut last = None;
    let mut refused = None;
    for (end, _) in path
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte == b'/' && *at > 0)
        .chain(std::iter::once((path.len(), &b'/')))
    {
        let prefix = path.get(..end).unwrap_or_default();
        if prefix.is_empty() || last == Some(prefix) {
            continue;
        }
        last = Some(prefix);
        match session.make_directory(prefix).await {
            Ok(_) => refused = None,
            Err(error) if error.reply().is_some() && !error.ends_session() => {
                refused = Some(error);
            }
            Err(error) => return Err(failure(error)),
        }
    }
    let Some(error) = refused else {
        return Ok(());
    };
    // Refused because it is there? Then it can be listed.
    match session.list(path).await {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(failure(error).hint(format!("is {} there, and a directory?", printable(path))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_stays_in_its_directory() {
        assert_eq!(destination(b"a/b", "c").unwrap(), b"a/c");
        assert_eq!(destination(b"b", "c").unwrap(), b"c");
        assert_eq!(destination(b"/b", "c").unwrap(), b"/c");
        assert_eq!(destination(b"a/b", "d/c").unwrap(), b"d/c");
        assert!(destination(b"a/b", "ftp://h/c").is_err());
    }
}
