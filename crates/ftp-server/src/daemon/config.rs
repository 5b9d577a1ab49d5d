//! `ftpd.toml`: every key with its default; reading it says where a mistake is and what was meant.
//!
//! Whatever can be checked about a single value is checked while it is read, so the place in a
//! message is that of the value. Keys that contradict each other are found afterwards.

mod disk;
mod mistake;
mod template;
mod unit;
mod user;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ftp_proto::command::Verb;
use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{self, Deserializer};

pub use self::disk::{Links, Mask, Names, Uploads};
pub use self::mistake::Mistake;
pub use self::template::TEMPLATE;
pub use self::unit::{Proportion, Size, Span};
pub use self::user::{Directory, Fingerprint, Hash, Letters, TlsKey, UserSection};

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The directory that is served to users who have none of their own.
    pub root: Option<PathBuf>,
    /// A file of users, in the form of `[user.NAME]`, read again on SIGHUP.
    pub users_file: Option<PathBuf>,
    /// Where to listen.
    pub listen: Listen,
    /// The dialogue.
    pub session: Session,
    /// Limits that hold for all users together.
    pub limits: Limits,
    /// Who is let in by address.
    pub networks: Networks,
    /// Anonymous users.
    pub anonymous: UserSection,
    /// Users by name.
    pub user: BTreeMap<String, UserSection>,
    /// Logins that a program or a web service decides about.
    pub login: Login,
    /// What guessing passwords leads to.
    pub bans: Bans,
    /// Data connections.
    pub data: Data,
    /// How files are stored.
    pub uploads: Uploads,
    /// Symbolic links.
    pub links: Links,
    /// Names that are refused or not shown.
    pub names: Names,
    /// Certificates.
    pub tls: Tls,
    /// Logs.
    pub log: Log,
    /// Numbers for Prometheus.
    pub metrics: Metrics,
    /// Programs around commands and transfers.
    pub hooks: Hooks,
    /// What the process itself may do.
    pub process: Process,
}

/// `[listen]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// A port on all addresses, IPv4 and IPv6 at once; used when `addresses` is empty.
    pub port: u16,
    /// Exactly these addresses.
    pub addresses: Vec<SocketAddr>,
    /// Addresses where TLS begins at once.
    pub implicit_tls: Vec<SocketAddr>,
    /// Take the sockets systemd has opened.
    pub systemd: bool,
    /// Networks whose connections begin with a PROXY header.
    pub proxy_from: Vec<IpNet>,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            port: 2121,
            addresses: Vec::new(),
            implicit_tls: Vec::new(),
            systemd: false,
            proxy_from: Vec::new(),
        }
    }
}

/// `[session]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// The text of the greeting.
    pub greeting: String,
    /// How long a logged-in client may be silent.
    pub idle: Span,
    /// How long a client may take to log in.
    pub login: Span,
    /// Failed logins after which a connection is closed.
    pub attempts: u32,
    /// How long a reply may take to be sent.
    pub write: Span,
    /// Longest command line in bytes.
    pub line_bytes: usize,
    /// Commands that are not served, answered `502`.
    pub off: Vec<VerbKey>,
    /// The names HOST may give; any, if there are none.
    pub hosts: Vec<String>,
    /// Whether MODE Z is offered.
    pub deflate: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            greeting: "Service ready for new user.".to_owned(),
            idle: seconds(300),
            login: seconds(60),
            attempts: 3,
            write: seconds(30),
            line_bytes: ftp_proto::line::MAX_LINE_BYTES,
            off: Vec::new(),
            hosts: Vec::new(),
            deflate: true,
        }
    }
}

/// A command by its name, in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerbKey(pub Verb);

impl<'de> Deserialize<'de> for VerbKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut all = Verb::ALL.iter();
        let verb = all.find(|verb| verb.name().eq_ignore_ascii_case(&text));
        let verb = verb.ok_or_else(|| de::Error::custom(format!("`{text}` is not a command")))?;
        Ok(Self(*verb))
    }
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Control connections at a time.
    pub connections: usize,
    /// Control connections at a time from one address.
    pub connections_per_address: usize,
    /// How long transfers may go on after the server was told to stop.
    pub grace: Span,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = crate::Limits::default();
        Self {
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            grace: seconds(60),
        }
    }
}

/// `[networks]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Networks {
    /// Networks that are let in; empty for all.
    pub allow: Vec<IpNet>,
    /// Networks that are not, stronger than `allow`.
    pub deny: Vec<IpNet>,
}

/// `[login]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// A program with its arguments, asked about users that are not in the configuration.
    pub command: Vec<String>,
    /// An `http://` or `https://` address that is asked instead of a program.
    pub url: Option<super::http::Url>,
    /// PEM: authorities that sign the certificate of an `https://` address; the system's if not given.
    pub authorities: Option<PathBuf>,
    /// How long the answer may take.
    pub timeout: Span,
    /// Questions asked at a time; further logins wait.
    pub concurrency: usize,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            url: None,
            authorities: None,
            timeout: seconds(5),
            concurrency: 8,
        }
    }
}

/// `[bans]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bans {
    /// How long the answer to a wrong login is held back.
    pub delay: Span,
    /// What that grows to.
    pub max_delay: Span,
    /// Failures of an address that ban it; 0 for never.
    pub failures: u32,
    /// How long a failure counts.
    pub window: Span,
    /// How long a ban lasts.
    pub duration: Span,
}

impl Default for Bans {
    fn default() -> Self {
        let options = crate::throttle::ThrottleOptions::default();
        Self {
            delay: Span(options.delay),
            max_delay: Span(options.max_delay),
            failures: options.failures,
            window: Span(options.window),
            duration: Span(options.ban),
        }
    }
}

/// `[data]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Ports of passive mode, as in `"50000-50999"`.
    pub ports: Option<Ports>,
    /// The address that PASV announces, or a host name that is looked up every minute.
    pub advertise: Option<Host>,
    /// Addresses that PASV announces to clients of certain networks, before `advertise`.
    pub advertise_to: BTreeMap<IpNet, Host>,
    /// Whether active mode (PORT, EPRT) is served.
    pub active: bool,
    /// The port to dial from in active mode; any, if not given.
    pub active_port: Option<u16>,
    /// Whether several clients share each passive port, told apart by their addresses.
    pub shared: bool,
    /// Which others than the client data connections may be to and from (FXP).
    pub foreign: Others,
    /// How long a data connection may take to come about.
    pub connect: Span,
    /// How long not a byte may move.
    pub idle: Span,
    /// How long a transfer may take in all.
    pub total: Option<Span>,
}

impl Default for Data {
    fn default() -> Self {
        let options = crate::data::DataOptions::default();
        Self {
            ports: None,
            advertise: None,
            advertise_to: BTreeMap::new(),
            active: true,
            active_port: None,
            shared: false,
            foreign: Others::No,
            connect: Span(options.connect),
            idle: Span(options.idle),
            total: None,
        }
    }
}

/// `data.foreign`: `false`, `true`, or networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "OthersKey")]
pub enum Others {
    /// Nobody but the client.
    #[default]
    No,
    /// Everybody.
    Yes,
    /// Hosts of these networks.
    In(Vec<IpNet>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected true, false or a list of networks")]
enum OthersKey {
    All(bool),
    Networks(Vec<IpNet>),
}

impl From<OthersKey> for Others {
    fn from(key: OthersKey) -> Self {
        match key {
            OthersKey::All(true) => Self::Yes,
            OthersKey::All(false) => Self::No,
            OthersKey::Networks(networks) => Self::In(networks),
        }
    }
}

/// An IPv4 address, or the name of a host that has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// `"192.0.2.1"`
    Address(Ipv4Addr),
    /// `"ftp.example.org"`
    Name(String),
}

impl Host {
    /// Reads either.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        // A name of digits alone is a slip in an address.
        let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        (has_letter && text.len() <= 253 && text.bytes().all(is_fine))
            .then(|| Self::Name(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| {
            let text = format!("`{text}` is not an IPv4 address or a host name");
            de::Error::custom(text)
        })
    }
}

/// A range of ports, from 1024 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports(pub RangeInclusive<u16>);

impl Ports {
    /// Reads a range.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let first: u16 = first.trim().parse().ok()?;
        let last: u16 = last.trim().parse().ok()?;
        (first >= 1024 && first <= last).then_some(Self(first..=last))
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| {
            let text =
                format!("`{text}` is not a range of ports from 1024 on like \"50000-50999\"");
            de::Error::custom(text)
        })
    }
}

/// `[tls]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM: the certificate, then those that signed it.
    pub certificate: Option<PathBuf>,
    /// PEM: the key; may be the same file.
    pub key: Option<PathBuf>,
    /// Make a certificate at each start; clients have to be told to trust it.
    pub self_signed: bool,
    /// What has to be under TLS for everybody; users may ask for more.
    pub required: TlsKey,
    /// PEM: authorities whose clients' certificates are accepted.
    pub client_authorities: Option<PathBuf>,
    /// Whether clients without a certificate are turned away.
    pub client_required: bool,
    /// Refuse data connections that do not resume the TLS session of their control connection.
    pub require_resumption: bool,
    /// Refuse TLS 1.2.
    pub only_tls13: bool,
    /// Whether CCC may end TLS on the control connection.
    pub allow_ccc: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: None,
            key: None,
            self_signed: false,
            required: TlsKey::None,
            client_authorities: None,
            client_required: false,
            require_resumption: false,
            only_tls13: false,
            allow_ccc: true,
        }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A filter as tracing takes it.
    pub filter: String,
    /// The form on standard error.
    pub format: LogFormat,
    /// A file of transfers in the form of wu-ftpd's xferlog.
    pub transfers: Option<PathBuf>,
    /// A file of everything that happens, one JSON object a line.
    pub events: Option<PathBuf>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            // Each command is a record of the connection; that is for those who look for something.
            filter: "info,ftp_server::connection=warn".to_owned(),
            format: LogFormat::Text,
            transfers: None,
            events: None,
        }
    }
}

/// `log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line of text a record.
    Text,
    /// One JSON object a record.
    Json,
}

/// `[metrics]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Where `/metrics` and `/healthz` are served.
    pub listen: Option<SocketAddr>,
}

/// `[hooks]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hooks {
    /// A program that may refuse a command, run before it.
    pub before: Vec<String>,
    /// A program run after a command.
    pub after: Vec<String>,
    /// The commands both are run for.
    pub verbs: Vec<String>,
    /// A program run after each upload and download.
    pub transfer: Vec<String>,
    /// How long each may run.
    pub timeout: Span,
    /// Programs at a time; sessions wait, reports are dropped and counted.
    pub concurrency: usize,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            before: Vec::new(),
            after: Vec::new(),
            verbs: Vec::new(),
            transfer: Vec::new(),
            timeout: seconds(10),
            concurrency: 16,
        }
    }
}

/// `[process]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// The user to become once the ports are open, if started as root.
    pub user: Option<String>,
    /// The group; the user's own if not given.
    pub group: Option<String>,
    /// Restrict the process to the files it serves and writes, where the kernel can (Landlock).
    pub landlock: bool,
    /// Further directories that stay in reach: those that answers about logins name as `root`.
    pub reach: Vec<PathBuf>,
    /// The socket `ftpd who` asks.
    pub control: Option<PathBuf>,
    /// Where ratios and counted quotas are kept from one run to the next.
    pub state: Option<PathBuf>,
}

impl Default for Process {
    fn default() -> Self {
        Self {
            user: None,
            group: None,
            landlock: true,
            reach: Vec::new(),
            control: None,
            state: None,
        }
    }
}

impl Config {
    /// Reads a configuration; what is not said has its default.
    ///
    /// # Errors
    ///
    /// The first mistake, with its place.
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<Self, Mistake> {
        let text = mistake::text_of(file, bytes)?;
        let config: Self =
            toml::from_str(text).map_err(|error| Mistake::toml(file, text, &error))?;
        match config.contradiction() {
            Some((key, problem)) => Err(Mistake::about(file, text, &key, problem)),
            None => Ok(config),
        }
    }

    /// Reads a users file: tables like `[anna]`, with the keys of `[user.anna]`.
    ///
    /// # Errors
    ///
    /// The first mistake, with its place.
    pub fn parse_users(
        file: &Path,
        bytes: &[u8],
    ) -> Result<BTreeMap<String, UserSection>, Mistake> {
        let text = mistake::text_of(file, bytes)?;
        let users: BTreeMap<String, UserSection> =
            toml::from_str(text).map_err(|error| Mistake::toml(file, text, &error))?;
        match wrong_user(&users) {
            Some((name, problem)) => Err(Mistake::about(file, text, name, problem)),
            None => Ok(users),
        }
    }

    /// Whether there is a certificate.
    #[must_use]
    pub const fn has_tls(&self) -> bool {
        self.tls.self_signed || self.tls.certificate.is_some()
    }

    /// Keys that make no sense together: the key, and what is wrong with it.
    fn contradiction(&self) -> Option<(String, String)> {
        let say = |(key, problem): (&str, &str)| (key.to_owned(), problem.to_owned());
        self.tls_contradiction()
            .or_else(|| self.number_contradiction())
            .map(say)
            .or_else(|| {
                let (name, problem) = wrong_user(&self.user)?;
                Some((format!("user.{name}"), problem))
            })
    }

    fn tls_contradiction(&self) -> Option<(&'static str, &'static str)> {
        let (tls, has_tls) = (&self.tls, self.has_tls());
        let user_wants = |user: &UserSection| user.tls.is_some_and(|wanted| wanted != TlsKey::None);
        if tls.certificate.is_some() != tls.key.is_some() {
            return Some(("tls", "`certificate` and `key` go together"));
        }
        if tls.self_signed && tls.certificate.is_some() {
            let text = "`self_signed` and `certificate` exclude each other";
            return Some(("self_signed", text));
        }
        if !has_tls && tls.required != TlsKey::None {
            let text = "`required` needs a `certificate`, or `self_signed = true`";
            return Some(("required", text));
        }
        if !has_tls && !self.listen.implicit_tls.is_empty() {
            let text = "`implicit_tls` needs a certificate in [tls]";
            return Some(("implicit_tls", text));
        }
        if tls.client_required && tls.client_authorities.is_none() {
            let text = "`client_required` needs `client_authorities`";
            return Some(("client_required", text));
        }
        if !has_tls && (self.user.values().any(user_wants) || user_wants(&self.anonymous)) {
            let text = "a user has to come with TLS, but [tls] has no certificate";
            return Some(("tls", text));
        }
        None
    }

    fn number_contradiction(&self) -> Option<(&'static str, &'static str)> {
        let (session, limits) = (&self.session, &self.limits);
        if session.idle.0.is_zero() || session.login.0.is_zero() || session.write.0.is_zero() {
            return Some(("session", "a time of 0 would close every session at once"));
        }
        if session.attempts == 0 {
            return Some(("attempts", "`attempts` must be at least 1"));
        }
        if session.line_bytes < MIN_LINE_BYTES {
            let text = "`line_bytes` must be at least 512, or names do not fit";
            return Some(("line_bytes", text));
        }
        if session.greeting.contains(['\r', '\n']) {
            return Some(("greeting", "`greeting` must be one line"));
        }
        if limits.connections == 0 || limits.connections_per_address == 0 {
            return Some(("limits", "with 0 connections nobody gets in"));
        }
        if self.data.shared && self.data.ports.is_none() {
            return Some(("shared", "`shared` needs `ports`, one or more of them"));
        }
        if self.data.shared && !self.listen.proxy_from.is_empty() {
            let text = "`shared` tells clients by their addresses, which a proxy hides";
            return Some(("shared", text));
        }
        if self.login.concurrency == 0 || self.hooks.concurrency == 0 {
            return Some(("concurrency", "`concurrency` must be at least 1"));
        }
        if !self.login.command.is_empty() && self.login.url.is_some() {
            return Some(("url", "`command` and `url` exclude each other"));
        }
        if let Some(listen) = self.metrics.listen
            && !is_loopback(listen.ip())
        {
            let text = "metrics are served on loopback only, such as \"127.0.0.1:9121\"";
            return Some(("listen", text));
        }
        if self.anonymous.password.is_some() {
            return Some(("anonymous", "the anonymous user has no password"));
        }
        None
    }
}

/// A user that cannot be, and why.
fn wrong_user(users: &BTreeMap<String, UserSection>) -> Option<(&str, String)> {
    users.iter().find_map(|(name, user)| {
        let problem = if ftp_proto::Argument::try_from(name.as_str()).is_err() {
            format!("`{name}` cannot be said with USER")
        } else if user.password.is_none() && user.certificates.is_empty() {
            format!("user `{name}` has no `password`; `ftpd hash` makes one")
        } else if user.welcome.iter().any(|line| line.contains(['\r', '\n'])) {
            format!("user `{name}`: each of `welcome` is one line")
        } else {
            return None;
        };
        Some((name.as_str(), problem))
    })
}

const fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

const fn seconds(seconds: u64) -> Span {
    Span(Duration::from_secs(seconds))
}

/// RFC 959 names no length; POSIX names are 255 bytes, and each may double in quotes.
const MIN_LINE_BYTES: usize = 512;

#[cfg(test)]
mod tests;
