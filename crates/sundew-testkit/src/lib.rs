//! Runs transcripts against a whole emulated machine.
//!
//! - [`machine`]: a [`session::System`] that is a whole emulated machine.
//! - [`session`], [`host`], [`terminal`], [`trace`]: the harness, from `sundew-transcript`.
//!
//! For development only: nothing that ships depends on this crate.

pub mod machine;

pub use sundew_transcript::{host, session, terminal, trace};
