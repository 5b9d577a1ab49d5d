//! What finished processes have cost.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// What one run has cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// Of the program and its children.
    pub(crate) cpu: Duration,
    pub(crate) peak_kib: u64,
}

/// Runs commands one after the other in a directory; fails with the words of the first that does.
pub(crate) fn run_all(
    commands: &[Vec<String>],
    directory: &Path,
    within: Duration,
) -> Result<Cost> {
    let begin = Instant::now();
    let before = children()?;
    let mut peak_kib = 0;
    for words in commands {
        peak_kib = peak_kib.max(run_one(words, directory, begin + within)?);
    }
    Ok(Cost {
        wall: begin.elapsed(),
        cpu: children()?.saturating_sub(before),
        peak_kib,
    })
}

fn run_one(words: &[String], directory: &Path, until: Instant) -> Result<u64> {
    let (program, arguments) = words.split_first().context("no program")?;
    let log = directory.with_extension("log");
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?)
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let mut nap = Duration::from_micros(200);
    loop {
        if let Some(ended) = child.try_wait()? {
            if ended.success() {
                return Ok(peak);
            }
            let said = fs::read_to_string(&log).unwrap_or_default();
            let last = said.lines().last().unwrap_or_default().to_owned();
            bail!("{program} ended with {ended}: {last}");
        }
        // The peak is the kernel's own, so looking seldom misses only what the last moments added.
        if let Some(kib) = fs::read_to_string(&status)
            .ok()
            .as_deref()
            .and_then(peak_of)
        {
            peak = peak.max(kib);
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            bail!("{program} did not end in time");
        }
        thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(5));
    }
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// User and system time of all children that have ended. The kernel adds them up in nanoseconds and
/// shows hundredths of a second.
fn children() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").context("no /proc/self/stat")?;
    let mut fields = fields.split(' ').skip(13);
    let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok());
    let (user, system) = (next().unwrap_or(0), next().unwrap_or(0));
    Ok(Duration::from_millis((user + system) * 10))
}
