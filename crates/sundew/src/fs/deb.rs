//! Debian packages: deb(5), and the database that dpkg(1) would have made of them.
//!
//! Nothing of a package is run. What maintainer scripts would have made is left out, but for the users and
//! groups of base-passwd.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;
use sundew_vfs::{Attributes, Content, Timestamp};

use super::tree::{self, Node, NodeKind, Tree};
use super::{Runs, tar, wrong};
use crate::failure::Failure;

/// The first bytes of an ar archive.
const MAGIC: &[u8; 8] = b"!<arch>\n";

/// Whether these are the first bytes of a package.
pub(super) fn is_package(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

/// The packages that lie in a directory; none if it holds anything else.
pub(super) fn packages_in(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| wrong(directory, error))? {
        let path = entry.map_err(|error| wrong(directory, error))?.path();
        if path.is_dir() {
            return Ok(Vec::new());
        }
        if path.extension().is_some_and(|extension| extension == "deb") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The packages that a list names, one a line: a file beside the list, or a package's name, for which the
/// index `Packages` beside the list has the file, or which begins the name of a file there.
pub(super) fn listed(list: &Path, text: &str) -> Result<Vec<PathBuf>, Failure> {
    let directory = list.parent().unwrap_or(Path::new("."));
    let index = fs::read_to_string(directory.join("Packages")).unwrap_or_default();
    let mut files: BTreeMap<&str, &str> = BTreeMap::new();
    let mut package = "";
    for line in index.lines() {
        if let Some(name) = line.strip_prefix("Package: ") {
            package = name;
        } else if let Some(file) = line.strip_prefix("Filename: ") {
            files.insert(package, file);
        }
    }
    let here = packages_in(directory).unwrap_or_default();
    let mut found = Vec::new();
    for line in text.lines() {
        // The form of `dpkg --get-selections` has a second word.
        let Some(word) = line.split_whitespace().next() else {
            continue;
        };
        if word.starts_with('#') {
            continue;
        }
        let name = word.split(':').next().unwrap_or(word);
        let begins = |path: &&PathBuf| {
            let file = path.file_name().and_then(|file| file.to_str());
            file.is_some_and(|file| file.split('_').next() == Some(name))
        };
        let indexed = files.get(name).and_then(|file| {
            let whole = directory.join(file);
            let beside = Path::new(file).file_name().map(|file| directory.join(file));
            [Some(whole), beside]
                .into_iter()
                .flatten()
                .find(|path| path.is_file())
        });
        let path = if word.ends_with(".deb") {
            Some(directory.join(word))
        } else {
            indexed.or_else(|| here.iter().find(begins).cloned())
        };
        found.push(path.ok_or_else(|| wrong(list, format!("no package `{word}` beside it")))?);
    }
    if found.is_empty() {
        return Err(wrong(list, "no package in it"));
    }
    Ok(found)
}

/// A machine with these packages.
pub(super) fn build(packages: &[PathBuf], runs: Runs<'_>) -> Result<Tree, Failure> {
    let mut tree = merged();
    let mut installed = Vec::new();
    for path in packages {
        installed.push(unpack(path, &mut tree, runs).map_err(|error| wrong(path, error))?);
    }
    installed.sort_by(|a, b| a.name.cmp(&b.name));
    database(&mut tree, &installed);
    // What base-passwd's script does.
    for (file, master) in [("passwd", "passwd.master"), ("group", "group.master")] {
        let from = format!("/usr/share/base-passwd/{master}").into_bytes();
        let to = format!("/etc/{file}").into_bytes();
        if let (Some(node), false) = (tree.0.get(&from).cloned(), tree.0.contains_key(&to)) {
            tree.put(to, node);
        }
    }
    Ok(tree)
}

/// The root of Debian 12, where `/bin` and its kin are links into `/usr`.
fn merged() -> Tree {
    let mut tree = Tree::default();
    let attributes = Attributes::default();
    for name in MERGED {
        let target = [b"usr/".as_slice(), name].concat();
        let kind = NodeKind::Symlink(target.clone());
        tree.put([b"/".as_slice(), name].concat(), Node { attributes, kind });
        let kind = NodeKind::Directory;
        tree.put(
            [b"/".as_slice(), &target].concat(),
            Node { attributes, kind },
        );
    }
    tree
}

/// Where a package's file lies on a merged system.
fn placed(path: Vec<u8>) -> Vec<u8> {
    let first = path.split(|&byte| byte == b'/').nth(1).unwrap_or_default();
    if MERGED.contains(&first) {
        return [b"/usr".as_slice(), &path].concat();
    }
    path
}

/// What dpkg would know of a package.
struct Installed {
    name: String,
    /// The paragraph of its control file.
    control: String,
    /// What the files below `/var/lib/dpkg/info` are called before the dot.
    info: String,
    /// Its other control files: `conffiles`, `md5sums`, `postinst`.
    files: Vec<(String, Vec<u8>, u16)>,
    paths: BTreeSet<Vec<u8>>,
    mtime: Timestamp,
}

fn unpack(path: &Path, tree: &mut Tree, runs: Runs<'_>) -> io::Result<Installed> {
    let mut from = BufReader::new(fs::File::open(path)?);
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic)?;
    if !is_package(&magic) {
        return Err(bad("not a Debian package"));
    }
    let mut package: Option<Installed> = None;
    let mut has_data = false;
    while let Some((name, size)) = member(&mut from)? {
        let mut body = (&mut from).take(size);
        if name.starts_with("control.tar") {
            package = Some(control(&name, &mut body)?);
        } else if name.starts_with("data.tar") {
            let package = package.as_mut().ok_or_else(|| bad("data before control"))?;
            data(&name, &mut body, tree, package, runs)?;
            has_data = true;
        }
        // The rest of it, and the byte that makes members begin at even places.
        io::copy(&mut body, &mut io::sink())?;
        if size % 2 == 1 {
            io::copy(&mut (&mut from).take(1), &mut io::sink())?;
        }
    }
    package
        .filter(|_| has_data)
        .ok_or_else(|| bad("cut short: no control.tar or no data.tar"))
}

/// Name and size of the next member of an ar archive.
fn member(from: &mut impl Read) -> io::Result<Option<(String, u64)>> {
    let mut head = [0; 60];
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(bad("cut short")),
            count => filled += count,
        }
    }
    let text = |range: std::ops::Range<usize>| {
        let field = head.get(range).unwrap_or_default();
        String::from_utf8_lossy(field).trim_end().to_owned()
    };
    if head.get(58..) != Some(b"`\n") {
        return Err(bad("a damaged archive"));
    }
    let size = text(48..58).parse().map_err(|_| bad("a damaged archive"))?;
    // Some archivers end a name with a slash.
    Ok(Some((text(0..16).trim_end_matches('/').to_owned(), size)))
}

/// Calls `each` with a reader of what a member holds, uncompressed, and no more of it than is sane.
fn uncompressed(
    name: &str,
    body: &mut dyn Read,
    each: impl FnOnce(&mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let kind = name.rsplit_once(".tar").map_or("", |(_, kind)| kind);
    let mut reader: Box<dyn Read + '_> = match kind {
        "" => Box::new(body),
        ".gz" => Box::new(MultiGzDecoder::new(body)),
        ".xz" => Box::new(XzReader::new_mem_limit(body, true, MAX_XZ_KIB)),
        ".zst" => Box::new(
            StreamingDecoder::new(body).map_err(|error| io::Error::other(error.to_string()))?,
        ),
        _ => return Err(bad("compressed in a way that is not known")),
    };
    each(&mut reader.as_mut().take(MAX_UNPACKED_BYTES))
}

fn control(name: &str, body: &mut dyn Read) -> io::Result<Installed> {
    let mut files = Vec::new();
    let mut mtime = Timestamp::default();
    uncompressed(name, body, |reader| {
        tar::read(reader, &mut |entry| {
            if let tar::Kind::File(bytes) = entry.kind {
                let name = entry.path.get(1..).unwrap_or_default();
                let name = String::from_utf8_lossy(name).into_owned();
                if name == "control" {
                    mtime = entry.attributes.mtime;
                }
                if !name.contains('/') {
                    files.push((name, bytes, entry.attributes.mode));
                }
            }
        })
    })?;
    let at = files.iter().position(|(name, ..)| name == "control");
    let at = at.ok_or_else(|| bad("no control file"))?;
    let (_, control, _) = files.swap_remove(at);
    let control = String::from_utf8_lossy(&control).trim_end().to_owned();
    let field = |name: &str| {
        control
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_default()
            .to_owned()
    };
    let name = field("Package");
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if name.is_empty() || !name.bytes().all(sound) {
        return Err(bad("a package without a name"));
    }
    let architecture = field("Architecture");
    let info = if field("Multi-Arch") == "same" && architecture.bytes().all(sound) {
        format!("{name}:{architecture}")
    } else {
        name.clone()
    };
    Ok(Installed {
        name,
        control,
        info,
        files,
        paths: BTreeSet::new(),
        mtime,
    })
}

fn data(
    name: &str,
    body: &mut dyn Read,
    tree: &mut Tree,
    package: &mut Installed,
    runs: Runs<'_>,
) -> io::Result<()> {
    uncompressed(name, body, |reader| {
        tar::read(reader, &mut |entry| {
            package.paths.insert(entry.path.clone());
            let merged = MERGED.iter().any(|name| entry.path.get(1..) == Some(*name));
            let path = placed(entry.path);
            let kind = match entry.kind {
                tar::Kind::File(bytes) => NodeKind::File(tree::content(&path, bytes, runs)),
                tar::Kind::Directory => NodeKind::Directory,
                tar::Kind::Symlink(target) => NodeKind::Symlink(target),
                tar::Kind::HardLink(first) => NodeKind::HardLink(placed(first)),
                tar::Kind::Special(file_type, rdev) => NodeKind::Special(file_type, rdev),
            };
            // A directory that one package has as a link (`/var/lock`) stays one.
            let stays = matches!(kind, NodeKind::Directory)
                && tree
                    .0
                    .get(&path)
                    .is_some_and(|known| matches!(known.kind, NodeKind::Symlink(_)) || merged);
            if !stays {
                let attributes = entry.attributes;
                tree.put(path, Node { attributes, kind });
            }
        })
    })
}

/// `/var/lib/dpkg`: the status of every package, its list of paths, and what came with it.
fn database(tree: &mut Tree, installed: &[Installed]) {
    let mut status = String::new();
    let mut put = |path: String, bytes: Vec<u8>, mode: u16, mtime: Timestamp| {
        let attributes = Attributes {
            mode,
            mtime,
            ..Attributes::default()
        };
        let kind = NodeKind::File(Content::Bytes(bytes.into()));
        tree.put(path.into_bytes(), Node { attributes, kind });
    };
    for package in installed {
        let mut lines = package.control.lines();
        for line in lines.by_ref() {
            status += &format!("{line}\n");
            if line.starts_with("Package: ") {
                status += "Status: install ok installed\n";
            }
        }
        status.push('\n');
        let mut list = b"/.\n".to_vec();
        for path in &package.paths {
            list.extend([path.as_slice(), b"\n"].concat());
        }
        let info = |extension: &str| format!("/var/lib/dpkg/info/{}.{extension}", package.info);
        put(info("list"), list, 0o644, package.mtime);
        for (name, bytes, mode) in &package.files {
            put(info(name), bytes.clone(), *mode, package.mtime);
        }
    }
    let last = installed.iter().map(|package| package.mtime).max();
    let last = last.unwrap_or_default();
    put(
        "/var/lib/dpkg/status".into(),
        status.into_bytes(),
        0o644,
        last,
    );
    put("/var/lib/dpkg/available".into(), Vec::new(), 0o644, last);
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What lies in `/usr` on a merged system.
const MERGED: [&[u8]; 6] = [b"bin", b"sbin", b"lib", b"lib32", b"lib64", b"libx32"];
/// Bytes of one member, uncompressed, at most: the largest packages of Debian have a few GiB.
const MAX_UNPACKED_BYTES: u64 = 8 << 30;
/// KiB that unpacking xz may take: its highest level takes 65 MiB.
const MAX_XZ_KIB: u32 = 192 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_merged_into_usr() {
        assert_eq!(placed(b"/bin/ls".to_vec()), b"/usr/bin/ls");
        assert_eq!(placed(b"/binary".to_vec()), b"/binary");
        assert_eq!(placed(b"/usr/bin/ls".to_vec()), b"/usr/bin/ls");
    }

    #[test]
    fn an_archive_that_is_cut_or_damaged_is_refused() {
        let head = b"debian-binary   0           0     0     100644  4         `\n2.0\n";
        let mut reader = head.as_slice();
        let (name, size) = member(&mut reader).unwrap().unwrap();
        assert_eq!((name.as_str(), size), ("debian-binary", 4));
        for len in 1..60 {
            assert!(member(&mut head.get(..len).unwrap()).is_err());
        }
        assert!(member(&mut [0_u8; 60].as_slice()).is_err());
        assert!(uncompressed("data.tar.lz", &mut b"".as_slice(), |_| Ok(())).is_err());
        for name in ["data.tar.xz", "data.tar.zst", "data.tar.gz"] {
            let read = |reader: &mut dyn Read| reader.read_to_end(&mut Vec::new()).map(drop);
            assert!(
                uncompressed(name, &mut b"rubbish".as_slice(), read).is_err(),
                "{name}"
            );
        }
    }
}
