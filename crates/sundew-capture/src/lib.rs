//! What is kept: artifacts by hash and terminal recordings.
//!
//! A [`Store`] owns two directories of the sensor's host. Sessions hand it bytes without ever
//! waiting for a disk: a few writer threads do all the work, queues to them are bounded in bytes,
//! and a disk that fails is a typed [`Lost`], a counter and a warning, never an error of the
//! session. Nothing an attacker sends is used as a host path: files are named by the hash of their
//! content.
//!
//! - [`store`]: opens the directories, tidies up after a crash, counts losses.
//! - [`artifact`]: files that were downloaded or uploaded, by SHA-256, with a sidecar.
//! - [`recording`]: what a terminal showed and what was typed, as UML ttylog and asciicast.
//! - [`quota`]: how much may be kept, and what must stay free for the events.
#![warn(clippy::cast_possible_truncation)]
#![allow(
    clippy::disallowed_methods,
    reason = "this crate's work is the host's disk; all of it happens on its own threads"
)]

pub mod artifact;
mod lane;
pub mod quota;
pub mod recording;
pub mod store;

pub use artifact::{ArtifactWriter, Kept, Origin, Outcome, Taken};
pub use quota::Quota;
pub use recording::{Closed, Recorder, RecordingMeta};
pub use store::{Config, Losses, Lost, OpenError, Reason, Store};
