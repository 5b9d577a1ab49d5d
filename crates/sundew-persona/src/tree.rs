//! From the data to an [`Image`]: attributes and contents of every node.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sundew_kernel::executable::elf_head_of;
use sundew_kernel::facts::Facts;
use sundew_vfs::{Attributes, Content, FileType, Image, ImageBuilder, ImageError, Timestamp};

use crate::build::{Model, PersonaError};
use crate::facts::Origin;
use crate::manifest::{self, Entry, FileKind, Mtime, Node};
use crate::zone::Zones;
use crate::{accounting, camera, made, nodes, remark, stand_in};

/// The texts a tree is made from; see [`manifest`] for their form.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// Names and attributes.
    pub tree: &'a [u8],
    /// Contents of configuration files.
    pub config: &'a [u8],
    /// Contents written for this project.
    pub own: &'a [u8],
    /// The files of each package.
    pub lists: &'a [u8],
    /// The time zones.
    pub zones: &'a [u8],
}

/// An executable of the image and the program it stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Executable {
    /// Absolute path.
    pub path: Vec<u8>,
    /// Name in the program table.
    pub program: Vec<u8>,
    /// Whether it is a script that the interpreter can run if the table lacks the program.
    pub script: bool,
}

/// A finished tree.
#[derive(Debug)]
pub struct Tree {
    /// The filesystem.
    pub image: Arc<Image>,
    /// Its executables, sorted by path; a hard link counts as one of its own, a symbolic link not.
    pub executables: Vec<Executable>,
}

/// Tells whether there is a program of this name. A script whose program is there is marked as it; one
/// without body and program is marked as well, so that running it is refused rather than ends as if it
/// had done something.
pub type Runs<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Builds the tree of one machine.
///
/// # Errors
///
/// Errors of the data: lines that do not parse, a file without content, two nodes of one path.
pub fn build(
    data: Data<'_>,
    origin: &Origin,
    facts: &Facts,
    runs: Runs<'_>,
    model: Model,
) -> Result<Tree, PersonaError> {
    let entries =
        manifest::tree(data.tree).map_err(|error| PersonaError::Manifest("tree.txt", error))?;
    let config = manifest::sections(data.config)
        .map_err(|error| PersonaError::Manifest("config.txt", error))?;
    let own =
        manifest::sections(data.own).map_err(|error| PersonaError::Manifest("own.txt", error))?;
    let lists = manifest::sections(data.lists)
        .map_err(|error| PersonaError::Manifest("lists.txt", error))?;
    let files = regular_files(&entries);
    let mut planter = Planter {
        files: &files,
        builder: ImageBuilder::new().dated(facts.boot_time),
        noise: origin.seed.number("noise"),
        installed: origin.installed(),
        origin,
        config: &config,
        lists: &lists,
        zones: Zones::read(data.zones),
        own: &own,
        facts,
        runs,
        model,
        newest: BTreeMap::new(),
    };
    let mut executables = Vec::new();
    // What is of ours alone: files that Debian would not have.
    let mut additions = own.clone();
    for entry in &entries {
        planter.entry(entry, &mut executables)?;
        if let Node::File(..) = entry.node {
            additions.remove(entry.path.as_slice());
        }
    }
    for (path, content) in additions {
        let attributes = planter.attributes(0o644, 0, 0, Mtime::Installed(4000), path);
        planter
            .builder
            .file(path, attributes, Content::Bytes(content.into()))?;
    }
    match model {
        Model::Debian12 => nodes::plant(&mut planter, origin, facts)?,
        Model::Camera => camera::plant(&mut planter, facts)?,
    }
    planter.age_directories();
    executables.sort();
    Ok(Tree {
        image: planter.builder.finish(),
        executables,
    })
}

fn regular_files(entries: &[Entry]) -> HashSet<Vec<u8>> {
    let file = |entry: &&Entry| matches!(entry.node, Node::File(..) | Node::HardLink(_));
    entries
        .iter()
        .filter(file)
        .flat_map(|entry| {
            let merged = entry.path.strip_prefix(b"/usr").map(<[u8]>::to_vec);
            std::iter::once(entry.path.clone()).chain(merged)
        })
        .collect()
}

/// Adds nodes to an image, knowing the machine's times.
pub(crate) struct Planter<'a> {
    builder: ImageBuilder,
    /// Both are drawn from the origin once, not for each of thousands of files.
    noise: u64,
    installed: i64,
    origin: &'a Origin,
    facts: &'a Facts,
    runs: Runs<'a>,
    model: Model,
    config: &'a BTreeMap<&'a [u8], &'a [u8]>,
    own: &'a BTreeMap<&'a [u8], &'a [u8]>,
    lists: &'a BTreeMap<&'a [u8], &'a [u8]>,
    zones: Zones<'a>,
    /// The regular files of the tree, also by their names before `/bin` became `/usr/bin`.
    files: &'a HashSet<Vec<u8>>,
    /// When the newest file of each directory was put there.
    newest: BTreeMap<Vec<u8>, Timestamp>,
}

impl Planter<'_> {
    fn entry(
        &mut self,
        entry: &Entry,
        executables: &mut Vec<Executable>,
    ) -> Result<(), PersonaError> {
        let path = entry.path.as_slice();
        match &entry.node {
            Node::Directory(given) => {
                let attributes =
                    self.attributes(given.mode, given.uid, given.gid, given.mtime, path);
                self.builder.directory(path, attributes)?;
            }
            Node::Symlink { mtime, target } => {
                let attributes = self.attributes(0o777, 0, 0, *mtime, path);
                self.put_into(path, attributes.mtime);
                self.builder.symlink(path, attributes, target)?;
            }
            Node::HardLink(existing) => {
                self.builder.hard_link(existing, path)?;
                let first = executables
                    .iter()
                    .find(|executable| executable.path == *existing)
                    .cloned();
                executables.extend(first.map(|first| Executable {
                    path: path.to_vec(),
                    ..first
                }));
            }
            Node::File(given, kind, size) => {
                let mut attributes =
                    self.attributes(given.mode, given.uid, given.gid, given.mtime, path);
                self.put_into(path, attributes.mtime);
                if *kind == FileKind::Made
                    && let Some(secs) = accounting::last_written(path, self.origin, self.facts)
                {
                    attributes.mtime = Timestamp { secs, nanos: 0 };
                }
                let content = self.content(path, kind, *size)?;
                self.builder.file(path, attributes, content)?;
                if given.mode & 0o111 != 0
                    && let Some((program, script)) = program(kind)
                {
                    let executable = Executable {
                        path: path.to_vec(),
                        program: program.to_vec(),
                        script,
                    };
                    executables.push(executable);
                }
            }
        }
        Ok(())
    }

    /// Notes that something is put into the directory of this path.
    fn put_into(&mut self, path: &[u8], at: Timestamp) {
        let end = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let directory = path.get(..end.max(1)).unwrap_or_default();
        match self.newest.get_mut(directory) {
            Some(known) => *known = at.max(*known),
            None => {
                self.newest.insert(directory.to_vec(), at);
            }
        }
    }

    /// No directory is older than what lies in it.
    fn age_directories(&mut self) {
        for (directory, at) in std::mem::take(&mut self.newest) {
            self.builder.touch(&directory, at);
        }
    }

    fn content(
        &self,
        path: &[u8],
        kind: &FileKind,
        size: Option<u64>,
    ) -> Result<Content, PersonaError> {
        let missing = || PersonaError::MissingContent(path.to_vec());
        let bytes = match kind {
            FileKind::Elf { kind, name, size } => {
                let head = elf_head_of(name, *kind, *size).into();
                return Ok(Content::Generated {
                    head,
                    seed: self.noise(path),
                    len: *size,
                });
            }
            FileKind::Blob { magic, size } => {
                return Ok(Content::Generated {
                    head: magic.as_slice().into(),
                    seed: self.noise(path),
                    len: *size,
                });
            }
            FileKind::Command { interpreter, name } => {
                let body = self.own.get(path).copied();
                // What the interpreter can run is left to it.
                let program =
                    Some(name.as_slice()).filter(|name| (self.runs)(name) || body.is_none());
                stand_in::script(path, interpreter, program, body)
            }
            FileKind::Script { interpreter } => {
                stand_in::script(path, interpreter, None, self.own.get(path).copied())
            }
            FileKind::Config if path == STATUS => self.status(),
            FileKind::Config => remark::fill(path, self.config.get(path).ok_or_else(missing)?),
            FileKind::Own => remark::fill(path, self.own.get(path).ok_or_else(missing)?),
            FileKind::Made => match self.model {
                Model::Debian12 => made::content(path, self.origin, self.facts, &self.status()),
                Model::Camera => camera::made(path, self.origin, self.facts),
            }
            .ok_or_else(missing)?,
            FileKind::List => {
                let package = path.rsplit(|&byte| byte == b'/').next();
                let package = package.and_then(|name| name.strip_suffix(b".list"));
                let section = package.and_then(|package| self.lists.get(package));
                section
                    .and_then(|section| manifest::list(section))
                    .ok_or_else(missing)?
            }
            FileKind::Sums => self.sums(path),
            FileKind::Text => stand_in::text(path, size),
            FileKind::Pem => stand_in::certificates(self.noise(path), size),
            FileKind::Zone => path
                .strip_prefix(ZONES)
                .and_then(|name| self.zones.file(std::str::from_utf8(name).ok()?))
                .ok_or_else(missing)?,
            FileKind::Empty => Vec::new(),
        };
        Ok(match size {
            Some(len) if len > bytes.len() as u64 => Content::Padded {
                text: bytes.into(),
                len,
            },
            _ => Content::Bytes(bytes.into()),
        })
    }

    /// `/var/lib/dpkg/info/PACKAGE.md5sums`: a digest of no real file for everything the package has
    /// outside `/etc`.
    fn sums(&self, path: &[u8]) -> Vec<u8> {
        let package = path.rsplit(|&byte| byte == b'/').next();
        let package = package.and_then(|name| name.strip_suffix(b".md5sums"));
        let listed = package
            .and_then(|package| self.lists.get(package))
            .and_then(|section| manifest::list(section))
            .unwrap_or_default();
        let mut out = Vec::new();
        for line in listed.split(|&byte| byte == b'\n') {
            let Some(name) = line.strip_prefix(b"/") else {
                continue;
            };
            if name.starts_with(b"etc/") || !self.files.contains(line) {
                continue;
            }
            let (high, low) = (self.noise(line), self.noise(name));
            out.extend_from_slice(format!("{high:016x}{low:016x}  ").as_bytes());
            out.extend_from_slice(name);
            out.push(b'\n');
        }
        out
    }

    fn status(&self) -> Vec<u8> {
        let packages = self.config.get(STATUS).copied().unwrap_or_default();
        [packages, &made::kernel_packages(self.origin)].concat()
    }

    /// A machine-dependent number for the noise of a file, so that no hash of ours is known.
    fn noise(&self, path: &[u8]) -> u64 {
        // FNV-1a: thousands of files, and no need for more.
        path.iter().fold(self.noise, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    fn attributes(&self, mode: u16, uid: u32, gid: u32, mtime: Mtime, path: &[u8]) -> Attributes {
        let mtime = match mtime {
            // Packages are updated after the installation, but nothing is newer than the last boot.
            Mtime::Packaged(secs) => Timestamp {
                secs: secs.min(self.facts.boot_time.secs - 3600),
                nanos: 0,
            },
            Mtime::Installed(after) => Timestamp {
                secs: self.installed + after,
                nanos: u32::try_from(self.noise(path) % 250_000_000 * 4).unwrap_or(0),
            },
        };
        Attributes {
            mode,
            uid,
            gid,
            mtime,
        }
    }

    fn root_owned(mode: u16, secs: i64) -> Attributes {
        Attributes {
            mode,
            uid: 0,
            gid: 0,
            mtime: Timestamp { secs, nanos: 0 },
        }
    }

    pub(crate) fn directory(&mut self, path: &str, mode: u16, secs: i64) -> Result<(), ImageError> {
        self.builder
            .directory(path.as_bytes(), Self::root_owned(mode, secs))
    }

    pub(crate) fn filesystem(&mut self, path: &str) -> Result<(), ImageError> {
        // It was made when the machine was booted.
        self.builder.touch(path.as_bytes(), self.facts.boot_time);
        self.builder.filesystem(path.as_bytes())
    }

    pub(crate) fn symlink(
        &mut self,
        path: &str,
        secs: i64,
        target: &str,
    ) -> Result<(), ImageError> {
        self.put_into(path.as_bytes(), Timestamp { secs, nanos: 0 });
        self.builder.symlink(
            path.as_bytes(),
            Self::root_owned(0o777, secs),
            target.as_bytes(),
        )
    }

    pub(crate) fn text(
        &mut self,
        path: &str,
        mode: u16,
        secs: i64,
        text: &str,
    ) -> Result<(), ImageError> {
        self.owned_bytes(path, mode, (0, 0), secs, text.as_bytes().to_vec())
    }

    pub(crate) fn owned_bytes(
        &mut self,
        path: &str,
        mode: u16,
        (uid, gid): (u32, u32),
        secs: i64,
        bytes: Vec<u8>,
    ) -> Result<(), ImageError> {
        let attributes = Attributes {
            uid,
            gid,
            ..Self::root_owned(mode, secs)
        };
        self.put_into(path.as_bytes(), attributes.mtime);
        self.builder
            .file(path.as_bytes(), attributes, Content::Bytes(bytes.into()))
    }

    /// A text of which the beginning is known, and how long it is.
    pub(crate) fn padded(
        &mut self,
        path: &str,
        secs: i64,
        text: &str,
        len: u64,
    ) -> Result<(), ImageError> {
        let text = text.as_bytes().into();
        let attributes = Self::root_owned(0o644, secs);
        self.put_into(path.as_bytes(), attributes.mtime);
        self.builder
            .file(path.as_bytes(), attributes, Content::Padded { text, len })
    }

    pub(crate) fn blob(
        &mut self,
        path: &str,
        mode: u16,
        secs: i64,
        head: &[u8],
        len: u64,
    ) -> Result<(), ImageError> {
        let content = Content::Generated {
            head: head.into(),
            seed: self.noise(path.as_bytes()),
            len,
        };
        self.put_into(path.as_bytes(), Timestamp { secs, nanos: 0 });
        self.builder
            .file(path.as_bytes(), Self::root_owned(mode, secs), content)
    }

    pub(crate) fn device(
        &mut self,
        path: &str,
        mode: u16,
        gid: u32,
        secs: i64,
        node: (FileType, (u32, u32)),
    ) -> Result<(), ImageError> {
        let attributes = Attributes {
            gid,
            ..Self::root_owned(mode, secs)
        };
        self.put_into(path.as_bytes(), attributes.mtime);
        self.builder
            .device(path.as_bytes(), attributes, node.0, node.1)
    }
}

fn program(kind: &FileKind) -> Option<(&[u8], bool)> {
    match kind {
        FileKind::Elf { name, .. } => Some((name, false)),
        FileKind::Command { name, .. } => Some((name, true)),
        FileKind::Script { .. }
        | FileKind::Config
        | FileKind::Own
        | FileKind::Made
        | FileKind::List
        | FileKind::Sums
        | FileKind::Text
        | FileKind::Pem
        | FileKind::Zone
        | FileKind::Empty
        | FileKind::Blob { .. } => None,
    }
}

const STATUS: &[u8] = b"/var/lib/dpkg/status";
const ZONES: &[u8] = b"/usr/share/zoneinfo/";
