//! `sundew-ftp`, the program, against real servers: our own, vsftpd and pyftpdlib.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the peers of this test are real programs and real files"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of a test fail the test"
)]

mod examples;
mod guide;
mod hostile;
mod names;
mod person;
mod relay;
mod secure;
mod server;
mod transfer;
