//! Bytes of a changed file: what is left of the image's content, and changed chunks over it.
//!
//! A chunk replaces the image for its whole range. It holds a prefix of the range; the rest, and
//! ranges with neither chunk nor image, read as zeros. So a first write copies one chunk, not the
//! file, and holes cost nothing.

use std::collections::BTreeMap;

use crate::Errno;
use crate::image::{Content, copy_from};

/// What is copied from the image at the first write to a range, in bytes.
///
/// Small enough that the copy takes a microsecond, large enough that the table of a 50 MiB
/// download has a few thousand rows.
pub(crate) const CHUNK_BYTES: u64 = 16 * 1024;

/// What a chunk is rounded up to in quotas and `st_blocks`: the block size of ext4.
///
/// Charging whole blocks also pays for the row of the chunk, so that a file with one byte in every
/// chunk does not cost more than it is charged.
pub(crate) const BLOCK_BYTES: u64 = 4096;

/// Largest offset a file may reach: what ext4 allows with 4 KiB blocks. Beyond is `EFBIG`.
pub(crate) const MAX_FILE_BYTES: u64 = (16 << 40) - BLOCK_BYTES;

#[derive(Clone, Default, Debug)]
pub(crate) struct FileData {
    size: u64,
    /// How much of the image's content still shows through; never more than `size`.
    base_len: u64,
    chunks: BTreeMap<u64, Vec<u8>>,
    /// Blocks held by `chunks`.
    blocks: u64,
}

impl FileData {
    /// The whole content of the image, unchanged so far.
    pub(crate) fn over(base: &Content) -> Self {
        Self {
            size: base.len(),
            base_len: base.len(),
            ..Self::default()
        }
    }

    /// Size, how much of the image shows through, and the chunks: what has to be saved.
    pub(crate) fn parts(&self) -> (u64, u64, &BTreeMap<u64, Vec<u8>>) {
        (self.size, self.base_len, &self.chunks)
    }

    /// A file of saved parts; `None` if they cannot belong together.
    pub(crate) fn from_parts(
        size: u64,
        base_len: u64,
        chunks: BTreeMap<u64, Vec<u8>>,
    ) -> Option<Self> {
        let sound = size <= MAX_FILE_BYTES
            && base_len <= size
            && chunks.iter().all(|(index, chunk)| {
                let end = index
                    .saturating_mul(CHUNK_BYTES)
                    .saturating_add(chunk.len() as u64);
                chunk.len() as u64 <= CHUNK_BYTES && end <= size.max(1)
            });
        let blocks = chunks
            .values()
            .map(|chunk| (chunk.len() as u64).div_ceil(BLOCK_BYTES))
            .sum();
        sound.then_some(Self {
            size,
            base_len,
            chunks,
            blocks,
        })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Blocks of [`BLOCK_BYTES`] that this overlay pays for.
    pub(crate) fn charged_blocks(&self) -> u64 {
        self.blocks
    }

    /// Blocks of [`BLOCK_BYTES`] the file seems to have: its own and the image's not yet replaced.
    pub(crate) fn apparent_blocks(&self) -> u64 {
        let replaced: u64 = self
            .chunks
            .range(..self.base_len.div_ceil(CHUNK_BYTES))
            .map(|(index, _)| {
                let shown = self.base_len - index * CHUNK_BYTES;
                shown.min(CHUNK_BYTES).div_ceil(BLOCK_BYTES)
            })
            .sum();
        self.base_len.div_ceil(BLOCK_BYTES) - replaced + self.blocks
    }

    /// Fills `buf` as far as the file goes.
    pub(crate) fn read_at(&self, base: Option<&Content>, offset: u64, buf: &mut [u8]) -> usize {
        let left = self.size.saturating_sub(offset);
        let wanted = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        let mut rest = buf.get_mut(..wanted).unwrap_or_default();
        let mut at = offset;
        while !rest.is_empty() {
            let within = at % CHUNK_BYTES;
            let count = clamp(CHUNK_BYTES - within, rest.len());
            let (piece, later) = rest.split_at_mut(count);
            let copied = match self.chunks.get(&(at / CHUNK_BYTES)) {
                Some(chunk) => copy_from(chunk, within, piece),
                None => self.read_base(base, at, piece),
            };
            piece.get_mut(copied..).unwrap_or_default().fill(0);
            rest = later;
            at += count as u64;
        }
        wanted
    }

    fn read_base(&self, base: Option<&Content>, at: u64, piece: &mut [u8]) -> usize {
        let shown = clamp(self.base_len.saturating_sub(at), piece.len());
        match (base, piece.get_mut(..shown)) {
            (Some(base), Some(piece)) => base.read_at(at, piece),
            _ => 0,
        }
    }

    /// Writes as much as `budget` further blocks allow and returns how much that was.
    ///
    /// # Errors
    ///
    /// `EFBIG` at the end of the largest file, `ENOSPC` when not a byte fits.
    pub(crate) fn write_at(
        &mut self,
        base: Option<&Content>,
        offset: u64,
        data: &[u8],
        budget: u64,
    ) -> Result<usize, Errno> {
        if data.is_empty() {
            return Ok(0);
        }
        let room = MAX_FILE_BYTES
            .checked_sub(offset)
            .filter(|room| *room > 0)
            .ok_or(Errno::Efbig)?;
        let mut rest = data.get(..clamp(room, data.len())).unwrap_or_default();
        let limit = self.blocks.saturating_add(budget);
        let mut at = offset;
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(clamp(CHUNK_BYTES - at % CHUNK_BYTES, rest.len()));
            let written = self.write_chunk(base, at, piece, limit);
            at += written as u64;
            if written < piece.len() {
                break;
            }
            rest = later;
        }
        if at == offset {
            return Err(Errno::Enospc);
        }
        self.size = self.size.max(at);
        Ok(clamp(at - offset, data.len()))
    }

    /// Writes `piece`, which lies in one chunk, while the file stays within `limit` blocks.
    fn write_chunk(&mut self, base: Option<&Content>, at: u64, piece: &[u8], limit: u64) -> usize {
        let index = at / CHUNK_BYTES;
        let start = index * CHUNK_BYTES;
        let from = clamp(at - start, usize::MAX);
        let held = self.chunks.get(&index).map(Vec::len);
        let old = held.unwrap_or(0) as u64;
        // A chunk that is not there yet begins with what the image shows of its range.
        let shown = match held {
            Some(_) => 0,
            None => self.base_len.saturating_sub(start).min(CHUNK_BYTES),
        };
        let available = limit - self.blocks + old.div_ceil(BLOCK_BYTES);
        let capacity = available.saturating_mul(BLOCK_BYTES).min(CHUNK_BYTES);
        if shown > capacity {
            return 0;
        }
        let fits = clamp(capacity, usize::MAX).saturating_sub(from);
        let Some(piece) = piece.get(..fits.min(piece.len())).filter(|p| !p.is_empty()) else {
            return 0;
        };
        let end = from + piece.len();
        let mut chunk = self.chunks.remove(&index).unwrap_or_default();
        let needed = end.max(clamp(shown, usize::MAX));
        if needed > chunk.len() {
            reserve_blocks(&mut chunk, needed);
            chunk.resize(needed, 0);
        }
        if let (Some(base), Some(copy)) = (base, chunk.get_mut(..clamp(shown, usize::MAX))) {
            base.read_at(start, copy);
        }
        if let Some(to) = chunk.get_mut(from..end) {
            to.copy_from_slice(piece);
        }
        self.blocks += (chunk.len() as u64).div_ceil(BLOCK_BYTES) - old.div_ceil(BLOCK_BYTES);
        self.chunks.insert(index, chunk);
        piece.len()
    }

    /// Cuts or extends; what is added reads as zeros and costs nothing.
    ///
    /// # Errors
    ///
    /// `EFBIG` past the largest file.
    pub(crate) fn truncate(&mut self, len: u64) -> Result<(), Errno> {
        if len > MAX_FILE_BYTES {
            return Err(Errno::Efbig);
        }
        if len < self.size {
            for chunk in self.chunks.split_off(&len.div_ceil(CHUNK_BYTES)).values() {
                self.blocks -= (chunk.len() as u64).div_ceil(BLOCK_BYTES);
            }
            self.cut_last_chunk(len);
            self.base_len = self.base_len.min(len);
        }
        self.size = len;
        Ok(())
    }

    fn cut_last_chunk(&mut self, len: u64) {
        if let Some(chunk) = self.chunks.get_mut(&(len / CHUNK_BYTES)) {
            let old = chunk.len() as u64;
            chunk.truncate(clamp(len % CHUNK_BYTES, usize::MAX));
            chunk.shrink_to_fit();
            self.blocks -= old.div_ceil(BLOCK_BYTES) - (chunk.len() as u64).div_ceil(BLOCK_BYTES);
        }
    }
}

/// `value` as a length, at most `most`.
fn clamp(value: u64, most: usize) -> usize {
    usize::try_from(value).map_or(most, |value| value.min(most))
}

/// Grows by whole blocks, so that memory follows the charge; below one block `Vec` does as well.
fn reserve_blocks(chunk: &mut Vec<u8>, needed: usize) {
    let block = clamp(BLOCK_BYTES, usize::MAX);
    if needed > block {
        chunk.reserve_exact(needed.next_multiple_of(block) - chunk.len());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn noise(len: u64) -> Content {
        Content::Generated {
            head: Arc::from(*b"\x7fELF"),
            seed: 1,
            len,
        }
    }

    #[test]
    fn a_first_write_to_a_large_file_copies_one_chunk() {
        let base = noise(50 << 20);
        let mut file = FileData::over(&base);
        file.write_at(Some(&base), 20 << 20, b"x", 100).unwrap();
        assert_eq!(file.chunks.len(), 1);
        assert_eq!(file.charged_blocks(), CHUNK_BYTES / BLOCK_BYTES);
        assert_eq!(file.apparent_blocks(), (50 << 20) / BLOCK_BYTES);
    }

    #[test]
    fn holes_cost_nothing() {
        let mut file = FileData::default();
        file.write_at(None, 1 << 40, b"x", 1).unwrap();
        assert_eq!(file.size(), (1 << 40) + 1);
        assert_eq!(file.charged_blocks(), 1);
        file.truncate(0).unwrap();
        assert_eq!(file.charged_blocks(), 0);
    }

    #[test]
    fn a_write_over_budget_is_short_and_then_refused() {
        let mut file = FileData::default();
        let data = vec![7; 10_000];
        assert_eq!(file.write_at(None, 0, &data, 2), Ok(8192));
        assert_eq!(file.write_at(None, 8192, b"x", 0), Err(Errno::Enospc));
        assert_eq!(file.write_at(None, 0, b"x", 0), Ok(1));
        assert_eq!(file.size(), 8192);
    }

    #[test]
    fn files_end_where_ext4_ends_them() {
        let mut file = FileData::default();
        assert_eq!(
            file.write_at(None, MAX_FILE_BYTES, b"x", 9),
            Err(Errno::Efbig)
        );
        assert_eq!(file.write_at(None, MAX_FILE_BYTES - 1, b"xy", 9), Ok(1));
        assert_eq!(file.write_at(None, u64::MAX, b"xy", 9), Err(Errno::Efbig));
        assert_eq!(file.truncate(MAX_FILE_BYTES + 1), Err(Errno::Efbig));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize, Vec<u8>),
        Truncate(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let data = (1..40_000usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]);
        prop_oneof![
            3 => (0..90_000usize, data).prop_map(|(at, data)| Step::Write(at, data)),
            1 => (0..120_000usize).prop_map(Step::Truncate),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_was_written_is_read(
            base_len in 0..60_000usize,
            steps in proptest::collection::vec(step(), 1..12),
            reads in proptest::collection::vec((0..130_000usize, 0..50_000usize), 1..6),
        ) {
            let base = noise(base_len as u64);
            let mut file = FileData::over(&base);
            let mut model = vec![0; base_len];
            base.read_at(0, &mut model);
            for step in steps {
                match step {
                    Step::Write(at, data) => {
                        prop_assert_eq!(file.write_at(Some(&base), at as u64, &data, 1000), Ok(data.len()));
                        let end = at + data.len();
                        model.resize(model.len().max(end), 0);
                        model[at..end].copy_from_slice(&data);
                    }
                    Step::Truncate(len) => {
                        file.truncate(len as u64).unwrap();
                        model.resize(len, 0);
                    }
                }
                prop_assert_eq!(file.size(), model.len() as u64);
                let held: u64 = file.chunks.values().map(|c| (c.len() as u64).div_ceil(BLOCK_BYTES)).sum();
                prop_assert_eq!(file.charged_blocks(), held);
            }
            for (at, len) in reads {
                let mut buf = vec![0xaa; len];
                let count = file.read_at(Some(&base), at as u64, &mut buf);
                let from = at.min(model.len());
                let to = (from + len).min(model.len());
                prop_assert_eq!(&buf[..count], &model[from..to]);
            }
            file.truncate(0).unwrap();
            prop_assert_eq!(file.charged_blocks(), 0);
        }
    }
}
