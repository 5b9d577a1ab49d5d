//! The machines as the data in the repository makes them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod camera;
mod debian12;
