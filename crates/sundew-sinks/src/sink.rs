//! What a sink is: something that takes events one by one and may fail for a while.

use std::{error, fmt, io};

use sundew_events::Event;

/// Takes events on a thread of its own, so it may block.
///
/// An error means "not now": the caller waits and calls again with the same event. A sink that can
/// never take an event must take it and count it itself.
pub trait Sink: Send {
    /// A name for the operator's log.
    fn name(&self) -> &str;

    /// Takes one event; it may stay in a buffer until [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// The event was not taken. Calling again with it must not double it.
    fn write(&mut self, event: &Event) -> Result<(), SinkError>;

    /// Hands everything taken to the system or the receiver.
    ///
    /// # Errors
    ///
    /// Some of it is still here; nothing is lost.
    fn flush(&mut self) -> Result<(), SinkError>;

    /// Flushes, and makes it durable where that means anything.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    fn sync(&mut self) -> Result<(), SinkError> {
        self.flush()
    }
}

/// Why a sink does not take events at the moment.
#[derive(Debug)]
#[non_exhaustive]
pub enum SinkError {
    /// The disk or the network.
    Io(io::Error),
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl error::Error for SinkError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(error) => error.source(),
        }
    }
}

impl From<io::Error> for SinkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
