//! Who it is: HOST, USER, PASS, ACCT, REIN, QUIT.

use super::{
    Asked, Control, Data, Grant, Login, Outcome, Path, Response, Security, Session, Task, Then,
    reply, text,
};
use crate::argument::Argument;
use crate::command::{Command, Verb};
use crate::hash::Algorithm;
use crate::reply::{Code, Reply};
use crate::transfer::{Mode, Structure, Type};

impl Session {
    /// Commands about who it is; the others are handed on.
    pub(super) fn logins(&mut self, command: Command) -> Response {
        match command {
            Command::User(user) => self.user_named(user),
            Command::Pass(password) => self.password(password),
            Command::Acct(account) => self.account(account),
            Command::Host(host) => self.host_named(host),
            Command::Rein => self.reinitialize(),
            Command::Quit => Response::last(Code::CLOSING, text::CLOSING),
            other => self.securing(other),
        }
    }

    /// RFC 959 §4.1.1: a new USER flushes the login that was; parameters of transfers stay.
    pub(super) fn user_named(&mut self, user: Argument) -> Response {
        self.login = Login::Nobody;
        if self.required().control && !self.is_protected() {
            return reply(Code::NOT_LOGGED_IN, text::CONTROL_IN_CLEAR);
        }
        if self.certified() == Some(true) {
            let task = Task::LoginByCertificate { user: user.clone() };
            return self.ask(Verb::User, Asked::Certificate { user }, task);
        }
        self.login = Login::Named(user);
        reply(Code::NEED_PASSWORD, text::NEED_PASSWORD)
    }

    fn password(&mut self, password: Option<Argument>) -> Response {
        match std::mem::replace(&mut self.login, Login::Nobody) {
            Login::Named(user) => {
                let password = password.map(Argument::into_bytes).unwrap_or_default();
                self.try_login(user, password, None)
            }
            login @ Login::In { .. } => {
                self.login = login;
                reply(Code::BAD_SEQUENCE, text::LOGGED_IN_ALREADY)
            }
            Login::Nobody | Login::AwaitAccount { .. } => {
                reply(Code::BAD_SEQUENCE, text::USER_FIRST)
            }
        }
    }

    fn account(&mut self, account: Argument) -> Response {
        match std::mem::replace(&mut self.login, Login::Nobody) {
            Login::AwaitAccount { user, password } => self.try_login(user, password, Some(account)),
            login @ Login::In { .. } => {
                self.login = login;
                reply(Code::SUPERFLUOUS, text::SUPERFLUOUS)
            }
            login @ (Login::Nobody | Login::Named(_)) => {
                self.login = login;
                reply(Code::BAD_SEQUENCE, text::BAD_SEQUENCE)
            }
        }
    }

    fn try_login(
        &mut self,
        user: Argument,
        password: Vec<u8>,
        account: Option<Argument>,
    ) -> Response {
        let verb = if account.is_some() {
            Verb::Acct
        } else {
            Verb::Pass
        };
        let asked = Asked::Login {
            user: user.clone(),
            password: password.clone(),
        };
        let task = Task::Login {
            user,
            password,
            account,
        };
        self.ask(verb, asked, task)
    }

    /// RFC 7151 §3: before the login, and a name we know.
    fn host_named(&mut self, host: Argument) -> Response {
        if !matches!(self.login, Login::Nobody) {
            return reply(Code::BAD_SEQUENCE, "HOST comes before USER.");
        }
        let Some(name) = HostName::parse(host.as_bytes()) else {
            return reply(Code::BAD_ARGUMENT, "Not a host name.");
        };
        let known = match name {
            HostName::Address(address) => address == self.endpoints.local.ip(),
            HostName::Name(name) => {
                let hosts = &self.settings.hosts;
                hosts.is_empty() || hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
            }
        };
        if !known {
            return reply(Code::BAD_PARAMETER, "No such host here.");
        }
        self.host = Some(host);
        reply(Code::READY, "Host accepted.")
    }

    /// RFC 959 §4.1.1, and RFC 4217 §11: TLS ends with it, the reply still within.
    fn reinitialize(&mut self) -> Response {
        let ends_tls = self.is_protected() && !self.settings.tls.is_some_and(|tls| tls.implicit);
        self.reset();
        Response {
            replies: Reply::with(Code::READY, self.settings.greeting.clone()).into(),
            then: if ends_tls {
                Then::EndTls
            } else {
                Then::CloseData
            },
        }
    }

    /// Back to the state after the greeting. RFC 959 §4.1.1, REIN.
    pub(super) fn reset(&mut self) {
        let implicit = self.settings.tls.is_some_and(|tls| tls.implicit);
        self.security = if implicit {
            Security {
                control: self.security.control,
                ..Security::at_first(&self.settings)
            }
        } else {
            Security::NONE
        };
        self.forget_login();
        self.host = None;
        self.extended_only = false;
        self.facts = text::DEFAULT_FACTS.to_vec();
        self.algorithm = Algorithm::Sha256;
        self.level = super::DEFAULT_LEVEL;
    }

    /// Back to the defaults of whoever logs in, as REIN and AUTH ask for.
    pub(super) fn forget_login(&mut self) {
        self.login = Login::Nobody;
        self.directory = Path::root();
        self.representation = Type::default();
        self.structure = Structure::File;
        self.mode = Mode::Stream;
        self.data = Data::None;
        self.restart = 0;
        self.range = None;
        self.allocation = None;
    }

    /// The end of a login that was tried.
    pub(super) fn login_ended(&mut self, asked: Asked, outcome: Outcome) -> Response {
        match (asked, outcome) {
            (Asked::Certificate { user }, Outcome::LoggedIn(grant)) => {
                self.logged_in(user, grant, Code::LOGGED_IN_SECURED)
            }
            (Asked::Certificate { user }, _) => {
                self.login = Login::Named(user);
                reply(Code::NEED_PASSWORD, text::NEED_PASSWORD)
            }
            (Asked::Login { user, .. }, Outcome::LoggedIn(grant)) => {
                self.logged_in(user, grant, Code::LOGGED_IN)
            }
            (Asked::Login { user, password }, Outcome::NeedAccount) => {
                self.login = Login::AwaitAccount { user, password };
                reply(Code::NEED_ACCOUNT, "Need account for login.")
            }
            (_, Outcome::LoginRefused(refusal)) => Response {
                replies: Reply::with(refusal.code, refusal.text).into(),
                then: if refusal.close {
                    Then::Close
                } else {
                    Then::Read
                },
            },
            (_, _) => self.login_failed(),
        }
    }

    fn logged_in(&mut self, user: Argument, grant: Grant, code: Code) -> Response {
        if grant.protection.control && !self.is_protected() {
            return reply(Code::NOT_LOGGED_IN, text::CONTROL_IN_CLEAR);
        }
        self.failures = 0;
        self.directory = grant.directory.clone().unwrap_or_else(Path::root);
        let answer = if grant.welcome.is_empty() {
            Reply::with(code, text::LOGGED_IN)
        } else {
            Reply::multi(code, &grant.welcome, text::LOGGED_IN)
        };
        self.login = Login::In {
            user,
            grant: Box::new(grant),
        };
        answer.into()
    }

    fn login_failed(&mut self) -> Response {
        self.failures += 1;
        if self.failures >= self.settings.max_login_failures {
            Response::last(Code::NOT_LOGGED_IN, text::LOGIN_INCORRECT)
        } else {
            reply(Code::NOT_LOGGED_IN, text::LOGIN_INCORRECT)
        }
    }

    /// Whether the control connection is protected now.
    pub(super) const fn is_protected(&self) -> bool {
        matches!(self.security.control, Control::Tls { .. })
    }

    /// Whether a certificate of the client was found good; `None` without TLS.
    pub(super) const fn certified(&self) -> Option<bool> {
        match self.security.control {
            Control::Tls { certified } => Some(certified),
            Control::Clear | Control::Securing | Control::Cleared => None,
        }
    }
}

/// The argument of HOST. RFC 7151 §3.1.
enum HostName<'a> {
    Name(&'a str),
    Address(std::net::IpAddr),
}

impl<'a> HostName<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        if let Some(inner) = text.strip_prefix('[') {
            let address: std::net::Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let fits = text.len() <= MAX_HOST_BYTES
            && text.trim_end_matches('.').split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= MAX_LABEL_BYTES
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            });
        fits.then(|| Self::Name(text.trim_end_matches('.')))
    }
}

/// Longest host name and longest part of one between dots. RFC 1123 §2.1, RFC 1034 §3.1.
const MAX_HOST_BYTES: usize = 255;
const MAX_LABEL_BYTES: usize = 63;
