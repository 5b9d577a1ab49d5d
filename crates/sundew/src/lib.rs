//! The sensor as a library: everything `sundew` does but reading its command line.
//!
//! - [`config`]: `sundew.toml`, read and checked; no I/O
//! - [`data`]: the data directory: made at the first start, reused at every other
//! - [`failure`]: what can keep the sensor from running, in one line, with its exit status
//! - [`fs`]: `sundew fs`: images of machines
//! - [`run`]: wiring, signals, the orderly end
#![allow(
    clippy::disallowed_methods,
    reason = "the program is where the host comes in: files, arguments, time"
)]

pub mod config;
pub mod data;
pub mod failure;
pub mod fs;
pub mod run;

pub use config::Config;
pub use failure::Failure;
