//! What went wrong, for people and for programs: which phase, what the server said, what to try.

use std::fmt;
use std::io;
use std::path::Path;

use ftp_proto::Reply;

use crate::text::printable;

/// The step of the work that failed; each has its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Reading the command line, a URL, the netrc file.
    Usage,
    /// Looking up the name.
    Resolve,
    /// Making the control connection, and the greeting.
    Connect,
    /// TLS: the handshake, the certificate, a server without it.
    Tls,
    /// USER, PASS, ACCT.
    Login,
    /// A command about a path.
    Command,
    /// A listing.
    List,
    /// Asking for, or moving, the bytes of a file.
    Transfer,
    /// A file of this computer.
    Local,
    /// What arrived is not what the server has.
    Verify,
    /// Ctrl-C.
    Interrupted,
}

impl Phase {
    /// All phases, as the guide lists them.
    pub const ALL: [Self; 11] = [
        Self::Usage,
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::Login,
        Self::Command,
        Self::List,
        Self::Transfer,
        Self::Local,
        Self::Verify,
        Self::Interrupted,
    ];

    /// The exit status of a run that failed here.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Resolve | Self::Connect => 3,
            Self::Tls => 4,
            Self::Login => 5,
            Self::Command | Self::List => 6,
            Self::Transfer => 7,
            Self::Local => 8,
            Self::Verify => 9,
            Self::Interrupted => 130,
        }
    }

    /// Its name in messages and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Command => "command",
            Self::List => "list",
            Self::Transfer => "transfer",
            Self::Local => "local",
            Self::Verify => "verify",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Exit status of a run in which some of several files failed and others did not.
pub const STATUS_PARTIAL: u8 = 1;

/// A failed step.
#[derive(Debug)]
pub struct Failure {
    /// Where it failed.
    pub phase: Phase,
    /// What was being done, to what: `get ftp://host/x`.
    pub about: String,
    /// What happened, in a few words.
    pub what: String,
    /// The server's reply, if it is one that decided.
    pub reply: Option<Box<Reply>>,
    /// What to try.
    pub hint: Option<String>,
    /// What is kept for a later attempt.
    pub kept: Option<String>,
    /// Whether another attempt may fare better.
    pub may_pass: bool,
    /// Whether the server has no room for one more session.
    pub is_crowded: bool,
}

impl Failure {
    /// A failure that another attempt would meet again.
    pub fn new(phase: Phase, what: impl Into<String>) -> Self {
        Self {
            phase,
            about: String::new(),
            what: what.into(),
            reply: None,
            hint: None,
            kept: None,
            may_pass: false,
            is_crowded: false,
        }
    }

    /// A file of this computer that cannot be used.
    pub fn local(path: &Path, error: &io::Error) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        let path = printable(path.as_os_str().as_bytes());
        let words = ftp_client::dial::words(error);
        Self::new(Phase::Local, format!("{path}: {words}"))
    }

    /// Says what was being done, unless somebody nearer has.
    #[must_use]
    pub fn about(mut self, about: impl fmt::Display) -> Self {
        if self.about.is_empty() {
            self.about = about.to_string();
        }
        self
    }

    /// Says what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Says that another attempt may fare better.
    #[must_use]
    pub const fn passing(mut self) -> Self {
        self.may_pass = true;
        self
    }

    /// Adds the server's reply.
    #[must_use]
    pub fn reply(mut self, reply: Reply) -> Self {
        self.reply = Some(Box::new(reply));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.about.is_empty() {
            write!(f, "{}: ", self.about)?;
        }
        write!(f, "{} failed: {}", self.phase.name(), self.what)?;
        if let Some(reply) = &self.reply {
            write!(f, "\n  the server said: {}", reply_text(reply))?;
        }
        if let Some(kept) = &self.kept {
            write!(f, "\n  kept: {kept}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  try: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// A reply in one line, fit for a terminal.
#[must_use]
pub fn reply_text(reply: &Reply) -> String {
    let lines: Vec<String> = reply
        .lines()
        .take(SHOWN_REPLY_LINES)
        .map(|line| printable(line.trim_ascii()))
        .collect();
    format!("{} {}", reply.code(), lines.join(" / "))
}

/// Lines of a reply that are worth showing in an error.
const SHOWN_REPLY_LINES: usize = 5;

#[cfg(test)]
mod tests {
    use ftp_proto::reply::Code;

    use super::*;

    #[test]
    fn a_failure_says_phase_reply_and_what_to_try() {
        let failure = Failure::new(Phase::Login, "the server does not accept this login")
            .reply(Reply::new(Code::NOT_LOGGED_IN, b"Login \x1b[31mincorrect."))
            .about("ls ftp://h/")
            .hint("another --user");
        assert_eq!(
            failure.to_string(),
            "ls ftp://h/: login failed: the server does not accept this login\n  \
             the server said: 530 Login \\u{1b}[31mincorrect.\n  \
             try: another --user"
        );
    }

    #[test]
    fn each_phase_has_a_name_and_a_status_that_is_not_partial() {
        for phase in Phase::ALL {
            assert!(phase.status() > STATUS_PARTIAL && !phase.name().is_empty());
        }
    }
}
