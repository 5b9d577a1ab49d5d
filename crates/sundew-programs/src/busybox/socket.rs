//! `netstat` in BusyBox's own form.

use std::net::SocketAddr;

use sundew_kernel::socket::{Protocol, SocketInfo};
use sundew_kernel::{ExitStatus, Process};

use super::borrowed::text_of;
use super::{interface, printed};

/// What to list.
struct Wanted {
    letters: String,
}

impl Wanted {
    fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    /// Whether a family is asked for; all are if none is.
    fn family(&self, letter: char) -> bool {
        self.has(letter) || !"tuwx".chars().any(|family| self.has(family))
    }
}

/// `netstat`.
pub(super) async fn netstat(proc: &mut Process) -> ExitStatus {
    let letters = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| word.starts_with(b"-"))
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let wanted = Wanted { letters };
    if wanted.has('r') {
        let table = interface::route_table(proc, wanted.has('n'), true);
        return printed(proc, table.as_bytes()).await;
    }
    let which = if wanted.has('a') {
        "servers and established"
    } else if wanted.has('l') {
        "only servers"
    } else {
        "w/o servers"
    };
    let mut out = String::new();
    if ['t', 'u', 'w'].iter().any(|&family| wanted.family(family)) {
        out += &format!("Active Internet connections ({which})\n");
        out += "Proto Recv-Q Send-Q Local Address           Foreign Address         State       \n";
        let sockets = proc.sockets();
        for family in [Protocol::Tcp, Protocol::Udp] {
            let letter = if family == Protocol::Tcp { 't' } else { 'u' };
            for socket in sockets.iter().filter(|socket| socket.protocol == family) {
                let listens = socket.remote.is_none();
                let shown = wanted.has('a') || listens == wanted.has('l');
                if wanted.family(letter) && shown {
                    out += &row(proc, socket, wanted.has('n'));
                }
            }
        }
    }
    if wanted.family('x') {
        out += &format!("Active UNIX domain sockets ({which})\n");
        out += "Proto RefCnt Flags       Type       State         I-Node Path\n";
        out += &unix(proc, &wanted).await;
    }
    printed(proc, out.as_bytes()).await
}

fn row(proc: &Process, socket: &SocketInfo, numeric: bool) -> String {
    let (name, state) = match (socket.protocol, socket.remote) {
        (Protocol::Tcp, None) => ("tcp", "LISTEN"),
        (Protocol::Tcp, Some(_)) => ("tcp", "ESTABLISHED"),
        (Protocol::Udp, None) => ("udp", ""),
        (Protocol::Udp, Some(_)) => ("udp", "ESTABLISHED"),
    };
    let local = end(proc, socket.local, numeric);
    let remote = match socket.remote {
        Some(remote) => end(proc, remote, numeric),
        None if socket.local.is_ipv6() => ":::*".to_owned(),
        None => "0.0.0.0:*".to_owned(),
    };
    format!(
        "{name}   {:6} {:6} {local:<23} {remote:<23} {state:<12}\n",
        0, 0
    )
}

/// An end with its port; without `-n` the machine itself goes by its name.
fn end(proc: &Process, address: SocketAddr, numeric: bool) -> String {
    if !numeric && address.ip().is_loopback() {
        return format!("localhost:{}", address.port());
    }
    let own =
        |one: &sundew_kernel::facts::Interface| one.ipv4.is_some_and(|(ip, _)| address.ip() == ip);
    if !numeric && proc.facts().interfaces.iter().any(own) {
        let host = String::from_utf8_lossy(&proc.hostname()).into_owned();
        return format!("{host}:{}", address.port());
    }
    match address {
        SocketAddr::V4(address) => address.to_string(),
        SocketAddr::V6(address) => format!("{}:{}", address.ip(), address.port()),
    }
}

/// The local sockets, from the kernel's own list.
async fn unix(proc: &Process, wanted: &Wanted) -> String {
    let table = text_of(proc, b"/proc/net/unix").await;
    let table = String::from_utf8_lossy(&table).into_owned();
    let mut out = String::new();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, count, _, flags, kind, state, inode, rest @ ..] = fields.as_slice() else {
            continue;
        };
        let listens = u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & 0x1_0000 != 0);
        if !wanted.has('a') && listens != wanted.has('l') {
            continue;
        }
        let kind = match *kind {
            "0001" => "STREAM",
            "0002" => "DGRAM",
            "0005" => "SEQPACKET",
            _ => "RAW",
        };
        let state = match *state {
            "01" if listens => "LISTENING",
            "03" => "CONNECTED",
            _ => "",
        };
        let count = u32::from_str_radix(count, 16).unwrap_or(0);
        let flags = if listens { "[ ACC ]" } else { "[ ]" };
        let path = rest.first().copied().unwrap_or_default();
        out += &format!("unix  {count:<6} {flags:<11} {kind:<10} {state:<13} {inode:>6} {path}\n");
    }
    out
}
