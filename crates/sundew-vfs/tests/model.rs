//! Random calls on a [`Vfs`] and on the simplest thing that could be called a file tree.
//!
//! What every single call answers is compared with Linux in `linux.rs`; here it is the tree that
//! results, its contents, and what it is charged.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of #[test] functions"
)]

#[path = "model/rights.rs"]
mod rights;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use sundew_vfs::{
    Attributes, Content, Context, Credentials, Errno, FileType, ImageBuilder, InodeId, Limits,
    NoSynthetic, OpenOptions, Timestamp, Usage, Vfs,
};

/// Components, the last one is the name.
type Path = Vec<&'static str>;

#[derive(Clone, Debug)]
enum Call {
    Mkdir(Path),
    Write(Path, usize, usize, u8),
    Truncate(Path, usize),
    Symlink(Path),
    Unlink(Path),
    Rmdir(Path),
    Link(Path, Path),
    Rename(Path, Path),
    Hold(Path),
    Drop,
}

fn path() -> impl Strategy<Value = Path> {
    proptest::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 1..4)
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => path().prop_map(Call::Mkdir),
        6 => (path(), 0..40_000usize, 1..30_000usize, any::<u8>())
            .prop_map(|(path, at, len, byte)| Call::Write(path, at, len, byte)),
        2 => (path(), 0..50_000usize).prop_map(|(path, len)| Call::Truncate(path, len)),
        1 => path().prop_map(Call::Symlink),
        4 => path().prop_map(Call::Unlink),
        2 => path().prop_map(Call::Rmdir),
        3 => (path(), path()).prop_map(|(old, new)| Call::Link(old, new)),
        6 => (path(), path()).prop_map(|(old, new)| Call::Rename(old, new)),
        1 => path().prop_map(Call::Hold),
        1 => Just(Call::Drop),
    ]
}

/// Directories are paths; files and links are paths to what hard links share: contents, or a number.
#[derive(Clone, Default, Debug)]
struct Model {
    dirs: BTreeSet<Path>,
    links: BTreeMap<Path, usize>,
    next_link: usize,
    files: BTreeMap<Path, usize>,
    contents: Vec<Vec<u8>>,
}

impl Model {
    fn exists(&self, path: &Path) -> bool {
        path.is_empty()
            || self.dirs.contains(path)
            || self.links.contains_key(path)
            || self.files.contains_key(path)
    }

    fn is_dir(&self, path: &[&'static str]) -> bool {
        path.is_empty() || self.dirs.contains(path)
    }

    fn has_parent(&self, path: &Path) -> bool {
        self.is_dir(&path[..path.len() - 1])
    }

    fn is_empty(&self, path: &Path) -> bool {
        let below = |other: &Path| other.len() > path.len() && other.starts_with(path);
        !self.dirs.iter().any(below)
            && !self.links.keys().any(below)
            && !self.files.keys().any(below)
    }

    /// Whether the call succeeds; if so, it is done.
    fn call(&mut self, call: &Call) -> bool {
        match call {
            Call::Mkdir(path) => {
                let fine = self.has_parent(path) && !self.exists(path);
                fine && self.dirs.insert(path.clone())
            }
            Call::Symlink(path) => {
                let fine = self.has_parent(path) && !self.exists(path);
                self.next_link += 1;
                fine && self.links.insert(path.clone(), self.next_link).is_none()
            }
            Call::Write(path, at, len, byte) => {
                if !self.has_parent(path)
                    || self.dirs.contains(path)
                    || self.links.contains_key(path)
                {
                    return false;
                }
                let file = *self.files.entry(path.clone()).or_insert_with(|| {
                    self.contents.push(Vec::new());
                    self.contents.len() - 1
                });
                let content = &mut self.contents[file];
                content.resize(content.len().max(at + len), 0);
                content[*at..at + len].fill(*byte);
                true
            }
            Call::Truncate(path, len) => match self.files.get(path) {
                Some(file) => {
                    self.contents[*file].resize(*len, 0);
                    true
                }
                None => false,
            },
            Call::Unlink(path) => {
                self.links.remove(path).is_some() || self.files.remove(path).is_some()
            }
            Call::Rmdir(path) => self.is_empty(path) && self.dirs.remove(path),
            Call::Link(old, new) => {
                let Some(file) = self.files.get(old).copied() else {
                    // A link to a link is fine too, and then there are two.
                    let Some(link) = self.links.get(old).copied() else {
                        return false;
                    };
                    let fine = self.has_parent(new) && !self.exists(new);
                    return fine && self.links.insert(new.clone(), link).is_none();
                };
                let fine = self.has_parent(new) && !self.exists(new);
                fine && self.files.insert(new.clone(), file).is_none()
            }
            Call::Rename(old, new) => self.rename(old, new),
            Call::Hold(_) | Call::Drop => true,
        }
    }

    fn rename(&mut self, old: &Path, new: &Path) -> bool {
        if !self.exists(old) || !self.has_parent(new) {
            return false;
        }
        if old == new {
            return true;
        }
        if self.dirs.contains(old) {
            let free = !self.exists(new) || (self.dirs.contains(new) && self.is_empty(new));
            if new.starts_with(old) || !free {
                return false;
            }
            let moved = |path: &Path| match path.strip_prefix(&old[..]) {
                Some(rest) => [&new[..], rest].concat(),
                None => path.clone(),
            };
            self.dirs = self.dirs.iter().map(moved).collect();
            let links = std::mem::take(&mut self.links);
            self.links = links
                .iter()
                .map(|(path, link)| (moved(path), *link))
                .collect();
            let files = std::mem::take(&mut self.files);
            self.files = files
                .iter()
                .map(|(path, file)| (moved(path), *file))
                .collect();
            return true;
        }
        if self.dirs.contains(new) {
            return false;
        }
        if let Some(file) = self.files.get(old).copied() {
            if self.files.get(new) == Some(&file) {
                // Two names of one file: nothing happens, as POSIX has it.
                return true;
            }
            self.links.remove(new);
            self.files.insert(new.clone(), file);
            self.files.remove(old);
        } else if let Some(link) = self.links.get(old).copied() {
            if self.links.get(new) == Some(&link) {
                return true;
            }
            self.files.remove(new);
            self.links.insert(new.clone(), link);
            self.links.remove(old);
        }
        true
    }
}

struct Machine {
    vfs: Vfs,
    held: Vec<InodeId>,
}

fn with_context<T>(vfs: &mut Vfs, work: impl FnOnce(&mut Vfs, &Context<'_>) -> T) -> T {
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    work(vfs, &cx)
}

fn text(path: &[&str]) -> Vec<u8> {
    format!("/{}", path.join("/")).into_bytes()
}

impl Machine {
    fn call(&mut self, call: &Call) -> Result<(), Errno> {
        let held = &mut self.held;
        with_context(&mut self.vfs, |vfs, cx| match call {
            Call::Mkdir(path) => vfs.mkdir(cx, &text(path), 0o755).map(drop),
            Call::Symlink(path) => vfs.symlink(cx, b"target", &text(path)).map(drop),
            Call::Write(path, at, len, byte) => {
                let options = OpenOptions {
                    write: true,
                    create: true,
                    no_follow: true,
                    ..OpenOptions::default()
                };
                let ino = vfs.open(cx, &text(path), options)?.ino;
                let data = vec![*byte; *len];
                let written = vfs.write_at(ino, *at as u64, &data, cx.now)?;
                assert_eq!(written, *len);
                Ok(())
            }
            Call::Truncate(path, len) => {
                let ino = vfs.resolve(cx, &text(path), false)?;
                vfs.truncate(ino, *len as u64, cx.now)
            }
            Call::Unlink(path) => vfs.unlink(cx, &text(path)),
            Call::Rmdir(path) => vfs.rmdir(cx, &text(path)),
            Call::Link(old, new) => vfs.link(cx, &text(old), &text(new), false),
            Call::Rename(old, new) => vfs.rename(cx, &text(old), &text(new)),
            Call::Hold(path) => {
                if let Ok(ino) = vfs.resolve(cx, &text(path), false) {
                    vfs.retain(ino);
                    held.push(ino);
                }
                Ok(())
            }
            Call::Drop => {
                if let Some(ino) = held.pop() {
                    vfs.release(ino);
                }
                Ok(())
            }
        })
    }

    /// The whole tree, as a [`Model`] has it; contents by value, so sharing is compared by `nlink`.
    fn tree(&mut self) -> BTreeMap<Vec<u8>, (FileType, u32, Vec<u8>)> {
        with_context(&mut self.vfs, |vfs, cx| {
            let mut tree = BTreeMap::new();
            let mut left = vec![(Vec::new(), vfs.root())];
            while let Some((path, dir)) = left.pop() {
                for entry in vfs.read_dir(cx, dir).unwrap() {
                    let path = [&path[..], b"/", &entry.name].concat();
                    let meta = vfs.lstat(cx, &path).unwrap();
                    assert_eq!((meta.ino, meta.file_type), (entry.ino, entry.file_type));
                    let mut content = vec![0; usize::try_from(meta.size).unwrap() + 1];
                    match meta.file_type {
                        FileType::Regular => {
                            let count = vfs.read_at(meta.ino, 0, &mut content).unwrap();
                            assert_eq!(count as u64, meta.size);
                            content.truncate(count);
                        }
                        FileType::Directory => {
                            content.clear();
                            assert_eq!(vfs.path_of(meta.ino), Some(path.clone()));
                            left.push((path.clone(), meta.ino));
                        }
                        _ => content = vfs.read_link(cx, &path).unwrap(),
                    }
                    tree.insert(path, (meta.file_type, meta.nlink, content));
                }
            }
            tree
        })
    }
}

fn expected(model: &Model) -> BTreeMap<Vec<u8>, (FileType, Vec<u8>)> {
    let dirs = model.dirs.iter();
    let links = model.links.keys();
    let files = model.files.iter();
    dirs.map(|path| (text(path), (FileType::Directory, Vec::new())))
        .chain(links.map(|path| (text(path), (FileType::Symlink, b"target".to_vec()))))
        .chain(files.map(|(path, file)| {
            (
                text(path),
                (FileType::Regular, model.contents[*file].clone()),
            )
        }))
        .collect()
}

/// Some files and directories that calls will hit; in the model, and in an image or made by calls.
fn start(in_image: bool) -> (Model, Machine) {
    let mut model = Model::default();
    let calls = [
        Call::Mkdir(vec!["a"]),
        Call::Mkdir(vec!["a", "b"]),
        Call::Mkdir(vec!["c"]),
        Call::Write(vec!["b"], 0, 40_000, 7),
        Call::Write(vec!["a", "a"], 0, 10, 1),
        Call::Write(vec!["a", "b", "c"], 0, 16_384, 2),
        Call::Symlink(vec!["c", "d"]),
        Call::Link(vec!["a", "a"], vec!["c", "a"]),
    ];
    let mut image = ImageBuilder::new();
    let plain = Attributes::default();
    for call in &calls {
        assert!(model.call(call));
        if in_image {
            match call {
                Call::Mkdir(path) => image.directory(&text(path), plain),
                Call::Write(path, _, len, byte) => {
                    let content = Content::Bytes(Arc::from(vec![*byte; *len]));
                    image.file(&text(path), plain, content)
                }
                Call::Symlink(path) => image.symlink(&text(path), plain, b"target"),
                Call::Link(old, new) => image.hard_link(&text(old), &text(new)),
                other => panic!("{other:?} is not part of a start"),
            }
            .unwrap();
        }
    }
    let mut machine = Machine {
        vfs: Vfs::new(image.finish(), Limits::default()),
        held: Vec::new(),
    };
    if !in_image {
        for call in &calls {
            machine.call(call).unwrap();
        }
    }
    (model, machine)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_tree_is_the_models_and_removing_all_of_it_frees_all(
        in_image in any::<bool>(),
        calls in proptest::collection::vec(call(), 1..60),
    ) {
        let (mut model, mut machine) = start(in_image);
        for call in &calls {
            let before = machine.vfs.usage();
            let result = machine.call(call);
            prop_assert_eq!(result.is_ok(), model.call(call), "{:?}: {:?}", call, result);
            if result.is_err() {
                let after = machine.vfs.usage();
                prop_assert_eq!((before.bytes, before.inodes), (after.bytes, after.inodes));
            }
        }
        let tree = machine.tree();
        let plain: BTreeMap<_, _> = tree
            .iter()
            .map(|(path, (file_type, _, content))| (path.clone(), (*file_type, content.clone())))
            .collect();
        prop_assert_eq!(plain, expected(&model));
        for (path, file) in &model.files {
            let names = model.files.values().filter(|other| *other == file).count();
            prop_assert_eq!(tree[&text(path)].1 as usize, names);
        }
        for path in std::iter::once(&Path::new()).chain(&model.dirs) {
            let nlink = with_context(&mut machine.vfs, |vfs, cx| vfs.lstat(cx, &text(path)).unwrap().nlink);
            let children = model.dirs.iter().filter(|d| d.len() == path.len() + 1 && d.starts_with(path));
            prop_assert_eq!(nlink as usize, 2 + children.count());
        }

        for (path, (file_type, ..)) in tree.iter().rev() {
            with_context(&mut machine.vfs, |vfs, cx| match file_type {
                FileType::Directory => vfs.rmdir(cx, path),
                _ => vfs.unlink(cx, path),
            }).unwrap();
        }
        while !machine.held.is_empty() {
            machine.call(&Call::Drop).unwrap();
        }
        let Usage { bytes, inodes, .. } = machine.vfs.usage();
        prop_assert_eq!((bytes, inodes), (0, 0));
    }

    #[test]
    fn no_bytes_upset_the_resolver(data in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(sundew_vfs::fuzz::resolve_path(&data));
    }

    #[test]
    fn no_path_escapes(
        parts in proptest::collection::vec(
            prop::sample::select(vec![
                "/", "/", "/", ".", "..", "dir", "sub", "l", "up", "abs", "twice", "self", "ping",
                "mnt", "out", "inner", "tmp", "moved", "private", "file", "dangling", "gone",
            ]),
            0..24,
        ),
        choice in any::<[u8; 2]>(),
    ) {
        let data = [parts.concat().as_bytes(), &choice].concat();
        prop_assert!(sundew_vfs::fuzz::resolve_path(&data));
    }
}
