//! MODE Z between the caller's bytes and the connection's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ftp_proto::Verb;
use ftp_proto::transfer::codec::{DecodeError, Decoder, Encoder, Encoding, Framing, Progress};
use tokio::io::{AsyncRead, ReadBuf};

use super::flow::Flow;
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};

/// Bytes of the connection taken at once; what they become is bounded by the decoder.
const CHUNK_BYTES: usize = 16 * 1024;

/// Encoded bytes that may wait for the connection before more are taken.
const MAX_WAITING_BYTES: usize = 64 * 1024;

/// Files inside of deflate.
fn encoding(level: u8) -> Encoding {
    Encoding {
        framing: Framing::Deflate { level },
        ..Encoding::PLAIN
    }
}

/// A download's bytes on their way out of deflate.
pub(super) struct Inflow {
    decoder: Decoder,
    /// From the connection; the first `used` bytes are decoded.
    raw: Vec<u8>,
    used: usize,
    /// For the caller; the first `given` bytes are taken.
    plain: Vec<u8>,
    given: usize,
    ended: bool,
    pub(super) received: u64,
}

impl Inflow {
    pub(super) fn new(level: u8) -> Self {
        Self {
            decoder: Decoder::new(encoding(level)),
            raw: Vec::new(),
            used: 0,
            plain: Vec::new(),
            given: 0,
            ended: false,
            received: 0,
        }
    }

    /// Reads decoded bytes; `source` reads those of the connection, up to the confirmed end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        verb: Verb,
        mut source: impl FnMut(&mut Context<'_>, &mut ReadBuf<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        loop {
            let ready = self.plain.get(self.given..).unwrap_or_default();
            if !ready.is_empty() || buf.remaining() == 0 {
                let count = ready.len().min(buf.remaining());
                buf.put_slice(ready.get(..count).unwrap_or_default());
                self.given += count;
                self.received = self.received.saturating_add(count as u64);
                return Poll::Ready(Ok(()));
            }
            self.plain.clear();
            self.given = 0;
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            let mut input = self.raw.get(self.used..).unwrap_or_default();
            if !input.is_empty() {
                let before = input.len();
                let decoded = self.decoder.decode(&mut input, &mut self.plain);
                self.used += before - input.len();
                match decoded {
                    Ok(Progress::Hungry | Progress::Full) => {}
                    // What follows the end does not belong to the file.
                    Ok(Progress::Ended) => self.used = self.raw.len(),
                    Err(error) => return Poll::Ready(Err(self.refuse(verb, error))),
                }
                continue;
            }
            self.raw.resize(CHUNK_BYTES, 0);
            self.used = CHUNK_BYTES;
            let mut space = ReadBuf::new(&mut self.raw);
            ready!(source(cx, &mut space))?;
            let count = space.filled().len();
            self.raw.truncate(count);
            self.used = 0;
            if count == 0 {
                self.ended = true;
                if let Err(error) = self.decoder.finish(&mut self.plain) {
                    return Poll::Ready(Err(self.refuse(verb, error)));
                }
            }
        }
    }

    fn refuse(&mut self, verb: Verb, error: DecodeError) -> io::Error {
        self.ended = true;
        let cause = match error {
            DecodeError::Cut => Cause::Truncated {
                received: self.received,
                expected: None,
            },
            other => Cause::Io(std::sync::Arc::new(io::Error::new(
                io::ErrorKind::InvalidData,
                other,
            ))),
        };
        Error::new(Phase::Transfer(verb), cause).into()
    }
}

/// An upload's bytes on their way into deflate.
pub(super) struct Outflow {
    encoder: Encoder,
    /// For the connection; the first `sent` bytes are on their way.
    waiting: Vec<u8>,
    sent: usize,
    ended: bool,
    pub(super) taken: u64,
}

impl Outflow {
    pub(super) fn new(level: u8) -> Self {
        Self {
            encoder: Encoder::new(encoding(level)),
            waiting: Vec::new(),
            sent: 0,
            ended: false,
            taken: 0,
        }
    }

    /// Takes bytes of the caller's as soon as few enough wait.
    pub(super) fn poll_write<D: Dial>(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
        flow: &mut Flow<'_, D>,
    ) -> Poll<io::Result<usize>> {
        if self.waiting.len() - self.sent > MAX_WAITING_BYTES {
            ready!(self.poll_drain(cx, flow))?;
        }
        let piece = buf.get(..MAX_WAITING_BYTES).unwrap_or(buf);
        self.encoder.encode(piece, &mut self.waiting);
        self.taken = self.taken.saturating_add(piece.len() as u64);
        Poll::Ready(Ok(piece.len()))
    }

    /// Hands over all that waits.
    pub(super) fn poll_drain<D: Dial>(
        &mut self,
        cx: &mut Context<'_>,
        flow: &mut Flow<'_, D>,
    ) -> Poll<io::Result<()>> {
        while let Some(bytes) = self
            .waiting
            .get(self.sent..)
            .filter(|rest| !rest.is_empty())
        {
            self.sent += ready!(flow.poll_write(cx, bytes))?;
        }
        self.waiting.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Says that the file has ended, and hands that over.
    pub(super) fn poll_end<D: Dial>(
        &mut self,
        cx: &mut Context<'_>,
        flow: &mut Flow<'_, D>,
    ) -> Poll<io::Result<()>> {
        if !self.ended {
            self.encoder.finish(&mut self.waiting);
            self.ended = true;
        }
        self.poll_drain(cx, flow)
    }
}

/// The connection's bytes, those first that were read ahead.
pub(super) fn read_raw<D: Dial>(
    flow: &mut Flow<'_, D>,
    ahead: &mut io::Cursor<Vec<u8>>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    if ahead.get_ref().is_empty() {
        return flow.poll_read(cx, buf);
    }
    let before = buf.filled().len();
    ready!(Pin::new(&mut *ahead).poll_read(cx, buf))?;
    let count = buf.filled().len() - before;
    flow.note_moved(count);
    if ahead.position() == ahead.get_ref().len() as u64 {
        *ahead = io::Cursor::default();
    }
    Poll::Ready(Ok(()))
}

/// The end of an upload, the encoder's included.
pub(super) fn poll_end<D: Dial>(
    coding: &mut Option<Outflow>,
    flow: &mut Flow<'_, D>,
    cx: &mut Context<'_>,
) -> Poll<Result<ftp_proto::Reply, Error>> {
    if let Some(coding) = coding {
        // A connection that takes no more has a reason, which the flow's own end tells.
        let _result = ready!(coding.poll_end(cx, flow));
    }
    flow.poll_finish(cx)
}
