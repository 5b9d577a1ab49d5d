//! From what the driver reports to the replies it makes.

use std::net::SocketAddr;
use std::time::Instant;

use super::{
    Asked, Begun, Data, FileError, Login, Outcome, Path, Response, Session, Then, TransferEnd,
    Wish, Work, reply, text,
};
use crate::address;
use crate::argument::Argument;
use crate::listing::mlsx::{self, Access};
use crate::listing::{Entry, Kind};
use crate::reply::{Code, Reply};

impl Session {
    /// Takes the end of the task that was asked for.
    ///
    /// An outcome nobody asked for, or one of another task, is answered as a local error: that is a
    /// mistake of the driver, and no reason to lose the session.
    pub fn complete(&mut self, outcome: Outcome, now: Instant) -> Response {
        self.last_line = now;
        let asked = match self.work.take() {
            Work::Asked(asked) => asked,
            work @ (Work::Idle | Work::Transferring(_)) => {
                self.work = work;
                return Then::Read.into();
            }
        };
        match (asked, outcome) {
            (Asked::Login { user }, Outcome::LoggedIn(access)) => self.logged_in(user, access),
            (Asked::Login { .. }, _) => self.login_failed(),
            // RFC 3659 §7.2.1.
            (Asked::Transfer { is_mlsd: true, .. }, Outcome::Failed(FileError::NotADirectory)) => {
                reply(Code::BAD_ARGUMENT, "Not a directory.")
            }
            (_, Outcome::Failed(error)) => failed(error),
            (Asked::Passive { extended }, Outcome::Listening(address)) => {
                self.listening(extended, address)
            }
            (Asked::ChangeDirectory { to, code }, Outcome::Done) => {
                self.directory = to;
                let text = if code == Code::OKAY {
                    text::OKAY
                } else {
                    text::FILE_ACTION_OKAY
                };
                reply(code, text)
            }
            (Asked::MakeDirectory { path }, Outcome::Done) => {
                reply(Code::PATHNAME, [&path.quoted()[..], b" created."].concat())
            }
            (Asked::FileAction, Outcome::Done) => {
                reply(Code::FILE_ACTION_OKAY, text::FILE_ACTION_OKAY)
            }
            (Asked::RenameFrom { path }, Outcome::Done) => {
                self.rename_from = Some(path);
                reply(Code::PENDING, text::PENDING)
            }
            (Asked::Size, Outcome::Entry(entry)) => size(&entry),
            (Asked::Modified, Outcome::Entry(entry)) => modified(&entry),
            (Asked::SetModified { answer }, Outcome::Done) => reply(Code::FILE_STATUS, answer),
            (Asked::Facts { path }, Outcome::Entry(entry)) => self.facts_of(&path, entry),
            (Asked::Status, Outcome::Lines(lines)) => {
                let first = std::iter::once(b"Status follows:".to_vec());
                let last = "End of status";
                Reply::multi(Code::FILE_STATUS, first.chain(lines), last).into()
            }
            (_, _) => failed(FileError::Other),
        }
    }

    /// What is to be moved stands open: the preliminary reply, after which the bytes may flow.
    pub fn transfer_begins(&mut self, begun: &Begun) -> Response {
        let (what, ascii) = match self.work.take() {
            Work::Asked(Asked::Transfer { what, ascii, .. }) => (what, ascii),
            work @ (Work::Idle | Work::Asked(_) | Work::Transferring(_)) => {
                self.work = work;
                return Then::Read.into();
            }
        };
        self.work = Work::Transferring(Wish::Complete);
        // RFC 1123 §4.1.2.9 fixes this form for STOU.
        if let Some(name) = &begun.unique_name {
            return reply(Code::OPENING_DATA, [b"FILE: ", &name[..]].concat());
        }
        let mode = if ascii { "ASCII" } else { "BINARY" };
        let mut text = format!("Opening {mode} mode data connection for ").into_bytes();
        text.extend(what);
        if let Some(size) = begun.size {
            text.extend(format!(" ({size} bytes)").into_bytes());
        }
        text.push(b'.');
        reply(Code::OPENING_DATA, text)
    }

    /// The transfer is over, one way or another: its one final reply, and what was held back by it.
    pub fn transfer_ended(&mut self, end: TransferEnd, now: Instant) -> Response {
        self.last_line = now;
        let wish = match self.work.take() {
            Work::Transferring(wish) => wish,
            work @ (Work::Idle | Work::Asked(_)) => {
                self.work = work;
                return Then::Read.into();
            }
        };
        let mut replies = vec![ended(end)];
        let then = match wish {
            Wish::Complete => Then::Read,
            Wish::Abort => {
                replies.push(Reply::new(Code::TRANSFER_COMPLETE, text::ABORT_DONE));
                Then::Read
            }
            Wish::ThenQuit => {
                replies.push(Reply::new(Code::CLOSING, text::CLOSING));
                Then::Close
            }
        };
        Response { replies, then }
    }

    fn logged_in(&mut self, user: Argument, access: Access) -> Response {
        self.login = Login::In { user, access };
        self.failures = 0;
        reply(Code::LOGGED_IN, text::LOGGED_IN)
    }

    fn login_failed(&mut self) -> Response {
        self.login = Login::Nobody;
        self.failures += 1;
        Response {
            replies: vec![Reply::new(Code::NOT_LOGGED_IN, text::LOGIN_INCORRECT)],
            then: if self.failures >= self.settings.max_login_failures {
                Then::Close
            } else {
                Then::Read
            },
        }
    }

    fn listening(&mut self, extended: bool, address: SocketAddr) -> Response {
        self.data = Data::Passive;
        match address {
            _ if extended => address::extended_passive_reply(address.port()).into(),
            SocketAddr::V4(address) => address::passive_reply(address).into(),
            SocketAddr::V6(_) => {
                self.data = Data::None;
                reply(Code::NO_DATA_CONNECTION, text::NO_DATA)
            }
        }
    }

    fn facts_of(&self, path: &Path, mut entry: Entry) -> Response {
        let access = match &self.login {
            Login::In { access, .. } => *access,
            Login::Nobody | Login::Named(_) => Access::Read,
        };
        entry.name = path.as_bytes().to_vec();
        let mut line = b" ".to_vec();
        mlsx::write(&entry, &self.facts, access, &mut line);
        let first = [b"Listing ", path.as_bytes()].concat();
        Reply::multi(Code::FILE_ACTION_OKAY, [first, line], "End").into()
    }
}

fn failed(error: FileError) -> Response {
    let (code, text) = text::file_error(error);
    reply(code, text)
}

fn size(entry: &Entry) -> Response {
    match (&entry.kind, entry.size) {
        (Kind::File, Some(size)) => reply(Code::FILE_STATUS, size.to_string()),
        (_, _) => reply(Code::FILE_UNAVAILABLE, "Not a plain file."),
    }
}

fn modified(entry: &Entry) -> Response {
    match entry.modified {
        Some(time) => reply(Code::FILE_STATUS, time.to_string()),
        None => reply(Code::FILE_UNAVAILABLE, "The time is not known."),
    }
}

fn ended(end: TransferEnd) -> Reply {
    match end {
        TransferEnd::Complete => Reply::new(Code::TRANSFER_COMPLETE, text::COMPLETE),
        TransferEnd::NoConnection => Reply::new(Code::NO_DATA_CONNECTION, text::NO_DATA),
        TransferEnd::Cut | TransferEnd::Aborted => {
            Reply::new(Code::TRANSFER_ABORTED, text::ABORTED)
        }
        TransferEnd::Failed(error @ (FileError::NoSpace | FileError::OverQuota)) => {
            let (code, text) = text::file_error(error);
            Reply::new(code, text)
        }
        TransferEnd::Failed(_) => {
            let (code, text) = text::file_error(FileError::Other);
            Reply::new(code, text)
        }
    }
}
