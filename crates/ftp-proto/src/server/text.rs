//! The words of replies and what is announced, all in one place.
//!
//! Where RFC 959 §5.4 gives a text, it is used.

use super::FileError;
use crate::command::CommandError;
use crate::listing::mlsx::Fact;
use crate::reply::Code;

pub(super) const OKAY: &str = "Command okay.";
pub(super) const NOT_IMPLEMENTED: &str = "Command not implemented.";
pub(super) const BAD_PARAMETER: &str = "Command not implemented for that parameter.";
pub(super) const BAD_SEQUENCE: &str = "Bad sequence of commands.";
pub(super) const SUPERFLUOUS: &str = "Command not implemented, superfluous at this site.";
pub(super) const CLOSING: &str = "Service closing control connection.";
pub(super) const UNAVAILABLE: &str = "Service not available, closing control connection.";
pub(super) const TIMEOUT: &str = "Timeout: closing control connection.";
pub(super) const NEED_PASSWORD: &str = "User name okay, need password.";
pub(super) const LOGGED_IN: &str = "User logged in, proceed.";
pub(super) const NOT_LOGGED_IN: &str = "Not logged in.";
pub(super) const LOGIN_INCORRECT: &str = "Login incorrect.";
pub(super) const FILE_ACTION_OKAY: &str = "Requested file action okay, completed.";
pub(super) const PENDING: &str = "Requested file action pending further information.";
pub(super) const DENIED: &str = "Permission denied.";
pub(super) const NO_DATA_SETUP: &str = "Use PORT or PASV first.";
pub(super) const EXTENDED_ONLY: &str = "Refused after EPSV ALL.";
pub(super) const FOREIGN_ADDRESS: &str = "Data connections go to your own address only.";
pub(super) const NO_DATA: &str = "Can't open data connection.";
pub(super) const COMPLETE: &str = "Transfer complete.";
pub(super) const ABORTED: &str = "Connection closed; transfer aborted.";
pub(super) const NOTHING_TO_ABORT: &str = "No transfer to abort.";
pub(super) const ABORT_DONE: &str = "Abort successful.";

/// What FEAT lists besides MLST, in the order of RFC 5797.
pub(super) const FEATURES: [&str; 8] = [
    "EPRT",
    "EPSV",
    "MDTM",
    "MFMT",
    "REST STREAM",
    "SIZE",
    "TVFS",
    "UTF8",
];

/// The facts that are on until OPTS MLST says otherwise.
pub(super) const DEFAULT_FACTS: [Fact; 6] = [
    Fact::Type,
    Fact::Size,
    Fact::Modify,
    Fact::Perm,
    Fact::Unique,
    Fact::UnixMode,
];

/// What HELP lists: the verbs that do something.
pub(super) const HELP: [&str; 4] = [
    " ABOR ACCT ALLO APPE CDUP CLNT CWD  DELE EPRT EPSV FEAT HELP LIST MDTM",
    " MFMT MKD  MLSD MLST MODE NLST NOOP OPTS PASS PASV PORT PWD  QUIT REIN",
    " REST RETR RMD  RNFR RNTO SIZE STAT STOR STOU STRU SYST TYPE USER",
    " XCUP XCWD XMKD XPWD XRMD",
];

pub(super) const fn command_error(error: CommandError) -> &'static str {
    match error {
        CommandError::Empty | CommandError::UnknownVerb => "Syntax error, command unrecognized.",
        CommandError::TooLong => "Syntax error, command line too long.",
        CommandError::MissingArgument(_) | CommandError::BadArgument(_) => {
            "Syntax error in parameters or arguments."
        }
        CommandError::UnknownParameter(_) => BAD_PARAMETER,
        CommandError::UnknownProtocol(_) => "Network protocol not supported, use (1,2).",
    }
}

/// The reply to a file error outside of a transfer.
pub(super) const fn file_error(error: FileError) -> (Code, &'static str) {
    match error {
        FileError::NotFound => (Code::FILE_UNAVAILABLE, "No such file or directory."),
        FileError::Denied => (Code::FILE_UNAVAILABLE, DENIED),
        FileError::NotADirectory => (Code::FILE_UNAVAILABLE, "Not a directory."),
        FileError::IsADirectory => (Code::FILE_UNAVAILABLE, "Is a directory."),
        FileError::Exists => (Code::FILE_UNAVAILABLE, "File exists."),
        FileError::NotEmpty => (Code::FILE_UNAVAILABLE, "Directory not empty."),
        FileError::NoSpace => (
            Code::NO_SPACE,
            "Requested action not taken. Insufficient storage space in system.",
        ),
        FileError::OverQuota => (
            Code::OVER_QUOTA,
            "Requested file action aborted. Exceeded storage allocation.",
        ),
        FileError::NameNotAllowed => (
            Code::NAME_NOT_ALLOWED,
            "Requested action not taken. File name not allowed.",
        ),
        FileError::BadOffset => (
            Code::BAD_RESTART,
            "Requested action not taken: invalid REST parameter.",
        ),
        FileError::Busy => (
            Code::FILE_BUSY,
            "Requested file action not taken. File unavailable.",
        ),
        FileError::Unsupported => (Code::NOT_IMPLEMENTED, NOT_IMPLEMENTED),
        FileError::Other => (
            Code::LOCAL_ERROR,
            "Requested action aborted: local error in processing.",
        ),
    }
}
