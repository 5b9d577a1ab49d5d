//! The number a machine is made from, and what is drawn from it.
//!
//! Every draw has a label and depends on nothing else: adding a fact later changes no other fact of
//! machines that exist already. SHA-256 in counter mode; not for keys.

use sha2::{Digest, Sha256};

/// What makes one machine differ from the next; kept by the sensor for as long as the machine lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl std::fmt::Debug for Seed {
    /// Without the bytes: whoever knows them knows the sensor.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl Seed {
    /// A seed of these bytes, which should be random.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A number for this label.
    pub fn number(&self, label: &str) -> u64 {
        self.number_of(label.as_bytes())
    }

    /// A number for this label, for labels that are paths.
    pub fn number_of(&self, label: &[u8]) -> u64 {
        let digest = self.block(label, 0);
        digest
            .first_chunk()
            .map_or(0, |chunk| u64::from_le_bytes(*chunk))
    }

    /// A number from `low` up to and including `high`; `low` if there is none.
    pub fn between(&self, label: &str, low: u64, high: u64) -> u64 {
        let span = high.saturating_sub(low).saturating_add(1);
        low + self.number(label) % span
    }

    /// One of several.
    pub fn pick<'a, T>(&self, label: &str, choices: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(choices.len())
            .ok()
            .filter(|count| *count > 0)?;
        choices.get(usize::try_from(self.number(label) % count).ok()?)
    }

    /// This many bytes.
    pub fn bytes(&self, label: &str, len: usize) -> Vec<u8> {
        (0..)
            .flat_map(|counter| self.block(label.as_bytes(), counter))
            .take(len)
            .collect()
    }

    /// This many hexadecimal digits.
    pub fn hex(&self, label: &str, digits: usize) -> String {
        let mut text: String = self
            .bytes(label, digits.div_ceil(2))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        text.truncate(digits);
        text
    }

    fn block(&self, label: &[u8], counter: u64) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.0)
            .chain_update(counter.to_le_bytes())
            .chain_update(label)
            .finalize()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_and_label_only() {
        let (one, two) = (Seed::new([1; 32]), Seed::new([2; 32]));
        assert_eq!(one.number("a"), one.number("a"));
        assert_ne!(one.number("a"), one.number("b"));
        assert_ne!(one.number("a"), two.number("a"));
        assert_eq!(one.hex("x", 7).len(), 7);
        assert_eq!(one.bytes("x", 100).len(), 100);
    }

    #[test]
    fn draws_stay_in_their_range() {
        for byte in 0..=255 {
            let seed = Seed::new([byte; 32]);
            assert!((3..=5).contains(&seed.between("n", 3, 5)));
            assert!([1, 2].contains(seed.pick("p", &[1, 2]).unwrap()));
        }
        assert_eq!(Seed::new([0; 32]).between("n", 9, 3), 9);
        assert_eq!(Seed::new([0; 32]).pick::<u8>("p", &[]), None);
    }

    #[test]
    fn a_seed_is_not_printed() {
        assert_eq!(format!("{:?}", Seed::new([7; 32])), "Seed(…)");
    }
}
