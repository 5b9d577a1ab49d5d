//! From the configuration to a server.

use std::sync::Arc;
use std::time::Instant;

use ftp_proto::command::Verb;
use ftp_proto::server::{Required, Settings, TlsRules, Verbs};

use super::config::{Config, Host};
use super::homes::Homes;
use super::hooks::Commands;
use super::login::Logins;
use super::who::Sessions;
use crate::auth::gate::Gate;
use crate::data::{Advertised, Announce, DataOptions, TcpDial};
use crate::event::Observer;
use crate::files::{FileOptions, FileServer};
use crate::tls::Tls;
use crate::{Limits, Server};

/// The server that a configuration describes.
pub(super) fn server(
    config: &Config,
    gate: Gate<Arc<Logins>>,
    homes: Homes,
    observer: Arc<dyn Observer>,
    tls: Option<Tls>,
    sessions: Arc<Sessions>,
) -> Server<FileServer<Gate<Arc<Logins>>, Homes>> {
    let dial = match config.data.active_port {
        Some(port) => TcpDial::from_port(port),
        None => TcpDial::ANY_PORT,
    };
    let mut files = FileServer::with_dial(gate, homes, dial, options(config));
    files = files.with_who(Arc::new(move || sessions.lines(Instant::now())));
    if let Some(hook) = Commands::new(&config.hooks) {
        files = files.with_hook(Arc::new(hook));
    }
    let mut server = Server::new(files, limits(config))
        .with_observer(observer)
        .behind(config.listen.proxy_from.iter().copied().collect());
    if let Some(tls) = tls {
        server = server.with_tls(tls);
    }
    server
}

fn limits(config: &Config) -> Limits {
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

fn options(config: &Config) -> FileOptions {
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
            foreign_data: config.data.foreign,
            deflate: session.deflate,
            ..Settings::default()
        },
        data: data(config),
        login_delay: config.bans.delay.0,
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
        client_side: config.data.foreign,
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
        foreign: section.foreign,
        total: section.total.map(|total| total.0),
    }
}
