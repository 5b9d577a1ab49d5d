//! From the configuration to a server.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use ftp_proto::command::Verb;
use ftp_proto::server::{Foreign, Required, Settings, TlsRules, Verbs};
use tokio::net::TcpStream;

use super::config::{Config, Host, Others};
use super::homes::Homes;
use super::hooks::Commands;
use super::login::Logins;
use super::program::Runner;
use super::who::Sessions;
use crate::auth::gate::{Gate, Networks};
use crate::data::{Advertised, Announce, DataOptions, Dial, TcpDial};
use crate::event::Observer;
use crate::files::{FileControls, FileOptions, FileServer};
use crate::hook::Hook;
use crate::live::Live;
use crate::proxy::Trusted;
use crate::throttle::ThrottleOptions;
use crate::tls::Tls;
use crate::{Limits, Server};

/// What a server is made of besides its configuration.
pub(super) struct Parts {
    pub(super) gate: Arc<Gate<Arc<Logins>>>,
    pub(super) homes: Homes,
    pub(super) dialler: Dialler,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) tls: Option<Tls>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) runner: Runner,
}

/// The file server that a configuration describes.
pub(super) type Files = FileServer<Arc<Gate<Arc<Logins>>>, Homes, Dialler>;

/// The server that a configuration describes, and the way to change what it does with files.
pub(super) fn server(config: &Config, parts: Parts) -> (Server<Files>, FileControls) {
    let sessions = parts.sessions;
    let files = FileServer::with_dial(parts.gate, parts.homes, parts.dialler, options(config))
        .with_who(Arc::new(move || sessions.lines(Instant::now())));
    let controls = files.controls();
    controls.change(options(config), hook(config, &parts.runner));
    let mut server = Server::new(files, limits(config))
        .with_observer(parts.observer)
        .behind(proxies(config));
    if let Some(tls) = parts.tls {
        server = server.with_tls(tls);
    }
    (server, controls)
}

/// Dials from the port that `data.active_port` names now.
#[derive(Clone, Debug)]
pub(super) struct Dialler(Arc<Live<TcpDial>>);

impl Dialler {
    pub(super) fn new(port: Option<u16>) -> Self {
        Self(Arc::new(Live::new(Self::dial_from(port))))
    }

    pub(super) fn set(&self, port: Option<u16>) {
        self.0.store(Self::dial_from(port));
    }

    fn dial_from(port: Option<u16>) -> TcpDial {
        port.map_or(TcpDial::ANY_PORT, TcpDial::from_port)
    }
}

impl Dial for Dialler {
    async fn dial(&self, from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
        self.0.load().dial(from, to).await
    }
}

/// `hooks.before` and `hooks.after`.
pub(super) fn hook(config: &Config, runner: &Runner) -> Option<Arc<dyn Hook>> {
    let hook = Commands::new(&config.hooks, runner)?;
    Some(Arc::new(hook))
}

/// `[bans]`
pub(super) const fn throttle(config: &Config) -> ThrottleOptions {
    let bans = &config.bans;
    ThrottleOptions {
        delay: bans.delay.0,
        max_delay: bans.max_delay.0,
        failures: bans.failures,
        window: bans.window.0,
        ban: bans.duration.0,
    }
}

/// `[networks]`
pub(super) fn networks(config: &Config) -> Networks {
    Networks {
        allow: config.networks.allow.clone(),
        deny: config.networks.deny.clone(),
    }
}

/// `listen.proxy_from`
pub(super) fn proxies(config: &Config) -> Trusted {
    config.listen.proxy_from.iter().copied().collect()
}

/// `[limits]`, and of `[session]` what holds before there is one.
pub(super) fn limits(config: &Config) -> Limits {
    Limits {
        connections: config.limits.connections,
        connections_per_address: config.limits.connections_per_address,
        line_bytes: config.session.line_bytes,
        idle: config.session.idle.0,
        write: config.session.write.0,
        grace: config.limits.grace.0,
        ..Limits::default()
    }
}

/// `[session]`, `[data]`, and what of `[tls]` the dialogue has to know.
pub(super) fn options(config: &Config) -> FileOptions {
    let session = &config.session;
    FileOptions {
        settings: Settings {
            greeting: session.greeting.clone(),
            idle: session.idle.0,
            login: session.login.0,
            max_login_failures: session.attempts,
            tls: config.has_tls().then(|| tls_rules(config)),
            off: off(config),
            hosts: session.hosts.clone(),
            foreign_data: foreign(config),
            deflate: session.deflate,
            denied_names: patterns(&config.names.deny),
            ..Settings::default()
        },
        data: data(config),
        hidden_names: patterns(&config.names.hide),
        login_delay: config.bans.delay.0,
    }
}

fn patterns(names: &[String]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.clone().into_bytes()).collect()
}

fn foreign(config: &Config) -> Foreign {
    match &config.data.foreign {
        Others::No => Foreign::Nobody,
        Others::Yes => Foreign::Anybody,
        Others::In(networks) => {
            let networks = networks.iter();
            Foreign::Networks(networks.map(|net| (net.addr(), net.prefix_len())).collect())
        }
    }
}

fn tls_rules(config: &Config) -> TlsRules {
    let need = config.tls.required.need();
    TlsRules {
        required: Required {
            control: need.control(),
            data: need.data(),
        },
        clear_control: config.tls.allow_ccc,
        client_side: config.data.foreign != Others::No,
        ..TlsRules::default()
    }
}

fn off(config: &Config) -> Verbs {
    let active = [Verb::Port, Verb::Eprt, Verb::Lprt];
    let active = active.into_iter().filter(|_| !config.data.active);
    config
        .session
        .off
        .iter()
        .map(|key| key.0)
        .chain(active)
        .collect()
}

fn data(config: &Config) -> DataOptions {
    let section = &config.data;
    let shown = |host: &Host| match host {
        Host::Address(address) => Advertised::Address(*address),
        Host::Name(name) => Advertised::Name(name.clone()),
    };
    let mut announce = section
        .advertise
        .as_ref()
        .map_or_else(Announce::default, |host| Announce::always(shown(host)));
    let mut networks: Vec<_> = section.advertise_to.iter().collect();
    // The first that fits counts.
    networks.sort_by_key(|(network, _)| std::cmp::Reverse(network.prefix_len()));
    for (network, host) in networks {
        announce = announce.to(*network, shown(host));
    }
    DataOptions {
        ports: section.ports.as_ref().map(|ports| ports.0.clone()),
        announce,
        resumed_tls: config.tls.require_resumption,
        connect: section.connect.0,
        idle: section.idle.0,
        foreign: foreign(config),
        shared: section.shared,
        max_upload: config.uploads.max_bytes.map(|size| size.0),
        total: section.total.map(|total| total.0),
    }
}
