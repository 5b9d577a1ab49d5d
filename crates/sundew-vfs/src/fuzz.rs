//! Entry points for fuzzers: plain functions of bytes, false when an invariant broke.
//!
//! A target is one line: `fuzz_target!(|data: &[u8]| assert!(sundew_vfs::fuzz::resolve_path(data)));`

use std::sync::Arc;

use crate::image::sealed_image;
use crate::overlay::sealed_overlay;
use crate::{
    Attributes, Backing, Content, Context, Credentials, Errno, FileType, Image, ImageBuilder,
    ImageError, Limits, Mount, MountRoot, NoSynthetic, Timestamp, Vfs,
};

/// Resolves any bytes as a path on a small tree with directories, loops of links, a mount, a
/// hard link and a removed directory.
///
/// The last two bytes choose where to start, as whom, and whether to follow; the rest is the path.
/// A fuzz target asserts the result; a panic is a finding by itself. False means that a directory
/// was found whose own path does not lead back to it, so that `..` or a link escaped.
#[must_use]
pub fn resolve_path(data: &[u8]) -> bool {
    let (path, choice) = match data {
        [path @ .., a, b] => (path, [*a, *b]),
        short => (short, [0, 0]),
    };
    let Ok(mut vfs) = small_tree() else {
        return false;
    };
    let user = Credentials {
        uid: 1000,
        gid: 1000,
        groups: vec![100],
    };
    let root = Credentials::root();
    let mut cx = Context {
        creds: &root,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    let [start, flags] = choice;
    let starts: [&[u8]; 4] = [b"/", b"/dir/sub", b"/mnt", b"/gone"];
    let start = starts.get(usize::from(start % 4)).unwrap_or(&starts[0]);
    let Ok(cwd) = vfs.resolve(&cx, start, true) else {
        return false;
    };
    cx.cwd = cwd;
    vfs.retain(cwd);
    if vfs.rmdir(&cx, b"/gone").is_err() {
        return false;
    }
    if flags & 1 != 0 {
        cx.creds = &user;
    }
    let follow = flags & 2 != 0;
    let Ok(found) = vfs.resolve(&cx, path, follow) else {
        return true;
    };
    let Ok(metadata) = vfs.metadata(&cx, found) else {
        return false;
    };
    if metadata.file_type != FileType::Directory || found == cwd {
        return true;
    }
    cx.creds = &root;
    vfs.path_of(found)
        .is_some_and(|path| vfs.resolve(&cx, &path, false) == Ok(found))
}

/// Reads any bytes as the body of an image. What is an image is walked whole, written and read again.
///
/// False means that it could not be read back as it was written.
#[must_use]
pub fn load_image(data: &[u8]) -> bool {
    let bytes = sealed_image(data);
    let backing: Backing = Arc::new(bytes.clone());
    let (Ok(image), Ok(backed)) = (Image::load(&bytes), Image::load_backed(&backing)) else {
        return Image::load(&bytes).is_err() && Image::load_backed(&backing).is_err();
    };
    walk(&Vfs::new(Arc::clone(&image), Limits::default()));
    let saved = image.save();
    saved == backed.save() && Image::load(&saved).is_ok_and(|again| again.save() == saved)
}

/// Reads any bytes as the body of a saved overlay over a small tree. What is one is walked whole and saved.
///
/// False means that it holds more than the limits allow.
#[must_use]
pub fn restore_overlay(data: &[u8]) -> bool {
    let Ok(mut vfs) = small_tree() else {
        return false;
    };
    let limits = Limits {
        max_bytes: 1 << 20,
        max_inodes: 64,
    };
    let mut fresh = Vfs::new(Arc::clone(vfs.image()), limits);
    let bytes = sealed_overlay(fresh.image().fingerprint(), data);
    // One that was used already, with a mount, refuses or takes it, without harm.
    let _refused = vfs.restore(&bytes);
    if fresh.restore(&bytes).is_err() {
        return true;
    }
    walk(&fresh);
    let usage = fresh.usage();
    let _saved = fresh.save();
    usage.bytes <= limits.max_bytes && usage.inodes <= limits.max_inodes
}

/// Looks at everything below `/`, a bounded number of times: what was restored may be no tree.
fn walk(vfs: &Vfs) {
    const MOST: usize = 10_000;
    let root = Credentials::root();
    let cx = Context {
        creds: &root,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    let mut pending = vec![vfs.root()];
    let mut buf = [0; 64];
    for _ in 0..MOST {
        let Some(ino) = pending.pop() else { break };
        let _path = vfs.path_of(ino);
        let _count = vfs.read_at(ino, 3, &mut buf);
        let _target = vfs.read_link_ino(&cx, ino);
        let entries = vfs.read_dir(&cx, ino).unwrap_or_default();
        pending.extend(entries.into_iter().map(|entry| entry.ino).take(MOST));
    }
}

fn small_tree() -> Result<Vfs, FuzzError> {
    let plain = Attributes::default();
    let mut image = ImageBuilder::new();
    for dir in [&b"/dir/sub/deep"[..], b"/mnt", b"/gone", b"/tmp"] {
        image.directory(dir, plain)?;
    }
    let private = Attributes {
        mode: 0o700,
        ..plain
    };
    image.directory(b"/private", private)?;
    image.file(b"/dir/file", plain, Content::Bytes(Arc::from(*b"x")))?;
    image.hard_link(b"/dir/file", b"/private/file")?;
    let links: [(&[u8], &[u8]); 8] = [
        (b"/l", b"dir"),
        (b"/self", b"self"),
        (b"/ping", b"pong/x"),
        (b"/pong", b"ping/y"),
        (b"/up", b"../../../.."),
        (b"/dir/abs", b"/dir/sub/"),
        (b"/dir/sub/twice", b"../sub/../../l/sub"),
        (b"/dangling", b"nowhere"),
    ];
    for (path, target) in links {
        image.symlink(path, plain, target)?;
    }
    let mut vfs = Vfs::new(image.finish(), Limits::default());
    vfs.mount(Mount {
        source: (*b"tmpfs").into(),
        target: (*b"/mnt").into(),
        fs_type: (*b"tmpfs").into(),
        options: (*b"rw").into(),
        dev: 0x20,
        root: MountRoot::Tree,
    })?;
    let root = Credentials::root();
    let cx = Context {
        creds: &root,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    vfs.mkdir(&cx, b"/mnt/inner", 0o755)?;
    vfs.symlink(&cx, b"../../dir", b"/mnt/out")?;
    vfs.rename(&cx, b"/dir/sub/deep", b"/tmp/moved")?;
    Ok(vfs)
}

/// The small tree could not be built; says nothing about the input.
struct FuzzError;

impl From<ImageError> for FuzzError {
    fn from(_: ImageError) -> Self {
        Self
    }
}

impl From<Errno> for FuzzError {
    fn from(_: Errno) -> Self {
        Self
    }
}
