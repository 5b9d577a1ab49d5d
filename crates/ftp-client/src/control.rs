//! Bytes of a control connection, in and out, with a buffer between; no idea of lines or replies.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Most bytes taken from the peer at once. Replies are short; a flood is read piece by piece. The
/// same number as the C library's buffer of a socket, which [`Control::has_unread`] depends on.
const READ_BYTES: usize = 4096;

/// A control connection and what was read from it but not yet used.
pub(crate) struct Control<S> {
    stream: S,
    buffer: Box<[u8; READ_BYTES]>,
    start: usize,
    end: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Control<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Box::new([0; READ_BYTES]),
            start: 0,
            end: 0,
        }
    }

    /// Writes the whole of `bytes`; dropping the future may leave a part written.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// What was read and not yet [taken](Self::consume), reading first if there is nothing; empty
    /// at the end of the stream.
    ///
    /// Cancel-safe: bytes are either still with the peer or in the buffer.
    pub(crate) async fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start >= self.end {
            (self.start, self.end) = (0, 0);
            self.end = self.stream.read(self.buffer.as_mut_slice()).await?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// Whether bytes were read and not yet taken.
    pub(crate) const fn has_unread(&self) -> bool {
        self.start < self.end
    }

    /// Marks that many bytes of the buffer as used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }
}
