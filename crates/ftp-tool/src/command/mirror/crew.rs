//! How many connections a mirror is worth, when nobody says.
//!
//! A small file costs round trips, not bandwidth: over a long line many connections side by side hide
//! them. Large files fill the line with a few, and more would only be a burden to the server.

use std::time::Duration;

use crate::plan::{Action, Plan};

/// Most connections at once that are made without being asked for.
pub(super) const MOST: usize = 128;

/// Most connections that list directories; how far the server is, is not known before the first.
pub(super) const LISTING: usize = 12;

/// As many where files are large or the server is near, so that its work takes longer than the way to it.
const FEW: usize = 8;

/// Small files a second that are aimed at: what a server can give that forks for each connection.
const PACE: f64 = 2_000.0;

/// Round trips a small file costs, see docs/performance.md.
const ROUND_TRIPS: f64 = 3.0;

/// Files that are bound by round trips are smaller than this on average, in bytes.
const SMALL_BYTES: u64 = 256 * 1024;

/// Files for which one more connection pays for its login.
const FILES_EACH: usize = 4;

/// Connections for the transfers of a plan.
pub(super) fn size(plan: &Plan, round_trip: Duration) -> usize {
    let files = plan.transfers.len();
    let bytes = plan.transfers.iter().map(|action| match action {
        Action::Transfer { size, .. } => size.unwrap_or(SMALL_BYTES),
        _ => 0,
    });
    let average = bytes.sum::<u64>() / (files as u64).max(1);
    let most = if average < SMALL_BYTES {
        hidden(round_trip).clamp(FEW, MOST)
    } else {
        FEW
    };
    files.div_ceil(FILES_EACH).clamp(1, most)
}

/// Connections side by side that hide the round trips of files at [`PACE`].
fn hidden(round_trip: Duration) -> usize {
    let count = round_trip.mul_f64(PACE * ROUND_TRIPS).as_secs();
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Why;
    use crate::tree::RelPath;

    fn files(count: usize, bytes: u64) -> Plan {
        let one = |_| Action::Transfer {
            path: RelPath::top(),
            size: Some(bytes),
            modified: None,
            why: Why::Missing,
        };
        Plan {
            transfers: (0..count).map(one).collect(),
            ..Plan::default()
        }
    }

    #[test]
    fn many_small_files_far_away_are_worth_many_connections_and_nothing_else_is() {
        let far = Duration::from_millis(20);
        assert_eq!(size(&files(5000, 4096), far), 120);
        assert_eq!(size(&files(5000, 4096), 100 * far), MOST);
        assert_eq!(size(&files(5000, 4096), Duration::from_micros(90)), FEW);
        assert_eq!(size(&files(5000, 1 << 30), far), FEW);
        assert_eq!(size(&files(9, 4096), far), 3);
        assert_eq!(size(&files(0, 0), far), 1);
    }
}
