//! How a response's body ends: by its length, by chunks, or with the connection (RFC 9112 §6, §7.1).

use sundew_kernel::network::Stream;

use super::http::read_more;
use super::{End, Head};

/// Longest line before a chunk, in bytes: its size and what extensions anybody sends.
const MAX_CHUNK_LINE_BYTES: usize = 4096;

/// What is still to come.
#[derive(Debug)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// Until the connection ends.
    UntilClosed,
    /// A chunk's size line.
    ChunkSize,
    /// So much of a chunk, then its line end.
    Chunk(u64),
}

impl Body {
    /// As the head says.
    pub(super) fn of(head: &Head) -> Self {
        let coding = head.value("transfer-encoding").unwrap_or_default();
        if coding.to_ascii_lowercase().ends_with(b"chunked") {
            return Self::ChunkSize;
        }
        head.length.map_or(Self::UntilClosed, Self::Length)
    }

    /// The next piece, never empty; `None` at the end.
    pub(super) async fn next(
        &mut self,
        stream: &mut Box<dyn Stream>,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Vec<u8>>, End> {
        loop {
            let left = match self {
                Self::Length(0) => return Ok(None),
                Self::ChunkSize => {
                    let size = chunk_size(stream, buffer).await?;
                    if size == 0 {
                        return Ok(None);
                    }
                    *self = Self::Chunk(size);
                    continue;
                }
                Self::Chunk(0) => {
                    chunk_line(stream, buffer).await?;
                    *self = Self::ChunkSize;
                    continue;
                }
                Self::Length(left) | Self::Chunk(left) => Some(left),
                Self::UntilClosed => None,
            };
            if buffer.is_empty() && read_more(stream, buffer).await? == 0 {
                return if left.is_none() {
                    Ok(None)
                } else {
                    Err(End::Cut)
                };
            }
            let Some(left) = left else {
                return Ok(Some(std::mem::take(buffer)));
            };
            let count = usize::try_from(*left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            *left -= count as u64;
            let rest = buffer.split_off(count);
            return Ok(Some(std::mem::replace(buffer, rest)));
        }
    }
}

async fn chunk_line(stream: &mut Box<dyn Stream>, buffer: &mut Vec<u8>) -> Result<Vec<u8>, End> {
    loop {
        if let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
            let rest = buffer.split_off(end + 1);
            return Ok(std::mem::replace(buffer, rest));
        }
        if buffer.len() > MAX_CHUNK_LINE_BYTES || read_more(stream, buffer).await? == 0 {
            return Err(End::Cut);
        }
    }
}

async fn chunk_size(stream: &mut Box<dyn Stream>, buffer: &mut Vec<u8>) -> Result<u64, End> {
    let line = chunk_line(stream, buffer).await?;
    let digits: Vec<u8> = line
        .iter()
        .copied()
        .take_while(u8::is_ascii_hexdigit)
        .collect();
    let text = std::str::from_utf8(&digits).map_err(|_| End::Cut)?;
    u64::from_str_radix(text, 16).map_err(|_| End::Cut)
}
