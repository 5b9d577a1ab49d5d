//! What a mirror has to do: a pure function of two trees.
//!
//! Direction does not matter here: source and target are trees, whichever of them is remote. Nothing
//! is ever deleted because it was not seen: where the source could not be listed, or a name could
//! not be used, the target is left alone.

use std::collections::BTreeSet;

use crate::filter::Filter;
use crate::tree::{Modified, Node, RelPath, Tree};

/// What the user wants.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Which paths are meant.
    pub filter: Filter,
    /// Whether what the source does not have is removed from the target.
    pub delete: bool,
    /// How it is decided that two files are the same.
    pub compare: Compare,
}

/// How two files of the same path are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compare {
    /// Transferred if the sizes differ or the source is newer.
    #[default]
    SizeAndTime,
    /// Transferred if the sizes differ.
    Size,
    /// Those of equal size are compared by their content's hash.
    Hash,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a directory; its parent is there by then.
    MakeDirectory(RelPath),
    /// Transfer a file.
    Transfer {
        /// Where.
        path: RelPath,
        /// Its size at the source, if known.
        size: Option<u64>,
        /// Its time at the source, if known; to be set at the target.
        modified: Option<Modified>,
        /// Why.
        why: Why,
    },
    /// Make a link.
    MakeLink {
        /// Where.
        path: RelPath,
        /// What it says.
        text: Vec<u8>,
    },
    /// Remove a file (or a link) from the target.
    RemoveFile(RelPath),
    /// Remove a directory from the target; it is empty by then.
    RemoveDirectory(RelPath),
}

/// Why a file is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The target does not have it.
    Missing,
    /// The sizes differ.
    Size,
    /// The source is newer.
    Newer,
    /// Same size, content to be compared first; transferred only if it differs.
    CompareFirst,
}

/// Why a path was left alone although it is not the same on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// A link, device or socket at the source.
    NotAFile,
    /// A link that leads, or could lead, out of the tree.
    LeadsOut,
    /// A file on one side, something else on the other; `--delete` would resolve it.
    KindsDiffer,
    /// Not deleted, because the source could not be listed there.
    Unknown,
}

/// The whole of it, in the order in which it has to be done: removals that make room, directories,
/// transfers (these in any order among themselves), links, removals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Removed first: what stands where something of another kind has to be.
    pub clear: Vec<Action>,
    /// Directories to make, parents first.
    pub directories: Vec<Action>,
    /// Files to transfer.
    pub transfers: Vec<Action>,
    /// Links to make.
    pub links: Vec<Action>,
    /// Removed at the end, contents before their directory.
    pub removals: Vec<Action>,
    /// Left alone.
    pub skipped: Vec<(RelPath, Skip)>,
    /// Files that are the same already.
    pub unchanged: usize,
}

/// Plans how to make `target` like `source`.
#[must_use]
pub fn plan(source: &Tree, target: &Tree, rules: &Rules) -> Plan {
    let mut plan = Plan::default();
    let mut pruned: Option<RelPath> = None;
    for (path, node) in &source.nodes {
        if pruned.as_ref().is_some_and(|top| path.is_within(top)) {
            continue;
        }
        match node {
            Node::Directory if !rules.filter.enters(path.as_bytes()) => {
                pruned = Some(path.clone());
            }
            Node::Directory => {
                if !plan.directory(path, target, rules) {
                    pruned = Some(path.clone());
                }
            }
            _ if !rules.filter.takes_file(path.as_bytes()) => {}
            Node::Other => plan.skipped.push((path.clone(), Skip::NotAFile)),
            Node::Link(text) => plan.link(path, text, target, rules),
            Node::File { size, modified } => {
                plan.file(path, (*size, *modified), target, rules);
            }
        }
    }
    if rules.delete {
        plan.remove_extra(source, target, rules);
    }
    plan
}

impl Plan {
    /// Whether both sides are the same already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clear.is_empty()
            && self.directories.is_empty()
            && self.transfers.is_empty()
            && self.links.is_empty()
            && self.removals.is_empty()
    }

    /// Whether what is below it can be transferred.
    fn directory(&mut self, path: &RelPath, target: &Tree, rules: &Rules) -> bool {
        match target.nodes.get(path) {
            Some(Node::Directory) => true,
            Some(_) if !rules.delete => {
                self.skipped.push((path.clone(), Skip::KindsDiffer));
                false
            }
            found => {
                if found.is_some() {
                    self.clear.push(Action::RemoveFile(path.clone()));
                }
                self.directories.push(Action::MakeDirectory(path.clone()));
                true
            }
        }
    }

    fn file(
        &mut self,
        path: &RelPath,
        (size, modified): (Option<u64>, Option<Modified>),
        target: &Tree,
        rules: &Rules,
    ) {
        let why = match target.nodes.get(path) {
            None => Some(Why::Missing),
            Some(Node::File {
                size: their_size,
                modified: theirs,
            }) => rules
                .compare
                .judge((size, modified), (*their_size, *theirs)),
            Some(_) if !rules.delete => {
                self.skipped.push((path.clone(), Skip::KindsDiffer));
                return;
            }
            Some(other) => {
                self.clear_away(path, other, target);
                Some(Why::Missing)
            }
        };
        let path = path.clone();
        match why {
            None => self.unchanged += 1,
            Some(why) => self.transfers.push(Action::Transfer {
                path,
                size,
                modified,
                why,
            }),
        }
    }

    fn link(&mut self, path: &RelPath, text: &[u8], target: &Tree, rules: &Rules) {
        if !path.keeps_link(text) {
            self.skipped.push((path.clone(), Skip::LeadsOut));
            return;
        }
        match target.nodes.get(path) {
            None => {}
            Some(Node::Link(theirs)) if theirs == text => {
                self.unchanged += 1;
                return;
            }
            // Another text is to a link what other bytes are to a file.
            Some(other) if rules.delete || matches!(other, Node::Link(_)) => {
                self.clear_away(path, other, target);
            }
            Some(_) => {
                self.skipped.push((path.clone(), Skip::KindsDiffer));
                return;
            }
        }
        self.links.push(Action::MakeLink {
            path: path.clone(),
            text: text.to_vec(),
        });
    }

    /// Makes room where something of another kind stands.
    fn clear_away(&mut self, path: &RelPath, node: &Node, target: &Tree) {
        if matches!(node, Node::Directory) {
            self.clear.extend(contents_first(target, path));
            self.clear.push(Action::RemoveDirectory(path.clone()));
        } else {
            self.clear.push(Action::RemoveFile(path.clone()));
        }
    }

    fn remove_extra(&mut self, source: &Tree, target: &Tree, rules: &Rules) {
        // A name that could not be used may be what a file of the target stands for.
        let whole = source.unsafe_names.is_empty();
        let cleared: BTreeSet<RelPath> = self.clear.iter().map(Action::path).cloned().collect();
        // Backwards, so that contents come before their directory; what was kept last is then within
        // the directory at hand if anything of it was.
        let mut kept: Option<RelPath> = None;
        for (path, node) in target.nodes.iter().rev() {
            let is_directory = matches!(node, Node::Directory);
            if source.nodes.contains_key(path) || cleared.contains(path) {
                continue;
            }
            if !Self::is_meant(path, is_directory, rules) {
                kept = Some(path.clone());
            } else if !whole || !source.knows(path) || !target.knows(path) {
                self.skipped.push((path.clone(), Skip::Unknown));
                kept = Some(path.clone());
            } else if !is_directory {
                self.removals.push(Action::RemoveFile(path.clone()));
            } else if !kept.as_ref().is_some_and(|kept| kept.is_within(path)) {
                self.removals.push(Action::RemoveDirectory(path.clone()));
            }
        }
    }

    /// Whether a path of the target falls under the filter: what is excluded is not deleted either.
    fn is_meant(path: &RelPath, is_directory: bool, rules: &Rules) -> bool {
        let mut above = path.parent();
        while above.depth() > 0 {
            if !rules.filter.enters(above.as_bytes()) {
                return false;
            }
            above = above.parent();
        }
        if is_directory {
            rules.filter.enters(path.as_bytes())
        } else {
            rules.filter.takes_file(path.as_bytes())
        }
    }
}

impl Action {
    /// What it is done to.
    #[must_use]
    pub const fn path(&self) -> &RelPath {
        match self {
            Self::MakeDirectory(path)
            | Self::MakeLink { path, .. }
            | Self::Transfer { path, .. }
            | Self::RemoveFile(path)
            | Self::RemoveDirectory(path) => path,
        }
    }
}

impl Compare {
    /// Why the file has to be transferred, if it has.
    fn judge(
        self,
        (size, modified): (Option<u64>, Option<Modified>),
        (their_size, theirs): (Option<u64>, Option<Modified>),
    ) -> Option<Why> {
        if let (Some(ours), Some(theirs)) = (size, their_size)
            && ours != theirs
        {
            return Some(Why::Size);
        }
        match self {
            Self::Size => None,
            Self::Hash => Some(Why::CompareFirst),
            Self::SizeAndTime => match (modified, theirs) {
                // Newer for certain: even the latest moment the target may mean is before it.
                (Some(source), Some(target)) => (source.unix
                    >= target.unix.saturating_add(target.precision))
                .then_some(Why::Newer),
                // Without sizes and times, nothing says that they are the same.
                _ if size.is_none() || their_size.is_none() => Some(Why::Size),
                _ => None,
            },
        }
    }
}

/// What is below a directory, contents before their directory.
fn contents_first<'a>(tree: &'a Tree, top: &'a RelPath) -> impl Iterator<Item = Action> + 'a {
    let below = move |path: &&RelPath| path.is_within(top) && *path != top;
    let nodes = tree.nodes.iter().rev();
    nodes
        .filter(move |(path, _)| below(path))
        .map(|(path, node)| match node {
            Node::Directory => Action::RemoveDirectory(path.clone()),
            Node::File { .. } | Node::Link(_) | Node::Other => Action::RemoveFile(path.clone()),
        })
}

#[cfg(test)]
mod tests;
