//! Connections through a proxy: SOCKS5 (RFC 1928, RFC 1929) and HTTP CONNECT (RFC 9110 §9.3.6).
//!
//! A proxy looks names up itself, so that the local network need not know them and does not learn
//! them. A [`Dial`](crate::Dial) speaks of addresses, though; a name is therefore given an address out of
//! 240.0.0.0/4, which no network uses, and the proxy is told the name again when that address is
//! dialled. Data connections go to the address of the control connection and so to the same name.
//! Active mode does not work through a proxy.

mod http;
mod names;
mod socks;

pub use self::http::HttpConnect;
pub use self::socks::Socks5;

/// What a proxy is told about where to connect.
enum Destination {
    Name(Vec<u8>),
    Address(std::net::IpAddr),
}
