//! What the kernel of an ARM board with a flash memory says when it comes up.

use sundew_kernel::facts::Facts;

use super::{Line, banner, text};

/// Microseconds after boot, whether it is a warning, and the words.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the kernel"
)]
pub(super) fn messages(facts: &Facts, command_line: &str) -> Vec<Line> {
    let cpus = facts.cpu.count;
    let total = facts.memory_total_kib;
    // The kernel's own text and data are not counted as memory.
    let installed = (total + 8192).next_multiple_of(128 * 1024);
    let reserved = installed - total;
    let bogomips = f64::from(cpus) * 50.0;
    let mut out = Vec::new();
    let mut add = |micros: u64, words: String| out.push((micros, false, words));
    add(0, "Booting Linux on physical CPU 0x0".to_owned());
    add(0, banner(facts));
    add(
        0,
        "CPU: ARMv7 Processor [410fc075] revision 5 (ARMv7), cr=10c5387d".to_owned(),
    );
    add(
        0,
        "CPU: div instructions available: patching division code".to_owned(),
    );
    add(
        0,
        "CPU: PIPT / VIPT nonaliasing data cache, VIPT aliasing instruction cache".to_owned(),
    );
    add(
        0,
        "OF: fdt:Machine model: Hisilicon HI3516DV300 DEMO Board".to_owned(),
    );
    add(0, "Memory policy: Data cache writealloc".to_owned());
    add(0, "CPU: All CPU(s) started in SVC mode.".to_owned());
    add(
        0,
        format!(
            "percpu: Embedded 14 pages/cpu @{:x} s27404 r8192 d21748 u57344",
            0xc7ef_3000_u32
        ),
    );
    add(
        0,
        format!(
            "Built 1 zonelists in Zone order, mobility grouping on.  Total pages: {}",
            installed / 4 - installed / 512
        ),
    );
    add(0, format!("Kernel command line: {command_line}"));
    add(
        0,
        "PID hash table entries: 512 (order: -1, 2048 bytes)".to_owned(),
    );
    add(
        0,
        "Dentry cache hash table entries: 16384 (order: 4, 65536 bytes)".to_owned(),
    );
    add(
        0,
        "Inode-cache hash table entries: 8192 (order: 3, 32768 bytes)".to_owned(),
    );
    add(
        0,
        format!(
            "Memory: {}K/{installed}K available (5120K kernel code, 183K rwdata, 1284K rodata, 1024K init, 311K bss, {reserved}K reserved, 0K cma-reserved, 0K highmem)",
            total - 1204
        ),
    );
    add(0, "Virtual kernel memory layout:".to_owned());
    for line in [
        "    vector  : 0xffff0000 - 0xffff1000   (   4 kB)",
        "    fixmap  : 0xffc00000 - 0xfff00000   (3072 kB)",
        "    vmalloc : 0xc8800000 - 0xff800000   ( 880 MB)",
        "    lowmem  : 0xc0000000 - 0xc8000000   ( 128 MB)",
        "    pkmap   : 0xbfe00000 - 0xc0000000   (   2 MB)",
        "    modules : 0xbf000000 - 0xbfe00000   (  14 MB)",
        "      .text : 0xc0008000 - 0xc0600000   (6112 kB)",
        "      .init : 0xc0800000 - 0xc0900000   (1024 kB)",
        "      .data : 0xc0900000 - 0xc092dc60   ( 184 kB)",
        "       .bss : 0xc0930000 - 0xc097dd9c   ( 312 kB)",
    ] {
        add(0, line.to_owned());
    }
    add(
        0,
        format!("SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs={cpus}, Nodes=1"),
    );
    add(0, "Hierarchical RCU implementation.".to_owned());
    add(0, "NR_IRQS:16 nr_irqs:16 16".to_owned());
    add(0, "Gic dist init...".to_owned());
    add(
        0,
        "arm_arch_timer: Architected cp15 timer(s) running at 50.00MHz (phys).".to_owned(),
    );
    add(
        5,
        "sched_clock: 56 bits at 50MHz, resolution 20ns, wraps every 4398046511100ns".to_owned(),
    );
    add(
        17,
        "Switching to timer-based delay loop, resolution 20ns".to_owned(),
    );
    add(1_182, "Console: colour dummy device 80x30".to_owned());
    add(
        1_217,
        "Calibrating delay loop (skipped), value calculated using timer frequency.. 100.00 BogoMIPS (lpj=500000)".to_owned(),
    );
    add(1_241, "pid_max: default: 32768 minimum: 301".to_owned());
    add(
        1_389,
        "Mount-cache hash table entries: 1024 (order: 0, 4096 bytes)".to_owned(),
    );
    add(2_116, "CPU: Testing write buffer coherency: ok".to_owned());
    add(
        2_483,
        "CPU0: thread -1, cpu 0, socket 0, mpidr 80000000".to_owned(),
    );
    add(
        2_874,
        "Setting up static identity map for 0x80100000 - 0x80100058".to_owned(),
    );
    for cpu in 1..cpus {
        add(
            6_300 + u64::from(cpu) * 4_021,
            format!("CPU{cpu}: thread -1, cpu {cpu}, socket 0, mpidr 8000000{cpu}"),
        );
    }
    add(10_933, format!("Brought up {cpus} CPUs"));
    add(
        10_947,
        format!("SMP: Total of {cpus} processors activated ({bogomips:.2} BogoMIPS)."),
    );
    add(10_953, "CPU: All CPU(s) started in SVC mode.".to_owned());
    add(11_902, "devtmpfs: initialized".to_owned());
    add(
        14_606,
        "VFP support v0.3: implementor 41 architecture 2 part 30 variant 7 rev 5".to_owned(),
    );
    add(
        14_917,
        "clocksource: jiffies: mask: 0xffffffff max_cycles: 0xffffffff, max_idle_ns: 19112604462750000 ns".to_owned(),
    );
    add(
        14_934,
        "futex hash table entries: 512 (order: 3, 32768 bytes)".to_owned(),
    );
    add(
        15_093,
        "pinctrl core: initialized pinctrl subsystem".to_owned(),
    );
    add(15_824, "NET: Registered protocol family 16".to_owned());
    add(
        16_250,
        "DMA: preallocated 256 KiB pool for atomic coherent allocations".to_owned(),
    );
    add(41_120, "Serial: AMBA PL011 UART driver".to_owned());
    add(
        41_702,
        "120a0000.uart: ttyAMA0 at MMIO 0x120a0000 (irq = 28, base_baud = 0) is a PL011 rev2"
            .to_owned(),
    );
    add(242_118, "console [ttyAMA0] enabled".to_owned());
    add(258_804, "SCSI subsystem initialized".to_owned());
    add(
        261_507,
        "usbcore: registered new interface driver usbfs".to_owned(),
    );
    add(266_940, "media: Linux media interface: v0.10".to_owned());
    add(267_331, "Linux video capture interface: v2.00".to_owned());
    add(
        272_085,
        "clocksource: Switched to clocksource arch_sys_counter".to_owned(),
    );
    add(284_613, "NET: Registered protocol family 2".to_owned());
    add(
        285_190,
        "TCP established hash table entries: 1024 (order: 0, 4096 bytes)".to_owned(),
    );
    add(
        285_211,
        "TCP bind hash table entries: 1024 (order: 1, 8192 bytes)".to_owned(),
    );
    add(
        285_236,
        "TCP: Hash tables configured (established 1024 bind 1024)".to_owned(),
    );
    add(
        285_301,
        "UDP hash table entries: 256 (order: 1, 8192 bytes)".to_owned(),
    );
    add(285_494, "NET: Registered protocol family 1".to_owned());
    add(
        293_710,
        "workingset: timestamp_bits=30 max_order=15 bucket_order=0".to_owned(),
    );
    add(
        309_114,
        "jffs2: version 2.2. (NAND) (SUMMARY)  \u{a9} 2001-2006 Red Hat, Inc.".to_owned(),
    );
    add(322_806, "io scheduler noop registered".to_owned());
    add(
        322_819,
        "io scheduler deadline registered (default)".to_owned(),
    );
    add(337_012, "brd: module loaded".to_owned());
    add(
        341_705,
        "hisi-sfc hisi_spi_nor.0: SPI Nor ID Table Version 1.0".to_owned(),
    );
    add(
        344_190,
        "hisi-sfc hisi_spi_nor.0: mx25l25635f (Chipsize 32 Mbytes, Blocksize 64KiB)".to_owned(),
    );
    add(
        344_220,
        format!(
            "{} cmdlinepart partitions found on MTD device hi_sfc",
            facts.flash.len()
        ),
    );
    add(
        344_236,
        format!(
            "Creating {} MTD partitions on \"hi_sfc\":",
            facts.flash.len()
        ),
    );
    let mut start = 0;
    for (number, part) in (0_u64..).zip(&facts.flash) {
        let end = start + part.kib * 1024;
        add(
            344_260 + number * 590,
            format!("0x{start:012x}-0x{end:012x} : \"{}\"", text(&part.name)),
        );
        start = end;
    }
    add(352_004, "libphy: Fixed MDIO Bus: probed".to_owned());
    add(361_177, "libphy: hisi_femac_mii_bus: probed".to_owned());
    add(374_603, "libphy: hisi_femac_mii_bus: probed".to_owned());
    add(
        400_915,
        "hisi-femac 10040000.ethernet eth0: using random or U-Boot MAC address".to_owned(),
    );
    add(
        409_126,
        "ehci_hcd: USB 2.0 'Enhanced' Host Controller (EHCI) Driver".to_owned(),
    );
    add(
        413_808,
        "mousedev: PS/2 mouse device common for all mice".to_owned(),
    );
    add(416_390, "i2c /dev entries driver".to_owned());
    add(
        420_713,
        "hibvt_rtc 120e0000.rtc: rtc core: registered 120e0000.rtc as rtc0".to_owned(),
    );
    add(431_207, "NET: Registered protocol family 17".to_owned());
    add(432_640, "ThumbEE CPU extension supported.".to_owned());
    add(433_005, "Registering SWP/SWPB emulation handler".to_owned());
    let root = facts.disks.first().map_or("mtdblock3", |_| "31:3");
    add(
        1_206_431,
        format!("VFS: Mounted root (jffs2 filesystem) on device {root}."),
    );
    add(1_209_120, "devtmpfs: mounted".to_owned());
    add(
        1_211_874,
        "Freeing unused kernel memory: 1024K (c0800000 - c0900000)".to_owned(),
    );
    add(
        2_914_006,
        "hi_osal: loading out-of-tree module taints kernel.".to_owned(),
    );
    add(2_927_633, "hi_osal 1.0 init success!".to_owned());
    add(2_961_440, "sys: Module sys init ok".to_owned());
    add(3_104_227, "vi: load vi.ko for Hi3516CV500 OK!".to_owned());
    add(3_180_905, "isp: load isp.ko for Hi3516CV500 OK!".to_owned());
    add(
        3_240_117,
        "hi_tempsensor: temperature sensor initialised".to_owned(),
    );
    add(
        3_811_504,
        "Generic PHY 10041100.mdio:01: attached PHY driver [Generic PHY] (mii_bus:phy_addr=10041100.mdio:01, irq=-1)".to_owned(),
    );
    add(
        5_411_302,
        "hisi-femac 10040000.ethernet eth0: Link is Up - 100Mbps/Full - flow control off"
            .to_owned(),
    );
    out
}
