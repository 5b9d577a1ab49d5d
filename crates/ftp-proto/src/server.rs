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
mod file;
mod help;
mod information;
mod login;
mod moves;
mod parameter;
mod path;
mod security;
mod settings;
mod site;
mod task;
mod text;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::path::{MAX_PATH_BYTES, Path};
pub use self::settings::{Abilities, Foreign, Settings, TlsRules, Verbs};
pub use self::task::{
    Begun, Change, DataPath, DataProtection, FileError, Grant, ListForm, ListOptions, Outcome,
    Placement, Refusal, Required, Task, Transfer, TransferEnd, TransferKind,
};
use crate::argument::Argument;
use crate::command::{ByteRange, Command, CommandError, Verb};
use crate::hash::Algorithm;
use crate::listing::mlsx::Fact;
use crate::reply::{Code, Replies, Reply, Text};
use crate::time::Timestamp;
use crate::transfer::{Mode, Structure, Type};

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
    pub replies: Replies,
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
    /// Report how many bytes have been moved with [`Session::progress`]; the transfer goes on.
    ReportProgress,
    /// Close a listening port or data connection that is left over.
    CloseData,
    /// Throw away what the client has sent behind this command, which came in clear, begin TLS on
    /// the control connection as its server, then call [`Session::secured`]. If TLS does not come
    /// about, close everything.
    StartTls,
    /// Send the replies within TLS, end it with close_notify on both sides and go on in clear. A
    /// listening port or data connection that is left over is closed.
    EndTls,
    /// Close the control connection, and with it everything.
    Close,
}

/// One control connection.
#[derive(Clone, Debug)]
pub struct Session {
    settings: Arc<Settings>,
    endpoints: Endpoints,
    security: Security,
    login: Login,
    failures: u32,
    work: Work,
    directory: Path,
    representation: Type,
    structure: Structure,
    mode: Mode,
    /// OPTS MODE Z LEVEL.
    level: u8,
    /// OPTS HASH.
    algorithm: Algorithm,
    data: Data,
    /// EPSV ALL was said: PORT, EPRT, PASV and their kin are refused (RFC 2428 §4).
    extended_only: bool,
    /// The offset of REST, until the next transfer.
    restart: u64,
    /// The part of RANG, until the next transfer or hash.
    range: Option<ByteRange>,
    /// The bytes of ALLO, until the next transfer.
    allocation: Option<u64>,
    /// The path of RNFR; any other command forgets it.
    rename_from: Option<Path>,
    /// The path of SITE CPFR; any other command forgets it.
    copy_from: Option<Path>,
    facts: Vec<Fact>,
    host: Option<Argument>,
    /// SITE IDLE.
    idle: Option<Duration>,
    started: Instant,
    last_line: Instant,
}

impl Session {
    /// A session whose greeting has not been sent.
    #[must_use]
    pub fn new(settings: impl Into<Arc<Settings>>, endpoints: Endpoints, now: Instant) -> Self {
        let canonical =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let settings = settings.into();
        Self {
            security: Security::at_first(&settings),
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
            structure: Structure::File,
            mode: Mode::Stream,
            level: DEFAULT_LEVEL,
            algorithm: Algorithm::Sha256,
            data: Data::None,
            extended_only: false,
            restart: 0,
            range: None,
            allocation: None,
            rename_from: None,
            copy_from: None,
            facts: text::DEFAULT_FACTS.to_vec(),
            host: None,
            idle: None,
            started: now,
            last_line: now,
        }
    }

    /// What to say first.
    pub fn greet(&self) -> Response {
        reply(Code::READY, self.settings.greeting.clone())
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
        match &self.work {
            Work::Idle => match command {
                Ok(command) => self.dispatch(command),
                Err(error) => self.misunderstood(error),
            },
            Work::Asked { .. } => Then::Hold.into(),
            Work::Transferring { .. } => self.during_transfer(command),
        }
    }

    fn misunderstood(&mut self, error: CommandError) -> Response {
        self.rename_from = None;
        self.copy_from = None;
        if error.verb().is_some_and(|verb| !self.offers(verb)) {
            return reply(Code::NOT_IMPLEMENTED, text::NOT_IMPLEMENTED);
        }
        if self.user().is_none() && error.verb().is_some_and(dispatch::needs_login) {
            return reply(Code::NOT_LOGGED_IN, text::NOT_LOGGED_IN);
        }
        match error {
            // As a shell's `cd` does it; pyftpdlib and pure-ftpd go there too.
            CommandError::MissingArgument(verb @ (Verb::Cwd | Verb::Xcwd)) => self.go_home(verb),
            // Whatever it is, it is of a network the control connection is not on.
            CommandError::UnreadableIpv6(Verb::Eprt) if self.endpoints.local.is_ipv4() => {
                reply(Code::UNKNOWN_PROTOCOL, self.protocol_mismatch())
            }
            // RFC 959 §4.1.3: who does not need it treats it as NOOP, and a number that cannot be read
            // is one we do not need.
            CommandError::BadArgument(Verb::Allo) => reply(Code::SUPERFLUOUS, text::SUPERFLUOUS),
            error => reply(error.code(), text::command_error(error)),
        }
    }

    /// When to call [`Session::handle_timeout`] if nothing else happens first; none while a task or
    /// transfer is under way, which have deadlines of their own.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        match (&self.work, &self.login) {
            (Work::Asked { .. } | Work::Transferring { .. }, _) => None,
            (Work::Idle, Login::In { .. }) => self.last_line.checked_add(self.idle_time()),
            (Work::Idle, Login::Nobody | Login::Named(_) | Login::AwaitAccount { .. }) => {
                self.started.checked_add(self.settings.login)
            }
        }
    }

    /// Ends the session if its time has come.
    pub fn handle_timeout(&mut self, now: Instant) -> Response {
        match self.next_timeout() {
            Some(deadline) if deadline <= now => {
                Response::last(Code::SERVICE_UNAVAILABLE, text::TIMEOUT)
            }
            Some(_) | None => Then::Read.into(),
        }
    }

    /// What to say when the server is shut down.
    pub fn shut_down(&self) -> Response {
        Response::last(Code::SERVICE_UNAVAILABLE, text::UNAVAILABLE)
    }

    /// TLS has come about on the control connection; `certified` if the client has shown a
    /// certificate that was found good. For implicit TLS too, before [`Session::greet`].
    pub fn secured(&mut self, certified: bool) {
        self.security.control = Control::Tls { certified };
    }

    /// The answer to STAT during a transfer.
    pub fn progress(&self, bytes: u64) -> Response {
        let text = format!("Transfer in progress, {bytes} bytes so far.");
        reply(Code::SYSTEM_STATUS, text)
    }

    /// The host the client has named with HOST.
    #[must_use]
    pub const fn host(&self) -> Option<&Argument> {
        self.host.as_ref()
    }

    /// Who has logged in; after REIN or another USER nobody, and what was held for them is to be
    /// let go.
    #[must_use]
    pub const fn user(&self) -> Option<&Argument> {
        match &self.login {
            Login::In { user, .. } => Some(user),
            Login::Nobody | Login::Named(_) | Login::AwaitAccount { .. } => None,
        }
    }

    /// The working directory.
    #[must_use]
    pub const fn directory(&self) -> &Path {
        &self.directory
    }

    /// What a user who has logged in was granted.
    #[must_use]
    pub const fn grant(&self) -> Option<&Grant> {
        match &self.login {
            Login::In { grant, .. } => Some(grant),
            Login::Nobody | Login::Named(_) | Login::AwaitAccount { .. } => None,
        }
    }

    fn idle_time(&self) -> Duration {
        let granted = self.grant().and_then(|grant| grant.idle);
        self.idle.or(granted).unwrap_or(self.settings.idle)
    }

    fn ask(&mut self, verb: Verb, asked: Asked, task: Task) -> Response {
        self.work = Work::Asked { verb, asked };
        Then::Perform(task).into()
    }
}

impl Response {
    /// One reply, and the connection ends.
    fn last(code: Code, text: impl Into<Text>) -> Self {
        Self {
            replies: Reply::with(code, text).into(),
            then: Then::Close,
        }
    }
}

impl From<Then> for Response {
    fn from(then: Then) -> Self {
        Self {
            replies: Replies::default(),
            then,
        }
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Self {
        Self {
            replies: reply.into(),
            then: Then::Read,
        }
    }
}

fn reply(code: Code, text: impl Into<Text>) -> Response {
    Reply::with(code, text).into()
}

/// What zlib takes by default.
const DEFAULT_LEVEL: u8 = 6;

/// What is protected.
#[derive(Clone, Copy, Debug)]
struct Security {
    control: Control,
    /// PBSZ was given, without which PROT means nothing (RFC 2228 §3).
    sized: bool,
    /// PROT P.
    private: bool,
    /// SSCN ON: we are the TLS client on data connections.
    client: bool,
}

/// The control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Clear,
    /// AUTH was answered; the handshake is under way.
    Securing,
    Tls {
        /// Whether the client has shown a certificate that was found good.
        certified: bool,
    },
    /// TLS was ended by CCC; what was agreed on data connections holds.
    Cleared,
}

impl Security {
    const NONE: Self = Self {
        control: Control::Clear,
        sized: false,
        private: false,
        client: false,
    };

    /// Implicit TLS protects data connections without being asked, as its users expect.
    fn at_first(settings: &Settings) -> Self {
        match &settings.tls {
            Some(tls) if tls.implicit => Self {
                control: Control::Tls { certified: false },
                sized: true,
                private: true,
                client: false,
            },
            Some(_) | None => Self::NONE,
        }
    }
}

#[derive(Clone, Debug)]
enum Login {
    Nobody,
    /// USER was given.
    Named(Argument),
    /// PASS was right, ACCT is wanted.
    AwaitAccount {
        user: Argument,
        password: Vec<u8>,
    },
    In {
        user: Argument,
        grant: Box<Grant>,
    },
}

#[derive(Clone, Debug)]
enum Work {
    Idle,
    /// A task is under way; what its outcome is the answer to.
    Asked {
        verb: Verb,
        asked: Asked,
    },
    Transferring {
        verb: Verb,
        wish: Wish,
    },
}

/// What the client wants to happen to the transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Complete,
    Abort,
    /// Complete, then end the session.
    ThenQuit,
}

/// What a task was made for, with what its answer needs.
#[derive(Clone, Debug)]
enum Asked {
    Login {
        user: Argument,
        password: Vec<u8>,
    },
    Certificate {
        user: Argument,
    },
    Passive {
        form: PassiveForm,
    },
    ChangeDirectory {
        to: Path,
    },
    MakeDirectory {
        path: Path,
    },
    /// DELE, RMD, RNTO: nothing but 250.
    FileAction,
    RenameFrom {
        path: Path,
    },
    CopyFrom {
        path: Path,
    },
    Size,
    Modified {
        /// What to do if there is no such file: the time and path of the other MDTM.
        setting: Option<(Timestamp, Path)>,
    },
    Change {
        answer: Vec<u8>,
    },
    Facts {
        path: Path,
    },
    Hash {
        algorithm: Algorithm,
        name: Argument,
        /// What to do if there is no such file.
        otherwise: Option<OtherHash>,
    },
    Number,
    Allocate,
    Umask {
        mask: Option<u16>,
    },
    Status {
        path: Path,
    },
    /// Nothing but 200.
    Site,
    SiteLines {
        title: &'static str,
    },
    SiteOther,
    /// A transfer without a way for its data: whether anything else is wrong with it.
    NoData {
        offset: u64,
    },
    Transfer {
        what: Vec<u8>,
        ascii: bool,
    },
}

/// The other way to read `XCRC a b 0 9`: a path without quotes, and a part of it.
#[derive(Clone, Debug)]
struct OtherHash {
    name: Argument,
    path: Path,
    first: u64,
    end: Option<u64>,
}

/// Which command of passive mode it was, and so how the answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PassiveForm {
    /// PASV.
    Plain,
    /// CPSV: as PASV, and we are the TLS client.
    AsClient,
    /// EPSV. RFC 2428 §3.
    Extended,
    /// LPSV. RFC 1639 §3.
    Long,
    /// SPSV, of pure-ftpd: the port and nothing else.
    PortAlone,
}

/// Where the next transfer's bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Data {
    None,
    Passive {
        /// CPSV: we are the TLS client.
        as_client: bool,
    },
    Active(SocketAddr),
}

#[cfg(test)]
mod tests;
