//! The Debian 12 machine as the data in the repository makes it.

use std::collections::BTreeSet;

use sundew_kernel::executable::{HEAD_BYTES, build_id, build_id_of};
use sundew_persona::accounting::{LASTLOG_BYTES, UTMP_BYTES};
use sundew_persona::build::{CAMERA, DEBIAN12};
use sundew_persona::tree::Data;
use sundew_persona::{Model, Origin, Persona};
use sundew_vfs::{
    Context, Credentials, DirEntry, Errno, FileType, InodeId, Limits, Metadata, MountRoot,
    Synthetic, Timestamp, Vfs,
};

/// `/proc` and `/dev/pts` as empty directories: the kernel fills them.
struct EmptyDirectories;

impl Synthetic for EmptyDirectories {
    fn metadata(&self, ino: InodeId) -> Result<Metadata, Errno> {
        let zero = Timestamp::default();
        Ok(Metadata {
            ino,
            dev: 22,
            file_type: FileType::Directory,
            mode: 0o555,
            uid: 0,
            gid: 0,
            nlink: 2,
            size: 0,
            blocks: 0,
            rdev: (0, 0),
            atime: zero,
            mtime: zero,
            ctime: zero,
            flags: sundew_vfs::FileFlags::default(),
        })
    }

    fn lookup(&self, _: InodeId, _: &[u8]) -> Result<InodeId, Errno> {
        Err(Errno::Enoent)
    }

    fn read_dir(&self, _: InodeId) -> Result<Vec<DirEntry>, Errno> {
        Ok(Vec::new())
    }

    fn read_link(&self, _: InodeId) -> Result<Vec<u8>, Errno> {
        Err(Errno::Einval)
    }

    fn content(&self, _: InodeId) -> Result<Vec<u8>, Errno> {
        Err(Errno::Eisdir)
    }
}

struct Machine {
    persona: Persona,
    vfs: Vfs,
}

/// What visitors and their scripts look at.
const WANTED: &[&str] = &[
    "/bin/sh",
    "/bin/bash",
    "/bin/busybox",
    "/usr/bin/busybox",
    "/bin/ls",
    "/bin/cat",
    "/bin/echo",
    "/bin/dd",
    "/usr/bin/wget",
    "/usr/bin/curl",
    "/usr/bin/nc",
    "/bin/ping",
    "/usr/bin/perl",
    "/usr/bin/awk",
    "/sbin/init",
    "/usr/sbin/chpasswd",
    "/usr/bin/crontab",
    "/usr/bin/free",
    "/usr/bin/top",
    "/usr/bin/nproc",
    "/usr/bin/lscpu",
    "/usr/sbin/ip",
    "/sbin/ifconfig",
    "/sbin/iptables",
    "/usr/sbin/useradd",
    "/usr/sbin/sshd",
    "/usr/bin/ssh",
    "/usr/bin/lspci",
    "/usr/bin/sudo",
    "/usr/bin/nohup",
    "/usr/bin/systemctl",
    "/usr/bin/which",
    "/usr/bin/egrep",
    "/usr/local/bin/ftpget",
    "/usr/local/bin/ftpput",
    "/usr/local/bin/tftp",
    "/lib64/ld-linux-x86-64.so.2",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/os-release",
    "/etc/issue",
    "/etc/issue.net",
    "/etc/debian_version",
    "/etc/fstab",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/shells",
    "/etc/profile",
    "/etc/crontab",
    "/etc/ssh/sshd_config",
    "/etc/machine-id",
    "/etc/motd",
    "/etc/cron.d",
    "/etc/init.d/ssh",
    "/etc/ld.so.conf",
    "/etc/services",
    "/etc/login.defs",
    "/etc/sudoers",
    "/etc/bash.bashrc",
    "/etc/skel/.bashrc",
    "/root/.bashrc",
    "/root/.profile",
    "/var/log/wtmp",
    "/var/log/btmp",
    "/var/log/lastlog",
    "/run/utmp",
    "/var/run/utmp",
    "/var/spool/cron/crontabs",
    "/var/lib/dpkg/status",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
    "/dev/tty",
    "/dev/shm",
    "/dev/pts",
    "/proc",
    "/sys/class/net/lo",
    "/sys/class/dmi/id/product_name",
    "/boot/grub/grub.cfg",
    "/vmlinuz",
    "/initrd.img",
    "/lost+found",
    "/srv",
    "/lib/systemd/system/ssh.service",
    "/usr/lib/openssh/sftp-server",
    "/media",
];

const BORN: Timestamp = Timestamp {
    secs: 1_795_300_000,
    nanos: 0,
};

impl Machine {
    fn new(seed: u8) -> Self {
        let persona = Persona::debian12(&Origin::new([seed; 32], BORN)).unwrap();
        let vfs = persona.filesystem(Limits::default()).unwrap();
        Self { persona, vfs }
    }

    fn with<T>(&self, ask: impl FnOnce(&Vfs, &Context<'_>) -> T) -> T {
        let creds = Credentials::root();
        let cx = Context {
            creds: &creds,
            synthetic: &EmptyDirectories,
            cwd: self.vfs.root(),
            now: BORN,
        };
        ask(&self.vfs, &cx)
    }

    fn stat(&self, path: &str) -> Metadata {
        self.with(|vfs, cx| {
            vfs.stat(cx, path.as_bytes())
                .unwrap_or_else(|errno| panic!("{path}: {errno}"))
        })
    }

    fn read(&self, path: &str) -> Vec<u8> {
        let meta = self.stat(path);
        let mut bytes = vec![0; usize::try_from(meta.size).unwrap()];
        let count = self.vfs.read_at(meta.ino, 0, &mut bytes).unwrap();
        assert_eq!(
            count,
            bytes.len(),
            "{path}: the size is that of the content"
        );
        bytes
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).unwrap()
    }

    fn list(&self, path: &str) -> BTreeSet<String> {
        self.with(|vfs, cx| {
            let dir = vfs.resolve(cx, path.as_bytes(), true).unwrap();
            let entries = vfs.read_dir(cx, dir).unwrap();
            entries
                .iter()
                .map(|entry| String::from_utf8_lossy(&entry.name).into_owned())
                .collect()
        })
    }

    /// Every path below `/`, not through links.
    fn walk(&self) -> Vec<(String, Metadata)> {
        let mut found = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for name in self.list(if folder.is_empty() { "/" } else { &folder }) {
                let path = format!("{folder}/{name}");
                let meta = self.with(|vfs, cx| vfs.lstat(cx, path.as_bytes()).unwrap());
                if meta.file_type == FileType::Directory {
                    folders.push(path.clone());
                }
                found.push((path, meta));
            }
        }
        found
    }
}

#[test]
fn what_visitors_look_for_is_there() {
    let machine = Machine::new(1);
    for path in WANTED {
        machine.stat(path);
    }
    for path in [
        "/usr/bin/python3",
        "/usr/bin/gcc",
        "/usr/bin/vim",
        "/usr/bin/unzip",
        "/usr/bin/xxd",
        "/.dockerenv",
    ] {
        assert_eq!(
            machine.with(|vfs, cx| vfs.stat(cx, path.as_bytes())),
            Err(Errno::Enoent),
            "{path}"
        );
    }
}

#[test]
fn homes_and_scratch_directories_are_as_on_a_fresh_machine() {
    let machine = Machine::new(2);
    assert_eq!(
        machine.list("/root"),
        [".bashrc", ".profile"].map(str::to_owned).into()
    );
    for path in [
        "/tmp",
        "/opt",
        "/mnt",
        "/home",
        "/dev/shm",
        "/var/spool/cron/crontabs",
    ] {
        assert!(machine.list(path).is_empty(), "{path}");
    }
    assert_eq!(machine.stat("/tmp").mode, 0o1777);
    assert_eq!(machine.stat("/root").mode, 0o700);
    assert_eq!(
        (
            machine.stat("/etc/shadow").mode,
            machine.stat("/etc/shadow").gid
        ),
        (0o640, 42)
    );
    assert_eq!(machine.stat("/usr/bin/su").mode, 0o4755);
}

#[test]
fn every_file_has_the_size_of_its_content_and_no_time_lies_ahead() {
    let machine = Machine::new(3);
    let nodes = machine.walk();
    assert!(nodes.len() > 10_000, "{} nodes", nodes.len());
    let mut buffer = [0; 4096];
    for (path, meta) in nodes {
        assert!(meta.mtime < BORN, "{path} is of the future");
        if meta.file_type == FileType::Regular {
            let last = meta.size.saturating_sub(1);
            let left = machine.vfs.read_at(meta.ino, last, &mut buffer).unwrap();
            assert_eq!(left as u64, meta.size - last, "{path}");
            assert_eq!(
                machine.vfs.read_at(meta.ino, meta.size, &mut buffer),
                Ok(0),
                "{path}"
            );
        }
    }
}

#[test]
fn links_lead_somewhere_but_for_those_that_lead_nowhere_on_debian_too() {
    let machine = Machine::new(4);
    let mut broken = Vec::new();
    for (path, meta) in machine.walk() {
        if meta.file_type == FileType::Symlink
            && let Err(errno) = machine.with(|vfs, cx| vfs.stat(cx, path.as_bytes()))
        {
            broken.push(format!("{path}: {errno}"));
        }
    }
    broken.retain(|line| {
        // The first two lead into `/proc`, which is empty here; the others lack documents.
        !(line.starts_with("/dev/")
            || line.starts_with("/etc/mtab")
            || line.starts_with("/usr/share/doc/")
            || line.starts_with("/usr/share/man/"))
    });
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_executable_carries_the_id_of_its_program() {
    let machine = Machine::new(5);
    let executables = machine.persona.executables();
    assert!(executables.len() > 500, "{}", executables.len());
    for executable in executables {
        let path = String::from_utf8(executable.path.clone()).unwrap();
        let meta = machine.stat(&path);
        assert_ne!(meta.mode & 0o111, 0, "{path}");
        let mut head = [0; HEAD_BYTES];
        let count = machine.vfs.read_at(meta.ino, 0, &mut head).unwrap();
        assert_eq!(
            build_id_of(&head[..count]),
            Some(build_id(&executable.program)),
            "{path}"
        );
    }
    let program = |path: &str| {
        let found = executables
            .iter()
            .find(|executable| executable.path == path.as_bytes());
        String::from_utf8_lossy(&found.unwrap().program).into_owned()
    };
    assert_eq!(program("/usr/bin/ls"), "ls");
    assert_eq!(program("/usr/bin/bzcat"), "bzip2");
    assert_eq!(program("/usr/bin/nc.traditional"), "nc");
    assert_eq!(program("/usr/bin/zgrep"), "zgrep");
}

#[test]
fn every_executable_in_the_search_path_is_listed() {
    let machine = Machine::new(6);
    let listed: BTreeSet<_> = machine
        .persona
        .executables()
        .iter()
        .map(|executable| executable.path.clone())
        .collect();
    for (path, meta) in machine.walk() {
        let in_path = ["/usr/bin/", "/usr/sbin/"]
            .iter()
            .any(|folder| path.starts_with(folder));
        // These are what they say: scripts that call grep.
        let plain = ["/usr/bin/egrep", "/usr/bin/fgrep"].contains(&path.as_str());
        if in_path && !plain && meta.file_type == FileType::Regular && meta.mode & 0o111 != 0 {
            assert!(listed.contains(path.as_bytes()), "{path}");
        }
    }
}

/// What is emulated says nothing about what is installed.
#[test]
fn a_machine_without_a_single_program_has_every_path_with_its_size() {
    let origin = Origin::new([9; 32], BORN);
    let bare = Persona::new(Model::Debian12, &origin, &|_| false).unwrap();
    let vfs = bare.filesystem(Limits::default()).unwrap();
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &sundew_vfs::NoSynthetic,
        cwd: vfs.root(),
        now: BORN,
    };
    for (path, mode, size) in [
        ("/usr/sbin/e2fsck", 0o755, 356_624),
        ("/usr/bin/ls", 0o755, 151_344),
        ("/usr/bin/ldd", 0o755, 5407),
        ("/usr/bin/chage", 0o2755, 80_376),
        ("/usr/share/perl5/Debconf/Db.pm", 0o644, 1202),
        ("/usr/bin/bunzip2", 0o755, 39_224),
    ] {
        let meta = vfs.stat(&cx, path.as_bytes()).unwrap();
        assert_eq!((meta.mode, meta.size), (mode, size), "{path}");
    }
}

#[test]
fn a_fact_is_the_same_wherever_it_is_shown() {
    let machine = Machine::new(7);
    let facts = &machine.persona.facts;
    let host = String::from_utf8(facts.hostname.clone()).unwrap();
    let release = String::from_utf8(facts.kernel_release.clone()).unwrap();
    assert_eq!(machine.text("/etc/hostname"), format!("{host}\n"));
    assert!(
        machine
            .text("/etc/hosts")
            .contains(&format!("127.0.1.1\t{host}\n"))
    );
    assert!(
        machine
            .text("/etc/ssh/ssh_host_ed25519_key.pub")
            .ends_with(&format!(" root@{host}\n"))
    );
    machine.stat(&format!("/boot/vmlinuz-{release}"));
    machine.stat(&format!("/lib/modules/{release}"));
    assert!(
        machine
            .text("/var/lib/dpkg/status")
            .contains(&format!("Package: linux-image-{release}\n"))
    );
    let (address, _) = facts.interfaces[1].ipv4.unwrap();
    assert!(
        machine
            .text("/etc/network/interfaces")
            .contains(&format!("address {address}/24"))
    );
    let sshd = machine.persona.sshd;
    assert_eq!(machine.text("/run/sshd.pid"), format!("{sshd}\n"));
    assert!(
        machine
            .persona
            .residents
            .iter()
            .any(|process| process.pid == sshd && process.name == b"sshd")
    );
    let device = String::from_utf8(facts.disks[0].device.clone()).unwrap();
    assert_eq!(machine.stat(&device).file_type, FileType::BlockDevice);
    assert!(
        machine
            .text("/etc/shadow")
            .lines()
            .zip(machine.text("/etc/passwd").lines())
            .all(|(shadow, passwd)| { shadow.split(':').next() == passwd.split(':').next() })
    );
}

#[test]
fn two_machines_differ_where_machines_differ() {
    let (one, two) = (Machine::new(8), Machine::new(9));
    for path in [
        "/etc/hostname",
        "/etc/machine-id",
        "/etc/fstab",
        "/etc/shadow",
        "/etc/ssh/ssh_host_rsa_key.pub",
        "/etc/network/interfaces",
        "/var/log/wtmp",
        "/bin/ls",
    ] {
        assert_ne!(one.read(path), two.read(path), "{path}");
    }
    assert_ne!(
        one.persona.facts.interfaces[1].mac,
        two.persona.facts.interfaces[1].mac
    );
    assert_ne!(one.persona.facts.boot_time, two.persona.facts.boot_time);
    assert_eq!(one.read("/etc/passwd"), two.read("/etc/passwd"));
    let again = Machine::new(8);
    for path in ["/etc/machine-id", "/var/log/wtmp", "/bin/ls"] {
        assert_eq!(one.read(path), again.read(path), "{path}");
    }
}

#[test]
fn nothing_names_us() {
    let machine = Machine::new(10);
    for (path, meta) in machine.walk() {
        if meta.file_type == FileType::Regular && meta.size < 20_000 {
            let bytes = machine.read(&path).to_ascii_lowercase();
            for word in [b"sundew".as_slice(), b"honeypot", b"debootstrap", b"svr04"] {
                assert!(
                    !bytes.windows(word.len()).any(|window| window == word),
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn served_host_keys_take_the_place_of_invented_ones() {
    let mut origin = Origin::new([11; 32], BORN);
    origin.host_keys = vec![b"ssh-ed25519 AAAAserved comment\n".to_vec()];
    let persona = Persona::debian12(&origin).unwrap();
    let vfs = persona.filesystem(Limits::default()).unwrap();
    let machine = Machine { persona, vfs };
    assert!(
        machine
            .text("/etc/ssh/ssh_host_ed25519_key.pub")
            .starts_with("ssh-ed25519 AAAAserved root@")
    );
    assert!(
        machine
            .text("/etc/ssh/ssh_host_rsa_key.pub")
            .starts_with("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ")
    );
}

#[test]
fn every_seed_makes_a_machine_of_every_model() {
    // What depends on a seed is planted beside the data: its directories are enough for most seeds.
    let folders: Vec<u8> = DEBIAN12
        .tree
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| line.starts_with(b"D ") || line.starts_with(b"L "))
        .flatten()
        .copied()
        .collect();
    let bare = Data {
        tree: &folders,
        ..DEBIAN12
    };
    for number in 0..400_u32 {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_le_bytes());
        // Born at any time since the oldest known kernel.
        let born = Timestamp {
            secs: BORN.secs - i64::from(number) * 86_400 * 2,
            nanos: 0,
        };
        let origin = Origin::new(seed, born);
        let debian = if number % 100 == 0 { DEBIAN12 } else { bare };
        for (model, data) in [(Model::Debian12, debian), (Model::Camera, CAMERA)] {
            let persona = match Persona::build(model, data, &origin, &|_| true) {
                Ok(persona) => persona,
                Err(error) => panic!("{model:?}, seed {number}: {error}"),
            };
            if let Err(errno) = persona.filesystem(Limits::default()) {
                panic!("{model:?}, seed {number}: {errno}");
            }
        }
    }
}

#[test]
fn the_processes_are_a_tree_with_numbers_of_their_own() {
    for seed in 0..8 {
        let persona = Persona::debian12(&Origin::new([seed; 32], BORN)).unwrap();
        let pids: BTreeSet<_> = persona
            .residents
            .iter()
            .map(|process| process.pid)
            .collect();
        assert_eq!(pids.len(), persona.residents.iter().count(), "seed {seed}");
        assert!(
            persona
                .residents
                .iter()
                .all(|process| process.ppid == 0 || pids.contains(&process.ppid))
        );
        assert!(
            persona
                .residents
                .iter()
                .all(|process| process.args.is_empty() == (process.ppid == 2 || process.pid == 2))
        );
        // `df` never shows less than `du`.
        assert!(persona.facts.disks[0].used_kib * 1024 > persona.image.content_bytes());
        assert!(persona.last_pid > *pids.last().unwrap());
        for name in [
            "systemd",
            "systemd-journal",
            "systemd-udevd",
            "cron",
            "dbus-daemon",
            "systemd-logind",
            "agetty",
        ] {
            assert!(
                persona
                    .residents
                    .iter()
                    .any(|process| process.name == name.as_bytes()),
                "{name}"
            );
        }
    }
}

#[test]
fn accounting_files_are_whole_records() {
    let machine = Machine::new(12);
    let wtmp = machine.read("/var/log/wtmp");
    assert!(wtmp.len() > 6 * UTMP_BYTES && wtmp.len().is_multiple_of(UTMP_BYTES));
    assert_eq!(machine.read("/run/utmp").len(), 3 * UTMP_BYTES);
    assert_eq!(machine.read("/var/log/lastlog").len(), LASTLOG_BYTES);
}

#[test]
fn a_login_has_sshds_environment() {
    let machine = Machine::new(13);
    let root = machine.persona.user(b"root").unwrap();
    let environment = machine.persona.environment(root);
    assert_eq!(environment.value(b"HOME"), Some(b"/root".as_slice()));
    assert_eq!(environment.value(b"SHELL"), Some(b"/bin/bash".as_slice()));
    assert_eq!(environment.value(b"LANG"), Some(b"C.UTF-8".as_slice()));
    assert!(
        environment
            .value(b"PATH")
            .unwrap()
            .starts_with(b"/usr/local/sbin:")
    );
}

#[test]
fn what_is_mounted_is_a_filesystem_of_its_own_and_keeps_what_the_image_has() {
    let machine = Machine::new(14);
    let mounts = machine.vfs.mounts();
    assert_eq!(mounts.len(), machine.persona.mounts.len());
    for path in [
        "/dev/null",
        "/run/utmp",
        "/sys/class/net",
        "/sys/fs/cgroup/cgroup.controllers",
    ] {
        machine.stat(path);
    }
    let mut numbers = BTreeSet::new();
    for mount in mounts {
        let target = String::from_utf8(mount.target.to_vec()).unwrap();
        if !matches!(mount.root, MountRoot::Synthetic(_)) {
            assert_eq!(machine.stat(&target).dev, mount.dev, "{target}");
        }
        assert!(
            numbers.insert(mount.dev),
            "{target} has a number of its own"
        );
    }
    let root = machine.stat("/").dev;
    assert_eq!(machine.stat("/etc/passwd").dev, root);
    assert_eq!(machine.stat("/dev/null").dev, machine.stat("/dev").dev);
    assert_ne!(machine.stat("/dev").dev, root);
    // Names in a directory in memory count twenty bytes each.
    let names = machine.list("/dev").len() as u64;
    assert_eq!(machine.stat("/dev").size, 20 * (names + 2));
}
