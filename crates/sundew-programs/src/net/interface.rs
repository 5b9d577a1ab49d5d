//! Interfaces and routes: `ip` of iproute2 6.1, `ifconfig`, `route` and `arp` of net-tools.

use std::net::Ipv4Addr;

use sundew_kernel::facts::Interface;
use sundew_kernel::{ExitStatus, Process};

mod ifconfig;
mod ip;
mod route;

pub(super) use ifconfig::{ifconfig, table};
pub(super) use ip::ip;
pub(super) use route::{arp, kernel_routes, route};

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

/// Packets and bytes received, packets and bytes sent since boot.
fn traffic(proc: &Process, interface: &Interface) -> (u64, u64, u64, u64) {
    let gone = proc.traffic(interface);
    (
        gone.rx_packets,
        gone.rx_bytes,
        gone.tx_packets,
        gone.tx_bytes,
    )
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

/// The machine's interface of that name.
fn known<'a>(proc: &'a Process, name: &str) -> Option<&'a Interface> {
    let all = proc.facts().interfaces.iter();
    all.into_iter().find(|one| text(&one.name) == name)
}

/// Whether a router is in one of the machine's own networks.
fn on_link(proc: &Process, router: Ipv4Addr) -> bool {
    let all = proc.facts().interfaces.iter();
    all.filter_map(|one| one.ipv4).any(|(own, prefix)| {
        let mask = mask(prefix);
        u32::from(own) & mask == u32::from(router) & mask
    })
}
