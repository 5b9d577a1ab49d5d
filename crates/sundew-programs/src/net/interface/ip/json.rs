//! `ip -json`: the tables as values, on one line or, with `-pretty`, over many.

use sundew_kernel::Process;
use sundew_kernel::facts::Interface;

use super::super::{gateway, is_loopback, mac, mask, networks, text};
use super::Manner;

/// What a lifetime without end is.
const FOREVER: u64 = u32::MAX as u64;

/// A value.
pub(super) enum Value {
    Text(String),
    Number(u64),
    List(Vec<Self>),
    Object(Vec<(&'static str, Self)>),
}

impl Value {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn texts(words: &[&str]) -> Self {
        Self::List(words.iter().map(|word| Self::text(*word)).collect())
    }

    /// The whole answer, with its line feed.
    pub(super) fn shown(&self, pretty: bool) -> String {
        let mut out = String::new();
        if pretty {
            self.pretty(0, &mut out);
        } else {
            self.compact(&mut out);
        }
        out.push('\n');
        out
    }

    fn compact(&self, out: &mut String) {
        match self {
            Self::Text(text) => *out += &format!("\"{text}\""),
            Self::Number(number) => *out += &number.to_string(),
            Self::List(values) => {
                out.push('[');
                for (at, value) in values.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    value.compact(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    *out += &format!("{}\"{name}\":", if at > 0 { "," } else { "" });
                    value.compact(out);
                }
                out.push('}');
            }
        }
    }

    /// Lists stay on their line, each field of an object has one of its own.
    fn pretty(&self, depth: usize, out: &mut String) {
        match self {
            Self::List(values) => {
                out.push_str("[ ");
                for (at, value) in values.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    value.pretty(depth + 1, out);
                }
                out.push_str(if values.is_empty() { "]" } else { " ]" });
            }
            Self::Object(fields) => {
                let indent = " ".repeat(4 * (depth + 1));
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    *out += &format!("{comma}\n{indent}\"{name}\": ");
                    value.pretty(depth + 1, out);
                }
                *out += &format!("\n{}}}", " ".repeat(4 * depth));
            }
            other => other.compact(out),
        }
    }
}

/// One interface of `ip address` or `ip link`.
pub(super) fn interface(one: &Interface, number: usize, link: bool, manner: Manner) -> Value {
    let name = text(&one.name);
    let loopback = is_loopback(one);
    let state = if loopback { "UNKNOWN" } else { "UP" };
    let flags = if loopback {
        Value::texts(&["LOOPBACK", "UP", "LOWER_UP"])
    } else {
        Value::texts(&["BROADCAST", "MULTICAST", "UP", "LOWER_UP"])
    };
    if manner.brief {
        let mut fields = vec![
            ("ifname", Value::text(name)),
            ("operstate", Value::text(state)),
        ];
        if link {
            fields.extend([("address", Value::text(mac(one))), ("flags", flags)]);
        } else {
            fields.push(("addr_info", Value::List(brief(one, manner))));
        }
        return Value::Object(fields);
    }
    let queue = if loopback { "noqueue" } else { "pfifo_fast" };
    let mut fields = vec![
        ("ifindex", Value::Number(number as u64)),
        ("ifname", Value::text(name)),
        ("flags", flags),
        ("mtu", Value::Number(u64::from(one.mtu))),
        ("qdisc", Value::text(queue)),
        ("operstate", Value::text(state)),
    ];
    if link {
        fields.push(("linkmode", Value::text("DEFAULT")));
    }
    fields.extend([
        ("group", Value::text("default")),
        ("txqlen", Value::Number(1000)),
    ]);
    if link || !(manner.only4 || manner.only6) {
        let (kind, broadcast) = if loopback {
            ("loopback", "00:00:00:00:00:00")
        } else {
            ("ether", "ff:ff:ff:ff:ff:ff")
        };
        fields.extend([
            ("link_type", Value::text(kind)),
            ("address", Value::text(mac(one))),
            ("broadcast", Value::text(broadcast)),
        ]);
    }
    if !link {
        fields.push(("addr_info", Value::List(addresses(one, manner))));
    }
    Value::Object(fields)
}

fn brief(one: &Interface, manner: Manner) -> Vec<Value> {
    let address = |local: String, prefix: u8| {
        Value::Object(vec![
            ("local", Value::Text(local)),
            ("prefixlen", Value::Number(u64::from(prefix))),
        ])
    };
    let four = one.ipv4.filter(|_| !manner.only6);
    let six = one.ipv6.filter(|_| !manner.only4);
    [
        four.map(|(local, prefix)| address(local.to_string(), prefix)),
        six.map(|(local, prefix)| address(local.to_string(), prefix)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn addresses(one: &Interface, manner: Manner) -> Vec<Value> {
    let mut all = Vec::new();
    let lifetimes = || {
        [
            ("valid_life_time", Value::Number(FOREVER)),
            ("preferred_life_time", Value::Number(FOREVER)),
        ]
    };
    if let Some((address, prefix)) = one.ipv4.filter(|_| !manner.only6) {
        let mut fields = vec![
            ("family", Value::text("inet")),
            ("local", Value::text(address.to_string())),
            ("prefixlen", Value::Number(u64::from(prefix))),
        ];
        let mut scope = "host";
        if !is_loopback(one) {
            scope = "global";
            let last = u32::from(address) | !mask(prefix);
            let last = std::net::Ipv4Addr::from(last).to_string();
            fields.push(("broadcast", Value::Text(last)));
        }
        fields.push(("scope", Value::text(scope)));
        fields.push(("label", Value::text(text(&one.name))));
        fields.extend(lifetimes());
        all.push(Value::Object(fields));
    }
    if let Some((address, prefix)) = one.ipv6.filter(|_| !manner.only4) {
        let scope = if is_loopback(one) {
            "host"
        } else if address.segments().first() == Some(&0xfe80) {
            "link"
        } else {
            "global"
        };
        let mut fields = vec![
            ("family", Value::text("inet6")),
            ("local", Value::text(address.to_string())),
            ("prefixlen", Value::Number(u64::from(prefix))),
            ("scope", Value::text(scope)),
        ];
        fields.extend(lifetimes());
        all.push(Value::Object(fields));
    }
    all
}

/// The routing table.
pub(super) fn routes(proc: &Process) -> Value {
    let mut all = Vec::new();
    if let Some((gateway, name)) = gateway(proc) {
        all.push(Value::Object(vec![
            ("dst", Value::text("default")),
            ("gateway", Value::text(gateway.to_string())),
            ("dev", Value::text(name)),
            ("flags", Value::texts(&["onlink"])),
        ]));
    }
    for (network, prefix, name, own) in networks(proc) {
        all.push(Value::Object(vec![
            ("dst", Value::text(format!("{network}/{prefix}"))),
            ("dev", Value::text(name)),
            ("protocol", Value::text("kernel")),
            ("scope", Value::text("link")),
            ("prefsrc", Value::text(own.to_string())),
            ("flags", Value::List(Vec::new())),
        ]));
    }
    Value::List(all)
}

/// Whom the machine has heard of.
pub(super) fn neighbours(proc: &Process) -> Value {
    let router = gateway(proc).map(|(gateway, name)| {
        Value::Object(vec![
            ("dst", Value::text(gateway.to_string())),
            ("dev", Value::text(name)),
            ("lladdr", Value::text("fe:00:00:00:01:01")),
            ("state", Value::texts(&["REACHABLE"])),
        ])
    });
    Value::List(router.into_iter().collect())
}

/// The rules that every machine has.
pub(super) fn rules() -> Value {
    let rule = |(priority, table)| {
        Value::Object(vec![
            ("priority", Value::Number(priority)),
            ("src", Value::text("all")),
            ("table", Value::text(table)),
        ])
    };
    let rules = [(0, "local"), (32_766, "main"), (32_767, "default")];
    Value::List(rules.map(rule).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_printed_on_one_line_or_over_many() {
        let value = Value::List(vec![Value::Object(vec![
            ("ifname", Value::text("lo")),
            ("flags", Value::texts(&["UP", "LOWER_UP"])),
            ("none", Value::List(Vec::new())),
            (
                "addr_info",
                Value::List(vec![
                    Value::Object(vec![("prefixlen", Value::Number(8))]),
                    Value::Object(vec![("prefixlen", Value::Number(128))]),
                ]),
            ),
        ])]);
        assert_eq!(
            value.shown(false),
            "[{\"ifname\":\"lo\",\"flags\":[\"UP\",\"LOWER_UP\"],\"none\":[],\"addr_info\":[{\"prefixlen\":8},{\"prefixlen\":128}]}]\n"
        );
        assert_eq!(
            value.shown(true),
            concat!(
                "[ {\n",
                "        \"ifname\": \"lo\",\n",
                "        \"flags\": [ \"UP\",\"LOWER_UP\" ],\n",
                "        \"none\": [ ],\n",
                "        \"addr_info\": [ {\n",
                "                \"prefixlen\": 8\n",
                "            },{\n",
                "                \"prefixlen\": 128\n",
                "            } ]\n",
                "    } ]\n",
            )
        );
    }
}
