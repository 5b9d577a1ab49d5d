//! An IP camera: an ARM board with a flash memory, a vendor's kernel and BusyBox.
//!
//! Facts, processes, devices and mounts; the tree is data under `personas/camera/`. Numbers were read
//! off such boards (two Cortex-A7 at 900 MHz, 256 MiB of which the video pipeline keeps half).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use sundew_kernel::Pid;
use sundew_kernel::facts::{Cpu, Disk, Facts, Flash, Interface, Os};
use sundew_kernel::machine::Resident;
use sundew_vfs::{FileType, ImageError, Timestamp};

use crate::facts::{Origin, link_local};
use crate::time::syslog;
use crate::tree::Planter;

/// The facts of a camera; the same for the same origin.
pub(crate) fn facts(origin: &Origin) -> Facts {
    let seed = &origin.seed;
    let byte = |label: &str, low, high| u8::try_from(seed.between(label, low, high)).unwrap_or(1);
    let third = byte("third octet", 0, 20);
    let address = Ipv4Addr::new(192, 168, third, byte("host octet", 20, 240));
    let gateway = Ipv4Addr::new(192, 168, third, 1);
    let vendor = seed
        .pick("vendor", CARDS)
        .copied()
        .unwrap_or([0x44, 0x19, 0xb6]);
    let tail = seed.bytes("mac", 3);
    let mut mac = [0; 6];
    for (to, from) in mac.iter_mut().zip(vendor.iter().chain(&tail)) {
        *to = *from;
    }
    Facts {
        hostname: hostname(origin).into_bytes(),
        kernel_release: b"4.9.37".to_vec(),
        kernel_version: b"#3 SMP Thu Mar 14 10:21:08 CST 2024".to_vec(),
        kernel_builder: b"(build@fwbuild) (gcc version 6.3.0 (HC&C V1R3C00SPC200B005_20190606) )"
            .to_vec(),
        machine: b"armv7l".to_vec(),
        cpu: cpu(),
        command_line: b"mem=128M console=ttyAMA0,115200 root=/dev/mtdblock3 rootfstype=jffs2 rw mtdparts=hi_sfc:512K(boot),3584K(kernel),512K(env),27136K(rootfs),1024K(data)".to_vec(),
        modules: MODULES.as_bytes().to_vec(),
        flash: FLASH
            .iter()
            .map(|(name, kib)| Flash {
                name: name.as_bytes().to_vec(),
                kib: *kib,
            })
            .collect(),
        memory_total_kib: 121_964,
        swap_total_kib: 0,
        boot_time: origin.boot_time(),
        disks: vec![Disk {
            device: b"/dev/mtdblock3".to_vec(),
            mount_point: b"/".to_vec(),
            fs_type: b"jffs2".to_vec(),
            total_kib: 27_136,
            used_kib: 8_064 + 4 * seed.between("flash used", 0, 400),
            inodes: 0,
            inodes_used: 0,
        }],
        interfaces: vec![
            Interface {
                name: b"lo".to_vec(),
                mac: [0; 6],
                ipv4: Some((Ipv4Addr::LOCALHOST, 8)),
                ipv6: Some((Ipv6Addr::LOCALHOST, 128)),
                mtu: 65_536,
            },
            Interface {
                name: b"eth0".to_vec(),
                mac,
                ipv4: Some((address, 24)),
                ipv6: Some((link_local(mac), 64)),
                mtu: 1500,
            },
        ],
        gateway,
        os: Os {
            pretty_name: b"Linux".to_vec(),
            id: b"linux".to_vec(),
            version: Vec::new(),
            codename: Vec::new(),
        },
        arch: b"linux-arm-lsb".to_vec(),
        ssh_identification: Vec::new(),
        journal: None,
    }
}

fn cpu() -> Cpu {
    Cpu {
        vendor: b"0x41".to_vec(),
        model_name: b"ARMv7 Processor rev 5 (v7l)".to_vec(),
        family: 7,
        model: 0xc07,
        stepping: 5,
        microcode: 0,
        count: 2,
        khz: 25_000,
        cache_kib: 256,
        flags: b"half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm"
            .to_vec(),
        bugs: Vec::new(),
        board: b"Generic DT based system".to_vec(),
    }
}

fn hostname(origin: &Origin) -> String {
    let seed = &origin.seed;
    let number = seed.between("host number", 1, 16);
    match seed.between("host name style", 0, 3) {
        0 => format!("cam{number:02}"),
        1 => format!("ipcam-{number}"),
        2 => format!("IPC-{}", seed.hex("host digits", 6)),
        _ => {
            let place = seed.pick("place", PLACES).copied().unwrap_or("gate");
            format!("cam-{place}")
        }
    }
}

/// The processes of the booted camera, by number.
pub(crate) fn residents(origin: &Origin) -> Vec<Resident> {
    let mut list = vec![daemon(
        origin,
        &Daemon {
            pid: 1,
            executable: "/bin/busybox",
            args: &["init"],
            name: "init",
            started_ms: 0,
            vsz_kib: 1_524,
            rss_kib: 604,
        },
    )];
    for (pid, name, state) in THREADS {
        list.push(Resident {
            pid: *pid,
            ppid: if *pid == 2 { 0 } else { 2 },
            uid: 0,
            gid: 0,
            name: name.as_bytes().iter().copied().take(15).collect(),
            args: Vec::new(),
            executable: Vec::new(),
            session: 0,
            started: Duration::ZERO,
            cpu: Duration::ZERO,
            busy_ppm: u32::try_from(origin.seed.between(name, 0, 40)).unwrap_or(0),
            vsz_kib: 0,
            rss_kib: 0,
            state: state.as_bytes().to_vec(),
            tty: None,
        });
    }
    list.extend(DAEMONS.iter().map(|row| daemon(origin, row)));
    list.sort_by_key(|resident| resident.pid);
    list
}

struct Daemon {
    pid: Pid,
    executable: &'static str,
    args: &'static [&'static str],
    name: &'static str,
    started_ms: u64,
    vsz_kib: u64,
    rss_kib: u64,
}

fn daemon(origin: &Origin, row: &Daemon) -> Resident {
    // Encoding video keeps a tenth of a core busy; everything else waits.
    let busy_ppm = if row.name == "ipcd" { 110_000 } else { 60 };
    Resident {
        pid: row.pid,
        ppid: u32::from(row.pid != 1),
        uid: 0,
        gid: 0,
        name: row.name.as_bytes().to_vec(),
        args: row.args.iter().map(|arg| arg.as_bytes().to_vec()).collect(),
        executable: row.executable.as_bytes().to_vec(),
        session: row.pid,
        started: Duration::from_millis(row.started_ms),
        cpu: Duration::from_millis(10 + origin.seed.between(row.name, 0, 90)),
        busy_ppm,
        vsz_kib: row.vsz_kib,
        rss_kib: row.rss_kib,
        state: b"S".to_vec(),
        tty: (row.name == "getty").then(|| b"ttyAMA0".to_vec()),
    }
}

/// Number of the listening dropbear, the parent of logins.
pub(crate) const DROPBEAR: Pid = 702;

/// The last process number given before the first visitor: a camera forks little.
pub(crate) fn last_pid(origin: &Origin) -> Pid {
    1100 + Pid::try_from(origin.seed.between("forks", 0, 9000)).unwrap_or(0)
}

/// Files written from the facts; `None` for a path that is not known here.
pub(crate) fn made(path: &[u8], origin: &Origin, facts: &Facts) -> Option<Vec<u8>> {
    let host = String::from_utf8_lossy(&facts.hostname);
    Some(
        match path {
            b"/etc/hostname" => format!("{host}\n"),
            b"/etc/hosts" => format!("127.0.0.1\tlocalhost\n127.0.1.1\t{host}\n"),
            b"/etc/resolv.conf" => format!("nameserver {} # eth0\n", facts.gateway),
            b"/etc/shadow" => {
                // md5-crypt, as BusyBox's passwd makes it by default.
                let salt = crate::made::crypt64(&origin.seed, "root salt", 8);
                let hash = crate::made::crypt64(&origin.seed, "root hash", 22);
                format!("root:$1${salt}${hash}:0:0:99999:7:::\ndaemon:*:::::::\nnobody:*:::::::\n")
            }
            b"/var/log/messages" => messages(&host, facts.boot_time),
            _ => return None,
        }
        .into_bytes(),
    )
}

fn messages(host: &str, boot: Timestamp) -> String {
    let mut text = String::new();
    for (after, line) in MESSAGES {
        text += &format!("{} {host} {line}\n", syslog(boot.secs + after));
    }
    text
}

/// What is not in the data: devices, `/sys`, `/run`.
pub(crate) fn plant(planter: &mut Planter<'_>, facts: &Facts) -> Result<(), ImageError> {
    let at = facts.boot_time.secs;
    for (name, mode, major, minor) in DEVICES {
        planter.device(
            &format!("/dev/{name}"),
            *mode,
            0,
            at,
            (FileType::CharDevice, (*major, *minor)),
        )?;
    }
    for (number, _) in (0_u32..).zip(FLASH) {
        let path = format!("/dev/mtd{number}");
        planter.device(
            &path,
            0o600,
            0,
            at,
            (FileType::CharDevice, (90, 2 * number)),
        )?;
        let path = format!("/dev/mtdblock{number}");
        planter.device(&path, 0o600, 0, at, (FileType::BlockDevice, (31, number)))?;
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        planter.symlink(&format!("/dev/{name}"), at, target)?;
    }
    planter.directory("/dev/pts", 0o755, at)?;
    planter.device("/dev/log", 0o666, 0, at + 4, (FileType::Socket, (0, 0)))?;
    for name in [
        "block", "bus", "class", "dev", "devices", "firmware", "fs", "kernel", "module",
    ] {
        planter.directory(&format!("/sys/{name}"), 0o755, at)?;
    }
    crate::nodes::cards(planter, facts, at)?;
    planter.text("/sys/devices/system/cpu/online", 0o444, at, "0-1\n")?;
    for (name, path) in PID_FILES {
        if let Some(daemon) = DAEMONS.iter().find(|daemon| daemon.name == *name) {
            planter.text(path, 0o644, at + 5, &format!("{}\n", daemon.pid))?;
        }
    }
    planter.filesystem("/dev")?;
    planter.filesystem("/sys")
}

/// First halves of hardware addresses: makers of cameras.
const CARDS: &[[u8; 3]] = &[
    [0x44, 0x19, 0xb6],
    [0x3c, 0xef, 0x8c],
    [0x9c, 0x8e, 0xcd],
    [0x00, 0x12, 0x31],
];
const PLACES: &[&str] = &["gate", "door", "yard", "lobby", "garage", "hall", "dock"];

/// Partitions of the flash, with their sizes in KiB.
const FLASH: &[(&str, u64)] = &[
    ("boot", 512),
    ("kernel", 3584),
    ("env", 512),
    ("rootfs", 27_136),
    ("data", 1024),
];

const MODULES: &str = "\
hi_tempsensor 12288 0 - Live 0xbf300000 (O)
hi3516cv500_isp 339968 5 - Live 0xbf280000 (O)
hi3516cv500_vi 413696 4 - Live 0xbf200000 (O)
hi3516cv500_sys 212992 6 - Live 0xbf1a0000 (O)
hi_osal 98304 9 - Live 0xbf150000 (O)
";

const THREADS: &[(Pid, &str, &str)] = &[
    (2, "kthreadd", "S"),
    (3, "ksoftirqd/0", "S"),
    (5, "kworker/0:0H", "S<"),
    (7, "rcu_sched", "S"),
    (8, "rcu_bh", "S"),
    (9, "migration/0", "S"),
    (10, "watchdog/0", "S"),
    (13, "watchdog/1", "S"),
    (14, "migration/1", "S"),
    (15, "ksoftirqd/1", "S"),
    (17, "kworker/1:0H", "S<"),
    (18, "kdevtmpfs", "S"),
    (19, "netns", "S<"),
    (271, "oom_reaper", "S"),
    (272, "writeback", "S<"),
    (274, "kblockd", "S<"),
    (327, "kswapd0", "S"),
    (402, "mtdblock3", "S<"),
    (560, "jffs2_gcd_mtd3", "SN"),
    (655, "hi_vi_proc", "S"),
];

const DAEMONS: &[Daemon] = &[
    Daemon {
        pid: 588,
        executable: "/bin/busybox",
        args: &[
            "udhcpc",
            "-b",
            "-i",
            "eth0",
            "-p",
            "/var/run/udhcpc.eth0.pid",
        ],
        name: "udhcpc",
        started_ms: 3_900,
        vsz_kib: 1_528,
        rss_kib: 356,
    },
    Daemon {
        pid: 690,
        executable: "/bin/busybox",
        args: &["syslogd", "-O", "/var/log/messages", "-s", "200"],
        name: "syslogd",
        started_ms: 4_600,
        vsz_kib: 1_524,
        rss_kib: 420,
    },
    Daemon {
        pid: 692,
        executable: "/bin/busybox",
        args: &["klogd"],
        name: "klogd",
        started_ms: 4_640,
        vsz_kib: 1_524,
        rss_kib: 416,
    },
    Daemon {
        pid: 695,
        executable: "/bin/busybox",
        args: &["telnetd", "-p", "23"],
        name: "telnetd",
        started_ms: 4_700,
        vsz_kib: 1_524,
        rss_kib: 352,
    },
    Daemon {
        pid: DROPBEAR,
        executable: "/app/dropbear",
        args: &["/app/dropbear", "-p", "22"],
        name: "dropbear",
        started_ms: 4_810,
        vsz_kib: 1_104,
        rss_kib: 480,
    },
    Daemon {
        pid: 705,
        executable: "/app/ipcd",
        args: &["/app/ipcd", "-c", "/app/conf/ipcd.conf"],
        name: "ipcd",
        started_ms: 4_900,
        vsz_kib: 88_460,
        rss_kib: 21_344,
    },
    Daemon {
        pid: 706,
        executable: "/bin/busybox",
        args: &["watchdog", "-t", "10", "/dev/watchdog"],
        name: "watchdog",
        started_ms: 4_910,
        vsz_kib: 1_520,
        rss_kib: 300,
    },
    Daemon {
        pid: 709,
        executable: "/bin/busybox",
        args: &["/sbin/getty", "-L", "ttyAMA0", "115200", "vt100"],
        name: "getty",
        started_ms: 4_980,
        vsz_kib: 1_524,
        rss_kib: 560,
    },
];

const PID_FILES: &[(&str, &str)] = &[
    ("udhcpc", "/var/run/udhcpc.eth0.pid"),
    ("syslogd", "/var/run/syslogd.pid"),
    ("klogd", "/var/run/klogd.pid"),
    ("dropbear", "/var/run/dropbear.pid"),
];

/// Name, mode, major, minor.
const DEVICES: &[(&str, u16, u32, u32)] = &[
    ("null", 0o666, 1, 3),
    ("zero", 0o666, 1, 5),
    ("full", 0o666, 1, 7),
    ("random", 0o666, 1, 8),
    ("urandom", 0o666, 1, 9),
    ("kmsg", 0o644, 1, 11),
    ("mem", 0o640, 1, 1),
    ("tty", 0o666, 5, 0),
    ("console", 0o600, 5, 1),
    ("ptmx", 0o666, 5, 2),
    ("ttyAMA0", 0o600, 204, 64),
    ("watchdog", 0o600, 10, 130),
    ("i2c-0", 0o600, 89, 0),
    ("i2c-1", 0o600, 89, 1),
    ("vi", 0o600, 10, 55),
    ("venc", 0o600, 10, 54),
    ("isp_dev", 0o600, 10, 53),
    ("sys", 0o600, 10, 52),
    ("mmz_userdev", 0o600, 10, 51),
];

/// Seconds after boot, and what was logged.
const MESSAGES: &[(i64, &str)] = &[
    (5, "syslog.info syslogd started: BusyBox v1.35.0"),
    (5, "user.notice kernel: klogd started: BusyBox v1.35.0"),
    (5, "user.info kernel: Booting Linux on physical CPU 0x0"),
    (
        5,
        "user.info kernel: Machine model: Hisilicon HI3516DV300 DEMO Board",
    ),
    (
        5,
        "user.info kernel: jffs2: version 2.2. (NAND) (SUMMARY) 2001-2006 Red Hat, Inc.",
    ),
    (
        5,
        "user.info kernel: eth0: Link is Up - 100Mbps/Full - flow control off",
    ),
    (6, "authpriv.info dropbear[702]: Running in background"),
    (
        7,
        "daemon.info ipcd[705]: sensor imx335 ready, 2560x1440@25",
    ),
    (7, "daemon.info ipcd[705]: rtsp server listens on port 554"),
];
