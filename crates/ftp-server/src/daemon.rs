//! `ftpd` as a library: its command line, its configuration, and everything around the server that an
//! operator needs.

pub mod config;
pub mod confine;
pub mod helper;
pub mod homes;
pub mod hooks;
pub mod http;
pub mod log;
pub mod login;
pub mod metrics;
pub mod notify;
pub mod options;
pub mod program;
mod reload;
mod run;
mod start;
pub mod state;
mod tls;
mod tools;
pub mod who;
mod wiring;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use self::options::{Command, Options};

/// Runs the program with these arguments, its own name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::try_parse_from(arguments) {
        Ok(options) => options,
        Err(error) => {
            // Help and version are such errors too, and know where they belong.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_) => ExitCode::FAILURE,
            };
        }
    };
    let result = match options.command {
        None => run::run(&options.serve),
        Some(Command::Check { file }) => tools::check(&file),
        Some(Command::Template) => tools::template(),
        Some(Command::Hash) => tools::hash(),
        Some(Command::Who { json, server }) => tools::who(&server, json),
        Some(Command::Kick {
            sessions,
            user,
            address,
            json,
            server,
        }) => {
            let sessions = sessions
                .iter()
                .map(|number| format!("kick session {number}"));
            let user = user.map(|name| format!("kick user {}", name.as_bytes().escape_ascii()));
            let address = address.map(|address| format!("kick address {address}"));
            let questions: Vec<_> = sessions.chain(user).chain(address).collect();
            tools::kick(&server, &questions, json)
        }
        Some(Command::Ban {
            address,
            time,
            json,
            server,
        }) => {
            let question = format!("ban {address} {}", time.as_secs());
            tools::ban(&server, &question, json)
        }
        Some(Command::Recount { user, server }) => tools::recount(&server, user.as_deref()),
        Some(Command::Helper) => helper::main(),
        Some(Command::Bans { json, server }) => tools::bans(&server, json),
        Some(Command::Unban { address, server }) => tools::unban(&server, address),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tools::complain(&format!("ftpd: {failure}"));
            ExitCode::from(failure.kind.code())
        }
    }
}

/// Why the program ends with an error, in one line.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    text: String,
}

impl Failure {
    fn new(kind: FailureKind, text: impl fmt::Display) -> Self {
        Self {
            kind,
            text: text.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Kinds of failures, with the exit status of each from sysexits(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// There is no such session.
    Nobody,
    /// The command line makes no sense.
    Usage,
    /// A directory or file is missing.
    Input,
    /// No server answers.
    Unavailable,
    /// The system refuses.
    System,
    /// Root cannot be given up.
    Permission,
    /// The configuration is wrong.
    Config,
}

impl FailureKind {
    const fn code(self) -> u8 {
        match self {
            Self::Nobody => 1,
            Self::Usage => 2,
            Self::Input => 66,
            Self::Unavailable => 69,
            Self::System => 71,
            Self::Permission => 77,
            Self::Config => 78,
        }
    }
}

/// Where the control socket of a server on this port is, unless told otherwise: the user's runtime
/// directory, or root's. `None` where there is neither, since a socket in a directory of all could be
/// anybody's.
fn usual_control(port: u16) -> Option<PathBuf> {
    let name = format!("ftpd-{port}.sock");
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(directory) if !directory.is_empty() => Some(PathBuf::from(directory).join(name)),
        _ if confine::is_root() => Some(PathBuf::from("/run").join(name)),
        _ => None,
    }
}
