//! The real program, started as an operator starts it, and visited with OpenSSH's own client.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "helpers of a test fail the test, and a test is a host"
)]

mod budget;
mod client;
mod download;
mod elsewhere;
mod event;
mod fetch;
mod ftp;
mod image;
mod operator;
mod persist;
mod sensor;
mod upload;
mod visit;
