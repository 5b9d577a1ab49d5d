//! Where events go: one sink per module, bounded queues between.
//!
//! Sessions hand events to an [`EventSender`], which never waits. The [`Fanout`] writes each event
//! to the journal first, and only then offers it to the other sinks: the journal is slowed down
//! for, they are not.
//!
//! - [`sink`]: what a sink is.
//! - [`fanout`]: the queues, the threads, shutdown.
//! - [`cowrie_json`]: `cowrie.json`, the journal.
#![allow(
    clippy::disallowed_methods,
    reason = "this crate's work is the host's disk and network, on its own threads and clock"
)]

pub mod cowrie_json;
pub mod fanout;
pub mod sink;

pub use cowrie_json::CowrieJson;
pub use fanout::{Builder, EventSender, Fanout, Report};
pub use sink::{Sink, SinkError};
