//! `/proc/net`: interfaces, routes, sockets; proc(5).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::machine::Kernel;
use crate::socket::{Protocol, SocketInfo};

/// The name of an interface as text.
fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn dev(kernel: &Kernel) -> Vec<u8> {
    let mut out = String::from(
        "Inter-|   Receive                                                |  Transmit\n \
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n",
    );
    for interface in &kernel.facts.interfaces {
        let t = kernel.traffic(interface);
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            out,
            "{:>6}: {:>7} {:>7}    0    0    0     0          0         0 {:>8} {:>7}    0    0    0     0       0          0",
            name(&interface.name),
            t.rx_bytes,
            t.rx_packets,
            t.tx_bytes,
            t.tx_packets
        );
    }
    out.into_bytes()
}

pub(super) fn route(kernel: &Kernel) -> Vec<u8> {
    let mut out =
        row("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
    for interface in &kernel.facts.interfaces {
        let Some((address, prefix)) = interface.ipv4.filter(|_| interface.name != b"lo") else {
            continue;
        };
        let mask = u32::MAX
            .checked_shl(32 - u32::from(prefix.min(32)))
            .unwrap_or(0);
        let network = u32::from(address) & mask;
        let name = name(&interface.name);
        let gateway = u32::from(kernel.facts.gateway).swap_bytes();
        out += &row(&format!(
            "{name}\t00000000\t{gateway:08X}\t0003\t0\t0\t0\t00000000\t0\t0\t0"
        ));
        out += &row(&format!(
            "{name}\t{:08X}\t00000000\t0001\t0\t0\t0\t{:08X}\t0\t0\t0",
            network.swap_bytes(),
            mask.swap_bytes()
        ));
    }
    out.into_bytes()
}

/// A line of `/proc/net/route`, which the kernel fills up to 127 characters.
fn row(text: &str) -> String {
    format!("{text:<127}\n")
}

pub(super) fn arp(kernel: &Kernel) -> Vec<u8> {
    let mut out = String::from(
        "IP address       HW type     Flags       HW address            Mask     Device\n",
    );
    if let Some(interface) = kernel.facts.interfaces.get(1) {
        // The router's card: of another maker, the same on every look.
        let [_, _, _, d, e, f] = interface.mac;
        let _infallible = writeln!(
            out,
            "{:<16} 0x1         0x2         00:1c:73:{:02x}:{:02x}:{:02x}     *        {}",
            kernel.facts.gateway.to_string(),
            d ^ 0x5a,
            e ^ 0x33,
            f ^ 0x0f,
            name(&interface.name)
        );
    }
    out.into_bytes()
}

pub(super) fn if_inet6(kernel: &Kernel) -> Vec<u8> {
    let mut out = String::new();
    for (index, interface) in (1_u32..).zip(&kernel.facts.interfaces) {
        let Some((address, prefix)) = interface.ipv6 else {
            continue;
        };
        let scope = if address.is_loopback() { 0x10 } else { 0x20 };
        let _infallible = writeln!(
            out,
            "{:032x} {index:02x} {prefix:02x} {scope:02x} 80 {:>8}",
            u128::from(address),
            name(&interface.name)
        );
    }
    out.into_bytes()
}

pub(super) fn tcp(kernel: &Kernel) -> Vec<u8> {
    let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    table(kernel, Protocol::Tcp, false, &format!("{head:<149}\n"))
}

pub(super) fn tcp6(kernel: &Kernel) -> Vec<u8> {
    let head = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    table(kernel, Protocol::Tcp, true, head)
}

pub(super) fn udp(kernel: &Kernel) -> Vec<u8> {
    let head = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
    table(kernel, Protocol::Udp, false, &format!("{head:<127}\n"))
}

pub(super) fn udp6(kernel: &Kernel) -> Vec<u8> {
    let head = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";
    table(kernel, Protocol::Udp, true, head)
}

fn table(kernel: &Kernel, protocol: Protocol, v6: bool, head: &str) -> Vec<u8> {
    let sockets = kernel.sockets();
    let shown = sockets
        .iter()
        .filter(|socket| socket.protocol == protocol && socket.local.is_ipv6() == v6);
    let mut out = head.to_owned();
    for (number, socket) in shown.enumerate() {
        out += &line(number, socket);
    }
    out.into_bytes()
}

fn line(number: usize, socket: &SocketInfo) -> String {
    let any = SocketAddr::new(
        match socket.local.ip() {
            IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        },
        0,
    );
    let (local, remote) = (hex(socket.local), hex(socket.remote.unwrap_or(any)));
    let (uid, inode) = (socket.uid, socket.inode);
    match socket.protocol {
        Protocol::Tcp => {
            // 01 is ESTABLISHED, 0A LISTEN; the timer of a quiet connection keeps it alive.
            let (state, tail) = match socket.remote {
                Some(_) => (1, "02:000A5F3C 00000000"),
                None => (10, "00:00000000 00000000"),
            };
            let rest = match socket.remote {
                Some(_) => format!("{inode} 2 0000000000000000 20 4 29 10 -1"),
                None => format!("{inode} 1 0000000000000000 100 0 0 10 0"),
            };
            let text = format!(
                "{number:>4}: {local} {remote} {state:02X} 00000000:00000000 {tail} {uid:>5}        0 {rest}"
            );
            format!("{text:<149}\n")
        }
        Protocol::Udp => {
            let text = format!(
                "{number:>5}: {local} {remote} 07 00000000:00000000 00:00000000 00000000 {uid:>5}        0 {inode} 2 0000000000000000 0"
            );
            format!("{text:<127}\n")
        }
    }
}

/// An address as the kernel prints it: words in the byte order of the processor, the port in that of
/// the network.
fn hex(address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        IpAddr::V4(ip) => format!("{:08X}:{port:04X}", u32::from(ip).swap_bytes()),
        IpAddr::V6(ip) => {
            let words: String = ip
                .octets()
                .chunks_exact(4)
                .filter_map(|word| word.first_chunk().copied())
                .map(|word| format!("{:08X}", u32::from_le_bytes(word)))
                .collect();
            format!("{words}:{port:04X}")
        }
    }
}

pub(super) fn sockstat(kernel: &Kernel) -> Vec<u8> {
    let sockets = kernel.sockets();
    let count = |protocol| {
        sockets
            .iter()
            .filter(|socket| socket.protocol == protocol && socket.local.is_ipv4())
            .count()
    };
    let (tcp, udp) = (count(Protocol::Tcp), count(Protocol::Udp));
    format!(
        "sockets: used {}\nTCP: inuse {tcp} orphan 0 tw 0 alloc {} mem 1\nUDP: inuse {udp} mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n",
        sockets.len() + 127,
        tcp + 1
    )
    .into_bytes()
}

pub(super) fn unix(kernel: &Kernel) -> Vec<u8> {
    let mut out = String::from("Num       RefCount Protocol Flags    Type St Inode Path\n");
    let systemd = kernel.facts.os.id == b"debian";
    let shown = UNIX.iter().filter(|_| systemd);
    for (number, (kind, state, inode, path)) in (0_u64..).zip(shown) {
        let _infallible = writeln!(
            out,
            "{:016x}: 00000002 00000000 00010000 {kind:04x} {state:02x} {inode:>5} {path}",
            // What an unprivileged reader of a hardened kernel sees are hashes.
            0x8c4f_21e7_u64.wrapping_mul(number + 3) & 0xffff_ffff
        );
    }
    out.into_bytes()
}

/// Type, state, inode, path of the sockets that systemd and dbus listen on.
const UNIX: &[(u16, u8, u32, &str)] = &[
    (2, 1, 11_214, "/run/systemd/notify"),
    (1, 1, 11_217, "/run/systemd/private"),
    (1, 1, 11_226, "/run/systemd/io.system.ManagedOOM"),
    (2, 1, 11_230, "/run/systemd/journal/syslog"),
    (5, 1, 11_233, "/run/udev/control"),
    (1, 1, 11_236, "/run/systemd/journal/stdout"),
    (2, 1, 11_238, "/run/systemd/journal/socket"),
    (2, 1, 11_240, "/run/systemd/journal/dev-log"),
    (1, 1, 13_874, "/run/dbus/system_bus_socket"),
];
