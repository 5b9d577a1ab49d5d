//! From what the driver reports to the replies it makes.

use std::net::SocketAddr;
use std::time::Instant;

use super::{
    Asked, Begun, Change, Data, FileError, OtherHash, Outcome, PassiveForm, Path, Response,
    Session, Task, Then, TransferEnd, Wish, Work, reply, text,
};
use crate::address;
use crate::argument::Argument;
use crate::command::Verb;
use crate::hash::Algorithm;
use crate::listing::mlsx;
use crate::listing::{Entry, Kind};
use crate::reply::{Code, Reply};

impl Session {
    /// Takes the end of the task that was asked for.
    ///
    /// An outcome nobody asked for, or one of another task, is answered as a local error: that is a
    /// mistake of the driver, and no reason to lose the session.
    pub fn complete(&mut self, outcome: Outcome, now: Instant) -> Response {
        self.last_line = now;
        let (verb, asked) = match self.work.take() {
            Work::Asked { verb, asked } => (verb, asked),
            work @ (Work::Idle | Work::Transferring { .. }) => {
                self.work = work;
                return Then::Read.into();
            }
        };
        match (asked, outcome) {
            (asked @ (Asked::Login { .. } | Asked::Certificate { .. }), outcome) => {
                self.login_ended(asked, outcome)
            }
            (
                Asked::Modified {
                    setting: Some((time, path)),
                },
                Outcome::Failed(FileError::NotFound),
            ) => self.set_by_mdtm(path, time),
            (
                Asked::Hash {
                    algorithm,
                    otherwise: Some(other),
                    ..
                },
                Outcome::Failed(FileError::NotFound),
            ) => self.hash_otherwise(verb, algorithm, other),
            // RFC 3659 §7.2.1.
            (_, Outcome::Failed(FileError::NotADirectory)) if verb == Verb::Mlsd => {
                reply(Code::BAD_ARGUMENT, "Not a directory.")
            }
            (Asked::Allocate, Outcome::Failed(FileError::NoSpace | FileError::OverQuota)) => {
                self.allocation = None;
                reply(Code::BAD_PARAMETER, "There is not that much space.")
            }
            (Asked::Allocate, Outcome::Failed(_)) => reply(Code::SUPERFLUOUS, text::SUPERFLUOUS),
            (Asked::SiteOther, Outcome::Failed(FileError::Unsupported)) => {
                reply(Code::SYNTAX_ERROR, "SITE command not understood.")
            }
            (_, Outcome::Failed(error)) => failed(verb, error),
            (Asked::Passive { form }, Outcome::Listening(address)) => self.listening(form, address),
            (asked, outcome) => self.done(verb, asked, outcome),
        }
    }

    /// Tasks that went well.
    fn done(&mut self, verb: Verb, asked: Asked, outcome: Outcome) -> Response {
        match (asked, outcome) {
            (Asked::ChangeDirectory { to }, Outcome::Done) => {
                self.directory = to;
                // RFC 959 §5.4 has 200 for CDUP, and 250 for it elsewhere.
                match verb {
                    Verb::Cdup | Verb::Xcup => reply(Code::OKAY, text::OKAY),
                    _ => {
                        let quoted = self.directory.quoted();
                        let text = [&quoted[..], b" is the current directory."].concat();
                        reply(Code::FILE_ACTION_OKAY, text)
                    }
                }
            }
            (Asked::MakeDirectory { path }, Outcome::Done) => {
                reply(Code::PATHNAME, [&path.quoted()[..], b" created."].concat())
            }
            (Asked::FileAction, Outcome::Done) => {
                reply(Code::FILE_ACTION_OKAY, text::FILE_ACTION_OKAY)
            }
            (Asked::RenameFrom { path }, Outcome::Done) => {
                self.rename_from = Some(path);
                reply(Code::PENDING, "Ready for destination name.")
            }
            (Asked::CopyFrom { path }, Outcome::Done) => {
                self.copy_from = Some(path);
                reply(Code::PENDING, "Ready for destination name.")
            }
            (Asked::Site, Outcome::Done) => reply(Code::OKAY, "SITE command successful."),
            (Asked::NoData { offset }, Outcome::Entry(entry)) => match entry.kind {
                Kind::Directory => failed(verb, FileError::IsADirectory),
                _ if entry.size.is_some_and(|size| size < offset) => {
                    failed(verb, FileError::BadOffset)
                }
                _ => reply(Code::NO_DATA_CONNECTION, text::NO_DATA_SETUP),
            },
            (Asked::Size, Outcome::Entry(entry)) => size(&entry),
            (Asked::Modified { .. }, Outcome::Entry(entry)) => modified(&entry),
            (Asked::Change { answer }, Outcome::Done) => reply(Code::FILE_STATUS, answer),
            (Asked::Facts { path }, Outcome::Entry(entry)) => self.facts_of(&path, entry),
            (
                Asked::Status { path },
                Outcome::Status {
                    is_directory,
                    lines,
                },
            ) => status(&path, is_directory, lines),
            (Asked::Number, Outcome::Number(number)) => {
                reply(Code::FILE_STATUS, number.to_string())
            }
            (Asked::Allocate, Outcome::Done) => reply(Code::OKAY, "Space is there."),
            (Asked::Umask { mask }, Outcome::Number(old)) => {
                let text = match mask {
                    Some(mask) => format!("UMASK set to {mask:03o} (was {old:03o})."),
                    None => format!("UMASK is {old:03o}."),
                };
                reply(Code::OKAY, text)
            }
            (
                Asked::Hash {
                    algorithm, name, ..
                },
                Outcome::Hash { digest, first, end },
            ) => hashed(verb, algorithm.name(), &digest, (first, end), &name),
            (Asked::SiteLines { title }, Outcome::Lines(lines)) => {
                let first = std::iter::once(title.as_bytes().to_vec());
                let lines = lines.into_iter().map(|line| [b" ", &line[..]].concat());
                Reply::multi(Code::OKAY, first.chain(lines), "End.").into()
            }
            (Asked::SiteOther, Outcome::Answer(answer)) => answer.into(),
            (_, _) => failed(verb, FileError::Other),
        }
    }

    /// What is to be moved stands open: the preliminary reply, after which the bytes may flow.
    pub fn transfer_begins(&mut self, begun: &Begun) -> Response {
        let (verb, what, ascii) = match self.work.take() {
            Work::Asked {
                verb,
                asked: Asked::Transfer { what, ascii },
            } => (verb, what, ascii),
            work @ (Work::Idle | Work::Asked { .. } | Work::Transferring { .. }) => {
                self.work = work;
                return Then::Read.into();
            }
        };
        let wish = Wish::Complete;
        self.work = Work::Transferring { verb, wish };
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
        let (verb, wish) = match self.work.take() {
            Work::Transferring { verb, wish } => (verb, wish),
            work @ (Work::Idle | Work::Asked { .. }) => {
                self.work = work;
                return Then::Read.into();
            }
        };
        let ended = ended(verb, end);
        match wish {
            Wish::Complete => ended.into(),
            Wish::Abort => {
                let ended = match end {
                    TransferEnd::Aborted => {
                        Reply::with(Code::TRANSFER_ABORTED, text::ABORTED_BY_ABOR)
                    }
                    _ => ended,
                };
                let done = Reply::with(Code::TRANSFER_COMPLETE, text::ABORT_DONE);
                Response {
                    replies: vec![ended, done].into(),
                    then: Then::Read,
                }
            }
            Wish::ThenQuit => Response {
                replies: ended.into(),
                then: Then::Close,
            },
        }
    }

    fn listening(&mut self, form: PassiveForm, address: SocketAddr) -> Response {
        let as_client = form == PassiveForm::AsClient;
        self.data = Data::Passive { as_client };
        match (form, address) {
            (PassiveForm::Extended, _) => address::extended_passive_reply(address.port()).into(),
            (PassiveForm::Long, _) => address::long_passive_reply(address).into(),
            (PassiveForm::PortAlone, _) => reply(Code::PASSIVE, address.port().to_string()),
            (PassiveForm::Plain | PassiveForm::AsClient, SocketAddr::V4(address)) => {
                address::passive_reply(address).into()
            }
            (PassiveForm::Plain | PassiveForm::AsClient, SocketAddr::V6(_)) => {
                self.data = Data::None;
                reply(Code::NO_DATA_CONNECTION, text::NO_DATA)
            }
        }
    }

    fn facts_of(&self, path: &Path, mut entry: Entry) -> Response {
        entry.name = path.as_bytes().to_vec();
        let mut line = b" ".to_vec();
        mlsx::write(&entry, &self.facts, self.rights(path), &mut line);
        let first = [b"Listing ", path.as_bytes()].concat();
        Reply::multi(Code::FILE_ACTION_OKAY, [first, line], "End MLST.").into()
    }

    fn hash_otherwise(&mut self, verb: Verb, algorithm: Algorithm, other: OtherHash) -> Response {
        let OtherHash {
            name,
            path,
            first,
            end,
        } = other;
        let asked = Asked::Hash {
            algorithm,
            name,
            otherwise: None,
        };
        let task = Task::Hash {
            path,
            algorithm,
            first,
            end,
        };
        self.ask(verb, asked, task)
    }

    fn set_by_mdtm(&mut self, path: Path, time: crate::time::Timestamp) -> Response {
        if !self.rights(&path).has(crate::permission::Right::Time) {
            return failed(Verb::Mdtm, FileError::Denied);
        }
        let change = Change {
            modified: Some(time),
            ..Change::default()
        };
        let answer = time.to_string().into_bytes();
        let task = Task::Change { path, change };
        self.ask(Verb::Mdtm, Asked::Change { answer }, task)
    }
}

fn failed(verb: Verb, error: FileError) -> Response {
    let (code, text) = text::file_error(verb, error);
    reply(code, text)
}

fn size(entry: &Entry) -> Response {
    match (&entry.kind, entry.size) {
        (Kind::File, Some(size)) => reply(Code::FILE_STATUS, size.to_string()),
        (_, _) => reply(
            Code::FILE_UNAVAILABLE,
            "Not a plain file: is not retrievable.",
        ),
    }
}

fn modified(entry: &Entry) -> Response {
    match (&entry.kind, entry.modified) {
        (Kind::File, Some(time)) => reply(Code::FILE_STATUS, time.to_string()),
        (Kind::File, None) => reply(Code::FILE_UNAVAILABLE, "The time is not known."),
        (_, _) => reply(
            Code::FILE_UNAVAILABLE,
            "Not a plain file: is not retrievable.",
        ),
    }
}

/// RFC 959 §4.1.3, as LIST over the control connection; §4.2.2 has a code for each kind.
fn status(path: &Path, is_directory: bool, lines: Vec<Vec<u8>>) -> Response {
    let code = if is_directory {
        Code::DIRECTORY_STATUS
    } else {
        Code::FILE_STATUS
    };
    let mut first = b"Status of ".to_vec();
    first.extend_from_slice(path.as_bytes());
    first.push(b':');
    let lines = lines.into_iter().map(|line| [b" ", &line[..]].concat());
    let lines = std::iter::once(first).chain(lines);
    Reply::multi(code, lines, "End of status.").into()
}

/// HASH draft §3.2: `213 SHA-1 0-49 HEX name`, both offsets included. The X-verbs and MD5 answer as
/// the servers that brought them.
fn hashed(
    verb: Verb,
    algorithm: &str,
    digest: &[u8],
    (first, end): (u64, u64),
    name: &Argument,
) -> Response {
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (code, text) = match verb {
        Verb::Hash => {
            let last = end.saturating_sub(1).max(first);
            let text = format!("{algorithm} {first}-{last} {hex} ").into_bytes();
            (Code::FILE_STATUS, [&text[..], name.as_bytes()].concat())
        }
        Verb::Md5 | Verb::Mmd5 => {
            let quoted = address::quote(name.as_bytes());
            let text = [&quoted[..], b" ", hex.to_uppercase().as_bytes()].concat();
            let code = if verb == Verb::Md5 {
                Code::MD5
            } else {
                Code::MMD5
            };
            (code, text)
        }
        _ => (Code::FILE_ACTION_OKAY, hex.to_uppercase().into_bytes()),
    };
    reply(code, text)
}

fn ended(verb: Verb, end: TransferEnd) -> Reply {
    let (code, text) = match end {
        TransferEnd::Complete => (Code::TRANSFER_COMPLETE, text::COMPLETE),
        TransferEnd::NoConnection => (Code::NO_DATA_CONNECTION, text::NO_DATA),
        TransferEnd::NotProtected => (Code::NO_DATA_CONNECTION, text::NO_DATA_TLS),
        TransferEnd::Malformed => (Code::LOCAL_ERROR, text::MALFORMED),
        TransferEnd::Cut | TransferEnd::Aborted => (Code::TRANSFER_ABORTED, text::ABORTED),
        TransferEnd::Failed(error @ (FileError::NoSpace | FileError::OverQuota)) => {
            text::file_error(verb, error)
        }
        TransferEnd::Failed(_) => text::file_error(verb, FileError::Other),
    };
    Reply::with(code, text)
}
