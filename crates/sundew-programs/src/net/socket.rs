//! Sockets: `netstat` of net-tools, `ss` of iproute2. What listens are the daemons in the process
//! table; what is connected is the session somebody sits in.

use sundew_kernel::{ExitStatus, Process};

/// One TCP socket.
struct Socket {
    local: String,
    peer: String,
    v6: bool,
    listens: bool,
    owner: Option<(u32, &'static str)>,
}

fn sockets(proc: &Process) -> Vec<Socket> {
    let all = proc.processes();
    let sshd = all
        .iter()
        .find(|one| one.name == b"sshd")
        .map(|one| (one.pid, "sshd"));
    let mut out = Vec::new();
    if sshd.is_some() {
        out.push(Socket {
            local: "0.0.0.0:22".to_owned(),
            peer: "0.0.0.0:*".to_owned(),
            v6: false,
            listens: true,
            owner: sshd,
        });
    }
    // CLIENT PORT SERVER PORT, as sshd puts it into the environment.
    let connection =
        String::from_utf8_lossy(proc.env().value(b"SSH_CONNECTION").unwrap_or_default())
            .into_owned();
    let parts: Vec<&str> = connection.split(' ').collect();
    if let [client, client_port, server, server_port] = parts.as_slice() {
        out.push(Socket {
            local: format!("{server}:{server_port}"),
            peer: format!("{client}:{client_port}"),
            v6: client.contains(':'),
            listens: false,
            owner: sshd,
        });
    }
    if sshd.is_some() {
        out.push(Socket {
            local: ":::22".to_owned(),
            peer: ":::*".to_owned(),
            v6: true,
            listens: true,
            owner: sshd,
        });
    }
    out
}

async fn print(proc: &mut Process, text: &str) -> ExitStatus {
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(text.as_bytes()).await;
    proc.status()
}

/// The letters of all short options, and long options by their first letter.
fn letters(proc: &Process) -> String {
    let mut out = String::new();
    for word in proc.args().iter().skip(1) {
        match word.as_slice() {
            b"--listening" => out.push('l'),
            b"--all" => out.push('a'),
            b"--tcp" => out.push('t'),
            b"--udp" => out.push('u'),
            b"--numeric" => out.push('n'),
            b"--programs" | b"--processes" => out.push('p'),
            b"--route" => out.push('r'),
            b"--summary" => out.push('s'),
            other if other.starts_with(b"--") => {}
            other => out.push_str(&String::from_utf8_lossy(
                other.strip_prefix(b"-").unwrap_or_default(),
            )),
        }
    }
    out
}

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

/// `netstat`.
pub(super) async fn netstat(proc: &mut Process) -> ExitStatus {
    let letters = letters(proc);
    let has = |letter| letters.contains(letter);
    let known = "rigsMlaeonNvWpctuUSwx246FCVhI";
    if proc.args().iter().any(|word| word == b"-Z") {
        return complain(proc, "SELinux is not enabled on this machine.\n", 1).await;
    }
    if let Some(text) = super::unknown(proc.args(), "netstat", known, "A", NETSTAT_OPTIONS) {
        return super::refuse(proc, &text, "netstat", 3).await;
    }
    if has('r') {
        let text = super::interface::kernel_routes(proc);
        return print(proc, &text).await;
    }
    let which = if has('l') {
        "(only servers)"
    } else if has('a') {
        "(servers and established)"
    } else {
        "(w/o servers)"
    };
    let mut text = format!(
        "Active Internet connections {which}\nProto Recv-Q Send-Q Local Address           Foreign Address         State      "
    );
    if has('p') {
        text += " PID/Program name    ";
    }
    text.push('\n');
    let tcp = has('t') || !has('u') && !has('x') && !has('w');
    for one in sockets(proc).iter().filter(|one| {
        tcp && if has('l') {
            one.listens
        } else {
            has('a') || !one.listens
        }
    }) {
        let proto = if one.v6 { "tcp6" } else { "tcp" };
        let state = if one.listens { "LISTEN" } else { "ESTABLISHED" };
        text += &format!(
            "{proto:<5} {:>6} {:>6} {:<23} {:<23} {state:<11}",
            0, 0, one.local, one.peer
        );
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
        text.push('\n');
    }
    if !has('t') && !has('u') && !has('w') {
        text += &format!(
            "Active UNIX domain sockets {which}\nProto RefCnt Flags       Type       State         I-Node   Path\n"
        );
    }
    print(proc, &text).await
}

async fn complain(proc: &mut Process, text: &str, status: u8) -> ExitStatus {
    proc.print_error(text.as_bytes()).await;
    ExitStatus::Exited(status)
}

/// `ss`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn ss(proc: &mut Process) -> ExitStatus {
    let long = [
        "help",
        "version",
        "numeric",
        "resolve",
        "all",
        "listening",
        "options",
        "extended",
        "memory",
        "processes",
        "threads",
        "info",
        "tipcinfo",
        "summary",
        "tos",
        "cgroup",
        "bpf",
        "events",
        "context",
        "contexts",
        "net",
        "ipv4",
        "ipv6",
        "packet",
        "tcp",
        "mptcp",
        "sctp",
        "udp",
        "dccp",
        "raw",
        "unix",
        "tipc",
        "vsock",
        "xdp",
        "family",
        "kill",
        "no-header",
        "oneline",
        "query",
        "socket",
        "diag",
        "filter",
        "inet-sockopt",
    ];
    let known = "hVnralomepTiszbEZ460MSHKOtuwxdqB";
    if let Some(text) = super::unknown(proc.args(), "ss", known, "fADFN", &long) {
        return super::refuse(proc, &text, "ss", 255).await;
    }
    let letters = letters(proc);
    let has = |letter| letters.contains(letter);
    if proc
        .args()
        .iter()
        .any(|word| word == b"--help" || word == b"-h")
    {
        return print(proc, super::help("ss")).await;
    }
    if proc
        .args()
        .iter()
        .any(|word| word == b"--version" || word == b"-V")
    {
        return print(proc, "ss utility, iproute2-6.1.0, libbpf 1.1.0\n").await;
    }
    if has('Z') || has('z') && !has('s') {
        return complain(proc, "ss: SELinux is not enabled.\n", 1).await;
    }
    if has('s') {
        let all = sockets(proc);
        let (count, established) = (all.len(), all.iter().filter(|one| !one.listens).count());
        return print(proc, &format!("Total: {}\nTCP:   {count} (estab {established}, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\nRAW\t  0         0         0        \nUDP\t  0         0         0        \nTCP\t  {count}         {}         1        \nINET\t  {count}         {}         1        \nFRAG\t  0         0         0        \n\n", count + 84, count - 1, count - 1)).await;
    }
    let tcp = has('t') || !has('u') && !has('x') && !has('w');
    let shown: Vec<Socket> = sockets(proc)
        .into_iter()
        .filter(|one| {
            tcp && if has('l') {
                one.listens
            } else {
                has('a') || !one.listens
            }
        })
        .collect();
    let place = |text: &str, v6: bool| {
        if v6 && text.starts_with(":::") {
            format!("[::]:{}", text.get(3..).unwrap_or_default())
        } else {
            text.to_owned()
        }
    };
    let split = |text: String| {
        text.rsplit_once(':')
            .map(|(host, port)| (host.to_owned(), port.to_owned()))
            .unwrap_or_default()
    };
    let netid = !has('t') || has('u');
    let rows: Vec<[String; 6]> = shown
        .iter()
        .map(|one| {
            let ((local, port), (peer, peer_port)) = (
                split(place(&one.local, one.v6)),
                split(place(&one.peer, one.v6)),
            );
            let owner = one
                .owner
                .filter(|_| has('p'))
                .map_or_else(String::new, |(pid, name)| {
                    format!(
                        "users:((\"{name}\",pid={pid},fd={}))",
                        if one.v6 { 4 } else { 3 }
                    )
                });
            [
                if one.listens { "LISTEN" } else { "ESTAB" }.to_owned(),
                local,
                port,
                peer,
                peer_port,
                owner,
            ]
        })
        .collect();
    let width = |column: usize, least: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(String::len)
            .max()
            .unwrap_or(0)
            .max(least)
    };
    let (state, local, port, peer, peer_port) = (
        width(0, 5),
        width(1, 13),
        width(2, 4),
        width(3, 12),
        width(4, 4),
    );
    let mut text = String::new();
    if netid {
        text += "Netid ";
    }
    text += &format!(
        "{:<state$} {:<6} {:<6} {:>local$}:{:<port$} {:>peer$}:{:<peer_port$}Process\n",
        "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port"
    );
    for ([what, host, number, other, other_number, owner], one) in rows.iter().zip(&shown) {
        if netid {
            text += "tcp   ";
        }
        let queue = if one.listens { 128 } else { 0 };
        text += &format!(
            "{what:<state$} {:<6} {queue:<6} {host:>local$}:{number:<port$} {other:>peer$}:{other_number:<peer_port$}{owner}\n",
            0
        );
    }
    print(proc, &text).await
}
