//! An asynchronous FTP server over `ftp-proto`: handlers, hooks and a listener.
//!
//! Two ways in. Whoever wants to see requests and answer them implements [`Handler`] and gives it to
//! [`Server`]; `examples/first_steps.rs` is that in one page. Whoever wants to serve files gives
//! [`files::FileServer`], which is such a handler, an [`auth::Authenticator`] and a
//! [`backend::Backend`]; the `ftpd` binary is that with a directory of the host.
//!
//! Meaning is in `ftp_proto::server`; here are sockets, deadlines, limits and tasks.

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate is the driver: sockets, files and the clock are its work"
)]

pub mod account;
pub mod auth;
pub mod backend;
pub mod blocking;
pub mod connection;
#[cfg(feature = "daemon")]
pub mod daemon;
pub mod data;
pub mod event;
pub mod files;
pub mod handler;
pub mod hook;
pub mod limits;
pub mod listener;
mod live;
pub mod proxy;
pub mod server;
pub mod throttle;
pub mod tls;

pub use self::connection::Connection;
pub use self::handler::{Answer, Handler, Request};
pub use self::limits::Limits;
pub use self::listener::Listener;
pub use self::server::{Controls, Server};
pub use self::tls::{Tls, TlsInfo};
pub use ftp_proto;
