//! The dialogue of the file server over real sockets: every verb against the list of codes that its
//! standard allows, lines that are sent ahead, transfers in every MODE and STRU, and the ways in which
//! other servers were broken.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of a test fail the test"
)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "files of the host are served, by a program too, and waiting is measured"
)]

mod cost;
mod disk;
mod full;
mod harness;
mod hostile;
mod matrix;
mod moving;
mod pipeline;
mod ports;
mod rights;
