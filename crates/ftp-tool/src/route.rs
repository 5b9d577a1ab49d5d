//! How connections are made: directly, or through a proxy.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ftp_client::dial::{ConnectError, Dial, Listening, ResolveError, Tcp};
use tokio::net::TcpStream;

/// Directly, or through a proxy.
#[derive(Clone, Debug)]
pub struct Route;
