//! Lines typed before.

use std::collections::VecDeque;

/// Lines typed before, numbered from 1 on.
#[derive(Debug, Clone, Default)]
pub struct History {
    lines: VecDeque<Vec<u8>>,
    first: usize,
}

impl History {
    /// Lines kept.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number and text of each line.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.lines.iter().enumerate().map(|(index, line)| (self.first + index + 1, line.as_slice()))
    }
}
