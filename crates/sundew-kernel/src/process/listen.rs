//! Sockets that programs open to listen on.

use std::net::SocketAddr;

use super::Process;
use crate::lock;
use crate::socket::{Protocol, SocketInfo};
use sundew_vfs::Errno;

impl Process {
    /// Shows a socket that this process listens on, until it ends. Nobody can connect to it: what
    /// reaches the machine from outside is the host's business.
    ///
    /// # Errors
    ///
    /// [`Errno::Eaddrinuse`] if another one has that end.
    pub fn listen(&self, protocol: Protocol, local: SocketAddr) -> Result<(), Errno> {
        let taken = self.sockets().into_iter().any(|socket| {
            socket.protocol == protocol
                && socket.remote.is_none()
                && socket.local.port() == local.port()
        });
        if taken {
            return Err(Errno::Eaddrinuse);
        }
        let mut sockets = lock(&self.kernel.sockets);
        // Those of processes that are gone make room.
        sockets.retain(|socket| self.kernel.process(socket.pid).is_some());
        sockets.push(SocketInfo {
            protocol,
            local,
            remote: None,
            uid: self.credentials().uid,
            inode: self.kernel.next_pipe(),
            pid: self.pid(),
        });
        Ok(())
    }
}
