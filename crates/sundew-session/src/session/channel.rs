//! One channel of a connection: a terminal or three pipes, a login on it, what is kept of it.

use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use sundew_capture::RecordingMeta;
use sundew_events::{EventKind, Lossy};
use sundew_kernel::machine::{Leader, Machine};
use sundew_kernel::tty::{Master, WindowSize};
use sundew_kernel::{Errno, Signal};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::account::Visit;
use super::login::{self, Wanted};
use super::mode;
use super::stream::{self, Keeper, Pipes, Place, Terminal};
use super::{Session, account};
use crate::lock;

/// What a channel is started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The login shell.
    Shell,
    /// One command line.
    Exec(Vec<u8>),
    /// A named subsystem; `sftp` is the only one there is.
    Subsystem(Vec<u8>),
}

/// The streams of a started channel, bounded in both directions; `O` is the front end's word for
/// [`Output`].
#[derive(Debug)]
pub struct Started<O> {
    /// Takes what the client sends; dropping it is the end of the input.
    pub input: mpsc::Sender<Bytes>,
    /// Gives what the client gets; it ends when the channel is over. Dropping it hangs up.
    pub output: mpsc::Receiver<O>,
}

/// One piece of what a channel produces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Bytes of standard output or of the terminal.
    Stdout(Bytes),
    /// Bytes of standard error.
    Stderr(Bytes),
    /// How the login ended.
    Exit(Exit),
}

/// How a login ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It returned this status.
    Code(u8),
    /// A signal, named without `SIG`, ended it.
    Signal(String),
}

/// One channel. Dropping it hangs up.
#[derive(Debug)]
pub struct Channel {
    session: Arc<Session>,
    number: u32,
    wanted: Mutex<Asked>,
    doors: Arc<Mutex<Doors>>,
    gone: CancellationToken,
    _hang_up: DropGuard,
}

/// What the client asked for before it started something.
#[derive(Debug, Default)]
struct Asked {
    env: Vec<(Vec<u8>, Vec<u8>)>,
    env_events: usize,
    pty: Option<Pty>,
}

#[derive(Debug, Clone)]
struct Pty {
    term: Vec<u8>,
    size: WindowSize,
    modes: Vec<(u8, u32)>,
}

/// How to reach what runs.
#[derive(Debug, Default)]
struct Doors {
    master: Weak<Master>,
    leader: Weak<Leader>,
    keeper: Weak<Keeper>,
}

impl Channel {
    pub(super) fn new(session: Arc<Session>, number: u32) -> Arc<Self> {
        let gone = session.gone.child_token();
        Arc::new(Self {
            _hang_up: gone.clone().drop_guard(),
            session,
            number,
            wanted: Mutex::default(),
            doors: Arc::default(),
            gone,
        })
    }

    /// Sets a variable of the environment. Debian's sshd takes `LANG` and `LC_*`; each is told of.
    pub fn env(&self, name: &[u8], value: &[u8]) -> bool {
        let mut asked = lock(&self.wanted);
        asked.env_events += 1;
        if asked.env_events > MAX_ENV_REQUESTS {
            return false;
        }
        self.session.reporter.event(EventKind::ClientVar {
            name: Lossy::new(name),
            value: Lossy::new(value),
        });
        let accepted = (name == b"LANG" || name.starts_with(b"LC_"))
            && name.len() + value.len() <= MAX_ENV_BYTES
            && !name.contains(&b'=')
            && !name.contains(&0)
            && !value.contains(&0);
        if accepted {
            asked.env.push((name.to_vec(), value.to_vec()));
        }
        accepted
    }

    /// Allocates a terminal.
    ///
    /// `modes` are opcodes and values of RFC 4254 §8, none for protocols without them.
    pub fn pty(&self, term: &[u8], columns: u32, rows: u32, modes: &[(u8, u32)]) -> bool {
        self.session.reporter.event(EventKind::ClientSize {
            width: columns,
            height: rows,
        });
        lock(&self.wanted).pty = Some(Pty {
            term: term.to_vec(),
            size: window(columns, rows),
            modes: modes
                .get(..modes.len().min(MAX_MODES))
                .unwrap_or_default()
                .to_vec(),
        });
        true
    }

    /// The client's window has another size.
    pub fn resize(&self, columns: u32, rows: u32) {
        let doors = lock(&self.doors);
        let (master, keeper) = (doors.master.upgrade(), doors.keeper.upgrade());
        drop(doors);
        if let Some(pty) = &mut lock(&self.wanted).pty {
            pty.size = window(columns, rows);
        }
        let Some(master) = master else {
            return;
        };
        master.resize(window(columns, rows));
        if keeper.is_some_and(|keeper| keeper.resize(columns, rows)) {
            self.session.reporter.event(EventKind::WindowChange {
                width: columns,
                height: rows,
            });
        }
    }

    /// The client sends a signal, named without `SIG`; those that sshd passes on are.
    pub fn signal(&self, name: &str) {
        let leader = lock(&self.doors).leader.upgrade();
        let signal = SIGNALS
            .contains(&name)
            .then(|| Signal::from_name(name.as_bytes()));
        if let (Some(leader), Some(Some(signal))) = (leader, signal) {
            leader.signal(signal);
        }
    }

    /// Starts what the channel is for; `None` if the machine cannot.
    pub fn start<O: From<Output> + Send + 'static>(&self, start: &Start) -> Option<Started<O>> {
        let session = &self.session;
        let machine = session.machine()?;
        let parts = &session.sensor().parts;
        let arch = String::from_utf8_lossy(&parts.persona.facts.arch).into_owned();
        session.reporter.event(EventKind::SessionParams { arch });

        let command = match start {
            Start::Shell => None,
            Start::Exec(command) => Some(command.as_slice()),
            Start::Subsystem(name)
                if name == b"sftp" && machine.read_file(SFTP_SERVER, 0).is_ok() =>
            {
                None
            }
            Start::Subsystem(_) => return None,
        };
        let program = matches!(start, Start::Subsystem(_)).then_some(SFTP_SERVER);
        let asked = lock(&self.wanted);
        let (pty, env) = (asked.pty.clone(), asked.env.clone());
        drop(asked);
        let size = pty.as_ref().map_or(WindowSize::default(), |pty| pty.size);
        let keeper = Keeper::new(
            &session.reporter,
            RecordingMeta {
                session: session.id(),
                channel: self.number,
                size: (u32::from(size.columns), u32::from(size.rows)),
                term: pty.as_ref().map(|pty| Lossy::new(&pty.term)),
                command: command.map(<[u8]>::to_vec),
            },
        );
        lock(&self.doors).keeper = Arc::downgrade(&keeper);

        let (input, from_client) = mpsc::channel(QUEUED_PIECES);
        let (to_client, output) = mpsc::channel(QUEUED_PIECES);
        let place = Place {
            machine,
            keeper,
            gone: self.gone.clone(),
            from_client,
            to_client,
            _hold: Arc::clone(session),
        };
        let begun = match pty {
            Some(pty) if program.is_none() => self.on_terminal(place, &pty, &env, command),
            _ => self.on_pipes(place, &env, (command, program)),
        };
        if let Err(errno) = begun {
            tracing::warn!(session = %session.id(), ?errno, "a login could not be started");
            return None;
        }
        Some(Started { input, output })
    }

    fn on_terminal<O: From<Output> + Send + 'static>(
        &self,
        place: Place<O>,
        pty: &Pty,
        env: &[(Vec<u8>, Vec<u8>)],
        command: Option<&[u8]>,
    ) -> Result<(), Errno> {
        let session = &self.session;
        let persona = &session.sensor().parts.persona;
        let user = account::user(&place.machine, persona, &session.user());
        let master = place.machine.open_terminal(pty.size);
        let mut termios = master.termios();
        mode::apply(&mut termios, &pty.modes);
        master.set_termios(termios);
        let path = master.path();
        let mut greeting = match command {
            None => login::greeting(&place.machine, persona, &user),
            Some(_) => Vec::new(),
        };
        greeting.extend(self.homeless(&place.machine, &user));
        let daemon = self.daemon(&place.machine, &user, Some(&path));
        let wanted = Wanted {
            program: None,
            command,
            term: Some(&pty.term),
            tty: Some(&path),
            env,
        };
        let connection = &session.reporter.connection;
        let login = login::login(
            persona,
            &user,
            connection,
            &wanted,
            daemon.unwrap_or(persona.sshd),
        );
        let leader = place.machine.login_on_terminal(login, &master)?;
        let now = session.sensor().parts.clock.wall();
        let visit = Visit::begin(
            &place.machine,
            persona,
            &user,
            connection.src().0,
            (daemon.unwrap_or(leader.pid()), &path),
            now,
        );
        let (master, leader) = (Arc::new(master), Arc::new(leader));
        {
            let mut doors = lock(&self.doors);
            doors.master = Arc::downgrade(&master);
            doors.leader = Arc::downgrade(&leader);
        }
        let terminal = Terminal {
            master,
            leader,
            daemon,
            visit,
            clock: Arc::clone(&session.sensor().parts.clock),
            greeting,
        };
        drop(
            session
                .channels
                .spawn(Box::pin(stream::terminal(place, terminal))),
        );
        Ok(())
    }

    fn on_pipes<O: From<Output> + Send + 'static>(
        &self,
        place: Place<O>,
        env: &[(Vec<u8>, Vec<u8>)],
        (command, program): (Option<&[u8]>, Option<&[u8]>),
    ) -> Result<(), Errno> {
        let session = &self.session;
        let persona = &session.sensor().parts.persona;
        let user = account::user(&place.machine, persona, &session.user());
        let complaint = self.homeless(&place.machine, &user);
        let daemon = self.daemon(&place.machine, &user, None);
        let wanted = Wanted {
            program,
            command,
            term: None,
            tty: None,
            env,
        };
        let connection = &session.reporter.connection;
        let login = login::login(
            persona,
            &user,
            connection,
            &wanted,
            daemon.unwrap_or(persona.sshd),
        );
        let (leader, streams) = place.machine.login_on_pipes(login)?;
        let leader = Arc::new(leader);
        lock(&self.doors).leader = Arc::downgrade(&leader);
        let pipes = Pipes {
            streams,
            leader,
            daemon,
            complaint,
            // What a file protocol brings is kept file by file.
            keep_stdin: command.is_some_and(|command| !is_scp(command)),
        };
        drop(
            session
                .channels
                .spawn(Box::pin(stream::pipes(place, pipes))),
        );
        Ok(())
    }

    fn daemon(
        &self,
        machine: &Machine,
        user: &sundew_persona::users::User,
        tty: Option<&[u8]>,
    ) -> Option<sundew_kernel::Pid> {
        let parts = &self.session.sensor().parts;
        let up = login::since_boot(parts.persona.facts.boot_time, parts.clock.wall());
        let pid = login::daemon(machine, &parts.persona, user, tty, up)?;
        login::socket(machine, &self.session.reporter.connection, pid);
        self.session.log_in(machine, user, (pid, tty));
        Some(pid)
    }

    fn homeless(&self, machine: &Machine, user: &sundew_persona::users::User) -> Vec<u8> {
        match machine.read_file(&user.home, 0) {
            Err(Errno::Enoent) => login::no_home(user),
            _ => Vec::new(),
        }
    }
}

/// Whether a command line is what the other side's scp runs to take or give files.
fn is_scp(command: &[u8]) -> bool {
    let mut words = command.split(u8::is_ascii_whitespace);
    let far = |word: &[u8]| word.starts_with(b"-") && word.iter().any(|byte| b"tf".contains(byte));
    words.next() == Some(b"scp") && words.any(far)
}

/// What `Subsystem sftp` of Debian's sshd_config names.
const SFTP_SERVER: &[u8] = b"/usr/lib/openssh/sftp-server";

/// A size as a terminal holds it.
fn window(columns: u32, rows: u32) -> WindowSize {
    WindowSize {
        columns: u16::try_from(columns).unwrap_or(u16::MAX),
        rows: u16::try_from(rows).unwrap_or(u16::MAX),
    }
}

/// Modes of one terminal that are looked at; RFC 4254 names 56.
const MAX_MODES: usize = 128;

/// Pieces that wait in each direction: with those of a terminal at most 32 KiB each.
const QUEUED_PIECES: usize = 8;

/// Environment requests of one channel that are looked at. OpenSSH sends a handful.
const MAX_ENV_REQUESTS: usize = 64;

/// Bytes of one variable with its name that are taken over.
const MAX_ENV_BYTES: usize = 4096;

/// Signals that sshd passes on, RFC 4254 §6.10.
const SIGNALS: &[&str] = &[
    "ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1",
    "USR2",
];
