//! A whole emulated machine as a [`System`]: the persona's image, the shells, all programs, a clock
//! that jumps, no network.

use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::{Either, select};
use sundew_kernel::budget;
use sundew_kernel::clock::Clock;
use sundew_kernel::machine::{Config, Login, Machine};
use sundew_kernel::network::NoNetwork;
use sundew_kernel::observe::NoObserver;
use sundew_kernel::program::ProgramTable;
use sundew_kernel::scheduler::Scheduler;
use sundew_kernel::testing::{ManualClock, SharedClock, drive_on};
use sundew_kernel::tty::{Master, WindowSize};
use sundew_persona::{Model, Origin, Persona};
use sundew_vfs::{Credentials, Limits, Timestamp};

use crate::session::{Command, Output, System};
use crate::terminal::Act;

/// Bytes of output that are kept of each stream of a command.
const MAX_OUTPUT_BYTES: usize = 1 << 20;

/// How long, by the machine's clock, a terminal shows nothing before the next step is typed.
const QUIET: Duration = Duration::from_millis(200);

/// The moment at which every test machine was made: 2026-11-20 08:00:00 UTC.
const BORN: Timestamp = Timestamp {
    secs: 1_795_161_600,
    nanos: 0,
};

/// One persona of each model for all machines of a test run: building it takes a while in a debug
/// build.
fn persona(model: Model) -> &'static Persona {
    static DEBIAN: OnceLock<Persona> = OnceLock::new();
    static CAMERA: OnceLock<Persona> = OnceLock::new();
    let place = match model {
        Model::Debian12 => &DEBIAN,
        Model::Camera => &CAMERA,
    };
    place.get_or_init(|| {
        let programs = programs();
        let runs = |name: &[u8]| programs.by_name(name).is_some();
        match Persona::new(model, &Origin::new([7; 32], BORN), &runs) {
            Ok(persona) => persona,
            Err(error) => unreachable!("the built-in persona is sound: {error}"),
        }
    })
}

/// The shells and all programs.
fn programs() -> ProgramTable {
    ProgramTable::new(
        sundew_shell::PROGRAMS
            .iter()
            .copied()
            .chain(sundew_programs::table::programs()),
    )
}

/// A machine fresh from its image.
#[derive(Debug)]
pub struct Emulated {
    model: Model,
    machine: Machine,
    scheduler: Scheduler,
    clock: Arc<ManualClock>,
}

impl Emulated {
    /// Starts a Debian server.
    ///
    /// # Errors
    ///
    /// When the persona's mounts do not fit its image.
    pub fn debian() -> io::Result<Self> {
        Self::start(Model::Debian12)
    }

    /// Starts an ARM camera with nothing but BusyBox.
    ///
    /// # Errors
    ///
    /// When the persona's mounts do not fit its image.
    pub fn camera() -> io::Result<Self> {
        Self::start(Model::Camera)
    }

    fn start(model: Model) -> io::Result<Self> {
        let persona = persona(model);
        let clock = ManualClock::starting_at(BORN.secs + 86_400, Duration::from_nanos(200));
        let vfs = persona
            .filesystem(Limits {
                max_bytes: 64 << 20,
                max_inodes: 20_000,
            })
            .map_err(|errno| io::Error::other(errno.message()))?;
        let (machine, scheduler) = Machine::new(Config {
            vfs: Arc::new(std::sync::Mutex::new(vfs)),
            programs: Arc::new(programs()),
            facts: Arc::clone(&persona.facts),
            clock: Arc::new(SharedClock(Arc::clone(&clock))),
            network: Arc::new(NoNetwork),
            observer: Arc::new(NoObserver),
            limits: budget::Limits::default(),
            seed: persona.seed,
            residents: persona.residents.clone(),
            sockets: persona.sockets.clone(),
            last_pid: persona.last_pid,
            heavy: None,
            source: None,
            aside: None,
            secure_shell: None,
        });
        Ok(Self {
            model,
            machine,
            scheduler,
            clock,
        })
    }

    /// Runs one command line as root's login shell does with `-c TEXT`, in root's home, to its end.
    ///
    /// # Errors
    ///
    /// When it does not end although nothing else can happen.
    pub fn run_now(&mut self, text: &[u8], stdin: &[u8]) -> io::Result<Output> {
        let shell = match self.model {
            Model::Debian12 => b"bash".as_slice(),
            Model::Camera => b"sh",
        };
        self.run_program(&[shell, b"-c", text], stdin)
    }

    /// Runs a program of `/bin` with these arguments, its name first, in root's home, to its end.
    ///
    /// # Errors
    ///
    /// When it does not end although nothing else can happen.
    pub fn run_program(&mut self, args: &[&[u8]], stdin: &[u8]) -> io::Result<Output> {
        let (leader, mut streams) = self
            .machine
            .login_on_pipes(login(self.model, args, &[]))
            .map_err(|errno| io::Error::other(errno.message()))?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut writer = streams.stdin;
        let outside = async {
            let feed = async {
                let _unread = writer.write(stdin).await;
                drop(writer);
            };
            let read_out = async {
                while let Some(bytes) = streams.stdout.read().await {
                    keep(&mut stdout, &bytes);
                }
            };
            let read_err = async {
                while let Some(bytes) = streams.stderr.read().await {
                    keep(&mut stderr, &bytes);
                }
            };
            futures_util::future::join(
                futures_util::future::join3(feed, read_out, read_err),
                leader.wait(),
            )
            .await
            .1
        };
        let status = drive_on(&self.clock, &mut self.scheduler, outside);
        let status = status
            .ok_or_else(|| io::Error::other("the command waits for something that cannot come"))?;
        Ok(Output {
            stdout,
            stderr,
            status: i32::from(status.code()),
        })
    }

    /// Starts a program of `/bin` on a terminal of 80 columns and does each step when the one before
    /// has been answered. Answers what the terminal showed: first what came unasked, then one text
    /// for each step. `env` is added to the environment of a login.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn converse(
        &mut self,
        args: &[&[u8]],
        env: &[(&[u8], &[u8])],
        steps: &[&Act],
    ) -> io::Result<Vec<Vec<u8>>> {
        let master = self.machine.open_terminal(WindowSize::default());
        let _leader = self
            .machine
            .login_on_terminal(login(self.model, args, env), &master)
            .map_err(|errno| io::Error::other(errno.message()))?;
        let clock = Arc::clone(&self.clock);
        let outside = async {
            let mut answers = vec![shown(&master, &clock).await];
            for step in steps {
                match step {
                    Act::Type(bytes) => master.input(bytes).await,
                    Act::Wait(time) => SharedClock(Arc::clone(&clock)).sleep(*time).await,
                    Act::Resize { columns, rows } => master.resize(WindowSize {
                        columns: *columns,
                        rows: *rows,
                    }),
                }
                answers.push(shown(&master, &clock).await);
            }
            answers
        };
        drive_on(&self.clock, &mut self.scheduler, outside)
            .ok_or_else(|| io::Error::other("the terminal waits for something that cannot come"))
    }
}

/// Everything a terminal shows until nothing has come for [`QUIET`].
async fn shown(master: &Master, clock: &Arc<ManualClock>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let quiet = SharedClock(Arc::clone(clock)).sleep(QUIET);
        match select(pin!(master.output()), quiet).await {
            Either::Left((Some(bytes), _)) => keep(&mut all, &bytes),
            Either::Left((None, _)) | Either::Right(_) => return all,
        }
    }
}

/// A login of root as the machine's sshd makes it; `more` goes into its environment.
fn login(model: Model, args: &[&[u8]], more: &[(&[u8], &[u8])]) -> Login {
    let mut env: Vec<(&[u8], &[u8])> = vec![
        (b"USER", b"root"),
        (b"LOGNAME", b"root"),
        (b"HOME", b"/root"),
    ];
    match model {
        Model::Debian12 => env.extend([
            (
                b"PATH".as_slice(),
                b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".as_slice(),
            ),
            (b"SHELL", b"/bin/bash"),
            (b"LANG", b"C.UTF-8"),
        ]),
        Model::Camera => env.extend([
            (
                b"PATH".as_slice(),
                b"/sbin:/usr/sbin:/bin:/usr/bin".as_slice(),
            ),
            (b"SHELL", b"/bin/sh"),
        ]),
    }
    let name = args.first().copied().unwrap_or_default();
    let name = name.strip_prefix(b"-").unwrap_or(name);
    Login {
        path: [b"/bin/".as_slice(), name].concat(),
        args: args.iter().map(|arg| arg.to_vec()).collect(),
        env: env.into_iter().chain(more.iter().copied()).collect(),
        directory: b"/root".to_vec(),
        credentials: Credentials::root(),
        parent: persona(model).sshd,
        ignored: Vec::new(),
    }
}

fn keep(all: &mut Vec<u8>, bytes: &[u8]) {
    if all.len() < MAX_OUTPUT_BYTES {
        all.extend_from_slice(bytes);
    }
}

impl System for Emulated {
    async fn run(&mut self, command: Command<'_>) -> io::Result<Output> {
        self.run_now(command.text, command.stdin)
    }
}
