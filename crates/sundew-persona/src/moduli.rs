//! `/etc/ssh/moduli`, see moduli(5): as many candidates of each size as OpenSSH 9.2 ships, with numbers of
//! ours. Nobody can exchange keys with them: they are no primes.

use crate::time::date_time;

/// Bits less one, and how many have the generators 2 and 5.
const SIZES: [(u32, u64, u64); 6] = [
    (2047, 37, 23),
    (3071, 43, 33),
    (4095, 39, 29),
    (6143, 41, 32),
    (7679, 40, 31),
    (8191, 46, 29),
];

/// When the search began: 2022-07-14 11:03:57 UTC.
const BEGUN: i64 = 1_657_796_637;

/// The file, the same on each machine.
pub(crate) fn file() -> Vec<u8> {
    let mut out = String::from("# Time Type Tests Tries Size Generator Modulus\n");
    let mut noise = Noise(0x6d6f_6475_6c69);
    let mut at = BEGUN;
    for (size, twos, fives) in SIZES {
        let digits = usize::try_from(size.div_ceil(4)).unwrap_or(0);
        // Candidates of one size are found by counting up from one random number.
        let mut common = String::with_capacity(digits);
        common += &format!("{:X}", 8 | noise.draw() & 7);
        while common.len() < digits - 8 {
            common += &format!("{:X}", noise.draw() & 15);
        }
        let mut low = noise.draw() & 0xfff_ffff;
        let (mut twos, mut fives) = (twos, fives);
        while twos + fives > 0 {
            let generator = if noise.draw() % (twos + fives) < twos {
                twos -= 1;
                2
            } else {
                fives -= 1;
                5
            };
            // The larger the number, the longer each search.
            let step = i64::from(size) * i64::from(size) / 3000;
            at += step / 8
                + i64::try_from(noise.draw())
                    .unwrap_or(0)
                    .rem_euclid(step / 4 + 1)
                    / 4;
            low += 4 * (1 + noise.draw() % 400_000);
            let time: String = date_time(at).chars().filter(char::is_ascii_digit).collect();
            out += &format!(
                "{time} 2 6 100 {size} {generator} {common}{:08X}\n",
                low << 2 | 3
            );
        }
    }
    out.into_bytes()
}

/// SplitMix64.
struct Noise(u64);

impl Noise {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) >> 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_as_long_as_the_one_of_the_package() {
        let file = String::from_utf8(file()).unwrap();
        assert_eq!(file.len(), 573_928);
        assert_eq!(file.lines().count(), 424);
        let line = file.lines().nth(1).unwrap();
        let fields: Vec<_> = line.split(' ').collect();
        assert_eq!(fields.len(), 7);
        assert_eq!((fields[0].len(), fields[6].len()), (14, 512));
        assert!(
            file.lines().last().unwrap().starts_with("202207"),
            "{}",
            &file[file.len() - 2100..][..40]
        );
    }
}
