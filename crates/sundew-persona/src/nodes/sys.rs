//! `/sys`: what scripts ask it: the vendor of the hardware, cards, disks, processors, cgroups.

use sundew_kernel::facts::Facts;
use sundew_vfs::ImageError;

use crate::facts::Origin;
use crate::tree::Planter;

/// Adds all of it.
pub(super) fn plant(
    planter: &mut Planter<'_>,
    origin: &Origin,
    facts: &Facts,
) -> Result<(), ImageError> {
    let at = facts.boot_time.secs;
    let platform = origin.platform();
    for name in [
        "block",
        "bus",
        "class",
        "dev",
        "devices",
        "firmware",
        "fs/bpf",
        "fs/cgroup",
        "fs/ext4",
        "fs/pstore",
        "hypervisor",
        "kernel",
        "kernel/debug",
        "kernel/mm",
        "kernel/security",
        "kernel/tracing",
        "module",
        "power",
    ] {
        planter.directory(&format!("/sys/{name}"), 0o755, at)?;
    }
    let (version, date, model) = firmware(platform.vendor, platform.product);
    for (name, value) in [
        ("sys_vendor", platform.vendor),
        ("product_name", platform.product),
        ("product_version", model),
        ("bios_vendor", platform.bios),
        ("bios_version", version),
        ("bios_date", date),
        ("chassis_vendor", platform.vendor),
        ("chassis_type", "1"),
        ("chassis_version", model),
        ("board_vendor", platform.vendor),
    ] {
        planter.text(
            &format!("/sys/devices/virtual/dmi/id/{name}"),
            0o444,
            at,
            &format!("{value}\n"),
        )?;
    }
    planter.symlink("/sys/class/dmi/id", at, "../../devices/virtual/dmi/id")?;
    cards(planter, facts, at)?;
    let sectors = facts.disks.first().map_or(0, |disk| disk.inodes * 32);
    let folder = format!("/sys/block/{}", platform.disk);
    planter.text(
        &format!("{folder}/size"),
        0o444,
        at,
        &format!("{}\n", sectors.next_multiple_of(2 << 20)),
    )?;
    planter.text(&format!("{folder}/ro"), 0o444, at, "0\n")?;
    planter.text(&format!("{folder}/removable"), 0o444, at, "0\n")?;
    processors(planter, facts, at)?;
    for (path, mode, text) in FILES {
        planter.text(&format!("/sys/{path}"), *mode, at, text)?;
    }
    for line in facts.modules.split(|&byte| byte == b'\n') {
        let name = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        if !name.is_empty() {
            let name = String::from_utf8_lossy(name).into_owned();
            planter.text(
                &format!("/sys/module/{name}/initstate"),
                0o444,
                at,
                "live\n",
            )?;
        }
    }
    cgroups(planter, at)
}

/// Version and date of the firmware, and the version of the model, as these hypervisors tell their guests.
fn firmware(vendor: &str, product: &str) -> (&'static str, &'static str, &'static str) {
    match (vendor, product) {
        ("OpenStack Foundation", _) => ("1.15.0-1", "04/01/2014", "25.2.1"),
        ("QEMU", product) if product.contains("Q35") => {
            ("1.16.2-debian-1.16.2-1", "04/01/2014", "pc-q35-7.2")
        }
        ("QEMU", _) => (
            "rel-1.16.2-0-gea1b7a073390-prebuilt.qemu.org",
            "04/01/2014",
            "pc-i440fx-8.1",
        ),
        ("Hetzner", _) => ("20171111", "11/11/2017", "20171111"),
        ("VMware, Inc.", _) => ("6.00", "11/12/2020", "None"),
        _ => ("4.17.2", "06/15/2023", "4.17.2"),
    }
}

fn processors(planter: &mut Planter<'_>, facts: &Facts, at: i64) -> Result<(), ImageError> {
    const ROOT: &str = "/sys/devices/system/cpu";
    for cpu in 0..facts.cpu.count {
        planter.directory(&format!("{ROOT}/cpu{cpu}"), 0o755, at)?;
    }
    let range = match facts.cpu.count {
        0 | 1 => "0\n".to_owned(),
        count => format!("0-{}\n", count - 1),
    };
    for name in ["online", "possible", "present"] {
        planter.text(&format!("{ROOT}/{name}"), 0o444, at, &range)?;
    }
    Ok(())
}

/// The tree of cgroup2 as systemd makes it, with the slices that are always there.
fn cgroups(planter: &mut Planter<'_>, at: i64) -> Result<(), ImageError> {
    const ROOT: &str = "/sys/fs/cgroup";
    for name in ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
        planter.text(&format!("{ROOT}/{name}"), 0o644, at, "")?;
    }
    let controllers = "cpuset cpu io memory hugetlb pids rdma misc\n";
    planter.text(
        &format!("{ROOT}/cgroup.controllers"),
        0o444,
        at,
        controllers,
    )?;
    planter.text(&format!("{ROOT}/cgroup.max.depth"), 0o644, at, "max\n")?;
    for slice in [
        "dev-hugepages.mount",
        "dev-mqueue.mount",
        "init.scope",
        "system.slice/cron.service",
        "system.slice/dbus.service",
        "system.slice/ssh.service",
        "system.slice/systemd-journald.service",
        "system.slice/systemd-logind.service",
        "system.slice/systemd-udevd.service",
        "system.slice/system-getty.slice",
        "user.slice",
    ] {
        let folder = format!("{ROOT}/{slice}");
        planter.text(&format!("{folder}/cgroup.procs"), 0o644, at, "")?;
        planter.text(
            &format!("{folder}/cgroup.controllers"),
            0o444,
            at,
            "memory pids\n",
        )?;
    }
    Ok(())
}

pub(crate) fn cards(planter: &mut Planter<'_>, facts: &Facts, at: i64) -> Result<(), ImageError> {
    for interface in &facts.interfaces {
        let folder = format!(
            "/sys/class/net/{}",
            String::from_utf8_lossy(&interface.name)
        );
        let mac: Vec<_> = interface
            .mac
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let state = if interface.name == b"lo" {
            "unknown"
        } else {
            "up"
        };
        planter.text(
            &format!("{folder}/address"),
            0o444,
            at,
            &format!("{}\n", mac.join(":")),
        )?;
        planter.text(
            &format!("{folder}/mtu"),
            0o644,
            at,
            &format!("{}\n", interface.mtu),
        )?;
        let loopback = interface.name == b"lo";
        for (name, value) in [
            ("type", if loopback { "772" } else { "1" }),
            ("carrier", "1"),
            ("flags", if loopback { "0x9" } else { "0x1003" }),
            ("ifindex", if loopback { "1" } else { "2" }),
            ("tx_queue_len", "1000"),
        ] {
            planter.text(
                &format!("{folder}/{name}"),
                0o444,
                at,
                &format!("{value}\n"),
            )?;
        }
        planter.text(
            &format!("{folder}/operstate"),
            0o444,
            at,
            &format!("{state}\n"),
        )?;
    }
    Ok(())
}

/// Path below `/sys`, mode, text.
const FILES: &[(&str, u16, &str)] = &[
    (
        "kernel/mm/transparent_hugepage/enabled",
        0o644,
        "always [madvise] never\n",
    ),
    (
        "kernel/mm/transparent_hugepage/defrag",
        0o644,
        "always defer defer+madvise [madvise] never\n",
    ),
    ("kernel/profiling", 0o644, "0\n"),
    ("kernel/uevent_seqnum", 0o444, "1734\n"),
    ("kernel/kexec_loaded", 0o444, "0\n"),
    (
        "kernel/security/lsm",
        0o444,
        "lockdown,capability,landlock,yama,apparmor,tomoyo,bpf\n",
    ),
    ("power/state", 0o644, "freeze mem disk\n"),
    ("module/kernel/parameters/consoleblank", 0o444, "0\n"),
    (
        "devices/system/clocksource/clocksource0/current_clocksource",
        0o644,
        "kvm-clock\n",
    ),
    (
        "devices/system/clocksource/clocksource0/available_clocksource",
        0o444,
        "kvm-clock tsc acpi_pm \n",
    ),
    (
        "devices/system/cpu/vulnerabilities/meltdown",
        0o444,
        "Mitigation: PTI\n",
    ),
    (
        "devices/system/cpu/vulnerabilities/spectre_v1",
        0o444,
        "Mitigation: usercopy/swapgs barriers and __user pointer sanitization\n",
    ),
    ("devices/system/node/online", 0o444, "0\n"),
];
