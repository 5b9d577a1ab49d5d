//! Interfaces, routes and neighbours in BusyBox's own form: ifconfig, ip, route, arp, brctl.

use std::net::{Ipv4Addr, Ipv6Addr};

use sundew_kernel::facts::Interface;
use sundew_kernel::{Errno, ExitStatus, Process};

use super::borrowed::text_of;
use super::{complain, printed, usage};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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

fn broadcast(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(address) | !mask(prefix))
}

fn scope(address: Ipv6Addr) -> &'static str {
    if address.is_loopback() {
        "Host"
    } else if address.is_unicast_link_local() {
        "Link"
    } else {
        "Global"
    }
}

/// The interface that has the default route.
fn outward(proc: &Process) -> Option<&Interface> {
    proc.facts()
        .interfaces
        .iter()
        .find(|one| !is_loopback(one) && one.ipv4.is_some())
}

/// `ifconfig`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn ifconfig(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    if words.first().is_some_and(|word| word == b"-a") {
        words.remove(0);
    }
    let all = proc.facts().interfaces.clone();
    let Some(name) = words.first().cloned() else {
        let mut out: Vec<&Interface> = all.iter().collect();
        out.sort_by_key(|one| is_loopback(one));
        let shown: String = out.into_iter().map(|one| configured(proc, one)).collect();
        return printed(proc, shown.as_bytes()).await;
    };
    // An alias has its interface's name in front of a colon.
    let device = name.split(|&byte| byte == b':').next().unwrap_or(&name);
    let found = all.iter().find(|one| one.name == device);
    if words.len() == 1 {
        let Some(found) = found else {
            let line = [
                name.as_slice(),
                b": error fetching interface information: Device not found",
            ]
            .concat();
            return complain(proc, "ifconfig", line).await;
        };
        let shown = configured(proc, found);
        return printed(proc, shown.as_bytes()).await;
    }
    let takes_value = [
        "mtu",
        "metric",
        "netmask",
        "broadcast",
        "pointopoint",
        "hw",
        "add",
        "del",
        "txqueuelen",
        "outfill",
        "keepalive",
        "mem_start",
        "io_addr",
        "irq",
        "dstaddr",
    ];
    let flags = [
        "up",
        "down",
        "arp",
        "-arp",
        "trailers",
        "-trailers",
        "promisc",
        "-promisc",
        "multicast",
        "-multicast",
        "allmulti",
        "-allmulti",
        "dynamic",
        "-dynamic",
    ];
    let mut rest = words.iter().skip(1).map(|word| text(word));
    while let Some(word) = rest.next() {
        if takes_value.contains(&word.as_str()) {
            if rest.next().is_none() {
                return usage::refuse(proc, b"ifconfig").await;
            }
        } else if !flags.contains(&word.as_str())
            && word
                .split('/')
                .next()
                .unwrap_or_default()
                .parse::<Ipv4Addr>()
                .is_err()
        {
            return complain(proc, "ifconfig", format!("bad address '{word}'")).await;
        }
    }
    let errno = match found {
        _ if proc.credentials().uid != 0 => Errno::Eperm,
        None => Errno::Enodev,
        Some(_) => return ExitStatus::SUCCESS,
    };
    let line = format!("SIOCGIFFLAGS: {}", errno.message());
    complain(proc, "ifconfig", line).await
}

fn configured(proc: &Process, one: &Interface) -> String {
    let name = text(&one.name);
    let mut out = if is_loopback(one) {
        format!("{name:<9} Link encap:Local Loopback  \n")
    } else {
        let address = mac(one).to_uppercase();
        format!("{name:<9} Link encap:Ethernet  HWaddr {address}  \n")
    };
    if let Some((address, prefix)) = one.ipv4 {
        let mask = Ipv4Addr::from(mask(prefix));
        let between = if is_loopback(one) {
            String::new()
        } else {
            format!("  Bcast:{}", broadcast(address, prefix))
        };
        out += &format!("          inet addr:{address}{between}  Mask:{mask}\n");
    }
    if let Some((address, prefix)) = one.ipv6 {
        let scope = scope(address);
        out += &format!("          inet6 addr: {address}/{prefix} Scope:{scope}\n");
    }
    let flags = if is_loopback(one) {
        "UP LOOPBACK RUNNING"
    } else {
        "UP BROADCAST RUNNING MULTICAST"
    };
    let traffic = proc.traffic(one);
    out += &format!("          {flags}  MTU:{}  Metric:1\n", one.mtu);
    out += &format!(
        "          RX packets:{} errors:0 dropped:0 overruns:0 frame:0\n",
        traffic.rx_packets
    );
    out += &format!(
        "          TX packets:{} errors:0 dropped:0 overruns:0 carrier:0\n",
        traffic.tx_packets
    );
    out += "          collisions:0 txqueuelen:1000 \n";
    out += &format!(
        "          RX bytes:{} ({})  TX bytes:{} ({})\n",
        traffic.rx_bytes,
        scaled(traffic.rx_bytes),
        traffic.tx_bytes,
        scaled(traffic.tx_bytes)
    );
    if !is_loopback(one) {
        out += "          Interrupt:54 \n";
    }
    out + "\n"
}

/// `570.7 MiB`: the fraction is cut off.
fn scaled(bytes: u64) -> String {
    let (mut whole, mut fraction) = (bytes, 0);
    let mut units = ["", "Ki", "Mi", "Gi", "Ti"].iter();
    let mut unit = units.next();
    while whole >= 1024
        && let Some(next) = units.next()
    {
        fraction = (whole % 1024) * 10 / 1024;
        whole /= 1024;
        unit = Some(next);
    }
    format!("{whole}.{fraction} {}B", unit.unwrap_or(&""))
}

/// `route`: the table, or a change of it.
pub(super) async fn route(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    let numeric = words
        .iter()
        .any(|word| word.starts_with('-') && word.contains('n'));
    let extended = words
        .iter()
        .any(|word| word.starts_with('-') && word.contains('e'));
    let change = words.iter().position(|word| word == "add" || word == "del");
    let Some(change) = change else {
        if let Some(word) = words.iter().find(|word| word.starts_with('-')) {
            let known = |letter: char| "neAhCF".contains(letter);
            if let Some(letter) = word.chars().skip(1).find(|&letter| !known(letter)) {
                complain(proc, "route", format!("invalid option -- '{letter}'")).await;
                return usage::refuse(proc, b"route").await;
            }
        }
        let table = route_table(proc, numeric, extended);
        return printed(proc, table.as_bytes()).await;
    };
    let adds = words.get(change).is_some_and(|word| word == "add");
    let mut rest = words
        .iter()
        .skip(change + 1)
        .filter(|word| !word.starts_with('-'));
    let Some(target) = rest.next() else {
        return usage::refuse(proc, b"route").await;
    };
    let rest: Vec<&String> = rest.collect();
    if rest
        .last()
        .is_some_and(|word| ["gw", "gateway", "netmask", "metric", "dev"].contains(&word.as_str()))
    {
        return usage::refuse(proc, b"route").await;
    }
    let via = rest
        .iter()
        .position(|word| word.as_str() == "gw" || word.as_str() == "gateway");
    let gateway = via.and_then(|at| rest.get(at + 1));
    for word in gateway
        .into_iter()
        .map(|word| word.as_str())
        .chain([target.as_str()])
    {
        let address = word.split('/').next().unwrap_or_default();
        if word != "default" && address.parse::<Ipv4Addr>().is_err() {
            return complain(proc, "route", format!("resolving {word}")).await;
        }
    }
    let call = if adds { "SIOCADDRT" } else { "SIOCDELRT" };
    let errno = if proc.credentials().uid != 0 {
        Errno::Eperm
    } else if adds && target == "default" {
        Errno::Eexist
    } else if adds || target == "default" {
        return ExitStatus::SUCCESS;
    } else {
        Errno::Esrch
    };
    complain(proc, "route", format!("{call}: {}", errno.message())).await
}

/// The kernel's IPv4 routes as `route` and `netstat -r` print them.
pub(super) fn route_table(proc: &Process, numeric: bool, extended: bool) -> String {
    let columns = if extended {
        "  MSS Window  irtt"
    } else {
        "Metric Ref    Use"
    };
    let between = " ";
    let mut out = format!(
        "Kernel IP routing table\nDestination     Gateway         Genmask         Flags{between}{columns} Iface\n"
    );
    let Some(one) = outward(proc) else { return out };
    let Some((address, prefix)) = one.ipv4 else {
        return out;
    };
    let (none, default) = if numeric {
        ("0.0.0.0", "0.0.0.0")
    } else {
        ("*", "default")
    };
    let net = Ipv4Addr::from(u32::from(address) & mask(prefix));
    let rows = [
        (
            default.to_owned(),
            proc.facts().gateway.to_string(),
            "0.0.0.0".to_owned(),
            "UG",
        ),
        (
            net.to_string(),
            none.to_owned(),
            Ipv4Addr::from(mask(prefix)).to_string(),
            "U",
        ),
    ];
    for (to, gateway, mask, flags) in rows {
        let numbers = if extended {
            format!("{:5} {:<5} {:6}", 0, 0, 0)
        } else {
            format!("{:<6} {:<2} {:7}", 0, 0, 0)
        };
        let name = text(&one.name);
        out += &format!("{to:<15.15} {gateway:<15.15} {mask:<16}{flags:<6}{numbers} {name}\n");
    }
    out
}

/// Address and hardware address of the neighbours that the kernel knows.
async fn neighbours(proc: &Process) -> Vec<(String, String, String)> {
    let table = text_of(proc, b"/proc/net/arp").await;
    let table = text(&table);
    let rows = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            [address, _, _, hardware, _, device] => Some((
                (*address).to_owned(),
                (*hardware).to_owned(),
                (*device).to_owned(),
            )),
            _ => None,
        }
    });
    rows.collect()
}

/// `arp`.
pub(super) async fn arp(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    let wanted = words.iter().find(|word| !word.starts_with('-')).cloned();
    if let Some(host) = &wanted
        && host.parse::<Ipv4Addr>().is_err()
    {
        return complain(proc, "arp", format!("{host}: Host name lookup failure")).await;
    }
    if words.iter().any(|word| word.starts_with("-d")) {
        let errno = if proc.credentials().uid == 0 {
            Errno::Enxio
        } else {
            Errno::Eperm
        };
        let line = format!("SIOCDARP(priv): {}", errno.message());
        return complain(proc, "arp", line).await;
    }
    let all = neighbours(proc).await;
    let shown: String = all
        .iter()
        .filter(|(address, ..)| wanted.as_ref().is_none_or(|wanted| wanted == address))
        .map(|(address, hardware, device)| {
            format!("? ({address}) at {hardware} [ether]  on {device}\n")
        })
        .collect();
    if shown.is_empty() && wanted.is_some() {
        let line = format!("No match found in {} entries\n", all.len());
        return printed(proc, line.as_bytes()).await;
    }
    printed(proc, shown.as_bytes()).await
}

/// `ip`, and `ipneigh`.
pub(super) async fn ip(proc: &mut Process, name: &[u8]) -> ExitStatus {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    let (flags, mut rest): (Vec<&str>, Vec<&str>) = words
        .iter()
        .map(String::as_str)
        .partition(|word| word.starts_with('-'));
    if name == b"ipneigh" {
        rest.insert(0, "neigh");
    }
    let known = ["-4", "-6", "-0", "-o", "-oneline", "-f", "-family"];
    let object = rest.first().copied().unwrap_or_default();
    let is = |long: &str| !object.is_empty() && long.starts_with(object);
    if flags.iter().any(|flag| !known.contains(flag)) || object.is_empty() {
        return usage::refuse(proc, b"ip").await;
    }
    let verb = rest.get(1).copied().unwrap_or("show");
    let shows = ["show", "list", "lst"]
        .iter()
        .any(|known| known.starts_with(verb));
    let mut device = rest.get(2).copied();
    if device == Some("dev") {
        device = rest.get(3).copied();
    }
    let (no4, no6) = (flags.contains(&"-6"), flags.contains(&"-4"));
    if is("address") || is("link") {
        let link = is("link");
        if !shows {
            return change(proc, link, verb, &rest).await;
        }
        let all = proc.facts().interfaces.clone();
        let oneline = flags.iter().any(|flag| flag.starts_with("-o"));
        let out: String = (1..)
            .zip(&all)
            .filter(|(_, one)| device.is_none_or(|name| name == text(&one.name)))
            .map(|(number, one)| addresses(one, number, link, no4, no6, oneline))
            .collect();
        if out.is_empty() && device.is_some() {
            let name = device.unwrap_or_default();
            complain(proc, "ip", format!("can't find device '{name}'")).await;
            return ExitStatus::Exited(if link { 2 } else { 1 });
        }
        return printed(proc, out.as_bytes()).await;
    }
    if is("route") {
        return routes(proc, verb, shows, device, rest.len()).await;
    }
    if is("neighbor") || is("neighbour") {
        let out: String = neighbours(proc)
            .await
            .into_iter()
            .map(|(address, hardware, device)| {
                format!(
                    "{address} dev {device} lladdr {hardware} ref 1 used 0/0/0 probes 1 REACHABLE\n"
                )
            })
            .collect();
        return printed(proc, out.as_bytes()).await;
    }
    if is("rule") {
        let rules = b"0:\tfrom all lookup local \n32766:\tfrom all lookup main \n32767:\tfrom all lookup default \n";
        return printed(proc, rules).await;
    }
    if is("tunnel") {
        return ExitStatus::SUCCESS;
    }
    usage::refuse(proc, b"ip").await
}

async fn routes(
    proc: &mut Process,
    verb: &str,
    shows: bool,
    target: Option<&str>,
    words: usize,
) -> ExitStatus {
    let gateway = proc.facts().gateway;
    let Some((name, address, prefix)) =
        outward(proc).and_then(|one| Some((text(&one.name), one.ipv4?.0, one.ipv4?.1)))
    else {
        return ExitStatus::SUCCESS;
    };
    if shows {
        let net = Ipv4Addr::from(u32::from(address) & mask(prefix));
        let out = format!(
            "default via {gateway} dev {name} \n{net}/{prefix} dev {name} scope link  src {address} \n"
        );
        return printed(proc, out.as_bytes()).await;
    }
    if verb == "get" {
        let Some(target) = target else {
            return complain(proc, "ip", "need at least destination address").await;
        };
        let out = format!("{target} via {gateway} dev {name}  src {address} \n");
        return printed(proc, out.as_bytes()).await;
    }
    if words < 3 {
        return answers(proc, Errno::Enodev).await;
    }
    if words == 3 {
        return complain(proc, "ip", "command line is not complete, try \"help\"").await;
    }
    if proc.credentials().uid != 0 {
        return answers(proc, Errno::Eperm).await;
    }
    ExitStatus::SUCCESS
}

/// What the kernel refused, with the status of that.
async fn answers(proc: &mut Process, errno: Errno) -> ExitStatus {
    let line = format!("RTNETLINK answers: {}", errno.message());
    complain(proc, "ip", line).await;
    ExitStatus::Exited(2)
}

async fn change(proc: &mut Process, link: bool, verb: &str, rest: &[&str]) -> ExitStatus {
    let known = ["add", "del", "delete", "change", "replace", "set", "flush"];
    if !known.iter().any(|known| known.starts_with(verb)) {
        return usage::refuse(proc, b"ip").await;
    }
    let after = rest.iter().position(|word| *word == "dev");
    let device = match after {
        Some(at) => rest.get(at + 1),
        None if link => rest.get(2),
        None => None,
    };
    let Some(device) = device else {
        return complain(proc, "ip", "need \"dev IFACE\"").await;
    };
    let exists = proc
        .facts()
        .interfaces
        .iter()
        .any(|one| text(&one.name) == *device);
    if !exists && link {
        let line = format!("SIOCGIFFLAGS: {}", Errno::Enodev.message());
        complain(proc, "ip", line).await;
        return ExitStatus::Exited(2);
    }
    if !exists {
        return complain(proc, "ip", format!("can't find device '{device}'")).await;
    }
    if proc.credentials().uid != 0 {
        return answers(proc, Errno::Eperm).await;
    }
    ExitStatus::SUCCESS
}

fn addresses(
    one: &Interface,
    number: usize,
    link: bool,
    no4: bool,
    no6: bool,
    oneline: bool,
) -> String {
    let name = text(&one.name);
    let (flags, queue, kind, all) = if is_loopback(one) {
        (
            "LOOPBACK,UP,LOWER_UP",
            "noqueue",
            "loopback",
            "00:00:00:00:00:00",
        )
    } else {
        (
            "BROADCAST,MULTICAST,UP,LOWER_UP",
            "pfifo_fast",
            "ether",
            "ff:ff:ff:ff:ff:ff",
        )
    };
    let mut out = String::new();
    if !oneline || link {
        out += &format!(
            "{number}: {name}: <{flags}> mtu {} qdisc {queue} qlen 1000",
            one.mtu
        );
        out += if oneline { "\\" } else { "\n" };
        if link || !(no4 || no6) {
            out += &format!("    link/{kind} {} brd {all}\n", mac(one));
        }
    }
    if link {
        return out;
    }
    let front = if oneline {
        format!("{number}: {name}    ")
    } else {
        "    ".to_owned()
    };
    let lifetime = format!(
        "{}       valid_lft forever preferred_lft forever\n",
        if oneline { "\\" } else { "\n" }
    );
    if let Some((address, prefix)) = one.ipv4.filter(|_| !no4) {
        let between = if is_loopback(one) {
            " scope host".to_owned()
        } else {
            format!(" brd {} scope global", broadcast(address, prefix))
        };
        out += &format!("{front}inet {address}/{prefix}{between} {name}{lifetime}");
    }
    if let Some((address, prefix)) = one.ipv6.filter(|_| !no6) {
        let scope = scope(address).to_lowercase();
        out += &format!("{front}inet6 {address}/{prefix} scope {scope} {lifetime}");
    }
    out
}

/// `brctl`: there is no bridge.
pub(super) async fn brctl(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match words.first().map(Vec::as_slice) {
        Some(b"show") => {
            printed(proc, b"bridge name\tbridge id\t\tSTP enabled\tinterfaces\n").await
        }
        Some(b"addbr" | b"delbr" | b"addif" | b"delif") if words.len() > 1 => {
            let name = words.get(1).cloned().unwrap_or_default();
            let errno = if words.first().is_some_and(|word| word == b"addbr") {
                Errno::Enoent
            } else {
                Errno::Enodev
            };
            let line = [
                b"bridge ",
                name.as_slice(),
                b": ",
                errno.message().as_bytes(),
            ]
            .concat();
            complain(proc, "brctl", line).await
        }
        Some(b"addbr" | b"delbr" | b"addif" | b"delif") => usage::refuse(proc, b"brctl").await,
        Some(word) => {
            let line = [b"invalid argument '", word, b"' to 'brctl'"].concat();
            complain(proc, "brctl", line).await
        }
        None => usage::refuse(proc, b"brctl").await,
    }
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn counts_are_scaled_with_one_digit() {
        assert_eq!(scaled(0), "0.0 B");
        assert_eq!(scaled(1023), "1023.0 B");
        assert_eq!(scaled(1536), "1.5 KiB");
        assert_eq!(scaled(598_416_870), "570.6 MiB");
    }
}
