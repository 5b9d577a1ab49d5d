//! `ftpd DIR` and `ftpd --config FILE`: from the command line to a server that runs, and its end.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ftp_proto::permission::Rights;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::config::{Config, Letters, LogFormat, TlsKey, UserSection};
use super::confine::{self, Identity, Reach};
use super::homes::Homes;
use super::hooks;
use super::log::{Events, Transfers};
use super::login::{Book, Logins};
use super::metrics::{self, Metrics};
use super::options::Serve;
use super::who::{Control, Sessions};
use super::{Failure, FailureKind, http, tls, tools, usual_control, wiring};
use crate::Listener;
use crate::auth::gate::Gate;
use crate::event::Observer;
use crate::throttle::{Throttle, ThrottleOptions};
use crate::tls::Tls;

/// Serves until a signal ends it.
pub(super) fn run(serve: &Serve) -> Result<(), Failure> {
    let config = merged(serve)?;
    let users = read_users(&config)?;
    start_log(&config)?;
    look_at_files(&config, &users)?;
    need_root(&config, &users)?;
    let identity = match &config.process.user {
        Some(user) if confine::is_root() => {
            let found = Identity::find(user, config.process.group.as_deref());
            Some(found.map_err(|error| Failure::new(FailureKind::Config, error))?)
        }
        _ => None,
    };
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
    let control = open_control(&config, serve)?;
    // Before the runtime: it binds this thread and those it starts.
    if config.process.landlock {
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
        control,
        serve,
    };
    let result = runtime.block_on(daemon.live());
    // Threads that wait for a disk are left behind.
    runtime.shutdown_background();
    result
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
    let sections = sections(config, users);
    let roots = sections.filter_map(|section| section.root.as_ref());
    for root in roots.chain(&config.root) {
        is_directory(root)?;
    }
    tls::load(&config.tls).map(|_| ())
}

/// Whether everybody has a directory.
fn need_root(config: &Config, users: &BTreeMap<String, UserSection>) -> Result<(), Failure> {
    if config.root.is_none() && sections(config, users).any(|section| section.root.is_none()) {
        let text = "no directory to serve: `ftpd DIR`, or `root` in the configuration";
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
fn merged(serve: &Serve) -> Result<Config, Failure> {
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
    if serve.cert.is_some() {
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

fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.filter).map_err(|error| {
        let text = format!("log filter `{}`: {error}", config.log.filter);
        Failure::new(FailureKind::Config, text)
    })?;
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(filter);
    let started = match config.log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| Failure::new(FailureKind::System, error))
}

fn open_homes(config: &Config) -> Result<Homes, Failure> {
    Homes::new(config.root.as_deref()).map_err(|error| {
        let root = config.root.as_deref().unwrap_or(Path::new("/"));
        Failure::new(FailureKind::Input, format!("{}: {error}", root.display()))
    })
}

/// The log files that are written.
struct Logs {
    transfers: Option<Arc<Transfers>>,
    events: Option<Arc<Events>>,
}

impl Logs {
    fn open(config: &Config) -> Result<Self, Failure> {
        let wrong = |path: &Path, error: io::Error| {
            Failure::new(FailureKind::Input, format!("{}: {error}", path.display()))
        };
        let transfers = config.log.transfers.as_deref();
        let transfers = transfers
            .map(|path| Transfers::open(path).map_err(|error| wrong(path, error)))
            .transpose()?;
        let events = config.log.events.as_deref();
        let events = events
            .map(|path| Events::open(path).map_err(|error| wrong(path, error)))
            .transpose()?;
        Ok(Self {
            transfers: transfers.map(Arc::new),
            events: events.map(Arc::new),
        })
    }

    fn reopen(&self) {
        if let Some(transfers) = &self.transfers {
            transfers.file().reopen();
        }
        if let Some(events) = &self.events {
            events.file().reopen();
        }
    }
}

/// The control socket, and the path to remove at the end.
struct ControlSocket {
    socket: std::os::unix::net::UnixListener,
    path: PathBuf,
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // After giving up root that may no longer be ours to do; the next start removes it.
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "control socket not removed");
        }
    }
}

/// The socket `ftpd who` asks. One that was named must come about; the usual one is a convenience.
fn open_control(config: &Config, serve: &Serve) -> Result<Option<ControlSocket>, Failure> {
    let named = serve
        .control
        .clone()
        .or_else(|| config.process.control.clone());
    let usual = || {
        let port = match config.listen.addresses.first() {
            Some(address) => address.port(),
            None => config.listen.port,
        };
        // Which of several servers would it be?
        if port == 0 { None } else { usual_control(port) }
    };
    let is_named = named.is_some();
    let Some(path) = named.or_else(usual) else {
        return Ok(None);
    };
    match bind_control(&path) {
        Ok(socket) => Ok(Some(ControlSocket { socket, path })),
        Err(error) if is_named => {
            let text = format!("control socket {}: {error}", path.display());
            Err(Failure::new(FailureKind::System, text))
        }
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "no control socket");
            Ok(None)
        }
    }
}

fn bind_control(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::{UnixListener, UnixStream};

    if UnixStream::connect(path).is_ok() {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    // Left behind by a server that was killed.
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let socket = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Gives up all files but those that are served, written or read again.
fn restrict(
    config: &Config,
    users: &BTreeMap<String, UserSection>,
    serve: &Serve,
) -> Result<(), Failure> {
    let hooks = &config.hooks;
    let programs = [
        &hooks.before,
        &hooks.after,
        &hooks.transfer,
        &config.login.command,
    ];
    if programs.iter().any(|line| !line.is_empty()) {
        tracing::info!("files not restricted: programs of yours are run, which need their own");
        return Ok(());
    }
    let mut reach = Reach::default();
    let everybody = config.user.values().chain(users.values());
    let sections = everybody.chain(std::iter::once(&config.anonymous));
    reach
        .write
        .extend(sections.filter_map(|section| section.root.clone()));
    reach.write.extend(config.root.clone());
    let parent = |path: &PathBuf| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let logs = [&config.log.transfers, &config.log.events];
    reach.write.extend(logs.into_iter().flatten().map(parent));
    reach.write.extend(
        config
            .process
            .control
            .iter()
            .chain(&serve.control)
            .map(parent),
    );
    let tls = &config.tls;
    let files = [
        &serve.config,
        &config.users_file,
        &tls.certificate,
        &tls.key,
        &tls.client_authorities,
    ];
    // Their directories: a file that is replaced is another one, and a certificate often a link.
    reach.read.extend(files.into_iter().flatten().map(parent));
    reach.read.push(PathBuf::from("/etc"));
    confine::restrict(&reach).map_err(|error| Failure::new(FailureKind::System, error))
}

/// Everything a server needs, not running yet.
struct Daemon<'a> {
    config: Config,
    users: BTreeMap<String, UserSection>,
    identity: Option<Identity>,
    homes: Homes,
    logs: Logs,
    control: Option<ControlSocket>,
    serve: &'a Serve,
}

/// What lives beside the server and is changed by a reload.
struct Beside {
    logins: Arc<Logins>,
    homes: Homes,
    logs: Logs,
    tls: Option<Tls>,
}

impl Daemon<'_> {
    async fn live(self) -> Result<(), Failure> {
        let config = &self.config;
        let listener = listen(config)?;
        let addresses = listener
            .addresses()
            .map_err(|error| Failure::new(FailureKind::System, error))?;
        let metrics_listener = match config.metrics.listen {
            Some(address) => Some(bind_metrics(address).await?),
            None => None,
        };
        // Before the line that says we are there: whoever reads it may stop us at once.
        let signals = Signals::new().map_err(|error| Failure::new(FailureKind::System, error))?;
        if let Some(identity) = &self.identity {
            let became = identity.become_it();
            became.map_err(|error| Failure::new(FailureKind::Permission, error))?;
        } else if confine::is_root() && config.process.user.is_none() {
            tracing::warn!("running as root; `process.user` names somebody to become");
        }

        let throttle = Arc::new(Throttle::new(ThrottleOptions {
            delay: config.bans.delay.0,
            max_delay: config.bans.max_delay.0,
            failures: config.bans.failures,
            window: config.bans.window.0,
            ban: config.bans.duration.0,
        }));
        let logins = Arc::new(Logins::new(book(config, &self.users, self.serve)));
        let sessions = Arc::new(Sessions::default());
        let metrics = metrics_listener.as_ref().map(|_| Arc::new(Metrics::new()));
        let observer = self.observers(&sessions, metrics.as_ref());
        let networks = crate::auth::gate::Networks {
            allow: config.networks.allow.clone(),
            deny: config.networks.deny.clone(),
        };
        let gate = Gate::new(Arc::clone(&logins), Arc::clone(&throttle), networks);
        let tls = tls::offer(&config.tls)?;
        let (homes, who) = (self.homes.clone(), Arc::clone(&sessions));
        let server = wiring::server(config, gate, homes, observer, tls.clone(), who);
        let stop = server.stop_token();

        let mut aside = JoinSet::new();
        if let (Some(listener), Some(metrics)) = (metrics_listener, metrics) {
            aside.spawn(serve_metrics(listener, metrics));
        }
        let _control = match self.control {
            Some(control) => {
                let socket = control.socket.try_clone().and_then(UnixListener::from_std);
                let socket = socket.map_err(|error| Failure::new(FailureKind::System, error))?;
                aside.spawn(Control { sessions, throttle }.serve(socket));
                Some(control)
            }
            None => None,
        };
        announce(config, self.serve, &addresses)?;
        let beside = Beside {
            logins,
            homes: self.homes,
            logs: self.logs,
            tls,
        };
        tokio::select! {
            result = server.serve(listener) => {
                result.map_err(|error| Failure::new(FailureKind::System, error))
            }
            () = signals.obey(stop, &beside, self.serve) => Ok(()),
        }
    }

    fn observers(
        &self,
        sessions: &Arc<Sessions>,
        metrics: Option<&Arc<Metrics>>,
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
        let runtime = tokio::runtime::Handle::current();
        if let Some(programs) = hooks::Transfers::new(&self.config.hooks, runtime) {
            all.push(Arc::new(programs));
        }
        Arc::new(all)
    }
}

fn book(config: &Config, users: &BTreeMap<String, UserSection>, serve: &Serve) -> Book {
    let mut book = Book::new(config, users);
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
    book
}

fn listen(config: &Config) -> Result<Listener, Failure> {
    let wrong = |what: &dyn std::fmt::Display, error: io::Error| {
        let text = format!("cannot listen on {what}: {error} (another port: --port N)");
        Failure::new(FailureKind::System, text)
    };
    let section = &config.listen;
    let handed = if section.systemd {
        Listener::from_systemd().map_err(|error| wrong(&"systemd's sockets", error))?
    } else {
        None
    };
    let mut listener = match handed {
        Some(listener) => listener,
        None if section.systemd => {
            let text = "`systemd = true`, but systemd has handed over no socket";
            return Err(Failure::new(FailureKind::System, text));
        }
        None if section.addresses.is_empty() => Listener::dual_stack(section.port)
            .map_err(|error| wrong(&format!("port {}", section.port), error))?,
        None => bind(&section.addresses, wrong)?,
    };
    if !section.implicit_tls.is_empty() {
        listener = listener.and(bind(&section.implicit_tls, wrong)?.implicit_tls());
    }
    Ok(listener)
}

fn bind(
    addresses: &[SocketAddr],
    wrong: impl Fn(&dyn std::fmt::Display, io::Error) -> Failure,
) -> Result<Listener, Failure> {
    let mut sockets: Option<Listener> = None;
    for address in addresses {
        let socket = Listener::bind(&[*address]).map_err(|error| wrong(address, error))?;
        sockets = Some(match sockets {
            Some(sockets) => sockets.and(socket),
            None => socket,
        });
    }
    sockets.ok_or_else(|| Failure::new(FailureKind::Config, "no address to listen on"))
}

async fn bind_metrics(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    let bound = bound.inspect(|listener| {
        if let Ok(address) = listener.local_addr() {
            tracing::info!("metrics on http://{address}/metrics");
        }
    });
    bound.map_err(|error| {
        Failure::new(
            FailureKind::System,
            format!("metrics on {address}: {error}"),
        )
    })
}

async fn serve_metrics(listener: TcpListener, metrics: Arc<Metrics>) {
    let page = move |path: &str| match path {
        "/metrics" => Some((metrics::OPEN_METRICS, metrics.page().ok()?)),
        "/healthz" => Some((http::PLAIN, "ok\n".to_owned())),
        _ => None,
    };
    http::serve(listener, page).await;
}

/// Says on standard output where we are and how to come in.
fn announce(config: &Config, serve: &Serve, addresses: &[SocketAddr]) -> Result<(), Failure> {
    let dir = match &config.root {
        Some(root) => root.display().to_string(),
        None => "directories of users".to_owned(),
    };
    let may_write = serve.write
        || std::iter::once(&config.anonymous)
            .chain(config.user.values())
            .any(|user| user.permissions().may_change());
    let mode = if may_write {
        "read and write"
    } else {
        "read-only"
    };
    for address in addresses {
        let port = address.port();
        let host = match address.ip() {
            ip if ip.is_unspecified() => IpAddr::from(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        let place = SocketAddr::new(host, port);
        let user = serve.user.first().map(|(name, _)| format!("{name}@"));
        let user = user.unwrap_or_default();
        let tls = match (config.has_tls(), config.tls.self_signed) {
            (true, true) => " --ssl-reqd --insecure",
            (true, false) => " --ssl-reqd",
            (false, _) => "",
        };
        let curl = format!("curl{tls} ftp://{user}{place}/");
        // Scripts take the port from the end of the first line.
        tools::say(&format!("ftpd: {dir} on port {port}\n"))?;
        tools::say(&format!("ftpd: {mode}; connect with: {curl}\n"))?;
    }
    Ok(())
}

/// The signals that are obeyed.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns at the second signal to end; the first one only stops the server.
    async fn obey(mut self, stop: CancellationToken, beside: &Beside, serve: &Serve) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                _ = self.hangup.recv() => {
                    match reload(beside, serve) {
                        Ok(()) => tracing::info!("configuration read again"),
                        // What was good goes on.
                        Err(failure) => tracing::error!(%failure, "configuration not taken over"),
                    }
                    continue;
                }
            }
            if stop.is_cancelled() {
                return;
            }
            stop.cancel();
        }
    }
}

/// SIGHUP: users, rules, certificates, logs. Files are small and read at once.
fn reload(beside: &Beside, serve: &Serve) -> Result<(), Failure> {
    beside.logs.reopen();
    let config = merged(serve)?;
    let users = read_users(&config)?;
    // Checked before anything changes, so that a mistake changes nothing.
    look_at_files(&config, &users)?;
    if let Some(tls) = &beside.tls {
        tls::reload(tls, &config.tls)?;
    }
    beside.homes.forget();
    beside.logins.reload(book(&config, &users, serve));
    Ok(())
}
