//! The words of replies and what is announced, all in one place.
//!
//! Where RFC 959 §5.4 gives a text, it is used.

use super::FileError;
use crate::command::{CommandError, Verb};
use crate::listing::mlsx::Fact;
use crate::reply::Code;

pub(super) const OKAY: &str = "Command okay.";
pub(super) const NOT_IMPLEMENTED: &str = "Command not implemented.";
pub(super) const BAD_PARAMETER: &str = "Command not implemented for that parameter.";
pub(super) const BAD_SEQUENCE: &str = "Bad sequence of commands.";
pub(super) const SUPERFLUOUS: &str = "Command not implemented, superfluous at this site.";
pub(super) const CLOSING: &str = "Service closing control connection.";
pub(super) const UNAVAILABLE: &str = "Service not available, closing control connection.";
pub(super) const TIMEOUT: &str = "Control connection timed out.";
pub(super) const NEED_PASSWORD: &str = "User name okay, need password.";
pub(super) const LOGGED_IN: &str = "User logged in, proceed.";
pub(super) const LOGGED_IN_ALREADY: &str = "User already authenticated.";
pub(super) const NOT_LOGGED_IN: &str = "Log in with USER and PASS first.";
pub(super) const USER_FIRST: &str = "Login with USER first.";
pub(super) const CONTROL_IN_CLEAR: &str = "SSL/TLS required on the control channel.";
pub(super) const DATA_IN_CLEAR: &str = "SSL/TLS required on the data channel.";
pub(super) const BAD_ARGUMENT: &str = "Syntax error in parameters or arguments.";
pub(super) const LOGIN_INCORRECT: &str = "Authentication failed.";
pub(super) const FILE_ACTION_OKAY: &str = "Requested file action okay, completed.";
pub(super) const DENIED: &str = "Permission denied. Not enough privileges.";
pub(super) const NO_DATA_SETUP: &str = "Use PORT or PASV first.";
pub(super) const EXTENDED_ONLY: &str = "Refused after EPSV ALL.";
pub(super) const FOREIGN_ADDRESS: &str = "Rejected data connection to foreign address.";
pub(super) const NO_DATA: &str = "Can't open data connection.";
pub(super) const NO_DATA_TLS: &str = "Can't protect data connection.";
pub(super) const MALFORMED: &str =
    "Requested action aborted: the data is not as MODE and STRU say.";
pub(super) const COMPLETE: &str = "Transfer complete.";
pub(super) const ABORTED: &str = "Connection closed; transfer aborted.";
pub(super) const ABORTED_BY_ABOR: &str = "Transfer aborted via ABOR.";
pub(super) const NOTHING_TO_ABORT: &str = "No transfer to abort.";
pub(super) const ABORT_DONE: &str = "Abort successful.";

/// The facts that are on until OPTS MLST says otherwise.
pub(super) const DEFAULT_FACTS: [Fact; 6] = [
    Fact::Type,
    Fact::Perm,
    Fact::Size,
    Fact::Modify,
    Fact::Unique,
    Fact::UnixMode,
];

pub(super) const fn command_error(error: CommandError) -> &'static str {
    match error {
        CommandError::Empty | CommandError::UnknownVerb => "Syntax error, command not understood.",
        CommandError::TooLong => "Syntax error, command line too long.",
        CommandError::MissingArgument(_) => "Syntax error: command needs an argument.",
        CommandError::Superfluous(_) => "Syntax error: command does not accept arguments.",
        CommandError::BadArgument(Verb::Rest) => "Invalid parameter.",
        CommandError::BadArgument(Verb::Mfmt | Verb::Mfct) => "Syntax error: Invalid time format.",
        CommandError::BadArgument(Verb::Port) => "Invalid PORT format.",
        CommandError::BadArgument(Verb::Eprt) => "Invalid EPRT format.",
        CommandError::BadArgument(_) => BAD_ARGUMENT,
        CommandError::UnknownParameter(Verb::Type) => "Unsupported type.",
        CommandError::UnknownParameter(Verb::Stru | Verb::Mode) => "Unrecognized parameter.",
        CommandError::UnknownParameter(_) => BAD_PARAMETER,
        CommandError::UnreadableIpv6(_) => FOREIGN_ADDRESS,
        CommandError::UnknownProtocol(_) => "Network protocol not supported, use (1,2).",
    }
}

/// The reply to a file error: each verb has its own list of codes (RFC 959 §5.4), and 550 is what it
/// comes to in practice where that list is silent.
pub(super) const fn file_error(verb: Verb, error: FileError) -> (Code, &'static str) {
    let stores = matches!(verb, Verb::Stor | Verb::Stou | Verb::Appe);
    let refused = match verb {
        Verb::Stor | Verb::Stou => Code::NAME_NOT_ALLOWED,
        Verb::Stat => Code::FILE_BUSY,
        _ => Code::FILE_UNAVAILABLE,
    };
    match error {
        FileError::NotFound if matches!(verb, Verb::Mdtm) => {
            (refused, "No such file or directory: is not retrievable.")
        }
        FileError::NotFound => (refused, "No such file or directory."),
        FileError::Denied => (refused, DENIED),
        FileError::NotADirectory => (refused, "Not a directory."),
        FileError::IsADirectory if is_hash(verb) => (Code::NOT_HASHED, "Is a directory."),
        FileError::IsADirectory => (refused, "Is a directory."),
        FileError::Exists => (refused, "File exists."),
        FileError::NotEmpty => (refused, "Directory not empty."),
        FileError::NoSpace if stores => (
            Code::NO_SPACE,
            "Requested action not taken. Insufficient storage space in system.",
        ),
        FileError::NoSpace => (refused, "Insufficient storage space in system."),
        FileError::OverQuota if stores => (
            Code::OVER_QUOTA,
            "Requested file action aborted. Exceeded storage allocation.",
        ),
        FileError::OverQuota => (refused, "Exceeded storage allocation."),
        FileError::NameNotAllowed => (
            match verb {
                Verb::Stor | Verb::Stou | Verb::Appe | Verb::Rnto => Code::NAME_NOT_ALLOWED,
                _ => refused,
            },
            "Requested action not taken. File name not allowed.",
        ),
        FileError::BadOffset if is_hash(verb) => {
            (Code::BAD_ARGUMENT, "The range is not within the file.")
        }
        FileError::BadOffset => (
            Code::BAD_RESTART,
            "Invalid REST parameter: the position is > file size.",
        ),
        FileError::Busy => (
            if matches!(
                verb,
                Verb::Pasv | Verb::Epsv | Verb::Cpsv | Verb::Lpsv | Verb::Spsv
            ) {
                Code::NO_DATA_CONNECTION
            } else {
                Code::FILE_BUSY
            },
            "Requested file action not taken. File unavailable.",
        ),
        FileError::Unsupported => (Code::NOT_IMPLEMENTED, NOT_IMPLEMENTED),
        FileError::Other => (
            Code::LOCAL_ERROR,
            "Requested action aborted: local error in processing.",
        ),
    }
}

const fn is_hash(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Hash
            | Verb::Md5
            | Verb::Mmd5
            | Verb::Xcrc
            | Verb::Xmd5
            | Verb::Xsha
            | Verb::Xsha1
            | Verb::Xsha256
            | Verb::Xsha512
    )
}
