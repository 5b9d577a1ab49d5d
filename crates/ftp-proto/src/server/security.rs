//! TLS as the dialogue sees it: AUTH, PBSZ, PROT, CCC, SSCN, and what may not be said before them.
//!
//! RFC 2228 §3, RFC 4217. The handshakes are the driver's.

use super::{Control, Login, Required, Response, Session, Then, reply, text};
use crate::argument::Argument;
use crate::command::{Command, Protection, Switch};
use crate::reply::{Code, Reply};
use crate::server::DataProtection;

impl Session {
    /// Commands about TLS; the others are handed on.
    pub(super) fn securing(&mut self, command: Command) -> Response {
        match command {
            Command::Auth(mechanism) => self.authenticate(&mechanism),
            // TLS needs no data of its own on this level.
            Command::Adat(_) => reply(Code::BAD_SEQUENCE, text::BAD_SEQUENCE),
            Command::Pbsz(_) if !self.has_agreed() => reply(
                Code::BAD_SEQUENCE,
                "PBSZ not allowed on insecure control connection.",
            ),
            // RFC 4217 §8: 0, whatever was asked for.
            Command::Pbsz(_) => {
                self.security.sized = true;
                reply(Code::OKAY, "PBSZ=0 successful.")
            }
            Command::Prot(level) => self.protect(level),
            Command::Ccc => self.clear_control(),
            Command::Sscn(state) => self.client_side(state),
            other => self.information(other),
        }
    }

    /// RFC 4217 §4 and §17: `TLS-P` means PROT P at once. `SSL` once did too; today's clients that
    /// say it go on with PBSZ and PROT.
    fn authenticate(&mut self, mechanism: &Argument) -> Response {
        let is = |name: &[u8]| mechanism.as_bytes().eq_ignore_ascii_case(name);
        let is_private = is(b"TLS-P");
        if !is_private && ![&b"TLS"[..], b"TLS-C", b"SSL"].into_iter().any(is) {
            return reply(Code::BAD_PARAMETER, "Only AUTH TLS and AUTH SSL.");
        }
        if self.is_protected() {
            return reply(Code::BAD_SEQUENCE, "Already using TLS.");
        }
        // RFC 2228 §3: what was said in clear counts for nothing.
        self.forget_login();
        self.security.control = Control::Securing;
        self.security.sized = is_private;
        self.security.private = is_private;
        Response {
            replies: Reply::with(Code::SECURITY_ACCEPTED, "Begin TLS.").into(),
            then: Then::StartTls,
        }
    }

    fn protect(&mut self, level: Protection) -> Response {
        if !self.has_agreed() {
            return reply(
                Code::BAD_SEQUENCE,
                "PROT not allowed on insecure control connection.",
            );
        }
        if !self.security.sized {
            return reply(Code::BAD_SEQUENCE, "PROT comes after PBSZ.");
        }
        match level {
            Protection::Clear if self.required().data => reply(Code::POLICY, text::DATA_IN_CLEAR),
            Protection::Clear => {
                self.security.private = false;
                reply(Code::OKAY, "Data connections are in clear.")
            }
            Protection::Private => {
                self.security.private = true;
                reply(Code::OKAY, "Data connections are private.")
            }
            Protection::Safe | Protection::Confidential => {
                reply(Code::PROTECTION_UNSUPPORTED, "TLS knows only C and P.")
            }
        }
    }

    fn clear_control(&mut self) -> Response {
        if !self.is_protected() {
            return reply(
                Code::PROTECTION_DENIED,
                "The connection is in clear already.",
            );
        }
        if self.user().is_none() {
            return reply(Code::NOT_LOGGED_IN, text::NOT_LOGGED_IN);
        }
        if self.required().control {
            return reply(Code::POLICY, text::CONTROL_IN_CLEAR);
        }
        self.security.control = Control::Cleared;
        Response {
            replies: Reply::with(Code::OKAY, "The control connection goes on in clear.").into(),
            then: Then::EndTls,
        }
    }

    fn client_side(&mut self, state: Option<Switch>) -> Response {
        if !self.has_agreed() {
            return reply(Code::BAD_SEQUENCE, "SSCN comes after AUTH.");
        }
        if let Some(state) = state {
            self.security.client = state == Switch::On;
        }
        if self.security.client {
            reply(Code::OKAY, "SSCN:CLIENT METHOD")
        } else {
            reply(Code::OKAY, "SSCN:SERVER METHOD")
        }
    }

    /// Whether AUTH has taken place, be TLS on the control connection over or not.
    pub(super) const fn has_agreed(&self) -> bool {
        matches!(
            self.security.control,
            Control::Tls { .. } | Control::Cleared
        )
    }

    /// What must be protected, for everybody and for this user.
    pub(super) fn required(&self) -> Required {
        let all = self.settings.tls.map(|tls| tls.required);
        let all = all.unwrap_or_default();
        match &self.login {
            Login::In { grant, .. } => all.or(grant.protection),
            Login::Nobody | Login::Named(_) | Login::AwaitAccount { .. } => all,
        }
    }

    /// How the next data connection is protected; `dials_as_client` after CPSV.
    pub(super) fn data_protection(&self, is_client: bool) -> DataProtection {
        if !self.security.private {
            DataProtection::Clear
        } else if is_client || self.security.client {
            DataProtection::Client
        } else {
            DataProtection::Server
        }
    }
}
