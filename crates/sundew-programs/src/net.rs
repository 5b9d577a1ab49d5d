//! Programs that speak to the network, or about it.

use sundew_kernel::program::Program;
use sundew_kernel::{ExitStatus, Process};

mod curl;
pub(crate) mod fetch;
mod interface;
mod iptables;
mod nc;
mod ping;
pub(crate) mod pipe;
mod socket;
mod ssh;
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
        run: |p| Box::pin(ssh::scp(p)),
    },
    Program {
        name: "ssh",
        run: |p| Box::pin(ssh::ssh(p)),
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

/// A complaint and the first line of a program's usage.
async fn refuse(proc: &mut Process, complaint: &str, name: &str, status: u8) -> ExitStatus {
    let usage = format!(
        "usage: {name} [-vWeenNcCF] [<Af>] -r         {name} {{-V|--version|-h|--help}}\n       {name} [-vWnNcaeol] [<Socket> ...]\n       {name} {{ [-vWeenNac] -i | [-cnNe] -M | -s [-6tuw] }}\n"
    );
    proc.print_error([complaint, &usage].concat().as_bytes())
        .await;
    ExitStatus::Exited(status)
}
