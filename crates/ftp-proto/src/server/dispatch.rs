//! From a command to what is done about it: one arm per verb that does something.

use std::net::{IpAddr, SocketAddr};

use super::{
    Asked, Data, DataPath, FileError, ListForm, Login, Path, Placement, Response, Session, Task,
    Then, Transfer, TransferKind, Wish, Work, reply, text,
};
use crate::argument::Argument;
use crate::command::{Allocation, Command, CommandError, ExtendedPassive, OptionSetting, Verb};
use crate::feature::{self, Feature};
use crate::listing::mlsx::{Access, Fact};
use crate::reply::{Code, Reply};
use crate::transfer::{Format, Mode, Structure, Type};

/// Lowest port a PORT or EPRT may name: the ones below belong to services (RFC 2577 §3).
const MIN_ACTIVE_PORT: u16 = 1024;

/// Lines that are answered while bytes are moving; every other one has to wait.
pub(super) fn during_transfer(
    wish: &mut Wish,
    command: &Result<Command, CommandError>,
) -> Response {
    match command {
        Ok(Command::Abor) => {
            *wish = Wish::Abort;
            Then::AbortTransfer.into()
        }
        Ok(Command::Quit) => {
            *wish = Wish::ThenQuit;
            Then::Read.into()
        }
        Ok(Command::Stat(None)) => reply(Code::SYSTEM_STATUS, "Transfer in progress."),
        // Clients keep the connection alive with it in long transfers.
        Ok(Command::Noop) => reply(Code::OKAY, text::OKAY),
        Ok(_) | Err(_) => Then::Hold.into(),
    }
}

impl Session {
    pub(super) fn dispatch(&mut self, command: Command) -> Response {
        let rename_from = self.rename_from.take();
        let access = match (&self.login, needs_login(command.verb())) {
            (Login::In { access, .. }, _) => *access,
            (Login::Nobody | Login::Named(_), true) => {
                return reply(Code::NOT_LOGGED_IN, text::NOT_LOGGED_IN);
            }
            (Login::Nobody | Login::Named(_), false) => Access::Read,
        };
        if access == Access::Read && is_change(command.verb()) {
            return reply(Code::FILE_UNAVAILABLE, text::DENIED);
        }
        let result = match command {
            Command::Rnto(path) => self.rename(rename_from, &path),
            command => self.files(command, access),
        };
        result.unwrap_or_else(|error| {
            let (code, text) = text::file_error(error);
            reply(code, text)
        })
    }

    /// Commands about files; the others are handed on.
    fn files(&mut self, command: Command, access: Access) -> Result<Response, FileError> {
        let directory = self.directory.clone();
        let resolve = |path: &Argument| directory.join(path.as_bytes());
        Ok(match command {
            Command::Cwd(path) | Command::Xcwd(path) => {
                self.change_directory(resolve(&path)?, Code::FILE_ACTION_OKAY)
            }
            Command::Cdup | Command::Xcup => self.change_directory(directory.parent(), Code::OKAY),
            Command::Pwd | Command::Xpwd => reply(Code::PATHNAME, directory.quoted()),
            Command::Mkd(path) | Command::Xmkd(path) => {
                let path = resolve(&path)?;
                self.ask(
                    Asked::MakeDirectory { path: path.clone() },
                    Task::MakeDirectory(path),
                )
            }
            Command::Rmd(path) | Command::Xrmd(path) => {
                self.ask(Asked::FileAction, Task::RemoveDirectory(resolve(&path)?))
            }
            Command::Dele(path) => self.ask(Asked::FileAction, Task::Delete(resolve(&path)?)),
            Command::Rnfr(path) => {
                let path = resolve(&path)?;
                self.ask(
                    Asked::RenameFrom { path: path.clone() },
                    Task::CheckExists(path),
                )
            }
            // RFC 3659 §4: the size as a transfer would send it, which for TYPE A only a
            // conversion of the whole file could tell.
            Command::Size(_) if self.is_ascii() => {
                reply(Code::FILE_UNAVAILABLE, "SIZE is for TYPE I only.")
            }
            Command::Size(path) => self.ask(Asked::Size, Task::Look(resolve(&path)?)),
            Command::Mdtm(path) => self.ask(Asked::Modified, Task::Look(resolve(&path)?)),
            Command::Mfmt(setting) => {
                let path = resolve(&setting.path)?;
                let time = setting.time;
                let answer = format!("Modify={time}; ").into_bytes();
                let answer = [&answer, setting.path.as_bytes()].concat();
                self.ask(
                    Asked::SetModified { answer },
                    Task::SetModified { path, time },
                )
            }
            Command::Mlst(path) => {
                let path = path.map_or(Ok(directory.clone()), |path| resolve(&path))?;
                self.ask(Asked::Facts { path: path.clone() }, Task::Look(path))
            }
            Command::Stat(Some(path)) => {
                let path = without_options(path.as_bytes());
                self.ask(Asked::Status, Task::ListHere(directory.join(path)?))
            }
            other => return self.transfers(other, access),
        })
    }

    /// Commands that move bytes; the others are handed on.
    fn transfers(&mut self, command: Command, access: Access) -> Result<Response, FileError> {
        let directory = self.directory.clone();
        let resolve = |path: &Argument| directory.join(path.as_bytes());
        Ok(match command {
            // An offset into converted text has no place in the file.
            Command::Retr(_) | Command::Stor(_) if self.restart > 0 && self.is_ascii() => {
                self.restart = 0;
                reply(Code::BAD_RESTART, "REST is for TYPE I only.")
            }
            Command::Retr(path) => self.transfer(TransferKind::Retrieve {
                path: resolve(&path)?,
                offset: self.restart,
            }),
            Command::Stor(path) => {
                let placement = match self.restart {
                    0 => Placement::Replace,
                    offset => Placement::At(offset),
                };
                let path = resolve(&path)?;
                self.transfer(TransferKind::Store { path, placement })
            }
            Command::Appe(path) => self.transfer(TransferKind::Store {
                path: resolve(&path)?,
                placement: Placement::Append,
            }),
            Command::Stou(path) => {
                let path = path.map_or(Ok(Path::root()), |path| resolve(&path))?;
                let stem = path.name().unwrap_or(b"ftp").to_vec();
                self.transfer(TransferKind::StoreUnique { directory, stem })
            }
            Command::List(path) => self.list(path.as_ref(), ListForm::Unix)?,
            Command::Nlst(path) => self.list(path.as_ref(), ListForm::Names)?,
            Command::Mlsd(path) => {
                let facts = self.facts.clone();
                let path = path.map_or(Ok(directory.clone()), |path| resolve(&path))?;
                let form = ListForm::Facts { facts, access };
                self.transfer(TransferKind::List { path, form })
            }
            other => self.session(other),
        })
    }

    /// Commands about the session itself.
    fn session(&mut self, command: Command) -> Response {
        match command {
            Command::User(user) => {
                // RFC 959 §4.1.1: a new USER flushes the login that was.
                self.login = Login::Named(user);
                reply(Code::NEED_PASSWORD, text::NEED_PASSWORD)
            }
            Command::Pass(password) => self.password(password),
            Command::Acct(_) => reply(Code::SUPERFLUOUS, text::SUPERFLUOUS),
            Command::Rein => {
                self.reset();
                Response {
                    replies: vec![Reply::new(Code::READY, &self.settings.greeting)],
                    then: Then::CloseData,
                }
            }
            Command::Quit => Response {
                replies: vec![Reply::new(Code::CLOSING, text::CLOSING)],
                then: Then::Close,
            },
            Command::Noop | Command::Clnt(_) => reply(Code::OKAY, text::OKAY),
            Command::Allo(Allocation { .. }) => reply(Code::SUPERFLUOUS, text::SUPERFLUOUS),
            Command::Syst => reply(Code::SYSTEM_TYPE, &self.settings.system),
            Command::Stat(_) => self.status(),
            Command::Help(_) => {
                let first = "The following commands are recognized.";
                let lines = std::iter::once(first).chain(text::HELP);
                Reply::multi(Code::HELP, lines, "Help OK.").into()
            }
            Command::Feat => self.features(),
            Command::Opts(setting) => self.options(&setting),
            Command::Abor => Response {
                replies: vec![Reply::new(Code::TRANSFER_COMPLETE, text::NOTHING_TO_ABORT)],
                then: Then::CloseData,
            },
            other => self.parameters(&other),
        }
    }

    /// Commands about how bytes travel.
    fn parameters(&mut self, command: &Command) -> Response {
        match command {
            Command::Type(
                representation @ (Type::Ascii(Format::NonPrint) | Type::Image | Type::Local(8)),
            ) => {
                self.representation = *representation;
                reply(Code::OKAY, text::OKAY)
            }
            Command::Stru(Structure::File) | Command::Mode(Mode::Stream) => {
                reply(Code::OKAY, text::OKAY)
            }
            Command::Type(_) | Command::Stru(_) | Command::Mode(_) => {
                reply(Code::BAD_PARAMETER, text::BAD_PARAMETER)
            }
            Command::Rest(offset) => {
                self.restart = *offset;
                reply(Code::PENDING, text::PENDING)
            }
            Command::Port(address) => self.active((*address).into()),
            Command::Eprt(address) => self.active(address.get()),
            Command::Lprt(address) => self.active(address.get()),
            Command::Pasv => match self.endpoints.local.ip() {
                _ if self.extended_only => reply(Code::BAD_SEQUENCE, text::EXTENDED_ONLY),
                IpAddr::V4(_) => self.ask(Asked::Passive { extended: false }, Task::Listen),
                IpAddr::V6(_) => reply(Code::NO_DATA_CONNECTION, "Use EPSV with IPv6."),
            },
            Command::Epsv(ExtendedPassive::All) => {
                self.extended_only = true;
                reply(Code::OKAY, text::OKAY)
            }
            Command::Epsv(kind) => {
                let is_v4 = self.endpoints.local.is_ipv4();
                match (kind, is_v4) {
                    (ExtendedPassive::V4, false) => reply(
                        Code::UNKNOWN_PROTOCOL,
                        "Network protocol mismatch, use (2).",
                    ),
                    (ExtendedPassive::V6, true) => reply(
                        Code::UNKNOWN_PROTOCOL,
                        "Network protocol mismatch, use (1).",
                    ),
                    _ => self.ask(Asked::Passive { extended: true }, Task::Listen),
                }
            }
            _ => reply(Code::NOT_IMPLEMENTED, text::NOT_IMPLEMENTED),
        }
    }

    fn password(&mut self, password: Option<Argument>) -> Response {
        match &self.login {
            Login::Named(user) => {
                let user = user.clone();
                let password = password.map(Argument::into_bytes).unwrap_or_default();
                self.ask(
                    Asked::Login { user: user.clone() },
                    Task::Login { user, password },
                )
            }
            Login::In { .. } => reply(Code::LOGGED_IN, text::LOGGED_IN),
            Login::Nobody => reply(Code::BAD_SEQUENCE, text::BAD_SEQUENCE),
        }
    }

    fn change_directory(&mut self, to: Path, code: Code) -> Response {
        let task = Task::CheckDirectory(to.clone());
        self.ask(Asked::ChangeDirectory { to, code }, task)
    }

    fn rename(&mut self, from: Option<Path>, to: &Argument) -> Result<Response, FileError> {
        let Some(from) = from else {
            return Ok(reply(Code::BAD_SEQUENCE, text::BAD_SEQUENCE));
        };
        let to = self.directory.join(to.as_bytes())?;
        Ok(self.ask(Asked::FileAction, Task::Rename { from, to }))
    }

    fn active(&mut self, address: SocketAddr) -> Response {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        if self.extended_only {
            return reply(Code::BAD_SEQUENCE, text::EXTENDED_ONLY);
        }
        // Anything else would be the FTP bounce attack (RFC 2577 §3).
        if address.ip() != self.endpoints.peer.ip() || address.port() < MIN_ACTIVE_PORT {
            return reply(Code::BAD_PARAMETER, text::FOREIGN_ADDRESS);
        }
        self.data = Data::Active(address);
        Response {
            replies: vec![Reply::new(Code::OKAY, text::OKAY)],
            then: Then::CloseData,
        }
    }

    fn list(&mut self, path: Option<&Argument>, form: ListForm) -> Result<Response, FileError> {
        let path = path.map_or(&b""[..], |path| without_options(path.as_bytes()));
        let path = self.directory.join(path)?;
        Ok(self.transfer(TransferKind::List { path, form }))
    }

    fn transfer(&mut self, kind: TransferKind) -> Response {
        self.restart = 0;
        let data = match std::mem::replace(&mut self.data, Data::None) {
            Data::None => return reply(Code::NO_DATA_CONNECTION, text::NO_DATA_SETUP),
            Data::Passive => DataPath::Passive,
            Data::Active(address) => DataPath::Active(address),
        };
        let (what, is_file) = match &kind {
            TransferKind::Retrieve { path, .. } | TransferKind::Store { path, .. } => {
                (path.name().unwrap_or(b"/").to_vec(), true)
            }
            TransferKind::StoreUnique { stem, .. } => (stem.clone(), true),
            TransferKind::List { .. } => (b"directory listing".to_vec(), false),
        };
        let is_mlsd = matches!(
            kind,
            TransferKind::List {
                form: ListForm::Facts { .. },
                ..
            }
        );
        let ascii = is_file && self.is_ascii();
        // Listings are text whatever the type (RFC 1123 §4.1.2.7).
        let shown_as_ascii = ascii || !is_file;
        self.ask(
            Asked::Transfer {
                what,
                ascii: shown_as_ascii,
                is_mlsd,
            },
            Task::Transfer(Transfer { kind, data, ascii }),
        )
    }

    fn status(&self) -> Response {
        let peer = self.endpoints.peer.ip();
        let user = self
            .user()
            .map_or_else(|| "nobody".to_owned(), ToString::to_string);
        let lines = [
            "Status of this session:".to_owned(),
            format!(" Connected from {peer}"),
            format!(" Logged in as {user}"),
            format!(" Working directory {}", self.directory),
            format!(
                " TYPE {}, STRU F, MODE S",
                if self.is_ascii() { "A" } else { "I" }
            ),
        ];
        Reply::multi(Code::SYSTEM_STATUS, lines, "End of status").into()
    }

    fn features(&self) -> Response {
        let facts = Fact::ALL.map(|fact| {
            let star = if self.facts.contains(&fact) { "*" } else { "" };
            format!("{}{star};", fact.name())
        });
        let mut lines: Vec<_> = text::FEATURES.map(str::to_owned).into();
        lines.push(format!("MLST {}", facts.concat()));
        lines.sort_unstable();
        let features: Vec<_> = lines
            .iter()
            .filter_map(|line| Feature::parse(line.as_bytes()))
            .collect();
        feature::reply(&features).into()
    }

    fn options(&mut self, setting: &OptionSetting) -> Response {
        let name = setting.name().as_bytes();
        if name.eq_ignore_ascii_case(b"UTF8") || name.eq_ignore_ascii_case(b"UTF-8") {
            return reply(Code::OKAY, "Always in UTF8 mode.");
        }
        if !name.eq_ignore_ascii_case(b"MLST") {
            return reply(
                Code::BAD_ARGUMENT,
                text::command_error(CommandError::BadArgument(Verb::Opts)),
            );
        }
        let wanted = setting.parameters().map_or(&b""[..], Argument::as_bytes);
        let wanted: Vec<_> = wanted
            .split(|&byte| byte == b';')
            .filter_map(Fact::parse)
            .collect();
        self.facts = Fact::ALL
            .into_iter()
            .filter(|fact| wanted.contains(fact))
            .collect();
        let names: Vec<_> = self
            .facts
            .iter()
            .map(|fact| format!("{};", fact.name()))
            .collect();
        reply(Code::OKAY, format!("MLST OPTS {}", names.concat()))
    }

    const fn is_ascii(&self) -> bool {
        matches!(self.representation, Type::Ascii(_))
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Self {
        Self {
            replies: vec![reply],
            then: Then::Read,
        }
    }
}

/// Whether a verb is refused with 530 before login; those that are not are harmless or part of it.
const fn needs_login(verb: Verb) -> bool {
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
            | Verb::Feat
            | Verb::Opts
            | Verb::Clnt
            | Verb::Host
            | Verb::Auth
            | Verb::Adat
            | Verb::Pbsz
            | Verb::Prot
    )
}

/// Whether a verb changes files.
const fn is_change(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Stor
            | Verb::Stou
            | Verb::Appe
            | Verb::Dele
            | Verb::Rmd
            | Verb::Xrmd
            | Verb::Mkd
            | Verb::Xmkd
            | Verb::Rnfr
            | Verb::Rnto
            | Verb::Mfmt
    )
}

/// Leaves out `-la` and the like, which clients send to LIST as to `ls`.
fn without_options(mut text: &[u8]) -> &[u8] {
    while text.starts_with(b"-") {
        let blank = text.iter().position(|&byte| byte == b' ');
        text = blank
            .and_then(|blank| text.get(blank..))
            .unwrap_or_default()
            .trim_ascii_start();
    }
    text
}

/// A session that is not [`Work::Idle`] never gets here.
impl Work {
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Idle)
    }
}
