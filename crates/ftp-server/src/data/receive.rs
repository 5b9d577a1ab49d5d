//! A file on its way from the client.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use ftp_proto::server::{FileError, TransferEnd};
use ftp_proto::transfer::{DecodeError, Decoder, Progress};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::time::timeout;

use super::{DataStream, Form, Socket, Traffic};
use crate::backend::{CHUNK_BYTES, HostFile, Writer};

/// Bytes after which a file counts as large: a pipe is made for it, through which the kernel moves the
/// rest.
const LARGE_BYTES: u64 = 256 * 1024;

/// Bytes a pipe holds, if the system lets us: what anybody may have (`/proc/sys/fs/pipe-max-size`).
const PIPE_BYTES: usize = 1 << 20;

/// Receives a file until the client closes.
pub(crate) async fn receive(
    mut stream: DataStream,
    writer: impl Writer,
    form: Form,
    traffic: &Traffic<'_>,
) -> TransferEnd {
    let mut writer = Measured {
        writer,
        left: form.length,
        written: 0,
    };
    let received = async {
        let is_whole = copy(&mut stream, &mut writer, form, traffic).await?;
        if !is_whole
            && let DataStream::Clear(socket) = &mut stream
            && let Some(file) = writer.host_file()
        {
            let moved = Moved::new(file, socket, writer.left).run(traffic).await?;
            writer.writer.advance(moved);
        }
        Ok(())
    };
    let end = received.await;
    if matches!(stream, DataStream::Secure(_)) {
        // Clients wait for our close_notify before they look at the reply. One that does not want it
        // any more has sent everything all the same.
        stream.finish(traffic.idle).await;
    }
    match end {
        Ok(()) => writer
            .writer
            .finish()
            .await
            .map_or_else(TransferEnd::Failed, |()| TransferEnd::Complete),
        Err(end) => end,
    }
}

/// A file that is written, with what there may be of it.
struct Measured<W> {
    writer: W,
    /// Bytes that may still come, if that is bounded.
    left: Option<u64>,
    written: u64,
}

impl<W: Writer> Measured<W> {
    async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<(), TransferEnd> {
        let bytes = bytes.into();
        let count = bytes.len() as u64;
        if let Some(left) = &mut self.left {
            // What fits of it is not written: the client has made a mistake.
            let less = left.checked_sub(count);
            *left = less.ok_or(TransferEnd::Failed(FileError::OverQuota))?;
        }
        self.written += count;
        let written = self.writer.write(bytes).await;
        written.map_err(TransferEnd::Failed)
    }

    fn host_file(&self) -> Option<HostFile> {
        self.writer.host_file()
    }
}

/// Receives by way of our own memory. Stops early if the kernel can do the rest alone, and says so
/// with `false`.
async fn copy(
    stream: &mut DataStream,
    writer: &mut Measured<impl Writer>,
    form: Form,
    traffic: &Traffic<'_>,
) -> Result<bool, TransferEnd> {
    let encoding = form.encoding;
    let is_plain = encoding.is_plain();
    let is_clear = matches!(stream, DataStream::Clear(_));
    let mut decoder = Decoder::new(encoding);
    let mut received = 0_u64;
    loop {
        let mut bytes = Vec::new();
        let limit = traffic.step(CHUNK_BYTES);
        let read = stream.read(&mut bytes, limit, traffic.idle).await;
        let count = read.map_err(|_| TransferEnd::Cut)?;
        if count == 0 {
            break;
        }
        let has_ended = if is_plain {
            writer.write(bytes).await?;
            false
        } else {
            decode(&mut decoder, &bytes, writer, traffic).await?
        };
        traffic.moved(count).await?;
        if has_ended {
            break;
        }
        received += count as u64;
        if is_plain && is_clear && received >= LARGE_BYTES && writer.host_file().is_some() {
            return Ok(false);
        }
    }
    let mut rest = Vec::new();
    decoder.finish(&mut rest).map_err(malformed)?;
    if !rest.is_empty() {
        writer.write(rest).await?;
    }
    Ok(true)
}

/// Writes what some bytes mean; says whether the file has ended with them.
async fn decode(
    decoder: &mut Decoder,
    mut bytes: &[u8],
    writer: &mut Measured<impl Writer>,
    traffic: &Traffic<'_>,
) -> Result<bool, TransferEnd> {
    // What a deflated file becomes is held to the quota as it grows.
    let beyond = bytes.len() as u64;
    let mut inflated = 0;
    loop {
        let mut decoded = Vec::new();
        let progress = decoder
            .decode(&mut bytes, &mut decoded)
            .map_err(malformed)?;
        if !decoded.is_empty() {
            inflated += decoded.len() as u64;
            let more = inflated.saturating_sub(beyond).min(decoded.len() as u64);
            traffic.inflated(more)?;
            writer.write(decoded).await?;
        }
        match progress {
            Progress::Full => {}
            Progress::Hungry => return Ok(false),
            Progress::Ended => return Ok(true),
        }
    }
}

fn malformed(error: DecodeError) -> TransferEnd {
    match error {
        DecodeError::Cut => TransferEnd::Cut,
        DecodeError::Escape | DecodeError::Deflate => TransferEnd::Malformed,
    }
}

/// Bytes that the kernel moves from a socket through a pipe to a file.
struct Moved<'a> {
    socket: &'a mut Socket,
    file: HostFile,
    /// Bytes that may still come, if that is bounded.
    left: Option<u64>,
}

impl<'a> Moved<'a> {
    const fn new(file: HostFile, socket: &'a mut Socket, left: Option<u64>) -> Self {
        Self { socket, file, left }
    }

    /// To the end; gives how many bytes it were.
    async fn run(self, traffic: &Traffic<'_>) -> Result<u64, TransferEnd> {
        let Ok((outlet, inlet)) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK) else {
            return Err(TransferEnd::Failed(FileError::Busy));
        };
        // A smaller pipe is slower and no worse.
        let size = fcntl_setpipe_size(&inlet, PIPE_BYTES).unwrap_or(64 * 1024);
        let outlet = Arc::new(outlet);
        let limit = traffic.step(size);
        let mut offset = self.file.offset;
        loop {
            let take = self.socket.attempt(Interest::READABLE, |fd| {
                splice(fd, None, &inlet, None, limit, SPLICE)
            });
            let mut count = match timeout(traffic.idle, take).await {
                Ok(Ok(0)) => return Ok(offset - self.file.offset),
                Ok(Ok(count)) => count,
                Ok(Err(_)) | Err(_) => return Err(TransferEnd::Cut),
            };
            // As much as is there, or the pipe holds: each trip to the disk costs two switches.
            while count < limit {
                let fd = self.socket.fd().map_err(|_| TransferEnd::Cut)?;
                match splice(fd, None, &inlet, None, limit - count, SPLICE) {
                    Ok(0) | Err(Errno::AGAIN) => break,
                    Ok(more) => count += more,
                    Err(_) => return Err(TransferEnd::Cut),
                }
            }
            let all = (offset - self.file.offset).saturating_add(count as u64);
            if self.left.is_some_and(|left| all > left) {
                return Err(TransferEnd::Failed(FileError::OverQuota));
            }
            self.store(&outlet, offset, count).await?;
            offset += count as u64;
            traffic.moved(count).await?;
        }
    }

    async fn store(
        &self,
        outlet: &Arc<OwnedFd>,
        offset: u64,
        count: usize,
    ) -> Result<(), TransferEnd> {
        let outlet = Arc::clone(outlet);
        let written = self.file.blocking(move |file| {
            let (mut offset, mut left) = (offset, count);
            while left > 0 {
                match splice(
                    &outlet,
                    None,
                    file,
                    Some(&mut offset),
                    left,
                    SpliceFlags::MOVE,
                )? {
                    0 => return Err(Errno::IO),
                    count => left = left.saturating_sub(count),
                }
            }
            Ok(())
        });
        written.await.map_err(TransferEnd::Failed)
    }
}

const SPLICE: SpliceFlags = SpliceFlags::MOVE.union(SpliceFlags::NONBLOCK);
