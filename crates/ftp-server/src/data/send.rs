//! A file on its way to the client.

use std::io::IoSliceMut;
use std::sync::Arc;

use ftp_proto::server::{FileError, TransferEnd};
use ftp_proto::transfer::{Encoder, Encoding};
use rustix::io::{Errno, ReadWriteFlags};
use tokio::io::Interest;
use tokio::time::timeout;

use super::{DataStream, Socket, Traffic};
use crate::account::Meter;
use crate::backend::{CHUNK_BYTES, HostFile, Reader};

/// Bytes asked of one sendfile(2), and looked at ahead of it. A call takes a fraction of a
/// millisecond then, during which nobody else runs on this thread.
const WINDOW_BYTES: u64 = 1 << 20;

/// Largest file that is sent without telling the runtime of its socket, in bytes: what the buffer of a
/// new socket takes at least, unless an administrator has made it smaller.
const AT_ONCE_BYTES: u64 = 16 * 1024;

/// Sends a small file without waiting for anything, so that the reply that announces it and the one
/// that ends it can go out together. Gives how many bytes were sent, and whether that was all.
pub(crate) fn send_at_once(
    socket: &Socket,
    reader: &impl Reader,
    meter: &Meter,
) -> Result<(u64, bool), TransferEnd> {
    let Some(file) = reader.host_file().filter(|_| meter.has_no_rate()) else {
        return Ok((0, false));
    };
    let length = file.length.unwrap_or(u64::MAX);
    let mut source = Source::new(file);
    if length > AT_ONCE_BYTES || !(source.warm > 0 || source.is_there(length)) {
        return Ok((0, false));
    }
    let mut left = usize::try_from(length).unwrap_or(0);
    while left > 0 {
        let fd = socket.fd().map_err(|_| TransferEnd::Cut)?;
        let offset = &mut source.offset;
        match rustix::fs::sendfile(fd, &*source.file.file, Some(offset), left) {
            // It has become shorter.
            Ok(0) => break,
            Ok(count) => {
                left = left.saturating_sub(count);
                meter.note(count).map_err(TransferEnd::Failed)?;
            }
            Err(Errno::AGAIN) => return Ok((source.offset - source.file.offset, false)),
            Err(_) => return Err(TransferEnd::Cut),
        }
    }
    Ok((source.offset - source.file.offset, true))
}

/// Which bytes of a file are sent, and how they stand on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// Bytes that were sent already.
    pub(crate) already: u64,
    /// Most bytes to send in all.
    pub(crate) length: Option<u64>,
    pub(crate) encoding: Encoding,
}

/// Sends a file to its end, but for the first `already` bytes.
pub(crate) async fn send(
    mut stream: DataStream,
    mut reader: impl Reader,
    form: Form,
    traffic: &Traffic<'_>,
) -> TransferEnd {
    let file = reader.host_file().map(|mut file| {
        if let Some(length) = form.length {
            file.length = Some(file.length.map_or(length, |all| all.min(length)));
        }
        file.offset += form.already;
        file.length = file
            .length
            .map(|length| length.saturating_sub(form.already));
        file
    });
    let result = match (&mut stream, file) {
        (DataStream::Clear(socket), Some(file)) if form.encoding.is_plain() => {
            Source::new(file).send_to(socket, traffic).await
        }
        (stream, Some(file)) => {
            let source = Source::new(file);
            source.copy_to(stream, form.encoding, traffic).await
        }
        (stream, None) => copy(stream, &mut reader, &form, traffic).await,
    };
    match result {
        Ok(()) => stream.finish(traffic.idle).await,
        Err(end) => end,
    }
}

/// Sends what a backend reads for us.
async fn copy(
    stream: &mut DataStream,
    reader: &mut impl Reader,
    form: &Form,
    traffic: &Traffic<'_>,
) -> Result<(), TransferEnd> {
    let mut coder = Coder::new(form.encoding);
    let mut left = form.length.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(bytes) = reader.read().await.map_err(TransferEnd::Failed)? else {
            break;
        };
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let bytes = bytes.slice(..count);
        left -= count as u64;
        coder.send(stream, &bytes, traffic).await?;
    }
    coder.finish(stream, traffic).await
}

/// Bytes encoded at a time: a piece takes a fraction of a millisecond even to deflate.
const PIECE_BYTES: usize = 16 * 1024;

/// What TYPE, STRU and MODE make of the bytes.
pub(crate) struct Coder {
    encoder: Option<Encoder>,
    encoded: Vec<u8>,
}

impl Coder {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self {
            encoder: (!encoding.is_plain()).then(|| Encoder::new(encoding)),
            encoded: Vec::new(),
        }
    }

    pub(crate) async fn send(
        &mut self,
        stream: &mut DataStream,
        bytes: &[u8],
        traffic: &Traffic<'_>,
    ) -> Result<(), TransferEnd> {
        let Some(encoder) = &mut self.encoder else {
            return put(stream, bytes, traffic).await;
        };
        for piece in bytes.chunks(PIECE_BYTES) {
            encoder.encode(piece, &mut self.encoded);
            tokio::task::coop::consume_budget().await;
            if self.encoded.len() >= CHUNK_BYTES {
                put(stream, &self.encoded, traffic).await?;
                self.encoded.clear();
            }
        }
        put(stream, &self.encoded, traffic).await?;
        self.encoded.clear();
        Ok(())
    }

    /// Sends what says that the file has ended.
    pub(crate) async fn finish(
        mut self,
        stream: &mut DataStream,
        traffic: &Traffic<'_>,
    ) -> Result<(), TransferEnd> {
        if let Some(encoder) = &mut self.encoder {
            encoder.finish(&mut self.encoded);
        }
        put(stream, &self.encoded, traffic).await
    }
}

async fn put(
    stream: &mut DataStream,
    bytes: &[u8],
    traffic: &Traffic<'_>,
) -> Result<(), TransferEnd> {
    for piece in bytes.chunks(traffic.step(CHUNK_BYTES)) {
        let sent = stream.write_all(piece, traffic.idle).await;
        sent.map_err(|_| TransferEnd::Cut)?;
        traffic.moved(piece.len()).await?;
    }
    Ok(())
}

/// A file of the host that is being sent.
struct Source {
    file: HostFile,
    offset: u64,
    /// Where to stop; the file may end before.
    end: u64,
    /// Up to here it was seen to be in memory.
    warm: u64,
}

impl Source {
    fn new(file: HostFile) -> Self {
        let length = file.length.unwrap_or(u64::MAX);
        Self {
            offset: file.offset,
            end: file.offset.saturating_add(length),
            warm: if file.is_memory { u64::MAX } else { 0 },
            file,
        }
    }

    /// The kernel moves the bytes.
    async fn send_to(
        &mut self,
        socket: &mut Socket,
        traffic: &Traffic<'_>,
    ) -> Result<(), TransferEnd> {
        let step = traffic.step(usize::try_from(WINDOW_BYTES).unwrap_or(usize::MAX));
        let file = Arc::clone(&self.file.file);
        while self.offset < self.end {
            self.warm_up().await?;
            let most = self.end.min(self.warm).saturating_sub(self.offset);
            let most = usize::try_from(most).unwrap_or(usize::MAX).min(step);
            let offset = &mut self.offset;
            let send = socket.attempt(Interest::WRITABLE, |fd| {
                rustix::fs::sendfile(fd, &*file, Some(offset), most)
            });
            let Ok(Ok(count)) = timeout(traffic.idle, send).await else {
                return Err(TransferEnd::Cut);
            };
            if count == 0 {
                break;
            }
            traffic.moved(count).await?;
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    /// The bytes pass through us, to be converted or encrypted.
    async fn copy_to(
        mut self,
        stream: &mut DataStream,
        encoding: Encoding,
        traffic: &Traffic<'_>,
    ) -> Result<(), TransferEnd> {
        let mut coder = Coder::new(encoding);
        let mut buffer = Vec::new();
        while self.offset < self.end {
            self.read(&mut buffer).await.map_err(TransferEnd::Failed)?;
            if buffer.is_empty() {
                break;
            }
            coder.send(stream, &buffer, traffic).await?;
        }
        coder.finish(stream, traffic).await
    }

    /// Reads the next piece, which is empty at the end.
    async fn read(&mut self, buffer: &mut Vec<u8>) -> Result<(), FileError> {
        let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        buffer.resize(left.min(CHUNK_BYTES), 0);
        let flags = if self.file.is_memory {
            ReadWriteFlags::empty()
        } else {
            ReadWriteFlags::NOWAIT
        };
        let room = &mut [IoSliceMut::new(buffer)];
        let count = match rustix::io::preadv2(&*self.file.file, room, self.offset, flags) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::OPNOTSUPP) => {
                let (offset, mut owned) = (self.offset, std::mem::take(buffer));
                let reading = self.file.blocking(move |file| {
                    let count = rustix::io::pread(file, &mut owned[..], offset)?;
                    Ok((owned, count))
                });
                let count;
                (*buffer, count) = reading.await?;
                count
            }
            Err(_) => return Err(FileError::Other),
        };
        buffer.truncate(count);
        self.offset += count as u64;
        Ok(())
    }

    /// Sees to it that the next bytes are in memory, so that sendfile does not wait for a disk on a
    /// thread of the runtime.
    async fn warm_up(&mut self) -> Result<(), TransferEnd> {
        if self.offset < self.warm {
            return Ok(());
        }
        let window = WINDOW_BYTES.min(self.end - self.offset);
        if !self.is_there(window) {
            let (first, last) = (self.offset, self.offset + window.saturating_sub(1));
            let reading = self.file.blocking(move |file| {
                let mut scratch = vec![0; CHUNK_BYTES];
                let mut offset = first;
                while offset <= last {
                    match rustix::io::pread(file, &mut scratch[..], offset)? {
                        0 => break,
                        count => offset += count as u64,
                    }
                }
                Ok(())
            });
            reading.await.map_err(TransferEnd::Failed)?;
        }
        self.warm = self.offset + window;
        Ok(())
    }

    /// Whether so many bytes from here on seem to be in memory: the first and the last are.
    fn is_there(&self, length: u64) -> bool {
        let look = |offset| {
            let room = &mut [0_u8];
            let room = &mut [IoSliceMut::new(room)];
            rustix::io::preadv2(&*self.file.file, room, offset, ReadWriteFlags::NOWAIT).is_ok()
        };
        look(self.offset) && look(self.offset + length.saturating_sub(1))
    }
}
