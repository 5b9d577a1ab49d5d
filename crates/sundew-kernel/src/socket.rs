//! The sockets of a machine as its users can list them: what daemons listen on, who is connected.

use std::net::SocketAddr;

use crate::Pid;
use crate::facts::Interface;
use crate::lock;
use crate::machine::{Kernel, Machine};

/// The protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// One socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketInfo {
    /// Its protocol.
    pub protocol: Protocol,
    /// Its own end.
    pub local: SocketAddr,
    /// The other end; a socket without one listens.
    pub remote: Option<SocketAddr>,
    /// Its owner.
    pub uid: u32,
    /// Its inode: `socket:[N]`.
    pub inode: u64,
    /// The process that holds it.
    pub pid: Pid,
}

/// What went through an interface since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
}

impl Machine {
    /// Adds a connection that a daemon serves; its inode is made up. It goes when the daemon is
    /// [removed](Machine::remove_resident).
    pub fn add_socket(&self, mut socket: SocketInfo) {
        socket.inode = self.kernel.next_pipe();
        lock(&self.kernel.sockets).push(socket);
    }
}

impl Kernel {
    /// The sockets whose process is alive; a connection with several channels once.
    pub(crate) fn sockets(&self) -> Vec<SocketInfo> {
        let all = lock(&self.sockets).clone();
        let mut shown: Vec<SocketInfo> = Vec::with_capacity(all.len());
        for socket in all {
            let twice = shown.iter().any(|known| {
                (known.protocol, known.local, known.remote)
                    == (socket.protocol, socket.local, socket.remote)
            });
            if !twice && self.process(socket.pid).is_some() {
                shown.push(socket);
            }
        }
        shown
    }

    /// Forgets the sockets of a process that is gone.
    pub(crate) fn close_sockets(&self, pid: Pid) {
        lock(&self.sockets).retain(|socket| socket.pid != pid);
    }

    /// What went through an interface: a steady trickle, as on a server that nobody needs much.
    pub(crate) fn traffic(&self, interface: &Interface) -> Traffic {
        let seconds = self.uptime().as_secs();
        if interface.name == b"lo" {
            let (packets, bytes) = (seconds / 90, seconds * 2);
            return Traffic {
                rx_packets: packets,
                rx_bytes: bytes,
                tx_packets: packets,
                tx_bytes: bytes,
            };
        }
        Traffic {
            rx_packets: seconds * 3 / 2,
            rx_bytes: seconds * 311,
            tx_packets: seconds,
            tx_bytes: seconds * 173,
        }
    }
}
