//! The closed catalogue of events and their JSON.
//!
//! An [`Event`] is what the rest of the world learns about an attacker: one line of `cowrie.json`,
//! one row of a database. This crate names events, holds their facts as bytes, and writes them; it
//! sends nothing anywhere (`sundew-sinks` does) and decides nothing (`sundew-session` does). It
//! reads no clock: every event carries the [`Timestamp`] its maker passed in.
//!
//! - [`event`]: the envelope and the closed enum of kinds.
//! - [`catalogue`]: every id with its fields, as data; `docs/EVENTS.md` is checked against it.
//! - [`json`]: the line that Cowrie 3 would write, byte for byte, and Sundew's additions.
//! - [`id`]: session ids and content hashes.
//! - [`text`]: attacker bytes, and the three ways in which they are shown as text.
//! - [`timestamp`]: microseconds since 1970, and their text.
#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

pub mod catalogue;
pub mod event;
pub mod id;
pub mod json;
pub mod text;
pub mod timestamp;

pub use event::{Connection, Event, EventKind, Installation, Protocol};
pub use id::{SessionId, Sha256Sum};
pub use text::{Escaped, Literal, Lossy};
pub use timestamp::Timestamp;
