//! Named texts that a visitor fills in and that are paid for: aliases, completions, found programs.

use std::collections::BTreeMap;
use std::ops::Deref;

/// What an entry takes beside its bytes: its place in the tree and the allocator's share.
const ENTRY_BYTES: usize = 96;

/// What a value takes on the heap.
pub trait Weight {
    /// In bytes.
    fn weight(&self) -> usize;
}

impl Weight for Vec<u8> {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl Weight for (Vec<u8>, u32) {
    fn weight(&self) -> usize {
        self.0.len()
    }
}

/// A map by name that knows what it takes.
#[derive(Debug, Clone)]
pub struct Table<V> {
    map: BTreeMap<Vec<u8>, V>,
    bytes: usize,
}

impl<V: Weight> Table<V> {
    /// Nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            map: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// What all entries take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps a value in the place of what had its name.
    pub fn insert(&mut self, name: Vec<u8>, value: V) {
        let length = name.len();
        self.bytes = self.bytes.saturating_add(cost(length, &value));
        if let Some(old) = self.map.insert(name, value) {
            self.bytes = self.bytes.saturating_sub(cost(length, &old));
        }
    }

    /// Takes an entry out.
    pub fn remove(&mut self, name: &[u8]) -> Option<V> {
        let value = self.map.remove(name)?;
        self.bytes = self.bytes.saturating_sub(cost(name.len(), &value));
        Some(value)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Table<(Vec<u8>, u32)> {
    /// A path, and how often it was taken: once more now.
    pub fn take(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        let (path, times) = self.map.get_mut(name)?;
        *times = times.saturating_add(1);
        Some(path.clone())
    }
}

impl<V: Weight> Default for Table<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> Deref for Table<V> {
    type Target = BTreeMap<Vec<u8>, V>;
    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl<'a, V> IntoIterator for &'a Table<V> {
    type Item = (&'a Vec<u8>, &'a V);
    type IntoIter = std::collections::btree_map::Iter<'a, Vec<u8>, V>;
    fn into_iter(self) -> Self::IntoIter {
        self.map.iter()
    }
}

fn cost<V: Weight>(name: usize, value: &V) -> usize {
    name.saturating_add(value.weight())
        .saturating_add(ENTRY_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_is_no_longer_paid_for() {
        let mut table = Table::new();
        table.insert(b"a".to_vec(), b"12345".to_vec());
        table.insert(b"a".to_vec(), b"1".to_vec());
        table.insert(b"bc".to_vec(), Vec::new());
        assert_eq!(table.bytes(), 2 * ENTRY_BYTES + 4);
        assert_eq!(table.remove(b"a"), Some(b"1".to_vec()));
        assert_eq!(table.remove(b"a"), None);
        assert_eq!(table.bytes(), ENTRY_BYTES + 2);
        table.clear();
        assert_eq!(table.bytes(), 0);
    }
}
