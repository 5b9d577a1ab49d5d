//! Changes outlive their machine: saved, damaged, restored.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of #[test] functions"
)]

use std::sync::Arc;

use proptest::prelude::*;
use sundew_vfs::{
    Attributes, Content, Context, Credentials, Errno, Image, ImageBuilder, Limits, Mount,
    MountRoot, NoSynthetic, OpenOptions, RestoreError, Timestamp, Vfs,
};

fn image(greeting: &[u8]) -> Arc<Image> {
    let mut image = ImageBuilder::new();
    let plain = Attributes::default();
    for dir in [&b"/root"[..], b"/tmp", b"/etc"] {
        image.directory(dir, plain).unwrap();
    }
    let bytes = |bytes: &[u8]| Content::Bytes(Arc::from(bytes));
    image.file(b"/etc/motd", plain, bytes(greeting)).unwrap();
    image.file(b"/etc/old", plain, bytes(b"old")).unwrap();
    let noise = Content::Generated {
        head: Arc::from(*b"\x7fELF"),
        seed: 3,
        len: 100_000,
    };
    image.file(b"/etc/large", plain, noise).unwrap();
    image.symlink(b"/etc/link", plain, b"motd").unwrap();
    image.finish()
}

fn machine(image: &Arc<Image>, limits: Limits) -> Vfs {
    let mut vfs = Vfs::new(Arc::clone(image), limits);
    let mount = |target: &[u8], fs_type: &[u8], dev, root| Mount {
        source: (*b"none").into(),
        target: target.into(),
        fs_type: fs_type.into(),
        options: (*b"rw").into(),
        dev,
        root,
    };
    vfs.mount(mount(b"/", b"ext4", 0x801, MountRoot::Image))
        .unwrap();
    vfs.mount(mount(b"/tmp", b"tmpfs", 30, MountRoot::Tree))
        .unwrap();
    vfs
}

fn with<T>(vfs: &mut Vfs, call: impl FnOnce(&mut Vfs, &Context<'_>) -> T) -> T {
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp { secs: 7, nanos: 9 },
    };
    call(vfs, &cx)
}

const CREATE: OpenOptions = OpenOptions {
    read: true,
    write: true,
    append: false,
    create: true,
    exclusive: false,
    truncate: false,
    directory: false,
    no_follow: false,
    mode: 0o640,
};

fn put(vfs: &mut Vfs, path: &[u8], offset: u64, data: &[u8]) -> Result<(), Errno> {
    with(vfs, |vfs, cx| {
        let ino = vfs.open(cx, path, CREATE)?.ino;
        vfs.write_at(ino, offset, data, cx.now).map(drop)
    })
}

/// Every path with its attributes and content.
fn dump(vfs: &mut Vfs) -> Vec<String> {
    with(vfs, |vfs, cx| {
        let mut out = Vec::new();
        let mut folders = vec![Vec::new()];
        while let Some(folder) = folders.pop() {
            let path = if folder.is_empty() {
                b"/".to_vec()
            } else {
                folder.clone()
            };
            let dir = vfs.resolve(cx, &path, true).unwrap();
            for entry in vfs.read_dir(cx, dir).unwrap() {
                let path = [folder.as_slice(), b"/", &entry.name].concat();
                let meta = vfs.lstat(cx, &path).unwrap();
                let mut content = vec![0; usize::try_from(meta.size.min(1 << 20)).unwrap()];
                if meta.is_regular() {
                    vfs.read_at(meta.ino, 0, &mut content).unwrap();
                }
                if meta.is_symlink() {
                    content = vfs.read_link(cx, &path).unwrap();
                }
                if meta.is_dir() {
                    content.clear();
                    folders.push(path.clone());
                }
                let sum: u64 = content.iter().map(|byte| u64::from(*byte)).sum();
                out.push(format!("{} {meta:?} {sum}", path.escape_ascii()));
            }
        }
        out.sort();
        out
    })
}

fn changed(image: &Arc<Image>) -> Vfs {
    let mut vfs = machine(image, Limits::default());
    put(&mut vfs, b"/root/x", 0, b"hello").unwrap();
    put(&mut vfs, b"/root/hole", 70_000, b"end").unwrap();
    put(&mut vfs, b"/etc/large", 50_000, b"patched").unwrap();
    put(&mut vfs, b"/tmp/y", 0, &[7; 40_000]).unwrap();
    with(&mut vfs, |vfs, cx| {
        vfs.mkdir(cx, b"/root/.ssh", 0o700).unwrap();
        vfs.symlink(cx, b"/root/x", b"/root/.ssh/link").unwrap();
        vfs.link(cx, b"/etc/motd", b"/root/motd", false).unwrap();
        vfs.unlink(cx, b"/etc/old").unwrap();
        vfs.rename(cx, b"/root/.ssh", b"/tmp/moved").unwrap_err();
        vfs.rename(cx, b"/root/.ssh", b"/etc/ssh").unwrap();
        let ino = vfs.resolve(cx, b"/root/x", true).unwrap();
        vfs.chmod(cx, ino, 0o4755).unwrap();
        // Open and without a name: gone when its machine is.
        let open = vfs.open(cx, b"/root/open", CREATE).unwrap().ino;
        vfs.write_at(open, 0, &[1; 9000], cx.now).unwrap();
        vfs.retain(open);
        vfs.unlink(cx, b"/root/open").unwrap();
    });
    vfs
}

#[test]
fn what_was_changed_is_there_again() {
    let image = image(b"welcome");
    let mut before = changed(&image);
    let mut after = machine(&image, Limits::default());
    after.restore(&before.save()).unwrap();
    assert_eq!(dump(&mut before), dump(&mut after));
    // What the nameless file took is free again, everything else is counted as before.
    assert_eq!(before.usage().bytes - after.usage().bytes, 3 * 4096);
    assert_eq!(before.usage().inodes - after.usage().inodes, 1);
    assert_eq!(after.save(), {
        let mut again = machine(&image, Limits::default());
        again.restore(&after.save()).unwrap();
        again.save()
    });
    put(&mut after, b"/root/new", 0, b"more").unwrap();
    assert_eq!(
        put(&mut after, b"/nowhere/new", 0, b"x"),
        Err(Errno::Enoent)
    );
}

#[test]
fn what_is_cut_or_damaged_is_refused_and_changes_nothing() {
    let image = image(b"welcome");
    let saved = changed(&image).save();
    let mut fresh = machine(&image, Limits::default());
    let empty = dump(&mut fresh);
    for len in (0..saved.len()).step_by(97) {
        let result = fresh.restore(&saved[..len]);
        assert!(
            matches!(result, Err(RestoreError::Damaged | RestoreError::Format)),
            "{len}: {result:?}"
        );
    }
    for at in (0..saved.len()).step_by(61) {
        let mut damaged = saved.clone();
        damaged[at] ^= 0x10;
        assert!(fresh.restore(&damaged).is_err(), "{at}");
    }
    assert_eq!(dump(&mut fresh), empty);
    fresh.restore(&saved).unwrap();
    assert_eq!(fresh.restore(&saved), Err(RestoreError::NotFresh));
}

#[test]
fn another_image_and_smaller_limits_are_told_apart_from_damage() {
    let saved = changed(&image(b"welcome")).save();
    let other = image(b"welcome!");
    let mut vfs = machine(&other, Limits::default());
    assert_eq!(vfs.restore(&saved), Err(RestoreError::OtherImage));
    let tight = Limits {
        max_bytes: 8192,
        max_inodes: 100,
    };
    let mut vfs = machine(&image(b"welcome"), tight);
    assert_eq!(vfs.restore(&saved), Err(RestoreError::TooLarge));
}

#[test]
fn a_small_overlay_is_refused_wherever_it_is_cut_or_flipped() {
    let image = image(b"welcome");
    let mut vfs = machine(&image, Limits::default());
    vfs.truncate(vfs.root(), 0, Timestamp::default())
        .unwrap_err();
    let creds = Credentials::root();
    let root = vfs.root();
    let cx = Context {
        creds: &creds,
        synthetic: &NoSynthetic,
        cwd: root,
        now: Timestamp::default(),
    };
    vfs.mkdir(&cx, b"/new", 0o755).unwrap();
    vfs.symlink(&cx, b"target", b"/new/link").unwrap();
    let saved = vfs.save();
    let mut fresh = machine(&image, Limits::default());
    let untouched = dump(&mut fresh);
    for len in 0..saved.len() {
        assert!(fresh.restore(&saved[..len]).is_err(), "{len}");
    }
    for at in 0..saved.len() {
        let mut flipped = saved.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(fresh.restore(&flipped).is_err(), "{at}");
    }
    assert_eq!(dump(&mut fresh), untouched);
    fresh.restore(&saved).unwrap();
}

#[test]
fn an_image_is_read_as_it_was_written() {
    let first = image(b"welcome");
    let bytes = first.save();
    let again = Image::load(&bytes).unwrap();
    let limits = Limits::default;
    let one = dump(&mut machine(&first, limits()));
    // Numbers are given in another order; everything else is the same.
    let plain = |lines: Vec<String>| -> Vec<String> {
        let without = |line: String| {
            let (before, rest) = line.split_once("ino: ").unwrap();
            let (_, after) = rest.split_once(", ").unwrap();
            format!("{before}{after}")
        };
        lines.into_iter().map(without).collect()
    };
    assert_eq!(plain(one), plain(dump(&mut machine(&again, limits()))));
    assert_eq!(again.save(), bytes);
    for len in (0..bytes.len()).step_by(13) {
        assert!(Image::load(&bytes[..len]).is_err(), "{len}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_panic(mut bytes: Vec<u8>, magic: bool) {
        let image = image(b"x");
        let mut vfs = machine(&image, Limits::default());
        if magic {
            bytes.splice(0..0, *b"overlay2");
        }
        prop_assert!(vfs.restore(&bytes).is_err());
    }

    #[test]
    fn any_body_of_an_image_or_an_overlay_is_refused_or_sound(bytes: Vec<u8>) {
        prop_assert!(sundew_vfs::fuzz::load_image(&bytes));
        prop_assert!(sundew_vfs::fuzz::restore_overlay(&bytes));
    }

    /// Counts and lengths that are near the truth, near zero, and near the end of numbers.
    #[test]
    fn numbers_that_lie_do_no_harm(
        places in proptest::collection::vec((0_usize..4000, 0_usize..6), 1..5),
    ) {
        let image = image(b"welcome");
        let lies = [0_u64, 1, u64::MAX, u64::MAX / 2, 1 << 32, 255];
        let spoil = |whole: Vec<u8>, head: usize| {
            let mut body = whole.get(head..whole.len() - 8).unwrap().to_vec();
            for (place, lie) in &places {
                let at = place % body.len().saturating_sub(8).max(1);
                if let Some(part) = body.get_mut(at..at + 8) {
                    part.copy_from_slice(&lies[*lie].to_le_bytes());
                }
            }
            body
        };
        prop_assert!(sundew_vfs::fuzz::load_image(&spoil(image.save(), 8)));
        prop_assert!(sundew_vfs::fuzz::restore_overlay(&spoil(changed(&image).save(), 16)));
    }
}
