//! `route` and `arp` of net-tools 2.10.

use std::net::Ipv4Addr;

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{fail, gateway, known, mask, networks, on_link, print, text};

/// `route`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(in crate::net) async fn route(proc: &mut Process) -> ExitStatus {
    let long = [
        "extend",
        "verbose",
        "numeric",
        "symbolic",
        "protocol",
        "cache",
        "fib",
        "inet",
        "inet6",
        "ax25",
        "netrom",
        "rose",
        "ipx",
        "appletalk",
        "x25",
        "net",
        "host",
        "version",
        "help",
    ];
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    let options = words.iter().take_while(|word| word.starts_with('-'));
    let count = options.count();
    let family = words.iter().position(|word| word == "-A");
    let count = family.filter(|at| *at < count).map_or(count, |at| at + 2);
    let (options, operands) = words.split_at(count.min(words.len()));
    let args: Vec<Vec<u8>> = [b"route".to_vec()]
        .into_iter()
        .chain(options.iter().map(|word| word.clone().into_bytes()))
        .collect();
    if let Some(text) = crate::net::unknown(&args, "route", "nNveFC46hV", "A", &long) {
        return crate::net::streams(proc, &text, "route").await;
    }
    if let Some(name) = family.and_then(|at| words.get(at + 1))
        && ![
            "inet", "inet6", "ax25", "netrom", "rose", "ipx", "ddp", "x25",
        ]
        .contains(&name.as_str())
    {
        return fail(proc, &format!("Unknown address family `{name}'.\n"), 1).await;
    }
    let has = |letter, long: &str| {
        let mut all = options.iter();
        all.any(|word| word == long || !word.starts_with("--") && word.contains(letter))
    };
    if has('h', "--help") {
        return crate::net::streams(proc, "", "route").await;
    }
    if has('V', "--version") {
        return print(proc, VERSION).await;
    }
    let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
    match operands.split_first() {
        Some((&verb @ ("add" | "del" | "flush"), words)) => {
            return match change(proc, verb, words).await {
                Ok(text) => print(proc, &text).await,
                Err((text, status)) => fail(proc, &text, status).await,
            };
        }
        Some(_) => return crate::net::refuse(proc, "", "route", 3).await,
        None => {}
    }
    let numeric = proc
        .args()
        .iter()
        .any(|word| word.starts_with(b"-") && word.contains(&b'n'));
    let mut out = String::from(
        "Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n",
    );
    if let Some((gateway, name)) = gateway(proc) {
        let (target, router) = if numeric {
            ("0.0.0.0", gateway.to_string())
        } else {
            ("default", gateway.to_string())
        };
        out += &format!(
            "{target:<15} {router:<15} {:<15} UG    0      0        0 {name}\n",
            "0.0.0.0"
        );
    }
    for (network, prefix, name, _) in networks(proc) {
        out += &format!(
            "{network:<15} {:<15} {:<15} U     0      0        0 {name}\n",
            "0.0.0.0",
            Ipv4Addr::from(mask(prefix))
        );
    }
    print(proc, &out).await
}

/// What route says of its version.
const VERSION: &str = "net-tools 2.10
+NEW_ADDRT +RTF_IRTT +RTF_REJECT +I18N +SELINUX
AF: (inet) +UNIX +INET +INET6 +IPX +AX25 +NETROM +X25 +ATALK +ECONET +ROSE -BLUETOOTH
HW:  +ETHER +ARC +SLIP +PPP +TUNNEL -TR +AX25 +NETROM +X25 +FR +ROSE +ASH +SIT +FDDI +HIPPI +HDLC/LAPB +EUI64 
";

/// `add` and `del`: refused as the real one and its kernel do, or believed.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn change(proc: &mut Process, verb: &str, words: &[&str]) -> Result<String, (String, u8)> {
    let usage = crate::net::help("inet_route");
    let misused = |why: &str| Err(([why, usage].concat(), 3));
    if verb == "flush" {
        return misused("Flushing `inet' routing table not supported\n");
    }
    if words.is_empty() {
        return Ok(usage.to_owned());
    }
    let (kind, rest) = match words {
        [kind @ ("-net" | "-host"), rest @ ..] => (*kind, rest),
        rest => ("", rest),
    };
    let Some((&target, rest)) = rest.split_first() else {
        return misused("");
    };
    let (name, length) = target.split_once('/').unwrap_or((target, ""));
    let address = if name == "default" {
        Some(Ipv4Addr::UNSPECIFIED)
    } else {
        // A host may be named; nobody knows it.
        name.parse::<Ipv4Addr>().ok()
    };
    let Some(address) = address else {
        let why = if kind == "-host" {
            "Unknown host"
        } else {
            "Host name lookup failure"
        };
        return Err((format!("{target}: {why}\n"), 6));
    };
    if !length.is_empty() && length.parse::<u8>().ok().is_none_or(|length| length > 32) {
        return misused("route: netmask doesn't match route address\n");
    }
    let (mut router, mut device, mut reject) = (None, None, false);
    let mut masked = !length.is_empty();
    let mut rest = rest.iter();
    while let Some(&word) = rest.next() {
        match word {
            "reject" => reject = true,
            "mod" | "dyn" | "reinstate" => {}
            "gw" | "gateway" | "dev" | "device" | "netmask" | "metric" | "mss" | "window"
            | "irtt" => {
                let Some(&value) = rest.next() else {
                    return misused("");
                };
                match word {
                    "gw" | "gateway" => {
                        let Ok(address) = value.parse::<Ipv4Addr>() else {
                            return Err((format!("{value}: Unknown host\n"), 6));
                        };
                        router = Some(address);
                    }
                    "dev" | "device" => device = Some(value),
                    "netmask" => masked = true,
                    _ => {}
                }
            }
            other => device = Some(other),
        }
    }
    let says = |errno: Errno| {
        let call = if verb == "add" {
            "SIOCADDRT"
        } else {
            "SIOCDELRT"
        };
        Err((format!("{call}: {}\n", errno.message()), 7))
    };
    if proc.credentials().uid != 0 {
        return says(Errno::Eperm);
    }
    if kind == "-net" && !masked && address.octets() != [0; 4] && address.octets()[3] == 0 {
        // The class's mask is not what the kernel wants any more.
        return says(Errno::Einval);
    }
    let default = address.is_unspecified();
    let exists = if default {
        gateway(proc).is_some()
    } else {
        let mut all = networks(proc).into_iter();
        all.any(|(network, ..)| network == address)
    };
    match verb {
        "del" if exists => Ok(String::new()),
        "del" => says(Errno::Esrch),
        _ if reject => Ok(String::new()),
        _ if device.is_some_and(|name| known(proc, name).is_none()) => says(Errno::Enodev),
        _ => match router {
            Some(router) if !on_link(proc, router) => says(Errno::Enetunreach),
            None if device.is_none() => says(Errno::Enodev),
            _ if exists => says(Errno::Eexist),
            _ => Ok(String::new()),
        },
    }
}

/// The table of `netstat -r`.
pub(in crate::net) fn kernel_routes(proc: &Process) -> String {
    let mut out = String::from(
        "Kernel IP routing table\nDestination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n",
    );
    if let Some((gateway, name)) = gateway(proc) {
        out += &format!(
            "{:<15} {gateway:<15} {:<15} UG        0 0          0 {name}\n",
            "0.0.0.0", "0.0.0.0"
        );
    }
    for (network, prefix, name, _) in networks(proc) {
        out += &format!(
            "{network:<15} {:<15} {:<15} U         0 0          0 {name}\n",
            "0.0.0.0",
            Ipv4Addr::from(mask(prefix))
        );
    }
    out
}

/// `arp`.
pub(in crate::net) async fn arp(proc: &mut Process) -> ExitStatus {
    let long = [
        "version",
        "verbose",
        "all",
        "delete",
        "file",
        "numeric",
        "set",
        "protocol",
        "hw-type",
        "device",
        "use-device",
        "symbolic",
        "help",
    ];
    if let Some(text) = crate::net::unknown(proc.args(), "arp", "VvanesdDfN", "AHpti", &long) {
        return crate::net::refuse(proc, &text, "arp", 3).await;
    }
    let bsd = proc
        .args()
        .iter()
        .any(|word| word.starts_with(b"-") && word.contains(&b'a'));
    let has = |letter: u8, long: &[u8]| {
        let words = proc.args().iter().skip(1);
        words.into_iter().any(|word| {
            word == long
                || (word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&letter))
        })
    };
    let (deletes, sets) = (has(b'd', b"--delete"), has(b's', b"--set"));
    if deletes || sets {
        return edit(proc, sets).await;
    }
    let host = proc.args().iter().skip(1);
    if let Some(host) = host
        .into_iter()
        .find(|word| !word.starts_with(b"-"))
        .cloned()
        && proc.args().len() == 2
    {
        let shown = text(&host);
        let Ok(found) = proc.network().resolve(&host).await else {
            return fail(proc, &format!("{shown}: Host name lookup failure\n"), 255).await;
        };
        let address = found.first().map(ToString::to_string).unwrap_or_default();
        if gateway(proc).is_none_or(|(gateway, _)| gateway.to_string() != address) {
            let line = format!("{shown} ({address}) -- no entry\n");
            return print(proc, &line).await;
        }
    }
    let Some((gateway, name)) = gateway(proc) else {
        return proc.status();
    };
    let out = if bsd {
        // The name that libnss-myhostname gives the router, unless numbers are asked for.
        let numbers =
            proc.args().iter().skip(1).any(|word| {
                word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'n')
            });
        let router = if numbers { "?" } else { "_gateway" };
        format!("{router} ({gateway}) at fe:00:00:00:01:01 [ether] on {name}\n")
    } else {
        format!(
            "Address                  HWtype  HWaddress           Flags Mask            Iface\n{gateway:<24} ether   fe:00:00:00:01:01   C                     {name}\n"
        )
    };
    print(proc, &out).await
}

/// `arp -d HOST` and `arp -s HOST ADDRESS`.
async fn edit(proc: &mut Process, sets: bool) -> ExitStatus {
    let words = proc.args().iter().skip(1);
    let mut words = words.filter(|word| !word.starts_with(b"-")).cloned();
    let Some(host) = words.next() else {
        return fail(proc, "arp: need host name\n", 255).await;
    };
    let hardware = words.next();
    let shown = text(&host);
    let Ok(found) = proc.network().resolve(&host).await else {
        return fail(proc, &format!("{shown}: Host name lookup failure\n"), 255).await;
    };
    if sets {
        let Some(hardware) = hardware else {
            return fail(proc, "arp: need hardware address\n", 255).await;
        };
        let bytes = hardware.split(|&byte| byte == b':');
        let is_hex =
            |part: &[u8]| (1..=2).contains(&part.len()) && part.iter().all(u8::is_ascii_hexdigit);
        if bytes.clone().count() != 6 || !bytes.into_iter().all(is_hex) {
            return fail(proc, "arp: invalid hardware address\n", 255).await;
        }
        return proc.status();
    }
    let address = found.first().map(ToString::to_string).unwrap_or_default();
    if gateway(proc).is_none_or(|(gateway, _)| gateway.to_string() != address) {
        let line = format!("No ARP entry for {shown}\n");
        let _closed = proc.print(line.as_bytes()).await;
        return ExitStatus::Exited(255);
    }
    proc.status()
}
