//! Sockets: `netstat` of net-tools, `ss` of iproute2. What listens are the daemons in the process
//! table; what is connected is the session somebody sits in.

use sundew_kernel::{ExitStatus, Process};

mod netstat;
mod ss;

pub(super) use netstat::netstat;
pub(super) use ss::ss;

/// One TCP socket.
struct Socket {
    local: String,
    peer: String,
    v6: bool,
    listens: bool,
    owner: Option<(u32, &'static str)>,
    inode: u64,
}

fn sockets(proc: &Process) -> Vec<Socket> {
    let all = proc.processes();
    let sshd = all
        .iter()
        .find(|one| one.name == b"sshd")
        .map(|one| (one.pid, "sshd"));
    let known = proc.sockets();
    let inode = |port: u16, listens: bool| {
        let mut all = known.iter();
        all.find(|one| one.local.port() == port && one.remote.is_none() == listens)
            .map_or(0, |one| one.inode)
    };
    let mut out = Vec::new();
    if sshd.is_some() {
        out.push(Socket {
            local: "0.0.0.0:22".to_owned(),
            peer: "0.0.0.0:*".to_owned(),
            v6: false,
            listens: true,
            owner: sshd,
            inode: inode(22, true),
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
            inode: inode(server_port.parse().unwrap_or(22), false),
        });
    }
    if sshd.is_some() {
        out.push(Socket {
            local: ":::22".to_owned(),
            peer: ":::*".to_owned(),
            v6: true,
            listens: true,
            owner: sshd,
            inode: inode(22, true),
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

/// A socket of the UNIX domain, as `/proc/net/unix` has it.
struct Local {
    references: u32,
    kind: &'static str,
    listens: bool,
    inode: String,
    path: String,
}

fn local_sockets(proc: &Process) -> Vec<Local> {
    let text = proc.read_small_file(b"/proc/net/unix").unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let rows = text.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, references, _, flags, kind, _, inode, rest @ ..] = words.as_slice() else {
            return None;
        };
        let kind = match *kind {
            "0002" => "DGRAM",
            "0005" => "SEQPACKET",
            _ => "STREAM",
        };
        Some(Local {
            references: u32::from_str_radix(references, 16).unwrap_or(2),
            kind,
            // __SO_ACCEPTCON
            listens: kind != "DGRAM" && *flags == "00010000",
            inode: (*inode).to_owned(),
            path: rest.join(" "),
        })
    });
    rows.collect()
}

async fn complain(proc: &mut Process, text: &str, status: u8) -> ExitStatus {
    proc.print_error(text.as_bytes()).await;
    ExitStatus::Exited(status)
}
