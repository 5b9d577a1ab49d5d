//! What a booted machine has beyond its packages: kernel, devices, `/run`, `/sys`, the links to busybox.
//!
//! Written by hand rather than taken from a real tree, because all of it follows from the facts.

use sundew_kernel::facts::Facts;
use sundew_vfs::{FileType, ImageError};

mod sys;

use crate::accounting;
use crate::facts::Origin;
use crate::made::root_uuid;
use crate::tree::Planter;

pub(crate) use sys::cards;

/// Adds all of it.
pub(crate) fn plant(
    planter: &mut Planter<'_>,
    origin: &Origin,
    facts: &Facts,
) -> Result<(), ImageError> {
    boot(planter, origin, facts)?;
    devices(planter, origin, facts)?;
    run(planter, origin, facts)?;
    sys::plant(planter, origin, facts)?;
    var(planter, origin)?;
    for root in FILESYSTEMS {
        planter.filesystem(root)?;
    }
    busybox_links(planter, origin)
}

/// `ftpget`, `ftpput` and `tftp`, which Debian's busybox does not link. A wanted deviation: droppers
/// call them by name, and a sample outranks likeness.
fn busybox_links(planter: &mut Planter<'_>, origin: &Origin) -> Result<(), ImageError> {
    let at = origin.installed() + 5400;
    for name in ["ftpget", "ftpput", "tftp"] {
        planter.symlink(&format!("/usr/local/bin/{name}"), at, "/usr/bin/busybox")?;
    }
    Ok(())
}

fn boot(planter: &mut Planter<'_>, origin: &Origin, facts: &Facts) -> Result<(), ImageError> {
    let kernel = origin.kernel();
    let release = String::from_utf8_lossy(&facts.kernel_release).into_owned();
    let unpacked = kernel.uploaded;
    // Updates are installed within days; the initial file system is made then.
    let upgraded = (unpacked + 150_000).min(facts.boot_time.secs - 600);
    let size = |label: &str, low, high| origin.seed.between(label, low, high);
    planter.blob(
        &format!("/boot/vmlinuz-{release}"),
        0o644,
        unpacked,
        b"MZ\xea\x07",
        size("vmlinuz", 8_140_000, 8_260_000),
    )?;
    planter.blob(
        &format!("/boot/initrd.img-{release}"),
        0o644,
        upgraded,
        b"070701",
        size("initrd", 26_000_000, 42_000_000),
    )?;
    planter.text(
        &format!("/boot/System.map-{release}"),
        0o644,
        unpacked,
        "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n",
    )?;
    let upstream = release.split('-').next().unwrap_or_default();
    let upstream = kernel
        .version()
        .split_whitespace()
        .rev()
        .nth(1)
        .map_or_else(
            || upstream.to_owned(),
            |version| version.split('-').next().unwrap_or_default().to_owned(),
        );
    planter.padded(
        &format!("/boot/config-{release}"),
        unpacked,
        &format!(
            "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 {upstream} Kernel Configuration\n#\n{CONFIGURATION}"
        ),
        size("kernel configuration", 259_300, 259_900),
    )?;
    let uuid = root_uuid(&origin.seed);
    let entry = format!(
        "set default=\"0\"\nset timeout=5\nmenuentry 'Debian GNU/Linux' {{\n\tsearch --no-floppy --fs-uuid --set=root \
         {uuid}\n\tlinux\t/boot/vmlinuz-{release} root=UUID={uuid} ro quiet\n\tinitrd\t/boot/initrd.img-{release}\n}}\n"
    );
    planter.directory("/boot/grub", 0o755, upgraded)?;
    planter.text("/boot/grub/grub.cfg", 0o600, upgraded, &entry)?;
    planter.text(
        "/boot/grub/grubenv",
        0o644,
        upgraded,
        &format!("{:#<1024}", "# GRUB Environment Block\n"),
    )?;
    planter.symlink("/vmlinuz", upgraded, &format!("boot/vmlinuz-{release}"))?;
    planter.symlink(
        "/initrd.img",
        upgraded,
        &format!("boot/initrd.img-{release}"),
    )?;
    planter.directory("/lost+found", 0o700, origin.installed() - 30)?;
    if facts.swap_total_kib > 0 {
        // The signature of mkswap ends the first page; the rest was never read by anybody.
        planter.blob(
            "/swapfile",
            0o600,
            origin.installed() + 1200,
            &[0; 1024],
            (facts.swap_total_kib + 4) * 1024,
        )?;
    }
    modules(planter, origin, &release, upgraded)
}

fn modules(
    planter: &mut Planter<'_>,
    origin: &Origin,
    release: &str,
    upgraded: i64,
) -> Result<(), ImageError> {
    let modules = format!("/usr/lib/modules/{release}");
    for list in [
        "modules.alias",
        "modules.dep",
        "modules.order",
        "modules.builtin",
        "modules.symbols",
    ] {
        planter.text(
            &format!("{modules}/{list}"),
            0o644,
            upgraded,
            &format!("# {list}\n"),
        )?;
    }
    for module in MODULES {
        let label = module.rsplit('/').next().unwrap_or(module);
        let path = format!("{modules}/kernel/{module}.ko");
        planter.blob(
            &path,
            0o644,
            origin.kernel().uploaded,
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0",
            origin.seed.between(label, 9_000, 400_000),
        )?;
    }
    Ok(())
}

/// `/dev` as devtmpfs and udev fill it. Numbers from the kernel's `admin-guide/devices.txt`.
fn devices(planter: &mut Planter<'_>, origin: &Origin, facts: &Facts) -> Result<(), ImageError> {
    let at = facts.boot_time.secs;
    for (name, mode, group, major, minor) in CHARACTER_DEVICES {
        planter.device(
            &format!("/dev/{name}"),
            *mode,
            *group,
            at,
            (FileType::CharDevice, (*major, *minor)),
        )?;
    }
    for number in 0..64 {
        let (mode, group) = if number == 1 { (0o600, 0) } else { (0o620, 5) };
        planter.device(
            &format!("/dev/tty{number}"),
            mode,
            group,
            at,
            (FileType::CharDevice, (4, number)),
        )?;
    }
    for number in 0..4 {
        planter.device(
            &format!("/dev/ttyS{number}"),
            0o660,
            20,
            at,
            (FileType::CharDevice, (4, 64 + number)),
        )?;
    }
    for number in 0..7 {
        let vcs = if number == 0 {
            "/dev/vcs".to_owned()
        } else {
            format!("/dev/vcs{number}")
        };
        planter.device(&vcs, 0o660, 5, at, (FileType::CharDevice, (7, number)))?;
    }
    for number in 0..8 {
        planter.device(
            &format!("/dev/loop{number}"),
            0o660,
            6,
            at,
            (FileType::BlockDevice, (7, number)),
        )?;
    }
    disks(planter, origin, at)?;
    for (name, target) in DEVICE_LINKS {
        planter.symlink(&format!("/dev/{name}"), at, target)?;
    }
    for (name, mode) in [
        ("pts", 0o755),
        ("shm", 0o1777),
        ("mqueue", 0o1777),
        ("hugepages", 0o755),
        ("block", 0o755),
    ] {
        planter.directory(&format!("/dev/{name}"), mode, at)?;
    }
    Ok(())
}

fn disks(planter: &mut Planter<'_>, origin: &Origin, at: i64) -> Result<(), ImageError> {
    let disk = origin.platform().disk;
    let major = match disk {
        "vda" => 254,
        "xvda" => 202,
        _ => 8,
    };
    planter.device(
        &format!("/dev/{disk}"),
        0o660,
        6,
        at,
        (FileType::BlockDevice, (major, 0)),
    )?;
    planter.device(
        &format!("/dev/{disk}1"),
        0o660,
        6,
        at,
        (FileType::BlockDevice, (major, 1)),
    )?;
    let uuid = root_uuid(&origin.seed);
    planter.symlink(
        &format!("/dev/disk/by-uuid/{uuid}"),
        at,
        &format!("../../{disk}1"),
    )?;
    Ok(())
}

fn run(planter: &mut Planter<'_>, origin: &Origin, facts: &Facts) -> Result<(), ImageError> {
    let boot = facts.boot_time.secs;
    for (path, mode) in [
        ("/run/lock", 0o1777),
        ("/run/systemd/system", 0o755),
        ("/run/systemd/units", 0o755),
        ("/run/systemd/sessions", 0o755),
        ("/run/systemd/users", 0o755),
        ("/run/systemd/seats", 0o755),
        ("/run/systemd/shutdown", 0o755),
        ("/run/udev/data", 0o755),
        ("/run/user", 0o755),
        ("/run/sshd", 0o755),
        ("/run/sudo", 0o711),
        ("/run/mount", 0o755),
        ("/run/network", 0o755),
        ("/run/tmpfiles.d", 0o755),
        ("/run/log", 0o755),
    ] {
        planter.directory(path, mode, boot + 3)?;
    }
    planter.owned_bytes(
        "/run/utmp",
        0o664,
        (0, 43),
        boot + 11,
        accounting::utmp(origin, facts),
    )?;
    let processes = crate::processes::residents(origin, facts);
    let pid_of = |name: &[u8]| {
        processes
            .iter()
            .find(|process| process.name == name)
            .map_or(0, |process| process.pid)
    };
    planter.text(
        "/run/sshd.pid",
        0o644,
        boot + 9,
        &format!("{}\n", pid_of(b"sshd")),
    )?;
    planter.text(
        "/run/crond.pid",
        0o644,
        boot + 7,
        &format!("{}\n", pid_of(b"cron")),
    )?;
    for socket in [
        "/run/dbus/system_bus_socket",
        "/run/systemd/journal/dev-log",
        "/run/systemd/notify",
        "/run/udev/control",
    ] {
        planter.device(socket, 0o666, 0, boot + 3, (FileType::Socket, (0, 0)))?;
    }
    // What ifup has brought up.
    let up = facts.interfaces.iter().map(|interface| {
        let name = String::from_utf8_lossy(&interface.name);
        format!("{name}={name}\n")
    });
    planter.text(
        "/run/network/ifstate",
        0o644,
        boot + 5,
        &up.collect::<String>(),
    )?;
    planter.device("/run/initctl", 0o600, 0, boot + 3, (FileType::Fifo, (0, 0)))?;
    let motd = format!(
        "Linux {} {} {} x86_64\n",
        String::from_utf8_lossy(&facts.hostname),
        String::from_utf8_lossy(&facts.kernel_release),
        String::from_utf8_lossy(&facts.kernel_version)
    );
    planter.text("/run/motd.dynamic", 0o644, boot + 60, &motd)
}

fn var(planter: &mut Planter<'_>, origin: &Origin) -> Result<(), ImageError> {
    let at = origin.born.secs - 300;
    // Journal files grow in steps of 8 MiB.
    let size = (8 << 20) * origin.seed.between("journal", 1, 4);
    planter.blob(
        &crate::history::journal_file(&origin.seed),
        0o640,
        at,
        b"LPKSHHRH",
        size,
    )?;
    let (start, unpacked) = (origin.installed(), origin.installed() + 900);
    planter.text(
        "/var/log/apt/history.log",
        0o644,
        unpacked,
        &history(start, unpacked),
    )?;
    planter.owned_bytes("/var/log/apt/term.log", 0o640, (0, 4), unpacked, Vec::new())
}

fn history(start: i64, end: i64) -> String {
    let [start, end] = [start, end].map(|at| crate::time::date_time(at).replacen(' ', "  ", 1));
    format!("\nStart-Date: {start}\nCommandline: apt-get -y dist-upgrade\nEnd-Date: {end}\n")
}

/// What is asked of a kernel's configuration.
const CONFIGURATION: &str = "\
CONFIG_CC_VERSION_TEXT=\"gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0\"
CONFIG_CC_IS_GCC=y
CONFIG_GCC_VERSION=120200
CONFIG_LOCALVERSION=\"\"
# CONFIG_LOCALVERSION_AUTO is not set
CONFIG_DEFAULT_HOSTNAME=\"(none)\"
CONFIG_SWAP=y
CONFIG_SYSVIPC=y
CONFIG_POSIX_MQUEUE=y
CONFIG_AUDIT=y
CONFIG_NO_HZ_IDLE=y
CONFIG_HIGH_RES_TIMERS=y
CONFIG_PREEMPT_DYNAMIC=y
CONFIG_CGROUPS=y
CONFIG_MEMCG=y
CONFIG_NAMESPACES=y
CONFIG_USER_NS=y
CONFIG_BPF_SYSCALL=y
CONFIG_BPF_UNPRIV_DEFAULT_OFF=y
CONFIG_64BIT=y
CONFIG_X86_64=y
CONFIG_X86=y
CONFIG_SMP=y
CONFIG_HYPERVISOR_GUEST=y
CONFIG_KVM_GUEST=y
CONFIG_NR_CPUS=8192
CONFIG_HZ_250=y
CONFIG_HZ=250
CONFIG_KEXEC=y
CONFIG_RANDOMIZE_BASE=y
CONFIG_KALLSYMS_ALL=y
CONFIG_SECCOMP=y
CONFIG_MODULES=y
CONFIG_MODULE_UNLOAD=y
CONFIG_MODULE_SIG=y
# CONFIG_MODULE_SIG_FORCE is not set
CONFIG_NET=y
CONFIG_PACKET=y
CONFIG_UNIX=y
CONFIG_INET=y
CONFIG_IPV6=y
CONFIG_NETFILTER=y
CONFIG_NF_TABLES=m
CONFIG_VIRTIO_BLK=m
CONFIG_VIRTIO_NET=m
CONFIG_TUN=m
CONFIG_EXT4_FS=m
CONFIG_OVERLAY_FS=m
CONFIG_FUSE_FS=m
CONFIG_TMPFS=y
CONFIG_SECURITY=y
CONFIG_SECURITY_APPARMOR=y
CONFIG_LSM=\"landlock,lockdown,yama,loadpin,safesetid,integrity,apparmor,selinux,smack,tomoyo,bpf\"
CONFIG_STRICT_DEVMEM=y
";

/// What is mounted below `/` and filled here; see the mount table in `build`.
const FILESYSTEMS: &[&str] = &[
    "/dev",
    "/dev/hugepages",
    "/dev/mqueue",
    "/run",
    "/sys",
    "/sys/fs/bpf",
    "/sys/fs/cgroup",
    "/sys/fs/pstore",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/sys/kernel/tracing",
];

/// Name, mode, group, major, minor.
const CHARACTER_DEVICES: &[(&str, u16, u32, u32, u32)] = &[
    ("mem", 0o640, 15, 1, 1),
    ("null", 0o666, 0, 1, 3),
    ("port", 0o640, 15, 1, 4),
    ("zero", 0o666, 0, 1, 5),
    ("full", 0o666, 0, 1, 7),
    ("random", 0o666, 0, 1, 8),
    ("urandom", 0o666, 0, 1, 9),
    ("kmsg", 0o644, 0, 1, 11),
    ("tty", 0o666, 5, 5, 0),
    ("console", 0o600, 0, 5, 1),
    ("ptmx", 0o666, 5, 5, 2),
    ("psaux", 0o660, 0, 10, 1),
    ("hpet", 0o600, 0, 10, 228),
    ("fuse", 0o666, 0, 10, 229),
    ("rtc0", 0o600, 0, 253, 0),
    ("snapshot", 0o660, 0, 10, 231),
    ("loop-control", 0o660, 6, 10, 237),
    ("uinput", 0o600, 0, 10, 223),
    ("vga_arbiter", 0o660, 0, 10, 63),
    ("cpu_dma_latency", 0o600, 0, 10, 126),
    ("vhost-net", 0o600, 0, 10, 238),
    ("net/tun", 0o666, 0, 10, 200),
    ("input/mice", 0o660, 102, 13, 63),
    ("cpu/0/cpuid", 0o600, 0, 203, 0),
];

const DEVICE_LINKS: &[(&str, &str)] = &[
    ("core", "/proc/kcore"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("log", "/run/systemd/journal/dev-log"),
    ("initctl", "/run/initctl"),
    ("rtc", "rtc0"),
];

const MODULES: &[&str] = &[
    "crypto/crc32c_generic",
    "drivers/block/loop",
    "drivers/block/virtio_blk",
    "drivers/net/tun",
    "drivers/net/virtio_net",
    "drivers/net/ethernet/intel/e1000/e1000",
    "drivers/scsi/virtio_scsi",
    "fs/ext4/ext4",
    "fs/fuse/fuse",
    "fs/jbd2/jbd2",
    "net/netfilter/nf_tables",
    "net/netfilter/nf_conntrack",
    "net/netfilter/x_tables",
    "net/ipv4/netfilter/ip_tables",
];
