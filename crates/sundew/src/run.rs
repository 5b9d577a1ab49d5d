//! Wiring: from a configuration to a running sensor, and to its orderly end.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sundew_capture::{Quota, Store};
use sundew_egress::{Egress, Policy};
use sundew_events::Installation;
use sundew_events::json::Additions;
use sundew_kernel::budget::{SourceCpu, Together};
use sundew_kernel::program::ProgramTable;
use sundew_persona::Persona;
use sundew_session::clock::RealTime;
use sundew_session::persist::Keep;
use sundew_session::source::Budgets;
use sundew_session::{Machines, Parts, Sensor};
use sundew_sinks::{Builder, CowrieJson, EventSender, Fanout};
use sundew_ssh::door::SensorDoor;
use sundew_ssh::listener::BindError;
use sundew_ssh::{HostKeys, Listener, Profile};
use tokio::runtime::{Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config};
use crate::data::{Data, Identity};
use crate::failure::{Failure, Status};

/// Runs the sensor until a signal ends it; `ready` is told where it listens.
///
/// # Errors
///
/// What keeps it from starting.
pub fn run(config: &Config, data: &Data, ready: impl FnOnce(&[SocketAddr])) -> Result<(), Failure> {
    raise_descriptor_limit();
    let prepared = Prepared::new(config, data)?;
    let runtime = runtime()?;
    let machines = machine_threads()?;
    let result = runtime.block_on(serve(config, prepared, machines.handle(), ready));
    machines.shutdown_timeout(LAST_WAIT);
    runtime.shutdown_timeout(LAST_WAIT);
    result
}

/// All that blocks on files, done before the runtime starts.
struct Prepared {
    policy: sundew_session::Policy,
    host_keys: HostKeys,
    identity: Identity,
    persona: Persona,
    store: Store,
    machines: Option<Machines>,
    events: EventSender,
    fanout: Fanout,
}

impl Prepared {
    fn new(config: &Config, data: &Data) -> Result<Self, Failure> {
        let policy = data.policy()?;
        let store = open_store(config, data.path())?;
        let host_keys = data.host_keys()?;
        let identity = data.identity()?;
        let programs = programs();
        let runs = |name: &[u8]| programs.by_name(name).is_some();
        let persona = Persona::new(
            model(config.machine.persona),
            &data.origin(&identity),
            &runs,
        )
        .map_err(|error| Failure::new(Status::Internal, error.to_string()))?;
        let persona = match config.machine.image.as_str() {
            "" => persona,
            image => persona.over(&crate::fs::map(Path::new(image), data.path())?),
        };
        let path = data.path().join("log/cowrie.json");
        let journal = CowrieJson::open(&path, Additions::Keep)
            .map_err(|error| Failure::new(Status::Files, format!("{}: {error}", path.display())))?;
        let (events, fanout) = Builder::new(journal).start().map_err(|error| {
            Failure::new(Status::System, format!("no thread for the events: {error}"))
        })?;
        Ok(Self {
            policy,
            host_keys,
            identity,
            persona,
            store,
            machines: machines(config, data.path())?,
            events,
            fanout,
        })
    }
}

/// Where machines are kept, if they are.
fn machines(config: &Config, data: &Path) -> Result<Option<Machines>, Failure> {
    if !config.machine.persist {
        return Ok(None);
    }
    let path = data.join("machines");
    let keep = Keep {
        time: Duration::from_secs(u64::from(config.machine.persist_days) * 86_400),
        bytes: config.machine.persist_quota,
    };
    Machines::open_directory(path.clone(), keep)
        .map(Some)
        .map_err(|error| Failure::new(Status::Files, format!("{}: {error}", path.display())))
}

fn open_store(config: &Config, data: &Path) -> Result<Store, Failure> {
    let mut store = sundew_capture::Config::under(data);
    store.download_limit = config.capture.download_limit;
    store.recording_limit = config.capture.recording_limit;
    store.quota = Quota {
        max_bytes: config.capture.quota,
        min_free_bytes: config.capture.min_free,
    };
    Store::open(&store).map_err(|error| Failure::new(Status::Files, error.to_string()))
}

/// The operator's choice in the words of the crate that builds machines.
fn model(persona: config::Persona) -> sundew_persona::Model {
    match persona {
        config::Persona::Debian12 => sundew_persona::Model::Debian12,
        config::Persona::Camera => sundew_persona::Model::Camera,
    }
}

fn runtime() -> Result<Runtime, Failure> {
    // On one core too, the system then shares it out among whoever computes and everybody else.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores().max(2))
        .enable_all()
        .thread_name("sundew")
        .thread_stack_size(WORKER_STACK_BYTES)
        .event_interval(TASKS_PER_EVENT_POLL)
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .build()
        .map_err(|error| Failure::new(Status::System, format!("no threads: {error}")))
}

/// The threads that the machines run on. There are more than cores, and they give way to those that carry
/// connections: should a program compute for long in one piece, the system takes turns.
fn machine_threads() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores().saturating_mul(MACHINE_THREADS_PER_CORE))
        .enable_all()
        .thread_name("machine")
        .thread_stack_size(WORKER_STACK_BYTES)
        .event_interval(TASKS_PER_EVENT_POLL)
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .on_thread_start(|| {
            // Where it is not allowed, all threads are alike.
            let _priority = rustix::process::setpriority_process(None, MACHINE_NICENESS);
        })
        .build()
        .map_err(|error| Failure::new(Status::System, format!("no threads: {error}")))
}

async fn serve(
    config: &Config,
    prepared: Prepared,
    machine_threads: &Handle,
    ready: impl FnOnce(&[SocketAddr]),
) -> Result<(), Failure> {
    let Prepared {
        policy,
        host_keys,
        identity,
        persona,
        store,
        machines,
        events,
        fanout,
    } = prepared;
    let listener = bind(config, &host_keys)?;
    let stop = CancellationToken::new();
    let signals = watch_signals(stop.clone())?;
    let addresses = listener.addresses().to_vec();
    let parts = Parts {
        persona,
        programs: Arc::new(programs()),
        clock: Arc::new(RealTime::new()),
        events,
        store,
        egress: egress(config, &addresses),
        policy,
        installation: Arc::new(Installation {
            sensor: sensor_name(config),
            uuid: identity.uuid,
        }),
        machines,
        machine: machine_limits(&config.machine),
        budgets: budgets(config),
        files: sundew_vfs::Limits {
            max_bytes: config.machine.files,
            max_inodes: config.machine.inodes,
        },
        random: Arc::new(|bytes| {
            if aws_lc_rs::rand::fill(bytes).is_err() {
                tracing::error!("the system gives no random bytes");
            }
        }),
        secure_shell: Some(Arc::new(sundew_ssh::Client::new())),
        heavy: Arc::new(Semaphore::new(heavy_permits())),
        threads: machine_threads.clone(),
    };
    let sensor = Sensor::new(parts);
    ready(&addresses);
    tracing::info!(?addresses, "listening");
    listener
        .serve(SensorDoor::new(Arc::clone(&sensor)), stop)
        .await;
    sensor.stop(FLUSH_GRACE).await;
    let report = fanout.shutdown(FLUSH_GRACE).await;
    if report.dropped > 0 || report.unwritten != Some(0) {
        tracing::error!(?report, "not all events were written");
    }
    signals.abort();
    Ok(())
}

/// Binds all addresses. A host without IPv6 is no mistake of the operator's as long as another
/// address is left.
fn bind(config: &Config, host_keys: &HostKeys) -> Result<Listener, Failure> {
    let mut addresses = config.ssh.listen.clone();
    let limits = sundew_ssh::Limits {
        login_grace: Duration::from_secs(config.ssh.login_grace_seconds.into()),
        idle: Duration::from_secs(config.ssh.idle_seconds.into()),
        max_connections: config.ssh.max_connections,
        max_per_source: config.ssh.max_per_source,
        shutdown_grace: Duration::from_secs(config.shutdown.grace_seconds.into()),
    };
    loop {
        let profile = Profile::openssh_9_2_debian_12();
        match Listener::bind(&addresses, profile, host_keys, limits.clone()) {
            Ok(listener) => return Ok(listener),
            Err(BindError::Address { address, source })
                if address.is_ipv6() && addresses.len() > 1 && no_ipv6(&source) =>
            {
                tracing::warn!(%address, "this host has no IPv6");
                addresses.retain(|other| *other != address);
            }
            Err(error @ BindError::Address { .. }) => {
                let hint =
                    "stop what listens there, or choose another address with --ssh ADDR:PORT";
                return Err(Failure::new(Status::System, format!("{error}; {hint}")));
            }
            Err(error) => return Err(Failure::new(Status::Files, error.to_string())),
        }
    }
}

fn no_ipv6(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
        || error.kind() == std::io::ErrorKind::AddrNotAvailable
}

/// Everything that runs on the machine.
#[must_use]
pub fn programs() -> ProgramTable {
    let shells = sundew_shell::PROGRAMS.iter().copied();
    ProgramTable::new(sundew_programs::table::programs().chain(shells))
}

fn egress(config: &Config, addresses: &[SocketAddr]) -> Egress {
    let policy = Policy {
        allow: config.egress.allow.clone(),
        deny: config.egress.deny.clone(),
        own: own_addresses(addresses),
        closed: config.egress.mode == config::Mode::Deny,
    };
    let limits = sundew_egress::Limits {
        connections_per_machine: config.egress.connections_per_machine,
        connections: config.egress.connections,
        ..sundew_egress::Limits::default()
    };
    Egress::new(policy, limits)
}

/// The addresses of this host, as far as it knows them: those it listens on, and those from which it
/// would reach the internet in each family. A connected UDP socket tells without sending anything.
#[expect(
    clippy::disallowed_types,
    reason = "asks the routing table; no attacker is near"
)]
fn own_addresses(listening: &[SocketAddr]) -> Vec<IpAddr> {
    let toward = |from: SocketAddr, to: SocketAddr| {
        let socket = std::net::UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    // The root server K: any public address does.
    let v4 = toward(([0; 4], 0).into(), ([193, 0, 14, 129], 53).into());
    let v6 = toward(
        ([0_u16; 8], 0).into(),
        ([0x2001, 0x7fd, 0, 0, 0, 0, 0, 1_u16], 53).into(),
    );
    let mut own: Vec<IpAddr> = listening.iter().map(SocketAddr::ip).collect();
    own.extend([v4, v6].into_iter().flatten());
    own
}

fn machine_limits(machine: &config::Machine) -> sundew_kernel::budget::Limits {
    sundew_kernel::budget::Limits {
        processes: machine.processes,
        descriptors: machine.descriptors,
        open_files: machine.open_files,
        memory_bytes: machine.memory,
        process_cpu: Duration::from_secs(machine.process_cpu_seconds.into()),
        machine_cpu: Duration::from_secs(machine.machine_cpu_seconds.into()),
        cpu_share_percent: machine.cpu_share_percent,
        output_bytes: machine.output,
        ..Default::default()
    }
}

fn budgets(config: &Config) -> Budgets {
    let (source, sensor) = (&config.source, &config.sensor);
    Budgets {
        source: Together {
            processes: source.processes,
            memory_bytes: source.memory,
            file_bytes: source.files,
            inodes: source.inodes,
            output_bytes: source.output,
        },
        source_cpu: SourceCpu {
            time: Duration::from_secs(source.cpu_seconds.into()),
            share_percent: source.cpu_share_percent,
            ..SourceCpu::default()
        },
        sensor: Together {
            processes: sensor.processes,
            memory_bytes: sensor.memory,
            file_bytes: sensor.files,
            inodes: sensor.inodes,
            output_bytes: sensor.output,
        },
    }
}

fn sensor_name(config: &Config) -> String {
    if config.sensor.name.is_empty() {
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned()
    } else {
        config.sensor.name.clone()
    }
}

/// Half the cores, at least one: machines that compute never hold them all.
fn heavy_permits() -> usize {
    (cores() / 2).max(1)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The first signal asks for the orderly end, the second ends the process.
fn watch_signals(stop: CancellationToken) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|error| Failure::new(Status::System, format!("no signals: {error}")))
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(tokio::spawn(async move {
        next(&mut interrupt, &mut terminate).await;
        stop.cancel();
        let number = next(&mut interrupt, &mut terminate).await;
        std::process::exit(128 + number);
    }))
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> i32 {
    tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
    }
}

/// Each connection takes a descriptor, each transfer two more: take what the system gives.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Stack of a worker thread: the shell runs nested commands as nested futures, up to its own limit
/// of depth, and a debug build needs several KiB for each. Only pages that are used take memory.
const WORKER_STACK_BYTES: usize = 16 << 20;

/// Threads for machines: a program that computes in one piece holds one of them meanwhile. More would keep more
/// of the memory that machines have given back: the allocator has a store for each thread.
const MACHINE_THREADS_PER_CORE: usize = 2;

/// How much these give way to others: setpriority(2), which on Linux is each thread's own.
const MACHINE_NICENESS: i32 = 5;

/// How many tasks a worker polls before it looks at the sockets again. A machine that uses its whole
/// slice is such a task, so a keystroke waits for this many slices at most, however busy others are.
const TASKS_PER_EVENT_POLL: u32 = 3;

/// Threads for calls that block; name look-ups and file systems at most.
const MAX_BLOCKING_THREADS: usize = 16;

/// How long each part may take to put away what it has when the sensor stops.
const FLUSH_GRACE: Duration = Duration::from_secs(5);

/// How long threads that still block are waited for at the very end.
const LAST_WAIT: Duration = Duration::from_millis(500);
