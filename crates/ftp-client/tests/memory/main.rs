//! The client and `ftpget` without any network: scripted peers in memory.
//!
//! Here is what the comparison with the real program cannot show: hostile peers, cancellation, where
//! connections go, and what whoever keeps samples is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

mod arbitrary;
mod client;
mod distrust;
mod host;
mod hostile;
mod lost;
mod odd;
mod peer;
mod proxied;
mod sample;
#[cfg(feature = "tls")]
mod secured;
mod series;
mod waits;
