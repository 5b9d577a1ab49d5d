//! What can keep the sensor from running: one line for the operator, one exit status.
//!
//! The statuses are those of sysexits(3), which init systems and scripts know.

use std::fmt;

/// Why the sensor does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    status: Status,
    text: String,
}

/// Exit statuses, as `sundew --help` and `docs/quick-start.md` promise them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Something inside went wrong: a bug (`EX_SOFTWARE`).
    Internal = 70,
    /// The system refuses: an address in use, no more threads (`EX_OSERR`).
    System = 71,
    /// A file or directory cannot be made, read or written (`EX_CANTCREAT`).
    Files = 73,
    /// The configuration is wrong (`EX_CONFIG`).
    Config = 78,
}

impl Failure {
    /// A failure with these words.
    pub fn new(status: Status, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }

    /// What the process exits with.
    #[must_use]
    pub const fn code(&self) -> u8 {
        self.status as u8
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}
