//! The client against real servers: vsftpd, ProFTPD, pure-ftpd and pyftpdlib, in clear text and under
//! TLS 1.2 and 1.3.
//!
//! vsftpd insists on resumed sessions (`require_ssl_reuse`), ProFTPD by default too. The servers are
//! those of `scripts/peers-debian.txt`, `peers-extracted.txt` and `peers-python.txt`; a missing one
//! fails. They run as root or, where they can, as whoever runs the tests.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the tests start servers and prepare their files"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests"
)]

mod alive;
mod pages;
mod server;
mod session;
mod trust;
