//! What a session asks of its driver, and what the driver reports back.

use std::net::SocketAddr;
use std::time::Duration;

use super::Path;
use crate::argument::Argument;
use crate::hash::Algorithm;
use crate::listing::Entry;
use crate::listing::mlsx::Fact;
use crate::permission::{Permissions, Rights};
use crate::reply::{Code, Reply};
use crate::time::Timestamp;
use crate::transfer::Encoding;

/// Something only the driver can do; its end is reported with [`super::Session::complete`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Check a login: [`Outcome::LoggedIn`], [`Outcome::NeedAccount`], [`Outcome::LoginFailed`] or
    /// [`Outcome::LoginRefused`].
    Login {
        /// From USER.
        user: Argument,
        /// From PASS; empty if none was given.
        password: Vec<u8>,
        /// From ACCT.
        account: Option<Argument>,
    },
    /// See whether the certificate that the client has shown lets this user in without a password:
    /// [`Outcome::LoggedIn`], or [`Outcome::LoginFailed`], after which the password is asked for.
    LoginByCertificate {
        /// From USER.
        user: Argument,
    },
    /// Open a port for the data connection, closing one that is open: [`Outcome::Listening`].
    Listen,
    /// See that this is a directory: [`Outcome::Done`].
    CheckDirectory(Path),
    /// See that this exists: [`Outcome::Done`].
    CheckExists(Path),
    /// Make a directory: [`Outcome::Done`].
    MakeDirectory(Path),
    /// Make a directory and those above it that are missing: [`Outcome::Done`].
    MakeDirectories(Path),
    /// Remove an empty directory: [`Outcome::Done`].
    RemoveDirectory(Path),
    /// Remove a directory with all it holds: [`Outcome::Done`].
    RemoveTree(Path),
    /// Remove a file: [`Outcome::Done`].
    Delete(Path),
    /// Rename: [`Outcome::Done`].
    Rename {
        /// The old path.
        from: Path,
        /// The new path.
        to: Path,
    },
    /// Copy a file: [`Outcome::Done`].
    Copy {
        /// The file.
        from: Path,
        /// The new path.
        to: Path,
    },
    /// Append files to one, making it if it is missing, and remove them: [`Outcome::Done`].
    Combine {
        /// What is appended, in order.
        from: Vec<Path>,
        /// What it is appended to.
        to: Path,
    },
    /// Make a symbolic link: [`Outcome::Done`].
    MakeLink {
        /// What the link says, as the client wrote it.
        target: Argument,
        /// The link.
        path: Path,
    },
    /// What is known about one path: [`Outcome::Entry`].
    Look(Path),
    /// Set what is given: [`Outcome::Done`].
    Change {
        /// The path.
        path: Path,
        /// What to set.
        change: Change,
    },
    /// Hash a file or a part of it: [`Outcome::Hash`].
    Hash {
        /// The file.
        path: Path,
        /// How.
        algorithm: Algorithm,
        /// Offset of the first byte.
        first: u64,
        /// Offset behind the last byte; `None` means the end of the file.
        end: Option<u64>,
    },
    /// Bytes that can still be stored in a directory: [`Outcome::Number`].
    Space(Path),
    /// Bytes that a directory holds with all below it: [`Outcome::Number`].
    Usage(Path),
    /// Whether so many bytes can be stored: [`Outcome::Done`] or [`FileError::NoSpace`].
    Allocate(u64),
    /// The mask of permission bits that new files do not get, to be asked or set:
    /// [`Outcome::Number`] is the one that holds now.
    Umask(Option<u16>),
    /// Who is logged in, for SITE WHO: [`Outcome::Lines`].
    Who,
    /// What the user may store and has stored, for SITE QUOTA: [`Outcome::Lines`].
    Quota,
    /// A SITE command the session does not know: [`Outcome::Answer`], or [`Outcome::Failed`] with
    /// [`FileError::Unsupported`] if nobody knows it.
    Site(Argument),
    /// The entries of a directory, or the one of a file, for the control connection:
    /// [`Outcome::Status`].
    ListHere(Path),
    /// Open what is to be moved, then call [`super::Session::transfer_begins`], send its reply, and
    /// at the end call [`super::Session::transfer_ended`]. If it cannot be opened, close the data
    /// connection and report [`Outcome::Failed`].
    Transfer(Transfer),
}

/// How a [`Task`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The login is right; what the user may do.
    LoggedIn(Grant),
    /// The login is right so far, but an account is wanted (RFC 959 §4.1.1, ACCT).
    NeedAccount,
    /// The login is wrong.
    LoginFailed,
    /// The login may be right, but not now: too many sessions, a ban, a wrong network.
    LoginRefused(Refusal),
    /// The port is open. The address is what a PASV announces.
    Listening(SocketAddr),
    /// It is done.
    Done,
    /// What is known.
    Entry(Entry),
    /// Lines of a listing, as `ls -l` has them, without ends.
    Lines(Vec<Vec<u8>>),
    /// Lines of a listing as in [`Outcome::Lines`], and of what.
    Status {
        /// Whether they are what a directory holds, not what is known about a file.
        is_directory: bool,
        /// The lines.
        lines: Vec<Vec<u8>>,
    },
    /// A number of bytes, or what else was asked for.
    Number(u64),
    /// A hash, and the part of the file it is of: first offset, and the offset behind the last byte.
    Hash {
        /// The bytes of the hash.
        digest: Vec<u8>,
        /// Offset of the first byte.
        first: u64,
        /// Offset behind the last byte.
        end: u64,
    },
    /// A reply that the driver has made itself, which is the answer.
    Answer(Reply),
    /// It could not be done.
    Failed(FileError),
}

/// What a login gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// What may be done, and where.
    pub permissions: Permissions,
    /// What must be protected by TLS; a login that does not fit is refused.
    pub protection: Required,
    /// Another idle time than [`super::Settings::idle`].
    pub idle: Option<Duration>,
    /// Lines to show before the last one of the `230`.
    pub welcome: Vec<String>,
    /// The working directory to begin with; `None` is the root.
    pub directory: Option<Path>,
}

impl Grant {
    /// Permissions and nothing else.
    #[must_use]
    pub fn new(permissions: impl Into<Permissions>) -> Self {
        Self {
            permissions: permissions.into(),
            ..Self::default()
        }
    }
}

/// What must be protected by TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// The control connection: no login before AUTH.
    pub control: bool,
    /// Data connections: nothing is moved without PROT P.
    pub data: bool,
}

impl Required {
    /// What either asks for.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            control: self.control || other.control,
            data: self.data || other.data,
        }
    }
}

/// A login that was turned down for another reason than being wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `530` or, if the connection is to end, `421`.
    pub code: Code,
    /// The text.
    pub text: String,
    /// Whether the connection ends.
    pub close: bool,
}

/// What MFMT, MFCT, MFF, SITE CHMOD and SITE UTIME set; `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Last change.
    pub modified: Option<Timestamp>,
    /// Last access.
    pub accessed: Option<Timestamp>,
    /// Creation.
    pub created: Option<Timestamp>,
    /// Permission bits, at most `0o7777`.
    pub mode: Option<u16>,
}

/// Why something about a file could not be done, and so which code is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// No such file or directory.
    NotFound,
    /// Not permitted, or outside of what is served.
    Denied,
    /// A directory was needed.
    NotADirectory,
    /// A file was needed.
    IsADirectory,
    /// It exists already.
    Exists,
    /// The directory is not empty.
    NotEmpty,
    /// No space on the device.
    NoSpace,
    /// Over the user's allowance.
    OverQuota,
    /// The name cannot be used.
    NameNotAllowed,
    /// The offset of REST lies behind the end of the file.
    BadOffset,
    /// Somebody else is using it, or too much is going on.
    Busy,
    /// This backend does not do that.
    Unsupported,
    /// Anything else.
    Other,
}

/// Bytes to be moved over a data connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What.
    pub kind: TransferKind,
    /// How the data connection is made.
    pub data: DataPath,
    /// Whether the data connection is protected by TLS.
    pub protection: DataProtection,
    /// How the bytes stand on it; [`Encoding::is_plain`] means as they are. Listings are CRLF text
    /// already.
    pub encoding: Encoding,
}

/// PROT, and for FXP the side that is the TLS client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataProtection {
    /// In clear.
    #[default]
    Clear,
    /// TLS; we are the server, whoever dials (RFC 4217 §10).
    Server,
    /// TLS; we are the client, since the peer is another server (SSCN ON, CPSV).
    Client,
}

/// What a transfer moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// A file to the client.
    Retrieve {
        /// The file.
        path: Path,
        /// Where to begin.
        offset: u64,
        /// How many bytes at most, from RANG.
        length: Option<u64>,
    },
    /// A file from the client.
    Store {
        /// The file.
        path: Path,
        /// Where the bytes go in it.
        placement: Placement,
        /// How many bytes the client has announced with ALLO.
        expected: Option<u64>,
    },
    /// A file from the client under a name the driver makes up.
    StoreUnique {
        /// The directory.
        directory: Path,
        /// What the name is to begin with.
        stem: Vec<u8>,
    },
    /// A listing to the client.
    List {
        /// The directory or file; if nothing is there, its last component may be a pattern.
        path: Path,
        /// In which form.
        form: ListForm,
    },
}

/// Where stored bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Instead of what was there.
    Replace,
    /// Behind what was there.
    Append,
    /// From this offset on; what was there before it stays, what was behind it goes.
    At(u64),
    /// Over this part and no further; what was there before and behind it stays.
    Within {
        /// Offset of the first byte.
        first: u64,
        /// How many bytes at most; more is [`FileError::OverQuota`].
        length: u64,
    },
}

/// The form of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// LIST.
    Unix(ListOptions),
    /// NLST.
    Names {
        /// How.
        options: ListOptions,
        /// The path as the client wrote it: its directory part stands before each name, so that
        /// the names are paths for RETR (RFC 1123 §4.1.2.7).
        written: Vec<u8>,
    },
    /// MLSD; a path that is no directory is refused.
    Facts {
        /// Which facts.
        facts: Vec<Fact>,
        /// For the `perm` fact.
        rights: Rights,
    },
}

/// What `ls` options before the path ask for, as clients send them to LIST and NLST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// `-a`: names that begin with a dot as well.
    pub all: bool,
    /// `-R`: directories below as well.
    pub recursive: bool,
    /// `-d`: the directory itself, not what it holds.
    pub itself: bool,
    /// `-r`: the other way round.
    pub reverse: bool,
    /// `-t`: newest first.
    pub by_time: bool,
    /// `-S`: largest first.
    pub by_size: bool,
}

/// How the data connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataPath {
    /// The client dials the port of [`Task::Listen`]; only the control peer's address is let in,
    /// unless the operator allows others.
    Passive,
    /// We dial this address, which is the control peer's unless the operator allows others.
    Active(SocketAddr),
}

/// What was opened for a transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// Bytes to come, if known.
    pub size: Option<u64>,
    /// The name made up for STOU.
    pub unique_name: Option<Vec<u8>>,
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEnd {
    /// All bytes were moved and, for an upload, are kept.
    Complete,
    /// No data connection came about.
    NoConnection,
    /// The data connection came about, its TLS did not, or did not resume this control session.
    NotProtected,
    /// The data connection broke or went silent.
    Cut,
    /// What came is not what MODE or STRU say it is.
    Malformed,
    /// The file could not be read or written to its end.
    Failed(FileError),
    /// Stopped because of [`super::Then::AbortTransfer`].
    Aborted,
}
