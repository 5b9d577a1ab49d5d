//! The machine's way out, as the FTP client wants it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ftp_client::dial::{ConnectError, Dial, ResolveError};
use sundew_kernel::network::{self, Network, Stream};

/// A network to dial through.
pub(super) struct Door(pub(super) Arc<dyn Network>);

impl Dial for Door {
    type Stream = Box<dyn Stream>;

    async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        self.0.resolve(host).await.map_err(|error| match error {
            network::ResolveError::NotFound => ResolveError::NotFound,
            network::ResolveError::TimedOut => ResolveError::TimedOut,
        })
    }

    async fn connect(&self, target: SocketAddr) -> Result<Self::Stream, ConnectError> {
        let connected = self.0.connect(target).await;
        connected.map_err(|errno| ConnectError::new(errno.message()))
    }
}
