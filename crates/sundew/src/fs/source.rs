//! Where images come from: a directory, a tar archive, an OCI image layout, Debian packages, Cowrie's
//! `fs.pickle`.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use sundew_vfs::{Attributes, Content, FileType, Timestamp};

use super::deb;
use super::pickle::{self, Value};
use super::tar;
use super::tree::{self, Node, NodeKind, Tree};
use super::{Runs, wrong};
use crate::failure::Failure;

/// Reads whatever is at `path`: a directory with `oci-layout` is an image layout, another directory a
/// tree, a file a tar archive, compressed or not. A directory of nothing but Debian packages, one of them,
/// or a list of them makes a machine that has them.
pub(super) fn any(path: &Path, runs: Runs<'_>) -> Result<Tree, Failure> {
    let metadata = fs::metadata(path).map_err(|error| wrong(path, error))?;
    if !metadata.is_dir() {
        if let Some(packages) = packages(path)? {
            return deb::build(&packages, runs);
        }
        let mut tree = Tree::default();
        archive(path, &mut tree, runs)?;
        return Ok(tree);
    }
    if path.join("oci-layout").exists() {
        return oci(path, runs);
    }
    let packages = deb::packages_in(path)?;
    if !packages.is_empty() {
        return deb::build(&packages, runs);
    }
    directory(path, runs)
}

/// The Debian packages that a file is or lists; `None` for an archive.
fn packages(path: &Path) -> Result<Option<Vec<PathBuf>>, Failure> {
    let mut start = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_LIST_BYTES).read_to_end(&mut start))
        .map_err(|error| wrong(path, error))?;
    if deb::is_package(&start) {
        return Ok(Some(vec![path.to_owned()]));
    }
    let plain = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    match std::str::from_utf8(&start) {
        Ok(text) if start.iter().all(plain) && !start.is_empty() => {
            deb::listed(path, text).map(Some)
        }
        _ => Ok(None),
    }
}

fn directory(root: &Path, runs: Runs<'_>) -> Result<Tree, Failure> {
    let mut tree = Tree::default();
    let mut names: HashMap<(u64, u64), Vec<u8>> = HashMap::new();
    let mut folders = vec![(root.to_owned(), Vec::new())];
    while let Some((folder, above)) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| wrong(&folder, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| wrong(&folder, error))?;
            let host = entry.path();
            let metadata = fs::symlink_metadata(&host).map_err(|error| wrong(&host, error))?;
            let path = [above.as_slice(), b"/", entry.file_name().as_bytes()].concat();
            let file_type = metadata.file_type();
            let inode = (metadata.dev(), metadata.ino());
            let kind = if file_type.is_dir() {
                folders.push((host, path.clone()));
                NodeKind::Directory
            } else if let Some(first) = names.get(&inode).filter(|_| metadata.nlink() > 1) {
                NodeKind::HardLink(first.clone())
            } else if file_type.is_symlink() {
                let target = fs::read_link(&host).map_err(|error| wrong(&host, error))?;
                NodeKind::Symlink(target.into_os_string().into_vec())
            } else if file_type.is_file() {
                let bytes = fs::read(&host).map_err(|error| wrong(&host, error))?;
                NodeKind::File(tree::content(&path, bytes, runs))
            } else {
                let kind = if file_type.is_char_device() {
                    FileType::CharDevice
                } else if file_type.is_block_device() {
                    FileType::BlockDevice
                } else if file_type.is_fifo() {
                    FileType::Fifo
                } else {
                    FileType::Socket
                };
                NodeKind::Special(kind, device(metadata.rdev()))
            };
            names.insert(inode, path.clone());
            let attributes = Attributes {
                mode: u16::try_from(metadata.mode() & 0o7777).unwrap_or(0),
                uid: metadata.uid(),
                gid: metadata.gid(),
                mtime: Timestamp {
                    secs: metadata.mtime(),
                    nanos: u32::try_from(metadata.mtime_nsec()).unwrap_or(0),
                },
            };
            tree.put(path, Node { attributes, kind });
        }
    }
    Ok(tree)
}

/// Major and minor, as glibc splits them; what fits 32 bits.
fn device(number: u64) -> (u32, u32) {
    let word = |value: u64| u32::try_from(value & 0xffff_ffff).unwrap_or(0);
    (
        word(number >> 8 & 0xfff | number >> 32 & !0xfff),
        word(number & 0xff | number >> 12 & !0xff),
    )
}

/// Adds a tar archive to what is there, as a layer: `.wh.NAME` takes a name away, `.wh..wh..opq` all that
/// was in a directory.
fn archive(path: &Path, into: &mut Tree, runs: Runs<'_>) -> Result<(), Failure> {
    let file = fs::File::open(path).map_err(|error| wrong(path, error))?;
    let mut start = [0; 2];
    let begins = (&file)
        .read(&mut start)
        .map_err(|error| wrong(path, error))?;
    let file = fs::File::open(path).map_err(|error| wrong(path, error))?;
    let compressed = begins == 2 && start == [0x1f, 0x8b];
    let reader: Box<dyn std::io::Read> = if compressed {
        Box::new(MultiGzDecoder::new(std::io::BufReader::new(file)))
    } else {
        Box::new(std::io::BufReader::new(file))
    };
    let mut opaque = Vec::new();
    tar::read(reader, &mut |entry| {
        let name = entry
            .path
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default();
        let above = &entry.path[..entry.path.len() - name.len() - 1];
        if name == b".wh..wh..opq" {
            opaque.push(above.to_vec());
            into.remove_below(above);
            return;
        }
        if let Some(removed) = name.strip_prefix(b".wh.") {
            into.remove(&[above, b"/", removed].concat());
            return;
        }
        let kind = match entry.kind {
            tar::Kind::File(bytes) => NodeKind::File(tree::content(&entry.path, bytes, runs)),
            tar::Kind::Directory => NodeKind::Directory,
            tar::Kind::Symlink(target) => NodeKind::Symlink(target),
            tar::Kind::HardLink(first) => NodeKind::HardLink(first),
            tar::Kind::Special(file_type, rdev) => NodeKind::Special(file_type, rdev),
        };
        into.put(
            entry.path,
            Node {
                attributes: entry.attributes,
                kind,
            },
        );
    })
    .map_err(|error| wrong(path, error))
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

/// An OCI image layout: its first image, layer by layer.
fn oci(root: &Path, runs: Runs<'_>) -> Result<Tree, Failure> {
    let index = root.join("index.json");
    let mut tree = Tree::default();
    let listed: Index = json(&index)?;
    let first = listed
        .manifests
        .first()
        .ok_or_else(|| wrong(&index, "no image in it"))?;
    let path = blob(root, &first.digest)?;
    // A multi-platform image has one index more.
    let manifest: Manifest = match json::<Index>(&path) {
        Ok(nested) => {
            let first = nested
                .manifests
                .first()
                .ok_or_else(|| wrong(&path, "no image in it"))?;
            json(&blob(root, &first.digest)?)?
        }
        Err(_) => json(&path)?,
    };
    for layer in &manifest.layers {
        archive(&blob(root, &layer.digest)?, &mut tree, runs)?;
    }
    Ok(tree)
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    let bytes = fs::read(path).map_err(|error| wrong(path, error))?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(path, error))
}

/// The file of a digest, which comes from the layout: only an algorithm and hexadecimal digits are one.
fn blob(root: &Path, digest: &str) -> Result<PathBuf, Failure> {
    let sound = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    match digest.split_once(':') {
        Some((kind, digits)) if sound(kind) && sound(digits) => {
            Ok(root.join("blobs").join(kind).join(digits))
        }
        _ => Err(wrong(root, format!("`{digest}` is not a digest"))),
    }
}

/// Cowrie's file system; contents come from a directory beside it (`honeyfs`), if there is one.
pub(super) fn cowrie(
    path: &Path,
    contents: Option<&Path>,
    runs: Runs<'_>,
) -> Result<Tree, Failure> {
    let bytes = fs::read(path).map_err(|error| wrong(path, error))?;
    let pickle = pickle::read(&bytes).map_err(|error| wrong(path, error))?;
    let mut tree = Tree::default();
    let Value::List(root) = pickle.root else {
        return Err(wrong(path, "not a file system of Cowrie's"));
    };
    let mut folders = vec![(root, Vec::new(), 0_usize)];
    while let Some((folder, above, depth)) = folders.pop() {
        // A list that contains itself would have no end.
        if depth > MAX_DEPTH {
            return Err(wrong(path, "directories nest too deep"));
        }
        let entries = pickle.lists.get(folder).and_then(|row| row.get(CONTENTS));
        let Some(Value::List(entries)) = entries else {
            continue;
        };
        for entry in pickle.lists.get(*entries).into_iter().flatten() {
            let Value::List(index) = entry else { continue };
            let row = pickle.lists.get(*index).map_or(&[][..], Vec::as_slice);
            let Some(Value::Bytes(name)) = row.first() else {
                return Err(wrong(path, "an entry has no name"));
            };
            let usable = !name.is_empty() && name != b"." && name != b"..";
            if !usable || name.contains(&b'/') || name.contains(&0) {
                return Err(wrong(
                    path,
                    format!("`{}` is not a name", name.escape_ascii()),
                ));
            }
            let full = [above.as_slice(), b"/", name].concat();
            let node = cowrie_node(row, &full, contents, runs);
            if matches!(node.kind, NodeKind::Directory) {
                folders.push((*index, full.clone(), depth + 1));
            }
            tree.put(full, node);
        }
    }
    Ok(tree)
}

fn cowrie_node(row: &[Value], path: &[u8], contents: Option<&Path>, runs: Runs<'_>) -> Node {
    let number = |index: usize| match row.get(index) {
        Some(Value::Int(value)) => *value,
        _ => 0,
    };
    let word = |index| u32::try_from(number(index)).unwrap_or(0);
    let attributes = Attributes {
        mode: u16::try_from(number(MODE) & 0o7777).unwrap_or(0o644),
        uid: word(UID),
        gid: word(GID),
        mtime: Timestamp {
            secs: number(CTIME),
            nanos: 0,
        },
    };
    let kind = match number(TYPE) {
        0 => match row.get(TARGET) {
            Some(Value::Bytes(target)) if !target.is_empty() => NodeKind::Symlink(target.clone()),
            _ => NodeKind::Symlink(b"/".to_vec()),
        },
        1 => NodeKind::Directory,
        3 => NodeKind::Special(FileType::BlockDevice, (0, 0)),
        4 => NodeKind::Special(FileType::CharDevice, cowrie_device(path)),
        5 => NodeKind::Special(FileType::Socket, (0, 0)),
        6 => NodeKind::Special(FileType::Fifo, (0, 0)),
        _ => {
            let len = u64::try_from(number(SIZE)).unwrap_or(0);
            NodeKind::File(cowrie_file(path, len, attributes.mode, contents, runs))
        }
    };
    Node { attributes, kind }
}

fn cowrie_file(
    path: &[u8],
    len: u64,
    mode: u16,
    contents: Option<&Path>,
    runs: Runs<'_>,
) -> Content {
    let relative = path.strip_prefix(b"/").unwrap_or(path);
    // No component is `..`: names were checked.
    let host = contents.map(|root| root.join(OsStr::from_bytes(relative)));
    if let Some(bytes) = host.and_then(|host| fs::read(host).ok()) {
        return tree::content(path, bytes, runs);
    }
    let command = (mode & 0o111 != 0 && len > 0)
        .then(|| tree::executable(path, len, runs))
        .flatten();
    command.unwrap_or_else(|| Content::Generated {
        head: Arc::from([]),
        seed: tree::noise(path),
        len,
    })
}

/// The numbers of the devices that scripts use; Cowrie keeps none.
fn cowrie_device(path: &[u8]) -> (u32, u32) {
    match path {
        b"/dev/null" => (1, 3),
        b"/dev/zero" => (1, 5),
        b"/dev/full" => (1, 7),
        b"/dev/random" => (1, 8),
        b"/dev/urandom" => (1, 9),
        b"/dev/tty" => (5, 0),
        b"/dev/console" => (5, 1),
        b"/dev/ptmx" => (5, 2),
        _ => (0, 0),
    }
}

// Positions in a row of Cowrie's, from its `src/cowrie/shell/fs.py`.
const TYPE: usize = 1;
const UID: usize = 2;
const GID: usize = 3;
const SIZE: usize = 4;
const MODE: usize = 5;
const CTIME: usize = 6;
const CONTENTS: usize = 7;
const TARGET: usize = 8;

/// Levels of directories: paths of the longest length have no more.
const MAX_DEPTH: usize = 2048;

/// Bytes of a list of packages that are looked at.
const MAX_LIST_BYTES: u64 = 1 << 20;
