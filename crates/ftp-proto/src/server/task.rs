//! What a session asks of its driver, and what the driver reports back.

use std::net::SocketAddr;

use super::Path;
use crate::argument::Argument;
use crate::listing::Entry;
use crate::listing::mlsx::{Access, Fact};
use crate::time::Timestamp;

/// Something only the driver can do; its end is reported with [`super::Session::complete`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Check a login: [`Outcome::LoggedIn`] or [`Outcome::LoginFailed`].
    Login {
        /// From USER.
        user: Argument,
        /// From PASS; empty if none was given.
        password: Vec<u8>,
    },
    /// Open a port for the data connection, closing one that is open: [`Outcome::Listening`].
    Listen,
    /// See that this is a directory: [`Outcome::Done`].
    CheckDirectory(Path),
    /// See that this exists: [`Outcome::Done`].
    CheckExists(Path),
    /// Make a directory: [`Outcome::Done`].
    MakeDirectory(Path),
    /// Remove an empty directory: [`Outcome::Done`].
    RemoveDirectory(Path),
    /// Remove a file: [`Outcome::Done`].
    Delete(Path),
    /// Rename: [`Outcome::Done`].
    Rename {
        /// The old path.
        from: Path,
        /// The new path.
        to: Path,
    },
    /// What is known about one path: [`Outcome::Entry`].
    Look(Path),
    /// Set the modification time: [`Outcome::Done`].
    SetModified {
        /// The path.
        path: Path,
        /// The time.
        time: Timestamp,
    },
    /// The entries of a directory, or the one of a file, for the control connection:
    /// [`Outcome::Lines`].
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
    LoggedIn(Access),
    /// The login is wrong.
    LoginFailed,
    /// The port is open. The address is what a PASV announces.
    Listening(SocketAddr),
    /// It is done.
    Done,
    /// What is known.
    Entry(Entry),
    /// Lines of a listing, as `ls -l` has them, without ends.
    Lines(Vec<Vec<u8>>),
    /// It could not be done.
    Failed(FileError),
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
    /// Whether line ends are converted (TYPE A); never for listings, which are CRLF already.
    pub ascii: bool,
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
    },
    /// A file from the client.
    Store {
        /// The file.
        path: Path,
        /// Where the bytes go in it.
        placement: Placement,
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
        /// The directory or file.
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
}

/// The form of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// LIST.
    Unix,
    /// NLST.
    Names,
    /// MLSD; a path that is no directory is refused.
    Facts {
        /// Which facts.
        facts: Vec<Fact>,
        /// For the `perm` fact.
        access: Access,
    },
}

/// How the data connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataPath {
    /// The client dials the port of [`Task::Listen`]; only the control peer's address is let in.
    Passive,
    /// We dial this address, which is the control peer's.
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
    /// The data connection broke or went silent.
    Cut,
    /// The file could not be read or written to its end.
    Failed(FileError),
    /// Stopped because of [`super::Then::AbortTransfer`].
    Aborted,
}
