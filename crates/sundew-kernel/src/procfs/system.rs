//! What `/proc` says of disks, interrupts and memory: proc(5).

use std::fmt::Write as _;

use crate::lock;
use crate::machine::Kernel;

/// The partitions of the machine's disks: major, minor, size in KiB, name; the whole disk first.
fn partitions_of(kernel: &Kernel) -> Vec<(u32, usize, u64, String)> {
    let mut rows = Vec::new();
    for (number, part) in kernel.facts.flash.iter().enumerate() {
        rows.push((31, number, part.kib, format!("mtdblock{number}")));
    }
    if !rows.is_empty() {
        return rows;
    }
    for (number, disk) in kernel.facts.disks.iter().enumerate() {
        let name = disk.device.strip_prefix(b"/dev/").unwrap_or(&disk.device);
        let name = String::from_utf8_lossy(name).into_owned();
        let whole = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let major = match whole.get(..2) {
            Some("vd") => 254,
            Some("xv") => 202,
            _ => 8,
        };
        // The table of partitions and what is left free in front of the first.
        let kib = disk.total_kib + disk.inodes / 4 + 133_120;
        // Disks are made in whole GiB.
        let disk_kib = (kib + 1024).next_multiple_of(1 << 20);
        rows.push((major, number * 16, disk_kib, whole.to_owned()));
        rows.push((major, number * 16 + 1, kib, name));
    }
    rows
}

pub(super) fn partitions(kernel: &Kernel) -> Vec<u8> {
    let mut out = "major minor  #blocks  name\n\n".to_owned();
    for (major, minor, kib, name) in partitions_of(kernel) {
        // Writing to a String cannot fail.
        let _infallible = writeln!(out, "{major:>4} {minor:>8} {kib:>10} {name}");
    }
    out.into_bytes()
}

/// Reads and writes since boot: those of the boot, and then a trickle.
pub(super) fn diskstats(kernel: &Kernel) -> Vec<u8> {
    let seconds = kernel.uptime().as_secs();
    let mut out = String::new();
    for (major, minor, _, name) in partitions_of(kernel) {
        let (reads, writes) = (14_210 + seconds / 40, 2_900 + seconds / 3);
        let _infallible = writeln!(
            out,
            "{major:>4} {minor:>7} {name} {reads} 4120 {} {} {writes} {} {} {} 0 {} {} 0 0 0 0 {} {}",
            reads * 52,
            reads * 2 / 5,
            writes * 9 / 10,
            writes * 21,
            writes * 3 / 2,
            writes,
            reads * 2 / 5 + writes * 3 / 2,
            writes / 4,
            writes / 9
        );
    }
    out.into_bytes()
}

pub(super) fn swaps(kernel: &Kernel) -> Vec<u8> {
    let mut out = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_owned();
    if kernel.facts.swap_total_kib > 0 {
        let kib = kernel.facts.swap_total_kib;
        let _infallible = writeln!(out, "{:<40}file\t\t{kib}\t\t0\t\t-2", "/swapfile");
    }
    out.into_bytes()
}

pub(super) fn mtd(kernel: &Kernel) -> Vec<u8> {
    let mut out = "dev:    size   erasesize  name\n".to_owned();
    for (number, part) in kernel.facts.flash.iter().enumerate() {
        let name = String::from_utf8_lossy(&part.name);
        let _infallible = writeln!(
            out,
            "mtd{number}: {:08x} 00010000 \"{name}\"",
            part.kib * 1024
        );
    }
    out.into_bytes()
}

pub(super) fn interrupts(kernel: &Kernel) -> Vec<u8> {
    let cpus = u64::from(kernel.facts.cpu.count.max(1));
    let seconds = kernel.uptime().as_secs();
    let mut out = "    ".to_owned();
    for cpu in 0..cpus {
        let _infallible = write!(out, "       CPU{cpu:<4}");
    }
    out = format!("{}\n", out.trim_end());
    let rows: &[(&str, u64, &str)] = if kernel.facts.flash.is_empty() {
        &[
            ("0", 0, "IO-APIC   2-edge      timer"),
            ("1", 0, "IO-APIC   1-edge      i8042"),
            ("8", 0, "IO-APIC   8-edge      rtc0"),
            ("9", 0, "IO-APIC   9-fasteoi   acpi"),
            ("24", 3, "PCI-MSI 65536-edge      virtio0-input.0"),
            ("25", 2, "PCI-MSI 65537-edge      virtio0-output.0"),
            ("26", 5, "PCI-MSI 81920-edge      virtio1-req.0"),
            ("LOC", 60, "Local timer interrupts"),
            ("RES", 4, "Rescheduling interrupts"),
            ("CAL", 2, "Function call interrupts"),
            ("TLB", 1, "TLB shootdowns"),
        ]
    } else {
        &[
            ("16", 100, "GIC-0  29 Edge      arch_timer"),
            ("22", 1, "GIC-0  38 Level     uart-pl011"),
            ("30", 9, "GIC-0  64 Level     eth0"),
            ("45", 25, "GIC-0  75 Level     VI_PROC0"),
            ("46", 25, "GIC-0  76 Level     VPSS"),
            ("47", 25, "GIC-0  77 Level     VEDU"),
        ]
    };
    for (name, rate, text) in rows {
        let _infallible = write!(out, "{name:>4}:");
        for cpu in 0..cpus {
            let count = seconds * rate / (cpu + 1) + 3 * rate;
            let _infallible = write!(out, " {count:>10}");
        }
        let _infallible = writeln!(out, "   {text}");
    }
    out.into_bytes()
}

pub(super) fn vmstat(kernel: &Kernel) -> Vec<u8> {
    let memory = kernel.memory_use();
    let seconds = kernel.uptime().as_secs();
    let forks = lock(&kernel.table).forks;
    let mut out = String::new();
    for (name, value) in [
        ("nr_free_pages", memory.free / 4),
        ("nr_zone_inactive_anon", memory.total / 120),
        ("nr_zone_active_anon", memory.shared / 4),
        ("nr_zone_inactive_file", memory.cached / 4),
        ("nr_zone_active_file", memory.cached / 8),
        ("nr_zone_unevictable", 0),
        ("nr_mlock", 0),
        ("nr_inactive_anon", memory.total / 120),
        ("nr_active_anon", memory.shared / 4),
        ("nr_inactive_file", memory.cached / 4),
        ("nr_active_file", memory.cached / 8),
        ("nr_slab_reclaimable", memory.cached / 48),
        ("nr_slab_unreclaimable", memory.cached / 96),
        ("nr_mapped", memory.total / 160),
        ("nr_file_pages", (memory.cached + memory.buffers) / 4),
        ("nr_dirty", 12),
        ("nr_writeback", 0),
        ("nr_shmem", memory.shared / 4),
        ("nr_kernel_stack", 2304),
        ("nr_page_table_pages", 480),
        ("pgpgin", 740_000 + seconds / 2),
        ("pgpgout", 31_000 + seconds * 4),
        ("pswpin", 0),
        ("pswpout", 0),
        ("pgalloc_normal", 900_000 + seconds * 31 + forks * 210),
        ("pgfree", 910_000 + seconds * 31 + forks * 210),
        ("pgfault", 1_400_000 + seconds * 47 + forks * 320),
        ("pgmajfault", 2_104 + seconds / 900),
        ("oom_kill", 0),
    ] {
        let _infallible = writeln!(out, "{name} {value}");
    }
    out.into_bytes()
}
