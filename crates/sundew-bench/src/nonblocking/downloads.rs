//! Many sessions, each with `ftpget` in flight to a server that is slow, silent, gone or rude.
//!
//! Half of those that would succeed hang up before their file has come: a sensor should finish the
//! download all the same.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::ftp::{BYTES_PER_SECOND, Download, Manner, Servers};
use crate::ssh::{self, Attacker, Login};
use crate::tally::{Events, Tally};
use crate::target::Target;

/// The load as it runs.
pub(super) struct Downloads {
    downloads: Arc<[Download]>,
    servers: Servers,
    sessions: JoinSet<Ended>,
    refused_logins: usize,
    first_refusal: Option<String>,
    began: Instant,
}

/// What one session saw.
#[derive(Debug, Clone, Copy)]
enum Ended {
    Status(u32),
    HungUp,
    Closed,
}

/// One of four: every manner gets as many sessions.
const MANNERS: [Manner; 4] = [
    Manner::Slow,
    Manner::Silent,
    Manner::Dropping,
    Manner::Resetting,
];

/// Logs everybody in and starts their downloads, sized so that they outlast the window.
pub(super) async fn start(target: &Target, sessions: u16, window: Duration) -> Result<Downloads> {
    let seconds = RAMP + window + AFTERWARDS;
    let length = BYTES_PER_SECOND * usize::try_from(seconds.as_secs())?;
    let manner = |number: usize| {
        MANNERS
            .get(number % MANNERS.len())
            .copied()
            .unwrap_or(Manner::Slow)
    };
    let downloads: Arc<[Download]> = (0..usize::from(sessions))
        .map(|number| Download {
            number,
            manner: manner(number),
            length,
        })
        .collect();
    let servers = Servers::start(Arc::clone(&downloads)).await?;
    let mut running = Downloads {
        downloads: Arc::clone(&downloads),
        servers,
        sessions: JoinSet::new(),
        refused_logins: 0,
        first_refusal: None,
        began: Instant::now(),
    };
    for group in downloads.chunks(AT_ONCE) {
        let mut logins = JoinSet::new();
        for download in group {
            let door = target.door.clone();
            let who = Attacker(2000 + u16::try_from(download.number)?);
            let download = download.clone();
            logins.spawn(async move { (download, door.login(who).await) });
        }
        while let Some(login) = logins.join_next().await {
            match login? {
                (download, Ok(login)) => running.spawn(&download, login, RAMP + window),
                (_, Err(failure)) => running.refuse(&failure),
            }
        }
    }
    Ok(running)
}

impl Downloads {
    fn spawn(&mut self, download: &Download, login: Login, patience: Duration) {
        let address = self.servers.address(download.manner);
        let name = download.name();
        let command = format!(
            "cd /tmp; ftpget -P {} {} {name} {name}",
            address.port(),
            address.ip()
        );
        let stays = download.manner == Manner::Resetting
            || (download.manner == Manner::Slow
                && (download.number / MANNERS.len()).is_multiple_of(2));
        let until = self.began
            + if stays {
                patience + AFTERWARDS + GRACE
            } else {
                patience
            };
        self.sessions.spawn(async move {
            let Ok(channel) = login.start(command.as_bytes()).await else {
                return Ended::Closed;
            };
            match tokio::time::timeout_at(until, ssh::end_of(channel)).await {
                Ok(ended) => ended.status.map_or(Ended::Closed, Ended::Status),
                Err(_) => Ended::HungUp,
            }
        });
    }

    fn refuse(&mut self, failure: &ssh::Failure) {
        self.refused_logins += 1;
        self.first_refusal
            .get_or_insert_with(|| failure.to_string());
    }

    /// How many bodies are on their way.
    pub(super) fn in_flight(&self) -> String {
        let progress = self.servers.progress();
        let begun = progress.begun.load(Ordering::Relaxed);
        let ended =
            progress.done.load(Ordering::Relaxed) + progress.refused.load(Ordering::Relaxed);
        format!(
            "{} sessions open, {} bodies in flight",
            self.sessions.len(),
            begun.saturating_sub(ended)
        )
    }

    /// Lets the downloads end and counts what was kept.
    pub(super) async fn finish(mut self, target: &Target) -> Vec<String> {
        let deadline = Instant::now() + AFTERWARDS + GRACE + GRACE;
        let (mut well, mut badly, mut hung_up, mut closed) = (0_usize, 0_usize, 0_usize, 0_usize);
        while let Ok(Some(ended)) =
            tokio::time::timeout_at(deadline, self.sessions.join_next()).await
        {
            match ended {
                Ok(Ended::Status(0)) => well += 1,
                Ok(Ended::Status(_)) => badly += 1,
                Ok(Ended::HungUp) => hung_up += 1,
                Ok(Ended::Closed) | Err(_) => closed += 1,
            }
        }
        let mut notes = vec![format!(
            "`ftpget` succeeded {well}, failed {badly}, hung up on {hung_up}, closed {closed}"
        )];
        if let Some(why) = &self.first_refusal {
            notes.push(format!("{} logins refused: {why}", self.refused_logins));
        }
        notes.push(self.kept(target, deadline).await);
        let refused = self.servers.progress().refused.load(Ordering::Relaxed);
        if refused > 0 {
            notes.push(format!("{refused} bodies broken off by the target"));
        }
        notes
    }

    /// Counts the artifacts once they are all there, or when waiting is no use.
    async fn kept(&self, target: &Target, deadline: Instant) -> String {
        let Some(shelf) = target.shelf() else {
            return "artifacts not looked at".to_owned();
        };
        let wait = deadline.saturating_duration_since(Instant::now()) + GRACE;
        let mut tally = Tally::of(shelf, &self.downloads);
        let settled = timeout(wait, async {
            while !tally.is_settled() {
                sleep(Duration::from_secs(1)).await;
                tally = Tally::of(shelf, &self.downloads);
            }
        });
        // Not settled is what the tally then says.
        settled.await.unwrap_or_default();
        tally.to_string()
    }
}

/// What the target's log says of downloads, all in all.
pub(super) fn told(target: &Target) -> Option<String> {
    let Events { downloaded, failed } = Events::of(target.events()?);
    Some(format!(
        "{downloaded} download events and {failed} failed ones when all was over"
    ))
}

/// How many log in at once.
const AT_ONCE: usize = 16;

/// Time the logins may take; bodies are longer by this.
const RAMP: Duration = Duration::from_secs(10);

/// How long bodies go on after the window, so that they are in flight during all of it.
const AFTERWARDS: Duration = Duration::from_secs(8);

/// Patience beyond the time everything should take.
const GRACE: Duration = Duration::from_secs(15);
