//! The server's side of the dialogue: what a line means in the session's state, and its answer.
//!
//! A [`Session`] takes one line and the time and gives a [`Response`]: replies to send, and perhaps
//! a [`Task`] for the driver (check a password, open a port, touch a file, move bytes), whose
//! [`Outcome`] makes the next response. Nothing is opened or moved here. Commands wait for each
//! other: while a task is under way no further line is to be given; during a transfer only ABOR,
//! STAT, NOOP and QUIT are answered and every other line comes back as [`Then::Hold`].
//!
//! ```text
//!   Idle ── line ──▶ Asked ── complete ──▶ Idle
//!                      │ transfer_begins (1xx)
//!                      ▼
//!                 Transferring ── transfer_ended (2xx, 4xx, 5xx) ──▶ Idle
//! ```
//!
//! RFC 959 §5.4 and §6, RFC 1123 §4.1, RFC 2389, RFC 2428, RFC 2577, RFC 3659.

mod answer;
mod dispatch;
mod path;
mod task;
mod text;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use self::dispatch::during_transfer;
pub use self::path::{MAX_PATH_BYTES, Path};
pub use self::task::{
    Begun, DataPath, FileError, ListForm, Outcome, Placement, Task, Transfer, TransferEnd,
    TransferKind,
};
use crate::argument::Argument;
use crate::command::{Command, CommandError};
use crate::listing::mlsx::{Access, Fact};
use crate::reply::{Code, Reply};
use crate::transfer::Type;

/// What the operator decides about sessions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The text of the `220`.
    pub greeting: String,
    /// The text of the `215`.
    pub system: String,
    /// How long a logged-in client may be silent. RFC 1123 §4.1.3.2 asks for five minutes or more.
    pub idle: Duration,
    /// How long a client may take to log in.
    pub login: Duration,
    /// Failed logins after which the connection is closed. RFC 2577 §5 advises three to five.
    pub max_login_failures: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            greeting: "Service ready for new user.".to_owned(),
            system: "UNIX Type: L8".to_owned(),
            idle: Duration::from_secs(300),
            login: Duration::from_secs(60),
            max_login_failures: 3,
        }
    }
}

/// The two ends of the control connection; IPv4 addresses mapped into IPv6 count as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Our address.
    pub local: SocketAddr,
    /// The client's address.
    pub peer: SocketAddr,
}

/// What to do after one event: send the replies in order, then this.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Response {
    /// Send these first.
    pub replies: Vec<Reply>,
    /// Then do this.
    pub then: Then,
}

/// What follows the replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Read the next line.
    Read,
    /// Do this and report its [`Outcome`]; read no line before.
    Perform(Task),
    /// Keep this line and give it again when the transfer has ended; read no other before.
    Hold,
    /// Stop the transfer and report [`TransferEnd::Aborted`].
    AbortTransfer,
    /// Close a listening port or data connection that is left over.
    CloseData,
    /// Close the control connection, and with it everything.
    Close,
}

/// One control connection.
#[derive(Clone, Debug)]
pub struct Session {
    settings: Settings,
    endpoints: Endpoints,
    login: Login,
    failures: u32,
    work: Work,
    directory: Path,
    representation: Type,
    data: Data,
    /// EPSV ALL was said: PORT, EPRT, PASV and their kin are refused (RFC 2428 §4).
    extended_only: bool,
    /// The offset of REST, until the next transfer.
    restart: u64,
    /// The path of RNFR; any other command forgets it.
    rename_from: Option<Path>,
    facts: Vec<Fact>,
    started: Instant,
    last_line: Instant,
}

impl Session {
    /// A session whose greeting has not been sent.
    #[must_use]
    pub fn new(settings: Settings, endpoints: Endpoints, now: Instant) -> Self {
        let canonical =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        Self {
            settings,
            endpoints: Endpoints {
                local: canonical(endpoints.local),
                peer: canonical(endpoints.peer),
            },
            login: Login::Nobody,
            failures: 0,
            work: Work::Idle,
            directory: Path::root(),
            representation: Type::default(),
            data: Data::None,
            extended_only: false,
            restart: 0,
            rename_from: None,
            facts: text::DEFAULT_FACTS.to_vec(),
            started: now,
            last_line: now,
        }
    }

    /// What to say first.
    pub fn greet(&self) -> Response {
        reply(Code::READY, &self.settings.greeting)
    }

    /// Takes one line without its end.
    pub fn handle_line(&mut self, line: &[u8], now: Instant) -> Response {
        self.handle_command(Command::parse(line), now)
    }

    /// Takes one line that was read already, or why it could not be.
    pub fn handle_command(
        &mut self,
        command: Result<Command, CommandError>,
        now: Instant,
    ) -> Response {
        self.last_line = now;
        match &mut self.work {
            Work::Idle => match command {
                Ok(command) => self.dispatch(command),
                Err(error) => {
                    self.rename_from = None;
                    reply(error.code(), text::command_error(error))
                }
            },
            Work::Asked(_) => Then::Hold.into(),
            Work::Transferring(wish) => during_transfer(wish, &command),
        }
    }

    /// When to call [`Session::handle_timeout`] if nothing else happens first; none while a task or
    /// transfer is under way, which have deadlines of their own.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        match (&self.work, &self.login) {
            (Work::Asked(_) | Work::Transferring(_), _) => None,
            (Work::Idle, Login::In { .. }) => self.last_line.checked_add(self.settings.idle),
            (Work::Idle, Login::Nobody | Login::Named(_)) => {
                self.started.checked_add(self.settings.login)
            }
        }
    }

    /// Ends the session if its time has come.
    pub fn handle_timeout(&mut self, now: Instant) -> Response {
        match self.next_timeout() {
            Some(deadline) if deadline <= now => Response {
                replies: vec![Reply::new(Code::SERVICE_UNAVAILABLE, text::TIMEOUT)],
                then: Then::Close,
            },
            Some(_) | None => Then::Read.into(),
        }
    }

    /// What to say when the server is shut down.
    pub fn shut_down(&self) -> Response {
        Response {
            replies: vec![Reply::new(Code::SERVICE_UNAVAILABLE, text::UNAVAILABLE)],
            then: Then::Close,
        }
    }

    /// Who has logged in.
    #[must_use]
    pub const fn user(&self) -> Option<&Argument> {
        match &self.login {
            Login::In { user, .. } => Some(user),
            Login::Nobody | Login::Named(_) => None,
        }
    }

    /// The working directory.
    #[must_use]
    pub const fn directory(&self) -> &Path {
        &self.directory
    }

    /// Back to the state after the greeting. RFC 959 §4.1.1, REIN.
    fn reset(&mut self) {
        self.login = Login::Nobody;
        self.directory = Path::root();
        self.representation = Type::default();
        self.data = Data::None;
        self.extended_only = false;
        self.restart = 0;
        self.facts = text::DEFAULT_FACTS.to_vec();
    }

    fn ask(&mut self, asked: Asked, task: Task) -> Response {
        self.work = Work::Asked(asked);
        Then::Perform(task).into()
    }
}

impl From<Then> for Response {
    fn from(then: Then) -> Self {
        Self {
            replies: Vec::new(),
            then,
        }
    }
}

fn reply(code: Code, text: impl AsRef<[u8]>) -> Response {
    Response {
        replies: vec![Reply::new(code, text)],
        then: Then::Read,
    }
}

#[derive(Clone, Debug)]
enum Login {
    Nobody,
    /// USER was given.
    Named(Argument),
    In {
        user: Argument,
        access: Access,
    },
}

#[derive(Clone, Debug)]
enum Work {
    Idle,
    /// A task is under way; what its outcome is the answer to.
    Asked(Asked),
    Transferring(Wish),
}

/// What the client wants to happen to the transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Complete,
    Abort,
    /// Complete, then end the session.
    ThenQuit,
}

/// The command a task was made for, with what its answer needs.
#[derive(Clone, Debug)]
enum Asked {
    Login {
        user: Argument,
    },
    Passive {
        extended: bool,
    },
    ChangeDirectory {
        to: Path,
        code: Code,
    },
    MakeDirectory {
        path: Path,
    },
    /// DELE, RMD, RNTO: nothing but 250.
    FileAction,
    RenameFrom {
        path: Path,
    },
    Size,
    Modified,
    SetModified {
        answer: Vec<u8>,
    },
    Facts {
        path: Path,
    },
    Status,
    Transfer {
        what: Vec<u8>,
        ascii: bool,
        /// MLSD has a code of its own for a path that is no directory.
        is_mlsd: bool,
    },
}

/// Where the next transfer's bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Data {
    None,
    Passive,
    Active(SocketAddr),
}

#[cfg(test)]
mod tests;
