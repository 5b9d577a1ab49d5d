//! `ip` of iproute2 6.1: shows what the machine has; what is to be changed is checked as the real one
//! and its kernel do, and then believed.

use std::net::Ipv4Addr;
use std::time::Duration;

use sundew_kernel::facts::Interface;
use sundew_kernel::{ExitStatus, Process};

use super::{fail, gateway, known, networks, on_link, print, text};

mod json;
mod show;

/// What asks for an object's table.
const SHOW: [&str; 3] = ["show", "list", "lst"];
/// Options; they may be shortened.
const OPTIONS: &str = "-loops -family -4 -6 -0 -M -B -Details -details -human-readable -iec -statistics -resolve -oneline -timestamp -tshort -batch -brief -json -pretty -rcvbuf -netns -Numeric -all -color -force -help -h -V -Version -stats -echo";
/// Objects in the order in which a shortened name is compared, and what their help is called.
const OBJECTS: [(&str, &str); 31] = [
    ("address", "address"),
    ("addrlabel", "addrlabel"),
    ("maddress", "maddr"),
    ("route", "route"),
    ("rule", "rule"),
    ("neighbor", "neigh"),
    ("neighbour", "neigh"),
    ("ntable", "ntable"),
    ("ntbl", "ntable"),
    ("link", "link"),
    ("l2tp", "l2tp"),
    ("fou", "fou"),
    ("ila", "ila"),
    ("macsec", "macsec"),
    ("tunnel", "tunnel"),
    ("tunl", "tunnel"),
    ("tuntap", "tuntap"),
    ("tap", "tuntap"),
    ("token", "token"),
    ("tcpmetrics", "tcp_metrics"),
    ("tcp_metrics", "tcp_metrics"),
    ("monitor", "monitor"),
    ("xfrm", "xfrm"),
    ("mroute", "mroute"),
    ("mrule", "rule"),
    ("netns", "netns"),
    ("netconf", "netconf"),
    ("vrf", "vrf"),
    ("nexthop", "nexthop"),
    ("mptcp", "mptcp"),
    ("help", "help"),
];
/// What may follow `ip link set DEVICE`.
const LINK_WORDS: &str = "up down arp dynamic multicast allmulticast promisc trailers carrier protodown txqueuelen txqlen name address broadcast mtu netns alias group vf xdp xdpgeneric xdpdrv xdpoffload master nomaster vrf addrgenmode link-netnsid type state mode peer gso_max_size qlen brd bcast numtxqueues";
/// Kinds of links that the kernel or a module of its makes.
const LINK_TYPES: &str = "bridge bond dummy gre gretap ifb ip6tnl ipip ipvlan macvlan macvtap sit tun veth vlan vrf vti vxlan wireguard";
/// A word is missing at the end.
const INCOMPLETE: &str = "Command line is not complete. Try option \"help\"\n";

/// A refusal: what is said, and the status.
type Refusal = (String, u8);

/// What the options ask for.
#[derive(Clone, Copy, Default)]
struct Manner {
    brief: bool,
    oneline: bool,
    statistics: bool,
    only4: bool,
    only6: bool,
    json: bool,
    pretty: bool,
    /// Only addresses of this scope.
    scope: Option<&'static str>,
}

/// `ip`.
pub(in crate::net) async fn ip(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    let options = words.iter().take_while(|word| word.starts_with('-'));
    let (flags, words) = words.split_at(options.count());
    let mut manner = Manner::default();
    for flag in flags {
        let flag = match flag.strip_prefix('-') {
            Some(rest) if rest.starts_with('-') => rest,
            _ => flag,
        };
        let flag = flag.split('=').next().unwrap_or(flag);
        if !OPTIONS.split(' ').any(|option| option.starts_with(flag)) {
            let text = format!("Option \"{flag}\" is unknown, try \"ip -help\".\n");
            return fail(proc, &text, 255).await;
        }
        let is = |long: &str, least: usize| long.starts_with(flag) && flag.len() >= least;
        if is("-Version", 2) {
            return print(proc, "ip utility, iproute2-6.1.0, libbpf 1.1.2\n").await;
        }
        manner.brief |= is("-brief", 3);
        manner.oneline |= is("-oneline", 2);
        manner.statistics |= is("-statistics", 2);
        manner.json |= is("-json", 2);
        manner.pretty |= is("-pretty", 2);
        manner.only4 |= flag == "-4";
        manner.only6 |= flag == "-6";
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((&object, words)) = words.split_first() else {
        return fail(proc, crate::net::help("ip"), 255).await;
    };
    let found = OBJECTS.iter().find(|(name, _)| name.starts_with(object));
    let Some((_, object)) = found.filter(|_| !object.is_empty()) else {
        let text = format!("Object \"{object}\" is unknown, try \"ip help\".\n");
        return fail(proc, &text, 1).await;
    };
    let outcome = match *object {
        "help" => Err((crate::net::help("ip").to_owned(), 255)),
        _ if words.first() == Some(&"help") => Err(help(object)),
        "address" => address(proc, manner, words),
        "link" => link(proc, manner, words),
        "route" => route(proc, manner, words),
        other => small(proc, other, manner, words).await,
    };
    match outcome {
        Ok(text) => print(proc, &text).await,
        Err((text, status)) => fail(proc, &text, status).await,
    }
}

fn help(object: &str) -> Refusal {
    (crate::net::help(&format!("ip {object}")).to_owned(), 255)
}

fn refuse<T>(text: impl Into<String>, status: u8) -> Result<T, Refusal> {
    Err((text.into(), status))
}

fn no_device<T>(name: &str) -> Result<T, Refusal> {
    refuse(format!("Cannot find device \"{name}\"\n"), 1)
}

/// What the kernel answers over rtnetlink.
fn kernel_says<T>(errno: sundew_kernel::Errno) -> Result<T, Refusal> {
    refuse(format!("RTNETLINK answers: {}\n", errno.message()), 2)
}

/// The verb in full, of those that an object has.
fn verb(
    object: &str,
    words: &[&str],
    verbs: &[&'static str],
) -> Result<Option<&'static str>, Refusal> {
    let Some(given) = words.first() else {
        return Ok(None);
    };
    let found = SHOW.iter().chain(verbs).find(|one| one.starts_with(given));
    match found {
        Some(verb) if SHOW.contains(verb) => Ok(None),
        Some(verb) => Ok(Some(*verb)),
        None => {
            let text = format!("Command \"{given}\" is unknown, try \"ip {object} help\".\n");
            refuse(text, 255)
        }
    }
}

/// Only root changes something.
fn may_change(proc: &Process) -> Result<String, Refusal> {
    if proc.credentials().uid == 0 {
        Ok(String::new())
    } else {
        kernel_says(sundew_kernel::Errno::Eperm)
    }
}

/// What `scope` may be followed by.
const SCOPES: [&str; 4] = ["global", "link", "host", "site"];

/// The interfaces that are meant: all, or `[dev] NAME`.
fn shown(
    proc: &Process,
    mut manner: Manner,
    words: &[&str],
    link: bool,
) -> Result<String, Refusal> {
    const FILTERS: [&str; 8] = [
        "up",
        "scope",
        "type",
        "to",
        "label",
        "master",
        "primary",
        "permanent",
    ];
    let name = match words {
        ["dev"] => return refuse(INCOMPLETE, 255),
        ["dev", name, ..] => Some(*name),
        [name, ..] if !FILTERS.contains(name) => Some(*name),
        _ => None,
    };
    if let Some(name) = name.filter(|name| known(proc, name).is_none()) {
        return refuse(format!("Device \"{name}\" does not exist.\n"), 1);
    }
    if let Some(at) = words.iter().position(|word| *word == "scope") {
        let Some(given) = words.get(at + 1) else {
            return refuse(INCOMPLETE, 255);
        };
        match SCOPES.iter().find(|scope| *scope == given) {
            Some(scope) => manner.scope = Some(*scope),
            None if matches!(*given, "all" | "nowhere") => {}
            None => {
                let text = format!("Error: argument \"{given}\" is wrong: invalid \"scope\"\n\n");
                return refuse(text, 255);
            }
        }
    }
    let in_scope = |one: &Interface| {
        manner.scope.is_none_or(|scope| {
            (one.ipv4.is_some() && show::scope4(one) == scope)
                || one
                    .ipv6
                    .is_some_and(|(address, _)| show::scope6(one, address) == scope)
        })
    };
    let all = proc.facts().interfaces.iter().enumerate();
    let all = all.filter(|(_, one)| link || in_scope(one));
    let wanted = all.filter(|(_, one)| name.is_none_or(|name| name == text(&one.name)));
    // Among all of them only those are shown that have an address of the family.
    let has_family = |one: &Interface| {
        name.is_some()
            || link
            || (one.ipv4.is_some() || !manner.only4) && (one.ipv6.is_some() || !manner.only6)
    };
    let wanted = wanted.filter(|(_, one)| has_family(one));
    if manner.json {
        let all = wanted.map(|(at, one)| json::interface(one, at + 1, link, manner));
        return Ok(json::Value::List(all.collect()).shown(manner.pretty));
    }
    let short = name.is_none() && manner.only6 && !link;
    Ok(wanted
        .map(|(at, one)| {
            let text = show::interface(proc, one, at + 1, link, manner);
            if short { without_queue(&text) } else { text }
        })
        .collect())
}

/// What `ip -6 address` shows of interfaces: the kernel's answer for that family alone tells less.
fn without_queue(text: &str) -> String {
    let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = Vec::new();
    let mut left = head.split(' ');
    while let Some(word) = left.next() {
        if matches!(word, "qdisc" | "group") {
            left.next();
        } else {
            words.push(word);
        }
    }
    format!("{}\n{rest}", words.join(" "))
}

/// An address and its prefix's length.
fn prefix(word: &str) -> Option<(Ipv4Addr, u8)> {
    let (address, length) = word.split_once('/').unwrap_or((word, "32"));
    let length = length.parse().ok().filter(|length| *length <= 32)?;
    Some((address.parse().ok()?, length))
}

fn no_prefix<T>(word: &str) -> Result<T, Refusal> {
    let text = format!("Error: any valid prefix is expected rather than \"{word}\".\n");
    refuse(text, 1)
}

fn address(proc: &Process, manner: Manner, words: &[&str]) -> Result<String, Refusal> {
    const VERBS: [&str; 10] = [
        "add", "change", "chg", "replace", "delete", "del", "flush", "save", "restore", "showdump",
    ];
    let Some(verb) = verb("address", words, &VERBS)? else {
        return shown(proc, manner, words.get(1..).unwrap_or_default(), false);
    };
    let words = words.get(1..).unwrap_or_default();
    if verb == "flush" && words.is_empty() {
        return refuse("Flush requires arguments.\n", 1);
    }
    let (mut device, mut local) = (None, None);
    let mut rest = words.iter();
    while let Some(&word) = rest.next() {
        match word {
            "dev" => device = Some(*rest.next().ok_or((INCOMPLETE.to_owned(), 255))?),
            "brd" | "broadcast" | "scope" | "label" | "peer" | "valid_lft" | "preferred_lft"
            | "metric" => {
                rest.next().ok_or((INCOMPLETE.to_owned(), 255))?;
            }
            "local" => {}
            _ if verb == "flush" => device = Some(word),
            _ if word.parse::<std::net::Ipv6Addr>().is_ok() || word.contains(':') => {}
            _ => match prefix(word) {
                Some(found) => local = Some(found),
                None => return no_prefix(word),
            },
        }
    }
    let Some(device) = device else {
        return refuse("Not enough information: \"dev\" argument is required.\n", 1);
    };
    let Some(one) = known(proc, device) else {
        return if verb == "flush" {
            refuse(format!("Device \"{device}\" does not exist.\n"), 1)
        } else {
            no_device(device)
        };
    };
    may_change(proc)?;
    match (verb, local) {
        ("add", Some(local)) if one.ipv4 == Some(local) => {
            kernel_says(sundew_kernel::Errno::Eexist)
        }
        ("delete" | "del", Some(local)) if one.ipv4.is_none_or(|own| own.0 != local.0) => {
            refuse("Error: ipv4: Address not found.\n", 2)
        }
        _ => Ok(String::new()),
    }
}

fn link(proc: &Process, manner: Manner, words: &[&str]) -> Result<String, Refusal> {
    const VERBS: [&str; 8] = [
        "add", "set", "replace", "change", "delete", "del", "xstats", "property",
    ];
    let Some(verb) = verb("link", words, &VERBS)? else {
        return shown(proc, manner, words.get(1..).unwrap_or_default(), true);
    };
    let words = words.get(1..).unwrap_or_default();
    let needs_device = "Not enough information: \"dev\" argument is required.\n";
    if verb == "add" {
        let at = words.iter().position(|word| *word == "type");
        let Some(at) = at else {
            return refuse("Not enough information: \"type\" argument is required\n", 1);
        };
        let Some(kind) = words.get(at + 1) else {
            return refuse(INCOMPLETE, 255);
        };
        may_change(proc)?;
        return if LINK_TYPES.split(' ').any(|known| known == *kind) {
            Ok(String::new())
        } else {
            refuse("Error: Unknown device type.\n", 2)
        };
    }
    let (device, rest) = match words {
        [] => return refuse(needs_device, 255),
        ["dev"] => return refuse(INCOMPLETE, 255),
        ["dev", name, rest @ ..] | [name, rest @ ..] => (*name, rest),
    };
    let mut rest = rest.iter();
    while let Some(&word) = rest.next() {
        if !LINK_WORDS.split(' ').any(|known| known == word) {
            let text = format!("Error: either \"dev\" is duplicate, or \"{word}\" is a garbage.\n");
            return refuse(text, 255);
        }
        if matches!(word, "up" | "down" | "nomaster") {
            continue;
        }
        let value = rest.next().ok_or((INCOMPLETE.to_owned(), 255))?;
        if matches!(word, "mtu" | "txqueuelen" | "qlen" | "txqlen") && value.parse::<u32>().is_err()
        {
            let text =
                format!("Error: argument \"{value}\" is wrong: Invalid \"{word}\" value\n\n");
            return refuse(text, 255);
        }
    }
    if known(proc, device).is_none() {
        return no_device(device);
    }
    may_change(proc)
}

/// What a route's words say.
#[derive(Default)]
struct Way<'a> {
    to: Option<&'a str>,
    via: Option<Ipv4Addr>,
    device: Option<&'a str>,
}

impl<'a> Way<'a> {
    fn read(words: &[&'a str]) -> Result<Self, Refusal> {
        let mut way = Self::default();
        let mut rest = words.iter();
        let value = |rest: &mut std::slice::Iter<'_, &'a str>| {
            rest.next().copied().ok_or((INCOMPLETE.to_owned(), 255))
        };
        while let Some(&word) = rest.next() {
            match word {
                "via" => {
                    let word = value(&mut rest)?;
                    let text =
                        || format!("Error: inet address is expected rather than \"{word}\".\n");
                    way.via = Some(word.parse().map_err(|_| (text(), 1))?);
                }
                "dev" | "oif" => way.device = Some(value(&mut rest)?),
                "to" => way.to = Some(value(&mut rest)?),
                "src" | "metric" | "table" | "proto" | "scope" | "mtu" | "weight" | "from"
                | "match" | "root" | "exact" | "type" | "nexthop" | "tos" => {
                    value(&mut rest)?;
                }
                "onlink" | "unicast" | "blackhole" | "unreachable" | "prohibit" | "throw"
                | "cache" => {
                    if word == "blackhole" || word == "unreachable" || word == "prohibit" {
                        way.device = Some("lo");
                    }
                }
                _ if way.to.is_some() => {
                    let text =
                        format!("Error: either \"to\" is duplicate, or \"{word}\" is a garbage.\n");
                    return refuse(text, 255);
                }
                _ => way.to = Some(word),
            }
            if let Some(to) = way.to
                && !matches!(to, "default" | "all" | "any")
                && prefix(to).is_none()
                && !to.contains(':')
            {
                return no_prefix(to);
            }
        }
        Ok(way)
    }
}

fn route(proc: &Process, manner: Manner, words: &[&str]) -> Result<String, Refusal> {
    const VERBS: [&str; 12] = [
        "add", "append", "change", "chg", "replace", "delete", "del", "get", "flush", "save",
        "restore", "showdump",
    ];
    let Some(verb) = verb("route", words, &VERBS)? else {
        let way = Way::read(words.get(1..).unwrap_or_default())?;
        return match way.device.filter(|name| known(proc, name).is_none()) {
            Some(name) => no_device(name),
            None if manner.json => Ok(json::routes(proc).shown(manner.pretty)),
            None if manner.only6 => Ok(String::new()),
            None => Ok(show::routes(proc, way.to)),
        };
    };
    let words = words.get(1..).unwrap_or_default();
    match (verb, words.is_empty()) {
        ("get", true) => return refuse("need at least a destination address\n", 1),
        ("flush", true) => return refuse("\"ip route flush\" requires arguments.\n", 1),
        (_, true) => return Err(help("route")),
        _ => {}
    }
    let way = Way::read(words)?;
    if let Some(name) = way.device.filter(|name| known(proc, name).is_none()) {
        return no_device(name);
    }
    if verb == "get" {
        return show::route_to(proc, way.to.unwrap_or_default());
    }
    may_change(proc)?;
    let exists = match way.to {
        Some("default" | "all" | "any" | "0/0" | "0.0.0.0/0") => gateway(proc).is_some(),
        Some(to) => networks(proc)
            .iter()
            .any(|(network, length, ..)| prefix(to) == Some((*network, *length))),
        None => false,
    };
    match verb {
        "delete" | "del" if !exists => kernel_says(sundew_kernel::Errno::Esrch),
        "flush" | "delete" | "del" => Ok(String::new()),
        _ => match (way.via, way.device) {
            (Some(router), _) if !on_link(proc, router) => {
                refuse("Error: Nexthop has invalid gateway.\n", 2)
            }
            (None, None) => kernel_says(sundew_kernel::Errno::Enodev),
            _ if verb == "add" && exists => kernel_says(sundew_kernel::Errno::Eexist),
            _ => Ok(String::new()),
        },
    }
}

/// Objects of which the machine has little or nothing.
async fn small(
    proc: &mut Process,
    object: &str,
    manner: Manner,
    words: &[&str],
) -> Result<String, Refusal> {
    let verbs: &[&'static str] = match object {
        "neigh" => &[
            "add", "change", "chg", "replace", "delete", "del", "get", "flush",
        ],
        "rule" => &["add", "delete", "del", "flush", "save", "restore"],
        "netns" => &[
            "add", "set", "delete", "del", "identify", "pids", "exec", "monitor", "list-id",
            "attach",
        ],
        "maddr" | "tunnel" | "tuntap" | "addrlabel" => &["add", "delete", "del", "change"],
        _ => &[
            "add", "delete", "del", "set", "get", "flush", "exec", "identify", "pids",
        ],
    };
    if matches!(object, "xfrm" | "l2tp" | "mptcp" | "fou" | "ila" | "macsec") {
        return Err(help(object));
    }
    if object == "monitor" {
        let known = [
            "all", "label", "all-nsid", "address", "link", "neigh", "route", "rule",
        ];
        let unknown = words.iter().find(|word| !known.contains(word));
        if let Some(word) = unknown {
            let text = format!("Argument \"{word}\" is unknown, try \"ip monitor help\".\n");
            return refuse(text, 255);
        }
        // Nothing changes.
        while proc.sleep(Duration::from_secs(3600)).await.is_ok() {}
        return Ok(String::new());
    }
    let verb = verb(object, words, verbs)?;
    let operand = words.get(1).copied();
    match (object, verb) {
        ("neigh", None) if manner.json => Ok(json::neighbours(proc).shown(manner.pretty)),
        ("rule", None) if manner.json => Ok(json::rules().shown(manner.pretty)),
        ("neigh", None) => Ok(show::neighbours(proc)),
        ("neigh", Some("flush")) if operand.is_none() => refuse("Flush requires arguments.\n", 1),
        ("neigh", Some("flush")) => may_change(proc),
        ("neigh", Some(_)) if operand.is_none() => {
            refuse("Device and destination are required arguments.\n", 255)
        }
        ("rule", None) => Ok(show::RULES.to_owned()),
        ("maddr", None) => Ok(show::groups(proc)),
        ("netns", Some("exec")) => match (operand, words.get(2)) {
            (None, _) => refuse("No netns name specified\n", 255),
            (_, None) => refuse("No command specified\n", 255),
            (Some(name), _) => {
                let why = sundew_kernel::Errno::Enoent.message();
                let text = format!("Cannot open network namespace \"{name}\": {why}\n");
                refuse(text, 255)
            }
        },
        (_, None) => Ok(String::new()),
        _ => may_change(proc),
    }
}
