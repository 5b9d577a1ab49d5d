//! `sundew fs`: images of machines: building, looking into, changing, comparing them.
//!
//! An image is one file; the names `debian12` and `camera` stand for the built-in ones, with a seed that
//! is always the same.

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sundew_kernel::program::ProgramTable;
use sundew_map::Mapped;
use sundew_persona::{Model, Origin, Persona};
use sundew_vfs::{Attributes, Backing, FileType, Image, Timestamp};

use crate::failure::{Failure, Status};

mod deb;
mod pickle;
mod source;
mod tar;
mod tree;

use tree::{Node, NodeKind, Tree};

/// What to do with images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// From a directory, a tar archive, an OCI image layout or Debian packages to an image.
    Build {
        /// What it is made of.
        source: PathBuf,
        /// The file that is written.
        image: PathBuf,
    },
    /// From Cowrie's `fs.pickle` to an image.
    Import {
        /// The pickle.
        pickle: PathBuf,
        /// The file that is written.
        image: PathBuf,
        /// Contents of files, by path: Cowrie's `honeyfs`.
        contents: Option<PathBuf>,
    },
    /// Lists a directory and what is below it.
    List {
        /// An image or a built-in name.
        image: PathBuf,
        /// Where to begin.
        path: String,
    },
    /// Prints a file.
    Cat {
        /// An image or a built-in name.
        image: PathBuf,
        /// Which file.
        path: String,
    },
    /// Puts a file of this computer into an image.
    Put {
        /// The image, which is rewritten.
        image: PathBuf,
        /// The file of this computer.
        file: PathBuf,
        /// Where it goes.
        path: String,
        /// Its permission bits; those of the file by default.
        mode: Option<u16>,
    },
    /// Says what differs between two images.
    Diff {
        /// An image or a built-in name.
        one: PathBuf,
        /// Another.
        other: PathBuf,
    },
}

/// Tells whether there is a program of this name.
type Runs<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Does it; the text for standard output goes to `out`.
///
/// # Errors
///
/// The file that cannot be read, is not what it should be, or cannot be written.
pub fn run(
    task: &Task,
    programs: &ProgramTable,
    out: &mut dyn std::io::Write,
) -> Result<(), Failure> {
    let runs = |name: &[u8]| programs.by_name(name).is_some();
    match task {
        Task::Build { source, image } => save(&source::any(source, &runs)?, image, out),
        Task::Import {
            pickle,
            image,
            contents,
        } => save(
            &source::cowrie(pickle, contents.as_deref(), &runs)?,
            image,
            out,
        ),
        Task::List { image, path } => {
            let tree = load_tree(image, &runs)?;
            let below = [path.trim_end_matches('/').as_bytes(), b"/"].concat();
            let shown = tree
                .0
                .iter()
                .filter(|(known, _)| known.starts_with(&below) || *known == path.as_bytes());
            let mut text = Vec::new();
            for (path, node) in shown {
                text.extend(line(path, node));
            }
            if text.is_empty() {
                return Err(wrong(image, format!("{path}: no such file or directory")));
            }
            print(out, &text)
        }
        Task::Cat { image, path } => {
            let tree = load_tree(image, &runs)?;
            print(out, &cat(&tree, image, path.as_bytes())?)
        }
        Task::Put {
            image,
            file,
            path,
            mode,
        } => {
            let mut tree = load_tree(image, &runs)?;
            put(&mut tree, file, path, *mode, &runs)?;
            save(&tree, image, out)
        }
        Task::Diff { one, other } => {
            let (one, other) = (load_tree(one, &runs)?, load_tree(other, &runs)?);
            print(out, &diff(&one, &other))
        }
    }
}

/// Reads an image.
///
/// # Errors
///
/// When it cannot be read or is none.
pub fn load(path: &Path) -> Result<Arc<Image>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| wrong(path, error))?;
    Image::load(&bytes).map_err(|error| wrong(path, error))
}

/// Maps an image, for as long as machines are made of it: what its files hold stays on disk. `directory` is
/// where the copy lies that is mapped.
///
/// # Errors
///
/// When it cannot be read, copied or mapped, or is none.
pub fn map(path: &Path, directory: &Path) -> Result<Arc<Image>, Failure> {
    let map = Mapped::copy_of(path, directory, MAX_IMAGE_BYTES);
    let backing: Backing = Arc::new(map.map_err(|error| wrong(path, error))?);
    Image::load_backed(&backing).map_err(|error| wrong(path, error))
}

fn load_tree(path: &Path, runs: Runs<'_>) -> Result<Tree, Failure> {
    let built_in = match path.to_str() {
        Some("debian12") => Some(Model::Debian12),
        Some("camera") => Some(Model::Camera),
        _ => None,
    };
    let image = match built_in {
        Some(model) => {
            let origin = Origin::new([0; 32], EXAMPLE_BORN);
            let persona = Persona::new(model, &origin, runs)
                .map_err(|error| Failure::new(Status::Internal, error.to_string()))?;
            persona.image
        }
        None => load(path)?,
    };
    Tree::of(&image).map_err(|errno| wrong(path, errno.message()))
}

fn save(tree: &Tree, path: &Path, out: &mut dyn std::io::Write) -> Result<(), Failure> {
    let image = tree.image().map_err(|error| wrong(path, error))?;
    let bytes = image.save();
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| wrong(path, error))?;
    let text = format!(
        "{}: {} paths, {} bytes of files, {} bytes\n",
        path.display(),
        tree.0.len(),
        image.content_bytes(),
        bytes.len()
    );
    print(out, text.as_bytes())
}

fn put(
    tree: &mut Tree,
    file: &Path,
    path: &str,
    mode: Option<u16>,
    runs: Runs<'_>,
) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(file).map_err(|error| wrong(file, error))?;
    let bytes = std::fs::read(file).map_err(|error| wrong(file, error))?;
    if !path.starts_with('/') || path.ends_with('/') {
        return Err(wrong(file, format!("`{path}` is not the path of a file")));
    }
    let attributes = Attributes {
        mode: mode.unwrap_or_else(|| u16::try_from(metadata.mode() & 0o7777).unwrap_or(0o644)),
        uid: 0,
        gid: 0,
        mtime: Timestamp {
            secs: metadata.mtime(),
            nanos: 0,
        },
    };
    let kind = NodeKind::File(tree::content(path.as_bytes(), bytes, runs));
    tree.put(path.as_bytes().to_vec(), Node { attributes, kind });
    Ok(())
}

/// As `ls -l` has it, with the whole path.
fn line(path: &[u8], node: &Node) -> Vec<u8> {
    let attributes = node.attributes;
    let (letter, size, after) = match &node.kind {
        NodeKind::Directory => ('d', 0, Vec::new()),
        NodeKind::File(content) => ('-', content.len(), Vec::new()),
        NodeKind::Symlink(target) => {
            let after = [b" -> ".as_slice(), target].concat();
            ('l', target.len() as u64, after)
        }
        NodeKind::HardLink(first) => ('-', 0, [b" == ".as_slice(), first].concat()),
        NodeKind::Special(FileType::CharDevice, _) => ('c', 0, Vec::new()),
        NodeKind::Special(FileType::BlockDevice, _) => ('b', 0, Vec::new()),
        NodeKind::Special(FileType::Fifo, _) => ('p', 0, Vec::new()),
        NodeKind::Special(..) => ('s', 0, Vec::new()),
    };
    let head = format!(
        "{letter}{:04o} {:>5} {:>5} {size:>10} ",
        attributes.mode, attributes.uid, attributes.gid
    );
    [head.as_bytes(), path, &after, b"\n"].concat()
}

fn cat(tree: &Tree, image: &Path, path: &[u8]) -> Result<Vec<u8>, Failure> {
    let node = resolve(tree, path).and_then(|real| tree.0.get(&real));
    let Some(NodeKind::File(content)) = node.map(|node| &node.kind) else {
        let shown = path.escape_ascii();
        return Err(wrong(image, format!("{shown}: no such file")));
    };
    let len = usize::try_from(content.len()).unwrap_or(usize::MAX);
    let mut bytes = vec![0; len.min(MAX_CAT_BYTES)];
    let count = content.read_at(0, &mut bytes);
    bytes.truncate(count);
    Ok(bytes)
}

/// The path without links, those on the way to it and the last one.
fn resolve(tree: &Tree, path: &[u8]) -> Option<Vec<u8>> {
    let names = |path: &[u8]| -> Vec<Vec<u8>> {
        let parts = path.split(|&byte| byte == b'/').rev();
        parts.map(<[u8]>::to_vec).collect()
    };
    // The names still to go, the next one last.
    let mut rest = names(path);
    let mut at = Vec::new();
    let mut links = 0;
    while let Some(name) = rest.pop() {
        match name.as_slice() {
            b"" | b"." => continue,
            b".." => {
                at.truncate(at.iter().rposition(|&byte| byte == b'/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let next = [at.as_slice(), b"/", &name].concat();
        match &tree.0.get(&next)?.kind {
            NodeKind::Symlink(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return None;
                }
                if target.starts_with(b"/") {
                    at.clear();
                }
                rest.extend(names(target));
            }
            NodeKind::HardLink(first) => at.clone_from(first),
            _ => at = next,
        }
    }
    Some(at)
}

/// `- PATH` for what the other lacks, `+ PATH` for what it has more, `~ PATH` for what differs.
fn diff(one: &Tree, other: &Tree) -> Vec<u8> {
    let same = |a: &Node, b: &Node| {
        let (mut bytes, mut others) = (vec![0; COMPARED_BYTES], vec![0; COMPARED_BYTES]);
        let kinds = match (&a.kind, &b.kind) {
            (NodeKind::File(a), NodeKind::File(b)) => {
                a.len() == b.len() && {
                    let (count, other) = (a.read_at(0, &mut bytes), b.read_at(0, &mut others));
                    bytes.get(..count) == others.get(..other)
                }
            }
            (NodeKind::Directory, NodeKind::Directory) => true,
            (NodeKind::Symlink(a), NodeKind::Symlink(b))
            | (NodeKind::HardLink(a), NodeKind::HardLink(b)) => a == b,
            (NodeKind::Special(a, x), NodeKind::Special(b, y)) => (a, x) == (b, y),
            _ => false,
        };
        let owned = |node: &Node| {
            let attributes = node.attributes;
            (attributes.mode, attributes.uid, attributes.gid)
        };
        kinds && owned(a) == owned(b)
    };
    let mut paths: Vec<_> = one.0.keys().chain(other.0.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut out = Vec::new();
    for path in paths {
        let mark = match (one.0.get(path), other.0.get(path)) {
            (Some(a), Some(b)) if same(a, b) => continue,
            (Some(_), Some(_)) => b"~ ",
            (Some(_), None) => b"- ",
            (None, _) => b"+ ",
        };
        out.extend([mark.as_slice(), path, b"\n"].concat());
    }
    out
}

fn print(out: &mut dyn std::io::Write, text: &[u8]) -> Result<(), Failure> {
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Status::Files, error.to_string()))
        }
        _ => Ok(()),
    }
}

fn wrong(path: &Path, what: impl Display) -> Failure {
    Failure::new(Status::Files, format!("{}: {what}", path.display()))
}

/// When the built-in machines are shown to have been made: 2026-01-01.
const EXAMPLE_BORN: Timestamp = Timestamp {
    secs: 1_767_225_600,
    nanos: 0,
};
/// Bytes of an image that is mapped at most.
const MAX_IMAGE_BYTES: u64 = 8 << 30;
/// Links followed by `cat`.
const MAX_LINKS: usize = 40;
/// Bytes that `cat` prints at most.
const MAX_CAT_BYTES: usize = 64 << 20;
/// Bytes of two files that are compared; the rest of a binary is noise.
const COMPARED_BYTES: usize = 256 * 1024;
