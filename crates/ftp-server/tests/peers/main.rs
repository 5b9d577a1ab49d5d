//! The `ftpd` program under the programs people use: clients that move files in every way they know,
//! and the tests of another server.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the peers of these tests are real programs and real files"
)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of a test fail the test"
)]

mod clients;
mod conformance;
mod daemon;
mod program;
mod pyftpdlib;
mod reference;
