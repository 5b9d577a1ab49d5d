//! What `ip` shows: interfaces, routes, neighbours.

use std::net::Ipv4Addr;

use sundew_kernel::Process;
use sundew_kernel::facts::Interface;

use super::super::{gateway, is_loopback, mac, mask, networks, on_link, text, traffic};
use super::{Manner, Refusal, kernel_says, no_prefix, prefix};

/// The rules that every machine has.
pub(super) const RULES: &str =
    "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n";

/// How far the interface's address of IPv4 reaches.
pub(super) fn scope4(one: &Interface) -> &'static str {
    if is_loopback(one) { "host" } else { "global" }
}

/// How far an address of IPv6 reaches.
pub(super) fn scope6(one: &Interface, address: std::net::Ipv6Addr) -> &'static str {
    if is_loopback(one) {
        "host"
    } else if address.segments().first() == Some(&0xfe80) {
        "link"
    } else {
        "global"
    }
}

/// One interface as `ip address` or `ip link` show it.
pub(super) fn interface(
    proc: &Process,
    one: &Interface,
    number: usize,
    link: bool,
    manner: Manner,
) -> String {
    if manner.brief {
        return brief_row(one, link);
    }
    let (no4, no6, oneline) = (manner.only6, manner.only4, manner.oneline);
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
    let in_scope = |scope| manner.scope.is_none_or(|wanted| wanted == scope);
    let four = one.ipv4.filter(|_| !link && !no4 && in_scope(scope4(one)));
    if let Some((address, prefix)) = four {
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
    let six = one.ipv6.filter(|_| !link && !no6);
    if let Some((address, prefix)) = six.filter(|(address, _)| in_scope(scope6(one, *address))) {
        rows.push((
            format!("inet6 {address}/{prefix} scope {} ", scope6(one, address)),
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
    if link || !(no4 || no6) {
        out += &format!("{hardware}\n");
    }
    for (row, lifetime) in rows {
        out += &format!("    {row}\n       {lifetime}\n");
    }
    if manner.statistics {
        let (rx, rx_bytes, tx, tx_bytes) = traffic(proc, one);
        out += &format!(
            "    RX:  bytes packets errors dropped  missed   mcast           \n{rx_bytes:>14} {rx:>7} {:>6} {:>7} {:>7} {:>7} \n",
            0, 0, 0, 0
        );
        out += &format!(
            "    TX:  bytes packets errors dropped carrier collsns           \n{tx_bytes:>14} {tx:>7} {:>6} {:>7} {:>7} {:>7} \n",
            0, 0, 0, 0
        );
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

/// The routing table, or what it has for one destination.
pub(super) fn routes(proc: &Process, to: Option<&str>) -> String {
    let mut out = String::new();
    let wanted = |name: &str| to.is_none_or(|to| to == name || to == "all" || to == "any");
    if let Some((gateway, name)) = gateway(proc).filter(|_| wanted("default")) {
        out += &format!("default via {gateway} dev {name} onlink \n");
    }
    for (network, prefix, name, own) in networks(proc) {
        if wanted(&format!("{network}/{prefix}")) {
            out += &format!("{network}/{prefix} dev {name} proto kernel scope link src {own} \n");
        }
    }
    out
}

/// Which way something goes.
pub(super) fn route_to(proc: &Process, target: &str) -> Result<String, Refusal> {
    let Some((address, _)) = prefix(target) else {
        return no_prefix(target);
    };
    let own = proc.facts().interfaces.iter();
    let local = own
        .filter_map(|one| one.ipv4)
        .find(|(own, _)| *own == address);
    if address.is_loopback() || local.is_some() {
        return Ok(format!(
            "local {address} dev lo src {address} uid 0 \n    cache <local> \n"
        ));
    }
    let (Some((gateway, name)), Some((.., own))) =
        (gateway(proc), networks(proc).into_iter().next())
    else {
        return kernel_says(sundew_kernel::Errno::Enetunreach);
    };
    if on_link(proc, address) {
        return Ok(format!(
            "{address} dev {name} src {own} uid 0 \n    cache \n"
        ));
    }
    Ok(format!(
        "{address} via {gateway} dev {name} src {own} uid 0 \n    cache \n"
    ))
}

/// Whom the machine has heard of: its router.
pub(super) fn neighbours(proc: &Process) -> String {
    gateway(proc).map_or_else(String::new, |(gateway, name)| {
        format!("{gateway} dev {name} lladdr fe:00:00:00:01:01 REACHABLE\n")
    })
}

/// Multicast groups that every interface is in.
pub(super) fn groups(proc: &Process) -> String {
    let mut out = String::new();
    for (at, one) in proc.facts().interfaces.iter().enumerate() {
        out += &format!("{}:\t{}\n", at + 1, text(&one.name));
        if !is_loopback(one) {
            let [.., a, b, c] = one.mac;
            out += "\tlink  33:33:00:00:00:01\n\tlink  01:00:5e:00:00:01\n";
            out += &format!("\tlink  33:33:ff:{a:02x}:{b:02x}:{c:02x}\n");
        }
        out += "\tinet  224.0.0.1\n";
        if let Some((address, _)) = one.ipv6.filter(|_| !is_loopback(one)) {
            let [.., a, b] = address.segments();
            let a = a & 0xff;
            out += &format!("\tinet6 ff02::1:ff{a:02x}:{b:x}\n");
        }
        out += "\tinet6 ff02::1\n\tinet6 ff01::1\n";
    }
    out
}
