//! Transcripts: files that say what was typed and what a real machine answered.
//!
//! - [`session`]: `.session` files, commands and their output, run on any [`session::System`];
//!   `BLESS=1 cargo test` rewrites them with what was seen.
//! - [`host`]: a [`session::System`] that is this computer's own bash, the truth to compare with.
//! - [`trace`]: `.trace` files, the two sides of a line-based dialogue.
//! - [`terminal`]: `.terminal` files, what is typed at a terminal and every byte it shows.
//! - [`openssh`]: the real SSH client, to log in with.
//!
//! For development only, and apart from `sundew-testkit` so that reading a transcript does not need
//! a machine: developer tasks and the protocol crates' tests build in seconds.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "reads transcripts from the checkout and runs the real shell they came from"
)]

pub mod host;
pub mod openssh;
mod present;
pub mod session;
pub mod terminal;
pub mod trace;
