//! One machine: what it is made of, and the doors through which its users come in.

pub mod admin;
mod end;

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use sundew_vfs::pool::{Held, Pool};
use sundew_vfs::{Context, Credentials, Errno, InodeId, Mount, Timestamp, Vfs};
use tokio::sync::Semaphore;

use crate::allowance::Allowance;
use crate::aside::Aside;
use crate::budget::{Account, Budget, Holder, Limits};
use crate::clock::Clock;
use crate::descriptor::{Description, Entry, Kind, OpenFlags, Table};
use crate::environment::Environment;
use crate::facts::Facts;
use crate::load::Load;
use crate::network::Network;
use crate::observe::{Observation, Observer};
use crate::pipe::{self, OutsideReader, OutsideWriter, Pipe};
use crate::process::state::{Life, ProcessState, Start};
use crate::procfs::View;
use crate::program::ProgramTable;
use crate::scheduler::{Scheduler, Task};
use crate::secure_shell::SecureShell;
use crate::signal::Disposition;
use crate::socket::SocketInfo;
use crate::tty::{Master, Tty, WindowSize};
use crate::{ExitStatus, Pid, STDERR, STDIN, STDOUT, Signal, lock};

/// A filesystem that several machines may have.
pub type SharedVfs = Arc<Mutex<Vfs>>;

/// What a machine is made of. Everything that varies is handed in here.
pub struct Config {
    /// The filesystem, with its mounts; machines that share it see each other's files.
    pub vfs: SharedVfs,
    /// The programs.
    pub programs: Arc<ProgramTable>,
    /// What is true of this machine.
    pub facts: Arc<Facts>,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Its way out.
    pub network: Arc<dyn Network>,
    /// Who is told what happens on it.
    pub observer: Arc<dyn Observer>,
    /// What its users may use.
    pub limits: Limits,
    /// Where its randomness starts.
    pub seed: u64,
    /// The processes of a booted machine, pid 1 among them: shown, never run.
    pub residents: Residents,
    /// What its daemons listen on.
    pub sockets: Vec<SocketInfo>,
    /// The number after which the first process that runs is named.
    pub last_pid: Pid,
    /// Shared by all machines of a sensor: a machine that uses much CPU takes a permit for each
    /// slice, so that such machines together never hold more cores than there are permits.
    pub heavy: Option<Arc<Semaphore>>,
    /// Shared by all machines of a source: what they use together.
    pub source: Option<Arc<Account>>,
    /// Who does what cannot be cut into slices; `None`: the machine itself, in its turn.
    pub aside: Option<Aside>,
    /// The client side of SSH; `None`: no server is ever reached by it.
    pub secure_shell: Option<Arc<dyn SecureShell>>,
}

/// A process that is shown but does not run: the daemons of a booted machine.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Its number.
    pub pid: Pid,
    /// Its parent's number.
    pub ppid: Pid,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// At most 15 bytes, as in `/proc/PID/comm`.
    pub name: Vec<u8>,
    /// Its arguments; empty for a kernel thread.
    pub args: Vec<Vec<u8>>,
    /// Its executable; empty for a kernel thread.
    pub executable: Vec<u8>,
    /// Its session and process group.
    pub session: Pid,
    /// When it started, after boot.
    pub started: Duration,
    /// CPU time used at once when it started.
    pub cpu: Duration,
    /// CPU time used since, in microseconds for each second of its life.
    pub busy_ppm: u32,
    /// Virtual memory in KiB.
    pub vsz_kib: u64,
    /// Resident memory in KiB.
    pub rss_kib: u64,
    /// `S`, `I`, …, and the flags that `ps` adds (`Ss`, `I<`, `Ssl`).
    pub state: Vec<u8>,
    /// Its terminal, `tty1`, and nothing for most.
    pub tty: Option<Vec<u8>>,
}

/// The processes of a booted machine, made once and shared by all machines: a hundred of them would
/// cost each machine more than everything else together.
#[derive(Debug, Clone, Default)]
pub struct Residents(Arc<[Arc<ProcessState>]>);

impl Residents {
    /// These processes.
    pub fn new(residents: Vec<Resident>) -> Self {
        let mut states: Vec<_> = residents.into_iter().map(ProcessState::resident).collect();
        states.sort_by_key(|state| state.pid);
        Self(states.into())
    }

    /// They, by ascending number.
    pub fn iter(&self) -> impl Iterator<Item = &Resident> {
        self.0.iter().filter_map(|state| state.as_resident())
    }
}

impl FromIterator<Resident> for Residents {
    fn from_iter<T: IntoIterator<Item = Resident>>(residents: T) -> Self {
        Self::new(residents.into_iter().collect())
    }
}

/// The state that all processes of one machine share.
///
/// Lock order: `fs`, then `table`, then one process's `inner`. Never the other way round, and none
/// across an await.
pub struct Kernel {
    pub(crate) fs: SharedVfs,
    /// The mount table as the machine started; readable while `fs` is locked.
    pub(crate) mounts: Vec<Mount>,
    pub(crate) table: Mutex<ProcessTable>,
    pub(crate) programs: Arc<ProgramTable>,
    pub(crate) facts: Arc<Facts>,
    /// What sethostname(2) made of the machine's name.
    pub(crate) hostname: Mutex<Option<Vec<u8>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) network: Arc<dyn Network>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) limits: Limits,
    pub(crate) memory: Arc<Pool>,
    pub(crate) open_files: Arc<Pool>,
    /// What may still be sent to the other side.
    pub(crate) output: Arc<Allowance>,
    pub(crate) source: Option<Arc<Account>>,
    pub(crate) cpu_used: AtomicU64,
    /// What systemd-logind calls the session of whoever is logged in; 0 for none.
    login_session: AtomicU32,
    pub(crate) load: Load,
    /// Monotonic nanoseconds at which the slice that runs now is over.
    pub(crate) slice_end: AtomicU64,
    /// Tasks whose turn came when the slice was over, in their order; they are called in the next.
    pub(crate) passed_over: Mutex<Vec<Waker>>,
    pub(crate) inbox: Mutex<Inbox>,
    pub(crate) started: Duration,
    random: AtomicU64,
    next_pipe: AtomicU64,
    next_tty: AtomicU32,
    fifos: Mutex<HashMap<InodeId, Weak<Pipe>>>,
    pub(crate) sockets: Mutex<Vec<SocketInfo>>,
    /// The daemons as the machine booted, and what they listen on: to start them again.
    pub(crate) booted: (Residents, Vec<SocketInfo>),
    /// Settings below `/proc/sys` that were changed, by their place in the table.
    pub(crate) settings: Mutex<BTreeMap<u32, Vec<u8>>>,
    /// The packet filter of IPv4 and of IPv6, as `iptables-save` writes it.
    pub(crate) packet_filters: Mutex<[Vec<u8>; 2]>,
    pub(crate) aside: Option<Aside>,
    pub(crate) secure_shell: Option<Arc<dyn SecureShell>>,
    /// One piece of work at a time: a machine with many processes gets no more than others.
    pub(crate) aside_turn: Arc<Semaphore>,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel").finish_non_exhaustive()
    }
}

/// Tasks that the scheduler has not taken over yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) tasks: Vec<Task>,
    pub(crate) waker: Option<Waker>,
    /// Set when the scheduler is gone: nothing new can run.
    pub(crate) closed: bool,
}

/// All processes by number.
#[derive(Debug)]
pub(crate) struct ProcessTable {
    pub(crate) processes: BTreeMap<Pid, Arc<ProcessState>>,
    last_pid: Pid,
    /// Processes that run or are zombies, residents not counted.
    live: Held,
    pub(crate) ttys: BTreeMap<u32, Weak<Tty>>,
    pub(crate) forks: u64,
}

/// Bytes of a host name: Linux's `__NEW_UTS_LEN`.
pub const MAX_HOSTNAME: usize = 64;

/// Highest process number; Linux's `/proc/sys/kernel/pid_max` on 64 bits.
const PID_MAX: Pid = 4_194_304;

/// A machine. Cloning gives another handle to the same one.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(crate) kernel: Arc<Kernel>,
}

/// How to start a login: who, where, with what.
#[derive(Debug, Clone)]
pub struct Login {
    /// The program: `/bin/bash`.
    pub path: Vec<u8>,
    /// Its arguments, the name first: `-bash`.
    pub args: Vec<Vec<u8>>,
    /// Its environment.
    pub env: Environment,
    /// Where it starts; `/` if that is not a directory.
    pub directory: Vec<u8>,
    /// Who it is.
    pub credentials: Credentials,
    /// Its parent: the resident process of the daemon that let the user in.
    pub parent: Pid,
    /// Signals that the daemon ignores, and so does what it starts.
    pub ignored: Vec<Signal>,
}

/// A running login: the leader of its session.
#[derive(Debug)]
pub struct Leader {
    kernel: Arc<Kernel>,
    state: Arc<ProcessState>,
}

/// A login without a terminal: its three standard streams.
#[derive(Debug)]
pub struct Streams {
    /// Standard input; dropping it is its end.
    pub stdin: OutsideWriter,
    /// Standard output.
    pub stdout: OutsideReader,
    /// Standard error.
    pub stderr: OutsideReader,
}

impl Machine {
    /// A machine, and the future that runs it. Nothing happens unless the future is polled; when it
    /// is dropped every process is gone.
    pub fn new(config: Config) -> (Self, Scheduler) {
        let now = config.clock.monotonic();
        let mounts = lock(&config.vfs).mounts().to_vec();
        let above = config.source.as_ref().map(|source| source.totals());
        let pool = |limit, above: Option<&Arc<Pool>>| {
            Pool::new(Holder::Machine, limit, above.map(Arc::clone))
        };
        let memory = pool(
            config.limits.memory_bytes,
            above.map(|totals| &totals.memory),
        );
        let open_files = pool(config.limits.open_files as u64, None);
        let output = Allowance::new(
            Holder::Machine,
            config.limits.output_bytes,
            above.map(|totals| Arc::clone(&totals.output)),
        );
        let processes = pool(
            config.limits.processes as u64,
            above.map(|totals| &totals.processes),
        );
        let kernel = Arc::new(Kernel {
            mounts,
            fs: config.vfs,
            table: Mutex::new(ProcessTable {
                processes: config
                    .residents
                    .0
                    .iter()
                    .map(|state| (state.pid, Arc::clone(state)))
                    .collect(),
                last_pid: config.last_pid,
                live: Held::new(processes),
                ttys: BTreeMap::new(),
                forks: u64::from(config.last_pid),
            }),
            programs: config.programs,
            facts: config.facts,
            hostname: Mutex::new(None),
            clock: config.clock,
            network: config.network,
            observer: config.observer,
            memory,
            open_files,
            output,
            source: config.source,
            limits: config.limits,
            cpu_used: AtomicU64::new(0),
            login_session: AtomicU32::new(0),
            load: Load::default(),
            slice_end: AtomicU64::new(0),
            passed_over: Mutex::new(Vec::new()),
            inbox: Mutex::new(Inbox::default()),
            started: now,
            random: AtomicU64::new(config.seed),
            next_pipe: AtomicU64::new(10_000 + config.seed % 20_000),
            next_tty: AtomicU32::new(0),
            fifos: Mutex::new(HashMap::new()),
            booted: (config.residents.clone(), config.sockets.clone()),
            sockets: Mutex::new(config.sockets),
            settings: Mutex::default(),
            packet_filters: Mutex::default(),
            aside: config.aside,
            secure_shell: config.secure_shell,
            aside_turn: Arc::new(Semaphore::new(1)),
        });
        let scheduler = Scheduler::new(Arc::clone(&kernel), config.heavy);
        (Self { kernel }, scheduler)
    }

    /// Adds a process that is shown but does not run, such as the daemon's child for one login.
    /// Its `pid` is ignored: the next free number is given and returned.
    ///
    /// # Errors
    ///
    /// [`Errno::Eagain`] past the process limit.
    pub fn add_resident(&self, mut resident: Resident) -> Result<Pid, Errno> {
        resident.pid = lock(&self.kernel.table).next_pid()?;
        let pid = resident.pid;
        resident.session = pid;
        self.kernel.add_resident(resident);
        Ok(pid)
    }

    /// Says under which number systemd-logind knows the login; 0 for none.
    pub fn set_login_session(&self, number: u32) {
        self.kernel.login_session.store(number, Ordering::Relaxed);
    }

    /// Removes a process that was added with [`Machine::add_resident`].
    pub fn remove_resident(&self, pid: Pid) {
        let state = lock(&self.kernel.table).processes.get(&pid).cloned();
        if let Some(state) = state.filter(|state| state.is_resident()) {
            self.kernel.close_sockets(pid);
            self.kernel.reap(&state);
        }
    }

    /// A new terminal, `/dev/pts/N` with the lowest free N.
    pub fn open_terminal(&self, size: WindowSize) -> Master {
        let tty = self.kernel.open_tty(size);
        Master {
            tty,
            kernel: Arc::downgrade(&self.kernel),
        }
    }

    /// Starts a login on a terminal, which becomes its controlling terminal.
    ///
    /// # Errors
    ///
    /// Whatever `fork` or `execve` would answer.
    pub fn login_on_terminal(&self, login: Login, master: &Master) -> Result<Leader, Errno> {
        let flags = OpenFlags {
            read: true,
            write: true,
            ..OpenFlags::READ
        };
        let kind = Kind::Tty(Arc::clone(&master.tty));
        let description = Description::new(&self.kernel, kind, flags, master.tty.path())?;
        let mut fds = Table::default();
        for fd in [STDIN, STDOUT, STDERR] {
            fds.replace(
                fd,
                Entry {
                    description: Arc::clone(&description),
                    close_on_exec: false,
                },
            );
        }
        self.start_login(login, fds, Some(&master.tty))
    }

    /// Starts a login whose standard streams are three pipes.
    ///
    /// # Errors
    ///
    /// Whatever `fork` or `execve` would answer.
    pub fn login_on_pipes(&self, login: Login) -> Result<(Leader, Streams), Errno> {
        let kernel = &self.kernel;
        let outward = || pipe::outward(kernel.next_pipe(), &kernel.memory, &kernel.output);
        let (stdin_read, stdin_write) = pipe::pair(kernel.next_pipe(), &kernel.memory);
        let (stdout_read, stdout_write) = outward();
        let (stderr_read, stderr_write) = outward();
        let mut fds = Table::default();
        let mut put = |fd, kind, flags, id: u64| -> Result<(), Errno> {
            let path = format!("pipe:[{id}]").into_bytes();
            let description = Description::new(kernel, kind, flags, path)?;
            fds.replace(
                fd,
                Entry {
                    description,
                    close_on_exec: false,
                },
            );
            Ok(())
        };
        let id = stdin_read.id();
        put(STDIN, Kind::PipeRead(stdin_read), OpenFlags::READ, id)?;
        let id = stdout_write.id();
        put(STDOUT, Kind::PipeWrite(stdout_write), OpenFlags::WRITE, id)?;
        let id = stderr_write.id();
        put(STDERR, Kind::PipeWrite(stderr_write), OpenFlags::WRITE, id)?;
        let leader = self.start_login(login, fds, None)?;
        let streams = Streams {
            stdin: OutsideWriter(stdin_write),
            stdout: OutsideReader(stdout_read),
            stderr: OutsideReader(stderr_read),
        };
        Ok((leader, streams))
    }

    fn start_login(
        &self,
        login: Login,
        fds: Table,
        tty: Option<&Arc<Tty>>,
    ) -> Result<Leader, Errno> {
        let kernel = &self.kernel;
        let (directory, directory_path) = {
            let fs = lock(&kernel.fs);
            let view = View::new(kernel, 1);
            let cx = Context {
                creds: &login.credentials,
                synthetic: &view,
                cwd: fs.root(),
                now: kernel.clock.wall(),
            };
            match fs.resolve(&cx, &login.directory, true) {
                Ok(ino) => (ino, login.directory),
                Err(_) => (fs.root(), b"/".to_vec()),
            }
        };
        let pid = lock(&kernel.table).next_pid()?;
        let state = ProcessState::start(Start {
            pid,
            ppid: login.parent,
            group: pid,
            session: pid,
            credentials: Arc::new(login.credentials),
            umask: 0o022,
            directory,
            directory_path,
            fds,
            tty: tty.cloned(),
            started: kernel.clock.monotonic(),
            env: login.env,
            args: login.args,
        });
        for signal in login.ignored {
            lock(&state.inner)
                .dispositions
                .insert(signal, Disposition::Ignore);
        }
        kernel.insert(&state);
        if let Some(tty) = tty {
            tty.set_session(pid);
            tty.set_foreground(pid);
        }
        let leader = Leader {
            kernel: Arc::clone(kernel),
            state: Arc::clone(&state),
        };
        let path = login.path;
        Task::exec(kernel, state, &path)?;
        Ok(leader)
    }

    /// Reads a whole regular file as root would, at most `limit` bytes; for those who keep what was
    /// written.
    ///
    /// # Errors
    ///
    /// Whatever open(2) and read(2) would answer.
    pub fn read_file(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
        let kernel = &self.kernel;
        let fs = lock(&kernel.fs);
        let view = View::new(kernel, 1);
        let root = Credentials::root();
        let cx = Context {
            creds: &root,
            synthetic: &view,
            cwd: fs.root(),
            now: kernel.clock.wall(),
        };
        let ino = fs.resolve(&cx, path, true)?;
        let size = usize::try_from(fs.metadata(&cx, ino)?.size)
            .unwrap_or(usize::MAX)
            .min(limit);
        let mut content = vec![0; size];
        let count = fs.read_at(ino, 0, &mut content)?;
        content.truncate(count);
        Ok(content)
    }

    /// CPU time that this machine has used.
    pub fn cpu_used(&self) -> Duration {
        Duration::from_nanos(self.kernel.cpu_used.load(Ordering::Relaxed))
    }
}

impl Leader {
    /// Its process number.
    pub fn pid(&self) -> Pid {
        self.state.pid
    }

    /// Waits until it ends. Cancel-safe.
    pub async fn wait(&self) -> ExitStatus {
        poll_fn(|cx| {
            let mut inner = lock(&self.state.inner);
            match inner.life {
                Life::Ended(status) => Poll::Ready(status),
                _ => {
                    inner.end_waiters.register(cx.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Sends it a signal, as the daemon that let it in would.
    pub fn signal(&self, signal: Signal) {
        self.kernel.signal(&self.state, signal);
    }
}

impl ProcessTable {
    /// The next free number.
    fn next_pid(&mut self) -> Result<Pid, Errno> {
        if self.live.pool().room() == 0 {
            return Err(Errno::Eagain);
        }
        let mut pid = self.last_pid;
        loop {
            pid = if pid >= PID_MAX { 300 } else { pid + 1 };
            if !self.processes.contains_key(&pid) {
                break;
            }
        }
        self.last_pid = pid;
        self.forks += 1;
        Ok(pid)
    }

    /// The most recent number given.
    pub(crate) fn last_pid(&self) -> Pid {
        self.last_pid
    }
}

impl Kernel {
    /// As [`Machine::set_login_session`] has it.
    pub(crate) fn login_session(&self) -> u32 {
        self.login_session.load(Ordering::Relaxed)
    }

    /// The machine's name as it is now.
    pub(crate) fn hostname(&self) -> Vec<u8> {
        let changed = lock(&self.hostname).clone();
        changed.unwrap_or_else(|| self.facts.hostname.clone())
    }

    pub(crate) fn add_resident(&self, resident: Resident) {
        let state = ProcessState::resident(resident);
        lock(&self.table).processes.insert(state.pid, state);
    }

    /// Whether another process is within the limits. Past the CPU budget none is: a fork bomb's
    /// processes have their children before they can be killed, and would never die out.
    pub(crate) fn process_room(&self) -> bool {
        let full = match self.over_cpu() {
            Some(Budget::SourceCpu) => Some(Holder::Source),
            Some(_) => Some(Holder::Machine),
            None => lock(&self.table).live.pool().full(1),
        };
        if let Some(of) = full {
            self.reached(0, Budget::Processes, of);
        }
        full.is_none()
    }

    /// Reports a limit that makes a call fail and ends nothing.
    pub(crate) fn reached(&self, pid: Pid, budget: Budget, of: Holder) {
        self.observer
            .observe(Observation::BudgetSpent { pid, budget, of });
    }

    /// Reserves a number and answers [`Errno::Eagain`] past the limit.
    pub(crate) fn new_pid(&self) -> Result<Pid, Errno> {
        if self.over_cpu().is_some() {
            return Err(Errno::Eagain);
        }
        lock(&self.table).next_pid()
    }

    pub(crate) fn insert(&self, state: &Arc<ProcessState>) {
        let mut table = lock(&self.table);
        let live = table.live.amount() + 1;
        table.live.set(live);
        table.processes.insert(state.pid, Arc::clone(state));
    }

    /// Hands a task to the scheduler.
    pub(crate) fn submit(&self, task: Task) {
        let mut inbox = lock(&self.inbox);
        if inbox.closed {
            return;
        }
        inbox.tasks.push(task);
        if let Some(waker) = inbox.waker.take() {
            waker.wake();
        }
    }

    pub(crate) fn process(&self, pid: Pid) -> Option<Arc<ProcessState>> {
        lock(&self.table).processes.get(&pid).cloned()
    }

    pub(crate) fn members(&self, group: Pid) -> Vec<Arc<ProcessState>> {
        let table = lock(&self.table);
        table
            .processes
            .values()
            .filter(|state| lock(&state.inner).group == group)
            .cloned()
            .collect()
    }

    /// The mount table as it is; `fs` must not be locked.
    pub(crate) fn mounts_now(&self) -> Vec<Mount> {
        lock(&self.fs).mounts().to_vec()
    }

    pub(crate) fn next_pipe(&self) -> u64 {
        self.next_pipe.fetch_add(1, Ordering::Relaxed)
    }

    /// The pipe behind a FIFO's inode.
    pub(crate) fn fifo(&self, ino: InodeId) -> Arc<Pipe> {
        let mut fifos = lock(&self.fifos);
        fifos.retain(|_, pipe| pipe.strong_count() > 0);
        if let Some(pipe) = fifos.get(&ino).and_then(Weak::upgrade) {
            return pipe;
        }
        let pipe = Pipe::new(self.next_pipe(), &self.memory);
        fifos.insert(ino, Arc::downgrade(&pipe));
        pipe
    }

    fn open_tty(&self, size: WindowSize) -> Arc<Tty> {
        let mut table = lock(&self.table);
        table.ttys.retain(|_, tty| tty.strong_count() > 0);
        let mut index = self.next_tty.load(Ordering::Relaxed);
        while table.ttys.contains_key(&index) {
            index += 1;
        }
        let tty = Tty::new(index, size, &self.output);
        table.ttys.insert(index, Arc::downgrade(&tty));
        tty
    }

    pub(crate) fn tty(&self, index: u32) -> Option<Arc<Tty>> {
        lock(&self.table).ttys.get(&index).and_then(Weak::upgrade)
    }

    /// Counts CPU time that something of this machine used.
    pub(crate) fn charge_cpu(&self, used: Duration) {
        self.cpu_used
            .fetch_add(crate::scheduler::nanos(used), Ordering::Relaxed);
        if let Some(source) = &self.source {
            source.charge(used);
        }
    }

    /// Which budget of CPU time is spent.
    pub(crate) fn over_cpu(&self) -> Option<Budget> {
        if self.over_machine_cpu() {
            return Some(Budget::MachineCpu);
        }
        let source = self.source.as_ref()?;
        source.exhausted().then_some(Budget::SourceCpu)
    }

    /// Whether this machine has used more CPU than it may. What it may use grows with its age, by a
    /// tenth of its share, so that a login that stays for a day is not cut off for its age.
    fn over_machine_cpu(&self) -> bool {
        let age = self.clock.monotonic().saturating_sub(self.started);
        let allowed = self.limits.machine_cpu + age * self.limits.cpu_share_percent / 1000;
        self.cpu_used.load(Ordering::Relaxed) > crate::scheduler::nanos(allowed)
    }

    /// The next number of a small generator (SplitMix64): for numbers a stranger sees, not secrets.
    pub(crate) fn random(&self) -> u64 {
        let seed = self
            .random
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn fill_random(&self, buf: &mut [u8]) {
        for chunk in buf.chunks_mut(8) {
            for (to, from) in chunk.iter_mut().zip(self.random().to_le_bytes()) {
                *to = from;
            }
        }
    }

    /// Time after boot at which something happened, given by the monotonic clock.
    pub(crate) fn since_boot(&self, monotonic: Duration) -> Duration {
        let ago = self.clock.monotonic().saturating_sub(monotonic);
        self.uptime().saturating_sub(ago)
    }

    /// Time since boot.
    pub(crate) fn uptime(&self) -> Duration {
        let now = self.clock.wall();
        let boot = self.facts.boot_time;
        let nanos =
            |time: Timestamp| i128::from(time.secs) * 1_000_000_000 + i128::from(time.nanos);
        let nanos = u64::try_from(nanos(now) - nanos(boot)).unwrap_or(0);
        Duration::from_nanos(nanos)
    }
}
