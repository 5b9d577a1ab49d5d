//! The facts of one machine, drawn from its seed: a small virtual server somewhere.
//!
//! What belongs together is drawn together: the disk's and the network card's names and the
//! hardware address come from one platform, memory and disk from one size of server.

use std::net::{Ipv4Addr, Ipv6Addr};

use sundew_kernel::facts::{Cpu, Disk, Facts, Interface, Os};
use sundew_vfs::Timestamp;

use crate::hardware::{CPUS, KERNELS, Kernel, PLATFORMS, Platform, SIZES, Size};
use crate::made::root_uuid;
use crate::names;
use crate::seed::Seed;

/// Everything that is fixed when a machine is made.
#[derive(Debug, Clone)]
pub struct Origin {
    /// What makes it differ from others.
    pub seed: Seed,
    /// When the sensor first made it. Earlier times on the machine (boot, installation) are counted
    /// back from here, so that the same machine comes back after a restart of the sensor.
    pub born: Timestamp,
    /// The public lines (`ssh-ed25519 AAAA…`) of the host keys that are really served, for
    /// `/etc/ssh/*.pub`. Types that are missing are made up.
    pub host_keys: Vec<Vec<u8>>,
}

impl Origin {
    /// A machine of this seed made at this time, with invented host keys.
    pub fn new(seed: [u8; 32], born: Timestamp) -> Self {
        Self {
            seed: Seed::new(seed),
            born,
            host_keys: Vec::new(),
        }
    }

    /// When it was booted: 2 to 45 days before [`Origin::born`].
    pub fn boot_time(&self) -> Timestamp {
        let before = self.seed.between("uptime", 2 * DAY, 45 * DAY);
        let nanos = u32::try_from(self.seed.between("boot nanoseconds", 0, 999_999_999));
        Timestamp {
            secs: back(self.born.secs, before),
            nanos: nanos.unwrap_or(0),
        }
    }

    /// When its installation began: 40 to 400 days before it was booted.
    pub fn installed(&self) -> i64 {
        back(
            self.boot_time().secs,
            self.seed.between("age", 40 * DAY, 400 * DAY),
        )
    }

    pub(crate) fn kernel(&self) -> Kernel {
        self.kernel_at(self.boot_time().secs)
    }

    /// The kernel that was booted at a time.
    pub(crate) fn kernel_at(&self, at: i64) -> Kernel {
        let known = KERNELS
            .iter()
            .filter(|kernel| kernel.uploaded + 3 * 86_400 < at);
        let mut known: Vec<_> = known.collect();
        // Servers are behind by a release or two.
        let behind = usize::try_from(self.seed.between("kernels behind", 0, 2)).unwrap_or(0);
        known.truncate(known.len().saturating_sub(behind).max(1));
        known.last().map_or(KERNELS[0], |kernel| **kernel)
    }

    pub(crate) fn platform(&self) -> &'static Platform {
        self.seed
            .pick("platform", PLATFORMS)
            .unwrap_or(&PLATFORMS[0])
    }
}

/// The facts of a machine; the same for the same origin.
pub fn facts(origin: &Origin) -> Facts {
    let seed = &origin.seed;
    let platform = origin.platform();
    let size = seed.pick("size", SIZES).unwrap_or(&SIZES[0]);
    let kernel = origin.kernel();
    let (address, gateway) = address(seed);
    let swap_kib = seed
        .pick("swap", &[0, 998_396, 2_097_148])
        .copied()
        .unwrap_or(0);
    Facts {
        hostname: names::hostname(seed, address).into_bytes(),
        kernel_release: kernel.release().into_bytes(),
        kernel_version: kernel.version().into_bytes(),
        kernel_builder: kernel.builder().into_bytes(),
        machine: b"x86_64".to_vec(),
        cpu: cpu(seed, platform, size),
        command_line: format!(
            "BOOT_IMAGE=/boot/vmlinuz-{} root=UUID={} ro quiet",
            kernel.release(),
            root_uuid(seed)
        )
        .into_bytes(),
        modules: platform.modules().into_bytes(),
        flash: Vec::new(),
        memory_total_kib: memory(seed, size),
        swap_total_kib: swap_kib,
        boot_time: origin.boot_time(),
        disks: vec![disk(seed, platform, size, swap_kib)],
        interfaces: interfaces(seed, platform, address),
        gateway,
        os: Os {
            pretty_name: b"Debian GNU/Linux 12 (bookworm)".to_vec(),
            id: b"debian".to_vec(),
            version: b"12".to_vec(),
            codename: b"bookworm".to_vec(),
        },
        arch: b"linux-x64-lsb".to_vec(),
        ssh_identification: b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n".to_vec(),
        journal: Some(crate::history::journal(origin, gateway)),
    }
}

fn cpu(seed: &Seed, platform: &Platform, size: &Size) -> Cpu {
    let fitting: Vec<_> = CPUS
        .iter()
        .filter(|cpu| platform.amd.is_none_or(|amd| amd == cpu.amd()))
        .collect();
    let model = seed.pick("cpu", &fitting).map_or(&CPUS[0], |model| *model);
    // The measured rate is a little off the nominal one.
    let off = u32::try_from(seed.between("cpu clock", 0, 900)).unwrap_or(0);
    Cpu {
        vendor: model.vendor.as_bytes().to_vec(),
        model_name: model.name.as_bytes().to_vec(),
        family: model.family,
        model: model.model,
        stepping: model.stepping,
        microcode: model.microcode,
        count: size.cpus,
        khz: model.khz - 500 + off,
        cache_kib: model.cache_kib,
        flags: model.flags.concat().into_bytes(),
        bugs: model.bugs.as_bytes().to_vec(),
        board: Vec::new(),
    }
}

/// What the kernel leaves of the nominal memory.
fn memory(seed: &Seed, size: &Size) -> u64 {
    size.memory_gib * GIB_IN_KIB - size.memory_reserved_kib - 4 * seed.between("memory", 0, 1500)
}

/// What ext4 leaves of the nominal disk: one inode of 256 bytes for each 16 KiB, and a journal.
fn disk(seed: &Seed, platform: &Platform, size: &Size, swap_kib: u64) -> Disk {
    let partition = size.disk_gib * GIB_IN_KIB - 1024 * seed.between("partition", 1, 120);
    let inodes = partition / 16 / 8 * 8;
    let total_kib = (partition - inodes / 4 - 131_072 - partition / 512) / 4 * 4;
    let inodes_used = seed.between("inodes used", 31_000, 58_000);
    Disk {
        device: format!("/dev/{}1", platform.disk).into_bytes(),
        mount_point: b"/".to_vec(),
        fs_type: b"ext4".to_vec(),
        total_kib,
        // A small system, its caches and logs, and the swap file.
        used_kib: (seed.between("disk used", 1_450_000, 3_900_000) + swap_kib) / 4 * 4,
        inodes,
        inodes_used,
    }
}

fn address(seed: &Seed) -> (Ipv4Addr, Ipv4Addr) {
    let byte = |label: &str, low, high| u8::try_from(seed.between(label, low, high)).unwrap_or(1);
    let (a, b) = match seed.between("network", 0, 2) {
        0 => (10, byte("second octet", 0, 250)),
        1 => (172, byte("second octet", 16, 31)),
        _ => (192, 168),
    };
    let third = byte("third octet", 1, 250);
    let host = byte("host octet", 5, 250);
    (
        Ipv4Addr::new(a, b, third, host),
        Ipv4Addr::new(a, b, third, 1),
    )
}

fn interfaces(seed: &Seed, platform: &Platform, address: Ipv4Addr) -> Vec<Interface> {
    let mut mac = [0; 6];
    let tail = seed.bytes("mac", 3);
    for (to, from) in mac.iter_mut().zip(platform.mac_prefix.iter().chain(&tail)) {
        *to = *from;
    }
    vec![
        Interface {
            name: b"lo".to_vec(),
            mac: [0; 6],
            ipv4: Some((Ipv4Addr::LOCALHOST, 8)),
            ipv6: Some((Ipv6Addr::LOCALHOST, 128)),
            mtu: 65_536,
        },
        Interface {
            name: platform.network.as_bytes().to_vec(),
            mac,
            ipv4: Some((address, 24)),
            ipv6: Some((link_local(mac), 64)),
            mtu: platform.mtu,
        },
    ]
}

/// The modified EUI-64 address of a card. RFC 4291, appendix A.
pub(crate) fn link_local([a, b, c, d, e, f]: [u8; 6]) -> Ipv6Addr {
    let pair = |high, low| u16::from_be_bytes([high, low]);
    Ipv6Addr::new(
        0xfe80,
        0,
        0,
        0,
        pair(a ^ 2, b),
        pair(c, 0xff),
        pair(0xfe, d),
        pair(e, f),
    )
}

fn back(from: i64, seconds: u64) -> i64 {
    from.saturating_sub(i64::try_from(seconds).unwrap_or(0))
}

const DAY: u64 = 86_400;
const GIB_IN_KIB: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(byte: u8) -> Origin {
        Origin::new(
            [byte; 32],
            Timestamp {
                secs: 1_795_000_000,
                nanos: 0,
            },
        )
    }

    #[test]
    fn the_same_origin_gives_the_same_machine() {
        assert_eq!(
            format!("{:?}", facts(&origin(7))),
            format!("{:?}", facts(&origin(7)))
        );
    }

    #[test]
    fn all_machines_are_plausible_and_few_are_alike() {
        let mut hostnames = std::collections::BTreeSet::new();
        let mut macs = std::collections::BTreeSet::new();
        for byte in 0..=255 {
            let origin = origin(byte);
            let facts = facts(&origin);
            assert!(origin.installed() < facts.boot_time.secs);
            assert!(facts.boot_time < origin.born);
            assert!(origin.kernel().uploaded < facts.boot_time.secs);
            assert!((1_900_000..17_000_000).contains(&facts.memory_total_kib));
            let disk = &facts.disks[0];
            assert!(disk.used_kib < disk.total_kib, "{disk:?}");
            assert!(disk.inodes_used < disk.inodes, "{disk:?}");
            let host = String::from_utf8(facts.hostname).unwrap();
            assert!(
                host.len() <= 63 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{host}"
            );
            assert!(
                host.starts_with(|c: char| c.is_ascii_lowercase()) && host != "svr04",
                "{host}"
            );
            hostnames.insert(host);
            macs.insert(facts.interfaces[1].mac);
            assert_eq!(
                facts.interfaces[1].mac[0] & 1,
                0,
                "a card's address is not multicast"
            );
        }
        assert!(
            hostnames.len() > 200,
            "{} different names of 256",
            hostnames.len()
        );
        assert_eq!(macs.len(), 256);
    }

    #[test]
    fn a_link_local_address_follows_the_card() {
        let expected: Ipv6Addr = "fe80::f816:3eff:fe12:3456".parse().unwrap();
        assert_eq!(link_local([0xfa, 0x16, 0x3e, 0x12, 0x34, 0x56]), expected);
    }

    #[test]
    fn a_machine_born_before_every_known_kernel_has_the_oldest() {
        let origin = Origin::new([1; 32], Timestamp { secs: 0, nanos: 0 });
        assert_eq!(origin.kernel().release(), KERNELS[0].release());
    }
}
