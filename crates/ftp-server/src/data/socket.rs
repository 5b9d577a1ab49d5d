//! The socket of a data connection, which the runtime is told of only when it has to be waited for.
//!
//! A small file is sent by one call on a socket that is never waited for; registering it with epoll
//! and taking it out again would double its system calls.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// A connected socket that does not block.
#[derive(Debug)]
pub(crate) enum Socket {
    /// The runtime does not know of it.
    Fresh(std::net::TcpStream),
    Watched(TcpStream),
    /// Telling the runtime has failed; every call does now.
    Lost,
}

impl Socket {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self::Fresh(socket.into())
    }

    /// As the runtime has it.
    pub(crate) fn into_watched(self) -> io::Result<TcpStream> {
        match self {
            Self::Fresh(socket) => TcpStream::from_std(socket),
            Self::Watched(stream) => Ok(stream),
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(crate) fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        match self {
            Self::Fresh(socket) => Ok(socket.as_fd()),
            Self::Watched(stream) => Ok(stream.as_fd()),
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Makes a call that would block again and again until it does not. Cancel-safe if the call is.
    pub(crate) async fn attempt<T>(
        &mut self,
        interest: Interest,
        mut call: impl FnMut(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> io::Result<T> {
        match call(self.fd()?) {
            Err(Errno::AGAIN) => {}
            result => return Ok(result?),
        }
        let stream = self.watched()?;
        loop {
            stream.ready(interest).await?;
            match stream.try_io(interest, || Ok(call(stream.as_fd())?)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }

    fn watched(&mut self) -> io::Result<&TcpStream> {
        if matches!(self, Self::Fresh(_)) {
            let stream = std::mem::replace(self, Self::Lost).into_watched()?;
            *self = Self::Watched(stream);
        }
        match self {
            Self::Watched(stream) => Ok(stream),
            Self::Fresh(_) | Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}
