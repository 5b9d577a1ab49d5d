//! What is opened before the server runs: ports, the control socket, logs; and the lines that say where
//! it is.

use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};
use tracing_subscriber::EnvFilter;

use super::config::{Config, LogFormat};
use super::log::{Events, Transfers};
use super::metrics::{self, Metrics};
use super::options::Serve;
use super::{Failure, FailureKind, http, tools, usual_control};
use crate::Listener;

/// Changes `log.filter` while the process runs.
pub(super) struct LogControl(Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>);

impl LogControl {
    pub(super) fn set(&self, filter: EnvFilter) -> Result<(), Failure> {
        (self.0)(filter).map_err(|error| Failure::new(FailureKind::System, error))
    }
}

/// `log.filter`
pub(super) fn filter(config: &Config) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(&config.log.filter).map_err(|error| {
        let text = format!("log filter `{}`: {error}", config.log.filter);
        Failure::new(FailureKind::Config, text)
    })
}

/// Starts the log on standard error.
pub(super) fn log(config: &Config) -> Result<LogControl, Failure> {
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        // It would tell standard error, and panic, when that is what cannot be written to.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal());
    let filter = filter(config)?;
    let (started, control) = match config.log.format {
        LogFormat::Text => {
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let handle = builder.reload_handle();
            let set = move |filter| handle.reload(filter).map_err(|error| error.to_string());
            (builder.try_init(), LogControl(Box::new(set)))
        }
        LogFormat::Json => {
            let builder = builder.json().with_env_filter(filter);
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            let set = move |filter| handle.reload(filter).map_err(|error| error.to_string());
            (builder.try_init(), LogControl(Box::new(set)))
        }
    };
    started.map_err(|error| Failure::new(FailureKind::System, error))?;
    Ok(control)
}

/// The log files that are written.
pub(super) struct Logs {
    pub(super) transfers: Option<Arc<Transfers>>,
    pub(super) events: Option<Arc<Events>>,
}

impl Logs {
    pub(super) fn open(config: &Config) -> Result<Self, Failure> {
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

    pub(super) fn reopen(&self) {
        if let Some(transfers) = &self.transfers {
            transfers.file().reopen();
        }
        if let Some(events) = &self.events {
            events.file().reopen();
        }
    }
}

/// The control socket, and the path to remove at the end.
pub(super) struct ControlSocket {
    socket: std::os::unix::net::UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// The socket on this runtime.
    pub(super) fn listener(&self) -> io::Result<UnixListener> {
        self.socket.try_clone().and_then(UnixListener::from_std)
    }
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
pub(super) fn open_control(
    config: &Config,
    serve: &Serve,
) -> Result<Option<ControlSocket>, Failure> {
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

/// Opens the ports, or takes those systemd has opened.
pub(super) fn listen(config: &Config) -> Result<Listener, Failure> {
    let wrong = |what: &dyn std::fmt::Display, error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => " (another port: --port N)",
            io::ErrorKind::PermissionDenied => {
                " (ports below 1024 are for root and CAP_NET_BIND_SERVICE; another port: --port N)"
            }
            io::ErrorKind::AddrNotAvailable => " (this machine has no such address)",
            _ => "",
        };
        Failure::new(
            FailureKind::System,
            format!("cannot listen on {what}: {error}{hint}"),
        )
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

/// Opens the port of the metrics.
pub(super) async fn bind_metrics(config: &Config) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = config.metrics.listen else {
        return Ok(None);
    };
    let bound = TcpListener::bind(address).await;
    let bound = bound.inspect(|listener| {
        if let Ok(address) = listener.local_addr() {
            tracing::info!("metrics on http://{address}/metrics");
        }
    });
    bound.map(Some).map_err(|error| {
        Failure::new(
            FailureKind::System,
            format!("metrics on {address}: {error}"),
        )
    })
}

/// Serves the metrics; never ends.
pub(super) async fn serve_metrics(listener: TcpListener, metrics: Arc<Metrics>) {
    let page = move |path: &str| match path {
        "/metrics" => Some((metrics::OPEN_METRICS, metrics.page().ok()?)),
        "/healthz" => Some((http::PLAIN, "ok\n".to_owned())),
        _ => None,
    };
    http::serve(listener, page).await;
}

/// Says on standard output where we are and how to come in.
pub(super) fn announce(
    config: &Config,
    serve: &Serve,
    addresses: &[SocketAddr],
) -> Result<(), Failure> {
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

/// Lets the process open as many files as it may: a transfer needs three, and the usual limit of 1024 is
/// there for programs that use select(2).
pub(super) fn raise_file_limit(config: &Config) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "limit of open files not raised");
    }
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let wanted = (config.limits.connections as u64).saturating_mul(FILES_PER_SESSION);
    if most < wanted {
        let connections = config.limits.connections;
        tracing::warn!(
            most,
            connections,
            "the system's limit of open files (ulimit -n, LimitNOFILE=) is low for so many connections"
        );
    }
}

/// Control connection, data connection, file.
const FILES_PER_SESSION: u64 = 3;
