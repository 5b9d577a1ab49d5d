//! What a transfer asks of its program.

use ftp_client::busybox::{Sink, Source};
use sundew_kernel::Errno;
use tokio::sync::oneshot;

/// Where a download goes.
#[derive(Debug)]
pub(super) enum Target {
    Stdout,
    Create(Vec<u8>),
    Append(Vec<u8>),
}

impl From<Sink<'_>> for Target {
    fn from(sink: Sink<'_>) -> Self {
        match sink {
            Sink::Stdout => Self::Stdout,
            Sink::Create(path) => Self::Create(path.to_vec()),
            Sink::Append(path) => Self::Append(path.to_vec()),
        }
    }
}

/// Where an upload comes from.
#[derive(Debug)]
pub(super) enum Origin {
    Stdin,
    File(Vec<u8>),
}

impl From<Source<'_>> for Origin {
    fn from(source: Source<'_>) -> Self {
        match source {
            Source::Stdin => Self::Stdin,
            Source::File(path) => Self::File(path.to_vec()),
        }
    }
}

/// How a call is answered; dropped unanswered when the program ends.
pub(super) type Answer<T> = oneshot::Sender<T>;

/// One call.
#[derive(Debug)]
pub(super) enum Call {
    Stdout(Vec<u8>, Answer<()>),
    Stderr(Vec<u8>, Answer<()>),
    Service(Vec<u8>, Answer<Option<u16>>),
    SizeOf(Vec<u8>, Answer<Result<u64, Errno>>),
    Create(Target, Answer<Result<(), Errno>>),
    Body(Vec<u8>, Answer<Result<(), Errno>>),
    Open(Origin, Answer<Result<(), Errno>>),
    Read(usize, Answer<Result<Vec<u8>, Errno>>),
    /// It is over; the exit status.
    Finished(u8),
}
