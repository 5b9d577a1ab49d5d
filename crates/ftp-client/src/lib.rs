//! An asynchronous FTP client over a [`Dial`], and BusyBox-compatible `ftpget` and `ftpput`.
//!
//! The protocol is `ftp-proto`'s; this crate moves the bytes. How a connection is made is handed in
//! ([`dial`]), so the same code serves a program on the host and one inside an emulated machine.
//! Nothing here sets a deadline: a silent peer is waited for until the caller drops the future or
//! its [`Dial`] gives up.
//!
//! - [`dial`]: names and connections; feature `net` brings the TCP one
//! - [`client`]: one control connection, step by step, for programs that script FTP
//! - [`data`]: the data connection, always to the control peer
//! - [`busybox`]: the whole of `ftpget` and `ftpput`, to the byte

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

pub mod busybox;
pub mod client;
mod control;
pub mod data;
pub mod dial;

pub use self::client::{Client, Error};
pub use self::dial::Dial;
