//! One rule: from the words of a command line to the words of `iptables -S`.

use std::fmt;

/// Why a command is refused: its status and what is said, with the line's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u8,
    pub(super) text: String,
}

/// A rule as the words of `iptables -S` after the chain's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rule(pub(super) Vec<String>);

/// Targets that are no chains.
const TARGETS: &[&str] = &[
    "ACCEPT",
    "DROP",
    "RETURN",
    "QUEUE",
    "REJECT",
    "LOG",
    "DNAT",
    "SNAT",
    "MASQUERADE",
    "REDIRECT",
    "MARK",
    "CONNMARK",
    "TCPMSS",
    "NFLOG",
    "NFQUEUE",
    "TARPIT",
    "NOTRACK",
    "CT",
    "TTL",
    "TEE",
    "AUDIT",
    "SET",
    "TPROXY",
    "TRACE",
    "DSCP",
    "TOS",
    "CLASSIFY",
    "HL",
    "NETMAP",
];

/// Matches, for the names that `-m` takes.
const MATCHES: &[&str] = &[
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "state",
    "conntrack",
    "multiport",
    "comment",
    "limit",
    "string",
    "recent",
    "mac",
    "owner",
    "iprange",
    "connlimit",
    "mark",
    "set",
    "addrtype",
    "length",
    "ttl",
    "time",
    "u32",
    "hashlimit",
    "pkttype",
    "physdev",
    "statistic",
    "geoip",
    "quota",
    "socket",
    "connbytes",
    "connmark",
    "helper",
    "rpfilter",
    "bpf",
    "cgroup",
    "dscp",
    "tos",
    "esp",
    "ah",
    "sctp",
    "dccp",
    "udplite",
    "policy",
    "realm",
    "cpu",
    "devgroup",
    "nfacct",
    "osf",
    "tcpmss",
];

/// Protocols with their numbers, and the match that comes with them.
pub(super) const PROTOCOLS: &[(&str, &str)] = &[
    ("tcp", "6"),
    ("udp", "17"),
    ("icmp", "1"),
    ("all", "0"),
    ("ipv6-icmp", "58"),
    ("gre", "47"),
    ("esp", "50"),
    ("ah", "51"),
    ("sctp", "132"),
    ("udplite", "136"),
    ("igmp", "2"),
    ("ipip", "4"),
];

/// Services that scripts name.
pub(super) const SERVICES: &[(&str, &str)] = &[
    ("ftp-data", "20"),
    ("ftp", "21"),
    ("ssh", "22"),
    ("telnet", "23"),
    ("smtp", "25"),
    ("domain", "53"),
    ("tftp", "69"),
    ("http", "80"),
    ("pop3", "110"),
    ("sunrpc", "111"),
    ("ntp", "123"),
    ("imap2", "143"),
    ("snmp", "161"),
    ("https", "443"),
    ("microsoft-ds", "445"),
    ("submission", "587"),
    ("imaps", "993"),
    ("pop3s", "995"),
    ("socks", "1080"),
    ("ms-sql-s", "1433"),
    ("mysql", "3306"),
    ("ms-wbt-server", "3389"),
    ("postgresql", "5432"),
    ("x11", "6000"),
    ("redis", "6379"),
    ("http-alt", "8080"),
];

pub(super) fn is_target(name: &str) -> bool {
    TARGETS.contains(&name)
}

/// Splits a line of `iptables-save`: blanks separate, double quotes keep.
pub(super) fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut open) = (Vec::new(), String::new(), false, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => (quoted, open) = (!quoted, true),
            '\\' if quoted => word.extend(letters.next()),
            ' ' | '\t' if !quoted => {
                if !word.is_empty() || open {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() || open {
        words.push(word);
    }
    words
}

/// Options whose value `iptables -S` always quotes.
fn is_quoted(option: &str) -> bool {
    matches!(option, "--string" | "--hex-string")
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for word in &self.0 {
            let plain = !word.is_empty()
                && word
                    .chars()
                    .all(|letter| letter.is_ascii_graphic() && !"\"'\\".contains(letter));
            if plain && !is_quoted(before) {
                write!(f, " {word}")?;
            } else {
                let word = word.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, " \"{word}\"")?;
            }
            before = word;
        }
        Ok(())
    }
}

/// What was read so far of a rule.
#[derive(Default)]
struct Parts {
    /// Words of `-s`, `-d`, `-i`, `-o`, `-p`, in that order.
    general: [Vec<String>; 5],
    protocol: Option<String>,
    /// Words of each match, its `-m` first.
    matches: Vec<Vec<String>>,
    target: Vec<String>,
}

impl Rule {
    /// Where the rule leads.
    pub(super) fn target(&self) -> Option<&str> {
        let at = self
            .0
            .iter()
            .rposition(|word| word == "-j" || word == "-g")?;
        self.0.get(at + 1).map(String::as_str)
    }

    /// Reads what describes a rule.
    #[expect(clippy::too_many_lines, reason = "an arm for each option")]
    pub(super) fn read(words: &[String], name: &str) -> Result<Self, Refusal> {
        let mut parts = Parts::default();
        let mut words = words.iter().peekable();
        let mut inverted = false;
        while let Some(word) = words.next() {
            if word == "!" {
                inverted = true;
                continue;
            }
            let mut value = || {
                let next = words.next().cloned();
                next.ok_or_else(|| {
                    super::usage(name, &format!("option \"{word}\" requires an argument"))
                })
            };
            let general = match word.as_str() {
                "-s" | "--source" | "--src" => Some((0, "-s", address(&value()?, name)?)),
                "-d" | "--destination" | "--dst" => Some((1, "-d", address(&value()?, name)?)),
                "-i" | "--in-interface" => Some((2, "-i", value()?)),
                "-o" | "--out-interface" => Some((3, "-o", value()?)),
                "-p" | "--protocol" | "--proto" => {
                    let protocol = protocol(&value()?, name)?;
                    if !inverted && protocol != "all" {
                        parts.protocol = Some(protocol.clone());
                    }
                    Some((4, "-p", protocol))
                }
                _ => None,
            };
            if let Some((place, option, text)) = general {
                let anything = matches!(text.as_str(), "0.0.0.0/0" | "::/0" | "all");
                if let Some(slot) = parts.general.get_mut(place)
                    && !anything
                {
                    slot.clear();
                    if std::mem::take(&mut inverted) {
                        slot.push("!".to_owned());
                    }
                    slot.extend([option.to_owned(), text]);
                }
                continue;
            }
            match word.as_str() {
                "-j" | "--jump" | "-g" | "--goto" => {
                    let option = if word.starts_with("--g") || word == "-g" {
                        "-g"
                    } else {
                        "-j"
                    };
                    parts.target = vec![option.to_owned(), value()?];
                }
                "-m" | "--match" => {
                    let module = value()?;
                    if !MATCHES.contains(&module.as_str()) {
                        return Err(super::usage(
                            name,
                            &format!(
                                "Couldn't load match `{module}':{}\n",
                                sundew_kernel::Errno::Enoent.message()
                            ),
                        ));
                    }
                    parts.matches.push(vec!["-m".to_owned(), module]);
                }
                "-f" | "--fragment" | "-4" | "-6" | "--ipv4" | "--ipv6" => {}
                "-c" | "--set-counters" => drop((value()?, words.next())),
                option if option.starts_with("--") => {
                    let values: Vec<String> = match arity(option) {
                        0 => Vec::new(),
                        1 => vec![value()?],
                        _ => vec![value()?, value()?],
                    };
                    parts.option(option, values, std::mem::take(&mut inverted), name)?;
                }
                option if option.starts_with('-') => {
                    return Err(super::usage(name, &format!("unknown option \"{option}\"")));
                }
                other => {
                    return Err(Refusal {
                        status: super::USAGE,
                        text: format!("Bad argument `{other}'\n{}", super::hint(name)),
                    });
                }
            }
        }
        Ok(parts.finish())
    }
}

/// How many values an option of a match or target takes.
fn arity(option: &str) -> usize {
    match option {
        "--syn"
        | "--set"
        | "--update"
        | "--rcheck"
        | "--remove"
        | "--rsource"
        | "--rdest"
        | "--random"
        | "--random-fully"
        | "--persistent"
        | "--clamp-mss-to-pmtu"
        | "--rttl"
        | "--log-ip-options"
        | "--log-tcp-options"
        | "--log-tcp-sequence"
        | "--log-uid"
        | "--icase"
        | "--connlimit-saddr"
        | "--connlimit-daddr"
        | "--notrack"
        | "--mask0" => 0,
        "--tcp-flags" | "--match-set" => 2,
        _ => 1,
    }
}

impl Parts {
    fn option(
        &mut self,
        option: &str,
        mut values: Vec<String>,
        inverted: bool,
        name: &str,
    ) -> Result<(), Refusal> {
        let option = match option {
            "--destination-port" => "--dport",
            "--source-port" => "--sport",
            "--destination-ports" => "--dports",
            "--source-ports" => "--sports",
            "--to-port" => "--to-ports",
            other => other,
        };
        let of_protocol = matches!(
            option,
            "--dport"
                | "--sport"
                | "--tcp-flags"
                | "--syn"
                | "--tcp-option"
                | "--icmp-type"
                | "--icmpv6-type"
        );
        if matches!(option, "--dport" | "--sport" | "--dports" | "--sports") {
            for value in &mut values {
                *value = ports(value, name)?;
            }
        }
        let mut words: Vec<String> = Vec::new();
        if inverted {
            words.push("!".to_owned());
        }
        match option {
            "--syn" => words.extend(["--tcp-flags", "FIN,SYN,RST,ACK", "SYN"].map(str::to_owned)),
            "--icmp-type" => {
                let number = values
                    .first()
                    .map(|kind| icmp_type(kind))
                    .unwrap_or_default();
                words.extend([option.to_owned(), number]);
            }
            _ => {
                words.push(option.to_owned());
                words.extend(values);
            }
        }
        if of_protocol {
            let Some(protocol) = self.protocol.clone() else {
                return Err(super::usage(name, &format!("unknown option \"{option}\"")));
            };
            let known = self.matches.iter().any(|own| own.get(1) == Some(&protocol));
            if !known {
                self.matches.push(vec!["-m".to_owned(), protocol.clone()]);
            }
            let own = self
                .matches
                .iter_mut()
                .find(|own| own.get(1) == Some(&protocol));
            if let Some(own) = own {
                own.extend(words);
            }
        } else if !self.target.is_empty() {
            self.target.extend(words);
        } else if let Some(last) = self.matches.last_mut() {
            last.extend(words);
        } else {
            return Err(super::usage(name, &format!("unknown option \"{option}\"")));
        }
        Ok(())
    }

    fn finish(mut self) -> Rule {
        let rejects = self.target.get(1).is_some_and(|target| target == "REJECT");
        if rejects && self.target.len() == 2 {
            let words = ["--reject-with", "icmp-port-unreachable"];
            self.target.extend(words.map(str::to_owned));
        }
        // A match that was only named says nothing, but a state or comment needs its words anyway.
        let mut words: Vec<String> = self.general.into_iter().flatten().collect();
        words.extend(self.matches.into_iter().flatten());
        words.extend(self.target);
        Rule(words)
    }
}

fn protocol(text: &str, name: &str) -> Result<String, Refusal> {
    let lower = text.to_ascii_lowercase();
    let known = PROTOCOLS
        .iter()
        .find(|(own, number)| *own == lower || *number == lower)
        .map(|(own, _)| (*own).to_owned());
    match known {
        Some(own) => Ok(own),
        None if lower == "icmpv6" => Ok("ipv6-icmp".to_owned()),
        None if lower.parse::<u8>().is_ok() => Ok(lower),
        None => Err(super::usage(
            name,
            &format!("unknown protocol \"{text}\" specified"),
        )),
    }
}

/// What is wrong with a rule's words where no command stands before them.
pub(super) fn misread(words: &[String]) -> Option<String> {
    const WITH_VALUE: [&str; 8] = ["-j", "-m", "-p", "-s", "-d", "-i", "-o", "-g"];
    let first = words.first()?;
    if WITH_VALUE.contains(&first.as_str()) {
        return match (first.as_str(), words.get(1)) {
            (_, None) => Some(format!("option \"{first}\" requires an argument")),
            ("-m", Some(wanted)) if !MATCHES.contains(&wanted.as_str()) => {
                let why = sundew_kernel::Errno::Enoent.message();
                Some(format!("Couldn't load match `{wanted}':{why}\n"))
            }
            _ => None,
        };
    }
    let unknown = first.starts_with("--") && !first.starts_with("--jump");
    unknown.then(|| format!("unknown option \"{first}\""))
}

/// An address with its prefix.
fn address(text: &str, name: &str) -> Result<String, Refusal> {
    let bad = || super::usage(name, &format!("host/network `{text}' not found"));
    let (address, prefix) = text
        .split_once('/')
        .map_or((text, None), |(a, p)| (a, Some(p)));
    let address: std::net::IpAddr = address.parse().map_err(|_| bad())?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bad_mask = |prefix: &str| super::usage(name, &format!("invalid mask `{prefix}' specified"));
    let length = match prefix {
        None => longest,
        Some(prefix) => match prefix.parse::<std::net::Ipv4Addr>() {
            Ok(mask) => u32::from(mask).leading_ones(),
            Err(_) => prefix
                .parse()
                .ok()
                .filter(|own| *own <= longest)
                .ok_or_else(|| bad_mask(prefix))?,
        },
    };
    let address = match address {
        std::net::IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            std::net::IpAddr::from(std::net::Ipv4Addr::from(u32::from(ip) & mask))
        }
        v6 @ std::net::IpAddr::V6(_) => v6,
    };
    Ok(format!("{address}/{length}"))
}

/// Ports, ranges and lists of them, as numbers.
fn ports(text: &str, name: &str) -> Result<String, Refusal> {
    let one = |port: &str| {
        if port.is_empty() || port.parse::<u16>().is_ok() {
            return Ok(port.to_owned());
        }
        SERVICES
            .iter()
            .find(|(service, _)| *service == port)
            .map(|(_, number)| (*number).to_owned())
            .ok_or_else(|| super::usage(name, &format!("invalid port/service `{port}' specified")))
    };
    let lists = text.split(',').map(|range| {
        let ends: Result<Vec<String>, Refusal> = range.split(':').map(one).collect();
        ends.map(|ends| ends.join(":"))
    });
    let lists: Result<Vec<String>, Refusal> = lists.collect();
    Ok(lists?.join(","))
}

fn icmp_type(kind: &str) -> String {
    match kind {
        "echo-reply" | "pong" => "0",
        "destination-unreachable" => "3",
        "redirect" => "5",
        "echo-request" | "ping" => "8",
        "time-exceeded" => "11",
        "timestamp-request" => "13",
        other => other,
    }
    .to_owned()
}
