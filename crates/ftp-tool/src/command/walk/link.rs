//! Symbolic links of a server: what they say, and what they lead to.

use ftp_proto::listing::Kind;

use super::Look;
use crate::failure::Failure;
use crate::session::{Session, failure, join};
use crate::tree::{Modified, Node, RelPath, Trail, Tree};

/// Links followed on one path. A loop is seen by what its links say; not every listing tells that.
const MAX_LINKS_ON_PATH: usize = 8;

/// A link as a listing shows it: where it is and, if that is told, what it says.
pub(super) type Shown = (RelPath, Option<Vec<u8>>);

/// Puts links into the tree with what they say. MLSD often leaves that out, and LIST tells.
pub(super) async fn texts(
    session: &mut Session,
    at: &[u8],
    links: Vec<Shown>,
    tree: &mut Tree,
) -> Result<(), Failure> {
    for (path, text) in told(session, at, links).await? {
        tree.nodes
            .insert(path, text.map_or(Node::Other, Node::Link));
    }
    Ok(())
}

/// The links with what LIST says of them, where MLSD has left it out.
async fn told(
    session: &mut Session,
    at: &[u8],
    mut links: Vec<Shown>,
) -> Result<Vec<Shown>, Failure> {
    if links.iter().all(|(_, text)| text.is_some()) {
        return Ok(links);
    }
    let listed = session.list_by_list(at).await.map_err(failure)?.entries;
    for (path, text) in &mut links {
        let same = listed.iter().find(|entry| entry.name == path.name());
        if let (None, Some(Kind::Link { target })) = (&text, same.map(|entry| &entry.kind)) {
            text.clone_from(target);
        }
    }
    Ok(links)
}

/// Puts what links lead to into the tree; gives those that are directories.
pub(super) async fn follow(
    session: &mut Session,
    look: Look<'_>,
    (directory, trail): (&RelPath, &Trail),
    links: Vec<Shown>,
    tree: &mut Tree,
) -> Result<Vec<RelPath>, Failure> {
    let mut directories = Vec::new();
    if links.is_empty() {
        return Ok(directories);
    }
    let home = session.working_directory().await.map_err(failure)?;
    let top = match look.top {
        [b'/', ..] => look.top.to_vec(),
        below => [&home, &b"/"[..], below].concat(),
    };
    let links = told(session, &join(look.top, directory.as_bytes()), links).await?;
    for (path, text) in links {
        let (real, is_loop) = match text {
            Some(text) => trail.lead(&top, directory, &text),
            None => (Vec::new(), false),
        };
        let node = if is_loop {
            Node::Other
        } else {
            behind(session, look, &path, &home).await?
        };
        if matches!(node, Node::Directory) {
            if trail.links() >= MAX_LINKS_ON_PATH || !look.filter.enters(path.as_bytes()) {
                tree.nodes.insert(path, Node::Other);
                continue;
            }
            directories.push(path.clone());
            tree.followed.insert(path.clone(), real);
        }
        tree.nodes.insert(path, node);
    }
    Ok(directories)
}

/// What a link leads to.
async fn behind(
    session: &mut Session,
    look: Look<'_>,
    path: &RelPath,
    home: &[u8],
) -> Result<Node, Failure> {
    let remote = join(look.top, path.as_bytes());
    let (size, modified) = session.size_and_modified(&remote).await.map_err(failure)?;
    if size.is_some() {
        let modified = modified.map(|time| Modified {
            unix: time.to_unix(),
            precision: 1,
        });
        return Ok(Node::File { size, modified });
    }
    match session.change_directory(&remote).await {
        Ok(()) => {
            session.change_directory(home).await.map_err(failure)?;
            Ok(Node::Directory)
        }
        Err(error) if error.ends_session() => Err(failure(error)),
        Err(_refused) => Ok(Node::Other),
    }
}
