//! The SSH front end: accepts connections, speaks the protocol, and hands logins, channels and their
//! streams to whoever implements the traits of [`boundary`].
//!
//! Only [`door`] knows sessions and events. From the outside in:
//!
//! - [`listener`]: sockets, limits, graceful stop
//! - `census`: how many connections, in all and from each source
//! - `toll`: what a source's key exchanges may cost
//! - `connection`: the life of one connection, its deadlines and its end
//! - [`identification`], [`kexinit`]: the clear beginning of a connection, judged and tapped, no I/O
//! - `stream`: the client's socket as the transport sees it
//! - `transport`: the SSH library, and nothing else that knows it
//! - `auth`, `backlog`, `pump`: counting logins, holding input, moving a channel's bytes
//! - [`host_key`], [`profile`]: what the server is recognised by
//! - [`door`]: the traits of [`boundary`] over the sensor's sessions

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a front end is where sockets, deadlines and the host's key files belong"
)]

pub mod boundary;
pub mod door;
pub mod host_key;
pub mod identification;
pub mod kexinit;
pub mod listener;
pub mod profile;

mod auth;
mod backlog;
mod census;
mod connection;
mod pump;
mod stream;
mod toll;
mod transport;

pub use host_key::{HostKeyError, HostKeys};
pub use listener::{BindError, Limits, Listener};
pub use profile::Profile;
pub use transport::SetupError;
pub use transport::client::Client;
