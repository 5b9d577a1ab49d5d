//! The formats of compressed files, in steps, so that others get their turn and a bomb meets the
//! memory's bound.

use std::io::{self, Read, Write};

use lzma_rust2::{XzOptions, XzReader, XzWriter};
use sundew_kernel::Process;
use sundew_kernel::budget::Memory;

use super::deflate::{self, Failure, STEP};

/// Most memory that xz's dictionary may ask for, in KiB: what `xz -9` needs.
const MAX_XZ_KIB: u32 = 66 * 1024;
/// How much an xz encoder takes for a byte of what it compresses.
const XZ_FACTOR: usize = 12;
/// The smallest dictionary of xz, in bytes.
const MIN_DICTIONARY: usize = 4096;

/// How something is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Bzip2,
    Xz,
}

impl Format {
    /// As the first bytes say.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let formats = [Self::Gzip, Self::Bzip2, Self::Xz];
        formats.into_iter().find(|format| format.marks(bytes))
    }

    /// Whether `bytes` begin as this format does.
    pub(super) fn marks(self, bytes: &[u8]) -> bool {
        match self {
            Self::Gzip => deflate::is_gzip(bytes),
            Self::Bzip2 => bytes.starts_with(b"BZh"),
            Self::Xz => bytes.starts_with(b"\xfd7zXZ\0"),
        }
    }

    /// What was compressed, and the account it is charged to.
    pub(super) async fn unpack(
        self,
        proc: &Process,
        bytes: &[u8],
    ) -> Result<(Vec<u8>, Memory), Failure> {
        if !self.marks(bytes) {
            return Err(Failure::Format);
        }
        match self {
            Self::Gzip => deflate::decompress(proc, bytes).await,
            Self::Bzip2 => read(proc, bzip2::read::MultiBzDecoder::new(bytes), 1).await,
            // What came stays in the dictionary, too.
            Self::Xz => read(proc, XzReader::new_mem_limit(bytes, true, MAX_XZ_KIB), 2).await,
        }
    }

    /// The bytes compressed, and the account they are charged to.
    pub(super) async fn pack(
        self,
        proc: &Process,
        bytes: &[u8],
        level: u32,
    ) -> Result<(Vec<u8>, Memory), Failure> {
        let mut memory = proc.memory();
        let factor = if self == Self::Xz { XZ_FACTOR } else { 1 };
        let cost = bytes.len().saturating_mul(factor);
        memory.grow(cost).map_err(|_| Failure::Memory)?;
        let packed = match self {
            Self::Gzip => deflate::compress(proc, bytes, level, None).await,
            Self::Bzip2 => {
                let level = bzip2::Compression::new(level.clamp(1, 9));
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
                match write(proc, &mut encoder, bytes).await {
                    Ok(()) => encoder.finish().ok(),
                    Err(_) => None,
                }
            }
            Self::Xz => {
                let mut options = XzOptions::with_preset(level.min(9));
                // A dictionary larger than all there is would only cost.
                let dictionary = &mut options.lzma_options.dict_size;
                let whole = u32::try_from(bytes.len().max(MIN_DICTIONARY));
                *dictionary = whole.unwrap_or(u32::MAX).min(*dictionary);
                match XzWriter::new(Vec::new(), options) {
                    Ok(mut encoder) => match write(proc, &mut encoder, bytes).await {
                        Ok(()) => encoder.finish().ok(),
                        Err(_) => None,
                    },
                    Err(_) => None,
                }
            }
        };
        Ok((packed.ok_or(Failure::Corrupt)?, memory))
    }
}

async fn write(proc: &Process, encoder: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    for chunk in bytes.chunks(STEP) {
        proc.tick().await;
        encoder.write_all(chunk)?;
    }
    Ok(())
}

async fn read(
    proc: &Process,
    mut decoder: impl Read,
    factor: usize,
) -> Result<(Vec<u8>, Memory), Failure> {
    let mut memory = proc.memory();
    let mut out = Vec::new();
    let mut step = vec![0; STEP];
    loop {
        proc.tick().await;
        let count = match decoder.read(&mut step) {
            Ok(0) => return Ok((out, memory)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Failure::Truncated);
            }
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                return Err(Failure::Memory);
            }
            Err(_) => return Err(Failure::Corrupt),
        };
        let cost = count.saturating_mul(factor);
        memory.grow(cost).map_err(|_| Failure::Memory)?;
        out.extend_from_slice(step.get(..count).unwrap_or_default());
    }
}
