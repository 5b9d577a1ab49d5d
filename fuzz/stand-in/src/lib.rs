//! Stands in for the SSH front end where only its limits are wanted.
//!
//! The configuration takes its defaults from them. Building the real crate with coverage would take
//! longer than the fuzzing, for four numbers.

use std::time::Duration;

/// The limits the configuration has keys for.
pub struct Limits {
    pub login_grace: Duration,
    pub idle: Duration,
    pub max_connections: usize,
    pub max_per_source: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            login_grace: Duration::from_secs(120),
            idle: Duration::from_secs(600),
            max_connections: 1000,
            max_per_source: 50,
        }
    }
}
