//! FTP without input or output: requests, replies, listings and both dialogue state machines.
//!
//! Everything here takes bytes (and, where time matters, the time) and returns what to do; sockets,
//! files and timers belong to the drivers, `ftp-server` and `ftp-client`. Nothing panics on foreign
//! bytes, and whatever a peer can grow has a named limit.
//!
//! - Bytes and meaning: [`mod@line`] (framing), [`command`], [`reply`], [`argument`], [`address`] (PORT,
//!   EPRT, 227, 229, 257), [`feature`], [`listing`], [`transfer`] (TYPE, MODE, ASCII), [`time`],
//!   [`permission`], [`hash`].
//! - Dialogues: [`server`] and [`client`], each for one control connection.
//! - [`fuzz`]: one function of `&[u8]` for each parser and dialogue, for fuzzers to call:
//!   `line`, `command`, `reply`, `address`, `listing`, `server`, `client`.

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

pub mod address;
pub mod argument;
pub mod client;
pub mod command;
pub mod feature;
pub mod fuzz;
pub mod hash;
pub mod line;
pub mod listing;
pub mod permission;
pub mod reply;
pub mod server;
pub mod time;
pub mod transfer;

pub use self::argument::Argument;
pub use self::command::{Command, CommandError, Verb};
pub use self::reply::{Code, Reply};
