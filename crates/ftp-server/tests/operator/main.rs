//! `ftpd` as an operator uses it: configuration, users, limits, bans, logs, metrics, hooks, signals,
//! confinement, systemd; and what strangers do to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of a test fail the test"
)]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the program is run from outside, on files of the host"
)]

mod basics;
mod chaos;
#[path = "../support/client.rs"]
mod client;
mod confine;
mod control;
mod daemon;
mod login;
mod mistakes;
mod rate;
mod reload;
mod soak;
