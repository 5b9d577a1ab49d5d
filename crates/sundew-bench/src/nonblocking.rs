//! `nonblocking`: what one attacker's load does to another's keystrokes and logins.
//!
//! Every scenario starts the target anew, puts the load on it, and then measures on other sessions
//! from other addresses: a key typed every [`probe::KEY_EVERY`] until it appears, and a fresh login
//! every [`probe::LOGIN_EVERY`] until its prompt.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::sleep;

use crate::process::Usage;
use crate::ssh::Door;
use crate::target::{Recipe, Target};

mod downloads;
mod idle;
mod offence;
mod probe;
mod report;
mod storm;

use probe::Probe;
use report::{Report, Row};

/// Options of `nonblocking`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Our sensor's program
    #[arg(long, default_value = "target/release/sundew")]
    sensor: PathBuf,
    /// Leave our sensor out
    #[arg(long)]
    without_sensor: bool,
    /// Measure a peer as well
    #[arg(long, value_parser = ["cowrie"])]
    peer: Option<String>,
    /// Virtual environment the peer is installed in
    #[arg(long, default_value = "target/peers/venv")]
    venv: PathBuf,
    /// Measure the SSH server at this address instead of starting anything
    #[arg(long, value_name = "ADDR:PORT")]
    ssh: Option<SocketAddr>,
    /// User for --ssh
    #[arg(long, default_value = "root")]
    user: String,
    /// Password for --ssh
    #[arg(long, default_value = "hunter2")]
    password: String,
    /// Where the server of --ssh keeps what it captured
    #[arg(long)]
    artifacts: Option<PathBuf>,
    /// Sessions with a download in flight
    #[arg(long, default_value_t = 300)]
    sessions: u16,
    /// How long to measure in each scenario
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only scenarios whose name contains this text
    #[arg(long)]
    only: Option<String>,
    /// Also write the tables to this file
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What is done to a target while others are measured.
#[derive(Debug, Clone, Copy)]
enum Load {
    /// Nothing: what the others are compared with.
    Quiet,
    /// Sessions that are logged in and do nothing.
    Idle,
    /// Sessions that download.
    Downloads,
    /// Connections from one address that want to exchange keys.
    Storm,
    /// One attacker who misbehaves.
    Offence(&'static offence::Offence),
}

pub(crate) async fn run(options: &Options) -> Result<()> {
    let mut reports = Vec::new();
    for recipe in recipes(options) {
        let mut report = Report::new(recipe.name());
        for load in loads(options) {
            eprintln!("{}: {}", recipe.name(), load.name(options));
            match scenario(&recipe, load, options).await {
                Ok(row) => report.rows.push(row),
                // A peer that breaks under a load is a result, and the next scenario starts anew.
                Err(error) => {
                    eprintln!("{}: {}: {error:#}", recipe.name(), load.name(options));
                    report.rows.push(Row::broken(load.name(options), &error));
                }
            }
        }
        reports.push(report);
    }
    if reports.is_empty() {
        bail!("nothing to measure");
    }
    let text = report::markdown(&reports);
    print!("{text}");
    if let Some(path) = &options.out {
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn recipes(options: &Options) -> Vec<Recipe> {
    if let Some(address) = options.ssh {
        let door = Door {
            address,
            user: options.user.clone(),
            password: options.password.clone(),
        };
        return vec![Recipe::Running {
            door,
            artifacts: options.artifacts.clone(),
        }];
    }
    let ours = (!options.without_sensor).then(|| Recipe::Sundew(options.sensor.clone()));
    let peer = options
        .peer
        .as_ref()
        .map(|_| Recipe::Cowrie(options.venv.clone()));
    ours.into_iter().chain(peer).collect()
}

fn loads(options: &Options) -> Vec<Load> {
    let offences = offence::ALL.iter().map(Load::Offence);
    let all = [Load::Quiet, Load::Idle, Load::Downloads, Load::Storm]
        .into_iter()
        .chain(offences);
    let wanted = |load: &Load| {
        let only = options.only.as_deref().unwrap_or_default();
        load.name(options).contains(only)
    };
    all.filter(wanted).collect()
}

impl Load {
    fn name(self, options: &Options) -> String {
        match self {
            Self::Quiet => "nothing".to_owned(),
            Self::Idle => format!("{} idle sessions", idle::SESSIONS),
            Self::Downloads => format!("{} sessions in `ftpget`", options.sessions),
            Self::Storm => format!("{} connections that exchange keys", storm::AT_ONCE),
            Self::Offence(offence) => offence.name.to_owned(),
        }
    }
}

async fn scenario(recipe: &Recipe, load: Load, options: &Options) -> Result<Row> {
    let mut target = recipe.start().await?;
    let result = loaded(&target, load, options).await;
    let complaint = target.stop().await;
    let mut row = result?;
    if matches!(load, Load::Downloads) {
        // Only now: what still waited for a silent server is told of when the target ends.
        row.notes.extend(downloads::told(&target));
    }
    // How others end is their business.
    if matches!(recipe, Recipe::Sundew(_)) {
        row.notes.extend(complaint);
    }
    Ok(row)
}

async fn loaded(target: &Target, load: Load, options: &Options) -> Result<Row> {
    // The first login pays for what is made once; it is not what is compared.
    probe::warm_up(&target.door).await?;
    let mut row = Row::new(load.name(options));
    let window = Duration::from_secs(options.seconds);
    let probe = Probe::open(&target.door).await?;
    match load {
        Load::Quiet => measure(target, probe, window, &mut row).await?,
        Load::Idle => {
            let before = target.usage();
            let sessions = idle::open(&target.door).await?;
            measure(target, probe, window, &mut row).await?;
            if let (Some(before), Some(usage)) = (before, row.usage) {
                row.notes.push(idle::cost(before, usage));
            }
            drop(sessions);
        }
        Load::Downloads => {
            let running = downloads::start(target, options.sessions, window).await?;
            row.notes.push(running.in_flight());
            measure(target, probe, window, &mut row).await?;
            row.notes.push(running.in_flight());
            row.notes.extend(running.finish(target).await);
        }
        Load::Storm => {
            let running = storm::start(&target.door, window);
            measure(target, probe, window, &mut row).await?;
            row.notes.push(running.finish().await);
        }
        Load::Offence(offence) => {
            let running = offence::start(offence, &target.door, window).await?;
            measure(target, probe, window, &mut row).await?;
            row.notes.push(running.finish().await);
            row.notes.extend(still_busy(target).await);
        }
    }
    Ok(row)
}

/// What the target goes on using when the offence should be over.
async fn still_busy(target: &Target) -> Option<String> {
    let before = target.usage()?;
    sleep(SETTLE).await;
    let percent = share(before, target.usage()?, SETTLE);
    Some(format!("afterwards {percent:.0} % CPU"))
}

/// Measures for a while and notes what the target used meanwhile.
async fn measure(target: &Target, probe: Probe, window: Duration, row: &mut Row) -> Result<()> {
    // Let what was just started reach its steady state.
    sleep(SETTLE).await;
    let before = target.usage();
    let began = std::time::Instant::now();
    let measured = probe.measure(window).await?;
    let elapsed = began.elapsed();
    for samples in [&measured.echo, &measured.login] {
        row.notes
            .extend(samples.first_failure().map(|why| format!("failed: {why}")));
    }
    row.echo = Some(measured.echo.summary());
    row.login = Some(measured.login.summary());
    row.usage = target.usage();
    row.cpu_percent = before
        .zip(row.usage)
        .map(|(before, after)| share(before, after, elapsed));
    Ok(())
}

/// CPU time used per time elapsed, in percent of one core.
fn share(before: Usage, after: Usage, elapsed: Duration) -> f64 {
    let used = after.cpu.saturating_sub(before.cpu);
    used.as_secs_f64() / elapsed.as_secs_f64() * 100.0
}

/// Pause between starting a load and measuring beside it.
const SETTLE: Duration = Duration::from_secs(1);
