//! Interfaces and routes: `ip` of iproute2 6.1, `ifconfig`, `route` and `arp` of net-tools.

use std::net::Ipv4Addr;

use sundew_kernel::facts::Interface;
use sundew_kernel::{ExitStatus, Process};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn print(proc: &mut Process, text: &str) -> ExitStatus {
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(text.as_bytes()).await;
    proc.status()
}

async fn fail(proc: &mut Process, text: &str, status: u8) -> ExitStatus {
    proc.print_error(text.as_bytes()).await;
    ExitStatus::Exited(status)
}

fn mac(interface: &Interface) -> String {
    interface.mac.map(|byte| format!("{byte:02x}")).join(":")
}

fn is_loopback(interface: &Interface) -> bool {
    interface.name == b"lo"
}

fn mask(prefix: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(prefix.min(32)))
        .unwrap_or(0)
}

/// Bytes and packets that have gone through since boot: a steady trickle.
fn traffic(proc: &Process, interface: &Interface) -> (u64, u64, u64, u64) {
    let seconds = proc.uptime().as_secs();
    if is_loopback(interface) {
        return (seconds / 90, seconds * 2, seconds / 90, seconds * 2);
    }
    (seconds * 3 / 2, seconds * 311, seconds, seconds * 173)
}

/// `ip`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn ip(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    let flags: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| word.starts_with('-'))
        .collect();
    let mut rest = words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.starts_with('-'));
    if flags.contains(&"-V") || flags.contains(&"-Version") {
        return print(proc, "ip utility, iproute2-6.1.0, libbpf 1.1.2\n").await;
    }
    // Options may be shortened.
    const OPTIONS: [&str; 32] = [
        "-loops",
        "-family",
        "-4",
        "-6",
        "-0",
        "-M",
        "-B",
        "-Details",
        "-details",
        "-human-readable",
        "-iec",
        "-statistics",
        "-resolve",
        "-oneline",
        "-timestamp",
        "-tshort",
        "-batch",
        "-brief",
        "-json",
        "-pretty",
        "-rcvbuf",
        "-netns",
        "-Numeric",
        "-all",
        "-color",
        "-force",
        "-help",
        "-h",
        "-V",
        "-Version",
        "-stats",
        "-echo",
    ];
    for flag in &flags {
        let flag = if flag.starts_with("--") {
            flag.get(1..).unwrap_or(flag)
        } else {
            flag
        };
        let flag = flag.split('=').next().unwrap_or(flag);
        if !OPTIONS.iter().any(|option| option.starts_with(flag)) {
            let text = format!("Option \"{flag}\" is unknown, try \"ip -help\".\n");
            return fail(proc, &text, 255).await;
        }
    }
    let brief = flags.iter().any(|flag| flag.starts_with("-br"));
    let oneline = flags.contains(&"-o") || flags.contains(&"-oneline");
    let (no4, no6) = (flags.contains(&"-6"), flags.contains(&"-4"));
    let Some(object) = rest.next() else {
        return fail(proc, IP_USAGE, 255).await;
    };
    let verb = rest.next().unwrap_or("show");
    let mut device = rest.next();
    if device == Some("dev") {
        device = rest.next();
    }
    let matches = |long: &str| !object.is_empty() && long.starts_with(object);
    if matches("address") || object == "addr" || matches("link") {
        if !["show", "list", "lst", "sh", "s", "ls"].contains(&verb)
            && verb.len() > 1
            && !"show".starts_with(verb)
        {
            const VERBS: [&str; 13] = [
                "add", "change", "chg", "replace", "delete", "del", "flush", "save", "restore",
                "set", "help", "showdump", "property",
            ];
            if !VERBS.iter().any(|known| known.starts_with(verb)) {
                let object = if matches("link") { "link" } else { "address" };
                let text = format!("Command \"{verb}\" is unknown, try \"ip {object} help\".\n");
                return fail(proc, &text, 255).await;
            }
            if device.is_none() && verb != "help" && verb != "flush" {
                let text = "Not enough information: \"dev\" argument is required.\n";
                return fail(proc, text, if matches("link") { 255 } else { 1 }).await;
            }
            if let Some(word) = rest.next().filter(|_| verb == "set")
                && !LINK_WORDS.contains(&word)
            {
                let text =
                    format!("Error: either \"dev\" is duplicate, or \"{word}\" is a garbage.\n");
                return fail(proc, &text, 255).await;
            }
            return if proc.credentials().uid == 0 {
                proc.status()
            } else {
                // tidy-allow(errno-word): what rtnetlink answers; there is no system call behind it
                fail(proc, "RTNETLINK answers: Operation not permitted\n", 2).await
            };
        }
        let link = matches("link");
        let all = proc.facts().interfaces.clone();
        let mut out = String::new();
        for (number, one) in all
            .iter()
            .enumerate()
            .filter(|(_, one)| device.is_none_or(|name| name == text(&one.name)))
        {
            out += &if brief {
                brief_row(one, link)
            } else {
                interface(one, number + 1, link, no4, no6, oneline)
            };
        }
        if out.is_empty() {
            return fail(
                proc,
                &format!(
                    "Device \"{}\" does not exist.\n",
                    device.unwrap_or_default()
                ),
                1,
            )
            .await;
        }
        return print(proc, &out).await;
    }
    if matches("route") || object == "ro" {
        const VERBS: [&str; 15] = [
            "add", "append", "change", "chg", "replace", "delete", "del", "get", "list", "show",
            "lst", "flush", "save", "restore", "showdump",
        ];
        if !VERBS.iter().any(|known| known.starts_with(verb)) && verb != "help" {
            let text = format!("Command \"{verb}\" is unknown, try \"ip route help\".\n");
            return fail(proc, &text, 255).await;
        }
        if verb == "get" && device.is_none() {
            return fail(proc, "need at least a destination address\n", 1).await;
        }
        if verb == "get" {
            return route_get(proc, device.unwrap_or_default()).await;
        }
        let out = routes(proc);
        return print(proc, &out).await;
    }
    if matches("neighbour") || matches("neighbor") {
        const VERBS: [&str; 11] = [
            "add", "change", "chg", "replace", "delete", "del", "get", "show", "list", "lst",
            "flush",
        ];
        if !VERBS.iter().any(|known| known.starts_with(verb)) && verb != "help" {
            let text = format!("Command \"{verb}\" is unknown, try \"ip neigh help\".\n");
            return fail(proc, &text, 255).await;
        }
        let out = match gateway(proc) {
            Some((gateway, name)) => {
                format!("{gateway} dev {name} lladdr fe:00:00:00:01:01 REACHABLE\n")
            }
            None => String::new(),
        };
        return print(proc, &out).await;
    }
    if matches("rule") {
        return print(proc, "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n").await;
    }
    if matches("help") {
        return fail(proc, IP_USAGE, 255).await;
    }
    fail(
        proc,
        &format!("Object \"{object}\" is unknown, try \"ip help\".\n"),
        1,
    )
    .await
}

fn interface(
    one: &Interface,
    number: usize,
    link: bool,
    no4: bool,
    no6: bool,
    oneline: bool,
) -> String {
    let name = text(&one.name);
    let (flags, queue, state, kind, broadcast) = if is_loopback(one) {
        (
            "LOOPBACK,UP,LOWER_UP",
            "noqueue",
            "UNKNOWN",
            "loopback",
            "00:00:00:00:00:00",
        )
    } else {
        (
            "BROADCAST,MULTICAST,UP,LOWER_UP",
            "pfifo_fast",
            "UP",
            "ether",
            "ff:ff:ff:ff:ff:ff",
        )
    };
    let mode = if link { "mode DEFAULT " } else { "" };
    let mut rows = Vec::new();
    let head = format!(
        "{number}: {name}: <{flags}> mtu {} qdisc {queue} state {state} {mode}group default qlen 1000",
        one.mtu
    );
    let hardware = format!("    link/{kind} {} brd {broadcast}", mac(one));
    if let Some((address, prefix)) = one.ipv4.filter(|_| !link && !no4) {
        let scope = if is_loopback(one) {
            "scope host lo".to_owned()
        } else {
            format!(
                "brd {} scope global {name}",
                Ipv4Addr::from(u32::from(address) | !mask(prefix))
            )
        };
        rows.push((
            format!("inet {address}/{prefix} {scope}"),
            "valid_lft forever preferred_lft forever",
        ));
    }
    if let Some((address, prefix)) = one.ipv6.filter(|_| !link && !no6) {
        let scope = if is_loopback(one) {
            "host"
        } else if address.segments().first() == Some(&0xfe80) {
            "link"
        } else {
            "global"
        };
        rows.push((
            format!("inet6 {address}/{prefix} scope {scope} "),
            "valid_lft forever preferred_lft forever",
        ));
    }
    if oneline {
        if link {
            return format!("{head}\\{hardware}\n");
        }
        return rows
            .iter()
            .map(|(row, lifetime)| format!("{number}: {name}    {row}\\       {lifetime}\n"))
            .collect();
    }
    let mut out = format!("{head}\n");
    if !no6 || link {
        out += &format!("{hardware}\n");
    }
    for (row, lifetime) in rows {
        out += &format!("    {row}\n       {lifetime}\n");
    }
    out
}

fn brief_row(one: &Interface, link: bool) -> String {
    let state = if is_loopback(one) { "UNKNOWN" } else { "UP" };
    let mut out = format!("{:<16} {state:<14} ", text(&one.name));
    if link {
        let flags = if is_loopback(one) {
            "LOOPBACK,UP,LOWER_UP"
        } else {
            "BROADCAST,MULTICAST,UP,LOWER_UP"
        };
        return format!("{out}{} <{flags}> \n", mac(one));
    }
    for address in [
        one.ipv4.map(|(ip, prefix)| format!("{ip}/{prefix} ")),
        one.ipv6.map(|(ip, prefix)| format!("{ip}/{prefix} ")),
    ]
    .into_iter()
    .flatten()
    {
        out += &address;
    }
    out + "\n"
}

/// The router and the interface that leads to it.
fn gateway(proc: &Process) -> Option<(Ipv4Addr, String)> {
    let facts = proc.facts();
    let outside = facts
        .interfaces
        .iter()
        .find(|one| !is_loopback(one) && one.ipv4.is_some())?;
    Some((facts.gateway, text(&outside.name)))
}

/// Destination network, prefix, interface and own address of each interface but the loopback.
fn networks(proc: &Process) -> Vec<(Ipv4Addr, u8, String, Ipv4Addr)> {
    let outside = proc
        .facts()
        .interfaces
        .iter()
        .filter(|one| !is_loopback(one));
    outside
        .filter_map(|one| {
            let (address, prefix) = one.ipv4?;
            Some((
                Ipv4Addr::from(u32::from(address) & mask(prefix)),
                prefix,
                text(&one.name),
                address,
            ))
        })
        .collect()
}

fn routes(proc: &Process) -> String {
    let mut out = String::new();
    if let Some((gateway, name)) = gateway(proc) {
        out += &format!("default via {gateway} dev {name} onlink \n");
    }
    for (network, prefix, name, own) in networks(proc) {
        out += &format!("{network}/{prefix} dev {name} proto kernel scope link src {own} \n");
    }
    out
}

async fn route_get(proc: &mut Process, target: &str) -> ExitStatus {
    let Ok(address) = target.parse::<Ipv4Addr>() else {
        return fail(
            proc,
            &format!("Error: any valid prefix is expected rather than \"{target}\".\n"),
            1,
        )
        .await;
    };
    let (Some((gateway, name)), Some((.., own))) =
        (gateway(proc), networks(proc).into_iter().next())
    else {
        // tidy-allow(errno-word): what rtnetlink answers; there is no system call behind it
        return fail(proc, "RTNETLINK answers: Network is unreachable\n", 2).await;
    };
    print(
        proc,
        &format!("{address} via {gateway} dev {name} src {own} uid 0 \n    cache \n"),
    )
    .await
}

/// The first word in front that looks like an option of ifconfig and is none.
fn unknown_option(words: &[String]) -> Option<&str> {
    const OPTIONS: [&str; 8] = ["-a", "-s", "-v", "-V", "-h", "-?", "--help", "--version"];
    let mut given = words.iter().take_while(|word| word.starts_with('-'));
    let unknown = given.find(|word| !OPTIONS.contains(&word.as_str()));
    unknown.map(String::as_str)
}

/// `ifconfig`.
pub(super) async fn ifconfig(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    if let Some(option) = unknown_option(&words) {
        let text = format!(
            "ifconfig: option `{option}' not recognised.\nifconfig: `--help' gives usage information.\n"
        );
        return fail(proc, &text, 1).await;
    }
    interfaces(proc, &words).await
}

/// Shows interfaces, or believes what is to be changed about one.
async fn interfaces(proc: &mut Process, words: &[String]) -> ExitStatus {
    let mut names = words.iter().filter(|word| !word.starts_with('-'));
    let wanted = names.next().cloned();
    if names.next().is_some() {
        return if proc.credentials().uid == 0 {
            proc.status()
        } else {
            // tidy-allow(errno-word): what rtnetlink answers; there is no system call behind it
            fail(proc, "SIOCSIFFLAGS: Operation not permitted\n", 255).await
        };
    }
    let mut all = proc.facts().interfaces.clone();
    all.sort_by_key(is_loopback);
    let mut out = String::new();
    for one in all
        .iter()
        .filter(|one| wanted.as_ref().is_none_or(|name| *name == text(&one.name)))
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
    if out.is_empty() {
        return fail(
            proc,
            &format!(
                "{}: error fetching interface information: Device not found\n",
                wanted.unwrap_or_default()
            ),
            1,
        )
        .await;
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

/// `route`.
pub(super) async fn route(proc: &mut Process) -> ExitStatus {
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
    if let Some(text) = super::unknown(proc.args(), "route", "nNveFC46hV", "A", &long) {
        return super::refuse(proc, &text, "route", 3).await;
    }
    let verb = proc
        .args()
        .iter()
        .skip(1)
        .find(|word| !word.starts_with(b"-"));
    if verb.is_some_and(|verb| !matches!(verb.as_slice(), b"add" | b"del" | b"flush")) {
        return super::refuse(proc, "", "route", 3).await;
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

/// The table of `netstat -r`.
pub(super) fn kernel_routes(proc: &Process) -> String {
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
pub(super) async fn arp(proc: &mut Process) -> ExitStatus {
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
    if let Some(text) = super::unknown(proc.args(), "arp", "VvanesdDfN", "AHpti", &long) {
        return super::refuse(proc, &text, "arp", 3).await;
    }
    let bsd = proc
        .args()
        .iter()
        .any(|word| word.starts_with(b"-") && word.contains(&b'a'));
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
        format!("_gateway ({gateway}) at fe:00:00:00:01:01 [ether] on {name}\n")
    } else {
        format!(
            "Address                  HWtype  HWaddress           Flags Mask            Iface\n{gateway:<24} ether   fe:00:00:00:01:01   C                     {name}\n"
        )
    };
    print(proc, &out).await
}

/// What may follow `ip link set DEVICE`.
const LINK_WORDS: [&str; 38] = [
    "up",
    "down",
    "arp",
    "dynamic",
    "multicast",
    "allmulticast",
    "promisc",
    "trailers",
    "carrier",
    "protodown",
    "txqueuelen",
    "txqlen",
    "name",
    "address",
    "broadcast",
    "mtu",
    "netns",
    "alias",
    "group",
    "vf",
    "xdp",
    "xdpgeneric",
    "xdpdrv",
    "xdpoffload",
    "master",
    "nomaster",
    "vrf",
    "addrgenmode",
    "link-netnsid",
    "type",
    "state",
    "mode",
    "peer",
    "gso_max_size",
    "qlen",
    "brd",
    "bcast",
    "numtxqueues",
];

const IP_USAGE: &str = "Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
       ip [ -force ] -batch filename
where  OBJECT := { address | addrlabel | amt | fou | help | ila | ioam | l2tp |
                   link | macsec | maddress | monitor | mptcp | mroute | mrule |
                   neighbor | neighbour | netconf | netns | nexthop | ntable |
                   ntbl | route | rule | sr | tap | tcpmetrics |
                   token | tunnel | tuntap | vrf | xfrm }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -r[esolve] |
                    -h[uman-readable] | -iec | -j[son] | -p[retty] |
                    -f[amily] { inet | inet6 | mpls | bridge | link } |
                    -4 | -6 | -M | -B | -0 |
                    -l[oops] { maximum-addr-flush-attempts } | -br[ief] |
                    -o[neline] | -t[imestamp] | -ts[hort] | -b[atch] [filename] |
                    -rc[vbuf] [size] | -n[etns] name | -N[umeric] | -a[ll] |
                    -c[olor]}
";
