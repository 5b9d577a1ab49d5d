//! BLAKE2b without a key, of any length up to 64 bytes: RFC 7693.

/// Bytes of a block.
const BLOCK: usize = 128;
/// Rounds of the compression.
const ROUNDS: usize = 12;

/// The first words of the state: those of SHA-512.
const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Which word of the message goes where, by round; the last two rounds begin again.
const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// Columns, then diagonals.
const PLACES: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// A digest under way.
#[derive(Debug, Clone)]
pub(super) struct Blake2b {
    state: [u64; 8],
    /// The block being filled: the last one is compressed when it is known to be the last.
    block: [u8; BLOCK],
    filled: usize,
    /// Bytes compressed.
    count: u128,
    length: usize,
}

impl Blake2b {
    /// A digest of so many bytes, 1 to 64.
    pub(super) fn new(length: usize) -> Self {
        let mut state = START;
        let [first, ..] = &mut state;
        *first ^= 0x0101_0000 ^ length as u64;
        Self {
            state,
            block: [0; BLOCK],
            filled: 0,
            count: 0,
            length,
        }
    }

    /// Adds bytes.
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == BLOCK {
                self.compress(false);
                self.filled = 0;
            }
            let room = self.block.get_mut(self.filled..).unwrap_or_default();
            let count = room.len().min(bytes.len());
            let (now, later) = bytes.split_at(count);
            for (to, from) in room.iter_mut().zip(now) {
                *to = *from;
            }
            self.filled += count;
            bytes = later;
        }
    }

    /// The digest.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.block
            .iter_mut()
            .skip(self.filled)
            .for_each(|byte| *byte = 0);
        self.compress(true);
        let bytes = self.state.iter().flat_map(|word| word.to_le_bytes());
        bytes.take(self.length).collect()
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "places come from the tables above and lie in the arrays"
    )]
    fn compress(&mut self, last: bool) {
        self.count += self.filled as u128;
        let mut message = [0u64; 16];
        for (word, bytes) in message.iter_mut().zip(self.block.chunks_exact(8)) {
            *word = bytes
                .iter()
                .rev()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        let mut work = [0u64; 16];
        work[..8].copy_from_slice(&self.state);
        work[8..].copy_from_slice(&START);
        let mask = u128::from(u64::MAX);
        work[12] ^= u64::try_from(self.count & mask).unwrap_or(0);
        work[13] ^= u64::try_from(self.count >> 64).unwrap_or(0);
        if last {
            work[14] = !work[14];
        }
        for round in 0..ROUNDS {
            let order = &ORDER[round % ORDER.len()];
            for (step, &[a, b, c, d]) in PLACES.iter().enumerate() {
                let (x, y) = (message[order[2 * step]], message[order[2 * step + 1]]);
                work[a] = work[a].wrapping_add(work[b]).wrapping_add(x);
                work[d] = (work[d] ^ work[a]).rotate_right(32);
                work[c] = work[c].wrapping_add(work[d]);
                work[b] = (work[b] ^ work[c]).rotate_right(24);
                work[a] = work[a].wrapping_add(work[b]).wrapping_add(y);
                work[d] = (work[d] ^ work[a]).rotate_right(16);
                work[c] = work[c].wrapping_add(work[d]);
                work[b] = (work[b] ^ work[c]).rotate_right(63);
            }
        }
        for (at, word) in self.state.iter_mut().enumerate() {
            *word ^= work[at] ^ work[at + 8];
        }
    }
}
