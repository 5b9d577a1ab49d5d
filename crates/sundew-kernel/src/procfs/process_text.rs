//! What the files of `/proc/PID` say: proc(5).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::descriptor::{Description, Kind};
use crate::machine::Kernel;
use crate::process::state::{ProcessState, Summary};
use crate::rlimit::{self, Resource};
use crate::signal::Disposition;
use crate::{lock, procfs};

pub(super) fn nul_ended(parts: &[Vec<u8>]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| part.iter().copied().chain([0]))
        .collect()
}

pub(super) fn environ(state: &ProcessState) -> Vec<u8> {
    let inner = lock(&state.inner);
    inner
        .env
        .iter()
        .flat_map(|(name, value)| [name, b"=", value, b"\0"].concat())
        .collect()
}

/// The mount table in the form of fstab(5).
pub(super) fn mounts(kernel: &Kernel) -> Vec<u8> {
    let mut out = Vec::new();
    for mount in kernel.mounts_now() {
        for (part, end) in [
            (&mount.source, b' '),
            (&mount.target, b' '),
            (&mount.fs_type, b' '),
            (&mount.options, b' '),
        ] {
            out.extend_from_slice(part);
            out.push(end);
        }
        out.extend_from_slice(b"0 0\n");
    }
    out
}

pub(super) fn limits(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    let mut out = String::from(
        "Limit                     Soft Limit           Hard Limit           Units     \n",
    );
    let show = |value: u64| match value {
        rlimit::INFINITY => "unlimited".to_owned(),
        value => value.to_string(),
    };
    for resource in Resource::ALL {
        let (name, unit) = resource.label();
        let limit = state.limit(kernel, resource);
        let (soft, hard) = (show(limit.soft), show(limit.hard));
        // Writing to a String cannot fail.
        let _infallible = writeln!(out, "{name:<25} {soft:<20} {hard:<20} {unit:<10}");
    }
    out.into_bytes()
}

pub(super) fn maps(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
    let inner = lock(&state.inner);
    if inner.executable.is_empty() {
        return Vec::new();
    }
    let root = kernel
        .mounts
        .iter()
        .find(|mount| &*mount.target == b"/")
        .map_or(0, |mount| mount.dev);
    let path = String::from_utf8_lossy(&inner.executable).into_owned();
    let mut map = Map {
        out: String::new(),
        device: format!("{:02x}:{:02x}", root >> 8, root & 0xff),
    };
    // One set of addresses for each process, as address space randomisation would give.
    let scatter = u64::from(state.pid).wrapping_mul(0x9e37_79b9) & 0xf_ffff;
    if kernel.facts.machine.starts_with(b"arm") {
        map.file(0x1_0000, &[(0x11_0000, "r-xp"), (0x2000, "rw-p")], &path);
        map.anonymous(
            0x14_0000 + scatter * 0x1000 % 0x100_0000,
            0x2_1000,
            "rw-p",
            "[heap]",
        );
        map.anonymous(
            0xbe80_0000 + scatter % 0x400 * 0x1000,
            0x2_1000,
            "rw-p",
            "[stack]",
        );
        return map.out.into_bytes();
    }
    let base = 0x55c0_0000_0000 + scatter * 0x1000;
    map.file(base, PROGRAM, &path);
    map.anonymous(base + 0x80_0000, 0x2_1000, "rw-p", "[heap]");
    let libraries = 0x7f30_0000_0000 + scatter * 0x1000;
    map.file(libraries, LIBC, "/usr/lib/x86_64-linux-gnu/libc.so.6");
    map.anonymous(libraries + 0x1d_e000, 0xd000, "rw-p", "");
    let loader = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    map.file(libraries + 0x20_0000, LOADER, loader);
    let stack = 0x7ffd_0000_0000 + scatter * 0x1000;
    map.anonymous(stack, 0x2_1000, "rw-p", "[stack]");
    map.anonymous(stack + 0x4_f000, 0x4000, "r--p", "[vvar]");
    map.anonymous(stack + 0x5_3000, 0x2000, "r-xp", "[vdso]");
    map.out.into_bytes()
}

struct Map {
    out: String,
    device: String,
}

impl Map {
    /// The segments of a file, one after the other.
    fn file(&mut self, base: u64, segments: &[(u64, &str)], path: &str) {
        // The same file has the same number wherever it is mapped.
        let inode = path.bytes().fold(131_072_u64, |sum, byte| {
            (sum.wrapping_mul(31) + u64::from(byte)) % 900_000 + 1000
        });
        let (mut at, mut offset) = (base, 0);
        for (size, mode) in segments {
            let end = at + size;
            let head = format!(
                "{at:x}-{end:x} {mode} {offset:08x} {} {inode} ",
                self.device
            );
            // Writing to a String cannot fail.
            let _infallible = writeln!(self.out, "{head:<73}{path}");
            at = end;
            offset += size;
        }
    }

    fn anonymous(&mut self, at: u64, size: u64, mode: &str, name: &str) {
        let head = format!("{at:x}-{:x} {mode} 00000000 00:00 0 ", at + size);
        let line = if name.is_empty() {
            head
        } else {
            format!("{head:<73}{name}")
        };
        let _infallible = writeln!(self.out, "{line}");
    }
}

/// Segments: size and mode, as GNU ld lays them out.
const PROGRAM: &[(u64, &str)] = &[
    (0x4000, "r--p"),
    (0x2_0000, "r-xp"),
    (0xb000, "r--p"),
    (0x1000, "r--p"),
    (0x2000, "rw-p"),
];
const LIBC: &[(u64, &str)] = &[
    (0x2_6000, "r--p"),
    (0x15_5000, "r-xp"),
    (0x5_3000, "r--p"),
    (0x4000, "r--p"),
    (0x2000, "rw-p"),
];
const LOADER: &[(u64, &str)] = &[
    (0x1000, "r--p"),
    (0x2_5000, "r-xp"),
    (0xa000, "r--p"),
    (0x2000, "r--p"),
    (0x2000, "rw-p"),
];

fn summary(kernel: &Kernel, state: &ProcessState) -> Summary {
    state.summary(kernel)
}

/// Clock ticks of 10 ms, as `USER_HZ` has it.
fn ticks(time: Duration) -> u128 {
    time.as_millis() / 10
}

pub(super) fn stat(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
    let s = summary(kernel, state);
    let tty_nr = s.tty.as_ref().map_or(0, |tty| {
        let number = |prefix: &[u8]| {
            let digits = tty.strip_prefix(prefix)?;
            std::str::from_utf8(digits).ok()?.parse::<u32>().ok()
        };
        match (number(b"pts/"), number(b"ttyAMA"), number(b"tty")) {
            (Some(index), ..) => 136 * 256 + index,
            (_, Some(index), _) => 204 * 256 + 64 + index,
            (.., Some(index)) => 4 * 256 + index,
            _ => 0,
        }
    });
    // Kernel threads are marked, and do not get what others start with.
    let (flags, faults) = if s.kernel_thread {
        (2_129_984, 0)
    } else {
        (4_194_560, s.rss_kib / 3)
    };
    let foreground = if s.tty.is_some() {
        i64::from(s.foreground)
    } else {
        -1
    };
    format!(
        "{} ({}) {} {} {} {} {tty_nr} {foreground} {flags} {faults} 0 0 0 {} {} 0 0 {} {} 1 0 {} {} {} 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
        s.pid,
        String::from_utf8_lossy(&s.name),
        char::from(s.state),
        s.ppid,
        s.group,
        s.session,
        ticks(s.cpu) * 2 / 3,
        ticks(s.cpu) / 3,
        20 + s.nice,
        s.nice,
        ticks(s.started),
        s.vsz_kib * 1024,
        s.rss_kib / 4,
    )
    .into_bytes()
}

pub(super) fn statm(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
    let s = summary(kernel, state);
    format!(
        "{} {} {} 8 0 {} 0\n",
        s.vsz_kib / 4,
        s.rss_kib / 4,
        s.rss_kib / 6,
        s.vsz_kib / 16
    )
    .into_bytes()
}

pub(super) fn status(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
    let s = summary(kernel, state);
    let (umask, groups, pending, ignored, caught, real, saved) = {
        let inner = lock(&state.inner);
        let with = |wanted: Disposition| {
            inner
                .dispositions
                .iter()
                .filter(|(_, disposition)| **disposition == wanted)
                .fold(0, |mask, (signal, _)| mask | signal.bit())
        };
        (
            inner.umask,
            inner.credentials.groups.clone(),
            inner.pending,
            with(Disposition::Ignore),
            with(Disposition::Catch),
            inner.real,
            inner.saved,
        )
    };
    let described = match s.state {
        b'R' => "R (running)",
        b'T' => "T (stopped)",
        b'Z' => "Z (zombie)",
        b'I' => "I (idle)",
        _ => "S (sleeping)",
    };
    let groups: String = groups.iter().map(|group| format!("{group} ")).collect();
    let (uid, gid, pid) = (s.uid, s.gid, s.pid);
    let mut out = format!(
        "Name:\t{}\nUmask:\t{umask:04o}\nState:\t{described}\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t{}\nTracerPid:\t0\n\
         Uid:\t{}\t{uid}\t{}\t{uid}\nGid:\t{}\t{gid}\t{}\t{gid}\nFDSize:\t{}\nGroups:\t{groups}\n\
         NStgid:\t{pid}\nNSpid:\t{pid}\nNSpgid:\t{}\nNSsid:\t{}\n",
        String::from_utf8_lossy(&s.name),
        s.ppid,
        real.0,
        saved.0,
        real.1,
        saved.1,
        if s.kernel_thread { 64 } else { 256 },
        s.group,
        s.session,
    );
    if !s.kernel_thread && s.state != b'Z' {
        memory_lines(&mut out, s.vsz_kib, s.rss_kib);
    }
    let all = "000001ffffffffff";
    let capabilities = if uid == 0 { all } else { "0000000000000000" };
    let cpus = kernel.facts.cpu.count.clamp(1, 31);
    // Writing to a String cannot fail.
    let _infallible = write!(
        out,
        "Threads:\t1\nSigQ:\t0/{}\nSigPnd:\t0000000000000000\nShdPnd:\t{pending:016x}\nSigBlk:\t0000000000000000\n\
         SigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\nCapInh:\t0000000000000000\nCapPrm:\t{capabilities}\nCapEff:\t{capabilities}\n\
         CapBnd:\t{all}\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n\
         Speculation_Store_Bypass:\tthread vulnerable\nSpeculationIndirectBranch:\tconditional enabled\n\
         Cpus_allowed:\t{:x}\nCpus_allowed_list:\t{}\nMems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n\
         voluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n",
        kernel.facts.memory_total_kib / 256,
        (1_u32 << cpus) - 1,
        match procfs::last_cpu(&kernel.facts) {
            0 => "0".to_owned(),
            last => format!("0-{last}"),
        },
        40 + ticks(s.cpu),
        2 + ticks(s.cpu) / 9,
    );
    out.into_bytes()
}

fn memory_lines(out: &mut String, vsz: u64, rss: u64) {
    let data = vsz / 12;
    for (name, kib) in [
        ("VmPeak", vsz),
        ("VmSize", vsz),
        ("VmLck", 0),
        ("VmPin", 0),
        ("VmHWM", rss),
        ("VmRSS", rss),
        ("RssAnon", rss / 20 * 4),
        ("RssFile", rss - rss / 20 * 4),
        ("RssShmem", 0),
        ("VmData", data),
        ("VmStk", 132),
        ("VmExe", vsz / 9),
        ("VmLib", vsz / 3),
        ("VmPTE", 48 + vsz / 1024),
        ("VmSwap", 0),
        ("HugetlbPages", 0),
    ] {
        // In pages.
        let kib = kib / 4 * 4;
        let _infallible = writeln!(out, "{name}:\t{kib:>8} kB");
    }
    out.push_str("CoreDumping:\t0\nTHP_enabled:\t1\n");
}

/// `/proc/PID/oom_score_adj`: what systemd's units and sshd ask for.
pub(super) fn oom_adjust(state: &ProcessState) -> i64 {
    let Some(resident) = state.as_resident() else {
        return 0;
    };
    match resident.name.as_slice() {
        b"sshd" if resident.ppid == 1 => -1000,
        b"systemd-udevd" => -1000,
        b"dbus-daemon" => -900,
        b"systemd-journal" => -250,
        _ => 0,
    }
}

/// `/proc/PID/oom_score`: two thousand for what has all memory, and 666 for what has none.
pub(super) fn oom_score(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    let s = summary(kernel, state);
    let adjust = oom_adjust(state);
    let total = kernel.facts.memory_total_kib.max(1);
    let share = i64::try_from(s.rss_kib * 1000 / total).unwrap_or(0);
    let score = match adjust {
        -1000 => 0,
        _ if s.kernel_thread => 0,
        adjust => ((1000 + share + adjust) * 2 / 3).max(0),
    };
    format!("{score}\n").into_bytes()
}

/// `/proc/PID/wchan`: the function of Linux that it sleeps in.
pub(super) fn wait_channel(kernel: &Kernel, state: &ProcessState) -> &'static str {
    let s = summary(kernel, state);
    if s.state == b'R' || s.state == b'Z' {
        return "0";
    }
    if s.kernel_thread {
        return match s.name.as_slice() {
            b"kthreadd" => "kthreadd",
            name if name.starts_with(b"kworker") => "worker_thread",
            name if name.starts_with(b"ksoftirqd") || name.starts_with(b"migration") => {
                "smpboot_thread_fn"
            }
            name if name.starts_with(b"jbd2") => "kjournald2",
            _ => "rescuer_thread",
        };
    }
    if s.state == b'T' {
        return "do_signal_stop";
    }
    let has_children = !state.is_resident() && {
        let states: Vec<_> = lock(&kernel.table).processes.values().cloned().collect();
        states
            .iter()
            .any(|other| lock(&other.inner).ppid == state.pid)
    };
    match s.name.as_slice() {
        b"sleep" => "hrtimer_nanosleep",
        _ if has_children => "do_wait",
        b"sshd" => "do_sys_poll",
        b"agetty" | b"bash" | b"sh" | b"dash" => "wait_woken",
        _ if state.is_resident() => "do_epoll_wait",
        _ => "pipe_read",
    }
}

/// `/proc/PID/stack`.
pub(super) fn stack(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    match wait_channel(kernel, state) {
        "0" => Vec::new(),
        function if state.is_kernel_thread() => format!(
            "[<0>] {function}+0x1c3/0x3a0\n[<0>] kthread+0xe9/0x110\n[<0>] ret_from_fork+0x22/0x30\n"
        )
        .into_bytes(),
        function => format!(
            "[<0>] {function}+0x16d/0x2f0\n[<0>] do_syscall_64+0x55/0xb0\n[<0>] entry_SYSCALL_64_after_hwframe+0x6e/0xd8\n"
        )
        .into_bytes(),
    }
}

/// `/proc/PID/sched`.
pub(super) fn sched(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    let s = summary(kernel, state);
    let head = format!(
        "{} ({}, #threads: 1)",
        String::from_utf8_lossy(&s.name),
        s.pid
    );
    let millis = |time: Duration| {
        format!(
            "{}.{:06}",
            time.as_millis(),
            time.subsec_nanos() % 1_000_000
        )
    };
    let (voluntary, forced) = (40 + ticks(s.cpu), 2 + ticks(s.cpu) / 9);
    let mut out = format!("{head}\n{}\n", "-".repeat(67));
    for (name, value) in [
        ("se.exec_start", millis(kernel.uptime())),
        ("se.vruntime", millis(s.cpu + s.started / 7)),
        ("se.sum_exec_runtime", millis(s.cpu)),
        ("se.nr_migrations", (ticks(s.cpu) / 20).to_string()),
        ("nr_switches", (voluntary + forced).to_string()),
        ("nr_voluntary_switches", voluntary.to_string()),
        ("nr_involuntary_switches", forced.to_string()),
        ("se.load.weight", "1048576".to_owned()),
        ("se.avg.load_sum", "3120".to_owned()),
        ("se.avg.runnable_sum", "3194880".to_owned()),
        ("se.avg.util_sum", "3194880".to_owned()),
        ("se.avg.load_avg", "66".to_owned()),
        ("se.avg.runnable_avg", "66".to_owned()),
        ("se.avg.util_avg", "66".to_owned()),
        (
            "se.avg.last_update_time",
            kernel.uptime().as_nanos().to_string(),
        ),
        ("se.avg.util_est.ewma", "8".to_owned()),
        ("se.avg.util_est.enqueued", "0".to_owned()),
        ("uclamp.min", "0".to_owned()),
        ("uclamp.max", "1024".to_owned()),
        ("effective uclamp.min", "0".to_owned()),
        ("effective uclamp.max", "1024".to_owned()),
        ("policy", "0".to_owned()),
        ("prio", (120 + s.nice).to_string()),
        ("clock-delta", "22".to_owned()),
    ] {
        let _infallible = writeln!(out, "{name:<45}:{value:>21}");
    }
    out.push_str("mm->numa_scan_seq                            :                    0\n");
    out.push_str("numa_pages_migrated                          :                    0\n");
    out.push_str("numa_preferred_nid                           :                   -1\n");
    out.push_str("total_numa_faults                            :                    0\n");
    out.push_str("current_node=0, numa_group_id=0\nnuma_faults node=0 task_private=0 task_shared=0 group_private=0 group_shared=0\n");
    out.into_bytes()
}

/// The lines of `/proc/PID/maps` with the KiB of each.
fn sized_maps(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<(String, u64)> {
    let text = String::from_utf8_lossy(&maps(kernel, state)).into_owned();
    let size = |line: &str| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let parse = |text| u64::from_str_radix(text, 16).ok();
        Some(parse(to)?.saturating_sub(parse(from)?) / 1024)
    };
    text.lines()
        .map(|line| (line.to_owned(), size(line).unwrap_or(0)))
        .collect()
}

/// What one mapping, or all, hold: `/proc/PID/smaps`. Code is shared with others, data is the process's own.
fn held(out: &mut String, size: Option<u64>, code: u64, data: u64) {
    if let Some(size) = size {
        for (name, kib) in [("Size", size), ("KernelPageSize", 4), ("MMUPageSize", 4)] {
            let _infallible = writeln!(out, "{:<16}{kib:>8} kB", format!("{name}:"));
        }
    }
    let rows = [
        ("Rss", code + data),
        ("Pss", code / 8 + data),
        ("Pss_Dirty", data),
        ("Shared_Clean", code),
        ("Shared_Dirty", 0),
        ("Private_Clean", 0),
        ("Private_Dirty", data),
        ("Referenced", code + data),
        ("Anonymous", data),
        ("LazyFree", 0),
        ("AnonHugePages", 0),
        ("ShmemPmdMapped", 0),
        ("FilePmdMapped", 0),
        ("Shared_Hugetlb", 0),
        ("Private_Hugetlb", 0),
        ("Swap", 0),
        ("SwapPss", 0),
        ("Locked", 0),
    ];
    // The sum of all has what is dirty apart, by kinds.
    for (name, kib) in rows {
        let _infallible = writeln!(out, "{:<16}{kib:>8} kB", format!("{name}:"));
        if size.is_none() && name == "Pss_Dirty" {
            for (name, kib) in [("Pss_Anon", data), ("Pss_File", code / 8), ("Pss_Shmem", 0)] {
                let _infallible = writeln!(out, "{:<16}{kib:>8} kB", format!("{name}:"));
            }
        }
    }
}

/// KiB of code and of data that are in memory, of a mapping of this size.
fn resident(line: &str, size: u64) -> (u64, u64) {
    let writes = line
        .split(' ')
        .nth(1)
        .is_some_and(|mode| mode.contains('w'));
    if line.ends_with("[vvar]") {
        (0, 0)
    } else if writes {
        (0, (size * 2 / 3 / 4 * 4).max(4))
    } else {
        ((size * 3 / 5 / 4 * 4).max(4), 0)
    }
}

pub(super) fn smaps(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
    let mut out = String::new();
    for (line, size) in sized_maps(kernel, state) {
        let (code, data) = resident(&line, size);
        let _infallible = writeln!(out, "{line}");
        held(&mut out, Some(size), code, data);
        let mode = line.split(' ').nth(1).unwrap_or_default().as_bytes();
        let flag = |at: usize, known: u8, word| {
            if mode.get(at) == Some(&known) {
                word
            } else {
                ""
            }
        };
        let _infallible = writeln!(
            out,
            "THPeligible:    0\nVmFlags: {}{}{}mr mw me sd ",
            flag(0, b'r', "rd "),
            flag(1, b'w', "wr "),
            flag(2, b'x', "ex "),
        );
    }
    out.into_bytes()
}

pub(super) fn smaps_rollup(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
    let maps = sized_maps(kernel, state);
    let end = |line: &str, last: bool| {
        let range = line.split_once(' ')?.0.split_once('-')?;
        Some(if last { range.1 } else { range.0 }.to_owned())
    };
    let (Some(first), Some(last)) = (maps.first(), maps.last()) else {
        return Vec::new();
    };
    let (from, to) = (end(&first.0, false), end(&last.0, true));
    let head = format!(
        "{}-{} ---p 00000000 00:00 0 ",
        from.unwrap_or_default(),
        to.unwrap_or_default()
    );
    let mut out = format!("{head:<73}[rollup]\n");
    let (code, data) = maps.iter().fold((0, 0), |(code, data), (line, size)| {
        let own = resident(line, *size);
        (code + own.0, data + own.1)
    });
    held(&mut out, None, code, data);
    out.into_bytes()
}

/// `/proc/PID/cgroup`: where systemd puts daemons and logins.
pub(super) fn cgroup(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    let own = of_login(state);
    let Some(resident) = state.as_resident().filter(|_| !own) else {
        let uid = lock(&state.inner).login_uid;
        let number = kernel.login_session();
        return format!("0::/user.slice/user-{uid}.slice/session-{number}.scope\n").into_bytes();
    };
    let name = String::from_utf8_lossy(&resident.name).into_owned();
    let unit = match name.as_str() {
        _ if state.is_kernel_thread() => "/".to_owned(),
        "systemd" => "/init.scope".to_owned(),
        "sshd" => "/system.slice/ssh.service".to_owned(),
        "dbus-daemon" => "/system.slice/dbus.service".to_owned(),
        "systemd-journal" => "/system.slice/systemd-journald.service".to_owned(),
        "agetty" => "/system.slice/system-getty.slice/getty@tty1.service".to_owned(),
        _ => format!("/system.slice/{name}.service"),
    };
    format!("0::{unit}\n").into_bytes()
}

/// Whether a process belongs to the visitor's login: it runs, or it is the daemon that serves it.
fn of_login(state: &ProcessState) -> bool {
    state
        .as_resident()
        .is_none_or(|one| one.name == b"sshd" && one.ppid != 1)
}

/// What audit says of processes that no login brought.
const NO_LOGIN: &[u8] = b"4294967295";

pub(super) fn login_uid(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    if of_login(state) && kernel.login_session() > 0 {
        lock(&state.inner).login_uid.to_string().into_bytes()
    } else {
        NO_LOGIN.to_vec()
    }
}

/// `/proc/PID/sessionid`: systemd-logind gives sessions the same numbers.
pub(super) fn login_session(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    match kernel.login_session() {
        number if number > 0 && of_login(state) => number.to_string().into_bytes(),
        _ => NO_LOGIN.to_vec(),
    }
}

pub(super) fn io(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    let s = summary(kernel, state);
    let work = 4096 + u64::try_from(s.cpu.as_micros()).unwrap_or(0) * 3;
    format!(
        "rchar: {}\nwchar: {}\nsyscr: {}\nsyscw: {}\nread_bytes: {}\nwrite_bytes: {}\ncancelled_write_bytes: 0\n",
        work * 5,
        work,
        work / 512,
        work / 1024,
        s.rss_kib / 4 * 4096,
        work / 4096 * 4096
    )
    .into_bytes()
}

pub(super) fn schedstat(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    let s = summary(kernel, state);
    let nanos = s.cpu.as_nanos();
    format!("{nanos} {} {}\n", nanos / 40, 12 + ticks(s.cpu)).into_bytes()
}

/// The children that it has, by number.
pub(super) fn children(kernel: &Kernel, state: &ProcessState) -> Vec<u8> {
    let table = lock(&kernel.table);
    let all = table.processes.values();
    all.filter(|other| lock(&other.inner).ppid == state.pid)
        .flat_map(|child| format!("{} ", child.pid).into_bytes())
        .collect()
}

pub(super) fn mount_stats(kernel: &Kernel) -> Vec<u8> {
    let mut out = Vec::new();
    for mount in kernel.mounts_now() {
        for part in [
            b"device ".as_slice(),
            &mount.source,
            b" mounted on ",
            &mount.target,
            b" with fstype ",
            &mount.fs_type,
            b"\n",
        ] {
            out.extend_from_slice(part);
        }
    }
    out
}

/// The mount table with numbers: what a mount lies on, its device, the options of the mount and those
/// of the filesystem.
pub(super) fn mount_info(kernel: &Kernel) -> Vec<u8> {
    let mut out = String::new();
    let mounts = kernel.mounts_now();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let above = |target: &[u8]| {
        let over = mounts.iter().enumerate().filter(|(_, other)| {
            let other: &[u8] = &other.target;
            other != target
                && (other == b"/"
                    || target
                        .strip_prefix(other)
                        .is_some_and(|rest| rest.starts_with(b"/")))
        });
        over.max_by_key(|(_, other)| other.target.len())
            .map_or(1, |(index, _)| FIRST_MOUNT + index)
    };
    for (index, mount) in mounts.iter().enumerate() {
        let options = text(&mount.options);
        let of_mount = |option: &&str| MOUNT_OPTIONS.contains(option);
        let own: Vec<&str> = options.split(',').filter(of_mount).collect();
        let rest: Vec<&str> = options
            .split(',')
            .filter(|option| !of_mount(option))
            .collect();
        let over = std::iter::once("rw").chain(rest).collect::<Vec<_>>();
        let _infallible = writeln!(
            out,
            "{} {} {}:{} / {} {} shared:{} - {} {} {}",
            FIRST_MOUNT + index,
            above(&mount.target),
            mount.dev >> 8,
            mount.dev & 0xff,
            text(&mount.target),
            own.join(","),
            index + 1,
            text(&mount.fs_type),
            text(&mount.source),
            over.join(",")
        );
    }
    out.into_bytes()
}

/// `/proc/PID/fdinfo/N`.
pub(super) fn descriptor_info(description: &Description) -> Vec<u8> {
    let flags = match (description.flags.read, description.flags.write) {
        (true, true) => 2,
        (false, true) => 1,
        _ => 0,
    } | if description.flags.append { 0o2000 } else { 0 };
    let (position, ino) = match &description.kind {
        Kind::File(file) => (*lock(&file.offset), file.ino.0),
        _ => (0, 1),
    };
    format!(
        "pos:\t{position}\nflags:\t0{:o}\nmnt_id:\t26\nino:\t{ino}\n",
        flags | 0o100_000
    )
    .into_bytes()
}

/// The number of the first mount; those below belong to the initial file system.
const FIRST_MOUNT: usize = 22;

/// Options that belong to the mount, not to the filesystem.
const MOUNT_OPTIONS: &[&str] = &[
    "rw", "ro", "nosuid", "nodev", "noexec", "relatime", "noatime",
];

/// `/proc/PID/uid_map` outside of any user namespace.
pub(super) const ID_MAP: &[u8] = b"         0          0 4294967295\n";
