//! The files of `/proc` that speak of the whole machine: proc(5).

use std::fmt::Write as _;
use std::time::Duration;

use super::system;
use crate::facts::Facts;
use crate::lock;
use crate::machine::Kernel;

/// What a name below `/proc` is.
pub(super) enum Entry {
    Directory,
    File(fn(&Kernel) -> Vec<u8>),
    Link(&'static str),
    /// A setting with what it is until root changes it.
    Setting(&'static str),
}

use Entry::{Directory, File, Link, Setting};

/// `/proc/devices` of a board with a flash memory and no disk.
const FLASH_DEVICES: &[u8] = b"Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n 10 misc\n 13 input\n 89 i2c\n 90 mtd\n128 ptm\n136 pts\n153 spi\n180 usb\n189 usb_device\n204 ttyAMA\n218 himedia\n254 rtc\n\nBlock devices:\n  1 ramdisk\n259 blkext\n  8 sd\n 31 mtdblock\n179 mmc\n";

/// `/proc/filesystems` of such a board.
const FLASH_FILESYSTEMS: &[u8] = b"nodev\tsysfs\nnodev\trootfs\nnodev\tramfs\nnodev\tbdev\nnodev\tproc\nnodev\tdevtmpfs\nnodev\ttmpfs\nnodev\tdebugfs\nnodev\tsockfs\nnodev\tpipefs\nnodev\tdevpts\n\text3\n\text2\n\text4\n\tsquashfs\n\tvfat\n\tmsdos\nnodev\tnfs\nnodev\tjffs2\nnodev\tautofs\nnodev\tubifs\n";

/// Every name below `/proc` that belongs to no process; the first row is the root.
pub(super) const TREE: &[(&str, Entry)] = &[
    ("", Directory),
    ("cmdline", File(cmdline)),
    ("cpuinfo", File(|kernel| cpuinfo(&kernel.facts))),
    (
        "devices",
        File(|kernel| {
            if !kernel.facts.flash.is_empty() {
                return FLASH_DEVICES.to_vec();
            }
            b"Character devices:\n  1 mem\n  4 /dev/vc/0\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n 10 misc\n 13 input\n128 ptm\n136 pts\n\nBlock devices:\n  8 sd\n253 device-mapper\n254 virtblk\n".to_vec()
        }),
    ),
    (
        "filesystems",
        File(|kernel| {
            if !kernel.facts.flash.is_empty() {
                return FLASH_FILESYSTEMS.to_vec();
            }
            b"nodev\tsysfs\nnodev\ttmpfs\nnodev\tbdev\nnodev\tproc\nnodev\tcgroup\nnodev\tcgroup2\nnodev\tcpuset\nnodev\tdevtmpfs\nnodev\tdebugfs\nnodev\ttracefs\nnodev\tsecurityfs\nnodev\tsockfs\nnodev\tbpf\nnodev\tpipefs\nnodev\tramfs\nnodev\thugetlbfs\nnodev\tdevpts\nnodev\tmqueue\nnodev\tpstore\n\text3\n\text2\n\text4\nnodev\tautofs\n".to_vec()
        }),
    ),
    ("loadavg", File(loadavg)),
    ("meminfo", File(meminfo)),
    ("modules", File(|kernel| kernel.facts.modules.clone())),
    ("mounts", Link("self/mounts")),
    ("net", Link("self/net")),
    ("mtd", File(system::mtd)),
    ("partitions", File(system::partitions)),
    ("diskstats", File(system::diskstats)),
    ("interrupts", File(system::interrupts)),
    ("vmstat", File(system::vmstat)),
    ("self", Link("self")),
    ("stat", File(stat)),
    ("swaps", File(system::swaps)),
    ("sys", Directory),
    ("sys/fs", Directory),
    (
        "sys/fs/file-max",
        File(|_| b"9223372036854775807\n".to_vec()),
    ),
    ("sys/kernel", Directory),
    (
        "sys/kernel/hostname",
        File(|kernel| line(&kernel.hostname())),
    ),
    (
        "sys/kernel/osrelease",
        File(|kernel| line(&kernel.facts.kernel_release)),
    ),
    ("sys/kernel/ostype", File(|_| b"Linux\n".to_vec())),
    ("sys/kernel/pid_max", File(|_| b"4194304\n".to_vec())),
    ("sys/kernel/random", Directory),
    ("sys/kernel/random/boot_id", File(boot_id)),
    ("sys/kernel/random/uuid", File(random_uuid)),
    (
        "sys/kernel/version",
        File(|kernel| line(&kernel.facts.kernel_version)),
    ),
    ("sys/net", Directory),
    ("sys/net/ipv4", Directory),
    ("sys/vm", Directory),
    ("sys/fs/inotify", Directory),
    ("sys/fs/inotify/max_user_instances", Setting("128")),
    ("sys/fs/inotify/max_user_watches", Setting("14863")),
    ("sys/fs/nr_open", Setting("1048576")),
    ("sys/fs/protected_hardlinks", Setting("1")),
    ("sys/fs/protected_regular", Setting("2")),
    ("sys/fs/protected_symlinks", Setting("1")),
    ("sys/fs/suid_dumpable", Setting("0")),
    ("sys/kernel/cap_last_cap", Setting("40")),
    ("sys/kernel/core_pattern", Setting("core")),
    ("sys/kernel/dmesg_restrict", Setting("1")),
    ("sys/kernel/domainname", Setting("(none)")),
    ("sys/kernel/kptr_restrict", Setting("0")),
    ("sys/kernel/msgmax", Setting("8192")),
    ("sys/kernel/ngroups_max", Setting("65536")),
    ("sys/kernel/panic", Setting("0")),
    ("sys/kernel/perf_event_paranoid", Setting("3")),
    ("sys/kernel/printk", Setting("4\t4\t1\t7")),
    ("sys/kernel/randomize_va_space", Setting("2")),
    ("sys/kernel/sem", Setting("32000\t1024000000\t500\t32000")),
    ("sys/kernel/shmall", Setting("18446744073692774399")),
    ("sys/kernel/shmmax", Setting("18446744073692774399")),
    ("sys/kernel/shmmni", Setting("4096")),
    ("sys/kernel/sysrq", Setting("438")),
    ("sys/kernel/tainted", Setting("0")),
    ("sys/kernel/threads-max", Setting("15646")),
    ("sys/kernel/unprivileged_bpf_disabled", Setting("2")),
    ("sys/net/core", Directory),
    ("sys/net/core/default_qdisc", Setting("pfifo_fast")),
    ("sys/net/core/rmem_max", Setting("212992")),
    ("sys/net/core/somaxconn", Setting("4096")),
    ("sys/net/core/wmem_max", Setting("212992")),
    ("sys/net/ipv4/icmp_echo_ignore_all", Setting("0")),
    ("sys/net/ipv4/ip_forward", Setting("0")),
    ("sys/net/ipv4/ip_local_port_range", Setting("32768\t60999")),
    ("sys/net/ipv4/tcp_congestion_control", Setting("cubic")),
    ("sys/net/ipv4/tcp_fin_timeout", Setting("60")),
    ("sys/net/ipv4/tcp_syncookies", Setting("1")),
    ("sys/net/ipv4/tcp_tw_reuse", Setting("2")),
    ("sys/vm/dirty_background_ratio", Setting("10")),
    ("sys/vm/dirty_ratio", Setting("20")),
    ("sys/vm/drop_caches", Setting("0")),
    ("sys/vm/max_map_count", Setting("65530")),
    ("sys/vm/min_free_kbytes", Setting("45056")),
    ("sys/vm/nr_hugepages", Setting("0")),
    ("sys/vm/overcommit_memory", Setting("0")),
    ("sys/vm/overcommit_ratio", Setting("50")),
    ("sys/vm/panic_on_oom", Setting("0")),
    ("sys/vm/swappiness", Setting("60")),
    ("sys/vm/vfs_cache_pressure", Setting("100")),
    ("thread-self", Link("thread-self")),
    ("uptime", File(uptime)),
    ("version", File(version)),
];

fn line(text: &[u8]) -> Vec<u8> {
    [text, b"\n"].concat()
}

fn cmdline(kernel: &Kernel) -> Vec<u8> {
    line(&kernel.facts.command_line)
}

/// `/proc/cpuinfo` of an ARM kernel.
fn cpuinfo_arm(facts: &Facts) -> Vec<u8> {
    let cpu = &facts.cpu;
    let text = String::from_utf8_lossy;
    let mut out = String::new();
    for processor in 0..cpu.count {
        // Writing to a String cannot fail.
        let _infallible = write!(
            out,
            "processor\t: {processor}\nmodel name\t: {}\nBogoMIPS\t: {:.2}\nFeatures\t: {} \n\
             CPU implementer\t: {}\nCPU architecture: {}\nCPU variant\t: 0x0\nCPU part\t: {:#x}\n\
             CPU revision\t: {}\n\n",
            text(&cpu.model_name),
            f64::from(cpu.khz) / 500.0,
            text(&cpu.flags),
            text(&cpu.vendor),
            cpu.family,
            cpu.model,
            cpu.stepping,
        );
    }
    let _infallible = write!(
        out,
        "Hardware\t: {}\nRevision\t: 0000\nSerial\t\t: 0000000000000000\n",
        text(&cpu.board)
    );
    out.into_bytes()
}

fn cpuinfo(facts: &Facts) -> Vec<u8> {
    if !facts.cpu.board.is_empty() {
        return cpuinfo_arm(facts);
    }
    let cpu = &facts.cpu;
    let text = String::from_utf8_lossy;
    let mut out = String::new();
    for processor in 0..cpu.count {
        let bogomips = f64::from(cpu.khz) / 500.0;
        let mhz = f64::from(cpu.khz) / 1000.0;
        // Writing to a String cannot fail.
        let _infallible = write!(
            out,
            "processor\t: {processor}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\n\
             model name\t: {}\nstepping\t: {}\nmicrocode\t: {:#x}\ncpu MHz\t\t: {mhz:.3}\n\
             cache size\t: {} KB\nphysical id\t: 0\nsiblings\t: {}\ncore id\t\t: {processor}\n\
             cpu cores\t: {}\napicid\t\t: {processor}\ninitial apicid\t: {processor}\nfpu\t\t: yes\n\
             fpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\nflags\t\t: {}\nbugs\t\t: {}\n\
             bogomips\t: {bogomips:.2}\nclflush size\t: 64\ncache_alignment\t: 64\n\
             address sizes\t: 46 bits physical, 48 bits virtual\npower management:\n\n",
            text(&cpu.vendor),
            cpu.family,
            cpu.model,
            text(&cpu.model_name),
            cpu.stepping,
            cpu.microcode,
            cpu.cache_kib,
            cpu.count,
            cpu.count,
            text(&cpu.flags),
            text(&cpu.bugs),
        );
    }
    out.into_bytes()
}

/// How the memory of the machine is used, in KiB: one source for `/proc/meminfo` and `free`.
#[derive(Debug, Clone, Copy)]
pub struct MemoryUse {
    /// In all.
    pub total: u64,
    /// Not used for anything.
    pub free: u64,
    /// Could be had without swapping.
    pub available: u64,
    /// Buffers.
    pub buffers: u64,
    /// Page cache and reclaimable slab.
    pub cached: u64,
    /// tmpfs.
    pub shared: u64,
}

impl Kernel {
    /// How the memory is used now: the daemons, the page cache, and what users' processes hold.
    pub(crate) fn memory_use(&self) -> MemoryUse {
        let total = self.facts.memory_total_kib;
        let processes: u64 = {
            let table = lock(&self.table);
            table
                .processes
                .values()
                .filter_map(|state| state.as_resident())
                .map(|resident| resident.rss_kib)
                .sum()
        };
        // Linux counts in pages.
        let pages = |kib: u64| kib / 4 * 4;
        let held = pages(processes * 6 / 10 + self.memory.used() / 1024 + total / 40);
        let drift = self.uptime().as_secs() / 7 % 2048;
        let cached = pages(total / 5) + drift * 4;
        let buffers = pages(total / 60 + drift);
        let shared = pages(total / 700);
        let used = (held + buffers + cached).min(total);
        let free = total - used;
        MemoryUse {
            total,
            free,
            available: free + pages((cached + buffers) * 9 / 10),
            buffers,
            cached,
            shared,
        }
    }

    /// The load averages, in hundredths: what users compute, and a little for the daemons.
    pub(crate) fn load(&self) -> [u32; 3] {
        let [one, five, fifteen] = self.load.hundredths(self.clock.monotonic());
        let wave = u32::try_from(self.uptime().as_secs() / 60 % 7).unwrap_or(0);
        [one + wave % 4, five + wave % 3 + 1, fifteen + 1]
    }
}

/// KiB of a huge page.
const HUGE_PAGE_KIB: u64 = 2048;

fn meminfo(kernel: &Kernel) -> Vec<u8> {
    let memory = kernel.memory_use();
    let swap = kernel.facts.swap_total_kib;
    let active = memory.cached / 2;
    let rows = [
        ("MemTotal", memory.total),
        ("MemFree", memory.free),
        ("MemAvailable", memory.available),
        ("Buffers", memory.buffers),
        ("Cached", memory.cached - memory.cached / 12),
        ("SwapCached", 0),
        ("Active", active),
        ("Inactive", memory.cached),
        ("Active(anon)", memory.shared),
        ("Inactive(anon)", memory.total / 30),
        ("Active(file)", active - memory.shared.min(active)),
        ("Inactive(file)", memory.cached - memory.total / 30),
        ("Unevictable", 0),
        ("Mlocked", 0),
        ("SwapTotal", swap),
        ("SwapFree", swap),
        ("Zswap", 0),
        ("Zswapped", 0),
        ("Dirty", 48),
        ("Writeback", 0),
        ("AnonPages", memory.total / 31),
        ("Mapped", memory.total / 40),
        ("Shmem", memory.shared),
        ("KReclaimable", memory.cached / 12),
        ("Slab", memory.cached / 8),
        ("SReclaimable", memory.cached / 12),
        ("SUnreclaim", memory.cached / 24),
        ("KernelStack", 2304),
        ("PageTables", 1920),
        ("CommitLimit", memory.total / 2 + swap),
        ("Committed_AS", memory.total / 9),
        ("VmallocTotal", 34_359_738_367),
        ("VmallocUsed", 9876),
        ("VmallocChunk", 0),
        ("Percpu", 1056),
        ("HardwareCorrupted", 0),
        (
            "AnonHugePages",
            memory.total / 90 / HUGE_PAGE_KIB * HUGE_PAGE_KIB,
        ),
        ("ShmemHugePages", 0),
        ("ShmemPmdMapped", 0),
        ("FileHugePages", 0),
        ("FilePmdMapped", 0),
    ];
    let mut out = String::new();
    for (name, kib) in rows {
        // But for the room for addresses, which is one short, all is whole pages.
        let kib = if name == "VmallocTotal" {
            kib
        } else {
            kib / 4 * 4
        };
        let _infallible = writeln!(out, "{:<15} {kib:>8} kB", format!("{name}:"));
    }
    let wanted = super::setting(kernel, "sys/vm/nr_hugepages");
    let wanted: u64 = std::str::from_utf8(wanted.trim_ascii())
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    // Linux gives what it can; half of the memory is not what it can.
    let pages = wanted.min(memory.total / 2 / HUGE_PAGE_KIB);
    let infallible = write!(
        out,
        "HugePages_Total:   {pages:>5}\nHugePages_Free:    {pages:>5}\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       {HUGE_PAGE_KIB} kB\nHugetlb:        {:>8} kB\n",
        pages * HUGE_PAGE_KIB
    );
    infallible.unwrap_or_default();
    out.into_bytes()
}

fn loadavg(kernel: &Kernel) -> Vec<u8> {
    let load = kernel
        .load()
        .map(|hundredths| format!("{}.{:02}", hundredths / 100, hundredths % 100));
    let table = lock(&kernel.table);
    let (count, last) = (table.processes.len(), table.last_pid());
    let running = kernel.load.ready() + 1;
    format!("{} {running}/{count} {last}\n", load.join(" ")).into_bytes()
}

fn stat(kernel: &Kernel) -> Vec<u8> {
    let cpus = u64::from(kernel.facts.cpu.count.max(1));
    let ticks = u64::try_from(kernel.uptime().as_millis() / 10).unwrap_or(0);
    let busy = ticks / 200;
    // What users computed, as `/proc/PID/stat` divides it; on the first processor what cannot be shared out.
    let own = used_ticks(kernel);
    let row = |share: u64, own: u64| {
        let (user, system, iowait) = (busy * 2 * share, busy * share, busy / 4 * share);
        let (user, system) = (user + own - own / 3, system + own / 3);
        let idle = (ticks * share).saturating_sub(user + system + iowait);
        format!(
            "{user} 0 {system} {idle} {iowait} 0 {} 0 0 0",
            busy / 16 * share
        )
    };
    let mut out = format!("cpu  {}\n", row(cpus, own));
    for cpu in 0..cpus {
        let rest = if cpu == 0 { own % cpus } else { 0 };
        let _infallible = writeln!(out, "cpu{cpu} {}", row(1, own / cpus + rest));
    }
    let forks = lock(&kernel.table).forks;
    let running = kernel.load.ready() + 1;
    let _infallible = write!(
        out,
        "intr {} 0 9 0 0 0\nctxt {}\nbtime {}\nprocesses {forks}\nprocs_running {running}\nprocs_blocked 0\n",
        ticks * 11 + own,
        ticks * 23 + own * 2,
        kernel.facts.boot_time.secs,
    );
    out.into_bytes()
}

/// CPU time that users' processes have used, in clock ticks of 10 ms.
fn used_ticks(kernel: &Kernel) -> u64 {
    kernel.cpu_used.load(std::sync::atomic::Ordering::Relaxed) / 10_000_000
}

fn uptime(kernel: &Kernel) -> Vec<u8> {
    let up = kernel.uptime().as_secs_f64();
    let used = Duration::from_millis(used_ticks(kernel) * 10).as_secs_f64();
    let idle = up * f64::from(kernel.facts.cpu.count.max(1)) * 0.985 - used;
    format!("{up:.2} {idle:.2}\n").into_bytes()
}

fn version(kernel: &Kernel) -> Vec<u8> {
    let facts = &kernel.facts;
    [
        b"Linux version ".as_slice(),
        &facts.kernel_release,
        b" ",
        &facts.kernel_builder,
        b" ",
        &facts.kernel_version,
        b"\n",
    ]
    .concat()
}

fn uuid(high: u64, low: u64) -> Vec<u8> {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}\n",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48 & 0x3fff),
        low & 0xffff_ffff_ffff
    )
    .into_bytes()
}

fn boot_id(kernel: &Kernel) -> Vec<u8> {
    let boot = kernel.facts.boot_time;
    let high = (boot.secs.unsigned_abs() ^ u64::from(boot.nanos) << 32)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    uuid(
        high,
        high.rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9),
    )
}

fn random_uuid(kernel: &Kernel) -> Vec<u8> {
    uuid(kernel.random(), kernel.random())
}
