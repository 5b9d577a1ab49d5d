//! How a process ended, or changed state: `wait(2)`.

use crate::signal::Signal;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this status.
    Exited(u8),
    /// A signal ended it.
    Signaled(Signal),
}

impl ExitStatus {
    /// Status 0.
    pub const SUCCESS: Self = Self::Exited(0);
    /// Status 1.
    pub const FAILURE: Self = Self::Exited(1);

    /// The status as a shell shows it in `$?`: 128 + N for signal N.
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled(signal) => 128u8.wrapping_add(signal.number()),
        }
    }

    /// Whether this is status 0.
    pub fn is_success(self) -> bool {
        self == Self::SUCCESS
    }
}

impl From<u8> for ExitStatus {
    fn from(code: u8) -> Self {
        Self::Exited(code)
    }
}

/// What `waitpid` reports of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildEvent {
    /// It ended and has been reaped by this report.
    Ended(ExitStatus),
    /// It was stopped by this signal (`WUNTRACED`).
    Stopped(Signal),
    /// It was continued (`WCONTINUED`).
    Continued,
}
