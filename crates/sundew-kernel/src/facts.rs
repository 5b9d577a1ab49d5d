//! What is true of one machine: stated once, shown by many programs.

use std::net::{Ipv4Addr, Ipv6Addr};

use sundew_vfs::Timestamp;

/// The facts of one machine. A persona fills them in; programs and `/proc` only read them.
#[derive(Debug, Clone)]
pub struct Facts {
    /// `uname -n`, `/etc/hostname`.
    pub hostname: Vec<u8>,
    /// `uname -r`: `6.1.0-28-amd64`.
    pub kernel_release: Vec<u8>,
    /// `uname -v`: `#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)`.
    pub kernel_version: Vec<u8>,
    /// `/proc/version` from the compiler's parenthesis on, without the newline.
    pub kernel_builder: Vec<u8>,
    /// `uname -m`: `x86_64`.
    pub machine: Vec<u8>,
    /// The processors.
    pub cpu: Cpu,
    /// `/proc/cmdline` without its newline.
    pub command_line: Vec<u8>,
    /// `/proc/modules`.
    pub modules: Vec<u8>,
    /// The partitions of a flash memory, in order; none on a PC.
    pub flash: Vec<Flash>,
    /// Total memory in KiB.
    pub memory_total_kib: u64,
    /// Total swap in KiB; 0 for none.
    pub swap_total_kib: u64,
    /// When the machine came up.
    pub boot_time: Timestamp,
    /// Mounted block devices.
    pub disks: Vec<Disk>,
    /// Network interfaces, `lo` first.
    pub interfaces: Vec<Interface>,
    /// The default router.
    pub gateway: Ipv4Addr,
    /// `/etc/os-release`.
    pub os: Os,
    /// `session.params`: `linux-x64-lsb`.
    pub arch: Vec<u8>,
    /// What the SSH server says first, with its line end; empty if there is none.
    pub ssh_identification: Vec<u8>,
    /// What `journalctl` reads; `None` on a machine that keeps no journal.
    pub journal: Option<crate::journal::Journal>,
}

/// The processors of one machine, all alike.
#[derive(Debug, Clone)]
pub struct Cpu {
    /// `vendor_id`: `GenuineIntel`.
    pub vendor: Vec<u8>,
    /// `model name`.
    pub model_name: Vec<u8>,
    /// `cpu family`.
    pub family: u32,
    /// `model`.
    pub model: u32,
    /// `stepping`.
    pub stepping: u32,
    /// `microcode`.
    pub microcode: u32,
    /// Number of logical processors.
    pub count: u32,
    /// Clock rate in kHz, shown as `cpu MHz`.
    pub khz: u32,
    /// Cache in KiB.
    pub cache_kib: u32,
    /// `flags`, separated by blanks.
    pub flags: Vec<u8>,
    /// `bugs`, separated by blanks.
    pub bugs: Vec<u8>,
    /// `Hardware` of an ARM board; empty on a PC.
    pub board: Vec<u8>,
}

/// One partition of a flash memory, as `/proc/mtd` lists it.
#[derive(Debug, Clone)]
pub struct Flash {
    /// `rootfs`.
    pub name: Vec<u8>,
    /// Its size in KiB.
    pub kib: u64,
}

/// One mounted block device.
#[derive(Debug, Clone)]
pub struct Disk {
    /// `/dev/vda1`.
    pub device: Vec<u8>,
    /// Where it is mounted.
    pub mount_point: Vec<u8>,
    /// `ext4`.
    pub fs_type: Vec<u8>,
    /// Capacity in KiB.
    pub total_kib: u64,
    /// In use when the machine was made, in KiB.
    pub used_kib: u64,
    /// Inodes in all.
    pub inodes: u64,
    /// Inodes in use when the machine was made.
    pub inodes_used: u64,
}

/// One network interface.
#[derive(Debug, Clone)]
pub struct Interface {
    /// `eth0`.
    pub name: Vec<u8>,
    /// The hardware address.
    pub mac: [u8; 6],
    /// Address and prefix length.
    pub ipv4: Option<(Ipv4Addr, u8)>,
    /// Address and prefix length.
    pub ipv6: Option<(Ipv6Addr, u8)>,
    /// Maximum transmission unit in bytes.
    pub mtu: u32,
}

/// What `/etc/os-release` says.
#[derive(Debug, Clone)]
pub struct Os {
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub pretty_name: Vec<u8>,
    /// `debian`.
    pub id: Vec<u8>,
    /// `12`.
    pub version: Vec<u8>,
    /// `bookworm`.
    pub codename: Vec<u8>,
}
