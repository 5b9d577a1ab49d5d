//! The sessions that are measured: somebody types, somebody else logs in.
//!
//! They run on a thread of their own, so that what is measured is the target's delay and not this
//! program's other work; the cores are shared all the same.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::ssh::{Attacker, Door, Failure, Shell};
use crate::stats::Samples;

/// A key is typed this often on each of [`TYPISTS`].
pub(super) const KEY_EVERY: Duration = Duration::from_millis(20);

/// A login begins this often.
pub(super) const LOGIN_EVERY: Duration = Duration::from_millis(100);

/// Sessions on which keys are typed.
const TYPISTS: u16 = 2;

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) echo: Samples,
    pub(super) login: Samples,
}

/// One login and a few keys, so that caches are warm.
pub(super) async fn warm_up(door: &Door) -> Result<()> {
    let mut shell = door.shell(Attacker(1)).await.context("the first login")?;
    for _ in 0..5 {
        shell.key('x').await?;
        shell.rub_out().await?;
    }
    Ok(())
}

/// Sessions that are open and ready to be measured, on a thread of their own.
pub(super) struct Probe {
    begin: oneshot::Sender<Duration>,
    measured: JoinHandle<Result<Measured>>,
}

impl Probe {
    /// Opens the typists' sessions, before there is any load.
    pub(super) async fn open(door: &Door) -> Result<Self> {
        let (begin, window) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let door = door.clone();
        let measured = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let mut shells = Vec::new();
                for number in 0..TYPISTS {
                    shells.push(
                        door.shell(Attacker(2 + number))
                            .await
                            .context("a typist's session")?,
                    );
                }
                // Nobody waits any more, or nobody will begin: then there is nothing to measure.
                ready.send(()).unwrap_or_default();
                match window.await {
                    Ok(window) => Ok(measure(&door, shells, window).await),
                    Err(_) => Ok(Measured::default()),
                }
            })
        });
        match is_ready.await {
            Ok(()) => Ok(Self { begin, measured }),
            Err(_) => {
                measured.await??;
                bail!("the typists' thread ended early");
            }
        }
    }

    /// Types and logs in for so long.
    pub(super) async fn measure(self, window: Duration) -> Result<Measured> {
        // If its thread has ended, its result says why.
        self.begin.send(window).unwrap_or_default();
        self.measured.await?
    }
}

async fn measure(door: &Door, shells: Vec<Shell>, window: Duration) -> Measured {
    let mut typists = JoinSet::new();
    for shell in shells {
        typists.spawn(type_for(shell, window));
    }
    let login = log_in_for(door, window).await;
    let mut measured = Measured {
        login,
        ..Measured::default()
    };
    while let Some(samples) = typists.join_next().await {
        measured.echo.merge(samples.unwrap_or_default());
    }
    measured
}

async fn type_for(mut shell: Shell, window: Duration) -> Samples {
    let mut samples = Samples::default();
    let end = Instant::now() + window;
    if let Err(failure) = keys_until(&mut shell, end, &mut samples).await {
        samples.fail(failure);
    }
    samples
}

async fn keys_until(shell: &mut Shell, end: Instant, samples: &mut Samples) -> Result<(), Failure> {
    let mut due = Instant::now();
    while due < end {
        sleep_until(due).await;
        let typed = Instant::now();
        shell.key('x').await?;
        samples.add_in_sequence(typed.elapsed(), KEY_EVERY);
        // The line stays short, so that its length is not what is measured.
        shell.rub_out().await?;
        due = (due + KEY_EVERY).max(Instant::now());
    }
    Ok(())
}

async fn log_in_for(door: &Door, window: Duration) -> Samples {
    let mut samples = Samples::default();
    let mut logins = JoinSet::new();
    let begin = Instant::now();
    let count = u16::try_from(window.as_millis() / LOGIN_EVERY.as_millis()).unwrap_or(u16::MAX);
    // On a schedule, whether or not the last one is done: a stall delays all that fall into it.
    for number in 0..count {
        sleep_until(begin + LOGIN_EVERY * u32::from(number)).await;
        let door = door.clone();
        logins.spawn(async move {
            let began = Instant::now();
            door.shell(Attacker(1000 + number))
                .await
                .map(|_| began.elapsed())
        });
    }
    while let Some(login) = logins.join_next().await {
        match login {
            Ok(Ok(latency)) => samples.add(latency),
            Ok(Err(failure)) => samples.fail(failure),
            Err(error) => samples.fail(error),
        }
    }
    samples
}
