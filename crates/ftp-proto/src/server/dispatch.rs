//! From a command to what is done about it: what is refused before it is looked at, and which family
//! of commands it belongs to.

use super::{FileError, Login, Path, Response, Session, Then, Wish, Work, reply, text};
use crate::argument::Argument;
use crate::command::{Command, CommandError, Verb};
use crate::listing::glob;
use crate::permission::{Right, Rights};
use crate::reply::Code;

impl Session {
    pub(super) fn dispatch(&mut self, command: Command) -> Response {
        let verb = command.verb();
        let rename_from = self.rename_from.take();
        let copy_from = self.copy_from.take();
        if !self.offers(verb) {
            return reply(Code::NOT_IMPLEMENTED, text::NOT_IMPLEMENTED);
        }
        if needs_login(verb) && self.user().is_none() {
            return reply(Code::NOT_LOGGED_IN, text::NOT_LOGGED_IN);
        }
        let result = match command {
            Command::Rnto(path) => self.rename(rename_from, &path),
            Command::Site(argument) => self.site(copy_from, &argument),
            command => self.files(command),
        };
        result.unwrap_or_else(|error| {
            let (code, text) = text::file_error(verb, error);
            reply(code, text)
        })
    }

    /// Lines that are answered while bytes are moving; every other one has to wait.
    ///
    /// QUIT is answered at once and the result of the transfer follows, as RFC 959 §4.1.1 has it; it
    /// also lets a transfer end under the login it was begun with, whatever USER and REIN say.
    pub(super) fn during_transfer(&mut self, command: Result<Command, CommandError>) -> Response {
        let Work::Transferring { wish, .. } = &mut self.work else {
            return Then::Hold.into();
        };
        match command {
            Ok(Command::Abor) => {
                *wish = Wish::Abort;
                Then::AbortTransfer.into()
            }
            Ok(Command::Quit) => {
                *wish = Wish::ThenQuit;
                reply(Code::CLOSING, text::CLOSING)
            }
            Ok(Command::Stat(None)) => Then::ReportProgress.into(),
            // Clients keep the connection alive with it in long transfers.
            Ok(Command::Noop) => reply(Code::OKAY, text::OKAY),
            Ok(Command::User(user)) if self.certified() != Some(true) => self.user_named(user),
            // With TLS it would have to end TLS in the midst of the transfer.
            Ok(Command::Rein) if !self.is_protected() => {
                self.reset();
                reply(Code::READY, self.settings.greeting.clone())
            }
            Ok(command) if self.user().is_none() && needs_login(command.verb()) => {
                reply(Code::NOT_LOGGED_IN, text::NOT_LOGGED_IN)
            }
            Ok(_) | Err(_) => Then::Hold.into(),
        }
    }

    /// Whether a verb does anything here; FEAT and HELP say the same.
    pub(super) fn offers(&self, verb: Verb) -> bool {
        let needs = match verb {
            Verb::Auth | Verb::Adat | Verb::Pbsz | Verb::Prot => self.settings.tls.is_some(),
            Verb::Ccc => self.settings.tls.is_some_and(|tls| tls.clear_control),
            Verb::Sscn | Verb::Cpsv => self.settings.tls.is_some_and(|tls| tls.client_side),
            Verb::Mfmt => self.settings.abilities.times,
            Verb::Mfct => self.settings.abilities.creation,
            Verb::Mff => self.settings.abilities.times || self.settings.abilities.modes,
            Verb::Avbl => self.settings.abilities.space,
            verb => !NEVER.contains(&verb),
        };
        needs && !self.settings.off.has(verb)
    }

    /// Who may be asked for what on a path.
    pub(super) fn rights(&self, path: &Path) -> Rights {
        match &self.login {
            Login::In { grant, .. } => grant.permissions.at(path),
            Login::Nobody | Login::Named(_) | Login::AwaitAccount { .. } => Rights::NONE,
        }
    }

    /// Resolves what the client wrote and sees that it may do that there.
    pub(super) fn path(&self, written: &Argument, right: Right) -> Result<Path, FileError> {
        let path = self.directory.join(written.as_bytes())?;
        self.allowed(path, right)
    }

    /// The path, if the user has this right on it.
    pub(super) fn allowed(&self, path: Path, right: Right) -> Result<Path, FileError> {
        let denied = &self.settings.denied_names;
        let is_denied = |name: &[u8]| denied.iter().any(|pattern| glob::matches(pattern, name));
        if self.rights(&path).has(right) && !path.components().any(is_denied) {
            Ok(path)
        } else {
            Err(FileError::Denied)
        }
    }
}

/// Whether a verb is refused with 530 before login; those that are not are harmless or part of it.
/// STAT with a path and SITE with most words need one as well.
pub(super) const fn needs_login(verb: Verb) -> bool {
    !matches!(
        verb,
        Verb::User
            | Verb::Pass
            | Verb::Acct
            | Verb::Rein
            | Verb::Quit
            | Verb::Noop
            | Verb::Help
            | Verb::Syst
            | Verb::Stat
            | Verb::Site
            | Verb::Feat
            | Verb::Opts
            | Verb::Lang
            | Verb::Clnt
            | Verb::Csid
            | Verb::Host
            | Verb::Auth
            | Verb::Adat
            | Verb::Pbsz
            | Verb::Prot
            | Verb::Ccc
    )
}

/// Verbs that are known and never served: mounting, mail, other security mechanisms, and the
/// addresses of the past.
const NEVER: [Verb; 16] = [
    Verb::Smnt,
    Verb::Mic,
    Verb::Conf,
    Verb::Enc,
    Verb::Esta,
    Verb::Estp,
    Verb::Mail,
    Verb::Mlfl,
    Verb::Msnd,
    Verb::Msom,
    Verb::Msam,
    Verb::Mrsq,
    Verb::Mrcp,
    Verb::Xsen,
    Verb::Xsem,
    Verb::Xmas,
];

/// A session that is not [`Work::Idle`] never gets here.
impl Work {
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Idle)
    }
}
