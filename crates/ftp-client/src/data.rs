//! The data connection of a passive transfer.
//!
//! It goes to the address the control connection leads to, whatever a 227 announces: a server that
//! names a third party would make the client its scanner (CVE-2020-8284, CVE-2021-4189), and one
//! behind a translating router names an address that leads nowhere. Only the port is taken.

use std::net::SocketAddr;

use crate::dial::{ConnectError, Dial};

/// Opens the data connection that a 227 or 229 with this port asks for.
///
/// `control` is the address the control connection was made to. Dropping the future gives the
/// attempt up.
///
/// # Errors
///
/// [`ConnectError`], as the dialler words it.
pub async fn connect<D: Dial>(
    dial: &D,
    control: SocketAddr,
    port: u16,
) -> Result<D::Stream, ConnectError> {
    // `set_port` keeps the scope of a link-local address.
    let mut target = control;
    target.set_port(port);
    dial.connect(target).await
}

/// Most bytes of a body taken at once.
///
/// Large enough that system calls do not show beside the copying, small enough for thousands of
/// transfers side by side.
pub const CHUNK_BYTES: usize = 64 * 1024;
