//! An asynchronous FTP client over a [`Dial`], and BusyBox-compatible `ftpget` and `ftpput`.
//!
//! The protocol is `ftp-proto`'s; this crate moves the bytes. How a connection is made is handed in
//! ([`dial`]), so the same code serves a program on the host, one behind a proxy ([`proxy`]), and
//! one inside an emulated machine.
//!
//! ```no_run
//! # #[cfg(feature = "net")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use ftp_client::{Client, Config, Login, dial::Tcp};
//!
//! let mut client = Client::connect(Tcp, Config::new("ftp.example.org")).await?;
//! client.login(&Login::anonymous()).await?;
//! let mut body = client.retrieve("pub/README").await?;
//! let mut file = tokio::fs::File::create("README").await?;
//! tokio::io::copy(&mut body, &mut file).await?;
//! body.finish().await?;
//! client.quit().await?;
//! # Ok(()) }
//! ```
//!
//! - [`client`]: one session; [`transfer`]: bytes on the way; [`error`]: what can go wrong
//! - [`config`]: where to, how secured, how patient; `tls`: what is trusted
//! - [`pool`]: several sessions with one host; `blocking`: the same without async
//! - [`dial`], [`proxy`]: connections, direct or through SOCKS5 and HTTP CONNECT
//! - [`data`]: the data connection of [`busybox`], which is the whole of `ftpget` and `ftpput`, to
//!   the byte
//!
//! Features: `net` for TCP, the blocking face and the two programs; `tls`.

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

#[cfg(feature = "net")]
pub mod blocking;
pub mod busybox;
pub mod client;
pub mod config;
mod control;
pub mod data;
pub mod dial;
pub mod error;
pub mod pool;
#[cfg(feature = "net")]
pub mod program;
pub mod proxy;
#[cfg(feature = "tls")]
pub mod tls;
pub mod transfer;
mod transport;
mod wire;

/// The pieces of code of the guide, compiled as tests.
#[cfg(all(doctest, feature = "net", feature = "tls"))]
#[doc = include_str!("../../../docs/guide/moving-to-ftp-client.md")]
struct Guide;

pub use ftp_proto;

pub use self::client::{Client, Login};
pub use self::config::{
    Config, DataAddress, DataMode, Limits, Listener, Pipelining, Said, Security,
};
pub use self::dial::Dial;
pub use self::error::{Cause, Error, Phase};
pub use self::pool::Pool;
#[cfg(feature = "tls")]
pub use self::tls::TlsOptions;
pub use self::transfer::{Download, Upload};
