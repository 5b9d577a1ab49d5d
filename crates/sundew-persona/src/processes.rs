//! The processes of a booted Debian 12 server, as `ps` shows them: kernel threads, then daemons.
//!
//! Names, order and sizes were read off such a server. They are shown and never run.

use std::time::Duration;

use sundew_kernel::Pid;
use sundew_kernel::facts::Facts;
use sundew_kernel::machine::Resident;

use crate::accounting::getty_pid;
use crate::facts::Origin;

/// The processes, by number.
pub(crate) fn residents(origin: &Origin, facts: &Facts) -> Vec<Resident> {
    let mut list = kernel_threads(facts);
    list.push(init(origin));
    list.extend(daemons(origin));
    list.extend(workers(origin, facts));
    list.sort_by_key(|resident| resident.pid);
    list
}

/// The kernel's workers come and go; these are the ones of the moment, with recent numbers.
fn workers(origin: &Origin, facts: &Facts) -> Vec<Resident> {
    let newest = last_pid(origin);
    let up = u64::try_from(origin.born.secs - facts.boot_time.secs).unwrap_or(0);
    let mut threads = Threads {
        list: Vec::new(),
        next: newest.saturating_sub(400),
    };
    for name in [
        "kworker/u4:1-events_unbound",
        "kworker/u4:2-flush-8:0",
        "kworker/0:2-events",
    ] {
        let ago = origin.seed.between(name, 200, 3000);
        threads.skip(Pid::try_from(origin.seed.between(name, 9, 90)).unwrap_or(9));
        threads.add(name, "I");
        if let Some(added) = threads.list.last_mut() {
            added.started = Duration::from_secs(up.saturating_sub(ago));
            added.busy_ppm = 30;
        }
    }
    threads.list.sort_by_key(|thread| thread.started);
    let mut pids: Vec<_> = threads.list.iter().map(|thread| thread.pid).collect();
    pids.sort_unstable();
    threads
        .list
        .iter_mut()
        .zip(pids)
        .for_each(|(thread, pid)| thread.pid = pid);
    threads.list
}

/// The last process number given before the first visitor: a server forks all day.
pub(crate) fn last_pid(origin: &Origin) -> Pid {
    let up = u64::try_from(origin.born.secs - origin.boot_time().secs).unwrap_or(0);
    let per_hour = origin.seed.between("forks per hour", 20, 90);
    let pid = 1000 + up / 3600 * per_hour + origin.seed.between("forks", 0, 4000);
    // The kernel counts to 4194304 and begins anew.
    Pid::try_from(pid % 4_000_000).unwrap_or(1000)
}

/// Number of the listening sshd, the parent of logins.
pub(crate) fn sshd_pid(origin: &Origin) -> Pid {
    getty_pid(origin) + 1 + Pid::try_from(origin.seed.between("sshd", 1, 40)).unwrap_or(1)
}

fn kernel_threads(facts: &Facts) -> Vec<Resident> {
    let mut threads = Threads {
        list: Vec::new(),
        next: 2,
    };
    for (name, state) in BEFORE_CPUS {
        threads.add(name, state);
    }
    for cpu in 0..facts.cpu.count {
        if cpu > 0 {
            threads.skip(1);
        }
        threads.add(&format!("cpuhp/{cpu}"), "S");
        if cpu > 0 {
            threads.add(&format!("migration/{cpu}"), "S");
            threads.add(&format!("ksoftirqd/{cpu}"), "S");
            threads.skip(1);
            threads.add(&format!("kworker/{cpu}:0H-events_highpri"), "I<");
        }
    }
    threads.skip(3);
    for (name, state) in AFTER_CPUS {
        threads.add(name, state);
    }
    for cpu in 0..facts.cpu.count {
        threads.add(&format!("kworker/{cpu}:1H-kblockd"), "I<");
    }
    threads.skip(60);
    for (name, state) in DRIVERS {
        threads.add(name, state);
    }
    if let Some(disk) = facts.disks.first() {
        let device = String::from_utf8_lossy(&disk.device);
        threads.add(
            &format!("jbd2/{}-8", device.trim_start_matches("/dev/")),
            "S",
        );
        threads.add("ext4-rsv-conver", "I<");
    }
    threads.list
}

struct Threads {
    list: Vec<Resident>,
    next: Pid,
}

impl Threads {
    fn add(&mut self, name: &str, state: &str) {
        // Most never do anything that ps would show; these add up over weeks.
        let kind = name.split(['/', ':']).next().unwrap_or(name);
        let busy_ppm = match kind {
            "rcu_preempt" => 22 + self.next % 9,
            "ksoftirqd" => 3 + self.next % 5,
            "jbd2" => 4 + self.next % 3,
            "kworker" => 1 + self.next % 4,
            "kcompactd0" => 9,
            "khugepaged" => 2,
            "kswapd0" => 1,
            _ => 0,
        };
        self.list.push(Resident {
            pid: self.next,
            ppid: if self.next == 2 { 0 } else { 2 },
            uid: 0,
            gid: 0,
            name: name.as_bytes().to_vec(),
            args: Vec::new(),
            executable: Vec::new(),
            session: 0,
            started: Duration::ZERO,
            cpu: Duration::ZERO,
            busy_ppm,
            vsz_kib: 0,
            rss_kib: 0,
            state: state.as_bytes().to_vec(),
            tty: None,
        });
        self.next += 1;
    }

    /// Numbers of threads that ended while booting.
    fn skip(&mut self, count: Pid) {
        self.next += count;
    }
}

fn init(origin: &Origin) -> Resident {
    let busy_ppm = u32::try_from(origin.seed.between("init cpu", 8, 30)).unwrap_or(8);
    let rss_kib = 4 * origin.seed.between("init rss", 2900, 3300);
    Resident {
        pid: 1,
        ppid: 0,
        uid: 0,
        gid: 0,
        name: b"systemd".to_vec(),
        args: vec![b"/sbin/init".to_vec()],
        executable: b"/usr/lib/systemd/systemd".to_vec(),
        session: 1,
        started: Duration::ZERO,
        cpu: Duration::from_millis(origin.seed.between("boot cpu", 1100, 2600)),
        busy_ppm,
        vsz_kib: 167_800 + 4 * origin.seed.between("init vsz", 0, 300),
        rss_kib,
        state: b"Ss".to_vec(),
        tty: None,
    }
}

/// Number of cron.
pub(crate) fn cron_pid(origin: &Origin) -> Pid {
    let draw = |label: &str, low, high| {
        Pid::try_from(origin.seed.between(label, low, high)).unwrap_or(300)
    };
    draw("journald", 215, 265) + draw("udevd", 18, 30) + draw("cron", 110, 190)
}

/// Number of systemd-logind.
pub(crate) fn logind_pid(origin: &Origin) -> Pid {
    cron_pid(origin) + 1 + Pid::try_from(origin.seed.between("logind", 3, 6)).unwrap_or(3)
}

fn daemons(origin: &Origin) -> Vec<Resident> {
    let draw = |label: &str, low, high| {
        Pid::try_from(origin.seed.between(label, low, high)).unwrap_or(300)
    };
    let journald = draw("journald", 215, 265);
    let udevd = journald + draw("udevd", 18, 30);
    let cron = cron_pid(origin);
    let dbus = cron + 1;
    let logind = logind_pid(origin);
    let pids = [
        journald,
        udevd,
        cron,
        dbus,
        logind,
        getty_pid(origin),
        sshd_pid(origin),
    ];
    pids.into_iter()
        .zip(DAEMONS)
        .map(|(pid, daemon)| daemon.resident(pid, origin))
        .collect()
}

struct Daemon {
    executable: &'static str,
    args: &'static [&'static str],
    uid: u32,
    gid: u32,
    started_ms: u64,
    /// Microseconds of CPU a second, at least.
    busy_ppm: u32,
    vsz_kib: u64,
    /// At least; a little more on each machine.
    rss_kib: u64,
    state: &'static str,
}

impl Daemon {
    fn resident(&self, pid: Pid, origin: &Origin) -> Resident {
        let draw = |what: &str, high| {
            origin
                .seed
                .between(&format!("{} {what}", self.executable), 0, high)
        };
        let name = self
            .executable
            .rsplit('/')
            .next()
            .unwrap_or(self.executable);
        Resident {
            pid,
            ppid: 1,
            uid: self.uid,
            gid: self.gid,
            name: name.bytes().take(COMM_BYTES).collect(),
            args: self
                .args
                .iter()
                .map(|arg| arg.as_bytes().to_vec())
                .collect(),
            executable: self.executable.as_bytes().to_vec(),
            session: pid,
            started: Duration::from_millis(self.started_ms),
            cpu: Duration::from_millis(20 + draw("start cpu", 200)),
            busy_ppm: self.busy_ppm + u32::try_from(draw("cpu", 4)).unwrap_or(0),
            vsz_kib: self.vsz_kib,
            rss_kib: self.rss_kib + 4 * draw("rss", 120),
            state: self.state.as_bytes().to_vec(),
            tty: name.ends_with("getty").then(|| b"tty1".to_vec()),
        }
    }
}

/// In the order of their numbers.
const DAEMONS: &[Daemon] = &[
    Daemon {
        executable: "/usr/lib/systemd/systemd-journald",
        args: &["/lib/systemd/systemd-journald"],
        uid: 0,
        gid: 0,
        started_ms: 2_900,
        busy_ppm: 16,
        vsz_kib: 49_608,
        rss_kib: 14_300,
        state: "Ss",
    },
    Daemon {
        executable: "/usr/lib/systemd/systemd-udevd",
        args: &["/lib/systemd/systemd-udevd"],
        uid: 0,
        gid: 0,
        started_ms: 3_300,
        busy_ppm: 1,
        vsz_kib: 27_108,
        rss_kib: 6_700,
        state: "Ss",
    },
    Daemon {
        executable: "/usr/sbin/cron",
        args: &["/usr/sbin/cron", "-f"],
        uid: 0,
        gid: 0,
        started_ms: 7_100,
        busy_ppm: 2,
        vsz_kib: 6_608,
        rss_kib: 2_560,
        state: "Ss",
    },
    Daemon {
        executable: "/usr/bin/dbus-daemon",
        args: &[
            "/usr/bin/dbus-daemon",
            "--system",
            "--address=systemd:",
            "--nofork",
            "--nopidfile",
            "--systemd-activation",
            "--syslog-only",
        ],
        uid: 100,
        gid: 106,
        started_ms: 7_110,
        busy_ppm: 4,
        vsz_kib: 9_136,
        rss_kib: 4_480,
        state: "Ss",
    },
    Daemon {
        executable: "/usr/lib/systemd/systemd-logind",
        args: &["/lib/systemd/systemd-logind"],
        uid: 0,
        gid: 0,
        started_ms: 7_150,
        busy_ppm: 5,
        vsz_kib: 25_316,
        rss_kib: 7_680,
        state: "Ss",
    },
    Daemon {
        executable: "/usr/sbin/agetty",
        args: &["/sbin/agetty", "-o", "-p -- \\u", "--noclear", "-", "linux"],
        uid: 0,
        gid: 0,
        started_ms: 8_400,
        busy_ppm: 0,
        vsz_kib: 5_868,
        rss_kib: 1_008,
        state: "Ss",
    },
    Daemon {
        executable: "/usr/sbin/sshd",
        args: &["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"],
        uid: 0,
        gid: 0,
        started_ms: 8_600,
        busy_ppm: 6,
        vsz_kib: 15_432,
        rss_kib: 8_960,
        state: "Ss",
    },
];

/// Longest `comm`. Linux, `TASK_COMM_LEN` without its NUL; workqueue threads are shown longer.
const COMM_BYTES: usize = 15;

const BEFORE_CPUS: &[(&str, &str)] = &[
    ("kthreadd", "S"),
    ("rcu_gp", "I<"),
    ("rcu_par_gp", "I<"),
    ("slub_flushwq", "I<"),
    ("netns", "I<"),
    ("kworker/0:0H-events_highpri", "I<"),
    ("mm_percpu_wq", "I<"),
    ("rcu_tasks_kthread", "I"),
    ("rcu_tasks_rude_kthread", "I"),
    ("rcu_tasks_trace_kthread", "I"),
    ("ksoftirqd/0", "S"),
    ("rcu_preempt", "I"),
    ("migration/0", "S"),
];

const AFTER_CPUS: &[(&str, &str)] = &[
    ("kdevtmpfs", "S"),
    ("inet_frag_wq", "I<"),
    ("kauditd", "S"),
    ("khungtaskd", "S"),
    ("oom_reaper", "S"),
    ("writeback", "I<"),
    ("kcompactd0", "S"),
    ("ksmd", "SN"),
    ("khugepaged", "SN"),
    ("kintegrityd", "I<"),
    ("kblockd", "I<"),
    ("blkcg_punt_bio", "I<"),
    ("tpm_dev_wq", "I<"),
    ("edac-poller", "I<"),
    ("devfreq_wq", "I<"),
    ("kswapd0", "S"),
    ("kthrotld", "I<"),
    ("acpi_thermal_pm", "I<"),
    ("mld", "I<"),
    ("ipv6_addrconf", "I<"),
    ("kstrp", "I<"),
    ("zswap-shrink", "I<"),
    ("kworker/u5:0", "I<"),
];

const DRIVERS: &[(&str, &str)] = &[
    ("ata_sff", "I<"),
    ("scsi_eh_0", "S"),
    ("scsi_tmf_0", "I<"),
    ("scsi_eh_1", "S"),
    ("scsi_tmf_1", "I<"),
];
