//! `ss` of iproute2 6.1.

use sundew_kernel::{ExitStatus, Process};

use super::{Socket, complain, letters, local_sockets, print, sockets};

mod filter;

/// `ss`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(in crate::net) async fn ss(proc: &mut Process) -> ExitStatus {
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
    if let Some(text) = crate::net::unknown(proc.args(), "ss", known, "fADFN", &long) {
        return crate::net::refuse(proc, &text, "ss", 255).await;
    }
    let letters = letters(proc);
    let has = |letter| letters.contains(letter);
    if proc
        .args()
        .iter()
        .any(|word| word == b"--help" || word == b"-h")
    {
        return print(proc, crate::net::help("ss")).await;
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
    let words = proc.args().iter().skip(1);
    let words: Vec<String> = words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let asked = match filter::Asked::read(&words) {
        Ok(asked) => asked,
        Err(filter::Refusal::Usage(text)) => {
            return crate::net::refuse(proc, &text, "ss", 255).await;
        }
        Err(filter::Refusal::Plain(text, status)) => return complain(proc, &text, status).await,
    };
    let only_unix = has('x') && !has('t') && !has('u') && !has('w') || asked.family == Some("unix");
    let tcp = has('t') || !has('u') && !has('w');
    let shown: Vec<Socket> = sockets(proc)
        .into_iter()
        .filter(|one| tcp && !only_unix && asked.takes(one, has('l'), has('a')))
        .filter(|one| !(has('4') && one.v6 || has('6') && !one.v6))
        .collect();
    let locals: Vec<super::Local> = if only_unix {
        local_sockets(proc)
            .into_iter()
            .filter(|one| has('a') || has('l') == (one.listens || one.kind == "DGRAM"))
            .collect()
    } else {
        Vec::new()
    };
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
    let netid = only_unix || !(has('t') ^ has('u') ^ has('w')) || has('t') && has('u');
    let named_state = !asked.one_state;
    let mut rows: Vec<[String; 6]> = shown
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
    let mut kinds: Vec<(&str, u32)> = shown
        .iter()
        .map(|one| ("tcp", if one.listens { 128 } else { 0 }))
        .collect();
    for one in locals {
        let kind = match one.kind {
            "DGRAM" => "u_dgr",
            "SEQPACKET" => "u_seq",
            _ => "u_str",
        };
        kinds.push((kind, if one.listens { 4096 } else { 0 }));
        let state = if one.listens { "LISTEN" } else { "UNCONN" };
        let [state, other, none] = [state, "*", "0"].map(str::to_owned);
        rows.push([state, one.path, one.inode, other, none, String::new()]);
    }
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
    if !has('H') {
        if netid {
            text += "Netid ";
        }
        if named_state {
            text += &format!("{:<state$} ", "State");
        }
        text += &format!(
            "{:<6} {:<6} {:>local$}:{:<port$} {:>peer$}:{:<peer_port$}Process\n",
            "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port"
        );
    }
    for ([what, host, number, other, other_number, owner], (kind, queue)) in rows.iter().zip(&kinds)
    {
        if netid {
            text += &format!("{kind:<5} ");
        }
        if named_state {
            text += &format!("{what:<state$} ");
        }
        text += &format!(
            "{:<6} {queue:<6} {host:>local$}:{number:<port$} {other:>peer$}:{other_number:<peer_port$}{owner}\n",
            0
        );
    }
    print(proc, &text).await
}
