//! `netstat` of net-tools 2.10.

use sundew_kernel::{ExitStatus, Process};

use super::{complain, letters, local_sockets, print, sockets};

/// Long options of netstat.
const NETSTAT_OPTIONS: &[&str] = &[
    "route",
    "interfaces",
    "groups",
    "statistics",
    "masquerade",
    "verbose",
    "wide",
    "numeric",
    "numeric-hosts",
    "numeric-ports",
    "numeric-users",
    "symbolic",
    "extend",
    "programs",
    "timers",
    "continuous",
    "listening",
    "all",
    "fib",
    "cache",
    "context",
    "tcp",
    "udp",
    "udplite",
    "sctp",
    "raw",
    "l2cap",
    "rfcomm",
    "unix",
    "inet",
    "inet6",
    "ax25",
    "x25",
    "protocol",
    "help",
    "version",
];

/// What `netstat -V` says.
const VERSION: &str = "net-tools 2.10
Fred Baumgarten, Alan Cox, Bernd Eckenfels, Phil Blundell, Tuan Hoang, Brian Micek and others
+NEW_ADDRT +RTF_IRTT +RTF_REJECT +FW_MASQUERADE +I18N +SELINUX
AF: (inet) +UNIX +INET +INET6 +IPX +AX25 +NETROM +X25 +ATALK +ECONET +ROSE -BLUETOOTH
HW:  +ETHER +ARC +SLIP +PPP +TUNNEL -TR +AX25 +NETROM +X25 +FR +ROSE +ASH +SIT +FDDI +HIPPI +HDLC/LAPB +EUI64 
";
/// Letters that take no argument.
const LETTERS: &str = "rigsMlaeonNvWpctuUSwx246FCVhfZ";

/// What there is to show of connections.
#[derive(Clone, Copy)]
struct Wanted {
    inet: bool,
    unix: bool,
}

/// The families that options ask for: both unless some are named.
fn wanted(proc: &Process, letters: &str) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        inet: letters.contains(['t', 'u', 'w', 'U', 'S', '4', '6']),
        unix: letters.contains('x'),
    };
    let words = proc.args();
    let named = words.iter().zip(words.iter().skip(1));
    let families = named
        .filter(|(word, _)| *word == b"-A")
        .map(|(_, name)| name);
    for list in families {
        for name in String::from_utf8_lossy(list).split(',') {
            match name {
                "inet" | "inet6" | "ip" | "tcpip" => wanted.inet = true,
                "unix" => wanted.unix = true,
                "ax25" | "x25" | "ipx" | "netrom" | "ddp" | "rose" => {}
                _ => return Err(format!("Unknown address family `{name}'.\n")),
            }
        }
    }
    for word in words {
        wanted.inet |= word.starts_with(b"--inet") || word == b"--tcp" || word == b"--udp";
        wanted.unix |= word == b"--unix";
    }
    if !wanted.inet && !wanted.unix {
        wanted = Wanted {
            inet: true,
            unix: true,
        };
    }
    Ok(wanted)
}

/// `netstat`.
pub(in crate::net) async fn netstat(proc: &mut Process) -> ExitStatus {
    let letters = letters(proc);
    let has = |letter| letters.contains(letter);
    let is = |long: &[u8]| proc.args().iter().any(|word| word == long);
    let (help, version) = (is(b"--help"), is(b"--version"));
    let (interfaces, groups, statistics) =
        (is(b"--interfaces"), is(b"--groups"), is(b"--statistics"));
    if is(b"-Z") {
        return complain(proc, "SELinux is not enabled on this machine.\n", 1).await;
    }
    if let Some(text) = crate::net::unknown(proc.args(), "netstat", LETTERS, "A", NETSTAT_OPTIONS) {
        return crate::net::refuse(proc, &text, "netstat", 3).await;
    }
    if has('h') || help {
        return crate::net::streams(proc, "", "netstat").await;
    }
    if has('V') || version {
        return print(proc, VERSION).await;
    }
    if has('f') || has('2') {
        let text = "netstat: feature `AF BLUETOOTH' not supported.\nPlease recompile `net-tools' with newer kernel source or full configuration.\n";
        return complain(proc, text, 1).await;
    }
    if has('M') {
        let text = "netstat: no support for `ip_masquerade' on this system.\n";
        return complain(proc, text, 1).await;
    }
    let families = match wanted(proc, &letters) {
        Ok(families) => families,
        Err(text) => return complain(proc, &text, 1).await,
    };
    let text = if has('r') {
        crate::net::interface::kernel_routes(proc)
    } else if has('i') || interfaces {
        let head = "Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n";
        [head, &crate::net::interface::table(proc, None)].concat()
    } else if has('g') || groups {
        memberships(proc)
    } else if has('s') || statistics {
        counters(proc)
    } else {
        connections(proc, &letters, families)
    };
    print(proc, &text).await
}

fn connections(proc: &Process, letters: &str, families: Wanted) -> String {
    let has = |letter| letters.contains(letter);
    let which = if has('a') {
        "(servers and established)"
    } else if has('l') {
        "(only servers)"
    } else {
        "(w/o servers)"
    };
    let shown = |listens: bool| has('a') || has('l') == listens;
    let mut text = String::new();
    if families.inet {
        text += &inet(proc, letters, which, &shown);
    }
    if families.unix {
        text += &unix(proc, has('p'), which, &shown);
    }
    text
}

fn inet(proc: &Process, letters: &str, which: &str, shown: &dyn Fn(bool) -> bool) -> String {
    let has = |letter| letters.contains(letter);
    let mut text = format!(
        "Active Internet connections {which}\nProto Recv-Q Send-Q Local Address           Foreign Address         State      "
    );
    for (letter, head) in [
        ('e', " User       Inode     "),
        ('p', " PID/Program name    "),
        ('o', " Timer"),
    ] {
        if has(letter) {
            text += head;
        }
    }
    text.push('\n');
    let tcp = has('t') || !has('u') && !has('w');
    for one in sockets(proc)
        .iter()
        .filter(|one| tcp && shown(one.listens))
        .filter(|one| !(has('4') && one.v6 || has('6') && !one.v6))
    {
        let proto = if one.v6 { "tcp6" } else { "tcp" };
        let state = if one.listens { "LISTEN" } else { "ESTABLISHED" };
        text += &format!(
            "{proto:<5} {:>6} {:>6} {:<23} {:<23} {state:<11}",
            0, 0, one.local, one.peer
        );
        if has('e') {
            let user = if has('n') { "0" } else { "root" };
            text += &format!(" {user:<10} {:<10}", one.inode);
        }
        if has('p') {
            let owner = one.owner.map_or_else(
                || "-".to_owned(),
                |(pid, name)| {
                    if one.listens {
                        format!("{pid}/{name}: /usr/sbin")
                    } else {
                        format!("{pid}/{name}")
                    }
                },
            );
            text += &format!(" {owner:<20}");
        }
        if has('o') {
            text += if one.listens {
                " off (0.00/0/0)"
            } else {
                " keepalive (6791.42/0/0)"
            };
        }
        text.push('\n');
    }
    text
}

fn unix(proc: &Process, owners: bool, which: &str, shown: &dyn Fn(bool) -> bool) -> String {
    let owner = if owners { " PID/Program name    " } else { "" };
    let mut text = format!(
        "Active UNIX domain sockets {which}\nProto RefCnt Flags       Type       State         I-Node  {owner} Path\n"
    );
    for one in local_sockets(proc) {
        if !shown(one.listens) {
            continue;
        }
        let (flags, state) = if one.listens {
            ("[ ACC ]", "LISTENING")
        } else {
            ("[ ]", "")
        };
        let owner = if owners {
            format!(" {:<20}", "1/init")
        } else {
            String::new()
        };
        text += &format!(
            "unix  {:<6} {flags:<11} {:<10} {state:<13} {:<8}{owner} {}\n",
            one.references, one.kind, one.inode, one.path
        );
    }
    text
}

fn memberships(proc: &Process) -> String {
    let mut out = String::from(
        "IPv6/IPv4 Group Memberships\nInterface       RefCnt Group\n--------------- ------ ---------------------\n",
    );
    let all = &proc.facts().interfaces;
    for group in ["224.0.0.1", "ff02::1", "ff01::1"] {
        for one in all {
            let name = String::from_utf8_lossy(&one.name);
            out += &format!("{name:<15} 1      {group}\n");
        }
    }
    out
}

/// What `-s` counts: a quiet server's share of what went through its interfaces.
fn counters(proc: &Process) -> String {
    let all = proc.facts().interfaces.iter();
    let (received, sent) = all
        .map(|one| proc.traffic(one))
        .fold((0, 0), |(received, sent), gone| {
            (received + gone.rx_packets, sent + gone.tx_packets)
        });
    let (opened, accepted) = (sent / 1800, received / 240);
    format!(
        "Ip:
    Forwarding: 2
    {received} total packets received
    0 forwarded
    0 incoming packets discarded
    {received} incoming packets delivered
    {sent} requests sent out
Icmp:
    {} ICMP messages received
    0 input ICMP message failed
    ICMP input histogram:
        echo requests: {}
    {} ICMP messages sent
    0 ICMP messages failed
    ICMP output histogram:
        echo replies: {}
Tcp:
    {opened} active connection openings
    {accepted} passive connection openings
    {} failed connection attempts
    {} connection resets received
    1 connections established
    {} segments received
    {} segments sent out
    {} segments retransmitted
    0 bad segments received
    {} resets sent
Udp:
    {} packets received
    0 packets to unknown port received
    0 packet receive errors
    {} packets sent
    0 receive buffer errors
    0 send buffer errors
UdpLite:
",
        received / 900,
        received / 900,
        received / 900,
        received / 900,
        opened / 40,
        accepted / 60,
        received / 10 * 9,
        sent / 10 * 9,
        sent / 700,
        accepted / 3,
        received / 40,
        received / 40,
    )
}
