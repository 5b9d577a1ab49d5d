//! The filters of `ss`: states, ports and addresses.

use super::Socket;

/// States by name, and whether listening and connected sockets have them.
const STATES: [(&str, bool, bool); 18] = [
    ("all", true, true),
    ("established", false, true),
    ("connected", false, true),
    ("synchronized", false, true),
    ("big", true, true),
    ("bucket", false, false),
    ("syn-sent", false, false),
    ("syn-recv", false, false),
    ("fin-wait-1", false, false),
    ("fin-wait-2", false, false),
    ("time-wait", false, false),
    ("closed", false, false),
    ("unconnected", false, false),
    ("close-wait", false, false),
    ("last-ack", false, false),
    ("listening", true, false),
    ("listen", true, false),
    ("closing", false, false),
];
/// What `-A` knows.
const TABLES: &str = "all inet tcp mptcp udp raw unix unix_dgram unix_stream unix_seqpacket packet packet_raw packet_dgram netlink dccp sctp vsock vsock_stream vsock_dgram tipc xdp u_str u_dgr u_seq x_str x_dgr x_seq p_raw p_dgr";
/// What `-f` knows.
const FAMILIES: &str = "inet inet6 link unix netlink vsock tipc xdp help";

/// Why a command line is not taken.
pub(super) enum Refusal {
    /// The usage follows.
    Usage(String),
    /// The complaint is all.
    Plain(String, u8),
}

/// What is asked for beside the options' letters.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) family: Option<&'static str>,
    /// Whether all that is shown is in one state, which is then left out.
    pub(super) one_state: bool,
    /// Whether listening and connected sockets are wanted, if it was said.
    states: Option<(bool, bool)>,
    conditions: Vec<Condition>,
}

/// One comparison.
struct Condition {
    /// The own end, not the other.
    own: bool,
    order: String,
    port: Option<u16>,
    host: Option<String>,
    negated: bool,
}

fn syntax() -> Refusal {
    let text = "ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\n";
    Refusal::Usage(text.to_owned())
}

impl Asked {
    pub(super) fn read(words: &[String]) -> Result<Self, Refusal> {
        let mut asked = Self::default();
        let mut rest = words.iter().peekable();
        let mut filter: Vec<String> = Vec::new();
        while let Some(word) = rest.next() {
            if !word.starts_with('-') || word == "-" {
                filter.extend(tokens(word));
                continue;
            }
            let (letter, glued) = value_of(word);
            let value = match letter {
                Some(_) if glued.is_empty() => rest.next().cloned().unwrap_or_default(),
                _ => glued,
            };
            match letter {
                Some('f') if !FAMILIES.split(' ').any(|known| known == value) => {
                    return Err(Refusal::Usage(format!(
                        "ss: \"{value}\" is invalid family\n"
                    )));
                }
                Some('f') if value == "unix" => asked.family = Some("unix"),
                Some('A') => {
                    for name in value.split(',') {
                        let name = name.trim_start_matches('!');
                        if !TABLES.split(' ').any(|known| known == name) {
                            let text = format!("ss: \"{name}\" is illegal socket table id\n");
                            return Err(Refusal::Usage(text));
                        }
                        if name.starts_with("unix") {
                            asked.family = Some("unix");
                        }
                    }
                }
                Some('F') => {
                    let why = sundew_kernel::Errno::Enoent.message();
                    return Err(Refusal::Plain(format!("fopen filter file: {why}\n"), 255));
                }
                _ => {}
            }
        }
        let mut rest = filter.as_slice();
        while let [word @ ("state" | "exclude" | "excl"), tail @ ..] = by_str(rest).as_slice() {
            let Some(name) = tail.first() else {
                let text = "Command line is not complete. Try option \"help\"\n";
                return Err(Refusal::Plain(text.to_owned(), 255));
            };
            let found = STATES.iter().find(|(known, ..)| known == name);
            let Some((_, listens, connected)) = found else {
                let text = format!("ss: wrong state name: {name}\n");
                return Err(Refusal::Plain(text, 255));
            };
            if *word == "state" {
                let (before, other) = asked.states.unwrap_or((false, false));
                asked.one_state = *name != "all" && asked.states.is_none();
                asked.states = Some((before || *listens, other || *connected));
            } else {
                let (before, other) = asked.states.unwrap_or((true, true));
                asked.states = Some((before && !listens, other && !connected));
            }
            rest = rest.get(2..).unwrap_or_default();
        }
        asked.expression(rest)?;
        Ok(asked)
    }

    /// `[not] FIELD [OP] VALUE [and …]`, in parentheses or not.
    fn expression(&mut self, words: &[String]) -> Result<(), Refusal> {
        let words = by_str(words);
        let (mut depth, mut negated, mut at) = (0_u32, false, 0);
        let mut wants_operand = false;
        while let Some(&word) = words.get(at) {
            at += 1;
            match word {
                "(" => depth += 1,
                ")" => depth = depth.checked_sub(1).ok_or_else(syntax)?,
                "not" | "!" => negated = !negated,
                "and" | "&" | "&&" | "or" | "|" | "||" => wants_operand = true,
                "sport" | "dport" | "src" | "dst" => {
                    let operators = [
                        "=", "==", "!=", "eq", "neq", "ne", ">", "<", ">=", "<=", "gt", "lt", "ge",
                        "le", "geq", "leq", "neq",
                    ];
                    let mut order = "=";
                    if let Some(operator) = words.get(at).filter(|one| operators.contains(one)) {
                        order = operator;
                        at += 1;
                    }
                    let value = words.get(at).ok_or_else(syntax)?;
                    at += 1;
                    let condition = Condition::read(word, order, value, negated)?;
                    self.conditions.push(condition);
                    (negated, wants_operand) = (false, false);
                }
                "=" | "==" | "!=" | ">" | "<" => return Err(syntax()),
                "autobound" | "dev" | "fwmark" | "cgroup" => at += 2,
                // A bare word is an address of the other side.
                other => {
                    let condition = Condition::read("dst", "=", other, negated)?;
                    self.conditions.push(condition);
                    (negated, wants_operand) = (false, false);
                }
            }
        }
        if depth > 0 || negated || wants_operand {
            return Err(syntax());
        }
        Ok(())
    }

    /// Whether a socket is shown.
    pub(super) fn takes(&self, one: &Socket, only_listening: bool, all: bool) -> bool {
        let by_state = match self.states {
            Some((listening, connected)) => {
                if one.listens {
                    listening
                } else {
                    connected
                }
            }
            None => all || only_listening == one.listens,
        };
        by_state && self.conditions.iter().all(|condition| condition.holds(one))
    }
}

impl Condition {
    fn read(field: &str, order: &str, value: &str, negated: bool) -> Result<Self, Refusal> {
        let refuse = |why: String| {
            let text = format!("Error: {why}.\nCannot parse dst/src address.\n");
            Refusal::Plain(text, 1)
        };
        let is_port = field.ends_with("port");
        let (host, port) = match value.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None if is_port => ("", Some(value)),
            None => (value, None),
        };
        let port = match port {
            None | Some("" | "*") => None,
            Some(word) => Some(
                service(word)
                    .ok_or_else(|| refuse(format!("\"{word}\" does not look like a port")))?,
            ),
        };
        let host = host.trim_matches(['[', ']']);
        let host = match host.split('/').next().unwrap_or_default() {
            "" | "*" => None,
            address if address.parse::<std::net::IpAddr>().is_ok() => Some(address.to_owned()),
            _ => {
                let why = format!("an inet prefix is expected rather than \"{host}\"");
                return Err(refuse(why));
            }
        };
        Ok(Self {
            own: matches!(field, "sport" | "src"),
            order: order.to_owned(),
            port,
            host,
            negated,
        })
    }

    fn holds(&self, one: &Socket) -> bool {
        let end = if self.own { &one.local } else { &one.peer };
        let (host, port) = end.rsplit_once(':').unwrap_or((end, ""));
        let port: u16 = port.parse().unwrap_or(0);
        let by_port = self.port.is_none_or(|wanted| match self.order.as_str() {
            "!=" | "ne" | "neq" => port != wanted,
            ">" | "gt" => port > wanted,
            "<" | "lt" => port < wanted,
            ">=" | "ge" | "geq" => port >= wanted,
            "<=" | "le" | "leq" => port <= wanted,
            _ => port == wanted,
        });
        let by_host = self.host.as_ref().is_none_or(|wanted| wanted == host);
        (by_port && by_host) != self.negated
    }
}

fn by_str(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The words of a filter; parentheses stand for themselves.
fn tokens(text: &str) -> Vec<String> {
    let text = text.replace('(', " ( ").replace(')', " ) ");
    text.split_whitespace().map(str::to_owned).collect()
}

/// The option of a word that takes an argument, and the argument if it is in the same word.
fn value_of(word: &str) -> (Option<char>, String) {
    for (name, letter) in [
        ("--family", 'f'),
        ("--query", 'A'),
        ("--socket", 'A'),
        ("--filter", 'F'),
        ("--diag", 'D'),
        ("--net", 'N'),
    ] {
        if let Some(rest) = word.strip_prefix(name) {
            return (Some(letter), rest.trim_start_matches('=').to_owned());
        }
    }
    if word.starts_with("--") {
        return (None, String::new());
    }
    let found = word
        .char_indices()
        .find(|(_, letter)| "fADFN".contains(*letter));
    found.map_or((None, String::new()), |(at, letter)| {
        (
            Some(letter),
            word.get(at + 1..).unwrap_or_default().to_owned(),
        )
    })
}

/// A port by number, or of a few services by name.
fn service(word: &str) -> Option<u16> {
    let known = [
        ("ssh", 22),
        ("telnet", 23),
        ("smtp", 25),
        ("domain", 53),
        ("http", 80),
        ("https", 443),
        ("ftp", 21),
        ("mysql", 3306),
    ];
    let named = || known.iter().find(|(name, _)| *name == word);
    let number = word.parse().ok();
    number.or_else(|| named().map(|(_, port)| *port))
}
