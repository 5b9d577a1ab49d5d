//! What changes cost, in counts rather than times, and what limits do.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of #[test] functions"
)]

use std::sync::Arc;

use sundew_vfs::pool::{Holder, Pool};
use sundew_vfs::{
    Attributes, Content, Context, Credentials, Errno, ImageBuilder, Limits, NoSynthetic,
    OpenOptions, Timestamp, Usage, Vfs,
};

fn big_machine(limits: Limits) -> Vfs {
    let mut image = ImageBuilder::new();
    let plain = Attributes::default();
    for number in 0..3000 {
        let path = format!("/usr/bin/program{number}");
        let content = Content::Generated {
            head: Arc::from(*b"\x7fELF"),
            seed: number,
            len: 1 << 20,
        };
        image.file(path.as_bytes(), plain, content).unwrap();
    }
    Vfs::new(image.finish(), limits)
}

fn with_context<T>(vfs: &mut Vfs, work: impl FnOnce(&mut Vfs, &Context<'_>) -> T) -> T {
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp { secs: 1, nanos: 0 },
    };
    work(vfs, &cx)
}

fn write(vfs: &mut Vfs, path: &[u8], offset: u64, data: &[u8]) -> Result<usize, Errno> {
    with_context(vfs, |vfs, cx| {
        let options = OpenOptions {
            write: true,
            create: true,
            mode: 0o644,
            ..OpenOptions::default()
        };
        let ino = vfs.open(cx, path, options)?.ino;
        vfs.write_at(ino, offset, data, cx.now)
    })
}

#[test]
fn reading_changes_nothing() {
    let mut vfs = big_machine(Limits::default());
    with_context(&mut vfs, |vfs, cx| {
        let ino = vfs.resolve(cx, b"/usr/bin/program7", true).unwrap();
        vfs.retain(ino);
        let mut buf = [0; 100];
        assert_eq!(vfs.read_at(ino, 5000, &mut buf), Ok(100));
        vfs.touch_atime(ino, cx.now);
        vfs.release(ino);
        let dir = vfs.resolve(cx, b"/usr/bin", true).unwrap();
        assert_eq!(vfs.read_dir(cx, dir).unwrap().len(), 3000);
    });
    assert_eq!(vfs.usage(), Usage::default());
}

#[test]
fn a_new_file_in_a_large_directory_changes_that_directory_alone() {
    let mut vfs = big_machine(Limits::default());
    write(&mut vfs, b"/usr/bin/new", 0, b"x").unwrap();
    let usage = vfs.usage();
    assert_eq!((usage.inodes, usage.image_inodes), (1, 1));
    assert!(usage.bytes < 4096 + 128, "{usage:?}");
}

#[test]
fn a_first_write_to_a_large_file_copies_one_chunk() {
    let mut vfs = big_machine(Limits::default());
    write(&mut vfs, b"/usr/bin/program7", 500_000, b"x").unwrap();
    let usage = vfs.usage();
    assert_eq!((usage.inodes, usage.image_inodes), (0, 1));
    assert_eq!(usage.bytes, 16 * 1024);
}

#[test]
fn renaming_a_large_directory_changes_three_inodes() {
    let mut vfs = big_machine(Limits::default());
    with_context(&mut vfs, |vfs, cx| {
        vfs.rename(cx, b"/usr/bin", b"/bin").unwrap();
        assert!(vfs.stat(cx, b"/bin/program2999").is_ok());
        assert_eq!(vfs.stat(cx, b"/usr/bin"), Err(Errno::Enoent));
    });
    assert_eq!(vfs.usage().image_inodes, 3);
}

#[test]
fn at_the_limit_growing_is_refused_and_removing_works() {
    let limits = Limits {
        max_bytes: 64 * 1024,
        max_inodes: 10,
    };
    let mut vfs = big_machine(limits);
    let data = vec![1; 100_000];
    let written = write(&mut vfs, b"/full", 0, &data).unwrap();
    assert!(written > 50_000 && written < 64 * 1024, "{written}");
    assert_eq!(
        write(&mut vfs, b"/full", written as u64, b"x"),
        Err(Errno::Enospc)
    );
    assert_eq!(
        write(&mut vfs, b"/usr/bin/program1", 0, b"x"),
        Err(Errno::Enospc)
    );
    assert!(vfs.usage().bytes <= limits.max_bytes);
    with_context(&mut vfs, |vfs, cx| {
        vfs.unlink(cx, b"/usr/bin/program2").unwrap();
        vfs.unlink(cx, b"/full").unwrap();
    });
    assert_eq!((vfs.usage().bytes, vfs.usage().inodes), (0, 0));
    let made = (0..20).take_while(|number| {
        let path = format!("/dir{number}");
        with_context(&mut vfs, |vfs, cx| vfs.mkdir(cx, path.as_bytes(), 0o755)).is_ok()
    });
    assert_eq!(made.count(), 10);
}

#[test]
fn what_machines_have_together_is_a_quota_and_free_again_when_one_of_them_is_gone() {
    let pool = |limit| Pool::new(Holder::Source, limit, None);
    let (bytes, inodes) = (pool(40 * 1024), pool(3));
    let limits = Limits::default();
    let (mut one, mut other) = (big_machine(limits), big_machine(limits));
    for machine in [&mut one, &mut other] {
        machine.share(Arc::clone(&bytes), Arc::clone(&inodes));
    }
    assert_eq!(write(&mut one, b"/a", 0, &[1; 24_000]), Ok(24_000));
    let written = write(&mut other, b"/b", 0, &[1; 24_000]).unwrap();
    assert!(written > 4_000 && written < 16_000, "{written}");
    assert_eq!(
        write(&mut other, b"/b", written as u64, b"x"),
        Err(Errno::Edquot)
    );
    assert_eq!(bytes.used(), one.usage().bytes + other.usage().bytes);
    let copy = one.clone();
    with_context(&mut one, |vfs, cx| {
        vfs.unlink(cx, b"/a").unwrap();
        vfs.mkdir(cx, b"/c", 0o755).unwrap();
        vfs.mkdir(cx, b"/d", 0o755).unwrap();
        assert_eq!(vfs.mkdir(cx, b"/e", 0o755), Err(Errno::Edquot));
    });
    drop((one, copy));
    assert_eq!(bytes.used(), other.usage().bytes);
    assert_eq!(inodes.used(), 1);
    let saved = other.save();
    drop(other);
    let mut again = big_machine(limits);
    again.share(Arc::clone(&bytes), Arc::clone(&inodes));
    again.restore(&saved).unwrap();
    assert_eq!((bytes.used(), inodes.used()), (again.usage().bytes, 1));
}

#[test]
fn names_are_charged_so_that_hard_links_have_an_end() {
    let mut vfs = big_machine(Limits {
        max_bytes: 10_000,
        max_inodes: 10,
    });
    write(&mut vfs, b"/file", 0, b"x").unwrap();
    let made = (0..1000).take_while(|number| {
        let path = format!("/link{number}");
        with_context(&mut vfs, |vfs, cx| {
            vfs.link(cx, b"/file", path.as_bytes(), false)
        })
        .is_ok()
    });
    assert!((50..100).contains(&made.count()));
}

#[test]
fn an_unlinked_file_lives_until_it_is_released() {
    let mut vfs = big_machine(Limits::default());
    write(&mut vfs, b"/dropper", 0, b"payload").unwrap();
    with_context(&mut vfs, |vfs, cx| {
        for path in [&b"/dropper"[..], b"/usr/bin/program3"] {
            let ino = vfs.resolve(cx, path, true).unwrap();
            vfs.retain(ino);
            vfs.unlink(cx, path).unwrap();
            let mut buf = [0; 4];
            assert_eq!(vfs.read_at(ino, 0, &mut buf), Ok(4));
            assert_eq!(vfs.metadata(cx, ino).unwrap().nlink, 0);
            vfs.release(ino);
            assert_eq!(vfs.metadata(cx, ino), Err(Errno::Enoent));
            assert_eq!(vfs.read_at(ino, 0, &mut buf), Err(Errno::Enoent));
        }
    });
    assert_eq!((vfs.usage().bytes, vfs.usage().inodes), (0, 0));
}

#[test]
fn an_untouched_machine_is_small() {
    assert!(size_of::<Vfs>() < 512);
}
