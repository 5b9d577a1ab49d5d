//! The mount tables, in the order and with the device numbers of real machines.

use sundew_kernel::facts::Facts;
use sundew_kernel::procfs::{PROC_ROOT, PTS_ROOT};
use sundew_vfs::{Mount, MountRoot};

/// Source, target, type, options, device number, what is there.
type Row<'a> = (&'a [u8], &'a str, &'a str, &'a str, u64, MountRoot);

/// The table of systemd on Debian 12, without what is mounted on demand.
pub(crate) fn debian12(facts: &Facts) -> Vec<Mount> {
    let memory = facts.memory_total_kib;
    let device = facts
        .disks
        .first()
        .map_or(b"/dev/root".as_slice(), |disk| &disk.device);
    let half = memory / 2 - memory / 100;
    let udev = format!(
        "rw,nosuid,relatime,size={half}k,nr_inodes={},mode=755,inode64",
        half / 4
    );
    let run = format!(
        "rw,nosuid,nodev,noexec,relatime,size={}k,mode=755,inode64",
        memory / 10
    );
    let root = root_device(device);
    let own: [Row<'_>; 3] = [
        (b"udev", "/dev", "devtmpfs", &udev, 5, MountRoot::Shown),
        (b"tmpfs", "/run", "tmpfs", &run, 24, MountRoot::Shown),
        (device, "/", "ext4", ROOT_OPTIONS, root, MountRoot::Image),
    ];
    let [udev, run, root] = own;
    // Where Debian's init has them.
    let (first, rest) = DEBIAN12.split_at(2.min(DEBIAN12.len()));
    let (pts, rest) = rest.split_at(1.min(rest.len()));
    let rows = first.iter().chain([&udev]).chain(pts);
    rows.chain([&run, &root]).chain(rest).map(mount).collect()
}

/// The table that a camera's `rcS` leaves behind.
pub(crate) fn camera() -> Vec<Mount> {
    CAMERA.iter().map(mount).collect()
}

fn mount((source, target, fs_type, options, dev, root): &Row<'_>) -> Mount {
    Mount {
        source: (*source).into(),
        target: target.as_bytes().into(),
        fs_type: fs_type.as_bytes().into(),
        options: options.as_bytes().into(),
        dev: *dev,
        root: *root,
    }
}

/// `st_dev` of the first partition.
fn root_device(device: &[u8]) -> u64 {
    let major: u64 = match device {
        b"/dev/vda1" => 254,
        b"/dev/xvda1" => 202,
        _ => 8,
    };
    major << 8 | 1
}

const ROOT_OPTIONS: &str = "rw,relatime,errors=remount-ro";
/// Options of what only the kernel writes to.
const KERNEL: &str = "rw,nosuid,nodev,noexec,relatime";
const PTS: &str = "rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000";
const SHM: &str = "rw,nosuid,nodev,inode64";
const LOCK: &str = "rw,nosuid,nodev,noexec,relatime,size=5120k,inode64";
const CGROUP: &str = "rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot";
const BPF: &str = "rw,nosuid,nodev,noexec,relatime,mode=700";

/// What does not depend on the machine; `/dev` follows the second row, `/run` and `/` the third.
#[rustfmt::skip]
const DEBIAN12: &[Row<'static>] = &[
    (b"sysfs", "/sys", "sysfs", KERNEL, 21, MountRoot::Shown),
    (b"proc", "/proc", "proc", KERNEL, 22, MountRoot::Synthetic(PROC_ROOT)),
    (b"devpts", "/dev/pts", "devpts", PTS, 23, MountRoot::Synthetic(PTS_ROOT)),
    (b"securityfs", "/sys/kernel/security", "securityfs", KERNEL, 7, MountRoot::Shown),
    (b"tmpfs", "/dev/shm", "tmpfs", SHM, 25, MountRoot::Tree),
    (b"tmpfs", "/run/lock", "tmpfs", LOCK, 26, MountRoot::Tree),
    (b"cgroup2", "/sys/fs/cgroup", "cgroup2", CGROUP, 27, MountRoot::Shown),
    (b"pstore", "/sys/fs/pstore", "pstore", KERNEL, 28, MountRoot::Shown),
    (b"bpf", "/sys/fs/bpf", "bpf", BPF, 29, MountRoot::Shown),
    (b"hugetlbfs", "/dev/hugepages", "hugetlbfs", "rw,relatime,pagesize=2M", 31, MountRoot::Shown),
    (b"debugfs", "/sys/kernel/debug", "debugfs", KERNEL, 8, MountRoot::Shown),
    (b"tracefs", "/sys/kernel/tracing", "tracefs", KERNEL, 13, MountRoot::Shown),
    (b"mqueue", "/dev/mqueue", "mqueue", KERNEL, 20, MountRoot::Shown),
];

const CAMERA_DEV: &str = "rw,relatime,size=60872k,nr_inodes=15218,mode=755";

#[rustfmt::skip]
const CAMERA: &[Row<'static>] = &[
    (b"/dev/mtdblock3", "/", "jffs2", "rw,relatime", 0x1f03, MountRoot::Image),
    (b"devtmpfs", "/dev", "devtmpfs", CAMERA_DEV, 6, MountRoot::Shown),
    (b"proc", "/proc", "proc", "rw,relatime", 4, MountRoot::Synthetic(PROC_ROOT)),
    (b"sysfs", "/sys", "sysfs", "rw,relatime", 12, MountRoot::Shown),
    (b"tmpfs", "/tmp", "tmpfs", "rw,relatime,size=60980k", 13, MountRoot::Tree),
    (b"devpts", "/dev/pts", "devpts", "rw,relatime,mode=600,ptmxmode=000", 14, MountRoot::Synthetic(PTS_ROOT)),
];
