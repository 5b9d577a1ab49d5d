//! What the kernel of a virtual PC says when it comes up.

use sundew_kernel::facts::Facts;

use super::{Line, banner, text};

/// What it says when it comes up.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the kernel"
)]
pub(super) fn messages(facts: &Facts, command_line: &str) -> Vec<Line> {
    let cpu = &facts.cpu;
    let total = facts.memory_total_kib;
    // What the kernel keeps for itself before it counts.
    let installed = (total + total / 40).next_multiple_of(128 * 1024);
    let disk = facts.disks.first();
    let device = disk.map_or_else(
        || "vda1".to_owned(),
        |disk| text(disk.device.strip_prefix(b"/dev/").unwrap_or(&disk.device)),
    );
    let whole = device
        .trim_end_matches(|letter: char| letter.is_ascii_digit())
        .to_owned();
    let sectors = disk.map_or(0, |disk| disk.total_kib * 2 + 2048);
    let name = facts
        .interfaces
        .get(1)
        .map_or_else(|| "eth0".to_owned(), |interface| text(&interface.name));
    let mut out = Vec::new();
    let mut add = |micros: u64, words: String| out.push((micros, false, words));
    add(0, banner(facts));
    add(0, format!("Command line: {command_line}"));
    add(0, "BIOS-provided physical RAM map:".to_owned());
    add(
        0,
        "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable".to_owned(),
    );
    add(
        0,
        "BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved".to_owned(),
    );
    add(
        0,
        "BIOS-e820: [mem 0x00000000000f0000-0x00000000000fffff] reserved".to_owned(),
    );
    add(
        0,
        format!(
            "BIOS-e820: [mem 0x0000000000100000-0x{:016x}] usable",
            (installed * 1024).saturating_sub(0x24001)
        ),
    );
    add(0, "NX (Execute Disable) protection: active".to_owned());
    add(0, "SMBIOS 2.8 present.".to_owned());
    add(
        0,
        "DMI: QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014"
            .to_owned(),
    );
    add(0, "Hypervisor detected: KVM".to_owned());
    add(0, "kvm-clock: Using msrs 4b564d01 and 4b564d00".to_owned());
    add(
        3,
        "kvm-clock: using sched offset of 4128366013 cycles".to_owned(),
    );
    add(6, "clocksource: kvm-clock: mask: 0xffffffffffffffff max_cycles: 0x1cd42e4dffb, max_idle_ns: 881590591483 ns".to_owned());
    add(
        11,
        format!(
            "tsc: Detected {}.{:03} MHz processor",
            cpu.khz / 1000,
            cpu.khz % 1000
        ),
    );
    add(1_402, "Using GB pages for direct mapping".to_owned());
    add(
        9_871,
        "ACPI: Early table checksum verification disabled".to_owned(),
    );
    add(17_310, "No NUMA configuration found".to_owned());
    add(
        45_113,
        format!("smpboot: Allowing {} CPUs, 0 hotplug CPUs", cpu.count),
    );
    add(45_210, "Booting paravirtualized kernel on KVM".to_owned());
    add(52_007, format!("Kernel command line: {command_line}"));
    add(
        68_414,
        format!(
            "Memory: {}K/{installed}K available (14342K kernel code, 2332K rwdata, 9056K rodata, 2796K init, 17388K bss, {}K reserved, 0K cma-reserved)",
            total.saturating_sub(81_920),
            installed.saturating_sub(total)
        ),
    );
    add(
        120_562,
        "Mount-cache hash table entries: 8192 (order: 4, 65536 bytes, linear)".to_owned(),
    );
    add(
        121_004,
        "x86/cpu: User Mode Instruction Prevention (UMIP) activated".to_owned(),
    );
    add(
        234_908,
        format!(
            "smpboot: CPU0: {} (family: 0x{:x}, model: 0x{:x}, stepping: 0x{:x})",
            text(&cpu.model_name),
            cpu.family,
            cpu.model,
            cpu.stepping
        ),
    );
    add(236_121, "smp: Bringing up secondary CPUs ...".to_owned());
    add(
        240_388,
        format!(
            "smp: Brought up 1 node, {} CPU{}",
            cpu.count,
            if cpu.count == 1 { "" } else { "s" }
        ),
    );
    add(
        262_740,
        "NET: Registered PF_NETLINK/PF_ROUTE protocol family".to_owned(),
    );
    add(
        301_955,
        "PCI: Using configuration type 1 for base access".to_owned(),
    );
    add(402_119, "SCSI subsystem initialized".to_owned());
    add(
        689_240,
        "Trying to unpack rootfs image as initramfs...".to_owned(),
    );
    add(1_288_301, "Freeing initrd memory: 39548K".to_owned());
    add(1_402_557, "Run /init as init process".to_owned());
    add(
        1_611_840,
        format!(
            "virtio_blk virtio2: [{whole}] {sectors} 512-byte logical blocks ({:.1} GB/{:.1} GiB)",
            gigabytes(sectors, 1e9),
            gigabytes(sectors, 1_073_741_824.0)
        ),
    );
    add(1_618_032, format!(" {whole}: {device}"));
    if name != "eth0" {
        add(
            1_650_781,
            format!("virtio_net virtio0 {name}: renamed from eth0"),
        );
    }
    add(
        2_204_190,
        format!("EXT4-fs ({device}): mounted filesystem with ordered data mode. Quota mode: none."),
    );
    add(2_518_602, "systemd[1]: systemd 252.39-1~deb12u1 running in system mode (+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified)".to_owned());
    add(
        2_518_690,
        "systemd[1]: Detected virtualization kvm.".to_owned(),
    );
    add(
        2_518_701,
        "systemd[1]: Detected architecture x86-64.".to_owned(),
    );
    add(
        2_521_466,
        format!("systemd[1]: Hostname set to <{}>.", text(&facts.hostname)),
    );
    add(
        3_302_118,
        format!("EXT4-fs ({device}): re-mounted. Quota mode: none."),
    );
    add(
        3_604_229,
        "systemd-journald[231]: Received client request to flush runtime journal.".to_owned(),
    );
    add(
        4_011_876,
        "input: Power Button as /devices/LNXSYSTM:00/LNXPWRBN:00/input/input4".to_owned(),
    );
    out
}

#[expect(
    clippy::cast_precision_loss,
    reason = "shown with one place behind the point"
)]
fn gigabytes(sectors: u64, unit: f64) -> f64 {
    sectors as f64 * 512.0 / unit
}
