//! From the configuration to a server.

use std::sync::Arc;

use ftp_proto::server::Settings;

use super::Failure;
use super::config::{Config, Host};
use super::homes::Homes;
use super::login::Logins;
use crate::auth::gate::Gate;
use crate::data::{Advertised, Announce, DataOptions};
use crate::event::Observer;
use crate::files::{FileOptions, FileServer};
use crate::tls::Tls;
use crate::{Limits, Server};

/// The server that a configuration describes.
#[expect(clippy::type_complexity, reason = "it is said once, here")]
pub(super) fn server(
    config: &Config,
    gate: Gate<Arc<Logins>>,
    homes: Homes,
    observer: Arc<dyn Observer>,
    tls: Option<Tls>,
) -> Result<Server<FileServer<Gate<Arc<Logins>>, Homes>>, Failure> {
    let files = FileServer::new(gate, homes, options(config));
    let mut server = Server::new(files, limits(config))
        .with_observer(observer)
        .behind(config.listen.proxy_from.iter().copied().collect());
    if let Some(tls) = tls {
        server = server.with_tls(tls);
    }
    Ok(server)
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
            ..Settings::default()
        },
        data: data(config),
        login_delay: config.bans.delay.0,
    }
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
        ..DataOptions::default()
    }
}
