//! Files of `/etc` and `/var` that are written from the facts of one machine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sundew_kernel::facts::Facts;

use crate::accounting;
use crate::facts::Origin;
use crate::seed::Seed;
use crate::stand_in::pem;
use crate::time::date_time;

/// The content of a file of kind `made`; `None` for a path that is not known here.
///
/// `status` is the package database, for the log that tells of its packages.
pub(crate) fn content(
    path: &[u8],
    origin: &Origin,
    facts: &Facts,
    status: &[u8],
) -> Option<Vec<u8>> {
    let seed = &origin.seed;
    let host = String::from_utf8_lossy(&facts.hostname);
    Some(match path {
        b"/etc/hostname" => format!("{host}\n").into_bytes(),
        b"/etc/hosts" => hosts(&host).into_bytes(),
        b"/etc/machine-id" | b"/var/lib/dbus/machine-id" => {
            format!("{}\n", machine_id(seed)).into_bytes()
        }
        b"/etc/fstab" => fstab(seed, facts).into_bytes(),
        b"/etc/resolv.conf" => resolv_conf(seed, facts).into_bytes(),
        b"/etc/shadow" | b"/etc/shadow-" => shadow(origin, path.ends_with(b"-")).into_bytes(),
        b"/etc/network/interfaces" => interfaces(facts).into_bytes(),
        b"/etc/apt/sources.list" => sources(seed).into_bytes(),
        b"/etc/ssh/ssh_host_ed25519_key"
        | b"/etc/ssh/ssh_host_ecdsa_key"
        | b"/etc/ssh/ssh_host_rsa_key" => private_key(seed, path),
        b"/etc/ssh/ssh_host_ed25519_key.pub" => public_key(origin, &host, "ssh-ed25519"),
        b"/etc/ssh/ssh_host_ecdsa_key.pub" => public_key(origin, &host, "ecdsa-sha2-nistp256"),
        b"/etc/ssh/ssh_host_rsa_key.pub" => public_key(origin, &host, "ssh-rsa"),
        b"/etc/ssh/moduli" => crate::moduli::file(),
        b"/var/log/btmp" => accounting::btmp(origin, origin.born.secs),
        b"/var/log/wtmp" => accounting::wtmp(origin, facts),
        b"/var/log/lastlog" => accounting::lastlog(origin, facts),
        b"/var/log/dpkg.log" => dpkg_log(origin, status),
        _ => return None,
    })
}

/// `/etc/machine-id`, without newline.
pub(crate) fn machine_id(seed: &Seed) -> String {
    seed.hex("machine-id", 32)
}

/// The UUID of the root filesystem.
pub(crate) fn root_uuid(seed: &Seed) -> String {
    let hex = seed.hex("root filesystem", 32);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    // Version 4, variant 1. RFC 9562.
    format!(
        "{}-{}-4{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}

/// The records of packages that a real server has and a minimal tree has not: its kernel.
pub(crate) fn kernel_packages(origin: &Origin) -> Vec<u8> {
    let kernel = origin.kernel();
    let (release, version) = (kernel.release(), kernel.package());
    format!(
        "Package: linux-image-{release}\nStatus: install ok installed\nPriority: optional\nSection: kernel\n\
         Installed-Size: 399899\nArchitecture: amd64\nVersion: {version}\n\
         Description: Linux 6.1 for 64-bit PCs (signed)\n\n\
         Package: linux-image-amd64\nStatus: install ok installed\nPriority: optional\nSection: kernel\n\
         Installed-Size: 13\nArchitecture: amd64\nVersion: {version}\n\
         Description: Linux for 64-bit PCs (meta-package)\n\n"
    )
    .into_bytes()
}

fn hosts(host: &str) -> String {
    format!(
        "127.0.0.1\tlocalhost\n127.0.1.1\t{host}\n\n::1     localhost ip6-localhost ip6-loopback\n\
         ff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n"
    )
}

fn fstab(seed: &Seed, facts: &Facts) -> String {
    let mut table =
        String::from("# <file system> <mount point>   <type>  <options>       <dump>  <pass>\n");
    for disk in &facts.disks {
        let (point, kind) = (
            String::from_utf8_lossy(&disk.mount_point),
            String::from_utf8_lossy(&disk.fs_type),
        );
        table += &format!(
            "UUID={} {point:<15} {kind:<7} errors=remount-ro 0       1\n",
            root_uuid(seed)
        );
    }
    if facts.swap_total_kib > 0 {
        table += "/swapfile none            swap    sw              0       0\n";
    }
    table
}

fn resolv_conf(seed: &Seed, facts: &Facts) -> String {
    let gateway = facts.gateway.to_string();
    let choices = [
        vec![gateway.as_str()],
        vec!["1.1.1.1", "8.8.8.8"],
        vec!["8.8.8.8", "8.8.4.4"],
        vec!["9.9.9.9", "1.1.1.1"],
        vec![gateway.as_str(), "1.1.1.1"],
    ];
    let servers = seed
        .pick("name servers", &choices)
        .map_or(&[] as &[_], Vec::as_slice);
    servers
        .iter()
        .map(|server| format!("nameserver {server}\n"))
        .collect()
}

fn interfaces(facts: &Facts) -> String {
    let mut text =
        String::from("source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n");
    for interface in facts
        .interfaces
        .iter()
        .filter(|interface| interface.name != b"lo")
    {
        let name = String::from_utf8_lossy(&interface.name);
        if let Some((address, prefix)) = interface.ipv4 {
            text += &format!(
                "\nallow-hotplug {name}\niface {name} inet static\n\taddress {address}/{prefix}\n\tgateway {}\n",
                facts.gateway
            );
        }
    }
    text
}

/// The country mirrors are what Debian's installer offers.
fn sources(seed: &Seed) -> String {
    let country = seed
        .pick(
            "mirror",
            &["de", "fr", "nl", "uk", "us", "pl", "fi", "se", "es", "it"],
        )
        .unwrap_or(&"de");
    let components = "main non-free-firmware";
    let mirror = format!("http://ftp.{country}.debian.org/debian/");
    format!(
        "deb {mirror} bookworm {components}\ndeb-src {mirror} bookworm {components}\n\n\
         deb http://security.debian.org/debian-security bookworm-security {components}\n\n\
         deb {mirror} bookworm-updates {components}\n"
    )
}

/// The accounts in the order of `/etc/passwd`; root has a password nobody knows.
fn shadow(origin: &Origin, previous: bool) -> String {
    const BASE: &[&str] = &[
        "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy",
        "www-data", "backup", "list", "irc", "_apt", "nobody",
    ];
    let day = origin.installed().div_euclid(86_400);
    let salt = crypt64(&origin.seed, "root salt", 22);
    let hash = crypt64(&origin.seed, "root hash", 43);
    let mut text = format!("root:$y$j9T${salt}${hash}:{day}:0:99999:7:::\n");
    for name in BASE {
        text += &format!("{name}:*:{day}:0:99999:7:::\n");
    }
    text += &format!("systemd-network:!*:{day}::::::\nmessagebus:!:{day}::::::\n");
    if !previous {
        text += &format!("sshd:!:{day}::::::\n");
    }
    text
}

/// Digits of crypt(5).
pub(crate) fn crypt64(seed: &Seed, label: &str, len: usize) -> String {
    const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    seed.bytes(label, len)
        .iter()
        .map(|byte| char::from(DIGITS[usize::from(byte & 63)]))
        .collect()
}

/// As `ssh-keygen` writes one without passphrase: magic, `none` twice, no options, one key.
fn private_key(seed: &Seed, path: &[u8]) -> Vec<u8> {
    let len = match path {
        b"/etc/ssh/ssh_host_rsa_key" => 1840,
        b"/etc/ssh/ssh_host_ecdsa_key" => 290,
        _ => 215,
    };
    let mut key = b"openssh-key-v1\0".to_vec();
    for field in [b"none".as_slice(), b"none", b""] {
        key.extend(string(field));
    }
    key.extend(1u32.to_be_bytes());
    key.extend(seed.bytes(&String::from_utf8_lossy(path), len));
    pem("OPENSSH PRIVATE KEY", &key, 70)
}

fn public_key(origin: &Origin, host: &str, kind: &str) -> Vec<u8> {
    let served = origin
        .host_keys
        .iter()
        .find(|line| line.starts_with(format!("{kind} ").as_bytes()));
    let line = served.map_or_else(
        || invented_key(&origin.seed, kind),
        |line| line.trim_ascii().to_vec(),
    );
    let fields: Vec<_> = line.split(|&byte| byte == b' ').take(2).collect();
    [&fields.join(&b' '), format!(" root@{host}\n").as_bytes()].concat()
}

/// RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4.
fn invented_key(seed: &Seed, kind: &str) -> Vec<u8> {
    let mut blob = string(kind.as_bytes());
    match kind {
        "ssh-rsa" => {
            // A modulus of 3072 bits: a leading zero, since it is positive.
            let modulus = [
                &[0, seed.bytes(kind, 1)[0] | 0x80],
                seed.bytes("modulus", 383).as_slice(),
            ]
            .concat();
            blob.extend([string(&[1, 0, 1]), string(&modulus)].concat());
        }
        "ecdsa-sha2-nistp256" => {
            let point = [&[4], seed.bytes(kind, 64).as_slice()].concat();
            blob.extend([string(b"nistp256"), string(&point)].concat());
        }
        _ => blob.extend(string(&seed.bytes(kind, 32))),
    }
    format!("{kind} {}", STANDARD.encode(blob)).into_bytes()
}

/// RFC 4251 §5.
fn string(bytes: &[u8]) -> Vec<u8> {
    [
        &u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes(),
        bytes,
    ]
    .concat()
}

/// One line for each package, over the minutes of the installation.
fn dpkg_log(origin: &Origin, status: &[u8]) -> Vec<u8> {
    let mut log = String::new();
    let status = String::from_utf8_lossy(status);
    for (number, record) in (0..).zip(status.split("\n\n")) {
        let field = |name: &str| record.lines().find_map(|line| line.strip_prefix(name));
        if let (Some(name), Some(arch), Some(version)) = (
            field("Package: "),
            field("Architecture: "),
            field("Version: "),
        ) {
            let when = date_time(origin.installed() + 40 + number * 2 / 3);
            log += &format!("{when} status installed {name}:{arch} {version}\n");
        }
    }
    log.into_bytes()
}
