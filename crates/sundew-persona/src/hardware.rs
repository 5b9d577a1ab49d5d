//! What servers are made of: processors, sizes, hypervisors, and the kernels Debian 12 had.

/// One kernel of Debian 12.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel {
    /// The number in `6.1.0-NN-amd64`.
    abi: u32,
    /// The version of the package.
    package: &'static str,
    /// The day of its changelog entry, as `uname -v` shows it.
    date: &'static str,
    /// The same in seconds since 1970.
    pub(crate) uploaded: i64,
}

impl Kernel {
    /// `uname -r`.
    pub(crate) fn release(self) -> String {
        format!("6.1.0-{}-amd64", self.abi)
    }

    /// `uname -v`.
    pub(crate) fn version(self) -> String {
        format!(
            "#1 SMP PREEMPT_DYNAMIC Debian {} ({})",
            self.package, self.date
        )
    }

    /// The version of the packages `linux-image-…`.
    pub(crate) fn package(self) -> &'static str {
        self.package
    }

    /// The compiler in `/proc/version`.
    pub(crate) fn builder(self) -> String {
        // The compiler was updated with 12.11.
        let gcc = if self.uploaded < 1_747_000_000 {
            "12.2.0-14"
        } else {
            "12.2.0-14+deb12u1"
        };
        format!(
            "(debian-kernel@lists.debian.org) (gcc-12 (Debian {gcc}) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40)"
        )
    }
}

const fn kernel(abi: u32, package: &'static str, date: &'static str, uploaded: i64) -> Kernel {
    Kernel {
        abi,
        package,
        date,
        uploaded,
    }
}

/// Oldest first; from the package's changelog.
pub(crate) const KERNELS: &[Kernel] = &[
    kernel(18, "6.1.76-1", "2024-02-01", 1_706_745_600),
    kernel(20, "6.1.85-1", "2024-04-11", 1_712_793_600),
    kernel(21, "6.1.90-1", "2024-05-03", 1_714_694_400),
    kernel(22, "6.1.94-1", "2024-06-21", 1_718_928_000),
    kernel(23, "6.1.99-1", "2024-07-15", 1_721_001_600),
    kernel(25, "6.1.106-3", "2024-08-26", 1_724_630_400),
    kernel(26, "6.1.112-1", "2024-09-30", 1_727_654_400),
    kernel(27, "6.1.115-1", "2024-11-01", 1_730_419_200),
    kernel(28, "6.1.119-1", "2024-11-22", 1_732_233_600),
    kernel(29, "6.1.123-1", "2025-01-02", 1_735_776_000),
    kernel(30, "6.1.124-1", "2025-01-12", 1_736_640_000),
    kernel(31, "6.1.128-1", "2025-02-07", 1_738_886_400),
    kernel(32, "6.1.129-1", "2025-03-06", 1_741_219_200),
    kernel(33, "6.1.133-1", "2025-04-10", 1_744_243_200),
    kernel(34, "6.1.135-1", "2025-04-25", 1_745_539_200),
    kernel(35, "6.1.137-1", "2025-05-07", 1_746_576_000),
    kernel(37, "6.1.140-1", "2025-05-22", 1_747_872_000),
    kernel(38, "6.1.147-1", "2025-08-02", 1_754_092_800),
    kernel(39, "6.1.148-1", "2025-08-26", 1_756_166_400),
    kernel(40, "6.1.153-1", "2025-09-20", 1_758_326_400),
    kernel(41, "6.1.158-1", "2025-11-09", 1_762_646_400),
    kernel(47, "6.1.170-3", "2026-05-08", 1_778_198_400),
    kernel(48, "6.1.172-1", "2026-05-15", 1_778_803_200),
    kernel(49, "6.1.174-1", "2026-05-26", 1_779_753_600),
    kernel(50, "6.1.176-1", "2026-07-02", 1_782_950_400),
    kernel(51, "6.1.177-1", "2026-07-16", 1_784_160_000),
    kernel(52, "6.1.180-1", "2026-08-03", 1_785_715_200),
    kernel(53, "6.1.187-1", "2026-09-07", 1_788_739_200),
    kernel(54, "6.1.190-1", "2026-10-16", 1_792_108_800),
    kernel(55, "6.1.192-1", "2026-11-14", 1_794_614_400),
    kernel(56, "6.1.192-2", "2026-11-16", 1_794_787_200),
];

/// A hypervisor and what its guests see.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) disk: &'static str,
    pub(crate) network: &'static str,
    pub(crate) mac_prefix: [u8; 3],
    pub(crate) mtu: u32,
    /// `Some(true)` if its hosts are AMD's.
    pub(crate) amd: Option<bool>,
    /// DMI strings.
    pub(crate) vendor: &'static str,
    pub(crate) product: &'static str,
    pub(crate) bios: &'static str,
}

impl Platform {
    /// `/proc/modules`: what drives this hardware, and what every server has loaded.
    pub(crate) fn modules(&self) -> String {
        let drivers: &[(&str, u32, &str)] = match self.disk {
            "vda" => &[
                ("virtio_net", 73_728, "-"),
                ("net_failover", 24_576, "virtio_net,"),
                ("failover", 16_384, "net_failover,"),
                ("virtio_blk", 28_672, "-"),
            ],
            "xvda" => &[("xen_netfront", 53_248, "-"), ("xen_blkfront", 53_248, "-")],
            _ if self.network == "ens192" => {
                &[("vmxnet3", 73_728, "-"), ("vmw_pvscsi", 32_768, "-")]
            }
            _ => &[
                ("virtio_net", 73_728, "-"),
                ("net_failover", 24_576, "virtio_net,"),
                ("failover", 16_384, "net_failover,"),
                ("virtio_scsi", 28_672, "-"),
            ],
        };
        let mut text = String::new();
        for (name, bytes, users) in drivers.iter().chain(MODULES) {
            let count = users.matches(',').count().max(usize::from(
                *users == "-" && matches!(*name, "ext4" | "virtio_blk" | "virtio_scsi"),
            ));
            text += &format!("{name} {bytes} {count} {users} Live 0x0000000000000000\n");
        }
        text
    }
}

/// Name, size, users.
const MODULES: &[(&str, u32, &str)] = &[
    ("intel_rapl_msr", 20_480, "-"),
    ("intel_rapl_common", 32_768, "intel_rapl_msr,"),
    ("ghash_clmulni_intel", 16_384, "-"),
    ("aesni_intel", 393_216, "-"),
    ("crypto_simd", 16_384, "aesni_intel,"),
    ("cryptd", 28_672, "crypto_simd,ghash_clmulni_intel,"),
    ("rapl", 20_480, "-"),
    ("serio_raw", 20_480, "-"),
    ("joydev", 28_672, "-"),
    ("evdev", 28_672, "-"),
    ("button", 24_576, "-"),
    ("fuse", 176_128, "-"),
    ("loop", 32_768, "-"),
    ("dm_mod", 184_320, "-"),
    ("configfs", 57_344, "-"),
    ("ip_tables", 36_864, "-"),
    ("x_tables", 61_440, "ip_tables,"),
    ("autofs4", 53_248, "-"),
    ("ext4", 983_040, "-"),
    ("crc16", 16_384, "ext4,"),
    ("mbcache", 16_384, "ext4,"),
    ("jbd2", 167_936, "ext4,"),
    ("crc32c_generic", 16_384, "-"),
    ("crc32c_intel", 24_576, "-"),
];

pub(crate) const PLATFORMS: &[Platform] = &[
    // OpenStack.
    Platform {
        disk: "vda",
        network: "ens3",
        mac_prefix: [0xfa, 0x16, 0x3e],
        mtu: 1500,
        amd: None,
        vendor: "OpenStack Foundation",
        product: "OpenStack Nova",
        bios: "SeaBIOS",
    },
    // libvirt.
    Platform {
        disk: "vda",
        network: "enp1s0",
        mac_prefix: [0x52, 0x54, 0x00],
        mtu: 1500,
        amd: None,
        vendor: "QEMU",
        product: "Standard PC (Q35 + ICH9, 2009)",
        bios: "SeaBIOS",
    },
    // Proxmox VE.
    Platform {
        disk: "sda",
        network: "ens18",
        mac_prefix: [0xbc, 0x24, 0x11],
        mtu: 1500,
        amd: None,
        vendor: "QEMU",
        product: "Standard PC (i440FX + PIIX, 1996)",
        bios: "SeaBIOS",
    },
    // Hetzner Cloud.
    Platform {
        disk: "sda",
        network: "eth0",
        mac_prefix: [0x96, 0x00, 0x02],
        mtu: 1500,
        amd: Some(true),
        vendor: "Hetzner",
        product: "vServer",
        bios: "Hetzner",
    },
    // VMware.
    Platform {
        disk: "sda",
        network: "ens192",
        mac_prefix: [0x00, 0x50, 0x56],
        mtu: 1500,
        amd: Some(false),
        vendor: "VMware, Inc.",
        product: "VMware Virtual Platform",
        bios: "Phoenix Technologies LTD",
    },
    // Xen.
    Platform {
        disk: "xvda",
        network: "eth0",
        mac_prefix: [0x00, 0x16, 0x3e],
        mtu: 1500,
        amd: Some(false),
        vendor: "Xen",
        product: "HVM domU",
        bios: "Xen",
    },
];

/// A size of server as hosters sell them.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) cpus: u32,
    pub(crate) memory_gib: u64,
    /// What firmware and kernel keep of it.
    pub(crate) memory_reserved_kib: u64,
    pub(crate) disk_gib: u64,
}

pub(crate) const SIZES: &[Size] = &[
    Size {
        cpus: 1,
        memory_gib: 2,
        memory_reserved_kib: 76_400,
        disk_gib: 20,
    },
    Size {
        cpus: 2,
        memory_gib: 2,
        memory_reserved_kib: 81_200,
        disk_gib: 40,
    },
    Size {
        cpus: 2,
        memory_gib: 4,
        memory_reserved_kib: 168_900,
        disk_gib: 40,
    },
    Size {
        cpus: 2,
        memory_gib: 4,
        memory_reserved_kib: 171_300,
        disk_gib: 60,
    },
    Size {
        cpus: 4,
        memory_gib: 8,
        memory_reserved_kib: 243_500,
        disk_gib: 80,
    },
    Size {
        cpus: 4,
        memory_gib: 8,
        memory_reserved_kib: 247_100,
        disk_gib: 160,
    },
    Size {
        cpus: 8,
        memory_gib: 16,
        memory_reserved_kib: 384_200,
        disk_gib: 160,
    },
];

/// A processor.
#[derive(Debug)]
pub(crate) struct CpuModel {
    pub(crate) vendor: &'static str,
    pub(crate) name: &'static str,
    pub(crate) family: u32,
    pub(crate) model: u32,
    pub(crate) stepping: u32,
    pub(crate) microcode: u32,
    pub(crate) khz: u32,
    pub(crate) cache_kib: u32,
    pub(crate) flags: &'static [&'static str],
    pub(crate) bugs: &'static str,
}

impl CpuModel {
    pub(crate) fn amd(&self) -> bool {
        self.family > 20
    }
}

pub(crate) const CPUS: &[CpuModel] = &[
    CpuModel {
        vendor: INTEL,
        name: "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz",
        family: 6,
        model: 79,
        stepping: 1,
        microcode: 0xb00_0040,
        khz: 2_399_998,
        cache_kib: 35_840,
        flags: &[BASE, INTEL_EARLY, AVX2],
        bugs: "cpu_meltdown spectre_v1 spectre_v2 spec_store_bypass l1tf mds swapgs taa itlb_multihit \
               mmio_stale_data bhi",
    },
    CpuModel {
        vendor: INTEL,
        name: "Intel(R) Xeon(R) Gold 6230R CPU @ 2.10GHz",
        family: 6,
        model: 85,
        stepping: 7,
        microcode: 0x500_3605,
        khz: 2_100_000,
        cache_kib: 36_608,
        flags: &[BASE, INTEL_EARLY, AVX2, AVX512, INTEL_LATE],
        bugs: "spectre_v1 spectre_v2 spec_store_bypass swapgs taa mmio_stale_data retbleed eibrs_pbrsb gds bhi",
    },
    CpuModel {
        vendor: INTEL,
        name: "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz",
        family: 6,
        model: 85,
        stepping: 7,
        microcode: 0x500_3901,
        khz: 2_499_998,
        cache_kib: 36_608,
        flags: &[BASE, INTEL_EARLY, AVX2, AVX512, INTEL_LATE],
        bugs: "spectre_v1 spectre_v2 spec_store_bypass mds swapgs itlb_multihit mmio_stale_data retbleed gds bhi",
    },
    CpuModel {
        vendor: INTEL,
        name: "Intel Xeon Processor (Skylake, IBRS)",
        family: 6,
        model: 85,
        stepping: 4,
        microcode: 1,
        khz: 2_294_608,
        cache_kib: 16_384,
        flags: &[BASE, INTEL_EARLY, AVX2, AVX512],
        bugs: "cpu_meltdown spectre_v1 spectre_v2 spec_store_bypass l1tf mds swapgs taa itlb_multihit \
               mmio_stale_data retbleed gds bhi",
    },
    CpuModel {
        vendor: AMD,
        name: "AMD EPYC-Rome Processor",
        family: 23,
        model: 49,
        stepping: 0,
        microcode: 0x100_0065,
        khz: 2_445_406,
        cache_kib: 512,
        flags: &[BASE, AMD_EXTRA, AVX2],
        bugs: "sysret_ss_attrs null_seg spectre_v1 spectre_v2 spec_store_bypass retbleed smt_rsb srso",
    },
    CpuModel {
        vendor: AMD,
        name: "AMD EPYC 7543 32-Core Processor",
        family: 25,
        model: 1,
        stepping: 1,
        microcode: 0xa00_11d1,
        khz: 2_794_748,
        cache_kib: 512,
        flags: &[BASE, AMD_EXTRA, AVX2, AMD_LATE],
        bugs: "sysret_ss_attrs null_seg spectre_v1 spectre_v2 spec_store_bypass srso",
    },
];

const INTEL: &str = "GenuineIntel";
const AMD: &str = "AuthenticAMD";
const BASE: &str = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 \
                    ss ht syscall nx pdpe1gb rdtscp lm constant_tsc rep_good nopl xtopology cpuid tsc_known_freq pni \
                    pclmulqdq ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx \
                    f16c rdrand hypervisor lahf_lm";
const INTEL_EARLY: &str = " abm 3dnowprefetch cpuid_fault invpcid_single pti ssbd ibrs ibpb stibp tpr_shadow vnmi \
                           flexpriority ept vpid";
const AVX2: &str =
    " fsgsbase tsc_adjust bmi1 avx2 smep bmi2 erms invpcid rdseed adx smap xsaveopt arat";
const AVX512: &str =
    " avx512f avx512dq clflushopt clwb avx512cd avx512bw avx512vl xsavec xgetbv1 xsaves pku ospke";
const INTEL_LATE: &str = " avx512_vnni md_clear arch_capabilities";
const AMD_EXTRA: &str = " cmp_legacy svm cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw topoext perfctr_core ssbd \
                         ibrs ibpb stibp vmmcall";
const AMD_LATE: &str = " clflushopt clwb sha_ni xsavec xgetbv1 xsaves clzero xsaveerptr wbnoinvd vaes vpclmulqdq rdpid";
