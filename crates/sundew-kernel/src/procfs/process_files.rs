//! The files of `/proc/PID`: proc(5).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::machine::Kernel;
use crate::process::state::{ProcessState, Summary};
use crate::{lock, procfs};

/// What a name below `/proc/PID` is.
pub(super) enum Entry {
    File(fn(&Kernel, &Arc<ProcessState>) -> Vec<u8>),
    Link(fn(&ProcessState) -> Option<Vec<u8>>),
    /// The directory of descriptors.
    Descriptors,
}

use Entry::{Descriptors, File, Link};

/// Every name below `/proc/PID`, what it is, and its mode.
pub(super) const PROCESS_FILES: &[(&str, Entry, u16)] = &[
    (
        "cgroup",
        File(|_, _| b"0::/user.slice/user-0.slice/session-1.scope\n".to_vec()),
        0o444,
    ),
    (
        "cmdline",
        File(|_, state| nul_ended(&lock(&state.inner).args)),
        0o444,
    ),
    (
        "comm",
        File(|_, state| [lock(&state.inner).name.as_slice(), b"\n"].concat()),
        0o644,
    ),
    (
        "cwd",
        Link(|state| Some(lock(&state.inner).directory_path.clone())),
        0o777,
    ),
    ("environ", File(|_, state| environ(state)), 0o400),
    (
        "exe",
        Link(|state| Some(lock(&state.inner).executable.clone()).filter(|path| !path.is_empty())),
        0o777,
    ),
    ("fd", Descriptors, 0o500),
    ("limits", File(|kernel, _| limits(kernel)), 0o444),
    (
        "loginuid",
        File(|_, state| {
            if state.is_resident() {
                b"4294967295".to_vec()
            } else {
                b"0".to_vec()
            }
        }),
        0o644,
    ),
    ("maps", File(|_, state| maps(state)), 0o444),
    ("mountinfo", File(|kernel, _| mounts(kernel)), 0o444),
    ("mounts", File(|kernel, _| mounts(kernel)), 0o444),
    ("oom_score", File(|_, _| b"666\n".to_vec()), 0o444),
    ("oom_score_adj", File(|_, _| b"0\n".to_vec()), 0o644),
    ("root", Link(|_| Some(b"/".to_vec())), 0o777),
    ("stat", File(stat), 0o444),
    ("statm", File(statm), 0o444),
    ("status", File(status), 0o444),
    ("wchan", File(|_, _| b"0".to_vec()), 0o444),
];

fn nul_ended(parts: &[Vec<u8>]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| part.iter().copied().chain([0]))
        .collect()
}

fn environ(state: &ProcessState) -> Vec<u8> {
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
    for mount in &kernel.mounts {
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

fn limits(kernel: &Kernel) -> Vec<u8> {
    let mut out = String::from(
        "Limit                     Soft Limit           Hard Limit           Units     \n",
    );
    let files = kernel.limits.descriptors.to_string();
    for (name, soft, hard, unit) in [
        ("Max cpu time", "unlimited", "unlimited", "seconds"),
        ("Max file size", "unlimited", "unlimited", "bytes"),
        ("Max data size", "unlimited", "unlimited", "bytes"),
        ("Max stack size", "8388608", "unlimited", "bytes"),
        ("Max core file size", "0", "unlimited", "bytes"),
        ("Max resident set", "unlimited", "unlimited", "bytes"),
        ("Max processes", "7823", "7823", "processes"),
        ("Max open files", &files, "1048576", "files"),
        ("Max locked memory", "264519680", "264519680", "bytes"),
        ("Max address space", "unlimited", "unlimited", "bytes"),
        ("Max file locks", "unlimited", "unlimited", "locks"),
        ("Max pending signals", "7823", "7823", "signals"),
        ("Max msgqueue size", "819200", "819200", "bytes"),
        ("Max nice priority", "0", "0", ""),
        ("Max realtime priority", "0", "0", ""),
        ("Max realtime timeout", "unlimited", "unlimited", "us"),
    ] {
        let _infallible = writeln!(out, "{name:<25} {soft:<20} {hard:<20} {unit:<10}");
    }
    out.into_bytes()
}

fn maps(state: &ProcessState) -> Vec<u8> {
    let inner = lock(&state.inner);
    if inner.executable.is_empty() {
        return Vec::new();
    }
    // One address per process, as address space randomisation would give.
    let base = 0x55c0_0000_0000_u64 + u64::from(state.pid) * 0x1b_7000;
    let stack = 0x7ffd_0000_0000_u64 + u64::from(state.pid) * 0x3_1000;
    let path = String::from_utf8_lossy(&inner.executable).into_owned();
    format!(
        "{:x}-{:x} r--p 00000000 fe:01 131{:03} {:>26}\n{:x}-{:x} r-xp 00004000 fe:01 131{:03} {:>26}\n\
         {:x}-{:x} rw-p 00000000 00:00 0 {:>32}\n{stack:x}-{:x} rw-p 00000000 00:00 0 {:>31}\n",
        base, base + 0x4000, path.len(), path,
        base + 0x4000, base + 0x2_4000, path.len(), path,
        base + 0x3_0000, base + 0x5_1000, "[heap]",
        stack + 0x2_1000, "[stack]",
    )
    .into_bytes()
}

fn summary(kernel: &Kernel, state: &ProcessState) -> Summary {
    state.summary(kernel)
}

/// Clock ticks of 10 ms, as `USER_HZ` has it.
fn ticks(time: Duration) -> u128 {
    time.as_millis() / 10
}

fn stat(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
    let s = summary(kernel, state);
    let tty_nr = s.tty.as_ref().map_or(0, |tty| {
        let index = tty
            .strip_prefix(b"pts/")
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        136 * 256 + index.unwrap_or(0u32)
    });
    let foreground = if s.tty.is_some() {
        i64::from(s.foreground)
    } else {
        -1
    };
    format!(
        "{} ({}) {} {} {} {} {tty_nr} {foreground} 4194304 0 0 0 0 {} {} 0 0 20 0 1 0 {} {} {} 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
        s.pid,
        String::from_utf8_lossy(&s.name),
        char::from(s.state),
        s.ppid,
        s.group,
        s.session,
        ticks(s.cpu) * 2 / 3,
        ticks(s.cpu) / 3,
        ticks(s.started),
        s.vsz_kib * 1024,
        s.rss_kib / 4,
    )
    .into_bytes()
}

fn statm(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
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

fn status(kernel: &Kernel, state: &Arc<ProcessState>) -> Vec<u8> {
    let s = summary(kernel, state);
    let (umask, groups) = {
        let inner = lock(&state.inner);
        (inner.umask, inner.credentials.groups.clone())
    };
    let described = match s.state {
        b'R' => "R (running)",
        b'T' => "T (stopped)",
        b'Z' => "Z (zombie)",
        b'I' => "I (idle)",
        _ => "S (sleeping)",
    };
    let groups: String = groups.iter().map(|group| format!("{group} ")).collect();
    let capabilities = if s.uid == 0 {
        "000001ffffffffff"
    } else {
        "0000000000000000"
    };
    format!(
        "Name:\t{}\nUmask:\t{umask:04o}\nState:\t{described}\nTgid:\t{1}\nNgid:\t0\nPid:\t{1}\nPPid:\t{2}\nTracerPid:\t0\n\
         Uid:\t{3}\t{3}\t{3}\t{3}\nGid:\t{4}\t{4}\t{4}\t{4}\nFDSize:\t256\nGroups:\t{groups}\nNStgid:\t{1}\nNSpid:\t{1}\nNSpgid:\t{5}\nNSsid:\t{6}\n\
         VmPeak:\t{7:>8} kB\nVmSize:\t{7:>8} kB\nVmLck:\t       0 kB\nVmPin:\t       0 kB\nVmHWM:\t{8:>8} kB\nVmRSS:\t{8:>8} kB\n\
         Threads:\t1\nSigQ:\t0/7823\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\nSigBlk:\t0000000000000000\n\
         CapInh:\t0000000000000000\nCapPrm:\t{capabilities}\nCapEff:\t{capabilities}\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n\
         NoNewPrivs:\t0\nSeccomp:\t0\nCpus_allowed_list:\t0-{9}\nvoluntary_ctxt_switches:\t{10}\nnonvoluntary_ctxt_switches:\t{11}\n",
        String::from_utf8_lossy(&s.name),
        s.pid,
        s.ppid,
        s.uid,
        s.gid,
        s.group,
        s.session,
        s.vsz_kib,
        s.rss_kib,
        procfs::last_cpu(&kernel.facts),
        40 + ticks(s.cpu),
        2 + ticks(s.cpu) / 9,
    )
    .into_bytes()
}
