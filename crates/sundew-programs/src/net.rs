//! Programs that speak to the network, or about it.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::program::Program;
use sundew_kernel::{ExitStatus, Process};

mod curl;
pub(crate) mod fetch;
mod ifupdown;
mod interface;
mod iptables;
mod nc;
mod ping;
pub(crate) mod pipe;
mod scp;
mod sftp;
mod sftp_server;
mod socket;
pub(crate) mod ssh;
mod sshd;
mod traffic;
mod wget;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "arp",
        run: |p| Box::pin(interface::arp(p)),
    },
    Program {
        name: "curl",
        run: |p| Box::pin(curl::run(p)),
    },
    Program {
        name: "ifconfig",
        run: |p| Box::pin(interface::ifconfig(p)),
    },
    Program {
        name: "ifup",
        run: |p| Box::pin(ifupdown::run(p)),
    },
    Program {
        name: "mii-tool",
        run: |p| Box::pin(traffic::mii_tool(p)),
    },
    Program {
        name: "tc",
        run: |p| Box::pin(traffic::tc(p)),
    },
    Program {
        name: "sshd",
        run: |p| Box::pin(sshd::run(p)),
    },
    Program {
        name: "ip",
        run: |p| Box::pin(interface::ip(p)),
    },
    Program {
        name: "nc",
        run: |p| Box::pin(nc::run(p)),
    },
    Program {
        name: "netstat",
        run: |p| Box::pin(socket::netstat(p)),
    },
    Program {
        name: "ping",
        run: |p| Box::pin(ping::run(p)),
    },
    Program {
        name: "route",
        run: |p| Box::pin(interface::route(p)),
    },
    Program {
        name: "ss",
        run: |p| Box::pin(socket::ss(p)),
    },
    Program {
        name: "scp",
        run: |p| Box::pin(scp::run(p)),
    },
    Program {
        name: "sftp",
        run: |p| Box::pin(sftp::run(p)),
    },
    Program {
        name: "sftp-server",
        run: |p| Box::pin(sftp_server::run(p)),
    },
    Program {
        name: "ssh",
        run: |p| Box::pin(ssh::run(p)),
    },
    Program {
        name: "ssh-add",
        run: |p| Box::pin(ssh::helper::add(p)),
    },
    Program {
        name: "ssh-agent",
        run: |p| Box::pin(ssh::helper::agent(p)),
    },
    Program {
        name: "ssh-keyscan",
        run: |p| Box::pin(ssh::helper::scan(p)),
    },
    Program {
        name: "wget",
        run: |p| Box::pin(wget::run(p)),
    },
    Program {
        name: "xtables-legacy-multi",
        run: |p| Box::pin(iptables::run(p)),
    },
    Program {
        name: "xtables-nft-multi",
        run: |p| Box::pin(iptables::run(p)),
    },
];

/// Sections `=== NAME`, each followed by what NAME says of its options.
const HELP: &str = include_str!("net/help.txt");

/// What a program says of its options.
pub(crate) fn help(name: &str) -> &'static str {
    let section = HELP
        .split("=== ")
        .find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'));
    section.unwrap_or_default()
}

/// A whole file; nothing if it cannot be read.
pub(crate) async fn read_file(proc: &Process, path: &[u8]) -> Vec<u8> {
    let Ok(fd) = proc.open(path, OpenFlags::READ, 0).await else {
        return Vec::new();
    };
    let text = proc.read_to_end(fd).await.map(|(text, _)| text);
    // Opened above.
    let _open = proc.close(fd);
    text.unwrap_or_default()
}

/// A complaint and the program's usage.
pub(crate) async fn refuse(
    proc: &mut Process,
    complaint: &str,
    name: &str,
    status: u8,
) -> ExitStatus {
    proc.print_error([complaint, help(name)].concat().as_bytes())
        .await;
    ExitStatus::Exited(status)
}

/// A complaint and a usage of net-tools, whose headings go to standard output and whose lists of address
/// families go to standard error.
pub(crate) async fn streams(proc: &mut Process, complaint: &str, name: &str) -> ExitStatus {
    let text = help(name);
    let at = text.find("    inet (DARPA").unwrap_or(text.len());
    let (usage, lists) = text.split_at(at);
    proc.print_error(complaint.as_bytes()).await;
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(usage.as_bytes()).await;
    let _closed = proc.flush().await;
    proc.print_error(lists.as_bytes()).await;
    proc.status()
}

/// The first option that a program does not know, in getopt's words.
pub(crate) fn unknown(
    args: &[Vec<u8>],
    name: &str,
    letters: &str,
    with_value: &str,
    long: &[&str],
) -> Option<String> {
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let word = String::from_utf8_lossy(word);
        if word == "--" {
            return None;
        }
        if let Some(option) = word.strip_prefix("--") {
            let option = option.split('=').next().unwrap_or_default();
            if !long.iter().any(|known| known.starts_with(option)) {
                return Some(format!("{name}: unrecognized option '--{option}'\n"));
            }
            continue;
        }
        let Some(given) = word.strip_prefix('-') else {
            continue;
        };
        for (at, letter) in given.char_indices() {
            if with_value.contains(letter) {
                if at + letter.len_utf8() == given.len() && words.next().is_none() {
                    return Some(format!(
                        "{name}: option requires an argument -- '{letter}'\n"
                    ));
                }
                break;
            }
            if !letters.contains(letter) {
                return Some(format!("{name}: invalid option -- '{letter}'\n"));
            }
        }
    }
    None
}
