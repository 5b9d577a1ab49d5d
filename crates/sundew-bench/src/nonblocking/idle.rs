//! Sessions that are logged in and do nothing: what each costs in memory.

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::process::Usage;
use crate::ssh::{Attacker, Door, Failure, Shell};

/// How many are opened.
pub(super) const SESSIONS: u16 = 200;

/// How many log in at once.
const AT_ONCE: usize = 16;

/// Opens them all; they last as long as the result is held.
pub(super) async fn open(door: &Door) -> Result<Vec<Shell>> {
    let mut shells = Vec::new();
    let mut opening: JoinSet<Result<Shell, Failure>> = JoinSet::new();
    for number in 0..SESSIONS {
        if opening.len() == AT_ONCE
            && let Some(shell) = opening.join_next().await
        {
            shells.push(shell?.context("an idle session")?);
        }
        let door = door.clone();
        opening.spawn(async move { door.shell(Attacker(4000 + number)).await });
    }
    while let Some(shell) = opening.join_next().await {
        shells.push(shell?.context("an idle session")?);
    }
    Ok(shells)
}

/// Says what they cost.
pub(super) fn cost(before: Usage, after: Usage) -> String {
    let more = after.rss_kib.saturating_sub(before.rss_kib);
    format!(
        "RSS {} KiB before, {} KiB for each idle session",
        before.rss_kib,
        more / u64::from(SESSIONS)
    )
}
