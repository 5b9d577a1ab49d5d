//! `ifconfig` of net-tools 2.10.

use std::net::Ipv4Addr;

use sundew_kernel::facts::Interface;
use sundew_kernel::{Errno, ExitStatus, Process};

use super::{fail, is_loopback, known, mac, mask, print, text, traffic};

/// The first word in front that looks like an option of ifconfig and is none.
fn unknown_option(words: &[String]) -> Option<&str> {
    const OPTIONS: [&str; 8] = ["-a", "-s", "-v", "-V", "-h", "-?", "--help", "--version"];
    let mut given = words.iter().take_while(|word| word.starts_with('-'));
    let unknown = given.find(|word| !OPTIONS.contains(&word.as_str()));
    unknown.map(String::as_str)
}

/// `ifconfig`.
pub(in crate::net) async fn ifconfig(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    if let Some(option) = unknown_option(&words) {
        let text = format!(
            "ifconfig: option `{option}' not recognised.\nifconfig: `--help' gives usage information.\n"
        );
        return fail(proc, &text, 1).await;
    }
    let has = |wanted: &[&str]| {
        let mut options = words.iter().take_while(|word| word.starts_with('-'));
        options.any(|word| wanted.contains(&word.as_str()))
    };
    if has(&["-h", "-?", "--help"]) {
        let (usage, lists) = usage();
        // Headings go to standard output, the lists below them to standard error.
        let _closed = proc.print(usage.as_bytes()).await;
        return fail(proc, &lists, 0).await;
    }
    if has(&["-V", "--version"]) {
        return print(proc, "net-tools 2.10\n").await;
    }
    let operands = words.iter().skip_while(|word| word.starts_with('-'));
    let operands: Vec<&str> = operands.map(String::as_str).collect();
    match operands.as_slice() {
        [name, changes @ ..] if !changes.is_empty() => change(proc, name, changes).await,
        [name] if has(&["-s"]) => short_table(proc, Some(name)).await,
        [] if has(&["-s"]) => short_table(proc, None).await,
        operands => show(proc, operands.first().copied()).await,
    }
}

/// The usage: what goes to standard output and what to standard error.
fn usage() -> (String, String) {
    let lines = crate::net::help("ifconfig").lines();
    let (lists, rest): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("    "));
    let join = |lines: Vec<&str>| lines.iter().map(|line| format!("{line}\n")).collect();
    (join(rest), join(lists))
}

async fn short_table(proc: &mut Process, wanted: Option<&str>) -> ExitStatus {
    if let Some(name) = wanted.filter(|name| known(proc, name).is_none()) {
        return not_found(proc, name).await;
    }
    let head = "Iface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n";
    let text = [head, &table(proc, wanted)].concat();
    print(proc, &text).await
}

/// Rows of `ifconfig -s` and `netstat -i`.
pub(in crate::net) fn table(proc: &Process, wanted: Option<&str>) -> String {
    let mut all: Vec<&Interface> = proc.facts().interfaces.iter().collect();
    all.sort_by_key(|one| is_loopback(one));
    let shown = all
        .into_iter()
        .filter(|one| wanted.is_none_or(|name| name == text(&one.name)));
    shown
        .map(|one| {
            let (rx, _, tx, _) = traffic(proc, one);
            let flags = if is_loopback(one) { "LRU" } else { "BMRU" };
            format!(
                "{:<15} {:>5} {rx:>8} {:>6} {:>6} {:<6} {tx:>8} {:>6} {:>6} {:>6} {flags}\n",
                text(&one.name),
                one.mtu,
                0,
                0,
                0,
                0,
                0,
                0
            )
        })
        .collect()
}

async fn not_found(proc: &mut Process, name: &str) -> ExitStatus {
    let text = format!("{name}: error fetching interface information: Device not found\n");
    fail(proc, &text, 1).await
}

/// Words that take a value, and the call that sets it.
const SETTINGS: [(&str, &str); 14] = [
    ("mtu", "SIOCSIFMTU"),
    ("metric", "SIOCSIFMETRIC"),
    ("netmask", "SIOCSIFNETMASK"),
    ("dstaddr", "SIOCSIFDSTADDR"),
    ("txqueuelen", "SIOCSIFTXQLEN"),
    ("name", "SIOCSIFNAME"),
    ("add", "SIOCSIFADDR"),
    ("del", "SIOCDIFADDR"),
    ("tunnel", "SIOCSIFADDR"),
    ("keepalive", "SIOCSKEEPALIVE"),
    ("outfill", "SIOCSOUTFILL"),
    ("mem_start", "SIOCSIFMAP"),
    ("io_addr", "SIOCSIFMAP"),
    ("irq", "SIOCSIFMAP"),
];
/// Words that set or clear a flag.
const FLAGS: &str = "up down arp -arp trailers -trailers promisc -promisc multicast -multicast allmulti -allmulti dynamic -dynamic";

/// What is to be changed about an interface: refused as the real one and its kernel do, or believed.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn change(proc: &mut Process, name: &str, words: &[&str]) -> ExitStatus {
    let missing = known(proc, name).is_none();
    // What every call on the interface answers.
    let errno = if missing {
        Some(Errno::Enodev)
    } else {
        (proc.credentials().uid != 0).then_some(Errno::Eperm)
    };
    let (mut complaints, mut status) = (String::new(), 0);
    let flags = |complaints: &mut String, status: &mut u8| {
        if let Some(errno) = errno {
            *complaints += &if missing {
                let why = errno.message();
                format!("{name}: ERROR while getting interface flags: {why}\n")
            } else {
                format!("SIOCSIFFLAGS: {}\n", errno.message())
            };
            *status = 255;
        }
    };
    let mut rest = words.iter();
    while let Some(&word) = rest.next() {
        if FLAGS.split(' ').any(|flag| flag == word) {
            flags(&mut complaints, &mut status);
            continue;
        }
        if matches!(
            word,
            "broadcast" | "-broadcast" | "pointopoint" | "-pointopoint" | "inet"
        ) {
            continue;
        }
        let setting = SETTINGS.iter().find(|(known, _)| *known == word);
        let call = match setting {
            Some((_, call)) => {
                let Some(&value) = rest.next() else {
                    complaints += crate::net::help("ifconfig");
                    return fail(proc, &complaints, 3).await;
                };
                if word == "netmask" && value.parse::<Ipv4Addr>().is_err() {
                    complaints += &format!("{value}: Host name lookup failure\n");
                    return fail(proc, &complaints, 1).await;
                }
                *call
            }
            None if word == "hw" => {
                let (Some(_), Some(value)) = (rest.next(), rest.next()) else {
                    complaints += crate::net::help("ifconfig");
                    return fail(proc, &complaints, 3).await;
                };
                let digits = value.split(':');
                if digits.clone().count() != 6
                    || digits
                        .clone()
                        .any(|pair| u8::from_str_radix(pair, 16).is_err())
                {
                    complaints += &format!("{value}: invalid ether address.\n");
                    return fail(proc, &complaints, 1).await;
                }
                "SIOCSIFHWADDR"
            }
            None => {
                let address = word.split('/').next().unwrap_or_default();
                let parts = address.split('.');
                let numeric = parts.clone().all(|part| part.parse::<u8>().is_ok());
                if !numeric && word != "default" {
                    complaints += &format!(
                        "{word}: Host name lookup failure\nifconfig: `--help' gives usage information.\n"
                    );
                    return fail(proc, &complaints, 1).await;
                }
                "SIOCSIFADDR"
            }
        };
        let Some(errno) = errno else { continue };
        complaints += &format!("{call}: {}\n", errno.message());
        status = match call {
            // An address brings the interface up, and goes on whatever comes of it.
            "SIOCSIFADDR" => {
                flags(&mut complaints, &mut status);
                255
            }
            "SIOCSIFNETMASK" => 255,
            _ => 1,
        };
        if status == 1 {
            break;
        }
    }
    if complaints.is_empty() {
        return proc.status();
    }
    fail(proc, &complaints, status).await
}

/// Shows interfaces.
async fn show(proc: &mut Process, wanted: Option<&str>) -> ExitStatus {
    let mut all = proc.facts().interfaces.clone();
    all.sort_by_key(is_loopback);
    let mut out = String::new();
    for one in all
        .iter()
        .filter(|one| wanted.is_none_or(|name| name == text(&one.name)))
    {
        let (flags, kind) = if is_loopback(one) {
            (
                "73<UP,LOOPBACK,RUNNING>".to_owned(),
                "loop  txqueuelen 1000  (Local Loopback)".to_owned(),
            )
        } else {
            (
                "4163<UP,BROADCAST,RUNNING,MULTICAST>".to_owned(),
                format!("ether {}  txqueuelen 1000  (Ethernet)", mac(one)),
            )
        };
        out += &format!("{}: flags={flags}  mtu {}\n", text(&one.name), one.mtu);
        if let Some((address, prefix)) = one.ipv4 {
            let broadcast = if is_loopback(one) {
                String::new()
            } else {
                format!(
                    "  broadcast {}",
                    Ipv4Addr::from(u32::from(address) | !mask(prefix))
                )
            };
            out += &format!(
                "        inet {address}  netmask {}{broadcast}\n",
                Ipv4Addr::from(mask(prefix))
            );
        }
        if let Some((address, prefix)) = one.ipv6 {
            let scope = if is_loopback(one) {
                "0x10<host>"
            } else if address.segments().first() == Some(&0xfe80) {
                "0x20<link>"
            } else {
                "0x0<global>"
            };
            out += &format!("        inet6 {address}  prefixlen {prefix}  scopeid {scope}\n");
        }
        let (rx, rx_bytes, tx, tx_bytes) = traffic(proc, one);
        out += &format!(
            "        {kind}\n        RX packets {rx}  bytes {rx_bytes} ({})\n        RX errors 0  dropped 0  overruns 0  frame 0\n",
            short(rx_bytes)
        );
        out += &format!(
            "        TX packets {tx}  bytes {tx_bytes} ({})\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n",
            short(tx_bytes)
        );
    }
    if let Some(name) = wanted.filter(|_| out.is_empty()) {
        return not_found(proc, name).await;
    }
    print(proc, &out).await
}

/// As net-tools shortens bytes: `12.3 MiB`.
fn short(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}
