//! The build ids that Debian 12's own programs and libraries have, so that `file /bin/ls` shows the real one.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::BUILD_ID_BYTES;

type Id = [u8; BUILD_ID_BYTES];

/// A line per file: the id in hexadecimal, a blank, the name of its program.
const TABLE: &str = include_str!("debian.txt");

static BY_NAME: LazyLock<HashMap<&'static [u8], Id>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let (hex, name) = line.split_once(' ')?;
        Some((name.as_bytes(), id(hex)?))
    };
    TABLE.lines().filter_map(row).collect()
});

static IDS: LazyLock<HashSet<Id>> = LazyLock::new(|| BY_NAME.values().copied().collect());

/// The id of this program in Debian 12 for amd64; no two programs have the same.
pub(super) fn id_of(program: &[u8]) -> Option<Id> {
    BY_NAME.get(program).copied()
}

/// Whether a program of Debian has this id.
pub(super) fn is_known(id: &Id) -> bool {
    IDS.contains(id)
}

fn id(hex: &str) -> Option<Id> {
    let mut id = [0; BUILD_ID_BYTES];
    for (to, at) in id.iter_mut().zip((0..).step_by(2)) {
        *to = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
    }
    (hex.len() == 2 * BUILD_ID_BYTES).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_table_is_read_and_no_id_stands_for_two_programs() {
        assert_eq!(BY_NAME.len(), TABLE.lines().count());
        assert_eq!(IDS.len(), BY_NAME.len());
        assert!(id_of(b"ls").is_some_and(|id| is_known(&id)));
    }
}
