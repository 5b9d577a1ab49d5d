//! The front end against real clients: OpenSSH's, AsyncSSH, and plain sockets.
//!
//! `ssh` must be installed, and the Python peers of `scripts/test`; a test without its peer fails.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::large_futures,
    clippy::cast_possible_truncation,
    reason = "tests start clients, open sockets, write small files and move large buffers"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests too; clippy looks at the test functions only"
)]

mod client;
mod limits;
mod login;
mod peers;
mod sensor;
mod session;
mod streams;
