//! gzip's format in steps, so that others get their turn and a bomb meets the memory's bound.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use sundew_kernel::Process;
use sundew_kernel::budget::Memory;

/// Bytes handled between two ticks.
pub(super) const STEP: usize = 64 * 1024;

/// Why something could not be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// No gzip at all.
    Format,
    /// It ends too early.
    Truncated,
    /// Its checksum or content is wrong.
    Corrupt,
    /// The machine's memory is too small for it.
    Memory,
}

/// Whether `bytes` begin as gzip does.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The bytes that were compressed, and the account they are charged to.
pub(super) async fn decompress(proc: &Process, bytes: &[u8]) -> Result<(Vec<u8>, Memory), Failure> {
    if !is_gzip(bytes) {
        return Err(Failure::Format);
    }
    let mut memory = proc.memory();
    let mut decoder = MultiGzDecoder::new(bytes);
    let mut out = Vec::new();
    let mut step = vec![0; STEP];
    loop {
        proc.tick().await;
        let count = match decoder.read(&mut step) {
            Ok(0) => return Ok((out, memory)),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(Failure::Truncated);
            }
            // Garbage behind the last member is passed over, as gzip does with a warning.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput && !out.is_empty() => {
                return Ok((out, memory));
            }
            Err(_) => return Err(Failure::Corrupt),
        };
        memory.grow(count).map_err(|_| Failure::Memory)?;
        out.extend_from_slice(step.get(..count).unwrap_or_default());
    }
}

/// The bytes compressed, with a name and time in the header if given.
pub(super) async fn compress(
    proc: &Process,
    bytes: &[u8],
    level: u32,
    name: Option<(&[u8], u32)>,
) -> Option<Vec<u8>> {
    let mut builder = flate2::GzBuilder::new().operating_system(3);
    if let Some((name, time)) = name {
        builder = builder.filename(name).mtime(time);
    }
    let mut encoder: GzEncoder<Vec<u8>> = builder.write(Vec::new(), Compression::new(level));
    for chunk in bytes.chunks(STEP) {
        proc.tick().await;
        encoder.write_all(chunk).ok()?;
    }
    encoder.finish().ok()
}
