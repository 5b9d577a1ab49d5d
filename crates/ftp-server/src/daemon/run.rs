//! `ftpd DIR` and `ftpd --config FILE`: from the command line to a server that runs, and its end.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ftp_proto::permission::Rights;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::config::{Config, Letters, TlsKey, UserSection};
use super::confine::{self, Identity, Reach};
use super::homes::Homes;
use super::login::{Book, Logins, external};
use super::metrics::Metrics;
use super::notify::Notifier;
use super::options::Serve;
use super::program::Runner;
use super::reload::{self, Reload};
use super::start::{self, ControlSocket, LogControl, Logs};
use super::state::State;
use super::who::{Control, Sessions};
use super::wiring::{self, Dialler};
use super::{Failure, FailureKind, helper, hooks, tls};
use crate::auth::gate::Gate;
use crate::event::Observer;
use crate::handler::Handler;
use crate::listener::Listener;
use crate::server::Server;
use crate::throttle::Throttle;

/// Serves until a signal ends it.
pub(super) fn run(serve: &Serve) -> Result<(), Failure> {
    let config = merged(serve)?;
    let users = read_users(&config)?;
    let log = start::log(&config)?;
    look_at_files(&config, &users)?;
    need_root(&config, &users)?;
    start::raise_file_limit(&config);
    let identity = match &config.process.user {
        Some(user) if confine::is_root() => {
            let found = Identity::find(user, config.process.group.as_deref());
            Some(found.map_err(|error| Failure::new(FailureKind::Config, error))?)
        }
        _ => None,
    };
    let notifier = Notifier::from_environment();
    // Opened by name before names are given up.
    let homes = open_homes(&config)?;
    let logs = Logs::open(&config)?;
    if let Some(identity) = &identity {
        let paths = [&config.log.transfers, &config.log.events];
        for path in paths.into_iter().flatten() {
            identity.own(path).map_err(|error| {
                Failure::new(FailureKind::System, format!("{}: {error}", path.display()))
            })?;
        }
    }
    let control = start::open_control(&config, serve)?;
    let mut helper = None;
    // Before the runtime: it binds this thread and those it starts.
    if config.process.landlock {
        // The helper first: it is to keep what we give up.
        helper = start_helper(&config)?;
        restrict(&config, &users, serve)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(FailureKind::System, error))?;
    let daemon = Daemon {
        config,
        users,
        identity,
        homes,
        logs,
        log,
        control,
        helper,
        notifier,
        serve,
    };
    let result = runtime.block_on(daemon.live());
    // Threads that wait for a disk are left behind.
    runtime.shutdown_background();
    result
}

/// The process that runs the operator's programs, if there are any.
fn start_helper(config: &Config) -> Result<Option<helper::Started>, Failure> {
    let (hooks, login) = (&config.hooks, &config.login);
    let programs: Vec<_> = [&hooks.before, &hooks.after, &hooks.transfer, &login.command]
        .into_iter()
        .filter(|line| !line.is_empty())
        .cloned()
        .collect();
    if programs.is_empty() {
        return Ok(None);
    }
    let (user, group) = (&config.process.user, &config.process.group);
    let started = helper::Started::new(programs, user.as_deref(), group.as_deref());
    let started = started.map_err(|error| {
        let text = format!("the helper for programs cannot be started: {error}");
        Failure::new(FailureKind::System, text)
    })?;
    Ok(Some(started))
}

/// Reads a configuration.
pub(super) fn read_config(file: &Path) -> Result<Config, Failure> {
    let bytes = read(file)?;
    Config::parse(file, &bytes).map_err(|error| Failure::new(FailureKind::Config, error))
}

/// Reads the users file, if there is one.
pub(super) fn read_users(config: &Config) -> Result<BTreeMap<String, UserSection>, Failure> {
    let Some(file) = &config.users_file else {
        return Ok(BTreeMap::new());
    };
    let bytes = read(file)?;
    Config::parse_users(file, &bytes).map_err(|error| Failure::new(FailureKind::Config, error))
}

/// Whether the directories and certificates that the configuration names are there.
pub(super) fn look_at_files(
    config: &Config,
    users: &BTreeMap<String, UserSection>,
) -> Result<(), Failure> {
    for root in roots(config, users) {
        is_directory(root)?;
    }
    if let Some(url) = &config.login.url {
        let trust = external::trust(&config.login, url);
        trust.map_err(|error| Failure::new(FailureKind::Config, error))?;
    }
    tls::load(&config.tls).map(|_| ())
}

/// The directories that are served.
pub(super) fn roots<'a>(
    config: &'a Config,
    users: &'a BTreeMap<String, UserSection>,
) -> impl Iterator<Item = &'a PathBuf> {
    let sections = sections(config, users);
    let roots = sections.filter_map(|section| section.root.as_ref());
    roots.chain(&config.root)
}

/// Whether everybody has a directory.
fn need_root(config: &Config, users: &BTreeMap<String, UserSection>) -> Result<(), Failure> {
    if config.root.is_none() && sections(config, users).any(|section| section.root.is_none()) {
        let text = "no directory to serve: `ftpd .`, `ftpd DIR`, or `root` in the configuration; `ftpd --help` has examples";
        return Err(Failure::new(FailureKind::Usage, text));
    }
    Ok(())
}

/// Everybody who may log in.
fn sections<'a>(
    config: &'a Config,
    users: &'a BTreeMap<String, UserSection>,
) -> impl Iterator<Item = &'a UserSection> {
    let anonymous = Some(&config.anonymous).filter(|anonymous| anonymous.enabled);
    config.user.values().chain(users.values()).chain(anonymous)
}

fn is_directory(path: &Path) -> Result<(), Failure> {
    let wrong = |text: &dyn std::fmt::Display| {
        Failure::new(FailureKind::Input, format!("{}: {text}", path.display()))
    };
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(wrong(&"not a directory")),
        Err(error) => Err(wrong(&error)),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file)
        .map_err(|error| Failure::new(FailureKind::Input, format!("{}: {error}", file.display())))
}

/// The configuration with what the command line says.
pub(super) fn merged(serve: &Serve) -> Result<Config, Failure> {
    let mut config = match &serve.config {
        Some(file) => read_config(file)?,
        None => Config::default(),
    };
    if let Some(dir) = &serve.dir {
        config.root = Some(dir.clone());
    }
    if let Some(port) = serve.port {
        config.listen.port = port;
        config.listen.addresses.clear();
    }
    if !serve.listen.is_empty() {
        config.listen.addresses.clone_from(&serve.listen);
    }
    if serve.no_anonymous {
        config.anonymous.enabled = false;
    }
    if serve.write {
        let all = Some(Letters(Rights::ALL));
        for user in config.user.values_mut() {
            user.permissions = user.permissions.or(all);
        }
        if serve.user.is_empty() && config.user.is_empty() {
            config.anonymous.permissions = config.anonymous.permissions.or(all);
        }
    }
    if serve.self_signed {
        (config.tls.certificate, config.tls.key) = (None, None);
        config.tls.self_signed = true;
    } else if serve.cert.is_some() {
        (config.tls.certificate, config.tls.key) = (serve.cert.clone(), serve.key.clone());
        config.tls.self_signed = false;
    } else if (serve.tls || serve.require_tls) && config.tls.certificate.is_none() {
        config.tls.self_signed = true;
    }
    if serve.require_tls {
        config.tls.required = TlsKey::Both;
    }
    if let Some(ports) = &serve.passive_ports {
        config.data.ports = Some(ports.clone());
    }
    if let Some(host) = &serve.advertise {
        config.data.advertise = Some(host.clone());
    }
    if let Some(metrics) = serve.metrics {
        if !metrics.ip().to_canonical().is_loopback() {
            let text = "--metrics: loopback only, such as 127.0.0.1:9121";
            return Err(Failure::new(FailureKind::Usage, text));
        }
        config.metrics.listen = Some(metrics);
    }
    if let Some(filter) = &serve.log {
        config.log.filter.clone_from(filter);
    }
    Ok(config)
}

fn open_homes(config: &Config) -> Result<Homes, Failure> {
    Homes::new(config.root.as_deref(), config.disk()).map_err(|error| {
        let root = config.root.as_deref().unwrap_or(Path::new("/"));
        Failure::new(FailureKind::Input, format!("{}: {error}", root.display()))
    })
}

/// Gives up all files but those that are served, written or read again.
fn restrict(
    config: &Config,
    users: &BTreeMap<String, UserSection>,
    serve: &Serve,
) -> Result<(), Failure> {
    let mut reach = Reach::default();
    let everybody = config.user.values().chain(users.values());
    let sections = everybody.chain(std::iter::once(&config.anonymous));
    reach
        .write
        .extend(sections.filter_map(|section| section.root.clone()));
    reach.write.extend(config.root.clone());
    let logs = [&config.log.transfers, &config.log.events];
    reach.write.extend(config.process.reach.clone());
    let parent = |path: &PathBuf| reload::parent(path);
    reach.write.extend(logs.into_iter().flatten().map(parent));
    reach.write.extend(
        config
            .process
            .control
            .iter()
            .chain(&serve.control)
            .chain(&config.process.state)
            .map(parent),
    );
    let tls = &config.tls;
    let files = [
        &serve.config,
        &config.users_file,
        &tls.certificate,
        &tls.key,
        &tls.client_authorities,
        &config.login.authorities,
    ];
    // Their directories: a file that is replaced is another one, and a certificate often a link.
    reach.read.extend(files.into_iter().flatten().map(parent));
    reach.read.extend(SYSTEM_FILES.iter().map(PathBuf::from));
    confine::restrict(&reach).map_err(|error| Failure::new(FailureKind::System, error))
}

/// What resolving names, looking up certificates of others and the numbers about ourselves need.
const SYSTEM_FILES: [&str; 5] = [
    "/etc",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/usr/share/ca-certificates",
    "/proc/self",
];

/// Everything a server needs, not running yet.
struct Daemon<'a> {
    config: Config,
    users: BTreeMap<String, UserSection>,
    identity: Option<Identity>,
    homes: Homes,
    logs: Logs,
    log: LogControl,
    control: Option<ControlSocket>,
    helper: Option<helper::Started>,
    notifier: Notifier,
    serve: &'a Serve,
}

/// Serves on a thread of the runtime. The main one runs no connection, so it would have to wake another
/// for each that it lets in.
async fn serve_on_a_worker<H: Handler>(server: Server<H>, listener: Listener) -> io::Result<()> {
    // Dropped with this future, it ends the server.
    let mut serving = JoinSet::new();
    serving.spawn(server.serve(listener));
    match serving.join_next().await {
        Some(served) => served?,
        None => Ok(()),
    }
}

impl Daemon<'_> {
    async fn live(mut self) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::new(FailureKind::System, error);
        let config = self.config.clone();
        let listener = start::listen(&config)?;
        let addresses = listener.addresses().map_err(failed)?;
        let metrics_listener = start::bind_metrics(&config).await?;
        // Before the line that says we are there: whoever reads it may stop us at once.
        let signals = Signals::new().map_err(failed)?;
        self.give_up_root()?;
        let runner = match self.helper.take() {
            Some(helper) => Runner::Helper(helper.connect().map_err(failed)?),
            None => Runner::Here,
        };
        let throttle = Arc::new(Throttle::new(wiring::throttle(&config)));
        let book = book(&config, &self.users, self.serve, &runner);
        let logins = Arc::new(Logins::new(book?));
        let state = load_state(&config, &logins)?;
        let sessions = Arc::new(Sessions::default());
        let metrics = metrics_listener.as_ref().map(|_| Arc::new(Metrics::new()));
        let runtime = tokio::runtime::Handle::current();
        let transfers = Arc::new(hooks::Transfers::new(&config.hooks, &runner, runtime));
        let (inner, networks) = (Arc::clone(&logins), wiring::networks(&config));
        let parts = wiring::Parts {
            gate: Arc::new(Gate::new(inner, Arc::clone(&throttle), networks)),
            homes: self.homes.clone(),
            dialler: Dialler::new(config.data.active_port),
            observer: self.observers(&sessions, metrics.as_ref(), &transfers),
            tls: tls::offer(&config.tls)?,
            sessions: Arc::clone(&sessions),
            runner: runner.clone(),
        };
        let (gate, dialler) = (Arc::clone(&parts.gate), parts.dialler.clone());
        let tls = parts.tls.clone();
        let (server, files) = wiring::server(&config, parts);
        let (stop, controls) = (server.stop_token(), server.controls());

        let mut aside = JoinSet::new();
        if let (Some(listener), Some(metrics)) = (metrics_listener, metrics) {
            aside.spawn(start::serve_metrics(listener, metrics));
        }
        let keeping = state.clone().map(|state| state.keep(Arc::clone(&logins)));
        keeping.map(|keeping| aside.spawn(keeping));
        let control = self.control.take();
        if let Some(socket) = &control {
            let control = Control {
                sessions,
                throttle: Arc::clone(&throttle),
                controls: controls.clone(),
                logins: Arc::clone(&logins),
            };
            aside.spawn(control.serve(socket.listener().map_err(failed)?));
        }
        start::announce(&config, self.serve, &addresses)?;
        let status = status(&addresses);
        self.notifier.ready(&status);
        let mut reload = Reload {
            serve: self.serve,
            started: config.clone(),
            current: config,
            users: self.users,
            controls,
            files,
            gate,
            logins: Arc::clone(&logins),
            throttle,
            homes: self.homes,
            dialler,
            transfers,
            runner,
            tls,
            logs: self.logs,
            log: self.log,
        };
        let ended = tokio::select! {
            served = serve_on_a_worker(server, listener) => served.map_err(failed),
            () = signals.obey(stop, &mut reload, &self.notifier, &status) => Ok(()),
            () = self.notifier.stay_alive() => Ok(()),
        };
        let saved = state.map_or(Ok(()), |state| state.save(logins.members()));
        ended.and(saved.map_err(failed))
    }

    fn give_up_root(&self) -> Result<(), Failure> {
        if let Some(identity) = &self.identity {
            let became = identity.become_it();
            became.map_err(|error| Failure::new(FailureKind::Permission, error))?;
            if let Some(port @ 1..1024) = self.config.data.active_port {
                let text = "`data.active_port` needs a privilege that is given up; any other port is dialled from";
                tracing::warn!(port, "{text}");
            }
        } else if confine::is_root() && self.config.process.user.is_none() {
            tracing::warn!("running as root; `process.user` names somebody to become");
        }
        Ok(())
    }

    fn observers(
        &self,
        sessions: &Arc<Sessions>,
        metrics: Option<&Arc<Metrics>>,
        programs: &Arc<hooks::Transfers>,
    ) -> Arc<dyn Observer> {
        let mut all: Vec<Arc<dyn Observer>> = vec![Arc::clone(sessions) as _];
        if let Some(metrics) = metrics {
            all.push(Arc::clone(metrics) as _);
        }
        if let Some(transfers) = &self.logs.transfers {
            all.push(Arc::clone(transfers) as _);
        }
        if let Some(events) = &self.logs.events {
            all.push(Arc::clone(events) as _);
        }
        all.push(Arc::clone(programs) as _);
        Arc::new(all)
    }
}

/// What was counted in earlier runs. Written at once as well: it is now that somebody reads that it
/// cannot be.
fn load_state(config: &Config, logins: &Logins) -> Result<Option<State>, Failure> {
    let Some(path) = &config.process.state else {
        return Ok(None);
    };
    let state = State::new(path);
    let members = logins.members();
    let done = state.load(members).and_then(|()| state.save(members));
    done.map_err(|error| {
        let text = format!("state {}: {error}", path.display());
        Failure::new(FailureKind::System, text)
    })?;
    Ok(Some(state))
}

/// What `systemctl status` shows.
fn status(addresses: &[SocketAddr]) -> String {
    let places: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    format!("serving on {}", places.join(", "))
}

/// Everybody who may log in, those of the command line too.
pub(super) fn book(
    config: &Config,
    users: &BTreeMap<String, UserSection>,
    serve: &Serve,
    runner: &Runner,
) -> Result<Book, Failure> {
    let book = Book::new(config, users, runner);
    let mut book = book.map_err(|error| Failure::new(FailureKind::Config, error))?;
    let rights = if serve.write {
        Rights::ALL
    } else {
        Rights::READ
    };
    for (name, password) in &serve.user {
        let section = UserSection {
            permissions: Some(Letters(rights)),
            ..UserSection::default()
        };
        book.add(name, password.clone(), section);
    }
    Ok(book)
}

/// `SIGXFSZ`, signal(7).
const TOO_LARGE: i32 = rustix::process::Signal::XFSZ.as_raw();

/// The signals that are obeyed.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    /// An upload has met `ulimit -f`. The signal would end us; the upload's own error will do.
    _too_large: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            _too_large: signal(SignalKind::from_raw(TOO_LARGE))?,
        })
    }

    /// Returns at the second signal to end; the first one only stops the server.
    async fn obey(
        mut self,
        stop: CancellationToken,
        reload: &mut Reload<'_>,
        notifier: &Notifier,
        status: &str,
    ) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                _ = self.hangup.recv() => {
                    notifier.reloading();
                    // What was good goes on.
                    if let Err(failure) = reload.run() {
                        tracing::error!(%failure, "configuration not taken over");
                    }
                    notifier.ready(status);
                    continue;
                }
            }
            if stop.is_cancelled() {
                return;
            }
            notifier.stopping();
            stop.cancel();
        }
    }
}
