//! Mount points, trees of their own, and synthetic nodes.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of #[test] functions"
)]

use sundew_vfs::{
    Access, Context, Credentials, DirEntry, Errno, FileType, ImageBuilder, InodeId, Limits,
    Metadata, Mount, MountRoot, OpenOptions, Synthetic, Timestamp, Vfs,
};

/// `/proc` with `1/cmdline`, `self` → `1` and `1/exe`, which leads to an inode.
struct Proc {
    exe: Option<InodeId>,
}

const fn node(number: u64) -> InodeId {
    InodeId(InodeId::SYNTHETIC | number)
}

const PROC: InodeId = node(1);
const PID: InodeId = node(2);
const CMDLINE: InodeId = node(3);
const SELF: InodeId = node(4);
const EXE: InodeId = node(5);

impl Synthetic for Proc {
    fn metadata(&self, ino: InodeId) -> Result<Metadata, Errno> {
        let (file_type, mode) = match ino {
            PROC | PID => (FileType::Directory, 0o555),
            CMDLINE => (FileType::Regular, 0o444),
            SELF | EXE => (FileType::Symlink, 0o777),
            _ => return Err(Errno::Enoent),
        };
        let now = Timestamp::default();
        Ok(Metadata {
            ino,
            dev: 0x15,
            file_type,
            mode,
            uid: 0,
            gid: 0,
            nlink: 1,
            size: 0,
            blocks: 0,
            rdev: (0, 0),
            atime: now,
            mtime: now,
            ctime: now,
            flags: sundew_vfs::FileFlags::default(),
        })
    }

    fn lookup(&self, dir: InodeId, name: &[u8]) -> Result<InodeId, Errno> {
        let entries = self.read_dir(dir)?;
        let found = entries.iter().find(|entry| &*entry.name == name);
        found.map(|entry| entry.ino).ok_or(Errno::Enoent)
    }

    fn read_dir(&self, dir: InodeId) -> Result<Vec<DirEntry>, Errno> {
        let entry = |name: &[u8], ino| DirEntry {
            name: name.into(),
            ino,
            file_type: self.metadata(ino).unwrap().file_type,
        };
        match dir {
            PROC => Ok(vec![entry(b"1", PID), entry(b"self", SELF)]),
            PID => Ok(vec![entry(b"cmdline", CMDLINE), entry(b"exe", EXE)]),
            _ => Err(Errno::Enotdir),
        }
    }

    fn read_link(&self, ino: InodeId) -> Result<Vec<u8>, Errno> {
        match ino {
            SELF => Ok(b"1".to_vec()),
            EXE => Ok(b"/tmp/x (deleted)".to_vec()),
            _ => Err(Errno::Einval),
        }
    }

    fn content(&self, _: InodeId) -> Result<Vec<u8>, Errno> {
        Ok(b"init\0".to_vec())
    }

    fn parent(&self, dir: InodeId) -> Result<InodeId, Errno> {
        if dir == PID {
            Ok(PROC)
        } else {
            Err(Errno::Enoent)
        }
    }

    fn follow(&self, link: InodeId) -> Option<InodeId> {
        self.exe.filter(|_| link == EXE)
    }
}

fn mount(target: &[u8], root: MountRoot, dev: u64) -> Mount {
    Mount {
        source: (*b"none").into(),
        target: target.into(),
        fs_type: (*b"tmpfs").into(),
        options: (*b"rw").into(),
        dev,
        root,
    }
}

fn machine() -> Vfs {
    let mut image = ImageBuilder::new();
    for dir in [&b"/proc"[..], b"/tmp", b"/run/lock"] {
        image
            .directory(dir, sundew_vfs::Attributes::default())
            .unwrap();
    }
    let mut vfs = Vfs::new(image.finish(), Limits::default());
    vfs.mount(mount(b"/", MountRoot::Image, 0x801)).unwrap();
    vfs.mount(mount(b"/proc", MountRoot::Synthetic(PROC), 0x15))
        .unwrap();
    vfs.mount(mount(b"/tmp", MountRoot::Tree, 0x20)).unwrap();
    vfs
}

fn context<'a>(vfs: &Vfs, creds: &'a Credentials, synthetic: &'a Proc) -> Context<'a> {
    Context {
        creds,
        synthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    }
}

const CREATE: OpenOptions = OpenOptions {
    read: false,
    write: true,
    append: false,
    create: true,
    exclusive: false,
    truncate: false,
    directory: false,
    no_follow: false,
    mode: 0o644,
};

#[test]
fn a_mounted_tree_is_a_filesystem_of_its_own() {
    let mut vfs = machine();
    let (root, proc) = (Credentials::root(), Proc { exe: None });
    let cx = context(&vfs, &root, &proc);
    assert_eq!(vfs.usage().inodes, 0);
    let opened = vfs.open(&cx, b"/tmp/x", CREATE).unwrap();
    assert_eq!(opened.metadata.dev, 0x20);
    assert_eq!(vfs.stat(&cx, b"/run").unwrap().dev, 0x801);
    assert_eq!(vfs.rename(&cx, b"/tmp/x", b"/run/x"), Err(Errno::Exdev));
    assert_eq!(
        vfs.link(&cx, b"/tmp/x", b"/run/x", false),
        Err(Errno::Exdev)
    );
    assert_eq!(vfs.rmdir(&cx, b"/tmp"), Err(Errno::Ebusy));
    assert_eq!(vfs.rename(&cx, b"/tmp", b"/run/tmp"), Err(Errno::Ebusy));
    let dir = vfs.mkdir(&cx, b"/tmp/dir", 0o755).unwrap();
    assert_eq!(vfs.path_of(dir).as_deref(), Some(&b"/tmp/dir"[..]));
    assert_eq!(
        vfs.resolve_at(&cx, dir, b"../../run/..", true),
        Ok(vfs.root())
    );
}

#[test]
fn a_later_mount_covers_an_earlier_one() {
    let mut vfs = machine();
    let (root, proc) = (Credentials::root(), Proc { exe: None });
    let cx = context(&vfs, &root, &proc);
    vfs.open(&cx, b"/tmp/x", CREATE).unwrap();
    vfs.mount(mount(b"/tmp", MountRoot::Tree, 0x21)).unwrap();
    assert_eq!(vfs.stat(&cx, b"/tmp/x"), Err(Errno::Enoent));
    let tmp = vfs.resolve(&cx, b"/tmp", true).unwrap();
    assert_eq!(vfs.path_of(tmp).as_deref(), Some(&b"/tmp"[..]));
    assert_eq!(vfs.resolve_at(&cx, tmp, b"..", true), Ok(vfs.root()));
    assert_eq!(vfs.mounts().len(), 4);
}

#[test]
fn synthetic_nodes_obey_the_rules_of_paths() {
    let mut vfs = machine();
    let (root, proc) = (Credentials::root(), Proc { exe: None });
    let cx = context(&vfs, &root, &proc);
    assert_eq!(vfs.resolve(&cx, b"/proc/self/cmdline", true), Ok(CMDLINE));
    assert_eq!(
        vfs.resolve(&cx, b"/proc/self/../../run/../proc/1", true),
        Ok(PID)
    );
    assert_eq!(
        vfs.resolve(&cx, b"/proc/self/cmdline/", true),
        Err(Errno::Enotdir)
    );
    assert_eq!(vfs.read_link(&cx, b"/proc/self").as_deref(), Ok(&b"1"[..]));
    assert_eq!(vfs.path_of(PROC).as_deref(), Some(&b"/proc"[..]));
    assert_eq!(vfs.path_in(&cx, PID).as_deref(), Some(&b"/proc/1"[..]));
    assert_eq!(vfs.open(&cx, b"/proc/new", CREATE), Err(Errno::Enoent));
    assert_eq!(vfs.mkdir(&cx, b"/proc/new", 0o755), Err(Errno::Enoent));
    assert_eq!(vfs.unlink(&cx, b"/proc/1/cmdline"), Err(Errno::Eperm));
    assert_eq!(vfs.chmod(&cx, CMDLINE, 0o777), Err(Errno::Eperm));
    let nobody = Credentials {
        uid: 65534,
        gid: 65534,
        groups: Vec::new(),
    };
    let cx = context(&vfs, &nobody, &proc);
    assert_eq!(vfs.access(&cx, CMDLINE, Access::Write), Err(Errno::Eacces));
}

#[test]
fn a_deleted_program_is_still_read_through_proc() {
    let mut vfs = machine();
    let root = Credentials::root();
    let mut proc = Proc { exe: None };
    let ino = {
        let cx = context(&vfs, &root, &proc);
        let ino = vfs.open(&cx, b"/tmp/x", CREATE).unwrap().ino;
        vfs.write_at(ino, 0, b"\x7fELF", cx.now).unwrap();
        vfs.retain(ino);
        vfs.unlink(&cx, b"/tmp/x").unwrap();
        ino
    };
    proc.exe = Some(ino);
    let cx = context(&vfs, &root, &proc);
    assert_eq!(vfs.resolve(&cx, b"/proc/self/exe", true), Ok(ino));
    assert_eq!(vfs.resolve(&cx, b"/proc/self/exe", false), Ok(EXE));
}

#[test]
fn mounts_have_rules_and_an_end() {
    let mut vfs = machine();
    let tree = |target: &[u8]| mount(target, MountRoot::Tree, 0x30);
    assert_eq!(vfs.mount(tree(b"/nowhere")), Err(Errno::Enoent));
    assert_eq!(vfs.mount(tree(b"/")), Err(Errno::Einval));
    assert_eq!(
        vfs.mount(mount(b"/run", MountRoot::Image, 0x30)),
        Err(Errno::Einval)
    );
    let made = (0..1000).take_while(|_| vfs.mount(tree(b"/run/lock")).is_ok());
    assert_eq!(made.count(), 125);
}

#[test]
fn links_planted_in_tmp_are_not_followed_by_others() {
    let mut vfs = machine();
    let proc = Proc { exe: None };
    let root = Credentials::root();
    let user = Credentials {
        uid: 1000,
        gid: 1000,
        groups: Vec::new(),
    };
    let cx = context(&vfs, &user, &proc);
    vfs.symlink(&cx, b"/run", b"/tmp/link").unwrap();
    vfs.open(&cx, b"/tmp/file", CREATE).unwrap();
    assert!(vfs.stat(&cx, b"/tmp/link").is_ok());
    let cx = context(&vfs, &root, &proc);
    assert_eq!(vfs.stat(&cx, b"/tmp/link"), Err(Errno::Eacces));
    assert!(vfs.lstat(&cx, b"/tmp/link").is_ok());
    assert_eq!(vfs.open(&cx, b"/tmp/file", CREATE), Err(Errno::Eacces));
}

fn plain_machine() -> Vfs {
    let mut image = ImageBuilder::new();
    let plain = sundew_vfs::Attributes::default();
    for path in [b"/mnt".as_slice(), b"/a/deep", b"/b"] {
        image.directory(path, plain).unwrap();
    }
    Vfs::new(image.finish(), Limits::default())
}

fn tmpfs(target: &[u8], dev: u64) -> Mount {
    Mount {
        source: (*b"none").into(),
        target: target.into(),
        fs_type: (*b"tmpfs").into(),
        options: (*b"rw").into(),
        dev,
        root: MountRoot::Tree,
    }
}

fn put(vfs: &mut Vfs, path: &[u8], bytes: usize) -> Result<usize, Errno> {
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &sundew_vfs::NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    let options = OpenOptions {
        write: true,
        create: true,
        mode: 0o644,
        ..OpenOptions::default()
    };
    let ino = vfs.open(&cx, path, options)?.ino;
    vfs.write_at(ino, 0, &vec![1; bytes], cx.now)
}

fn exists(vfs: &Vfs, path: &[u8]) -> bool {
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &sundew_vfs::NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    vfs.stat(&cx, path).is_ok()
}

#[test]
fn a_tree_that_is_unmounted_gives_everything_back() {
    let mut vfs = plain_machine();
    let before = vfs.usage();
    let making = sundew_vfs::Making::default();
    for _again in 0..300 {
        vfs.mount_in(tmpfs(b"/mnt", 7), making, &sundew_vfs::NoSynthetic)
            .unwrap();
        put(&mut vfs, b"/mnt/f", 9000).unwrap();
        assert_eq!(vfs.usage_of(7).0.bytes, 12_288);
        vfs.unmount(b"/mnt", false).unwrap();
    }
    assert_eq!(vfs.usage(), before);
    assert_eq!(vfs.unmount(b"/mnt", false), Err(Errno::Einval));
    assert!(!exists(&vfs, b"/mnt/f"));
}

#[test]
fn a_tree_with_an_open_file_is_busy_unless_it_is_detached_lazily() {
    let mut vfs = plain_machine();
    let before = vfs.usage();
    let making = sundew_vfs::Making::default();
    vfs.mount_in(tmpfs(b"/mnt", 7), making, &sundew_vfs::NoSynthetic)
        .unwrap();
    put(&mut vfs, b"/mnt/f", 5).unwrap();
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &sundew_vfs::NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    let ino = vfs.resolve(&cx, b"/mnt/f", true).unwrap();
    vfs.retain(ino);
    assert_eq!(vfs.unmount(b"/mnt", false), Err(Errno::Ebusy));
    vfs.unmount(b"/mnt", true).unwrap();
    let mut buf = [0; 9];
    assert_eq!(vfs.read_at(ino, 0, &mut buf), Ok(5));
    vfs.release(ino);
    assert_eq!(vfs.usage(), before);
}

#[test]
fn a_tree_has_room_for_what_it_was_given() {
    let mut vfs = plain_machine();
    let making = sundew_vfs::Making {
        room: 8192,
        ..Default::default()
    };
    vfs.mount_in(tmpfs(b"/mnt", 7), making, &sundew_vfs::NoSynthetic)
        .unwrap();
    assert_eq!(put(&mut vfs, b"/mnt/f", 9000), Ok(8192));
    assert_eq!(put(&mut vfs, b"/mnt/g", 1), Err(Errno::Enospc));
    assert_eq!(put(&mut vfs, b"/elsewhere", 1), Ok(1));
}

#[test]
fn users_mounts_are_gone_when_the_machine_was_saved() {
    let mut vfs = plain_machine();
    let fresh = vfs.clone();
    let making = sundew_vfs::Making::default();
    vfs.mount_in(tmpfs(b"/mnt", 7), making, &sundew_vfs::NoSynthetic)
        .unwrap();
    put(&mut vfs, b"/mnt/f", 5).unwrap();
    put(&mut vfs, b"/kept", 5).unwrap();
    let mut again = fresh;
    again.restore(&vfs.save()).unwrap();
    assert!(exists(&again, b"/kept") && !exists(&again, b"/mnt/f"));
    assert_eq!(again.usage().inodes, 1);
    assert!(exists(&vfs, b"/mnt/f"), "the running machine keeps its own");
}

#[test]
fn what_is_bound_is_the_thing_itself_and_never_lies_in_itself() {
    let mut vfs = plain_machine();
    put(&mut vfs, b"/a/f", 5).unwrap();
    let creds = Credentials::root();
    let root = vfs.root();
    let cx = Context {
        creds: &creds,
        synthetic: &sundew_vfs::NoSynthetic,
        cwd: root,
        now: Timestamp::default(),
    };
    let a = vfs.resolve(&cx, b"/a", true).unwrap();
    let bind = |target: &[u8], root| Mount {
        root: MountRoot::Bind(root),
        ..tmpfs(target, 1)
    };
    let making = sundew_vfs::Making::default();
    let none = &sundew_vfs::NoSynthetic;
    assert_eq!(
        vfs.mount_in(bind(b"/a/deep", a), making, none),
        Err(Errno::Eloop)
    );
    assert_eq!(
        vfs.mount_in(bind(b"/mnt", root), making, none),
        Err(Errno::Eloop)
    );
    let file = vfs.resolve(&cx, b"/a/f", true).unwrap();
    assert_eq!(
        vfs.mount_in(bind(b"/b", file), making, none),
        Err(Errno::Enotdir)
    );
    vfs.mount_in(bind(b"/b", a), making, none).unwrap();
    assert!(exists(&vfs, b"/b/f"));
    assert_eq!(vfs.path_of(a), Some(b"/a".to_vec()));
    vfs.unmount(b"/b", false).unwrap();
    assert!(!exists(&vfs, b"/b/f") && exists(&vfs, b"/a/f"));
}

#[test]
fn nothing_is_changed_on_a_filesystem_that_is_mounted_read_only() {
    let mut vfs = machine();
    let (root, proc) = (Credentials::root(), Proc { exe: None });
    let cx = context(&vfs, &root, &proc);
    let file = vfs.open(&cx, b"/tmp/x", CREATE).unwrap().ino;
    vfs.mkdir(&cx, b"/tmp/dir", 0o755).unwrap();
    vfs.mknod(&cx, b"/tmp/fifo", FileType::Fifo, 0o666, (0, 0))
        .unwrap();
    vfs.remount(b"/tmp", b"ro,relatime").unwrap();
    let read_only = Some(Errno::Erofs);
    let write = OpenOptions {
        create: false,
        ..CREATE
    };
    assert_eq!(vfs.open(&cx, b"/tmp/new", CREATE).err(), read_only);
    assert_eq!(vfs.open(&cx, b"/tmp/x", write).err(), read_only);
    assert_eq!(
        vfs.open(&cx, b"/tmp/nope", write).err(),
        Some(Errno::Enoent)
    );
    assert_eq!(vfs.mkdir(&cx, b"/tmp/new", 0o755).err(), read_only);
    assert_eq!(
        vfs.mkdir(&cx, b"/tmp/dir", 0o755).err(),
        Some(Errno::Eexist)
    );
    assert_eq!(vfs.symlink(&cx, b"x", b"/tmp/new").err(), read_only);
    assert_eq!(
        vfs.link(&cx, b"/tmp/x", b"/tmp/new", false).err(),
        read_only
    );
    assert_eq!(vfs.unlink(&cx, b"/tmp/x").err(), read_only);
    assert_eq!(vfs.unlink(&cx, b"/tmp/nope").err(), read_only);
    assert_eq!(vfs.rmdir(&cx, b"/tmp/dir").err(), read_only);
    assert_eq!(vfs.rename(&cx, b"/tmp/x", b"/tmp/y").err(), read_only);
    assert_eq!(vfs.rename(&cx, b"/tmp/x", b"/run/y"), Err(Errno::Exdev));
    assert_eq!(vfs.chmod(&cx, file, 0o600).err(), read_only);
    assert_eq!(vfs.chown(&cx, file, Some(1), None).err(), read_only);
    assert_eq!(
        vfs.set_times(&cx, file, None, Some(cx.now)).err(),
        read_only
    );
    assert_eq!(vfs.access(&cx, file, Access::Write).err(), read_only);
    assert_eq!(vfs.access(&cx, file, Access::Read), Ok(()));
    // Not the file system is written to, but who reads at the other end.
    assert!(vfs.open(&cx, b"/tmp/fifo", write).is_ok());
    assert!(vfs.mkdir(&cx, b"/run/new", 0o755).is_ok());
    vfs.remount(b"/tmp", b"rw,relatime").unwrap();
    vfs.unlink(&cx, b"/tmp/x").unwrap();
}

#[test]
fn what_is_bound_read_only_may_be_changed_in_its_own_place() {
    let mut vfs = machine();
    let (root, proc) = (Credentials::root(), Proc { exe: None });
    let cx = context(&vfs, &root, &proc);
    let lock = vfs.resolve(&cx, b"/run/lock", true).unwrap();
    vfs.mkdir(&cx, b"/tmp/view", 0o755).unwrap();
    let mut bound = mount(b"/tmp/view", MountRoot::Bind(lock), 0x801);
    vfs.mount_in(bound.clone(), sundew_vfs::Making::default(), &proc)
        .unwrap();
    vfs.open(&cx, b"/tmp/view/x", CREATE).unwrap();
    vfs.remount(b"/tmp/view", b"ro,relatime").unwrap();
    assert_eq!(
        vfs.open(&cx, b"/tmp/view/y", CREATE).err(),
        Some(Errno::Erofs)
    );
    assert_eq!(vfs.unlink(&cx, b"/tmp/view/x"), Err(Errno::Erofs));
    vfs.unlink(&cx, b"/run/lock/x").unwrap();
    vfs.unmount(b"/tmp/view", false).unwrap();
    bound.options = (*b"ro").into();
    vfs.mount_in(bound, sundew_vfs::Making::default(), &proc)
        .unwrap();
    assert_eq!(
        vfs.mkdir(&cx, b"/tmp/view/y", 0o755).err(),
        Some(Errno::Erofs)
    );
}

#[test]
fn what_lies_in_memory_does_not_outlive_a_restart() {
    let mut vfs = Vfs::new(std::sync::Arc::clone(machine().image()), Limits::default());
    let disk = Mount {
        fs_type: (*b"ext4").into(),
        ..mount(b"/", MountRoot::Image, 0x801)
    };
    vfs.mount(disk).unwrap();
    vfs.mount(mount(b"/tmp", MountRoot::Tree, 0x20)).unwrap();
    let (root, proc) = (Credentials::root(), Proc { exe: None });
    let cx = context(&vfs, &root, &proc);
    let fresh = vfs.usage();
    vfs.mkdir(&cx, b"/tmp/dir", 0o755).unwrap();
    let file = vfs.open(&cx, b"/tmp/dir/x", CREATE).unwrap().ino;
    vfs.write_at(file, 0, b"planted", cx.now).unwrap();
    vfs.mkdir(&cx, b"/run/made", 0o755).unwrap();
    vfs.mkdir(&cx, b"/run/made/deeper", 0o755).unwrap();
    vfs.symlink(&cx, b"x", b"/run/made/deeper/link").unwrap();
    vfs.mkdir(&cx, b"/kept", 0o755).unwrap();
    vfs.mount_in(
        mount(b"/kept", MountRoot::Tree, 0x30),
        sundew_vfs::Making::default(),
        &proc,
    )
    .unwrap();
    vfs.power_cycle(&[b"/run"]);
    assert_eq!(vfs.mounts().len(), 2);
    let names = |vfs: &Vfs, path: &[u8]| {
        let ino = vfs.resolve(&cx, path, true).unwrap();
        vfs.read_dir(&cx, ino).unwrap().len()
    };
    assert_eq!((names(&vfs, b"/tmp"), names(&vfs, b"/run")), (0, 1));
    assert!(vfs.stat(&cx, b"/kept").is_ok());
    vfs.rmdir(&cx, b"/kept").unwrap();
    assert_eq!(
        (vfs.usage().bytes, vfs.usage().inodes),
        (fresh.bytes, fresh.inodes)
    );
    // It goes on as new.
    vfs.open(&cx, b"/tmp/x", CREATE).unwrap();
}
